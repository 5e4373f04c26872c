//! A booking of Cal.com, read into a small struct that forgives whatever else its answers carry.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::OUR_ID;
use crate::domain::ids::BookingId;

use super::error::{CalcomError, unreadable};

/// A booking as Cal.com has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalBooking {
    /// What every later call names it by. A booking that is moved gets another one.
    pub uid: String,
    pub status: CalStatus,
    pub start: Timestamp,
    pub end: Timestamp,
    /// The uid of the booking it was moved to.
    pub moved_to: Option<String>,
    /// Why it was cancelled, in the words of whoever did.
    pub cancellation_reason: Option<String>,
    /// Our booking's id, when we made it.
    pub inkflow_id: Option<BookingId>,
    /// When it was changed last: of one that was called off, the moment at which it was.
    pub updated_at: Option<Timestamp>,
    pub people: People,
}

/// The addresses that Cal.com names with a booking.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Who called it off, as Cal.com was told.
    pub cancelled_by: Option<String>,
    pub hosts: Vec<String>,
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

pub(super) fn read_booking(value: Value) -> Result<CalBooking, CalcomError> {
    // An event type that repeats is answered with a list.
    let value = match value {
        Value::Array(list) => list.into_iter().next().unwrap_or_default(),
        other => other,
    };
    serde_json::from_value::<WireBooking>(value)
        .map(Into::into)
        .map_err(|_| unreadable("a booking without uid, status or times"))
}
