//! The way into an artist's Cal.com. Keys are sealed before they come here.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::of_an_artist;
use crate::auth::Account;
use crate::db::{Db, Repeat, get};
use crate::domain::ids::ArtistId;
use crate::domain::settings::calendar::Connection;
use crate::error::Error;

/// A connection as it is stored.
#[derive(Debug)]
pub struct Stored {
    /// Whose it is: keys are sealed for them.
    pub artist: ArtistId,
    /// Their name at Cal.com.
    pub username: Option<String>,
    /// The event type that clients book.
    pub event_type_id: Option<i64>,
    /// When Cal.com is told: `booking` or `payment`.
    pub create_at: String,
    pub sealed_key: Option<Vec<u8>>,
    /// The secret of its webhooks, sealed.
    pub sealed_secret: Option<Vec<u8>>,
    /// How long the appointments are that clients can book, in minutes, the shortest first.
    pub lengths: Vec<u32>,
}

/// The connection of an account's artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read(db: &Db, user: Account) -> Result<Stored, Error> {
    const SQL: &str = r"select a.id, a.cal_com_username, a.cal_com_event_type_id, a.cal_com_create_at, a.cal_com_api_key,
             a.cal_com_webhook_secret,
             array(select l.minutes from (select a.project_duration_minutes as minutes union select f.duration_minutes
                 from flashes f where f.artist_id = a.id and f.state = 'available') l order by 1) as lengths
         from artists a where a.user_id = account($1)";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await?)?;
    let lengths: Vec<i32> = get(&row, "lengths")?;
    Ok(Stored {
        artist: ArtistId::new(get(&row, "id")?),
        username: get(&row, "cal_com_username")?,
        event_type_id: get(&row, "cal_com_event_type_id")?,
        create_at: get(&row, "cal_com_create_at")?,
        sealed_key: get(&row, "cal_com_api_key")?,
        sealed_secret: get(&row, "cal_com_webhook_secret")?,
        lengths: lengths.into_iter().filter_map(|minutes| u32::try_from(minutes).ok()).collect(),
    })
}

/// Writes a connection, with the keys sealed for this artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn write(
    db: &Db,
    user: Account,
    connection: &Connection,
    sealed_key: &[u8],
    sealed_secret: &[u8],
    now: Timestamp,
) -> Result<(), Error> {
    const SQL: &str = r"update artists set cal_com_username = $2, cal_com_event_type_id = $3, cal_com_create_at = $4,
         cal_com_api_key = $5, cal_com_webhook_secret = $6, updated_at = $7 where user_id = account($1) returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&connection.username, Type::TEXT),
                (&connection.event_type_id, Type::INT8),
                (&connection.create_at.name(), Type::TEXT),
                (&sealed_key, Type::BYTEA),
                (&sealed_secret, Type::BYTEA),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    of_an_artist(row).map(|_| ())
}

/// Forgets a connection and its keys. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn delete(db: &Db, user: Account, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update artists set cal_com_username = null, cal_com_event_type_id = null, cal_com_api_key = null,
         cal_com_webhook_secret = null, updated_at = $2 where user_id = account($1) returning id";
    let row = db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ)]).await?;
    of_an_artist(row).map(|_| ())
}
