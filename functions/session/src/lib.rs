//! Signing in and out, for the pages of this site: passwords and links are checked by Supabase Auth, and its tokens are
//! kept in cookies that no script can read.

pub mod api;
pub mod device;
pub mod supabase;
pub mod token;

use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use shared::auth::{Auth, REFRESH_COOKIE, SESSION_COOKIE, SignedIn};
use shared::clock::Clock;
use shared::config::{self, ConfigError, SignUp};
use shared::db::artists::{self, OwnPage};
use shared::db::{Db, invitations, limits, sessions};
use shared::domain::contact::EmailAddress;
use shared::domain::locale::Locale;
use shared::error::Error;
use shared::http::{self, Fields, Reply, Web, cookie};
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
    /// Of an account: from all browsers together that are not known, and from all together that are.
    pub(crate) const ACCOUNT: i32 = 5;
    /// Of a known browser that renews or ends its session: each of its tabs does so once an hour.
    pub(crate) const KNOWN_BROWSER: i32 = 6;
    /// Of a wide network, which holds many households: as for bookings.
    pub(crate) const WIDE: i32 = 10;
}

/// A kind of call that Supabase counts by itself, and by whom it is counted here.
struct Kind {
    /// Of a browser that is known, and of all browsers that are known for the same account: whoever signs in often has many.
    known: [(&'static str, i32); 2],
    /// Of all strangers together, where Supabase is not told whom it serves. The rest is there for those who are known.
    all: (&'static str, i32),
    /// Of one wide network's strangers, out of that. One IPv6 line has thousands of households' worth of addresses, and must
    /// not have what all have; with these it takes four or five of them, as it does with IPv4.
    share: (&'static str, i32),
}

/// Passwords: strangers have a sixth of what Supabase lets one address do in an hour.
const TOKENS: Kind = Kind {
    known: [("session-device", 1), ("session-known", times::ACCOUNT)],
    all: ("session-tokens-of-all", 15),
    share: ("session-tokens-of-network", 3),
};

/// Renewals, which Supabase counts with the passwords.
const RENEWALS: Kind = Kind {
    known: [
        ("session-renewal", times::KNOWN_BROWSER),
        ("session-renewal-known", times::KNOWN_BROWSER * times::ACCOUNT),
    ],
    ..TOKENS
};

/// Links, asked for and followed: strangers have a fifth. A known browser's are apart from its passwords, so that whoever has
/// tried all that they remember may still ask for one.
const LINKS: Kind = Kind {
    known: [("session-device-links", 1), ("session-known-links", times::ACCOUNT)],
    all: ("session-links-of-all", 4),
    share: ("session-links-of-network", 1),
};

/// How many links an hour are sent to one address. Each is good for an hour, so that whoever reads its mails has one.
const LINKS_AN_HOUR: i32 = 5;

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub auth: Auth,
    pub supabase: Supabase,
    /// The browsers that are known.
    pub devices: Devices,
    pub web: Web,
    pub clock: Clock,
    pub sign_up: SignUp,
    /// How often one network address may try to sign in within an hour.
    pub tries_per_hour: i32,
}

impl App {
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
#[derive(Deserialize, schemars::JsonSchema)]
pub struct Credentials {
    email: Option<String>,
    password: Option<String>,
}

/// The address that wants a link.
#[derive(Deserialize, schemars::JsonSchema)]
pub struct LinkRequest {
    email: Option<String>,
}

/// What the link of a mail carries.
#[derive(Deserialize, schemars::JsonSchema)]
pub struct LinkFollowed {
    token_hash: Option<String>,
    /// The person was asked, and wants it in place of the session that this browser has.
    #[serde(default)]
    replace: bool,
}

/// Who is signed in.
#[derive(Debug, Serialize, schemars::JsonSchema)]
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
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Unconfirmed {
    /// Always true.
    pub confirmation_required: bool,
}

/// Who may open an account.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Doors {
    /// `closed`, `invited` or `open`.
    pub sign_up: &'static str,
}

/// Nothing more to say.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Accepted {}

pub async fn handle(app: &App, request: Request) -> Reply {
    let now = app.clock.now();
    // A sign-in from a stranger's page would put its author's account under the artist's hands.
    app.auth.from_our_page(&request)?;
    match (http::segments(&request, "/api/session")?.as_slice(), request.method()) {
        ([], &Method::GET) => {
            let who = app.auth.signed_in(&request, now).await?;
            http::reply(StatusCode::OK, &session_of(app, who).await?)
        }
        ([], &Method::POST) => sign_in(app, &request, now).await,
        ([], &Method::DELETE) => sign_out(app, &request, now).await,
        (["signup"], &Method::GET) => http::reply(StatusCode::OK, &Doors { sign_up: app.sign_up.name() }),
        (["signup"], &Method::POST) => sign_up(app, &request, now).await,
        (["link"], &Method::POST) => send_link(app, &request, now).await,
        (["verify"], &Method::POST) => follow_link(app, &request, now).await,
        (["refresh"], &Method::POST) => refresh(app, &request, now).await,
        ([] | ["signup" | "link" | "verify" | "refresh"], _) => Err(Error::MethodNotAllowed),
        _ => Err(Error::NotFound),
    }
}

async fn sign_in(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    let visitor = Visitor::of(app, request, now);
    match visitor.known_for(app, &email) {
        Some(device) => count(app, &known(&TOKENS, device), now).await?,
        None => count(app, &visitor.as_stranger(app, &TOKENS, Some(account(&email))), now).await?,
    };
    let grant = app.supabase.sign_in(&email, &password, &visitor.address).await?;
    enter(app, StatusCode::OK, &grant, &visitor, now).await
}

async fn sign_up(app: &App, request: &Request, now: Timestamp) -> Reply {
    let credentials: Credentials = http::json(request)?;
    let (email, password) = read(credentials, http::language(request))?;
    let visitor = Visitor::of(app, request, now);
    // Counted before it is refused: the answer says who is invited.
    let chain: Vec<_> = visitor.networks().chain([account(&email)]).collect();
    count(app, &chain, now).await?;
    let welcome = match app.sign_up {
        SignUp::Open => true,
        SignUp::Invited => invitations::includes(&app.db, &email).await?,
        SignUp::Closed => false,
    };
    if !welcome {
        return Err(Error::SignUpClosed);
    }
    // Whoever is refused costs nothing at Supabase, and so uses up nothing of what all strangers have there. A mail that may
    // follow is one of the address's, whether or not it has an account.
    let chain: Vec<_> = visitor.share(app, &LINKS).chain(together(app, &LINKS)).chain([link(&email)]).collect();
    let counts = count(app, &chain, now).await?;
    match app.supabase.sign_up(&email, &password, &visitor.address).await? {
        // A project that confirms no address. To go in at once would say that the address is new, so whoever opened the
        // account follows a link as well, as does whoever knows the address of somebody else's.
        SignedUp::Entered(grant) => {
            app.supabase.sign_out(grant.access_token.expose(), &visitor.address).await?;
            send_link_after_sign_up(app, &email, &visitor, &counts).await?;
        }
        SignedUp::Unconfirmed => {}
        // They may have forgotten that they had one. Whoever else is asking learns nothing.
        SignedUp::Known => match app.supabase.sign_in(&email, &password, &visitor.address).await {
            Ok(grant) => return enter(app, StatusCode::CREATED, &grant, &visitor, now).await,
            // Nobody asks this of a new address, so that a refusal would tell that this one is known.
            Err(Error::WrongCredentials | Error::TooManyRequests { .. }) => {
                send_link_after_sign_up(app, &email, &visitor, &counts).await?;
            }
            Err(Error::Forbidden(_)) => {}
            Err(error) => return Err(error),
        },
    }
    http::reply(StatusCode::ACCEPTED, &Unconfirmed { confirmation_required: true })
}

/// Sends whoever has an account a link. That Supabase has had enough calls is kept from whoever asks, because it asks for no link
/// for an address that it confirms by itself.
async fn send_link_after_sign_up(app: &App, email: &str, visitor: &Visitor, counts: &Counts) -> Result<(), Error> {
    if counts.of(SENT) > LINKS_AN_HOUR {
        return Ok(());
    }
    match app.supabase.send_link(email, &visitor.address).await {
        Err(Error::TooManyRequests { .. }) => Ok(()),
        other => other,
    }
}

async fn send_link(app: &App, request: &Request, now: Timestamp) -> Reply {
    let asked: LinkRequest = http::json(request)?;
    let mut fields = Fields::default();
    let email = email(asked.email, &mut fields, http::language(request)).ok_or_else(|| fields.into_error())?;
    let visitor = Visitor::of(app, request, now);
    let mut chain = match visitor.known_for(app, &email) {
        Some(device) => known(&LINKS, device),
        None => visitor.as_stranger(app, &LINKS, None),
    };
    // Last, so that whoever is refused uses up nothing of the mailbox's.
    chain.push(link(&email));
    let counts = count(app, &chain, now).await?;
    // Beyond that the mails of this hour are there already, and one more would only make the last link useless.
    if counts.of(SENT) <= LINKS_AN_HOUR {
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
    // Whose link it is, is known only once it has been followed: whoever has signed in here before is no stranger.
    match &visitor.device {
        Some(device) => count(app, &known(&LINKS, device), now).await?,
        None => count(app, &visitor.as_stranger(app, &LINKS, None), now).await?,
    };
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
    let mut response = http::no_content();
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

/// What was counted, and how often it was until now.
struct Counts(Vec<(&'static str, i32)>);

impl Counts {
    fn of(&self, what: &str) -> i32 {
        self.0.iter().find(|(counted, _)| *counted == what).map_or(0, |(_, count)| *count)
    }
}

/// The tries at an account, of browsers that are not known for it.
fn account(email: &str) -> Counter<'_> {
    ("session-account", email, times::ACCOUNT)
}

/// The mails with a link to an address.
const SENT: &str = "session-link";

/// A mail to an address, which is counted and never refused: the answer is the same.
fn link(email: &str) -> Counter<'_> {
    (SENT, email, i32::MAX)
}

/// How a browser is counted in which somebody has signed in before.
fn known<'a>(kind: &Kind, device: &'a Device) -> Vec<Counter<'a>> {
    let [(of_browser, once), (of_account, often)] = kind.known;
    vec![(of_browser, &device.number, once), (of_account, device.account(), often)]
}

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

    /// The browser, when somebody has signed in to this account there.
    fn known_for(&self, app: &App, email: &str) -> Option<&Device> {
        self.device.as_ref().filter(|device| app.devices.is_of(device, email))
    }

    /// The household, and the network around it where that is another.
    fn networks(&self) -> impl Iterator<Item = Counter<'_>> {
        let wide = ("session-wide", self.network.wide(), times::WIDE);
        std::iter::once(("session", self.network.near(), 1)).chain(self.network.is_household().then_some(wide))
    }

    /// What the wide network has of what all strangers have together. An IPv4 address has no more than a household anyway.
    fn share(&self, app: &App, kind: &Kind) -> impl Iterator<Item = Counter<'_>> {
        let (what, times) = kind.share;
        let counted = together(app, kind).is_some() && self.network.is_household();
        counted.then_some((what, self.network.wide(), times)).into_iter()
    }

    /// How somebody is counted whose browser is not known for the account: by their networks, by the account, and with all
    /// such visitors together where Supabase takes them for one.
    fn as_stranger<'a>(&'a self, app: &App, kind: &Kind, account: Option<Counter<'a>>) -> Vec<Counter<'a>> {
        self.networks().chain(self.share(app, kind)).chain(account).chain(together(app, kind)).collect()
    }

    /// Counts a wish to renew or to end a session, which costs a call whether or not there is one.
    async fn count_renewal(&self, app: &App, now: Timestamp) -> Result<(), Error> {
        let chain = match &self.device {
            Some(device) => known(&RENEWALS, device),
            None => self.as_stranger(app, &RENEWALS, None),
        };
        count(app, &chain, now).await.map(drop)
    }
}

/// What all strangers share, where Supabase takes them for one visitor.
fn together(app: &App, kind: &Kind) -> Option<Counter<'static>> {
    let (what, times) = kind.all;
    (!app.supabase.tells_whom_it_serves()).then_some((what, "", times))
}

/// Counts a try by each of `chain` in turn, as long as those before allow it, and refuses it when it is one too many.
async fn count(app: &App, chain: &[Counter<'_>], now: Timestamp) -> Result<Counts, Error> {
    let bounds: Vec<_> =
        chain.iter().map(|(what, whom, times)| (*what, *whom, app.tries_per_hour.saturating_mul(*times))).collect();
    let (counts, is_within, window_end) = limits::count_within(&app.db, &bounds, now).await?;
    if !is_within {
        let wait = window_end.duration_since(now).max(SignedDuration::ZERO).unsigned_abs();
        return Err(Error::TooManyRequests { retry_after: wait });
    }
    Ok(Counts(chain.iter().map(|(what, _, _)| *what).zip(counts).collect()))
}
