//! What the tests of the functions share: a world of their own with a migrated database, demo artists, queues, a
//! mailbox and the stand-ins of Stripe and Cal.com. Everything ends with the test.
//!
//! `make test` starts Postgres and the local AWS; without them these tests fail and say how to get them.

use std::future::Future;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dev::aws::{MailGate, Queues, Sqs, SqsGate};
use dev::calcom::Hours;
use dev::{calcom as calcom_stand_in, demo, stripe as stripe_stand_in, supabase as supabase_stand_in};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use shared::auth::Auth;
use shared::bucket::Bucket;
use shared::calcom::Calcom;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::Secret;
use shared::db::{Db, Param};
use shared::http::Web;
use shared::mail::Mailer;
use shared::queue::Queue;
use shared::stripe::Stripe;
use shared::vault::Vault;
use shared::{aws, net};

pub use self::bookings::{Held, Plan};
pub use self::logs::{Logs, filters};
pub use self::requests::{
    Answer, answer, answers_always, ask, body, get, in_base64, messages, post, request, stripe_event,
};
pub use self::wire::Wire;

// Bookings that a test finds already made.
mod bookings;
// What is logged.
mod logs;
// Requests as the runtime hands them over, and answers as the runtime gets them.
mod requests;
// Counts the round trips between a client and Postgres, as they pass on the wire.
pub mod wire;

/// When every world begins unless it says otherwise: a Monday, nine o'clock in Paris. Tests name their dates after it.
pub const START: &str = "2027-02-01T08:00:00Z";

/// The key under which the demo artists' Cal.com keys are sealed.
pub const ENCRYPTION_KEY: &str = "aW5rZmxvdy10ZXN0LWtleS0zMi1ieXRlcy1sb25nISE=";

/// The password of `inkflow_app` in every test database.
pub const APP_PASSWORD: &str = "inkflow_app";

/// The origin of the site in tests.
pub const PUBLIC_URL: &str = "https://ink.test";

/// A world of its own for one test.
#[expect(missing_debug_implementations, reason = "it holds connections")]
pub struct World {
    /// The database as its owner: to look at what the functions wrote, and to prepare what they find.
    pub owner: Client,
    pub database: String,
    /// Where the functions connect, as `inkflow_app`.
    pub app_url: String,
    pub stripe: stripe_stand_in::StandIn,
    /// Cal.com, with Noa's account.
    pub calcom: calcom_stand_in::StandIn,
    /// Supabase Auth, with the accounts of both demo artists.
    pub supabase: supabase_stand_in::StandIn,
    /// The mails that were sent.
    pub mails: MailGate,
    /// The queue, which can be taken away.
    pub sqs_gate: SqsGate,
    pub queues: Queues,
    sqs: Sqs,
    ministack: String,
    http: reqwest::Client,
    server_url: String,
    shift: AtomicI64,
}

/// A setting that `make test` provides.
fn provided(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set. These tests need Postgres and a local AWS: run `make test`, or `dev with-services -- cargo nextest run …`")
    })
}

fn with_database(url: &str, database: &str) -> String {
    let (server, _old) = url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{database}")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("Postgres accepts connections");
    tokio::spawn(connection);
    client
}

impl World {
    /// Runs a test in a world of its own, on a runtime of its own, and ends everything afterwards.
    ///
    /// # Panics
    /// The services are not there, or the test fails.
    pub fn run<F, Fut>(test: F)
    where
        F: FnOnce(&'static World) -> Fut,
        Fut: Future<Output = ()>,
    {
        Self::run_at(START, test);
    }

    /// As [`Self::run`], in a world that begins at `start`.
    ///
    /// # Panics
    /// The services are not there, or the test fails.
    pub fn run_at<F, Fut>(start: &str, test: F)
    where
        F: FnOnce(&'static World) -> Fut,
        Fut: Future<Output = ()>,
    {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            // Leaked for the life of the test's process, so that tasks of the test may borrow it.
            let world: &'static World = Box::leak(Box::new(World::open(at(start)).await));
            test(world).await;
            world.close().await;
        });
    }

    /// A new world that begins at `start`.
    ///
    /// # Panics
    /// The services are not there.
    pub async fn open(start: Timestamp) -> Self {
        // What the functions log is part of a failed test's report.
        shared::telemetry::init();
        let server_url = provided("TEST_DATABASE_URL");
        let template = std::env::var("TEST_TEMPLATE").unwrap_or_else(|_| "inkflow_template".into());
        let ministack = provided("TEST_AWS_URL");
        let database = format!("test_{}", Uuid::now_v7().simple());
        let admin = connect(&server_url).await;
        admin
            .batch_execute(&format!("create database {database} template {template}"))
            .await
            .expect("the template database exists and nobody is connected to it");
        let owner_url = with_database(&server_url, &database);
        let owner = connect(&owner_url).await;
        let app_url = app_url(&owner_url);
        demo::seed(&owner, &demo::Seed { now: start, encryption_key: ENCRYPTION_KEY })
            .await
            .expect("the seed fits the schema");
        // The artists of the tests want to hear of everything.
        owner.batch_execute("update artists set pending_mails = true").await.expect("there are artists");
        let shift = start.as_second() - Clock::default().now().as_second();

        let options = stripe_stand_in::Options { clock_shift_seconds: shift, ..stripe_stand_in::Options::default() };
        let stripe = stripe_stand_in::StandIn::start(options).await.expect("Stripe stands in");
        let options = calcom_options_at(shift);
        let calcom = calcom_stand_in::StandIn::start(options).await.expect("Cal.com stands in");
        let mails = MailGate::start(&ministack).await.expect("the mail gate");
        let options = supabase_stand_in::Options {
            users: [&demo::LEA, &demo::NOA].map(demo::Artist::account).to_vec(),
            site_url: PUBLIC_URL.into(),
            inbox: Some(mails.inbox()),
            clock_shift_seconds: shift,
            ..supabase_stand_in::Options::default()
        };
        let supabase = supabase_stand_in::StandIn::start(options).await.expect("Supabase Auth stands in");
        let sqs_gate = SqsGate::start(&ministack, None).await.expect("the queue's gate");
        let queues = dev::aws::provide(&ministack, "ink.test", &format!("-{database}")).await.expect("queues");
        Self {
            owner,
            database,
            app_url,
            stripe,
            calcom,
            supabase,
            mails,
            sqs_gate,
            queues,
            sqs: Sqs::at(&ministack),
            ministack,
            http: net::client(&net::tls()),
            server_url,
            shift: AtomicI64::new(shift),
        }
    }

    /// Drops the database. A test that failed leaves it behind for a look; the server itself ends with `make test`.
    pub async fn close(&self) {
        let admin = connect(&self.server_url).await;
        admin
            .batch_execute(&format!("drop database if exists {} with (force)", self.database))
            .await
            .expect("the database is dropped");
    }

    /// The database as the functions see it.
    pub fn db(&self) -> Db {
        Db::new(&self.app_url, None).expect("the URL is well formed")
    }

    /// A tap on the way to this world's database.
    pub async fn wire(&self) -> Wire {
        let (_before, rest) = self.app_url.rsplit_once('@').expect("a URL with a user");
        let (host, _database) = rest.split_once('/').expect("a URL with a database");
        Wire::tap(host.to_owned()).await
    }

    /// The database through a tap, connected, so that only what follows is counted.
    pub async fn db_through(&self, wire: &Wire) -> Db {
        let db = Db::new(&wire.url(&self.app_url), None).expect("the URL is well formed");
        db.warm_up().await;
        wire.reset();
        db
    }

    /// As [`Self::db_through`], not connected yet, and with what was counted before.
    pub fn db_through_counting(&self, wire: &Wire) -> Db {
        Db::new(&wire.url(&self.app_url), None).expect("the URL is well formed")
    }

    /// Stripe as the functions call it.
    pub fn stripe_client(&self) -> Stripe {
        Stripe::new(self.http.clone(), self.stripe.url(), Secret::new("sk_test_standin".into()))
    }

    pub fn calendars(&self) -> Calendars {
        self.calendars_at(&self.calcom.url())
    }

    /// The artists' calendars, at another Cal.com.
    pub fn calendars_at(&self, base: &str) -> Calendars {
        let vault = Vault::new(&Secret::new(ENCRYPTION_KEY.into())).expect("32 bytes");
        Calendars::new(Calcom::new(self.http.clone(), base), vault)
    }

    pub fn queue(&self) -> Queue {
        Queue::new(&self.aws(), Some(self.sqs_gate.url().to_owned()), self.queues.jobs.clone())
    }

    /// SES, through the gate that keeps the mails.
    pub fn mailer(&self) -> Mailer {
        Mailer::new(&self.aws(), Some(self.mails.url().to_owned()), "bookings@ink.test", None).expect("an address")
    }

    fn aws(&self) -> aws_types::SdkConfig {
        let credentials = aws_sdk_sqs::config::Credentials::new("test", "test", None, None, "test");
        aws::with(&self.http, "eu-west-3".into(), credentials)
    }

    /// A bucket of this world's own, made when it is first asked for.
    pub async fn bucket(&self) -> Bucket {
        let name = self.bucket_name();
        dev::aws::provide_bucket(&self.ministack, &name, PUBLIC_URL, None).await.expect("a bucket");
        let key = dev::aws::ACCESS_KEY;
        let credentials = aws_sdk_sqs::config::Credentials::new(key, key, None, None, "test");
        Bucket::new(&self.http, Some(&self.ministack), &name, "eu-west-3".into(), credentials)
    }

    /// The name of that bucket.
    pub fn bucket_name(&self) -> String {
        format!("images-{}", self.database.replace('_', "-"))
    }

    pub fn web(&self) -> Web {
        Web { public_url: PUBLIC_URL.into(), cors_origins: Vec::new(), client_ip_header: None }
    }

    pub fn auth(&self) -> Auth {
        Auth::new(self.http.clone(), &self.supabase.url(), None, &self.web())
    }

    /// The header of a request of this artist, as a direct caller sends it: `Authorization: Bearer …`.
    pub fn bearer(&self, artist: &demo::Artist) -> String {
        format!("Bearer {}", self.supabase.token(artist.user_id, artist.email))
    }

    /// The `Cookie` header of this artist's browser. A write needs the header `Origin` with [`PUBLIC_URL`] as well.
    pub fn cookie(&self, artist: &demo::Artist) -> String {
        format!("{}={}", shared::auth::SESSION_COOKIE, self.supabase.token(artist.user_id, artist.email))
    }

    /// The clock of the functions, shifted as far as [`Self::advance`] was told. Take it anew after that.
    pub fn clock(&self) -> Clock {
        Clock::shifted(SignedDuration::from_secs(self.shift.load(Ordering::Relaxed)))
    }

    /// Now, on that clock.
    pub fn now(&self) -> Timestamp {
        self.clock().now()
    }

    /// Lets time pass, for Stripe and Cal.com too.
    pub fn advance(&self, by: Duration) {
        let seconds = i64::try_from(by.as_secs()).expect("a plausible time");
        let shift = self.shift.fetch_add(seconds, Ordering::Relaxed) + seconds;
        self.stripe.set_clock_shift_seconds(shift);
        self.calcom.set_clock_shift_seconds(shift);
        self.supabase.set_clock_shift_seconds(shift);
    }

    /// As [`Self::advance`], in minutes.
    pub fn advance_minutes(&self, minutes: u64) {
        self.advance(Duration::from_secs(minutes * 60));
    }

    /// Asks the database as its owner; one JSON object a row.
    ///
    /// # Panics
    /// The statement is wrong.
    pub async fn rows(&self, sql: &str, params: &[Param<'_>]) -> Vec<Value> {
        let sql = format!("select to_jsonb(r) as row from ({sql}) r");
        let rows = self.owner.query_typed(&sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get("row")).collect()
    }

    /// Runs statements as the owner.
    ///
    /// # Panics
    /// They are wrong.
    pub async fn execute(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// One booking, every column.
    ///
    /// # Panics
    /// There is no such booking.
    pub async fn booking(&self, id: &str) -> Value {
        let id: Uuid = id.parse().expect("a booking id");
        self.rows("select * from bookings where id = $1", &[(&id, Type::UUID)]).await.pop().expect("the booking exists")
    }

    /// The jobs that are not done, by kind, template and id.
    pub async fn open_jobs(&self) -> Vec<Value> {
        self.rows(
            &format!(
                r"select id, kind, args->>'template' as template, attempts, last_error from outbox where done_at is null
                     and (args->>'template' is distinct from 'client_held' or attempts > 0 or relay_at <= '{}') order by id",
                self.now().checked_add(jiff::SignedDuration::from_secs(30)).expect("in range"),
            ),
            &[],
        )
        .await
    }

    /// Every job, done or not, in order: its kind, or the template of a mail. The reminder that each hold puts by for
    /// later is left out.
    pub async fn jobs(&self) -> Vec<String> {
        let rows = self
            .rows(
                r"select coalesce(args->>'template', kind) as name from outbox
                     where args->>'template' is distinct from 'client_held' order by id",
                &[],
            )
            .await;
        rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// What happened to a booking, in order: who and what.
    ///
    /// # Panics
    /// `id` is not a UUID.
    pub async fn history(&self, id: &str) -> Vec<String> {
        let id: Uuid = id.parse().expect("a booking id");
        let sql = "select actor || ' ' || kind as line from booking_events where booking_id = $1 order by id";
        let rows = self.rows(sql, &[(&id, Type::UUID)]).await;
        rows.iter().map(|row| row["line"].as_str().expect("a line").to_owned()).collect()
    }

    /// Reads what Stripe has of a payment into its booking, as the worker's job does.
    ///
    /// # Panics
    /// Stripe or the database does not answer.
    pub async fn read_payment(&self, held: &Held, payment_intent: &str) {
        let facts = shared::settle::facts(&self.stripe_client(), payment_intent, None, self.now()).await;
        let facts = facts.expect("Stripe answers");
        let reference = shared::db::bookings::Reference::booking(held.id);
        shared::settle::settle(&self.db(), &reference, None, self.now(), |booking, _| booking.settle(&facts))
            .await
            .expect("the database answers");
    }

    /// The ledger of a booking, in order: kind and signed cents.
    ///
    /// # Panics
    /// `id` is not a UUID.
    pub async fn ledger(&self, id: &str) -> Vec<(String, i64)> {
        let id: Uuid = id.parse().expect("a booking id");
        let sql = "select kind, amount_cents from payments where booking_id = $1 order by recorded_at, id";
        let rows = self.rows(sql, &[(&id, Type::UUID)]).await;
        rows.iter()
            .map(|row| (row["kind"].as_str().expect("a kind").to_owned(), row["amount_cents"].as_i64().expect("cents")))
            .collect()
    }

    /// How many rows a table has.
    ///
    /// # Panics
    /// There is no such table.
    pub async fn count(&self, table: &str) -> i64 {
        let rows = self.rows(&format!("select count(*) from {table}"), &[]).await;
        rows[0]["count"].as_i64().expect("a number")
    }

    /// Receives what is in the queue, as SQS hands it to Lambda.
    pub async fn receive(&self) -> Value {
        let asked = json!({
            "QueueUrl": self.queues.jobs, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0, "AttributeNames": ["All"],
        });
        let answer = self.sqs.call("ReceiveMessage", asked).await.expect("SQS answers");
        let records: Vec<Value> = answer["Messages"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .map(|message| {
                json!({
                    "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"],
                    "body": message["Body"], "md5OfBody": message["MD5OfBody"],
                    "attributes": message["Attributes"], "messageAttributes": {},
                    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-3:000000000000:inkflow-jobs",
                    "awsRegion": "eu-west-3",
                })
            })
            .collect();
        json!({ "Records": records })
    }

    /// Deletes messages that were dealt with.
    pub async fn delete(&self, receipt_handle: &str) {
        let asked = json!({ "QueueUrl": self.queues.jobs, "ReceiptHandle": receipt_handle });
        self.sqs.call("DeleteMessage", asked).await.expect("SQS answers");
    }

    /// How many messages wait in the dead-letter queue.
    pub async fn dead_letters(&self) -> u64 {
        self.sqs.depth(&self.queues.dead_jobs).await.expect("SQS answers").0
    }
}

/// The URL of the functions' role; behind the pooler when the suite runs there (`TEST_BEHIND_POOLER`).
fn app_url(owner_url: &str) -> String {
    let (_scheme, rest) = owner_url.split_once("://").expect("a URL");
    let place = rest.rsplit_once('@').map_or(rest, |(_user, place)| place);
    let (host, database) = place.split_once('/').expect("a URL with a database");
    let host = if std::env::var_os("TEST_BEHIND_POOLER").is_some() { provided("TEST_POOLER") } else { host.to_owned() };
    format!("postgres://inkflow_app:{APP_PASSWORD}@{host}/{database}")
}

/// The options of this world's Cal.com, for a test that wants another one.
pub fn calcom_options(world: &World) -> calcom_stand_in::Options {
    calcom_options_at(world.shift.load(Ordering::Relaxed))
}

fn calcom_options_at(clock_shift_seconds: i64) -> calcom_stand_in::Options {
    let noa = demo::NOA.calcom.as_ref().expect("Noa uses Cal.com");
    calcom_stand_in::Options {
        users: vec![calcom_stand_in::User {
            username: noa.username.into(),
            name: demo::NOA.display_name.into(),
            email: demo::NOA.email.into(),
            api_key: noa.api_key.into(),
            time_zone: demo::NOA.timezone.into(),
            hours: Hours::on(
                &[
                    Weekday::Monday,
                    Weekday::Tuesday,
                    Weekday::Wednesday,
                    Weekday::Thursday,
                    Weekday::Friday,
                    Weekday::Saturday,
                    Weekday::Sunday,
                ],
                "09:00",
                "19:00",
            ),
            event_types: vec![calcom_stand_in::EventType {
                id: u64::try_from(noa.event_type_id).expect("positive"),
                slug: "seance".into(),
                title: "Séance".into(),
                lengths: vec![60, 90, 120, 150, 180, 240],
                requires_confirmation: false,
                blocks_while_pending: true,
                minimum_notice_minutes: 0,
                window_days: None,
                slot_interval_minutes: Some(30),
                location: demo::NOA.address.into(),
                ..calcom_stand_in::EventType::default()
            }],
        }],
        clock_shift_seconds,
        rate_limit_per_minute: Some(120),
        ..calcom_stand_in::Options::default()
    }
}

/// An instant, written as a person writes it.
///
/// # Panics
/// The text is not one.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
