//! The profile, and the row of a new artist.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{of_an_artist, picture_path};
use crate::db::{Db, Repeat, get, get_named};
use crate::domain::contact::Locale;
use crate::domain::ids::ArtistId;
use crate::domain::place::AddressShown;
use crate::domain::settings::profile::{Hero, Profile};
use crate::error::Error;

/// A profile as it is stored.
#[derive(Debug)]
pub struct Stored {
    /// Their address on the site.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    /// Where the mails go.
    pub email: String,
    /// A few sentences.
    pub bio: String,
    /// The town.
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    /// From when on clients are told.
    pub address_shown: AddressShown,
    /// Their language.
    pub locale: Locale,
    /// Their zone.
    pub timezone: String,
    /// The path of the large picture.
    pub hero_image: Option<String>,
    /// Whether they are mailed of a hold before it is paid.
    pub pending_mails: bool,
    /// Whether a flash is on sale.
    pub has_flash: bool,
    /// Whether there are weekly hours.
    pub has_hours: bool,
    /// Whether Cal.com is connected.
    pub has_calendar: bool,
}

/// The profile of an account's artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read(db: &Db, user: Uuid) -> Result<Stored, Error> {
    const SQL: &str = "select a.slug, a.display_name, a.email, a.bio, a.city, a.address, a.address_shown, a.locale, a.timezone, a.hero_image, a.pending_mails, \
         exists (select from flashes f where f.artist_id = a.id and f.state = 'available') as has_flash, \
         exists (select from availability v where v.artist_id = a.id) as has_hours, \
         a.cal_com_event_type_id is not null as has_calendar \
         from artists a where a.user_id = $1";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID)]).await?)?;
    Ok(Stored {
        slug: get(&row, "slug")?,
        display_name: get(&row, "display_name")?,
        email: get(&row, "email")?,
        bio: get(&row, "bio")?,
        city: get(&row, "city")?,
        address: get(&row, "address")?,
        address_shown: get_named(&row, "address_shown", AddressShown::parse)?,
        locale: Locale::from_tag(get(&row, "locale")?),
        timezone: get(&row, "timezone")?,
        hero_image: get(&row, "hero_image")?,
        pending_mails: get(&row, "pending_mails")?,
        has_flash: get(&row, "has_flash")?,
        has_hours: get(&row, "has_hours")?,
        has_calendar: get(&row, "has_calendar")?,
    })
}

/// What came of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// The page is new.
    Created,
    /// It was there.
    Changed,
    /// Another page has this address; these are free.
    SlugTaken(Vec<String>),
    /// The picture is not one of theirs, or is not ready.
    NoPicture,
}

/// Writes a profile; an account's first one creates its artist, whose id is `id` then. One flight.
///
/// # Errors
/// Two first profiles of one account met ([`Error::Conflict`]), or the database failed.
pub async fn write(db: &Db, user: Uuid, id: ArtistId, profile: &Profile, now: Timestamp) -> Result<Written, Error> {
    const SQL: &str = concat!(
        "with mine as (select id, hero_image from artists where user_id = $1), \
         r as (select * from jsonb_to_record($2) as r(slug text, display_name text, email text, bio text, city text, \
             address text, address_shown text, locale text, timezone text, hero_path text, hero_id uuid, pending_mails boolean)), \
         picture as (select ",
        picture_path!(),
        " as path from images i, mine, r where i.artist_id = mine.id and i.id = r.hero_id and i.status = 'ready'), \
         verdict as (select \
             exists (select from artists o where o.slug = r.slug and o.user_id is distinct from $1) as slug_taken, \
             (r.hero_id is not null and not exists (select from picture)) \
                 or (r.hero_path is not null and r.hero_path is distinct from (select hero_image from mine)) as no_picture \
             from r), \
         changed as (update artists a set slug = r.slug, display_name = r.display_name, email = r.email, bio = r.bio, \
             city = r.city, address = r.address, address_shown = r.address_shown, locale = r.locale, timezone = r.timezone, \
             hero_image = coalesce((select path from picture), r.hero_path), \
             pending_mails = coalesce(r.pending_mails, a.pending_mails), updated_at = $3 \
             from r, verdict v where a.user_id = $1 and not v.slug_taken and not v.no_picture returning a.id), \
         created as (insert into artists (id, user_id, slug, display_name, email, bio, city, address, address_shown, \
                 locale, timezone, pending_mails, created_at, updated_at) \
             select $4, $1, r.slug, r.display_name, r.email, r.bio, r.city, r.address, r.address_shown, r.locale, r.timezone, \
                 coalesce(r.pending_mails, false), $3, $3 \
             from r, verdict v where not exists (select from mine) and not v.slug_taken and not v.no_picture \
             on conflict do nothing returning id) \
         select v.slug_taken, v.no_picture, exists (select from changed) as changed, \
             exists (select from created) as created, \
             array(select c.slug from unnest($5::text[]) with ordinality as c(slug, place) \
                 where v.slug_taken and not exists (select from artists o where o.slug = c.slug) \
                 order by c.place limit 3) as free \
         from verdict v"
    );
    let (hero_path, hero_id) = match &profile.hero {
        Hero::None => (None, None),
        Hero::Keep(path) => (Some(path), None),
        Hero::Image(id) => (None, Some(id)),
    };
    let record = json!({
        "slug": profile.slug, "display_name": profile.display_name, "email": profile.email.as_str(), "bio": profile.bio,
        "city": profile.city, "address": profile.address,
        "address_shown": profile.address_shown, "locale": profile.locale.code(),
        "timezone": profile.timezone, "hero_path": hero_path, "hero_id": hero_id,
        "pending_mails": profile.pending_mails,
    });
    let asked = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID),
                (&record, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&id.uuid(), Type::UUID),
                (&profile.other_slugs(), Type::TEXT_ARRAY),
            ],
        )
        .await;
    let row = match asked {
        // Somebody else was faster by a moment.
        Err(Error::Database(error)) if is_slug_taken(&error) => return Ok(Written::SlugTaken(Vec::new())),
        asked => asked?.ok_or_else(|| Error::Internal("a profile answers one row".into()))?,
    };
    if get(&row, "slug_taken")? {
        Ok(Written::SlugTaken(get(&row, "free")?))
    } else if get(&row, "no_picture")? {
        Ok(Written::NoPicture)
    } else if get(&row, "changed")? {
        Ok(Written::Changed)
    } else if get(&row, "created")? {
        Ok(Written::Created)
    } else {
        Err(Error::Conflict)
    }
}

fn is_slug_taken(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().and_then(|error| error.constraint()) == Some("artists_slug_unique")
}
