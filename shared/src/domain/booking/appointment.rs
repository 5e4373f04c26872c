//! What artist and client do with an appointment: take it on, move it, call it off, say that it took place.

use jiff::{SignedDuration, Timestamp};

use super::{
    Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, PaymentProblem, PaymentStatus, State,
    Status, Undo, said,
};
use crate::domain::job::{Occasion, Task, Template};
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
        let terms = self.policy.refund(self.at_stake(), by, self.starts_at, now);
        if self.state.payment_intent.as_deref().is_some_and(|own| self.is_blocked(own)) {
            // The cardholder's bank has the money and decides; a refund on top would pay it twice. Should it come back,
            // what the terms do not let the artist keep is owed.
            return Refund { amount: Cents::ZERO, ..terms };
        }
        // What came otherwise than asked was never the deposit: it goes back whole.
        Refund { amount: terms.amount.saturating_add(self.mismatched_in_currency()), ..terms }
    }

    /// What would go back over a cancellation that is blocked by a dispute, once the bank lets go of the payment.
    pub fn owed_once_free(&self, by: Canceller, now: Timestamp) -> Cents {
        self.policy.refund(self.at_stake(), by, self.starts_at, now).amount
    }

    /// What the terms of a cancellation are about: what is left of the booking's own payment, and what a bank has taken of
    /// it and may give back.
    pub(super) fn at_stake(&self) -> Cents {
        let open =
            self.disputes.iter().any(|dispute| !dispute.status.is_closed() && self.owns(&dispute.payment_intent));
        let taken =
            self.state.payment_intent.as_deref().filter(|_| open).map_or(Cents::ZERO, |own| self.ledger.lost(own));
        self.left_of_own().saturating_add(taken)
    }

    /// Payments that came otherwise than asked and are still here, with what is left of each.
    pub(super) fn mismatched(&self) -> Vec<(&Entry, Cents)> {
        if self.state.payment_problem != Some(PaymentProblem::Mismatch) {
            return Vec::new();
        }
        let others = self.ledger.captures().filter(|entry| !self.owns(&entry.payment_intent));
        others
            .map(|entry| (entry, self.ledger.left(&entry.payment_intent)))
            .filter(|(_, left)| *left > Cents::ZERO)
            .collect()
    }

    /// A payment that came otherwise than asked, while the artist has yet to say what becomes of it.
    pub fn waiting_for_a_decision(&self) -> Option<&Entry> {
        let waits = self.state.status == Status::Pending;
        self.mismatched().into_iter().map(|(entry, _)| entry).find(|_| waits)
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
        let state = State {
            status: Status::Cancelled,
            cancel_reason: Some(reason),
            hold_expires_at: None,
            kept: (!self.ledger.is_empty()).then_some(terms.kept),
            undo: None,
            ..self.state.clone()
        };
        let state = self.at(state, &self.ledger);
        let after = Self { state: state.clone(), ..self.clone() };
        let of_this = self.mismatched().into_iter().map(|(entry, _)| entry.payment_intent.as_str());
        let of_this = self.state.payment_intent.as_deref().into_iter().chain(of_this);
        // What a bank may take is given back once it lets go of it.
        tasks
            .extend(of_this.filter(|payment| !self.is_blocked(payment)).filter_map(|payment| after.refund_of(payment)));
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
            state: Some(state),
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
