//! How news of money reaches a booking: find it, let the rules decide, write the decision if nothing changed
//! meanwhile. One path for webhooks, for the sweeper and for a client who meets a lapsed hold.

use jiff::Timestamp;

use crate::appointment;
use crate::db::Db;
use crate::db::bookings::{self, Applied, Reference};
use crate::db::holds::Hold;
use crate::domain::booking::{Actor, Booking, CancelReason, Change, Facts, Outcome, Payment, checkout_end};
use crate::domain::dispute::{Dispute, DisputeStatus};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::Task;
use crate::domain::ledger::{Entry, EntryKind};
use crate::domain::local::whose_clock;
use crate::domain::money::Cents;
use crate::domain::policy::{Canceller, DepositNature};
use crate::domain::refund::{RefundFact, RefundStatus};
use crate::error::Error;
use crate::stripe::{Checkout, Event, Session, SessionStatus, Stripe, StripeError};
use crate::terms;

// What each of Stripe's events does.
pub mod events;

/// How often a decision is made again because somebody else changed the booking in between.
const DECISIONS: usize = 6;

/// What came of the news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It belongs to no booking of ours.
    UnknownBooking,
    /// The booking it names takes its payments on another account: nothing was done.
    OtherAccount,
    /// This event was dealt with before.
    KnownEvent,
    /// It was applied, or there was nothing to apply.
    Applied { outcome: Outcome, jobs: Vec<JobId> },
}

impl Settled {
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::UnknownBooking => Outcome::UnknownBooking,
            Self::OtherAccount => Outcome::OtherAccount,
            Self::KnownEvent => Outcome::KnownEvent,
            Self::Applied { outcome, .. } => *outcome,
        }
    }

    pub fn jobs(&self) -> &[JobId] {
        match self {
            Self::Applied { jobs, .. } => jobs,
            _ => &[],
        }
    }
}

/// Lets `decide` look at the booking and writes what it decides, with the event if there is one.
///
/// Two flights when nobody interferes. `decide` is told whether the booking's slot is free; should the
/// database know better at the moment of writing, it is asked again.
///
/// # Errors
/// The database failed, or the booking changed under every attempt.
pub async fn settle(
    db: &Db,
    reference: &Reference,
    event: Option<&Event>,
    now: Timestamp,
    decide: impl Fn(&Booking, bool) -> Change,
) -> Result<Settled, Error> {
    let mut slot_may_be_free = true;
    for _ in 0..DECISIONS {
        let Some(found) = bookings::find(db, reference, event.map(|event| event.id.as_str())).await? else {
            return Ok(Settled::UnknownBooking);
        };
        if found.event_is_known {
            return Ok(Settled::KnownEvent);
        }
        // Whoever signs for one account says nothing about the money of another.
        if event.is_some_and(|event| event.account != found.account) {
            return Ok(Settled::OtherAccount);
        }
        let mut change = decide(&found.booking, found.slot_is_free && slot_may_be_free);
        if found.has_orphans
            && let Some(capture) = change.ledger.iter().find(|entry| entry.kind == EntryKind::Capture)
        {
            // What came of this payment before anybody knew whose it is was not applied.
            change.tasks.push(Task::SettlePayment {
                booking: found.booking.id,
                payment_intent: capture.payment_intent.clone(),
                event: "before_it_was_known".into(),
            });
        }
        if change.is_nothing() && event.is_none() {
            return Ok(Settled::Applied { outcome: change.outcome, jobs: Vec::new() });
        }
        match bookings::apply(db, &found.booking, &change, event, now).await {
            Ok(Applied::Written(jobs)) => return Ok(Settled::Applied { outcome: change.outcome, jobs }),
            Ok(Applied::KnownEvent) => return Ok(Settled::KnownEvent),
            Ok(Applied::Begun) => return Ok(Settled::Applied { outcome: Outcome::TooLate, jobs: Vec::new() }),
            Ok(Applied::Stale) => {}
            // Somebody took the slot between the question and the answer.
            Err(Error::Database(error)) if slot_may_be_free && is_taken(&error) => slot_may_be_free = false,
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict)
}

fn is_taken(error: &tokio_postgres::Error) -> bool {
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    matches!(constraint, Some("bookings_no_overlap" | "bookings_one_live_per_unique_flash"))
}

/// The payment that a paid session stands for.
///
/// # Errors
/// Stripe calls it paid and does not say how much: nothing can be decided from that.
pub fn payment_of(session: &Session, at: Timestamp) -> Result<Payment, Error> {
    match (session.amount_total, &session.currency) {
        (Some(amount), Some(currency)) => Ok(Payment {
            // A paid session always has a payment intent; its own id is as unique should that change.
            payment_intent: session.payment_intent.clone().unwrap_or_else(|| session.id.clone()),
            amount: Cents::new(amount),
            currency: currency.clone(),
            at,
        }),
        _ => Err(Error::Internal(format!("the paid session {} has no amount", session.id))),
    }
}

/// Tells a booking what its Checkout Session has become: paid, closed, or waiting for a bank.
///
/// # Errors
/// As [`settle`].
pub async fn session(db: &Db, booking: BookingId, session: &Session, now: Timestamp) -> Result<Settled, Error> {
    let reference = Reference { booking: Some(booking), payment_intent: session.payment_intent.clone() };
    if session.is_paid() {
        // Found days later, it is booked in the month in which it came.
        let payment = payment_of(session, session.paid_at.map_or(now, |at| at.min(now)))?;
        return settle(db, &reference, None, now, |booking, free| booking.receive(&payment, free, now)).await;
    }
    match session.status {
        Some(SessionStatus::Expired) => {
            settle(db, &reference, None, now, |booking, _| booking.checkout_expired(&session.id)).await
        }
        Some(SessionStatus::Complete) => {
            // A hold that already waits for its bank is not extended at each look.
            settle(db, &reference, None, now, |booking, _| {
                if booking.has_lapsed(now) || booking.state.hold_expires_at.is_some_and(|end| end <= checkout_end(now))
                {
                    booking.wait_for_slow_payment(now)
                } else {
                    Change::nothing(Outcome::PaymentProcessing)
                }
            })
            .await
        }
        _ => Ok(Settled::Applied { outcome: Outcome::StillOpen, jobs: Vec::new() }),
    }
}

/// What Stripe says of a lapsed hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// It was paid at the last moment, or waits for a bank: the booking keeps its slot.
    Kept(Settled),
    /// It can no longer be paid and was released.
    Released(Settled),
}

impl Closed {
    pub fn settled(&self) -> &Settled {
        match self {
            Self::Kept(settled) | Self::Released(settled) => settled,
        }
    }

    pub fn into_settled(self) -> Settled {
        match self {
            Self::Kept(settled) | Self::Released(settled) => settled,
        }
    }
}

/// Ends a hold that has lapsed or is given back: first makes sure at Stripe that it cannot be paid any more.
///
/// The order is the point. A slot given away while its page is still open could be paid for twice.
///
/// # Errors
/// Stripe does not answer ([`Error::PaymentUnavailable`]) or the database failed.
pub async fn close(
    db: &Db,
    stripe: &Stripe,
    hold: &Hold,
    public_url: &str,
    reason: CancelReason,
    now: Timestamp,
) -> Result<Closed, Error> {
    let account = hold.account.as_deref();
    let unavailable = |error: StripeError| Error::PaymentUnavailable(error.to_string());
    let id = match &hold.session {
        Some(id) => Some(id.clone()),
        // Whatever was opened has closed by itself, and nobody was ever told its address.
        None if hold.checkout_expires_at <= now => None,
        // The answer to the call that opened the session was lost. The same call again finds the session;
        // a refusal (its expiry is in the past by now) means that there is none.
        None => match stripe.open_checkout(&checkout_of(hold, public_url)?).await {
            Ok(session) => Some(session.id),
            // A release in between words the call otherwise: whether there is a session, only its end tells.
            Err(error) if error.is_of_another_wish() => return Err(unavailable(error)),
            Err(StripeError::Refused { status: 400, .. }) => None,
            Err(error) => return Err(unavailable(error)),
        },
    };
    let closed = match &id {
        None => None,
        Some(id) => match stripe.expire(id, account).await {
            Ok(closed) => Some(closed),
            // Another account's, or gone. It may be open where we cannot see it, until its own end.
            Err(StripeError::Refused { status: 404, .. }) if hold.checkout_expires_at <= now => None,
            Err(error) => return Err(unavailable(error)),
        },
    };
    if let Some(closed) = closed {
        if closed.is_paid() || closed.is_complete() {
            return Ok(Closed::Kept(session(db, hold.id, &closed, now).await?));
        }
        if !closed.is_expired() {
            return Err(Error::PaymentUnavailable(format!("the session {} does not close", closed.id)));
        }
    }
    let reference = Reference::booking(hold.id);
    let released = settle(db, &reference, None, now, |booking, _| match reason {
        // Whoever wanted the slot is told that it is gone.
        CancelReason::Artist | CancelReason::Calendar if booking.ledger.is_empty() => {
            booking.call_off_hold(reason, Canceller::Artist, now)
        }
        CancelReason::Client => booking.release(reason, Actor::Client),
        _ => booking.release(reason, Actor::System),
    });
    Ok(Closed::Released(released.await?))
}

/// What Stripe is asked to open for a hold: the same at each call.
///
/// # Errors
/// The zone that is stored with the hold is not a known one.
pub fn checkout_of<'a>(hold: &'a Hold, public_url: &'a str) -> Result<Checkout<'a>, Error> {
    let nature = match hold.policy.nature {
        DepositNature::Acompte => hold.locale.pick("Acompte", "Deposit"),
        DepositNature::Arrhes => hold.locale.pick("Arrhes", "Deposit"),
    };
    Ok(Checkout {
        booking: hold.id,
        title: format!("{nature} – {}", appointment::title(&hold.title, hold.locale)),
        note: note(hold)?,
        deposit: hold.deposit,
        email: &hold.email,
        locale: hold.locale,
        expires_at: hold.checkout_expires_at,
        attempt: hold.checkout_attempt,
        public_url,
        account: hold.account.as_deref(),
    })
}

/// What Stripe's page says beside its button: until when the slot is kept, and what becomes of the money. As it was when
/// the slot was taken, however late the page is opened: a repeated call sends the same.
fn note(hold: &Hold) -> Result<String, Error> {
    let zone = hold.zone()?;
    let terms = terms::of_appointment(&hold.policy, hold.start, &zone, hold.locale, hold.created_at);
    let Some(end) = hold.hold_expires_at else { return Ok(terms) };
    let (end, clock) = (terms::hour(end, &zone, hold.locale), whose_clock(&zone, hold.locale));
    Ok(hold.locale.pick(
        format!("Votre créneau est gardé jusqu’à {end}, {clock}. {terms}"),
        format!("Your slot is kept until {end}, {clock}. {terms}"),
    ))
}

/// Reads at Stripe what has become of a payment.
///
/// # Errors
/// Stripe refused or did not answer.
pub async fn facts(
    stripe: &Stripe,
    payment_intent: &str,
    account: Option<&str>,
    now: Timestamp,
) -> Result<Facts, StripeError> {
    let refunds = stripe.refunds(payment_intent, account).await?;
    let disputes = stripe.disputes(payment_intent, account).await?;
    Ok(Facts {
        refunds: refunds.iter().map(|refund| refund_fact(refund, payment_intent, now)).collect(),
        movements: disputes.iter().flat_map(|dispute| movements(dispute, payment_intent, now)).collect(),
        disputes: disputes.into_iter().map(|dispute| dispute_fact(dispute, payment_intent, now)).collect(),
    })
}

/// A refund as the rules see it.
pub fn refund_fact(refund: &crate::stripe::Refund, payment_intent: &str, seen_at: Timestamp) -> RefundFact {
    RefundFact {
        id: refund.id.clone(),
        payment_intent: payment_intent.to_owned(),
        amount: Cents::new(refund.amount),
        currency: refund.currency.clone(),
        status: RefundStatus::from(refund.status.clone()),
        at: moment(refund.created, seen_at),
    }
}

fn dispute_fact(dispute: crate::stripe::Dispute, payment_intent: &str, seen_at: Timestamp) -> Dispute {
    let status = DisputeStatus::from(dispute.status);
    let due_by = dispute.evidence_details.due_by.filter(|_| status.needs_response());
    Dispute {
        id: dispute.id,
        payment_intent: payment_intent.to_owned(),
        amount: Cents::new(dispute.amount),
        currency: dispute.currency,
        reason: dispute.reason,
        status,
        refundable: dispute.is_charge_refundable,
        due_by: due_by.filter(|due_by| *due_by > 0).and_then(|due_by| Timestamp::from_second(due_by).ok()),
        opened_at: moment(dispute.created, seen_at),
    }
}

/// What a dispute has moved, in the payment's own currency: of a balance in another one the sign counts, and the sum
/// that is contested.
fn movements(dispute: &crate::stripe::Dispute, payment_intent: &str, seen_at: Timestamp) -> Vec<Entry> {
    let moved = dispute.balance_transactions.iter().filter(|transaction| transaction.amount != 0);
    moved
        .map(|transaction| Entry {
            kind: if transaction.amount < 0 { EntryKind::DisputeWithdrawn } else { EntryKind::DisputeReinstated },
            amount: Cents::new(if transaction.currency == dispute.currency {
                transaction.amount
            } else {
                dispute.amount * transaction.amount.signum()
            }),
            currency: dispute.currency.clone(),
            stripe_id: transaction.id.clone(),
            payment_intent: payment_intent.to_owned(),
            occurred_at: moment(transaction.created, seen_at),
        })
        .collect()
}

/// Stripe's time of something; when it was seen where it gives none.
fn moment(seconds: i64, seen_at: Timestamp) -> Timestamp {
    Timestamp::from_second(seconds).ok().filter(|_| seconds > 0).unwrap_or(seen_at)
}
