//! Signing in and out, for the pages of this site: passwords and links are checked by Supabase Auth, and its tokens are
//! kept in cookies that no script can read.

pub mod device;
pub mod supabase;
pub mod token;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use shared::auth::{Auth, REFRESH_COOKIE, SESSION_COOKIE, SignedIn, cookie};
use shared::clock::Clock;
use shared::config::{self, ConfigError, SignUp};
use shared::db::artists::{self, OwnPage};
use shared::db::{Db, invitations, limits, sessions};
use shared::domain::contact::{EmailAddress, Locale};
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::net;
use shared::network::Network;
use uuid::Uuid;

use crate::device::{DEVICE_COOKIE, Device, Devices, KNOWN};
use crate::supabase::{Grant, SignedUp, Supabase};

/// How long a browser keeps the refresh token; the session at Supabase may end before.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The largest cookie that browsers keep, name and attributes aside.
const LARGEST_COOKIE: usize = 3900;

/// The longest password that Supabase takes, in bytes.
const LONGEST_PASSWORD: usize = 72;

/// What an hour allows, in times of what one network address may try.
///
/// An account's tries are those of all browsers in which nobody has signed in to it before: guesses from many places are
/// stopped there, and its artist, whose browser is known, is not.
mod times {
    /// Of an account, from browsers that are not known.
    pub(crate) const ACCOUNT: i32 = 5;
    /// Of a known browser that renews or ends its session: each of its tabs does so once an hour.
    pub(crate) const KNOWN_BROWSER: i32 = 6;
}

/// What all strangers have together where Supabase is not told whom it serves: a sixth of what it lets one address do in
/// an hour, and a fifth of the links, which it counts apart. The rest is there for those who are known.
const TOKENS: Counter<'_> = ("session-tokens-of-all", "", 15);
const LINKS: Counter<'_> = ("session-links-of-all", "", 4);

/// How many links an hour are sent to one address. Each is good for an hour, so that whoever reads its mails has one.
const LINKS_AN_HOUR: i32 = 5;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    /// Postgres.
    pub db: Db,
    /// Verifies tokens.
    pub auth: Auth,
    /// Supabase Auth.
    pub supabase: Supabase,
    /// The browsers that are known.
    pub devices: Devices,
    /// The site.
    pub web: Web,
    /// The time.
    pub clock: Clock,
    /// Who may open an account.
    pub sign_up: SignUp,
    /// How often one network address may try to sign in within an hour.
    pub tries_per_hour: i32,
}

impl App {
    /// Reads the settings.
    ///
    /// # Errors
    /// One is missing or malformed.
    pub fn from_env(web: &Web) -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            auth: Auth::from_env(&http, web)?,
            supabase: Supabase::from_env(http)?,
            devices: Devices::from_env()?,
            web: web.clone(),
            clock: config::clock()?,
            sign_up: SignUp::from_env()?,
            tries_per_hour: config::or("RATE_LIMIT_SIGN_INS_PER_HOUR", 20)?,
        })
    }
}

/// An address and a password.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Credentials {
    email: Option<String>,
    password: Option<String>,
}

/// The address that wants a link.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LinkRequest {
    email: Option<String>,
}

/// What the link of a mail carries.
#[derive(Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LinkFollowed {
    token_hash: Option<String>,
    /// The person was asked, and wants it in place of the session that this browser has.
    #[serde(default)]
    replace: bool,
}

/// Who is signed in.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Session {
    /// The user at Supabase Auth.
    pub user_id: Uuid,
    /// Their address there.
    pub email: String,
    /// When the access token ends; a refresh brings the next.
    pub expires_at: Timestamp,
    /// Their page; none until the profile is saved for the first time.
    pub artist: Option<OwnPage>,
}

/// An account waits for its address to be confirmed by mail. Said of a known address too.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Unconfirmed {
    /// Always true.
    pub confirmation_required: bool,
}

/// Who may open an account.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Doors {
    /// `closed`, `invited` or `open`.
    pub sign_up: &'static str,
}

/// Nothing more to say.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Accepted {}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`.
pub async fn handle(app: &App, request: Request) -> Reply {
    let now = app.clock.now();
    let path = request.uri().path().trim_end_matches('/').to_owned();
    // A sign-in from a stranger's page would put its author's account under the artist's hands.
    app.auth.from_our_page(&request)?;
    // By the whole path: a word too many before the last one is another address.
    let door = path.strip_prefix("/api/session").ok_or(Error::NotFound)?;
    match (door, request.method()) {
        ("", &Method::GET) => {
            let who = app.auth.signed_in(&request, now).await?;
            http::reply(StatusCode::OK, &session_of(app, who).await?)
        }
        ("", &Method::POST) => sign_in(app, &request, now).await,
        ("", &Method::DELETE) => sign_out(app, &request, now).await,
        ("/signup", &Method::GET) => http::reply(StatusCode::OK, &Doors { sign_up: app.sign_up.name() }),
        ("/signup", &Method::POST) => sign_up(app, &request, now).await,
        ("/link", &Method::POST) => send_link(app, &request, now).await,
        ("/verify", &Method::POST) => follow_link(app, &request, now).await,
        ("/refresh", &Method::POST) => refresh(app, &request, now).await,
        ("" | "/signup" | "/link" | "/verify" | "/refresh", _) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

async fn sign_in(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    let visitor = Visitor::of(app, request, now);
    let known = visitor.device.as_ref().filter(|device| app.devices.is_of(device, &email));
    match known {
        Some(device) => count(app, ("session-device", &device.number, 1), &[], now).await?,
        None => {
            let account = ("session-account", email.as_str(), times::ACCOUNT);
            visitor.count_as_stranger(app, TOKENS, &[account], now).await?
        }
    };
    let grant = app.supabase.sign_in(&email, &password, &visitor.address).await?;
    enter(app, StatusCode::OK, &grant, &visitor, now).await
}

async fn sign_up(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    let visitor = Visitor::of(app, request, now);
    // Counted before it is refused: the answer says who is invited.
    let account = ("session-account", email.as_str(), times::ACCOUNT);
    count(app, ("session", visitor.network.near(), 1), &[account], now).await?;
    let welcome = match app.sign_up {
        SignUp::Open => true,
        SignUp::Invited => invitations::includes(&app.db, &email).await?,
        SignUp::Closed => false,
    };
    if !welcome {
        return Err(Error::SignUpClosed);
    }
    // Whoever is refused costs nothing at Supabase, and so uses up nothing of what all strangers have there.
    if let Some(together) = together(app, LINKS) {
        count(app, together, &[], now).await?;
    }
    match app.supabase.sign_up(&email, &password, &visitor.address).await? {
        // A project that confirms no address. To go in at once would say that the address is new, so whoever opened the
        // account follows a link as well, as does whoever knows the address of somebody else's.
        SignedUp::Entered(grant) => {
            app.supabase.sign_out(grant.access_token.expose(), &visitor.address).await?;
            app.supabase.send_link(&email, &visitor.address).await?;
        }
        SignedUp::Unconfirmed => {}
        // They may have forgotten that they had one. Whoever else is asking learns nothing.
        SignedUp::Known => match app.supabase.sign_in(&email, &password, &visitor.address).await {
            Ok(grant) => return enter(app, StatusCode::CREATED, &grant, &visitor, now).await,
            Err(Error::WrongCredentials) => app.supabase.send_link(&email, &visitor.address).await?,
            Err(error) => return Err(error),
        },
    }
    http::reply(StatusCode::ACCEPTED, &Unconfirmed { confirmation_required: true })
}

async fn send_link(app: &App, request: &Request, now: Timestamp) -> Reply {
    let asked: LinkRequest = http::json(request)?;
    let mut fields = Fields::default();
    let email = email(asked.email, &mut fields, http::language(request)).ok_or_else(|| fields.into_error())?;
    let visitor = Visitor::of(app, request, now);
    let counts = visitor.count_as_stranger(app, LINKS, &[("session-link", &email, i32::MAX)], now).await?;
    // Beyond that the mails of this hour are there already, and one more would only make the last link useless.
    if counts.first().is_some_and(|sent| *sent <= LINKS_AN_HOUR) {
        app.supabase.send_link(&email, &visitor.address).await?;
    }
    http::reply(StatusCode::ACCEPTED, &Accepted {})
}

async fn follow_link(app: &App, request: &Request, now: Timestamp) -> Reply {
    let followed: LinkFollowed = http::json(request)?;
    let token_hash = followed.token_hash.unwrap_or_default();
    let plausible = (1..=200).contains(&token_hash.len())
        && token_hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !plausible {
        return Err(Error::LinkExpired);
    }
    // Whoever opens somebody else's link would go on working in that account without a word.
    if !followed.replace
        && let Some(token) = cookie(request.headers(), SESSION_COOKIE)
        && app.auth.verify(token, now).await.is_ok()
    {
        return Err(Error::AlreadySignedIn);
    }
    let visitor = Visitor::of(app, request, now);
    visitor.count_as_stranger(app, LINKS, &[], now).await?;
    let grant = app.supabase.follow(&token_hash, &visitor.address).await?;
    enter(app, StatusCode::OK, &grant, &visitor, now).await
}

async fn refresh(app: &App, request: &Request, now: Timestamp) -> Reply {
    let token = refresh_token(request).ok_or(Error::Unauthenticated("nobody is signed in"))?;
    let visitor = Visitor::of(app, request, now);
    visitor.count_renewal(app, now).await?;
    let grant = app.supabase.refresh(token, &visitor.address).await?;
    match enter(app, StatusCode::OK, &grant, &visitor, now).await {
        // Signed out while Supabase did not answer: here it has ended, and now it ends there.
        Err(Error::Unauthenticated(why)) => {
            let who = app.auth.verify(grant.access_token.expose(), now).await?;
            app.supabase.sign_out(grant.access_token.expose(), &visitor.address).await?;
            sessions::confirm(&app.db, who.account().session).await?;
            Err(Error::Unauthenticated(why))
        }
        other => other,
    }
}

/// Ends the session here, then at Supabase. Only when both have is the answer that it has: until then the browser keeps
/// what it takes to try again.
async fn sign_out(app: &App, request: &Request, now: Timestamp) -> Reply {
    end(app, request, now).await?;
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    set_cookie(&mut response, SESSION_COOKIE, "", 0)?;
    set_cookie(&mut response, REFRESH_COOKIE, "", 0)?;
    Ok(response)
}

async fn end(app: &App, request: &Request, now: Timestamp) -> Result<(), Error> {
    let visitor = Visitor::of(app, request, now);
    if let Some(token) = cookie(request.headers(), SESSION_COOKIE) {
        match app.auth.verify(token, now).await {
            Ok(who) => return end_both(app, &who, token, &visitor, now).await,
            Err(Error::Unauthenticated(_)) => {}
            Err(error) => return Err(error),
        }
    }
    // The access token has run out. The refresh token would live on in whatever copy there may be.
    let Some(token) = refresh_token(request) else { return Ok(()) };
    visitor.count_renewal(app, now).await?;
    match app.supabase.refresh(token, &visitor.address).await {
        Ok(grant) => {
            let who = verified(app, &grant, now).await?;
            end_both(app, &who, grant.access_token.expose(), &visitor, now).await
        }
        Err(Error::Unauthenticated(_)) => Ok(()),
        Err(error) => Err(unfinished(error)),
    }
}

/// Ends a session here, where no token of it opens anything from now on, and then at Supabase.
async fn end_both(app: &App, who: &SignedIn, token: &str, visitor: &Visitor, now: Timestamp) -> Result<(), Error> {
    let session = who.account().session;
    if sessions::end(&app.db, session, now).await? {
        return Ok(());
    }
    match app.supabase.sign_out(token, &visitor.address).await {
        Ok(()) | Err(Error::Unauthenticated(_)) => sessions::confirm(&app.db, session).await,
        Err(error) => Err(unfinished(error)),
    }
}

fn unfinished(error: Error) -> Error {
    match error {
        Error::SignInUnavailable(why) => Error::SignOutIncomplete(why),
        error => error,
    }
}

/// The refresh token that a request brings, if it can be one.
fn refresh_token(request: &Request) -> Option<&str> {
    cookie(request.headers(), REFRESH_COOKIE).filter(|text| token::shape(text).is_some())
}

/// Makes sure that a token of Supabase is one that we shall believe.
async fn verified(app: &App, grant: &Grant, now: Timestamp) -> Result<SignedIn, Error> {
    // What we would refuse at the next request must not be handed out: then the project is set up otherwise than we are.
    app.auth.verify(grant.access_token.expose(), now).await.map_err(|error| match error {
        Error::Unauthenticated(why) => {
            Error::Internal(format!("a fresh token is refused ({why}): see SUPABASE_URL and SUPABASE_JWT_SECRET"))
        }
        error => error,
    })
}

/// Answers a sign-in: who it is, and the tokens in cookies.
async fn enter(app: &App, status: StatusCode, grant: &Grant, visitor: &Visitor, now: Timestamp) -> Reply {
    let who = verified(app, grant, now).await?;
    let device = app.devices.cookie(visitor.device.as_ref(), &who.email, now);
    let session = session_of(app, who).await?;
    let mut response = http::reply(status, &session)?;
    set_cookie(&mut response, SESSION_COOKIE, grant.access_token.expose(), grant.expires_in)?;
    set_cookie(&mut response, REFRESH_COOKIE, grant.refresh_token.expose(), REMEMBERED.as_secs())?;
    set_cookie(&mut response, DEVICE_COOKIE, &device, KNOWN.as_secs())?;
    Ok(response)
}

async fn session_of(app: &App, who: SignedIn) -> Result<Session, Error> {
    let artist = artists::own_page(&app.db, who.account()).await?;
    Ok(Session { user_id: who.user_id, email: who.email, expires_at: who.expires_at, artist })
}

/// Out of reach of scripts, of plain HTTP and of other sites' links and forms.
fn set_cookie(response: &mut Response<Body>, name: &str, value: &str, seconds: i64) -> Result<(), Error> {
    if value.len() > LARGEST_COOKIE {
        return Err(Error::Internal(format!(
            "a token of {} bytes fits no cookie: the project adds claims",
            value.len()
        )));
    }
    let line = format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    let mut line = HeaderValue::from_str(&line).map_err(|_| Error::Internal("a token with odd letters".into()))?;
    line.set_sensitive(true);
    response.headers_mut().append(header::SET_COOKIE, line);
    Ok(())
}

fn read(credentials: Credentials, locale: Locale) -> Result<(String, String), Error> {
    let mut fields = Fields::default();
    let email = email(credentials.email, &mut fields, locale);
    let password = match credentials.password.filter(|password| !password.is_empty()) {
        None => {
            fields.refuse("/password", locale.pick("Indiquez votre mot de passe.", "Enter your password."));
            None
        }
        Some(long) if long.len() > LONGEST_PASSWORD => {
            let words =
                locale.pick("Ce mot de passe dépasse 72 caractères.", "This password is longer than 72 characters.");
            fields.refuse("/password", words);
            None
        }
        Some(password) => Some(password),
    };
    email.zip(password).ok_or_else(|| fields.into_error())
}

fn email(given: Option<String>, fields: &mut Fields, locale: Locale) -> Option<String> {
    let parsed = EmailAddress::parse(&given.unwrap_or_default());
    fields.keep("/email", parsed, |error| error.sentence(locale).to_owned()).map(|email| email.normalised())
}

/// What is counted: what, by whom, and how many times what a network address may try is allowed.
type Counter<'a> = (&'static str, &'a str, i32);

/// Who asks, as far as it can be told before anybody signs in.
struct Visitor {
    /// What Supabase is told.
    address: String,
    /// What is counted here.
    network: Network,
    device: Option<Device>,
}

impl Visitor {
    fn of(app: &App, request: &Request, now: Timestamp) -> Self {
        Self {
            address: app.web.client_address(request),
            network: app.web.network(request),
            device: app.devices.read(request.headers(), now),
        }
    }

    /// Counts a try of somebody whose browser is not known for the account: by the network, by what they ask for, and with
    /// all such visitors together where Supabase takes them for one.
    async fn count_as_stranger(
        &self,
        app: &App,
        together: Counter<'_>,
        of: &[Counter<'_>],
        now: Timestamp,
    ) -> Result<Vec<i32>, Error> {
        let after: Vec<Counter<'_>> = of.iter().copied().chain(self::together(app, together)).collect();
        count(app, ("session", self.network.near(), 1), &after, now).await
    }

    /// Counts a wish to renew or to end a session, which costs a call whether or not there is one.
    async fn count_renewal(&self, app: &App, now: Timestamp) -> Result<(), Error> {
        match &self.device {
            Some(device) => count(app, ("session-renewal", &device.number, times::KNOWN_BROWSER), &[], now).await,
            None => self.count_as_stranger(app, TOKENS, &[], now).await,
        }
        .map(drop)
    }
}

/// What all strangers share, where Supabase takes them for one visitor.
fn together<'a>(app: &App, counter: Counter<'a>) -> Option<Counter<'a>> {
    (!app.supabase.tells_whom_it_serves()).then_some(counter)
}

/// Counts a try, and refuses it when it is one too many. What comes `after` is counted only if `first` allows it.
async fn count(app: &App, first: Counter<'_>, after: &[Counter<'_>], now: Timestamp) -> Result<Vec<i32>, Error> {
    let bounds: Vec<_> = std::iter::once(&first)
        .chain(after)
        .map(|(what, whom, times)| (*what, *whom, app.tries_per_hour.saturating_mul(*times)))
        .collect();
    let (counts, is_within, window_end) = limits::count_within(&app.db, bounds[0], &bounds[1..], now).await?;
    if !is_within {
        let wait = window_end.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        return Err(Error::TooManyRequests { retry_after: wait });
    }
    Ok(counts)
}
