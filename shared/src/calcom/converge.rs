//! Makes Cal.com agree with a booking: looks, changes what differs, looks again where an answer was lost.
//! Run twice, late or out of order it ends in the same place. It knows nothing of our database.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use super::{Attendee, CalBooking, CalField, CalStatus, Calcom, CalcomError, NewCalBooking};
use crate::config::Secret;
use crate::domain::ids::BookingId;
use crate::domain::job::backoff;

/// How long all calls together may take: less than the worker's own timeout, which would cut them unheard.
const BOUND: Duration = Duration::from_secs(12);

/// How often a booking can have been moved before we stop following.
const MOVES: usize = 5;

/// From this attempt on, a time that one of our own old bookings still takes counts as taken.
const PATIENCE: u32 = 6;

/// How our own cancellations begin, so that we tell them from the artist's.
const OUR_REASON: &str = "InkFlow: ";

/// What Cal.com should hold of a booking.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub key: &'a Secret,
    pub event_type_id: i64,
    pub booking: BookingId,
    pub want: Want<'a>,
    /// Cal.com's uid, when we know it.
    pub known_uid: Option<&'a str>,
    /// The start that Cal.com and we agreed on last: tells who of us moved it since.
    pub agreed_start: Option<Timestamp>,
    /// We called it off there ourselves, and noted that: whatever the words there are, it was not the artist.
    pub removed_by_us: bool,
    /// Cal.com has not found it for so long that it counts as gone.
    pub is_gone: bool,
    pub start: Timestamp,
    pub end: Timestamp,
    pub attendee: Attendee<'a>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// Whether a booking should be at Cal.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want<'a> {
    Absent {
        /// Why, for whoever reads it there.
        reason: &'a str,
    },
    Present {
        /// Whether the artist's yes is given, where the event type asks for one.
        confirmed: bool,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Converged {
    /// It is there.
    Synced {
        /// Cal.com's uid, which may differ from the known one.
        uid: String,
        /// What is not quite as we wanted it.
        note: Option<Note>,
    },
    /// The artist moved it there. Theirs is the last word: we do not move it back.
    MovedThere { uid: String, start: Timestamp },
    /// Somebody else than we called it off there.
    CalledOffThere(Box<CalBooking>),
    /// It was there, and Cal.com finds it neither by its uid nor among the client's bookings. Perhaps it is only not to be
    /// found at the moment: nothing was changed.
    MissingThere,
    /// It was there and is called off.
    Removed,
    /// It is not there, and should not be.
    NothingToDo,
    /// Cal.com has something else in mind with this time. Trying again does not help; the artist must look.
    Conflict { why: Clash },
    /// Cal.com refuses for a reason that trying again does not change.
    Rejected {
        /// Which, without personal data.
        why: String,
    },
    /// Cal.com did not answer, or is about to be asked too often.
    Retry {
        /// How long to wait before the next attempt.
        after: Duration,
        /// What happened, without personal data.
        why: String,
    },
}

/// How Cal.com's booking differs although it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It still waits for the artist's yes, which we could not give.
    NeedsConfirmation,
    /// The event type gave it another length.
    OtherLength,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeedsConfirmation => "waits for confirmation in Cal.com",
            Self::OtherLength => "has another length in Cal.com",
        })
    }
}

/// Why Cal.com and we cannot agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clash {
    /// Something that is not ours takes this time.
    Taken,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "the time is taken in Cal.com",
        })
    }
}

pub async fn converge(calcom: &Calcom, wanted: &Wanted<'_>) -> Converged {
    let run = async {
        match wanted.want {
            Want::Absent { reason } => absent(calcom, wanted, reason).await,
            Want::Present { confirmed } => present(calcom, wanted, confirmed).await,
        }
    };
    let outcome = tokio::time::timeout(BOUND, run).await;
    // Whatever was going on is found again by the next attempt, which looks first.
    outcome.unwrap_or_else(|_| Ok(retry(wanted, "Cal.com takes too long"))).unwrap_or_else(|settled| settled)
}

/// The error side holds an outcome that ends the work early.
type Step<T> = Result<T, Converged>;

async fn present(calcom: &Calcom, wanted: &Wanted<'_>, confirmed: bool) -> Step<Converged> {
    match look(calcom, wanted).await? {
        Some(there) if there.is_live() => agree(calcom, wanted, there, confirmed).await,
        Some(gone) if !wanted.removed_by_us && !cancelled_by_us(&gone, wanted.attendee.email) => {
            Ok(Converged::CalledOffThere(Box::new(gone)))
        }
        // Made again it might be there twice, once Cal.com finds its own again. The artist is asked in the end.
        None if wanted.known_uid.is_some() && !wanted.removed_by_us => Ok(Converged::MissingThere),
        Some(_) | None => create(calcom, wanted, confirmed).await,
    }
}

async fn create(calcom: &Calcom, wanted: &Wanted<'_>, confirmed: bool) -> Step<Converged> {
    let minutes = wanted.end.duration_since(wanted.start).as_mins();
    let mut new = NewCalBooking {
        event_type_id: wanted.event_type_id,
        start: wanted.start,
        length_minutes: u32::try_from(minutes).ok(),
        booking: wanted.booking,
        attendee: wanted.attendee,
    };
    let error = loop {
        match calcom.create(wanted.key, new).await {
            Ok(created) if created.inkflow_id.is_none_or(|id| id == wanted.booking) => {
                return agree(calcom, wanted, created, confirmed).await;
            }
            // An event type that asks for the artist's yes gives the same person's earlier request back.
            Ok(_) => break CalcomError::Taken,
            // Each field is given up once at most, so this ends.
            Err(CalcomError::FieldRefused(CalField::Length)) if new.length_minutes.is_some() => {
                new.length_minutes = None;
            }
            Err(CalcomError::FieldRefused(CalField::Phone)) if new.attendee.phone.is_some() => {
                new.attendee.phone = None;
            }
            Err(error) => break error,
        }
    };
    match &error {
        CalcomError::Taken | CalcomError::Conflict | CalcomError::Unavailable(_) | CalcomError::Unexpected { .. } => {
            // Perhaps it is our own booking that takes the time: made by an answer that we never got.
            if let Some(there) = look(calcom, wanted).await?.filter(CalBooking::is_live) {
                return agree(calcom, wanted, there, confirmed).await;
            }
        }
        _ => {}
    }
    match error {
        CalcomError::Taken => taken(calcom, wanted).await,
        CalcomError::Outside | CalcomError::NotFound | CalcomError::FieldRefused(_) => {
            Ok(Converged::Rejected { why: error.to_string() })
        }
        error => Err(give_up(wanted, error)),
    }
}

/// The time is taken, and not by this booking. An older one of ours may be on its way out.
async fn taken(calcom: &Calcom, wanted: &Wanted<'_>) -> Step<Converged> {
    let conflict = Converged::Conflict { why: Clash::Taken };
    if wanted.attempt >= PATIENCE {
        return Ok(conflict);
    }
    let ours = calcom.ours_between(wanted.key, wanted.start, wanted.end).await;
    let ours = ours.map_err(|error| give_up(wanted, error))?;
    if ours.iter().any(|other| other.inkflow_id != Some(wanted.booking)) {
        return Ok(retry(wanted, "an earlier booking of ours still takes the time"));
    }
    Ok(conflict)
}

/// The booking is there: gives the artist's yes where it is wanted, and says what differs.
async fn agree(calcom: &Calcom, wanted: &Wanted<'_>, there: CalBooking, confirmed: bool) -> Step<Converged> {
    let mut there = there;
    let mut note = None;
    if there.start != wanted.start {
        if wanted.agreed_start != Some(there.start) {
            return Ok(Converged::MovedThere { uid: there.uid, start: there.start });
        }
        there = move_there(calcom, wanted, &there).await?;
    }
    if confirmed && there.status == CalStatus::Pending {
        match calcom.confirm(wanted.key, &there.uid).await {
            Ok(now) => there = now,
            Err(error @ (CalcomError::Unavailable(_) | CalcomError::RateLimited { .. })) => {
                return Err(give_up(wanted, error));
            }
            // Somebody was faster, or this key may not: what it says now decides.
            Err(_) => {
                there = calcom.get(wanted.key, &there.uid).await.map_err(|error| give_up(wanted, error))?;
            }
        }
        if !there.is_live() {
            return Ok(Converged::CalledOffThere(Box::new(there)));
        }
        if there.status == CalStatus::Pending {
            note = Some(Note::NeedsConfirmation);
        }
    }
    if note.is_none() && there.end != wanted.end {
        note = Some(Note::OtherLength);
    }
    Ok(Converged::Synced { uid: there.uid, note })
}

/// We moved it: Cal.com makes another booking of it, which takes its place.
async fn move_there(calcom: &Calcom, wanted: &Wanted<'_>, there: &CalBooking) -> Step<CalBooking> {
    let error = match calcom.reschedule(wanted.key, &there.uid, wanted.start, &our_reason("moved")).await {
        Ok(moved) => return Ok(moved),
        Err(error @ (CalcomError::RateLimited { .. } | CalcomError::Unauthorised)) => {
            return Err(give_up(wanted, error));
        }
        Err(error) => error,
    };
    // Perhaps it was done, by an answer that we never got.
    match look(calcom, wanted).await? {
        Some(now) if now.is_live() && now.start == wanted.start => Ok(now),
        _ if error == CalcomError::Taken => Err(Converged::Conflict { why: Clash::Taken }),
        _ => Err(give_up(wanted, error)),
    }
}

async fn absent(calcom: &Calcom, wanted: &Wanted<'_>, reason: &str) -> Step<Converged> {
    let there = match look(calcom, wanted).await? {
        None if wanted.known_uid.is_some() && !wanted.removed_by_us && !wanted.is_gone => {
            return Ok(Converged::MissingThere);
        }
        None => return Ok(Converged::NothingToDo),
        Some(there) if there.is_live() => there,
        Some(_) => return Ok(Converged::Removed),
    };
    let error = match calcom.cancel(wanted.key, &there.uid, &our_reason(reason)).await {
        Ok(now) if !now.is_live() => return Ok(Converged::Removed),
        Ok(_) => return Ok(retry(wanted, "Cal.com did not call the booking off")),
        Err(error @ (CalcomError::RateLimited { .. } | CalcomError::Unauthorised)) => {
            return Err(give_up(wanted, error));
        }
        Err(error) => error,
    };
    match look(calcom, wanted).await? {
        Some(now) if now.is_live() => Err(give_up(wanted, error)),
        Some(_) => Ok(Converged::Removed),
        None => Ok(Converged::MissingThere),
    }
}

/// What Cal.com has of the booking, under whatever uid it goes by now; changes nothing.
///
/// # Errors
/// Cal.com cannot be asked: [`Converged::Retry`], or [`Converged::Rejected`] when asking again does not help.
pub async fn observe(calcom: &Calcom, wanted: &Wanted<'_>) -> Result<Option<CalBooking>, Converged> {
    let outcome = tokio::time::timeout(BOUND, look(calcom, wanted)).await;
    outcome.unwrap_or_else(|_| Err(retry(wanted, "Cal.com takes too long")))
}

/// What Cal.com has of the booking, under whatever uid it goes by now.
async fn look(calcom: &Calcom, wanted: &Wanted<'_>) -> Step<Option<CalBooking>> {
    let known = match wanted.known_uid {
        Some(uid) => follow(calcom, wanted, uid).await?,
        None => None,
    };
    if known.as_ref().is_some_and(CalBooking::is_live) {
        return Ok(known);
    }
    // Unknown, deleted or called off: an attempt that broke off may have made another one since.
    let found = calcom
        .find(wanted.key, wanted.event_type_id, wanted.booking, wanted.attendee.email)
        .await
        .map_err(|error| give_up(wanted, error))?;
    let found = match found {
        Some(found) if !found.is_live() && found.moved_to.is_some() => follow(calcom, wanted, &found.uid).await?,
        other => other,
    };
    Ok(found.or(known))
}

/// The booking of this uid, or the one it was moved to.
async fn follow(calcom: &Calcom, wanted: &Wanted<'_>, uid: &str) -> Step<Option<CalBooking>> {
    let mut uid = uid.to_owned();
    let mut last = None;
    for _ in 0..=MOVES {
        match calcom.get(wanted.key, &uid).await {
            Ok(booking) => {
                let next = booking.moved_to.clone().filter(|_| !booking.is_live());
                last = Some(booking);
                match next {
                    Some(next) => uid = next,
                    None => break,
                }
            }
            Err(CalcomError::NotFound) => break,
            Err(error) => return Err(give_up(wanted, error)),
        }
    }
    Ok(last)
}

fn our_reason(reason: &str) -> String {
    format!("{OUR_REASON}{}", reason.strip_prefix(OUR_REASON).unwrap_or(reason))
}

/// True for a booking that was called off there in our own words, and not by a client who repeats them.
pub fn cancelled_by_us(booking: &CalBooking, client: &str) -> bool {
    let by_client = booking.people.cancelled_by.as_deref().is_some_and(|by| by.eq_ignore_ascii_case(client));
    booking.status == CalStatus::Cancelled
        && !by_client
        && booking.cancellation_reason.as_deref().is_some_and(|reason| reason.starts_with(OUR_REASON))
}

/// What an error means for the job.
fn give_up(wanted: &Wanted<'_>, error: CalcomError) -> Converged {
    let why = error.to_string();
    match error {
        CalcomError::RateLimited { retry_after } => {
            Converged::Retry { after: retry_after.max(backoff(wanted.attempt)), why }
        }
        // An answer that we cannot read may be one of a Cal.com that is being repaired: keep the job.
        CalcomError::Unexpected { status: 200..=299, .. } | CalcomError::Unavailable(_) | CalcomError::Conflict => {
            retry(wanted, &why)
        }
        CalcomError::Taken
        | CalcomError::Outside
        | CalcomError::FieldRefused(_)
        | CalcomError::CancellingDisabled
        | CalcomError::NotFound
        | CalcomError::Unauthorised
        | CalcomError::Unexpected { .. } => Converged::Rejected { why },
    }
}

fn retry(wanted: &Wanted<'_>, why: &str) -> Converged {
    Converged::Retry { after: backoff(wanted.attempt), why: why.to_owned() }
}
