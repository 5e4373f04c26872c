//! How the platform is started: by `make dev`, as the environment says, or by a test.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;
use uuid::Uuid;

/// The key that the stand-in for Supabase takes.
pub(super) const STAND_IN_KEY: &str = "sb_publishable_standin";

/// The settings a person may give `make dev` through the environment, with what they are otherwise.
///
/// The limits are generous: somebody who tries things out is not an attack.
pub(super) const SETTINGS: &[(&str, &str)] = &[
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
    pub url: String,
    pub publishable_key: String,
    /// Its legacy secret, when it still signs with that.
    pub jwt_secret: Option<String>,
}

/// How to reach the real Stripe.
#[derive(Clone, Debug)]
pub struct RealStripe {
    /// A key that begins with `sk_test_` or `rk_test_`.
    pub secret_key: String,
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

    /// Takes the port of the site.
    ///
    /// # Errors
    /// It is taken; the words say how to choose another one.
    pub async fn listen(&self) -> Result<TcpListener> {
        listen(self.port.unwrap_or(0)).await
    }
}

/// The checkout we are called in, or else the one this was compiled in.
///
/// Clones may share a target folder, so that the program may have been compiled in another one.
pub fn checkout() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let root = here.ancestors().find(|folder| folder.join("infra/routes.json").is_file());
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.or_else(|| crate_folder.ancestors().nth(2)).unwrap_or(crate_folder).to_owned()
}

/// The folder of the program that runs, which is the folder of the functions too.
fn compiled_beside_us() -> Result<PathBuf> {
    let us = std::env::current_exe()?;
    let folder = us.parent().context("a program without a folder")?;
    let inner = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    Ok(if inner { folder.parent().unwrap_or(folder).to_owned() } else { folder.to_owned() })
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
