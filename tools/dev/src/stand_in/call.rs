//! A call of the API: read, told apart from a service that is down, answered, recorded.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode};

use super::log::Recorded;
use super::loopback::HangUp;
use super::service::Service;
use super::troubles::{Down, Troubles};
use crate::machine::lock;

const LARGEST_BODY: usize = 1 << 20;

/// A request, read.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The path with the query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    /// The parameters, names as sent.
    pub(crate) pairs: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads it; nothing when it is too large.
    async fn read(request: Request, has_forms: bool) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LARGEST_BODY).await.ok()?;
        let decoded = |text: &[u8]| form_urlencoded::parse(text).into_owned().collect::<Vec<_>>();
        let mut pairs = decoded(parts.uri.query().unwrap_or_default().as_bytes());
        if has_forms {
            pairs.extend(decoded(&body));
        }
        Some(Self {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            headers: parts.headers,
            pairs,
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

/// What the caller gets.
pub(crate) struct Answered {
    pub(crate) response: Response,
    /// The work is done, and its answer never arrives.
    pub(crate) lost: bool,
}

/// A service with an API.
pub(crate) trait Api: Service {
    /// Whether the bodies are forms, whose fields count as parameters.
    const HAS_FORMS: bool = false;

    /// What a body gets that is too large to be read.
    fn too_large() -> Response {
        StatusCode::PAYLOAD_TOO_LARGE.into_response()
    }

    /// Does what is asked, or refuses it, with the failures that are switched on; none of them cuts the connection.
    fn answer(self: &Arc<Self>, call: Call, troubles: &Troubles) -> impl Future<Output = Answered> + Send;
}

/// Everything that is not a page and no switch.
pub(crate) async fn handle<S: Api>(
    State(inner): State<Arc<S>>,
    ConnectInfo(hang_up): ConnectInfo<HangUp>,
    request: Request,
) -> Response {
    let Some(call) = Call::read(request, S::HAS_FORMS).await else { return S::too_large() };
    let mut recorded = Recorded {
        method: call.method.to_string(),
        path: call.path.clone(),
        params: call.pairs.clone(),
        headers: readable(&call.headers),
        body: call.body.clone(),
        status: 0,
        at: inner.base().clock.now(),
    };
    let troubles = S::troubles(&mut lock(&inner.base().switches)).clone();
    if inner.is_closed() || troubles.down == Some(Down::Cut) {
        inner.base().log.push(recorded);
        return hang_up.now();
    }
    // In a task of its own: a caller that gives up does not undo what the service has begun.
    let work = tokio::spawn(async move {
        let answered = inner.answer(call, &troubles).await;
        recorded.status = if answered.lost { 0 } else { answered.response.status().as_u16() };
        recorded.at = inner.base().clock.now();
        inner.base().log.push(recorded);
        answered
    });
    match work.await {
        Ok(answered) if answered.lost => hang_up.now(),
        Ok(answered) => answered.response,
        Err(error) => {
            tracing::error!(%error, "the {} stand-in failed on a request", S::NAME);
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The headers as text, for the log.
fn readable(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
