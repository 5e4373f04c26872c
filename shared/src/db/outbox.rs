//! Jobs: claimed by lease, worked on with no transaction open, recorded once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get, get_json};
use crate::domain::ids::JobId;
use crate::domain::job::Task;
use crate::domain::time::after;
use crate::error::Error;

/// A job that is ours to do until its lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    pub id: JobId,
    pub task: Task,
    /// How often it was begun, this time included.
    pub attempts: i32,
    /// When the lease ends; also what proves it is still ours.
    pub locked_until: Timestamp,
}

/// What came of trying to claim a job.
#[derive(Debug, Clone)]
pub enum Claim {
    Ours(Claimed),
    /// Somebody else is at it, or at another calendar job of the same booking, until then.
    Leased(Timestamp),
    /// It is done, or there is no such job.
    Nothing,
}

/// Tries to claim a job for `lease`. One flight.
///
/// Two calendar jobs of one booking never run at the same time: Cal.com has no idempotency key, so two
/// that both look and then write could book twice.
pub async fn claim(db: &Db, job: JobId, lease: Duration, now: Timestamp) -> Result<Claim, Error> {
    const SQL: &str = include_str!("sql/claim_job.sql");
    let locked_until = later(now, lease);
    let row = db
        .row(
            // An answer that was lost leaves the lease behind: the second try sees it as somebody else's and waits.
            Repeat::Safe,
            SQL,
            &[(&job.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ), (&locked_until, Type::TIMESTAMPTZ)],
        )
        .await?;
    let Some(row) = row else { return Ok(Claim::Nothing) };
    match get::<Option<i32>>(&row, "attempts")? {
        Some(attempts) => Ok(Claim::Ours(Claimed { id: job, task: get_json(&row, "args")?, attempts, locked_until })),
        None => {
            let until: Option<Timestamp> = get(&row, "leased_until")?;
            Ok(Claim::Leased(until.unwrap_or(now)))
        }
    }
}

/// How a job ended for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending<'a> {
    /// The effect is made.
    Done,
    /// It can never be made; the reason is kept.
    Discarded(&'a str),
    /// The last attempt failed; kept until somebody redrives it.
    Dead(&'a str),
    /// To be tried again after a while.
    Again { after: Duration, why: &'a str },
}

/// Records how a claimed job ended, unless the lease was lost meanwhile. One flight.
pub async fn record(db: &Db, job: &Claimed, ending: &Ending<'_>, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"with ended as (
             update outbox set locked_until = null, done_at = case when $4::text is null then null else $3 end,
                 outcome = $4, last_error = $5, relay_at = coalesce($6, relay_at)
             where id = $1 and locked_until = $2 and done_at is null returning id, booking_id, kind
         ), calendar as (
             update bookings b set calendar_locked_until = null from ended e
             where b.id = e.booking_id and e.kind = 'sync_calendar' and b.calendar_locked_until = $2
         ) select id from ended";
    let (outcome, error, relay_at) = match ending {
        Ending::Done => (Some("done"), None, None),
        Ending::Discarded(why) => (Some("discarded"), Some(*why), None),
        Ending::Dead(why) => (Some("dead"), Some(*why), None),
        // The message itself comes back after the delay; the relay is only for a message that was lost.
        Ending::Again { after, why } => (None, Some(*why), Some(later(later(now, *after), Duration::from_secs(30)))),
    };
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&job.id.uuid(), Type::UUID),
                (&job.locked_until, Type::TIMESTAMPTZ),
                (&now, Type::TIMESTAMPTZ),
                (&outcome, Type::TEXT),
                (&error, Type::TEXT),
                (&relay_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// The jobs that should have been done by now and are not, oldest first, put off so that the next sweep
/// does not send them again at once. One flight.
pub async fn overdue(db: &Db, limit: i64, now: Timestamp) -> Result<Vec<JobId>, Error> {
    const SQL: &str = r"with late as materialized (
             select id from outbox where done_at is null and relay_at <= $1 and (locked_until is null or locked_until <= $1)
             order by relay_at limit $2 for update skip locked)
         update outbox o set relay_at = $3 from late where o.id = late.id returning o.id";
    let again = after(now, RELAY_AGAIN);
    let rows = db
        .rows(Repeat::Safe, SQL, &[(&now, Type::TIMESTAMPTZ), (&limit, Type::INT8), (&again, Type::TIMESTAMPTZ)])
        .await?;
    rows.iter().map(|row| Ok(JobId::new(get::<Uuid>(row, "id")?))).collect()
}

/// Puts jobs back in the sweeper's reach at once: the queue did not take them. One flight.
pub async fn not_sent(db: &Db, jobs: &[JobId], now: Timestamp) -> Result<(), Error> {
    let ids: Vec<Uuid> = jobs.iter().map(|job| job.uuid()).collect();
    db.rows(
        Repeat::Safe,
        "update outbox set relay_at = $2 where id = any($1) and done_at is null",
        &[(&ids, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ)],
    )
    .await?;
    Ok(())
}

/// How long a job that was sent again is left alone: a queue with a backlog is not made longer each minute.
const RELAY_AGAIN: SignedDuration = SignedDuration::from_mins(3);

pub(super) fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.saturating_add(by).ok()).unwrap_or(Timestamp::MAX)
}
