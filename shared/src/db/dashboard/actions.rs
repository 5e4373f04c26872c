//! What the artist writes beside a booking's life: a note, a job that begins anew, a mail asked for again.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::auth::Account;
use crate::db::{Db, RELAY_AFTER, Repeat, get, insert_jobs, job_rows};
use crate::domain::booking::HistoryKind;
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::Task;
use crate::domain::refusal::Refusal;
use crate::domain::time::after;
use crate::error::Error;

/// What came of a write to one booking: no artist, not theirs, or what the statement says.
fn found(row: Option<Row>) -> Result<Row, Error> {
    let row = row.ok_or(Error::NoArtist)?;
    if get(&row, "found")? { Ok(row) } else { Err(Error::NotFound) }
}

/// Keeps the artist's note. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn write_note(db: &Db, user: Account, id: BookingId, note: &str, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"with me as (select id from artists where user_id = account($1)), noted as (
             update bookings b set note = $3, updated_at = $4 from me where b.id = $2 and b.artist_id = me.id returning b.id
         ) select exists (select from noted) as found from me";
    let params = [
        (&user as _, Type::UUID_ARRAY),
        (&id.uuid() as _, Type::UUID),
        (&note as _, Type::TEXT),
        (&now as _, Type::TIMESTAMPTZ),
    ];
    found(db.row(Repeat::Safe, SQL, &params).await?).map(drop)
}

/// Lets a job that had failed begin anew, and writes that into the history. One flight.
///
/// # Errors
/// The account has no artist, the booking or the job is not theirs, the job has not failed, or the database failed.
pub async fn retry_job(db: &Db, user: Account, id: BookingId, job: JobId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"with me as (select id from artists where user_id = account($1)), mine as (
             select o.id, o.kind, b.id as booking_id from me join bookings b on b.artist_id = me.id
             join outbox o on o.booking_id = b.id where b.id = $2 and o.id = $3
         ), again as (
             update outbox o set done_at = null, outcome = null, last_error = null, attempts = 0, locked_until = null, relay_at = $5
             from mine where o.id = mine.id and job_failed(o.outcome, o.last_error) returning o.id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select mine.booking_id, $4, 'artist', 'job_retried', jsonb_build_object('kind', mine.kind) from mine, again
         ) select exists (select from mine) as found, exists (select from again) as again from me";
    let relay_at = after(now, RELAY_AFTER);
    let row = db
        .row(
            // Sent twice, the second finds a job that has not failed: said to be impossible, and done all the same.
            Repeat::Unsafe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&id.uuid(), Type::UUID),
                (&job.uuid(), Type::UUID),
                (&now, Type::TIMESTAMPTZ),
                (&relay_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let row = found(row)?;
    if get(&row, "again")? { Ok(()) } else { Err(Refusal::NotPossible.into()) }
}

/// Adds a job for a booking of the artist, unless the same wish is there already, and writes into the history what was
/// asked. Gives the new job. One flight.
///
/// # Errors
/// The account has no artist, the booking is not theirs, or the database failed.
pub async fn add_job(
    db: &Db,
    user: Account,
    task: &Task,
    history: (HistoryKind, Value),
    now: Timestamp,
) -> Result<Option<JobId>, Error> {
    const SQL: &str = concat!(
        r"with me as (select id from artists where user_id = account($1)), mine as materialized (
             select b.id from me join bookings b on b.artist_id = me.id where b.id = $2
         ), jobs as (",
        insert_jobs!("$3", "mine, "),
        r"), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select mine.id, $4, 'artist', $5, $6 from mine, jobs
         ) select exists (select from mine) as found, (select id from jobs) as job from me"
    );
    let jobs = job_rows(std::slice::from_ref(task), 0, now, now);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&task.booking().map(|booking| booking.uuid()), Type::UUID),
                (&jobs, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&history.0.name(), Type::TEXT),
                (&history.1, Type::JSONB),
            ],
        )
        .await?;
    Ok(get::<Option<Uuid>>(&found(row)?, "job")?.map(JobId::new))
}
