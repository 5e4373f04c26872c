//! The Invoke API, as `aws lambda invoke` and `cargo lambda invoke` call it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::Host;
use super::invoke_error::{InvokeError, PAYLOAD_LIMIT};
use crate::account;

const EXECUTED_VERSION: header::HeaderName = header::HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: header::HeaderName = header::HeaderName::from_static("x-amz-function-error");

impl Host {
    pub fn invoke_api(&self) -> Router {
        Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke_over_http))
            .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
            .with_state(self.clone())
    }
}

async fn invoke_over_http(
    State(host): State<Host>,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    // Full ARNs and qualifiers are accepted, as by the real API.
    let name = name.strip_prefix(&account::function_arn("")).unwrap_or(&name);
    let name = name.split(':').next().unwrap_or_default().to_owned();
    if host.function(&name).is_err() {
        return refused(StatusCode::NOT_FOUND, "ResourceNotFoundException", &InvokeError::UnknownFunction(name));
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        let message = format!("Could not parse request body into json: {error}");
        let document = json!({ "Type": "User", "Message": message }).to_string();
        return (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "InvalidRequestContentException")], document)
            .into_response();
    }
    match headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok()) {
        Some("DryRun") => return StatusCode::NO_CONTENT.into_response(),
        Some("Event") => {
            tokio::spawn(async move { host.invoke(&name, payload).await });
            return StatusCode::ACCEPTED.into_response();
        }
        _ => {}
    }
    let json_type = (header::CONTENT_TYPE, "application/json");
    match host.invoke(&name, payload).await {
        Ok(answer) => ([json_type, (EXECUTED_VERSION, "$LATEST")], answer).into_response(),
        Err(error @ InvokeError::Throttled) => {
            refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", &error)
        }
        Err(error @ InvokeError::Stopped) => refused(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", &error),
        Err(error) => {
            let headers = [json_type, (EXECUTED_VERSION, "$LATEST"), (FUNCTION_ERROR, "Unhandled")];
            (headers, error.document()).into_response()
        }
    }
}

fn refused(status: StatusCode, kind: &'static str, error: &InvokeError) -> Response {
    let mut document = json!({ "Type": "User", "Message": error.to_string() });
    if matches!(error, InvokeError::Throttled) {
        document["Reason"] = Value::from("ReservedFunctionConcurrentInvocationLimitExceeded");
    }
    (status, [("x-amzn-errortype", kind)], document.to_string()).into_response()
}
