//! The payment page of a hold: opened once, found again, wished for anew when Stripe will not have the old wish.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lambda_http::http::StatusCode;
use shared::db::bookings::Reference;
use shared::db::holds::{self, Hold, Written};
use shared::domain::booking::{Actor, CancelReason, checkout_end_anew, checkout_is_too_short};
use shared::domain::local::{Appointment, LocalTime};
use shared::domain::money::Currency;
use shared::error::{Error, Service};
use shared::http::{self, Fields, Reply};
use shared::settle;
use shared::stripe::{Session, StripeError};

use crate::{App, HeldView};

/// Answers with a hold that can be paid, whether it is new or was left half-way by an earlier request.
pub(crate) async fn take_up(app: &App, hold: Hold, zone: &TimeZone, written: &Written, now: Timestamp) -> Reply {
    http::reply(StatusCode::CREATED, &view(&payable(app, hold, written, now).await?, zone, now)?)
}

/// The client wants another slot for the unique flash that they hold: both at once cannot be, and which, they say.
pub(crate) async fn held_by_you(app: &App, hold: Hold, zone: &TimeZone, now: Timestamp) -> Error {
    let own = async { view(&payable(app, hold, &Written::default(), now).await?, zone, now) };
    match own.await {
        Ok(own) => Error::HeldByYou { own: serde_json::to_value(own).unwrap_or_default() },
        Err(error) => error,
    }
}

/// Opens the page of a hold that has none yet.
async fn payable(app: &App, hold: Hold, written: &Written, now: Timestamp) -> Result<Hold, Error> {
    if hold.checkout_url.is_some() || !hold.is_live(now) {
        return Ok(hold);
    }
    // The jobs go to the queue while Stripe thinks; what the queue does not take, the sweeper sends.
    let later = async {
        if let Some((job, wait)) = written.later {
            app.queue.hand_on_after(&[job], wait.unsigned_abs()).await;
        }
    };
    let (opened, (), ()) = tokio::join!(Box::pin(open(app, hold, now)), app.queue.hand_on(&written.jobs), later);
    let (hold, session) = match opened? {
        Opened::Page(page) => *page,
        Opened::Meanwhile(hold) => return Ok(*hold),
    };
    let url = session
        .url
        .clone()
        .ok_or_else(|| Error::PaymentUnavailable(format!("the session {} has no page", session.id)))?;
    if !holds::opened(&app.db, hold.id, &session.id, &url, now).await? {
        // Released in the meantime: its page must not stay payable.
        if let Err(error) = app.stripe.expire(&session.id, hold.account.as_deref()).await {
            tracing::warn!(error = %error, booking.id = %hold.id, "the page of a released hold could not be closed");
        }
        return Err(Error::Conflict);
    }
    Ok(Hold { session: Some(session.id), checkout_url: Some(url), ..hold })
}

/// What came of asking Stripe for a page.
enum Opened {
    /// It is open, for the hold as it is now.
    Page(Box<(Hold, Session)>),
    /// Another request of the same client was faster.
    Meanwhile(Box<Hold>),
}

/// Opens the page of a hold, or finds the one that an earlier, lost call opened.
///
/// What Stripe refuses for its age, or because a release words it otherwise, says nothing about the hold: it is wished for
/// anew.
async fn open(app: &App, hold: Hold, now: Timestamp) -> Result<Opened, Error> {
    let error = match ask(app, &hold).await? {
        Ok(session) => return Ok(Opened::Page(Box::new((hold, session)))),
        Err(error) => error,
    };
    let stale =
        error.is_of_another_wish() || (!error.is_transient() && checkout_is_too_short(hold.checkout_expires_at, now));
    // A failure that Stripe keeps under our keys is all that they will ever bring.
    let spent = matches!(error, StripeError::Refused { status: 500..=599, .. });
    if !stale && !spent {
        return Err(not_opened(app, &hold, error, now).await);
    }
    let expires_at = checkout_end_anew(hold.hold_expires_at.unwrap_or(now), now);
    let Some(hold) = holds::wish_anew(&app.db, &hold, expires_at, now).await? else {
        let faster = holds::get(&app.db, hold.id).await?.filter(|hold| hold.checkout_url.is_some());
        let faster = faster.ok_or_else(|| Error::PaymentUnavailable(error.to_string()))?;
        return Ok(Opened::Meanwhile(Box::new(faster)));
    };
    if spent {
        return Err(Error::PaymentUnavailable(error.to_string()));
    }
    match ask(app, &hold).await? {
        Ok(session) => Ok(Opened::Page(Box::new((hold, session)))),
        Err(error) => Err(not_opened(app, &hold, error, now).await),
    }
}

async fn ask(app: &App, hold: &Hold) -> Result<Result<Session, StripeError>, Error> {
    let checkout = settle::checkout_of(hold, &app.web.public_url)?;
    Ok(app.stripe.open_checkout(&checkout).await)
}

/// Stripe opened no page: the hold waits for its client, or ends when waiting cannot help.
async fn not_opened(app: &App, hold: &Hold, error: StripeError, now: Timestamp) -> Error {
    if error.is_transient() {
        return Error::PaymentUnavailable(error.to_string());
    }
    // Stripe will never open this one: a hold that cannot be paid must not keep the chair.
    give_up(app, hold, now).await;
    if error.code() == "email_invalid" {
        let mut fields = Fields::default();
        fields.refuse("/client/email", "is not an address that the payment page accepts");
        return fields.into_error();
    }
    Error::Outside { service: Service::Stripe, why: error.to_string() }
}

fn view(hold: &Hold, zone: &TimeZone, now: Timestamp) -> Result<HeldView, Error> {
    Ok(HeldView {
        booking_id: hold.id,
        status: hold.status,
        checkout_url: hold.checkout_url.clone().filter(|_| hold.is_live(now)),
        hold_expires_at: hold.hold_expires_at.map(|end| LocalTime::of(end, zone)),
        deposit_cents: hold.deposit,
        currency: Currency::Eur.code(),
        appointment: Appointment::of(hold.start, hold.end, zone),
        refundable_until: hold.policy.refundable_until(hold.start, now).map(|until| LocalTime::of(until, zone)),
    })
}

async fn give_up(app: &App, hold: &Hold, now: Timestamp) {
    let reference = Reference::booking(hold.id);
    let released = settle::settle(&app.db, &reference, None, now, |booking, _| {
        booking.release(CancelReason::PaymentFailed, Actor::System)
    });
    match released.await {
        Ok(settled) => app.queue.hand_on(settled.jobs()).await,
        Err(error) => tracing::warn!(error = %error, booking.id = %hold.id, "the sweeper will release this hold"),
    }
}
