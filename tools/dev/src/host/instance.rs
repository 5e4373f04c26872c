//! One process of a function, from its start to its burial.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::invoke_error::InvokeError;
use super::pool::{Function, Instance, InstanceState, Pool};
use crate::account::REGION;
use crate::journal::Journal;
use crate::process;

// Lambda gives an instance ten seconds to come to its first `next`.
pub(super) const INIT_LIMIT: Duration = Duration::from_secs(10);

impl Function {
    pub(super) fn add_instance(self: &Arc<Self>, pool: &mut Pool) {
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

    pub(super) fn tell(&self, level: &str, message: &str, request_id: Uuid) {
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
