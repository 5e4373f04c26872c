//! The switches over HTTP, for the landing page and for scripts: JSON in, JSON out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Inner;
use crate::stand_in::{lock, merge, refuse_cross_site};

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/", get(overview))
        .route("/switches", get(switches).post(set_switches))
        .route("/clock", post(clock))
        .route("/requests", get(requests))
        .layer(middleware::from_fn(refuse_cross_site))
}

async fn overview(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let accounts: Vec<String> = lock(&inner.book).accounts.iter().map(|account| account.email.clone()).collect();
    Json(json!({
        "stand_in": "supabase",
        "clock_shift_seconds": inner.clock.shift_seconds(),
        "switches": *lock(&inner.switches),
        "accounts": accounts,
    }))
}

async fn switches(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(*lock(&inner.switches)))
}

async fn set_switches(State(inner): State<Arc<Inner>>, Json(patch): Json<Value>) -> Response {
    let mut switches = lock(&inner.switches);
    match merge(&*switches, &patch) {
        Ok(merged) => {
            *switches = merged;
            Json(json!(*switches)).into_response()
        }
        Err(why) => (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response(),
    }
}

#[derive(Deserialize)]
struct ClockChange {
    shift_seconds: Option<i64>,
    advance_seconds: Option<u64>,
}

async fn clock(State(inner): State<Arc<Inner>>, Json(change): Json<ClockChange>) -> Json<Value> {
    if let Some(shift) = change.shift_seconds {
        inner.clock.set_shift_seconds(shift);
    }
    if let Some(advance) = change.advance_seconds {
        inner.clock.advance(Duration::from_secs(advance));
    }
    Json(json!({ "clock_shift_seconds": inner.clock.shift_seconds(), "now": inner.clock.now() }))
}

async fn requests(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.log.all()))
}
