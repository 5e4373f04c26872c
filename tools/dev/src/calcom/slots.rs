//! Free times: opening hours in the user's zone, less what is busy, no earlier than the notice allows.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use super::user::{EventType, User};

/// A stretch of time, its end not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl Span {
    pub(super) fn of_minutes(start: Timestamp, minutes: u32) -> Self {
        let end = start.checked_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MAX);
        Self { start, end }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    pub(super) fn minutes(self) -> i64 {
        self.end.duration_since(self.start).as_mins()
    }
}

/// The moment a wall clock shows so many minutes after midnight.
fn moment(date: Date, minutes: u16, zone: &TimeZone) -> Option<Timestamp> {
    let midnight = date.at(0, 0, 0, 0);
    let civil = midnight.checked_add(i64::from(minutes).minutes()).ok()?;
    zone.to_ambiguous_zoned(civil).compatible().ok().map(|zoned| zoned.timestamp())
}

/// When the user is open around a stretch of time, neighbours merged.
pub(super) fn opening_spans(user: &User, around: Span) -> Vec<Span> {
    let zone = user.zone();
    let first = around.start.to_zoned(zone.clone()).date().saturating_sub(1.day());
    let last = around.end.to_zoned(zone.clone()).date().saturating_add(1.day());
    let mut spans: Vec<Span> = first
        .series(1.day())
        .take_while(|date| *date <= last)
        .flat_map(|date| {
            let zone = &zone;
            user.hours.iter().filter(move |hours| hours.day == date.weekday()).filter_map(move |hours| {
                Some(Span { start: moment(date, hours.from, zone)?, end: moment(date, hours.to, zone)? })
            })
        })
        .filter(|span| span.start < span.end)
        .collect();
    spans.sort_by_key(|span| span.start);
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(before) if span.start <= before.end => before.end = before.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// Whether a stretch lies within one of the spans.
pub(super) fn covered(spans: &[Span], wanted: Span) -> bool {
    spans.iter().any(|span| span.start <= wanted.start && wanted.end <= span.end)
}

/// The free slots whose start lies in a window.
pub(super) fn free(
    user: &User,
    event_type: &EventType,
    length: u32,
    window: Span,
    busy: &[Span],
    now: Timestamp,
) -> Vec<Span> {
    let step = SignedDuration::from_mins(i64::from(event_type.slot_interval_minutes.unwrap_or(length).max(5)));
    let earliest = event_type.earliest(now);
    let latest = event_type.latest(now);
    let mut slots = Vec::new();
    for open in opening_spans(user, window) {
        let mut start = open.start;
        loop {
            let slot = Span::of_minutes(start, length);
            if slot.end > open.end || slot.start > window.end {
                break;
            }
            let in_window = slot.start >= window.start;
            let in_bounds = slot.start >= earliest && latest.is_none_or(|latest| slot.start <= latest);
            if in_window && in_bounds && !busy.iter().any(|taken| taken.overlaps(slot)) {
                slots.push(slot);
            }
            let Ok(next) = start.checked_add(step) else { break };
            start = next;
        }
    }
    slots
}
