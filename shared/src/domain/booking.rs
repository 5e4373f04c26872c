//! The booking's life: four statuses, the only legal transitions between them, and what each one sets off.
//!
//! Nothing else changes a status. Every method of `Booking` answers with a `Change`, which the edge writes in
//! one statement (`db::bookings::apply`) or not at all.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::ids::{ArtistId, BookingId};
use super::job::{Occasion, RefundReason, Task, Template};
use super::money::{Cents, Currency};
use super::named::named;
use super::policy::{CancellationPolicy, Canceller, Refund};

/// How long a slot stays reserved while a bank makes up its mind (delayed payment methods).
const SLOW_PAYMENT_HOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

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

/// How long an artist can take back a confirmation by hand.
pub const UNDO: SignedDuration = SignedDuration::from_secs(10);

/// How much longer its effects wait: the clocks of two functions may differ a little.
const UNDO_MARGIN: SignedDuration = SignedDuration::from_secs(2);

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
    /// A kind of ledger row.
    EntryKind {
        /// Money received.
        Capture = "capture",
        /// Money given back (negative).
        Refund = "refund",
        /// A refund that Stripe could not carry out: the money is with us again.
        RefundFailed = "refund_failed",
        /// A lost dispute (negative).
        DisputeLost = "dispute_lost",
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
        /// Stripe's refunds are to be read.
        RefundsToRead = "refunds_to_read",
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

impl CancelReason {
    /// How the end of an unpaid hold stands in the history.
    fn in_history(self) -> HistoryKind {
        match self {
            Self::HoldExpired => HistoryKind::HoldExpired,
            Self::PaymentFailed => HistoryKind::PaymentFailed,
            Self::Client => HistoryKind::Client,
            Self::Artist => HistoryKind::Artist,
            Self::Calendar => HistoryKind::Calendar,
        }
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

/// One movement of money at Stripe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What moved.
    pub kind: EntryKind,
    /// Signed cents: received is positive.
    pub amount: Cents,
    /// The currency of the movement, as Stripe names it.
    pub currency: String,
    /// Stripe's id of the movement: the payment intent, the refund or the dispute.
    pub stripe_id: String,
    /// The payment it belongs to.
    pub payment_intent: String,
    /// When it happened.
    pub occurred_at: Timestamp,
}

/// One line of a booking's history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryLine {
    /// Who.
    pub actor: Actor,
    /// What, in one word.
    pub kind: HistoryKind,
    /// Details, without personal data.
    pub data: serde_json::Value,
}

/// The part of a booking that transitions change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Where the booking is in its life.
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
    /// What the artist keeps of the money that a called-off booking had received; none while no terms apply.
    pub kept: Option<Cents>,
    /// The client did not come; of a completed booking only.
    pub no_show: bool,
    /// While a confirmation by hand can still be taken back.
    pub undo: Option<Undo>,
}

/// How a confirmation by hand is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    /// Until when it can be.
    pub until: Timestamp,
    /// When the hold ends that comes back with it.
    pub hold_expires_at: Option<Timestamp>,
}

/// When a booking is written to the artist's Cal.com.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarMode {
    /// The artist has no Cal.com.
    Off,
    /// As soon as the slot is held.
    AtBooking,
    /// Once the deposit is paid.
    AfterPayment,
}

/// A booking as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Whose chair it takes.
    pub artist: ArtistId,
    /// Counts its changes of state.
    pub version: i32,
    /// What transitions change.
    pub state: State,
    /// Start of the appointment.
    pub starts_at: Timestamp,
    /// End of the appointment.
    pub ends_at: Timestamp,
    /// The deposit we asked for.
    pub deposit: Cents,
    /// Its currency.
    pub currency: Currency,
    /// The Checkout Session at Stripe, once it is open.
    pub checkout_session: Option<String>,
    /// Whether and when Cal.com is told.
    pub calendar: CalendarMode,
    /// Cal.com's uid, once it is there.
    pub calendar_booking: Option<String>,
    /// What moved at Stripe so far.
    pub ledger: Vec<Entry>,
    /// The promise made to the client when the slot was held.
    pub policy: CancellationPolicy,
}

/// A verified payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Stripe's payment intent.
    pub payment_intent: String,
    /// What was received.
    pub amount: Cents,
    /// In which currency, as Stripe names it (lower case).
    pub currency: String,
    /// When.
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
    /// Its currency.
    pub currency: String,
    /// True while the money is gone or going, false once Stripe gave up.
    pub holds: bool,
    /// When it was made.
    pub at: Timestamp,
}

/// What a method of [`Booking`] decided: the state after it, and all that goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What came of it.
    pub outcome: Outcome,
    /// The state after the change; none when nothing changes.
    pub state: Option<State>,
    /// Lines for the history.
    pub history: Vec<HistoryLine>,
    /// Rows for the ledger; those it knows already are passed over.
    pub ledger: Vec<Entry>,
    /// What must happen outside.
    pub tasks: Vec<Task>,
    /// The appointment's new start and end, when it moves.
    pub slot: Option<(Timestamp, Timestamp)>,
    /// Until when the tasks wait, so that the change can still be taken back.
    pub not_before: Option<Timestamp>,
    /// The dedupe keys of waiting jobs that are taken back. The change is written only if none of them has begun.
    pub withdraws: Vec<String>,
}

impl Change {
    /// Nothing to change, for the reason named; or what a change begins from.
    pub const fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            state: None,
            history: Vec::new(),
            ledger: Vec::new(),
            tasks: Vec::new(),
            slot: None,
            not_before: None,
            withdraws: Vec::new(),
        }
    }

    /// True when there is nothing to write.
    pub fn is_nothing(&self) -> bool {
        self.state.is_none() && self.history.is_empty() && self.ledger.is_empty() && self.tasks.is_empty()
    }
}

/// The end of a hold that begins now.
pub fn hold_end(now: Timestamp, hold: SignedDuration) -> Timestamp {
    now.saturating_add(hold).unwrap_or(Timestamp::MAX)
}

/// When Stripe's page closes for a hold that ends at `hold_expires_at`.
pub fn checkout_end(hold_expires_at: Timestamp) -> Timestamp {
    hold_expires_at.saturating_add(CHECKOUT_MARGIN).unwrap_or(Timestamp::MAX)
}

/// Whether Stripe does not open a page any more that would close at `checkout_expires_at`: it was wished for some minutes
/// ago, and never answered.
pub fn checkout_is_too_short(checkout_expires_at: Timestamp, now: Timestamp) -> bool {
    checkout_expires_at.duration_since(now) < CHECKOUT_SHORTEST + CHECKOUT_CLOCKS
}

/// When the page closes that is wished for anew at `now`. The hold keeps its own end: whoever asks often holds no longer,
/// and the page is closed with the hold.
pub fn checkout_end_anew(hold_expires_at: Timestamp, now: Timestamp) -> Timestamp {
    let shortest = now.saturating_add(CHECKOUT_SHORTEST + CHECKOUT_MARGIN).unwrap_or(Timestamp::MAX);
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

    /// Applies a verified payment, whatever state it finds the booking in.
    ///
    /// `slot_is_free` says whether nobody else has the booking's slot (and its unique flash); it only
    /// matters for a booking that had lost them. The database has the last word on it.
    pub fn receive(&self, payment: &Payment, slot_is_free: bool, now: Timestamp) -> Change {
        let as_asked = payment.amount == self.deposit && payment.currency == self.currency.code();
        if self.ledger.iter().any(|entry| entry.kind == EntryKind::Capture && entry.stripe_id == payment.payment_intent)
        {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // News of a refund can overtake the news of its payment.
        let given_back =
            self.left(&payment.payment_intent) < 0 && self.left(&payment.payment_intent) + payment.amount.cents() <= 0;
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

    /// The client has submitted a payment whose bank answers later: the slot waits for it.
    pub fn wait_for_slow_payment(&self, now: Timestamp) -> Change {
        if self.state.status != Status::Pending || self.state.hold_expires_at.is_none() {
            return Change::nothing(Outcome::NotWaiting);
        }
        let until = now.saturating_add(SLOW_PAYMENT_HOLD).unwrap_or(Timestamp::MAX);
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

    /// Brings the ledger in line with what Stripe says of refunds. Safe to repeat, in any order.
    pub fn settle(&self, refunds: &[RefundFact]) -> Change {
        let mut ledger = Vec::new();
        let mut history = Vec::new();
        let mut tasks = Vec::new();
        let mut problem = self.state.payment_problem;
        for fact in refunds {
            let known = |kind, new: &[Entry]| {
                self.ledger.iter().chain(new).any(|entry| entry.kind == kind && entry.stripe_id == fact.id)
            };
            let entry = |kind, amount| Entry {
                kind,
                amount,
                currency: fact.currency.clone(),
                stripe_id: fact.id.clone(),
                payment_intent: fact.payment_intent.clone(),
                occurred_at: fact.at,
            };
            if !known(EntryKind::Refund, &ledger) {
                ledger.push(entry(EntryKind::Refund, -fact.amount));
                history.push(refund_line(HistoryKind::Refunded, fact));
                let second = self.state.payment_intent.as_ref().is_some_and(|own| *own != fact.payment_intent);
                if fact.holds
                    && !self.was_announced(&fact.payment_intent)
                    && (self.state.status == Status::Cancelled || second)
                {
                    tasks.push(self.mail(Template::ClientLateRefund, Occasion::Stripe(fact.id.clone())));
                }
            }
            if !fact.holds && !known(EntryKind::RefundFailed, &ledger) {
                ledger.push(entry(EntryKind::RefundFailed, fact.amount));
                history.push(refund_line(HistoryKind::RefundFailed, fact));
                problem = Some(PaymentProblem::RefundFailed);
                tasks.push(self.mail(Template::ArtistPaymentProblem, Occasion::Stripe(fact.id.clone())));
            }
        }
        let payment_status = self.standing(self.state.payment_status, &ledger);
        let mut state = State { payment_status, payment_problem: problem, ..self.state.clone() };
        // A payment that was not as asked kept the slot; once it is given back nothing does.
        let was_paid = self.ledger.iter().any(|entry| entry.kind == EntryKind::Capture);
        if self.state.status == Status::Pending
            && was_paid
            && !ledger.is_empty()
            && !self.holds_money(&ledger, |_| true)
        {
            state.status = Status::Cancelled;
            state.cancel_reason = Some(CancelReason::PaymentFailed);
            tasks.extend(self.calendar_task());
        }
        if state == self.state && ledger.is_empty() {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        Change { state: Some(state), history, ledger, tasks, ..Change::nothing(Outcome::Settled) }
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
        let lost = self.ledger.iter().any(|entry| entry.kind == EntryKind::DisputeLost && entry.stripe_id == dispute);
        if lost || (owned && self.state.payment_status == PaymentStatus::Disputed) {
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
        if self.ledger.iter().any(|known| known.kind == entry.kind && known.stripe_id == entry.stripe_id) {
            return Change::nothing(Outcome::AlreadyApplied);
        }
        // Of a payment that had gone back already the bank takes nothing, and a movement of nothing is no row.
        let ledger: Vec<Entry> = Some(entry).filter(|entry| entry.amount < Cents::ZERO).into_iter().collect();
        let before = if owned { PaymentStatus::Disputed } else { self.state.payment_status };
        let state = State { payment_status: self.standing(before, &ledger), ..self.state.clone() };
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
        self.ledger.iter().any(|entry| entry.kind == EntryKind::DisputeLost && self.owns(&entry.payment_intent))
    }

    /// The artist takes the booking on without its deposit. What follows waits for [`UNDO`], so that it can be taken back.
    pub fn confirm_by_hand(&self, now: Timestamp) -> Change {
        if self.state.status != Status::Pending || self.state.payment_problem.is_some() || self.starts_at <= now {
            return Change::nothing(Outcome::NotPossible);
        }
        let until = now.saturating_add(UNDO).unwrap_or(Timestamp::MAX);
        Change {
            state: Some(State {
                status: Status::Confirmed,
                hold_expires_at: None,
                undo: Some(Undo { until, hold_expires_at: self.state.hold_expires_at }),
                ..self.state.clone()
            }),
            history: vec![said(Actor::Artist, HistoryKind::ConfirmedByHand)],
            tasks: self.tasks_of_a_confirmation_by_hand(self.version + 1),
            not_before: Some(until.saturating_add(UNDO_MARGIN).unwrap_or(Timestamp::MAX)),
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

    /// What the client has paid and not got back. A second payment that is on its way back counts for nothing.
    pub fn in_hand(&self) -> Cents {
        let others = self.mismatched().into_iter().filter(|(_, _, ours)| *ours).map(|(_, left, _)| left);
        Cents::new(self.left_of_own() + others.sum::<i64>()).max(Cents::ZERO)
    }

    /// What the client pays at the studio, for page, mails, dashboard and export alike; none while nobody knows the
    /// price, and of an appointment that does not lie ahead.
    ///
    /// Before it is paid online, the deposit is not paid there; of a booking confirmed without one, everything is.
    pub fn left_to_pay(&self, price: Option<Cents>) -> Option<Cents> {
        let ahead = match self.state.status {
            Status::Pending if self.ledger.is_empty() => self.deposit,
            Status::Pending | Status::Confirmed => self.in_hand(),
            Status::Cancelled | Status::Completed => return None,
        };
        price?.checked_sub(ahead).map(|left| left.max(Cents::ZERO))
    }

    /// The deposit that is still to be paid online: of a hold that can be paid.
    pub fn deposit_due(&self) -> Option<Cents> {
        (self.state.status == Status::Pending && self.ledger.is_empty()).then_some(self.deposit)
    }

    /// What calling the appointment off at `now` does with the money: shown before the click, done by [`Self::cancel`].
    pub fn cancellation(&self, by: Canceller, now: Timestamp) -> Refund {
        let own = self.left_of_own();
        if self.state.payment_status == PaymentStatus::Disputed {
            // The cardholder's bank has the money and decides; a refund on top would pay it twice.
            return Refund { amount: Cents::ZERO, kept: Cents::new(own.max(0)), owed_beyond: Cents::ZERO };
        }
        let terms = self.policy.refund(Cents::new(own), by, self.starts_at, now);
        // What came otherwise than asked was never the deposit: it goes back whole.
        let others = self.mismatched().into_iter().filter(|(_, _, ours)| *ours).map(|(_, left, _)| left);
        Refund { amount: Cents::new(terms.amount.cents() + others.sum::<i64>()), ..terms }
    }

    /// Payments that came otherwise than asked and are still here: the intent, what is left, and whether it is in the
    /// booking's currency.
    fn mismatched(&self) -> Vec<(&str, i64, bool)> {
        if self.state.payment_problem != Some(PaymentProblem::Mismatch) {
            return Vec::new();
        }
        self.ledger
            .iter()
            .filter(|entry| entry.kind == EntryKind::Capture && !self.owns(&entry.payment_intent))
            .map(|entry| {
                let ours = entry.currency == self.currency.code();
                (entry.payment_intent.as_str(), self.left(&entry.payment_intent), ours)
            })
            .filter(|(_, left, _)| *left > 0)
            .collect()
    }

    /// Calls the appointment off and gives back what the policy says.
    ///
    /// Of an unpaid hold, close the Checkout Session first (`settle::close`): a payment in flight wins. Should one
    /// arrive all the same it is given back whole.
    pub fn cancel(&self, reason: CancelReason, by: Canceller, now: Timestamp) -> Change {
        if !self.state.status.is_open() {
            return Change::nothing(Outcome::NotPossible);
        }
        let terms = self.cancellation(by, now);
        let mut tasks = self.calendar_task();
        let own = self.state.payment_intent.as_deref();
        let disputed = self.state.payment_status == PaymentStatus::Disputed;
        let mut refunds: Vec<(&str, i64)> = Vec::new();
        if !disputed {
            if let Some(own) = own {
                refunds.push((own, self.left(own).max(0) - terms.kept.cents()));
            }
            refunds.extend(self.mismatched().into_iter().map(|(payment_intent, left, _)| (payment_intent, left)));
        }
        refunds.retain(|(_, amount)| *amount > 0);
        tasks.extend(refunds.iter().map(|(payment_intent, amount)| Task::Refund {
            booking: self.id,
            payment_intent: (*payment_intent).to_owned(),
            // The job brings what went back up to this sum, whatever was given back before.
            amount: Cents::new(self.returned(payment_intent) + amount),
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

    fn owns(&self, payment_intent: &str) -> bool {
        self.state.payment_intent.as_deref() == Some(payment_intent)
    }

    /// What is left of the booking's own payment, in cents.
    fn left_of_own(&self) -> i64 {
        self.state.payment_intent.as_deref().map_or(0, |own| self.left(own))
    }

    /// What is left of a payment, in cents, as the ledger has it.
    fn left(&self, payment_intent: &str) -> i64 {
        left(&self.ledger, payment_intent)
    }

    /// What the artist keeps of a payment, in cents.
    fn kept_of(&self, payment_intent: &str) -> i64 {
        self.state.kept.filter(|_| self.owns(payment_intent)).unwrap_or_default().cents()
    }

    /// What was given back of a payment so far, in cents.
    fn returned(&self, payment_intent: &str) -> i64 {
        let of_refunds = |entry: &&Entry| matches!(entry.kind, EntryKind::Refund | EntryKind::RefundFailed);
        let entries = self.ledger.iter().filter(|entry| entry.payment_intent == payment_intent).filter(of_refunds);
        -entries.map(|entry| entry.amount.cents()).sum::<i64>()
    }

    /// The client knows of this payment's refund from the mail that said the appointment is called off.
    fn was_announced(&self, payment_intent: &str) -> bool {
        self.state.kept.is_some() && self.state.payment_intent.as_deref().is_none_or(|own| own == payment_intent)
    }

    /// True when more is left of a payment that `counts` than is kept, once `new` is in the ledger.
    fn holds_money(&self, new: &[Entry], counts: impl Fn(&str) -> bool) -> bool {
        self.ledger.iter().chain(new).map(|entry| entry.payment_intent.as_str()).any(|payment_intent| {
            let left = self.left(payment_intent) + left(new, payment_intent);
            counts(payment_intent) && left > self.kept_of(payment_intent)
        })
    }

    /// Where the deposit is once `new` is in the ledger. The order in which refunds become known does not matter.
    ///
    /// A booking that stands answers for its own payment, a cancelled one for every payment that reached it.
    fn standing(&self, before: PaymentStatus, new: &[Entry]) -> PaymentStatus {
        if matches!(before, PaymentStatus::Unpaid | PaymentStatus::Disputed) {
            return before;
        }
        let counts = |payment_intent: &str| self.state.status == Status::Cancelled || self.owns(payment_intent);
        if !self.holds_money(new, counts) {
            return PaymentStatus::Refunded;
        }
        // All of it was to go back and did not: it is owed again.
        let owed = |payment_intent: &str| {
            let failed: i64 = self
                .ledger
                .iter()
                .chain(new)
                .filter(|entry| entry.kind == EntryKind::RefundFailed && entry.payment_intent == payment_intent)
                .map(|entry| entry.amount.cents())
                .sum();
            let left = self.left(payment_intent) + left(new, payment_intent) - self.kept_of(payment_intent);
            failed > 0 && left <= failed
        };
        if before == PaymentStatus::Refunded
            || self.holds_money(new, |payment_intent| counts(payment_intent) && owed(payment_intent))
        {
            PaymentStatus::RefundPending
        } else {
            before
        }
    }

    /// Where the deposit is when nobody contests it any more: what reached a cancelled booking is owed back.
    fn undisputed(&self) -> PaymentStatus {
        let owed = self.state.status == Status::Cancelled;
        self.standing(if owed { PaymentStatus::RefundPending } else { PaymentStatus::Paid }, &[])
    }

    /// The artist was mailed a calendar file of the appointment, which is to be kept true. Cal.com looks after its own.
    fn artist_has_a_copy(&self) -> bool {
        self.calendar == CalendarMode::Off
            && self.state.status == Status::Confirmed
            && self.state.payment_intent.is_some()
    }

    fn calendar_task(&self) -> Vec<Task> {
        match self.calendar {
            CalendarMode::Off => Vec::new(),
            CalendarMode::AtBooking | CalendarMode::AfterPayment => vec![Task::SyncCalendar { booking: self.id }],
        }
    }

    fn mail(&self, template: Template, occurrence: Occasion) -> Task {
        Task::SendEmail { booking: self.id, template, occurrence }
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

/// What is left of a payment after these movements, in cents.
fn left(ledger: &[Entry], payment_intent: &str) -> i64 {
    ledger.iter().filter(|entry| entry.payment_intent == payment_intent).map(|entry| entry.amount.cents()).sum()
}

fn said(actor: Actor, kind: HistoryKind) -> HistoryLine {
    HistoryLine { actor, kind, data: serde_json::json!({}) }
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

#[cfg(test)]
mod tests;
