//! What moved at Stripe for one booking. Every sum over it is made here.
//!
//! Sums are over Stripe's own figures, each far below the range of an `i64`; they stop at its ends instead of wrapping.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::money::{Cents, Currency};
use super::named::named;

named! {
    /// A kind of ledger row.
    EntryKind {
        /// Money received.
        Capture = "capture",
        /// Money given back (negative).
        Refund = "refund",
        /// A refund that Stripe could not carry out: the money is with us again.
        RefundFailed = "refund_failed",
        /// Taken by a cardholder's bank over a dispute (negative).
        DisputeWithdrawn = "dispute_withdrawn",
        /// Given back by it.
        DisputeReinstated = "dispute_reinstated",
    }
}

/// One movement of money at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub kind: EntryKind,
    /// Signed cents: received is positive.
    pub amount: Cents,
    /// The currency of the movement, as Stripe names it.
    pub currency: String,
    /// Stripe's id of the movement: the payment intent, the refund, or the balance transaction of a dispute.
    pub stripe_id: String,
    pub payment_intent: String,
    pub occurred_at: Timestamp,
}

/// The movements of one booking, in the order in which they became known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger(Vec<Entry>);

/// What came in and went out in one currency, over all payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub captured: Cents,
    /// Given back by refunds that hold; positive.
    pub refunded: Cents,
    /// Taken by banks over disputes and not given back; positive.
    pub lost: Cents,
}

impl Totals {
    pub fn balance(&self) -> Cents {
        self.captured.saturating_sub(self.returned())
    }

    /// What is with the cardholder again, by a refund or by the bank; positive.
    pub fn returned(&self) -> Cents {
        self.refunded.saturating_add(self.lost)
    }
}

impl Ledger {
    /// These movements, each of which is there once.
    pub const fn new(entries: Vec<Entry>) -> Self {
        Self(entries)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a movement is in it: by its kind and Stripe's id, as in the database.
    pub fn knows(&self, kind: EntryKind, stripe_id: &str) -> bool {
        self.0.iter().any(|entry| entry.kind == kind && entry.stripe_id == stripe_id)
    }

    /// The ledger once these are in it. Those it knows already are passed over.
    #[must_use]
    pub fn with(&self, news: &[Entry]) -> Self {
        let mut ledger = self.clone();
        for entry in news {
            if !ledger.knows(entry.kind, &entry.stripe_id) {
                ledger.0.push(entry.clone());
            }
        }
        ledger
    }

    pub fn payments(&self) -> BTreeSet<&str> {
        self.0.iter().map(|entry| entry.payment_intent.as_str()).collect()
    }

    /// The payments themselves, without what became of them.
    pub fn captures(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| entry.kind == EntryKind::Capture)
    }

    /// What is left of a payment. Below zero while the news of a refund has overtaken that of its payment.
    pub fn left(&self, payment_intent: &str) -> Cents {
        self.sum(payment_intent, |_| true)
    }

    /// What is still to go back of a payment of which `kept` stays; nothing is the least.
    pub fn owed(&self, payment_intent: &str, kept: Cents) -> Cents {
        self.left(payment_intent).saturating_sub(kept).max(Cents::ZERO)
    }

    /// What was given back of a payment by refunds that hold; positive.
    pub fn refunded(&self, payment_intent: &str) -> Cents {
        -self.sum(payment_intent, |kind| matches!(kind, EntryKind::Refund | EntryKind::RefundFailed))
    }

    /// What was received by a payment.
    pub fn captured(&self, payment_intent: &str) -> Cents {
        self.sum(payment_intent, |kind| kind == EntryKind::Capture)
    }

    /// What banks have taken of a payment and not given back; positive.
    pub fn lost(&self, payment_intent: &str) -> Cents {
        -self.sum(payment_intent, |kind| matches!(kind, EntryKind::DisputeWithdrawn | EntryKind::DisputeReinstated))
    }

    /// What came back to us because Stripe could not give it back.
    pub fn failed(&self, payment_intent: &str) -> Cents {
        self.sum(payment_intent, |kind| kind == EntryKind::RefundFailed)
    }

    fn sum(&self, payment_intent: &str, counts: impl Fn(EntryKind) -> bool) -> Cents {
        let entries = self.0.iter().filter(|entry| entry.payment_intent == payment_intent && counts(entry.kind));
        entries.fold(Cents::ZERO, |sum, entry| sum.saturating_add(entry.amount))
    }

    /// Everything that moved in one currency. A payment in another is on record, and adds up with nothing.
    pub fn totals(&self, currency: Currency) -> Totals {
        let sum = |kinds: &[EntryKind]| {
            let ours = |entry: &&Entry| entry.currency == currency.code() && kinds.contains(&entry.kind);
            self.0.iter().filter(ours).fold(Cents::ZERO, |sum, entry| sum.saturating_add(entry.amount))
        };
        Totals {
            captured: sum(&[EntryKind::Capture]),
            refunded: -sum(&[EntryKind::Refund, EntryKind::RefundFailed]),
            lost: -sum(&[EntryKind::DisputeWithdrawn, EntryKind::DisputeReinstated]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(kind: EntryKind, cents: i64, id: &str, payment_intent: &str, currency: &str) -> Entry {
        Entry {
            kind,
            amount: Cents::new(cents),
            currency: currency.into(),
            stripe_id: id.into(),
            payment_intent: payment_intent.into(),
            occurred_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn ledger() -> Ledger {
        Ledger::new(vec![
            moved(EntryKind::Capture, 50_00, "pi_1", "pi_1", "eur"),
            moved(EntryKind::Refund, -20_00, "re_1", "pi_1", "eur"),
            moved(EntryKind::Refund, -30_00, "re_2", "pi_1", "eur"),
            moved(EntryKind::RefundFailed, 30_00, "re_2", "pi_1", "eur"),
            moved(EntryKind::Capture, 70_00, "pi_2", "pi_2", "eur"),
            moved(EntryKind::DisputeWithdrawn, -70_00, "txn_1", "pi_2", "eur"),
            moved(EntryKind::Capture, 9_00, "pi_3", "pi_3", "chf"),
            moved(EntryKind::Refund, -4_00, "re_3", "pi_3", "chf"),
        ])
    }

    #[test]
    fn each_payment_has_its_own_sums() {
        let ledger = ledger();
        let of =
            |payment: &str| [ledger.left(payment), ledger.refunded(payment), ledger.failed(payment)].map(Cents::cents);
        assert_eq!(of("pi_1"), [30_00, 20_00, 30_00]);
        assert_eq!(of("pi_2"), [0, 0, 0]);
        assert_eq!(of("pi_3"), [5_00, 4_00, 0]);
        assert_eq!(of("pi_of_nobody"), [0, 0, 0]);
        assert_eq!(ledger.payments().into_iter().collect::<Vec<_>>(), ["pi_1", "pi_2", "pi_3"]);
    }

    #[test]
    fn what_is_kept_is_not_owed_and_nobody_owes_less_than_nothing() {
        let ledger = ledger();
        assert_eq!(ledger.owed("pi_1", Cents::new(10_00)), Cents::new(20_00));
        assert_eq!(ledger.owed("pi_1", Cents::new(40_00)), Cents::ZERO);
    }

    #[test]
    fn totals_are_of_one_currency_and_tell_a_refund_from_what_a_bank_has_taken() {
        let totals = ledger().totals(Currency::Eur);
        assert_eq!(
            [totals.captured, totals.refunded, totals.lost, totals.returned(), totals.balance()].map(Cents::cents),
            [12_000, 2_000, 7_000, 9_000, 3_000]
        );
    }

    #[test]
    fn what_a_bank_gives_back_is_lost_no_more() {
        let back = moved(EntryKind::DisputeReinstated, 70_00, "txn_2", "pi_2", "eur");
        let ledger = ledger().with(&[back]);
        assert_eq!([ledger.lost("pi_2"), ledger.left("pi_2")].map(Cents::cents), [0, 70_00]);
        assert_eq!(ledger.totals(Currency::Eur).lost, Cents::ZERO);
    }

    #[test]
    fn a_movement_is_in_it_once() {
        let news = [
            moved(EntryKind::Refund, -20_00, "re_1", "pi_1", "eur"),
            moved(EntryKind::RefundFailed, 20_00, "re_1", "pi_1", "eur"),
        ];
        let after = ledger().with(&news).with(&news);
        assert_eq!((after.entries().len(), after.left("pi_1")), (9, Cents::new(50_00)));
    }

    #[test]
    fn sums_beyond_the_range_stop_at_its_end() {
        let ledger = Ledger::new(vec![
            moved(EntryKind::Capture, i64::MAX, "pi_1", "pi_1", "eur"),
            moved(EntryKind::Capture, i64::MAX, "pi_2", "pi_1", "eur"),
        ]);
        assert_eq!(
            (ledger.left("pi_1"), ledger.totals(Currency::Eur).captured),
            (Cents::new(i64::MAX), Cents::new(i64::MAX))
        );
    }
}
