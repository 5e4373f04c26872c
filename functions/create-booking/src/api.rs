//! The operations of `create-booking`, for the API's document.

use serde_json::json;
use shared::openapi::{Document, Problems};

const REFUSALS: Problems = &[
    (400, "malformed"),
    (403, "proof-required"),
    (404, "not-found"),
    (
        409,
        "slot-taken, too-far-ahead, flash-taken, flash-yours, \
         opens-soon, idempotency-mismatch, request-in-progress",
    ),
    (413, "payload-too-large"),
    (415, "unsupported-media-type"),
    (422, "invalid"),
    (429, "too-many-requests, too-many-holds, network-full, flash-rests"),
    (502, "payment-unavailable"),
    (503, "calendar-unavailable, try-again"),
];

pub fn operations(doc: &mut Document) {
    doc.operation(
        "POST",
        "/api/bookings/create",
        "createBooking",
        "Holds a slot and opens the payment of its deposit.",
    )
    .in_header("Idempotency-Key", json!({ "type": "string", "minLength": 1, "maxLength": 255 }))
    .in_header("X-Proof", json!({ "type": "string" }))
    .takes::<crate::request::BookingRequest>()
    .answers::<crate::HeldView>(201)
    .refuses(REFUSALS);
}
