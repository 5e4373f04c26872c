//! A stand-in for Stripe: the API that InkFlow calls, a hosted pay page, and signed webhooks.
//!
//! As strict as the real one, with failures on demand; it takes no live key and no peer from outside this machine.

mod api;
mod control;
mod error;
mod ledger;
mod objects;
mod params;
mod pay_page;
mod requests;
mod webhooks;

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::ledger::Closed;
use self::ledger::{Cause, Ledger, Submit};
pub use self::objects::API_VERSION;
use self::objects::{Charge, Dispute, Endpoint, Intent, Refund};
use self::webhooks::Travel;
pub use self::webhooks::{Delivery, sign};
use crate::stand_in::parts::{Parts, Running, Service};
use crate::stand_in::{self, Clock, InFlight, RequestLog, StateFile, lock};
pub use crate::stand_in::{Down, Recorded, Troubles};

/// What the endpoint of the options signs with, unless they say otherwise: of the form that Stripe gives its own.
pub const WEBHOOK_SECRET: &str = "whsec_StandIn4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd7";

/// The endpoint that the options describe.
const PRIMARY_ENDPOINT: &str = "we_1StandInPrimaryEndpoint01";

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

/// What the payer does on the pay page, and what becomes of the webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Pays; the events come at once.
    Paid,
    /// The bank refuses the card; the session stays open.
    Declined,
    /// Pays; no event ever comes.
    WebhookLost,
    /// Pays; the events come 10 s later.
    WebhookLate,
    /// Pays; each event comes twice, at the same time.
    WebhookDoubled,
    /// The session expires.
    Expire,
    /// Submits a method that says only later whether it worked: complete, but unpaid, until it is settled.
    PaidLater,
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        serde_json::from_value(Value::String(word.to_owned())).map_err(|_| format!("unknown outcome `{word}`"))
    }
}

/// What becomes of the refunds asked for from now on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundMode {
    /// They succeed at once.
    #[default]
    Succeed,
    /// They stay pending until told otherwise.
    StayPending,
    /// They are pending and fail a moment later.
    FailLater,
}

/// A failure of the creation of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateFailure {
    /// The HTTP status.
    pub status: u16,
    /// The error code.
    #[serde(default)]
    pub code: Option<String>,
    /// The message.
    pub message: String,
    /// How many creations fail so; 1 unless said otherwise.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

/// The failures that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// The creation of sessions fails, and nothing is created.
    pub fail_create_session: Option<CreateFailure>,
    /// No event is delivered; they stay in the list of events.
    pub drop_webhooks: bool,
    /// What becomes of refunds.
    pub refunds: RefundMode,
}

impl Switches {
    fn take_create_failure(&mut self) -> Option<CreateFailure> {
        let failure = self.fail_create_session.as_mut()?;
        failure.times = failure.times.saturating_sub(1);
        if failure.times == 0 { self.fail_create_session.take() } else { Some(failure.clone()) }
    }
}

/// What the routes and the background tasks share.
struct Inner {
    secret_key: String,
    api_version: String,
    primary: Mutex<Endpoint>,
    retry_pauses: Vec<Duration>,
    late: Duration,
    refund_failure_delay: Duration,
    clock: Clock,
    ledger: Mutex<Ledger>,
    keys_in_use: Mutex<HashSet<String>>,
    switches: Mutex<Switches>,
    log: RequestLog,
    deliveries: Mutex<Vec<Delivery>>,
    in_flight: Arc<InFlight>,
    client: reqwest::Client,
    state_file: Option<StateFile>,
    closed: AtomicBool,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Ledger;
    const NAME: &'static str = "Stripe";

    fn parts(&self) -> Parts<'_, Switches, Ledger> {
        Parts {
            clock: &self.clock,
            switches: &self.switches,
            log: &self.log,
            state: &self.ledger,
            state_file: self.state_file.as_ref(),
            closed: &self.closed,
        }
    }

    fn clock_moved(self: &Arc<Self>) {
        self.tick();
    }
}

impl Inner {
    /// Expires what is over; called by the ticker and before anybody looks.
    fn tick(self: &Arc<Self>) {
        let events = lock(&self.ledger).expire_due(self.clock.now_unix());
        if !events.is_empty() {
            self.changed();
            self.deliver_all(&events);
        }
    }

    fn pay(self: &Arc<Self>, session: &str, outcome: Outcome) -> Result<Vec<String>, Closed> {
        self.tick();
        let now = self.clock.now_unix();
        let (events, travel) = {
            let mut ledger = lock(&self.ledger);
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
    fn apply<T>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Ledger, i64) -> Result<(T, Vec<String>), String>,
    ) -> Result<T, String> {
        let (result, events) = change(&mut lock(&self.ledger), self.clock.now_unix())?;
        self.changed();
        self.deliver_all(&events);
        Ok(result)
    }

    fn fail_refund_later(self: &Arc<Self>, id: &str) {
        let (inner, id, in_flight) = (Arc::clone(self), id.to_owned(), self.in_flight.enter());
        tokio::spawn(async move {
            let _in_flight = in_flight;
            tokio::time::sleep(inner.refund_failure_delay).await;
            let failed = inner.apply(|ledger, now| Ok(((), ledger.fail_refund(&id, "expired_or_canceled_card", now)?)));
            if let Err(error) = failed {
                tracing::warn!(%error, "a refund could not be made to fail");
            }
        });
    }

    fn set_webhook_url(&self, url: Option<String>) {
        let mut primary = lock(&self.primary);
        let mut ledger = lock(&self.ledger);
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

    /// Forgets everything but the endpoints and the switches.
    fn reset(&self) {
        {
            let mut ledger = lock(&self.ledger);
            *ledger = Ledger {
                endpoints: std::mem::take(&mut ledger.endpoints),
                base_url: std::mem::take(&mut ledger.base_url),
                ..Ledger::default()
            };
        }
        lock(&self.deliveries).clear();
        self.log.clear();
        self.changed();
    }
}

/// A running stand-in; it stops when dropped.
pub struct StandIn {
    inner: Arc<Inner>,
    addr: SocketAddr,
    _running: Running<Inner>,
}

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
        let clock = Clock::shifted_by(options.clock_shift_seconds);
        let mut ledger: Ledger = match &options.state_file {
            Some(path) => StateFile::load(path)?.unwrap_or_default(),
            None => Ledger::default(),
        };
        ledger.base_url = options.public_url.unwrap_or_else(|| format!("http://{addr}"));
        let primary = Endpoint {
            id: PRIMARY_ENDPOINT.to_owned(),
            created: clock.now_unix(),
            url: options.webhook_url.clone().unwrap_or_default(),
            secret: options.webhook_secret,
            enabled_events: options.enabled_events,
            api_version: Some(API_VERSION.to_owned()),
            description: Some("The endpoint of this demonstration".to_owned()),
            metadata: std::collections::BTreeMap::new(),
        };
        let inner = Arc::new(Inner {
            secret_key: options.secret_key,
            api_version: API_VERSION.to_owned(),
            primary: Mutex::new(primary),
            retry_pauses: options.retry_pauses,
            late: options.late,
            refund_failure_delay: options.refund_failure_delay,
            clock,
            ledger: Mutex::new(ledger),
            keys_in_use: Mutex::default(),
            switches: Mutex::default(),
            log: RequestLog::default(),
            deliveries: Mutex::default(),
            in_flight: Arc::default(),
            client: stand_in::webhook_client(),
            state_file: options.state_file.map(StateFile::new),
            closed: AtomicBool::new(false),
        });
        if options.webhook_url.is_some() {
            inner.set_webhook_url(options.webhook_url);
        }
        let router = Router::new().merge(pay_page::routes()).nest("/_control", control::routes()).fallback(api::handle);
        let mut running = Running::begin(&inner, listener, router);
        running.also(ticking(Arc::clone(&inner)));
        inner.resume_deliveries();
        Ok(Self { inner, addr, _running: running })
    }

    /// The base URL of the API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Sends events from now on to this address.
    pub fn set_webhook_url(&self, url: impl Into<String>) {
        self.inner.set_webhook_url(Some(url.into()));
    }

    /// Changes the failure switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut lock(&self.inner.switches));
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

    /// Completes a pending refund.
    ///
    /// # Errors
    ///
    /// When it is unknown or not pending.
    pub fn complete_refund(&self, refund: &str) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.complete_refund(refund, now)?)))
    }

    /// Makes a refund fail, as a bank may do days later.
    ///
    /// # Errors
    ///
    /// When it is unknown or has failed already.
    pub fn fail_refund(&self, refund: &str, reason: &str) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.fail_refund(refund, reason, now)?)))
    }

    /// Disputes a payment, named by its payment intent or its charge; gives the dispute's id.
    ///
    /// # Errors
    ///
    /// When there is no such payment, or it is disputed already.
    pub fn dispute(&self, payment: &str, reason: &str) -> Result<String, String> {
        self.inner.apply(|ledger, now| ledger.open_dispute(payment, reason, now))
    }

    /// Decides a dispute.
    ///
    /// # Errors
    ///
    /// When it is unknown or closed.
    pub fn close_dispute(&self, dispute: &str, won: bool) -> Result<(), String> {
        self.inner.apply(|ledger, now| Ok(((), ledger.close_dispute(dispute, won, now)?)))
    }

    /// The sessions as the API shows them, the oldest first.
    #[must_use]
    pub fn sessions(&self) -> Vec<Value> {
        let ledger = lock(&self.inner.ledger);
        ledger.sessions.iter().map(|session| session.object(&ledger.base_url)).collect()
    }

    /// One session as the API shows it.
    #[must_use]
    pub fn session(&self, id: &str) -> Option<Value> {
        let ledger = lock(&self.inner.ledger);
        ledger.sessions.get(id).map(|session| session.object(&ledger.base_url))
    }

    /// The payment intents, the oldest first.
    #[must_use]
    pub fn payment_intents(&self) -> Vec<Value> {
        lock(&self.inner.ledger).intents.iter().map(Intent::object).collect()
    }

    /// The charges, failed ones too, the oldest first.
    #[must_use]
    pub fn charges(&self) -> Vec<Value> {
        lock(&self.inner.ledger).charges.iter().map(Charge::object).collect()
    }

    /// The refunds, the oldest first.
    #[must_use]
    pub fn refunds(&self) -> Vec<Value> {
        lock(&self.inner.ledger).refunds.iter().map(Refund::object).collect()
    }

    /// The disputes, the oldest first.
    #[must_use]
    pub fn disputes(&self) -> Vec<Value> {
        lock(&self.inner.ledger).disputes.iter().map(Dispute::object).collect()
    }

    /// The events, the oldest first, lost ones too.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        lock(&self.inner.ledger).events.iter().map(|event| event.object(API_VERSION)).collect()
    }

    /// Each try to deliver an event.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.inner.deliveries).clone()
    }

    /// The API calls received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.inner.log.all()
    }

    /// Forgets the API calls received so far.
    pub fn clear_requests(&self) {
        self.inner.log.clear();
    }

    /// The exact body that a delivery of this event carries.
    #[must_use]
    pub fn event_payload(&self, event: &str) -> Option<String> {
        lock(&self.inner.ledger).events.get(event).map(|event| event.object(API_VERSION).to_string())
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
        let signature = sign(payload, &endpoint.secret, self.inner.clock.now_unix());
        let headers = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", signature.as_str())];
        stand_in::post_webhook(&self.inner.client, &endpoint.url, &headers, payload.to_owned()).await
    }

    /// Waits until no delivery, retry or delayed failure is under way.
    pub async fn settled(&self) {
        self.inner.in_flight.settled().await;
    }

    /// The stand-in's time, in seconds.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.inner.clock.now_unix()
    }

    /// Moves the clock forward; sessions whose time is over expire at once.
    ///
    /// Signatures carry this clock's time: a receiver whose own clock stays behind refuses them.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
        self.inner.tick();
    }

    /// Sets how far the clock runs ahead of the machine's.
    pub fn set_clock_shift_seconds(&self, seconds: i64) {
        self.inner.clock.set_shift_seconds(seconds);
        self.inner.tick();
    }

    /// Forgets sessions, payments, refunds, events and requests.
    pub fn reset(&self) {
        self.inner.reset();
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
