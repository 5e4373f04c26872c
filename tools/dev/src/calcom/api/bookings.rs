//! `/v2/bookings`: made, read, cancelled, moved, decided.

use http::Method;
use serde_json::Value;

use super::access::{maybe_signed_in, signed_in, wanted_event_type};
use super::call::{Call, Done, Outcome};
use super::list::list;
use crate::calcom::diary::Diary;
use crate::calcom::error::ApiError;
use crate::calcom::requests;
use crate::calcom::service::Inner;
use crate::calcom::switches::Canceller;
use crate::calcom::user::User;
use crate::machine::lock;

pub(super) fn bookings(inner: &Inner, call: &Call, path: &[&str]) -> Outcome {
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    let now = inner.base.clock.now();
    match path {
        [] if post => {
            maybe_signed_in(inner, call)?;
            let (wanted, new) = requests::new_booking(&call.json()?)?;
            let (user, event_type) = wanted_event_type(inner, &wanted)?;
            {
                let mut switches = lock(&inner.base.switches);
                if switches.conflict > 0 {
                    switches.conflict -= 1;
                    return Err(ApiError::conflict());
                }
            }
            let (booking, notices) = inner.diary().book(user, event_type, new, now)?;
            Ok(Done::created(booking.object(user)).telling(notices))
        }
        [] if get => list(inner, call, now),
        [uid] if get => {
            maybe_signed_in(inner, call)?;
            if lock(&inner.base.switches).bookings_not_found {
                return Err(ApiError::not_found(format!("Booking with uid={uid} was not found in the database")));
            }
            let diary = inner.diary();
            let user = inner.host(&diary, uid)?;
            Ok(Done::ok(shown(&diary, user, uid)))
        }
        [uid, "cancel"] if post => {
            let caller = maybe_signed_in(inner, call)?;
            let reason = requests::cancel(&call.json()?)?;
            let mut diary = inner.diary();
            let user = inner.host(&diary, uid)?;
            diary.may_be_cancelled(user, uid, lock(&inner.base.switches).disable_cancelling)?;
            let by_host = caller.is_some_and(|caller| caller.username == user.username);
            let by = if by_host { Canceller::Artist } else { Canceller::Somebody };
            let notices = diary.cancel(user, uid, reason, by, now)?;
            Ok(Done::ok(shown(&diary, user, uid)).telling(notices))
        }
        [uid, "reschedule"] if post => {
            let caller = maybe_signed_in(inner, call)?;
            let (start, reason, by) = requests::reschedule(&call.json()?)?;
            let mut diary = inner.diary();
            let user = inner.host(&diary, uid)?;
            let by_host = caller.is_some_and(|caller| caller.username == user.username);
            let (booking, notices) = diary.reschedule(user, uid, start, (reason, by), by_host, now)?;
            Ok(Done::created(booking.object(user)).telling(notices))
        }
        [uid, "confirm"] if post => {
            let user = signed_in(inner, call)?;
            let mut diary = inner.diary();
            let notices = diary.decide(user, uid, true, None, now)?;
            Ok(Done::ok(shown(&diary, user, uid)).telling(notices))
        }
        [uid, "decline"] if post => {
            let user = signed_in(inner, call)?;
            let reason = requests::decline(&call.json()?)?;
            let mut diary = inner.diary();
            let notices = diary.decide(user, uid, false, reason, now)?;
            Ok(Done::ok(shown(&diary, user, uid)).telling(notices))
        }
        _ => Err(call.no_route()),
    }
}

fn shown(diary: &Diary, user: &User, uid: &str) -> Value {
    diary.booking(uid).map(|booking| booking.object(user)).unwrap_or_default()
}

/// The contract of callers who forget the version header: other shapes, other fields.
pub(super) fn old_bookings(inner: &Inner, call: &Call, path: &[&str]) -> Outcome {
    match path {
        [uid] if call.method == Method::GET => {
            let diary = inner.diary();
            let user = inner.host(&diary, uid)?;
            Ok(Done::ok(diary.booking(uid).map(|booking| booking.old_object(user)).unwrap_or_default()))
        }
        [] if call.method == Method::GET => {
            signed_in(inner, call)?;
            Err(ApiError::bad_request("Bad Request Exception"))
        }
        [] | [_, "cancel" | "reschedule" | "confirm" | "decline"] if call.method == Method::POST => {
            Err(ApiError::bad_request("Bad Request Exception"))
        }
        _ => Err(call.no_route()),
    }
}
