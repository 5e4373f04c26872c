//! The requests that a stand-in has received.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::machine::lock;

/// How many requests the log keeps; a benchmark must not fill the memory.
const REQUESTS_KEPT: usize = 20_000;

/// A request as a stand-in received it.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query and form parameters in the order they came, names as sent.
    pub params: Vec<(String, String)>,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
    /// The status of the answer.
    pub status: u16,
    /// When it came, by the stand-in's clock.
    pub at: Timestamp,
}

impl Recorded {
    /// The first parameter of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The body read as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_str(&self.body).ok()
    }
}

/// The requests received so far.
#[derive(Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<Recorded>>);

impl RequestLog {
    pub(crate) fn push(&self, request: Recorded) {
        let mut log = lock(&self.0);
        if log.len() == REQUESTS_KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        lock(&self.0).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }
}
