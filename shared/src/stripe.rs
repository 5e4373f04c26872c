//! Stripe over our one HTTP client: Checkout Sessions, refunds, and the verification of webhooks.
//!
//! async-stripe's builders give path and form body; sending, retrying and reading are ours, because its
//! client has no timeout, opens a connection per call, and loses a whole event over a field nobody reads.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionAllowedPaymentMethodTypes,
    CreateCheckoutSessionCustomText, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, CustomTextPositionParam, ExpireCheckoutSession, ProductData,
    RetrieveCheckoutSession,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_core::dispute::ListDispute;
use stripe_core::event::ListEvent;
use stripe_core::refund::{CreateRefund, CreateRefundReason, ListRefund};
use stripe_types::{RangeBoundsTs, RangeQueryTs};
use thiserror::Error;

use crate::config::{self, ConfigError, Secret};
use crate::domain::ids::BookingId;
use crate::domain::job::RefundReason;
use crate::domain::locale::Locale;
use crate::domain::money::Cents;
use crate::redact::without_values;

mod objects;
mod signature;

pub use self::objects::{
    BalanceTransaction, Dispute, Event, EventData, EvidenceDetails, Page, Refund, Session, SessionPayment,
    SessionStatus, id_or_object, or_default,
};
pub(crate) use self::objects::{Charge, PaymentIntent};
pub use self::signature::{
    NO_WEBHOOK_SECRET, PROBE, PROBE_HEADER, SignatureError, WebhookSecretsError, is_probe, is_secret_key,
    parse_webhook_secrets, verify, webhook_secrets,
};

/// The API version of our requests; the webhook endpoint must be created with the same one
/// (<https://docs.stripe.com/webhooks/versioning>).
pub const API_VERSION: &str = "2026-09-30.endive";

/// The events that the endpoint of `stripe-webhook` must be registered for: all those, and only those, that it reads.
pub const EVENTS: [&str; 14] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
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
        status: u16,
        /// Stripe's error type.
        kind: String,
        /// Stripe's error code, empty when it has none.
        code: String,
        /// The answer was stored under the key by an earlier call: another key may bring another.
        replayed: bool,
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

    /// True when this is the stored answer of an earlier call under the same key.
    pub fn is_replayed(&self) -> bool {
        matches!(self, Self::Refused { replayed: true, .. })
    }

    /// Stripe's error code, when it gave one.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }
}

/// What a Checkout Session is opened with. Everything comes from the stored booking, so that a repeated
/// call sends the same parameters, as Stripe's idempotency asks.
#[derive(Debug, Clone)]
pub struct Checkout<'a> {
    pub booking: BookingId,
    /// What Stripe's page calls it.
    pub title: String,
    /// What Stripe's page says beside its button.
    pub note: String,
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
    /// The connected account; none is the platform's own.
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
    pub async fn session(&self, id: &str, account: Option<&str>) -> Result<Session, StripeError> {
        let request = RetrieveCheckoutSession::new(id).expand(["payment_intent.latest_charge".to_owned()]);
        let found: Value = self.send(request.build(), None, account).await?;
        let paid_at = found["payment_intent"]["latest_charge"]["created"].as_i64();
        let session: Session =
            serde_json::from_value(found).map_err(|error| StripeError::Unreadable(without_values(&error)))?;
        Ok(Session { paid_at: paid_at.and_then(|seconds| Timestamp::from_second(seconds).ok()), ..session })
    }

    /// Closes a Checkout Session and returns what it is now.
    ///
    /// A session that is not open any more cannot be closed; then it is read, and its status says whether
    /// it was paid (<https://docs.stripe.com/api/checkout/sessions/expire>).
    pub async fn expire(&self, id: &str, account: Option<&str>) -> Result<Session, StripeError> {
        match self.send(ExpireCheckoutSession::new(id).build(), None, account).await {
            Err(StripeError::Refused { status: 400..=499, .. }) => self.session(id, account).await,
            answer => answer,
        }
    }

    /// Gives `amount` of a payment back, under our own key.
    ///
    /// `number` counts the refunds of the payment: two who want the same one send the same key, and a third refund is another
    /// wish than the second. `attempt` counts the keys whose stored answer was a refusal.
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn refund(
        &self,
        booking: BookingId,
        payment_intent: &str,
        amount: Cents,
        reason: RefundReason,
        (number, attempt): (usize, u32),
        account: Option<&str>,
    ) -> Result<Refund, StripeError> {
        let reason = match reason {
            RefundReason::Duplicate => CreateRefundReason::Duplicate,
            RefundReason::Late | RefundReason::Cancelled | RefundReason::ByHand => {
                CreateRefundReason::RequestedByCustomer
            }
        };
        let request = CreateRefund::new()
            .payment_intent(payment_intent)
            .amount(amount.cents())
            .reason(reason)
            .metadata(HashMap::from([("booking_id".to_owned(), booking.to_string())]));
        let key = format!("refund:{booking}:{payment_intent}:{number}:{attempt}");
        self.send(request.build(), Some(&key), account).await
    }

    pub async fn refunds(&self, payment_intent: &str, account: Option<&str>) -> Result<Vec<Refund>, StripeError> {
        let request = ListRefund::new().payment_intent(payment_intent).limit(100);
        let page: Page<Refund> = self.send(request.build(), None, account).await?;
        Ok(page.data)
    }

    /// The disputes about a payment.
    ///
    /// # Errors
    /// Stripe refused or did not answer.
    pub async fn disputes(&self, payment_intent: &str, account: Option<&str>) -> Result<Vec<Dispute>, StripeError> {
        let request = ListDispute::new().payment_intent(payment_intent).limit(100);
        let page: Page<Dispute> = self.send(request.build(), None, account).await?;
        Ok(page.data)
    }

    /// One page of the events of these kinds that were made from `from` on and before `to`, the newest first.
    ///
    /// Stripe keeps them for 30 days, whatever became of their delivery
    /// (<https://docs.stripe.com/api/events/list>).
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
        let replayed = header("idempotent-replayed").as_deref() == Some("true");
        let may_retry = header("stripe-should-retry").as_deref() != Some("false") && !(status >= 500 && replayed);
        let body = answer.bytes().await.map_err(unreachable)?;
        let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if (200..300).contains(&status) {
            return Ok(value);
        }
        let field = |name: &str| value["error"][name].as_str().unwrap_or_default().to_owned();
        Err((StripeError::Refused { status, kind: field("type"), code: field("code"), replayed }, may_retry))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
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
}
