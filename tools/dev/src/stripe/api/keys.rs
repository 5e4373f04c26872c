//! Who asks, with which version, and whether the idempotency key has an answer already.

use base64::Engine as _;

use super::call::{Answer, Call};
use crate::machine::lock;
use crate::stripe::error::ApiError;
use crate::stripe::names::is_version;
use crate::stripe::service::Inner;

/// Frees an idempotency key when its request is over, however it ended.
pub(super) struct KeyGuard<'a> {
    pub(super) inner: &'a Inner,
    pub(super) key: Option<String>,
}

impl Drop for KeyGuard<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            lock(&self.inner.keys_in_use).remove(key);
        }
    }
}

/// Who asks, and whether the key has an answer already.
pub(super) fn begin(inner: &Inner, call: &Call, guard: &mut KeyGuard<'_>) -> Result<Option<Answer>, ApiError> {
    authenticate(inner, call)?;
    if let Some(version) = call.header("stripe-version")
        && !is_version(version)
    {
        return Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")));
    }
    if let Some(account) = call.header("stripe-account")
        && !inner.ledger().accounts.contains(account)
    {
        return Err(ApiError::forbidden(format!(
            "The provided key does not have access to account '{account}' (or that account does not exist). \
             Application access may have been revoked."
        ))
        .code("account_invalid"));
    }
    if call.is_write() && !call.body.is_empty() {
        let form = call
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        if !form {
            return Err(ApiError::invalid(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have \
                 any questions, we can help at https://support.stripe.com/.",
            ));
        }
    }
    let (Some(key), Some(of_account)) = (call.idempotency_key(), call.key_of_account()) else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(ApiError::idempotency("Idempotency keys must have between 1 and 255 characters."));
    }
    if !lock(&inner.keys_in_use).insert(of_account.clone()) {
        return Err(ApiError::key_in_use(key));
    }
    guard.key = Some(of_account.clone());
    let mut ledger = inner.ledger();
    ledger.prune_keys(inner.base.clock.now_unix());
    match ledger.keys.get(&of_account) {
        None => Ok(None),
        Some(stored) if stored.fingerprint != call.fingerprint() => Err(ApiError::idempotency(format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using \
             a key other than '{key}' if you meant to execute a different request."
        ))),
        Some(stored) => Ok(Some(Answer {
            status: stored.status,
            body: stored.body.clone(),
            replay_of: Some(stored.request_id.clone()),
            lost: false,
        })),
    }
}

fn authenticate(inner: &Inner, call: &Call) -> Result<(), ApiError> {
    let key = call.header("authorization").and_then(|header| {
        if let Some(key) = header.strip_prefix("Bearer ") {
            return Some(key.trim().to_owned());
        }
        let basic = base64::engine::general_purpose::STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
        let (user, _) = std::str::from_utf8(&basic).ok()?.split_once(':')?;
        Some(user.to_owned())
    });
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Err(ApiError::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for \
             details, or we can help at https://support.stripe.com/.",
        ));
    };
    if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
        tracing::error!("a live Stripe key was sent to the stand-in: roll that key");
        return Err(ApiError::unauthorized(
            "This is a stand-in: it refuses live keys. A live key does not belong here.",
        ));
    }
    if key != inner.secret_key {
        let end: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        return Err(ApiError::unauthorized(format!(
            "Invalid API Key provided: {}***{end}",
            key.get(..8).unwrap_or_default()
        )));
    }
    Ok(())
}
