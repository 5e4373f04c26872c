//! A Checkout Session: what is paid, its life, and how the API shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One line of what is paid.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct LineItem {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) price: String,
    pub(in crate::stripe) product: String,
    pub(in crate::stripe) name: String,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) unit_amount: i64,
    pub(in crate::stripe) quantity: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) tax_behavior: String,
}

impl LineItem {
    pub(in crate::stripe) fn amount(&self) -> i64 {
        self.unit_amount.saturating_mul(self.quantity)
    }

    pub(in crate::stripe) fn object(&self, created: i64) -> Value {
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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Session {
    pub(in crate::stripe) id: String,
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) expires_at: i64,
    pub(in crate::stripe) status: SessionStatus,
    pub(in crate::stripe) paid: bool,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) line_items: Vec<LineItem>,
    pub(in crate::stripe) customer_email: Option<String>,
    pub(in crate::stripe) client_reference_id: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) success_url: String,
    pub(in crate::stripe) cancel_url: Option<String>,
    pub(in crate::stripe) payment_method_types: Vec<String>,
    pub(in crate::stripe) payment_intent: Option<String>,
    pub(in crate::stripe) intent_metadata: BTreeMap<String, String>,
    pub(in crate::stripe) intent_description: Option<String>,
    pub(in crate::stripe) intent_receipt_email: Option<String>,
    pub(in crate::stripe) intent_statement_suffix: Option<String>,
    /// What was asked for and is only shown again.
    pub(in crate::stripe) echo: Map<String, Value>,
}

/// The life of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::stripe) enum SessionStatus {
    Open,
    Complete,
    Expired,
}

impl SessionStatus {
    pub(in crate::stripe) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Complete => "complete",
            Self::Expired => "expired",
        }
    }
}

impl Session {
    pub(in crate::stripe) fn amount_total(&self) -> i64 {
        self.line_items.iter().map(LineItem::amount).sum()
    }

    pub(in crate::stripe) fn object(&self, base_url: &str) -> Value {
        let open = self.status == SessionStatus::Open;
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
            "customer_details": self.customer_details(),
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
            "managed_payments": null,
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

    fn customer_details(&self) -> Value {
        let complete = self.status == SessionStatus::Complete;
        match &self.customer_email {
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
        }
    }

    pub(in crate::stripe) fn line_items_list(&self) -> Value {
        json!({
            "object": "list",
            "data": self.line_items.iter().map(|item| item.object(self.created)).collect::<Vec<_>>(),
            "has_more": false,
            "url": format!("/v1/checkout/sessions/{}/line_items", self.id),
        })
    }
}
