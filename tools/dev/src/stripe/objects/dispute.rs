//! A dispute: the cardholder asks the bank for the money back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Movement, Table};

/// The texts that an answer to a dispute may consist of.
pub(in crate::stripe) const EVIDENCE_TEXTS: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
];

/// What else it may consist of: files, which the stand-in does not take.
pub(in crate::stripe) const EVIDENCE_FILES: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

/// Why cardholders dispute.
pub(in crate::stripe) const REASONS: &[&str] = &[
    "bank_cannot_process",
    "check_returned",
    "credit_not_processed",
    "customer_initiated",
    "debit_not_authorized",
    "duplicate",
    "fraudulent",
    "general",
    "incorrect_account_details",
    "insufficient_funds",
    "noncompliant",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
];

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    /// The bank asks; no money has moved.
    WarningNeedsResponse,
    /// The bank has the answer to its question.
    WarningUnderReview,
    /// The bank asks no longer.
    WarningClosed,
    /// The money is gone until the bank decides otherwise.
    #[default]
    NeedsResponse,
    /// The bank has the answer.
    UnderReview,
    /// The money comes back.
    Won,
    /// The money is gone.
    Lost,
    /// It was stopped before it became a chargeback.
    Prevented,
    /// A lost one that may be appealed against.
    AppealNeedsResponse,
    /// The appeal is with the bank.
    AppealUnderReview,
}

impl DisputeStatus {
    /// As Stripe writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Prevented => "prevented",
            Self::AppealNeedsResponse => "appeal_needs_response",
            Self::AppealUnderReview => "appeal_under_review",
        }
    }

    /// Whether a bank only asks.
    pub(in crate::stripe) fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    /// Whether it has come to an end, which for a lost one need not be the last.
    pub(in crate::stripe) fn is_closed(self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost | Self::Prevented)
    }

    /// Whether the money it is about can be disputed no second time.
    pub(in crate::stripe) fn holds_the_money(self) -> bool {
        !matches!(self, Self::WarningClosed | Self::Won | Self::Prevented)
    }

    pub(in crate::stripe) fn is_charge_refundable(self) -> bool {
        self.is_inquiry() || matches!(self, Self::Won | Self::Prevented)
    }

    /// The state after an answer, where one is awaited.
    pub(in crate::stripe) fn answered(self) -> Option<Self> {
        match self {
            Self::WarningNeedsResponse => Some(Self::WarningUnderReview),
            Self::NeedsResponse => Some(Self::UnderReview),
            Self::AppealNeedsResponse => Some(Self::AppealUnderReview),
            _ => None,
        }
    }

    pub(in crate::stripe) fn may_become(self, next: Self) -> bool {
        match self {
            Self::WarningNeedsResponse => {
                matches!(next, Self::WarningUnderReview | Self::WarningClosed | Self::NeedsResponse)
            }
            Self::WarningUnderReview => matches!(next, Self::WarningClosed | Self::NeedsResponse),
            Self::NeedsResponse => matches!(next, Self::UnderReview | Self::Won | Self::Lost),
            Self::UnderReview | Self::AppealUnderReview => matches!(next, Self::Won | Self::Lost),
            Self::AppealNeedsResponse => matches!(next, Self::AppealUnderReview | Self::Won | Self::Lost),
            // A bank may also change its mind with nobody having appealed.
            Self::Lost => matches!(next, Self::AppealNeedsResponse | Self::Won),
            Self::WarningClosed | Self::Won | Self::Prevented => false,
        }
    }
}

impl std::fmt::Display for DisputeStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A dispute.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Dispute {
    pub(in crate::stripe) id: String,
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) charge: String,
    pub(in crate::stripe) intent: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) reason: String,
    pub(in crate::stripe) status: DisputeStatus,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    #[serde(default)]
    pub(in crate::stripe) evidence: BTreeMap<String, String>,
    #[serde(default)]
    pub(in crate::stripe) due_by: Option<i64>,
    #[serde(default)]
    pub(in crate::stripe) submissions: u32,
    /// Whether the last answer came too late.
    #[serde(default)]
    pub(in crate::stripe) past_due: bool,
    /// What it moved, the oldest first.
    #[serde(default)]
    pub(in crate::stripe) movements: Vec<String>,
}

impl Dispute {
    fn case_type(&self) -> &'static str {
        match self.status {
            DisputeStatus::Prevented => "block",
            status if status.is_inquiry() => "inquiry",
            _ => "chargeback",
        }
    }

    pub(in crate::stripe) fn evidence(&self) -> Value {
        let mut evidence = Map::new();
        for name in EVIDENCE_TEXTS.iter().chain(EVIDENCE_FILES) {
            evidence.insert((*name).to_owned(), json!(self.evidence.get(*name)));
        }
        evidence.insert("enhanced_evidence".to_owned(), json!({}));
        Value::Object(evidence)
    }

    pub(in crate::stripe) fn object(&self, movements: &Table<Movement>) -> Value {
        let moved: Vec<Value> =
            self.movements.iter().filter_map(|id| movements.get(id)).map(Movement::object).collect();
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": moved,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": self.evidence(),
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": !self.evidence.is_empty(),
                "past_due": self.past_due,
                "submission_count": self.submissions,
                "submission_method": if self.submissions == 0 { "not_submitted" } else { "manual" },
            },
            "intended_submission_method": null,
            "is_charge_refundable": self.status.is_charge_refundable(),
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method_details": {
                "card": {
                    "brand": "visa", "case_type": self.case_type(), "network": "visa", "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        })
    }
}
