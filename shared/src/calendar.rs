//! How news of Cal.com reaches a booking: read it there again, let the rules decide, write the decision.
//!
//! One path for the webhook, for the sweeper and for the worker who finds the calendar otherwise than expected.

use jiff::{SignedDuration, Timestamp};

use crate::availability::Calendars;
use crate::calcom::converge::{Converged, Want, Wanted, cancelled_by_us, observe};
use crate::calcom::{Attendee, CalBooking};
use crate::db::bookings::Reference;
use crate::db::dossier::{self, CalendarNews, Dossier};
use crate::db::{Db, calendar};
use crate::domain::booking::{Actor, Booking, CalendarMode, CancelReason, Change, Status};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::{Task, Template};
use crate::domain::policy::Canceller;
use crate::error::Error;
use crate::settle::{Settled, settle};

/// The note of a booking that the artist moved in Cal.com to a time that is taken here.
pub const CONFLICT_MOVED: &str = "moved in Cal.com to a time that is taken here";

/// What came of comparing a booking with what Cal.com has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Nothing to do, for the reason named.
    Nothing(&'static str),
    /// A job is at work on it, and will look itself.
    Busy,
    /// The artist did something there, and it is done here too.
    Changed {
        /// What, in one word.
        outcome: &'static str,
        /// The jobs that follow.
        jobs: Vec<JobId>,
    },
    /// Cal.com is not what our last job left it as: another job sees to it.
    Repair {
        /// What is wrong, in one word.
        why: &'static str,
        /// The job.
        jobs: Vec<JobId>,
    },
}

impl Compared {
    /// In one word, for the record of the event and for the log.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Nothing(why) | Self::Repair { why, .. } => why,
            Self::Busy => "busy",
            Self::Changed { outcome, .. } => outcome,
        }
    }

    /// The jobs that follow.
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
        removed_by_us: dossier.calendar_state == "removed",
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

/// Compares a booking with what Cal.com has of it now, and does what the difference means.
///
/// # Errors
/// Cal.com cannot be asked ([`Error::CalendarUnavailable`]) or the database failed.
pub async fn compare(db: &Db, calendars: &Calendars, id: BookingId, now: Timestamp) -> Result<Compared, Error> {
    let Some(dossier) = dossier::read(db, id).await? else { return Ok(Compared::Nothing("unknown_booking")) };
    let Some(access) = &dossier.calendar else { return Ok(Compared::Nothing("no_calendar")) };
    if dossier.booking.state.status == Status::Completed {
        return Ok(Compared::Nothing("over"));
    }
    // Our own writes happen while a job is open: what is there now may be half of one.
    if calendar::is_busy(db, id, now).await? {
        return Ok(Compared::Busy);
    }
    let key = calendars.key(dossier.booking.artist, access)?;
    let wanted = question(&dossier, &key, access.event_type, Want::Present { confirmed: true }, 1);
    match observe(calendars.calcom(), &wanted).await {
        Ok(there) => decide(db, &dossier, there, now).await,
        Err(Converged::Retry { why, .. }) => Err(Error::CalendarUnavailable(why)),
        Err(_) => Ok(Compared::Nothing("refused")),
    }
}

async fn decide(db: &Db, dossier: &Dossier, there: Option<CalBooking>, now: Timestamp) -> Result<Compared, Error> {
    let booking = &dossier.booking;
    let live = matches!(booking.state.status, Status::Pending | Status::Confirmed);
    let expected = live
        && booking.starts_at > now
        && !booking.has_lapsed(now)
        && !(booking.state.status == Status::Pending && booking.calendar == CalendarMode::AfterPayment);
    match there {
        Some(there) if there.is_live() && !live => again(db, booking, "still_there", now).await,
        Some(there) if there.is_live() && there.start == booking.starts_at => Ok(Compared::Nothing("agrees")),
        // We moved it, and Cal.com never heard of it.
        Some(there) if there.is_live() && dossier.calendar_start == Some(there.start) => {
            again(db, booking, "not_moved_there", now).await
        }
        Some(there) if there.is_live() => moved(db, booking, &there.uid, there.start, now).await,
        Some(there) if live && !cancelled_by_us(&there) && dossier.calendar_state != "removed" => {
            called_off(db, booking, now).await
        }
        _ if expected => again(db, booking, "missing_there", now).await,
        _ if dossier.calendar_state == "synced" && !live => again(db, booking, "gone_there", now).await,
        _ => Ok(Compared::Nothing("agrees")),
    }
}

async fn again(db: &Db, booking: &Booking, why: &'static str, now: Timestamp) -> Result<Compared, Error> {
    Ok(Compared::Repair { why, jobs: calendar::sync_again(db, booking.id, now).await? })
}

/// Decides on what was read of `seen`, unless somebody changed it since.
async fn decide_on(
    db: &Db,
    seen: &Booking,
    now: Timestamp,
    rule: impl Fn(&Booking, bool) -> Change,
) -> Result<Settled, Error> {
    let reference = Reference { booking: Some(seen.id), payment_intent: None };
    settle(db, &reference, None, now, |booking, free| {
        // Cal.com's answer was about the booking as it was then.
        if booking.version == seen.version { rule(booking, free) } else { Change::nothing("changed_meanwhile") }
    })
    .await
}

fn changed(settled: Settled) -> Compared {
    match settled {
        Settled::Applied { outcome: "changed_meanwhile", .. } => Compared::Busy,
        Settled::Applied { outcome, jobs } if jobs.is_empty() => Compared::Nothing(outcome),
        Settled::Applied { outcome, jobs } => Compared::Changed { outcome, jobs },
        Settled::UnknownBooking | Settled::KnownEvent => Compared::Nothing("unknown_booking"),
    }
}

/// The artist moved the booking in Cal.com to `start`: it moves here too, when the time is free. If not, it stays where it
/// is and the artist is told.
///
/// # Errors
/// The database failed.
pub async fn moved(db: &Db, booking: &Booking, uid: &str, start: Timestamp, now: Timestamp) -> Result<Compared, Error> {
    // Cal.com gives a moved booking its event type's own length; the appointment keeps the one that was booked.
    let length = booking.ends_at.duration_since(booking.starts_at);
    let end = start.saturating_add(length).unwrap_or(Timestamp::MAX);
    let settled = decide_on(db, booking, now, |booking, free| booking.move_to(start, end, Actor::Calcom, free)).await?;
    let alert = Task::SendEmail {
        booking: booking.id,
        template: Template::ArtistCalendarConflict,
        occurrence: format!("moved:{start}"),
    };
    match settled.outcome() {
        "moved" => {
            let news = CalendarNews { uid: Some(uid), start: Some(start), state: "synced", note: None, tasks: &[] };
            dossier::note_calendar(db, booking, &news, now).await?;
            Ok(changed(settled))
        }
        "slot_taken" => {
            let tasks = std::slice::from_ref(&alert);
            let news =
                CalendarNews { uid: Some(uid), start: None, state: "conflict", note: Some(CONFLICT_MOVED), tasks };
            let jobs = dossier::note_calendar(db, booking, &news, now).await?;
            Ok(Compared::Changed { outcome: "slot_taken", jobs })
        }
        _ => Ok(changed(settled)),
    }
}

/// The artist called the booking off in Cal.com, or declined it there: it is cancelled here too, and everything that was
/// paid goes back, as when the artist cancels.
///
/// # Errors
/// The database failed.
pub async fn called_off(db: &Db, booking: &Booking, now: Timestamp) -> Result<Compared, Error> {
    let rule = |booking: &Booking, _| booking.cancel(CancelReason::Calendar, Canceller::Artist, now);
    Ok(changed(decide_on(db, booking, now, rule).await?))
}

/// How long after its end an appointment counts as having taken place, when nobody says otherwise.
pub const OVER_AFTER: SignedDuration = SignedDuration::from_hours(24);
