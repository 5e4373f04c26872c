//! The sweeper through `sweep`: with no webhook and no queue at all, the system is right again within one sweep.

use std::time::{Duration, SystemTime};

use dev::aws::Condition;
use dev::calcom::Canceller;
use dev::demo::{LEA, NOA};
use dev::stripe::{Down, Outcome, RefundMode};
use serde_json::{Value, json};
use shared::db::outbox;
use shared::settle;
use sweeper::{App, Report, sweep};
use testing::{Held, PUBLIC_URL, Plan, World};

fn app(world: &World) -> App {
    App {
        db: world.db(),
        queue: world.queue(),
        stripe: world.stripe_client(),
        calendars: world.calendars(),
        clock: world.clock(),
        public_url: PUBLIC_URL.into(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
fn in_seconds(seconds: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(seconds)
}

/// What the look at Stripe's events adds to a sweep is tested in `events`, and left out elsewhere.
async fn swept(world: &World) -> Report {
    Report { events_found: 0, ..swept_whole(world).await }
}

async fn swept_whole(world: &World) -> Report {
    sweep(&app(world), in_seconds(60)).await.expect("the database answers")
}

/// The queue holds these jobs, whatever their order; it is empty afterwards.
async fn queued(world: &World) -> Vec<String> {
    let mut jobs = Vec::new();
    loop {
        let batch = world.receive().await;
        let records = batch["Records"].as_array().expect("records");
        if records.is_empty() {
            jobs.sort();
            return jobs;
        }
        for record in records {
            let body: Value = serde_json::from_str(record["body"].as_str().expect("a body")).expect("JSON");
            jobs.push(body["job_id"].as_str().expect("an id").to_owned());
            world.delete(record["receiptHandle"].as_str().expect("a handle")).await;
        }
    }
}

async fn open_ids(world: &World) -> Vec<String> {
    let mut ids: Vec<String> =
        world.open_jobs().await.iter().map(|job| job["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

async fn state(world: &World, held: &Held) -> [String; 2] {
    let row = world.booking(&held.id()).await;
    ["status", "payment_status"].map(|fact| row[fact].as_str().expect("a word").to_owned())
}

/// All that was written so far is done, so that only what comes next is seen.
async fn all_done(world: &World) {
    world.execute("update outbox set done_at = created_at, outcome = 'done' where done_at is null").await;
    // Nothing of it is in Cal.com, and nobody misses it.
    world.execute("update bookings set calendar_state = 'off'").await;
}

async fn hold(world: &World, plan: Plan) -> Held {
    let held = world.hold(&plan).await;
    all_done(world).await;
    held
}

fn asked(world: &World) -> Vec<String> {
    let requests = world.stripe.requests();
    let asked = requests.iter().map(|request| format!("{} {}", request.method, request.path));
    asked.filter(|asked| asked != "GET /v1/events").collect()
}

mod a_healthy_system {
    use super::*;

    /// What a booking says of its client.
    async fn person(world: &World, id: &str) -> String {
        let row = world.booking(id).await;
        ["client_name", "client_email", "client_phone", "project_description", "project_body_zone"]
            .iter()
            .map(|name| row[*name].as_str().unwrap_or_default())
            .collect()
    }

    #[test]
    fn a_hold_that_nobody_paid_names_nobody_after_thirty_days() {
        World::run(|world| async move {
            let lapsed = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z").project()).await;
            let paid = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z").by("sam@example.com")).await;
            world.confirm(&paid).await;
            world.advance_minutes(31);
            swept(world).await;
            assert_eq!(world.booking(&lapsed.id()).await["status"], "cancelled");
            world
                .execute(&format!(
                    r"insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, created_at)
                 values (gen_random_uuid(), '{}', 'client_held', '1', 'jo@example.fr', 'sent', '{}')",
                    lapsed.id,
                    world.now()
                ))
                .await;
            world.advance_minutes(29 * 24 * 60);
            swept_whole(world).await;
            assert!(person(world, &lapsed.id()).await.contains("jo@example.fr"));
            world.advance_minutes(2 * 24 * 60);
            assert!(swept_whole(world).await.forgotten > 0);
            assert_eq!(person(world, &lapsed.id()).await, "");
            let kept = world.rows("select recipient from email_deliveries", &[]).await;
            assert!(!format!("{kept:?}").contains("jo@example.fr"), "{kept:?}");
            // Who paid is in the books.
            assert!(person(world, &paid.id()).await.contains("sam@example.com"));
            assert_eq!(swept_whole(world).await.forgotten, 0, "once");
        });
    }

    #[test]
    fn what_accounting_needs_stays_for_ten_years_and_no_longer() {
        World::run(|world| async move {
            let paid = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
            world.confirm(&paid).await;
            world.execute("update bookings set status = 'completed', version = version + 1").await;
            world.execute("update outbox set done_at = created_at, outcome = 'done' where done_at is null").await;
            let count = async |table: &str| world.count(table).await;
            world.advance_minutes(9 * 365 * 24 * 60);
            swept_whole(world).await;
            assert!(person(world, &paid.id()).await.contains("jo@example.fr"));
            assert!(count("booking_events").await > 0 && count("payments").await > 0);
            assert_eq!(count("outbox").await, 0, "jobs that are done are of no use after ninety days");
            world.advance_minutes(2 * 365 * 24 * 60);
            swept_whole(world).await;
            assert_eq!(person(world, &paid.id()).await, "");
            assert!(count("payments").await > 0 && count("bookings").await == 1, "figures stay");
        });
    }

    #[test]
    fn what_stripe_told_is_kept_without_the_person() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world.confirm(&held).await;
            // As it was stored before.
            world
            .execute(
                r#"insert into stripe_events (id, type, livemode, created_at, received_at, outcome, payload) values ('evt_old', 'x', false,
                     '2026-01-01', '2026-01-01', 'paid', '{"id": "cs_1", "amount_total": 5000, "payment_intent": "pi_1",
                     "customer_details": {"email": "jo@example.fr"}, "client_secret": "cs_secret"}')"#,
            )
            .await;
            swept_whole(world).await;
            let kept = world.rows("select id, payload from stripe_events", &[]).await;
            let text = format!("{kept:?}");
            assert!(!kept.is_empty() && !text.contains("jo@example.fr") && !text.contains("secret"), "{text}");
            let old = kept.iter().find(|row| row["id"] == "evt_old").expect("its id stays");
            let expected = json!({ "id": "cs_1", "amount_total": 5000, "payment_intent": "pi_1", "trimmed": true });
            assert_eq!(old["payload"], expected);
        });
    }

    #[test]
    fn no_mail_is_being_sent_for_ever() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            let delivery = |template: &str, tries: i32| {
                format!(
                    r"insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, tries, created_at)
                 values (gen_random_uuid(), '{}', '{template}', '1', 'jo@example.fr', 'sending', {tries}, now())",
                    held.id
                )
            };
            // One whose job waits, one whose job was dropped after a lost answer, one that SES never took.
            world.execute("delete from outbox where kind = 'send_email'").await;
            world
            .execute(&format!(
                r"insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at) values (gen_random_uuid(),
                     'send_email', '{0}', '{{}}', 'send_email:{0}:client_held:1', '{1}', '{1}'::timestamptz + interval '1 hour')",
                held.id,
                world.now()
            ))
            .await;
            for (template, tries) in [("client_held", 1), ("client_confirmed", 1), ("client_moved", 0)] {
                world.execute(&delivery(template, tries)).await;
            }
            let logs = testing::Logs::listen();
            assert_eq!(swept(world).await.mails_in_doubt, 1);
            logs.raise("sweeper", "mail-in-doubt");
            let rows = world.rows("select status from email_deliveries order by template", &[]).await;
            let statuses: Vec<&str> = rows.iter().map(|row| row["status"].as_str().expect("a status")).collect();
            assert_eq!(statuses, ["unknown", "sending", "refused"]);
            assert_eq!(swept(world).await.mails_in_doubt, 0);
        });
    }

    #[test]
    fn a_healthy_system_is_asked_about_and_left_alone() {
        World::run(|world| async move {
            assert_eq!(swept(world).await, Report::default());
            let held = hold(world, Plan::default()).await;
            let paid = hold(world, Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
            world.confirm(&paid).await;
            all_done(world).await;
            // Its client is still on the way to Stripe.
            assert_eq!(swept(world).await, Report::default());

            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, ..Report::default() });
            assert_eq!(asked(world), [format!("GET /v1/checkout/sessions/{}", held.session)]);
            assert_eq!(
                (state(world, &held).await, state(world, &paid).await),
                (["pending", "unpaid"].map(String::from), ["confirmed", "paid"].map(String::from))
            );
            assert_eq!(queued(world).await, Vec::<String>::new());
        });
    }

    #[test]
    fn a_healthy_system_is_asked_about_once_a_minute_and_by_one_sweep_at_a_time() {
        World::run(|world| async move {
            hold(world, Plan::default()).await;
            world.advance_minutes(1);
            let (one, two) = (app(world), app(world));
            let (first, second) = tokio::join!(sweep(&one, in_seconds(60)), sweep(&two, in_seconds(60)));
            let both = first.expect("swept").asked + second.expect("swept").asked;
            assert_eq!((both, asked(world).len()), (1, 1));
            assert_eq!(swept(world).await.asked, 0, "just asked");
            world.advance_minutes(1);
            assert_eq!(swept(world).await.asked, 1);
        });
    }
}

mod jobs {
    use super::*;

    #[test]
    fn jobs_that_got_lost_on_the_way_are_sent_again() {
        World::run(|world| async move {
            world.hold(&Plan::default()).await;
            assert_eq!(swept(world).await.relayed, 0, "the direct way has half a minute");
            world.advance(Duration::from_secs(31));
            assert_eq!(swept(world).await.relayed, 2);
            assert_eq!(queued(world).await, open_ids(world).await);
            // Not again at once: a backlog is not made longer each minute.
            world.advance_minutes(1);
            assert_eq!(swept(world).await.relayed, 0);
            world.advance_minutes(3);
            assert_eq!(swept(world).await.relayed, 2);
        });
    }

    #[test]
    fn wait_while_the_queue_is_away_and_go_with_the_next_sweep() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            world.hold(&Plan::default()).await;
            world.advance(Duration::from_secs(31));
            world.sqs_gate.set(Condition::Down);
            let report = swept(world).await;
            assert_eq!((report.relayed, report.not_relayed), (0, 2));
            world.sqs_gate.set(Condition::Ok);
            assert_eq!(queued(world).await, Vec::<String>::new());
            world.advance_minutes(1);
            let report = swept(world).await;
            assert_eq!((report.relayed, report.not_relayed), (2, 0));
            assert_eq!(queued(world).await, open_ids(world).await);
            logs.raise("sweeper", "queue-unreachable");
        });
    }

    #[test]
    fn jobs_that_are_done_dead_or_being_worked_on_are_left_alone() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            let other = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
            let now = world.now();
            outbox::claim(&world.db(), held.jobs[0], Duration::from_secs(90), now).await.expect("claimed");
            world
                .execute(&format!("update outbox set done_at = now(), outcome = 'done' where id = '{}'", held.jobs[1]))
                .await;
            world
                .execute(&format!(
                    "update outbox set done_at = now(), outcome = 'dead', last_error = 'x' where id = '{}'",
                    other.jobs[0]
                ))
                .await;
            world.advance(Duration::from_secs(60));
            assert_eq!(swept(world).await.relayed, 0);
            // Its worker was killed: the lease is over.
            world.advance(Duration::from_secs(31));
            assert_eq!(swept(world).await.relayed, 1);
            assert_eq!(queued(world).await, [held.jobs[0].to_string()]);
        });
    }

    #[test]
    fn jobs_of_a_long_outage_all_go_in_one_sweep() {
        World::run(|world| async move {
            let held = world.hold(&Plan::default()).await;
            world
                .execute(&format!(
                    r"insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
                     select gen_random_uuid(), 'sync_calendar', '{}', '{{}}', 'many:' || n, '{now}', '{now}' from generate_series(1, 250) n",
                    held.id,
                    now = world.now(),
                ))
                .await;
            world.advance(Duration::from_secs(31));
            assert_eq!(swept(world).await.relayed, 252);
            assert_eq!(queued(world).await.len(), 252);
        });
    }
}

mod events {
    use super::*;

    /// Field failure F5.
    #[test]
    fn events_that_no_webhook_brought_are_found_and_treated_as_the_webhook_would() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            let held = hold(world, Plan::default()).await;
            world.confirm(&held).await;
            all_done(world).await;
            let payment =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            swept_whole(world).await;
            let dispute = world.stripe.dispute(&payment, "fraudulent").expect("it is paid");
            assert_eq!(swept_whole(world).await.events_found, 0, "a young event is on its way to the webhook");
            world.advance_minutes(11);
            let report = swept_whole(world).await;
            // The payment's own events, which `confirm` did without, and the dispute's.
            assert!(report.events_found >= 2, "{report:?}");
            assert!(world.jobs().await.iter().any(|job| job == "settle_payment"));
            world.read_payment(&held, &payment).await;
            assert_eq!(state(world, &held).await, ["confirmed", "disputed"]);
            assert_eq!(world.jobs().await.last().map(String::as_str), Some("artist_payment_problem"));

            world.stripe.close_dispute(&dispute, false).expect("open");
            world.advance_minutes(11);
            assert_eq!(swept_whole(world).await.events_found, 1);
            world.read_payment(&held, &payment).await;
            assert_eq!(state(world, &held).await, ["confirmed", "lost"]);
            assert_eq!(
                world.ledger(&held.id()).await,
                [("capture".to_owned(), 6_000), ("dispute_withdrawn".to_owned(), -6_000)]
            );
            world.advance_minutes(11);
            assert_eq!(swept_whole(world).await.events_found, 0, "each is found once");
            assert_eq!(world.count("stripe_events").await, i64::try_from(report.events_found).expect("few") + 1);
            logs.raise("sweeper", "webhook-lost");
            logs.raise("sweeper", "payment-disputed");
        });
    }

    #[test]
    fn events_that_a_person_must_hear_of_are_heard_without_a_webhook_too() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            world.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
            let held = hold(world, Plan::default()).await;
            world.confirm(&held).await;
            all_done(world).await;
            let payment =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let reason = shared::domain::job::RefundReason::Cancelled;
            let amount = shared::domain::money::Cents::new(6_000);
            let refund = world.stripe_client().refund(held.id, &payment, amount, reason, (1, 1), None).await;
            world.stripe.fail_refund(&refund.expect("refunded").id, "lost_or_stolen_card").expect("pending");

            world.execute("alter table stripe_events add constraint nothing check (false) not valid").await;
            world.advance_minutes(11);
            assert!(swept_whole(world).await.failed > 0);
            logs.raise("sweeper", "event-not-applied");
            world.execute("alter table stripe_events drop constraint nothing").await;
            world.advance_minutes(11);
            assert!(swept_whole(world).await.events_found > 0);
            // Its job reads it; where there is none, the sweep does.
            world.execute("update outbox set done_at = created_at, outcome = 'done' where done_at is null").await;
            world.execute("update bookings set payment_status = 'refund_pending', version = version + 1").await;
            world.advance_minutes(11);
            assert_eq!(swept(world).await.refunds_settled, 1);
            logs.raise("sweeper", "refund-failed");

            // A payment of something else on the same account.
            world.execute("truncate bookings cascade").await;
            let stranger = hold(world, Plan::default()).await;
            world.pay(&stranger);
            world.execute("truncate bookings cascade").await;
            world.advance_minutes(11);
            assert!(swept_whole(world).await.events_found > 0);
            logs.raise("sweeper", "webhook-unknown");
        });
    }

    #[test]
    fn events_are_looked_at_every_ten_minutes_by_one_sweep_at_a_time() {
        World::run(|world| async move {
            let looks = || world.stripe.requests().iter().filter(|request| request.path == "/v1/events").count();
            let (one, two) = (app(world), app(world));
            let (first, second) = tokio::join!(sweep(&one, in_seconds(60)), sweep(&two, in_seconds(60)));
            assert!(first.is_ok() && second.is_ok());
            assert_eq!(looks(), 1);
            world.advance_minutes(9);
            swept_whole(world).await;
            assert_eq!(looks(), 1);
            world.advance_minutes(2);
            swept_whole(world).await;
            assert_eq!(looks(), 2);
        });
    }

    #[test]
    fn events_that_cannot_be_read_now_are_read_by_the_next_sweep() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.confirm(&held).await;
            world.advance_minutes(3);
            world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
            let report = swept_whole(world).await;
            assert_eq!((report.failed, report.events_found), (1, 0));
            world.stripe.switch(|switches| switches.api.down = None);
            assert!(swept_whole(world).await.events_found > 0);
        });
    }

    #[test]
    fn events_of_many_pages_are_read_over_several_sweeps_and_none_is_left_out() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            // A card that is refused leaves an event and an open page: as many as one likes.
            for _ in 0..560 {
                world.stripe.pay(&held.session, Outcome::Declined).expect("open");
            }
            let all =
                world.stripe.events().iter().filter(|event| event["type"] == "payment_intent.payment_failed").count();
            world.advance_minutes(3);
            let first = swept_whole(world).await.events_found;
            assert!(first < all, "{first} of {all} in one sweep");
            assert_eq!(first + swept_whole(world).await.events_found, all);
        });
    }
}

mod refunds {
    use shared::db::bookings::Reference;
    use shared::domain::booking::{Actor, CancelReason, Payment};
    use shared::domain::money::Cents;

    use super::*;

    /// Money that came for a slot that was gone: it is owed back, and a job is to see to it.
    async fn owed(world: &World) -> Held {
        let held = hold(world, Plan::default()).await;
        let payment_intent = world.pay(&held);
        let reference = Reference::booking(held.id);
        let (db, now) = (world.db(), world.now());
        let payment = Payment { payment_intent, amount: Cents::new(6_000), currency: "eur".into(), at: now };
        settle::settle(&db, &reference, None, now, |booking, _| {
            booking.release(CancelReason::HoldExpired, Actor::System)
        })
        .await
        .expect("released");
        settle::settle(&db, &reference, None, now, |booking, _| booking.receive(&payment, false, now))
            .await
            .expect("late");
        assert_eq!(state(world, &held).await, ["cancelled", "refund_pending"]);
        held
    }

    async fn end_jobs(world: &World, outcome: &str) {
        let now = world.now();
        world
            .execute(&format!(
                r"update outbox set done_at = '{now}', outcome = '{outcome}', last_error = 'x' where kind = 'refund';
                 update outbox set done_at = '{now}', outcome = 'done' where done_at is null"
            ))
            .await;
    }

    /// Field failure F12.
    #[test]
    fn refunds_that_were_given_up_over_an_outage_begin_anew() {
        World::run(|world| async move {
            owed(world).await;
            end_jobs(world, "dead").await;
            let report = swept(world).await;
            assert_eq!((report.dead_jobs, report.refunds_revived), (1, 0), "its job has ten minutes first");
            world.advance_minutes(11);
            let report = swept(world).await;
            assert_eq!((report.refunds_revived, report.refunds_stuck, report.dead_jobs), (1, 0, 0));
            assert_eq!(queued(world).await, open_ids(world).await);
            world.advance_minutes(11);
            let report = swept(world).await;
            assert_eq!((report.refunds_revived, report.relayed), (0, 1), "a job is at it again");
        });
    }

    #[test]
    fn refunds_that_were_made_and_never_heard_of_are_settled() {
        World::run(|world| async move {
            let held = owed(world).await;
            end_jobs(world, "dead").await;
            // The worker died between Stripe's answer and its own note, for the last time.
            let payment =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let reason = shared::domain::job::RefundReason::Late;
            let stripe = world.stripe_client();
            stripe.refund(held.id, &payment, Cents::new(6_000), reason, (1, 1), None).await.expect("refunded");
            world.advance_minutes(11);
            assert_eq!(swept(world).await.refunds_settled, 1);
            assert_eq!(state(world, &held).await, ["cancelled", "refunded"]);
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000), ("refund".to_owned(), -6_000)]);
        });
    }

    /// Whatever is owed is under way, in a bank's hands, or on a person's list.
    #[test]
    fn refunds_that_no_job_knows_of_are_asked_for() {
        World::run(|world| async move {
            let held = owed(world).await;
            world.execute("delete from outbox").await;
            world.advance_minutes(11);
            let report = swept(world).await;
            assert_eq!((report.refunds_revived, report.refunds_stuck), (1, 0));
            assert_eq!(world.jobs().await, ["refund"]);
            world.advance_minutes(11);
            assert_eq!(swept(world).await.refunds_revived, 0, "it is at it");
            assert_eq!(state(world, &held).await, ["cancelled", "refund_pending"]);
        });
    }

    /// Of the end of a dispute no event may ever tell.
    #[test]
    fn disputes_that_are_open_are_asked_about() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.confirm(&held).await;
            all_done(world).await;
            let payment =
                world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
            let dispute = world.stripe.dispute(&payment, "fraudulent").expect("it is paid");
            world.read_payment(&held, &payment).await;
            world.stripe.close_dispute(&dispute, false).expect("open");
            world
                .execute(
                    "insert into reconcilers (name, due_at) values ('stripe_events', 'infinity')
                on conflict (name) do update set due_at = 'infinity'",
                )
                .await;
            world.advance_minutes(60);
            assert_eq!(swept(world).await.disputes_settled, 0, "an event tells sooner");
            world.advance_minutes(6 * 60);
            assert_eq!(swept(world).await.disputes_settled, 1);
            assert_eq!(state(world, &held).await, ["confirmed", "lost"]);
            world.advance_minutes(7 * 60);
            assert_eq!(swept(world).await.disputes_settled, 0, "it is closed");
        });
    }

    #[test]
    fn refunds_that_nothing_can_give_back_are_told_to_somebody() {
        World::run(|world| async move {
            let logs = testing::Logs::listen();
            owed(world).await;
            end_jobs(world, "discarded").await;
            // As the worker leaves it when Stripe refuses.
            world.execute("update bookings set payment_problem = 'refund_failed', version = version + 1").await;
            world.advance_minutes(11);
            let report = swept(world).await;
            assert_eq!((report.refunds_stuck, report.refunds_revived), (1, 0));
            logs.raise("sweeper", "refund-stuck");
        });
    }
}

mod calendars {
    use shared::calcom::converge::{Converged, Want, converge};
    use shared::db::dossier::{self, CalendarNews};
    use shared::domain::calendar::CalendarState;
    use shared::follow_calendar as calendar;

    use super::*;

    /// A paid booking that Cal.com has, as the worker leaves it.
    async fn there(world: &World, plan: &Plan) -> (Held, String) {
        let held = world.hold(plan).await;
        world.confirm(&held).await;
        all_done(world).await;
        let calendars = world.calendars();
        let dossier = dossier::read(&world.db(), held.id).await.expect("read").expect("it is there");
        let access = dossier.calendar.as_ref().expect("Noa uses Cal.com");
        let key = calendars.key(dossier.booking.artist, access).expect("it opens");
        let wanted = calendar::question(&dossier, &key, access.event_type, Want::Present { confirmed: true }, 1);
        let Converged::Synced { uid, .. } = converge(calendars.calcom(), &wanted).await else { panic!("it is free") };
        let start = Some(dossier.booking.starts_at);
        let news = CalendarNews { uid: Some(&uid), start, state: CalendarState::Synced, note: None, tasks: &[] };
        dossier::note_calendar(&world.db(), &dossier.booking, &news, world.now()).await.expect("noted");
        (held, uid)
    }

    async fn fact(world: &World, held: &Held, name: &str) -> Value {
        world.booking(&held.id()).await[name].clone()
    }

    #[test]
    fn calendars_that_agree_are_asked_about_every_half_hour_and_left_alone() {
        World::run(|world| async move {
            there(world, &Plan::default()).await;
            world.advance_minutes(3);
            assert_eq!(swept(world).await, Report { checked: 1, ..Report::default() });
            world.advance_minutes(20);
            assert_eq!(swept(world).await.checked, 0);
            world.advance_minutes(11);
            assert_eq!(swept(world).await, Report { checked: 1, ..Report::default() });
        });
    }

    #[test]
    fn where_the_client_cancelled_unheard_go_by_the_policy() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default()).await;
            let policy =
                json!({ "full_refund_hours": 72, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte" });
            world.execute(&format!("update bookings set policy = '{policy}'")).await;
            world.calcom.cancel_as(&uid, Canceller::Client, "Je ne peux pas").expect("it is there");
            world.advance_minutes(3);
            assert_eq!(swept(world).await, Report { checked: 1, calendar_changes: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["cancelled", "paid"]);
            assert_eq!(fact(world, &held, "cancel_reason").await, "client");
        });
    }

    #[test]
    fn where_the_artist_cancelled_unheard_or_asked_for_another_time_ask_the_artist() {
        World::run(|world| async move {
            // Without its webhook one looks like the other.
            for (by, start) in
                [(Canceller::Artist, "2027-02-02T09:00:00Z"), (Canceller::Reschedule, "2027-02-03T09:00:00Z")]
            {
                let (held, uid) = there(world, &Plan::of(&NOA, 0, start)).await;
                world.calcom.cancel_as(&uid, by, "Je suis malade").expect("it is there");
                world.advance_minutes(3);
                assert_eq!(swept(world).await, Report { checked: 1, calendar_changes: 1, ..Report::default() });
                assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
                assert_eq!(fact(world, &held, "calendar_state").await, "called_off");
                assert_eq!(world.open_jobs().await.len(), 1);
                assert_eq!(world.jobs().await.last().map(String::as_str), Some("artist_calendar_conflict"));
                all_done(world).await;
            }
        });
    }

    /// The job of a payment may have looked just before the artist did it, and note afterwards what it saw.
    #[test]
    fn what_was_heard_while_a_job_was_just_ending_is_looked_at_by_the_next_sweep() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default()).await;
            world.calcom.cancel_as(&uid, Canceller::Reschedule, "Un autre jour").expect("it is there");
            assert_eq!(swept(world).await, Report::default(), "it changed a moment ago, and nobody told of it");
            let hint = shared::db::calendar::hint(&uid, true);
            shared::db::calendar::ask_soon(&world.db(), held.id, Some(&hint)).await.expect("noted");
            assert_eq!(swept(world).await, Report { checked: 1, calendar_changes: 1, ..Report::default() });
            assert_eq!(fact(world, &held, "calendar_state").await, "called_off");
        });
    }

    #[test]
    fn calendars_that_find_nothing_for_ten_minutes_change_nothing_and_hold_one_booking_afterwards() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default()).await;
            world.calcom.clear_requests();
            world.calcom.switch(|switches| switches.bookings_not_found = true);
            for _ in 0..10 {
                world.advance_minutes(1);
                world.execute("update bookings set calendar_checked_at = null").await;
                let report = swept(world).await;
                assert_eq!((report.calendar_changes, report.calendar_repairs), (0, 0));
            }
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert!(world.open_jobs().await.is_empty());
            assert!(world.calcom.requests().iter().all(|request| request.method == "GET"));

            world.calcom.switch(|switches| switches.bookings_not_found = false);
            world.advance_minutes(6);
            assert_eq!(swept(world).await.calendar_repairs, 1, "what our last job wanted is looked at again");
            assert_eq!(fact(world, &held, "calendar_missing_since").await, Value::Null);
            assert_eq!(fact(world, &held, "cal_com_booking_id").await, json!(uid));
            assert_eq!(world.calcom.bookings().len(), 1);
        });
    }

    #[test]
    fn where_the_artist_moved_unheard_move_here() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default()).await;
            world.calcom.reschedule(&uid, testing::at("2027-02-03T13:00:00Z")).expect("free");
            world.advance_minutes(3);
            assert_eq!(swept(world).await, Report { checked: 1, calendar_changes: 1, ..Report::default() });
            assert_eq!(fact(world, &held, "scheduled_at").await, "2027-02-03T13:00:00+00:00");
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    #[test]
    fn calendars_that_lost_a_booking_for_good_ask_the_artist_once() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default()).await;
            world.calcom.reset();
            for _ in 0..6 {
                world.advance_minutes(6);
                let report = swept(world).await;
                if report.calendar_changes > 0 {
                    break;
                }
                assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
                assert!(world.calcom.bookings().is_empty(), "made again it might be there twice");
            }
            assert_eq!(fact(world, &held, "calendar_state").await, "called_off");
            assert_eq!(fact(world, &held, "calendar_note").await, "gone");
            assert_eq!(world.open_jobs().await.len(), 1);
            world.advance_minutes(40);
            assert_eq!(swept(world).await.calendar_changes, 0);
        });
    }

    #[test]
    fn calendars_whose_event_type_is_not_there_either_say_nothing_about_a_booking() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default()).await;
            world.calcom.reset();
            world.execute("update artists set cal_com_event_type_id = 999 where slug = 'noa-keller'").await;
            for _ in 0..8 {
                world.advance_minutes(6);
                assert_eq!(swept(world).await.calendar_changes, 0);
            }
            assert_eq!(fact(world, &held, "calendar_state").await, "synced");
        });
    }

    #[test]
    fn calendars_that_were_not_allowed_to_cancel_are_at_ease_once_the_artist_has() {
        World::run(|world| async move {
            let (held, uid) = there(world, &Plan::default()).await;
            let (db, now) = (world.db(), world.now());
            let reference = shared::db::bookings::Reference::booking(held.id);
            let by = shared::domain::policy::Canceller::Artist;
            let reason = shared::domain::booking::CancelReason::Artist;
            settle::settle(&db, &reference, None, now, |booking, _| booking.cancel(reason, by, now))
                .await
                .expect("ours");
            world.execute("update outbox set done_at = created_at, outcome = 'discarded' where done_at is null").await;
            // Its money is a person's business, and none of this test's.
            let failed = "update bookings set calendar_state = 'failed', payment_problem = 'refund_failed', version = version + 1";
            world.execute(failed).await;
            world.advance_minutes(3);
            assert_eq!(swept(world).await.calendar_repairs, 0, "it would be refused again");
            world.calcom.cancel(&uid, "Annulé").expect("it is there");
            world.advance_minutes(31);
            assert_eq!(swept(world).await.calendar_repairs, 1);
        });
    }

    #[test]
    fn calendars_that_still_hold_a_cancelled_booking_are_told_again() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default()).await;
            let (db, now) = (world.db(), world.now());
            let reference = shared::db::bookings::Reference::booking(held.id);
            let by = shared::domain::policy::Canceller::Artist;
            let reason = shared::domain::booking::CancelReason::Artist;
            settle::settle(&db, &reference, None, now, |booking, _| booking.cancel(reason, by, now))
                .await
                .expect("ours");
            // The job that should have told Cal.com was given up.
            world.execute("update outbox set done_at = created_at, outcome = 'discarded' where done_at is null").await;
            world.advance_minutes(3);
            let report = swept(world).await;
            assert_eq!((report.checked, report.calendar_repairs, report.calendar_changes), (1, 1, 0));
        });
    }

    #[test]
    fn calendars_that_do_not_answer_are_asked_again_and_nothing_is_decided() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default()).await;
            world.calcom.switch(|switches| switches.api.down = Some(Down::Unavailable));
            world.advance_minutes(3);
            assert_eq!(swept(world).await, Report { checked: 1, failed: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    #[test]
    fn calendars_of_a_past_appointment_are_not_asked_and_the_booking_is_completed() {
        World::run(|world| async move {
            let (held, _uid) = there(world, &Plan::default()).await;
            // The appointment is on Tuesday from ten to noon.
            world.advance_minutes(27 * 60);
            let report = swept(world).await;
            assert_eq!((report.checked, report.completed), (0, 0), "its artist may say that nobody came");
            world.advance_minutes(25 * 60);
            assert_eq!(swept(world).await, Report { completed: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["completed", "paid"]);
            assert_eq!(world.history(&held.id()).await.last().map(String::as_str), Some("system completed"));
            assert_eq!(swept(world).await.completed, 0);
        });
    }
}

mod payments {
    use super::*;

    /// Field failure F5.
    #[test]
    fn payments_whose_webhooks_were_lost_are_found_in_one_sweep_and_the_mails_follow() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.pay(&held);
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, payments_found: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000)]);
            assert_eq!(world.history(&held.id()).await, ["client held", "stripe payment_received", "system confirmed"]);
            let jobs = world.jobs().await;
            assert_eq!(&jobs[2..], ["sync_calendar", "artist_confirmed", "client_confirmed"]);
            assert_eq!(queued(world).await, open_ids(world).await);
        });
    }

    #[test]
    fn payments_that_are_found_late_are_booked_when_they_came() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.pay(&held);
            let came = world.now();
            world.advance_minutes(25);
            assert_eq!(swept(world).await.payments_found, 1);
            let rows = world.rows("select occurred_at from payments", &[]).await;
            let booked: jiff::Timestamp = rows[0]["occurred_at"].as_str().expect("a time").parse().expect("an instant");
            assert!(booked.duration_since(came).abs() < jiff::SignedDuration::from_secs(60), "{booked} for {came}");
        });
    }

    #[test]
    fn with_every_webhook_dropped_all_bookings_are_right_after_one_sweep() {
        World::run(|world| async move {
            let mut holds = Vec::new();
            for hour in [8, 10, 12, 14, 16] {
                holds.push(hold(world, Plan::of(&NOA, 0, &format!("2027-02-02T{hour:02}:00:00Z"))).await);
                holds.push(hold(world, Plan::of(&NOA, 0, &format!("2027-02-03T{hour:02}:00:00Z"))).await);
            }
            world.stripe.switch(|switches| switches.drop_webhooks = true);
            for (number, held) in holds.iter().enumerate() {
                match number % 4 {
                    0 => world.stripe.pay(&held.session, Outcome::Paid),
                    1 => world.stripe.pay(&held.session, Outcome::Expire),
                    2 => world.stripe.pay(&held.session, Outcome::Declined),
                    _ => world.stripe.pay(&held.session, Outcome::PaidLater),
                }
                .expect("open");
            }
            world.advance_minutes(1);
            let report = swept(world).await;
            assert_eq!(report, Report { asked: 10, payments_found: 3, released: 3, ..Report::default() });
            for (number, held) in holds.iter().enumerate() {
                let expected = match number % 4 {
                    0 => ["confirmed", "paid"],
                    1 => ["cancelled", "unpaid"],
                    _ => ["pending", "unpaid"],
                };
                assert_eq!(state(world, held).await, expected, "{number}");
            }
        });
    }

    /// Field failure F4.
    #[test]
    fn payments_that_came_at_the_last_moment_confirm_although_the_hold_has_lapsed() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.advance_minutes(29);
            world.pay(&held);
            world.advance_minutes(3);
            assert_eq!(swept(world).await, Report { asked: 1, payments_found: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    /// Field failure F4.
    #[test]
    fn payments_between_the_question_and_the_closing_are_not_lost() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.advance_minutes(31);
            // The sweeper knows that the hold has lapsed; its client pays before the page is closed.
            world.pay(&held);
            let hold = world.stored_hold(held.id).await;
            let reason = shared::domain::booking::CancelReason::HoldExpired;
            let closed =
                settle::close(&world.db(), &world.stripe_client(), &hold, PUBLIC_URL, reason, world.now()).await;
            assert!(matches!(closed.expect("closed"), settle::Closed::Kept(_)));
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    #[test]
    fn payments_of_another_amount_are_flagged_and_confirm_nothing() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.pay(&held);
            // We would have asked for more.
            world.execute("alter table bookings disable trigger bookings_guard").await;
            world.execute("update bookings set acompte_amount = 61").await;
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, payments_found: 1, ..Report::default() });
            let row = world.booking(&held.id()).await;
            assert_eq!((&row["status"], &row["payment_problem"]), (&json!("pending"), &json!("mismatch")));
            world.advance_minutes(60);
            assert_eq!(swept(world).await.asked, 0, "a person looks at it now, and the slot waits");
        });
    }

    /// Field failure F9.
    #[test]
    fn payments_that_a_bank_still_thinks_about_keep_their_slot() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::PaidLater).expect("open");
            world.advance_minutes(31);
            assert_eq!(swept(world).await, Report { asked: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            let until = world.booking(&held.id()).await["hold_expires_at"].clone();
            assert!(until.as_str().expect("an end").starts_with("2027-02-08"), "{until}");
            let history = world.history(&held.id()).await;
            for _ in 0..3 {
                world.advance_minutes(60);
                swept(world).await;
            }
            assert_eq!(world.booking(&held.id()).await["hold_expires_at"], until, "not extended at each look");
            assert_eq!(world.history(&held.id()).await, history);

            world.stripe.settle(&held.session, true).expect("under way");
            world.advance_minutes(1);
            assert_eq!(swept(world).await.payments_found, 1);
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
        });
    }

    /// Its artist took it on without the deposit, while its client was on the way to pay.
    async fn confirmed_by_hand(world: &World) -> Held {
        let held = hold(world, Plan::default()).await;
        let reference = shared::db::bookings::Reference::booking(held.id);
        let (db, now) = (world.db(), world.now());
        settle::settle(&db, &reference, None, now, |booking, _| booking.confirm_by_hand(now)).await.expect("confirmed");
        all_done(world).await;
        assert_eq!(state(world, &held).await, ["confirmed", "unpaid"]);
        held
    }

    #[test]
    fn payments_of_a_booking_that_was_confirmed_by_hand_are_found_within_a_minute() {
        World::run(|world| async move {
            let held = confirmed_by_hand(world).await;
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, ..Report::default() });
            assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "open", "it may be paid");
            world.pay(&held);
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, payments_found: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["confirmed", "paid"]);
            assert_eq!(world.ledger(&held.id()).await, [("capture".to_owned(), 6_000)]);
            all_done(world).await;
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report::default());
        });
    }

    #[test]
    fn payments_that_never_came_of_a_booking_that_was_confirmed_by_hand_are_not_asked_about_for_ever() {
        World::run(|world| async move {
            let held = confirmed_by_hand(world).await;
            world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
            world.advance_minutes(36);
            assert_eq!(swept(world).await.asked, 1);
            world.stripe.switch(|switches| switches.api.down = None);
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, ..Report::default() });
            assert_eq!(world.booking(&held.id()).await["checkout_url"], Value::Null, "nobody is sent to a closed page");
            assert_eq!(state(world, &held).await, ["confirmed", "unpaid"]);
            world.advance_minutes(1);
            assert_eq!(swept(world).await.asked, 0);
        });
    }

    /// Field failure F6.
    #[test]
    fn payments_are_written_down_while_the_queue_is_away() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.pay(&held);
            world.sqs_gate.set(Condition::Down);
            world.advance_minutes(1);
            assert_eq!(swept(world).await.payments_found, 1);
            world.sqs_gate.set(Condition::Ok);
            world.advance_minutes(1);
            assert_eq!(swept(world).await.relayed, 3);
            assert_eq!(queued(world).await, open_ids(world).await);
        });
    }
}

mod holds {
    use super::*;

    #[test]
    fn holds_that_nobody_paid_are_released_once_stripe_has_closed_their_page() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.advance_minutes(31);
            assert_eq!(swept(world).await, Report { asked: 1, released: 1, ..Report::default() });
            let row = world.booking(&held.id()).await;
            assert_eq!((&row["status"], &row["cancel_reason"]), (&json!("cancelled"), &json!("hold_expired")));
            assert_eq!(asked(world), [format!("POST /v1/checkout/sessions/{}/expire", held.session)]);
            assert_eq!(world.stripe.session(&held.session).expect("the session")["status"], "expired");
            assert_eq!(world.jobs().await.last().map(String::as_str), Some("sync_calendar"), "the calendar is told");
            assert_eq!(queued(world).await, open_ids(world).await);
            world.hold(&Plan::default().by("next@example.fr")).await;
            world.advance_minutes(1);
            assert_eq!(swept(world).await.released, 0);
        });
    }

    #[test]
    fn holds_whose_page_stripe_closed_first_are_released() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.stripe.pay(&held.session, Outcome::Expire).expect("open");
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, released: 1, ..Report::default() });
            assert_eq!(world.history(&held.id()).await, ["client held", "stripe hold_expired"]);
        });
    }

    #[test]
    fn holds_whose_page_was_never_opened_are_left_to_their_client_and_released_in_the_end() {
        World::run(|world| async move {
            let (id, _jobs) = world.hold_unopened(&Plan::default()).await;
            all_done(world).await;
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 1, ..Report::default() });
            assert_eq!(asked(world), Vec::<String>::new());
            world.advance_minutes(30);
            assert_eq!(swept(world).await, Report { asked: 1, released: 1, ..Report::default() });
            assert_eq!(world.booking(&id.to_string()).await["status"], "cancelled");
            assert!(world.stripe.sessions().is_empty());
        });
    }

    #[test]
    fn holds_whose_page_was_opened_without_our_knowing_are_found_and_closed() {
        World::run(|world| async move {
            let (id, _jobs) = world.hold_unopened(&Plan::default()).await;
            all_done(world).await;
            let hold = world.stored_hold(id).await;
            let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
            let session = world.stripe_client().open_checkout(&checkout).await.expect("opened").id;
            world.advance_minutes(31);
            assert_eq!(swept(world).await, Report { asked: 1, released: 1, ..Report::default() });
            assert_eq!(world.stripe.session(&session).expect("the session")["status"], "expired");
        });
    }

    #[test]
    fn holds_whose_page_may_be_open_under_other_words_are_kept_until_it_has_closed() {
        World::run(|world| async move {
            let (id, _jobs) = world.hold_unopened(&Plan::default()).await;
            all_done(world).await;
            let hold = world.stored_hold(id).await;
            // A release in between changed where the client comes back to.
            let checkout = settle::checkout_of(&hold, "https://before.test").expect("a deposit");
            world.stripe_client().open_checkout(&checkout).await.expect("opened");
            world.advance_minutes(31);
            assert_eq!(swept(world).await, Report { asked: 1, failed: 1, ..Report::default() });
            assert_eq!(world.booking(&id.to_string()).await["status"], "pending");
            world.advance_minutes(5);
            assert_eq!(swept(world).await.released, 1);
        });
    }

    #[test]
    fn holds_of_a_failure_that_stripe_keeps_under_its_key_are_released_all_the_same() {
        World::run(|world| async move {
            let (id, _jobs) = world.hold_unopened(&Plan::default()).await;
            all_done(world).await;
            let hold = world.stored_hold(id).await;
            let checkout = settle::checkout_of(&hold, PUBLIC_URL).expect("a deposit");
            // Executed, answered with a 500 twice over: nobody was ever told an address.
            world.stripe.switch(|switches| switches.api.fail_after_executing = 2);
            world.stripe_client().open_checkout(&checkout).await.expect_err("stored failures");
            assert_eq!(world.stripe.sessions().len(), 2);
            world.advance_minutes(36);
            assert_eq!(swept(world).await.released, 1);
            assert_eq!(world.booking(&id.to_string()).await["status"], "cancelled");
        });
    }

    /// Field failure F4.
    #[test]
    fn holds_are_not_given_away_while_stripe_cannot_say() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            let (unopened, _jobs) = world.hold_unopened(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
            all_done(world).await;
            world.advance_minutes(31);
            for down in [Down::Cut, Down::InternalError, Down::Unavailable] {
                world.stripe.switch(|switches| switches.api.down = Some(down));
                // Both holds, and the events.
                assert_eq!(swept(world).await, Report { asked: 2, failed: 3, ..Report::default() });
                world.advance_minutes(1);
            }
            for id in [held.id(), unopened.to_string()] {
                assert_eq!(world.booking(&id).await["status"], "pending");
            }
            world.stripe.switch(|switches| switches.api.down = None);
            assert_eq!(swept(world).await, Report { asked: 2, released: 2, ..Report::default() });
        });
    }

    #[test]
    fn holds_whose_page_stripe_does_not_know_are_kept_until_it_could_not_be_paid_any_more() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            // As after a change to the key of another account.
            world.execute("update bookings set stripe_checkout_session_id = 'cs_test_of_another_account'").await;
            world.advance_minutes(31);
            assert_eq!(swept(world).await, Report { asked: 1, failed: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["pending", "unpaid"]);
            world.advance_minutes(5);
            assert_eq!(swept(world).await, Report { asked: 1, released: 1, ..Report::default() });
            assert_eq!(state(world, &held).await, ["cancelled", "unpaid"]);
        });
    }

    #[test]
    fn holds_that_one_bad_answer_concerns_do_not_keep_the_others_waiting() {
        World::run(|world| async move {
            let bad = hold(world, Plan::default()).await;
            world
                .execute(&format!(
                    "update bookings set stripe_checkout_session_id = 'cs_test_gone' where id = '{}'",
                    bad.id
                ))
                .await;
            let good = hold(world, Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
            world.pay(&good);
            world.advance_minutes(1);
            assert_eq!(swept(world).await, Report { asked: 2, payments_found: 1, failed: 1, ..Report::default() });
            assert_eq!(state(world, &good).await, ["confirmed", "paid"]);
        });
    }

    async fn copy_on_the_next_days(world: &World, booking: &str, days: u32) {
        let columns = r"select string_agg(column_name, ', ') as names from information_schema.columns
             where table_name = 'bookings' and is_generated = 'NEVER' and column_name not in ('id', 'scheduled_at', 'ends_at')";
        let columns = world.rows(columns, &[]).await.remove(0);
        let columns = columns["names"].as_str().expect("names");
        world
            .execute(&format!(
                r"insert into bookings (id, scheduled_at, ends_at, {columns})
                 select gen_random_uuid(), scheduled_at + n * interval '1 day', ends_at + n * interval '1 day', {columns}
                 from bookings, generate_series(1, {days}) n where id = '{booking}'"
            ))
            .await;
    }

    #[test]
    fn the_lapsed_ones_come_first_and_each_has_its_turn() {
        World::run(|world| async move {
            // 70 live ones and one that has lapsed, in a sweep of 60.
            let lapsed = world.hold_unopened(&Plan::default()).await.0;
            world.advance_minutes(20);
            let model = world.hold_unopened(&Plan::of(&NOA, 0, "2027-02-02T11:00:00Z").by("model@example.fr")).await.0;
            copy_on_the_next_days(world, &model.to_string(), 69).await;
            all_done(world).await;
            world.advance_minutes(11);
            assert_eq!(swept(world).await, Report { asked: 60, released: 1, ..Report::default() });
            assert_eq!(world.booking(&lapsed.to_string()).await["status"], "cancelled");
            // The next minute brings those that were left over, and then the first again.
            world.advance_minutes(1);
            swept(world).await;
            let never =
                world.rows("select id from bookings where status = 'pending' and stripe_checked_at is null", &[]).await;
            assert_eq!(never.len(), 0);
        });
    }
}

mod upkeep {
    use super::*;

    #[test]
    fn what_has_served_its_time_is_forgotten() {
        World::run(|world| async move {
            let now = world.now();
            for hours in [0, 1, 23, 25, 100] {
                world
                    .execute(&format!(
                        "insert into rate_limits values ('create-booking:{hours}', timestamptz '{now}' - interval '{hours} hours', 1)"
                    ))
                    .await;
                world
                    .execute(&format!(
                        "insert into idempotency_keys values ('create-booking', '{hours}', '\\x00', null, timestamptz '{now}' - interval '{hours} hours')"
                    ))
                    .await;
                world
                    .execute(&format!(
                        r"insert into hold_endings (artist_id, network, ended_at, kept)
                         select id, '\x00', timestamptz '{now}' - interval '{hours} hours', false from artists limit 1"
                    ))
                    .await;
            }
            // A session that was ended a week ago may have a token left; one that Supabase has not heard of lives on there.
            for (session, days, confirmed) in [(1, 1, true), (2, 7, true), (3, 9, true), (4, 400, false)] {
                world
                    .execute(&format!(
                        r"insert into ended_sessions values ('00000000-0000-4000-8000-00000000000{session}',
                             timestamptz '{now}' - interval '{days} days', {confirmed})"
                    ))
                    .await;
            }
            assert_eq!(swept(world).await, Report { forgotten: 3, ..Report::default() });
            assert_eq!((world.count("rate_limits").await, world.count("idempotency_keys").await), (3, 4));
            assert_eq!(world.count("hold_endings").await, 3);
            assert_eq!(world.count("ended_sessions").await, 3);
            assert_eq!(swept(world).await, Report::default());
        });
    }

    #[test]
    fn bookings_events_and_ledger_are_never_forgotten() {
        World::run(|world| async move {
            let held = hold(world, Plan::default()).await;
            world.confirm(&held).await;
            all_done(world).await;
            world.advance(Duration::from_secs(400 * 24 * 3600));
            swept(world).await;
            assert_eq!((world.count("bookings").await, world.count("payments").await), (1, 1));
            // Held, paid, confirmed, and closed a day after it was over.
            assert_eq!(world.count("booking_events").await, 4);
        });
    }
}

mod while_we_fail {
    use super::*;

    #[test]
    fn with_the_database_away_the_alarm_hears_of_it() {
        World::run(|world| async move {
            let wire = world.wire().await;
            let app = App { db: world.db_through(&wire).await, ..app(world) };
            wire.cut();
            sweep(&app, in_seconds(60)).await.expect_err("nothing was swept");
            wire.mend();
            assert_eq!(sweep(&app, in_seconds(60)).await.expect("it connects again"), Report::default());
        });
    }

    #[test]
    fn a_sweep_that_runs_out_of_time_has_done_what_it_could() {
        World::run(|world| async move {
            world.hold(&Plan::default()).await;
            world.advance_minutes(1);
            world.stripe.switch(|switches| switches.api.slow_ms = 4_900);
            let logs = testing::Logs::listen();
            // Three seconds of seven are kept to answer.
            let report = sweep(&app(world), in_seconds(7)).await.expect("no failure");
            assert_eq!((report.relayed, report.asked, report.payments_found), (2, 1, 0));
            logs.raise("sweeper", "sweep-too-long");
        });
    }
}
