//! ministack: installed into a virtual environment once, started on a loopback port, stopped with us.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use ring::digest::{SHA256, digest};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::info;

use super::authorization::ACCESS_KEY;
use crate::account::{ACCOUNT, REGION};
use crate::machine::{cache, client, free_port, fresh, hex, is_free, turn};
use crate::process;

const REQUIREMENTS: &str = include_str!("../../requirements.txt");
const STARTUP: Duration = Duration::from_secs(60);

/// A running ministack. Stop it with [`Ministack::stop`]; dropping it kills it.
pub struct Ministack {
    python: PathBuf,
    log: PathBuf,
    pictures: PathBuf,
    port: u16,
    server: Mutex<Option<Child>>,
}

impl Ministack {
    /// Starts it on `port` if that is free, with its log in `folder`; installs it first if need be.
    ///
    /// # Errors
    /// There is no Python 3.10 or newer, it cannot be installed, or it does not start.
    pub async fn start(folder: &Path, port: Option<u16>) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let python = installed().await?;
        let port = match port {
            Some(port) if is_free(port) => port,
            _ => free_port()?,
        };
        let this = Self {
            python,
            log: folder.join("ministack.log"),
            pictures: folder.join("pictures"),
            port,
            server: Mutex::new(None),
        };
        this.launch().await?;
        Ok(this)
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Stops it; what was in its queues is lost.
    pub async fn stop(&self) -> Result<()> {
        if let Some(mut server) = self.server.lock().await.take() {
            // It keeps nothing, so nothing is gained by waiting for its own way to end.
            process::stop(&mut server, Signal::SIGKILL, Duration::from_secs(1)).await?;
        }
        Ok(())
    }

    /// Starts it again, empty.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.launch().await
    }

    async fn launch(&self) -> Result<()> {
        let log = File::create(&self.log).with_context(|| format!("creating {}", self.log.display()))?;
        let mut command = Command::new(&self.python);
        command.args(["-m", "ministack"]).env_clear();
        for kept in ["PATH", "HOME", "TMPDIR"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", self.port.to_string())
            .env("MINISTACK_REGION", REGION)
            .env("MINISTACK_ACCOUNT_ID", ACCOUNT)
            // It checks the signature of a presigned upload, so it must know the key.
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY)
            // Rows that name a picture outlive a restart, so the pictures do too.
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", &self.pictures)
            // What it runs of our functions (the tests of infra/) must come back to it.
            .env("AWS_ENDPOINT_URL", self.url())
            .env("LOG_LEVEL", "WARNING")
            // It would look for containers to tidy up.
            .env("DOCKER_HOST", "unix:///nonexistent")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let mut server = process::spawn(command, Signal::SIGKILL).await.context("starting ministack")?;
        let health = format!("{}/_ministack/health", self.url());
        let deadline = Instant::now() + STARTUP;
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("ministack ended at once ({status}): see {}", self.log.display());
            }
            match client().get(&health).timeout(Duration::from_secs(2)).send().await {
                Ok(answer) if answer.status().is_success() => break,
                _ if Instant::now() > deadline => bail!("ministack does not answer: see {}", self.log.display()),
                _ => sleep(Duration::from_millis(30)).await,
            }
        }
        *self.server.lock().await = Some(server);
        Ok(())
    }
}

/// The interpreter of a virtual environment that has exactly the pinned packages.
async fn installed() -> Result<PathBuf> {
    let python = std::env::var("INKFLOW_PYTHON").ok().filter(|chosen| !chosen.is_empty());
    let python = python.unwrap_or_else(|| "python3".to_owned());
    let told = Command::new(&python)
        .args(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"])
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("running {python}: install Python 3.10 or newer, or name one in INKFLOW_PYTHON"))?;
    let version = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    let minor: Option<u32> = version.strip_prefix("3.").and_then(|minor| minor.parse().ok());
    ensure!(
        minor.is_some_and(|minor| minor >= 10),
        "{python} is Python {version}: install 3.10 or newer, or name one in INKFLOW_PYTHON"
    );
    let cache = cache();
    fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
    let pins = digest(&SHA256, REQUIREMENTS.as_bytes());
    let home = cache.join(format!("ministack-{version}-{}", hex(&pins.as_ref()[..6])));
    let interpreter = home.join("bin/python");
    let _turn = turn(&cache.join("ministack.lock")).await?;
    if interpreter.exists() {
        return Ok(interpreter);
    }
    info!("installing ministack into {} (once)", home.display());
    // Made elsewhere and renamed: what is there is whole, and what a killed run has started is in nobody's way.
    let fresh = fresh(&cache, "ministack-fresh-")?;
    run(Command::new(&python).args(["-m", "venv"]).arg(&fresh))
        .await
        .context("making a virtual environment (Debian: apt-get install python3-venv)")?;
    let pins = fresh.join("requirements.txt");
    fs::write(&pins, REQUIREMENTS)?;
    run(Command::new(fresh.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--require-hashes",
            "-r",
        ])
        .arg(&pins))
    .await
    .context("installing ministack with pip")?;
    if home.exists() {
        // It lost its interpreter: the Python that it was made with is gone.
        fs::rename(&home, fresh.with_extension("old"))?;
    }
    fs::rename(&fresh, &home)?;
    Ok(interpreter)
}

async fn run(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(())
}
