//! Times as Cal.com writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// An instant as JavaScript writes it: `2026-12-01T09:00:00.000Z`.
pub(super) fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}

pub(super) fn utc_offset_minutes(zone: &str, at: Timestamp) -> Option<i32> {
    Some(TimeZone::get(zone).ok()?.to_offset(at).seconds() / 60)
}
