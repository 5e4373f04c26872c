//! The instances of one function, and the invocations that wait for one of them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use uuid::Uuid;

use super::invoke_error::InvokeError;
use crate::journal::Journal;
use crate::machine::lock;

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

/// What one invocation gives.
pub(super) type Outcome = Result<Bytes, InvokeError>;

pub(super) struct Registry {
    pub(super) functions: HashMap<String, Arc<Function>>,
    pub(super) queue_wait: Duration,
    pub(super) address: SocketAddr,
}

pub(super) struct Function {
    pub(super) spec: FunctionSpec,
    pub(super) api: SocketAddr,
    pub(super) journal: Arc<Journal>,
    pub(super) pool: Mutex<Pool>,
    pub(super) living: watch::Sender<usize>,
    pub(super) numbers: AtomicU64,
}

#[derive(Default)]
pub(super) struct Pool {
    pub(super) instances: HashMap<u64, Instance>,
    // The instance used last is used first, as on Lambda: the fewest stay warm.
    pub(super) parked: Vec<u64>,
    pub(super) queue: VecDeque<Waiting>,
    pub(super) overrides: Vec<(String, String)>,
    pub(super) kill_during_next: Option<(Duration, oneshot::Sender<bool>)>,
    pub(super) paused: bool,
    pub(super) stopped: bool,
    pub(super) cold_starts: u64,
}

pub(super) struct Instance {
    pub(super) state: InstanceState,
    pub(super) kill: Arc<Notify>,
    pub(super) retired: bool,
}

pub(super) enum InstanceState {
    Starting,
    Parked(oneshot::Sender<Delivery>),
    Between,
    Busy { request_id: Uuid, reply: oneshot::Sender<Outcome> },
}

pub(super) struct Waiting {
    request_id: Uuid,
    payload: Bytes,
    begun: oneshot::Sender<Instant>,
    pub(super) reply: oneshot::Sender<Outcome>,
}

pub(super) struct Delivery {
    pub(super) request_id: Uuid,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: u128,
}

impl Registry {
    pub(super) fn end(&self) {
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

    /// Answers the invocation that this instance holds; false when it holds another one, or none.
    pub(super) fn finish(&self, name: &str, number: u64, id: Uuid, outcome: Outcome) -> bool {
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

impl Pool {
    /// The instances that may still get work.
    pub(super) fn living(&self) -> impl Iterator<Item = &Instance> {
        self.instances.values().filter(|instance| !instance.retired)
    }
}

impl Function {
    pub(super) fn lock(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    pub(super) async fn run(self: Arc<Self>, payload: Bytes, queue_wait: Duration) -> Outcome {
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
    pub(super) fn settle(self: &Arc<Self>, pool: &mut Pool) {
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

    pub(super) fn begin(self: &Arc<Self>, pool: &mut Pool, number: u64, waiting: Waiting) -> Delivery {
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
}
