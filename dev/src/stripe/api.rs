//! The `/v1` API: authentication, idempotency keys as API v1 keeps them, routing, lists and expansions.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::error::ApiError;
use super::ledger::{Cause, Closed, Ledger, StoredAnswer};
use super::objects::{API_VERSION, Charge, Dispute, Endpoint, Intent, Keyed, Refund, RefundStatus, Table};
use super::params::Params;
use super::requests::{self, Page};
use super::service::Inner;
use super::switches::RefundMode;
use crate::machine::lock;
use crate::stand_in::{self, AfterWrite, Answered, Api, Down, Service, Troubles, alphanumeric};

/// A call of Stripe's.
struct Call {
    call: stand_in::Call,
    request_id: String,
}

impl Deref for Call {
    type Target = stand_in::Call;

    fn deref(&self) -> &stand_in::Call {
        &self.call
    }
}

impl Call {
    fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    /// Whether the request speaks 2026-09-30.endive or later; without a header it speaks the account's version.
    fn is_endive(&self) -> bool {
        self.header("stripe-version").unwrap_or(API_VERSION).get(..10).is_some_and(|date| date >= "2026-09-30")
    }

    fn fingerprint(&self) -> String {
        let mut pairs = self.pairs.clone();
        pairs.sort();
        format!("{} {}\n{}", self.method, self.path, serde_json::to_string(&pairs).unwrap_or_default())
    }
}

/// What the caller gets.
struct Answer {
    status: u16,
    body: Value,
    replay_of: Option<String>,
    lost: bool,
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, body: error.body(), replay_of: None, lost: false }
    }
}

impl Api for Inner {
    const HAS_FORMS: bool = true;

    fn too_large() -> Response {
        ApiError::invalid("Request body too large").into_response()
    }

    async fn answer(self: &Arc<Self>, call: stand_in::Call, troubles: &Troubles) -> Answered {
        let call = Call { call, request_id: format!("req_{}", alphanumeric(14)) };
        let answer = match troubles.down {
            Some(Down::InternalError) => ApiError::down(500).into(),
            Some(_) => ApiError::down(503).into(),
            None if troubles.rate_limited => ApiError::rate_limited().into(),
            None => answer(self, &call, troubles.slow_ms).await,
        };
        let lost = answer.lost;
        Answered { response: respond(&call, answer), lost }
    }
}

fn respond(call: &Call, answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(answer.body)).into_response();
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("request-id", &call.request_id);
    set("stripe-version", call.header("stripe-version").unwrap_or(API_VERSION));
    if let Some(key) = call.header("idempotency-key") {
        set("idempotency-key", key);
    }
    if let Some(original) = &answer.replay_of {
        set("idempotent-replayed", "true");
        set("original-request", original);
    }
    if answer.status == 401 {
        set("www-authenticate", "Basic realm=\"Stripe\"");
    }
    if answer.status == 409 {
        set("stripe-should-retry", "true");
    }
    response
}

/// Frees an idempotency key when its request is over, however it ended.
struct KeyGuard<'a> {
    inner: &'a Inner,
    key: Option<String>,
}

impl Drop for KeyGuard<'_> {
    fn drop(&mut self) {
        if let Some(key) = &self.key {
            lock(&self.inner.keys_in_use).remove(key);
        }
    }
}

async fn answer(inner: &Arc<Inner>, call: &Call, slow_ms: u64) -> Answer {
    let mut guard = KeyGuard { inner, key: None };
    let answer = match begin(inner, call, &mut guard) {
        Ok(Some(replayed)) => replayed,
        Ok(None) => execute(inner, call),
        Err(error) => error.into(),
    };
    if slow_ms > 0 {
        tokio::time::sleep(Duration::from_millis(slow_ms)).await;
    }
    answer
}

/// Who asks, and whether the key has an answer already.
fn begin(inner: &Inner, call: &Call, guard: &mut KeyGuard<'_>) -> Result<Option<Answer>, ApiError> {
    authenticate(inner, call)?;
    if let Some(version) = call.header("stripe-version")
        && !is_version(version)
    {
        return Err(ApiError::invalid(format!("Invalid Stripe API version: {version}")));
    }
    if let Some(account) = call.header("stripe-account") {
        return Err(ApiError::forbidden(format!(
            "The provided key does not have access to account '{account}' (or that account does not exist). \
             Application access may have been revoked."
        ))
        .code("account_invalid"));
    }
    if call.is_write() && !call.body.is_empty() {
        let form = call
            .header("content-type")
            .is_some_and(|kind| kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        if !form {
            return Err(ApiError::invalid(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have \
                 any questions, we can help at https://support.stripe.com/.",
            ));
        }
    }
    let Some(key) = call.header("idempotency-key").filter(|_| call.method == Method::POST) else { return Ok(None) };
    if key.is_empty() || key.len() > 255 {
        return Err(ApiError::idempotency("Idempotency keys must have between 1 and 255 characters."));
    }
    if !lock(&inner.keys_in_use).insert(key.to_owned()) {
        return Err(ApiError::key_in_use(key));
    }
    guard.key = Some(key.to_owned());
    let mut ledger = inner.ledger();
    ledger.prune_keys(inner.base.clock.now_unix());
    match ledger.keys.get(key) {
        None => Ok(None),
        Some(stored) if stored.fingerprint != call.fingerprint() => Err(ApiError::idempotency(format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using \
             a key other than '{key}' if you meant to execute a different request."
        ))),
        Some(stored) => Ok(Some(Answer {
            status: stored.status,
            body: stored.body.clone(),
            replay_of: Some(stored.request_id.clone()),
            lost: false,
        })),
    }
}

fn authenticate(inner: &Inner, call: &Call) -> Result<(), ApiError> {
    let key = call.header("authorization").and_then(|header| {
        if let Some(key) = header.strip_prefix("Bearer ") {
            return Some(key.trim().to_owned());
        }
        let basic = base64::engine::general_purpose::STANDARD.decode(header.strip_prefix("Basic ")?.trim()).ok()?;
        let (user, _) = std::str::from_utf8(&basic).ok()?.split_once(':')?;
        Some(user.to_owned())
    });
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Err(ApiError::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for \
             details, or we can help at https://support.stripe.com/.",
        ));
    };
    if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
        tracing::error!("a live Stripe key was sent to the stand-in: roll that key");
        return Err(ApiError::unauthorized(
            "This is a stand-in: it refuses live keys. A live key does not belong here.",
        ));
    }
    if key != inner.secret_key {
        let end: String = key.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
        return Err(ApiError::unauthorized(format!(
            "Invalid API Key provided: {}***{end}",
            key.get(..8).unwrap_or_default()
        )));
    }
    Ok(())
}

/// `2022-11-15`, or with a release name `2026-09-30.endive`.
fn is_version(version: &str) -> bool {
    let (date, name) = version.split_once('.').unwrap_or((version, "endive"));
    date.parse::<jiff::civil::Date>().is_ok()
        && !name.is_empty()
        && name.chars().all(|letter| letter.is_ascii_lowercase())
}

/// Runs the request and keeps its answer for the key.
fn execute(inner: &Arc<Inner>, call: &Call) -> Answer {
    let now = inner.base.clock.now_unix();
    let key = call.header("idempotency-key").filter(|_| call.method == Method::POST);
    let cause = Cause { request_id: Some(call.request_id.clone()), idempotency_key: key.map(str::to_owned) };
    let mut ledger = inner.ledger();
    let due = ledger.expire_due(now);
    let result = route(inner, &mut ledger, call, now, &cause);
    let (mut answer, executed, events) = match result {
        Ok((body, events)) => (Answer { status: 200, body, replay_of: None, lost: false }, true, events),
        Err(error) => {
            let executed = error.executed;
            (error.into(), executed, Vec::new())
        }
    };
    if call.is_write() && answer.status == 200 {
        match lock(&inner.base.switches).api.take_after_write() {
            AfterWrite::Answer => {}
            AfterWrite::Fail => answer = ApiError::failed_after_executing().into(),
            AfterWrite::Lose => answer.lost = true,
        }
    }
    if let (Some(key), true) = (key, executed) {
        let stored = StoredAnswer {
            fingerprint: call.fingerprint(),
            status: answer.status,
            body: answer.body.clone(),
            request_id: call.request_id.clone(),
            created: now,
        };
        ledger.keys.insert(key.to_owned(), stored);
    }
    drop(ledger);
    if call.is_write() || !due.is_empty() {
        inner.changed();
    }
    inner.deliver_all(&due);
    inner.deliver_all(&events);
    answer
}

type Outcome = Result<(Value, Vec<String>), ApiError>;

fn route(inner: &Arc<Inner>, ledger: &mut Ledger, call: &Call, now: i64, cause: &Cause) -> Outcome {
    let mut params = Params::from_pairs(&call.pairs)?;
    let path: Vec<&str> = call.path.trim_matches('/').split('/').skip(1).collect();
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match path.as_slice() {
        ["checkout", "sessions"] if post => create_session(inner, ledger, params, now, call.is_endive()),
        ["checkout", "sessions"] if get => list_sessions(ledger, params),
        ["checkout", "sessions", id] if get => {
            let session =
                ledger.sessions.get(id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))?;
            let object = session.object(&ledger.base_url);
            Ok((show(ledger, object, params)?, Vec::new()))
        }
        ["checkout", "sessions", id, "line_items"] if get => {
            requests::page(&mut params)?;
            let session =
                ledger.sessions.get(id).ok_or_else(|| ApiError::missing("checkout.session", id, "session"))?;
            let object = session.line_items_list();
            Ok((show(ledger, object, params)?, Vec::new()))
        }
        ["checkout", "sessions", id, "expire"] if post => {
            let expand = params.texts("expand")?;
            params.finish(&[])?;
            let events = ledger.expire(id, now, cause).map_err(|closed| not_expirable(id, closed))?;
            let mut object =
                ledger.sessions.get(id).map(|session| session.object(&ledger.base_url)).unwrap_or_default();
            expand_all(ledger, &mut object, &expand)?;
            Ok((object, events))
        }
        ["payment_intents", id] if get => {
            retrieve(ledger, &ledger.intents, id, ("payment_intent", "intent"), Intent::object, params)
        }
        ["payment_intents"] if get => list_intents(ledger, params),
        ["charges", id] if get => retrieve(ledger, &ledger.charges, id, ("charge", "id"), Charge::object, params),
        ["disputes", id] if get => retrieve(ledger, &ledger.disputes, id, ("dispute", "id"), Dispute::object, params),
        ["refunds", id] if get => retrieve(ledger, &ledger.refunds, id, ("refund", "id"), Refund::object, params),
        ["refunds"] if post => create_refund(inner, ledger, params, now, cause),
        ["refunds"] if get => list_refunds(ledger, params),
        ["events"] if get => list_events(inner, ledger, params, now),
        ["events", id] if get => {
            retrieve(ledger, &ledger.events, id, ("event", "id"), |event| event.object(API_VERSION), params)
        }
        ["webhook_endpoints"] if get => {
            let page = requests::page(&mut params)?;
            params.finish(&["expand"])?;
            let list =
                list(&ledger.endpoints, &page, "/v1/webhook_endpoints", |_| true, |endpoint| endpoint.object(false))?;
            Ok((list, Vec::new()))
        }
        ["webhook_endpoints"] if post => create_endpoint(ledger, params, now),
        ["webhook_endpoints", id] if get => retrieve(
            ledger,
            &ledger.endpoints,
            id,
            ("webhook endpoint", "id"),
            |endpoint| endpoint.object(false),
            params,
        ),
        ["webhook_endpoints", id] if call.method == Method::DELETE => {
            ledger.endpoints.remove(id).ok_or_else(|| ApiError::missing("webhook endpoint", id, "id"))?;
            Ok((json!({"id": id, "object": "webhook_endpoint", "deleted": true}), Vec::new()))
        }
        _ => Err(ApiError::unknown_url(call.method.as_str(), &call.path)),
    }
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

fn create_session(inner: &Inner, ledger: &mut Ledger, mut params: Params, now: i64, endive: bool) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_session(&mut params, now, endive)?;
    requests::finish_session(params)?;
    if let Some(told) = lock(&inner.base.switches).take_create_failure() {
        return Err(ApiError::told(told.status, told.code, told.message));
    }
    let id = ledger.open_session(new, now);
    let mut object = ledger.sessions.get(&id).map(|session| session.object(&ledger.base_url)).unwrap_or_default();
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

fn create_refund(inner: &Arc<Inner>, ledger: &mut Ledger, mut params: Params, now: i64, cause: &Cause) -> Outcome {
    let expand = params.texts("expand")?;
    let new = requests::new_refund(&mut params)?;
    requests::finish_refund(params)?;
    let mode = lock(&inner.base.switches).refunds;
    let status = if mode == RefundMode::Succeed { RefundStatus::Succeeded } else { RefundStatus::Pending };
    let (id, events) = ledger.refund(new, status, now, cause)?;
    if mode == RefundMode::FailLater {
        inner.fail_refund_later(&id);
    }
    let mut object = ledger.refunds.get(&id).map(Refund::object).unwrap_or_default();
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, events))
}

fn create_endpoint(ledger: &mut Ledger, params: Params, now: i64) -> Outcome {
    let new = requests::new_endpoint(params)?;
    let endpoint = Endpoint {
        id: format!("we_1{}", alphanumeric(23)),
        created: now,
        url: new.url,
        secret: format!("whsec_{}", alphanumeric(32)),
        enabled_events: new.enabled_events,
        api_version: new.api_version,
        description: new.description,
        metadata: new.metadata,
    };
    let object = endpoint.object(true);
    ledger.endpoints.insert(endpoint);
    Ok((object, Vec::new()))
}

fn list_sessions(ledger: &Ledger, mut params: Params) -> Outcome {
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

fn list_intents(ledger: &Ledger, mut params: Params) -> Outcome {
    let page = requests::page(&mut params)?;
    let created = requests::created(&mut params)?;
    let expand = params.texts("expand")?;
    params.finish(&["customer"])?;
    let mut object =
        list(&ledger.intents, &page, "/v1/payment_intents", |intent| created.holds(intent.created), Intent::object)?;
    expand_all(ledger, &mut object, &expand)?;
    Ok((object, Vec::new()))
}

fn list_refunds(ledger: &Ledger, mut params: Params) -> Outcome {
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

fn list_events(inner: &Inner, ledger: &Ledger, mut params: Params, now: i64) -> Outcome {
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

fn retrieve<T: Keyed>(
    ledger: &Ledger,
    table: &Table<T>,
    id: &str,
    (object, param): (&str, &str),
    render: impl Fn(&T) -> Value,
    params: Params,
) -> Outcome {
    let row = table.get(id).ok_or_else(|| ApiError::missing(object, id, param))?;
    Ok((show(ledger, render(row), params)?, Vec::new()))
}

fn show(ledger: &Ledger, mut object: Value, mut params: Params) -> Result<Value, ApiError> {
    let expand = params.texts("expand")?;
    params.finish(&["client_secret"])?;
    expand_all(ledger, &mut object, &expand)?;
    Ok(object)
}

fn expand_all(ledger: &Ledger, object: &mut Value, paths: &[String]) -> Result<(), ApiError> {
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
        let lines = ledger.sessions.get(id).map(super::objects::Session::line_items_list).unwrap_or_default();
        object["line_items"] = lines;
        return Ok(());
    }
    if !matches!(*name, "payment_intent" | "latest_charge" | "charge") || object.get(*name).is_none() {
        return Err(not_expandable(full));
    }
    if let Some(id) = object[*name].as_str() {
        let whole = ledger
            .intents
            .get(id)
            .map(Intent::object)
            .or_else(|| ledger.charges.get(id).map(Charge::object))
            .ok_or_else(|| not_expandable(full))?;
        object[*name] = whole;
    }
    if object[*name].is_null() {
        return Ok(());
    }
    expand_one(ledger, &mut object[*name], rest, full)
}

fn not_expandable(path: &str) -> ApiError {
    ApiError::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
}
