//! What a request says: its body, its parameters, its language.

use std::borrow::Cow;

use ::http::{HeaderMap, header};
use lambda_http::{Request, RequestExt};
use serde::de::DeserializeOwned;

use crate::domain::locale::Locale;
use crate::error::Error;
use crate::redact::without_values;

/// The most that a JSON request of ours may weigh, in bytes. The longest legal booking request is under 10 kB.
pub const JSON_LIMIT: usize = 64 * 1024;

/// The bytes of the body, at most `limit` of them.
///
/// # Errors
/// [`Error::PayloadTooLarge`].
pub fn bytes(request: &Request, limit: usize) -> Result<&[u8], Error> {
    let bytes: &[u8] = request.body();
    if bytes.len() > limit { Err(Error::PayloadTooLarge { limit }) } else { Ok(bytes) }
}

/// Reads the JSON body.
///
/// # Errors
/// It is too large, is not declared as JSON, or is not what `T` is.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, Error> {
    let declared =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !declared.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Error::UnsupportedMediaType);
    }
    let bytes = bytes(request, JSON_LIMIT)?;
    if holds_nul(bytes) {
        return Err(Error::Malformed("U+0000 stands in no text here".into()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        Error::Malformed(format!("the body is not the JSON expected here: {}", without_values(&error)))
    })
}

/// Whether a text of this JSON holds U+0000, which Postgres keeps neither as text nor as `jsonb`. As itself it is no JSON.
pub fn holds_nul(json: &[u8]) -> bool {
    nuls(json).next().is_some()
}

/// This JSON with U+FFFD in place of each U+0000: for what somebody signed and so must be taken.
pub fn with_nul_replaced(json: &[u8]) -> Cow<'_, [u8]> {
    let mut replaced = Cow::Borrowed(json);
    for at in nuls(json) {
        replaced.to_mut()[at..at + NUL.len()].copy_from_slice(b"\\ufffd");
    }
    replaced
}

/// How JSON writes U+0000.
const NUL: &[u8] = b"\\u0000";

/// Where a U+0000 is written. A backslash that is escaped itself begins nothing: `\\u0000` are six letters.
fn nuls(json: &[u8]) -> impl Iterator<Item = usize> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < json.len() {
            let here = at;
            at += if json[here] == b'\\' { 2 } else { 1 };
            if json[here..].starts_with(NUL) {
                return Some(here);
            }
        }
        None
    })
}

/// The one value of a query parameter.
///
/// # Errors
/// It is given more than once.
pub fn query(request: &Request, name: &str) -> Result<Option<String>, Error> {
    let map = request.query_string_parameters();
    match map.all(name).unwrap_or_default()[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.to_owned())),
        _ => Err(Error::Malformed(format!("the parameter `{name}` is given more than once"))),
    }
}

/// The language of the browser, for words that belong to no booking.
pub fn language(request: &Request) -> Locale {
    preferred_language(request).unwrap_or_default()
}

/// The one of our languages that the browser likes best; none when it names neither. As `infra/edge/preferred.js` reads it.
pub fn preferred_language(request: &Request) -> Option<Locale> {
    let header = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok())?;
    let mut best = None;
    let mut most = 0.0;
    for range in header.split(',') {
        let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
        let weight = weight.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
        let number = weight.map(|(_, number)| number.trim()).filter(|number| !number.starts_with(['-', '+']));
        let quality = number.and_then(|number| number.parse::<f32>().ok()).filter(|quality| quality.is_finite());
        let quality = quality.unwrap_or(1.0);
        if let Some(locale) = Locale::of_tag(tag)
            && quality > most
        {
            (best, most) = (Some(locale), quality);
        }
    }
    best
}

pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(given, value)| *given == name && !value.is_empty())
        .map(|(_, value)| value)
}
