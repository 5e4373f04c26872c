//! What the set-up of a connection asks Cal.com: whose key it is, what the event type is like, and to tell us of changes.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Calcom, CalcomError, data};
use crate::config::Secret;

/// The contract of event types.
const EVENT_TYPES: &str = "2024-06-14";

/// What we want to hear of.
const TRIGGERS: [&str; 4] = ["BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED", "BOOKING_REJECTED"];

/// The name of an event that we want to hear of, for the log; any other is `unknown`, because a stranger may write anything there.
pub fn trigger(name: &str) -> &'static str {
    TRIGGERS.into_iter().find(|ours| *ours == name).unwrap_or("unknown")
}

/// An event type, as far as booking with it depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    pub title: String,
    /// The lengths it offers, in minutes.
    pub lengths: Vec<u32>,
    /// Whether the artist must say yes to each booking.
    pub requires_confirmation: bool,
    /// Whether a booking that waits for that yes takes its time away from others.
    pub blocks_while_pending: bool,
    /// Whether it forbids to cancel its bookings, to its host as well.
    pub cancelling_disabled: bool,
    /// Whether it forbids to move them.
    pub rescheduling_disabled: bool,
}

#[derive(Deserialize)]
struct Me {
    username: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEventType {
    #[serde(default)]
    title: String,
    #[serde(default)]
    length_in_minutes: Option<u32>,
    #[serde(default)]
    length_in_minutes_options: Option<Vec<u32>>,
    #[serde(default)]
    confirmation_policy: Value,
    #[serde(default)]
    disable_cancelling: Value,
    #[serde(default)]
    disable_rescheduling: Value,
}

/// A switch is a word of its own, or an object with one; with minutes it forbids only the last ones.
fn is_on(switch: &Value) -> bool {
    switch.as_bool().unwrap_or_else(|| switch["disabled"] == Value::Bool(true) && switch["minutesBefore"].is_null())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    id: Value,
    subscriber_url: String,
}

impl Calcom {
    /// The name of whoever owns this key.
    ///
    /// # Errors
    /// [`CalcomError::Unauthorised`] when Cal.com does not know the key.
    pub async fn username(&self, key: &Secret) -> Result<Option<String>, CalcomError> {
        // This family knows no versions.
        let me: Me = data(self.request(Method::GET, "me", key, EVENT_TYPES)).await?;
        Ok(me.username)
    }

    /// One event type of whoever owns this key.
    ///
    /// # Errors
    /// [`CalcomError::NotFound`] when it is not theirs.
    pub async fn event_type(&self, key: &Secret, id: i64) -> Result<EventType, CalcomError> {
        let wire: WireEventType =
            data(self.request(Method::GET, &format!("event-types/{id}"), key, EVENT_TYPES)).await?;
        let policy = &wire.confirmation_policy;
        let mut lengths = wire.length_in_minutes_options.unwrap_or_default();
        if lengths.is_empty() {
            lengths.extend(wire.length_in_minutes);
        }
        Ok(EventType {
            title: wire.title,
            lengths,
            requires_confirmation: policy.is_object() && policy["disabled"] != Value::Bool(true),
            blocks_while_pending: policy["blockUnconfirmedBookingsInBooker"] == Value::Bool(true),
            cancelling_disabled: is_on(&wire.disable_cancelling),
            rescheduling_disabled: is_on(&wire.disable_rescheduling),
        })
    }

    /// Has the changes of an event type's bookings told to `url`, signed with `secret`.
    ///
    /// A subscription of the same address is replaced, because its secret cannot be read.
    pub async fn subscribe(
        &self,
        key: &Secret,
        event_type: i64,
        url: &str,
        secret: &Secret,
    ) -> Result<(), CalcomError> {
        self.unsubscribe(key, event_type, url).await?;
        let body = json!({
            "active": true, "subscriberUrl": url, "triggers": TRIGGERS, "secret": secret.expose(), "version": "2021-10-20",
        });
        let path = format!("event-types/{event_type}/webhooks");
        let _created: Value = data(self.request(Method::POST, &path, key, EVENT_TYPES).json(&body)).await?;
        Ok(())
    }

    /// Ends every subscription of `url` to an event type.
    pub async fn unsubscribe(&self, key: &Secret, event_type: i64, url: &str) -> Result<(), CalcomError> {
        let path = format!("event-types/{event_type}/webhooks");
        let known: Vec<Webhook> = data(self.request(Method::GET, &path, key, EVENT_TYPES)).await?;
        for webhook in known.into_iter().filter(|webhook| webhook.subscriber_url == url) {
            let id = match &webhook.id {
                Value::String(id) => id.clone(),
                other => other.to_string(),
            };
            // An id that could lead elsewhere names none.
            if id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                let path = format!("{path}/{id}");
                let _gone: Value = data(self.request(Method::DELETE, &path, key, EVENT_TYPES)).await?;
            }
        }
        Ok(())
    }
}
