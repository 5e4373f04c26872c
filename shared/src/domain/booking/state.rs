//! The words of a booking's life, and the part of a booking that transitions change.

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::money::Cents;
use crate::domain::named::named;

named! {
    /// Where a booking is in its life.
    Status {
        /// Held, not paid yet.
        Pending = "pending",
        /// Paid, or confirmed by the artist.
        Confirmed = "confirmed",
        /// Ended without the appointment; [`CancelReason`] says why.
        Cancelled = "cancelled",
        /// The appointment took place.
        Completed = "completed",
    }
}

impl Status {
    /// The appointment is to take place, or did.
    #[must_use]
    pub const fn stands(self) -> bool {
        matches!(self, Self::Confirmed | Self::Completed)
    }

    /// It can still be called off or moved.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Confirmed)
    }
}

named! {
    /// Where the deposit is.
    PaymentStatus {
        /// Nothing was received.
        Unpaid = "unpaid",
        /// The deposit is in hand.
        Paid = "paid",
        /// Money is on its way back.
        RefundPending = "refund_pending",
        /// Everything was given back.
        Refunded = "refunded",
        /// The cardholder's bank contests the payment.
        Disputed = "disputed",
        /// The cardholder's bank took it back for good.
        Lost = "lost",
    }
}

named! {
    /// Why a booking was cancelled.
    CancelReason {
        /// Nobody paid in time.
        HoldExpired = "hold_expired",
        /// A delayed payment method failed in the end.
        PaymentFailed = "payment_failed",
        /// The client gave it up.
        Client = "client",
        /// The artist called it off.
        Artist = "artist",
        /// It was cancelled in Cal.com.
        Calendar = "calendar",
    }
}

impl CancelReason {
    /// How the end of an unpaid hold stands in the history.
    pub(super) fn in_history(self) -> HistoryKind {
        match self {
            Self::HoldExpired => HistoryKind::HoldExpired,
            Self::PaymentFailed => HistoryKind::PaymentFailed,
            Self::Client => HistoryKind::Client,
            Self::Artist => HistoryKind::Artist,
            Self::Calendar => HistoryKind::Calendar,
        }
    }
}

named! {
    /// Money came otherwise than asked; a person must look at it.
    PaymentProblem {
        /// The amount or the currency is not what we asked.
        Mismatch = "mismatch",
        /// The booking was paid twice; the second payment goes back by itself.
        Duplicate = "duplicate",
        /// Stripe could not give money back.
        RefundFailed = "refund_failed",
    }
}

named! {
    /// Who did it, in the booking's history.
    Actor {
        /// The client.
        Client = "client",
        /// The artist.
        Artist = "artist",
        /// A verified message or answer of Stripe.
        Stripe = "stripe",
        /// A message or answer of Cal.com.
        Calcom = "calcom",
        /// InkFlow itself.
        System = "system",
    }
}

named! {
    /// What is booked.
    BookingKind {
        /// A design of the artist's, as it is.
        Flash = "flash",
        /// Something of the client's own.
        Project = "project",
    }
}

named! {
    /// What came of news about a booking: for the record of an event, for the log, and for whoever goes on from there.
    Outcome {
        /// A hold is paid, and stands.
        Confirmed = "confirmed",
        /// A lapsed hold was paid at the last moment, and its slot was still free.
        Revived = "revived",
        /// What the artist had confirmed by hand is paid as well.
        Paid = "paid",
        /// The amount or the currency is not what was asked.
        Mismatch = "mismatch",
        /// It was paid a second time.
        Duplicate = "duplicate",
        /// It was paid when the slot was gone: the money goes back.
        RefundedLate = "refunded_late",
        /// The payment had been given back before it was heard of.
        GivenBack = "given_back",
        /// A bank takes its time.
        PaymentProcessing = "payment_processing",
        /// A card was declined; the client may try another.
        Declined = "declined",
        /// An unpaid hold gave its slot back.
        Released = "released",
        /// The ledger agrees with Stripe's refunds now.
        Settled = "settled",
        /// The ledger agrees with Stripe, and a refund has just failed.
        RefundFailed = "refund_failed",
        /// Stripe's refunds are to be read.
        RefundsToRead = "refunds_to_read",
        /// A dispute is to be read at Stripe.
        DisputeToRead = "dispute_to_read",
        /// Money is to go back.
        RefundAsked = "refund_asked",
        /// Stripe will not give a payment back.
        RefundImpossible = "refund_impossible",
        /// The cardholder's bank contests the payment.
        Disputed = "disputed",
        /// The bank decided for the artist.
        DisputeWon = "dispute_won",
        /// The bank decided for the cardholder.
        DisputeLost = "dispute_lost",
        /// The artist took it on without its deposit.
        ConfirmedByHand = "confirmed_by_hand",
        /// The artist took that back.
        ConfirmationUndone = "confirmation_undone",
        /// The appointment is called off.
        Cancelled = "cancelled",
        /// The appointment took place.
        Completed = "completed",
        /// Nobody came.
        NoShow = "no_show",
        /// The appointment has another time.
        Moved = "moved",
        /// Nothing to do: it was done before.
        AlreadyApplied = "already_applied",
        /// Nothing to do: the booking waits for no payment.
        NotWaiting = "not_waiting",
        /// Nothing to do: it is no unpaid hold.
        NotAHold = "not_a_hold",
        /// Nothing to do: nobody contests the payment.
        NotDisputed = "not_disputed",
        /// Nothing to do: it is about another Checkout Session than the booking's.
        OtherSession = "other_session",
        /// Nothing to do: the Checkout Session is open.
        StillOpen = "still_open",
        /// Nothing to do: nobody listens to such an event.
        Ignored = "ignored",
        /// Refused: the booking is not in a state for it.
        NotPossible = "not_possible",
        /// Refused: what was to be taken back has begun.
        TooLate = "too_late",
        /// Refused: somebody else has the time.
        SlotTaken = "slot_taken",
        /// Refused: the booking is not what the decision was made on.
        ChangedMeanwhile = "changed_meanwhile",
        /// An event of another account than the booking's: nothing is done.
        OtherAccount = "other_account",
        /// A Checkout Session that asked for nothing: nothing is paid.
        NothingAsked = "nothing_asked",
        /// An event that cannot be read: a person must look.
        Unreadable = "unreadable",
        /// An event that only points at what happened: it is looked for among Stripe's events.
        Thin = "thin",
        /// An event that names no payment.
        NoPaymentIntent = "no_payment_intent",
        /// News of no booking of ours.
        UnknownBooking = "unknown_booking",
        /// An event that was dealt with before.
        KnownEvent = "known_event",
        /// An event of Stripe's other mode, live or test.
        OtherMode = "other_mode",
        /// An event of Cal.com about something of the artist's own.
        NotOurs = "not_ours",
        /// Cal.com and the booking agree.
        Agrees = "agrees",
        /// A job is at work on the booking in Cal.com.
        Busy = "busy",
        /// The artist has no Cal.com.
        NoCalendar = "no_calendar",
        /// The appointment is over: Cal.com is not asked.
        Over = "over",
        /// Cal.com refuses the question.
        Refused = "refused",
        /// Cal.com shows neither the booking nor its event type.
        CalendarUnreadable = "calendar_unreadable",
        /// It is in Cal.com although it is called off here.
        StillThere = "still_there",
        /// It is in Cal.com again.
        BackThere = "back_there",
        /// It was moved here, and Cal.com has not heard.
        NotMovedThere = "not_moved_there",
        /// Cal.com does not find it.
        MissingThere = "missing_there",
        /// It has left Cal.com, as it should.
        GoneThere = "gone_there",
        /// The artist is asked what shall become of it.
        ArtistIsAsked = "artist_is_asked",
    }
}

impl Outcome {
    /// A payment was taken up, whatever became of it.
    #[must_use]
    pub const fn is_payment(self) -> bool {
        matches!(
            self,
            Self::Confirmed
                | Self::Revived
                | Self::Paid
                | Self::Mismatch
                | Self::Duplicate
                | Self::RefundedLate
                | Self::GivenBack
        )
    }
}

named! {
    /// What happened to a booking: one word of its history.
    HistoryKind {
        /// A slot is held.
        Held = "held",
        /// A payment as asked.
        PaymentReceived = "payment_received",
        /// A bank takes its time.
        PaymentProcessing = "payment_processing",
        /// A card was declined.
        PaymentDeclined = "payment_declined",
        /// A payment of another amount or currency.
        PaymentMismatch = "payment_mismatch",
        /// A second payment.
        PaymentDuplicate = "payment_duplicate",
        /// A payment after the slot was gone.
        PaymentTooLate = "payment_too_late",
        /// A payment that had been given back before it was heard of.
        PaymentGivenBack = "payment_given_back",
        /// It stands.
        Confirmed = "confirmed",
        /// It stands again.
        Revived = "revived",
        /// The artist took it on without its deposit.
        ConfirmedByHand = "confirmed_by_hand",
        /// The artist took that back.
        ConfirmationUndone = "confirmation_undone",
        /// A hold ended: nobody paid in time.
        HoldExpired = "hold_expired",
        /// A hold ended: the payment failed.
        PaymentFailed = "payment_failed",
        /// A hold ended: the client gave it up.
        Client = "client",
        /// A hold ended: the artist called it off.
        Artist = "artist",
        /// A hold ended: it was cancelled in Cal.com.
        Calendar = "calendar",
        /// The appointment is called off.
        Cancelled = "cancelled",
        /// Money went back.
        Refunded = "refunded",
        /// Money could not go back.
        RefundFailed = "refund_failed",
        /// A bank contests a payment.
        DisputeOpened = "dispute_opened",
        /// It decided for the artist.
        DisputeWon = "dispute_won",
        /// It decided for the cardholder.
        DisputeLost = "dispute_lost",
        /// It was lost, and goes on.
        DisputeAppealed = "dispute_appealed",
        /// It was settled before it became one.
        DisputePrevented = "dispute_prevented",
        /// A bank asked, and contests nothing.
        InquiryClosed = "inquiry_closed",
        /// The artist gives a part of the deposit back.
        RefundAsked = "refund_asked",
        /// The artist takes a payment as it came.
        MismatchAccepted = "mismatch_accepted",
        /// The appointment took place.
        Completed = "completed",
        /// Nobody came.
        NoShow = "no_show",
        /// The appointment has another time.
        Moved = "moved",
        /// Cal.com has yet to hear of it.
        CalendarWaiting = "calendar_waiting",
        /// Cal.com has it.
        CalendarSynced = "calendar_synced",
        /// Cal.com has it no more.
        CalendarRemoved = "calendar_removed",
        /// Cal.com has something else at that time.
        CalendarConflict = "calendar_conflict",
        /// Cal.com refuses it.
        CalendarFailed = "calendar_failed",
        /// Somebody called it off in Cal.com, and the artist is asked.
        CalendarCalledOff = "calendar_called_off",
        /// The artist had it put back into Cal.com.
        CalendarPutBack = "calendar_put_back",
        /// The artist had a mail sent once more.
        MailAskedAgain = "mail_asked_again",
        /// The artist had a failed job begin anew.
        JobRetried = "job_retried",
    }
}

impl PaymentStatus {
    /// The deposit is in hand: it came, and has not all gone back. As the database has it in `bookings.acompte_paid`.
    #[must_use]
    pub const fn is_in_hand(self) -> bool {
        matches!(self, Self::Paid | Self::RefundPending | Self::Disputed)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryLine {
    pub actor: Actor,
    pub kind: HistoryKind,
    /// Details, without personal data.
    pub data: serde_json::Value,
}

/// The part of a booking that transitions change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub status: Status,
    /// Where the deposit is.
    pub payment_status: PaymentStatus,
    /// Why it was cancelled, exactly while it is.
    pub cancel_reason: Option<CancelReason>,
    /// When the hold ends; none for a booking that does not lapse.
    pub hold_expires_at: Option<Timestamp>,
    /// The payment that pays this booking.
    pub payment_intent: Option<String>,
    /// What a person must look at.
    pub payment_problem: Option<PaymentProblem>,
    /// What the artist keeps of the booking's own payment: by the terms once it is called off, or after giving a part of it
    /// back by hand. None while all of it is kept.
    pub kept: Option<Cents>,
    /// The client did not come; of a completed booking only.
    pub no_show: bool,
    /// While a confirmation by hand can still be taken back.
    pub undo: Option<Undo>,
}

/// How a confirmation by hand is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    pub until: Timestamp,
    /// When the hold ends that comes back with it.
    pub hold_expires_at: Option<Timestamp>,
}
