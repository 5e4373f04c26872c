//! The profile, and the row of a new artist.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{of_an_artist, picture_path};
use crate::auth::Account;
use crate::db::artists::takes_bookings;
use crate::db::{Db, Repeat, contact_links, get, get_named, insert_jobs, job_rows};
use crate::domain::ids::{ArtistId, JobId};
use crate::domain::job::Task;
use crate::domain::locale::Locale;
use crate::domain::place::AddressShown;
use crate::domain::settings::profile::{Hero, Profile};
use crate::error::Error;

/// The insert of a link `$link` at `$now` to `email_wanted` of the one row of `$from`, unless its address or its artist had
/// as many as `$allowed`.
macro_rules! insert_link {
    ($from:literal, $link:literal, $now:literal, $allowed:literal) => {
        concat!(
            "insert into contact_links (id, artist_id, email, created_at, expires_at) select ",
            $link,
            ", f.id, f.email_wanted, ",
            $now,
            ", ",
            $now,
            " + interval '48 hours' from ",
            $from,
            " f where f.email_wanted is not null and mail_allowance('link', f.email_wanted, f.id, ",
            $now,
            ", ",
            $allowed,
            ") is null returning id"
        )
    };
}

/// A profile as it is stored.
#[derive(Debug)]
pub struct Stored {
    /// The last segment of their page's address.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    /// Where the mails go: confirmed.
    pub email: String,
    /// Where they should go, once the link that was mailed there is followed.
    pub email_wanted: Option<String>,
    pub bio: String,
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    pub address_shown: AddressShown,
    pub locale: Locale,
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
    /// Whether deposits are taken, so that clients can book.
    pub takes_bookings: bool,
}

/// The profile of an account's artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read(db: &Db, user: Account) -> Result<Stored, Error> {
    const SQL: &str = concat!(
        r"select a.slug, a.display_name, a.email, a.email_wanted, a.bio, a.city, a.address, a.address_shown, a.locale, a.timezone, a.hero_image, a.pending_mails,
         exists (select from flashes f where f.artist_id = a.id and f.state = 'available') as has_flash,
         exists (select from availability v where v.artist_id = a.id) as has_hours,
         a.cal_com_event_type_id is not null as has_calendar, ",
        takes_bookings!(),
        " as takes_bookings from artists a where a.user_id = account($1)"
    );
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await?)?;
    Ok(Stored {
        slug: get(&row, "slug")?,
        display_name: get(&row, "display_name")?,
        email: get(&row, "email")?,
        email_wanted: get(&row, "email_wanted")?,
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
        takes_bookings: get(&row, "takes_bookings")?,
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
    /// A page begins with the account's own address, and this account has none.
    NoAccountEmail,
    /// A page begins with an invitation, and this account has none.
    Uninvited,
}

/// Who writes a profile.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    pub account: Account,
    /// The address that Supabase has confirmed, if there is one.
    pub email: Option<&'a str>,
    /// Whether a page may begin without an invitation.
    pub may_begin: bool,
}

/// The profile, and what is wrong with it: whatever is refused leaves everything as it was.
const WRITE: &str = concat!(
    r"with mine as (select id, hero_image, email, email_wanted from artists where user_id = account($1)),
         r as (select * from jsonb_to_record($2) as r(slug text, display_name text, email text, bio text, city text,
             address text, address_shown text, locale text, timezone text, hero_path text, hero_id uuid, pending_mails boolean)),
         picture as (select ",
    picture_path!(),
    r" as path from images i, mine, r where i.artist_id = mine.id and i.id = r.hero_id and i.status = 'ready'),
         verdict as (select
             exists (select from artists o where o.slug = r.slug and o.user_id is distinct from account($1))
                 or exists (select from former_slugs f where f.slug = r.slug and f.freed_at > $3::timestamptz - interval '1 year'
                     and f.artist_id is distinct from (select id from mine)) as slug_taken,
             (r.hero_id is not null and not exists (select from picture))
                 or (r.hero_path is not null and r.hero_path is distinct from (select hero_image from mine)) as no_picture,
             ($6 is null and not exists (select from mine)) as no_account_email,
             not ($13 or exists (select from mine) or exists (select from invitations i where i.email = lower($6))) as uninvited,
             case when lower(r.email) = lower($6) or lower(r.email) = (select lower(email) from mine) then null else r.email end
                 as email_wanted
             from r),
         changed as (update artists a set slug = r.slug, display_name = r.display_name,
             email = case when lower(r.email) = lower($6) then r.email else a.email end, email_wanted = v.email_wanted,
             account_email = coalesce($6, a.account_email), bio = r.bio,
             city = r.city, address = r.address, address_shown = r.address_shown, locale = r.locale, timezone = r.timezone,
             hero_image = coalesce((select path from picture), r.hero_path),
             pending_mails = coalesce(r.pending_mails, a.pending_mails), updated_at = $3
             from r, verdict v where a.user_id = account($1) and not v.slug_taken and not v.no_picture returning a.id),
         created as (insert into artists (id, user_id, slug, display_name, email, email_wanted, account_email, bio, city, address,
                 address_shown, locale, timezone, pending_mails, created_at, updated_at)
             select $4, account($1), r.slug, r.display_name, case when v.email_wanted is null then r.email else $6 end, v.email_wanted, $6,
                 r.bio, r.city, r.address, r.address_shown, r.locale, r.timezone, coalesce(r.pending_mails, false), $3, $3
             from r, verdict v where not exists (select from mine) and not v.slug_taken and not v.no_picture
                 and not v.no_account_email and not v.uninvited
             on conflict do nothing returning id),
         written as materialized (select id from changed union all select id from created),
         asked as materialized (select w.id, v.email_wanted from written w, verdict v
             where v.email_wanted is not null and v.email_wanted is distinct from (select email_wanted from mine)),
         linked as (",
    insert_link!("asked", "$7", "$3", "$9, $10, $11, $12"),
    "), jobs as (",
    insert_jobs!("$8", "linked, "),
    r") select v.slug_taken, v.no_picture, v.no_account_email, v.uninvited, (select id from jobs) as job, exists (select from changed) as changed,
             exists (select from created) as created,
             array(select c.slug from unnest($5::text[]) with ordinality as c(slug, place)
                 where v.slug_taken and not exists (select from artists o where o.slug = c.slug)
                     and not exists (select from former_slugs f where f.slug = c.slug)
                 order by c.place limit 3) as free
         from verdict v"
);

/// Writes a profile; an account's first one creates its artist, whose id is `id` then. One flight.
///
/// Mails go to an address that was confirmed and to no other: the account's, or one whose link was followed. For any other
/// wish a link is written down, with its job, which is what is given beside; unless that address, or this artist, had many.
///
/// # Errors
/// Two first profiles of one account met ([`Error::Conflict`]), or the database failed.
pub async fn write(
    db: &Db,
    owner: Owner<'_>,
    id: ArtistId,
    profile: &Profile,
    now: Timestamp,
) -> Result<(Written, Option<JobId>), Error> {
    let (hero_path, hero_id) = match &profile.hero {
        Hero::None => (None, None),
        Hero::Keep(path) => (Some(path), None),
        Hero::Image(id) => (None, Some(id)),
    };
    let (link, jobs) = new_link(now);
    let [to_hour, to_day, by_hour, by_day] = contact_links::ALLOWED;
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
            WRITE,
            &[
                (&owner.account, Type::UUID_ARRAY),
                (&record, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&id.uuid(), Type::UUID),
                (&profile.other_slugs(), Type::TEXT_ARRAY),
                (&owner.email, Type::TEXT),
                (&link, Type::UUID),
                (&jobs, Type::JSONB),
                (&to_hour, Type::INT4),
                (&to_day, Type::INT4),
                (&by_hour, Type::INT4),
                (&by_day, Type::INT4),
                (&owner.may_begin, Type::BOOL),
            ],
        )
        .await;
    let row = match asked {
        // Somebody else was faster by a moment.
        Err(Error::Database(error)) if is_slug_taken(&error) => return Ok((Written::SlugTaken(Vec::new()), None)),
        asked => asked?.ok_or_else(|| Error::Internal("a profile answers one row".into()))?,
    };
    let written = if get(&row, "uninvited")? {
        Written::Uninvited
    } else if get(&row, "slug_taken")? {
        Written::SlugTaken(get(&row, "free")?)
    } else if get(&row, "no_picture")? {
        Written::NoPicture
    } else if get(&row, "no_account_email")? {
        Written::NoAccountEmail
    } else if get(&row, "changed")? {
        Written::Changed
    } else if get(&row, "created")? {
        Written::Created
    } else {
        return Err(Error::Conflict);
    };
    Ok((written, get::<Option<Uuid>>(&row, "job")?.map(JobId::new)))
}

/// What came of asking for another link.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is written down, with its job.
    Linked(JobId),
    /// No address waits to be confirmed.
    NothingWaits,
    /// This address, or this artist, had many.
    Enough,
}

/// Asks for another link to the address that waits to be confirmed. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn link_again(db: &Db, user: Account, now: Timestamp) -> Result<Asked, Error> {
    const SQL: &str = concat!(
        "with mine as materialized (select id, email_wanted from artists where user_id = account($1)), linked as (",
        insert_link!("mine", "$3", "$2", "$5, $6, $7, $8"),
        "), jobs as (",
        insert_jobs!("$4", "linked, "),
        ") select (select id from jobs) as job, email_wanted is null as nothing_waits from mine"
    );
    let (link, jobs) = new_link(now);
    let [to_hour, to_day, by_hour, by_day] = contact_links::ALLOWED;
    let row = db
        .row(
            // Sent twice, it is counted twice and mailed once or twice: both within what is allowed.
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&now, Type::TIMESTAMPTZ),
                (&link, Type::UUID),
                (&jobs, Type::JSONB),
                (&to_hour, Type::INT4),
                (&to_day, Type::INT4),
                (&by_hour, Type::INT4),
                (&by_day, Type::INT4),
            ],
        )
        .await?;
    let row = of_an_artist(row)?;
    if let Some(job) = get::<Option<Uuid>>(&row, "job")? {
        return Ok(Asked::Linked(JobId::new(job)));
    }
    Ok(if get(&row, "nothing_waits")? { Asked::NothingWaits } else { Asked::Enough })
}

/// The id of a new link, and the row of its job.
fn new_link(now: Timestamp) -> (Uuid, serde_json::Value) {
    let link = Uuid::now_v7();
    (link, job_rows(&[Task::SendContactLink { link }], 0, now, now))
}

fn is_slug_taken(error: &tokio_postgres::Error) -> bool {
    let constraint = error.as_db_error().and_then(|error| error.constraint());
    matches!(constraint, Some("artists_slug_unique" | "artists_slug_rests"))
}
