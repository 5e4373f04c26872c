//! Starts everything together and stops it again: `make dev` with data that stay, the stories with data of their own.
//!
//! It wires parts and holds no behaviour of theirs.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use axum::Router;
use axum::extract::Request;
use axum::response::{Html, IntoResponse, Response};
use axum::serve::ListenerExt;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{StatusCode, header};
use jiff::Timestamp;
use jiff::civil::Weekday;
use nix::sys::signal::Signal;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::process::Command;
use tower::ServiceExt as _;
use tracing::{info, warn};
use uuid::Uuid;

use crate::aws::{self, MailGate, Ministack, Queues, Sqs, SqsGate};
use crate::gateway;
use crate::host::{self, FunctionSpec, Host};
use crate::postgres::{self, Postgres, Purpose, free_port, is_free};
use crate::queue::{self, EventSource};
use crate::schedule::Schedule;
use crate::uploads::{self, Uploads};
use crate::{calcom, control, demo, process, stripe, supabase};

/// The role the functions connect as; the migrations create it without a login.
pub const APP_ROLE: &str = "inkflow_app";

const DATABASE: &str = "inkflow";
const SENDER_DOMAIN: &str = "inkflow.example";
const STAND_IN_KEY: &str = "sb_publishable_standin";

/// The settings a person may give `make dev` through the environment, with what they are otherwise.
///
/// The limits are generous: somebody who tries things out is not an attack.
const SETTINGS: &[(&str, &str)] = &[
    ("HOLD_MINUTES", "30"),
    ("RATE_LIMIT_BOOKINGS_PER_HOUR", "1000"),
    ("RATE_LIMIT_SIGN_INS_PER_HOUR", "1000"),
    ("SIGN_UP", "open"),
    ("MAX_HOLDS_PER_CLIENT", "100"),
    ("MAX_HOLDS_PER_ARTIST", "1000"),
    // A little longer than the worker may take: a killed one's job is taken up again soon.
    ("JOB_LEASE_SECONDS", "20"),
    ("JOB_MAX_ATTEMPTS", "8"),
    ("CORS_ORIGINS", ""),
    ("LOG_LEVEL", "info"),
];

/// How the platform is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// The checkout: routes, site and pages are read from it.
    pub root: PathBuf,
    /// Where data, logs and `dev.env` are kept.
    pub state: PathBuf,
    /// The port of the site; a free one when there is none, an error when it is taken.
    pub port: Option<u16>,
    /// Where the compiled functions are.
    pub binaries: PathBuf,
    /// Whether the functions are compiled first.
    pub build: bool,
    /// Whether the data are kept when it ends.
    pub keep: bool,
    /// Whether the functions' lines are printed.
    pub print: bool,
    /// A database to use instead of a private server: the URL of its owner.
    pub database_url: Option<String>,
    /// The database that a test's own database on that server is a copy of.
    pub template: Option<String>,
    /// A ministack to share instead of one of its own.
    pub ministack_url: Option<String>,
    /// How often the sweeper runs.
    pub sweep_every: Duration,
    /// Settings of the functions, over those of the platform.
    pub settings: Vec<(String, String)>,
    /// The real Stripe, in test mode, instead of the stand-in.
    pub real_stripe: Option<RealStripe>,
    /// The base of a real Cal.com's API and of its pages, instead of the stand-in.
    pub real_calcom: Option<(String, String)>,
    /// A real Supabase project for the accounts, instead of the stand-in.
    pub real_supabase: Option<RealSupabase>,
}

/// How to reach the accounts of a real Supabase project.
#[derive(Clone, Debug)]
pub struct RealSupabase {
    /// Its URL.
    pub url: String,
    /// Its publishable key.
    pub publishable_key: String,
    /// Its legacy secret, when it still signs with that.
    pub jwt_secret: Option<String>,
}

/// How to reach the real Stripe.
#[derive(Clone, Debug)]
pub struct RealStripe {
    /// A key that begins with `sk_test_` or `rk_test_`.
    pub secret_key: String,
    /// Where it answers.
    pub api_base: String,
    /// The secrets of its webhooks, comma separated.
    pub webhook_secrets: String,
}

impl Options {
    /// `make dev` in the checkout at `root`: as the environment says, data in `.inkflow`.
    ///
    /// # Errors
    /// A setting makes no sense, or a live key was given.
    pub fn for_dev(root: &Path) -> Result<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let port = match set("PORT") {
            None => 8080,
            Some(port) => port.parse().with_context(|| format!("PORT={port} is not a port number"))?,
        };
        let seconds = set("SWEEP_SECONDS").map_or(Ok(60), |text| text.parse()).context("SWEEP_SECONDS")?;
        let settings = SETTINGS.iter().filter_map(|(name, _)| set(name).map(|value| ((*name).to_owned(), value)));
        let real_stripe = match set("STRIPE_SECRET_KEY") {
            Some(key) if key.starts_with("sk_live_") || key.starts_with("rk_live_") => {
                bail!("STRIPE_SECRET_KEY is a live key: make dev takes test keys only, and nothing was started")
            }
            // The stand-in's own keys: what `.inkflow/dev.env` exports must not look like a wish for the real one.
            Some(key) if key.starts_with("sk_test_standin") || set("STRIPE_STAND_IN").is_some() => None,
            Some(key) => Some(RealStripe {
                secret_key: key,
                api_base: set("STRIPE_API_BASE").unwrap_or_else(|| "https://api.stripe.com".to_owned()),
                webhook_secrets: set("STRIPE_WEBHOOK_SECRETS").context(
                    "with a STRIPE_SECRET_KEY the real Stripe is used, and its webhooks need STRIPE_WEBHOOK_SECRETS \
                     (stripe listen --print-secret); STRIPE_STAND_IN=1 takes the stand-in all the same",
                )?,
            }),
            None => None,
        };
        let real_calcom = set("CALCOM_API_BASE")
            .map(|api| (api, set("CALCOM_WEB_BASE").unwrap_or_else(|| "https://cal.com".to_owned())));
        // `.inkflow/dev.env` exports the stand-in's own: that is no wish for a real one.
        let real_supabase = match (set("SUPABASE_URL"), set("SUPABASE_PUBLISHABLE_KEY")) {
            (Some(_), Some(key)) if key.starts_with(STAND_IN_KEY) => None,
            (Some(url), Some(publishable_key)) => {
                Some(RealSupabase { url, publishable_key, jwt_secret: set("SUPABASE_JWT_SECRET") })
            }
            (Some(_), None) => bail!("with a SUPABASE_URL the real one is used, and it needs SUPABASE_PUBLISHABLE_KEY"),
            (None, _) => None,
        };
        Ok(Self {
            root: root.to_owned(),
            state: root.join(".inkflow"),
            port: Some(port),
            binaries: compiled_beside_us()?,
            build: true,
            keep: true,
            print: true,
            database_url: set("DATABASE_URL"),
            template: None,
            ministack_url: None,
            sweep_every: Duration::from_secs(seconds),
            settings: settings.collect(),
            real_stripe,
            real_calcom,
            real_supabase,
        })
    }

    /// A story test: free ports, stand-ins, a folder of its own under the system's temporary one.
    ///
    /// Uses the services of `dev with-services` where they run; a test that stops Postgres or ministack takes
    /// [`Options::with_services_of_its_own`].
    ///
    /// # Errors
    /// The test does not know where it is.
    pub fn for_test() -> Result<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Ok(Self {
            root: checkout(),
            state: std::env::temp_dir().join(format!("inkflow-story-{}", Uuid::now_v7().simple())),
            port: None,
            binaries: compiled_beside_us()?,
            build: false,
            keep: false,
            print: false,
            database_url: set("TEST_DATABASE_URL"),
            template: set("TEST_TEMPLATE"),
            ministack_url: set("TEST_AWS_URL"),
            // A story sweeps when it says so.
            sweep_every: Duration::from_secs(24 * 3600),
            settings: Vec::new(),
            real_stripe: None,
            real_calcom: None,
            real_supabase: None,
        })
    }

    /// The same, with a Postgres and a ministack that it may stop.
    #[must_use]
    pub fn with_services_of_its_own(mut self) -> Self {
        self.database_url = None;
        self.ministack_url = None;
        self
    }
}

/// The checkout we are called in, or else the one this was compiled in.
///
/// Clones may share a target folder, so that the program may have been compiled in another one.
pub fn checkout() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("infra/routes.json").is_file());
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.or_else(|| crate_folder.parent()).unwrap_or(crate_folder).to_owned()
}

/// The folder of the program that runs, which is the folder of the functions too.
fn compiled_beside_us() -> Result<PathBuf> {
    let us = std::env::current_exe()?;
    let folder = us.parent().context("a program without a folder")?;
    let inner = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    Ok(if inner { folder.parent().unwrap_or(folder).to_owned() } else { folder.to_owned() })
}

/// Everything, running. Stop it with [`Platform::stop`]; dropping it kills what it has started.
pub struct Platform {
    parts: Arc<Parts>,
    server: tokio::task::JoinHandle<()>,
    _lock: File,
}

/// The parts, as the control API sees them.
pub(crate) struct Parts {
    pub(crate) options: Options,
    pub(crate) site: String,
    pub(crate) started: Timestamp,
    pub(crate) host: Host,
    pub(crate) schedule: Schedule,
    pub(crate) source: EventSource,
    pub(crate) postgres: Option<Postgres>,
    pub(crate) ministack: Option<Ministack>,
    pub(crate) sqs_gate: SqsGate,
    pub(crate) mail_gate: MailGate,
    pub(crate) stripe: Option<stripe::StandIn>,
    pub(crate) calcom: Option<calcom::StandIn>,
    pub(crate) supabase: Option<supabase::StandIn>,
    pub(crate) pictures: gateway::Pictures,
    _uploads: Uploads,
    pub(crate) queues: Queues,
    pub(crate) owner_url: String,
    pub(crate) app_url: String,
    pub(crate) encryption_key: String,
    pub(crate) function_env: Vec<(String, String)>,
    clock: Mutex<i64>,
}

/// What is made once and stays until RESET=1.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Secrets {
    postgres_password: String,
    app_password: String,
    encryption_key: String,
    stripe_secret_key: String,
    webhook_secret: String,
}

/// The ports of the last run: links in old mails and pay pages go on working.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Ports {
    stripe: Option<u16>,
    calcom: Option<u16>,
    supabase: Option<u16>,
    postgres: Option<u16>,
    ministack: Option<u16>,
    sqs: Option<u16>,
    mail: Option<u16>,
}

impl Platform {
    /// Starts everything, and returns when a booking could be made.
    ///
    /// # Errors
    /// The port is taken, another `make dev` runs in this checkout, or a part does not start. Whatever was started by
    /// then is stopped.
    pub async fn start(options: Options) -> Result<Self> {
        let throwaway = (!options.keep).then(|| options.state.clone());
        let started = Self::start_all(options).await;
        if let (Err(_), Some(state)) = (&started, throwaway) {
            let _ = fs::remove_dir_all(state);
        }
        started
    }

    async fn start_all(options: Options) -> Result<Self> {
        let begun = Instant::now();
        // First of all: a taken port must not leave anything behind.
        let listener = options.listen().await?;
        let site = format!("http://{}", listener.local_addr()?);
        fs::create_dir_all(&options.state).with_context(|| format!("creating {}", options.state.display()))?;
        let lock = sole_owner(&options.state)?;
        let _ = fs::remove_file(options.state.join("dev.env"));
        let secrets = Secrets::of(&options.state)?;
        let ports = Ports::of(&options);

        let front = Arc::new(OnceLock::new());
        let server = serve(listener, Arc::clone(&front));
        let services = async {
            tokio::try_join!(
                database(&options, &ports, &secrets),
                amazon(&options, &ports, &site),
                stripe_stand_in(&options, &ports, &secrets, &site),
                calcom_stand_in(&options, &ports, &site),
            )
        };
        let ((), (database, amazon, stripe, calcom)) = match tokio::try_join!(build(&options), services) {
            Ok(ready) => ready,
            Err(error) => {
                server.abort();
                return Err(error);
            }
        };
        // Its mails go to the inbox, so it comes after that.
        let supabase = match supabase_stand_in(&options, &ports, &amazon.mail_gate, &site).await {
            Ok(supabase) => supabase,
            Err(error) => {
                server.abort();
                return Err(error);
            }
        };
        let stand_ins = (stripe, calcom, supabase);
        let parts = match Parts::wire(options, site, &secrets, database, amazon, stand_ins).await {
            Ok(parts) => Arc::new(parts),
            Err(error) => {
                server.abort();
                return Err(error);
            }
        };
        parts.ports().keep(&parts.options.state)?;
        let this = Self { parts, server, _lock: lock };
        let _ = front.set(this.parts.front()?);
        if this.parts.options.keep {
            this.parts.write_env()?;
        }
        info!(seconds = %format!("{:.1}", begun.elapsed().as_secs_f64()), "everything is up");
        Ok(this)
    }

    /// The folder of its data and logs.
    pub fn state(&self) -> &Path {
        &self.parts.options.state
    }

    /// The origin of the site and of the API.
    pub fn site(&self) -> &str {
        &self.parts.site
    }

    /// The functions.
    pub fn host(&self) -> &Host {
        &self.parts.host
    }

    /// The inbox, and the switch of SES.
    pub fn mails(&self) -> &MailGate {
        &self.parts.mail_gate
    }

    /// The switch of the queue.
    pub fn queue(&self) -> &SqsGate {
        &self.parts.sqs_gate
    }

    /// The delivery of queue messages.
    pub fn source(&self) -> &EventSource {
        &self.parts.source
    }

    /// The queues, by their URLs.
    pub fn queues(&self) -> &Queues {
        &self.parts.queues
    }

    /// The Stripe stand-in, unless the real one is used.
    pub fn stripe(&self) -> Option<&stripe::StandIn> {
        self.parts.stripe.as_ref()
    }

    /// The Cal.com stand-in, unless the real one is used.
    pub fn calcom(&self) -> Option<&calcom::StandIn> {
        self.parts.calcom.as_ref()
    }

    /// The Supabase stand-in, unless the real one is used.
    pub fn supabase(&self) -> Option<&supabase::StandIn> {
        self.parts.supabase.as_ref()
    }

    /// The private server, unless a database was given.
    pub fn postgres(&self) -> Option<&Postgres> {
        self.parts.postgres.as_ref()
    }

    /// The private ministack, unless one was given.
    pub fn ministack(&self) -> Option<&Ministack> {
        self.parts.ministack.as_ref()
    }

    /// The URL of the database, for its owner.
    pub fn database_url(&self) -> &str {
        &self.parts.owner_url
    }

    /// The URL of the database, as the functions get it.
    pub fn app_database_url(&self) -> &str {
        &self.parts.app_url
    }

    /// The settings of the functions.
    pub fn function_env(&self) -> &[(String, String)] {
        &self.parts.function_env
    }

    /// Runs the sweeper once.
    pub async fn sweep(&self) -> Result<(), host::InvokeError> {
        self.parts.schedule.run_now().await.map(|_| ())
    }

    /// Moves the clock of the functions and of the stand-ins, in seconds from the machine's.
    pub fn set_clock(&self, shift_seconds: i64) {
        self.parts.set_clock(shift_seconds);
    }

    /// Stops everything, in order; data that are not kept are deleted.
    pub async fn stop(self) -> Result<()> {
        let parts = &self.parts;
        let _ = fs::remove_file(parts.options.state.join("dev.env"));
        self.server.abort();
        parts.source.stop();
        parts.host.stop().await;
        if let Some(ministack) = &parts.ministack {
            ministack.stop().await?;
        }
        match &parts.postgres {
            Some(postgres) => postgres.stop().await?,
            None if !parts.options.keep => drop_database(&parts.owner_url).await?,
            None => {}
        }
        if !parts.options.keep {
            Postgres::delete_data(&parts.options.state).await?;
        }
        Ok(())
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.server.abort();
        if !self.parts.options.keep {
            let _ = fs::remove_dir_all(&self.parts.options.state);
        }
    }
}

/// Deletes all that `make dev` keeps in `state`.
pub async fn reset(state: &Path) -> Result<()> {
    fs::create_dir_all(state)?;
    let _lock = sole_owner(state)?;
    Postgres::delete_data(state).await?;
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(&path)?;
        } else if path.file_name().is_some_and(|name| name != "lock") {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

struct Database {
    server: Option<Postgres>,
    owner_url: String,
    app_url: String,
}

type StandIns = (Option<stripe::StandIn>, Option<calcom::StandIn>, Option<supabase::StandIn>);

struct Amazon {
    ministack: Option<Ministack>,
    queues: Queues,
    sqs_gate: SqsGate,
    mail_gate: MailGate,
    s3: String,
    bucket: String,
    uploads: String,
}

impl Parts {
    async fn wire(
        options: Options,
        site: String,
        secrets: &Secrets,
        database: Database,
        amazon: Amazon,
        (stripe, calcom, supabase): StandIns,
    ) -> Result<Self> {
        let Amazon { ministack, queues, sqs_gate, mail_gate, s3, bucket, uploads } = amazon;
        let shift = fs::read_to_string(options.state.join("clock")).ok().and_then(|text| text.trim().parse().ok());
        let shift: i64 = shift.unwrap_or_default();
        let mut env: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| env.push((name.to_owned(), value.to_owned()));
        for (name, value) in SETTINGS {
            set(name, value);
        }
        set("DATABASE_URL", &database.app_url);
        set("PUBLIC_URL", &site);
        let assets = options.root.join("frontend/dist/assets.json");
        let assets = fs::read_to_string(&assets)
            .with_context(|| format!("{} is missing: run `make site` first", assets.display()))?;
        set("ASSETS", assets.trim());
        match (&stripe, &options.real_stripe) {
            (Some(stand_in), _) => {
                set("STRIPE_SECRET_KEY", &secrets.stripe_secret_key);
                set("STRIPE_API_BASE", &stand_in.url());
                set("STRIPE_WEBHOOK_SECRETS", &secrets.webhook_secret);
                set("STRIPE_LIVE", "false");
            }
            (None, Some(real)) => {
                set("STRIPE_SECRET_KEY", &real.secret_key);
                set("STRIPE_API_BASE", &real.api_base);
                set("STRIPE_WEBHOOK_SECRETS", &real.webhook_secrets);
                set("STRIPE_LIVE", "false");
            }
            (None, None) => bail!("neither Stripe nor its stand-in"),
        }
        match (&calcom, &options.real_calcom) {
            (Some(stand_in), _) => {
                set("CALCOM_API_BASE", &stand_in.url());
                set("CALCOM_WEB_BASE", &stand_in.url());
            }
            (None, Some((api, web))) => {
                set("CALCOM_API_BASE", api);
                set("CALCOM_WEB_BASE", web);
            }
            (None, None) => bail!("neither Cal.com nor its stand-in"),
        }
        match (&supabase, &options.real_supabase) {
            (Some(stand_in), _) => {
                set("SUPABASE_URL", &stand_in.url());
                set("SUPABASE_PUBLISHABLE_KEY", STAND_IN_KEY);
            }
            (None, Some(real)) => {
                set("SUPABASE_URL", &real.url);
                set("SUPABASE_PUBLISHABLE_KEY", &real.publishable_key);
                set("SUPABASE_JWT_SECRET", real.jwt_secret.as_deref().unwrap_or_default());
            }
            (None, None) => bail!("neither Supabase nor its stand-in"),
        }
        set("ENCRYPTION_KEY", &secrets.encryption_key);
        set("QUEUE_URL", &queues.jobs);
        set("AWS_ACCESS_KEY_ID", aws::ACCESS_KEY);
        set("AWS_SECRET_ACCESS_KEY", aws::ACCESS_KEY);
        set("AWS_ENDPOINT_URL_SQS", sqs_gate.url());
        set("AWS_ENDPOINT_URL_SESV2", mail_gate.url());
        set("AWS_ENDPOINT_URL_S3", &s3);
        set("IMAGES_BUCKET", &bucket);
        set("MAIL_FROM", &format!("InkFlow <bonjour@{SENDER_DOMAIN}>"));
        set("CLIENT_IP_HEADER", "cloudfront-viewer-address");
        for (name, value) in &options.settings {
            set(name, value);
        }
        let routes = gateway::Options::of_checkout(&options.root, String::new())?.routes;
        let mut names: Vec<&str> = routes.iter().map(|route| route.function.as_str()).collect();
        names.extend(["worker", "sweeper", uploads::FUNCTION]);
        names.sort_unstable();
        names.dedup();
        let functions = names
            .iter()
            .map(|name| FunctionSpec {
                name: (*name).to_owned(),
                binary: options.binaries.join(name),
                env: env.clone(),
                timeout: Duration::from_secs(match *name {
                    "sweeper" => 30,
                    uploads::FUNCTION => 60,
                    _ => 15,
                }),
                max_instances: if *name == "sweeper" { 1 } else { 10 },
            })
            .collect();
        let logs = options.state.join("logs");
        let host_options = host::Options { logs: Some(logs), print: options.print, ..host::Options::default() };
        let host = Host::start(functions, host_options).await.context("run `cargo build --workspace --bins`")?;
        if shift != 0 {
            host.set_overrides(&[("CLOCK_SHIFT_SECONDS".to_owned(), shift.to_string())]);
        }
        for name in &names {
            host.warm(name, 1).await.with_context(|| format!("starting {name}"))?;
        }
        let schedule = Schedule::start(host.clone(), "sweeper", options.sweep_every);
        let source = EventSource::start(queue::Options::new(sqs_gate.url(), &queues.jobs, "worker"), host.clone());
        let pictures = gateway::Pictures { address: format!("{s3}/{bucket}"), origin: s3.clone() };
        let uploads = Uploads::start(&s3, &uploads, host.clone());
        let this = Self {
            site,
            started: Timestamp::now(),
            host,
            schedule,
            source,
            postgres: database.server,
            ministack,
            sqs_gate,
            mail_gate,
            stripe,
            calcom,
            supabase,
            pictures,
            _uploads: uploads,
            queues,
            owner_url: database.owner_url,
            app_url: database.app_url,
            encryption_key: secrets.encryption_key.clone(),
            function_env: env,
            clock: Mutex::new(shift),
            options,
        };
        this.shift_stand_ins(shift);
        Ok(this)
    }

    fn front(self: &Arc<Self>) -> Result<Router> {
        let domain = self.site.trim_start_matches("http://").to_owned();
        let mut options = gateway::Options::of_checkout(&self.options.root, domain)?;
        options.pictures = Some(self.pictures.clone());
        let private = control::router(Arc::clone(self)).merge(self.mail_gate.pages()).merge(self.host.invoke_api());
        let private = private.layer(axum::middleware::from_fn(control::only_from_here));
        Ok(gateway::router(options, self.host.clone()).merge(private))
    }

    fn ports(&self) -> Ports {
        let port = |url: &str| url.rsplit(':').next().and_then(|port| port.parse().ok());
        Ports {
            stripe: self.stripe.as_ref().map(|stripe| stripe.addr().port()),
            calcom: self.calcom.as_ref().map(|calcom| calcom.addr().port()),
            supabase: self.supabase.as_ref().map(|supabase| supabase.addr().port()),
            postgres: self.postgres.as_ref().map(Postgres::port),
            ministack: self.ministack.as_ref().map(Ministack::port),
            sqs: port(self.sqs_gate.url()),
            mail: port(self.mail_gate.url()),
        }
    }

    pub(crate) fn clock(&self) -> i64 {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_clock(&self, shift_seconds: i64) {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner) = shift_seconds;
        // Holds made in the shifted time are in the database: the next start must not go back before them.
        let _ = fs::write(self.options.state.join("clock"), shift_seconds.to_string());
        self.shift_stand_ins(shift_seconds);
        self.host.set_overrides(&[("CLOCK_SHIFT_SECONDS".to_owned(), shift_seconds.to_string())]);
    }

    fn shift_stand_ins(&self, shift_seconds: i64) {
        if let Some(stripe) = &self.stripe {
            stripe.set_clock_shift_seconds(shift_seconds);
        }
        if let Some(calcom) = &self.calcom {
            calcom.set_clock_shift_seconds(shift_seconds);
        }
        if let Some(supabase) = &self.supabase {
            supabase.set_clock_shift_seconds(shift_seconds);
        }
    }

    /// Back to the demo data, without a restart.
    pub(crate) async fn start_over(&self) -> Result<()> {
        ensure!(
            self.postgres.is_some() || !self.options.keep,
            "this database is yours (DATABASE_URL): nothing in it is deleted from here"
        );
        self.source.pause().await;
        let purge = Sqs::at(self.sqs_gate.url());
        for queue in [&self.queues.jobs, &self.queues.dead_jobs] {
            purge.call("PurgeQueue", json!({ "QueueUrl": queue })).await?;
        }
        self.mail_gate.clear();
        if let Some(stripe) = &self.stripe {
            stripe.reset();
        }
        if let Some(calcom) = &self.calcom {
            calcom.reset();
        }
        if let Some(supabase) = &self.supabase {
            supabase.reset();
        }
        self.set_clock(0);
        let client = postgres::connect(&self.owner_url).await?;
        client
            .batch_execute(
                "do $$ declare t text; begin
                   for t in select tablename from pg_tables
                     where schemaname = 'public' and tablename <> 'refinery_schema_history'
                   loop execute format('truncate table public.%I cascade', t); end loop;
                 end $$",
            )
            .await?;
        let seeded = seed(&client, &self.encryption_key).await;
        self.source.resume();
        seeded
    }

    fn write_env(&self) -> Result<()> {
        let of_functions = |name: &str| self.function_env.iter().rev().find(|(key, _)| key == name);
        let mut lines = vec![
            ("SITE_URL", self.site.clone()),
            ("DATABASE_URL", self.owner_url.clone()),
            ("APP_DATABASE_URL", self.app_url.clone()),
            ("DEAD_LETTER_QUEUE_URL", self.queues.dead_jobs.clone()),
            ("MAILS_URL", format!("{}/dev/mails.json", self.site)),
            ("AWS_ENDPOINT_URL", self.sqs_gate.url().to_owned()),
            ("AWS_REGION", host::REGION.to_owned()),
            ("DEMO_ARTISTS", format!("{},{}", demo::LEA.slug, demo::NOA.slug)),
            ("DEMO_ACCOUNTS", format!("{},{}", demo::LEA.email, demo::NOA.email)),
            ("DEMO_PASSWORD", demo::PASSWORD.to_owned()),
        ];
        for name in [
            "PUBLIC_URL",
            "STRIPE_API_BASE",
            "STRIPE_SECRET_KEY",
            "STRIPE_WEBHOOK_SECRETS",
            "CALCOM_API_BASE",
            "CALCOM_WEB_BASE",
            "SUPABASE_URL",
            "SUPABASE_PUBLISHABLE_KEY",
            "ENCRYPTION_KEY",
            "QUEUE_URL",
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ENDPOINT_URL_SQS",
            "AWS_ENDPOINT_URL_SESV2",
            "AWS_ENDPOINT_URL_S3",
            "IMAGES_BUCKET",
        ] {
            if let Some((_, value)) = of_functions(name) {
                lines.push((name, value.clone()));
            }
        }
        if let Some(account) = &demo::NOA.calcom {
            lines.push(("DEMO_CALCOM_API_KEY", account.api_key.to_owned()));
        }
        let text: String = lines.into_iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        postgres::write_private(&self.options.state.join("dev.env"), &text)?;
        Ok(())
    }
}

impl Options {
    /// Takes the port of the site.
    ///
    /// # Errors
    /// It is taken; the words say how to choose another one.
    pub async fn listen(&self) -> Result<TcpListener> {
        listen(self.port.unwrap_or(0)).await
    }
}

async fn listen(port: u16) -> Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => anyhow::anyhow!(
            "port {port} is taken by another program; choose another one with PORT=<number>, for example: make dev PORT={}",
            port.checked_add(10).unwrap_or(8090)
        ),
        _ => anyhow::Error::new(error).context(format!("listening on port {port}")),
    })
}

/// Serves "starting" until the front is there.
fn serve(listener: TcpListener, front: Arc<OnceLock<Router>>) -> tokio::task::JoinHandle<()> {
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(move |request: Request| {
        let front = front.get().cloned();
        async move {
            match front {
                Some(front) => front.oneshot(request).await.into_response(),
                None => starting(),
            }
        }
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        let _ = axum::serve(listener, service).await;
    })
}

fn starting() -> Response {
    let page = "<!doctype html><html lang=fr><meta charset=utf-8><meta http-equiv=refresh content=1>\
                <title>InkFlow démarre</title><p>InkFlow démarre…</p>";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], Html(page)).into_response()
}

fn sole_owner(state: &Path) -> Result<File> {
    let path = state.join("lock");
    let mut file = File::options().create(true).read(true).write(true).truncate(false).open(&path)?;
    if file.try_lock().is_err() {
        let owner = fs::read_to_string(&path).unwrap_or_default();
        bail!("another make dev runs in this checkout (process {}): stop it first with Ctrl-C", owner.trim());
    }
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(file)
}

async fn build(options: &Options) -> Result<()> {
    if !options.build {
        return Ok(());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--workspace", "--bins"]).current_dir(&options.root).stdin(Stdio::null());
    if options.binaries.ends_with("release") {
        command.arg("--release");
    }
    // The functions must come out beside us, wherever that is.
    if let Some(target) = options.binaries.parent() {
        command.env("CARGO_TARGET_DIR", target);
    }
    let mut cargo = process::spawn(command, Signal::SIGTERM).await.context("starting cargo")?;
    let status = cargo.wait().await?;
    ensure!(status.success(), "the functions do not compile (see above)");
    Ok(())
}

async fn database(options: &Options, ports: &Ports, secrets: &Secrets) -> Result<Database> {
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

async fn seed(client: &tokio_postgres::Client, encryption_key: &str) -> Result<()> {
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

async fn drop_database(url: &str) -> Result<()> {
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

async fn amazon(options: &Options, ports: &Ports, site: &str) -> Result<Amazon> {
    let (ministack, url, suffix) = match &options.ministack_url {
        Some(url) => (None, url.clone(), format!("-{}", Uuid::now_v7().simple())),
        None => {
            let ministack = Ministack::start(&options.state, ports.ministack).await?;
            let url = ministack.url();
            info!(port = ministack.port(), "SQS, SES and S3 by ministack");
            (Some(ministack), url, String::new())
        }
    };
    let queues = aws::provide(&url, SENDER_DOMAIN, &suffix).await?;
    let sqs_gate = SqsGate::start(&url, ports.sqs).await?;
    let mail_gate = MailGate::start_with(&url, ports.mail, Some(options.state.join("mails.jsonl"))).await?;
    mail_gate.tell(aws::Sqs::at(sqs_gate.url()), queues.jobs.clone());
    let uploads = aws::provide_uploads(&url, &suffix).await?;
    let bucket = format!("{}{suffix}", aws::PICTURES);
    let told = uploads.rsplit('/').next().unwrap_or_default();
    aws::provide_bucket(&url, &bucket, site, Some(told)).await?;
    Ok(Amazon { ministack, queues, sqs_gate, mail_gate, s3: url, bucket, uploads })
}

async fn stripe_stand_in(
    options: &Options,
    ports: &Ports,
    secrets: &Secrets,
    site: &str,
) -> Result<Option<stripe::StandIn>> {
    if let Some(real) = &options.real_stripe {
        info!(api = real.api_base, "the real Stripe, in test mode");
        return Ok(None);
    }
    let stand_in = stripe::StandIn::start(stripe::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.stripe.unwrap_or(0)).into(),
        secret_key: secrets.stripe_secret_key.clone(),
        webhook_secret: secrets.webhook_secret.clone(),
        webhook_url: Some(format!("{site}/api/webhooks/stripe")),
        state_file: Some(options.state.join("stripe.json")),
        ..stripe::Options::default()
    })
    .await
    .context("the Stripe stand-in")?;
    info!(url = stand_in.url(), "a stand-in for Stripe: no card, no money");
    Ok(Some(stand_in))
}

async fn calcom_stand_in(options: &Options, ports: &Ports, site: &str) -> Result<Option<calcom::StandIn>> {
    if let Some((api, _)) = &options.real_calcom {
        info!(api, "the real Cal.com");
        return Ok(None);
    }
    let stand_in = calcom::StandIn::start(calcom::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.calcom.unwrap_or(0)).into(),
        users: [&demo::LEA, &demo::NOA].into_iter().filter_map(calendar_of).collect(),
        state_file: Some(options.state.join("calcom.json")),
        // As the real one; machines that play a day in a minute have no quota.
        rate_limit_per_minute: options.keep.then_some(120),
        ..calcom::Options::default()
    })
    .await
    .context("the Cal.com stand-in")?;
    for account in [&demo::LEA, &demo::NOA].into_iter().filter_map(|artist| artist.calcom.as_ref()) {
        let url = format!("{site}/api/webhooks/calcom");
        stand_in
            .subscribe(account.username, &url, Some(account.webhook_secret), &[])
            .map_err(|error| anyhow::anyhow!("subscribing to Cal.com: {error}"))?;
    }
    info!(url = stand_in.url(), "a stand-in for Cal.com");
    Ok(Some(stand_in))
}

async fn supabase_stand_in(
    options: &Options,
    ports: &Ports,
    mail_gate: &MailGate,
    site: &str,
) -> Result<Option<supabase::StandIn>> {
    if let Some(real) = &options.real_supabase {
        info!(url = real.url, "the accounts of a real Supabase project");
        return Ok(None);
    }
    let stand_in = supabase::StandIn::start(supabase::Options {
        addr: (Ipv4Addr::LOCALHOST, ports.supabase.unwrap_or(0)).into(),
        publishable_key: STAND_IN_KEY.to_owned(),
        users: [&demo::LEA, &demo::NOA].map(demo::Artist::account).to_vec(),
        site_url: site.to_owned(),
        inbox: Some(mail_gate.inbox()),
        state_file: Some(options.state.join("supabase.json")),
        ..supabase::Options::default()
    })
    .await
    .context("the Supabase stand-in")?;
    info!(url = stand_in.url(), "a stand-in for Supabase Auth");
    Ok(Some(stand_in))
}

/// The calendar of a demo artist who has one: narrower hours than the studio's own, and lengths for all that is offered.
fn calendar_of(artist: &demo::Artist) -> Option<calcom::User> {
    let account = artist.calcom.as_ref()?;
    let offered = artist.flashes.iter().map(|flash| flash.duration_minutes);
    let mut lengths = vec![u32::try_from(artist.project_duration_minutes).ok()?];
    for minutes in offered.filter_map(|minutes| u32::try_from(minutes).ok()) {
        if !lengths.contains(&minutes) {
            lengths.push(minutes);
        }
    }
    let days = [Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday, Weekday::Saturday];
    Some(calcom::User {
        username: account.username.to_owned(),
        name: artist.display_name.to_owned(),
        email: artist.email.to_owned(),
        api_key: account.api_key.to_owned(),
        time_zone: artist.timezone.to_owned(),
        hours: calcom::Hours::on(&days, "10:00", "18:30"),
        event_types: vec![calcom::EventType {
            id: u64::try_from(account.event_type_id).ok()?,
            lengths,
            // The artist's yes is InkFlow's payment: what is held shows as unconfirmed, and already takes the time.
            requires_confirmation: true,
            blocks_while_pending: true,
            minimum_notice_minutes: u32::try_from(artist.minimum_notice_minutes).ok()?,
            slot_interval_minutes: Some(30),
            location: artist.address.to_owned(),
            ..calcom::EventType::default()
        }],
    })
}

impl Secrets {
    fn of(state: &Path) -> Result<Self> {
        let path = state.join("secrets.json");
        if let Ok(kept) = fs::read(&path) {
            return serde_json::from_slice(&kept).with_context(|| format!("reading {}", path.display()));
        }
        let random = |bytes: &mut [u8]| {
            SystemRandom::new().fill(bytes).map_err(|_| anyhow::anyhow!("the system has no random numbers"))
        };
        let word = || {
            let mut bytes = [0; 16];
            random(&mut bytes)?;
            anyhow::Ok(gateway::hex(&bytes))
        };
        let mut key = [0; 32];
        random(&mut key)?;
        let this = Self {
            postgres_password: word()?,
            app_password: word()?,
            encryption_key: BASE64.encode(key),
            stripe_secret_key: format!("sk_test_standin{}", word()?),
            webhook_secret: format!("whsec_{}", word()?),
        };
        postgres::write_private(&path, &serde_json::to_string_pretty(&this)?)?;
        Ok(this)
    }
}

impl Ports {
    fn of(options: &Options) -> Self {
        if !options.keep {
            return Self::default();
        }
        let kept = fs::read(options.state.join("ports.json")).ok();
        let mut this: Self = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        // Beside the site's port, where a person finds them.
        this.stripe = this.stripe.or(options.port.and_then(|port| port.checked_add(1)));
        this.calcom = this.calcom.or(options.port.and_then(|port| port.checked_add(2)));
        this.supabase = this.supabase.or(options.port.and_then(|port| port.checked_add(3)));
        for port in [&mut this.stripe, &mut this.calcom, &mut this.supabase] {
            *port = port.filter(|port| is_free(*port)).or_else(|| free_port().ok());
        }
        this
    }

    fn keep(&self, state: &Path) -> Result<()> {
        fs::write(state.join("ports.json"), serde_json::to_vec_pretty(self)?)?;
        Ok(())
    }
}
