//! One appointment as an iCalendar file (RFC 5545), for the mails and for downloads.
//! Written by hand: the crates for it read the clock, which a pure function must not.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The longest line in octets, without its end (RFC 5545, 3.1).
const LINE: usize = 75;

/// What the calendar of a person holds of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Names the appointment for ever: a later file of the same uid replaces this one.
    pub uid: &'a str,
    /// Counts the versions of it.
    pub sequence: i32,
    /// When this file is written.
    pub stamp: Timestamp,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub summary: &'a str,
    pub location: &'a str,
    /// What else to know, over several lines if need be.
    pub description: &'a str,
    /// Who invites: name and e-mail address.
    pub organizer: (&'a str, &'a str),
    /// Who is invited, who has said yes already: name and e-mail address. Not of a published file (RFC 5546, 3.2.1).
    pub attendee: Option<(&'a str, &'a str)>,
    /// The page of the booking.
    pub url: Option<&'a str>,
    /// Whether to remind the reader a day before.
    pub reminder: bool,
}

/// What a reader's calendar is to do with the file (RFC 5546).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Keep it, as a file that somebody has opened.
    Publish,
    /// Write it down, or correct what is there, as part of a mail.
    Request,
    /// Take it out.
    Cancel,
}

impl Method {
    /// The name, as in the file and in the type of the part of a mail that carries it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

impl Event<'_> {
    pub fn to_ics(&self, method: Method) -> String {
        let cancelled = method == Method::Cancel;
        let mut file = File(String::with_capacity(1024));
        file.line("BEGIN:VCALENDAR");
        file.line("VERSION:2.0");
        file.line("PRODID:-//InkFlow//InkFlow//FR");
        file.line("CALSCALE:GREGORIAN");
        file.line(&format!("METHOD:{}", method.name()));
        file.line("BEGIN:VEVENT");
        file.line(&format!("UID:{}", text(self.uid)));
        file.line(&format!("SEQUENCE:{}", self.sequence));
        file.line(&format!("DTSTAMP:{}", utc(self.stamp)));
        file.line(&format!("DTSTART:{}", utc(self.starts_at)));
        file.line(&format!("DTEND:{}", utc(self.ends_at)));
        file.line(if cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
        file.line(&format!("SUMMARY:{}", text(self.summary)));
        let (name, address) = self.organizer;
        file.line(&format!("ORGANIZER;CN={}:mailto:{}", parameter(name), uri(address)));
        if let Some((name, address)) = self.attendee.filter(|_| method != Method::Publish) {
            // Nobody is asked to answer: who paid has said yes.
            let who = format!("CN={}", parameter(name));
            let line =
                format!("ATTENDEE;{who};ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{}", uri(address));
            file.line(&line);
        }
        if !self.location.is_empty() {
            file.line(&format!("LOCATION:{}", text(self.location)));
        }
        if !self.description.is_empty() {
            file.line(&format!("DESCRIPTION:{}", text(self.description)));
        }
        if let Some(url) = self.url {
            file.line(&format!("URL:{}", uri(url)));
        }
        if self.reminder && !cancelled {
            file.line("BEGIN:VALARM");
            file.line("ACTION:DISPLAY");
            file.line(&format!("DESCRIPTION:{}", text(self.summary)));
            file.line("TRIGGER:-P1D");
            file.line("END:VALARM");
        }
        file.line("END:VEVENT");
        file.line("END:VCALENDAR");
        file.0
    }
}

struct File(String);

impl File {
    /// Adds a line, folded where it is too long, never inside a character.
    fn line(&mut self, line: &str) {
        let mut room = LINE;
        for character in line.chars() {
            if character.len_utf8() > room {
                self.0.push_str("\r\n ");
                // The space counts.
                room = LINE - 1;
            }
            room -= character.len_utf8();
            self.0.push(character);
        }
        self.0.push_str("\r\n");
    }
}

fn utc(instant: Timestamp) -> String {
    instant.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// A value of type TEXT: no line break and no control character survives as such.
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    let value = value.replace("\r\n", "\n");
    for character in value.chars() {
        match character {
            '\\' | ';' | ',' => escaped.extend(['\\', character]),
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => escaped.push_str("\\n"),
            _ if character.is_control() => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A parameter's value, quoted. It cannot hold a quote.
fn parameter(value: &str) -> String {
    let plain = |character: char| match character {
        '"' => '\'',
        '\u{2028}' | '\u{2029}' => ' ',
        _ if character.is_control() => ' ',
        _ => character,
    };
    format!("\"{}\"", value.chars().map(plain).collect::<String>())
}

/// An address, with everything that an address cannot hold percent-encoded.
fn uri(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use icalendar::{Calendar, CalendarComponent, Component, EventLike};
    use proptest::prelude::*;

    use super::*;

    fn event<'a>(summary: &'a str, description: &'a str) -> Event<'a> {
        Event {
            uid: "0192f3a4-5b6c-7d8e-9f00-112233445566@inkflow",
            sequence: 3,
            stamp: "2026-11-22T10:00:00.123456Z".parse().expect("an instant"),
            starts_at: "2026-12-01T14:00:00+01:00".parse().expect("an instant"),
            ends_at: "2026-12-01T16:30:00+01:00".parse().expect("an instant"),
            summary,
            location: "12, rue de l’Encre; 75011 Paris",
            description,
            organizer: ("Léa \"L\" Marchetti", "bookings@example.com"),
            attendee: Some(("Jo, Martin; \"J\"", "jo@example.com")),
            url: Some("https://inkflow.example/booking/success?id=1"),
            reminder: true,
        }
    }

    /// What an independent parser makes of it.
    fn parsed(ics: &str, method: Method) -> icalendar::Event {
        let calendar = Calendar::from_str(ics).expect("a valid file");
        assert_eq!(calendar.property_value("METHOD"), Some(method.name()));
        let [CalendarComponent::Event(event)] = &calendar.components[..] else { panic!("not one event: {ics}") };
        event.clone()
    }

    fn lines_are_short_and_end_well(ics: &str) {
        assert!(ics.ends_with("END:VCALENDAR\r\n"));
        assert!(!ics.replace("\r\n", "").contains(['\r', '\n']), "a bare line break in {ics:?}");
        for line in ics.split("\r\n") {
            assert!(line.len() <= LINE, "{} octets: {line}", line.len());
        }
    }

    #[test]
    fn another_parser_reads_the_same_appointment() {
        let ics = event("Dragon; pivoine, \\ et lune", "Reste à payer : 150 €\nÀ bientôt").to_ics(Method::Publish);
        lines_are_short_and_end_well(&ics);
        let read = parsed(&ics, Method::Publish);
        assert_eq!(read.get_uid(), Some("0192f3a4-5b6c-7d8e-9f00-112233445566@inkflow"));
        assert_eq!(read.get_summary(), Some("Dragon; pivoine, \\ et lune"));
        assert_eq!(read.get_description(), Some("Reste à payer : 150 €\nÀ bientôt"));
        assert_eq!(read.get_location(), Some("12, rue de l’Encre; 75011 Paris"));
        assert_eq!(read.get_sequence(), Some(3));
        assert_eq!(read.get_status(), Some(icalendar::EventStatus::Confirmed));
        assert_eq!(read.property_value("DTSTART"), Some("20261201T130000Z"));
        assert_eq!(read.property_value("DTEND"), Some("20261201T153000Z"));
        assert_eq!(read.property_value("DTSTAMP"), Some("20261122T100000Z"));
        assert_eq!(read.property_value("ORGANIZER"), Some("mailto:bookings@example.com"));
        assert!(ics.contains("ORGANIZER;CN=\"Léa 'L' Marchetti\":mailto:bookings@example.com\r\n"));
        assert!(ics.contains("BEGIN:VALARM\r\nACTION:DISPLAY\r\n"));
    }

    #[test]
    fn a_cancelled_appointment_says_so_and_rings_no_more() {
        let ics = event("Dragon", "").to_ics(Method::Cancel);
        assert_eq!(parsed(&ics, Method::Cancel).get_status(), Some(icalendar::EventStatus::Cancelled));
        assert!(!ics.contains("VALARM"));
    }

    #[test]
    fn who_is_invited_is_named_in_an_invitation_and_never_in_a_file_by_link() {
        let of = |method| event("Dragon", "").to_ics(method).replace("\r\n ", "");
        let line = "ATTENDEE;CN=\"Jo, Martin; 'J'\";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:jo@example.com\r\n";
        for method in [Method::Request, Method::Cancel] {
            assert!(of(method).contains(line), "{}", of(method));
            // An alarm and a status apart, all else is the same event.
            parsed(&event("Dragon", "").to_ics(method), method);
        }
        let published = of(Method::Publish);
        assert!(!published.contains("ATTENDEE"), "{published}");
        assert_eq!(published.replace("PUBLISH", "REQUEST"), of(Method::Request).replace(line, ""));
    }

    #[test]
    fn nobody_can_write_a_line_of_their_own() {
        for break_ in ["\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{b}", "\u{c}", "\0"] {
            let evil = format!("Dragon{break_}ATTENDEE:mailto:evil@example.com{break_}END:VEVENT");
            let ics = Event {
                location: &evil,
                organizer: (&evil, &evil),
                attendee: Some((&evil, &evil)),
                url: Some(&evil),
                uid: &evil,
                ..event(&evil, &evil)
            }
            .to_ics(Method::Request);
            lines_are_short_and_end_well(&ics);
            let unfolded = ics.replace("\r\n ", "");
            assert!(!unfolded.lines().any(|line| line.starts_with("ATTENDEE:")), "{unfolded}");
            assert_eq!(unfolded.lines().filter(|line| *line == "END:VEVENT").count(), 1);
            parsed(&ics, Method::Request);
        }
    }

    proptest! {
        #[test]
        fn any_title_and_description_come_back(
            summary in "[^\\p{Cc}\u{2028}\u{2029}]{1,200}", description in "[^\\p{Cc}\u{2028}\u{2029}]{0,400}",
        ) {
            // The parser trims lines, as readers do.
            let (summary, description) = (summary.trim(), description.trim());
            let ics = event(summary, description).to_ics(Method::Publish);
            lines_are_short_and_end_well(&ics);
            let read = parsed(&ics, Method::Publish);
            prop_assert_eq!(read.get_summary().unwrap_or_default(), summary);
            prop_assert_eq!(read.get_description().unwrap_or_default(), description);
        }

        #[test]
        fn whatever_is_written_there_is_one_event(summary in "\\PC*|[\\x00-\\x7f]{0,80}", place in "(?s).{0,80}") {
            let ics = Event { location: &place, organizer: (&summary, &place), ..event(&summary, &place) }.to_ics(Method::Request);
            lines_are_short_and_end_well(&ics);
            parsed(&ics, Method::Request);
        }
    }
}
