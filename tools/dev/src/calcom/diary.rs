//! What the Cal.com stand-in knows, and the only ways it changes.
//! No clock, no network: `now` comes in, what to tell subscribers goes out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::slots::{Span, covered, opening_spans};
use super::switches::Canceller;
use super::time::{millis, utc_offset_minutes};
use super::user::{EventType, User};
use crate::stand_in::alphanumeric;

/// Everything that survives a restart.
#[derive(Default, Serialize, Deserialize)]
pub struct Diary {
    pub(super) bookings: Vec<Booking>,
    pub(super) blocks: Vec<Block>,
    pub(super) webhooks: Vec<Webhook>,
    next_id: u64,
}

/// The life of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Accepted,
    Pending,
    Cancelled,
    Rejected,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Cancelled => "cancelled",
            Self::Rejected => "rejected",
        }
    }

    /// Still counts: its start, end and host are unique.
    pub(super) fn is_live(self) -> bool {
        matches!(self, Self::Accepted | Self::Pending)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attendee {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) time_zone: String,
    pub(super) phone: Option<String>,
    pub(super) language: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Booking {
    pub(super) id: u64,
    pub(super) uid: String,
    pub(super) username: String,
    pub(super) event_type: u64,
    pub(super) title: String,
    pub(super) status: Status,
    pub(super) span: Span,
    pub(super) attendee: Attendee,
    pub(super) guests: Vec<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) responses: Map<String, Value>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) cancellation_reason: Option<String>,
    pub(super) cancelled_by: Option<String>,
    pub(super) rejection_reason: Option<String>,
    pub(super) rescheduling_reason: Option<String>,
    pub(super) rescheduled_by: Option<String>,
    pub(super) rescheduled_from: Option<String>,
    pub(super) rescheduled_to: Option<String>,
}

/// A time that is taken by something Cal.com only sees as busy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) span: Span,
    pub(super) label: String,
}

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Webhook {
    pub(super) id: u64,
    pub(super) username: String,
    pub(super) event_type: Option<u64>,
    pub(super) url: String,
    pub(super) secret: Option<String>,
    pub(super) triggers: Vec<String>,
    pub(super) active: bool,
}

/// Something to tell the subscribers of a user.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) trigger: &'static str,
    pub(super) username: String,
    pub(super) event_type: u64,
    pub(super) payload: Value,
}

/// A booking as asked for.
pub(super) struct NewBooking {
    pub(super) start: Timestamp,
    pub(super) length: Option<u32>,
    pub(super) attendee: Attendee,
    pub(super) guests: Vec<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) responses: Map<String, Value>,
}

impl Diary {
    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        1000 + self.next_id
    }

    pub(super) fn booking(&self, uid: &str) -> Option<&Booking> {
        self.bookings.iter().find(|booking| booking.uid == uid)
    }

    fn booking_mut(&mut self, uid: &str) -> Option<&mut Booking> {
        self.bookings.iter_mut().find(|booking| booking.uid == uid)
    }

    /// The times of a user that cannot be booked; `except` is a booking that is about to move.
    pub(super) fn busy(&self, user: &User, except: Option<&str>) -> Vec<Span> {
        let bookings = self.bookings.iter().filter(|booking| {
            booking.username == user.username
                && Some(booking.uid.as_str()) != except
                && match booking.status {
                    Status::Accepted => true,
                    Status::Pending => {
                        user.event_type(booking.event_type).is_some_and(|event_type| event_type.blocks_while_pending)
                    }
                    Status::Cancelled | Status::Rejected => false,
                }
        });
        let blocks = self.blocks.iter().filter(|block| block.username == user.username).map(|block| block.span);
        bookings.map(|booking| booking.span).chain(blocks).collect()
    }

    /// Whether a time can be booked, and if not, why in Cal.com's words.
    fn bookable(
        &self,
        user: &User,
        event_type: &EventType,
        span: Span,
        except: Option<&str>,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        if span.start < now {
            return Err(ApiError::in_the_past());
        }
        if span.start < event_type.earliest(now) || event_type.latest(now).is_some_and(|latest| span.start > latest) {
            return Err(ApiError::out_of_bounds());
        }
        let busy = self.busy(user, except).iter().any(|taken| taken.overlaps(span));
        if busy || !covered(&opening_spans(user, span), span) {
            return Err(ApiError::taken());
        }
        let same = self.bookings.iter().any(|booking| {
            booking.username == user.username
                && booking.span == span
                && booking.status.is_live()
                && Some(booking.uid.as_str()) != except
        });
        if same { Err(ApiError::conflict()) } else { Ok(()) }
    }

    /// Books; for event types to be confirmed a repeat finds the first booking again.
    pub(super) fn book(
        &mut self,
        user: &User,
        event_type: &EventType,
        new: NewBooking,
        now: Timestamp,
    ) -> Result<(Booking, Vec<Notice>), ApiError> {
        let length = event_type.length_of_booking(new.length)?;
        let span = Span::of_minutes(new.start, length);
        if event_type.requires_confirmation
            && let Some(existing) = self.bookings.iter().find(|booking| {
                booking.event_type == event_type.id
                    && booking.span.start == span.start
                    && booking.status == Status::Pending
                    && booking.attendee.email == new.attendee.email
            })
        {
            return Ok((existing.clone(), Vec::new()));
        }
        self.bookable(user, event_type, span, None, now)?;
        let booking = Booking {
            id: self.fresh_id(),
            uid: alphanumeric(22),
            username: user.username.clone(),
            event_type: event_type.id,
            title: format!("{} between {} and {}", event_type.title, user.name, new.attendee.name),
            status: if event_type.requires_confirmation { Status::Pending } else { Status::Accepted },
            span,
            attendee: new.attendee,
            guests: new.guests,
            metadata: new.metadata,
            responses: new.responses,
            created_at: now,
            updated_at: now,
            cancellation_reason: None,
            cancelled_by: None,
            rejection_reason: None,
            rescheduling_reason: None,
            rescheduled_by: None,
            rescheduled_from: None,
            rescheduled_to: None,
        };
        let trigger = if event_type.requires_confirmation { "BOOKING_REQUESTED" } else { "BOOKING_CREATED" };
        let notice = self.notice(trigger, user, &booking, Map::new());
        self.bookings.push(booking.clone());
        Ok((booking, vec![notice]))
    }

    /// Whether the event type lets a booking be cancelled, by anybody.
    pub(super) fn may_be_cancelled(&self, user: &User, uid: &str, disabled: bool) -> Result<(), ApiError> {
        let event_type = self.booking(uid).and_then(|booking| user.event_type(booking.event_type));
        if disabled || event_type.is_some_and(|event_type| event_type.disable_cancelling) {
            return Err(ApiError::bare(400, "This event type does not allow cancellations"));
        }
        Ok(())
    }

    /// Cancels; the host has to say why.
    pub(super) fn cancel(
        &mut self,
        user: &User,
        uid: &str,
        reason: Option<String>,
        by: Canceller,
        now: Timestamp,
    ) -> Result<Vec<Notice>, ApiError> {
        let booking =
            self.booking_mut(uid).ok_or_else(|| ApiError::not_found(format!("Booking with uid={uid} not found")))?;
        if booking.status == Status::Cancelled {
            return Err(ApiError::bad_request(format!(
                "Can't cancel booking with uid={uid} because it has been cancelled already. Please provide uid of a \
                 booking that is not cancelled."
            )));
        }
        if by == Canceller::Artist && reason.as_deref().unwrap_or_default().is_empty() {
            return Err(ApiError::bare(400, "Cancellation reason is required when you are the host"));
        }
        booking.status = Status::Cancelled;
        booking.cancellation_reason = reason;
        booking.cancelled_by = match by {
            Canceller::Artist | Canceller::Reschedule => Some(user.email.clone()),
            Canceller::Client => Some(booking.attendee.email.clone()),
            Canceller::Somebody => None,
        };
        booking.updated_at = now;
        let booking = booking.clone();
        let mut extra = Map::new();
        extra.insert("cancellationReason".to_owned(), json!(booking.cancellation_reason));
        // A request for another time says less than a cancellation, and one thing more.
        if by != Canceller::Reschedule {
            extra.insert("cancelledBy".to_owned(), json!(booking.cancelled_by));
        }
        extra.insert("requestReschedule".to_owned(), json!(by == Canceller::Reschedule));
        Ok(vec![self.notice("BOOKING_CANCELLED", user, &booking, extra)])
    }

    /// Moves: the old booking is cancelled, and a new one, with a new uid, takes over.
    pub(super) fn reschedule(
        &mut self,
        user: &User,
        uid: &str,
        start: Timestamp,
        (reason, by): (Option<String>, Option<String>),
        by_host: bool,
        now: Timestamp,
    ) -> Result<(Booking, Vec<Notice>), ApiError> {
        let old =
            self.booking(uid).ok_or_else(|| ApiError::not_found(format!("Booking with uid={uid} not found")))?.clone();
        if old.status == Status::Cancelled {
            return Err(ApiError::bad_request(match &old.rescheduled_to {
                None => format!(
                    "Can't reschedule booking with uid={uid} because it has been cancelled. Please provide uid of a \
                     booking that is not cancelled."
                ),
                Some(to) => format!(
                    "Can't reschedule booking with uid={uid} because it has been cancelled and rescheduled already to \
                     booking with uid={to}. You probably want to reschedule {to} instead by passing it within the request URL."
                ),
            }));
        }
        let event_type = user
            .event_type(old.event_type)
            .ok_or_else(|| ApiError::not_found(format!("Event type with id={} not found", old.event_type)))?;
        // Cal.com takes the event type's default length here, not the booking's own.
        let span = Span::of_minutes(start, event_type.default_length());
        self.bookable(user, event_type, span, Some(uid), now)?;
        let new = Booking {
            id: self.fresh_id(),
            uid: alphanumeric(22),
            status: if event_type.requires_confirmation && !by_host { Status::Pending } else { Status::Accepted },
            span,
            created_at: now,
            updated_at: now,
            rescheduling_reason: reason,
            rescheduled_by: None,
            rescheduled_from: Some(old.uid.clone()),
            ..old.clone()
        };
        if let Some(old) = self.booking_mut(uid) {
            old.status = Status::Cancelled;
            old.rescheduled_to = Some(new.uid.clone());
            old.rescheduled_by.clone_from(&by);
            old.updated_at = now;
        }
        let mut extra = Map::new();
        extra.insert("rescheduleId".to_owned(), json!(old.id));
        extra.insert("rescheduleUid".to_owned(), json!(old.uid));
        extra.insert("rescheduleStartTime".to_owned(), json!(millis(old.span.start)));
        extra.insert("rescheduleEndTime".to_owned(), json!(millis(old.span.end)));
        extra.insert("rescheduledBy".to_owned(), json!(by));
        let notice = self.notice("BOOKING_RESCHEDULED", user, &new, extra);
        self.bookings.push(new.clone());
        Ok((new, vec![notice]))
    }

    /// The owner says yes or no to a pending booking.
    pub(super) fn decide(
        &mut self,
        user: &User,
        uid: &str,
        accept: bool,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Vec<Notice>, ApiError> {
        let booking = self
            .booking_mut(uid)
            .ok_or_else(|| ApiError::not_found(format!("Booking with uid={uid} was not found in the database")))?;
        if booking.username != user.username {
            return Err(ApiError::rpc(401, "UNAUTHORIZED", "User is not authorized to confirm this booking"));
        }
        match booking.status {
            Status::Pending => {}
            Status::Accepted => return Err(ApiError::rpc(400, "BAD_REQUEST", "Booking already confirmed")),
            Status::Cancelled | Status::Rejected => {
                return Err(ApiError::rpc(400, "BAD_REQUEST", "Booking is not pending"));
            }
        }
        booking.status = if accept { Status::Accepted } else { Status::Rejected };
        booking.rejection_reason = if accept { None } else { reason };
        booking.updated_at = now;
        let booking = booking.clone();
        let mut extra = Map::new();
        if !accept {
            extra.insert("rejectionReason".to_owned(), json!(booking.rejection_reason));
        }
        let trigger = if accept { "BOOKING_CREATED" } else { "BOOKING_REJECTED" };
        Ok(vec![self.notice(trigger, user, &booking, extra)])
    }

    /// Takes a time for something outside Cal.com; bookings already there stay.
    pub(super) fn block(&mut self, username: &str, span: Span, label: &str) -> u64 {
        let id = self.fresh_id();
        self.blocks.push(Block { id, username: username.to_owned(), span, label: label.to_owned() });
        id
    }

    pub(super) fn unblock(&mut self, id: u64) -> bool {
        let before = self.blocks.len();
        self.blocks.retain(|block| block.id != id);
        self.blocks.len() < before
    }

    pub(super) fn subscribe(&mut self, mut webhook: Webhook) -> Webhook {
        webhook.id = self.fresh_id();
        self.webhooks.push(webhook.clone());
        webhook
    }

    fn notice(&self, trigger: &'static str, user: &User, booking: &Booking, extra: Map<String, Value>) -> Notice {
        let event_type = user.event_type(booking.event_type);
        let mut responses = Map::new();
        for (name, value) in &booking.responses {
            responses.insert(name.clone(), json!({"label": name, "value": value, "isHidden": false}));
        }
        let mut payload = json!({
            "additionalNotes": "",
            "attendees": [{
                "email": booking.attendee.email,
                "language": {"locale": booking.attendee.language},
                "name": booking.attendee.name,
                "phoneNumber": booking.attendee.phone,
                "timeZone": booking.attendee.time_zone,
                "utcOffset": utc_offset_minutes(&booking.attendee.time_zone, booking.span.start),
            }],
            "bookingId": booking.id,
            "conferenceCredentialId": null,
            "currency": "eur",
            "customInputs": {},
            "description": "",
            "destinationCalendar": null,
            "endTime": millis(booking.span.end),
            "eventDescription": null,
            "eventTitle": event_type.map(|event_type| event_type.title.clone()),
            "eventTypeId": booking.event_type,
            "hideCalendarNotes": false,
            "iCalUID": format!("{}@Cal.com", booking.uid),
            "length": booking.span.minutes(),
            "location": event_type.map(|event_type| event_type.location.clone()),
            "metadata": booking.metadata,
            "organizer": {
                "email": user.email,
                "language": {"locale": "fr"},
                "name": user.name,
                "timeFormat": "HH:mm",
                "timeZone": user.time_zone,
                "username": user.username,
                "utcOffset": utc_offset_minutes(&user.time_zone, booking.span.start),
            },
            "price": 0,
            "requiresConfirmation": event_type.is_some_and(|event_type| event_type.requires_confirmation),
            "responses": responses,
            "seatsPerTimeSlot": null,
            "startTime": millis(booking.span.start),
            "status": booking.status.as_str().to_uppercase(),
            "title": booking.title,
            "type": event_type.map(|event_type| event_type.slug.clone()),
            "uid": booking.uid,
            "userFieldsResponses": {},
        });
        if let Some(fields) = payload.as_object_mut() {
            fields.extend(extra);
        }
        Notice { trigger, username: booking.username.clone(), event_type: booking.event_type, payload }
    }
}

impl Booking {
    /// As the API shows it in version 2024-08-13.
    pub(super) fn object(&self, user: &User) -> Value {
        let event_type = user.event_type(self.event_type);
        let location = event_type.map(|event_type| event_type.location.clone()).unwrap_or_default();
        let mut object = json!({
            "id": self.id,
            "uid": self.uid,
            "title": self.title,
            "description": "",
            "hosts": [{
                "id": user.id(),
                "name": user.name,
                "email": user.email,
                "displayEmail": user.email,
                "username": user.username,
                "timeZone": user.time_zone,
            }],
            "status": self.status.as_str(),
            "start": millis(self.span.start),
            "end": millis(self.span.end),
            "duration": self.span.minutes(),
            "eventTypeId": self.event_type,
            "eventType": {"id": self.event_type, "slug": event_type.map(|event_type| event_type.slug.clone())},
            "meetingUrl": location,
            "location": location,
            "absentHost": false,
            "createdAt": millis(self.created_at),
            "updatedAt": millis(self.updated_at),
            "metadata": self.metadata,
            "icsUid": format!("{}@Cal.com", self.uid),
            "attendees": [{
                "name": self.attendee.name,
                "email": self.attendee.email,
                "displayEmail": self.attendee.email,
                "timeZone": self.attendee.time_zone,
                "language": self.attendee.language,
                "absent": false,
            }],
            "bookingFieldsResponses": self.responses,
        });
        let Some(fields) = object.as_object_mut() else { return object };
        if let (Some(phone), Some(attendee)) = (&self.attendee.phone, fields["attendees"][0].as_object_mut()) {
            attendee.insert("phoneNumber".to_owned(), json!(phone));
        }
        if !self.guests.is_empty() {
            fields.insert("guests".to_owned(), json!(self.guests));
        }
        let cancelled = self.status == Status::Cancelled;
        for (name, value) in [
            ("cancellationReason", self.cancellation_reason.as_ref().filter(|_| cancelled)),
            ("cancelledByEmail", self.cancelled_by.as_ref().filter(|_| cancelled)),
            ("reschedulingReason", self.rescheduling_reason.as_ref()),
            ("rescheduledByEmail", self.rescheduled_by.as_ref()),
            ("rescheduledFromUid", self.rescheduled_from.as_ref()),
            ("rescheduledToUid", self.rescheduled_to.as_ref()),
        ] {
            if let Some(value) = value {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        object
    }

    /// As the API shows it to who forgets the version header.
    pub(super) fn old_object(&self, user: &User) -> Value {
        json!({
            "id": self.id,
            "uid": self.uid,
            "title": self.title,
            "startTime": millis(self.span.start),
            "endTime": millis(self.span.end),
            "status": self.status.as_str().to_uppercase(),
            "metadata": self.metadata,
            "user": {"id": user.id(), "name": user.name, "email": user.email, "username": user.username, "timeZone": user.time_zone},
            "attendees": [{"name": self.attendee.name, "email": self.attendee.email, "timeZone": self.attendee.time_zone}],
            "eventType": {"id": self.event_type},
            "eventTypeId": self.event_type,
            "responses": self.responses,
        })
    }
}

impl Webhook {
    pub(super) fn object(&self, user: &User) -> Value {
        let mut object = json!({
            "id": self.id,
            "active": self.active,
            "payloadTemplate": null,
            "subscriberUrl": self.url,
            "triggers": self.triggers,
        });
        if let Some(fields) = object.as_object_mut() {
            match self.event_type {
                Some(id) => fields.insert("eventTypeId".to_owned(), json!(id)),
                None => fields.insert("userId".to_owned(), json!(user.id())),
            };
            if let Some(secret) = &self.secret {
                fields.insert("secret".to_owned(), json!(secret));
            }
        }
        object
    }
}
