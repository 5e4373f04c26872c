//! Money that goes back, or that a bank sends back here.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Cause, Ledger, News, money};
use crate::stand_in::alphanumeric;
use crate::stripe::error::ApiError;
use crate::stripe::objects::{Charge, DisputeStatus, IntentStatus, MovementKind, Refund, RefundStatus};

/// Why refunds fail.
const FAILURES: &[&str] = &[
    "charge_for_pending_refund_disputed",
    "declined",
    "expired_or_canceled_card",
    "insufficient_funds",
    "lost_or_stolen_card",
    "merchant_request",
    "unknown",
];

/// A refund as asked for.
pub(in crate::stripe) struct NewRefund {
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) intent: Option<String>,
    pub(in crate::stripe) charge: Option<String>,
    pub(in crate::stripe) amount: Option<i64>,
    pub(in crate::stripe) reason: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
}

impl Ledger {
    /// Gives money back, unless it is more than what may be spent.
    pub(in crate::stripe) fn refund(
        &mut self,
        new: NewRefund,
        status: RefundStatus,
        funds: Option<i64>,
        now: i64,
        cause: &Cause,
    ) -> Result<(String, Vec<String>), ApiError> {
        let charge_id = self.refundable_charge(&new)?;
        let amount = self.refundable_amount(&charge_id, new.amount)?;
        if funds.is_some_and(|funds| amount > funds) {
            return Err(ApiError::refused("Insufficient funds in your Stripe balance to refund this amount.")
                .code("balance_insufficient"));
        }
        let charge = self.charges.get_mut(&charge_id).expect("just found");
        let before = json!({"amount_refunded": charge.amount_refunded, "refunded": false});
        charge.amount_refunded += amount;
        let id = format!("re_3{}", alphanumeric(23));
        let (intent, currency, email) = (charge.intent.clone(), charge.currency.clone(), charge.email.clone());
        let balance_transaction = (status != RefundStatus::RequiresAction)
            .then(|| self.record(MovementKind::Refund, -amount, &id, &charge_id, now));
        let refund = Refund {
            id: id.clone(),
            account: new.account.clone(),
            created: now,
            charge: charge_id.clone(),
            intent,
            amount,
            currency,
            reason: new.reason,
            metadata: new.metadata,
            status,
            failure_reason: None,
            balance_transaction,
            failure_balance_transaction: None,
            asked: (status == RefundStatus::RequiresAction)
                .then(|| email.unwrap_or_else(|| "someone@example.com".to_owned())),
        };
        let object = refund.object();
        self.refunds.insert(refund);
        let account = new.account;
        let created = News { kind: "refund.created", account: account.clone(), object, previous: None };
        let charge = self.charges.get(&charge_id).map(Charge::object).unwrap_or_default();
        let refunded = News { kind: "charge.refunded", account, object: charge, previous: Some(before) };
        let mut events = vec![self.emit(created, now, cause), self.emit(refunded, now, cause)];
        if status == RefundStatus::Succeeded {
            events.extend(self.emit_refund_updates(&id, RefundStatus::Pending, now, cause));
        }
        events.extend(self.close_inquiries(&charge_id, now));
        Ok((id, events))
    }

    fn refundable_charge(&self, new: &NewRefund) -> Result<String, ApiError> {
        let account = new.account.as_deref();
        if let Some(id) = &new.charge {
            return match self.charges.of(account, id) {
                Some(charge) if charge.succeeded() => Ok(id.clone()),
                Some(_) => Err(ApiError::refused(format!("Charge {id} is not refundable: it failed."))),
                None => {
                    Err(ApiError::invalid(format!("No such charge: '{id}'")).code("resource_missing").param("charge"))
                }
            };
        }
        let id = new.intent.as_deref().unwrap_or_default();
        let intent = self.intents.of(account, id).ok_or_else(|| {
            ApiError::invalid(format!("No such payment_intent: '{id}'"))
                .code("resource_missing")
                .param("payment_intent")
        })?;
        match (&intent.latest_charge, intent.status) {
            (Some(charge), IntentStatus::Succeeded) => Ok(charge.clone()),
            _ => Err(ApiError::refused(format!(
                "This PaymentIntent ({id}) does not have a successful charge to refund."
            ))
            .code("payment_intent_unexpected_state")
            .param("payment_intent")),
        }
    }

    /// What may go back: nothing while a bank has it, and never what a bank has taken for good.
    fn refundable_amount(&self, charge_id: &str, asked: Option<i64>) -> Result<i64, ApiError> {
        let charge = self.charges.get(charge_id).expect("the caller has looked");
        let unrefunded = charge.amount - charge.amount_refunded;
        if unrefunded == 0 {
            return Err(ApiError::refused(format!("Charge {charge_id} has already been refunded."))
                .code("charge_already_refunded"));
        }
        let disputes = || self.disputes.iter().filter(|dispute| dispute.charge == charge_id);
        let lost: i64 =
            disputes().filter(|dispute| dispute.status == DisputeStatus::Lost).map(|dispute| dispute.amount).sum();
        let left = unrefunded - lost;
        let at_a_bank = disputes().any(|dispute| !dispute.status.is_closed() && !dispute.status.is_charge_refundable());
        if at_a_bank || left <= 0 {
            return Err(ApiError::refused(format!("Charge {charge_id} has been charged back; cannot issue a refund."))
                .code("charge_disputed"));
        }
        let amount = asked.unwrap_or(left);
        if amount > left {
            return Err(ApiError::refused(format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money(amount, &charge.currency),
                money(left, &charge.currency)
            ))
            .param("amount"));
        }
        Ok(amount)
    }

    fn emit_refund(
        &mut self,
        id: &str,
        kind: &'static str,
        previous: Option<Value>,
        now: i64,
        cause: &Cause,
    ) -> Vec<String> {
        let Some(refund) = self.refunds.get(id) else { return Vec::new() };
        let news = News { kind, account: refund.account.clone(), object: refund.object(), previous };
        vec![self.emit(news, now, cause)]
    }

    fn emit_refund_updates(&mut self, id: &str, before: RefundStatus, now: i64, cause: &Cause) -> Vec<String> {
        let previous = Some(json!({"status": before.as_str()}));
        let mut events = self.emit_refund(id, "refund.updated", previous.clone(), now, cause);
        events.extend(self.emit_refund(id, "charge.refund.updated", previous, now, cause));
        events
    }

    /// The bank takes a pending refund, or the customer has said where to send it.
    pub(in crate::stripe) fn complete_refund(&mut self, id: &str, now: i64) -> Result<Vec<String>, String> {
        let refund = self.refunds.get(id).ok_or_else(|| format!("no refund `{id}`"))?.clone();
        if !matches!(refund.status, RefundStatus::Pending | RefundStatus::RequiresAction) {
            return Err(format!("refund `{id}` is not pending"));
        }
        let movement = refund
            .balance_transaction
            .unwrap_or_else(|| self.record(MovementKind::Refund, -refund.amount, id, &refund.charge, now));
        let row = self.refunds.get_mut(id).expect("just found");
        row.status = RefundStatus::Succeeded;
        row.balance_transaction = Some(movement);
        Ok(self.emit_refund_updates(id, refund.status, now, &Cause::default()))
    }

    /// The bank sends a refund back: the money returns to the account, and the charge is no longer refunded.
    pub(in crate::stripe) fn fail_refund(&mut self, id: &str, reason: &str, now: i64) -> Result<Vec<String>, String> {
        if !FAILURES.contains(&reason) {
            return Err(format!("no refund fails for `{reason}`; they do for {}", FAILURES.join(", ")));
        }
        let before = self.undo_refund(id, RefundStatus::Failed, Some(reason), now)?;
        let cause = Cause::default();
        let mut events = self.emit_refund(id, "refund.failed", None, now, &cause);
        events.extend(self.emit_refund_updates(id, before, now, &cause));
        Ok(events)
    }

    /// A refund that is not through yet is called off.
    pub(in crate::stripe) fn cancel_refund(
        &mut self,
        id: &str,
        now: i64,
        cause: &Cause,
    ) -> Result<Vec<String>, String> {
        let status = self.refunds.get(id).map(|refund| refund.status);
        if status == Some(RefundStatus::Succeeded) {
            return Err(format!("refund `{id}` has succeeded: it cannot be called off"));
        }
        let reason = (status == Some(RefundStatus::Pending)).then_some("merchant_request");
        let before = self.undo_refund(id, RefundStatus::Canceled, reason, now)?;
        Ok(self.emit_refund_updates(id, before, now, cause))
    }

    /// Gives the state that it was in.
    fn undo_refund(
        &mut self,
        id: &str,
        status: RefundStatus,
        reason: Option<&str>,
        now: i64,
    ) -> Result<RefundStatus, String> {
        let refund = self.refunds.get(id).ok_or_else(|| format!("no refund `{id}`"))?.clone();
        if refund.status.is_undone() {
            return Err(format!(
                "refund `{id}` has {} already",
                if status == RefundStatus::Failed { "failed" } else { "ended" }
            ));
        }
        let returned = refund
            .balance_transaction
            .is_some()
            .then(|| self.record(MovementKind::RefundFailure, refund.amount, id, &refund.charge, now));
        let row = self.refunds.get_mut(id).expect("just found");
        row.status = status;
        row.failure_reason = reason.map(str::to_owned);
        row.failure_balance_transaction = returned;
        if let Some(charge) = self.charges.get_mut(&refund.charge) {
            charge.amount_refunded -= refund.amount;
        }
        Ok(refund.status)
    }
}
