//! The artist's bookings through `handle`: what is listed, what is shown, and what can be done.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use dashboard_bookings::{App, handle};
use dev::demo::{self, LEA, NOA};
use lambda_http::http::Method;
use serde_json::{Value, json};
use shared::db::Db;
use shared::domain::ids::JobId;
use testing::{Answer, PUBLIC_URL, World, ask, messages, request};

mod actions;
mod list;
mod scale;
mod suspicious;

pub(crate) fn app_with(world: &World, db: Db) -> App {
    App {
        db,
        auth: world.auth(),
        stripe: world.stripe_client(),
        queue: world.queue(),
        web: world.web(),
        clock: world.clock(),
        calcom_pages: "https://cal.test".into(),
    }
}

/// Asks as an artist's browser does.
pub(crate) async fn call(
    app: &App,
    world: &World,
    artist: &demo::Artist,
    method: Method,
    path: &str,
    body: Value,
) -> Answer {
    let cookie = world.cookie(artist);
    let headers = [("cookie", cookie.as_str()), ("origin", PUBLIC_URL), ("content-type", "application/json")];
    let request = request(method, path, &headers, (!body.is_null()).then(|| body.to_string()));
    ask(&app.web, request, |request| handle(app, request)).await
}

pub(crate) async fn get(world: &World, artist: &demo::Artist, path: &str) -> Answer {
    call(&app_with(world, world.db()), world, artist, Method::GET, path, Value::Null).await
}

pub(crate) async fn post(world: &World, artist: &demo::Artist, path: &str, body: Value) -> Answer {
    call(&app_with(world, world.db()), world, artist, Method::POST, path, body).await
}

pub(crate) fn path(id: &str) -> String {
    format!("/api/dashboard/bookings/{id}")
}

/// One booking of Noa's as the dashboard shows it.
pub(crate) async fn shown(world: &World, id: &str) -> Value {
    let answer = get(world, &NOA, &path(id)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

/// An action on what is shown now.
pub(crate) async fn act(world: &World, id: &str, action: &str) -> Answer {
    let version = shown(world, id).await["version"].clone();
    post(world, &NOA, &format!("{}/{action}", path(id)), json!({ "version": version })).await
}

/// Runs all that is left to do, and what follows from it, as the queue would in the end.
#[expect(clippy::disallowed_methods, reason = "the deadline is on the system's clock")]
pub(crate) async fn run_everything(world: &World) {
    let app = worker::App {
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
        let open: Vec<JobId> =
            open.iter().map(|job| job["id"].as_str().expect("an id").parse().expect("an id")).collect();
        let batch: SqsEvent = serde_json::from_value(messages(&open)).expect("an SQS event");
        worker::handle(&app, batch, SystemTime::now() + Duration::from_secs(15)).await;
    }
    panic!("these jobs do not end: {:?}", world.open_jobs().await);
}

#[test]
fn another_artists_booking_is_not_there() {
    World::run(|world| async move {
        let held = world.hold(&testing::Plan::default()).await;
        world.confirm(&held).await;
        let id = held.id();
        assert_eq!(get(world, &NOA, &path(&id)).await.status, 200);
        let before = world.booking(&id).await;
        let (jobs, history) = (world.jobs().await, world.history(&id).await);
        for (action, body) in [
            ("confirm", json!({ "version": 2 })),
            ("undo-confirm", json!({ "version": 2 })),
            ("cancel", json!({ "version": 2, "refund_cents": 6000 })),
            ("complete", json!({ "version": 2 })),
            ("no-show", json!({ "version": 2 })),
            ("put-back", json!({ "version": 2 })),
            ("note", json!({ "note": "hers" })),
            ("resend", json!({ "template": "client_confirmed" })),
            (&format!("jobs/{}/retry", held.jobs[0]), json!({})),
        ] {
            let answer = post(world, &LEA, &format!("{}/{action}", path(&id)), body).await;
            assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{action}");
        }
        assert_eq!(get(world, &LEA, &path(&id)).await.problem(), "not-found");
        let list = get(world, &LEA, "/api/dashboard/bookings?q=Jo").await;
        assert_eq!(list.body, json!({ "bookings": [], "next_cursor": null }));
        let file = get(world, &LEA, "/api/dashboard/bookings.csv").await;
        assert!(!file.body.to_string().contains("Jo Martin"), "{}", file.body);
        assert_eq!(world.booking(&id).await, before);
        assert_eq!((world.jobs().await, world.history(&id).await), (jobs, history));
    });
}

#[test]
fn an_account_without_a_page_is_told_to_make_one() {
    World::run(|world| async move {
        let token = format!("Bearer {}", world.supabase.token(uuid::Uuid::now_v7(), "new@example.fr"));
        let app = app_with(world, world.db());
        let id = uuid::Uuid::now_v7();
        for (method, path, body) in [
            (Method::GET, "/api/dashboard/bookings".to_owned(), Value::Null),
            (Method::GET, "/api/dashboard/bookings.csv".to_owned(), Value::Null),
            (Method::GET, path(&id.to_string()), Value::Null),
            (Method::POST, format!("{}/confirm", path(&id.to_string())), json!({ "version": 1 })),
            (Method::POST, format!("{}/note", path(&id.to_string())), json!({ "note": "" })),
            (Method::POST, format!("{}/jobs/{id}/retry", path(&id.to_string())), json!({})),
        ] {
            let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
            let request = request(method, &path, &headers, (!body.is_null()).then(|| body.to_string()));
            let answer = ask(&app.web, request, |request| handle(&app, request)).await;
            assert_eq!((answer.status, answer.problem()), (404, "no-artist"), "{path}");
        }
    });
}

#[test]
fn a_malformed_request_is_refused_and_nothing_happens() {
    World::run(|world| async move {
        let held = world.hold(&testing::Plan::default()).await;
        let base = path(&held.id());
        for (query, status) in [
            ("?view=everything", 400),
            ("?limit=0", 400),
            ("?limit=101", 400),
            ("?limit=ten", 400),
            ("?cursor=invented", 400),
            (&format!("?q={}", "a".repeat(101)), 400),
            ("?q=%00", 400),
            ("?view=all&view=todo", 400),
        ] {
            assert_eq!(get(world, &NOA, &format!("/api/dashboard/bookings{query}")).await.status, status, "{query}");
        }
        assert_eq!(get(world, &NOA, "/api/dashboard/bookings.csv?from=yesterday").await.status, 400);
        for (action, body, status) in [
            ("confirm", json!({}), 400),
            ("confirm", json!({ "version": "1" }), 400),
            ("confirm", json!({ "version": 99_999_999_999_i64 }), 400),
            ("cancel", json!({ "version": 1 }), 400),
            ("cancel", json!({ "version": 1, "refund_cents": 0.5 }), 400),
            ("note", json!({ "note": "a".repeat(2001) }), 422),
            ("note", json!({ "note": "a\u{0}b" }), 400),
            ("resend", json!({ "template": "../etc/passwd" }), 409),
            ("delete", json!({ "version": 1 }), 404),
            ("jobs/nobody/retry", json!({}), 404),
        ] {
            let answer = post(world, &NOA, &format!("{base}/{action}"), body).await;
            assert_eq!(answer.status, status, "{action}: {}", answer.body);
        }
        for (method, path, status) in [
            (Method::DELETE, base.clone(), 405),
            (Method::PUT, "/api/dashboard/bookings".into(), 405),
            (Method::GET, format!("{base}/confirm"), 405),
            (Method::GET, path("nobody"), 404),
            (Method::POST, format!("{base}/a/b/c/d/e"), 404),
        ] {
            let app = app_with(world, world.db());
            assert_eq!(call(&app, world, &NOA, method, &path, Value::Null).await.status, status, "{path}");
        }
        assert_eq!(shown(world, &held.id()).await["version"], 1);
    });
}
