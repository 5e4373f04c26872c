//! What makes the system right again by itself: once a minute it sends the jobs that got lost on the way, asks
//! Stripe about every unpaid hold, every open refund and its own list of events, compares bookings with Cal.com, and
//! gives back the slots that nobody paid. In a healthy system it finds nothing.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::calcom::calendars::Calendars;
use shared::clock::Clock;
use shared::config::{self, ConfigError};
use shared::db::holds::{self, Due};
use shared::db::{Db, emails, outbox, reconcile, upkeep};
use shared::domain::booking::{CancelReason, Outcome, Status};
use shared::domain::ids::JobId;
use shared::domain::time::before;
use shared::error::Error;
use shared::queue::Queue;
use shared::settle::{self, Settled};
use shared::stripe::Stripe;
use shared::{aws, net};

mod calendars;
mod money;

/// Jobs sent again in one call to the database.
const RELAY_BATCH: i64 = 100;

/// Holds asked about in one sweep. What is over comes next minute, the least recently asked first.
const HOLDS: i64 = 60;

/// Calls to Stripe at the same time: far below its 100 a second, and a sweep of 60 takes seconds.
const AT_ONCE: usize = 6;

/// A hold younger than this is left alone: its client is still on the way to Stripe.
const ASK_AFTER: SignedDuration = SignedDuration::from_secs(20);

/// What is kept of the function's time to answer.
const RESERVE: Duration = Duration::from_secs(3);

/// What the function works with.
#[expect(missing_debug_implementations, reason = "it holds secrets")]
pub struct App {
    pub db: Db,
    /// Carries the jobs.
    pub queue: Queue,
    pub stripe: Stripe,
    pub calendars: Calendars,
    pub clock: Clock,
    /// Origin of the site.
    pub public_url: String,
}

impl App {
    pub fn from_env() -> Result<Self, ConfigError> {
        let http = net::client(&net::tls());
        Ok(Self {
            db: Db::from_env()?,
            queue: Queue::from_env(&aws::settings(&http)?)?,
            stripe: Stripe::from_env(http.clone())?,
            calendars: Calendars::from_env(http)?,
            clock: config::clock()?,
            public_url: config::public_url()?,
        })
    }
}

/// What a sweep did. All zeros but `asked`, `checked`, `completed` and `forgotten` is what a healthy system looks like.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Jobs sent again.
    pub relayed: usize,
    /// Jobs that the queue did not take: the next sweep tries again.
    pub not_relayed: usize,
    /// Holds that Stripe was asked about.
    pub asked: usize,
    /// Payments that no webhook had told us of.
    pub payments_found: usize,
    /// Holds given back.
    pub released: usize,
    /// Refunds of which Stripe had news that no webhook had told us of.
    pub refunds_settled: usize,
    /// Refunds that had been given up over an outage and begin anew.
    pub refunds_revived: usize,
    /// Refunds that a person must look at: money is owed, and Stripe will not give it back.
    pub refunds_stuck: usize,
    /// Disputes of which Stripe had news that no webhook had told us of.
    pub disputes_settled: usize,
    /// Events of Stripe that no webhook had brought.
    pub events_found: usize,
    /// Bookings that were compared with what Cal.com has.
    pub checked: usize,
    /// Bookings that the artist moved or cancelled in Cal.com, and no webhook told us.
    pub calendar_changes: usize,
    /// Bookings that Cal.com had lost, or kept although they are cancelled: their job begins anew.
    pub calendar_repairs: usize,
    /// Appointments that took place and are closed.
    pub completed: usize,
    /// Jobs that were given up and wait for somebody.
    pub dead_jobs: usize,
    /// Mails whose job has ended, and of which nobody knows whether they arrived.
    pub mails_in_doubt: usize,
    /// Questions that Stripe or the database did not answer: asked again next time.
    pub failed: usize,
    /// Old rows of counters and keys that were deleted.
    pub forgotten: u64,
}

/// Sweeps once, within the time that is left.
///
/// # Errors
/// The database cannot be reached: nothing was swept, and the schedule's alarm should know.
pub async fn sweep(app: &App, deadline: SystemTime) -> Result<Report, Error> {
    #[expect(clippy::disallowed_methods, reason = "the runtime's deadline is on the system's clock")]
    let left = deadline.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(RESERVE);
    let mut report = Report::default();
    match tokio::time::timeout(left, run(app, &mut report)).await {
        Ok(result) => result?,
        Err(_elapsed) => tracing::warn!("the sweep ran out of time; the next one goes on"),
    }
    tracing::info!(
        relayed = report.relayed,
        not_relayed = report.not_relayed,
        asked = report.asked,
        payments_found = report.payments_found,
        released = report.released,
        refunds_settled = report.refunds_settled,
        refunds_revived = report.refunds_revived,
        refunds_stuck = report.refunds_stuck,
        disputes_settled = report.disputes_settled,
        events_found = report.events_found,
        checked = report.checked,
        calendar_changes = report.calendar_changes,
        calendar_repairs = report.calendar_repairs,
        completed = report.completed,
        dead_jobs = report.dead_jobs,
        mails_in_doubt = report.mails_in_doubt,
        failed = report.failed,
        forgotten = report.forgotten,
        "swept"
    );
    Ok(report)
}

async fn run(app: &App, report: &mut Report) -> Result<(), Error> {
    let now = app.clock.now();
    // Jobs first: what a person waits for should not wait for Stripe.
    relay(app, report, now).await?;
    ask_stripe(app, report, now).await?;
    money::refunds(app, report, now).await?;
    money::disputes(app, report, now).await?;
    money::look_at_events(app, report, now).await?;
    calendars::compare(app, report, now).await?;
    calendars::close(app, report, now).await?;
    report.dead_jobs = reconcile::dead_jobs(&app.db).await?;
    if report.dead_jobs > 0 {
        tracing::error!(dead_jobs = report.dead_jobs, "jobs were given up: see outbox.last_error");
    }
    report.mails_in_doubt = emails::close_abandoned(&app.db).await?;
    if report.mails_in_doubt > 0 {
        tracing::error!(mails = report.mails_in_doubt, "nobody knows whether a mail arrived");
    }
    report.forgotten = upkeep::forget(&app.db, now).await? + upkeep::forget_people(&app.db, now).await?;
    Ok(())
}

async fn relay(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    loop {
        let jobs = outbox::overdue(&app.db, RELAY_BATCH, now).await?;
        if jobs.is_empty() {
            return Ok(());
        }
        let accepted = app.queue.send(&jobs).await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "the queue takes no jobs");
            Vec::new()
        });
        let refused: Vec<JobId> = jobs.iter().filter(|job| !accepted.contains(job)).copied().collect();
        report.relayed += accepted.len();
        report.not_relayed += refused.len();
        if !refused.is_empty() {
            return outbox::not_sent(&app.db, &refused, now).await;
        }
    }
}

/// Asks about every page that may still be paid, so that the system is right within minutes even if no webhook ever arrives.
async fn ask_stripe(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    let asked_before = before(now, ASK_AFTER);
    let due = holds::due(&app.db, asked_before, HOLDS, now).await?;
    report.asked = due.len();
    let mut answers = futures_util::stream::iter(&due).map(|due| ask(app, due, now)).buffer_unordered(AT_ONCE);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(Found::Nothing) => {}
            Ok(Found::Payment(settled)) => {
                report.payments_found += 1;
                app.queue.hand_on(settled.jobs()).await;
            }
            Ok(Found::Released(settled)) => {
                report.released += 1;
                app.queue.hand_on(settled.jobs()).await;
            }
            Err(error) => {
                tracing::warn!(error = %error, "a hold could not be settled");
                report.failed += 1;
            }
        }
    }
    Ok(())
}

enum Found {
    Nothing,
    Payment(Settled),
    Released(Settled),
}

async fn ask(app: &App, due: &Due, now: Timestamp) -> Result<Found, Error> {
    let hold = &due.hold;
    let stands = hold.status != Status::Pending;
    if !stands && !hold.is_live(now) {
        let closed = settle::close(&app.db, &app.stripe, hold, &app.public_url, CancelReason::HoldExpired, now).await?;
        return Ok(sorted(closed.into_settled()));
    }
    // Without a session nothing can be paid yet: its client may still come back for it.
    let Some(id) = &hold.session else { return Ok(Found::Nothing) };
    let session = app
        .stripe
        .session(id, hold.account.as_deref())
        .await
        .map_err(|error| Error::PaymentUnavailable(error.to_string()))?;
    let settled = settle::session(&app.db, hold.id, &session, now).await?;
    if stands && session.is_expired() {
        holds::page_closed(&app.db, hold.id).await?;
    }
    Ok(sorted(settled))
}

fn sorted(settled: Settled) -> Found {
    match settled.outcome() {
        Outcome::Released => Found::Released(settled),
        outcome if outcome.is_payment() => Found::Payment(settled),
        _ => Found::Nothing,
    }
}
