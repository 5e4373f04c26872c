//! Why an invocation gave no answer, and the document that Lambda gives then.

use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use serde_json::json;
use uuid::Uuid;

use crate::account;

/// How large a request or an answer may be, as on Lambda.
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvokeError {
    /// No function has this name.
    UnknownFunction(String),
    /// All instances stayed busy for too long.
    Throttled,
    /// The handler returned an error; this is its own JSON.
    Handler(Bytes),
    /// The handler took too long and its instance was killed.
    TimedOut {
        request_id: Uuid,
        /// The limit that it passed.
        after: Duration,
    },
    /// The instance died with the invocation in its hands.
    Exited {
        request_id: Uuid,
        /// How it ended, in words.
        how: String,
    },
    /// No instance came up.
    Init(String),
    /// The answer is larger than Lambda lets through.
    TooLarge(usize),
    /// The host is being stopped.
    Stopped,
}

impl InvokeError {
    /// The error document that Lambda gives to the caller.
    pub fn document(&self) -> Bytes {
        let (kind, message) = match self {
            Self::Handler(document) => return document.clone(),
            Self::UnknownFunction(_) => ("ResourceNotFoundException", self.to_string()),
            Self::Throttled => ("TooManyRequestsException", self.to_string()),
            Self::TimedOut { .. } => ("Sandbox.Timedout", self.to_string()),
            Self::Exited { .. } => ("Runtime.ExitError", self.to_string()),
            Self::Init(_) => ("Runtime.InitError", self.to_string()),
            Self::TooLarge(_) => ("Function.ResponseSizeTooLarge", self.to_string()),
            Self::Stopped => ("ServiceException", self.to_string()),
        };
        Bytes::from(json!({ "errorType": kind, "errorMessage": message }).to_string())
    }
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFunction(name) => write!(f, "Function not found: {}", account::function_arn(name)),
            Self::Throttled => f.write_str("Rate Exceeded."),
            Self::Handler(document) => f.write_str(&String::from_utf8_lossy(document)),
            Self::TimedOut { request_id, after } => {
                write!(f, "RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64())
            }
            Self::Exited { request_id, how } => {
                write!(f, "RequestId: {request_id} Error: Runtime exited with error: {how}")
            }
            Self::Init(how) => write!(f, "Error: Runtime failed to start: {how}"),
            Self::TooLarge(size) => {
                write!(f, "Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes): {size}")
            }
            Self::Stopped => f.write_str("The host is being stopped."),
        }
    }
}

impl std::error::Error for InvokeError {}
