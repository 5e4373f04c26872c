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
use crate::domain::booking::{Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, Payment};
use crate::domain::job::Task;
use crate::domain::money::Cents;
use crate::error::Error;
use crate::stripe::{Charge, Dispute, Event, PaymentIntent, Refund, Session, SessionPayment};

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
    /// Something of this payment changed, which is read at Stripe: the order in which such events come says nothing.
    ToRead { payment_intent: String, outcome: Outcome },
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
            Self::ToRead { payment_intent, outcome } => Change {
                tasks: vec![Task::SettlePayment {
                    booking: booking.id,
                    payment_intent: payment_intent.clone(),
                    event: event.id.clone(),
                }],
                ..Change::nothing(*outcome)
            },
        }
    }
}

/// What an event says, and what it says of which booking it belongs to.
enum Said {
    /// This, to that booking.
    To(Reference, News),
    /// Something about money of which it does not name the payment.
    NoPayment,
    /// A session that asked for nothing was gone through with: nothing is paid.
    NothingAsked,
    /// Nothing: the endpoint is subscribed to more than it needs.
    Nothing,
}

/// Tells the booking of an event, and records the event with what came of it. Twice is once.
///
/// An event that cannot be read is recorded as such, for somebody to look at: Stripe sends it no better a second time.
///
/// # Errors
/// The database failed, or the booking changed under every attempt.
pub async fn apply(db: &Db, event: &Event, now: Timestamp) -> Result<Settled, Error> {
    let said = match read(event, now) {
        Ok(said) => said,
        Err(error) => {
            tracing::error!(event.id, event.kind, error = %error, "an event cannot be read");
            return record(db, event, Outcome::Unreadable, now).await.map(|(settled, _)| settled);
        }
    };
    match said {
        Said::To(reference, news) => {
            decide(db, event, &reference, now, |booking, free| news.tell(booking, free, event, now)).await
        }
        Said::NothingAsked => record(db, event, Outcome::NothingAsked, now).await.map(|(settled, _)| settled),
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
            if session.payment_status == Some(SessionPayment::NotRequired) {
                return Ok(Said::NothingAsked);
            }
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
            Ok(Said::To(reference, News::ToRead { payment_intent, outcome: Outcome::RefundsToRead }))
        }
        "refund.updated" | "refund.failed" => {
            let refund: Refund = event.object()?;
            Ok(to_read(refund.payment_intent, Outcome::RefundsToRead))
        }
        "charge.dispute.created"
        | "charge.dispute.updated"
        | "charge.dispute.closed"
        | "charge.dispute.funds_withdrawn"
        | "charge.dispute.funds_reinstated" => {
            let dispute: Dispute = event.object()?;
            Ok(to_read(dispute.payment_intent, Outcome::DisputeToRead))
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
        Settled::OtherAccount => {
            tracing::warn!(event.id, event.kind, "an event is of another account than the booking it names");
            record(db, event, Outcome::OtherAccount, now).await.map(|(settled, _)| settled)
        }
        settled => Ok(settled),
    }
}

/// Keeps an event that belongs to no booking. Trying again cannot help Stripe, but somebody must look:
/// it may be money.
async fn orphan(db: &Db, event: &Event, outcome: Outcome, now: Timestamp) -> Result<Settled, Error> {
    let (settled, is_new) = record(db, event, outcome, now).await?;
    if is_new {
        tracing::error!(event.id, event.kind, outcome = outcome.name(), "an event belongs to no booking");
    }
    Ok(settled)
}

/// Keeps an event that changes no booking.
///
/// # Errors
/// The database failed.
pub async fn note(db: &Db, event: &Event, outcome: Outcome, now: Timestamp) -> Result<(), Error> {
    record(db, event, outcome, now).await.map(|_| ())
}

/// Keeps an event that changes no booking; says whether it is new.
async fn record(db: &Db, event: &Event, outcome: Outcome, now: Timestamp) -> Result<(Settled, bool), Error> {
    let is_new = bookings::record_orphan(db, event, outcome, now).await?;
    Ok((Settled::Applied { outcome, jobs: Vec::new() }, is_new))
}

fn to_read(payment_intent: Option<String>, outcome: Outcome) -> Said {
    let Some(payment_intent) = payment_intent else { return Said::NoPayment };
    Said::To(Reference::payment(payment_intent.clone()), News::ToRead { payment_intent, outcome })
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
