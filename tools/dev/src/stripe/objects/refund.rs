//! Money that goes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Refund {
    pub(in crate::stripe) id: String,
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) charge: String,
    pub(in crate::stripe) intent: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) reason: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) status: RefundStatus,
    pub(in crate::stripe) failure_reason: Option<String>,
    /// Nothing moves before the customer has said where to.
    pub(in crate::stripe) balance_transaction: Option<String>,
    #[serde(default)]
    pub(in crate::stripe) failure_balance_transaction: Option<String>,
    /// Who is asked where the money shall go.
    #[serde(default)]
    pub(in crate::stripe) asked: Option<String>,
}

/// The life of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::stripe) enum RefundStatus {
    Pending,
    /// The customer has to say where to.
    RequiresAction,
    Succeeded,
    Failed,
    Canceled,
}

impl RefundStatus {
    pub(in crate::stripe) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether it came to nothing.
    pub(in crate::stripe) fn is_undone(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }
}

impl Refund {
    pub(in crate::stripe) fn object(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_account": null,
            "destination_details": {
                "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method": null,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": self.status.as_str(),
            "transfer_reversal": null,
        });
        let optional = [
            ("failure_balance_transaction", self.failure_balance_transaction.as_ref().map(|id| json!(id))),
            ("failure_reason", self.failure_reason.as_ref().map(|reason| json!(reason))),
            ("next_action", self.next_action()),
            ("pending_reason", (self.status == RefundStatus::Pending).then(|| json!("processing"))),
        ];
        if let Some(fields) = object.as_object_mut() {
            fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        object
    }

    fn next_action(&self) -> Option<Value> {
        const DAYS_TO_ANSWER: i64 = 45;
        let asked = self.asked.as_ref().filter(|_| self.status == RefundStatus::RequiresAction)?;
        Some(json!({
            "display_details": {
                "email_sent": {"email_sent_at": self.created, "email_sent_to": asked},
                "expires_at": self.created + DAYS_TO_ANSWER * 86_400,
            },
            "type": "display_details",
        }))
    }
}
