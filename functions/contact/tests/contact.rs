//! `POST /api/contact/read` through `handle`.

use contact::handle;
use lambda_http::http::{Method, Request};
use serde_json::{Value, json};
use testing::post;

fn read(body: &Value) -> Value {
    let answer = handle(&post("/api/contact/read", &[], body)).expect("an answer");
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(answer.body()).expect("JSON")
}

#[test]
fn a_number_is_read_back_with_its_country() {
    for (zone, phone, locale, written, country) in [
        ("Europe/Paris", "06 12 34 56 78", "fr", "+33 6 12 34 56 78", "France"),
        ("Europe/Brussels", "0470 12 34 56", "fr", "+32 470 12 34 56", "Belgique"),
        ("Europe/Paris", "0470 12 34 56", "fr", "+33 4 70 12 34 56", "France"),
        ("Europe/Paris", "+41 (0)78 123 45 67", "en", "+41 78 123 45 67", "Switzerland"),
        ("Pacific/Noumea", "75.12.34", "fr", "+687 75.12.34", "Nouvelle-Calédonie"),
        ("nowhere", "06 12 34 56 78", "en", "+33 6 12 34 56 78", "France"),
    ] {
        let answer = read(&json!({ "timezone": zone, "phone": phone, "locale": locale }));
        assert_eq!(answer["phone"], json!({ "written": written, "country": country, "wrong": null }), "{phone}");
        assert_eq!(answer["email"], Value::Null);
    }
}

#[test]
fn a_number_that_would_be_refused_says_why() {
    let answer = read(&json!({ "timezone": "Europe/Brussels", "phone": "06 12 34 56 78", "locale": "fr" }));
    let wrong = answer["phone"]["wrong"].as_str().expect("a reason");
    assert!(wrong.starts_with("Ce n’est pas un numéro du pays de l’artiste"), "{wrong}");
    assert_eq!(answer["phone"]["written"], Value::Null);
    let answer = read(&json!({ "phone": "1".repeat(60_000), "email": "jo" }));
    assert_eq!(answer["phone"]["wrong"].as_str().map(str::is_empty), Some(false));
    assert_eq!(answer["email"]["wrong"], "Il manque un @ dans l’adresse e-mail.");
}

#[test]
fn an_address_is_asked_about_and_never_changed_by_itself() {
    let answer = read(&json!({ "email": "Jo@gmial.com" }));
    assert_eq!(answer["email"], json!({ "address": "Jo@gmial.com", "probably": "Jo@gmail.com", "wrong": null }));
    let answer = read(&json!({ "email": "jo@orange.f", "locale": "en" }));
    assert_eq!(
        answer["email"],
        json!({ "address": null, "probably": "jo@orange.fr", "wrong": "The address is missing its ending, such as .com or .fr." })
    );
    let answer = read(&json!({ "email": "jo@été.fr" }));
    assert_eq!(answer["email"], json!({ "address": "jo@xn--t-9fab.fr", "probably": null, "wrong": null }));
}

#[test]
fn anything_else_is_refused_by_name() {
    let refused = |request| shared::http::problem(&handle(&request).expect_err("a refusal")).status.as_u16();
    let request = |method: Method, media: &str, body: &str| {
        Request::builder()
            .method(method)
            .uri("https://ink.example/api/contact/read")
            .header("content-type", media)
            .body(lambda_http::Body::from(body))
            .expect("a request")
    };
    assert_eq!(refused(request(Method::GET, "application/json", "{}")), 405);
    assert_eq!(refused(request(Method::POST, "text/plain", "{}")), 415);
    for body in ["", "null", "{\"phone\": 612345678}", "{\"email\": {}}"] {
        assert_eq!(refused(request(Method::POST, "application/json", body)), 400, "{body}");
    }
}
