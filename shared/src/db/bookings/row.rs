//! A booking as the database has it: its columns, how they are read, and how its state is written.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::Row;

use crate::db::{get, get_json, get_named, get_named_opt};
use crate::domain::booking::{Booking, CalendarMode, CancelReason, PaymentProblem, PaymentStatus, State, Status, Undo};
use crate::domain::ids::{ArtistId, BookingId};
use crate::domain::ledger::{Entry, EntryKind, Ledger};
use crate::domain::money::{Cents, Currency};
use crate::error::Error;

/// The columns of a booking's [`State`] with their types. A new one stands here, in [`state`] and in [`written`], which do not
/// compile without it, and in a migration.
macro_rules! state_columns {
    // In a list, from `bookings b`.
    (select) => {
        crate::db::bookings::state_columns!(table select)
    };
    // In an update of `bookings`, from the object that is `$6`.
    (update) => {
        crate::db::bookings::state_columns!(table update)
    };
    (table $form:ident) => {
        crate::db::bookings::state_columns! { $form
            "status" "text",
            "payment_status" "text",
            "cancel_reason" "text",
            "hold_expires_at" "timestamptz",
            "stripe_payment_intent_id" "text",
            "payment_problem" "text",
            "kept_cents" "bigint",
            "no_show" "boolean",
            "undo_until" "timestamptz",
            "undo_hold_expires_at" "timestamptz"
        }
    };
    (select $($column:literal $type:literal),+) => {
        concat!($("b.", $column, ", "),+)
    };
    (update $($column:literal $type:literal),+) => {
        concat!($($column, " = ($6->>'", $column, "')::", $type, ", "),+)
    };
}

pub(crate) use state_columns;

fn state(row: &Row) -> Result<State, Error> {
    Ok(State {
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
    })
}

/// The state as the update takes it, by the names of the columns.
pub(super) fn written(state: &State) -> Value {
    let State {
        status,
        payment_status,
        cancel_reason,
        hold_expires_at,
        payment_intent,
        payment_problem,
        kept,
        no_show,
        undo,
    } = state;
    json!({
        "status": status,
        "payment_status": payment_status,
        "cancel_reason": cancel_reason,
        "hold_expires_at": hold_expires_at,
        "stripe_payment_intent_id": payment_intent,
        "payment_problem": payment_problem,
        "kept_cents": kept,
        "no_show": no_show,
        "undo_until": undo.map(|undo| undo.until),
        "undo_hold_expires_at": undo.and_then(|undo| undo.hold_expires_at),
    })
}

/// The columns that [`booking`] reads, from `bookings b` and `artists a`.
macro_rules! booking_columns {
    () => {
        concat!(
            crate::db::bookings::state_columns!(select),
            r" b.id, b.artist_id, b.version, b.scheduled_at, b.ends_at, b.acompte_amount::text, b.currency,
         b.stripe_checkout_session_id, b.cal_com_booking_id, a.cal_com_create_at, b.policy,
         a.cal_com_event_type_id is not null as has_calendar,
         (select coalesce(jsonb_agg(jsonb_build_object('kind', p.kind, 'amount_cents', p.amount_cents,
            'currency', p.currency, 'stripe_id', p.stripe_id, 'payment_intent', p.stripe_payment_intent_id,
            'occurred_at', p.occurred_at) order by p.recorded_at), '[]')
          from payments p where p.booking_id = b.id) as ledger,
         (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'payment_intent', r.payment_intent, 'amount', r.amount_cents,
            'currency', r.currency, 'status', r.status, 'at', r.made_at) order by r.made_at, r.id), '[]')
          from refunds r where r.booking_id = b.id) as refunds,
         (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'payment_intent', d.payment_intent, 'amount', d.amount_cents,
            'currency', d.currency, 'reason', d.reason, 'status', d.status, 'refundable', d.refundable, 'due_by', d.due_by,
            'opened_at', d.opened_at) order by d.opened_at, d.id), '[]')
          from disputes d where d.booking_id = b.id) as disputes"
        )
    };
}

pub(crate) use booking_columns;

/// As functions of before wrote it, too: they may still run while this one does.
fn entry_kind(name: &str) -> Option<EntryKind> {
    if name == "dispute_lost" { Some(EntryKind::DisputeWithdrawn) } else { EntryKind::parse(name) }
}

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
                kind: entry_kind(&entry.kind)
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
        state: state(row)?,
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
        refunds: get_json(row, "refunds")?,
        disputes: get_json(row, "disputes")?,
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
