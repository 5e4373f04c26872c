//! The words that are stored and sent. Rows, answers and clients know them: one that changes is another word, and one that goes
//! leaves rows behind that nobody can read.

use shared::db::dashboard::{Action, Filter, Todo};
use shared::domain::booking::{
    Actor, BookingKind, CancelReason, HistoryKind, Outcome, PaymentProblem, PaymentStatus, Status,
};
use shared::domain::calendar::{CalendarState, Question};
use shared::domain::job::{JobState, MailState, TaskKind, Template};
use shared::domain::ledger::EntryKind;

macro_rules! names {
    ($($type:ident),+ $(,)?) => {
        [$({
            for value in $type::ALL {
                assert_eq!($type::parse(value.name()), Some(*value));
                assert_eq!(serde_json::to_value(value).expect("a word"), value.name());
                assert_eq!(serde_json::from_value::<$type>(value.name().into()).expect("its value"), *value);
            }
            assert_eq!($type::parse(""), None);
            (stringify!($type), $type::ALL.iter().map(|value| value.name()).collect::<Vec<_>>().join(" "))
        }),+]
    };
}

#[test]
fn every_word_is_what_it_was() {
    let now = names![
        Action,
        Actor,
        BookingKind,
        CalendarState,
        CancelReason,
        EntryKind,
        Filter,
        HistoryKind,
        JobState,
        MailState,
        Outcome,
        PaymentProblem,
        PaymentStatus,
        Question,
        Status,
        TaskKind,
        Template,
        Todo,
    ];
    let then = [
        ("Action", "confirm undo_confirm put_back cancel refund accept complete no_show"),
        ("Actor", "client artist stripe calcom system"),
        ("BookingKind", "flash project"),
        ("CalendarState", "off waiting synced removed conflict failed called_off"),
        ("CancelReason", "hold_expired payment_failed client artist calendar"),
        ("EntryKind", "capture refund refund_failed dispute_withdrawn dispute_reinstated"),
        ("Filter", "all todo upcoming past cancelled"),
        (
            "HistoryKind",
            "held payment_received payment_processing payment_declined payment_mismatch payment_duplicate payment_too_late \
             payment_given_back confirmed revived confirmed_by_hand confirmation_undone hold_expired payment_failed client artist \
             calendar cancelled refunded refund_failed dispute_opened dispute_won dispute_lost dispute_appealed dispute_prevented \
             inquiry_closed refund_asked mismatch_accepted completed no_show moved \
             calendar_waiting calendar_synced calendar_removed calendar_conflict calendar_failed calendar_called_off \
             calendar_put_back mail_asked_again job_retried",
        ),
        ("JobState", "waiting running done discarded dead"),
        ("MailState", "sending sent refused unknown withheld"),
        (
            "Outcome",
            "confirmed revived paid mismatch duplicate refunded_late given_back payment_processing declined released settled \
             refund_failed refunds_to_read dispute_to_read refund_asked refund_impossible disputed dispute_won dispute_lost confirmed_by_hand confirmation_undone cancelled \
             completed no_show moved already_applied not_waiting not_a_hold not_disputed other_session still_open ignored \
             not_possible too_late slot_taken changed_meanwhile other_account nothing_asked unreadable thin no_payment_intent unknown_booking known_event other_mode not_ours \
             agrees busy no_calendar over refused calendar_unreadable still_there back_there not_moved_there missing_there \
             gone_there artist_is_asked",
        ),
        ("PaymentProblem", "mismatch duplicate refund_failed"),
        ("PaymentStatus", "unpaid paid refund_pending refunded disputed lost"),
        ("Question", "reschedule_requested cancelled_or_reschedule_requested cancelled_by_unknown gone"),
        ("Status", "pending confirmed cancelled completed"),
        ("TaskKind", "sync_calendar send_email refund settle_payment expire_checkout send_contact_link"),
        (
            "Template",
            "artist_pending artist_confirmed artist_calendar_conflict artist_payment_problem artist_cancelled artist_moved \
             client_held client_confirmed client_cancelled client_moved client_late_refund client_refund_failed",
        ),
        ("Todo", "confirm payment called_off calendar job outcome"),
    ];
    for ((name, words), (other, were)) in now.iter().zip(then) {
        assert_eq!((*name, words.as_str()), (other, were));
    }
    assert_eq!(now.len(), then.len());
}
