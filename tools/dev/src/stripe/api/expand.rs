//! One object, with whatever of it is asked for whole.

use serde_json::Value;

use super::call::Outcome;
use super::routes::Ask;
use crate::stripe::error::ApiError;
use crate::stripe::ledger::Ledger;
use crate::stripe::objects::{Charge, Intent, Keyed, Movement, Refund, Session, Table};
use crate::stripe::params::Params;

pub(super) fn retrieve<T: Keyed>(
    ask: &Ask<'_>,
    table: &Table<T>,
    id: &str,
    (object, param): (&str, &str),
    render: impl Fn(&T) -> Value,
    params: Params,
) -> Outcome {
    let row = table.of(ask.account(), id).ok_or_else(|| ApiError::missing(object, id, param))?;
    Ok((show(ask.ledger, render(row), params)?, Vec::new()))
}

pub(super) fn show(ledger: &Ledger, mut object: Value, mut params: Params) -> Result<Value, ApiError> {
    let expand = params.texts("expand")?;
    params.finish(&["client_secret"])?;
    expand_all(ledger, &mut object, &expand)?;
    Ok(object)
}

pub(super) fn expand_all(ledger: &Ledger, object: &mut Value, paths: &[String]) -> Result<(), ApiError> {
    for path in paths {
        let segments: Vec<&str> = path.split('.').collect();
        if segments.len() > 4 {
            return Err(ApiError::invalid("You cannot expand more than 4 levels of a property.").param("expand"));
        }
        if object["object"] == "list" {
            let Some(("data", rest)) = segments.split_first().map(|(first, rest)| (*first, rest)) else {
                return Err(not_expandable(path));
            };
            for row in object["data"].as_array_mut().into_iter().flatten() {
                expand_one(ledger, row, rest, path)?;
            }
        } else {
            expand_one(ledger, object, &segments, path)?;
        }
    }
    Ok(())
}

fn expand_one(ledger: &Ledger, object: &mut Value, path: &[&str], full: &str) -> Result<(), ApiError> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    if object["object"] == "checkout.session" && *name == "line_items" {
        let id = object["id"].as_str().unwrap_or_default();
        let lines = ledger.sessions.get(id).map(Session::line_items_list).unwrap_or_default();
        object["line_items"] = lines;
        return Ok(());
    }
    if !expandable(object["object"].as_str().unwrap_or_default()).contains(name) {
        return Err(not_expandable(full));
    }
    let Some(field) = object.get_mut(*name).filter(|field| !field.is_null()) else { return Ok(()) };
    if let Some(id) = field.as_str() {
        *field = whole(ledger, id).ok_or_else(|| not_expandable(full))?;
    }
    expand_one(ledger, field, rest, full)
}

/// What of an object is an id that can be shown whole.
fn expandable(object: &str) -> &'static [&'static str] {
    match object {
        "checkout.session" => &["payment_intent"],
        "payment_intent" => &["latest_charge"],
        "charge" => &["payment_intent", "balance_transaction", "failure_balance_transaction"],
        "refund" => &["payment_intent", "charge", "balance_transaction", "failure_balance_transaction"],
        "dispute" => &["payment_intent", "charge"],
        "balance_transaction" => &["source"],
        _ => &[],
    }
}

fn whole(ledger: &Ledger, id: &str) -> Option<Value> {
    let charge = || ledger.charges.get(id).map(Charge::object);
    let refund = || ledger.refunds.get(id).map(Refund::object);
    let dispute = || ledger.disputes.get(id).map(|dispute| dispute.object(&ledger.movements));
    let movement = || ledger.movements.get(id).map(Movement::object);
    ledger.intents.get(id).map(Intent::object).or_else(charge).or_else(refund).or_else(dispute).or_else(movement)
}

fn not_expandable(path: &str) -> ApiError {
    ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
}
