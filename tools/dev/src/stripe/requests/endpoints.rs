//! What is asked about webhook endpoints.

use std::collections::BTreeMap;

use crate::stripe::error::ApiError;
use crate::stripe::params::{Params, missing};

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
    let url = params.url("url")?.ok_or_else(|| missing("url"))?;
    let enabled_events = params.texts("enabled_events")?;
    if enabled_events.is_empty() {
        return Err(missing("enabled_events"));
    }
    let api_version = params.text("api_version")?;
    let description = params.text("description")?;
    let metadata = params.metadata()?;
    let connect = params.boolean("connect")?.unwrap_or_default();
    params.finish(&["expand"])?;
    Ok(NewEndpoint { url, enabled_events, api_version, description, metadata, connect })
}
