//! Webhook endpoints.

use serde_json::json;

use super::call::Outcome;
use super::expand::retrieve;
use super::lists::list;
use super::routes::{Ask, Route};
use crate::stand_in::alphanumeric;
use crate::stripe::error::ApiError;
use crate::stripe::objects::Endpoint;
use crate::stripe::params::Params;
use crate::stripe::requests;

pub(super) fn route(ask: &mut Ask<'_>, route: Route<'_>, mut params: Params) -> Outcome {
    if ask.account().is_some() {
        return Err(ApiError::invalid("The stand-in does not play the webhook endpoints of a connected account.")
            .code("not_played_by_the_stand_in"));
    }
    let shown = |endpoint: &Endpoint| endpoint.object(false);
    match route {
        ("GET", []) => {
            let page = requests::page(&mut params)?;
            params.finish(&["expand"])?;
            let object = list(&ask.ledger.endpoints, (None, &page), "/v1/webhook_endpoints", |_| true, shown)?;
            Ok((object, Vec::new()))
        }
        ("POST", []) => create(ask, params),
        ("GET", [id]) => retrieve(ask, &ask.ledger.endpoints, id, ("webhook endpoint", "id"), shown, params),
        ("POST", [id]) => update(ask, id, params),
        ("DELETE", [id]) => {
            ask.ledger.endpoints.remove(id).ok_or_else(|| ApiError::missing("webhook endpoint", id, "id"))?;
            Ok((json!({"id": id, "object": "webhook_endpoint", "deleted": true}), Vec::new()))
        }
        _ => Err(ask.unknown_url()),
    }
}

fn create(ask: &mut Ask<'_>, params: Params) -> Outcome {
    let new = requests::new_endpoint(params)?;
    let endpoint = Endpoint {
        id: format!("we_1{}", alphanumeric(23)),
        created: ask.now,
        url: new.url,
        secret: format!("whsec_{}", alphanumeric(32)),
        enabled_events: new.enabled_events,
        api_version: new.api_version,
        description: new.description,
        metadata: new.metadata,
        connect: new.connect,
        disabled: false,
        failing_since: None,
    };
    let object = endpoint.object(true);
    ask.ledger.endpoints.insert(endpoint);
    Ok((object, Vec::new()))
}

fn update(ask: &mut Ask<'_>, id: &str, params: Params) -> Outcome {
    let endpoint = ask.ledger.endpoints.get_mut(id).ok_or_else(|| ApiError::missing("webhook endpoint", id, "id"))?;
    *endpoint = requests::endpoint_update(params, endpoint)?;
    Ok((endpoint.object(false), Vec::new()))
}
