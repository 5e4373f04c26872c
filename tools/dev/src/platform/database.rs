//! The database of the platform: a private server, or the one that was given, with schema, role and demo data.

use anyhow::{Context, Result};
use jiff::Timestamp;
use tracing::{info, warn};
use uuid::Uuid;

use super::kept::{Ports, Secrets};
use super::options::Options;
use crate::demo;
use crate::postgres::{self, Postgres, Purpose};

/// The role the functions connect as; the migrations create it without a login.
pub const APP_ROLE: &str = "inkflow_app";

const DATABASE: &str = "inkflow";

/// The database, for its owner and for the functions.
pub(crate) struct Database {
    pub(crate) server: Option<Postgres>,
    pub(super) owner_url: String,
    pub(super) app_url: String,
}

/// Starts or takes the database and brings it to where a booking could be made.
pub(super) async fn start(options: &Options, ports: &Ports, secrets: &Secrets) -> Result<Database> {
    let database = if let Some(given) = &options.database_url {
        let owner_url =
            if options.keep { given.clone() } else { own_database(given, options.template.as_deref()).await? };
        migrate(&owner_url).await?;
        // Tests share one server, where everybody gives the role the same password.
        let password = if options.keep { &secrets.app_password } else { APP_ROLE };
        let app_url = app_url_on(&owner_url, password).await;
        Database { server: None, owner_url, app_url }
    } else {
        let purpose = match options.keep {
            true => Purpose::Keep { password: secrets.postgres_password.clone() },
            false => Purpose::Throwaway,
        };
        let server = Postgres::start(&options.state, ports.postgres, purpose).await?;
        info!(port = server.port(), "{}", server.version());
        let admin = postgres::connect(&server.url(postgres::SUPERUSER)).await?;
        let known = admin.query("select 1 from pg_database where datname = $1", &[&DATABASE]).await?;
        if known.is_empty() {
            admin.batch_execute(&format!("create database {DATABASE}")).await?;
        }
        let owner_url = server.url(DATABASE);
        migrate(&owner_url).await?;
        postgres::let_in(&owner_url, APP_ROLE, &secrets.app_password).await?;
        let app_url = server.url_of(APP_ROLE, &secrets.app_password, DATABASE);
        Database { server: Some(server), owner_url, app_url }
    };
    let client = postgres::connect(&database.owner_url).await?;
    seed(&client, &secrets.encryption_key).await?;
    Ok(database)
}

async fn migrate(owner_url: &str) -> Result<()> {
    for applied in migrations::run(owner_url).await.map_err(|error| anyhow::anyhow!("migrating: {error}"))? {
        info!("applied {applied}");
    }
    Ok(())
}

/// Writes the demo data.
pub(super) async fn seed(client: &tokio_postgres::Client, encryption_key: &str) -> Result<()> {
    let seed = demo::Seed { now: Timestamp::now(), encryption_key };
    demo::seed(client, &seed).await.map_err(|error| anyhow::anyhow!("writing the demo data: {error}"))?;
    // No money of anybody's is at stake here: who opens a page to try things out need not wait for an operator.
    client.batch_execute("alter table artists alter column takes_deposits set default true").await?;
    Ok(())
}

/// A database for one test beside `given`.
async fn own_database(given: &str, template: Option<&str>) -> Result<String> {
    let name = format!("story_{}", Uuid::now_v7().simple());
    let template = template.unwrap_or("template1");
    let admin = postgres::connect(given).await.context("TEST_DATABASE_URL")?;
    admin.batch_execute(&format!("create database {name} template {template}")).await?;
    let mut url: reqwest::Url = given.parse()?;
    url.set_path(&name);
    Ok(url.into())
}

/// Drops the database of one test.
pub(super) async fn drop_database(url: &str) -> Result<()> {
    let mut admin: reqwest::Url = url.parse()?;
    let name = admin.path().trim_start_matches('/').to_owned();
    admin.set_path(postgres::SUPERUSER);
    let client = postgres::connect(admin.as_str()).await?;
    client.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
    Ok(())
}

/// The role of the functions on a database that was given; its owner where that role cannot be used.
async fn app_url_on(owner_url: &str, password: &str) -> String {
    let with_role = async {
        let mut url: reqwest::Url = owner_url.parse()?;
        let no = |()| anyhow::anyhow!("a URL without a host");
        url.set_username(APP_ROLE).map_err(no)?;
        url.set_password(Some(password)).map_err(no)?;
        if postgres::connect(url.as_str()).await.is_err() {
            postgres::let_in(owner_url, APP_ROLE, password).await?;
            postgres::connect(url.as_str()).await?;
        }
        anyhow::Ok(url.to_string())
    };
    with_role.await.unwrap_or_else(|error| {
        warn!(%error, "the functions connect as the owner: {APP_ROLE} cannot log in on this database");
        owner_url.to_owned()
    })
}
