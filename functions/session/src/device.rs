//! A browser in which somebody has signed in before.
//!
//! It shows a cookie that only we can have made, for this account, and so
//! has tries of its own: guesses from elsewhere, however many, do not count against it.
//!
//! The cookie opens nothing, and says nothing of anybody: a number by chance, the hour it was made, and two keyed hashes.

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use shared::config::{self, ConfigError, Secret};
use shared::http::cookie;

use lambda_http::http::HeaderMap;

pub const DEVICE_COOKIE: &str = "__Host-inkflow_device";

/// How long a browser is known after the last sign-in: the longest that browsers keep a cookie.
pub const KNOWN: SignedDuration = SignedDuration::from_hours(400 * 24);

/// How many letters of a hash the cookie holds.
const LETTERS: usize = 32;

/// Makes and reads the cookies.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub struct Devices {
    key: hmac::Key,
}

/// A browser that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Tells it apart from others, and counts its tries.
    pub number: String,
    account: String,
}

impl Device {
    /// Stands for the account that it is known for.
    pub fn account(&self) -> &str {
        &self.account
    }
}

impl Devices {
    /// Derives the key from `DATABASE_URL`, which is a secret that this function has anyway. A new password makes every
    /// browser unknown until its next sign-in, and nothing worse.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::new(&config::secret("DATABASE_URL")?))
    }

    /// With a key that is derived from `secret`.
    pub fn new(secret: &Secret) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"inkflow: known devices").as_ref()) }
    }

    /// A cookie for the browser in which this account has just signed in. Its number stays, if it has one.
    pub fn cookie(&self, known: Option<&Device>, email: &str, now: Timestamp) -> String {
        let number = known.map_or_else(|| uuid::Uuid::now_v7().simple().to_string(), |device| device.number.clone());
        let (made, account) = (now.as_second(), self.account(email));
        let sum = self.hash(&["cookie", &number, &made.to_string(), &account]);
        format!("{number}.{made}.{account}.{sum}")
    }

    /// The browser that sends these headers, if it is known.
    pub fn read(&self, headers: &HeaderMap, now: Timestamp) -> Option<Device> {
        let parts: Vec<&str> = cookie(headers, DEVICE_COOKIE)?.split('.').collect();
        let [number, made, account, sum] = parts[..] else { return None };
        // Compared as hashes of hashes, so that nothing is learnt from how long it takes.
        let compare = |text: &str| hmac::sign(&self.key, text.as_bytes());
        let expected = self.hash(&["cookie", number, made, account]);
        if compare(&expected).as_ref() != compare(sum).as_ref() {
            return None;
        }
        let age = now.duration_since(Timestamp::from_second(made.parse().ok()?).ok()?);
        (age <= KNOWN).then(|| Device { number: number.to_owned(), account: account.to_owned() })
    }

    /// Whether this account has signed in there.
    pub fn is_of(&self, device: &Device, email: &str) -> bool {
        device.account == self.account(email)
    }

    fn account(&self, email: &str) -> String {
        self.hash(&["account", email])
    }

    fn hash(&self, parts: &[&str]) -> String {
        let tag = hmac::sign(&self.key, parts.join("\n").as_bytes());
        let mut hex = hex::encode(tag);
        hex.truncate(LETTERS);
        hex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(secret: &str) -> Devices {
        Devices::new(&Secret::new(secret.into()))
    }

    fn shown(cookie: &str) -> HeaderMap {
        let line = format!("{DEVICE_COOKIE}={cookie}").parse().expect("a header");
        HeaderMap::from_iter([(lambda_http::http::header::COOKIE, line)])
    }

    #[test]
    fn a_browser_is_known_for_the_account_that_signed_in_there_and_for_400_days() {
        let (ours, now) = (devices("one"), Timestamp::UNIX_EPOCH);
        let cookie = ours.cookie(None, "lea@marchetti.example", now);
        assert!(!cookie.contains("lea"), "{cookie}");
        let device = ours.read(&shown(&cookie), now).expect("known");
        assert!(ours.is_of(&device, "lea@marchetti.example") && !ours.is_of(&device, "noa@keller.example"));
        let later = now.checked_add(KNOWN).expect("in range");
        assert!(ours.read(&shown(&cookie), later).is_some());
        assert!(
            ours.read(&shown(&cookie), later.checked_add(SignedDuration::from_secs(1)).expect("in range")).is_none()
        );
        // Somebody else signs in there: it is one browser still, and known for them.
        let next = ours.read(&shown(&ours.cookie(Some(&device), "noa@keller.example", later)), later).expect("known");
        assert_eq!(next.number, device.number);
        assert!(!ours.is_of(&next, "lea@marchetti.example"));
    }

    #[test]
    fn nobody_else_makes_such_a_cookie() {
        let (ours, now) = (devices("one"), Timestamp::UNIX_EPOCH);
        let cookie = ours.cookie(None, "lea@marchetti.example", now);
        let (rest, sum) = cookie.rsplit_once('.').expect("parts");
        for forged in [
            devices("two").cookie(None, "lea@marchetti.example", now),
            format!("{rest}.{}", sum.to_uppercase() + "0"),
            format!("{rest}."),
            format!("0{cookie}"),
            cookie.replacen('.', "..", 1),
            String::new(),
        ] {
            assert_eq!(ours.read(&shown(&forged), now), None, "{forged}");
        }
    }
}
