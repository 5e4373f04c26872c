//! Addresses of sites in names and titles: whoever reads a mail from us must not be led elsewhere by one.

use crate::domain::text::visible;

/// What programs that show mails make a link of although it has neither `www.` nor a path. All of two letters are countries'.
const ENDINGS: &[&str] = &[
    "academy",
    "agency",
    "app",
    "art",
    "asia",
    "bank",
    "bar",
    "beauty",
    "beer",
    "berlin",
    "best",
    "bet",
    "bid",
    "biz",
    "blog",
    "bzh",
    "cafe",
    "cam",
    "cash",
    "casino",
    "cat",
    "center",
    "cfd",
    "chat",
    "city",
    "click",
    "cloud",
    "club",
    "com",
    "community",
    "company",
    "consulting",
    "cool",
    "coop",
    "corsica",
    "cricket",
    "cyou",
    "date",
    "design",
    "dev",
    "digital",
    "download",
    "email",
    "energy",
    "events",
    "example",
    "exchange",
    "expert",
    "express",
    "fans",
    "finance",
    "fit",
    "fun",
    "fund",
    "fyi",
    "gallery",
    "games",
    "gift",
    "gifts",
    "global",
    "gold",
    "graphics",
    "group",
    "guru",
    "health",
    "help",
    "host",
    "house",
    "icu",
    "info",
    "ink",
    "international",
    "jobs",
    "land",
    "lat",
    "legal",
    "life",
    "link",
    "live",
    "loan",
    "lol",
    "london",
    "love",
    "market",
    "marketing",
    "media",
    "men",
    "mobi",
    "moda",
    "mom",
    "money",
    "museum",
    "name",
    "net",
    "network",
    "news",
    "ninja",
    "one",
    "online",
    "ooo",
    "org",
    "page",
    "paris",
    "party",
    "pay",
    "photo",
    "photos",
    "pics",
    "plus",
    "press",
    "pro",
    "pub",
    "quest",
    "racing",
    "red",
    "rest",
    "review",
    "reviews",
    "rocks",
    "run",
    "sale",
    "sbs",
    "school",
    "science",
    "security",
    "services",
    "sexy",
    "shop",
    "shopping",
    "site",
    "skin",
    "social",
    "solutions",
    "space",
    "store",
    "stream",
    "studio",
    "style",
    "support",
    "systems",
    "tattoo",
    "team",
    "tech",
    "technology",
    "tel",
    "tips",
    "today",
    "tools",
    "top",
    "trade",
    "travel",
    "vip",
    "watch",
    "web",
    "webcam",
    "website",
    "wiki",
    "win",
    "wine",
    "work",
    "works",
    "world",
    "wtf",
    "xyz",
    "yoga",
    "zone",
];

/// Endings that nobody's name has, however they are written: `PayPal.Com`.
const PLAIN_ENDINGS: &[&str] = &["com", "net", "org", "info", "biz", "fr", "uk", "eu", "io", "xyz", "ru"];

/// True where a text holds something that a reader could follow.
///
/// `http://…`, `www.…`, `x.example/…`, `ink.example`, `me@ink.example`. Names with a full stop in them are none: St.Pauli Tattoo, L.A. Ink, Dr. Ink.
#[must_use]
pub fn holds_link(text: &str) -> bool {
    visible(text).split(parts_words).any(is_link)
}

/// The text without the words that a reader could follow; for what was stored before they were refused.
#[must_use]
pub fn without_links(text: &str) -> String {
    if !holds_link(text) {
        return text.to_owned();
    }
    let kept: Vec<&str> = text.split(char::is_whitespace).filter(|word| !holds_link(word)).collect();
    let kept = kept.join(" ");
    // What led up to the address: "see: …". But "x.fr-" is none, and without its dash would be.
    let bare = kept.trim_matches([' ', ':', ',', ';', '-', '–', '—', '|', '·']);
    if holds_link(bare) { kept } else { bare.to_owned() }
}

fn parts_words(character: char) -> bool {
    character.is_whitespace() || "()[]{}<>\"«»“”|,;!…•·*".contains(character)
}

fn is_link(word: &str) -> bool {
    // Browsers read these as full stops.
    let word = word.replace(['\u{ff0e}', '\u{ff61}', '\u{2024}'], ".");
    let lower = word.to_lowercase();
    if lower.contains("://") || lower.contains("mailto:") || lower.split(['/', ':', '@']).any(is_www) {
        return true;
    }
    let mut rest = word.as_str();
    let mut after_at = false;
    loop {
        let end = rest.find(['/', '\\', ':', '@', '?', '#', '&', '=', '\'', '’']).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        let mut tail = tail.chars();
        let separator = tail.next();
        let has_path = matches!(separator, Some('/' | '?' | '#')) && !tail.as_str().is_empty();
        let has_port = separator == Some(':') && tail.as_str().starts_with(|next: char| next.is_ascii_digit());
        if is_host(piece, after_at || has_path || has_port) {
            return true;
        }
        let Some(separator) = separator else { return false };
        after_at = separator == '@';
        rest = tail.as_str();
    }
}

fn is_www(piece: &str) -> bool {
    piece.strip_prefix("www.").is_some_and(|rest| rest.starts_with(char::is_alphanumeric))
}

/// Whether this names a computer. What stands around it may leave no doubt.
fn is_host(piece: &str, certain: bool) -> bool {
    let labels: Vec<&str> = piece.trim_matches('.').split('.').collect();
    let [.., before, last] = labels.as_slice() else { return false };
    let fits = |label: &&str| {
        !label.is_empty() && label.chars().all(|each| each.is_alphanumeric() || each == '-' || each == '_')
    };
    if !labels.iter().all(fits) || before.is_empty() {
        return false;
    }
    if labels.len() == 4 && labels.iter().all(|label| label.parse::<u8>().is_ok()) {
        return true;
    }
    if last.to_ascii_lowercase().starts_with("xn--") {
        return true;
    }
    if last.len() < 2 || !last.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let lower = last.to_ascii_lowercase();
    // A capital begins a name's second part, and seldom an address's ending.
    let is_written_small =
        last.starts_with(|first: char| first.is_ascii_lowercase()) || **last == *last.to_ascii_uppercase();
    certain
        || PLAIN_ENDINGS.contains(&lower.as_str())
        || (is_written_small && (last.len() == 2 || ENDINGS.binary_search(&lower.as_str()).is_ok()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_be_followed_is_a_link() {
        for text in [
            "http://evil.example",
            "Votre banque : compte bloqué, voir http://evil.example",
            "hxxps://evil.example",
            "voir www.evil",
            "WWW.Evil.example",
            "(www.evil.fr)",
            "evil.example/compte",
            "Studio.Evil/compte",
            "evil.com",
            "Evil.Com",
            "EVIL.COM",
            "lea.ink",
            "Léa,evil.fr",
            "evil.com.",
            "evil.com:8080",
            "Evil.Studio:8080/x",
            "paypal.com.secure.page",
            "me@evil.example",
            "Me@Evil.Example",
            "mailto:me",
            "192.168.0.1",
            "xn--bcher-kva.xn--p1ai",
            "evil\u{ff0e}com",
            "evil\u{200d}.com",
            "l’evil.com",
            "t.me/evil",
            "bit.ly/3xyz",
            "evil.example?x=1",
        ] {
            assert!(holds_link(text), "{text}");
        }
    }

    #[test]
    fn names_and_titles_with_full_stops_are_names_and_titles() {
        for text in [
            "St.Pauli Tattoo",
            "Dr. Ink",
            "Dr.Ink",
            "Nº5",
            "L.A. Ink",
            "L.A.Ink",
            "Mme.Dupont",
            "J.-P. Dupont",
            "M. de la Tour",
            "N.W.A",
            "V.I.P.",
            "Ink & Co.",
            "A/B Studio",
            "St.Pauli / Altona",
            "Vol.2",
            "12.30",
            "Rose 3.5 cm",
            "10:30",
            "@lea_ink",
            "Jean-Noël d’Ormesson",
            "毛泽东",
            "你好。世界",
            "Fleurs… etc.",
            "Lea.",
            "...",
            "Tattoo : trait fin, 24/7",
            "ink.by.lea",
            "14 bis rue de l’Encre, 69001 Lyon",
        ] {
            assert!(!holds_link(text), "{text}");
        }
    }

    #[test]
    fn what_was_stored_before_is_told_without_them() {
        let name = "Votre banque : compte bloqué, voir http://evil.example";
        assert_eq!(without_links(name), "Votre banque : compte bloqué, voir");
        assert_eq!(without_links("Léa – lea.ink"), "Léa");
        assert_eq!(without_links("http://evil.example"), "");
        assert_eq!(without_links("Léa  Marchetti"), "Léa  Marchetti");
    }

    #[test]
    fn the_endings_are_in_order() {
        assert!(ENDINGS.is_sorted(), "{:?}", ENDINGS.windows(2).find(|pair| pair[0] >= pair[1]));
    }

    proptest! {
        #[test]
        fn nothing_is_left_to_follow(text in "[a-zA-Z./:@ ’(),]{0,40}|\\PC{0,40}") {
            prop_assert!(!holds_link(&without_links(&text)), "{text:?}");
        }
    }
}
