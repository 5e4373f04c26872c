//! Sends the mails, each once per occasion, and none that is not true any more.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::db::dossier::Dossier;
use shared::db::emails::{self, Begun, End, MailKey, Share};
use shared::domain::booking::Status;
use shared::domain::calendar::CalendarState;
use shared::domain::ids::BookingId;
use shared::domain::job::{Occasion, Outcome, Template};
use shared::error::{Error, Service};
use shared::mail::MailFailure;
use shared::mail::returned::{Fate, News};
use shared::settle;

use crate::letters::letter;
use crate::{App, Attempt};

/// How long to wait when SES takes no mail at all until an operator acts.
pub(crate) const PAUSED: Duration = Duration::from_secs(600);

/// With less left, a mail about a hold comes too late.
const LEAST_TO_PAY: SignedDuration = SignedDuration::from_mins(5);

pub(crate) async fn send(attempt: &Attempt<'_>, template: Template, occasion: &Occasion) -> Result<Outcome, Error> {
    let &Attempt { app, dossier, now, .. } = attempt;
    let id = dossier.booking.id;
    if template == Template::ClientHeld {
        // Most have paid by now, or gave the slot back: that is no failure.
        if !can_still_pay(dossier, now) || is_paid(app, dossier, now).await? {
            return Ok(Outcome::Done);
        }
    } else if let Some(why) = untrue(dossier, template, occasion, now) {
        return Ok(Outcome::Discard { why: why.into() });
    }
    let mail = letter(app, dossier, template, occasion, now).compose();
    let key = MailKey { booking: id, template, occasion };
    match emails::begin(&app.db, key, &mail.to, rests_on_nothing(dossier, template, occasion), now).await? {
        Begun::Send => {}
        Begun::Over => return Ok(Outcome::Done),
        Begun::Unknown => return Ok(nobody_knows(id, template)),
        Begun::Withheld(share) => return Ok(withheld(id, template, share)),
    }
    let ended = async |end: End<'_>| emails::ended(&app.db, key, end, now).await;
    match app.mailer.send(&mail).await {
        Ok(message) => {
            ended(End::Sent(&message.0)).await?;
            Ok(Outcome::Done)
        }
        Err(MailFailure::Permanent(why)) => {
            ended(End::Refused(&why)).await?;
            Ok(Outcome::Discard { why })
        }
        Err(MailFailure::Pause(why)) => {
            ended(End::NotTaken(&why)).await?;
            Ok(Outcome::Retry { after: PAUSED, why })
        }
        Err(MailFailure::Retry(why)) => {
            ended(End::NotTaken(&why)).await?;
            Ok(Outcome::Retry { after: attempt.wait(), why })
        }
        Err(MailFailure::Unanswered(why)) => {
            if ended(End::Unanswered(&why)).await? {
                return Ok(nobody_knows(id, template));
            }
            Ok(Outcome::Retry { after: attempt.wait(), why })
        }
    }
}

/// Whether no payment stands behind a mail to a client: somebody has typed the address, and nobody has shown that it is
/// theirs. A mail that is asked for again rests on a press, whatever was paid.
fn rests_on_nothing(dossier: &Dossier, template: Template, occasion: &Occasion) -> bool {
    !template.is_to_artist() && (dossier.booking.ledger.is_empty() || matches!(occasion, Occasion::Again(_)))
}

/// Both tries went unanswered. A third could be a third copy.
fn nobody_knows(booking: BookingId, template: Template) -> Outcome {
    tracing::error!(booking.id = %booking, template = template.name(), "nobody knows whether a mail arrived");
    Outcome::Discard { why: "SES gave no answer twice and may have the mail: it is not sent any more".into() }
}

/// Notes what SES tells of a mail that it had taken.
pub(crate) async fn heard(app: &App, news: &News) -> Result<(), Error> {
    let (Fate::Returned(why), Some(booking)) = (&news.fate, news.booking) else {
        tracing::info!(message.id = news.message_id, fate = ?news.fate, "news of a mail");
        return Ok(());
    };
    if emails::came_back(&app.db, booking, &news.message_id, why).await? {
        tracing::warn!(booking.id = %booking, why, "a mail came back");
    } else {
        tracing::info!(booking.id = %booking, why, "a mail came back that is not on record as sent");
    }
    Ok(())
}

/// Too many mails that rest on no payment.
fn withheld(booking: BookingId, template: Template, share: Share) -> Outcome {
    tracing::warn!(booking.id = %booking, template = template.name(), ?share, "a mail was withheld");
    let why = match share {
        Share::Address => "this address has had many mails without a payment: not now",
        Share::Artist => "many mails went out without a payment: not now",
    };
    Outcome::Discard { why: why.into() }
}

/// Whether there is a page to pay on, and time to do so.
fn can_still_pay(dossier: &Dossier, now: Timestamp) -> bool {
    let state = &dossier.booking.state;
    let in_time = |end: Timestamp| end.duration_since(now) >= LEAST_TO_PAY;
    state.status == Status::Pending
        && state.payment_problem.is_none()
        && dossier.booking.ledger.is_empty()
        && dossier.booking.checkout_session.is_some()
        // A hold that outlasts its page waits for the bank of somebody who has paid.
        && state.hold_expires_at.is_some_and(|end| in_time(end) && dossier.checkout_expires_at.is_some_and(|page| end <= page))
}

/// Asks Stripe, which may know of a payment that no webhook brought; it is settled then.
async fn is_paid(app: &App, dossier: &Dossier, now: Timestamp) -> Result<bool, Error> {
    let Some(session) = &dossier.booking.checkout_session else { return Ok(false) };
    let session = app
        .stripe
        .session(session, dossier.stripe_account.as_deref())
        .await
        .map_err(|error| Error::Outside { service: Service::Stripe, why: error.to_string() })?;
    if session.is_open() {
        return Ok(false);
    }
    let settled = settle::session(&app.db, dossier.booking.id, &session, now).await?;
    app.queue.hand_on(settled.jobs()).await;
    Ok(true)
}

/// Why a mail should not go out any more, if so.
fn untrue(dossier: &Dossier, template: Template, occasion: &Occasion, now: Timestamp) -> Option<&'static str> {
    let state = &dossier.booking.state;
    match template {
        Template::ArtistCalendarConflict
            if matches!(occasion, Occasion::CalledOffThere(_))
                && (dossier.calendar_state != CalendarState::CalledOff || !state.status.is_open()) =>
        {
            Some("the artist is not asked any more")
        }
        Template::ArtistPending if state.status != Status::Pending || dossier.booking.has_lapsed(now) => {
            Some("the booking is not pending any more")
        }
        Template::ArtistConfirmed | Template::ClientConfirmed if !state.status.stands() => {
            Some("the booking is not confirmed any more")
        }
        Template::ArtistCancelled | Template::ClientCancelled if state.status != Status::Cancelled => {
            Some("the booking is not cancelled any more")
        }
        Template::ClientMoved | Template::ArtistMoved if !state.status.is_open() => {
            Some("the booking does not stand any more")
        }
        _ => None,
    }
}
