//! The write of a hold, with all that goes with it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::Networks;
use crate::db::{Db, Repeat, get, get_json, insert_jobs, job_ids, job_rows};
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
    /// A flash.
    Flash {
        /// Which.
        id: FlashId,
        /// Its whole price.
        price: Cents,
        /// False for a unique piece, which is sold once.
        repeatable: bool,
    },
    /// A custom project.
    Project(ProjectBrief),
}

/// A hold to write.
#[derive(Debug)]
pub struct NewHold<'a> {
    /// Its id, made by us.
    pub id: BookingId,
    /// Whose chair.
    pub artist: ArtistId,
    /// What for.
    pub subject: &'a Subject,
    /// When.
    pub slot: Slot,
    /// What is booked, in a few words; empty for a project.
    pub title: &'a str,
    /// What is paid ahead.
    pub deposit: Cents,
    /// The promise made to the client.
    pub policy: &'a CancellationPolicy,
    /// Who.
    pub name: &'a FullName,
    /// Where the mails go, as compared.
    pub email: &'a EmailAddress,
    /// How the artist calls back.
    pub phone: &'a PhoneNumber,
    /// The client's language.
    pub locale: Locale,
    /// The client's networks.
    pub networks: &'a Networks,
    /// When the hold ends.
    pub hold_expires_at: Timestamp,
    /// When Stripe's page closes.
    pub checkout_expires_at: Timestamp,
    /// The connected account, or the platform's own.
    pub account: Option<&'a str>,
    /// Whether and when Cal.com is told.
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
    /// It is held.
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
/// the artist takes no deposits,
/// [`Error::RequestInProgress`] when the same key is being used at this moment, else the database failed.
pub async fn write(db: &Db, hold: &NewHold<'_>, now: Timestamp) -> Result<Taken, Error> {
    const SQL: &str = concat!(
        r"with room as materialized (
             select r.fits, r.load from hold_room($1, $2->>'client_email', $2->>'client_phone', $7, $9,
                 ($2->>'flash_id')::uuid, $3, $10) r
         ), spent as (
             insert into idempotency_keys (scope, key, request_hash, created_at)
             select 'proof', $11, decode('', 'hex'), $3 from room where fits and $11::text is not null
             on conflict (scope, key) do nothing returning key
         ), good as materialized (
             select from room where fits and ($11::text is null or exists (select from spent))
         ), claimed as (
             insert into idempotency_keys (scope, key, request_hash, booking_id, created_at)
             select 'create-booking', $4, $5, ($2->>'id')::uuid, $3 from good where $4::text is not null
             on conflict (scope, key) do nothing returning key
         ), held as (
             insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
                 flash_id, unique_flash_id, project_description, project_body_zone, project_budget,
                 client_name, client_email, client_phone, client_locale, client_origin, client_wide,
                 hold_expires_at, checkout_expires_at, stripe_account_id, calendar_state, created_at, updated_at)
             select r.id, $1, r.type, 'pending', r.scheduled_at, r.ends_at, r.acompte_amount, r.price, r.title, r.policy,
                 r.flash_id, r.unique_flash_id, r.project_description, r.project_body_zone, r.project_budget,
                 r.client_name, r.client_email, r.client_phone, r.client_locale, $7, $9,
                 r.hold_expires_at, r.checkout_expires_at, r.stripe_account_id, r.calendar_state, $3, $3
             from good, jsonb_to_record($2) as r(id uuid, type text, scheduled_at timestamptz, ends_at timestamptz,
                 acompte_amount numeric, price numeric, title text, policy jsonb, flash_id uuid, unique_flash_id uuid,
                 project_description text, project_body_zone text, project_budget numeric,
                 client_name text, client_email text, client_phone text, client_locale text,
                 hold_expires_at timestamptz, checkout_expires_at timestamptz, stripe_account_id text, calendar_state text)
             where $4::text is null or exists (select from claimed)
             returning id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind) select id, $3, 'client', 'held' from held
         ), jobs as (",
        // Most artists want to hear of what is paid only.
        insert_jobs!(
            "(select case when a.pending_mails then $8::jsonb else '[]' end from artists a where a.id = $1) || $6",
            "held, "
        ),
        r") select exists (select from held) as held, array(select id from jobs) as jobs,
             r.fits, r.load, exists (select from good) as good from room r"
    );
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
