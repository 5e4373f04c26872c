//! The booking's life: four statuses, the only legal transitions between them, and what each one sets off.
//!
//! Nothing else changes a status. Every method of `Booking` answers with a `Change`, which the edge writes in
//! one statement (`db::bookings::apply`) or not at all.

use jiff::Timestamp;

use super::dispute::Dispute;
use super::ids::{ArtistId, BookingId};
use super::job::{Occasion, Task, Template};
use super::ledger::{Entry, Ledger};
use super::money::{Cents, Currency};
use super::policy::CancellationPolicy;
use super::refund::RefundFact;

mod appointment;
mod hold;
mod payment;
mod state;

pub use self::appointment::UNDO;
pub use self::hold::{checkout_end, checkout_end_anew, checkout_is_too_short, hold_end};
pub use self::payment::{Facts, Payment};
pub use self::state::{
    Actor, BookingKind, CancelReason, HistoryKind, HistoryLine, Outcome, PaymentProblem, PaymentStatus, State, Status,
    Undo,
};

/// When a booking is written to the artist's Cal.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarMode {
    /// The artist has no Cal.com.
    Off,
    /// As soon as the slot is held.
    AtBooking,
    /// Once the deposit is paid.
    AfterPayment,
}

/// A booking as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    pub id: BookingId,
    pub artist: ArtistId,
    /// Counts its changes of state.
    pub version: i32,
    /// What transitions change.
    pub state: State,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The deposit we asked for.
    pub deposit: Cents,
    pub currency: Currency,
    /// The Checkout Session at Stripe, once it is open.
    pub checkout_session: Option<String>,
    pub calendar: CalendarMode,
    /// Cal.com's uid, once it is there.
    pub calendar_booking: Option<String>,
    /// What moved at Stripe so far.
    pub ledger: Ledger,
    /// The refunds that were made of its payments, as Stripe described them last.
    pub refunds: Vec<RefundFact>,
    /// The disputes about its payments.
    pub disputes: Vec<Dispute>,
    /// The promise made to the client when the slot was held.
    pub policy: CancellationPolicy,
}

/// What a method of [`Booking`] decided: the state after it, and all that goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub outcome: Outcome,
    /// The state after the change; none when nothing changes.
    pub state: Option<State>,
    pub history: Vec<HistoryLine>,
    /// Rows for the ledger; those it knows already are passed over.
    pub ledger: Vec<Entry>,
    /// Refunds that are new or changed.
    pub refunds: Vec<RefundFact>,
    /// Disputes that are new or changed.
    pub disputes: Vec<Dispute>,
    /// What must happen outside.
    pub tasks: Vec<Task>,
    /// The appointment's new start and end, when it moves.
    pub slot: Option<(Timestamp, Timestamp)>,
    /// Until when the tasks wait, so that the change can still be taken back.
    pub not_before: Option<Timestamp>,
    /// The dedupe keys of waiting jobs that are taken back. The change is written only if none of them has begun.
    pub withdraws: Vec<String>,
}

impl Change {
    /// Nothing to change, for the reason named; or what a change begins from.
    pub const fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            state: None,
            history: Vec::new(),
            ledger: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
            tasks: Vec::new(),
            slot: None,
            not_before: None,
            withdraws: Vec::new(),
        }
    }

    /// True when there is nothing to write.
    pub fn is_nothing(&self) -> bool {
        self.state.is_none()
            && self.history.is_empty()
            && self.ledger.is_empty()
            && self.refunds.is_empty()
            && self.disputes.is_empty()
            && self.tasks.is_empty()
    }
}

impl Booking {
    /// What the client has paid and not got back. A second payment that is on its way back counts for nothing; what a bank has
    /// taken counts until it has decided.
    pub fn in_hand(&self) -> Cents {
        self.at_stake().saturating_add(self.mismatched_in_currency()).max(Cents::ZERO)
    }

    /// What the client pays at the studio, for page, mails, dashboard and export alike; none while nobody knows the
    /// price, and of an appointment that does not lie ahead.
    ///
    /// Before it is paid online, the deposit is not paid there; of a booking confirmed without one, everything is.
    pub fn left_to_pay(&self, price: Option<Cents>) -> Option<Cents> {
        let ahead = match self.state.status {
            Status::Pending if self.ledger.is_empty() => self.deposit,
            Status::Pending | Status::Confirmed => self.in_hand(),
            Status::Cancelled | Status::Completed => return None,
        };
        price?.checked_sub(ahead).map(|left| left.max(Cents::ZERO))
    }

    /// What is going back in the booking's currency, and has not arrived.
    pub fn refunds_on_their_way(&self) -> impl Iterator<Item = Cents> {
        let ours = self.refunds.iter().filter(|refund| refund.is_pending() && refund.currency == self.currency.code());
        ours.map(|refund| refund.amount)
    }

    /// The deposit that is still to be paid online: of a hold that can be paid.
    pub fn deposit_due(&self) -> Option<Cents> {
        (self.state.status == Status::Pending && self.ledger.is_empty()).then_some(self.deposit)
    }

    fn owns(&self, payment_intent: &str) -> bool {
        self.state.payment_intent.as_deref() == Some(payment_intent)
    }

    /// What is left of the booking's own payment.
    fn left_of_own(&self) -> Cents {
        self.state.payment_intent.as_deref().map_or(Cents::ZERO, |own| self.ledger.left(own))
    }

    /// What the artist keeps of a payment.
    fn kept_of(&self, payment_intent: &str) -> Cents {
        self.state.kept.filter(|_| self.owns(payment_intent)).unwrap_or_default()
    }

    /// The artist was mailed a calendar file of the appointment, which is to be kept true. Cal.com looks after its own.
    fn artist_has_a_copy(&self) -> bool {
        self.calendar == CalendarMode::Off
            && self.state.status == Status::Confirmed
            && self.state.payment_intent.is_some()
    }

    fn calendar_task(&self) -> Vec<Task> {
        match self.calendar {
            CalendarMode::Off => Vec::new(),
            CalendarMode::AtBooking | CalendarMode::AfterPayment => vec![Task::SyncCalendar { booking: self.id }],
        }
    }

    fn mail(&self, template: Template, occurrence: Occasion) -> Task {
        Task::SendEmail { booking: self.id, template, occurrence }
    }
}

fn said(actor: Actor, kind: HistoryKind) -> HistoryLine {
    HistoryLine { actor, kind, data: serde_json::json!({}) }
}

#[cfg(test)]
mod tests;
