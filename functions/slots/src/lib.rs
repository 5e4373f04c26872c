//! `GET /api/calendar/slots`: the free slots of an artist for a flash or a project, for up to 31 days.
//! One flight to the database, and one call to Cal.com when the artist uses it and nobody has asked a moment ago.

pub mod api;

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::Serialize;
use shared::calcom::calendars::{Calendars, Look};
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::domain::ids::FlashId;
use shared::domain::local::LocalTime;
use shared::domain::slots::{DayView, MAX_DAYS, reach};
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::net;

/// How many days are shown when nobody says.
const DEFAULT_DAYS: u8 = 7;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub calendars: Calendars,
    pub clock: Clock,
    /// The site, which knows who is looking.
    pub web: Web,
}

impl App {
    pub fn from_env(web: &Web) -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            calendars: Calendars::from_env(http)?,
            clock: config::clock()?,
            web: web.clone(),
        })
    }
}

/// The answer.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct SlotsView<'a> {
    /// The artist's slug.
    pub artist: &'a str,
    /// Their zone: the dates are its.
    pub timezone: &'a str,
    /// The date there, now.
    pub today: Date,
    /// How long the appointment takes.
    pub duration_minutes: u32,
    /// The last date that can be booked.
    pub bookable_until: Date,
    /// One entry a day, also for a day without slots.
    pub days: Vec<DayView>,
}

struct Query {
    artist: String,
    date: Option<Date>,
    days: u8,
    flash: Option<FlashId>,
}

fn parse(request: &Request) -> Result<Query, Error> {
    let mut fields = Fields::default();
    let artist = http::query(request, "artist")?;
    if artist.is_none() {
        fields.refuse("/artist", "is missing: the artist's slug");
    }
    let date = http::query(request, "date")?.and_then(|text| {
        // Postgres knows no instant before 4713 BC.
        let date = text.parse::<Date>().ok().filter(|date| date.year() > 0);
        fields.keep("/date", date.ok_or(()), |()| "must be a date such as 2026-12-01".to_owned())
    });
    let days = match http::query(request, "days")? {
        None => Some(DEFAULT_DAYS),
        Some(text) => {
            let days = text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
            fields.keep("/days", days.ok_or(()), |()| format!("must be a number from 1 to {MAX_DAYS}"))
        }
    };
    let flash = http::query(request, "flash")?
        .and_then(|text| fields.keep("/flash", text.parse::<FlashId>(), |_| "must be the id of a flash".to_owned()));
    match (artist, days) {
        (Some(artist), Some(days)) if fields.is_empty() => Ok(Query { artist, date, days, flash }),
        _ => Err(fields.into_error()),
    }
}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`: unknown artist or flash, malformed query, a calendar that does not answer.
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::GET {
        return Err(Error::MethodNotAllowed);
    }
    let query = parse(&request)?;
    let now = app.clock.now();
    // Before the artist's zone is known, today may be yesterday or tomorrow: two days earlier spans every zone.
    let window = match query.date {
        Some(date) => reach(date, query.days),
        None => reach(now.to_zoned(TimeZone::UTC).date().saturating_sub(2.days()), query.days.saturating_add(4)),
    };
    let visitor = app.db.nickname(app.web.network(&request).near());
    let look = Look { slug: &query.artist, flash: query.flash, from: query.date, window, visitor: &visitor };
    let (agenda, schedule) = app.calendars.look(&app.db, &look, now).await?.ok_or(Error::NotFound)?;
    if query.flash.is_some() && agenda.flash.is_none() {
        return Err(shared::domain::refusal::Refusal::FlashUnavailable.into());
    }
    let today = LocalTime::of(now, &agenda.artist.zone).date();
    let from = query.date.unwrap_or(today);
    let bookable_until = agenda.bookable_until(now);
    let duration_minutes = agenda.duration_minutes();
    http::reply(
        StatusCode::OK,
        &SlotsView {
            artist: &agenda.artist.slug,
            timezone: &agenda.artist.zone_name,
            today,
            duration_minutes,
            bookable_until,
            days: schedule.shown(from, query.days, duration_minutes, &agenda.artist.policy, now),
        },
    )
}
