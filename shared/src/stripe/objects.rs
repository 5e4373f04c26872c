//! Stripe's objects, as far as we read them. Unknown fields and values are no reason to lose one.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::domain::named::open_named;
use crate::error::Error;
use crate::redact::without_values;

open_named! {
    /// Whether a Checkout Session can still be paid.
    SessionStatus {
        /// It can.
        Open = "open",
        /// The client has submitted a payment.
        Complete = "complete",
        /// It can no longer be paid.
        Expired = "expired",
    }
}

open_named! {
    /// Whether a Checkout Session is paid.
    SessionPayment {
        /// The money is received.
        Paid = "paid",
        /// It is not, or not yet.
        Unpaid = "unpaid",
        /// Nothing was asked.
        NotRequired = "no_payment_required",
    }
}

/// A Checkout Session, as far as we read it. Unknown fields and values are no reason to lose it.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    pub id: String,
    /// Whether it can still be paid.
    #[serde(default)]
    pub status: Option<SessionStatus>,
    #[serde(default)]
    pub payment_status: Option<SessionPayment>,
    /// What is to be or was paid, in the currency's smallest unit.
    #[serde(default)]
    pub amount_total: Option<i64>,
    /// Lower-case ISO code.
    #[serde(default)]
    pub currency: Option<String>,
    /// Null until the client submits a payment.
    #[serde(default, deserialize_with = "id_or_object")]
    pub payment_intent: Option<String>,
    /// Our booking id.
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// Ours, with `booking_id`.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: HashMap<String, String>,
    /// When the money was received, where Stripe was asked for it.
    #[serde(skip)]
    pub paid_at: Option<Timestamp>,
    /// The hosted page; null once the session is closed.
    #[serde(default)]
    pub url: Option<String>,
}

impl Session {
    /// True when the deposit is received.
    pub fn is_paid(&self) -> bool {
        self.payment_status == Some(SessionPayment::Paid)
    }

    /// True when the client can still pay.
    pub fn is_open(&self) -> bool {
        self.status == Some(SessionStatus::Open)
    }

    /// True when the client has submitted a payment, whatever the bank says.
    pub fn is_complete(&self) -> bool {
        self.status == Some(SessionStatus::Complete)
    }

    /// True when nobody can pay any more.
    pub fn is_expired(&self) -> bool {
        self.status == Some(SessionStatus::Expired)
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    pub id: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// Lower-case ISO code.
    #[serde(default, deserialize_with = "or_default")]
    pub currency: String,
    /// How far it is.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// The payment it gives back.
    #[serde(default, deserialize_with = "id_or_object")]
    pub payment_intent: Option<String>,
    /// Unix seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub created: i64,
}

/// A payment intent.
#[derive(Deserialize)]
pub(crate) struct PaymentIntent {
    pub(crate) id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) amount_received: i64,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) currency: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) metadata: HashMap<String, String>,
    #[serde(default)]
    pub(crate) last_payment_error: Option<PaymentError>,
}

/// Why a payment was declined.
#[derive(Deserialize)]
pub(crate) struct PaymentError {
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) decline_code: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Charge {
    #[serde(default, deserialize_with = "id_or_object")]
    pub(crate) payment_intent: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) metadata: HashMap<String, String>,
}

/// A dispute, as far as we read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Dispute {
    pub id: String,
    /// How much of the payment is contested, in the currency's smallest unit.
    #[serde(default, deserialize_with = "or_default")]
    pub amount: i64,
    /// Lower-case ISO code.
    #[serde(default, deserialize_with = "or_default")]
    pub currency: String,
    /// Why, in a word of Stripe's.
    #[serde(default, deserialize_with = "or_default")]
    pub reason: String,
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub is_charge_refundable: bool,
    #[serde(default, deserialize_with = "id_or_object")]
    pub payment_intent: Option<String>,
    /// What it has moved so far: nothing for an inquiry.
    #[serde(default, deserialize_with = "or_default")]
    pub balance_transactions: Vec<BalanceTransaction>,
    #[serde(default, deserialize_with = "or_default")]
    pub evidence_details: EvidenceDetails,
    /// Unix seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub created: i64,
}

/// Until when a dispute can be answered.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct EvidenceDetails {
    /// Unix seconds; null or 0 where no answer is expected.
    #[serde(default)]
    pub due_by: Option<i64>,
}

/// A movement of the account's balance.
#[derive(Debug, Clone, Deserialize)]
pub struct BalanceTransaction {
    pub id: String,
    /// Signed: below nothing where money leaves. In the currency's smallest unit, without fees.
    #[serde(default, deserialize_with = "or_default")]
    pub amount: i64,
    /// The currency of the balance, which need not be the payment's.
    #[serde(default, deserialize_with = "or_default")]
    pub currency: String,
    /// Unix seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub created: i64,
}

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// What is on it, the newest first.
    pub data: Vec<T>,
    #[serde(default)]
    pub has_more: bool,
}

/// A webhook event. The object stays as sent, for the record; small views read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// Stripe's id: the same for every delivery of this event.
    pub id: String,
    /// Its kind, e.g. `checkout.session.completed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version its shape follows.
    #[serde(default)]
    pub api_version: Option<String>,
    /// False for test mode.
    pub livemode: bool,
    /// The connected account it happened on.
    #[serde(default)]
    pub account: Option<String>,
    /// Unix seconds.
    pub created: i64,
    pub data: EventData,
}

impl Event {
    /// Reads the object.
    ///
    /// # Errors
    /// The shape is not what our API version promises: our own fault. A 5xx keeps the event coming until it is mended.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_value(self.data.object.clone()).map_err(|error| {
            let why = without_values(&error);
            Error::Internal(format!("event {} of kind {} cannot be read: {why}", self.id, self.kind))
        })
    }
}

/// The wrapper around an event's object.
#[derive(Debug, Clone, Deserialize)]
pub struct EventData {
    /// The object as it was at the event.
    pub object: Value,
}

/// Stripe sends an id, or the whole object where it was expanded.
///
/// # Errors
/// The value is neither.
pub fn id_or_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum IdOrObject {
        Id(String),
        Object { id: String },
    }
    Ok(Option::<IdOrObject>::deserialize(deserializer)?.map(|value| match value {
        IdOrObject::Id(id) | IdOrObject::Object { id } => id,
    }))
}

/// Stripe writes null where an object has nothing to say, and may do so where it says something today.
///
/// # Errors
/// The value is neither null nor what it should be.
pub fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_whatever_else_it_carries() {
        let session: Session = serde_json::from_value(serde_json::json!({
            "id": "cs_1", "object": "checkout.session", "payment_intent": {"id": "pi_1", "object": "payment_intent"},
            "status": "a_status_of_2031", "new_field": [1, 2],
        }))
        .expect("tolerant");
        assert_eq!(session.payment_intent.as_deref(), Some("pi_1"));
        assert_eq!(session.status, Some(SessionStatus::Unknown("a_status_of_2031".into())));
        assert!(!session.is_paid() && !session.is_open() && !session.is_complete() && !session.is_expired());
    }

    #[test]
    fn every_status_of_stripe_is_read_and_written_as_stripe_names_it() {
        let all = ["open", "complete", "expired", "a_status_of_2031"];
        for name in all {
            let read: SessionStatus = serde_json::from_value(name.into()).expect("a status");
            assert_eq!((read.name(), read == SessionStatus::Unknown(name.into())), (name, name == "a_status_of_2031"));
        }
    }
}
