//! `/api/dashboard/hours` and `/api/dashboard/time-off`: when the artist works.

use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::db::settings::hours as store;
use shared::db::settings::hours::StoredTimeOff;
use shared::domain::ids::{BookingId, TimeOffId};
use shared::domain::settings::hours::{Opening, OpeningWords, TimeOff, week};
use shared::error::Error;
use shared::http::{self, Reply};
use uuid::Uuid;

use crate::{Asked, body};

/// A week.
#[derive(Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Hours {
    /// Its openings, in order.
    pub hours: Vec<OpeningWords>,
}

impl Hours {
    fn of(week: Vec<Opening>) -> Self {
        Self { hours: week.into_iter().map(Opening::words).collect() }
    }
}

/// Time off as it comes in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct TimeOffInput {
    /// RFC 3339, or without an offset as the clock of `timezone` shows it.
    #[schemars(required)]
    starts_at: Option<String>,
    /// As `starts_at`.
    #[schemars(required)]
    ends_at: Option<String>,
    note: Option<String>,
    /// On whose clock times without an offset are told: the artist's zone, an IANA name.
    timezone: Option<String>,
}

/// The time off that is not over.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TimeOffList {
    /// In order.
    pub time_off: Vec<StoredTimeOff>,
}

/// Time off that was taken.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TakenOff {
    /// The time off.
    #[serde(flatten)]
    pub time_off: StoredTimeOff,
    /// Appointments that lie in it. They stand: each is the artist's to move or to cancel.
    pub conflicts: Vec<BookingId>,
}

pub(crate) async fn show(asked: &Asked<'_>) -> Reply {
    let week = store::read(&asked.app.db, asked.who.account()).await?;
    http::reply(StatusCode::OK, &Hours::of(week))
}

pub(crate) async fn save(asked: &Asked<'_>) -> Reply {
    let input: Hours = body(asked.request)?;
    let week = week(&input.hours).map_err(|flaws| asked.refuse(flaws))?;
    store::write(&asked.app.db, asked.who.account(), &week).await?;
    http::reply(StatusCode::OK, &Hours::of(week))
}

pub(crate) async fn list_time_off(asked: &Asked<'_>) -> Reply {
    let time_off = store::time_off(&asked.app.db, asked.who.account(), asked.now).await?;
    http::reply(StatusCode::OK, &TimeOffList { time_off })
}

pub(crate) async fn take_off(asked: &Asked<'_>) -> Reply {
    let input: TimeOffInput = body(asked.request)?;
    let TimeOffInput { starts_at, ends_at, note, timezone } = &input;
    let [starts_at, ends_at, note, timezone] = [starts_at, ends_at, note, timezone].map(Option::as_deref);
    let off = TimeOff::parse(starts_at, ends_at, note, timezone, asked.now).map_err(|flaws| asked.refuse(flaws))?;
    let id = TimeOffId::new(Uuid::now_v7());
    let taken = store::take_off(&asked.app.db, asked.who.account(), id, off, asked.now).await?;
    let Some((time_off, conflicts)) = taken else {
        return Err(asked.refuse_field(
            "/starts_at",
            "Vous avez déjà 200 périodes d’absence à venir.",
            "You already have 200 stretches of time off ahead.",
        ));
    };
    http::reply(StatusCode::CREATED, &TakenOff { time_off, conflicts })
}

pub(crate) async fn delete_time_off(asked: &Asked<'_>, id: &str) -> Reply {
    let id: TimeOffId = id.parse().map_err(|_| Error::NotFound)?;
    if store::delete_time_off(&asked.app.db, asked.who.account(), id).await? {
        Ok(http::no_content())
    } else {
        Err(Error::NotFound)
    }
}
