//! What surrounds the functions while they are measured.
//!
//! A private Postgres behind TLS and SCRAM as production's is, the local SQS and SES, and the stand-ins of Stripe and
//! Cal.com. All of it is `dev`'s; nothing here is measured.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dev::aws::{self, MailGate, Ministack, Queues, SqsGate};
use dev::postgres::{self, Postgres, Purpose, SUPERUSER};
use dev::{calcom, demo, platform, stripe};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use crate::lambda::Program;
use crate::line::Line;

/// What the name of an endpoint in Node.js ends with.
pub const PEER: &str = " in Node.js";

/// What follows the name of a function of another build.
pub const BEFORE: &str = " (before)";

/// The secret that signs the events of the bench.
pub const WEBHOOK_SECRET: &str = "whsec_Bench4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aB";
/// What the artists' tokens are signed with.
pub const JWT_SECRET: &str = "bench-bench-bench-bench-bench-bench-bench";
const STRIPE_KEY: &str = "sk_test_standin_bench";
const ENCRYPTION_KEY: &str = "aW5rZmxvdy1iZW5jaC1rZXktMzItYnl0ZXMtbG9uZyE=";
const PASSWORD: &str = "bench";
const DATABASE: &str = "inkflow";
/// The origin of the site, and the issuer of tokens.
pub const SITE: &str = "http://127.0.0.1:8080";

/// Everything that is not the function.
pub struct World {
    runtime: Runtime,
    root: PathBuf,
    folder: PathBuf,
    around: Surroundings,
    env: Vec<(String, String)>,
    binaries: PathBuf,
    _lock: File,
}

/// The database and the services.
struct Surroundings {
    postgres: Postgres,
    ministack: Ministack,
    certificate: Option<PathBuf>,
    stripe: stripe::StandIn,
    calcom: calcom::StandIn,
    sqs: SqsGate,
    mails: MailGate,
    queues: Queues,
}

impl Surroundings {
    async fn start(folder: &Path) -> Result<Self> {
        let purpose = Purpose::Keep { password: PASSWORD.to_owned() };
        let postgres = Postgres::start(folder, None, purpose).await?;
        tune(&postgres).await?;
        let certificate = encrypt(&postgres, folder).await?;
        let ministack = Ministack::start(folder, None).await?;
        let queues = aws::provide(&ministack.url(), "inkflow.example", "").await?;
        aws::provide_bucket(&ministack.url(), aws::PICTURES, SITE, None).await?;
        let sqs = SqsGate::start(&ministack.url(), None).await?;
        let mails = MailGate::start(&ministack.url()).await?;
        let options = stripe::Options {
            secret_key: STRIPE_KEY.to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            ..stripe::Options::default()
        };
        let stripe = stripe::StandIn::start(options).await.context("the Stripe stand-in")?;
        let calcom = calcom::StandIn::start(calcom::Options::default()).await.context("the Cal.com stand-in")?;
        Ok(Self { postgres, ministack, certificate, stripe, calcom, sqs, mails, queues })
    }

    /// What the functions are told of them.
    fn settings(&self, assets: &str) -> Vec<(String, String)> {
        let mut env = Vec::new();
        for (name, value) in [
            ("PUBLIC_URL", SITE),
            ("ASSETS", assets),
            ("STRIPE_SECRET_KEY", STRIPE_KEY),
            ("STRIPE_API_BASE", &self.stripe.url()),
            ("STRIPE_WEBHOOK_SECRETS", WEBHOOK_SECRET),
            ("STRIPE_LIVE", "false"),
            ("CALCOM_API_BASE", &self.calcom.url()),
            ("CALCOM_WEB_BASE", &self.calcom.url()),
            ("ENCRYPTION_KEY", ENCRYPTION_KEY),
            ("QUEUE_URL", &self.queues.jobs),
            ("AWS_ACCESS_KEY_ID", aws::ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", aws::ACCESS_KEY),
            ("AWS_ENDPOINT_URL_SQS", self.sqs.url()),
            ("AWS_ENDPOINT_URL_SESV2", self.mails.url()),
            ("MAIL_FROM", "InkFlow <bonjour@inkflow.example>"),
            ("CLIENT_IP_HEADER", "cloudfront-viewer-address"),
            ("HOLD_MINUTES", "30"),
            ("RATE_LIMIT_BOOKINGS_PER_HOUR", "1000000"),
            ("MAX_HOLDS_PER_CLIENT", "1000000"),
            ("MAX_HOLDS_PER_ARTIST", "1000000"),
            ("LOG_LEVEL", "info"),
            // What the functions of the dashboard read beside.
            ("SUPABASE_URL", SITE),
            // With a secret of its own nothing is fetched at the start.
            ("SUPABASE_JWT_SECRET", JWT_SECRET),
            ("SUPABASE_PUBLISHABLE_KEY", "sb_publishable_bench"),
            ("IMAGES_BUCKET", aws::PICTURES),
            ("AWS_ENDPOINT_URL_S3", &self.ministack.url()),
        ] {
            env.push((name.to_owned(), value.to_owned()));
        }
        if let Some(certificate) = &self.certificate {
            env.push(("DATABASE_CA".to_owned(), certificate.display().to_string()));
        }
        env
    }
}

impl World {
    /// Starts it all; `binaries` is where the compiled functions are.
    pub fn start(binaries: &Path) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let root = platform::checkout();
        let folder = std::env::temp_dir().join(format!("inkflow-bench-{}", std::process::id()));
        forget_former_runs()?;
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let around = runtime.block_on(Surroundings::start(&folder))?;
        let assets = fs::read_to_string(root.join("frontend/dist/assets.json"))
            .context("frontend/dist/assets.json is missing: run `make site` first")?;
        let this = Self {
            runtime,
            root,
            folder,
            env: around.settings(assets.trim()),
            around,
            binaries: binaries.to_owned(),
            _lock: lock,
        };
        this.create_database(DATABASE)?;
        let client = this.owner(DATABASE)?;
        this.wait(async {
            let seed = demo::Seed { now: now(), encryption_key: ENCRYPTION_KEY };
            demo::seed(&client, &seed).await.map_err(|error| anyhow::anyhow!("writing the demo data: {error}"))
        })?;
        Ok(this)
    }

    /// Waits for something asynchronous.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which server it is, and how it is reached.
    pub fn describe_database(&self) -> String {
        let tls = if self.around.certificate.is_some() {
            "TLS 1.3"
        } else {
            "no TLS (there is no openssl to make a certificate)"
        };
        format!("{}, {tls}, SCRAM, fsync on", self.around.postgres.version())
    }

    /// A connection of the owner.
    pub fn owner(&self, database: &str) -> Result<Client> {
        self.wait(postgres::connect(&self.owner_url(database)))
    }

    /// The demo database's owner.
    pub fn demo_owner(&self) -> Result<Client> {
        self.owner(DATABASE)
    }

    /// Runs statements as the owner.
    pub fn run(&self, database: &str, statements: &str) -> Result<()> {
        let client = self.owner(database)?;
        self.wait(client.batch_execute(statements)).context("a statement of the bench failed")
    }

    /// The name of the database with the demo data.
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// Makes a migrated database.
    pub fn create_database(&self, name: &str) -> Result<()> {
        self.run(SUPERUSER, &format!("create database {name}"))?;
        let url = self.owner_url(name);
        self.wait(async {
            migrations::run(&url).await.map_err(|error| anyhow::anyhow!("migrating: {error}"))?;
            postgres::let_in(&url, platform::APP_ROLE, PASSWORD).await
        })
    }

    /// A line to the database on which a round trip takes so much longer.
    ///
    /// # Errors
    /// No port is free.
    pub fn line(&self, round_trip: Duration) -> Result<Line> {
        Line::to(self.around.postgres.port(), round_trip)
    }

    /// The URL the functions get, through `port` if it is another than the server's.
    pub fn app_url(&self, database: &str, port: Option<u16>) -> String {
        let port = port.unwrap_or(self.around.postgres.port());
        let mode = if self.around.certificate.is_some() { "require" } else { "disable" };
        format!("postgres://{}:{PASSWORD}@127.0.0.1:{port}/{database}?sslmode={mode}", platform::APP_ROLE)
    }

    /// A compiled function of ours, or a floor.
    pub fn function(&self, name: &str) -> Program {
        self.program(name, vec![self.binaries.join(name)])
    }

    /// The function of another build, if that had it.
    pub fn before(&self, binaries: &Path, name: &str) -> Option<Program> {
        let file = binaries.join(name);
        file.is_file().then(|| self.program(&format!("{name}{BEFORE}"), vec![file]))
    }

    /// The same endpoint in Node.js.
    pub fn peer(&self, name: &str) -> Program {
        let script = self.root.join(format!("tools/bench/peer/dist/{name}.js"));
        self.program(&format!("{name}{PEER}"), vec!["node".into(), script])
    }

    /// The folder of the compiled functions.
    pub fn binaries(&self) -> &Path {
        &self.binaries
    }

    fn program(&self, name: &str, command: Vec<PathBuf>) -> Program {
        let mut env = self.env.clone();
        env.push(("DATABASE_URL".to_owned(), self.app_url(DATABASE, None)));
        let log = self.folder.join(format!("{}.log", name.replace(' ', "-")));
        Program { name: name.to_owned(), command, env, log }
    }

    /// Puts a photograph where artists upload theirs.
    ///
    /// # Errors
    /// The site was not built, or S3 refuses.
    pub fn upload(&self, key: &str) -> Result<()> {
        let file = self.root.join("frontend/dist/hero/lea-marchetti.jpg");
        let photograph = fs::read(&file).with_context(|| format!("{}: run `make site` first", file.display()))?;
        self.wait(aws::upload(&self.around.ministack.url(), aws::PICTURES, key, "image/jpeg", photograph))
    }

    /// Forgets the mails so far, which the inbox would keep.
    pub fn clear_mails(&self) {
        self.around.mails.clear();
    }

    fn owner_url(&self, database: &str) -> String {
        format!("{}?sslmode=disable", self.around.postgres.url(database))
    }

    /// Stops it all and deletes the data.
    pub fn stop(self) -> Result<()> {
        self.wait(async {
            self.around.ministack.stop().await?;
            self.around.postgres.stop().await?;
            Postgres::delete_data(&self.folder).await
        })?;
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// The machine's time. The bench is what the functions' clock is compared with.
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Folders of runs that were killed.
fn forget_former_runs() -> Result<()> {
    for entry in fs::read_dir(std::env::temp_dir())?.flatten() {
        let folder = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with("inkflow-bench-");
        let Ok(lock) = File::open(folder.join("lock")) else { continue };
        if ours && lock.try_lock().is_ok() {
            let _ = fs::remove_dir_all(&folder);
        }
    }
    Ok(())
}

/// Gives the server a certificate of this run's own, and asks for it from then on.
async fn encrypt(postgres: &Postgres, folder: &Path) -> Result<Option<PathBuf>> {
    let data = folder.join("postgres");
    let (authority, key) = (folder.join("authority.crt"), data.join("server.key"));
    let file = |name: &str| folder.join(name).display().to_string();
    if Command::new("openssl").arg("version").stdin(Stdio::null()).output().is_err() {
        return Ok(None);
    }
    fs::write(folder.join("server.ext"), "subjectAltName = IP:127.0.0.1\nbasicConstraints = CA:FALSE\n")?;
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let (authority_key, asked) = (file("authority.key"), file("server.csr"));
    let (made_key, made, extensions) = (key.display().to_string(), file("server.crt"), file("server.ext"));
    let authority_file = authority.display().to_string();
    for arguments in [
        [
            &["req", "-x509"],
            &curve[..],
            &["-days", "30", "-subj", "/CN=bench", "-keyout", &authority_key, "-out", &authority_file],
        ]
        .concat(),
        [&["req", "-new"], &curve[..], &["-subj", "/CN=127.0.0.1", "-keyout", &made_key, "-out", &asked]].concat(),
        [
            &["x509", "-req", "-days", "30", "-in", &asked, "-CA", &authority_file, "-CAkey", &authority_key],
            &["-CAcreateserial", "-extfile", &extensions, "-out", &made][..],
        ]
        .concat(),
    ] {
        let done = Command::new("openssl").args(arguments).stdin(Stdio::null()).output()?;
        ensure!(done.status.success(), "openssl: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    let owner = fs::metadata(&data)?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    chown(&key, Some(owner.uid()), Some(owner.gid()))?;
    let url = format!("{}?sslmode=disable", postgres.url(SUPERUSER));
    let client = postgres::connect(&url).await?;
    for setting in
        ["ssl = on".to_owned(), format!("ssl_cert_file = '{made}'"), "ssl_key_file = 'server.key'".to_owned()]
    {
        client.batch_execute(&format!("alter system set {setting}")).await?;
    }
    client.batch_execute("select pg_reload_conf()").await?;
    Ok(Some(authority))
}

/// The tables grow far beyond what the server's defaults are made for.
async fn tune(postgres: &Postgres) -> Result<()> {
    let client = postgres::connect(&postgres.url(SUPERUSER)).await?;
    for setting in ["shared_buffers = '512MB'", "max_wal_size = '4GB'", "jit = off"] {
        client.batch_execute(&format!("alter system set {setting}")).await?;
    }
    drop(client);
    postgres.restart().await.context("restarting Postgres")
}
