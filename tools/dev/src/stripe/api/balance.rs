//! The balance, and each movement of it.

use serde_json::{Value, json};

use super::call::Outcome;
use super::expand::{expand_all, retrieve};
use super::lists::list;
use super::routes::{Ask, Route};
use crate::stripe::error::ApiError;
use crate::stripe::ledger::Balance;
use crate::stripe::names::is_movement_type;
use crate::stripe::objects::Movement;
use crate::stripe::params::Params;
use crate::stripe::requests;

/// What an account without any movement has nothing of.
const DEFAULT_CURRENCY: &str = "eur";

pub(super) fn balance(ask: &Ask<'_>, params: Params) -> Outcome {
    params.finish(&["expand"])?;
    let mut balances = ask.ledger.balance(ask.account());
    if balances.is_empty() {
        balances.insert(DEFAULT_CURRENCY.to_owned(), Balance::default());
    }
    let in_each = |cents: fn(&Balance) -> i64| -> Vec<Value> {
        balances
            .iter()
            .map(|(currency, balance)| {
                json!({"amount": cents(balance), "currency": currency, "source_types": {"card": cents(balance)}})
            })
            .collect()
    };
    let object = json!({
        "object": "balance",
        "available": in_each(|balance| balance.available),
        "livemode": false,
        "pending": in_each(|balance| balance.pending),
        "refund_and_dispute_prefunding": {
            "available": [{"amount": 0, "currency": DEFAULT_CURRENCY}],
            "pending": [{"amount": 0, "currency": DEFAULT_CURRENCY}],
        },
    });
    Ok((object, Vec::new()))
}

pub(super) fn movements(ask: &Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("GET", []) => list_movements(ask, params),
        ("GET", [id]) => {
            retrieve(ask, &ask.ledger.movements, id, ("balance transaction", "id"), Movement::object, params)
        }
        _ => Err(ask.unknown_url()),
    }
}

fn list_movements(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let created = requests::created(&mut params)?;
    let kind = params.text("type")?;
    if let Some(kind) = kind.as_deref().filter(|kind| !is_movement_type(kind)) {
        return Err(ApiError::invalid(format!("Invalid type: there is no balance transaction `{kind}`")).param("type"));
    }
    let source = params.text("source")?;
    let currency = params.text("currency")?;
    if let Some(payout) = params.text("payout")? {
        return Err(ApiError::invalid(format!("No such payout: '{payout}'")).code("resource_missing").param("payout"));
    }
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    let mut object = list(
        &ask.ledger.movements,
        (ask.account(), &page),
        "/v1/balance_transactions",
        |movement| {
            kind.as_ref().is_none_or(|wanted| movement.kind.as_type() == wanted)
                && source.as_ref().is_none_or(|wanted| movement.source == *wanted)
                && currency.as_ref().is_none_or(|wanted| movement.currency == *wanted)
                && created.holds(movement.created)
        },
        Movement::object,
    )?;
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}
