//! Claiming, leasing, recording, and what the queue is told.

use dev::aws::Condition;
use shared::db::outbox::{self, Claim};
use testing::Plan;

use super::*;

#[test]
fn a_job_that_is_done_is_recorded_and_its_message_is_over() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        assert_eq!(run(world, &held.jobs).await, [false, false]);
        for id in held.jobs {
            let row = job(world, id).await;
            assert_eq!((&row["outcome"], &row["attempts"]), (&json!("done"), &json!(1)));
            assert_eq!((&row["locked_until"], &row["last_error"]), (&Value::Null, &Value::Null));
            assert_ne!(row["done_at"], Value::Null);
        }
    });
}

#[test]
fn a_job_comes_through_the_queue_and_leaves_it() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.queue().send(&held.jobs).await.expect("the queue takes them");
        let batch = world.receive().await;
        assert_eq!(batch["Records"].as_array().map(Vec::len), Some(2));
        assert_eq!(handle_batch(&app(world), batch.clone(), 15).await, Vec::<String>::new());
        for record in batch["Records"].as_array().expect("records") {
            world.delete(record["receiptHandle"].as_str().expect("a handle")).await;
        }
        assert_eq!(world.open_jobs().await, Vec::<Value>::new());
    });
}

#[test]
fn a_job_that_fails_comes_again_after_a_while() {
    World::run(|world| async move {
        world.mails.set(Condition::Down);
        let held = world.hold(&Plan::default()).await;
        let mail = held.jobs[0];
        world.queue().send(&[mail]).await.expect("the queue takes it");
        let batch = world.receive().await;
        let id = batch["Records"][0]["messageId"].as_str().expect("an id").to_owned();
        assert_eq!(handle_batch(&app(world), batch, 15).await, [id]);

        let row = job(world, mail).await;
        assert_eq!((&row["outcome"], &row["attempts"], &row["locked_until"]), (&Value::Null, &json!(1), &Value::Null));
        assert!(!row["last_error"].as_str().expect("a reason").is_empty());
        // The message is hidden for five seconds; the sweeper waits half a minute longer for it.
        assert_eq!(world.receive().await["Records"], json!([]));
        let relay_at = testing::at(row["relay_at"].as_str().expect("an instant"));
        let seconds = relay_at.duration_since(world.now()).as_secs();
        assert!((30..=90).contains(&seconds), "{seconds}");

        world.mails.set(Condition::Ok);
        tokio::time::sleep(Duration::from_secs(6)).await;
        let batch = world.receive().await;
        assert_eq!(batch["Records"][0]["attributes"]["ApproximateReceiveCount"], "2");
        assert_eq!(handle_batch(&app(world), batch, 15).await, Vec::<String>::new());
        assert_eq!((ended(world, mail).await, job(world, mail).await["attempts"].clone()), (json!("done"), json!(2)));
        assert_eq!(world.mails.messages().len(), 1);
    });
}

#[test]
fn waiting_grows_with_each_attempt() {
    World::run(|world| async move {
        world.mails.set(Condition::Down);
        let held = world.hold(&Plan::default()).await;
        let mut waits = Vec::new();
        for _ in 0..4 {
            run(world, &held.jobs[..1]).await;
            let relay_at = job(world, held.jobs[0]).await["relay_at"].as_str().expect("an instant").to_owned();
            waits.push(testing::at(&relay_at).duration_since(world.now()).as_secs());
        }
        // 5, 15, 45, 135 seconds, and half a minute more before the sweeper steps in.
        assert!(waits.is_sorted() && waits[3] > 2 * waits[0], "{waits:?}");
    });
}

#[test]
fn a_job_that_failed_too_often_is_given_up_and_keeps_its_reason() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        world.mails.set(Condition::Down);
        let held = world.hold(&Plan::default()).await;
        let mail = held.jobs[0];
        let app = App { max_attempts: 3, ..app(world) };
        for attempt in 1..=3 {
            assert_eq!(handle_batch(&app, messages(&[mail]), 15).await, ["message-0"], "attempt {attempt}");
        }
        let row = job(world, mail).await;
        assert_eq!((&row["outcome"], &row["attempts"]), (&json!("dead"), &json!(3)));
        assert!(!row["last_error"].as_str().expect("a reason").is_empty());
        // Whatever still names it is over: an operator redrives the row, not the message.
        world.mails.set(Condition::Ok);
        assert_eq!(handle_batch(&app, messages(&[mail]), 15).await, Vec::<String>::new());
        assert_eq!(world.mails.messages().len(), 0);
        world
            .execute(&format!("update outbox set done_at = null, outcome = null, attempts = 0 where id = '{mail}'"))
            .await;
        assert_eq!(run(world, &[mail]).await, [false]);
        assert_eq!(world.mails.messages().len(), 1);
        logs.raise("worker", "job-given-up");
    });
}

#[test]
fn a_job_that_somebody_else_is_at_is_left_to_them() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let mail = held.jobs[0];
        let claim =
            outbox::claim(&world.db(), mail, Duration::from_secs(90), world.now()).await.expect("the database answers");
        assert!(matches!(claim, Claim::Ours(_)));
        assert_eq!(run(world, &[mail]).await, [true], "its message comes again, should they die");
        assert_eq!((ended(world, mail).await, world.mails.messages().len()), (Value::Null, 0));
        assert_eq!(job(world, mail).await["attempts"], 1);
    });
}

#[test]
fn a_job_whose_worker_was_killed_is_done_once_its_lease_is_over() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        for id in &held.jobs {
            outbox::claim(&world.db(), *id, Duration::from_secs(90), world.now()).await.expect("the database answers");
        }
        world.advance(Duration::from_secs(89));
        assert_eq!(run(world, &held.jobs).await, [true, true]);
        world.advance(Duration::from_secs(2));
        assert_eq!(run(world, &held.jobs).await, [false, false]);
        assert_eq!((world.mails.messages().len(), world.calcom.bookings().len()), (1, 1));
        assert_eq!(job(world, held.jobs[0]).await["attempts"], 2);
    });
}

#[test]
fn a_worker_that_outlived_its_lease_does_not_overwrite_what_the_next_one_recorded() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let mail = held.jobs[0];
        let claim =
            outbox::claim(&world.db(), mail, Duration::from_secs(90), world.now()).await.expect("the database answers");
        let Claim::Ours(late) = claim else { panic!("it is ours") };
        world.advance(Duration::from_secs(91));
        run(world, &[mail]).await;
        let again = outbox::Ending::Again { after: Duration::ZERO, why: "late" };
        assert!(!outbox::record(&world.db(), &late, &again, world.now()).await.expect("the database answers"));
        assert_eq!(ended(world, mail).await, "done");
    });
}

#[test]
fn only_the_messages_that_failed_are_named() {
    World::run(|world| async move {
        world.mails.set(Condition::Down);
        let held = world.hold(&Plan::default()).await;
        // The first is the mail, the second the calendar.
        assert_eq!(run(world, &held.jobs).await, [true, false]);
        assert_eq!((ended(world, held.jobs[0]).await, ended(world, held.jobs[1]).await), (Value::Null, json!("done")));
    });
}

#[test]
fn a_message_that_names_no_job_of_ours_is_reported_and_harms_nobody() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        for body in ["", "{}", "null", "{\"job_id\":\"7\"}", "<xml/>"] {
            let mut batch = messages(&held.jobs[..1]);
            batch["Records"][0]["messageId"] = json!("ours");
            batch["Records"].as_array_mut().expect("records").insert(0, message(body)["Records"][0].clone());
            assert_eq!(handle_batch(&app(world), batch, 15).await, ["message-0"], "{body}");
        }
        assert_eq!((ended(world, held.jobs[0]).await, world.mails.messages().len()), (json!("done"), 1));
    });
}

#[test]
fn a_message_of_a_job_that_is_gone_is_over() {
    World::run(|world| async move {
        let id: JobId = "01a20000-0000-7000-8000-000000000000".parse().expect("an id");
        assert_eq!(run(world, &[id]).await, [false]);
    });
}

#[test]
fn a_message_that_comes_twice_has_one_effect() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        // Twice in one batch, and once more later.
        let twice = [held.jobs[0], held.jobs[0], held.jobs[1], held.jobs[1]];
        run(world, &twice).await;
        run(world, &twice).await;
        assert_eq!((world.mails.messages().len(), world.calcom.bookings().len()), (1, 1));
        assert_eq!(world.open_jobs().await, Vec::<Value>::new());
    });
}

#[test]
fn what_takes_longer_than_the_function_may_run_is_recorded_before_it_is_cut() {
    World::run(|world| async move {
        world.mails.set(Condition::Slow);
        let held = world.hold(&Plan::default()).await;
        // Two seconds of three are kept to record how it ended.
        assert_eq!(handle_batch(&app(world), messages(&held.jobs[..1]), 3).await, ["message-0"]);
        let row = job(world, held.jobs[0]).await;
        assert_eq!((&row["outcome"], &row["locked_until"]), (&Value::Null, &Value::Null));
        assert_eq!(row["last_error"], "it took longer than the function may run");
    });
}

#[test]
fn with_the_database_away_every_message_comes_again() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        wire.cut();
        assert_eq!(handle_batch(&app, messages(&held.jobs), 15).await, ["message-0", "message-1"]);
        wire.mend();
        assert_eq!(handle_batch(&app, messages(&held.jobs), 15).await, Vec::<String>::new());
        assert_eq!(world.mails.messages().len(), 1);
    });
}

#[test]
fn a_claim_whose_answer_was_lost_waits_for_its_own_lease() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        let wire = world.wire().await;
        let app_behind = App { db: world.db_through(&wire).await, ..app(world) };
        wire.lose_answer_after(0);
        assert_eq!(handle_batch(&app_behind, messages(&held.jobs[..1]), 15).await, ["message-0"]);
        assert_eq!(world.mails.messages().len(), 0);
        world.advance(Duration::from_secs(91));
        assert_eq!(run(world, &held.jobs[..1]).await, [false]);
        assert_eq!(world.mails.messages().len(), 1);
    });
}
