//! Cal.com v2 for one artist at a time: free slots and bookings, read into small structs that forgive
//! what they do not know. What to do with an answer is decided in `converge`, not here.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use ring::hmac;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::{self, Secret};
use crate::domain::contact::Locale;
use crate::domain::ids::BookingId;
use crate::redact::without_addresses;

pub mod converge;

pub mod connection;

/// The contract of each family of endpoints. Without the header Cal.com answers in an older one.
const BOOKINGS: &str = "2024-08-13";
const SLOTS: &str = "2024-09-04";

/// How long a call may take; a person waits for the slots.
const BOUND: Duration = Duration::from_secs(6);
const SLOTS_BOUND: Duration = Duration::from_secs(4);

/// The key under which our id travels with a booking.
pub const OUR_ID: &str = "inkflow_booking_id";

/// What to wait for when Cal.com limits us and does not say how long.
const RATE_LIMIT_WINDOW: Duration = Duration::from_secs(60);

/// Cal.com's API.
#[derive(Debug, Clone)]
pub struct Calcom {
    http: reqwest::Client,
    base: String,
}

/// A booking as Cal.com has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalBooking {
    /// What every later call names it by. A booking that is moved gets another one.
    pub uid: String,
    /// Whether it stands.
    pub status: CalStatus,
    /// Its start.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
    /// The booking it was moved to.
    pub moved_to: Option<String>,
    /// Why it was cancelled, in the words of whoever did.
    pub cancellation_reason: Option<String>,
    /// Our booking's id, when we made it.
    pub inkflow_id: Option<BookingId>,
    /// When it was changed last: of one that was called off, the moment at which it was.
    pub updated_at: Option<Timestamp>,
    /// The addresses of those it concerns.
    pub people: People,
}

/// The addresses that Cal.com names with a booking.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Who called it off, as Cal.com was told.
    pub cancelled_by: Option<String>,
    /// The hosts.
    pub hosts: Vec<String>,
    /// The attendees.
    pub attendees: Vec<String>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("People [redacted]")
    }
}

/// Whether a booking stands at Cal.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalStatus {
    /// It stands.
    Accepted,
    /// It waits for the artist's yes.
    Pending,
    /// It was called off.
    Cancelled,
    /// The artist said no.
    Rejected,
    /// A status that we do not know.
    Other,
}

impl CalBooking {
    /// True while it takes the artist's time.
    pub fn is_live(&self) -> bool {
        !matches!(self.status, CalStatus::Cancelled | CalStatus::Rejected)
    }
}

/// A booking to create.
#[derive(Debug, Clone, Copy)]
pub struct NewCalBooking<'a> {
    /// The artist's event type.
    pub event_type_id: i64,
    /// Its start.
    pub start: Timestamp,
    /// Its length, for event types that offer several.
    pub length_minutes: Option<u32>,
    /// Our id, by which we find it again.
    pub booking: BookingId,
    /// Who comes.
    pub attendee: Attendee<'a>,
}

/// Who comes to the appointment.
#[derive(Debug, Clone, Copy)]
pub struct Attendee<'a> {
    /// The client's name.
    pub name: &'a str,
    /// The client's address.
    pub email: &'a str,
    /// The client's number, with its country code.
    pub phone: Option<&'a str>,
    /// The IANA zone in which Cal.com writes to the client.
    pub zone: &'a str,
    /// The language in which it does.
    pub locale: Locale,
}

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
    /// Too many calls.
    #[error("too many calls")]
    RateLimited {
        /// When to come back.
        retry_after: Duration,
    },
    /// It timed out, broke off or answered with a fault of its own. What was asked may have been done.
    #[error("Cal.com does not answer: {0}")]
    Unavailable(String),
    /// Something else.
    #[error("Cal.com answered {status} {code}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// Cal.com's code and words, without addresses.
        code: String,
    },
}

impl Calcom {
    /// A client of the API at `base`.
    pub fn new(http: reqwest::Client, base: impl Into<String>) -> Self {
        Self { http, base: base.into().trim_end_matches('/').to_owned() }
    }

    /// The API at `CALCOM_API_BASE`, by default Cal.com's own.
    pub fn from_env(http: reqwest::Client) -> Self {
        Self::new(http, config::optional("CALCOM_API_BASE").unwrap_or_else(|| "https://api.cal.com".into()))
    }

    /// The starts that are free from `start` until before `end`, in order.
    ///
    /// # Errors
    /// Any answer that cannot be trusted, so that no slot is guessed.
    pub async fn slots(
        &self,
        key: &Secret,
        event_type_id: i64,
        start: Timestamp,
        end: Timestamp,
        duration_minutes: u32,
    ) -> Result<Vec<Timestamp>, CalcomError> {
        let query = [
            ("eventTypeId", event_type_id.to_string()),
            ("start", start.to_string()),
            ("end", end.to_string()),
            ("duration", duration_minutes.to_string()),
        ];
        let request = self.request(Method::GET, "slots", key, SLOTS).query(&query).timeout(SLOTS_BOUND);
        let days: std::collections::BTreeMap<String, Vec<SlotEntry>> = data(request).await?;
        let mut slots = Vec::new();
        for slot in days.into_values().flatten() {
            let text = match slot {
                SlotEntry::Bare(text) | SlotEntry::Time { start: text } => text,
            };
            let slot: Timestamp = text.parse().map_err(|_| unreadable("a slot that is not an instant"))?;
            // Cal.com rounds the range to whole days in some zones.
            if slot >= start && slot < end {
                slots.push(slot);
            }
        }
        slots.sort_unstable();
        slots.dedup();
        Ok(slots)
    }

    /// The booking of this uid.
    ///
    /// # Errors
    /// [`CalcomError::NotFound`] when there is none.
    pub async fn get(&self, key: &Secret, uid: &str) -> Result<CalBooking, CalcomError> {
        one(self.request(Method::GET, &of(uid, "")?, key, BOOKINGS)).await
    }

    /// What Cal.com has of our booking: the one that stands, else the one created last.
    ///
    /// It asks by attendee and compares our id itself, because Cal.com cannot be asked for metadata. It
    /// does not ask by time: the artist may have moved the booking.
    ///
    /// # Errors
    /// Cal.com cannot be asked.
    pub async fn find(
        &self,
        key: &Secret,
        event_type_id: i64,
        booking: BookingId,
        attendee_email: &str,
    ) -> Result<Option<CalBooking>, CalcomError> {
        let query = [
            ("eventTypeId", event_type_id.to_string()),
            ("attendeeEmail", attendee_email.to_owned()),
            ("sortCreated", "desc".into()),
            ("take", "100".into()),
        ];
        let found = self.list(key, &query).await?;
        let mut ours = found.into_iter().filter(|candidate| candidate.inkflow_id == Some(booking));
        let newest = ours.next();
        if newest.as_ref().is_some_and(|candidate| !candidate.is_live()) {
            return Ok(ours.find(CalBooking::is_live).or(newest));
        }
        Ok(newest)
    }

    /// The bookings of ours, of any client, that take a part of this time at Cal.com.
    ///
    /// # Errors
    /// Cal.com cannot be asked.
    pub async fn ours_between(
        &self,
        key: &Secret,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<CalBooking>, CalcomError> {
        let day = jiff::SignedDuration::from_hours(24);
        let query = [
            ("afterStart", start.saturating_sub(day).unwrap_or(start).to_string()),
            ("beforeEnd", end.saturating_add(day).unwrap_or(end).to_string()),
            ("take", "100".into()),
        ];
        let mut found = self.list(key, &query).await?;
        found.retain(|other| other.inkflow_id.is_some() && other.is_live() && other.start < end && other.end > start);
        Ok(found)
    }

    /// Creates a booking.
    ///
    /// Cal.com has no idempotency key: look before calling it, and after it failed.
    ///
    /// # Errors
    /// See [`CalcomError`].
    pub async fn create(&self, key: &Secret, new: NewCalBooking<'_>) -> Result<CalBooking, CalcomError> {
        let mut attendee = json!({
            "name": new.attendee.name,
            "email": new.attendee.email,
            "timeZone": new.attendee.zone,
            "language": new.attendee.locale.code(),
        });
        if let Some(phone) = new.attendee.phone {
            attendee["phoneNumber"] = phone.into();
        }
        let mut body = json!({
            "eventTypeId": new.event_type_id,
            "start": new.start.to_string(),
            "attendee": attendee,
            "metadata": { OUR_ID: new.booking.to_string() },
        });
        if let Some(minutes) = new.length_minutes {
            body["lengthInMinutes"] = minutes.into();
        }
        one(self.request(Method::POST, "bookings", key, BOOKINGS).json(&body)).await
    }

    /// Says the artist's yes to a booking that waits for it.
    ///
    /// # Errors
    /// See [`CalcomError`].
    pub async fn confirm(&self, key: &Secret, uid: &str) -> Result<CalBooking, CalcomError> {
        one(self.request(Method::POST, &of(uid, "/confirm")?, key, BOOKINGS)).await
    }

    /// Calls a booking off.
    ///
    /// # Errors
    /// See [`CalcomError`]; one that is called off already is refused.
    pub async fn cancel(&self, key: &Secret, uid: &str, reason: &str) -> Result<CalBooking, CalcomError> {
        let body = json!({ "cancellationReason": reason });
        one(self.request(Method::POST, &of(uid, "/cancel")?, key, BOOKINGS).json(&body)).await
    }

    /// Moves a booking; the answer is the new one, with a uid of its own.
    ///
    /// # Errors
    /// See [`CalcomError`].
    pub async fn reschedule(
        &self,
        key: &Secret,
        uid: &str,
        start: Timestamp,
        reason: &str,
    ) -> Result<CalBooking, CalcomError> {
        let body = json!({ "start": start.to_string(), "reschedulingReason": reason });
        one(self.request(Method::POST, &of(uid, "/reschedule")?, key, BOOKINGS).json(&body)).await
    }

    async fn list(&self, key: &Secret, query: &[(&str, String)]) -> Result<Vec<CalBooking>, CalcomError> {
        let answer: Vec<Value> = data(self.request(Method::GET, "bookings", key, BOOKINGS).query(query)).await?;
        // Bookings that others made may look as they like; ours must be readable.
        Ok(answer.into_iter().filter_map(|value| read_booking(value).ok()).collect())
    }

    fn request(&self, method: Method, path: &str, key: &Secret, version: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}/v2/{path}", self.base))
            .bearer_auth(key.expose())
            .header("cal-api-version", version)
            .timeout(BOUND)
    }
}

/// Verifies the header `X-Cal-Signature-256` over the raw bytes of a webhook, in constant time.
///
/// A subscription without a secret sends the words `no-secret-provided`, which are no signature.
pub fn verify(payload: &[u8], header: &str, secret: &Secret) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    !secret.expose().is_empty() && unhex(header).is_some_and(|tag| hmac::verify(&key, payload, &tag).is_ok())
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

/// The path of a booking; a uid that could lead elsewhere names none.
fn of(uid: &str, action: &str) -> Result<String, CalcomError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if uid.is_empty() || !uid.bytes().all(plain) {
        return Err(CalcomError::NotFound);
    }
    Ok(format!("bookings/{uid}{action}"))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SlotEntry {
    Bare(String),
    Time {
        #[serde(alias = "time")]
        start: String,
    },
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireBooking {
    uid: String,
    status: String,
    start: Timestamp,
    end: Timestamp,
    #[serde(default)]
    rescheduled_to_uid: Option<String>,
    #[serde(default)]
    cancellation_reason: Option<String>,
    #[serde(default)]
    cancelled_by_email: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    hosts: Value,
    #[serde(default)]
    attendees: Value,
    #[serde(default)]
    metadata: Value,
}

/// Every address of a list of people, whatever else stands there.
fn addresses(people: &Value) -> Vec<String> {
    let people = people.as_array().map(Vec::as_slice).unwrap_or_default();
    let each = people.iter().flat_map(|person| [&person["email"], &person["displayEmail"]]);
    each.filter_map(Value::as_str).map(str::to_owned).collect()
}

impl From<WireBooking> for CalBooking {
    fn from(wire: WireBooking) -> Self {
        Self {
            status: match wire.status.to_ascii_lowercase().as_str() {
                "accepted" => CalStatus::Accepted,
                "pending" => CalStatus::Pending,
                "cancelled" => CalStatus::Cancelled,
                "rejected" => CalStatus::Rejected,
                _ => CalStatus::Other,
            },
            inkflow_id: wire.metadata.get(OUR_ID).and_then(Value::as_str).and_then(|id| id.parse().ok()),
            uid: wire.uid,
            start: wire.start,
            end: wire.end,
            moved_to: wire.rescheduled_to_uid.filter(|uid| !uid.is_empty()),
            cancellation_reason: wire.cancellation_reason,
            updated_at: wire.updated_at.and_then(|at| at.parse().ok()),
            people: People {
                cancelled_by: wire.cancelled_by_email,
                hosts: addresses(&wire.hosts),
                attendees: addresses(&wire.attendees),
            },
        }
    }
}

async fn one(request: reqwest::RequestBuilder) -> Result<CalBooking, CalcomError> {
    read_booking(data(request).await?)
}

fn read_booking(value: Value) -> Result<CalBooking, CalcomError> {
    // An event type that repeats is answered with a list.
    let value = match value {
        Value::Array(list) => list.into_iter().next().unwrap_or_default(),
        other => other,
    };
    serde_json::from_value::<WireBooking>(value)
        .map(Into::into)
        .map_err(|_| unreadable("a booking without uid, status or times"))
}

async fn data<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, CalcomError> {
    // The address of a call holds the client's e-mail address.
    let broken = |error: reqwest::Error| CalcomError::Unavailable(chain(&error.without_url()));
    let response = request.send().await.map_err(broken)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await.map_err(broken)?;
    if status.is_success() {
        return serde_json::from_slice::<Envelope<T>>(&body)
            .map(|envelope| envelope.data)
            .map_err(|_| CalcomError::Unexpected { status: status.as_u16(), code: "unreadable answer".into() });
    }
    Err(refusal(status, &headers, &body))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    without_addresses(&text)
}

fn unreadable(what: &str) -> CalcomError {
    CalcomError::Unexpected { status: 200, code: what.into() }
}

/// What a refusal means: by its status, and by its words only where one status means several things.
fn refusal(status: StatusCode, headers: &reqwest::header::HeaderMap, body: &[u8]) -> CalcomError {
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

    #[test]
    fn a_uid_cannot_lead_to_another_path() {
        for uid in ["", "../me", "a/b", "a?b", "a#b", "a%2fb", "é"] {
            assert_eq!(of(uid, "/cancel"), Err(CalcomError::NotFound), "{uid}");
        }
        assert_eq!(of("fKq8-t_1", "/cancel"), Ok("bookings/fKq8-t_1/cancel".into()));
    }

    #[test]
    fn only_the_artists_own_secret_signs() {
        let secret = Secret::new("s3cret".into());
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
        let tag: String = hmac::sign(&key, b"{}").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(verify(b"{}", &tag, &secret));
        assert!(!verify(b"{ }", &tag, &secret));
        assert!(!verify(b"{}", &tag, &Secret::new("other".into())));
        for nonsense in ["", "no-secret-provided", "zz", &tag[..62], &format!("{tag}00"), &"é".repeat(32)] {
            assert!(!verify(b"{}", nonsense, &secret), "{nonsense}");
        }
        let empty = hmac::Key::new(hmac::HMAC_SHA256, b"");
        let tag: String = hmac::sign(&empty, b"{}").as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(!verify(b"{}", &tag, &Secret::new(String::new())), "no secret is no secret");
    }

    #[test]
    fn a_booking_is_read_whatever_else_it_holds() {
        let id = "0192f3a4-5b6c-7d8e-9f00-112233445566";
        let value = json!({
            "id": 7, "uid": "u1", "status": "accepted", "start": "2026-12-01T09:00:00.000Z",
            "end": "2026-12-01T12:00:00.000+01:00", "metadata": {OUR_ID: id, "other": 7}, "hosts": null,
        });
        let booking = read_booking(value.clone()).expect("readable");
        assert_eq!(booking.inkflow_id, Some(id.parse().expect("a UUID")));
        assert_eq!(booking.end.to_string(), "2026-12-01T11:00:00Z");
        assert_eq!(read_booking(json!([value])).expect("a list of one"), booking);
        let bare = json!({"uid": "u", "status": "awaiting_host", "start": booking.start, "end": booking.end});
        let bare = read_booking(bare).expect("readable");
        assert_eq!((bare.status, bare.inkflow_id), (CalStatus::Other, None));
        assert!(read_booking(json!({"uid": "u"})).is_err());
        assert!(read_booking(Value::Null).is_err());
    }
}
