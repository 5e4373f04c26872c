//! Refunds and Checkout Sessions: look at Stripe first, write once, bring the books in line with what Stripe says.

use shared::db::bookings::{self, Reference};
use shared::domain::booking::{self, Booking, Facts};
use shared::domain::job::{Outcome, RefundReason};
use shared::domain::money::Cents;
use shared::error::Error;
use shared::settle::{self, refund_fact};
use shared::stripe::{Refund, StripeError};

use crate::Attempt;

/// How many keys are tried when Stripe keeps answering what it stored under an earlier one.
const KEYS: u32 = 8;

/// Gives back what is owed of a payment, and no more.
///
/// Stripe's key is the guard within a day; looking first is the guard for ever.
pub(crate) async fn refund(
    attempt: &Attempt<'_>,
    payment_intent: &str,
    reason: RefundReason,
) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let booking = dossier.booking.id;
    let account = dossier.stripe_account.as_deref();
    let mut refused: Option<(usize, StripeError)> = None;
    for key in 1..=KEYS {
        let facts = match settle::facts(&app.stripe, payment_intent, account, now).await {
            Ok(facts) => facts,
            Err(error) => return Ok(failed(attempt, &error)),
        };
        let number = facts.refunds.len() + 1;
        apply(attempt, &facts).await?;
        let booked = booked(attempt).await?;
        let owed = booked.owed(payment_intent);
        if owed == Cents::ZERO {
            return Ok(Outcome::Done);
        }
        if booked.is_blocked(payment_intent) {
            // Once the bank lets go of it, a job of its own gives it back.
            return Ok(Outcome::Done);
        }
        // Nothing else has happened to the payment: the refusal was meant.
        if let Some((_, error)) = refused.take_if(|(at, _)| *at == number) {
            return impossible(attempt, payment_intent, &error).await;
        }
        let answer = app.stripe.refund(booking, payment_intent, owed, reason, (number, key), account).await;
        match answer {
            Ok(refund) => {
                apply(attempt, &facts_of(&refund, payment_intent, attempt)).await?;
                return Ok(Outcome::Done);
            }
            // Done already, by somebody at Stripe's dashboard: the next look shows it.
            Err(error) if error.code() == "charge_already_refunded" => {}
            // Stored under the key, or the key stands for another sum: look what became of it, then take the next key.
            Err(error) if error.is_replayed() || error.is_of_another_wish() => {}
            Err(StripeError::Refused { status: 500..=599, .. }) => {}
            Err(error) if error.is_transient() => return Ok(failed(attempt, &error)),
            // Perhaps somebody gave a part back at the same moment.
            Err(error) => refused = Some((number, error)),
        }
    }
    Ok(Outcome::Retry { after: attempt.wait(), why: "Stripe keeps failing to refund".into() })
}

/// Stripe will not carry a refund out: a person has to look.
async fn impossible(attempt: &Attempt<'_>, payment_intent: &str, error: &StripeError) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let reference = Reference::booking(dossier.booking.id);
    let code = error.code().to_owned();
    let settled =
        settle::settle(&app.db, &reference, None, now, |booking, _| booking.refund_impossible(payment_intent, &code));
    app.queue.hand_on(settled.await?.jobs()).await;
    Ok(Outcome::Discard { why: format!("Stripe refuses the refund: {error}") })
}

/// Reads what has become of a payment and brings the books in line.
pub(crate) async fn settle_payment(attempt: &Attempt<'_>, payment_intent: &str) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    match settle::facts(&app.stripe, payment_intent, dossier.stripe_account.as_deref(), now).await {
        Ok(facts) => {
            apply(attempt, &facts).await?;
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

/// A refund that was just made, as all there is to tell.
fn facts_of(refund: &Refund, payment_intent: &str, attempt: &Attempt<'_>) -> Facts {
    Facts { refunds: vec![refund_fact(refund, payment_intent, attempt.now)], ..Facts::default() }
}

/// Writes what Stripe says.
async fn apply(attempt: &Attempt<'_>, facts: &Facts) -> Result<(), Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let reference = Reference::booking(dossier.booking.id);
    let settled = settle::settle(&app.db, &reference, None, now, |booking, _| booking.settle(facts)).await?;
    app.queue.hand_on(settled.jobs()).await;
    if settled.outcome() == booking::Outcome::RefundFailed {
        tracing::error!(booking.id = %dossier.booking.id, "a refund has failed: its money is with us again");
    }
    Ok(())
}

/// The booking as it is now.
async fn booked(attempt: &Attempt<'_>) -> Result<Booking, Error> {
    let found = bookings::find(&attempt.app.db, &Reference::booking(attempt.dossier.booking.id), None).await?;
    found.map(|found| found.booking).ok_or(Error::NotFound)
}

fn failed(attempt: &Attempt<'_>, error: &StripeError) -> Outcome {
    let why = format!("Stripe: {error}");
    if error.is_transient() { Outcome::Retry { after: attempt.wait(), why } } else { Outcome::Discard { why } }
}
