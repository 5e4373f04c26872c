//! Refunds and pages: at Stripe once, and in the ledger as Stripe has it.

use dev::stripe::{Down, Outcome, RefundMode};
use shared::domain::job::RefundReason;
use shared::domain::money::Cents;
use testing::{Held, Plan};

use super::*;

/// A booking that was paid and then called off: its deposit is owed back.
async fn owed(world: &World) -> (Held, String, JobId) {
    let held = world.hold(&Plan::default()).await;
    world.confirm(&held).await;
    run_everything(world).await;
    let payment_intent =
        world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
    world
        .execute(&format!(
            r"update bookings set status = 'cancelled', cancel_reason = 'artist', payment_status = 'refund_pending', version = version + 1
             where id = '{}'",
            held.id
        ))
        .await;
    let job = add(world, &refund_of(&held, &payment_intent, 6_000), 9).await;
    world.stripe.clear_requests();
    (held, payment_intent, job)
}

fn refund_of(held: &Held, payment_intent: &str, cents: i64) -> Task {
    Task::Refund {
        booking: held.id,
        payment_intent: payment_intent.to_owned(),
        amount: Cents::new(cents),
        reason: RefundReason::Cancelled,
    }
}

fn refunded(world: &World) -> Vec<i64> {
    world.stripe.refunds().iter().map(|refund| refund["amount"].as_i64().expect("cents")).collect()
}

async fn is_settled(world: &World, held: &Held) {
    assert_eq!(refunded(world).iter().sum::<i64>(), 6_000, "exactly what was paid");
    let ledger = world.ledger(&held.id()).await;
    assert_eq!(ledger.iter().map(|(_, cents)| cents).sum::<i64>(), 0, "{ledger:?}");
    let row = world.booking(&held.id()).await;
    assert_eq!((&row["payment_status"], &row["acompte_paid"]), (&json!("refunded"), &json!(false)));
}

#[test]
fn a_refund_reaches_stripe_and_the_ledger() {
    World::run(|world| async move {
        let (held, payment_intent, job) = owed(world).await;
        assert_eq!(run(world, &[job]).await, [false]);
        is_settled(world, &held).await;
        let requests = world.stripe.requests();
        let asked: Vec<String> =
            requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
        assert_eq!(asked, ["GET /v1/refunds", "GET /v1/disputes", "POST /v1/refunds"], "it looks first");
        let request = &requests[2];
        assert_eq!(
            request.header("idempotency-key"),
            Some(format!("refund:{}:{payment_intent}:1:1", held.id).as_str())
        );
        assert_eq!(
            (request.param("payment_intent"), request.param("amount")),
            (Some(payment_intent.as_str()), Some("6000"))
        );
        assert_eq!(request.param("reason"), Some("requested_by_customer"));
        assert_eq!(request.param("metadata[booking_id]"), Some(held.id().as_str()));
        let refund = world.stripe.refunds().remove(0);
        let rows = world.rows("select stripe_id, amount_cents from payments where kind = 'refund'", &[]).await;
        assert_eq!(rows, [json!({ "stripe_id": refund["id"], "amount_cents": -6_000 })]);
    });
}

/// Field failure F12.
#[test]
fn a_refund_that_is_run_again_gives_nothing_more() {
    World::run(|world| async move {
        let (held, _payment_intent, job) = owed(world).await;
        run(world, &[job]).await;
        for _ in 0..3 {
            world.execute("update outbox set done_at = null, outcome = null where kind = 'refund'").await;
            assert_eq!(run(world, &[job]).await, [false]);
        }
        assert_eq!(refunded(world), [6_000]);
        is_settled(world, &held).await;
    });
}

/// Field failure F12.
#[test]
fn a_failure_after_the_refund_is_no_second_refund() {
    World::run(|world| async move {
        let (held, _payment_intent, job) = owed(world).await;
        world.stripe.switch(|switches| switches.api.fail_after_executing = 1);
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(refunded(world), [6_000]);
        is_settled(world, &held).await;
    });
}

/// Field failure F12.
#[test]
fn a_lost_answer_is_no_second_refund() {
    World::run(|world| async move {
        let (held, _payment_intent, job) = owed(world).await;
        world.stripe.switch(|switches| switches.api.lose_answer = 1);
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(refunded(world), [6_000]);
        is_settled(world, &held).await;
    });
}

/// Field failure F12.
#[test]
fn a_worker_killed_after_stripe_answered_is_no_second_refund() {
    World::run(|world| async move {
        let (held, payment_intent, job) = owed(world).await;
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        // Claimed, read; then the database is gone when the refund should be written down.
        let stripe = &world.stripe;
        stripe.switch(|switches| switches.api.slow_ms = 200);
        let cut = async {
            while stripe.refunds().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            wire.cut();
        };
        let batch = messages(&[job]);
        let (again, ()) = tokio::join!(handle_batch(&app, batch, 15), cut);
        assert_eq!(again, ["message-0"]);
        assert_eq!(world.ledger(&held.id()).await.len(), 1, "{payment_intent} is not written down");
        stripe.switch(|switches| switches.api.slow_ms = 0);

        world.advance(Duration::from_secs(91));
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(refunded(world), [6_000]);
        is_settled(world, &held).await;
    });
}

#[test]
fn what_was_given_back_at_stripes_own_dashboard_is_not_given_back_again() {
    for (by_hand, expected) in [(6_000, vec![6_000]), (2_000, vec![2_000, 4_000])] {
        World::run(|world| async move {
            let (held, payment_intent, job) = owed(world).await;
            let stripe = world.stripe_client();
            let amount = Cents::new(by_hand);
            stripe
                .refund(held.id, &payment_intent, amount, RefundReason::Cancelled, (1, 99), None)
                .await
                .expect("refunded");
            assert_eq!(run(world, &[job]).await, [false]);
            assert_eq!(refunded(world), expected);
            is_settled(world, &held).await;
        });
    }
}

#[test]
fn a_refund_beside_ours_at_the_same_moment_does_not_make_two() {
    World::run(|world| async move {
        let (held, payment_intent, job) = owed(world).await;
        // Looked: nothing. Before ours arrives, somebody gives all of it back.
        world.stripe.switch(|switches| switches.api.slow_ms = 300);
        let stripe = world.stripe_client();
        let by_hand = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            stripe
                .refund(held.id, &payment_intent, Cents::new(6_000), RefundReason::Cancelled, (1, 99), None)
                .await
                .expect("refunded");
        };
        let jobs = [job];
        let (again, ()) = tokio::join!(run(world, &jobs), by_hand);
        assert_eq!(again, [false]);
        assert_eq!(refunded(world), [6_000]);
        is_settled(world, &held).await;
    });
}

#[test]
fn stripe_down_delays_a_refund_and_loses_none() {
    World::run(|world| async move {
        let (held, _payment_intent, job) = owed(world).await;
        for down in [Down::Cut, Down::Unavailable] {
            world.stripe.switch(|switches| switches.api.down = Some(down));
            assert_eq!(run(world, &[job]).await, [true]);
            assert_eq!(ended(world, job).await, Value::Null);
        }
        assert_eq!(world.booking(&held.id()).await["payment_status"], "refund_pending");
        world.stripe.switch(|switches| switches.api.down = None);
        assert_eq!(run(world, &[job]).await, [false]);
        is_settled(world, &held).await;
    });
}

#[test]
fn a_refund_of_what_is_not_owed_gives_nothing() {
    World::run(|world| async move {
        let (held, _payment_intent, _job) = owed(world).await;
        let job = add(world, &refund_of(&held, "pi_of_another_account", 6_000), 10).await;
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(ended(world, job).await, "done");
        assert!(refunded(world).is_empty());
    });
}

/// Field failure F12.
#[test]
fn a_refund_that_stripe_refuses_is_flagged_and_told_once_and_works_when_it_is_asked_for_anew() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        let (held, _payment_intent, job) = owed(world).await;
        // The balance does not cover it.
        world.stripe.switch(|switches| switches.balance = Some(100));
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(ended(world, job).await, "discarded");
        assert_eq!(world.booking(&held.id()).await["payment_problem"], "refund_failed");
        assert_eq!(open_of(world, "artist_payment_problem").await.len(), 1);
        assert!(refunded(world).is_empty());
        // Run again, nobody is told twice.
        let again = "update outbox set done_at = null, outcome = null where kind = 'refund'";
        world.execute(again).await;
        run(world, &[job]).await;
        assert_eq!(open_of(world, "artist_payment_problem").await.len(), 1);
        logs.raise("worker", "refund-refused");
        // Topped up, and asked for anew within the day for which Stripe repeats its refusal under the same key.
        world.stripe.switch(|switches| switches.balance = None);
        world.execute(again).await;
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(ended(world, job).await, "done");
        is_settled(world, &held).await;
        assert_eq!(world.booking(&held.id()).await["payment_problem"], Value::Null, "nothing is left to look at");
    });
}

#[test]
fn a_refund_beside_which_somebody_gave_a_part_back_gives_the_rest_under_another_key() {
    World::run(|world| async move {
        let (held, payment_intent, job) = owed(world).await;
        world.stripe.switch(|switches| switches.api.slow_ms = 300);
        let stripe = world.stripe_client();
        let by_hand = async {
            tokio::time::sleep(Duration::from_millis(450)).await;
            world.stripe.switch(|switches| switches.api.slow_ms = 0);
            let part = Cents::new(2_000);
            stripe
                .refund(held.id, &payment_intent, part, RefundReason::Cancelled, (1, 99), None)
                .await
                .expect("refunded");
        };
        let jobs = [job];
        let (again, ()) = tokio::join!(run(world, &jobs), by_hand);
        for again in again {
            if again {
                assert_eq!(run(world, &jobs).await, [false]);
            }
        }
        assert_eq!(refunded(world).iter().sum::<i64>(), 6_000);
        is_settled(world, &held).await;
    });
}

#[test]
fn a_refund_that_a_bank_stands_in_the_way_of_waits_for_the_bank() {
    World::run(|world| async move {
        let (held, payment_intent, job) = owed(world).await;
        let dispute = world.stripe.dispute(&payment_intent, "fraudulent").expect("a payment");
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(
            (ended(world, job).await, world.booking(&held.id()).await["payment_status"].clone()),
            (json!("done"), json!("disputed"))
        );
        assert!(refunded(world).is_empty());
        world.stripe.close_dispute(&dispute, true).expect("open");
        let read = Task::SettlePayment { booking: held.id, payment_intent, event: "evt_won".into() };
        let read = add(world, &read, 10).await;
        assert_eq!(run(world, &[read]).await, [false]);
        run_everything(world).await;
        assert_eq!(refunded(world), [6_000]);
        let row = world.booking(&held.id()).await;
        assert_eq!((&row["payment_status"], &row["acompte_paid"]), (&json!("refunded"), &json!(false)));
    });
}

#[test]
fn a_refund_on_its_way_has_not_arrived_and_one_that_fails_is_owed_again() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        world.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
        let (held, payment_intent, job) = owed(world).await;
        run(world, &[job]).await;
        let status = async || world.booking(&held.id()).await["payment_status"].clone();
        assert_eq!(status().await, "refund_pending");
        // A second look gives nothing more.
        world.execute("update outbox set done_at = null, outcome = null where kind = 'refund'").await;
        run(world, &[job]).await;
        assert_eq!(refunded(world), [6_000]);
        let refund = world.stripe.refunds().remove(0)["id"].as_str().expect("an id").to_owned();
        world.stripe.fail_refund(&refund, "lost_or_stolen_card").expect("pending");
        let settle =
            add(world, &Task::SettlePayment { booking: held.id, payment_intent, event: "evt_1".into() }, 10).await;
        assert_eq!(run(world, &[settle]).await, [false]);
        let row = world.booking(&held.id()).await;
        assert_eq!(
            (&row["payment_status"], &row["payment_problem"]),
            (&json!("refund_pending"), &json!("refund_failed"))
        );
        assert_eq!(world.ledger(&held.id()).await.iter().map(|(_, cents)| cents).sum::<i64>(), 6_000);
        assert_eq!(open_of(world, "client_refund_failed").await.len(), 1, "the client is told");
        logs.raise("worker", "refund-failed");
    });
}

#[test]
fn a_duplicate_payment_goes_back_and_the_booking_stands() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        // The second payment came by a page of its own.
        let other = world.hold(&Plan::of(&dev::demo::LEA, 0, "2027-02-02T09:00:00Z")).await;
        let second = world.pay(&other);
        world
            .execute(&format!(
                r"insert into payments select gen_random_uuid(), id, artist_id, 'capture', 5000, 'eur', '{second}', '{second}', now(), now()
                 from bookings where id = '{}'",
                held.id
            ))
            .await;
        let task = Task::Refund {
            booking: held.id,
            payment_intent: second.clone(),
            amount: Cents::new(5_000),
            reason: RefundReason::Duplicate,
        };
        let job = add(world, &task, 9).await;
        world.stripe.clear_requests();
        assert_eq!(run(world, &[job]).await, [false]);
        let posted = world.stripe.requests().into_iter().find(|request| request.method == "POST").expect("asked");
        assert_eq!(posted.param("reason"), Some("duplicate"));
        let row = world.booking(&held.id()).await;
        assert_eq!((&row["status"], &row["payment_status"]), (&json!("confirmed"), &json!("paid")));
        assert_eq!(open_of(world, "client_late_refund").await.len(), 1, "the client is told");
    });
}

#[test]
fn a_page_is_closed_and_its_hold_released() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let job = add(world, &Task::ExpireCheckout { booking: held.id, session: held.session.clone() }, 9).await;
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "expired");
        assert_eq!(world.booking(&held.id()).await["status"], "cancelled");
        world.execute("update outbox set done_at = null, outcome = null where kind = 'expire_checkout'").await;
        assert_eq!(run(world, &[job]).await, [false], "again");
    });
}

/// Field failure F4.
#[test]
fn a_page_that_turns_out_paid_confirms_its_booking() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let job = add(world, &Task::ExpireCheckout { booking: held.id, session: held.session.clone() }, 9).await;
        world.stripe.pay(&held.session, Outcome::WebhookLost).expect("open");
        assert_eq!(run(world, &[job]).await, [false]);
        let row = world.booking(&held.id()).await;
        assert_eq!((&row["status"], &row["payment_status"]), (&json!("confirmed"), &json!("paid")));
        assert_eq!(open_of(world, "client_confirmed").await.len(), 1);
    });
}

#[test]
fn a_page_is_not_forgotten_while_stripe_is_down() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let job = add(world, &Task::ExpireCheckout { booking: held.id, session: held.session.clone() }, 9).await;
        world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
        assert_eq!(run(world, &[job]).await, [true]);
        world.stripe.switch(|switches| switches.api.down = None);
        assert_eq!(run(world, &[job]).await, [false]);
        assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "expired");
    });
}
