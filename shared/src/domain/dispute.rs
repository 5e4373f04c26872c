//! A cardholder's bank contests a payment: an object of its own at Stripe, of which a payment may have several.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::money::Cents;
use super::named::open_named;

open_named! {
    /// How far a dispute is.
    DisputeStatus {
        /// An inquiry waits for an answer.
        WarningNeedsResponse = "warning_needs_response",
        /// An inquiry was answered.
        WarningUnderReview = "warning_under_review",
        /// An inquiry came to nothing.
        WarningClosed = "warning_closed",
        /// Evidence can be given.
        NeedsResponse = "needs_response",
        /// The bank looks at it.
        UnderReview = "under_review",
        /// Decided for us.
        Won = "won",
        /// Decided for the cardholder.
        Lost = "lost",
        /// Settled before it became a dispute.
        Prevented = "prevented",
        /// Lost, and evidence can be given once more.
        AppealNeedsResponse = "appeal_needs_response",
        /// Lost, and the bank looks at it once more.
        AppealUnderReview = "appeal_under_review",
    }
}

impl DisputeStatus {
    /// A question of the bank: no money has moved, and the payment can still be refunded.
    #[must_use]
    pub const fn is_inquiry(&self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    /// Nothing follows from it unless somebody begins anew.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost | Self::Prevented)
    }

    /// The bank waits for the artist's answer.
    #[must_use]
    pub const fn needs_response(&self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::NeedsResponse | Self::AppealNeedsResponse)
    }
}

/// A dispute as Stripe described it last. What moved over it is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// Stripe's id.
    pub id: String,
    pub payment_intent: String,
    /// How much of the payment is contested; positive.
    pub amount: Cents,
    /// As Stripe names it.
    pub currency: String,
    /// Stripe's word for why; open, e.g. `fraudulent`.
    pub reason: String,
    pub status: DisputeStatus,
    /// Stripe would carry out a refund of the payment while the dispute is open.
    pub refundable: bool,
    /// Until when an answer counts; none where none is expected.
    pub due_by: Option<Timestamp>,
    pub opened_at: Timestamp,
}

impl Dispute {
    /// A bank has the money or may take it: Stripe would refuse a refund.
    #[must_use]
    pub const fn blocks_refunds(&self) -> bool {
        !self.status.is_closed() && !self.refundable
    }
}
