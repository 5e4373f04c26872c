//! Settings from the environment, and those that `parameters` brought from SSM.
//!
//! Read once at a function's start. A missing one is named in the message. `.env.example` documents each; secrets never
//! show in `Debug`.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use thiserror::Error;

/// A value that must not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A setting that is missing or cannot be read.
#[derive(Error, PartialEq, Eq)]
pub enum ConfigError {
    /// It is not set, or empty.
    #[error("the setting {0} is missing: neither the environment nor SECRETS_PARAMETERS has it (see .env.example)")]
    Missing(&'static str),
    /// It is set to something else than it should be.
    #[error("the setting {name} is not valid: {why}")]
    Invalid {
        name: &'static str,
        /// What it should be.
        why: String,
    },
}

/// The last words of a process whose `main` fails are its error's `Debug`: an operator reads a sentence there.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A setting that must be there.
///
/// # Errors
/// [`ConfigError::Missing`] names it.
pub fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or(ConfigError::Missing(name))
}

/// A secret that must be there.
///
/// # Errors
/// [`ConfigError::Missing`] names it.
pub fn secret(name: &'static str) -> Result<Secret, ConfigError> {
    required(name).map(Secret)
}

/// A setting that may be absent; an empty one counts as absent.
///
/// The environment goes first, so that one value can be replaced by hand without touching the others.
pub fn optional(name: &'static str) -> Option<String> {
    let filled = |value: &String| !value.trim().is_empty();
    std::env::var(name).ok().filter(filled).or_else(|| FETCHED.get()?.get(name).cloned().filter(filled))
}

/// What came from SSM. Not put into the environment: that would be `unsafe`, because the runtime's threads read it.
static FETCHED: OnceLock<HashMap<String, String>> = OnceLock::new();

/// Keeps what was fetched, for the life of the process. A second time changes nothing.
pub(crate) fn keep(fetched: HashMap<String, String>) {
    let _ = FETCHED.set(fetched);
}

/// A setting with a default.
///
/// # Errors
/// [`ConfigError::Invalid`] when it is set and does not parse.
pub fn or<T: FromStr>(name: &'static str, default: T) -> Result<T, ConfigError>
where
    T::Err: fmt::Display,
{
    match optional(name) {
        None => Ok(default),
        Some(text) => {
            text.trim().parse().map_err(|error: T::Err| ConfigError::Invalid { name, why: error.to_string() })
        }
    }
}

/// Who may open an account and a page here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody. Whom the operator has invited and who has an account may still begin their page.
    #[default]
    Closed,
    /// Whom the operator has invited, by the address of the account.
    Invited,
    /// Anybody.
    Open,
}

impl SignUp {
    /// The setting `SIGN_UP`: closed, unless it says something else.
    ///
    /// # Errors
    /// It says something unknown.
    pub fn from_env() -> Result<Self, ConfigError> {
        or("SIGN_UP", Self::default())
    }

    /// As the setting is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Invited => "invited",
            Self::Open => "open",
        }
    }
}

impl FromStr for SignUp {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Closed, Self::Invited, Self::Open]
            .into_iter()
            .find(|known| known.name() == text)
            .ok_or("must be closed, invited or open")
    }
}

/// A setting that must be there, `true` or `false`.
///
/// # Errors
/// It is missing or neither.
pub fn flag(name: &'static str) -> Result<bool, ConfigError> {
    required(name)?.trim().parse().map_err(|_| ConfigError::Invalid { name, why: "must be true or false".into() })
}

/// A comma-separated setting; empty when absent.
pub fn list(name: &'static str) -> Vec<String> {
    optional(name)
        .map(|text| text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
        .unwrap_or_default()
}

/// The origin of the site, without a trailing slash: what links in mails and redirects begin with.
///
/// # Errors
/// `PUBLIC_URL` is missing or is not an http(s) URL.
pub fn public_url() -> Result<String, ConfigError> {
    url("PUBLIC_URL")
}

/// A setting that is a URL, without a trailing slash.
///
/// # Errors
/// It is missing or is not an http(s) URL.
pub fn url(name: &'static str) -> Result<String, ConfigError> {
    let url = required(name)?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err(ConfigError::Invalid { name, why: "must begin with https://".into() });
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// The clock of this deployment; only `make dev` shifts it.
///
/// # Errors
/// `CLOCK_SHIFT_SECONDS` is not a number.
pub fn clock() -> Result<crate::clock::Clock, ConfigError> {
    Ok(crate::clock::Clock::shifted(jiff::SignedDuration::from_secs(or("CLOCK_SHIFT_SECONDS", 0)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_setting_is_named() {
        let error = required("INKFLOW_NO_SUCH_SETTING").expect_err("it is not set");
        assert!(error.to_string().contains("INKFLOW_NO_SUCH_SETTING"));
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("whsec_1".into())), "[redacted]");
    }
}
