//! Races for one chair, with as many real connections as there are clients: one winner each, no deadlock, no slot
//! sold twice. Through `handle` and, for the large number of rounds, through the one statement that decides.

use std::time::Duration;

use create_booking::{App, Limits, handle};
use dev::demo;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};
use shared::db::Db;
use shared::db::holds::{self, Networks, NewHold, Subject};
use shared::domain::booking::{CalendarMode, checkout_end};
use shared::domain::contact::{Country, EmailAddress, FullName, PhoneNumber};
use shared::domain::ids::{ArtistId, BookingId, FlashId};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::{CancellationPolicy, DepositNature};
use shared::domain::refusal::Refusal;
use shared::domain::shares::Most;
use shared::domain::slots::Slot;
use shared::error::Error;
use shared::network::Network;
use testing::{World, answer, post};
use uuid::Uuid;

/// How many clients want the same thing.
const CLIENTS: usize = 50;

fn app(world: &World) -> App {
    App {
        db: world.db(),
        calendars: world.calendars(),
        stripe: world.stripe_client(),
        queue: world.queue(),
        web: world.web(),
        clock: world.clock(),
        hold: SignedDuration::from_mins(30),
        limits: Limits { requests_per_hour: 100_000, holds_per_client: 100_000, holds_per_artist: 100_000 },
    }
}

/// Connections that are open before the race begins, so that the clients meet.
async fn connections(world: &World) -> Vec<Db> {
    let all: Vec<Db> = (0..CLIENTS).map(|_| world.db()).collect();
    join_all(all.iter().map(Db::warm_up)).await;
    all
}

struct Wanted {
    start: Timestamp,
    minutes: i64,
    flash: Option<FlashId>,
}

async fn hold(db: &Db, client: usize, wanted: &Wanted, now: Timestamp) -> Result<BookingId, Error> {
    let id = BookingId::new(Uuid::now_v7());
    let subject = match wanted.flash {
        Some(id) => Subject::Flash { id, price: Cents::new(15_000), repeatable: false },
        None => Subject::Project(
            shared::domain::contact::ProjectBrief::parse("Une pivoine au trait", "avant-bras", None).expect("a brief"),
        ),
    };
    let hold_expires_at = now + 30.minutes();
    let new = NewHold {
        id,
        artist: ArtistId::new(demo::LEA.id),
        subject: &subject,
        slot: Slot { start: wanted.start, end: wanted.start + wanted.minutes.minutes() },
        title: "Course",
        deposit: Cents::new(5_000),
        policy: &CancellationPolicy {
            full_refund_hours: 72,
            late_refund_percent: 0,
            free_moves: 1,
            nature: DepositNature::Acompte,
        },
        name: &FullName::parse("Jo Martin").expect("a name"),
        email: &EmailAddress::parse(&format!("jo{client}@example.fr")).expect("an address"),
        phone: &PhoneNumber::parse("06 12 34 56 78", Country::of_zone("Europe/Paris")).expect("a number"),
        locale: Locale::Fr,
        networks: &Networks::of(db, &Network::of("")),
        hold_expires_at,
        checkout_expires_at: checkout_end(hold_expires_at),
        account: None,
        calendar: CalendarMode::Off,
        idempotency: None,
        most: &Most::any(),
        proof: None,
    };
    holds::write(db, &new, now).await.map(|_| id)
}

/// Counts the winners; every loser must have been told so by name.
fn winners(results: Vec<Result<BookingId, Error>>) -> usize {
    results
        .into_iter()
        .filter(|result| match result {
            Ok(_) => true,
            Err(Error::Refused(Refusal::SlotTaken | Refusal::FlashTaken)) => false,
            Err(error) => panic!("neither won nor lost: {error}"),
        })
        .count()
}

/// What must hold whatever happened: asked of the rows themselves, not of the constraint.
async fn assert_nothing_is_sold_twice(world: &World) {
    let doubles = world
        .rows(
            r"select a.id as one, b.id as other from bookings a join bookings b on a.id < b.id and a.artist_id = b.artist_id
             where a.status in ('pending', 'confirmed', 'completed') and b.status in ('pending', 'confirmed', 'completed')
                 and ((a.scheduled_at < b.ends_at and b.scheduled_at < a.ends_at) or a.unique_flash_id = b.unique_flash_id)",
            &[],
        )
        .await;
    assert_eq!(doubles, Vec::<Value>::new());
}

/// Field failure F18.
#[test]
fn races_of_fifty_clients_for_one_slot_have_one_winner_each_in_two_hundred_rounds() {
    World::run(|world| async move {
        let connections = connections(world).await;
        let now = world.now();
        for round in 0..200 {
            let wanted = Wanted { start: now + (24 + 3 * round).hours(), minutes: 120, flash: None };
            let results =
                join_all(connections.iter().enumerate().map(|(client, db)| hold(db, client, &wanted, now))).await;
            assert_eq!(winners(results), 1, "round {round}");
        }
        assert_nothing_is_sold_twice(world).await;
    });
}

#[test]
fn races_for_overlapping_slots_never_overlap() {
    World::run(|world| async move {
        let connections = connections(world).await;
        let now = world.now();
        for round in 0..40 {
            let day = now + (24 * (round + 1)).hours();
            // Starts 20 minutes apart, an hour and a half long: each overlaps four others on either side.
            let results = join_all(connections.iter().enumerate().map(|(client, db)| async move {
                let start = day + i64::try_from(client % 10 * 20).expect("small").minutes();
                hold(db, client, &Wanted { start, minutes: 90, flash: None }, now).await
            }))
            .await;
            let won = winners(results);
            assert!((1..=3).contains(&won), "round {round}: {won} winners");
        }
        assert_nothing_is_sold_twice(world).await;
    });
}

#[test]
fn races_for_a_unique_flash_sell_it_once_whatever_the_slot() {
    World::run(|world| async move {
        let connections = connections(world).await;
        let now = world.now();
        let flash = demo::LEA.flashes.iter().find(|flash| !flash.repeatable).expect("Léa has a unique flash");
        for round in 0..40 {
            let results = join_all(connections.iter().enumerate().map(|(client, db)| async move {
                let start = now + (24 * 400 * (round + 1) + 4 * i64::try_from(client).expect("small")).hours();
                hold(db, client, &Wanted { start, minutes: 120, flash: Some(FlashId::new(flash.id)) }, now).await
            }))
            .await;
            assert_eq!(winners(results), 1, "round {round}");
            world.execute("update bookings set status = 'cancelled', cancel_reason = 'client', hold_expires_at = null, version = version + 1 where status = 'pending'").await;
        }
    });
}

fn wish(client: usize, start: &str) -> Value {
    json!({
        "artist": "lea-marchetti", "type": "project", "start": start, "locale": "fr",
        "project": { "description": "Une pivoine au trait fin", "body_zone": "avant-bras" },
        "client": { "name": format!("Client {client}"), "email": format!("client{client}@example.fr"), "phone": "06 12 34 56 78" },
    })
}

async fn free_starts(world: &World) -> Vec<String> {
    let slots = slots::App { db: world.db(), calendars: world.calendars(), clock: world.clock(), web: world.web() };
    let request = testing::get("/api/calendar/slots?artist=lea-marchetti&days=14");
    let (status, body) = answer(&world.web(), request, |request| slots::handle(&slots, request)).await;
    assert_eq!(status, 200, "{body}");
    let days = body["days"].as_array().expect("days");
    // One a day: the slots of one day overlap each other.
    days.iter().filter_map(|day| day["slots"][0]["start"].as_str()).map(str::to_owned).collect()
}

#[test]
fn races_through_the_function_give_one_201_and_49_clear_409s_with_fresh_slots() {
    World::run(|world| async move {
        let apps: Vec<App> = (0..CLIENTS).map(|_| app(world)).collect();
        join_all(apps.iter().map(|app| app.db.warm_up())).await;
        for start in free_starts(world).await.iter().take(6) {
            let answers = join_all(apps.iter().enumerate().map(|(client, app)| {
                let request = post("/api/bookings/create", &[], &wish(client, start));
                answer(&app.web, request, |request| handle(app, request))
            }))
            .await;
            let won: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
            assert_eq!(won.len(), 1, "{start}");
            for (status, body) in answers.iter().filter(|(status, _)| *status != 201) {
                assert_eq!(*status, 409, "{body}");
                assert!(body["type"].as_str().is_some_and(|kind| kind.ends_with("#slot-taken")), "{body}");
                let days = body["slots"].as_array().expect("fresh slots");
                assert!(
                    !days.iter().any(|day| day["slots"]
                        .as_array()
                        .expect("slots")
                        .iter()
                        .any(|slot| slot["start"] == **start))
                );
            }
        }
        // One page to pay for each hold, and none for those who lost.
        assert_eq!(world.stripe.sessions().len(), 6);
        assert_nothing_is_sold_twice(world).await;
    });
}

#[test]
fn races_of_one_impatient_client_give_one_booking_and_one_page_to_pay() {
    World::run(|world| async move {
        let apps: Vec<App> = (0..12).map(|_| app(world)).collect();
        join_all(apps.iter().map(|app| app.db.warm_up())).await;
        let start = free_starts(world).await.remove(0);
        let answers = join_all(apps.iter().map(|app| {
            let request = post("/api/bookings/create", &[], &wish(1, &start));
            answer(&app.web, request, |request| handle(app, request))
        }))
        .await;
        let mut pages: Vec<&Value> = Vec::new();
        for (status, body) in &answers {
            // While the first click still waits for Stripe, a later one asks Stripe under the same key, which may
            // be told to wait.
            assert!(*status == 201 || *status == 502, "{status} {body}");
            pages.extend(body.get("checkout_url"));
        }
        pages.dedup();
        assert_eq!(pages.len(), 1, "{answers:?}");
        assert_eq!(world.stripe.sessions().len(), 1);
        assert_eq!(world.rows("select id from bookings", &[]).await.len(), 1);
    });
}

/// Field failure F1.
#[test]
fn races_for_a_lapsed_hold_close_it_at_stripe_once_and_have_one_winner() {
    World::run(|world| async move {
        let start = free_starts(world).await.pop().expect("a free slot in two weeks");
        let first = app(world);
        let request = post("/api/bookings/create", &[], &wish(0, &start));
        let (status, body) = answer(&first.web, request, |request| handle(&first, request)).await;
        assert_eq!(status, 201, "{body}");
        world.advance(Duration::from_secs(31 * 60));

        let apps: Vec<App> = (0..20).map(|_| app(world)).collect();
        join_all(apps.iter().map(|app| app.db.warm_up())).await;
        let answers = join_all(apps.iter().enumerate().map(|(client, app)| {
            let request = post("/api/bookings/create", &[], &wish(client + 1, &start));
            answer(&app.web, request, |request| handle(app, request))
        }))
        .await;
        let won = answers.iter().filter(|(status, _)| *status == 201).count();
        assert_eq!(won, 1, "{answers:?}");
        let lapsed = world.booking(body["booking_id"].as_str().expect("an id")).await;
        assert_eq!(
            (lapsed["status"].as_str(), lapsed["cancel_reason"].as_str()),
            (Some("cancelled"), Some("hold_expired"))
        );
        assert_nothing_is_sold_twice(world).await;
    });
}
