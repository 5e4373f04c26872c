//! How news of Cal.com reaches a booking: read it there again, let the rules decide, write the decision.
//!
//! One path for the webhook, for the sweeper and for the worker who finds the calendar otherwise than expected.

use jiff::{SignedDuration, Timestamp};

use crate::calcom::calendars::Calendars;
use crate::calcom::converge::{Converged, Want, Wanted, cancelled_by_us, observe};
use crate::calcom::{Attendee, CalBooking, CalStatus, CalcomError};
use crate::db::bookings::Reference;
use crate::db::dossier::{self, CalendarNews, Dossier};
use crate::db::{Db, calendar};
use crate::domain::booking::{Actor, Booking, CalendarMode, CancelReason, Change, Outcome, Status};
use crate::domain::calendar::{CalendarState, CallOff, Question, Verdict};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::{Occasion, Task, Template};
use crate::domain::policy::Canceller;
use crate::domain::time::after;
use crate::error::Error;
use crate::settle::{Settled, settle};

/// The note of a booking that the artist moved in Cal.com to a time that is taken here.
pub const CONFLICT_MOVED: &str = "moved in Cal.com to a time that is taken here";

/// What came of comparing a booking with what Cal.com has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Nothing to do, for the reason named.
    Nothing(Outcome),
    /// A job is at work on it, and will look itself.
    Busy,
    /// The artist did something there, and it is done here too.
    Changed { outcome: Outcome, jobs: Vec<JobId> },
    /// Cal.com is not what our last job left it as: another job sees to it.
    Repair { why: Outcome, jobs: Vec<JobId> },
}

impl Compared {
    /// In one word, for the record of the event and for the log.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Nothing(why) | Self::Repair { why, .. } => *why,
            Self::Busy => Outcome::Busy,
            Self::Changed { outcome, .. } => *outcome,
        }
    }

    pub fn jobs(&self) -> &[JobId] {
        match self {
            Self::Nothing(_) | Self::Busy => &[],
            Self::Changed { jobs, .. } | Self::Repair { jobs, .. } => jobs,
        }
    }
}

/// What Cal.com is asked about a booking.
pub fn question<'a>(
    dossier: &'a Dossier,
    key: &'a crate::config::Secret,
    event_type_id: i64,
    want: Want<'a>,
    attempt: u32,
) -> Wanted<'a> {
    Wanted {
        key,
        event_type_id,
        booking: dossier.booking.id,
        want,
        known_uid: dossier.booking.calendar_booking.as_deref(),
        agreed_start: dossier.calendar_start,
        removed_by_us: dossier.calendar_state == CalendarState::Removed,
        is_gone: false,
        start: dossier.booking.starts_at,
        end: dossier.booking.ends_at,
        attendee: Attendee {
            name: &dossier.client.name,
            email: &dossier.client.email,
            phone: Some(&dossier.client.phone),
            zone: &dossier.artist.zone_name,
            locale: dossier.client.locale,
        },
        attempt,
    }
}

/// How long Cal.com must not have found a booking before it counts as gone: longer than its own troubles usually last.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_mins(30);

/// Whether Cal.com has not found a booking for so long that it counts as gone.
pub fn is_gone(dossier: &Dossier, now: Timestamp) -> bool {
    dossier.calendar_missing_since.is_some_and(|since| now.duration_since(since) >= GONE_AFTER)
}

/// Compares a booking with what Cal.com has of it now, and does what the difference means.
///
/// `hint` is what a webhook says of a cancellation ([`calendar::hint`]); without one, what an earlier one said.
///
/// # Errors
/// Cal.com cannot be asked ([`Error::CalendarUnavailable`]) or the database failed.
pub async fn compare(
    db: &Db,
    calendars: &Calendars,
    id: BookingId,
    hint: Option<&str>,
    now: Timestamp,
) -> Result<Compared, Error> {
    let Some(mut dossier) = dossier::read(db, id).await? else { return Ok(Compared::Nothing(Outcome::UnknownBooking)) };
    if let Some(hint) = hint {
        dossier.calendar_hint = Some(hint.to_owned());
    }
    let Some(access) = &dossier.calendar else { return Ok(Compared::Nothing(Outcome::NoCalendar)) };
    if dossier.booking.state.status == Status::Completed {
        return Ok(Compared::Nothing(Outcome::Over));
    }
    // Our own writes happen while a job is open: what is there now may be half of one.
    if calendar::is_busy(db, id, now).await? {
        return Ok(Compared::Busy);
    }
    let key = calendars.key(dossier.booking.artist, access)?;
    let wanted = question(&dossier, &key, access.event_type, Want::Present { confirmed: true }, 1);
    match observe(calendars.calcom(), &wanted).await {
        // Whether it is gone or the key opens something else, the event type tells.
        Ok(None) if is_lost(&dossier, now) && is_gone(&dossier, now) => {
            match calendars.calcom().event_type(&key, access.event_type).await {
                Ok(_) => {
                    let uid = dossier.booking.calendar_booking.as_deref().unwrap_or_default();
                    ask_artist(db, &dossier, uid, Question::Gone, now).await
                }
                Err(CalcomError::NotFound | CalcomError::Unauthorised) => {
                    Ok(Compared::Nothing(Outcome::CalendarUnreadable))
                }
                Err(error) => Err(Error::CalendarUnavailable(error.to_string())),
            }
        }
        Ok(there) => decide(db, &dossier, there, now).await,
        Err(Converged::Retry { why, .. }) => Err(Error::CalendarUnavailable(why)),
        Err(_) => Ok(Compared::Nothing(Outcome::Refused)),
    }
}

/// Whether Cal.com should have the booking.
fn is_expected(booking: &Booking, now: Timestamp) -> bool {
    booking.state.status.is_open()
        && booking.starts_at > now
        && !booking.has_lapsed(now)
        && !(booking.state.status == Status::Pending && booking.calendar == CalendarMode::AfterPayment)
}

/// Whether a booking that Cal.com does not find was there, and not taken away by ourselves.
fn is_lost(dossier: &Dossier, now: Timestamp) -> bool {
    is_expected(&dossier.booking, now)
        && dossier.booking.calendar_booking.is_some()
        && dossier.calendar_state != CalendarState::Removed
}

async fn decide(db: &Db, dossier: &Dossier, there: Option<CalBooking>, now: Timestamp) -> Result<Compared, Error> {
    let booking = &dossier.booking;
    let live = booking.state.status.is_open();
    let found_again = there.is_some() && dossier.calendar_missing_since.is_some();
    if found_again {
        calendar::is_found(db, booking.id).await?;
    }
    match there {
        // It is not allowed to be called off there: asked again it would be refused again.
        Some(there) if there.is_live() && !live && dossier.calendar_state == CalendarState::Failed => {
            Ok(Compared::Nothing(Outcome::StillThere))
        }
        Some(there) if there.is_live() && !live => again(db, booking, Outcome::StillThere, now).await,
        // What our last job wanted could not be looked up then, or the artist has thought again.
        Some(there)
            if there.is_live()
                && there.start == booking.starts_at
                && (found_again || dossier.calendar_state == CalendarState::CalledOff) =>
        {
            again(db, booking, Outcome::BackThere, now).await
        }
        Some(there) if there.is_live() && there.start == booking.starts_at => Ok(Compared::Nothing(Outcome::Agrees)),
        // We moved it, and Cal.com never heard of it.
        Some(there) if there.is_live() && dossier.calendar_start == Some(there.start) => {
            again(db, booking, Outcome::NotMovedThere, now).await
        }
        Some(there) if there.is_live() => moved(db, booking, &there.uid, there.start, now).await,
        Some(there)
            if live
                && !cancelled_by_us(&there, &dossier.client.email)
                && dossier.calendar_state != CalendarState::Removed =>
        {
            called_off(db, dossier, &there, now).await
        }
        None if is_lost(dossier, now) && dossier.calendar_state == CalendarState::CalledOff => {
            Ok(Compared::Nothing(Outcome::ArtistIsAsked))
        }
        None if is_lost(dossier, now) => {
            calendar::is_missing(db, booking.id, now).await?;
            Ok(Compared::Nothing(Outcome::MissingThere))
        }
        _ if is_expected(booking, now) => again(db, booking, Outcome::MissingThere, now).await,
        _ if !live
            && matches!(
                dossier.calendar_state,
                CalendarState::Synced | CalendarState::CalledOff | CalendarState::Failed
            ) =>
        {
            again(db, booking, Outcome::GoneThere, now).await
        }
        _ => Ok(Compared::Nothing(Outcome::Agrees)),
    }
}

async fn again(db: &Db, booking: &Booking, why: Outcome, now: Timestamp) -> Result<Compared, Error> {
    Ok(Compared::Repair { why, jobs: calendar::sync_again(db, booking.id, now).await? })
}

/// Decides on what was read of `seen`, unless somebody changed it since.
async fn decide_on(
    db: &Db,
    seen: &Booking,
    now: Timestamp,
    rule: impl Fn(&Booking, bool) -> Change,
) -> Result<Settled, Error> {
    let reference = Reference::booking(seen.id);
    settle(db, &reference, None, now, |booking, free| {
        // Cal.com's answer was about the booking as it was then.
        if booking.version == seen.version { rule(booking, free) } else { Change::nothing(Outcome::ChangedMeanwhile) }
    })
    .await
}

fn changed(settled: Settled) -> Compared {
    match settled {
        Settled::Applied { outcome: Outcome::ChangedMeanwhile, .. } => Compared::Busy,
        Settled::Applied { outcome, jobs } if jobs.is_empty() => Compared::Nothing(outcome),
        Settled::Applied { outcome, jobs } => Compared::Changed { outcome, jobs },
        Settled::UnknownBooking | Settled::OtherAccount | Settled::KnownEvent => {
            Compared::Nothing(Outcome::UnknownBooking)
        }
    }
}

/// The artist moved the booking in Cal.com to `start`: it moves here too, when the time is free. If not, it stays where it
/// is and the artist is told.
pub async fn moved(db: &Db, booking: &Booking, uid: &str, start: Timestamp, now: Timestamp) -> Result<Compared, Error> {
    // Cal.com gives a moved booking its event type's own length; the appointment keeps the one that was booked.
    let length = booking.ends_at.duration_since(booking.starts_at);
    let end = after(start, length);
    let settled = decide_on(db, booking, now, |booking, free| booking.move_to(start, end, Actor::Calcom, free)).await?;
    let alert = Task::SendEmail {
        booking: booking.id,
        template: Template::ArtistCalendarConflict,
        occurrence: Occasion::MovedThere(start),
    };
    match settled.outcome() {
        Outcome::Moved => {
            let news = CalendarNews {
                uid: Some(uid),
                start: Some(start),
                state: CalendarState::Synced,
                note: None,
                tasks: &[],
            };
            dossier::note_calendar(db, booking, &news, now).await?;
            Ok(changed(settled))
        }
        Outcome::SlotTaken => {
            let tasks = std::slice::from_ref(&alert);
            let news = CalendarNews {
                uid: Some(uid),
                start: None,
                state: CalendarState::Conflict,
                note: Some(CONFLICT_MOVED),
                tasks,
            };
            let jobs = dossier::note_calendar(db, booking, &news, now).await?;
            Ok(Compared::Changed { outcome: Outcome::SlotTaken, jobs })
        }
        _ => Ok(changed(settled)),
    }
}

/// Somebody called the booking off in Cal.com.
///
/// By the policy if it was the client, with everything back if it was the artist. Where that is not certain nothing moves,
/// and the artist is asked.
pub async fn called_off(db: &Db, dossier: &Dossier, there: &CalBooking, now: Timestamp) -> Result<Compared, Error> {
    let booking = &dossier.booking;
    let mut client = vec![dossier.client.email.as_str()];
    client.extend(there.people.attendees.iter().map(String::as_str));
    let mut artist = vec![dossier.artist.email.as_str()];
    artist.extend(there.people.hosts.iter().map(String::as_str));
    let call_off = CallOff {
        by: there.people.cancelled_by.as_deref(),
        client: &client,
        artist: &artist,
        declined: there.status == CalStatus::Rejected,
        reschedule: calendar::is_reschedule(dossier.calendar_hint.as_deref(), &there.uid),
    };
    let (reason, by) = match call_off.verdict() {
        Verdict::Client => (CancelReason::Client, Canceller::Client),
        Verdict::Artist => (CancelReason::Calendar, Canceller::Artist),
        // Nothing was paid, and the time is free there: somebody who is about to pay must not pay for it.
        Verdict::Ask(_) if booking.state.status == Status::Pending && booking.ledger.is_empty() => {
            (CancelReason::Calendar, Canceller::Artist)
        }
        Verdict::Ask(question) => return ask_artist(db, dossier, &there.uid, question, now).await,
    };
    // The policy counts from the press of the button, not from our hearing of it.
    let at = there.updated_at.map_or(now, |at| at.min(now));
    let rule = |booking: &Booking, _| {
        let mut change = booking.cancel(reason, by, at);
        for line in &mut change.history {
            line.data["via"] = "calcom".into();
        }
        change
    };
    Ok(changed(decide_on(db, booking, now, rule).await?))
}

/// Leaves chair and money where they are, and asks the artist what shall become of them. Once for each booking of Cal.com's.
async fn ask_artist(
    db: &Db,
    dossier: &Dossier,
    uid: &str,
    question: Question,
    now: Timestamp,
) -> Result<Compared, Error> {
    let booking = &dossier.booking;
    if dossier.calendar_state == CalendarState::CalledOff && booking.calendar_booking.as_deref() == Some(uid) {
        return Ok(Compared::Nothing(Outcome::ArtistIsAsked));
    }
    let tasks = [Task::SendEmail {
        booking: booking.id,
        template: Template::ArtistCalendarConflict,
        occurrence: Occasion::CalledOffThere(uid.to_owned()),
    }];
    let news = CalendarNews {
        uid: Some(uid),
        start: None,
        state: CalendarState::CalledOff,
        note: Some(question.name()),
        tasks: &tasks,
    };
    let jobs = dossier::note_calendar(db, booking, &news, now).await?;
    Ok(Compared::Changed { outcome: Outcome::ArtistIsAsked, jobs })
}

/// How long after its end an appointment counts as having taken place, when nobody says otherwise.
pub const OVER_AFTER: SignedDuration = SignedDuration::from_hours(24);
