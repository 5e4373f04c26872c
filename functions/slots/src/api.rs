//! The operations of `slots`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation("GET", "/api/calendar/slots", "getSlots", "Free slots for a flash, or without one for a project.")
        .must_ask("artist", json!({ "type": "string" }))
        .in_query("date", json!({ "type": "string", "format": "date" }))
        .in_query("days", json!({ "type": "integer", "minimum": 1, "maximum": 31, "default": 7 }))
        .in_query("flash", json!({ "type": "string", "format": "uuid" }))
        .answers::<crate::SlotsView<'static>>(200)
        .refuses(&[
            (400, "malformed"),
            (404, "not-found"),
            (422, "invalid"),
            (429, "too-many-requests"),
            (503, "calendar-unavailable, try-again"),
        ]);
}
