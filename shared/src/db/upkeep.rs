//! Forgets what has served its time: rate-limit counters, idempotency keys, what became of a network's holds, what Cal.com said
//! a while ago, and sessions whose last token has run out.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;

use super::{Db, Repeat, get};
use crate::domain::time::before;
use crate::error::Error;

/// Counters are of use for an hour, the endings of holds for a day, keys for as long as a client may repeat a request.
const COUNTERS: SignedDuration = SignedDuration::from_hours(24);
const KEYS: SignedDuration = SignedDuration::from_hours(72);

/// Longer than any answer is shown.
const ANSWERS: SignedDuration = SignedDuration::from_hours(1);

/// Supabase lets no access token live longer than a week.
const SESSIONS: SignedDuration = SignedDuration::from_hours(8 * 24);

/// How long what people left here is kept, in days. SECURITY.md and the legal page say the same.
const UNPAID: i32 = 30;
const MAILS: i32 = 365;
const JOBS: i32 = 90;
const EVENTS: i32 = 1;
const PAID: i32 = 3653;

/// The most rows of each kind that one sweep forgets.
const MOST: i32 = 200;

/// Forgets the people behind holds that were never paid, old mails, jobs, events, links and pictures, and appointments of ten
/// years ago. Gives how many rows. One flight.
pub async fn forget_people(db: &Db, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str =
        "select coalesce(sum(rows_forgotten), 0)::bigint as forgotten from forget_people($1, $2, $3, $4, $5, $6, $7)";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&now, Type::TIMESTAMPTZ),
                (&UNPAID, Type::INT4),
                (&MAILS, Type::INT4),
                (&JOBS, Type::INT4),
                (&EVENTS, Type::INT4),
                (&PAID, Type::INT4),
                (&MOST, Type::INT4),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("forgetting answers one row".into()))?;
    Ok(u64::try_from(get::<i64>(&row, "forgotten")?).unwrap_or_default())
}

/// Deletes old counters, keys, endings, answers and ended sessions, at most a thousand of each. Returns how many. One flight.
pub async fn forget(db: &Db, now: Timestamp) -> Result<u64, Error> {
    const SQL: &str = r"with counters as (
             delete from rate_limits where ctid in (select ctid from rate_limits where window_start < $1 limit 1000) returning 1
         ), keys as (
             delete from idempotency_keys where ctid in (select ctid from idempotency_keys where created_at < $2 limit 1000) returning 1
         ), answers as (
             delete from calendar_answers where ctid in (select ctid from calendar_answers where asked_at < $3 limit 1000)
         ), endings as (
             delete from hold_endings where ctid in (select ctid from hold_endings where ended_at < $1 limit 1000)
         ), sessions as (
             delete from ended_sessions where ctid in (
                 select ctid from ended_sessions where confirmed and ended_at < $4 limit 1000)
         ) select (select count(*) from counters) + (select count(*) from keys) as forgotten";
    let before = |age| before(now, age);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&before(COUNTERS), Type::TIMESTAMPTZ),
                (&before(KEYS), Type::TIMESTAMPTZ),
                (&before(ANSWERS), Type::TIMESTAMPTZ),
                (&before(SESSIONS), Type::TIMESTAMPTZ),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("forgetting answers one row".into()))?;
    Ok(u64::try_from(get::<i64>(&row, "forgotten")?).unwrap_or_default())
}
