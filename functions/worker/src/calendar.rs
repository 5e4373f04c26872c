//! Brings Cal.com in line with a booking, whatever either of them is at the moment.

use jiff::Timestamp;
use shared::calcom::converge::{Clash, Converged, Note, Want, converge};
use shared::db::calendar::is_missing;
use shared::db::dossier::{self, CalendarNews, Dossier};
use shared::domain::booking::{CalendarMode, Status};
use shared::domain::calendar::CalendarState;
use shared::domain::job::{Occasion, Outcome, Task, Template};
use shared::error::Error;
use shared::follow_calendar::{self, Compared};

use crate::{App, Attempt};

pub(crate) async fn sync(attempt: &Attempt<'_>) -> Result<Outcome, Error> {
    let &Attempt { app, job, dossier, now } = attempt;
    let Some(access) = &dossier.calendar else {
        return Ok(Outcome::Discard { why: "the artist has no Cal.com any more".into() });
    };
    let Some(want) = wanted(dossier, now) else { return Ok(Outcome::Done) };
    let key = app.calendars.key(dossier.booking.artist, access)?;
    let number = u32::try_from(job.attempts).unwrap_or(1);
    let mut wanted = follow_calendar::question(dossier, &key, access.event_type, want, number);
    wanted.is_gone = follow_calendar::is_gone(dossier, now);
    let converged = converge(app.calendars.calcom(), &wanted).await;
    note(app, dossier, converged, now).await
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
        // The artist has the last word about the artist's calendar.
        Converged::MovedThere { uid, start } => {
            return followed(app, follow_calendar::moved(&app.db, booking, &uid, start, now).await?).await;
        }
        Converged::CalledOffThere(there) => {
            return followed(app, follow_calendar::called_off(&app.db, dossier, &there, now).await?).await;
        }
        // Looked for again by the sweeper, which asks the artist in the end.
        Converged::MissingThere => {
            is_missing(&app.db, booking.id, now).await?;
            return Ok(Outcome::Done);
        }
        Converged::Synced { uid, note } => {
            (Some(uid), CalendarState::Synced, note.as_ref().map(Note::to_string), Outcome::Done)
        }
        Converged::Removed | Converged::NothingToDo => (None, CalendarState::Removed, None, Outcome::Done),
        Converged::Conflict { why: Clash::Taken } => {
            let words = CONFLICT_TAKEN.to_owned();
            (None, CalendarState::Conflict, Some(words.clone()), Outcome::Discard { why: words })
        }
        Converged::Rejected { why } => (None, CalendarState::Failed, Some(why.clone()), Outcome::Discard { why }),
    };
    // Called off here, and Cal.com keeps the time blocked: nobody but the artist can free it.
    let kept = state == CalendarState::Failed && booking.state.status == Status::Cancelled;
    let alert = Task::SendEmail {
        booking: booking.id,
        template: Template::ArtistCalendarConflict,
        occurrence: if kept { Occasion::Kept(booking.version) } else { Occasion::Version(booking.version) },
    };
    let tasks = if state == CalendarState::Conflict || kept { std::slice::from_ref(&alert) } else { &[] };
    let start = (state == CalendarState::Synced).then_some(booking.starts_at);
    let news = CalendarNews { uid: uid.as_deref(), start, state, note: words.as_deref(), tasks };
    let jobs = dossier::note_calendar(&app.db, booking, &news, now).await?;
    app.queue.hand_on(&jobs).await;
    Ok(outcome)
}

/// What the artist did in Cal.com is done here; what follows has jobs of its own.
async fn followed(app: &App, compared: Compared) -> Result<Outcome, Error> {
    app.queue.hand_on(compared.jobs()).await;
    Ok(match compared {
        Compared::Busy => Outcome::Retry { after: AGAIN, why: "the booking changed meanwhile".into() },
        _ => Outcome::Done,
    })
}

/// When to look again at a booking that somebody changed at the same moment.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// The note of a booking whose time is taken in Cal.com.
pub(crate) const CONFLICT_TAKEN: &str = "the time is taken in Cal.com";
