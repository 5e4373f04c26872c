//! The schema of InkFlow as plain SQL files, forward only, and the code that applies them.
//! Run by `make migrate` and by the tests' template database, never at a function's start.

use std::sync::Arc;
use std::time::Duration;

use refinery::{Migration, Runner, Target};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use promises::{Kind, Promise};

mod promises;

mod embedded {
    refinery::embed_migrations!("sql");
}

/// What stopped a migration, in words for the operator.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// How a migration gives way to whoever uses the database.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// How long it waits for a lock. Whoever wants the same table waits behind it, so this is shorter than the three seconds
    /// that the functions wait (`lock_timeout` of `inkflow_app`).
    pub lock: Duration,
    /// How long one statement may take inside a transaction, which keeps its locks meanwhile.
    pub statement: Duration,
    pub tries: u32,
    /// Between two tries, when everybody else goes on.
    pub pause: Duration,
}

impl Manners {
    /// Beside a site that is in use.
    pub const IN_USE: Self = Self {
        lock: Duration::from_secs(2),
        statement: Duration::from_secs(20),
        tries: 10,
        pause: Duration::from_secs(3),
    };

    /// Nobody else is there: after a restore, or `make stop`. It takes the time it takes.
    pub const ALONE: Self = Self { lock: Duration::ZERO, statement: Duration::ZERO, ..Self::IN_USE };
}

/// The first line of a migration that runs outside a transaction, statement by statement: see `migrations/README.md`.
pub const OUTSIDE: &str = "-- Outside a transaction.";

/// How long a statement of such a migration waits for others. Nobody waits behind it.
const PATIENCE: &str = "set lock_timeout = '5min'; set statement_timeout = 0";

/// Applies every migration that `database_url` has not seen yet and returns the names of those applied.
///
/// Needs a session connection of the owner of the schema (Supabase: the direct host or the session
/// pooler on port 5432, never the transaction pooler). `DATABASE_CA` may name a PEM file, or hold PEM
/// text, with the root of the server's certificate.
///
/// # Errors
/// The connection failed, or a migration did: refinery runs each in a transaction of its own, so the
/// failed one has left nothing behind.
pub async fn run(database_url: &str) -> Result<Vec<String>, Error> {
    run_with(database_url, Manners::IN_USE).await
}

/// As [`run`], giving way as it is told.
///
/// # Errors
/// As [`run`].
pub async fn run_with(database_url: &str, manners: Manners) -> Result<Vec<String>, Error> {
    apply(database_url, embedded::migrations::runner().get_migrations(), manners).await
}

/// As [`run_with`], of the given migrations.
///
/// # Errors
/// As [`run`].
pub async fn apply(database_url: &str, all: &[Migration], manners: Manners) -> Result<Vec<String>, Error> {
    let mut config: Config = database_url.parse()?;
    config.application_name("inkflow migrate");
    let (mut client, connection) = config.connect(tls()?).await?;
    let connection = tokio::spawn(connection);
    take_turn(&client).await?;
    let applied = applied(&client).await?;
    let mut new: Vec<&Migration> =
        all.iter().filter(|migration| !applied.contains(&migration.version().to_string())).collect();
    new.sort_by_key(|migration| migration.version());
    for migration in &new {
        one(&mut client, all, migration, manners).await?;
    }
    // Compares those applied before with the files, also when there was nothing to do.
    Runner::new(all).run_async(&mut client).await?;
    drop(client);
    connection.await??;
    Ok(new.iter().map(ToString::to_string).collect())
}

/// Two operators at once take turns; the lock goes with the session. Asked for again and again: a statement that waits for it
/// would be a transaction that is open, and an index that is made concurrently waits for the end of those.
async fn take_turn(client: &Client) -> Result<(), Error> {
    while rows(client, "select where pg_try_advisory_lock(7309401)").await? == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn one(client: &mut Client, all: &[Migration], migration: &Migration, manners: Manners) -> Result<(), Error> {
    let statements = outside(migration.sql().unwrap_or_default());
    let target = match &statements {
        None => Target::Version(migration.version()),
        // Done by the time that refinery writes it down.
        Some(_) => Target::FakeVersion(migration.version()),
    };
    for left in (0..manners.tries).rev() {
        let done = match &statements {
            None => {
                let (lock, statement) = (manners.lock.as_millis(), manners.statement.as_millis());
                client.batch_execute(&format!("set lock_timeout = {lock}; set statement_timeout = {statement}")).await
            }
            Some(statements) => one_by_one(client, statements).await,
        };
        let done = match done {
            Ok(()) => Runner::new(all).set_target(target).run_async(client).await.map(drop).map_err(Error::from),
            Err(error) => Err(error.into()),
        };
        let Err(error) = done else { return Ok(()) };
        match stopped_by(&*error) {
            Some(code) if code == SqlState::LOCK_NOT_AVAILABLE || code == SqlState::T_R_DEADLOCK_DETECTED => {
                let others = others(client).await.unwrap_or_default();
                if left == 0 {
                    return Err(format!(
                        r"{migration} did not get its locks in {} tries, and has changed nothing; everybody else went on meanwhile.
                         In its way, probably: {others}. End it (select pg_terminate_backend(pid)), or try again at a quieter hour",
                        manners.tries,
                    )
                    .into());
                }
                eprintln!("{migration} gives way ({others}), and tries again: {left} tries left");
                tokio::time::sleep(manners.pause).await;
            }
            Some(code) if code == SqlState::QUERY_CANCELED => {
                return Err(format!(
                    "{migration} took longer than {} s, in which nobody could book, and has changed nothing. Make it while nobody \
                     is there: make stop, make migrate ALONE=1, make start",
                    manners.statement.as_secs(),
                )
                .into());
            }
            _ => return Err(error),
        }
    }
    Ok(())
}

async fn one_by_one(client: &Client, statements: &[String]) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(PATIENCE).await?;
    for statement in statements {
        client.batch_execute(statement).await?;
    }
    Ok(())
}

/// The statements of a migration that runs outside a transaction; none of any other.
fn outside(sql: &str) -> Option<Vec<String>> {
    if sql.lines().next()?.trim_end() != OUTSIDE {
        return None;
    }
    let (mut all, mut statement, mut in_body) = (Vec::new(), String::new(), false);
    for line in sql.lines().filter(|line| !line.trim_start().starts_with("--")) {
        in_body ^= line.matches("$$").count() % 2 == 1;
        statement.push_str(line);
        statement.push('\n');
        if !in_body && line.trim_end().ends_with(';') {
            all.push(std::mem::take(&mut statement));
        }
    }
    if !statement.trim().is_empty() {
        all.push(statement);
    }
    Some(all)
}

/// What Postgres called the mistake, wherever in the chain it is.
fn stopped_by(error: &(dyn std::error::Error + 'static)) -> Option<SqlState> {
    let mut error = Some(error);
    while let Some(one) = error {
        if let Some(postgres) = one.downcast_ref::<tokio_postgres::Error>() {
            return postgres.code().cloned();
        }
        error = one.source();
    }
    None
}

/// Who has been at work the longest, without what they ask: that may be personal.
async fn others(client: &Client) -> Result<String, tokio_postgres::Error> {
    let oldest = "select 'pid ' || pid || ', ' || coalesce(usename, '') || ', ' || coalesce(state, 'hidden') || ' for '
            || round(extract(epoch from clock_timestamp() - xact_start)) || ' s'
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
        order by xact_start limit 3";
    let told: Vec<String> = client.simple_query(oldest).await?.iter().filter_map(first).collect();
    Ok(if told.is_empty() { "somebody who is gone already".to_owned() } else { told.join("; ") })
}

async fn rows(client: &Client, sql: &str) -> Result<usize, tokio_postgres::Error> {
    let told = client.simple_query(sql).await?;
    Ok(told.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).count())
}

/// The versions that the database has seen.
async fn applied(client: &Client) -> Result<Vec<String>, Error> {
    match client.simple_query("select version from refinery_schema_history").await {
        Ok(rows) => Ok(rows.iter().filter_map(first).collect()),
        // An empty database has no such list yet.
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// The names of the migrations that the database of `database_url` has not seen yet. Changes nothing.
///
/// # Errors
/// The connection failed, or the list of those applied may not be read.
pub async fn missing(database_url: &str) -> Result<Vec<String>, Error> {
    let config: Config = database_url.parse()?;
    let (client, connection) = config.connect(tls()?).await?;
    tokio::spawn(connection);
    let applied = applied(&client).await?;
    let runner = embedded::migrations::runner();
    let all = runner.get_migrations().iter();
    Ok(all.filter(|migration| !applied.contains(&migration.version().to_string())).map(ToString::to_string).collect())
}

/// What the schema promises by name once every migration is applied: constraints, indexes, triggers.
pub fn promises() -> std::collections::BTreeSet<Promise> {
    let runner = embedded::migrations::runner();
    let mut all: Vec<_> = runner.get_migrations().iter().collect();
    all.sort_by_key(|migration| migration.version());
    promises::of(all.into_iter().filter_map(|migration| migration.sql()))
}

fn first(row: &SimpleQueryMessage) -> Option<String> {
    match row {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }
}

fn tls() -> Result<MakeRustlsConnect, Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(given) = std::env::var("DATABASE_CA").ok().filter(|given| !given.trim().is_empty()) {
        let pem = if given.contains("-----BEGIN") { given.into_bytes() } else { std::fs::read(&given)? };
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate?)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
