//! What can go wrong with Cal.com, read from its answers.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::redact::without_addresses;

/// What to wait for when Cal.com limits us and does not say how long.
const RATE_LIMIT_WINDOW: Duration = Duration::from_secs(60);

/// A field that Cal.com does not take as it was sent; the booking may go without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalField {
    /// The event type does not offer this length.
    Length,
    /// The number is not one that Cal.com knows.
    Phone,
}

/// Why Cal.com did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalcomError {
    /// The artist is not free at this time.
    #[error("the time is taken")]
    Taken,
    /// Too soon, too far ahead, or in the past.
    #[error("the time is outside what the event type allows")]
    Outside,
    /// Another booking of the same time came in between.
    #[error("another booking was written at the same moment")]
    Conflict,
    /// The event type forbids to call bookings off, for its host as well.
    #[error("the event type does not allow cancellations")]
    CancellingDisabled,
    /// One field stands in the way.
    #[error("the field {0:?} is refused")]
    FieldRefused(CalField),
    /// No such booking or event type.
    #[error("there is no such booking or event type")]
    NotFound,
    /// The key is wrong, or not for this.
    #[error("the API key is refused")]
    Unauthorised,
    #[error("too many calls")]
    RateLimited { retry_after: Duration },
    /// It timed out, broke off or answered with a fault of its own. What was asked may have been done.
    #[error("Cal.com does not answer: {0}")]
    Unavailable(String),
    #[error("Cal.com answered {status} {code}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// Cal.com's code and words, without addresses.
        code: String,
    },
}

pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    without_addresses(&text)
}

pub(super) fn unreadable(what: &str) -> CalcomError {
    CalcomError::Unexpected { status: 200, code: what.into() }
}

/// What a refusal means: by its status, and by its words only where one status means several things.
pub(super) fn refusal(status: StatusCode, headers: &reqwest::header::HeaderMap, body: &[u8]) -> CalcomError {
    let (code, message) = words(body);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CalcomError::Unauthorised,
        StatusCode::NOT_FOUND => CalcomError::NotFound,
        StatusCode::CONFLICT => CalcomError::Conflict,
        StatusCode::TOO_MANY_REQUESTS => CalcomError::RateLimited { retry_after: retry_after(headers) },
        StatusCode::REQUEST_TIMEOUT => CalcomError::Unavailable(status.to_string()),
        _ if status.is_server_error() => CalcomError::Unavailable(status.to_string()),
        StatusCode::BAD_REQUEST => {
            let text = message.to_ascii_lowercase();
            let says = |part: &str| text.contains(part);
            if says("lengthinminutes") {
                CalcomError::FieldRefused(CalField::Length)
            } else if says("phonenumber") || says("phone number") {
                CalcomError::FieldRefused(CalField::Phone)
            } else if says("does not allow cancellations") {
                CalcomError::CancellingDisabled
            } else if says("can't be booked at the") || says("in the past") || says("out_of_bounds") {
                CalcomError::Outside
            } else if says("not available") || says("already has booking") || says("no_available_users") {
                CalcomError::Taken
            } else {
                unexpected(status, &code, &message)
            }
        }
        _ => unexpected(status, &code, &message),
    }
}

fn unexpected(status: StatusCode, code: &str, message: &str) -> CalcomError {
    let code = without_addresses(&format!("{code} {message}"));
    CalcomError::Unexpected { status: status.as_u16(), code }
}

/// Code and message, from `{"error":{…}}` or from the top level: Cal.com answers in both ways.
fn words(body: &[u8]) -> (String, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(&body);
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        _ => String::new(),
    };
    let code = text(inner.get("code"));
    (if code.is_empty() { text(body.get("error")) } else { code }, text(inner.get("message")))
}

fn retry_after(headers: &reqwest::header::HeaderMap) -> Duration {
    // `x-ratelimit-reset`, or `x-ratelimit-reset-<name of the limit>`.
    let seconds = headers
        .iter()
        .filter(|(name, _)| *name == "retry-after" || name.as_str().starts_with("x-ratelimit-reset"))
        .filter_map(|(_, value)| value.to_str().ok()?.trim().parse::<u64>().ok())
        .max();
    seconds.map_or(RATE_LIMIT_WINDOW, |seconds| Duration::from_secs(seconds.clamp(1, 900)))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn told(status: u16, body: &str) -> CalcomError {
        let status = StatusCode::from_u16(status).expect("a status");
        refusal(status, &HeaderMap::new(), body.as_bytes())
    }

    fn nested(message: &str) -> String {
        json!({"status": "error", "error": {"code": "BadRequestException", "message": message}}).to_string()
    }

    #[test]
    fn each_refusal_is_understood_in_both_envelopes() {
        let top = |message: &str| json!({"statusCode": 400, "message": message, "error": "Bad Request"}).to_string();
        for (message, meaning) in [
            ("User either already has booking at this time or is not available", CalcomError::Taken),
            ("One of the hosts either already has booking at this time or is not available", CalcomError::Taken),
            (
                "The event type can't be booked at the \"start\" time provided. This could be because it's too soon \
                 (violating the minimum booking notice) or too far in the future",
                CalcomError::Outside,
            ),
            ("Attempting to book a meeting in the past.", CalcomError::Outside),
            (
                "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, \
                 remove the 'lengthInMinutes' field from the request.",
                CalcomError::FieldRefused(CalField::Length),
            ),
            (
                "Provided 'lengthInMinutes' is not one of the possible lengths for the event type. The possible lengths \
                 are: 60, 90",
                CalcomError::FieldRefused(CalField::Length),
            ),
            ("attendee.phoneNumber must be a valid phone number", CalcomError::FieldRefused(CalField::Phone)),
            ("This event type does not allow cancellations", CalcomError::CancellingDisabled),
        ] {
            assert_eq!(told(400, &nested(message)), meaning, "{message}");
            assert_eq!(told(400, &top(message)), meaning, "{message}");
        }
    }

    #[test]
    fn a_status_needs_no_words() {
        assert_eq!(told(401, ""), CalcomError::Unauthorised);
        assert_eq!(told(403, "<html>"), CalcomError::Unauthorised);
        assert_eq!(told(404, ""), CalcomError::NotFound);
        assert_eq!(told(409, ""), CalcomError::Conflict);
        assert!(matches!(told(500, ""), CalcomError::Unavailable(_)));
        assert!(matches!(told(503, "<html>"), CalcomError::Unavailable(_)));
        assert_eq!(told(429, ""), CalcomError::RateLimited { retry_after: Duration::from_secs(60) });
    }

    #[test]
    fn an_unknown_refusal_is_neither_taken_nor_told_with_an_address() {
        let error = told(400, &nested("Attendee camille@example.com has too many active bookings."));
        let CalcomError::Unexpected { status: 400, code } = &error else { panic!("{error:?}") };
        assert!(code.starts_with("BadRequestException") && !code.contains("camille"), "{code}");
        let list = json!({"message": ["a must be a string", "b is missing"], "error": "Bad Request"}).to_string();
        assert!(told(400, &list).to_string().contains("a must be a string; b is missing"));
    }

    #[test]
    fn the_wait_is_read_from_either_header_and_bounded() {
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            retry_after(&headers)
        };
        assert_eq!(with("retry-after", "7"), Duration::from_secs(7));
        assert_eq!(with("x-ratelimit-reset-default", "31"), Duration::from_secs(31));
        assert_eq!(with("x-ratelimit-reset", "0"), Duration::from_secs(1));
        assert_eq!(with("retry-after", "86400"), Duration::from_secs(900));
        assert_eq!(with("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT"), RATE_LIMIT_WINDOW);
    }
}
