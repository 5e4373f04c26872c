//! The artist's page and agenda: each one flight, whatever is on it.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bookings::{euros, euros_opt};
use super::{Db, Repeat, get, get_json, get_named, get_zone};
use crate::auth::Account;
use crate::domain::booking::{CalendarMode, Status};
use crate::domain::ids::{ArtistId, BookingId, FlashId};
use crate::domain::local::StudioClock;
use crate::domain::locale::Locale;
use crate::domain::money::{Cents, DepositRule};
use crate::domain::place::AddressShown;
use crate::domain::policy::{CancellationPolicy, DepositNature};
use crate::domain::slots::{Interval, OpeningHours, Schedule, last_date};
use crate::error::Error;

/// An artist with their rules.
#[derive(Debug, Clone)]
pub struct Artist {
    pub id: ArtistId,
    /// The last segment of their page's address.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    pub bio: String,
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    pub address_shown: AddressShown,
    /// Path or URL of the large image.
    pub hero_image: Option<String>,
    pub locale: Locale,
    /// Their zone: opening hours are its wall clock.
    pub zone: TimeZone,
    /// Its IANA name.
    pub zone_name: String,
    /// The deposit of a flash that names none.
    pub deposit_rule: DepositRule,
    pub project_deposit: Cents,
    /// The first appointment of a custom project, in minutes.
    pub project_duration_minutes: u32,
    pub policy: CancellationPolicy,
    /// Their Cal.com, when they use one.
    pub calendar: Option<CalendarAccess>,
    pub calendar_mode: CalendarMode,
    /// Their connected Stripe account; none is the platform's own.
    pub stripe_account: Option<String>,
}

/// The page that belongs to an account, in a few words.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct OwnPage {
    /// The artist.
    pub id: ArtistId,
    /// Their address on the site.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    /// Their clock.
    #[serde(flatten)]
    pub clock: StudioClock,
    /// The language they read.
    pub locale: Locale,
}

/// The page of a user of Supabase Auth; none until its profile was saved once. One flight.
pub async fn own_page(db: &Db, user: Account) -> Result<Option<OwnPage>, Error> {
    const SQL: &str = "select id, slug, display_name, timezone, locale from artists where user_id = account($1)";
    let Some(row) = db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await? else { return Ok(None) };
    Ok(Some(OwnPage {
        id: ArtistId::new(get(&row, "id")?),
        slug: get(&row, "slug")?,
        display_name: get(&row, "display_name")?,
        clock: StudioClock::of(&get_zone(&row, "timezone")?),
        locale: Locale::from_tag(get(&row, "locale")?),
    }))
}

/// The IANA zone of an artist; none when there is no such artist. One flight.
pub async fn zone(db: &Db, slug: &str) -> Result<Option<String>, Error> {
    const SQL: &str = "select timezone from artists where slug = $1 and active";
    db.row(Repeat::Safe, SQL, &[(&slug, Type::TEXT)]).await?.map(|row| get(&row, "timezone")).transpose()
}

/// The way into an artist's Cal.com.
#[derive(Debug, Clone)]
pub struct CalendarAccess {
    /// The event type that clients book.
    pub event_type: i64,
    pub sealed_key: Vec<u8>,
}

/// Whether a flash can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[derive(schemars::JsonSchema)]
pub enum FlashState {
    /// It can.
    Available,
    /// A unique one, reserved by somebody who is paying.
    Held,
    /// A unique one, booked.
    Sold,
}

impl FlashState {
    /// The name as sent, and as the page's styles know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Held => "held",
            Self::Sold => "sold",
        }
    }
}

/// A flash on sale.
#[derive(Debug, Clone)]
pub struct Flash {
    pub id: FlashId,
    pub title: String,
    /// Path or URL of its image.
    pub image: String,
    /// The whole price.
    pub price: Cents,
    pub deposit: Cents,
    pub duration_minutes: u32,
    /// False for a unique piece.
    pub repeatable: bool,
}

/// A booking or a hold that lies in the agenda.
#[derive(Debug, Clone, Deserialize)]
pub struct Occupied {
    pub id: BookingId,
    start: Timestamp,
    end: Timestamp,
    status: String,
    hold_expires_at: Option<Timestamp>,
}

impl Occupied {
    pub fn interval(&self) -> Interval {
        Interval { start: self.start, end: self.end }
    }

    /// True for a hold that has run out: readers offer its slot again at once.
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.status == Status::Pending.name() && self.hold_expires_at.is_some_and(|end| end <= now)
    }

    /// The time that a live hold takes, and when it ends unless it is paid; none for one that waits for a bank for days.
    fn hold(&self, now: Timestamp) -> Option<(Interval, Timestamp)> {
        let end = self.hold_expires_at.filter(|_| self.is_held(now))?;
        (end.duration_since(now) <= SignedDuration::from_hours(24)).then(|| (self.interval(), end))
    }

    /// True for a hold that is neither paid nor lapsed.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.status == Status::Pending.name() && !self.has_lapsed(now)
    }
}

/// All that free slots are cut from.
#[derive(Debug)]
pub struct Agenda {
    pub artist: Artist,
    /// The flash asked for, when it is on sale by this artist.
    pub flash: Option<Flash>,
    /// Who has the flash, when it is unique and somebody does.
    pub flash_holder: Option<Occupied>,
    /// Bookings and holds in the window, lapsed ones included.
    pub occupied: Vec<Occupied>,
    hours: Vec<OpeningHours>,
    time_off: Vec<Interval>,
    buffer_minutes: u32,
    notice_minutes: u32,
    step_minutes: u32,
    horizon_days: u32,
}

impl Agenda {
    /// The schedule at `now`, with the free starts of the artist's Cal.com when they have one.
    pub fn schedule(&self, calendar: Option<Vec<Timestamp>>, now: Timestamp) -> Schedule {
        Schedule {
            zone: self.artist.zone.clone(),
            hours: self.hours.clone(),
            closed: self.time_off.clone(),
            busy: self.occupied.iter().filter(|booking| !booking.has_lapsed(now)).map(Occupied::interval).collect(),
            held: self.occupied.iter().filter_map(|booking| booking.hold(now)).collect(),
            buffer_minutes: self.buffer_minutes,
            notice_minutes: self.notice_minutes,
            step_minutes: self.step_minutes,
            horizon_days: self.horizon_days,
            calendar,
        }
    }

    /// The last local date that can be booked.
    pub fn bookable_until(&self, now: Timestamp) -> Date {
        last_date(&self.artist.zone, self.horizon_days, now)
    }

    /// How long the appointment takes: the flash's time, or the artist's for a project.
    pub fn duration_minutes(&self) -> u32 {
        self.flash.as_ref().map_or(self.artist.project_duration_minutes, |flash| flash.duration_minutes)
    }
}

/// The columns of an artist `a`, with the comma that follows.
macro_rules! artist_columns {
    () => {
        r"a.id as artist_id, a.slug, a.display_name, a.bio, a.city, a.address, a.address_shown, a.hero_image, a.locale, a.timezone,
         a.deposit_percent, a.deposit_minimum::text, a.project_deposit::text, a.project_duration_minutes,
         a.policy_full_refund_hours, a.policy_late_refund_percent, a.policy_free_moves, a.deposit_nature,
         a.cal_com_event_type_id, a.cal_com_api_key, a.cal_com_create_at, a.stripe_account_id, "
    };
}

/// Whether an artist `a` takes deposits, so that their page can be booked: by leave of who runs the site, or on a Stripe
/// account of their own.
macro_rules! takes_bookings {
    () => {
        "(a.takes_deposits or a.stripe_account_id is not null)"
    };
}
pub(crate) use takes_bookings;

/// The agenda of an artist in a window of time; none when there is no such artist. One flight.
pub async fn agenda(db: &Db, slug: &str, flash: Option<FlashId>, window: Interval) -> Result<Option<Agenda>, Error> {
    const SQL: &str = "select * from agenda($1, $2, $3, $4)";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&slug, Type::TEXT),
                (&flash.map(FlashId::uuid), Type::UUID),
                (&window.start, Type::TIMESTAMPTZ),
                (&window.end, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    row.as_ref().map(read_agenda).transpose()
}

/// Reads a row of the function `agenda`.
pub(crate) fn read_agenda(row: &Row) -> Result<Agenda, Error> {
    let artist = read_artist(row)?;
    let flash = match get::<Option<Uuid>>(row, "flash_id")? {
        None => None,
        Some(id) => {
            let price = euros(row, "flash_price")?;
            Some(Flash {
                id: FlashId::new(id),
                title: get(row, "flash_title")?,
                image: get(row, "flash_image")?,
                price,
                deposit: euros_opt(row, "flash_deposit")?.unwrap_or_else(|| artist.deposit_rule.deposit(price)),
                duration_minutes: count(row, "flash_duration_minutes")?,
                repeatable: get(row, "flash_repeatable")?,
            })
        }
    };
    let hours = get_json::<Vec<(i8, u16, u16)>>(row, "hours")?
        .into_iter()
        .map(|(weekday, opens, closes)| {
            let weekday =
                Weekday::from_monday_one_offset(weekday).map_err(|error| Error::Internal(error.to_string()))?;
            OpeningHours::new(weekday, opens, closes).map_err(|error| Error::Internal(error.to_string()))
        })
        .collect::<Result<_, Error>>()?;
    Ok(Agenda {
        flash_holder: read_holder(row)?,
        occupied: get_json(row, "occupied")?,
        hours,
        time_off: get_json::<Vec<(Timestamp, Timestamp)>>(row, "time_off")?
            .into_iter()
            .map(|(start, end)| Interval { start, end })
            .collect(),
        buffer_minutes: count(row, "buffer_minutes")?,
        notice_minutes: count(row, "minimum_notice_minutes")?,
        step_minutes: count(row, "slot_step_minutes")?,
        horizon_days: count(row, "horizon_days")?,
        artist,
        flash,
    })
}

fn read_holder(row: &Row) -> Result<Option<Occupied>, Error> {
    match get::<Option<serde_json::Value>>(row, "flash_holder")? {
        None => Ok(None),
        Some(value) => {
            serde_json::from_value(value).map(Some).map_err(|error| Error::Internal(format!("flash_holder: {error}")))
        }
    }
}

fn read_artist(row: &Row) -> Result<Artist, Error> {
    let calendar = match (get(row, "cal_com_event_type_id")?, get(row, "cal_com_api_key")?) {
        (Some(event_type), Some(sealed_key)) => Some(CalendarAccess { event_type, sealed_key }),
        _ => None,
    };
    let create_at: &str = get(row, "cal_com_create_at")?;
    Ok(Artist {
        id: ArtistId::new(get(row, "artist_id")?),
        slug: get(row, "slug")?,
        display_name: get(row, "display_name")?,
        bio: get(row, "bio")?,
        city: get(row, "city")?,
        address: get(row, "address")?,
        address_shown: get_named(row, "address_shown", AddressShown::parse)?,
        hero_image: get(row, "hero_image")?,
        locale: Locale::from_tag(get(row, "locale")?),
        zone: get_zone(row, "timezone")?,
        zone_name: get(row, "timezone")?,
        deposit_rule: DepositRule {
            percent: percent(row, "deposit_percent")?,
            minimum: euros(row, "deposit_minimum")?,
        },
        project_deposit: euros(row, "project_deposit")?,
        project_duration_minutes: count(row, "project_duration_minutes")?,
        policy: CancellationPolicy {
            full_refund_hours: count(row, "policy_full_refund_hours")?,
            late_refund_percent: percent(row, "policy_late_refund_percent")?,
            free_moves: percent(row, "policy_free_moves")?,
            nature: get_named(row, "deposit_nature", DepositNature::parse)?,
        },
        calendar_mode: match (&calendar, create_at) {
            (None, _) => CalendarMode::Off,
            (Some(_), "payment") => CalendarMode::AfterPayment,
            (Some(_), _) => CalendarMode::AtBooking,
        },
        calendar,
        stripe_account: get(row, "stripe_account_id")?,
    })
}

fn count(row: &Row, column: &str) -> Result<u32, Error> {
    let number: i32 = get(row, column)?;
    u32::try_from(number).map_err(|_| Error::Internal(format!("column {column} is negative")))
}

fn percent(row: &Row, column: &str) -> Result<u8, Error> {
    let number: i16 = get(row, column)?;
    u8::try_from(number).map_err(|_| Error::Internal(format!("column {column} is out of range")))
}

/// What the vitrine shows.
#[derive(Debug)]
pub struct Page {
    pub artist: Artist,
    /// Their flashes in order, each with its state.
    pub flashes: Vec<(Flash, FlashState)>,
    /// Whether deposits are taken, so that there is something to book.
    pub takes_bookings: bool,
}

/// The most artists that are listed at once.
pub const MOST_LISTED: i64 = 100;

/// An artist in few words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The last segment of their page's address.
    pub slug: String,
    pub display_name: String,
    pub city: String,
    pub bio: String,
    pub locale: Locale,
    /// The path of the large image, else that of the first flash.
    pub image: Option<String>,
}

/// The artists whose page is open, who take deposits and who have something to book: hours, or a calendar elsewhere. By name. One flight.
pub async fn listed(db: &Db) -> Result<Vec<Listed>, Error> {
    const SQL: &str = concat!(
        r"select a.slug, a.display_name, a.city, a.bio, a.locale,
             coalesce(a.hero_image, (select f.image from flashes f where f.artist_id = a.id and f.state = 'available'
                 order by f.position, f.created_at, f.id limit 1)) as image
         from artists a where a.active and ",
        takes_bookings!(),
        r" and (a.cal_com_api_key is not null or exists (select from availability h where h.artist_id = a.id))
         order by a.display_name, a.id limit $1"
    );
    let rows = db.rows(Repeat::Safe, SQL, &[(&MOST_LISTED, Type::INT8)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Listed {
                slug: get(row, "slug")?,
                display_name: get(row, "display_name")?,
                city: get(row, "city")?,
                bio: get(row, "bio")?,
                locale: Locale::from_tag(get(row, "locale")?),
                image: get(row, "image")?,
            })
        })
        .collect()
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
    holder: Option<Occupied>,
}

/// The page of an artist; none when there is no such artist. An address that was given up within the last year leads to the
/// page of whoever had it, which has another slug then. One flight.
pub async fn page(db: &Db, slug: &str, now: Timestamp) -> Result<Option<Page>, Error> {
    const SQL: &str = concat!(
        "select ",
        artist_columns!(),
        r"(select coalesce(jsonb_agg(jsonb_build_object('id', f.id, 'title', f.title, 'image', f.image,
             'price', f.price::text, 'deposit', f.deposit::text, 'duration_minutes', f.duration_minutes,
             'repeatable', f.repeatable,
             'holder', (select jsonb_build_object('id', h.id, 'start', h.scheduled_at, 'end', h.ends_at,
                 'status', h.status, 'hold_expires_at', h.hold_expires_at) from bookings h
                 where h.unique_flash_id = f.id and h.status in ('pending', 'confirmed', 'completed')))
             order by f.position, f.created_at, f.id), '[]')
          from flashes f where f.artist_id = a.id and f.state = 'available') as flashes, ",
        takes_bookings!(),
        r" as takes_bookings
         from artists a where a.active and a.id = coalesce(
             (select s.id from artists s where s.slug = $1),
             (select f.artist_id from former_slugs f where f.slug = $1 and f.freed_at > $2::timestamptz - interval '1 year'))"
    );
    let params = [(&slug as _, Type::TEXT), (&now as _, Type::TIMESTAMPTZ)];
    let Some(row) = db.row(Repeat::Safe, SQL, &params).await? else { return Ok(None) };
    let artist = read_artist(&row)?;
    let exact = |text: &str| Cents::from_euros(text).map_err(|error| Error::Internal(format!("flash price: {error}")));
    let flashes = get_json::<Vec<FlashRow>>(&row, "flashes")?
        .into_iter()
        .map(|flash| {
            let price = exact(&flash.price)?;
            let deposit = flash.deposit.as_deref().map(exact).transpose()?;
            let state = match &flash.holder {
                None => FlashState::Available,
                Some(holder) if holder.has_lapsed(now) => FlashState::Available,
                Some(holder) if holder.is_held(now) => FlashState::Held,
                Some(_) => FlashState::Sold,
            };
            let flash = Flash {
                id: flash.id,
                title: flash.title,
                image: flash.image,
                price,
                deposit: deposit.unwrap_or_else(|| artist.deposit_rule.deposit(price)),
                duration_minutes: flash.duration_minutes,
                repeatable: flash.repeatable,
            };
            Ok((flash, state))
        })
        .collect::<Result<_, Error>>()?;
    Ok(Some(Page { artist, flashes, takes_bookings: get(&row, "takes_bookings")? }))
}
