//! The `/v2` API: version headers, keys, rate limits, routing, and the answers in Cal.com's shapes.

mod access;
mod bookings;
mod call;
mod event_types;
mod list;
mod slots;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use self::access::{own_event_type, signed_in};
use self::bookings::{bookings, old_bookings};
use self::call::{BOOKINGS_VERSION, Call, Done, Outcome, SLOTS_VERSION};
use self::slots::slots;
use self::webhooks::webhooks;
use super::error::ApiError;
use super::service::Inner;
use crate::machine::lock;
use crate::stand_in::{self, AfterWrite, Answered, Api, Down, Service, Troubles};

impl Api for Inner {
    async fn answer(self: &Arc<Self>, call: stand_in::Call, troubles: &Troubles) -> Answered {
        let call = Call(call);
        let (response, lost) = match troubles.down {
            Some(Down::InternalError) => (self.error(&call, &ApiError::internal()), false),
            Some(_) => (self.error(&call, &ApiError::unavailable()), false),
            None => answer(self, &call, troubles.rate_limited),
        };
        if troubles.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(troubles.slow_ms)).await;
        }
        Answered { response, lost }
    }
}

impl Inner {
    fn error(&self, call: &Call, error: &ApiError) -> Response {
        let all_bare = lock(&self.base.switches).bare_errors;
        error.respond(&call.target, self.base.clock.now(), all_bare)
    }

    /// Counts a call; gives what is left of the minute and when it ends, or nothing left.
    fn throttle(&self, call: &Call) -> Option<(u32, u32, i64)> {
        let limit = self.rate_limit?;
        let now = self.base.clock.now();
        let since = now.checked_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN);
        let mut calls = lock(&self.calls);
        let recent = calls.entry(call.header("authorization").unwrap_or("anonymous").to_owned()).or_default();
        while recent.front().is_some_and(|at| *at <= since) {
            recent.pop_front();
        }
        recent.push_back(now);
        let reset = recent.front().map_or(60, |first| 60 - now.duration_since(*first).as_secs());
        Some((limit, u32::try_from(recent.len()).unwrap_or(u32::MAX), reset))
    }
}

fn answer(inner: &Arc<Inner>, call: &Call, rate_limited: bool) -> (Response, bool) {
    let counted = inner.throttle(call);
    let over = rate_limited || counted.is_some_and(|(limit, used, _)| used > limit);
    let (mut response, lost) = if over { (inner.error(call, &ApiError::too_many()), false) } else { work(inner, call) };
    let (limit, used, reset) = counted.unwrap_or((120, if over { 121 } else { 1 }, 60));
    for (name, value) in [
        ("x-ratelimit-limit-default", i64::from(limit)),
        ("x-ratelimit-remaining-default", i64::from(limit.saturating_sub(used))),
        ("x-ratelimit-reset-default", reset),
    ] {
        response.headers_mut().insert(name, HeaderValue::from(value));
    }
    (response, lost)
}

fn work(inner: &Arc<Inner>, call: &Call) -> (Response, bool) {
    let result = route(inner, call);
    let done = match result {
        Ok(done) => done,
        Err(error) => return (inner.error(call, &error), false),
    };
    let mut lost = false;
    let mut failed = false;
    if call.method != Method::GET {
        inner.changed();
        match lock(&inner.base.switches).api.take_after_write() {
            AfterWrite::Answer => {}
            AfterWrite::Fail => failed = true,
            AfterWrite::Lose => lost = true,
        }
    }
    inner.tell(done.notices);
    if failed {
        return (inner.error(call, &ApiError::internal()), false);
    }
    let status = StatusCode::from_u16(done.status).unwrap_or(StatusCode::OK);
    ((status, axum::Json(done.body)).into_response(), lost)
}

fn route(inner: &Inner, call: &Call) -> Outcome {
    let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let get = call.method == Method::GET;
    match path.as_slice() {
        ["v2", "slots"] if get => {
            // Older versions have no such route, only `/v2/slots/available`.
            if call.version() != SLOTS_VERSION { Err(call.no_route()) } else { slots(inner, call) }
        }
        ["v2", "bookings", ..] => match call.version() {
            BOOKINGS_VERSION => bookings(inner, call, &path[2..]),
            SLOTS_VERSION => Err(call.no_route()),
            _ => old_bookings(inner, call, &path[2..]),
        },
        ["v2", "event-types"] if get => event_types::all(inner, call),
        ["v2", "event-types", id] if get => event_types::one(inner, call, id),
        ["v2", "event-types", id, "webhooks", rest @ ..] => {
            let user = signed_in(inner, call)?;
            webhooks(inner, call, user, Some(own_event_type(user, id)?.id), rest)
        }
        ["v2", "webhooks", rest @ ..] => {
            let user = signed_in(inner, call)?;
            webhooks(inner, call, user, None, rest)
        }
        ["v2", "me"] if get => {
            let user = signed_in(inner, call)?;
            Ok(Done::ok(json!({
                "id": user.id(),
                "username": user.username,
                "email": user.email,
                "name": user.name,
                "avatarUrl": null,
                "bio": null,
                "timeFormat": 24,
                "defaultScheduleId": 1,
                "weekStart": "Monday",
                "timeZone": user.time_zone,
                "organizationId": null,
            })))
        }
        _ => Err(call.no_route()),
    }
}
