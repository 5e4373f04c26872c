//! The write of a hold, with all that goes with it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::Networks;
use crate::db::{Db, Repeat, get, get_json, job_ids, job_rows};
use crate::domain::booking::{Booking, CalendarMode};
use crate::domain::calendar::CalendarState;
use crate::domain::contact::{EmailAddress, FullName, PhoneNumber, ProjectBrief};
use crate::domain::ids::{ArtistId, BookingId, FlashId, JobId};
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::domain::policy::CancellationPolicy;
use crate::domain::refusal::Refusal;
use crate::domain::shares::{Load, Most};
use crate::domain::slots::Slot;
use crate::error::{Error, OnConstraint};

/// What is being booked.
#[derive(Debug)]
pub enum Subject {
    Flash {
        id: FlashId,
        /// Its whole price.
        price: Cents,
        /// False for a unique piece, which is sold once.
        repeatable: bool,
    },
    Project(ProjectBrief),
}

#[derive(Debug)]
pub struct NewHold<'a> {
    /// Its id, made by us.
    pub id: BookingId,
    pub artist: ArtistId,
    pub subject: &'a Subject,
    pub slot: Slot,
    /// What is booked, in a few words; empty for a project.
    pub title: &'a str,
    pub deposit: Cents,
    /// The promise made to the client.
    pub policy: &'a CancellationPolicy,
    pub name: &'a FullName,
    /// Where the mails go, as compared.
    pub email: &'a EmailAddress,
    pub phone: &'a PhoneNumber,
    /// The client's language.
    pub locale: Locale,
    pub networks: &'a Networks,
    pub hold_expires_at: Timestamp,
    /// When Stripe's page closes.
    pub checkout_expires_at: Timestamp,
    /// The connected account; none is the platform's own.
    pub account: Option<&'a str>,
    pub calendar: CalendarMode,
    /// The client's idempotency key and the hash of the request it stands for.
    pub idempotency: Option<(&'a str, &'a [u8])>,
    /// How many other holds there may be.
    pub most: &'a Most,
    /// The proof of work that is used up with it.
    pub proof: Option<&'a str>,
}

/// What came of writing a hold.
#[derive(Debug)]
pub enum Taken {
    Held(Written),
    /// There are more unpaid holds by now than it was granted beside.
    Crowded(Load),
    /// Its proof was used before.
    ProofIsSpent,
}

/// The jobs of a hold that was just written.
#[derive(Debug, Default)]
pub struct Written {
    /// Those to send at once.
    pub jobs: Vec<JobId>,
    /// The one that waits, and for how long.
    pub later: Option<(JobId, SignedDuration)>,
}

/// Writes a hold with its history, its jobs, its idempotency key and what its proof was used for: all or nothing. One flight.
///
/// The other holds are counted again in there, in turn with everybody who could add one.
///
/// # Errors
/// [`Refusal::SlotTaken`] or [`Refusal::FlashTaken`] when the database says somebody was faster, [`Refusal::NotOpenYet`] when
/// the artist takes no deposits, [`Error::RequestInProgress`] when the same key is being used at this moment, else the
/// database failed.
pub async fn write(db: &Db, hold: &NewHold<'_>, now: Timestamp) -> Result<Taken, Error> {
    const SQL: &str = include_str!("../sql/write_hold.sql");
    let (kind, flash_id, unique_flash_id, price, brief) = match hold.subject {
        Subject::Flash { id, price, repeatable } => {
            ("flash", Some(id), (!repeatable).then_some(id), Some(price.to_euros()), None)
        }
        Subject::Project(brief) => ("project", None, None, None, Some(brief)),
    };
    let record = json!({
        "id": hold.id, "type": kind, "scheduled_at": hold.slot.start, "ends_at": hold.slot.end,
        "acompte_amount": hold.deposit.to_euros(), "price": price, "title": hold.title, "policy": hold.policy,
        "flash_id": flash_id, "unique_flash_id": unique_flash_id,
        "project_description": brief.map(ProjectBrief::description),
        "project_body_zone": brief.map(ProjectBrief::body_zone),
        "project_budget": brief.and_then(ProjectBrief::budget).map(Cents::to_euros),
        "client_name": hold.name.as_str(), "client_email": hold.email.normalised(), "client_phone": hold.phone.as_str(),
        "client_locale": hold.locale.code(), "hold_expires_at": hold.hold_expires_at,
        "checkout_expires_at": hold.checkout_expires_at, "stripe_account_id": hold.account,
        "calendar_state": if hold.calendar == CalendarMode::Off { CalendarState::Off } else { CalendarState::Waiting },
    });
    let news = job_rows(&[Booking::news_of_a_new_hold(hold.id)], 1, now, now);
    let mut jobs = job_rows(&Booking::tasks_of_a_new_hold(hold.id, hold.calendar), 1, now, now);
    let reminder = Booking::reminder_of_a_new_hold(hold.id, hold.hold_expires_at, now);
    let waiting = reminder.as_ref().map(|(task, at)| job_rows(std::slice::from_ref(task), 1, *at, now));
    let waiting = waiting.unwrap_or_else(|| json!([]));
    if let (Value::Array(jobs), Value::Array(waiting)) = (&mut jobs, &waiting) {
        jobs.extend_from_slice(waiting);
    }
    let (key, hash) = hold.idempotency.unzip();
    let most = json!(hold.most);
    let row = db
        .row(
            Repeat::Unsafe,
            SQL,
            &[
                (&hold.artist.uuid(), Type::UUID),
                (&record, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&key, Type::TEXT),
                (&hash, Type::BYTEA),
                (&jobs, Type::JSONB),
                (&hold.networks.near.as_slice(), Type::BYTEA),
                (&news, Type::JSONB),
                (&hold.networks.wide.as_slice(), Type::BYTEA),
                (&most, Type::JSONB),
                (&hold.proof, Type::TEXT),
            ],
        )
        .await
        .on_constraint("bookings_no_overlap", Refusal::SlotTaken)
        .on_constraint("bookings_one_live_per_unique_flash", Refusal::FlashTaken)
        .on_constraint("bookings_artist_is_open", Refusal::NotOpenYet)?
        .ok_or_else(|| Error::Internal("a hold answers one row".into()))?;
    if !get::<bool>(&row, "fits")? {
        return Ok(Taken::Crowded(get_json(&row, "load")?));
    }
    if !get::<bool>(&row, "good")? {
        return Ok(Taken::ProofIsSpent);
    }
    if !get::<bool>(&row, "held")? {
        return Err(Error::RequestInProgress);
    }
    let waits = |job: &JobId| waiting[0]["id"] == job.to_string();
    let (later, jobs): (Vec<JobId>, Vec<JobId>) = job_ids(&row, "jobs")?.into_iter().partition(waits);
    let later = later.first().copied().zip(reminder).map(|(job, (_, at))| (job, at.duration_since(now)));
    Ok(Taken::Held(Written { jobs, later }))
}
