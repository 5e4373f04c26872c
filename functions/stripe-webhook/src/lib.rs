//! `POST /api/webhooks/stripe`: verify, record once, apply, enqueue. 2xx only after the commit.
//!
//! What an event does is `shared::settle::events`, which the sweeper uses too.

pub mod api;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use shared::clock::Clock;
use shared::config::{self, ConfigError, Secret};
use shared::db::{Db, reconcile};
use shared::domain::booking::Outcome;
use shared::domain::time::after;
use shared::error::Error;
use shared::http::{self, Reply};
use shared::queue::Queue;
use shared::settle::events;
use shared::stripe::{self, Event, EventData};
use shared::{aws, net};

/// When the sweeper looks for what a thin event points at: what is younger is still on its way.
const THIN: SignedDuration = SignedDuration::from_mins(3);

/// The most that an event may weigh. Stripe's largest are far below.
const EVENT_LIMIT: usize = 1024 * 1024;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    /// Carries the jobs that follow.
    pub queue: Queue,
    /// The secrets an event may be signed with.
    pub secrets: Arc<[Secret]>,
    /// Whether this deployment moves real money. Said plainly: everybody may call this function, so it holds no key of Stripe.
    pub livemode: bool,
    pub clock: Clock,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            secrets: stripe::webhook_secrets()?,
            livemode: config::flag("STRIPE_LIVE")?,
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
        // The operator's own look, which rings no alarm. Only who has a secret of ours can sign that it is theirs.
        let probe =
            request.headers().get(stripe::PROBE_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if stripe::is_probe(probe, &app.secrets, now) {
            tracing::info!(error = %error, "a probe was refused, as it should be");
        } else {
            tracing::warn!(error = %error, "a webhook is not from Stripe");
        }
        Error::Unauthenticated("the signature does not fit")
    })?;
    // Signed, so it is taken; the record keeps no U+0000.
    let payload = http::with_nul_replaced(payload);
    let Ok(event) = serde_json::from_slice::<Event>(&payload) else { return other(app, &payload, now).await };

    if event.livemode != app.livemode {
        // A test event at a live deployment, or the reverse: an endpoint that is registered in both modes.
        tracing::warn!(event.id, event.kind, event.livemode, "an event of the other mode is ignored");
        return received(Outcome::OtherMode);
    }
    let settled = events::apply(&app.db, &event, now).await?;
    app.queue.hand_on(settled.jobs()).await;
    tracing::info!(event.id, event.kind, outcome = settled.outcome().name(), "event applied");
    received(settled.outcome())
}

/// What Stripe signed and is no event with its object: a thin event, which only points at what happened, or one of a shape that
/// nobody knows yet. Sent again it would be the same, so it is taken.
async fn other(app: &App, payload: &[u8], now: Timestamp) -> Reply {
    let notice: Notice =
        serde_json::from_slice(payload).map_err(|_| Error::Malformed("the body is not a Stripe event".into()))?;
    let is_thin = notice.object == "v2.core.event";
    let event = Event {
        id: notice.id,
        kind: notice.kind,
        api_version: None,
        livemode: notice.livemode.unwrap_or(app.livemode),
        account: notice.context,
        created: now.as_second(),
        data: EventData { object: json!({ "id": notice.related_object.id, "object": notice.related_object.kind }) },
    };
    if event.livemode != app.livemode {
        tracing::warn!(event.id, event.kind, event.livemode, "an event of the other mode is ignored");
        return received(Outcome::OtherMode);
    }
    let outcome = if is_thin { Outcome::Thin } else { Outcome::Unreadable };
    events::note(&app.db, &event, outcome, now).await?;
    if is_thin {
        // The key that could ask Stripe is not here, where everybody may call: the sweeper looks through Stripe's events.
        reconcile::hurry(&app.db, reconcile::STRIPE_EVENTS, after(now, THIN)).await?;
        tracing::info!(event.id, event.kind, outcome = outcome.name(), "event applied");
    } else {
        tracing::error!(event.id, event.kind, "an event cannot be read");
    }
    received(outcome)
}

/// All that is read of what is no event with its object.
#[derive(Deserialize)]
struct Notice {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, deserialize_with = "stripe::or_default")]
    object: String,
    #[serde(default)]
    livemode: Option<bool>,
    /// The account, of a thin event.
    #[serde(default)]
    context: Option<String>,
    #[serde(default, deserialize_with = "stripe::or_default")]
    related_object: Related,
}

#[derive(Default, Deserialize)]
struct Related {
    #[serde(default)]
    id: Option<String>,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

fn received(outcome: Outcome) -> Reply {
    http::reply(StatusCode::OK, &json!({ "received": true, "outcome": outcome }))
}
