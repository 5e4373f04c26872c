//! The OpenAPI document, generated from the types that the functions read and answer with. The frontend's types come
//! from it, so a document that does not match the code fails here; `make openapi` writes it anew.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

#[path = "openapi/settings.rs"]
mod settings;

/// What an operation answers when it does not do what was asked: status and slugs of the problems.
type Problems = &'static [(u16, &'static str)];

struct Operation {
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    success: (u16, &'static str, Value),
    problems: Problems,
}

/// An answer without a body.
const NOTHING: (&str, Value) = ("", Value::Null);

const SIGNING_IN: Problems = &[
    (400, "malformed"),
    (401, "wrong-credentials, link-expired"),
    (403, "forbidden, sign-up-closed"),
    (415, "unsupported-media-type"),
    (422, "invalid"),
    (429, "too-many-requests"),
    (503, "sign-in-unavailable, try-again"),
];

const FOLLOWING: Problems = &[
    (400, "malformed"),
    (401, "link-expired"),
    (403, "forbidden"),
    (409, "already-signed-in"),
    (415, "unsupported-media-type"),
    (429, "too-many-requests"),
    (503, "sign-in-unavailable, try-again"),
];

const DASHBOARD: Problems = &[
    (400, "malformed"),
    (401, "unauthenticated"),
    (404, "not-found, no-artist"),
    (422, "invalid"),
    (503, "sign-in-unavailable, try-again"),
];

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

struct Document {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Document {
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            answers: settings().for_serialize().into_generator(),
            requests: settings().for_deserialize().into_generator(),
        }
    }

    fn answer<T: JsonSchema>(&mut self) -> Value {
        plain(self.answers.subschema_for::<T>())
    }

    fn request<T: JsonSchema>(&mut self) -> Value {
        plain(self.requests.subschema_for::<T>())
    }

    fn operations(&mut self) -> BTreeMap<(&'static str, &'static str), Operation> {
        let json = |schema| ("application/json", schema);
        let ok = |status, (media, schema): (&'static str, Value)| (status, media, schema);
        let mut all = BTreeMap::from([
            (
                ("GET", "/api/artists"),
                Operation {
                    id: "listArtists",
                    summary: "Who can be booked here.",
                    parameters: vec![],
                    body: None,
                    success: ok(200, json(self.answer::<artist_page::ArtistList>())),
                    problems: &[(503, "try-again")],
                },
            ),
            (
                ("GET", "/api/artists/{slug}"),
                Operation {
                    id: "getArtist",
                    summary: "What the artist's page shows.",
                    parameters: vec![in_path("slug", &json!({ "type": "string" }))],
                    body: None,
                    success: ok(200, json(self.answer::<artist_page::ArtistView>())),
                    problems: &[(404, "not-found"), (503, "try-again")],
                },
            ),
            (
                ("GET", "/artist/{slug}"),
                Operation {
                    id: "getArtistPage",
                    summary: "The same as a page.",
                    parameters: vec![
                        in_path("slug", &json!({ "type": "string" })),
                        in_query("lang", false, &json!({ "enum": ["fr", "en"] })),
                    ],
                    body: None,
                    success: ok(200, ("text/html", json!({ "type": "string" }))),
                    problems: &[(503, "try-again")],
                },
            ),
            (
                ("GET", "/api/calendar/slots"),
                Operation {
                    id: "getSlots",
                    summary: "Free slots for a flash, or without one for a project.",
                    parameters: vec![
                        in_query("artist", true, &json!({ "type": "string" })),
                        in_query("date", false, &json!({ "type": "string", "format": "date" })),
                        in_query(
                            "days",
                            false,
                            &json!({ "type": "integer", "minimum": 1, "maximum": 31, "default": 7 }),
                        ),
                        in_query("flash", false, &json!({ "type": "string", "format": "uuid" })),
                    ],
                    body: None,
                    success: ok(200, json(self.answer::<slots::SlotsView<'static>>())),
                    problems: &[
                        (400, "malformed"),
                        (404, "not-found"),
                        (422, "invalid"),
                        (429, "too-many-requests"),
                        (503, "calendar-unavailable, try-again"),
                    ],
                },
            ),
            (
                ("POST", "/api/bookings/create"),
                Operation {
                    id: "createBooking",
                    summary: "Holds a slot and opens the payment of its deposit.",
                    parameters: vec![
                        in_header("Idempotency-Key", &json!({ "type": "string", "minLength": 1, "maxLength": 255 })),
                        in_header("X-Proof", &json!({ "type": "string" })),
                    ],
                    body: Some(self.request::<create_booking::request::BookingRequest>()),
                    success: ok(201, json(self.answer::<create_booking::HeldView>())),
                    problems: &[
                        (400, "malformed"),
                        (403, "proof-required"),
                        (404, "not-found"),
                        (
                            409,
                            "slot-taken, too-far-ahead, flash-taken, flash-yours, opens-soon, idempotency-mismatch, request-in-progress",
                        ),
                        (413, "payload-too-large"),
                        (415, "unsupported-media-type"),
                        (422, "invalid"),
                        (429, "too-many-requests, too-many-holds, network-full, flash-rests"),
                        (502, "payment-unavailable"),
                        (503, "calendar-unavailable, try-again"),
                    ],
                },
            ),
            (
                ("GET", "/api/bookings/{id}"),
                Operation {
                    id: "getBooking",
                    summary: "What the page after the payment shows.",
                    parameters: vec![booking_id()],
                    body: None,
                    success: ok(200, json(self.answer::<booking_status::BookingView>())),
                    problems: &[(404, "not-found"), (503, "try-again")],
                },
            ),
            (
                ("POST", "/api/bookings/{id}/release"),
                Operation {
                    id: "releaseBooking",
                    summary: "Gives an unpaid slot back.",
                    parameters: vec![booking_id()],
                    body: None,
                    success: ok(200, json(self.answer::<manage_booking::ReleasedView>())),
                    problems: &[
                        (404, "not-found"),
                        (409, "already-paid"),
                        (502, "payment-unavailable"),
                        (503, "try-again"),
                    ],
                },
            ),
            (
                ("POST", "/api/page-errors"),
                Operation {
                    id: "tellPageError",
                    summary: "A page of the site failed in a browser: one line for the operator.",
                    parameters: Vec::new(),
                    body: Some(self.request::<page_errors::PageError>()),
                    success: ok(202, json(self.answer::<page_errors::Noted>())),
                    problems: &[
                        (400, "malformed"),
                        (413, "payload-too-large"),
                        (415, "unsupported-media-type"),
                        (422, "invalid"),
                        (429, "too-many-requests"),
                        (503, "try-again"),
                    ],
                },
            ),
            (
                ("POST", "/api/bookings/{id}/check"),
                Operation {
                    id: "checkBooking",
                    summary: "Asks Stripe whether the booking is paid, at most once in a few seconds.",
                    parameters: vec![booking_id()],
                    body: None,
                    success: ok(200, json(self.answer::<manage_booking::CheckedView>())),
                    problems: &[(404, "not-found"), (502, "stripe-unavailable"), (503, "try-again")],
                },
            ),
            (
                ("GET", "/api/bookings/{id}/calendar.ics"),
                Operation {
                    id: "getBookingCalendar",
                    summary: "The appointment as a calendar file, once it stands.",
                    parameters: vec![booking_id()],
                    body: None,
                    success: ok(200, ("text/calendar", json!({ "type": "string" }))),
                    problems: &[(404, "not-found"), (503, "try-again")],
                },
            ),
            (
                ("POST", "/api/contact/read"),
                Operation {
                    id: "readContact",
                    summary: "How a telephone number and an e-mail address are understood, before anything is booked.",
                    parameters: Vec::new(),
                    body: Some(self.request::<contact::ReadRequest>()),
                    success: ok(200, json(self.answer::<contact::Reading>())),
                    problems: &[(400, "malformed"), (413, "payload-too-large"), (415, "unsupported-media-type")],
                },
            ),
            (
                ("POST", "/api/webhooks/calcom"),
                Operation {
                    id: "calcomWebhook",
                    summary: "Cal.com's webhooks: an artist moved or cancelled something there.",
                    parameters: vec![
                        in_header("X-Cal-Signature-256", &json!({ "type": "string" })),
                        in_query("artist", false, &json!({ "type": "string", "format": "uuid" })),
                    ],
                    body: Some(json!({ "type": "object" })),
                    success: ok(200, json(json!({ "type": "object" }))),
                    problems: &[
                        (400, "malformed"),
                        (401, "unauthenticated"),
                        (413, "payload-too-large"),
                        (503, "calendar-unavailable, try-again"),
                    ],
                },
            ),
            (
                ("POST", "/api/webhooks/stripe"),
                Operation {
                    id: "stripeWebhook",
                    summary: "Stripe's events.",
                    parameters: vec![in_header("Stripe-Signature", &json!({ "type": "string" }))],
                    body: Some(json!({ "type": "object" })),
                    success: ok(200, json(json!({ "type": "object" }))),
                    problems: &[
                        (400, "malformed"),
                        (401, "unauthenticated"),
                        (413, "payload-too-large"),
                        (503, "try-again"),
                    ],
                },
            ),
            (
                ("GET", "/api/session"),
                Operation {
                    id: "getSession",
                    summary: "Who is signed in.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(200, json(self.answer::<session::Session>())),
                    problems: &[(401, "unauthenticated"), (503, "sign-in-unavailable, try-again")],
                },
            ),
            (
                ("POST", "/api/session"),
                Operation {
                    id: "signIn",
                    summary: "Signs in with a password; the tokens come in cookies.",
                    parameters: Vec::new(),
                    body: Some(self.request::<session::Credentials>()),
                    success: ok(200, json(self.answer::<session::Session>())),
                    problems: SIGNING_IN,
                },
            ),
            (
                ("DELETE", "/api/session"),
                Operation {
                    id: "signOut",
                    summary: "Signs out, here and at Supabase; 204 only once both have ended the session.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(204, NOTHING),
                    problems: &[
                        (403, "forbidden"),
                        (429, "too-many-requests"),
                        (503, "sign-out-incomplete, sign-in-unavailable, try-again"),
                    ],
                },
            ),
            (
                ("GET", "/api/session/signup"),
                Operation {
                    id: "readDoors",
                    summary: "Who may open an account here.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(200, json(self.answer::<session::Doors>())),
                    problems: &[],
                },
            ),
            (
                ("POST", "/api/session/signup"),
                Operation {
                    id: "signUp",
                    summary: "Opens an account. 202: a mail brings a link, whether or not the address is new. 201: it was known, with this password.",
                    parameters: Vec::new(),
                    body: Some(self.request::<session::Credentials>()),
                    success: ok(201, json(self.answer::<session::Session>())),
                    problems: SIGNING_IN,
                },
            ),
            (
                ("POST", "/api/session/link"),
                Operation {
                    id: "sendSignInLink",
                    summary: "Sends a link to whoever has an account, and says the same to everybody.",
                    parameters: Vec::new(),
                    body: Some(self.request::<session::LinkRequest>()),
                    success: ok(202, json(self.answer::<session::Accepted>())),
                    problems: SIGNING_IN,
                },
            ),
            (
                ("POST", "/api/session/verify"),
                Operation {
                    id: "followSignInLink",
                    summary: "Signs in with the link of a mail; in place of another session only with `replace`.",
                    parameters: Vec::new(),
                    body: Some(self.request::<session::LinkFollowed>()),
                    success: ok(200, json(self.answer::<session::Session>())),
                    problems: FOLLOWING,
                },
            ),
            (
                ("POST", "/api/session/refresh"),
                Operation {
                    id: "refreshSession",
                    summary: "Renews the session with the cookie of the refresh token.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(200, json(self.answer::<session::Session>())),
                    problems: &[
                        (401, "unauthenticated"),
                        (403, "forbidden"),
                        (429, "too-many-requests"),
                        (503, "sign-in-unavailable, try-again"),
                    ],
                },
            ),
            (
                ("GET", "/api/dashboard/stats"),
                Operation {
                    id: "getStats",
                    summary: "The figures of the month and of the last twelve.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(200, json(self.answer::<shared::db::stats::Stats>())),
                    problems: DASHBOARD,
                },
            ),
            (
                ("GET", "/api/dashboard/bookings"),
                Operation {
                    id: "listBookings",
                    summary: "The artist's bookings: what waits for them first, then what comes, then the rest backwards.",
                    parameters: vec![
                        view_of_a_list(),
                        in_query("q", false, &json!({ "type": "string", "maxLength": 100 })),
                        in_query("cursor", false, &json!({ "type": "string" })),
                        in_query(
                            "limit",
                            false,
                            &json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 30 }),
                        ),
                    ],
                    body: None,
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingList>())),
                    problems: DASHBOARD,
                },
            ),
            (
                ("GET", "/api/dashboard/bookings.csv"),
                Operation {
                    id: "exportBookings",
                    summary: "The same list as a file, of at most 10,000 bookings; a period by dates of the artist's zone.",
                    parameters: vec![
                        view_of_a_list(),
                        in_query("q", false, &json!({ "type": "string", "maxLength": 100 })),
                        in_query("from", false, &json!({ "type": "string", "format": "date" })),
                        in_query("to", false, &json!({ "type": "string", "format": "date" })),
                    ],
                    body: None,
                    success: ok(200, ("text/csv", json!({ "type": "string" }))),
                    problems: DASHBOARD,
                },
            ),
            (
                ("GET", "/api/dashboard/bookings/suspicious"),
                Operation {
                    id: "listSuspiciousHolds",
                    summary: "Unpaid holds of which many come from one network, or whose network let others lapse.",
                    parameters: Vec::new(),
                    body: None,
                    success: ok(200, json(self.answer::<dashboard_bookings::view::Suspicious>())),
                    problems: DASHBOARD,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/suspicious/end"),
                Operation {
                    id: "endSuspiciousHolds",
                    summary: "Ends those that were shown, as far as they are still suspicious and unpaid.",
                    parameters: Vec::new(),
                    body: Some(self.request::<dashboard_bookings::EndRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::Ended>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("GET", "/api/dashboard/bookings/{id}"),
                Operation {
                    id: "getBookingDetail",
                    summary: "Everything about one booking.",
                    parameters: vec![booking_id()],
                    body: None,
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/confirm"),
                Operation {
                    id: "confirmBooking",
                    summary: "Takes a booking on without its deposit. It can be taken back for ten seconds.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ActionRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/undo-confirm"),
                Operation {
                    id: "undoConfirmation",
                    summary: "Takes a confirmation back, with the mails that have not left yet.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ActionRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/cancel"),
                Operation {
                    id: "cancelBooking",
                    summary: "Calls an appointment off on the terms that were shown.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::CancelRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/complete"),
                Operation {
                    id: "completeBooking",
                    summary: "Says that the client came.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ActionRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/no-show"),
                Operation {
                    id: "markNoShow",
                    summary: "Says that the client did not come.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ActionRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/put-back"),
                Operation {
                    id: "putBackBooking",
                    summary: "Puts an appointment that was called off in Cal.com back there.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ActionRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/note"),
                Operation {
                    id: "noteBooking",
                    summary: "Keeps a note for the artist.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::NoteRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/resend"),
                Operation {
                    id: "resendMail",
                    summary: "Sends a mail to the client once more.",
                    parameters: vec![booking_id()],
                    body: Some(self.request::<dashboard_bookings::ResendRequest>()),
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
            (
                ("POST", "/api/dashboard/bookings/{id}/jobs/{job}/retry"),
                Operation {
                    id: "retryJob",
                    summary: "Lets a job that had failed begin anew.",
                    parameters: vec![booking_id(), in_path("job", &json!({ "type": "string", "format": "uuid" }))],
                    body: None,
                    success: ok(200, json(self.answer::<dashboard_bookings::view::BookingDetail>())),
                    problems: DASHBOARD_ACTION,
                },
            ),
        ]);
        all.extend(self.settings());
        all
    }

    fn write(mut self) -> Value {
        let operations = self.operations();
        let mut paths = Map::new();
        for ((method, path), operation) in &operations {
            let entry = paths.entry(*path).or_insert_with(|| json!({}));
            entry[method.to_ascii_lowercase()] = operation.describe();
        }
        let mut schemas: BTreeMap<String, Value> = BTreeMap::new();
        for generator in [&self.answers, &self.requests] {
            schemas.extend(generator.definitions().iter().map(|(name, schema)| (name.clone(), schema.clone())));
        }
        schemas.insert("Problem".into(), problem());
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "InkFlow",
                "version": env!("CARGO_PKG_VERSION"),
                "description": "Booking with a deposit for tattoo artists. Errors are application/problem+json (RFC 9457).",
                "license": { "name": "MIT", "identifier": "MIT" },
            },
            "servers": [{ "url": "/" }],
            "paths": paths,
            "components": { "schemas": schemas },
        })
    }
}

impl Operation {
    fn describe(&self) -> Value {
        let (status, media, schema) = &self.success;
        let mut responses = Map::new();
        let mut answer = json!({ "description": self.summary });
        if !media.is_empty() {
            answer["content"] = json!({ *media: { "schema": schema } });
        }
        responses.insert(status.to_string(), answer);
        // An address that nothing can read is no operation's own matter.
        let unreadable = (!self.problems.iter().any(|(status, _)| *status == 400)).then_some(&(400, "malformed"));
        for (status, slugs) in self.problems.iter().chain(unreadable) {
            let content =
                json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
            responses.insert(status.to_string(), json!({ "description": slugs, "content": content }));
        }
        let mut described = json!({ "operationId": self.id, "summary": self.summary, "responses": responses });
        if !self.parameters.is_empty() {
            described["parameters"] = json!(self.parameters);
        }
        if let Some(body) = &self.body {
            described["requestBody"] =
                json!({ "required": true, "content": { "application/json": { "schema": body } } });
        }
        described
    }
}

fn plain(schema: Schema) -> Value {
    schema.to_value()
}

fn parameter(place: &str, name: &str, required: bool, schema: &Value) -> Value {
    json!({ "in": place, "name": name, "required": required, "schema": schema })
}

fn in_path(name: &str, schema: &Value) -> Value {
    parameter("path", name, true, schema)
}

fn in_query(name: &str, required: bool, schema: &Value) -> Value {
    parameter("query", name, required, schema)
}

fn in_header(name: &str, schema: &Value) -> Value {
    parameter("header", name, false, schema)
}

fn view_of_a_list() -> Value {
    in_query("view", false, &json!({ "enum": ["all", "todo", "upcoming", "past", "cancelled"], "default": "all" }))
}

fn booking_id() -> Value {
    in_path("id", &json!({ "type": "string", "format": "uuid" }))
}

fn problem() -> Value {
    json!({
        "description": "RFC 9457. `type` is an anchor of the site's page of problems; a refused slot comes with those that are free.",
        "type": "object",
        "required": ["type", "title", "status", "instance"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string" },
            "instance": { "type": "string", "format": "uri" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": { "pointer": { "type": "string" }, "detail": { "type": "string" } },
                },
            },
            "slots": { "type": "array", "items": { "$ref": "#/components/schemas/DayView" } },
            "own": { "$ref": "#/components/schemas/HeldView" },
            "until": { "type": "string", "format": "date-time" },
            "proof": {
                "description": "For each part from 0 a number such that SHA-256 of 24 bytes begins with so many zero bits: the last 16 bytes of the challenge, the part and the number, 4 bytes each. X-Proof is the challenge, a full stop, and the numbers with commas between them.",
                "type": "object",
                "required": ["challenge", "parts", "bits", "expires_at", "hold_minutes"],
                "properties": {
                    "challenge": { "type": "string" },
                    "parts": { "type": "integer" },
                    "bits": { "type": "integer" },
                    "expires_at": { "type": "string", "format": "date-time" },
                    "hold_minutes": { "type": "integer" },
                },
            },
        },
    })
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_document_is_what_the_code_says() {
    let file = root().join("frontend/openapi.json");
    let generated = format!("{}\n", serde_json::to_string_pretty(&Document::new().write()).expect("JSON"));
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &generated).expect("the document is written");
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == generated, "frontend/openapi.json is not what the code says any more: run `make openapi`");
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let routes = std::fs::read_to_string(root().join("infra/routes.json")).expect("the routes");
    let routes: Vec<Value> = serde_json::from_str(&routes).expect("JSON");
    let text = |route: &Value, field: &str| route[field].as_str().expect("text").to_owned();
    let mut routes: Vec<_> = routes.iter().map(|route| (text(route, "method"), text(route, "path"))).collect();
    routes.sort();
    let described: Vec<_> =
        Document::new().operations().into_keys().map(|(method, path)| (method.to_owned(), path.to_owned())).collect();
    assert_eq!(described, routes);
}
