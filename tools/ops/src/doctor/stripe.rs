//! Stripe: the key, what it may do, and the webhook.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::Deserialize;
use serde_json::json;
use shared::config::Secret;
use shared::stripe::{API_VERSION, EVENTS, PROBE, PROBE_HEADER, parse_webhook_secrets};
use uuid::Uuid;

use super::finding::{BOUND, Finding, Report, why};
use crate::environment::Environment;
use crate::secrets::STRIPE_WEBHOOK_SECRETS;

/// How long Stripe itself keeps the old secret of an endpoint that is rotated, at most.
const ROTATION: SignedDuration = SignedDuration::from_hours(24);

#[derive(Deserialize)]
struct Endpoints {
    data: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    id: String,
    url: String,
    enabled_events: Vec<String>,
    api_version: Option<String>,
    status: String,
    secret: Option<String>,
}

pub(super) async fn examine(environment: &Environment, mend: bool) -> Vec<Finding> {
    let mut report = Report::on("stripe");
    let key = environment.secret("STRIPE_SECRET_KEY");
    let live = key.contains("_live_");
    match (["sk_", "rk_"].iter().any(|prefix| key.starts_with(prefix)), live) {
        (false, _) => {
            report.bad("STRIPE_SECRET_KEY is not a secret key", "Stripe, Developers, API keys: sk_… or rk_…");
            return report.findings;
        }
        (true, true) => report.good("a live key: clients pay with real money"),
        (true, false) => report.notice(
            "a test key: nobody is charged",
            "for real payments: the live key, its own webhook endpoint and secret",
        ),
    }
    if environment.setting("STRIPE_LIVE") != live.to_string() {
        report.bad(
            "the webhook takes the events of the other mode than the key's: it ignores every payment",
            "the key was changed between test and live: make deploy",
        );
    }
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let list = environment
        .http
        .get(format!("{base}/v1/webhook_endpoints?limit=100"))
        .bearer_auth(key)
        .header("stripe-version", API_VERSION)
        .timeout(BOUND);
    let answer = match list.send().await {
        Ok(answer) => answer,
        Err(error) => {
            report.bad(format!("Stripe: {}", why(&error)), "https://status.stripe.com");
            return report.findings;
        }
    };
    if answer.status() == 401 || answer.status() == 403 {
        report.bad("Stripe refuses the key", "was it rolled? Then make secret NAME=STRIPE_SECRET_KEY, make deploy; a restricted key must also read webhook endpoints");
        return report.findings;
    }
    let Some(wanted) = environment.outputs.webhook_urls.get("/api/webhooks/stripe") else {
        report.bad("no webhook address is deployed", "make deploy");
        return report.findings;
    };
    let Ok(Endpoints { data: endpoints }) = answer.json().await else {
        report.bad("Stripe's list of endpoints cannot be read", "https://status.stripe.com");
        return report.findings;
    };
    report.good("the key is accepted");
    if key.starts_with("rk_") {
        rights(&mut report, environment).await;
    }
    let endpoint = endpoints.iter().find(|endpoint| endpoint.url == *wanted);
    match endpoint {
        Some(endpoint) => endpoint_is_ours(&mut report, endpoint),
        None if mend => {
            create_endpoint(&mut report, environment, wanted).await;
            return report.findings;
        }
        None => report.bad(
            format!("no webhook endpoint leads to {wanted}"),
            "make doctor MEND=1 makes it and keeps its secret; or Stripe, Developers, Webhooks",
        ),
    }
    let secrets = secrets_of_the_webhook(&mut report, environment, endpoint.is_some());
    webhook_believes(&mut report, environment, wanted, live, &secrets).await;
    report.findings
}

/// What the webhook is to believe: whole, and no more of it than a rotation needs. A secret that is forgotten there stays a
/// key to every booking.
fn secrets_of_the_webhook(report: &mut Report, environment: &Environment, there_is_an_endpoint: bool) -> Vec<Secret> {
    const REPLACE: &str = "Stripe, Developers, Webhooks, the endpoint, Signing secret: make secret NAME=STRIPE_WEBHOOK_SECRETS, \
                           make deploy";
    const DROP: &str = "make secret NAME=STRIPE_WEBHOOK_SECRETS DROP_OLD=1, make deploy";
    let secrets = match parse_webhook_secrets(environment.secret(STRIPE_WEBHOOK_SECRETS)) {
        Ok(secrets) => secrets,
        Err(why) => {
            report.bad(format!("STRIPE_WEBHOOK_SECRETS cannot stand: {why}"), REPLACE);
            return Vec::new();
        }
    };
    match secrets.len() {
        0 => report.bad(
            "the webhook believes no event yet: STRIPE_WEBHOOK_SECRETS is none",
            if there_is_an_endpoint {
                REPLACE
            } else {
                "make doctor MEND=1 makes the endpoint, and with it its secret"
            },
        ),
        2 => {
            #[expect(clippy::disallowed_methods, reason = "SSM has told the time by the same clock")]
            let now = Timestamp::now();
            let written = environment.secrets.get(STRIPE_WEBHOOK_SECRETS).map_or(now, |parameter| parameter.written);
            if now.duration_since(written) > ROTATION {
                report.bad(
                    "the webhook still believes an old secret beside the new one, longer than Stripe itself does",
                    format!("whoever knows the old one confirms bookings unpaid: {DROP}"),
                );
            } else {
                report.notice(
                    "the webhook believes two secrets, as long as Stripe's own is rotated",
                    format!("within 24 hours: {DROP}"),
                );
            }
        }
        _ => {}
    }
    secrets
}

/// What a restricted key may not do would only show when a client pays, or when money is owed. Reading is asked here, because
/// it changes nothing; whoever may write may read.
async fn rights(report: &mut Report, environment: &Environment) {
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let mut missing = Vec::new();
    for (right, path) in [
        ("Checkout Sessions", "checkout/sessions"),
        ("Charges and Refunds", "refunds"),
        ("Disputes", "disputes"),
        ("Events", "events"),
    ] {
        let ask = environment.http.get(format!("{base}/v1/{path}?limit=1"));
        let ask = ask.bearer_auth(environment.secret("STRIPE_SECRET_KEY")).header("stripe-version", API_VERSION);
        match ask.timeout(BOUND).send().await {
            Ok(answer) if answer.status() == 403 => missing.push(right),
            Ok(answer) if answer.status() == 200 => {}
            Ok(answer) => {
                report.notice(format!("Stripe answers {} about {right}", answer.status().as_u16()), "try again")
            }
            Err(error) => report.notice(format!("Stripe, about {right}: {}", why(&error)), "try again"),
        }
    }
    if missing.is_empty() {
        report.good("the restricted key may read what we read");
    } else {
        report.bad(
            format!("the restricted key has no right to {}", missing.join(", ")),
            "Stripe, Developers, API keys, the key: its rights are listed in infra/README.md, \"Secrets\"",
        );
    }
}

fn endpoint_is_ours(report: &mut Report, endpoint: &Endpoint) {
    let ours: BTreeSet<&str> = EVENTS.into();
    let theirs: BTreeSet<&str> = endpoint.enabled_events.iter().map(String::as_str).collect();
    let edit = "Stripe, Developers, Webhooks: edit the endpoint";
    if endpoint.status != "enabled" {
        report.bad(
            format!("the webhook endpoint {} is {}", endpoint.id, endpoint.status),
            "Stripe switches it off when it fails for days: look at the alarms, then enable it",
        );
    }
    if theirs.contains("*") {
        report.notice("the webhook endpoint is sent every event", edit);
    } else if let Some(missing) = ours.difference(&theirs).next() {
        report.bad(
            format!("the webhook endpoint is not sent {missing} (and perhaps others)"),
            format!("{edit} and choose: {}", EVENTS.join(", ")),
        );
    } else if theirs != ours {
        report.notice(
            "the webhook endpoint is sent events that nobody reads",
            format!("{edit} and choose only: {}", EVENTS.join(", ")),
        );
    } else {
        report.good("the webhook endpoint is sent exactly what we read");
    }
    if endpoint.api_version.as_deref() == Some(API_VERSION) {
        report.good(format!("in our version, {API_VERSION}"));
    } else {
        report.bad(
            format!(
                "the webhook endpoint's API version is {}, not {API_VERSION}",
                endpoint.api_version.as_deref().unwrap_or("the account's default")
            ),
            "the version of an endpoint cannot be changed: delete it, make doctor MEND=1, make deploy",
        );
    }
}

async fn create_endpoint(report: &mut Report, environment: &Environment, url: &str) {
    let base = environment.setting("STRIPE_API_BASE").trim_end_matches('/');
    let mut form = vec![("url", url), ("api_version", API_VERSION), ("description", "InkFlow")];
    form.extend(EVENTS.map(|event| ("enabled_events[]", event)));
    let post = environment
        .http
        .post(format!("{base}/v1/webhook_endpoints"))
        .bearer_auth(environment.secret("STRIPE_SECRET_KEY"));
    match post.header("stripe-version", API_VERSION).form(&form).timeout(BOUND).send().await {
        Ok(answer) if answer.status() == 200 => {
            let endpoint = answer.json::<Endpoint>().await.ok();
            let secret = endpoint.as_ref().and_then(|endpoint| endpoint.secret.as_deref()).unwrap_or_default();
            // Stripe tells it once. It goes where it is kept, and on no screen and into no log.
            match keep(environment, secret).await {
                Ok(()) => report.notice(
                    "the webhook endpoint was made, and its signing secret is in SSM",
                    "make deploy: the functions do not know it yet",
                ),
                Err(why) => {
                    report.bad(
                        format!("the webhook endpoint was made, its signing secret could not be kept: {why:#}"),
                        "the endpoint was deleted again: may you call ssm:PutParameter? Then make doctor MEND=1",
                    );
                    let id = endpoint.map(|endpoint| endpoint.id).unwrap_or_default();
                    let delete = environment.http.delete(format!("{base}/v1/webhook_endpoints/{id}"));
                    let key = environment.secret("STRIPE_SECRET_KEY");
                    if !delete.bearer_auth(key).timeout(BOUND).send().await.is_ok_and(|answer| answer.status() == 200) {
                        report.bad(
                            format!("the webhook endpoint {id} is left over"),
                            "Stripe, Developers, Webhooks: delete it",
                        );
                    }
                }
            }
        }
        Ok(answer) => report.bad(
            format!("Stripe answers {} to the making of a webhook endpoint", answer.status().as_u16()),
            "a restricted key must be allowed to write webhook endpoints; or make it by hand",
        ),
        Err(error) => report.bad(format!("Stripe: {}", why(&error)), ""),
    }
}

/// Puts the secret of a new endpoint in front of the one that is believed now, if there is one.
async fn keep(environment: &Environment, secret: &str) -> anyhow::Result<()> {
    parse_webhook_secrets(secret)?;
    let there = parse_webhook_secrets(environment.secret(STRIPE_WEBHOOK_SECRETS)).unwrap_or_default();
    let both = match there.first() {
        None => secret.to_owned(),
        Some(there) => format!("{secret},{}", there.expose()),
    };
    environment.shelf().put(STRIPE_WEBHOOK_SECRETS, &both, true).await.map(drop)
}

/// Sends two events: one with no signature, and one that is signed with our secret, of the other mode, so that it is read
/// and nothing is done about it.
async fn webhook_believes(report: &mut Report, environment: &Environment, url: &str, live: bool, secrets: &[Secret]) {
    #[expect(clippy::disallowed_methods, reason = "a signature is true at the time of its making")]
    let now = Timestamp::now().as_second();
    let sign = |secret: &str, what: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, format!("{now}.{what}").as_bytes());
        let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={now},v1={hex}")
    };
    // By this the function knows the doctor, and no alarm is raised by its looking.
    let first = secrets.first().map(Secret::expose).unwrap_or_default();
    let probe = sign(first, PROBE);
    let post = |body: String, signature: String| {
        environment
            .http
            .post(url)
            .header("content-type", "application/json")
            .header("stripe-signature", signature)
            .header(PROBE_HEADER, &probe)
            .body(body)
            .timeout(BOUND)
    };
    match post("{}".into(), String::new()).send().await {
        Ok(answer) if answer.status() == 401 => {
            report.good("the webhook can be reached, and believes nobody without a signature")
        }
        Ok(answer) if answer.status() == 403 => {
            report.bad("the webhook's URL answers 403 to everybody", "a public function URL needs InvokeFunctionUrl and InvokeFunction for everybody: make deploy; does the account forbid public functions?");
            return;
        }
        Ok(answer) => {
            report.bad(
                format!("the webhook answers {} to an event without a signature", answer.status().as_u16()),
                "look into the log of stripe-webhook",
            );
            return;
        }
        Err(error) => {
            report.bad(format!("the webhook {url}: {}", why(&error)), "make deploy");
            return;
        }
    }
    let id = format!("evt_doctor_{}", Uuid::now_v7().simple());
    let event = json!({
        "id": id, "object": "event", "type": "inkflow.doctor", "livemode": !live, "created": now,
        "api_version": API_VERSION, "data": { "object": {} },
    })
    .to_string();
    for secret in secrets {
        let shown: String = secret.expose().chars().take(9).collect();
        match post(event.clone(), sign(secret.expose(), &event)).send().await {
            Ok(answer) if answer.status() == 200 => report.good(format!("the webhook believes what {shown}… signs")),
            Ok(answer) => report.bad(
                format!("the webhook answers {} to what {shown}… signs", answer.status().as_u16()),
                "the functions still run with older secrets: make deploy",
            ),
            Err(error) => report.bad(format!("the webhook: {}", why(&error)), ""),
        }
    }
}
