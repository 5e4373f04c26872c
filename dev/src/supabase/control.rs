//! The switches over HTTP, for the landing page and for scripts: JSON in, JSON out.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::{Value, json};

use super::Inner;
use crate::stand_in::{lock, parts, refuse_cross_site};

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new().route("/", get(overview)).merge(parts::control()).layer(middleware::from_fn(refuse_cross_site))
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
