//! What the artist decides: on what was shown, as it was shown, once.

use dev::demo::NOA;
use dev::stripe::{Down, Outcome};
use serde_json::{Value, json};
use testing::{Answer, Plan, World};

use crate::{act, get, path, post, run_everything, shown};

/// Calls a booking off because the client asked to, on the terms that are shown.
async fn cancel_for_client(world: &World, id: &str) -> Answer {
    let row = shown(world, id).await;
    let refund = &row["cancellation_by_client"]["refund_cents"];
    let body = json!({ "version": row["version"], "refund_cents": refund, "by": "client" });
    post(world, &NOA, &format!("{}/cancel", path(id)), body).await
}

/// Calls a booking off on the terms that are shown.
async fn cancel(world: &World, id: &str) -> Answer {
    let row = shown(world, id).await;
    let body = json!({ "version": row["version"], "refund_cents": row["cancellation"]["refund_cents"] });
    post(world, &NOA, &format!("{}/cancel", path(id)), body).await
}

fn subjects(world: &World, to: &str) -> Vec<String> {
    world.mails.messages_to(to).into_iter().map(|mail| mail.subject).collect()
}

#[test]
fn a_booking_is_shown_with_all_that_happened_to_it() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let unpaid = shown(world, &held.id()).await;
        assert_eq!((&unpaid["todo"], &unpaid["money"]["balance_cents"]), (&json!(["confirm"]), &json!(0)));
        world.confirm(&held).await;
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!(row["status"], "confirmed");
        assert_eq!(
            row["client"],
            json!({ "name": "Jo Martin", "email": "jo@example.fr", "phone": "+33612345678", "phone_written": "+33 6 12 34 56 78", "locale": "fr" })
        );
        assert_eq!((&row["deposit_cents"], &row["price_cents"]), (&json!(6000), &json!(20000)));
        assert_eq!(row["rest_cents"], 14000);
        let money = &row["money"];
        assert_eq!(
            (&money["captured_cents"], &money["refunded_cents"], &money["balance_cents"]),
            (&json!(6000), &json!(0), &json!(6000))
        );
        assert_eq!(money["entries"].as_array().map(Vec::len), Some(1));
        let cancellation = &row["cancellation"];
        assert_eq!((&cancellation["refund_cents"], &cancellation["kept_cents"]), (&json!(6000), &json!(0)));
        assert!(
            cancellation["sentence"].as_str().is_some_and(|s| s.starts_with("60") && s.contains("rendus")),
            "{cancellation}"
        );
        let kinds: Vec<&str> =
            row["timeline"].as_array().expect("lines").iter().filter_map(|l| l["kind"].as_str()).collect();
        assert!(kinds.contains(&"payment_received") && kinds.contains(&"confirmed"), "{kinds:?}");
        let mails = row["mails"].as_array().expect("mails");
        assert!(mails.iter().all(|mail| mail["status"] == "sent"), "{mails:?}");
        let of_client = mails.iter().find(|mail| mail["template"] == "client_confirmed").expect("the client's mail");
        assert_eq!((&of_client["recipient"], &of_client["can_resend"]), (&json!("jo@example.fr"), &json!(true)));
        assert_eq!(row["calendar"]["state"], "synced");
        assert!(row["calendar"]["url"].as_str().is_some_and(|url| url.starts_with("https://cal.test/booking/")));
        // The mail that somebody is about to pay was not true any more: that is no failure.
        let jobs = row["jobs"].as_array().expect("jobs");
        assert!(jobs.iter().all(|job| job["advice"].is_null() && job["can_retry"] == false), "{jobs:?}");
    });
}

#[test]
fn a_confirmation_by_hand_can_be_taken_back_for_ten_seconds_for_real() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        let confirmed = act(world, &held.id(), "confirm").await;
        assert_eq!((confirmed.status, &confirmed.body["status"]), (200, &json!("confirmed")), "{}", confirmed.body);
        assert_eq!(confirmed.body["actions"], json!(["undo_confirm", "cancel"]));
        assert_eq!(confirmed.body["rest_cents"], 20000, "nothing was asked ahead");
        assert!(confirmed.body["undo_until"].is_string());
        let undone = act(world, &held.id(), "undo-confirm").await;
        assert_eq!((undone.status, &undone.body["status"]), (200, &json!("pending")), "{}", undone.body);
        assert_eq!(undone.body["undo_until"], Value::Null);
        world.advance_minutes(1);
        run_everything(world).await;
        assert!(!subjects(world, "jo@example.fr").iter().any(|subject| subject.contains("confirm")));

        assert_eq!(act(world, &held.id(), "confirm").await.status, 200);
        world.advance(std::time::Duration::from_secs(11));
        let late = act(world, &held.id(), "undo-confirm").await;
        assert_eq!((late.status, late.problem()), (409, "too-late"));
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["status"], &row["undo_until"]), (&json!("confirmed"), &Value::Null));
        assert!(row["mails"].as_array().expect("mails").iter().any(|mail| mail["template"] == "client_confirmed"));
    });
}

#[test]
fn two_tabs_cannot_undo_each_other() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let version = shown(world, &held.id()).await["version"].clone();
        let stale = json!({ "version": version.as_i64().expect("a number") - 1 });
        for action in ["confirm", "undo-confirm", "complete", "no-show"] {
            let answer = post(world, &NOA, &format!("{}/{action}", path(&held.id())), stale.clone()).await;
            assert_eq!((answer.status, answer.problem()), (409, "changed-meanwhile"), "{action}");
        }
        let body = json!({ "version": stale["version"], "refund_cents": 6000 });
        let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), body).await;
        assert_eq!(answer.problem(), "changed-meanwhile");
        assert_eq!(shown(world, &held.id()).await["version"], version);

        // The same click from two tabs at once: one of them is told.
        let body = json!({ "version": version, "refund_cents": 6000 });
        let target = format!("{}/cancel", path(&held.id()));
        let (one, two) = tokio::join!(post(world, &NOA, &target, body.clone()), post(world, &NOA, &target, body));
        let mut answers = [one.status, two.status];
        answers.sort_unstable();
        assert_eq!(answers, [200, 409]);
        run_everything(world).await;
        assert_eq!(world.stripe.refunds().len(), 1);
    });
}

/// What the functions of the release before have written is there while those of now run.
#[test]
fn a_booking_with_rows_of_before_is_shown() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        world
            .execute(&format!(
                r"insert into outbox (id, kind, booking_id, dedupe_key, created_at, relay_at, done_at, outcome)
                 values (gen_random_uuid(), 'settle_refunds', '{id}', 'settle_refunds:old', now(), now(), now(), 'done');
                 insert into payments select gen_random_uuid(), booking_id, artist_id, 'dispute_lost', -1000, 'eur', 'du_old',
                     stripe_payment_intent_id, now(), now() from payments where booking_id = '{id}'",
                id = held.id
            ))
            .await;
        let row = shown(world, &held.id()).await;
        assert!(
            row["jobs"].as_array().expect("jobs").iter().any(|job| job["kind"] == "settle_payment"),
            "{}",
            row["jobs"]
        );
        assert_eq!((&row["money"]["lost_cents"], &row["money"]["balance_cents"]), (&json!(1_000), &json!(5_000)));
    });
}

#[test]
fn a_dispute_waits_for_the_artist_until_it_is_decided() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["todo"], &row["dispute_lost"]), (&json!([]), &json!(false)));
        let payment = world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("paid").to_owned();

        let dispute = world.stripe.dispute(&payment, "fraudulent").expect("a payment");
        world.read_payment(&held, &payment).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["todo"], &row["dispute_lost"]), (&json!(["payment"]), &json!(false)));
        assert_eq!((&row["payment_status"], &row["money"]["lost_cents"]), (&json!("disputed"), &json!(6_000)));
        let open = &row["dispute"];
        assert_eq!(
            (&open["id"], &open["status"], &open["needs_response"]),
            (&json!(dispute), &json!("needs_response"), &json!(true))
        );
        assert!(open["due_by"].is_string(), "{open}");

        world.stripe.close_dispute(&dispute, false).expect("open");
        world.read_payment(&held, &payment).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["todo"], &row["dispute_lost"], &row["dispute"]), (&json!([]), &json!(true), &Value::Null));
        assert_eq!((&row["payment_status"], &row["money"]["balance_cents"]), (&json!("lost"), &json!(0)));
    });
}

#[test]
fn what_was_called_off_during_a_dispute_that_is_won_goes_back_by_itself() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let payment = world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("paid").to_owned();
        let dispute = world.stripe.dispute(&payment, "fraudulent").expect("a payment");
        world.read_payment(&held, &payment).await;
        let row = shown(world, &held.id()).await;
        let sentence = row["cancellation"]["sentence"].as_str().expect("a sentence");
        assert!(sentence.contains("Si elle vous donne raison, 60\u{a0}€"), "{sentence}");
        let answer = cancel(world, &held.id()).await;
        assert_eq!((answer.status, &answer.body["payment_status"]), (200, &json!("disputed")), "{}", answer.body);
        run_everything(world).await;
        assert_eq!(world.stripe.refunds().len(), 0, "the bank has it");

        world.stripe.close_dispute(&dispute, true).expect("open");
        world.read_payment(&held, &payment).await;
        assert_eq!(shown(world, &held.id()).await["payment_status"], "refund_pending");
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!(
            (&row["payment_status"], &row["money"]["owed_cents"], &row["todo"]),
            (&json!("refunded"), &json!(0), &json!([]))
        );
        assert_eq!(world.stripe.refunds()[0]["amount"], 6_000);
        assert!(
            row["mails"].as_array().expect("mails").iter().any(|mail| mail["template"] == "client_late_refund"),
            "{}",
            row["mails"]
        );
    });
}

#[test]
fn a_part_of_the_deposit_goes_back_by_hand_and_the_appointment_stands() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!(row["money"]["refundable_cents"], 6_000);
        let target = format!("{}/refund", path(&held.id()));
        for wrong in [0, -1, 6_001] {
            let body = json!({ "version": row["version"], "amount_cents": wrong });
            assert_eq!(post(world, &NOA, &target, body).await.status, 422, "{wrong}");
        }
        let body = json!({ "version": row["version"], "amount_cents": 2_050 });
        let answer = post(world, &NOA, &target, body.clone()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("confirmed")), "{}", answer.body);
        assert_eq!(
            (&answer.body["payment_status"], &answer.body["money"]["owed_cents"]),
            (&json!("refund_pending"), &json!(2_050))
        );
        assert_eq!(post(world, &NOA, &target, body).await.status, 409, "pressed twice");
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["payment_status"], &row["money"]["balance_cents"]), (&json!("paid"), &json!(3_950)));
        assert_eq!(
            world.stripe.refunds().iter().map(|refund| refund["amount"].clone()).collect::<Vec<_>>(),
            [json!(2_050)]
        );
        assert!(row["mails"].as_array().expect("mails").iter().any(|mail| mail["template"] == "client_late_refund"));
    });
}

#[test]
fn a_payment_that_is_not_as_asked_is_taken_as_it_came_at_a_press() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let payment = shared::domain::booking::Payment {
            payment_intent: "pi_short".into(),
            amount: shared::domain::money::Cents::new(5_999),
            currency: "eur".into(),
            at: world.now(),
        };
        let reference = shared::db::bookings::Reference::booking(held.id);
        shared::settle::settle(&world.db(), &reference, None, world.now(), |booking, free| {
            booking.receive(&payment, free, world.now())
        })
        .await
        .expect("written");
        let row = shown(world, &held.id()).await;
        assert!(row["actions"].as_array().expect("actions").contains(&json!("accept")), "{}", row["actions"]);
        let answer =
            post(world, &NOA, &format!("{}/accept", path(&held.id())), json!({ "version": row["version"] })).await;
        assert_eq!(
            (answer.status, &answer.body["status"], &answer.body["payment_status"]),
            (200, &json!("confirmed"), &json!("paid"))
        );
        assert_eq!(
            (&answer.body["payment_problem"], &answer.body["money"]["balance_cents"]),
            (&Value::Null, &json!(5_999))
        );
    });
}

#[test]
fn a_paid_appointment_is_called_off_and_the_money_goes_back_as_shown() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let answer = cancel(world, &held.id()).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("cancelled")), "{}", answer.body);
        assert_eq!(
            (&answer.body["payment_status"], &answer.body["cancellation"]),
            (&json!("refund_pending"), &Value::Null)
        );
        run_everything(world).await;
        let refunds = world.stripe.refunds();
        assert_eq!(refunds.len(), 1);
        assert_eq!(refunds[0]["amount"], 6000);
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["payment_status"], &row["money"]["balance_cents"]), (&json!("refunded"), &json!(0)));
        assert_eq!((&row["cancel_reason"], &row["calendar"]["state"]), (&json!("artist"), &json!("removed")));
        assert_eq!(world.calcom.bookings()[0]["status"], "cancelled");
        let mails = world.mails.messages_to("jo@example.fr");
        assert!(mails[0].text.contains("60\u{a0}€"), "{}", mails[0].text);
        assert_eq!(cancel(world, &held.id()).await.status, 400, "there is nothing left to call off, and no terms");
        let again = json!({ "version": row["version"], "refund_cents": 0 });
        assert_eq!(post(world, &NOA, &format!("{}/cancel", path(&held.id())), again).await.problem(), "not-possible");
    });
}

#[test]
fn a_client_who_calls_off_late_leaves_the_artist_what_the_terms_say() {
    World::run(|world| async move {
        // Noa's terms: everything up to 96 hours before, then half. It is the day before.
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        let figures = |of: &str| (row[of]["refund_cents"].clone(), row[of]["kept_cents"].clone());
        assert_eq!(figures("cancellation"), (json!(6000), json!(0)));
        assert_eq!(figures("cancellation_by_client"), (json!(3000), json!(3000)));

        // Each amount belongs to who cancels: the artist's is not the client's.
        for (by, refund) in [("client", 6000), ("client", 0), ("artist", 3000)] {
            let body = json!({ "version": row["version"], "refund_cents": refund, "by": by });
            let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), body).await;
            assert_eq!((answer.status, answer.problem()), (409, "money-changed"), "{by} {refund}");
        }
        for by in [json!("system"), json!("client "), json!(1)] {
            let body = json!({ "version": row["version"], "refund_cents": 3000, "by": by });
            let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), body).await;
            assert_eq!((answer.status, answer.problem()), (400, "malformed"), "{by}");
        }
        assert!(world.stripe.refunds().is_empty());

        let answer = cancel_for_client(world, &held.id()).await;
        assert_eq!((answer.status, &answer.body["cancel_reason"]), (200, &json!("client")), "{}", answer.body);
        let noa_knew = world.mails.messages_to(NOA.email).len();
        run_everything(world).await;
        assert_eq!(world.stripe.refunds().iter().map(|refund| refund["amount"].clone()).collect::<Vec<_>>(), [3000]);
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["payment_status"], &row["money"]["balance_cents"]), (&json!("refunded"), &json!(3000)));
        assert!(world.history(&held.id()).await.contains(&"artist cancelled".to_owned()));
        let mail = &world.mails.messages_to("jo@example.fr")[0];
        assert!(mail.text.contains("Comme vous l’avez demandé") && mail.text.contains("garde 30"), "{}", mail.text);
        assert_eq!(world.mails.messages_to(NOA.email).len(), noa_knew, "the artist pressed the button");
    });
}

#[test]
fn the_terms_that_a_client_had_in_time_are_not_those_of_an_hour_later() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&NOA, 0, "2027-02-10T09:00:00Z")).await;
        world.confirm(&held).await;
        let in_time = shown(world, &held.id()).await;
        assert_eq!(in_time["cancellation_by_client"]["refund_cents"], 6000);
        world.advance_minutes(8 * 24 * 60);
        let body = json!({ "version": in_time["version"], "refund_cents": 6000, "by": "client" });
        let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), body).await;
        assert_eq!((answer.status, answer.problem()), (409, "money-changed"));
        assert_eq!(shown(world, &held.id()).await["cancellation_by_client"]["refund_cents"], 3000);
    });
}

#[test]
fn other_terms_than_those_that_were_shown_are_not_carried_out() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let version = shown(world, &held.id()).await["version"].clone();
        for refund in [0, 5999, 6001, -6000] {
            let body = json!({ "version": version, "refund_cents": refund });
            let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), body).await;
            assert_eq!((answer.status, answer.problem()), (409, "money-changed"), "{refund}");
        }
        assert_eq!(shown(world, &held.id()).await["status"], "confirmed");
        assert!(world.stripe.refunds().is_empty());
    });
}

#[test]
fn an_unpaid_hold_is_called_off_once_its_page_is_closed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["cancellation"]["refund_cents"], &row["cancellation_by_client"]), (&json!(0), &Value::Null));
        let by_client = json!({ "version": row["version"], "refund_cents": 0, "by": "client" });
        let answer = post(world, &NOA, &format!("{}/cancel", path(&held.id())), by_client).await;
        assert_eq!(answer.problem(), "not-possible", "a hold that nobody has paid simply ends");
        let answer = cancel(world, &held.id()).await;
        assert_eq!((answer.status, &answer.body["cancel_reason"]), (200, &json!("artist")), "{}", answer.body);
        assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "expired");
        run_everything(world).await;
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1, "the client is told");
    });
}

#[test]
fn a_payment_in_flight_wins_over_the_artists_click() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.stripe.switch(|switches| switches.drop_webhooks = true);
        world.stripe.pay(&held.session, Outcome::Paid).expect("it is paid");
        let answer = cancel(world, &held.id()).await;
        assert_eq!((answer.status, answer.problem()), (409, "changed-meanwhile"));
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["status"], &row["payment_status"]), (&json!("confirmed"), &json!("paid")));
        // On the terms of a paid one it can be called off.
        assert_eq!(cancel(world, &held.id()).await.status, 200);
    });
}

#[test]
fn nothing_is_called_off_while_stripe_cannot_say_whether_it_is_being_paid() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
        let answer = cancel(world, &held.id()).await;
        assert_eq!((answer.status, answer.problem()), (502, "stripe-unavailable"));
        assert_eq!(shown(world, &held.id()).await["status"], "pending");
    });
}

#[test]
fn who_came_is_said_once_it_has_begun_and_can_be_mended() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        for action in ["complete", "no-show"] {
            assert_eq!(act(world, &held.id(), action).await.problem(), "not-possible", "{action}");
        }
        world.advance_minutes(30 * 60);
        assert_eq!(shown(world, &held.id()).await["todo"], json!(["outcome"]));
        let missed = act(world, &held.id(), "no-show").await;
        assert_eq!((&missed.body["status"], &missed.body["no_show"]), (&json!("completed"), &json!(true)));
        let came = act(world, &held.id(), "complete").await;
        assert_eq!((came.status, &came.body["no_show"]), (200, &json!(false)));
        assert_eq!(came.body["todo"], json!([]));
        assert_eq!(came.body["money"]["balance_cents"], 6000, "the deposit stays");
    });
}

#[test]
fn a_note_is_kept_and_only_the_artist_reads_it() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let noted =
            post(world, &NOA, &format!("{}/note", path(&held.id())), json!({ "note": "Allergique au latex 🌿" })).await;
        assert_eq!((noted.status, &noted.body["note"]), (200, &json!("Allergique au latex 🌿")));
        assert_eq!(noted.body["version"], 1, "a note is no change of state");
        world.confirm(&held).await;
        run_everything(world).await;
        assert!(world.mails.messages().iter().all(|mail| !mail.text.contains("latex")));
        assert!(!world.history(&held.id()).await.join(" ").contains("latex"));
        let list = get(world, &NOA, "/api/dashboard/bookings").await;
        assert!(!list.body.to_string().contains("latex"));
    });
}

#[test]
fn a_mail_is_sent_once_more_when_it_is_still_true() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let target = format!("{}/resend", path(&held.id()));
        let before = world.mails.messages_to("jo@example.fr").len();
        let confirmed = json!({ "template": "client_confirmed" });
        // Two clicks before the first has left are one mail.
        for _ in 0..2 {
            assert_eq!(post(world, &NOA, &target, confirmed.clone()).await.status, 200);
        }
        run_everything(world).await;
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), before + 1);
        assert_eq!(post(world, &NOA, &target, confirmed.clone()).await.status, 200);
        run_everything(world).await;
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), before + 2);
        for template in ["client_cancelled", "artist_confirmed", "client_late_refund", "client_nonsense"] {
            let answer = post(world, &NOA, &target, json!({ "template": template })).await;
            assert_eq!(answer.problem(), "not-possible", "{template}");
        }
        let last = loop {
            let answer = post(world, &NOA, &target, confirmed.clone()).await;
            if answer.status != 200 {
                break answer;
            }
        };
        assert_eq!((last.status, last.problem()), (429, "too-many-requests"));
        assert!(world.history(&held.id()).await.contains(&"artist mail_asked_again".to_owned()));
    });
}

#[test]
fn a_job_that_failed_is_seen_with_what_to_do_and_can_begin_anew() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        world.mails.set(dev::aws::Condition::Bounce);
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert!(row["failed_jobs"].as_i64().is_some_and(|count| count >= 1), "{row}");
        assert_eq!(row["todo"], json!(["job"]));
        let jobs = row["jobs"].as_array().expect("jobs");
        let failed = jobs.iter().find(|job| job["template"] == "client_confirmed").expect("the client's mail");
        assert_eq!((&failed["state"], &failed["can_retry"]), (&json!("discarded"), &json!(true)));
        assert!(failed["advice"].as_str().is_some_and(|advice| advice.contains("adresse")), "{failed}");
        let done = jobs.iter().find(|job| job["state"] == "done").expect("the calendar");
        let id = |job: &Value| job["id"].as_str().expect("an id").to_owned();
        let retry =
            async |job: &str| post(world, &NOA, &format!("{}/jobs/{job}/retry", path(&held.id())), json!({})).await;
        assert_eq!(retry(&id(done)).await.problem(), "not-possible");
        assert_eq!(retry(&uuid::Uuid::now_v7().to_string()).await.problem(), "not-found");

        world.mails.set(dev::aws::Condition::Ok);
        for job in jobs.iter().filter(|job| job["can_retry"] == true) {
            let answer = retry(&id(job)).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        assert_eq!(retry(&id(failed)).await.problem(), "not-possible", "it has begun anew");
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["failed_jobs"], &row["todo"]), (&json!(0), &json!([])));
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1);
        assert!(world.history(&held.id()).await.contains(&"artist job_retried".to_owned()));
    });
}

#[test]
fn what_was_taken_back_has_not_failed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        act(world, &held.id(), "confirm").await;
        act(world, &held.id(), "undo-confirm").await;
        // A mail that is not true any more when its turn comes is dropped, and that is as it should be.
        let target = format!("{}/resend", path(&held.id()));
        assert_eq!(
            post(world, &NOA, &target, json!({ "template": "client_confirmed" })).await.problem(),
            "not-possible"
        );
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["failed_jobs"], &row["todo"]), (&json!(0), &json!(["confirm"])));
        assert!(row["jobs"].as_array().expect("jobs").iter().any(|job| job["state"] == "discarded"));
    });
}

#[test]
fn words_come_in_the_language_of_the_page() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let app = crate::app_with(world, world.db());
        let cookie = world.cookie(&NOA);
        let headers = [("cookie", cookie.as_str()), ("accept-language", "en")];
        let request = testing::request(lambda_http::http::Method::GET, &path(&held.id()), &headers, None);
        let answer = testing::ask(&app.web, request, |request| dashboard_bookings::handle(&app, request)).await;
        assert!(
            answer.body["cancellation"]["sentence"].as_str().is_some_and(|s| s.contains("go back")),
            "{}",
            answer.body
        );
    });
}

/// A paid booking that the artist asked to move in Cal.com: it is gone there, and stands here.
async fn called_off(world: &World) -> testing::Held {
    let held = world.hold(&Plan::default()).await;
    world.confirm(&held).await;
    run_everything(world).await;
    let uid = shown(world, &held.id()).await["calendar"]["url"]
        .as_str()
        .expect("a link")
        .rsplit('/')
        .next()
        .map(str::to_owned);
    world.calcom.cancel_as(&uid.expect("a uid"), dev::calcom::Canceller::Reschedule, "Pas ce jour-là").expect("there");
    let compared = shared::follow_calendar::compare(&world.db(), &world.calendars(), held.id, None, world.now()).await;
    assert_eq!(compared.expect("asked").outcome().name(), "artist_is_asked");
    run_everything(world).await;
    held
}

fn live(world: &World) -> usize {
    world.calcom.bookings().iter().filter(|booking| booking["status"] == "accepted").count()
}

#[test]
fn what_was_called_off_in_cal_com_is_put_back_there_by_a_press() {
    World::run(|world| async move {
        let held = called_off(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!(row["todo"], json!(["called_off"]));
        assert_eq!(row["calendar"]["note"], "cancelled_or_reschedule_requested");
        assert!(row["actions"].as_array().expect("a list").contains(&json!("put_back")));
        let old = post(world, &NOA, &format!("{}/put-back", path(&held.id())), json!({ "version": 1 })).await;
        assert_eq!((old.status, old.problem()), (409, "changed-meanwhile"));

        let back = act(world, &held.id(), "put-back").await;
        assert_eq!((back.status, &back.body["todo"]), (200, &json!([])), "{}", back.body);
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!(
            (&row["status"], &row["payment_status"], &row["calendar"]["state"]),
            (&json!("confirmed"), &json!("paid"), &json!("synced"))
        );
        assert_eq!((live(world), world.calcom.bookings().len()), (1, 2));
        let again = act(world, &held.id(), "put-back").await;
        assert_eq!((again.status, again.problem()), (409, "not-possible"));
    });
}

#[test]
fn what_was_called_off_in_cal_com_is_cancelled_with_everything_back_by_a_press() {
    World::run(|world| async move {
        let held = called_off(world).await;
        let cancelled = cancel(world, &held.id()).await;
        assert_eq!((cancelled.status, &cancelled.body["todo"]), (200, &json!([])), "{}", cancelled.body);
        run_everything(world).await;
        let row = shown(world, &held.id()).await;
        assert_eq!((&row["payment_status"], &row["calendar"]["state"]), (&json!("refunded"), &json!("removed")));
    });
}
