//! What is answered when no function answers, in the words of CloudFront and of the function URLs.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderName};
use serde_json::json;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

pub(super) fn problem(status: StatusCode) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({ "type": "about:blank", "title": title, "status": status.as_u16() }).to_string();
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
}

pub(super) fn aws_error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    let body = json!({ "Message": message }).to_string();
    (status, [(ERROR_TYPE, kind), (header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) fn bad_gateway() -> Response {
    aws_error(StatusCode::BAD_GATEWAY, "InternalServerErrorException", "Internal Server Error")
}

pub(super) fn signature_mismatch() -> Response {
    let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                   Access Key and signing method. Consult the service documentation for details.";
    aws_error(StatusCode::FORBIDDEN, "InvalidSignatureException", message)
}
