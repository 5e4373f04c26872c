//! The one place where a function reads the time. Everything below it gets `now` as an argument.

use crate::domain::time::after;
use jiff::{SignedDuration, Timestamp};

/// A clock, perhaps shifted: `make dev` moves it to see a hold lapse.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    shift: SignedDuration,
}

impl Clock {
    /// A clock that is ahead by `shift`.
    pub fn shifted(shift: SignedDuration) -> Self {
        Self { shift }
    }

    /// The current instant, in whole microseconds as Postgres keeps it.
    #[expect(clippy::disallowed_methods, reason = "the one reader of the system's clock")]
    pub fn now(self) -> Timestamp {
        let now = after(Timestamp::now(), self.shift);
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}
