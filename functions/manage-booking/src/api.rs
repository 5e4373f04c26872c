//! The operations of `manage-booking`, for the API's document.

use serde_json::json;
use shared::openapi::Document;

/// Describes them.
pub fn operations(doc: &mut Document) {
    doc.operation("POST", "/api/bookings/{id}/release", "releaseBooking", "Gives an unpaid slot back.")
        .answers::<crate::ReleasedView>(200)
        .refuses(&[(404, "not-found"), (409, "already-paid"), (502, "payment-unavailable"), (503, "try-again")]);
    doc.operation(
        "POST",
        "/api/bookings/{id}/check",
        "checkBooking",
        "Asks Stripe whether the booking is paid, at most once in a few seconds.",
    )
    .answers::<crate::CheckedView>(200)
    .refuses(&[(404, "not-found"), (502, "stripe-unavailable"), (503, "try-again")]);
    doc.operation(
        "GET",
        "/api/bookings/{id}/calendar.ics",
        "getBookingCalendar",
        "The appointment as a calendar file, once it stands.",
    )
    .answers_as(200, "text/calendar", json!({ "type": "string" }))
    .refuses(&[(404, "not-found"), (503, "try-again")]);
}
