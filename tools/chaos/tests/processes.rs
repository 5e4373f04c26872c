//! Chaos from outside: the compiled functions under the platform's host, with pgbouncer in the middle where there is one,
//! while processes are killed, the database restarts, lines are cut and the services outside fail. The promises hold, and
//! the figures are printed.
//!
//! `CHAOS_BOOKINGS` and `CHAOS_CLIENTS` say how much load there is; `make chaos` asks for 10 000 bookings by 100 clients.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chaos::Dice;
use dev::aws::Condition;
use dev::demo::{LEA, NOA};
use dev::line::Line;
use dev::pgbouncer::PgBouncer;
use dev::platform::{APP_ROLE, Options, Platform};
use dev::postgres::let_in;
use dev::stripe::Down;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::db::bookings::Reference;
use shared::db::{Db, Repeat};
use shared::domain::booking::{CancelReason, Outcome};
use shared::domain::ids::BookingId;
use shared::domain::policy::Canceller;
use shared::settle;
use tokio_postgres::NoTls;

use crate::promises::Evidence;

// What must hold once all is quiet.
mod promises;

/// How many slots all of them want.
const SLOTS: usize = 30;

/// How often a client asks for the same before giving up.
const ATTEMPTS: usize = 8;

#[derive(Default)]
struct Figures {
    counts: Mutex<BTreeMap<String, usize>>,
}

impl Figures {
    fn add(&self, what: impl Into<String>, how_many: usize) {
        if how_many == 0 {
            return;
        }
        *self.counts.lock().expect("nobody panics here").entry(what.into()).or_default() += how_many;
    }

    fn of(&self, beginning: &str) -> usize {
        let counts = self.counts.lock().expect("nobody panics here");
        counts.iter().filter(|(what, _)| what.starts_with(beginning)).map(|(_, many)| many).sum()
    }

    fn print(&self) {
        for (what, many) in self.counts.lock().expect("nobody panics here").iter() {
            println!("  {many:>7}  {what}");
        }
    }
}

struct Load {
    site: String,
    slots: Vec<(&'static str, Option<String>, String)>,
    left: AtomicUsize,
    figures: Arc<Figures>,
}

impl Load {
    /// Asks until it is decided, as the page does: under one key, with a pause when nobody could say.
    async fn ask(&self, browser: &reqwest::Client, wish: &Value, dice: &mut Dice) -> Value {
        let key = uuid::Uuid::from_u64_pair(dice.roll(), dice.roll()).to_string();
        for _ in 0..ATTEMPTS {
            let request = browser.post(format!("{}/api/bookings/create", self.site)).header("idempotency-key", &key);
            let (status, body) = match request.json(wish).send().await {
                Ok(answer) => (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default()),
                Err(_) => (0, Value::Null),
            };
            self.figures.add(format!("booking requests answered {status}"), 1);
            if !matches!(status, 0 | 502..=504) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(100 + 4 * u64::from(dice.below(200)))).await;
        }
        self.figures.add("clients who gave up", 1);
        Value::Null
    }

    /// One client who books, pays or does not, and comes again, until enough was booked.
    async fn client(&self, number: usize, seed: u64) {
        let browser = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(40))
            .build()
            .expect("a client");
        let mut dice = Dice::new(seed ^ ((number as u64) << 32));
        while self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            let (artist, flash, start) = dice.pick(&self.slots);
            let mut wish = json!({
                "artist": artist, "type": if flash.is_some() { "flash" } else { "project" }, "start": start, "locale": "fr",
                "client": {
                    "name": format!("Client {number}"), "email": format!("client{number}@example.fr"), "phone": "06 12 34 56 78",
                },
            });
            match flash {
                Some(flash) => wish["flash_id"] = json!(flash),
                None => {
                    wish["project"] = json!({ "description": "Une pivoine au trait fin", "body_zone": "avant-bras" })
                }
            }
            let body = self.ask(&browser, &wish, &mut dice).await;
            let Some(page) = body["checkout_url"].as_str() else { continue };
            let outcome = match dice.below(100) {
                0..45 => "paid",
                45..55 => "webhook_lost",
                55..62 => "webhook_doubled",
                62..70 => "declined",
                70..78 => "expire",
                78..88 => {
                    let id = body["booking_id"].as_str().unwrap_or_default();
                    let gone = browser.post(format!("{}/api/bookings/{id}/release", self.site)).send().await;
                    let status = gone.map_or(0, |answer| answer.status().as_u16());
                    self.figures.add(format!("slots given back, answered {status}"), 1);
                    continue;
                }
                _ => {
                    self.figures.add("clients who went away", 1);
                    continue;
                }
            };
            let paid = browser.post(page).form(&[("outcome", outcome)]).send().await;
            self.figures
                .add(format!("payments {outcome}, answered {}", paid.map_or(0, |answer| answer.status().as_u16())), 1);
        }
    }
}

/// Breaks one thing after the other until it is told to stop, and mends each.
async fn break_things(platform: &Platform, line: &Line, stop: &AtomicBool, figures: &Figures, seed: u64) {
    let mut dice = Dice::new(seed);
    let functions = ["create-booking", "stripe-webhook", "worker", "sweeper", "release-booking", "calcom-webhook"];
    let pause = |milliseconds: u64| tokio::time::sleep(Duration::from_millis(milliseconds));
    let (stripe, calcom) = (platform.stripe().expect("a stand-in"), platform.calcom().expect("a stand-in"));
    let mut restarted = Instant::now();
    while !stop.load(Ordering::SeqCst) {
        pause(150 + u64::from(dice.below(200))).await;
        match dice.below(11) {
            0 | 1 => {
                let function = dice.pick(&functions);
                figures.add(format!("fault: {function} killed"), platform.host().kill(function));
            }
            2 | 3 => {
                // In the middle of whatever it does.
                let function = dice.pick(&functions[..3]);
                let after = Duration::from_millis(u64::from(dice.below(40)));
                let killed = platform.host().kill_during_next(function, after);
                if let Ok(Ok(true)) = tokio::time::timeout(Duration::from_secs(2), killed).await {
                    figures.add(format!("fault: {function} killed at work"), 1);
                }
            }
            4 => {
                line.cut();
                pause(200).await;
                line.mend();
                figures.add("fault: the line to the database cut", 1);
            }
            5 => {
                line.reset();
                figures.add("fault: every database connection reset", 1);
            }
            6 => {
                line.delay(Duration::from_millis(30));
                pause(700).await;
                line.delay(Duration::ZERO);
                figures.add("fault: a slow database", 1);
            }
            7 => {
                stripe.switch(|switches| match dice.below(3) {
                    0 => switches.api.down = Some(Down::Cut),
                    1 => switches.api.lose_answer = 3,
                    _ => switches.api.fail_after_executing = 3,
                });
                pause(500).await;
                stripe.switch(|switches| switches.api = dev::stripe::Troubles::default());
                figures.add("fault: Stripe in trouble", 1);
            }
            8 => {
                calcom.switch(|switches| match dice.below(3) {
                    0 => switches.api.down = Some(Down::Unavailable),
                    1 => switches.api.lose_answer = 3,
                    _ => switches.conflict = 3,
                });
                pause(500).await;
                calcom.switch(|switches| *switches = dev::calcom::Switches::default());
                figures.add("fault: Cal.com in trouble", 1);
            }
            9 => {
                platform.queue().set(Condition::Down);
                pause(600).await;
                platform.queue().set(Condition::Ok);
                figures.add("fault: SQS down", 1);
            }
            _ => {
                if let Some(postgres) = platform.postgres()
                    && restarted.elapsed() > Duration::from_secs(8)
                {
                    restarted = Instant::now();
                    postgres.restart().await.expect("Postgres restarts");
                    figures.add("fault: Postgres restarted", 1);
                }
            }
        }
    }
}

/// The artists, who cancel and move what was booked: in Cal.com where they have one, else as their dashboard does. So the
/// few slots are free again, and their money goes back.
async fn artists(platform: &Platform, stop: &AtomicBool, figures: &Figures, seed: u64) {
    let mut dice = Dice::new(seed ^ 0xa57);
    // As the functions do, but over a line that nobody cuts: the dashboard is not what is tested here.
    let mut url: reqwest::Url = platform.app_database_url().parse().expect("a URL");
    url.set_password(Some(APP_ROLE)).expect("a password");
    let db = Db::new(url.as_str(), None).expect("a URL");
    let calcom = platform.calcom().expect("a stand-in");
    let sql = "select id, cal_com_booking_id, scheduled_at from bookings where status = 'confirmed' order by random() limit 1";
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(80)).await;
        // Postgres may be starting again: the artist comes back, too.
        let Ok(Some(row)) = db.row(Repeat::Safe, sql, &[]).await else { continue };
        let uid: Option<String> = row.get("cal_com_booking_id");
        let start: jiff::Timestamp = row.get("scheduled_at");
        match uid {
            Some(uid) if dice.chance(30) => {
                let later = start + jiff::SignedDuration::from_mins(30 * i64::from(1 + dice.below(8)));
                if calcom.reschedule(&uid, later).is_ok() {
                    figures.add("bookings moved in Cal.com", 1);
                }
            }
            Some(uid) if dice.chance(80) => {
                if calcom.cancel(&uid, "Le studio est fermé ce jour-là").is_ok() {
                    figures.add("bookings cancelled in Cal.com", 1);
                }
            }
            _ => {
                let reference = Reference { booking: Some(BookingId::new(row.get("id"))), payment_intent: None };
                let now = Clock::default().now();
                let cancelled = settle::settle(&db, &reference, None, now, |booking, _| {
                    booking.cancel(CancelReason::Artist, Canceller::Artist, now)
                });
                if cancelled.await.is_ok_and(|settled| settled.outcome() == Outcome::Cancelled) {
                    figures.add("bookings cancelled by the artist", 1);
                }
            }
        }
    }
}

fn set<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Starts one slot each of the two artists, for flashes that can be sold again and for projects.
async fn slots(site: &str) -> Vec<(&'static str, Option<String>, String)> {
    let mut all = Vec::new();
    for (artist, flash) in [(&LEA, None), (&NOA, None), (&LEA, Some(&LEA.flashes[0])), (&NOA, Some(&NOA.flashes[0]))] {
        let flash = flash.map(|flash| flash.id.to_string());
        let query = flash.as_ref().map(|id| format!("&flash={id}")).unwrap_or_default();
        let url = format!("{site}/api/calendar/slots?artist={}&days=31{query}", artist.slug);
        let body: Value = reqwest::get(url).await.expect("an answer").json().await.expect("JSON");
        let days = body["days"].as_array().expect("days");
        let starts = days.iter().flat_map(|day| day["slots"].as_array().cloned().unwrap_or_default());
        let starts = starts.filter_map(|slot| slot["start"].as_str().map(str::to_owned));
        all.extend(starts.step_by(3).take(SLOTS / 4).map(|start| (artist.slug, flash.clone(), start)));
    }
    assert!(all.len() >= SLOTS / 2, "{all:?}");
    all
}

/// Field failure F22.
#[tokio::test(flavor = "multi_thread")]
async fn no_killed_process_cut_line_or_outage_loses_a_booking_or_a_euro() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (bookings, clients, seed) = (set("CHAOS_BOOKINGS", 250), set("CHAOS_CLIENTS", 20), set("CHAOS_SEED", 7));
    let mut options = Options::for_test().expect("options").with_services_of_its_own();
    options.sweep_every = Duration::from_secs(3);
    for (name, value) in [
        ("JOB_LEASE_SECONDS", "4"),
        ("JOB_MAX_ATTEMPTS", "1000"),
        ("RATE_LIMIT_BOOKINGS_PER_HOUR", "10000000"),
        ("MAX_HOLDS_PER_CLIENT", "100000"),
        ("MAX_HOLDS_PER_ARTIST", "100000"),
        ("LOG_LEVEL", "error"),
    ] {
        options.settings.push((name.into(), value.into()));
    }
    let platform = Platform::start(options).await.expect("it starts: cargo build --workspace --bins");
    let port = platform.postgres().expect("a server of its own").port();
    let folder: PathBuf = platform.state().join("pgbouncer");
    std::fs::create_dir_all(&folder).expect("a folder");
    let pooler = PgBouncer::from_env(&folder, port).await.expect("pgbouncer starts");
    let upstream = pooler.as_ref().map_or(port, PgBouncer::port);
    let line = Line::to(format!("127.0.0.1:{upstream}")).await.expect("a line");
    // The pooler knows one password for everybody.
    let_in(platform.database_url(), APP_ROLE, APP_ROLE).await.expect("the role may log in");
    let mut url: reqwest::Url = platform.app_database_url().parse().expect("a URL");
    url.set_password(Some(APP_ROLE)).expect("a password");
    url.set_port(Some(line.port())).expect("a port");
    let through_the_line = |shift: i64| {
        platform.host().set_overrides(&[
            ("DATABASE_URL".to_owned(), url.to_string()),
            ("CLOCK_SHIFT_SECONDS".to_owned(), shift.to_string()),
        ]);
    };
    through_the_line(0);

    let figures = Arc::new(Figures::default());
    let load = Arc::new(Load {
        site: platform.site().to_owned(),
        slots: slots(platform.site()).await,
        left: AtomicUsize::new(bookings),
        figures: Arc::clone(&figures),
    });
    let begun = Instant::now();
    let stop = AtomicBool::new(false);
    let clients: Vec<_> = (0..clients)
        .map(|number| {
            let load = Arc::clone(&load);
            tokio::spawn(async move { load.client(number, seed).await })
        })
        .collect();
    let all = async {
        for client in clients {
            client.await.expect("a client ends");
        }
        stop.store(true, Ordering::SeqCst);
    };
    tokio::join!(all, break_things(&platform, &line, &stop, &figures, seed), artists(&platform, &stop, &figures, seed));
    let under_load = begun.elapsed();

    // Everything works again: all becomes right by itself, within a few sweeps.
    let stripe = platform.stripe().expect("a stand-in");
    stripe.settled().await;
    let (owner, connection) = tokio_postgres::connect(platform.database_url(), NoTls).await.expect("Postgres answers");
    tokio::spawn(connection);
    let mut quiet = 0;
    let mut shift = 0;
    for sweep in 0..60 {
        assert!(sweep < 59, "it never comes to rest");
        shift += 11 * 60;
        platform.set_clock(shift);
        through_the_line(shift);
        let report = platform.host().invoke("sweeper", "{}").await;
        let report: Value = report.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let mut repaired = 0;
        for (what, many) in report.as_object().into_iter().flatten() {
            let many = usize::try_from(many.as_u64().unwrap_or_default()).unwrap_or_default();
            if many > 0 && !["asked", "checked", "completed", "forgotten"].contains(&what.as_str()) {
                figures.add(format!("repaired afterwards: {what}"), many);
                repaired += many;
            }
        }
        let open = async || {
            let row = owner
                .query_typed(
                    r"select (select count(*) from outbox where done_at is null),
                     (select count(*) from bookings where status = 'pending' and hold_expires_at is not null)",
                    &[],
                )
                .await
                .expect("the database answers")
                .remove(0);
            (row.get::<_, i64>(0), row.get::<_, i64>(1))
        };
        let begun = Instant::now();
        while open().await.0 > 0 && begun.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        quiet = if report.is_object() && repaired == 0 && open().await == (0, 0) { quiet + 1 } else { 0 };
        if quiet == 2 {
            break;
        }
    }
    let evidence = Evidence {
        owner: &owner,
        stripe,
        calcom: platform.calcom().expect("a stand-in"),
        mails: platform.mails(),
        now: Clock::default().now() + jiff::SignedDuration::from_secs(shift),
    };
    let mut broken = evidence.broken().await;
    if figures.of("booking requests answered 500") > 0 {
        broken.push("a request was answered 500".to_owned());
    }
    let rows = evidence
        .rows("select status, payment_status, count(*) as many from bookings group by 1, 2 order by 1, 2")
        .await;
    println!(
        "{bookings} bookings tried in {:.0} s ({:.0} requests a second){}, then {:.0} s to quiet:",
        under_load.as_secs_f64(),
        figures.of("booking requests") as f64 / under_load.as_secs_f64(),
        if pooler.is_some() { " through pgbouncer" } else { "" },
        begun.elapsed().as_secs_f64() - under_load.as_secs_f64()
    );
    figures.print();
    for row in &rows {
        println!(
            "  {:>7}  bookings {} {}",
            row["many"],
            row["status"].as_str().unwrap_or_default(),
            row["payment_status"].as_str().unwrap_or_default()
        );
    }
    println!(
        "  {:>7}  mails more than occasions, of {}",
        promises::copies(&evidence).await.0,
        platform.mails().messages().len()
    );
    println!("  {:>7}  faults injected", figures.of("fault:"));
    println!("  {:>7}  promises broken, bookings or euros lost", broken.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    drop(owner);
    if let Some(pooler) = pooler {
        pooler.stop().await.expect("pgbouncer stops");
    }
    platform.stop().await.expect("it stops");
}
