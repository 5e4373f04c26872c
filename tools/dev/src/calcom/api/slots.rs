//! `GET /v2/slots`: the free times of an event type.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::access::wanted_event_type;
use super::call::{Call, Done, Outcome};
use crate::calcom::error::ApiError;
use crate::calcom::requests::{Query, Wanted};
use crate::calcom::service::Inner;
use crate::calcom::slots::{Span, free};
use crate::calcom::time::millis;
use crate::calcom::user::{EventType, User};
use crate::machine::lock;

pub(super) fn slots(inner: &Inner, call: &Call) -> Outcome {
    let query = Query(&call.pairs);
    query.refuse_others(&[
        "bookingUidToReschedule",
        "duration",
        "end",
        "eventTypeId",
        "eventTypeSlug",
        "format",
        "start",
        "timeZone",
        "username",
    ])?;
    let (user, event_type) = event_type_of(inner, query)?;
    let Span { start, end } = range(query)?;
    let zone = match query.text("timeZone") {
        None => None,
        Some(name) => Some(TimeZone::get(name).map_err(|_| {
            ApiError::bad_request("timeZone property is wrong,timeZone must be a valid IANA time-zone ")
        })?),
    };
    let ranges = match query.text("format").map(str::to_ascii_lowercase).as_deref() {
        None | Some("time") => false,
        Some("range") => true,
        Some(_) => {
            return Err(ApiError::bad_request("format property is wrong,slotFormat must be either 'range' or 'time' "));
        }
    };
    let length = match query.number("duration")? {
        None => event_type.default_length(),
        Some(length) => u32::try_from(length)
            .ok()
            .filter(|length| (1..=1440).contains(length))
            .ok_or_else(|| ApiError::bad_request("duration property is wrong,duration must be a number of minutes "))?,
    };
    let now = inner.base.clock.now();
    let mut window = Span { start, end };
    if lock(&inner.base.switches).slots_outside_range {
        let day = SignedDuration::from_hours(24);
        window = Span { start: start.checked_sub(day).unwrap_or(start), end: end.checked_add(day).unwrap_or(end) };
    }
    let busy = inner.diary().busy(user, query.text("bookingUidToReschedule"));
    let mut days: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for slot in free(user, event_type, length, window, &busy, now) {
        let date = slot.start.to_zoned(zone.clone().unwrap_or(TimeZone::UTC)).date();
        let mut shown = Map::new();
        shown.insert("start".to_owned(), json!(shown_in(slot.start, zone.as_ref())));
        if ranges {
            shown.insert("end".to_owned(), json!(shown_in(slot.end, zone.as_ref())));
        }
        days.entry(date.to_string()).or_default().push(Value::Object(shown));
    }
    Ok(Done::ok(json!(days)))
}

fn event_type_of<'a>(inner: &'a Inner, query: Query<'_>) -> Result<(&'a User, &'a EventType), ApiError> {
    let wanted = match (query.number("eventTypeId")?, query.text("username"), query.text("eventTypeSlug")) {
        (Some(id), ..) => Wanted::Id(id),
        (None, Some(username), Some(slug)) => Wanted::Slug { username: username.to_owned(), slug: slug.to_owned() },
        _ => {
            return Err(ApiError::bad_request(
                "One of the following query combinations is required: eventTypeId, or eventTypeSlug + username",
            ));
        }
    };
    wanted_event_type(inner, &wanted).map_err(|_| ApiError::not_found("Event Type not found"))
}

fn range(query: Query<'_>) -> Result<Span, ApiError> {
    let missing = |name: &str| {
        ApiError::bad_request(format!("{name} property is wrong,{name} must be a valid ISO 8601 date string "))
    };
    let start = query.instant("start")?.ok_or_else(|| missing("start"))?;
    let end = query.instant("end")?.ok_or_else(|| missing("end"))?;
    // An end at midnight means the end of that day, whether it was written as a date or as an instant.
    let end = if end.as_second().rem_euclid(86_400) == 0 {
        end.checked_add(SignedDuration::from_secs(86_399)).unwrap_or(end)
    } else {
        end
    };
    if end <= start {
        return Err(ApiError::bad_request("Invalid time range given - check the 'start' and 'end' query parameters."));
    }
    Ok(Span { start, end })
}

/// With the zone's offset when a zone is asked for.
fn shown_in(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) if zone.iana_name() != Some("UTC") => {
            at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
        }
        _ => millis(at),
    }
}
