//! The figures through `handle`, against the ledger and against Stripe, to the cent.

use std::collections::BTreeMap;
use std::time::Duration;

use dashboard_stats::{App, handle};
use dev::demo::{self, LEA, NOA};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::db::Db;
use shared::db::bookings::Reference;
use shared::domain::booking::{Actor, CancelReason};
use shared::domain::policy::Canceller;
use shared::settle;
use testing::{Answer, Held, Plan, World, answer, ask, at, request};

fn app_with(world: &World, db: Db) -> App {
    App { db, auth: world.auth(), clock: world.clock() }
}

async fn ask_stats(world: &World, artist: &demo::Artist) -> Answer {
    let app = app_with(world, world.db());
    let bearer = world.bearer(artist);
    let request = request(Method::GET, "/api/dashboard/stats", &[("authorization", &bearer)], None);
    ask(&world.web(), request, |request| handle(&app, request)).await
}

async fn stats(world: &World, artist: &demo::Artist) -> Value {
    let answer = ask_stats(world, artist).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// Lets time pass until `when`.
fn go_to(world: &World, when: &str) {
    let by = at(when).duration_since(world.now());
    world.advance(Duration::try_from(by).expect("time goes forward"));
}

/// A booking of Noa's that is paid at `when`.
async fn paid_at(world: &World, when: &str, start: &str) -> Held {
    go_to(world, when);
    let held = world.hold(&Plan::of(&NOA, 0, start)).await;
    world.confirm(&held).await;
    held
}

/// Gives money of a booking back at Stripe, now, and tells the booking. No job of ours: as at Stripe's own dashboard.
async fn refund(world: &World, held: &Held, cents: i64) {
    let intent = world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
    let stripe = world.stripe_client();
    let key = u32::try_from(world.stripe.refunds().len()).expect("few") + 1;
    let amount = shared::domain::money::Cents::new(cents);
    let refund = stripe
        .refund(held.id, &intent, amount, shared::domain::job::RefundReason::Cancelled, (1, key), None)
        .await
        .expect("Stripe gives it back");
    let fact = settle::refund_fact(&refund, &intent, world.now());
    let reference = Reference::booking(held.id);
    settle::settle(&world.db(), &reference, None, world.now(), |booking, _| {
        booking.settle(&shared::domain::booking::Facts { refunds: vec![fact.clone()], ..Default::default() })
    })
    .await
    .expect("the database answers");
}

/// What moved at Stripe, by month of Paris: received and given back. From Stripe's own objects and clock.
fn at_stripe(world: &World) -> BTreeMap<String, (i64, i64)> {
    let month = |object: &Value| {
        let created = Timestamp::from_second(object["created"].as_i64().expect("a time")).expect("a time");
        created.to_zoned(TimeZone::get("Europe/Paris").expect("a zone")).strftime("%Y-%m").to_string()
    };
    let mut months: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for charge in world.stripe.charges().iter().filter(|charge| charge["status"] == "succeeded") {
        months.entry(month(charge)).or_default().0 += charge["amount"].as_i64().expect("cents");
    }
    for refund in world.stripe.refunds().iter().filter(|refund| refund["status"] == "succeeded") {
        months.entry(month(refund)).or_default().1 += refund["amount"].as_i64().expect("cents");
    }
    months
}

/// The same by the ledger, a row at a time.
async fn in_the_ledger(world: &World) -> BTreeMap<String, (i64, i64)> {
    let mut months: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in world.rows("select kind, amount_cents, occurred_at from payments", &[]).await {
        let occurred: Timestamp = row["occurred_at"].as_str().expect("a time").parse().expect("a time");
        let month = occurred.to_zoned(TimeZone::get("Europe/Paris").expect("a zone")).strftime("%Y-%m").to_string();
        let (captured, refunded) = months.entry(month).or_default();
        match row["amount_cents"].as_i64().expect("cents") {
            cents if row["kind"] == "capture" => *captured += cents,
            cents => *refunded -= cents,
        }
    }
    months
}

/// The months of a curve in which anything moved.
fn moved(stats: &Value) -> BTreeMap<String, (i64, i64)> {
    let months = stats["curve"].as_array().expect("a curve").iter().map(|month| {
        let cents = |name: &str| month[name].as_i64().expect("cents");
        assert_eq!(cents("revenue_cents"), cents("captured_cents") - cents("refunded_cents"));
        (month["month"].as_str().expect("a month").to_owned(), (cents("captured_cents"), cents("refunded_cents")))
    });
    months.filter(|(_, moved)| *moved != (0, 0)).collect()
}

#[test]
fn the_figures_are_the_ledger_and_stripe_to_the_cent_over_refunds_a_dst_change_and_a_years_end() {
    World::run_at("2026-10-20T08:00:00Z", |world| async move {
        // Summer time ends on Sunday the 25th at one o'clock UTC; November begins in Paris at 23:00 UTC.
        let early = paid_at(world, "2026-10-24T22:30:00Z", "2026-11-10T09:00:00Z").await;
        paid_at(world, "2026-10-25T00:30:00Z", "2026-11-11T09:00:00Z").await;
        paid_at(world, "2026-10-25T01:30:00Z", "2026-11-12T09:00:00Z").await;
        paid_at(world, "2026-10-31T22:59:00Z", "2026-11-13T09:00:00Z").await;
        let november = paid_at(world, "2026-10-31T23:01:00Z", "2026-11-14T09:00:00Z").await;
        refund(world, &early, 1_234).await;
        assert_eq!(stats(world, &NOA).await["month"], "2026-11");
        go_to(world, "2026-11-30T22:59:00Z");
        refund(world, &november, 6_000).await;
        let body = stats(world, &NOA).await;
        assert_eq!(
            (&body["month"], &body["timezone"], &body["currency"]),
            (&json!("2026-11"), &json!("Europe/Paris"), &json!("eur"))
        );
        assert_eq!(body["captured_cents"], 6_000, "one payment fell into November by two minutes");
        assert_eq!(body["refunded_cents"], 7_234);
        assert_eq!(body["revenue_cents"], -1_234);

        // The year ends in Paris an hour before it does in UTC.
        paid_at(world, "2026-12-31T22:30:00Z", "2027-01-20T09:00:00Z").await;
        let january = paid_at(world, "2026-12-31T23:30:00Z", "2027-01-21T09:00:00Z").await;
        refund(world, &january, 1).await;
        go_to(world, "2027-01-02T08:00:00Z");
        let body = stats(world, &NOA).await;
        assert_eq!((&body["month"], &body["revenue_cents"]), (&json!("2027-01"), &json!(5_999)));
        let expected = BTreeMap::from([
            ("2026-10".to_owned(), (24_000, 0)),
            ("2026-11".to_owned(), (6_000, 7_234)),
            ("2026-12".to_owned(), (6_000, 0)),
            ("2027-01".to_owned(), (6_000, 1)),
        ]);
        assert_eq!(moved(&body), expected);
        assert_eq!(in_the_ledger(world).await, expected);
        assert_eq!(at_stripe(world), expected);
        let months: Vec<&str> =
            body["curve"].as_array().expect("a curve").iter().filter_map(|m| m["month"].as_str()).collect();
        assert_eq!(months.len(), 12);
        assert_eq!((months[0], months[11]), ("2026-02", "2027-01"));

        // A year later October is out of sight, and nothing was cut.
        go_to(world, "2027-10-15T08:00:00Z");
        assert_eq!(moved(&stats(world, &NOA).await).keys().collect::<Vec<_>>(), ["2026-11", "2026-12", "2027-01"]);
        assert_eq!(moved(&stats(world, &LEA).await), BTreeMap::new(), "another artist's money is not hers");
    });
}

#[test]
fn what_comes_is_counted_and_not_summed_up_as_revenue() {
    World::run(|world| async move {
        let near = world.hold(&Plan::of(&NOA, 0, "2027-02-02T09:00:00Z")).await;
        world.confirm(&near).await;
        let far = world.hold(&Plan::of(&NOA, 0, "2027-06-02T09:00:00Z")).await;
        world.confirm(&far).await;
        world.hold(&Plan::of(&NOA, 0, "2027-02-03T09:00:00Z").by("other@example.fr")).await;
        let body = stats(world, &NOA).await;
        assert_eq!(
            (&body["upcoming_count"], &body["pending_count"], &body["to_do_count"]),
            (&json!(2), &json!(1), &json!(1))
        );
        assert_eq!((&body["deposits_held_cents"], &body["revenue_cents"]), (&json!(12_000), &json!(12_000)));
        assert_eq!((&body["next"]["id"], &body["next"]["client_name"]), (&json!(near.id), &json!("Jo Martin")));

        // The hold runs out, the first appointment takes place and nobody said so.
        world.advance_minutes(36 * 60);
        let body = stats(world, &NOA).await;
        assert_eq!(
            (&body["upcoming_count"], &body["pending_count"], &body["to_do_count"]),
            (&json!(1), &json!(0), &json!(1))
        );
        assert_eq!(body["deposits_held_cents"], 6_000);
        assert_eq!(body["next"]["id"], json!(far.id));
        assert_eq!(body["no_shows"], json!({ "no_show": 0, "ended": 1 }));

        let reference = |held: &Held| Reference::booking(held.id);
        let now = world.now();
        settle::settle(&world.db(), &reference(&near), None, now, |booking, _| booking.no_show(now))
            .await
            .expect("written");
        settle::settle(&world.db(), &reference(&far), None, now, |booking, _| {
            booking.cancel(CancelReason::Artist, Canceller::Artist, now)
        })
        .await
        .expect("written");
        let body = stats(world, &NOA).await;
        assert_eq!(
            (&body["upcoming_count"], &body["to_do_count"], &body["next"]),
            (&json!(0), &json!(0), &Value::Null)
        );
        assert_eq!(body["deposits_held_cents"], 0);
        assert_eq!(body["no_shows"], json!({ "no_show": 1, "ended": 1 }));
        assert_eq!(body["cancellations"], json!({ "cancelled": 0, "ended": 1 }), "June is not over");
        world.advance(Duration::from_secs(130 * 86_400));
        let body = stats(world, &NOA).await;
        assert_eq!(body["cancellations"], json!({ "cancelled": 1, "ended": 2 }));
        settle::settle(&world.db(), &reference(&near), None, now, |booking, _| {
            booking.complete(Actor::Artist, world.now())
        })
        .await
        .expect("written");
        assert_eq!(stats(world, &NOA).await["no_shows"], json!({ "no_show": 0, "ended": 1 }));
    });
}

#[test]
fn an_empty_account_has_zeros_and_one_without_a_page_is_told_to_make_one() {
    World::run(|world| async move {
        let body = stats(world, &LEA).await;
        for figure in [
            "revenue_cents",
            "captured_cents",
            "refunded_cents",
            "deposits_held_cents",
            "upcoming_count",
            "pending_count",
            "to_do_count",
        ] {
            assert_eq!(body[figure], 0, "{figure}");
        }
        assert_eq!((&body["next"], body["curve"].as_array().map(Vec::len)), (&Value::Null, Some(12)));
        let bearer = format!("Bearer {}", world.supabase.token(uuid::Uuid::now_v7(), "new@example.fr"));
        let app = app_with(world, world.db());
        let asked = request(Method::GET, "/api/dashboard/stats", &[("authorization", &bearer)], None);
        let (status, body) = answer(&world.web(), asked, |request| handle(&app, request)).await;
        assert_eq!(status, 404);
        assert!(body["type"].as_str().is_some_and(|kind| kind.ends_with("#no-artist")), "{body}");
    });
}

#[test]
fn the_month_is_the_artists_own() {
    World::run_at("2026-12-31T23:30:00Z", |world| async move {
        assert_eq!(stats(world, &NOA).await["month"], "2027-01");
        world.execute(&format!("update artists set timezone = 'America/Cayenne' where id = '{}'", NOA.id)).await;
        assert_eq!(stats(world, &NOA).await["month"], "2026-12");
        world.execute(&format!("update artists set timezone = 'Pacific/Kiritimati' where id = '{}'", NOA.id)).await;
        assert_eq!(stats(world, &NOA).await["month"], "2027-01");
    });
}

#[test]
fn the_month_is_that_of_our_own_tables_of_zones_and_not_of_the_server_s() {
    // An instant, and the month of it by rules that are younger than the tables of most systems.
    for (zone, instant, month, today) in [
        ("Africa/Casablanca", "2026-12-31T23:30:00Z", "2026-12", "2026-12-31"),
        ("America/Vancouver", "2027-01-01T07:15:00Z", "2027-01", "2027-01-01"),
        ("America/Winnipeg", "2027-01-01T05:15:00Z", "2027-01", "2027-01-01"),
    ] {
        World::run_at("2026-12-20T08:00:00Z", |world| async move {
            world.execute(&format!("update artists set timezone = '{zone}' where id = '{}'", NOA.id)).await;
            paid_at(world, instant, "2027-01-20T09:00:00Z").await;
            let body = stats(world, &NOA).await;
            assert_eq!((&body["month"], &body["today"]), (&json!(month), &json!(today)), "{zone}");
            assert_eq!(body["captured_cents"], 6_000, "{zone}");
            assert_eq!(moved(&body), BTreeMap::from([(month.to_owned(), (6_000, 0))]), "{zone}");
        });
    }
}

#[test]
fn the_figures_cost_one_flight() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = app_with(world, world.db_through(&wire).await);
        let bearer = world.bearer(&NOA);
        let asked = request(Method::GET, "/api/dashboard/stats", &[("authorization", &bearer)], None);
        let (status, _) = answer(&world.web(), asked, |request| handle(&app, request)).await;
        assert_eq!((status, wire.flights()), (200, 1));
        let asked = request(Method::POST, "/api/dashboard/stats", &[("authorization", &bearer)], None);
        assert_eq!(answer(&world.web(), asked, |request| handle(&app, request)).await.0, 405);
    });
}
