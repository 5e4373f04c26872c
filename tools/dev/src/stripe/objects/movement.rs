//! A movement of the balance, which the API calls a balance transaction.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A movement of the balance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Movement {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    /// When the money may be spent.
    pub(in crate::stripe) available_on: i64,
    pub(in crate::stripe) available: bool,
    pub(in crate::stripe) kind: MovementKind,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) fee: i64,
    pub(in crate::stripe) currency: String,
    /// The charge, refund or dispute that moved it.
    pub(in crate::stripe) source: String,
    pub(in crate::stripe) description: Option<String>,
}

/// Why money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::stripe) enum MovementKind {
    Charge,
    Refund,
    RefundFailure,
    Dispute,
    DisputeReversal,
}

impl MovementKind {
    pub(in crate::stripe) fn as_type(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute | Self::DisputeReversal => "adjustment",
        }
    }

    fn reporting_category(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Refund => "refund",
            Self::RefundFailure => "refund_failure",
            Self::Dispute => "dispute",
            Self::DisputeReversal => "dispute_reversal",
        }
    }

    fn fee_description(self) -> &'static str {
        if self == Self::Dispute { "Dispute fee" } else { "Stripe processing fees" }
    }
}

impl Movement {
    pub(in crate::stripe) fn net(&self) -> i64 {
        self.amount - self.fee
    }

    pub(in crate::stripe) fn object(&self) -> Value {
        let mut fees = Vec::new();
        if self.fee != 0 {
            fees.push(json!({
                "amount": self.fee,
                "application": null,
                "currency": self.currency,
                "description": self.kind.fee_description(),
                "type": "stripe_fee",
            }));
        }
        json!({
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.available_on,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "exchange_rate": null,
            "fee": self.fee,
            "fee_details": fees,
            "net": self.net(),
            "reporting_category": self.kind.reporting_category(),
            "source": self.source,
            "status": if self.available { "available" } else { "pending" },
            "type": self.kind.as_type(),
        })
    }
}
