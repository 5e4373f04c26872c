//! All that the worker needs to know of one booking, in one flight, and what it notes about the calendar.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio_postgres::types::Type;

use super::artists::CalendarAccess;
use super::bookings::{booking, booking_columns, euros_opt};
use super::{Db, Repeat, get, get_named, get_zone, insert_jobs, job_ids, job_rows};
use crate::domain::booking::Booking;
use crate::domain::calendar::CalendarState;
use crate::domain::ids::{BookingId, JobId};
use crate::domain::job::Task;
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::domain::place::AddressShown;
use crate::error::Error;

/// A booking with the people it concerns.
#[derive(Debug)]
pub struct Dossier {
    pub booking: Booking,
    /// The flash's title; empty for a project.
    pub title: String,
    /// The whole price; none for a project.
    pub price: Option<Cents>,
    /// It stood at some time: the client's calendar may hold it.
    pub was_confirmed: bool,
    /// When Stripe's page closes.
    pub checkout_expires_at: Option<Timestamp>,
    /// The connected account; none is the platform's own.
    pub stripe_account: Option<String>,
    pub artist: Artist,
    pub client: Client,
    pub project: Option<Project>,
    pub calendar: Option<CalendarAccess>,
    /// The start that Cal.com and we agreed on last.
    pub calendar_start: Option<Timestamp>,
    /// What the last look at Cal.com said (`bookings.calendar_state`).
    pub calendar_state: CalendarState,
    /// The same in words.
    pub calendar_note: Option<String>,
    /// What a webhook said of a cancellation there, and of which uid ([`super::calendar::hint`]).
    pub calendar_hint: Option<String>,
    /// Since when Cal.com does not find what it had.
    pub calendar_missing_since: Option<Timestamp>,
}

#[derive(Debug)]
pub struct Artist {
    pub name: String,
    pub email: String,
    /// Where the appointment takes place.
    pub address: String,
    pub address_shown: AddressShown,
    pub city: String,
    /// The zone on whose clock the appointment is told.
    pub zone: TimeZone,
    /// Its IANA name.
    pub zone_name: String,
    /// The last segment of the artist's page.
    pub slug: String,
    pub locale: Locale,
}

pub struct Client {
    pub name: String,
    pub email: String,
    pub phone: String,
    pub locale: Locale,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client [redacted]")
    }
}

pub struct Project {
    pub description: String,
    pub body_zone: String,
    pub budget: Option<Cents>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Project [redacted]")
    }
}

/// Reads it; none when there is no such booking. One flight.
pub async fn read(db: &Db, id: BookingId) -> Result<Option<Dossier>, Error> {
    const SQL: &str = concat!(
        "select ",
        booking_columns!(),
        r", b.title, b.price::text, b.confirmed_at is not null as was_confirmed, b.checkout_expires_at, b.stripe_account_id, b.calendar_start, b.calendar_state, b.calendar_note,
         b.calendar_hint, b.calendar_missing_since,
         b.client_name, b.client_email, b.client_phone, b.client_locale,
         b.project_description, b.project_body_zone, b.project_budget::text,
         a.display_name, a.email, a.address, a.address_shown, a.city, coalesce(b.timezone, a.timezone) as timezone, a.slug, a.locale,
         a.cal_com_event_type_id, a.cal_com_api_key
         from bookings b join artists a on a.id = b.artist_id where b.id = $1"
    );
    let Some(row) = db.row(Repeat::Safe, SQL, &[(&id.uuid(), Type::UUID)]).await? else { return Ok(None) };
    let project = match get::<Option<String>>(&row, "project_description")? {
        None => None,
        Some(description) => Some(Project {
            description,
            body_zone: get::<Option<String>>(&row, "project_body_zone")?.unwrap_or_default(),
            budget: euros_opt(&row, "project_budget")?,
        }),
    };
    let calendar = match (get(&row, "cal_com_event_type_id")?, get(&row, "cal_com_api_key")?) {
        (Some(event_type), Some(sealed_key)) => Some(CalendarAccess { event_type, sealed_key }),
        _ => None,
    };
    Ok(Some(Dossier {
        booking: booking(&row)?,
        title: get(&row, "title")?,
        price: euros_opt(&row, "price")?,
        was_confirmed: get(&row, "was_confirmed")?,
        checkout_expires_at: get(&row, "checkout_expires_at")?,
        stripe_account: get(&row, "stripe_account_id")?,
        artist: Artist {
            name: get(&row, "display_name")?,
            email: get(&row, "email")?,
            address: get(&row, "address")?,
            address_shown: get_named(&row, "address_shown", AddressShown::parse)?,
            city: get(&row, "city")?,
            zone: get_zone(&row, "timezone")?,
            zone_name: get(&row, "timezone")?,
            slug: get(&row, "slug")?,
            locale: Locale::from_tag(get(&row, "locale")?),
        },
        client: Client {
            name: get(&row, "client_name")?,
            email: get(&row, "client_email")?,
            phone: get(&row, "client_phone")?,
            locale: Locale::from_tag(get(&row, "client_locale")?),
        },
        project,
        calendar,
        calendar_start: get(&row, "calendar_start")?,
        calendar_state: get_named(&row, "calendar_state", CalendarState::parse)?,
        calendar_note: get(&row, "calendar_note")?,
        calendar_hint: get(&row, "calendar_hint")?,
        calendar_missing_since: get(&row, "calendar_missing_since")?,
    }))
}

/// What the worker learnt about a booking in Cal.com.
#[derive(Debug)]
pub struct CalendarNews<'a> {
    /// Cal.com's uid; none keeps what is known.
    pub uid: Option<&'a str>,
    /// When it is there; none keeps what is known.
    pub start: Option<Timestamp>,
    pub state: CalendarState,
    /// What a person should know.
    pub note: Option<&'a str>,
    /// What follows from it.
    pub tasks: &'a [Task],
}

/// Notes the news, in the history too when they are news. One flight.
pub async fn note_calendar(
    db: &Db,
    booking: &Booking,
    news: &CalendarNews<'_>,
    now: Timestamp,
) -> Result<Vec<JobId>, Error> {
    const SQL: &str = concat!(
        r"with before as materialized (select id, calendar_state from bookings where id = $1 for update),
         noted as (
             update bookings b set cal_com_booking_id = coalesce($2, b.cal_com_booking_id),
                 calendar_start = coalesce($8, b.calendar_start), calendar_state = $3,
                 calendar_note = $4, calendar_missing_since = null, updated_at = $6 from before where b.id = before.id returning b.id
         ), settled as (
             update outbox o set outcome = 'done' from before where o.booking_id = before.id and o.kind = 'sync_calendar'
                 and o.outcome in ('dead', 'discarded') and $3 in ('synced', 'removed')
         ), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select id, $6, 'calcom', 'calendar_' || $3, $5 from before where calendar_state <> $3
         ), jobs as (",
        insert_jobs!("$7", "noted, "),
        ") select array(select id from jobs) as jobs"
    );
    let data = json!({ "uid": news.uid, "note": news.note });
    let jobs = job_rows(news.tasks, booking.version, now, now);
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&booking.id.uuid(), Type::UUID),
                (&news.uid, Type::TEXT),
                (&news.state.name(), Type::TEXT),
                (&news.note, Type::TEXT),
                (&data, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&jobs, Type::JSONB),
                (&news.start, Type::TIMESTAMPTZ),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("a note answers one row".into()))?;
    job_ids(&row, "jobs")
}
