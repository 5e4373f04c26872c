//! What the artist's dashboard reads and writes. Each statement begins with the user of the token: whose booking it is,
//! is decided in the flight that reads or changes it.

mod actions;
mod detail;
mod list;

pub use self::actions::{add_job, retry_job, write_note};
pub use self::detail::{Detail, JobRow, MailRow, TimelineLine, detail};
pub use self::list::{ListPage, Listed, Place, Selection, list, list_sql};
use crate::domain::named::named;

#[cfg(test)]
pub(super) use self::list::listed_columns;

named! {
    /// Which bookings a list is of.
    Filter {
        /// What waits for the artist, then what comes, then the rest backwards.
        All = "all",
        /// What waits for the artist.
        Todo = "todo",
        /// What comes.
        Upcoming = "upcoming",
        /// What took place.
        Past = "past",
        /// What was called off.
        Cancelled = "cancelled",
    }
}

named! {
    /// What waits for the artist.
    Todo {
        /// Somebody holds a slot: take it on, or not.
        Confirm = "confirm",
        /// Money came otherwise than asked, could not go back, or is contested.
        Payment = "payment",
        /// It was called off in Cal.com, and the artist decides.
        CalledOff = "called_off",
        /// Cal.com disagrees.
        Calendar = "calendar",
        /// A job will not be done by itself.
        Job = "job",
        /// The appointment is over: did it take place?
        Outcome = "outcome",
    }
}

named! {
    /// What the artist may do with a booking.
    Action {
        /// Take it on without its deposit.
        Confirm = "confirm",
        /// Take that back.
        UndoConfirm = "undo_confirm",
        /// Put it back into Cal.com.
        PutBack = "put_back",
        /// Call it off.
        Cancel = "cancel",
        /// Give a part of the deposit back.
        Refund = "refund",
        /// Take a payment that is not what was asked as it came.
        Accept = "accept",
        /// Say that it took place.
        Complete = "complete",
        /// Say that nobody came.
        NoShow = "no_show",
    }
}
