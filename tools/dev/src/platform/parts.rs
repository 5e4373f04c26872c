//! The parts, as [`super::Platform`] wires them and the control API sees them.

use std::sync::Mutex;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde_json::json;

use super::database::{self, Database};
use super::kept::{self, Ports, Secrets};
use super::options::Options;
use super::services::{self, Amazon, StandIns};
use super::{functions, settings};
use crate::aws::{Ministack, Sqs};
use crate::host::{self, Host};
use crate::machine::{lock, write_private};
use crate::postgres::{self, Postgres};
use crate::queue::{self, EventSource};
use crate::schedule::Schedule;
use crate::uploads::Uploads;
use crate::{demo, gateway};

/// All that runs, in the order in which it ends when it is dropped.
pub(crate) struct Parts {
    pub(crate) options: Options,
    pub(crate) site: String,
    pub(crate) started: Timestamp,
    pub(crate) host: Host,
    pub(crate) schedule: Schedule,
    pub(crate) source: EventSource,
    pub(crate) database: Database,
    pub(crate) amazon: Amazon,
    pub(crate) stand_ins: StandIns,
    _uploads: Uploads,
    encryption_key: String,
    pub(super) function_env: Vec<(String, String)>,
    clock: Mutex<i64>,
}

impl Parts {
    /// Starts them for the site at `site`; what was started by then ends when one of them does not start.
    pub(super) async fn start(options: Options, site: String) -> Result<Self> {
        let secrets = Secrets::of(&options.state)?;
        let ports = Ports::of(&options);
        let services = async {
            tokio::try_join!(
                database::start(&options, &ports, &secrets),
                services::amazon(&options, &ports, &site),
                services::stripe_stand_in(&options, &ports, &secrets, &site),
                services::calcom_stand_in(&options, &ports, &site),
            )
        };
        let ((), (database, amazon, stripe, calcom)) = tokio::try_join!(functions::build(&options), services)?;
        // Its mails go to the inbox, so it comes after that.
        let supabase = services::supabase_stand_in(&options, &ports, &amazon.mail_gate, &site).await?;
        let stand_ins = StandIns { stripe, calcom, supabase };
        let this = Self::wire(options, site, &secrets, database, amazon, stand_ins).await?;
        this.ports().keep(&this.options.state)?;
        Ok(this)
    }

    async fn wire(
        options: Options,
        site: String,
        secrets: &Secrets,
        database: Database,
        amazon: Amazon,
        stand_ins: StandIns,
    ) -> Result<Self> {
        let shift = kept::clock(&options.state);
        let function_env = settings::of_functions(&options, &site, secrets, &database, &amazon, &stand_ins)?;
        let host = functions::run(&options, &function_env, shift).await?;
        let schedule = Schedule::start(host.clone(), "sweeper", options.sweep_every);
        let jobs = queue::Options::new(amazon.sqs_gate.url(), &amazon.queues.jobs, "worker");
        let source = EventSource::start(jobs, host.clone());
        let uploads = Uploads::start(&amazon.s3, &amazon.uploads, host.clone());
        stand_ins.set_clock(shift);
        Ok(Self {
            site,
            started: Timestamp::now(),
            host,
            schedule,
            source,
            database,
            amazon,
            stand_ins,
            _uploads: uploads,
            encryption_key: secrets.encryption_key.clone(),
            function_env,
            clock: Mutex::new(shift),
            options,
        })
    }

    pub(super) fn pictures(&self) -> gateway::Pictures {
        let Amazon { s3, bucket, .. } = &self.amazon;
        gateway::Pictures { address: format!("{s3}/{bucket}"), origin: s3.clone() }
    }

    fn ports(&self) -> Ports {
        let port = |url: &str| url.rsplit(':').next().and_then(|port| port.parse().ok());
        Ports {
            stripe: self.stand_ins.stripe.as_ref().map(|stripe| stripe.addr().port()),
            calcom: self.stand_ins.calcom.as_ref().map(|calcom| calcom.addr().port()),
            supabase: self.stand_ins.supabase.as_ref().map(|supabase| supabase.addr().port()),
            postgres: self.database.server.as_ref().map(Postgres::port),
            ministack: self.amazon.ministack.as_ref().map(Ministack::port),
            sqs: port(self.amazon.sqs_gate.url()),
            mail: port(self.amazon.mail_gate.url()),
        }
    }

    pub(crate) fn clock(&self) -> i64 {
        *lock(&self.clock)
    }

    pub(crate) fn set_clock(&self, shift_seconds: i64) {
        *lock(&self.clock) = shift_seconds;
        kept::keep_clock(&self.options.state, shift_seconds);
        self.stand_ins.set_clock(shift_seconds);
        functions::shift_clock(&self.host, shift_seconds);
    }

    /// Back to the demo data, without a restart.
    pub(crate) async fn start_over(&self) -> Result<()> {
        ensure!(
            self.database.server.is_some() || !self.options.keep,
            "this database is yours (DATABASE_URL): nothing in it is deleted from here"
        );
        self.source.pause().await;
        let purge = Sqs::at(self.amazon.sqs_gate.url());
        for queue in [&self.amazon.queues.jobs, &self.amazon.queues.dead_jobs] {
            purge.call("PurgeQueue", json!({ "QueueUrl": queue })).await?;
        }
        self.amazon.mail_gate.clear();
        self.stand_ins.reset();
        self.set_clock(0);
        let client = postgres::connect(&self.database.owner_url).await?;
        client
            .batch_execute(
                "do $$ declare t text; begin
                   for t in select tablename from pg_tables
                     where schemaname = 'public' and tablename <> 'refinery_schema_history'
                   loop execute format('truncate table public.%I cascade', t); end loop;
                 end $$",
            )
            .await?;
        let seeded = database::seed(&client, &self.encryption_key).await;
        self.source.resume();
        seeded
    }

    /// Writes `dev.env`, for scripts on this machine.
    pub(super) fn write_env(&self) -> Result<()> {
        let of_functions = |name: &str| self.function_env.iter().rev().find(|(key, _)| key == name);
        let mut lines = vec![
            ("SITE_URL", self.site.clone()),
            ("DATABASE_URL", self.database.owner_url.clone()),
            ("APP_DATABASE_URL", self.database.app_url.clone()),
            ("DEAD_LETTER_QUEUE_URL", self.amazon.queues.dead_jobs.clone()),
            ("MAILS_URL", format!("{}/dev/mails.json", self.site)),
            ("AWS_ENDPOINT_URL", self.amazon.sqs_gate.url().to_owned()),
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
        write_private(&self.options.state.join("dev.env"), &text)?;
        Ok(())
    }
}
