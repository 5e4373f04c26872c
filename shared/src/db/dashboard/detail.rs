//! Everything about one of the artist's bookings.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Type;

use super::list::{Listed, listed};
use crate::auth::Account;
use crate::db::bookings::euros_opt;
use crate::db::{Db, Repeat, get, get_json};
use crate::domain::booking::{Actor, HistoryKind};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::{JobState, MailState, Occasion, TaskKind, Template};
use crate::domain::money::Cents;
use crate::error::Error;

/// One line of the history.
#[derive(Debug, Clone, Deserialize)]
pub struct TimelineLine {
    pub at: Timestamp,
    pub actor: Actor,
    pub kind: HistoryKind,
    pub data: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub struct MailRow {
    pub template: Template,
    pub occasion: Occasion,
    pub recipient: String,
    pub status: MailState,
    pub sent_at: Option<Timestamp>,
    /// Why it was refused.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct JobRow {
    pub id: JobId,
    pub kind: TaskKind,
    /// Which mail, of one that sends one.
    pub template: Option<Template>,
    /// Tells two wanted mails of one template apart.
    pub occasion: Option<Occasion>,
    /// How often it was begun.
    pub attempts: i32,
    /// Until when somebody is at it.
    pub locked_until: Option<Timestamp>,
    /// How it ended, once it has.
    pub outcome: Option<JobState>,
    pub last_error: Option<String>,
    /// It will not be done by itself.
    pub failed: bool,
}

/// Everything the dashboard shows of one booking.
#[derive(Debug)]
pub struct Detail {
    pub listed: Listed,
    /// What the client wants, of a project: description, place on the body, budget.
    pub project: Option<(String, String, Option<Cents>)>,
    pub note: String,
    /// What Cal.com said.
    pub calendar_note: Option<String>,
    /// The history, oldest first.
    pub timeline: Vec<TimelineLine>,
    /// The mails, oldest first.
    pub mails: Vec<MailRow>,
    /// The jobs, oldest first.
    pub jobs: Vec<JobRow>,
}

/// Reads one booking of the artist. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn detail(db: &Db, user: Account, id: BookingId, now: Timestamp) -> Result<Detail, Error> {
    const SQL: &str = include_str!("../sql/dashboard_detail.sql");
    let row = db
        .row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ), (&id.uuid(), Type::UUID)])
        .await?
        .ok_or(Error::NoArtist)?;
    if get(&row, "missing")? {
        return Err(Error::NotFound);
    }
    let project = match get::<Option<String>>(&row, "project_description")? {
        None => None,
        Some(description) => {
            let zone = get::<Option<String>>(&row, "project_body_zone")?.unwrap_or_default();
            Some((description, zone, euros_opt(&row, "project_budget")?))
        }
    };
    Ok(Detail {
        listed: listed(&row, 0)?,
        project,
        note: get(&row, "note")?,
        calendar_note: get(&row, "calendar_note")?,
        timeline: get_json(&row, "timeline")?,
        mails: get_json(&row, "mails")?,
        jobs: get_json(&row, "jobs")?,
    })
}
