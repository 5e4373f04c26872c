//! A stand-in for Cal.com v2: slots, bookings and signed webhooks of the users it is given.
//!
//! As strict as the real one, with failures on demand and a week page to play the artist; it takes no live key and no
//! peer from outside this machine.

mod api;
mod control;
mod delivery;
mod diary;
mod error;
mod requests;
mod service;
mod slots;
mod switches;
mod time;
mod user;
mod webhooks;
mod week_page;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

pub use self::delivery::{Delivery, sign};
use self::diary::Diary;
use self::service::Inner;
pub use self::switches::{Canceller, Switches};
pub use self::user::{EventType, Hours, User};
use crate::stand_in::{self, Base, Deliveries};
pub use crate::stand_in::{Down, Recorded, Troubles};

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

/// The stand-in for Cal.com, running; its week page is `/week`.
pub type StandIn = stand_in::StandIn<Inner>;

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
        let inner = Arc::new(Inner {
            base: Base::open(options.state_file, Diary::default, options.clock_shift_seconds)?,
            users: options.users,
            base_url: format!("http://{addr}"),
            deliveries: Deliveries::new(),
            rate_limit: options.rate_limit_per_minute,
            calls: Mutex::default(),
        });
        let router = Router::new()
            .merge(week_page::routes())
            .nest("/_control", stand_in::control(control::routes()))
            .fallback(stand_in::handle);
        Ok(Self::begin(inner, addr, listener, router))
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
        let diary = self.inner.diary();
        let booking = diary.booking(uid)?;
        Some(booking.object(self.inner.user(&booking.username)?))
    }

    /// Each webhook sent.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.inner.deliveries.all()
    }

    /// Waits until no webhook is on its way.
    pub async fn settled(&self) {
        self.inner.deliveries.settled().await;
    }

    /// The stand-in's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.base.clock.now()
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
