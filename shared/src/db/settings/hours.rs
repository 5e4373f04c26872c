//! Weekly hours and time off.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::of_an_artist;
use crate::auth::Account;
use crate::db::{Db, Repeat, get, get_json, get_zone};
use crate::domain::ids::{BookingId, TimeOffId};
use crate::domain::local::LocalTime;
use crate::domain::settings::hours::{Opening, TimeOff};
use crate::error::Error;

/// The week of an account's artist, in order. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read(db: &Db, user: Account) -> Result<Vec<Opening>, Error> {
    const SQL: &str = r"select coalesce((select jsonb_agg(jsonb_build_array(v.weekday, v.opens_minute, v.closes_minute)
             order by v.weekday, v.opens_minute) from availability v where v.artist_id = a.id), '[]') as hours
         from artists a where a.user_id = account($1)";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await?)?;
    let hours = get_json::<Vec<(i16, u16, u16)>>(&row, "hours")?;
    Ok(hours.into_iter().map(|(weekday, opens, closes)| Opening { weekday, opens, closes }).collect())
}

/// How often a week is written again that another tab has just written.
const SAVES: usize = 5;

/// Replaces the week. One flight, unless two do so at once.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn write(db: &Db, user: Account, week: &[Opening]) -> Result<(), Error> {
    // The new rows wait until the old ones are gone, or the two would overlap.
    const SQL: &str = r"with mine as (select id from artists where user_id = account($1)),
         gone as (delete from availability v using mine where v.artist_id = mine.id returning v.id),
         cleared as materialized (select count(*) from gone),
         written as (insert into availability (id, artist_id, weekday, opens_minute, closes_minute)
             select r.id, mine.id, r.weekday, r.opens, r.closes from cleared, mine,
                 jsonb_to_recordset($2) as r(id uuid, weekday smallint, opens integer, closes integer) returning 1)
         select (select count(*) from written) as written from mine";
    let rows: Value = week
        .iter()
        .map(|opening| {
            json!({ "id": Uuid::now_v7(), "weekday": opening.weekday, "opens": opening.opens, "closes": opening.closes })
        })
        .collect();
    // Two tabs that save at once: one of them saw the old week, and its new one lies over the other's. It looks again.
    for _ in 0..SAVES {
        match db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&rows, Type::JSONB)]).await {
            Err(Error::Database(error)) if error.code() == Some(&SqlState::EXCLUSION_VIOLATION) => {}
            row => return of_an_artist(row?).map(|_| ()),
        }
    }
    Err(Error::Conflict)
}

/// A stretch of time off.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct StoredTimeOff {
    /// Its id.
    pub id: TimeOffId,
    /// Its first instant.
    pub starts_at: LocalTime,
    /// The first instant after it.
    pub ends_at: LocalTime,
    /// For the artist alone.
    pub note: String,
}

impl StoredTimeOff {
    fn of(id: TimeOffId, off: TimeOff, zone: &TimeZone) -> Self {
        let local = |instant| LocalTime::of(instant, zone);
        Self { id, starts_at: local(off.starts_at), ends_at: local(off.ends_at), note: off.note }
    }
}

/// The time off that is not over, in order. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn time_off(db: &Db, user: Account, now: Timestamp) -> Result<Vec<StoredTimeOff>, Error> {
    const SQL: &str = r"select coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'starts_at', t.starts_at,
             'ends_at', t.ends_at, 'note', t.note) order by t.starts_at, t.id)
             from time_off t where t.artist_id = a.id and t.ends_at > $2), '[]') as time_off,
             a.timezone from artists a where a.user_id = account($1)";
    #[derive(Deserialize)]
    struct Row {
        id: TimeOffId,
        starts_at: Timestamp,
        ends_at: Timestamp,
        note: String,
    }
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&now, Type::TIMESTAMPTZ)]).await?)?;
    let zone = get_zone(&row, "timezone")?;
    let rows = get_json::<Vec<Row>>(&row, "time_off")?;
    Ok(rows
        .into_iter()
        .map(|Row { id, starts_at, ends_at, note }| StoredTimeOff::of(id, TimeOff { starts_at, ends_at, note }, &zone))
        .collect())
}

/// Takes time off, and tells which appointments lie in it: they stay as they are. None when the list is full. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn take_off(
    db: &Db,
    user: Account,
    id: TimeOffId,
    off: TimeOff,
    now: Timestamp,
) -> Result<Option<(StoredTimeOff, Vec<BookingId>)>, Error> {
    const SQL: &str = r"with mine as (select id from artists where user_id = account($1)),
         written as (insert into time_off (id, artist_id, starts_at, ends_at, note) select $2, mine.id, $3, $4, $5 from mine
             where (select count(*) from time_off t where t.artist_id = mine.id and t.ends_at > $6) < 200
             on conflict (id) do nothing returning id)
         select a.timezone, exists (select from written) as written,
             array(select b.id from bookings b where b.artist_id = mine.id
                 and (b.status = 'confirmed' or (b.status = 'pending'
                     and (b.hold_expires_at is null or b.hold_expires_at > $6)))
                 and tstzrange(b.scheduled_at, b.ends_at, '[)') && tstzrange($3, $4, '[)')
                 order by b.scheduled_at) as conflicts
         from mine join artists a using (id)";
    let row = db
        .row(
            Repeat::Unsafe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&id.uuid(), Type::UUID),
                (&off.starts_at, Type::TIMESTAMPTZ),
                (&off.ends_at, Type::TIMESTAMPTZ),
                (&off.note, Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    let row = of_an_artist(row)?;
    if !get::<bool>(&row, "written")? {
        return Ok(None);
    }
    let conflicts: Vec<Uuid> = get(&row, "conflicts")?;
    let stored = StoredTimeOff::of(id, off, &get_zone(&row, "timezone")?);
    Ok(Some((stored, conflicts.into_iter().map(BookingId::new).collect())))
}

/// Takes time off back. False when there is no such thing. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn delete_time_off(db: &Db, user: Account, id: TimeOffId) -> Result<bool, Error> {
    const SQL: &str = r"with mine as (select id from artists where user_id = account($1)),
         gone as (delete from time_off t using mine where t.id = $2 and t.artist_id = mine.id returning t.id)
         select exists (select from gone) as gone from mine";
    let row = db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&id.uuid(), Type::UUID)]).await?;
    get(&of_an_artist(row)?, "gone")
}
