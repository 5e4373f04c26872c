//! Counts of what somebody does in an hour. Functions share nothing else than the database.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::{Db, Repeat, get};
use crate::error::Error;

const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Counts one more of each (what, by whom) in the current hour. Gives the counts in the same order, and when the hour
/// ends. Only a pseudonym says by whom. One flight.
pub async fn count(db: &Db, counters: &[(&str, &str)], now: Timestamp) -> Result<(Vec<i32>, Timestamp), Error> {
    const SQL: &str = r"with wanted as (
             select w.bucket, w.place from jsonb_to_recordset($1) as w(bucket text, place integer)
         ), counted as (
             insert into rate_limits (bucket, window_start, count) select bucket, $2, 1 from wanted order by bucket
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count
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

/// How many counters one try meets at most.
const LONGEST: usize = 5;

/// One more of the counter at `$place`, if the one `$before` it was counted and within its bounds.
macro_rules! next {
    ($name:literal, $place:literal, $before:literal) => {
        concat!(
            ", ",
            $name,
            r" as (insert into rate_limits (bucket, window_start, count)
                 select w.bucket, $2, 1 from wanted w where w.place = ",
            $place,
            " and exists (select from ",
            $before,
            r" b join wanted o using (bucket) where b.count <= o.allowed)
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count)"
        )
    };
}

/// Counts as [`count`] does, but each only while all before it are within their bounds.
///
/// So somebody who is refused for themselves uses up nothing of what many have together, if that comes later. Gives the
/// counts as far as it came, whether all were within bounds, and when the hour ends. One flight. At most five counters.
///
/// # Errors
/// The database failed, or there are more.
pub async fn count_within(
    db: &Db,
    chain: &[Allowed<'_>],
    now: Timestamp,
) -> Result<(Vec<i32>, bool, Timestamp), Error> {
    const SQL: &str = concat!(
        r"with wanted as (
             select w.* from jsonb_to_recordset($1) as w(bucket text, place integer, allowed integer)
         ), c0 as (insert into rate_limits (bucket, window_start, count)
                 select w.bucket, $2, 1 from wanted w where w.place = 0
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count)",
        next!("c1", "1", "c0"),
        next!("c2", "2", "c1"),
        next!("c3", "3", "c2"),
        next!("c4", "4", "c3"),
        r", counted as (select * from c0 union all select * from c1 union all select * from c2
             union all select * from c3 union all select * from c4)
         select c.count, c.count <= w.allowed as within from counted c join wanted w using (bucket) order by w.place"
    );
    if chain.len() > LONGEST {
        return Err(Error::Internal(format!("{} counters are more than one statement counts", chain.len())));
    }
    let buckets: Value = chain
        .iter()
        .enumerate()
        .map(|(place, (what, whom, allowed))| {
            json!({ "bucket": bucket(db, what, whom), "place": place, "allowed": allowed })
        })
        .collect();
    let (begin, end) = hour(now);
    let rows = db.rows(Repeat::Safe, SQL, &[(&buckets, Type::JSONB), (&begin, Type::TIMESTAMPTZ)]).await?;
    let mut counts = Vec::new();
    let mut is_within = rows.len() == chain.len();
    for row in &rows {
        is_within &= get::<bool>(row, "within")?;
        counts.push(get(row, "count")?);
    }
    Ok((counts, is_within, end))
}
