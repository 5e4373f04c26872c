//! The `/v2` API: version headers, keys, rate limits, routing, and the answers in Cal.com's shapes.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::diary::{Booking, Diary, Notice, Status, Webhook};
use super::error::ApiError;
use super::requests::{self, Query, Wanted};
use super::service::Inner;
use super::slots::{Span, free};
use super::switches::Canceller;
use super::time::millis;
use super::user::{EventType, User};
use crate::machine::lock;
use crate::stand_in::{self, AfterWrite, Answered, Api, Down, Service, Troubles};

const BOOKINGS_VERSION: &str = "2024-08-13";
const SLOTS_VERSION: &str = "2024-09-04";
const EVENT_TYPES_VERSION: &str = "2024-06-14";
const OLDEST_VERSION: &str = "2024-04-15";
/// What an absent or unknown header does not fall back from.
const VERSIONS: &[&str] = &[OLDEST_VERSION, "2024-06-11", EVENT_TYPES_VERSION, BOOKINGS_VERSION, SLOTS_VERSION];

/// A call of Cal.com's.
struct Call(stand_in::Call);

impl Deref for Call {
    type Target = stand_in::Call;

    fn deref(&self) -> &stand_in::Call {
        &self.0
    }
}

impl Call {
    /// The version asked for; a missing or unknown one is the oldest.
    fn version(&self) -> &str {
        self.header("cal-api-version").filter(|version| VERSIONS.contains(version)).unwrap_or(OLDEST_VERSION)
    }

    fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        serde_json::from_str(&self.body).map_err(|error| ApiError::bad_request(error.to_string()))
    }

    fn no_route(&self) -> ApiError {
        ApiError::no_route(self.method.as_str(), &self.target)
    }
}

/// What the work gave.
struct Done {
    status: u16,
    body: Value,
    notices: Vec<Notice>,
}

impl Done {
    fn ok(data: Value) -> Self {
        Self { status: 200, body: json!({"status": "success", "data": data}), notices: Vec::new() }
    }

    fn created(data: Value) -> Self {
        Self { status: 201, ..Self::ok(data) }
    }

    fn telling(mut self, notices: Vec<Notice>) -> Self {
        self.notices = notices;
        self
    }
}

type Outcome = Result<Done, ApiError>;

impl Api for Inner {
    async fn answer(self: &Arc<Self>, call: stand_in::Call, troubles: &Troubles) -> Answered {
        let call = Call(call);
        let (response, lost) = match troubles.down {
            Some(Down::InternalError) => (self.error(&call, &ApiError::internal()), false),
            Some(_) => (self.error(&call, &ApiError::unavailable()), false),
            None => answer(self, &call, troubles.rate_limited),
        };
        if troubles.slow_ms > 0 {
            tokio::time::sleep(Duration::from_millis(troubles.slow_ms)).await;
        }
        Answered { response, lost }
    }
}

impl Inner {
    fn error(&self, call: &Call, error: &ApiError) -> Response {
        let all_bare = lock(&self.base.switches).bare_errors;
        error.respond(&call.target, self.base.clock.now(), all_bare)
    }

    /// Counts a call; gives what is left of the minute and when it ends, or nothing left.
    fn throttle(&self, call: &Call) -> Option<(u32, u32, i64)> {
        let limit = self.rate_limit?;
        let now = self.base.clock.now();
        let since = now.checked_sub(SignedDuration::from_secs(60)).unwrap_or(Timestamp::MIN);
        let mut calls = lock(&self.calls);
        let recent = calls.entry(call.header("authorization").unwrap_or("anonymous").to_owned()).or_default();
        while recent.front().is_some_and(|at| *at <= since) {
            recent.pop_front();
        }
        recent.push_back(now);
        let reset = recent.front().map_or(60, |first| 60 - now.duration_since(*first).as_secs());
        Some((limit, u32::try_from(recent.len()).unwrap_or(u32::MAX), reset))
    }
}

fn answer(inner: &Arc<Inner>, call: &Call, rate_limited: bool) -> (Response, bool) {
    let counted = inner.throttle(call);
    let over = rate_limited || counted.is_some_and(|(limit, used, _)| used > limit);
    let (mut response, lost) = if over { (inner.error(call, &ApiError::too_many()), false) } else { work(inner, call) };
    let (limit, used, reset) = counted.unwrap_or((120, if over { 121 } else { 1 }, 60));
    for (name, value) in [
        ("x-ratelimit-limit-default", i64::from(limit)),
        ("x-ratelimit-remaining-default", i64::from(limit.saturating_sub(used))),
        ("x-ratelimit-reset-default", reset),
    ] {
        response.headers_mut().insert(name, HeaderValue::from(value));
    }
    (response, lost)
}

fn work(inner: &Arc<Inner>, call: &Call) -> (Response, bool) {
    let result = route(inner, call);
    let done = match result {
        Ok(done) => done,
        Err(error) => return (inner.error(call, &error), false),
    };
    let mut lost = false;
    let mut failed = false;
    if call.method != Method::GET {
        inner.changed();
        match lock(&inner.base.switches).api.take_after_write() {
            AfterWrite::Answer => {}
            AfterWrite::Fail => failed = true,
            AfterWrite::Lose => lost = true,
        }
    }
    inner.tell(done.notices);
    if failed {
        return (inner.error(call, &ApiError::internal()), false);
    }
    let status = StatusCode::from_u16(done.status).unwrap_or(StatusCode::OK);
    ((status, axum::Json(done.body)).into_response(), lost)
}

fn route(inner: &Inner, call: &Call) -> Outcome {
    let path: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let get = call.method == Method::GET;
    match path.as_slice() {
        ["v2", "slots"] if get => {
            // Older versions have no such route, only `/v2/slots/available`.
            if call.version() != SLOTS_VERSION { Err(call.no_route()) } else { slots(inner, call) }
        }
        ["v2", "bookings", ..] => match call.version() {
            BOOKINGS_VERSION => bookings(inner, call, &path[2..]),
            SLOTS_VERSION => Err(call.no_route()),
            _ => old_bookings(inner, call, &path[2..]),
        },
        ["v2", "event-types"] if get => {
            let user = signed_in(inner, call)?;
            let query = Query(&call.pairs);
            let listed = user.event_types.iter().filter(|event_type| {
                query.text("username").is_none_or(|username| username == user.username)
                    && query.text("eventSlug").is_none_or(|slug| slug == event_type.slug)
            });
            Ok(Done::ok(listed.map(|event_type| event_type_object(inner, user, event_type)).collect()))
        }
        ["v2", "event-types", id] if get => {
            let user = signed_in(inner, call)?;
            let event_type = id
                .parse()
                .ok()
                .and_then(|id| user.event_type(id))
                .ok_or_else(|| ApiError::not_found(format!("Event type with id {id} not found.")))?;
            let object = event_type_object(inner, user, event_type);
            // The older contract wraps it once more.
            Ok(Done::ok(if call.version() == EVENT_TYPES_VERSION { object } else { json!({"eventType": object}) }))
        }
        ["v2", "event-types", id, "webhooks", rest @ ..] => {
            let user = signed_in(inner, call)?;
            let event_type = id
                .parse()
                .ok()
                .and_then(|id| user.event_type(id))
                .ok_or_else(|| ApiError::not_found(format!("Event type with id {id} not found.")))?;
            webhooks(inner, call, user, Some(event_type.id), rest)
        }
        ["v2", "webhooks", rest @ ..] => {
            let user = signed_in(inner, call)?;
            webhooks(inner, call, user, None, rest)
        }
        ["v2", "me"] if get => {
            let user = signed_in(inner, call)?;
            Ok(Done::ok(json!({
                "id": user.id(),
                "username": user.username,
                "email": user.email,
                "name": user.name,
                "avatarUrl": null,
                "bio": null,
                "timeFormat": 24,
                "defaultScheduleId": 1,
                "weekStart": "Monday",
                "timeZone": user.time_zone,
                "organizationId": null,
            })))
        }
        _ => Err(call.no_route()),
    }
}

fn signed_in<'a>(inner: &'a Inner, call: &Call) -> Result<&'a User, ApiError> {
    maybe_signed_in(inner, call)?.ok_or_else(|| {
        ApiError::unauthorized(
            "No authentication method provided. Either pass an API key as 'Bearer' header or OAuth client credentials as \
             'x-cal-secret-key' and 'x-cal-client-id' headers",
        )
    })
}

/// Nobody without a key; a wrong key is refused even where none is needed.
fn maybe_signed_in<'a>(inner: &'a Inner, call: &Call) -> Result<Option<&'a User>, ApiError> {
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

fn wanted_event_type<'a>(inner: &'a Inner, wanted: &Wanted) -> Result<(&'a User, &'a EventType), ApiError> {
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

fn slots(inner: &Inner, call: &Call) -> Outcome {
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
    let wanted = match (query.number("eventTypeId")?, query.text("username"), query.text("eventTypeSlug")) {
        (Some(id), ..) => Wanted::Id(id),
        (None, Some(username), Some(slug)) => Wanted::Slug { username: username.to_owned(), slug: slug.to_owned() },
        _ => {
            return Err(ApiError::bad_request(
                "One of the following query combinations is required: eventTypeId, or eventTypeSlug + username",
            ));
        }
    };
    let (user, event_type) =
        wanted_event_type(inner, &wanted).map_err(|_| ApiError::not_found("Event Type not found"))?;
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

/// With the zone's offset when a zone is asked for.
fn shown_in(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone {
        Some(zone) if zone.iana_name() != Some("UTC") => {
            at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%3f%:z").to_string()
        }
        _ => millis(at),
    }
}

fn bookings(inner: &Inner, call: &Call, path: &[&str]) -> Outcome {
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
fn old_bookings(inner: &Inner, call: &Call, path: &[&str]) -> Outcome {
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

fn list(inner: &Inner, call: &Call, now: Timestamp) -> Outcome {
    let user = signed_in(inner, call)?;
    let query = Query(&call.pairs);
    let statuses = query.list("status");
    if let Some(unknown) =
        statuses.iter().find(|status| !["upcoming", "recurring", "past", "cancelled", "unconfirmed"].contains(status))
    {
        return Err(ApiError::bad_request(format!(
            "status property is wrong,Invalid status {unknown}. Allowed are upcoming, recurring, past, cancelled, unconfirmed "
        )));
    }
    let mut event_types: Vec<u64> = Vec::new();
    for id in query.list("eventTypeIds") {
        event_types.push(id.parse().map_err(|_| ApiError::bad_request("eventTypeIds must be numbers"))?);
    }
    event_types.extend(query.number("eventTypeId")?);
    let after_start = query.instant("afterStart")?;
    let before_end = query.instant("beforeEnd")?;
    let (after_created, before_created) = (query.instant("afterCreatedAt")?, query.instant("beforeCreatedAt")?);
    let (after_updated, before_updated) = (query.instant("afterUpdatedAt")?, query.instant("beforeUpdatedAt")?);
    let take = query.number("take")?.unwrap_or(100);
    if !(1..=250).contains(&take) {
        return Err(ApiError::bad_request("take property is wrong,take must be between 1 and 250 "));
    }
    let skip = query.number("skip")?.unwrap_or(0);
    let nothing_found = lock(&inner.base.switches).bookings_not_found;
    let diary = inner.diary();
    let mut found: Vec<&Booking> = diary
        .bookings
        .iter()
        .filter(|booking| {
            !nothing_found
                && booking.username == user.username
                && (statuses.is_empty() || statuses.iter().any(|status| is_in(booking, status, now)))
                && (event_types.is_empty() || event_types.contains(&booking.event_type))
                && query.text("attendeeEmail").is_none_or(|email| booking.attendee.email == email)
                && query.text("attendeeName").is_none_or(|name| booking.attendee.name == name)
                && query.text("bookingUid").is_none_or(|uid| booking.uid == uid)
                && after_start.is_none_or(|after| booking.span.start >= after)
                && before_end.is_none_or(|before| booking.span.end <= before)
                && after_created.is_none_or(|after| booking.created_at >= after)
                && before_created.is_none_or(|before| booking.created_at <= before)
                && after_updated.is_none_or(|after| booking.updated_at >= after)
                && before_updated.is_none_or(|before| booking.updated_at <= before)
        })
        .collect();
    found.sort_by_key(|booking| booking.span.start);
    for (name, key) in [
        ("sortUpdatedAt", (|booking| booking.updated_at) as fn(&Booking) -> Timestamp),
        ("sortCreated", |booking| booking.created_at),
        ("sortEnd", |booking| booking.span.end),
        ("sortStart", |booking| booking.span.start),
    ] {
        match query.text(name) {
            None => {}
            Some("asc") => found.sort_by_key(|booking| key(booking)),
            Some("desc") => found.sort_by_key(|booking| std::cmp::Reverse(key(booking))),
            Some(_) => {
                return Err(ApiError::bad_request(format!(
                    "{name} property is wrong,{name} must be either 'asc' or 'desc' "
                )));
            }
        }
    }
    let total = found.len() as u64;
    let data: Vec<Value> = found
        .into_iter()
        .skip(usize::try_from(skip).unwrap_or(usize::MAX))
        .take(usize::try_from(take).unwrap_or(100))
        .map(|booking| booking.object(user))
        .collect();
    let returned = data.len() as u64;
    let remaining = total.saturating_sub(skip + returned);
    let mut done = Done::ok(json!(data));
    done.body["pagination"] = json!({
        "totalItems": total,
        "remainingItems": remaining,
        "returnedItems": returned,
        "itemsPerPage": take,
        "currentPage": skip / take + 1,
        "totalPages": total.div_ceil(take),
        "hasNextPage": remaining > 0,
        "hasPreviousPage": skip > 0,
    });
    Ok(done)
}

fn is_in(booking: &Booking, status: &str, now: Timestamp) -> bool {
    match status {
        "upcoming" => booking.status.is_live() && booking.span.end >= now,
        "past" => booking.status.is_live() && booking.span.end <= now,
        "cancelled" => !booking.status.is_live(),
        "unconfirmed" => booking.status == Status::Pending && booking.span.end >= now,
        _ => false,
    }
}

fn event_type_object(inner: &Inner, user: &User, event_type: &EventType) -> Value {
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

fn webhooks(inner: &Inner, call: &Call, user: &User, event_type: Option<u64>, path: &[&str]) -> Outcome {
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
