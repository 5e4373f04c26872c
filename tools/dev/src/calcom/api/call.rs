//! A call of Cal.com's API, and what the work gives.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::calcom::diary::Notice;
use crate::calcom::error::ApiError;
use crate::stand_in;

pub(super) const BOOKINGS_VERSION: &str = "2024-08-13";
pub(super) const SLOTS_VERSION: &str = "2024-09-04";
pub(super) const EVENT_TYPES_VERSION: &str = "2024-06-14";
pub(super) const OLDEST_VERSION: &str = "2024-04-15";
/// What an absent or unknown header does not fall back from.
pub(super) const VERSIONS: &[&str] =
    &[OLDEST_VERSION, "2024-06-11", EVENT_TYPES_VERSION, BOOKINGS_VERSION, SLOTS_VERSION];

/// A call, with what Cal.com's own rules read of it.
pub(super) struct Call(pub(super) stand_in::Call);

impl Deref for Call {
    type Target = stand_in::Call;

    fn deref(&self) -> &stand_in::Call {
        &self.0
    }
}

impl Call {
    /// The version asked for; a missing or unknown one is the oldest.
    pub(super) fn version(&self) -> &str {
        self.header("cal-api-version").filter(|version| VERSIONS.contains(version)).unwrap_or(OLDEST_VERSION)
    }

    pub(super) fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_str(&self.body).map_err(|error| ApiError::bad_request(error.to_string()))
    }

    pub(super) fn no_route(&self) -> ApiError {
        ApiError::no_route(self.method.as_str(), &self.target)
    }
}

/// What the work gave.
pub(super) struct Done {
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) notices: Vec<Notice>,
}

impl Done {
    pub(super) fn ok(data: Value) -> Self {
        Self { status: 200, body: json!({"status": "success", "data": data}), notices: Vec::new() }
    }

    pub(super) fn created(data: Value) -> Self {
        Self { status: 201, ..Self::ok(data) }
    }

    pub(super) fn telling(mut self, notices: Vec<Notice>) -> Self {
        self.notices = notices;
        self
    }
}

pub(super) type Outcome = Result<Done, ApiError>;
