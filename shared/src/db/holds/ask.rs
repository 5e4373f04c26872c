//! The question before a hold: all that `create-booking` decides from.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::Type;

use super::{Hold, Networks};
use crate::db::artists::{Agenda, read_agenda};
use crate::db::{Db, Repeat, get, get_json};
use crate::domain::ids::FlashId;
use crate::domain::shares::Load;
use crate::domain::slots::Interval;
use crate::error::Error;

/// What `create-booking` wants to know, in one question.
#[derive(Debug)]
pub struct Inquiry<'a> {
    pub slug: &'a str,
    /// The flash, or none for a project.
    pub flash: Option<FlashId>,
    /// The time around the wished slot.
    pub window: Interval,
    pub start: Timestamp,
    /// The client's e-mail, as compared.
    pub email: &'a str,
    pub networks: &'a Networks,
    pub idempotency_key: Option<&'a str>,
    /// Begin of the current rate-limit window.
    pub rate_window: Timestamp,
}

/// What is known before deciding.
#[derive(Debug)]
pub struct Context {
    /// The artist's agenda around the wished slot.
    pub agenda: Agenda,
    /// The hold of exactly this slot and flash under this e-mail, from an earlier try. It is this client's own if
    /// [`Hold::is_of`] says so: a number is read once the artist's country is known.
    pub own: Option<Hold>,
    /// The client's own hold of this unique flash, whatever the slot.
    pub own_flash: Option<Hold>,
    /// The request that used this idempotency key before: its hash and its booking.
    pub earlier: Option<(Vec<u8>, Option<Hold>)>,
    /// Requests from this household in the current window, this one included.
    pub requests_near: i32,
    /// Requests from its wide network.
    pub requests_wide: i32,
    /// The unpaid holds beside the one that is wanted; those of the same number are not known yet.
    pub load: Load,
}

/// Asks it all; none when there is no such artist. One flight.
pub async fn ask(db: &Db, question: &Inquiry<'_>, now: Timestamp) -> Result<Option<Context>, Error> {
    const SQL: &str = include_str!("../sql/ask_before_a_hold.sql");
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&question.slug, Type::TEXT),
                (&question.flash.map(FlashId::uuid), Type::UUID),
                (&question.window.start, Type::TIMESTAMPTZ),
                (&question.window.end, Type::TIMESTAMPTZ),
                (&question.start, Type::TIMESTAMPTZ),
                (&question.email, Type::TEXT),
                (&question.networks.near.as_slice(), Type::BYTEA),
                (&question.rate_window, Type::TIMESTAMPTZ),
                (&now, Type::TIMESTAMPTZ),
                (&question.idempotency_key, Type::TEXT),
                (&question.networks.wide.as_slice(), Type::BYTEA),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let hold = |column: &str| -> Result<Option<Hold>, Error> {
        get::<Option<Value>>(&row, column)?.map(|_| get_json(&row, column)).transpose()
    };
    let earlier = match get::<Option<Vec<u8>>>(&row, "request_hash")? {
        None => None,
        Some(hash) => Some((hash, hold("earlier")?)),
    };
    Ok(Some(Context {
        agenda: read_agenda(&row)?,
        own: hold("own")?,
        own_flash: hold("own_flash")?,
        earlier,
        requests_near: get(&row, "requests_near")?,
        requests_wide: get(&row, "requests_wide")?,
        load: get_json(&row, "load")?,
    }))
}
