//! `POST /api/bookings/create`: hold the slot, open Stripe's Checkout, answer where to pay.
//!
//! Three flights to the database besides Stripe: ask, hold, note where to pay. The first write is the hold
//! itself, so that whatever fails after it can be taken up again: same client, same slot, same booking.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use lambda_http::Request;
use lambda_http::http::Method;
use ring::digest;
use serde::Serialize;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::artists::{self, Agenda};
use shared::db::holds::{self, Context, Hold, Inquiry, Networks, NewHold, Subject, Taken, Written};
use shared::domain::booking::{CancelReason, Status, checkout_end, checkout_end_anew, hold_end};
use shared::domain::contact::PhoneNumber;
use shared::domain::ids::BookingId;
use shared::domain::local::{Appointment, LocalTime};
use shared::domain::money::Cents;
use shared::domain::refusal::Refusal;
use shared::domain::shares::{Load, Most, Shares, Terms};
use shared::domain::slots::{Interval, Schedule, Slot, reach};
use shared::error::Error;
use shared::http::{Reply, Web};
use shared::proof::Solved;
use shared::queue::Queue;
use shared::settle::{self, Closed};
use shared::stripe::Stripe;
use shared::{aws, net};
use uuid::Uuid;

pub mod api;
mod gate;
mod page;
pub mod request;

use gate::Gate;
use page::{held_by_you, take_up};
use request::{Choice, Wish, artist_to_ask, parse};

/// How many days of fresh slots go with a refusal.
const FRESH_DAYS: u8 = 7;

/// The window of the rate limit.
const RATE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// How often the counts may change between looking and writing.
const TRIES: u8 = 4;

/// How much may be asked and held unpaid.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Booking requests from one household in an hour.
    pub requests_per_hour: i32,
    /// Live holds of one client, by mail or telephone, and of one household without a proof.
    pub holds_per_client: i64,
    /// Live holds on one artist from which on a proof is wanted.
    pub holds_per_artist: i64,
}

impl Limits {
    fn shares(self) -> Shares {
        Shares { per_client: self.holds_per_client, soft: self.holds_per_artist }
    }
}

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    pub calendars: Calendars,
    pub stripe: Stripe,
    /// Carries the jobs that follow.
    pub queue: Queue,
    pub web: Web,
    pub clock: Clock,
    /// How long a slot is held.
    pub hold: SignedDuration,
    pub limits: Limits,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        let minutes: i64 = config::or("HOLD_MINUTES", 30)?;
        // Stripe keeps a page open for 30 minutes at least and 24 hours at most.
        if !(30..=1430).contains(&minutes) {
            return Err(ConfigError::Invalid { name: "HOLD_MINUTES", why: "must be from 30 to 1430".into() });
        }
        Ok(Self {
            db: Db::from_env()?,
            calendars: Calendars::from_env(http.clone())?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            stripe: Stripe::from_env(http)?,
            web: Web::from_env()?,
            clock: config::clock()?,
            hold: SignedDuration::from_mins(minutes),
            limits: Limits {
                requests_per_hour: config::or("RATE_LIMIT_BOOKINGS_PER_HOUR", 20)?,
                holds_per_client: config::or("MAX_HOLDS_PER_CLIENT", 3)?,
                holds_per_artist: config::or("MAX_HOLDS_PER_ARTIST", 10)?,
            },
        })
    }
}

/// The answer to a granted wish.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct HeldView {
    /// The booking.
    pub booking_id: BookingId,
    /// Where it is in its life: pending, or what a repeated request finds.
    pub status: Status,
    /// Where to pay; none when a repeated request finds nothing left to pay.
    pub checkout_url: Option<String>,
    /// Until when the slot is kept.
    pub hold_expires_at: Option<LocalTime>,
    /// What is paid now.
    pub deposit_cents: Cents,
    /// Its currency.
    pub currency: &'static str,
    /// When it takes place.
    #[serde(flatten)]
    pub appointment: Appointment,
    /// Until when a client who cancels gets everything back; none once that is over.
    pub refundable_until: Option<LocalTime>,
}

/// Answers one request.
///
/// # Errors
/// See `shared::error::Error`: every refusal has its name.
pub async fn handle(app: &App, request: Request) -> Reply {
    if request.method() != Method::POST {
        return Err(Error::MethodNotAllowed);
    }
    let now = app.clock.now();
    let wish = match parse(&request, None) {
        Ok(wish) => wish,
        Err(error) => return Err(whole(app, &request, error).await),
    };
    let key = idempotency_key(&request)?;
    let body_hash = digest::digest(&digest::SHA256, request.body());
    let networks = Networks::of(&app.db, &app.web.network(&request));

    // The artist's zone is not known yet: two days earlier in UTC is before the wished date in any zone.
    let utc_date = wish.start.to_zoned(TimeZone::UTC).date();
    let window = reach(utc_date.saturating_sub(2.days()), FRESH_DAYS + 4);
    let email = wish.email.normalised();
    let question = Inquiry {
        slug: &wish.artist,
        flash: wish.flash(),
        window,
        start: wish.start,
        email: &email,
        networks: &networks,
        idempotency_key: key.as_deref(),
        rate_window: window_start(now),
    };
    let context = holds::ask(&app.db, &question, now).await?.ok_or(Error::NotFound)?;

    let zone = &context.agenda.artist.zone.clone();
    if let Some((hash, booking)) = &context.earlier {
        if hash != body_hash.as_ref() {
            return Err(Error::IdempotencyMismatch);
        }
        let hold = booking.clone().ok_or(Error::RequestInProgress)?;
        return take_up(app, hold, zone, &Written::default(), now).await;
    }
    let phone = wish.phone_at(&context.agenda.artist.zone_name)?;
    if let Some(hold) = context.own.as_ref().filter(|hold| hold.is_of(wish.name.as_str(), &phone)) {
        return take_up(app, hold.clone(), zone, &Written::default(), now).await;
    }
    if let Some(hold) = context.own_flash.as_ref().filter(|hold| hold.is_of(wish.name.as_str(), &phone)) {
        return Err(held_by_you(app, hold.clone(), zone, now).await);
    }
    let load = context.load.clone();
    let gate = Gate { app, wish: &wish, email: &email, networks: &networks, zone, now };
    let proof = gate.proof(&request);
    let level = gate.asks_often(&context)?;
    gate.pass(&load, level, proof.as_ref())?;

    let (subject, title) = subject(&wish, &context.agenda)?;
    let decided = decide(app, &wish, context, window, now).await?;
    let taking = Taking {
        gate: &gate,
        decided: &decided,
        subject: &subject,
        title: &title,
        phone: &phone,
        idempotency: key.as_deref().map(|key| (key, body_hash.as_ref())),
        level,
        proof: proof.as_ref(),
    };
    match taking.write(load).await? {
        Wrote::Held(hold, written) => take_up(app, *hold, &decided.agenda.artist.zone, &written, now).await,
        Wrote::NoRoom(refused) => own_or(app, &question, &wish, &phone, refused, now).await,
        Wrote::Overtaken(refusal) => too_late(app, &question, &wish, &phone, refusal, now).await,
    }
}

/// A hold about to be written: all that is known of it before the last word, which is the database's.
struct Taking<'a> {
    gate: &'a Gate<'a>,
    decided: &'a Decided,
    subject: &'a Subject,
    title: &'a str,
    phone: &'a PhoneNumber,
    /// The client's key and the hash of the request it stands for.
    idempotency: Option<(&'a str, &'a [u8])>,
    /// The least level of proof that is wanted.
    level: u8,
    proof: Option<&'a Solved>,
}

/// What came of it.
enum Wrote {
    Held(Box<Hold>, Written),
    /// There is no room for it any more, for this reason. It may have been this very client, on a second click.
    NoRoom(Error),
    /// Somebody was faster by a moment. This too may have been the same client.
    Overtaken(Refusal),
}

impl Taking<'_> {
    /// Writes the hold. Others may hold meanwhile: then it is looked at again beside those.
    async fn write(&self, mut load: Load) -> Result<Wrote, Error> {
        let Gate { app, now, email, .. } = *self.gate;
        let artist = &self.decided.agenda.artist;
        for _ in 0..TRIES {
            let terms = self.gate.pass(&load, self.level, self.proof)?;
            let most = app.limits.shares().most(&load, self.gate.networks.is_household, terms, now);
            let new = self.hold(terms, &most);
            match holds::write(&app.db, &new, now).await {
                Ok(Taken::Held(written)) => {
                    return Ok(Wrote::Held(Box::new(held(&new, email, &artist.zone_name, now)), written));
                }
                // Others held meanwhile, or the number says more than the address did.
                Ok(Taken::Crowded(there)) => match self.gate.pass(&there, self.level, self.proof) {
                    Ok(_) => load = there,
                    Err(refused) => return Ok(Wrote::NoRoom(refused)),
                },
                Ok(Taken::ProofIsSpent) => return Err(self.gate.ask_for_proof(terms)),
                Err(Error::Refused(refusal)) => return Ok(Wrote::Overtaken(refusal)),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Conflict)
    }

    fn hold<'b>(&'b self, terms: Terms, most: &'b Most) -> NewHold<'b> {
        let (gate, agenda) = (self.gate, &self.decided.agenda);
        let (wish, artist) = (gate.wish, &agenda.artist);
        let hold_expires_at = hold_end(gate.now, terms.hold(gate.app.hold));
        // Stripe opens no page for less than half an hour: that of a short hold is closed before its time.
        let checkout_expires_at =
            if terms.short { checkout_end_anew(hold_expires_at, gate.now) } else { checkout_end(hold_expires_at) };
        NewHold {
            id: BookingId::new(Uuid::now_v7()),
            artist: artist.id,
            subject: self.subject,
            slot: self.decided.slot,
            title: self.title,
            deposit: agenda.flash.as_ref().map_or(artist.project_deposit, |flash| flash.deposit),
            policy: &artist.policy,
            name: &wish.name,
            email: &wish.email,
            phone: self.phone,
            locale: wish.locale,
            networks: gate.networks,
            hold_expires_at,
            checkout_expires_at,
            account: artist.stripe_account.as_deref(),
            calendar: artist.calendar_mode,
            idempotency: self.idempotency,
            most,
            // Used up only where it was wanted.
            proof: self.proof.filter(|_| terms.level > 0).map(|proof| proof.nonce.as_str()),
        }
    }
}

/// All that is wrong with a request, so that the client hears of it at once: what a national number is depends on the
/// artist's country, for which the database is asked.
async fn whole(app: &App, request: &Request, error: Error) -> Error {
    let Some(artist) = artist_to_ask(request) else { return error };
    match artists::zone(&app.db, &artist).await {
        Ok(Some(zone)) => parse(request, Some(&zone)).err().unwrap_or(error),
        _ => error,
    }
}

/// The hold that was just written, as a later request would read it.
fn held(new: &NewHold<'_>, email: &str, timezone: &str, now: Timestamp) -> Hold {
    Hold {
        id: new.id,
        status: Status::Pending,
        hold_expires_at: Some(new.hold_expires_at),
        checkout_expires_at: new.checkout_expires_at,
        checkout_attempt: 1,
        session: None,
        checkout_url: None,
        title: new.title.to_owned(),
        policy: *new.policy,
        timezone: timezone.to_owned(),
        created_at: now,
        deposit: new.deposit,
        name: new.name.as_str().to_owned(),
        email: email.to_owned(),
        phone: new.phone.as_str().to_owned(),
        locale: new.locale,
        start: new.slot.start,
        end: new.slot.end,
        account: new.account.map(str::to_owned),
    }
}

/// What was decided: the agenda it was decided on, and the slot.
struct Decided {
    agenda: Agenda,
    slot: Slot,
}

/// Accepts the slot, or refuses with those that are free instead.
///
/// The rule is the one that listed the slots. A lapsed hold in the way is closed at Stripe and released
/// first; the slot is only free once nobody can pay for it any more.
async fn decide(app: &App, wish: &Wish, context: Context, window: Interval, now: Timestamp) -> Result<Decided, Error> {
    let agenda = context.agenda;
    let from = LocalTime::of(wish.start, &agenda.artist.zone).date();
    // Nothing would be free there to choose instead, and Cal.com need not be asked.
    if from > agenda.bookable_until(now) {
        return Err(Refusal::TooFarAhead.into());
    }
    let mut schedule = app.calendars.schedule(&agenda, window, now).await?;
    let duration = agenda.duration_minutes();
    let refuse = |refusal, schedule: &Schedule| {
        let days = schedule.shown(from, FRESH_DAYS, duration, &agenda.artist.policy, now);
        Error::RefusedWithSlots { refusal, slots: serde_json::to_value(days).unwrap_or_default() }
    };

    if agenda.flash_holder.as_ref().is_some_and(|holder| !holder.has_lapsed(now)) {
        return Err(refuse(Refusal::FlashTaken, &schedule));
    }
    let Ok(slot) = schedule.accepts(wish.start, duration, now) else {
        return Err(refuse(Refusal::SlotTaken, &schedule));
    };
    let in_the_way: Vec<BookingId> = agenda
        .occupied
        .iter()
        .chain(agenda.flash_holder.as_ref())
        .filter(|other| other.has_lapsed(now))
        .filter(|other| {
            let interval = other.interval();
            (interval.start < slot.end && slot.start < interval.end)
                || agenda.flash_holder.as_ref().is_some_and(|holder| holder.id == other.id)
        })
        .map(|other| other.id)
        .collect();
    for id in in_the_way {
        let Some(hold) = holds::get(&app.db, id).await? else { continue };
        let closed =
            settle::close(&app.db, &app.stripe, &hold, &app.web.public_url, CancelReason::HoldExpired, now).await?;
        app.queue.hand_on(closed.settled().jobs()).await;
        if matches!(closed, Closed::Kept(_)) {
            schedule.busy.push(Interval { start: hold.start, end: hold.end });
            let has_the_flash = agenda.flash_holder.as_ref().is_some_and(|holder| holder.id == id);
            let refusal = if has_the_flash { Refusal::FlashTaken } else { Refusal::SlotTaken };
            return Err(refuse(refusal, &schedule));
        }
    }
    Ok(Decided { agenda, slot })
}

/// The last hold that there was room for may be this very client's own, by a second click.
async fn own_or(
    app: &App,
    question: &Inquiry<'_>,
    wish: &Wish,
    phone: &PhoneNumber,
    refused: Error,
    now: Timestamp,
) -> Reply {
    let context = holds::ask(&app.db, question, now).await?.ok_or(Error::NotFound)?;
    match context.own.filter(|hold| hold.is_of(wish.name.as_str(), phone)) {
        Some(hold) => take_up(app, hold, &context.agenda.artist.zone, &Written::default(), now).await,
        None => Err(refused),
    }
}

/// The database said no at the last moment: answer with this client's own hold if that is what stands in the
/// way, else with the slots that are free now.
async fn too_late(
    app: &App,
    question: &Inquiry<'_>,
    wish: &Wish,
    phone: &PhoneNumber,
    refusal: Refusal,
    now: Timestamp,
) -> Reply {
    let context = holds::ask(&app.db, question, now).await?.ok_or(Error::NotFound)?;
    if let Some(hold) = context.own.filter(|hold| hold.is_of(wish.name.as_str(), phone)) {
        return take_up(app, hold, &context.agenda.artist.zone, &Written::default(), now).await;
    }
    if let Some(hold) = context.own_flash.filter(|hold| hold.is_of(wish.name.as_str(), phone)) {
        return Err(held_by_you(app, hold, &context.agenda.artist.zone, now).await);
    }
    let agenda = context.agenda;
    let schedule = app.calendars.schedule(&agenda, question.window, now).await?;
    let from = LocalTime::of(question.start, &agenda.artist.zone).date();
    let days = schedule.shown(from, FRESH_DAYS, agenda.duration_minutes(), &agenda.artist.policy, now);
    Err(Error::RefusedWithSlots { refusal, slots: serde_json::to_value(days).unwrap_or_default() })
}

/// What is booked, from the database, and the title it has: a project has none, each reader calls it by what it is.
fn subject(wish: &Wish, agenda: &Agenda) -> Result<(Subject, String), Error> {
    match &wish.choice {
        Choice::Flash(_) => {
            let flash = agenda.flash.as_ref().ok_or(Refusal::FlashUnavailable)?;
            let subject = Subject::Flash { id: flash.id, price: flash.price, repeatable: flash.repeatable };
            Ok((subject, flash.title.clone()))
        }
        Choice::Project(brief) => Ok((Subject::Project(brief.clone()), String::new())),
    }
}

/// The client's `Idempotency-Key`, if there is one.
fn idempotency_key(request: &Request) -> Result<Option<String>, Error> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(text) if (1..=255).contains(&text.len()) => Ok(Some(text.to_owned())),
        _ => Err(Error::Malformed("Idempotency-Key must be 1 to 255 visible ASCII characters".into())),
    }
}

fn window_start(now: Timestamp) -> Timestamp {
    let length = RATE_WINDOW.as_secs();
    Timestamp::from_second(now.as_second().div_euclid(length) * length).unwrap_or(now)
}
