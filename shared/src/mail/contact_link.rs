//! The mail that asks whether an address is the artist's. Not a word of it is theirs: it may reach a stranger.

use askama::Template as _;
use jiff::Timestamp;
use uuid::Uuid;

use super::letter::tidy;
use super::{Mail, Matter};
use crate::domain::locale::Locale;

/// The facts of that mail.
#[derive(Clone, Copy)]
pub struct Letter<'a> {
    /// The address that is asked.
    pub to: &'a str,
    /// The artist's language.
    pub locale: Locale,
    /// What the link carries.
    pub token: &'a str,
    /// The origin of the site.
    pub public_url: &'a str,
    /// The address that mails come from. There is nobody else to answer to.
    pub sender: &'a str,
    /// The link's row.
    pub link: Uuid,
    /// Now.
    pub sent_at: Timestamp,
}

struct Values<'a> {
    site: &'a str,
    url: String,
}

impl Letter<'_> {
    /// Writes the mail.
    ///
    /// # Panics
    /// Never: a template can only fail to be written where a string cannot grow.
    pub fn compose(&self) -> Mail {
        let origin = self.public_url.trim_end_matches('/');
        let site = origin.split_once("://").map_or(origin, |(_, host)| host);
        let view = Values { site, url: format!("{origin}/dashboard?contact={}#/settings/profile", self.token) };
        let (text, html) = render(self.locale, &view).expect("a template writes into a string");
        let (subject, text) = text.split_once('\n').unwrap_or((&text, ""));
        Mail {
            to: self.to.to_owned(),
            from_name: "InkFlow".into(),
            reply_to: self.sender.to_owned(),
            subject: subject.trim().to_owned(),
            text: tidy(text),
            html,
            calendar: None,
            sent_at: self.sent_at,
            matter: Matter::ContactLink(self.link),
        }
    }
}

fn render(locale: Locale, view: &Values<'_>) -> askama::Result<(String, String)> {
    macro_rules! in_language {
        ($text:literal $html:literal) => {{
            #[derive(askama::Template)]
            #[template(path = $text, escape = "none")]
            struct Text<'a> {
                v: &'a Values<'a>,
            }
            #[derive(askama::Template)]
            #[template(path = $html)]
            struct Html<'a> {
                v: &'a Values<'a>,
            }
            Ok((Text { v: view }.render()?, Html { v: view }.render()?))
        }};
    }
    match locale {
        Locale::Fr => in_language!("mail/contact_link.fr.txt" "mail/contact_link.fr.html"),
        Locale::En => in_language!("mail/contact_link.en.txt" "mail/contact_link.en.html"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_and_says_what_happens_to_whoever_does_nothing() {
        for (locale, nothing) in [(Locale::Fr, "ne faites rien"), (Locale::En, "do nothing")] {
            let letter = Letter {
                to: "lea@studio.example",
                locale,
                token: "0123abcd",
                public_url: "https://ink.test/",
                sender: "bookings@ink.test",
                link: Uuid::nil(),
                sent_at: Timestamp::UNIX_EPOCH,
            };
            let mail = letter.compose();
            for part in [&mail.text, &mail.html] {
                assert!(part.contains("https://ink.test/dashboard?contact=0123abcd"), "{part}");
                assert!(part.contains(nothing) && part.contains("48"), "{part}");
            }
            assert!(mail.subject.len() > 20 && !mail.subject.contains('\n'), "{}", mail.subject);
            assert_eq!((mail.to.as_str(), mail.reply_to.as_str()), ("lea@studio.example", "bookings@ink.test"));
        }
    }
}
