//! Queue and mail against the real ministack: delivery, redelivery, dead letters, the inbox, and what is left at the end.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use dev::aws::{Condition, MailGate, Ministack, Queues, Sqs, SqsGate, provide};
use dev::host::{FunctionSpec, Host};
use dev::queue::{EventSource, Options};
use dev::schedule::Schedule;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

fn spec(name: &str, binary: PathBuf) -> FunctionSpec {
    FunctionSpec { name: name.to_owned(), binary, env: Vec::new(), timeout: Duration::from_secs(5), max_instances: 4 }
}

struct Aws {
    ministack: Ministack,
    queues: Queues,
    sqs: Sqs,
    folder: PathBuf,
}

impl Aws {
    async fn start(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("inkflow-aws-{name}-{}", std::process::id()));
        let ministack = Ministack::start(&folder, None).await.expect("ministack starts");
        let queues = provide(&ministack.url(), "inkflow.example", "").await.expect("queues");
        let sqs = Sqs::at(&ministack.url());
        Self { ministack, queues, sqs, folder }
    }

    async fn worker(&self) -> Host {
        let exe = std::env::current_exe().expect("a test knows where it is");
        let built = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
        let worker = spec("worker", built.join("examples/bootstrap"));
        let options = dev::host::Options { logs: Some(self.folder.clone()), ..Default::default() };
        Host::start(vec![worker], options).await.expect("the host starts")
    }

    /// Makes the queue's own policy quicker than the twenty seconds and eight attempts of `make dev`.
    async fn impatient(&self) {
        let target = "arn:aws:sqs:eu-west-3:000000000000:inkflow-jobs-dead";
        let policy = json!({ "deadLetterTargetArn": target, "maxReceiveCount": 3 }).to_string();
        let attributes = json!({ "VisibilityTimeout": "1", "RedrivePolicy": policy });
        let asked = json!({ "QueueUrl": self.queues.jobs, "Attributes": attributes });
        self.sqs.call("SetQueueAttributes", asked).await.expect("a setting");
    }

    async fn send(&self, body: &str) {
        let message = json!({ "QueueUrl": self.queues.jobs, "MessageBody": body });
        self.sqs.call("SendMessage", message).await.expect("accepted");
    }

    /// Waits until the two queues hold exactly this many messages.
    async fn settled(&self, jobs: u64, dead: u64) -> bool {
        let deadline = Instant::now() + Duration::from_secs(40);
        while Instant::now() < deadline {
            let (waiting, working) = self.sqs.depth(&self.queues.jobs).await.expect("a depth");
            let (buried, _) = self.sqs.depth(&self.queues.dead_jobs).await.expect("a depth");
            if (waiting + working, buried) == (jobs, dead) {
                return true;
            }
            sleep(Duration::from_millis(100)).await;
        }
        false
    }

    async fn end(self) {
        self.ministack.stop().await.expect("it stops");
        std::fs::remove_dir_all(self.folder).expect("ours");
    }
}

#[tokio::test]
async fn good_messages_are_done_once_and_a_poison_message_ends_in_the_dead_letter_queue() {
    let aws = Aws::start("poison").await;
    aws.impatient().await;
    let host = aws.worker().await;
    let _source = EventSource::start(Options::new(&aws.ministack.url(), &aws.queues.jobs, "worker"), host.clone());
    for n in 0..9 {
        aws.send(&format!("good {n}")).await;
    }
    aws.send("poison").await;
    assert!(aws.settled(0, 1).await, "nine are deleted, one is buried");
    let dead = json!({ "QueueUrl": aws.queues.dead_jobs, "AttributeNames": ["All"] });
    let dead = aws.sqs.call("ReceiveMessage", dead).await.expect("it can be read");
    assert_eq!(dead["Messages"][0]["Body"], "poison");
    host.stop().await;
    aws.end().await;
}

#[tokio::test]
async fn a_worker_that_dies_loses_no_message() {
    let aws = Aws::start("dies").await;
    aws.impatient().await;
    let host = aws.worker().await;
    host.warm("worker", 1).await.expect("it comes up");
    let killed = host.kill_during_next("worker", Duration::ZERO);
    let _source = EventSource::start(Options::new(&aws.ministack.url(), &aws.queues.jobs, "worker"), host.clone());
    aws.send("precious").await;
    assert!(killed.await.is_ok());
    assert!(aws.settled(0, 0).await, "delivered again, and done");
    host.stop().await;
    aws.end().await;
}

#[tokio::test]
async fn a_queue_that_was_down_is_read_on() {
    let aws = Aws::start("down").await;
    let host = aws.worker().await;
    let gate = SqsGate::start(&aws.ministack.url(), None).await.expect("a gate");
    gate.set(Condition::Down);
    let source = EventSource::start(Options::new(gate.url(), &aws.queues.jobs, "worker"), host.clone());
    aws.send("patient").await;
    assert!(Sqs::at(gate.url()).depth(&aws.queues.jobs).await.is_err(), "down for everybody");
    sleep(Duration::from_millis(500)).await;
    assert!(aws.settled(1, 0).await, "nobody has read it");
    gate.set(Condition::Ok);
    assert!(aws.settled(0, 0).await);

    source.pause().await;
    aws.send("held back").await;
    sleep(Duration::from_millis(500)).await;
    assert!(aws.settled(1, 0).await);
    source.resume();
    assert!(aws.settled(0, 0).await);
    host.stop().await;
    aws.end().await;
}

#[tokio::test]
async fn the_inbox_shows_mails_with_their_attachments_and_the_gate_can_refuse() {
    let aws = Aws::start("mail").await;
    let file = aws.folder.join("mails.jsonl");
    let gate = MailGate::start_with(&aws.ministack.url(), None, Some(file.clone())).await.expect("a gate");
    let message = |from: &str| {
        [
            &format!("From: InkFlow <{from}>"),
            "To: client@example.com",
            "Reply-To: lea@example.com",
            "Subject: =?utf-8?Q?Confirm=C3=A9?=",
            "Date: Mon, 23 Nov 2026 09:00:00 +0000",
            "Message-ID: <1@inkflow.example>",
            "MIME-Version: 1.0",
            "Auto-Submitted: auto-generated",
            "Content-Type: multipart/mixed; boundary=\"a\"",
            "",
            "--a",
            "Content-Type: multipart/alternative; boundary=\"b\"",
            "",
            "--b",
            "Content-Type: text/plain; charset=utf-8",
            "",
            "Bonjour",
            "--b",
            "Content-Type: text/html; charset=utf-8",
            "",
            "<p>Bonjour</p>",
            "--b",
            "Content-Type: text/calendar; method=REQUEST",
            "",
            "BEGIN:VCALENDAR",
            "METHOD:REQUEST",
            "END:VCALENDAR",
            "",
            "--b--",
            "--a",
            "Content-Type: image/png",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=\"a.png\"",
            "",
            "iVBORw==",
            "--a--",
            "",
        ]
        .join("\r\n")
    };
    let raw = |from: &str, message: &str| {
        json!({
            "FromEmailAddress": from, "Destination": { "ToAddresses": ["client@example.com"] },
            "Content": { "Raw": { "Data": BASE64.encode(message) } },
        })
    };
    let mail = |from: &str| raw(from, &message(from));
    let client = reqwest::Client::new();
    let scope = "AWS4-HMAC-SHA256 Credential=inkflow-local/20260101/eu-west-3/ses/aws4_request, SignedHeaders=host, Signature=0";
    let send = async |mail: &Value| {
        let url = format!("{}/v2/email/outbound-emails", gate.url());
        client.post(url).header("authorization", scope).json(mail).send().await.expect("an answer").status().as_u16()
    };
    const SENDER: &str = "bonjour@inkflow.example";
    let good = mail(SENDER);
    assert_eq!(send(&good).await, 200);
    let spoilt = [
        message(SENDER).replacen("\r\n", "\n", 1),
        message(SENDER).replace("<p>Bonjour", "<p>À bientôt"),
        message(SENDER).replace("<p>Bonjour", &"x".repeat(999)),
        message(SENDER).replace("Auto-Submitted: auto-generated\r\n", ""),
        message(SENDER).replace("To: client@", "To: somebody@"),
        message(SENDER).replace("To: client@", "To: victim@example.com, client@"),
        message(SENDER).replace("From: InkFlow <bonjour@", "From: InkFlow <lea@"),
        message(SENDER).replace("method=REQUEST", "method=CANCEL"),
        message(SENDER).replace("; method=REQUEST", ""),
    ];
    for message in spoilt {
        assert_eq!(send(&raw(SENDER, &message)).await, 400, "{message}");
    }
    let simple = json!({
        "FromEmailAddress": SENDER, "Destination": { "ToAddresses": ["client@example.com"] },
        "Content": { "Simple": { "Subject": { "Data": "Confirmé" }, "Body": { "Text": { "Data": "Bonjour" } } } },
    });
    assert_eq!(send(&simple).await, 400, "its headers are not ours");
    assert_eq!(send(&mail("stranger@other.example")).await, 400, "SES refuses a sender it does not know");
    gate.set(Condition::Bounce);
    assert_eq!(send(&good).await, 400);
    gate.set(Condition::Down);
    assert_eq!(send(&good).await, 503);
    gate.set(Condition::Ok);

    let [kept] = &gate.messages_to("client@example.com")[..] else { panic!("one mail was accepted") };
    assert_eq!((kept.subject.as_str(), kept.to.as_str()), ("Confirmé", "client@example.com"));
    assert_eq!((kept.text.as_str(), kept.html.as_str()), ("Bonjour", "<p>Bonjour</p>"));
    assert_eq!((kept.from.as_str(), kept.reply_to.as_str()), ("InkFlow <bonjour@inkflow.example>", "lea@example.com"));
    assert_eq!(kept.header("auto-submitted"), "auto-generated");
    let invitation = kept.invitation.as_ref().expect("an invitation");
    assert!(invitation.content.starts_with("BEGIN:VCALENDAR\r\n"), "{}", invitation.content);
    assert_eq!(invitation.content_type, "text/calendar; method=REQUEST");
    assert!(!kept.message_id.is_empty());
    let files: Vec<_> = kept.attachments.iter().map(|file| (file.content.as_str(), file.encoding.as_str())).collect();
    assert_eq!(files, [("iVBORw==", "base64")]);
    assert!(gate.wait_for(Duration::from_millis(10), |mail| mail.subject == "Confirmé").await.is_some());
    assert!(gate.wait_for(Duration::from_millis(10), |mail| mail.subject == "Autre").await.is_none());

    drop(gate);
    let again = MailGate::start_with(&aws.ministack.url(), None, Some(file)).await.expect("a gate");
    assert_eq!(again.messages().len(), 1, "the inbox stays over a restart");
    again.clear();
    assert!(again.messages().is_empty());
    aws.end().await;
}

#[tokio::test]
async fn the_sweeper_runs_by_itself_and_on_demand() {
    let exe = std::env::current_exe().expect("a test knows where it is");
    let built = exe.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
    let sweeper = spec("sweeper", built.join("examples/bootstrap"));
    let folder = std::env::temp_dir().join(format!("inkflow-sweeper-{}", std::process::id()));
    let options = dev::host::Options { logs: Some(folder.clone()), ..Default::default() };
    let host = Host::start(vec![sweeper], options).await.expect("the host starts");
    let schedule = Schedule::start(host.clone(), "sweeper", Duration::from_millis(150));
    let answer: Value = serde_json::from_slice(&schedule.run_now().await.expect("it answers")).expect("JSON");
    assert_eq!(answer["event"]["source"], "aws.scheduler");
    sleep(Duration::from_millis(800)).await;
    drop(schedule);
    host.stop().await;
    let calls = std::fs::read_to_string(folder.join("sweeper.log")).expect("a log").lines().count();
    assert!((4..=7).contains(&calls), "{calls} runs");
    std::fs::remove_dir_all(folder).expect("ours");
}

#[tokio::test]
async fn nothing_of_ministack_is_left_after_stop() {
    let aws = Aws::start("left").await;
    let url = aws.ministack.url();
    assert!(reqwest::get(format!("{url}/_ministack/health")).await.is_ok());
    aws.ministack.restart().await.expect("it starts again");
    assert!(aws.sqs.depth(&aws.queues.jobs).await.is_err(), "a new one is empty");
    aws.end().await;
    assert!(reqwest::get(format!("{url}/_ministack/health")).await.is_err());
}
