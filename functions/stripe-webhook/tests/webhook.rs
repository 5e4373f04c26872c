//! `POST /api/webhooks/stripe` through `handle`: who is believed, what is recorded, and that no order of arrival, no
//! repetition and no outage of ours makes two effects of one payment, or none.

use std::sync::Arc;
use std::time::Duration;

use dev::aws::Condition;
use dev::demo::NOA;
use dev::stripe::{Outcome, RefundMode};
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::config::Secret;
use shared::domain::booking::CancelReason;
use shared::settle;
use shared::stripe;
use stripe_webhook::{App, handle};
use testing::{self, Answer, Held, PUBLIC_URL, Plan, World, stripe_event};

const SECRET: &str = dev::stripe::WEBHOOK_SECRET;

fn app(world: &World) -> App {
    App {
        db: world.db(),
        queue: world.queue(),
        secrets: Arc::new([Secret::new(SECRET.into())]),
        livemode: false,
        clock: world.clock(),
    }
}

async fn deliver_to(app: &App, world: &World, payload: &str) -> Answer {
    let request = stripe_event(payload, SECRET, world.now());
    testing::ask(&world.web(), request, |request| handle(app, request)).await
}

async fn deliver(world: &World, payload: &str) -> Answer {
    deliver_to(&app(world), world, payload).await
}

/// Delivers and gives what came of it.
async fn outcome(world: &World, payload: &str) -> String {
    let answer = deliver(world, payload).await;
    assert_eq!((answer.status, &answer.body["received"]), (200, &json!(true)), "{:?}", answer.body);
    answer.body["outcome"].as_str().expect("an outcome").to_owned()
}

/// The newest event of a kind, exactly as Stripe would send it.
fn event(world: &World, kind: &str) -> String {
    let events = world.stripe.events();
    let event = events.iter().rev().find(|event| event["type"] == kind);
    let event = event.unwrap_or_else(|| {
        panic!("no {kind} among {:?}", events.iter().map(|event| &event["type"]).collect::<Vec<_>>())
    });
    world.stripe.event_payload(event["id"].as_str().expect("an id")).expect("the event")
}

/// The same event with another id: Stripe may describe one fact twice.
fn altered(payload: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(payload).expect("JSON");
    change(&mut event);
    event.to_string()
}

/// A payment of which no session is known: the stand-in would not take it any more.
fn payment(held: &Held, payment_intent: &str, cents: i64) -> String {
    json!({
        "id": format!("evt_of_{payment_intent}"), "object": "event", "type": "payment_intent.succeeded", "livemode": false,
        "api_version": "2026-09-30.endive", "created": 1_801_000_000, "pending_webhooks": 1, "request": null,
        "data": { "object": {
            "id": payment_intent, "object": "payment_intent", "amount": cents, "amount_received": cents, "currency": "eur",
            "status": "succeeded", "metadata": { "booking_id": held.id() },
        } },
    })
    .to_string()
}

async fn state(world: &World, held: &Held) -> [String; 2] {
    let row = world.booking(&held.id()).await;
    ["status", "payment_status"].map(|fact| row[fact].as_str().expect("a word").to_owned())
}

fn captured(cents: i64) -> Vec<(String, i64)> {
    vec![("capture".to_owned(), cents)]
}

mod believed {
    use super::*;

    async fn answered(world: &World, secrets: &[&str], header: &str, payload: &str) -> Answer {
        let secrets = secrets.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
        let app = App { secrets, ..app(world) };
        let headers: Vec<(&str, &str)> =
            [("stripe-signature", header)].into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let request = testing::request(Method::POST, "/api/webhooks/stripe", &headers, Some(payload.to_owned()));
        testing::ask(&world.web(), request, |request| handle(&app, request)).await
    }

    #[test]
    fn an_event_without_a_true_signature_is_refused_and_changes_nothing() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            let now = world.now().as_second();
            let good = dev::stripe::sign(&payload, SECRET, now);
            let (_, hex) = good.split_once("v1=").expect("a signature");
            for header in [
                String::new(),
                "nonsense".to_owned(),
                format!("t={now}"),
                format!("v1={hex}"),
                format!("t={now},v1={}", "0".repeat(64)),
                format!("t={now},v0={hex}"),
                format!("t={},v1={hex}", now + 1),
                // True, but five minutes old, or from five minutes ahead.
                dev::stripe::sign(&payload, SECRET, now - 302),
                dev::stripe::sign(&payload, SECRET, now + 302),
                dev::stripe::sign(&payload, "whsec_Other4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aB", now),
                dev::stripe::sign(&format!("{payload} "), SECRET, now),
            ] {
                let answer = answered(world, &[SECRET], &header, &payload).await;
                assert_eq!((answer.status, answer.problem()), (401, "unauthenticated"), "{header}");
            }
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            assert_eq!(world.count("stripe_events").await, 0);
            logs.raise("stripe-webhook", "webhook-not-believed");
        });
    }

    #[test]
    fn who_says_to_be_the_operators_probe_is_believed_no_more_than_others() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            let app = app(world);
            let probe = dev::stripe::sign(stripe::PROBE, SECRET, world.now().as_second());
            for signature in ["", &*probe] {
                let headers = [("stripe-signature", signature), (stripe::PROBE_HEADER, &*probe)];
                let request = testing::request(Method::POST, "/api/webhooks/stripe", &headers, Some(payload.clone()));
                let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
                assert_eq!((answer.status, answer.problem()), (401, "unauthenticated"));
            }
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            assert_eq!(world.count("stripe_events").await, 0);
        });
    }

    #[test]
    fn while_a_secret_is_rotated_both_are_believed() {
        World::run(|world| async move {
            const OLD: &str = "whsec_Old4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aBcD";
            const NEW: &str = "whsec_New4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aBcD";
            for (number, signer) in [OLD, NEW].into_iter().enumerate() {
                let payload = json!({ "id": format!("evt_{number}"), "type": "ping", "livemode": false, "created": 1, "data": { "object": {} } });
                let payload = payload.to_string();
                let header = dev::stripe::sign(&payload, signer, world.now().as_second());
                assert_eq!(answered(world, &[OLD, NEW], &header, &payload).await.status, 200);
                assert_eq!(answered(world, &[SECRET], &header, &payload).await.status, 401);
            }
        });
    }

    #[test]
    fn before_stripe_has_an_endpoint_nobody_is_believed() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            // Neither the words that have stood here, nor the word for none, nor nothing at all signs anything.
            for word in ["whsec_later", shared::stripe::NO_WEBHOOK_SECRET, ""] {
                let header = dev::stripe::sign(&payload, word, world.now().as_second());
                assert_eq!(answered(world, &[], &header, &payload).await.status, 401, "{word:?}");
            }
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
        });
    }

    #[test]
    fn a_body_in_base64_is_verified_over_its_bytes() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "payment_intent.succeeded");
            assert!(!payload.is_ascii() || payload.contains("Dague"), "it carries the title");
            let signature = dev::stripe::sign(&payload, SECRET, world.now().as_second());
            let headers = [("stripe-signature", signature.as_str())];
            let request = testing::in_base64(Method::POST, "/api/webhooks/stripe", &headers, &payload);
            let app = app(world);
            let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            assert_eq!((answer.status, &answer.body["outcome"]), (200, &json!("confirmed")));
        });
    }

    /// Field failure F24.
    #[test]
    fn an_event_of_the_other_mode_is_taken_and_ignored() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let live = altered(&event(world, "checkout.session.completed"), |event| event["livemode"] = json!(true));
            assert_eq!(outcome(world, &live).await, "other_mode");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            assert_eq!(world.count("stripe_events").await, 0);
        });
    }

    #[test]
    fn an_event_nobody_listens_to_is_taken() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            for kind in ["payment_intent.created", "charge.succeeded"] {
                assert_eq!(outcome(world, &event(world, kind)).await, "ignored");
            }
            let unheard_of =
                altered(&event(world, "charge.succeeded"), |event| event["type"] = json!("galaxy.collided"));
            assert_eq!(outcome(world, &unheard_of).await, "ignored");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
        });
    }

    #[test]
    fn what_is_signed_but_no_event_is_malformed() {
        World::run(|world| async move {
            for payload in ["", "{}", "[]", "null", "{\"id\":\"evt_1\"}", "\u{0}"] {
                let answer = deliver(world, payload).await;
                assert_eq!((answer.status, answer.problem()), (400, "malformed"), "{payload:?}");
            }
        });
    }

    /// Sent again it would be no better: it is put before the operator, and the sweeper steps over it.
    #[test]
    fn an_event_whose_object_is_not_what_its_version_promises_is_recorded_for_somebody_to_look_at() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "payment_intent.succeeded");
            let broken = altered(&payload, |event| {
                event["id"] = json!("evt_broken");
                event["data"]["object"] = json!({ "object": "payment_intent" });
            });
            assert_eq!(outcome(world, &broken).await, "unreadable");
            let without_object = altered(&payload, |event| {
                event["id"] = json!("evt_without");
                event["data"] = Value::Null;
            });
            assert_eq!(outcome(world, &without_object).await, "unreadable");
            let rows = world.rows("select id, outcome from stripe_events order by id", &[]).await;
            assert_eq!(
                rows,
                [
                    json!({ "id": "evt_broken", "outcome": "unreadable" }),
                    json!({ "id": "evt_without", "outcome": "unreadable" })
                ]
            );
            assert_eq!(outcome(world, &payload).await, "confirmed");
            logs.raise("stripe-webhook", "event-unreadable");
        });
    }

    #[test]
    fn a_thin_event_is_taken_and_lets_the_sweeper_look_soon() {
        World::run(|world| async move {
            world
                .execute("insert into reconcilers (name, due_at) values ('stripe_events', '2027-02-01T12:00:00Z')")
                .await;
            for kind in [
                "v1.charge.dispute.created",
                "v2.core.event_destination.ping",
                "v1.billing.meter.error_report_triggered",
            ] {
                let thin = json!({
                    "id": format!("evt_thin_{kind}"), "object": "v2.core.event", "type": kind, "livemode": false,
                    "created": "2027-02-01T08:00:00.000Z", "context": null, "reason": null, "snapshot_event": null,
                    "related_object": { "id": "du_1", "type": "dispute", "url": "/v1/disputes/du_1" },
                });
                assert_eq!(outcome(world, &thin.to_string()).await, "thin", "{kind}");
            }
            let due = world.rows("select due_at < '2027-02-01T12:00:00Z' as soon from reconcilers", &[]).await;
            assert_eq!(due, [json!({ "soon": true })]);
            assert_eq!(world.count("stripe_events").await, 3);
        });
    }

    #[test]
    fn an_event_of_another_account_changes_nothing() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let foreign = altered(&event(world, "checkout.session.completed"), |event| {
                event["id"] = json!("evt_foreign");
                event["account"] = json!("acct_someoneelse");
            });
            assert_eq!(outcome(world, &foreign).await, "other_account");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            assert_eq!(world.ledger(&held.id()).await, []);
            // The other way about: a booking of an artist's own account, and the platform's event.
            world
                .execute(&format!("update bookings set stripe_account_id = 'acct_artist' where id = '{}'", held.id))
                .await;
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "other_account");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            let own =
                altered(&event(world, "payment_intent.succeeded"), |event| event["account"] = json!("acct_artist"));
            assert_eq!(outcome(world, &own).await, "confirmed");
        });
    }

    #[test]
    fn a_session_that_asked_for_nothing_pays_nothing_and_keeps_no_slot() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let before = world.booking(&held.id()).await;
            let free = altered(&event(world, "checkout.session.completed"), |event| {
                event["data"]["object"]["payment_status"] = json!("no_payment_required");
                event["data"]["object"]["amount_total"] = json!(0);
                event["data"]["object"]["payment_intent"] = Value::Null;
            });
            assert_eq!(outcome(world, &free).await, "nothing_asked");
            assert_eq!(world.booking(&held.id()).await, before);
        });
    }

    #[test]
    fn other_methods_and_bodies_beyond_measure_are_refused() {
        World::run(|world| async move {
            let app = app(world);
            for method in [Method::GET, Method::PUT] {
                let request = testing::request(method, "/api/webhooks/stripe", &[], None);
                assert_eq!(testing::ask(&world.web(), request, |request| handle(&app, request)).await.status, 405);
            }
            let answer = deliver(world, &" ".repeat(1024 * 1024 + 1)).await;
            assert_eq!((answer.status, answer.problem()), (413, "payload-too-large"));
        });
    }
}

mod a_payment {
    use super::*;

    #[test]
    fn a_completed_checkout_confirms_its_booking() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            let payment_intent = world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            assert_eq!(outcome(world, &payload).await, "confirmed");

            let row = world.booking(&held.id()).await;
            let facts = [
                "status",
                "payment_status",
                "acompte_paid",
                "hold_expires_at",
                "cancel_reason",
                "payment_problem",
                "version",
            ];
            assert_eq!(
                facts.map(|fact| row[fact].clone()),
                [json!("confirmed"), json!("paid"), json!(true), Value::Null, Value::Null, Value::Null, json!(2)]
            );
            assert_eq!(row["stripe_payment_intent_id"], payment_intent);
            assert_ne!(row["confirmed_at"], Value::Null);
            assert_eq!(row["client_origin"], Value::Null, "the hash of the address is forgotten with the hold");
            assert_eq!(world.history(&held.id()).await, ["client held", "stripe payment_received", "system confirmed"]);
            assert_eq!(world.ledger(&held.id()).await, captured(6_000));
            assert_eq!(
                world.jobs().await,
                ["artist_pending", "sync_calendar", "sync_calendar", "artist_confirmed", "client_confirmed"]
            );
            let recorded =
                world.rows("select id, type, livemode, booking_id, outcome, payload from stripe_events", &[]).await;
            let sent: Value = serde_json::from_str(&payload).expect("JSON");
            assert_eq!(recorded.len(), 1);
            assert_eq!((&recorded[0]["id"], &recorded[0]["outcome"]), (&sent["id"], &json!("confirmed")));
            // Which, what of and how much, and nothing of the person who paid.
            let session = &sent["data"]["object"];
            assert_eq!(session["customer_details"]["email"], "jo@example.fr");
            let kept = json!({
                "id": session["id"], "object": "checkout.session", "status": "complete", "currency": "eur",
                "amount_total": 6_000, "payment_intent": session["payment_intent"], "trimmed": true,
            });
            assert_eq!((&recorded[0]["booking_id"], &recorded[0]["payload"]), (&json!(held.id), &kept));
        });
    }

    #[test]
    fn a_payment_without_its_session_confirms_the_same() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            assert_eq!(outcome(world, &event(world, "payment_intent.succeeded")).await, "confirmed");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!(world.ledger(&held.id()).await, captured(6_000));
        });
    }

    #[test]
    fn its_jobs_are_in_the_queue_when_it_is_answered() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            outcome(world, &event(world, "checkout.session.completed")).await;
            assert_eq!(world.receive().await["Records"].as_array().map(Vec::len), Some(3));
        });
    }

    /// Field failure F7.
    #[test]
    fn news_that_overtakes_our_own_note_of_the_page_is_believed() {
        World::run(|world| async move {
            let (id, jobs) = world.hold_unopened(&Plan::default()).await;
            let hold = world.stored_hold(id).await;
            let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
            let session = world.stripe_client().open_checkout(&checkout).await.expect("opened").id;
            let held = Held { id, session, jobs };
            world.pay(&held);
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "confirmed");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    /// Field failure F4.
    #[test]
    fn after_the_hold_has_lapsed_and_before_anybody_released_it_counts() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            world.advance_minutes(45);
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "confirmed");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    /// Field failure F8, F16.
    #[test]
    fn a_declined_card_ends_nothing_and_the_next_card_confirms() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::Declined).expect("open");
            assert_eq!(outcome(world, &event(world, "payment_intent.payment_failed")).await, "declined");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            assert_eq!(world.history(&held.id()).await, ["client held", "stripe payment_declined"]);
            assert_eq!(world.jobs().await, ["artist_pending", "sync_calendar"], "nobody is bothered with it");

            world.pay(&held);
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "confirmed");
            // The failure may arrive after the success.
            let late = altered(&event(world, "payment_intent.payment_failed"), |event| event["id"] = json!("evt_late"));
            assert_eq!(outcome(world, &late).await, "declined");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    /// Field failure F9.
    #[test]
    fn a_bank_that_thinks_keeps_the_slot_until_it_says_yes() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::PaidLater).expect("open");
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "payment_processing");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            let until = world.booking(&held.id()).await["hold_expires_at"].as_str().expect("an end").to_owned();
            assert!(until.starts_with("2027-02-08"), "a week: {until}");
            assert_eq!(world.jobs().await.len(), 2, "nobody is told that it is paid");

            world.stripe.settle(&held.session, true).expect("under way");
            assert_eq!(outcome(world, &event(world, "checkout.session.async_payment_succeeded")).await, "confirmed");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!(outcome(world, &event(world, "payment_intent.succeeded")).await, "already_applied");
        });
    }

    /// Field failure F9.
    #[test]
    fn a_bank_that_says_no_in_the_end_gives_the_slot_back() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::PaidLater).expect("open");
            outcome(world, &event(world, "checkout.session.completed")).await;
            world.stripe.settle(&held.session, false).expect("under way");
            assert_eq!(outcome(world, &event(world, "payment_intent.payment_failed")).await, "declined");
            assert_eq!(outcome(world, &event(world, "checkout.session.async_payment_failed")).await, "released");
            let row = world.booking(&held.id()).await;
            assert_eq!((&row["status"], &row["cancel_reason"]), (&json!("cancelled"), &json!("payment_failed")));
            world.hold(&Plan::default().by("next@example.fr")).await;
        });
    }

    #[test]
    fn two_flights_to_the_database_are_enough() {
        World::run(|world| async move {
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let completed = event(world, "checkout.session.completed");
            let orphan = altered(&completed, |event| {
                event["id"] = json!("evt_orphan");
                event["data"]["object"]["metadata"] = json!({});
                event["data"]["object"]["client_reference_id"] = Value::Null;
                event["data"]["object"]["payment_intent"] = json!("pi_nobody");
            });
            for (payload, outcome, flights) in [
                (&completed, "confirmed", 2),
                (&event(world, "payment_intent.succeeded"), "already_applied", 2),
                (&completed, "known_event", 1),
                (&orphan, "unknown_booking", 2),
                (&event(world, "charge.succeeded"), "ignored", 0),
            ] {
                wire.reset();
                assert_eq!(deliver_to(&app, world, payload).await.body["outcome"], outcome);
                assert_eq!(wire.flights(), flights, "{outcome}");
            }
        });
    }
}

#[test]
fn no_log_line_holds_the_payer_the_secret_or_the_page() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        let held = world.hold(&Plan::default()).await;
        world.stripe.pay(&held.session, Outcome::Declined).expect("open");
        world.pay(&held);
        for kind in ["payment_intent.payment_failed", "checkout.session.completed", "payment_intent.succeeded"] {
            outcome(world, &event(world, kind)).await;
        }
        let stranger = altered(&event(world, "checkout.session.completed"), |event| {
            event["id"] = json!("evt_stranger");
            event["data"]["object"]["metadata"] = json!({});
            event["data"]["object"]["client_reference_id"] = json!("jo@example.fr");
            event["data"]["object"]["payment_intent"] = json!("pi_stranger");
        });
        outcome(world, &stranger).await;
        let broken = altered(&event(world, "charge.succeeded"), |event| {
            event["id"] = json!("evt_broken");
            event["type"] = json!("payment_intent.succeeded");
            event["data"]["object"] = json!({ "id": "pi_broken", "metadata": "Jo Martin" });
        });
        assert_eq!(outcome(world, &broken).await, "unreadable");
        logs.hold_nothing_of(&["jo@example", "Martin", "33612345678", SECRET, "sk_test", "/c/pay/"]);
    });
}

mod not_as_asked {
    use super::*;

    #[test]
    fn another_amount_or_currency_confirms_nothing_and_keeps_the_slot_for_a_person_to_look() {
        World::run(|world| async move {
            for (start, field, value) in [
                ("2027-02-02T09:00:00Z", "amount_total", json!(5_999)),
                ("2027-02-02T11:00:00Z", "amount_total", json!(600_000)),
                ("2027-02-02T13:00:00Z", "currency", json!("usd")),
            ] {
                let held = world.hold(&Plan::of(&NOA, 0, start)).await;
                world.pay(&held);
                let payload = altered(&event(world, "checkout.session.completed"), |event| {
                    event["data"]["object"][field] = value;
                });
                assert_eq!(outcome(world, &payload).await, "mismatch");
                let row = world.booking(&held.id()).await;
                let facts = ["status", "payment_status", "acompte_paid", "payment_problem", "hold_expires_at"];
                assert_eq!(
                    facts.map(|fact| row[fact].clone()),
                    [json!("pending"), json!("unpaid"), json!(false), json!("mismatch"), Value::Null]
                );
                assert_eq!(world.jobs().await.last().map(String::as_str), Some("artist_payment_problem"));
                // The other event of the same payment changes nothing any more.
                assert_eq!(outcome(world, &event(world, "payment_intent.succeeded")).await, "already_applied");
                assert_eq!(world.ledger(&held.id()).await.len(), 1);
            }
            assert!(!world.jobs().await.contains(&"client_confirmed".to_owned()));
        });
    }

    #[test]
    fn a_second_payment_of_one_booking_goes_back() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            assert_eq!(outcome(world, &payment(&held, "pi_second", 6_000)).await, "duplicate");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"], "the first one stands");
            let row = world.booking(&held.id()).await;
            assert_eq!(row["payment_problem"], "duplicate");
            assert_ne!(row["stripe_payment_intent_id"], "pi_second");
            assert_eq!(world.ledger(&held.id()).await, [captured(6_000), captured(6_000)].concat());
            let refund = world.rows("select args from outbox where kind = 'refund'", &[]).await;
            assert_eq!(refund.len(), 1);
            let args = &refund[0]["args"];
            assert_eq!(
                (&args["payment_intent"], &args["amount"], &args["reason"]),
                (&json!("pi_second"), &json!(6_000), &json!("duplicate"))
            );
        });
    }

    /// Field failure F5.
    #[test]
    fn a_booking_of_nobody_is_recorded_for_somebody_to_look_at() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "payment_intent.succeeded");
            for (number, metadata) in [
                json!({}),
                json!({ "booking_id": "01a20000-0000-7000-8000-000000000000" }),
                json!({ "booking_id": "order 7" }),
            ]
            .into_iter()
            .enumerate()
            {
                let stranger = altered(&payload, |event| {
                    event["id"] = json!(format!("evt_stranger_{number}"));
                    event["data"]["object"]["id"] = json!("pi_stranger");
                    event["data"]["object"]["metadata"] = metadata;
                });
                assert_eq!(outcome(world, &stranger).await, "unknown_booking");
                assert_eq!(outcome(world, &stranger).await, "unknown_booking", "again");
            }
            let recorded = world
                .rows("select outcome, booking_id, payload->>'id' as pi from stripe_events order by id", &[])
                .await;
            assert_eq!(
                recorded,
                vec![json!({ "outcome": "unknown_booking", "booking_id": null, "pi": "pi_stranger" }); 3]
            );
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            logs.raise("stripe-webhook", "webhook-unknown");
        });
    }
}

mod too_late {
    use super::*;

    /// A hold that was released, as the sweeper does.
    async fn released(world: &World, reason: CancelReason) -> Held {
        let held = world.hold(&Plan::default()).await;
        world.advance_minutes(31);
        let hold = world.stored_hold(held.id).await;
        settle::close(&world.db(), &world.stripe_client(), &hold, PUBLIC_URL, reason, world.now())
            .await
            .expect("closed");
        held
    }

    /// Field failure F4.
    #[test]
    fn money_for_a_released_slot_that_is_still_free_brings_the_booking_back() {
        World::run(|world| async move {
            let held = released(world, CancelReason::HoldExpired).await;
            assert_eq!(outcome(world, &payment(&held, "pi_late", 6_000)).await, "revived");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            let row = world.booking(&held.id()).await;
            assert_eq!((&row["cancel_reason"], &row["cancelled_at"]), (&Value::Null, &Value::Null));
            let jobs = world.jobs().await;
            assert_eq!(&jobs[3..], ["sync_calendar", "artist_confirmed", "client_confirmed"]);
        });
    }

    /// Field failure F4.
    #[test]
    fn money_for_a_slot_that_is_gone_goes_back_whole() {
        World::run(|world| async move {
            let held = released(world, CancelReason::HoldExpired).await;
            let next = world.hold(&Plan::default().by("next@example.fr")).await;
            assert_eq!(outcome(world, &payment(&held, "pi_late", 6_000)).await, "refunded_late");
            assert_eq!(state(world, &held).await, ["cancelled", "refund_pending"]);
            assert_eq!(state(world, &next).await, ["pending", "unpaid"], "the next one is not disturbed");
            let refund = world.rows("select args from outbox where kind = 'refund'", &[]).await;
            assert_eq!((&refund[0]["args"]["amount"], &refund[0]["args"]["reason"]), (&json!(6_000), &json!("late")));
            assert!(!world.jobs().await.contains(&"client_confirmed".to_owned()));
        });
    }

    /// Field failure F4.
    #[test]
    fn money_for_a_unique_flash_that_is_gone_goes_back() {
        World::run(|world| async move {
            let held = world.hold(&Plan::of(&NOA, 1, "2027-02-02T09:00:00Z")).await;
            world.advance_minutes(31);
            let hold = world.stored_hold(held.id).await;
            settle::close(
                &world.db(),
                &world.stripe_client(),
                &hold,
                PUBLIC_URL,
                CancelReason::HoldExpired,
                world.now(),
            )
            .await
            .expect("closed");
            world.hold(&Plan::of(&NOA, 1, "2027-02-04T09:00:00Z").by("next@example.fr")).await;
            assert_eq!(outcome(world, &payment(&held, "pi_late", 8_500)).await, "refunded_late");
        });
    }

    /// Field failure F4.
    #[test]
    fn money_that_comes_after_the_appointment_goes_back() {
        World::run(|world| async move {
            let held = released(world, CancelReason::HoldExpired).await;
            world.advance_minutes(2 * 24 * 60);
            assert_eq!(outcome(world, &payment(&held, "pi_late", 6_000)).await, "refunded_late");
        });
    }

    /// Field failure F10.
    #[test]
    fn money_for_a_booking_that_a_person_called_off_never_brings_it_back() {
        World::run(|world| async move {
            let held = released(world, CancelReason::Client).await;
            assert_eq!(outcome(world, &payment(&held, "pi_late", 6_000)).await, "refunded_late");
            assert_eq!(state(world, &held).await, ["cancelled", "refund_pending"]);
        });
    }

    #[test]
    fn a_late_payment_of_another_amount_goes_back_as_it_came() {
        World::run(|world| async move {
            let held = released(world, CancelReason::HoldExpired).await;
            assert_eq!(outcome(world, &payment(&held, "pi_late", 4_200)).await, "refunded_late");
            let refund = world.rows("select args from outbox where kind = 'refund'", &[]).await;
            assert_eq!(refund[0]["args"]["amount"], 4_200);
        });
    }

    #[test]
    fn every_late_payment_goes_back_once() {
        World::run(|world| async move {
            let held = released(world, CancelReason::Client).await;
            for payment_intent in ["pi_one", "pi_two"] {
                let payload = payment(&held, payment_intent, 6_000);
                assert_eq!(outcome(world, &payload).await, "refunded_late");
                let again = altered(&payload, |event| event["id"] = json!(format!("evt_again_{payment_intent}")));
                assert_eq!(outcome(world, &again).await, "already_applied");
            }
            assert_eq!(world.jobs().await.iter().filter(|job| *job == "refund").count(), 2);
        });
    }
}

mod the_page {
    use super::*;

    #[test]
    fn the_page_that_expires_gives_the_slot_back() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::Expire).expect("open");
            assert_eq!(outcome(world, &event(world, "checkout.session.expired")).await, "released");
            let row = world.booking(&held.id()).await;
            assert_eq!((&row["status"], &row["cancel_reason"]), (&json!("cancelled"), &json!("hold_expired")));
            assert_eq!(world.history(&held.id()).await, ["client held", "stripe hold_expired"]);
            assert_eq!(world.jobs().await, ["artist_pending", "sync_calendar", "sync_calendar"]);
            world.hold(&Plan::default().by("next@example.fr")).await;
        });
    }

    #[test]
    fn the_page_that_expires_after_the_payment_changes_nothing() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::Expire).expect("open");
            let expired = event(world, "checkout.session.expired");
            assert_eq!(outcome(world, &payment(&held, "pi_first", 6_000)).await, "confirmed");
            assert_eq!(outcome(world, &expired).await, "not_a_hold");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    #[test]
    fn the_page_of_an_attempt_that_nobody_was_told_of_may_expire_without_harm() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::Expire).expect("open");
            let other = altered(&event(world, "checkout.session.expired"), |event| {
                event["data"]["object"]["id"] = json!("cs_test_of_a_lost_answer");
            });
            assert_eq!(outcome(world, &other).await, "other_session");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
        });
    }
}

mod given_back_or_contested {
    use super::*;

    #[test]
    fn a_refund_at_stripes_own_dashboard_is_read_by_a_job() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            let payment_intent =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            world
                .stripe_client()
                .refund(
                    held.id,
                    &payment_intent,
                    shared::domain::money::Cents::new(6_000),
                    shared::domain::job::RefundReason::Cancelled,
                    (1, 1),
                    None,
                )
                .await
                .expect("refunded");
            assert_eq!(outcome(world, &event(world, "charge.refunded")).await, "refunds_to_read");
            assert_eq!(world.jobs().await.last().map(String::as_str), Some("settle_payment"));
            assert_eq!(world.ledger(&held.id()).await, captured(6_000), "the charge names no refund");
        });
    }

    /// Field failure F12, F13.
    #[test]
    fn a_refund_that_fails_is_known_and_somebody_is_told() {
        World::run(|world| async move {
            world.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            let payment_intent =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let refund = world
                .stripe_client()
                .refund(
                    held.id,
                    &payment_intent,
                    shared::domain::money::Cents::new(6_000),
                    shared::domain::job::RefundReason::Cancelled,
                    (1, 1),
                    None,
                )
                .await
                .expect("refunded");
            world.stripe.fail_refund(&refund.id, "lost_or_stolen_card").expect("pending");
            assert_eq!(outcome(world, &event(world, "refund.failed")).await, "refunds_to_read");
            world.read_payment(&held, &payment_intent).await;
            let entries = world.ledger(&held.id()).await;
            assert_eq!(entries.iter().map(|(_, cents)| cents).sum::<i64>(), 6_000, "{entries:?}");
            let row = world.booking(&held.id()).await;
            assert_eq!(row["payment_problem"], "refund_failed");
            let jobs = world.jobs().await;
            assert!(
                ["artist_payment_problem", "client_refund_failed"]
                    .iter()
                    .all(|mail| jobs.iter().any(|job| job == mail))
            );
        });
    }

    /// Field failure F23.
    #[test]
    fn a_dispute_is_flagged_and_nothing_is_called_off() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            let payment_intent =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let dispute = world.stripe.dispute(&payment_intent, "fraudulent").expect("a payment");
            assert_eq!(outcome(world, &event(world, "charge.dispute.created")).await, "dispute_to_read");
            assert_eq!(world.jobs().await.last().map(String::as_str), Some("settle_payment"));
            world.read_payment(&held, &payment_intent).await;
            assert_eq!(state(world, &held).await, ["confirmed", "disputed"]);
            assert_eq!(world.jobs().await.last().map(String::as_str), Some("artist_payment_problem"));
            world.stripe.close_dispute(&dispute, true).expect("open");
            assert_eq!(outcome(world, &event(world, "charge.dispute.closed")).await, "dispute_to_read");
            world.read_payment(&held, &payment_intent).await;
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            let moved = [("dispute_withdrawn", -6_000), ("dispute_reinstated", 6_000)]
                .map(|(kind, cents)| (kind.to_owned(), cents));
            assert_eq!(world.ledger(&held.id()).await, [captured(6_000), moved.to_vec()].concat());
            logs.raise("stripe-webhook", "payment-disputed");
        });
    }

    /// Field failure F23.
    #[test]
    fn a_lost_dispute_leaves_the_ledger() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            let payment_intent =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let dispute = world.stripe.dispute(&payment_intent, "fraudulent").expect("a payment");
            world.stripe.close_dispute(&dispute, false).expect("open");
            assert_eq!(outcome(world, &event(world, "charge.dispute.closed")).await, "dispute_to_read");
            world.read_payment(&held, &payment_intent).await;
            assert_eq!(state(world, &held).await, ["confirmed", "lost"]);
            assert_eq!(
                world.ledger(&held.id()).await,
                [captured(6_000), vec![("dispute_withdrawn".to_owned(), -6_000)]].concat()
            );
        });
    }
}

mod again_and_in_any_order {
    use super::*;

    #[test]
    fn a_second_delivery_of_an_event_sends_no_second_mail() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            assert_eq!(outcome(world, &payload).await, "confirmed");
            let before = (world.jobs().await, world.history(&held.id()).await, world.booking(&held.id()).await);
            for _ in 0..3 {
                assert_eq!(outcome(world, &payload).await, "known_event");
            }
            assert_eq!((world.jobs().await, world.history(&held.id()).await, world.booking(&held.id()).await), before);
            assert_eq!((world.count("stripe_events").await, world.count("payments").await), (1, 1));
        });
    }

    #[test]
    fn two_events_of_one_payment_are_one_confirmation() {
        World::run(|world| async move {
            for (start, first, second) in [
                ("2027-02-02T09:00:00Z", "checkout.session.completed", "payment_intent.succeeded"),
                ("2027-02-02T11:00:00Z", "payment_intent.succeeded", "checkout.session.completed"),
            ] {
                let held = world.hold(&Plan::of(&NOA, 0, start)).await;
                world.pay(&held);
                assert_eq!(outcome(world, &event(world, first)).await, "confirmed");
                assert_eq!(outcome(world, &event(world, second)).await, "already_applied");
                assert_eq!(world.ledger(&held.id()).await, captured(6_000));
                assert_eq!(
                    world.history(&held.id()).await,
                    ["client held", "stripe payment_received", "system confirmed"]
                );
            }
            let jobs = world.jobs().await;
            assert_eq!(jobs.iter().filter(|job| *job == "client_confirmed").count(), 2);
            assert_eq!(world.count("stripe_events").await, 4);
        });
    }

    /// Field failure F7.
    #[test]
    fn eight_deliveries_at_once_are_one_effect() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let completed = event(world, "checkout.session.completed");
            let succeeded = event(world, "payment_intent.succeeded");
            // Eight sandboxes, each with its own connection; four bring one event and four the other.
            let mut under_way = Vec::new();
            for number in 0..8 {
                let payload = if number % 2 == 0 { completed.clone() } else { succeeded.clone() };
                under_way.push(tokio::spawn(async move {
                    let app = app(world);
                    app.db.warm_up().await;
                    deliver_to(&app, world, &payload).await
                }));
            }
            let mut outcomes = Vec::new();
            for answer in under_way {
                let answer = answer.await.expect("no panic");
                assert_eq!(answer.status, 200, "{:?}", answer.body);
                outcomes.push(answer.body["outcome"].as_str().expect("an outcome").to_owned());
            }
            assert_eq!(outcomes.iter().filter(|outcome| *outcome == "confirmed").count(), 1, "{outcomes:?}");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!((world.count("stripe_events").await, world.ledger(&held.id()).await), (2, captured(6_000)));
            assert_eq!(
                world.jobs().await,
                ["artist_pending", "sync_calendar", "sync_calendar", "artist_confirmed", "client_confirmed"]
            );
        });
    }

    /// Field failure F7.
    #[test]
    fn a_payment_and_its_refund_end_in_the_same_books_whatever_comes_first() {
        World::run(|world| async move {
            world.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
            let mut starts = Vec::new();
            for day in 2..=6 {
                starts.extend([8, 10, 12, 14, 16].map(|hour| format!("2027-02-0{day}T{hour:02}:00:00Z")));
            }
            let mut orders = Vec::new();
            permute(&mut [0, 1, 2, 3], 4, &mut orders);
            assert_eq!(orders.len(), 24);
            for (order, start) in orders.iter().zip(&starts) {
                let held = world.hold(&Plan::of(&NOA, 0, start)).await;
                let payment_intent = world.pay(&held);
                let cents = shared::domain::money::Cents::new(6_000);
                let refund = world
                    .stripe_client()
                    .refund(held.id, &payment_intent, cents, shared::domain::job::RefundReason::Cancelled, (1, 1), None)
                    .await
                    .expect("refunded");
                world.stripe.complete_refund(&refund.id).expect("pending");
                let kinds =
                    ["checkout.session.completed", "payment_intent.succeeded", "charge.refunded", "refund.updated"];
                let payloads = kinds.map(|kind| event(world, kind));
                for step in order {
                    outcome(world, &payloads[*step]).await;
                    if world.jobs().await.iter().any(|job| job == "settle_payment") {
                        world.read_payment(&held, &payment_intent).await;
                    }
                }
                let mut entries = world.ledger(&held.id()).await;
                entries.sort();
                assert_eq!(entries, [("capture".to_owned(), 6_000), ("refund".to_owned(), -6_000)], "{order:?}");
                let row = world.booking(&held.id()).await;
                assert_eq!(row["acompte_paid"], false, "{order:?}: {row}");
                let confirmed = format!("send_email:{}:client_confirmed:1", held.id);
                let mails = world.rows(&format!("select 1 from outbox where dedupe_key = '{confirmed}'"), &[]).await;
                assert!(mails.len() <= 1);
            }
        });
    }

    #[test]
    fn a_dispute_heard_of_before_its_payment_is_read_once_the_payment_is_known() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            let payment_intent = world.pay(&held);
            let dispute = world.stripe.dispute(&payment_intent, "fraudulent").expect("a payment");
            world.stripe.close_dispute(&dispute, false).expect("open");
            for kind in ["charge.dispute.closed", "charge.dispute.created"] {
                assert_eq!(outcome(world, &event(world, kind)).await, "unknown_booking");
            }
            assert_eq!(outcome(world, &event(world, "payment_intent.succeeded")).await, "confirmed");
            let jobs = world.jobs().await;
            assert_eq!(jobs.iter().filter(|job| *job == "settle_payment").count(), 1, "{jobs:?}");
            world.read_payment(&held, &payment_intent).await;
            assert_eq!(state(world, &held).await, ["confirmed", "lost"]);
            let mut entries = world.ledger(&held.id()).await;
            entries.sort();
            assert_eq!(entries, [("capture".to_owned(), 6_000), ("dispute_withdrawn".to_owned(), -6_000)]);
        });
    }

    fn permute(items: &mut [usize; 4], length: usize, found: &mut Vec<[usize; 4]>) {
        if length == 1 {
            found.push(*items);
            return;
        }
        for index in 0..length {
            permute(items, length - 1, found);
            items.swap(if length.is_multiple_of(2) { index } else { 0 }, length - 1);
        }
    }
}

mod while_we_fail {
    use super::*;

    /// Field failure F6.
    #[test]
    fn with_the_database_away_the_event_is_refused_and_comes_again() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            wire.cut();
            let answer = deliver_to(&app, world, &payload).await;
            assert_eq!((answer.status, answer.problem()), (503, "try-again"));
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            wire.mend();
            assert_eq!(deliver_to(&app, world, &payload).await.body["outcome"], "confirmed");
        });
    }

    #[test]
    fn a_write_that_is_refused_is_no_200() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            world.execute("revoke insert on payments from inkflow_app").await;
            let answer = deliver(world, &payload).await;
            assert_eq!((answer.status, answer.problem()), (500, "internal"));
            assert_eq!(world.count("stripe_events").await, 0, "the event is recorded with its effect or not at all");
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            world.execute("grant insert on payments to inkflow_app").await;
            assert_eq!(outcome(world, &payload).await, "confirmed");
        });
    }

    #[test]
    fn a_commit_whose_answer_was_lost_is_one_effect() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            let payload = event(world, "checkout.session.completed");
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            wire.lose_answer_after(1);
            let answer = deliver_to(&app, world, &payload).await;
            assert_eq!((answer.status, &answer.body["outcome"]), (200, &json!("known_event")));
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!((world.ledger(&held.id()).await, world.jobs().await.len()), (captured(6_000), 5));
        });
    }

    /// Field failure F6.
    #[test]
    fn with_the_queue_away_the_payment_counts_and_its_jobs_wait() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.pay(&held);
            world.sqs_gate.set(Condition::Down);
            assert_eq!(outcome(world, &event(world, "checkout.session.completed")).await, "confirmed");
            world.sqs_gate.set(Condition::Ok);
            assert_eq!(world.receive().await["Records"], json!([]));
            world.advance(Duration::from_secs(31));
            let late = shared::db::outbox::overdue(&world.db(), 10, world.now()).await.expect("the database answers");
            assert_eq!(late.len(), 5, "the sweeper finds them");
        });
    }
}
