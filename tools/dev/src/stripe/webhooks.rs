//! Events on their way: signed, sent at once and in no order, tried again with a growing pause.
//! Losing, delaying and doubling are done here and nowhere else.

use std::sync::Arc;
use std::time::Duration;

use super::delivery::{Delivery, Travel, sign};
use super::objects::{API_VERSION, Endpoint};
use super::service::Inner;
use crate::machine::lock;
use crate::stand_in::{Service, alphanumeric};

impl Inner {
    pub(super) fn deliver_all(self: &Arc<Self>, events: &[String]) {
        self.deliver(events, Travel::Normal);
    }

    /// Starts the delivery of events; returns at once.
    pub(super) fn deliver(self: &Arc<Self>, events: &[String], travel: Travel) {
        let drop_all = lock(&self.base.switches).drop_webhooks;
        for id in events {
            if travel == Travel::Lost || drop_all {
                if let Some(event) = self.ledger().events.get_mut(id) {
                    event.lost = true;
                }
                continue;
            }
            let endpoints = self.ledger().events.get(id).map(|event| event.undelivered.clone()).unwrap_or_default();
            for endpoint in endpoints {
                let pause = if travel == Travel::Late { self.late } else { Duration::ZERO };
                for _ in 0..if travel == Travel::Doubled { 2 } else { 1 } {
                    self.start_chain(id.clone(), endpoint.clone(), pause);
                }
            }
        }
    }

    /// Tries until the receiver takes it or the schedule is over.
    fn start_chain(self: &Arc<Self>, event_id: String, endpoint_id: String, pause: Duration) {
        let inner = Arc::clone(self);
        let in_flight = self.deliveries.enter();
        tokio::spawn(async move {
            let _in_flight = in_flight;
            tokio::time::sleep(pause + shuffle()).await;
            let mut attempt = 1;
            let mut pauses = inner.retry_pauses.clone().into_iter();
            loop {
                if inner.is_closed() {
                    return;
                }
                match inner.try_once(&event_id, &endpoint_id, attempt).await {
                    Some(delivery) if !delivery.taken() => {}
                    _ => return,
                }
                let Some(pause) = pauses.next() else { return };
                tokio::time::sleep(pause).await;
                attempt += 1;
            }
        });
    }

    /// One try; nothing when the endpoint or the event is gone, or the endpoint is disabled.
    pub(super) async fn try_once(&self, event_id: &str, endpoint_id: &str, attempt: usize) -> Option<Delivery> {
        let (endpoint, kind, payload) = {
            let ledger = self.ledger();
            let endpoint = ledger.endpoints.get(endpoint_id).filter(|endpoint| !endpoint.disabled)?.clone();
            let event = ledger.events.get(event_id)?;
            let version = endpoint.api_version.clone().unwrap_or_else(|| API_VERSION.to_owned());
            (endpoint, event.kind.clone(), event.object(&version).to_string())
        };
        let result = self.send(&endpoint, payload).await;
        let delivery = Delivery {
            event_id: event_id.to_owned(),
            event_type: kind,
            url: endpoint.url,
            attempt,
            at: self.base.clock.now(),
            status: result.as_ref().ok().copied(),
            error: result.err(),
        };
        if let Some(endpoint) = self.ledger().endpoints.get_mut(endpoint_id) {
            endpoint.tried(delivery.taken(), self.base.clock.now_unix());
        }
        if delivery.taken() {
            if let Some(event) = self.ledger().events.get_mut(event_id) {
                event.undelivered.retain(|waiting| waiting != endpoint_id);
            }
            self.changed();
        } else {
            tracing::warn!(event = %delivery.event_id, kind = %delivery.event_type, status = ?delivery.status, error = ?delivery.error, "a Stripe event was not taken");
        }
        self.deliveries.push(delivery.clone());
        Some(delivery)
    }

    /// Delivers an event once to each endpoint that wants it, whatever happened to it before.
    pub(super) async fn deliver_now(&self, event_id: &str) -> Vec<Delivery> {
        let endpoints: Vec<String> = {
            let ledger = self.ledger();
            let Some(event) = ledger.events.get(event_id) else { return Vec::new() };
            ledger
                .endpoints
                .iter()
                .filter(|endpoint| endpoint.wants(&event.kind, event.account.as_deref()))
                .map(|endpoint| endpoint.id.clone())
                .collect()
        };
        let mut deliveries = Vec::new();
        for endpoint in endpoints {
            deliveries.extend(self.try_once(event_id, &endpoint, 1).await);
        }
        deliveries
    }

    async fn send(&self, endpoint: &Endpoint, payload: String) -> Result<u16, String> {
        let signature = sign(&payload, &endpoint.secret, self.base.clock.now_unix());
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("cache-control", "no-cache"),
            ("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks) stand-in"),
            ("stripe-signature", signature.as_str()),
        ];
        self.deliveries.post(&endpoint.url, &headers, payload).await
    }

    /// After a restart: what was on its way is sent again, as a real sender would.
    pub(super) fn resume_deliveries(self: &Arc<Self>) {
        let since = self.base.clock.now_unix() - 3600;
        let waiting: Vec<(String, Vec<String>)> = self
            .ledger()
            .events
            .iter()
            .filter(|event| !event.lost && event.created >= since && !event.undelivered.is_empty())
            .map(|event| (event.id.clone(), event.undelivered.clone()))
            .collect();
        for (event, endpoints) in waiting {
            for endpoint in endpoints {
                self.start_chain(event.clone(), endpoint, Duration::ZERO);
            }
        }
    }
}

/// A few milliseconds, so that events overtake each other as they do in life.
fn shuffle() -> Duration {
    let byte = alphanumeric(1).as_bytes()[0];
    Duration::from_micros(u64::from(byte % 40) * 500)
}
