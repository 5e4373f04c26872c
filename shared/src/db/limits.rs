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
        .map(|(place, (what, whom))| json!({ "bucket": format!("{what}:{}", db.nickname(whom)), "place": place }))
        .collect();
    let length = WINDOW.as_secs();
    let begin = now.as_second().div_euclid(length) * length;
    let at = |second| Timestamp::from_second(second).unwrap_or(now);
    // Sent twice it counts twice, which errs on the safe side.
    let rows = db.rows(Repeat::Safe, SQL, &[(&buckets, Type::JSONB), (&at(begin), Type::TIMESTAMPTZ)]).await?;
    let counts = rows.iter().map(|row| get(row, "count")).collect::<Result<_, _>>()?;
    Ok((counts, at(begin + length)))
}
