//! What is for sale.
//!
//! A flash that a booking names keeps what the booking stands for: the drawing of a unique piece, and whether it is
//! one. Price, deposit, title and length of a booking are its own copies.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{get_json_opt, of_an_artist, picture_path};
use crate::auth::Account;
use crate::db::artists::Occupied;
use crate::db::bookings::euros;
use crate::db::{Db, Repeat, get, get_json};
use crate::domain::ids::FlashId;
use crate::domain::money::{Cents, DepositRule};
use crate::domain::settings::flash::FlashSheet;
use crate::error::Error;

/// A flash with what its artist may know of it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub id: FlashId,
    pub title: String,
    /// The path of its picture.
    pub image: String,
    /// The whole price.
    pub price: Cents,
    /// What is paid ahead, when it says so itself.
    pub deposit: Option<Cents>,
    /// What is paid ahead: the flash's own deposit, else what the artist's rule makes of its price.
    pub effective_deposit: Cents,
    pub duration_minutes: u32,
    /// False for a unique piece.
    pub repeatable: bool,
    pub archived: bool,
    /// Its place in the gallery.
    pub position: i32,
    /// Who has it, when it is unique and somebody does.
    pub holder: Option<Occupied>,
}

#[derive(Deserialize)]
struct FlashRow {
    id: FlashId,
    title: String,
    image: String,
    price: String,
    deposit: Option<String>,
    duration_minutes: u32,
    repeatable: bool,
    state: String,
    position: i32,
    holder: Option<Occupied>,
}

/// A flash `f` as JSON.
macro_rules! flash_json {
    () => {
        r"jsonb_build_object('id', f.id, 'title', f.title, 'image', f.image, 'price', f.price::text,
             'deposit', f.deposit::text, 'duration_minutes', f.duration_minutes, 'repeatable', f.repeatable,
             'state', f.state, 'position', f.position,
             'holder', (select jsonb_build_object('id', h.id, 'start', h.scheduled_at, 'end', h.ends_at,
                 'status', h.status, 'hold_expires_at', h.hold_expires_at) from bookings h
                 where h.unique_flash_id = f.id and h.status in ('pending', 'confirmed', 'completed')))"
    };
}

/// The artist of the account `$1`, with the rule that gives a flash its deposit.
const MINE: &str =
    "with mine as (select id, deposit_percent, deposit_minimum from artists where user_id = account($1)), ";

/// The columns of that rule.
const RULE: &str = "mine.deposit_percent, mine.deposit_minimum::text as deposit_minimum";

fn rule(row: &Row) -> Result<DepositRule, Error> {
    let percent: i16 = get(row, "deposit_percent")?;
    Ok(DepositRule { percent: u8::try_from(percent).unwrap_or(100), minimum: euros(row, "deposit_minimum")? })
}

fn read_flash(flash: FlashRow, rule: DepositRule) -> Result<Stored, Error> {
    let exact = |text: &str| Cents::from_euros(text).map_err(|error| Error::Internal(format!("flash price: {error}")));
    let price = exact(&flash.price)?;
    let deposit = flash.deposit.as_deref().map(exact).transpose()?;
    Ok(Stored {
        id: flash.id,
        title: flash.title,
        image: flash.image,
        price,
        deposit,
        effective_deposit: deposit.unwrap_or_else(|| rule.deposit(price)),
        duration_minutes: flash.duration_minutes,
        repeatable: flash.repeatable,
        archived: flash.state == "archived",
        position: flash.position,
        holder: flash.holder,
    })
}

/// The flash of a statement's answer.
fn answered(row: &Row) -> Result<Option<Stored>, Error> {
    let rule = rule(row)?;
    get_json_opt::<FlashRow>(row, "flash")?.map(|flash| read_flash(flash, rule)).transpose()
}

/// Every flash of an account's artist: those on sale first, in the order of the gallery. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn list(db: &Db, user: Account) -> Result<Vec<Stored>, Error> {
    let sql = [
        MINE.trim_end_matches(", "),
        " select ",
        RULE,
        ", coalesce((select jsonb_agg(",
        flash_json!(),
        r" order by f.state = 'archived', f.position, f.created_at, f.id) from flashes f where f.artist_id = mine.id), '[]')
         as flashes from mine",
    ]
    .concat();
    let row = of_an_artist(db.row(Repeat::Safe, &sql, &[(&user, Type::UUID_ARRAY)]).await?)?;
    let rule = rule(&row)?;
    get_json::<Vec<FlashRow>>(&row, "flashes")?.into_iter().map(|flash| read_flash(flash, rule)).collect()
}

/// What came of a write.
#[derive(Debug)]
pub enum Written {
    /// The flash as it is now.
    Flash(Box<Stored>),
    /// There is no such flash of this artist.
    Missing,
    /// The picture is not one of theirs, or is not ready.
    NoPicture,
    /// Somebody has booked it: it stays the one of a kind that it is, or is not.
    KeepsKind,
    /// Somebody has booked this unique piece: it keeps its drawing.
    KeepsPicture,
    /// There are as many flashes as a page can carry.
    TooMany,
}

fn record(sheet: &FlashSheet) -> serde_json::Value {
    json!({
        "title": sheet.title, "price": sheet.price.to_euros(), "deposit": sheet.deposit.map(Cents::to_euros),
        "duration_minutes": sheet.duration_minutes, "repeatable": sheet.repeatable, "position": sheet.position,
        "image_id": sheet.image,
    })
}

/// The flash that was sent, and its picture when that is one of the artist's.
const SENT: &str = concat!(
    r"r as (select * from jsonb_to_record($2) as r(title text, price numeric, deposit numeric, duration_minutes integer,
         repeatable boolean, position integer, image_id uuid)),
     picture as (select ",
    picture_path!(),
    " as path from images i, mine, r where i.artist_id = mine.id and i.id = r.image_id and i.status = 'ready'), "
);

/// Puts a flash on sale. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn create(db: &Db, user: Account, id: FlashId, sheet: &FlashSheet, now: Timestamp) -> Result<Written, Error> {
    let sql = [
        MINE,
        SENT,
        r"room as (select from mine where (select count(*) from flashes f where f.artist_id = mine.id) < 500),
         f as (insert into flashes (id, artist_id, title, image, price, deposit, duration_minutes, repeatable, position,
                 created_at, updated_at)
             select $3, mine.id, r.title, picture.path, r.price, r.deposit, r.duration_minutes, r.repeatable,
                 coalesce(r.position, (select coalesce(max(o.position), 0) + 1 from flashes o where o.artist_id = mine.id)),
                 $4, $4
             from mine, r, picture, room returning *)
         select ",
        RULE,
        ", exists (select from picture) as has_picture, (select ",
        flash_json!(),
        " from f) as flash from mine",
    ]
    .concat();
    let params: [crate::db::Param<'_>; 4] =
        [(&user, Type::UUID_ARRAY), (&record(sheet), Type::JSONB), (&id.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ)];
    let row = of_an_artist(db.row(Repeat::Unsafe, &sql, &params).await?)?;
    match answered(&row)? {
        Some(flash) => Ok(Written::Flash(Box::new(flash))),
        None if get(&row, "has_picture")? => Ok(Written::TooMany),
        None => Ok(Written::NoPicture),
    }
}

/// Changes a flash. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn change(db: &Db, user: Account, id: FlashId, sheet: &FlashSheet, now: Timestamp) -> Result<Written, Error> {
    // A hold that has run out still counts: its payment may be on its way, and revives it.
    let sql = [
        MINE,
        SENT,
        r"was as (select f.image, f.repeatable, exists (select from bookings b where b.flash_id = f.id
                 and b.status in ('pending', 'confirmed', 'completed')) as booked
             from flashes f, mine where f.id = $3 and f.artist_id = mine.id),
         verdict as (select r.image_id is not null and not exists (select from picture) as no_picture,
                 was.booked and was.repeatable <> r.repeatable as keeps_kind,
                 was.booked and not was.repeatable and coalesce((select path from picture), was.image) <> was.image
                     as keeps_picture
             from was, r),
         f as (update flashes o set title = r.title, price = r.price, deposit = r.deposit,
                 duration_minutes = r.duration_minutes, repeatable = r.repeatable,
                 position = coalesce(r.position, o.position), image = coalesce((select path from picture), o.image),
                 updated_at = $4
             from r, verdict v, mine where o.id = $3 and o.artist_id = mine.id
                 and not v.no_picture and not v.keeps_kind and not v.keeps_picture returning o.*)
         select ",
        RULE,
        ", v.no_picture, v.keeps_kind, v.keeps_picture, (select ",
        flash_json!(),
        " from f) as flash from mine left join verdict v on true",
    ]
    .concat();
    let params: [crate::db::Param<'_>; 4] =
        [(&user, Type::UUID_ARRAY), (&record(sheet), Type::JSONB), (&id.uuid(), Type::UUID), (&now, Type::TIMESTAMPTZ)];
    let row = of_an_artist(db.row(Repeat::Safe, &sql, &params).await?)?;
    if let Some(flash) = answered(&row)? {
        return Ok(Written::Flash(Box::new(flash)));
    }
    let is = |column| get::<Option<bool>>(&row, column);
    Ok(match (is("no_picture")?, is("keeps_kind")?, is("keeps_picture")?) {
        (Some(true), ..) => Written::NoPicture,
        (_, Some(true), _) => Written::KeepsKind,
        (_, _, Some(true)) => Written::KeepsPicture,
        _ => Written::Missing,
    })
}

/// Takes a flash off the page, or puts it back. Bookings of it go on. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn set_archived(
    db: &Db,
    user: Account,
    id: FlashId,
    archived: bool,
    now: Timestamp,
) -> Result<Option<Stored>, Error> {
    let sql = [
        MINE,
        r"f as (update flashes o set state = $3, updated_at = $4 from mine
             where o.id = $2 and o.artist_id = mine.id returning o.*)
         select ",
        RULE,
        ", (select ",
        flash_json!(),
        " from f) as flash from mine",
    ]
    .concat();
    let state = if archived { "archived" } else { "available" };
    let params: [crate::db::Param<'_>; 4] =
        [(&user, Type::UUID_ARRAY), (&id.uuid(), Type::UUID), (&state, Type::TEXT), (&now, Type::TIMESTAMPTZ)];
    answered(&of_an_artist(db.row(Repeat::Safe, &sql, &params).await?)?)
}
