//! A crowd before one artist's books: machines that hold slots and never pay, in their thousands and from hundreds of
//! networks, which solve every puzzle as fast as a program can; and people who want the same slots, press again while one is
//! free, and pay. The real `create-booking` with the real Postgres, under a clock of its own.
//!
//! In the end every slot must be a person's, and nobody may have been shut out while one was free. What it cost is printed:
//! `CHAOS_ROBOTS`, `CHAOS_NETWORKS`, `CHAOS_PEOPLE` and `CHAOS_TIMES` say how large it is; `make chaos` asks for 10 000 robots
//! from 1 000 networks against 200 people on 40 slots.

use std::collections::BTreeMap;

use chaos::Dice;
use create_booking::{App, Limits, handle};
use dev::demo::LEA;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::json;
use shared::proof;
use testing::{self, Answer, Held, Wire, World, at, post};

/// How often somebody looks for a free slot, in minutes: people wait for one, each robot comes round less often.
const ROBOTS_LOOK_EVERY: usize = 10;

/// How long a person takes to pay, in minutes: a card, and the bank's own question.
const PAYING: i64 = 3;

/// When it would be a failure to be still at it, in minutes.
const PATIENCE: i64 = 24 * 60;

fn set(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

struct Crowd {
    world: &'static World,
    wire: Wire,
    limits: Limits,
    starts: Vec<Timestamp>,
    figures: BTreeMap<String, u64>,
}

/// Somebody who wants a slot.
struct Client {
    number: usize,
    is_person: bool,
    address: String,
    /// Not before, because a refusal said so.
    wait_until: Timestamp,
}

impl Crowd {
    fn add(&mut self, what: impl Into<String>) {
        *self.figures.entry(what.into()).or_default() += 1;
    }

    fn app(&self) -> App {
        App {
            db: self.world.db_through_counting(&self.wire),
            calendars: self.world.calendars(),
            stripe: self.world.stripe_client(),
            queue: self.world.queue(),
            web: self.world.web(),
            clock: self.world.clock(),
            hold: SignedDuration::from_mins(30),
            limits: self.limits,
        }
    }

    /// The slots that are shown as free.
    async fn free(&self) -> Vec<Timestamp> {
        let sql = format!(
            r"select scheduled_at from bookings where status = 'confirmed'
             or (status = 'pending' and hold_expires_at > '{}')",
            self.world.now()
        );
        let taken = self.world.rows(&sql, &[]).await;
        let taken: Vec<Timestamp> = taken.iter().map(|row| at(row["scheduled_at"].as_str().expect("a time"))).collect();
        self.starts.iter().copied().filter(|start| !taken.contains(start)).collect()
    }

    /// Asks for a slot, and solves what is asked.
    async fn ask(&mut self, app: &App, client: &Client, start: Timestamp) -> Answer {
        let kind = if client.is_person { "a person" } else { "a robot" };
        let body = json!({
            "artist": LEA.slug, "type": "project", "start": start, "locale": "fr",
            "project": { "description": "Une pivoine au trait fin", "body_zone": "avant-bras" },
            "client": {
                "name": "Jo Martin", "email": format!("{}{}@example.fr", kind.replace(' ', "."), client.number),
                "phone": format!("+336{}{:07}", u8::from(client.is_person), client.number),
            },
        });
        let mut solution = String::new();
        loop {
            let mut headers = vec![(":source-ip", client.address.as_str())];
            if !solution.is_empty() {
                headers.push(("x-proof", solution.as_str()));
            }
            let request = post("/api/bookings/create", &headers, &body);
            let answer = testing::ask(&app.web, request, |request| handle(app, request)).await;
            self.add(format!("requests of {kind}"));
            self.add(format!("answers to {kind}: {} {}", answer.status, answer.problem()));
            assert!(answer.status < 500, "{}", answer.body);
            if answer.problem() != "proof-required" || !solution.is_empty() {
                return answer;
            }
            let puzzle = &answer.body["proof"];
            let number = |name: &str| u32::try_from(puzzle[name].as_u64().expect("a number")).expect("a small one");
            solution = proof::solve(puzzle["challenge"].as_str().expect("text"), number("parts"), number("bits"));
        }
    }
}

fn one_of(dice: &mut Dice, many: usize) -> usize {
    usize::try_from(dice.roll() % many as u64).expect("less than many")
}

/// A network of its own for each number: two of three are IPv6 lines, each in a site of its own; the others are IPv4.
fn address(network: usize, host: usize) -> String {
    if network.is_multiple_of(3) {
        format!("10.{}.{}.7", network / 256, network % 256)
    } else {
        format!("2001:db8:{network:x}:1::{host:x}")
    }
}

#[test]
fn every_slot_ends_with_a_person_whatever_a_thousand_networks_of_robots_hold() {
    let (robots, networks) = (set("CHAOS_ROBOTS", 300), set("CHAOS_NETWORKS", 30));
    let (people, times) = (set("CHAOS_PEOPLE", 12), set("CHAOS_TIMES", 6));
    World::run(move |world| async move {
        let mut dice = Dice::new(set("CHAOS_SEED", 7) as u64);
        world
            .execute(
                r"delete from availability where artist_id = (select id from artists where slug = 'lea-marchetti');
                 delete from time_off;
                 insert into availability (id, artist_id, weekday, opens_minute, closes_minute)
                     select gen_random_uuid(), a.id, d, 480, 1200 from artists a, generate_series(1, 7) d
                     where a.slug = 'lea-marchetti';
                 update artists set slot_step_minutes = 30, project_duration_minutes = 120, buffer_minutes = 0,
                     pending_mails = false where slug = 'lea-marchetti'",
            )
            .await;
        let first = at("2027-03-01T08:00:00Z");
        let starts = (0..times)
            .map(|n| i64::try_from(n).expect("few"))
            .map(|n| first + (24 * (n / 4)).hours() + (3 * (n % 4)).hours())
            .collect();
        let mut crowd = Crowd {
            world,
            wire: world.wire().await,
            limits: Limits { requests_per_hour: 20, holds_per_client: 3, holds_per_artist: 10 },
            starts,
            figures: BTreeMap::new(),
        };
        let now = world.now();
        let client = |number, is_person, address| Client { number, is_person, address, wait_until: now };
        let mut all: Vec<Client> =
            (0..robots).map(|n| client(n, false, address(n % networks, n / networks + 1))).collect();
        // One person in ten sits behind an address that robots use as well.
        all.extend((0..people).map(|n| {
            let network = if n % 10 == 0 { 3 * (n % (networks / 3).max(1)) } else { networks + n };
            client(n, true, address(network, 0xffff))
        }));
        let mut paying: Vec<(Timestamp, Held)> = Vec::new();
        let mut booked = 0;
        let mut shut_out = Vec::new();
        let mut minute = 0;
        while booked < times {
            assert!(minute < PATIENCE, "after a day {booked} of {times} are booked: {:#?}", crowd.figures);
            let now = world.now();
            let (due, later): (Vec<_>, Vec<_>) = paying.drain(..).partition(|(at, _)| *at <= now);
            paying = later;
            for (_, held) in due {
                world.confirm(&held).await;
                booked += 1;
            }
            let app = crowd.app();
            // In another order each minute.
            for at in (1..all.len()).rev() {
                all.swap(at, one_of(&mut dice, at + 1));
            }
            let mut free = crowd.free().await;
            let mut gone = Vec::new();
            for (index, client) in all.iter_mut().enumerate() {
                if free.is_empty() {
                    break;
                }
                let looks = client.is_person || (client.number + minute as usize).is_multiple_of(ROBOTS_LOOK_EVERY);
                if !looks || client.wait_until > now {
                    continue;
                }
                let start = free[one_of(&mut dice, free.len())];
                let answer = crowd.ask(&app, client, start).await;
                match answer.status {
                    201 => {
                        free.retain(|other| *other != start);
                        if client.is_person {
                            let id = answer.body["booking_id"].as_str().expect("an id");
                            let row = world.booking(id).await;
                            let session = row["stripe_checkout_session_id"].as_str().expect("a page").to_owned();
                            let held = Held { id: id.parse().expect("an id"), session, jobs: Vec::new() };
                            paying.push((now + PAYING.minutes(), held));
                            gone.push(index);
                        }
                    }
                    _ if client.is_person && matches!(answer.problem(), "too-many-holds" | "network-full") => {
                        // Behind an address that robots use: the answer says when, and it is soon.
                        let wait: i64 = answer.header("retry-after").parse().expect("seconds");
                        assert!(wait <= 30 * 60, "{wait}");
                        client.wait_until = now + wait.seconds();
                        crowd.add("people who were told to wait for their own network");
                    }
                    _ if client.is_person => shut_out.push(answer.body),
                    _ => {
                        if let Ok(wait) = answer.header("retry-after").parse::<i64>() {
                            client.wait_until = now + wait.seconds();
                        }
                    }
                }
            }
            gone.sort_unstable();
            for index in gone.into_iter().rev() {
                all.swap_remove(index);
            }
            world.advance_minutes(1);
            minute += 1;
        }
        assert!(shut_out.is_empty(), "people were refused a free slot: {shut_out:#?}");

        let of_robots = world.count("bookings where status = 'confirmed' and client_email like 'a.robot%'").await;
        assert_eq!(of_robots, 0);
        assert_eq!(world.count("bookings where status = 'confirmed'").await, i64::try_from(times).expect("few"));
        let count = |what: &str| {
            crowd.figures.iter().filter(|(name, _)| name.starts_with(what)).map(|(_, many)| many).sum::<u64>()
        };
        let (requests, held) =
            (count("requests"), count("answers to a robot: 201") + count("answers to a person: 201"));
        let mails =
            world.rows("select count(*) as n from outbox where args->>'template' not in ('client_held')", &[]).await;
        let bookings = u64::try_from(world.count("bookings").await).expect("few");
        println!(
            "{robots} robots of {networks} networks, {people} people, {times} slots: all booked in {minute} minutes"
        );
        for (what, many) in &crowd.figures {
            println!("  {many:>7}  {what}");
        }
        println!("  {:>7}  pages opened at Stripe", held);
        println!("  {:>7}  flights to the database", crowd.wire.flights());
        println!("  {:>7}  mails other than the one reminder of a hold", mails[0]["n"]);
        // What it costs is in proportion to what is asked: a refusal one flight, a hold three and two more for one in the way.
        assert!(crowd.wire.flights() <= requests * 2 + held * 8, "{} flights", crowd.wire.flights());
        assert_eq!(held, bookings, "a page at Stripe for each hold, and none besides");
        assert!(mails[0]["n"].as_u64().expect("a number") <= 2 * u64::try_from(times).expect("few"));
    });
}
