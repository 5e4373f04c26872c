//! What ties Cal.com to bookings: whose webhook it is, which events were heard, which bookings to ask about.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get, insert_jobs, job_ids, job_rows};
use crate::auth::Account;
use crate::domain::booking::Outcome;
use crate::domain::ids::{ArtistId, BookingId, JobId};
use crate::domain::job::Task;
use crate::domain::refusal::Refusal;
use crate::domain::time::before;
use crate::error::Error;

/// What a webhook says about whom it is for.
#[derive(Debug, Default, Clone)]
pub struct Clues {
    /// The artist named in the address it was sent to.
    pub artist: Option<ArtistId>,
    /// Our booking, from the metadata.
    pub booking: Option<BookingId>,
    /// Cal.com's uids of it.
    pub uids: Vec<String>,
    pub event_type: Option<i64>,
    /// The artist's name at Cal.com.
    pub username: Option<String>,
}

/// What stands for the id that Cal.com does not give.
#[derive(Debug, Clone, Copy)]
pub struct Occurrence<'a> {
    pub uid: &'a str,
    /// What happened, in Cal.com's word, e.g. `BOOKING_CANCELLED`.
    pub trigger: &'a str,
    /// When, by Cal.com's clock.
    pub created_at: Timestamp,
}

/// Whom a webhook is for.
#[derive(Debug, Clone)]
pub struct Subscriber {
    pub artist: ArtistId,
    /// What the artist's webhooks are signed with, sealed.
    pub sealed_secret: Option<Vec<u8>>,
    /// The booking it is about.
    pub booking: Option<BookingId>,
    /// It was heard before.
    pub is_known: bool,
}

/// Finds the artist of a webhook: by the booking, else by the address, else by the event type. One flight.
///
/// A booking of another artist than the address names is nobody's: each artist signs for their own.
pub async fn subscriber(db: &Db, clues: &Clues, occurrence: &Occurrence<'_>) -> Result<Option<Subscriber>, Error> {
    const SQL: &str = r"with booking as materialized (
             select id, artist_id from bookings where (id = $1 or cal_com_booking_id = any($2))
                 and ($5::uuid is null or artist_id = $5)
             order by (id = $1) desc nulls last limit 1
         ) select a.id, a.cal_com_webhook_secret, (select id from booking) as booking_id,
             exists (select from calcom_events e where e.uid = $6 and e.trigger_event = $7 and e.created_at = $8) as is_known
         from artists a where a.id = coalesce((select artist_id from booking), $5,
             (select x.id from artists x where x.cal_com_event_type_id = $3 and x.cal_com_username = $4 limit 1))";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&clues.booking.map(BookingId::uuid), Type::UUID),
                (&clues.uids, Type::TEXT_ARRAY),
                (&clues.event_type, Type::INT8),
                (&clues.username, Type::TEXT),
                (&clues.artist.map(ArtistId::uuid), Type::UUID),
                (&occurrence.uid, Type::TEXT),
                (&occurrence.trigger, Type::TEXT),
                (&occurrence.created_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    row.map(|row| {
        Ok(Subscriber {
            artist: ArtistId::new(get(&row, "id")?),
            sealed_secret: get(&row, "cal_com_webhook_secret")?,
            booking: get::<Option<Uuid>>(&row, "booking_id")?.map(BookingId::new),
            is_known: get(&row, "is_known")?,
        })
    })
    .transpose()
}

/// Records a webhook with what came of it. The payload holds a person's name and address and is not kept. One flight.
pub async fn record(
    db: &Db,
    occurrence: &Occurrence<'_>,
    booking: Option<BookingId>,
    outcome: Outcome,
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = r"insert into calcom_events (uid, trigger_event, created_at, received_at, booking_id, outcome, payload)
         values ($1, $2, $3, $4, $5, $6, '{}') on conflict do nothing";
    db.rows(
        Repeat::Safe,
        SQL,
        &[
            (&occurrence.uid, Type::TEXT),
            (&occurrence.trigger, Type::TEXT),
            (&occurrence.created_at, Type::TIMESTAMPTZ),
            (&now, Type::TIMESTAMPTZ),
            (&booking.map(BookingId::uuid), Type::UUID),
            (&outcome.name(), Type::TEXT),
        ],
    )
    .await?;
    Ok(())
}

/// What a webhook says of a cancellation, as it is kept: Cal.com itself does not tell whether its host called the booking
/// off or asked for another time.
pub fn hint(uid: &str, reschedule: bool) -> String {
    format!("{}:{uid}", if reschedule { "reschedule" } else { "cancelled" })
}

/// Whether this booking of Cal.com's was called off to ask for another time; none when no webhook told.
pub fn is_reschedule(hint: Option<&str>, uid: &str) -> Option<bool> {
    let (word, of) = hint?.split_once(':')?;
    (of == uid).then_some(word == "reschedule")
}

/// Lets the next sweep ask Cal.com about a booking, with what was told of it, however lately it changed. One flight.
pub async fn ask_soon(db: &Db, booking: BookingId, hint: Option<&str>) -> Result<(), Error> {
    db.rows(
        Repeat::Safe,
        "update bookings set calendar_checked_at = 'epoch', calendar_hint = coalesce($2, calendar_hint) where id = $1",
        &[(&booking.uuid(), Type::UUID), (&hint, Type::TEXT)],
    )
    .await?;
    Ok(())
}

/// Notes since when Cal.com does not find a booking that it had; it is looked for again soon. One flight.
pub async fn is_missing(db: &Db, booking: BookingId, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update bookings set calendar_missing_since = coalesce(calendar_missing_since, $2),
         calendar_checked_at = $2 where id = $1";
    db.rows(Repeat::Safe, SQL, &[(&booking.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ)]).await?;
    Ok(())
}

/// Notes that Cal.com finds a booking again. One flight.
pub async fn is_found(db: &Db, booking: BookingId) -> Result<(), Error> {
    const SQL: &str = "update bookings set calendar_missing_since = null where id = $1";
    db.rows(Repeat::Safe, SQL, &[(&booking.uuid(), Type::UUID)]).await?;
    Ok(())
}

/// Puts a booking that was called off in Cal.com back there. One flight.
///
/// What was cancelled counts as cancelled by ourselves, and the calendar's job makes another.
///
/// # Errors
/// [`Refusal::NotPossible`] when nothing waits to be put back, [`Refusal::ChangedMeanwhile`] when it is not the version
/// that was shown, or the database failed.
pub async fn put_back(
    db: &Db,
    user: Account,
    booking: BookingId,
    version: i32,
    now: Timestamp,
) -> Result<Vec<JobId>, Error> {
    const SQL: &str = concat!(
        r"with shown as materialized (
             select b.id, b.version, b.calendar_state = 'called_off' and b.status in ('pending', 'confirmed') as possible
             from bookings b join artists a on a.id = b.artist_id
             where b.id = $1 and a.user_id = account($2) for update of b
         ), go as materialized (select id from shown where possible and version = $3),
         moved as (
             update bookings b set calendar_state = 'removed', calendar_note = null, calendar_missing_since = null,
                 updated_at = $4 from go where b.id = go.id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind) select id, $4, 'artist', 'calendar_put_back' from go
         ), jobs as (",
        insert_jobs!("$5", "go, "),
        ") select version, possible, array(select id from jobs) as jobs from shown"
    );
    let tasks = [Task::SyncCalendar { booking }];
    let mut jobs = job_rows(&tasks, version, now, now);
    // Each press is a wish of its own: the job of this version ran long ago.
    jobs[0]["dedupe_key"] = format!("sync_calendar:{booking}:{version}:put_back:{}", now.as_millisecond()).into();
    let row = db
        .row(
            Repeat::Unsafe,
            SQL,
            &[
                (&booking.uuid(), Type::UUID),
                (&user, Type::UUID_ARRAY),
                (&version, Type::INT4),
                (&now, Type::TIMESTAMPTZ),
                (&jobs, Type::JSONB),
            ],
        )
        .await?
        .ok_or(Error::NotFound)?;
    if get::<i32>(&row, "version")? != version {
        return Err(Refusal::ChangedMeanwhile.into());
    }
    if !get::<bool>(&row, "possible")? {
        return Err(Refusal::NotPossible.into());
    }
    job_ids(&row, "jobs")
}

/// True while a job is at work, or about to be, on what Cal.com has of a booking: what is there now may be on its way
/// to something else. One flight.
pub async fn is_busy(db: &Db, booking: BookingId, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"select exists (select from outbox o where o.booking_id = $1 and o.kind = 'sync_calendar' and o.done_at is null)
             or exists (select from bookings b where b.id = $1 and b.calendar_locked_until > $2) as busy";
    let row = db
        .row(Repeat::Safe, SQL, &[(&booking.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ)])
        .await?
        .ok_or_else(|| Error::Internal("a question answers one row".into()))?;
    get(&row, "busy")
}

/// The bookings that Cal.com was not asked about since `asked_before`, the least recently asked first; notes that they
/// are being asked about now. One flight.
///
/// Those whose appointment is to come and that Cal.com should have, or should not have any more. Where a job is open,
/// it will look itself. One of which something was heard ([`ask_soon`]) was asked about at the epoch.
pub async fn due(db: &Db, asked_before: Timestamp, limit: i64, now: Timestamp) -> Result<Vec<BookingId>, Error> {
    const SQL: &str = r"with chosen as materialized (
             select b.id from bookings b where (b.calendar_state in ('synced', 'waiting', 'called_off')
                     or b.calendar_state = 'failed' and b.status = 'cancelled') and b.ends_at > $3
                 and (b.updated_at < $4 or b.calendar_checked_at = 'epoch') and (b.calendar_checked_at is null or b.calendar_checked_at < $1
                     or b.calendar_missing_since is not null and b.calendar_checked_at < $5)
                 and not exists (select from outbox o where o.booking_id = b.id and o.kind = 'sync_calendar' and o.done_at is null)
             order by b.calendar_checked_at nulls first limit $2 for update skip locked
         ) update bookings b set calendar_checked_at = $3 from chosen where b.id = chosen.id returning b.id";
    let settled = before(now, SETTLED);
    let rows = db
        .rows(
            Repeat::Safe,
            SQL,
            &[
                (&asked_before, Type::TIMESTAMPTZ),
                (&limit, Type::INT8),
                (&now, Type::TIMESTAMPTZ),
                (&settled, Type::TIMESTAMPTZ),
                (&before(now, SEARCHED), Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(BookingId::new(get(row, "id")?))).collect()
}

/// A booking that changed a moment ago is left alone: somebody is at it.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);

/// What Cal.com does not find is looked for this often.
const SEARCHED: SignedDuration = SignedDuration::from_mins(5);

/// Begins the calendar's job of a booking anew: Cal.com is not what it was when the last one was done. One flight.
pub async fn sync_again(db: &Db, booking: BookingId, now: Timestamp) -> Result<Vec<JobId>, Error> {
    const SQL: &str = r"insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at)
         select $2, 'sync_calendar', b.id, $3, 'sync_calendar:' || b.id || ':' || b.version || ':again:' || $4, $5, $6
         from bookings b where b.id = $1
             and not exists (select from outbox o where o.booking_id = b.id and o.kind = 'sync_calendar' and o.done_at is null)
         on conflict (dedupe_key) do nothing returning id";
    let task = json!(Task::SyncCalendar { booking });
    // At most one a minute, whoever asks for it.
    let minute = (now.as_second() / 60).to_string();
    let relay_at = super::outbox::later(now, std::time::Duration::from_secs(30));
    let rows = db
        .rows(
            Repeat::Safe,
            SQL,
            &[
                (&booking.uuid(), Type::UUID),
                (&Uuid::now_v7(), Type::UUID),
                (&task, Type::JSONB),
                (&minute, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
                (&relay_at, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    rows.iter().map(|row| Ok(JobId::new(get::<Uuid>(row, "id")?))).collect()
}
