//! Every way the business says no. A refusal is an answer, not an accident: it has a name, and the
//! edge gives it words and a status (`http::problem`).

use thiserror::Error;

/// Why InkFlow will not do what was asked, although the request is well formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Somebody else holds or has booked this slot, or it is not offered any more.
    #[error("the slot is not free")]
    SlotTaken,
    /// The artist's books are not open that far ahead.
    #[error("the date is too far ahead")]
    TooFarAhead,
    /// The unique flash is held or sold.
    #[error("the flash is held or sold")]
    FlashTaken,
    /// The flash is not on sale: archived, or another artist's.
    #[error("the flash is not on sale")]
    FlashUnavailable,
    /// The booking is paid, so it cannot simply be given back.
    #[error("the booking is paid")]
    AlreadyPaid,
    /// The client already holds as many unpaid slots as allowed.
    #[error("the client holds too many unpaid slots")]
    TooManyHoldsByClient,
    /// The artist takes no deposits yet, or any more.
    #[error("the artist takes no bookings")]
    NotOpenYet,
    /// Somebody else, or another tab, changed the same thing since it was shown.
    #[error("it was changed meanwhile")]
    ChangedMeanwhile,
    /// What is asked does not fit the state that the booking is in.
    #[error("not possible in this state")]
    NotPossible,
    /// The time in which it could be done is over.
    #[error("it is too late for that")]
    TooLate,
    /// The amount that was shown is not the amount that would move now.
    #[error("the amount is another one by now")]
    MoneyChanged,
}
