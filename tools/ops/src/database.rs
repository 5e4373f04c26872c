//! `make database`: the schema, and the functions' way into it. What an operator would otherwise do by hand, with a password
//! that is shown nowhere and lost at once.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use ring::rand::{SecureRandom as _, SystemRandom};
use shared::net;
use tokio_postgres::config::Host;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config};

/// The role of the functions.
const ROLE: &str = "inkflow_app";

/// A pooler keeps what it knows of a role for a while: how often, and how long apart, the new password is tried.
const TRIES: [Duration; 6] = [
    Duration::ZERO,
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(15),
];

#[derive(Debug)]
pub struct Prepared {
    /// The migrations that were applied.
    pub applied: Vec<String>,
    /// Whether the functions have a new `DATABASE_URL`, with a new password.
    pub is_new: bool,
    /// Why the functions do not get in, when they do not.
    pub refused: Option<Error>,
}

/// Brings the database of `owner` up to date and lets the functions in.
///
/// With the password of `url` if they have one already, else with a new one, whose URL `keep` keeps. It is kept before the
/// database knows it: a run that ends between the two is repeated, and a password that nobody has kept would be lost.
///
/// # Errors
/// A URL cannot be read, it cannot be kept, or the database refuses the owner.
pub async fn prepare(
    owner: &str,
    url: Option<&str>,
    ca: Option<&str>,
    keep: impl AsyncFnOnce(&str) -> Result<()>,
) -> Result<Prepared> {
    read(owner).context("MIGRATE_DATABASE_URL")?;
    let applied =
        migrations::run(owner).await.map_err(|error| anyhow!(error).context("the schema could not be migrated"))?;
    let (url, password, is_new) = match url {
        Some(url) => (url.to_owned(), password_of(url)?, false),
        None => {
            let password = password()?;
            (way_in(owner, &password)?, password, true)
        }
    };
    let client = connect(owner, ca).await.context("as the owner")?;
    if is_new {
        keep(&url).await.context("the new DATABASE_URL cannot be kept")?;
    }
    // The server writes the sentence, so that no password needs quoting here; it takes no parameters itself.
    let alter = "select format('alter role inkflow_app login password %L', $1)";
    let sentence: String = client.query_typed(alter, &[(&password, Type::TEXT)]).await?[0].get(0);
    client.batch_execute(&sentence).await.context("setting the password of inkflow_app")?;
    let mut refused = None;
    for pause in TRIES {
        tokio::time::sleep(pause).await;
        match connect(&url, ca).await {
            Ok(client) => {
                let role: String = client.query_typed("select current_user::text", &[]).await?[0].get(0);
                ensure!(role == ROLE, "DATABASE_URL leads in as {role}, not as {ROLE}");
                return Ok(Prepared { applied, is_new, refused: None });
            }
            Err(error) => refused = Some(error),
        }
    }
    Ok(Prepared { applied, is_new, refused })
}

/// Whether a text can be the functions' `DATABASE_URL`: one that names server, user and password.
pub fn check(url: &str) -> Result<()> {
    let config = read(url)?;
    ensure!(
        !config.get_hosts().is_empty() && config.get_user().is_some() && config.get_password().is_some(),
        "it must name a server, a user and a password: make database makes it"
    );
    Ok(())
}

/// The functions' URL, from the owner's. On Supabase: its transaction pooler instead of the session pooler.
fn way_in(owner: &str, password: &str) -> Result<String> {
    let config = read(owner)?;
    let (scheme, rest) = owner.split_once("://").context("MIGRATE_DATABASE_URL is no postgres:// URL")?;
    let (_, server) = rest.rsplit_once('@').context("MIGRATE_DATABASE_URL names no user")?;
    let host = match config.get_hosts() {
        [Host::Tcp(host)] => host.as_str(),
        _ => bail!("MIGRATE_DATABASE_URL must name one host"),
    };
    if host.ends_with(".supabase.co") {
        bail!(
            "{host} is Supabase's direct connection, which has IPv6 only and no pooler. Take the Session pooler \
             (Supabase, Connect): MIGRATE_DATABASE_URL='postgres://postgres.<project>:…@aws-….pooler.supabase.com:5432/postgres?sslmode=require'"
        );
    }
    let user = config.get_user().unwrap_or_default();
    if !host.ends_with(".pooler.supabase.com") {
        return Ok(format!("{scheme}://{ROLE}:{password}@{server}"));
    }
    let (_, project) = user.split_once('.').context("the user of Supabase's pooler is postgres.<project>")?;
    ensure!(server.contains(":5432"), "MIGRATE_DATABASE_URL must be the Session pooler, port 5432");
    let server = server.replacen(":5432", ":6543", 1);
    let tls = match (server.contains("sslmode="), server.contains('?')) {
        (true, _) => "",
        (false, true) => "&sslmode=require",
        (false, false) => "?sslmode=require",
    };
    Ok(format!("{scheme}://{ROLE}.{project}:{password}@{server}{tls}"))
}

/// Reads a URL as strictly as psql does, which the runbook uses too.
fn read(url: &str) -> Result<Config> {
    let login = url.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@')).map_or("", |(login, _)| login);
    let password = login.split_once(':').map_or("", |(_, password)| password);
    let config = if password.contains(['@', ':', '/', '?', '#']) { None } else { url.parse().ok() };
    config.context(
        "it is no postgres:// URL. A password with @ : / ? # or % in it is written percent-encoded: @ is %40, : is %3A, \
         / is %2F, ? is %3F, # is %23, % is %25",
    )
}

fn password_of(url: &str) -> Result<String> {
    let config = read(url).context("DATABASE_URL")?;
    let password = config.get_password().context("DATABASE_URL has no password")?;
    Ok(String::from_utf8(password.to_vec())?)
}

fn password() -> Result<String> {
    let mut bytes = [0u8; 24];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("the system gives no random bytes"))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Connects, with the certificate authority of a project that has its own.
///
/// # Errors
/// The URL cannot be read, or the database does not answer.
pub async fn connect(url: &str, ca: Option<&str>) -> Result<Client> {
    let config = read(url)?;
    let tls = net::database_tls(ca)?;
    let connecting = config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls));
    let (client, connection) =
        tokio::time::timeout(Duration::from_secs(15), connecting).await.context("it does not answer")??;
    tokio::spawn(connection);
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_go_through_the_transaction_pooler_of_supabase() {
        let owner =
            "postgres://postgres.abcdef:s%40crt@aws-1-eu-west-3.pooler.supabase.com:5432/postgres?sslmode=require";
        let expected =
            "postgres://inkflow_app.abcdef:pw@aws-1-eu-west-3.pooler.supabase.com:6543/postgres?sslmode=require";
        assert_eq!(way_in(owner, "pw").expect("a URL"), expected);
        assert_eq!(way_in(owner.split('?').next().expect("it"), "pw").expect("a URL"), expected, "never without TLS");
    }

    #[test]
    fn elsewhere_the_functions_take_the_same_way_as_the_owner() {
        let url = way_in("postgresql://owner:x@db.example:5433/ink?sslmode=require", "pw").expect("a URL");
        assert_eq!(url, "postgresql://inkflow_app:pw@db.example:5433/ink?sslmode=require");
    }

    #[test]
    fn a_url_that_leads_nowhere_is_refused_with_what_to_write_instead() {
        let direct = way_in("postgres://postgres:x@db.abcdef.supabase.co:5432/postgres", "pw").expect_err("IPv6 only");
        assert!(direct.to_string().contains("Session pooler"), "{direct}");
        let pooled = way_in("postgres://postgres.abcdef:x@aws-0-eu-west-3.pooler.supabase.com:6543/postgres", "pw");
        assert!(pooled.is_err_and(|error| error.to_string().contains("5432")), "migrations need a session");
        let typed = way_in("postgres://postgres.abcdef:pa/ss@aws-0.pooler.supabase.com:5432/postgres", "pw")
            .expect_err("a slash");
        assert!(typed.to_string().contains("percent-encoded"), "{typed}");
    }
}
