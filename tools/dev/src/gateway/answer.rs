//! A function's answer as an HTTP response.

use std::collections::HashMap;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use serde::Deserialize;
use uuid::Uuid;

use super::cookies;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

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

/// The response; the words say why an answer is none.
pub(super) fn response(answer: &[u8], drops_secure_cookies: bool) -> Result<Response, String> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
}
