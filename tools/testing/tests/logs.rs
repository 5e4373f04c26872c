//! What a stranger can write into the log.

use lambda_http::Body;
use lambda_http::http::Request;
use shared::error::Error;
use shared::http::{Web, answer};
use testing::{Logs, PUBLIC_URL};

#[tokio::test]
async fn a_stranger_writes_no_word_and_no_long_line_into_the_log() {
    let web = Web { public_url: PUBLIC_URL.into(), cors_origins: Vec::new(), client_ip_header: None };
    let logs = Logs::listen();
    let long = format!("jo@example.fr {}", "A".repeat(20_000));
    for error in [Error::Malformed(long.clone()), Error::Internal(long.clone()), Error::SignInUnavailable(long)] {
        let request = Request::builder().method("J0612345678").uri("/a".repeat(3_000));
        let request = request.body(Body::Empty).expect("a request");
        answer(&web, request, |_| async { Err(error) }).await;
    }
    logs.hold_nothing_of(&["jo@example.fr", "0612345678"]);
    let text = logs.text();
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(text.lines().all(|line| line.len() < 600), "{text}");
}
