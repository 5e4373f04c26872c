//! `dev up` runs InkFlow on this machine; `dev with-services -- <command>` gives a command what the tests need,
//! `dev with-site -- <command>` a whole platform of its own. Words and exit codes only: the work is the library's.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use dev::aws::Ministack;
use dev::pgbouncer::PgBouncer;
use dev::platform::{APP_ROLE, Options, Platform, checkout, reset};
use dev::postgres::{Postgres, Purpose, SUPERUSER, connect, let_in};
use dev::{journal, process};
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

const USAGE: &str = "usage: dev up | dev with-services -- <command ...> | dev with-site -- <command ...>

  up             runs everything: site, functions, database, queue, mail, stand-ins
                 PORT=8080 chooses the port, RESET=1 deletes all data first
  with-services  runs a command with a private PostgreSQL and ministack, named in
                 TEST_DATABASE_URL, TEST_TEMPLATE and TEST_AWS_URL
  with-site      runs a command with a throwaway platform on free ports, named in SITE_URL,
                 STRIPE_URL, CALCOM_URL, MAILS_URL and SITE_DATABASE_URL; nothing is compiled for it";

/// The database that the tests copy.
const TEMPLATE: &str = "inkflow_template";

#[tokio::main]
async fn main() -> ExitCode {
    journal::init();
    let mut arguments = std::env::args_os().skip(1);
    let signals = match signals() {
        Ok(signals) => signals,
        Err(error) => return failed(&error.into()),
    };
    match arguments.next().as_ref().and_then(|word| word.to_str()) {
        Some("up") => up(signals).await,
        Some(word @ ("with-services" | "with-site")) => {
            let command: Vec<OsString> = arguments.skip_while(|word| word == "--").collect();
            if command.is_empty() {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
            if word == "with-site" { with_site(command, signals).await } else { with_services(command, signals).await }
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

/// What asks us to end, as the number of the signal.
fn signals() -> std::io::Result<mpsc::UnboundedReceiver<i32>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let mut asked = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while asked.recv().await.is_some() {
                let _ = sender.send(kind.as_raw_value());
            }
        });
    }
    Ok(receiver)
}

async fn up(mut signals: mpsc::UnboundedReceiver<i32>) -> ExitCode {
    let start = async {
        let options = Options::for_dev(&checkout())?;
        if std::env::var("RESET").is_ok_and(|value| !["", "0"].contains(&value.as_str())) {
            // Report a port in use before any data is deleted.
            drop(options.listen().await?);
            reset(&options.state).await?;
        }
        Platform::start(options).await
    };
    let platform = tokio::select! {
        started = start => match started {
            Ok(platform) => platform,
            Err(error) => return failed(&error),
        },
        // What was started by now dies with us.
        Some(_) = signals.recv() => return ExitCode::from(130),
    };
    println!("\n  the tour, the mails, the switches: {}/dev\n  Ctrl-C stops everything\n", platform.site());
    println!("ready: {}", platform.site());
    signals.recv().await;
    println!("stopping (once more Ctrl-C: at once)");
    tokio::select! {
        stopped = timeout(Duration::from_secs(20), platform.stop()) => match stopped {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) => failed(&error),
            Err(_) => failed(&anyhow::anyhow!("it does not stop in order; what is left ends with this process")),
        },
        Some(_) = signals.recv() => ExitCode::from(130),
    }
}

async fn with_services(command: Vec<OsString>, mut signals: mpsc::UnboundedReceiver<i32>) -> ExitCode {
    let services = tokio::select! {
        services = Services::start() => match services {
            Ok(services) => services,
            Err(error) => return failed(&error),
        },
        Some(number) = signals.recv() => return code_of_signal(number),
    };
    let code = services.run(command, &mut signals).await.unwrap_or_else(|error| failed(&error));
    if let Err(error) = services.stop().await {
        eprintln!("warning: {error:#}");
    }
    code
}

async fn with_site(command: Vec<OsString>, mut signals: mpsc::UnboundedReceiver<i32>) -> ExitCode {
    let platform = tokio::select! {
        started = async { Platform::start(Options::for_test()?).await } => match started {
            Ok(platform) => platform,
            Err(error) => return failed(&error),
        },
        Some(number) = signals.recv() => return code_of_signal(number),
    };
    let site = platform.site();
    let mut env = vec![
        ("SITE_URL", site.to_owned()),
        ("MAILS_URL", format!("{site}/dev/mails.json")),
        ("SITE_DATABASE_URL", platform.database_url().to_owned()),
    ];
    env.extend(platform.stripe().map(|stripe| ("STRIPE_URL", stripe.url())));
    env.extend(platform.calcom().map(|calcom| ("CALCOM_URL", calcom.url())));
    let code = run(command, env, &mut signals).await.unwrap_or_else(|error| failed(&error));
    if let Err(error) = platform.stop().await {
        eprintln!("warning: {error:#}");
    }
    code
}

/// Runs a command to its end, or to the end of its patience when we are asked to stop.
async fn run(
    command: Vec<OsString>,
    env: Vec<(&str, String)>,
    signals: &mut mpsc::UnboundedReceiver<i32>,
) -> Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut child = Command::new(program);
    child.args(arguments).envs(env);
    let name = program.to_string_lossy().into_owned();
    let mut child = process::spawn(child, Signal::SIGTERM).await.with_context(|| format!("starting {name}"))?;
    let status = tokio::select! {
        status = child.wait() => status?,
        Some(number) = signals.recv() => {
            process::signal_group(&child, Signal::try_from(number).unwrap_or(Signal::SIGTERM));
            if timeout(Duration::from_secs(10), child.wait()).await.is_err() {
                process::signal_group(&child, Signal::SIGKILL);
                child.wait().await?;
            }
            return Ok(code_of_signal(number));
        }
    };
    use std::os::unix::process::ExitStatusExt as _;
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        (None, Some(number)) => code_of_signal(number),
        (None, None) => ExitCode::FAILURE,
    })
}

fn code_of_signal(number: i32) -> ExitCode {
    ExitCode::from(u8::try_from(128 + number).unwrap_or(u8::MAX))
}

/// What the tests share: a server with a migrated template, and ministack.
struct Services {
    folder: PathBuf,
    postgres: Postgres,
    pooler: Option<PgBouncer>,
    ministack: Ministack,
    _lock: File,
}

impl Services {
    async fn start() -> Result<Self> {
        let (folder, lock) = folder_of_our_own().await?;
        let (postgres, ministack) = tokio::try_join!(
            async {
                let postgres = Postgres::start(&folder, None, Purpose::Throwaway).await?;
                prepare(&postgres).await?;
                anyhow::Ok(postgres)
            },
            Ministack::start(&folder, None),
        )?;
        let pooler = PgBouncer::from_env(&folder, postgres.port()).await?;
        Ok(Self { folder, postgres, pooler, ministack, _lock: lock })
    }

    async fn run(&self, command: Vec<OsString>, signals: &mut mpsc::UnboundedReceiver<i32>) -> Result<ExitCode> {
        let mut env = vec![
            ("TEST_DATABASE_URL", self.postgres.url(SUPERUSER)),
            ("TEST_TEMPLATE", TEMPLATE.to_owned()),
            ("TEST_AWS_URL", self.ministack.url()),
        ];
        if let Some(pooler) = &self.pooler {
            env.push(("TEST_POOLER", format!("127.0.0.1:{}", pooler.port())));
        }
        run(command, env, signals).await
    }

    async fn stop(self) -> Result<()> {
        self.ministack.stop().await?;
        if let Some(pooler) = self.pooler {
            pooler.stop().await?;
        }
        self.postgres.stop().await?;
        Postgres::delete_data(&self.folder).await?;
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

async fn prepare(postgres: &Postgres) -> Result<()> {
    let admin = connect(&postgres.url(SUPERUSER)).await?;
    admin.batch_execute(&format!("create database {TEMPLATE}")).await?;
    let url = postgres.url(TEMPLATE);
    migrations::run(&url).await.map_err(|error| anyhow::anyhow!("migrating: {error}"))?;
    let_in(&url, APP_ROLE, APP_ROLE).await?;
    admin.batch_execute(&format!("alter database {TEMPLATE} is_template true")).await?;
    Ok(())
}

/// A folder for this run; those of runs that were killed are deleted.
async fn folder_of_our_own() -> Result<(PathBuf, File)> {
    let parent = std::env::temp_dir();
    for entry in fs::read_dir(&parent)?.flatten() {
        let folder = entry.path();
        let ours = entry.file_name().to_string_lossy().starts_with("inkflow-test-");
        let Ok(lock) = File::open(folder.join("lock")) else { continue };
        if ours && lock.try_lock().is_ok() && Postgres::delete_data(&folder).await.is_ok() {
            let _ = fs::remove_dir_all(&folder);
        }
    }
    let folder = parent.join(format!("inkflow-test-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    open_to_all(&folder)?;
    Ok((folder, lock))
}

/// PostgreSQL's user must be able to pass, whatever our umask is.
fn open_to_all(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
