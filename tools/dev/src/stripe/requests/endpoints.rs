//! What is asked about webhook endpoints.

use std::collections::BTreeMap;

use crate::stripe::error::ApiError;
use crate::stripe::names::{is_event, is_version};
use crate::stripe::objects::Endpoint;
use crate::stripe::params::{Params, missing};

const LONGEST_URL: usize = 5_000;

/// A webhook endpoint as asked for.
pub(in crate::stripe) struct NewEndpoint {
    pub(in crate::stripe) url: String,
    pub(in crate::stripe) enabled_events: Vec<String>,
    pub(in crate::stripe) api_version: Option<String>,
    pub(in crate::stripe) description: Option<String>,
    pub(in crate::stripe) metadata: BTreeMap<String, String>,
    pub(in crate::stripe) connect: bool,
}

/// `POST /v1/webhook_endpoints`.
pub(in crate::stripe) fn new_endpoint(mut params: Params) -> Result<NewEndpoint, ApiError> {
    let url = public_url(&mut params)?.ok_or_else(|| missing("url"))?;
    let enabled_events = events(&mut params)?;
    if enabled_events.is_empty() {
        return Err(missing("enabled_events"));
    }
    let api_version = params.text("api_version")?;
    if let Some(version) = &api_version
        && !is_version(version)
    {
        return Err(ApiError::invalid(format!("Invalid API version: {version}")).param("api_version"));
    }
    let description = params.emptyable("description")?.flatten();
    let metadata = params.metadata()?;
    let connect = params.boolean("connect")?.unwrap_or_default();
    params.finish(&["expand"])?;
    Ok(NewEndpoint { url, enabled_events, api_version, description, metadata, connect })
}

/// `POST /v1/webhook_endpoints/{id}`: what the endpoint becomes. Its version it keeps.
pub(in crate::stripe) fn endpoint_update(mut params: Params, there: &Endpoint) -> Result<Endpoint, ApiError> {
    let mut endpoint = there.clone();
    if let Some(url) = public_url(&mut params)? {
        endpoint.url = url;
    }
    let enabled_events = events(&mut params)?;
    if !enabled_events.is_empty() {
        endpoint.enabled_events = enabled_events;
    }
    if let Some(description) = params.emptyable("description")? {
        endpoint.description = description;
    }
    if let Some(metadata) = params.metadata_over(&there.metadata)? {
        endpoint.metadata = metadata;
    }
    if let Some(disabled) = params.boolean("disabled")? {
        endpoint.disabled = disabled;
        endpoint.failing_since = None;
    }
    params.finish(&["expand"])?;
    Ok(endpoint)
}

/// Stripe speaks to strangers over TLS only; this machine is none.
fn public_url(params: &mut Params) -> Result<Option<String>, ApiError> {
    let url = params.url("url", LONGEST_URL)?;
    if let Some(parsed) = url.as_deref().and_then(|url| reqwest::Url::parse(url).ok())
        && parsed.scheme() != "https"
        && !is_loopback_host(parsed.host_str().unwrap_or_default())
    {
        return Err(ApiError::invalid("Invalid URL: webhook endpoints must use HTTPS.")
            .code("url_invalid")
            .param("url"));
    }
    Ok(url)
}

fn events(params: &mut Params) -> Result<Vec<String>, ApiError> {
    let events = params.texts("enabled_events")?;
    for (at, event) in events.iter().enumerate() {
        if event != "*" && !is_event(event) {
            let full = format!("enabled_events[{at}]");
            return Err(ApiError::invalid(format!("Invalid {full}: there is no event `{event}`")).param(full));
        }
    }
    Ok(events)
}

fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
