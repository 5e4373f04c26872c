//! Requests in the very payloads that Lambda hands over, and answers as the runtime would send them.
//! Nothing here knows a function: each is given as a closure.

use std::future::Future;

use ::http::HeaderMap;
use base64::Engine as _;
use dev::stripe as stripe_stand_in;
use jiff::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use shared::domain::ids::JobId;
use shared::http::{self, Reply, Web};

/// The address that AWS saw the client at, unless a test changes it.
const CLIENT: &str = "198.51.100.7";

/// A GET request as a function URL passes it on.
///
/// # Panics
/// The URL is malformed.
pub fn get(path_and_query: &str) -> Request {
    request(Method::GET, path_and_query, &[], None)
}

/// A POST request with a JSON body.
///
/// # Panics
/// The URL is malformed.
pub fn post(path: &str, headers: &[(&str, &str)], body: &Value) -> Request {
    let headers = [&[("content-type", "application/json")], headers].concat();
    request(Method::POST, path, &headers, Some(body.to_string()))
}

/// A request through the same payload that a function URL sends: format 2.0.
///
/// The pseudo-header `:source-ip` is the address that AWS saw.
///
/// # Panics
/// The URL is malformed.
pub fn request(method: Method, path_and_query: &str, headers: &[(&str, &str)], body: Option<String>) -> Request {
    let event = event(&method, path_and_query, headers, body);
    lambda_http::request::from_str(&event.to_string()).expect("a function-URL event")
}

/// The same request when the function URL has taken its body for bytes.
///
/// # Panics
/// The URL is malformed.
pub fn in_base64(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut event = event(&method, path, headers, None);
    event["body"] = base64::engine::general_purpose::STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    lambda_http::request::from_str(&event.to_string()).expect("a function-URL event")
}

fn event(method: &Method, path_and_query: &str, headers: &[(&str, &str)], body: Option<String>) -> Value {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let source_ip = headers.iter().find(|(name, _)| *name == ":source-ip").map_or(CLIENT, |(_, value)| value);
    let headers: serde_json::Map<String, Value> = headers
        .iter()
        .filter(|(name, _)| !name.starts_with(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), Value::from(*value)))
        .collect();
    let mut parameters = serde_json::Map::new();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        // A function URL joins the values of a repeated parameter with commas.
        let joined = parameters.get(name).and_then(Value::as_str).map(|earlier| format!("{earlier},{value}"));
        parameters.insert(name.to_owned(), joined.unwrap_or_else(|| value.to_owned()).into());
    }
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "queryStringParameters": parameters,
        "requestContext": {
            "accountId": "anonymous", "apiId": "test", "domainName": "test.lambda-url.eu-west-3.on.aws",
            "domainPrefix": "test", "requestId": Uuid::now_v7(), "routeKey": "$default", "stage": "$default",
            "time": "01/Feb/2027:08:00:00 +0000", "timeEpoch": 0,
            "http": {
                "method": method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": source_ip,
                "userAgent": "test",
            },
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// A webhook of Stripe as the stand-in would send it at `now`, signed with `secret`.
///
/// # Panics
/// Never: the path is fixed.
pub fn stripe_event(payload: &str, secret: &str, now: Timestamp) -> Request {
    let signature = stripe_stand_in::sign(payload, secret, now.as_second());
    let headers = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", signature.as_str())];
    request(Method::POST, "/api/webhooks/stripe", &headers, Some(payload.to_owned()))
}

/// A batch of messages that name these jobs, as SQS hands it to Lambda. The ids are `message-0`, `message-1`, …
pub fn messages(jobs: &[JobId]) -> Value {
    let records: Vec<Value> = jobs
        .iter()
        .enumerate()
        .map(|(index, job)| {
            json!({
                "messageId": format!("message-{index}"), "body": json!({ "job_id": job }).to_string(),
                "attributes": { "ApproximateReceiveCount": "1" }, "messageAttributes": {},
                "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-3:000000000000:inkflow-jobs",
                "awsRegion": "eu-west-3",
            })
        })
        .collect();
    json!({ "Records": records })
}

/// What came back: status, headers, and the body as JSON (as a JSON string when it is something else).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// A header's value, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The stable code of a problem: the anchor of its type.
    pub fn problem(&self) -> &str {
        self.body["type"].as_str().and_then(|kind| kind.split_once('#')).map_or("", |(_, slug)| slug)
    }

    /// The pointers of the fields that a problem complains of, in order.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// Answers a request as the runtime would: errors become problems.
pub async fn ask<F, Fut>(web: &Web, request: Request, handler: F) -> Answer
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Reply>,
{
    let response = http::answer(web, request, handler).await;
    let text = String::from_utf8_lossy(response.body()).into_owned();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

/// As [`ask`], when only status and body matter.
///
/// # Panics
/// The body is not JSON.
pub async fn answer<F, Fut>(web: &Web, request: Request, handler: F) -> (u16, Value)
where
    F: FnOnce(Request) -> Fut,
    Fut: Future<Output = Reply>,
{
    let response = http::answer(web, request, handler).await;
    (response.status().as_u16(), body(&response))
}

/// The JSON of a response.
///
/// # Panics
/// It is not JSON.
pub fn body(response: &Response<Body>) -> Value {
    serde_json::from_slice(response.body()).expect("the body is JSON")
}

/// Starts a service that answers everything with this status and body. Gives its base URL.
///
/// # Panics
/// No port is free.
pub async fn answers_always(status: u16, body: &str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let answer = format!(
        "HTTP/1.1 {status} Something\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                let _ = client.read(&mut request).await;
                let _ = client.write_all(answer.as_bytes()).await;
            });
        }
    });
    url
}
