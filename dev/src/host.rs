//! Runs compiled functions as AWS does: processes behind the Lambda runtime API, warm, concurrent, killed on timeout.
//!
//! It reads no payload: what an event means is the gateway's and the queue's business.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use crate::journal::Journal;
use crate::process;

/// The region every part of the local platform pretends to be in.
pub const REGION: &str = "eu-west-3";
/// The account every part of the local platform pretends to belong to.
pub const ACCOUNT: &str = "000000000000";
/// How large a request or an answer may be, as on Lambda.
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

// Lambda gives an instance ten seconds to come to its first `next`.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// One function to run.
#[derive(Clone, Debug)]
pub struct FunctionSpec {
    /// Its name: folder, binary and Lambda name are one.
    pub name: String,
    /// The compiled bootstrap.
    pub binary: PathBuf,
    /// Its settings. It sees nothing else of our environment.
    pub env: Vec<(String, String)>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// How many invocations may run at once.
    pub max_instances: usize,
}

/// How the host behaves, beyond the functions themselves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the raw lines of the functions are kept, one file each.
    pub logs: Option<PathBuf>,
    /// Whether their lines are printed.
    pub print: bool,
    /// How long a call waits for a free instance before it is throttled.
    pub queue_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { logs: None, print: false, queue_wait: Duration::from_secs(15) }
    }
}

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvokeError {
    /// No function has this name.
    UnknownFunction(String),
    /// All instances stayed busy for too long.
    Throttled,
    /// The handler returned an error; this is its own JSON.
    Handler(Bytes),
    /// The handler took too long and its instance was killed.
    TimedOut {
        /// The id of the invocation.
        request_id: Uuid,
        /// The limit that it passed.
        after: Duration,
    },
    /// The instance died with the invocation in its hands.
    Exited {
        /// The id of the invocation.
        request_id: Uuid,
        /// How it ended, in words.
        how: String,
    },
    /// No instance came up.
    Init(String),
    /// The answer is larger than Lambda lets through.
    TooLarge(usize),
    /// The host is being stopped.
    Stopped,
}

impl InvokeError {
    /// The error document that Lambda gives to the caller.
    pub fn document(&self) -> Bytes {
        let (kind, message) = match self {
            Self::Handler(document) => return document.clone(),
            Self::UnknownFunction(_) => ("ResourceNotFoundException", self.to_string()),
            Self::Throttled => ("TooManyRequestsException", self.to_string()),
            Self::TimedOut { .. } => ("Sandbox.Timedout", self.to_string()),
            Self::Exited { .. } => ("Runtime.ExitError", self.to_string()),
            Self::Init(_) => ("Runtime.InitError", self.to_string()),
            Self::TooLarge(_) => ("Function.ResponseSizeTooLarge", self.to_string()),
            Self::Stopped => ("ServiceException", self.to_string()),
        };
        Bytes::from(json!({ "errorType": kind, "errorMessage": message }).to_string())
    }
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFunction(name) => write!(f, "Function not found: {}", arn(name)),
            Self::Throttled => f.write_str("Rate Exceeded."),
            Self::Handler(document) => f.write_str(&String::from_utf8_lossy(document)),
            Self::TimedOut { request_id, after } => {
                write!(f, "RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64())
            }
            Self::Exited { request_id, how } => {
                write!(f, "RequestId: {request_id} Error: Runtime exited with error: {how}")
            }
            Self::Init(how) => write!(f, "Error: Runtime failed to start: {how}"),
            Self::TooLarge(size) => {
                write!(f, "Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes): {size}")
            }
            Self::Stopped => f.write_str("The host is being stopped."),
        }
    }
}

impl std::error::Error for InvokeError {}

type Outcome = Result<Bytes, InvokeError>;

/// The running functions. Clones share them; the last one dropped ends them.
#[derive(Clone)]
pub struct Host {
    registry: Arc<Registry>,
    _end: Arc<EndOnDrop>,
}

struct Registry {
    functions: HashMap<String, Arc<Function>>,
    queue_wait: Duration,
    address: SocketAddr,
}

struct EndOnDrop {
    registry: Arc<Registry>,
    server: tokio::task::AbortHandle,
}

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.registry.end();
        self.server.abort();
    }
}

struct Function {
    spec: FunctionSpec,
    api: SocketAddr,
    journal: Arc<Journal>,
    pool: Mutex<Pool>,
    living: watch::Sender<usize>,
    numbers: AtomicU64,
}

#[derive(Default)]
struct Pool {
    instances: HashMap<u64, Instance>,
    // The instance used last is used first, as on Lambda: the fewest stay warm.
    parked: Vec<u64>,
    queue: VecDeque<Waiting>,
    overrides: Vec<(String, String)>,
    kill_during_next: Option<(Duration, oneshot::Sender<bool>)>,
    paused: bool,
    stopped: bool,
    cold_starts: u64,
}

struct Instance {
    state: InstanceState,
    kill: Arc<Notify>,
    retired: bool,
}

enum InstanceState {
    Starting,
    Parked(oneshot::Sender<Delivery>),
    Between,
    Busy { request_id: Uuid, reply: oneshot::Sender<Outcome> },
}

struct Waiting {
    request_id: Uuid,
    payload: Bytes,
    begun: oneshot::Sender<Instant>,
    reply: oneshot::Sender<Outcome>,
}

struct Delivery {
    request_id: Uuid,
    payload: Bytes,
    deadline_ms: u128,
}

impl Host {
    /// Opens the runtime API on a loopback port; instances start when they are needed.
    pub async fn start(functions: Vec<FunctionSpec>, options: Options) -> io::Result<Self> {
        for function in &functions {
            if !function.binary.is_file() {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("{} is not compiled: no file {}", function.name, function.binary.display()),
                ));
            }
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut by_name = HashMap::new();
        for spec in functions {
            let journal = Arc::new(Journal::open(&spec.name, options.logs.as_ref(), options.print)?);
            let function = Function {
                api: address,
                journal,
                pool: Mutex::default(),
                living: watch::Sender::new(0),
                numbers: AtomicU64::new(1),
                spec,
            };
            by_name.insert(function.spec.name.clone(), Arc::new(function));
        }
        let registry = Arc::new(Registry { functions: by_name, queue_wait: options.queue_wait, address });
        let api = runtime_api(Arc::clone(&registry));
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, api).await;
        });
        let end = Arc::new(EndOnDrop { registry: Arc::clone(&registry), server: server.abort_handle() });
        Ok(Self { registry, _end: end })
    }

    /// Runs one invocation to its end, whether or not the caller stays to hear it.
    pub async fn invoke(&self, name: &str, payload: impl Into<Bytes>) -> Outcome {
        let Some(function) = self.registry.functions.get(name) else {
            return Err(InvokeError::UnknownFunction(name.to_owned()));
        };
        let run = Arc::clone(function).run(payload.into(), self.registry.queue_wait);
        // A client that hangs up does not stop a Lambda.
        tokio::spawn(run).await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// Starts instances of `name` until `count` of them wait for work.
    ///
    /// # Errors
    /// When they do not come up in time, which the journal of the function explains.
    pub async fn warm(&self, name: &str, count: usize) -> Result<(), InvokeError> {
        let function = self.function(name)?;
        let wanted = count.min(function.spec.max_instances);
        // The dying ones of before are none of these, and keep their place until they are gone.
        let mut missing = wanted.saturating_sub(function.lock().living().count());
        let deadline = Instant::now() + INIT_LIMIT;
        while Instant::now() < deadline {
            {
                let mut pool = function.lock();
                while missing > 0 && pool.instances.len() < function.spec.max_instances && !pool.stopped {
                    function.add_instance(&mut pool);
                    missing -= 1;
                }
                let ready = pool.living().filter(|i| !matches!(i.state, InstanceState::Starting)).count();
                if ready >= wanted {
                    return Ok(());
                }
                if pool.instances.is_empty() {
                    return Err(InvokeError::Init(format!("{name} ends as soon as it is started")));
                }
            }
            sleep(Duration::from_millis(2)).await;
        }
        Err(InvokeError::Init(format!("{name} does not ask for work")))
    }

    /// Kills every instance of `name` with SIGKILL, now; says how many there were.
    pub fn kill(&self, name: &str) -> usize {
        self.registry.functions.get(name).map_or(0, |function| {
            let mut pool = function.lock();
            pool.parked.clear();
            for instance in pool.instances.values_mut() {
                // Whoever calls next gets a living instance, not one of these.
                instance.retired = true;
                instance.kill.notify_one();
            }
            pool.instances.len()
        })
    }

    /// Kills the instance that gets the next invocation of `name`, `after` it got it.
    ///
    /// The receiver says whether the instance was still at work then.
    pub fn kill_during_next(&self, name: &str, after: Duration) -> oneshot::Receiver<bool> {
        let (told, killed) = oneshot::channel();
        if let Some(function) = self.registry.functions.get(name) {
            function.lock().kill_during_next = Some((after, told));
        }
        killed
    }

    /// Holds back the invocations of `name`: they wait, as long as a call may wait for a free instance.
    pub fn pause(&self, name: &str) {
        if let Some(function) = self.registry.functions.get(name) {
            function.lock().paused = true;
        }
    }

    /// Lets the invocations of `name` run again.
    pub fn resume(&self, name: &str) {
        if let Some(function) = self.registry.functions.get(name) {
            let mut pool = function.lock();
            pool.paused = false;
            function.settle(&mut pool);
        }
    }

    /// Replaces the overriding settings of all functions and renews their instances.
    ///
    /// Work under way ends on the old settings; whatever begins after this call sees the new ones.
    pub fn set_overrides(&self, overrides: &[(String, String)]) {
        for function in self.registry.functions.values() {
            let mut pool = function.lock();
            pool.overrides = overrides.to_vec();
            let Pool { instances, parked, .. } = &mut *pool;
            parked.clear();
            for instance in instances.values_mut() {
                instance.retired = true;
                if !matches!(instance.state, InstanceState::Busy { .. }) {
                    instance.kill.notify_one();
                }
            }
        }
    }

    /// The functions, by name.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.registry.functions.keys().cloned().collect();
        names.sort();
        names
    }

    /// How many instances of `name` live, and how many were ever started.
    pub fn instances(&self, name: &str) -> (usize, u64) {
        self.registry.functions.get(name).map_or((0, 0), |function| {
            let pool = function.lock();
            (pool.instances.len(), pool.cold_starts)
        })
    }

    /// The loopback address of the runtime API.
    pub fn address(&self) -> SocketAddr {
        self.registry.address
    }

    /// Ends all instances and waits until they are gone.
    pub async fn stop(&self) {
        self.registry.end();
        for function in self.registry.functions.values() {
            let mut living = function.living.subscribe();
            let _ = timeout(Duration::from_secs(5), living.wait_for(|count| *count == 0)).await;
        }
    }

    /// The Invoke API, as `aws lambda invoke` and `cargo lambda invoke` call it.
    pub fn invoke_api(&self) -> Router {
        Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke_over_http))
            .layer(DefaultBodyLimit::max(PAYLOAD_LIMIT))
            .with_state(self.clone())
    }

    fn function(&self, name: &str) -> Result<&Arc<Function>, InvokeError> {
        self.registry.functions.get(name).ok_or_else(|| InvokeError::UnknownFunction(name.to_owned()))
    }
}

impl Registry {
    fn end(&self) {
        for function in self.functions.values() {
            let mut pool = function.lock();
            pool.stopped = true;
            for waiting in pool.queue.drain(..) {
                let _ = waiting.reply.send(Err(InvokeError::Stopped));
            }
            pool.parked.clear();
            pool.instances.values().for_each(|instance| instance.kill.notify_one());
        }
    }
}

impl Pool {
    /// The instances that may still get work.
    fn living(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| !instance.retired)
    }
}

impl Function {
    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>, payload: Bytes, queue_wait: Duration) -> Outcome {
        let request_id = Uuid::now_v7();
        let (begun, mut begins) = oneshot::channel();
        let (reply, mut answer) = oneshot::channel();
        {
            let mut pool = self.lock();
            if pool.stopped {
                return Err(InvokeError::Stopped);
            }
            pool.queue.push_back(Waiting { request_id, payload, begun, reply });
            self.settle(&mut pool);
        }
        let start = match timeout(queue_wait, &mut begins).await {
            Ok(Ok(start)) => start,
            // Never begun: whoever dropped it has said why.
            Ok(Err(_)) => return answer.await.unwrap_or(Err(InvokeError::Stopped)),
            Err(_) => {
                let given_up = {
                    let mut pool = self.lock();
                    let before = pool.queue.len();
                    pool.queue.retain(|waiting| waiting.request_id != request_id);
                    pool.queue.len() < before
                };
                if given_up {
                    return Err(InvokeError::Throttled);
                }
                // It began while we looked.
                begins.await.unwrap_or_else(|_| Instant::now())
            }
        };
        match timeout_at(start + self.spec.timeout, &mut answer).await {
            Ok(outcome) => outcome.unwrap_or(Err(InvokeError::Stopped)),
            Err(_) => {
                let mut pool = self.lock();
                for instance in pool.instances.values_mut() {
                    if matches!(&instance.state, InstanceState::Busy { request_id: busy, .. } if *busy == request_id) {
                        instance.state = InstanceState::Between;
                        instance.retired = true;
                        instance.kill.notify_one();
                    }
                }
                drop(pool);
                let error = InvokeError::TimedOut { request_id, after: self.spec.timeout };
                self.tell("ERROR", &error.to_string(), request_id);
                // The answer may have come in at the very last moment.
                answer.try_recv().unwrap_or(Err(error))
            }
        }
    }

    /// Hands waiting invocations to parked instances, and starts instances for those that are left.
    fn settle(self: &Arc<Self>, pool: &mut Pool) {
        if pool.paused || pool.stopped {
            return;
        }
        while !pool.queue.is_empty() {
            let Some(number) = pool.parked.pop() else { break };
            let Some(instance) = pool.instances.get_mut(&number) else { continue };
            let InstanceState::Parked(_) = instance.state else { continue };
            let InstanceState::Parked(next) = std::mem::replace(&mut instance.state, InstanceState::Between) else {
                continue;
            };
            // Its `next` call may be gone because the process is dying; then another instance takes the work.
            if next.is_closed() {
                continue;
            }
            let Some(waiting) = pool.queue.pop_front() else { break };
            let delivery = self.begin(pool, number, waiting);
            let _ = next.send(delivery);
        }
        // An instance that has just answered asks for more within microseconds: no reason for a cold start.
        let soon = |i: &&Instance| matches!(i.state, InstanceState::Starting | InstanceState::Between) && !i.retired;
        let missing = pool.queue.len().saturating_sub(pool.instances.values().filter(soon).count());
        for _ in 0..missing {
            if pool.instances.len() >= self.spec.max_instances {
                break;
            }
            self.add_instance(pool);
        }
    }

    fn begin(self: &Arc<Self>, pool: &mut Pool, number: u64, waiting: Waiting) -> Delivery {
        let Waiting { request_id, payload, begun, reply } = waiting;
        let _ = begun.send(Instant::now());
        if let Some(instance) = pool.instances.get_mut(&number) {
            instance.state = InstanceState::Busy { request_id, reply };
        }
        if let Some((after, told)) = pool.kill_during_next.take() {
            tokio::spawn(Arc::clone(self).kill_if_busy(number, request_id, after, told));
        }
        let deadline = SystemTime::now() + self.spec.timeout;
        let deadline_ms = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        Delivery { request_id, payload, deadline_ms }
    }

    async fn kill_if_busy(self: Arc<Self>, number: u64, request: Uuid, after: Duration, told: oneshot::Sender<bool>) {
        sleep(after).await;
        let busy = {
            let pool = self.lock();
            let instance = pool.instances.get(&number);
            let busy = instance
                .filter(|i| matches!(&i.state, InstanceState::Busy { request_id, .. } if *request_id == request));
            if let Some(instance) = busy {
                instance.kill.notify_one();
            }
            busy.is_some()
        };
        let _ = told.send(busy);
    }

    fn add_instance(self: &Arc<Self>, pool: &mut Pool) {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let kill = Arc::new(Notify::new());
        pool.instances
            .insert(number, Instance { state: InstanceState::Starting, kill: Arc::clone(&kill), retired: false });
        pool.cold_starts += 1;
        self.living.send_modify(|count| *count += 1);
        let command = self.command(number, &pool.overrides);
        tokio::spawn(Arc::clone(self).live(number, command, kill));
    }

    fn command(&self, number: u64, overrides: &[(String, String)]) -> Command {
        let name = &self.spec.name;
        let mut command = Command::new(&self.spec.binary);
        command.env_clear();
        for kept in ["PATH", "RUST_BACKTRACE", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        let task_root = self.spec.binary.parent().unwrap_or_else(|| std::path::Path::new("/"));
        command
            .env("TZ", ":UTC")
            .env("LANG", "en_US.UTF-8")
            .env("_HANDLER", "bootstrap")
            .env("AWS_EXECUTION_ENV", "AWS_Lambda_rust")
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_LAMBDA_RUNTIME_API", format!("http://{}/{name}/{number}", self.api))
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", format!("local/{number}"))
            .env("LAMBDA_TASK_ROOT", task_root)
            .envs(self.spec.env.iter().map(|(name, value)| (name, value)))
            .envs(overrides.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The whole life of one instance.
    async fn live(self: Arc<Self>, number: u64, command: Command, kill: Arc<Notify>) {
        let how = match process::spawn(command, Signal::SIGKILL).await {
            Err(error) => format!("it cannot be started: {error}"),
            Ok(child) => self.watch(number, child, &kill).await,
        };
        self.bury(number, &how);
        self.living.send_modify(|count| *count -= 1);
    }

    async fn watch(self: &Arc<Self>, number: u64, mut child: Child, kill: &Notify) -> String {
        let out = child.stdout.take().map(|stream| tokio::spawn(keep(stream, Arc::clone(&self.journal))));
        let err = child.stderr.take().map(|stream| tokio::spawn(keep(stream, Arc::clone(&self.journal))));
        let mut kill_asked = std::pin::pin!(kill.notified());
        let init_limit = sleep(INIT_LIMIT);
        let mut init_limit = std::pin::pin!(init_limit);
        let mut initialising = true;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                () = &mut kill_asked => {
                    let _ = child.start_kill();
                    break child.wait().await;
                }
                () = &mut init_limit, if initialising => {
                    initialising = false;
                    let stuck = {
                        let pool = self.lock();
                        matches!(pool.instances.get(&number).map(|i| &i.state), Some(InstanceState::Starting))
                    };
                    if stuck {
                        let _ = child.start_kill();
                        let _ = child.wait().await;
                        break Err(io::Error::other(format!("no `next` after {} seconds", INIT_LIMIT.as_secs())));
                    }
                }
            }
        };
        // The last words of a dying function are the ones that matter. A grandchild may hold the pipe open for ever.
        for reader in [out, err].into_iter().flatten() {
            let abort = reader.abort_handle();
            if timeout(Duration::from_millis(500), reader).await.is_err() {
                abort.abort();
            }
        }
        match status {
            Ok(status) => in_words(status),
            Err(error) => error.to_string(),
        }
    }

    /// Takes a dead instance out of the pool and answers whoever waited for it.
    fn bury(self: &Arc<Self>, number: u64, how: &str) {
        let mut pool = self.lock();
        pool.parked.retain(|parked| *parked != number);
        let Some(instance) = pool.instances.remove(&number) else { return };
        if !pool.stopped {
            match instance.state {
                InstanceState::Busy { request_id, reply } => {
                    let error = InvokeError::Exited { request_id, how: how.to_owned() };
                    self.tell("ERROR", &error.to_string(), request_id);
                    let _ = reply.send(Err(error));
                }
                InstanceState::Starting if !instance.retired => {
                    let error = InvokeError::Init(how.to_owned());
                    self.tell("ERROR", &error.to_string(), Uuid::nil());
                    // One failed start answers one caller, so that a function that cannot start fails and does not hang.
                    if let Some(waiting) = pool.queue.pop_front() {
                        let _ = waiting.reply.send(Err(error));
                    }
                }
                _ => {}
            }
        } else if let InstanceState::Busy { reply, .. } = instance.state {
            let _ = reply.send(Err(InvokeError::Stopped));
        }
        self.settle(&mut pool);
    }

    fn tell(&self, level: &str, message: &str, request_id: Uuid) {
        let line = json!({
            "timestamp": jiff::Timestamp::now().to_string(), "level": level, "message": message,
            "aws_request_id": request_id.to_string(),
        });
        self.journal.line(&line.to_string());
    }
}

async fn keep(stream: impl AsyncRead + Unpin, journal: Arc<Journal>) {
    let mut lines = BufReader::new(stream).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        journal.line(&String::from_utf8_lossy(&line));
    }
}

fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.signal(), status.code()) {
        (Some(9), _) => "signal: killed".to_owned(),
        (Some(signal), _) => format!("signal: {signal}"),
        (None, Some(code)) => format!("exit status {code}"),
        (None, None) => "unknown".to_owned(),
    }
}

fn arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
}

fn runtime_api(registry: Arc<Registry>) -> Router {
    let path = |rest: &str| format!("/{{function}}/{{instance}}/2018-06-01/runtime/{rest}");
    Router::new()
        .route(&path("invocation/next"), get(next))
        .route(&path("invocation/{id}/response"), post(response))
        .route(&path("invocation/{id}/error"), post(failure))
        .route(&path("init/error"), post(init_failure))
        .layer(DefaultBodyLimit::max(4 * PAYLOAD_LIMIT))
        .with_state(registry)
}

enum Next {
    Unknown,
    Now(Delivery),
    Later(oneshot::Receiver<Delivery>),
    Never,
}

impl Function {
    fn next(self: &Arc<Self>, number: u64) -> Next {
        let mut pool = self.lock();
        let paused = pool.paused;
        let Some(instance) = pool.instances.get_mut(&number) else { return Next::Unknown };
        if instance.retired {
            instance.kill.notify_one();
            return Next::Never;
        }
        // An instance that asks for more has dropped what it had.
        if let InstanceState::Busy { request_id, reply } =
            std::mem::replace(&mut instance.state, InstanceState::Between)
        {
            let how = "it asked for the next invocation without an answer".to_owned();
            let _ = reply.send(Err(InvokeError::Exited { request_id, how }));
        }
        if !paused && let Some(waiting) = pool.queue.pop_front() {
            return Next::Now(self.begin(&mut pool, number, waiting));
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(instance) = pool.instances.get_mut(&number) {
            instance.state = InstanceState::Parked(sender);
        }
        pool.parked.push(number);
        Next::Later(receiver)
    }
}

async fn next(State(registry): State<Arc<Registry>>, Path((name, number)): Path<(String, u64)>) -> Response {
    let Some(function) = registry.functions.get(&name) else { return forbidden() };
    let delivery = match function.next(number) {
        Next::Unknown => return forbidden(),
        Next::Now(delivery) => Some(delivery),
        Next::Later(receiver) => receiver.await.ok(),
        Next::Never => None,
    };
    // Without work, this instance is about to be killed.
    let Some(delivery) = delivery else { return std::future::pending().await };
    let Delivery { request_id, payload, deadline_ms } = delivery;
    let id = request_id.simple().to_string();
    let trace = format!("Root=1-{}-{};Parent={};Sampled=0", &id[..8], &id[8..], &id[16..]);
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id.to_string()),
        ("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()),
        ("Lambda-Runtime-Invoked-Function-Arn", arn(&name)),
        ("Lambda-Runtime-Trace-Id", trace),
    ];
    (headers, [(header::CONTENT_TYPE, "application/json")], payload).into_response()
}

async fn response(
    State(registry): State<Arc<Registry>>,
    Path((name, number, id)): Path<(String, u64, Uuid)>,
    body: Bytes,
) -> Response {
    if body.len() > PAYLOAD_LIMIT {
        registry.finish(&name, number, id, Err(InvokeError::TooLarge(body.len())));
        let document =
            r#"{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size"}"#;
        return (StatusCode::PAYLOAD_TOO_LARGE, document).into_response();
    }
    accepted(registry.finish(&name, number, id, Ok(body)))
}

async fn failure(
    State(registry): State<Arc<Registry>>,
    Path((name, number, id)): Path<(String, u64, Uuid)>,
    body: Bytes,
) -> Response {
    if let Some(function) = registry.functions.get(&name) {
        function.tell("ERROR", &format!("invocation failed: {}", String::from_utf8_lossy(&body)), id);
    }
    accepted(registry.finish(&name, number, id, Err(InvokeError::Handler(body))))
}

async fn init_failure(
    State(registry): State<Arc<Registry>>,
    Path((name, _)): Path<(String, u64)>,
    body: Bytes,
) -> Response {
    if let Some(function) = registry.functions.get(&name) {
        function.tell("ERROR", &format!("init failed: {}", String::from_utf8_lossy(&body)), Uuid::nil());
    }
    accepted(true)
}

impl Registry {
    /// Answers the invocation that this instance holds; false when it holds another one, or none.
    fn finish(&self, name: &str, number: u64, id: Uuid, outcome: Outcome) -> bool {
        let Some(function) = self.functions.get(name) else { return false };
        let mut pool = function.lock();
        let Some(instance) = pool.instances.get_mut(&number) else { return false };
        match std::mem::replace(&mut instance.state, InstanceState::Between) {
            InstanceState::Busy { request_id, reply } if request_id == id => {
                // A caller that is gone has lost the answer, as on Lambda.
                let _ = reply.send(outcome);
                true
            }
            other => {
                instance.state = other;
                false
            }
        }
    }
}

fn accepted(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
    } else {
        let document = r#"{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}"#;
        (StatusCode::BAD_REQUEST, document).into_response()
    }
}

fn forbidden() -> Response {
    (StatusCode::FORBIDDEN, r#"{"errorType":"Forbidden","errorMessage":"No such instance"}"#).into_response()
}

async fn invoke_over_http(
    State(host): State<Host>,
    Path(name): Path<String>,
    headers: HeaderMap,
    payload: Bytes,
) -> Response {
    // Full ARNs and qualifiers are accepted, as by the real API.
    let name = name.strip_prefix(&arn("")).unwrap_or(&name);
    let name = name.split(':').next().unwrap_or_default().to_owned();
    if host.function(&name).is_err() {
        return refused(StatusCode::NOT_FOUND, "ResourceNotFoundException", &InvokeError::UnknownFunction(name));
    }
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&payload) {
        let message = format!("Could not parse request body into json: {error}");
        let document = json!({ "Type": "User", "Message": message }).to_string();
        return (StatusCode::BAD_REQUEST, [("x-amzn-errortype", "InvalidRequestContentException")], document)
            .into_response();
    }
    match headers.get("x-amz-invocation-type").and_then(|kind| kind.to_str().ok()) {
        Some("DryRun") => return StatusCode::NO_CONTENT.into_response(),
        Some("Event") => {
            tokio::spawn(async move { host.invoke(&name, payload).await });
            return StatusCode::ACCEPTED.into_response();
        }
        _ => {}
    }
    let json_type = (header::CONTENT_TYPE, "application/json");
    match host.invoke(&name, payload).await {
        Ok(answer) => ([json_type, (EXECUTED_VERSION, "$LATEST")], answer).into_response(),
        Err(error @ InvokeError::Throttled) => {
            refused(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", &error)
        }
        Err(error @ InvokeError::Stopped) => refused(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", &error),
        Err(error) => {
            let headers = [json_type, (EXECUTED_VERSION, "$LATEST"), (FUNCTION_ERROR, "Unhandled")];
            (headers, error.document()).into_response()
        }
    }
}

const EXECUTED_VERSION: header::HeaderName = header::HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: header::HeaderName = header::HeaderName::from_static("x-amz-function-error");

fn refused(status: StatusCode, kind: &'static str, error: &InvokeError) -> Response {
    let mut document = json!({ "Type": "User", "Message": error.to_string() });
    if matches!(error, InvokeError::Throttled) {
        document["Reason"] = Value::from("ReservedFunctionConcurrentInvocationLimitExceeded");
    }
    (status, [("x-amzn-errortype", kind)], document.to_string()).into_response()
}
