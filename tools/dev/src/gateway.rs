//! The HTTP front: what CloudFront, its access control and the function URLs do in production, on one loopback origin.
//!
//! It turns requests into events and answers into responses. It decides nothing about bookings.

mod answer;
mod cookies;
mod event;
mod options;
mod refusals;
mod site;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, StatusCode, Version};
use ring::digest::{SHA256, digest};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tracing::{error, warn};

use self::answer::response;
use self::event::{Passing, event};
use self::refusals::{aws_error, bad_gateway, problem, signature_mismatch};
use self::site::preferred;
use crate::aws;
use crate::host::{Host, InvokeError, PAYLOAD_LIMIT};
use crate::machine::hex;

pub use self::options::{HandedOn, Options, Pictures, ResponseHeaders, Route, Share};
pub(crate) use self::site::page;

const BODY_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

struct Front {
    options: Options,
    host: Host,
}

/// The front as a router; serve it with [`ConnectInfo`] of the peer's address.
pub fn router(mut options: Options, host: Host) -> Router {
    // As Terraform fills it in.
    let uploads = options.pictures.as_ref().map(|pictures| pictures.origin.clone()).unwrap_or_default();
    for value in options.headers.site.values_mut().chain(options.headers.api.values_mut()) {
        *value = value.replace("{uploads}", &uploads);
    }
    // CloudFront leaves small files as they are.
    let compression = CompressionLayer::new().compress_when(SizeAbove::new(1_000).and(is_page_or_asset));
    Router::new().fallback(front).with_state(Arc::new(Front { options, host })).layer(compression)
}

/// What CloudFront compresses: texts of the site. It does so only where it may cache, so never the API's JSON.
fn is_page_or_asset(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || kind.starts_with("image/svg+xml") || kind.starts_with("application/manifest+json")
}

async fn front(
    State(front): State<Arc<Front>>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    request: Request,
) -> Response {
    let peer = peer.map_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)), |peer| peer.0.0);
    let path = request.uri().path().to_owned();
    let api = path.starts_with("/api/") || path == "/api";
    let mut response = match front.find(request.method(), &path) {
        Found::Function(name) => front.call(name, peer, request).await,
        Found::OtherMethods(allowed) => {
            let headers = [(header::ALLOW, allowed)];
            (headers, problem(StatusCode::METHOD_NOT_ALLOWED)).into_response()
        }
        Found::Nothing if api => problem(StatusCode::NOT_FOUND),
        Found::Nothing if path.starts_with("/images/") => front.picture(request.method(), &path).await,
        Found::Nothing => {
            let english = preferred(request.uri(), request.headers()) == Some("en");
            site::file(&front.options.site, request.method(), &path, english).await
        }
    };
    let added = if api { &front.options.headers.api } else { &front.options.headers.site };
    for (name, value) in added {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

enum Found<'a> {
    Function(&'a str),
    OtherMethods(String),
    Nothing,
}

impl Front {
    fn find(&self, method: &Method, path: &str) -> Found<'_> {
        let mut fitting: Vec<_> = self.options.routes.iter().filter(|route| fits(&route.path, path)).collect();
        fitting.sort_by_key(|route| route.path.matches('{').count());
        let head_as_get = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(route) = fitting.iter().find(|route| route.method == head_as_get.as_str()) {
            return Found::Function(&route.function);
        }
        match fitting.first() {
            // The function itself answers a preflight, as it does in production.
            Some(route) if method == Method::OPTIONS => Found::Function(&route.function),
            Some(_) => Found::OtherMethods(allowed(&fitting)),
            None => Found::Nothing,
        }
    }

    async fn call(&self, function: &str, peer: SocketAddr, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, PAYLOAD_LIMIT).await else {
            return aws_error(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", "Request Too Long");
        };
        let public = parts.uri.path().starts_with("/api/webhooks/");
        let on = &self.options.handed_on;
        let passing = (!public).then(|| Passing { on, shared: on.shared.iter().any(|name| name == function) });
        if passing.is_some()
            && let Some(refusal) = refused_by_access_control(&parts, &body)
        {
            return refusal;
        }
        let event = event(&parts, &body, peer, &self.options.domain, passing.as_ref());
        match self.host.invoke(function, event).await {
            Ok(answer) => response(&answer, cookies::drops_secure(&parts.headers)).unwrap_or_else(|why| {
                error!(function, why, "its answer is no HTTP response");
                bad_gateway()
            }),
            Err(InvokeError::Throttled) => {
                aws_error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.")
            }
            Err(why) => {
                error!(function, %why, "the invocation failed");
                bad_gateway()
            }
        }
    }

    /// A size of an uploaded picture, with the headers that it was stored with. Nothing else of the bucket is shown.
    async fn picture(&self, method: &Method, path: &str) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return ([(header::ALLOW, "GET, HEAD")], problem(StatusCode::METHOD_NOT_ALLOWED)).into_response();
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/.-".contains(&byte);
        let Some(pictures) = self.options.pictures.as_ref().filter(|_| path.bytes().all(plain) && !path.contains(".."))
        else {
            return problem(StatusCode::NOT_FOUND);
        };
        let found = match aws::fetch(&format!("{}{path}", pictures.address)).await {
            Ok(found) if found.status().is_success() => found,
            // What is missing is forbidden to who may not list, and no page.
            Ok(_) => return problem(StatusCode::NOT_FOUND),
            Err(error) => {
                error!(%error, "the bucket does not answer");
                return bad_gateway();
            }
        };
        let kept = [header::CONTENT_TYPE, header::CACHE_CONTROL, header::ETAG];
        let headers: HeaderMap =
            kept.into_iter().filter_map(|name| found.headers().get(&name).map(|value| (name, value.clone()))).collect();
        match found.bytes().await {
            Ok(content) => (headers, content).into_response(),
            Err(_) => bad_gateway(),
        }
    }
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

fn allowed(fitting: &[&Route]) -> String {
    let mut methods: Vec<&str> = fitting.iter().map(|route| route.method.as_str()).collect();
    methods.dedup();
    methods.join(", ")
}

/// What CloudFront's origin access control refuses: a body whose hash the browser did not sign for.
fn refused_by_access_control(parts: &Parts, body: &Bytes) -> Option<Response> {
    if ![Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&parts.method) || body.is_empty() {
        return None;
    }
    let said = parts.headers.get(BODY_HASH).map(|hash| hash.as_bytes().to_ascii_lowercase());
    let path = parts.uri.path();
    match said {
        Some(said) if said == hex(digest(&SHA256, body).as_ref()).as_bytes() => None,
        Some(_) => {
            warn!(path, "x-amz-content-sha256 is not the hash of the body: CloudFront would refuse this, so do we");
            Some(signature_mismatch())
        }
        None if parts.headers.contains_key("sec-fetch-site") => {
            warn!(path, "a browser sent a body without x-amz-content-sha256: CloudFront would refuse this, so do we");
            Some(signature_mismatch())
        }
        None => {
            warn!(path, "no x-amz-content-sha256: let through for scripts, refused in production");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_segment_is_preferred_to_a_varying_one() {
        assert!(fits("/api/bookings/{id}", "/api/bookings/1"));
        assert!(!fits("/api/bookings/{id}", "/api/bookings/"));
        assert!(!fits("/api/bookings/{id}", "/api/bookings/1/2"));
        assert!(!fits("/api/bookings/{id}", "/api/booking/1"));
    }
}
