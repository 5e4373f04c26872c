//! A request as the event of a function URL, with what the distribution hands on of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::Query;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header;
use http::request::Parts;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::cookies;
use super::options::{HandedOn, Share};
use super::site::preferred;

const VIEWER_ADDRESS: &str = "cloudfront-viewer-address";

/// What one function gets of one request.
pub(super) struct Passing<'a> {
    pub(super) on: &'a HandedOn,
    pub(super) shared: bool,
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
pub(super) fn event(
    parts: &Parts,
    body: &Bytes,
    peer: SocketAddr,
    domain: &str,
    passing: Option<&Passing<'_>>,
) -> Vec<u8> {
    let now = Timestamp::now();
    let (headers, crumbs) = headers(parts, peer, domain, passing);
    let asked = parts.uri.query().filter(|_| passing.is_none_or(Passing::queries)).unwrap_or_default();
    let query = query(parts, asked);
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

/// The headers that arrive, and the cookies apart from them.
fn headers<'a>(
    parts: &'a Parts,
    peer: SocketAddr,
    domain: &str,
    passing: Option<&Passing<'_>>,
) -> (BTreeMap<&'a str, String>, Vec<Cow<'a, str>>) {
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
        joined(&mut headers, name.as_str(), text);
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
    (headers, crumbs)
}

fn query(parts: &Parts, asked: &str) -> BTreeMap<String, String> {
    let mut query: BTreeMap<String, String> = BTreeMap::new();
    if let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        && !asked.is_empty()
    {
        for (name, value) in pairs {
            joined(&mut query, name, &value);
        }
    }
    query
}

/// What comes twice under one name is one value to a function.
fn joined<Name: Ord>(all: &mut BTreeMap<Name, String>, name: Name, value: &str) {
    all.entry(name)
        .and_modify(|before| {
            before.push(',');
            before.push_str(value);
        })
        .or_insert_with(|| value.to_owned());
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("text/")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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
}
