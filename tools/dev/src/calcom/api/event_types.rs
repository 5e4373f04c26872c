//! `/v2/event-types`: what can be booked, as its owner reads it.

use serde_json::{Value, json};

use super::access::{own_event_type, signed_in};
use super::call::{Call, Done, EVENT_TYPES_VERSION, Outcome};
use crate::calcom::requests::Query;
use crate::calcom::service::Inner;
use crate::calcom::user::{EventType, User};
use crate::machine::lock;

pub(super) fn all(inner: &Inner, call: &Call) -> Outcome {
    let user = signed_in(inner, call)?;
    let query = Query(&call.pairs);
    let listed = user.event_types.iter().filter(|event_type| {
        query.text("username").is_none_or(|username| username == user.username)
            && query.text("eventSlug").is_none_or(|slug| slug == event_type.slug)
    });
    Ok(Done::ok(listed.map(|event_type| object(inner, user, event_type)).collect()))
}

pub(super) fn one(inner: &Inner, call: &Call, id: &str) -> Outcome {
    let user = signed_in(inner, call)?;
    let object = object(inner, user, own_event_type(user, id)?);
    // The older contract wraps it once more.
    Ok(Done::ok(if call.version() == EVENT_TYPES_VERSION { object } else { json!({"eventType": object}) }))
}

fn object(inner: &Inner, user: &User, event_type: &EventType) -> Value {
    let all_disabled = lock(&inner.base.switches).disable_cancelling;
    let confirmation = if event_type.requires_confirmation {
        json!({"type": "always", "blockUnconfirmedBookingsInBooker": event_type.blocks_while_pending})
    } else {
        json!({"disabled": true})
    };
    let window = event_type.window_days.map_or_else(
        || json!({"disabled": true}),
        |days| json!({"type": "calendarDays", "value": days, "rolling": true}),
    );
    let mut object = json!({
        "id": event_type.id,
        "ownerId": user.id(),
        "lengthInMinutes": event_type.default_length(),
        "title": event_type.title,
        "slug": event_type.slug,
        "description": "",
        "locations": [{"type": "address", "address": event_type.location, "public": true}],
        "bookingFields": [
            {"isDefault": true, "type": "name", "slug": "name", "required": true},
            {"isDefault": true, "type": "email", "slug": "email", "required": true},
        ],
        "recurrence": null,
        "disableGuests": true,
        "slotInterval": event_type.slot_interval_minutes,
        "minimumBookingNotice": event_type.minimum_notice_minutes,
        "beforeEventBuffer": 0,
        "afterEventBuffer": 0,
        "metadata": {},
        "price": 0,
        "currency": "eur",
        "lockTimeZoneToggleOnBookingPage": false,
        "forwardParamsSuccessRedirect": null,
        "successRedirectUrl": null,
        "isInstantEvent": false,
        "scheduleId": null,
        "disableCancelling": {"disabled": event_type.disable_cancelling || all_disabled},
        "disableRescheduling": {"disabled": event_type.disable_rescheduling},
        "bookingWindow": window,
        "confirmationPolicy": confirmation,
        "hidden": false,
        "bookingRequiresAuthentication": false,
        "users": [{"id": user.id(), "name": user.name, "username": user.username, "metadata": {}}],
    });
    if let (Some(fields), true) = (object.as_object_mut(), event_type.lengths.len() > 1) {
        fields.insert("lengthInMinutesOptions".to_owned(), json!(event_type.lengths));
    }
    object
}
