//! Forgets what has served its time: rate-limit counters, idempotency keys, what became of a network's holds, and what
//! Cal.com said a while ago.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;

use super::{Db, Repeat, get};
use crate::error::Error;

/// Counters are of use for an hour, the endings of holds for a day, keys for as long as a client may repeat a request.
const COUNTERS: SignedDuration = SignedDuration::from_hours(24);
const KEYS: SignedDuration = SignedDuration::from_hours(72);

/// Longer than any answer is shown.
const ANSWERS: SignedDuration = SignedDuration::from_hours(1);

/// Deletes old counters, keys, endings and answers, at most a thousand of each. Returns how many. One flight.
///
/// # Errors
/// The database failed.
pub async fn forget(db: &Db, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = "with counters as ( \
             delete from rate_limits where ctid in (select ctid from rate_limits where window_start < $1 limit 1000) returning 1 \
         ), keys as ( \
             delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < $2 limit 1000) returning 1 \
         ), answers as ( \
             delete from calendar_answers where ctid in (select ctid from calendar_answers where asked_at < $3 limit 1000) \
         ), endings as ( \
             delete from hold_endings where ctid in (select ctid from hold_endings where ended_at < $1 limit 1000) \
         ) select (select count(*) from counters) + (select count(*) from keys) as forgotten";
    let before = |age| now.saturating_sub(age).unwrap_or(now);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&before(COUNTERS), Type::TIMESTAMPTZ),
                (&before(KEYS), Type::TIMESTAMPTZ),
                (&before(ANSWERS), Type::TIMESTAMPTZ),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("forgetting answers one row".into()))?;
    Ok(u64::try_from(get::<i64>(&row, "forgotten")?).unwrap_or_default())
}
