//! Instants as a studio's clock shows them. The rules of its zone are read here and nowhere else: browsers, Postgres
//! and operating systems have tables of their own, and some of them are years old.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Dst, Offset, TimeZone};
use serde::{Serialize, Serializer};

use super::locale::Locale;

mod places;

/// An instant, and what a studio's clock shows then. Written as `2026-12-01T10:00:00-07:00`: who reads the text has
/// the instant, the offset and the wall clock, and need not know the zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    instant: Timestamp,
    offset: Offset,
}

impl LocalTime {
    /// The instant on the clock of `zone`.
    #[must_use]
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Self {
        Self { instant, offset: zone.to_offset(instant) }
    }

    #[must_use]
    pub fn instant(self) -> Timestamp {
        self.instant
    }

    /// What the clock shows.
    #[must_use]
    pub fn wall(self) -> DateTime {
        self.offset.to_datetime(self.instant)
    }

    /// The day on which the clock shows it.
    #[must_use]
    pub fn date(self) -> Date {
        self.wall().date()
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.instant.display_with_offset(self.offset).fmt(f)
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

mod schema {
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    macro_rules! text {
        ($type:ident, $schema:tt) => {
            impl JsonSchema for super::$type {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> std::borrow::Cow<'static, str> {
                    stringify!($type).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!($schema)
                }
            }
        };
    }

    text!(LocalTime, { "type": "string", "format": "date-time" });
    text!(Turn, { "type": "string" });
}

/// An appointment on the studio's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Appointment {
    /// When it starts.
    pub start: LocalTime,
    /// When it ends.
    pub end: LocalTime,
    /// Which of the two, when the clock shows the hour of its start twice that night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_turn: Option<Turn>,
    /// Which of the two, when the clock shows the hour of its end twice that night.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_turn: Option<Turn>,
}

impl Appointment {
    /// The appointment on the clock of `zone`.
    #[must_use]
    pub fn of(starts_at: Timestamp, ends_at: Timestamp, zone: &TimeZone) -> Self {
        Self {
            start: LocalTime::of(starts_at, zone),
            end: LocalTime::of(ends_at, zone),
            start_turn: Turn::of(starts_at, zone),
            end_turn: Turn::of(ends_at, zone),
        }
    }
}

/// What tells apart the two turns of an hour that a clock shows twice, when it is put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The first one, still on summer time.
    Summer,
    /// The second one, on winter time already.
    Winter,
    /// Either, where clocks change for another reason than the season: how far it is ahead of UTC.
    Offset(Offset),
}

impl Turn {
    /// Which turn an instant belongs to; none when the clock of `zone` shows its hour once.
    #[must_use]
    pub fn of(instant: Timestamp, zone: &TimeZone) -> Option<Self> {
        let offset = zone.to_offset(instant);
        let AmbiguousOffset::Fold { before, after } = zone.to_ambiguous_timestamp(offset.to_datetime(instant)).offset()
        else {
            return None;
        };
        let is_summer = |offset: Offset| {
            let shown = offset.to_timestamp(zone.to_datetime(instant)).ok()?;
            Some(zone.to_offset_info(shown).dst() == Dst::Yes)
        };
        // Ireland's tables call its winter an exception, Morocco's the month of Ramadan: a season is what is ahead in summer.
        Some(match (is_summer(before), is_summer(after)) {
            (Some(true), Some(false)) if offset == before => Self::Summer,
            (Some(true), Some(false)) => Self::Winter,
            _ => Self::Offset(offset),
        })
    }

    /// In words, to be put behind the hour: `2 h 30 heure d’été`.
    #[must_use]
    pub fn words(self, locale: Locale) -> String {
        match self {
            Self::Summer => locale.pick("heure d’été", "summer time").to_owned(),
            Self::Winter => locale.pick("heure d’hiver", "winter time").to_owned(),
            Self::Offset(offset) => ahead_of_utc(offset),
        }
    }
}

/// `UTC+2`, `UTC−3:30`.
fn ahead_of_utc(offset: Offset) -> String {
    let sign = if offset.is_negative() { '−' } else { '+' };
    let minutes = offset.seconds().unsigned_abs() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Summer => f.write_str("summer"),
            Self::Winter => f.write_str("winter"),
            Self::Offset(offset) => f.write_str(&ahead_of_utc(*offset)),
        }
    }
}

impl Serialize for Turn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whose clock it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct StudioClock {
    /// The zone, an IANA name.
    pub timezone: String,
    /// The same for people, in French: `heure de Bruxelles`.
    pub timezone_fr: String,
    /// In English: `Brussels time`.
    pub timezone_en: String,
}

impl StudioClock {
    #[must_use]
    pub fn of(zone: &TimeZone) -> Self {
        Self {
            timezone: zone.iana_name().unwrap_or("UTC").to_owned(),
            timezone_fr: whose_clock(zone, Locale::Fr),
            timezone_en: whose_clock(zone, Locale::En),
        }
    }
}

/// Whose clock it is: `heure de Paris`, `Paris time`.
#[must_use]
pub fn whose_clock(zone: &TimeZone, locale: Locale) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    let known = places::PLACES.binary_search_by_key(&name, |(zone, ..)| zone).ok();
    let known = known.and_then(|index| places::PLACES.get(index));
    // `America/Argentina/Salta` is Salta.
    let place = name.rsplit('/').next().unwrap_or(name).replace('_', " ");
    match (known, locale) {
        (Some((_, place, _)), Locale::Fr) => format!("heure {place}"),
        (Some((_, _, place)), Locale::En) => format!("{place} time"),
        // A distance from UTC is no place.
        (None, _) if !name.contains('/') => name.to_owned(),
        (None, _) if name.starts_with("Etc/") => ahead_of_utc(zone.to_offset(Timestamp::UNIX_EPOCH)),
        (None, Locale::En) => format!("{place} time"),
        (None, Locale::Fr) if place.starts_with(['A', 'E', 'I', 'O', 'U']) => format!("heure d’{place}"),
        (None, Locale::Fr) => format!("heure de {place}"),
    }
}

#[cfg(test)]
mod tests;
