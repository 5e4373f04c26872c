//! The schema of InkFlow as plain SQL files, forward only, and the code that applies them.
//! Run by `make migrate` and by the tests' template database, never at a function's start.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

pub use promises::{Kind, Promise};

mod promises;

mod embedded {
    refinery::embed_migrations!("sql");
}

/// What stopped a migration, in words for the operator.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

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
    let config: Config = database_url.parse()?;
    let (mut client, connection) = config.connect(tls()?).await?;
    let connection = tokio::spawn(connection);
    // Two operators at once take turns; the lock goes with the session.
    client.batch_execute("select pg_advisory_lock(7309401)").await?;
    let report = embedded::migrations::runner().run_async(&mut client).await?;
    let names = report.applied_migrations().iter().map(ToString::to_string).collect();
    drop(client);
    connection.await??;
    Ok(names)
}

/// The names of the migrations that the database of `database_url` has not seen yet. Changes nothing.
///
/// # Errors
/// The connection failed, or the list of those applied may not be read.
pub async fn missing(database_url: &str) -> Result<Vec<String>, Error> {
    let config: Config = database_url.parse()?;
    let (client, connection) = config.connect(tls()?).await?;
    tokio::spawn(connection);
    let applied: Vec<String> = match client.simple_query("select version from refinery_schema_history").await {
        Ok(rows) => rows.iter().filter_map(version).collect(),
        // An empty database has no such list yet.
        Err(error) if error.code() == Some(&tokio_postgres::error::SqlState::UNDEFINED_TABLE) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
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

fn version(row: &tokio_postgres::SimpleQueryMessage) -> Option<String> {
    match row {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
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
