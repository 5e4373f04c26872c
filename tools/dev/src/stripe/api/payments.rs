//! Payment intents and charges: made by Checkout, and only shown here.

use super::call::Outcome;
use super::expand::{expand_all, retrieve};
use super::lists::list;
use super::routes::{Ask, Route};
use crate::stripe::objects::{Charge, Intent};
use crate::stripe::params::Params;
use crate::stripe::requests;

pub(super) fn intents(ask: &Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("GET", []) => list_intents(ask, params),
        ("GET", [id]) => retrieve(ask, &ask.ledger.intents, id, ("payment_intent", "intent"), Intent::object, params),
        _ => Err(ask.unknown_url()),
    }
}

fn list_intents(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&["customer", "customer_account"])?;
    let mut object = list(
        &ask.ledger.intents,
        (ask.account(), &page),
        "/v1/payment_intents",
        |intent| created.holds(intent.created),
        Intent::object,
    )?;
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

pub(super) fn charges(ask: &Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("GET", []) => list_charges(ask, params),
        ("GET", [id]) => retrieve(ask, &ask.ledger.charges, id, ("charge", "id"), Charge::object, params),
        _ => Err(ask.unknown_url()),
    }
}

fn list_charges(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let intent = params.text("payment_intent")?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&["customer", "transfer_group"])?;
    let mut object = list(
        &ask.ledger.charges,
        (ask.account(), &page),
        "/v1/charges",
        |charge| intent.as_ref().is_none_or(|wanted| charge.intent == *wanted) && created.holds(charge.created),
        Charge::object,
    )?;
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}
