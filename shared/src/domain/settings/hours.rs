//! When the artist works: weekly hours on their wall clock, and time off.

use jiff::tz::{AmbiguousTimestamp, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Flaws;
use super::profile::zone;

const DAY: u16 = 24 * 60;

/// Openings of a week; three a day are more than anybody has.
const MOST_OPENINGS: usize = 50;

/// Time off in one piece.
const LONGEST: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

/// One opening, in words: `{"weekday": 2, "opens": "10:00", "closes": "24:00"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OpeningWords {
    /// ISO 8601: 1 is Monday, 7 is Sunday.
    pub weekday: i64,
    /// `HH:MM` on the artist's wall clock.
    pub opens: String,
    /// `HH:MM`; `24:00` is the end of the day.
    pub closes: String,
}

/// One opening of a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// ISO 8601: 1 is Monday, 7 is Sunday.
    pub weekday: i16,
    /// Minutes since local midnight.
    pub opens: u16,
    /// Minutes since local midnight; 1440 is the end of the day.
    pub closes: u16,
}

impl Opening {
    #[must_use]
    pub fn words(self) -> OpeningWords {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        OpeningWords { weekday: self.weekday.into(), opens: clock(self.opens), closes: clock(self.closes) }
    }
}

/// Reads the hours of a week, in order. Openings may touch, not overlap.
///
/// # Errors
/// Names every opening, by its place, that is wrong.
pub fn week(given: &[OpeningWords]) -> Result<Vec<Opening>, Flaws> {
    let mut flaws = Flaws::default();
    if given.len() > MOST_OPENINGS {
        flaws.add("/hours", format!("{MOST_OPENINGS} plages au plus."), format!("At most {MOST_OPENINGS} openings."));
        return Err(flaws);
    }
    let mut week: Vec<(usize, Opening)> = Vec::with_capacity(given.len());
    for (place, words) in given.iter().enumerate() {
        let at = |field: &str| format!("/hours/{place}/{field}");
        let weekday = flaws.number(&at("weekday"), Some(words.weekday), 1, 7);
        let opens = clock(&mut flaws, at("opens"), &words.opens);
        let closes = clock(&mut flaws, at("closes"), &words.closes);
        let (Some(weekday), Some(opens), Some(closes)) = (weekday, opens, closes) else { continue };
        if opens >= closes {
            flaws.add(
                at("closes"),
                "L’heure de fin doit suivre l’heure de début. Pour finir après minuit, finissez à 24:00 et \
                 rouvrez le lendemain à 00:00.",
                "It must close after it opens. To work past midnight, close at 24:00 and open the next day at 00:00.",
            );
            continue;
        }
        let opening = Opening { weekday: i16::try_from(weekday).unwrap_or_default(), opens, closes };
        let overlaps = |other: &Opening| {
            other.weekday == opening.weekday && other.opens < opening.closes && opening.opens < other.closes
        };
        if week.iter().any(|(_, other)| overlaps(other)) {
            flaws.add(
                format!("/hours/{place}"),
                "Cette plage en recouvre une autre du même jour.",
                "This opening overlaps another one of the same day.",
            );
        }
        week.push((place, opening));
    }
    if !flaws.is_empty() {
        return Err(flaws);
    }
    let mut week: Vec<Opening> = week.into_iter().map(|(_, opening)| opening).collect();
    week.sort_unstable();
    Ok(week)
}

/// Minutes since midnight of `HH:MM`; the seconds that some browsers add must be none.
fn clock(flaws: &mut Flaws, pointer: String, text: &str) -> Option<u16> {
    let two = |part: &str| if part.len() == 2 { part.parse::<u16>().ok() } else { None };
    let text = text.trim();
    let text = text.strip_suffix(":00").filter(|short| short.len() == 5).unwrap_or(text);
    let minutes = text.split_once(':').and_then(|(hours, minutes)| {
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        (minutes < 60).then_some(hours * 60 + minutes).filter(|minute| *minute <= DAY)
    });
    if minutes.is_none() {
        flaws.add(pointer, "Indiquez une heure entre 00:00 et 24:00.", "Enter a time between 00:00 and 24:00.");
    }
    minutes
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOff {
    /// Its first instant.
    pub starts_at: Timestamp,
    /// The first instant after it.
    pub ends_at: Timestamp,
    /// For the artist alone.
    pub note: String,
}

impl TimeOff {
    /// Reads time off. Its ends are instants, or hours on the clock of `timezone`.
    pub fn parse(
        starts_at: Option<&str>,
        ends_at: Option<&str>,
        note: Option<&str>,
        timezone: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let zone = timezone.and_then(|name| zone(Some(name), &mut flaws)).and_then(|name| TimeZone::get(&name).ok());
        // An hour that comes twice is off both times.
        let starts_at = instant(&mut flaws, "/starts_at", starts_at, zone.as_ref(), AmbiguousTimestamp::earlier);
        let ends_at = instant(&mut flaws, "/ends_at", ends_at, zone.as_ref(), AmbiguousTimestamp::later);
        let note = flaws.line("/note", note, 0, 200);
        if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at) {
            if ends_at <= starts_at {
                flaws.add("/ends_at", "La fin doit suivre le début.", "It must end after it starts.");
            } else if ends_at <= now {
                flaws.add("/ends_at", "Cette période est déjà passée.", "This time is over already.");
            } else if ends_at.duration_since(starts_at) > LONGEST {
                flaws.add("/ends_at", "Deux ans au plus d’un seul tenant.", "At most two years in one piece.");
            }
        }
        match (starts_at, ends_at, note) {
            (Some(starts_at), Some(ends_at), Some(note)) if flaws.is_empty() => Ok(Self { starts_at, ends_at, note }),
            _ => Err(flaws),
        }
    }
}

fn instant(
    flaws: &mut Flaws,
    pointer: &str,
    given: Option<&str>,
    zone: Option<&TimeZone>,
    which: fn(AmbiguousTimestamp) -> Result<Timestamp, jiff::Error>,
) -> Option<Timestamp> {
    let text = given.unwrap_or_default().trim();
    if text.is_empty() {
        flaws.missing(pointer);
        return None;
    }
    // Postgres knows no instant before 4713 BC and writes years of four digits here.
    let on_the_clock = || which(zone?.to_ambiguous_timestamp(text.parse().ok()?)).ok();
    let instant = text.parse().ok().or_else(on_the_clock).filter(|at: &Timestamp| *at > Timestamp::UNIX_EPOCH);
    if instant.is_none() {
        flaws.add(
            pointer,
            "L’heure doit être au format RFC 3339, par exemple 2026-12-01T09:00:00Z, ou sans décalage avec `timezone`.",
            "The time must be RFC 3339, e.g. 2026-12-01T09:00:00Z, or without an offset together with `timezone`.",
        );
    }
    instant
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pointers;
    use super::*;

    fn opening(weekday: i64, opens: &str, closes: &str) -> OpeningWords {
        OpeningWords { weekday, opens: opens.into(), closes: closes.into() }
    }

    #[test]
    fn a_week_is_sorted_and_may_run_until_midnight() {
        let read = week(&[opening(5, "14:00", "24:00"), opening(5, "10:00:00", "13:00"), opening(2, "00:00", "00:05")]);
        let read = read.expect("fine");
        assert_eq!(
            read,
            [
                Opening { weekday: 2, opens: 0, closes: 5 },
                Opening { weekday: 5, opens: 600, closes: 780 },
                Opening { weekday: 5, opens: 840, closes: 1_440 },
            ]
        );
        assert_eq!(read[2].words(), opening(5, "14:00", "24:00"));
        assert_eq!(week(&[]), Ok(Vec::new()), "an artist may be closed");
    }

    #[test]
    fn openings_may_touch_but_not_overlap() {
        assert!(week(&[opening(1, "10:00", "12:00"), opening(1, "12:00", "14:00")]).is_ok());
        assert!(week(&[opening(1, "10:00", "12:00"), opening(2, "11:00", "14:00")]).is_ok());
        let flaws = week(&[opening(1, "10:00", "12:00"), opening(1, "11:59", "14:00")]).expect_err("they overlap");
        assert_eq!(pointers(&flaws), ["/hours/1"]);
    }

    #[test]
    fn each_opening_that_is_wrong_is_named_by_its_place() {
        let flaws = week(&[
            opening(0, "10:00", "12:00"),
            opening(1, "10:00", "24:01"),
            opening(1, "25:00", "1:00"),
            opening(1, "12:00", "12:00"),
            opening(8, "", "12:60"),
        ]);
        assert_eq!(
            pointers(&flaws.expect_err("all wrong")),
            [
                "/hours/0/weekday",
                "/hours/1/closes",
                "/hours/2/opens",
                "/hours/2/closes",
                "/hours/3/closes",
                "/hours/4/weekday",
                "/hours/4/opens",
                "/hours/4/closes",
            ]
        );
        let many = vec![opening(1, "10:00", "12:00"); 51];
        assert_eq!(pointers(&week(&many).expect_err("too many")), ["/hours"]);
    }

    #[test]
    fn time_off_lies_ahead_and_has_a_length() {
        let now: Timestamp = "2026-12-01T09:00:00Z".parse().expect("an instant");
        let off = |from, to| TimeOff::parse(Some(from), Some(to), Some("Turin"), None, now);
        assert!(off("2026-11-30T00:00:00+01:00", "2026-12-02T00:00:00+01:00").is_ok(), "it may have begun");
        for (from, to) in [
            ("2026-12-03T00:00:00Z", "2026-12-03T00:00:00Z"),
            ("2026-12-03T00:00:00Z", "2026-12-02T00:00:00Z"),
            ("2026-11-01T00:00:00Z", "2026-12-01T09:00:00Z"),
            ("2026-12-03T00:00:00Z", "2029-12-03T00:00:00Z"),
        ] {
            assert_eq!(pointers(&off(from, to).expect_err(to)), ["/ends_at"]);
        }
        let flaws = TimeOff::parse(Some("tomorrow"), None, Some("a\nb"), None, now).expect_err("all wrong");
        assert_eq!(pointers(&flaws), ["/starts_at", "/ends_at", "/note"]);
    }

    #[test]
    fn time_off_is_told_on_the_studio_s_clock() {
        let now: Timestamp = "2026-12-01T09:00:00Z".parse().expect("an instant");
        let off = |from, to, zone| TimeOff::parse(Some(from), Some(to), None, Some(zone), now);
        for (zone, from, to, starts, ends) in [
            // British Columbia stays on summer time from November 2026 on.
            (
                "America/Vancouver",
                "2027-01-15T09:00",
                "2027-01-15T18:00",
                "2027-01-15T16:00:00Z",
                "2027-01-16T01:00:00Z",
            ),
            // The hour that comes twice is off twice, the one that never comes is off as well.
            ("Europe/Paris", "2027-10-31T02:15", "2027-10-31T02:45", "2027-10-31T00:15:00Z", "2027-10-31T01:45:00Z"),
            ("Europe/Paris", "2027-03-28T02:15", "2027-03-28T02:45", "2027-03-28T00:15:00Z", "2027-03-28T01:45:00Z"),
            // An offset says it all.
            (
                "Europe/Paris",
                "2027-01-15T09:00+02:00",
                "2027-01-15T09:00",
                "2027-01-15T07:00:00Z",
                "2027-01-15T08:00:00Z",
            ),
        ] {
            let read = off(from, to, zone).expect(from);
            assert_eq!((read.starts_at.to_string(), read.ends_at.to_string()), (starts.into(), ends.into()));
        }
        let flaws = off("2027-01-15T09:00", "2027-01-15T18:00", "Mars/Base").expect_err("no such zone");
        assert_eq!(pointers(&flaws), ["/timezone", "/starts_at", "/ends_at"]);
    }

    proptest! {
        #[test]
        fn what_is_read_can_be_written_and_read_again(day in 1_i16..=7, opens in 0_u16..1_440, length in 1_u16..=1_440) {
            let opening = Opening { weekday: day, opens, closes: (opens + length).min(1_440) };
            prop_assert_eq!(week(&[opening.words()]), Ok(vec![opening]));
        }

        #[test]
        fn no_text_makes_the_clock_panic(text in "\\PC{0,9}") {
            let _ = week(&[OpeningWords { weekday: 1, opens: text.clone(), closes: text }]);
        }
    }
}
