//! The public face of every error (RFC 9457), as a table.

use std::time::Duration;

use ::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use serde_json::{Value, json};

use super::Web;
use crate::domain::refusal::Refusal;
use crate::error::Error;

/// What is the same for every occurrence of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Face {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    /// What happened and what to do. Empty where the error itself says it, and for our own failures.
    detail: &'static str,
}

/// `NAME = STATUS, slug, title, detail;` each.
macro_rules! faces {
    ($($name:ident = $status:ident, $slug:literal, $title:literal, $detail:expr;)+) => {
        $(const $name: Face = Face { status: StatusCode::$status, slug: $slug, title: $title, detail: $detail };)+
    };
}

faces! {
    SLOT_TAKEN = CONFLICT, "slot-taken", "This slot is no longer free",
        "Somebody else has just taken this slot. Choose another one.";
    TOO_FAR_AHEAD = CONFLICT, "too-far-ahead", "This date cannot be booked yet",
        "The artist's books are not open that far ahead. Choose a date up to `bookable_until`.";
    FLASH_TAKEN = CONFLICT, "flash-taken", "This flash is no longer free",
        "This unique flash is held or sold. It comes back if the payment is abandoned.";
    FLASH_UNAVAILABLE = NOT_FOUND, "not-found", "Not found", "This flash is not on sale.";
    ALREADY_PAID = CONFLICT, "already-paid", "This booking is paid",
        "The deposit has arrived, so the appointment stands. Write to the artist to cancel it.";
    TOO_MANY_HOLDS = TOO_MANY_REQUESTS, "too-many-holds", "Too many unpaid bookings",
        "You already hold several unpaid slots. Pay or release one, or wait until it lapses.";
    OPENS_SOON = CONFLICT, "opens-soon", "Bookings open soon", "This artist takes no bookings online at the moment.";
    CHANGED_MEANWHILE = CONFLICT, "changed-meanwhile", "This has changed meanwhile",
        "It was changed since it was shown to you, perhaps in another tab. Look again, then decide.";
    NOT_POSSIBLE = CONFLICT, "not-possible", "This is not possible now", "The state it is in does not allow this.";
    TOO_LATE = CONFLICT, "too-late", "It is too late for that", "The time to do this is over.";
    MONEY_CHANGED = CONFLICT, "money-changed", "The amount has changed",
        "The amount that would move now is not the one you were shown. Look again, then decide.";
    INVALID = UNPROCESSABLE_ENTITY, "invalid", "Some fields need your attention", "";
    MALFORMED = BAD_REQUEST, "malformed", "The request cannot be read", "";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The body must be JSON",
        "Send the body with Content-Type: application/json.";
    PAYLOAD_TOO_LARGE = PAYLOAD_TOO_LARGE, "payload-too-large", "The body is too large", "";
    UNAUTHENTICATED = UNAUTHORIZED, "unauthenticated", "Not authenticated", "";
    WRONG_CREDENTIALS = UNAUTHORIZED, "wrong-credentials", "The address or the password is wrong",
        "Check both, or ask for a link by mail.";
    LINK_EXPIRED = UNAUTHORIZED, "link-expired", "This link works no more",
        "A link works once and for an hour. Ask for a new one.";
    SIGN_IN_UNAVAILABLE = SERVICE_UNAVAILABLE, "sign-in-unavailable", "Signing in is not possible right now",
        "The service that knows the accounts does not answer. Try again in a moment.";
    SIGN_OUT_INCOMPLETE = SERVICE_UNAVAILABLE, "sign-out-incomplete", "You are not signed out everywhere",
        "The service that knows the accounts does not answer, so the session has not ended there. Sign out once more in a \
         moment, and until then leave this browser to nobody.";
    ALREADY_SIGNED_IN = CONFLICT, "already-signed-in", "Somebody is signed in already",
        "Send `replace` once the person has said that the link's account may take the place of this session.";
    FORBIDDEN = FORBIDDEN, "forbidden", "Forbidden", "";
    SIGN_UP_CLOSED = FORBIDDEN, "sign-up-closed", "No page is opened here without an invitation",
        "Ask whoever runs this site to invite the address you sign in with.";
    NO_ARTIST = NOT_FOUND, "no-artist", "Create your page first",
        "This account has no artist's page yet. Save your profile to create it.";
    NOT_FOUND = NOT_FOUND, "not-found", "Not found", "";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED, "method-not-allowed", "This method is not allowed here", "";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS, "too-many-requests", "Too many requests",
        "You have sent many requests. Wait a little and try again.";
    NETWORK_FULL = TOO_MANY_REQUESTS, "network-full", "Many unpaid bookings from your network",
        "Many slots are held unpaid from your network. One of them is free again soon: try again then.";
    FLASH_RESTS = TOO_MANY_REQUESTS, "flash-rests", "This flash is for others for a while", "";
    PROOF_REQUIRED = FORBIDDEN, "proof-required", "A small proof of work is needed",
        "Solve the puzzle in `proof` and send the same request again, with the solution in the header X-Proof.";
    FLASH_YOURS = CONFLICT, "flash-yours", "You hold this flash already",
        "You hold this unique flash for another slot. Pay it there, or release it to choose another one.";
    IDEMPOTENCY_MISMATCH = CONFLICT, "idempotency-mismatch", "This idempotency key belongs to another request",
        "Use a new Idempotency-Key for a new request.";
    REQUEST_IN_PROGRESS = CONFLICT, "request-in-progress", "The same request is in progress",
        "Try again in a few seconds with the same Idempotency-Key.";
    CALENDAR_UNAVAILABLE = SERVICE_UNAVAILABLE, "calendar-unavailable", "The artist's calendar does not answer",
        "No slot can be promised without it. Try again in a moment.";
    PAYMENT_UNAVAILABLE = BAD_GATEWAY, "payment-unavailable", "The payment page cannot be opened",
        "Your slot is held. Try again in a moment: you will get the same booking.";
    STRIPE_UNAVAILABLE = BAD_GATEWAY, "stripe-unavailable", "Stripe does not answer",
        "It is not known whether the client is paying at this moment. Nothing was changed: try again.";
    TRY_AGAIN = SERVICE_UNAVAILABLE, "try-again", "Try again in a moment", "";
    INTERNAL = INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side", "";
}

/// The face of every error. Exhaustive: a new error does not compile until it has one.
fn face(error: &Error) -> Face {
    match error {
        Error::Shown { error, .. } => face(error),
        Error::Refused(refusal) | Error::RefusedWithSlots { refusal, .. } => refused(*refusal),
        Error::Invalid(_) => INVALID,
        Error::Malformed(_) => MALFORMED,
        Error::UnsupportedMediaType => UNSUPPORTED_MEDIA_TYPE,
        Error::PayloadTooLarge { .. } => PAYLOAD_TOO_LARGE,
        Error::Unauthenticated(_) => UNAUTHENTICATED,
        Error::WrongCredentials => WRONG_CREDENTIALS,
        Error::LinkExpired => LINK_EXPIRED,
        Error::SignInUnavailable(_) => SIGN_IN_UNAVAILABLE,
        Error::SignOutIncomplete(_) => SIGN_OUT_INCOMPLETE,
        Error::AlreadySignedIn => ALREADY_SIGNED_IN,
        Error::Forbidden(_) => FORBIDDEN,
        Error::SignUpClosed => SIGN_UP_CLOSED,
        Error::NoArtist => NO_ARTIST,
        Error::NotFound => NOT_FOUND,
        Error::MethodNotAllowed => METHOD_NOT_ALLOWED,
        Error::TooManyRequests { .. } => TOO_MANY_REQUESTS,
        Error::NetworkIsFull { .. } => NETWORK_FULL,
        Error::FlashRests { .. } => FLASH_RESTS,
        Error::ProofRequired { .. } => PROOF_REQUIRED,
        Error::HeldByYou { .. } => FLASH_YOURS,
        Error::IdempotencyMismatch => IDEMPOTENCY_MISMATCH,
        Error::RequestInProgress => REQUEST_IN_PROGRESS,
        Error::CalendarUnavailable(_) => CALENDAR_UNAVAILABLE,
        Error::PaymentUnavailable(_) => PAYMENT_UNAVAILABLE,
        Error::CheckoutStaysOpen(_) => STRIPE_UNAVAILABLE,
        Error::DatabaseUnavailable(_) | Error::Conflict => TRY_AGAIN,
        Error::Outside { .. } | Error::Database(_) | Error::Internal(_) => INTERNAL,
    }
}

const fn refused(refusal: Refusal) -> Face {
    match refusal {
        Refusal::SlotTaken => SLOT_TAKEN,
        Refusal::TooFarAhead => TOO_FAR_AHEAD,
        Refusal::FlashTaken => FLASH_TAKEN,
        Refusal::FlashUnavailable => FLASH_UNAVAILABLE,
        Refusal::AlreadyPaid => ALREADY_PAID,
        Refusal::TooManyHoldsByClient => TOO_MANY_HOLDS,
        Refusal::NotOpenYet => OPENS_SOON,
        Refusal::ChangedMeanwhile => CHANGED_MEANWHILE,
        Refusal::NotPossible => NOT_POSSIBLE,
        Refusal::TooLate => TOO_LATE,
        Refusal::MoneyChanged => MONEY_CHANGED,
    }
}

/// What an error tells of its own case, where its face cannot.
fn own_detail(error: &Error) -> Option<String> {
    match error {
        Error::Shown { error, .. } => own_detail(error),
        Error::Invalid(errors) => Some(match errors.len() {
            1 => "1 field is not valid.".to_owned(),
            n => format!("{n} fields are not valid."),
        }),
        Error::Malformed(why) => Some(why.clone()),
        Error::PayloadTooLarge { limit } => Some(format!("At most {limit} bytes are read here.")),
        Error::Unauthenticated(why) | Error::Forbidden(why) => Some((*why).to_owned()),
        Error::FlashRests { until, .. } => {
            Some(format!("It was held for you several times and not paid. You can hold it again from {until} on."))
        }
        _ => None,
    }
}

/// When it is worth trying again.
fn retry_after(error: &Error) -> Option<Duration> {
    match error {
        Error::Shown { error, .. } => retry_after(error),
        Error::TooManyRequests { retry_after }
        | Error::NetworkIsFull { retry_after }
        | Error::FlashRests { retry_after, .. } => Some(*retry_after),
        Error::RequestInProgress => Some(Duration::from_secs(2)),
        Error::DatabaseUnavailable(_) | Error::Conflict => Some(Duration::from_secs(5)),
        Error::SignInUnavailable(_)
        | Error::SignOutIncomplete(_)
        | Error::CalendarUnavailable(_)
        | Error::PaymentUnavailable(_)
        | Error::CheckoutStaysOpen(_) => Some(Duration::from_secs(10)),
        _ => None,
    }
}

/// The public face of one error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub status: StatusCode,
    /// The anchor on the site's page of problems, and the stable code.
    pub slug: &'static str,
    /// What it is, the same for every occurrence.
    pub title: &'static str,
    /// What happened and what to do; none for our own failures.
    pub detail: Option<String>,
    pub retry_after: Option<Duration>,
}

/// How an error is shown.
pub fn problem(error: &Error) -> Problem {
    let Face { status, slug, title, detail } = face(error);
    let general = || (!detail.is_empty()).then(|| detail.to_owned());
    Problem { status, slug, title, detail: own_detail(error).or_else(general), retry_after: retry_after(error) }
}

/// The problem as a response, with what its kind carries beside the standard members.
pub(super) fn response(web: &Web, problem: &Problem, error: &Error, request_id: &str) -> Response<Body> {
    let mut body = json!({
        "type": format!("{}/problems#{}", web.public_url, problem.slug),
        "title": problem.title,
        "status": problem.status.as_u16(),
        "instance": format!("urn:uuid:{request_id}"),
    });
    if let Some(detail) = &problem.detail {
        body["detail"] = Value::from(detail.as_str());
    }
    if let Error::Invalid(errors) = error {
        body["errors"] = json!(errors);
    }
    if let Error::RefusedWithSlots { slots, .. } = error {
        body["slots"] = slots.clone();
    }
    if let Error::HeldByYou { own } = error {
        body["own"] = own.clone();
    }
    if let Error::ProofRequired { proof } = error {
        body["proof"] = proof.clone();
    }
    if let Error::FlashRests { until, .. } = error {
        body["until"] = json!(until);
    }
    let (kind, body) = match error {
        Error::Shown { page, .. } => ("text/html; charset=utf-8", page.clone()),
        _ => ("application/problem+json", body.to_string()),
    };
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = problem.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = problem.retry_after {
        // Rounded up: who comes back on the second must not be told again.
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    response
}
