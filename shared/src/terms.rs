//! The cancellation policy of one appointment in words, with its own date on the studio's clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::locale::Locale;
use crate::domain::policy::CancellationPolicy;
use crate::mail::words::moment;

pub(crate) use crate::mail::words::clock as hour;

/// What a client who cancels gets back, as at `now`: until when all of it, or that this is over.
#[must_use]
pub fn of_appointment(
    policy: &CancellationPolicy,
    starts_at: Timestamp,
    zone: &TimeZone,
    locale: Locale,
    now: Timestamp,
) -> String {
    let until = policy.refundable_until(starts_at, now).map(|until| moment(until, zone, locale));
    policy.of_appointment(until.as_deref(), locale)
}
