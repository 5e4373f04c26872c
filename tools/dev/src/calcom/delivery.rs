//! One webhook sent: how it is signed, and what came of it.

use jiff::Timestamp;
use serde::Serialize;

use crate::stand_in::hmac_sha256_hex;

/// The `X-Cal-Signature-256` header of a payload; without a secret Cal.com sends these very words.
#[must_use]
pub fn sign(payload: &str, secret: Option<&str>) -> String {
    secret.map_or_else(
        || "no-secret-provided".to_owned(),
        |secret| hmac_sha256_hex(secret.as_bytes(), payload.as_bytes()),
    )
}

/// One webhook sent.
#[derive(Clone, Debug, Serialize)]
pub struct Delivery {
    /// What it tells: `BOOKING_CREATED`, …
    pub trigger: String,
    pub url: String,
    /// The exact body.
    pub payload: String,
    /// The signature header.
    pub signature: String,
    /// When, by the stand-in's clock.
    pub at: Timestamp,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// Why no answer came.
    pub error: Option<String>,
}
