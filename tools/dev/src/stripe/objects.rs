//! The objects of the Stripe stand-in and how the API shows them.
//! Rendering only: who may change what, and when, is the ledger's business.

mod event;
mod payment;
mod refund;
mod session;
mod table;

pub(super) use self::event::{Endpoint, Event};
pub(super) use self::payment::{Charge, Intent, IntentStatus};
pub(super) use self::refund::{Dispute, Refund, RefundStatus};
pub(super) use self::session::{LineItem, Session, SessionStatus};
pub(super) use self::table::{Keyed, Table};

/// The version whose shapes the stand-in speaks.
pub const API_VERSION: &str = "2026-09-30.endive";

macro_rules! keyed {
    ($($kind:ty),+) => {$(
        impl Keyed for $kind {
            fn id(&self) -> &str {
                &self.id
            }
        }
    )+};
}
keyed!(Session, Intent, Charge, Refund, Dispute, Event, Endpoint);
