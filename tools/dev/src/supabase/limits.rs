//! The limits of a project, by address: a bucket of thirty for each group of calls, filled at a project's own pace
//! (<https://supabase.com/docs/guides/auth/rate-limits>).

use std::collections::HashMap;

use jiff::Timestamp;

/// What a bucket holds.
const CAPACITY: f64 = 30.0;

/// The buckets, by group and address: what is in each, and since when.
pub(super) type Buckets = HashMap<(&'static str, String), (f64, Timestamp)>;

/// The group that a path is counted in, and how many of it an hour brings.
fn group(path: &str) -> Option<(&'static str, f64)> {
    match path {
        "token" => Some(("token", 1800.0)),
        "verify" => Some(("verify", 360.0)),
        "otp" | "signup" => Some(("mail", 360.0)),
        _ => None,
    }
}

/// Takes one call of this address, if there is one left.
pub(super) fn take(buckets: &mut Buckets, path: &str, address: &str, now: Timestamp) -> bool {
    let Some((group, an_hour)) = group(path) else { return true };
    let (left, since) = buckets.entry((group, address.to_owned())).or_insert((CAPACITY, now));
    let hours = now.duration_since(*since).as_secs_f64().max(0.0) / 3600.0;
    *left = CAPACITY.min(*left + hours * an_hour);
    *since = now;
    let may = *left >= 1.0;
    if may {
        *left -= 1.0;
    }
    may
}
