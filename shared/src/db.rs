//! Postgres: one connection per sandbox, every statement one flight, nothing prepared by name.
//!
//! Only the typed forms are used: they are the only ones that work behind Supabase's transaction pooler
//! and that take one round trip. One statement at a time on a connection, because that pooler has lost the
//! answers of pipelined ones.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::hmac;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Config, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{self, ConfigError};
use crate::domain::ids::JobId;
use crate::error::Error;
use crate::net;
use crate::redact::without_values;

// The artist, their flashes and the calendar that slots are cut from.
pub mod artists;

// What Cal.com said a moment ago, and how often it is asked.
pub mod answers;

// Bookings: the read and the one write of a transition.
pub mod bookings;

// The hold: everything `create-booking` asks and writes.
pub mod holds;

// Jobs: claimed by lease, recorded once.
pub mod outbox;

// Mails: one per occasion.
pub mod emails;

// Whom the operator has asked to open a page.
pub mod invitations;

// Links that confirm an artist's address.
pub mod contact_links;

// What the artist's dashboard reads and writes.
pub mod dashboard;

// The figures of the dashboard.
pub mod stats;

// All that the worker needs to know of one booking.
pub mod dossier;

// What artists set about their own page.
pub mod settings;

// What ties Cal.com to bookings.
pub mod calendar;

// What the sweeper makes right again.
pub mod reconcile;

// The sessions that somebody has signed out of.
pub mod sessions;

// Counts of what somebody does in an hour.
pub mod limits;

// Forgets what has served its time.
pub mod upkeep;

/// How long connecting may take: TCP, TLS and SCRAM are at most nine round trips.
const CONNECT: Duration = Duration::from_secs(3);

/// How long one statement may take, a little more than the server's own `statement_timeout`.
const STATEMENT: Duration = Duration::from_secs(6);

/// How `account()` of V021 ends a statement that somebody asks for who has signed out.
const SESSION_ENDED: &str = "IN401";

/// One parameter with its type: what makes a statement a single flight.
pub type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// Whether a statement may be sent again when its answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it twice is the same as once.
    Safe,
    /// It may have been carried out: the caller decides by reading.
    Unsafe,
}

/// The connection of this sandbox.
#[expect(missing_debug_implementations, reason = "it holds the password")]
pub struct Db {
    config: Config,
    tls: MakeRustlsConnect,
    client: Mutex<Option<Client>>,
    secret: hmac::Key,
}

impl Db {
    /// A database that is reached through `DATABASE_URL` and `DATABASE_CA`. Does not connect yet.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::new(&config::required("DATABASE_URL")?, config::optional("DATABASE_CA").as_deref())
    }

    /// A database at `url` whose certificate the usual roots or `ca` vouch for.
    ///
    /// # Errors
    /// The URL or the certificate is malformed.
    pub fn new(url: &str, ca: Option<&str>) -> Result<Self, ConfigError> {
        let mut config: Config = url
            .parse()
            // The parser's message may quote the URL, and with it the password.
            .map_err(|_| ConfigError::Invalid { name: "DATABASE_URL", why: "is not a postgres:// URL".into() })?;
        config.connect_timeout(CONNECT);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, config.get_password().unwrap_or(url.as_bytes()));
        Ok(Self { config, tls: MakeRustlsConnect::new(net::database_tls(ca)?), client: Mutex::new(None), secret })
    }

    /// What stands in the database for somebody's address, of mail or of network: told apart from others, and to be found out
    /// by nobody who has only the database or a copy of it.
    ///
    /// The key is the password of the functions' role. Each function that counts has it, no backup holds it, and a new one
    /// costs nothing: counts begin anew.
    pub fn pseudonym(&self, of: &str) -> [u8; 32] {
        let mut pseudonym = [0; 32];
        pseudonym.copy_from_slice(self.sign("pseudonym", of.as_bytes()).as_ref());
        pseudonym
    }

    /// [`Self::pseudonym`] in text, short enough for a name.
    pub fn nickname(&self, of: &str) -> String {
        hex::encode(&self.pseudonym(of)[..16])
    }

    /// Signs what goes out and comes back, for one purpose.
    pub fn sign(&self, purpose: &str, text: &[u8]) -> hmac::Tag {
        hmac::sign(&self.secret, &[purpose.as_bytes(), b"\0", text].concat())
    }

    /// Whether [`Self::sign`] made this tag.
    pub fn is_signed(&self, purpose: &str, text: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.secret, &[purpose.as_bytes(), b"\0", text].concat(), tag).is_ok()
    }

    /// Connects ahead of the first request, while Lambda gives the sandbox its full CPU.
    ///
    /// A failure is logged and not fatal: the request that needs the database will try again and say so.
    pub async fn warm_up(&self) {
        let mut slot = self.client.lock().await;
        match self.connect().await {
            Ok(client) => *slot = Some(client),
            Err(error) => tracing::warn!(error = %error, "no database at start"),
        }
    }

    async fn connect(&self) -> Result<Client, Error> {
        let connecting = self.config.connect(self.tls.clone());
        let (client, connection) = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| Error::DatabaseUnavailable("connecting took too long".into()))?
            .map_err(|error| Error::DatabaseUnavailable(in_words(&error)))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::info!(error = %error, "the database connection ended");
            }
        });
        Ok(client)
    }

    /// Runs one statement in one flight.
    ///
    /// A connection that died while the sandbox was frozen looks alive until it is used: then the
    /// statement is sent once more on a new one if that is [`Repeat::Safe`]. A serialization failure or a
    /// deadlock was rolled back, so it is always tried once more.
    ///
    /// # Errors
    /// The database refused, broke off, or cannot be reached.
    pub async fn rows(&self, repeat: Repeat, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Error> {
        let mut slot = self.client.lock().await;
        let mut tries = 0;
        loop {
            tries += 1;
            if slot.as_ref().is_none_or(Client::is_closed) {
                *slot = Some(self.connect().await?);
            }
            let Some(client) = slot.as_ref() else { continue };
            match tokio::time::timeout(STATEMENT, client.query_typed(sql, params)).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) if rolled_back_by_chance(&error) && tries == 1 => {}
                Ok(Err(error)) if connection_is_dead(&error) => {
                    *slot = None;
                    if repeat == Repeat::Unsafe || tries > 1 {
                        return Err(Error::DatabaseUnavailable(in_words(&error)));
                    }
                }
                Ok(Err(error)) if error.code().is_some_and(|code| code.code() == SESSION_ENDED) => {
                    return Err(Error::Unauthenticated("the session is over"));
                }
                Ok(Err(error)) => return Err(error.into()),
                Err(_elapsed) => {
                    // The answer may still come: this connection cannot be used for another question.
                    *slot = None;
                    return Err(Error::DatabaseUnavailable("a statement took too long".into()));
                }
            }
        }
    }

    /// Runs one statement that answers at most one row.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub async fn row(&self, repeat: Repeat, sql: &str, params: &[Param<'_>]) -> Result<Option<Row>, Error> {
        Ok(self.rows(repeat, sql, params).await?.into_iter().next())
    }
}

fn rolled_back_by_chance(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
}

fn connection_is_dead(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        // An administrator, a restart or a failover ended the session; class 08 is the connection itself.
        Some(code) => {
            matches!(*code, SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN | SqlState::CANNOT_CONNECT_NOW)
                || code.code().starts_with("08")
        }
        None => true,
    }
}

/// Reads a column, naming it when it is not what it should be.
///
/// # Errors
/// The statement and the code disagree: a mistake of ours.
pub fn get<'a, T: FromSql<'a>>(row: &'a Row, column: &str) -> Result<T, Error> {
    row.try_get(column).map_err(|error| Error::Internal(format!("column {column}: {error}")))
}

/// Reads a JSON column into `T`.
///
/// # Errors
/// The statement and the code disagree: a mistake of ours.
pub fn get_json<T: DeserializeOwned>(row: &Row, column: &str) -> Result<T, Error> {
    let value: serde_json::Value = get(row, column)?;
    serde_json::from_value(value)
        .map_err(|error| Error::Internal(format!("column {column}: {}", without_values(&error))))
}

/// Reads a column of a closed set of names.
///
/// # Errors
/// The database holds a name that the code does not know: a migration that ran ahead.
pub fn get_named<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Error> {
    let text: &str = get(row, column)?;
    parse(text).ok_or_else(|| Error::Internal(format!("column {column} holds the unknown value {text:?}")))
}

/// As [`get_named`], for a column that may be null.
///
/// # Errors
/// As [`get_named`].
pub fn get_named_opt<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Error> {
    let text: Option<&str> = get(row, column)?;
    text.map(|text| {
        parse(text).ok_or_else(|| Error::Internal(format!("column {column} holds the unknown value {text:?}")))
    })
    .transpose()
}

/// What the database says: "db error" alone, which is all that the error itself writes, helps nobody. Its detail stays out, where
/// values are.
fn in_words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |db| format!("{} ({})", db.message(), db.code().code()))
}

/// As [`get_named`], for a column that holds an array of names.
///
/// # Errors
/// As [`get_named`].
pub(crate) fn get_all_named<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Error> {
    let texts: Vec<&str> = get(row, column)?;
    let read = |text: &str| {
        parse(text).ok_or_else(|| Error::Internal(format!("column {column} holds the unknown value {text:?}")))
    };
    texts.into_iter().map(read).collect()
}

/// Reads a column that holds the name of a zone.
///
/// # Errors
/// The name is not that of a zone.
pub(crate) fn get_zone(row: &Row, column: &str) -> Result<TimeZone, Error> {
    let name: &str = get(row, column)?;
    TimeZone::get(name).map_err(|error| Error::Internal(format!("column {column}: {error}")))
}

/// The rows that a list of tasks becomes, as JSON for `jsonb_to_recordset`.
///
/// `relay_at` gives the direct way to the queue a head start before the sweeper sends the job again; no job is
/// wanted before `not_before`.
pub(crate) fn job_rows(
    tasks: &[crate::domain::job::Task],
    version: i32,
    not_before: Timestamp,
    now: Timestamp,
) -> serde_json::Value {
    tasks
        .iter()
        .map(|task| {
            serde_json::json!({
                "id": uuid::Uuid::now_v7(),
                "kind": task.kind().name(),
                "booking_id": task.booking(),
                "args": task,
                "dedupe_key": task.dedupe_key(version),
                "created_at": now,
                "relay_at": crate::domain::time::after(not_before, RELAY_AFTER),
            })
        })
        .collect()
}

/// How long the sweeper leaves a new job to its direct way before it sends it again.
pub(crate) const RELAY_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_secs(30);

pub(crate) fn job_ids(row: &Row, column: &str) -> Result<Vec<JobId>, Error> {
    let ids: Vec<uuid::Uuid> = get(row, column)?;
    Ok(ids.into_iter().map(JobId::new).collect())
}

/// The columns of an `insert into outbox … select … from jsonb_to_recordset(…)`, said once.
macro_rules! insert_jobs {
    ($rows:literal, $from:literal) => {
        concat!(
            "insert into outbox (id, kind, booking_id, args, dedupe_key, created_at, relay_at) ",
            "select j.id, j.kind, j.booking_id, j.args, j.dedupe_key, j.created_at, j.relay_at from ",
            $from,
            "jsonb_to_recordset(",
            $rows,
            ") as j(id uuid, kind text, booking_id uuid, args jsonb, dedupe_key text, created_at timestamptz, relay_at timestamptz) ",
            "on conflict (dedupe_key) do nothing returning id"
        )
    };
}
pub(crate) use insert_jobs;

// What the statements in files say twice.
#[cfg(test)]
mod fragments;
