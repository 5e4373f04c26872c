//! Money on its way back to a card: an object of its own at Stripe, which may take days and may fail.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::Cents;
use super::named::open_named;

open_named! {
    /// How far a refund is.
    RefundStatus {
        /// On its way.
        Pending = "pending",
        /// The cardholder has to say where the money should go.
        RequiresAction = "requires_action",
        /// With the cardholder.
        Succeeded = "succeeded",
        /// The money is back with us.
        Failed = "failed",
        /// Called off before it left.
        Canceled = "canceled",
    }
}

/// A refund as Stripe described it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundFact {
    /// Stripe's id.
    pub id: String,
    /// The payment it gives back.
    pub payment_intent: String,
    /// How much; positive.
    pub amount: Cents,
    /// As Stripe names it.
    pub currency: String,
    pub status: RefundStatus,
    /// When it was made.
    pub at: Timestamp,
}

impl RefundFact {
    /// The money is gone or going; otherwise it is with us again.
    #[must_use]
    pub const fn holds(&self) -> bool {
        !matches!(self.status, RefundStatus::Failed | RefundStatus::Canceled)
    }

    /// What Stripe says later outranks what it said before: nothing fails and then is on its way again.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self.status {
            RefundStatus::Failed | RefundStatus::Canceled => 2,
            RefundStatus::Succeeded => 1,
            RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Unknown(_) => 0,
        }
    }

    /// The money is going and has not arrived.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.holds() && !matches!(self.status, RefundStatus::Succeeded)
    }
}
