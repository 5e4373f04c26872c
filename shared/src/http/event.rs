//! What a function URL hands over becomes a request, and an answer what it takes back.
//!
//! `lambda_http` does the same, and panics on what is no URI; its caller then reads a bare 502, and the operator a crash
//! that any visitor can bring about. Here it is refused, as everything else that cannot be read.

use ::http::header::{self, HeaderValue};
use ::http::uri::PathAndQuery;
use ::http::{HeaderMap, Uri};
use base64::Engine as _;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::error::Error;

/// What stands in no path as it is. The platform may have decoded it.
const NOT_IN_A_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// Reads the payload of a function URL (format 2.0).
///
/// # Errors
/// [`Error::Malformed`]: no HTTP request can look like this, or not one of ours.
pub(super) fn read(payload: &str) -> Result<Request, Error> {
    let refuse = |what: &str| Error::Malformed(format!("the {what} cannot be read"));
    let event: ApiGatewayV2httpRequest =
        serde_json::from_str(payload).map_err(|_| refuse("method or a header of the request"))?;
    let path = event.raw_path.unwrap_or_default();
    let query = event.raw_query_string.unwrap_or_default();
    let uri = uri(&path, &query).ok_or_else(|| refuse("address"))?;
    let body = match event.body {
        None => Body::Empty,
        Some(text) if event.is_base64_encoded => {
            Body::Binary(base64::prelude::BASE64_STANDARD.decode(text).map_err(|_| refuse("body"))?)
        }
        Some(text) => Body::Text(text),
    };

    let mut request = Request::new(body);
    *request.method_mut() = event.request_context.http.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = with_cookies(event.headers, event.cookies.as_deref().unwrap_or_default());
    // `queryStringParameters` joins what is repeated by commas, which a value may hold too.
    let parameters = query.parse::<QueryMap>().unwrap_or_default();
    Ok(request
        .with_raw_http_path(path)
        .with_query_string_parameters(parameters)
        .with_request_context(RequestContext::ApiGatewayV2(event.request_context)))
}

fn uri(path: &str, query: &str) -> Option<Uri> {
    let path = utf8_percent_encode(path, NOT_IN_A_PATH).to_string();
    if !path.starts_with('/') || query.contains('#') {
        return None;
    }
    let whole = if query.is_empty() { path } else { format!("{path}?{query}") };
    whole.parse::<PathAndQuery>().ok().map(Uri::from)
}

/// Each cookie on a line of its own, so that an odd one, which some other page of the domain may have set, takes none
/// of ours with it.
fn with_cookies(mut headers: HeaderMap, cookies: &[String]) -> HeaderMap {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            headers.append(header::COOKIE, value);
        }
    }
    headers
}

/// The answer as a function URL takes it.
pub(super) fn written(response: Response<Body>) -> ApiGatewayV2httpResponse {
    let (parts, body) = response.into_parts();
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = parts.headers;
    // They have a field of their own; in one header line they could not be told apart.
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    answer.cookies = cookies.map(str::to_owned).collect();
    answer.headers.remove(header::SET_COOKIE);
    answer.is_base64_encoded = matches!(body, Body::Binary(_));
    answer.body = if matches!(body, Body::Empty) { None } else { Some(body) };
    answer
}

#[cfg(test)]
mod tests {
    use ::http::Method;
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str) -> Value {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "cookies": ["a=1", "b=2"], "headers": { "host": "f.lambda-url.eu-west-3.on.aws", "x-a": "1" },
            "requestContext": { "http": { "method": "POST", "path": path, "sourceIp": "198.51.100.7" } },
            "body": "{}", "isBase64Encoded": false,
        })
    }

    fn readable(event: &Value) -> Request {
        read(&event.to_string()).unwrap_or_else(|error| panic!("{event}: {error}"))
    }

    #[test]
    fn a_request_is_read_as_lambda_http_reads_it() {
        for (path, query) in [
            ("/api/calendar/slots", "artist=lea&days=7&days=8&x=a+b%20c&y=%C3%A9&z"),
            ("/api/bookings/019aa000-0000-7000-8000-0000000000b0", ""),
            ("/artist/a%20b", "lang=fr"),
            ("/artist/a b", "lang"),
            ("/artist/é", "q=é"),
            ("/", "a={}|[]^`\\'"),
        ] {
            let event = event(path, query);
            let ours = readable(&event);
            let theirs = lambda_http::request::from_str(&event.to_string()).expect("a request");
            assert_eq!(ours.method(), Method::POST);
            assert_eq!(ours.method(), theirs.method());
            assert_eq!(ours.uri().query(), theirs.uri().query(), "{path}?{query}");
            assert_eq!(ours.query_string_parameters(), theirs.query_string_parameters(), "{path}?{query}");
            assert_eq!(ours.headers().get("x-a"), theirs.headers().get("x-a"));
            assert_eq!(ours.body().as_ref(), theirs.body().as_ref());
            assert_eq!(ours.raw_http_path(), theirs.raw_http_path());
            if path.is_ascii() {
                assert_eq!(ours.uri().path(), theirs.uri().path());
            }
            let Some(RequestContext::ApiGatewayV2(context)) = ours.request_context_ref().cloned() else {
                panic!("a context of a function URL");
            };
            assert_eq!(context.http.source_ip.as_deref(), Some("198.51.100.7"));
        }
    }

    #[test]
    fn what_is_no_request_is_refused_and_nothing_panics() {
        let of = |change: &dyn Fn(&mut Value)| {
            let mut event = event("/api/session", "");
            change(&mut event);
            event
        };
        let mut events = vec![
            json!({}),
            json!([]),
            json!("x"),
            of(&|event| event["headers"]["x-a"] = "a\nb".into()),
            of(&|event| event["headers"]["x-a"] = "a\u{0}".into()),
            of(&|event| event["headers"]["a b"] = "x".into()),
            of(&|event| event["headers"][""] = "x".into()),
            of(&|event| event["requestContext"]["http"]["method"] = "G ET".into()),
            of(&|event| {
                event["body"] = "no base64".into();
                event["isBase64Encoded"] = true.into();
            }),
            of(&|event| event["rawPath"] = "".into()),
            of(&|event| event["rawPath"] = "api/session".into()),
        ];
        events.extend(["\"", "<", ">", " ", "#", "\u{0}", "\n", "\u{7f}"].map(|odd| event("/", &format!("x={odd}"))));
        for event in events {
            assert!(matches!(read(&event.to_string()), Err(Error::Malformed(_))), "{event}");
        }
        // What `lambda_http` takes for part of its own address, or panics on, is somebody's text to us.
        for host in ["", "a b", "[", "x:99999", "\u{e9}"] {
            readable(&of(&|event| event["headers"]["host"] = host.into()));
        }
        assert_eq!(readable(&event("/a?b#c\n", "")).uri().path(), "/a%3Fb%23c%0A");
    }

    #[test]
    fn an_odd_cookie_takes_no_other_with_it() {
        let mut event = event("/", "");
        event["cookies"] = json!(["a=1", "odd=\u{e9}", "worse=\n", "b=2"]);
        let request = readable(&event);
        let cookie = |name| crate::http::cookie(request.headers(), name);
        assert_eq!((cookie("a"), cookie("b"), cookie("odd")), (Some("1"), Some("2"), None));
    }

    #[test]
    fn an_answer_is_written_as_a_function_url_takes_it() {
        let answer = |body| {
            let response = Response::builder().status(201).header("x-a", "1").header("set-cookie", "a=1; Secure");
            let response = response.header("set-cookie", "b=2").body(body).expect("a response");
            serde_json::to_value(written(response)).expect("JSON")
        };
        let text = answer(Body::Text("hé".into()));
        assert_eq!((&text["statusCode"], &text["headers"]), (&json!(201), &json!({ "x-a": "1" })));
        assert_eq!(text["cookies"], json!(["a=1; Secure", "b=2"]));
        assert_eq!((&text["body"], &text["isBase64Encoded"]), (&json!("hé"), &json!(false)));
        let bytes = answer(Body::Binary(vec![255]));
        assert_eq!((&bytes["body"], &bytes["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
        assert!(answer(Body::Empty)["body"].is_null());
    }
}
