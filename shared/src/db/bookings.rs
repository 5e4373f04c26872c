//! Bookings as the rules see them: the read, and the one statement that writes a transition with its history,
//! its ledger rows and its jobs. Nothing else updates a booking's state.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use tokio_postgres::types::Type;

use super::{Db, Repeat, get, get_named, get_zone, job_ids, job_rows};
use crate::domain::booking::{Booking, BookingKind, Change, Outcome};
use crate::domain::ids::{BookingId, JobId};
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::domain::place::AddressShown;
use crate::error::Error;
use crate::stripe::Event;

// A booking as a row.
mod row;

use self::row::written;
pub(crate) use self::row::{booking, booking_columns, euros, euros_opt, state_columns};

/// A booking with what a decision about its payment needs to know.
#[derive(Debug)]
pub struct Found {
    pub booking: Booking,
    /// Nobody else has its slot, nor its unique flash.
    pub slot_is_free: bool,
    /// The event asked about was recorded before.
    pub event_is_known: bool,
    /// The connected account that takes its payments, or the platform's own.
    pub account: Option<String>,
    /// News of the payment asked about came before anybody knew whose it is.
    pub has_orphans: bool,
}

/// What an event says about which booking it belongs to.
#[derive(Debug, Default, Clone)]
pub struct Reference {
    /// The booking id in the metadata.
    pub booking: Option<BookingId>,
    pub payment_intent: Option<String>,
}

impl Reference {
    /// To a booking that is known.
    pub fn booking(id: BookingId) -> Self {
        Self { booking: Some(id), payment_intent: None }
    }

    /// To the booking of a payment, whichever that is.
    pub fn payment(payment_intent: String) -> Self {
        Self { booking: None, payment_intent: Some(payment_intent) }
    }
}

/// Finds the booking of a payment, by its id or by the payment intent that the ledger or the booking knows.
/// One flight.
pub async fn find(db: &Db, reference: &Reference, event: Option<&str>) -> Result<Option<Found>, Error> {
    const SQL: &str = concat!(
        "select ",
        booking_columns!(),
        r", not exists (select from bookings o where o.id <> b.id and o.status in ('pending', 'confirmed', 'completed')
             and ((o.artist_id = b.artist_id
                   and tstzrange(o.scheduled_at, o.ends_at, '[)') && tstzrange(b.scheduled_at, b.ends_at, '[)'))
                  or o.unique_flash_id = b.unique_flash_id)) as slot_is_free,
         $3::text is not null and exists (select from stripe_events e where e.id = $3) as event_is_known, b.stripe_account_id,
         exists (select from stripe_events e where e.booking_id is null and e.payload->>'payment_intent' = $2) as has_orphans
         from bookings b join artists a on a.id = b.artist_id
         where b.id = coalesce($1,
             (select x.id from bookings x where x.stripe_payment_intent_id = $2),
             (select p.booking_id from payments p where p.stripe_payment_intent_id = $2 limit 1))"
    );
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&reference.booking.map(BookingId::uuid), Type::UUID),
                (&reference.payment_intent, Type::TEXT),
                (&event, Type::TEXT),
            ],
        )
        .await?;
    row.map(|row| {
        Ok(Found {
            booking: booking(&row)?,
            slot_is_free: get(&row, "slot_is_free")?,
            event_is_known: get(&row, "event_is_known")?,
            account: get(&row, "stripe_account_id")?,
            has_orphans: get(&row, "has_orphans")?,
        })
    })
    .transpose()
}

/// What came of writing a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Written, with the jobs that follow.
    Written(Vec<JobId>),
    /// The event was recorded before: nothing was done again.
    KnownEvent,
    /// A job that was to be taken back has begun: nothing was changed.
    Begun,
    /// Somebody changed the booking since it was read: read it again and decide again.
    Stale,
}

/// Writes a change of `booking`, and the event it follows from, in one statement: all of it or nothing.
///
/// The booking's version is the guard: a decision made on an older state is not written.
///
/// # Errors
/// The database failed or a constraint refused (`bookings_no_overlap` when a revived booking's slot is gone).
pub async fn apply(
    db: &Db,
    booking: &Booking,
    change: &Change,
    event: Option<&Event>,
    now: Timestamp,
) -> Result<Applied, Error> {
    const SQL: &str = include_str!("sql/apply_change.sql");
    let event_row = event.map(event_row);
    let state = change.state.as_ref().map(|state| {
        let mut row = written(state);
        row["starts_at"] = json!(change.slot.map(|(starts_at, _)| starts_at));
        row["ends_at"] = json!(change.slot.map(|(_, ends_at)| ends_at));
        row
    });
    let history = json!(change.history);
    let ledger: Value = change
        .ledger
        .iter()
        .map(|entry| {
            json!({
                "id": uuid::Uuid::now_v7(), "kind": entry.kind.name(), "amount": entry.amount.cents(),
                "currency": entry.currency, "stripe_id": entry.stripe_id,
                "payment_intent": entry.payment_intent, "occurred_at": entry.occurred_at,
            })
        })
        .collect();
    let jobs = job_rows(&change.tasks, booking.version + 1, change.not_before.unwrap_or(now), now);
    let row = db
        .row(
            // Sent twice, the second finds a higher version or a known event.
            Repeat::Safe,
            SQL,
            &[
                (&booking.id.uuid(), Type::UUID),
                (&booking.version, Type::INT4),
                (&event_row, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&change.outcome.name(), Type::TEXT),
                (&state, Type::JSONB),
                (&history, Type::JSONB),
                (&ledger, Type::JSONB),
                (&jobs, Type::JSONB),
                (&change.withdraws, Type::TEXT_ARRAY),
                (&json!(change.refunds), Type::JSONB),
                (&json!(change.disputes), Type::JSONB),
            ],
        )
        .await?
        .ok_or_else(|| Error::Internal("apply answers one row".into()))?;
    Ok(match (get(&row, "found")?, get(&row, "went")?) {
        (false, _) => Applied::Stale,
        (true, false) if event.is_none() => Applied::Begun,
        (true, false) => Applied::KnownEvent,
        (true, true) => Applied::Written(job_ids(&row, "jobs")?),
    })
}

/// Records an event that belongs to no booking of ours. Returns false when it was known.
pub async fn record_orphan(db: &Db, event: &Event, outcome: Outcome, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"insert into stripe_events (id, type, api_version, account, livemode, created_at, received_at, outcome, payload)
         select $1->>'id', $1->>'type', $1->>'api_version', $1->>'account', ($1->>'livemode')::boolean,
                ($1->>'created_at')::timestamptz, $2, $3, $1->'payload'
         on conflict (id) do nothing returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[(&event_row(event), Type::JSONB), (&now, Type::TIMESTAMPTZ), (&outcome.name(), Type::TEXT)],
        )
        .await?;
    Ok(row.is_some())
}

/// What is kept of the object that an event is about: which, what of, how much. Not who: Stripe keeps that.
fn kept(object: &Value) -> Value {
    const FIELDS: [&str; 7] = ["id", "object", "amount", "amount_total", "currency", "status", "payment_intent"];
    let of = |name: &&str| {
        object.get(*name).filter(|value| !value.is_object()).map(|value| ((*name).to_owned(), value.clone()))
    };
    let mut kept: serde_json::Map<String, Value> = FIELDS.iter().filter_map(of).collect();
    // The sweeper trims what has not this mark.
    kept.insert("trimmed".to_owned(), true.into());
    Value::Object(kept)
}

fn event_row(event: &Event) -> Value {
    json!({
        "id": event.id, "type": event.kind, "api_version": event.api_version, "account": event.account,
        "livemode": event.livemode,
        "created_at": Timestamp::from_second(event.created).unwrap_or(Timestamp::UNIX_EPOCH),
        "payload": kept(&event.data.object),
    })
}

/// A booking as the holder of its link sees it: no name, no e-mail, no phone.
#[derive(Debug, Clone)]
pub struct ClientsView {
    pub booking: Booking,
    pub kind: BookingKind,
    /// The flash's title; empty for a project.
    pub title: String,
    /// The whole price; none for a project.
    pub price: Option<Cents>,
    /// Stripe's page.
    pub checkout_url: Option<String>,
    pub client_locale: Locale,
    /// The last segment of the artist's page.
    pub artist_slug: String,
    pub artist_name: String,
    pub artist_email: String,
    /// Where the appointment takes place.
    pub artist_address: String,
    pub address_shown: AddressShown,
    pub artist_city: String,
    pub artist_locale: Locale,
    /// The zone on whose clock it is told.
    pub zone: TimeZone,
}

/// Reads a booking for its page. One flight.
pub async fn view(db: &Db, id: BookingId) -> Result<Option<ClientsView>, Error> {
    const SQL: &str = concat!(
        "select ",
        booking_columns!(),
        r", b.type, b.title, b.price::text, b.checkout_url, b.client_locale, a.slug, a.display_name, a.email, a.address, a.address_shown, a.city, a.locale,
         coalesce(b.timezone, a.timezone) as timezone
         from bookings b join artists a on a.id = b.artist_id where b.id = $1"
    );
    let Some(row) = db.row(Repeat::Safe, SQL, &[(&id.uuid(), Type::UUID)]).await? else { return Ok(None) };
    Ok(Some(ClientsView {
        booking: booking(&row)?,
        kind: get_named(&row, "type", BookingKind::parse)?,
        title: get(&row, "title")?,
        price: euros_opt(&row, "price")?,
        checkout_url: get(&row, "checkout_url")?,
        artist_slug: get(&row, "slug")?,
        client_locale: Locale::from_tag(get(&row, "client_locale")?),
        artist_name: get(&row, "display_name")?,
        artist_email: get(&row, "email")?,
        artist_address: get(&row, "address")?,
        address_shown: get_named(&row, "address_shown", AddressShown::parse)?,
        artist_city: get(&row, "city")?,
        artist_locale: Locale::from_tag(get(&row, "locale")?),
        zone: get_zone(&row, "timezone")?,
    }))
}
