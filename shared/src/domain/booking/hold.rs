//! An unpaid hold: how long it lasts, who is told, how it ends.

use jiff::{SignedDuration, Timestamp};

use super::{Actor, Booking, CalendarMode, CancelReason, Change, HistoryKind, HistoryLine, Outcome, State, Status};
use crate::domain::ids::BookingId;
use crate::domain::job::{Occasion, Task, Template};
use crate::domain::time::after;

/// How long a slot stays reserved while a bank makes up its mind (delayed payment methods).
pub(super) const SLOW_PAYMENT_HOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How much longer than the hold Stripe keeps its page open.
///
/// Stripe wants at least 30 minutes between the call and `expires_at`
/// (<https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at>), measured
/// on its own clock; the margin lets a lost call be repeated with the same parameters. InkFlow closes
/// the page itself when the hold ends.
const CHECKOUT_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The least time between a call that opens a page and the page's end, by Stripe's rule above.
const CHECKOUT_SHORTEST: SignedDuration = SignedDuration::from_mins(30);

/// How far Stripe's clock and ours may differ when we ask ourselves whether a page has become too short.
const CHECKOUT_CLOCKS: SignedDuration = SignedDuration::from_secs(30);

/// How long a client who holds a slot may take to pay before a mail says where to go on: most have paid by then.
const REMINDER_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What must be left of the hold then: a mail that comes too late to act on is worse than none.
const REMINDER_LEAVES: SignedDuration = SignedDuration::from_mins(10);

/// The end of a hold that begins now.
pub fn hold_end(now: Timestamp, hold: SignedDuration) -> Timestamp {
    after(now, hold)
}

/// When Stripe's page closes for a hold that ends at `hold_expires_at`.
pub fn checkout_end(hold_expires_at: Timestamp) -> Timestamp {
    after(hold_expires_at, CHECKOUT_MARGIN)
}

/// Whether Stripe does not open a page any more that would close at `checkout_expires_at`: it was wished for some minutes
/// ago, and never answered.
pub fn checkout_is_too_short(checkout_expires_at: Timestamp, now: Timestamp) -> bool {
    checkout_expires_at.duration_since(now) < CHECKOUT_SHORTEST + CHECKOUT_CLOCKS
}

/// When the page closes that is wished for anew at `now`. The hold keeps its own end: whoever asks often holds no longer,
/// and the page is closed with the hold.
pub fn checkout_end_anew(hold_expires_at: Timestamp, now: Timestamp) -> Timestamp {
    let shortest = after(now, CHECKOUT_SHORTEST + CHECKOUT_MARGIN);
    checkout_end(hold_expires_at).max(shortest)
}

impl Booking {
    /// The jobs of a hold that was just taken: Cal.com hears of it, if it is to know now.
    pub fn tasks_of_a_new_hold(id: BookingId, calendar: CalendarMode) -> Vec<Task> {
        match calendar {
            CalendarMode::AtBooking => vec![Task::SyncCalendar { booking: id }],
            CalendarMode::Off | CalendarMode::AfterPayment => Vec::new(),
        }
    }

    /// What is told of a new hold to an artist who asked for it.
    pub fn news_of_a_new_hold(id: BookingId) -> Task {
        Task::SendEmail { booking: id, template: Template::ArtistPending, occurrence: Occasion::FIRST }
    }

    /// The mail that leads the client of a hold back to the payment, and when it goes out; none where the hold is too
    /// short for it.
    pub fn reminder_of_a_new_hold(
        id: BookingId,
        hold_expires_at: Timestamp,
        now: Timestamp,
    ) -> Option<(Task, Timestamp)> {
        let at = now.checked_add(REMINDER_AFTER).ok()?;
        let task = Task::SendEmail { booking: id, template: Template::ClientHeld, occurrence: Occasion::FIRST };
        (hold_expires_at.duration_since(at) >= REMINDER_LEAVES).then_some((task, at))
    }

    /// True when the hold has run out; readers then offer the slot again at once.
    pub fn has_lapsed(&self, now: Timestamp) -> bool {
        self.state.status == Status::Pending && self.state.hold_expires_at.is_some_and(|end| end <= now)
    }

    /// The client has submitted a payment whose bank answers later: the slot waits for it.
    pub fn wait_for_slow_payment(&self, now: Timestamp) -> Change {
        if self.state.status != Status::Pending || self.state.hold_expires_at.is_none() {
            return Change::nothing(Outcome::NotWaiting);
        }
        let until = after(now, SLOW_PAYMENT_HOLD);
        Change {
            state: Some(State { hold_expires_at: Some(until), ..self.state.clone() }),
            history: vec![HistoryLine {
                actor: Actor::Stripe,
                kind: HistoryKind::PaymentProcessing,
                data: serde_json::json!({}),
            }],
            ..Change::nothing(Outcome::PaymentProcessing)
        }
    }

    /// Gives the slot back: nobody paid, and nobody can any more.
    ///
    /// Call it only once Stripe has said that the Checkout Session is closed or never existed: a session
    /// that is still open could be paid a second later.
    pub fn release(&self, reason: CancelReason, actor: Actor) -> Change {
        // Stripe's news that the page is closed can overtake the client's own wish, which closed it.
        let overtaken = self.state.cancel_reason == Some(CancelReason::HoldExpired) && reason == CancelReason::Client;
        if overtaken && self.ledger.is_empty() {
            return Change {
                state: Some(State { cancel_reason: Some(reason), ..self.state.clone() }),
                history: vec![HistoryLine { actor, kind: reason.in_history(), data: serde_json::json!({}) }],
                ..Change::nothing(Outcome::Released)
            };
        }
        if self.state.status != Status::Pending || !self.ledger.is_empty() {
            return Change::nothing(Outcome::NotAHold);
        }
        Change {
            state: Some(State {
                status: Status::Cancelled,
                cancel_reason: Some(reason),
                hold_expires_at: None,
                ..self.state.clone()
            }),
            history: vec![HistoryLine { actor, kind: reason.in_history(), data: serde_json::json!({}) }],
            tasks: if self.calendar == CalendarMode::AtBooking { self.calendar_task() } else { Vec::new() },
            ..Change::nothing(Outcome::Released)
        }
    }

    /// The Checkout Session `session` expired at Stripe.
    pub fn checkout_expired(&self, session: &str) -> Change {
        if self.checkout_session.as_deref().is_some_and(|ours| ours != session) {
            return Change::nothing(Outcome::OtherSession);
        }
        self.release(CancelReason::HoldExpired, Actor::Stripe)
    }
}
