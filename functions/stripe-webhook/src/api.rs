//! The operations of `stripe-webhook`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation("POST", "/api/webhooks/stripe", "stripeWebhook", "Stripe's events.")
        .in_header("Stripe-Signature", json!({ "type": "string" }))
        .takes_an_object()
        .answers_as(200, "application/json", json!({ "type": "object" }))
        .refuses(&[(400, "malformed"), (401, "unauthenticated"), (413, "payload-too-large"), (503, "try-again")]);
}
