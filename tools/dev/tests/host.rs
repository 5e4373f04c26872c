//! The host, with a real bootstrap: what the Lambda runtime API promises, and what is left when it ends.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dev::host::{FunctionSpec, Host, InvokeError, Options};
use serde_json::{Value, json};

fn bootstrap() -> PathBuf {
    let exe = std::env::current_exe().expect("a test knows where it is");
    let built = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
    let path = built.join("examples/bootstrap");
    assert!(path.is_file(), "{} is missing: cargo build -p dev --example bootstrap", path.display());
    path
}

fn function(max_instances: usize) -> FunctionSpec {
    FunctionSpec {
        name: "echo".to_owned(),
        binary: bootstrap(),
        env: vec![("SETTING".to_owned(), "first".to_owned())],
        timeout: Duration::from_secs(5),
        max_instances,
    }
}

async fn host(max_instances: usize) -> Host {
    Host::start(vec![function(max_instances)], Options::default()).await.expect("the host starts")
}

async fn call(host: &Host, event: Value) -> Result<Value, InvokeError> {
    let answer = host.invoke("echo", event.to_string()).await?;
    Ok(serde_json::from_slice(&answer).expect("the function answers in JSON"))
}

fn alive(pid: &Value) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn an_invocation_gets_its_event_and_what_lambda_tells_about_it() {
    let host = host(2).await;
    let answer = call(&host, json!({ "hello": "wörld" })).await.expect("it answers");
    assert_eq!(answer["event"], json!({ "hello": "wörld" }));
    assert_eq!(answer["arn"], "arn:aws:lambda:eu-west-3:000000000000:function:echo");
    assert!(answer["request_id"].as_str().is_some_and(|id| id.len() == 36));
    let now = jiff::Timestamp::now().as_millisecond();
    let left = answer["deadline"].as_i64().expect("a deadline") - now;
    assert!((3_000..=5_000).contains(&left), "{left} ms are left");
    host.stop().await;
}

#[tokio::test]
async fn a_warm_instance_is_used_again_and_a_busy_one_is_not() {
    let host = host(4).await;
    let first = call(&host, json!({})).await.expect("it answers");
    let second = call(&host, json!({})).await.expect("it answers");
    assert_eq!(first["pid"], second["pid"]);
    assert_eq!(host.instances("echo"), (1, 1));

    let started = Instant::now();
    let slow = || call(&host, json!({ "sleep_ms": 300 }));
    let (a, b, c, d) = tokio::join!(slow(), slow(), slow(), slow());
    let mut pids: Vec<_> = [a, b, c, d].map(|answer| answer.expect("it answers")["pid"].as_u64()).to_vec();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 4, "four calls at once need four instances");
    assert!(started.elapsed() < Duration::from_millis(1_000), "they ran one after the other");
    host.stop().await;
}

#[tokio::test]
async fn calls_wait_for_a_free_instance_and_are_throttled_when_none_comes() {
    let options = Options { queue_wait: Duration::from_millis(400), ..Options::default() };
    let host = Host::start(vec![function(1)], options).await.expect("the host starts");
    host.warm("echo", 1).await.expect("it comes up");
    let slow = |millis| call(&host, json!({ "sleep_ms": millis }));
    let (a, b) = tokio::join!(slow(150), slow(150));
    assert!(a.is_ok() && b.is_ok(), "the second one waits its turn");
    let (a, b) = tokio::join!(slow(900), slow(1));
    assert!(a.is_ok());
    assert_eq!(b, Err(InvokeError::Throttled));
    host.stop().await;
}

#[tokio::test]
async fn a_handler_that_fails_gives_its_error_and_stays_warm() {
    let host = host(1).await;
    let before = call(&host, json!({})).await.expect("it answers");
    let Err(InvokeError::Handler(document)) = call(&host, json!({ "fail": true })).await else {
        panic!("a failing handler is a handler's error")
    };
    let document: Value = serde_json::from_slice(&document).expect("Lambda's error document");
    assert_eq!(document["errorMessage"], "it was told to fail");
    let after = call(&host, json!({})).await.expect("it answers");
    assert_eq!(before["pid"], after["pid"]);
    host.stop().await;
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_killed() {
    let mut spec = function(1);
    spec.timeout = Duration::from_millis(300);
    let host = Host::start(vec![spec], Options::default()).await.expect("the host starts");
    let before = call(&host, json!({})).await.expect("it answers");
    let error = call(&host, json!({ "sleep_ms": 10_000 })).await.expect_err("it is too slow");
    assert!(matches!(error, InvokeError::TimedOut { .. }), "{error}");
    let document = String::from_utf8(error.document().to_vec()).expect("text");
    assert!(document.contains("Task timed out after 0.30 seconds"), "{document}");
    let after = call(&host, json!({})).await.expect("the next call gets a new instance");
    assert_ne!(before["pid"], after["pid"]);
    assert!(!alive(&before["pid"]));
    host.stop().await;
}

#[tokio::test]
async fn an_instance_that_dies_at_work_fails_its_invocation_and_is_replaced() {
    let host = host(1).await;
    let error = call(&host, json!({ "exit": 7 })).await.expect_err("it dies");
    assert!(matches!(&error, InvokeError::Exited { how, .. } if how == "exit status 7"), "{error}");
    assert!(call(&host, json!({})).await.is_ok());

    let killed = host.kill_during_next("echo", Duration::from_millis(100));
    let error = call(&host, json!({ "sleep_ms": 3_000 })).await.expect_err("it is killed");
    assert!(matches!(&error, InvokeError::Exited { how, .. } if how == "signal: killed"), "{error}");
    assert_eq!(killed.await, Ok(true));
    assert!(call(&host, json!({})).await.is_ok());

    let killed = host.kill_during_next("echo", Duration::from_millis(300));
    assert!(call(&host, json!({})).await.is_ok(), "it is done before the shot");
    assert_eq!(killed.await, Ok(false));
    host.stop().await;
}

#[tokio::test]
async fn killing_the_idle_ones_costs_no_invocation() {
    let host = host(3).await;
    for _ in 0..20 {
        host.warm("echo", 3).await.expect("they come up");
        host.kill("echo");
        call(&host, json!({})).await.expect("a living instance takes the call");
    }
    host.stop().await;
}

#[tokio::test]
async fn the_dying_are_not_the_warm() {
    let host = host(3).await;
    host.warm("echo", 3).await.expect("they come up");
    host.kill("echo");
    host.warm("echo", 3).await.expect("others come up in their place");
    assert_eq!(host.instances("echo"), (3, 6));
    host.stop().await;
}

#[tokio::test]
async fn a_function_that_cannot_start_fails_its_caller_at_once() {
    let mut spec = function(2);
    spec.env.push(("FAIL_INIT".to_owned(), "1".to_owned()));
    let folder = std::env::temp_dir().join(format!("inkflow-host-{}", std::process::id()));
    let options = Options { logs: Some(folder.clone()), ..Options::default() };
    let host = Host::start(vec![spec], options).await.expect("the host starts");
    let error = call(&host, json!({})).await.expect_err("it cannot start");
    assert!(matches!(&error, InvokeError::Init(how) if how == "exit status 3"), "{error}");
    assert!(host.warm("echo", 1).await.is_err());
    host.stop().await;
    let log = std::fs::read_to_string(folder.join("echo.log")).expect("its last words are kept");
    assert!(log.contains("no init today"), "{log}");
    std::fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test]
async fn changed_settings_reach_the_next_invocation_and_spare_the_one_under_way() {
    let host = host(1).await;
    host.warm("echo", 1).await.expect("it comes up");
    let under_way = tokio::spawn({
        let host = host.clone();
        async move { call(&host, json!({ "sleep_ms": 300 })).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    host.set_overrides(&[("SETTING".to_owned(), "second".to_owned())]);
    let next = call(&host, json!({})).await.expect("it answers");
    assert_eq!(under_way.await.expect("it ran").expect("it answers")["setting"], "first");
    assert_eq!(next["setting"], "second");
    host.stop().await;
}

#[tokio::test]
async fn a_paused_function_runs_when_it_is_resumed() {
    let host = host(1).await;
    host.warm("echo", 1).await.expect("it comes up");
    host.pause("echo");
    let started = Instant::now();
    let (answer, ()) = tokio::join!(call(&host, json!({})), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        host.resume("echo");
    });
    assert!(answer.is_ok());
    assert!(started.elapsed() >= Duration::from_millis(200));
    host.stop().await;
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_stop_the_function() {
    let host = host(1).await;
    host.warm("echo", 1).await.expect("it comes up");
    let gone = tokio::time::timeout(Duration::from_millis(50), call(&host, json!({ "sleep_ms": 300 }))).await;
    assert!(gone.is_err());
    assert!(call(&host, json!({})).await.is_ok(), "the same instance, after its work");
    assert_eq!(host.instances("echo"), (1, 1));
    host.stop().await;
}

#[tokio::test]
async fn nothing_is_left_after_stop_or_drop() {
    for polite in [true, false] {
        let host = host(3).await;
        let slow = || call(&host, json!({ "sleep_ms": 100 }));
        let (a, b, c) = tokio::join!(slow(), slow(), slow());
        let pids = [a, b, c].map(|answer| answer.expect("it answers")["pid"].clone());
        assert!(pids.iter().all(alive));
        if polite {
            host.stop().await;
        } else {
            drop(host);
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        assert!(!pids.iter().any(alive), "polite: {polite}");
    }
}

#[tokio::test]
async fn the_invoke_api_answers_as_lambda_does() {
    let host = host(1).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let at = listener.local_addr().expect("bound");
    let api = host.invoke_api();
    tokio::spawn(async move { axum::serve(listener, api).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let post = async |name: &str, body: &str, kind: &str| {
        let url = format!("http://{at}/2015-03-31/functions/{name}/invocations");
        let sent = client.post(url).header("x-amz-invocation-type", kind).body(body.to_owned()).send().await;
        let answer = sent.expect("it answers");
        let error = answer.headers().get("x-amz-function-error").is_some();
        (answer.status().as_u16(), error, answer.text().await.expect("text"))
    };
    let (status, error, body) = post("echo", r#"{"a":1}"#, "RequestResponse").await;
    assert_eq!((status, error), (200, false), "{body}");
    assert!(body.contains(r#""event":{"a":1}"#), "{body}");
    let (status, error, body) = post("echo", r#"{"fail":true}"#, "RequestResponse").await;
    assert_eq!((status, error), (200, true), "{body}");
    assert_eq!(post("echo", "{}", "Event").await.0, 202);
    assert_eq!(post("echo", "{}", "DryRun").await.0, 204);
    assert_eq!(post("echo", "not json", "RequestResponse").await.0, 400);
    assert_eq!(post("other", "{}", "RequestResponse").await.0, 404);
    host.stop().await;
}
