//! Webhooks of Cal.com: signed when there is a secret, sent once, never retried.

use std::sync::Arc;

use serde_json::json;

use super::delivery::{Delivery, sign};
use super::diary::{Notice, Webhook};
use super::service::Inner;
use super::time::millis;
use crate::machine::lock;
use crate::stand_in::Service;

/// What InkFlow listens to.
const TRIGGERS: &[&str] = &["BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED", "BOOKING_REJECTED"];

impl Inner {
    /// Tells the subscribers; returns at once.
    pub(super) fn tell(self: &Arc<Self>, notices: Vec<Notice>) {
        if lock(&self.base.switches).drop_webhooks {
            return;
        }
        for notice in notices {
            let subscribers: Vec<Webhook> = self
                .diary()
                .webhooks
                .iter()
                .filter(|webhook| {
                    webhook.active
                        && webhook.username == notice.username
                        && webhook.event_type.is_none_or(|id| id == notice.event_type)
                        && webhook.triggers.iter().any(|trigger| trigger == notice.trigger)
                })
                .cloned()
                .collect();
            let created_at = millis(self.base.clock.now());
            let payload =
                json!({"triggerEvent": notice.trigger, "createdAt": created_at, "payload": notice.payload}).to_string();
            for webhook in subscribers {
                let (inner, in_flight) = (Arc::clone(self), self.deliveries.enter());
                let (trigger, payload) = (notice.trigger, payload.clone());
                tokio::spawn(async move {
                    let _in_flight = in_flight;
                    inner.post(trigger, webhook, payload).await;
                });
            }
        }
    }

    async fn post(&self, trigger: &str, webhook: Webhook, payload: String) {
        let signature = sign(&payload, webhook.secret.as_deref());
        let headers = [("content-type", "application/json"), ("x-cal-signature-256", signature.as_str())];
        let result = self.deliveries.post(&webhook.url, &headers, payload.clone()).await;
        if !matches!(&result, Ok(200..300)) {
            tracing::warn!(trigger, ?result, "a Cal.com webhook was not taken");
        }
        self.deliveries.push(Delivery {
            trigger: trigger.to_owned(),
            url: webhook.url,
            payload,
            signature,
            at: self.base.clock.now(),
            status: result.as_ref().ok().copied(),
            error: result.err(),
        });
    }

    pub(super) fn subscribe(
        &self,
        username: &str,
        url: &str,
        secret: Option<&str>,
        triggers: &[&str],
    ) -> Result<u64, String> {
        if self.user(username).is_none() {
            return Err(format!("no user `{username}`"));
        }
        let triggers = if triggers.is_empty() { TRIGGERS } else { triggers };
        let mut diary = self.diary();
        // The same address twice would tell everything twice after each restart.
        diary.webhooks.retain(|webhook| !(webhook.username == username && webhook.url == url));
        let webhook = diary.subscribe(Webhook {
            id: 0,
            username: username.to_owned(),
            event_type: None,
            url: url.to_owned(),
            secret: secret.map(str::to_owned),
            triggers: triggers.iter().map(|trigger| (*trigger).to_owned()).collect(),
            active: true,
        });
        drop(diary);
        self.changed();
        Ok(webhook.id)
    }
}
