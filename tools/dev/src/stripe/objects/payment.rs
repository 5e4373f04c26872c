//! A payment: the intent, and each try to take the money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Intent {
    pub(in crate::stripe) id: String,
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) secret: String,
    pub(in crate::stripe) session: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) status: IntentStatus,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) receipt_email: Option<String>,
    pub(in crate::stripe) statement_suffix: Option<String>,
    pub(in crate::stripe) payment_method_types: Vec<String>,
    pub(in crate::stripe) payment_method: Option<String>,
    pub(in crate::stripe) latest_charge: Option<String>,
    /// The decline of the last try, until another succeeds.
    pub(in crate::stripe) last_decline: Option<String>,
    pub(in crate::stripe) canceled_at: Option<i64>,
}

/// The life of a payment intent of Checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::stripe) enum IntentStatus {
    RequiresPaymentMethod,
    Processing,
    Succeeded,
    Canceled,
}

impl Intent {
    pub(in crate::stripe) fn object(&self) -> Value {
        let status = match self.status {
            IntentStatus::RequiresPaymentMethod => "requires_payment_method",
            IntentStatus::Processing => "processing",
            IntentStatus::Succeeded => "succeeded",
            IntentStatus::Canceled => "canceled",
        };
        let received = if self.status == IntentStatus::Succeeded { self.amount } else { 0 };
        let last_payment_error = self.last_decline.as_ref().map(|code| {
            json!({
                "advice_code": "try_again_later",
                "charge": self.latest_charge,
                "code": "card_declined",
                "decline_code": code,
                "doc_url": "https://stripe.com/docs/error-codes/card-declined",
                "message": "Your card was declined.",
                "payment_method": payment_method_object("pm_declined", self.created, self.receipt_email.as_deref()),
                "type": "card_error",
            })
        });
        json!({
            "id": self.id,
            "object": "payment_intent",
            "allowed_payment_method_types": null,
            "amount": self.amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": received,
            "application": null,
            "application_fee_amount": null,
            "automatic_payment_methods": null,
            "canceled_at": self.canceled_at,
            "cancellation_reason": if self.canceled_at.is_some() { json!("automatic") } else { Value::Null },
            "capture_method": "automatic_async",
            "client_secret": self.secret,
            "confirmation_method": "automatic",
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "customer_account": null,
            "description": self.description,
            "excluded_payment_method_types": null,
            "last_payment_error": last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": false,
            "managed_payments": null,
            "metadata": self.metadata,
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": {"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
            "payment_method_types": self.payment_method_types,
            "payment_record": null,
            "processing": null,
            "receipt_email": self.receipt_email,
            "review": null,
            "setup_future_usage": null,
            "shipping": null,
            "source": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": self.statement_suffix,
            "status": status,
            "transfer_data": null,
            "transfer_group": null,
        })
    }
}

/// A charge: one try to take the money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Charge {
    pub(in crate::stripe) id: String,
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) intent: String,
    pub(in crate::stripe) amount: i64,
    pub(in crate::stripe) amount_refunded: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) email: Option<String>,
    pub(in crate::stripe) payment_method: String,
    pub(in crate::stripe) balance_transaction: Option<String>,
    pub(in crate::stripe) decline: Option<String>,
    pub(in crate::stripe) disputed: bool,
}

impl Charge {
    pub(in crate::stripe) fn succeeded(&self) -> bool {
        self.decline.is_none()
    }

    pub(in crate::stripe) fn object(&self) -> Value {
        let paid = self.succeeded();
        let outcome = match &self.decline {
            None => json!({
                "advice_code": null, "network_advice_code": null, "network_decline_code": null,
                "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 12,
                "seller_message": "Payment complete.", "type": "authorized",
            }),
            Some(code) => json!({
                "advice_code": "try_again_later", "network_advice_code": null, "network_decline_code": "05",
                "network_status": "declined_by_network", "reason": code, "risk_level": "normal", "risk_score": 12,
                "seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined",
            }),
        };
        json!({
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": if paid { self.amount } else { 0 },
            "amount_refunded": self.amount_refunded,
            "application": null,
            "application_fee": null,
            "application_fee_amount": null,
            "balance_transaction": self.balance_transaction,
            "billing_details": {"address": no_address(), "email": self.email, "name": "Demo Card", "phone": null, "tax_id": null},
            "calculated_statement_descriptor": "DEMO",
            "captured": paid,
            "created": self.created,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": null,
            "failure_code": if paid { Value::Null } else { json!("card_declined") },
            "failure_message": if paid { Value::Null } else { json!("Your card was declined.") },
            "fraud_details": {},
            "livemode": false,
            "metadata": self.metadata,
            "on_behalf_of": null,
            "outcome": outcome,
            "paid": paid,
            "payment_intent": self.intent,
            "payment_method": self.payment_method,
            "payment_method_details": {
                "card": {
                    "amount_authorized": self.amount, "authorization_code": null, "brand": "visa",
                    "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
                    "country": "FR", "electronic_commerce_indicator": null, "exp_month": 12, "exp_year": 2034,
                    "extended_authorization": {"status": "disabled"}, "fingerprint": "StandInCard4242",
                    "funding": "credit", "incremental_authorization": {"status": "unavailable"}, "installments": null,
                    "last4": if paid { "4242" } else { "0002" }, "mandate": null, "multicapture": {"status": "unavailable"},
                    "network": "visa", "network_token": {"used": false}, "network_transaction_id": null,
                    "overcapture": {"maximum_amount_capturable": self.amount, "status": "unavailable"},
                    "regulated_status": "unregulated", "three_d_secure": null, "transaction_link_id": null, "wallet": null,
                },
                "type": "card",
            },
            "receipt_email": self.email,
            "receipt_number": null,
            "receipt_url": null,
            "refunded": paid && self.amount_refunded == self.amount,
            "review": null,
            "shipping": null,
            "source": null,
            "source_transfer": null,
            "statement_descriptor": null,
            "statement_descriptor_suffix": null,
            "status": if paid { "succeeded" } else { "failed" },
            "transfer_data": null,
            "transfer_group": null,
        })
    }
}

fn payment_method_object(id: &str, created: i64, email: Option<&str>) -> Value {
    json!({
        "id": id,
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": {"address": no_address(), "email": email, "name": "Demo Card", "phone": null, "tax_id": null},
        "card": {
            "brand": "visa", "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
            "country": "FR", "display_brand": "visa", "exp_month": 12, "exp_year": 2034, "fingerprint": "StandInCard0002",
            "funding": "credit", "generated_from": null, "last4": "0002",
            "networks": {"available": ["visa"], "preferred": null}, "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": true}, "wallet": null,
        },
        "created": created,
        "customer": null,
        "customer_account": null,
        "livemode": false,
        "metadata": {},
        "type": "card",
    })
}

fn no_address() -> Value {
    json!({"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null})
}
