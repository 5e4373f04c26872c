//! What artists set about their own page: profile, rules, policy, hours, time off, flashes, pictures, Cal.com.
//!
//! Each answer belongs to the account that asks: the statements find the artist by it. No change here moves a booking that
//! is made, because bookings carry their own price, deposit, times and policy.

use lambda_http::Request;
use lambda_http::http::Method;
use shared::auth::{Auth, SignedIn};
use shared::bucket::Bucket;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError, SignUp};
use shared::db::Db;
use shared::domain::locale::Locale;
use shared::domain::settings::Flaws;
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::queue::Queue;
use shared::{aws, net};

pub mod api;
pub mod calendar;
pub mod flashes;
pub mod hours;
pub mod images;
pub mod profile;
pub mod rules;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub auth: Auth,
    /// The artists' Cal.com, and what seals their keys.
    pub calendars: Calendars,
    pub bucket: Bucket,
    /// Carries the job that mails a link.
    pub queue: Queue,
    pub clock: Clock,
    /// Who may begin a page.
    pub sign_up: SignUp,
    /// Origin of the site.
    pub public_url: String,
    /// Where Cal.com tells of changes.
    pub calcom_webhook_url: String,
}

impl App {
    pub fn from_env(web: Web) -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        let webhook_url = config::optional("CALCOM_WEBHOOK_URL");
        Ok(Self {
            db: Db::from_env()?,
            auth: Auth::from_env(&http, &web)?,
            bucket: Bucket::from_env(&http)?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            calendars: Calendars::from_env(http)?,
            clock: config::clock()?,
            sign_up: SignUp::from_env()?,
            calcom_webhook_url: webhook_url.unwrap_or_else(|| format!("{}/api/webhooks/calcom", web.public_url)),
            public_url: web.public_url,
        })
    }
}

/// A request of somebody who is signed in.
struct Asked<'a> {
    app: &'a App,
    request: &'a Request,
    who: SignedIn,
    now: jiff::Timestamp,
    /// The language of the page that asks.
    locale: Locale,
}

impl Asked<'_> {
    /// What the rules found wrong, as an answer.
    fn refuse(&self, flaws: Flaws) -> Error {
        let mut fields = Fields::default();
        fields.refuse_all(flaws, self.locale);
        fields.into_error()
    }

    /// One field that is wrong.
    fn refuse_field(&self, pointer: &str, fr: &str, en: &str) -> Error {
        let mut flaws = Flaws::default();
        flaws.add(pointer, fr, en);
        self.refuse(flaws)
    }
}

pub async fn handle(app: &App, request: Request) -> Reply {
    let segments = http::segments(&request, "/api/dashboard")?;
    let now = app.clock.now();
    let who = app.auth.signed_in(&request, now).await?;
    let asked = Asked { app, request: &request, who, now, locale: http::language(&request) };
    let method = request.method();
    match (method.as_str(), segments.as_slice()) {
        ("GET", ["profile"]) => profile::show(&asked).await,
        ("PUT", ["profile"]) => profile::save(&asked).await,
        ("POST", ["profile", "email", "link"]) => profile::link_again(&asked).await,
        ("POST", ["profile", "email", "follow"]) => profile::follow_link(&asked).await,
        ("GET", ["rules"]) => rules::show(&asked).await,
        ("PUT", ["rules"]) => rules::save(&asked).await,
        ("GET", ["policy"]) => rules::show_policy(&asked).await,
        ("PUT", ["policy"]) => rules::save_policy(&asked).await,
        ("POST", ["policy", "preview"]) => rules::preview(&asked),
        ("GET", ["hours"]) => hours::show(&asked).await,
        ("PUT", ["hours"]) => hours::save(&asked).await,
        ("GET", ["time-off"]) => hours::list_time_off(&asked).await,
        ("POST", ["time-off"]) => hours::take_off(&asked).await,
        ("DELETE", ["time-off", id]) => hours::delete_time_off(&asked, id).await,
        ("GET", ["flashes"]) => flashes::list(&asked).await,
        ("POST", ["flashes"]) => flashes::create(&asked).await,
        ("PUT", ["flashes", id]) => flashes::change(&asked, id).await,
        ("POST", ["flashes", id, "archive"]) => flashes::set_archived(&asked, id, true).await,
        ("POST", ["flashes", id, "restore"]) => flashes::set_archived(&asked, id, false).await,
        ("POST", ["images"]) => images::announce(&asked).await,
        ("GET", ["images", id]) => images::show(&asked, id).await,
        ("GET", ["calendar"]) => calendar::show(&asked).await,
        ("PUT", ["calendar"]) => calendar::save(&asked).await,
        ("DELETE", ["calendar"]) => calendar::disconnect(&asked).await,
        ("POST", ["calendar", "test"]) => calendar::test(&asked).await,
        _ if is_known(&segments) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

/// Whether a path exists with another method.
fn is_known(segments: &[&str]) -> bool {
    matches!(
        segments,
        ["profile" | "rules" | "policy" | "hours" | "time-off" | "flashes" | "images" | "calendar"]
            | ["profile", "email", "link" | "follow"]
            | ["policy", "preview"]
            | ["calendar", "test"]
            | ["time-off" | "flashes" | "images", _]
            | ["flashes", _, "archive" | "restore"]
    )
}

/// Reads the body of a write; an empty one is an object without fields.
fn body<T: serde::de::DeserializeOwned>(request: &Request) -> Result<T, Error> {
    debug_assert!(request.method() != Method::GET, "a read has no body");
    http::json(request)
}
