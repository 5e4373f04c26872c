//! The lists of the API, page by page, and which rows each of them takes.

use serde_json::{Value, json};

use super::call::Outcome;
use super::expand::expand_all;
use crate::stripe::error::ApiError;
use crate::stripe::ledger::Ledger;
use crate::stripe::objects::{Intent, Keyed, Refund, Table};
use crate::stripe::params::Params;
use crate::stripe::requests::{self, Page};
use crate::stripe::service::Inner;

pub(super) fn list_sessions(ledger: &Ledger, mut params: Params) -> Outcome {
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
        &page,
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

pub(super) fn list_intents(ledger: &Ledger, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&["customer"])?;
    let mut object =
        list(&ledger.intents, &page, "/v1/payment_intents", |intent| created.holds(intent.created), Intent::object)?;
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

pub(super) fn list_refunds(ledger: &Ledger, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&[])?;
    let mut object = list(
        &ledger.refunds,
        &page,
        "/v1/refunds",
        |refund| {
            intent.as_ref().is_none_or(|wanted| refund.intent == *wanted)
                && charge.as_ref().is_none_or(|wanted| refund.charge == *wanted)
                && created.holds(refund.created)
        },
        Refund::object,
    )?;
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

pub(super) fn list_events(inner: &Inner, ledger: &Ledger, mut params: Params, now: i64) -> Outcome {
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
        &ledger.events,
        &page,
        "/v1/events",
        |event| {
            now - event.created <= KEPT
                && wanted(&event.kind)
                && created.holds(event.created)
                && delivered.is_none_or(|delivered| event.undelivered.is_empty() == delivered)
        },
        |event| event.object(&inner.api_version),
    )?;
    Ok((object, Vec::new()))
}

pub(super) fn list_endpoints(ledger: &Ledger, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    params.finish(&["expand"])?;
    let list = list(&ledger.endpoints, &page, "/v1/webhook_endpoints", |_| true, |endpoint| endpoint.object(false))?;
    Ok((list, Vec::new()))
}

/// One page, the newest first.
fn list<T: Keyed>(
    table: &Table<T>,
    page: &Page,
    url: &str,
    wanted: impl Fn(&T) -> bool,
    render: impl Fn(&T) -> Value,
) -> Result<Value, ApiError> {
    for (name, cursor) in [("starting_after", &page.starting_after), ("ending_before", &page.ending_before)] {
        if let Some(id) = cursor
            && table.get(id).is_none()
        {
            return Err(ApiError::invalid(format!("No such object: '{id}'")).code("resource_missing").param(name));
        }
    }
    let mut rows: Vec<&T> = table.iter().rev().collect();
    if let Some(id) = &page.starting_after {
        let after = rows.iter().position(|row| row.id() == id).map_or(0, |at| at + 1);
        rows.drain(..after);
    }
    let backwards = page.ending_before.is_some();
    if let Some(id) = &page.ending_before {
        let before = rows.iter().position(|row| row.id() == id).unwrap_or(rows.len());
        rows.truncate(before);
    }
    let mut found: Vec<&T> = rows.into_iter().filter(|row| wanted(row)).collect();
    let has_more = found.len() > page.limit;
    if backwards {
        found.drain(..found.len().saturating_sub(page.limit));
    } else {
        found.truncate(page.limit);
    }
    let data: Vec<Value> = found.into_iter().map(render).collect();
    Ok(json!({"object": "list", "data": data, "has_more": has_more, "url": url}))
}
