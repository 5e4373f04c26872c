//! A private PostgreSQL server: found or fetched, started on a loopback port, stopped with us.
//!
//! It knows nothing of InkFlow's schema.

mod binaries;
mod connection;
mod user;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tracing::info;

use self::binaries::Binaries;
use self::user::reachable;
use crate::machine::{free_port, is_free, write_private};
use crate::process;

pub use self::connection::{connect, let_in};

/// The owner of everything in a private server.
pub const SUPERUSER: &str = "postgres";

const STARTUP: Duration = Duration::from_secs(60);

/// What the server is for.
#[derive(Clone, Debug)]
pub enum Purpose {
    /// Data that stays, behind a password; the durability of a production server.
    Keep {
        /// The superuser's password.
        password: String,
    },
    /// Data that is deleted at the end: no password, no durability, many connections.
    Throwaway,
}

/// A running server. Stop it with [`Postgres::stop`]; dropping it kills it.
pub struct Postgres {
    binaries: Binaries,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    purpose: Purpose,
    server: Mutex<Option<Child>>,
}

impl Postgres {
    /// Starts a server whose data and log are in `folder`, on `port` if that is free.
    ///
    /// The server refuses to run as root; then it runs as `nobody`, and its data move to a place that `nobody` can reach
    /// if `folder` is none.
    ///
    /// # Errors
    /// There is no usable PostgreSQL and none can be fetched, or it does not start.
    pub async fn start(folder: &Path, port: Option<u16>, purpose: Purpose) -> Result<Self> {
        let folder = reachable(folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let data = folder.join("postgres");
        let initialised = fs::read_to_string(data.join("PG_VERSION")).ok();
        let wanted = initialised.as_deref().and_then(|version| version.trim().parse().ok());
        let binaries = Binaries::find(wanted).await?;
        if let Some(wanted) = wanted {
            ensure!(
                wanted == binaries.major,
                "the data in {} belong to PostgreSQL {wanted}, but the one at hand is {}: install the old one or start over \
                 with RESET=1",
                data.display(),
                binaries.major
            );
        }
        let log = folder.join("postgres.log");
        let mut this = Self { binaries, data, log, port: 0, purpose, server: Mutex::new(None) };
        if initialised.is_none() {
            this.initialise().await?;
        }
        end_orphan(&this.data).await?;
        for attempt in 0.. {
            this.port = match port {
                Some(port) if attempt == 0 && is_free(port) => port,
                _ => free_port()?,
            };
            match this.launch().await {
                // Someone took the port between our look and the server's.
                Err(_) if attempt < 3 && this.last_words().contains("Address already in use") => {}
                other => {
                    other?;
                    break;
                }
            }
        }
        Ok(this)
    }

    /// Deletes the data, wherever `folder` sent them, and ends a server that a former run has left on them.
    pub async fn delete_data(folder: &Path) -> Result<()> {
        let folder = reachable(folder)?;
        end_orphan(&folder.join("postgres")).await?;
        for data in [folder.join("postgres"), folder.join("postgres.log")] {
            match fs::symlink_metadata(&data) {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&data)?,
                Ok(_) => fs::remove_file(&data)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The superuser's URL of one database.
    pub fn url(&self, database: &str) -> String {
        match &self.purpose {
            Purpose::Keep { password } => self.url_of(SUPERUSER, password, database),
            Purpose::Throwaway => format!("postgres://{SUPERUSER}@127.0.0.1:{}/{database}", self.port),
        }
    }

    /// The URL of one database for some other role.
    pub fn url_of(&self, role: &str, password: &str, database: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The loopback port, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Which server this is, for the log.
    pub fn version(&self) -> String {
        format!("PostgreSQL {} from {}", self.binaries.major, self.binaries.folder.display())
    }

    /// Whether it has been started and not been stopped since.
    pub async fn is_running(&self) -> bool {
        self.server.lock().await.is_some()
    }

    /// Stops the server in order, connections or not; the data stay.
    pub async fn stop(&self) -> Result<()> {
        if let Some(mut server) = self.server.lock().await.take() {
            // SIGINT ends sessions and writes a checkpoint; SIGQUIT just ends, which is enough for what is thrown away.
            let signal = match self.purpose {
                Purpose::Keep { .. } => Signal::SIGINT,
                Purpose::Throwaway => Signal::SIGQUIT,
            };
            process::stop(&mut server, signal, Duration::from_secs(10)).await?;
        }
        Ok(())
    }

    /// Starts the server again after [`Postgres::stop`], on the same port.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await?;
        self.launch().await
    }

    async fn initialise(&self) -> Result<()> {
        let mut why = String::new();
        for locale in ["C.UTF-8", "en_US.UTF-8", "C"] {
            match fs::remove_dir_all(&self.data) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => fs::create_dir_all(&self.data)?,
            }
            self.binaries.give(&self.data)?;
            fs::set_permissions(&self.data, fs::Permissions::from_mode(0o700))?;
            let mut command = self.binaries.command("initdb");
            command.arg("-D").arg(&self.data).args(["-U", SUPERUSER, "-E", "UTF8", "--no-sync"]);
            command.arg(format!("--locale={locale}"));
            let password_file = self.data.with_extension("password");
            match &self.purpose {
                Purpose::Throwaway => {
                    command.arg("--auth=trust");
                }
                Purpose::Keep { password } => {
                    write_private(&password_file, password)?;
                    self.binaries.give(&password_file)?;
                    command.arg("--auth=scram-sha-256").arg(format!("--pwfile={}", password_file.display()));
                }
            }
            let done = command.stdin(Stdio::null()).output().await;
            let _ = fs::remove_file(&password_file);
            let done = done.with_context(|| format!("running {}/initdb", self.binaries.folder.display()))?;
            if done.status.success() {
                return Ok(());
            }
            why = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        }
        let _ = fs::remove_dir_all(&self.data);
        bail!("initdb failed: {why}")
    }

    async fn launch(&self) -> Result<()> {
        // A file and no pipe: the server's children would keep a pipe open after its end.
        let log = File::create(&self.log).with_context(|| format!("creating {}", self.log.display()))?;
        let mut command = self.binaries.command("postgres");
        command.arg("-D").arg(&self.data);
        let port = format!("port={}", self.port);
        let mut settings = vec![
            "listen_addresses=127.0.0.1",
            &port,
            "unix_socket_directories=",
            "max_connections=300",
            "timezone=UTC",
            "log_timezone=UTC",
            "log_line_prefix=%m [%p] %u@%d ",
            "log_min_messages=warning",
            "lc_messages=C",
        ];
        if matches!(self.purpose, Purpose::Throwaway) {
            settings.extend([
                "fsync=off",
                "full_page_writes=off",
                "wal_level=minimal",
                "max_wal_senders=0",
                "max_wal_size=2GB",
                "shared_buffers=256MB",
                "jit=off",
            ]);
        }
        for setting in settings {
            command.arg("-c").arg(setting);
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        // "Fast" shutdown when we die: the data stay whole and nothing is left running.
        let mut server = process::spawn(command, Signal::SIGINT).await.context("starting postgres")?;
        let deadline = Instant::now() + STARTUP;
        loop {
            if let Some(status) = server.try_wait()? {
                bail!("PostgreSQL ended at once ({status}): {}", self.last_words());
            }
            match connect(&self.url(SUPERUSER)).await {
                Ok(_) => break,
                Err(error) if Instant::now() > deadline => {
                    bail!("PostgreSQL does not answer: {error}; {}", self.last_words())
                }
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
        *self.server.lock().await = Some(server);
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

/// Ends a server that a former run of ours has left on these data. The caller holds the lock of the folder.
async fn end_orphan(data: &Path) -> Result<()> {
    let lock = data.join("postmaster.pid");
    let Some(pid) = fs::read_to_string(&lock).ok().and_then(|text| text.lines().next()?.trim().parse::<i32>().ok())
    else {
        return Ok(());
    };
    let pid = Pid::from_raw(pid);
    // Told by the kernel that we died, it may be just about to end by itself.
    for patience in [30, 100, 50] {
        for _ in 0..patience {
            if !is_postgres(pid).await {
                let _ = fs::remove_file(&lock);
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        let signal = if patience == 30 { Signal::SIGINT } else { Signal::SIGQUIT };
        info!(%pid, "a former run has left its PostgreSQL: stopping it");
        let _ = nix::sys::signal::kill(pid, signal);
    }
    bail!("process {pid} holds the data in {} and does not end", data.display())
}

async fn is_postgres(pid: Pid) -> bool {
    if cfg!(target_os = "linux") {
        // "pid (name) state ...": where nobody reaps, the dead keep their name and turn Z.
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        return stat.contains("(postgres) ") && !stat.contains("(postgres) Z");
    }
    let told = Command::new("ps").args(["-p", &pid.to_string(), "-o", "comm="]).output().await;
    told.is_ok_and(|told| String::from_utf8_lossy(&told.stdout).trim().ends_with("postgres"))
}
