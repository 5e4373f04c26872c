//! Starts everything together and stops it again: `make dev` with data that stay, the stories with data of their own.
//!
//! It wires parts and holds no behaviour of theirs.

mod database;
mod functions;
mod kept;
mod options;
pub(crate) mod parts;
mod services;
mod settings;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::response::{Html, IntoResponse, Response};
use axum::serve::ListenerExt;
use http::{StatusCode, header};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tracing::info;

use self::parts::Parts;
use crate::aws::{MailGate, Ministack, Queues, SqsGate};
use crate::host::{self, Host};
use crate::postgres::Postgres;
use crate::queue::EventSource;
use crate::{calcom, control, gateway, stripe, supabase};

pub use self::database::APP_ROLE;
pub use self::kept::reset;
pub use self::options::{Options, RealStripe, RealSupabase, checkout};

/// Everything, running. Stop it with [`Platform::stop`]; dropping it kills what it has started.
pub struct Platform {
    parts: Arc<Parts>,
    server: tokio::task::JoinHandle<()>,
    _lock: File,
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
        let lock = kept::sole_owner(&options.state)?;
        let _ = fs::remove_file(options.state.join("dev.env"));

        let front = Arc::new(OnceLock::new());
        let server = serve(listener, Arc::clone(&front));
        let parts = match Parts::start(options, site).await {
            Ok(parts) => Arc::new(parts),
            Err(error) => {
                server.abort();
                return Err(error);
            }
        };
        let this = Self { parts, server, _lock: lock };
        let _ = front.set(this.front()?);
        if this.parts.options.keep {
            this.parts.write_env()?;
        }
        info!(seconds = %format!("{:.1}", begun.elapsed().as_secs_f64()), "everything is up");
        Ok(this)
    }

    /// The site, and beside it what is only for this machine.
    fn front(&self) -> Result<Router> {
        let parts = &self.parts;
        let domain = parts.site.trim_start_matches("http://").to_owned();
        let mut options = gateway::Options::of_checkout(&parts.options.root, domain)?;
        options.pictures = Some(parts.pictures());
        let control = control::router(Arc::clone(parts));
        let private = control.merge(parts.amazon.mail_gate.pages()).merge(parts.host.invoke_api());
        let private = private.layer(axum::middleware::from_fn(control::only_from_here));
        Ok(gateway::router(options, parts.host.clone()).merge(private))
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
        &self.parts.amazon.mail_gate
    }

    /// The switch of the queue.
    pub fn queue(&self) -> &SqsGate {
        &self.parts.amazon.sqs_gate
    }

    /// The delivery of queue messages.
    pub fn source(&self) -> &EventSource {
        &self.parts.source
    }

    pub fn queues(&self) -> &Queues {
        &self.parts.amazon.queues
    }

    /// The Stripe stand-in, unless the real one is used.
    pub fn stripe(&self) -> Option<&stripe::StandIn> {
        self.parts.stand_ins.stripe.as_ref()
    }

    /// The Cal.com stand-in, unless the real one is used.
    pub fn calcom(&self) -> Option<&calcom::StandIn> {
        self.parts.stand_ins.calcom.as_ref()
    }

    /// The Supabase stand-in, unless the real one is used.
    pub fn supabase(&self) -> Option<&supabase::StandIn> {
        self.parts.stand_ins.supabase.as_ref()
    }

    /// The private server, unless a database was given.
    pub fn postgres(&self) -> Option<&Postgres> {
        self.parts.database.server.as_ref()
    }

    /// The private ministack, unless one was given.
    pub fn ministack(&self) -> Option<&Ministack> {
        self.parts.amazon.ministack.as_ref()
    }

    /// The URL of the database, for its owner.
    pub fn database_url(&self) -> &str {
        &self.parts.database.owner_url
    }

    /// The URL of the database, as the functions get it.
    pub fn app_database_url(&self) -> &str {
        &self.parts.database.app_url
    }

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
        if let Some(ministack) = &parts.amazon.ministack {
            ministack.stop().await?;
        }
        match &parts.database.server {
            Some(postgres) => postgres.stop().await?,
            None if !parts.options.keep => database::drop_database(&parts.database.owner_url).await?,
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
