//! What artists set about their own page: each read one flight, each write one statement.
//!
//! Every statement finds the artist by the account that asks, so that nobody reaches another's page. None of them
//! touches a booking.

use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::Row;

use super::get;
use crate::error::Error;

// Who the artist is.
pub mod profile;

// Deposit, slots, policy.
pub mod rules;

// Weekly hours and time off.
pub mod hours;

// What is for sale.
pub mod flashes;

// Uploaded pictures.
pub mod images;

// The way into Cal.com.
pub mod calendar;

/// The row that an account without a page does not have.
fn of_an_artist(row: Option<Row>) -> Result<Row, Error> {
    row.ok_or(Error::NoArtist)
}

/// The path of an uploaded picture `i`; `domain::picture::Picture` reads it back.
macro_rules! picture_path {
    () => {
        "'/images/' || i.id || '/' || i.width || '.jpg'"
    };
}
use picture_path;

/// Reads a column of JSON that may be null.
fn get_json_opt<T: for<'de> Deserialize<'de>>(row: &Row, column: &str) -> Result<Option<T>, Error> {
    match get::<Option<Value>>(row, column)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| Error::Internal(format!("column {column}: {}", crate::redact::without_values(&error)))),
    }
}
