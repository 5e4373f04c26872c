//! The operations of `calcom-webhook`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation(
        "POST",
        "/api/webhooks/calcom",
        "calcomWebhook",
        "Cal.com's webhooks: an artist moved or cancelled something there.",
    )
    .in_header("X-Cal-Signature-256", json!({ "type": "string" }))
    .in_query("artist", json!({ "type": "string", "format": "uuid" }))
    .takes_an_object()
    .answers_as(200, "application/json", json!({ "type": "object" }))
    .refuses(&[
        (400, "malformed"),
        (401, "unauthenticated"),
        (413, "payload-too-large"),
        (503, "calendar-unavailable, try-again"),
    ]);
}
