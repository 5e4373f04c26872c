//! Requests in, responses out: the only place where an error becomes an answer (RFC 9457) and where it is logged.
//! A handler's `Err` never reaches the runtime, which would answer a bare 502 for it.

use std::future::Future;
use std::time::Instant;

use ::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, LambdaEvent, Request, RequestExt, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::config::{self, ConfigError};
use crate::error::Error;
use crate::network::{Network, without_port};
use crate::redact::without_addresses;

// The payloads of a function URL.
mod event;
mod fields;
mod problem;
mod read;

pub use self::fields::Fields;
pub use self::problem::{Problem, problem};
pub use self::read::{
    JSON_LIMIT, bytes, cookie, holds_nul, json, language, preferred_language, query, with_nul_replaced,
};

/// What a handler answers.
pub type Reply = Result<Response<Body>, Error>;

/// What every function knows of the web around it.
#[derive(Debug, Clone)]
pub struct Web {
    /// Origin of the site; problem types are anchors of its page `/problems`.
    pub public_url: String,
    /// Other origins whose pages may call us, exactly as browsers send them.
    pub cors_origins: Vec<String>,
    /// The header that carries the client's address, when something trustworthy sets it.
    pub client_ip_header: Option<HeaderName>,
}

impl Web {
    /// Reads `PUBLIC_URL`, `CORS_ORIGINS` and `CLIENT_IP_HEADER`.
    pub fn from_env() -> Result<Self, ConfigError> {
        let client_ip_header = config::optional("CLIENT_IP_HEADER")
            .map(|name| name.to_ascii_lowercase().parse())
            .transpose()
            .map_err(|_| ConfigError::Invalid { name: "CLIENT_IP_HEADER", why: "must be a header name".into() })?;
        Ok(Self { public_url: config::public_url()?, cors_origins: config::list("CORS_ORIGINS"), client_ip_header })
    }

    /// The client's network address. What is counted is [`Self::network`].
    ///
    /// The configured header (CloudFront overwrites `CloudFront-Viewer-Address` whatever the client sent),
    /// else the address that AWS saw. Never `X-Forwarded-For`, which anybody writes.
    pub fn client_address(&self, request: &Request) -> String {
        if let Some(name) = &self.client_ip_header
            && let Some(value) = request.headers().get(name).and_then(|value| value.to_str().ok())
        {
            return without_port(value).to_owned();
        }
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

impl Web {
    /// The client's network: what limits are counted by. Where it is kept, [`crate::db::Db::pseudonym`] stands for it.
    pub fn network(&self, request: &Request) -> Network {
        Network::of(&self.client_address(request))
    }
}

/// Runs a function behind the Lambda runtime until the sandbox ends.
///
/// # Errors
/// The runtime API cannot be reached.
pub async fn serve<F, Fut>(web: Web, handler: F) -> Result<(), lambda_http::Error>
where
    F: Fn(Request) -> Fut + Sync,
    Fut: Future<Output = Reply> + Send,
{
    let (web, handler) = (&web, &handler);
    lambda_runtime::run(lambda_runtime::service_fn(move |event: LambdaEvent<Box<RawValue>>| async move {
        let (request, unreadable) = match event::read(event.payload.get()) {
            Ok(request) => (request, None),
            Err(error) => (Request::default(), Some(error)),
        };
        let request = request.with_lambda_context(event.context);
        let response = match unreadable {
            // On the heap, because a future of futures of this size is more than the compiler lays out in one piece.
            None => Box::pin(answer(web, request, handler)).await,
            Some(error) => answer(web, request, |_| std::future::ready(Err(error))).await,
        };
        Ok::<_, std::convert::Infallible>(event::written(response))
    }))
    .await
}

/// Answers one request: runs the handler, turns its error into a problem, adds the headers that every
/// response has, and writes one log line.
pub async fn answer<F, Fut>(web: &Web, request: Request, handler: F) -> Response<Body>
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Reply>,
{
    let started = Instant::now();
    let request_id = request_id(&request);
    let origin = request.headers().get(header::ORIGIN).cloned();
    let method = request.method().clone();
    let path = route(&as_routed(request.uri().path()));
    let reply = if !plainly_spelled(request.uri().path()) {
        Err(Error::NotFound)
    } else if method == Method::OPTIONS {
        preflight()
    } else if let Err(error) = without_nul(&request) {
        Err(error)
    } else {
        handler(request).await
    };
    let mut response = match reply {
        Ok(response) => response,
        Err(error) => {
            let problem = problem(&error);
            // Some failures quote what was asked, in words of Postgres or serde.
            let words = without_addresses(&error.to_string());
            if problem.status == StatusCode::INTERNAL_SERVER_ERROR {
                tracing::error!(request.id = %request_id, error = words, "request failed");
            } else if problem.status.is_server_error() {
                tracing::error!(request.id = %request_id, error = words, "request not served");
            } else {
                tracing::info!(request.id = %request_id, problem = problem.slug, error = words, "request refused");
            }
            problem::response(web, &problem, &error, &request_id)
        }
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert("x-request-id", value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    cors(web, origin.as_ref(), headers);
    tracing::info!(
        request.id = %request_id,
        method = plain(&method),
        path,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// Refuses U+0000 in the address. No text of ours holds one, and Postgres takes none: it would say so too late and as if it
/// were our failure. `%2500`, an escaped percent sign and two zeros, does not hold `%00`.
fn without_nul(request: &Request) -> Result<(), Error> {
    let address = [Some(request.uri().path()), request.uri().query()];
    if address.into_iter().flatten().any(|part| part.contains("%00")) {
        return Err(Error::Malformed("U+0000 stands in no address here".into()));
    }
    Ok(())
}

/// A route has one spelling. `/%61pi/…`, `//api/…` and `/api/./…` mean the same to some and something else to others: what is before
/// the functions counts, keeps and routes by the path, so they answer to no other. What must be encoded ("é") may be.
fn plainly_spelled(path: &str) -> bool {
    let needless = |code: &str| {
        let byte = code.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        byte.is_none_or(|byte| byte.is_ascii_alphanumeric() || b"-._~/\\%".contains(&byte))
    };
    !path.contains("//")
        && !path.split('/').any(|segment| segment == "." || segment == "..")
        && !path.split('%').skip(1).any(needless)
}

/// The path without ids, so that logs group and carry nothing that opens a booking's page.
pub fn route(path: &str) -> String {
    path.split('/')
        .map(|segment| if uuid::Uuid::try_parse(segment).is_ok() { "{id}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// The method, as far as HTTP itself has it: it is a word that a client may choose.
fn plain(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE | Method::OPTIONS | Method::PATCH => {
            method.as_str()
        }
        _ => "…",
    }
}

/// The path as far as the table of routes knows its words, and `…` for any other: somebody may write an address or a name
/// there, and what no route takes is not worth knowing.
fn as_routed(path: &str) -> String {
    const ROUTES: &str = include_str!("../../infra/routes.json");
    // More than any route has.
    const DEEPEST: usize = 12;
    let known = |segment: &str| {
        segment.is_empty()
            || uuid::Uuid::try_parse(segment).is_ok()
            || ROUTES.split(['/', '"']).any(|word| word == segment)
    };
    let segments = path.split('/').take(DEEPEST);
    segments.map(|segment| if known(segment) { segment } else { "…" }).collect::<Vec<_>>().join("/")
}

fn request_id(request: &Request) -> String {
    request
        .lambda_context_ref()
        .map(|context| context.request_id.clone())
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
}

fn preflight() -> Reply {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type, idempotency-key, x-proof, x-amz-content-sha256, authorization"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    Ok(response)
}

/// An origin is allowed by exact equality or not at all; the site itself needs no CORS.
fn cors(web: &Web, origin: Option<&HeaderValue>, headers: &mut ::http::HeaderMap) {
    if web.cors_origins.is_empty() {
        return;
    }
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) =
        origin.filter(|origin| web.cors_origins.iter().any(|ours| ours.as_bytes() == origin.as_bytes()))
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-request-id, retry-after"));
    }
}

/// Answers `value` as JSON.
///
/// # Errors
/// It cannot be serialised, which is a mistake of ours.
pub fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    let body = serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::Text(body))
        .map_err(|error| Error::Internal(error.to_string()))
}

/// What follows `prefix` in the path, segment by segment: what a function's table of routes is written with.
///
/// # Errors
/// The path is another one ([`Error::NotFound`]): a word too many is another address.
pub fn segments<'a>(request: &'a Request, prefix: &str) -> Result<Vec<&'a str>, Error> {
    let rest = request.uri().path().trim_end_matches('/').strip_prefix(prefix).ok_or(Error::NotFound)?;
    match rest.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').collect()),
        None if rest.is_empty() => Ok(Vec::new()),
        None => Err(Error::NotFound),
    }
}

/// An empty answer: 204.
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

#[cfg(test)]
mod tests;
