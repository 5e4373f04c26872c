//! Refunds and Checkout Sessions: look at Stripe first, write once, bring the ledger in line with what Stripe says.

use jiff::Timestamp;
use shared::db::bookings::Reference;
use shared::db::dossier;
use shared::domain::booking::RefundFact;
use shared::domain::ids::BookingId;
use shared::domain::job::{Outcome, RefundReason};
use shared::domain::money::Cents;
use shared::error::Error;
use shared::settle::{self, refund_fact};
use shared::stripe::{Refund, StripeError};

use crate::{App, send, wait};

/// How many keys are tried when Stripe keeps answering a stored failure.
const KEYS: u32 = 3;

/// Gives money back, once.
///
/// Stripe's key is the guard within a day; looking first is the guard for ever.
pub(crate) async fn refund(
    app: &App,
    booking: BookingId,
    payment_intent: &str,
    amount: Cents,
    reason: RefundReason,
    attempts: i32,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let Some(dossier) = dossier::read(&app.db, booking).await? else {
        return Ok(Outcome::Discard { why: "there is no such booking".into() });
    };
    let account = dossier.stripe_account.as_deref();
    for key in 1..=KEYS {
        let facts = match app.stripe.refunds(payment_intent, account).await {
            Ok(refunds) => facts(&refunds, payment_intent, now),
            Err(error) => return Ok(failed(&error, attempts)),
        };
        let returned = Cents::checked_sum(facts.iter().filter(|fact| fact.holds).map(|fact| fact.amount))
            .ok_or_else(|| Error::Internal("the refunds of a payment overflow".into()))?;
        if returned >= amount {
            apply(app, booking, &facts, now).await?;
            return Ok(Outcome::Done);
        }
        let missing = amount.checked_sub(returned).unwrap_or(amount);
        match app.stripe.refund(booking, payment_intent, missing, reason, key, account).await {
            Ok(refund) => {
                let fact = refund_fact(&refund, payment_intent, now);
                apply(app, booking, &[facts, vec![fact]].concat(), now).await?;
                return Ok(Outcome::Done);
            }
            // Done already, by somebody at Stripe's dashboard: the next look shows it.
            Err(error) if error.code() == "charge_already_refunded" => {}
            // Stored under the key: look whether it was carried out after all, then take the next key.
            Err(StripeError::Refused { status: 500..=599, .. }) => {}
            Err(error) if error.is_transient() => return Ok(failed(&error, attempts)),
            Err(error) => {
                let reference = Reference { booking: Some(booking), payment_intent: None };
                let code = error.code().to_owned();
                let settled = settle::settle(&app.db, &reference, None, now, |booking, _| {
                    booking.refund_impossible(payment_intent, &code)
                });
                send(app, settled.await?.jobs()).await;
                return Ok(Outcome::Discard { why: format!("Stripe refuses the refund: {error}") });
            }
        }
    }
    Ok(Outcome::Retry { after: wait(attempts), why: "Stripe keeps failing to refund".into() })
}

/// Reads the refunds of a payment and brings the ledger in line.
pub(crate) async fn settle_refunds(
    app: &App,
    booking: BookingId,
    payment_intent: &str,
    attempts: i32,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let Some(dossier) = dossier::read(&app.db, booking).await? else {
        return Ok(Outcome::Discard { why: "there is no such booking".into() });
    };
    match app.stripe.refunds(payment_intent, dossier.stripe_account.as_deref()).await {
        Ok(refunds) => {
            apply(app, booking, &facts(&refunds, payment_intent, now), now).await?;
            Ok(Outcome::Done)
        }
        Err(error) => Ok(failed(&error, attempts)),
    }
}

/// Closes a Checkout Session; should it turn out paid, the booking hears of it.
pub(crate) async fn expire(
    app: &App,
    booking: BookingId,
    session: &str,
    attempts: i32,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let Some(dossier) = dossier::read(&app.db, booking).await? else {
        return Ok(Outcome::Discard { why: "there is no such booking".into() });
    };
    match app.stripe.expire(session, dossier.stripe_account.as_deref()).await {
        Ok(session) => {
            let settled = settle::session(&app.db, booking, &session, now).await?;
            send(app, settled.jobs()).await;
            Ok(Outcome::Done)
        }
        Err(error) => Ok(failed(&error, attempts)),
    }
}

fn facts(refunds: &[Refund], payment_intent: &str, now: Timestamp) -> Vec<RefundFact> {
    refunds.iter().map(|refund| refund_fact(refund, payment_intent, now)).collect()
}

async fn apply(app: &App, booking: BookingId, facts: &[RefundFact], now: Timestamp) -> Result<(), Error> {
    let reference = Reference { booking: Some(booking), payment_intent: None };
    let settled = settle::settle(&app.db, &reference, None, now, |booking, _| booking.settle(facts)).await?;
    send(app, settled.jobs()).await;
    Ok(())
}

fn failed(error: &StripeError, attempts: i32) -> Outcome {
    let why = format!("Stripe: {error}");
    if error.is_transient() { Outcome::Retry { after: wait(attempts), why } } else { Outcome::Discard { why } }
}
