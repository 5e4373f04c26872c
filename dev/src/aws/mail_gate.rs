//! The gate that every mail passes, and the inbox behind it: ministack's SES forgets attachments, this does not.
//! What SES refuses never reaches the inbox.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::gate::{Condition, SLOW, Way, refusal, serve, unavailable};

// SES takes messages of 40 MB; a benchmark must not fill the memory.
const LARGEST: usize = 40 * 1024 * 1024;
const KEPT: usize = 5_000;

/// A mail that was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mail {
    /// SES's id.
    pub message_id: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// The sender, as in the header.
    pub from: String,
    /// The recipients, comma separated.
    pub to: String,
    /// Where answers go, comma separated.
    pub reply_to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The attached files.
    pub attachments: Vec<Attachment>,
}

/// A file of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub filename: String,
    /// Its media type.
    pub content_type: String,
    /// What it holds, as `encoding` says.
    pub content: String,
    /// `text`, or `base64` for what is no text.
    pub encoding: String,
}

/// The gate before SES: records what is accepted, and can be told to refuse.
pub struct MailGate {
    url: String,
    gate: Gate,
    server: tokio::task::AbortHandle,
}

#[derive(Clone)]
struct Gate {
    way: Way,
    inbox: Inbox,
}

/// The mails that arrived; a handle on it can be given away.
#[derive(Clone)]
pub struct Inbox {
    mails: Arc<Mutex<VecDeque<Mail>>>,
    file: Arc<Option<PathBuf>>,
    changed: watch::Sender<u64>,
}

impl MailGate {
    /// Opens the gate before `ministack`, with an empty inbox that nobody keeps.
    pub async fn start(ministack: &str) -> Result<Self> {
        Self::start_with(ministack, None, None).await
    }

    /// Opens the gate on `port` if that is free, with the inbox of `file`.
    pub async fn start_with(ministack: &str, port: Option<u16>, file: Option<PathBuf>) -> Result<Self> {
        let kept = file.as_ref().and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        let mails: VecDeque<Mail> =
            kept.lines().rev().take(KEPT).filter_map(|l| serde_json::from_str(l).ok()).collect();
        let inbox = Inbox { mails: Arc::new(Mutex::new(mails)), file: Arc::new(file), changed: watch::Sender::new(0) };
        let gate = Gate { way: Way::to(ministack), inbox };
        let router = Router::new().fallback(through).layer(DefaultBodyLimit::max(LARGEST)).with_state(gate.clone());
        let (url, server) = serve(router, port).await?;
        Ok(Self { url, gate, server })
    }

    /// What `AWS_ENDPOINT_URL_SESV2` points at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The inbox, for somebody else who sends mails.
    pub fn inbox(&self) -> Inbox {
        self.gate.inbox.clone()
    }

    /// The mails so far, newest first.
    pub fn messages(&self) -> Vec<Mail> {
        self.gate.inbox.lock().iter().cloned().collect()
    }

    /// The mails to one address, newest first.
    pub fn messages_to(&self, address: &str) -> Vec<Mail> {
        self.gate.inbox.lock().iter().filter(|mail| mail.to.contains(address)).cloned().collect()
    }

    /// The newest mail that `fits`, waiting for it no longer than `patience`.
    pub async fn wait_for(&self, patience: Duration, fits: impl Fn(&Mail) -> bool) -> Option<Mail> {
        let mut changes = self.gate.inbox.changed.subscribe();
        let find = async {
            loop {
                changes.borrow_and_update();
                let found = self.gate.inbox.lock().iter().find(|mail| fits(mail)).cloned();
                if found.is_some() || changes.changed().await.is_err() {
                    return found;
                }
            }
        };
        timeout(patience, find).await.ok().flatten()
    }

    /// Switches SES.
    pub fn set(&self, condition: Condition) {
        self.gate.way.set(condition);
    }

    /// How SES behaves now.
    pub fn condition(&self) -> Condition {
        self.gate.way.condition()
    }

    /// Empties the inbox.
    pub fn clear(&self) {
        self.gate.inbox.lock().clear();
        if let Some(file) = self.gate.inbox.file.as_ref() {
            let _ = std::fs::remove_file(file);
        }
    }

    /// `/dev/mails.json` and the page `/dev/mails`.
    pub fn pages(&self) -> Router {
        Router::new()
            .route("/dev/mails.json", get(list))
            .route("/dev/mails", get(async || Html(include_str!("../../pages/mails.html"))))
            .with_state(self.gate.inbox.clone())
    }
}

impl Drop for MailGate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Mail>> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a mail in, as one that arrived.
    pub fn keep(&self, mail: Mail) {
        if let Some(file) = self.file.as_ref()
            && let Ok(mut line) = serde_json::to_vec(&mail)
            && let Ok(mut file) = OpenOptions::new().create(true).append(true).open(file)
        {
            line.push(b'\n');
            let _ = file.write_all(&line);
        }
        let mut mails = self.lock();
        mails.push_front(mail);
        mails.truncate(KEPT);
        drop(mails);
        self.changed.send_modify(|count| *count += 1);
    }
}

async fn list(State(inbox): State<Inbox>) -> Json<Vec<Mail>> {
    Json(inbox.lock().iter().cloned().collect())
}

async fn through(State(gate): State<Gate>, parts: Parts, body: Bytes) -> Response {
    match gate.way.condition() {
        Condition::Down => return unavailable().into_response(),
        Condition::Slow => sleep(SLOW).await,
        Condition::Ok | Condition::Bounce => {}
    }
    let sends = parts.method == Method::POST && parts.uri.path() == "/v2/email/outbound-emails";
    if sends && gate.way.condition() == Condition::Bounce {
        let why = "Email address is not verified: somebody has pulled a switch.";
        return refusal(StatusCode::BAD_REQUEST, "MessageRejected", why).into_response();
    }
    let (status, headers, answer) = gate.way.pass(&parts, body.clone()).await;
    if sends && status.is_success() {
        let id = serde_json::from_slice::<Value>(&answer).ok();
        let id = id.as_ref().and_then(|answer| answer["MessageId"].as_str()).unwrap_or_default();
        if let Ok(request) = serde_json::from_slice(&body) {
            gate.inbox.keep(mail(&request, id));
        }
    }
    (status, headers, answer).into_response()
}

fn mail(request: &Value, id: &str) -> Mail {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let addresses = |list: &Value| -> String {
        let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let simple = &request["Content"]["Simple"];
    let attachments = simple["Attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
    Mail {
        message_id: id.to_owned(),
        at: Timestamp::now(),
        from: text(&request["FromEmailAddress"]),
        to: addresses(&request["Destination"]["ToAddresses"]),
        reply_to: addresses(&request["ReplyToAddresses"]),
        subject: text(&simple["Subject"]["Data"]),
        text: text(&simple["Body"]["Text"]["Data"]),
        html: text(&simple["Body"]["Html"]["Data"]),
        attachments: attachments.iter().map(attachment).collect(),
    }
}

fn attachment(given: &Value) -> Attachment {
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let raw = text("RawContent");
    let content_type = text("ContentType");
    let readable = content_type.starts_with("text/") || content_type.contains("json") || content_type.is_empty();
    let decoded = BASE64.decode(&raw).ok().and_then(|bytes| String::from_utf8(bytes).ok()).filter(|_| readable);
    let (content, encoding) = match decoded {
        Some(content) => (content, "text"),
        None => (raw, "base64"),
    };
    Attachment { filename: text("FileName"), content_type, content, encoding: encoding.to_owned() }
}
