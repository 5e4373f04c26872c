//! The booking's life: each way in which money reaches a booking, and random lives in which every cent is accounted for.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::Index;
use uuid::Uuid;

use super::hold::SLOW_PAYMENT_HOLD;
use super::*;
use crate::domain::dispute::DisputeStatus;
use crate::domain::job::RefundReason;
use crate::domain::ledger::EntryKind;
use crate::domain::policy::{Canceller, DepositNature};
use crate::domain::refund::RefundStatus;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);
const DEPOSIT: Cents = Cents::new(5_000);
const POLICY: CancellationPolicy = CancellationPolicy {
    full_refund_hours: 72,
    late_refund_percent: 50,
    free_moves: 1,
    nature: DepositNature::Acompte,
};

fn later(minutes: i64) -> Timestamp {
    NOW + SignedDuration::from_mins(minutes)
}

fn held() -> Booking {
    Booking {
        id: BookingId::new(Uuid::from_u128(1)),
        artist: ArtistId::new(Uuid::from_u128(2)),
        version: 1,
        state: State {
            status: Status::Pending,
            payment_status: PaymentStatus::Unpaid,
            cancel_reason: None,
            hold_expires_at: Some(later(30)),
            payment_intent: None,
            payment_problem: None,
            kept: None,
            no_show: false,
            undo: None,
        },
        starts_at: later(10 * 24 * 60),
        ends_at: later(10 * 24 * 60 + 120),
        deposit: DEPOSIT,
        currency: Currency::Eur,
        checkout_session: Some("cs_1".into()),
        calendar: CalendarMode::AtBooking,
        calendar_booking: None,
        ledger: Ledger::default(),
        refunds: Vec::new(),
        disputes: Vec::new(),
        policy: POLICY,
    }
}

fn cancelled(reason: CancelReason) -> Booking {
    let mut booking = held();
    booking.state.status = Status::Cancelled;
    booking.state.cancel_reason = Some(reason);
    booking.state.hold_expires_at = None;
    booking
}

fn confirmed_by_hand() -> Booking {
    let mut booking = held();
    booking.state.status = Status::Confirmed;
    booking.state.hold_expires_at = None;
    booking
}

/// A booking that `pi_1` paid.
fn paid() -> Booking {
    after(&held(), &held().receive(&payment("pi_1"), true, NOW))
}

/// A hold for which `pi_1` brought a euro too little.
fn mismatched() -> Booking {
    after(&held(), &held().receive(&payment_of("pi_1", 4_900, "eur"), true, NOW))
}

fn payment(payment_intent: &str) -> Payment {
    payment_of(payment_intent, DEPOSIT.cents(), "eur")
}

fn payment_of(payment_intent: &str, cents: i64, currency: &str) -> Payment {
    Payment { payment_intent: payment_intent.into(), amount: Cents::new(cents), currency: currency.into(), at: NOW }
}

fn refund(id: &str, payment_intent: &str, cents: i64) -> RefundFact {
    RefundFact {
        id: id.into(),
        payment_intent: payment_intent.into(),
        amount: Cents::new(cents),
        currency: "eur".into(),
        status: RefundStatus::Succeeded,
        at: later(60),
    }
}

fn failed(fact: RefundFact) -> RefundFact {
    RefundFact { status: RefundStatus::Failed, ..fact }
}

/// What Stripe says when these are its refunds.
fn of(refunds: &[RefundFact]) -> Facts {
    Facts { refunds: refunds.to_vec(), ..Facts::default() }
}

/// What Stripe says of a dispute about `cents` of a payment, by its states up to now: what it has moved follows from them.
fn contested(dispute: &str, payment_intent: &str, cents: i64, states: &[DisputeStatus]) -> Facts {
    let entry = |kind, amount, number: usize| Entry {
        kind,
        amount: Cents::new(amount),
        currency: "eur".into(),
        stripe_id: format!("txn_{dispute}_{number}"),
        payment_intent: payment_intent.into(),
        occurred_at: later(60),
    };
    let mut movements = Vec::new();
    let mut taken = false;
    for (number, state) in states.iter().enumerate() {
        match state {
            DisputeStatus::NeedsResponse if !taken => {
                movements.push(entry(EntryKind::DisputeWithdrawn, -cents, number));
                taken = true;
            }
            DisputeStatus::Won if taken => {
                movements.push(entry(EntryKind::DisputeReinstated, cents, number));
                taken = false;
            }
            _ => {}
        }
    }
    let status = states.last().expect("a state").clone();
    let dispute = Dispute {
        id: dispute.into(),
        payment_intent: payment_intent.into(),
        amount: Cents::new(cents),
        currency: "eur".into(),
        reason: "fraudulent".into(),
        refundable: status.is_inquiry(),
        due_by: status.needs_response().then(|| later(9 * 24 * 60)),
        status,
        opened_at: later(60),
    };
    Facts { disputes: vec![dispute], movements, refunds: Vec::new() }
}

/// A paid booking whose whole deposit a bank has taken.
fn disputed() -> Booking {
    after(&paid(), &paid().settle(&contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse])))
}

fn won() -> Facts {
    contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse, DisputeStatus::Won])
}

fn lost() -> Facts {
    contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse, DisputeStatus::Lost])
}

/// The booking as the database has it after the change: what `db::bookings::apply` does.
fn after(booking: &Booking, change: &Change) -> Booking {
    let mut booking = booking.clone();
    if let Some(state) = &change.state {
        booking.state = state.clone();
        booking.version += 1;
    }
    if let Some((starts_at, ends_at)) = change.slot {
        (booking.starts_at, booking.ends_at) = (starts_at, ends_at);
    }
    booking.ledger = booking.ledger.with(&change.ledger);
    for refund in &change.refunds {
        booking.refunds.retain(|known| known.id != refund.id);
        booking.refunds.push(refund.clone());
    }
    for dispute in &change.disputes {
        booking.disputes.retain(|known| known.id != dispute.id);
        booking.disputes.push(dispute.clone());
    }
    booking
}

fn state(change: &Change) -> &State {
    change.state.as_ref().expect("the state changes")
}

/// Which mails follow, and for which occasion, as it is stored.
fn mails(change: &Change) -> Vec<(Template, &'static str)> {
    change
        .tasks
        .iter()
        .filter_map(|task| match task {
            Task::SendEmail { template, occurrence, .. } => Some((*template, &*occurrence.to_string().leak())),
            _ => None,
        })
        .collect()
}

fn refunds(change: &Change) -> Vec<(&str, Cents, RefundReason)> {
    change
        .tasks
        .iter()
        .filter_map(|task| match task {
            Task::Refund { payment_intent, amount, reason, .. } => Some((payment_intent.as_str(), *amount, *reason)),
            _ => None,
        })
        .collect()
}

fn syncs(change: &Change) -> bool {
    change.tasks.contains(&Task::SyncCalendar { booking: held().id })
}

fn movements(change: &Change) -> Vec<(EntryKind, i64, &str)> {
    change.ledger.iter().map(|entry| (entry.kind, entry.amount.cents(), entry.stripe_id.as_str())).collect()
}

#[test]
fn a_payment_as_asked_confirms_a_held_booking() {
    let change = held().receive(&payment("pi_1"), true, NOW);
    assert_eq!(change.outcome, Outcome::Confirmed);
    assert_eq!(
        *state(&change),
        State {
            status: Status::Confirmed,
            payment_status: PaymentStatus::Paid,
            cancel_reason: None,
            hold_expires_at: None,
            payment_intent: Some("pi_1".into()),
            payment_problem: None,
            kept: None,
            no_show: false,
            undo: None,
        }
    );
    assert_eq!(movements(&change), [(EntryKind::Capture, 5_000, "pi_1")]);
    assert_eq!(mails(&change), [(Template::ArtistConfirmed, "1"), (Template::ClientConfirmed, "1")]);
    assert!(syncs(&change));
    assert_eq!(refunds(&change), []);
    let kinds: Vec<_> = change.history.iter().map(|line| (line.actor, line.kind)).collect();
    assert_eq!(kinds, [(Actor::Stripe, HistoryKind::PaymentReceived), (Actor::System, HistoryKind::Confirmed)]);
}

#[test]
fn a_payment_in_the_last_moment_confirms_although_the_hold_has_run_out() {
    let booking = held();
    assert!(booking.has_lapsed(later(31)));
    // Nobody has released it, so nobody else can have its slot.
    assert_eq!(booking.receive(&payment("pi_1"), true, later(31)).outcome, Outcome::Confirmed);
}

#[test]
fn the_same_payment_told_twice_changes_nothing() {
    for booking in [paid(), {
        let mut done = paid();
        done.state.status = Status::Completed;
        done
    }] {
        let change = booking.receive(&payment("pi_1"), true, later(1));
        assert_eq!(change.outcome, Outcome::AlreadyApplied);
        assert!(change.is_nothing());
    }
}

#[test]
fn a_second_payment_of_a_paid_booking_goes_back_and_the_artist_hears_of_it() {
    for booking in [paid(), {
        let mut done = paid();
        done.state.status = Status::Completed;
        done
    }] {
        let change = booking.receive(&payment("pi_2"), true, later(1));
        assert_eq!(change.outcome, Outcome::Duplicate);
        let after = after(&booking, &change);
        assert_eq!(after.state.status, booking.state.status);
        assert_eq!(after.state.payment_status, PaymentStatus::Paid);
        assert_eq!(after.state.payment_intent.as_deref(), Some("pi_1"), "the first payment stays the booking's own");
        assert_eq!(after.state.payment_problem, Some(PaymentProblem::Duplicate));
        assert_eq!(refunds(&change), [("pi_2", DEPOSIT, RefundReason::Duplicate)]);
        assert_eq!(movements(&change), [(EntryKind::Capture, 5_000, "pi_2")]);
        assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "pi_2")]);
        assert!(after.receive(&payment("pi_2"), true, later(2)).is_nothing());
    }
}

#[test]
fn a_second_payment_of_another_amount_goes_back_whole() {
    let change = paid().receive(&payment_of("pi_2", 9_900, "usd"), true, NOW);
    assert_eq!(change.outcome, Outcome::Duplicate);
    assert_eq!(refunds(&change), [("pi_2", Cents::new(9_900), RefundReason::Duplicate)]);
}

#[test]
fn late_money_revives_a_lapsed_booking_whose_slot_is_free() {
    for reason in [CancelReason::HoldExpired, CancelReason::PaymentFailed] {
        let booking = cancelled(reason);
        let change = booking.receive(&payment("pi_1"), true, later(60));
        assert_eq!(change.outcome, Outcome::Revived);
        let after = after(&booking, &change);
        assert_eq!(after.state.status, Status::Confirmed);
        assert_eq!(after.state.payment_status, PaymentStatus::Paid);
        assert_eq!(after.state.cancel_reason, None, "a live booking has no reason left over");
        assert_eq!(mails(&change), [(Template::ArtistConfirmed, "1"), (Template::ClientConfirmed, "1")]);
        assert!(syncs(&change), "it had left the calendar");
        assert_eq!(refunds(&change), []);
    }
}

#[test]
fn late_money_goes_back_when_the_slot_is_taken() {
    let booking = cancelled(CancelReason::HoldExpired);
    let change = booking.receive(&payment("pi_1"), false, later(60));
    assert_eq!(change.outcome, Outcome::RefundedLate);
    let after = after(&booking, &change);
    assert_eq!(after.state.status, Status::Cancelled);
    assert_eq!(after.state.payment_status, PaymentStatus::RefundPending);
    assert_eq!(after.state.payment_intent.as_deref(), Some("pi_1"));
    assert_eq!(refunds(&change), [("pi_1", DEPOSIT, RefundReason::Late)]);
    assert_eq!(mails(&change), [], "the client hears of it when the money is on its way");
    assert!(!syncs(&change));
}

#[test]
fn late_money_goes_back_when_the_appointment_has_begun_or_the_amount_is_another() {
    let booking = cancelled(CancelReason::HoldExpired);
    assert_eq!(booking.receive(&payment("pi_1"), true, booking.starts_at).outcome, Outcome::RefundedLate);
    for wrong in [payment_of("pi_1", 4_900, "eur"), payment_of("pi_1", 5_000, "usd")] {
        let change = booking.receive(&wrong, true, later(60));
        assert_eq!(change.outcome, Outcome::RefundedLate);
        assert_eq!(refunds(&change), [("pi_1", wrong.amount, RefundReason::Late)]);
    }
}

#[test]
fn money_for_a_booking_that_was_called_off_never_revives_it() {
    for reason in [CancelReason::Client, CancelReason::Artist, CancelReason::Calendar] {
        let booking = cancelled(reason);
        let change = booking.receive(&payment("pi_1"), true, later(1));
        assert_eq!(change.outcome, Outcome::RefundedLate);
        assert_eq!(state(&change).status, Status::Cancelled);
        assert_eq!(state(&change).cancel_reason, Some(reason));
        assert_eq!(refunds(&change), [("pi_1", DEPOSIT, RefundReason::Late)]);
    }
}

#[test]
fn the_client_is_told_of_the_refund_whatever_the_booking_was_cancelled_for() {
    for reason in CancelReason::ALL {
        let booking = cancelled(*reason);
        let booking = after(&booking, &booking.receive(&payment("pi_1"), false, later(1)));
        let change = booking.settle(&of(&[refund("re_1", "pi_1", 5_000)]));
        assert_eq!(mails(&change), [(Template::ClientLateRefund, "re_1")], "{reason:?}");
        assert_eq!(state(&change).payment_status, PaymentStatus::Refunded, "{reason:?}");
    }
}

#[test]
fn two_late_payments_both_go_back_and_only_then_is_everything_refunded() {
    let booking = cancelled(CancelReason::HoldExpired);
    let booking = after(&booking, &booking.receive(&payment("pi_1"), false, later(1)));
    let second = booking.receive(&payment("pi_2"), true, later(2));
    assert_eq!(
        second.outcome,
        Outcome::RefundedLate,
        "the slot may be free again, but the first payment is on its way back"
    );
    assert_eq!(refunds(&second), [("pi_2", DEPOSIT, RefundReason::Late)]);
    let booking = after(&booking, &second);
    assert_eq!(booking.state.payment_intent.as_deref(), Some("pi_1"));
    let booking = after(&booking, &booking.settle(&of(&[refund("re_1", "pi_1", 5_000)])));
    assert_eq!(booking.state.payment_status, PaymentStatus::RefundPending);
    let booking = after(&booking, &booking.settle(&of(&[refund("re_2", "pi_2", 5_000)])));
    assert_eq!(booking.state.payment_status, PaymentStatus::Refunded);
}

#[test]
fn a_payment_of_another_amount_or_currency_confirms_nothing_and_keeps_the_slot() {
    for wrong in [payment_of("pi_1", 4_999, "eur"), payment_of("pi_1", 5_001, "eur"), payment_of("pi_1", 5_000, "usd")]
    {
        let booking = held();
        let change = booking.receive(&wrong, true, NOW);
        assert_eq!(change.outcome, Outcome::Mismatch);
        let booking = after(&booking, &change);
        assert_eq!(booking.state.status, Status::Pending);
        assert_eq!(booking.state.payment_status, PaymentStatus::Unpaid);
        assert_eq!(booking.state.payment_problem, Some(PaymentProblem::Mismatch));
        assert_eq!(booking.state.hold_expires_at, None, "a person decides, no clock does");
        assert_eq!(refunds(&change), [], "only by decision");
        assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "pi_1")]);
        assert_eq!(movements(&change), [(EntryKind::Capture, wrong.amount.cents(), "pi_1")]);

        assert!(!booking.has_lapsed(later(60 * 24)));
        assert!(booking.release(CancelReason::HoldExpired, Actor::System).is_nothing());
        assert!(booking.checkout_expired("cs_1").is_nothing());
    }
}

#[test]
fn a_mismatch_that_is_given_back_releases_the_slot() {
    let booking = mismatched();
    let half = booking.settle(&of(&[refund("re_1", "pi_1", 2_000)]));
    assert_eq!(state(&half).status, Status::Pending, "some of it is still here");
    let booking = after(&booking, &half);
    let rest = booking.settle(&of(&[refund("re_2", "pi_1", 2_900)]));
    assert_eq!(state(&rest).status, Status::Cancelled);
    assert_eq!(state(&rest).cancel_reason, Some(CancelReason::PaymentFailed));
    assert!(syncs(&rest));
}

#[test]
fn the_right_payment_after_a_mismatch_confirms_and_the_problem_stays_in_sight() {
    let booking = mismatched();
    let change = booking.receive(&payment("pi_2"), true, later(1));
    assert_eq!(change.outcome, Outcome::Confirmed);
    let booking = after(&booking, &change);
    assert_eq!(booking.state.payment_intent.as_deref(), Some("pi_2"));
    assert_eq!(booking.state.payment_problem, Some(PaymentProblem::Mismatch), "pi_1 is still with us");
    // The person who gives pi_1 back does not take the booking's own payment with it.
    let change = booking.settle(&of(&[refund("re_1", "pi_1", 4_900)]));
    assert_eq!(state(&change).status, Status::Confirmed);
    assert_eq!(state(&change).payment_status, PaymentStatus::Paid);
}

#[test]
fn the_balance_of_another_payment_does_not_hide_that_the_deposit_went_back() {
    let booking = mismatched();
    let booking = after(&booking, &booking.receive(&payment("pi_2"), true, later(1)));
    let change = booking.settle(&of(&[refund("re_2", "pi_2", 5_000)]));
    assert_eq!(state(&change).payment_status, PaymentStatus::Refunded);
}

#[test]
fn a_booking_confirmed_by_hand_is_paid_without_being_confirmed_again() {
    let booking = confirmed_by_hand();
    let change = booking.receive(&payment("pi_1"), false, NOW);
    assert_eq!(change.outcome, Outcome::Paid);
    assert_eq!(state(&change).payment_status, PaymentStatus::Paid);
    assert_eq!(state(&change).payment_intent.as_deref(), Some("pi_1"));
    let wrong = booking.receive(&payment_of("pi_1", 100, "eur"), false, NOW);
    assert_eq!(wrong.outcome, Outcome::Mismatch);
    assert_eq!(state(&wrong).status, Status::Confirmed);
    assert_eq!(state(&wrong).payment_status, PaymentStatus::Unpaid);
}

#[test]
fn a_payment_that_was_refunded_before_we_heard_of_it_confirms_nothing() {
    let fact = refund("re_1", "pi_1", 5_000);
    let booking = held();
    let early = booking.settle(&of(std::slice::from_ref(&fact)));
    assert_eq!(state(&early).status, Status::Pending, "a refund alone says nothing of the hold");
    let booking = after(&booking, &early);
    let change = booking.receive(&payment("pi_1"), true, later(1));
    assert_eq!(change.outcome, Outcome::GivenBack);
    let booking = after(&booking, &change);
    assert_eq!(booking.state.status, Status::Cancelled);
    assert_eq!(booking.state.payment_status, PaymentStatus::Refunded);
    assert_eq!(refunds(&change), []);
    assert_eq!(mails(&change), []);
    assert!(booking.settle(&of(&[fact])).is_nothing());
    let again = booking.receive(&payment("pi_2"), true, later(2));
    assert_eq!(again.outcome, Outcome::Revived, "the client may pay once more");
}

#[test]
fn a_refund_is_one_movement_however_often_it_is_told() {
    let fact = refund("re_1", "pi_1", 5_000);
    let change = paid().settle(&of(&[fact.clone(), fact.clone()]));
    assert_eq!(movements(&change), [(EntryKind::Refund, -5_000, "re_1")]);
    assert_eq!(state(&change).payment_status, PaymentStatus::Refunded);
    let booking = after(&paid(), &change);
    assert!(booking.settle(&of(&[fact])).is_nothing());
}

#[test]
fn a_part_of_the_deposit_given_back_leaves_it_paid() {
    let change = paid().settle(&of(&[refund("re_1", "pi_1", 2_000)]));
    assert_eq!(state(&change).payment_status, PaymentStatus::Paid);
    let change = after(&paid(), &change).settle(&of(&[refund("re_1", "pi_1", 2_000), refund("re_2", "pi_1", 3_000)]));
    assert_eq!(movements(&change), [(EntryKind::Refund, -3_000, "re_2")]);
    assert_eq!(state(&change).payment_status, PaymentStatus::Refunded);
}

#[test]
fn a_refund_that_fails_is_owed_again_and_the_artist_hears_of_it() {
    let gone = refund("re_1", "pi_1", 5_000);
    let booking = after(&paid(), &paid().settle(&of(std::slice::from_ref(&gone))));
    let change = booking.settle(&of(&[failed(gone)]));
    assert_eq!(movements(&change), [(EntryKind::RefundFailed, 5_000, "re_1")]);
    assert_eq!(state(&change).payment_status, PaymentStatus::RefundPending);
    assert_eq!(state(&change).payment_problem, Some(PaymentProblem::RefundFailed));
    assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "re_1"), (Template::ClientRefundFailed, "re_1")]);
    // The second attempt works, and nothing is left to look at.
    let booking = after(&booking, &change);
    let again = booking.settle(&of(&[refund("re_2", "pi_1", 5_000)]));
    assert_eq!(state(&again).payment_problem, None);
    assert_eq!(state(&booking.settle(&of(&[refund("re_2", "pi_1", 5_000)]))).payment_status, PaymentStatus::Refunded);
}

#[test]
fn a_failure_that_overtakes_its_refund_ends_the_same_way() {
    let fact = refund("re_1", "pi_1", 5_000);
    let end = |calls: &[Vec<RefundFact>]| {
        calls.iter().fold(paid(), |booking, facts| after(&booking, &booking.settle(&of(facts))))
    };
    let expected = end(&[vec![fact.clone()], vec![failed(fact.clone())]]);
    assert_eq!(expected.state.payment_status, PaymentStatus::RefundPending);
    let overtaken = end(&[vec![failed(fact.clone())], vec![fact.clone()]]);
    let stale_copy = end(&[vec![failed(fact.clone()), fact]]);
    for other in [overtaken, stale_copy] {
        assert_eq!(other.state, expected.state);
        assert_eq!(other.ledger, expected.ledger);
    }
}

#[test]
fn a_refund_that_stripe_refuses_is_put_before_a_person_once() {
    let booking = cancelled(CancelReason::HoldExpired);
    let booking = after(&booking, &booking.receive(&payment("pi_1"), false, later(1)));
    let change = booking.refund_impossible("pi_1", "charge_disputed");
    assert_eq!(state(&change).payment_problem, Some(PaymentProblem::RefundFailed));
    assert_eq!(state(&change).payment_status, PaymentStatus::RefundPending, "it is still owed");
    assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "refund:pi_1")]);
    assert!(after(&booking, &change).refund_impossible("pi_1", "charge_disputed").is_nothing());
}

#[test]
fn a_hold_that_nobody_paid_is_released_and_leaves_the_calendar() {
    let change = held().checkout_expired("cs_1");
    assert_eq!(change.outcome, Outcome::Released);
    assert_eq!(state(&change).status, Status::Cancelled);
    assert_eq!(state(&change).cancel_reason, Some(CancelReason::HoldExpired));
    assert_eq!(state(&change).hold_expires_at, None);
    assert!(syncs(&change));
    let unwritten = Booking { calendar: CalendarMode::AfterPayment, ..held() };
    assert_eq!(unwritten.checkout_expired("cs_1").tasks, [], "it never was in the calendar");
}

#[test]
fn the_end_of_another_session_releases_nothing() {
    assert!(held().checkout_expired("cs_2").is_nothing());
    let lost_answer = Booking { checkout_session: None, ..held() };
    assert_eq!(lost_answer.checkout_expired("cs_2").outcome, Outcome::Released);
}

#[test]
fn a_client_who_gave_the_slot_back_is_told_so_even_if_stripe_was_faster() {
    let overtaken = cancelled(CancelReason::HoldExpired);
    let change = overtaken.release(CancelReason::Client, Actor::Client);
    let state = change.state.expect("the reason is put right");
    assert_eq!((state.status, state.cancel_reason), (Status::Cancelled, Some(CancelReason::Client)));
    assert!(change.tasks.is_empty(), "the release has set off its jobs already");
    assert!(cancelled(CancelReason::Artist).release(CancelReason::Client, Actor::Client).is_nothing());
    assert!(overtaken.release(CancelReason::HoldExpired, Actor::System).is_nothing());
}

#[test]
fn only_an_unpaid_hold_is_released() {
    for booking in [paid(), confirmed_by_hand(), cancelled(CancelReason::Client), mismatched()] {
        assert!(booking.release(CancelReason::HoldExpired, Actor::System).is_nothing());
        assert!(booking.checkout_expired("cs_1").is_nothing());
    }
}

#[test]
fn a_bank_that_answers_later_keeps_the_hold_for_a_week() {
    let change = held().wait_for_slow_payment(NOW);
    assert_eq!(state(&change).status, Status::Pending);
    assert_eq!(state(&change).hold_expires_at, Some(NOW + SLOW_PAYMENT_HOLD));
    for booking in [paid(), mismatched(), cancelled(CancelReason::HoldExpired)] {
        assert!(booking.wait_for_slow_payment(NOW).is_nothing());
    }
}

#[test]
fn a_dispute_is_flagged_and_cancels_nothing() {
    let facts = contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse]);
    let change = paid().settle(&facts);
    assert_eq!(state(&change).status, Status::Confirmed);
    assert_eq!(state(&change).payment_status, PaymentStatus::Disputed);
    assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "dp_1")]);
    assert_eq!(movements(&change), [(EntryKind::DisputeWithdrawn, -5_000, "txn_dp_1_0")]);
    assert!(disputed().settle(&facts).is_nothing(), "told twice");
}

#[test]
fn a_won_dispute_brings_the_deposit_back_and_a_lost_one_does_not() {
    let back = disputed().settle(&won());
    assert_eq!(state(&back).payment_status, PaymentStatus::Paid);
    assert_eq!(movements(&back), [(EntryKind::DisputeReinstated, 5_000, "txn_dp_1_1")]);
    assert!(after(&disputed(), &back).settle(&won()).is_nothing());

    let gone = after(&disputed(), &disputed().settle(&lost()));
    assert_eq!(gone.state.payment_status, PaymentStatus::Lost);
    assert!(gone.has_lost_dispute() && !disputed().has_lost_dispute());
    assert!(!gone.state.payment_status.is_in_hand());
    assert!(gone.settle(&lost()).is_nothing());
}

#[test]
fn a_dispute_that_is_lost_and_then_won_on_appeal_ends_as_one_that_was_won() {
    use DisputeStatus::{AppealNeedsResponse, AppealUnderReview, Lost, NeedsResponse, Won};
    let states = [NeedsResponse, Lost, AppealNeedsResponse, AppealUnderReview, Won];
    let step = |booking: Booking, to: usize| {
        after(&booking, &booking.settle(&contested("dp_1", "pi_1", 5_000, &states[..to])))
    };
    let lost = step(step(paid(), 1), 2);
    assert_eq!(lost.state.payment_status, PaymentStatus::Lost);
    let appealed = step(lost, 3);
    assert_eq!(appealed.state.payment_status, PaymentStatus::Disputed);
    let won = step(step(appealed, 4), 5);
    assert_eq!((won.state.payment_status, won.in_hand()), (PaymentStatus::Paid, DEPOSIT));
    assert_eq!(step(paid(), 5).state, won.state, "read once at the end it is the same book");
}

#[test]
fn what_is_called_off_during_a_dispute_goes_back_once_the_dispute_is_won() {
    let booking = disputed();
    assert_eq!(booking.cancellation(Canceller::Artist, NOW).amount, Cents::ZERO, "the bank has it");
    assert_eq!(booking.owed_once_free(Canceller::Artist, NOW), DEPOSIT);
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), []);
    assert_eq!((state(&change).payment_status, state(&change).kept), (PaymentStatus::Disputed, Some(Cents::ZERO)));
    let cancelled = after(&booking, &change);

    let back = cancelled.settle(&won());
    assert_eq!(refunds(&back), [("pi_1", DEPOSIT, RefundReason::Cancelled)]);
    assert_eq!(state(&back).payment_status, PaymentStatus::RefundPending);
    let settled = after(&cancelled, &back).settle(&of(&[refund("re_1", "pi_1", 5_000)]));
    assert_eq!(state(&settled).payment_status, PaymentStatus::Refunded);
    assert_eq!(mails(&settled), [(Template::ClientLateRefund, "re_1")], "the mail of the cancellation left it open");

    let gone = after(&cancelled, &cancelled.settle(&lost()));
    assert_eq!((gone.state.payment_status, gone.owed("pi_1")), (PaymentStatus::Lost, Cents::ZERO));
}

#[test]
fn a_client_who_cancels_late_during_a_dispute_leaves_the_artist_what_the_terms_say() {
    let booking = disputed();
    let late = booking.starts_at - SignedDuration::from_hours(71);
    let cancelled = after(&booking, &booking.cancel(CancelReason::Client, Canceller::Client, late));
    assert_eq!(cancelled.state.kept, Some(Cents::new(2_500)));
    assert_eq!(refunds(&cancelled.settle(&won())), [("pi_1", Cents::new(2_500), RefundReason::Cancelled)]);
}

#[test]
fn an_inquiry_takes_nothing_and_a_refund_is_possible_and_ends_it() {
    use DisputeStatus::{WarningClosed, WarningNeedsResponse};
    let asked = contested("dp_1", "pi_1", 5_000, &[WarningNeedsResponse]);
    let booking = after(&paid(), &paid().settle(&asked));
    assert_eq!((booking.state.payment_status, booking.in_hand()), (PaymentStatus::Paid, DEPOSIT));
    assert_eq!(booking.refundable(), DEPOSIT);
    assert_eq!(booking.open_dispute().map(|dispute| dispute.id.as_str()), Some("dp_1"));
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), [("pi_1", DEPOSIT, RefundReason::Cancelled)]);
    let cancelled = after(&booking, &change);
    let settled = after(&cancelled, &cancelled.settle(&of(&[refund("re_1", "pi_1", 5_000)])));
    let closed =
        after(&settled, &settled.settle(&contested("dp_1", "pi_1", 5_000, &[WarningNeedsResponse, WarningClosed])));
    assert_eq!(closed.state.payment_status, PaymentStatus::Refunded);
    assert_eq!(closed.open_dispute(), None);

    let let_go = after(&booking, &booking.settle(&contested("dp_1", "pi_1", 5_000, &[WarningClosed])));
    assert_eq!(let_go.state.payment_status, PaymentStatus::Paid);
}

#[test]
fn a_dispute_that_was_prevented_is_not_one_that_was_won() {
    let change = paid().settle(&contested("dp_1", "pi_1", 5_000, &[DisputeStatus::Prevented]));
    assert_eq!(mails(&change), [], "nothing waits for an answer");
    let kinds: Vec<_> = change.history.iter().map(|line| line.kind).collect();
    assert_eq!(kinds, [HistoryKind::DisputeOpened, HistoryKind::DisputePrevented]);
    assert_eq!(state(&change).payment_status, PaymentStatus::Paid, "the money says where it is");
}

#[test]
fn a_part_that_is_lost_leaves_the_rest_paid_and_to_be_given_back() {
    let states = [DisputeStatus::NeedsResponse, DisputeStatus::Lost];
    let booking = after(&paid(), &paid().settle(&contested("dp_1", "pi_1", 1_000, &states)));
    assert_eq!((booking.state.payment_status, booking.in_hand()), (PaymentStatus::Paid, Cents::new(4_000)));
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), [("pi_1", Cents::new(4_000), RefundReason::Cancelled)]);
}

#[test]
fn of_two_disputes_on_one_payment_the_end_of_one_is_not_the_end_of_the_other() {
    use DisputeStatus::{Lost, NeedsResponse, Won};
    let (one, two) = (
        |states: &[_]| contested("dp_1", "pi_1", 2_000, states),
        |states: &[_]| contested("dp_2", "pi_1", 3_000, states),
    );
    let booking = after(&paid(), &paid().settle(&one(&[NeedsResponse])));
    let second = booking.settle(&two(&[NeedsResponse]));
    assert_eq!(mails(&second), [(Template::ArtistPaymentProblem, "dp_2")]);
    let booking = after(&booking, &second);
    let booking = after(&booking, &booking.settle(&one(&[NeedsResponse, Won])));
    assert_eq!(booking.state.payment_status, PaymentStatus::Disputed, "the other one is open");
    let booking = after(&booking, &booking.settle(&two(&[NeedsResponse, Lost])));
    assert_eq!((booking.state.payment_status, booking.ledger.left("pi_1")), (PaymentStatus::Paid, Cents::new(2_000)));
}

#[test]
fn a_dispute_about_another_payment_says_nothing_of_the_deposit() {
    let booking = after(&paid(), &paid().receive(&payment("pi_2"), true, later(1)));
    for (booking, payment_intent) in [(booking, "pi_2"), (mismatched(), "pi_1")] {
        let change = booking.settle(&contested("dp_1", payment_intent, 5_000, &[DisputeStatus::NeedsResponse]));
        assert_eq!(state(&change).payment_status, booking.state.payment_status);
        assert_eq!(mails(&change), [(Template::ArtistPaymentProblem, "dp_1")]);
        assert_eq!(movements(&change), [(EntryKind::DisputeWithdrawn, -5_000, "txn_dp_1_0")]);
    }
}

#[test]
fn a_dispute_won_over_money_that_went_back_or_must_go_back_makes_nothing_paid() {
    let refunded = after(&paid(), &paid().settle(&of(&[refund("re_1", "pi_1", 5_000)])));
    let contested_too =
        after(&refunded, &refunded.settle(&contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse])));
    assert_eq!(contested_too.state.payment_status, PaymentStatus::Disputed);
    assert_eq!(state(&contested_too.settle(&won())).payment_status, PaymentStatus::Refunded);
    assert_eq!(state(&contested_too.settle(&lost())).payment_status, PaymentStatus::Lost, "given back, and taken");

    let late = cancelled(CancelReason::HoldExpired);
    let late = after(&late, &late.receive(&payment("pi_1"), false, later(1)));
    let late = after(&late, &late.settle(&contested("dp_1", "pi_1", 5_000, &[DisputeStatus::NeedsResponse])));
    let second = after(&late, &late.receive(&payment("pi_2"), false, later(2)));
    assert_eq!(second.state.payment_status, PaymentStatus::Disputed, "another late payment does not end the dispute");
    let back = late.settle(&won());
    assert_eq!(state(&back).payment_status, PaymentStatus::RefundPending);
    assert_eq!(refunds(&back), [("pi_1", DEPOSIT, RefundReason::Cancelled)]);
}

#[test]
fn a_state_of_stripes_that_nobody_knows_yet_is_kept_and_decides_nothing_but_its_own_openness() {
    let change = disputed().settle(&contested(
        "dp_1",
        "pi_1",
        5_000,
        &[DisputeStatus::NeedsResponse, DisputeStatus::Unknown("of_2031".into())],
    ));
    assert_eq!(change.disputes[0].status.name(), "of_2031");
    assert_eq!(state(&change).payment_status, PaymentStatus::Disputed);
    assert_eq!((mails(&change), refunds(&change)), (Vec::new(), Vec::new()));
}

#[test]
fn a_refund_that_is_on_its_way_is_not_one_that_has_arrived() {
    for status in [RefundStatus::Pending, RefundStatus::RequiresAction, RefundStatus::Unknown("of_2031".into())] {
        let booking = paid();
        let cancelled = after(&booking, &booking.cancel(CancelReason::Artist, Canceller::Artist, NOW));
        let going = RefundFact { status, ..refund("re_1", "pi_1", 5_000) };
        let going = after(&cancelled, &cancelled.settle(&of(&[going])));
        assert_eq!(going.state.payment_status, PaymentStatus::RefundPending);
        assert_eq!(going.owed("pi_1"), Cents::ZERO, "nothing is to be given back twice");
        let arrived = going.settle(&of(&[refund("re_1", "pi_1", 5_000)]));
        assert_eq!(state(&arrived).payment_status, PaymentStatus::Refunded);
        let called_off = RefundFact { status: RefundStatus::Canceled, ..refund("re_1", "pi_1", 5_000) };
        let failed = going.settle(&of(&[called_off]));
        assert_eq!(state(&failed).payment_status, PaymentStatus::RefundPending);
        assert_eq!(mails(&failed), [(Template::ArtistPaymentProblem, "re_1"), (Template::ClientRefundFailed, "re_1")]);
    }
}

#[test]
fn a_client_hears_of_money_that_goes_back_while_the_appointment_stands() {
    let change = paid().settle(&of(&[refund("re_1", "pi_1", 2_000)]));
    assert_eq!(mails(&change), [(Template::ClientLateRefund, "re_1")]);
    let going = RefundFact { status: RefundStatus::Pending, ..refund("re_2", "pi_1", 1_000) };
    let booking = after(&paid(), &change);
    let change = booking.settle(&of(&[going]));
    assert_eq!(mails(&change), [], "once it has arrived");
    let change = after(&booking, &change).settle(&of(&[refund("re_2", "pi_1", 1_000)]));
    assert_eq!(mails(&change), [(Template::ClientLateRefund, "re_2")]);
}

#[test]
fn an_artist_gives_a_part_back_by_hand_and_the_appointment_stands() {
    let booking = paid();
    let change = booking.refund_by_hand(Cents::new(2_000));
    assert_eq!(refunds(&change), [("pi_1", Cents::new(2_000), RefundReason::ByHand)]);
    let asked = after(&booking, &change);
    assert_eq!((asked.state.status, asked.state.payment_status), (Status::Confirmed, PaymentStatus::RefundPending));
    assert_eq!(asked.refundable(), Cents::new(3_000), "the rest, and not what is on its way");
    let more = asked.refund_by_hand(Cents::new(500));
    assert_eq!(refunds(&more), [("pi_1", Cents::new(2_500), RefundReason::ByHand)], "both at once");
    let settled = after(&asked, &asked.settle(&of(&[refund("re_1", "pi_1", 2_000)])));
    assert_eq!((settled.state.payment_status, settled.in_hand()), (PaymentStatus::Paid, Cents::new(3_000)));
    let cancelled = after(&settled, &settled.cancel(CancelReason::Artist, Canceller::Artist, NOW));
    assert_eq!(cancelled.owed("pi_1"), Cents::new(3_000), "called off later, the rest goes back");
    for wrong in [0, -1, 5_001] {
        assert!(booking.refund_by_hand(Cents::new(wrong)).is_nothing());
    }
    for other in [held(), disputed(), mismatched(), confirmed_by_hand()] {
        assert!(other.refund_by_hand(Cents::new(1)).is_nothing());
    }
}

#[test]
fn a_payment_that_is_a_cent_short_can_be_taken_as_it_came() {
    let booking = mismatched();
    let change = booking.accept_mismatch(NOW);
    let accepted = after(&booking, &change);
    assert_eq!((accepted.state.status, accepted.state.payment_status), (Status::Confirmed, PaymentStatus::Paid));
    assert_eq!((accepted.state.payment_problem, accepted.in_hand()), (None, Cents::new(4_900)));
    assert_eq!(mails(&change), [(Template::ArtistConfirmed, "1"), (Template::ClientConfirmed, "1")]);
    let dollars = after(&held(), &held().receive(&payment_of("pi_1", 5_000, "usd"), true, NOW));
    for other in [held(), paid(), dollars] {
        assert!(other.accept_mismatch(NOW).is_nothing());
    }
    assert!(booking.accept_mismatch(booking.starts_at).is_nothing(), "it has begun");
}

#[test]
fn money_that_is_owed_and_that_nobody_gives_back_is_given_back() {
    let booking = paid();
    let cancelled = after(&booking, &booking.cancel(CancelReason::Artist, Canceller::Artist, NOW));
    assert_eq!(refunds(&cancelled.give_back()), [("pi_1", DEPOSIT, RefundReason::Cancelled)]);
    let refused = after(&cancelled, &cancelled.refund_impossible("pi_1", "expired_or_canceled_card"));
    assert_eq!(refused.give_back().outcome, Outcome::NotPossible, "a person has to");
    let gone = after(&cancelled, &cancelled.settle(&of(&[refund("re_1", "pi_1", 5_000)])));
    assert!(gone.give_back().is_nothing());
    let held_by_a_bank = after(&disputed(), &disputed().cancel(CancelReason::Artist, Canceller::Artist, NOW));
    assert!(held_by_a_bank.give_back().is_nothing());
    assert!(paid().give_back().is_nothing(), "a booking that stands owes nothing");
}

#[test]
fn a_new_hold_is_told_to_nobody_but_the_calendar_that_wants_it_now() {
    let id = held().id;
    for (calendar, tasks) in [
        (CalendarMode::Off, Vec::new()),
        (CalendarMode::AfterPayment, Vec::new()),
        (CalendarMode::AtBooking, vec![Task::SyncCalendar { booking: id }]),
    ] {
        assert_eq!(Booking::tasks_of_a_new_hold(id, calendar), tasks, "{calendar:?}");
    }
}

#[test]
fn the_client_is_reminded_of_a_hold_once_while_there_is_time_to_pay() {
    let id = held().id;
    let reminder = |minutes| Booking::reminder_of_a_new_hold(id, later(minutes), NOW);
    let mail = Task::SendEmail { booking: id, template: Template::ClientHeld, occurrence: Occasion::FIRST };
    assert_eq!(reminder(30), Some((mail.clone(), later(10))));
    assert_eq!(reminder(24 * 60), Some((mail.clone(), later(10))));
    assert_eq!(reminder(20), Some((mail, later(10))), "ten minutes are left");
    assert_eq!(reminder(19), None);
    assert_eq!(Booking::reminder_of_a_new_hold(id, Timestamp::MAX, Timestamp::MAX), None);
}

#[test]
fn the_artists_own_copy_follows_whoever_changes_the_appointment() {
    let (starts_at, ends_at) = (later(20 * 24 * 60), later(20 * 24 * 60 + 120));
    let alone = Booking { calendar: CalendarMode::Off, ..paid() };
    let with_calcom = Booking { calendar: CalendarMode::AfterPayment, ..paid() };
    let told = |change: &Change, template| mails(change).iter().any(|(told, _)| *told == template);
    for actor in [Actor::Artist, Actor::Client, Actor::System] {
        let change = alone.move_to(starts_at, ends_at, actor, true);
        assert!(told(&change, Template::ArtistMoved), "{actor:?}");
    }
    // Cal.com keeps its own copy: only the news of somebody else's change is told.
    for (actor, news) in [(Actor::Artist, false), (Actor::Calcom, false), (Actor::Client, true)] {
        let change = with_calcom.move_to(starts_at, ends_at, actor, true);
        assert_eq!(told(&change, Template::ArtistMoved), news, "{actor:?}");
    }
    let by_artist = |booking: &Booking| {
        told(&booking.cancel(CancelReason::Artist, Canceller::Artist, NOW), Template::ArtistCancelled)
    };
    assert!(by_artist(&alone) && !by_artist(&with_calcom));
    let unpaid = Booking { calendar: CalendarMode::Off, ..held() };
    assert!(!by_artist(&unpaid), "no file was ever sent");
    assert!(!told(&unpaid.move_to(starts_at, ends_at, Actor::Artist, true), Template::ArtistMoved));
}

#[test]
fn stripes_page_closes_after_the_hold_and_never_before_the_half_hour_stripe_asks_for() {
    let end = hold_end(NOW, SignedDuration::from_mins(30));
    assert_eq!(end, later(30));
    assert_eq!(checkout_end(end), later(35));
    assert_eq!(hold_end(Timestamp::MAX, SignedDuration::from_mins(30)), Timestamp::MAX);
}

/// A payment that the client of a random life makes: what it brings, and what becomes of it at Stripe.
#[derive(Debug, Clone)]
struct Purse {
    cents: i64,
    currency: &'static str,
    /// The refunds that Stripe makes of it, each with whether it fails in the end. Never more than it brought.
    refunds: Vec<(i64, bool)>,
    dispute_is_lost: bool,
}

/// One piece of news, as the webhook, the worker or the sweeper brings it. Numbers choose a purse.
#[derive(Debug, Clone)]
enum News {
    Payment(usize),
    SlowPayment,
    SessionExpired {
        ours: bool,
    },
    Released(CancelReason),
    Refunds {
        purse: usize,
        which: Vec<(Index, bool)>,
    },
    RefundImpossible(usize),
    /// A dispute opens if there was none, and is read; or an older event of it comes late, and it is read as it is.
    DisputeOpened(usize),
    DisputeClosed(usize),
    SlotIsTaken(bool),
    TimePasses(i64),
    AppointmentTakesPlace,
}

const PURSES: usize = 3;

fn purse() -> impl Strategy<Value = Purse> {
    let brings = prop_oneof![
        4 => Just((5_000, "eur")),
        1 => Just((4_000, "eur")),
        1 => Just((6_000, "eur")),
        1 => Just((5_000, "usd")),
    ];
    (brings, 0..5_u8, any::<bool>()).prop_map(|((cents, currency), plan, dispute_is_lost)| {
        let refunds = match plan {
            0 => vec![],
            1 => vec![(cents, false)],
            2 => vec![(cents, true)],
            3 => vec![(cents, true), (cents, false)],
            _ => vec![(cents / 2, false), (cents - cents / 2, false)],
        };
        Purse { cents, currency, refunds, dispute_is_lost }
    })
}

fn news() -> impl Strategy<Value = News> {
    let lapse = prop_oneof![Just(CancelReason::HoldExpired), Just(CancelReason::PaymentFailed)];
    prop_oneof![
        6 => (0..PURSES).prop_map(News::Payment),
        1 => Just(News::SlowPayment),
        2 => any::<bool>().prop_map(|ours| News::SessionExpired { ours }),
        2 => lapse.prop_map(News::Released),
        5 => (0..PURSES, prop::collection::vec((any::<Index>(), any::<bool>()), 1..4))
            .prop_map(|(purse, which)| News::Refunds { purse, which }),
        1 => (0..PURSES).prop_map(News::RefundImpossible),
        1 => (0..PURSES).prop_map(News::DisputeOpened),
        1 => (0..PURSES).prop_map(News::DisputeClosed),
        2 => any::<bool>().prop_map(News::SlotIsTaken),
        1 => (1..20_000_i64).prop_map(News::TimePasses),
        1 => Just(News::AppointmentTakesPlace),
    ]
}

fn beginning() -> impl Strategy<Value = Booking> {
    let modes = [CalendarMode::Off, CalendarMode::AtBooking, CalendarMode::AfterPayment];
    let starts = [
        held(),
        held(),
        held(),
        confirmed_by_hand(),
        cancelled(CancelReason::HoldExpired),
        cancelled(CancelReason::PaymentFailed),
        cancelled(CancelReason::Client),
        cancelled(CancelReason::Artist),
        cancelled(CancelReason::Calendar),
    ];
    (prop::sample::select(starts.to_vec()), prop::sample::select(modes.to_vec()))
        .prop_map(|(booking, calendar)| Booking { calendar, ..booking })
}

/// The booking, its jobs and the world around it, kept in memory as the database keeps them.
#[derive(Debug, Clone)]
struct Life {
    booking: Booking,
    /// Jobs by their key: the same wish said twice is one row.
    jobs: BTreeMap<String, Task>,
    purses: Vec<Purse>,
    /// The states that the dispute of each purse went through.
    disputes: Vec<Vec<DisputeStatus>>,
    slot_is_taken: bool,
    now: Timestamp,
}

impl Life {
    fn begin(booking: Booking, purses: Vec<Purse>) -> Self {
        Self {
            booking,
            jobs: BTreeMap::new(),
            disputes: vec![Vec::new(); purses.len()],
            purses,
            slot_is_taken: false,
            now: NOW,
        }
    }

    fn fact(&self, purse: usize, which: Index, holds: bool) -> Option<RefundFact> {
        let refunds = &self.purses[purse].refunds;
        let index = (!refunds.is_empty()).then(|| which.index(refunds.len()))?;
        let (cents, fails) = refunds[index];
        Some(RefundFact {
            currency: self.purses[purse].currency.into(),
            // A refund that fails is first seen as under way; one that succeeds never fails.
            status: match (holds, fails) {
                (_, false) => RefundStatus::Succeeded,
                (true, true) => RefundStatus::Pending,
                (false, true) => RefundStatus::Failed,
            },
            ..refund(&format!("re_{purse}_{index}"), &intent(purse), cents)
        })
    }

    fn decide(&self, news: &News) -> Change {
        let booking = &self.booking;
        match news {
            News::Payment(purse) => {
                let Purse { cents, currency, .. } = self.purses[*purse];
                booking.receive(&payment_of(&intent(*purse), cents, currency), !self.slot_is_taken, self.now)
            }
            News::SlowPayment => booking.wait_for_slow_payment(self.now),
            News::SessionExpired { ours } => booking.checkout_expired(if *ours { "cs_1" } else { "cs_2" }),
            News::Released(reason) => booking.release(*reason, Actor::System),
            News::Refunds { purse, which } => {
                let facts: Vec<_> =
                    which.iter().filter_map(|(which, holds)| self.fact(*purse, *which, *holds)).collect();
                booking.settle(&of(&facts))
            }
            News::RefundImpossible(purse) => booking.refund_impossible(&intent(*purse), "charge_disputed"),
            // Stripe names only the payment: of one that no booking knows, no booking hears.
            News::DisputeOpened(purse) | News::DisputeClosed(purse)
                if !booking.ledger.entries().iter().any(|entry| entry.payment_intent == intent(*purse)) =>
            {
                Change::nothing(Outcome::UnknownBooking)
            }
            News::DisputeOpened(purse) | News::DisputeClosed(purse) => match &self.disputes[*purse][..] {
                [] => Change::nothing(Outcome::NotDisputed),
                states => booking.settle(&contested(
                    &format!("dp_{purse}"),
                    &intent(*purse),
                    self.purses[*purse].cents,
                    states,
                )),
            },
            News::SlotIsTaken(_) | News::TimePasses(_) | News::AppointmentTakesPlace => {
                Change::nothing(Outcome::Ignored)
            }
        }
    }

    /// Lets the news in, as the edge does, and checks all that must be true afterwards.
    fn hear(&mut self, news: &News) -> Result<(), TestCaseError> {
        match news {
            // Somebody else can only take a slot that the booking does not have.
            News::SlotIsTaken(taken) => {
                self.slot_is_taken = *taken && self.booking.state.status == Status::Cancelled;
                return Ok(());
            }
            News::DisputeOpened(purse) if self.disputes[*purse].is_empty() => {
                self.disputes[*purse].push(DisputeStatus::NeedsResponse);
            }
            News::DisputeClosed(purse) if self.disputes[*purse].len() == 1 => {
                let end = if self.purses[*purse].dispute_is_lost { DisputeStatus::Lost } else { DisputeStatus::Won };
                self.disputes[*purse].push(end);
            }
            News::TimePasses(minutes) => self.now += SignedDuration::from_mins(*minutes),
            News::AppointmentTakesPlace if self.booking.state.status == Status::Confirmed => {
                self.booking.state.status = Status::Completed;
                self.booking.version += 1;
            }
            _ => {}
        }
        let change = self.decide(news);
        self.write(&change)?;
        self.check()?;

        // The same news again, as Stripe and the queue repeat it, moves nothing.
        let before = self.clone();
        let again = self.decide(news);
        self.write(&again)?;
        prop_assert_eq!(&self.booking.state, &before.booking.state, "{:?} twice", news);
        prop_assert_eq!(&self.booking.ledger, &before.booking.ledger, "{:?} twice", news);
        prop_assert_eq!(self.wishes(), before.wishes(), "{:?} twice", news);
        Ok(())
    }

    fn write(&mut self, change: &Change) -> Result<(), TestCaseError> {
        if let Some(state) = &change.state {
            let (from, to) = (&self.booking.state, state);
            let lapsed = matches!(from.cancel_reason, Some(CancelReason::HoldExpired | CancelReason::PaymentFailed));
            let legal = from.status == to.status
                || match (from.status, to.status) {
                    (Status::Pending, Status::Confirmed | Status::Cancelled)
                    | (Status::Confirmed, Status::Cancelled | Status::Completed) => true,
                    (Status::Cancelled, Status::Confirmed) => lapsed,
                    _ => false,
                };
            prop_assert!(legal, "{:?} -> {:?}", from, to);
            prop_assert!(
                from.status != Status::Cancelled || to.status == Status::Cancelled || !self.slot_is_taken,
                "revived into a slot that somebody else has"
            );
        }
        prop_assert!(!change.is_nothing() || change.tasks.is_empty());
        for task in &change.tasks {
            let key = task.dedupe_key(self.booking.version + 1);
            if let Some(known) = self.jobs.insert(key.clone(), task.clone()) {
                prop_assert_eq!(&known, task, "two wishes under the key {}: the second would be lost", key);
            }
        }
        self.booking = after(&self.booking, change);
        Ok(())
    }

    /// Every job but those of the calendar, which is looked at again after each change.
    fn wishes(&self) -> Vec<&str> {
        self.jobs.keys().map(String::as_str).filter(|key| !key.starts_with("sync_calendar")).collect()
    }

    fn left(&self, payment_intent: &str) -> i64 {
        self.booking.ledger.left(payment_intent).cents()
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let state = &self.booking.state;
        let stands = matches!(state.status, Status::Confirmed | Status::Completed);
        prop_assert_eq!(state.cancel_reason.is_some(), state.status == Status::Cancelled, "{:?}", state);
        prop_assert!(state.hold_expires_at.is_none() || state.status == Status::Pending, "{:?}", state);

        // Paid exactly when the ledger has the booking's own payment, whole and as asked, and it did not go back.
        let own = state.payment_intent.as_deref();
        let own_left = own.map_or(0, |own| self.left(own));
        let as_asked = self.booking.ledger.entries().iter().any(|entry| {
            entry.kind == EntryKind::Capture
                && Some(entry.stripe_id.as_str()) == own
                && entry.amount == DEPOSIT
                && entry.currency == "eur"
        });
        match state.payment_status {
            PaymentStatus::Paid => prop_assert!(stands && as_asked && own_left > 0, "{:#?}", self),
            PaymentStatus::Unpaid => prop_assert!(own.is_none(), "{:#?}", self),
            PaymentStatus::Refunded => prop_assert!(own_left <= 0, "{:#?}", self),
            PaymentStatus::RefundPending => {
                prop_assert!(own.is_some() || state.status == Status::Cancelled, "{:#?}", self);
            }
            PaymentStatus::Disputed => {
                prop_assert!(self.booking.disputes.iter().any(|dispute| !dispute.status.is_closed()), "{:#?}", self)
            }
            PaymentStatus::Lost => prop_assert!(
                own_left <= 0 && self.booking.ledger.totals(Currency::Eur).lost > Cents::ZERO
                    || self.purses.iter().any(|purse| purse.currency != "eur"),
                "{:#?}",
                self
            ),
        }
        prop_assert!(!stands || own.is_none() || as_asked, "{:#?}", self);

        for capture in self.booking.ledger.entries().iter().filter(|entry| entry.kind == EntryKind::Capture) {
            let prefix = format!("refund:{}:{}:", self.booking.id, capture.stripe_id);
            let refund = self.jobs.iter().find(|(key, _)| key.starts_with(&prefix)).map(|(_, task)| task);
            if let Some(Task::Refund { amount, .. }) = refund {
                prop_assert!(*amount <= capture.amount, "more goes back than came: {:#?}", self);
            }
            let accounted_for = self.left(&capture.stripe_id) <= 0
                || (stands && own == Some(capture.stripe_id.as_str()))
                || refund.is_some()
                || state.payment_problem.is_some()
                // What a bank may take waits for it.
                || self.booking.is_blocked(&capture.stripe_id);
            prop_assert!(accounted_for, "{} is nobody's: {:#?}", capture.stripe_id, self);
        }
        for task in self.jobs.values() {
            let Task::Refund { payment_intent, .. } = task else { continue };
            let came = self.booking.ledger.entries().iter().any(|entry| entry.stripe_id == *payment_intent);
            prop_assert!(came, "a refund of what never came: {:#?}", self);
            let live = stands && own == Some(payment_intent.as_str());
            prop_assert!(!live, "the live booking's own payment goes back: {:#?}", self);
        }
        let told = self.jobs.keys().any(|key| key.contains(":client_confirmed:"));
        prop_assert!(!told || own.is_some(), "the client was told of a payment that is not there");
        Ok(())
    }

    /// Runs the refund jobs, as the worker does: looks at what went back, gives back the rest.
    fn pay_back(&mut self) -> Result<(), TestCaseError> {
        let jobs: Vec<Task> = self.jobs.values().cloned().collect();
        for (number, job) in jobs.iter().enumerate() {
            let Task::Refund { payment_intent, amount, .. } = job else { continue };
            let missing = self.booking.owed(payment_intent).cents();
            if missing > 0 && !self.booking.is_blocked(payment_intent) {
                prop_assert!(amount.cents() >= 0);
                let change = self.booking.settle(&of(&[refund(&format!("re_job_{number}"), payment_intent, missing)]));
                self.write(&change)?;
            }
        }
        self.check()
    }
}

fn intent(purse: usize) -> String {
    format!("pi_{purse}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn whatever_stripe_says_in_whatever_order_every_cent_is_accounted_for(
        booking in beginning(),
        purses in prop::collection::vec(purse(), PURSES),
        news in prop::collection::vec(news(), 0..24),
    ) {
        let mut life = Life::begin(booking, purses);
        for news in &news {
            life.hear(news)?;
        }
        life.pay_back()?;
        let state = &life.booking.state;
        if state.status == Status::Cancelled && state.payment_problem.is_none() {
            let free = (0..PURSES).map(intent).filter(|payment| !life.booking.is_blocked(payment));
            let kept: i64 = free.map(|payment| life.left(&payment).max(0)).sum();
            prop_assert_eq!(kept, 0, "money of a cancelled booking stays with us: {:#?}", life);
            prop_assert!(
                matches!(
                    state.payment_status,
                    PaymentStatus::Unpaid | PaymentStatus::Refunded | PaymentStatus::Disputed | PaymentStatus::Lost
                ) || life.booking.refunds.iter().any(RefundFact::is_pending),
                "{:#?}", life
            );
        }
    }

    #[test]
    fn the_order_of_the_events_of_one_payment_does_not_matter(
        booking in beginning(),
        purses in prop::collection::vec(purse(), PURSES),
        slot_is_taken in any::<bool>(),
        // `checkout.session.completed` and `payment_intent.succeeded`, each delivered up to three times, at their own times.
        deliveries in prop::collection::vec(0..300_i64, 1..6),
    ) {
        let mut once = Life::begin(booking, purses);
        once.slot_is_taken = slot_is_taken && once.booking.state.status == Status::Cancelled;
        let mut often = once.clone();
        once.hear(&News::Payment(0))?;
        for seconds in deliveries {
            let Purse { cents, currency, .. } = often.purses[0];
            let told = Payment { at: NOW + SignedDuration::from_secs(seconds), ..payment_of("pi_0", cents, currency) };
            let change = often.booking.receive(&told, !often.slot_is_taken, often.now);
            often.write(&change)?;
            often.check()?;
        }
        prop_assert_eq!(&often.booking.state, &once.booking.state);
        prop_assert_eq!(often.jobs.keys().collect::<Vec<_>>(), once.jobs.keys().collect::<Vec<_>>());
        let amounts = |life: &Life| life.booking.ledger.entries().iter().map(|entry| (entry.kind, entry.amount)).collect::<Vec<_>>();
        prop_assert_eq!(amounts(&often), amounts(&once));
    }

    /// Two events of the payment, one of its charge and five of a refund and a dispute, all of which have happened: whatever
    /// comes when, the books are the same. Only the charge names the booking before the payment is known.
    #[test]
    fn eight_events_of_one_booking_end_in_one_book_in_whatever_order_they_come(
        order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle(),
        refunded in 0..3_usize, ended in 0..3_usize, late in any::<bool>(),
    ) {
        let refund = [None, Some(refund("re_1", "pi_1", 2_000)), Some(failed(refund("re_1", "pi_1", 2_000)))][refunded].clone();
        let end = [DisputeStatus::UnderReview, DisputeStatus::Won, DisputeStatus::Lost][ended].clone();
        let mut facts = contested("dp_1", "pi_1", 3_000, &[DisputeStatus::NeedsResponse, end]);
        facts.refunds.extend(refund);
        let begin = || if late { cancelled(CancelReason::HoldExpired) } else { held() };
        let end = |order: &[usize]| {
            let (mut booking, mut orphans) = (begin(), false);
            for event in order {
                let is_known = booking.ledger.knows(EntryKind::Capture, "pi_1");
                match event {
                    0 | 1 => {
                        booking = after(&booking, &booking.receive(&payment("pi_1"), !late, NOW));
                        if !is_known && orphans {
                            booking = after(&booking, &booking.settle(&facts));
                        }
                    }
                    2 => booking = after(&booking, &booking.settle(&facts)),
                    _ if is_known => booking = after(&booking, &booking.settle(&facts)),
                    _ => orphans = true,
                }
            }
            let mut rows: Vec<_> = booking.ledger.entries().iter().map(|e| (e.kind.name(), e.stripe_id.clone(), e.amount)).collect();
            rows.sort();
            (booking.state.status, booking.state.payment_status, booking.state.payment_problem, rows, booking.refunds, booking.disputes)
        };
        prop_assert_eq!(end(&order), end(&[0, 1, 2, 3, 4, 5, 6, 7]));
    }

    #[test]
    fn refunds_end_the_same_in_any_order_and_however_often_they_are_told(
        purses in prop::collection::vec(purse(), PURSES),
        told in prop::collection::vec((any::<Index>(), any::<bool>()), 1..10),
        shuffled in any::<prop::sample::Selector>(),
        late in any::<bool>(),
    ) {
        let beginning = if late { cancelled(CancelReason::HoldExpired) } else { held() };
        let purses: Vec<_> = purses.into_iter().map(|purse| Purse { cents: 5_000, currency: "eur", ..purse }).collect();
        let purses: Vec<_> = purses
            .into_iter()
            .map(|purse| Purse { refunds: purse.refunds.iter().map(|(_, fails)| (2_500, *fails)).collect(), ..purse })
            .collect();
        let mut life = Life::begin(beginning, purses);
        life.slot_is_taken = late;
        life.hear(&News::Payment(0))?;
        let facts: Vec<_> = told.iter().filter_map(|(which, holds)| life.fact(0, *which, *holds)).collect();
        let mut others = facts.clone();
        others.sort_by_key(|fact| shuffled.select([(fact.id.clone(), fact.holds()), (format!("{}", fact.holds()), fact.holds())]));

        let end = |facts: &[RefundFact], at_once: bool| {
            let size = if at_once { facts.len().max(1) } else { 1 };
            facts.chunks(size).fold(life.booking.clone(), |booking, facts| after(&booking, &booking.settle(&of(facts))))
        };
        let expected = end(&facts, false);
        for other in [end(&facts, true), end(&others, false), end(&others, true)] {
            prop_assert_eq!(&other.state, &expected.state);
            let rows = |booking: &Booking| {
                let mut rows: Vec<_> = booking.ledger.entries().iter().map(|entry| (entry.kind.name(), entry.stripe_id.clone(), entry.amount)).collect();
                rows.sort();
                rows
            };
            prop_assert_eq!(rows(&other), rows(&expected));
        }
    }
}

#[test]
fn a_booking_confirmed_by_hand_stands_and_tells_nobody_while_it_can_be_taken_back() {
    let change = held().confirm_by_hand(NOW);
    assert_eq!(change.outcome, Outcome::ConfirmedByHand);
    assert_eq!(state(&change).status, Status::Confirmed);
    assert_eq!(state(&change).payment_status, PaymentStatus::Unpaid);
    assert_eq!(state(&change).hold_expires_at, None, "it does not lapse any more");
    assert_eq!(mails(&change), [(Template::ClientConfirmed, "by_hand:2")], "the artist did it and need not be told");
    assert!(syncs(&change));
    assert!(change.not_before.expect("the effects wait") > NOW + UNDO);
}

#[test]
fn a_confirmation_taken_back_is_the_hold_it_was() {
    let booking = held();
    let confirmed = after(&booking, &booking.confirm_by_hand(NOW));
    let undone = confirmed.undo_confirmation(NOW + SignedDuration::from_secs(9));
    let wishes: Vec<_> =
        booking.confirm_by_hand(NOW).tasks.iter().map(|task| task.dedupe_key(confirmed.version)).collect();
    assert_eq!(undone.withdraws, wishes, "what had not left yet is taken back");
    assert_eq!(after(&confirmed, &undone).state, booking.state);
    assert!(undone.tasks.is_empty());
    let again = after(&confirmed, &undone).confirm_by_hand(NOW);
    assert_eq!(mails(&again), [(Template::ClientConfirmed, "by_hand:4")], "a second confirmation is another wish");
}

#[test]
fn a_confirmation_is_final_after_ten_seconds_or_with_money_in_hand() {
    let confirmed = after(&held(), &held().confirm_by_hand(NOW));
    assert_eq!(confirmed.undo_confirmation(NOW + UNDO).outcome, Outcome::TooLate);
    let paid_after_all = after(&confirmed, &confirmed.receive(&payment("pi_1"), true, NOW));
    assert_eq!(paid_after_all.state.undo, None);
    assert_eq!(paid_after_all.undo_confirmation(NOW).outcome, Outcome::NotPossible);
    assert_eq!(held().undo_confirmation(NOW).outcome, Outcome::NotPossible);
    assert_eq!(paid().undo_confirmation(NOW).outcome, Outcome::NotPossible);
}

#[test]
fn only_what_is_pending_and_lies_ahead_is_confirmed_by_hand() {
    for booking in [paid(), cancelled(CancelReason::HoldExpired), mismatched()] {
        assert_eq!(booking.confirm_by_hand(NOW).outcome, Outcome::NotPossible);
    }
    assert_eq!(held().confirm_by_hand(held().starts_at).outcome, Outcome::NotPossible);
}

#[test]
fn an_artist_who_cancels_gives_everything_back_and_the_client_hears_of_it_once() {
    let booking = paid();
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), [("pi_1", DEPOSIT, RefundReason::Cancelled)]);
    assert_eq!(mails(&change), [(Template::ClientCancelled, "1")]);
    assert!(syncs(&change));
    assert_eq!(state(&change).payment_status, PaymentStatus::RefundPending);
    let cancelled = after(&booking, &change);
    let settled = cancelled.settle(&of(&[refund("re_1", "pi_1", 5_000)]));
    assert_eq!(state(&settled).payment_status, PaymentStatus::Refunded);
    assert_eq!(mails(&settled), [], "the mail of the cancellation has said it");
    assert_eq!(after(&cancelled, &settled).ledger.entries().iter().map(|entry| entry.amount.cents()).sum::<i64>(), 0);
}

#[test]
fn a_client_who_cancels_late_gets_the_policys_share_and_the_booking_is_settled_with_it() {
    let booking = paid();
    let late = booking.starts_at - SignedDuration::from_hours(71);
    let shown = booking.cancellation(Canceller::Client, late);
    assert_eq!((shown.amount.cents(), shown.kept.cents()), (2_500, 2_500));
    let change = booking.cancel(CancelReason::Client, Canceller::Client, late);
    assert_eq!(refunds(&change), [("pi_1", Cents::new(2_500), RefundReason::Cancelled)]);
    assert_eq!(mails(&change), [(Template::ClientCancelled, "1"), (Template::ArtistCancelled, "1")]);
    let cancelled = after(&booking, &change);
    assert_eq!(cancelled.state.kept, Some(Cents::new(2_500)));
    let settled = after(&cancelled, &cancelled.settle(&of(&[refund("re_1", "pi_1", 2_500)])));
    assert_eq!(settled.state.payment_status, PaymentStatus::Refunded, "what is left is the artist's");
    let failed = cancelled.settle(&of(&[failed(refund("re_1", "pi_1", 2_500))]));
    assert_eq!(state(&failed).payment_status, PaymentStatus::RefundPending, "it is owed again");
}

#[test]
fn what_was_given_back_before_a_cancellation_is_not_given_back_again() {
    let booking = after(&paid(), &paid().settle(&of(&[refund("re_1", "pi_1", 1_000)])));
    let shown = booking.cancellation(Canceller::Artist, NOW);
    assert_eq!((shown.amount.cents(), shown.kept.cents()), (4_000, 0));
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), [("pi_1", Cents::new(4_000), RefundReason::Cancelled)]);
}

#[test]
fn a_hold_that_the_artist_cancels_costs_nobody_anything() {
    let booking = held();
    let change = booking.cancel(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(refunds(&change), []);
    assert_eq!(mails(&change), [(Template::ClientCancelled, "1")]);
    assert!(change.tasks.contains(&Task::ExpireCheckout { booking: booking.id, session: "cs_1".into() }));
    let cancelled = after(&booking, &change);
    assert_eq!((cancelled.state.payment_status, cancelled.state.kept), (PaymentStatus::Unpaid, None));
    let late = cancelled.receive(&payment("pi_1"), true, NOW);
    assert_eq!(refunds(&late), [("pi_1", DEPOSIT, RefundReason::Late)], "money that comes all the same goes back");
    let settled = after(&cancelled, &late).settle(&of(&[refund("re_1", "pi_1", 5_000)]));
    assert_eq!(mails(&settled), [(Template::ClientLateRefund, "re_1")], "of this one the client has not heard");
}

#[test]
fn stripes_news_of_the_closed_page_does_not_silence_the_artists_cancellation() {
    let told_first = cancelled(CancelReason::HoldExpired);
    let change = told_first.call_off_hold(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(state(&change).cancel_reason, Some(CancelReason::Artist));
    assert_eq!(mails(&change), [(Template::ClientCancelled, "1")]);
    let again = after(&told_first, &change).call_off_hold(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(again.outcome, Outcome::NotPossible);
    let first = held().call_off_hold(CancelReason::Artist, Canceller::Artist, NOW);
    assert_eq!(mails(&first), [(Template::ClientCancelled, "1")]);
}

#[test]
fn a_wrong_payment_goes_back_whole_when_its_booking_is_cancelled() {
    let booking = mismatched();
    let shown = booking.cancellation(Canceller::Client, booking.starts_at);
    assert_eq!((shown.amount.cents(), shown.kept.cents()), (4_900, 0), "it was never the deposit");
    let change = booking.cancel(CancelReason::Client, Canceller::Client, booking.starts_at);
    assert_eq!(refunds(&change), [("pi_1", Cents::new(4_900), RefundReason::Cancelled)]);
    let cancelled = after(&booking, &change);
    let settled = after(&cancelled, &cancelled.settle(&of(&[refund("re_1", "pi_1", 4_900)])));
    assert_eq!(settled.state.payment_status, PaymentStatus::Refunded);
}

#[test]
fn what_is_over_is_completed_or_missed_and_a_slip_is_mended() {
    let booking = paid();
    assert_eq!(booking.complete(Actor::Artist, NOW).outcome, Outcome::NotPossible, "it lies ahead");
    let began = booking.starts_at;
    let missed = after(&booking, &booking.no_show(began));
    assert_eq!((missed.state.status, missed.state.no_show), (Status::Completed, true));
    assert_eq!(missed.no_show(began).outcome, Outcome::AlreadyApplied);
    let mended = after(&missed, &missed.complete(Actor::Artist, began));
    assert!(!mended.state.no_show);
    assert_eq!(held().complete(Actor::Artist, began).outcome, Outcome::NotPossible, "nobody confirmed it");
    assert_eq!(mended.cancel(CancelReason::Artist, Canceller::Artist, began).outcome, Outcome::NotPossible);
}

#[test]
fn a_moved_appointment_takes_its_payment_along() {
    let booking = paid();
    let (starts_at, ends_at) = (later(20 * 24 * 60), later(20 * 24 * 60 + 120));
    let change = booking.move_to(starts_at, ends_at, Actor::Calcom, true);
    let moved = after(&booking, &change);
    assert_eq!((moved.starts_at, moved.ends_at), (starts_at, ends_at));
    assert_eq!((moved.state.clone(), moved.ledger.clone()), (booking.state.clone(), booking.ledger.clone()));
    assert_eq!(mails(&change), [(Template::ClientMoved, "3")]);
    assert!(syncs(&change) && refunds(&change).is_empty());
    assert_eq!(booking.move_to(starts_at, ends_at, Actor::Calcom, false).outcome, Outcome::SlotTaken);
    assert_eq!(moved.move_to(starts_at, ends_at, Actor::Calcom, true).outcome, Outcome::AlreadyApplied);
    let gone = cancelled(CancelReason::Client);
    assert_eq!(gone.move_to(starts_at, ends_at, Actor::Calcom, true).outcome, Outcome::NotPossible);
}

proptest! {
    #[test]
    fn what_a_cancellation_shows_is_what_it_does(
        minutes_before in -600_i64..20_000, by_client in any::<bool>(), percent in 0_u8..=100, earlier in 0_i64..5_000,
    ) {
        let mut booking = paid();
        booking.policy.late_refund_percent = percent;
        if earlier > 0 {
            booking = after(&booking, &booking.settle(&of(&[refund("re_0", "pi_1", earlier)])));
        }
        let now = booking.starts_at - SignedDuration::from_mins(minutes_before);
        let (reason, by) =
            if by_client { (CancelReason::Client, Canceller::Client) } else { (CancelReason::Artist, Canceller::Artist) };
        let shown = booking.cancellation(by, now);
        prop_assert_eq!(shown.amount.cents() + shown.kept.cents() + earlier, DEPOSIT.cents());
        let change = booking.cancel(reason, by, now);
        let done: i64 = refunds(&change).iter().map(|(_, amount, _)| amount.cents()).sum();
        prop_assert_eq!(done, shown.amount.cents());
        if shown.amount > Cents::ZERO {
            let cancelled = after(&booking, &change);
            let settled = after(&cancelled, &cancelled.settle(&of(&[refund("re_1", "pi_1", shown.amount.cents())])));
            prop_assert_eq!(settled.state.payment_status, PaymentStatus::Refunded);
        }
    }
}

#[test]
fn what_is_left_to_pay_on_site_follows_the_money_and_nothing_else() {
    const PRICE: Option<Cents> = Some(Cents::new(15_000));
    let left = |booking: &Booking| booking.left_to_pay(PRICE).map(Cents::cents);
    let due = |booking: &Booking| booking.deposit_due().map(Cents::cents);
    assert_eq!((left(&held()), due(&held())), (Some(10_000), Some(5_000)), "the deposit is paid online");
    assert_eq!((left(&paid()), due(&paid())), (Some(10_000), None));
    let by_hand = confirmed_by_hand();
    assert_eq!((left(&by_hand), due(&by_hand)), (Some(15_000), None), "nothing was asked ahead");
    assert_eq!(left(&mismatched()), Some(10_100), "a euro is missing");
    let twice = after(&paid(), &paid().receive(&payment("pi_2"), true, NOW));
    assert_eq!((left(&twice), twice.in_hand()), (Some(10_000), DEPOSIT), "the second payment is on its way back");
    let partly = after(&paid(), &paid().settle(&of(&[refund("re_1", "pi_1", 2_000)])));
    assert_eq!((left(&partly), partly.in_hand()), (Some(12_000), Cents::new(3_000)));
    let given_back = after(&paid(), &paid().settle(&of(&[refund("re_1", "pi_1", 5_000)])));
    assert_eq!((left(&given_back), given_back.in_hand()), (Some(15_000), Cents::ZERO));
    assert_eq!(left(&disputed()), Some(10_000), "nobody has decided yet");
    let lost = after(&disputed(), &disputed().settle(&lost()));
    assert_eq!(left(&lost), Some(15_000));
    assert_eq!(paid().left_to_pay(None), None, "a project has no price yet");
    assert_eq!(paid().left_to_pay(Some(Cents::new(4_000))), Some(Cents::ZERO), "never less than nothing");
    for over in [cancelled(CancelReason::Artist), after(&paid(), &paid().complete(Actor::Artist, paid().starts_at))] {
        assert_eq!((left(&over), due(&over)), (None, None), "it does not lie ahead");
    }
}

#[test]
fn an_artist_cancels_for_the_client_on_the_clients_terms_and_is_not_told_of_it() {
    let booking = paid();
    let late = booking.starts_at - SignedDuration::from_hours(71);
    let change = booking.cancel_for_client(late);
    assert_eq!(refunds(&change), [("pi_1", Cents::new(2_500), RefundReason::Cancelled)]);
    assert_eq!(mails(&change), [(Template::ClientCancelled, "1")]);
    assert_eq!(
        (state(&change).cancel_reason, state(&change).kept),
        (Some(CancelReason::Client), Some(Cents::new(2_500)))
    );
    let [line] = &change.history[..] else { panic!("{:?}", change.history) };
    assert_eq!((line.actor, &line.data["on_behalf_of"]), (Actor::Artist, &serde_json::json!("client")));
    assert_eq!(after(&booking, &change).cancel_for_client(late).outcome, Outcome::NotPossible);
}
