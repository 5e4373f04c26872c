//! What the Stripe stand-in knows, and the only ways it changes.
//! No clock, no network: `now` comes in, the ids of the new events go out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ApiError;
use super::objects::{
    Charge, Dispute, Endpoint, Event, Intent, IntentStatus, LineItem, Refund, RefundStatus, Session, SessionStatus,
    Table,
};
use crate::stand_in::alphanumeric;

/// Everything that survives a restart.
#[derive(Default, Serialize, Deserialize)]
pub struct Ledger {
    pub(super) sessions: Table<Session>,
    pub(super) intents: Table<Intent>,
    pub(super) charges: Table<Charge>,
    pub(super) refunds: Table<Refund>,
    pub(super) disputes: Table<Dispute>,
    pub(super) events: Table<Event>,
    pub(super) endpoints: Table<Endpoint>,
    pub(super) keys: BTreeMap<String, StoredAnswer>,
    #[serde(skip)]
    pub(super) base_url: String,
}

/// The first answer to an idempotency key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StoredAnswer {
    pub(super) fingerprint: String,
    pub(super) status: u16,
    pub(super) body: Value,
    pub(super) request_id: String,
    pub(super) created: i64,
}

/// The API request behind an event; empty for what happens on the pay page or by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Cause {
    pub(super) request_id: Option<String>,
    pub(super) idempotency_key: Option<String>,
}

/// How the payer submits the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submit {
    Accepted,
    Declined,
    /// A method that says only later whether it worked.
    Later,
}

/// Why a session takes no payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// There is no such session.
    Unknown,
    /// It has been paid, or its payment is under way.
    Complete,
    /// Its time is over, or it was expired by a call.
    Expired,
}

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "there is no such session",
            Self::Complete => "the session is complete",
            Self::Expired => "the session is expired",
        })
    }
}

impl std::error::Error for Closed {}

/// A session as asked for.
pub(super) struct NewSession {
    pub(super) expires_at: i64,
    pub(super) currency: String,
    pub(super) line_items: Vec<LineItem>,
    pub(super) customer_email: Option<String>,
    pub(super) client_reference_id: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) success_url: String,
    pub(super) cancel_url: Option<String>,
    pub(super) payment_method_types: Vec<String>,
    pub(super) intent_metadata: BTreeMap<String, String>,
    pub(super) intent_description: Option<String>,
    pub(super) intent_receipt_email: Option<String>,
    pub(super) intent_statement_suffix: Option<String>,
    pub(super) echo: serde_json::Map<String, Value>,
}

/// A refund as asked for.
pub(super) struct NewRefund {
    pub(super) intent: Option<String>,
    pub(super) charge: Option<String>,
    pub(super) amount: Option<i64>,
    pub(super) reason: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

impl Ledger {
    /// Records an event for every endpoint that wants it.
    fn emit(&mut self, now: i64, kind: &str, object: Value, previous: Option<Value>, cause: &Cause) -> String {
        let id = format!("evt_1{}", alphanumeric(23));
        let undelivered =
            self.endpoints.iter().filter(|endpoint| endpoint.wants(kind)).map(|endpoint| endpoint.id.clone()).collect();
        self.events.insert(Event {
            id: id.clone(),
            created: now,
            kind: kind.to_owned(),
            object,
            previous,
            request_id: cause.request_id.clone(),
            idempotency_key: cause.idempotency_key.clone(),
            undelivered,
            lost: false,
        });
        id
    }

    fn emit_session(&mut self, now: i64, kind: &str, id: &str, cause: &Cause) -> Vec<String> {
        let Some(object) = self.sessions.get(id).map(|session| session.object(&self.base_url)) else {
            return Vec::new();
        };
        vec![self.emit(now, kind, object, None, cause)]
    }

    fn emit_intent(&mut self, now: i64, kind: &str, id: &str) -> Vec<String> {
        let Some(object) = self.intents.get(id).map(Intent::object) else { return Vec::new() };
        vec![self.emit(now, kind, object, None, &Cause::default())]
    }

    pub(super) fn open_session(&mut self, new: NewSession, now: i64) -> String {
        let id = format!("cs_test_a1{}", alphanumeric(58));
        self.sessions.insert(Session {
            id: id.clone(),
            created: now,
            expires_at: new.expires_at,
            status: SessionStatus::Open,
            paid: false,
            currency: new.currency,
            line_items: new.line_items,
            customer_email: new.customer_email,
            client_reference_id: new.client_reference_id,
            metadata: new.metadata,
            success_url: new.success_url,
            cancel_url: new.cancel_url,
            payment_method_types: new.payment_method_types,
            payment_intent: None,
            intent_metadata: new.intent_metadata,
            intent_description: new.intent_description,
            intent_receipt_email: new.intent_receipt_email,
            intent_statement_suffix: new.intent_statement_suffix,
            echo: new.echo,
        });
        id
    }

    /// The session if it still takes a payment.
    pub(super) fn payable(&self, id: &str) -> Result<&Session, Closed> {
        let session = self.sessions.get(id).ok_or(Closed::Unknown)?;
        match session.status {
            SessionStatus::Open => Ok(session),
            SessionStatus::Complete => Err(Closed::Complete),
            SessionStatus::Expired => Err(Closed::Expired),
        }
    }

    /// The payer submits the pay page.
    pub(super) fn submit(&mut self, id: &str, submit: Submit, now: i64) -> Result<Vec<String>, Closed> {
        self.payable(id)?;
        let (intent_id, mut events) = self.confirm_intent(id, now);
        match submit {
            Submit::Accepted => {
                events.extend(self.take_money(&intent_id, now));
                self.close_session(id, SessionStatus::Complete, true);
                events.extend(self.emit_session(now, "checkout.session.completed", id, &Cause::default()));
            }
            Submit::Declined => events.extend(self.decline(&intent_id, now)),
            Submit::Later => {
                if let Some(intent) = self.intents.get_mut(&intent_id) {
                    intent.status = IntentStatus::Processing;
                    intent.last_decline = None;
                }
                events.extend(self.emit_intent(now, "payment_intent.processing", &intent_id));
                self.close_session(id, SessionStatus::Complete, false);
                events.extend(self.emit_session(now, "checkout.session.completed", id, &Cause::default()));
            }
        }
        Ok(events)
    }

    /// A slow payment method says how it ended.
    pub(super) fn settle(&mut self, id: &str, succeeded: bool, now: i64) -> Result<Vec<String>, String> {
        let intent_id = self
            .sessions
            .get(id)
            .and_then(|session| session.payment_intent.clone())
            .ok_or_else(|| format!("no session `{id}` with a payment"))?;
        if self.intents.get(&intent_id).map(|intent| intent.status) != Some(IntentStatus::Processing) {
            return Err(format!("the payment of `{id}` is not under way"));
        }
        let mut events = Vec::new();
        let kind = if succeeded {
            events.extend(self.take_money(&intent_id, now));
            self.close_session(id, SessionStatus::Complete, true);
            "checkout.session.async_payment_succeeded"
        } else {
            events.extend(self.decline(&intent_id, now));
            "checkout.session.async_payment_failed"
        };
        events.extend(self.emit_session(now, kind, id, &Cause::default()));
        Ok(events)
    }

    /// The intent exists from the first submission on, not before.
    fn confirm_intent(&mut self, session_id: &str, now: i64) -> (String, Vec<String>) {
        let session = self.sessions.get_mut(session_id).expect("the caller has looked");
        if let Some(intent) = &session.payment_intent {
            return (intent.clone(), Vec::new());
        }
        let id = format!("pi_3{}", alphanumeric(23));
        session.payment_intent = Some(id.clone());
        let intent = Intent {
            id: id.clone(),
            created: now,
            secret: format!("{id}_secret_{}", alphanumeric(25)),
            session: session.id.clone(),
            amount: session.amount_total(),
            currency: session.currency.clone(),
            status: IntentStatus::RequiresPaymentMethod,
            description: session.intent_description.clone(),
            metadata: session.intent_metadata.clone(),
            receipt_email: session.intent_receipt_email.clone(),
            statement_suffix: session.intent_statement_suffix.clone(),
            payment_method_types: session.payment_method_types.clone(),
            payment_method: None,
            latest_charge: None,
            last_decline: None,
            canceled_at: None,
        };
        self.intents.insert(intent);
        let events = self.emit_intent(now, "payment_intent.created", &id);
        (id, events)
    }

    fn charge(&mut self, intent_id: &str, decline: Option<String>, now: i64) -> String {
        let intent = self.intents.get(intent_id).expect("the caller has looked");
        let email = self
            .sessions
            .get(&intent.session)
            .and_then(|session| session.customer_email.clone())
            .or_else(|| intent.receipt_email.clone());
        let id = format!("ch_3{}", alphanumeric(23));
        let charge = Charge {
            id: id.clone(),
            created: now,
            intent: intent.id.clone(),
            amount: intent.amount,
            amount_refunded: 0,
            currency: intent.currency.clone(),
            description: intent.description.clone(),
            metadata: intent.metadata.clone(),
            email,
            payment_method: format!("pm_1{}", alphanumeric(23)),
            balance_transaction: decline.is_none().then(|| format!("txn_3{}", alphanumeric(23))),
            decline,
            disputed: false,
        };
        self.charges.insert(charge);
        id
    }

    fn take_money(&mut self, intent_id: &str, now: i64) -> Vec<String> {
        let charge_id = self.charge(intent_id, None, now);
        let charge = self.charges.get(&charge_id).expect("just inserted");
        let (method, object) = (charge.payment_method.clone(), charge.object());
        let intent = self.intents.get_mut(intent_id).expect("the caller has looked");
        intent.status = IntentStatus::Succeeded;
        intent.latest_charge = Some(charge_id);
        intent.payment_method = Some(method);
        intent.last_decline = None;
        let mut events = vec![self.emit(now, "charge.succeeded", object, None, &Cause::default())];
        events.extend(self.emit_intent(now, "payment_intent.succeeded", intent_id));
        events
    }

    fn decline(&mut self, intent_id: &str, now: i64) -> Vec<String> {
        let code = "generic_decline".to_owned();
        let charge_id = self.charge(intent_id, Some(code.clone()), now);
        let object = self.charges.get(&charge_id).expect("just inserted").object();
        let intent = self.intents.get_mut(intent_id).expect("the caller has looked");
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.latest_charge = Some(charge_id);
        intent.last_decline = Some(code);
        let mut events = vec![self.emit(now, "charge.failed", object, None, &Cause::default())];
        events.extend(self.emit_intent(now, "payment_intent.payment_failed", intent_id));
        events
    }

    fn close_session(&mut self, id: &str, status: SessionStatus, paid: bool) {
        if let Some(session) = self.sessions.get_mut(id) {
            session.status = status;
            session.paid = paid;
        }
    }

    /// Closes an open session for good; nobody can pay it afterwards.
    pub(super) fn expire(&mut self, id: &str, now: i64, cause: &Cause) -> Result<Vec<String>, Closed> {
        self.payable(id)?;
        self.close_session(id, SessionStatus::Expired, false);
        let mut events = Vec::new();
        if let Some(intent_id) = self.sessions.get(id).and_then(|session| session.payment_intent.clone()) {
            if let Some(intent) = self.intents.get_mut(&intent_id) {
                intent.status = IntentStatus::Canceled;
                intent.canceled_at = Some(now);
            }
            events.extend(self.emit_intent(now, "payment_intent.canceled", &intent_id));
        }
        events.extend(self.emit_session(now, "checkout.session.expired", id, cause));
        Ok(events)
    }

    /// Expires every session whose time is over.
    pub(super) fn expire_due(&mut self, now: i64) -> Vec<String> {
        let due: Vec<String> = self
            .sessions
            .iter()
            .filter(|session| session.status == SessionStatus::Open && session.expires_at <= now)
            .map(|session| session.id.clone())
            .collect();
        due.iter().flat_map(|id| self.expire(id, now, &Cause::default()).unwrap_or_default()).collect()
    }

    /// Gives money back.
    pub(super) fn refund(
        &mut self,
        new: NewRefund,
        status: RefundStatus,
        now: i64,
        cause: &Cause,
    ) -> Result<(String, Vec<String>), ApiError> {
        let charge_id = self.refundable_charge(&new)?;
        let charge = self.charges.get_mut(&charge_id).expect("just found");
        let left = charge.amount - charge.amount_refunded;
        if left == 0 {
            return Err(ApiError::refused(format!("Charge {charge_id} has already been refunded."))
                .code("charge_already_refunded"));
        }
        if charge.disputed {
            return Err(ApiError::refused(format!("Charge {charge_id} has been charged back; cannot issue a refund."))
                .code("charge_disputed"));
        }
        let amount = new.amount.unwrap_or(left);
        if amount > left {
            return Err(ApiError::refused(format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money(amount, &charge.currency),
                money(left, &charge.currency)
            ))
            .param("amount"));
        }
        let before = json!({"amount_refunded": charge.amount_refunded, "refunded": false});
        charge.amount_refunded += amount;
        let id = format!("re_3{}", alphanumeric(23));
        let refund = Refund {
            id: id.clone(),
            created: now,
            charge: charge_id.clone(),
            intent: charge.intent.clone(),
            amount,
            currency: charge.currency.clone(),
            reason: new.reason,
            metadata: new.metadata,
            status,
            failure_reason: None,
            balance_transaction: format!("txn_3{}", alphanumeric(23)),
        };
        let (charge_object, refund_object) = (charge.object(), refund.object());
        self.refunds.insert(refund);
        let mut events = vec![
            self.emit(now, "refund.created", refund_object.clone(), None, cause),
            self.emit(now, "charge.refunded", charge_object, Some(before), cause),
        ];
        if status == RefundStatus::Succeeded {
            events.extend(self.emit_refund_updates(&id, now, cause));
        }
        Ok((id, events))
    }

    fn refundable_charge(&self, new: &NewRefund) -> Result<String, ApiError> {
        if let Some(id) = &new.charge {
            return match self.charges.get(id) {
                Some(charge) if charge.succeeded() => Ok(id.clone()),
                Some(_) => Err(ApiError::refused(format!("Charge {id} is not refundable: it failed."))),
                None => {
                    Err(ApiError::invalid(format!("No such charge: '{id}'")).code("resource_missing").param("charge"))
                }
            };
        }
        let id = new.intent.as_deref().unwrap_or_default();
        let intent = self.intents.get(id).ok_or_else(|| {
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

    fn emit_refund_updates(&mut self, id: &str, now: i64, cause: &Cause) -> Vec<String> {
        let Some(object) = self.refunds.get(id).map(Refund::object) else { return Vec::new() };
        let previous = Some(json!({"status": "pending"}));
        vec![
            self.emit(now, "refund.updated", object.clone(), previous.clone(), cause),
            self.emit(now, "charge.refund.updated", object, previous, cause),
        ]
    }

    /// The bank takes a pending refund.
    pub(super) fn complete_refund(&mut self, id: &str, now: i64) -> Result<Vec<String>, String> {
        let refund = self.refunds.get_mut(id).ok_or_else(|| format!("no refund `{id}`"))?;
        if refund.status != RefundStatus::Pending {
            return Err(format!("refund `{id}` is not pending"));
        }
        refund.status = RefundStatus::Succeeded;
        Ok(self.emit_refund_updates(id, now, &Cause::default()))
    }

    /// The bank sends a refund back: the money returns to the account, and the charge is no longer refunded.
    pub(super) fn fail_refund(&mut self, id: &str, reason: &str, now: i64) -> Result<Vec<String>, String> {
        let refund = self.refunds.get_mut(id).ok_or_else(|| format!("no refund `{id}`"))?;
        if refund.status == RefundStatus::Failed {
            return Err(format!("refund `{id}` has failed already"));
        }
        refund.status = RefundStatus::Failed;
        refund.failure_reason = Some(reason.to_owned());
        let (amount, charge_id, object) = (refund.amount, refund.charge.clone(), refund.object());
        if let Some(charge) = self.charges.get_mut(&charge_id) {
            charge.amount_refunded -= amount;
        }
        let cause = Cause::default();
        let mut events = vec![self.emit(now, "refund.failed", object, None, &cause)];
        events.extend(self.emit_refund_updates(id, now, &cause));
        Ok(events)
    }

    /// The cardholder disputes a payment, named by its intent or its charge.
    pub(super) fn open_dispute(
        &mut self,
        payment: &str,
        reason: &str,
        now: i64,
    ) -> Result<(String, Vec<String>), String> {
        let charge_id = self
            .intents
            .get(payment)
            .and_then(|intent| intent.latest_charge.clone())
            .unwrap_or_else(|| payment.to_owned());
        let charge = self.charges.get_mut(&charge_id).ok_or_else(|| format!("no payment `{payment}`"))?;
        if !charge.succeeded() || charge.disputed {
            return Err(format!("charge `{charge_id}` cannot be disputed"));
        }
        charge.disputed = true;
        let dispute = Dispute {
            id: format!("du_1{}", alphanumeric(23)),
            created: now,
            charge: charge_id,
            intent: charge.intent.clone(),
            amount: charge.amount - charge.amount_refunded,
            currency: charge.currency.clone(),
            reason: reason.to_owned(),
            status: "needs_response".to_owned(),
            metadata: BTreeMap::new(),
        };
        let (id, object) = (dispute.id.clone(), dispute.object());
        self.disputes.insert(dispute);
        let cause = Cause::default();
        let events = vec![
            self.emit(now, "charge.dispute.created", object.clone(), None, &cause),
            self.emit(now, "charge.dispute.funds_withdrawn", object, None, &cause),
        ];
        Ok((id, events))
    }

    /// The bank decides.
    pub(super) fn close_dispute(&mut self, id: &str, won: bool, now: i64) -> Result<Vec<String>, String> {
        let dispute = self.disputes.get_mut(id).ok_or_else(|| format!("no dispute `{id}`"))?;
        if !dispute.is_open() {
            return Err(format!("dispute `{id}` is closed already"));
        }
        dispute.status = if won { "won" } else { "lost" }.to_owned();
        let (charge_id, object) = (dispute.charge.clone(), dispute.object());
        let cause = Cause::default();
        let mut events = vec![self.emit(now, "charge.dispute.closed", object.clone(), None, &cause)];
        if won {
            if let Some(charge) = self.charges.get_mut(&charge_id) {
                charge.disputed = false;
            }
            events.push(self.emit(now, "charge.dispute.funds_reinstated", object, None, &cause));
        }
        Ok(events)
    }

    /// Stripe keeps an idempotency key for 24 hours.
    pub(super) fn prune_keys(&mut self, now: i64) {
        self.keys.retain(|_, answer| now - answer.created < 86_400);
    }
}

/// An amount as Stripe writes it in messages.
pub(super) fn money(cents: i64, currency: &str) -> String {
    let sign = match currency {
        "eur" => "€",
        "gbp" => "£",
        "usd" => "$",
        _ => "",
    };
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}
