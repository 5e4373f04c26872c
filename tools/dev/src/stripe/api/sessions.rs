//! Checkout Sessions.

use super::call::Outcome;
use super::expand::{expand_all, show};
use super::lists::list;
use super::routes::{Ask, Route};
use crate::machine::lock;
use crate::stripe::error::ApiError;
use crate::stripe::ledger::Closed;
use crate::stripe::objects::Session;
use crate::stripe::params::Params;
use crate::stripe::requests;

pub(super) fn route(ask: &mut Ask<'_>, route: Route<'_>, mut params: Params) -> Outcome {
    match route {
        ("POST", []) => create(ask, params),
        ("GET", []) => list_sessions(ask, params),
        ("GET", [id]) => {
            let object = session(ask, id)?.object(&ask.ledger.base_url);
            Ok((show(ask.ledger, object, params)?, Vec::new()))
        }
        ("GET", [id, "line_items"]) => {
            requests::page(&mut params)?;
            let object = session(ask, id)?.line_items_list();
            Ok((show(ask.ledger, object, params)?, Vec::new()))
        }
        ("POST", [id, "expire"]) => expire(ask, id, params),
        _ => Err(ask.unknown_url()),
    }
}

fn session<'a>(ask: &'a Ask<'_>, id: &str) -> Result<&'a Session, ApiError> {
    ask.ledger.sessions.of(ask.account(), id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))
}

fn create(ask: &mut Ask<'_>, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_session(&mut params, ask.account(), ask.now, ask.call.is_endive())?;
    requests::finish_session(params)?;
    if let Some(told) = lock(&ask.inner.base.switches).take_create_failure() {
        return Err(ApiError::told(told.status, told.code, told.message));
    }
    let id = ask.ledger.open_session(new, ask.now);
    let mut object = session(ask, &id)?.object(&ask.ledger.base_url);
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

fn expire(ask: &mut Ask<'_>, id: &str, mut params: Params) -> Outcome {
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    session(ask, id)?;
    let events = ask.ledger.expire(id, ask.now, ask.cause).map_err(|closed| not_expirable(id, closed))?;
    let mut object = session(ask, id)?.object(&ask.ledger.base_url);
    expand_all(ask.ledger, &mut object, &expand)?;
    Ok((object, events))
}

fn not_expirable(id: &str, closed: Closed) -> ApiError {
    let status = match closed {
        Closed::Unknown => return ApiError::missing("checkout.session", id, "session"),
        Closed::Complete => "complete",
        Closed::Expired => "expired",
    };
    ApiError::refused(format!(
        "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of `{status}`."
    ))
}

fn list_sessions(ask: &Ask<'_>, mut params: Params) -> Outcome {
    let ledger = &*ask.ledger;
    let page = requests::page(&mut params)?;
    let intent = params.text("payment_intent")?;
    let status = params.choice("status", &["complete", "expired", "open"])?;
    let created = requests::created(&mut params)?;
    let mut email = None;
    if let Some(mut details) = params.group("customer_details")? {
        email = details.text("email")?;
        details.finish(&[])?;
    }
    let expand = params.texts("expand")?;
    params.finish(&["customer", "customer_account", "payment_link", "subscription"])?;
    let mut object = list(
        &ledger.sessions,
        (ask.account(), &page),
        "/v1/checkout/sessions",
        |session| {
            intent.as_ref().is_none_or(|wanted| session.payment_intent.as_ref() == Some(wanted))
                && status.as_ref().is_none_or(|wanted| session.status.as_str() == wanted)
                && email.as_ref().is_none_or(|wanted| session.customer_email.as_ref() == Some(wanted))
                && created.holds(session.created)
        },
        |session| session.object(&ledger.base_url),
    )?;
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}
