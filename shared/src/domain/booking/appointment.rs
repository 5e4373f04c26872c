//! What artist and client do with an appointment: take it on, move it, call it off, say that it took place.

use jiff::{SignedDuration, Timestamp};

use super::{
    Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, PaymentProblem, PaymentStatus, State,
    Status, Undo, said,
};
use crate::domain::job::{Occasion, RefundReason, Task, Template};
use crate::domain::ledger::Entry;
use crate::domain::money::Cents;
use crate::domain::policy::{Canceller, Refund};
use crate::domain::time::after;

/// How long an artist can take back a confirmation by hand.
pub const UNDO: SignedDuration = SignedDuration::from_secs(10);

/// How much longer its effects wait: the clocks of two functions may differ a little.
const UNDO_MARGIN: SignedDuration = SignedDuration::from_secs(2);

impl Booking {
    /// The artist takes the booking on without its deposit. What follows waits for [`UNDO`], so that it can be taken back.
    pub fn confirm_by_hand(&self, now: Timestamp) -> Change {
        if self.state.status != Status::Pending || self.state.payment_problem.is_some() || self.starts_at <= now {
            return Change::nothing(Outcome::NotPossible);
        }
        let until = after(now, UNDO);
        Change {
            state: Some(State {
                status: Status::Confirmed,
                hold_expires_at: None,
                undo: Some(Undo { until, hold_expires_at: self.state.hold_expires_at }),
                ..self.state.clone()
            }),
            history: vec![said(Actor::Artist, HistoryKind::ConfirmedByHand)],
            tasks: self.tasks_of_a_confirmation_by_hand(self.version + 1),
            not_before: Some(after(until, UNDO_MARGIN)),
            ..Change::nothing(Outcome::ConfirmedByHand)
        }
    }

    /// Takes a confirmation by hand back, with the mails and the calendar entry that have not left yet.
    pub fn undo_confirmation(&self, now: Timestamp) -> Change {
        let Some(undo) = self.state.undo.filter(|_| self.state.status == Status::Confirmed) else {
            return Change::nothing(Outcome::NotPossible);
        };
        if undo.until <= now || self.state.payment_status != PaymentStatus::Unpaid || !self.ledger.is_empty() {
            return Change::nothing(Outcome::TooLate);
        }
        Change {
            state: Some(State {
                status: Status::Pending,
                hold_expires_at: undo.hold_expires_at,
                undo: None,
                ..self.state.clone()
            }),
            history: vec![said(Actor::Artist, HistoryKind::ConfirmationUndone)],
            withdraws: self
                .tasks_of_a_confirmation_by_hand(self.version)
                .iter()
                .map(|task| task.dedupe_key(self.version))
                .collect(),
            ..Change::nothing(Outcome::ConfirmationUndone)
        }
    }

    /// Named by the version that the confirmation makes, so that a second confirmation is another wish.
    fn tasks_of_a_confirmation_by_hand(&self, version: i32) -> Vec<Task> {
        let mut tasks = self.calendar_task();
        tasks.push(self.mail(Template::ClientConfirmed, Occasion::ByHand(version)));
        tasks
    }

    /// What calling the appointment off at `now` does with the money: shown before the click, done by [`Self::cancel`].
    pub fn cancellation(&self, by: Canceller, now: Timestamp) -> Refund {
        let own = self.left_of_own();
        if self.state.payment_status == PaymentStatus::Disputed {
            // The cardholder's bank has the money and decides; a refund on top would pay it twice.
            return Refund { amount: Cents::ZERO, kept: own.max(Cents::ZERO), owed_beyond: Cents::ZERO };
        }
        let terms = self.policy.refund(own, by, self.starts_at, now);
        // What came otherwise than asked was never the deposit: it goes back whole.
        Refund { amount: terms.amount.saturating_add(self.mismatched_in_currency()), ..terms }
    }

    /// Payments that came otherwise than asked and are still here, with what is left of each.
    fn mismatched(&self) -> Vec<(&Entry, Cents)> {
        if self.state.payment_problem != Some(PaymentProblem::Mismatch) {
            return Vec::new();
        }
        let others = self.ledger.captures().filter(|entry| !self.owns(&entry.payment_intent));
        others
            .map(|entry| (entry, self.ledger.left(&entry.payment_intent)))
            .filter(|(_, left)| *left > Cents::ZERO)
            .collect()
    }

    /// What is left of those that came in the booking's currency.
    pub(super) fn mismatched_in_currency(&self) -> Cents {
        let ours = self.mismatched().into_iter().filter(|(entry, _)| entry.currency == self.currency.code());
        ours.fold(Cents::ZERO, |sum, (_, left)| sum.saturating_add(left))
    }

    /// Calls the appointment off and gives back what the policy says.
    ///
    /// Of an unpaid hold, close the Checkout Session first (`settle::close`): a payment that is on its way wins. Should one
    /// arrive all the same it is given back whole.
    pub fn cancel(&self, reason: CancelReason, by: Canceller, now: Timestamp) -> Change {
        if !self.state.status.is_open() {
            return Change::nothing(Outcome::NotPossible);
        }
        let terms = self.cancellation(by, now);
        let mut tasks = self.calendar_task();
        let own = self.state.payment_intent.as_deref();
        let disputed = self.state.payment_status == PaymentStatus::Disputed;
        let mut refunds: Vec<(&str, Cents)> = Vec::new();
        if !disputed {
            if let Some(own) = own {
                refunds.push((own, self.ledger.owed(own, terms.kept)));
            }
            refunds.extend(self.mismatched().into_iter().map(|(entry, left)| (entry.payment_intent.as_str(), left)));
        }
        refunds.retain(|(_, amount)| *amount > Cents::ZERO);
        tasks.extend(refunds.iter().map(|(payment_intent, amount)| Task::Refund {
            booking: self.id,
            payment_intent: (*payment_intent).to_owned(),
            // The job brings what went back up to this sum, whatever was given back before.
            amount: self.ledger.refunded(payment_intent).saturating_add(*amount),
            reason: RefundReason::Cancelled,
        }));
        if self.ledger.is_empty()
            && let Some(session) = &self.checkout_session
        {
            tasks.push(Task::ExpireCheckout { booking: self.id, session: session.clone() });
        }
        tasks.push(self.mail(Template::ClientCancelled, Occasion::FIRST));
        // What artists call off themselves is no news to them; only their own copy of the appointment must go.
        if reason != CancelReason::Artist || self.artist_has_a_copy() {
            tasks.push(self.mail(Template::ArtistCancelled, Occasion::FIRST));
        }
        let actor = match reason {
            CancelReason::Client => Actor::Client,
            CancelReason::Artist => Actor::Artist,
            CancelReason::Calendar => Actor::Calcom,
            CancelReason::HoldExpired | CancelReason::PaymentFailed => Actor::System,
        };
        Change {
            state: Some(State {
                status: Status::Cancelled,
                payment_status: if refunds.is_empty() {
                    self.state.payment_status
                } else {
                    PaymentStatus::RefundPending
                },
                cancel_reason: Some(reason),
                hold_expires_at: None,
                kept: (!self.ledger.is_empty()).then_some(terms.kept),
                undo: None,
                ..self.state.clone()
            }),
            history: vec![HistoryLine {
                actor,
                kind: HistoryKind::Cancelled,
                data: serde_json::json!({
                    "reason": reason,
                    "refund_cents": terms.amount,
                    "kept_cents": terms.kept,
                    "owed_beyond_cents": terms.owed_beyond,
                }),
            }],
            tasks,
            ..Change::nothing(Outcome::Cancelled)
        }
    }

    /// The artist calls the appointment off because the client asked to: on the client's terms, and nobody has to be
    /// told but the client.
    pub fn cancel_for_client(&self, now: Timestamp) -> Change {
        let mut change = self.cancel(CancelReason::Client, Canceller::Client, now);
        for line in &mut change.history {
            line.actor = Actor::Artist;
            line.data["on_behalf_of"] = Actor::Client.name().into();
        }
        // Their own copy of the appointment must go all the same.
        if !self.artist_has_a_copy() {
            change.tasks.retain(|task| !matches!(task, Task::SendEmail { template: Template::ArtistCancelled, .. }));
        }
        change
    }

    /// Calls off an unpaid hold whose page at Stripe has just been closed.
    ///
    /// Stripe's news of the closed page can overtake the wish that closed it: then the hold has ended already, and only
    /// its reason is put right and the client told.
    pub fn call_off_hold(&self, reason: CancelReason, by: Canceller, now: Timestamp) -> Change {
        let change = self.cancel(reason, by, now);
        let overtaken = self.state.cancel_reason == Some(CancelReason::HoldExpired) && self.ledger.is_empty();
        if change.state.is_some() || !overtaken {
            return change;
        }
        Change {
            state: Some(State { cancel_reason: Some(reason), ..self.state.clone() }),
            history: vec![HistoryLine {
                actor: if reason == CancelReason::Artist { Actor::Artist } else { Actor::Calcom },
                kind: HistoryKind::Cancelled,
                data: serde_json::json!({ "reason": reason }),
            }],
            tasks: vec![self.mail(Template::ClientCancelled, Occasion::FIRST)],
            ..Change::nothing(Outcome::Cancelled)
        }
    }

    /// The appointment took place. Also mends a booking that was marked as missed by mistake.
    pub fn complete(&self, actor: Actor, now: Timestamp) -> Change {
        self.took_place(actor, false, now)
    }

    /// The client did not come: the chair was theirs, so the deposit stays where it is.
    pub fn no_show(&self, now: Timestamp) -> Change {
        self.took_place(Actor::Artist, true, now)
    }

    fn took_place(&self, actor: Actor, no_show: bool, now: Timestamp) -> Change {
        let already = self.state.status == Status::Completed;
        if !(self.state.status == Status::Confirmed || already) || self.starts_at > now {
            return Change::nothing(Outcome::NotPossible);
        }
        if already && self.state.no_show == no_show {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        let (outcome, word) =
            if no_show { (Outcome::NoShow, HistoryKind::NoShow) } else { (Outcome::Completed, HistoryKind::Completed) };
        Change {
            state: Some(State { status: Status::Completed, no_show, undo: None, ..self.state.clone() }),
            history: vec![said(actor, word)],
            ..Change::nothing(outcome)
        }
    }

    /// Moves the appointment; its payment goes along.
    ///
    /// `target_is_free` is false once the database has refused the new time.
    pub fn move_to(&self, starts_at: Timestamp, ends_at: Timestamp, actor: Actor, target_is_free: bool) -> Change {
        if (starts_at, ends_at) == (self.starts_at, self.ends_at) {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        if !self.state.status.is_open() || ends_at <= starts_at {
            return Change::nothing(Outcome::NotPossible);
        }
        if !target_is_free {
            return Change::nothing(Outcome::SlotTaken);
        }
        let mut tasks = self.calendar_task();
        let occurrence = Occasion::Version(self.version + 1);
        tasks.push(self.mail(Template::ClientMoved, occurrence.clone()));
        if !matches!(actor, Actor::Artist | Actor::Calcom) || self.artist_has_a_copy() {
            tasks.push(self.mail(Template::ArtistMoved, occurrence));
        }
        Change {
            state: Some(State { undo: None, ..self.state.clone() }),
            slot: Some((starts_at, ends_at)),
            history: vec![HistoryLine {
                actor,
                kind: HistoryKind::Moved,
                data: serde_json::json!({ "from": self.starts_at, "to": starts_at }),
            }],
            tasks,
            ..Change::nothing(Outcome::Moved)
        }
    }
}
