//! E-mail addresses: read as people type and paste them, kept as mail servers take them.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{EmailAddress, InvalidField};
use crate::domain::text::visible;

impl EmailAddress {
    /// Reads an e-mail address; its domain becomes lower case and, where it has accents or letters of other scripts, the
    /// ASCII form by which it is found (`xn--…`).
    ///
    /// Before the `@` only ASCII is taken, because Amazon SES cannot send to anything else; quoted local parts are refused
    /// because nobody has one.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = pasted(text);
        if text.is_empty() {
            return Err(InvalidField::EmailMissing);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(InvalidField::EmailWithSpace);
        }
        let Some((local, domain)) = text.split_once('@') else {
            return Err(InvalidField::EmailWithoutAt);
        };
        if domain.contains('@') {
            return Err(InvalidField::EmailSeveralAts);
        }
        if local.is_empty() {
            return Err(InvalidField::EmailWithoutName);
        }
        let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte);
        if local.chars().any(|character| !character.is_ascii() && character.is_alphabetic()) {
            return Err(InvalidField::EmailAccentInName);
        }
        let domain = ascii_domain(domain)?;
        if !local.bytes().all(is_local) {
            return Err(InvalidField::EmailBadCharacter);
        }
        if local.len() + 1 + domain.len() > 254 || local.len() > 64 {
            return Err(InvalidField::EmailTooLong);
        }
        let ending = domain.rsplit_once('.').map_or("", |(_, ending)| ending);
        if ending.len() < 2 || ending.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidField::EmailWithoutEnding);
        }
        let is_label =
            |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
        if local.split('.').any(str::is_empty) || !domain.split('.').all(is_label) {
            return Err(InvalidField::EmailMalformed);
        }
        Ok(Self(format!("{local}@{domain}")))
    }

    /// The form under which two spellings of one mailbox are equal: all in lower case.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }

    /// The address that was probably meant, where the domain is a slip of the finger away from one that millions have.
    /// It is a question to ask: nothing is refused or changed for it.
    #[must_use]
    pub fn probably(text: &str) -> Option<String> {
        let text = pasted(text);
        let (local, domain) = text.split_once('@')?;
        let domain = domain.trim_end_matches('.').to_lowercase();
        let meant = probable_domain(&domain)?;
        let address = format!("{local}@{meant}");
        Self::parse(&address).is_ok().then_some(address)
    }
}

/// What was typed or pasted, without what nobody sees in it and without the scheme of a copied link; letters that are only
/// another shape of one (`＠`, `ｊｏ`) become that one.
fn pasted(text: &str) -> String {
    let text: String = visible(text).trim().nfkc().collect();
    match text.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => text[7..].to_owned(),
        _ => text,
    }
}

/// A domain as the DNS knows it: RFC 5891 without the tables by which a registry decides what it sells.
fn ascii_domain(domain: &str) -> Result<String, InvalidField> {
    if domain.is_ascii() {
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        return if domain.bytes().all(is_domain) {
            Ok(domain.to_ascii_lowercase())
        } else {
            Err(InvalidField::EmailBadCharacter)
        };
    }
    // The full stops of Chinese and Japanese keyboards; the other two are ASCII by now.
    let domain: String = domain.to_lowercase().replace('\u{3002}', ".").nfc().collect();
    let mut labels = Vec::new();
    for label in domain.split('.') {
        if label.is_ascii() {
            labels.push(ascii_domain(label)?);
            continue;
        }
        let is_letter =
            |character: char| character.is_alphanumeric() || character == '-' || is_combining_mark(character);
        if !label.chars().all(is_letter) {
            return Err(InvalidField::EmailBadCharacter);
        }
        let encoded = idna::punycode::encode_str(label).ok_or(InvalidField::EmailMalformed)?;
        labels.push(format!("xn--{encoded}"));
    }
    Ok(labels.join("."))
}

/// Where most people have their mail. A slip in the name of one of these is asked about.
const PROVIDERS: [&str; 37] = [
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "hotmail.fr",
    "hotmail.be",
    "hotmail.ch",
    "hotmail.co.uk",
    "outlook.com",
    "outlook.fr",
    "outlook.be",
    "live.com",
    "live.fr",
    "live.be",
    "msn.com",
    "yahoo.com",
    "yahoo.fr",
    "yahoo.co.uk",
    "ymail.com",
    "icloud.com",
    "me.com",
    "orange.fr",
    "wanadoo.fr",
    "free.fr",
    "sfr.fr",
    "neuf.fr",
    "laposte.net",
    "bbox.fr",
    "numericable.fr",
    "aol.com",
    "gmx.fr",
    "gmx.com",
    "protonmail.com",
    "proton.me",
    "skynet.be",
    "telenet.be",
    "bluewin.ch",
    "videotron.ca",
];

/// Domains that look like a slip and are none.
const REAL: [&str; 12] = [
    "mail.com",
    "email.com",
    "gmail.fr.com",
    "outlook.de",
    "outlook.es",
    "outlook.it",
    "outlook.pt",
    "hotmail.de",
    "hotmail.es",
    "hotmail.it",
    "live.nl",
    "gmx.net",
];

/// Endings that are no domain of a provider, whatever its name: a letter short, a neighbouring key, two letters swapped.
const SLIPS: [(&str, &str); 19] = [
    ("f", "fr"),
    ("r", "fr"),
    ("ft", "fr"),
    ("fe", "fr"),
    ("rf", "fr"),
    ("frr", "fr"),
    ("ffr", "fr"),
    ("c", "com"),
    ("co", "com"),
    ("cm", "com"),
    ("om", "com"),
    ("con", "com"),
    ("cpm", "com"),
    ("cmo", "com"),
    ("ocm", "com"),
    ("vom", "com"),
    ("xom", "com"),
    ("comm", "com"),
    ("coml", "com"),
];

fn probable_domain(domain: &str) -> Option<String> {
    if PROVIDERS.contains(&domain) || REAL.contains(&domain) {
        return None;
    }
    let (name, ending) = domain.split_once('.').unwrap_or((domain, ""));
    let is_provider = |domain: &str| PROVIDERS.contains(&domain).then(|| domain.to_owned());
    // The ending alone is wrong: orange.f, hotmail.con. Providers with one domain have no other: gmail.fr.
    if let Some((_, right)) = SLIPS.iter().find(|(slip, _)| *slip == ending)
        && let Some(found) = is_provider(&format!("{name}.{right}"))
    {
        return Some(found);
    }
    if let ("gmail" | "icloud" | "wanadoo", "fr" | "com" | "" | "be" | "ch" | "net") = (name, ending) {
        return PROVIDERS.iter().find(|provider| provider.split('.').next() == Some(name)).map(|&found| found.into());
    }
    // The name is one slip away. Short names are one slip from too many others.
    PROVIDERS
        .iter()
        .filter(|provider| provider.split('.').next().is_some_and(|name| name.len() >= 5))
        .find(|provider| is_one_slip(domain, provider))
        .or_else(|| {
            // Both: gmial.con.
            let (_, right) = SLIPS.iter().find(|(slip, _)| *slip == ending)?;
            let mended = format!("{name}.{right}");
            PROVIDERS.iter().find(|provider| provider.len() >= 9 && is_one_slip(&mended, provider))
        })
        .map(|&found| found.to_owned())
}

/// True if one letter was left out, added, replaced or swapped with the next.
fn is_one_slip(typed: &str, meant: &str) -> bool {
    let (typed, meant) = (typed.as_bytes(), meant.as_bytes());
    let same = typed.iter().zip(meant).take_while(|(one, other)| one == other).count();
    let (rest, wanted) = (&typed[same..], &meant[same..]);
    match (rest, wanted) {
        ([], []) => false,
        _ if rest.len() + 1 == wanted.len() => rest == &wanted[1..],
        _ if rest.len() == wanted.len() + 1 => &rest[1..] == wanted,
        _ if rest.len() == wanted.len() => {
            rest[1..] == wanted[1..]
                || (rest.len() > 1 && rest[0] == wanted[1] && rest[1] == wanted[0] && rest[2..] == wanted[2..])
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> Result<String, InvalidField> {
        EmailAddress::parse(text).map(|address| address.as_str().to_owned())
    }

    #[test]
    fn addresses_are_kept_as_written_except_for_the_domain() {
        for (text, address) in [
            ("lea@example.fr", "lea@example.fr"),
            (" Lea.Marchetti+flash@Example.CO.UK ", "Lea.Marchetti+flash@example.co.uk"),
            ("o'neil_42@sub.domaine-ink.paris", "o'neil_42@sub.domaine-ink.paris"),
            ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ] {
            assert_eq!(email(text), Ok(address.into()));
        }
        let address = EmailAddress::parse("Lea@Example.fr").expect("a good address");
        assert_eq!(address.normalised(), "lea@example.fr");
    }

    #[test]
    fn a_wrong_address_is_told_what_is_wrong_with_it() {
        for (text, error) in [
            ("", InvalidField::EmailMissing),
            ("  ", InvalidField::EmailMissing),
            ("lea.example.fr", InvalidField::EmailWithoutAt),
            ("lea@@example.fr", InvalidField::EmailSeveralAts),
            ("lea@example.fr,noa@example.fr", InvalidField::EmailSeveralAts),
            ("@example.fr", InvalidField::EmailWithoutName),
            ("lea@", InvalidField::EmailWithoutEnding),
            ("lea@example", InvalidField::EmailWithoutEnding),
            ("lea@example.", InvalidField::EmailWithoutEnding),
            ("lea@example.f", InvalidField::EmailWithoutEnding),
            ("lea@192.168.0.1", InvalidField::EmailWithoutEnding),
            ("le a@example.fr", InvalidField::EmailWithSpace),
            ("lea@exam\nple.fr", InvalidField::EmailWithSpace),
            ("léa@example.fr", InvalidField::EmailAccentInName),
            ("été@été.fr", InvalidField::EmailAccentInName),
            ("леа@example.fr", InvalidField::EmailAccentInName),
            ("lea…@example.fr", InvalidField::EmailMalformed),
            ("<lea@example.fr>", InvalidField::EmailBadCharacter),
            ("\"lea\"@example.fr", InvalidField::EmailBadCharacter),
            ("lea@example_2.fr", InvalidField::EmailBadCharacter),
            ("lea\u{0}@example.fr", InvalidField::EmailBadCharacter),
            (".lea@example.fr", InvalidField::EmailMalformed),
            ("lea..m@example.fr", InvalidField::EmailMalformed),
            ("lea.@example.fr", InvalidField::EmailMalformed),
            ("lea@.example.fr", InvalidField::EmailMalformed),
            ("lea@example..fr", InvalidField::EmailMalformed),
            ("lea@-example.fr", InvalidField::EmailMalformed),
            ("lea@example-.fr", InvalidField::EmailMalformed),
        ] {
            assert_eq!(email(text), Err(error), "{text:?}");
        }
        assert_eq!(email(&format!("{}@example.fr", "a".repeat(65))), Err(InvalidField::EmailTooLong));
        assert_eq!(email(&format!("a@{}fr", "abcdefghi.".repeat(26))), Err(InvalidField::EmailTooLong));
        assert_eq!(email(&format!("a@{}.fr", "a".repeat(64))), Err(InvalidField::EmailMalformed));
    }

    #[test]
    fn invisible_and_wide_characters_of_a_pasted_address_are_left_out() {
        for text in [
            "jo@example.fr\u{200b}",
            "\u{202a}jo@example.fr\u{202c}",
            "\u{feff}jo@exa\u{ad}mple.fr",
            "mailto:jo@example.fr",
            "jo＠example．fr",
            "ｊｏ@example.fr",
        ] {
            assert_eq!(email(text), Ok("jo@example.fr".into()), "{text:?}");
        }
    }

    #[test]
    fn a_domain_of_any_script_becomes_the_one_that_the_dns_knows() {
        for (text, address) in [
            ("jo@bücher.example", "jo@xn--bcher-kva.example"),
            ("jo@BÜCHER.example", "jo@xn--bcher-kva.example"),
            ("jo@bu\u{308}cher.example", "jo@xn--bcher-kva.example"),
            ("jo@été.fr", "jo@xn--t-9fab.fr"),
            ("jo@straße.example", "jo@xn--strae-oqa.example"),
            ("jo@例え。テスト", "jo@xn--r8jz45g.xn--zckzah"),
            ("jo@правда.рф", "jo@xn--80aafi6cg.xn--p1ai"),
        ] {
            assert_eq!(email(text), Ok(address.into()), "{text:?}");
        }
        for text in ["jo@exa☃mple.fr", "jo@é_é.fr", "jo@é(.fr"] {
            assert_eq!(email(text), Err(InvalidField::EmailBadCharacter), "{text:?}");
        }
        assert_eq!(email("jo@été"), Err(InvalidField::EmailWithoutEnding));
        assert_eq!(email(&format!("jo@{}.fr", "é".repeat(80))), Err(InvalidField::EmailMalformed));
    }

    #[test]
    fn a_slip_in_the_domain_of_a_large_provider_is_asked_about() {
        for (typed, meant) in [
            ("jo@gmial.com", "jo@gmail.com"),
            ("Jo@GMIAL.com", "Jo@gmail.com"),
            ("jo@gmai.com", "jo@gmail.com"),
            ("jo@gmaill.com", "jo@gmail.com"),
            ("jo@gnail.com", "jo@gmail.com"),
            ("jo@gmail.fr", "jo@gmail.com"),
            ("jo@gmail.con", "jo@gmail.com"),
            ("jo@gmail", "jo@gmail.com"),
            ("jo@gmial.con", "jo@gmail.com"),
            ("jo@gmail.co", "jo@gmail.com"),
            ("jo@hotmial.fr", "jo@hotmail.fr"),
            ("jo@homail.com", "jo@hotmail.com"),
            ("jo@orange.f", "jo@orange.fr"),
            ("jo@ornage.fr", "jo@orange.fr"),
            ("jo@wanado.fr", "jo@wanadoo.fr"),
            ("jo@free.f", "jo@free.fr"),
            ("jo@yaho.fr", "jo@yahoo.fr"),
            ("jo@outlok.com", "jo@outlook.com"),
            ("jo@iclood.com", "jo@icloud.com"),
            ("jo@laposte.nt", "jo@laposte.net"),
        ] {
            assert_eq!(EmailAddress::probably(typed).as_deref(), Some(meant), "{typed}");
        }
    }

    #[test]
    fn nobody_is_asked_about_an_address_that_is_as_meant() {
        let known = PROVIDERS.iter().chain(&REAL).map(|domain| format!("jo@{domain}"));
        let others =
            ["jo@example.fr", "jo@orange.com", "jo@laposte.fr", "jo@fre.fr", "jo@me.fr", "jo@yahoo.de", "jo", ""];
        for address in known.chain(others.map(str::to_owned)) {
            assert_eq!(EmailAddress::probably(&address), None, "{address}");
        }
    }
}
