//! `POST /api/webhooks/calcom` through `handle`: who is believed, that an event is a hint and no more, and that what the
//! artist does in Cal.com happens here too, where the database allows it.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use calcom_webhook::{App, handle};
use dev::calcom::{Canceller, Down, sign};
use dev::demo::NOA;
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::domain::ids::JobId;
use testing::{self, Answer, Held, PUBLIC_URL, Plan, World, at, messages};

/// What is noted of a booking that Cal.com moved: it takes its event type's own length.
const OTHER_LENGTH: &str = "has another length in Cal.com";

const PATH: &str = "/api/webhooks/calcom";

fn account() -> &'static dev::demo::CalcomAccount {
    NOA.calcom.as_ref().expect("Noa uses Cal.com")
}

fn app(world: &World) -> App {
    App { db: world.db(), calendars: world.calendars(), queue: world.queue(), clock: world.clock() }
}

async fn deliver_signed(world: &World, payload: &str, signature: &str) -> Answer {
    let headers = [("content-type", "application/json"), ("x-cal-signature-256", signature)];
    let request = testing::request(Method::POST, PATH, &headers, Some(payload.to_owned()));
    let app = app(world);
    testing::ask(&world.web(), request, |request| handle(&app, request)).await
}

async fn deliver(world: &World, payload: &str) -> Answer {
    deliver_signed(world, payload, &sign(payload, Some(account().webhook_secret))).await
}

async fn outcome(world: &World, payload: &str) -> String {
    let answer = deliver(world, payload).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["outcome"].as_str().expect("an outcome").to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
fn in_seconds(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

/// Runs every job that is left, as the queue would in the end.
async fn run_everything(world: &World) {
    let worker = worker::App {
        db: world.db(),
        queue: world.queue(),
        mailer: world.mailer(),
        stripe: world.stripe_client(),
        calendars: world.calendars(),
        clock: world.clock(),
        public_url: PUBLIC_URL.into(),
        calcom_pages: "https://cal.test".into(),
        lease: Duration::from_secs(90),
        max_attempts: 8,
    };
    for _ in 0..10 {
        let open = world.open_jobs().await;
        if open.is_empty() {
            return;
        }
        let ids: Vec<JobId> =
            open.iter().map(|job| job["id"].as_str().expect("an id").parse().expect("an id")).collect();
        let event: SqsEvent = serde_json::from_value(messages(&ids)).expect("an SQS event");
        worker::handle(&worker, event, in_seconds(20)).await;
    }
    panic!("these jobs do not end: {:?}", world.open_jobs().await);
}

/// A booking of Noa's that Cal.com has, and a subscription whose webhooks go nowhere by themselves.
async fn there(world: &World, plan: &Plan, paid: bool) -> (Held, String) {
    world
        .calcom
        .subscribe(account().username, "http://127.0.0.1:9/", Some(account().webhook_secret), &[])
        .expect("Noa is there");
    let held = world.hold(plan).await;
    if paid {
        world.confirm(&held).await;
    }
    run_everything(world).await;
    let uid = world.booking(&held.id()).await["cal_com_booking_id"].as_str().expect("it is there").to_owned();
    (held, uid)
}

/// The newest webhook that Cal.com sent, exactly as it was sent.
async fn newest(world: &World, trigger: &str) -> String {
    for _ in 0..200 {
        let sent = world.calcom.deliveries().into_iter().rev().find(|delivery| delivery.trigger == trigger);
        if let Some(sent) = sent {
            return sent.payload;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("Cal.com sent no {trigger}: {:?}", world.calcom.deliveries().iter().map(|d| &d.trigger).collect::<Vec<_>>());
}

/// The newest one that is not `older`.
async fn newer(world: &World, trigger: &str, older: &str) -> String {
    for _ in 0..200 {
        let newest = newest(world, trigger).await;
        if newest != older {
            return newest;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("Cal.com sent no other {trigger}");
}

async fn facts(world: &World, held: &Held, names: &[&str]) -> Vec<Value> {
    let row = world.booking(&held.id()).await;
    names.iter().map(|name| row[name].clone()).collect()
}

async fn open_names(world: &World) -> Vec<String> {
    let rows = world
        .rows("select coalesce(args->>'template', kind) as name from outbox where done_at is null order by 1", &[])
        .await;
    rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
}

mod believed {
    use super::*;

    #[test]
    fn only_what_the_artists_own_secret_signs_is_believed() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let (held, uid) = there(world, &Plan::default(), true).await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            let good = sign(&payload, Some(account().webhook_secret));
            let other = sign(&payload, Some("another secret"));
            let altered = payload.replace("CANCELLED", "cancelled");
            for (payload, signature) in [
                (&payload, "no-secret-provided"),
                (&payload, ""),
                (&payload, other.as_str()),
                (&payload, &good[..63]),
                (&altered, good.as_str()),
            ] {
                let answer = deliver_signed(world, payload, signature).await;
                assert_eq!((answer.status, answer.problem()), (401, "unauthenticated"), "{signature}");
            }
            assert_eq!(facts(world, &held, &["status"]).await, ["confirmed"]);
            assert_eq!(world.count("calcom_events").await, 0);
            assert_eq!(outcome(world, &payload).await, "cancelled");
            logs.raise("calcom-webhook", "hook-not-believed");
        });
    }

    #[test]
    fn a_stranger_writes_no_line_of_the_webhooks_log() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let (_held, uid) = there(world, &Plan::default(), true).await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let real = newest(world, "BOOKING_CANCELLED").await;
            let long = format!("jo@example.fr {}", "A".repeat(200_000));
            let event = |name: &str, uid: &str| {
                json!({ "triggerEvent": name, "createdAt": "2026-12-01T10:00:00Z", "payload": { "uid": uid } })
                    .to_string()
            };
            // Of nobody, unsigned; of nobody, by a name that we want to hear of; and signed, by the artist's own hand.
            assert_eq!(deliver_signed(world, &event(&long, "nobody's"), "").await.status, 401);
            assert_eq!(deliver_signed(world, &event("BOOKING_REJECTED", "nobody's"), "").await.status, 401);
            assert_eq!(outcome(world, &real.replace("BOOKING_CANCELLED", "jo@example.fr")).await, "artist_is_asked");
            logs.hold_nothing_of(&["jo@example.fr", "AAA"]);
            let text = logs.text();
            assert!(text.lines().all(|line| line.len() < 400), "{text}");
            assert!(text.contains("\"hook.trigger\":\"unknown\"") && text.contains("BOOKING_REJECTED"), "{text}");
        });
    }

    #[test]
    fn nothing_is_believed_for_an_artist_without_a_secret() {
        World::run(|world| async move {
            let (_held, uid) = there(world, &Plan::default(), true).await;
            world.execute("update artists set cal_com_webhook_secret = null").await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            for signature in ["no-secret-provided".to_owned(), sign(&payload, Some(""))] {
                assert_eq!(deliver_signed(world, &payload, &signature).await.status, 401);
            }
        });
    }

    #[test]
    fn no_body_that_is_not_a_webhook_is_believed() {
        World::run(|world| async move {
            for body in [
                "",
                "{}",
                "[]",
                "null",
                "{\"triggerEvent\":1}",
                "\u{fffd}",
                r#"{"triggerEvent":"X","createdAt":"soon"}"#,
            ] {
                let answer = deliver(world, body).await;
                assert_eq!((answer.status, answer.problem()), (400, "malformed"), "{body}");
            }
            let request = testing::request(Method::GET, PATH, &[], None);
            let app = app(world);
            assert_eq!(testing::ask(&world.web(), request, |request| handle(&app, request)).await.status, 405);
        });
    }

    #[test]
    fn no_artist_is_believed_about_another() {
        World::run(|world| async move {
            let (_held, uid) = there(world, &Plan::default(), true).await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            // Sent to the address of Léa, signed with Noa's secret.
            let headers = [("x-cal-signature-256", sign(&payload, Some(account().webhook_secret)))];
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let path = format!("{PATH}?artist={}", dev::demo::LEA.id);
            let request = testing::request(Method::POST, &path, &headers, Some(payload));
            let app = app(world);
            assert_eq!(testing::ask(&world.web(), request, |request| handle(&app, request)).await.status, 401);
        });
    }
}

mod a_move {
    use super::*;

    /// Field failure F14.
    #[test]
    fn a_move_in_cal_com_moves_the_booking_and_its_payment_stays() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            let moved = world.calcom.reschedule(&uid, at("2027-02-03T13:00:00Z")).expect("free");
            let payload = newest(world, "BOOKING_RESCHEDULED").await;
            world.mails.clear();
            assert_eq!(outcome(world, &payload).await, "moved");
            assert_eq!(
                facts(world, &held, &["scheduled_at", "ends_at", "status", "payment_status", "cal_com_booking_id"])
                    .await,
                [
                    json!("2027-02-03T13:00:00+00:00"),
                    json!("2027-02-03T15:00:00+00:00"),
                    json!("confirmed"),
                    json!("paid"),
                    json!(moved),
                ]
            );
            assert_eq!(world.history(&held.id()).await.last().map(String::as_str), Some("calcom moved"));
            run_everything(world).await;
            assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1, "the client is told once");
            // Cal.com moves with its event type's own length.
            assert_eq!(facts(world, &held, &["calendar_state", "calendar_note"]).await, ["synced", OTHER_LENGTH]);
            assert_eq!(world.calcom.bookings().iter().filter(|b| b["status"] == "accepted").count(), 1);
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000)]);
        });
    }

    /// Field failure F17.
    #[test]
    fn a_move_to_a_time_that_is_taken_here_moves_nothing_and_the_artist_is_told_once() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            // Held here and not written there, as an artist may choose.
            world.execute("update artists set cal_com_create_at = 'payment'").await;
            world.hold(&Plan::of(&NOA, 0, "2027-02-03T09:00:00Z").by("other@example.fr")).await;
            run_everything(world).await;
            world.calcom.reschedule(&uid, at("2027-02-03T10:00:00Z")).expect("Cal.com knows of nobody there");
            let payload = newest(world, "BOOKING_RESCHEDULED").await;
            world.mails.clear();
            assert_eq!(outcome(world, &payload).await, "slot_taken");
            assert_eq!(
                facts(world, &held, &["scheduled_at", "status", "calendar_state"]).await,
                ["2027-02-02T09:00:00+00:00", "confirmed", "conflict"]
            );
            run_everything(world).await;
            let told = world.mails.messages_to(NOA.email);
            assert_eq!(told.len(), 1);
            assert!(told[0].text.contains("déplacé ce rendez-vous dans votre Cal.com"), "{}", told[0].text);
            // The artist thinks again, and it is well.
            let uid = facts(world, &held, &["cal_com_booking_id"]).await.remove(0);
            world.calcom.reschedule(uid.as_str().expect("a uid"), at("2027-02-04T09:00:00Z")).expect("free");
            world.advance(Duration::from_secs(1));
            let payload = newer(world, "BOOKING_RESCHEDULED", &payload).await;
            assert_eq!(outcome(world, &payload).await, "moved");
            run_everything(world).await;
            assert_eq!(facts(world, &held, &["calendar_state", "calendar_note"]).await, ["synced", OTHER_LENGTH]);
        });
    }

    #[test]
    fn a_move_that_comes_late_or_twice_is_what_cal_com_says_now() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            let second = world.calcom.reschedule(&uid, at("2027-02-03T13:00:00Z")).expect("free");
            let early = newest(world, "BOOKING_RESCHEDULED").await;
            world.advance(Duration::from_secs(1));
            world.calcom.reschedule(&second, at("2027-02-04T13:00:00Z")).expect("free");
            let late = newer(world, "BOOKING_RESCHEDULED", &early).await;
            assert_eq!(outcome(world, &late).await, "moved");
            run_everything(world).await;
            assert_eq!(outcome(world, &early).await, "agrees", "the older news is old");
            assert_eq!(outcome(world, &early).await, "known_event");
            assert_eq!(outcome(world, &late).await, "known_event");
            assert_eq!(facts(world, &held, &["scheduled_at"]).await, ["2027-02-04T13:00:00+00:00"]);
            assert_eq!(world.count("calcom_events").await, 2);
        });
    }
}

mod a_cancellation {
    use super::*;

    /// Field failure F10.
    #[test]
    fn a_cancellation_in_cal_com_cancels_the_booking_and_everything_paid_goes_back_once() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            world.mails.clear();
            assert_eq!(outcome(world, &payload).await, "cancelled");
            assert_eq!(
                facts(world, &held, &["status", "cancel_reason", "payment_status"]).await,
                ["cancelled", "calendar", "refund_pending"]
            );
            assert_eq!(open_names(world).await, ["artist_cancelled", "client_cancelled", "refund", "sync_calendar"]);
            run_everything(world).await;
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000), ("refund".to_owned(), -6_000)]);
            assert_eq!(facts(world, &held, &["payment_status", "calendar_state"]).await, ["refunded", "removed"]);
            assert_eq!(world.stripe.refunds().len(), 1);
            assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1, "one truthful mail");
        });
    }

    /// The promise made to the client: everything up to so many hours before, nothing after that.
    async fn promise(world: &World, hours: u32) {
        let policy =
            json!({ "full_refund_hours": hours, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte" });
        world.execute(&format!("update bookings set policy = '{policy}'")).await;
    }

    async fn todo(world: &World, held: &Held) -> Value {
        let sql =
            format!("select dashboard_todo(b, '{}') as todo from bookings b where b.id = '{}'", world.now(), held.id);
        world.rows(&sql, &[]).await[0]["todo"].clone()
    }

    #[test]
    fn a_cancellation_by_the_client_in_cal_coms_own_mail_goes_by_the_policy_and_names_the_client() {
        World::run(|world| async move {
            // The appointment is in 25 hours.
            let (held, uid) = there(world, &Plan::default(), true).await;
            promise(world, 72).await;
            world.calcom.cancel_as(&uid, Canceller::Client, "Je ne peux pas").expect("it is there");
            world.mails.clear();
            assert_eq!(outcome(world, &newest(world, "BOOKING_CANCELLED").await).await, "cancelled");
            run_everything(world).await;
            assert_eq!(
                facts(world, &held, &["status", "cancel_reason", "payment_status", "kept_cents"]).await,
                [json!("cancelled"), json!("client"), json!("paid"), json!(6_000)]
            );
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000)]);
            assert!(world.history(&held.id()).await.contains(&"client cancelled".to_owned()));
            assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1);
            assert_eq!(world.mails.messages_to(NOA.email).len(), 1, "the artist hears of it");
        });
    }

    #[test]
    fn a_cancellation_by_the_client_in_time_counts_from_the_press_of_the_button() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            promise(world, 24).await;
            world.calcom.cancel_as(&uid, Canceller::Client, "Je ne peux pas").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            // Heard of two hours later, when it would be too late.
            world.advance_minutes(120);
            assert_eq!(outcome(world, &payload).await, "cancelled");
            run_everything(world).await;
            assert_eq!(facts(world, &held, &["cancel_reason", "payment_status"]).await, ["client", "refunded"]);
        });
    }

    #[test]
    fn a_cancellation_by_a_client_who_repeats_our_words_is_not_taken_for_our_own() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            promise(world, 72).await;
            world.calcom.cancel_as(&uid, Canceller::Client, "InkFlow: the booking was cancelled").expect("there");
            assert_eq!(outcome(world, &newest(world, "BOOKING_CANCELLED").await).await, "cancelled");
            assert_eq!(facts(world, &held, &["cancel_reason", "kept_cents"]).await, [json!("client"), json!(6_000)]);
        });
    }

    #[test]
    fn a_cancellation_that_asks_for_another_time_or_comes_from_somebody_moves_nothing_and_asks_the_artist_once() {
        World::run(|world| async move {
            let mut last = String::new();
            for (by, words, start) in [
                (Canceller::Reschedule, "une autre heure", "2027-02-02T09:00:00Z"),
                (Canceller::Somebody, "ne sait pas par qui", "2027-02-03T09:00:00Z"),
            ] {
                let (held, uid) = there(world, &Plan::of(&NOA, 0, start), true).await;
                world.calcom.cancel_as(&uid, by, "Pas ce jour-là").expect("it is there");
                let payload = newer(world, "BOOKING_CANCELLED", &last).await;
                last.clone_from(&payload);
                world.mails.clear();
                assert_eq!(outcome(world, &payload).await, "artist_is_asked", "{by:?}");
                run_everything(world).await;
                assert_eq!(
                    facts(world, &held, &["status", "payment_status", "calendar_state"]).await,
                    ["confirmed", "paid", "called_off"]
                );
                assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000)]);
                let told = world.mails.messages_to(NOA.email);
                assert_eq!(told.len(), 1);
                assert!(told[0].subject.starts_with("À vous de décider"), "{}", told[0].subject);
                assert!(told[0].text.contains(words), "{}", told[0].text);
                assert!(world.mails.messages_to("jo@example.fr").is_empty());
                assert_eq!(todo(world, &held).await, json!(["called_off"]));
                // Asked once, however often it is looked at.
                world.advance(Duration::from_secs(1));
                let mut again: Value = serde_json::from_str(&payload).expect("JSON");
                again["createdAt"] = world.now().to_string().into();
                assert_eq!(outcome(world, &again.to_string()).await, "artist_is_asked");
                assert_eq!(open_names(world).await, Vec::<String>::new());
                world
                    .execute(
                        "update bookings set status = 'cancelled', cancel_reason = 'artist', version = version + 1",
                    )
                    .await;
            }
        });
    }

    #[test]
    fn a_cancellation_whose_webhook_says_what_it_was_is_believed_when_cal_com_can_be_asked_again() {
        World::run(|world| async move {
            let mut last = String::new();
            for (by, outcome_then, state, start) in [
                (Canceller::Reschedule, "artist_is_asked", "confirmed", "2027-02-02T09:00:00Z"),
                (Canceller::Artist, "cancelled", "cancelled", "2027-02-03T09:00:00Z"),
            ] {
                let (held, uid) = there(world, &Plan::of(&NOA, 0, start), true).await;
                world.calcom.cancel_as(&uid, by, "Pas ce jour-là").expect("it is there");
                let payload = newer(world, "BOOKING_CANCELLED", &last).await;
                last.clone_from(&payload);
                world.calcom.switch(|switches| switches.api.down = Some(Down::Unavailable));
                assert_eq!(deliver(world, &payload).await.status, 503);
                world.calcom.switch(|switches| switches.api.down = None);
                // As the sweeper does, with no webhook at hand.
                let compared =
                    shared::follow_calendar::compare(&world.db(), &world.calendars(), held.id, None, world.now()).await;
                assert_eq!(compared.expect("asked").outcome().name(), outcome_then);
                assert_eq!(facts(world, &held, &["status"]).await, [state]);
                world.execute("update bookings set calendar_state = 'off'").await;
                world.advance(Duration::from_secs(1));
            }
        });
    }

    #[test]
    fn a_cancellation_of_an_unpaid_hold_gives_the_slot_back_and_closes_its_page() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), false).await;
            world.calcom.cancel(&uid, "Déjà pris").expect("it is there");
            assert_eq!(outcome(world, &newest(world, "BOOKING_CANCELLED").await).await, "cancelled");
            assert_eq!(facts(world, &held, &["status", "cancel_reason"]).await, ["cancelled", "calendar"]);
            run_everything(world).await;
            assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "expired");
        });
    }

    #[test]
    fn a_cancellation_that_met_a_payment_on_its_way_refunds_it() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), false).await;
            world.calcom.cancel(&uid, "Déjà pris").expect("it is there");
            world.pay(&held);
            assert_eq!(outcome(world, &newest(world, "BOOKING_CANCELLED").await).await, "cancelled");
            run_everything(world).await;
            assert_eq!(facts(world, &held, &["status", "payment_status"]).await, ["cancelled", "refunded"]);
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000), ("refund".to_owned(), -6_000)]);
        });
    }
}

mod a_hint {
    use super::*;

    #[test]
    fn a_hint_that_is_not_true_changes_nothing() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default(), true).await;
            let created = newest(world, "BOOKING_CREATED").await;
            // Signed as it should be, by somebody who has the secret and lies.
            let mut event: Value = serde_json::from_str(&created).expect("JSON");
            event["triggerEvent"] = "BOOKING_CANCELLED".into();
            event["payload"]["status"] = "CANCELLED".into();
            event["payload"]["startTime"] = "2030-01-01T00:00:00Z".into();
            assert_eq!(outcome(world, &event.to_string()).await, "agrees");
            assert_eq!(
                facts(world, &held, &["status", "scheduled_at"]).await,
                ["confirmed", "2027-02-02T09:00:00+00:00"]
            );
        });
    }

    #[test]
    fn a_hint_that_is_the_echo_of_our_own_doing_is_recognised() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default(), true).await;
            assert_eq!(outcome(world, &newest(world, "BOOKING_CREATED").await).await, "agrees");
            let history = world.history(&held.id()).await;
            // The artist cancels in InkFlow; the worker cancels in Cal.com, which tells us so.
            world.execute("update outbox set done_at = now(), outcome = 'done' where done_at is null").await;
            let now = world.now();
            let reference = shared::db::bookings::Reference::booking(held.id);
            let by = shared::domain::policy::Canceller::Artist;
            let reason = shared::domain::booking::CancelReason::Artist;
            shared::settle::settle(&world.db(), &reference, None, now, |booking, _| booking.cancel(reason, by, now))
                .await
                .expect("cancelled");
            run_everything(world).await;
            let payload = newest(world, "BOOKING_CANCELLED").await;
            assert_eq!(outcome(world, &payload).await, "agrees");
            assert_eq!(facts(world, &held, &["status", "cancel_reason"]).await, ["cancelled", "artist"]);
            assert!(world.history(&held.id()).await.len() > history.len());
            assert_eq!(open_names(world).await, Vec::<String>::new());
        });
    }

    #[test]
    fn a_hint_that_comes_while_a_job_is_at_it_leaves_it_to_the_job() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), false).await;
            world.confirm(&held).await;
            world.calcom.cancel(&uid, "Déjà pris").expect("it is there");
            assert_eq!(outcome(world, &newest(world, "BOOKING_CANCELLED").await).await, "busy");
            assert_eq!(facts(world, &held, &["status"]).await, ["confirmed"]);
            run_everything(world).await;
            assert_eq!(facts(world, &held, &["status", "payment_status"]).await, ["cancelled", "refunded"]);
        });
    }

    #[test]
    fn a_hint_that_cannot_be_checked_now_is_checked_by_the_next_sweep() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default(), true).await;
            world.execute("update bookings set calendar_checked_at = now()").await;
            world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
            let payload = newest(world, "BOOKING_CANCELLED").await;
            world.calcom.switch(|switches| switches.api.down = Some(Down::Unavailable));
            let answer = deliver(world, &payload).await;
            assert_eq!((answer.status, answer.problem()), (503, "calendar-unavailable"));
            assert_eq!(
                facts(world, &held, &["status", "calendar_checked_at"]).await,
                ["confirmed", "1970-01-01T00:00:00+00:00"]
            );
            assert_eq!(world.count("calcom_events").await, 0, "it was not heard");
            world.calcom.switch(|switches| switches.api.down = None);
            assert_eq!(outcome(world, &payload).await, "cancelled");
        });
    }

    #[test]
    fn about_something_of_the_artists_own_is_none_of_ours() {
        World::run(|world| async move {
            there(world, &Plan::default(), true).await;
            let mut event: Value = serde_json::from_str(&newest(world, "BOOKING_CREATED").await).expect("JSON");
            event["payload"]["metadata"] = json!({});
            event["payload"]["uid"] = "somebodyelses".into();
            assert_eq!(outcome(world, &event.to_string()).await, "not_ours");
            // A name and an address travel with it: nothing of them is kept.
            let kept = world.rows("select payload from calcom_events", &[]).await;
            assert_eq!(kept, [json!({ "payload": {} })]);
        });
    }
}
