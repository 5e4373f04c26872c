//! Webhooks on their way: to this machine only, counted until they have arrived.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use crate::machine::lock;

/// What was sent, and what is still on its way.
pub(crate) struct Deliveries<D> {
    client: reqwest::Client,
    in_flight: Arc<InFlight>,
    made: Mutex<Vec<D>>,
}

impl<D: Clone> Deliveries<D> {
    pub(crate) fn new() -> Self {
        Self { client: client(), in_flight: Arc::default(), made: Mutex::default() }
    }

    /// Counts one more piece of work until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlightGuard {
        self.in_flight.enter()
    }

    /// Waits until nothing is on its way.
    pub(crate) async fn settled(&self) {
        self.in_flight.settled().await;
    }

    /// Posts a webhook and gives the status, or why there is none; it never leaves the machine.
    pub(crate) async fn post(&self, url: &str, headers: &[(&str, &str)], body: String) -> Result<u16, String> {
        let target = reqwest::Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
        if !is_loopback_host(target.host_str().unwrap_or_default()) {
            return Err(format!("a stand-in sends nothing outside this machine, and {url} is not on it"));
        }
        let mut request = self.client.post(target).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        match request.send().await {
            Ok(response) => Ok(response.status().as_u16()),
            Err(error) => Err(error.without_url().to_string()),
        }
    }

    /// Remembers a try.
    pub(crate) fn push(&self, delivery: D) {
        lock(&self.made).push(delivery);
    }

    pub(crate) fn all(&self) -> Vec<D> {
        lock(&self.made).clone()
    }

    pub(crate) fn clear(&self) {
        lock(&self.made).clear();
    }
}

fn client() -> reqwest::Client {
    // reqwest wants a provider even for plain HTTP; a second installation is refused, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without options builds")
}

fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Counts work in the background, so that a test can wait for its end.
#[derive(Default)]
struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

impl InFlight {
    /// Counts one more piece of work until the guard is dropped.
    fn enter(self: &Arc<Self>) -> InFlightGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        InFlightGuard(Arc::clone(self))
    }

    async fn settled(&self) {
        loop {
            let idle = self.idle.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }
}

/// One piece of background work.
pub(crate) struct InFlightGuard(Arc<InFlight>);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}
