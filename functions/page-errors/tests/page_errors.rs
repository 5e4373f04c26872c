//! What a page may say of its own failure: through `handle`, on a real database.

use lambda_http::http::Method;
use page_errors::{App, handle};
use serde_json::{Value, json};
use testing::{Answer, Logs, World, ask, request};

const PATH: &str = "/api/page-errors";

async fn call(world: &World, method: Method, from: &str, body: &str) -> Answer {
    let app = App { db: world.db(), web: world.web(), clock: world.clock() };
    let headers = [("content-type", "application/json"), (":source-ip", from)];
    ask(&app.web, request(method, PATH, &headers, Some(body.to_owned())), |request| handle(&app, request)).await
}

async fn tell(world: &World, report: &Value) -> Answer {
    call(world, Method::POST, "203.0.113.1", &report.to_string()).await
}

fn report() -> Value {
    json!({
        "kind": "render", "page": "/artist/lea-marchetti", "error": "RangeError", "message": "Invalid Date",
        "at": ["/assets/site-Bx1_2a.js:1:2345", "/assets/dialog-C.js:3:4"], "browser": "Version/17.6",
    })
}

fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut report = report();
    report[field] = value.into();
    report
}

#[test]
fn a_failed_page_is_one_line_of_the_log() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let answer = tell(world, &report()).await;
        assert_eq!((answer.status, &answer.body), (202, &json!({})));
        let lines: Vec<Value> = logs
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .filter(|line: &Value| line["message"] == "a page failed")
            .collect();
        assert_eq!(lines.len(), 1, "{}", logs.text());
        let line = &lines[0];
        assert_eq!(line["level"], "ERROR");
        assert_eq!((&line["page"], &line["kind"]), (&json!("/artist/lea-marchetti"), &json!("render")));
        assert_eq!((&line["error"], &line["words"]), (&json!("RangeError"), &json!("Invalid Date")));
        assert_eq!(line["at"], "/assets/site-Bx1_2a.js:1:2345 /assets/dialog-C.js:3:4");
        assert_eq!(line["browser"], "Version/17.6");
        logs.raise("page-errors", "page-failed");
    });
}

#[test]
fn nothing_of_a_person_is_written_down() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let id = "019aa000-0000-7000-8000-0000000000b0";
        assert_eq!(tell(world, &with("page", format!("/booking/{id}"))).await.status, 202);
        let quoted = r#"Unexpected token 'C', "Camille Ro"... is not valid JSON, camille@example.fr 0612345678"#;
        assert_eq!(tell(world, &with("message", quoted)).await.status, 202);
        logs.hold_nothing_of(&[id, "Camille", "camille@", "0612345678", "203.0.113"]);
        assert!(logs.text().contains("is not valid JSON"), "{}", logs.text());
    });
}

#[test]
fn each_wrong_field_is_named_and_nothing_is_written_down() {
    World::run(|world| async move {
        let logs = Logs::listen();
        let long = "x".repeat(601);
        for (field, value) in [
            ("page", json!("/booking/success?id=1")),
            ("page", json!("/dashboard#/bookings")),
            ("page", json!("https://elsewhere.example/")),
            ("page", json!("")),
            ("error", json!("")),
            ("error", json!("<script>")),
            ("message", json!("one\ntwo")),
            ("message", json!(long)),
            ("at", json!(["https://elsewhere.example/x.js:1:1"])),
            ("at", json!(["/a:1:1", "/a:1:1", "/a:1:1", "/a:1:1", "/a:1:1", "/a:1:1"])),
            ("browser", json!("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 (KHTML)")),
        ] {
            let answer = tell(world, &with(field, value.clone())).await;
            assert_eq!((answer.status, answer.problem()), (422, "invalid"), "{field} {value}");
            assert_eq!(answer.body["errors"][0]["pointer"], format!("#/{field}"), "{value}");
        }
        for body in ["", "{}", "[]", "{\"kind\":\"else\"}", "nothing"] {
            assert_eq!(call(world, Method::POST, "203.0.113.1", body).await.problem(), "malformed", "{body}");
        }
        let heavy = with("message", "x".repeat(5_000));
        assert_eq!(tell(world, &heavy).await.problem(), "payload-too-large");
        assert_eq!(call(world, Method::GET, "203.0.113.1", "").await.status, 405);
        assert!(!logs.text().contains("a page failed"));
    });
}

#[test]
fn one_visitor_fills_no_log() {
    World::run(|world| async move {
        let logs = Logs::listen();
        for _ in 0..20 {
            assert_eq!(tell(world, &report()).await.status, 202);
        }
        let stopped = tell(world, &report()).await;
        assert_eq!((stopped.status, stopped.problem()), (429, "too-many-requests"));
        let wait: i64 = stopped.header("retry-after").parse().expect("seconds");
        assert!((1..=3600).contains(&wait), "{wait}");
        assert_eq!(logs.text().matches("a page failed").count(), 20);
        assert_eq!(call(world, Method::POST, "203.0.113.2", &report().to_string()).await.status, 202);
    });
}

#[test]
fn many_visitors_fill_no_log_either() {
    World::run(|world| async move {
        for place in 0..300 {
            let from = format!("198.51.{}.{}", 100 + place / 100, place % 100);
            assert_eq!(call(world, Method::POST, &from, &report().to_string()).await.status, 202, "{place}");
        }
        assert_eq!(call(world, Method::POST, "192.0.2.1", &report().to_string()).await.status, 429);
    });
}
