//! What each of Stripe's events does. The webhook brings them; the sweeper fetches those that it did not bring.
//!
//! Effects are decided by the booking's state, not by the order in which events arrive: the same fact may come
//! twice, late, or as two different events (<https://docs.stripe.com/webhooks#event-ordering>).

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::Settled;
use crate::db::Db;
use crate::db::bookings::{self, Reference};
use crate::domain::booking::{
    Actor, Booking, CancelReason, Change, Entry, EntryKind, HistoryKind, HistoryLine, Outcome, Payment,
};
use crate::domain::job::Task;
use crate::domain::money::Cents;
use crate::error::Error;
use crate::stripe::{Event, Refund, Session, id_or_object, or_default};

/// A payment intent, as far as we read it.
#[derive(Deserialize)]
struct PaymentIntent {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    amount_received: i64,
    #[serde(default, deserialize_with = "or_default")]
    currency: String,
    #[serde(default, deserialize_with = "or_default")]
    metadata: HashMap<String, String>,
    #[serde(default)]
    last_payment_error: Option<PaymentError>,
}

#[derive(Deserialize)]
struct PaymentError {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

/// A charge, as far as we read it.
#[derive(Deserialize)]
struct Charge {
    #[serde(default, deserialize_with = "id_or_object")]
    payment_intent: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    metadata: HashMap<String, String>,
}

/// A dispute, as far as we read it.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(default, deserialize_with = "or_default")]
    amount: i64,
    #[serde(default, deserialize_with = "or_default")]
    currency: String,
    #[serde(default, deserialize_with = "or_default")]
    status: String,
    #[serde(default, deserialize_with = "id_or_object")]
    payment_intent: Option<String>,
}

/// Tells the booking of an event, and records the event with what came of it. Twice is once.
///
/// # Errors
/// The event cannot be read, the database failed, or the booking changed under every attempt.
pub async fn apply(db: &Db, event: &Event, now: Timestamp) -> Result<Settled, Error> {
    let at = Timestamp::from_second(event.created).unwrap_or(now);
    match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let session: Session = event.object()?;
            let reference = of_session(&session);
            if session.is_paid() {
                let payment = super::payment_of(&session, at)?;
                decide(db, event, &reference, now, |booking, free| booking.receive(&payment, free, now)).await
            } else {
                decide(db, event, &reference, now, |booking, _| booking.wait_for_slow_payment(now)).await
            }
        }
        "checkout.session.async_payment_failed" => {
            let session: Session = event.object()?;
            decide(db, event, &of_session(&session), now, |booking, _| {
                booking.release(CancelReason::PaymentFailed, Actor::Stripe)
            })
            .await
        }
        "checkout.session.expired" => {
            let session: Session = event.object()?;
            decide(db, event, &of_session(&session), now, |booking, _| booking.checkout_expired(&session.id)).await
        }
        "payment_intent.succeeded" => {
            let intent: PaymentIntent = event.object()?;
            let payment = Payment {
                payment_intent: intent.id.clone(),
                amount: Cents::new(intent.amount_received),
                currency: intent.currency,
                at,
            };
            let reference = reference(&intent.metadata, Some(intent.id));
            decide(db, event, &reference, now, |booking, free| booking.receive(&payment, free, now)).await
        }
        "payment_intent.payment_failed" => {
            // The client may try another card in the same session: noted, and nothing else.
            let intent: PaymentIntent = event.object()?;
            let why = intent.last_payment_error.and_then(|error| error.decline_code.or(error.code));
            decide(db, event, &reference(&intent.metadata, Some(intent.id)), now, |_, _| Change {
                history: vec![HistoryLine {
                    actor: Actor::Stripe,
                    kind: HistoryKind::PaymentDeclined,
                    data: json!({ "code": why }),
                }],
                ..Change::nothing(Outcome::Declined)
            })
            .await
        }
        "charge.refunded" => {
            // The charge names no refund; the worker reads them at Stripe.
            let charge: Charge = event.object()?;
            let Some(payment_intent) = charge.payment_intent else {
                return orphan(db, event, Outcome::NoPaymentIntent, now).await;
            };
            let reference = reference(&charge.metadata, Some(payment_intent.clone()));
            decide(db, event, &reference, now, |booking, _| Change {
                tasks: vec![Task::SettleRefunds {
                    booking: booking.id,
                    payment_intent: payment_intent.clone(),
                    event: event.id.clone(),
                }],
                ..Change::nothing(Outcome::RefundsToRead)
            })
            .await
        }
        "refund.updated" | "refund.failed" => {
            let refund: Refund = event.object()?;
            let Some(payment_intent) = refund.payment_intent.clone() else {
                return orphan(db, event, Outcome::NoPaymentIntent, now).await;
            };
            let fact = super::refund_fact(&refund, &payment_intent, at);
            let reference = Reference { booking: None, payment_intent: Some(payment_intent) };
            decide(db, event, &reference, now, |booking, _| booking.settle(std::slice::from_ref(&fact))).await
        }
        "charge.dispute.created" => {
            let dispute: Dispute = event.object()?;
            let payment_intent = dispute.payment_intent.unwrap_or_default();
            let reference = Reference { booking: None, payment_intent: Some(payment_intent.clone()) };
            decide(db, event, &reference, now, |booking, _| booking.dispute_opened(&dispute.id, &payment_intent)).await
        }
        "charge.dispute.closed" => {
            let dispute: Dispute = event.object()?;
            let payment_intent = dispute.payment_intent.unwrap_or_default();
            let reference = Reference { booking: None, payment_intent: Some(payment_intent.clone()) };
            let lost = (dispute.status == "lost").then(|| Entry {
                kind: EntryKind::DisputeLost,
                amount: Cents::new(-dispute.amount),
                currency: dispute.currency.clone(),
                stripe_id: dispute.id.clone(),
                payment_intent: payment_intent.clone(),
                occurred_at: at,
            });
            decide(db, event, &reference, now, |booking, _| {
                booking.dispute_closed(lost.clone(), &dispute.id, &payment_intent)
            })
            .await
        }
        // An event nobody listens to: the endpoint is subscribed to more than it needs.
        _ => Ok(Settled::Applied { outcome: Outcome::Ignored, jobs: Vec::new() }),
    }
}

async fn decide(
    db: &Db,
    event: &Event,
    reference: &Reference,
    now: Timestamp,
    rule: impl Fn(&Booking, bool) -> Change,
) -> Result<Settled, Error> {
    match super::settle(db, reference, Some(event), now, rule).await? {
        Settled::UnknownBooking => orphan(db, event, Outcome::UnknownBooking, now).await,
        settled => Ok(settled),
    }
}

/// Keeps an event that belongs to no booking. Trying again cannot help Stripe, but somebody must look:
/// it may be money.
async fn orphan(db: &Db, event: &Event, outcome: Outcome, now: Timestamp) -> Result<Settled, Error> {
    let is_new = bookings::record_orphan(db, event, outcome, now).await?;
    if is_new {
        tracing::error!(event.id, event.kind, outcome = outcome.name(), "an event belongs to no booking");
    }
    Ok(Settled::Applied { outcome, jobs: Vec::new() })
}

fn of_session(session: &Session) -> Reference {
    let mut reference = reference(&session.metadata, session.payment_intent.clone());
    reference.booking =
        reference.booking.or_else(|| session.client_reference_id.as_deref().and_then(|id| id.parse().ok()));
    reference
}

fn reference(metadata: &HashMap<String, String>, payment_intent: Option<String>) -> Reference {
    Reference { booking: metadata.get("booking_id").and_then(|id| id.parse().ok()), payment_intent }
}
