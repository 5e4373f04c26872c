//! The operations of `dashboard-settings`. Each wants a signed-in artist.

use dashboard_settings::{calendar, flashes, hours, images, profile, rules};
use serde_json::json;

use super::{Document, NOTHING, Operation, Problems, in_path};

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

/// An operation: its method and path, its name, what it is, whether it names a thing.
type Row = (&'static str, &'static str, &'static str, &'static str);

impl Document {
    pub(super) fn settings(&mut self) -> Vec<((&'static str, &'static str), Operation)> {
        let json = |schema| ("application/json", schema);
        let operation = |(method, path, id, summary): Row, body, (status, (media, schema)), problems| {
            let by_id = || vec![in_path("id", &json!({ "type": "string", "format": "uuid" }))];
            let parameters = if path.contains("{id}") { by_id() } else { Vec::new() };
            let operation = Operation { id, summary, parameters, body, success: (status, media, schema), problems };
            ((method, path), operation)
        };
        vec![
            operation(
                ("GET", "/api/dashboard/profile", "getProfile", "Who the artist is."),
                None,
                (200, json(self.answer::<profile::ProfileView>())),
                READ,
            ),
            operation(
                (
                    "PUT",
                    "/api/dashboard/profile",
                    "saveProfile",
                    "Sets who the artist is; an account's first profile creates its page, with 201.",
                ),
                Some(self.request::<profile::ProfileInput>()),
                (200, json(self.answer::<profile::ProfileView>())),
                WRITE,
            ),
            operation(
                (
                    "POST",
                    "/api/dashboard/profile/email/link",
                    "mailContactLink",
                    "Mails another link to the address that waits to be confirmed.",
                ),
                None,
                (202, json(self.answer::<profile::ProfileView>())),
                WRITE,
            ),
            operation(
                (
                    "POST",
                    "/api/dashboard/profile/email/follow",
                    "followContactLink",
                    "Confirms an address by what the link of its mail carries.",
                ),
                Some(self.request::<profile::ContactLink>()),
                (200, json(self.answer::<profile::ProfileView>())),
                WRITE,
            ),
            operation(
                ("GET", "/api/dashboard/rules", "getRules", "Deposit and slots."),
                None,
                (200, json(self.answer::<rules::RulesView>())),
                READ,
            ),
            operation(
                ("PUT", "/api/dashboard/rules", "saveRules", "Sets deposit and slots, for bookings still to be made."),
                Some(self.request::<rules::RulesInput>()),
                (200, json(self.answer::<rules::RulesView>())),
                WRITE,
            ),
            operation(
                ("GET", "/api/dashboard/policy", "getPolicy", "What a cancellation costs."),
                None,
                (200, json(self.answer::<rules::OwnPolicyView>())),
                READ,
            ),
            operation(
                (
                    "PUT",
                    "/api/dashboard/policy",
                    "savePolicy",
                    "Sets what a cancellation costs, for bookings still to be made.",
                ),
                Some(self.request::<rules::PolicyInput>()),
                (200, json(self.answer::<rules::OwnPolicyView>())),
                WRITE,
            ),
            operation(
                (
                    "POST",
                    "/api/dashboard/policy/preview",
                    "previewPolicy",
                    "A policy as the client would read it; writes nothing.",
                ),
                Some(self.request::<rules::PolicyInput>()),
                (200, json(self.answer::<rules::Sentences>())),
                WRITE,
            ),
            operation(
                ("GET", "/api/dashboard/hours", "getHours", "The hours of a week."),
                None,
                (200, json(self.answer::<hours::Hours>())),
                READ,
            ),
            operation(
                ("PUT", "/api/dashboard/hours", "saveHours", "Replaces the hours of the week."),
                Some(self.request::<hours::Hours>()),
                (200, json(self.answer::<hours::Hours>())),
                WRITE,
            ),
            operation(
                ("GET", "/api/dashboard/time-off", "getTimeOff", "The time off that is not over."),
                None,
                (200, json(self.answer::<hours::TimeOffList>())),
                READ,
            ),
            operation(
                (
                    "POST",
                    "/api/dashboard/time-off",
                    "takeTimeOff",
                    "Takes time off, and tells which appointments lie in it.",
                ),
                Some(self.request::<hours::TimeOffInput>()),
                (201, json(self.answer::<hours::TakenOff>())),
                WRITE,
            ),
            operation(
                ("DELETE", "/api/dashboard/time-off/{id}", "deleteTimeOff", "Takes time off back."),
                None,
                (204, NOTHING),
                ONE,
            ),
            operation(
                ("GET", "/api/dashboard/flashes", "getFlashes", "Every flash of the artist."),
                None,
                (200, json(self.answer::<flashes::OwnFlashes>())),
                READ,
            ),
            operation(
                ("POST", "/api/dashboard/flashes", "createFlash", "Puts a flash on sale."),
                Some(self.request::<flashes::FlashInput>()),
                (201, json(self.answer::<flashes::OwnFlash>())),
                WRITE,
            ),
            operation(
                (
                    "PUT",
                    "/api/dashboard/flashes/{id}",
                    "changeFlash",
                    "Changes a flash; what somebody has booked of it stays.",
                ),
                Some(self.request::<flashes::FlashInput>()),
                (200, json(self.answer::<flashes::OwnFlash>())),
                WRITE,
            ),
            operation(
                ("POST", "/api/dashboard/flashes/{id}/archive", "archiveFlash", "Takes a flash off the page."),
                None,
                (200, json(self.answer::<flashes::OwnFlash>())),
                ONE,
            ),
            operation(
                ("POST", "/api/dashboard/flashes/{id}/restore", "restoreFlash", "Puts an archived flash back."),
                None,
                (200, json(self.answer::<flashes::OwnFlash>())),
                ONE,
            ),
            operation(
                ("POST", "/api/dashboard/images", "announceImage", "Says where a picture may be sent."),
                Some(self.request::<images::UploadInput>()),
                (201, json(self.answer::<images::Announced>())),
                WRITE,
            ),
            operation(
                ("GET", "/api/dashboard/images/{id}", "getImage", "What became of a picture."),
                None,
                (200, json(self.answer::<images::ImageView>())),
                ONE,
            ),
            operation(
                (
                    "GET",
                    "/api/dashboard/calendar",
                    "getCalendar",
                    "The way into the artist's Cal.com, without its key.",
                ),
                None,
                (200, json(self.answer::<calendar::ConnectionView>())),
                READ,
            ),
            operation(
                ("PUT", "/api/dashboard/calendar", "connectCalendar", "Connects Cal.com, and has it tell of changes."),
                Some(self.request::<calendar::ConnectionInput>()),
                (200, json(self.answer::<calendar::ConnectionView>())),
                WRITE,
            ),
            operation(
                ("DELETE", "/api/dashboard/calendar", "disconnectCalendar", "Forgets the connection and its key."),
                None,
                (204, NOTHING),
                READ,
            ),
            operation(
                (
                    "POST",
                    "/api/dashboard/calendar/test",
                    "testCalendar",
                    "Says in words what is wrong with a connection.",
                ),
                Some(self.request::<calendar::ConnectionInput>()),
                (200, json(self.answer::<calendar::TestView>())),
                WRITE,
            ),
        ]
    }
}
