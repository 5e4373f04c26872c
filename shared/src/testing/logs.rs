//! Listens to what the functions log, to prove what they never log.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;

/// All that is logged on this thread while it lives. Worlds run on the thread of their test.
#[derive(Debug)]
pub struct Logs {
    heard: Heard,
    _ears: DefaultGuard,
}

#[derive(Debug, Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Logs {
    /// Listens from now on, in the form and at the level of production.
    pub fn listen() -> Self {
        let heard = Heard::default();
        let writer = heard.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(LevelFilter::INFO)
            .with_writer(move || writer.clone())
            .finish();
        Self { heard, _ears: tracing::subscriber::set_default(subscriber) }
    }

    /// What was logged so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.heard.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    /// Fails if a line holds what belongs to a person, or a secret.
    ///
    /// # Panics
    /// One does, or nothing was logged at all.
    pub fn hold_nothing_of(&self, private: &[&str]) {
        let text = self.text();
        assert!(!text.is_empty(), "nothing was logged");
        for line in text.lines() {
            for word in private {
                assert!(!line.contains(word), "{word:?} is logged: {line}");
            }
        }
    }
}
