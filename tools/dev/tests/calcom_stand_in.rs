//! The rules of the Cal.com stand-in: versions, keys, slots, every refusal of a booking, and what it tells subscribers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use dev::calcom::{Down, EventType, Hours, Options, StandIn, User, sign};
use http::{HeaderMap, StatusCode};
use jiff::civil::Weekday::{Friday, Monday, Thursday, Tuesday, Wednesday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

const KEY: &str = "cal_noa";
const PROJECT: u64 = 11;
const FLASH: u64 = 12;
const ASKED: u64 = 13;

fn users() -> Vec<User> {
    let noa = User {
        username: "noa".to_owned(),
        name: "Noa Keller".to_owned(),
        email: "noa@example.com".to_owned(),
        api_key: KEY.to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        hours: Hours::on(&[Monday, Tuesday, Wednesday, Thursday, Friday], "10:00", "18:00"),
        event_types: vec![
            EventType {
                id: PROJECT,
                slug: "projet".to_owned(),
                lengths: vec![60, 120, 240],
                minimum_notice_minutes: 24 * 60,
                window_days: Some(60),
                ..EventType::default()
            },
            EventType { id: FLASH, slug: "flash".to_owned(), lengths: vec![60], ..EventType::default() },
            EventType {
                id: ASKED,
                slug: "demande".to_owned(),
                lengths: vec![60],
                requires_confirmation: true,
                ..EventType::default()
            },
        ],
    };
    let mut other = noa.clone();
    other.username = "other".to_owned();
    other.api_key = "cal_other".to_owned();
    other.event_types.iter_mut().for_each(|event_type| event_type.id += 100);
    vec![noa, other]
}

struct Studio {
    calcom: StandIn,
    http: reqwest::Client,
}

impl Studio {
    async fn open() -> Self {
        Self::open_with(Options::default()).await
    }

    async fn open_with(options: Options) -> Self {
        let calcom = StandIn::start(Options { users: users(), ..options }).await.expect("it starts");
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a plain client builds");
        Self { calcom, http }
    }

    async fn send(&self, request: reqwest::RequestBuilder, version: &str) -> (u16, Value) {
        let answer = request.header("cal-api-version", version).send().await.expect("the stand-in answers");
        (answer.status().as_u16(), answer.json().await.expect("answers are JSON"))
    }

    async fn get(&self, path: &str, version: &str) -> (u16, Value) {
        self.send(self.http.get(self.calcom.url() + path).bearer_auth(KEY), version).await
    }

    async fn slots(&self, query: &str) -> Value {
        let (status, body) = self.get(&format!("/v2/slots?{query}"), "2024-09-04").await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(self.http.post(self.calcom.url() + path).json(body), "2024-08-13").await
    }

    async fn book(&self, event_type: u64, start: Timestamp) -> (u16, Value) {
        self.post("/v2/bookings", &booking(event_type, start)).await
    }

    async fn booked(&self, event_type: u64, start: Timestamp) -> String {
        let (status, body) = self.book(event_type, start).await;
        assert_eq!(status, 201, "{body}");
        body["data"]["uid"].as_str().expect("a booking has a uid").to_owned()
    }

    /// A Wednesday a week or two ahead, at this hour of Paris.
    fn wednesday(&self, hour: i8) -> Timestamp {
        let today = self.calcom.now().to_zoned(TimeZone::get("Europe/Paris").expect("it is in the database"));
        let date = today.date().saturating_add(8.days()).nth_weekday(1, Wednesday).expect("there is always one");
        date.at(hour, 0, 0, 0).in_tz("Europe/Paris").expect("it exists").timestamp()
    }
}

fn booking(event_type: u64, start: Timestamp) -> Value {
    json!({
        "eventTypeId": event_type,
        "start": start,
        "attendee": {"name": "Camille", "email": "camille@example.com", "timeZone": "Europe/Paris", "phoneNumber": "+33612345678", "language": "fr"},
        "metadata": {"inkflow_booking_id": "b-1"},
    })
}

fn message(body: &Value) -> String {
    body["error"]["message"].as_str().or_else(|| body["message"].as_str()).unwrap_or_default().to_owned()
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

#[tokio::test]
async fn slots_are_free_opening_hours_in_the_zone_asked_for() {
    let studio = Studio::open().await;
    let day = studio.wednesday(12).to_zoned(TimeZone::UTC).date();
    let slots = studio.slots(&format!("eventTypeId={FLASH}&start={day}&end={day}")).await;
    let listed = slots[day.to_string()].as_array().expect("the day is open").clone();
    assert_eq!(listed.len(), 8);
    let first: Timestamp = listed[0]["start"].as_str().and_then(|start| start.parse().ok()).expect("an instant");
    assert_eq!(first, studio.wednesday(10));
    assert!(listed[0]["start"].as_str().is_some_and(|start| start.ends_with(":00.000Z")));
    assert_eq!(listed[0].get("end"), None);

    let ranges = studio
        .slots(&format!(
            "eventTypeSlug=projet&username=noa&start={day}&end={day}&timeZone=Europe/Paris&duration=240&format=range"
        ))
        .await;
    let listed = ranges[day.to_string()].as_array().expect("the day is open").clone();
    assert_eq!(listed.len(), 2);
    assert!(listed[0]["start"].as_str().is_some_and(|start| start.contains("T10:00:00.000+0")));
    assert!(listed[0]["end"].as_str().is_some_and(|end| end.contains("T14:00:00.000+0")));

    let sunday = day.saturating_add(4.days());
    assert_eq!(studio.slots(&format!("eventTypeId={FLASH}&start={sunday}&end={sunday}")).await, json!({}));

    studio.booked(FLASH, studio.wednesday(10)).await;
    studio.calcom.block("noa", studio.wednesday(14), studio.wednesday(16), "Dentiste").expect("noa is known");
    let left = studio.slots(&format!("eventTypeId={FLASH}&start={day}&end={day}")).await;
    assert_eq!(left[day.to_string()].as_array().map(Vec::len), Some(5));

    let now = studio.calcom.now();
    let soon = studio.slots(&format!("eventTypeId={PROJECT}&start={now}&end={}", now + hours(24 * 7))).await;
    let earliest =
        soon.as_object().into_iter().flatten().flat_map(|(_, day)| day.as_array().cloned().unwrap_or_default());
    for slot in earliest {
        let start: Timestamp = slot["start"].as_str().and_then(|start| start.parse().ok()).expect("an instant");
        assert!(start >= now + hours(24), "{start} is within the notice");
    }
}

#[tokio::test]
async fn a_wrong_version_meets_an_older_contract() {
    let studio = Studio::open().await;
    let day = studio.wednesday(12).to_zoned(TimeZone::UTC).date();
    let slots = format!("/v2/slots?eventTypeId={FLASH}&start={day}&end={day}");
    for version in ["2024-08-13", "nonsense"] {
        let (status, body) = studio.get(&slots, version).await;
        assert_eq!((status, message(&body)), (404, format!("Cannot GET {slots}")));
    }
    let start = studio.wednesday(11);
    let bare = studio.http.post(studio.calcom.url() + "/v2/bookings").json(&booking(FLASH, start));
    assert_eq!(bare.send().await.expect("it answers").status(), 400, "no header is the oldest contract");
    let with_slots_version = studio.http.post(studio.calcom.url() + "/v2/bookings").json(&booking(FLASH, start));
    assert_eq!(studio.send(with_slots_version, "2024-09-04").await.0, 404);
    assert!(studio.calcom.bookings().is_empty());
    let uid = studio.booked(FLASH, start).await;
    let (status, old) = studio.get(&format!("/v2/bookings/{uid}"), "2024-04-15").await;
    assert_eq!((status, old["data"]["status"].as_str(), old["data"].get("start")), (200, Some("ACCEPTED"), None));
    let (_, new) = studio.get(&format!("/v2/event-types/{PROJECT}"), "2024-06-14").await;
    assert_eq!(new["data"]["lengthInMinutesOptions"], json!([60, 120, 240]));
}

#[tokio::test]
async fn every_refusal_of_a_booking_has_cal_coms_words() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    studio.booked(FLASH, start).await;
    studio.calcom.block("noa", studio.wednesday(14), studio.wednesday(15), "Pris ailleurs").expect("noa is known");
    let taken = "User either already has booking at this time or is not available";
    let now = studio.calcom.now();
    let cases = [
        (FLASH, start, 400, taken),
        (PROJECT, start, 400, taken),
        (FLASH, studio.wednesday(14), 400, taken),
        (FLASH, studio.wednesday(18), 400, taken),
        (FLASH, studio.wednesday(9), 400, taken),
        (PROJECT, now + hours(2), 400, "The event type can't be booked at the \"start\" time provided"),
        (PROJECT, now + hours(24 * 90), 400, "The event type can't be booked at the \"start\" time provided"),
        (FLASH, now - hours(1), 400, "Attempting to book a meeting in the past."),
        (999, start, 404, "Event type with id 999 not found."),
    ];
    for (event_type, start, status, words) in cases {
        let (got, body) = studio.book(event_type, start).await;
        assert_eq!(got, status, "{body}");
        assert!(message(&body).starts_with(words), "{body}");
        assert_eq!(body["status"], "error");
        assert_eq!(body["path"], "/v2/bookings");
    }
    studio.calcom.switch(|switches| switches.conflict = 1);
    let (status, body) = studio.book(FLASH, studio.wednesday(11)).await;
    assert_eq!((status, body["error"]["code"].as_str()), (409, Some("CONFLICT")));
    assert_eq!(studio.calcom.bookings().len(), 1);

    studio.calcom.switch(|switches| switches.bare_errors = true);
    let (status, body) = studio.book(FLASH, start).await;
    assert_eq!((status, &body["statusCode"], body["message"].as_str()), (400, &json!(400), Some(taken)));
}

#[tokio::test]
async fn a_body_that_cal_com_would_not_take_is_refused() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    let with = |pointer: &str, value: Value| {
        let mut body = booking(PROJECT, start);
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer has a slash");
        body.pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("it is an object")
            .insert(name.to_owned(), value);
        body
    };
    let long = "x".repeat(501);
    for body in [
        with("/colour", json!("red")),
        with("/start", json!("demain")),
        with("/start", Value::Null),
        with("/eventTypeId", json!("11")),
        with("/attendee", Value::Null),
        with("/attendee/name", Value::Null),
        with("/attendee/timeZone", json!("Paris")),
        with("/attendee/email", json!("camille")),
        with("/attendee/phoneNumber", json!("0612345678")),
        with("/attendee/language", json!("french")),
        with("/attendee/nickname", json!("Cam")),
        with("/metadata/inkflow_booking_id", json!(long)),
        with("/lengthInMinutes", json!(90)),
    ] {
        let (status, answer) = studio.post("/v2/bookings", &body).await;
        assert_eq!(status, 400, "{body} gave {answer}");
    }
    let mut single = booking(FLASH, start);
    single["lengthInMinutes"] = json!(60);
    let (_, answer) = studio.post("/v2/bookings", &single).await;
    assert!(message(&answer).starts_with("Can't specify 'lengthInMinutes'"), "{answer}");
    let long_one = studio.post("/v2/bookings", &with("/lengthInMinutes", json!(240))).await;
    assert_eq!((long_one.0, &long_one.1["data"]["duration"]), (201, &json!(240)));
}

#[tokio::test]
async fn bookings_are_listed_to_their_owner_only() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    let uid = studio.booked(FLASH, start).await;
    studio.booked(FLASH, studio.wednesday(12)).await;
    let list = async |key: Option<&str>, query: &str| {
        let mut request = studio.http.get(studio.calcom.url() + "/v2/bookings?" + query);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        studio.send(request, "2024-08-13").await
    };
    for key in [None, Some("cal_wrong"), Some("cal_live_abc"), Some("sk_test")] {
        assert_eq!(list(key, "").await.0, 401, "{key:?}");
    }
    assert_eq!(list(Some("cal_other"), "").await.1["data"], json!([]));
    let window = format!(
        "eventTypeId={FLASH}&attendeeEmail=camille@example.com&afterStart={}&beforeEnd={}&take=100",
        start - SignedDuration::from_secs(1),
        start + SignedDuration::from_secs(3601),
    );
    let (status, found) = list(Some(KEY), &window).await;
    assert_eq!(status, 200);
    assert_eq!(found["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["data"][0]["uid"], uid.as_str());
    assert_eq!(found["data"][0]["metadata"]["inkflow_booking_id"], "b-1");
    let (_, page) = list(Some(KEY), "take=1&sortStart=desc").await;
    assert_eq!((&page["pagination"]["totalItems"], &page["pagination"]["hasNextPage"]), (&json!(2), &json!(true)));
    assert_eq!(list(Some(KEY), "status=cancelled").await.1["data"], json!([]));
    assert_eq!(list(Some(KEY), "status=upcoming,past").await.1["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(list(Some(KEY), "status=old").await.0, 400);
    assert_eq!(list(Some(KEY), "take=251").await.0, 400);
    assert_eq!(studio.get("/v2/bookings/none", "2024-08-13").await.0, 404);
    assert_eq!(studio.get("/v2/me", "").await.1["data"]["username"], "noa");
}

#[tokio::test]
async fn cancelling_frees_the_time_once_and_the_host_must_say_why() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    let uid = studio.booked(FLASH, start).await;
    let path = format!("/v2/bookings/{uid}/cancel");
    let as_host = studio.http.post(studio.calcom.url() + &path).bearer_auth(KEY).json(&json!({}));
    let (status, body) = studio.send(as_host, "2024-08-13").await;
    assert_eq!((status, message(&body).as_str()), (400, "Cancellation reason is required when you are the host"));
    let (status, body) = studio.post(&path, &json!({"cancellationReason": "hold expired"})).await;
    assert_eq!((status, body["data"]["status"].as_str()), (200, Some("cancelled")));
    let (status, body) = studio.post(&path, &json!({"cancellationReason": "again"})).await;
    assert_eq!(status, 400);
    assert!(message(&body).contains("cancelled already"), "{body}");
    assert_eq!(studio.post("/v2/bookings/none/cancel", &json!({})).await.0, 404);
    studio.booked(FLASH, start).await;
}

#[tokio::test]
async fn moving_makes_a_new_uid_with_the_default_length() {
    let studio = Studio::open().await;
    let mut long = booking(PROJECT, studio.wednesday(10));
    long["lengthInMinutes"] = json!(240);
    let (_, made) = studio.post("/v2/bookings", &long).await;
    let uid = made["data"]["uid"].as_str().expect("it has a uid").to_owned();
    let path = format!("/v2/bookings/{uid}/reschedule");
    let to = json!({"start": studio.wednesday(12), "reschedulingReason": "bouchons"});
    let (status, moved) = studio.post(&path, &to).await;
    assert_eq!(status, 201, "its own time does not stand in its way: {moved}");
    assert_ne!(moved["data"]["uid"], uid.as_str());
    assert_eq!(moved["data"]["rescheduledFromUid"], uid.as_str());
    assert_eq!(moved["data"]["duration"], 60);
    assert_eq!(moved["data"]["metadata"]["inkflow_booking_id"], "b-1");
    let old = studio.calcom.booking(&uid).expect("it is still there");
    assert_eq!((old["status"].as_str(), &old["rescheduledToUid"]), (Some("cancelled"), &moved["data"]["uid"]));
    let (status, body) = studio.post(&path, &to).await;
    assert_eq!(status, 400);
    assert!(message(&body).contains("rescheduled already"), "{body}");
}

#[tokio::test]
async fn a_booking_that_waits_is_found_again_and_decided_by_its_owner() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    let (status, first) = studio.book(ASKED, start).await;
    assert_eq!((status, first["data"]["status"].as_str()), (201, Some("pending")));
    let (status, again) = studio.book(ASKED, start).await;
    assert_eq!((status, &again["data"]["uid"]), (201, &first["data"]["uid"]));
    let mut other = booking(ASKED, start);
    other["attendee"]["email"] = json!("dominique@example.com");
    assert_eq!(studio.post("/v2/bookings", &other).await.0, 409, "same host, same start, same end");

    let uid = first["data"]["uid"].as_str().expect("it has a uid").to_owned();
    let confirm = |key: &str| {
        let request = studio.http.post(format!("{}/v2/bookings/{uid}/confirm", studio.calcom.url())).bearer_auth(key);
        studio.send(request, "2024-08-13")
    };
    assert_eq!(confirm("cal_other").await.0, 401);
    let (status, body) = confirm(KEY).await;
    assert_eq!((status, body["data"]["status"].as_str()), (200, Some("accepted")));
    assert_eq!(message(&confirm(KEY).await.1), "Booking already confirmed");

    let rejected = studio.booked(ASKED, studio.wednesday(12)).await;
    studio.calcom.decline(&rejected, "complet").expect("it is pending");
    assert_eq!(studio.calcom.booking(&rejected).expect("it exists")["status"], "rejected");
}

#[tokio::test]
async fn failures_leave_behind_what_they_say() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    studio.calcom.switch(|switches| switches.api.down = Some(Down::Unavailable));
    assert_eq!(studio.book(FLASH, start).await.0, 503);
    studio.calcom.switch(|switches| switches.api.down = Some(Down::Cut));
    assert!(studio.http.get(studio.calcom.url() + "/v2/me").send().await.is_err());
    studio.calcom.switch(|switches| {
        switches.api.down = None;
        switches.api.rate_limited = true;
    });
    let limited = studio.http.get(studio.calcom.url() + "/v2/me").bearer_auth(KEY).send().await.expect("it answers");
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["x-ratelimit-remaining-default"], "0");
    assert!(limited.headers().contains_key("x-ratelimit-reset-default"));
    studio.calcom.switch(|switches| {
        switches.api.rate_limited = false;
        switches.api.fail_after_executing = 1;
    });
    assert!(studio.calcom.bookings().is_empty());
    assert_eq!(studio.book(FLASH, start).await.0, 500);
    assert_eq!(studio.calcom.bookings().len(), 1, "a 500, but it was created");
    assert_eq!(studio.book(FLASH, start).await.0, 400, "there is no idempotency key: a repeat is refused");

    studio.calcom.switch(|switches| switches.api.slow_ms = 400);
    let patience = Duration::from_millis(100);
    let late = studio.http.post(studio.calcom.url() + "/v2/bookings").json(&booking(FLASH, studio.wednesday(12)));
    assert!(late.header("cal-api-version", "2024-08-13").timeout(patience).send().await.is_err());
    assert_eq!(studio.calcom.bookings().len(), 2, "the caller gave up, Cal.com did not");

    let strict = Studio::open_with(Options { rate_limit_per_minute: Some(2), ..Options::default() }).await;
    for expected in [200, 200, 429] {
        assert_eq!(strict.get("/v2/me", "").await.0, expected);
    }
    let mut live = users();
    live[0].api_key = "cal_live_abc".to_owned();
    assert!(StandIn::start(Options { users: live, ..Options::default() }).await.is_err());
}

#[tokio::test]
async fn subscribers_are_told_once_with_a_signature() {
    type Letters = Arc<Mutex<Vec<(String, String)>>>;
    async fn take(State(letters): State<Letters>, headers: HeaderMap, body: String) -> StatusCode {
        let signature = headers["x-cal-signature-256"].to_str().expect("ASCII").to_owned();
        letters.lock().expect("no receiver panics").push((signature, body));
        StatusCode::INTERNAL_SERVER_ERROR
    }
    let letters = Letters::default();
    let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&letters));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/hook", listener.local_addr().expect("it is bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let studio = Studio::open().await;
    let subscription = json!({
        "active": true, "subscriberUrl": url, "secret": "s3cret",
        "triggers": ["BOOKING_CREATED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED"],
    });
    let subscribe = || studio.http.post(studio.calcom.url() + "/v2/webhooks").bearer_auth(KEY).json(&subscription);
    assert_eq!(studio.send(subscribe(), "").await.0, 201);
    assert_eq!(studio.send(subscribe(), "").await.0, 409);
    assert_eq!(studio.get("/v2/webhooks", "").await.1["data"][0]["subscriberUrl"], url.as_str());

    let uid = studio.booked(FLASH, studio.wednesday(10)).await;
    studio.calcom.settled().await;
    let moved = studio.calcom.reschedule(&uid, studio.wednesday(11)).expect("the time is free");
    studio.calcom.settled().await;
    studio.calcom.cancel(&moved, "fermé").expect("it is live");
    studio.calcom.settled().await;
    studio.booked(FLASH + 100, studio.wednesday(10)).await;
    studio.calcom.settled().await;

    let letters = letters.lock().expect("no receiver panics").clone();
    assert_eq!(letters.len(), 3, "refused letters are not sent again, and others' bookings are not told");
    let told: Vec<Value> = letters
        .iter()
        .map(|(signature, body)| {
            assert_eq!(*signature, sign(body, Some("s3cret")));
            serde_json::from_str(body).expect("webhooks are JSON")
        })
        .collect();
    assert_eq!(told[0]["triggerEvent"], "BOOKING_CREATED");
    assert_eq!(told[0]["payload"]["metadata"]["inkflow_booking_id"], "b-1");
    assert_eq!(told[1]["triggerEvent"], "BOOKING_RESCHEDULED");
    assert_eq!((&told[1]["payload"]["uid"], &told[1]["payload"]["rescheduleUid"]), (&json!(moved), &json!(uid)));
    assert_eq!(
        (&told[2]["triggerEvent"], &told[2]["payload"]["cancellationReason"]),
        (&json!("BOOKING_CANCELLED"), &json!("fermé"))
    );
    assert_eq!(sign("x", None), "no-secret-provided");
}

#[tokio::test]
async fn the_week_page_plays_the_artist() {
    let studio = Studio::open().await;
    let start = studio.wednesday(10);
    let date = start.to_zoned(TimeZone::UTC).date();
    let uid = studio.booked(FLASH, start).await;
    let week = format!("{}/week?user=noa&start={date}", studio.calcom.url());
    let read = async || studio.http.get(&week).send().await.expect("it answers").text().await.expect("it is text");
    let html = read().await;
    assert!(html.contains("10h00 – 11h00") && html.contains("Camille") && html.contains("Noa Keller"), "{html}");
    let link = studio.http.get(format!("{}/booking/{uid}", studio.calcom.url())).send().await.expect("it answers");
    let place = link.headers().get("location").and_then(|place| place.to_str().ok()).unwrap_or_default();
    assert_eq!(place, format!("/week?user=noa&start={date}#{uid}"));
    assert!(html.contains(&format!("id=\"{uid}\"")), "{html}");
    let date = date.to_string();
    let submit = async |path: &str, more: &[(&str, &str)]| {
        let mut form = vec![("user", "noa"), ("start", date.as_str())];
        form.extend(more);
        let answer = studio.http.post(studio.calcom.url() + path).form(&form).send().await.expect("it answers");
        answer.status().as_u16()
    };
    assert_eq!(
        submit("/week/block", &[("date", &date), ("from", "14:00"), ("to", "16:00"), ("label", "Convention")]).await,
        303
    );
    assert!(read().await.contains("Convention"));
    assert_eq!(studio.book(FLASH, studio.wednesday(14)).await.0, 400);
    assert_eq!(submit("/week/block", &[("date", &date), ("from", "16:00"), ("to", "14:00")]).await, 409);
    assert_eq!(submit("/week/move", &[("uid", &uid), ("from", &format!("{date}T12:00"))]).await, 303);
    let moved = studio.calcom.bookings()[1].clone();
    assert_eq!(moved["start"].as_str().and_then(|start| start.parse().ok()), Some(studio.wednesday(12)));
    assert_eq!(submit("/week/cancel", &[("uid", moved["uid"].as_str().unwrap_or_default())]).await, 303);
    assert_eq!(studio.calcom.bookings()[1]["status"], "cancelled");
    assert_eq!(submit("/week/switch", &[("switch", "down")]).await, 303);
    assert_eq!(studio.get("/v2/me", "").await.0, 503);
    assert_eq!(submit("/week/switch", &[("switch", "down")]).await, 303);
    assert_eq!(studio.get("/v2/me", "").await.0, 200);
}

#[tokio::test]
async fn the_state_survives_a_restart() {
    let folder = std::env::temp_dir().join(format!("calcom-stand-in-{}", uuid::Uuid::now_v7()));
    let options = || Options { state_file: Some(folder.join("calcom.json")), ..Options::default() };
    let studio = Studio::open_with(options()).await;
    let uid = studio.booked(FLASH, studio.wednesday(10)).await;
    drop(studio);
    let studio = Studio::open_with(options()).await;
    assert_eq!(studio.calcom.booking(&uid).expect("it was kept")["status"], "accepted");
    assert_eq!(studio.book(FLASH, studio.wednesday(10)).await.0, 400);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}
