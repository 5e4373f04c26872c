//! Disputes: shown, answered, given up.

use serde_json::Value;

use super::call::Outcome;
use super::expand::{expand_all, retrieve};
use super::lists::list;
use super::routes::{Ask, Route};
use crate::stripe::error::ApiError;
use crate::stripe::objects::Dispute;
use crate::stripe::params::Params;
use crate::stripe::requests;

pub(super) fn route(ask: &mut Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("GET", []) => list_disputes(ask, params),
        ("GET", [id]) => {
            let object = |dispute: &Dispute| dispute.object(&ask.ledger.movements);
            retrieve(ask, &ask.ledger.disputes, id, ("dispute", "dispute"), object, params)
        }
        ("POST", [id]) => answer(ask, id, params),
        ("POST", [id, "close"]) => close(ask, id, params),
        _ => Err(ask.unknown_url()),
    }
}

fn dispute<'a>(ask: &'a Ask<'_>, id: &str) -> Result<&'a Dispute, ApiError> {
    ask.ledger.disputes.of(ask.account(), id).ok_or_else(|| ApiError::missing("dispute", id, "dispute"))
}

fn answer(ask: &mut Ask<'_>, id: &str, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    let answer = requests::dispute_answer(&mut params, dispute(ask, id)?)?;
    params.finish(&["intended_submission_method"])?;
    let events = ask.ledger.answer_dispute(id, answer, ask.now, ask.cause)?;
    Ok((shown(ask, id, &expand)?, events))
}

fn close(ask: &mut Ask<'_>, id: &str, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    dispute(ask, id)?;
    let events = ask.ledger.accept_dispute(id, ask.now, ask.cause)?;
    Ok((shown(ask, id, &expand)?, events))
}

fn shown(ask: &Ask<'_>, id: &str, expand: &[String]) -> Result<Value, ApiError> {
    let mut object = dispute(ask, id)?.object(&ask.ledger.movements);
    expand_all(ask.ledger, &mut object, expand)?;
    Ok(object)
}

fn list_disputes(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    let mut object = list(
        &ask.ledger.disputes,
        (ask.account(), &page),
        "/v1/disputes",
        |dispute| {
            intent.as_ref().is_none_or(|wanted| dispute.intent == *wanted)
                && charge.as_ref().is_none_or(|wanted| dispute.charge == *wanted)
                && created.holds(dispute.created)
        },
        |dispute| dispute.object(&ask.ledger.movements),
    )?;
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}
