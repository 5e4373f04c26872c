//! Instants, a while before and after each other.

use jiff::{SignedDuration, Timestamp};

/// So long after `at`; the end of time at most.
#[must_use]
pub fn after(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// So long before `at`; the beginning of time at least.
#[must_use]
pub fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
