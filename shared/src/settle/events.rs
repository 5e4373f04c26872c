//! What each of Stripe's events does. The webhook brings them; the sweeper fetches those that it did not bring.
//!
//! Effects are decided by the booking's state, not by the order in which events arrive: the same fact may come
//! twice, late, or as two different events (<https://docs.stripe.com/webhooks#event-ordering>).

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;

use super::Settled;
use crate::db::Db;
use crate::db::bookings::{self, Reference};
use crate::domain::booking::{
    Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, Payment, RefundFact,
};
use crate::domain::job::Task;
use crate::domain::ledger::{Entry, EntryKind};
use crate::domain::money::Cents;
use crate::error::Error;
use crate::stripe::{Charge, Dispute, DisputeStatus, Event, PaymentIntent, Refund, Session};

/// What an event says to a booking.
enum News {
    /// A payment arrived.
    Paid(Payment),
    /// A payment was submitted, and a bank answers later.
    Slow,
    /// The bank has answered: no.
    SlowFailed,
    /// This Checkout Session can no longer be paid.
    SessionExpired(String),
    /// A card was declined, with the bank's word for why. The client may try another in the same session.
    Declined(Option<String>),
    /// Refunds of this payment changed; which, the event does not say.
    RefundsToRead(String),
    /// A refund changed.
    Refund(RefundFact),
    /// A payment is contested.
    DisputeOpened { dispute: String, payment_intent: String },
    /// A dispute is decided; with what the bank has taken when it was lost.
    DisputeClosed { dispute: String, payment_intent: String, lost: Option<Entry> },
}

impl News {
    /// What the booking makes of it.
    fn tell(&self, booking: &Booking, slot_is_free: bool, event: &Event, now: Timestamp) -> Change {
        match self {
            Self::Paid(payment) => booking.receive(payment, slot_is_free, now),
            Self::Slow => booking.wait_for_slow_payment(now),
            Self::SlowFailed => booking.release(CancelReason::PaymentFailed, Actor::Stripe),
            Self::SessionExpired(session) => booking.checkout_expired(session),
            Self::Declined(code) => Change {
                history: vec![HistoryLine {
                    actor: Actor::Stripe,
                    kind: HistoryKind::PaymentDeclined,
                    data: json!({ "code": code }),
                }],
                ..Change::nothing(Outcome::Declined)
            },
            Self::RefundsToRead(payment_intent) => Change {
                tasks: vec![Task::SettleRefunds {
                    booking: booking.id,
                    payment_intent: payment_intent.clone(),
                    event: event.id.clone(),
                }],
                ..Change::nothing(Outcome::RefundsToRead)
            },
            Self::Refund(fact) => booking.settle(std::slice::from_ref(fact)),
            Self::DisputeOpened { dispute, payment_intent } => booking.dispute_opened(dispute, payment_intent),
            Self::DisputeClosed { dispute, payment_intent, lost } => {
                booking.dispute_closed(lost.clone(), dispute, payment_intent)
            }
        }
    }
}

/// What an event says, and what it says of which booking it belongs to.
enum Said {
    /// This, to that booking.
    To(Reference, News),
    /// Something about money of which it does not name the payment.
    NoPayment,
    /// Nothing: the endpoint is subscribed to more than it needs.
    Nothing,
}

/// Tells the booking of an event, and records the event with what came of it. Twice is once.
///
/// # Errors
/// The event cannot be read, the database failed, or the booking changed under every attempt.
pub async fn apply(db: &Db, event: &Event, now: Timestamp) -> Result<Settled, Error> {
    match read(event, now)? {
        Said::To(reference, news) => {
            decide(db, event, &reference, now, |booking, free| news.tell(booking, free, event, now)).await
        }
        Said::NoPayment => orphan(db, event, Outcome::NoPaymentIntent, now).await,
        Said::Nothing => Ok(Settled::Applied { outcome: Outcome::Ignored, jobs: Vec::new() }),
    }
}

/// Reads an event.
///
/// # Errors
/// Its object is not what its kind promises.
fn read(event: &Event, now: Timestamp) -> Result<Said, Error> {
    let at = Timestamp::from_second(event.created).unwrap_or(now);
    match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let session: Session = event.object()?;
            let news = if session.is_paid() { News::Paid(super::payment_of(&session, at)?) } else { News::Slow };
            Ok(Said::To(of_session(&session), news))
        }
        "checkout.session.async_payment_failed" => Ok(Said::To(of_session(&event.object()?), News::SlowFailed)),
        "checkout.session.expired" => {
            let session: Session = event.object()?;
            Ok(Said::To(of_session(&session), News::SessionExpired(session.id)))
        }
        "payment_intent.succeeded" => {
            let intent: PaymentIntent = event.object()?;
            let payment = Payment {
                payment_intent: intent.id.clone(),
                amount: Cents::new(intent.amount_received),
                currency: intent.currency,
                at,
            };
            Ok(Said::To(reference(&intent.metadata, Some(intent.id)), News::Paid(payment)))
        }
        "payment_intent.payment_failed" => {
            let intent: PaymentIntent = event.object()?;
            let why = intent.last_payment_error.and_then(|error| error.decline_code.or(error.code));
            Ok(Said::To(reference(&intent.metadata, Some(intent.id)), News::Declined(why)))
        }
        "charge.refunded" => {
            let charge: Charge = event.object()?;
            let Some(payment_intent) = charge.payment_intent else { return Ok(Said::NoPayment) };
            let reference = reference(&charge.metadata, Some(payment_intent.clone()));
            Ok(Said::To(reference, News::RefundsToRead(payment_intent)))
        }
        "refund.updated" | "refund.failed" => {
            let refund: Refund = event.object()?;
            let Some(payment_intent) = refund.payment_intent.clone() else { return Ok(Said::NoPayment) };
            let fact = super::refund_fact(&refund, &payment_intent, at);
            Ok(Said::To(Reference::payment(payment_intent), News::Refund(fact)))
        }
        "charge.dispute.created" => {
            let Dispute { id: dispute, payment_intent, .. } = event.object()?;
            let payment_intent = payment_intent.unwrap_or_default();
            Ok(Said::To(Reference::payment(payment_intent.clone()), News::DisputeOpened { dispute, payment_intent }))
        }
        "charge.dispute.closed" => {
            let dispute: Dispute = event.object()?;
            let payment_intent = dispute.payment_intent.unwrap_or_default();
            let lost = (dispute.status == Some(DisputeStatus::Lost)).then(|| Entry {
                kind: EntryKind::DisputeLost,
                amount: -Cents::new(dispute.amount),
                currency: dispute.currency,
                stripe_id: dispute.id.clone(),
                payment_intent: payment_intent.clone(),
                occurred_at: at,
            });
            let reference = Reference::payment(payment_intent.clone());
            Ok(Said::To(reference, News::DisputeClosed { dispute: dispute.id, payment_intent, lost }))
        }
        _ => Ok(Said::Nothing),
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
