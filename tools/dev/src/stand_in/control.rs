//! The switches over HTTP, for the landing page and for scripts: JSON in, JSON out. What is the same for all.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::loopback::refuse_cross_site;
use super::service::Service;
use crate::machine::lock;

/// Switches, clock, requests and the reset, beside what is only `own`.
pub(crate) fn control<S: Service>(own: Router<Arc<S>>) -> Router<Arc<S>> {
    own.route("/switches", get(switches::<S>).post(set_switches::<S>))
        .route("/clock", post(clock::<S>))
        .route("/requests", get(requests::<S>))
        .route("/reset", post(reset::<S>))
        .layer(middleware::from_fn(refuse_cross_site))
}

/// Says why not.
pub(crate) fn refused(status: StatusCode, why: impl Display) -> Response {
    (status, Json(json!({ "error": why.to_string() }))).into_response()
}

/// The result, or why it is in conflict with what is there.
pub(crate) fn done<T: Serialize>(result: Result<T, String>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(why) => refused(StatusCode::CONFLICT, why),
    }
}

async fn switches<S: Service>(State(inner): State<Arc<S>>) -> Json<Value> {
    Json(json!(*lock(&inner.base().switches)))
}

async fn set_switches<S: Service>(State(inner): State<Arc<S>>, Json(patch): Json<Value>) -> Response {
    let mut switches = lock(&inner.base().switches);
    match merge(&*switches, &patch) {
        Ok(merged) => {
            *switches = merged;
            Json(json!(*switches)).into_response()
        }
        Err(why) => refused(StatusCode::BAD_REQUEST, why),
    }
}

#[derive(Deserialize)]
struct ClockChange {
    shift_seconds: Option<i64>,
    advance_seconds: Option<u64>,
}

async fn clock<S: Service>(State(inner): State<Arc<S>>, Json(change): Json<ClockChange>) -> Json<Value> {
    let clock = &inner.base().clock;
    if let Some(shift) = change.shift_seconds {
        clock.set_shift_seconds(shift);
    }
    if let Some(advance) = change.advance_seconds {
        clock.advance(Duration::from_secs(advance));
    }
    inner.clock_moved();
    Json(json!({ "clock_shift_seconds": clock.shift_seconds(), "now": clock.now() }))
}

async fn requests<S: Service>(State(inner): State<Arc<S>>) -> Json<Value> {
    Json(json!(inner.base().log.all()))
}

async fn reset<S: Service>(State(inner): State<Arc<S>>) -> Json<Value> {
    inner.reset();
    Json(json!({ "reset": true }))
}

/// Merges a partial JSON object into a settings struct and refuses names that it does not have.
fn merge<T: Serialize + DeserializeOwned>(current: &T, patch: &Value) -> Result<T, String> {
    let mut merged = serde_json::to_value(current).map_err(|error| error.to_string())?;
    let (Some(fields), Some(patch)) = (merged.as_object_mut(), patch.as_object()) else {
        return Err("expected a JSON object".to_owned());
    };
    for (name, value) in patch {
        match fields.get_mut(name) {
            Some(field) => field.clone_from(value),
            None => return Err(format!("unknown switch `{name}`")),
        }
    }
    serde_json::from_value(merged).map_err(|error| error.to_string())
}
