//! The one call to SSM, against a server that behaves as SSM does on its good and bad days.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_sdk_sqs::config::Credentials;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use shared::net;
use shared::parameters::{ParametersError, Store};

type Asked = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// A server that gives these answers, the last one again and again, and keeps what it was asked.
async fn ssm(answers: Vec<(u16, Value)>) -> (Store, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        let mut asked = kept.lock().expect("one at a time");
        asked.push((headers, serde_json::from_slice(&body).expect("JSON")));
        let (status, answer) = answers.get(asked.len() - 1).or(answers.last()).expect("an answer").clone();
        (StatusCode::from_u16(status).expect("a status"), axum::Json(answer))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(answer))).await });
    (store(url), asked)
}

fn store(url: String) -> Store {
    let credentials = Credentials::new("AKIDEXAMPLE", "key", Some("the-session".into()), None, "test");
    Store::new(net::client(&net::tls()), Some(url), "eu-west-3".into(), credentials)
}

fn names() -> Vec<String> {
    vec!["/inkflow/prod/DATABASE_URL".into(), "/inkflow/prod/ENCRYPTION_KEY".into()]
}

fn good() -> (u16, Value) {
    let parameter =
        |name: &str, value: &str| json!({ "Name": name, "Value": value, "Type": "SecureString", "Version": 3 });
    let parameters =
        [parameter("/inkflow/prod/DATABASE_URL", "postgres://x"), parameter("/inkflow/prod/ENCRYPTION_KEY", "k=")];
    (200, json!({ "Parameters": parameters, "InvalidParameters": [] }))
}

#[tokio::test]
async fn one_signed_call_brings_every_value_under_its_settings_name() {
    let (store, asked) = ssm(vec![good()]).await;
    let values = store.get(&names()).await.expect("SSM answers");
    assert_eq!((values["DATABASE_URL"].as_str(), values["ENCRYPTION_KEY"].as_str()), ("postgres://x", "k="));
    let asked = asked.lock().expect("done");
    let [(headers, body)] = &asked[..] else { panic!("one call") };
    assert_eq!(body, &json!({ "Names": names(), "WithDecryption": true }));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-amz-target"), "AmazonSSM.GetParameters");
    assert_eq!(header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(header("x-amz-security-token"), "the-session");
    let authorization = header("authorization");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{authorization}");
    assert!(authorization.contains("/eu-west-3/ssm/aws4_request"), "{authorization}");
    let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
    assert!(authorization.contains(signed), "{authorization}");
}

#[tokio::test]
async fn a_busy_ssm_is_asked_again() {
    let throttled = (400, json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
    let (store, asked) = ssm(vec![throttled, (503, json!({})), good()]).await;
    assert_eq!(store.get(&names()).await.expect("the third time").len(), 2);
    assert_eq!(asked.lock().expect("done").len(), 3);
}

#[tokio::test]
async fn a_parameter_that_is_not_there_is_named() {
    let answer = json!({ "Parameters": [], "InvalidParameters": names() });
    let (store, asked) = ssm(vec![(200, answer)]).await;
    let error = store.get(&names()).await.expect_err("it is not there");
    assert!(error.to_string().contains("/inkflow/prod/DATABASE_URL, /inkflow/prod/ENCRYPTION_KEY"), "{error}");
    assert_eq!(asked.lock().expect("done").len(), 1, "asking again would not make it be there");
}

#[tokio::test]
async fn a_role_that_may_not_read_is_told_so_at_once() {
    let refused =
        json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": "User: … is not authorized" });
    let (store, asked) = ssm(vec![(400, refused)]).await;
    let error = store.get(&names()).await.expect_err("it is refused");
    assert!(error.to_string().contains("400 AccessDeniedException"), "{error}");
    assert_eq!(asked.lock().expect("done").len(), 1);
}

#[tokio::test]
async fn a_silent_ssm_ends_the_start_before_lambda_does() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let silent = store(format!("http://{}", listener.local_addr().expect("bound")));
    let begun = Instant::now();
    let error = silent.get(&names()).await.expect_err("nobody answers");
    assert!(matches!(error, ParametersError::Unreachable { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(9), "Lambda gives a start ten seconds");
    drop(listener);
}

#[tokio::test]
async fn more_names_than_ssm_takes_are_refused_before_the_call() {
    let (store, asked) = ssm(vec![good()]).await;
    let many: Vec<String> = (0..11).map(|n| format!("/inkflow/prod/{n}")).collect();
    assert!(matches!(store.get(&many).await, Err(ParametersError::TooMany(11))));
    assert!(asked.lock().expect("done").is_empty());
}
