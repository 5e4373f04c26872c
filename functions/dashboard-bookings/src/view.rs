//! What the dashboard says of a booking: the row of a list, and the whole of it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;
use shared::calcom::Pages;
use shared::db::dashboard::{Action, Detail, JobRow, Listed, MailRow, TimelineLine, Todo};
use shared::db::holds::Suspect;
use shared::domain::booking::{
    Actor, Booking, BookingKind, CancelReason, HistoryKind, PaymentProblem, PaymentStatus, Status,
};
use shared::domain::calendar::CalendarState;
use shared::domain::contact::PhoneNumber;
use shared::domain::dispute::Dispute;
use shared::domain::ids::{BookingId, JobId};
use shared::domain::job::{JobState, MailState, TaskKind, Template};
use shared::domain::ledger::EntryKind;
use shared::domain::local::{Appointment, LocalTime, StudioClock};
use shared::domain::locale::Locale;
use shared::domain::money::Cents;
use shared::domain::policy::Canceller;
use shared::error::Error;
use shared::terms;

/// The client of a booking.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Client {
    /// Their name.
    pub name: String,
    /// Where mails go.
    pub email: String,
    /// How to call them, as a telephone dials it.
    pub phone: String,
    /// The same in groups, to be read.
    pub phone_written: String,
    /// The language they read.
    pub locale: Locale,
}

/// A row of the list.
#[derive(Serialize, schemars::JsonSchema)]
pub struct BookingRow {
    /// The booking.
    pub id: BookingId,
    /// Counts its changes: what an action must name.
    pub version: i32,
    /// What is booked.
    #[serde(rename = "type")]
    pub kind: BookingKind,
    /// Where it is in its life.
    pub status: Status,
    /// Where the deposit is.
    pub payment_status: PaymentStatus,
    /// Money that came otherwise than asked.
    pub payment_problem: Option<PaymentProblem>,
    /// The bank gave a disputed deposit back to the client.
    pub dispute_lost: bool,
    /// The dispute that is open, if one is: of several the one that is to be answered first.
    pub dispute: Option<DisputeView>,
    /// Why it was called off.
    pub cancel_reason: Option<CancelReason>,
    /// Nobody came.
    pub no_show: bool,
    /// What it is called; empty for a project.
    pub title: String,
    /// When it takes place.
    #[serde(flatten)]
    pub appointment: Appointment,
    /// On whose clock that is, if not on the artist's present one.
    pub clock: Option<StudioClock>,
    /// Who comes.
    pub client: Client,
    /// The whole price; none for a project.
    pub price_cents: Option<Cents>,
    /// The deposit.
    pub deposit_cents: Cents,
    /// What is left to pay on site; none of a booking without a price, or that does not lie ahead.
    pub rest_cents: Option<Cents>,
    /// Until when an unpaid slot is kept.
    pub hold_expires_at: Option<LocalTime>,
    /// Whether Cal.com knows.
    pub calendar_state: CalendarState,
    /// Jobs that will not be done by themselves.
    pub failed_jobs: i64,
    /// What waits for the artist.
    pub todo: Vec<Todo>,
    /// The picture of its flash.
    pub flash_image: Option<String>,
    /// When it was made.
    pub created_at: LocalTime,
    /// What the artist may do now.
    pub actions: Vec<Action>,
}

/// A page of the list.
#[derive(Serialize, schemars::JsonSchema)]
pub struct BookingList {
    /// The bookings, in order.
    pub bookings: Vec<BookingRow>,
    /// What brings the next page; none on the last.
    pub next_cursor: Option<String>,
}

/// What a project is about.
#[derive(Serialize, schemars::JsonSchema)]
pub struct ProjectView {
    /// What it should be.
    pub description: String,
    /// Where on the body.
    pub body_zone: String,
    /// What the client can spend.
    pub budget_cents: Option<Cents>,
}

/// One movement of money.
#[derive(Serialize, schemars::JsonSchema)]
pub struct MoneyEntry {
    /// When.
    pub at: LocalTime,
    /// What moved.
    pub kind: EntryKind,
    /// Signed, in the currency's smallest unit.
    pub amount_cents: Cents,
    /// Lower-case ISO code.
    pub currency: String,
    /// Stripe's id of the movement.
    pub stripe_id: String,
}

/// A bank contests a payment, or asks about it.
#[derive(Serialize, schemars::JsonSchema)]
pub struct DisputeView {
    /// Stripe's id of it.
    pub id: String,
    /// How much of the payment.
    pub amount_cents: Cents,
    /// Why, in a word of Stripe's, e.g. `fraudulent`.
    pub reason: String,
    /// How far it is, in a word of Stripe's, e.g. `needs_response`. There may be new ones.
    pub status: String,
    /// The bank only asks: nothing was taken, and a refund often ends it.
    pub inquiry: bool,
    /// It waits for an answer.
    pub needs_response: bool,
    /// Nothing follows from it any more.
    pub closed: bool,
    /// Until when an answer counts.
    pub due_by: Option<LocalTime>,
    /// When it began.
    pub opened_at: LocalTime,
}

fn dispute(dispute: &Dispute, zone: &TimeZone) -> DisputeView {
    DisputeView {
        id: dispute.id.clone(),
        amount_cents: dispute.amount,
        reason: dispute.reason.clone(),
        status: dispute.status.name().to_owned(),
        inquiry: dispute.status.is_inquiry(),
        needs_response: dispute.status.needs_response(),
        closed: dispute.status.is_closed(),
        due_by: dispute.due_by.map(|due_by| LocalTime::of(due_by, zone)),
        opened_at: LocalTime::of(dispute.opened_at, zone),
    }
}

/// The money of a booking, as the ledger has it.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Money {
    /// Received.
    pub captured_cents: Cents,
    /// Given back, or on its way; positive.
    pub refunded_cents: Cents,
    /// Of that, what has not arrived yet; positive.
    pub on_its_way_cents: Cents,
    /// Taken by banks over disputes; positive.
    pub lost_cents: Cents,
    /// What is left.
    pub balance_cents: Cents,
    /// What is owed to the client and has not gone back yet: while a bank decides, it waits.
    pub owed_cents: Cents,
    /// The most that can be given back by hand now.
    pub refundable_cents: Cents,
    /// The disputes about its payments, the oldest first.
    pub disputes: Vec<DisputeView>,
    /// Every movement, oldest first.
    pub entries: Vec<MoneyEntry>,
}

/// What calling the appointment off would do with the money, now.
#[derive(Serialize, schemars::JsonSchema)]
pub struct CancellationView {
    /// What goes back to the client's card.
    pub refund_cents: Cents,
    /// What stays with the artist.
    pub kept_cents: Cents,
    /// What the artist owes on top, to be settled between the two.
    pub owed_beyond_cents: Cents,
    /// The same in words.
    pub sentence: String,
}

/// A mail on record.
#[derive(Serialize, schemars::JsonSchema)]
pub struct MailView {
    /// Which of the mails.
    pub template: Template,
    /// Tells two of them apart.
    pub occurrence: String,
    /// To whom.
    pub recipient: String,
    /// What became of it.
    pub status: MailState,
    /// When it went out.
    pub sent_at: Option<LocalTime>,
    /// Why it was refused; of one that is withheld, whose share of mails without a payment is used up: `address` or
    /// `artist`.
    pub error: Option<String>,
    /// It may be sent once more.
    pub can_resend: bool,
}

/// What Cal.com knows.
#[derive(Serialize, schemars::JsonSchema)]
pub struct CalendarView {
    /// Where the booking is there.
    pub state: CalendarState,
    /// What it said; of what was called off, in one word why the artist is asked.
    pub note: Option<String>,
    /// The booking there.
    pub url: Option<String>,
}

/// Something that had, or has, to happen outside.
#[derive(Serialize, schemars::JsonSchema)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: TaskKind,
    /// Which mail, of one that sends one.
    pub template: Option<Template>,
    /// Where it is.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: i32,
    /// What happened last.
    pub last_error: Option<String>,
    /// What the artist can do about it.
    pub advice: Option<String>,
    /// It may begin anew.
    pub can_retry: bool,
}

/// One line of the history.
#[derive(Serialize, schemars::JsonSchema)]
pub struct EventView {
    /// When.
    pub at: LocalTime,
    /// Who.
    pub actor: Actor,
    /// What.
    pub kind: HistoryKind,
    /// Details.
    pub data: Value,
}

/// Everything about one booking.
#[derive(Serialize, schemars::JsonSchema)]
pub struct BookingDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub row: BookingRow,
    /// What the client wants, of a project.
    pub project: Option<ProjectView>,
    /// The promise made to the client.
    pub policy_sentence: String,
    /// The artist's note.
    pub note: String,
    /// Until when a confirmation can be taken back.
    pub undo_until: Option<LocalTime>,
    /// The money.
    pub money: Money,
    /// What calling it off would do with the money; none when it cannot be called off.
    pub cancellation: Option<CancellationView>,
    /// The same if it is the client who calls it off; none of a hold that nobody has paid, which simply ends.
    pub cancellation_by_client: Option<CancellationView>,
    /// The history, oldest first.
    pub timeline: Vec<EventView>,
    /// The mails, oldest first.
    pub mails: Vec<MailView>,
    /// What Cal.com knows.
    pub calendar: CalendarView,
    /// What had to happen outside, oldest first.
    pub jobs: Vec<JobView>,
}

pub fn row(listed: Listed, now: Timestamp) -> BookingRow {
    let actions = actions(&listed.booking, listed.calendar_state, now);
    let local = |instant| LocalTime::of(instant, &listed.zone);
    let dispute_lost = listed.booking.has_lost_dispute();
    let open_dispute = listed.booking.open_dispute().map(|open| dispute(open, &listed.zone));
    let rest_cents = listed.booking.left_to_pay(listed.price);
    let Booking { id, version, state, starts_at, ends_at, deposit, .. } = listed.booking;
    BookingRow {
        id,
        version,
        kind: listed.kind,
        status: state.status,
        payment_status: state.payment_status,
        payment_problem: state.payment_problem,
        dispute_lost,
        dispute: open_dispute,
        cancel_reason: state.cancel_reason,
        no_show: state.no_show,
        title: listed.title,
        appointment: Appointment::of(starts_at, ends_at, &listed.zone),
        clock: (listed.zone != listed.home).then(|| StudioClock::of(&listed.zone)),
        client: Client {
            name: listed.client_name,
            email: listed.client_email,
            phone_written: PhoneNumber::from_stored(listed.client_phone.clone()).written(),
            phone: listed.client_phone,
            locale: listed.client_locale,
        },
        price_cents: listed.price,
        deposit_cents: deposit,
        rest_cents,
        hold_expires_at: state.hold_expires_at.map(local),
        calendar_state: listed.calendar_state,
        failed_jobs: listed.failed_jobs,
        todo: listed.todo,
        flash_image: listed.flash_image,
        created_at: local(listed.created_at),
        actions,
    }
}

/// What the rules would do if they were asked: no second opinion on what is possible.
fn actions(booking: &Booking, calendar_state: CalendarState, now: Timestamp) -> Vec<Action> {
    let possible = |action: &Action| match action {
        Action::Confirm => booking.confirm_by_hand(now).state.is_some(),
        Action::UndoConfirm => booking.undo_confirmation(now).state.is_some(),
        Action::PutBack => {
            booking.state.status.is_open() && calendar_state == CalendarState::CalledOff && booking.starts_at > now
        }
        Action::Cancel => booking.cancel(CancelReason::Artist, Canceller::Artist, now).state.is_some(),
        Action::Refund => booking.refundable() > Cents::ZERO,
        Action::Accept => booking.accept_mismatch(now).state.is_some(),
        Action::Complete => booking.complete(Actor::Artist, now).state.is_some(),
        Action::NoShow => booking.no_show(now).state.is_some(),
    };
    Action::ALL.iter().copied().filter(possible).collect()
}

pub fn detail(detail: Detail, calcom: &Pages, locale: Locale, now: Timestamp) -> BookingDetail {
    let booking = &detail.listed.booking;
    let zone = &detail.listed.zone;
    let local = |instant| LocalTime::of(instant, zone);
    let status = booking.state.status;
    BookingDetail {
        project: detail.project.map(|(description, body_zone, budget_cents)| ProjectView {
            description,
            body_zone,
            budget_cents,
        }),
        policy_sentence: policy_sentence(booking, zone, locale, now),
        note: detail.note,
        undo_until: booking.state.undo.map(|undo| undo.until).filter(|until| *until > now).map(local),
        money: money(booking, zone),
        cancellation: cancellation(booking, Canceller::Artist, locale, now),
        cancellation_by_client: cancellation(booking, Canceller::Client, locale, now)
            .filter(|_| booking.deposit_due().is_none()),
        timeline: detail
            .timeline
            .into_iter()
            .map(|TimelineLine { at, actor, kind, data }| EventView { at: local(at), actor, kind, data })
            .collect(),
        mails: detail.mails.into_iter().map(|mail| mail_view(mail, status, zone)).collect(),
        calendar: CalendarView {
            state: detail.listed.calendar_state,
            note: detail.calendar_note,
            url: booking.calendar_booking.as_deref().map(|uid| calcom.booking(uid)),
        },
        jobs: detail.jobs.into_iter().map(|job| job_view(job, locale, now)).collect(),
        row: row(detail.listed, now),
    }
}

/// What the client accepted: with its date while the appointment lies ahead, else as a rule.
fn policy_sentence(booking: &Booking, zone: &TimeZone, locale: Locale, now: Timestamp) -> String {
    let ahead = booking.state.status.is_open() && booking.starts_at > now;
    if ahead {
        terms::of_appointment(&booking.policy, booking.starts_at, zone, locale, now)
    } else {
        booking.policy.sentence(locale)
    }
}

fn money(booking: &Booking, zone: &TimeZone) -> Money {
    let totals = booking.ledger.totals(booking.currency);
    let sum = |cents: &mut dyn Iterator<Item = Cents>| cents.fold(Cents::ZERO, Cents::saturating_add);
    Money {
        captured_cents: totals.captured,
        refunded_cents: totals.refunded,
        on_its_way_cents: sum(&mut booking.refunds_on_their_way()),
        lost_cents: totals.lost,
        balance_cents: totals.balance(),
        owed_cents: sum(&mut booking.ledger.payments().into_iter().map(|payment| booking.owed(payment))),
        refundable_cents: booking.refundable(),
        disputes: booking.disputes.iter().map(|one| dispute(one, zone)).collect(),
        entries: booking
            .ledger
            .entries()
            .iter()
            .map(|entry| MoneyEntry {
                at: LocalTime::of(entry.occurred_at, zone),
                kind: entry.kind,
                amount_cents: entry.amount,
                currency: entry.currency.clone(),
                stripe_id: entry.stripe_id.clone(),
            })
            .collect(),
    }
}

/// What "cancel" would do now, as the very rule says that does it.
pub fn cancellation(booking: &Booking, by: Canceller, locale: Locale, now: Timestamp) -> Option<CancellationView> {
    booking.cancel(CancelReason::Artist, Canceller::Artist, now).state.as_ref()?;
    let terms = booking.cancellation(by, now);
    let euros = |amount| locale.euros(amount);
    let own = booking.state.payment_intent.as_deref();
    let mut sentence = if own.is_some_and(|own| booking.is_blocked(own)) {
        let owed = booking.owed_once_free(by, now);
        if owed > Cents::ZERO {
            let owed = euros(owed);
            locale.pick(
                format!("La banque du client conteste le paiement : rien n’est rendu maintenant. Si elle vous donne raison, {owed} lui sont rendus."),
                format!("The client’s bank contests the payment: nothing goes back now. If it decides for you, {owed} go back to the client."),
            )
        } else {
            locale
                .pick(
                    "La banque du client conteste le paiement et décide : rien n’est rendu d’ici.",
                    "The client’s bank contests the payment and decides: nothing is given back from here.",
                )
                .to_owned()
        }
    } else if terms.amount > Cents::ZERO {
        let refund = euros(terms.amount);
        locale.pick(
            format!("{refund} sont rendus au client, sur sa carte."),
            format!("{refund} go back to the client’s card."),
        )
    } else if terms.kept > Cents::ZERO {
        locale.pick("Rien n’est rendu au client.", "Nothing goes back to the client.").to_owned()
    } else if booking.waiting_for_a_decision().is_some_and(|entry| entry.currency != booking.currency.code()) {
        locale
            .pick(
                "Le paiement reçu est rendu au client, sur sa carte.",
                "The payment that came goes back to the client’s card.",
            )
            .to_owned()
    } else if !booking.ledger.is_empty() {
        locale
            .pick(
                "Tout est déjà rendu : rien d’autre n’est à rendre.",
                "Everything has gone back: nothing else is to be given back.",
            )
            .to_owned()
    } else {
        locale
            .pick("Rien n’a été payé : rien n’est à rendre.", "Nothing was paid: nothing is to be given back.")
            .to_owned()
    };
    if terms.kept > Cents::ZERO {
        let kept = euros(terms.kept);
        sentence.push_str(&locale.pick(format!(" Vous gardez {kept}."), format!(" You keep {kept}.")));
    }
    if terms.owed_beyond > Cents::ZERO {
        let owed = euros(terms.owed_beyond);
        sentence.push_str(&locale.pick(
            format!(" Ce sont des arrhes : vous lui devez {owed} de plus, à régler entre vous."),
            format!(" The deposit is “arrhes”: you owe them {owed} more, to be settled between you."),
        ));
    }
    Some(CancellationView {
        refund_cents: terms.amount,
        kept_cents: terms.kept,
        owed_beyond_cents: terms.owed_beyond,
        sentence,
    })
}

/// Whether a mail can be sent once more: to the client, and only while it is still true.
pub fn can_resend(template: Template, status: Status) -> bool {
    match template {
        Template::ClientConfirmed => status.stands(),
        Template::ClientCancelled => status == Status::Cancelled,
        Template::ClientMoved => status.is_open(),
        _ => false,
    }
}

fn mail_view(mail: MailRow, status: Status, zone: &TimeZone) -> MailView {
    MailView {
        can_resend: can_resend(mail.template, status),
        template: mail.template,
        occurrence: mail.occasion.to_string(),
        recipient: mail.recipient,
        status: mail.status,
        sent_at: mail.sent_at.map(|at| LocalTime::of(at, zone)),
        error: mail.error,
    }
}

fn job_view(job: JobRow, locale: Locale, now: Timestamp) -> JobView {
    let is_running = job.locked_until.is_some_and(|until| until > now);
    let state = job.outcome.unwrap_or(if is_running { JobState::Running } else { JobState::Waiting });
    JobView {
        id: job.id,
        advice: job.failed.then(|| advice(&job, locale).to_owned()),
        kind: job.kind,
        template: job.template,
        state,
        attempts: job.attempts,
        last_error: job.last_error,
        can_retry: job.failed,
    }
}

/// What the artist can do about a job that will not be done by itself.
fn advice(job: &JobRow, locale: Locale) -> &'static str {
    match (job.kind, job.template) {
        (TaskKind::SendEmail, _) if job.last_error.as_deref().is_some_and(|why| why.ends_with(": not now")) => locale.pick(
            "Le message n’est pas parti : trop de messages sans paiement en peu de temps. Réessayez dans une heure, ou demain.",
            "The mail did not go out: too many mails without a payment in a short time. Try again in an hour, or tomorrow.",
        ),
        (TaskKind::SendEmail, Some(template)) if !template.is_to_artist() => locale.pick(
            "Le message n’est pas parti : l’adresse du client a peut-être une faute. Appelez-le, puis réessayez.",
            "The mail did not go out: the client’s address may be misspelt. Call them, then try again.",
        ),
        (TaskKind::SendEmail, _) => locale.pick(
            "Le message ne vous est pas parvenu : vérifiez l’adresse de votre profil, puis réessayez.",
            "The mail did not reach you: check the address of your profile, then try again.",
        ),
        (TaskKind::SyncCalendar, _) => locale.pick(
            "Cal.com refuse : libérez ce moment dans Cal.com ou vérifiez la connexion dans les réglages, puis réessayez.",
            "Cal.com refuses: free this time in Cal.com or check the connection in the settings, then try again.",
        ),
        (TaskKind::Refund, _) => locale.pick(
            "L’argent n’est pas rendu : ouvrez le paiement dans Stripe pour voir pourquoi, puis réessayez.",
            "The money has not gone back: open the payment in Stripe to see why, then try again.",
        ),
        (TaskKind::ExpireCheckout, _) => locale.pick(
            "La page de paiement est peut-être encore ouverte : réessayez. Un paiement qui arriverait serait rendu.",
            "The payment page may still be open: try again. Money that arrives would be given back.",
        ),
        (TaskKind::SettlePayment, _) => locale.pick(
            "Stripe n’a pas répondu comme prévu : réessayez.",
            "Stripe did not answer as expected: try again.",
        ),
        (TaskKind::SendContactLink, _) => locale.pick("Le message n’est pas parti : réessayez.", "The mail did not go out: try again."),
    }
}

/// The unpaid holds that look as if nobody meant to pay them.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Suspicious {
    /// Those that belong together.
    pub groups: Vec<SuspiciousGroup>,
}

/// Unpaid holds that come from one network. Which, is not told.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct SuspiciousGroup {
    /// How many of the same network were let go in the last day, beyond those that were paid.
    pub lapsed: i64,
    /// The holds.
    pub holds: Vec<SuspiciousHold>,
}

/// One of them.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct SuspiciousHold {
    /// The booking.
    pub id: BookingId,
    /// Under which name.
    pub client_name: String,
    /// What is booked; empty for a project.
    pub title: String,
    /// When.
    pub start: LocalTime,
    /// When it ends by itself.
    pub hold_expires_at: LocalTime,
}

/// What came of ending suspicious holds.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Ended {
    /// So many were ended; what was paid at the last moment stands.
    pub ended: usize,
    /// So many were not looked at yet: ask again.
    pub rest: usize,
}

pub(crate) fn suspicious(suspects: &[Suspect]) -> Result<Suspicious, Error> {
    let mut groups: Vec<(i64, SuspiciousGroup)> = Vec::new();
    for suspect in suspects {
        let zone = TimeZone::get(&suspect.timezone).map_err(|error| Error::Internal(format!("timezone: {error}")))?;
        if groups.last().is_none_or(|(group, _)| *group != suspect.group) {
            groups.push((suspect.group, SuspiciousGroup { lapsed: suspect.lapsed, holds: Vec::new() }));
        }
        if let Some((_, group)) = groups.last_mut() {
            group.holds.push(SuspiciousHold {
                id: suspect.id,
                client_name: suspect.name.clone(),
                title: suspect.title.clone(),
                start: LocalTime::of(suspect.start, &zone),
                hold_expires_at: LocalTime::of(suspect.hold_expires_at, &zone),
            });
        }
    }
    Ok(Suspicious { groups: groups.into_iter().map(|(_, group)| group).collect() })
}
