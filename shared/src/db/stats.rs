//! The figures of the dashboard.
//!
//! What each one counts is said in SQL (`dashboard_stats` in the migrations); which month of the studio it falls into is
//! decided here, by the zones of this program and not by those of the server.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_postgres::types::Type;

use super::{Db, Repeat, get, get_json, get_zone};
use crate::auth::Account;
use crate::domain::ids::BookingId;
use crate::domain::local::{Appointment, LocalTime};
use crate::error::Error;
use crate::redact::without_values;

/// The months of the curve.
const MONTHS: i32 = 12;

/// The figures of the dashboard.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Stats {
    /// The artist's zone, an IANA name: what a month is.
    pub timezone: String,
    /// The date there, now.
    pub today: Date,
    /// Always `eur`.
    pub currency: &'static str,
    /// This month, e.g. `2026-11`.
    pub month: String,
    /// Captured less refunded, this month.
    pub revenue_cents: i64,
    /// Received this month.
    pub captured_cents: i64,
    /// Given back or lost to a dispute this month; positive.
    pub refunded_cents: i64,
    /// What is in hand for confirmed appointments that are still to come.
    pub deposits_held_cents: i64,
    /// Confirmed appointments that are not over.
    pub upcoming_count: i64,
    /// Holds that are not paid yet.
    pub pending_count: i64,
    /// Bookings that wait for the artist.
    pub to_do_count: i64,
    /// Of the appointments that were due in the months of the curve: those that were called off.
    pub cancellations: Cancellations,
    /// Of the appointments that took place in the months of the curve: those that nobody came to.
    pub no_shows: NoShows,
    /// The next appointment.
    pub next: Option<Next>,
    /// The last twelve months, oldest first.
    pub curve: Vec<Month>,
}

/// How many of the confirmed appointments that were due were called off.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct Cancellations {
    /// So many.
    pub cancelled: i64,
    /// Of so many.
    pub ended: i64,
}

/// How many of the appointments that took place were missed.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct NoShows {
    /// So many.
    pub no_show: i64,
    /// Of so many.
    pub ended: i64,
}

/// The next appointment, in a few words.
#[derive(Clone, Serialize, schemars::JsonSchema)]
pub struct Next {
    /// The booking.
    pub id: BookingId,
    /// What it is called; empty for a project.
    pub title: String,
    /// Who comes.
    pub client_name: String,
    /// When it takes place.
    #[serde(flatten)]
    pub appointment: Appointment,
}

impl std::fmt::Debug for Next {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Next").field("id", &self.id).finish_non_exhaustive()
    }
}

/// One month of the curve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Month {
    /// E.g. `2026-11`.
    pub month: String,
    /// Received.
    pub captured_cents: i64,
    /// Given back or lost; positive.
    pub refunded_cents: i64,
    /// The difference.
    pub revenue_cents: i64,
}

/// The statement of the figures, for the test that asks Postgres how it goes about it.
pub const STATS_SQL: &str = "select a.timezone, s.* from artists a cross join lateral dashboard_stats(a.id, $2, $3) s where a.user_id = account($1)";

/// The midnights of UTC at the beginning of each month that may be part of the curve, in whichever zone the studio is.
pub fn months_of_utc(now: Timestamp) -> Vec<Timestamp> {
    let this_month = Offset::UTC.to_datetime(now).date().first_of_month();
    (-MONTHS..=1)
        .filter_map(|months| this_month.checked_add(months.months()).ok())
        .filter_map(|month| Offset::UTC.to_timestamp(DateTime::from(month)).ok())
        .collect()
}

/// What moved in a stretch of time that lies within one month of any zone.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Moved(Timestamp, i64, i64);

/// What was due in one: cancelled, stood, missed, took place.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Due(Timestamp, i64, i64, i64, i64);

/// The twelve months up to `this`, with what moved in each.
fn curve(this: Date, moved: &[Moved], zone: &TimeZone) -> Vec<Month> {
    let mut months: BTreeMap<Date, (i64, i64)> =
        (0..MONTHS).map(|back| (this.saturating_sub(back.months()), (0, 0))).collect();
    for Moved(first, captured, left_over) in moved {
        if let Some(month) = months.get_mut(&LocalTime::of(*first, zone).date().first_of_month()) {
            month.0 += captured;
            month.1 += left_over;
        }
    }
    months
        .into_iter()
        .map(|(month, (captured_cents, revenue_cents))| Month {
            month: month.strftime("%Y-%m").to_string(),
            captured_cents,
            // What was refunded or lost is all that is not left: a refund that fails comes back.
            refunded_cents: captured_cents - revenue_cents,
            revenue_cents,
        })
        .collect()
}

/// The figures of an artist. One flight.
///
/// # Errors
/// The account has no artist, or the database failed.
pub async fn stats(db: &Db, user: Account, now: Timestamp) -> Result<Stats, Error> {
    let params = [
        (&user as _, Type::UUID_ARRAY),
        (&now as _, Type::TIMESTAMPTZ),
        (&months_of_utc(now) as _, Type::TIMESTAMPTZ_ARRAY),
    ];
    let row = db.row(Repeat::Safe, STATS_SQL, &params).await?.ok_or(Error::NoArtist)?;
    let zone = get_zone(&row, "timezone")?;
    let today = LocalTime::of(now, &zone).date();
    let curve = curve(today.first_of_month(), &get_json::<Vec<Moved>>(&row, "moved")?, &zone);
    let this = curve.last().cloned().ok_or_else(|| Error::Internal("a curve without months".into()))?;
    let since = today.first_of_month().saturating_sub((MONTHS - 1).months());
    let due = get_json::<Vec<Due>>(&row, "due")?;
    let due = || due.iter().filter(|due| LocalTime::of(due.0, &zone).date() >= since);
    let number = |column| get::<i64>(&row, column);
    Ok(Stats {
        timezone: get(&row, "timezone")?,
        today,
        currency: "eur",
        month: this.month,
        revenue_cents: this.revenue_cents,
        captured_cents: this.captured_cents,
        refunded_cents: this.refunded_cents,
        deposits_held_cents: number("deposits_held_cents")?,
        upcoming_count: number("upcoming_count")?,
        pending_count: number("pending_count")?,
        to_do_count: number("to_do_count")?,
        cancellations: Cancellations { cancelled: due().map(|due| due.1).sum(), ended: due().map(|due| due.2).sum() },
        no_shows: NoShows { no_show: due().map(|due| due.3).sum(), ended: due().map(|due| due.4).sum() },
        next: match get::<Option<Value>>(&row, "next")? {
            None => None,
            Some(next) => Some(next_of(next, &zone)?),
        },
        curve,
    })
}

/// The next appointment, on the clock it was made for, else on the artist's.
fn next_of(value: Value, home: &TimeZone) -> Result<Next, Error> {
    #[derive(Deserialize)]
    struct Stored {
        id: BookingId,
        title: String,
        client_name: String,
        start: Timestamp,
        end: Timestamp,
        timezone: Option<String>,
    }
    let Stored { id, title, client_name, start, end, timezone } =
        serde_json::from_value(value).map_err(|error| Error::Internal(without_values(&error)))?;
    let zone =
        timezone.map(|name| TimeZone::get(&name)).transpose().map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Next { id, title, client_name, appointment: Appointment::of(start, end, zone.as_ref().unwrap_or(home)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stretches that `dashboard_stats` cuts time into.
    fn edges(now: Timestamp) -> Vec<Timestamp> {
        let quarter = |month: &Timestamp, quarter: i64| *month + jiff::SignedDuration::from_mins(15 * quarter);
        months_of_utc(now).iter().flat_map(|month| (-56..=48).map(|n| quarter(month, n))).collect()
    }

    #[test]
    fn no_stretch_of_time_lies_in_two_months_of_any_zone() {
        let now: Timestamp = "2027-02-01T08:00:00Z".parse().expect("an instant");
        for name in jiff::tz::db().available() {
            let zone = TimeZone::get(name.as_str()).expect("a zone");
            let month = |instant| LocalTime::of(instant, &zone).date().first_of_month();
            for pair in edges(now).windows(2) {
                let [first, next] = pair else { unreachable!("windows of two") };
                let last = *next - jiff::SignedDuration::from_micros(1);
                assert_eq!(month(*first), month(last), "{name}: {first} to {last}");
            }
            let (begin, end) = (edges(now)[0], edges(now)[edges(now).len() - 1]);
            let eleven_before = month(now).saturating_sub((MONTHS - 1).months());
            assert!(month(begin) < eleven_before || LocalTime::of(begin, &zone).date() <= eleven_before, "{name}");
            assert!(month(end) > month(now), "{name}: this month ends within");
        }
    }

    #[test]
    fn money_falls_into_the_month_that_the_studio_s_clock_shows() {
        let at = |text: &str| text.parse::<Timestamp>().expect("an instant");
        for (name, instant, month) in [
            ("Europe/Paris", "2026-12-31T23:00:00Z", "2027-01"),
            // Morocco keeps no summer time any more: tables of 2025 say January.
            ("Africa/Casablanca", "2026-12-31T23:30:00Z", "2026-12"),
            // British Columbia and Manitoba keep theirs all year: older tables say December, and the 31st of January.
            ("America/Vancouver", "2027-01-01T07:15:00Z", "2027-01"),
            ("America/Winnipeg", "2027-02-01T05:15:00Z", "2027-02"),
        ] {
            let zone = TimeZone::get(name).expect("a zone");
            let this = LocalTime::of(at("2027-02-10T12:00:00Z"), &zone).date().first_of_month();
            let curve = curve(this, &[Moved(at(instant), 5_000, 3_000)], &zone);
            assert_eq!(curve.len(), 12);
            let moved: Vec<&Month> = curve.iter().filter(|month| month.captured_cents != 0).collect();
            let expected =
                Month { month: month.into(), captured_cents: 5_000, refunded_cents: 2_000, revenue_cents: 3_000 };
            assert_eq!(moved, [&expected], "{name}");
        }
    }
}
