//! Something that happened, and where it is told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Something that happened, with the object as it was then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Event {
    pub(in crate::stripe) id: String,
    /// The connected account in which it happened.
    #[serde(default)]
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) kind: String,
    pub(in crate::stripe) object: Value,
    pub(in crate::stripe) previous: Option<Value>,
    pub(in crate::stripe) request_id: Option<String>,
    pub(in crate::stripe) idempotency_key: Option<String>,
    /// Endpoints that have not taken it yet.
    pub(in crate::stripe) undelivered: Vec<String>,
    /// Whether the delivery was lost on purpose.
    pub(in crate::stripe) lost: bool,
}

impl Event {
    pub(in crate::stripe) fn object(&self, api_version: &str) -> Value {
        let mut data = json!({"object": self.object});
        if let (Some(fields), Some(previous)) = (data.as_object_mut(), &self.previous) {
            fields.insert("previous_attributes".to_owned(), previous.clone());
        }
        let mut object = json!({
            "id": self.id,
            "object": "event",
            "api_version": api_version,
            "created": self.created,
            "data": data,
            "livemode": false,
            "pending_webhooks": self.undelivered.len(),
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": self.kind,
        });
        if let (Some(fields), Some(account)) = (object.as_object_mut(), &self.account) {
            fields.insert("account".to_owned(), json!(account));
        }
        object
    }
}

/// Where events are sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::stripe) struct Endpoint {
    pub(in crate::stripe) id: String,
    pub(in crate::stripe) created: i64,
    pub(in crate::stripe) url: String,
    pub(in crate::stripe) secret: String,
    pub(in crate::stripe) enabled_events: Vec<String>,
    pub(in crate::stripe) api_version: Option<String>,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    /// Whether it hears what happens in connected accounts, and only that.
    #[serde(default)]
    pub(in crate::stripe) connect: bool,
    #[serde(default)]
    pub(in crate::stripe) disabled: bool,
    /// The first failure after the last success.
    #[serde(default)]
    pub(in crate::stripe) failing_since: Option<i64>,
}

/// How long Stripe tries an endpoint in vain before it gives up on it.
const PATIENCE: i64 = 3 * 86_400;

impl Endpoint {
    pub(in crate::stripe) fn wants(&self, kind: &str, account: Option<&str>) -> bool {
        !self.disabled
            && self.connect == account.is_some()
            && self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == kind)
    }

    /// What came of a delivery.
    pub(in crate::stripe) fn tried(&mut self, taken: bool, now: i64) {
        if taken {
            self.failing_since = None;
        } else if now - *self.failing_since.get_or_insert(now) >= PATIENCE {
            self.disabled = true;
        }
    }

    pub(in crate::stripe) fn object(&self, with_secret: bool) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version,
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.disabled { "disabled" } else { "enabled" },
            "url": self.url,
        });
        if let (Some(fields), true) = (object.as_object_mut(), with_secret) {
            fields.insert("secret".to_owned(), json!(self.secret));
        }
        object
    }
}
