//! The failures that every stand-in can be told to have.

use serde::{Deserialize, Serialize};

/// How a service that is down looks from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Down {
    /// The connection is closed without an answer.
    Cut,
    /// Every answer is a 500, and nothing was executed.
    InternalError,
    /// Every answer is a 503, and nothing was executed.
    Unavailable,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Troubles {
    /// The whole API is down.
    pub down: Option<Down>,
    /// Each answer comes this much later; the work is done before the wait.
    pub slow_ms: u64,
    /// Each call is refused with a 429.
    pub rate_limited: bool,
    /// So many of the next writes are executed and then answered with a 500.
    pub fail_after_executing: u32,
    /// So many of the next writes are executed, and the connection is closed without an answer.
    pub lose_answer: u32,
}

/// What happens to a write that is executed while a failure is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterWrite {
    Answer,
    Fail,
    Lose,
}

impl Troubles {
    /// Takes the failure due for a write that has been executed.
    pub(crate) fn take_after_write(&mut self) -> AfterWrite {
        if self.fail_after_executing > 0 {
            self.fail_after_executing -= 1;
            AfterWrite::Fail
        } else if self.lose_answer > 0 {
            self.lose_answer -= 1;
            AfterWrite::Lose
        } else {
            AfterWrite::Answer
        }
    }
}
