//! The failures that the stand-in for Stripe can be told to have, and what a payer does.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stand_in::Troubles;

/// What the payer does on the pay page, and what becomes of the webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Pays; the events come at once.
    Paid,
    /// The bank refuses the card; the session stays open.
    Declined,
    /// Pays; no event ever comes.
    WebhookLost,
    /// Pays; the events come 10 s later.
    WebhookLate,
    /// Pays; each event comes twice, at the same time.
    WebhookDoubled,
    /// The session expires.
    Expire,
    /// Submits a method that says only later whether it worked: complete, but unpaid, until it is settled.
    PaidLater,
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        serde_json::from_value(Value::String(word.to_owned())).map_err(|_| format!("unknown outcome `{word}`"))
    }
}

/// What becomes of the refunds asked for from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundMode {
    /// They succeed at once.
    #[default]
    Succeed,
    /// They stay pending until told otherwise.
    StayPending,
    /// They are pending and fail a moment later.
    FailLater,
    /// They are pending and called off a moment later.
    CancelLater,
    /// They wait until the customer has said where the money shall go.
    RequiresAction,
}

/// A failure of the creation of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateFailure {
    pub status: u16,
    #[serde(default)]
    pub code: Option<String>,
    pub message: String,
    /// How many creations fail so; 1 unless said otherwise.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// The failures that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// The creation of sessions fails, and nothing is created.
    pub fail_create_session: Option<CreateFailure>,
    /// No event is delivered; they stay in the list of events.
    pub drop_webhooks: bool,
    pub refunds: RefundMode,
    /// The cents that refunds may still take; as many as they like without it.
    pub balance: Option<i64>,
}

impl Switches {
    pub(super) fn take_create_failure(&mut self) -> Option<CreateFailure> {
        let failure = self.fail_create_session.as_mut()?;
        failure.times = failure.times.saturating_sub(1);
        if failure.times == 0 { self.fail_create_session.take() } else { Some(failure.clone()) }
    }
}
