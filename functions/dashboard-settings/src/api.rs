//! The operations of `dashboard-settings`, for the API's document.

use shared::openapi::{Document, Problems};

use crate::{calendar, flashes, hours, images, profile, rules};

const READ: Problems = &[(401, "unauthenticated"), (404, "no-artist"), (503, "sign-in-unavailable, try-again")];

const ONE: Problems = &[
    (401, "unauthenticated"),
    (403, "forbidden"),
    (404, "no-artist, not-found"),
    (503, "sign-in-unavailable, try-again"),
];

const WRITE: Problems = &[
    (400, "malformed"),
    (401, "unauthenticated"),
    (403, "forbidden"),
    (404, "no-artist, not-found"),
    (413, "payload-too-large"),
    (415, "unsupported-media-type"),
    (422, "invalid"),
    (429, "too-many-requests"),
    (503, "sign-in-unavailable, try-again"),
];

pub fn operations(doc: &mut Document) {
    page(doc);
    times(doc);
    flashes_and_pictures(doc);
    calendar_of_cal_com(doc);
}

fn page(doc: &mut Document) {
    doc.operation("GET", "/api/dashboard/profile", "getProfile", "Who the artist is.")
        .answers::<profile::ProfileView>(200)
        .refuses(READ);
    doc.operation(
        "PUT",
        "/api/dashboard/profile",
        "saveProfile",
        "Sets who the artist is; an account's first profile creates its page, with 201.",
    )
    .takes::<profile::ProfileInput>()
    .answers::<profile::ProfileView>(200)
    .refuses(WRITE);
    doc.operation(
        "POST",
        "/api/dashboard/profile/email/link",
        "mailContactLink",
        "Mails another link to the address that waits to be confirmed.",
    )
    .answers::<profile::ProfileView>(202)
    .refuses(WRITE);
    doc.operation(
        "POST",
        "/api/dashboard/profile/email/follow",
        "followContactLink",
        "Confirms an address by what the link of its mail carries.",
    )
    .takes::<profile::ContactLink>()
    .answers::<profile::ProfileView>(200)
    .refuses(WRITE);
    doc.operation("GET", "/api/dashboard/rules", "getRules", "Deposit and slots.")
        .answers::<rules::RulesView>(200)
        .refuses(READ);
    doc.operation("PUT", "/api/dashboard/rules", "saveRules", "Sets deposit and slots, for bookings still to be made.")
        .takes::<rules::RulesInput>()
        .answers::<rules::RulesView>(200)
        .refuses(WRITE);
    doc.operation("GET", "/api/dashboard/policy", "getPolicy", "What a cancellation costs.")
        .answers::<rules::OwnPolicyView>(200)
        .refuses(READ);
    doc.operation(
        "PUT",
        "/api/dashboard/policy",
        "savePolicy",
        "Sets what a cancellation costs, for bookings still to be made.",
    )
    .takes::<rules::PolicyInput>()
    .answers::<rules::OwnPolicyView>(200)
    .refuses(WRITE);
    doc.operation(
        "POST",
        "/api/dashboard/policy/preview",
        "previewPolicy",
        "A policy as the client would read it; writes nothing.",
    )
    .takes::<rules::PolicyInput>()
    .answers::<rules::Sentences>(200)
    .refuses(WRITE);
}

fn times(doc: &mut Document) {
    doc.operation("GET", "/api/dashboard/hours", "getHours", "The hours of a week.")
        .answers::<hours::Hours>(200)
        .refuses(READ);
    doc.operation("PUT", "/api/dashboard/hours", "saveHours", "Replaces the hours of the week.")
        .takes::<hours::Hours>()
        .answers::<hours::Hours>(200)
        .refuses(WRITE);
    doc.operation("GET", "/api/dashboard/time-off", "getTimeOff", "The time off that is not over.")
        .answers::<hours::TimeOffList>(200)
        .refuses(READ);
    doc.operation(
        "POST",
        "/api/dashboard/time-off",
        "takeTimeOff",
        "Takes time off, and tells which appointments lie in it.",
    )
    .takes::<hours::TimeOffInput>()
    .answers::<hours::TakenOff>(201)
    .refuses(WRITE);
    doc.operation("DELETE", "/api/dashboard/time-off/{id}", "deleteTimeOff", "Takes time off back.")
        .answers_nothing(204)
        .refuses(ONE);
}

fn flashes_and_pictures(doc: &mut Document) {
    doc.operation("GET", "/api/dashboard/flashes", "getFlashes", "Every flash of the artist.")
        .answers::<flashes::OwnFlashes>(200)
        .refuses(READ);
    doc.operation("POST", "/api/dashboard/flashes", "createFlash", "Puts a flash on sale.")
        .takes::<flashes::FlashInput>()
        .answers::<flashes::OwnFlash>(201)
        .refuses(WRITE);
    doc.operation(
        "PUT",
        "/api/dashboard/flashes/{id}",
        "changeFlash",
        "Changes a flash; what somebody has booked of it stays.",
    )
    .takes::<flashes::FlashInput>()
    .answers::<flashes::OwnFlash>(200)
    .refuses(WRITE);
    doc.operation("POST", "/api/dashboard/flashes/{id}/archive", "archiveFlash", "Takes a flash off the page.")
        .answers::<flashes::OwnFlash>(200)
        .refuses(ONE);
    doc.operation("POST", "/api/dashboard/flashes/{id}/restore", "restoreFlash", "Puts an archived flash back.")
        .answers::<flashes::OwnFlash>(200)
        .refuses(ONE);
    doc.operation("POST", "/api/dashboard/images", "announceImage", "Says where a picture may be sent.")
        .takes::<images::UploadInput>()
        .answers::<images::Announced>(201)
        .refuses(WRITE);
    doc.operation("GET", "/api/dashboard/images/{id}", "getImage", "What became of a picture.")
        .answers::<images::ImageView>(200)
        .refuses(ONE);
}

fn calendar_of_cal_com(doc: &mut Document) {
    doc.operation(
        "GET",
        "/api/dashboard/calendar",
        "getCalendar",
        "The way into the artist's Cal.com, without its key.",
    )
    .answers::<calendar::ConnectionView>(200)
    .refuses(READ);
    doc.operation("PUT", "/api/dashboard/calendar", "connectCalendar", "Connects Cal.com, and has it tell of changes.")
        .takes::<calendar::ConnectionInput>()
        .answers::<calendar::ConnectionView>(200)
        .refuses(WRITE);
    doc.operation("DELETE", "/api/dashboard/calendar", "disconnectCalendar", "Forgets the connection and its key.")
        .answers_nothing(204)
        .refuses(READ);
    doc.operation(
        "POST",
        "/api/dashboard/calendar/test",
        "testCalendar",
        "Says in words what is wrong with a connection.",
    )
    .takes::<calendar::ConnectionInput>()
    .answers::<calendar::TestView>(200)
    .refuses(WRITE);
}
