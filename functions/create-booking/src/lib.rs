//! `POST /api/bookings/create`: hold the slot, open Stripe's Checkout, answer where to pay.
//!
//! Three flights to the database besides Stripe: ask, hold, note where to pay. The first write is the hold
//! itself, so that whatever fails after it can be taken up again: same client, same slot, same booking.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use lambda_http::Request;
use lambda_http::http::{Method, StatusCode};
use ring::digest;
use serde::Serialize;
use shared::availability::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::artists::{self, Agenda};
use shared::db::bookings::Reference;
use shared::db::holds::{self, Context, Hold, Networks, NewHold, Question, Subject, Taken, Written};
use shared::domain::booking::{
    Actor, CancelReason, Status, checkout_end, checkout_end_anew, checkout_is_too_short, hold_end,
};
use shared::domain::contact::PhoneNumber;
use shared::domain::ids::{BookingId, JobId};
use shared::domain::local::{Appointment, LocalTime};
use shared::domain::money::Cents;
use shared::domain::refusal::Refusal;
use shared::domain::shares::{Full, Load, Shares, Terms};
use shared::domain::slots::{Interval, Schedule, Slot, reach};
use shared::error::{Error, Service};
use shared::http::{self, Fields, Reply, Web};
use shared::proof::{self, Solved};
use shared::queue::Queue;
use shared::settle::{self, Closed};
use shared::stripe::{Session, Stripe, StripeError};
use shared::{aws, net};
use uuid::Uuid;

// The request, parsed once.
pub mod request;

use request::{Choice, Wish, artist_to_ask, parse};

/// How many days of fresh slots go with a refusal.
const FRESH_DAYS: u8 = 7;

/// The window of the rate limit.
const RATE_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// A wide network (a carrier, a school) may ask so many times as often as a household.
const WIDE: i32 = 10;

/// Beyond its limit a network is asked for proofs, and beyond so many times its limit it has to wait.
const PATIENCE: i32 = 5;

/// The level of the proof that is wanted of a network beyond its limit.
const HARD: u8 = 3;

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
    /// Postgres.
    pub db: Db,
    /// The artists' Cal.com.
    pub calendars: Calendars,
    /// Stripe.
    pub stripe: Stripe,
    /// Carries the jobs that follow.
    pub queue: Queue,
    /// The site.
    pub web: Web,
    /// The time.
    pub clock: Clock,
    /// How long a slot is held.
    pub hold: SignedDuration,
    /// What one client may take.
    pub limits: Limits,
}

impl App {
    /// Reads the settings.
    ///
    /// # Errors
    /// One is missing or malformed.
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
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    let question = Question {
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
    let mut load = context.load.clone();
    let gate = Gate { app, wish: &wish, email: &email, networks: &networks, zone, now };
    let proof = gate.proof(&request);
    let level = gate.asks_often(&context)?;
    gate.pass(&load, level, proof.as_ref())?;

    let (subject, title) = subject(&wish, &context.agenda)?;
    let decided = decide(app, &wish, context, window, now).await?;
    let artist = &decided.agenda.artist;
    let deposit = decided.agenda.flash.as_ref().map_or(artist.project_deposit, |flash| flash.deposit);
    let mut tries = 0;
    let (new, written) = loop {
        let terms = gate.pass(&load, level, proof.as_ref())?;
        let most = app.limits.shares().most(&load, networks.is_household, terms, now);
        let hold_expires_at = hold_end(now, terms.hold(app.hold));
        // Stripe opens no page for less than half an hour: that of a short hold is closed before its time.
        let checkout_expires_at =
            if terms.short { checkout_end_anew(hold_expires_at, now) } else { checkout_end(hold_expires_at) };
        let new = NewHold {
            id: BookingId::new(Uuid::now_v7()),
            artist: artist.id,
            subject: &subject,
            slot: decided.slot,
            title: &title,
            deposit,
            policy: &artist.policy,
            name: &wish.name,
            email: &wish.email,
            phone: &phone,
            locale: wish.locale,
            networks: &networks,
            hold_expires_at,
            checkout_expires_at,
            account: artist.stripe_account.as_deref(),
            calendar: artist.calendar_mode,
            idempotency: key.as_deref().map(|key| (key, body_hash.as_ref())),
            most: &most,
            // Used up only where it was wanted.
            proof: proof.as_ref().filter(|_| terms.level > 0).map(|proof| proof.nonce.as_str()),
        };
        match holds::write(&app.db, &new, now).await {
            Ok(Taken::Held(written)) => break (held(&new, &email, &artist.zone_name, now), written),
            // Others held meanwhile, or the number says more than the address did.
            Ok(Taken::Crowded(there)) => match gate.pass(&there, level, proof.as_ref()) {
                Ok(_) => load = there,
                Err(refused) => return own_or(app, &question, &wish, &phone, refused, now).await,
            },
            Ok(Taken::ProofIsSpent) => return Err(gate.ask_for_proof(terms)),
            // Somebody was faster by a breath. It may have been this very client, on a second click.
            Err(Error::Refused(refusal)) => return too_late(app, &question, &wish, &phone, refusal, now).await,
            Err(error) => return Err(error),
        }
        tries += 1;
        if tries == TRIES {
            return Err(Error::Conflict);
        }
    };
    take_up(app, new, &artist.zone, &written, now).await
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
        acompte_amount: new.deposit.to_euros(),
        name: new.name.as_str().to_owned(),
        email: email.to_owned(),
        phone: new.phone.as_str().to_owned(),
        locale: new.locale,
        start: new.slot.start,
        end: new.slot.end,
        account: new.account.map(str::to_owned),
    }
}

/// Answers with a hold that can be paid, whether it is new or was left half-way by an earlier request.
async fn take_up(app: &App, hold: Hold, zone: &TimeZone, written: &Written, now: Timestamp) -> Reply {
    http::reply(StatusCode::CREATED, &view(&payable(app, hold, written, now).await?, zone, now)?)
}

/// The client wants another slot for the unique flash that they hold: both at once cannot be, and which, they say.
async fn held_by_you(app: &App, hold: Hold, zone: &TimeZone, now: Timestamp) -> Error {
    let own = async { view(&payable(app, hold, &Written::default(), now).await?, zone, now) };
    match own.await {
        Ok(own) => Error::HeldByYou { own: serde_json::to_value(own).unwrap_or_default() },
        Err(error) => error,
    }
}

/// Opens the page of a hold that has none yet.
async fn payable(app: &App, hold: Hold, written: &Written, now: Timestamp) -> Result<Hold, Error> {
    if hold.checkout_url.is_some() || !hold.is_live(now) {
        return Ok(hold);
    }
    // The jobs go to the queue while Stripe thinks; what the queue does not take, the sweeper sends.
    let (opened, (), ()) =
        tokio::join!(Box::pin(open(app, hold, now)), send(app, &written.jobs), send_later(app, written));
    let (hold, session) = match opened? {
        Opened::Page(page) => *page,
        Opened::Meanwhile(hold) => return Ok(*hold),
    };
    let url = session
        .url
        .clone()
        .ok_or_else(|| Error::PaymentUnavailable(format!("the session {} has no page", session.id)))?;
    if !holds::opened(&app.db, hold.id, &session.id, &url, now).await? {
        // Released in the meantime: its page must not stay payable.
        if let Err(error) = app.stripe.expire(&session.id, hold.account.as_deref()).await {
            tracing::warn!(error = %error, booking.id = %hold.id, "the page of a released hold could not be closed");
        }
        return Err(Error::Conflict);
    }
    Ok(Hold { session: Some(session.id), checkout_url: Some(url), ..hold })
}

/// What came of asking Stripe for a page.
enum Opened {
    /// It is open, for the hold as it is now.
    Page(Box<(Hold, Session)>),
    /// Another request of the same client was faster.
    Meanwhile(Box<Hold>),
}

/// Opens the page of a hold, or finds the one that an earlier, lost call opened.
///
/// What Stripe refuses for its age, or because a release words it otherwise, says nothing about the hold: it is wished for
/// anew.
async fn open(app: &App, hold: Hold, now: Timestamp) -> Result<Opened, Error> {
    let error = match ask(app, &hold).await? {
        Ok(session) => return Ok(Opened::Page(Box::new((hold, session)))),
        Err(error) => error,
    };
    let stale =
        error.is_of_another_wish() || (!error.is_transient() && checkout_is_too_short(hold.checkout_expires_at, now));
    // A failure that Stripe keeps under our keys is all that they will ever bring.
    let spent = matches!(error, StripeError::Refused { status: 500..=599, .. });
    if !stale && !spent {
        return Err(not_opened(app, &hold, error, now).await);
    }
    let expires_at = checkout_end_anew(hold.hold_expires_at.unwrap_or(now), now);
    let Some(hold) = holds::wish_anew(&app.db, &hold, expires_at, now).await? else {
        let faster = holds::get(&app.db, hold.id).await?.filter(|hold| hold.checkout_url.is_some());
        let faster = faster.ok_or_else(|| Error::PaymentUnavailable(error.to_string()))?;
        return Ok(Opened::Meanwhile(Box::new(faster)));
    };
    if spent {
        return Err(Error::PaymentUnavailable(error.to_string()));
    }
    match ask(app, &hold).await? {
        Ok(session) => Ok(Opened::Page(Box::new((hold, session)))),
        Err(error) => Err(not_opened(app, &hold, error, now).await),
    }
}

async fn ask(app: &App, hold: &Hold) -> Result<Result<Session, StripeError>, Error> {
    let checkout = settle::checkout_of(hold, &app.web.public_url)?;
    Ok(app.stripe.open_checkout(&checkout).await)
}

/// Stripe opened no page: the hold waits for its client, or ends when waiting cannot help.
async fn not_opened(app: &App, hold: &Hold, error: StripeError, now: Timestamp) -> Error {
    if error.is_transient() {
        return Error::PaymentUnavailable(error.to_string());
    }
    // Stripe will never open this one: a hold that cannot be paid must not keep the chair.
    give_up(app, hold, now).await;
    if error.code() == "email_invalid" {
        let mut fields = Fields::default();
        fields.refuse("/client/email", "is not an address that the payment page accepts");
        return fields.into_error();
    }
    Error::Outside { service: Service::Stripe, why: error.to_string() }
}

fn view(hold: &Hold, zone: &TimeZone, now: Timestamp) -> Result<HeldView, Error> {
    Ok(HeldView {
        booking_id: hold.id,
        status: hold.status,
        checkout_url: hold.checkout_url.clone().filter(|_| hold.is_live(now)),
        hold_expires_at: hold.hold_expires_at.map(|end| LocalTime::of(end, zone)),
        deposit_cents: hold.deposit()?,
        currency: "eur",
        appointment: Appointment::of(hold.start, hold.end, zone),
        refundable_until: hold.policy.refundable_until(hold.start, now).map(|until| LocalTime::of(until, zone)),
    })
}

async fn send(app: &App, jobs: &[JobId]) {
    if jobs.is_empty() {
        return;
    }
    if let Err(error) = app.queue.send(jobs).await {
        tracing::warn!(error = %error, jobs = jobs.len(), "the sweeper will send these jobs");
    }
}

/// The queue keeps what is to wait.
async fn send_later(app: &App, written: &Written) {
    let Some((job, wait)) = written.later else { return };
    if let Err(error) = app.queue.send_after(&[job], wait.unsigned_abs()).await {
        tracing::warn!(error = %error, jobs = 1, "the sweeper will send this job");
    }
}

async fn give_up(app: &App, hold: &Hold, now: Timestamp) {
    let reference = Reference { booking: Some(hold.id), payment_intent: None };
    let released = settle::settle(&app.db, &reference, None, now, |booking, _| {
        booking.release(CancelReason::PaymentFailed, Actor::System)
    });
    match released.await {
        Ok(settled) => send(app, settled.jobs()).await,
        Err(error) => tracing::warn!(error = %error, booking.id = %hold.id, "the sweeper will release this hold"),
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
        send(app, closed.settled().jobs()).await;
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
    question: &Question<'_>,
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
    question: &Question<'_>,
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

/// What a wish must pass where there are many unpaid holds. A proof is good for this artist and this mail address, which a
/// telephone keeps when it changes networks.
struct Gate<'a> {
    app: &'a App,
    wish: &'a Wish,
    email: &'a str,
    networks: &'a Networks,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Gate<'_> {
    fn subject(&self) -> String {
        format!("{} {}", self.wish.artist, self.email)
    }

    /// What the client has done for it.
    fn proof(&self, request: &Request) -> Option<Solved> {
        let solution = request.headers().get(proof::HEADER)?.to_str().ok()?;
        proof::solved(&self.app.db, solution, &self.subject(), self.now)
    }

    /// The level of the proof that a network needs that asks very often.
    fn asks_often(&self, context: &Context) -> Result<u8, Error> {
        let limit = self.app.limits.requests_per_hour;
        let within = |times: i32| {
            let near = !self.networks.is_household || context.requests_near <= limit.saturating_mul(times);
            near && context.requests_wide <= limit.saturating_mul(WIDE).saturating_mul(times)
        };
        if !within(PATIENCE) {
            let end = window_start(self.now).saturating_add(RATE_WINDOW).unwrap_or(self.now);
            return Err(Error::TooManyRequests { retry_after: end.duration_since(self.now).unsigned_abs() });
        }
        Ok(if within(1) { 0 } else { HARD })
    }

    /// The terms on which the wish may be held beside these, with this proof.
    fn pass(&self, load: &Load, level: u8, proof: Option<&Solved>) -> Result<Terms, Error> {
        let shares = self.app.limits.shares();
        let terms = match shares.terms(load, self.networks.is_household, self.now) {
            Ok(terms) => Terms { level: terms.level.max(level), ..terms },
            Err(full) => return Err(self.full(full)),
        };
        if terms.level > proof.map_or(0, |proof| proof.level) { Err(self.ask_for_proof(terms)) } else { Ok(terms) }
    }

    fn ask_for_proof(&self, terms: Terms) -> Error {
        tracing::info!(artist = %self.wish.artist, level = terms.level, "a hold wants a proof");
        let hold = terms.hold(self.app.hold);
        let nonce = Uuid::now_v7().as_u128();
        let puzzle = proof::pose(&self.app.db, &self.subject(), terms.level, nonce, hold, self.now);
        Error::ProofRequired { proof: serde_json::to_value(puzzle).unwrap_or_default() }
    }

    fn full(&self, full: Full) -> Error {
        let wait = |until: Timestamp| until.duration_since(self.now).max(SignedDuration::ZERO).unsigned_abs();
        match full {
            Full::Client => Refusal::TooManyHoldsByClient.into(),
            Full::Network(until) => {
                tracing::info!(artist = %self.wish.artist, "a network holds too much");
                let soonest = until.unwrap_or_else(|| hold_end(self.now, self.app.hold));
                Error::NetworkIsFull { retry_after: wait(soonest) }
            }
            Full::Flash(until) => {
                let studio = LocalTime::of(until, self.zone);
                Error::FlashRests { until: studio.to_string(), retry_after: wait(until) }
            }
        }
    }
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
