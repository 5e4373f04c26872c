//! Counts of what somebody does in an hour. Functions share nothing else than the database.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::{Db, Repeat, get};
use crate::error::Error;

/// The length of a window.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Counts one more of each (what, by whom) in the current hour. Gives the counts in the same order, and when the hour
/// ends. Only a pseudonym says by whom. One flight.
///
/// # Errors
/// The database failed.
pub async fn count(db: &Db, counters: &[(&str, &str)], now: Timestamp) -> Result<(Vec<i32>, Timestamp), Error> {
    const SQL: &str = "with wanted as ( \
             select w.bucket, w.place from jsonb_to_recordset($1) as w(bucket text, place integer) \
         ), counted as ( \
             insert into rate_limits (bucket, window_start, count) select bucket, $2, 1 from wanted order by bucket \
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count \
         ) select counted.count from counted join wanted using (bucket) order by wanted.place";
    let buckets: Value = counters
        .iter()
        .enumerate()
        .map(|(place, (what, whom))| json!({ "bucket": bucket(db, what, whom), "place": place }))
        .collect();
    let (begin, end) = hour(now);
    // Sent twice it counts twice, which errs on the safe side.
    let rows = db.rows(Repeat::Safe, SQL, &[(&buckets, Type::JSONB), (&begin, Type::TIMESTAMPTZ)]).await?;
    let counts = rows.iter().map(|row| get(row, "count")).collect::<Result<_, _>>()?;
    Ok((counts, end))
}

fn bucket(db: &Db, what: &str, whom: &str) -> String {
    format!("{what}:{}", db.nickname(whom))
}

/// When this hour began, and when it ends.
fn hour(now: Timestamp) -> (Timestamp, Timestamp) {
    let length = WINDOW.as_secs();
    let begin = now.as_second().div_euclid(length) * length;
    let at = |second| Timestamp::from_second(second).unwrap_or(now);
    (at(begin), at(begin + length))
}

/// What is counted, by whom, and how often an hour allows it.
pub type Allowed<'a> = (&'a str, &'a str, i32);

/// Counts as [`count`] does, and what comes `after` only while `first` is within its bounds.
///
/// Somebody who is refused as one alone uses up nothing of what many have together. Gives the counts of `after` in their order, whether something is
/// out of bounds, and when the hour ends. One flight.
///
/// # Errors
/// The database failed.
pub async fn count_within(
    db: &Db,
    first: Allowed<'_>,
    after: &[Allowed<'_>],
    now: Timestamp,
) -> Result<(Vec<i32>, bool, Timestamp), Error> {
    const SQL: &str = "with wanted as ( \
             select w.* from jsonb_to_recordset($1) as w(bucket text, place integer, allowed integer) \
         ), one as ( \
             insert into rate_limits (bucket, window_start, count) select bucket, $2, 1 from wanted where place = 0 \
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count \
         ), many as ( \
             insert into rate_limits (bucket, window_start, count) \
             select w.bucket, $2, 1 from wanted w, one join wanted o using (bucket) \
                 where w.place > 0 and one.count <= o.allowed order by w.bucket \
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count \
         ), counted as (select * from one union all select * from many) \
         select c.count, c.count <= w.allowed as within, w.place from counted c join wanted w using (bucket) order by w.place";
    let buckets: Value = std::iter::once(&first)
        .chain(after)
        .enumerate()
        .map(|(place, (what, whom, allowed))| {
            json!({ "bucket": bucket(db, what, whom), "place": place, "allowed": allowed })
        })
        .collect();
    let (begin, end) = hour(now);
    let rows = db.rows(Repeat::Safe, SQL, &[(&buckets, Type::JSONB), (&begin, Type::TIMESTAMPTZ)]).await?;
    let mut counts = Vec::new();
    let mut is_within = true;
    for row in &rows {
        is_within &= get::<bool>(row, "within")?;
        if get::<i32>(row, "place")? > 0 {
            counts.push(get(row, "count")?);
        }
    }
    Ok((counts, is_within, end))
}
