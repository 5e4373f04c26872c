//! One try to deliver an event: how it is signed, and what came of it.

use jiff::Timestamp;
use serde::Serialize;

use crate::stand_in::hmac_sha256_hex;

/// The `Stripe-Signature` header of a payload.
#[must_use]
pub fn sign(payload: &str, secret: &str, now: i64) -> String {
    format!("t={now},v1={}", hmac_sha256_hex(secret.as_bytes(), format!("{now}.{payload}").as_bytes()))
}

/// One try to deliver one event.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    pub event_id: String,
    pub event_type: String,
    pub url: String,
    /// 1 for the first try.
    pub attempt: usize,
    /// When, by the stand-in's clock.
    pub at: Timestamp,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// Why no answer came.
    pub error: Option<String>,
}

impl Delivery {
    /// Whether the receiver took it: any 2xx.
    #[must_use]
    pub fn taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// How the events of one payment travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Travel {
    Normal,
    Lost,
    Late,
    Doubled,
}
