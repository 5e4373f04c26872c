//! The switches of the local platform over HTTP, for its landing page and for scripts on this machine.
//!
//! None of this exists in production.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::{Condition, Sqs};
use crate::gateway::page as page_of;
use crate::platform::parts::Parts;
use crate::stand_in::{Down, Service, StandIn, refused};
use crate::{calcom, demo, stripe, supabase};

/// What the pages of `/dev` may do: more than the site's, since they are one file each, but nothing from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data: blob:; base-uri 'none'; frame-ancestors 'self'";

pub(crate) fn router(parts: Arc<Parts>) -> Router {
    Router::new()
        .route("/dev", get(landing))
        .route("/dev/status.json", get(status))
        .route("/dev/sweep", post(sweep))
        .route("/dev/clock", post(clock))
        .route("/dev/switches", get(switches).post(set_switches))
        .route("/dev/kill", post(kill))
        .route("/dev/reset", post(reset))
        .route("/dev/{*file}", get(file))
        .with_state(parts)
}

/// Lets through only what comes from this machine's own programs and from our own pages.
///
/// The browser of a developer also visits other sites: those must not read mails or pull switches, whether by a form
/// or by a name that they point at 127.0.0.1.
pub(crate) async fn only_from_here(request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers()) {
        return refused(StatusCode::FORBIDDEN, "This answers only to this machine and to its own pages.");
    }
    let mut response = next.run(request).await;
    for (name, value) in [("content-security-policy", POLICY), ("x-content-type-options", "nosniff")] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (host, origin) = (text(header::HOST), text(header::ORIGIN));
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let cross_site = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    !["127.0.0.1", "localhost", "[::1]"].contains(&name)
        || (!origin.is_empty() && origin != format!("http://{host}"))
        || (cross_site && method != Method::GET)
}

/// The tour, in the look of the site as it is built.
async fn landing(State(parts): State<Arc<Parts>>) -> Response {
    let root = &parts.options.root;
    let page = tokio::fs::read_to_string(root.join("tools/dev/pages/index.html")).await;
    let assets = tokio::fs::read(root.join("frontend/dist/assets.json")).await;
    let assets: Option<Value> = assets.ok().and_then(|assets| serde_json::from_slice(&assets).ok());
    let look = assets.as_ref().and_then(|assets| assets["artist"]["css"][0].as_str());
    match (page, look) {
        (Ok(page), Some(look)) => {
            page_of(StatusCode::OK, "index.html", page.replace("{look of the site}", look).into_bytes())
        }
        _ => refused(StatusCode::NOT_FOUND, "no site: run `make site`"),
    }
}

async fn file(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> Response {
    serve(&parts, &name).await
}

async fn serve(parts: &Parts, name: &str) -> Response {
    let flat = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path: PathBuf = parts.options.root.join("tools/dev/pages").join(name);
    match tokio::fs::read(path).await {
        Ok(content) if flat => page_of(StatusCode::OK, name, content),
        _ => refused(StatusCode::NOT_FOUND, format!("no page {name}")),
    }
}

async fn status(State(parts): State<Arc<Parts>>) -> Json<Value> {
    let functions: Vec<Value> = parts
        .host
        .names()
        .into_iter()
        .map(|name| {
            let (living, started) = parts.host.instances(&name);
            json!({ "name": name, "instances": living, "cold_starts": started })
        })
        .collect();
    let sqs = Sqs::at(parts.amazon.sqs_gate.url());
    let jobs = sqs.depth(&parts.amazon.queues.jobs).await.ok();
    let dead = sqs.depth(&parts.amazon.queues.dead_jobs).await.ok();
    Json(json!({
        "site": parts.site,
        "started": parts.started,
        "clock_shift_seconds": parts.clock(),
        "functions": functions,
        "queue": {
            "waiting": jobs.map(|(waiting, _)| waiting),
            "working": jobs.map(|(_, working)| working),
            "dead": dead.map(|(waiting, working)| waiting + working),
        },
        "mails": parts.amazon.mail_gate.messages().len(),
        "stand_ins": { "stripe": parts.stand_ins.stripe.as_ref().map(stripe::StandIn::url),
            "calcom": parts.stand_ins.calcom.as_ref().map(calcom::StandIn::url),
            "supabase": parts.stand_ins.supabase.as_ref().map(supabase::StandIn::url),
        },
        "accounts": parts.stand_ins.supabase.as_ref().map(|_| [&demo::LEA, &demo::NOA].map(|artist| json!({
            "name": artist.display_name, "email": artist.email, "password": demo::PASSWORD,
        }))),
        "postgres": parts.database.server.as_ref().map(crate::postgres::Postgres::version),
        "switches": positions(&parts).await,
    }))
}

async fn sweep(State(parts): State<Arc<Parts>>) -> Response {
    match parts.schedule.run_now().await {
        Ok(answer) => {
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            Json(json!({ "swept": answer })).into_response()
        }
        Err(error) => refused(StatusCode::BAD_GATEWAY, error),
    }
}

#[derive(Deserialize)]
struct Clock {
    shift_seconds: Option<i64>,
    advance_seconds: Option<i64>,
}

async fn clock(State(parts): State<Arc<Parts>>, Json(change): Json<Clock>) -> Json<Value> {
    let from = change.shift_seconds.unwrap_or_else(|| parts.clock());
    parts.set_clock(from.saturating_add(change.advance_seconds.unwrap_or_default()));
    Json(json!({ "clock_shift_seconds": parts.clock() }))
}

/// The positions of all switches; an absent one stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Switches {
    mail: Option<Condition>,
    queue: Option<Condition>,
    postgres: Option<Condition>,
    stripe: Option<Condition>,
    calendar: Option<Condition>,
    webhooks: Option<Condition>,
    accounts: Option<Condition>,
}

async fn switches(State(parts): State<Arc<Parts>>) -> Json<Value> {
    Json(positions(&parts).await)
}

async fn positions(parts: &Parts) -> Value {
    let postgres = match &parts.database.server {
        Some(server) => Some(if server.is_running().await { Condition::Ok } else { Condition::Down }),
        None => None,
    };
    let mut webhooks = None;
    if let Some(stripe) = &parts.stand_ins.stripe {
        stripe.switch(|switches| {
            webhooks = Some(if switches.drop_webhooks { Condition::Down } else { Condition::Ok });
        });
    }
    json!({
        "mail": parts.amazon.mail_gate.condition(),
        "queue": parts.amazon.sqs_gate.condition(),
        "postgres": postgres,
        "stripe": condition(parts.stand_ins.stripe.as_ref()),
        "calendar": condition(parts.stand_ins.calcom.as_ref()),
        "webhooks": webhooks,
        "accounts": condition(parts.stand_ins.supabase.as_ref()),
    })
}

fn condition<S: Service>(stand_in: Option<&StandIn<S>>) -> Option<Condition> {
    let mut condition = Condition::Ok;
    stand_in?.switch(|switches| {
        condition = match S::troubles(switches) {
            troubles if troubles.down.is_some() => Condition::Down,
            troubles if troubles.slow_ms > 0 => Condition::Slow,
            _ => Condition::Ok,
        };
    });
    Some(condition)
}

fn trouble<S: Service>(stand_in: Option<&StandIn<S>>, wanted: Option<Condition>) {
    let (Some(stand_in), Some(wanted)) = (stand_in, wanted) else { return };
    stand_in.switch(|switches| {
        let troubles = S::troubles(switches);
        troubles.down = (wanted == Condition::Down).then_some(Down::Unavailable);
        troubles.slow_ms = if wanted == Condition::Slow { 4_000 } else { 0 };
    });
}

async fn set_switches(State(parts): State<Arc<Parts>>, Json(wanted): Json<Switches>) -> Response {
    if let Some(mail) = wanted.mail {
        parts.amazon.mail_gate.set(mail);
    }
    if let Some(queue) = wanted.queue {
        parts.amazon.sqs_gate.set(queue);
    }
    trouble(parts.stand_ins.stripe.as_ref(), wanted.stripe);
    trouble(parts.stand_ins.calcom.as_ref(), wanted.calendar);
    trouble(parts.stand_ins.supabase.as_ref(), wanted.accounts);
    if let (Some(stripe), Some(wanted)) = (&parts.stand_ins.stripe, wanted.webhooks) {
        stripe.switch(|switches| switches.drop_webhooks = wanted == Condition::Down);
    }
    if let Some(wanted) = wanted.postgres {
        let Some(server) = &parts.database.server else {
            return refused(StatusCode::CONFLICT, "this database is yours (DATABASE_URL): stop it yourself");
        };
        let switched = match wanted {
            Condition::Down => server.stop().await,
            _ if server.is_running().await => Ok(()),
            _ => server.restart().await,
        };
        if let Err(error) = switched {
            return refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"));
        }
    }
    Json(positions(&parts).await).into_response()
}

#[derive(Deserialize)]
struct Kill {
    function: String,
    /// Kills the instance that gets the next invocation, so long after it got it; without it, all instances now.
    during_next_ms: Option<u64>,
}

async fn kill(State(parts): State<Arc<Parts>>, Json(kill): Json<Kill>) -> Response {
    if !parts.host.names().contains(&kill.function) {
        return refused(StatusCode::NOT_FOUND, format!("no function {}", kill.function));
    }
    match kill.during_next_ms {
        Some(millis) => {
            drop(parts.host.kill_during_next(&kill.function, std::time::Duration::from_millis(millis)));
            Json(json!({ "armed": kill.function })).into_response()
        }
        None => Json(json!({ "killed": parts.host.kill(&kill.function) })).into_response(),
    }
}

async fn reset(State(parts): State<Arc<Parts>>, headers: HeaderMap) -> Response {
    // A bare form from elsewhere cannot send this; a script says it on purpose.
    if !headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send it as application/json.");
    }
    match parts.start_over().await {
        Ok(()) => Json(json!({ "reset": true })).into_response(),
        Err(error) => refused(StatusCode::CONFLICT, format!("{error:#}")),
    }
}
