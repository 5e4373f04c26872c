//! PgBouncer in transaction mode before a PostgreSQL of ours.
//!
//! It does to a client what Supabase's pooler on port 6543 does. Prepared statements by name fail behind it, which is the point.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::machine::free_port;
use crate::process;

/// Server connections per database: fewer than the clients, so that they take turns on them.
const SERVERS: u32 = 4;

/// A pooler that ends with us.
#[derive(Debug)]
pub struct PgBouncer {
    child: Child,
    port: u16,
}

impl PgBouncer {
    /// Starts `binary` before the server on `postgres_port`, for any database; everybody becomes the role of the functions.
    ///
    /// # Errors
    /// It does not start; its log says why.
    pub async fn start(binary: &Path, folder: &Path, postgres_port: u16) -> Result<Self> {
        let port = free_port()?;
        let log = folder.join("pgbouncer.log");
        let settings = folder.join("pgbouncer.ini");
        let role = crate::platform::APP_ROLE;
        fs::write(
            &settings,
            format!(
                "[databases]\n* = host=127.0.0.1 port={postgres_port} user={role} password={role}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
                 listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n\
                 default_pool_size = {SERVERS}\nmax_client_conn = 500\nlogfile = {}\nmax_db_connections = 0\n",
                log.display()
            ),
        )?;
        let mut command = Command::new(binary);
        // It refuses to run as root.
        if nix::unistd::geteuid().is_root() {
            command.arg("-u").arg("nobody");
            fs::write(&log, "")?;
            nix::unistd::chown(&log, Some(nix::unistd::Uid::from_raw(65534)), None)?;
        }
        command.arg("-q").arg(&settings).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let mut child = process::spawn(command, Signal::SIGKILL).await.context("starting pgbouncer")?;
        let patience = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            if child.try_wait()?.is_some() || Instant::now() > patience {
                bail!("pgbouncer does not start: {}", fs::read_to_string(&log).unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(Self { child, port })
    }

    /// The one that `PGBOUNCER_BIN` names, if it does.
    ///
    /// # Errors
    /// It is named and does not start.
    pub async fn from_env(folder: &Path, postgres_port: u16) -> Result<Option<Self>> {
        match std::env::var_os("PGBOUNCER_BIN").filter(|path| !path.is_empty()) {
            None => Ok(None),
            Some(path) => Self::start(&PathBuf::from(path), folder, postgres_port).await.map(Some),
        }
    }

    /// Its loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    pub async fn stop(mut self) -> Result<()> {
        process::stop(&mut self.child, Signal::SIGINT, Duration::from_secs(5)).await?;
        Ok(())
    }
}
