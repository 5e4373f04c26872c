//! Cal.com v2 for one artist at a time: free slots and bookings, read into small structs that forgive
//! what they do not know. What to do with an answer is decided in `converge`, not here.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use ring::hmac;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::config::{self, ConfigError, Secret};
use crate::domain::ids::BookingId;
use crate::domain::locale::Locale;

mod booking;
pub mod calendars;
pub mod connection;
pub mod converge;
mod error;

use self::booking::read_booking;
pub use self::booking::{CalBooking, CalStatus, People};
pub use self::error::{CalField, CalcomError};
use self::error::{chain, refusal, unreadable};

/// The contract of each family of endpoints. Without the header Cal.com answers in an older one.
const BOOKINGS: &str = "2024-08-13";

const SLOTS: &str = "2024-09-04";

/// How long a call may take; a person waits for the slots.
const BOUND: Duration = Duration::from_secs(6);

const SLOTS_BOUND: Duration = Duration::from_secs(4);

/// The key under which our id travels with a booking.
pub const OUR_ID: &str = "inkflow_booking_id";

/// Cal.com's own pages.
#[derive(Debug, Clone)]
pub struct Pages(String);

impl Pages {
    /// Those of `CALCOM_WEB_BASE`.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self(config::or("CALCOM_WEB_BASE", "https://cal.com".to_owned())?))
    }

    /// The page of a booking, by its uid.
    pub fn booking(&self, uid: &str) -> String {
        format!("{}/booking/{uid}", self.0.trim_end_matches('/'))
    }
}

impl From<&str> for Pages {
    fn from(base: &str) -> Self {
        Self(base.to_owned())
    }
}

#[derive(Debug, Clone)]
pub struct Calcom {
    http: reqwest::Client,
    base: String,
}

#[derive(Debug, Clone, Copy)]
pub struct NewCalBooking<'a> {
    pub event_type_id: i64,
    pub start: Timestamp,
    /// For event types that offer several lengths.
    pub length_minutes: Option<u32>,
    /// Our id, by which we find it again.
    pub booking: BookingId,
    pub attendee: Attendee<'a>,
}

#[derive(Debug, Clone, Copy)]
pub struct Attendee<'a> {
    pub name: &'a str,
    pub email: &'a str,
    /// The client's number, with its country code.
    pub phone: Option<&'a str>,
    /// The IANA zone in which Cal.com writes to the client.
    pub zone: &'a str,
    /// The language in which it does.
    pub locale: Locale,
}

impl Calcom {
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
    pub async fn confirm(&self, key: &Secret, uid: &str) -> Result<CalBooking, CalcomError> {
        one(self.request(Method::POST, &of(uid, "/confirm")?, key, BOOKINGS)).await
    }

    /// Calls a booking off.
    ///
    /// # Errors
    /// A booking that is called off already is refused.
    pub async fn cancel(&self, key: &Secret, uid: &str, reason: &str) -> Result<CalBooking, CalcomError> {
        let body = json!({ "cancellationReason": reason });
        one(self.request(Method::POST, &of(uid, "/cancel")?, key, BOOKINGS).json(&body)).await
    }

    /// Moves a booking; the answer is the new one, with a uid of its own.
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
    !secret.expose().is_empty() && hex::decode(header).is_ok_and(|tag| hmac::verify(&key, payload, &tag).is_ok())
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

async fn one(request: reqwest::RequestBuilder) -> Result<CalBooking, CalcomError> {
    read_booking(data(request).await?)
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

#[cfg(test)]
mod tests {

    use super::*;

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
        let tag = hex::encode(hmac::sign(&key, b"{}"));
        assert!(verify(b"{}", &tag, &secret));
        assert!(!verify(b"{ }", &tag, &secret));
        assert!(!verify(b"{}", &tag, &Secret::new("other".into())));
        for nonsense in ["", "no-secret-provided", "zz", &tag[..62], &format!("{tag}00"), &"é".repeat(32)] {
            assert!(!verify(b"{}", nonsense, &secret), "{nonsense}");
        }
        let empty = hmac::Key::new(hmac::HMAC_SHA256, b"");
        let tag = hex::encode(hmac::sign(&empty, b"{}"));
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
