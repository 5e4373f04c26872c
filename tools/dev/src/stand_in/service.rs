//! What every stand-in has, how it runs with it, and how it is saved.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::clock::Clock;
use super::log::{Recorded, RequestLog};
use super::loopback::serve;
use super::state_file::StateFile;
use super::troubles::Troubles;
use crate::machine::lock;

/// What every stand-in has.
pub struct Base<Switches, State> {
    pub(crate) clock: Clock,
    pub(crate) switches: Mutex<Switches>,
    pub(crate) log: RequestLog,
    pub(crate) state: Mutex<State>,
    state_file: Option<StateFile>,
    closed: AtomicBool,
}

impl<Switches: Default, State: DeserializeOwned> Base<Switches, State> {
    /// With the state of the file, or a fresh one.
    pub(crate) fn open(
        state_file: Option<PathBuf>,
        fresh: impl FnOnce() -> State,
        clock_shift_seconds: i64,
    ) -> io::Result<Self> {
        let state = match &state_file {
            Some(path) => StateFile::load(path)?.unwrap_or_else(fresh),
            None => fresh(),
        };
        Ok(Self {
            clock: Clock::shifted_by(clock_shift_seconds),
            switches: Mutex::default(),
            log: RequestLog::default(),
            state: Mutex::new(state),
            state_file: state_file.map(StateFile::new),
            closed: AtomicBool::new(false),
        })
    }
}

/// One service and what it does in its own way.
pub trait Service: Send + Sync + Sized + 'static {
    /// The failures it can be told to have.
    type Switches: Serialize + DeserializeOwned + Send + 'static;
    /// What it remembers.
    type State: Serialize + Send + 'static;
    /// For whom it stands in.
    const NAME: &'static str;

    fn base(&self) -> &Base<Self::Switches, Self::State>;

    /// The failures of the API as a whole, among all.
    fn troubles(switches: &mut Self::Switches) -> &mut Troubles;

    /// The clock was moved: time for what is due by then.
    fn clock_moved(self: &Arc<Self>) {}

    /// Brings the state back to what it was at the start.
    fn forget(&self);

    /// Forgets state and requests; the switches stay.
    fn reset(&self) {
        self.forget();
        self.base().log.clear();
        self.changed();
    }

    /// True once it is being stopped.
    fn is_closed(&self) -> bool {
        self.base().closed.load(Ordering::SeqCst)
    }

    /// The state is not what is in the file any more.
    fn changed(&self) {
        if let Some(file) = &self.base().state_file {
            file.mark_dirty();
        }
    }

    /// Writes the state, if it has changed and is kept at all.
    fn save(&self) {
        let Some(file) = &self.base().state_file else { return };
        if !file.take_dirty() {
            return;
        }
        let bytes = serde_json::to_vec(&*lock(&self.base().state)).expect("the state is plain data");
        if let Err(error) = file.write(&bytes) {
            tracing::error!(%error, "the {} stand-in could not save its state", Self::NAME);
        }
    }
}

/// A running stand-in; it stops when dropped.
pub struct StandIn<S: Service> {
    pub(crate) inner: Arc<S>,
    addr: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl<S: Service> StandIn<S> {
    /// Serves, and saves the state whenever it changes.
    pub(crate) fn begin(inner: Arc<S>, addr: SocketAddr, listener: TcpListener, router: Router<Arc<S>>) -> Self {
        let mut tasks = vec![serve(listener, router.with_state(Arc::clone(&inner)))];
        if inner.base().state_file.is_some() {
            tasks.push(tokio::spawn(saving(Arc::clone(&inner))));
        }
        Self { inner, addr, tasks }
    }

    /// One more task that ends with it.
    pub(crate) fn also(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// The base URL of its API.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes the failure switches.
    pub fn switch(&self, change: impl FnOnce(&mut S::Switches)) {
        change(&mut lock(&self.inner.base().switches));
    }

    /// The API calls received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.inner.base().log.all()
    }

    /// Forgets the API calls received so far.
    pub fn clear_requests(&self) {
        self.inner.base().log.clear();
    }

    /// Moves the clock forward; what is due by then happens at once.
    pub fn advance(&self, by: Duration) {
        self.inner.base().clock.advance(by);
        self.inner.clock_moved();
    }

    /// Sets how far the clock runs ahead of the machine's.
    pub fn set_clock_shift_seconds(&self, seconds: i64) {
        self.inner.base().clock.set_shift_seconds(seconds);
        self.inner.clock_moved();
    }

    /// Forgets what it has been told and asked; switches and subscriptions stay.
    pub fn reset(&self) {
        self.inner.reset();
    }
}

impl<S: Service> Drop for StandIn<S> {
    fn drop(&mut self) {
        self.inner.base().closed.store(true, Ordering::SeqCst);
        for task in &self.tasks {
            task.abort();
        }
        self.inner.save();
    }
}

async fn saving<S: Service>(inner: Arc<S>) {
    loop {
        let Some(file) = &inner.base().state_file else { return };
        file.changed().await;
        inner.save();
    }
}
