//! Money that a webhook should have told us of: refunds that are open, and the events of the last days.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use shared::db::bookings::Reference;
use shared::db::reconcile::{self, MovingMoney, STRIPE_EVENTS};
use shared::domain::booking::{Facts, Outcome};
use shared::domain::time::{after, before};
use shared::error::Error;
use shared::settle::{self, events};

use crate::{App, Report};

/// Refunds asked about in one sweep; the least recently asked first.
const REFUNDS: i64 = 20;

/// A refund is asked about this often, and not before its job had this much time.
const REFUND_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// Bookings with an open dispute that are asked about in one sweep.
const DISPUTES: i64 = 20;

/// A dispute lives for weeks; whatever happens to it, an event tells sooner.
const DISPUTE_AGAIN: SignedDuration = SignedDuration::from_hours(6);

/// How often the events are looked at.
const EVENTS_AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// How much of what was looked at before is looked at again: Stripe's list may be a little behind its webhooks.
const OVERLAP: SignedDuration = SignedDuration::from_mins(60);

/// A younger event is still on its way to the webhook.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(2);

/// Once in this while the look goes back [`DAYS`]: what failed to be applied then is tried again.
const FAR_LOOK_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// How far the daily look goes back: as long as Stripe itself tries to deliver an event.
const DAYS: SignedDuration = SignedDuration::from_hours(3 * 24);

/// How far any look goes back. Stripe keeps events for 30 days.
const KEPT: SignedDuration = SignedDuration::from_hours(29 * 24);

/// Pages of 100 events in one sweep.
const PAGES: usize = 5;

/// A sweep that dies in a look keeps the others out for this long.
const LEASE: SignedDuration = SignedDuration::from_secs(90);

/// Asks Stripe about the payments that should be on their way back.
pub(crate) async fn refunds(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    for open in reconcile::open_refunds(&app.db, before(now, REFUND_AGAIN), REFUNDS, now).await? {
        match refund(app, &open, now).await {
            Ok(Refunded::Settled) => report.refunds_settled += 1,
            Ok(Refunded::UnderWay) => {}
            Ok(Refunded::Revived) => report.refunds_revived += 1,
            Ok(Refunded::Stuck) => {
                tracing::error!(booking.id = %open.booking, "money is owed and nothing gives it back: somebody must look");
                report.refunds_stuck += 1;
            }
            Err(error) => {
                tracing::warn!(booking.id = %open.booking, error = %error, "an open refund could not be asked about");
                report.failed += 1;
            }
        }
    }
    Ok(())
}

enum Refunded {
    /// Stripe had news.
    Settled,
    /// A job is at it.
    UnderWay,
    /// Its job had been given up and begins anew.
    Revived,
    /// No job is at it, and none can be.
    Stuck,
}

async fn refund(app: &App, open: &MovingMoney, now: Timestamp) -> Result<Refunded, Error> {
    if read_again(app, open, now).await? {
        return Ok(Refunded::Settled);
    }
    if open.under_way {
        return Ok(Refunded::UnderWay);
    }
    let revived = reconcile::revive_refunds(&app.db, open.booking, now).await?;
    app.queue.hand_on(&revived).await;
    if !revived.is_empty() {
        return Ok(Refunded::Revived);
    }
    // Owed, and no job knows of it.
    let reference = Reference::booking(open.booking);
    let settled = settle::settle(&app.db, &reference, None, now, |booking, _| booking.give_back()).await?;
    app.queue.hand_on(settled.jobs()).await;
    Ok(match settled.outcome() {
        Outcome::RefundAsked => Refunded::Revived,
        // On its way with Stripe, and nothing more to do than to ask again.
        Outcome::AlreadyApplied => Refunded::UnderWay,
        _ => Refunded::Stuck,
    })
}

/// Reads at Stripe what has become of all payments of a booking; says whether that was news.
async fn read_again(app: &App, open: &MovingMoney, now: Timestamp) -> Result<bool, Error> {
    let mut all = Facts::default();
    for payment_intent in &open.payment_intents {
        let facts = settle::facts(&app.stripe, payment_intent, open.account.as_deref(), now).await;
        let facts = facts.map_err(|error| Error::PaymentUnavailable(error.to_string()))?;
        all.refunds.extend(facts.refunds);
        all.disputes.extend(facts.disputes);
        all.movements.extend(facts.movements);
    }
    let reference = Reference::booking(open.booking);
    let settled = settle::settle(&app.db, &reference, None, now, |booking, _| booking.settle(&all)).await?;
    app.queue.hand_on(settled.jobs()).await;
    if settled.outcome() == Outcome::RefundFailed {
        tracing::error!(booking.id = %open.booking, "a refund has failed: its money is with us again");
    }
    Ok(matches!(settled.outcome(), Outcome::Settled | Outcome::RefundFailed))
}

/// Asks Stripe about the disputes that are open: of their end a webhook may never have told.
pub(crate) async fn disputes(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    for open in reconcile::open_disputes(&app.db, before(now, DISPUTE_AGAIN), DISPUTES, now).await? {
        match read_again(app, &open, now).await {
            Ok(true) => report.disputes_settled += 1,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(booking.id = %open.booking, error = %error, "an open dispute could not be asked about");
                report.failed += 1;
            }
        }
    }
    Ok(())
}

/// Where a look at the events is.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    /// The end of the last look that came to its end.
    seen_to: Option<Timestamp>,
    /// When the last far look began.
    far_at: Option<Timestamp>,
    /// The look that is under way.
    open: Option<Window>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Window {
    from: Timestamp,
    to: Timestamp,
    /// The last event of the page before.
    after: Option<String>,
    /// Everything so far could be applied.
    whole: bool,
}

impl Look {
    fn window(&mut self, now: Timestamp) -> Window {
        if let Some(open) = self.open.take() {
            return open;
        }
        let far = self.far_at.is_none_or(|at| at <= before(now, FAR_LOOK_AGAIN));
        let seen = self.seen_to.map_or(before(now, DAYS), |to| before(to, OVERLAP));
        if far {
            self.far_at = Some(now);
        }
        let from = if far { seen.min(before(now, DAYS)) } else { seen };
        Window { from: from.max(before(now, KEPT)), to: before(now, ON_ITS_WAY), after: None, whole: true }
    }
}

/// Looks through Stripe's own list of events for those that no webhook brought, and treats them as the webhook would.
pub(crate) async fn look_at_events(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    let Some(mut look) = reconcile::begin::<Look>(&app.db, STRIPE_EVENTS, LEASE, now).await? else { return Ok(()) };
    let mut window = look.window(now);
    for _ in 0..PAGES {
        let page = app.stripe.events(&shared::stripe::EVENTS, window.from, window.to, window.after.as_deref()).await;
        let page = match page {
            Ok(page) => page,
            // The event that was the end of the last page is forgotten by now: begin the look anew.
            Err(error) if window.after.is_some() && !error.is_transient() => {
                tracing::warn!(error = %error, "the look at Stripe's events begins anew");
                window.after = None;
                break;
            }
            Err(error) => {
                tracing::warn!(error = %error, "Stripe's events could not be read");
                report.failed += 1;
                break;
            }
        };
        let ids: Vec<String> = page.data.iter().map(|event| event.id.clone()).collect();
        let unknown = reconcile::unknown_events(&app.db, &ids).await?;
        // The oldest first, as they happened. Any order is right; this one tells the story best.
        for event in page.data.iter().rev().filter(|event| unknown.contains(&event.id)) {
            if event.livemode != app.stripe.is_live() {
                continue;
            }
            match events::apply(&app.db, event, now).await {
                Ok(settled) => {
                    tracing::warn!(
                        event.id,
                        event.kind,
                        outcome = settled.outcome().name(),
                        "no webhook had brought this event"
                    );
                    // As the webhook says it: a dispute or a refund that failed is told to the operator whoever found it.
                    tracing::info!(event.id, event.kind, outcome = settled.outcome().name(), "event applied");
                    report.events_found += 1;
                    app.queue.hand_on(settled.jobs()).await;
                }
                Err(error) => {
                    tracing::error!(event.id, event.kind, error = %error, "an event could not be applied");
                    report.failed += 1;
                    window.whole = false;
                }
            }
        }
        window.after = ids.last().cloned();
        if !page.has_more || ids.is_empty() {
            if window.whole {
                look.seen_to = Some(window.to);
            }
            return reconcile::note(&app.db, STRIPE_EVENTS, &look, after(now, EVENTS_AGAIN)).await;
        }
        // Should this sweep die on the next page, the next one goes on here.
        look.open = Some(window.clone());
        reconcile::note(&app.db, STRIPE_EVENTS, &look, after(now, LEASE)).await?;
    }
    look.open = Some(window);
    reconcile::note(&app.db, STRIPE_EVENTS, &look, now).await
}
