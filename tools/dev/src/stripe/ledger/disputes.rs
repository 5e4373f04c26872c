//! What banks do about payments, and what is answered.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Cause, Ledger, News};
use crate::stand_in::alphanumeric;
use crate::stripe::error::ApiError;
use crate::stripe::objects::{Dispute, DisputeStatus, MovementKind, REASONS};

/// The characters of all texts of an answer together.
const LONGEST_EVIDENCE: usize = 150_000;

const DAY: i64 = 86_400;

/// What a cardholder says to the bank.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct NewDispute {
    /// In cents; without it, what is neither refunded nor disputed already.
    pub amount: Option<i64>,
    /// How it begins: as an inquiry, as a chargeback, as one that is lost at once, or prevented.
    pub status: DisputeStatus,
    /// One of Stripe's.
    pub reason: String,
    /// How long an answer is awaited; less than none when it is too late already.
    pub due_in_days: i64,
}

impl Default for NewDispute {
    fn default() -> Self {
        Self { amount: None, status: DisputeStatus::NeedsResponse, reason: "fraudulent".to_owned(), due_in_days: 9 }
    }
}

impl NewDispute {
    /// Whether a dispute can begin so.
    fn check(&self) -> Result<(), String> {
        use DisputeStatus::{Lost, NeedsResponse, Prevented, WarningNeedsResponse};
        if !matches!(self.status, WarningNeedsResponse | NeedsResponse | Lost | Prevented) {
            return Err(format!("no dispute begins as {}", self.status));
        }
        if !REASONS.contains(&self.reason.as_str()) {
            return Err(format!("nobody disputes for `{}`; people do for {}", self.reason, REASONS.join(", ")));
        }
        if !(-365..=365).contains(&self.due_in_days) {
            return Err(format!("no bank waits {} days for an answer", self.due_in_days));
        }
        Ok(())
    }
}

/// What is answered to the bank.
pub(in crate::stripe) struct DisputeAnswer {
    pub(in crate::stripe) evidence: BTreeMap<String, String>,
    /// Without a word an answer is sent, as Stripe does.
    pub(in crate::stripe) submit: Option<bool>,
    pub(in crate::stripe) metadata: Option<BTreeMap<String, String>>,
}

impl Ledger {
    /// The cardholder disputes a payment, named by its intent or its charge.
    pub(in crate::stripe) fn open_dispute(
        &mut self,
        payment: &str,
        new: &NewDispute,
        now: i64,
    ) -> Result<(String, Vec<String>), String> {
        let charge_id = self
            .intents
            .get(payment)
            .and_then(|intent| intent.latest_charge.clone())
            .unwrap_or_else(|| payment.to_owned());
        let charge = self.charges.get(&charge_id).ok_or_else(|| format!("no payment `{payment}`"))?;
        if !charge.succeeded() {
            return Err(format!("charge `{charge_id}` cannot be disputed: it failed"));
        }
        new.check()?;
        let amount = self.disputable(&charge_id, new.amount)?;
        let awaits_answer = new.status.answered().is_some();
        let dispute = Dispute {
            id: format!("du_1{}", alphanumeric(23)),
            account: charge.account.clone(),
            created: now,
            charge: charge_id.clone(),
            intent: charge.intent.clone(),
            amount,
            currency: charge.currency.clone(),
            reason: new.reason.clone(),
            status: new.status,
            metadata: BTreeMap::new(),
            evidence: BTreeMap::new(),
            due_by: awaits_answer.then(|| now + new.due_in_days * DAY),
            submissions: 0,
            past_due: false,
            movements: Vec::new(),
        };
        let id = dispute.id.clone();
        self.disputes.insert(dispute);
        if let Some(charge) = self.charges.get_mut(&charge_id) {
            charge.disputed = true;
        }
        let cause = Cause::default();
        let mut events = self.emit_dispute(&id, "charge.dispute.created", None, now, &cause);
        if matches!(new.status, DisputeStatus::NeedsResponse | DisputeStatus::Lost) {
            events.extend(self.withdraw(&id, now));
        }
        if new.status.is_closed() {
            events.extend(self.emit_dispute(&id, "charge.dispute.closed", None, now, &cause));
        }
        Ok((id, events))
    }

    /// What a new dispute is about. A bank may take what was refunded already, but not by itself here.
    fn disputable(&self, charge_id: &str, asked: Option<i64>) -> Result<i64, String> {
        let charge = self.charges.get(charge_id).ok_or_else(|| format!("no charge `{charge_id}`"))?;
        let undisputed = charge.amount - self.disputed_amount(charge_id, None);
        let rest = undisputed - charge.amount_refunded;
        match asked {
            None if rest <= 0 => Err(format!("charge `{charge_id}` cannot be disputed: nothing of it is left")),
            None => Ok(rest),
            Some(amount) if amount < 1 || amount > undisputed => {
                Err(format!("charge `{charge_id}` cannot be disputed for {amount} cents: {undisputed} are undisputed"))
            }
            Some(amount) => Ok(amount),
        }
    }

    fn disputed_amount(&self, charge_id: &str, but: Option<&str>) -> i64 {
        self.disputes
            .iter()
            .filter(|dispute| dispute.charge == charge_id && Some(dispute.id.as_str()) != but)
            .filter(|dispute| dispute.status.holds_the_money())
            .map(|dispute| dispute.amount)
            .sum()
    }

    /// The bank takes the money, and Stripe its fee.
    fn withdraw(&mut self, id: &str, now: i64) -> Vec<String> {
        let dispute = self.disputes.get(id).expect("the caller has looked");
        let (amount, charge) = (dispute.amount, dispute.charge.clone());
        self.moved(id, MovementKind::Dispute, -amount, &charge, now);
        self.emit_dispute(id, "charge.dispute.funds_withdrawn", None, now, &Cause::default())
    }

    /// Whatever it took comes back; the fee does not.
    fn reinstate(&mut self, id: &str, now: i64) -> Vec<String> {
        let dispute = self.disputes.get(id).expect("the caller has looked");
        let taken: i64 =
            dispute.movements.iter().filter_map(|id| self.movements.get(id)).map(|movement| movement.amount).sum();
        if taken >= 0 {
            return Vec::new();
        }
        let charge = dispute.charge.clone();
        self.moved(id, MovementKind::DisputeReversal, -taken, &charge, now);
        self.emit_dispute(id, "charge.dispute.funds_reinstated", None, now, &Cause::default())
    }

    fn moved(&mut self, id: &str, kind: MovementKind, amount: i64, charge: &str, now: i64) {
        let movement = self.record(kind, amount, id, charge, now);
        if let Some(dispute) = self.disputes.get_mut(id) {
            dispute.movements.push(movement);
        }
    }

    fn emit_dispute(
        &mut self,
        id: &str,
        kind: &'static str,
        previous: Option<Value>,
        now: i64,
        cause: &Cause,
    ) -> Vec<String> {
        let Some(dispute) = self.disputes.get(id) else { return Vec::new() };
        let news = News { kind, account: dispute.account.clone(), object: dispute.object(&self.movements), previous };
        vec![self.emit(news, now, cause)]
    }

    /// The bank goes on, as far as banks may go.
    pub(in crate::stripe) fn move_dispute(
        &mut self,
        id: &str,
        next: DisputeStatus,
        now: i64,
        cause: &Cause,
    ) -> Result<Vec<String>, String> {
        let dispute = self.disputes.get(id).ok_or_else(|| format!("no dispute `{id}`"))?;
        let before = dispute.status;
        if !before.may_become(next) {
            return Err(format!("dispute `{id}` is {before}: it cannot become {next}"));
        }
        let becomes_chargeback = before.is_inquiry() && next == DisputeStatus::NeedsResponse;
        let charge = self.charges.get(&dispute.charge).ok_or_else(|| format!("no charge `{}`", dispute.charge))?;
        let rest = charge.amount - charge.amount_refunded - self.disputed_amount(&charge.id, Some(id));
        if becomes_chargeback && rest <= 0 {
            return Err(format!("dispute `{id}` cannot become {next}: everything is refunded or disputed"));
        }
        let dispute = self.disputes.get_mut(id).expect("just found");
        dispute.status = next;
        if becomes_chargeback {
            dispute.amount = dispute.amount.min(rest);
        }
        if before.is_closed() && next.answered().is_some() {
            dispute.due_by = Some(now + NewDispute::default().due_in_days * DAY);
        }
        let previous = Some(json!({"status": before}));
        let kind = if next.is_closed() { "charge.dispute.closed" } else { "charge.dispute.updated" };
        let mut events = self.emit_dispute(id, kind, previous, now, cause);
        if becomes_chargeback {
            events.extend(self.withdraw(id, now));
        }
        if next == DisputeStatus::Won {
            events.extend(self.reinstate(id, now));
        }
        Ok(events)
    }

    /// The bank decides; an inquiry can only be dropped.
    pub(in crate::stripe) fn close_dispute(&mut self, id: &str, won: bool, now: i64) -> Result<Vec<String>, String> {
        let dispute = self.disputes.get(id).ok_or_else(|| format!("no dispute `{id}`"))?;
        if dispute.status.is_closed() {
            return Err(format!("dispute `{id}` is closed already"));
        }
        let next = match (won, dispute.status.is_inquiry()) {
            (true, true) => DisputeStatus::WarningClosed,
            (true, false) => DisputeStatus::Won,
            (false, _) => DisputeStatus::Lost,
        };
        self.move_dispute(id, next, now, &Cause::default())
    }

    /// Who has everything back asks no more.
    pub(super) fn close_inquiries(&mut self, charge_id: &str, now: i64) -> Vec<String> {
        if self.charges.get(charge_id).is_none_or(|charge| charge.amount_refunded < charge.amount) {
            return Vec::new();
        }
        let asking: Vec<String> = self
            .disputes
            .iter()
            .filter(|dispute| dispute.charge == charge_id && dispute.status.is_inquiry() && !dispute.status.is_closed())
            .map(|dispute| dispute.id.clone())
            .collect();
        asking
            .iter()
            .flat_map(|id| {
                self.move_dispute(id, DisputeStatus::WarningClosed, now, &Cause::default()).unwrap_or_default()
            })
            .collect()
    }

    /// Keeps an answer, and sends it unless told otherwise.
    pub(in crate::stripe) fn answer_dispute(
        &mut self,
        id: &str,
        answer: DisputeAnswer,
        now: i64,
        cause: &Cause,
    ) -> Result<Vec<String>, ApiError> {
        let dispute = self.disputes.get_mut(id).ok_or_else(|| ApiError::missing("dispute", id, "dispute"))?;
        let says_something = !answer.evidence.is_empty();
        let submits = answer.submit.unwrap_or(says_something);
        let mut evidence = dispute.evidence.clone();
        evidence.extend(answer.evidence.clone());
        let next = dispute.status.answered();
        if (says_something || submits) && next.is_none() {
            return Err(ApiError::refused(format!(
                "This dispute has the status `{}`: evidence can no longer be added or submitted.",
                dispute.status
            ))
            .param("evidence"));
        }
        if evidence.values().map(|text| text.chars().count()).sum::<usize>() > LONGEST_EVIDENCE {
            return Err(ApiError::refused(format!(
                "The evidence of a dispute can have up to {LONGEST_EVIDENCE} characters in total."
            ))
            .param("evidence"));
        }
        if submits && evidence.is_empty() {
            return Err(ApiError::refused("There is no evidence to submit.").param("submit"));
        }
        let mut previous = Map::new();
        if says_something {
            previous.insert("evidence".to_owned(), dispute.evidence());
        }
        dispute.evidence = evidence;
        if let Some(metadata) = answer.metadata {
            previous.insert("metadata".to_owned(), json!(dispute.metadata));
            dispute.metadata = metadata;
        }
        if let (true, Some(next)) = (submits, next) {
            previous.insert("status".to_owned(), json!(dispute.status));
            dispute.past_due = dispute.due_by.is_some_and(|due| due < now);
            dispute.submissions += 1;
            dispute.status = next;
        }
        if previous.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.emit_dispute(id, "charge.dispute.updated", Some(Value::Object(previous)), now, cause))
    }

    /// Gives up: it counts as lost, and nobody can undo that.
    pub(in crate::stripe) fn accept_dispute(
        &mut self,
        id: &str,
        now: i64,
        cause: &Cause,
    ) -> Result<Vec<String>, ApiError> {
        let dispute = self.disputes.get(id).ok_or_else(|| ApiError::missing("dispute", id, "dispute"))?;
        if !matches!(dispute.status, DisputeStatus::NeedsResponse | DisputeStatus::AppealNeedsResponse) {
            return Err(ApiError::refused(format!(
                "This dispute has the status `{}`: it cannot be closed.",
                dispute.status
            )));
        }
        self.move_dispute(id, DisputeStatus::Lost, now, cause).map_err(ApiError::refused)
    }
}
