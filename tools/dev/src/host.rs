//! Runs compiled functions as AWS does: processes behind the Lambda runtime API, warm, concurrent, killed on timeout.
//!
//! It reads no payload: what an event means is the gateway's and the queue's business.

mod instance;
mod invoke_api;
mod invoke_error;
mod pool;
mod runtime_api;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use self::instance::INIT_LIMIT;
use self::pool::{Function, InstanceState, Outcome, Pool, Registry};
use self::runtime_api::runtime_api;
use crate::journal::Journal;

pub use self::invoke_error::{InvokeError, PAYLOAD_LIMIT};
pub use self::pool::FunctionSpec;
pub use crate::account::{ACCOUNT, REGION};

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

/// The running functions. Clones share them; the last one dropped ends them.
#[derive(Clone)]
pub struct Host {
    registry: Arc<Registry>,
    _end: Arc<EndOnDrop>,
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

    fn function(&self, name: &str) -> Result<&Arc<Function>, InvokeError> {
        self.registry.functions.get(name).ok_or_else(|| InvokeError::UnknownFunction(name.to_owned()))
    }
}
