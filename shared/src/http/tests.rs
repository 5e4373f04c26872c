use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::domain::locale::Locale;
use crate::domain::refusal::Refusal;
use crate::error::FieldError;

fn web() -> Web {
    Web {
        public_url: "https://ink.example".into(),
        cors_origins: vec!["https://site.example".into()],
        client_ip_header: None,
    }
}

#[test]
fn the_language_a_browser_likes_best_is_found_by_weight_and_then_by_order() {
    for (header, wanted) in [
        ("en-CA,en;q=0.9,fr-CA;q=0.8", Some(Locale::En)),
        ("de-DE,de;q=0.9,en;q=0.7,fr;q=0.3", Some(Locale::En)),
        ("en;q=0.5, fr;q=0.8", Some(Locale::Fr)),
        ("FR-ch", Some(Locale::Fr)),
        ("fr,en", Some(Locale::Fr)),
        ("en;q=0,fr;q=0.1", Some(Locale::Fr)),
        ("en;q=0", None),
        ("de,*;q=0.5", None),
        ("", None),
        ("english", None),
        ("en;q=nonsense", Some(Locale::En)),
    ] {
        let asked = ::http::Request::builder().header("accept-language", header);
        let asked = asked.body(lambda_http::Body::Empty).expect("a request");
        assert_eq!(preferred_language(&asked), wanted, "{header}");
    }
}

#[tokio::test]
async fn a_route_answers_to_one_spelling() {
    for (path, found) in [
        ("/api/session", true),
        ("/artist/l%C3%A9a", true),
        ("/artist/a%20b", true),
        ("/%61pi/session", false),
        ("/api/sessio%6E", false),
        ("/api%2Fsession", false),
        ("/api/%2e%2E/session", false),
        ("/api/%252e/session", false),
        ("/api/a%", false),
        ("/api/a%zz", false),
        ("//api/session", false),
        ("/api//session", false),
        ("/api/./session", false),
        ("/api/x/../session", false),
    ] {
        let asked = ::http::Request::builder().uri(path).body(Body::Empty).expect("a request");
        let answer = answer(&web(), asked, |_| async { reply(StatusCode::OK, &json!({})) }).await;
        assert_eq!(answer.status() == StatusCode::OK, found, "{path}: {}", answer.status());
        assert!(found || answer.status() == StatusCode::NOT_FOUND, "{path}: {}", answer.status());
    }
}

#[test]
fn a_path_is_taken_apart_behind_its_prefix_alone() {
    let of = |path: &str| {
        let request = ::http::Request::builder().uri(path).body(Body::Empty).expect("a request");
        segments(&request, "/api/session").map(|found| found.join(" ")).ok()
    };
    for (path, found) in [
        ("/api/session", Some("")),
        ("/api/session/", Some("")),
        ("/api/session/link", Some("link")),
        ("/api/session/a/link", Some("a link")),
        ("/api/sessions", None),
        ("/api/sessio", None),
        ("/", None),
    ] {
        assert_eq!(of(path).as_deref(), found, "{path}");
    }
}

fn request(method: &str, origin: &str) -> Request {
    ::http::Request::builder()
        .method(method)
        .uri("https://x/api/bookings/0190a0a0-0000-7000-8000-000000000000")
        .header("origin", origin)
        .body(Body::Empty)
        .expect("a request")
}

fn every_error() -> Vec<Error> {
    vec![
        Refusal::SlotTaken.into(),
        Refusal::TooFarAhead.into(),
        Refusal::FlashTaken.into(),
        Refusal::FlashUnavailable.into(),
        Refusal::AlreadyPaid.into(),
        Refusal::TooManyHoldsByClient.into(),
        Refusal::NotOpenYet.into(),
        Refusal::ChangedMeanwhile.into(),
        Refusal::NotPossible.into(),
        Refusal::TooLate.into(),
        Refusal::MoneyChanged.into(),
        Error::RefusedWithSlots { refusal: Refusal::SlotTaken, slots: json!([]) },
        Error::HeldByYou { own: json!({}) },
        Error::NetworkIsFull { retry_after: Duration::from_secs(7) },
        Error::FlashRests { until: "2027-02-02T10:00:00+01:00".into(), retry_after: Duration::from_secs(7) },
        Error::ProofRequired { proof: json!({}) },
        Error::Invalid(vec![FieldError { pointer: "#/a".into(), detail: "b".into(), suggestions: vec!["c".into()] }]),
        Error::Malformed("x".into()),
        Error::UnsupportedMediaType,
        Error::PayloadTooLarge { limit: 1 },
        Error::Unauthenticated("x"),
        Error::WrongCredentials,
        Error::LinkExpired,
        Error::SignInUnavailable("secret".into()),
        Error::SignOutIncomplete("secret".into()),
        Error::AlreadySignedIn,
        Error::Forbidden("x"),
        Error::SignUpClosed,
        Error::NoArtist,
        Error::NotFound,
        Error::MethodNotAllowed,
        Error::TooManyRequests { retry_after: Duration::from_secs(7) },
        Error::IdempotencyMismatch,
        Error::RequestInProgress,
        Error::CalendarUnavailable("secret".into()),
        Error::PaymentUnavailable("secret".into()),
        Error::CheckoutStaysOpen("secret".into()),
        Error::Outside { service: crate::error::Service::Stripe, why: "secret".into() },
        Error::DatabaseUnavailable("secret".into()),
        Error::Conflict,
        Error::Internal("secret".into()),
    ]
}

#[tokio::test]
async fn every_problem_has_its_anchor_and_tells_no_secret() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../frontend/problems.html"))
        .expect("the page of problems");
    for error in every_error() {
        let problem = problem(&error);
        assert!(page.contains(&format!("id=\"{}\"", problem.slug)), "no anchor for {}", problem.slug);
        let response = answer(&web(), request("GET", "https://other.example"), |_| async { Err(error) }).await;
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let body: Value = serde_json::from_slice(response.body()).expect("JSON");
        assert_eq!(body["status"], response.status().as_u16());
        assert!(!body.to_string().contains("secret"), "{body}");
        assert!(response.headers().contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn only_the_configured_origin_is_allowed() {
    let answered = |origin: &'static str| async move {
        let response = answer(&web(), request("OPTIONS", origin), |_| async { Err(Error::NotFound) }).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        response.headers().get("access-control-allow-origin").cloned()
    };
    assert_eq!(answered("https://site.example").await, Some(HeaderValue::from_static("https://site.example")));
    for other in ["https://site.example.evil", "http://site.example", "null", "https://SITE.example"] {
        assert_eq!(answered(other).await, None);
    }
}

#[test]
fn the_forwarded_header_is_not_believed() {
    let request = ::http::Request::builder()
        .header("x-forwarded-for", "203.0.113.9")
        .header("cloudfront-viewer-address", "198.51.100.7:4711")
        .body(Body::Empty)
        .expect("a request");
    assert_eq!(web().client_address(&request), "");
    let behind = Web { client_ip_header: Some(HeaderName::from_static("cloudfront-viewer-address")), ..web() };
    assert_eq!(behind.client_address(&request), "198.51.100.7");
}

#[test]
fn a_parse_error_does_not_repeat_what_the_client_typed() {
    for typed in [r#""jo@example.fr""#, r#""a, expected jo@example.fr""#, "33612345678", "336.12345678"] {
        let request = ::http::Request::builder()
            .header("content-type", "application/json; charset=utf-8")
            .body(Body::Text(typed.into()))
            .expect("a request");
        let error = json::<Vec<bool>>(&request).expect_err("not a list").to_string();
        assert!(!error.contains("jo@") && !error.contains("336"), "{error}");
        assert!(error.contains("expected a sequence"), "{error}");
    }
}

#[tokio::test]
async fn no_address_and_no_text_holds_a_nul() {
    for uri in ["/api/a%00", "/api?x=%00", "/api?%00=x", "/api?x=%%00", "/api?x=%25%00"] {
        let request = ::http::Request::builder().uri(uri).body(Body::Empty).expect("a request");
        let response = answer(&web(), request, |_| async { reply(StatusCode::OK, &json!({})) }).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{uri}");
    }
    // The letters %00 are no NUL; in a path they are another spelling of it.
    for (uri, status) in [("/api?x=%2500&y=%0&z=0%", StatusCode::OK), ("/api/a%2500", StatusCode::NOT_FOUND)] {
        let request = ::http::Request::builder().uri(uri).body(Body::Empty).expect("a request");
        let response = answer(&web(), request, |_| async { reply(StatusCode::OK, &json!({})) }).await;
        assert_eq!(response.status(), status, "{uri}");
    }
    let read = |body: &str| {
        let request = ::http::Request::builder().header("content-type", "application/json");
        json::<Value>(&request.body(Body::Text(body.into())).expect("a request"))
    };
    for body in [r#""\u0000""#, r#"{"a":{"b":["x\u0000y"]}}"#, r#"{"\u0000":1}"#, r#""\\\u0000""#, "\"\0\"", "\0"] {
        assert!(matches!(read(body), Err(Error::Malformed(_))), "{body}");
    }
    for (body, text) in [(r#""\\u0000""#, r"\u0000"), (r#""u0000""#, "u0000"), (r#""\u0001""#, "\u{1}")] {
        assert_eq!(read(body).expect("no NUL"), Value::from(text));
    }
    let signed = br#"{"a":"x\u0000","b":"\\u0000\u0000"}"#;
    let kept: Value = serde_json::from_slice(&with_nul_replaced(signed)).expect("JSON still");
    assert_eq!(kept, json!({ "a": "x\u{fffd}", "b": "\\u0000\u{fffd}" }));
    assert!(matches!(with_nul_replaced(b"{}"), Cow::Borrowed(_)));
}

#[test]
fn logs_name_the_route_and_not_the_booking() {
    assert_eq!(route("/api/bookings/0190a0a0-0000-7000-8000-000000000000"), "/api/bookings/{id}");
    for (path, logged) in [
        ("/api/session/jo@example.fr/link", "/api/session/…/link"),
        ("/api/session/jo%40example.fr", "/api/session/…"),
        ("/api/artists/lea-marchetti", "/api/artists/…"),
        ("/+33612345678//", "/…//"),
        ("/api/dashboard/bookings.csv", "/api/dashboard/bookings.csv"),
        ("/api/bookings/0190a0a0-0000-7000-8000-000000000000/check", "/api/bookings/{id}/check"),
    ] {
        assert_eq!(route(&as_routed(path)), logged);
    }
    assert!(as_routed(&"/a".repeat(4_000)).len() < 60, "a long one is cut");
}
