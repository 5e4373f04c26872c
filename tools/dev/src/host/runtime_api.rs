//! The Lambda runtime API, as the functions call it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::invoke_error::{InvokeError, PAYLOAD_LIMIT};
use super::pool::{Delivery, Function, InstanceState, Registry};
use crate::account;

pub(super) fn runtime_api(registry: Arc<Registry>) -> Router {
    let path = |rest: &str| format!("/{{function}}/{{instance}}/2018-06-01/runtime/{rest}");
    Router::new()
        .route(&path("invocation/next"), get(next))
        .route(&path("invocation/{id}/response"), post(response))
        .route(&path("invocation/{id}/error"), post(failure))
        .route(&path("init/error"), post(init_failure))
        .layer(DefaultBodyLimit::max(4 * PAYLOAD_LIMIT))
        .with_state(registry)
}

enum Next {
    Unknown,
    Now(Delivery),
    Later(oneshot::Receiver<Delivery>),
    Never,
}

impl Function {
    fn next(self: &Arc<Self>, number: u64) -> Next {
        let mut pool = self.lock();
        let paused = pool.paused;
        let Some(instance) = pool.instances.get_mut(&number) else { return Next::Unknown };
        if instance.retired {
            instance.kill.notify_one();
            return Next::Never;
        }
        // An instance that asks for more has dropped what it had.
        if let InstanceState::Busy { request_id, reply } =
            std::mem::replace(&mut instance.state, InstanceState::Between)
        {
            let how = "it asked for the next invocation without an answer".to_owned();
            let _ = reply.send(Err(InvokeError::Exited { request_id, how }));
        }
        if !paused && let Some(waiting) = pool.queue.pop_front() {
            return Next::Now(self.begin(&mut pool, number, waiting));
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(instance) = pool.instances.get_mut(&number) {
            instance.state = InstanceState::Parked(sender);
        }
        pool.parked.push(number);
        Next::Later(receiver)
    }
}

async fn next(State(registry): State<Arc<Registry>>, Path((name, number)): Path<(String, u64)>) -> Response {
    let Some(function) = registry.functions.get(&name) else { return forbidden() };
    let delivery = match function.next(number) {
        Next::Unknown => return forbidden(),
        Next::Now(delivery) => Some(delivery),
        Next::Later(receiver) => receiver.await.ok(),
        Next::Never => None,
    };
    // Without work, this instance is about to be killed.
    let Some(delivery) = delivery else { return std::future::pending().await };
    let Delivery { request_id, payload, deadline_ms } = delivery;
    let id = request_id.simple().to_string();
    let trace = format!("Root=1-{}-{};Parent={};Sampled=0", &id[..8], &id[8..], &id[16..]);
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id.to_string()),
        ("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", account::function_arn(&name)),
        ("Lambda-Runtime-Trace-Id", trace),
    ];
    (headers, [(header::CONTENT_TYPE, "application/json")], payload).into_response()
}

async fn response(
    State(registry): State<Arc<Registry>>,
    Path((name, number, id)): Path<(String, u64, Uuid)>,
    body: Bytes,
) -> Response {
    if body.len() > PAYLOAD_LIMIT {
        registry.finish(&name, number, id, Err(InvokeError::TooLarge(body.len())));
        let document =
            r#"{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size"}"#;
        return (StatusCode::PAYLOAD_TOO_LARGE, document).into_response();
    }
    accepted(registry.finish(&name, number, id, Ok(body)))
}

async fn failure(
    State(registry): State<Arc<Registry>>,
    Path((name, number, id)): Path<(String, u64, Uuid)>,
    body: Bytes,
) -> Response {
    if let Some(function) = registry.functions.get(&name) {
        function.tell("ERROR", &format!("invocation failed: {}", String::from_utf8_lossy(&body)), id);
    }
    accepted(registry.finish(&name, number, id, Err(InvokeError::Handler(body))))
}

async fn init_failure(
    State(registry): State<Arc<Registry>>,
    Path((name, _)): Path<(String, u64)>,
    body: Bytes,
) -> Response {
    if let Some(function) = registry.functions.get(&name) {
        function.tell("ERROR", &format!("init failed: {}", String::from_utf8_lossy(&body)), Uuid::nil());
    }
    accepted(true)
}

fn accepted(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
    } else {
        let document = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
        (StatusCode::BAD_REQUEST, document).into_response()
    }
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, r#"{"errorType":"Forbidden","errorMessage":"No such instance"}"#).into_response()
}
