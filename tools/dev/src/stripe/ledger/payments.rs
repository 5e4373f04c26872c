//! How a session is paid, declined, or expires.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Cause, Ledger, News};
use crate::stand_in::alphanumeric;
use crate::stripe::objects::{Charge, Intent, IntentStatus, LineItem, MovementKind, Session, SessionStatus};

/// How the payer submits the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::stripe) enum Submit {
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
pub(in crate::stripe) struct NewSession {
    pub(in crate::stripe) account: Option<String>,
    pub(in crate::stripe) expires_at: i64,
    pub(in crate::stripe) currency: String,
    pub(in crate::stripe) line_items: Vec<LineItem>,
    pub(in crate::stripe) customer_email: Option<String>,
    pub(in crate::stripe) client_reference_id: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) success_url: String,
    pub(in crate::stripe) cancel_url: Option<String>,
    pub(in crate::stripe) payment_method_types: Vec<String>,
    pub(in crate::stripe) intent_metadata: BTreeMap<String, String>,
    pub(in crate::stripe) intent_description: Option<String>,
    pub(in crate::stripe) intent_receipt_email: Option<String>,
    pub(in crate::stripe) intent_statement_suffix: Option<String>,
    pub(in crate::stripe) echo: Map<String, Value>,
}

impl Ledger {
    fn emit_session(&mut self, now: i64, kind: &'static str, id: &str, cause: &Cause) -> Vec<String> {
        let Some(session) = self.sessions.get(id) else { return Vec::new() };
        let (account, object) = (session.account.clone(), session.object(&self.base_url));
        vec![self.emit(News { kind, account, object, previous: None }, now, cause)]
    }

    fn emit_intent(&mut self, now: i64, kind: &'static str, id: &str) -> Vec<String> {
        let Some(intent) = self.intents.get(id) else { return Vec::new() };
        let (account, object) = (intent.account.clone(), intent.object());
        vec![self.emit(News { kind, account, object, previous: None }, now, &Cause::default())]
    }

    fn emit_charge(&mut self, now: i64, kind: &'static str, id: &str) -> Vec<String> {
        let Some(charge) = self.charges.get(id) else { return Vec::new() };
        let (account, object) = (charge.account.clone(), charge.object());
        vec![self.emit(News { kind, account, object, previous: None }, now, &Cause::default())]
    }

    pub(in crate::stripe) fn open_session(&mut self, new: NewSession, now: i64) -> String {
        let id = format!("cs_test_a1{}", alphanumeric(58));
        self.sessions.insert(Session {
            id: id.clone(),
            account: new.account,
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
    pub(in crate::stripe) fn payable(&self, id: &str) -> Result<&Session, Closed> {
        let session = self.sessions.get(id).ok_or(Closed::Unknown)?;
        match session.status {
            SessionStatus::Open => Ok(session),
            SessionStatus::Complete => Err(Closed::Complete),
            SessionStatus::Expired => Err(Closed::Expired),
        }
    }

    /// The payer submits the pay page.
    pub(in crate::stripe) fn submit(&mut self, id: &str, submit: Submit, now: i64) -> Result<Vec<String>, Closed> {
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
    pub(in crate::stripe) fn settle(&mut self, id: &str, succeeded: bool, now: i64) -> Result<Vec<String>, String> {
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
            account: session.account.clone(),
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
            account: intent.account.clone(),
            created: now,
            intent: intent.id.clone(),
            amount: intent.amount,
            amount_refunded: 0,
            currency: intent.currency.clone(),
            description: intent.description.clone(),
            metadata: intent.metadata.clone(),
            email,
            payment_method: format!("pm_1{}", alphanumeric(23)),
            balance_transaction: None,
            decline,
            disputed: false,
        };
        self.charges.insert(charge);
        id
    }

    fn take_money(&mut self, intent_id: &str, now: i64) -> Vec<String> {
        let charge_id = self.charge(intent_id, None, now);
        let amount = self.charges.get(&charge_id).map_or(0, |charge| charge.amount);
        let movement = self.record(MovementKind::Charge, amount, &charge_id, &charge_id, now);
        let charge = self.charges.get_mut(&charge_id).expect("just inserted");
        charge.balance_transaction = Some(movement);
        let method = charge.payment_method.clone();
        let intent = self.intents.get_mut(intent_id).expect("the caller has looked");
        intent.status = IntentStatus::Succeeded;
        intent.latest_charge = Some(charge_id.clone());
        intent.payment_method = Some(method);
        intent.last_decline = None;
        let mut events = self.emit_charge(now, "charge.succeeded", &charge_id);
        events.extend(self.emit_intent(now, "payment_intent.succeeded", intent_id));
        events
    }

    fn decline(&mut self, intent_id: &str, now: i64) -> Vec<String> {
        let code = "generic_decline".to_owned();
        let charge_id = self.charge(intent_id, Some(code.clone()), now);
        let intent = self.intents.get_mut(intent_id).expect("the caller has looked");
        intent.status = IntentStatus::RequiresPaymentMethod;
        intent.latest_charge = Some(charge_id.clone());
        intent.last_decline = Some(code);
        let mut events = self.emit_charge(now, "charge.failed", &charge_id);
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
    pub(in crate::stripe) fn expire(&mut self, id: &str, now: i64, cause: &Cause) -> Result<Vec<String>, Closed> {
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
    pub(in crate::stripe) fn expire_due(&mut self, now: i64) -> Vec<String> {
        let due: Vec<String> = self
            .sessions
            .iter()
            .filter(|session| session.status == SessionStatus::Open && session.expires_at <= now)
            .map(|session| session.id.clone())
            .collect();
        due.iter().flat_map(|id| self.expire(id, now, &Cause::default()).unwrap_or_default()).collect()
    }
}
