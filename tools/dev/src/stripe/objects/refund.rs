//! Money that goes back: a refund, and a dispute.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Refund {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) charge: String,
    pub(in crate::stripe) intent: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) reason: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) status: RefundStatus,
    pub(in crate::stripe) failure_reason: Option<String>,
    pub(in crate::stripe) balance_transaction: String,
}

/// The life of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::stripe) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

impl Refund {
    pub(in crate::stripe) fn object(&self) -> Value {
        let status = match self.status {
            RefundStatus::Pending => "pending",
            RefundStatus::Succeeded => "succeeded",
            RefundStatus::Failed => "failed",
        };
        let mut object = json!({
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {
                "card": {"reference": null, "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
                "type": "card",
            },
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "reason": self.reason,
            "receipt_number": null,
            "source_transfer_reversal": null,
            "status": status,
            "transfer_reversal": null,
        });
        if let (Some(fields), Some(reason)) = (object.as_object_mut(), &self.failure_reason) {
            fields.insert("failure_reason".to_owned(), json!(reason));
            fields.insert(
                "failure_balance_transaction".to_owned(),
                json!(self.balance_transaction.replace("txn_", "txn_f")),
            );
        }
        object
    }
}

/// A dispute: the cardholder asks the bank for the money back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Dispute {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) charge: String,
    pub(in crate::stripe) intent: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) reason: String,
    pub(in crate::stripe) status: String,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
}

impl Dispute {
    pub(in crate::stripe) fn is_open(&self) -> bool {
        self.status == "needs_response"
    }

    pub(in crate::stripe) fn object(&self) -> Value {
        json!({
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": {
                "access_activity_log": null, "billing_address": null, "cancellation_policy": null,
                "cancellation_policy_disclosure": null, "cancellation_rebuttal": null, "customer_communication": null,
                "customer_email_address": null, "customer_name": null, "customer_purchase_ip": null,
                "customer_signature": null, "duplicate_charge_documentation": null, "duplicate_charge_explanation": null,
                "duplicate_charge_id": null, "enhanced_evidence": {}, "product_description": null, "receipt": null,
                "refund_policy": null, "refund_policy_disclosure": null, "refund_refusal_explanation": null,
                "service_date": null, "service_documentation": null, "shipping_address": null, "shipping_carrier": null,
                "shipping_date": null, "shipping_documentation": null, "shipping_tracking_number": null,
                "uncategorized_file": null, "uncategorized_text": null,
            },
            "evidence_details": {
                "due_by": self.created + 9 * 86_400, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
                "submission_count": 0,
            },
            "is_charge_refundable": false,
            "livemode": false,
            "metadata": self.metadata,
            "payment_intent": self.intent,
            "payment_method_details": {
                "card": {"brand": "visa", "case_type": "chargeback", "network": "visa", "network_reason_code": "10.4"},
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        })
    }
}
