//! The OpenAPI document, generated from the types that the functions read and answer with, and from what each says of its
//! operations in its `api.rs`. The frontend's types come from it, so a document that does not match the code fails here;
//! `make openapi` writes it anew.

use std::path::Path;

use serde_json::Value;
use shared::openapi::Document;

fn document() -> Document {
    let mut document = Document::default();
    artist_page::api::operations(&mut document);
    booking_status::api::operations(&mut document);
    calcom_webhook::api::operations(&mut document);
    calendar_file::api::operations(&mut document);
    contact::api::operations(&mut document);
    create_booking::api::operations(&mut document);
    dashboard_bookings::api::operations(&mut document);
    dashboard_settings::api::operations(&mut document);
    dashboard_stats::api::operations(&mut document);
    page_errors::api::operations(&mut document);
    release_booking::api::operations(&mut document);
    session::api::operations(&mut document);
    slots::api::operations(&mut document);
    stripe_webhook::api::operations(&mut document);
    document
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn the_document_is_what_the_code_says() {
    let file = root().join("frontend/openapi.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&document().write()).expect("JSON"));
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &generated).expect("the document is written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == generated, "frontend/openapi.json is not what the code says any more: run `make openapi`");
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = std::fs::read_to_string(root().join("infra/routes.json")).expect("the routes");
    let routes: Vec<Value> = serde_json::from_str(&routes).expect("JSON");
    let text = |route: &Value, field: &str| route[field].as_str().expect("text").to_owned();
    let mut routes: Vec<_> = routes.iter().map(|route| (text(route, "method"), text(route, "path"))).collect();
    routes.sort();
    let document = document();
    let described: Vec<_> = document.routes().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(described, routes);
}
