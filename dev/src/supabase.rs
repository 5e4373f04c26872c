//! A stand-in for Supabase Auth: the key set, and the API that the function `session` calls.
//!
//! Its tokens are signed with a key of its own, in earnest; its mails go to the inbox of `make dev`.

mod api;
mod book;
mod control;
mod error;
mod keys;
mod limits;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use self::book::Account;
use self::book::Book;
use self::keys::Key;
pub use self::keys::{hs256_token, token};
use self::limits::Buckets;
use crate::aws::{Inbox, Mail};
use crate::stand_in::parts::{Parts, Running, Service};
use crate::stand_in::{self, Clock, RequestLog, StateFile, lock};
pub use crate::stand_in::{Down, Recorded, Troubles};

/// An account that is there from the start.
#[derive(Clone, Debug)]
pub struct User {
    /// The subject of its tokens.
    pub id: Uuid,
    /// Its address.
    pub email: String,
    /// Its password.
    pub password: String,
}

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

/// The failures that are switched on, and how the project is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Switches {
    /// Failures of the API as a whole.
    #[serde(flatten)]
    pub api: Troubles,
    /// A new account needs no confirmation by mail.
    pub autoconfirm: bool,
    /// Nobody new may sign up.
    pub signup_disabled: bool,
    /// Mails go to nobody but the project's team, as by the sender that Supabase brings.
    pub built_in_sender: bool,
    /// Calls are limited by address, as a project does from the start.
    pub rate_limits: bool,
    /// The project believes `Sb-Forwarded-For` beside a secret key.
    pub forwarding: bool,
}

/// The mails it writes.
#[derive(Clone, Copy, Debug)]
enum Letter {
    Confirmation,
    MagicLink,
}

/// What the routes share.
struct Inner {
    issuer: String,
    publishable_key: String,
    secret_key: String,
    users: Vec<User>,
    site_url: String,
    inbox: Option<Inbox>,
    clock: Clock,
    book: Mutex<Book>,
    buckets: Mutex<Buckets>,
    switches: Mutex<Switches>,
    log: RequestLog,
    state_file: Option<StateFile>,
    closed: AtomicBool,
}

impl Service for Inner {
    type Switches = Switches;
    type State = Book;
    const NAME: &'static str = "Supabase";

    fn parts(&self) -> Parts<'_, Switches, Book> {
        Parts {
            clock: &self.clock,
            switches: &self.switches,
            log: &self.log,
            state: &self.book,
            state_file: self.state_file.as_ref(),
            closed: &self.closed,
        }
    }
}

impl Inner {
    /// Makes sure that the accounts it begins with are there.
    fn settle_in(&self) {
        let now = self.clock.now();
        let mut book = lock(&self.book);
        for user in &self.users {
            if book.by_id(user.id).is_none() {
                book.accounts.push(Account::new(user.id, &user.email, Some(&user.password), now).confirmed(now));
            }
        }
    }

    /// Sends a mail with a link, written as the project's templates are told to (docs/deploy.md, step 8).
    fn send(&self, letter: Letter, to: &str, token_hash: &str) {
        let (kind, subject, sentence) = match letter {
            Letter::Confirmation => ("signup", "Confirmez votre adresse", "Pour confirmer votre adresse et entrer :"),
            Letter::MagicLink => ("magiclink", "Votre lien de connexion", "Pour entrer, sans mot de passe :"),
        };
        let link = format!("{}/dashboard?token_hash={token_hash}&type={kind}", self.site_url);
        let html = format!("<p>{sentence}</p><p><a href=\"{}\">{subject}</a></p>", link.replace('&', "&amp;"));
        if let Some(inbox) = &self.inbox {
            inbox.keep(Mail {
                message_id: format!("supabase-{}", Uuid::now_v7()),
                at: Timestamp::now(),
                from: "Supabase Auth <noreply@mail.app.supabase.io>".to_owned(),
                to: to.to_owned(),
                reply_to: String::new(),
                subject: subject.to_owned(),
                text: format!("{sentence}\n\n{link}\n"),
                html,
                tags: Vec::new(),
                headers: Vec::new(),
                invitation: None,
                attachments: Vec::new(),
            });
        }
    }
}

/// A running stand-in; it stops when dropped.
#[expect(missing_debug_implementations, reason = "it holds passwords")]
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
        let book = match &options.state_file {
            Some(path) => StateFile::load(path)?.unwrap_or_else(Book::new),
            None => Book::new(),
        };
        let inner = Arc::new(Inner {
            issuer: format!("http://{addr}/auth/v1"),
            publishable_key: options.publishable_key,
            secret_key: options.secret_key,
            users: options.users,
            site_url: options.site_url,
            inbox: options.inbox,
            clock: Clock::shifted_by(options.clock_shift_seconds),
            book: Mutex::new(book),
            buckets: Mutex::default(),
            switches: Mutex::default(),
            log: RequestLog::default(),
            state_file: options.state_file.map(StateFile::new),
            closed: AtomicBool::new(false),
        });
        inner.settle_in();
        inner.changed();
        let router = Router::new().nest("/_control", control::routes()).fallback(api::handle);
        let running = Running::begin(&inner, listener, router);
        Ok(Self { inner, addr, _running: running })
    }

    /// The project's URL: what `SUPABASE_URL` is set to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
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

    /// A token of this user, as a sign-in at this moment would give it.
    #[must_use]
    pub fn token(&self, user: Uuid, email: &str) -> String {
        self.sign(&self.claims(user, email))
    }

    /// What such a token claims.
    #[must_use]
    pub fn claims(&self, user: Uuid, email: &str) -> Value {
        Book::claims(user, email, &self.inner.issuer, self.inner.clock.now())
    }

    /// A token with any claims, signed with the project's key.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        lock(&self.inner.book).key().sign(claims)
    }

    /// The id of the key that signs.
    #[must_use]
    pub fn key_id(&self) -> String {
        lock(&self.inner.book).key().kid.clone()
    }

    /// The public half of the key that signs, as PEM.
    #[must_use]
    pub fn public_key(&self) -> String {
        lock(&self.inner.book).key().pem()
    }

    /// Signs with a new key from now on. The old one stays published, or is taken back with all it has signed.
    pub fn rotate(&self, keep_the_old: bool) {
        let mut book = lock(&self.inner.book);
        if !keep_the_old {
            book.keys.clear();
        }
        book.keys.push(Key::generate());
        drop(book);
        self.inner.changed();
    }

    /// Gives refresh tokens of the older kind from now on.
    pub fn give_older_tokens(&self) {
        lock(&self.inner.book).older_tokens = true;
    }

    /// The account of an address.
    #[must_use]
    pub fn account(&self, email: &str) -> Option<Account> {
        lock(&self.inner.book).account(email).cloned()
    }

    /// The calls received, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.inner.log.all()
    }

    /// Forgets the calls received so far.
    pub fn clear_requests(&self) {
        self.inner.log.clear();
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

    /// Forgets the accounts made since it began, all sessions and links.
    pub fn reset(&self) {
        lock(&self.inner.book).clear();
        self.inner.log.clear();
        self.inner.settle_in();
        self.inner.changed();
    }
}
