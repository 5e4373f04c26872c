//! A hundred thousand bookings: pages stay right and few pages of the database are read, whatever is asked.

use dev::demo::{LEA, NOA};
use serde_json::Value;
use shared::auth::Account;
use shared::db::dashboard::{Filter, list_sql};
use shared::db::stats::{STATS_SQL, months_of_utc};
use testing::World;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::list::ids;

/// Eighty thousand bookings of Noa's over ten years and twenty thousand of Léa's, one an hour.
async fn fill(world: &World) {
    for (artist, count) in [(&NOA, 80_000), (&LEA, 20_000)] {
        let flash = artist.flashes[0].id;
        // Those in the past took place or were called off, the last ones are to come.
        world
            .execute(&format!(
                r#"insert into bookings (id, artist_id, type, status, cancel_reason, scheduled_at, ends_at, acompte_amount, price,
                     title, policy, payment_status, flash_id, client_name, client_email, client_phone, created_at, updated_at,
                     confirmed_at, calendar_state)
                 select gen_random_uuid(), '{artist}', 'flash', s.status, case when s.status = 'cancelled' then 'client' end,
                     s.at, s.at + interval '1 hour', 60, 200, 'Dague',
                     '{{"full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte"}}',
                     'unpaid', '{flash}', 'Client ' || s.n, 'client' || s.n || '@example.fr', '+336' || lpad(s.n::text, 8, '0'),
                     s.at, s.at, s.at, 'off'
                 from (select n, timestamptz '2027-02-01 08:00Z' + (n - {count} + 2000) * interval '1 hour' as at,
                     case when n % 3 = 0 then 'cancelled' when n > {count} - 1990 then 'confirmed' else 'completed' end as status
                     from generate_series(1, {count}) n) s"#,
                artist = artist.id,
            ))
            .await;
    }
    world
        .execute(
            r"insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id,
                 occurred_at, recorded_at)
             select gen_random_uuid(), id, artist_id, 'capture', 6000, 'eur', id::text, id::text, created_at, created_at from bookings;
             insert into outbox (id, kind, booking_id, dedupe_key, created_at, relay_at, done_at, outcome)
             select gen_random_uuid(), 'send_email', id, id::text, created_at, created_at, created_at, 'done' from bookings;
             analyze bookings; analyze outbox; analyze payments",
        )
        .await;
}

/// How Postgres goes about a statement: the plan as text, and how many pages of the database it touched.
async fn plan(
    world: &World,
    sql: &str,
    params: &[(&(dyn tokio_postgres::types::ToSql + Sync), Type)],
) -> (String, i64) {
    let sql = format!("explain (analyze, buffers, format json) {sql}");
    world.execute("set role inkflow_app").await;
    let rows = world.owner.query_typed(&sql, params).await.unwrap_or_else(|error| panic!("{error:?}"));
    world.execute("reset role").await;
    let plan: Value = rows[0].get(0);
    let top = &plan[0]["Plan"];
    let pages =
        top["Shared Hit Blocks"].as_i64().unwrap_or_default() + top["Shared Read Blocks"].as_i64().unwrap_or_default();
    (plan.to_string(), pages)
}

fn assert_by_index(what: &str, plan: &str) {
    assert!(!plan.contains("Function Scan\",\"Alias\":\"w\""), "{what}: what waits is hidden from the planner");
    for part in plan.split("\"Node Type\":").skip(1) {
        let scan = part.trim_start().starts_with("\"Seq Scan\"");
        for table in ["bookings", "outbox", "payments"] {
            assert!(
                !(scan && part.contains(&format!("\"Relation Name\":\"{table}\""))),
                "{what} reads all of {table}: {plan}"
            );
        }
    }
}

#[test]
fn a_hundred_thousand_bookings_are_listed_by_index_and_by_few_pages() {
    World::run(|world| async move {
        fill(world).await;
        let user = Account { user: NOA.user_id, session: Uuid::nil() };
        let (now, limit) = (world.now(), 31_i64);
        let none: Option<jiff::Timestamp> = None;
        let nobody: Option<String> = None;
        let deep = now.checked_sub(jiff::SignedDuration::from_hours(24 * 365 * 5)).expect("in range");
        for (view, name) in [
            (Filter::All, "all"),
            (Filter::Todo, "todo"),
            (Filter::Upcoming, "upcoming"),
            (Filter::Past, "past"),
            (Filter::Cancelled, "cancelled"),
        ] {
            for (group, start) in [(-1_i32, jiff::Timestamp::UNIX_EPOCH), (2, deep)] {
                let (plan, pages) = plan(
                    world,
                    &list_sql(view),
                    &[
                        (&user, Type::UUID_ARRAY),
                        (&now, Type::TIMESTAMPTZ),
                        (&nobody, Type::TEXT),
                        (&group, Type::INT4),
                        (&start, Type::TIMESTAMPTZ),
                        (&Uuid::nil(), Type::UUID),
                        (&limit, Type::INT8),
                        (&none, Type::TIMESTAMPTZ),
                        (&none, Type::TIMESTAMPTZ),
                    ],
                )
                .await;
                assert_by_index(name, &plan);
                // The whole table has five thousand pages, and its neighbours as many again.
                assert!(pages < 4_000, "{name} from {group} touches {pages} pages");
                println!("{name} from {group}: {pages} pages of the database");
            }
        }
        for words in ["client 31337", "client31337@", "no such client"] {
            let pattern = format!("%{words}%");
            let (plan, pages) = plan(
                world,
                &list_sql(Filter::All),
                &[
                    (&user, Type::UUID_ARRAY),
                    (&now, Type::TIMESTAMPTZ),
                    (&pattern, Type::TEXT),
                    (&-1_i32, Type::INT4),
                    (&jiff::Timestamp::UNIX_EPOCH, Type::TIMESTAMPTZ),
                    (&Uuid::nil(), Type::UUID),
                    (&limit, Type::INT8),
                    (&none, Type::TIMESTAMPTZ),
                    (&none, Type::TIMESTAMPTZ),
                ],
            )
            .await;
            assert_by_index(words, &plan);
            println!("{words:?}: {pages} pages of the database");
        }
        let months = months_of_utc(now);
        let (plan, pages) = plan(
            world,
            STATS_SQL,
            &[(&user, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ), (&months, Type::TIMESTAMPTZ_ARRAY)],
        )
        .await;
        assert_by_index("the figures", &plan);
        println!("the figures: {pages} pages of the database");

        // Right as well as fast: a view page by page is what one question says, and nothing comes twice.
        let sql = format!(
            "select id from bookings where artist_id = '{}' and status = 'confirmed' and ends_at > '{now}' order by scheduled_at, id",
            NOA.id
        );
        let wanted: Vec<String> =
            world.rows(&sql, &[]).await.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
        assert!(wanted.len() > 1000, "{}", wanted.len());
        let (found, pages) = ids(world, "&view=upcoming", 100).await;
        assert_eq!((found, pages), (wanted.clone(), wanted.len().div_ceil(100)));
        assert_eq!(ids(world, "&q=client+31337", 100).await.0.len(), 1);
        let answer = crate::get(world, &NOA, "/api/dashboard/bookings.csv").await;
        assert_eq!(
            (answer.status, answer.pointers()),
            (422, vec!["#/from"]),
            "a file that ends early would be believed"
        );
    });
}

#[test]
fn what_waits_is_found_by_index_and_is_what_the_rule_says_of_every_booking() {
    World::run(|world| async move {
        // Every combination of what the rule looks at.
        world
            .execute(&format!(
                r"insert into bookings (id, artist_id, type, status, cancel_reason, scheduled_at, ends_at, hold_expires_at,
                     acompte_amount, title, policy, payment_status, payment_problem, project_description, client_name,
                     client_email, client_phone, created_at, updated_at, calendar_state)
                 select gen_random_uuid(), '{artist}', 'project', status, case when status = 'cancelled' then 'client' end, at,
                     at + interval '1 minute', case when status = 'pending' then timestamptz '{now}' + hold * interval '1 minute' end,
                     60, 'x', '{{}}', payment, problem, 'x', 'x', 'x', 'x', '{now}', '{now}', calendar
                 from (select *, timestamptz '{now}' + (row_number() over () - 900) * interval '2 hours' as at from
                     unnest(array['pending', 'confirmed', 'cancelled', 'completed']) status, unnest(array[-5, 5]) hold,
                     unnest(array['unpaid', 'paid', 'refund_pending', 'refunded', 'disputed', 'lost']) payment,
                     unnest(array[null, 'mismatch', 'duplicate', 'refund_failed']) problem,
                     unnest(array['off', 'synced', 'conflict', 'failed']) calendar, generate_series(1, 3)) s;
                 insert into outbox (id, kind, booking_id, dedupe_key, created_at, relay_at, done_at, outcome, last_error)
                 select gen_random_uuid(), 'send_email', id, id::text, '{now}', '{now}', '{now}',
                     (array['dead', 'discarded', 'discarded', 'done'])[1 + n % 4],
                     (array['x', 'MessageRejected', 'the booking is not pending any more', null])[1 + n % 4]
                 from (select id, row_number() over (order by scheduled_at)::int as n from bookings where artist_id = '{artist}') b
                 where n % 3 = 0;
                 insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id,
                     occurred_at, recorded_at)
                 select gen_random_uuid(), id, '{artist}', 'capture', 6000, 'eur', id::text, id::text, '{now}', '{now}'
                 from (select id, row_number() over (order by scheduled_at) as n from bookings where artist_id = '{artist}') b where n % 2 = 0;
                 insert into disputes (id, booking_id, payment_intent, amount_cents, currency, reason, status, refundable,
                     opened_at, closed, asked_at)
                 select 'du_' || n, id, id::text, 6000, 'eur', 'general', (array['needs_response', 'under_review', 'lost'])[1 + n % 3],
                     false, '{now}', n % 3 = 2, '{now}'
                 from (select id, row_number() over (order by scheduled_at)::int as n from bookings where artist_id = '{artist}') b
                 where n % 5 = 0",
                artist = NOA.id,
                now = world.now(),
            ))
            .await;
        let found = |sql: String| async move {
            let rows = world.rows(&format!("{sql} order by id"), &[]).await;
            rows.iter().map(Value::to_string).collect::<Vec<_>>()
        };
        let now = world.now();
        let by_rule = found(format!(
            r"select b.id, dashboard_todo(b, '{now}') as todo from bookings b where b.artist_id = '{}'
             and cardinality(dashboard_todo(b, '{now}')) > 0",
            NOA.id
        ))
        .await;
        let by_index = found(format!("select id, todo from dashboard_waiting('{}', '{now}')", NOA.id)).await;
        assert!(by_rule.len() > 500, "{}", by_rule.len());
        for kind in ["confirm", "payment", "calendar", "job", "outcome"] {
            assert!(by_rule.iter().any(|row| row.contains(kind)), "{kind}");
        }
        assert_eq!(by_index, by_rule);
        assert!(found(format!("select id, todo from dashboard_waiting('{}', '{now}')", LEA.id)).await.is_empty());
    });
}
