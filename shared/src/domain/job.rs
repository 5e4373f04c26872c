//! What must still happen outside once a state is committed, and what can come of trying.
//! A job carries ids only: the worker reads the state as it is when it runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::BookingId;
use super::money::Cents;
use super::named::named;

// What a mail is about, beside its booking.
mod occasion;

pub use occasion::Occasion;

/// One effect outside the database, to be made at least once and known at most once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Make the artist's Cal.com agree with the booking: create, confirm, move or cancel there.
    SyncCalendar {
        /// The booking whose state is wanted.
        booking: BookingId,
    },
    /// Send one mail about a booking.
    SendEmail { booking: BookingId, template: Template, occurrence: Occasion },
    /// Give money back on one Stripe payment intent.
    Refund {
        booking: BookingId,
        payment_intent: String,
        /// What was owed when this was decided. What is given back is what is owed when the job runs.
        amount: Cents,
        /// Why, in our words; Stripe gets its own.
        reason: RefundReason,
    },
    /// Read at Stripe what has become of a payment, its refunds and its disputes, and bring the books in line.
    #[serde(alias = "settle_refunds")]
    SettlePayment {
        /// The booking the money came for.
        booking: BookingId,
        /// The payment of which something changed.
        payment_intent: String,
        /// The Stripe event that told us.
        event: String,
    },
    /// Close a Checkout Session so that it cannot be paid any more.
    ExpireCheckout { booking: BookingId, session: String },
    /// Mail the link that confirms an artist's address.
    SendContactLink {
        /// The link's row; the worker makes its token.
        link: Uuid,
    },
}

impl Task {
    /// The booking this task is about, if it is about one.
    pub fn booking(&self) -> Option<BookingId> {
        match self {
            Self::SyncCalendar { booking }
            | Self::SendEmail { booking, .. }
            | Self::Refund { booking, .. }
            | Self::SettlePayment { booking, .. }
            | Self::ExpireCheckout { booking, .. } => Some(*booking),
            Self::SendContactLink { .. } => None,
        }
    }

    pub fn kind(&self) -> TaskKind {
        match self {
            Self::SyncCalendar { .. } => TaskKind::SyncCalendar,
            Self::SendEmail { .. } => TaskKind::SendEmail,
            Self::Refund { .. } => TaskKind::Refund,
            Self::SettlePayment { .. } => TaskKind::SettlePayment,
            Self::ExpireCheckout { .. } => TaskKind::ExpireCheckout,
            Self::SendContactLink { .. } => TaskKind::SendContactLink,
        }
    }

    /// The key under which this wish exists once.
    ///
    /// `version` is the booking's version after the change: a calendar and what is owed must be looked at again after
    /// each change, while a mail is one wish however often it is said.
    pub fn dedupe_key(&self, version: i32) -> String {
        match self {
            Self::SyncCalendar { booking } => format!("sync_calendar:{booking}:{version}"),
            Self::SendEmail { booking, template, occurrence } => {
                format!("send_email:{booking}:{}:{occurrence}", template.name())
            }
            // What is owed is looked up anew by each: a second one finds nothing left to do.
            Self::Refund { booking, payment_intent, .. } => format!("refund:{booking}:{payment_intent}:{version}"),
            Self::SettlePayment { payment_intent, event, .. } => format!("settle_payment:{payment_intent}:{event}"),
            Self::ExpireCheckout { session, .. } => format!("expire_checkout:{session}"),
            Self::SendContactLink { link } => format!("send_contact_link:{link}"),
        }
    }
}

named! {
    /// The kinds of [`Task`].
    TaskKind {
        /// [`Task::SyncCalendar`].
        SyncCalendar = "sync_calendar",
        /// [`Task::SendEmail`].
        SendEmail = "send_email",
        /// [`Task::Refund`].
        Refund = "refund",
        /// [`Task::SettlePayment`].
        SettlePayment = "settle_payment",
        /// [`Task::ExpireCheckout`].
        ExpireCheckout = "expire_checkout",
        /// [`Task::SendContactLink`].
        SendContactLink = "send_contact_link",
    }
}

named! {
    /// Where a job is: waiting or running while it is open, the others once it has ended.
    JobState {
        /// Nobody is at it.
        Waiting = "waiting",
        /// A worker is at it.
        Running = "running",
        /// Its effect is made.
        Done = "done",
        /// It can never work.
        Discarded = "discarded",
        /// It failed too often.
        Dead = "dead",
    }
}

named! {
    /// What became of a mail.
    MailState {
        /// It is on its way to SES.
        Sending = "sending",
        /// SES has it.
        Sent = "sent",
        /// SES refuses it.
        Refused = "refused",
        /// SES may have it: no answer came.
        Unknown = "unknown",
        /// Too many mails that rest on no payment.
        Withheld = "withheld",
    }
}

named! {
    /// The mails InkFlow sends. Each is named as its template's file.
    Template {
        /// To an artist who wants to hear of it: somebody holds a slot and is about to pay.
        ArtistPending = "artist_pending",
        /// To the artist: the deposit is paid, the booking stands.
        ArtistConfirmed = "artist_confirmed",
        /// To the artist: Cal.com refuses the booking's time.
        ArtistCalendarConflict = "artist_calendar_conflict",
        /// To the artist: money came otherwise than asked, a refund failed, or a payment is disputed.
        ArtistPaymentProblem = "artist_payment_problem",
        /// To the artist: the appointment is called off, and out of the artist's calendar.
        ArtistCancelled = "artist_cancelled",
        /// To the artist: the appointment has another time.
        ArtistMoved = "artist_moved",
        /// To the client: the slot is still held and not paid, and how to go on.
        ClientHeld = "client_held",
        /// To the client: the booking stands.
        ClientConfirmed = "client_confirmed",
        /// To the client: the appointment is called off, and what becomes of the money.
        ClientCancelled = "client_cancelled",
        /// To the client: the appointment has another time.
        ClientMoved = "client_moved",
        /// To the client: money has gone back that no other mail has told of.
        ClientLateRefund = "client_late_refund",
        /// To the client: money that was to go back could not, and the artist sees to it.
        ClientRefundFailed = "client_refund_failed",
    }
}

impl Template {
    /// True for the mails that the artist reads.
    pub fn is_to_artist(self) -> bool {
        match self {
            Self::ArtistPending
            | Self::ArtistConfirmed
            | Self::ArtistCalendarConflict
            | Self::ArtistPaymentProblem
            | Self::ArtistCancelled
            | Self::ArtistMoved => true,
            Self::ClientHeld
            | Self::ClientConfirmed
            | Self::ClientCancelled
            | Self::ClientMoved
            | Self::ClientLateRefund
            | Self::ClientRefundFailed => false,
        }
    }
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// It came after the hold had lapsed and the slot was gone, or after a cancellation.
    Late,
    /// The booking was paid already.
    Duplicate,
    /// The booking was cancelled and its policy gives money back.
    Cancelled,
    /// The artist gives a part back, and the appointment stands.
    ByHand,
}

/// What came of running a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The effect is made, or was made before, or is not wanted any more.
    Done,
    /// It did not work this time; try again after the delay.
    Retry {
        after: Duration,
        /// What happened, without personal data.
        why: String,
    },
    /// It can never work; the reason is shown to the artist.
    Discard {
        /// What happened, without personal data.
        why: String,
    },
}

/// How long to wait before attempt number `attempts + 1`: 5 s, 15 s, 45 s … at most 15 minutes.
///
/// The upper bound is what SQS lets a message stay hidden for without surprises, and keeps a repaired
/// outage from being noticed an hour later.
pub fn backoff(attempts: u32) -> Duration {
    let seconds = 5_u64.saturating_mul(3_u64.saturating_pow(attempts.saturating_sub(1).min(8)));
    Duration::from_secs(seconds.min(900))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_one_wish_however_often_it_is_said() {
        let mail = Task::SendEmail {
            booking: BookingId::new(Uuid::nil()),
            template: Template::ClientConfirmed,
            occurrence: Occasion::FIRST,
        };
        assert_eq!(mail.dedupe_key(2), mail.dedupe_key(3));
        let calendar = Task::SyncCalendar { booking: BookingId::new(Uuid::nil()) };
        assert_ne!(calendar.dedupe_key(2), calendar.dedupe_key(3));
    }

    #[test]
    fn a_job_that_a_function_of_before_has_written_is_read() {
        let written = r#"{"kind":"settle_refunds","booking":"00000000-0000-0000-0000-000000000000","payment_intent":"pi_1","event":"evt_1"}"#;
        let task: Task = serde_json::from_str(written).expect("a task");
        assert_eq!(task.kind(), TaskKind::SettlePayment);
    }

    #[test]
    fn waiting_grows_and_is_bounded() {
        let waits: Vec<u64> = (1..=12).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(&waits[..3], [5, 15, 45]);
        assert!(waits.is_sorted());
        assert_eq!(waits[11], 900);
    }
}
