//! Who may touch what: Supabase's API roles nothing, the functions' role exactly its work.

use std::collections::BTreeMap;

use crate::scratch::{Begin, CONFIRMED, Database, HELD, before_api_roles, with_api_roles, with_database};

const API_ROLES: [&str; 2] = ["anon", "authenticated"];

/// Everything in `public` that migrations made: not what belongs to an extension.
fn made(catalog: &str, object: &str) -> String {
    format!(
        r"not exists (select from pg_depend d where d.classid = '{catalog}'::regclass and d.objid = {object}.oid
         and d.deptype = 'e')"
    )
}

/// Tables, views and whatever else has rows, with the name of the first column of each.
async fn tables(database: &Database) -> Vec<(String, String)> {
    let sql = format!(
        r"select c.oid::regclass, (select quote_ident(a.attname) from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum limit 1)
         from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
         and {} order by 1",
        made("pg_class", "c")
    );
    database.rows(&sql).await.into_iter().map(|mut row| (row.remove(0), row.remove(0))).collect()
}

async fn sequences(database: &Database) -> Vec<String> {
    let sql = format!(
        "select c.oid::regclass from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S' and {}",
        made("pg_class", "c")
    );
    database.column(&sql).await
}

async fn functions(database: &Database) -> Vec<String> {
    let sql = format!(
        "select p.oid::regprocedure from pg_proc p where p.pronamespace = 'public'::regnamespace and {}",
        made("pg_proc", "p")
    );
    database.column(&sql).await
}

/// Nothing that migrations made, or will make, lets one of `roles` in.
async fn assert_out_of_reach(database: &Database, roles: &[&str]) {
    // What a later migration makes is out of reach although nobody thinks of it.
    database
        .run(
            r"create table of_a_later_migration (id bigserial primary key, note text not null);
             create function of_a_later_migration() returns int language sql as 'select 1'",
        )
        .await;
    let tables = tables(database).await;
    let names: Vec<&str> = tables.iter().map(|(name, _column)| name.as_str()).collect();
    for expected in ["artists", "bookings", "payments", "refinery_schema_history", "of_a_later_migration"] {
        assert!(names.contains(&expected), "{expected} is not looked at: {names:?}");
    }
    let (sequences, functions) = (sequences(database).await, functions(database).await);
    assert!(sequences.contains(&"booking_events_id_seq".to_owned()), "{sequences:?}");
    assert!(functions.contains(&"bookings_guard()".to_owned()), "{functions:?}");

    for role in roles {
        for (table, column) in &tables {
            for sql in [
                format!("select from {table}"),
                format!("insert into {table} default values"),
                format!("update {table} set {column} = default"),
                format!("delete from {table}"),
                format!("truncate {table}"),
            ] {
                database.assert_forbidden(role, &sql).await;
            }
            let privileges = "select, insert, update, delete, truncate, references, trigger";
            let any = format!(
                r"select has_table_privilege('{role}', '{table}', '{privileges}')
                 or has_any_column_privilege('{role}', '{table}', 'select, insert, update, references')"
            );
            assert_eq!(database.column(&any).await, ["f"], "{role} has a privilege on {table}");
        }
        for sequence in &sequences {
            database.assert_forbidden(role, &format!("select nextval('{sequence}')")).await;
            let any = format!("select has_sequence_privilege('{role}', '{sequence}', 'usage, select, update')");
            assert_eq!(database.column(&any).await, ["f"], "{role} has a privilege on {sequence}");
        }
        for function in &functions {
            let any = format!("select has_function_privilege('{role}', '{function}', 'execute')");
            assert_eq!(database.column(&any).await, ["f"], "{role} may execute {function}");
        }
        database.assert_forbidden(role, "select bookings_guard()").await;
        database.assert_forbidden(role, "select of_a_later_migration()").await;
    }
}

/// What an older Supabase project looks like before the first migration.
const SUPABASE: &str = "
    create schema extensions;
    create schema auth;
    create table auth.users (id uuid primary key);
    grant usage on schema public, extensions, auth to anon, authenticated, service_role;
    grant create on schema public to public;
    alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
    alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
    alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
    create table of_somebody_else (id int);";

#[test]
fn on_supabase_the_api_roles_are_refused_every_table_sequence_and_function() {
    with_database(Begin::Empty, async |database| {
        let _roles = with_api_roles().await;
        database.run(SUPABASE).await;
        for role in API_ROLES {
            // The fixture bites: what is made without care is open to all the world.
            database.attempt_as(Some(role), "select from of_somebody_else").await.expect("granted by default");
        }
        assert!(!database.migrate().await.is_empty());
        let home = "select extnamespace::regnamespace from pg_extension where extname = 'btree_gist'";
        assert_eq!(database.column(home).await, ["extensions"]);
        for role in API_ROLES {
            // It is not ours, so it is left as it was.
            database.attempt_as(Some(role), "select from of_somebody_else").await.expect("still granted");
        }
        database.run("drop table of_somebody_else").await;
        assert_out_of_reach(database, &API_ROLES).await;
        database.fill().await;
        assert_can_do_its_work(database).await;
        for role in ["anon", "authenticated", "inkflow_app"] {
            database.assert_forbidden(role, "create table public.mine (id int)").await;
        }
    });
}

#[test]
fn on_plain_postgres_roles_that_come_later_are_refused_everything_too() {
    with_database(Begin::Empty, async |database| {
        before_api_roles(async || {
            assert!(!database.migrate().await.is_empty());
        })
        .await;
        assert_out_of_reach(database, &API_ROLES).await;
    });
}

#[test]
fn every_table_has_row_level_security_and_one_policy_for_the_functions() {
    with_database(Begin::Migrated, async |database| {
        let sql = r"select c.relname, c.relrowsecurity, (select count(*) from pg_policy p where p.polrelid = c.oid),
             (select string_agg(r::regrole::text, ',') from pg_policy p, unnest(p.polroles) r where p.polrelid = c.oid)
             from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') order by 1";
        let rows = database.rows(sql).await;
        assert!(rows.len() >= 14, "{rows:?}");
        for row in rows {
            // The list of applied migrations is the operator's alone.
            let (policies, roles) = if row[0] == "refinery_schema_history" { ("0", "") } else { ("1", "inkflow_app") };
            assert_eq!(row[1..], ["t", policies, roles], "{}", row[0]);
        }
    });
}

#[test]
fn the_functions_role_has_exactly_the_privileges_its_work_needs() {
    let expected: BTreeMap<&str, &str> = [
        // What artists set is granted column by column, see below.
        ("artists", "select"),
        ("availability", "select delete"),
        ("time_off", "select delete"),
        ("flashes", "select"),
        ("images", "select"),
        ("bookings", "select insert update"),
        ("booking_events", "select insert"),
        ("payments", "select insert"),
        ("stripe_events", "select insert"),
        ("calcom_events", "select insert"),
        ("calendar_answers", "select insert update delete"),
        ("contact_links", "select insert update delete"),
        ("invitations", "select"),
        ("former_slugs", "select insert update delete"),
        ("outbox", "select insert update"),
        ("email_deliveries", "select insert update"),
        ("hold_endings", "select insert delete"),
        ("ended_sessions", "select insert update delete"),
        ("refunds", "select insert update"),
        ("disputes", "select insert update"),
        ("idempotency_keys", "select insert update delete"),
        ("rate_limits", "select insert update delete"),
        ("reconcilers", "select insert update"),
        ("refinery_schema_history", ""),
    ]
    .into();
    with_database(Begin::Migrated, async |database| {
        let sql = r"select c.relname, (select string_agg(p, ' ' order by n)
                 from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger'])
                     with ordinality as privileges (p, n)
                 where has_table_privilege('inkflow_app', c.oid, p))
             from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')";
        let rows = database.rows(sql).await;
        let actual: BTreeMap<&str, &str> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
        assert_eq!(actual, expected);
        assert_eq!(sequences(database).await, ["booking_events_id_seq"]);
        for function in functions(database).await {
            let may = format!("select has_function_privilege('inkflow_app', '{function}', 'execute')");
            let asked_for = [
                "account",
                "agenda",
                "as_good_as_lapsed",
                "calendar_known",
                "mail_allowance",
                "mail_begin",
                "forget_people",
                "folded",
                "hold_load",
                "hold_room",
                "job_failed",
                "dashboard_todo",
                "dashboard_waiting",
                "dashboard_stats",
            ];
            let name = function.split('(').next().unwrap_or_default();
            let expected = if asked_for.contains(&name) { "t" } else { "f" };
            assert_eq!(database.column(&may).await, [expected], "{function}");
            // It sees what its caller may see, and no more; but for the one that forgets what nobody else may touch.
            let definer = format!("select prosecdef from pg_proc where oid = '{function}'::regprocedure");
            let expected = if name == "forget_people" { "t" } else { "f" };
            assert_eq!(database.column(&definer).await, [expected], "{function}");
        }

        let role = r"select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication,
             exists (select from pg_auth_members where member = r.oid), exists (select from pg_class where relowner = r.oid)
             from pg_roles r where rolname = 'inkflow_app'";
        assert_eq!(database.rows(role).await, [["f"; 7]]);
        let settings = "select unnest(rolconfig) from pg_roles where rolname = 'inkflow_app' order by 1";
        assert_eq!(
            database.column(settings).await,
            ["idle_in_transaction_session_timeout=10s", "lock_timeout=3s", "statement_timeout=5s"]
        );
    });
}

/// The functions' role can hold a slot, and move a booking with its history, its ledger and its jobs.
async fn assert_can_do_its_work(database: &Database) {
    let work = format!(
        r"insert into bookings (id, artist_id, type, scheduled_at, ends_at, acompte_amount, title, policy,
                 project_description, client_name, client_email, client_phone, hold_expires_at, created_at, updated_at)
             select gen_random_uuid(), artist_id, type, ends_at, ends_at + interval '1 hour', 80, title, policy,
                 project_description, client_name, client_email, client_phone, hold_expires_at, now(), now()
             from bookings where id = {HELD};
         update bookings set status = 'confirmed', payment_status = 'paid', hold_expires_at = null, version = 2
             where id = {HELD};
         insert into booking_events (booking_id, at, actor, kind) values ({HELD}, now(), 'stripe', 'confirmed');
         insert into payments select gen_random_uuid(), id, artist_id, 'capture', 8000, 'eur', 'pi_2', 'pi_2', now(), now()
             from bookings where id = {HELD};
         insert into outbox (id, kind, booking_id, dedupe_key, created_at, relay_at)
             values (gen_random_uuid(), 'sync_calendar', {HELD}, 'sync_calendar:2', now(), now());
         update outbox set attempts = attempts + 1;
         insert into stripe_events (id, type, livemode, created_at, received_at, outcome, payload)
             values ('evt_2', 'ping', false, now(), now(), 'ignored', '{{}}');
         delete from rate_limits; delete from idempotency_keys;"
    );
    database.attempt_as(Some("inkflow_app"), &work).await.expect("it is its work");
    let taken = format!(
        r"insert into bookings (id, artist_id, type, scheduled_at, ends_at, acompte_amount, title, policy,
                 project_description, client_name, client_email, client_phone, created_at, updated_at)
             select gen_random_uuid(), artist_id, type, scheduled_at, ends_at, 80, title, policy,
                 project_description, client_name, client_email, client_phone, now(), now()
             from bookings where id = {HELD}"
    );
    let refused = database.attempt_as(Some("inkflow_app"), &taken).await.expect_err("the chair is taken");
    assert_eq!(refused.constraint(), Some("bookings_no_overlap"));
}

#[test]
fn the_functions_role_may_set_only_what_artists_set() {
    let artists = "slug display_name email bio city address address_shown locale timezone pending_mails account_email email_wanted";
    let expected: BTreeMap<String, [String; 2]> = [
        (
            "artists",
            format!("id user_id {artists} created_at updated_at"),
            format!(
                "{artists} hero_image deposit_percent deposit_minimum project_deposit project_duration_minutes \
                 minimum_notice_minutes buffer_minutes slot_step_minutes horizon_days policy_full_refund_hours \
                 policy_late_refund_percent policy_free_moves deposit_nature cal_com_username cal_com_event_type_id \
                 cal_com_api_key cal_com_webhook_secret cal_com_create_at updated_at"
            ),
        ),
        ("availability", "id artist_id weekday opens_minute closes_minute".to_owned(), String::new()),
        ("time_off", "id artist_id starts_at ends_at note".to_owned(), String::new()),
        (
            "flashes",
            "id artist_id title image price deposit duration_minutes repeatable position created_at updated_at"
                .to_owned(),
            "title image price deposit duration_minutes repeatable state position updated_at".to_owned(),
        ),
        (
            "images",
            "id artist_id kind content_type size created_at updated_at".to_owned(),
            "status reason width height updated_at".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(table, insert, update)| (table.to_owned(), [sorted(&insert), sorted(&update)]))
    .collect();
    with_database(Begin::Migrated, async |database| {
        let may = |privilege: &str| {
            format!(
                r#"coalesce((select string_agg(a.attname, ' ' order by a.attname collate "C") from pg_attribute a
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                 and has_column_privilege('inkflow_app', c.oid, a.attnum, '{privilege}')), '')"#
            )
        };
        let sql = format!(
            r"select c.relname, {}, {} from pg_class c where c.relnamespace = 'public'::regnamespace
             and c.relname in ('artists', 'availability', 'time_off', 'flashes', 'images')",
            may("insert"),
            may("update")
        );
        let rows = database.rows(&sql).await;
        let actual: BTreeMap<String, [String; 2]> =
            rows.into_iter().map(|row| (row[0].clone(), [row[1].clone(), row[2].clone()])).collect();
        assert_eq!(actual, expected);
    });
}

fn sorted(names: &str) -> String {
    let mut names: Vec<&str> = names.split_whitespace().collect();
    names.sort_unstable();
    names.join(" ")
}

#[test]
fn the_functions_role_can_do_its_work() {
    with_database(Begin::WithSamples, assert_can_do_its_work);
}

#[test]
fn the_functions_role_can_rewrite_neither_ledger_nor_history_nor_the_schema() {
    with_database(Begin::WithSamples, async |database| {
        for sql in [
            "update payments set amount_cents = 1",
            "delete from payments",
            "truncate payments",
            "update booking_events set kind = 'nothing'",
            "delete from booking_events",
            "update stripe_events set outcome = 'nothing'",
            "delete from stripe_events",
            "update calcom_events set outcome = 'nothing'",
            "delete from calcom_events",
            "delete from bookings",
            "truncate bookings cascade",
            "delete from outbox",
            "delete from email_deliveries",
            // Whose page it is, and where its money goes.
            "update artists set user_id = gen_random_uuid()",
            "update artists set stripe_account_id = 'acct_mine'",
            "update artists set active = true",
            r"insert into artists (id, slug, display_name, email, stripe_account_id)
                 values (gen_random_uuid(), 'mine', 'Mine', 'me@mine.example', 'acct_mine')",
            "delete from artists",
            "update flashes set artist_id = artist_id",
            "delete from flashes",
            "update time_off set note = ''",
            "update availability set weekday = 1",
            "update images set artist_id = artist_id",
            r"insert into images (id, artist_id, kind, content_type, size, status, created_at, updated_at)
                 select gen_random_uuid(), id, 'hero', 'image/png', 1, 'ready', now(), now() from artists",
            "delete from images",
            "delete from reconcilers",
            "select rolpassword from pg_authid",
            "select from refinery_schema_history",
            "alter table bookings disable trigger bookings_guard",
            "alter table payments add column note text",
            "drop table payments",
            "drop policy functions on payments",
            "create table public.mine (id int)",
            "create function public.mine() returns int language sql as 'select 1'",
            "create role mine",
            "select setval('booking_events_id_seq', 1)",
        ] {
            database.assert_forbidden("inkflow_app", sql).await;
        }
        // Without the policy it would see nothing; with it, everything.
        let seen = format!(
            "do $$ begin assert (select count(*) from bookings) = 3 and exists (select from payments where booking_id = {CONFIRMED}); end $$"
        );
        database.attempt_as(Some("inkflow_app"), &seen).await.expect("it reads what it works with");
    });
}
