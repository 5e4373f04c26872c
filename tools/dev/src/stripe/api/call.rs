//! A call of the API, and the answer with its headers.

use std::ops::Deref;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use serde_json::Value;

use crate::stand_in;
use crate::stripe::error::ApiError;
use crate::stripe::objects::API_VERSION;

/// A call of Stripe's.
pub(super) struct Call {
    pub(super) call: stand_in::Call,
    pub(super) request_id: String,
}

impl Deref for Call {
    type Target = stand_in::Call;

    fn deref(&self) -> &stand_in::Call {
        &self.call
    }
}

impl Call {
    pub(super) fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether the request speaks 2026-09-30.endive or later; without a header it speaks the account's version.
    pub(super) fn is_endive(&self) -> bool {
        self.header("stripe-version").unwrap_or(API_VERSION).get(..10).is_some_and(|date| date >= "2026-09-30")
    }

    pub(super) fn idempotency_key(&self) -> Option<&str> {
        self.header("idempotency-key").filter(|_| self.method == Method::POST)
    }

    /// The key under which the answer is kept: each account has its own.
    pub(super) fn key_of_account(&self) -> Option<String> {
        let key = self.idempotency_key()?;
        Some(self.header("stripe-account").map_or_else(|| key.to_owned(), |account| format!("{account} {key}")))
    }

    pub(super) fn fingerprint(&self) -> String {
        let mut pairs = self.pairs.clone();
        pairs.sort();
        format!("{} {}\n{}", self.method, self.path, serde_json::to_string(&pairs).unwrap_or_default())
    }
}

/// What the caller gets.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) replay_of: Option<String>,
    pub(super) lost: bool,
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: error.body(), replay_of: None, lost: false }
    }
}

pub(super) fn respond(call: &Call, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(answer.body)).into_response();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("request-id", &call.request_id);
    set("stripe-version", call.header("stripe-version").unwrap_or(API_VERSION));
    if let Some(key) = call.header("idempotency-key") {
        set("idempotency-key", key);
    }
    if let Some(original) = &answer.replay_of {
        set("idempotent-replayed", "true");
        set("original-request", original);
    }
    if answer.status == 401 {
        set("www-authenticate", "Basic realm=\"Stripe\"");
    }
    if answer.status == 409 {
        set("stripe-should-retry", "true");
    }
    response
}

/// What a route gives: the object, and the events that this made.
pub(super) type Outcome = Result<(Value, Vec<String>), ApiError>;
