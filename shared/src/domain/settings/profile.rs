//! Who the artist is, and the address of their page.

use jiff::tz::TimeZone;

use super::Flaws;
use crate::domain::contact::EmailAddress;
use crate::domain::ids::ImageId;
use crate::domain::locale::Locale;
use crate::domain::place::AddressShown;

/// The longest slug: the schema's own bound.
const SLUG_LENGTH: usize = 60;

/// The profile as it comes in.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProfileDraft<'a> {
    /// The last segment of the page's address.
    pub slug: Option<&'a str>,
    /// The name clients read.
    pub display_name: Option<&'a str>,
    /// Where the mails go.
    pub email: Option<&'a str>,
    pub bio: Option<&'a str>,
    pub city: Option<&'a str>,
    /// Where the appointment takes place.
    pub address: Option<&'a str>,
    /// From when on clients are told: the name of an [`AddressShown`].
    pub address_shown: Option<&'a str>,
    pub locale: Option<&'a str>,
    /// The IANA zone of the studio.
    pub timezone: Option<&'a str>,
    /// The large picture: an image's id, or the path that is shown already.
    pub hero_image: Option<&'a str>,
    /// Whether to be mailed of a hold before it is paid; unchanged where nothing is said.
    pub pending_mails: Option<bool>,
}

/// A profile that can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The last segment of the page's address.
    pub slug: String,
    /// The name clients read.
    pub display_name: String,
    /// Where the mails go.
    pub email: EmailAddress,
    pub bio: String,
    pub city: String,
    /// Where the appointment takes place.
    pub address: String,
    pub address_shown: AddressShown,
    pub locale: Locale,
    /// The IANA name of the studio's zone.
    pub timezone: String,
    pub hero: Hero,
    /// Whether to be mailed of a hold before it is paid; unchanged where nothing is said.
    pub pending_mails: Option<bool>,
}

/// What becomes of the large picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hero {
    /// The page goes without one.
    None,
    /// The one that is shown stays, if it is the one of this path.
    Keep(String),
    /// An uploaded picture.
    Image(ImageId),
}

impl Profile {
    pub fn parse(draft: &ProfileDraft<'_>) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let display_name = flaws.name("/display_name", draft.display_name, 2, 80);
        let slug = slug(draft, &mut flaws);
        let email = match EmailAddress::parse(draft.email.unwrap_or_default()) {
            Ok(email) => Some(email),
            Err(error) => {
                flaws.add("/email", error.sentence(Locale::Fr), error.sentence(Locale::En));
                None
            }
        };
        let bio = flaws.lines("/bio", draft.bio, 600);
        let city = flaws.name("/city", draft.city, 0, 80);
        let address = flaws.name("/address", draft.address, 0, 200);
        let address_shown = address_shown(draft.address_shown, &mut flaws);
        let locale = match draft.locale.map(str::trim) {
            None => Some(Locale::default()),
            Some("fr") => Some(Locale::Fr),
            Some("en") => Some(Locale::En),
            Some(_) => {
                flaws.add("/locale", "Choisissez le français ou l’anglais.", "Choose French or English.");
                None
            }
        };
        let timezone = zone(draft.timezone, &mut flaws);
        let hero = match draft.hero_image.map(str::trim).filter(|text| !text.is_empty()) {
            None => Some(Hero::None),
            Some(text) => match text.parse() {
                Ok(id) => Some(Hero::Image(id)),
                Err(_) if text.starts_with('/') || text.starts_with("https://") => Some(Hero::Keep(text.to_owned())),
                Err(_) => {
                    flaws.add("/hero_image", "Cette image n’existe pas.", "There is no such picture.");
                    None
                }
            },
        };
        match (slug, display_name, email, bio, city, address, address_shown, locale, timezone, hero) {
            (
                Some(slug),
                Some(display_name),
                Some(email),
                Some(bio),
                Some(city),
                Some(address),
                Some(address_shown),
                Some(locale),
                Some(timezone),
                Some(hero),
            ) => Ok(Self {
                slug,
                display_name,
                email,
                bio,
                city,
                address,
                address_shown,
                locale,
                timezone,
                hero,
                pending_mails: draft.pending_mails,
            }),
            _ => Err(flaws),
        }
    }

    /// Addresses to try when the one wished for is taken, the best first.
    #[must_use]
    pub fn other_slugs(&self) -> Vec<String> {
        let named = slug_of(&self.display_name);
        let city = slug_of(&self.city);
        let mut found = vec![named.clone()];
        for base in [&self.slug, &named] {
            found.push(format!("{base}-{city}"));
            found.push(format!("{base}-tattoo"));
            found.push(format!("{base}-ink"));
            found.extend((2..=9).map(|number| format!("{base}-{number}")));
        }
        let mut seen = Vec::new();
        found.retain(|slug| {
            let wanted = is_slug(slug) && *slug != self.slug && !seen.contains(slug);
            seen.push(slug.clone());
            wanted
        });
        found
    }
}

fn address_shown(given: Option<&str>, flaws: &mut Flaws) -> Option<AddressShown> {
    let Some(name) = given.map(str::trim) else { return Some(AddressShown::default()) };
    let shown = AddressShown::parse(name);
    if shown.is_none() {
        flaws.add(
            "/address_shown",
            "Choisissez quand vos clients voient l’adresse.",
            "Choose when your clients see the address.",
        );
    }
    shown
}

fn slug(draft: &ProfileDraft<'_>, flaws: &mut Flaws) -> Option<String> {
    let slug = draft.slug.unwrap_or_default().trim().to_lowercase();
    if is_slug(&slug) {
        return Some(slug);
    }
    let wish = if slug.is_empty() { draft.display_name.unwrap_or_default() } else { &slug };
    let suggestions = Some(slug_of(wish)).filter(|slug| is_slug(slug)).into_iter().collect();
    flaws.add_with(
        "/slug",
        (
            "L’adresse s’écrit en lettres minuscules sans accent, chiffres et traits d’union, de 2 à 60 caractères.",
            "The address is made of unaccented lower-case letters, digits and hyphens, 2 to 60 characters.",
        ),
        suggestions,
    );
    None
}

/// The list's name of a zone that people name for a place.
pub(super) fn zone(given: Option<&str>, flaws: &mut Flaws) -> Option<String> {
    let name = given.unwrap_or("Europe/Paris").trim();
    // Abbreviations and fixed offsets know no summer time; jiff's name for "I do not know" is no place either.
    let zone = TimeZone::get(name).ok().filter(|zone| !zone.is_unknown() && (name.contains('/') || name == "UTC"));
    // The list's own spelling, whatever case was typed.
    match zone.as_ref().and_then(TimeZone::iana_name) {
        Some(name) => Some(name.to_owned()),
        None => {
            flaws.add(
                "/timezone",
                "Choisissez un fuseau horaire de la liste, par exemple Europe/Paris.",
                "Choose a time zone from the list, such as Europe/Paris.",
            );
            None
        }
    }
}

/// What the schema calls a path segment.
fn is_slug(text: &str) -> bool {
    (2..=SLUG_LENGTH).contains(&text.len())
        && text
            .split('-')
            .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
}

/// A name as an address: "Léa Marchetti" becomes `lea-marchetti`.
#[must_use]
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        let plain = match character {
            'à' | 'á' | 'â' | 'ä' | 'ã' | 'å' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ł' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'ö' | 'õ' | 'ø' => "o",
            'ř' => "r",
            'ś' | 'š' | 'ş' => "s",
            'ß' => "ss",
            'ť' => "t",
            'ù' | 'ú' | 'û' | 'ü' | 'ů' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ž' | 'ż' => "z",
            'æ' => "ae",
            'œ' => "oe",
            // Apostrophes join: L’Encre is lencre.
            '\'' | '’' | '\u{300}'..='\u{36f}' => continue,
            'a'..='z' | '0'..='9' => {
                slug.push(character);
                continue;
            }
            _ => "-",
        };
        if plain != "-" || !(slug.is_empty() || slug.ends_with('-')) {
            slug.push_str(plain);
        }
    }
    slug.truncate(SLUG_LENGTH);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::pointers;
    use super::*;

    fn draft() -> ProfileDraft<'static> {
        ProfileDraft {
            slug: Some("lea-marchetti"),
            display_name: Some("Léa Marchetti"),
            email: Some("lea@Marchetti.example"),
            bio: Some("Trait fin.\nBotanique."),
            city: Some("Lyon"),
            address: Some("14 montée de la Grande-Côte"),
            address_shown: Some("with_summary"),
            locale: Some("fr"),
            timezone: Some("Europe/Paris"),
            hero_image: None,
            pending_mails: None,
        }
    }

    #[test]
    fn a_profile_is_read_once_and_whole() {
        let profile = Profile::parse(&draft()).expect("it is fine");
        assert_eq!((profile.slug.as_str(), profile.email.as_str()), ("lea-marchetti", "lea@marchetti.example"));
        assert_eq!(profile.address_shown, AddressShown::WithSummary);
        let unsaid = Profile::parse(&ProfileDraft { address_shown: None, ..draft() }).expect("it is fine");
        assert_eq!(
            unsaid.address_shown,
            AddressShown::AfterPayment,
            "a page that does not know the choice tells nobody"
        );
        assert_eq!((profile.timezone.as_str(), profile.hero), ("Europe/Paris", Hero::None));
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let flaws = Profile::parse(&ProfileDraft {
            slug: Some("Léa Marchetti"),
            display_name: Some("L"),
            email: Some("lea"),
            city: Some("Ly\non"),
            address_shown: Some("friends"),
            locale: Some("de"),
            timezone: Some("CET"),
            hero_image: Some("nothing"),
            ..draft()
        })
        .expect_err("nearly nothing is right");
        assert_eq!(
            pointers(&flaws),
            ["/display_name", "/slug", "/email", "/city", "/address_shown", "/locale", "/timezone", "/hero_image"]
        );
        assert_eq!(flaws.into_vec()[1].suggestions, ["lea-marchetti"]);
    }

    #[test]
    fn nothing_that_mails_show_holds_a_link() {
        let link = Some("Studio, voir evil.example/compte");
        let flaws = Profile::parse(&ProfileDraft { display_name: link, city: link, address: link, ..draft() });
        let flaws = flaws.expect_err("links");
        assert_eq!(pointers(&flaws), ["/display_name", "/city", "/address"]);
        let flaw = &flaws.into_vec()[0];
        assert!(flaw.fr.contains("lien") && flaw.en.contains("link"), "{flaw:?}");
        let name = Profile::parse(&ProfileDraft { display_name: Some("St.Pauli Tattoo"), ..draft() }).expect("a name");
        assert_eq!(name.display_name, "St.Pauli Tattoo");
    }

    #[test]
    fn a_missing_address_is_suggested_from_the_name() {
        let flaws = Profile::parse(&ProfileDraft { slug: None, ..draft() }).expect_err("no slug");
        assert_eq!(flaws.into_vec()[0].suggestions, ["lea-marchetti"]);
    }

    #[test]
    fn the_picture_is_an_upload_or_the_one_that_is_there() {
        let hero = |given| Profile::parse(&ProfileDraft { hero_image: Some(given), ..draft() }).map(|p| p.hero);
        assert_eq!(hero("/hero/lea-marchetti.svg"), Ok(Hero::Keep("/hero/lea-marchetti.svg".into())));
        assert_eq!(hero(" "), Ok(Hero::None));
        let id = "0192f3a4-5b6c-7d8e-9f00-112233445566";
        assert_eq!(hero(id), Ok(Hero::Image(id.parse().expect("an id"))));
        assert!(hero("javascript:alert(1)").is_err());
    }

    #[test]
    fn zones_are_places() {
        for name in ["Europe/Paris", "europe/paris", "America/Martinique", "Indian/Reunion", "UTC"] {
            assert!(Profile::parse(&ProfileDraft { timezone: Some(name), ..draft() }).is_ok(), "{name}");
        }
        let lower = Profile::parse(&ProfileDraft { timezone: Some("europe/paris"), ..draft() }).expect("a zone");
        assert_eq!(lower.timezone, "Europe/Paris");
        for name in ["", "Paris", "CET", "+01:00", "Etc/Unknown", "Europe/Atlantis", "../../etc/passwd"] {
            let refused = Profile::parse(&ProfileDraft { timezone: Some(name), ..draft() });
            assert_eq!(pointers(&refused.expect_err(name)), ["/timezone"]);
        }
    }

    #[test]
    fn names_become_addresses() {
        for (name, slug) in [
            ("Léa Marchetti", "lea-marchetti"),
            ("  L’Encre & Cie ", "lencre-cie"),
            ("ÇA ÇA", "ca-ca"),
            ("Straße 9", "strasse-9"),
            ("e\u{301}te\u{301}", "ete"),
            ("刺青", ""),
            ("--a--b--", "a-b"),
        ] {
            assert_eq!(slug_of(name), slug, "{name}");
        }
    }

    #[test]
    fn other_addresses_are_near_the_wish_and_never_the_wish() {
        let profile = Profile::parse(&ProfileDraft { slug: Some("lea"), ..draft() }).expect("fine");
        let others = profile.other_slugs();
        assert_eq!(others[..3], ["lea-marchetti", "lea-lyon", "lea-tattoo"]);
        assert!(others.iter().all(|slug| is_slug(slug) && slug != "lea"));
        let bare =
            Profile::parse(&ProfileDraft { slug: Some("x1"), city: None, display_name: Some("刺青"), ..draft() });
        assert!(bare.expect("fine").other_slugs().iter().all(|slug| is_slug(slug)));
    }

    proptest! {
        #[test]
        fn what_a_name_becomes_is_an_address_or_nothing(name in "\\PC{0,80}") {
            let slug = slug_of(&name);
            prop_assert!(slug.len() < 2 || is_slug(&slug), "{slug:?}");
        }
    }
}
