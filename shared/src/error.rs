//! Everything that can keep a function from doing what it was asked, as values with names.
//! No HTTP in here: `http::problem` gives each its status and words.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::domain::refusal::Refusal;

/// One field of a request that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Where, as a JSON pointer in a URI fragment (RFC 6901, section 6), e.g. `#/client/email`.
    pub pointer: String,
    /// What is wrong and what would be right, in the client's language.
    pub detail: String,
    /// Values that would be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
}

impl FieldError {
    /// A field at `pointer` that is wrong in the way that `detail` says.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), suggestions: Vec::new() }
    }
}

/// A service outside that did not do its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Stripe,
    Calcom,
    /// SQS.
    Queue,
    /// SES.
    Mail,
    /// S3.
    Bucket,
    /// Supabase Auth.
    Supabase,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stripe => "Stripe",
            Self::Calcom => "Cal.com",
            Self::Queue => "SQS",
            Self::Mail => "SES",
            Self::Bucket => "S3",
            Self::Supabase => "Supabase Auth",
        })
    }
}

/// Why a request was not fulfilled.
#[derive(Debug, Error)]
pub enum Error {
    /// The business says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A refusal of a slot, with the slots that are free instead.
    #[error("{refusal}")]
    RefusedWithSlots {
        refusal: Refusal,
        /// What is free, as the slots function would answer.
        slots: serde_json::Value,
    },
    /// The client holds this unique flash already, for another slot.
    #[error("the client holds the flash already")]
    HeldByYou {
        /// That hold, as its own request would answer.
        own: serde_json::Value,
    },
    /// The client's network holds as many unpaid slots as it may.
    #[error("the network holds too many unpaid slots")]
    NetworkIsFull {
        /// When the first of them ends.
        retry_after: Duration,
    },
    /// The client has let this unique flash go several times: it is for others for a while.
    #[error("the flash rests for this client")]
    FlashRests {
        /// Until when, on the studio's clock: RFC 3339 with its offset.
        until: String,
        /// How long that is.
        retry_after: Duration,
    },
    /// There are so many unpaid holds that the client is asked for a proof of work.
    #[error("a proof of work is needed")]
    ProofRequired {
        /// What is to be solved, see `proof::Puzzle`.
        proof: serde_json::Value,
    },
    /// Some fields are missing or wrong.
    #[error("{} field(s) are not valid", .0.len())]
    Invalid(Vec<FieldError>),
    /// The body or the query string cannot be read at all.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// The body is not JSON.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The body is larger than this endpoint reads.
    #[error("the body is larger than {limit} bytes")]
    PayloadTooLarge {
        /// The most it reads, in bytes.
        limit: usize,
    },
    /// The signature, the token or the key is missing or wrong.
    #[error("unauthenticated: {0}")]
    Unauthenticated(&'static str),
    /// The address or the password is wrong; which of the two is not said.
    #[error("wrong credentials")]
    WrongCredentials,
    /// A link from a mail that was used before, or is too old.
    #[error("the link has expired")]
    LinkExpired,
    /// Nobody can be signed in now: Supabase Auth does not answer.
    #[error("signing in is not possible: {0}")]
    SignInUnavailable(String),
    /// A session has ended here, and Supabase does not answer, so that it lives on there.
    #[error("a session lives on at Supabase: {0}")]
    SignOutIncomplete(String),
    /// A link was opened in a browser that has a session already.
    #[error("somebody is signed in already")]
    AlreadySignedIn,
    /// It is known who asks, and it is not allowed this way.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// No account and no page is opened here by whoever comes.
    #[error("sign-up is closed")]
    SignUpClosed,
    /// The account has no artist's page yet.
    #[error("the account has no artist")]
    NoArtist,
    /// There is no such thing, or not for this caller.
    #[error("not found")]
    NotFound,
    /// The path exists, the method does not.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// Too many requests from one address.
    #[error("too many requests")]
    TooManyRequests { retry_after: Duration },
    /// An idempotency key was used before, with another body.
    #[error("the idempotency key belongs to another request")]
    IdempotencyMismatch,
    /// The same request is being worked on at this moment.
    #[error("the same request is in progress")]
    RequestInProgress,
    /// The artist's calendar cannot be read, so no slot can be promised.
    #[error("the calendar does not answer: {0}")]
    CalendarUnavailable(String),
    /// Stripe cannot open a payment now.
    #[error("the payment cannot be opened: {0}")]
    PaymentUnavailable(String),
    /// Stripe does not say whether a payment page is closed, so nothing that hangs on it is done.
    #[error("the payment page does not close: {0}")]
    CheckoutStaysOpen(String),
    /// A service outside failed where nothing more precise can be said.
    #[error("{service} failed: {why}")]
    Outside {
        service: Service,
        /// What it said, without personal data.
        why: String,
    },
    /// The database refused or broke off.
    #[error("database: {}", database_words(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("the database cannot be reached: {0}")]
    DatabaseUnavailable(String),
    /// Somebody else changed the same thing again and again.
    #[error("too many concurrent changes")]
    Conflict,
    /// A broken promise of our own.
    #[error("internal: {0}")]
    Internal(String),

    /// One of the others, told to a person on a page instead of to a program.
    #[error("{error}")]
    Shown {
        error: Box<Self>,
        /// The page, HTML.
        page: String,
    },
}

/// The parts of a database error that are safe to log: the row's values, which Postgres puts in
/// `detail`, are personal data.
fn database_words(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => {
            let constraint = db.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
            format!("{} {}{constraint}", db.code().code(), db.message())
        }
        None => error.to_string(),
    }
}

/// Turns the violation of a named constraint into what it means.
pub trait OnConstraint<T> {
    /// Maps the error of constraint `name` to `meaning`; any other error stays as it is.
    ///
    /// # Errors
    /// `meaning` when the constraint was violated, else the error it was.
    fn on_constraint(self, name: &str, meaning: Refusal) -> Result<T, Error>;
}

impl<T> OnConstraint<T> for Result<T, Error> {
    fn on_constraint(self, name: &str, meaning: Refusal) -> Result<T, Error> {
        self.map_err(|error| match &error {
            Error::Database(db) if db.as_db_error().and_then(|e| e.constraint()) == Some(name) => meaning.into(),
            _ => error,
        })
    }
}
