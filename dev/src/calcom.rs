//! A stand-in for Cal.com v2: slots, bookings and signed webhooks of the users it is given.
//!
//! As strict as the real one, with failures on demand and a week page to play the artist; it takes no live key and no
//! peer from outside this machine.

mod api;
mod control;
mod diary;
mod error;
mod requests;
mod slots;
mod webhooks;
mod week_page;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::diary::{Diary, Notice};
use self::error::ApiError;
pub use self::slots::Hours;
use self::slots::Span;
pub use self::webhooks::{Delivery, sign};
use crate::stand_in::parts::{Parts, Running, Service};
use crate::stand_in::{self, Clock, InFlight, RequestLog, StateFile, lock};
pub use crate::stand_in::{Down, Recorded, Troubles};

/// A person with a calendar.
#[derive(Clone, Debug)]
pub struct User {
    /// The name in the person's Cal.com address.
    pub username: String,
    /// The name people see.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// The API key; it begins with `cal_`, and not with `cal_live_`.
    pub api_key: String,
    /// The IANA zone of the opening hours.
    pub time_zone: String,
    /// When bookings are possible.
    pub hours: Vec<Hours>,
    /// What can be booked.
    pub event_types: Vec<EventType>,
}

impl User {
    fn event_type(&self, id: u64) -> Option<&EventType> {
        self.event_types.iter().find(|event_type| event_type.id == id)
    }

    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// A number that stays the same for the same name.
    fn id(&self) -> u32 {
        self.username.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)) % 900_000)
            + 100_000
    }
}

/// A kind of appointment.
#[derive(Clone, Debug)]
pub struct EventType {
    /// The id that callers use.
    pub id: u64,
    /// The name in the address.
    pub slug: String,
    /// The name people see.
    pub title: String,
    /// The possible lengths in minutes, the default first.
    pub lengths: Vec<u32>,
    /// Whether bookings wait for the owner's yes.
    pub requires_confirmation: bool,
    /// Whether a booking that waits takes its time away from others; Cal.com's own default is no.
    pub blocks_while_pending: bool,
    /// How long before its start a booking is possible at the latest.
    pub minimum_notice_minutes: u32,
    /// How far ahead a booking is possible; no limit without it.
    pub window_days: Option<u32>,
    /// The step between two slots; the length without it.
    pub slot_interval_minutes: Option<u32>,
    /// Where it takes place.
    pub location: String,
    /// Nobody may cancel its bookings in Cal.com, its host neither.
    pub disable_cancelling: bool,
    /// Nobody may move its bookings in Cal.com.
    pub disable_rescheduling: bool,
}

impl Default for EventType {
    fn default() -> Self {
        Self {
            id: 1,
            slug: "seance".to_owned(),
            title: "Séance".to_owned(),
            lengths: vec![60],
            requires_confirmation: false,
            blocks_while_pending: false,
            minimum_notice_minutes: 0,
            window_days: None,
            slot_interval_minutes: None,
            location: "Au studio".to_owned(),
            disable_cancelling: false,
            disable_rescheduling: false,
        }
    }
}

impl EventType {
    fn default_length(&self) -> u32 {
        self.lengths.first().copied().unwrap_or(60)
    }

    fn length_of_booking(&self, asked: Option<u32>) -> Result<u32, ApiError> {
        let Some(asked) = asked else { return Ok(self.default_length()) };
        if self.lengths.len() < 2 {
            return Err(ApiError::bad_request(
                "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths. Please, \
                 remove the 'lengthInMinutes' field from the request.",
            ));
        }
        if !self.lengths.contains(&asked) {
            let lengths: Vec<String> = self.lengths.iter().map(u32::to_string).collect();
            return Err(ApiError::bad_request(format!(
                "Provided 'lengthInMinutes' is not one of the possible lengths for the event type. The possible lengths \
                 are: {}",
                lengths.join(", ")
            )));
        }
        Ok(asked)
    }

    fn earliest(&self, now: Timestamp) -> Timestamp {
        now.checked_add(SignedDuration::from_mins(i64::from(self.minimum_notice_minutes))).unwrap_or(Timestamp::MAX)
    }

    fn latest(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(SignedDuration::from_hours(24 * i64::from(self.window_days?))).ok()
    }
}

/// How the stand-in is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens: loopback only, port 0 for any.
    pub addr: SocketAddr,
    /// Whose calendars it keeps.
    pub users: Vec<User>,
    /// Where the state is kept across restarts; in memory only without it.
    pub state_file: Option<PathBuf>,
    /// How far its clock runs ahead of the machine's.
    pub clock_shift_seconds: i64,
    /// The calls that a key may make in a minute; Cal.com allows 120, and without it there is no limit.
    pub rate_limit_per_minute: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            users: Vec::new(),
            state_file: None,
            clock_shift_seconds: 0,
            rate_limit_per_minute: None,
        }
    }
}

/// The failures that are switched on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// So many of the next creations lose a race: 409, and nothing is created.
    pub conflict: u32,
    /// Errors come as `{statusCode, message}` instead of in the usual envelope.
    pub bare_errors: bool,
    /// The list of slots also has slots outside the range asked for, a known bug of the real one.
    pub slots_outside_range: bool,
    /// No webhook is sent.
    pub drop_webhooks: bool,
    /// Bookings are not found: 404 by their uid, and every list of them is empty. They are there all the same.
    pub bookings_not_found: bool,
    /// Every event type has "Disable cancelling" switched on.
    pub disable_cancelling: bool,
}

/// Who cancels a booking in Cal.com's own pages and mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canceller {
    /// The host, who has to say why.
    #[default]
    Artist,
    /// The attendee, by the link in Cal.com's mail.
    Client,
    /// The host, who asks the attendee for another time. To whoever reads the booking it looks like the host's
    /// cancellation; only the webhook tells.
    Reschedule,
    /// Somebody whom the booking does not name.
    Somebody,
}

/// What the routes and the background tasks share.
struct Inner {
    users: Vec<User>,
    base_url: String,
    clock: Clock,
    diary: Mutex<Diary>,
    switches: Mutex<Switches>,
    log: RequestLog,
    deliveries: Mutex<Vec<Delivery>>,
    in_flight: Arc<InFlight>,
    client: reqwest::Client,
    rate_limit: Option<u32>,
    calls: Mutex<HashMap<String, VecDeque<Timestamp>>>,
    state_file: Option<StateFile>,
    closed: AtomicBool,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Diary;
    const NAME: &'static str = "Cal.com";

    fn parts(&self) -> Parts<'_, Switches, Diary> {
        Parts {
            clock: &self.clock,
            switches: &self.switches,
            log: &self.log,
            state: &self.diary,
            state_file: self.state_file.as_ref(),
            closed: &self.closed,
        }
    }
}

impl Inner {
    fn user(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|user| user.username == username)
    }

    fn user_by_key(&self, key: &str) -> Option<&User> {
        self.users.iter().find(|user| user.api_key == key)
    }

    fn event_type(&self, id: u64) -> Option<(&User, &EventType)> {
        self.users.iter().find_map(|user| user.event_type(id).map(|event_type| (user, event_type)))
    }

    /// The user whose booking it is.
    fn host(&self, diary: &Diary, uid: &str) -> Result<&User, ApiError> {
        diary
            .booking(uid)
            .and_then(|booking| self.user(&booking.username))
            .ok_or_else(|| ApiError::not_found(format!("Booking with uid={uid} was not found in the database")))
    }

    /// What the artist does in Cal.com's own pages.
    fn as_host<T>(
        self: &Arc<Self>,
        uid: &str,
        act: impl FnOnce(&mut Diary, &User, Timestamp) -> Result<(T, Vec<Notice>), ApiError>,
    ) -> Result<T, String> {
        let (result, notices) = {
            let mut diary = lock(&self.diary);
            let user = self.host(&diary, uid).map_err(|error| error.message)?;
            act(&mut diary, user, self.clock.now()).map_err(|error| error.message)?
        };
        self.changed();
        self.tell(notices);
        Ok(result)
    }

    fn cancel(self: &Arc<Self>, uid: &str, by: Canceller, reason: &str) -> Result<(), String> {
        let disabled = lock(&self.switches).disable_cancelling;
        self.as_host(uid, |diary, user, now| {
            if by != Canceller::Reschedule {
                diary.may_be_cancelled(user, uid, disabled)?;
            }
            Ok(((), diary.cancel(user, uid, Some(reason.to_owned()), by, now)?))
        })
    }

    fn reschedule(self: &Arc<Self>, uid: &str, start: Timestamp) -> Result<String, String> {
        self.as_host(uid, |diary, user, now| {
            let by = Some(user.email.clone());
            let (booking, notices) = diary.reschedule(user, uid, start, (None, by), true, now)?;
            Ok((booking.uid, notices))
        })
    }

    fn decide(self: &Arc<Self>, uid: &str, accept: bool, reason: Option<String>) -> Result<(), String> {
        self.as_host(uid, |diary, user, now| Ok(((), diary.decide(user, uid, accept, reason, now)?)))
    }

    fn block(&self, username: &str, start: Timestamp, end: Timestamp, label: &str) -> Result<u64, String> {
        if self.user(username).is_none() {
            return Err(format!("no user `{username}`"));
        }
        if start >= end {
            return Err("the end must come after the start".to_owned());
        }
        let id = lock(&self.diary).block(username, Span { start, end }, label);
        self.changed();
        Ok(id)
    }

    fn unblock(&self, id: u64) -> bool {
        let removed = lock(&self.diary).unblock(id);
        self.changed();
        removed
    }

    fn bookings(&self) -> Vec<Value> {
        let diary = lock(&self.diary);
        diary.bookings.iter().filter_map(|booking| Some(booking.object(self.user(&booking.username)?))).collect()
    }

    /// Forgets bookings, blocks and requests; subscriptions stay.
    fn reset(&self) {
        {
            let mut diary = lock(&self.diary);
            diary.bookings.clear();
            diary.blocks.clear();
        }
        lock(&self.deliveries).clear();
        self.log.clear();
        self.changed();
    }
}

/// A running stand-in; it stops when dropped.
pub struct StandIn {
    inner: Arc<Inner>,
    addr: SocketAddr,
    _running: Running<Inner>,
}

impl StandIn {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// When a key is a live key or a zone unknown, the address is not loopback or taken, or the state file is unreadable.
    pub async fn start(options: Options) -> io::Result<Self> {
        for user in &options.users {
            if !user.api_key.starts_with("cal_") || user.api_key.starts_with("cal_live_") {
                return Err(invalid(format!(
                    "the key of `{}` must begin with `cal_` and be no live key",
                    user.username
                )));
            }
            TimeZone::get(&user.time_zone).map_err(|error| invalid(error.to_string()))?;
        }
        let (listener, addr) = stand_in::bind(options.addr).await?;
        let diary: Diary = match &options.state_file {
            Some(path) => StateFile::load(path)?.unwrap_or_default(),
            None => Diary::default(),
        };
        let inner = Arc::new(Inner {
            users: options.users,
            base_url: format!("http://{addr}"),
            clock: Clock::shifted_by(options.clock_shift_seconds),
            diary: Mutex::new(diary),
            switches: Mutex::default(),
            log: RequestLog::default(),
            deliveries: Mutex::default(),
            in_flight: Arc::default(),
            client: stand_in::webhook_client(),
            rate_limit: options.rate_limit_per_minute,
            calls: Mutex::default(),
            state_file: options.state_file.map(StateFile::new),
            closed: AtomicBool::new(false),
        });
        let router =
            Router::new().merge(week_page::routes()).nest("/_control", control::routes()).fallback(api::handle);
        let running = Running::begin(&inner, listener, router);
        Ok(Self { inner, addr, _running: running })
    }

    /// The base URL of the API; the week page is `/week` under it.
    #[must_use]
    pub fn url(&self) -> String {
        self.inner.base_url.clone()
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes the failure switches.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut lock(&self.inner.switches));
    }

    /// Takes a time elsewhere: the user is busy then. Gives an id to free it again.
    ///
    /// # Errors
    ///
    /// When there is no such user or the end comes before the start.
    pub fn block(&self, username: &str, start: Timestamp, end: Timestamp, label: &str) -> Result<u64, String> {
        self.inner.block(username, start, end, label)
    }

    /// Frees a blocked time; false when there is none of that id.
    pub fn unblock(&self, block: u64) -> bool {
        self.inner.unblock(block)
    }

    /// Cancels a booking as the artist does in Cal.com.
    ///
    /// # Errors
    ///
    /// What Cal.com would say.
    pub fn cancel(&self, uid: &str, reason: &str) -> Result<(), String> {
        self.inner.cancel(uid, Canceller::Artist, reason)
    }

    /// Cancels a booking as somebody else does.
    ///
    /// # Errors
    ///
    /// What Cal.com would say.
    pub fn cancel_as(&self, uid: &str, by: Canceller, reason: &str) -> Result<(), String> {
        self.inner.cancel(uid, by, reason)
    }

    /// Moves a booking as the artist does in Cal.com; gives the new uid.
    ///
    /// # Errors
    ///
    /// What Cal.com would say.
    pub fn reschedule(&self, uid: &str, start: Timestamp) -> Result<String, String> {
        self.inner.reschedule(uid, start)
    }

    /// Confirms a pending booking as the artist does in Cal.com.
    ///
    /// # Errors
    ///
    /// What Cal.com would say.
    pub fn confirm(&self, uid: &str) -> Result<(), String> {
        self.inner.decide(uid, true, None)
    }

    /// Rejects a pending booking as the artist does in Cal.com.
    ///
    /// # Errors
    ///
    /// What Cal.com would say.
    pub fn decline(&self, uid: &str, reason: &str) -> Result<(), String> {
        self.inner.decide(uid, false, Some(reason.to_owned()))
    }

    /// Subscribes to a user's bookings; without triggers, to all that InkFlow listens to.
    ///
    /// # Errors
    ///
    /// When there is no such user.
    pub fn subscribe(&self, username: &str, url: &str, secret: Option<&str>, triggers: &[&str]) -> Result<u64, String> {
        self.inner.subscribe(username, url, secret, triggers)
    }

    /// The bookings as the API shows them, in the order they were made.
    #[must_use]
    pub fn bookings(&self) -> Vec<Value> {
        self.inner.bookings()
    }

    /// One booking as the API shows it.
    #[must_use]
    pub fn booking(&self, uid: &str) -> Option<Value> {
        let diary = lock(&self.inner.diary);
        let booking = diary.booking(uid)?;
        Some(booking.object(self.inner.user(&booking.username)?))
    }

    /// Each webhook sent.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.inner.deliveries).clone()
    }

    /// The API calls received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.inner.log.all()
    }

    /// Forgets the API calls received so far.
    pub fn clear_requests(&self) {
        self.inner.log.clear();
    }

    /// Waits until no webhook is on its way.
    pub async fn settled(&self) {
        self.inner.in_flight.settled().await;
    }

    /// The stand-in's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    /// Sets how far the clock runs ahead of the machine's.
    pub fn set_clock_shift_seconds(&self, seconds: i64) {
        self.inner.clock.set_shift_seconds(seconds);
    }

    /// Forgets bookings, blocks and requests.
    pub fn reset(&self) {
        self.inner.reset();
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// An instant as JavaScript writes it: `2026-12-01T09:00:00.000Z`.
fn millis(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn utc_offset_minutes(zone: &str, at: Timestamp) -> Option<i32> {
    Some(TimeZone::get(zone).ok()?.to_offset(at).seconds() / 60)
}
