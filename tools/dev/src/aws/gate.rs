//! What all gates share: a condition to switch, and the way on to ministack.
//! A gate never answers in the place of a service that works.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::machine::{client, lock};

/// How a service behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// It works.
    #[default]
    Ok,
    /// It answers 503, and does nothing.
    Down,
    /// It works, seconds later.
    Slow,
    /// It refuses what it is given, for good. Mails only.
    Bounce,
    /// It does at once what it is asked, and answers seconds later. Mails only.
    Late,
    /// It does at once what it is asked, and its answer is lost. Mails only.
    Mute,
    /// It takes what it is given, delivers it to nobody, and tells so afterwards. Mails only.
    Returned,
}

/// How much later a slow service answers.
pub(super) const SLOW: Duration = Duration::from_secs(4);

/// How much later the answer of a late service comes: longer than most clients wait by default.
pub(super) const LATE: Duration = Duration::from_secs(6);

/// The way on to ministack.
#[derive(Clone)]
pub(super) struct Way {
    upstream: String,
    client: reqwest::Client,
    condition: Arc<Mutex<Condition>>,
}

impl Way {
    pub(super) fn to(upstream: &str) -> Self {
        Self { upstream: upstream.to_owned(), client: client(), condition: Arc::default() }
    }

    pub(super) fn set(&self, condition: Condition) {
        *lock(&self.condition) = condition;
    }

    pub(super) fn condition(&self) -> Condition {
        *lock(&self.condition)
    }

    /// Passes a request on; the answer is ministack's, or a 503 when it cannot be reached.
    pub(super) async fn pass(&self, parts: &Parts, body: Bytes) -> (StatusCode, header::HeaderMap, Bytes) {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = parts.headers.clone();
        for framing in [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
            headers.remove(framing);
        }
        let url = format!("{}{path}", self.upstream);
        let sent = self.client.request(parts.method.clone(), url).headers(headers).body(body).send().await;
        let Ok(answer) = sent else { return out_of_reach() };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for framing in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION] {
            headers.remove(framing);
        }
        match answer.bytes().await {
            Ok(body) => (status, headers, body),
            Err(_) => out_of_reach(),
        }
    }
}

pub(super) fn unavailable() -> (StatusCode, header::HeaderMap, Bytes) {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The service is down: somebody has pulled a switch.")
}

fn out_of_reach() -> (StatusCode, header::HeaderMap, Bytes) {
    refusal(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "ministack does not answer.")
}

pub(super) fn refusal(status: StatusCode, kind: &'static str, why: &str) -> (StatusCode, header::HeaderMap, Bytes) {
    let mut headers = header::HeaderMap::new();
    headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, headers, Bytes::from(json!({ "__type": kind, "message": why }).to_string()))
}

/// Serves `router` on a loopback port, `port` if that is free; gives its URL and the task to abort.
pub(super) async fn serve(router: Router, port: Option<u16>) -> Result<(String, tokio::task::AbortHandle)> {
    let listener = match port {
        Some(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.ok(),
        None => None,
    };
    let listener = match listener {
        Some(listener) => listener,
        None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let url = format!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    Ok((url, server.abort_handle()))
}

/// The gate before SQS: the queue can be switched off without losing what it holds.
pub struct SqsGate {
    url: String,
    way: Way,
    server: tokio::task::AbortHandle,
}

impl SqsGate {
    /// Opens the gate before `ministack`, on `port` if that is free.
    pub async fn start(ministack: &str, port: Option<u16>) -> Result<Self> {
        let way = Way::to(ministack);
        let router = Router::new().fallback(through).with_state(way.clone());
        let (url, server) = serve(router, port).await?;
        Ok(Self { url, way, server })
    }

    /// What `AWS_ENDPOINT_URL_SQS` points at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Switches the queue.
    pub fn set(&self, condition: Condition) {
        self.way.set(condition);
    }

    pub fn condition(&self) -> Condition {
        self.way.condition()
    }
}

impl Drop for SqsGate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn through(State(way): State<Way>, parts: Parts, body: Bytes) -> Response {
    match way.condition() {
        Condition::Down => return unavailable().into_response(),
        Condition::Slow => sleep(SLOW).await,
        Condition::Ok | Condition::Bounce | Condition::Late | Condition::Mute | Condition::Returned => {}
    }
    way.pass(&parts, body).await.into_response()
}
