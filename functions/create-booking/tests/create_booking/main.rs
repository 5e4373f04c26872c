//! `POST /api/bookings/create` through `handle`: what is held, what Stripe is asked, and everything that is refused.

use create_booking::{App, Limits, handle};
use dev::demo::{LEA, NOA};
use dev::stripe::Recorded;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testing::{self, Answer, World, at, post};

mod accepted;
mod lapsed;
mod limits;
mod private;
mod refused;
mod retried;
mod taken;

/// Léa's repeatable flash: 150 euros, 50 of them ahead, two hours.
const HIRONDELLE: &str = "019aa000-0000-7000-8000-0000000000f1";
/// Léa's unique flash: 380 euros, 114 of them ahead, four hours.
const PIVOINE: &str = "019aa000-0000-7000-8000-0000000000f2";
/// Noa's repeatable flash: 200 euros, 60 of them ahead, two hours.
const DAGUE: &str = "019aa000-0000-7000-8000-0000000000f6";

/// Tuesday at ten in Paris: a slot of both artists.
const TUESDAY_AT_TEN: &str = "2027-02-02T09:00:00Z";

fn app(world: &World) -> App {
    App {
        db: world.db(),
        calendars: world.calendars(),
        stripe: world.stripe_client(),
        queue: world.queue(),
        web: world.web(),
        clock: world.clock(),
        hold: SignedDuration::from_mins(30),
        limits: Limits { requests_per_hour: 20, holds_per_client: 3, holds_per_artist: 30 },
    }
}

/// Jo wants a flash.
fn wish(artist: &dev::demo::Artist, flash: &str, start: &str) -> Value {
    json!({
        "artist": artist.slug, "type": "flash", "flash_id": flash, "start": start, "locale": "fr",
        "client": { "name": "Jo Martin", "email": "jo@example.fr", "phone": "06 12 34 56 78" },
    })
}

/// Jo wants something of their own.
fn project(artist: &dev::demo::Artist, start: &str) -> Value {
    json!({
        "artist": artist.slug, "type": "project", "start": start, "locale": "fr",
        "client": { "name": "Jo Martin", "email": "jo@example.fr", "phone": "06 12 34 56 78" },
        "project": { "description": "Une branche d’olivier, trait fin, sans couleur.", "body_zone": "avant-bras", "budget": 300.5 },
    })
}

/// The same wish of somebody else.
fn of_sam(wish: &Value) -> Value {
    let mut wish = wish.clone();
    wish["client"] = json!({ "name": "Sam Petit", "email": "sam@example.com", "phone": "+33698765432" });
    wish
}

async fn send(app: &App, world: &World, headers: &[(&str, &str)], body: &Value) -> Answer {
    testing::ask(&world.web(), post("/api/bookings/create", headers, body), |request| handle(app, request)).await
}

async fn book(world: &World, body: &Value) -> Answer {
    send(&app(world), world, &[], body).await
}

/// As [`book`], from another network address: Sam's.
async fn book_from_afar(world: &World, body: &Value) -> Answer {
    send(&app(world), world, &[(":source-ip", "203.0.113.9")], body).await
}

fn id(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body["booking_id"].as_str().expect("an id").to_owned()
}

/// What Stripe was asked to open.
fn opened(world: &World) -> Vec<Recorded> {
    let mut requests = world.stripe.requests();
    requests.retain(|request| request.method == "POST" && request.path == "/v1/checkout/sessions");
    requests
}

/// What Stripe was asked, in order: method and path, ids left out.
fn asked(world: &World) -> Vec<String> {
    let short = |path: &str| {
        let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with("cs_") { "…" } else { part }).collect();
        parts.join("/")
    };
    world.stripe.requests().iter().map(|request| format!("{} {}", request.method, short(&request.path))).collect()
}

/// The statuses of all bookings, the oldest first.
async fn statuses(world: &World) -> Vec<String> {
    let rows = world.rows("select status from bookings order by created_at, id", &[]).await;
    rows.iter().map(|row| row["status"].as_str().expect("a status").to_owned()).collect()
}

/// The starts among the fresh slots of a refusal, in UTC.
fn fresh(answer: &Answer) -> Vec<String> {
    let days = answer.body["slots"].as_array().expect("fresh slots");
    assert_eq!(days.len(), 7, "a week of them");
    days.iter()
        .flat_map(|day| day["slots"].as_array().expect("slots"))
        .map(|slot| at(slot["start"].as_str().expect("a start")).to_string())
        .collect()
}

fn is_refused(answer: &Answer, status: u16, problem: &str) {
    assert_eq!((answer.status, answer.problem()), (status, problem), "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("cache-control"), "no-store");
    for secret in ["jo@example.fr", "Martin", "sk_test", "cal_test", "33612345678"] {
        assert!(!answer.body.to_string().contains(secret), "{secret}: {:?}", answer.body);
    }
}
