//! What the holder of an unpaid booking's link may do: give the slot back, and have Stripe asked whether it is paid.
//!
//! `POST /api/bookings/{id}/release` and `POST /api/bookings/{id}/check`. A paid booking is not cancelled here.

pub mod api;

use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::Serialize;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::{Db, dossier, holds};
use shared::domain::booking::{CancelReason, Status};
use shared::domain::ids::BookingId;
use shared::domain::refusal::Refusal;
use shared::error::Error;
use shared::http::{self, Reply};
use shared::queue::Queue;
use shared::settle::{self, Closed};
use shared::stripe::{SessionStatus, Stripe};
use shared::{aws, net};

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub stripe: Stripe,
    /// Carries the jobs that follow.
    pub queue: Queue,
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            stripe: Stripe::from_env(http)?,
            clock: config::clock()?,
            public_url: config::public_url()?,
        })
    }
}

/// The answer to a release.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct ReleasedView {
    /// The booking.
    pub booking_id: BookingId,
    /// `cancelled`.
    pub status: Status,
    /// Why.
    pub cancel_reason: CancelReason,
}

/// What Stripe says of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[derive(schemars::JsonSchema)]
pub enum PaymentSeen {
    /// It is made, and the booking knows by now.
    Paid,
    /// It is submitted, and a bank makes up its mind.
    Processing,
    /// The page is open, and nobody has paid there.
    Open,
    /// The page is closed, and nobody has paid there.
    Closed,
}

/// The answer to a check.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct CheckedView {
    /// The booking.
    pub booking_id: BookingId,
    /// What Stripe says; none when it was not asked: nothing is to be paid, or somebody asked a moment ago.
    pub payment: Option<PaymentSeen>,
}

pub async fn handle(app: &App, request: Request) -> Reply {
    let id = |text: &str| text.parse::<BookingId>().map_err(|_| Error::NotFound);
    match (http::segments(&request, "/api/bookings")?.as_slice(), request.method()) {
        ([booking, "release"], &Method::POST) => release(app, id(booking)?).await,
        ([booking, "check"], &Method::POST) => check(app, id(booking)?).await,
        ([_, "release" | "check"], _) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

/// Gives an unpaid slot back. Stripe's page is closed first: if it turns out paid, the booking stands.
async fn release(app: &App, id: BookingId) -> Reply {
    let now = app.clock.now();
    let released = |reason| ReleasedView { booking_id: id, status: Status::Cancelled, cancel_reason: reason };
    let Some(hold) = holds::get(&app.db, id).await? else {
        // Not pending: either there is nothing to give back any more, or it is paid.
        let dossier = dossier::read(&app.db, id).await?.ok_or(Error::NotFound)?;
        return match dossier.booking.state.cancel_reason {
            Some(reason) => http::reply(StatusCode::OK, &released(reason)),
            None => Err(Refusal::AlreadyPaid.into()),
        };
    };
    let closed = settle::close(&app.db, &app.stripe, &hold, &app.public_url, CancelReason::Client, now).await?;
    app.queue.hand_on(closed.settled().jobs()).await;
    match closed {
        Closed::Released(_) => http::reply(StatusCode::OK, &released(CancelReason::Client)),
        Closed::Kept(_) => Err(Refusal::AlreadyPaid.into()),
    }
}

/// Asks Stripe about the payment that a client waits for, as the sweeper does, and settles what it says.
async fn check(app: &App, id: BookingId) -> Reply {
    let now = app.clock.now();
    let awaited = holds::awaited(&app.db, id, now).await?.ok_or(Error::NotFound)?;
    let payment = match awaited.hold.session.filter(|_| awaited.may_ask) {
        None => None,
        Some(session) => {
            let asked = app.stripe.session(&session, awaited.hold.account.as_deref()).await;
            let session = asked.map_err(|error| Error::CheckoutStaysOpen(error.to_string()))?;
            app.queue.hand_on(settle::session(&app.db, id, &session, now).await?.jobs()).await;
            Some(match session.status {
                _ if session.is_paid() => PaymentSeen::Paid,
                Some(SessionStatus::Complete) => PaymentSeen::Processing,
                Some(SessionStatus::Expired) => PaymentSeen::Closed,
                _ => PaymentSeen::Open,
            })
        }
    };
    http::reply(StatusCode::OK, &CheckedView { booking_id: id, payment })
}
