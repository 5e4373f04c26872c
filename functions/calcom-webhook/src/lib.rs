//! `POST /api/webhooks/calcom`: the artist moved or cancelled something in Cal.com.
//!
//! The event is a hint and nothing more: it has no id, no time in its signature, and comes once or never. What it is about
//! is read again at Cal.com (`shared::follow_calendar`), and the sweeper asks about every booking that no event spoke of.

pub mod api;

use jiff::Timestamp;
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Request, RequestExt};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::calcom;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::calendar::{self as subscriptions, Clues, Occurrence};
use shared::domain::booking::Outcome;
use shared::domain::ids::BookingId;
use shared::error::Error;
use shared::follow_calendar::{self, Compared};
use shared::http::{self, Reply};
use shared::queue::Queue;
use shared::{aws, net};

/// The most that an event may weigh.
const EVENT_LIMIT: usize = 256 * 1024;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    /// The artists' Cal.com, and their secrets.
    pub calendars: Calendars,
    /// Carries the jobs that follow.
    pub queue: Queue,
    pub clock: Clock,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            calendars: Calendars::from_env(http)?,
            clock: config::clock()?,
        })
    }
}

/// A webhook, as far as we read it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    trigger_event: String,
    created_at: Timestamp,
    #[serde(default)]
    payload: Payload,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    uid: Option<String>,
    reschedule_uid: Option<String>,
    event_type_id: Option<i64>,
    metadata: Option<Value>,
    organizer: Option<Organizer>,
    /// Of a cancellation: whether its host asked for another time. Cal.com itself does not tell it when it is asked.
    request_reschedule: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Organizer {
    username: Option<String>,
}

impl Hook {
    /// What only this message tells of a cancellation.
    fn hint(&self) -> Option<String> {
        let told = self.trigger_event == "BOOKING_CANCELLED";
        let reschedule = self.payload.request_reschedule.filter(|_| told)?;
        Some(subscriptions::hint(self.payload.uid.as_deref()?, reschedule))
    }
}

impl Payload {
    fn clues(&self, artist: Option<&str>) -> Clues {
        let id = self.metadata.as_ref().and_then(|metadata| metadata.get(calcom::OUR_ID)).and_then(Value::as_str);
        Clues {
            artist: artist.and_then(|id| id.parse().ok()),
            booking: id.and_then(|id| id.parse().ok()),
            uids: self.uid.iter().chain(&self.reschedule_uid).cloned().collect(),
            event_type: self.event_type_id,
            username: self.organizer.as_ref().and_then(|organizer| organizer.username.clone()),
        }
    }
}

/// Answers one delivery.
///
/// # Errors
/// The signature is wrong or there is nobody to check it for (401), the body cannot be read (400), or we failed (5xx).
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::POST {
        return Err(Error::MethodNotAllowed);
    }
    let now = app.clock.now();
    let body = http::bytes(&request, EVENT_LIMIT)?;
    let signature = request.headers().get("x-cal-signature-256").and_then(|value| value.to_str().ok());
    // Cal.com keeps its own texts in Postgres, so none of them holds a U+0000.
    if http::holds_nul(body) {
        return Err(Error::Malformed("U+0000 stands in no text here".into()));
    }
    let hook: Hook =
        serde_json::from_slice(body).map_err(|_| Error::Malformed("the body is not a webhook of Cal.com".into()))?;
    let parameters = request.query_string_parameters();
    let clues = hook.payload.clues(parameters.first("artist"));
    let occurrence = Occurrence {
        uid: hook.payload.uid.as_deref().unwrap_or_default(),
        trigger: &hook.trigger_event,
        created_at: hook.created_at,
    };
    // What the body says is believed only as far as to find whose secret it must be signed with.
    let found = subscriptions::subscriber(&app.db, &clues, &occurrence).await?;
    let secret = match &found {
        Some(subscriber) => app.calendars.webhook_secret(subscriber.artist, subscriber.sealed_secret.as_deref())?,
        None => None,
    };
    let (Some(subscriber), Some(secret)) = (found, secret) else {
        tracing::warn!(
            hook.trigger = calcom::connection::trigger(&hook.trigger_event),
            "a webhook is for no artist who has a secret"
        );
        return Err(Error::Unauthenticated("the signature does not fit"));
    };
    if !calcom::verify(body, signature.unwrap_or_default(), &secret) {
        tracing::warn!(artist.id = %subscriber.artist, "a webhook is not from the artist's Cal.com");
        return Err(Error::Unauthenticated("the signature does not fit"));
    }
    if subscriber.is_known {
        return received(Outcome::KnownEvent);
    }
    let outcome = match subscriber.booking {
        // Something of the artist's own, or a test of the subscription.
        None => Outcome::NotOurs,
        Some(booking) => compare(app, booking, hook.hint().as_deref(), now).await?,
    };
    subscriptions::record(&app.db, &occurrence, subscriber.booking, outcome, now).await?;
    let trigger = calcom::connection::trigger(&hook.trigger_event);
    tracing::info!(hook.trigger = trigger, outcome = outcome.name(), "webhook applied");
    received(outcome)
}

async fn compare(app: &App, booking: BookingId, hint: Option<&str>, now: Timestamp) -> Result<Outcome, Error> {
    let compared = follow_calendar::compare(&app.db, &app.calendars, booking, hint, now).await;
    let compared = match compared {
        Ok(compared) => compared,
        Err(error) => {
            // Cal.com does not send it again: the next sweep asks first of all.
            subscriptions::ask_soon(&app.db, booking, hint).await?;
            return Err(error);
        }
    };
    app.queue.hand_on(compared.jobs()).await;
    if let Compared::Busy = compared {
        subscriptions::ask_soon(&app.db, booking, hint).await?;
    }
    Ok(compared.outcome())
}

fn received(outcome: Outcome) -> Reply {
    http::reply(StatusCode::OK, &json!({ "received": true, "outcome": outcome }))
}
