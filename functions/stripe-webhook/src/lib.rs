//! `POST /api/webhooks/stripe`: verify, record once, apply, enqueue. 2xx only after the commit.
//!
//! Effects are decided by the booking's state, not by the order in which events arrive: the same fact may come
//! twice, late, or as two different events (<https://docs.stripe.com/webhooks#event-ordering>).

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use shared::clock::Clock;
use shared::config::{self, ConfigError, Secret};
use shared::db::Db;
use shared::db::bookings::{self, Reference};
use shared::domain::booking::{Actor, Booking, CancelReason, Change, Entry, EntryKind, HistoryLine, Payment};
use shared::domain::job::Task;
use shared::domain::money::Cents;
use shared::error::Error;
use shared::http::{self, Reply};
use shared::queue::Queue;
use shared::settle::{self, Settled};
use shared::stripe::{self, Event, Refund, Session, id_or_object};
use shared::{aws, net};

/// The most that an event may weigh. Stripe's largest are far below.
const EVENT_LIMIT: usize = 1024 * 1024;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    /// Postgres.
    pub db: Db,
    /// Carries the jobs that follow.
    pub queue: Queue,
    /// The secrets an event may be signed with.
    pub secrets: Arc<[Secret]>,
    /// Whether this deployment moves real money.
    pub livemode: bool,
    /// The time.
    pub clock: Clock,
}

impl App {
    /// Reads the settings.
    ///
    /// # Errors
    /// One is missing or malformed.
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            secrets: stripe::webhook_secrets()?,
            livemode: stripe::Stripe::from_env(http)?.is_live(),
            clock: config::clock()?,
        })
    }
}

/// Answers one delivery.
///
/// # Errors
/// The signature is wrong (401), the body cannot be read (400), or we failed (5xx: Stripe tries again).
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::POST {
        return Err(Error::MethodNotAllowed);
    }
    let now = app.clock.now();
    let payload = http::bytes(&request, EVENT_LIMIT)?;
    let signature = request.headers().get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    stripe::verify(payload, signature, &app.secrets, now).map_err(|error| {
        tracing::warn!(error = %error, "a webhook is not from Stripe");
        Error::Unauthenticated("the signature does not fit")
    })?;
    let event: Event =
        serde_json::from_slice(payload).map_err(|_| Error::Malformed("the body is not a Stripe event".into()))?;

    if event.livemode != app.livemode {
        // A test event at a live deployment, or the reverse: an endpoint that is registered in both modes.
        tracing::warn!(event.id, event.kind, event.livemode, "an event of the other mode is ignored");
        return received("other_mode");
    }
    let settled = apply(app, &event, now).await?;
    let jobs = settled.jobs();
    if !jobs.is_empty()
        && let Err(error) = app.queue.send(jobs).await
    {
        tracing::warn!(error = %error, jobs = jobs.len(), "the sweeper will send these jobs");
    }
    tracing::info!(event.id, event.kind, outcome = settled.outcome(), "event applied");
    received(settled.outcome())
}

fn received(outcome: &str) -> Reply {
    http::reply(StatusCode::OK, &json!({ "received": true, "outcome": outcome }))
}

/// A payment intent, as far as we read it.
#[derive(Deserialize)]
struct PaymentIntent {
    id: String,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    currency: String,
    #[serde(default)]
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
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// A dispute, as far as we read it.
#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(default)]
    amount: i64,
    #[serde(default)]
    currency: String,
    #[serde(default)]
    status: String,
    #[serde(default, deserialize_with = "id_or_object")]
    payment_intent: Option<String>,
}

async fn apply(app: &App, event: &Event, now: Timestamp) -> Result<Settled, Error> {
    let at = Timestamp::from_second(event.created).unwrap_or(now);
    match event.kind.as_str() {
        "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
            let session: Session = event.object()?;
            let reference = of_session(&session);
            if session.is_paid() {
                let payment = settle::payment_of(&session, at)?;
                decide(app, event, &reference, now, |booking, free| booking.receive(&payment, free, now)).await
            } else {
                decide(app, event, &reference, now, |booking, _| booking.wait_for_slow_payment(now)).await
            }
        }
        "checkout.session.async_payment_failed" => {
            let session: Session = event.object()?;
            decide(app, event, &of_session(&session), now, |booking, _| {
                booking.release(CancelReason::PaymentFailed, Actor::Stripe)
            })
            .await
        }
        "checkout.session.expired" => {
            let session: Session = event.object()?;
            decide(app, event, &of_session(&session), now, |booking, _| booking.checkout_expired(&session.id)).await
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
            decide(app, event, &reference, now, |booking, free| booking.receive(&payment, free, now)).await
        }
        "payment_intent.payment_failed" => {
            // The client may try another card in the same session: noted, and nothing else.
            let intent: PaymentIntent = event.object()?;
            let why = intent.last_payment_error.and_then(|error| error.decline_code.or(error.code));
            decide(app, event, &reference(&intent.metadata, Some(intent.id)), now, |_, _| Change {
                history: vec![HistoryLine {
                    actor: Actor::Stripe,
                    kind: "payment_declined",
                    data: json!({ "code": why }),
                }],
                ..Change::nothing("declined")
            })
            .await
        }
        "charge.refunded" => {
            // The charge names no refund; the worker reads them at Stripe.
            let charge: Charge = event.object()?;
            let Some(payment_intent) = charge.payment_intent else {
                return orphan(app, event, "no_payment_intent", now).await;
            };
            let reference = reference(&charge.metadata, Some(payment_intent.clone()));
            decide(app, event, &reference, now, |booking, _| Change {
                tasks: vec![Task::SettleRefunds {
                    booking: booking.id,
                    payment_intent: payment_intent.clone(),
                    event: event.id.clone(),
                }],
                ..Change::nothing("refunds_to_read")
            })
            .await
        }
        "refund.updated" | "refund.failed" => {
            let refund: Refund = event.object()?;
            let Some(payment_intent) = refund.payment_intent.clone() else {
                return orphan(app, event, "no_payment_intent", now).await;
            };
            let fact = settle::refund_fact(&refund, &payment_intent, at);
            let reference = Reference { booking: None, payment_intent: Some(payment_intent) };
            decide(app, event, &reference, now, |booking, _| booking.settle(std::slice::from_ref(&fact))).await
        }
        "charge.dispute.created" => {
            let dispute: Dispute = event.object()?;
            let payment_intent = dispute.payment_intent.unwrap_or_default();
            let reference = Reference { booking: None, payment_intent: Some(payment_intent.clone()) };
            decide(app, event, &reference, now, |booking, _| booking.dispute_opened(&dispute.id, &payment_intent)).await
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
            decide(app, event, &reference, now, |booking, _| {
                booking.dispute_closed(lost.clone(), &dispute.id, &payment_intent)
            })
            .await
        }
        // An event nobody listens to: the endpoint is subscribed to more than it needs.
        _ => Ok(Settled::Applied { outcome: "ignored", jobs: Vec::new() }),
    }
}

async fn decide(
    app: &App,
    event: &Event,
    reference: &Reference,
    now: Timestamp,
    rule: impl Fn(&Booking, bool) -> Change,
) -> Result<Settled, Error> {
    match settle::settle(&app.db, reference, Some(event), now, rule).await? {
        Settled::UnknownBooking => orphan(app, event, "unknown_booking", now).await,
        settled => Ok(settled),
    }
}

/// Keeps an event that belongs to no booking. Trying again cannot help Stripe, but somebody must look:
/// it may be money.
async fn orphan(app: &App, event: &Event, outcome: &'static str, now: Timestamp) -> Result<Settled, Error> {
    let is_new = bookings::record_orphan(&app.db, event, outcome, now).await?;
    if is_new {
        tracing::error!(event.id, event.kind, outcome, "an event belongs to no booking");
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
