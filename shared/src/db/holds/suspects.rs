//! Unpaid holds that look as if nobody meant to pay them.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;
use uuid::Uuid;

use crate::auth::Account;
use crate::db::{Db, Repeat, get};
use crate::domain::ids::BookingId;
use crate::error::Error;

/// An unpaid hold that looks as if nobody meant to pay it.
#[derive(Debug, Clone)]
pub struct Suspect {
    pub id: BookingId,
    pub name: String,
    /// What is booked; empty for a project.
    pub title: String,
    pub start: Timestamp,
    pub hold_expires_at: Timestamp,
    /// The studio's zone.
    pub timezone: String,
    /// Those with the same number come from one network; which, is not told.
    pub group: i64,
    /// How many of that network were let go in the last day, beyond those that were paid.
    pub lapsed: i64,
}

/// So many unpaid holds of one network belong together, and so many that it let go make the next one suspicious.
const TOGETHER: i64 = 3;

const LET_GO: i64 = 2;

/// The unpaid holds of an artist of which many come from one network, or whose network let others lapse. One flight.
///
/// # Errors
/// The account has no artist, or the database failed.
pub async fn suspects(db: &Db, user: Account, now: Timestamp) -> Result<Vec<Suspect>, Error> {
    const SQL: &str = include_str!("../sql/suspicious_holds.sql");
    let day_before = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let rows = db
        .rows(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&now, Type::TIMESTAMPTZ),
                (&day_before, Type::TIMESTAMPTZ),
                (&TOGETHER, Type::INT8),
                (&LET_GO, Type::INT8),
            ],
        )
        .await?;
    if rows.is_empty() {
        return Err(Error::NoArtist);
    }
    let mut suspects = Vec::new();
    for row in &rows {
        // An artist without any is one empty row.
        let Some(id) = get::<Option<Uuid>>(row, "id")? else { continue };
        suspects.push(Suspect {
            id: BookingId::new(id),
            name: get(row, "client_name")?,
            title: get(row, "title")?,
            start: get(row, "scheduled_at")?,
            hold_expires_at: get(row, "hold_expires_at")?,
            timezone: get(row, "timezone")?,
            group: get(row, "belongs")?,
            lapsed: get::<i64>(row, "lapsed")?.max(0),
        });
    }
    Ok(suspects)
}
