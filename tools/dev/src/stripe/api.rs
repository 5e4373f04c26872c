//! The `/v1` API: authentication, idempotency keys as API v1 keeps them, routing, lists and expansions.

mod balance;
mod call;
mod disputes;
mod endpoints;
mod events;
mod expand;
mod keys;
mod lists;
mod payments;
mod refunds;
mod routes;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};

use self::call::{Answer, Call, respond};
use self::keys::{KeyGuard, begin};
use self::routes::{Ask, route};
use super::error::ApiError;
use super::ledger::{Cause, StoredAnswer};
use super::service::Inner;
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
    let cause =
        Cause { request_id: Some(call.request_id.clone()), idempotency_key: call.idempotency_key().map(str::to_owned) };
    let mut ledger = inner.ledger();
    let due = ledger.pass_time(now);
    let result = route(&mut Ask { inner, ledger: &mut ledger, call, now, cause: &cause });
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
    if let (Some(key), true) = (call.key_of_account(), executed) {
        let stored = StoredAnswer {
            fingerprint: call.fingerprint(),
            status: answer.status,
            body: answer.body.clone(),
            request_id: call.request_id.clone(),
            created: now,
        };
        ledger.keys.insert(key, stored);
    }
    drop(ledger);
    if call.is_write() || !due.is_empty() {
        inner.changed();
    }
    inner.deliver_all(&due);
    inner.deliver_all(&events);
    answer
}
