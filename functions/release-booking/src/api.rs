//! The operations of `release-booking`, for the API's document.

use shared::openapi::Document;

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
}
