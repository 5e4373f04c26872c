//! The operations of `calendar-file`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation(
        "GET",
        "/api/bookings/{id}/calendar.ics",
        "getBookingCalendar",
        "The appointment as a calendar file, once it stands.",
    )
    .answers_as(200, "text/calendar", json!({ "type": "string" }))
    .refuses(&[(404, "not-found"), (503, "try-again")]);
}
