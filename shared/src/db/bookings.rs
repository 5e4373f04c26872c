//! Bookings as the rules see them: the read, and the one statement that writes a transition with its history,
//! its ledger rows and its jobs. Nothing else updates a booking's state.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Db, Repeat, get, get_json, get_named, get_named_opt, get_zone, insert_jobs, job_ids, job_rows};
use crate::domain::booking::{
    Booking, BookingKind, CalendarMode, CancelReason, Change, Outcome, PaymentProblem, PaymentStatus, State, Status,
    Undo,
};
use crate::domain::ids::{ArtistId, BookingId, JobId};
use crate::domain::ledger::{Entry, EntryKind, Ledger};
use crate::domain::locale::Locale;
use crate::domain::money::{Cents, Currency};
use crate::domain::place::AddressShown;
use crate::error::Error;
use crate::stripe::Event;

/// The columns that [`booking`] reads, from `bookings b` and `artists a`.
macro_rules! booking_columns {
    () => {
        r"b.id, b.artist_id, b.version, b.status, b.payment_status, b.cancel_reason, b.hold_expires_at,
         b.stripe_payment_intent_id, b.payment_problem, b.scheduled_at, b.ends_at, b.acompte_amount::text, b.currency,
         b.stripe_checkout_session_id, b.cal_com_booking_id, a.cal_com_create_at, b.policy,
         b.kept_cents, b.no_show, b.undo_until, b.undo_hold_expires_at,
         a.cal_com_event_type_id is not null as has_calendar,
         (select coalesce(jsonb_agg(jsonb_build_object('kind', p.kind, 'amount_cents', p.amount_cents,
            'currency', p.currency, 'stripe_id', p.stripe_id, 'payment_intent', p.stripe_payment_intent_id,
            'occurred_at', p.occurred_at) order by p.recorded_at), '[]')
          from payments p where p.booking_id = b.id) as ledger"
    };
}

pub(crate) use booking_columns;

#[derive(Deserialize)]
struct LedgerRow {
    kind: String,
    amount_cents: i64,
    currency: String,
    stripe_id: String,
    payment_intent: String,
    occurred_at: Timestamp,
}

/// Reads the columns of [`booking_columns`].
pub(crate) fn booking(row: &Row) -> Result<Booking, Error> {
    let ledger = get_json::<Vec<LedgerRow>>(row, "ledger")?
        .into_iter()
        .map(|entry| {
            Ok(Entry {
                kind: EntryKind::parse(&entry.kind)
                    .ok_or_else(|| Error::Internal(format!("ledger kind {:?}", entry.kind)))?,
                amount: Cents::new(entry.amount_cents),
                currency: entry.currency,
                stripe_id: entry.stripe_id,
                payment_intent: entry.payment_intent,
                occurred_at: entry.occurred_at,
            })
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let has_calendar: bool = get(row, "has_calendar")?;
    let create_at: &str = get(row, "cal_com_create_at")?;
    Ok(Booking {
        id: BookingId::new(get(row, "id")?),
        artist: ArtistId::new(get(row, "artist_id")?),
        version: get(row, "version")?,
        state: State {
            status: get_named(row, "status", Status::parse)?,
            payment_status: get_named(row, "payment_status", PaymentStatus::parse)?,
            cancel_reason: get_named_opt(row, "cancel_reason", CancelReason::parse)?,
            hold_expires_at: get(row, "hold_expires_at")?,
            payment_intent: get(row, "stripe_payment_intent_id")?,
            payment_problem: get_named_opt(row, "payment_problem", PaymentProblem::parse)?,
            kept: get::<Option<i64>>(row, "kept_cents")?.map(Cents::new),
            no_show: get(row, "no_show")?,
            undo: match get(row, "undo_until")? {
                None => None,
                Some(until) => Some(Undo { until, hold_expires_at: get(row, "undo_hold_expires_at")? }),
            },
        },
        starts_at: get(row, "scheduled_at")?,
        ends_at: get(row, "ends_at")?,
        deposit: euros(row, "acompte_amount")?,
        currency: get_named(row, "currency", |code| (code == Currency::Eur.code()).then_some(Currency::Eur))?,
        checkout_session: get(row, "stripe_checkout_session_id")?,
        calendar: match (has_calendar, create_at) {
            (false, _) => CalendarMode::Off,
            (true, "payment") => CalendarMode::AfterPayment,
            (true, _) => CalendarMode::AtBooking,
        },
        calendar_booking: get(row, "cal_com_booking_id")?,
        ledger: Ledger::new(ledger),
        policy: get_json(row, "policy")?,
    })
}

/// Reads an amount that the statement cast to text: exact, and made cents in one place.
pub(crate) fn euros(row: &Row, column: &str) -> Result<Cents, Error> {
    let text: &str = get(row, column)?;
    Cents::from_euros(text).map_err(|error| Error::Internal(format!("column {column}: {error}")))
}

/// As [`euros`], for a column that may be null.
pub(crate) fn euros_opt(row: &Row, column: &str) -> Result<Option<Cents>, Error> {
    let text: Option<&str> = get(row, column)?;
    text.map(|text| Cents::from_euros(text).map_err(|error| Error::Internal(format!("column {column}: {error}"))))
        .transpose()
}

/// A booking with what a decision about its payment needs to know.
#[derive(Debug)]
pub struct Found {
    /// The booking.
    pub booking: Booking,
    /// Nobody else has its slot, nor its unique flash.
    pub slot_is_free: bool,
    /// The event asked about was recorded before.
    pub event_is_known: bool,
}

/// What an event says about which booking it belongs to.
#[derive(Debug, Default, Clone)]
pub struct Reference {
    /// The booking id in the metadata.
    pub booking: Option<BookingId>,
    /// The payment intent.
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
///
/// # Errors
/// The database failed.
pub async fn find(db: &Db, reference: &Reference, event: Option<&str>) -> Result<Option<Found>, Error> {
    const SQL: &str = concat!(
        "select ",
        booking_columns!(),
        r", not exists (select from bookings o where o.id <> b.id and o.status in ('pending', 'confirmed', 'completed')
             and ((o.artist_id = b.artist_id
                   and tstzrange(o.scheduled_at, o.ends_at, '[)') && tstzrange(b.scheduled_at, b.ends_at, '[)'))
                  or o.unique_flash_id = b.unique_flash_id)) as slot_is_free,
         $3::text is not null and exists (select from stripe_events e where e.id = $3) as event_is_known
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
    const SQL: &str = concat!(
        r"with locked as materialized (
             select id, artist_id from bookings where id = $1 and version = $2 for update
         ), withdrawn as materialized (
             select o.id from outbox o, locked where o.dedupe_key = any($10) and o.done_at is null
                 and o.attempts = 0 and o.locked_until is null for update of o
         ), seen as (
             insert into stripe_events (id, type, api_version, account, livemode, created_at, received_at, booking_id, outcome, payload)
             select $3->>'id', $3->>'type', $3->>'api_version', $3->>'account', ($3->>'livemode')::boolean,
                    ($3->>'created_at')::timestamptz, $4, locked.id, $5, $3->'payload'
             from locked where $3 is not null
             on conflict (id) do nothing returning id
         ), go as materialized (
             select * from locked where ($3 is null or exists (select from seen))
                 and (select count(*) from withdrawn) = cardinality($10)
         ), taken_back as (
             update outbox o set done_at = $4, outcome = 'discarded', last_error = 'taken back'
             from withdrawn w, go where o.id = w.id
         ), dropped as (
             update outbox o set done_at = $4, outcome = 'done' from go
             where o.dedupe_key = 'send_email:' || go.id || ':client_held:1' and o.done_at is null and o.attempts = 0
                 and $6->>'status' <> 'pending' and $6->>'undo_until' is null
         ), moved as (
             update bookings b set
                 status = $6->>'status', payment_status = $6->>'payment_status', cancel_reason = $6->>'cancel_reason',
                 hold_expires_at = ($6->>'hold_expires_at')::timestamptz,
                 stripe_payment_intent_id = $6->>'payment_intent', payment_problem = $6->>'payment_problem',
                 confirmed_at = case when $6->>'status' = 'confirmed' and b.status <> 'confirmed' then $4
                                     when $6->>'status' = 'pending' then null else b.confirmed_at end,
                 cancelled_at = case when $6->>'status' = 'cancelled' and b.status <> 'cancelled' then $4
                                     when $6->>'status' <> 'cancelled' then null else b.cancelled_at end,
                 kept_cents = ($6->>'kept_cents')::bigint, no_show = ($6->>'no_show')::boolean,
                 undo_until = ($6->>'undo_until')::timestamptz,
                 undo_hold_expires_at = ($6->>'undo_hold_expires_at')::timestamptz,
                 scheduled_at = coalesce(($6->>'starts_at')::timestamptz, b.scheduled_at),
                 ends_at = coalesce(($6->>'ends_at')::timestamptz, b.ends_at),
                 client_origin = case when $6->>'status' = 'pending' then b.client_origin end,
                 version = b.version + 1, updated_at = $4
             from go where b.id = go.id and $6 is not null
             returning b.id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind, data)
             select go.id, $4, h.actor, h.kind, h.data from go, jsonb_to_recordset($7) as h(actor text, kind text, data jsonb)
         ), ledger as (
             insert into payments (id, booking_id, artist_id, kind, amount_cents, currency, stripe_id, stripe_payment_intent_id, occurred_at, recorded_at)
             select l.id, go.id, go.artist_id, l.kind, l.amount, l.currency, l.stripe_id, l.payment_intent, l.occurred_at, $4
             from go, jsonb_to_recordset($8) as l(id uuid, kind text, amount bigint, currency text, stripe_id text, payment_intent text, occurred_at timestamptz)
             on conflict (kind, stripe_id) do nothing
         ), jobs as (",
        insert_jobs!("$9", "go, "),
        ") select exists (select from locked) as found, exists (select from go) as went, array(select id from jobs) as jobs"
    );
    let event_row = event.map(event_row);
    let state = change.state.as_ref().map(|state| state_row(state, change.slot));
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
///
/// # Errors
/// The database failed.
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

fn state_row(state: &State, slot: Option<(Timestamp, Timestamp)>) -> Value {
    json!({
        "starts_at": slot.map(|(starts_at, _)| starts_at), "ends_at": slot.map(|(_, ends_at)| ends_at),
        "kept_cents": state.kept, "no_show": state.no_show,
        "undo_until": state.undo.map(|undo| undo.until),
        "undo_hold_expires_at": state.undo.and_then(|undo| undo.hold_expires_at),
        "status": state.status, "payment_status": state.payment_status, "cancel_reason": state.cancel_reason,
        "hold_expires_at": state.hold_expires_at, "payment_intent": state.payment_intent,
        "payment_problem": state.payment_problem,
    })
}

/// A booking as the holder of its link sees it: no name, no e-mail, no phone.
#[derive(Debug, Clone)]
pub struct ClientsView {
    /// The booking.
    pub booking: Booking,
    /// What is booked.
    pub kind: BookingKind,
    /// What it is called; empty for a project.
    pub title: String,
    /// The whole price; none for a project.
    pub price: Option<Cents>,
    /// Stripe's page.
    pub checkout_url: Option<String>,
    /// The client's language.
    pub client_locale: Locale,
    /// The artist's address on the site.
    pub artist_slug: String,
    /// Their name.
    pub artist_name: String,
    /// Where they read.
    pub artist_email: String,
    /// Where the appointment takes place.
    pub artist_address: String,
    /// From when on clients are told.
    pub address_shown: AddressShown,
    /// Their town.
    pub artist_city: String,
    /// The language they write in.
    pub artist_locale: Locale,
    /// The zone on whose clock it is told.
    pub zone: TimeZone,
}

/// Reads a booking for its page. One flight.
///
/// # Errors
/// The database failed.
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
