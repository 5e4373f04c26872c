//! Where a stand-in keeps its state across restarts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Notify;

pub(crate) struct StateFile {
    path: PathBuf,
    dirty: AtomicBool,
    changed: Notify,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, dirty: AtomicBool::new(false), changed: Notify::new() }
    }

    /// Reads the state, or nothing when there is no file yet.
    pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::SeqCst);
        self.changed.notify_one();
    }

    pub(crate) fn take_dirty(&self) -> bool {
        self.dirty.swap(false, Ordering::SeqCst)
    }

    /// Waits for a change, and a little longer for its neighbours.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Replaces the file in one step: a crash leaves the old state or the new one, never half of it.
    pub(crate) fn write(&self, state: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = PathBuf::from(name);
        std::fs::write(&fresh, state)?;
        std::fs::rename(&fresh, &self.path)
    }
}
