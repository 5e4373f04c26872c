//! `/v2/webhooks`: who is told of a user's bookings.

use http::Method;

use super::call::{Call, Done, Outcome};
use crate::calcom::diary::Webhook;
use crate::calcom::error::ApiError;
use crate::calcom::requests;
use crate::calcom::service::Inner;
use crate::calcom::user::User;

pub(super) fn webhooks(inner: &Inner, call: &Call, user: &User, event_type: Option<u64>, path: &[&str]) -> Outcome {
    let mut diary = inner.diary();
    let own = |webhook: &Webhook| webhook.username == user.username && webhook.event_type == event_type;
    match (&call.method, path) {
        (&Method::GET, []) => Ok(Done::ok(
            diary.webhooks.iter().filter(|webhook| own(webhook)).map(|webhook| webhook.object(user)).collect(),
        )),
        (&Method::POST, []) => {
            let new = requests::new_webhook(&call.json()?)?;
            if diary.webhooks.iter().any(|webhook| own(webhook) && webhook.url == new.url) {
                return Err(ApiError::rpc(
                    409,
                    "ConflictException",
                    "Webhook with this subscriberUrl already exists for this user",
                ));
            }
            let webhook = diary.subscribe(Webhook {
                id: 0,
                username: user.username.clone(),
                event_type,
                url: new.url,
                secret: new.secret,
                triggers: new.triggers,
                active: new.active,
            });
            Ok(Done::created(webhook.object(user)))
        }
        (method, [id]) => {
            let id: u64 = id.parse().map_err(|_| call.no_route())?;
            let at = diary
                .webhooks
                .iter()
                .position(|webhook| own(webhook) && webhook.id == id)
                .ok_or_else(|| ApiError::not_found(format!("Webhook ({id}) not found")))?;
            let object = diary.webhooks[at].object(user);
            match *method {
                Method::GET => {}
                Method::DELETE => {
                    diary.webhooks.remove(at);
                }
                _ => return Err(call.no_route()),
            }
            Ok(Done::ok(object))
        }
        _ => Err(call.no_route()),
    }
}
