//! What was found, with what to do about it.

use std::fmt;
use std::time::Duration;

/// How long one question may take.
pub(super) const BOUND: Duration = Duration::from_secs(15);

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and an operator should know.
    Notice,
    /// Something does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    pub verdict: Verdict,
    /// What was found.
    pub said: String,
    /// What to do, where there is something to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok    ",
            Verdict::Notice => "note  ",
            Verdict::Bad => "WRONG ",
        };
        write!(f, "{word} {}: {}", self.what, self.said)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "\n         -> {}", self.advice) }
    }
}

/// Collects the findings of one subject.
pub(super) struct Report {
    what: &'static str,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    pub(super) fn on(what: &'static str) -> Self {
        Self { what, findings: Vec::new() }
    }

    pub(super) fn add(&mut self, verdict: Verdict, said: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding { what: self.what, verdict, said: said.into(), advice: advice.into() });
    }

    pub(super) fn good(&mut self, said: impl Into<String>) {
        self.add(Verdict::Good, said, "");
    }

    pub(super) fn bad(&mut self, said: impl Into<String>, advice: impl Into<String>) {
        self.add(Verdict::Bad, said, advice);
    }

    pub(super) fn notice(&mut self, said: impl Into<String>, advice: impl Into<String>) {
        self.add(Verdict::Notice, said, advice);
    }
}

/// An error in words, without the addresses and the secrets that might be in it.
pub(super) fn why(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "it does not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "its answer broke off or cannot be read"
    }
}
