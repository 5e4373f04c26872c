//! Uploaded pictures: announced, received, ready or refused.

use jiff::{SignedDuration, Timestamp};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::of_an_artist;
use crate::auth::Account;
use crate::db::{Db, Repeat, get, get_named, get_named_opt};
use crate::domain::ids::ImageId;
use crate::domain::picture::{Picture, Refused, Upload};
use crate::domain::time::before;
use crate::error::Error;

/// How many uploads an artist may begin in an hour: a whole portfolio, not a storage.
const MOST_AN_HOUR: i64 = 100;

/// How long after its announcement a picture is no longer waited for.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// What became of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has not arrived, or is being looked at.
    Waiting,
    /// It can be shown.
    Ready(Picture),
    Refused(Refused),
}

#[derive(Clone, Copy)]
enum Status {
    Waiting,
    Ready,
    Refused,
}

impl Status {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "waiting" => Self::Waiting,
            "ready" => Self::Ready,
            "refused" => Self::Refused,
            _ => return None,
        })
    }
}

/// Announces an upload. False when there were too many in the last hour. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn announce(db: &Db, user: Account, id: ImageId, upload: &Upload, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"with mine as (select id from artists where user_id = account($1)),
         written as (insert into images (id, artist_id, kind, content_type, size, created_at, updated_at)
             select $2, mine.id, $3, $4, $5, $6, $6 from mine
             where (select count(*) from images i where i.artist_id = mine.id and i.created_at > $7) < $8 returning id)
         select exists (select from written) as written from mine";
    let hour_ago = before(now, SignedDuration::from_hours(1));
    let row = db
        .row(
            Repeat::Unsafe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&id.uuid(), Type::UUID),
                (&upload.kind.name(), Type::TEXT),
                (&upload.content_type.name(), Type::TEXT),
                (&upload.size, Type::INT4),
                (&now, Type::TIMESTAMPTZ),
                (&hour_ago, Type::TIMESTAMPTZ),
                (&MOST_AN_HOUR, Type::INT8),
            ],
        )
        .await?;
    get(&of_an_artist(row)?, "written")
}

/// What became of a picture of this account's artist; none when there is no such picture. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn fate(db: &Db, user: Account, id: ImageId, now: Timestamp) -> Result<Option<Fate>, Error> {
    const SQL: &str = r"select i.id, i.status, i.reason, i.width, i.created_at from artists a
         left join images i on i.artist_id = a.id and i.id = $2 where a.user_id = account($1)";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY), (&id.uuid(), Type::UUID)]).await?)?;
    if get::<Option<Uuid>>(&row, "id")?.is_none() {
        return Ok(None);
    }
    let fate = fate_of(&row, id)?;
    let announced: Timestamp = get(&row, "created_at")?;
    let given_up = fate == Fate::Waiting && now.duration_since(announced) > PATIENCE;
    Ok(Some(if given_up { Fate::Refused(Refused::NotReceived) } else { fate }))
}

fn fate_of(row: &tokio_postgres::Row, id: ImageId) -> Result<Fate, Error> {
    let width: Option<i32> = get(row, "width")?;
    let reason = get_named_opt(row, "reason", Refused::parse)?;
    match (get_named(row, "status", Status::parse)?, width.map(u32::try_from), reason) {
        (Status::Waiting, ..) => Ok(Fate::Waiting),
        (Status::Ready, Some(Ok(width)), _) => Ok(Fate::Ready(Picture::new(id, width))),
        (Status::Refused, _, Some(reason)) => Ok(Fate::Refused(reason)),
        _ => Err(Error::Internal("a picture without width or reason".into())),
    }
}

/// What became of a picture, whoever's it is: for `image-intake`. One flight.
pub async fn stored(db: &Db, id: ImageId) -> Result<Option<Fate>, Error> {
    const SQL: &str = "select status, reason, width from images where id = $1";
    let row = db.row(Repeat::Safe, SQL, &[(&id.uuid(), Type::UUID)]).await?;
    row.map(|row| fate_of(&row, id)).transpose()
}

/// Notes that a picture that was waited for can be shown. One flight.
pub async fn ready(db: &Db, id: ImageId, width: u32, height: u32, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update images set status = 'ready', width = $2, height = $3, updated_at = $4
         where id = $1 and status = 'waiting' returning id";
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let params: [crate::db::Param<'_>; 4] = [
        (&id.uuid(), Type::UUID),
        (&number(width), Type::INT4),
        (&number(height), Type::INT4),
        (&now, Type::TIMESTAMPTZ),
    ];
    db.row(Repeat::Safe, SQL, &params).await.map(|_| ())
}

/// Notes that a picture that was waited for cannot be shown, and why. One flight.
pub async fn refused(db: &Db, id: ImageId, reason: Refused, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update images set status = 'refused', reason = $2, updated_at = $3
         where id = $1 and status = 'waiting' returning id";
    let params: [crate::db::Param<'_>; 3] =
        [(&id.uuid(), Type::UUID), (&reason.name(), Type::TEXT), (&now, Type::TIMESTAMPTZ)];
    db.row(Repeat::Safe, SQL, &params).await.map(|_| ())
}
