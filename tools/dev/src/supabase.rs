//! A stand-in for Supabase Auth: the key set, and the API that the function `session` calls.
//!
//! Its tokens are signed with a key of its own, in earnest; its mails go to the inbox of `make dev`.

mod api;
mod book;
mod control;
mod error;
mod keys;
mod limits;
mod service;
mod switches;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

pub use self::book::Account;
use self::book::Book;
use self::keys::Key;
pub use self::keys::{hs256_token, token};
use self::service::Inner;
pub use self::service::User;
pub use self::switches::Switches;
use crate::aws::Inbox;
use crate::stand_in::{self, Base, Service as _};
pub use crate::stand_in::{Down, Recorded, Troubles};

/// How the stand-in is started.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the inbox has none")]
pub struct Options {
    /// Where it listens: loopback only, port 0 for any.
    pub addr: SocketAddr,
    /// The key that every call needs in `apikey`.
    pub publishable_key: String,
    /// The key that may also say for whom it calls.
    pub secret_key: String,
    /// The accounts it begins with, confirmed.
    pub users: Vec<User>,
    /// The origin of the site: links in mails begin with it.
    pub site_url: String,
    /// Where its mails go.
    pub inbox: Option<Inbox>,
    /// Where the state is kept across restarts; in memory only without it.
    pub state_file: Option<PathBuf>,
    /// How far its clock runs ahead of the machine's.
    pub clock_shift_seconds: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            publishable_key: "sb_publishable_standin".to_owned(),
            secret_key: "sb_secret_standin".to_owned(),
            users: Vec::new(),
            site_url: "http://127.0.0.1".to_owned(),
            inbox: None,
            state_file: None,
            clock_shift_seconds: 0,
        }
    }
}

/// The stand-in for Supabase Auth, running; its URL is what `SUPABASE_URL` is set to.
pub type StandIn = stand_in::StandIn<Inner>;

impl StandIn {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// When the key looks like one of a real project, the address is not loopback or taken, or the state file is unreadable.
    pub async fn start(options: Options) -> io::Result<Self> {
        let of_a_stand_in = options.publishable_key.starts_with("sb_publishable_standin")
            && options.secret_key.starts_with("sb_secret_standin");
        if !of_a_stand_in {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the keys must begin with `sb_publishable_standin` and `sb_secret_standin`",
            ));
        }
        let (listener, addr) = stand_in::bind(options.addr).await?;
        let inner = Arc::new(Inner {
            base: Base::open(options.state_file, Book::new, options.clock_shift_seconds)?,
            issuer: format!("http://{addr}/auth/v1"),
            publishable_key: options.publishable_key,
            secret_key: options.secret_key,
            users: options.users,
            site_url: options.site_url,
            inbox: options.inbox,
            buckets: Mutex::default(),
        });
        inner.settle_in();
        inner.changed();
        let router = Router::new().nest("/_control", stand_in::control(control::routes())).fallback(stand_in::handle);
        Ok(Self::begin(inner, addr, listener, router))
    }

    /// A token of this user, as a sign-in at this moment would give it.
    #[must_use]
    pub fn token(&self, user: Uuid, email: &str) -> String {
        self.sign(&self.claims(user, email))
    }

    /// What such a token claims.
    #[must_use]
    pub fn claims(&self, user: Uuid, email: &str) -> Value {
        Book::claims(user, email, &self.inner.issuer, self.inner.base.clock.now())
    }

    /// A token with any claims, signed with the project's key.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.inner.book().key().sign(claims)
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn key_id(&self) -> String {
        self.inner.book().key().kid.clone()
    }

    /// The public half of the key that signs, as PEM.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.inner.book().key().pem()
    }

    /// Signs with a new key from now on. The old one stays published, or is taken back with all it has signed.
    pub fn rotate(&self, keep_the_old: bool) {
        let mut book = self.inner.book();
        if !keep_the_old {
            book.keys.clear();
        }
        book.keys.push(Key::generate());
        drop(book);
        self.inner.changed();
    }

    /// Gives refresh tokens of the older kind from now on.
    pub fn give_older_tokens(&self) {
        self.inner.book().older_tokens = true;
    }

    /// The account of an address.
    #[must_use]
    pub fn account(&self, email: &str) -> Option<Account> {
        self.inner.book().account(email).cloned()
    }

    /// The stand-in's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.base.clock.now()
    }
}
