//! Stripe over our one HTTP client: Checkout Sessions, refunds, and the verification of webhooks.
//!
//! async-stripe's builders give path and form body; sending, retrying and reading are ours, because its
//! client has no timeout, opens a connection per call, and loses a whole event over a field nobody reads.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use ring::hmac;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionAllowedPaymentMethodTypes,
    CreateCheckoutSessionCustomText, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, CustomTextPositionParam, ExpireCheckoutSession, ProductData,
    RetrieveCheckoutSession,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_core::event::ListEvent;
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund};
use stripe_types::{RangeBoundsTs, RangeQueryTs};
use thiserror::Error;

use crate::config::{self, ConfigError, Secret};
use crate::domain::contact::Locale;
use crate::domain::ids::BookingId;
use crate::domain::job::RefundReason;
use crate::domain::money::Cents;
use crate::error::Error;
use crate::redact::without_values;

/// The API version of our requests; the webhook endpoint must be created with the same one
/// (<https://docs.stripe.com/webhooks/versioning>).
pub const API_VERSION: &str = "2026-09-30.endive";

/// The events that the endpoint of `stripe-webhook` must be registered for: all those, and only those, that it reads.
pub const EVENTS: [&str; 11] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.payment_failed",
    "payment_intent.succeeded",
    "refund.failed",
    "refund.updated",
];

/// How old a webhook's signature may be, as in Stripe's own libraries
/// (<https://docs.stripe.com/webhooks#replay-attacks>).
const SIGNATURE_TOLERANCE_SECONDS: i64 = 300;

/// One attempt ends after this: Checkout answers in well under a second, and the function's own time is 20 s.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Attempts in all, the first included.
const ATTEMPTS: u32 = 3;

/// The keys that one wish for a page may use up.
const CHECKOUT_KEYS: u32 = 2;

/// A call to Stripe that did not give what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StripeError {
    /// No answer: connection, TLS or timeout. Whether it was carried out is unknown.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// Stripe answered with an error. Its message is left out: it may quote what the client typed.
    #[error("status {status}, type {kind}, code {code}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Stripe's error type.
        kind: String,
        /// Stripe's error code, empty when it has none.
        code: String,
    },
    /// Stripe answered with success and something else than it promises.
    #[error("unexpected answer: {0}")]
    Unreadable(String),
}

impl StripeError {
    /// True when trying again later can help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => matches!(status, 409 | 424 | 429 | 500..=599),
            Self::Unreadable(_) => false,
        }
    }

    /// True when the key was used with other parameters before: what it stands for may exist all the same.
    pub fn is_of_another_wish(&self) -> bool {
        matches!(self, Self::Refused { status: 400, kind, .. } if kind == "idempotency_error")
    }

    /// Stripe's error code, when it gave one.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }
}

/// A Checkout Session, as far as we read it. Unknown fields and values are no reason to lose it.
#[derive(Debug, Clone, Deserialize)]
pub struct Session {
    /// Stripe's id.
    pub id: String,
    /// `open`, `complete` or `expired`.
    #[serde(default)]
    pub status: Option<String>,
    /// `paid`, `unpaid` or `no_payment_required`.
    #[serde(default)]
    pub payment_status: Option<String>,
    /// What is to be or was paid, in the currency's smallest unit.
    #[serde(default)]
    pub amount_total: Option<i64>,
    /// Lower-case ISO code.
    #[serde(default)]
    pub currency: Option<String>,
    /// Null until the client submits a payment.
    #[serde(default, deserialize_with = "id_or_object")]
    pub payment_intent: Option<String>,
    /// Our booking id.
    #[serde(default)]
    pub client_reference_id: Option<String>,
    /// Ours, with `booking_id`.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: HashMap<String, String>,
    /// The hosted page; null once the session is closed.
    #[serde(default)]
    pub url: Option<String>,
}

impl Session {
    /// True when the deposit is received.
    pub fn is_paid(&self) -> bool {
        self.payment_status.as_deref() == Some("paid")
    }
}

/// A refund, as far as we read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Refund {
    /// Stripe's id.
    pub id: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// Lower-case ISO code.
    #[serde(default, deserialize_with = "or_default")]
    pub currency: String,
    /// `pending`, `requires_action`, `succeeded`, `failed` or `canceled`.
    #[serde(default)]
    pub status: Option<String>,
    /// The payment it gives back.
    #[serde(default, deserialize_with = "id_or_object")]
    pub payment_intent: Option<String>,
    /// Unix seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub created: i64,
}

/// One page of a list.
#[derive(Debug, Clone, Deserialize)]
pub struct Page<T> {
    /// What is on it, the newest first.
    pub data: Vec<T>,
    /// Whether there is another page after it.
    #[serde(default)]
    pub has_more: bool,
}

/// A webhook event. The object stays as sent, for the record; small views read it.
#[derive(Debug, Clone, Deserialize)]
pub struct Event {
    /// Stripe's id: the same for every delivery of this event.
    pub id: String,
    /// Its kind, e.g. `checkout.session.completed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The version its shape follows.
    #[serde(default)]
    pub api_version: Option<String>,
    /// False for test mode.
    pub livemode: bool,
    /// The connected account it happened on.
    #[serde(default)]
    pub account: Option<String>,
    /// Unix seconds.
    pub created: i64,
    /// What it is about.
    pub data: EventData,
}

impl Event {
    /// Reads the object.
    ///
    /// # Errors
    /// The shape is not what our API version promises: our own fault. A 5xx keeps the event coming until it is mended.
    pub fn object<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_value(self.data.object.clone()).map_err(|error| {
            let why = without_values(&error);
            Error::Internal(format!("event {} of kind {} cannot be read: {why}", self.id, self.kind))
        })
    }
}

/// The wrapper around an event's object.
#[derive(Debug, Clone, Deserialize)]
pub struct EventData {
    /// The object as it was at the event.
    pub object: Value,
}

/// Stripe sends an id, or the whole object where it was expanded.
///
/// # Errors
/// The value is neither.
pub fn id_or_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum IdOrObject {
        Id(String),
        Object { id: String },
    }
    Ok(Option::<IdOrObject>::deserialize(deserializer)?.map(|value| match value {
        IdOrObject::Id(id) | IdOrObject::Object { id } => id,
    }))
}

/// Stripe writes null where an object has nothing to say, and may do so where it says something today.
///
/// # Errors
/// The value is neither null nor what it should be.
pub fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What a Checkout Session is opened with. Everything comes from the stored booking, so that a repeated
/// call sends the same parameters, as Stripe's idempotency asks.
#[derive(Debug, Clone)]
pub struct Checkout<'a> {
    /// The booking to pay for.
    pub booking: BookingId,
    /// What Stripe's page calls it.
    pub title: String,
    /// What Stripe's page says beside its button.
    pub note: String,
    /// How much.
    pub deposit: Cents,
    /// Prefilled on Stripe's page.
    pub email: &'a str,
    /// The page's language.
    pub locale: Locale,
    /// When the page closes.
    pub expires_at: Timestamp,
    /// Which wish for a page this is, from 1. Each has keys of its own, because its end is a parameter that Stripe compares.
    pub attempt: u32,
    /// Origin of our site.
    pub public_url: &'a str,
    /// The connected account, or the platform's own.
    pub account: Option<&'a str>,
}

/// The Stripe API with our key.
#[derive(Debug, Clone)]
pub struct Stripe {
    http: reqwest::Client,
    base: String,
    key: Secret,
}

impl Stripe {
    /// A client for the API at `base`.
    pub fn new(http: reqwest::Client, base: impl Into<String>, key: Secret) -> Self {
        Self { http, base: base.into().trim_end_matches('/').to_owned(), key }
    }

    /// A client with the settings `STRIPE_SECRET_KEY` and `STRIPE_API_BASE`.
    ///
    /// # Errors
    /// The key is missing or is not a secret key.
    pub fn from_env(http: reqwest::Client) -> Result<Self, ConfigError> {
        let key = config::secret("STRIPE_SECRET_KEY")?;
        if !is_secret_key(key.expose()) {
            let why = "must be a key that begins with sk_ or rk_, whole".into();
            return Err(ConfigError::Invalid { name: "STRIPE_SECRET_KEY", why });
        }
        Ok(Self::new(http, config::or("STRIPE_API_BASE", "https://api.stripe.com".to_owned())?, key))
    }

    /// Whether the key moves real money. Events of the other mode are not for us.
    pub fn is_live(&self) -> bool {
        self.key.expose().contains("_live_")
    }

    /// Opens the Checkout Session of a booking, or finds the one that an earlier, lost call opened.
    ///
    /// # Errors
    /// Stripe refused or did not answer after the bounded retries.
    pub async fn open_checkout(&self, checkout: &Checkout<'_>) -> Result<Session, StripeError> {
        let request = create_checkout(checkout);
        // A 5xx is stored under its key and replayed for ever; only a new key gets a new answer. The
        // session of the failed call, if there is one, has an address that nobody was told.
        let mut last = None;
        let first = checkout.attempt.saturating_sub(1).saturating_mul(CHECKOUT_KEYS) + 1;
        for number in first..first + CHECKOUT_KEYS {
            let key = format!("checkout:{}:{number}", checkout.booking);
            match self.send(request.build(), Some(&key), checkout.account).await {
                Err(error @ StripeError::Refused { status: 500..=599, .. }) => last = Some(error),
                answer => return answer,
            }
        }
        Err(last.unwrap_or_else(|| StripeError::Unreadable("no attempt".into())))
    }

    /// Reads a Checkout Session.
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn session(&self, id: &str, account: Option<&str>) -> Result<Session, StripeError> {
        self.send(RetrieveCheckoutSession::new(id).build(), None, account).await
    }

    /// Closes a Checkout Session and returns what it is now.
    ///
    /// A session that is not open any more cannot be closed; then it is read, and its status says whether
    /// it was paid (<https://docs.stripe.com/api/checkout/sessions/expire>).
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn expire(&self, id: &str, account: Option<&str>) -> Result<Session, StripeError> {
        match self.send(ExpireCheckoutSession::new(id).build(), None, account).await {
            Err(StripeError::Refused { status: 400..=499, .. }) => self.session(id, account).await,
            answer => answer,
        }
    }

    /// Gives `amount` of a payment back, under our own key.
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn refund(
        &self,
        booking: BookingId,
        payment_intent: &str,
        amount: Cents,
        reason: RefundReason,
        attempt: u32,
        account: Option<&str>,
    ) -> Result<Refund, StripeError> {
        let reason = match reason {
            RefundReason::Duplicate => CreateRefundReason::Duplicate,
            RefundReason::Late | RefundReason::Cancelled => CreateRefundReason::RequestedByCustomer,
        };
        let request = CreateRefund::new()
            .payment_intent(payment_intent)
            .amount(amount.cents())
            .reason(reason)
            .metadata(HashMap::from([("booking_id".to_owned(), booking.to_string())]));
        let key = format!("refund:{booking}:{payment_intent}:{attempt}");
        self.send(request.build(), Some(&key), account).await
    }

    /// The refunds of a payment.
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn refunds(&self, payment_intent: &str, account: Option<&str>) -> Result<Vec<Refund>, StripeError> {
        let request = ListRefund::new().payment_intent(payment_intent).limit(100);
        let page: Page<Refund> = self.send(request.build(), None, account).await?;
        Ok(page.data)
    }

    /// One page of the events of these kinds that were made from `from` on and before `to`, the newest first.
    ///
    /// Stripe keeps them for 30 days, whatever became of their delivery
    /// (<https://docs.stripe.com/api/events/list>).
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn events(
        &self,
        kinds: &[&str],
        from: Timestamp,
        to: Timestamp,
        after: Option<&str>,
    ) -> Result<Page<Event>, StripeError> {
        let created =
            RangeBoundsTs { gte: Some(from.as_second()), lt: Some(to.as_second()), ..RangeBoundsTs::default() };
        let kinds: Vec<String> = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        let mut request = ListEvent::new().types(kinds).created(RangeQueryTs::Bounds(created)).limit(100);
        if let Some(after) = after {
            request = request.starting_after(after);
        }
        self.send(request.build(), None, None).await
    }

    /// Sends with our bounded retry: network errors, 409, 424, 429 and 5xx, always under the same key.
    ///
    /// GETs need no key; our POSTs without one (expire) may be repeated by their nature.
    async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
        key: Option<&str>,
        account: Option<&str>,
    ) -> Result<T, StripeError> {
        let mut attempt = 1;
        loop {
            let (error, may_retry) = match self.attempt(&request, key, account).await {
                Ok(value) => {
                    return serde_json::from_value(value)
                        .map_err(|error| StripeError::Unreadable(without_values(&error)));
                }
                Err(failure) => failure,
            };
            if attempt == ATTEMPTS || !may_retry || !error.is_transient() {
                return Err(error);
            }
            tokio::time::sleep(Duration::from_millis(150 * 3_u64.pow(attempt - 1))).await;
            attempt += 1;
        }
    }

    async fn attempt(
        &self,
        request: &RequestBuilder,
        key: Option<&str>,
        account: Option<&str>,
    ) -> Result<Value, (StripeError, bool)> {
        let mut url = format!("{}/v1{}", self.base, request.path);
        if let Some(query) = request.query.as_deref().filter(|query| !query.is_empty()) {
            url = format!("{url}?{query}");
        }
        let method = match request.method {
            StripeMethod::Get => reqwest::Method::GET,
            StripeMethod::Post => reqwest::Method::POST,
            StripeMethod::Delete => reqwest::Method::DELETE,
        };
        let mut call = self
            .http
            .request(method, url)
            .bearer_auth(self.key.expose())
            .header("stripe-version", API_VERSION)
            .timeout(ATTEMPT);
        if let Some(key) = key {
            call = call.header("idempotency-key", key);
        }
        if let Some(account) = account {
            call = call.header("stripe-account", account);
        }
        if let Some(body) = &request.body {
            call = call.header("content-type", "application/x-www-form-urlencoded").body(body.clone());
        }
        let unreachable = |error: reqwest::Error| (StripeError::Unreachable(error.without_url().to_string()), true);
        let answer = call.send().await.map_err(unreachable)?;
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        // A replayed 5xx is the stored answer: the same key will never bring another.
        let may_retry = header("stripe-should-retry").as_deref() != Some("false")
            && !(status >= 500 && header("idempotent-replayed").as_deref() == Some("true"));
        let body = answer.bytes().await.map_err(unreachable)?;
        let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let field = |name: &str| value["error"][name].as_str().unwrap_or_default().to_owned();
        Err((StripeError::Refused { status, kind: field("type"), code: field("code") }, may_retry))
    }
}

fn create_checkout(checkout: &Checkout<'_>) -> CreateCheckoutSession {
    let booking = checkout.booking.to_string();
    let metadata = HashMap::from([("booking_id".to_owned(), booking.clone())]);
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(stripe_types::Currency::EUR);
    price.unit_amount = Some(checkout.deposit.cents());
    price.product_data = Some(ProductData::new(checkout.title.as_str()));
    let mut item = CreateCheckoutSessionLineItems::new();
    item.quantity = Some(1);
    item.price_data = Some(price);
    // The session's metadata is not copied to the payment, whose own events must name the booking too.
    let mut payment = CreateCheckoutSessionPaymentIntentData::new();
    payment.description = Some(checkout.title.clone());
    payment.metadata = Some(metadata.clone());
    let mut text = CreateCheckoutSessionCustomText::new();
    text.submit = Some(CustomTextPositionParam::new(checkout.note.as_str()));
    // The amount must stay the one we asked for, in euros.
    let mut adaptive_pricing = CreateCheckoutSessionAdaptivePricing::new();
    adaptive_pricing.enabled = Some(false);
    CreateCheckoutSession::new()
        .mode(stripe_shared::CheckoutSessionMode::Payment)
        // Cards and wallets answer at once, so a hold never waits for a bank.
        .allowed_payment_method_types(vec![CreateCheckoutSessionAllowedPaymentMethodTypes::Card])
        .adaptive_pricing(adaptive_pricing)
        .line_items(vec![item])
        .payment_intent_data(payment)
        .custom_text(text)
        .metadata(metadata)
        .client_reference_id(booking.clone())
        .customer_email(checkout.email)
        .locale(match checkout.locale {
            Locale::Fr => stripe_shared::CheckoutSessionLocale::Fr,
            Locale::En => stripe_shared::CheckoutSessionLocale::En,
        })
        .expires_at(checkout.expires_at.as_second())
        .success_url(format!("{}/booking/success?id={booking}", checkout.public_url))
        .cancel_url(format!("{}/booking/cancel?id={booking}", checkout.public_url))
}

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The header is missing or not of Stripe's form.
    #[error("the signature header is missing or malformed")]
    Malformed,
    /// The time stamp is too far from now.
    #[error("the signature is too old or from the future")]
    OutsideTolerance,
    /// No signature fits any of our secrets.
    #[error("no signature fits")]
    NoMatch,
}

/// Verifies the header `Stripe-Signature` over the raw bytes of a webhook.
///
/// Accepts any `v1` signature under any of `secrets`: both sides send or keep two while a secret is
/// rotated (<https://docs.stripe.com/webhooks#verify-manually>). Compares in constant time.
///
/// # Errors
/// [`SignatureError`]; the caller answers the same for each.
pub fn verify(payload: &[u8], header: &str, secrets: &[Secret], now: Timestamp) -> Result<(), SignatureError> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = value.parse::<i64>().ok(),
            Some(("v1", value)) => signatures.extend(unhex(value)),
            _ => {}
        }
    }
    let time = time.ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    if now.as_second().saturating_sub(time).unsigned_abs() > SIGNATURE_TOLERANCE_SECONDS.unsigned_abs() {
        return Err(SignatureError::OutsideTolerance);
    }
    let signed = [time.to_string().as_bytes(), b".", payload].concat();
    let fits = secrets.iter().any(|secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
        signatures.iter().any(|signature| hmac::verify(&key, &signed, signature).is_ok())
    });
    if fits { Ok(()) } else { Err(SignatureError::NoMatch) }
}

/// The header by which `make doctor` says that it is the one who sends what is not signed, to see that it is refused.
///
/// Signed over [`PROBE`] by one of our secrets, as an event is. No event, so that nothing can be made of it.
pub const PROBE_HEADER: &str = "x-inkflow-probe";

/// What that header is signed over.
pub const PROBE: &str = "inkflow.doctor.probe";

/// Whether that header was signed by one of our secrets, and just now.
pub fn is_probe(header: &str, secrets: &[Secret], now: Timestamp) -> bool {
    verify(PROBE.as_bytes(), header, secrets, now).is_ok()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

/// Whether a text is of the form of Stripe's secret or restricted keys.
pub fn is_secret_key(text: &str) -> bool {
    let rest = ["sk_test_", "sk_live_", "rk_test_", "rk_live_"].iter().find_map(|prefix| text.strip_prefix(prefix));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// What `STRIPE_WEBHOOK_SECRETS` says as long as Stripe has no endpoint of ours: then no event is believed. An empty value
/// would be a setting that was forgotten, and SSM keeps none.
pub const NO_WEBHOOK_SECRET: &str = "none";

/// How many characters follow `whsec_` at least. Stripe's dashboard makes 32, its command line tool 64.
const WEBHOOK_SECRET_LETTERS: usize = 24;

/// How many of them differ at least: fewer are somebody's `xxxxxxxx`.
const WEBHOOK_SECRET_VARIETY: usize = 8;

/// Why `STRIPE_WEBHOOK_SECRETS` is not taken. What it says is in none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookSecretsError {
    /// One is no secret of Stripe: a word that stands for one, or a part of it. Whoever knows it could confirm bookings unpaid.
    #[error(
        "each is whsec_ and {WEBHOOK_SECRET_LETTERS} letters and digits or more, whole, as Stripe shows it; \"{NO_WEBHOOK_SECRET}\" \
         alone while there is no endpoint"
    )]
    NotOne,
    /// There are more than a rotation needs.
    #[error("there are two at most, the new one and the old one while it is rotated")]
    TooMany,
}

/// The secrets of `STRIPE_WEBHOOK_SECRETS`: one, two while it is rotated, or none.
///
/// # Errors
/// It is not set, or [`WebhookSecretsError`].
pub fn webhook_secrets() -> Result<Arc<[Secret]>, ConfigError> {
    let text = config::required("STRIPE_WEBHOOK_SECRETS")?;
    parse_webhook_secrets(&text)
        .map(Into::into)
        .map_err(|why| ConfigError::Invalid { name: "STRIPE_WEBHOOK_SECRETS", why: why.to_string() })
}

/// Reads secrets, comma separated, or [`NO_WEBHOOK_SECRET`].
///
/// # Errors
/// [`WebhookSecretsError`].
pub fn parse_webhook_secrets(text: &str) -> Result<Vec<Secret>, WebhookSecretsError> {
    if text.trim() == NO_WEBHOOK_SECRET {
        return Ok(Vec::new());
    }
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    if secrets.len() > 2 {
        return Err(WebhookSecretsError::TooMany);
    }
    if !secrets.iter().all(|secret| is_webhook_secret(secret)) {
        return Err(WebhookSecretsError::NotOne);
    }
    Ok(secrets.into_iter().map(|secret| Secret::new(secret.to_owned())).collect())
}

fn is_webhook_secret(text: &str) -> bool {
    text.strip_prefix("whsec_").is_some_and(|rest| {
        let different: BTreeSet<u8> = rest.bytes().collect();
        rest.len() >= WEBHOOK_SECRET_LETTERS
            && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && different.len() >= WEBHOOK_SECRET_VARIETY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn sign(secret: &str, time: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, &[time.to_string().as_bytes(), b".", body].concat());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn secrets(names: &[&str]) -> Vec<Secret> {
        names.iter().map(|name| Secret::new((*name).to_owned())).collect()
    }

    #[test]
    fn either_secret_is_accepted_while_one_is_rotated() {
        let header = format!(
            "t=1000,v1={},v1={}",
            sign("whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", 1000, BODY),
            sign("whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5", 1000, BODY)
        );
        for secret in ["whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", "whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5"] {
            assert_eq!(verify(BODY, &header, &secrets(&[secret]), at(1000)), Ok(()));
        }
        let one = format!("t=1000,v1={}", sign("whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p", 1000, BODY));
        assert_eq!(
            verify(
                BODY,
                &one,
                &secrets(&["whsec_New9z8Y7x6W5v4U3t2S1r0Q9p8O7n6M5", "whsec_Old1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p"]),
                at(1000)
            ),
            Ok(())
        );
    }

    #[test]
    fn a_key_is_whole() {
        for good in ["sk_test_standin", "rk_live_51AbC", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"] {
            assert!(is_secret_key(good), "{good}");
        }
        for wrong in
            ["", "sk_test_", "sk_test_…", "sk_test_<key>", "pk_test_51AbC", "sk_51AbC", "whsec_51AbC", "sk_test_5 1"]
        {
            assert!(!is_secret_key(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_webhook_secret_is_whole_or_there_is_none() {
        let (dashboard, cli) =
            ("whsec_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE", format!("whsec_{}", "0123456789abcdef".repeat(4)));
        let read = |text: &str| {
            parse_webhook_secrets(text)
                .map(|secrets| secrets.iter().map(|one| one.expose().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(read(dashboard), Ok(vec![dashboard.to_owned()]));
        assert_eq!(read(&format!(" {cli} ,{dashboard}")), Ok(vec![cli.clone(), dashboard.to_owned()]));
        assert_eq!(read(" none\n"), Ok(Vec::new()));
        let cut = &dashboard[..29];
        let some_words = [
            "",
            ",",
            "whsec_",
            "whsec_later",
            "whsec_<secret>",
            "whsec_…",
            "None",
            "none,none",
            "whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE",
            "sk_test_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6AuE",
            "whsec_w3Kd9TzQ5bXn7RmV2cLs8YpH4gJf6Au!",
            cut,
        ];
        for wrong in some_words {
            assert_eq!(read(wrong), Err(WebhookSecretsError::NotOne), "{wrong}");
            assert!(read(&format!("{dashboard},{wrong}")).is_err(), "beside a good one: {wrong}");
        }
        assert_eq!(read(&format!("{dashboard},{cli},{dashboard}")), Err(WebhookSecretsError::TooMany));
    }

    #[test]
    fn without_a_secret_no_signature_fits() {
        let header = format!("t=1000,v1={}", sign("", 1000, BODY));
        assert_eq!(verify(BODY, &header, &[], at(1000)), Err(SignatureError::NoMatch));
    }

    #[test]
    fn the_tolerance_is_five_minutes_both_ways() {
        let header = format!("t=1000,v1={}", sign("whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5", 1000, BODY));
        assert_eq!(verify(BODY, &header, &secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]), at(1300)), Ok(()));
        for now in [1301, 699] {
            assert_eq!(
                verify(BODY, &header, &secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]), at(now)),
                Err(SignatureError::OutsideTolerance)
            );
        }
    }

    #[test]
    fn an_altered_body_time_or_signature_is_refused() {
        let secret = secrets(&["whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5"]);
        let good = sign("whsec_One1b2C3d4E5f6G7h8I9j0K1l2M3n4O5", 1000, BODY);
        assert_eq!(verify(b"{}", &format!("t=1000,v1={good}"), &secret, at(1000)), Err(SignatureError::NoMatch));
        assert_eq!(verify(BODY, &format!("t=1001,v1={good}"), &secret, at(1000)), Err(SignatureError::NoMatch));
        assert_eq!(verify(BODY, &format!("t=1000,v0={good}"), &secret, at(1000)), Err(SignatureError::Malformed));
        for nonsense in ["", "t=,v1=", "v1=aa", "t=1000", "t=1000,v1=zz", "t=1000,v1=é", "t=99999999999999999999,v1=aa"]
        {
            assert_eq!(verify(BODY, nonsense, &secret, at(1000)), Err(SignatureError::Malformed), "{nonsense}");
        }
        assert_eq!(
            verify(BODY, &format!("t={},v1={good}", i64::MIN), &secret, at(1000)),
            Err(SignatureError::OutsideTolerance)
        );
    }

    #[test]
    fn a_probe_is_known_by_a_secret_of_ours_and_is_no_signature_of_an_event() {
        let ours = secrets(&["whsec_1", "whsec_2"]);
        let by = |secret: &str, time: i64| format!("t={time},v1={}", sign(secret, time, PROBE.as_bytes()));
        assert!(is_probe(&by("whsec_1", 1000), &ours, at(1000)));
        for header in [
            by("whsec_3", 1000),
            by("whsec_1", 600),
            format!("t=1000,v1={}", sign("whsec_1", 1000, BODY)),
            String::new(),
        ] {
            assert!(!is_probe(&header, &ours, at(1000)), "{header}");
        }
        assert_eq!(verify(BODY, &by("whsec_1", 1000), &ours, at(1000)), Err(SignatureError::NoMatch));
    }

    #[test]
    fn the_checkout_carries_the_booking_on_the_session_and_on_the_payment() {
        let booking = BookingId::new(uuid::Uuid::from_u128(7));
        let body = create_checkout(&Checkout {
            booking,
            title: "Acompte – Hirondelle".into(),
            note: "Gardé jusqu’à 11 h 33".into(),
            deposit: Cents::new(5000),
            email: "jo@example.fr",
            locale: Locale::Fr,
            expires_at: at(1_800_000_000),
            attempt: 1,
            public_url: "https://ink.example",
            account: None,
        })
        .build()
        .body
        .expect("a form");
        let form: Vec<String> = body.split('&').map(|pair| pair.replace("%5B", "[").replace("%5D", "]")).collect();
        for expected in [
            "mode=payment".to_owned(),
            "line_items[0][price_data][unit_amount]=5000".to_owned(),
            "line_items[0][price_data][currency]=eur".to_owned(),
            "adaptive_pricing[enabled]=false".to_owned(),
            "expires_at=1800000000".to_owned(),
            "custom_text[submit][message]=Gard%C3%A9+jusqu%E2%80%99%C3%A0+11+h+33".to_owned(),
            "locale=fr".to_owned(),
            format!("metadata[booking_id]={booking}"),
            format!("payment_intent_data[metadata][booking_id]={booking}"),
            format!("client_reference_id={booking}"),
        ] {
            assert!(form.contains(&expected), "{expected} is not in {form:?}");
        }
    }

    #[test]
    fn a_session_is_read_whatever_else_it_carries() {
        let session: Session = serde_json::from_value(serde_json::json!({
            "id": "cs_1", "object": "checkout.session", "payment_intent": {"id": "pi_1", "object": "payment_intent"},
            "status": "a_status_of_2031", "new_field": [1, 2],
        }))
        .expect("tolerant");
        assert_eq!(session.payment_intent.as_deref(), Some("pi_1"));
        assert!(!session.is_paid());
    }
}
