//! What SES tells of a mail after it has taken it: that it came back, or that somebody complained.
//!
//! The shape is that of SES's event publishing
//! (<https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html>), which a topic puts on the queue of
//! jobs as it is. An address on a list of suppressed ones comes that way too: SES takes its mail, and sends it to nobody.

use std::collections::HashMap;

use serde::Deserialize;

use super::BOOKING;
use crate::domain::ids::BookingId;

/// News of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// SES's id of the mail.
    pub message_id: String,
    /// The booking it speaks of, by the tag that it was sent with.
    pub booking: Option<BookingId>,
    pub fate: Fate,
}

/// What became of a mail that SES had taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Nobody has it, for the reason named, without the address.
    Returned(String),
    /// It arrived, or may have.
    Arrived,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    event_type: String,
    mail: Mail,
    #[serde(default)]
    bounce: Option<Bounce>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    #[serde(default)]
    tags: HashMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    #[serde(default)]
    bounce_type: String,
    #[serde(default)]
    bounce_sub_type: String,
}

impl News {
    /// The news that a message of the queue holds; none when it is no event of SES.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        let event: Event = serde_json::from_str(body).ok()?;
        let fate = match (event.event_type.as_str(), event.bounce) {
            ("Bounce", bounce) => {
                let bounce = bounce.unwrap_or(Bounce { bounce_type: String::new(), bounce_sub_type: String::new() });
                Fate::Returned(format!(
                    "it came back: {}, {}",
                    word(&bounce.bounce_type),
                    word(&bounce.bounce_sub_type)
                ))
            }
            ("Reject", _) => Fate::Returned("SES did not pass it on".to_owned()),
            _ => Fate::Arrived,
        };
        let booking = event.mail.tags.get(BOOKING).and_then(|ids| ids.first()).and_then(|id| id.parse().ok());
        Some(Self { message_id: event.mail.message_id, booking, fate })
    }
}

/// A word of SES's own list; what is none may be anything.
fn word(text: &str) -> &str {
    if !text.is_empty() && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        text
    } else {
        "unknown"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, more: &Value) -> String {
        let mut event = json!({
            "eventType": kind,
            "mail": {
                "timestamp": "2026-12-01T09:00:00.000Z", "source": "bonjour@inkflow.example", "messageId": "0102-000000",
                "destination": ["jo@example.fr"], "tags": { "booking": ["019aa000-0000-7000-8000-0000000000f1"], "ses:configuration-set": ["inkflow"] },
            },
        });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event.to_string()
    }

    #[test]
    fn a_mail_comes_back_from_who_does_not_exist_and_from_who_is_suppressed() {
        for (kind, sub_type) in
            [("Permanent", "General"), ("Permanent", "OnAccountSuppressionList"), ("Transient", "MailboxFull")]
        {
            let bounce = json!({ "bounce": { "bounceType": kind, "bounceSubType": sub_type, "feedbackId": "1",
                "bouncedRecipients": [{ "emailAddress": "jo@example.fr", "action": "failed", "diagnosticCode": "smtp; 550 jo@example.fr" }] } });
            let news = News::parse(&event("Bounce", &bounce)).expect("an event");
            assert_eq!(news.message_id, "0102-000000");
            assert_eq!(news.booking, "019aa000-0000-7000-8000-0000000000f1".parse().ok());
            assert_eq!(news.fate, Fate::Returned(format!("it came back: {kind}, {sub_type}")));
        }
        assert!(matches!(
            News::parse(&event("Reject", &json!({ "reject": { "reason": "Bad content" } }))),
            Some(News { fate: Fate::Returned(_), .. })
        ));
        let odd = json!({ "bounce": { "bounceType": "jo@example.fr" } });
        assert_eq!(
            News::parse(&event("Bounce", &odd)).unwrap().fate,
            Fate::Returned("it came back: unknown, unknown".to_owned())
        );
    }

    #[test]
    fn who_complains_has_it() {
        let news = News::parse(&event("Complaint", &json!({ "complaint": { "feedbackId": "1" } }))).expect("an event");
        assert_eq!(news.fate, Fate::Arrived);
    }

    #[test]
    fn a_job_and_nonsense_are_no_news() {
        for body in [
            "{\"job_id\":\"019aa000-0000-7000-8000-0000000000f1\"}",
            "",
            "null",
            "[]",
            "{\"eventType\":\"Bounce\"}",
            "{\"eventType\":1,\"mail\":{\"messageId\":2}}",
        ] {
            assert_eq!(News::parse(body), None, "{body}");
        }
    }
}
