//! What has happened, as far back as Stripe keeps it.

use super::call::Outcome;
use super::expand::retrieve;
use super::lists::list;
use super::routes::{Ask, Route};
use crate::stripe::error::ApiError;
use crate::stripe::objects::{API_VERSION, Event};
use crate::stripe::params::Params;
use crate::stripe::requests;

pub(super) fn route(ask: &Ask<'_>, route: Route<'_>, params: Params) -> Outcome {
    match route {
        ("GET", []) => list_events(ask, params),
        ("GET", [id]) => {
            let object = |event: &Event| event.object(API_VERSION);
            retrieve(ask, &ask.ledger.events, id, ("event", "id"), object, params)
        }
        _ => Err(ask.unknown_url()),
    }
}

fn list_events(ask: &Ask<'_>, mut params: Params) -> Outcome {
    const KEPT: i64 = 30 * 86_400;
    let page = requests::page(&mut params)?;
    let mut types = params.texts("types")?;
    if types.len() > 20 {
        return Err(ApiError::invalid("You may pass up to 20 event types.").param("types"));
    }
    if let Some(kind) = params.text("type")? {
        if !types.is_empty() {
            return Err(ApiError::invalid("You may only specify one of these parameters: type, types."));
        }
        types.push(kind);
    }
    let created = requests::created(&mut params)?;
    let delivered = params.boolean("delivery_success")?;
    params.finish(&["expand"])?;
    let wanted = |kind: &str| {
        types.is_empty()
            || types.iter().any(|wanted| {
                wanted.strip_suffix(".*").map_or(wanted == kind, |family| {
                    kind.strip_prefix(family).is_some_and(|rest| rest.starts_with('.'))
                })
            })
    };
    let object = list(
        &ask.ledger.events,
        (ask.account(), &page),
        "/v1/events",
        |event| {
            ask.now - event.created <= KEPT
                && wanted(&event.kind)
                && created.holds(event.created)
                && delivered.is_none_or(|delivered| event.undelivered.is_empty() == delivered)
        },
        |event| event.object(&ask.inner.api_version),
    )?;
    Ok((object, Vec::new()))
}
