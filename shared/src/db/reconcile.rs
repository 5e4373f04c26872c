//! What the sweeper asks the database about: looks at other people's lists, refunds that are open, jobs that were given up.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Db, Repeat, get, get_json};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::time::after;
use crate::error::Error;

/// Takes the look `name` if it is due, for `lease`: none when it is not, or when somebody else is looking. One flight.
///
/// What is given is where the last look stopped; the default when it came to its end.
pub async fn begin<T: DeserializeOwned + Default>(
    db: &Db,
    name: &str,
    lease: SignedDuration,
    now: Timestamp,
) -> Result<Option<T>, Error> {
    const SQL: &str = r"insert into reconcilers (name, due_at) values ($1, $3)
         on conflict (name) do update set due_at = $3 where reconcilers.due_at <= $2 returning state";
    let until = after(now, lease);
    let row = db
        .row(
            // An answer that was lost leaves the lease behind: the next sweep goes on.
            Repeat::Safe,
            SQL,
            &[(&name, Type::TEXT), (&now, Type::TIMESTAMPTZ), (&until, Type::TIMESTAMPTZ)],
        )
        .await?;
    row.map(|row| get_json::<Option<T>>(&row, "state").map(Option::unwrap_or_default)).transpose()
}

/// The look through Stripe's events.
pub const STRIPE_EVENTS: &str = "stripe_events";

/// Lets a look be taken no later than `at`. One flight.
pub async fn hurry(db: &Db, name: &str, at: Timestamp) -> Result<(), Error> {
    let sql = "update reconcilers set due_at = least(due_at, $2) where name = $1";
    db.rows(Repeat::Safe, sql, &[(&name, Type::TEXT), (&at, Type::TIMESTAMPTZ)]).await?;
    Ok(())
}

/// Notes how far a look has come and when it goes on. One flight.
pub async fn note<T: Serialize>(db: &Db, name: &str, state: &T, due_at: Timestamp) -> Result<(), Error> {
    let state = serde_json::to_value(state).map_err(|error| Error::Internal(error.to_string()))?;
    db.rows(
        Repeat::Safe,
        "update reconcilers set state = $2, due_at = $3 where name = $1",
        &[(&name, Type::TEXT), (&state, Type::JSONB), (&due_at, Type::TIMESTAMPTZ)],
    )
    .await?;
    Ok(())
}

/// Which of these events of Stripe were never recorded. One flight.
pub async fn unknown_events(db: &Db, ids: &[String]) -> Result<Vec<String>, Error> {
    const SQL: &str = r"select wanted.id from unnest($1) as wanted(id)
         where not exists (select from stripe_events e where e.id = wanted.id)";
    let rows = db.rows(Repeat::Safe, SQL, &[(&ids, Type::TEXT_ARRAY)]).await?;
    rows.iter().map(|row| get(row, "id")).collect()
}

/// A booking whose money moves at Stripe: on its way back, or contested.
#[derive(Debug, Clone)]
pub struct MovingMoney {
    pub booking: BookingId,
    /// The connected account; none is the platform's own.
    pub account: Option<String>,
    /// The payments that reached it.
    pub payment_intents: Vec<String>,
    /// A job is at it.
    pub under_way: bool,
}

/// The bookings whose refund is open and that Stripe was not asked about since `asked_before`, the least recently
/// asked first; notes that they are being asked about now. One flight.
pub async fn open_refunds(
    db: &Db,
    asked_before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<MovingMoney>, Error> {
    const SQL: &str = r"with chosen as materialized (
             select id from bookings where payment_status = 'refund_pending' and updated_at < $1
                 and (stripe_checked_at is null or stripe_checked_at < $1)
             order by stripe_checked_at nulls first limit $2 for update skip locked
         ), noted as (update bookings set stripe_checked_at = $3 from chosen where bookings.id = chosen.id)
         select b.id, b.stripe_account_id,
             array(select distinct p.stripe_payment_intent_id from payments p where p.booking_id = b.id) as payment_intents,
             exists (select from outbox o where o.booking_id = b.id and o.kind in ('refund', 'settle_refunds', 'settle_payment')
                 and o.done_at is null) as under_way
         from bookings b join chosen on chosen.id = b.id";
    let rows = db
        .rows(Repeat::Safe, SQL, &[(&asked_before, Type::TIMESTAMPTZ), (&limit, Type::INT8), (&now, Type::TIMESTAMPTZ)])
        .await?;
    rows.iter().map(open).collect()
}

fn open(row: &Row) -> Result<MovingMoney, Error> {
    Ok(MovingMoney {
        booking: BookingId::new(get(row, "id")?),
        account: get(row, "stripe_account_id")?,
        payment_intents: get(row, "payment_intents")?,
        under_way: get(row, "under_way")?,
    })
}

/// The bookings with a dispute that is open and that Stripe was not asked about since `asked_before`, the least recently asked
/// first; notes that they are being asked about now. One flight.
///
/// # Errors
/// The database failed.
pub async fn open_disputes(
    db: &Db,
    asked_before: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<MovingMoney>, Error> {
    const SQL: &str = r"with chosen as materialized (
             select id, booking_id from disputes where not closed and asked_at < $1
             order by asked_at limit $2 for update skip locked
         ), noted as (update disputes set asked_at = $3 from chosen where disputes.id = chosen.id)
         select b.id, b.stripe_account_id,
             array(select distinct p.stripe_payment_intent_id from payments p where p.booking_id = b.id) as payment_intents,
             false as under_way
         from bookings b where b.id in (select booking_id from chosen)";
    let rows = db
        .rows(Repeat::Safe, SQL, &[(&asked_before, Type::TIMESTAMPTZ), (&limit, Type::INT8), (&now, Type::TIMESTAMPTZ)])
        .await?;
    rows.iter().map(open).collect()
}

/// Begins the refunds of a booking that were given up anew: money that is owed is not forgotten over an outage. One flight.
pub async fn revive_refunds(db: &Db, booking: BookingId, now: Timestamp) -> Result<Vec<JobId>, Error> {
    const SQL: &str = r"update outbox set done_at = null, outcome = null, attempts = 0, locked_until = null, relay_at = $3
         where booking_id = $1 and kind in ('refund', 'settle_refunds', 'settle_payment') and outcome = 'dead' and done_at <= $2 returning id";
    let relay_at = super::outbox::later(now, Duration::from_secs(30));
    let rows = db
        .rows(
            Repeat::Safe,
            SQL,
            &[(&booking.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ), (&relay_at, Type::TIMESTAMPTZ)],
        )
        .await?;
    rows.iter().map(|row| Ok(JobId::new(get::<Uuid>(row, "id")?))).collect()
}

/// The confirmed bookings whose appointment ended before `before`, the oldest first. One flight.
pub async fn over(db: &Db, before: Timestamp, limit: i64) -> Result<Vec<BookingId>, Error> {
    const SQL: &str = "select id from bookings where status = 'confirmed' and ends_at < $1 order by ends_at limit $2";
    let rows = db.rows(Repeat::Safe, SQL, &[(&before, Type::TIMESTAMPTZ), (&limit, Type::INT8)]).await?;
    rows.iter().map(|row| Ok(BookingId::new(get(row, "id")?))).collect()
}

/// How many jobs are given up and wait for somebody. One flight.
pub async fn dead_jobs(db: &Db) -> Result<usize, Error> {
    let row = db
        .row(Repeat::Safe, "select count(*) as dead from outbox where outcome = 'dead'", &[])
        .await?
        .ok_or_else(|| Error::Internal("a count answers one row".into()))?;
    Ok(usize::try_from(get::<i64>(&row, "dead")?).unwrap_or_default())
}
