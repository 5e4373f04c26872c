//! What no honest client sends, at every route of the table: the answer is a refusal, and never a failure of ours.
//!
//! Made from the samples of `events/` and from `infra/routes.json`, so that a route that comes later is asked too. The
//! functions get the events as the platform hands them over, because no HTTP client would send half of this.

use std::collections::BTreeSet;

use dev::demo::LEA;
use dev::platform::{Options, Platform, checkout};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

/// What stands in a JSON text where something else was expected.
fn odd_values() -> Vec<Value> {
    let texts = [
        "\0",
        "a\0b",
        "",
        "\u{202e}\u{200b}",
        "-009999-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-009999-01-01",
        "9999-12-31",
        "99:99",
    ];
    let mut values: Vec<Value> = texts.map(Value::from).into();
    values.push("é".repeat(9_000).into());
    values.extend([json!(null), json!([]), json!({}), json!(true), json!(-1), json!(1.5), json!([[[]]])]);
    values.extend([json!(i64::MIN), json!(i64::MAX), json!(u64::MAX), json!(i32::MAX), json!(1e300)]);
    values
}

/// What stands in an address where it should be encoded, or is encoded and stands for nothing.
const ODD_BYTES: [&str; 16] =
    ["%00", "\0", "\"", "<", " ", "\u{7f}", "\n", "#", "%", "%ff", "%ed%a0%80", "é", "{}|\\^`", "..", "%2e%2e%2f", "+"];

/// Every pointer into a value: itself, its members, theirs.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            places(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), found);
        }),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| places(value, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn bent_bodies(event: &Value) -> Vec<Value> {
    let Some(body) = event["body"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) else {
        return Vec::new();
    };
    let with_body = |body: String| {
        let mut event = event.clone();
        event["body"] = body.into();
        event
    };
    let mut found = Vec::new();
    places(&body, "", &mut found);
    let mut events = Vec::new();
    for place in found {
        for odd in odd_values() {
            let mut body = body.clone();
            *body.pointer_mut(&place).expect("a place of it") = odd;
            events.push(with_body(body.to_string()));
        }
        if let Some(members) = body.pointer(&place).and_then(Value::as_object) {
            let mut body = body.clone();
            let mut members = members.clone();
            members.insert("\0".into(), "\0".into());
            *body.pointer_mut(&place).expect("a place of it") = members.into();
            events.push(with_body(body.to_string()));
        }
    }
    events
        .extend(["", "\0", "{", "1e999", "\u{feff}{}", "nul", &"[".repeat(30_000)].map(|text| with_body(text.into())));
    let mut bytes = event.clone();
    bytes["body"] = "/w==".into();
    bytes["isBase64Encoded"] = true.into();
    events.push(bytes.clone());
    bytes["body"] = "no base64".into();
    events.push(bytes);
    events
}

fn bent_addresses(event: &Value) -> Vec<Value> {
    let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let (path, query) = (text("rawPath"), text("rawQueryString"));
    let with = |field: &str, value: String| {
        let mut event = event.clone();
        event[field] = value.into();
        event
    };
    let mut events = vec![with("rawPath", String::new()), with("rawPath", "api".into())];
    let mut names: BTreeSet<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.extend(["", "x", "date", "days", "lang", "artist", "flash", "q", "cursor", "view", "from", "to"]);
    for odd in ODD_BYTES {
        let segments: Vec<&str> = path.split('/').collect();
        for place in 1..segments.len() {
            for bent in [odd.to_owned(), format!("{}{odd}", segments[place])] {
                let mut segments = segments.clone();
                segments[place] = &bent;
                events.push(with("rawPath", segments.join("/")));
            }
        }
        for name in &names {
            events.push(with("rawQueryString", format!("{name}={odd}")));
        }
        events.push(with("rawQueryString", format!("{query}&{odd}={odd}&{odd}")));
    }
    for date in ["-009999-01-01", "9999-12-31", "2026-12-01T00:00:00Z"] {
        events.push(with("rawQueryString", format!("{query}&date={date}")));
        events.push(with("rawQueryString", format!("artist=lea-marchetti&date={date}&days=31&from={date}&to={date}")));
    }
    events
}

fn bent_heads(event: &Value) -> Vec<Value> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = event.clone();
        change(&mut event);
        event
    };
    let mut events = vec![
        with(&|event| event["headers"]["a b"] = "x".into()),
        with(&|event| event["headers"][""] = "x".into()),
        with(&|event| event["cookies"] = json!(["__Host-inkflow_session=\n", "\0", "=", "é=é", ""])),
        with(&|event| event["cookies"] = json!(["__Host-inkflow_session=%00", "__Host-inkflow_refresh=\"\0\""])),
    ];
    for odd in ["\0", "\n", "\u{7f}", "é", "", "\u{10ffff}", "a b", "["] {
        for name in [
            "host",
            "origin",
            "content-type",
            "accept-language",
            "authorization",
            "idempotency-key",
            "x-proof",
            "stripe-signature",
            "x-cal-signature-256",
            "cloudfront-viewer-address",
            "x-forwarded-proto",
            "user-agent",
        ] {
            events.push(with(&|event| event["headers"][name] = odd.into()));
        }
        events.push(with(&|event| event["requestContext"]["http"]["sourceIp"] = odd.into()));
    }
    for method in ["G ET", "get", "PROPFIND", "HEAD", "\0"] {
        events.push(with(&|event| event["requestContext"]["http"]["method"] = method.into()));
    }
    events
}

/// The samples of all routes, each as an artist who is signed in sends it from a page of ours.
fn samples(site: &str, token: &str) -> Vec<(String, Value)> {
    let read =
        |path: std::path::PathBuf| std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let routes: Vec<Value> = serde_json::from_str(&read(checkout().join("infra/routes.json"))).expect("JSON");
    let mut open: BTreeSet<String> =
        routes.iter().map(|route| format!("{} {}", route["method"], route["path"]).replace('"', "")).collect();
    let mut samples = Vec::new();
    for file in std::fs::read_dir(checkout().join("events")).expect("the samples").flatten() {
        let name = file.file_name().into_string().expect("text");
        let Some(name) = name.strip_suffix(".json") else { continue };
        let text = read(file.path()).replace("https://inkflow.example", site).replace("<token>", token);
        let mut event: Value = serde_json::from_str(&text).expect("JSON");
        let Some(path) = event["rawPath"].as_str().map(str::to_owned) else { continue };
        let method = event["requestContext"]["http"]["method"].as_str().expect("a method").to_owned();
        if path.starts_with("/api/dashboard") {
            event["headers"]["authorization"] = format!("Bearer {token}").into();
        }
        let function = name.split_once('.').map_or(name, |(function, _case)| function).to_owned();
        open.retain(|route| {
            let (of, pattern) = route.split_once(' ').expect("method and path");
            let fits = pattern.split('/').count() == path.split('/').count()
                && pattern.split('/').zip(path.split('/')).all(|(want, is)| want.starts_with('{') || want == is);
            of != method || !fits
        });
        samples.push((function, event));
    }
    assert!(open.is_empty(), "no sample asks these: {open:?}");
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_of_a_stranger_is_a_failure_of_ours() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let platform = Platform::start(Options::for_test().expect("options")).await;
    let platform = platform.expect("it starts: cargo build --workspace --bins");
    let token = platform.supabase().expect("a stand-in").token(LEA.user_id, LEA.email);
    let mut asked = Vec::new();
    for (function, event) in samples(platform.site(), &token) {
        let bent = [bent_bodies(&event), bent_addresses(&event), bent_heads(&event)].concat();
        asked.extend(bent.into_iter().map(|event| (function.clone(), event.to_string())));
    }
    assert!(asked.len() > 10_000, "{}", asked.len());
    let host = platform.host();
    let failures: Vec<String> = stream::iter(asked)
        .map(|(function, event)| async move {
            let answer = host.invoke(&function, event.clone()).await;
            let short: String = event.chars().take(1_500).collect();
            match answer.map(|answer| serde_json::from_slice::<Value>(&answer).unwrap_or_default()) {
                Ok(answer) if answer["statusCode"].as_u64().is_some_and(|status| (200..500).contains(&status)) => None,
                Ok(answer) => Some(format!("{function}: {answer} of {short}")),
                Err(error) => Some(format!("{function} fails: {error} of {short}")),
            }
        })
        .buffer_unordered(4)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(
        failures.is_empty(),
        "{} failures, such as\n{}",
        failures.len(),
        failures[..failures.len().min(12)].join("\n\n")
    );
    platform.stop().await.expect("it stops");
}
