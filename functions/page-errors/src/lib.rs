//! `POST /api/page-errors`: a page of the site tells that it failed in somebody's browser. That becomes one line of the
//! log, on which an alarm stands: nothing else would tell that an engine shows an empty page.

pub mod api;

use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::{Db, limits};
use shared::domain::locale::Locale;
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::redact;

/// The most that a report may weigh, in bytes.
const LARGEST: usize = 4096;

/// How many reports of one network address are written down within an hour.
const OF_AN_ADDRESS: i32 = 20;

/// How many are in all: a broken release fails in everybody's browser, and the first ones have said it.
const OF_ALL: i32 = 300;

/// How many places in the script are named.
const PLACES: usize = 5;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub web: Web,
    pub clock: Clock,
}

impl App {
    pub fn from_env(web: &Web) -> Result<Self, ConfigError> {
        Ok(Self { db: Db::from_env()?, web: web.clone(), clock: config::clock()? })
    }
}

/// How a page failed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(schemars::JsonSchema)]
pub enum Kind {
    /// Something could not be drawn: the visitor reads an apology in its place.
    Render,
    /// A script failed outside of drawing.
    Error,
    /// A promise failed and nobody looked.
    Rejection,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Render => "render",
            Self::Error => "error",
            Self::Rejection => "rejection",
        }
    }
}

/// What a page says about its failure: where and what, never who, and nothing that was typed.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
pub struct PageError {
    kind: Kind,
    /// The path of the page, without what follows a `?` or `#`.
    page: String,
    /// The class of the error, `RangeError`.
    error: String,
    /// Its words.
    #[serde(default)]
    message: String,
    /// Where in the site's scripts, the innermost first: `/assets/site-a1b2.js:1:2345`.
    #[serde(default)]
    at: Vec<String>,
    /// Name and version of the browser: `Firefox/153.8`.
    #[serde(default)]
    browser: String,
}

/// Nothing more to say.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Noted {}

pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::POST {
        return Err(Error::MethodNotAllowed);
    }
    http::bytes(&request, LARGEST)?;
    let report: PageError = http::json(&request)?;
    report.check(http::language(&request))?;
    limit(app, &request, app.clock.now()).await?;
    report.write_down();
    http::reply(StatusCode::ACCEPTED, &Noted {})
}

impl PageError {
    /// The log is read by people and by filters: it takes names, paths and words, each of its own letters and length.
    fn check(&self, locale: Locale) -> Result<(), Error> {
        let mut fields = Fields::default();
        let mut refuse = |pointer: &str, fr, en| fields.refuse(pointer, locale.pick(fr, en));
        if !(self.page.starts_with('/') && is_name(&self.page, 120, b"/-_.")) {
            refuse("/page", "Un chemin du site, sans ? ni #.", "A path of the site, without ? or #.");
        }
        if self.error.is_empty() || !is_name(&self.error, 60, b"_$.") {
            refuse("/error", "Le nom d'une classe d'erreur.", "The name of a class of errors.");
        }
        if self.message.len() > 600 || self.message.chars().any(char::is_control) {
            refuse("/message", "Au plus 600 octets, sur une ligne.", "At most 600 bytes, on one line.");
        }
        if self.at.len() > PLACES
            || !self.at.iter().all(|place| place.starts_with('/') && is_name(place, 120, b"/-_.:"))
        {
            refuse("/at", "Au plus 5 lieux d'un script du site.", "At most 5 places in a script of the site.");
        }
        if !is_name(&self.browser, 40, b"/._ -") {
            refuse("/browser", "Un nom et une version.", "A name and a version.");
        }
        if fields.is_empty() { Ok(()) } else { Err(fields.into_error()) }
    }

    fn write_down(&self) {
        tracing::error!(
            page = http::route(&self.page),
            kind = self.kind.word(),
            error = self.error,
            words = words(&self.message),
            at = self.at.join(" "),
            browser = self.browser,
            "a page failed"
        );
    }
}

fn is_name(text: &str, longest: usize, marks: &[u8]) -> bool {
    text.len() <= longest && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || marks.contains(&byte))
}

/// The message without what it may quote: engines put the text that they could not read between double quotes.
fn words(message: &str) -> String {
    let kept: String =
        message.split('"').enumerate().map(|(place, part)| if place % 2 == 0 { part } else { "…" }).collect();
    redact::without_addresses(&kept)
}

/// Counts this report, for its address and for all.
async fn limit(app: &App, request: &Request, now: Timestamp) -> Result<(), Error> {
    let network = app.web.network(request);
    let counters = [("page-errors", network.near()), ("page-errors-of-all", "")];
    let (counts, window_end) = limits::count(&app.db, &counters, now).await?;
    if counts.iter().zip([OF_AN_ADDRESS, OF_ALL]).any(|(count, allowed)| *count > allowed) {
        let wait = window_end.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        return Err(Error::TooManyRequests { retry_after: wait });
    }
    Ok(())
}
