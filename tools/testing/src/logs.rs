//! Listens to what the functions log, to prove what they never log, and that what a person must hear of meets its alarm.

use std::collections::BTreeMap;
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

    /// Fails unless a line meets the filter by which `signal` is counted in the log of `function`, as the platform is planned.
    ///
    /// # Panics
    /// None does, or there is no such filter.
    pub fn raise(&self, function: &str, signal: &str) {
        let filters = filters();
        let terms = filters.get(&(signal.to_owned(), function.to_owned()));
        let terms = terms.unwrap_or_else(|| panic!("infra/tests/plan has no filter {signal} on the log of {function}"));
        let text = self.text();
        let has = |line: &str, term: &str| match term.strip_prefix('-') {
            Some(term) => !line.contains(term),
            None => line.contains(term),
        };
        let meets = text.lines().any(|line| terms.iter().all(|term| has(line, term)));
        assert!(meets, "no line of {function} meets {terms:?}, so {signal} is never raised:\n{text}");
    }
}

/// Every filter of the reviewed plan (`infra/tests/plan`): by signal and function, the phrases that a line must hold, or not hold (`-…`).
///
/// # Panics
/// The plan is not there, or reads otherwise.
pub fn filters() -> BTreeMap<(String, String), Vec<String>> {
    const KIND: &str = "aws_cloudwatch_log_metric_filter.signal[\"";
    let plan = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/tests/plan/default.txt");
    let plan = std::fs::read_to_string(plan).expect("the reviewed plan");
    let mut all = BTreeMap::new();
    // Of brothers, the later ones say only how they differ.
    let (mut of, mut pattern) = (None::<(String, String)>, String::new());
    for line in plan.lines().chain(["end"]) {
        if let Some(line) = line.strip_prefix("  pattern = ").filter(|_| of.is_some()) {
            pattern = serde_json::from_str(line).expect("JSON");
        }
        if !line.starts_with(' ') {
            if let Some(name) = of.take() {
                // A phrase after a minus must not be there.
                let parts: Vec<&str> = pattern.split('"').collect();
                let terms = parts.chunks_exact(2).map(|pair| match pair[0].ends_with('-') {
                    true => format!("-{}", pair[1]),
                    false => pair[1].to_owned(),
                });
                all.insert(name, terms.collect());
            }
            let name = line.strip_prefix(KIND).and_then(|rest| rest.strip_suffix("\"]"));
            of = name.and_then(|name| name.split_once(' ')).map(|(signal, function)| (signal.into(), function.into()));
        }
    }
    all
}
