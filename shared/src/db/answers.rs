//! What Cal.com said of an artist's free times a moment ago, and how often it is asked.
//!
//! Its 120 calls a minute belong to the artist, and one visitor must not use them up.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::artists::{Agenda, read_agenda};
use super::{Db, Repeat, get};
use crate::domain::ids::{ArtistId, FlashId};
use crate::domain::slots::Interval;
use crate::domain::time::before;
use crate::error::Error;

/// How long an answer is as good as a new one.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_secs(15);

/// How long an answer is better than none, while Cal.com must not be asked.
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How often Cal.com is asked in a minute for one visitor.
pub const FOR_ONE: i32 = 30;

/// The window of the counts.
const WINDOW: i64 = 60;

/// The times that somebody looks at.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub shown: Interval,
    /// What Cal.com is asked about for them.
    pub asked: Interval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    pub artist: ArtistId,
    pub event_type: i64,
    /// How long the appointment takes.
    pub minutes: u32,
    pub window: Interval,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The free starts.
    pub starts: Vec<Timestamp>,
    pub at: Timestamp,
}

/// What is known before Cal.com is asked.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The newest answer that is kept.
    pub answered: Option<Answered>,
    /// How often Cal.com was asked for this artist's pages in the current minute, this time included; nothing for a visitor
    /// who has had their share.
    pub asked_by_all: i32,
    /// How often of it for this visitor.
    pub asked_by_one: i32,
}

/// The agenda of an artist at the times that are shown, with what is known of Cal.com at those that it is asked about. What `told` holds
/// is kept for others. One flight.
pub async fn agenda_to_show(
    db: &Db,
    slug: &str,
    flash: Option<FlashId>,
    times: Times,
    visitor: &str,
    told: &[(Asked, Answered)],
    now: Timestamp,
) -> Result<Option<(Agenda, Known)>, Error> {
    const SQL: &str = r"select a.*, k.* from agenda($1, $2, $3, $4) a cross join lateral calendar_known(
             a.artist_id, case when a.cal_com_api_key is not null then a.cal_com_event_type_id end,
             coalesce(a.flash_duration_minutes, a.project_duration_minutes), $11, $12, $5, $6, $7, $8, $9, $10) k";
    let told: Value = told
        .iter()
        .map(|(asked, answered)| {
            json!({
                "artist_id": asked.artist, "event_type": asked.event_type, "minutes": asked.minutes,
                "window_start": asked.window.start, "window_end": asked.window.end,
                "starts": answered.starts, "asked_at": answered.at,
            })
        })
        .collect();
    let before = |age| before(now, age);
    let minute = Timestamp::from_second(now.as_second().div_euclid(WINDOW) * WINDOW).unwrap_or(now);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&slug, Type::TEXT),
                (&flash.map(FlashId::uuid), Type::UUID),
                (&times.shown.start, Type::TIMESTAMPTZ),
                (&times.shown.end, Type::TIMESTAMPTZ),
                (&told, Type::JSONB),
                (&visitor, Type::TEXT),
                (&minute, Type::TIMESTAMPTZ),
                (&before(FRESH_FOR), Type::TIMESTAMPTZ),
                (&before(KNOWN_FOR), Type::TIMESTAMPTZ),
                (&FOR_ONE, Type::INT4),
                (&times.asked.start, Type::TIMESTAMPTZ),
                (&times.asked.end, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let answered = match get::<Option<Timestamp>>(&row, "kept_at")? {
        None => None,
        Some(at) => Some(Answered { starts: get(&row, "kept_starts")?, at }),
    };
    let known = Known { answered, asked_by_all: get(&row, "asked_by_all")?, asked_by_one: get(&row, "asked_by_one")? };
    Ok(Some((read_agenda(&row)?, known)))
}
