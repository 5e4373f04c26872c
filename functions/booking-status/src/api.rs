//! The operations of `booking-status`, for the API's document.

use shared::openapi::Document;

pub fn operations(doc: &mut Document) {
    doc.operation("GET", "/api/bookings/{id}", "getBooking", "What the page after the payment shows.")
        .answers::<crate::BookingView>(200)
        .refuses(&[(404, "not-found"), (503, "try-again")]);
}
