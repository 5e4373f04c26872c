//! The samples of `events/`: none is missing, none is left over, and each can be read as what it says it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aws_lambda_events::sqs::SqsEvent;
use jiff::Timestamp;
use lambda_http::{Request, RequestExt};
use serde_json::Value;
use shared::queue;
use shared::stripe::{Event, Refund, Session};
use uuid::Uuid;

const WITHOUT_ROUTE: [&str; 3] = ["worker", "sweeper", "image-intake"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of the samples in a folder, without `.json`.
fn samples(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.expect("a file").file_name().into_string().expect("a name"));
    names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect()
}

/// The function a sample of `events/` is for.
fn function_of(sample: &str) -> &str {
    sample.split_once('.').map_or(sample, |(function, _case)| function)
}

fn request(sample: &str) -> Request {
    let text = read(&format!("events/{sample}.json"));
    lambda_http::request::from_str(&text).unwrap_or_else(|error| panic!("{sample}: {error}"))
}

#[derive(Debug)]
struct Route {
    method: String,
    path: String,
    function: String,
}

impl Route {
    fn matches(&self, method: &str, path: &str) -> bool {
        let (wanted, given): (Vec<&str>, Vec<&str>) = (self.path.split('/').collect(), path.split('/').collect());
        self.method == method
            && wanted.len() == given.len()
            && wanted.iter().zip(given).all(|(wanted, given)| wanted.starts_with('{') || *wanted == given)
    }
}

fn routes() -> Vec<Route> {
    let table: Vec<Value> = serde_json::from_str(&read("infra/routes.json")).expect("JSON");
    let text = |route: &Value, field: &str| route[field].as_str().expect("text").to_owned();
    let routes = table.iter().map(|route| Route {
        method: text(route, "method"),
        path: text(route, "path"),
        function: text(route, "function"),
    });
    routes.collect()
}

/// The event kinds that a function's source has an arm for.
fn handled_kinds(source: &str, matched: &str) -> BTreeSet<String> {
    let (_before, arms) = source.split_once(matched).unwrap_or_else(|| panic!("`{matched}` is somewhere else now"));
    let (arms, _after) = arms.split_once("_ =>").expect("an arm for all others");
    // The patterns of one arm may stand below one another.
    let arms = arms.split("| ").map(str::trim_end).collect::<Vec<_>>().join(" | ");
    arms.lines()
        .filter_map(|line| line.split_once("=>"))
        .flat_map(|(patterns, _body)| patterns.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_function_has_a_sample_and_every_sample_a_function() {
    let folders = fs::read_dir(root().join("functions")).expect("the functions");
    let folders = folders.map(|entry| entry.expect("a folder").path());
    let functions: BTreeSet<String> = folders
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned())
        .collect();
    let sampled: BTreeSet<String> = samples("events").iter().map(|sample| function_of(sample).to_owned()).collect();
    assert_eq!(sampled, functions);
}

#[test]
fn every_route_has_a_sample_and_every_request_a_route() {
    let routes = routes();
    let mut asked = BTreeSet::new();
    for sample in samples("events") {
        let function = function_of(&sample);
        if WITHOUT_ROUTE.contains(&function) {
            continue;
        }
        let request = request(&sample);
        let path = request.raw_http_path().to_owned();
        let route = routes
            .iter()
            .position(|route| route.function == function && route.matches(request.method().as_str(), &path));
        asked.insert(route.unwrap_or_else(|| panic!("{sample}: {function} has no route {} {path}", request.method())));
        if !request.body().is_empty() {
            let body: Value =
                serde_json::from_slice(request.body()).unwrap_or_else(|error| panic!("{sample}: {error}"));
            assert!(body.is_object(), "{sample}");
        }
    }
    let forgotten: Vec<&Route> = routes
        .iter()
        .enumerate()
        .filter(|(index, _route)| !asked.contains(index))
        .map(|(_index, route)| route)
        .collect();
    assert!(forgotten.is_empty(), "no sample asks for {forgotten:?}");
}

#[test]
fn the_query_of_a_request_says_the_same_twice() {
    for sample in samples("events").iter().filter(|sample| !WITHOUT_ROUTE.contains(&function_of(sample))) {
        let raw: Value = serde_json::from_str(&read(&format!("events/{sample}.json"))).expect("JSON");
        let parsed = request(sample).query_string_parameters();
        let query = raw["rawQueryString"].as_str().expect("a query");
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').expect("a pair");
            assert_eq!(parsed.first(name), Some(value), "{sample}");
        }
    }
}

#[test]
fn the_workers_sample_is_a_batch_that_names_a_job() {
    let event: SqsEvent = serde_json::from_str(&read("events/worker.json")).expect("an SQS event");
    for message in &event.records {
        assert!(queue::parse(message.body.as_deref().expect("a body")).is_some(), "{message:?}");
        assert!(message.message_id.is_some() && message.receipt_handle.is_some());
    }
    assert!(!event.records.is_empty());
}

#[test]
fn the_sweepers_sample_is_an_event_of_the_scheduler() {
    let event: Value = serde_json::from_str(&read("events/sweeper.json")).expect("JSON");
    assert_eq!(event["source"], "aws.scheduler");
    event["time"].as_str().expect("a time").parse::<Timestamp>().expect("an instant");
}

#[test]
fn every_kind_of_stripe_event_that_is_handled_has_a_sample() {
    let source = read("shared/src/settle/events.rs");
    let handled = handled_kinds(&source, "match event.kind.as_str() {");
    assert!(handled.contains("checkout.session.async_payment_succeeded"), "two patterns of one arm are two kinds");
    assert_eq!(samples("events/stripe"), handled);
    assert_eq!(handled, shared::stripe::EVENTS.map(str::to_owned).into(), "the endpoint subscribes to these");
}

#[test]
fn every_sample_of_stripe_is_an_event_of_our_version_about_one_booking() {
    let mut ids = BTreeSet::new();
    for kind in samples("events/stripe") {
        let event: Event = serde_json::from_str(&read(&format!("events/stripe/{kind}.json"))).expect("an event");
        assert_eq!(event.kind, kind);
        assert_eq!(event.api_version.as_deref(), Some(shared::stripe::API_VERSION), "{kind}");
        assert!(!event.livemode, "{kind}");
        assert!(ids.insert(event.id.clone()), "{kind} has the id of another sample");
        let object = event.data.object;
        match object["object"].as_str().expect("a type") {
            "checkout.session" => {
                let session: Session = serde_json::from_value(object).expect("a session");
                assert_eq!(session.metadata.get("booking_id"), session.client_reference_id.as_ref(), "{kind}");
                assert_eq!(session.is_paid(), kind.ends_with("completed") || kind.ends_with("succeeded"), "{kind}");
            }
            "refund" => {
                let refund: Refund = serde_json::from_value(object).expect("a refund");
                assert_eq!(refund.status == "failed", kind == "refund.failed");
            }
            "payment_intent" | "charge" => {
                object["metadata"]["booking_id"].as_str().expect("an id").parse::<Uuid>().expect("a UUID");
            }
            // A dispute has metadata of its own: only the payment leads to the booking.
            "dispute" => assert!(object["payment_intent"].is_string(), "{kind}"),
            other => panic!("{kind}: nobody reads a {other}"),
        }
    }
}

#[test]
fn every_trigger_of_cal_com_has_a_sample_with_what_tells_its_booking() {
    let triggers = ["BOOKING_CANCELLED", "BOOKING_CREATED", "BOOKING_REJECTED", "BOOKING_RESCHEDULED"];
    assert_eq!(samples("events/calcom"), triggers.map(str::to_owned).into());
    for trigger in triggers {
        let event: Value = serde_json::from_str(&read(&format!("events/calcom/{trigger}.json"))).expect("JSON");
        assert_eq!(event["triggerEvent"], trigger);
        let payload = &event["payload"];
        let instant = |value: &Value| value.as_str().expect("a time").parse::<Timestamp>().expect("an instant");
        // Uid, trigger and this time together stand for the id that Cal.com does not give.
        instant(&event["createdAt"]);
        assert!(payload["uid"].is_string(), "{trigger}");
        assert!(instant(&payload["startTime"]) < instant(&payload["endTime"]), "{trigger}");
        payload["metadata"]["inkflow_booking_id"].as_str().expect("an id").parse::<Uuid>().expect("a UUID");
        if trigger == "BOOKING_RESCHEDULED" {
            assert!(payload["rescheduleUid"].is_string() && payload["rescheduleUid"] != payload["uid"]);
            instant(&payload["rescheduleStartTime"]);
        }
    }
}
