//! What Stripe says of a booking's money: payments, refunds and disputes, in any order and any number of times.

use jiff::Timestamp;

use super::{
    Actor, Booking, CancelReason, Change, HistoryKind, HistoryLine, Outcome, PaymentProblem, PaymentStatus, State,
    Status,
};
use crate::domain::job::{Occasion, RefundReason, Task, Template};
use crate::domain::ledger::{Entry, EntryKind, Ledger};
use crate::domain::money::Cents;

/// A verified payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub payment_intent: String,
    pub amount: Cents,
    /// In which currency, as Stripe names it (lower case).
    pub currency: String,
    pub at: Timestamp,
}

/// A refund as Stripe describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundFact {
    /// Stripe's id.
    pub id: String,
    /// The payment it gives back.
    pub payment_intent: String,
    /// How much, positive.
    pub amount: Cents,
    pub currency: String,
    /// True while the money is gone or going, false once Stripe gave up.
    pub holds: bool,
    /// When it was made.
    pub at: Timestamp,
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
        let known = self.ledger.left(&payment.payment_intent);
        let given_back = known < Cents::ZERO && known.saturating_add(payment.amount) <= Cents::ZERO;
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
        Change {
            state: Some(State {
                status: Status::Confirmed,
                payment_status: PaymentStatus::Paid,
                cancel_reason: None,
                hold_expires_at: None,
                payment_intent: Some(payment.payment_intent.clone()),
                payment_problem: self.state.payment_problem,
                kept: None,
                no_show: false,
                undo: None,
            }),
            history: vec![
                self.line(Actor::Stripe, HistoryKind::PaymentReceived, payment),
                self.line(Actor::System, word, payment),
            ],
            ledger: vec![capture(payment)],
            tasks,
            ..Change::nothing(outcome)
        }
    }

    /// A booking that the artist had confirmed by hand is paid now.
    fn paid_after_all(&self, payment: &Payment) -> Change {
        Change {
            state: Some(State {
                payment_status: PaymentStatus::Paid,
                payment_intent: Some(payment.payment_intent.clone()),
                // With money in hand, cancelling is the way out, not taking back.
                undo: None,
                ..self.state.clone()
            }),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentReceived, payment)],
            ledger: vec![capture(payment)],
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
        Change {
            state: Some(State {
                // A dispute about an earlier payment is not forgotten over this one.
                payment_status: match self.state.payment_status {
                    PaymentStatus::Disputed => PaymentStatus::Disputed,
                    _ => PaymentStatus::RefundPending,
                },
                payment_intent: self.state.payment_intent.clone().or_else(|| Some(payment.payment_intent.clone())),
                // The terms of the cancellation were about other money.
                kept: self.state.kept.filter(|_| self.state.payment_intent.is_some()),
                ..self.state.clone()
            }),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentTooLate, payment)],
            ledger: vec![capture(payment)],
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
        Change {
            state: Some(state),
            history: vec![self.line(Actor::Stripe, HistoryKind::PaymentGivenBack, payment)],
            ledger: vec![capture(payment)],
            tasks,
            ..Change::nothing(Outcome::GivenBack)
        }
    }

    /// Brings the ledger in line with what Stripe says of refunds. Safe to repeat, in any order.
    pub fn settle(&self, refunds: &[RefundFact]) -> Change {
        let mut news = Vec::new();
        let mut history = Vec::new();
        let mut tasks = Vec::new();
        let mut problem = self.state.payment_problem;
        for fact in refunds {
            let ledger = self.ledger.with(&news);
            let entry = |kind, amount| Entry {
                kind,
                amount,
                currency: fact.currency.clone(),
                stripe_id: fact.id.clone(),
                payment_intent: fact.payment_intent.clone(),
                occurred_at: fact.at,
            };
            if !ledger.knows(EntryKind::Refund, &fact.id) {
                news.push(entry(EntryKind::Refund, -fact.amount));
                history.push(refund_line(HistoryKind::Refunded, fact));
                let second = self.state.payment_intent.as_ref().is_some_and(|own| *own != fact.payment_intent);
                if fact.holds
                    && !self.was_announced(&fact.payment_intent)
                    && (self.state.status == Status::Cancelled || second)
                {
                    tasks.push(self.mail(Template::ClientLateRefund, Occasion::Stripe(fact.id.clone())));
                }
            }
            if !fact.holds && !ledger.knows(EntryKind::RefundFailed, &fact.id) {
                news.push(entry(EntryKind::RefundFailed, fact.amount));
                history.push(refund_line(HistoryKind::RefundFailed, fact));
                problem = Some(PaymentProblem::RefundFailed);
                tasks.push(self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(fact.id.clone())));
            }
        }
        let ledger = self.ledger.with(&news);
        let payment_status = self.standing(self.state.payment_status, &ledger);
        let mut state = State { payment_status, payment_problem: problem, ..self.state.clone() };
        // A payment that was not as asked kept the slot; once it is given back nothing does.
        let was_paid = self.ledger.captures().next().is_some();
        if self.state.status == Status::Pending && was_paid && !news.is_empty() && !self.holds_money(&ledger, |_| true)
        {
            state.status = Status::Cancelled;
            state.cancel_reason = Some(CancelReason::PaymentFailed);
            tasks.extend(self.calendar_task());
        }
        if state == self.state && news.is_empty() {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        Change { state: Some(state), history, ledger: news, tasks, ..Change::nothing(Outcome::Settled) }
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

    /// The cardholder's bank contests a payment: flagged, nothing else moves by itself.
    ///
    /// Only a dispute about the booking's own payment changes where the deposit is.
    pub fn dispute_opened(&self, dispute: &str, payment_intent: &str) -> Change {
        let owned = self.owns(payment_intent);
        if self.ledger.knows(EntryKind::DisputeLost, dispute)
            || (owned && self.state.payment_status == PaymentStatus::Disputed)
        {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        Change {
            state: owned.then(|| State { payment_status: PaymentStatus::Disputed, ..self.state.clone() }),
            history: vec![dispute_line(HistoryKind::DisputeOpened, dispute)],
            tasks: vec![self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(dispute.to_owned()))],
            ..Change::nothing(Outcome::Disputed)
        }
    }

    /// The dispute is decided. Lost money leaves the ledger; won money is ours again.
    pub fn dispute_closed(&self, lost: Option<Entry>, dispute: &str, payment_intent: &str) -> Change {
        let owned = self.owns(payment_intent);
        let Some(entry) = lost else {
            if !owned || self.state.payment_status != PaymentStatus::Disputed {
                return Change::nothing(Outcome::NotDisputed);
            }
            return Change {
                state: Some(State { payment_status: self.undisputed(), ..self.state.clone() }),
                history: vec![dispute_line(HistoryKind::DisputeWon, dispute)],
                ..Change::nothing(Outcome::DisputeWon)
            };
        };
        if self.ledger.knows(entry.kind, &entry.stripe_id) {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // Of a payment that had gone back already the bank takes nothing, and a movement of nothing is no row.
        let ledger: Vec<Entry> = Some(entry).filter(|entry| entry.amount < Cents::ZERO).into_iter().collect();
        let before = if owned { PaymentStatus::Disputed } else { self.state.payment_status };
        let standing = self.standing(before, &self.ledger.with(&ledger));
        let state = State { payment_status: standing, ..self.state.clone() };
        Change {
            state: (state != self.state).then_some(state),
            history: vec![dispute_line(HistoryKind::DisputeLost, dispute)],
            ledger,
            // Said once: the mail of a dispute whose opening was heard of has gone out already.
            tasks: vec![self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(dispute.to_owned()))],
            ..Change::nothing(Outcome::DisputeLost)
        }
    }

    /// Whether the bank gave the booking's own payment back to the cardholder: nobody can answer any more.
    pub fn has_lost_dispute(&self) -> bool {
        let lost = |entry: &Entry| entry.kind == EntryKind::DisputeLost && self.owns(&entry.payment_intent);
        self.ledger.entries().iter().any(lost)
    }

    /// The client knows of this payment's refund from the mail that said the appointment is called off.
    fn was_announced(&self, payment_intent: &str) -> bool {
        self.state.kept.is_some() && self.state.payment_intent.as_deref().is_none_or(|own| own == payment_intent)
    }

    /// Whether more is left than is kept, of a payment that `counts`.
    fn holds_money(&self, ledger: &Ledger, counts: impl Fn(&str) -> bool) -> bool {
        let owed = |payment_intent: &str| ledger.owed(payment_intent, self.kept_of(payment_intent));
        ledger.payments().into_iter().any(|payment_intent| counts(payment_intent) && owed(payment_intent) > Cents::ZERO)
    }

    /// Where the deposit is once the ledger is this one. The order in which refunds become known does not matter.
    ///
    /// A booking that stands answers for its own payment, a cancelled one for every payment that reached it.
    fn standing(&self, before: PaymentStatus, ledger: &Ledger) -> PaymentStatus {
        if matches!(before, PaymentStatus::Unpaid | PaymentStatus::Disputed) {
            return before;
        }
        let counts = |payment_intent: &str| self.state.status == Status::Cancelled || self.owns(payment_intent);
        if !self.holds_money(ledger, counts) {
            return PaymentStatus::Refunded;
        }
        // All of it was to go back and did not: it is owed again.
        let came_back = |payment_intent: &str| {
            let failed = ledger.failed(payment_intent);
            failed > Cents::ZERO && ledger.owed(payment_intent, self.kept_of(payment_intent)) <= failed
        };
        if before == PaymentStatus::Refunded
            || self.holds_money(ledger, |payment_intent| counts(payment_intent) && came_back(payment_intent))
        {
            PaymentStatus::RefundPending
        } else {
            before
        }
    }

    /// Where the deposit is when nobody contests it any more: what reached a cancelled booking is owed back.
    fn undisputed(&self) -> PaymentStatus {
        let owed = self.state.status == Status::Cancelled;
        self.standing(if owed { PaymentStatus::RefundPending } else { PaymentStatus::Paid }, &self.ledger)
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

fn dispute_line(kind: HistoryKind, dispute: &str) -> HistoryLine {
    HistoryLine { actor: Actor::Stripe, kind, data: serde_json::json!({ "dispute": dispute }) }
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
