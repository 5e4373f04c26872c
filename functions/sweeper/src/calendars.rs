//! Bookings that were moved, cancelled or lost in Cal.com unheard, and appointments that are over.

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use shared::db::bookings::Reference;
use shared::db::calendar::due;
use shared::db::reconcile;
use shared::domain::booking::{Actor, Outcome};
use shared::domain::time::before;
use shared::error::Error;
use shared::follow_calendar::{self, Compared, OVER_AFTER};
use shared::settle;

use crate::{App, Report};

/// Bookings compared in one sweep; what is over comes next minute, the least recently compared first.
const BOOKINGS: i64 = 30;

/// A booking is compared this often; what its artist does in between, the webhook tells.
const AGAIN: SignedDuration = SignedDuration::from_mins(30);

/// Calls to Cal.com at the same time: it allows each artist 120 a minute.
const AT_ONCE: usize = 4;

/// After so many questions without an answer a sweep stops asking.
const PATIENCE: usize = 5;

/// Appointments closed in one sweep.
const OVER: i64 = 50;

/// Compares bookings with what Cal.com has of them.
pub(crate) async fn compare(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    let asked_before = before(now, AGAIN);
    let bookings = due(&app.db, asked_before, BOOKINGS, now).await?;
    let mut answers = futures_util::stream::iter(&bookings)
        .map(|booking| async move {
            (booking, follow_calendar::compare(&app.db, &app.calendars, *booking, None, now).await)
        })
        .buffer_unordered(AT_ONCE);
    let mut unanswered = 0;
    while let Some((booking, answer)) = answers.next().await {
        report.checked += 1;
        match answer {
            Ok(Compared::Nothing(_) | Compared::Busy) => {}
            Ok(compared) => {
                tracing::warn!(booking.id = %booking, outcome = compared.outcome().name(), "Cal.com had changed unheard");
                match &compared {
                    Compared::Repair { .. } => report.calendar_repairs += 1,
                    _ => report.calendar_changes += 1,
                }
                app.queue.hand_on(compared.jobs()).await;
            }
            Err(error) => {
                tracing::warn!(booking.id = %booking, error = %error, "a booking could not be compared with Cal.com");
                report.failed += 1;
                unanswered += 1;
                if unanswered == PATIENCE {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Closes the appointments that took place a while ago and of which nobody said otherwise.
pub(crate) async fn close(app: &App, report: &mut Report, now: Timestamp) -> Result<(), Error> {
    let before = before(now, OVER_AFTER);
    for booking in reconcile::over(&app.db, before, OVER).await? {
        let reference = Reference::booking(booking);
        let settled =
            settle::settle(&app.db, &reference, None, now, |booking, _| booking.complete(Actor::System, now)).await?;
        if settled.outcome() == Outcome::Completed {
            report.completed += 1;
            app.queue.hand_on(settled.jobs()).await;
        }
    }
    Ok(())
}
