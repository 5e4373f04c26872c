//! What Stripe does by itself: sessions expire, payments are made, and each change is told.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::delivery::{Delivery, Travel};
use super::ledger::{Cause, Closed, Ledger, Submit};
use super::objects::Endpoint;
use super::switches::{Outcome, RefundMode, Switches};
use crate::machine::lock;
use crate::stand_in::{Base, Deliveries, Service, Troubles};

/// The endpoint that the options describe.
pub(super) const PRIMARY_ENDPOINT: &str = "we_1StandInPrimaryEndpoint01";

/// What the routes and the background tasks share.
pub struct Inner {
    pub(super) base: Base<Switches, Ledger>,
    pub(super) secret_key: String,
    pub(super) api_version: String,
    pub(super) primary: Mutex<Endpoint>,
    pub(super) retry_pauses: Vec<Duration>,
    pub(super) late: Duration,
    pub(super) refund_failure_delay: Duration,
    pub(super) keys_in_use: Mutex<HashSet<String>>,
    pub(super) deliveries: Deliveries<Delivery>,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Ledger;
    const NAME: &'static str = "Stripe";

    fn base(&self) -> &Base<Switches, Ledger> {
        &self.base
    }

    fn troubles(switches: &mut Switches) -> &mut Troubles {
        &mut switches.api
    }

    fn clock_moved(self: &Arc<Self>) {
        self.tick();
    }

    /// Everything but the endpoints and the accounts.
    fn forget(&self) {
        {
            let mut ledger = self.ledger();
            *ledger = Ledger {
                endpoints: std::mem::take(&mut ledger.endpoints),
                accounts: std::mem::take(&mut ledger.accounts),
                base_url: std::mem::take(&mut ledger.base_url),
                ..Ledger::default()
            };
        }
        self.deliveries.clear();
    }
}

impl Inner {
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.base.state)
    }

    /// Expires what is over; called by the ticker and before anybody looks.
    pub(super) fn tick(self: &Arc<Self>) {
        let events = self.ledger().pass_time(self.base.clock.now_unix());
        if !events.is_empty() {
            self.changed();
            self.deliver_all(&events);
        }
    }

    pub(super) fn pay(self: &Arc<Self>, session: &str, outcome: Outcome) -> Result<Vec<String>, Closed> {
        self.tick();
        let now = self.base.clock.now_unix();
        let (events, travel) = {
            let mut ledger = self.ledger();
            match outcome {
                Outcome::Expire => (ledger.expire(session, now, &Cause::default())?, Travel::Normal),
                Outcome::Declined => (ledger.submit(session, Submit::Declined, now)?, Travel::Normal),
                Outcome::PaidLater => (ledger.submit(session, Submit::Later, now)?, Travel::Normal),
                Outcome::Paid => (ledger.submit(session, Submit::Accepted, now)?, Travel::Normal),
                Outcome::WebhookLost => (ledger.submit(session, Submit::Accepted, now)?, Travel::Lost),
                Outcome::WebhookLate => (ledger.submit(session, Submit::Accepted, now)?, Travel::Late),
                Outcome::WebhookDoubled => (ledger.submit(session, Submit::Accepted, now)?, Travel::Doubled),
            }
        };
        self.changed();
        self.deliver(&events, travel);
        Ok(events)
    }

    /// Applies a change of the ledger and sends its events.
    pub(super) fn apply<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Ledger, i64) -> Result<(T, Vec<String>), String>,
    ) -> Result<T, String> {
        let (result, events) = change(&mut self.ledger(), self.base.clock.now_unix())?;
        self.changed();
        self.deliver_all(&events);
        Ok(result)
    }

    /// What the switch says comes of a refund comes of it a moment later.
    pub(super) fn end_refund_later(self: &Arc<Self>, id: &str, mode: RefundMode) {
        let (inner, id, in_flight) = (Arc::clone(self), id.to_owned(), self.deliveries.enter());
        tokio::spawn(async move {
            let _in_flight = in_flight;
            tokio::time::sleep(inner.refund_failure_delay).await;
            let ended = inner.apply(|ledger, now| {
                let events = if mode == RefundMode::CancelLater {
                    ledger.cancel_refund(&id, now, &Cause::default())?
                } else {
                    ledger.fail_refund(&id, "expired_or_canceled_card", now)?
                };
                Ok(((), events))
            });
            if let Err(error) = ended {
                tracing::warn!(%error, "a refund could not be made to end");
            }
        });
    }

    /// From now on the key may act for this account.
    pub(super) fn declare_account(&self, id: &str) -> Result<(), String> {
        let sound = id.strip_prefix("acct_").is_some_and(|rest| {
            (8..=64).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if !sound {
            return Err(format!("`{id}` is no account: they begin with acct_ and go on with letters and digits"));
        }
        self.ledger().accounts.insert(id.to_owned());
        self.changed();
        Ok(())
    }

    pub(super) fn set_webhook_url(&self, url: Option<String>) {
        let mut primary = lock(&self.primary);
        let mut ledger = self.ledger();
        match url {
            Some(url) => {
                primary.url = url;
                match ledger.endpoints.get_mut(PRIMARY_ENDPOINT) {
                    Some(endpoint) => endpoint.clone_from(&primary),
                    None => ledger.endpoints.insert(primary.clone()),
                }
            }
            None => {
                ledger.endpoints.remove(PRIMARY_ENDPOINT);
            }
        }
        drop(ledger);
        self.changed();
    }
}
