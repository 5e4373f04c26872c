//! Brings Cal.com in line with a booking, whatever either of them is at the moment.

use jiff::Timestamp;
use shared::calcom::Attendee;
use shared::calcom::converge::{Clash, Converged, Note, Want, Wanted, converge};
use shared::db::dossier::{self, CalendarNews, Dossier};
use shared::domain::booking::{CalendarMode, Status};
use shared::domain::ids::BookingId;
use shared::domain::job::{Outcome, Task, Template};
use shared::error::Error;

use crate::{App, send};

pub(crate) async fn sync(app: &App, id: BookingId, attempts: i32, now: Timestamp) -> Result<Outcome, Error> {
    let Some(dossier) = dossier::read(&app.db, id).await? else {
        return Ok(Outcome::Discard { why: "there is no such booking".into() });
    };
    let Some(access) = &dossier.calendar else {
        return Ok(Outcome::Discard { why: "the artist has no Cal.com any more".into() });
    };
    let Some(want) = wanted(&dossier, now) else { return Ok(Outcome::Done) };
    let key = app.calendars.key(dossier.booking.artist, access)?;
    let converged = converge(
        app.calendars.calcom(),
        &Wanted {
            key: &key,
            event_type_id: access.event_type,
            booking: id,
            want,
            known_uid: dossier.booking.calendar_booking.as_deref(),
            start: dossier.booking.starts_at,
            end: dossier.booking.ends_at,
            attendee: Attendee {
                name: &dossier.client.name,
                email: &dossier.client.email,
                phone: Some(&dossier.client.phone),
                zone: &dossier.artist.zone_name,
                locale: dossier.client.locale,
            },
            attempt: u32::try_from(attempts).unwrap_or(1),
        },
    )
    .await;
    note(app, &dossier, converged, now).await
}

/// What Cal.com should hold of this booking; none when there is nothing to say to it.
fn wanted(dossier: &Dossier, now: Timestamp) -> Option<Want<'static>> {
    let booking = &dossier.booking;
    match booking.state.status {
        Status::Cancelled => Some(Want::Absent { reason: "InkFlow: the booking was cancelled" }),
        // Its release is on the way and brings a job of its own.
        Status::Pending if booking.has_lapsed(now) => None,
        Status::Pending if booking.calendar == CalendarMode::AfterPayment => None,
        // Cal.com takes no booking in the past.
        _ if booking.starts_at <= now => None,
        Status::Pending => Some(Want::Present { confirmed: false }),
        Status::Confirmed | Status::Completed => Some(Want::Present { confirmed: true }),
    }
}

async fn note(app: &App, dossier: &Dossier, converged: Converged, now: Timestamp) -> Result<Outcome, Error> {
    let booking = &dossier.booking;
    let (uid, state, words, outcome) = match converged {
        Converged::Retry { after, why } => return Ok(Outcome::Retry { after, why }),
        Converged::Synced { uid, note } => (Some(uid), "synced", note.as_ref().map(Note::to_string), Outcome::Done),
        Converged::Removed | Converged::NothingToDo => (None, "removed", None, Outcome::Done),
        Converged::Conflict { why } => {
            let words = match why {
                Clash::Taken => CONFLICT_TAKEN,
                Clash::CancelledThere => CONFLICT_CANCELLED,
            };
            (None, "conflict", Some(words.to_owned()), Outcome::Discard { why: words.to_owned() })
        }
        Converged::Rejected { why } => (None, "failed", Some(why.clone()), Outcome::Discard { why }),
    };
    let alert = Task::SendEmail {
        booking: booking.id,
        template: Template::ArtistCalendarConflict,
        occurrence: booking.version.to_string(),
    };
    let tasks = if state == "conflict" { std::slice::from_ref(&alert) } else { &[] };
    let news = CalendarNews { uid: uid.as_deref(), state, note: words.as_deref(), tasks };
    let jobs = dossier::note_calendar(&app.db, booking, &news, now).await?;
    send(app, &jobs).await;
    Ok(outcome)
}

/// The note of a booking whose time is taken in Cal.com.
pub(crate) const CONFLICT_TAKEN: &str = "the time is taken in Cal.com";

/// The note of a booking that was called off in Cal.com.
pub(crate) const CONFLICT_CANCELLED: &str = "the booking was called off in Cal.com";
