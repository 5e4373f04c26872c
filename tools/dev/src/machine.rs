//! What every part needs of the machine it runs on: ports, the cache of fetched programs, private files, a client for loopback.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;
use tracing::info;

/// Bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A port nobody listens on at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether nobody listens on `port`.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A client for calls on the loopback interface, whatever proxy the environment names.
pub(crate) fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // reqwest wants a provider even where it meets no TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client without a proxy and with the ring provider can be built")
}

/// Where fetched programs are kept: shared by all checkouts of one user.
pub(crate) fn cache() -> PathBuf {
    if let Some(chosen) = std::env::var_os("INKFLOW_CACHE") {
        return PathBuf::from(chosen);
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
    home.join(".cache/inkflow")
}

/// Waits for our turn among processes: the lock ends with the returned file.
pub(crate) async fn turn(path: &Path) -> Result<File> {
    let file = File::create(path).with_context(|| format!("creating {}", path.display()))?;
    let mut told = false;
    while file.try_lock().is_err() {
        if !told {
            info!("waiting for another process that holds {}", path.display());
            told = true;
        }
        sleep(Duration::from_millis(100)).await;
    }
    Ok(file)
}

/// A new name in the cache that begins with `prefix`, for what is then renamed. Whoever calls has the turn, so others of that
/// name are of runs that were killed: they go.
pub(crate) fn fresh(cache: &Path, prefix: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(cache).with_context(|| format!("reading {}", cache.display()))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            // A process that the killed run has left may still write into it; the next run finds the rest.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(cache.join(format!("{prefix}{}", uuid::Uuid::now_v7().simple())))
}

/// Writes a file that its owner alone can read.
pub(crate) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content.as_bytes())
}

/// Locks without poisoning: a panic in one request or test must not hide what the others found.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
