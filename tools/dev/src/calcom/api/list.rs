//! `GET /v2/bookings`: which of them, in which order, which page.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::signed_in;
use super::call::{Call, Done, Outcome};
use crate::calcom::diary::{Booking, Status};
use crate::calcom::error::ApiError;
use crate::calcom::requests::Query;
use crate::calcom::service::Inner;
use crate::machine::lock;

/// What is asked for.
struct Filter<'a> {
    query: Query<'a>,
    statuses: Vec<&'a str>,
    event_types: Vec<u64>,
    after_start: Option<Timestamp>,
    before_end: Option<Timestamp>,
    after_created: Option<Timestamp>,
    before_created: Option<Timestamp>,
    after_updated: Option<Timestamp>,
    before_updated: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn read(query: Query<'a>) -> Result<Self, ApiError> {
        let statuses = query.list("status");
        if let Some(unknown) = statuses
            .iter()
            .find(|status| !["upcoming", "recurring", "past", "cancelled", "unconfirmed"].contains(status))
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
        Ok(Self {
            query,
            statuses,
            event_types,
            after_start,
            before_end,
            after_created,
            before_created,
            after_updated,
            before_updated,
        })
    }

    fn fits(&self, booking: &Booking, now: Timestamp) -> bool {
        let Self { query, statuses, event_types, .. } = self;
        (statuses.is_empty() || statuses.iter().any(|status| is_in(booking, status, now)))
            && (event_types.is_empty() || event_types.contains(&booking.event_type))
            && query.text("attendeeEmail").is_none_or(|email| booking.attendee.email == email)
            && query.text("attendeeName").is_none_or(|name| booking.attendee.name == name)
            && query.text("bookingUid").is_none_or(|uid| booking.uid == uid)
            && self.after_start.is_none_or(|after| booking.span.start >= after)
            && self.before_end.is_none_or(|before| booking.span.end <= before)
            && self.after_created.is_none_or(|after| booking.created_at >= after)
            && self.before_created.is_none_or(|before| booking.created_at <= before)
            && self.after_updated.is_none_or(|after| booking.updated_at >= after)
            && self.before_updated.is_none_or(|before| booking.updated_at <= before)
    }
}

pub(super) fn list(inner: &Inner, call: &Call, now: Timestamp) -> Outcome {
    let user = signed_in(inner, call)?;
    let query = Query(&call.pairs);
    let filter = Filter::read(query)?;
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
        .filter(|booking| !nothing_found && booking.username == user.username && filter.fits(booking, now))
        .collect();
    sort(&mut found, query)?;
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

fn sort(found: &mut [&Booking], query: Query<'_>) -> Result<(), ApiError> {
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
    Ok(())
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
