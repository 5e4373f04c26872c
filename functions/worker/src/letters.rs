//! What a mail says of a booking: the dossier in the words that the letters take.

use jiff::Timestamp;
use shared::db::dossier::Dossier;
use shared::domain::booking::{CalendarMode, CancelReason, PaymentProblem, PaymentStatus, Status};
use shared::domain::calendar::Question;
use shared::domain::dispute::DisputeStatus;
use shared::domain::job::{Occasion, RefundReason, Template};
use shared::domain::ledger::{Entry, EntryKind};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::DepositNature;
use shared::mail::letter::{self, Alert, DisputeNews, Letter};
use shared::terms;

use crate::App;

pub(crate) fn letter(app: &App, dossier: &Dossier, template: Template, occasion: &Occasion, now: Timestamp) -> Letter {
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
            calendar_url: booking.calendar_booking.as_deref().map(|uid| app.calcom_pages.booking(uid)),
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
    let received = booking.ledger.totals(booking.currency).captured;
    let kept = booking.state.kept.unwrap_or_default();
    let disputed = booking.state.payment_status == PaymentStatus::Disputed
        || booking.state.payment_intent.as_deref().is_some_and(|own| booking.is_blocked(own));
    let by_artist = matches!(reason, CancelReason::Artist | CancelReason::Calendar);
    let twofold = by_artist && booking.policy.nature == DepositNature::Arrhes && booking.state.payment_intent.is_some();
    Some(letter::Ending {
        by_client: reason == CancelReason::Client,
        in_calendar: reason == CancelReason::Calendar,
        returned: if disputed { Cents::ZERO } else { received.saturating_sub(kept) },
        kept: if disputed { Cents::ZERO } else { kept },
        owed_beyond: if twofold && !disputed { booking.deposit } else { Cents::ZERO },
        disputed,
        stood: dossier.was_confirmed,
    })
}

/// The refund that a mail speaks of: its occasion is Stripe's id of it.
fn refund(dossier: &Dossier, template: Template, occasion: &Occasion) -> Option<letter::Refund> {
    let booking = &dossier.booking;
    let entry = match template {
        Template::ClientLateRefund | Template::ClientRefundFailed => moved(dossier, EntryKind::Refund, occasion)?,
        _ => return None,
    };
    let is_own = booking.state.payment_intent.as_deref() == Some(entry.payment_intent.as_str());
    let lapsed = matches!(booking.state.cancel_reason, Some(CancelReason::HoldExpired | CancelReason::PaymentFailed));
    let reason = match booking.state.status {
        Status::Cancelled if lapsed => RefundReason::Late,
        Status::Cancelled => RefundReason::Cancelled,
        Status::Confirmed | Status::Completed if is_own => RefundReason::ByHand,
        Status::Pending | Status::Confirmed | Status::Completed => RefundReason::Duplicate,
    };
    Some(letter::Refund { amount: -entry.amount, reason })
}

/// The movement of money that an occasion names.
fn moved<'a>(dossier: &'a Dossier, kind: EntryKind, occasion: &Occasion) -> Option<&'a Entry> {
    let entries = dossier.booking.ledger.entries().iter();
    entries.into_iter().find(|entry| entry.kind == kind && occasion.is_of(&entry.stripe_id))
}

/// What an artist must look at; the occasion names the payment, the refund or the dispute.
fn problem(dossier: &Dossier, template: Template, occasion: &Occasion) -> Option<Alert> {
    let booking = &dossier.booking;
    let entry = |kind| moved(dossier, kind, occasion);
    match template {
        Template::ArtistCalendarConflict => Some(match occasion {
            Occasion::MovedThere(_) => Alert::CalendarMoved,
            Occasion::Kept(_) => Alert::CalendarKept,
            Occasion::CalledOffThere(_) => {
                let question = dossier.calendar_note.as_deref().and_then(Question::parse);
                Alert::CalendarCalledOff(question.unwrap_or(Question::Unknown))
            }
            _ => Alert::CalendarTaken,
        }),
        Template::ArtistPaymentProblem => {
            if let Some(failed) = entry(EntryKind::RefundFailed) {
                return Some(Alert::RefundFailed { amount: Some(failed.amount) });
            }
            if matches!(occasion, Occasion::RefundImpossible(_)) {
                return Some(Alert::RefundFailed { amount: None });
            }
            match entry(EntryKind::Capture) {
                Some(received) if booking.state.payment_problem == Some(PaymentProblem::Mismatch) => {
                    Some(Alert::Mismatch { received: Some((received.amount, received.currency.clone())) })
                }
                Some(received) => Some(Alert::Duplicate { amount: Some(received.amount) }),
                None => Some(disputed(dossier, occasion)),
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
        | Template::ClientLateRefund
        | Template::ClientRefundFailed => None,
    }
}

/// The dispute that an occasion names, as it is now.
fn disputed(dossier: &Dossier, occasion: &Occasion) -> Alert {
    let dispute = dossier.booking.disputes.iter().find(|dispute| occasion.is_of(&dispute.id));
    let news = match dispute.map(|dispute| &dispute.status) {
        Some(status) if status.is_inquiry() => DisputeNews::Inquiry,
        Some(DisputeStatus::Lost) => DisputeNews::Lost,
        _ => DisputeNews::Open,
    };
    Alert::Disputed {
        news,
        amount: dispute.map(|dispute| dispute.amount),
        due_by: dispute.and_then(|dispute| dispute.due_by),
    }
}
