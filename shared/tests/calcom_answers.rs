//! Every answer Cal.com can give, one at a time and in its own words, and what the calendar job makes of it.
//! `calcom.rs` tells whole stories instead, against a stand-in that keeps a diary.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::calcom::converge::{Clash, Converged, Note, Want, Wanted, converge};
use shared::calcom::{Attendee, Calcom, CalcomError};
use shared::config::Secret;
use shared::domain::ids::BookingId;
use shared::domain::locale::Locale;
use shared::net;
use uuid::{Uuid, uuid};

const OURS: Uuid = uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566");
const OTHER: Uuid = uuid!("0192f3a4-5b6c-7d8e-9f00-aaaaaaaaaaaa");
const TAKEN: &str = "User either already has booking at this time or is not available";

/// One call we expect and what it is answered. No status: the line goes dead.
struct Turn {
    call: &'static str,
    status: Option<u16>,
    body: Value,
}

fn turn(call: &'static str, status: u16, body: Value) -> Turn {
    Turn { call, status: Some(status), body }
}

fn data(call: &'static str, data: Value) -> Turn {
    turn(
        call,
        if call.starts_with("POST /v2/bookings ") { 201 } else { 200 },
        json!({"status": "success", "data": data}),
    )
}

fn refused(call: &'static str, status: u16, message: &str) -> Turn {
    turn(call, status, json!({"status": "error", "error": {"code": "Exception", "message": message}}))
}

fn dead(call: &'static str) -> Turn {
    Turn { call, status: None, body: Value::Null }
}

const GET: &str = "GET /v2/bookings/u1 ";
const LIST: &str = "GET /v2/bookings ";
const CREATE: &str = "POST /v2/bookings ";
const CONFIRM: &str = "POST /v2/bookings/u1/confirm ";
const CANCEL: &str = "POST /v2/bookings/u1/cancel ";

fn booking(uid: &str, status: &str) -> Value {
    json!({
        "id": 7, "uid": uid, "status": status, "start": "2026-12-01T13:00:00.000Z", "end": "2026-12-01T15:00:00.000Z",
        "metadata": {"inkflow_booking_id": OURS.to_string()}, "eventTypeId": 5, "attendees": [], "hosts": [],
    })
}

fn with(mut booking: Value, field: &str, value: Value) -> Value {
    booking[field] = value;
    booking
}

/// Plays the turns, in their order, and fails when another call comes or one is missing.
async fn played(turns: Vec<Turn>, ask: impl AsyncFnOnce(Calcom)) {
    let script = Arc::new(Mutex::new((VecDeque::from(turns), Vec::<String>::new())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let shared = Arc::clone(&script);
    let app = axum::Router::new().fallback(async move |request: Request| -> Response {
        let call = format!("{} {} ?{}", request.method(), request.uri().path(), request.uri().query().unwrap_or(""));
        let version = request.headers().get("cal-api-version").map(|value| value.as_bytes().to_vec());
        let key = request.headers().get("authorization").map(|value| value.as_bytes().to_vec());
        let expected = if call.contains("/slots") { "2024-09-04" } else { "2024-08-13" };
        let mut script = shared.lock().expect("no panic");
        if version.as_deref() != Some(expected.as_bytes()) || key.as_deref() != Some(b"Bearer cal_test_key") {
            script.1.push(format!("{call}: headers {version:?} {key:?}"));
        }
        match script.0.pop_front() {
            Some(turn) if call.starts_with(turn.call) => match turn.status {
                Some(status) => {
                    (StatusCode::from_u16(status).expect("a status"), axum::Json(turn.body)).into_response()
                }
                // A body that breaks off, as when a server dies.
                None => Response::new(Body::from_stream(stream::once(async { Err::<String, _>("gone") }))),
            },
            Some(turn) => {
                script.1.push(format!("{call}: expected {}", turn.call));
                StatusCode::NOT_IMPLEMENTED.into_response()
            }
            None => {
                script.1.push(format!("{call}: expected nothing"));
                StatusCode::NOT_IMPLEMENTED.into_response()
            }
        }
    });
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    ask(Calcom::new(net::client(&net::tls()), url)).await;
    server.abort();
    let script = script.lock().expect("no panic");
    assert!(script.1.is_empty(), "unexpected calls: {:?}", script.1);
    let left: Vec<_> = script.0.iter().map(|turn| turn.call).collect();
    assert!(left.is_empty(), "calls that did not come: {left:?}");
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

const PRESENT: Want<'_> = Want::Present { confirmed: true };
const ABSENT: Want<'_> = Want::Absent { reason: "hold_expired" };

/// What comes of it, on the attempt of this number.
async fn attempt(attempt: u32, want: Want<'static>, known_uid: Option<&'static str>, turns: Vec<Turn>) -> Converged {
    let mut outcome = None;
    played(turns, async |calcom| {
        let wanted = Wanted {
            key: &Secret::new("cal_test_key".into()),
            event_type_id: 5,
            booking: BookingId::new(OURS),
            want,
            known_uid,
            agreed_start: None,
            removed_by_us: false,
            is_gone: false,
            start: at("2026-12-01T13:00:00Z"),
            end: at("2026-12-01T15:00:00Z"),
            attendee: Attendee {
                name: "Camille",
                email: "camille@example.com",
                phone: Some("+33612345678"),
                zone: "Europe/Paris",
                locale: Locale::Fr,
            },
            attempt,
        };
        outcome = Some(converge(&calcom, &wanted).await);
    })
    .await;
    outcome.expect("it ended")
}

async fn first(want: Want<'static>, known_uid: Option<&'static str>, turns: Vec<Turn>) -> Converged {
    attempt(1, want, known_uid, turns).await
}

fn synced(uid: &str) -> Converged {
    Converged::Synced { uid: uid.into(), note: None }
}

fn is_retry(outcome: &Converged) -> bool {
    matches!(outcome, Converged::Retry { .. })
}

#[tokio::test]
async fn a_booking_is_created_after_a_look() {
    let outcome = first(PRESENT, None, vec![data(LIST, json!([])), data(CREATE, booking("u1", "accepted"))]).await;
    assert_eq!(outcome, synced("u1"));
}

#[tokio::test]
async fn a_booking_that_is_there_is_not_created_again() {
    assert_eq!(first(PRESENT, Some("u1"), vec![data(GET, booking("u1", "accepted"))]).await, synced("u1"));
    assert_eq!(first(PRESENT, None, vec![data(LIST, json!([booking("u1", "accepted")]))]).await, synced("u1"));
}

#[tokio::test]
async fn a_refused_time_that_is_ours_is_adopted() {
    for answer in [refused(CREATE, 400, TAKEN), refused(CREATE, 409, "exists"), refused(CREATE, 500, ""), dead(CREATE)]
    {
        let turns = vec![data(LIST, json!([])), answer, data(LIST, json!([booking("u1", "accepted")]))];
        assert_eq!(first(PRESENT, None, turns).await, synced("u1"));
    }
}

#[tokio::test]
async fn a_refused_time_that_is_not_ours_is_a_conflict() {
    let somebody = with(with(booking("x", "accepted"), "metadata", json!({})), "uid", json!("x"));
    let turns = vec![
        data(LIST, json!([])),
        refused(CREATE, 400, TAKEN),
        data(LIST, json!([])),
        data("GET /v2/bookings ?afterStart=", json!([somebody])),
    ];
    assert_eq!(first(PRESENT, None, turns).await, Converged::Conflict { why: Clash::Taken });
}

#[tokio::test]
async fn a_time_that_our_own_old_hold_still_takes_is_waited_for_but_not_for_ever() {
    let old = with(booking("old", "accepted"), "metadata", json!({"inkflow_booking_id": OTHER.to_string()}));
    let turns = || vec![data(LIST, json!([])), refused(CREATE, 400, TAKEN), data(LIST, json!([]))];
    let mut patient = turns();
    patient.push(data("GET /v2/bookings ?afterStart=", json!([old])));
    assert!(is_retry(&attempt(5, PRESENT, None, patient).await));
    assert_eq!(attempt(6, PRESENT, None, turns()).await, Converged::Conflict { why: Clash::Taken });
}

#[tokio::test]
async fn another_booking_of_the_same_person_is_not_taken_for_this_one() {
    // What Cal.com answers to a repeated request where the artist has not said yes.
    let old = with(booking("old", "pending"), "metadata", json!({"inkflow_booking_id": OTHER.to_string()}));
    let turns = vec![
        data(LIST, json!([old.clone()])),
        data(CREATE, old.clone()),
        data(LIST, json!([old.clone()])),
        data("GET /v2/bookings ?afterStart=", json!([old])),
    ];
    assert!(is_retry(&first(PRESENT, None, turns).await));
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_for_later() {
    for answer in [refused(CREATE, 409, "exists"), refused(CREATE, 502, ""), dead(CREATE)] {
        let turns = vec![data(LIST, json!([])), answer, data(LIST, json!([]))];
        let outcome = attempt(2, PRESENT, None, turns).await;
        assert!(matches!(outcome, Converged::Retry { after, .. } if after == Duration::from_secs(15)), "{outcome:?}");
    }
    let turns = vec![data(LIST, json!([])), dead(CREATE), dead(LIST)];
    assert!(is_retry(&first(PRESENT, None, turns).await));
}

#[tokio::test]
async fn refusals_that_time_does_not_mend_end_the_job() {
    for (status, message) in [
        (400, "The event type can't be booked at the \"start\" time provided. This could be because it's too soon"),
        (400, "Attempting to book a meeting in the past."),
        (404, "Event type with id 5 not found."),
        (401, "Invalid API key"),
        (403, "Forbidden"),
    ] {
        let turns = vec![data(LIST, json!([])), refused(CREATE, status, message)];
        let outcome = first(PRESENT, None, turns).await;
        assert!(matches!(outcome, Converged::Rejected { .. }), "{status} {message}: {outcome:?}");
    }
    let outcome = first(PRESENT, None, vec![refused(LIST, 401, "Invalid API key")]).await;
    assert_eq!(outcome, Converged::Rejected { why: "the API key is refused".into() });
}

#[tokio::test]
async fn an_unknown_refusal_is_told_without_the_clients_address() {
    let message = "Attendee camille@example.com can't book because the maximum number of active bookings is reached";
    let turns = vec![data(LIST, json!([])), refused(CREATE, 400, message), data(LIST, json!([]))];
    let Converged::Rejected { why } = first(PRESENT, None, turns).await else { panic!("not rejected") };
    assert!(why.contains("maximum number") && !why.contains("camille"), "{why}");
}

#[tokio::test]
async fn too_many_calls_are_waited_out() {
    let turns = vec![refused(LIST, 429, "ThrottlerException")];
    let outcome = first(PRESENT, None, turns).await;
    assert!(matches!(outcome, Converged::Retry { after, .. } if after == Duration::from_secs(60)), "{outcome:?}");
}

#[tokio::test]
async fn an_event_type_of_one_length_gets_its_own_and_we_say_so() {
    let turns = vec![
        data(LIST, json!([])),
        refused(
            CREATE,
            400,
            "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths.",
        ),
        data(CREATE, with(booking("u1", "accepted"), "end", json!("2026-12-01T14:00:00Z"))),
    ];
    let outcome = first(PRESENT, None, turns).await;
    assert_eq!(outcome, Converged::Synced { uid: "u1".into(), note: Some(Note::OtherLength) });
}

#[tokio::test]
async fn a_number_that_calcom_does_not_know_does_not_cost_the_booking() {
    let turns = vec![
        data(LIST, json!([])),
        refused(CREATE, 400, "attendee.phoneNumber must be a valid number"),
        data(CREATE, booking("u1", "accepted")),
    ];
    assert_eq!(first(PRESENT, None, turns).await, synced("u1"));
    let twice = || refused(CREATE, 400, "attendee.phoneNumber must be a valid number");
    let outcome = first(PRESENT, None, vec![data(LIST, json!([])), twice(), twice()]).await;
    assert!(matches!(outcome, Converged::Rejected { .. }), "{outcome:?}");
}

#[tokio::test]
async fn the_artists_yes_is_given_when_it_is_wanted() {
    let turns = vec![data(GET, booking("u1", "pending")), data(CONFIRM, booking("u1", "accepted"))];
    assert_eq!(first(PRESENT, Some("u1"), turns).await, synced("u1"));
    let held = Want::Present { confirmed: false };
    assert_eq!(first(held, Some("u1"), vec![data(GET, booking("u1", "pending"))]).await, synced("u1"));
    // The artist was faster.
    let turns = vec![
        data(GET, booking("u1", "pending")),
        refused(CONFIRM, 400, "Booking already confirmed"),
        data(GET, booking("u1", "accepted")),
    ];
    assert_eq!(first(PRESENT, Some("u1"), turns).await, synced("u1"));
    // The artist said no.
    let turns = vec![
        data(GET, booking("u1", "pending")),
        refused(CONFIRM, 400, "Booking is not pending"),
        data(GET, booking("u1", "rejected")),
    ];
    assert!(matches!(first(PRESENT, Some("u1"), turns).await, Converged::CalledOffThere(_)));
    // The key may not.
    let turns = vec![
        data(GET, booking("u1", "pending")),
        refused(CONFIRM, 401, "User is not authorized to confirm this booking"),
        data(GET, booking("u1", "pending")),
    ];
    let waiting = Converged::Synced { uid: "u1".into(), note: Some(Note::NeedsConfirmation) };
    assert_eq!(first(PRESENT, Some("u1"), turns).await, waiting);
    assert!(is_retry(&first(PRESENT, Some("u1"), vec![data(GET, booking("u1", "pending")), dead(CONFIRM)]).await));
}

#[tokio::test]
async fn what_the_artist_moved_is_followed_and_not_moved_back() {
    let old = with(booking("u1", "cancelled"), "rescheduledToUid", json!("u2"));
    let new = || with(booking("u2", "accepted"), "start", json!("2026-12-02T09:00:00Z"));
    let moved = Converged::MovedThere { uid: "u2".into(), start: at("2026-12-02T09:00:00Z") };
    let turns = vec![data(GET, old.clone()), data("GET /v2/bookings/u2 ", new())];
    assert_eq!(first(PRESENT, Some("u1"), turns).await, moved);
    // We did not know of either, and the new one has lost our id.
    let turns = vec![
        data(LIST, json!([old.clone()])),
        data(GET, old.clone()),
        data("GET /v2/bookings/u2 ", with(new(), "metadata", json!({}))),
    ];
    assert_eq!(first(PRESENT, None, turns).await, moved);
    // It is the new one that must go.
    let turns = vec![
        data(GET, old),
        data("GET /v2/bookings/u2 ", new()),
        data("POST /v2/bookings/u2/cancel ", booking("u2", "cancelled")),
    ];
    assert_eq!(first(ABSENT, Some("u1"), turns).await, Converged::Removed);
}

#[tokio::test]
async fn what_the_artist_called_off_is_not_created_again() {
    for status in ["cancelled", "rejected"] {
        let gone = with(booking("u1", status), "cancellationReason", json!("malade"));
        let turns = vec![data(GET, gone.clone()), data(LIST, json!([gone]))];
        assert!(matches!(first(PRESENT, Some("u1"), turns).await, Converged::CalledOffThere(_)));
    }
}

#[tokio::test]
async fn what_we_called_off_ourselves_is_created_again_when_it_revives() {
    let gone = with(booking("u1", "cancelled"), "cancellationReason", json!("InkFlow: hold_expired"));
    let turns =
        vec![data(GET, gone.clone()), data(LIST, json!([gone.clone()])), data(CREATE, booking("u2", "accepted"))];
    assert_eq!(first(PRESENT, Some("u1"), turns).await, synced("u2"));
    // An attempt that broke off had made it.
    let turns = vec![data(GET, gone.clone()), data(LIST, json!([gone, booking("u2", "accepted")]))];
    assert_eq!(first(PRESENT, Some("u1"), turns).await, synced("u2"));
}

#[tokio::test]
async fn an_unwanted_booking_is_called_off_once() {
    let turns = vec![data(GET, booking("u1", "accepted")), data(CANCEL, booking("u1", "cancelled"))];
    assert_eq!(first(ABSENT, Some("u1"), turns).await, Converged::Removed);
    let turns = vec![data(GET, booking("u1", "cancelled")), data(LIST, json!([]))];
    assert_eq!(first(ABSENT, Some("u1"), turns).await, Converged::Removed);
    assert_eq!(first(ABSENT, None, vec![data(LIST, json!([]))]).await, Converged::NothingToDo);
    // It was there, and may be found again.
    let turns = vec![refused(GET, 404, "not found"), data(LIST, json!([]))];
    assert_eq!(first(ABSENT, Some("u1"), turns).await, Converged::MissingThere);
}

#[tokio::test]
async fn a_cancellation_whose_answer_was_lost_is_looked_up() {
    for answer in [refused(CANCEL, 400, "has been cancelled already"), refused(CANCEL, 500, ""), dead(CANCEL)] {
        let turns = vec![
            data(GET, booking("u1", "accepted")),
            answer,
            data(GET, booking("u1", "cancelled")),
            data(LIST, json!([])),
        ];
        assert_eq!(first(ABSENT, Some("u1"), turns).await, Converged::Removed);
    }
    let turns = vec![data(GET, booking("u1", "accepted")), dead(CANCEL), data(GET, booking("u1", "accepted"))];
    assert!(is_retry(&first(ABSENT, Some("u1"), turns).await));
    let turns = vec![
        data(GET, booking("u1", "accepted")),
        refused(CANCEL, 400, "Cannot cancel a booking that has already ended"),
        data(GET, booking("u1", "accepted")),
    ];
    let outcome = first(ABSENT, Some("u1"), turns).await;
    assert!(matches!(outcome, Converged::Rejected { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_keeps_the_job() {
    for body in [json!({}), json!({"data": {}}), json!("x")] {
        assert!(is_retry(&first(PRESENT, Some("u1"), vec![turn(GET, 200, body)]).await));
    }
    // A stranger's booking that cannot be read is not ours to judge.
    let turns = vec![data(LIST, json!([{"uid": "x"}, booking("u1", "accepted")]))];
    assert_eq!(first(PRESENT, None, turns).await, synced("u1"));
}

#[tokio::test]
async fn slots_are_instants_within_the_range_whatever_their_offset() {
    let days = json!({
        "2026-12-02": [{"start": "2026-12-02T10:00:00.000+01:00"}, {"start": "2026-12-01T23:30:00.000Z", "end": "x"}],
        "2026-12-01": ["2026-12-01T09:00:00Z", {"time": "2026-12-01T09:00:00.000Z"}, {"start": "2026-11-30T09:00:00Z"}],
        "2026-12-03": [{"start": "2026-12-03T00:00:00Z"}],
    });
    played(vec![data("GET /v2/slots ?eventTypeId=5&start=2026-12-01T00%3A00%3A00Z&end=", days)], async |calcom| {
        let slots = calcom
            .slots(&Secret::new("cal_test_key".into()), 5, at("2026-12-01T00:00:00Z"), at("2026-12-03T00:00:00Z"), 120)
            .await;
        let expected = ["2026-12-01T09:00:00Z", "2026-12-01T23:30:00Z", "2026-12-02T09:00:00Z"].map(at);
        assert_eq!(slots.expect("readable"), expected);
    })
    .await;
}

#[tokio::test]
async fn slots_that_cannot_be_trusted_are_an_error_and_never_a_guess() {
    let none = json!({"status": "success", "data": {}});
    for (status, body, empty) in [
        (200, none, true),
        (200, json!({"status": "success"}), false),
        (200, json!({"status": "success", "data": []}), false),
        (200, json!({"status": "success", "data": {"2026-12-01": [{"start": "soon"}]}}), false),
        (404, json!({"message": "Not found"}), false),
        (500, json!({}), false),
    ] {
        played(vec![turn("GET /v2/slots ", status, body.clone())], async |calcom| {
            let key = Secret::new("cal_test_key".into());
            let slots = calcom.slots(&key, 5, at("2026-12-01T00:00:00Z"), at("2026-12-03T00:00:00Z"), 120).await;
            assert_eq!(slots == Ok(Vec::new()), empty, "{body} {slots:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn nobody_there_is_said_without_the_clients_address() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", gone.local_addr().expect("bound"));
    drop(gone);
    let calcom = Calcom::new(net::client(&net::tls()), url);
    let key = Secret::new("cal_test_key".into());
    let error = calcom.find(&key, 5, BookingId::new(OURS), "camille@example.com").await.expect_err("nobody there");
    assert!(matches!(&error, CalcomError::Unavailable(why) if !why.contains("camille")), "{error:?}");
}
