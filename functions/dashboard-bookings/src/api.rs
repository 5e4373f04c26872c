//! The operations of `dashboard-bookings`, for the API's document.

use serde_json::{Value, json};
use shared::openapi::{DASHBOARD, Document, Problems};

const DASHBOARD_ACTION: Problems = &[
    (400, "malformed"),
    (401, "unauthenticated"),
    (403, "forbidden"),
    (404, "not-found, no-artist"),
    (409, "changed-meanwhile, not-possible, too-late, money-changed"),
    (415, "unsupported-media-type"),
    (422, "invalid"),
    (429, "too-many-requests"),
    (502, "stripe-unavailable"),
    (503, "sign-in-unavailable, try-again"),
];

pub fn operations(doc: &mut Document) {
    reads(doc);
    actions(doc);
}

fn reads(doc: &mut Document) {
    doc.operation(
        "GET",
        "/api/dashboard/bookings",
        "listBookings",
        "The artist's bookings: what waits for them first, then what comes, then the rest backwards.",
    )
    .in_query("view", view_of_a_list())
    .in_query("q", json!({ "type": "string", "maxLength": 100 }))
    .in_query("cursor", json!({ "type": "string" }))
    .in_query("limit", json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 30 }))
    .answers::<crate::view::BookingList>(200)
    .refuses(DASHBOARD);
    doc.operation(
        "GET",
        "/api/dashboard/bookings.csv",
        "exportBookings",
        "The same list as a file, of at most 10,000 bookings; a period by dates of the artist's zone.",
    )
    .in_query("view", view_of_a_list())
    .in_query("q", json!({ "type": "string", "maxLength": 100 }))
    .in_query("from", json!({ "type": "string", "format": "date" }))
    .in_query("to", json!({ "type": "string", "format": "date" }))
    .answers_as(200, "text/csv", json!({ "type": "string" }))
    .refuses(DASHBOARD);
    doc.operation(
        "GET",
        "/api/dashboard/bookings/suspicious",
        "listSuspiciousHolds",
        "Unpaid holds of which many come from one network, or whose network let others lapse.",
    )
    .answers::<crate::view::Suspicious>(200)
    .refuses(DASHBOARD);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/suspicious/end",
        "endSuspiciousHolds",
        "Ends those that were shown, as far as they are still suspicious and unpaid.",
    )
    .takes::<crate::EndRequest>()
    .answers::<crate::view::Ended>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation("GET", "/api/dashboard/bookings/{id}", "getBookingDetail", "Everything about one booking.")
        .answers::<crate::view::BookingDetail>(200)
        .refuses(DASHBOARD);
}

fn actions(doc: &mut Document) {
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/confirm",
        "confirmBooking",
        "Takes a booking on without its deposit. It can be taken back for ten seconds.",
    )
    .takes::<crate::ActionRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/undo-confirm",
        "undoConfirmation",
        "Takes a confirmation back, with the mails that have not left yet.",
    )
    .takes::<crate::ActionRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/cancel",
        "cancelBooking",
        "Calls an appointment off on the terms that were shown.",
    )
    .takes::<crate::CancelRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/refund",
        "refundBooking",
        "Gives a part of the deposit back, and calls nothing off.",
    )
    .takes::<crate::RefundRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/accept",
        "acceptPayment",
        "Takes a payment that is not what was asked as it came: the booking stands.",
    )
    .takes::<crate::ActionRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation("POST", "/api/dashboard/bookings/{id}/complete", "completeBooking", "Says that the client came.")
        .takes::<crate::ActionRequest>()
        .answers::<crate::view::BookingDetail>(200)
        .refuses(DASHBOARD_ACTION);
    doc.operation("POST", "/api/dashboard/bookings/{id}/no-show", "markNoShow", "Says that the client did not come.")
        .takes::<crate::ActionRequest>()
        .answers::<crate::view::BookingDetail>(200)
        .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/put-back",
        "putBackBooking",
        "Puts an appointment that was called off in Cal.com back there.",
    )
    .takes::<crate::ActionRequest>()
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
    doc.operation("POST", "/api/dashboard/bookings/{id}/note", "noteBooking", "Keeps a note for the artist.")
        .takes::<crate::NoteRequest>()
        .answers::<crate::view::BookingDetail>(200)
        .refuses(DASHBOARD_ACTION);
    doc.operation("POST", "/api/dashboard/bookings/{id}/resend", "resendMail", "Sends a mail to the client once more.")
        .takes::<crate::ResendRequest>()
        .answers::<crate::view::BookingDetail>(200)
        .refuses(DASHBOARD_ACTION);
    doc.operation(
        "POST",
        "/api/dashboard/bookings/{id}/jobs/{job}/retry",
        "retryJob",
        "Lets a job that had failed begin anew.",
    )
    .in_path("job", json!({ "type": "string", "format": "uuid" }))
    .answers::<crate::view::BookingDetail>(200)
    .refuses(DASHBOARD_ACTION);
}

fn view_of_a_list() -> Value {
    json!({ "enum": ["all", "todo", "upcoming", "past", "cancelled"], "default": "all" })
}
