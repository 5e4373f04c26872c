//! The queue and the mailer against a stand-in of AWS: the SDK, our connector and the wire are the real ones.
//! `make test` gives its address as `TEST_AWS_URL`.

use std::time::{Duration, Instant};

use aws_sdk_sqs::config::Credentials;
use aws_types::SdkConfig;
use serde_json::Value;
use shared::domain::ids::{BookingId, JobId};
use shared::domain::job::Template;
use shared::error::{Error, Service};
use shared::ics::Method;
use shared::mail::{CalendarFile, Mail, MailFailure, Mailer, Matter};
use shared::queue::{self, Queue};
use shared::{aws, net};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::{Uuid, uuid};

/// The stand-in's address; none on a laptop that has none, never in CI.
fn stand_in() -> Option<String> {
    let url = std::env::var("TEST_AWS_URL").ok().filter(|url| !url.is_empty());
    if url.is_none() {
        assert!(std::env::var_os("CI").is_none(), "TEST_AWS_URL is not set: run the tests by `make test`");
        eprintln!("SKIPPED: TEST_AWS_URL is not set. `make test` starts a stand-in of AWS and sets it.");
    }
    url
}

fn settings() -> SdkConfig {
    // Each run has an account of its own.
    let account = format!("{:012}", Uuid::now_v7().as_u128() % 1_000_000_000_000);
    let http = net::client(&net::tls());
    aws::with(&http, "eu-west-3".into(), Credentials::new(account, "secret", None, None, "test"))
}

async fn new_queue(settings: &SdkConfig, url: &str) -> (aws_sdk_sqs::Client, String) {
    let mut config = aws_sdk_sqs::config::Builder::from(settings);
    config.set_endpoint_url(Some(url.to_owned()));
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    let created = client.create_queue().queue_name(format!("jobs-{}", Uuid::now_v7())).send().await;
    let created = created.expect("the stand-in makes a queue");
    (client, created.queue_url.expect("a queue has a URL"))
}

fn jobs(count: usize) -> Vec<JobId> {
    (0..count).map(|_| JobId::new(Uuid::now_v7())).collect()
}

async fn received(client: &aws_sdk_sqs::Client, url: &str) -> Vec<(JobId, String)> {
    let mut all = Vec::new();
    loop {
        let answer = client.receive_message().queue_url(url).max_number_of_messages(10).visibility_timeout(30);
        let messages = answer.send().await.expect("the stand-in answers").messages.unwrap_or_default();
        if messages.is_empty() {
            return all;
        }
        all.extend(messages.into_iter().map(|message| {
            let job = queue::parse(message.body().expect("a body")).expect("one of our messages");
            (job, message.receipt_handle.expect("a receipt"))
        }));
    }
}

#[tokio::test]
async fn jobs_arrive_alone_and_in_batches() {
    let Some(url) = stand_in() else { return };
    let settings = settings();
    for count in [0, 1, 2, 10, 11, 25] {
        let (client, queue_url) = new_queue(&settings, &url).await;
        let queue = Queue::new(&settings, Some(url.clone()), queue_url.clone());
        let mut sent = jobs(count);
        assert_eq!(queue.send(&sent).await.expect("the stand-in takes them"), sent, "{count}");
        let mut got: Vec<JobId> = received(&client, &queue_url).await.into_iter().map(|(job, _)| job).collect();
        sent.sort();
        got.sort();
        assert_eq!(got, sent);
    }
}

#[tokio::test]
async fn a_hidden_message_comes_back_when_told() {
    let Some(url) = stand_in() else { return };
    let settings = settings();
    let (client, queue_url) = new_queue(&settings, &url).await;
    let queue = Queue::new(&settings, Some(url), queue_url.clone());
    let sent = jobs(1);
    queue.send(&sent).await.expect("the stand-in takes it");
    let (_, receipt) = received(&client, &queue_url).await.remove(0);
    queue.hide(&receipt, Duration::from_secs(1)).await;
    assert!(received(&client, &queue_url).await.is_empty(), "it is still hidden");
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert_eq!(received(&client, &queue_url).await.first().map(|(job, _)| *job), Some(sent[0]));
    queue.hide("not a receipt", Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_queue_that_does_not_exist_is_an_error_of_the_queue() {
    let Some(url) = stand_in() else { return };
    let queue = Queue::new(&settings(), Some(url.clone()), format!("{url}/000000000000/nowhere"));
    for count in [1, 3] {
        let error = queue.send(&jobs(count)).await.expect_err("there is no such queue");
        assert!(matches!(error, Error::Outside { service: Service::Queue, .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_silent_or_absent_queue_costs_little_time() {
    // It accepts and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let absent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = |listener: &tokio::net::TcpListener| format!("http://{}", listener.local_addr().expect("bound"));
    let urls = [address(&silent), address(&absent)];
    drop(absent);
    for url in urls {
        let queue = Queue::new(&settings(), Some(url.clone()), format!("{url}/000000000000/jobs"));
        let start = Instant::now();
        let error = queue.send(&jobs(25)).await.expect_err("nobody answers");
        assert!(matches!(error, Error::Outside { service: Service::Queue, .. }), "{error:?}");
        assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
    }
}

/// Answers each connection's one request with the next of `answers`.
async fn scripted(answers: Vec<(u16, &'static str)>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = Vec::new();
            let mut chunk = [0; 4096];
            loop {
                let read = stream.read(&mut chunk).await.expect("a request");
                request.extend_from_slice(&chunk[..read]);
                let text = String::from_utf8_lossy(&request);
                let Some((head, sent)) = text.split_once("\r\n\r\n") else { continue };
                let length =
                    head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
                if sent.len() >= length.unwrap_or(0) || read == 0 {
                    break;
                }
            }
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.expect("it listens");
        }
    });
    url
}

#[tokio::test]
async fn only_the_entries_that_were_taken_count_as_sent() {
    let answer = r#"{"Successful":[{"Id":"2","MessageId":"m","MD5OfMessageBody":"x"},{"Id":"77","MessageId":"m","MD5OfMessageBody":"x"}],
        "Failed":[{"Id":"0","SenderFault":false,"Code":"InternalError"},{"Id":"1","SenderFault":true,"Code":"InvalidMessageContents"}]}"#;
    let url = scripted(vec![(200, answer)]).await;
    let queue = Queue::new(&settings(), Some(url.clone()), format!("{url}/000000000000/jobs"));
    let sent = jobs(3);
    assert_eq!(queue.send(&sent).await.expect("a 200"), [sent[2]]);
}

#[tokio::test]
async fn what_was_taken_before_a_failure_is_told() {
    let taken = r#"{"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"x"}],"Failed":[]}"#;
    let url = scripted(vec![(200, taken), (503, "{}")]).await;
    let queue = Queue::new(&settings(), Some(url.clone()), format!("{url}/000000000000/jobs"));
    let sent = jobs(25);
    assert_eq!(queue.send(&sent).await.expect("the first batch was answered"), [sent[0]]);
}

fn mail() -> Mail {
    Mail {
        to: format!("camille-{}@example.com", Uuid::now_v7().simple()),
        from_name: "Léa Marchetti".into(),
        reply_to: "lea@marchetti.example".into(),
        subject: "Confirmé\u{a0}: mardi 1er décembre\r\nBcc: victim@example.com".into(),
        text: "Bonjour, 50\u{a0}€".into(),
        html: "<p>Bonjour, 50&nbsp;€</p>".into(),
        calendar: Some(CalendarFile {
            method: Method::Request,
            content: "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n".into(),
        }),
        sent_at: "2026-11-23T09:00:00Z".parse().expect("an instant"),
        matter: Matter::Booking {
            booking: BookingId::new(uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566")),
            template: Template::ClientConfirmed,
        },
    }
}

fn mailer(settings: &SdkConfig, url: String) -> Mailer {
    Mailer::new(settings, Some(url), "InkFlow <bookings@inkflow.example>", Some("inkflow".into())).expect("an address")
}

#[tokio::test]
async fn a_mail_reaches_ses_as_it_was_written() {
    let Some(url) = stand_in() else { return };
    let (settings, mail) = (settings(), mail());
    let mailer = mailer(&settings, url.clone());
    let refused = mailer.send(&mail).await.expect_err("the sender is not verified yet");
    assert!(matches!(refused, MailFailure::Permanent(_)), "{refused:?}");
    let mut config = aws_sdk_sesv2::config::Builder::from(&settings);
    config.set_endpoint_url(Some(url.clone()));
    let account = aws_sdk_sesv2::Client::from_conf(config.build());
    account.create_email_identity().email_identity("inkflow.example").send().await.expect("the sender is verified");
    let id = mailer.send(&mail).await.expect("the stand-in takes it");
    assert!(!id.0.is_empty());
    let http = net::client(&net::tls());
    let all = http.get(format!("{url}/_ministack/ses/messages")).send().await.expect("it answers");
    let all: Value = serde_json::from_slice(&all.bytes().await.expect("a body")).expect("JSON");
    let text = all.to_string();
    assert!(text.contains(&mail.to), "{text}");
    let stored = find(&all, &id.0).unwrap_or_else(|| panic!("no such message: {text}"));
    assert_eq!(stored["Source"], "bookings@inkflow.example");
    assert_eq!(stored["Subject"], "Confirmé\u{a0}: mardi 1er décembre Bcc: victim@example.com");
    let body = |name: &str| stored[name].as_str().unwrap_or_default().trim_end().to_owned();
    assert_eq!((body("BodyText"), body("BodyHtml")), (mail.text.clone(), mail.html.clone()));
}

/// The object with this `MessageId`, wherever it is.
fn find<'a>(value: &'a Value, id: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) if fields.get("MessageId").and_then(Value::as_str) == Some(id) => Some(value),
        Value::Object(fields) => fields.values().find_map(|inner| find(inner, id)),
        Value::Array(items) => items.iter().find_map(|inner| find(inner, id)),
        _ => None,
    }
}

#[tokio::test]
async fn a_mail_is_handed_over_once_whatever_the_answer() {
    let named = r#"{"__type":"InternalFailure","message":"x"}"#;
    for (status, body, known) in [(500, named, true), (503, "{}", true), (500, "{}", false), (504, "{}", false)] {
        let url = scripted(vec![(status, body), (200, r#"{"MessageId":"second"}"#)]).await;
        let failure = mailer(&settings(), url).send(&mail()).await.expect_err("one attempt");
        let said = matches!(failure, MailFailure::Retry(_));
        assert!(said == known && (said || matches!(failure, MailFailure::Unanswered(_))), "{status}: {failure:?}");
    }
}

#[tokio::test]
async fn a_mail_that_never_left_was_not_sent_and_one_without_an_answer_may_have_been() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("bound"));
    let hangs_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut chunk = [0; 4096];
        let _ = stream.read(&mut chunk).await;
    });
    let failure = mailer(&settings(), url.clone()).send(&mail()).await.expect_err("it hangs up");
    assert!(matches!(failure, MailFailure::Unanswered(_)), "{failure:?}");
    hangs_up.await.expect("it has ended");
    let failure = mailer(&settings(), url).send(&mail()).await.expect_err("nobody is there any more");
    assert!(matches!(failure, MailFailure::Retry(_)), "{failure:?}");
}

#[tokio::test]
async fn a_refusal_is_classed_from_the_wire() {
    for (status, body, permanent) in [
        (400, r#"{"__type":"MessageRejected","message":"Email address is not verified: camille@example.com"}"#, true),
        (400, r#"{"__type":"AccountSuspendedException","message":"suspended"}"#, false),
        (400, r#"{"__type":"SendingPausedException","message":"paused"}"#, false),
        (403, r#"{"__type":"AccessDeniedException","message":"not authorized"}"#, false),
    ] {
        let failure =
            mailer(&settings(), scripted(vec![(status, body)]).await).send(&mail()).await.expect_err("refused");
        match &failure {
            MailFailure::Permanent(why) => assert!(permanent && !why.contains("camille"), "{why}"),
            MailFailure::Pause(_) => assert!(!permanent, "{failure}"),
            MailFailure::Retry(_) | MailFailure::Unanswered(_) => panic!("{failure}"),
        }
    }
}

#[tokio::test]
async fn an_address_that_hides_a_second_one_is_not_sent_to() {
    let mailer = mailer(&settings(), "http://127.0.0.1:9".into());
    for to in ["a@b.fr,c@d.fr", "a@b.fr\r\nBcc: c@d.fr", "Léa <a@b.fr>", ""] {
        let failure = mailer.send(&Mail { to: to.into(), ..mail() }).await.expect_err("malformed");
        assert!(matches!(failure, MailFailure::Permanent(_)), "{failure:?}");
    }
    let none = Mailer::new(&settings(), None, "nobody", None);
    assert!(none.is_err_and(|error| error.to_string().contains("MAIL_FROM")));
}
