//! Cal.com's error bodies: the usual envelope, and the bare one that escapes its filters.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::time::millis;

/// A refusal in Cal.com's words.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    code: &'static str,
    pub(super) message: String,
    /// Thrown past the filters: `{statusCode, message}` at top level.
    bare: bool,
}

impl ApiError {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), bare: false }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    /// A refusal of the older code below the API, which has its own error class.
    pub(super) fn bare(status: u16, message: impl Into<String>) -> Self {
        Self { bare: true, ..Self::new(status, "HttpError", message) }
    }

    pub(super) fn rpc(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(status, code, message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "UnauthorizedException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NotFoundException", message)
    }

    pub(super) fn no_route(method: &str, target: &str) -> Self {
        Self::not_found(format!("Cannot {method} {target}"))
    }

    pub(super) fn conflict() -> Self {
        Self::new(409, "CONFLICT", "Invalid Input: Trying to create a record that already exists.")
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "ThrottlerException", "CustomThrottlerGuard - Too many requests. Please try again later.")
    }

    pub(super) fn internal() -> Self {
        Self::new(500, "INTERNAL_SERVER_ERROR", "There was an error, please try again later.")
    }

    pub(super) fn unavailable() -> Self {
        Self::new(503, "ServiceUnavailableException", "Service Unavailable")
    }

    pub(super) fn taken() -> Self {
        Self::bad_request("User either already has booking at this time or is not available")
    }

    pub(super) fn in_the_past() -> Self {
        Self::bad_request("Attempting to book a meeting in the past.")
    }

    pub(super) fn out_of_bounds() -> Self {
        Self::bad_request(
            "The event type can't be booked at the \"start\" time provided. This could be because it's too soon \
             (violating the minimum booking notice) or too far in the future (outside the event's scheduling window). \
             Try fetching available slots first using the GET /v2/slots endpoint and then make a booking with \"start\" \
             time equal to one of the available slots: https://cal.com/docs/api-reference/v2/slots",
        )
    }

    pub(super) fn respond(&self, target: &str, now: Timestamp, all_bare: bool) -> Response {
        let body: Value = if self.bare || all_bare {
            json!({"statusCode": self.status, "message": self.message})
        } else {
            json!({
                "status": "error",
                "timestamp": millis(now),
                "path": target,
                "error": {"code": self.code, "message": self.message},
            })
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, axum::Json(body)).into_response()
    }
}
