//! The HTTP front: what CloudFront, its access control and the function URLs do in production, on one loopback origin.
//!
//! It turns requests into events and answers into responses. It decides nothing about bookings.

mod cookies;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, StatusCode, Version};
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{Predicate as _, SizeAbove};
use tracing::{error, warn};
use uuid::Uuid;

use crate::host::{Host, InvokeError, PAYLOAD_LIMIT};
use crate::machine::hex;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const BODY_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// One line of `infra/routes.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    /// The HTTP method.
    pub method: String,
    /// The path, with `{name}` for a segment that varies.
    pub path: String,
    /// The function that answers.
    pub function: String,
}

/// `infra/headers.json`: what the distribution adds to each response.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResponseHeaders {
    /// On pages and assets.
    pub site: BTreeMap<String, String>,
    /// On `/api/*`.
    pub api: BTreeMap<String, String>,
}

/// `infra/handed-on.json`: what the distribution hands on of a request. The rest does not arrive.
#[derive(Clone, Debug, Deserialize)]
pub struct HandedOn {
    /// The names of headers, in small letters.
    pub headers: Vec<String>,
    /// Cookies.
    pub cookies: Share,
    /// The query.
    pub queries: Share,
    /// The functions whose answers are everybody's: of a request they get a page's language and an API's origin alone.
    pub shared: Vec<String>,
}

/// How much is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Share {
    /// Everything.
    All,
    /// Nothing.
    None,
}

/// What one function gets of one request.
struct Passing<'a> {
    on: &'a HandedOn,
    shared: bool,
}

impl Passing<'_> {
    fn header(&self, name: &str, path: &str) -> bool {
        if self.shared {
            name == header::ORIGIN && path.starts_with("/api/")
        } else {
            self.on.headers.iter().any(|listed| listed == name)
        }
    }

    fn cookies(&self) -> bool {
        !self.shared && self.on.cookies == Share::All
    }

    fn queries(&self) -> bool {
        !self.shared && self.on.queries == Share::All
    }
}

/// What the gateway serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The route table.
    pub routes: Vec<Route>,
    /// The headers of every response.
    pub headers: ResponseHeaders,
    /// What a function gets of a request.
    pub handed_on: HandedOn,
    /// The folder of the static site.
    pub site: PathBuf,
    /// The host name that the functions see.
    pub domain: String,
    /// The bucket of pictures, which `/images/*` shows: its address, and its origin for the pages that upload.
    pub pictures: Option<Pictures>,
}

/// The bucket of pictures.
#[derive(Clone, Debug)]
pub struct Pictures {
    /// What a key follows after a slash.
    pub address: String,
    /// What takes the place of `{uploads}` in the content security policy.
    pub origin: String,
}

impl Options {
    /// Reads the route table and the headers of the checkout at `root`.
    pub fn of_checkout(root: &Path, domain: String) -> io::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        Ok(Self {
            routes: serde_json::from_slice(&read(&root.join("infra/routes.json"))?)?,
            headers: serde_json::from_slice(&read(&root.join("infra/headers.json"))?)?,
            handed_on: serde_json::from_slice(&read(&root.join("infra/handed-on.json"))?)?,
            site: root.join("frontend/dist"),
            domain,
            pictures: None,
        })
    }
}

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
            front.file(request.method(), &path, preferred(request.uri(), request.headers()) == Some("en")).await
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
        let found = match crate::aws::fetch(&format!("{}{path}", pictures.address)).await {
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

    /// A page of the site, in English where there is one and the reader prefers it: `infra/edge/router.js`.
    async fn file(&self, method: &Method, path: &str, english: bool) -> Response {
        if method != Method::GET && method != Method::HEAD {
            return ([(header::ALLOW, "GET, HEAD")], problem(StatusCode::METHOD_NOT_ALLOWED)).into_response();
        }
        for candidate in candidates(path) {
            if let Some(found) = self.read(&candidate, english).await {
                return page(StatusCode::OK, &candidate, found);
            }
        }
        match self.read("404.html", english).await {
            Some(content) => page(StatusCode::NOT_FOUND, "404.html", content),
            None => page(StatusCode::NOT_FOUND, "404.txt", b"404\n".to_vec()),
        }
    }

    async fn read(&self, name: &str, english: bool) -> Option<Vec<u8>> {
        let found = tokio::fs::read(self.options.site.join(name)).await.ok()?;
        let translated = self.options.site.join("en").join(name);
        Some(if english { tokio::fs::read(translated).await.unwrap_or(found) } else { found })
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

/// The payload of a function URL, version 2.0.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'a str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: HttpContext<'a>,
    request_id: String,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpContext<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'a str,
    source_ip: String,
    user_agent: &'a str,
}

/// `passing` is what CloudFront hands on; a webhook's caller does not come through it.
fn event(parts: &Parts, body: &Bytes, peer: SocketAddr, domain: &str, passing: Option<&Passing<'_>>) -> Vec<u8> {
    let now = Timestamp::now();
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    let mut crumbs = Vec::new();
    for (name, value) in &parts.headers {
        if name != header::COOKIE && passing.is_some_and(|passing| !passing.header(name.as_str(), parts.uri.path())) {
            continue;
        }
        // Only the distribution may say who the viewer is.
        if name == VIEWER_ADDRESS || name.as_str().starts_with("x-forwarded-") {
            continue;
        }
        let text = value.to_str().unwrap_or_default();
        if name == header::COOKIE {
            if passing.is_some_and(|passing| !passing.cookies()) {
                continue;
            }
            let whole = text.split(';').map(str::trim).filter(|cookie| !cookie.is_empty());
            let plain = cookies::drops_secure(&parts.headers);
            crumbs.extend(whole.map(|cookie| if plain { cookies::as_set(cookie) } else { cookie.into() }));
            continue;
        }
        headers
            .entry(name.as_str())
            .and_modify(|all| {
                all.push(',');
                all.push_str(text);
            })
            .or_insert_with(|| text.to_owned());
    }
    headers.insert("x-forwarded-for", peer.ip().to_string());
    headers.insert("x-forwarded-proto", "http".to_owned());
    headers.insert("host", domain.to_owned());
    if passing.is_some_and(|passing| passing.header(VIEWER_ADDRESS, parts.uri.path())) {
        headers.insert(VIEWER_ADDRESS, peer.to_string());
    }
    // As infra/edge/language.js leaves it.
    if passing.is_some_and(|passing| passing.shared)
        && !parts.uri.path().starts_with("/api/")
        && let Some(language) = preferred(&parts.uri, &parts.headers)
    {
        headers.insert("accept-language", language.to_owned());
    }
    let asked = parts.uri.query().filter(|_| passing.is_none_or(Passing::queries)).unwrap_or_default();
    let mut query: BTreeMap<String, String> = BTreeMap::new();
    if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        && !asked.is_empty()
    {
        for (name, value) in pairs {
            query
                .entry(name)
                .and_modify(|all| {
                    all.push(',');
                    all.push_str(&value);
                })
                .or_insert(value);
        }
    }
    let (body, is_base64_encoded) = match std::str::from_utf8(body) {
        Ok("") => (None, false),
        Ok(text) if is_text(&parts.headers) => (Some(Cow::Borrowed(text)), false),
        _ => (Some(Cow::Owned(BASE64.encode(body))), true),
    };
    let method = if parts.method == Method::HEAD { "GET" } else { parts.method.as_str() };
    let event = Event {
        version: "2.0",
        route_key: "$default",
        raw_path: parts.uri.path(),
        raw_query_string: asked,
        cookies: crumbs,
        query_string_parameters: query,
        request_context: RequestContext {
            account_id: "anonymous",
            api_id: "local",
            domain_name: domain,
            domain_prefix: domain.split('.').next().unwrap_or_default(),
            http: HttpContext {
                method,
                path: parts.uri.path(),
                protocol: "HTTP/1.1",
                source_ip: peer.ip().to_string(),
                user_agent: parts.headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default(),
            },
            request_id: Uuid::now_v7().to_string(),
            route_key: "$default",
            stage: "$default",
            time: now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            time_epoch: now.as_millisecond(),
        },
        headers,
        body,
        is_base64_encoded,
    };
    serde_json::to_vec(&event).expect("text and numbers can be written as JSON")
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("text/")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(default)]
    multi_value_headers: HashMap<String, Vec<String>>,
    #[serde(default)]
    cookies: Vec<String>,
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

fn response(answer: &[u8], drops_secure_cookies: bool) -> Result<Response, String> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let body = match answer.body {
        None => Vec::new(),
        Some(text) if answer.is_base64_encoded => BASE64.decode(text).map_err(|error| error.to_string())?,
        Some(text) => text.into_bytes(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status_code).map_err(|error| error.to_string())?;
    let headers = response.headers_mut();
    let single = answer.headers.into_iter().filter(|(name, _)| !answer.multi_value_headers.contains_key(name));
    let multiple = answer.multi_value_headers.iter();
    let all = single
        .map(|(name, value)| (name, vec![value]))
        .chain(multiple.map(|(name, values)| (name.clone(), values.clone())));
    for (name, values) in all {
        let name = HeaderName::try_from(name).map_err(|error| error.to_string())?;
        // The front frames the response itself.
        if [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION].contains(&name) {
            continue;
        }
        for value in values {
            headers.append(&name, HeaderValue::try_from(value).map_err(|error| error.to_string())?);
        }
    }
    for cookie in answer.cookies {
        let cookie = if drops_secure_cookies { cookies::plain(&cookie) } else { cookie };
        headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).map_err(|error| error.to_string())?);
    }
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Ok(id) = HeaderValue::try_from(Uuid::now_v7().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    Ok(response)
}

fn problem(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() }).to_string();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

fn aws_error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = json!({ "Message": message }).to_string();
    (status, [(ERROR_TYPE, kind), (header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn bad_gateway() -> Response {
    aws_error(StatusCode::BAD_GATEWAY, "InternalServerErrorException", "Internal Server Error")
}

fn signature_mismatch() -> Response {
    let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                   Access Key and signing method. Consult the service documentation for details.";
    aws_error(StatusCode::FORBIDDEN, "InvalidSignatureException", message)
}

/// What `infra/edge/preferred.js` finds.
fn preferred(uri: &http::Uri, headers: &HeaderMap) -> Option<&'static str> {
    let known = |tag: &str| {
        let tag = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
        ["fr", "en"].into_iter().find(|known| *known == tag)
    };
    let asked = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("lang="));
    if let Some(asked) = asked.and_then(known) {
        return Some(asked);
    }
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let (mut best, mut most) = (None, 0.0);
    for range in header.unwrap_or_default().split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let quality = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse().ok()).unwrap_or(1.0_f32);
        if let Some(language) = known(tag)
            && quality > most
        {
            (best, most) = (Some(language), quality);
        }
    }
    best
}

/// The files that a path of the site may mean, best first; none for a path that leaves the folder.
fn candidates(path: &str) -> Vec<String> {
    let Some(path) = percent_decoded(path) else { return Vec::new() };
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.iter().any(|segment| segment.starts_with('.') || segment.contains(['\\', '\0'])) {
        return Vec::new();
    }
    let path = segments.join("/");
    if path.is_empty() {
        return vec!["index.html".to_owned()];
    }
    vec![path.clone(), format!("{path}.html"), format!("{path}/index.html")]
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok())?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A file as a response; nothing is cached, so that a reload shows the last edit.
pub(crate) fn page(status: StatusCode, name: &str, content: Vec<u8>) -> Response {
    let kind = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    (status, [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn event_of(request: http::request::Builder, body: &'static [u8]) -> Value {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let on = handed_on(Share::All);
        let passing = Passing { on: &on, shared: false };
        serde_json::from_slice(&event(&parts, &Bytes::from_static(body), peer, "inkflow.localhost", Some(&passing)))
            .expect("JSON")
    }

    fn handed_on(share: Share) -> HandedOn {
        let headers = ["content-type", "x-twice", VIEWER_ADDRESS].map(str::to_owned).to_vec();
        HandedOn { headers, cookies: share, queries: share, shared: vec!["page".to_owned()] }
    }

    #[test]
    fn what_the_distribution_does_not_hand_on_does_not_arrive() {
        let request = || {
            let asked = http::Request::get("/artist/lea?lang=en&x=1").header("Cookie", "a=1").header("X-Proof", "1");
            let asked =
                asked.header("Content-Type", "text/plain").header("Accept-Language", "fr").header("Origin", "o");
            asked.body(()).expect("a request").into_parts().0
        };
        let peer = SocketAddr::from(([127, 0, 0, 1], 50_000));
        let seen = |share: Share, shared: bool| -> Value {
            let on = handed_on(share);
            let passing = Passing { on: &on, shared };
            serde_json::from_slice(&event(&request(), &Bytes::new(), peer, "own.host", Some(&passing))).expect("JSON")
        };
        let all = seen(Share::All, false);
        assert_eq!((&all["cookies"], &all["rawQueryString"]), (&json!(["a=1"]), &json!("lang=en&x=1")));
        assert_eq!((&all["headers"]["x-proof"], &all["headers"]["host"]), (&Value::Null, &json!("own.host")));
        assert_eq!(all["headers"]["content-type"], "text/plain");
        let none = seen(Share::None, false);
        assert_eq!((&none["cookies"], &none["rawQueryString"]), (&Value::Null, &json!("")));
        assert_eq!(none["queryStringParameters"], Value::Null);
        let page = seen(Share::All, true);
        assert_eq!((&page["cookies"], &page["rawQueryString"]), (&Value::Null, &json!("")));
        assert_eq!((&page["headers"]["accept-language"], &page["headers"]["origin"]), (&json!("en"), &Value::Null));
        assert_eq!(page["headers"][VIEWER_ADDRESS], Value::Null);
    }

    #[test]
    fn a_request_becomes_the_event_of_a_function_url() {
        let request = http::Request::post("/api/a%20b?x=1&y=%C3%A9&x=2")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("Cookie", "a=1; b=2")
            .header("X-Twice", "one")
            .header("X-Twice", "two")
            .header("User-Agent", "test/1")
            .header("Authorization", "Bearer mine")
            .header("CloudFront-Viewer-Address", "203.0.113.9:1");
        let event = event_of(request, "{\"é\":1}".as_bytes());
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "$default");
        assert_eq!(event["rawPath"], "/api/a%20b");
        assert_eq!(event["rawQueryString"], "x=1&y=%C3%A9&x=2");
        assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "é" }));
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(event["headers"]["x-twice"], "one,two");
        assert_eq!(event["headers"]["cookie"], Value::Null);
        assert_eq!(event["headers"]["authorization"], Value::Null);
        assert_eq!(event["headers"]["cloudfront-viewer-address"], "127.0.0.1:50000");
        assert_eq!(event["body"], "{\"é\":1}");
        assert_eq!(event["isBase64Encoded"], false);
        let http = &event["requestContext"]["http"];
        assert_eq!(http["method"], "POST");
        assert_eq!(http["sourceIp"], "127.0.0.1");
        assert_eq!(http["userAgent"], "test/1");
        assert_eq!(event["requestContext"]["domainName"], "inkflow.localhost");
        assert!(event["requestContext"]["timeEpoch"].is_i64());
    }

    #[test]
    fn what_is_not_text_travels_in_base64() {
        let form = http::Request::post("/x").header("content-type", "application/x-www-form-urlencoded");
        let event = event_of(form, b"a=1");
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YT0x"), &json!(true)));
        let broken = http::Request::post("/x").header("content-type", "text/plain");
        assert_eq!(event_of(broken, b"\xff\xfe")["isBase64Encoded"], true);
        let empty = event_of(http::Request::get("/x"), b"");
        assert_eq!((&empty["body"], &empty["isBase64Encoded"]), (&Value::Null, &json!(false)));
    }

    #[test]
    fn an_answer_becomes_a_response_with_every_cookie() {
        let answer = json!({
            "statusCode": 201, "headers": { "content-type": "text/plain", "content-length": "999" },
            "multiValueHeaders": { "vary": ["a", "b"] }, "cookies": ["a=1; Path=/", "b=2"],
            "body": "aMOp", "isBase64Encoded": true,
        });
        let response = response(answer.to_string().as_bytes(), false).expect("a response");
        assert_eq!(response.status(), StatusCode::CREATED);
        let all = |name: &str| response.headers().get_all(name).iter().cloned().collect::<Vec<_>>();
        assert_eq!(all("set-cookie"), ["a=1; Path=/", "b=2"]);
        assert_eq!(all("vary"), ["a", "b"]);
        assert!(all("content-length").is_empty());
    }

    #[test]
    fn a_literal_segment_is_preferred_to_a_varying_one() {
        assert!(fits("/api/bookings/{id}", "/api/bookings/1"));
        assert!(!fits("/api/bookings/{id}", "/api/bookings/"));
        assert!(!fits("/api/bookings/{id}", "/api/bookings/1/2"));
        assert!(!fits("/api/bookings/{id}", "/api/booking/1"));
    }

    #[test]
    fn a_path_of_the_site_never_leaves_its_folder() {
        assert_eq!(candidates("/"), ["index.html"]);
        assert_eq!(
            candidates("/booking/success"),
            ["booking/success", "booking/success.html", "booking/success/index.html"]
        );
        for path in ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/a/..%2f..%2fCargo.toml", "/.env", "/%", "/a%00b"] {
            assert!(candidates(path).is_empty(), "{path}");
        }
    }
}
