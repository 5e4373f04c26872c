//! What Stripe says of a booking's money: payments, refunds and disputes, in any order and any number of times.

use jiff::Timestamp;

use super::{
    Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, PaymentProblem, PaymentStatus, State,
    Status,
};
use crate::domain::dispute::{Dispute, DisputeStatus};
use crate::domain::job::{Occasion, RefundReason, Task, Template};
use crate::domain::ledger::{Entry, EntryKind, Ledger};
use crate::domain::money::Cents;
use crate::domain::refund::RefundFact;

/// A verified payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub payment_intent: String,
    pub amount: Cents,
    /// In which currency, as Stripe names it (lower case).
    pub currency: String,
    pub at: Timestamp,
}

/// What Stripe says of one payment, read again: everything, so that it can be repeated, in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    pub refunds: Vec<RefundFact>,
    pub disputes: Vec<Dispute>,
    /// What disputes have moved, by Stripe's balance transactions.
    pub movements: Vec<Entry>,
}

impl Booking {
    /// Applies a verified payment, whatever state it finds the booking in.
    ///
    /// `slot_is_free` says whether nobody else has the booking's slot (and its unique flash); it only
    /// matters for a booking that had lost them. The database has the last word on it.
    pub fn receive(&self, payment: &Payment, slot_is_free: bool, now: Timestamp) -> Change {
        let as_asked = payment.amount == self.deposit && payment.currency == self.currency.code();
        if self.ledger.knows(EntryKind::Capture, &payment.payment_intent) {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // News of a refund can overtake the news of its payment.
        // What a bank has taken is not given back: the appointment stands, and is contested.
        let returned = self.ledger.refunded(&payment.payment_intent);
        let given_back = returned > Cents::ZERO && returned >= payment.amount;
        match self.state.status {
            Status::Confirmed | Status::Completed if self.state.payment_intent.is_some() => self.duplicate(payment),
            _ if given_back => self.given_back(payment),
            _ if !as_asked && self.state.status != Status::Cancelled => self.mismatch(payment),
            Status::Confirmed | Status::Completed => self.paid_after_all(payment),
            Status::Pending => self.paid(payment, Outcome::Confirmed, HistoryKind::Confirmed),
            Status::Cancelled => {
                let lapsed =
                    matches!(self.state.cancel_reason, Some(CancelReason::HoldExpired | CancelReason::PaymentFailed));
                if lapsed && as_asked && slot_is_free && self.state.payment_intent.is_none() && self.starts_at > now {
                    self.paid(payment, Outcome::Revived, HistoryKind::Revived)
                } else {
                    self.too_late(payment)
                }
            }
        }
    }

    fn paid(&self, payment: &Payment, outcome: Outcome, word: HistoryKind) -> Change {
        let mut tasks = self.calendar_task();
        tasks.push(self.mail(Template::ArtistConfirmed, Occasion::FIRST));
        tasks.push(self.mail(Template::ClientConfirmed, Occasion::FIRST));
        let state = State {
            status: Status::Confirmed,
            cancel_reason: None,
            hold_expires_at: None,
            payment_intent: Some(payment.payment_intent.clone()),
            kept: None,
            no_show: false,
            undo: None,
            ..self.state.clone()
        };
        let ledger = vec![capture(payment)];
        Change {
            // What a bank or a refund has done to it may have been heard of before.
            state: Some(self.at(state, &self.ledger.with(&ledger))),
            history: vec![
                self.line(Actor::Stripe, HistoryKind::PaymentReceived, payment),
                self.line(Actor::System, word, payment),
            ],
            ledger,
            tasks,
            ..Change::nothing(outcome)
        }
    }

    /// A booking that the artist had confirmed by hand is paid now.
    fn paid_after_all(&self, payment: &Payment) -> Change {
        let state = State {
            payment_intent: Some(payment.payment_intent.clone()),
            // With money in hand, cancelling is the way out, not taking back.
            undo: None,
            ..self.state.clone()
        };
        let ledger = vec![capture(payment)];
        Change {
            state: Some(self.at(state, &self.ledger.with(&ledger))),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentReceived, payment)],
            ledger,
            tasks: vec![self.mail(Template::ArtistConfirmed, Occasion::Paid)],
            ..Change::nothing(Outcome::Paid)
        }
    }

    /// The client did pay, only not what we asked: the slot stays theirs and a person decides.
    fn mismatch(&self, payment: &Payment) -> Change {
        Change {
            state: Some(State {
                payment_problem: Some(PaymentProblem::Mismatch),
                hold_expires_at: None,
                ..self.state.clone()
            }),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentMismatch, payment)],
            ledger: vec![capture(payment)],
            tasks: vec![self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(payment.payment_intent.clone()))],
            ..Change::nothing(Outcome::Mismatch)
        }
    }

    fn duplicate(&self, payment: &Payment) -> Change {
        Change {
            state: Some(State { payment_problem: Some(PaymentProblem::Duplicate), ..self.state.clone() }),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentDuplicate, payment)],
            ledger: vec![capture(payment)],
            tasks: vec![
                self.refund(payment, RefundReason::Duplicate),
                self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(payment.payment_intent.clone())),
            ],
            ..Change::nothing(Outcome::Duplicate)
        }
    }

    fn too_late(&self, payment: &Payment) -> Change {
        let ledger = vec![capture(payment)];
        let state = State {
            payment_intent: self.state.payment_intent.clone().or_else(|| Some(payment.payment_intent.clone())),
            // The terms of the cancellation were about other money.
            kept: self.state.kept.filter(|_| self.state.payment_intent.is_some()),
            ..self.state.clone()
        };
        Change {
            state: Some(self.at(state, &self.ledger.with(&ledger))),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentTooLate, payment)],
            ledger,
            tasks: vec![self.refund(payment, RefundReason::Late)],
            ..Change::nothing(Outcome::RefundedLate)
        }
    }

    /// The payment was refunded before we heard of it: nothing of it is here, so nothing holds the slot.
    fn given_back(&self, payment: &Payment) -> Change {
        let mut state = self.state.clone();
        let mut tasks = Vec::new();
        if state.status == Status::Pending {
            state.status = Status::Cancelled;
            state.cancel_reason = Some(CancelReason::PaymentFailed);
            state.hold_expires_at = None;
            tasks = self.calendar_task();
        }
        let ledger = vec![capture(payment)];
        let state = self.at(state, &self.ledger.with(&ledger));
        if state.status != self.state.status {
            // Another payment, which had kept the slot, is not needed any more.
            let after = Self { state: state.clone(), ..self.clone() };
            let others = after.ledger.payments().into_iter().filter(|payment| !after.is_blocked(payment));
            tasks.extend(others.filter_map(|payment| after.refund_of(payment)));
        }
        Change {
            state: Some(state),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentGivenBack, payment)],
            ledger,
            tasks,
            ..Change::nothing(Outcome::GivenBack)
        }
    }

    /// Brings the books in line with what Stripe says. Safe to repeat, in any order.
    pub fn settle(&self, facts: &Facts) -> Change {
        let mut change = Change::nothing(Outcome::Settled);
        let mut problem = self.state.payment_problem;
        for fact in &facts.refunds {
            if self.hear_of_refund(fact, &mut change) {
                problem = Some(PaymentProblem::RefundFailed);
                change.outcome = Outcome::RefundFailed;
            }
        }
        for dispute in &facts.disputes {
            self.hear_of_dispute(dispute, &mut change);
        }
        for entry in &facts.movements {
            // Before disputes were rows of their own, the first withdrawal of each was booked under the dispute's id.
            let was_booked = facts.disputes.iter().any(|dispute| {
                entry.kind == EntryKind::DisputeWithdrawn
                    && entry.payment_intent == dispute.payment_intent
                    && self.ledger.knows(entry.kind, &dispute.id)
            });
            if !was_booked && !self.ledger.with(&change.ledger).knows(entry.kind, &entry.stripe_id) {
                change.ledger.push(entry.clone());
            }
        }
        let after = self.with(&change);
        let mut state = State { payment_problem: problem, ..self.state.clone() };
        // A payment that was not as asked kept the slot; once it is given back nothing does.
        let was_paid = self.ledger.captures().next().is_some();
        let is_gone = |payment: &&str| after.ledger.left(payment) <= Cents::ZERO && !after.is_blocked(payment);
        let all_gone = after.ledger.payments().iter().all(is_gone);
        if state.status == Status::Pending && was_paid && !change.ledger.is_empty() && all_gone {
            state.status = Status::Cancelled;
            state.cancel_reason = Some(CancelReason::PaymentFailed);
            change.tasks.extend(self.calendar_task());
        }
        let mut after = Self { state, ..after };
        // What could not be given back has gone all the same, by a person's hand or the bank's.
        if after.state.payment_problem == Some(PaymentProblem::RefundFailed)
            && !change.ledger.is_empty()
            && after.owes_nothing()
        {
            after.state.payment_problem = after.has_mismatched().then_some(PaymentProblem::Mismatch);
        }
        after.state.payment_status = after.standing();
        change.tasks.extend(after.refunds_since(self));
        change.state = (after.state != self.state || !change.ledger.is_empty()).then_some(after.state);
        if change.is_nothing() {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // A change of an object of Stripe's is one of the booking: its version is what a decision was made on.
        change.state = change.state.or_else(|| Some(self.state.clone()));
        change
    }

    /// Takes up a refund, and says whether it has failed just now.
    fn hear_of_refund(&self, fact: &RefundFact, change: &mut Change) -> bool {
        let ledger = self.ledger.with(&change.ledger);
        let entry = |kind, amount| Entry {
            kind,
            amount,
            currency: fact.currency.clone(),
            stripe_id: fact.id.clone(),
            payment_intent: fact.payment_intent.clone(),
            occurred_at: fact.at,
        };
        let known = self.refunds.iter().chain(&change.refunds).filter(|known| known.id == fact.id);
        let before = known.max_by_key(|known| known.rank()).cloned();
        // Somebody else has read it later and written it sooner.
        if before.as_ref().is_some_and(|before| before.rank() > fact.rank()) {
            return false;
        }
        if before.as_ref() != Some(fact) {
            change.refunds.push(fact.clone());
        }
        if !ledger.knows(EntryKind::Refund, &fact.id) {
            change.ledger.push(entry(EntryKind::Refund, -fact.amount));
            change.history.push(refund_line(HistoryKind::Refunded, fact));
        }
        let has_arrived = |fact: &RefundFact| fact.holds() && !fact.is_pending();
        if has_arrived(fact) && !before.as_ref().is_some_and(has_arrived) && !self.was_announced(&fact.payment_intent) {
            change.tasks.push(self.mail(Template::ClientLateRefund, Occasion::Stripe(fact.id.clone())));
        }
        if fact.holds() || ledger.knows(EntryKind::RefundFailed, &fact.id) {
            return false;
        }
        change.ledger.push(entry(EntryKind::RefundFailed, fact.amount));
        change.history.push(refund_line(HistoryKind::RefundFailed, fact));
        change.tasks.push(self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(fact.id.clone())));
        change.tasks.push(self.mail(Template::ClientRefundFailed, Occasion::Stripe(fact.id.clone())));
        true
    }

    fn hear_of_dispute(&self, dispute: &Dispute, change: &mut Change) {
        let before = self.disputes.iter().find(|known| known.id == dispute.id);
        if before == Some(dispute) {
            return;
        }
        change.disputes.push(dispute.clone());
        let was_open = before.is_some_and(|before| !before.status.is_closed());
        let mut say = |kind| change.history.push(dispute_line(kind, dispute));
        if before.is_none() {
            say(HistoryKind::DisputeOpened);
        } else if !was_open && !dispute.status.is_closed() {
            say(HistoryKind::DisputeAppealed);
        }
        if before.is_none_or(|before| before.status != dispute.status) {
            match dispute.status {
                DisputeStatus::Won => say(HistoryKind::DisputeWon),
                DisputeStatus::Lost => say(HistoryKind::DisputeLost),
                DisputeStatus::WarningClosed => say(HistoryKind::InquiryClosed),
                DisputeStatus::Prevented => say(HistoryKind::DisputePrevented),
                _ => {}
            }
        }
        // Said once: the mail of a dispute whose opening was heard of has gone out already.
        if before.is_none() && (!dispute.status.is_closed() || dispute.status == DisputeStatus::Lost) {
            change.tasks.push(self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(dispute.id.clone())));
        }
    }

    /// The booking once this is in its books, in the state it was in.
    fn with(&self, change: &Change) -> Self {
        let mut after = self.clone();
        after.ledger = self.ledger.with(&change.ledger);
        for fact in &change.refunds {
            after.refunds.retain(|known| known.id != fact.id);
            after.refunds.push(fact.clone());
        }
        for dispute in &change.disputes {
            after.disputes.retain(|known| known.id != dispute.id);
            after.disputes.push(dispute.clone());
        }
        after
    }

    /// What is to be given back now and could not be before: a bank has let go of it.
    fn refunds_since(&self, before: &Self) -> Vec<Task> {
        let freed = |payment: &&str| before.is_blocked(payment) && !self.is_blocked(payment);
        let payments = self.ledger.payments().into_iter().filter(freed).filter(|payment| self.is_promised(payment));
        payments.filter_map(|payment| self.refund_of(payment)).collect()
    }

    /// InkFlow has said that it goes back. What somebody gave back by hand at Stripe, and did not arrive, is that person's.
    fn is_promised(&self, payment_intent: &str) -> bool {
        self.state.status == Status::Cancelled || !self.owns(payment_intent) || self.state.kept.is_some()
    }

    /// Gives back what is owed and nobody is giving back: for a look that finds no job at it.
    pub fn give_back(&self) -> Change {
        if self.state.payment_problem == Some(PaymentProblem::RefundFailed) {
            return Change::nothing(Outcome::NotPossible);
        }
        let payments = self.ledger.payments().into_iter().filter(|payment| !self.is_blocked(payment));
        let payments = payments.filter(|payment| self.is_promised(payment));
        let tasks: Vec<Task> = payments.filter_map(|payment| self.refund_of(payment)).collect();
        if tasks.is_empty() {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // A higher version makes the job another one than those before.
        Change { state: Some(self.state.clone()), tasks, ..Change::nothing(Outcome::RefundAsked) }
    }

    /// Gives back a part of the deposit, at the artist's wish, and calls nothing off.
    pub fn refund_by_hand(&self, amount: Cents) -> Change {
        let Some(own) = self.state.payment_intent.as_deref() else { return Change::nothing(Outcome::NotPossible) };
        if amount <= Cents::ZERO || amount > self.refundable() {
            return Change::nothing(Outcome::NotPossible);
        }
        let kept = self.ledger.left(own).saturating_sub(self.owed(own)).saturating_sub(amount);
        let state = State { kept: Some(kept), ..self.state.clone() };
        let after = Self { state: self.at(state, &self.ledger), ..self.clone() };
        Change {
            tasks: after.refund_of(own).into_iter().collect(),
            state: Some(after.state),
            history: vec![HistoryLine {
                actor: Actor::Artist,
                kind: HistoryKind::RefundAsked,
                data: serde_json::json!({ "amount_cents": amount }),
            }],
            ..Change::nothing(Outcome::RefundAsked)
        }
    }

    /// The most that can be given back by hand now, of a booking that stands: what is left of its own payment and not owed
    /// already.
    pub fn refundable(&self) -> Cents {
        let own =
            self.state.payment_intent.as_deref().filter(|own| self.state.status.stands() && !self.is_blocked(own));
        let Some(own) = own else { return Cents::ZERO };
        self.ledger.left(own).saturating_sub(self.owed(own)).max(Cents::ZERO)
    }

    /// The artist takes the payment as it came, although it is not what was asked.
    pub fn accept_mismatch(&self, now: Timestamp) -> Change {
        let mut others = self.mismatched().into_iter();
        let (Some((entry, _)), None) = (others.next(), others.next()) else {
            return Change::nothing(Outcome::NotPossible);
        };
        if self.state.status != Status::Pending || self.starts_at <= now || entry.currency != self.currency.code() {
            return Change::nothing(Outcome::NotPossible);
        }
        let payment = Payment {
            payment_intent: entry.payment_intent.clone(),
            amount: entry.amount,
            currency: entry.currency.clone(),
            at: entry.occurred_at,
        };
        let mut change = self.paid(&payment, Outcome::Confirmed, HistoryKind::Confirmed);
        if let Some(state) = &mut change.state {
            state.payment_problem = None;
        }
        change.ledger.clear();
        change.history = vec![self.line(Actor::Artist, HistoryKind::MismatchAccepted, &payment)];
        change
    }

    /// Stripe will not give this payment back: a person must.
    pub fn refund_impossible(&self, payment_intent: &str, code: &str) -> Change {
        if self.state.payment_problem == Some(PaymentProblem::RefundFailed) {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        Change {
            state: Some(State { payment_problem: Some(PaymentProblem::RefundFailed), ..self.state.clone() }),
            history: vec![HistoryLine {
                actor: Actor::Stripe,
                kind: HistoryKind::RefundFailed,
                data: serde_json::json!({"payment_intent": payment_intent, "code": code}),
            }],
            tasks: vec![
                self.mail(Template::ArtistPaymentProblem, Occasion::RefundImpossible(payment_intent.to_owned())),
            ],
            ..Change::nothing(Outcome::RefundImpossible)
        }
    }

    /// Whether the bank gave the booking's own payment back to the cardholder: nobody can answer any more.
    pub fn has_lost_dispute(&self) -> bool {
        let own = |dispute: &&Dispute| self.owns(&dispute.payment_intent);
        self.disputes.iter().filter(own).any(|dispute| dispute.status == DisputeStatus::Lost)
            && !self.disputes.iter().filter(own).any(|dispute| !dispute.status.is_closed())
    }

    /// The dispute that a person should look at first: one that waits for an answer, else one that is open.
    pub fn open_dispute(&self) -> Option<&Dispute> {
        let open = || self.disputes.iter().filter(|dispute| !dispute.status.is_closed());
        open()
            .filter(|dispute| dispute.status.needs_response())
            .min_by_key(|dispute| dispute.due_by)
            .or_else(|| open().next())
    }

    /// A bank has taken a payment, or may: Stripe would refuse to give it back.
    pub fn is_blocked(&self, payment_intent: &str) -> bool {
        let of = |dispute: &&Dispute| dispute.payment_intent == payment_intent;
        self.disputes.iter().filter(of).any(Dispute::blocks_refunds)
    }

    /// The client knows of this payment's refund from the mail that said the appointment is called off.
    fn was_announced(&self, payment_intent: &str) -> bool {
        self.state.status == Status::Cancelled
            && self.state.kept.is_some()
            && self.state.payment_intent.as_deref().is_none_or(|own| own == payment_intent)
            && !self.disputes.iter().any(|dispute| dispute.payment_intent == payment_intent)
    }

    /// What is to go back of a payment and has not: what is left of it, less what the artist keeps.
    ///
    /// What a bank has taken is not left; should it come back, it is.
    pub fn owed(&self, payment_intent: &str) -> Cents {
        let owns = self.owns(payment_intent);
        let kept = match self.state.status {
            // Of a called-off booking everything that no terms let the artist keep.
            Status::Cancelled => self.kept_of(payment_intent),
            _ if owns => match self.state.kept {
                Some(kept) => kept,
                // All of it was to go back, by a person's hand at Stripe, and did not.
                None if self.ledger.left(payment_intent) <= self.ledger.failed(payment_intent) => Cents::ZERO,
                None => return Cents::ZERO,
            },
            // A second payment. One that came otherwise than asked waits for a person.
            Status::Confirmed | Status::Completed
                if self.state.payment_intent.is_some()
                    && self.state.payment_problem != Some(PaymentProblem::Mismatch) =>
            {
                Cents::ZERO
            }
            _ => return Cents::ZERO,
        };
        self.ledger.owed(payment_intent, kept)
    }

    /// Money that came otherwise than asked is still here, and nobody has said what becomes of it.
    fn has_mismatched(&self) -> bool {
        let other = |payment: &&str| !self.owns(payment) && self.ledger.left(payment) > Cents::ZERO;
        self.state.status != Status::Cancelled
            && self.state.payment_intent.is_none()
            && self.ledger.payments().iter().any(other)
    }

    /// Nothing is owed any more, and of what Stripe could not give back nothing is left.
    fn owes_nothing(&self) -> bool {
        let left = |payment: &str| {
            self.ledger.owed(payment, self.state.kept.filter(|_| self.owns(payment)).unwrap_or_default())
        };
        // While a bank decides, or the payment itself has not been heard of, nobody knows.
        let is_settled = |payment: &str| {
            self.ledger.failed(payment) == Cents::ZERO
                || (left(payment) == Cents::ZERO
                    && self.ledger.knows(EntryKind::Capture, payment)
                    && !self.is_blocked(payment))
        };
        self.ledger.payments().into_iter().all(|payment| self.owed(payment) == Cents::ZERO && is_settled(payment))
    }

    /// The state, with the standing of its payment as the ledger then has it.
    pub(super) fn at(&self, state: State, ledger: &Ledger) -> State {
        let after = Self { state, ledger: ledger.clone(), ..self.clone() };
        State { payment_status: after.standing(), ..after.state }
    }

    /// Where the deposit is: read off the ledger and the open objects of Stripe, in this one place.
    ///
    /// A booking that stands answers for its own payment, a cancelled one for every payment that reached it.
    pub fn standing(&self) -> PaymentStatus {
        let counts = |payment: &&str| self.state.status == Status::Cancelled || self.owns(payment);
        let counted: Vec<&str> =
            self.ledger.captures().map(|entry| entry.payment_intent.as_str()).filter(counts).collect();
        if counted.is_empty() {
            return PaymentStatus::Unpaid;
        }
        let contested = |dispute: &Dispute| {
            !dispute.status.is_closed()
                && !dispute.status.is_inquiry()
                && counted.contains(&dispute.payment_intent.as_str())
        };
        if self.disputes.iter().any(contested) {
            return PaymentStatus::Disputed;
        }
        let going = |fact: &RefundFact| fact.is_pending() && counted.contains(&fact.payment_intent.as_str());
        if counted.iter().any(|payment| self.owed(payment) > Cents::ZERO) || self.refunds.iter().any(going) {
            return PaymentStatus::RefundPending;
        }
        // Settled: the booking's own payment says how; where none is, all that came.
        let own = self.state.payment_intent.as_deref();
        let told: Vec<&str> = counted.into_iter().filter(|payment| own.is_none_or(|own| own == *payment)).collect();
        let sum = |of: fn(&Ledger, &str) -> Cents| {
            told.iter().fold(Cents::ZERO, |sum, payment| sum.saturating_add(of(&self.ledger, payment)))
        };
        match (sum(Ledger::left) > Cents::ZERO, sum(Ledger::lost) > Cents::ZERO, sum(Ledger::refunded) > Cents::ZERO) {
            (false, true, _) => PaymentStatus::Lost,
            (false, false, _) => PaymentStatus::Refunded,
            (true, _, true) if self.state.status == Status::Cancelled => PaymentStatus::Refunded,
            (true, ..) => PaymentStatus::Paid,
        }
    }

    /// The job that gives back what is owed of a payment, if anything is.
    pub(super) fn refund_of(&self, payment_intent: &str) -> Option<Task> {
        let amount = self.owed(payment_intent);
        (amount > Cents::ZERO).then(|| Task::Refund {
            booking: self.id,
            payment_intent: payment_intent.to_owned(),
            amount,
            reason: match (self.owns(payment_intent), self.state.status) {
                (_, Status::Cancelled) => RefundReason::Cancelled,
                (true, _) => RefundReason::ByHand,
                (false, _) => RefundReason::Duplicate,
            },
        })
    }

    fn refund(&self, payment: &Payment, reason: RefundReason) -> Task {
        Task::Refund {
            booking: self.id,
            payment_intent: payment.payment_intent.clone(),
            amount: payment.amount,
            reason,
        }
    }

    fn line(&self, actor: Actor, kind: HistoryKind, payment: &Payment) -> HistoryLine {
        HistoryLine {
            actor,
            kind,
            data: serde_json::json!({
                "payment_intent": payment.payment_intent,
                "amount_cents": payment.amount,
                "currency": payment.currency,
            }),
        }
    }
}

fn capture(payment: &Payment) -> Entry {
    Entry {
        kind: EntryKind::Capture,
        amount: payment.amount,
        currency: payment.currency.clone(),
        stripe_id: payment.payment_intent.clone(),
        payment_intent: payment.payment_intent.clone(),
        occurred_at: payment.at,
    }
}

fn dispute_line(kind: HistoryKind, dispute: &Dispute) -> HistoryLine {
    let data = serde_json::json!({
        "dispute": dispute.id, "status": dispute.status, "amount_cents": dispute.amount, "inquiry": dispute.status.is_inquiry(),
    });
    HistoryLine { actor: Actor::Stripe, kind, data }
}

fn refund_line(kind: HistoryKind, fact: &RefundFact) -> HistoryLine {
    HistoryLine {
        actor: Actor::Stripe,
        kind,
        data: serde_json::json!({
            "refund": fact.id,
            "payment_intent": fact.payment_intent,
            "amount_cents": fact.amount,
        }),
    }
}
