//! The bodies and queries that the Stripe stand-in reads, each parsed once and strictly.

mod endpoints;
mod money;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

pub(super) use self::endpoints::{endpoint_update, new_endpoint};
pub(super) use self::money::{dispute_answer, finish_refund, new_refund};
use super::error::ApiError;
use super::ledger::{NewSession, money};
use super::objects::LineItem;
use super::params::{Params, missing};
use crate::stand_in::alphanumeric;

/// What Checkout also takes and the stand-in does not play.
const SESSION_NOT_PLAYED: &[&str] = &[
    "after_expiration",
    "automatic_tax",
    "branding_settings",
    "consent_collection",
    "currency",
    "custom_fields",
    "customer",
    "customer_account",
    "customer_update",
    "discounts",
    "integration_identifier",
    "invoice_creation",
    "managed_payments",
    "name_collection",
    "optional_items",
    "payment_method_collection",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "permissions",
    "redirect_on_completion",
    "return_url",
    "saved_payment_method_options",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
    "subscription_data",
    "tax_id_collection",
    "wallet_options",
];

const INTENT_NOT_PLAYED: &[&str] = &[
    "application_fee_amount",
    "on_behalf_of",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "transfer_data",
    "transfer_group",
];

const LINE_NOT_PLAYED: &[&str] = &["adjustable_quantity", "dynamic_tax_rates", "metadata", "tax_rates"];

const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hr", "hu",
    "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk", "sl", "sv",
    "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

const METHODS: &[&str] = &["card", "link", "paypal", "klarna", "sepa_debit", "bancontact", "ideal", "revolut_pay"];

/// Currencies the stand-in knows, with Stripe's smallest charge.
const CURRENCIES: &[(&str, i64)] = &[("eur", 50), ("usd", 50), ("gbp", 30), ("chf", 50)];

/// The largest amount of one payment, in cents.
const LARGEST_AMOUNT: i64 = 99_999_999;

const MOST_LINES: usize = 100;

/// The longest name or address.
const LONGEST_TEXT: usize = 5_000;

const LONGEST_DESCRIPTION: usize = 40_000;

const SHORTEST_LIFE: i64 = 30 * 60;
const LONGEST_LIFE: i64 = 24 * 60 * 60;

/// `POST /v1/checkout/sessions`.
pub(super) fn new_session(
    params: &mut Params,
    account: Option<&str>,
    now: i64,
    endive: bool,
) -> Result<NewSession, ApiError> {
    is_a_hosted_payment(params)?;
    let success_url = params.url("success_url", LONGEST_TEXT)?.ok_or_else(|| missing("success_url"))?;
    let cancel_url = params.url("cancel_url", LONGEST_TEXT)?;
    let (line_items, currency) = line_items(params)?;
    let mut echo = Map::new();
    let (payment_method_types, allowed) = methods(params, endive)?;
    if let Some(allowed) = allowed {
        echo.insert("allowed_payment_method_types".to_owned(), json!(allowed));
    }
    let customer_email = email(params, "customer_email")?;
    let client_reference_id = params.bounded_text("client_reference_id", 200)?;
    let metadata = params.metadata()?;
    let intent = intent_data(params)?;
    only_shown_again(params, &mut echo)?;
    let expires_at = expires_at(params, now)?;
    Ok(NewSession {
        account: account.map(str::to_owned),
        expires_at,
        currency,
        line_items,
        customer_email,
        client_reference_id,
        metadata,
        success_url,
        cancel_url,
        payment_method_types,
        intent_metadata: intent.metadata,
        intent_description: intent.description,
        intent_receipt_email: intent.receipt_email,
        intent_statement_suffix: intent.statement_suffix,
        echo,
    })
}

/// What else Checkout offers is not played.
fn is_a_hosted_payment(params: &mut Params) -> Result<(), ApiError> {
    match params.choice("mode", &["payment", "setup", "subscription"])?.as_deref() {
        Some("payment") => {}
        None => return Err(missing("mode")),
        Some(other) => {
            return Err(ApiError::invalid(format!("The stand-in does not play `mode={other}`"))
                .code("not_played_by_the_stand_in")
                .param("mode"));
        }
    }
    // Renamed from `hosted` in recent versions.
    if let Some(mode) = params.choice("ui_mode", &["hosted_page", "embedded_page", "elements", "form"])?
        && mode != "hosted_page"
    {
        return Err(ApiError::invalid(format!("The stand-in does not play `ui_mode={mode}`")).param("ui_mode"));
    }
    Ok(())
}

#[derive(Default)]
struct IntentData {
    metadata: BTreeMap<String, String>,
    description: Option<String>,
    receipt_email: Option<String>,
    statement_suffix: Option<String>,
}

fn intent_data(params: &mut Params) -> Result<IntentData, ApiError> {
    let Some(mut intent) = params.group("payment_intent_data")? else { return Ok(IntentData::default()) };
    let data = IntentData {
        metadata: intent.metadata()?,
        description: intent.bounded_text("description", 1000)?,
        receipt_email: email(&mut intent, "receipt_email")?,
        statement_suffix: intent.bounded_text("statement_descriptor_suffix", 22)?,
    };
    intent.choice("capture_method", &["automatic", "automatic_async"])?;
    intent.finish(INTENT_NOT_PLAYED)?;
    Ok(data)
}

/// What changes nothing of a session, and is part of the object all the same.
fn only_shown_again(params: &mut Params, echo: &mut Map<String, Value>) -> Result<(), ApiError> {
    for (name, words) in [
        ("locale", LOCALES),
        ("billing_address_collection", &["auto", "required"]),
        ("submit_type", &["auto", "book", "donate", "pay", "subscribe"]),
        ("customer_creation", &["always", "if_required"]),
        ("origin_context", &["mobile_app", "web"]),
    ] {
        if let Some(word) = params.choice(name, words)? {
            echo.insert(name.to_owned(), json!(word));
        }
    }
    if let Some(allowed) = params.boolean("allow_promotion_codes")? {
        echo.insert("allow_promotion_codes".to_owned(), json!(allowed));
    }
    for name in ["adaptive_pricing", "phone_number_collection"] {
        if let Some(mut group) = params.group(name)? {
            let enabled = group.boolean("enabled")?.ok_or_else(|| missing(&format!("{name}[enabled]")))?;
            group.finish(&[])?;
            echo.insert(name.to_owned(), json!({"enabled": enabled}));
        }
    }
    let excluded = params.texts("excluded_payment_method_types")?;
    if !excluded.is_empty() {
        echo.insert("excluded_payment_method_types".to_owned(), json!(excluded));
    }
    if let Some(text) = custom_text(params)? {
        echo.insert("custom_text".to_owned(), text);
    }
    Ok(())
}

pub(super) fn finish_session(params: Params) -> Result<(), ApiError> {
    params.finish(SESSION_NOT_PLAYED)
}

fn expires_at(params: &mut Params, now: i64) -> Result<i64, ApiError> {
    let Some(asked) = params.integer("expires_at")? else { return Ok(now + LONGEST_LIFE) };
    // Stripe names no parameter in these two.
    if asked < now + SHORTEST_LIFE {
        return Err(ApiError::invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        ));
    }
    if asked > now + LONGEST_LIFE {
        return Err(ApiError::invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        ));
    }
    Ok(asked)
}

fn line_items(params: &mut Params) -> Result<(Vec<LineItem>, String), ApiError> {
    let groups = params.groups("line_items")?;
    if groups.is_empty() {
        return Err(missing("line_items"));
    }
    if groups.len() > MOST_LINES {
        return Err(
            ApiError::invalid(format!("A Checkout Session has at most {MOST_LINES} line items.")).param("line_items")
        );
    }
    let items: Vec<LineItem> =
        groups.into_iter().enumerate().map(|(at, line)| line_item(at, line)).collect::<Result<_, _>>()?;
    let currency = items[0].currency.clone();
    if items.iter().any(|item| item.currency != currency) {
        return Err(ApiError::invalid("All line items must have the same currency.").param("line_items"));
    }
    let total = items.iter().map(LineItem::amount).fold(0, i64::saturating_add);
    let least = CURRENCIES.iter().find(|(known, _)| *known == currency).map_or(50, |(_, least)| *least);
    if total < least {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must add up to at least {} {currency}",
            money(least, &currency)
        ))
        .code("amount_too_small"));
    }
    if total > LARGEST_AMOUNT {
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must be no more than {} {currency}",
            money(LARGEST_AMOUNT, &currency)
        ))
        .code("amount_too_large"));
    }
    Ok((items, currency))
}

fn line_item(at: usize, mut line: Params) -> Result<LineItem, ApiError> {
    if let Some(price) = line.text("price")? {
        return Err(ApiError::invalid(format!("No such price: '{price}'"))
            .code("resource_missing")
            .param(format!("line_items[{at}][price]")));
    }
    let mut price = line.group("price_data")?.ok_or_else(|| missing(&format!("line_items[{at}][price_data]")))?;
    let currency = price.required_text("currency")?.to_lowercase();
    if !CURRENCIES.iter().any(|(known, _)| *known == currency) {
        return Err(ApiError::invalid(format!("Invalid currency: {currency}. The stand-in knows eur, usd, gbp, chf."))
            .param(format!("line_items[{at}][price_data][currency]")));
    }
    let unit_amount = price
        .non_negative("unit_amount")?
        .ok_or_else(|| missing(&format!("line_items[{at}][price_data][unit_amount]")))?;
    if unit_amount > LARGEST_AMOUNT {
        return Err(ApiError::invalid(format!("Invalid integer: the amount must be no more than {LARGEST_AMOUNT}"))
            .code("amount_too_large")
            .param(format!("line_items[{at}][price_data][unit_amount]")));
    }
    let full = format!("line_items[{at}][price_data][product_data]");
    let mut product = price.group("product_data")?.ok_or_else(|| missing(&full))?;
    let name = product.bounded_text("name", LONGEST_TEXT)?.ok_or_else(|| missing(&format!("{full}[name]")))?;
    let description = product.bounded_text("description", LONGEST_DESCRIPTION)?;
    product.metadata()?;
    product.texts("images")?;
    product.finish(&["tax_code", "unit_label", "tax_details"])?;
    let tax_behavior = price
        .choice("tax_behavior", &["exclusive", "inclusive", "unspecified"])?
        .unwrap_or_else(|| "unspecified".to_owned());
    price.finish(&["product", "recurring", "unit_amount_decimal"])?;
    let quantity = line.positive("quantity")?.ok_or_else(|| missing(&format!("line_items[{at}][quantity]")))?;
    line.finish(LINE_NOT_PLAYED)?;
    Ok(LineItem {
        id: format!("li_1{}", alphanumeric(23)),
        price: format!("price_1{}", alphanumeric(23)),
        product: format!("prod_{}", alphanumeric(14)),
        name,
        description,
        unit_amount,
        quantity,
        currency,
        tax_behavior,
    })
}

/// The methods a session may take, and the filter to show again.
///
/// 2026-09-30.endive removed `payment_method_types` and has `allowed_payment_method_types` in its place.
fn methods(params: &mut Params, endive: bool) -> Result<(Vec<String>, Option<Vec<String>>), ApiError> {
    let name = if endive { "allowed_payment_method_types" } else { "payment_method_types" };
    if endive && !params.texts("payment_method_types")?.is_empty() {
        return Err(ApiError::invalid(
            "The `payment_method_types` parameter is no longer supported in this API version. Use dynamic payment \
             methods, `allowed_payment_method_types` or `excluded_payment_method_types`.",
        )
        .code("payment_method_types_no_longer_supported")
        .param("payment_method_types"));
    }
    let asked = params.texts(name)?;
    for (at, method) in asked.iter().enumerate() {
        if !METHODS.contains(&method.as_str()) {
            return Err(ApiError::invalid(format!("Invalid {name}[{at}]: must be one of {}", METHODS.join(", ")))
                .param(format!("{name}[{at}]")));
        }
    }
    // Stripe chooses when nothing is asked; the demonstration account has cards and Link.
    Ok(match (asked.is_empty(), endive) {
        (true, _) => (vec!["card".to_owned(), "link".to_owned()], None),
        (false, true) => (asked.clone(), Some(asked)),
        (false, false) => (asked, None),
    })
}

fn email(params: &mut Params, name: &str) -> Result<Option<String>, ApiError> {
    let text = params.bounded_text(name, 512)?;
    if let Some(text) = &text
        && !is_email(text)
    {
        return Err(ApiError::invalid(format!("Invalid email address: {text}")).code("email_invalid").param(name));
    }
    Ok(text)
}

fn is_email(text: &str) -> bool {
    let dotted = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && dotted(local) && domain.contains('.') && dotted(domain) && !domain.contains('@')
    }) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn custom_text(params: &mut Params) -> Result<Option<Value>, ApiError> {
    let Some(mut group) = params.group("custom_text")? else { return Ok(None) };
    let mut texts = Map::new();
    for name in ["after_submit", "shipping_address", "submit", "terms_of_service_acceptance"] {
        let message = match group.group(name)? {
            None => Value::Null,
            Some(mut text) => {
                let message = text.bounded_text("message", 1200)?;
                text.finish(&[])?;
                json!({"message": message})
            }
        };
        texts.insert(name.to_owned(), message);
    }
    group.finish(&[])?;
    Ok(Some(Value::Object(texts)))
}

/// Which page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) starting_after: Option<String>,
    pub(super) ending_before: Option<String>,
}

pub(super) fn page(params: &mut Params) -> Result<Page, ApiError> {
    let limit = params.integer("limit")?.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return Err(
            ApiError::invalid(format!("Invalid integer: {limit}. `limit` must be between 1 and 100.")).param("limit")
        );
    }
    Ok(Page {
        limit: usize::try_from(limit).unwrap_or(10),
        starting_after: params.text("starting_after")?,
        ending_before: params.text("ending_before")?,
    })
}

/// A range of creation times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Created {
    from: Option<i64>,
    until: Option<i64>,
}

impl Created {
    pub(super) fn holds(self, at: i64) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at <= until)
    }
}

pub(super) fn created(params: &mut Params) -> Result<Created, ApiError> {
    // `created=1700000000` names one second, `created[gte]=…` a range.
    if let Ok(Some(at)) = params.clone().integer("created") {
        params.integer("created")?;
        return Ok(Created { from: Some(at), until: Some(at) });
    }
    let Some(mut range) = params.group("created")? else { return Ok(Created::default()) };
    let from = range.integer("gte")?.max(range.integer("gt")?.map(|at| at + 1));
    let until = match (range.integer("lte")?, range.integer("lt")?.map(|at| at - 1)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    range.finish(&[])?;
    Ok(Created { from, until })
}
