//! The mails: each once per occasion, to the right person, and none that is not true any more.

use dev::aws::{Condition, Mail};
use dev::demo::{LEA, NOA};
use dev::stripe::RefundMode;
use shared::domain::booking::CancelReason;
use shared::domain::ids::BookingId;
use shared::domain::job::Template;
use shared::settle;
use testing::{Held, Plan};

use super::*;

async fn deliveries(world: &World) -> Vec<Value> {
    world
        .rows("select template, occurrence, recipient, status, message_id is not null as has_id, error from email_deliveries order by created_at, template", &[])
        .await
}

/// Puts what SES tells of a mail on the queue. True when it should come again.
async fn hear(world: &World, news: &str) -> bool {
    let mut event = messages(&[JobId::new(uuid::Uuid::nil())]);
    event["Records"][0]["body"] = news.into();
    !handle_batch(&app(world), event, 15).await.is_empty()
}

fn only(mails: &[Mail]) -> &Mail {
    assert_eq!(mails.len(), 1, "{:?}", mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>());
    &mails[0]
}

async fn cancel(world: &World, held: &Held, reason: &str) {
    world
        .execute(&format!(
            r"update bookings set status = 'cancelled', cancel_reason = '{reason}', hold_expires_at = null, version = version + 1
             where id = '{}'",
            held.id
        ))
        .await;
}

fn mail(booking: BookingId, template: Template, occurrence: &str) -> Task {
    Task::SendEmail { booking, template, occurrence: occurrence.parse().expect("any text is one") }
}

#[test]
fn the_artist_hears_of_a_hold_and_that_it_is_not_paid() {
    World::run(|world| async move {
        world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        run_everything(world).await;
        let mails = world.mails.messages();
        let mail = only(&mails);
        assert_eq!((mail.to.as_str(), mail.reply_to.as_str()), ("lea@marchetti.example", "jo@example.fr"));
        assert!(mail.from.contains("bookings@ink.test"), "{}", mail.from);
        assert!(mail.subject.contains("Pas encore payé") && mail.subject.contains("Jo Martin"), "{}", mail.subject);
        for fact in [
            "mardi 2\u{a0}février 2027 à 10\u{a0}h\u{a0}00",
            "50\u{a0}€",
            "Hirondelle",
            "+33 6 12 34 56 78",
            "jo@example.fr",
        ] {
            assert!(mail.text.contains(fact), "{fact} is not in {}", mail.text);
        }
        assert!(mail.attachments.is_empty(), "nothing is fixed yet");
        assert_eq!(
            deliveries(world).await,
            [
                json!({ "template": "artist_pending", "occurrence": "1", "recipient": "lea@marchetti.example", "status": "sent", "has_id": true, "error": null })
            ]
        );
    });
}

/// The job that reminds the client of a hold.
async fn reminder(world: &World) -> JobId {
    let rows = world.rows("select id from outbox where args->>'template' = 'client_held'", &[]).await;
    assert_eq!(rows.len(), 1, "one for each hold");
    rows[0]["id"].as_str().expect("an id").parse().expect("an id")
}

#[test]
fn a_client_who_has_not_paid_after_ten_minutes_gets_one_mail_with_the_way_back() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.advance_minutes(10);
        let id = reminder(world).await;
        for _ in 0..3 {
            assert_eq!(run(world, &[id]).await, [false]);
            // Redriven by hand.
            world.execute("update outbox set done_at = null, outcome = null, locked_until = null").await;
        }
        let mails = world.mails.messages_to("jo@example.fr");
        let mail = only(&mails);
        // Held at 8 o'clock in UTC, for half an hour, on the studio's clock.
        assert!(
            mail.subject
                .starts_with("Votre créneau vous attend jusqu’à 9\u{a0}h\u{a0}30, heure de Paris\u{a0}: Hirondelle"),
            "{}",
            mail.subject
        );
        let page = format!("https://ink.test/booking/cancel?id={}", held.id);
        assert!(mail.text.contains(&page) && mail.html.contains(&page), "{}", mail.text);
        assert!(mail.invitation.is_none() && mail.attachments.is_empty());
        assert!(!mail.text.contains("rue"), "where it is, is told to whom it is confirmed: {}", mail.text);
    });
}

#[test]
fn nobody_who_has_paid_given_back_or_waits_for_a_bank_is_reminded() {
    for what in ["paid", "released", "lapsed", "late", "bank", "unopened"] {
        World::run(|world| async move {
            let plan = Plan::of(&LEA, 0, "2027-02-02T09:00:00Z");
            let id = if what == "unopened" {
                world.hold_unopened(&plan).await.0
            } else {
                let held = world.hold(&plan).await;
                match what {
                    "paid" => drop(world.confirm(&held).await),
                    "released" => cancel(world, &held, "client").await,
                    // The bank of somebody who has paid takes its time.
                    "bank" => {
                        world
                            .execute("update bookings set hold_expires_at = hold_expires_at + interval '7 days'")
                            .await;
                    }
                    _ => {}
                }
                held.id
            };
            // A mail that was held up for long has nothing to say any more.
            world.advance_minutes(match what {
                "lapsed" => 31,
                "late" => 26,
                _ => 10,
            });
            world.mails.clear();
            let job = add(world, &mail(id, Template::ClientHeld, "late"), 9).await;
            assert_eq!(run(world, &[job]).await, [false], "{what}");
            assert_eq!(
                (ended(world, job).await, world.mails.messages_to("jo@example.fr").len()),
                (json!("done"), 0),
                "{what}"
            );
        });
    }
}

#[test]
fn a_payment_that_no_webhook_brought_is_found_instead_of_asking_for_it_again() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.pay(&held);
        world.advance_minutes(10);
        assert_eq!(run(world, &[reminder(world).await]).await, [false]);
        assert_eq!(world.booking(&held.id()).await["status"], "confirmed");
        run_everything(world).await;
        let to_client = world.mails.messages_to("jo@example.fr");
        assert!(only(&to_client).subject.contains("confirmé"), "{}", to_client[0].subject);
    });
}

#[test]
fn while_stripe_cannot_say_whether_it_is_paid_nobody_is_reminded() {
    World::run(|world| async move {
        world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.advance_minutes(10);
        let id = reminder(world).await;
        world.stripe.switch(|switches| switches.api.down = Some(dev::stripe::Down::Unavailable));
        assert_eq!(run(world, &[id]).await, [true]);
        assert!(world.mails.messages_to("jo@example.fr").is_empty());
        world.stripe.switch(|switches| *switches = dev::stripe::Switches::default());
        assert_eq!(run(world, &[id]).await, [false]);
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), 1);
    });
}

/// The calendar file of the newest mail to somebody, the same as a way to show it and as an attachment.
fn file_to(world: &World, to: &str) -> String {
    let mails = world.mails.messages_to(to);
    let mail = mails.first().unwrap_or_else(|| panic!("no mail to {to}"));
    let invitation = mail.invitation.as_ref().unwrap_or_else(|| panic!("no invitation in {}", mail.subject));
    assert_eq!(mail.attachments.len(), 1);
    assert_eq!(mail.attachments[0].content, invitation.content);
    invitation.content.replace("\r\n ", "")
}

fn value<'a>(file: &'a str, name: &str) -> &'a str {
    let line = file.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {file}"));
    line.trim_start_matches(':')
}

#[test]
fn a_called_off_appointment_leaves_the_calendars_of_both_by_the_uid_it_came_with() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let people = ["jo@example.fr", LEA.email];
        let came = people.map(|to| file_to(world, to));
        let reference = shared::db::bookings::Reference::booking(held.id);
        let now = world.now();
        settle::settle(&world.db(), &reference, None, now, |booking, _| {
            booking.cancel(CancelReason::Artist, shared::domain::policy::Canceller::Artist, now)
        })
        .await
        .expect("cancelled");
        world.mails.clear();
        run_everything(world).await;
        for (to, came) in people.into_iter().zip(came) {
            let gone = file_to(world, to);
            assert_eq!((value(&came, "METHOD"), value(&gone, "METHOD")), ("REQUEST", "CANCEL"));
            assert_eq!(value(&gone, "STATUS"), "CANCELLED");
            for same in ["UID", "ORGANIZER", "ATTENDEE", "DTSTART"] {
                assert_eq!(value(&gone, same), value(&came, same));
            }
            let sequence = |file: &str| value(file, "SEQUENCE").parse::<i32>().expect("a number");
            assert!(sequence(&gone) > sequence(&came));
        }
        let to_artist = world.mails.messages_to(LEA.email);
        assert!(only(&to_artist).text.contains("Vous avez annulé ce rendez-vous."), "{}", to_artist[0].text);
    });
}

#[test]
fn the_artist_s_own_copy_moves_along_unless_cal_com_keeps_it() {
    World::run(|world| async move {
        for (plan, artist, copies) in
            [(Plan::of(&LEA, 0, "2027-02-02T09:00:00Z"), &LEA, true), (Plan::default(), &NOA, false)]
        {
            let held = world.hold(&plan).await;
            world.confirm(&held).await;
            run_everything(world).await;
            let confirmed = world.mails.messages_to(artist.email).remove(0);
            assert_eq!(confirmed.invitation.is_some(), copies, "{}", confirmed.subject);
            let day = jiff::SignedDuration::from_hours(24);
            let reference = shared::db::bookings::Reference::booking(held.id);
            settle::settle(&world.db(), &reference, None, world.now(), |booking, _| {
                let (start, end) = (booking.starts_at + day, booking.ends_at + day);
                booking.move_to(start, end, shared::domain::booking::Actor::Client, true)
            })
            .await
            .expect("moved");
            world.mails.clear();
            run_everything(world).await;
            let told = world.mails.messages_to(artist.email);
            assert!(only(&told).subject.starts_with("Nouvelle date"), "{}", told[0].subject);
            assert_eq!(told[0].invitation.is_some(), copies);
            let client = file_to(world, "jo@example.fr");
            assert_eq!((value(&client, "METHOD"), value(&client, "DTSTART")), ("REQUEST", "20270203T090000Z"));
            if copies {
                assert_eq!(value(&file_to(world, artist.email), "DTSTART"), "20270203T090000Z");
            }
            world.mails.clear();
        }
    });
}

#[test]
fn the_mails_of_one_booking_are_one_conversation_that_no_machine_answers() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.advance_minutes(10);
        run(world, &[reminder(world).await]).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let mails = world.mails.messages_to("jo@example.fr");
        assert_eq!(mails.len(), 2);
        for mail in &mails {
            let thread = format!("<{}.client@ink.test>", held.id);
            assert_eq!((mail.header("References"), mail.header("In-Reply-To")), (thread.as_str(), thread.as_str()));
            assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        }
        let to_artist = world.mails.messages_to(LEA.email);
        assert_eq!(to_artist[0].header("References"), format!("<{}.artist@ink.test>", held.id));
    });
}

#[test]
fn a_project_s_words_reach_the_artist_and_nobody_else() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z").project()).await;
        run_everything(world).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let to_artist = world.mails.messages_to("lea@marchetti.example");
        assert!(to_artist.iter().all(|mail| mail.text.contains("Une branche d’olivier")));
        assert!(!only(&world.mails.messages_to("jo@example.fr")).text.contains("olivier"));
    });
}

#[test]
fn both_sides_hear_of_a_confirmation_with_the_appointment_attached() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        run_everything(world).await;
        world.mails.clear();
        world.confirm(&held).await;
        run_everything(world).await;

        let to_client = world.mails.messages_to("jo@example.fr");
        let mail = only(&to_client);
        assert_eq!(mail.reply_to, "lea@marchetti.example");
        assert!(mail.from.contains("Marchetti") || mail.from.contains("=?"), "{}", mail.from);
        assert!(mail.subject.contains("confirmé"), "{}", mail.subject);
        assert!(mail.text.contains(&format!("https://ink.test/booking/success?id={}", held.id)), "{}", mail.text);
        let to_artist = world.mails.messages_to("lea@marchetti.example");
        for mail in [mail, only(&to_artist)] {
            let file = &mail.attachments[0];
            assert_eq!((mail.attachments.len(), file.filename.as_str()), (1, "rendez-vous.ics"));
            for line in [
                "DTSTART:20270202T090000Z",
                "DTEND:20270202T110000Z",
                &format!("UID:{}@inkflow", held.id),
                "STATUS:CONFIRMED",
            ] {
                assert!(file.content.contains(line), "{line} is not in {}", file.content);
            }
        }
    });
}

#[test]
fn a_client_is_written_to_in_their_own_language() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.execute("update bookings set client_locale = 'en'").await;
        world.confirm(&held).await;
        run_everything(world).await;
        let to_client = world.mails.messages_to("jo@example.fr");
        assert!(only(&to_client).text.contains("confirmed"), "{}", to_client[0].text);
        assert!(
            world
                .mails
                .messages_to("noa@keller.example")
                .iter()
                .any(|mail| mail.subject.contains("Confirmé") || mail.subject.contains("confirmé"))
        );
    });
}

/// Held, confirmed, cancelled: of each a mail to the client, with its file.
#[test]
fn a_client_reads_the_street_only_in_mails_of_an_appointment_that_stands() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        let told = async |template, occurrence: &str| {
            world.mails.clear();
            run_everything(world).await;
            world.mails.clear();
            add(world, &mail(held.id, template, occurrence), 1).await;
            run_everything(world).await;
            let mails = world.mails.messages_to("jo@example.fr");
            let mail = only(&mails);
            let files = mail.attachments.iter().map(|file| file.content.replace("\r\n ", "")).collect::<String>();
            [&mail.text, &mail.html, &files].map(|part| part.contains("Grande-Côte"))
        };
        assert_eq!(told(Template::ClientMoved, "held").await, [false; 3]);
        world.execute("update artists set address_shown = 'with_summary'").await;
        assert_eq!(told(Template::ClientMoved, "held, told").await, [true, true, false], "a hold has no file");
        world.execute("update artists set address_shown = 'after_payment'").await;
        world.confirm(&held).await;
        assert_eq!(told(Template::ClientMoved, "confirmed").await, [true; 3]);
        cancel(world, &held, "client").await;
        assert_eq!(told(Template::ClientCancelled, "cancelled").await, [false; 3]);
    });
}

/// Field failure F15.
#[test]
fn a_mail_is_sent_once_however_often_its_job_is_run() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let sent = world.mails.messages().len();
        // Killed between the record of the mail and the record of the job; and redriven by hand.
        world
            .execute("update outbox set done_at = null, outcome = null, locked_until = null where kind = 'send_email'")
            .await;
        run_everything(world).await;
        assert_eq!(world.mails.messages().len(), sent);
    });
}

#[test]
fn a_mail_whose_sender_was_killed_before_it_knew_is_sent_rather_than_lost() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world
            .execute(&format!(
                r"insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, created_at)
                 values (gen_random_uuid(), '{}', 'artist_pending', '1', 'lea@marchetti.example', 'sending', now())",
                held.id
            ))
            .await;
        run_everything(world).await;
        assert_eq!(world.mails.messages().len(), 1);
        assert_eq!(deliveries(world).await[0]["status"], "sent");
    });
}

/// Lets a job begin anew, as a redelivery after a death does, or somebody's press.
async fn anew(world: &World) {
    world
        .execute("update outbox set done_at = null, outcome = null, locked_until = null where kind = 'send_email'")
        .await;
}

/// One mail to Léa, and its job.
async fn one_mail(world: &World) -> JobId {
    world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
    open_of(world, "artist_pending").await.remove(0)
}

#[test]
fn a_mail_that_ses_takes_and_answers_late_is_one_mail() {
    World::run(|world| async move {
        let id = one_mail(world).await;
        world.mails.set(Condition::Late);
        for _ in 0..8 {
            run(world, &[id]).await;
            anew(world).await;
        }
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (1, json!("sent")));
    });
}

#[test]
fn a_mail_whose_answer_is_lost_is_tried_once_more_and_never_again() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        let id = one_mail(world).await;
        world.mails.set(Condition::Mute);
        assert_eq!(run(world, &[id]).await, [true]);
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (1, json!("sending")));
        assert_eq!(run(world, &[id]).await, [false]);
        for condition in [Condition::Mute, Condition::Ok, Condition::Down, Condition::Ok] {
            world.mails.set(condition);
            anew(world).await;
            assert_eq!(run(world, &[id]).await, [false]);
        }
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (2, json!("unknown")));
        logs.raise("worker", "mail-in-doubt");
    });
}

#[test]
fn an_answer_that_is_lost_once_makes_two_mails_at_most() {
    World::run(|world| async move {
        let id = one_mail(world).await;
        world.mails.set(Condition::Mute);
        run(world, &[id]).await;
        world.mails.set(Condition::Ok);
        assert_eq!(run(world, &[id]).await, [false]);
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (2, json!("sent")));
    });
}

#[test]
fn a_worker_that_dies_over_a_mail_twice_leaves_it_in_doubt_and_does_not_send_a_third() {
    World::run(|world| async move {
        let id = one_mail(world).await;
        world
            .execute(
                r"insert into email_deliveries (id, booking_id, template, occurrence, recipient, status, tries, created_at)
                 select gen_random_uuid(), id, 'artist_pending', '1', 'lea@marchetti.example', 'sending', 2, now() from bookings",
            )
            .await;
        assert_eq!(run(world, &[id]).await, [false]);
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (0, json!("unknown")));
        // Nothing that the artist could do about it is waiting.
        let failed =
            "select job_failed(outcome, last_error) as failed from outbox where args->>'template' = 'artist_pending'";
        assert_eq!(world.rows(failed, &[]).await[0]["failed"], false);
    });
}

#[test]
fn what_ses_says_it_did_not_take_is_tried_as_often_as_it_takes() {
    World::run(|world| async move {
        let id = one_mail(world).await;
        world.mails.set(Condition::Down);
        for _ in 0..5 {
            assert_eq!(run(world, &[id]).await, [true]);
        }
        world.mails.set(Condition::Ok);
        assert_eq!(run(world, &[id]).await, [false]);
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (1, json!("sent")));
    });
}

/// A hold of somebody's, confirmed by hand.
async fn by_hand(world: &World, client: &str, day: usize) -> Held {
    let start = format!("2027-{:02}-{:02}T09:00:00Z", 2 + day / 28, 1 + day % 28);
    let held = world.hold(&Plan::of(&LEA, 0, &start).by(client)).await;
    world
        .execute(&format!(
            "update bookings set status = 'confirmed', hold_expires_at = null, version = version + 1 where id = '{}'",
            held.id
        ))
        .await;
    held
}

#[test]
fn few_mails_reach_an_address_while_nobody_has_paid() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        world.execute("update flashes set repeatable = true").await;
        let mut asked = 0;
        for day in 0..5 {
            let held = by_hand(world, "Target@Victim.example", day).await;
            for occurrence in ["1", "again:1", "again:2", "again:3"] {
                add(world, &mail(held.id, Template::ClientConfirmed, occurrence), 9).await;
                asked += 1;
            }
        }
        run_everything(world).await;
        let to_them = || world.mails.messages_to("victim.example").len();
        assert_eq!((asked, to_them()), (20, 6));
        let withheld = "select count(*) as n from email_deliveries where status = 'withheld' and error = 'address'";
        assert_eq!(world.rows(withheld, &[]).await[0]["n"], 14);
        logs.raise("worker", "mails-withheld");
        // It waits for the artist, who tries again an hour later; but a day has an end too.
        let failed = "select count(*) as n from outbox where job_failed(outcome, last_error)";
        assert_eq!(world.rows(failed, &[]).await[0]["n"], 14);
        for hours in 1..4 {
            world.advance_minutes(60);
            anew(world).await;
            run_everything(world).await;
            assert_eq!(to_them(), 12, "after {hours} h");
        }
        world.advance_minutes(24 * 60);
        anew(world).await;
        run_everything(world).await;
        assert_eq!(to_them(), 18);
    });
}

#[test]
fn who_has_paid_is_written_to_whatever_others_had_pressed() {
    World::run(|world| async move {
        world.execute("update flashes set repeatable = true").await;
        for day in 0..8 {
            let held = by_hand(world, "jo@example.fr", day).await;
            add(world, &mail(held.id, Template::ClientConfirmed, "1"), 9).await;
        }
        run_everything(world).await;
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), 6);
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-20T09:00:00Z")).await;
        world.confirm(&held).await;
        run_everything(world).await;
        assert_eq!(world.mails.messages_to("jo@example.fr").len(), 7);
    });
}

#[test]
fn an_artist_confirms_a_hundred_clients_by_hand_in_a_day_and_cannot_write_to_a_thousand() {
    World::run(|world| async move {
        world.execute("update flashes set repeatable = true").await;
        let held = by_hand(world, "one@example.fr", 0).await;
        let copy = |id: uuid::Uuid, number: i32| {
            format!(
                r"insert into bookings (id, artist_id, type, flash_id, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
                     client_name, client_email, client_phone, client_locale, created_at, updated_at)
                 select '{id}', artist_id, type, flash_id, status, scheduled_at + interval '{number} days',
                     ends_at + interval '{number} days', acompte_amount, price, title, policy, client_name,
                     'client{number}@example.fr', client_phone, client_locale, created_at, updated_at
                 from bookings where id = '{}'",
                held.id
            )
        };
        let mut sent = Vec::new();
        for hour in 0..12 {
            for number in 0..30 {
                let id = uuid::Uuid::now_v7();
                world.execute(&copy(id, hour * 30 + number + 1)).await;
                let id = BookingId::new(id);
                add(world, &mail(id, Template::ClientConfirmed, "1"), 9).await;
            }
            run_everything(world).await;
            sent.push(world.mails.messages().iter().filter(|mail| mail.to.starts_with("client")).count());
            world.advance_minutes(60);
        }
        assert_eq!(sent[..4], [30, 60, 90, 120], "thirty an hour are an honest day");
        assert_eq!(*sent.last().expect("twelve hours"), 250);
    });
}

/// Field failure F15.
#[test]
fn nobody_is_told_to_wait_for_a_payment_that_has_come() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.confirm(&held).await;
        let pending = open_of(world, "artist_pending").await;
        run_everything(world).await;
        let row = job(world, pending[0]).await;
        assert_eq!(
            (&row["outcome"], &row["last_error"]),
            (&json!("discarded"), &json!("the booking is not pending any more"))
        );
        let subjects: Vec<String> =
            world.mails.messages_to("lea@marchetti.example").into_iter().map(|mail| mail.subject).collect();
        assert_eq!(subjects.len(), 1);
        assert!(!subjects[0].contains("Pas encore payé"), "{subjects:?}");
    });
}

/// Field failure F15.
#[test]
fn nobody_hears_of_a_hold_that_has_lapsed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.advance_minutes(30);
        run(world, &held.jobs).await;
        assert_eq!((ended(world, held.jobs[0]).await, world.mails.messages().len()), (json!("discarded"), 0));
    });
}

#[test]
fn nobody_is_told_that_a_cancelled_booking_is_confirmed() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        run_everything(world).await;
        world.mails.clear();
        let jobs = world.confirm(&held).await;
        cancel(world, &held, "client").await;
        assert_eq!(run(world, &jobs).await, [false, false]);
        for id in jobs {
            assert_eq!(ended(world, id).await, "discarded");
        }
        assert_eq!(world.mails.messages().len(), 0);
    });
}

#[test]
fn an_address_that_ses_refuses_is_noted_and_not_tried_again() {
    World::run(|world| async move {
        world.mails.set(Condition::Bounce);
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        assert_eq!(run(world, &held.jobs).await, [false]);
        let row = job(world, held.jobs[0]).await;
        assert_eq!(row["outcome"], "discarded");
        let delivery = &deliveries(world).await[0];
        assert_eq!((&delivery["status"], &delivery["has_id"]), (&json!("refused"), &json!(false)));
        for text in [row["last_error"].to_string(), delivery["error"].to_string()] {
            assert!(text.len() > 4 && !text.contains("marchetti.example"), "{text}");
        }
    });
}

#[test]
fn a_mail_that_ses_took_and_that_came_back_is_shown_as_not_arrived_and_can_be_sent_again() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        assert_eq!(run(world, &held.jobs).await, [false]);
        assert_eq!(
            (ended(world, held.jobs[0]).await, &deliveries(world).await[0]["status"]),
            (json!("done"), &json!("sent"))
        );
        let mail = world.mails.messages().remove(0);
        let news = |id: &str, booking: &str| {
            json!({
                "eventType": "Bounce",
                "bounce": { "bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList",
                    "bouncedRecipients": [{ "emailAddress": mail.to }], "feedbackId": "1" },
                "mail": { "messageId": id, "destination": [mail.to], "tags": { "booking": [booking] } },
            })
            .to_string()
        };
        // Another mail's, another booking's, and of who complains: they have it.
        let other = uuid::Uuid::now_v7().to_string();
        let complaint = news(&mail.message_id, mail.tag("booking")).replace("Bounce", "Complaint");
        for nothing in [news("0102-another", mail.tag("booking")), news(&mail.message_id, &other), complaint] {
            assert!(!hear(world, &nothing).await);
        }
        assert_eq!(deliveries(world).await[0]["status"], "sent");

        for _ in 0..2 {
            assert!(!hear(world, &news(&mail.message_id, mail.tag("booking"))).await, "it is over");
        }
        let delivery = &deliveries(world).await[0];
        assert_eq!(
            (&delivery["status"], &delivery["error"]),
            (&json!("refused"), &json!("it came back: Permanent, OnAccountSuppressionList"))
        );
        assert_eq!(ended(world, held.jobs[0]).await, "discarded");
        let now = world.now();
        let todo = world.rows(&format!("select dashboard_todo(b, '{now}') as todo from bookings b"), &[]).await;
        assert!(todo[0]["todo"].as_array().expect("a list").contains(&json!("job")), "{todo:?}");

        // The artist presses "once more", and this time it stays.
        world.execute("update outbox set done_at = null, outcome = null, last_error = null, attempts = 0").await;
        assert_eq!(run(world, &held.jobs).await, [false]);
        assert_eq!((deliveries(world).await[0]["status"].clone(), world.mails.messages().len()), (json!("sent"), 2));
    });
}

#[test]
fn ses_down_or_slow_delays_a_mail_and_loses_none() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.mails.set(Condition::Down);
        assert_eq!(run(world, &held.jobs).await, [true]);
        assert_eq!(
            (ended(world, held.jobs[0]).await, deliveries(world).await[0]["status"].clone()),
            (Value::Null, json!("sending"))
        );
        world.mails.set(Condition::Ok);
        assert_eq!(run(world, &held.jobs).await, [false]);
        assert_eq!((world.mails.messages().len(), deliveries(world).await[0]["status"].clone()), (1, json!("sent")));
    });
}

/// Field failure F4.
#[test]
fn a_client_whose_late_money_went_back_is_told_how_much_and_why() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        world.mails.clear();
        let payment_intent = world.pay(&held);
        cancel(world, &held, "hold_expired").await;
        let next = world.hold(&Plan::default().by("next@example.fr")).await;
        let session = world.stripe_client().session(&held.session, None).await.expect("Stripe answers");
        let settled = settle::session(&world.db(), held.id, &session, world.now()).await.expect("the database answers");
        assert_eq!(settled.outcome().name(), "refunded_late");
        run_everything(world).await;

        let to_client = world.mails.messages_to("jo@example.fr");
        let mail = only(&to_client);
        assert!(mail.text.contains("60\u{a0}€"), "{}", mail.text);
        assert!(mail.attachments.is_empty());
        let refund = world.stripe.refunds().remove(0);
        assert_eq!((&refund["payment_intent"], &refund["amount"]), (&json!(payment_intent), &json!(6_000)));
        let occurrences: Vec<Value> = deliveries(world)
            .await
            .iter()
            .filter(|row| row["template"] == "client_late_refund")
            .map(|row| row["occurrence"].clone())
            .collect();
        assert_eq!(occurrences, [refund["id"].clone()]);
        assert_eq!(world.booking(&next.id()).await["status"], "pending");
    });
}

#[test]
fn every_problem_with_money_is_told_to_the_artist_in_its_own_words() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let payment_intent =
            world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
        let insert = |kind: &str, cents: i64, stripe_id: &str| {
            format!(
                r"insert into payments select gen_random_uuid(), id, artist_id, '{kind}', {cents}, 'eur', '{stripe_id}', '{payment_intent}', now(), now()
                 from bookings where id = '{}'",
                held.id
            )
        };
        world.execute(&insert("capture", 4_200, "pi_other")).await;
        world.execute(&insert("refund_failed", 5_000, "re_failed")).await;
        let mut told = Vec::new();
        for (occurrence, problem) in [
            ("pi_other", "mismatch"),
            ("pi_other", "duplicate"),
            ("re_failed", "refund_failed"),
            ("refund:pi_other", "refund_failed"),
            ("dp_1", "refund_failed"),
        ] {
            world.execute(&format!("update bookings set payment_problem = '{problem}'")).await;
            world.execute("delete from email_deliveries; delete from outbox").await;
            world.mails.clear();
            let id = add(world, &mail(held.id, Template::ArtistPaymentProblem, occurrence), 9).await;
            run(world, &[id]).await;
            let mails = world.mails.messages_to("lea@marchetti.example");
            told.push((occurrence, only(&mails).subject.clone(), only(&mails).text.clone()));
        }
        let [mismatch, duplicate, failed, impossible, disputed] = &told[..] else { panic!("five") };
        assert!(
            mismatch.2.contains("42\u{a0}€") && duplicate.2.contains("42\u{a0}€") && failed.2.contains("50\u{a0}€"),
            "{told:?}"
        );
        assert_ne!(mismatch.1, duplicate.1);
        assert_ne!(impossible.2, failed.2, "the amount is not known");
        assert_ne!(disputed.1, failed.1);
    });
}

#[test]
fn a_refund_that_fails_later_is_told_to_the_artist() {
    World::run(|world| async move {
        world.stripe.switch(|switches| switches.refunds = RefundMode::StayPending);
        let held = world.hold(&Plan::default()).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let payment_intent =
            world.booking(&held.id()).await["stripe_payment_intent_id"].as_str().expect("a payment").to_owned();
        let amount = shared::domain::money::Cents::new(6_000);
        let reason = shared::domain::job::RefundReason::Cancelled;
        let refund = world
            .stripe_client()
            .refund(held.id, &payment_intent, amount, reason, (1, 1), None)
            .await
            .expect("refunded");
        world.stripe.fail_refund(&refund.id, "lost_or_stolen_card").expect("pending");
        world.mails.clear();
        add(world, &Task::SettlePayment { booking: held.id, payment_intent, event: "evt_1".into() }, 9).await;
        run_everything(world).await;
        let to_artist = world.mails.messages_to(NOA.email);
        assert!(only(&to_artist).text.contains("60\u{a0}€"), "{}", to_artist[0].text);
        assert_eq!(world.booking(&held.id()).await["payment_problem"], "refund_failed");
    });
}

#[test]
fn a_released_hold_is_no_mail_to_anybody() {
    World::run(|world| async move {
        let held = world.hold(&Plan::default()).await;
        run_everything(world).await;
        world.mails.clear();
        world.advance_minutes(31);
        let hold = world.stored_hold(held.id).await;
        settle::close(&world.db(), &world.stripe_client(), &hold, PUBLIC_URL, CancelReason::HoldExpired, world.now())
            .await
            .expect("closed");
        run_everything(world).await;
        assert_eq!(world.mails.messages().len(), 0);
    });
}

#[test]
fn no_log_line_and_no_job_holds_an_address_a_name_or_a_key() {
    World::run(|world| async move {
        let logs = testing::Logs::listen();
        let private = [
            "jo@example",
            "marchetti.example",
            "keller.example",
            "Martin",
            "33612345678",
            "6 12 34 56 78",
            "olivier",
            "cal_test",
            "sk_test",
        ];
        // Sent, refused, down; a calendar that is taken, down, and wrong; money that cannot go back.
        for condition in [Condition::Ok, Condition::Bounce, Condition::Down] {
            world.mails.set(condition);
            world
                .hold(
                    &Plan::of(&LEA, 0, &format!("2027-02-0{}T09:00:00Z", 2 + deliveries(world).await.len())).project(),
                )
                .await;
            run(world, &open(world).await).await;
        }
        world.mails.set(Condition::Ok);
        let held = world.hold(&Plan::default()).await;
        world.calcom.switch(|switches| switches.api.down = Some(dev::stripe::Down::InternalError));
        run(world, &held.jobs).await;
        world.calcom.switch(|switches| *switches = dev::calcom::Switches::default());
        let (start, end) = (testing::at("2027-02-02T09:00:00Z"), testing::at("2027-02-02T11:00:00Z"));
        world.calcom.block("noa-keller", start, end, "Jo Martin").expect("Noa is there");
        run(world, &held.jobs).await;
        let amount = shared::domain::money::Cents::new(6_000);
        let reason = shared::domain::job::RefundReason::Late;
        let refund = Task::Refund { booking: held.id, payment_intent: "pi_nobody".into(), amount, reason };
        run(world, &[add(world, &refund, 9).await]).await;
        run(world, &open(world).await).await;
        logs.hold_nothing_of(&private);
        let kept = world.rows("select last_error, args from outbox", &[]).await;
        let kept = format!("{kept:?} {:?}", world.rows("select error from email_deliveries", &[]).await);
        for word in private {
            assert!(!kept.contains(word), "{word} is kept: {kept}");
        }
    });
}

#[test]
fn a_mail_tells_the_hour_on_the_clock_the_appointment_was_made_for() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-02T09:00:00Z")).await;
        world.execute(&format!("update artists set timezone = 'America/Martinique' where id = '{}'", LEA.id)).await;
        world.confirm(&held).await;
        run_everything(world).await;
        let mails = world.mails.messages();
        let mail = mails.iter().find(|mail| mail.to == "jo@example.fr").expect("a mail to the client");
        assert!(mail.text.contains("mardi 2\u{a0}février 2027 à 10\u{a0}h\u{a0}00, heure de Paris"), "{}", mail.text);
    });
}
