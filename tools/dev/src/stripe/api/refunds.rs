//! Refunds.

use super::call::Outcome;
use super::expand::{expand_all, retrieve};
use super::lists::list;
use super::routes::{Ask, Route};
use crate::machine::lock;
use crate::stripe::error::ApiError;
use crate::stripe::objects::{Refund, RefundStatus};
use crate::stripe::params::Params;
use crate::stripe::requests;
use crate::stripe::switches::RefundMode;

pub(super) fn route(ask: &mut Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("POST", []) => create(ask, params),
        ("GET", []) => list_refunds(ask, params),
        ("GET", [id]) => retrieve(ask, &ask.ledger.refunds, id, ("refund", "id"), Refund::object, params),
        ("POST", [id, "cancel"]) => cancel(ask, id, params),
        _ => Err(ask.unknown_url()),
    }
}

fn create(ask: &mut Ask<'_>, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_refund(&mut params, ask.account())?;
    requests::finish_refund(params)?;
    let (mode, funds) = {
        let switches = lock(&ask.inner.base.switches);
        (switches.refunds, switches.balance)
    };
    let status = match mode {
        RefundMode::Succeed => RefundStatus::Succeeded,
        RefundMode::StayPending | RefundMode::FailLater | RefundMode::CancelLater => RefundStatus::Pending,
        RefundMode::RequiresAction => RefundStatus::RequiresAction,
    };
    let (id, events) = ask.ledger.refund(new, status, funds, ask.now, ask.cause)?;
    let refund = ask.ledger.refunds.get(&id).expect("just made");
    if let (Some(funds), Some(_)) = (funds, &refund.balance_transaction) {
        lock(&ask.inner.base.switches).balance = Some(funds - refund.amount);
    }
    if matches!(mode, RefundMode::FailLater | RefundMode::CancelLater) {
        ask.inner.end_refund_later(&id, mode);
    }
    let mut object = refund.object();
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, events))
}

/// Stripe calls off only what waits for the customer.
fn cancel(ask: &mut Ask<'_>, id: &str, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    let refund = ask.ledger.refunds.of(ask.account(), id).ok_or_else(|| ApiError::missing("refund", id, "refund"))?;
    if refund.status != RefundStatus::RequiresAction {
        return Err(ApiError::refused(format!(
            "This refund has the status `{}`: only refunds with the status `requires_action` can be canceled.",
            refund.status.as_str()
        )));
    }
    let events = ask.ledger.cancel_refund(id, ask.now, ask.cause).map_err(ApiError::refused)?;
    let mut object = ask.ledger.refunds.get(id).map(Refund::object).unwrap_or_default();
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, events))
}

fn list_refunds(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    let mut object = list(
        &ask.ledger.refunds,
        (ask.account(), &page),
        "/v1/refunds",
        |refund| {
            intent.as_ref().is_none_or(|wanted| refund.intent == *wanted)
                && charge.as_ref().is_none_or(|wanted| refund.charge == *wanted)
                && created.holds(refund.created)
        },
        Refund::object,
    )?;
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}
