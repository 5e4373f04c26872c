//! The hold: one flight to know everything `create-booking` decides from, one to write it.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::artists::{Agenda, read_agenda};
use super::{Db, Repeat, insert_jobs, job_ids, job_rows};
use crate::auth::Account;
use crate::domain::booking::{Booking, CalendarMode, Status};
use crate::domain::calendar::CalendarState;
use crate::domain::contact::{EmailAddress, FullName, Locale, PhoneNumber, ProjectBrief};
use crate::domain::ids::{ArtistId, BookingId, FlashId, JobId};
use crate::domain::money::Cents;
use crate::domain::policy::CancellationPolicy;
use crate::domain::refusal::Refusal;
use crate::domain::shares::{Load, Most};
use crate::domain::slots::{Interval, Slot};
use crate::error::{Error, OnConstraint};
use crate::network::Network;

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

/// What `create-booking` wants to know, in one question.
#[derive(Debug)]
pub struct Question<'a> {
    /// The artist.
    pub slug: &'a str,
    /// The flash, or none for a project.
    pub flash: Option<FlashId>,
    /// The time around the wished slot.
    pub window: Interval,
    /// The wished start.
    pub start: Timestamp,
    /// The client's e-mail, as compared.
    pub email: &'a str,
    /// The client's networks.
    pub networks: &'a Networks,
    /// The client's idempotency key.
    pub idempotency_key: Option<&'a str>,
    /// Begin of the current rate-limit window.
    pub rate_window: Timestamp,
}

/// A hold that exists, as far as answering for it needs.
#[derive(Debug, Clone, Deserialize)]
pub struct Hold {
    /// The booking.
    pub id: BookingId,
    /// Where it is in its life.
    pub status: Status,
    /// When the hold ends.
    pub hold_expires_at: Option<Timestamp>,
    /// When Stripe's page closes, fixed before Stripe was first called.
    pub checkout_expires_at: Timestamp,
    /// Which wish for a page this is, from 1.
    pub checkout_attempt: u32,
    /// The Checkout Session, once it is known.
    pub session: Option<String>,
    /// Its page.
    pub checkout_url: Option<String>,
    /// What is booked, in a few words; empty for a project.
    pub title: String,
    /// The promise made to the client.
    pub policy: CancellationPolicy,
    /// The artist's zone, an IANA name.
    pub timezone: String,
    /// When it was taken.
    pub created_at: Timestamp,
    /// The deposit.
    #[serde(deserialize_with = "exact_euros")]
    pub deposit: Cents,
    /// How the client is called.
    pub name: String,
    /// Where the client's receipt goes.
    pub email: String,
    /// How the artist calls back.
    pub phone: String,
    /// The client's language.
    pub locale: Locale,
    /// Start of the appointment.
    pub start: Timestamp,
    /// End of the appointment.
    pub end: Timestamp,
    /// The connected account, or the platform's own.
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

/// What is known before deciding.
#[derive(Debug)]
pub struct Context {
    /// The artist's agenda around the wished slot.
    pub agenda: Agenda,
    /// The hold of exactly this slot and flash under this e-mail, from an earlier try. It is this client's own if
    /// [`Hold::is_of`] says so: a number is read once the artist's country is known.
    pub own: Option<Hold>,
    /// The client's own hold of this unique flash, whatever the slot.
    pub own_flash: Option<Hold>,
    /// The request that used this idempotency key before: its hash and its booking.
    pub earlier: Option<(Vec<u8>, Option<Hold>)>,
    /// Requests from this household in the current window, this one included.
    pub requests_near: i32,
    /// Requests from its wide network.
    pub requests_wide: i32,
    /// The unpaid holds beside the one that is wanted; those of the same number are not known yet.
    pub load: Load,
}

/// Asks it all; none when there is no such artist. One flight.
///
/// # Errors
/// The database failed.
pub async fn ask(db: &Db, question: &Question<'_>, now: Timestamp) -> Result<Option<Context>, Error> {
    const SQL: &str = concat!(
        r"with counted as (
             insert into rate_limits (bucket, window_start, count)
             select distinct 'create-booking:' || encode(n.network, 'hex'), $8::timestamptz, 1
             from (values ($7), ($11)) n (network) order by 1
             on conflict (bucket, window_start) do update set count = rate_limits.count + 1 returning bucket, count
         ) select a.*, hold_load(a.artist_id, $6, null, $7, $11, a.flash_id, $9) as load,
         (select count from counted where bucket = 'create-booking:' || encode($7, 'hex')) as requests_near,
         (select count from counted where bucket = 'create-booking:' || encode($11, 'hex')) as requests_wide,
         (select ",
        hold_json!(),
        r" from bookings b where b.artist_id = a.artist_id and b.status = 'pending' and b.hold_expires_at > $9
             and b.scheduled_at = $5 and b.client_email = $6
             and b.flash_id is not distinct from $2) as own,
         (select ",
        hold_json!(),
        r" from bookings b where b.unique_flash_id = a.flash_id and b.status = 'pending' and b.hold_expires_at > $9
             and b.client_email = $6) as own_flash,
         i.request_hash,
         (select ",
        hold_json!(),
        r" from bookings b where b.id = i.booking_id) as earlier
         from agenda($1, $2, $3, $4) a left join idempotency_keys i on i.scope = 'create-booking' and i.key = $10"
    );
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&question.slug, Type::TEXT),
                (&question.flash.map(FlashId::uuid), Type::UUID),
                (&question.window.start, Type::TIMESTAMPTZ),
                (&question.window.end, Type::TIMESTAMPTZ),
                (&question.start, Type::TIMESTAMPTZ),
                (&question.email, Type::TEXT),
                (&question.networks.near.as_slice(), Type::BYTEA),
                (&question.rate_window, Type::TIMESTAMPTZ),
                (&now, Type::TIMESTAMPTZ),
                (&question.idempotency_key, Type::TEXT),
                (&question.networks.wide.as_slice(), Type::BYTEA),
            ],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let hold = |column: &str| -> Result<Option<Hold>, Error> {
        super::get::<Option<Value>>(&row, column)?.map(|_| super::get_json(&row, column)).transpose()
    };
    let earlier = match super::get::<Option<Vec<u8>>>(&row, "request_hash")? {
        None => None,
        Some(hash) => Some((hash, hold("earlier")?)),
    };
    Ok(Some(Context {
        agenda: read_agenda(&row)?,
        own: hold("own")?,
        own_flash: hold("own_flash")?,
        earlier,
        requests_near: super::get(&row, "requests_near")?,
        requests_wide: super::get(&row, "requests_wide")?,
        load: super::get_json(&row, "load")?,
    }))
}

/// What is being booked.
#[derive(Debug)]
pub enum Subject {
    /// A flash.
    Flash {
        /// Which.
        id: FlashId,
        /// Its whole price.
        price: Cents,
        /// False for a unique piece, which is sold once.
        repeatable: bool,
    },
    /// A custom project.
    Project(ProjectBrief),
}

/// A hold to write.
#[derive(Debug)]
pub struct NewHold<'a> {
    /// Its id, made by us.
    pub id: BookingId,
    /// Whose chair.
    pub artist: ArtistId,
    /// What for.
    pub subject: &'a Subject,
    /// When.
    pub slot: Slot,
    /// What is booked, in a few words; empty for a project.
    pub title: &'a str,
    /// What is paid ahead.
    pub deposit: Cents,
    /// The promise made to the client.
    pub policy: &'a CancellationPolicy,
    /// Who.
    pub name: &'a FullName,
    /// Where the mails go, as compared.
    pub email: &'a EmailAddress,
    /// How the artist calls back.
    pub phone: &'a PhoneNumber,
    /// The client's language.
    pub locale: Locale,
    /// The client's networks.
    pub networks: &'a Networks,
    /// When the hold ends.
    pub hold_expires_at: Timestamp,
    /// When Stripe's page closes.
    pub checkout_expires_at: Timestamp,
    /// The connected account, or the platform's own.
    pub account: Option<&'a str>,
    /// Whether and when Cal.com is told.
    pub calendar: CalendarMode,
    /// The client's idempotency key and the hash of the request it stands for.
    pub idempotency: Option<(&'a str, &'a [u8])>,
    /// How many other holds there may be.
    pub most: &'a Most,
    /// The proof of work that is used up with it.
    pub proof: Option<&'a str>,
}

/// What came of writing a hold.
#[derive(Debug)]
pub enum Taken {
    /// It is held.
    Held(Written),
    /// There are more unpaid holds by now than it was granted beside.
    Crowded(Load),
    /// Its proof was used before.
    ProofIsSpent,
}

/// The jobs of a hold that was just written.
#[derive(Debug, Default)]
pub struct Written {
    /// Those to send at once.
    pub jobs: Vec<JobId>,
    /// The one that waits, and for how long.
    pub later: Option<(JobId, SignedDuration)>,
}

/// Writes a hold with its history, its jobs, its idempotency key and what its proof was used for: all or nothing. One flight.
///
/// The other holds are counted again in there, in turn with everybody who could add one.
///
/// # Errors
/// [`Refusal::SlotTaken`] or [`Refusal::FlashTaken`] when the database says somebody was faster, [`Refusal::NotOpenYet`] when
/// the artist takes no deposits,
/// [`Error::RequestInProgress`] when the same key is being used at this moment, else the database failed.
pub async fn write(db: &Db, hold: &NewHold<'_>, now: Timestamp) -> Result<Taken, Error> {
    const SQL: &str = concat!(
        r"with room as materialized (
             select r.fits, r.load from hold_room($1, $2->>'client_email', $2->>'client_phone', $7, $9,
                 ($2->>'flash_id')::uuid, $3, $10) r
         ), spent as (
             insert into idempotency_keys (scope, key, request_hash, created_at)
             select 'proof', $11, decode('', 'hex'), $3 from room where fits and $11::text is not null
             on conflict (scope, key) do nothing returning key
         ), good as materialized (
             select from room where fits and ($11::text is null or exists (select from spent))
         ), claimed as (
             insert into idempotency_keys (scope, key, request_hash, booking_id, created_at)
             select 'create-booking', $4, $5, ($2->>'id')::uuid, $3 from good where $4::text is not null
             on conflict (scope, key) do nothing returning key
         ), held as (
             insert into bookings (id, artist_id, type, status, scheduled_at, ends_at, acompte_amount, price, title, policy,
                 flash_id, unique_flash_id, project_description, project_body_zone, project_budget,
                 client_name, client_email, client_phone, client_locale, client_origin, client_wide,
                 hold_expires_at, checkout_expires_at, stripe_account_id, calendar_state, created_at, updated_at)
             select r.id, $1, r.type, 'pending', r.scheduled_at, r.ends_at, r.acompte_amount, r.price, r.title, r.policy,
                 r.flash_id, r.unique_flash_id, r.project_description, r.project_body_zone, r.project_budget,
                 r.client_name, r.client_email, r.client_phone, r.client_locale, $7, $9,
                 r.hold_expires_at, r.checkout_expires_at, r.stripe_account_id, r.calendar_state, $3, $3
             from good, jsonb_to_record($2) as r(id uuid, type text, scheduled_at timestamptz, ends_at timestamptz,
                 acompte_amount numeric, price numeric, title text, policy jsonb, flash_id uuid, unique_flash_id uuid,
                 project_description text, project_body_zone text, project_budget numeric,
                 client_name text, client_email text, client_phone text, client_locale text,
                 hold_expires_at timestamptz, checkout_expires_at timestamptz, stripe_account_id text, calendar_state text)
             where $4::text is null or exists (select from claimed)
             returning id
         ), history as (
             insert into booking_events (booking_id, at, actor, kind) select id, $3, 'client', 'held' from held
         ), jobs as (",
        // Most artists want to hear of what is paid only.
        insert_jobs!(
            "(select case when a.pending_mails then $8::jsonb else '[]' end from artists a where a.id = $1) || $6",
            "held, "
        ),
        r") select exists (select from held) as held, array(select id from jobs) as jobs,
             r.fits, r.load, exists (select from good) as good from room r"
    );
    let (kind, flash_id, unique_flash_id, price, brief) = match hold.subject {
        Subject::Flash { id, price, repeatable } => {
            ("flash", Some(id), (!repeatable).then_some(id), Some(price.to_euros()), None)
        }
        Subject::Project(brief) => ("project", None, None, None, Some(brief)),
    };
    let record = json!({
        "id": hold.id, "type": kind, "scheduled_at": hold.slot.start, "ends_at": hold.slot.end,
        "acompte_amount": hold.deposit.to_euros(), "price": price, "title": hold.title, "policy": hold.policy,
        "flash_id": flash_id, "unique_flash_id": unique_flash_id,
        "project_description": brief.map(ProjectBrief::description),
        "project_body_zone": brief.map(ProjectBrief::body_zone),
        "project_budget": brief.and_then(ProjectBrief::budget).map(Cents::to_euros),
        "client_name": hold.name.as_str(), "client_email": hold.email.normalised(), "client_phone": hold.phone.as_str(),
        "client_locale": hold.locale.code(), "hold_expires_at": hold.hold_expires_at,
        "checkout_expires_at": hold.checkout_expires_at, "stripe_account_id": hold.account,
        "calendar_state": if hold.calendar == CalendarMode::Off { CalendarState::Off } else { CalendarState::Waiting },
    });
    let news = job_rows(&[Booking::news_of_a_new_hold(hold.id)], 1, now, now);
    let mut jobs = job_rows(&Booking::tasks_of_a_new_hold(hold.id, hold.calendar), 1, now, now);
    let reminder = Booking::reminder_of_a_new_hold(hold.id, hold.hold_expires_at, now);
    let waiting = reminder.as_ref().map(|(task, at)| job_rows(std::slice::from_ref(task), 1, *at, now));
    let waiting = waiting.unwrap_or_else(|| json!([]));
    if let (Value::Array(jobs), Value::Array(waiting)) = (&mut jobs, &waiting) {
        jobs.extend_from_slice(waiting);
    }
    let (key, hash) = hold.idempotency.unzip();
    let most = json!(hold.most);
    let row = db
        .row(
            Repeat::Unsafe,
            SQL,
            &[
                (&hold.artist.uuid(), Type::UUID),
                (&record, Type::JSONB),
                (&now, Type::TIMESTAMPTZ),
                (&key, Type::TEXT),
                (&hash, Type::BYTEA),
                (&jobs, Type::JSONB),
                (&hold.networks.near.as_slice(), Type::BYTEA),
                (&news, Type::JSONB),
                (&hold.networks.wide.as_slice(), Type::BYTEA),
                (&most, Type::JSONB),
                (&hold.proof, Type::TEXT),
            ],
        )
        .await
        .on_constraint("bookings_no_overlap", Refusal::SlotTaken)
        .on_constraint("bookings_one_live_per_unique_flash", Refusal::FlashTaken)
        .on_constraint("bookings_artist_is_open", Refusal::NotOpenYet)?
        .ok_or_else(|| Error::Internal("a hold answers one row".into()))?;
    if !super::get::<bool>(&row, "fits")? {
        return Ok(Taken::Crowded(super::get_json(&row, "load")?));
    }
    if !super::get::<bool>(&row, "good")? {
        return Ok(Taken::ProofIsSpent);
    }
    if !super::get::<bool>(&row, "held")? {
        return Err(Error::RequestInProgress);
    }
    let waits = |job: &JobId| waiting[0]["id"] == job.to_string();
    let (later, jobs): (Vec<JobId>, Vec<JobId>) = job_ids(&row, "jobs")?.into_iter().partition(waits);
    let later = later.first().copied().zip(reminder).map(|(job, (_, at))| (job, at.duration_since(now)));
    Ok(Taken::Held(Written { jobs, later }))
}

/// Stores where the client pays. Returns false when the hold has ended meanwhile. One flight.
///
/// # Errors
/// The database failed.
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
///
/// # Errors
/// The database failed.
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
///
/// # Errors
/// The database failed.
pub async fn page_closed(db: &Db, booking: BookingId) -> Result<(), Error> {
    const SQL: &str = "update bookings set checkout_url = null where id = $1 and status <> 'pending'";
    db.rows(Repeat::Safe, SQL, &[(&booking.uuid(), Type::UUID)]).await?;
    Ok(())
}

/// Reads one hold. One flight.
///
/// # Errors
/// The database failed.
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
    /// The booking.
    pub hold: Hold,
    /// Stripe may be asked: it is unpaid, has a page, and nobody asked within the last seconds.
    pub may_ask: bool,
}

/// Reads a booking for its waiting client, and counts the look: of many at once, one may ask Stripe. One flight.
///
/// # Errors
/// The database failed.
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

/// An unpaid hold that looks as if nobody meant to pay it.
#[derive(Debug, Clone)]
pub struct Suspect {
    /// The booking.
    pub id: BookingId,
    /// Under which name.
    pub name: String,
    /// What is booked; empty for a project.
    pub title: String,
    /// When.
    pub start: Timestamp,
    /// When the hold ends.
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
    const SQL: &str = r"select s.*, a.timezone, dense_rank() over (order by s.client_origin) as belongs
         from artists a left join lateral (
             select h.* from (
                 select b.id, b.client_name, b.title, b.scheduled_at, b.hold_expires_at, b.client_origin,
                     count(*) over (partition by b.client_origin) as together,
                     (select count(*) filter (where not e.kept) - count(*) filter (where e.kept) from hold_endings e
                         where e.network = b.client_origin and e.artist_id = a.id and e.ended_at > $3) as lapsed
                 from bookings b where b.artist_id = a.id and b.status = 'pending' and b.hold_expires_at > $2
                     and b.client_origin is not null
             ) h where h.together >= $4 or h.lapsed >= $5
         ) s on true where a.user_id = account($1) order by belongs, s.scheduled_at";
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
        let Some(id) = super::get::<Option<Uuid>>(row, "id")? else { continue };
        suspects.push(Suspect {
            id: BookingId::new(id),
            name: super::get(row, "client_name")?,
            title: super::get(row, "title")?,
            start: super::get(row, "scheduled_at")?,
            hold_expires_at: super::get(row, "hold_expires_at")?,
            timezone: super::get(row, "timezone")?,
            group: super::get(row, "belongs")?,
            lapsed: super::get::<i64>(row, "lapsed")?.max(0),
        });
    }
    Ok(suspects)
}

/// A hold that Stripe should be asked about.
#[derive(Debug, Clone, Deserialize)]
pub struct Due {
    /// The hold.
    pub hold: Hold,
    /// When it was taken.
    pub created_at: Timestamp,
}

/// The unpaid holds that Stripe was not asked about since `asked_before`, the least recently asked first,
/// and notes that they are being asked about now. One flight.
///
/// A booking that its artist confirmed by hand is among them while its page is open: it can still be paid.
///
/// # Errors
/// The database failed.
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
                (&now.saturating_sub(FORGOTTEN_PAGE).unwrap_or(now), Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    rows.iter().map(|row| super::get_json(row, "due")).collect()
}

/// A page that should have closed so long ago and of which Stripe says nothing is not asked about any more.
const FORGOTTEN_PAGE: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);
