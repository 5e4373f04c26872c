//! The switches over HTTP, for the landing page and for scripts: JSON in, JSON out.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::service::Inner;
use super::switches::Canceller;
use crate::machine::lock;
use crate::stand_in::{done, refused};

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/", get(overview))
        .route("/bookings", get(bookings))
        .route("/bookings/{uid}/cancel", post(cancel))
        .route("/bookings/{uid}/reschedule", post(reschedule))
        .route("/bookings/{uid}/confirm", post(confirm))
        .route("/bookings/{uid}/decline", post(decline))
        .route("/blocks", get(blocks).post(block))
        .route("/blocks/{id}", delete(unblock))
        .route("/webhooks", post(subscribe))
        .route("/deliveries", get(deliveries))
}

async fn overview(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let (bookings, blocks) = {
        let diary = inner.diary();
        (diary.bookings.len(), diary.blocks.len())
    };
    Json(json!({
        "stand_in": "calcom",
        "clock_shift_seconds": inner.base.clock.shift_seconds(),
        "users": inner.users.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(),
        "week_page": format!("{}/week", inner.base_url),
        "switches": *lock(&inner.base.switches),
        "bookings": bookings,
        "blocks": blocks,
    }))
}

async fn bookings(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.bookings()))
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default = "no_longer_possible")]
    reason: String,
}

fn no_longer_possible() -> String {
    "Le studio est fermé ce jour-là".to_owned()
}

#[derive(Deserialize)]
struct Cancellation {
    #[serde(default)]
    by: Canceller,
    #[serde(default = "no_longer_possible")]
    reason: String,
}

async fn cancel(State(inner): State<Arc<Inner>>, Path(uid): Path<String>, Json(asked): Json<Cancellation>) -> Response {
    done(inner.cancel(&uid, asked.by, &asked.reason).map(|()| json!({"cancelled": uid})))
}

#[derive(Deserialize)]
struct Move {
    start: Timestamp,
}

async fn reschedule(State(inner): State<Arc<Inner>>, Path(uid): Path<String>, Json(to): Json<Move>) -> Response {
    done(inner.reschedule(&uid, to.start).map(|uid| json!({"uid": uid})))
}

async fn confirm(State(inner): State<Arc<Inner>>, Path(uid): Path<String>) -> Response {
    done(inner.decide(&uid, true, None).map(|()| json!({"confirmed": uid})))
}

async fn decline(State(inner): State<Arc<Inner>>, Path(uid): Path<String>, Json(reason): Json<Reason>) -> Response {
    done(inner.decide(&uid, false, Some(reason.reason)).map(|()| json!({"declined": uid})))
}

async fn blocks(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.diary().blocks))
}

#[derive(Deserialize)]
struct NewBlock {
    username: String,
    start: Timestamp,
    end: Timestamp,
    #[serde(default = "elsewhere")]
    label: String,
}

fn elsewhere() -> String {
    "Pris ailleurs".to_owned()
}

async fn block(State(inner): State<Arc<Inner>>, Json(new): Json<NewBlock>) -> Response {
    done(inner.block(&new.username, new.start, new.end, &new.label).map(|id| json!({"id": id})))
}

async fn unblock(State(inner): State<Arc<Inner>>, Path(id): Path<u64>) -> Response {
    if inner.unblock(id) {
        Json(json!({"removed": id})).into_response()
    } else {
        refused(StatusCode::NOT_FOUND, format!("no block {id}"))
    }
}

#[derive(Deserialize)]
struct Subscription {
    username: String,
    url: String,
    secret: Option<String>,
    #[serde(default)]
    triggers: Vec<String>,
}

async fn subscribe(State(inner): State<Arc<Inner>>, Json(new): Json<Subscription>) -> Response {
    let triggers: Vec<&str> = new.triggers.iter().map(String::as_str).collect();
    done(inner.subscribe(&new.username, &new.url, new.secret.as_deref(), &triggers).map(|id| json!({"id": id})))
}

async fn deliveries(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.deliveries.all()))
}
