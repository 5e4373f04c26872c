//! A shop of one key and one secret beside its Stripe, and somebody who receives its events.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use dev::stripe::{Options, Outcome, StandIn, sign};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

pub(crate) const KEY: &str = "sk_test_rules";
pub(crate) const SECRET: &str = "whsec_Rules4Rk8Vb2Nq6Xw1Lz5Tm9Pc3Hd70aB";

fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a plain client builds")
}

/// Somebody who receives webhooks.
pub(crate) struct Receiver {
    /// What has come, taken or not.
    pub(crate) took: Vec<Value>,
    /// How many of all are answered with a 500.
    pub(crate) refuses: usize,
    /// What they must be signed with.
    pub(crate) secret: String,
}

pub(crate) type Letters = Arc<Mutex<Receiver>>;

/// Receives events and answers 500 to so many of the first.
pub(crate) async fn receiver(refuses: usize) -> (String, Letters) {
    async fn take(State(letters): State<Letters>, headers: HeaderMap, body: String) -> StatusCode {
        let signature = headers["stripe-signature"].to_str().expect("the signature is ASCII").to_owned();
        let t: i64 = signature.split([',', '=']).nth(1).and_then(|t| t.parse().ok()).expect("the signature has a time");
        let mut letters = letters.lock().expect("no receiver panics");
        assert_eq!(signature, sign(&body, &letters.secret, t), "every delivery is signed over its exact body");
        letters.took.push(serde_json::from_str(&body).expect("events are JSON"));
        if letters.took.len() <= letters.refuses { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    }
    let letters = Arc::new(Mutex::new(Receiver { took: Vec::new(), refuses, secret: SECRET.to_owned() }));
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&letters));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, letters)
}

pub(crate) struct Shop {
    pub(crate) stripe: StandIn,
    pub(crate) http: reqwest::Client,
    /// For whom it calls, if not for itself.
    pub(crate) account: Option<&'static str>,
}

impl Shop {
    pub(crate) async fn open(options: Options) -> Self {
        let options = Options {
            secret_key: KEY.to_owned(),
            webhook_secret: SECRET.to_owned(),
            retry_pauses: vec![Duration::from_millis(20); 3],
            late: Duration::from_millis(300),
            refund_failure_delay: Duration::from_millis(30),
            ..options
        };
        Self { stripe: StandIn::start(options).await.expect("it starts"), http: client(), account: None }
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let mut request = self.http.get(self.stripe.url() + path).bearer_auth(KEY);
        if let Some(account) = self.account {
            request = request.header("stripe-account", account);
        }
        let answer = request.send().await.expect("the stand-in answers");
        (answer.status().as_u16(), answer.json().await.expect("answers are JSON"))
    }

    pub(crate) async fn post(&self, path: &str, params: &[(&str, &str)], key: Option<&str>) -> (u16, HeaderMap, Value) {
        self.try_post(path, params, key).await.expect("the stand-in answers")
    }

    pub(crate) async fn try_post(
        &self,
        path: &str,
        params: &[(&str, &str)],
        key: Option<&str>,
    ) -> reqwest::Result<(u16, HeaderMap, Value)> {
        let mut request = self.http.post(self.stripe.url() + path).bearer_auth(KEY).form(params);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if let Some(account) = self.account {
            request = request.header("stripe-account", account);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.headers().clone(), answer.json().await?))
    }

    pub(crate) fn session_params(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("mode", "payment".to_owned()),
            ("line_items[0][quantity]", "1".to_owned()),
            ("line_items[0][price_data][currency]", "eur".to_owned()),
            ("line_items[0][price_data][unit_amount]", "8000".to_owned()),
            ("line_items[0][price_data][product_data][name]", "Acompte – Hirondelle".to_owned()),
            ("allowed_payment_method_types[0]", "card".to_owned()),
            ("adaptive_pricing[enabled]", "false".to_owned()),
            ("customer_email", "camille@example.com".to_owned()),
            ("client_reference_id", "booking-1".to_owned()),
            ("metadata[booking_id]", "booking-1".to_owned()),
            ("payment_intent_data[metadata][booking_id]", "booking-1".to_owned()),
            ("payment_intent_data[description]", "Acompte".to_owned()),
            ("locale", "fr".to_owned()),
            ("expires_at", (self.stripe.now() + 35 * 60).to_string()),
            ("success_url", "http://127.0.0.1:8080/booking/success?id=1&s={CHECKOUT_SESSION_ID}".to_owned()),
            ("cancel_url", "http://127.0.0.1:8080/booking/cancel?id=1".to_owned()),
        ])
    }

    pub(crate) async fn create_with(
        &self,
        params: &BTreeMap<&'static str, String>,
        key: Option<&str>,
    ) -> (u16, HeaderMap, Value) {
        let params: Vec<(&str, &str)> = params.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post("/v1/checkout/sessions", &params, key).await
    }

    pub(crate) async fn session(&self) -> String {
        let (status, _, session) = self.create_with(&self.session_params(), None).await;
        assert_eq!(status, 200, "{session}");
        text(&session["id"])
    }

    pub(crate) async fn paid_intent(&self) -> String {
        let session = self.session().await;
        self.stripe.pay(&session, Outcome::Paid).expect("an open session takes a payment");
        text(&self.stripe.session(&session).expect("it exists")["payment_intent"])
    }
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a text")).to_owned()
}

pub(crate) fn kinds(events: &[Value]) -> Vec<String> {
    events.iter().map(|event| text(&event["type"])).collect()
}
