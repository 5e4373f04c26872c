//! Child processes that end with us, however we end.
//!
//! A child gets its own process group, so that Ctrl-C reaches us alone and we stop things in order.

use std::io;
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

type Fork = Box<dyn FnOnce() + Send>;

/// Starts `command` as a child that receives `at_our_death` when this process ends, even by SIGKILL.
///
/// Dropping the [`Child`] kills it. Elsewhere than on Linux the kernel cannot pass our death on; there the child ends
/// only when we stop it or drop it.
pub async fn spawn(mut command: Command, at_our_death: Signal) -> io::Result<Child> {
    command.process_group(0).kill_on_drop(true);
    die_with_us(&mut command, at_our_death);
    let runtime = tokio::runtime::Handle::current();
    let (answer, child) = oneshot::channel();
    let fork: Fork = Box::new(move || {
        let _entered = runtime.enter();
        let _ = answer.send(command.spawn());
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    forks().send(fork).map_err(|_| gone())?;
    child.await.map_err(|_| gone())?
}

/// Ends a child: `signal`, then SIGKILL once `patience` is over.
pub async fn stop(child: &mut Child, signal: Signal, patience: Duration) -> io::Result<ExitStatus> {
    if let Some(pid) = child.id() {
        // The child is ours and not reaped yet, so its id cannot have passed to another process.
        let _ = nix::sys::signal::kill(Pid::from_raw(pid.cast_signed()), signal);
    }
    if let Ok(status) = timeout(patience, child.wait()).await {
        return status;
    }
    child.start_kill()?;
    child.wait().await
}

/// Sends `signal` to a child and to all that it has started.
pub fn signal_group(child: &Child, signal: Signal) {
    if let Some(pid) = child.id() {
        let _ = killpg(Pid::from_raw(pid.cast_signed()), signal);
    }
}

// The kernel's "parent death" is the death of the *thread* that forked. Tokio's threads come and go, so one thread that
// lives as long as the process does all the forking.
fn forks() -> &'static mpsc::Sender<Fork> {
    static FORKS: OnceLock<mpsc::Sender<Fork>> = OnceLock::new();
    FORKS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel::<Fork>();
        std::thread::Builder::new()
            .name("forks".to_owned())
            .spawn(move || {
                for fork in receiver {
                    fork();
                }
            })
            .expect("a thread can be started");
        sender
    })
}

#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command, signal: Signal) {
    let us = nix::unistd::getpid();
    // SAFETY: the closure runs between fork and exec; prctl and getppid are plain system calls, nothing is allocated.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(signal)?;
            // We may have died before the call above: then nobody would ever send the signal.
            if nix::unistd::getppid() != us {
                return Err(io::Error::from_raw_os_error(nix::libc::ESRCH));
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_command: &mut Command, _signal: Signal) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_that_ignores_the_polite_signal_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; while :; do sleep 1; done"]);
        let mut child = spawn(command, Signal::SIGKILL).await.expect("sh starts");
        tokio::time::sleep(Duration::from_millis(100)).await;
        let status = stop(&mut child, Signal::SIGTERM, Duration::from_millis(200)).await.expect("it can be waited for");
        assert!(!status.success());
        signal_group(&child, Signal::SIGKILL);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_child_knows_how_it_shall_end_when_we_do() {
        let mut command = Command::new("sleep");
        command.arg("60");
        let child = spawn(command, Signal::SIGKILL).await.expect("sleep starts");
        let pid = child.id().expect("it runs");
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("it runs");
        let group = stat.split_whitespace().nth(4).expect("the fifth field is the process group");
        assert_eq!(group, pid.to_string());
    }
}
