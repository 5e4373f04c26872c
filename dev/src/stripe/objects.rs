//! The objects of the Stripe stand-in and how the API shows them.
//! Rendering only: who may change what, and when, is the ledger's business.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The version whose shapes the stand-in speaks.
pub const API_VERSION: &str = "2026-09-30.endive";

/// A thing with an id.
pub(super) trait Keyed {
    fn id(&self) -> &str;
}

/// Things in the order of their creation, found by id.
#[derive(Clone, Debug)]
pub(super) struct Table<T> {
    rows: Vec<T>,
    index: HashMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), index: HashMap::new() }
    }
}

impl<T: Keyed> Table<T> {
    pub(super) fn insert(&mut self, row: T) {
        self.index.insert(row.id().to_owned(), self.rows.len());
        self.rows.push(row);
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        self.index.get(id).map(|at| &self.rows[*at])
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.index.get(id).map(|at| &mut self.rows[*at])
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<T> {
        let at = *self.index.get(id)?;
        let row = self.rows.remove(at);
        self.index = self.rows.iter().enumerate().map(|(at, row)| (row.id().to_owned(), at)).collect();
        Some(row)
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.rows.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de> + Keyed> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Self::default();
        for row in Vec::<T>::deserialize(deserializer)? {
            table.insert(row);
        }
        Ok(table)
    }
}

macro_rules! keyed {
    ($($kind:ty),+) => {$(
        impl Keyed for $kind {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )+};
}
keyed!(Session, Intent, Charge, Refund, Dispute, Event, Endpoint);

/// One line of what is paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LineItem {
    pub(super) id: String,
    pub(super) price: String,
    pub(super) product: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) unit_amount: i64,
    pub(super) quantity: i64,
    pub(super) currency: String,
    pub(super) tax_behavior: String,
}

impl LineItem {
    pub(super) fn amount(&self) -> i64 {
        self.unit_amount.saturating_mul(self.quantity)
    }

    pub(super) fn object(&self, created: i64) -> Value {
        json!({
            "id": self.id,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": self.amount(),
            "amount_tax": 0,
            "amount_total": self.amount(),
            "currency": self.currency,
            "description": self.name,
            "metadata": {},
            "price": {
                "id": self.price,
                "object": "price",
                "active": false,
                "billing_scheme": "per_unit",
                "created": created,
                "currency": self.currency,
                "custom_unit_amount": null,
                "livemode": false,
                "lookup_key": null,
                "metadata": {},
                "nickname": null,
                "product": self.product,
                "recurring": null,
                "tax_behavior": self.tax_behavior,
                "tiers_mode": null,
                "transform_quantity": null,
                "type": "one_time",
                "unit_amount": self.unit_amount,
                "unit_amount_decimal": self.unit_amount.to_string(),
            },
            "quantity": self.quantity,
        })
    }
}

/// A Checkout Session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) expires_at: i64,
    pub(super) status: SessionStatus,
    pub(super) paid: bool,
    pub(super) currency: String,
    pub(super) line_items: Vec<LineItem>,
    pub(super) customer_email: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) success_url: String,
    pub(super) cancel_url: Option<String>,
    pub(super) payment_method_types: Vec<String>,
    pub(super) payment_intent: Option<String>,
    pub(super) intent_metadata: BTreeMap<String, String>,
    pub(super) intent_description: Option<String>,
    pub(super) intent_receipt_email: Option<String>,
    pub(super) intent_statement_suffix: Option<String>,
    /// What was asked for and is only shown again.
    pub(super) echo: Map<String, Value>,
}

/// The life of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

fn no_address() -> Value {
    json!({"city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null})
}

impl Session {
    pub(super) fn amount_total(&self) -> i64 {
        self.line_items.iter().map(LineItem::amount).sum()
    }

    pub(super) fn object(&self, base_url: &str) -> Value {
        let open = self.status == SessionStatus::Open;
        let complete = self.status == SessionStatus::Complete;
        let customer_details = match &self.customer_email {
            Some(email) => json!({
                "address": if complete { json!({"city": null, "country": "FR", "line1": null, "line2": null, "postal_code": null, "state": null}) } else { Value::Null },
                "business_name": null,
                "email": email,
                "individual_name": null,
                "name": if complete { json!("Demo Card") } else { Value::Null },
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": if complete { json!([]) } else { Value::Null },
            }),
            None if complete => json!({
                "address": {"city": null, "country": "FR", "line1": null, "line2": null, "postal_code": null, "state": null},
                "business_name": null,
                "email": "someone@example.com",
                "individual_name": null,
                "name": "Demo Card",
                "phone": null,
                "tax_exempt": "none",
                "tax_ids": [],
            }),
            None => Value::Null,
        };
        let mut object = json!({
            "id": self.id,
            "object": "checkout.session",
            "adaptive_pricing": {"enabled": true},
            "after_expiration": null,
            "allow_promotion_codes": null,
            "allowed_payment_method_types": null,
            "amount_subtotal": self.amount_total(),
            "amount_total": self.amount_total(),
            "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
            "billing_address_collection": null,
            "cancel_url": self.cancel_url,
            "client_reference_id": self.client_reference_id,
            "client_secret": null,
            "collected_information": null,
            "consent": null,
            "consent_collection": null,
            "created": self.created,
            "currency": self.currency,
            "currency_conversion": null,
            "custom_fields": [],
            "custom_text": {"after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null},
            "customer": null,
            "customer_account": null,
            "customer_creation": "if_required",
            "customer_details": customer_details,
            "customer_email": self.customer_email,
            "discounts": [],
            "expires_at": self.expires_at,
            "integration_identifier": null,
            "invoice": null,
            "invoice_creation": {
                "enabled": false,
                "invoice_data": {
                    "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null,
                    "metadata": {}, "rendering_options": null,
                },
            },
            "livemode": false,
            "locale": null,
            "metadata": self.metadata,
            "mode": "payment",
            "origin_context": null,
            "payment_intent": self.payment_intent,
            "payment_link": null,
            "payment_method_collection": "if_required",
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": self.payment_method_types,
            "payment_status": if self.paid { "paid" } else { "unpaid" },
            "permissions": null,
            "phone_number_collection": {"enabled": false},
            "recovered_from": null,
            "saved_payment_method_options": null,
            "setup_intent": null,
            "shipping_address_collection": null,
            "shipping_cost": null,
            "shipping_options": [],
            "status": self.status.as_str(),
            "submit_type": null,
            "subscription": null,
            "success_url": self.success_url,
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            "ui_mode": "hosted_page",
            "url": if open { json!(format!("{base_url}/c/pay/{}", self.id)) } else { Value::Null },
            "wallet_options": null,
        });
        if let Some(fields) = object.as_object_mut() {
            fields.extend(self.echo.clone());
        }
        object
    }

    pub(super) fn line_items_list(&self) -> Value {
        json!({
            "object": "list",
            "data": self.line_items.iter().map(|item| item.object(self.created)).collect::<Vec<_>>(),
            "has_more": false,
            "url": format!("/v1/checkout/sessions/{}/line_items", self.id),
        })
    }
}

/// A payment intent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) secret: String,
    pub(super) session: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: IntentStatus,
    pub(super) description: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) receipt_email: Option<String>,
    pub(super) statement_suffix: Option<String>,
    pub(super) payment_method_types: Vec<String>,
    pub(super) payment_method: Option<String>,
    pub(super) latest_charge: Option<String>,
    /// The decline of the last try, until another succeeds.
    pub(super) last_decline: Option<String>,
    pub(super) canceled_at: Option<i64>,
}

/// The life of a payment intent of Checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IntentStatus {
    RequiresPaymentMethod,
    Processing,
    Succeeded,
    Canceled,
}

impl Intent {
    pub(super) fn object(&self) -> Value {
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
            "metadata": self.metadata,
            "next_action": null,
            "on_behalf_of": null,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": null,
            "payment_method_options": {"card": {"installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic"}},
            "payment_method_types": self.payment_method_types,
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
        "livemode": false,
        "metadata": {},
        "type": "card",
    })
}

/// A charge: one try to take the money.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) intent: String,
    pub(super) amount: i64,
    pub(super) amount_refunded: i64,
    pub(super) currency: String,
    pub(super) description: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) email: Option<String>,
    pub(super) payment_method: String,
    pub(super) balance_transaction: Option<String>,
    pub(super) decline: Option<String>,
    pub(super) disputed: bool,
}

impl Charge {
    pub(super) fn succeeded(&self) -> bool {
        self.decline.is_none()
    }

    pub(super) fn object(&self) -> Value {
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
                    "country": "FR", "exp_month": 12, "exp_year": 2034,
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

/// A refund.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) charge: String,
    pub(super) intent: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) reason: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) status: RefundStatus,
    pub(super) failure_reason: Option<String>,
    pub(super) balance_transaction: String,
}

/// The life of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

impl Refund {
    pub(super) fn object(&self) -> Value {
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
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) charge: String,
    pub(super) intent: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) reason: String,
    pub(super) status: String,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Dispute {
    pub(super) fn is_open(&self) -> bool {
        self.status == "needs_response"
    }

    pub(super) fn object(&self) -> Value {
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

/// Something that happened, with the object as it was then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) kind: String,
    pub(super) object: Value,
    pub(super) previous: Option<Value>,
    pub(super) request_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
    /// Endpoints that have not taken it yet.
    pub(super) undelivered: Vec<String>,
    /// Whether the delivery was lost on purpose.
    pub(super) lost: bool,
}

impl Event {
    pub(super) fn object(&self, api_version: &str) -> Value {
        let mut data = json!({"object": self.object});
        if let (Some(fields), Some(previous)) = (data.as_object_mut(), &self.previous) {
            fields.insert("previous_attributes".to_owned(), previous.clone());
        }
        json!({
            "id": self.id,
            "object": "event",
            "api_version": api_version,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": self.undelivered.len(),
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": self.kind,
        })
    }
}

/// Where events are sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) enabled_events: Vec<String>,
    pub(super) api_version: Option<String>,
    pub(super) description: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Endpoint {
    pub(super) fn wants(&self, kind: &str) -> bool {
        self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind)
    }

    pub(super) fn object(&self, with_secret: bool) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": "enabled",
            "url": self.url,
        });
        if let (Some(fields), true) = (object.as_object_mut(), with_secret) {
            fields.insert("secret".to_owned(), json!(self.secret));
        }
        object
    }
}
