//! What artists set about their page, through `handle`, on a real Postgres and with real tokens.

use dashboard_settings::{App, handle};
use dev::demo::{self, LEA, NOA};
use lambda_http::Request;
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::config::SignUp;
use testing::{self, Answer, PUBLIC_URL, World};

mod access;
mod calendar;
mod flashes;
mod hours;
mod pictures;
mod profile;
mod rules;

async fn app(world: &World) -> App {
    app_at(world, &world.calcom.url()).await
}

/// The function, with another Cal.com.
async fn app_at(world: &World, calcom: &str) -> App {
    App {
        db: world.db(),
        auth: world.auth(),
        calendars: world.calendars_at(calcom),
        bucket: world.bucket().await,
        queue: world.queue(),
        clock: world.clock(),
        sign_up: SignUp::Open,
        public_url: PUBLIC_URL.into(),
        calcom_webhook_url: format!("{PUBLIC_URL}/api/webhooks/calcom"),
    }
}

/// A request of an artist of the demo, in French.
fn request(world: &World, artist: &demo::Artist, method: &str, path: &str, body: Option<&Value>) -> Request {
    with_token(&world.bearer(artist), method, path, body)
}

fn with_token(token: &str, method: &str, path: &str, body: Option<&Value>) -> Request {
    let headers = [("authorization", token), ("content-type", "application/json"), ("accept-language", "fr")];
    let method: Method = method.parse().expect("a method");
    testing::request(method, &format!("/api/dashboard/{path}"), &headers, body.map(Value::to_string))
}

async fn ask(world: &World, artist: &demo::Artist, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let app = app(world).await;
    let request = request(world, artist, method, path, body);
    testing::ask(&world.web(), request, |request| handle(&app, request)).await
}

async fn get(world: &World, artist: &demo::Artist, path: &str) -> Value {
    let answer = ask(world, artist, "GET", path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn put(world: &World, artist: &demo::Artist, path: &str, body: Value) -> Answer {
    ask(world, artist, "PUT", path, Some(&body)).await
}

async fn post(world: &World, artist: &demo::Artist, path: &str, body: Value) -> Answer {
    ask(world, artist, "POST", path, Some(&body)).await
}

/// A picture that is ready, without the work of making one.
async fn picture(world: &World, artist: &demo::Artist) -> String {
    let id = uuid::Uuid::now_v7().to_string();
    world
        .execute(&format!(
            r"insert into images (id, artist_id, kind, content_type, size, status, width, height, created_at, updated_at)
             values ('{id}', '{}', 'flash', 'image/jpeg', 1000, 'ready', 1600, 1200, now(), now())",
            artist.id
        ))
        .await;
    id
}

/// What a booking has promised: everything that a change of settings must leave alone.
async fn promise(world: &World, id: &str) -> Value {
    let mut row = world.booking(id).await;
    for moving in ["updated_at", "stripe_checked_at"] {
        row.as_object_mut().expect("a row").remove(moving);
    }
    // The clock it is told on, whether it is kept with the booking or still the artist's own.
    let clock = "select coalesce(b.timezone, a.timezone) as zone from bookings b join artists a on a.id = b.artist_id";
    row["timezone"] = world.rows(&format!("{clock} where b.id = '{id}'"), &[]).await[0]["zone"].clone();
    row
}

/// The public page of an artist, as `artist-page` answers it.
async fn page(world: &World, slug: &str) -> Value {
    let assets = artist_page::PageAssets::parse(r#"{"artist":{"js":"/a.js","css":[],"preload":[]}}"#).expect("assets");
    let app = artist_page::App {
        db: world.db(),
        clock: world.clock(),
        public_url: PUBLIC_URL.into(),
        hold_minutes: 30,
        assets,
    };
    let asked = testing::get(&format!("/api/artists/{slug}"));
    testing::ask(&world.web(), asked, |request| artist_page::handle(&app, request)).await.body
}

/// The starts of free slots on a day, in the artist's zone.
async fn slots(world: &World, slug: &str, date: &str) -> Vec<String> {
    let app = slots::App { db: world.db(), calendars: world.calendars(), clock: world.clock(), web: world.web() };
    let asked = testing::get(&format!("/api/calendar/slots?artist={slug}&date={date}&days=1"));
    let answer = testing::ask(&world.web(), asked, |request| slots::handle(&app, request)).await;
    let free = answer.body["days"][0]["slots"].as_array().cloned().unwrap_or_default();
    free.iter().map(|slot| slot["start"].as_str().expect("a start").to_owned()).collect()
}

#[test]
fn every_read_is_one_flight_and_every_write_one_statement() {
    World::run(|world| async move {
        let picture = picture(world, &LEA).await;
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world).await };
        let flash = json!({ "title": "Lune", "price_cents": 9000, "duration_minutes": 60, "image_id": picture });
        let off = json!({ "starts_at": "2027-03-01T00:00:00Z", "ends_at": "2027-03-02T00:00:00Z" });
        let policy = json!({ "full_refund_hours": 24, "late_refund_percent": 0, "free_moves": 1, "nature": "acompte" });
        let upload = json!({ "kind": "hero", "content_type": "image/png", "size": 1000 });
        for (method, path, body, flights) in [
            ("GET", "profile", None, 1),
            ("GET", "rules", None, 1),
            ("GET", "policy", None, 1),
            ("PUT", "policy", Some(&policy), 1),
            ("POST", "policy/preview", Some(&policy), 0),
            ("GET", "hours", None, 1),
            ("PUT", "hours", Some(&json!({ "hours": [] })), 1),
            ("GET", "time-off", None, 1),
            ("POST", "time-off", Some(&off), 1),
            ("GET", "flashes", None, 1),
            ("POST", "flashes", Some(&flash), 1),
            ("POST", "images", Some(&upload), 1),
            ("GET", "calendar", None, 1),
        ] {
            wire.reset();
            let asked = request(world, &LEA, method, path, body);
            let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
            assert!(answer.status < 300, "{method} {path}: {}", answer.body);
            assert_eq!(wire.flights(), flights, "{method} {path}");
        }
    });
}
