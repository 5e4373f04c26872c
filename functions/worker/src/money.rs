//! Refunds and Checkout Sessions: look at Stripe first, write once, bring the ledger in line with what Stripe says.

use jiff::Timestamp;
use shared::db::bookings::Reference;
use shared::domain::booking::RefundFact;
use shared::domain::job::{Outcome, RefundReason};
use shared::domain::money::Cents;
use shared::error::Error;
use shared::settle::{self, refund_fact};
use shared::stripe::{Refund, StripeError};

use crate::Attempt;

/// How many keys are tried when Stripe keeps answering a stored failure.
const KEYS: u32 = 3;

/// Gives money back, once.
///
/// Stripe's key is the guard within a day; looking first is the guard for ever.
pub(crate) async fn refund(
    attempt: &Attempt<'_>,
    payment_intent: &str,
    amount: Cents,
    reason: RefundReason,
) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let booking = dossier.booking.id;
    let account = dossier.stripe_account.as_deref();
    for key in 1..=KEYS {
        let facts = match app.stripe.refunds(payment_intent, account).await {
            Ok(refunds) => facts(&refunds, payment_intent, now),
            Err(error) => return Ok(failed(attempt, &error)),
        };
        let returned = Cents::checked_sum(facts.iter().filter(|fact| fact.holds).map(|fact| fact.amount))
            .ok_or_else(|| Error::Internal("the refunds of a payment overflow".into()))?;
        if returned >= amount {
            apply(attempt, &facts).await?;
            return Ok(Outcome::Done);
        }
        let missing = amount.checked_sub(returned).unwrap_or(amount);
        match app.stripe.refund(booking, payment_intent, missing, reason, key, account).await {
            Ok(refund) => {
                let fact = refund_fact(&refund, payment_intent, now);
                apply(attempt, &[facts, vec![fact]].concat()).await?;
                return Ok(Outcome::Done);
            }
            // Done already, by somebody at Stripe's dashboard: the next look shows it.
            Err(error) if error.code() == "charge_already_refunded" => {}
            // Stored under the key: look whether it was carried out after all, then take the next key.
            Err(StripeError::Refused { status: 500..=599, .. }) => {}
            Err(error) if error.is_transient() => return Ok(failed(attempt, &error)),
            Err(error) => {
                let reference = Reference::booking(booking);
                let code = error.code().to_owned();
                let settled = settle::settle(&app.db, &reference, None, now, |booking, _| {
                    booking.refund_impossible(payment_intent, &code)
                });
                app.queue.hand_on(settled.await?.jobs()).await;
                return Ok(Outcome::Discard { why: format!("Stripe refuses the refund: {error}") });
            }
        }
    }
    Ok(Outcome::Retry { after: attempt.wait(), why: "Stripe keeps failing to refund".into() })
}

/// Reads the refunds of a payment and brings the ledger in line.
pub(crate) async fn settle_refunds(attempt: &Attempt<'_>, payment_intent: &str) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    match app.stripe.refunds(payment_intent, dossier.stripe_account.as_deref()).await {
        Ok(refunds) => {
            apply(attempt, &facts(&refunds, payment_intent, now)).await?;
            Ok(Outcome::Done)
        }
        Err(error) => Ok(failed(attempt, &error)),
    }
}

/// Closes a Checkout Session; should it turn out paid, the booking hears of it.
pub(crate) async fn expire(attempt: &Attempt<'_>, session: &str) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    match app.stripe.expire(session, dossier.stripe_account.as_deref()).await {
        Ok(session) => {
            let settled = settle::session(&app.db, dossier.booking.id, &session, now).await?;
            app.queue.hand_on(settled.jobs()).await;
            Ok(Outcome::Done)
        }
        Err(error) => Ok(failed(attempt, &error)),
    }
}

fn facts(refunds: &[Refund], payment_intent: &str, now: Timestamp) -> Vec<RefundFact> {
    refunds.iter().map(|refund| refund_fact(refund, payment_intent, now)).collect()
}

async fn apply(attempt: &Attempt<'_>, facts: &[RefundFact]) -> Result<(), Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let reference = Reference::booking(dossier.booking.id);
    let settled = settle::settle(&app.db, &reference, None, now, |booking, _| booking.settle(facts)).await?;
    app.queue.hand_on(settled.jobs()).await;
    Ok(())
}

fn failed(attempt: &Attempt<'_>, error: &StripeError) -> Outcome {
    let why = format!("Stripe: {error}");
    if error.is_transient() { Outcome::Retry { after: attempt.wait(), why } } else { Outcome::Discard { why } }
}
