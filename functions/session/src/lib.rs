//! Signing in and out, for the pages of this site: passwords and links are checked by Supabase Auth, and its tokens are
//! kept in cookies that no script can read.

pub mod supabase;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use shared::auth::{Auth, REFRESH_COOKIE, SESSION_COOKIE, SignedIn, cookie};
use shared::clock::Clock;
use shared::config::{self, ConfigError, SignUp};
use shared::db::artists::{self, OwnPage};
use shared::db::{Db, invitations, limits};
use shared::domain::contact::{EmailAddress, Locale};
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web};
use shared::net;
use uuid::Uuid;

use crate::supabase::{Grant, SignedUp, Supabase};

/// How long a browser keeps the refresh token; the session at Supabase may end before.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The largest cookie that browsers keep, name and attributes aside.
const LARGEST_COOKIE: usize = 3900;

/// The longest password that Supabase takes, in bytes.
const LONGEST_PASSWORD: usize = 72;

/// How many more tries one address of an account has than one network address: somebody who guesses is stopped, and a
/// stranger does not lock the artist out by guessing from one place.
const TRIES_OF_AN_ACCOUNT: i32 = 5;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    /// Postgres.
    pub db: Db,
    /// Verifies tokens.
    pub auth: Auth,
    /// Supabase Auth.
    pub supabase: Supabase,
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
    match (path.rsplit('/').next().unwrap_or_default(), request.method()) {
        ("session", &Method::GET) => {
            let who = app.auth.signed_in(&request, now).await?;
            http::reply(StatusCode::OK, &session_of(app, who).await?)
        }
        ("session", &Method::POST) => sign_in(app, &request, now).await,
        ("session", &Method::DELETE) => sign_out(app, &request, now).await,
        ("signup", &Method::GET) => http::reply(StatusCode::OK, &Doors { sign_up: app.sign_up.name() }),
        ("signup", &Method::POST) => sign_up(app, &request, now).await,
        ("link", &Method::POST) => send_link(app, &request, now).await,
        ("verify", &Method::POST) => follow_link(app, &request, now).await,
        ("refresh", &Method::POST) => refresh(app, &request, now).await,
        ("session" | "signup" | "link" | "verify" | "refresh", _) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

async fn sign_in(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    limit(app, request, Some(&email), now).await?;
    let grant = app.supabase.sign_in(&email, &password).await?;
    enter(app, StatusCode::OK, &grant, now).await
}

async fn sign_up(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    limit(app, request, Some(&email), now).await?;
    let welcome = match app.sign_up {
        SignUp::Open => true,
        SignUp::Invited => invitations::includes(&app.db, &email).await?,
        SignUp::Closed => false,
    };
    if !welcome {
        return Err(Error::SignUpClosed);
    }
    match app.supabase.sign_up(&email, &password).await? {
        SignedUp::Entered(grant) => return enter(app, StatusCode::CREATED, &grant, now).await,
        SignedUp::Unconfirmed => {}
        // They may have forgotten that they had one. Whoever else is asking learns nothing.
        SignedUp::Known => match app.supabase.sign_in(&email, &password).await {
            Ok(grant) => return enter(app, StatusCode::CREATED, &grant, now).await,
            Err(Error::WrongCredentials) => app.supabase.send_link(&email).await?,
            Err(error) => return Err(error),
        },
    }
    http::reply(StatusCode::ACCEPTED, &Unconfirmed { confirmation_required: true })
}

async fn send_link(app: &App, request: &Request, now: Timestamp) -> Reply {
    let asked: LinkRequest = http::json(request)?;
    let mut fields = Fields::default();
    let email = email(asked.email, &mut fields, http::language(request)).ok_or_else(|| fields.into_error())?;
    limit(app, request, None, now).await?;
    app.supabase.send_link(&email).await?;
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
    limit(app, request, None, now).await?;
    let grant = app.supabase.follow(&token_hash).await?;
    enter(app, StatusCode::OK, &grant, now).await
}

async fn refresh(app: &App, request: &Request, now: Timestamp) -> Reply {
    let token = cookie(request.headers(), REFRESH_COOKIE).ok_or(Error::Unauthenticated("nobody is signed in"))?;
    let grant = app.supabase.refresh(token).await?;
    enter(app, StatusCode::OK, &grant, now).await
}

/// Forgets the session here and at Supabase. The browser forgets it whatever Supabase answers.
async fn sign_out(app: &App, request: &Request, now: Timestamp) -> Reply {
    if let Err(error) = end(app, request, now).await {
        tracing::warn!(error = %error, "a session lives on at Supabase until its token ends");
    }
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    set_cookie(&mut response, SESSION_COOKIE, "", 0)?;
    set_cookie(&mut response, REFRESH_COOKIE, "", 0)?;
    Ok(response)
}

async fn end(app: &App, request: &Request, now: Timestamp) -> Result<(), Error> {
    if let Some(token) = cookie(request.headers(), SESSION_COOKIE)
        && app.auth.verify(token, now).await.is_ok()
    {
        return app.supabase.sign_out(token).await;
    }
    // The access token has run out. The refresh token would live on in whatever copy there may be.
    let Some(token) = cookie(request.headers(), REFRESH_COOKIE) else { return Ok(()) };
    match app.supabase.refresh(token).await {
        Ok(grant) => app.supabase.sign_out(grant.access_token.expose()).await,
        Err(Error::Unauthenticated(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Answers a sign-in: who it is, and the tokens in cookies.
async fn enter(app: &App, status: StatusCode, grant: &Grant, now: Timestamp) -> Reply {
    // What we would refuse at the next request must not be handed out: then the project is set up otherwise than we are.
    let who = app.auth.verify(grant.access_token.expose(), now).await.map_err(|error| match error {
        Error::Unauthenticated(why) => {
            Error::Internal(format!("a fresh token is refused ({why}): see SUPABASE_URL and SUPABASE_JWT_SECRET"))
        }
        error => error,
    })?;
    let session = session_of(app, who).await?;
    let mut response = http::reply(status, &session)?;
    set_cookie(&mut response, SESSION_COOKIE, grant.access_token.expose(), grant.expires_in)?;
    set_cookie(&mut response, REFRESH_COOKIE, grant.refresh_token.expose(), REMEMBERED.as_secs())?;
    Ok(response)
}

async fn session_of(app: &App, who: SignedIn) -> Result<Session, Error> {
    let artist = artists::own_page(&app.db, who.user_id).await?;
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

/// Counts this try, by the network address and by the account it is for.
async fn limit(app: &App, request: &Request, email: Option<&str>, now: Timestamp) -> Result<(), Error> {
    let network = app.web.network(request);
    let mut counters = vec![("session", network.near())];
    counters.extend(email.map(|email| ("session-account", email)));
    let (counts, window_end) = limits::count(&app.db, &counters, now).await?;
    let allowed = [app.tries_per_hour, app.tries_per_hour.saturating_mul(TRIES_OF_AN_ACCOUNT)];
    if counts.iter().zip(allowed).any(|(count, allowed)| *count > allowed) {
        let wait = window_end.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        return Err(Error::TooManyRequests { retry_after: wait });
    }
    Ok(())
}
