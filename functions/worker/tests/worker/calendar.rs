//! Cal.com and the booking agree in the end: after lost answers, outages and races, and never with two bookings there.

use dev::calcom::{self, StandIn};
use dev::stripe::Down;
use shared::domain::booking::CancelReason;
use shared::settle;
use testing::{Held, Plan, at, calcom_options};

use super::*;

/// The first sync job of a hold.
fn sync_of(held: &Held) -> JobId {
    held.jobs[1]
}

fn there(world: &World) -> Vec<Value> {
    world.calcom.bookings()
}

fn live(bookings: &[Value]) -> usize {
    bookings
        .iter()
        .filter(|booking| ["accepted", "pending"].contains(&booking["status"].as_str().unwrap_or_default()))
        .count()
}

async fn calendar(world: &World, held: &Held) -> [Value; 3] {
    let row = world.booking(&held.id()).await;
    ["calendar_state", "cal_com_booking_id", "calendar_note"].map(|fact| row[fact].clone())
}

async fn release(world: &World, held: &Held) {
    world.advance_minutes(31);
    let hold = world.stored_hold(held.id).await;
    settle::close(&world.db(), &world.stripe_client(), &hold, PUBLIC_URL, CancelReason::HoldExpired, world.now())
        .await
        .expect("closed");
}

#[test]
fn a_hold_is_written_to_cal_com_with_its_own_id() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        let bookings = there(world);
        assert_eq!(bookings.len(), 1);
        let booking = &bookings[0];
        assert_eq!(
            (&booking["status"], &booking["metadata"]["inkflow_booking_id"]),
            (&json!("accepted"), &json!(held.id))
        );
        assert_eq!((&booking["eventTypeId"], &booking["duration"]), (&json!(4_210_001), &json!(120)));
        assert_eq!(at(booking["start"].as_str().expect("a start")), at("2027-02-02T09:00:00Z"));
        let attendee = &booking["attendees"][0];
        assert_eq!((&attendee["name"], &attendee["email"]), (&json!("Jo Martin"), &json!("jo@example.fr")));
        assert_eq!(calendar(world, &held).await, [json!("synced"), booking["uid"].clone(), Value::Null]);
        assert_eq!(world.history(&held.id()).await, ["client held", "calcom calendar_synced"]);
        let posts = world.calcom.requests().into_iter().filter(|request| request.method == "POST").count();
        assert_eq!(posts, 1);
    });
}

#[test]
fn a_hold_that_nobody_paid_is_called_off_in_cal_com() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        release(world, &held).await;
        run_everything(world).await;
        let booking = &there(world)[0];
        assert_eq!(booking["status"], "cancelled");
        assert!(booking["cancellationReason"].as_str().expect("a reason").starts_with("InkFlow: "), "{booking}");
        assert_eq!(calendar(world, &held).await[0], "removed");
        assert_eq!(world.history(&held.id()).await.last().map(String::as_str), Some("calcom calendar_removed"));
        // The time is free there for the next one.
        let next = world.hold(&Plan::default().by("next@example.fr")).await;
        run_everything(world).await;
        assert_eq!((calendar(world, &next).await[0].clone(), live(&there(world))), (json!("synced"), 1));
    });
}

#[test]
fn a_payment_changes_nothing_there_when_the_booking_stands_already() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        let before = there(world);
        world.confirm(&held).await;
        run_everything(world).await;
        assert_eq!(there(world), before);
    });
}

#[test]
fn what_waits_for_the_artists_yes_is_confirmed_by_the_payment() {
    World::run(|world| async move {
        let mut options = calcom_options(world);
        options.users[0].event_types[0].requires_confirmation = true;
        let calcom = StandIn::start(options).await.expect("Cal.com stands in");
        let app = App { calendars: world.calendars_at(&calcom.url()), ..app(world) };
        let held = world.hold(&Plan::default()).await;
        assert_eq!(handle_batch(&app, messages(&[sync_of(&held)]), 15).await, Vec::<String>::new());
        assert_eq!(calcom.bookings()[0]["status"], "pending");
        assert_eq!(calendar(world, &held).await[0], "synced");

        world.confirm(&held).await;
        let jobs = open_of(world, "sync_calendar").await;
        assert_eq!(handle_batch(&app, messages(&jobs), 15).await, Vec::<String>::new());
        assert_eq!(calcom.bookings().len(), 1);
        assert_eq!(calcom.bookings()[0]["status"], "accepted");
    });
}

#[test]
fn what_failed_at_booking_is_created_at_payment() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.calcom.switch(|switches| switches.api.down = Some(Down::Unavailable));
        assert_eq!(run(world, &[sync_of(&held)]).await, [true]);
        assert_eq!(calendar(world, &held).await[0], "waiting");
        world.confirm(&held).await;
        world.calcom.switch(|switches| switches.api.down = None);
        run_everything(world).await;
        assert_eq!((live(&there(world)), there(world).len()), (1, 1));
        assert_eq!(calendar(world, &held).await[0], "synced");
    });
}

#[test]
fn an_artist_who_wants_it_after_the_payment_only_gets_it_then() {
    World::run(|world| async move {
        world.execute("update artists set cal_com_create_at = 'payment' where slug = 'noa-keller'").await;
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        assert_eq!(there(world).len(), 0);
        world.confirm(&held).await;
        run_everything(world).await;
        assert_eq!((there(world).len(), calendar(world, &held).await[0].clone()), (1, json!("synced")));
    });
}

#[test]
fn two_jobs_at_once_make_one_booking_there() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        let jobs = open_of(world, "sync_calendar").await;
        assert_eq!(jobs.len(), 2);
        world.calcom.switch(|switches| switches.api.slow_ms = 200);
        // Two sandboxes.
        let (one, two) = (app(world), app(world));
        let (first, second) =
            tokio::join!(handle_batch(&one, messages(&jobs[..1]), 15), handle_batch(&two, messages(&jobs[1..]), 15));
        assert_eq!(first.len() + second.len(), 1, "one of them waits for the other: {first:?} {second:?}");
        assert_eq!(there(world).len(), 1);
        world.calcom.switch(|switches| switches.api.slow_ms = 0);
        run_everything(world).await;
        assert_eq!(there(world).len(), 1);
    });
}

/// Field failure F19.
#[test]
fn an_answer_that_was_lost_makes_no_second_booking() {
    World::run(|world| async move {
        for (start, lost) in [("2027-02-02T09:00:00Z", true), ("2027-02-02T11:00:00Z", false)] {
            let held = world.hold(&Plan::of(&dev::demo::NOA, 0, start)).await;
            world.calcom.switch(|switches| {
                if lost {
                    switches.api.lose_answer = 1;
                } else {
                    switches.api.fail_after_executing = 1;
                }
            });
            run_everything(world).await;
            let ours: Vec<Value> = there(world)
                .into_iter()
                .filter(|booking| booking["metadata"]["inkflow_booking_id"] == json!(held.id))
                .collect();
            assert_eq!(ours.len(), 1);
            assert_eq!(calendar(world, &held).await[..2], [json!("synced"), ours[0]["uid"].clone()]);
        }
    });
}

#[test]
fn a_worker_killed_after_cal_com_answered_makes_no_second_booking() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run(world, &[sync_of(&held)]).await;
        // As if nothing of it had been written down.
        world.execute("update bookings set cal_com_booking_id = null, calendar_state = 'waiting'").await;
        world.execute("update outbox set done_at = null, outcome = null where kind = 'sync_calendar'").await;
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(there(world).len(), 1);
        assert_eq!(calendar(world, &held).await[..2], [json!("synced"), there(world)[0]["uid"].clone()]);
    });
}

#[test]
fn a_race_that_cal_com_lost_inside_itself_is_tried_again() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.calcom.switch(|switches| switches.conflict = 1);
        assert_eq!(run(world, &[sync_of(&held)]).await, [true]);
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(there(world).len(), 1);
    });
}

#[test]
fn a_time_that_was_taken_there_meanwhile_is_told_to_the_artist_once() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world
            .calcom
            .block("noa-keller", at("2027-02-02T09:30:00Z"), at("2027-02-02T10:30:00Z"), "Dentiste")
            .expect("Noa is there");
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(ended(world, sync_of(&held)).await, "discarded");
        assert_eq!(
            calendar(world, &held).await,
            [json!("conflict"), Value::Null, json!("the time is taken in Cal.com")]
        );
        world.mails.clear();
        run_everything(world).await;
        let told =
            |world: &World| world.mails.messages().into_iter().filter(|mail| mail.subject.contains("Cal.com")).count();
        assert_eq!(told(world), 1, "{:?}", world.mails.messages().iter().map(|mail| &mail.subject).collect::<Vec<_>>());
        // The booking itself stands; its payment is as good as any.
        world.confirm(&held).await;
        assert_eq!(world.booking(&held.id()).await["status"], "confirmed");
    });
}

#[test]
fn a_booking_that_was_called_off_there_before_it_was_paid_for_is_for_the_artist_to_decide() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        let uid = there(world)[0]["uid"].as_str().expect("a uid").to_owned();
        world.calcom.cancel(&uid, "Je suis malade").expect("it is there");
        world.confirm(&held).await;
        world.mails.clear();
        run_everything(world).await;
        assert_eq!((there(world).len(), live(&there(world))), (1, 0));
        let row = world.booking(&held.id()).await;
        assert_eq!([&row["status"], &row["payment_status"]], ["confirmed", "paid"]);
        assert_eq!(calendar(world, &held).await[0], "called_off");
        let asked = world.mails.messages().into_iter().filter(|mail| mail.subject.starts_with("À vous de décider"));
        assert_eq!(asked.count(), 1);
    });
}

#[test]
fn a_booking_that_cal_com_does_not_find_is_neither_made_twice_nor_taken_for_removed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        world.calcom.switch(|switches| switches.bookings_not_found = true);
        world.confirm(&held).await;
        run_everything(world).await;
        assert_eq!((there(world).len(), live(&there(world))), (1, 1));
        let row = world.booking(&held.id()).await;
        assert_eq!((&row["calendar_state"], &row["status"]), (&json!("synced"), &json!("confirmed")));
        assert_ne!(row["calendar_missing_since"], Value::Null);

        cancel_here(world, &held).await;
        run_everything(world).await;
        assert_eq!(calendar(world, &held).await[0], "synced", "it is there, and must go");
        world.calcom.switch(|switches| switches.bookings_not_found = false);
        add(world, &shared::domain::job::Task::SyncCalendar { booking: held.id }, 9).await;
        run_everything(world).await;
        assert_eq!((live(&there(world)), calendar(world, &held).await[0].clone()), (0, json!("removed")));
    });
}

#[test]
fn a_cancellation_that_cal_com_forbids_is_told_to_the_artist() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        world.calcom.switch(|switches| switches.disable_cancelling = true);
        cancel_here(world, &held).await;
        world.mails.clear();
        run_everything(world).await;
        assert_eq!(live(&there(world)), 1);
        let [state, _uid, note] = calendar(world, &held).await;
        assert_eq!((state, note), (json!("failed"), json!("the event type does not allow cancellations")));
        let told = world.mails.messages_to(dev::demo::NOA.email);
        let told: Vec<_> = told.iter().filter(|mail| mail.subject.starts_with("À libérer dans Cal.com")).collect();
        assert_eq!(told.len(), 1);
        assert!(told[0].text.contains("Disable cancelling"), "{}", told[0].text);
        let now = world.now();
        let todo = world.rows(&format!("select dashboard_todo(b, '{now}') as todo from bookings b"), &[]).await;
        assert!(todo[0]["todo"].as_array().expect("a list").contains(&json!("calendar")), "{todo:?}");

        // The artist allows it and frees the time there, as told. What had failed is not held against anybody any more.
        let uid = there(world)[0]["uid"].as_str().expect("a uid").to_owned();
        world.calcom.switch(|switches| switches.disable_cancelling = false);
        world.calcom.cancel(&uid, "Annulé").expect("it is there");
        shared::db::calendar::sync_again(&world.db(), held.id, world.now()).await.expect("asked again");
        run_everything(world).await;
        assert_eq!(calendar(world, &held).await[0], json!("removed"));
        let todo = world.rows(&format!("select dashboard_todo(b, '{now}') as todo from bookings b"), &[]).await;
        assert_eq!(todo[0]["todo"], json!([]), "{todo:?}");
    });
}

/// The artist cancels in InkFlow.
async fn cancel_here(world: &World, held: &Held) {
    let reference = shared::db::bookings::Reference::booking(held.id);
    let (db, now) = (world.db(), world.now());
    let by = shared::domain::policy::Canceller::Artist;
    settle::settle(&db, &reference, None, now, |booking, _| booking.cancel(CancelReason::Artist, by, now))
        .await
        .expect("cancelled");
}

#[test]
fn a_booking_that_the_artist_moved_there_is_followed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        let uid = there(world)[0]["uid"].as_str().expect("a uid").to_owned();
        let moved = world.calcom.reschedule(&uid, at("2027-02-03T09:00:00Z")).expect("it is there");
        world.confirm(&held).await;
        run_everything(world).await;
        assert_eq!(live(&there(world)), 1);
        // Cal.com moves with its event type's own length.
        assert_eq!(
            calendar(world, &held).await,
            [json!("synced"), json!(moved), json!("has another length in Cal.com")]
        );
        let row = world.booking(&held.id()).await;
        assert_eq!(row["scheduled_at"], "2027-02-03T09:00:00+00:00");
        assert_eq!(row["ends_at"], "2027-02-03T11:00:00+00:00", "as long as it was booked");
        assert_eq!((&row["status"], &row["payment_status"]), (&json!("confirmed"), &json!("paid")), "f14");
    });
}

#[test]
fn a_released_hold_that_never_reached_cal_com_needs_nothing_there() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        release(world, &held).await;
        run_everything(world).await;
        assert_eq!(there(world).len(), 0);
        assert_eq!(calendar(world, &held).await[0], "removed");
    });
}

#[test]
fn a_lapsed_hold_is_not_written_there_any_more() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.advance_minutes(31);
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!((there(world).len(), ended(world, sync_of(&held)).await), (0, json!("done")));
    });
}

#[test]
fn a_key_that_cal_com_refuses_fails_for_the_artist_to_see() {
    World::run(|world| async move {
        let sealed =
            dev::demo::seal(testing::ENCRYPTION_KEY, dev::demo::NOA.id, "cal_test_revoked", &[7; 12]).expect("sealed");
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        world.execute(&format!("update artists set cal_com_api_key = '\\x{hex}' where slug = 'noa-keller'")).await;
        let held = world.hold(&Plan::default()).await;
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(ended(world, sync_of(&held)).await, "discarded");
        let [state, _uid, note] = calendar(world, &held).await;
        assert_eq!((state, note), (json!("failed"), json!("the API key is refused")));
    });
}

#[test]
fn an_artist_who_left_cal_com_needs_nothing_there() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.execute("update artists set cal_com_event_type_id = null, cal_com_api_key = null").await;
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(ended(world, sync_of(&held)).await, "discarded");
    });
}

#[test]
fn a_limit_of_cal_com_is_waited_out() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.calcom.switch(|switches| switches.api.rate_limited = true);
        assert_eq!(run(world, &[sync_of(&held)]).await, [true]);
        assert!(job(world, sync_of(&held)).await["last_error"].as_str().expect("a reason").contains("too many calls"));
        world.calcom.switch(|switches| *switches = calcom::Switches::default());
        assert_eq!(run(world, &[sync_of(&held)]).await, [false]);
        assert_eq!(there(world).len(), 1);
    });
}
