//! The gate that every mail passes, and the inbox behind it: ministack's SES forgets attachments, this does not.
//! What SES refuses never reaches the inbox, and neither does a message that some relay on the way would spoil.

use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::Result;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::request::Parts;
use http::{Method, StatusCode};
use jiff::Timestamp;
use mail_parser::{Address, MessageParser, MessagePart, MimeHeaders};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::gate::{Condition, LATE, SLOW, Way, refusal, serve, unavailable};
use super::sqs::Sqs;
use crate::machine::lock;

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
    pub subject: String,
    /// What the sender wants SES's own events to say.
    #[serde(default)]
    pub tags: Vec<(String, String)>,
    /// The headers as they travel, unfolded.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
    /// The appointment as a way to show the mail, which is where Gmail and Outlook look for it.
    #[serde(default)]
    pub invitation: Option<Attachment>,
    pub attachments: Vec<Attachment>,
}

impl Mail {
    /// The value of a tag; nothing where there is none.
    pub fn tag(&self, name: &str) -> &str {
        let found = self.tags.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// A header's value as it travels; nothing where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// A file of a mail.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attachment {
    pub filename: String,
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
    /// Where what SES tells of a mail is put: SQS and the queue.
    news: Arc<Mutex<Option<(Sqs, String)>>>,
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
        let gate = Gate { way: Way::to(ministack), inbox, news: Arc::default() };
        let router = Router::new().fallback(through).layer(DefaultBodyLimit::max(LARGEST)).with_state(gate.clone());
        let (url, server) = serve(router, port).await?;
        Ok(Self { url, gate, server })
    }

    /// What `AWS_ENDPOINT_URL_SESV2` points at.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Has SES put its news of a mail on a queue, as a topic does that a queue has subscribed to.
    pub fn tell(&self, sqs: Sqs, queue: String) {
        *lock(&self.gate.news) = Some((sqs, queue));
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

    pub fn condition(&self) -> Condition {
        self.gate.way.condition()
    }

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
        lock(&self.mails)
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
        Condition::Ok | Condition::Bounce | Condition::Late | Condition::Mute | Condition::Returned => {}
    }
    let sends = parts.method == Method::POST && parts.uri.path() == "/v2/email/outbound-emails";
    if sends && gate.way.condition() == Condition::Bounce {
        let why = "Email address is not verified: somebody has pulled a switch.";
        return refusal(StatusCode::BAD_REQUEST, "MessageRejected", why).into_response();
    }
    let mail = match sends.then(|| read(&body)).transpose() {
        Ok(mail) => mail,
        Err(why) => return refusal(StatusCode::BAD_REQUEST, "BadRequestException", &why).into_response(),
    };
    let (status, headers, answer) = gate.way.pass(&parts, body).await;
    if let Some(mail) = mail.filter(|_| status.is_success()) {
        let id = serde_json::from_slice::<Value>(&answer).ok();
        let id = id.as_ref().and_then(|answer| answer["MessageId"].as_str()).unwrap_or_default();
        if gate.way.condition() == Condition::Returned {
            let news = lock(&gate.news).clone();
            let event = returned(id, &mail);
            tokio::spawn(async move {
                let Some((sqs, queue)) = news else { return };
                // Nobody's mail comes back before its sender has heard that it was taken.
                sleep(Duration::from_millis(500)).await;
                if let Err(error) =
                    sqs.call("SendMessage", json!({ "QueueUrl": queue, "MessageBody": event.to_string() })).await
                {
                    tracing::warn!(error = %error, "the news of a mail is lost");
                }
            });
        } else {
            gate.inbox.keep(Mail { message_id: id.to_owned(), ..mail });
        }
    }
    match gate.way.condition() {
        Condition::Late => sleep(LATE).await,
        Condition::Mute => return cut_off(),
        Condition::Ok | Condition::Down | Condition::Slow | Condition::Bounce | Condition::Returned => {}
    }
    (status, headers, answer).into_response()
}

/// What SES publishes of a mail to an address that is on its list.
fn returned(message_id: &str, mail: &Mail) -> Value {
    let (at, to) = (Timestamp::now(), &mail.to);
    let tags: serde_json::Map<String, Value> =
        mail.tags.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    json!({
        "eventType": "Bounce",
        "bounce": {
            "feedbackId": format!("{message_id}-feedback"), "bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList",
            "bouncedRecipients": [{ "emailAddress": to, "action": "failed", "status": "5.1.1",
                "diagnosticCode": "Amazon SES did not send the message to this address because it is on the suppression list for your account." }],
            "timestamp": at,
        },
        "mail": { "timestamp": at, "messageId": message_id, "destination": [to], "tags": tags },
    })
}

/// An answer whose connection ends in the middle of it.
fn cut_off() -> Response {
    let broken = futures_util::stream::iter([Ok(Bytes::from_static(b"{\"Mes")), Err(std::io::Error::other("cut off"))]);
    Response::new(Body::from_stream(broken))
}

/// The longest line of a message (RFC 5322, 2.1.1). SES ends the connection over a longer one, or folds it where it likes.
const LONGEST_LINE: usize = 998;

/// Reads a request to send; an error says what SES, or somebody behind it, would not take.
fn read(body: &[u8]) -> Result<Mail, String> {
    let request: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let data =
        request["Content"]["Raw"]["Data"].as_str().ok_or("only a raw message has every header that is wanted")?;
    let bytes = BASE64.decode(data).map_err(|error| format!("the message is no base64: {error}"))?;
    travels(&bytes)?;
    let message = MessageParser::new().parse(&bytes).ok_or("the message cannot be read")?;
    for name in ["From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version", "Auto-Submitted"] {
        let count = message.headers().iter().filter(|header| header.name().eq_ignore_ascii_case(name)).count();
        if count != 1 {
            return Err(format!("the message has {count} headers {name}"));
        }
    }
    let envelope = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let to: Vec<String> =
        request["Destination"]["ToAddresses"].as_array().into_iter().flatten().map(envelope).collect();
    if addresses(message.to()) != to || to.len() != 1 {
        return Err(format!("the message is to {:?}, its envelope to {to:?}", addresses(message.to())));
    }
    if addresses(message.from()) != [envelope(&request["FromEmailAddress"])] {
        return Err("the message and its envelope have different senders".into());
    }
    let files: Vec<(bool, Attachment)> =
        message.parts.iter().filter_map(|part| file(part).transpose()).collect::<Result<_, _>>()?;
    let (attached, shown): (Vec<_>, Vec<_>) = files.into_iter().partition(|(attached, _)| *attached);
    let sender = message.from().and_then(|from| from.first());
    Ok(Mail {
        message_id: String::new(),
        at: Timestamp::now(),
        from: format!(
            "{} <{}>",
            sender.and_then(|sender| sender.name()).unwrap_or_default(),
            sender.and_then(|sender| sender.address()).unwrap_or_default()
        ),
        to: to.join(", "),
        reply_to: addresses(message.reply_to()).join(", "),
        subject: message.subject().unwrap_or_default().to_owned(),
        tags: tags(&request["EmailTags"])?,
        headers: message.headers_raw().map(|(name, value)| (name.to_owned(), unfolded(value))).collect(),
        text: message.body_text(0).unwrap_or_default().replace("\r\n", "\n"),
        html: message.body_html(0).unwrap_or_default().replace("\r\n", "\n"),
        invitation: shown.into_iter().map(|(_, file)| file).next(),
        attachments: attached.into_iter().map(|(_, file)| file).collect(),
    })
}

/// Whether every relay passes the message on as it is: seven bits, whole line ends, no endless line.
fn travels(message: &[u8]) -> Result<(), String> {
    if !message.is_ascii() || message.contains(&0) {
        return Err("the message has bytes that are no ASCII".into());
    }
    let text = std::str::from_utf8(message).map_err(|error| error.to_string())?;
    for line in text.split("\r\n") {
        if line.contains(['\r', '\n']) {
            return Err("the message has half a line end".into());
        }
        if line.len() > LONGEST_LINE {
            return Err(format!("the message has a line of {} characters", line.len()));
        }
    }
    Ok(())
}

/// The tags of a request. SES takes ASCII letters, digits, `_` and `-`, at most 256 of them, and each name once.
fn tags(given: &Value) -> Result<Vec<(String, String)>, String> {
    let plain = |text: &str| {
        (1..=256).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    let mut tags: Vec<(String, String)> = Vec::new();
    for tag in given.as_array().into_iter().flatten() {
        match (tag["Name"].as_str(), tag["Value"].as_str()) {
            (Some(name), Some(value)) if plain(name) && plain(value) && tags.iter().all(|(known, _)| known != name) => {
                tags.push((name.to_owned(), value.to_owned()));
            }
            _ => return Err(format!("the tag {tag} is none of SES's")),
        }
    }
    Ok(tags)
}

fn addresses(list: Option<&Address<'_>>) -> Vec<String> {
    let each = list.into_iter().flat_map(|list| list.iter());
    each.filter_map(|one| one.address()).map(str::to_owned).collect()
}

fn unfolded(value: &str) -> String {
    value.trim().replace("\r\n", "")
}

/// The file that a part is, and whether it is attached; none for the mail's own text.
fn file(part: &MessagePart<'_>) -> Result<Option<(bool, Attachment)>, String> {
    let Some(kind) = part.content_type() else { return Ok(None) };
    let name = format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default());
    let attached = part.content_disposition().is_some_and(|how| how.is_attachment());
    if !attached && name != "text/calendar" {
        return Ok(None);
    }
    let bytes = part.contents();
    let readable = name.starts_with("text/") || name.contains("json") || name == "application/ics";
    let (content, encoding) = match std::str::from_utf8(bytes).ok().filter(|_| readable) {
        Some(text) => (text.to_owned(), "text"),
        None => (BASE64.encode(bytes), "base64"),
    };
    let method = kind.attribute("method");
    if name == "text/calendar" && !method.is_some_and(|method| content.contains(&format!("\r\nMETHOD:{method}\r\n"))) {
        return Err(format!("the calendar part says method {method:?}, its content another"));
    }
    let parameters = kind.attributes().into_iter().flatten();
    let content_type = parameters.fold(name, |all, parameter| format!("{all}; {}={}", parameter.name, parameter.value));
    let filename = part.attachment_name().unwrap_or_default().to_owned();
    Ok(Some((attached, Attachment { filename, content_type, content, encoding: encoding.to_owned() })))
}
