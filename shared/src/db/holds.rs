//! The hold: one flight to know everything `create-booking` decides from, one to write it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio_postgres::types::Type;

use super::{Db, Repeat};
use crate::domain::booking::Status;
use crate::domain::contact::PhoneNumber;
use crate::domain::ids::BookingId;
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::domain::policy::CancellationPolicy;
use crate::domain::time::before;
use crate::error::Error;
use crate::network::Network;

mod ask;
mod suspects;
mod write;

pub use self::ask::{Context, Inquiry, ask};
pub use self::suspects::{Suspect, suspects};
pub use self::write::{NewHold, Subject, Taken, Written, write};

/// The client's networks as the database knows them.
#[derive(Debug)]
pub struct Networks {
    near: [u8; 32],
    wide: [u8; 32],
    /// They can be told apart: see [`Network::is_household`].
    pub is_household: bool,
}

impl Networks {
    /// The pseudonyms of a network.
    pub fn of(db: &Db, network: &Network) -> Self {
        Self {
            near: db.pseudonym(network.near()),
            wide: db.pseudonym(network.wide()),
            is_household: network.is_household(),
        }
    }
}

/// A hold that exists, as far as answering for it needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Hold {
    pub id: BookingId,
    pub status: Status,
    pub hold_expires_at: Option<Timestamp>,
    /// When Stripe's page closes, fixed before Stripe was first called.
    pub checkout_expires_at: Timestamp,
    /// Which wish for a page this is, from 1.
    pub checkout_attempt: u32,
    /// The Checkout Session, once it is known.
    pub session: Option<String>,
    pub checkout_url: Option<String>,
    /// What is booked, in a few words; empty for a project.
    pub title: String,
    /// The promise made to the client.
    pub policy: CancellationPolicy,
    /// The artist's zone, an IANA name.
    pub timezone: String,
    pub created_at: Timestamp,
    #[serde(deserialize_with = "exact_euros")]
    pub deposit: Cents,
    pub name: String,
    pub email: String,
    pub phone: String,
    /// The client's language.
    pub locale: Locale,
    pub start: Timestamp,
    pub end: Timestamp,
    /// The connected account; none is the platform's own.
    pub account: Option<String>,
}

/// An amount that the statement cast to text: exact.
fn exact_euros<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
    Cents::from_euros(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

impl Hold {
    /// The artist's zone.
    ///
    /// # Errors
    /// The stored name is not one.
    pub fn zone(&self) -> Result<TimeZone, Error> {
        TimeZone::get(&self.timezone).map_err(|error| Error::Internal(format!("timezone: {error}")))
    }

    /// True for the client who took it, in another browser or on another try: name, number and, where it was looked up, the
    /// address are the same, however they are written. Whoever knows less than all three is a stranger.
    pub fn is_of(&self, name: &str, phone: &PhoneNumber) -> bool {
        let letters =
            |name: &str| name.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
        self.phone == phone.as_str() && letters(&self.name) == letters(name)
    }

    /// True while the client can still pay it.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == Status::Pending && self.hold_expires_at.is_some_and(|end| end > now)
    }
}

/// The columns of a [`Hold`], as JSON, from `bookings b`.
macro_rules! hold_json {
    () => {
        r"jsonb_build_object('id', b.id, 'status', b.status, 'hold_expires_at', b.hold_expires_at,
         'checkout_expires_at', b.checkout_expires_at, 'checkout_attempt', b.checkout_attempt, 'session', b.stripe_checkout_session_id,
         'checkout_url', b.checkout_url, 'title', b.title, 'policy', b.policy, 'created_at', b.created_at,
         'timezone', coalesce(b.timezone, (select zone.timezone from artists zone where zone.id = b.artist_id)), 'deposit', b.acompte_amount::text,
         'name', b.client_name, 'email', b.client_email, 'phone', b.client_phone, 'locale', b.client_locale, 'start', b.scheduled_at, 'end', b.ends_at,
         'account', b.stripe_account_id)"
    };
}

#[cfg(test)]
pub(super) use hold_json;

/// Stores where the client pays. Returns false when the hold has ended meanwhile. One flight.
pub async fn opened(db: &Db, booking: BookingId, session: &str, url: &str, now: Timestamp) -> Result<bool, Error> {
    const SQL: &str = r"update bookings set stripe_checkout_session_id = $2, checkout_url = $3, updated_at = $4
         where id = $1 and status = 'pending' returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[(&booking.uuid(), Type::UUID), (&session, Type::TEXT), (&url, Type::TEXT), (&now, Type::TIMESTAMPTZ)],
        )
        .await?;
    Ok(row.is_some())
}

/// Makes another wish for a page of a hold that has none, with a number of its own and an end that Stripe still accepts.
/// One flight.
///
/// None when the hold has ended, or another request was faster. Written before Stripe is called, so that whoever takes it up next sends the same.
pub async fn wish_anew(db: &Db, hold: &Hold, expires_at: Timestamp, now: Timestamp) -> Result<Option<Hold>, Error> {
    const SQL: &str = concat!(
        r"update bookings b set checkout_attempt = b.checkout_attempt + 1, checkout_expires_at = $3, updated_at = $4
         where b.id = $1 and b.status = 'pending' and b.checkout_attempt = $2 and b.stripe_checkout_session_id is null
         returning ",
        hold_json!(),
        " as hold"
    );
    let attempt = i32::try_from(hold.checkout_attempt).unwrap_or(i32::MAX);
    let row = db
        .row(
            // Sent twice, the second finds a higher number.
            Repeat::Unsafe,
            SQL,
            &[
                (&hold.id.uuid(), Type::UUID),
                (&attempt, Type::INT4),
                (&expires_at, Type::TIMESTAMPTZ),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    row.map(|row| super::get_json(&row, "hold")).transpose()
}

/// Notes that the page of a booking that stands is closed: nobody is sent there any more, nor asks about it. One flight.
pub async fn page_closed(db: &Db, booking: BookingId) -> Result<(), Error> {
    const SQL: &str = "update bookings set checkout_url = null where id = $1 and status <> 'pending'";
    db.rows(Repeat::Safe, SQL, &[(&booking.uuid(), Type::UUID)]).await?;
    Ok(())
}

/// Reads one hold. One flight.
pub async fn get(db: &Db, id: BookingId) -> Result<Option<Hold>, Error> {
    const SQL: &str =
        concat!("select ", hold_json!(), " as hold from bookings b where b.id = $1 and b.status = 'pending'");
    let row = db.row(Repeat::Safe, SQL, &[(&id.uuid(), Type::UUID)]).await?;
    row.map(|row| super::get_json(&row, "hold")).transpose()
}

/// How long a booking whose client waits for the payment is left alone after Stripe was asked about it.
const LOOK_APART: SignedDuration = SignedDuration::from_secs(3);

/// A booking whose client waits for news of the payment.
#[derive(Debug, Clone)]
pub struct Awaited {
    pub hold: Hold,
    /// Stripe may be asked: it is unpaid, has a page, and nobody asked within the last seconds.
    pub may_ask: bool,
}

/// Reads a booking for its waiting client, and counts the look: of many at once, one may ask Stripe. One flight.
pub async fn awaited(db: &Db, id: BookingId, now: Timestamp) -> Result<Option<Awaited>, Error> {
    const SQL: &str = concat!(
        r"with counted as (
             insert into rate_limits (bucket, window_start, count)
             select 'payment-look:' || b.id, $2, 1 from bookings b where b.id = $1 and b.payment_status = 'unpaid'
                 and b.status in ('pending', 'confirmed') and b.stripe_checkout_session_id is not null
             on conflict (bucket, window_start) do nothing returning bucket
         ) select ",
        hold_json!(),
        " as hold, exists (select from counted) as may_ask from bookings b where b.id = $1"
    );
    let length = LOOK_APART.as_secs();
    let window = Timestamp::from_second(now.as_second().div_euclid(length) * length).unwrap_or(now);
    // Sent twice, the second may find the first: then the next look asks.
    let row = db.row(Repeat::Safe, SQL, &[(&id.uuid(), Type::UUID), (&window, Type::TIMESTAMPTZ)]).await?;
    row.map(|row| Ok(Awaited { hold: super::get_json(&row, "hold")?, may_ask: super::get(&row, "may_ask")? }))
        .transpose()
}

/// A hold that Stripe should be asked about.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    pub hold: Hold,
    pub created_at: Timestamp,
}

/// The unpaid holds that Stripe was not asked about since `asked_before`, the least recently asked first,
/// and notes that they are being asked about now. One flight.
///
/// A booking that its artist confirmed by hand is among them while its page is open: it can still be paid.
pub async fn due(db: &Db, asked_before: Timestamp, limit: i64, now: Timestamp) -> Result<Vec<Due>, Error> {
    const SQL: &str = concat!(
        r"with chosen as materialized (
             select id from bookings
             where (status = 'pending' and hold_expires_at is not null
                     or status = 'confirmed' and payment_status = 'unpaid' and checkout_url is not null
                         and checkout_expires_at > $4)
                 and created_at < $1 and (stripe_checked_at is null or stripe_checked_at < $1)
             order by (hold_expires_at <= $3) desc, stripe_checked_at nulls first, created_at limit $2 for update skip locked
         ), noted as (update bookings set stripe_checked_at = $3 from chosen where bookings.id = chosen.id)
         select jsonb_build_object('created_at', b.created_at, 'hold', ",
        hold_json!(),
        ") as due from bookings b join chosen on chosen.id = b.id"
    );
    let rows = db
        .rows(
            Repeat::Safe,
            SQL,
            &[
                (&asked_before, Type::TIMESTAMPTZ),
                (&limit, Type::INT8),
                (&now, Type::TIMESTAMPTZ),
                (&before(now, FORGOTTEN_PAGE), Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    rows.iter().map(|row| super::get_json(row, "due")).collect()
}

/// A page that should have closed so long ago and of which Stripe says nothing is not asked about any more.
const FORGOTTEN_PAGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
