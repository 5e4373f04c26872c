//! A loopback-only server, a clock to shift, failure switches, a request log, a state file.
//!
//! It must not know which service is being stood in for.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::extract::connect_info::Connected;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::machine::hex;

pub(crate) mod parts;

/// How many requests the log keeps; a benchmark must not fill the memory.
const REQUESTS_KEPT: usize = 20_000;

/// How a service that is down looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// The connection is closed without an answer.
    Cut,
    /// Every answer is a 500, and nothing was executed.
    InternalError,
    /// Every answer is a 503, and nothing was executed.
    Unavailable,
}

/// The failures every stand-in can be told to have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Troubles {
    /// The whole API is down.
    pub down: Option<Down>,
    /// Each answer comes this much later; the work is done before the wait.
    pub slow_ms: u64,
    /// Each call is refused with a 429.
    pub rate_limited: bool,
    /// So many of the next writes are executed and then answered with a 500.
    pub fail_after_executing: u32,
    /// So many of the next writes are executed, and the connection is closed without an answer.
    pub lose_answer: u32,
}

/// What happens to a write that is executed while a failure is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterWrite {
    Answer,
    Fail,
    Lose,
}

impl Troubles {
    /// Takes the failure due for a write that has been executed.
    pub(crate) fn take_after_write(&mut self) -> AfterWrite {
        if self.fail_after_executing > 0 {
            self.fail_after_executing -= 1;
            AfterWrite::Fail
        } else if self.lose_answer > 0 {
            self.lose_answer -= 1;
            AfterWrite::Lose
        } else {
            AfterWrite::Answer
        }
    }
}

/// Merges a partial JSON object into a settings struct and refuses names that it does not have.
fn merge<T: Serialize + DeserializeOwned>(current: &T, patch: &Value) -> Result<T, String> {
    let mut merged = serde_json::to_value(current).map_err(|error| error.to_string())?;
    let (Some(fields), Some(patch)) = (merged.as_object_mut(), patch.as_object()) else {
        return Err("expected a JSON object".to_owned());
    };
    for (name, value) in patch {
        match fields.get_mut(name) {
            Some(field) => field.clone_from(value),
            None => return Err(format!("unknown switch `{name}`")),
        }
    }
    serde_json::from_value(merged).map_err(|error| error.to_string())
}

/// A request as a stand-in received it.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query and form parameters in the order they came, names as sent.
    pub params: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// The status of the answer.
    pub status: u16,
    /// When it came, by the stand-in's clock.
    pub at: Timestamp,
}

impl Recorded {
    /// The first parameter of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body read as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// The requests received so far.
#[derive(Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<Recorded>>);

impl RequestLog {
    pub(crate) fn push(&self, request: Recorded) {
        let mut log = lock(&self.0);
        if log.len() == REQUESTS_KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}

/// The headers as text, for the log.
pub(crate) fn readable_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

/// A clock that runs with the machine's and can be shifted.
#[derive(Default)]
pub(crate) struct Clock {
    shift_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn shifted_by(seconds: i64) -> Self {
        Self { shift_ms: AtomicI64::new(seconds.saturating_mul(1000)) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond().saturating_add(self.shift_ms.load(Ordering::SeqCst));
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn now_unix(&self) -> i64 {
        self.now().as_second()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.shift_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    pub(crate) fn set_shift_seconds(&self, seconds: i64) {
        self.shift_ms.store(seconds.saturating_mul(1000), Ordering::SeqCst);
    }

    pub(crate) fn shift_seconds(&self) -> i64 {
        self.shift_ms.load(Ordering::SeqCst) / 1000
    }
}

/// Counts work in the background, so that a test can wait for its end.
#[derive(Default)]
pub(crate) struct InFlight {
    count: AtomicUsize,
    idle: Notify,
}

impl InFlight {
    /// Counts one more piece of work until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InFlightGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        InFlightGuard(Arc::clone(self))
    }

    pub(crate) async fn settled(&self) {
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

/// Where a stand-in keeps its state across restarts.
pub(crate) struct StateFile {
    path: PathBuf,
    dirty: AtomicBool,
    changed: Notify,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, dirty: AtomicBool::new(false), changed: Notify::new() }
    }

    /// Reads the state, or nothing when there is no file yet.
    pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::SeqCst);
        self.changed.notify_one();
    }

    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::SeqCst)
    }

    /// Waits for a change, and a little longer for its neighbours.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Replaces the file in one step: a crash leaves the old state or the new one, never half of it.
    pub(crate) fn write(&self, state: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = PathBuf::from(name);
        std::fs::write(&fresh, state)?;
        std::fs::rename(&fresh, &self.path)
    }
}

/// Locks without poisoning: a panic in one test's request must not hide what the others found.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Random letters and digits, as the services use in their ids.
pub(crate) fn alphanumeric(length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = vec![0_u8; length];
    SystemRandom::new().fill(&mut bytes).expect("the system has a random source");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// HMAC-SHA256 in lower-case hexadecimal.
pub(crate) fn hmac_sha256_hex(secret: &[u8], message: &[u8]) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret);
    hex(ring::hmac::sign(&key, message).as_ref())
}

/// The client that delivers webhooks.
pub(crate) fn webhook_client() -> reqwest::Client {
    // reqwest wants a provider even for plain HTTP; a second installation is refused, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client without options builds")
}

/// Posts a webhook and gives the status, or why there is none; it never leaves the machine.
pub(crate) async fn post_webhook(
    client: &reqwest::Client,
    url: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<u16, String> {
    let target = reqwest::Url::parse(url).map_err(|error| format!("not a URL: {error}"))?;
    if !is_loopback_host(target.host_str().unwrap_or_default()) {
        return Err(format!("a stand-in sends nothing outside this machine, and {url} is not on it"));
    }
    let mut request = client.post(target).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match request.send().await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(error) => Err(error.without_url().to_string()),
    }
}

fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Refuses what a page of another site posts through the developer's browser.
pub(crate) async fn refuse_cross_site(request: Request, next: Next) -> Response {
    if request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return (StatusCode::FORBIDDEN, "refused: this came from another site\n").into_response();
    }
    next.run(request).await
}

/// Takes a loopback address.
///
/// # Errors
///
/// When the address is not loopback, or is taken.
pub(crate) async fn bind(addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    if !addr.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a stand-in listens on loopback only, not on {addr}"),
        ));
    }
    let listener = TcpListener::bind(addr).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Serves a router to loopback peers until the task is aborted.
fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    let service = router.into_make_service_with_connect_info::<HangUp>();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(Loopback(listener), service).await {
            tracing::error!(%error, "a stand-in stopped serving");
        }
    })
}

/// Lets a handler close the connection it is answering on.
#[derive(Clone)]
pub(crate) struct HangUp(Arc<AtomicBool>);

impl HangUp {
    /// Closes the connection instead of answering.
    pub(crate) fn now(&self) -> Response {
        self.0.store(true, Ordering::SeqCst);
        StatusCode::BAD_GATEWAY.into_response()
    }
}

impl Connected<IncomingStream<'_, Loopback>> for HangUp {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        Self(Arc::clone(&stream.io().cut))
    }
}

/// Accepts loopback peers only.
pub(crate) struct Loopback(TcpListener);

impl Listener for Loopback {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.0).await;
            if peer.ip().is_loopback() {
                let _ = stream.set_nodelay(true);
                return (Line { stream, cut: Arc::default() }, peer);
            }
            tracing::error!(%peer, "a stand-in refused a peer that is not on this machine");
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut before its answer is written.
pub(crate) struct Line {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Line {
    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
