//! The objects of the Stripe stand-in and how the API shows them.
//! Rendering only: who may change what, and when, is the ledger's business.

mod dispute;
mod event;
mod movement;
mod payment;
mod refund;
mod session;
mod table;

pub use self::dispute::DisputeStatus;
pub(super) use self::dispute::{Dispute, EVIDENCE_FILES, EVIDENCE_TEXTS, REASONS};
pub(super) use self::event::{Endpoint, Event};
pub(super) use self::movement::{Movement, MovementKind};
pub(super) use self::payment::{Charge, Intent, IntentStatus};
pub(super) use self::refund::{Refund, RefundStatus};
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

            fn account(&self) -> Option<&str> {
                self.account.as_deref()
            }
        }
    )+};
}
keyed!(Session, Intent, Charge, Refund, Dispute, Movement, Event);

impl Keyed for Endpoint {
    fn id(&self) -> &str {
        &self.id
    }

    /// Those of the platform hear of connected accounts; accounts have none of their own here.
    fn account(&self) -> Option<&str> {
        None
    }
}
