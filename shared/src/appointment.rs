//! One appointment as calendars take it: the file of the mail and of the page, and the links beside it.
//!
//! Whoever shows an appointment outside InkFlow asks here, so that it is the same one everywhere. Pure.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::ids::BookingId;
use crate::domain::locale::Locale;
use crate::ics::{Event, Method};
use crate::mail::words::one_line;

/// Everything but what RFC 3986 calls unreserved. A space is `%20`: Outlook shows a `+` as one.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A booked appointment, in its reader's words.
#[derive(Debug, Clone, Copy)]
pub struct Appointment<'a> {
    pub id: BookingId,
    /// The booking's version, which orders its files.
    pub version: i32,
    /// The reader's language.
    pub locale: Locale,
    /// What is booked, as [`title`] words it.
    pub title: &'a str,
    /// The artist's name.
    pub artist: &'a str,
    /// Where, as [`place`] writes it.
    pub place: &'a str,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// The origin of the site.
    pub public_url: &'a str,
}

/// What the calendars of client and artist say differently.
struct Side<'a> {
    summary: String,
    description: String,
    url: Option<String>,
    attendee: Option<(&'a str, &'a str)>,
    reminder: bool,
}

impl Appointment<'_> {
    /// The address of the booking's page.
    pub fn page(&self) -> String {
        format!("{}/booking/success?id={}", self.public_url.trim_end_matches('/'), self.id)
    }

    /// The client's calendar file, written at `stamp` and sent by `sender`, an address.
    ///
    /// The file by link is [`Method::Publish`], the mail's names the `client`, by name and address.
    pub fn file_for_client(
        &self,
        method: Method,
        sender: &str,
        client: Option<(&str, &str)>,
        stamp: Timestamp,
    ) -> String {
        let entry = Side {
            summary: self.summary_for_client(),
            description: self.description_for_client(),
            url: Some(self.page()),
            attendee: client,
            reminder: true,
        };
        self.file(method, sender, entry, stamp)
    }

    /// The artist's, with what the artist should know of the `client`, line by line.
    pub fn file_for_artist(
        &self,
        method: Method,
        sender: &str,
        artist_email: &str,
        client: &str,
        notes: &[String],
        stamp: Timestamp,
    ) -> String {
        let entry = Side {
            summary: format!("{client} – {}", self.title),
            description: notes.join("\n"),
            url: None,
            attendee: Some((self.artist, artist_email)),
            reminder: false,
        };
        self.file(method, sender, entry, stamp)
    }

    fn file(&self, method: Method, sender: &str, entry: Side<'_>, stamp: Timestamp) -> String {
        // A program that opens the file by hand keeps the event; then at least its title says so.
        let summary = match method {
            Method::Cancel => format!("{} {}", self.locale.pick("Annulé\u{a0}:", "Cancelled:"), entry.summary),
            Method::Publish | Method::Request => entry.summary,
        };
        let event = Event {
            uid: &format!("{}@inkflow", self.id),
            sequence: self.version,
            stamp,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            summary: &summary,
            location: self.place,
            description: &entry.description,
            organizer: (self.artist, sender),
            attendee: entry.attendee,
            url: entry.url.as_deref(),
            reminder: entry.reminder,
        };
        event.to_ics(method)
    }

    fn summary_for_client(&self) -> String {
        format!("{} – {}", self.title, self.artist)
    }

    /// With the booking's page, because Google and Outlook show no URL.
    fn description_for_client(&self) -> String {
        let answer = self.locale.pick(
            "Répondre à l’e-mail de confirmation pour écrire à l’artiste.",
            "Answer the confirmation mail to write to the artist.",
        );
        format!("{answer}\n{}", self.page())
    }

    /// Opens the client's Google Calendar with this appointment filled in.
    pub fn google(&self) -> String {
        let basic = |instant: Timestamp| instant.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        link(
            "https://calendar.google.com/calendar/render",
            &[
                ("action", "TEMPLATE"),
                ("text", &self.summary_for_client()),
                ("dates", &format!("{}/{}", basic(self.starts_at), basic(self.ends_at))),
                ("details", &self.description_for_client()),
                ("location", self.place),
            ],
        )
    }

    /// Opens the client's Outlook with this appointment filled in.
    pub fn outlook(&self) -> String {
        let extended = |instant: Timestamp| instant.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        link(
            "https://outlook.live.com/calendar/0/deeplink/compose",
            &[
                ("path", "/calendar/action/compose"),
                ("rru", "addevent"),
                ("subject", &self.summary_for_client()),
                ("startdt", &extended(self.starts_at)),
                ("enddt", &extended(self.ends_at)),
                ("body", &self.description_for_client()),
                ("location", self.place),
            ],
        )
    }
}

fn link(page: &str, values: &[(&str, &str)]) -> String {
    let values = values.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, VALUE)));
    format!("{page}?{}", values.collect::<Vec<_>>().join("&"))
}

/// Where the appointment takes place, on one line.
pub fn place(address: &str, city: &str) -> String {
    match [address, city].map(one_line) {
        // Many people write the town into the address.
        [address, city] if city.is_empty() || address.contains(&city) => address,
        [address, city] if address.is_empty() => city,
        [address, city] => format!("{address}, {city}"),
    }
}

/// What is booked in the reader's words: a flash has a title of its own, a project has none and is called by what it is.
pub fn title(stored: &str, locale: Locale) -> &str {
    if stored.is_empty() { locale.pick("Projet sur mesure", "Custom project") } else { stored }
}

#[cfg(test)]
mod tests {
    use uuid::uuid;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn appointment() -> Appointment<'static> {
        Appointment {
            id: BookingId::new(uuid!("0192f3a4-5b6c-7d8e-9f00-112233445566")),
            version: 2,
            locale: Locale::Fr,
            title: "Lune & 100 % noir",
            artist: "Léa + Noa",
            place: "12 rue de l’Encre, 75011 Paris",
            starts_at: at("2026-12-01T13:00:00Z"),
            ends_at: at("2026-12-01T15:30:00Z"),
            public_url: "https://inkflow.example",
        }
    }

    /// The values as the other side reads them.
    fn read(link: &str) -> Vec<(String, String)> {
        let (_, query) = link.split_once('?').expect("a query");
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    #[test]
    fn the_links_say_what_the_file_says() {
        let appointment = appointment();
        let file = appointment.file_for_client(Method::Publish, "b@inkflow.example", None, at("2026-11-23T09:00:00Z"));
        let file = file.replace("\r\n ", "");
        let [google, outlook] = [appointment.google(), appointment.outlook()];
        for link in [&google, &outlook] {
            assert!(link.is_ascii() && !link.contains(['+', ' ', '"', '\'']), "{link}");
        }
        let of = |link: &str, name: &str| read(link).into_iter().find(|(key, _)| key == name).expect(name).1;
        assert_eq!(of(&google, "text"), "Lune & 100 % noir – Léa + Noa");
        assert_eq!(of(&outlook, "subject"), of(&google, "text"));
        assert!(file.contains("SUMMARY:Lune & 100 % noir – Léa + Noa\r\n"), "{file}");
        assert_eq!(of(&google, "dates"), "20261201T130000Z/20261201T153000Z");
        assert!(file.contains("DTSTART:20261201T130000Z\r\nDTEND:20261201T153000Z\r\n"), "{file}");
        assert_eq!(of(&outlook, "startdt"), "2026-12-01T13:00:00Z");
        assert_eq!(of(&outlook, "enddt"), "2026-12-01T15:30:00Z");
        assert_eq!(of(&google, "location"), "12 rue de l’Encre, 75011 Paris");
        assert_eq!(of(&outlook, "location"), of(&google, "location"));
        assert_eq!(of(&outlook, "body"), of(&google, "details"));
        assert!(of(&google, "details").ends_with("/booking/success?id=0192f3a4-5b6c-7d8e-9f00-112233445566"));
    }

    #[test]
    fn a_cancelled_appointment_says_so_in_its_title_too() {
        let stamp = at("2026-11-23T09:00:00Z");
        let file = appointment().file_for_client(Method::Cancel, "b@inkflow.example", Some(("Jo", "jo@b.fr")), stamp);
        assert!(file.contains("\r\nSTATUS:CANCELLED\r\nSUMMARY:Annulé\u{a0}: Lune"), "{file}");
    }

    #[test]
    fn the_town_is_named_once() {
        assert_eq!(place("14 montée de la Grande-Côte, 69001 Lyon", "Lyon"), "14 montée de la Grande-Côte, 69001 Lyon");
        assert_eq!(place("12 rue de l’Encre", "Paris"), "12 rue de l’Encre, Paris");
        assert_eq!(
            (place("", "Paris"), place("12 rue\r\nde l’Encre", "")),
            ("Paris".into(), "12 rue de l’Encre".into())
        );
        assert_eq!(place("", ""), "");
    }

    #[test]
    fn a_project_is_called_by_what_it_is_in_the_readers_language() {
        assert_eq!((title("", Locale::Fr), title("", Locale::En)), ("Projet sur mesure", "Custom project"));
        assert_eq!(title("Lune", Locale::En), "Lune");
    }
}
