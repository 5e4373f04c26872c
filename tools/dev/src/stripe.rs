//! A stand-in for Stripe: the API that InkFlow calls, a hosted pay page, and signed webhooks.
//!
//! As strict as the real one, with failures on demand; it takes no live key and no peer from outside this machine.

mod api;
mod control;
mod delivery;
mod error;
mod ledger;
mod names;
mod objects;
mod params;
mod pay_page;
mod requests;
mod service;
mod switches;
mod webhooks;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use serde_json::Value;

pub use self::delivery::{Delivery, sign};
use self::ledger::{Cause, Ledger};
pub use self::ledger::{Closed, NewDispute};
pub use self::objects::{API_VERSION, DisputeStatus};
use self::objects::{Charge, Endpoint, Intent, Movement, Refund};
use self::service::{Inner, PRIMARY_ENDPOINT};
pub use self::switches::{CreateFailure, Outcome, RefundMode, Switches};
use crate::machine::lock;
use crate::stand_in::{self, Base, Deliveries};
pub use crate::stand_in::{Down, Recorded, Troubles};

/// What the endpoint of the options signs with, unless they say otherwise: of the form that Stripe gives its own.
pub const WEBHOOK_SECRET: &str = "whsec_StandIn4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd7";

/// How the stand-in is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens: loopback only, port 0 for any.
    pub addr: SocketAddr,
    /// The one key it accepts; it must begin with `sk_test_`.
    pub secret_key: String,
    /// The secret that signs the events.
    pub webhook_secret: String,
    /// Where events go; nowhere until it is set.
    pub webhook_url: Option<String>,
    /// The events the endpoint wants; all of them by default, so that the receiver meets types it does not know.
    pub enabled_events: Vec<String>,
    /// The origin in the URLs it hands out, when a gateway stands in front of it.
    pub public_url: Option<String>,
    /// Where the state is kept across restarts; in memory only without it.
    pub state_file: Option<PathBuf>,
    /// How far its clock runs ahead of the machine's.
    pub clock_shift_seconds: i64,
    /// The pauses between the tries of a delivery; as many retries as there are pauses.
    pub retry_pauses: Vec<Duration>,
    /// How late a late webhook comes.
    pub late: Duration,
    /// When a refund that is told to fail later does so.
    pub refund_failure_delay: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            secret_key: "sk_test_standin".to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            webhook_url: None,
            enabled_events: vec!["*".to_owned()],
            public_url: None,
            state_file: None,
            clock_shift_seconds: 0,
            retry_pauses: [1, 3, 10, 30, 60, 60, 60, 60].map(Duration::from_secs).to_vec(),
            late: Duration::from_secs(10),
            refund_failure_delay: Duration::from_secs(2),
        }
    }
}

/// The stand-in for Stripe, running.
pub type StandIn = stand_in::StandIn<Inner>;

impl StandIn {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// When the key is not a test key, the address is not loopback or taken, or the state file is unreadable.
    pub async fn start(options: Options) -> io::Result<Self> {
        if !options.secret_key.starts_with("sk_test_") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the Stripe stand-in takes test keys only (sk_test_…)",
            ));
        }
        let secret = options.webhook_secret.strip_prefix("whsec_").unwrap_or_default();
        if secret.len() < 32 || !secret.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "Stripe signs with whsec_ and 32 letters and digits, or more",
            ));
        }
        let (listener, addr) = stand_in::bind(options.addr).await?;
        let base = Base::open(options.state_file, Ledger::default, options.clock_shift_seconds)?;
        lock(&base.state).base_url = options.public_url.unwrap_or_else(|| format!("http://{addr}"));
        let primary = Endpoint {
            id: PRIMARY_ENDPOINT.to_owned(),
            created: base.clock.now_unix(),
            url: options.webhook_url.clone().unwrap_or_default(),
            secret: options.webhook_secret,
            enabled_events: options.enabled_events,
            api_version: Some(API_VERSION.to_owned()),
            description: Some("The endpoint of this demonstration".to_owned()),
            metadata: std::collections::BTreeMap::new(),
            connect: false,
            disabled: false,
            failing_since: None,
        };
        let inner = Arc::new(Inner {
            base,
            secret_key: options.secret_key,
            api_version: API_VERSION.to_owned(),
            primary: Mutex::new(primary),
            retry_pauses: options.retry_pauses,
            late: options.late,
            refund_failure_delay: options.refund_failure_delay,
            keys_in_use: Mutex::default(),
            deliveries: Deliveries::new(),
        });
        if options.webhook_url.is_some() {
            inner.set_webhook_url(options.webhook_url);
        }
        let router = Router::new()
            .merge(pay_page::routes())
            .nest("/_control", stand_in::control(control::routes()))
            .fallback(stand_in::handle);
        let mut this = Self::begin(Arc::clone(&inner), addr, listener, router);
        this.also(ticking(Arc::clone(&inner)));
        inner.resume_deliveries();
        Ok(this)
    }

    /// Sends events from now on to this address.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.inner.set_webhook_url(Some(url.into()));
    }

    /// Submits the pay page of a session; gives the ids of the events that this made.
    ///
    /// # Errors
    ///
    /// When the session is unknown or not open.
    pub fn pay(&self, session: &str, outcome: Outcome) -> Result<Vec<String>, Closed> {
        self.inner.pay(session, outcome)
    }

    /// Ends a payment that was submitted with [`Outcome::PaidLater`].
    ///
    /// # Errors
    ///
    /// When no such payment is under way.
    pub fn settle(&self, session: &str, succeeded: bool) -> Result<Vec<String>, String> {
        self.inner.apply(|ledger, now| {
            let events = ledger.settle(session, succeeded, now)?;
            Ok((events.clone(), events))
        })
    }

    /// Completes a refund that is pending or waits for the customer.
    ///
    /// # Errors
    ///
    /// When it is unknown or neither.
    pub fn complete_refund(&self, refund: &str) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.complete_refund(refund, now)?)))
    }

    /// Makes a refund fail, as a bank may do days later.
    ///
    /// # Errors
    ///
    /// When it is unknown, has failed already or was called off, or the reason is none of Stripe's.
    pub fn fail_refund(&self, refund: &str, reason: &str) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.fail_refund(refund, reason, now)?)))
    }

    /// Calls off a refund that is pending or waits for the customer.
    ///
    /// # Errors
    ///
    /// When it is unknown or neither.
    pub fn cancel_refund(&self, refund: &str) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.cancel_refund(refund, now, &Cause::default())?)))
    }

    /// Disputes what is left of a payment, named by its payment intent or its charge; gives the dispute's id.
    ///
    /// # Errors
    ///
    /// When there is no such payment, or nothing of it is left.
    pub fn dispute(&self, payment: &str, reason: &str) -> Result<String, String> {
        self.open_dispute(payment, &NewDispute { reason: reason.to_owned(), ..NewDispute::default() })
    }

    /// Disputes a payment or a part of it in a way of one's own; gives the dispute's id.
    ///
    /// # Errors
    ///
    /// When there is no such payment, less of it is undisputed, or no dispute begins so.
    pub fn open_dispute(&self, payment: &str, new: &NewDispute) -> Result<String, String> {
        self.inner.apply(|ledger, now| ledger.open_dispute(payment, new, now))
    }

    /// Takes a dispute on its way.
    ///
    /// # Errors
    ///
    /// When it is unknown, or cannot become that from where it stands.
    pub fn move_dispute(&self, dispute: &str, status: DisputeStatus) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.move_dispute(dispute, status, now, &Cause::default())?)))
    }

    /// Decides a dispute; an inquiry can only be dropped.
    ///
    /// # Errors
    ///
    /// When it is unknown or closed, or an inquiry is to be lost.
    pub fn close_dispute(&self, dispute: &str, won: bool) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.close_dispute(dispute, won, now)?)))
    }

    /// Lets the key act for a connected account (`acct_…`), whose objects are its own.
    ///
    /// # Errors
    ///
    /// When the id is none.
    pub fn declare_account(&self, account: &str) -> Result<(), String> {
        self.inner.declare_account(account)
    }

    /// The sessions as the API shows them, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Value> {
        let ledger = self.inner.ledger();
        ledger.sessions.iter().map(|session| session.object(&ledger.base_url)).collect()
    }

    /// One session as the API shows it.
    #[must_use]
    pub fn session(&self, id: &str) -> Option<Value> {
        let ledger = self.inner.ledger();
        ledger.sessions.get(id).map(|session| session.object(&ledger.base_url))
    }

    /// The payment intents, the oldest first.
    #[must_use]
    pub fn payment_intents(&self) -> Vec<Value> {
        self.inner.ledger().intents.iter().map(Intent::object).collect()
    }

    /// The charges, failed ones too, the oldest first.
    #[must_use]
    pub fn charges(&self) -> Vec<Value> {
        self.inner.ledger().charges.iter().map(Charge::object).collect()
    }

    /// The refunds, the oldest first.
    #[must_use]
    pub fn refunds(&self) -> Vec<Value> {
        self.inner.ledger().refunds.iter().map(Refund::object).collect()
    }

    /// The disputes, the oldest first.
    #[must_use]
    pub fn disputes(&self) -> Vec<Value> {
        let ledger = self.inner.ledger();
        ledger.disputes.iter().map(|dispute| dispute.object(&ledger.movements)).collect()
    }

    /// Each movement of the balance, of connected accounts too, the oldest first.
    #[must_use]
    pub fn balance_transactions(&self) -> Vec<Value> {
        self.inner.ledger().movements.iter().map(Movement::object).collect()
    }

    /// What an account has in a currency, available or not, in cents; none is the account of the key.
    #[must_use]
    pub fn balance(&self, account: Option<&str>, currency: &str) -> i64 {
        let balances = self.inner.ledger().balance(account);
        balances.get(currency).map_or(0, |balance| balance.available + balance.pending)
    }

    /// The events, the oldest first, lost ones too.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.inner.ledger().events.iter().map(|event| event.object(API_VERSION)).collect()
    }

    /// Each try to deliver an event.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.inner.deliveries.all()
    }

    /// The exact body that a delivery of this event carries.
    #[must_use]
    pub fn event_payload(&self, event: &str) -> Option<String> {
        self.inner.ledger().events.get(event).map(|event| event.object(API_VERSION).to_string())
    }

    /// Delivers an event (again), once to each endpoint that wants it, and waits for the answers.
    pub async fn deliver(&self, event: &str) -> Vec<Delivery> {
        self.inner.deliver_now(event).await
    }

    /// Signs a payload of the test's own and sends it to the webhook address.
    ///
    /// # Errors
    ///
    /// When no address is set or nobody answers.
    pub async fn deliver_payload(&self, payload: &str) -> Result<u16, String> {
        let endpoint = lock(&self.inner.primary).clone();
        let signature = sign(payload, &endpoint.secret, self.inner.base.clock.now_unix());
        let headers = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", signature.as_str())];
        self.inner.deliveries.post(&endpoint.url, &headers, payload.to_owned()).await
    }

    /// Waits until no delivery, retry or delayed failure is under way.
    pub async fn settled(&self) {
        self.inner.deliveries.settled().await;
    }

    /// The stand-in's time, in seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.inner.base.clock.now_unix()
    }
}

async fn ticking(inner: Arc<Inner>) {
    let mut pulse = tokio::time::interval(Duration::from_millis(250));
    pulse.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        pulse.tick().await;
        inner.tick();
    }
}
