//! Who is asking: verifies the tokens of Supabase Auth and finds them in a request.
//!
//! It tells who somebody is, never what they may do: that is decided inside each statement, by `artists.user_id`.

use std::fmt;

use ::http::{HeaderMap, Method, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::Request;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use self::keys::Keys;
use crate::config::{self, ConfigError, Secret};
use crate::domain::time::after;
use crate::error::Error;
use crate::http::{Web, cookie};

// The keys that Supabase Auth signs with.
mod keys;

/// The cookie of the access token. The prefix `__Host-` makes browsers refuse it from any other host, path or scheme.
pub const SESSION_COOKIE: &str = "__Host-inkflow_session";

pub const REFRESH_COOKIE: &str = "__Host-inkflow_refresh";

/// How far our clock and Supabase's may be apart.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// The longest token that is looked at. A browser keeps no cookie above 4 kB.
const LONGEST: usize = 8 * 1024;

/// Somebody whose token was verified.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The user at Supabase Auth: what `artists.user_id` is compared with.
    pub user_id: Uuid,
    /// Their address there.
    pub email: String,
    /// When the token ends.
    pub expires_at: Timestamp,
    pub session_id: Uuid,
}

impl SignedIn {
    /// Whose page is meant, and by which session: what statements ask for.
    pub fn account(&self) -> Account {
        Account { user: self.user_id, session: self.session_id }
    }
}

/// A user of Supabase Auth by one session of theirs.
///
/// A statement takes it as `account($n)`, a function in the database (V021) that gives the user's id, or ends the statement
/// when somebody has signed out of that session: so that a token ends with its session and not up to an hour later, and
/// no flight is needed to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub user: Uuid,
    pub session: Uuid,
}

impl ToSql for Account {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        [self.user, self.session].as_slice().to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::UUID_ARRAY
    }

    to_sql_checked!();
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Whether a text may be the project's shared secret. A shorter one than its hash could be guessed, and with it every artist's
/// token be made.
pub fn is_legacy_secret(text: &str) -> bool {
    text.len() >= 32 && !text.contains(char::is_whitespace)
}

/// Verifies who is asking.
#[derive(Debug)]
pub struct Auth {
    keys: Keys,
    issuer: String,
    origins: Vec<String>,
}

impl Auth {
    /// Reads `SUPABASE_URL`, and `SUPABASE_JWT_SECRET` for the legacy mode.
    pub fn from_env(http: &reqwest::Client, web: &Web) -> Result<Self, ConfigError> {
        let secret = config::optional("SUPABASE_JWT_SECRET").map(Secret::new);
        if secret.as_ref().is_some_and(|secret| !is_legacy_secret(secret.expose())) {
            let why = "must be the whole secret: 32 characters or more".into();
            return Err(ConfigError::Invalid { name: "SUPABASE_JWT_SECRET", why });
        }
        Ok(Self::new(http.clone(), &config::url("SUPABASE_URL")?, secret.as_ref(), web))
    }

    /// Accepts the tokens of the Supabase project at `supabase_url`.
    ///
    /// With a `legacy_secret` only tokens that are signed with it (HS256), without one only those of the project's
    /// published keys (ES256, RS256). Which of the two is decided here and never by what a token says.
    pub fn new(http: reqwest::Client, supabase_url: &str, legacy_secret: Option<&Secret>, web: &Web) -> Self {
        let issuer = format!("{}/auth/v1", supabase_url.trim_end_matches('/'));
        let keys = match legacy_secret {
            Some(secret) => Keys::shared(secret),
            None => Keys::published(http, format!("{issuer}/.well-known/jwks.json")),
        };
        let origins = std::iter::once(&web.public_url).chain(&web.cors_origins).cloned().collect();
        Self { keys, issuer, origins }
    }

    /// Fetches the keys ahead of the first request, while Lambda gives the sandbox its full CPU. A failure is not fatal.
    pub async fn warm_up(&self, now: Timestamp) {
        if let Err(error) = self.keys.warm_up(now).await {
            tracing::warn!(error = %error, "no keys of Supabase Auth at start");
        }
    }

    /// Says who sent this request: by `Authorization: Bearer`, else by the session cookie.
    ///
    /// A cookie is sent by the browser whoever wrote the page, so a write that comes with one must come from a page of
    /// ours. A bearer token is added by a program on purpose.
    ///
    /// # Errors
    /// Nobody is signed in ([`Error::Unauthenticated`]), the request comes from a page of somebody else
    /// ([`Error::Forbidden`]), or Supabase's keys cannot be had ([`Error::SignInUnavailable`]).
    pub async fn signed_in(&self, request: &Request, now: Timestamp) -> Result<SignedIn, Error> {
        if let Some(token) = bearer(request.headers()) {
            return self.verify(token, now).await;
        }
        let token = cookie(request.headers(), SESSION_COOKIE).ok_or(Error::Unauthenticated("nobody is signed in"))?;
        self.from_our_page(request)?;
        self.verify(token, now).await
    }

    /// Makes sure that a write comes from a page of ours, as browsers say in `Origin`.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn from_our_page(&self, request: &Request) -> Result<(), Error> {
        if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
            return Ok(());
        }
        let ours = |origin: &str| self.origins.iter().any(|known| known == origin);
        let mut given = request.headers().get_all(header::ORIGIN).iter();
        match (given.next().and_then(|origin| origin.to_str().ok()), given.next()) {
            (Some(origin), None) if ours(origin) => Ok(()),
            _ => Err(Error::Forbidden("this request does not come from a page of this site")),
        }
    }

    /// Verifies a token: its signature with a key of ours, then everything it claims.
    ///
    /// # Errors
    /// As [`Self::signed_in`].
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<SignedIn, Error> {
        const MALFORMED: Error = Error::Unauthenticated("the token cannot be read");
        if token.len() > LONGEST {
            return Err(MALFORMED);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (head, body) = signed.split_once('.').ok_or(MALFORMED)?;
        let header: Header = part(head).ok_or(MALFORMED)?;
        // An extension that we do not know may change what the token means (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(MALFORMED);
        }
        let signature = keys::decode(signature).ok_or(MALFORMED)?;
        self.keys.verify(&header, signed.as_bytes(), &signature, now).await?;
        let claims: Claims = part(body).ok_or(Error::Unauthenticated("the token lacks a claim"))?;
        self.accept(claims, now)
    }

    fn accept(&self, claims: Claims, now: Timestamp) -> Result<SignedIn, Error> {
        let refuse = |why| Err(Error::Unauthenticated(why));
        let expires_at = Timestamp::from_second(claims.exp).unwrap_or(Timestamp::MIN);
        if claims.iss != self.issuer {
            return refuse("the token is of another issuer");
        }
        if !claims.aud.names("authenticated") || claims.role != "authenticated" {
            return refuse("the token is not of a signed-in user");
        }
        if claims.is_anonymous {
            return refuse("an anonymous user has no page here");
        }
        if after(expires_at, LEEWAY) <= now {
            return refuse("the session is over");
        }
        let begins = claims.nbf.and_then(|nbf| Timestamp::from_second(nbf).ok()).unwrap_or(Timestamp::MIN);
        if begins > after(now, LEEWAY) {
            return refuse("the session has not begun");
        }
        let (user_id, email) = (claims.sub, claims.email.unwrap_or_default());
        Ok(SignedIn { user_id, email, expires_at, session_id: claims.session_id })
    }
}

/// The head of a token. It names a key; it does not choose how that key is used.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

/// What a token claims, as far as it matters here. Every claim that Supabase always sets is required.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: Uuid,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    role: String,
    is_anonymous: bool,
    email: Option<String>,
    session_id: Uuid,
}

/// For whom a token is: one name, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Several(names) => names.iter().any(|name| name == wanted),
        }
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&keys::decode(text)?).ok()
}

/// The bearer token. Behind CloudFront this header holds its signature instead, which is another scheme.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests;
