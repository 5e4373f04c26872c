//! The `/v1` API: authentication, idempotency keys as API v1 keeps them, routing, lists and expansions.

mod call;
mod expand;
mod keys;
mod lists;

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::Method;
use serde_json::json;

use self::call::{Answer, Call, Outcome, respond};
use self::expand::{expand_all, retrieve, show};
use self::keys::{KeyGuard, begin};
use self::lists::{list_endpoints, list_events, list_intents, list_refunds, list_sessions};
use super::error::ApiError;
use super::ledger::{Cause, Closed, Ledger, StoredAnswer};
use super::objects::{API_VERSION, Charge, Dispute, Endpoint, Intent, Refund, RefundStatus};
use super::params::Params;
use super::requests;
use super::service::Inner;
use super::switches::RefundMode;
use crate::machine::lock;
use crate::stand_in::{self, AfterWrite, Answered, Api, Down, Service, Troubles, alphanumeric};

impl Api for Inner {
    const HAS_FORMS: bool = true;

    fn too_large() -> Response {
        ApiError::invalid("Request body too large").into_response()
    }

    async fn answer(self: &Arc<Self>, call: stand_in::Call, troubles: &Troubles) -> Answered {
        let call = Call { call, request_id: format!("req_{}", alphanumeric(14)) };
        let answer = match troubles.down {
            Some(Down::InternalError) => ApiError::down(500).into(),
            Some(_) => ApiError::down(503).into(),
            None if troubles.rate_limited => ApiError::rate_limited().into(),
            None => answer(self, &call, troubles.slow_ms).await,
        };
        let lost = answer.lost;
        Answered { response: respond(&call, answer), lost }
    }
}

async fn answer(inner: &Arc<Inner>, call: &Call, slow_ms: u64) -> Answer {
    let mut guard = KeyGuard { inner, key: None };
    let answer = match begin(inner, call, &mut guard) {
        Ok(Some(replayed)) => replayed,
        Ok(None) => execute(inner, call),
        Err(error) => error.into(),
    };
    if slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms)).await;
    }
    answer
}

/// Runs the request and keeps its answer for the key.
fn execute(inner: &Arc<Inner>, call: &Call) -> Answer {
    let now = inner.base.clock.now_unix();
    let key = call.header("idempotency-key").filter(|_| call.method == Method::POST);
    let cause = Cause { request_id: Some(call.request_id.clone()), idempotency_key: key.map(str::to_owned) };
    let mut ledger = inner.ledger();
    let due = ledger.expire_due(now);
    let result = route(inner, &mut ledger, call, now, &cause);
    let (mut answer, executed, events) = match result {
        Ok((body, events)) => (Answer { status: 200, body, replay_of: None, lost: false }, true, events),
        Err(error) => {
            let executed = error.executed;
            (error.into(), executed, Vec::new())
        }
    };
    if call.is_write() && answer.status == 200 {
        match lock(&inner.base.switches).api.take_after_write() {
            AfterWrite::Answer => {}
            AfterWrite::Fail => answer = ApiError::failed_after_executing().into(),
            AfterWrite::Lose => answer.lost = true,
        }
    }
    if let (Some(key), true) = (key, executed) {
        let stored = StoredAnswer {
            fingerprint: call.fingerprint(),
            status: answer.status,
            body: answer.body.clone(),
            request_id: call.request_id.clone(),
            created: now,
        };
        ledger.keys.insert(key.to_owned(), stored);
    }
    drop(ledger);
    if call.is_write() || !due.is_empty() {
        inner.changed();
    }
    inner.deliver_all(&due);
    inner.deliver_all(&events);
    answer
}

fn route(inner: &Arc<Inner>, ledger: &mut Ledger, call: &Call, now: i64, cause: &Cause) -> Outcome {
    let mut params = Params::from_pairs(&call.pairs)?;
    let path: Vec<&str> = call.path.trim_matches('/').split('/').skip(1).collect();
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match path.as_slice() {
        ["checkout", "sessions"] if post => create_session(inner, ledger, params, now, call.is_endive()),
        ["checkout", "sessions"] if get => list_sessions(ledger, params),
        ["checkout", "sessions", id] if get => {
            let session =
                ledger.sessions.get(id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))?;
            let object = session.object(&ledger.base_url);
            Ok((show(ledger, object, params)?, Vec::new()))
        }
        ["checkout", "sessions", id, "line_items"] if get => {
            requests::page(&mut params)?;
            let session =
                ledger.sessions.get(id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))?;
            let object = session.line_items_list();
            Ok((show(ledger, object, params)?, Vec::new()))
        }
        ["checkout", "sessions", id, "expire"] if post => {
            let expand = params.texts("expand")?;
            params.finish(&[])?;
            let events = ledger.expire(id, now, cause).map_err(|closed| not_expirable(id, closed))?;
            let mut object =
                ledger.sessions.get(id).map(|session| session.object(&ledger.base_url)).unwrap_or_default();
            expand_all(ledger, &mut object, &expand)?;
            Ok((object, events))
        }
        ["payment_intents", id] if get => {
            retrieve(ledger, &ledger.intents, id, ("payment_intent", "intent"), Intent::object, params)
        }
        ["payment_intents"] if get => list_intents(ledger, params),
        ["charges", id] if get => retrieve(ledger, &ledger.charges, id, ("charge", "id"), Charge::object, params),
        ["disputes", id] if get => retrieve(ledger, &ledger.disputes, id, ("dispute", "id"), Dispute::object, params),
        ["refunds", id] if get => retrieve(ledger, &ledger.refunds, id, ("refund", "id"), Refund::object, params),
        ["refunds"] if post => create_refund(inner, ledger, params, now, cause),
        ["refunds"] if get => list_refunds(ledger, params),
        ["events"] if get => list_events(inner, ledger, params, now),
        ["events", id] if get => {
            retrieve(ledger, &ledger.events, id, ("event", "id"), |event| event.object(API_VERSION), params)
        }
        ["webhook_endpoints"] if get => list_endpoints(ledger, params),
        ["webhook_endpoints"] if post => create_endpoint(ledger, params, now),
        ["webhook_endpoints", id] if get => retrieve(
            ledger,
            &ledger.endpoints,
            id,
            ("webhook endpoint", "id"),
            |endpoint| endpoint.object(false),
            params,
        ),
        ["webhook_endpoints", id] if call.method == Method::DELETE => {
            ledger.endpoints.remove(id).ok_or_else(|| ApiError::missing("webhook endpoint", id, "id"))?;
            Ok((json!({"id": id, "object": "webhook_endpoint", "deleted": true}), Vec::new()))
        }
        _ => Err(ApiError::unknown_url(call.method.as_str(), &call.path)),
    }
}

fn not_expirable(id: &str, closed: Closed) -> ApiError {
    let status = match closed {
        Closed::Unknown => return ApiError::missing("checkout.session", id, "session"),
        Closed::Complete => "complete",
        Closed::Expired => "expired",
    };
    ApiError::refused(format!(
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `{status}`."
    ))
}

fn create_session(inner: &Inner, ledger: &mut Ledger, mut params: Params, now: i64, endive: bool) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_session(&mut params, now, endive)?;
    requests::finish_session(params)?;
    if let Some(told) = lock(&inner.base.switches).take_create_failure() {
        return Err(ApiError::told(told.status, told.code, told.message));
    }
    let id = ledger.open_session(new, now);
    let mut object = ledger.sessions.get(&id).map(|session| session.object(&ledger.base_url)).unwrap_or_default();
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

fn create_refund(inner: &Arc<Inner>, ledger: &mut Ledger, mut params: Params, now: i64, cause: &Cause) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_refund(&mut params)?;
    requests::finish_refund(params)?;
    let mode = lock(&inner.base.switches).refunds;
    let status = if mode == RefundMode::Succeed { RefundStatus::Succeeded } else { RefundStatus::Pending };
    let (id, events) = ledger.refund(new, status, now, cause)?;
    if mode == RefundMode::FailLater {
        inner.fail_refund_later(&id);
    }
    let mut object = ledger.refunds.get(&id).map(Refund::object).unwrap_or_default();
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, events))
}

fn create_endpoint(ledger: &mut Ledger, params: Params, now: i64) -> Outcome {
    let new = requests::new_endpoint(params)?;
    let endpoint = Endpoint {
        id: format!("we_1{}", alphanumeric(23)),
        created: now,
        url: new.url,
        secret: format!("whsec_{}", alphanumeric(32)),
        enabled_events: new.enabled_events,
        api_version: new.api_version,
        description: new.description,
        metadata: new.metadata,
    };
    let object = endpoint.object(true);
    ledger.endpoints.insert(endpoint);
    Ok((object, Vec::new()))
}
