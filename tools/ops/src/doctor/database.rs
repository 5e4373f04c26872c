//! The database, as the functions see it, and its migrations, as its owner does.

use shared::net;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::finding::{BOUND, Finding, Report};
use crate::environment::Environment;

pub(super) async fn examine(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("database");
    let url = environment.secret("DATABASE_URL");
    if url.is_empty() {
        report.bad("there is no DATABASE_URL in SSM", "make database, make deploy");
        return report.findings;
    }
    let client = match connected(environment).await {
        Ok(client) => client,
        Err(why) => {
            report.bad(format!("the functions cannot connect: {why}"), "DATABASE_URL is Supabase's transaction pooler, port 6543, user inkflow_app.<project>; DATABASE_CA its certificate");
            return report.findings;
        }
    };
    if url.contains(".supabase.co") && !url.contains(":6543/") {
        report.notice(
            "DATABASE_URL is not the transaction pooler",
            "every sandbox then takes a connection of its own: use port 6543",
        );
    }
    if !["127.0.0.1", "localhost"].iter().any(|near| url.contains(near)) && !url.contains("sslmode=require") {
        report.notice("DATABASE_URL accepts a connection without TLS", "append ?sslmode=require");
    }
    report.good("the functions can connect");
    what_the_role_may(&mut report, &client).await;
    what_the_schema_keeps(&mut report, &client).await;
    mails_in_doubt(&mut report, &client).await;
    migrations_of(&mut report, environment).await;
    report.findings
}

async fn what_the_role_may(report: &mut Report, client: &Client) {
    let role = "select current_user, (select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user)";
    match row(client, role).await {
        Ok(row) if row[1] == "f" && row[0] == "inkflow_app" => {
            report.good("as inkflow_app, a role without privileges of its own")
        }
        Ok(row) => report.bad(
            format!("the functions are {}, who may do more than they need", row[0]),
            "DATABASE_URL must name inkflow_app: docs/deploy.md, step 3",
        ),
        Err(why) => report.bad(format!("the role cannot be read: {why}"), ""),
    }
    let rights = r"select coalesce(string_agg(t || ' ' || p, ', '), '')
        from (values ('artists','select'),('bookings','insert'),('bookings','update'),
        ('outbox','insert'),('payments','insert'),('stripe_events','insert'),('rate_limits','delete')) as wanted (t, p)
        where to_regclass('public.' || t) is null or not has_table_privilege('public.' || t, p)";
    match row(client, rights).await {
        Ok(row) if row[0].is_empty() => report.good("it may do what it must"),
        Ok(row) => {
            report.bad(format!("it may not: {}", row[0]), "the schema is not migrated: make migrate, or make deploy")
        }
        Err(why) => report.bad(format!("its rights cannot be read: {why}"), "make migrate"),
    }
}

async fn what_the_schema_keeps(report: &mut Report, client: &Client) {
    let open = "select coalesce(string_agg(relname, ', '), '') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity";
    match row(client, open).await {
        Ok(row) if row[0].is_empty() => report.good("every table has row level security"),
        Ok(row) => report.bad(
            format!("without row level security: {}", row[0]),
            "Supabase's API can read these tables: make migrate; tables of yours belong into another schema",
        ),
        Err(why) => report.bad(format!("row level security cannot be read: {why}"), ""),
    }
    match row(client, &lost_promises()).await {
        Ok(row) if row[0].is_empty() => report.good("it keeps every rule that the schema promises by name"),
        Ok(row) => report.bad(
            format!("the database has lost or switched off: {}", row[0]),
            "nothing refuses a second booking, or a second payment, while these are missing, and make migrate makes no applied \
             migration again: as the owner, run the statement of migrations/sql that names each (grep -rn); after a restore, do \
             the restore again, infra/README.md, \"Restore\"",
        ),
        Err(why) => report.bad(format!("its constraints cannot be read: {why}"), "make migrate"),
    }
}

async fn mails_in_doubt(report: &mut Report, client: &Client) {
    // As the functions see them; a week is as long as anybody would look into one.
    let doubtful = r"select count(*) filter (where status = 'unknown'), count(*) filter (where status = 'withheld')
        from email_deliveries where created_at > now() - interval '7 days'";
    match row(client, doubtful).await {
        Ok(row) if row[0] == "0" && row[1] == "0" => report.good("every mail of this week was sent or refused"),
        Ok(row) => report.notice(
            format!("of this week's mails {} may have arrived or not, and {} were held back", row[0], row[1]),
            "infra/README.md, \"mail-in-doubt\" and \"mails-withheld\"",
        ),
        Err(why) => report.bad(format!("the mails cannot be read: {why}"), "make migrate"),
    }
}

async fn migrations_of(report: &mut Report, environment: &Environment) {
    match &environment.owner_database_url {
        None => report.notice(
            "whether a migration is missing was not looked at",
            "give MIGRATE_DATABASE_URL, the owner's connection, in .env.<env>",
        ),
        Some(owner) => match migrations::missing(owner).await {
            Ok(missing) if missing.is_empty() => report.good("every migration is applied"),
            Ok(missing) => report.bad(format!("not applied: {}", missing.join(", ")), "make migrate, or make deploy"),
            Err(_) => report.bad(
                "the owner cannot connect or may not read the list of migrations",
                "MIGRATE_DATABASE_URL is Supabase's direct connection or session pooler, port 5432, user postgres",
            ),
        },
    }
}

/// Asks for those promises of the schema that the database does not keep, or keeps for new rows only.
fn lost_promises() -> String {
    let promises = migrations::promises();
    let wanted: Vec<String> =
        promises.iter().map(|one| format!("('{}','{}','{}')", one.kind, one.table, one.name)).collect();
    format!(
        r"select coalesce(string_agg(kind || ' ' || name, ', ' order by name), '')
         from (values {}) as wanted (kind, tab, name)
         where not case kind
             when 'constraint' then exists (select from pg_constraint
                 where conname = name and convalidated and conrelid = to_regclass('public.' || tab))
             when 'index' then exists (select from pg_index
                 where indexrelid = to_regclass('public.' || name) and indisvalid)
             else exists (select from pg_trigger
                 where tgname = name and tgenabled in ('O', 'A') and tgrelid = to_regclass('public.' || tab))
         end",
        wanted.join(",")
    )
}

async fn row(client: &Client, sql: &str) -> Result<Vec<String>, String> {
    let rows =
        tokio::time::timeout(BOUND, client.simple_query(sql)).await.map_err(|_| "it takes too long".to_owned())?;
    let rows = rows.map_err(|error| error.code().map_or("the connection broke", |code| code.code()).to_owned())?;
    let first = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
        }
        _ => None,
    });
    first.ok_or_else(|| "no answer".to_owned())
}

/// Connects as the functions do: with their roots, and TLS where the URL asks for it.
pub(super) async fn connected(environment: &Environment) -> Result<Client, String> {
    let url = environment.secret("DATABASE_URL");
    let ca = Some(environment.setting("DATABASE_CA")).filter(|ca| !ca.is_empty());
    let config: tokio_postgres::Config = url.parse().map_err(|_| "it is no postgres:// URL".to_owned())?;
    let tls = net::database_tls(ca).map_err(|error| error.to_string())?;
    let connecting = config.connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls));
    match tokio::time::timeout(BOUND, connecting).await {
        Err(_) => Err("it does not answer".to_owned()),
        Ok(Err(error)) => {
            Err(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()))
        }
        Ok(Ok((client, connection))) => {
            tokio::spawn(connection);
            Ok(client)
        }
    }
}
