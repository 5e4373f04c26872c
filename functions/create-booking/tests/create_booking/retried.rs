//! The same wish again: a double click, a lost answer, a service that failed half-way.

use std::time::Duration;

use dev::aws::Condition;
use dev::stripe::{CreateFailure, Down};
use shared::db::outbox;
use shared::settle;
use testing::{PUBLIC_URL, Plan};

use super::*;

fn same(first: &Answer, second: &Answer) {
    assert_eq!(id(first), id(second));
    assert_eq!(first.body, second.body);
    assert_ne!(first.body["checkout_url"], Value::Null);
}

/// Field failure F2.
#[test]
fn the_same_client_gets_the_same_booking_and_the_same_page() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let first = book(world, &body).await;
        let jobs = world.jobs().await;
        world.advance_minutes(10);
        same(&first, &book(world, &body).await);
        assert_eq!((opened(world).len(), world.stripe.sessions().len()), (1, 1));
        assert_eq!((statuses(world).await, world.jobs().await), (vec!["pending".to_owned()], jobs));
    });
}

#[test]
fn the_same_client_is_known_by_name_address_and_number_however_they_are_written() {
    World::run(|world| async move {
        let first = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        let mut body = wish(&LEA, HIRONDELLE, "2027-02-02T10:00:00+01:00");
        body["client"] = json!({ "name": "JO-MARTIN", "email": "JO@EXAMPLE.FR", "phone": "+33 6 12 34 56 78" });
        same(&first, &book_from_afar(world, &body).await);
        assert_eq!(world.booking(&id(&first)).await["client_name"], "Jo Martin");
    });
}

#[test]
fn somebody_who_knows_only_some_of_it_does_not_get_the_page() {
    World::run(|world| async move {
        for (flash, refusal) in [(HIRONDELLE, "slot-taken"), (PIVOINE, "flash-taken")] {
            let first = book(world, &wish(&LEA, flash, TUESDAY_AT_TEN)).await;
            for (field, guess) in [("phone", "+33698765432"), ("name", "Sam Dubois")] {
                let mut body = wish(&LEA, flash, TUESDAY_AT_TEN);
                body["client"][field] = json!(guess);
                let answer = book_from_afar(world, &body).await;
                is_refused(&answer, 409, refusal);
                assert!(answer.body.get("own").is_none(), "{:?}", answer.body);
                assert!(!answer.body.to_string().contains(&id(&first)), "{:?}", answer.body);
                assert!(!answer.body.to_string().contains("checkout"), "{:?}", answer.body);
            }
            world.advance_minutes(31);
        }
    });
}

#[test]
fn another_browser_finds_the_hold_by_the_same_name_address_number_and_slot() {
    World::run(|world| async move {
        let app = app(world);
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let first = send(&app, world, &[("idempotency-key", "in-the-app")], &body).await;
        let afar = [("idempotency-key", "in-safari"), (":source-ip", "203.0.113.9")];
        same(&first, &send(&app, world, &afar, &body).await);
        assert_eq!((statuses(world).await, world.stripe.sessions().len()), (vec!["pending".to_owned()], 1));
    });
}

#[test]
fn who_wants_another_slot_for_the_flash_they_hold_is_led_to_their_hold() {
    World::run(|world| async move {
        let first = book(world, &wish(&LEA, PIVOINE, TUESDAY_AT_TEN)).await;
        let elsewhere = wish(&LEA, PIVOINE, "2027-02-04T09:00:00Z");
        let answer = book_from_afar(world, &elsewhere).await;
        is_refused(&answer, 409, "flash-yours");
        assert_eq!(answer.body["own"], first.body, "which one, until when, and where it is paid");
        assert_eq!((statuses(world).await, world.stripe.sessions().len()), (vec!["pending".to_owned()], 1));

        // Somebody else learns nothing of it, nor does who knows only the address.
        let [mut number, mut name] = [elsewhere.clone(), elsewhere.clone()];
        number["client"]["phone"] = json!("+33698765432");
        name["client"]["name"] = json!("Sam Dubois");
        for body in [of_sam(&elsewhere), number, name] {
            let answer = book_from_afar(world, &body).await;
            is_refused(&answer, 409, "flash-taken");
            assert!(answer.body.get("own").is_none() && !answer.body.to_string().contains("checkout"));
        }

        // Over is over: another slot is another booking then.
        world.advance_minutes(31);
        assert_ne!(id(&book(world, &elsewhere).await), id(&first));
    });
}

#[test]
fn a_hold_of_the_flash_that_has_no_page_yet_gets_one() {
    World::run(|world| async move {
        let (booking, _jobs) = world.hold_unopened(&Plan::of(&LEA, 1, TUESDAY_AT_TEN)).await;
        let answer = book(world, &wish(&LEA, PIVOINE, "2027-02-04T09:00:00Z")).await;
        is_refused(&answer, 409, "flash-yours");
        assert_eq!(answer.body["own"]["booking_id"], json!(booking.to_string()));
        assert!(answer.body["own"]["checkout_url"].is_string(), "{:?}", answer.body);
    });
}

#[test]
fn stripes_page_says_the_same_hour_and_the_same_date_as_ours_however_late_it_is_asked_for() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, "2027-02-05T09:00:00Z");
        world.stripe.switch(|switches| switches.api.lose_answer = 1);
        let held = book(world, &body).await;
        let note = world.stripe.sessions()[0]["custom_text"]["submit"]["message"].as_str().expect("a note").to_owned();
        // Half past eight in UTC is half past nine in Paris.
        assert_eq!(
            note,
            "Votre créneau est gardé jusqu’à 9\u{a0}h\u{a0}30, heure de Paris. L’acompte est remboursable jusqu’au mardi \
             2\u{a0}février 2027 à 10\u{a0}h\u{a0}00\u{202f}; ensuite, il reste à l’artiste."
        );
        assert!(held.body["hold_expires_at"].as_str().is_some_and(|end| end.contains(":30:")), "{:?}", held.body);
        assert!(held.body["refundable_until"].is_string());
        let tomorrow = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(tomorrow.body["refundable_until"], Value::Null, "it is the day before");
        let notes: Vec<Value> =
            world.stripe.sessions().iter().map(|page| page["custom_text"]["submit"]["message"].clone()).collect();
        assert!(
            notes.iter().any(|note| note.as_str().is_some_and(|note| note.contains("n’est plus remboursable"))),
            "{notes:?}"
        );
    });
}

#[test]
fn an_idempotency_key_names_one_request() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let key = [("idempotency-key", "6f1d2c9b")];
        let app = app(world);
        let first = send(&app, world, &key, &body).await;
        same(&first, &send(&app, world, &key, &body).await);
        assert_eq!((opened(world).len(), world.count("idempotency_keys").await), (1, 1));

        let other = wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z");
        is_refused(&send(&app, world, &key, &other).await, 409, "idempotency-mismatch");
        assert_eq!(statuses(world).await, ["pending"]);
        // A key of its own makes the other request one of its own.
        id(&send(&app, world, &[("idempotency-key", "another")], &other).await);
    });
}

#[test]
fn a_key_finds_its_booking_after_it_was_paid_and_has_nothing_left_to_pay() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let key = [("idempotency-key", "6f1d2c9b")];
        let first = send(&app(world), world, &key, &body).await;
        let session = world.stripe.sessions()[0]["id"].as_str().expect("an id").to_owned();
        world.stripe.pay(&session, dev::stripe::Outcome::Paid).expect("open");
        let paid = world.stripe_client().session(&session, None).await.expect("Stripe answers");
        let booking = id(&first).parse().expect("an id");
        settle::session(&world.db(), booking, &paid, world.now()).await.expect("the database answers");

        let again = send(&app(world), world, &key, &body).await;
        assert_eq!(id(&again), id(&first));
        assert_eq!((&again.body["status"], &again.body["checkout_url"]), (&json!("confirmed"), &Value::Null));
        assert_eq!(opened(world).len(), 1);
    });
}

#[test]
fn a_key_finds_its_lapsed_hold_and_a_new_request_makes_a_new_one() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z");
        let key = [("idempotency-key", "6f1d2c9b")];
        let first = send(&app(world), world, &key, &body).await;
        world.advance_minutes(31);
        let again = send(&app(world), world, &key, &body).await;
        assert_eq!((id(&again), &again.body["checkout_url"]), (id(&first), &Value::Null));

        let anew = book(world, &body).await;
        assert_ne!(id(&anew), id(&first));
        assert_ne!(anew.body["checkout_url"], Value::Null);
        assert_eq!(statuses(world).await, ["cancelled", "pending"]);
    });
}

#[test]
fn a_key_that_is_none_is_refused() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        for key in ["", &"k".repeat(256)] {
            is_refused(&send(&app(world), world, &[("idempotency-key", key)], &body).await, 400, "malformed");
        }
        id(&send(&app(world), world, &[("idempotency-key", &"k".repeat(255))], &body).await);
    });
}

#[test]
fn a_double_click_makes_one_booking() {
    World::run(|world| async move {
        for (key, start) in [(None, "2027-02-02T09:00:00Z"), (Some("6f1d2c9b"), "2027-02-04T09:00:00Z")] {
            let body = wish(&LEA, HIRONDELLE, start);
            let headers: Vec<(&str, &str)> = key.into_iter().map(|key| ("idempotency-key", key)).collect();
            // Two sandboxes, each with its own connection.
            let (one, two) = (app(world), app(world));
            let (first, second) = tokio::join!(send(&one, world, &headers, &body), send(&two, world, &headers, &body));
            for answer in [&first, &second] {
                // With a key the slower one may be told to come back.
                assert!(answer.status == 201 || answer.problem() == "request-in-progress", "{:?}", answer.body);
            }
            let third = book(world, &body).await;
            for answer in [&first, &second].into_iter().filter(|answer| answer.status == 201) {
                same(answer, &third);
            }
            let rows = world.rows(&format!("select id from bookings where scheduled_at = '{start}'"), &[]).await;
            assert_eq!(rows.len(), 1);
        }
        assert_eq!(world.stripe.sessions().len(), 2, "one page a booking");
    });
}

#[test]
fn an_answer_of_stripe_that_was_lost_opens_no_second_page() {
    World::run(|world| async move {
        world.stripe.switch(|switches| switches.api.lose_answer = 1);
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        let booking = id(&answer);
        let keys: Vec<Option<String>> =
            opened(world).iter().map(|request| request.header("idempotency-key").map(str::to_owned)).collect();
        assert_eq!(keys, [Some(format!("checkout:{booking}:1")), Some(format!("checkout:{booking}:1"))]);
        let sessions = world.stripe.sessions();
        assert_eq!(sessions.len(), 1);
        assert_eq!(world.booking(&booking).await["stripe_checkout_session_id"], sessions[0]["id"]);
    });
}

#[test]
fn a_failure_that_stripe_keeps_under_its_key_is_got_past_with_the_next_key() {
    World::run(|world| async move {
        world.stripe.switch(|switches| switches.api.fail_after_executing = 1);
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        let booking = id(&answer);
        assert_eq!(
            opened(world).last().and_then(|request| request.header("idempotency-key")),
            Some(format!("checkout:{booking}:2").as_str())
        );
        // Two pages exist, and the address of one was told to nobody.
        let sessions = world.stripe.sessions();
        assert_eq!(sessions.len(), 2);
        assert_eq!(world.booking(&booking).await["stripe_checkout_session_id"], sessions[1]["id"]);
        assert_eq!(answer.body["checkout_url"], sessions[1]["url"]);
        // Asked again, the same page comes back and none is opened.
        same(&answer, &book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        assert_eq!(world.stripe.sessions().len(), 2);
    });
}

#[test]
fn a_hold_whose_maker_was_killed_before_stripe_is_taken_up_again() {
    World::run(|world| async move {
        let (booking, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, TUESDAY_AT_TEN)).await;
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(id(&answer), booking.to_string());
        assert_ne!(answer.body["checkout_url"], Value::Null);
        assert_eq!((statuses(world).await.len(), world.stripe.sessions().len()), (1, 1));
    });
}

#[test]
fn a_hold_whose_maker_was_killed_between_stripe_and_the_database_keeps_its_page() {
    World::run(|world| async move {
        let (booking, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, TUESDAY_AT_TEN)).await;
        let hold = world.stored_hold(booking).await;
        let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
        let page = world.stripe_client().open_checkout(&checkout).await.expect("opened").url;

        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!((id(&answer), answer.body["checkout_url"].as_str()), (booking.to_string(), page.as_deref()));
        assert_eq!(world.stripe.sessions().len(), 1);
    });
}

#[test]
fn a_request_that_is_cut_off_while_stripe_thinks_is_taken_up_again() {
    World::run(|world| async move {
        world.stripe.switch(|switches| switches.api.slow_ms = 2_000);
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let app_cut = app(world);
        tokio::select! {
            answer = send(&app_cut, world, &[], &body) => panic!("{answer:?}"),
            // The sandbox is killed while Stripe has done its part and not answered yet.
            () = async {
                while world.stripe.sessions().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            } => {}
        }
        world.stripe.switch(|switches| switches.api.slow_ms = 0);
        let rows = world.rows("select id, checkout_url from bookings", &[]).await;
        assert_eq!(rows[0]["checkout_url"], Value::Null);

        // While Stripe is still at it, the same booking is asked for patience.
        let answer = loop {
            let answer = book(world, &body).await;
            if answer.status == 201 {
                break answer;
            }
            is_refused(&answer, 502, "payment-unavailable");
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        assert_eq!(json!(id(&answer)), rows[0]["id"]);
        assert_eq!((statuses(world).await.len(), world.stripe.sessions().len()), (1, 1));
    });
}

#[test]
fn a_write_whose_answer_was_lost_is_found_by_the_next_try() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        // The question is answered, the answer to the write is lost: it may or may not have been carried out.
        wire.lose_answer_after(1);
        is_refused(&send(&app, world, &[], &body).await, 503, "try-again");
        assert_eq!(statuses(world).await, ["pending"]);
        assert!(world.stripe.requests().is_empty());

        let answer = send(&app, world, &[], &body).await;
        id(&answer);
        assert_ne!(answer.body["checkout_url"], Value::Null);
        assert_eq!(statuses(world).await, ["pending"]);
    });
}

#[test]
fn the_note_of_the_page_is_written_again_when_its_answer_was_lost() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        wire.lose_answer_after(2);
        let answer = send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(world.booking(&id(&answer)).await["checkout_url"], answer.body["checkout_url"]);
    });
}

#[test]
fn stripe_down_keeps_the_slot_and_the_next_try_gives_the_same_booking() {
    World::run(|world| async move {
        for (down, start) in [
            (Down::Cut, "2027-02-02T09:00:00Z"),
            (Down::InternalError, "2027-02-03T09:00:00Z"),
            (Down::Unavailable, "2027-02-04T09:00:00Z"),
        ] {
            let body = wish(&LEA, HIRONDELLE, start);
            world.stripe.switch(|switches| switches.api.down = Some(down));
            let answer = book(world, &body).await;
            is_refused(&answer, 502, "payment-unavailable");
            assert!(!answer.header("retry-after").is_empty());
            world.stripe.switch(|switches| switches.api.down = None);

            let held =
                world.rows(&format!("select id, status from bookings where scheduled_at = '{start}'"), &[]).await;
            assert_eq!((held.len(), &held[0]["status"]), (1, &json!("pending")));
            let again = book(world, &body).await;
            assert_eq!(json!(id(&again)), held[0]["id"]);
            assert_ne!(again.body["checkout_url"], Value::Null);
        }
    });
}

#[test]
fn a_page_that_stripe_will_never_open_gives_the_slot_back() {
    World::run(|world| async move {
        let failure =
            CreateFailure { status: 400, code: Some("parameter_invalid".into()), message: "No.".into(), times: 1 };
        world.stripe.switch(|switches| switches.fail_create_session = Some(failure));
        let body = wish(&NOA, DAGUE, TUESDAY_AT_TEN);
        let answer = book(world, &body).await;
        is_refused(&answer, 500, "internal");
        let booking = world.rows("select id, status, cancel_reason from bookings", &[]).await.remove(0);
        assert_eq!((&booking["status"], &booking["cancel_reason"]), (&json!("cancelled"), &json!("payment_failed")));
        assert_eq!(
            world.history(booking["id"].as_str().expect("an id")).await,
            ["client held", "system payment_failed"]
        );
        // What was announced is taken back: the calendar is looked at again.
        assert_eq!(world.jobs().await, ["artist_pending", "sync_calendar", "sync_calendar"]);
        id(&book_from_afar(world, &of_sam(&body)).await);
    });
}

#[test]
fn the_queue_down_delays_the_mails_and_nothing_else() {
    World::run(|world| async move {
        world.sqs_gate.set(Condition::Down);
        id(&book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await);
        world.sqs_gate.set(Condition::Ok);
        assert_eq!(world.receive().await["Records"], json!([]));

        // Half a minute later they are the sweeper's.
        assert_eq!(outbox::overdue(&world.db(), 10, world.now()).await.expect("asked"), []);
        world.advance(Duration::from_secs(31));
        assert_eq!(outbox::overdue(&world.db(), 10, world.now()).await.expect("asked").len(), 2);
    });
}

#[test]
fn a_slow_queue_is_not_waited_for() {
    World::run(|world| async move {
        world.sqs_gate.set(Condition::Slow);
        let started = std::time::Instant::now();
        id(&book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await);
        assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    });
}

#[test]
fn after_an_outage_of_six_minutes_the_next_try_gives_the_same_booking_and_a_page() {
    World::run(|world| async move {
        for (down, start) in [
            (Down::Cut, "2027-02-02T09:00:00Z"),
            (Down::InternalError, "2027-02-03T09:00:00Z"),
            (Down::Unavailable, "2027-02-04T09:00:00Z"),
        ] {
            let body = wish(&LEA, HIRONDELLE, start);
            world.stripe.switch(|switches| switches.api.down = Some(down));
            is_refused(&book(world, &body).await, 502, "payment-unavailable");
            let held = world.rows(&format!("select id from bookings where scheduled_at = '{start}'"), &[]).await;
            let booking = held[0]["id"].as_str().expect("an id").to_owned();
            let until = world.booking(&booking).await["hold_expires_at"].clone();

            // By now the page that was wished for would be open for less than Stripe's half hour.
            world.advance_minutes(6);
            world.stripe.switch(|switches| switches.api.down = None);
            let again = book(world, &body).await;
            assert_eq!(id(&again), booking, "{down:?}");
            assert_ne!(again.body["checkout_url"], Value::Null);
            let row = world.booking(&booking).await;
            assert_eq!((&row["status"], &row["hold_expires_at"]), (&json!("pending"), &until), "held no longer for it");
            same(&again, &book(world, &body).await);
        }
        assert_eq!(world.stripe.sessions().len(), 3, "one page a booking");
    });
}

#[test]
fn after_an_outage_a_page_that_was_opened_unheard_is_the_page() {
    World::run(|world| async move {
        let (booking, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, TUESDAY_AT_TEN)).await;
        let hold = world.stored_hold(booking).await;
        let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
        let page = world.stripe_client().open_checkout(&checkout).await.expect("opened").url;
        world.advance_minutes(6);
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!((id(&answer), answer.body["checkout_url"].as_str()), (booking.to_string(), page.as_deref()));
        assert_eq!(world.stripe.sessions().len(), 1);
    });
}

#[test]
fn a_double_click_after_an_outage_opens_one_page() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
        is_refused(&book(world, &body).await, 502, "payment-unavailable");
        world.advance_minutes(6);
        world.stripe.switch(|switches| switches.api.down = None);
        let (one, two) = (app(world), app(world));
        let (first, second) = tokio::join!(send(&one, world, &[], &body), send(&two, world, &[], &body));
        let third = book(world, &body).await;
        for answer in [&first, &second] {
            // The slower one may be asked for patience.
            assert!(answer.status == 201 || answer.problem() == "payment-unavailable", "{:?}", answer.body);
            if answer.status == 201 {
                same(answer, &third);
            }
        }
        assert_eq!((statuses(world).await.len(), world.stripe.sessions().len()), (1, 1));
    });
}

#[test]
fn failures_that_stripe_keeps_under_every_key_of_a_wish_are_got_past_with_the_next_try() {
    World::run(|world| async move {
        world.stripe.switch(|switches| switches.api.fail_after_executing = 2);
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        is_refused(&book(world, &body).await, 502, "payment-unavailable");
        let answer = book(world, &body).await;
        let booking = id(&answer);
        assert_eq!(
            opened(world).last().and_then(|request| request.header("idempotency-key")),
            Some(format!("checkout:{booking}:3").as_str())
        );
        assert_ne!(answer.body["checkout_url"], Value::Null);
        assert_eq!(statuses(world).await, ["pending"]);
    });
}

#[test]
fn a_page_that_a_release_words_otherwise_is_wished_for_anew() {
    World::run(|world| async move {
        let (booking, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, TUESDAY_AT_TEN)).await;
        let hold = world.stored_hold(booking).await;
        let before = settle::checkout_of(&hold, "https://before.test").expect("a deposit");
        world.stripe_client().open_checkout(&before).await.expect("opened");
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        assert_eq!(id(&answer), booking.to_string());
        assert_eq!(answer.body["checkout_url"], world.stripe.sessions()[1]["url"]);
    });
}

#[test]
fn an_address_that_stripe_does_not_take_is_named() {
    World::run(|world| async move {
        let failure =
            CreateFailure { status: 400, code: Some("email_invalid".into()), message: "No.".into(), times: 1 };
        world.stripe.switch(|switches| switches.fail_create_session = Some(failure));
        let answer = book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await;
        is_refused(&answer, 422, "invalid");
        assert_eq!(answer.body["errors"][0]["pointer"], "#/client/email");
        assert_eq!(statuses(world).await, ["cancelled"]);
    });
}
