//! The switches over HTTP: what is only Supabase's.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::service::Inner;
use crate::machine::lock;

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new().route("/", get(overview))
}

async fn overview(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let accounts: Vec<String> = inner.book().accounts.iter().map(|account| account.email.clone()).collect();
    Json(json!({
        "stand_in": "supabase",
        "clock_shift_seconds": inner.base.clock.shift_seconds(),
        "switches": *lock(&inner.base.switches),
        "accounts": accounts,
    }))
}
