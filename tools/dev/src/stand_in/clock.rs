//! A clock that runs with the machine's and can be shifted.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

#[derive(Default)]
pub(crate) struct Clock {
    shift_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn shifted_by(seconds: i64) -> Self {
        Self { shift_ms: AtomicI64::new(seconds.saturating_mul(1000)) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond().saturating_add(self.shift_ms.load(Ordering::SeqCst));
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn now_unix(&self) -> i64 {
        self.now().as_second()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.shift_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn set_shift_seconds(&self, seconds: i64) {
        self.shift_ms.store(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    pub(crate) fn shift_seconds(&self) -> i64 {
        self.shift_ms.load(Ordering::SeqCst) / 1000
    }
}
