//! The way into an artist's Cal.com, as they give it.

use std::fmt;

use super::Flaws;

/// A connection as it comes in.
#[derive(Clone, Copy, Default)]
pub struct ConnectionDraft<'a> {
    /// The name in the address of the artist's Cal.com page.
    pub username: Option<&'a str>,
    /// The event type that clients book.
    pub event_type_id: Option<i64>,
    /// The API key; none keeps the one that is stored.
    pub api_key: Option<&'a str>,
    /// `booking` or `payment`.
    pub create_at: Option<&'a str>,
}

impl fmt::Debug for ConnectionDraft<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionDraft").field("event_type_id", &self.event_type_id).finish_non_exhaustive()
    }
}

/// A connection that can be tried and stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// The name in the address of the artist's Cal.com page.
    pub username: String,
    /// The event type that clients book.
    pub event_type_id: i64,
    /// The API key; none keeps the one that is stored.
    pub api_key: Option<String>,
    pub create_at: CreateAt,
}

/// The key is a secret: it never prints.
impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("event_type_id", &self.event_type_id).finish_non_exhaustive()
    }
}

/// When a booking is written to Cal.com.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CreateAt {
    /// As soon as the slot is held.
    #[default]
    Booking,
    /// Once the deposit is paid.
    Payment,
}

impl CreateAt {
    /// The name as stored and as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Payment => "payment",
        }
    }
}

impl Connection {
    pub fn parse(draft: &ConnectionDraft<'_>) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let username = username(&mut flaws, draft.username);
        let event_type_id = draft.event_type_id.filter(|id| *id > 0);
        if event_type_id.is_none() {
            flaws.add(
                "/event_type_id",
                "Indiquez le numéro du type d’événement\u{a0}: il est à la fin de son adresse dans Cal.com \
                 (…/event-types/123456).",
                "Enter the event type’s number: it is at the end of its address in Cal.com (…/event-types/123456).",
            );
        }
        let api_key = match draft.api_key.map(str::trim).filter(|key| !key.is_empty()) {
            None => Some(None),
            Some(key) if is_key(key) => Some(Some(key.to_owned())),
            Some(_) => {
                flaws.add(
                    "/api_key",
                    "Une clé d’API de Cal.com commence par cal_. Copiez-la en entier depuis Settings, Developer, API keys.",
                    "An API key of Cal.com begins with cal_. Copy all of it from Settings, Developer, API keys.",
                );
                None
            }
        };
        let create_at = match draft.create_at {
            // Cal.com mails to whom it has as attendee, and nobody has shown yet that the address is theirs.
            None | Some("payment") => Some(CreateAt::Payment),
            Some("booking") => Some(CreateAt::Booking),
            Some(_) => {
                flaws.add(
                    "/create_at",
                    "Choisissez «\u{a0}booking\u{a0}» ou «\u{a0}payment\u{a0}».",
                    "Choose “booking” or “payment”.",
                );
                None
            }
        };
        match (username, event_type_id, api_key, create_at) {
            (Some(username), Some(event_type_id), Some(api_key), Some(create_at)) => {
                Ok(Self { username, event_type_id, api_key, create_at })
            }
            _ => Err(flaws),
        }
    }

    /// What is said when there is neither a new key nor a stored one.
    #[must_use]
    pub fn without_key() -> Flaws {
        let mut flaws = Flaws::default();
        flaws.add(
            "/api_key",
            "Collez une clé d’API de Cal.com (Settings, Developer, API keys).",
            "Paste an API key of Cal.com (Settings, Developer, API keys).",
        );
        flaws
    }
}

/// People paste the whole address of their page.
fn username(flaws: &mut Flaws, given: Option<&str>) -> Option<String> {
    let text = given.unwrap_or_default().trim();
    let text = text.strip_prefix("https://").unwrap_or(text);
    let name = text.strip_prefix("cal.com/").unwrap_or(text).trim_matches(['/', '@']);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=100).contains(&name.len()) && name.bytes().all(known) {
        return Some(name.to_owned());
    }
    flaws.add(
        "/username",
        "Indiquez votre nom Cal.com\u{a0}: ce qui suit cal.com/ dans l’adresse de votre page.",
        "Enter your Cal.com name: what follows cal.com/ in the address of your page.",
    );
    None
}

fn is_key(text: &str) -> bool {
    text.len() <= 200
        && text.strip_prefix("cal_").is_some_and(|rest| {
            rest.len() >= 4 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use super::super::pointers;
    use super::*;

    fn draft() -> ConnectionDraft<'static> {
        ConnectionDraft {
            username: Some("noa-keller"),
            event_type_id: Some(4_210_001),
            api_key: Some("cal_test_noa_6f1d"),
            create_at: Some("payment"),
        }
    }

    #[test]
    fn a_connection_is_read_and_keeps_its_secret() {
        let connection = Connection::parse(&draft()).expect("fine");
        assert_eq!(connection.create_at, CreateAt::Payment);
        assert!(!format!("{connection:?} {:?}", draft()).contains("6f1d"));
        let kept =
            Connection::parse(&ConnectionDraft { api_key: Some(" "), create_at: None, ..draft() }).expect("fine");
        assert_eq!(
            (kept.api_key, kept.create_at),
            (None, CreateAt::Payment),
            "nothing of an unpaid hold leaves unasked"
        );
    }

    #[test]
    fn the_address_of_a_page_is_a_name() {
        for given in ["noa-keller", "@noa-keller", "cal.com/noa-keller", "https://cal.com/noa-keller/"] {
            let read = Connection::parse(&ConnectionDraft { username: Some(given), ..draft() });
            assert_eq!(read.expect(given).username, "noa-keller");
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let flaws = Connection::parse(&ConnectionDraft {
            username: Some("noa keller"),
            event_type_id: Some(0),
            api_key: Some("sk_live_123"),
            create_at: Some("never"),
        });
        assert_eq!(pointers(&flaws.expect_err("all wrong")), ["/username", "/event_type_id", "/api_key", "/create_at"]);
        assert_eq!(pointers(&Connection::without_key()), ["/api_key"]);
        for key in ["cal_", "cal_a b c d", "cal_é123456"] {
            let refused = Connection::parse(&ConnectionDraft { api_key: Some(key), ..draft() });
            assert_eq!(pointers(&refused.expect_err(key)), ["/api_key"]);
        }
    }
}
