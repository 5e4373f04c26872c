//! The compiled functions of the checkout, as Terraform would set them up.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tokio::process::Command;

use super::options::Options;
use crate::host::{self, FunctionSpec, Host};
use crate::{gateway, process, uploads};

/// Compiles them, unless somebody else has.
pub(super) async fn build(options: &Options) -> Result<()> {
    if !options.build {
        return Ok(());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins"]).current_dir(&options.root).stdin(Stdio::null());
    if options.binaries.ends_with("release") {
        command.arg("--release");
    }
    // The functions must come out beside us, wherever that is.
    if let Some(target) = options.binaries.parent() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let mut cargo = process::spawn(command, Signal::SIGTERM).await.context("starting cargo")?;
    let status = cargo.wait().await?;
    ensure!(status.success(), "the functions do not compile (see above)");
    Ok(())
}

/// Starts one instance of each.
pub(super) async fn run(options: &Options, env: &[(String, String)], clock_shift_seconds: i64) -> Result<Host> {
    let routes = gateway::Options::of_checkout(&options.root, String::new())?.routes;
    let mut names: Vec<&str> = routes.iter().map(|route| route.function.as_str()).collect();
    names.extend(["worker", "sweeper", uploads::FUNCTION]);
    names.sort_unstable();
    names.dedup();
    let functions = names
        .iter()
        .map(|name| FunctionSpec {
            name: (*name).to_owned(),
            binary: options.binaries.join(name),
            env: env.to_vec(),
            timeout: Duration::from_secs(match *name {
                "sweeper" => 30,
                uploads::FUNCTION => 60,
                _ => 15,
            }),
            max_instances: if *name == "sweeper" { 1 } else { 10 },
        })
        .collect();
    let logs = options.state.join("logs");
    let host_options = host::Options { logs: Some(logs), print: options.print, ..host::Options::default() };
    let host = Host::start(functions, host_options).await.context("run `cargo build --workspace --bins`")?;
    if clock_shift_seconds != 0 {
        shift_clock(&host, clock_shift_seconds);
    }
    for name in &names {
        host.warm(name, 1).await.with_context(|| format!("starting {name}"))?;
    }
    Ok(host)
}

/// Moves the clock of all that begins after this call.
pub(super) fn shift_clock(host: &Host, seconds: i64) {
    host.set_overrides(&[("CLOCK_SHIFT_SECONDS".to_owned(), seconds.to_string())]);
}
