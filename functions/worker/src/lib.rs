//! Runs the jobs that the queue brings: calendar, mails, refunds, closing of Checkout Sessions.
//!
//! A job is claimed by lease, worked on with no transaction open, and its outcome recorded. A message is only
//! reported as failed when it should come again; the answer is never an error, which would replay the whole batch.

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use jiff::Timestamp;
use shared::calcom::Pages;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::Db;
use shared::db::dossier::{self, Dossier};
use shared::db::outbox::{self, Claim, Claimed, Ending};
use shared::domain::ids::JobId;
use shared::domain::job::{Outcome, Task, backoff};
use shared::error::Error;
use shared::mail::Mailer;
use shared::mail::returned::News;
use shared::queue::{self, Queue};
use shared::stripe::Stripe;
use shared::{aws, net};

mod calendar;
mod contact_links;
mod letters;
mod mails;
mod money;

/// What is kept of the function's time to record how a job ended.
const RESERVE: Duration = Duration::from_secs(2);

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    /// The queue the jobs come from, for those that follow and those that wait.
    pub queue: Queue,
    pub mailer: Mailer,
    pub stripe: Stripe,
    pub calendars: Calendars,
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
    /// Where clients see their Cal.com booking.
    pub calcom_pages: Pages,
    /// How long a claimed job stays ours: longer than the function may run, shorter than the queue hides a message.
    pub lease: Duration,
    /// After how many attempts a job is given up.
    pub max_attempts: i32,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        let aws = aws::settings(&http)?;
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws)?,
            mailer: Mailer::from_env(&aws)?,
            stripe: Stripe::from_env(http.clone())?,
            calendars: Calendars::from_env(http)?,
            clock: config::clock()?,
            public_url: config::public_url()?,
            calcom_pages: Pages::from_env()?,
            lease: Duration::from_secs(config::or("JOB_LEASE_SECONDS", 90)?),
            max_attempts: config::or("JOB_MAX_ATTEMPTS", 8)?,
        })
    }
}

/// Runs a batch and names the messages that should come again.
///
/// The jobs run side by side: their time is spent waiting for services outside.
pub async fn handle(app: &App, event: SqsEvent, deadline: SystemTime) -> SqsBatchResponse {
    #[expect(clippy::disallowed_methods, reason = "the runtime's deadline is on the system's clock")]
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(RESERVE);
    let failed = join_all(event.records.iter().map(|message| run(app, message, left))).await;
    let mut response = SqsBatchResponse::default();
    for (message, again) in event.records.iter().zip(failed) {
        if again && let Some(id) = &message.message_id {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id.clone();
            response.batch_item_failures.push(failure);
        }
    }
    response
}

/// Runs one message. True when it should come again.
async fn run(app: &App, message: &SqsMessage, left: Duration) -> bool {
    let body = message.body.as_deref().unwrap_or_default();
    let job = queue::parse(body);
    let done = match (job, News::parse(body)) {
        (Some(id), _) => attempt(app, id, message, left).await,
        (None, Some(news)) => mails::heard(app, &news).await.map(|()| false),
        (None, None) => {
            // Nothing of ours: it goes to the dead letters, where somebody looks at it.
            tracing::error!(message.id = message.message_id, "a message names no job");
            return true;
        }
    };
    done.unwrap_or_else(|error| {
        let job = job.map(tracing::field::display);
        tracing::error!(job.id = job, message.id = message.message_id, error = %error, "a job could not be run");
        true
    })
}

async fn attempt(app: &App, id: JobId, message: &SqsMessage, left: Duration) -> Result<bool, Error> {
    let now = app.clock.now();
    let job = match outbox::claim(&app.db, id, app.lease, now).await? {
        Claim::Ours(job) => job,
        Claim::Nothing => return Ok(false),
        Claim::Leased(until) => {
            hide(app, message, until.duration_since(now).unsigned_abs() + Duration::from_secs(1)).await;
            return Ok(true);
        }
    };
    let outcome = match tokio::time::timeout(left, perform(app, &job, now)).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(error)) => Outcome::Retry { after: wait(job.attempts), why: error.to_string() },
        Err(_elapsed) => {
            Outcome::Retry { after: wait(job.attempts), why: "it took longer than the function may run".into() }
        }
    };
    finish(app, &job, &outcome, message).await
}

async fn finish(app: &App, job: &Claimed, outcome: &Outcome, message: &SqsMessage) -> Result<bool, Error> {
    let (ending, again) = match outcome {
        Outcome::Done => (Ending::Done, None),
        Outcome::Discard { why } => (Ending::Discarded(why), None),
        Outcome::Retry { why, .. } if job.attempts >= app.max_attempts => (Ending::Dead(why), Some(Duration::ZERO)),
        Outcome::Retry { after, why } => (Ending::Again { after: *after, why }, Some(*after)),
    };
    let (kind, booking) = (job.task.kind().name(), job.task.booking().map(tracing::field::display));
    match &ending {
        Ending::Done => tracing::info!(job.id = %job.id, job.kind = kind, booking.id = booking, "job done"),
        Ending::Discarded(why) => {
            tracing::warn!(job.id = %job.id, job.kind = kind, booking.id = booking, why, "job discarded");
        }
        Ending::Dead(why) => {
            tracing::error!(job.id = %job.id, job.kind = kind, booking.id = booking, why, "job given up");
        }
        Ending::Again { after, why } => tracing::warn!(
            job.id = %job.id, job.kind = kind, booking.id = booking, attempt = job.attempts,
            after_s = after.as_secs(), why, "job will be tried again"
        ),
    }
    if !outbox::record(&app.db, job, &ending, app.clock.now()).await? {
        tracing::warn!(job.id = %job.id, "the lease was lost before the outcome was recorded");
    }
    match again {
        None => Ok(false),
        Some(after) => {
            hide(app, message, after).await;
            Ok(true)
        }
    }
}

async fn hide(app: &App, message: &SqsMessage, after: Duration) {
    if let Some(handle) = &message.receipt_handle {
        app.queue.hide(handle, after).await;
    }
}

fn wait(attempts: i32) -> Duration {
    backoff(u32::try_from(attempts).unwrap_or(1))
}

/// One attempt at a job about a booking: what each kind of job works with.
struct Attempt<'a> {
    app: &'a App,
    job: &'a Claimed,
    /// The booking as it was when the attempt began.
    dossier: &'a Dossier,
    now: Timestamp,
}

impl Attempt<'_> {
    /// When to try again.
    fn wait(&self) -> Duration {
        wait(self.job.attempts)
    }
}

async fn perform(app: &App, job: &Claimed, now: Timestamp) -> Result<Outcome, Error> {
    let about = match &job.task {
        Task::SendContactLink { link } => return contact_links::send(app, *link, job.attempts, now).await,
        task => task.booking(),
    };
    let dossier = match about {
        Some(booking) => dossier::read(&app.db, booking).await?,
        None => None,
    };
    let Some(dossier) = dossier else { return Ok(Outcome::Discard { why: "there is no such booking".into() }) };
    let attempt = Attempt { app, job, dossier: &dossier, now };
    match &job.task {
        Task::SyncCalendar { .. } => calendar::sync(&attempt).await,
        Task::SendEmail { template, occurrence, .. } => mails::send(&attempt, *template, occurrence).await,
        Task::Refund { payment_intent, reason, .. } => money::refund(&attempt, payment_intent, *reason).await,
        Task::SettlePayment { payment_intent, .. } => money::settle_payment(&attempt, payment_intent).await,
        Task::ExpireCheckout { session, .. } => money::expire(&attempt, session).await,
        Task::SendContactLink { .. } => Err(Error::Internal("a link is of no booking".into())),
    }
}
