//! The hosted pay page: plain HTML in French, one button per outcome.
//! It must look nothing like Stripe's, and nobody may take it for a real payment.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::ledger::Closed;
use super::objects::Session;
use super::service::Inner;
use super::switches::Outcome;

const STYLE: &str = include_str!("../../templates/stripe/pay.css");

pub(super) fn routes() -> Router<Arc<Inner>> {
    Router::new().route("/c/pay/{id}", get(show).post(submit)).route("/c/style.css", get(style))
}

#[derive(Template)]
#[template(path = "stripe/pay.html")]
struct PayPage {
    amount: String,
    lines: Vec<Line>,
    email: Option<String>,
    /// What the shop says beside the button, as Stripe shows it.
    note: Option<String>,
    minutes_left: i64,
    deadline: String,
    back_url: Option<String>,
    problem: Option<&'static str>,
}

struct Line {
    name: String,
    description: Option<String>,
    quantity: i64,
    amount: String,
}

#[derive(Template)]
#[template(path = "stripe/closed.html")]
struct ClosedPage {
    title: &'static str,
    explanation: &'static str,
    english: &'static str,
    back_url: Option<String>,
}

#[derive(Deserialize)]
struct Submission {
    outcome: String,
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=60")], STYLE).into_response()
}

async fn show(State(inner): State<Arc<Inner>>, Path(id): Path<String>) -> Response {
    inner.tick();
    page(&inner, &id, StatusCode::OK, None)
}

async fn submit(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    form: Result<Form<Submission>, FormRejection>,
) -> Response {
    let outcome = form.ok().and_then(|Form(submission)| submission.outcome.parse().ok());
    let Some(outcome) = outcome else {
        return page(&inner, &id, StatusCode::BAD_REQUEST, Some("Choisissez l’un des boutons ci-dessous."));
    };
    if inner.pay(&id, outcome).is_err() {
        return page(&inner, &id, StatusCode::CONFLICT, None);
    }
    if outcome == Outcome::Declined {
        return page(
            &inner,
            &id,
            StatusCode::OK,
            Some(
                "La carte a été refusée par la banque. Rien n’a été débité : vous pouvez réessayer. / Your card was declined.",
            ),
        );
    }
    let target = {
        let ledger = inner.ledger();
        ledger.sessions.get(&id).and_then(|session| {
            if outcome == Outcome::Expire {
                session.cancel_url.clone()
            } else {
                Some(filled(&session.success_url, &id))
            }
        })
    };
    match target {
        Some(target) => Redirect::to(&target).into_response(),
        None => page(&inner, &id, StatusCode::OK, None),
    }
}

/// Stripe fills in the session's id where the address asks for it.
fn filled(url: &str, id: &str) -> String {
    url.replace("{CHECKOUT_SESSION_ID}", id)
}

fn page(inner: &Inner, id: &str, status: StatusCode, problem: Option<&'static str>) -> Response {
    let ledger = inner.ledger();
    let session = ledger.sessions.get(id);
    let closed = match ledger.payable(id) {
        Ok(session) => {
            let html = open_page(session, inner.base.clock.now_unix(), problem).render();
            return respond(status, html, Some(session));
        }
        Err(closed) => closed,
    };
    let status = match (status, closed) {
        (StatusCode::OK, Closed::Unknown) => StatusCode::NOT_FOUND,
        (StatusCode::OK, Closed::Expired) => StatusCode::GONE,
        _ => status,
    };
    let back = session.and_then(|session| session.cancel_url.clone());
    let page = match closed {
        Closed::Unknown => ClosedPage {
            title: "Page de paiement introuvable",
            explanation: "Cette adresse ne correspond à aucun paiement en cours.",
            english: "There is no payment at this address.",
            back_url: None,
        },
        Closed::Expired => ClosedPage {
            title: "Cette page de paiement a expiré",
            explanation: "Le temps de réservation est écoulé : il n’est plus possible de payer ici, et rien n’a été débité.",
            english: "This payment page has expired. Nothing was charged.",
            back_url: back,
        },
        Closed::Complete => ClosedPage {
            title: "Ce paiement est déjà enregistré",
            explanation: "Vous n’avez rien d’autre à faire ici, et rien ne sera débité une seconde fois.",
            english: "This payment is already complete. You will not be charged again.",
            back_url: session.map(|session| filled(&session.success_url, id)),
        },
    };
    respond(status, page.render(), session)
}

fn open_page(session: &Session, now: i64, problem: Option<&'static str>) -> PayPage {
    let deadline = jiff::Timestamp::from_second(session.expires_at).unwrap_or(jiff::Timestamp::MAX);
    let paris = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::UTC);
    PayPage {
        amount: price(session.amount_total(), &session.currency),
        lines: session
            .line_items
            .iter()
            .map(|item| Line {
                name: item.name.clone(),
                description: item.description.clone(),
                quantity: item.quantity,
                amount: price(item.amount(), &item.currency),
            })
            .collect(),
        email: session.customer_email.clone(),
        note: session.echo.get("custom_text").and_then(|text| text["submit"]["message"].as_str()).map(str::to_owned),
        minutes_left: (session.expires_at - now).max(0).div_euclid(60),
        deadline: deadline.to_zoned(paris).strftime("%H:%M").to_string(),
        back_url: session.cancel_url.clone(),
        problem,
    }
}

/// `80,00 €`, with the spaces that French wants.
fn price(cents: i64, currency: &str) -> String {
    let unit = match currency {
        "eur" => "€",
        "usd" => "$",
        "gbp" => "£",
        _ => "CHF",
    };
    format!("{},{:02}\u{a0}{unit}", cents / 100, cents % 100)
}

fn respond(status: StatusCode, html: Result<String, askama::Error>, session: Option<&Session>) -> Response {
    let html = match html {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "the pay page does not render");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    // Browsers apply `form-action` to the redirect after the form, so the shop's origins must be in it.
    let mut form_action = String::from("'self'");
    for url in
        session.into_iter().flat_map(|session| [Some(&session.success_url), session.cancel_url.as_ref()]).flatten()
    {
        if let Ok(url) = reqwest::Url::parse(url) {
            form_action.push(' ');
            form_action.push_str(&url.origin().ascii_serialization());
        }
    }
    let policy = format!(
        "default-src 'none'; img-src data:; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex"));
    response
}
