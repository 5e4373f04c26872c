//! Refusals in the words of Supabase Auth and of the gateway before it.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: u16,
    body: Value,
}

impl ApiError {
    fn new(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: json!({ "code": status, "error_code": code, "msg": message }) }
    }

    pub(super) fn bad_request(code: &str, message: &str) -> Self {
        Self::new(400, code, message)
    }

    pub(super) fn validation_failed(message: &str) -> Self {
        Self::new(400, "validation_failed", message)
    }

    pub(super) fn invalid_credentials() -> Self {
        Self::new(400, "invalid_credentials", "Invalid login credentials")
    }

    pub(super) fn user_already_exists() -> Self {
        Self::new(422, "user_already_exists", "User already registered")
    }

    pub(super) fn signup_disabled() -> Self {
        Self::new(422, "signup_disabled", "Signups not allowed for this instance")
    }

    pub(super) fn otp_disabled() -> Self {
        Self::new(422, "otp_disabled", "Signups not allowed for otp")
    }

    pub(super) fn address_not_authorized(email: &str) -> Self {
        let message = format!("Email address \"{email}\" cannot be used as it is not authorized");
        Self::new(400, "email_address_not_authorized", &message)
    }

    pub(super) fn weak_password() -> Self {
        let mut this = Self::new(422, "weak_password", "Password should be at least 8 characters.");
        this.body["weak_password"] = json!({ "reasons": ["length"] });
        this
    }

    pub(super) fn otp_expired() -> Self {
        Self::new(403, "otp_expired", "Email link is invalid or has expired")
    }

    pub(super) fn mail_too_soon(seconds: i64) -> Self {
        let message = format!("For security purposes, you can only request this after {seconds} seconds.");
        Self::new(429, "over_email_send_rate_limit", &message)
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "over_request_rate_limit", "Request rate limit reached")
    }

    pub(super) fn no_authorization() -> Self {
        Self::new(401, "no_authorization", "This endpoint requires a valid Bearer token")
    }

    pub(super) fn bad_jwt() -> Self {
        Self::new(403, "bad_jwt", "invalid JWT: unable to parse or verify signature")
    }

    pub(super) fn session_not_found() -> Self {
        Self::new(403, "session_not_found", "Session from session_id claim in JWT does not exist")
    }

    pub(super) fn unexpected() -> Self {
        Self::new(500, "unexpected_failure", "Unexpected failure, please check server logs for more information")
    }

    pub(super) fn unavailable() -> Self {
        Self { status: 503, body: json!({ "message": "name resolution failed" }) }
    }

    /// The gateway knows no such path.
    pub(super) fn no_route() -> Self {
        Self { status: 404, body: json!({ "message": "no Route matched with those values" }) }
    }

    /// The gateway wants a key before anything reaches Auth.
    pub(super) fn no_api_key() -> Self {
        let hint = "No `apikey` request header or url param was found.";
        Self { status: 401, body: json!({ "message": "No API key found in request", "hint": hint }) }
    }

    pub(super) fn wrong_api_key() -> Self {
        let hint = "Double check your Supabase `anon` or `service_role` API key.";
        Self { status: 401, body: json!({ "message": "Invalid API key", "hint": hint }) }
    }
}

impl ApiError {
    /// A secret key in a browser has leaked.
    pub(super) fn secret_key_in_a_browser() -> Self {
        Self { status: 401, body: json!({ "message": "Forbidden use of secret API key in browser" }) }
    }

    /// The real one does not look at it then; here it is a mistake of ours.
    pub(super) fn forwarded_without_a_secret_key() -> Self {
        let message = "Sb-Forwarded-For is believed beside a secret key only";
        Self { status: 400, body: json!({ "message": message }) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.body)).into_response()
    }
}
