//! The switches over HTTP, for the landing page and for scripts: JSON in, JSON out.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ledger::{Cause, NewDispute};
use super::objects::{API_VERSION, DisputeStatus, Movement, Refund};
use super::service::{Inner, PRIMARY_ENDPOINT};
use super::switches::Outcome;
use crate::machine::lock;
use crate::stand_in::{done, refused};

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new()
        .route("/", get(overview))
        .route("/webhook", post(webhook))
        .route("/sessions", get(sessions))
        .route("/sessions/{id}/pay", post(pay))
        .route("/sessions/{id}/settle", post(settle))
        .route("/refunds", get(refunds))
        .route("/refunds/{id}/complete", post(complete_refund))
        .route("/refunds/{id}/fail", post(fail_refund))
        .route("/refunds/{id}/cancel", post(cancel_refund))
        .route("/disputes", get(disputes).post(open_dispute))
        .route("/disputes/{id}/move", post(move_dispute))
        .route("/disputes/{id}/close", post(close_dispute))
        .route("/balance_transactions", get(movements))
        .route("/accounts", get(accounts).post(declare_account))
        .route("/events", get(events))
        .route("/events/{id}/deliver", post(deliver))
        .route("/deliveries", get(deliveries))
}

async fn overview(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let (sessions, refunds, events) = {
        let ledger = inner.ledger();
        (ledger.sessions.len(), ledger.refunds.len(), ledger.events.len())
    };
    Json(json!({
        "stand_in": "stripe",
        "api_version": API_VERSION,
        "clock_shift_seconds": inner.base.clock.shift_seconds(),
        "webhook_url": lock(&inner.primary).url,
        "switches": *lock(&inner.base.switches),
        "sessions": sessions,
        "refunds": refunds,
        "events": events,
    }))
}

#[derive(Deserialize)]
struct Webhook {
    url: Option<String>,
}

async fn webhook(State(inner): State<Arc<Inner>>, Json(webhook): Json<Webhook>) -> Json<Value> {
    inner.set_webhook_url(webhook.url);
    let endpoint = inner.ledger().endpoints.get(PRIMARY_ENDPOINT).map(|endpoint| endpoint.object(false));
    Json(json!(endpoint))
}

async fn sessions(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let ledger = inner.ledger();
    Json(ledger.sessions.iter().map(|session| session.object(&ledger.base_url)).collect())
}

#[derive(Deserialize)]
struct Pay {
    outcome: Outcome,
}

async fn pay(State(inner): State<Arc<Inner>>, Path(id): Path<String>, Json(pay): Json<Pay>) -> Response {
    done(inner.pay(&id, pay.outcome).map(|events| json!({"events": events})).map_err(|closed| closed.to_string()))
}

#[derive(Deserialize)]
struct Settle {
    succeeded: bool,
}

async fn settle(State(inner): State<Arc<Inner>>, Path(id): Path<String>, Json(settle): Json<Settle>) -> Response {
    done(inner.apply(|ledger, now| {
        let events = ledger.settle(&id, settle.succeeded, now)?;
        Ok((json!({"events": events}), events))
    }))
}

async fn refunds(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(inner.ledger().refunds.iter().map(Refund::object).collect())
}

async fn complete_refund(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    done(inner.apply(|ledger, now| Ok((json!({"completed": id}), ledger.complete_refund(&id, now)?))))
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default = "card_is_gone")]
    reason: String,
}

fn card_is_gone() -> String {
    "lost_or_stolen_card".to_owned()
}

async fn fail_refund(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Json(failure): Json<Failure>,
) -> Response {
    done(inner.apply(|ledger, now| Ok((json!({"failed": id}), ledger.fail_refund(&id, &failure.reason, now)?))))
}

async fn cancel_refund(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    done(inner.apply(|ledger, now| Ok((json!({"canceled": id}), ledger.cancel_refund(&id, now, &Cause::default())?))))
}

async fn disputes(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let ledger = inner.ledger();
    Json(ledger.disputes.iter().map(|dispute| dispute.object(&ledger.movements)).collect())
}

#[derive(Deserialize)]
struct Opening {
    /// A payment intent or a charge.
    payment: String,
    #[serde(flatten)]
    new: NewDispute,
}

async fn open_dispute(State(inner): State<Arc<Inner>>, Json(opening): Json<Opening>) -> Response {
    let opened = inner.apply(|ledger, now| ledger.open_dispute(&opening.payment, &opening.new, now));
    done(opened.map(|id| json!({"id": id})))
}

#[derive(Deserialize)]
struct Move {
    status: DisputeStatus,
}

async fn move_dispute(State(inner): State<Arc<Inner>>, Path(id): Path<String>, Json(to): Json<Move>) -> Response {
    done(inner.apply(|ledger, now| {
        let events = ledger.move_dispute(&id, to.status, now, &Cause::default())?;
        Ok((json!({"id": id, "status": to.status}), events))
    }))
}

async fn movements(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(inner.ledger().movements.iter().map(Movement::object).collect())
}

#[derive(Deserialize)]
struct Account {
    id: String,
}

async fn accounts(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.ledger().accounts))
}

async fn declare_account(State(inner): State<Arc<Inner>>, Json(account): Json<Account>) -> Response {
    done(inner.declare_account(&account.id).map(|()| json!({"id": account.id})))
}

#[derive(Deserialize)]
struct Decision {
    won: bool,
}

async fn close_dispute(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    Json(decision): Json<Decision>,
) -> Response {
    done(inner.apply(|ledger, now| Ok((json!({"closed": id}), ledger.close_dispute(&id, decision.won, now)?))))
}

async fn events(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(inner.ledger().events.iter().map(|event| event.object(API_VERSION)).collect())
}

async fn deliver(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    if inner.ledger().events.get(&id).is_none() {
        return refused(StatusCode::NOT_FOUND, format!("no event `{id}`"));
    }
    Json(inner.deliver_now(&id).await).into_response()
}

async fn deliveries(State(inner): State<Arc<Inner>>) -> Json<Value> {
    Json(json!(inner.deliveries.all()))
}
