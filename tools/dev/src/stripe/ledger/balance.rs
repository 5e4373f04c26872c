//! What moves the balance, and what it is.

use std::collections::BTreeMap;

use super::Ledger;
use crate::stand_in::alphanumeric;
use crate::stripe::objects::{Movement, MovementKind};

const DAY: i64 = 86_400;

/// What a payment waits before it may be spent.
const DAYS_PENDING: i64 = 3;

/// What a bank asks for a dispute; nobody gives it back.
const DISPUTE_FEE: i64 = 2_000;

/// What is there in one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::stripe) struct Balance {
    pub(in crate::stripe) available: i64,
    pub(in crate::stripe) pending: i64,
}

/// 1.5 %, rounded, and 25 cents.
fn processing_fee(amount: i64) -> i64 {
    (amount * 15 + 500) / 1000 + 25
}

impl Ledger {
    /// Records what a charge, or a refund or dispute of it, moves.
    pub(super) fn record(
        &mut self,
        kind: MovementKind,
        amount: i64,
        source: &str,
        charge_id: &str,
        now: i64,
    ) -> String {
        let charge = self.charges.get(charge_id).expect("money moves for a charge");
        let earned = charge.balance_transaction.as_ref().and_then(|id| self.movements.get(id));
        let (fee, available_on) = match kind {
            MovementKind::Charge => (processing_fee(amount), (now.div_euclid(DAY) + 1 + DAYS_PENDING) * DAY),
            // What goes back is taken from where it lies.
            MovementKind::Dispute => (DISPUTE_FEE, earned.map_or(now, |earned| earned.available_on.max(now))),
            _ => (0, earned.map_or(now, |earned| earned.available_on.max(now))),
        };
        let prefix = match kind {
            MovementKind::Refund => "REFUND FOR CHARGE ",
            MovementKind::RefundFailure => "REFUND FAILURE ",
            MovementKind::Dispute => "Chargeback withdrawal for ",
            MovementKind::DisputeReversal => "Chargeback reversal for ",
            MovementKind::Charge => "",
        };
        let movement = Movement {
            id: format!("txn_3{}", alphanumeric(23)),
            account: charge.account.clone(),
            created: now,
            available_on,
            available: available_on <= now,
            kind,
            amount,
            fee,
            currency: charge.currency.clone(),
            source: source.to_owned(),
            description: match kind {
                MovementKind::Charge => charge.description.clone(),
                _ => Some(format!("{prefix}{charge_id}")),
            },
        };
        let id = movement.id.clone();
        self.movements.insert(movement);
        id
    }

    /// Money that has waited long enough may be spent.
    pub(super) fn free_funds(&mut self, now: i64) {
        for movement in self.movements.iter_mut().filter(|movement| movement.available_on <= now) {
            movement.available = true;
        }
    }

    /// The balance of an account, by currency.
    pub(in crate::stripe) fn balance(&self, account: Option<&str>) -> BTreeMap<String, Balance> {
        let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
        for movement in self.movements.iter().filter(|movement| movement.account.as_deref() == account) {
            let balance = balances.entry(movement.currency.clone()).or_default();
            *(if movement.available { &mut balance.available } else { &mut balance.pending }) += movement.net();
        }
        balances
    }
}
