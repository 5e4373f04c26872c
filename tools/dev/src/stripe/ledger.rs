//! What the Stripe stand-in knows, and the only ways it changes.
//! No clock, no network: `now` comes in, the ids of the new events go out.

mod balance;
mod disputes;
mod payments;
mod refunds;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use self::balance::Balance;
pub(super) use self::disputes::DisputeAnswer;
pub use self::disputes::NewDispute;
pub use self::payments::Closed;
pub(super) use self::payments::{NewSession, Submit};
pub(super) use self::refunds::NewRefund;
use super::objects::{Charge, Dispute, Endpoint, Event, Intent, Movement, Refund, Session, Table};
use crate::stand_in::alphanumeric;

/// Everything that survives a restart.
#[derive(Default, Serialize, Deserialize)]
pub struct Ledger {
    pub(super) sessions: Table<Session>,
    pub(super) intents: Table<Intent>,
    pub(super) charges: Table<Charge>,
    pub(super) refunds: Table<Refund>,
    pub(super) disputes: Table<Dispute>,
    #[serde(default)]
    pub(super) movements: Table<Movement>,
    pub(super) events: Table<Event>,
    pub(super) endpoints: Table<Endpoint>,
    /// The connected accounts.
    #[serde(default)]
    pub(super) accounts: BTreeSet<String>,
    pub(super) keys: BTreeMap<String, StoredAnswer>,
    #[serde(skip)]
    pub(super) base_url: String,
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredAnswer {
    pub(super) fingerprint: String,
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) request_id: String,
    pub(super) created: i64,
}

/// The API request behind an event; empty for what happens on the pay page or by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    pub(super) request_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
}

/// Something to tell: what, about which object of which account, and what was different before.
struct News {
    kind: &'static str,
    account: Option<String>,
    object: Value,
    previous: Option<Value>,
}

impl Ledger {
    /// Records an event for every endpoint that wants it.
    fn emit(&mut self, news: News, now: i64, cause: &Cause) -> String {
        let News { kind, account, object, previous } = news;
        let id = format!("evt_1{}", alphanumeric(23));
        let undelivered = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.wants(kind, account.as_deref()))
            .map(|endpoint| endpoint.id.clone())
            .collect();
        self.events.insert(Event {
            id: id.clone(),
            account,
            created: now,
            kind: kind.to_owned(),
            object,
            previous,
            request_id: cause.request_id.clone(),
            idempotency_key: cause.idempotency_key.clone(),
            undelivered,
            lost: false,
        });
        id
    }

    /// What happens by itself: money becomes available, and sessions expire.
    pub(super) fn pass_time(&mut self, now: i64) -> Vec<String> {
        self.free_funds(now);
        self.expire_due(now)
    }

    /// Stripe keeps an idempotency key for 24 hours.
    pub(super) fn prune_keys(&mut self, now: i64) {
        self.keys.retain(|_, answer| now - answer.created < 86_400);
    }
}

/// An amount as Stripe writes it in messages.
pub(super) fn money(cents: i64, currency: &str) -> String {
    let sign = match currency {
        "eur" => "€",
        "gbp" => "£",
        "usd" => "$",
        _ => "",
    };
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}
