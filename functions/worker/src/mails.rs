//! Sends the mails, each once per occasion, and none that is not true any more.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::db::dossier::{self, Dossier};
use shared::db::emails::{self, Begun, End, MailKey, Share};
use shared::domain::booking::{CalendarMode, CancelReason, EntryKind, PaymentProblem, PaymentStatus, Status};
use shared::domain::calendar::{CalendarState, Question};
use shared::domain::contact::Locale;
use shared::domain::ids::BookingId;
use shared::domain::job::{Occasion, Outcome, RefundReason, Template};
use shared::domain::money::Cents;
use shared::domain::policy::DepositNature;
use shared::error::{Error, Service};
use shared::mail::MailFailure;
use shared::mail::letter::{self, Letter, Problem};
use shared::mail::returned::{Fate, News};
use shared::settle;
use shared::terms;

use crate::{App, wait};

/// How long to wait when SES takes no mail at all until an operator acts.
pub(crate) const PAUSED: Duration = Duration::from_secs(600);

/// With less left, a mail about a hold comes too late.
const LEAST_TO_PAY: SignedDuration = SignedDuration::from_mins(5);

pub(crate) async fn send(
    app: &App,
    id: BookingId,
    template: Template,
    occasion: &Occasion,
    attempts: i32,
    now: Timestamp,
) -> Result<Outcome, Error> {
    let Some(dossier) = dossier::read(&app.db, id).await? else {
        return Ok(Outcome::Discard { why: "there is no such booking".into() });
    };
    if template == Template::ClientHeld {
        // Most have paid by now, or gave the slot back: that is no failure.
        if !can_still_pay(&dossier, now) || is_paid(app, &dossier, now).await? {
            return Ok(Outcome::Done);
        }
    } else if let Some(why) = untrue(&dossier, template, occasion, now) {
        return Ok(Outcome::Discard { why: why.into() });
    }
    let mail = letter(app, &dossier, template, occasion, now).compose();
    let key = MailKey { booking: id, template, occasion };
    match emails::begin(&app.db, key, &mail.to, rests_on_nothing(&dossier, template, occasion), now).await? {
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
            Ok(Outcome::Retry { after: wait(attempts), why })
        }
        Err(MailFailure::Unanswered(why)) => {
            if ended(End::Unanswered(&why)).await? {
                return Ok(nobody_knows(id, template));
            }
            Ok(Outcome::Retry { after: wait(attempts), why })
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
    if session.status.as_deref() == Some("open") {
        return Ok(false);
    }
    let settled = settle::session(&app.db, dossier.booking.id, &session, now).await?;
    crate::send(app, settled.jobs()).await;
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

fn letter(app: &App, dossier: &Dossier, template: Template, occasion: &Occasion, now: Timestamp) -> Letter {
    let booking = &dossier.booking;
    let locale = if template.is_to_artist() { dossier.artist.locale } else { dossier.client.locale };
    Letter {
        template,
        locale,
        artist: letter::Artist {
            name: dossier.artist.name.clone(),
            email: dossier.artist.email.clone(),
            address: street(dossier, template, now),
            city: dossier.artist.city.clone(),
            zone: dossier.artist.zone.clone(),
            slug: dossier.artist.slug.clone(),
            has_calcom: booking.calendar != CalendarMode::Off,
        },
        client: letter::Client {
            name: dossier.client.name.clone(),
            email: dossier.client.email.clone(),
            phone: dossier.client.phone.clone(),
        },
        booking: letter::Booking {
            id: booking.id,
            version: booking.version,
            title: dossier.title.clone(),
            project: dossier.project.as_ref().map(|project| letter::Project {
                description: project.description.clone(),
                body_zone: project.body_zone.clone(),
                budget: project.budget,
            }),
            starts_at: booking.starts_at,
            ends_at: booking.ends_at,
            price: dossier.price,
            deposit: booking.deposit,
            nature: dossier.booking.policy.nature,
            paid: booking.in_hand(),
            due: booking.deposit_due(),
            left_to_pay: booking.left_to_pay(dossier.price),
            stands: booking.state.status.stands(),
            hold_expires_at: booking.state.hold_expires_at,
            calendar_url: booking
                .calendar_booking
                .as_ref()
                .map(|uid| format!("{}/booking/{uid}", app.calcom_web.trim_end_matches('/'))),
            policy: policy(dossier, locale, now),
        },
        refund: refund(dossier, template, occasion),
        ending: ending(dossier),
        problem: problem(dossier, template, occasion),
        public_url: app.public_url.clone(),
        sender: app.mailer.sender().to_owned(),
        sent_at: now,
    }
}

/// The street, for the artist and for a client who may know it at this moment.
fn street(dossier: &Dossier, template: Template, now: Timestamp) -> String {
    let artist = &dossier.artist;
    if template.is_to_artist() {
        return artist.address.clone();
    }
    artist.address_shown.to_client(artist.address.clone(), &dossier.booking, now).unwrap_or_default()
}

/// What a client who cancels gets back, while there is something to cancel.
fn policy(dossier: &Dossier, locale: Locale, now: Timestamp) -> String {
    let booking = &dossier.booking;
    if booking.starts_at <= now {
        return String::new();
    }
    let terms = terms::of_appointment(&booking.policy, booking.starts_at, &dossier.artist.zone, locale, now);
    format!("{terms} {}", booking.policy.way(true, locale))
}

/// How the appointment was called off and what becomes of its money, as the ledger and the terms have it.
fn ending(dossier: &Dossier) -> Option<letter::Ending> {
    let booking = &dossier.booking;
    let reason = booking.state.cancel_reason?;
    let received = Cents::checked_sum(
        booking
            .ledger
            .iter()
            .filter(|entry| entry.kind == EntryKind::Capture && entry.currency == booking.currency.code())
            .map(|entry| entry.amount),
    )
    .unwrap_or_default();
    let kept = booking.state.kept.unwrap_or_default();
    let disputed = booking.state.payment_status == PaymentStatus::Disputed;
    let by_artist = matches!(reason, CancelReason::Artist | CancelReason::Calendar);
    let twofold = by_artist && booking.policy.nature == DepositNature::Arrhes && booking.state.payment_intent.is_some();
    Some(letter::Ending {
        by_client: reason == CancelReason::Client,
        in_calendar: reason == CancelReason::Calendar,
        returned: if disputed { Cents::ZERO } else { received.checked_sub(kept).unwrap_or_default() },
        kept: if disputed { Cents::ZERO } else { kept },
        owed_beyond: if twofold && !disputed { booking.deposit } else { Cents::ZERO },
        disputed,
        stood: dossier.was_confirmed,
    })
}

/// The refund that a mail speaks of: its occasion is Stripe's id of it.
fn refund(dossier: &Dossier, template: Template, occasion: &Occasion) -> Option<letter::Refund> {
    if template != Template::ClientLateRefund {
        return None;
    }
    let booking = &dossier.booking;
    let entry =
        booking.ledger.iter().find(|entry| entry.kind == EntryKind::Refund && occasion.is_of(&entry.stripe_id))?;
    let lapsed = matches!(booking.state.cancel_reason, Some(CancelReason::HoldExpired | CancelReason::PaymentFailed));
    let reason = match booking.state.status {
        Status::Cancelled if lapsed => RefundReason::Late,
        Status::Cancelled => RefundReason::Cancelled,
        Status::Pending | Status::Confirmed | Status::Completed => RefundReason::Duplicate,
    };
    Some(letter::Refund { amount: -entry.amount, reason })
}

/// What an artist must look at; the occasion names the payment, the refund or the dispute.
fn problem(dossier: &Dossier, template: Template, occasion: &Occasion) -> Option<Problem> {
    let booking = &dossier.booking;
    let entry = |kind| booking.ledger.iter().find(|entry| entry.kind == kind && occasion.is_of(&entry.stripe_id));
    match template {
        Template::ArtistCalendarConflict => Some(match occasion {
            Occasion::MovedThere(_) => Problem::CalendarMoved,
            Occasion::Kept(_) => Problem::CalendarKept,
            Occasion::CalledOffThere(_) => {
                let question = dossier.calendar_note.as_deref().and_then(Question::parse);
                Problem::CalendarCalledOff(question.unwrap_or(Question::Unknown))
            }
            _ => Problem::CalendarTaken,
        }),
        Template::ArtistPaymentProblem => {
            if let Some(failed) = entry(EntryKind::RefundFailed) {
                return Some(Problem::RefundFailed { amount: Some(failed.amount) });
            }
            if matches!(occasion, Occasion::RefundImpossible(_)) {
                return Some(Problem::RefundFailed { amount: None });
            }
            match entry(EntryKind::Capture) {
                Some(received) if booking.state.payment_problem == Some(PaymentProblem::Mismatch) => {
                    Some(Problem::Mismatch { received: Some((received.amount, received.currency.clone())) })
                }
                Some(received) => Some(Problem::Duplicate { amount: Some(received.amount) }),
                None => Some(Problem::Disputed),
            }
        }
        Template::ArtistPending
        | Template::ArtistConfirmed
        | Template::ArtistCancelled
        | Template::ArtistMoved
        | Template::ClientHeld
        | Template::ClientConfirmed
        | Template::ClientCancelled
        | Template::ClientMoved
        | Template::ClientLateRefund => None,
    }
}
