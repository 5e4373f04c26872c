//! Whose calendars these are, and what can be booked in them.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::error::ApiError;

/// A person with a calendar.
#[derive(Clone, Debug)]
pub struct User {
    /// The name in the person's Cal.com address.
    pub username: String,
    /// The name people see.
    pub name: String,
    pub email: String,
    /// The API key; it begins with `cal_`, and not with `cal_live_`.
    pub api_key: String,
    /// The IANA zone of the opening hours.
    pub time_zone: String,
    pub hours: Vec<Hours>,
    pub event_types: Vec<EventType>,
}

impl User {
    pub(super) fn event_type(&self, id: u64) -> Option<&EventType> {
        self.event_types.iter().find(|event_type| event_type.id == id)
    }

    pub(super) fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// A number that stays the same for the same name.
    pub(super) fn id(&self) -> u32 {
        self.username.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)) % 900_000)
            + 100_000
    }
}

/// Opening hours of one weekday, in minutes after midnight on the user's wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    pub day: Weekday,
    pub from: u16,
    /// When it closes; 1440 is midnight at the end of the day.
    pub to: u16,
}

impl Hours {
    /// The same hours on several days: `Hours::on(&[Weekday::Tuesday], "10:00", "18:30")`.
    ///
    /// # Panics
    ///
    /// When a time is not `HH:MM` between `00:00` and `24:00`.
    #[must_use]
    pub fn on(days: &[Weekday], from: &str, to: &str) -> Vec<Self> {
        let minutes = |time: &str| {
            time.split_once(':')
                .and_then(|(hour, minute)| Some(hour.parse::<u16>().ok()? * 60 + minute.parse::<u16>().ok()?))
                .filter(|minutes| *minutes <= 1440)
                .unwrap_or_else(|| panic!("`{time}` is not a time of day"))
        };
        days.iter().map(|day| Self { day: *day, from: minutes(from), to: minutes(to) }).collect()
    }
}

/// A kind of appointment.
#[derive(Clone, Debug)]
pub struct EventType {
    /// The id that callers use.
    pub id: u64,
    /// The name in the address.
    pub slug: String,
    /// The name people see.
    pub title: String,
    /// The possible lengths in minutes, the default first.
    pub lengths: Vec<u32>,
    /// Whether bookings wait for the owner's yes.
    pub requires_confirmation: bool,
    /// Whether a booking that waits takes its time away from others; Cal.com's own default is no.
    pub blocks_while_pending: bool,
    /// How long before its start a booking is possible at the latest.
    pub minimum_notice_minutes: u32,
    /// How far ahead a booking is possible; no limit without it.
    pub window_days: Option<u32>,
    /// The step between two slots; the length without it.
    pub slot_interval_minutes: Option<u32>,
    pub location: String,
    /// Nobody may cancel its bookings in Cal.com, its host neither.
    pub disable_cancelling: bool,
    /// Nobody may move its bookings in Cal.com.
    pub disable_rescheduling: bool,
}

impl Default for EventType {
    fn default() -> Self {
        Self {
            id: 1,
            slug: "seance".to_owned(),
            title: "Séance".to_owned(),
            lengths: vec![60],
            requires_confirmation: false,
            blocks_while_pending: false,
            minimum_notice_minutes: 0,
            window_days: None,
            slot_interval_minutes: None,
            location: "Au studio".to_owned(),
            disable_cancelling: false,
            disable_rescheduling: false,
        }
    }
}

impl EventType {
    pub(super) fn default_length(&self) -> u32 {
        self.lengths.first().copied().unwrap_or(60)
    }

    pub(super) fn length_of_booking(&self, asked: Option<u32>) -> Result<u32, ApiError> {
        let Some(asked) = asked else { return Ok(self.default_length()) };
        if self.lengths.len() < 2 {
            return Err(ApiError::bad_request(
                "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, \
                 remove the 'lengthInMinutes' field from the request.",
            ));
        }
        if !self.lengths.contains(&asked) {
            let lengths: Vec<String> = self.lengths.iter().map(u32::to_string).collect();
            return Err(ApiError::bad_request(format!(
                "Provided 'lengthInMinutes' is not one of the possible lengths for the event type. The possible lengths \
                 are: {}",
                lengths.join(", ")
            )));
        }
        Ok(asked)
    }

    pub(super) fn earliest(&self, now: Timestamp) -> Timestamp {
        now.checked_add(SignedDuration::from_mins(i64::from(self.minimum_notice_minutes))).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(SignedDuration::from_hours(24 * i64::from(self.window_days?))).ok()
    }
}
