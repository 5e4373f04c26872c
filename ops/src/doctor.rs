//! Every setting of a deployed environment, looked at from outside: what is wrong, and what to do about it.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::config::Secret;
use shared::stripe::{API_VERSION, EVENTS, PROBE, PROBE_HEADER, parse_webhook_secrets};
use shared::vault::Vault;
use shared::{aws, net};
use tokio_postgres::{Client, SimpleQueryMessage};
use uuid::Uuid;

use crate::environment::Environment;
use crate::sealed::{self, Survey};
use crate::secrets::{STRIPE_WEBHOOK_SECRETS, SUPABASE_SECRET_KEY};

mod lost;
mod told;

/// How long one question may take.
const BOUND: Duration = Duration::from_secs(15);

/// The largest difference of clocks that no signature notices: Stripe allows five minutes, AWS too.
const CLOCK_TOLERANCE: i64 = 60;

/// How long Stripe itself keeps the old secret of an endpoint that is rotated, at most.
const ROTATION: SignedDuration = SignedDuration::from_hours(24);

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and an operator should know.
    Notice,
    /// Something does not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub said: String,
    /// What to do, where there is something to do.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Good => "ok    ",
            Verdict::Notice => "note  ",
            Verdict::Bad => "WRONG ",
        };
        write!(f, "{word} {}: {}", self.what, self.said)?;
        if self.advice.is_empty() { Ok(()) } else { write!(f, "\n         -> {}", self.advice) }
    }
}

/// Collects the findings of one subject.
struct Report {
    what: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    fn on(what: &'static str) -> Self {
        Self { what, findings: Vec::new() }
    }

    fn add(&mut self, verdict: Verdict, said: impl Into<String>, advice: impl Into<String>) {
        self.findings.push(Finding { what: self.what, verdict, said: said.into(), advice: advice.into() });
    }

    fn good(&mut self, said: impl Into<String>) {
        self.add(Verdict::Good, said, "");
    }

    fn bad(&mut self, said: impl Into<String>, advice: impl Into<String>) {
        self.add(Verdict::Bad, said, advice);
    }

    fn notice(&mut self, said: impl Into<String>, advice: impl Into<String>) {
        self.add(Verdict::Notice, said, advice);
    }
}

/// Looks at everything. With `mend`, a Stripe endpoint that is missing is made.
pub async fn examine(environment: &Environment, mend: bool) -> Vec<Finding> {
    let secrets = secrets(environment);
    #[expect(clippy::disallowed_methods, reason = "how far back to look is counted from the real time")]
    let now = Timestamp::now();
    let beside = Box::pin(async {
        tokio::join!(
            told::alarms(environment),
            told::concurrency(environment),
            told::postage(environment),
            lost::payments(environment, now),
        )
    });
    let (cache, database, accounts, stripe, calcom, mail, queue, site, beside) = tokio::join!(
        cache(environment),
        database(environment),
        accounts(environment),
        stripe(environment, mend),
        calcom(environment),
        mail(environment),
        queue(environment),
        site(environment),
        beside,
    );
    let (alarms, concurrency, postage, lost) = beside;
    [site, cache, secrets, database, accounts, stripe, lost, calcom, mail, postage, queue, concurrency, alarms]
        .into_iter()
        .flatten()
        .collect()
}

/// An error in words, without the addresses and the secrets that might be in it.
fn why(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "it does not answer in time"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "its answer broke off or cannot be read"
    }
}

// --- The site and the clock ---------------------------------------------------------------------------------------------

async fn site(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("site");
    let url = &environment.outputs.site_url;
    let get = |path: &str| environment.http.get(format!("{url}{path}")).timeout(BOUND);
    match get("/").send().await {
        Err(error) => {
            report.bad(format!("{url}: {}", why(&error)), "CloudFront takes some minutes after the first deploy; then DNS: make output NAME=dns_records says where the name must lead");
            return report.findings;
        }
        Ok(answer) => {
            if let Some(apart) = answer.headers().get("date").and_then(|date| seconds_apart(date.to_str().ok()?)) {
                if apart > CLOCK_TOLERANCE {
                    report.bad(
                        format!("this machine's clock is {apart} s away from the site's"),
                        "signatures of AWS and Stripe are true for minutes: set the clock (NTP)",
                    );
                } else {
                    report.good("the clocks agree");
                }
            }
            let has_policy = answer.headers().contains_key("content-security-policy");
            if answer.status() != 200 {
                report.bad(
                    format!("the home page answers {}", answer.status().as_u16()),
                    "make deploy: was the site uploaded?",
                );
            } else if !has_policy {
                report.bad(
                    "the home page comes without its security headers",
                    "something else than our CloudFront answers at this name",
                );
            } else {
                report.good(format!("{url} stands, with its security headers"));
            }
        }
    }
    match get("/api/artists/nobody-at-all").send().await {
        Ok(answer) if answer.status() == 404 && is_problem(&answer) => report.good("the API answers behind the same name"),
        Ok(answer) if answer.status() == 403 => report.bad("the API answers 403", "CloudFront may not call the functions: both permissions (InvokeFunctionUrl, InvokeFunction) must be there; make deploy"),
        Ok(answer) => report.bad(format!("the API answers {} where 404 is right", answer.status().as_u16()), "look into the log of artist-page: /aws/lambda/…-artist-page"),
        Err(error) => report.bad(format!("the API: {}", why(&error)), "look into the log of artist-page"),
    }
    let preflight = |origin: &str| {
        environment
            .http
            .request(reqwest::Method::OPTIONS, format!("{url}/api/bookings/create"))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .timeout(BOUND)
    };
    let allowed = |answer: &reqwest::Response| answer.headers().contains_key("access-control-allow-origin");
    let mut origins: Vec<&str> =
        environment.setting("CORS_ORIGINS").split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
    origins.push("https://stranger.invalid");
    for origin in origins {
        match (preflight(origin).send().await.map(|answer| allowed(&answer)), origin == "https://stranger.invalid") {
            (Ok(false), true) => report.good("pages of strangers may not call the API"),
            (Ok(true), false) => report.good(format!("{origin} may call the API")),
            (Ok(true), true) => report.bad(
                "a stranger's page may call the API",
                "only the functions may set CORS headers: look for another layer that does",
            ),
            (Ok(false), false) => report.bad(
                format!("{origin} is in CORS_ORIGINS and may not call the API"),
                "exact origins, without a slash at the end; then make deploy",
            ),
            (Err(error), _) => {
                report.bad(format!("a preflight: {}", why(&error)), "look into the log of create-booking")
            }
        }
    }
    report.findings
}

fn is_problem(answer: &reqwest::Response) -> bool {
    answer.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"))
}

fn seconds_apart(date: &str) -> Option<i64> {
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    #[expect(clippy::disallowed_methods, reason = "the machine's own clock is what is looked at")]
    let here = Timestamp::now();
    Some((here.as_second() - there.as_second()).abs())
}

// --- The secrets --------------------------------------------------------------------------------------------------------

fn secrets(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("secrets");
    let newer = |name: &&String| {
        let deployed = environment.outputs.secret_versions.get(*name);
        environment.secrets.get(*name).zip(deployed).is_some_and(|(secret, deployed)| secret.version != *deployed)
    };
    let newer: Vec<&str> = environment.outputs.secrets.iter().filter(newer).map(String::as_str).collect();
    let lacking: Vec<&str> = environment
        .outputs
        .secrets
        .iter()
        .filter(|name| !environment.secrets.contains_key(*name))
        .map(String::as_str)
        .collect();
    if !lacking.is_empty() {
        report.bad(
            format!("SSM has no {}", lacking.join(", ")),
            "DATABASE_URL: make database; ENCRYPTION_KEY and STRIPE_WEBHOOK_SECRETS: make deploy; the others: make secret NAME=…",
        );
    } else if newer.is_empty() {
        report.good("the functions were started with those that SSM has");
    }
    if !newer.is_empty() {
        report.bad(
            format!("{} was changed after the last deploy", newer.join(", ")),
            "some functions run with the old one and some with the new one: make deploy",
        );
    }
    report.findings
}

// --- The cache before it ------------------------------------------------------------------------------------------------

/// Whether what one visitor was told is told to the next one. An answer of ours carries the request's own id, so that two visitors
/// with the same id had one answer between them.
async fn cache(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("cache");
    let url = &environment.outputs.site_url;
    // An error, which CloudFront keeps for ten seconds unless it is told otherwise; and an answer that is somebody's own.
    let missing = format!("/api/bookings/{}", Uuid::now_v7());
    for (path, what) in [(missing.as_str(), "an error"), ("/api/session", "who is signed in")] {
        let ask = async || {
            let answer = environment.http.get(format!("{url}{path}")).timeout(BOUND).send().await?;
            let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
            Ok::<_, reqwest::Error>((id, answer.headers().contains_key("age")))
        };
        match (ask().await, ask().await) {
            (Ok((Some(first), _)), Ok((Some(second), old))) if first == second || old => report.bad(
                format!("two visitors got one answer: {what} is kept"),
                "one artist's answer is every artist's: make deploy, and let nothing else before the site (the DNS provider's proxy) keep what is under /api/",
            ),
            (Ok((Some(_), _)), Ok((Some(_), _))) => report.good(format!("{what} is told to nobody else")),
            (Ok(_), Ok(_)) => report.notice(
                format!("{what}: whether it is kept cannot be told, for the answer has no x-request-id"),
                "something else than our functions answers: look at what is said of the site",
            ),
            (Err(error), _) | (_, Err(error)) => {
                report.notice(format!("{what}: {}", why(&error)), "look at what is said of the site")
            }
        }
    }
    report.findings
}

// --- The database -------------------------------------------------------------------------------------------------------

async fn database(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("database");
    let url = environment.secret("DATABASE_URL");
    if url.is_empty() {
        report.bad("there is no DATABASE_URL in SSM", "make database, make deploy");
        return report.findings;
    }
    let ca = Some(environment.setting("DATABASE_CA")).filter(|ca| !ca.is_empty());
    let client = match connect(url, ca).await {
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

    let role = "select current_user, (select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user)";
    match row(&client, role).await {
        Ok(row) if row[1] == "f" && row[0] == "inkflow_app" => {
            report.good("as inkflow_app, a role without privileges of its own")
        }
        Ok(row) => report.bad(
            format!("the functions are {}, who may do more than they need", row[0]),
            "DATABASE_URL must name inkflow_app: docs/deploy.md, step 3",
        ),
        Err(why) => report.bad(format!("the role cannot be read: {why}"), ""),
    }
    let rights = "select coalesce(string_agg(t || ' ' || p, ', '), '') from (values ('artists','select'),('bookings','insert'),('bookings','update'),\
        ('outbox','insert'),('payments','insert'),('stripe_events','insert'),('rate_limits','delete')) as wanted (t, p) \
        where to_regclass('public.' || t) is null or not has_table_privilege('public.' || t, p)";
    match row(&client, rights).await {
        Ok(row) if row[0].is_empty() => report.good("it may do what it must"),
        Ok(row) => {
            report.bad(format!("it may not: {}", row[0]), "the schema is not migrated: make migrate, or make deploy")
        }
        Err(why) => report.bad(format!("its rights cannot be read: {why}"), "make migrate"),
    }
    let open = "select coalesce(string_agg(relname, ', '), '') from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and not relrowsecurity";
    match row(&client, open).await {
        Ok(row) if row[0].is_empty() => report.good("every table has row level security"),
        Ok(row) => report.bad(
            format!("without row level security: {}", row[0]),
            "Supabase's API can read these tables: make migrate; tables of yours belong into another schema",
        ),
        Err(why) => report.bad(format!("row level security cannot be read: {why}"), ""),
    }
    match row(&client, &lost_promises()).await {
        Ok(row) if row[0].is_empty() => report.good("it keeps every rule that the schema promises by name"),
        Ok(row) => report.bad(
            format!("the database has lost or switched off: {}", row[0]),
            "nothing refuses a second booking, or a second payment, while these are missing, and make migrate makes no applied \
             migration again: as the owner, run the statement of migrations/sql that names each (grep -rn); after a restore, do \
             the restore again, infra/README.md, \"Restore\"",
        ),
        Err(why) => report.bad(format!("its constraints cannot be read: {why}"), "make migrate"),
    }
    // As the functions see them; a week is as long as anybody would look into one.
    let doubtful = "select count(*) filter (where status = 'unknown'), count(*) filter (where status = 'withheld') \
        from email_deliveries where created_at > now() - interval '7 days'";
    match row(&client, doubtful).await {
        Ok(row) if row[0] == "0" && row[1] == "0" => report.good("every mail of this week was sent or refused"),
        Ok(row) => report.notice(
            format!("of this week's mails {} may have arrived or not, and {} were held back", row[0], row[1]),
            "infra/README.md, \"mail-in-doubt\" and \"mails-withheld\"",
        ),
        Err(why) => report.bad(format!("the mails cannot be read: {why}"), "make migrate"),
    }
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
    report.findings
}

/// Asks for those promises of the schema that the database does not keep, or keeps for new rows only.
fn lost_promises() -> String {
    let promises = migrations::promises();
    let wanted: Vec<String> =
        promises.iter().map(|one| format!("('{}','{}','{}')", one.kind, one.table, one.name)).collect();
    format!(
        "select coalesce(string_agg(kind || ' ' || name, ', ' order by name), '') from (values {}) as wanted (kind, tab, name) \
         where not case kind \
         when 'constraint' then exists (select from pg_constraint where conname = name and convalidated and conrelid = to_regclass('public.' || tab)) \
         when 'index' then exists (select from pg_index where indexrelid = to_regclass('public.' || name) and indisvalid) \
         else exists (select from pg_trigger where tgname = name and tgenabled in ('O', 'A') and tgrelid = to_regclass('public.' || tab)) end",
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
async fn connect(url: &str, ca: Option<&str>) -> Result<Client, String> {
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

// --- Accounts (Supabase Auth) -------------------------------------------------------------------------------------------

async fn accounts(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("accounts");
    let base = environment.setting("SUPABASE_URL").trim_end_matches('/');
    if base.is_empty() {
        report.bad(
            "SUPABASE_URL is not set",
            "settings in the environment's .tfvars: Supabase, Project settings, Data API",
        );
        return report.findings;
    }
    let get = |path: &str| {
        environment
            .http
            .get(format!("{base}/auth/v1{path}"))
            .header("apikey", environment.setting("SUPABASE_PUBLISHABLE_KEY"))
            .timeout(BOUND)
    };
    match get("/.well-known/jwks.json").send().await {
        Err(error) => {
            report.bad(format!("Supabase Auth: {}", why(&error)), "is SUPABASE_URL right, and the project not paused?")
        }
        Ok(answer) => {
            let keys: Value = answer.json().await.unwrap_or_default();
            let keys = keys["keys"].as_array().map(Vec::len).unwrap_or_default();
            match (keys, environment.secret("SUPABASE_JWT_SECRET").is_empty()) {
                (0, true) => report.bad("the project publishes no key for its tokens, so that nobody can sign in", "Supabase, JWT keys: migrate to asymmetric keys; or set supabase_jwt_secret = true and SUPABASE_JWT_SECRET"),
                (_, false) => report.notice(
                    "only tokens signed with the old shared secret are accepted",
                    "Supabase, JWT keys: migrate to asymmetric keys; then no SUPABASE_JWT_SECRET and supabase_jwt_secret = false",
                ),
                (keys, _) => report.good(format!("tokens can be checked with {keys} published keys")),
            }
        }
    }
    match get("/settings").send().await {
        Ok(answer) if answer.status() == 200 => {
            report.good("the publishable key is accepted");
            let sign_up = environment.setting("SIGN_UP");
            how_accounts_are_opened(&answer.json().await.unwrap_or_default(), sign_up, &mut report);
        }
        Ok(answer) if answer.status() == 401 => report
            .bad("the publishable key is refused", "SUPABASE_PUBLISHABLE_KEY: Supabase, Project settings, API keys"),
        Ok(answer) => {
            report.bad(format!("Supabase Auth answers {}", answer.status().as_u16()), "look at the project's status")
        }
        Err(error) => report.bad(format!("Supabase Auth: {}", why(&error)), "is SUPABASE_URL right?"),
    }
    whom_the_project_counts(environment, &mut report);
    mails_of_the_project(environment, base, &mut report).await;
    report.findings
}

/// Whether Supabase is told who asks, so that it can count each visitor by themselves.
fn whom_the_project_counts(environment: &Environment, report: &mut Report) {
    if is_told_who_asks(environment) {
        report.good("Supabase is told whom the site serves");
    } else {
        report.notice(
            "SUPABASE_SECRET_KEY is not set, so that Supabase counts all visitors as one: strangers from four or five networks can use \
             up what all have, and then nobody signs in or gets a link in a new browser for the rest of the hour",
            format!(
                "{FORWARDING}, with a secret key (Project settings, API keys): supabase_secret_key = true in the environment's .tfvars, \
                 make secret NAME=SUPABASE_SECRET_KEY, make deploy"
            ),
        );
    }
}

/// Where it is switched on that Supabase believes whom it is told.
const FORWARDING: &str = "Supabase, Authentication, Rate Limits, IP address forwarding: on";

fn is_told_who_asks(environment: &Environment) -> bool {
    environment.outputs.secrets.iter().any(|name| name == SUPABASE_SECRET_KEY)
}

/// What `/auth/v1/settings` tells everybody of the project.
fn how_accounts_are_opened(settings: &Value, sign_up: &str, report: &mut Report) {
    if settings["external"]["email"] == json!(false) {
        report.bad(
            "the project lets nobody in by an e-mail address",
            "Supabase, Authentication, Sign In / Providers: Email on",
        );
    }
    let sign_up = if sign_up.is_empty() { "closed" } else { sign_up };
    match (sign_up, settings["disable_signup"].as_bool()) {
        ("closed", Some(true)) => report.good("no account is opened by strangers, here or at Supabase"),
        ("closed", Some(false)) => report.notice(
            "SIGN_UP is closed, and Supabase opens an account for whoever asks it directly; it has no page here",
            "Supabase, Authentication, Sign In / Providers, Allow new users to sign up: off",
        ),
        (sign_up, Some(true)) => report.bad(
            format!("SIGN_UP is {sign_up}, and Supabase opens no account for anybody"),
            "Supabase, Authentication, Sign In / Providers, Allow new users to sign up: on; or SIGN_UP = \"closed\" and make deploy",
        ),
        ("invited", Some(false)) => report.good("whom you invite (make artist) may open an account and a page"),
        (_, Some(false)) => report.notice(
            "anybody may open an account and a page under your name",
            "settings = { SIGN_UP = \"invited\" } in the environment's .tfvars, and make artist for each of yours",
        ),
        (_, None) => report.notice("the project does not say whether anybody may open an account", "look by hand"),
    }
    if settings["mailer_autoconfirm"] == json!(true) {
        report.bad(
            "an account needs no confirmation by mail",
            "anybody can open one in somebody else's name and have its mails sent there: Supabase, Authentication, Sign In / Providers, Email, Confirm email: on",
        );
    }
}

/// Where the mails of the project lead, and who sends them: only its owner may ask.
async fn mails_of_the_project(environment: &Environment, base: &str, report: &mut Report) {
    const LINK: &str = "{{ .SiteURL }}/dashboard?token_hash={{ .TokenHash }}&type=email";
    let site = &environment.outputs.site_url;
    let Some(management) = &environment.supabase else {
        report.notice(
            "where its mails lead, and who sends them, was not looked at",
            format!(
                "look by hand: Supabase, Authentication, URL Configuration: Site URL is {site}; Emails, Confirm sign up and Magic \
                 link: both lead to {LINK}; SMTP Settings: a server of yours, for the built-in one writes to the project's team \
                 only. Or give SUPABASE_ACCESS_TOKEN (supabase.com/dashboard/account/tokens) in .env.<env>"
            ),
        );
        return;
    };
    let project = base.split("://").nth(1).and_then(|host| host.split('.').next()).unwrap_or_default();
    let asked = environment
        .http
        .get(format!("{}/v1/projects/{project}/config/auth", management.base))
        .bearer_auth(management.token.expose())
        .timeout(BOUND);
    let config: Value = match asked.send().await {
        Ok(answer) if answer.status().is_success() => answer.json().await.unwrap_or_default(),
        Ok(answer) => {
            report.bad(
                format!("Supabase's Management API answers {} for {project}", answer.status().as_u16()),
                "SUPABASE_ACCESS_TOKEN: supabase.com/dashboard/account/tokens, of somebody who may administer this project",
            );
            return;
        }
        Err(error) => {
            report.bad(format!("Supabase's Management API: {}", why(&error)), "try again, or look by hand");
            return;
        }
    };
    let told = |name: &str| config[name].as_str().unwrap_or_default();
    if told("site_url").trim_end_matches('/') == site.trim_end_matches('/') {
        report.good("its links begin with the site");
    } else {
        report.bad(
            format!("the links of its mails begin with {}, not with {site}", told("site_url")),
            format!("Supabase, Authentication, URL Configuration: Site URL is {site}"),
        );
    }
    for (name, template) in [
        ("mailer_templates_confirmation_content", "Confirm sign up"),
        ("mailer_templates_magic_link_content", "Magic link"),
    ] {
        let plain: String = told(name).replace("&amp;", "&").split_whitespace().collect();
        if plain.contains(&LINK.replace(' ', "")) {
            report.good(format!("the mail \"{template}\" leads to the dashboard"));
        } else {
            report.bad(
                format!("the mail \"{template}\" does not lead to the dashboard: whoever follows it is not signed in"),
                format!("Supabase, Authentication, Emails, {template}: <a href=\"{LINK}\">"),
            );
        }
    }
    if told("smtp_host").is_empty() {
        report.bad(
            "its mails go through the built-in sender, which writes to the project's team only",
            "Supabase, Authentication, Emails, SMTP Settings: SES's own (docs/deploy.md, step 8)",
        );
    } else {
        report.good(format!("its mails go through {}", told("smtp_host")));
    }
    if is_told_who_asks(environment) && config["security_sb_forwarded_for_enabled"] == json!(false) {
        report.bad(
            "Supabase is told whom the site serves and does not believe it: it counts all visitors as one, and one alone can use up \
             what all have",
            FORWARDING,
        );
    }
}

// --- Stripe -------------------------------------------------------------------------------------------------------------

#[derive(Deserialize)]
struct Endpoints {
    data: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    id: String,
    url: String,
    enabled_events: Vec<String>,
    api_version: Option<String>,
    status: String,
    secret: Option<String>,
}

async fn stripe(environment: &Environment, mend: bool) -> Vec<Finding> {
    let mut report = Report::on("stripe");
    let key = environment.secret("STRIPE_SECRET_KEY");
    let live = key.contains("_live_");
    match (["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix)), live) {
        (false, _) => {
            report.bad("STRIPE_SECRET_KEY is not a secret key", "Stripe, Developers, API keys: sk_… or rk_…");
            return report.findings;
        }
        (true, true) => report.good("a live key: clients pay with real money"),
        (true, false) => report.notice(
            "a test key: nobody is charged",
            "for real payments: the live key, its own webhook endpoint and secret",
        ),
    }
    if environment.setting("STRIPE_LIVE") != live.to_string() {
        report.bad(
            "the webhook takes the events of the other mode than the key's: it ignores every payment",
            "the key was changed between test and live: make deploy",
        );
    }
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let list = environment
        .http
        .get(format!("{base}/v1/webhook_endpoints?limit=100"))
        .bearer_auth(key)
        .header("stripe-version", API_VERSION)
        .timeout(BOUND);
    let answer = match list.send().await {
        Ok(answer) => answer,
        Err(error) => {
            report.bad(format!("Stripe: {}", why(&error)), "https://status.stripe.com");
            return report.findings;
        }
    };
    if answer.status() == 401 || answer.status() == 403 {
        report.bad("Stripe refuses the key", "was it rolled? Then make secret NAME=STRIPE_SECRET_KEY, make deploy; a restricted key must also read webhook endpoints");
        return report.findings;
    }
    let Some(wanted) = environment.outputs.webhook_urls.get("/api/webhooks/stripe") else {
        report.bad("no webhook address is deployed", "make deploy");
        return report.findings;
    };
    let Ok(Endpoints { data: endpoints }) = answer.json().await else {
        report.bad("Stripe's list of endpoints cannot be read", "https://status.stripe.com");
        return report.findings;
    };
    report.good("the key is accepted");
    if key.starts_with("rk_") {
        rights(&mut report, environment).await;
    }
    let endpoint = endpoints.iter().find(|endpoint| endpoint.url == *wanted);
    match endpoint {
        Some(endpoint) => endpoint_is_ours(&mut report, endpoint),
        None if mend => {
            create_endpoint(&mut report, environment, wanted).await;
            return report.findings;
        }
        None => report.bad(
            format!("no webhook endpoint leads to {wanted}"),
            "make doctor MEND=1 makes it and keeps its secret; or Stripe, Developers, Webhooks",
        ),
    }
    let secrets = secrets_of_the_webhook(&mut report, environment, endpoint.is_some());
    webhook_believes(&mut report, environment, wanted, live, &secrets).await;
    report.findings
}

/// What the webhook is to believe: whole, and no more of it than a rotation needs. A secret that is forgotten there stays a
/// key to every booking.
fn secrets_of_the_webhook(report: &mut Report, environment: &Environment, there_is_an_endpoint: bool) -> Vec<Secret> {
    const REPLACE: &str = "Stripe, Developers, Webhooks, the endpoint, Signing secret: make secret NAME=STRIPE_WEBHOOK_SECRETS, \
                           make deploy";
    const DROP: &str = "make secret NAME=STRIPE_WEBHOOK_SECRETS DROP_OLD=1, make deploy";
    let secrets = match parse_webhook_secrets(environment.secret(STRIPE_WEBHOOK_SECRETS)) {
        Ok(secrets) => secrets,
        Err(why) => {
            report.bad(format!("STRIPE_WEBHOOK_SECRETS cannot stand: {why}"), REPLACE);
            return Vec::new();
        }
    };
    match secrets.len() {
        0 => report.bad(
            "the webhook believes no event yet: STRIPE_WEBHOOK_SECRETS is none",
            if there_is_an_endpoint {
                REPLACE
            } else {
                "make doctor MEND=1 makes the endpoint, and with it its secret"
            },
        ),
        2 => {
            #[expect(clippy::disallowed_methods, reason = "SSM has told the time by the same clock")]
            let now = Timestamp::now();
            let written = environment.secrets.get(STRIPE_WEBHOOK_SECRETS).map_or(now, |parameter| parameter.written);
            if now.duration_since(written) > ROTATION {
                report.bad(
                    "the webhook still believes an old secret beside the new one, longer than Stripe itself does",
                    format!("whoever knows the old one confirms bookings unpaid: {DROP}"),
                );
            } else {
                report.notice(
                    "the webhook believes two secrets, as long as Stripe's own is rotated",
                    format!("within 24 hours: {DROP}"),
                );
            }
        }
        _ => {}
    }
    secrets
}

/// What a restricted key may not do would only show when a client pays, or when money is owed. Reading is asked here, because
/// it changes nothing; whoever may write may read.
async fn rights(report: &mut Report, environment: &Environment) {
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let mut missing = Vec::new();
    for (right, path) in
        [("Checkout Sessions", "checkout/sessions"), ("Charges and Refunds", "refunds"), ("Events", "events")]
    {
        let ask = environment.http.get(format!("{base}/v1/{path}?limit=1"));
        let ask = ask.bearer_auth(environment.secret("STRIPE_SECRET_KEY")).header("stripe-version", API_VERSION);
        match ask.timeout(BOUND).send().await {
            Ok(answer) if answer.status() == 403 => missing.push(right),
            Ok(answer) if answer.status() == 200 => {}
            Ok(answer) => {
                report.notice(format!("Stripe answers {} about {right}", answer.status().as_u16()), "try again")
            }
            Err(error) => report.notice(format!("Stripe, about {right}: {}", why(&error)), "try again"),
        }
    }
    if missing.is_empty() {
        report.good("the restricted key may read what we read");
    } else {
        report.bad(
            format!("the restricted key has no right to {}", missing.join(", ")),
            "Stripe, Developers, API keys, the key: its rights are listed in infra/README.md, \"Secrets\"",
        );
    }
}

fn endpoint_is_ours(report: &mut Report, endpoint: &Endpoint) {
    let ours: BTreeSet<&str> = EVENTS.into();
    let theirs: BTreeSet<&str> = endpoint.enabled_events.iter().map(String::as_str).collect();
    let edit = "Stripe, Developers, Webhooks: edit the endpoint";
    if endpoint.status != "enabled" {
        report.bad(
            format!("the webhook endpoint {} is {}", endpoint.id, endpoint.status),
            "Stripe switches it off when it fails for days: look at the alarms, then enable it",
        );
    }
    if theirs.contains("*") {
        report.notice("the webhook endpoint is sent every event", edit);
    } else if let Some(missing) = ours.difference(&theirs).next() {
        report.bad(
            format!("the webhook endpoint is not sent {missing} (and perhaps others)"),
            format!("{edit} and choose: {}", EVENTS.join(", ")),
        );
    } else if theirs != ours {
        report.notice(
            "the webhook endpoint is sent events that nobody reads",
            format!("{edit} and choose only: {}", EVENTS.join(", ")),
        );
    } else {
        report.good("the webhook endpoint is sent exactly what we read");
    }
    if endpoint.api_version.as_deref() == Some(API_VERSION) {
        report.good(format!("in our version, {API_VERSION}"));
    } else {
        report.bad(
            format!(
                "the webhook endpoint's API version is {}, not {API_VERSION}",
                endpoint.api_version.as_deref().unwrap_or("the account's default")
            ),
            "the version of an endpoint cannot be changed: delete it, make doctor MEND=1, make deploy",
        );
    }
}

async fn create_endpoint(report: &mut Report, environment: &Environment, url: &str) {
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let mut form = vec![("url", url), ("api_version", API_VERSION), ("description", "InkFlow")];
    form.extend(EVENTS.map(|event| ("enabled_events[]", event)));
    let post = environment
        .http
        .post(format!("{base}/v1/webhook_endpoints"))
        .bearer_auth(environment.secret("STRIPE_SECRET_KEY"));
    match post.header("stripe-version", API_VERSION).form(&form).timeout(BOUND).send().await {
        Ok(answer) if answer.status() == 200 => {
            let endpoint = answer.json::<Endpoint>().await.ok();
            let secret = endpoint.as_ref().and_then(|endpoint| endpoint.secret.as_deref()).unwrap_or_default();
            // Stripe tells it once. It goes where it is kept, and on no screen and into no log.
            match keep(environment, secret).await {
                Ok(()) => report.notice(
                    "the webhook endpoint was made, and its signing secret is in SSM",
                    "make deploy: the functions do not know it yet",
                ),
                Err(why) => {
                    report.bad(
                        format!("the webhook endpoint was made, its signing secret could not be kept: {why:#}"),
                        "the endpoint was deleted again: may you call ssm:PutParameter? Then make doctor MEND=1",
                    );
                    let id = endpoint.map(|endpoint| endpoint.id).unwrap_or_default();
                    let delete = environment.http.delete(format!("{base}/v1/webhook_endpoints/{id}"));
                    let key = environment.secret("STRIPE_SECRET_KEY");
                    if !delete.bearer_auth(key).timeout(BOUND).send().await.is_ok_and(|answer| answer.status() == 200) {
                        report.bad(
                            format!("the webhook endpoint {id} is left over"),
                            "Stripe, Developers, Webhooks: delete it",
                        );
                    }
                }
            }
        }
        Ok(answer) => report.bad(
            format!("Stripe answers {} to the making of a webhook endpoint", answer.status().as_u16()),
            "a restricted key must be allowed to write webhook endpoints; or make it by hand",
        ),
        Err(error) => report.bad(format!("Stripe: {}", why(&error)), ""),
    }
}

/// Puts the secret of a new endpoint in front of the one that is believed now, if there is one.
async fn keep(environment: &Environment, secret: &str) -> anyhow::Result<()> {
    parse_webhook_secrets(secret)?;
    let there = parse_webhook_secrets(environment.secret(STRIPE_WEBHOOK_SECRETS)).unwrap_or_default();
    let both = match there.first() {
        None => secret.to_owned(),
        Some(there) => format!("{secret},{}", there.expose()),
    };
    environment.shelf().put(STRIPE_WEBHOOK_SECRETS, &both, true).await.map(drop)
}

/// Sends two events: one with no signature, and one that is signed with our secret, of the other mode, so that it is read
/// and nothing is done about it.
async fn webhook_believes(report: &mut Report, environment: &Environment, url: &str, live: bool, secrets: &[Secret]) {
    #[expect(clippy::disallowed_methods, reason = "a signature is true at the time of its making")]
    let now = Timestamp::now().as_second();
    let sign = |secret: &str, what: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{now}.{what}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={now},v1={hex}")
    };
    // By this the function knows the doctor, and no alarm is raised by its looking.
    let first = secrets.first().map(Secret::expose).unwrap_or_default();
    let probe = sign(first, PROBE);
    let post = |body: String, signature: String| {
        environment
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .header(PROBE_HEADER, &probe)
            .body(body)
            .timeout(BOUND)
    };
    match post("{}".into(), String::new()).send().await {
        Ok(answer) if answer.status() == 401 => {
            report.good("the webhook can be reached, and believes nobody without a signature")
        }
        Ok(answer) if answer.status() == 403 => {
            report.bad("the webhook's URL answers 403 to everybody", "a public function URL needs InvokeFunctionUrl and InvokeFunction for everybody: make deploy; does the account forbid public functions?");
            return;
        }
        Ok(answer) => {
            report.bad(
                format!("the webhook answers {} to an event without a signature", answer.status().as_u16()),
                "look into the log of stripe-webhook",
            );
            return;
        }
        Err(error) => {
            report.bad(format!("the webhook {url}: {}", why(&error)), "make deploy");
            return;
        }
    }
    let id = format!("evt_doctor_{}", Uuid::now_v7().simple());
    let event = json!({
        "id": id, "object": "event", "type": "inkflow.doctor", "livemode": !live, "created": now,
        "api_version": API_VERSION, "data": { "object": {} },
    })
    .to_string();
    for secret in secrets {
        let shown: String = secret.expose().chars().take(9).collect();
        match post(event.clone(), sign(secret.expose(), &event)).send().await {
            Ok(answer) if answer.status() == 200 => report.good(format!("the webhook believes what {shown}… signs")),
            Ok(answer) => report.bad(
                format!("the webhook answers {} to what {shown}… signs", answer.status().as_u16()),
                "the functions still run with older secrets: make deploy",
            ),
            Err(error) => report.bad(format!("the webhook: {}", why(&error)), ""),
        }
    }
}

// --- Cal.com ------------------------------------------------------------------------------------------------------------

async fn calcom(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("cal.com");
    let vault = match Vault::new(&Secret::new(environment.secret("ENCRYPTION_KEY").to_owned())) {
        Ok(vault) => vault,
        Err(_) => {
            report.bad(
                "ENCRYPTION_KEY is not 32 bytes in base64",
                "make secret NAME=ENCRYPTION_KEY RESTORE=1: only the one that sealed the artists' keys opens them",
            );
            return report.findings;
        }
    };
    let ca = Some(environment.setting("DATABASE_CA")).filter(|ca| !ca.is_empty());
    // What the database has to say is told above.
    let Ok(client) = connect(environment.secret("DATABASE_URL"), ca).await else { return report.findings };
    match sealed::survey(&client, Some(&vault)).await {
        Err(_) => report.bad("what is sealed cannot be read", "make migrate"),
        Ok(survey) => what_is_sealed(&mut report, &survey, vault.is_rotated()),
    }
    let artists = "select id::text, slug, encode(cal_com_api_key, 'hex') from artists where cal_com_api_key is not null order by slug";
    let Ok(rows) = client.simple_query(artists).await else { return report.findings };
    let base = environment.setting("CALCOM_API_BASE").trim_end_matches('/');
    let mut artists = 0;
    for message in rows {
        let SimpleQueryMessage::Row(row) = message else { continue };
        artists += 1;
        let (id, slug, sealed) =
            (row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default(), row.get(2).unwrap_or_default());
        let sealed: Vec<u8> = (0..sealed.len() / 2)
            .filter_map(|at| u8::from_str_radix(sealed.get(2 * at..2 * at + 2)?, 16).ok())
            .collect();
        // What does not open is told above.
        let Ok(key) = vault.open(id.parse().unwrap_or_default(), &sealed) else { continue };
        let me = environment
            .http
            .get(format!("{base}/v2/me"))
            .bearer_auth(key.expose())
            .header("cal-api-version", "2024-06-14")
            .timeout(BOUND);
        match me.send().await {
            Ok(answer) if answer.status() == 200 => report.good(format!("{slug}'s key is accepted")),
            Ok(answer) if answer.status() == 401 => report.bad(
                format!("Cal.com refuses {slug}'s key"),
                "the artist enters a new one in the dashboard: Cal.com, Settings, Developer, API keys",
            ),
            Ok(answer) => {
                report.bad(format!("Cal.com answers {} for {slug}", answer.status().as_u16()), "https://status.cal.com")
            }
            Err(error) => {
                report.bad(format!("Cal.com: {}", why(&error)), "is CALCOM_API_BASE right?");
                break;
            }
        }
    }
    if artists == 0 {
        report.good("no artist uses it");
    }
    report.findings
}

/// Whether everything opens, and how far a new key has come.
fn what_is_sealed(report: &mut Report, survey: &Survey, is_rotated: bool) {
    let sealed = survey.current + survey.older;
    if !survey.closed.is_empty() {
        report.bad(
            format!("ENCRYPTION_KEY does not open {}", survey.closed.join(", ")),
            "it is not the one that sealed them: make secret NAME=ENCRYPTION_KEY RESTORE=1, or the artist enters the key again",
        );
    } else if sealed > 0 {
        report.good(format!("the {sealed} sealed values of the artists open"));
    }
    match (is_rotated, survey.older) {
        (true, 0) if survey.closed.is_empty() => report.notice(
            "nothing needs the old ENCRYPTION_KEY any more",
            "make secret NAME=ENCRYPTION_KEY DROP_OLD=1, make deploy",
        ),
        (true, older) if older > 0 => {
            report
                .notice(format!("{older} sealed values still need the old ENCRYPTION_KEY"), "make deploy, make reseal");
        }
        _ => {}
    }
}

// --- Mail ---------------------------------------------------------------------------------------------------------------

async fn mail(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("mail");
    let ses = environment.ses();
    let domain = &environment.outputs.mail_domain;
    match ses.get_email_identity().email_identity(domain).send().await {
        Ok(identity) if identity.verified_for_sending_status() => report.good(format!("SES may send for {domain}")),
        Ok(_) => report.bad(
            format!("SES has not verified {domain}"),
            "enter the DNS records (make output NAME=dns_records), then wait up to 72 h",
        ),
        Err(_) => report.bad(format!("SES does not know {domain}"), "make deploy; may you call ses:GetEmailIdentity?"),
    }
    match ses.get_account().send().await {
        Ok(account) if !account.sending_enabled() => report.bad(
            "AWS has stopped the sending of this account",
            "SES, Account dashboard: bounces or complaints; answer AWS's case",
        ),
        Ok(account) if !account.production_access_enabled() => {
            report.bad(
                "SES is in its sandbox: it writes to verified addresses only",
                "SES, Account dashboard, Request production access; a day or so",
            );
        }
        Ok(account) => {
            let quota = account.send_quota();
            let (most, sent) = quota.map_or((0.0, 0.0), |quota| (quota.max24_hour_send(), quota.sent_last24_hours()));
            if most > 0.0 && sent > 0.8 * most {
                report.notice(
                    format!("{sent} of {most} mails of a day are sent"),
                    "SES, Account dashboard, Request a limit increase",
                );
            } else {
                report.good("SES writes to everybody");
            }
        }
        Err(_) => report.bad("SES does not tell how the account is", "may you call ses:GetAccount?"),
    }
    let set = environment.setting("MAIL_CONFIGURATION_SET");
    match ses.get_configuration_set_event_destinations().configuration_set_name(set).send().await {
        Ok(told) if told.event_destinations().iter().any(aws_sdk_sesv2::types::EventDestination::enabled) => {
            report.good("bounces and complaints are reported")
        }
        Ok(_) => report.bad("nobody is told of bounces and complaints", "make deploy"),
        Err(_) => report.bad(format!("SES has no configuration set {set}"), "make deploy"),
    }
    report.findings
}

// --- The queue ----------------------------------------------------------------------------------------------------------

async fn queue(environment: &Environment) -> Vec<Finding> {
    let mut report = Report::on("queue");
    let sqs = environment.sqs();
    let attributes = async |name: &str| {
        let url = environment.outputs.queues.get(name)?;
        let all = sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(aws_sdk_sqs::types::QueueAttributeName::All)
            .send()
            .await
            .ok()?;
        let told = all.attributes()?.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone()));
        Some(told.collect::<std::collections::HashMap<String, String>>())
    };
    let (Some(jobs), Some(dead)) = (attributes("jobs").await, attributes("jobs-dead").await) else {
        report.bad(
            "the queue of jobs or its dead letters cannot be read",
            "make deploy; may you call sqs:GetQueueAttributes?",
        );
        return report.findings;
    };
    let arn = |of: &std::collections::HashMap<String, String>| of.get("QueueArn").cloned().unwrap_or_default();
    let redrive: Value =
        jobs.get("RedrivePolicy").and_then(|policy| serde_json::from_str(policy).ok()).unwrap_or_default();
    if redrive["deadLetterTargetArn"] == json!(arn(&dead)) {
        report.good("what fails too often becomes a dead letter");
    } else {
        report.bad("the queue does not lead to its dead letters", "make deploy");
    }
    for name in ["jobs-dead", "images-dead"] {
        let letters =
            attributes(name).await.and_then(|told| told.get("ApproximateNumberOfMessages")?.parse::<u64>().ok());
        match letters {
            Some(0) => report.good(format!("no dead letters in {name}")),
            Some(letters) => report.bad(
                format!("{letters} dead letters in {name}"),
                "infra/README.md, \"jobs-dead-letters\": mend the cause, then make redrive",
            ),
            None => report.bad(format!("{name} cannot be read"), "make deploy"),
        }
    }
    let base = environment
        .endpoint
        .clone()
        .unwrap_or_else(|| format!("https://lambda.{}.amazonaws.com", environment.outputs.region));
    let worker = environment.outputs.functions.get("worker").map(String::as_str).unwrap_or_default();
    let url = format!("{base}/2015-03-31/event-source-mappings/?FunctionName={worker}%3Alive");
    let request = aws::signed(
        &environment.credentials,
        &environment.outputs.region,
        "lambda",
        http::Method::GET,
        &url,
        &[],
        Vec::new(),
    );
    let mapped: Value = match reqwest::Request::try_from(request).map(|request| environment.http.execute(request)) {
        Ok(asked) => match asked.await {
            Ok(answer) => answer.json().await.unwrap_or_default(),
            Err(_) => Value::Null,
        },
        Err(_) => Value::Null,
    };
    let mappings = mapped["EventSourceMappings"].as_array().map(Vec::as_slice).unwrap_or_default();
    match mappings.iter().find(|mapping| mapping["EventSourceArn"] == json!(arn(&jobs))) {
        None => report.bad(
            "nothing leads from the queue to the worker",
            "make deploy; may you call lambda:ListEventSourceMappings?",
        ),
        Some(mapping)
            if !["Enabled", "Creating", "Enabling", "Updating"]
                .contains(&mapping["State"].as_str().unwrap_or_default()) =>
        {
            report.bad(
                format!("the way from the queue to the worker is {}", mapping["State"]),
                "somebody switched it off: make deploy switches it on",
            );
        }
        Some(mapping) if mapping["FunctionResponseTypes"] != json!(["ReportBatchItemFailures"]) => {
            report.bad("one bad job repeats the nine good ones beside it", "make deploy");
        }
        Some(_) => report.good("the worker reads it, job by job"),
    }
    report.findings
}
