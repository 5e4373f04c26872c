//! A function for the host's own tests: does what the event tells it to do, and nothing else.

use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};

type Json = serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    if std::env::var("FAIL_INIT").is_ok() {
        println!(r#"{{"level":"ERROR","message":"no init today"}}"#);
        std::process::exit(3);
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Json>) -> Result<Json, Error> {
    let (event, context) = event.into_parts();
    println!(r#"{{"level":"INFO","message":"called","say":{}}}"#, event["say"]);
    if let Some(millis) = event["sleep_ms"].as_u64() {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    if event["fail"] == true {
        return Err("it was told to fail".into());
    }
    if let Some(code) = event["exit"].as_i64() {
        std::process::exit(i32::try_from(code)?);
    }
    if event["requestContext"]["http"].is_object() {
        let body = serde_json::json!({ "path": event["rawPath"], "body": event["body"] }).to_string();
        let code = if event["rawPath"] == "/api/broken" { "soon" } else { "200" };
        return Ok(serde_json::json!({ "statusCode": code.parse::<u16>().ok(), "body": body }));
    }
    if let Some(records) = event["Records"].as_array() {
        let poison =
            records.iter().filter(|record| record["body"].as_str().is_some_and(|body| body.contains("poison")));
        let failed: Vec<_> =
            poison.map(|record| serde_json::json!({ "itemIdentifier": record["messageId"] })).collect();
        return Ok(serde_json::json!({ "batchItemFailures": failed }));
    }
    Ok(serde_json::json!({
        "event": event,
        "pid": std::process::id(),
        "setting": std::env::var("SETTING").ok(),
        "request_id": context.request_id,
        "deadline": context.deadline,
        "arn": context.invoked_function_arn,
    }))
}
