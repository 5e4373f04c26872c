//! The bodies and queries that the Cal.com stand-in reads, each parsed once and strictly.
//! What nobody asked for is an error here too: the real one forbids unknown properties.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::diary::{Attendee, NewBooking};
use super::error::ApiError;

const BOOKING_FIELDS: &[&str] = &[
    "attendee",
    "bookingFieldsResponses",
    "emailVerificationCode",
    "eventTypeId",
    "eventTypeSlug",
    "guests",
    "lengthInMinutes",
    "location",
    "meetingUrl",
    "metadata",
    "organizationSlug",
    "routing",
    "start",
    "teamSlug",
    "username",
];

const LANGUAGES: &[&str] = &[
    "ar", "az", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "es-419", "et", "eu", "fi", "fr", "he", "hr",
    "hu", "id", "it", "iw", "ja", "km", "ko", "lv", "nl", "no", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sr", "sv",
    "ta", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
];

const TRIGGERS: &[&str] = &[
    "AFTER_GUESTS_CAL_VIDEO_NO_SHOW",
    "AFTER_HOSTS_CAL_VIDEO_NO_SHOW",
    "BOOKING_CANCELLED",
    "BOOKING_CREATED",
    "BOOKING_NO_SHOW_UPDATED",
    "BOOKING_PAID",
    "BOOKING_PAYMENT_INITIATED",
    "BOOKING_REJECTED",
    "BOOKING_REQUESTED",
    "BOOKING_RESCHEDULED",
    "FORM_SUBMITTED",
    "FORM_SUBMITTED_NO_EVENT",
    "INSTANT_MEETING",
    "MEETING_ENDED",
    "MEETING_STARTED",
    "OOO_CREATED",
    "RECORDING_READY",
    "RECORDING_TRANSCRIPTION_GENERATED",
];

/// Which event type a caller means.
#[derive(Debug)]
pub(super) enum Wanted {
    Id(u64),
    Slug { username: String, slug: String },
}

fn wrong(property: &str, constraint: &str) -> ApiError {
    ApiError::bad_request(format!("{property} property is wrong,{constraint} "))
}

/// The body as an object with no other properties than these.
pub(super) fn object<'a>(body: &'a Value, known: &[&str]) -> Result<&'a Map<String, Value>, ApiError> {
    let object = body.as_object().ok_or_else(|| ApiError::bad_request("Body should be an object"))?;
    for name in object.keys() {
        if !known.contains(&name.as_str()) {
            return Err(wrong(name, &format!("property {name} should not exist")));
        }
    }
    Ok(object)
}

fn text(object: &Map<String, Value>, name: &str) -> Result<Option<String>, ApiError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(name, &format!("{name} must be a string"))),
    }
}

fn required_text(object: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    text(object, name)?.ok_or_else(|| wrong(name, &format!("{name} must be a string")))
}

/// An ISO 8601 date or instant; without an offset it is UTC.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil = text.parse::<DateTime>().ok().or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn start(object: &Map<String, Value>) -> Result<Timestamp, ApiError> {
    let text = required_text(object, "start")?;
    instant(&text).ok_or_else(|| wrong("start", "start must be a valid ISO 8601 date string"))
}

/// `POST /v2/bookings`.
pub(super) fn new_booking(body: &Value) -> Result<(Wanted, NewBooking), ApiError> {
    let body = object(body, BOOKING_FIELDS)?;
    for name in ["routing", "teamSlug", "organizationSlug", "emailVerificationCode"] {
        if body.contains_key(name) {
            return Err(ApiError::bad_request(format!("The stand-in does not play `{name}`")));
        }
    }
    let start = start(body)?;
    let attendee = attendee(body.get("attendee"))?;
    let length = match body.get("lengthInMinutes") {
        None | Some(Value::Null) => None,
        Some(length) => Some(
            length
                .as_u64()
                .and_then(|length| u32::try_from(length).ok())
                .filter(|length| *length > 0)
                .ok_or_else(|| wrong("lengthInMinutes", "lengthInMinutes must be an integer number"))?,
        ),
    };
    let wanted = match (body.get("eventTypeId"), text(body, "eventTypeSlug")?, text(body, "username")?) {
        (Some(Value::Null) | None, Some(slug), Some(username)) => Wanted::Slug { username, slug },
        (Some(id), ..) if !id.is_null() => {
            Wanted::Id(id.as_u64().ok_or_else(|| wrong("eventTypeId", "eventTypeId must be an integer number"))?)
        }
        _ => {
            return Err(ApiError::bad_request(
                "Either eventTypeId or eventTypeSlug + username or eventTypeSlug + teamSlug must be provided",
            ));
        }
    };
    let metadata = metadata(body.get("metadata"))?;
    let guests = guests(body.get("guests"))?;
    let mut responses = match body.get("bookingFieldsResponses") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(responses)) => responses.clone(),
        Some(_) => return Err(wrong("bookingFieldsResponses", "bookingFieldsResponses must be an object")),
    };
    responses.insert("name".to_owned(), Value::from(attendee.name.as_str()));
    responses.insert("email".to_owned(), Value::from(attendee.email.as_str()));
    if let Some(phone) = &attendee.phone {
        responses.insert("attendeePhoneNumber".to_owned(), Value::from(phone.as_str()));
    }
    responses.insert("guests".to_owned(), Value::from(guests.clone()));
    Ok((wanted, NewBooking { start, length, attendee, guests, metadata, responses }))
}

fn attendee(value: Option<&Value>) -> Result<Attendee, ApiError> {
    let inside = |error: ApiError| ApiError::bad_request(format!("attendee property is wrong, {}", error.message));
    let value = value.ok_or_else(|| wrong("attendee", "attendee should not be null or undefined"))?;
    let known = &["name", "timeZone", "phoneNumber", "language", "email"];
    let attendee = object(value, known).map_err(inside)?;
    let name = required_text(attendee, "name").map_err(inside)?;
    let time_zone = required_text(attendee, "timeZone").map_err(inside)?;
    if TimeZone::get(&time_zone).is_err() {
        return Err(inside(wrong("timeZone", "timeZone must be a valid IANA time-zone")));
    }
    let email = text(attendee, "email").map_err(inside)?.filter(|email| !email.is_empty());
    if email.as_deref().is_some_and(|email| !is_email(email)) {
        return Err(inside(wrong("email", "Invalid email format")));
    }
    let phone = text(attendee, "phoneNumber").map_err(inside)?.filter(|phone| !phone.is_empty());
    if phone.as_deref().is_some_and(|phone| !is_international(phone)) {
        return Err(inside(wrong("phoneNumber", "Invalid phone number format. Please use international format.")));
    }
    if email.is_none() && phone.is_none() {
        return Err(inside(wrong("email", "At least one contact method (email or phone number) must be provided")));
    }
    let language = text(attendee, "language").map_err(inside)?.unwrap_or_else(|| "en".to_owned());
    if !LANGUAGES.contains(&language.as_str()) {
        return Err(inside(wrong("language", "language must be one of the supported languages")));
    }
    Ok(Attendee { name, email: email.unwrap_or_default(), time_zone, phone, language })
}

fn is_email(text: &str) -> bool {
    !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && !domain.contains('@')
        })
}

fn is_international(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        let count = digits.chars().filter(char::is_ascii_digit).count();
        (8..=15).contains(&count) && digits.chars().all(|letter| letter.is_ascii_digit() || letter == ' ')
    })
}

fn metadata(value: Option<&Value>) -> Result<Map<String, Value>, ApiError> {
    let metadata = match value {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(metadata)) => metadata,
        Some(_) => return Err(wrong("metadata", "metadata must be an object")),
    };
    let sound = metadata.len() <= 50
        && metadata.iter().all(|(key, value)| {
            key.chars().count() <= 40
                && match value {
                    Value::String(text) => text.chars().count() <= 500,
                    Value::Number(_) | Value::Bool(_) => true,
                    _ => false,
                }
        });
    if !sound {
        return Err(wrong(
            "metadata",
            "Metadata must have at most 50 keys, each key up to 40 characters, and string values up to 500 characters.",
        ));
    }
    Ok(metadata.clone())
}

fn guests(value: Option<&Value>) -> Result<Vec<String>, ApiError> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(guests)) => guests
            .iter()
            .map(|guest| guest.as_str().filter(|guest| is_email(guest)).map(str::to_owned))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("guests", "each value in guests must be an email")),
        Some(_) => Err(wrong("guests", "guests must be an array")),
    }
}

/// `POST /v2/bookings/{uid}/cancel`.
pub(super) fn cancel(body: &Value) -> Result<Option<String>, ApiError> {
    let body = object(body, &["cancellationReason", "cancelSubsequentBookings"])?;
    text(body, "cancellationReason")
}

/// `POST /v2/bookings/{uid}/reschedule`: the new start, the reason, and who moved it.
pub(super) fn reschedule(body: &Value) -> Result<(Timestamp, Option<String>, Option<String>), ApiError> {
    let body = object(body, &["start", "rescheduledBy", "reschedulingReason", "emailVerificationCode"])?;
    Ok((start(body)?, text(body, "reschedulingReason")?, text(body, "rescheduledBy")?))
}

/// `POST /v2/bookings/{uid}/decline`.
pub(super) fn decline(body: &Value) -> Result<Option<String>, ApiError> {
    text(object(body, &["reason"])?, "reason")
}

/// A subscription as asked for.
pub(super) struct NewWebhook {
    pub(super) url: String,
    pub(super) secret: Option<String>,
    pub(super) triggers: Vec<String>,
    pub(super) active: bool,
}

/// `POST /v2/webhooks`.
pub(super) fn new_webhook(body: &Value) -> Result<NewWebhook, ApiError> {
    let body = object(body, &["active", "payloadTemplate", "secret", "subscriberUrl", "triggers", "version"])?;
    let active =
        body.get("active").and_then(Value::as_bool).ok_or_else(|| wrong("active", "active must be a boolean value"))?;
    let url = required_text(body, "subscriberUrl")?;
    let triggers = body
        .get("triggers")
        .and_then(Value::as_array)
        .ok_or_else(|| wrong("triggers", "triggers must be an array"))?
        .iter()
        .map(|trigger| trigger.as_str().filter(|trigger| TRIGGERS.contains(trigger)).map(str::to_owned))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| wrong("triggers", "each value in triggers must be a known trigger"))?;
    if body.get("version").is_some_and(|version| version != "2021-10-20") {
        return Err(wrong("version", "version must be one of the following values: 2021-10-20"));
    }
    if body.get("payloadTemplate").is_some_and(|template| !template.is_null()) {
        return Err(ApiError::bad_request("The stand-in does not play `payloadTemplate`"));
    }
    Ok(NewWebhook { url, secret: text(body, "secret")?.filter(|secret| !secret.is_empty()), triggers, active })
}

/// The query, taken one by one.
#[derive(Clone, Copy)]
pub(super) struct Query<'a>(pub(super) &'a [(String, String)]);

impl<'a> Query<'a> {
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name, comma-separated ones too.
    pub(super) fn list(&self, name: &str) -> Vec<&'a str> {
        self.0
            .iter()
            .filter(|(key, _)| key == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, ApiError> {
        self.text(name)
            .map(|text| text.parse().map_err(|_| wrong(name, &format!("{name} must be a number"))))
            .transpose()
    }

    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        self.text(name)
            .map(|text| {
                instant(text).ok_or_else(|| wrong(name, &format!("{name} must be a valid ISO 8601 date string")))
            })
            .transpose()
    }

    pub(super) fn refuse_others(&self, known: &[&str]) -> Result<(), ApiError> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => Err(wrong(name, &format!("property {name} should not exist"))),
        }
    }
}
