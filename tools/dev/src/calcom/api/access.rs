//! Who asks, and whose event type is meant.

use super::call::Call;
use crate::calcom::error::ApiError;
use crate::calcom::requests::Wanted;
use crate::calcom::service::Inner;
use crate::calcom::user::{EventType, User};

pub(super) fn signed_in<'a>(inner: &'a Inner, call: &Call) -> Result<&'a User, ApiError> {
    maybe_signed_in(inner, call)?.ok_or_else(|| {
        ApiError::unauthorized(
            "No authentication method provided. Either pass an API key as 'Bearer' header or OAuth client credentials as \
             'x-cal-secret-key' and 'x-cal-client-id' headers",
        )
    })
}

/// Nobody without a key; a wrong key is refused even where none is needed.
pub(super) fn maybe_signed_in<'a>(inner: &'a Inner, call: &Call) -> Result<Option<&'a User>, ApiError> {
    let Some(key) = call.header("authorization").map(|header| header.trim_start_matches("Bearer ").trim()) else {
        return Ok(None);
    };
    if key.starts_with("cal_live_") {
        tracing::error!("a live Cal.com key was sent to the stand-in: revoke that key");
        return Err(ApiError::unauthorized(
            "This is a stand-in: it refuses live keys. A live key does not belong here.",
        ));
    }
    if !key.starts_with("cal_") {
        return Err(ApiError::unauthorized("Invalid Access Token."));
    }
    inner.user_by_key(key).map(Some).ok_or_else(|| ApiError::unauthorized("Your api key is not valid"))
}

pub(super) fn wanted_event_type<'a>(inner: &'a Inner, wanted: &Wanted) -> Result<(&'a User, &'a EventType), ApiError> {
    match wanted {
        Wanted::Id(id) => {
            inner.event_type(*id).ok_or_else(|| ApiError::not_found(format!("Event type with id {id} not found.")))
        }
        Wanted::Slug { username, slug } => {
            let user = inner
                .user(username)
                .ok_or_else(|| ApiError::not_found(format!("User with username {username} not found")))?;
            let event_type = user.event_types.iter().find(|event_type| event_type.slug == *slug).ok_or_else(|| {
                ApiError::not_found(format!("Event type with slug {slug} belonging to user {username} not found."))
            })?;
            Ok((user, event_type))
        }
    }
}

/// The user's own event type, by the segment of the path.
pub(super) fn own_event_type<'a>(user: &'a User, id: &str) -> Result<&'a EventType, ApiError> {
    id.parse()
        .ok()
        .and_then(|id| user.event_type(id))
        .ok_or_else(|| ApiError::not_found(format!("Event type with id {id} not found.")))
}
