//! Writes a mail as the message that travels (RFC 5322, MIME), so that every header and every parameter is ours.
//! SES only replaces `Message-ID` and signs.

use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};

use super::words::one_line;
use super::{CalendarFile, Mail, Matter};

/// What the attached appointment is called.
const FILE_NAME: &str = "rendez-vous.ics";

/// The message, from the address `from`.
pub(super) fn compose(mail: &Mail, from: &str) -> std::io::Result<Vec<u8>> {
    let (_, domain) = from.rsplit_once('@').unwrap_or(("", from));
    let about = mail.matter.subject();
    let reader = match mail.matter {
        Matter::Booking { template, .. } if !template.is_to_artist() => "client",
        Matter::Booking { .. } | Matter::ContactLink(_) => "artist",
    };
    // No mail has this id: SES gives each its own. Those that name the same one are shown as one conversation.
    let thread = format!("{about}.{reader}@{domain}");
    let id = format!("{about}.{}.{}@{domain}", mail.matter.template(), mail.sent_at.as_millisecond());
    MessageBuilder::new()
        .from(Address::new_address(Some(one_line(&mail.from_name)), from))
        .to(mail.to.as_str())
        .reply_to(mail.reply_to.as_str())
        .subject(one_line(&mail.subject))
        .date(mail.sent_at.as_second())
        .message_id(id)
        .in_reply_to(thread.clone())
        .references(thread)
        // No machine should answer (RFC 3834); Exchange knows another name for it.
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .header("X-Auto-Response-Suppress", Raw::new("OOF, AutoReply"))
        .body(body(mail))
        .write_to_vec()
}

/// Text and HTML; with an appointment, that too as one more way to show the mail, which is where Gmail and Outlook look
/// for it, and as a file for all the others.
fn body(mail: &Mail) -> MimePart<'_> {
    let mut ways =
        vec![MimePart::new("text/plain", mail.text.as_str()), MimePart::new("text/html", mail.html.as_str())];
    let Some(file) = &mail.calendar else { return MimePart::new("multipart/alternative", ways) };
    ways.push(invitation(file));
    let parts = vec![MimePart::new("multipart/alternative", ways), attachment(file)];
    MimePart::new("multipart/mixed", parts)
}

/// Its method is the file's own: a reader that finds two takes neither.
fn invitation(file: &CalendarFile) -> MimePart<'_> {
    let kind = ContentType::new("text/calendar")
        .attribute("charset", "utf-8")
        .attribute("method", file.method.name())
        .attribute("name", FILE_NAME);
    MimePart::new(kind, BodyPart::Binary(file.content.as_bytes().into()))
}

/// The type is the one that Google gives such a file: a second `text/calendar` would be a second invitation.
fn attachment(file: &CalendarFile) -> MimePart<'_> {
    let kind = ContentType::new("application/ics").attribute("name", FILE_NAME);
    MimePart::new(kind, BodyPart::Binary(file.content.as_bytes().into())).attachment(FILE_NAME)
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders};
    use proptest::prelude::*;
    use uuid::uuid;

    use super::*;
    use crate::domain::ids::BookingId;
    use crate::domain::job::Template;
    use crate::ics::Method;

    const FROM: &str = "bookings@inkflow.example";

    fn mail(template: Template) -> Mail {
        Mail {
            to: "camille@example.com".into(),
            from_name: "Léa Marchetti".into(),
            reply_to: "lea@example.com".into(),
            subject: "Rendez-vous confirmé avec Léa Marchetti, mardi 1er\u{a0}décembre 2026 à 14\u{a0}h\u{a0}00".into(),
            text: format!("À mardi\u{a0}!\n{}\n-- \nLéa\n", "x".repeat(2_000)),
            html: format!("<p>À mardi\u{a0}!</p>\n<p>{}</p>", "é".repeat(2_000)),
            calendar: Some(CalendarFile {
                method: Method::Request,
                content: "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Léa\r\nEND:VCALENDAR\r\n".into(),
            }),
            sent_at: "2026-11-23T09:00:00.123Z".parse().expect("an instant"),
            matter: Matter::Booking {
                booking: BookingId::new(uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566")),
                template,
            },
        }
    }

    fn written(mail: &Mail) -> Vec<u8> {
        compose(mail, FROM).expect("a message")
    }

    /// Seven bits, short lines, each with both halves of its end: what every relay passes on unchanged.
    fn travels(message: &[u8]) {
        let text = std::str::from_utf8(message).expect("UTF-8");
        assert!(text.is_ascii(), "{text}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a bare line break in {text}");
        for line in text.split("\r\n") {
            // An id cannot be folded.
            let most = if line.starts_with("Message-ID: ") { 998 } else { 78 };
            assert!(line.len() <= most, "{} characters: {line}", line.len());
        }
    }

    #[test]
    fn text_html_and_appointment_arrive_as_they_were_written() {
        let mail = mail(Template::ClientConfirmed);
        let message = written(&mail);
        travels(&message);
        let read = MessageParser::new().parse(&message).expect("a message");
        assert_eq!(
            read.body_text(0).as_deref(),
            Some(mail.text.replace('\n', "\r\n").as_str()).map(|text| text.trim_end_matches('\0'))
        );
        assert_eq!(read.body_html(0).map(|html| html.replace("\r\n", "\n")), Some(mail.html.clone()));
        assert_eq!(read.subject(), Some(mail.subject.as_str()));
        let kinds: Vec<String> = read
            .parts
            .iter()
            .filter_map(|part| part.content_type())
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
            .collect();
        let ways = ["multipart/alternative", "text/plain", "text/html", "text/calendar", "application/ics"];
        assert_eq!(kinds, [&["multipart/mixed"][..], &ways].concat());
        let calendar: Vec<&mail_parser::MessagePart<'_>> = read.parts.iter().skip(4).collect();
        let file = mail.calendar.as_ref().expect("a file").content.as_bytes();
        for part in &calendar {
            assert_eq!(part.contents(), file);
            assert_eq!(part.content_type().and_then(|kind| kind.attribute("name")), Some(FILE_NAME));
        }
        let invitation = calendar[0].content_type().expect("a type");
        assert_eq!((invitation.attribute("method"), invitation.attribute("charset")), (Some("REQUEST"), Some("utf-8")));
        assert!(calendar[0].content_disposition().is_none());
        assert_eq!(calendar[1].attachment_name(), Some(FILE_NAME));
    }

    #[test]
    fn the_parameters_of_the_appointment_are_parameters() {
        let message = String::from_utf8(written(&mail(Template::ClientConfirmed))).expect("ASCII");
        let (_, rest) = message.split_once("Content-Type: text/calendar").expect("a calendar part");
        let (head, _) = rest.split_once("\r\n\r\n").expect("a body");
        let unfolded = head.replace("\r\n\t", " ").replace("\r\n ", " ");
        let line = unfolded.lines().next().unwrap_or_default();
        assert_eq!(line, r#"; charset="utf-8"; method="REQUEST"; name="rendez-vous.ics""#);
    }

    #[test]
    fn what_belongs_to_one_booking_and_one_reader_is_one_conversation_that_no_machine_answers() {
        let header = |template, name: &str| {
            let message = written(&mail(template));
            let read = MessageParser::new().parse(&message).expect("a message");
            read.header_raw(name).unwrap_or_default().trim().to_owned()
        };
        let thread = "<0192f3a4-5b6c-7d8e-9f00-112233445566.client@inkflow.example>";
        for template in [Template::ClientConfirmed, Template::ClientMoved, Template::ClientCancelled] {
            for name in ["References", "In-Reply-To"] {
                assert_eq!(header(template, name), thread);
            }
            assert_eq!(header(template, "Auto-Submitted"), "auto-generated");
        }
        assert_eq!(header(Template::ArtistConfirmed, "References"), thread.replace("client", "artist"));
        assert_ne!(header(Template::ClientMoved, "Message-ID"), header(Template::ClientConfirmed, "Message-ID"));
        assert_eq!(header(Template::ClientMoved, "Date"), "Mon, 23 Nov 2026 09:00:00 +0000");
        assert_eq!(header(Template::ClientMoved, "Reply-To"), "<lea@example.com>");
        assert_eq!(header(Template::ClientMoved, "MIME-Version"), "1.0");
    }

    #[test]
    fn a_mail_without_an_appointment_is_text_and_html() {
        let mail = Mail { calendar: None, ..mail(Template::ArtistPending) };
        let message = written(&mail);
        travels(&message);
        let read = MessageParser::new().parse(&message).expect("a message");
        assert_eq!((read.parts.len(), read.attachment_count()), (3, 0));
    }

    proptest! {
        #[test]
        fn whoever_writes_whatever_name_it_is_one_sender(name in "\\PC{1,80}|[\\x00-\\x7f]{1,60}", subject in "(?s).{0,200}") {
            let mail = Mail { from_name: name.clone(), subject: subject.clone(), ..mail(Template::ClientConfirmed) };
            let message = written(&mail);
            travels(&message);
            let read = MessageParser::new().parse(&message).expect("a message");
            let from = read.from().expect("a sender");
            prop_assert_eq!(from.iter().count(), 1);
            let from = from.first().expect("a sender");
            prop_assert_eq!(from.address(), Some(FROM));
            prop_assert_eq!(from.name().unwrap_or_default(), one_line(&name));
            prop_assert_eq!(read.subject().unwrap_or_default(), one_line(&subject));
            for name in ["Bcc", "Cc"] {
                prop_assert!(read.header(name).is_none());
            }
        }
    }
}
