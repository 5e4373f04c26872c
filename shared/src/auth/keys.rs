//! The keys that Supabase Auth signs with: those it publishes (JWKS), or the legacy shared secret.
//!
//! A key knows how it is used. What a token says of its algorithm is compared with that, never followed.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;

use super::Header;
use crate::config::Secret;
use crate::error::Error;

/// How long published keys are used before they are asked for again. Supabase lets caches keep them as long.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// How long they are used when Supabase does not answer: an outage there does not sign everybody out.
const STALE: SignedDuration = SignedDuration::from_hours(1);

/// How long after a fetch the next one may follow. Anybody can send a token with an invented key id.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// The same after one that failed.
const SHORT_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How long fetching may take.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The most keys of one project that are looked at; it has two or three.
const MOST: usize = 20;

const BAD_SIGNATURE: Error = Error::Unauthenticated("the signature does not fit");

/// Bytes from base64 for URLs, without padding: the only form that tokens and keys have.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

/// The keys of one mode.
pub(super) enum Keys {
    Published(Published),
    /// One secret that both sides know.
    Shared(hmac::Key),
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Published(_) => "Published",
            Self::Shared(_) => "Shared [redacted]",
        })
    }
}

/// Where keys are published, and what was seen there last.
pub(super) struct Published {
    http: reqwest::Client,
    url: String,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    keys: HashMap<String, Key>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

impl Seen {
    fn is_younger_than(at: Option<Timestamp>, age: SignedDuration, now: Timestamp) -> bool {
        // A clock that was set back makes no key young.
        at.is_some_and(|at| at <= now && now.duration_since(at) < age)
    }
}

impl Keys {
    pub(super) fn published(http: reqwest::Client, url: String) -> Self {
        Self::Published(Published { http, url, seen: Mutex::default() })
    }

    pub(super) fn shared(secret: &Secret) -> Self {
        Self::Shared(hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
    }

    pub(super) async fn warm_up(&self, now: Timestamp) -> Result<(), Error> {
        match self {
            Self::Published(published) => published.fetch(&mut *published.seen.lock().await, now).await,
            Self::Shared(_) => Ok(()),
        }
    }

    pub(super) async fn verify(
        &self,
        header: &Header,
        message: &[u8],
        signature: &[u8],
        now: Timestamp,
    ) -> Result<(), Error> {
        match self {
            Self::Published(published) => published.verify(header, message, signature, now).await,
            Self::Shared(key) => {
                if header.alg != "HS256" {
                    return Err(BAD_SIGNATURE);
                }
                hmac::verify(key, message, signature).map_err(|_| BAD_SIGNATURE)
            }
        }
    }
}

impl Published {
    async fn verify(&self, header: &Header, message: &[u8], signature: &[u8], now: Timestamp) -> Result<(), Error> {
        // Checked before any key is asked for: no such token can be good.
        if !matches!(header.alg.as_str(), "ES256" | "RS256") {
            return Err(BAD_SIGNATURE);
        }
        let Some(kid) = header.kid.as_deref() else { return Err(BAD_SIGNATURE) };
        // Held while the keys are fetched: whoever else waits finds them here.
        let mut seen = self.seen.lock().await;
        let mut news = Ok(());
        if !Seen::is_younger_than(seen.fetched_at, FRESH, now) {
            news = self.fetch_in_turn(&mut seen, now).await;
            if !Seen::is_younger_than(seen.fetched_at, STALE, now) {
                seen.keys.clear();
            }
        }
        if !seen.keys.contains_key(kid) && news.is_ok() {
            news = self.fetch_in_turn(&mut seen, now).await;
        }
        match (seen.keys.get(kid), news) {
            (Some(key), _) if key.algorithm() == header.alg => key.verify(message, signature),
            (Some(_), _) => Err(BAD_SIGNATURE),
            (None, Err(unavailable)) => Err(unavailable),
            (None, Ok(())) => Err(Error::Unauthenticated("the token is signed with an unknown key")),
        }
    }

    /// As [`Self::fetch`], unless it was just done.
    async fn fetch_in_turn(&self, seen: &mut Seen, now: Timestamp) -> Result<(), Error> {
        let succeeded = seen.tried_at == seen.fetched_at;
        match Seen::is_younger_than(seen.tried_at, if succeeded { PAUSE } else { SHORT_PAUSE }, now) {
            true if succeeded => Ok(()),
            true => Err(Error::SignInUnavailable("the keys could not be fetched a moment ago".into())),
            false => self.fetch(seen, now).await,
        }
    }

    async fn fetch(&self, seen: &mut Seen, now: Timestamp) -> Result<(), Error> {
        seen.tried_at = Some(now);
        let unavailable = |error: reqwest::Error| Error::SignInUnavailable(error.without_url().to_string());
        let answer = self.http.get(&self.url).timeout(TIMEOUT).send().await.map_err(unavailable)?;
        let set: KeySet = answer.error_for_status().map_err(unavailable)?.json().await.map_err(unavailable)?;
        seen.keys = set.keys.into_iter().take(MOST).filter_map(key_of).collect();
        seen.fetched_at = Some(now);
        Ok(())
    }
}

/// A public key, and with it how it is used.
enum Key {
    /// P-256: the uncompressed point.
    Es256(Vec<u8>),
    /// RSA: modulus and exponent.
    Rs256 { n: Vec<u8>, e: Vec<u8> },
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::Rs256 { .. } => "RS256",
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        match self {
            Self::Es256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature),
            Self::Rs256 { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
        }
        .map_err(|_| BAD_SIGNATURE)
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

/// A key of the set that we can use, with its id; the others are passed over, secret ones (`oct`) above all.
fn key_of(jwk: Value) -> Option<(String, Key)> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| text(name).and_then(decode);
    let fits = |name: &str, wanted: &str| text(name).is_none_or(|given| given == wanted);
    let key = match text("kty")? {
        "EC" if text("crv") == Some("P-256") && fits("alg", "ES256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if x.len() != 32 || y.len() != 32 {
                return None;
            }
            Key::Es256([&[4], &x[..], &y[..]].concat())
        }
        // ring refuses a number that begins with zeros.
        "RSA" if fits("alg", "RS256") => {
            let number = |name| bytes(name).map(|n: Vec<u8>| n.into_iter().skip_while(|byte| *byte == 0).collect());
            Key::Rs256 { n: number("n")?, e: number("e")? }
        }
        _ => return None,
    };
    fits("use", "sig").then(|| (text("kid").unwrap_or_default().to_owned(), key)).filter(|(kid, _)| !kid.is_empty())
}
