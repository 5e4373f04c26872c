//! What a client tells about themselves, parsed once and trusted afterwards.
//! Personal data: `Debug` never prints it, so that no log can.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::money::Cents;

// What nobody sees in what people type.
mod text;

// Whose numbers are which.
mod country;

// Addresses of sites, where a name or a title should be.
mod link;

// Telephone numbers.
mod phone;

// E-mail addresses.
mod email;

pub use country::Country;
pub use link::{holds_link, without_links};
pub(crate) use text::{is_stray, seen, unstrayed};

/// The language a person reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "String")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Locale {
    /// French, the default.
    #[default]
    Fr,
    /// English.
    En,
}

impl Locale {
    /// The language of a tag such as `fr-FR` or `en_GB`; French when it is another or none.
    #[must_use]
    pub fn from_tag(tag: &str) -> Self {
        Self::of_tag(tag).unwrap_or_default()
    }

    /// The language of a tag, if it is one of ours.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.trim().split(['-', '_', '.', '@']).next().unwrap_or_default();
        [Self::Fr, Self::En].into_iter().find(|locale| language.eq_ignore_ascii_case(locale.code()))
    }

    /// The language as stored and as written in `lang` attributes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// The one of two wordings that this reader understands.
    #[must_use]
    pub fn pick<T>(self, fr: T, en: T) -> T {
        match self {
            Self::Fr => fr,
            Self::En => en,
        }
    }

    /// An amount as this reader expects to see it.
    #[must_use]
    pub fn euros(self, amount: Cents) -> String {
        match self {
            Self::Fr => amount.euros_fr(),
            Self::En => amount.euros_en(),
        }
    }
}

impl From<String> for Locale {
    fn from(tag: String) -> Self {
        Self::from_tag(&tag)
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

macro_rules! field_errors {
    ($($(#[$doc:meta])* $name:ident $code:literal $fr:literal $en:literal;)+) => {
        /// What is wrong with a field, with a stable code and a sentence for the person who filled it in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum InvalidField {
            $($(#[$doc])* $name,)+
        }

        impl InvalidField {
            /// Every way a field can be wrong.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// A name that never changes, for programs.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// What to say to the person.
            #[must_use]
            pub const fn sentence(self, locale: Locale) -> &'static str {
                match (self, locale) {
                    $((Self::$name, Locale::Fr) => $fr, (Self::$name, Locale::En) => $en,)+
                }
            }
        }
    };
}

field_errors! {
    /// Fewer than two characters.
    NameTooShort "name_too_short"
        "Indiquez votre nom (2 caractères au moins)."
        "Enter your name (at least 2 characters).";
    /// More than 100 characters.
    NameTooLong "name_too_long"
        "Ce nom dépasse 100 caractères."
        "This name is longer than 100 characters.";
    /// A line break, a control character or one that hides the order of the others.
    NameNotPlain "name_not_plain"
        "Ce nom contient un retour à la ligne ou un caractère invisible."
        "This name contains a line break or an invisible character.";

    /// An address of a site or a mailbox.
    NameHoldsLink "name_holds_link"
        "Un nom ne contient ni lien ni adresse\u{a0}: retirez-les, ou mettez une espace après le point."
        "A name contains no link and no address: remove it, or put a space after the full stop.";

    /// Nothing was given.
    EmailMissing "email_missing"
        "Indiquez votre adresse e-mail."
        "Enter your email address.";
    /// No `@`.
    EmailWithoutAt "email_without_at"
        "Il manque un @ dans l’adresse e-mail."
        "The email address is missing an @.";
    /// More than one `@`.
    EmailSeveralAts "email_several_ats"
        "Une adresse e-mail ne contient qu’un seul @."
        "An email address contains only one @.";
    /// Nothing before the `@`.
    EmailWithoutName "email_without_name"
        "Il manque le début de l’adresse, avant le @."
        "The part before the @ is missing.";
    /// No dot in the domain, or nothing after it.
    EmailWithoutEnding "email_without_ending"
        "Il manque la fin de l’adresse, par exemple .fr ou .com."
        "The address is missing its ending, such as .com or .fr.";
    /// A space or a line break.
    EmailWithSpace "email_with_space"
        "Une adresse e-mail ne contient pas d’espace."
        "An email address contains no spaces.";
    /// A letter outside ASCII before the `@`.
    EmailAccentInName "email_accent_in_name"
        "Avant le @, une adresse s’écrit sans accent et en lettres latines\u{a0}: vérifiez-la, ou donnez-en une autre."
        "Before the @, an address has plain Latin letters without accents: check it, or give another one.";
    /// A character that mail servers refuse, such as a bracket.
    EmailBadCharacter "email_bad_character"
        "Cette adresse contient un caractère que les messageries refusent (parenthèse, virgule, guillemet…)."
        "This address contains a character that mail servers refuse (bracket, comma, quote…).";
    /// A dot or a hyphen where none can be.
    EmailMalformed "email_malformed"
        "Cette adresse e-mail est mal formée\u{a0}: vérifiez les points et les tirets."
        "This email address is malformed: check its dots and hyphens.";
    /// More than 254 characters, or more than 64 before the `@`.
    EmailTooLong "email_too_long"
        "Cette adresse e-mail est trop longue."
        "This email address is too long.";

    /// Nothing was given.
    PhoneMissing "phone_missing"
        "Indiquez votre numéro de téléphone."
        "Enter your phone number.";
    /// Something else than digits and what usually stands between them.
    PhoneBadCharacter "phone_bad_character"
        "Un numéro de téléphone s’écrit avec des chiffres, par exemple 06\u{a0}12\u{a0}34\u{a0}56\u{a0}78."
        "A phone number is written in digits, for example +33\u{a0}6\u{a0}12\u{a0}34\u{a0}56\u{a0}78.";
    /// Not a number of the artist's country, and without a country code.
    PhoneNotHere "phone_not_here"
        "Ce n’est pas un numéro du pays de l’artiste\u{a0}: vérifiez-le, ou commencez par + et l’indicatif, comme +32\u{a0}470\u{a0}12\u{a0}34\u{a0}56."
        "This is not a number of the artist’s country: check it, or start with + and the country code, such as +44\u{a0}7400\u{a0}123456.";
    /// Too few digits.
    PhoneTooShort "phone_too_short"
        "Il manque des chiffres à ce numéro, ou l’indicatif de son pays, comme +32 ou +687."
        "This number is missing some digits, or its country code, such as +44 or +32.";
    /// Too many digits.
    PhoneTooLong "phone_too_long"
        "Ce numéro a trop de chiffres, ou il lui manque l’indicatif de son pays, comme +39 ou +49."
        "This number has too many digits, or lacks its country code, such as +39 or +49.";
    /// No country has this code, or the country no such number.
    PhoneUnknown "phone_unknown"
        "Ce numéro n’existe pas\u{a0}: vérifiez l’indicatif et les premiers chiffres."
        "This number does not exist: check its country code and first digits.";

    /// Fewer than ten characters.
    DescriptionTooShort "description_too_short"
        "Décrivez votre projet en quelques mots (10 caractères au moins)."
        "Describe your project in a few words (at least 10 characters).";
    /// More than 2,000 characters.
    DescriptionTooLong "description_too_long"
        "La description dépasse 2\u{202f}000 caractères."
        "The description is longer than 2,000 characters.";
    /// A control character, or one that hides the order of the others.
    DescriptionNotPlain "description_not_plain"
        "La description contient un caractère invisible."
        "The description contains an invisible character.";
    /// Nothing was given.
    BodyZoneMissing "body_zone_missing"
        "Indiquez la zone du corps."
        "Say where on the body.";
    /// More than 80 characters.
    BodyZoneTooLong "body_zone_too_long"
        "La zone du corps dépasse 80 caractères."
        "The body zone is longer than 80 characters.";
    /// A line break, a control character or one that hides the order of the others.
    BodyZoneNotPlain "body_zone_not_plain"
        "La zone du corps contient un retour à la ligne ou un caractère invisible."
        "The body zone contains a line break or an invisible character.";
    /// Zero or less.
    BudgetNotPositive "budget_not_positive"
        "Le budget doit être supérieur à zéro."
        "The budget must be more than zero.";
    /// More than the database can hold.
    BudgetTooLarge "budget_too_large"
        "Ce budget est trop élevé."
        "This budget is too large.";
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence(Locale::En))
    }
}

impl std::error::Error for InvalidField {}

macro_rules! parsed_text {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes back what was parsed once and stored: rules that became stricter since then do not apply.
            #[must_use]
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    )+};
}

parsed_text! {
    /// A person's name as they write it: one line of 2 to 100 characters.
    FullName;
    /// An e-mail address that a mail server will at least try.
    EmailAddress;
    /// A phone number in E.164 form, such as `+33612345678`.
    PhoneNumber;
}

impl FullName {
    /// Reads a name.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let name = unstrayed(text);
        let name = name.trim();
        if !is_one_line(name) {
            return Err(InvalidField::NameNotPlain);
        }
        if holds_link(name) {
            return Err(InvalidField::NameHoldsLink);
        }
        match (seen(name), name.chars().count()) {
            (0..2, _) => Err(InvalidField::NameTooShort),
            (_, 2..=100) => Ok(Self(name.to_owned())),
            _ => Err(InvalidField::NameTooLong),
        }
    }
}

/// What a client wants drawn, in their words.
#[derive(Clone, PartialEq, Eq)]
pub struct ProjectBrief {
    description: String,
    body_zone: String,
    budget: Option<Cents>,
}

impl ProjectBrief {
    /// Reads a project; every wrong field is named with what is wrong with it.
    ///
    /// # Errors
    /// One entry for each wrong field: `description`, `body_zone` or `budget`.
    pub fn parse(
        description: &str,
        body_zone: &str,
        budget: Option<Cents>,
    ) -> Result<Self, Vec<(&'static str, InvalidField)>> {
        let description = unstrayed(description).replace("\r\n", "\n");
        let description = description.trim();
        let body_zone = unstrayed(body_zone);
        let body_zone = body_zone.trim();
        let mut errors = Vec::new();

        if !is_text(description) {
            errors.push(("description", InvalidField::DescriptionNotPlain));
        } else {
            match (seen(description), description.chars().count()) {
                (0..10, _) => errors.push(("description", InvalidField::DescriptionTooShort)),
                (_, 10..=2_000) => {}
                _ => errors.push(("description", InvalidField::DescriptionTooLong)),
            }
        }
        if !is_one_line(body_zone) {
            errors.push(("body_zone", InvalidField::BodyZoneNotPlain));
        } else {
            match (seen(body_zone), body_zone.chars().count()) {
                (0, _) => errors.push(("body_zone", InvalidField::BodyZoneMissing)),
                (_, 1..=80) => {}
                _ => errors.push(("body_zone", InvalidField::BodyZoneTooLong)),
            }
        }
        if budget.is_some_and(|budget| budget <= Cents::ZERO) {
            errors.push(("budget", InvalidField::BudgetNotPositive));
        } else if budget.is_some_and(|budget| budget > Cents::MAX) {
            errors.push(("budget", InvalidField::BudgetTooLarge));
        }

        if errors.is_empty() {
            Ok(Self { description: description.to_owned(), body_zone: body_zone.to_owned(), budget })
        } else {
            Err(errors)
        }
    }

    /// Takes back what was parsed once and stored.
    #[must_use]
    pub fn from_stored(description: String, body_zone: String, budget: Option<Cents>) -> Self {
        Self { description, body_zone, budget }
    }

    /// What to draw; may hold line breaks.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Where on the body, on one line.
    #[must_use]
    pub fn body_zone(&self) -> &str {
        &self.body_zone
    }

    /// What the client would like to spend, when they say so.
    #[must_use]
    pub fn budget(&self) -> Option<Cents> {
        self.budget
    }
}

impl fmt::Debug for ProjectBrief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// True for text without anything that breaks a line, a mail header or the reading order.
pub(crate) fn is_one_line(text: &str) -> bool {
    text.chars().all(is_plain)
}

/// The same where lines may break.
pub(crate) fn is_text(text: &str) -> bool {
    text.chars().all(|character| is_plain(character) || character == '\n' || character == '\t')
}

/// False for what breaks a line or a mail header, and for what strayed in and should be gone by now.
fn is_plain(character: char) -> bool {
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    let annotates = matches!(character, '\u{fff9}'..='\u{fffb}');
    !(character.is_control() || is_stray(character) || breaks || annotates)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_all_sorts_are_welcome() {
        for name in ["Li", "Zoé Ó Súilleabháin", "Jean-Noël d’Ormesson", "毛泽东", "محمد", "N’Guyễn Thị"]
        {
            assert_eq!(FullName::parse(&format!("  {name}\u{a0}")).map(|n| n.as_str().to_owned()), Ok(name.into()));
        }
        assert!(FullName::parse(&"é".repeat(100)).is_ok());
    }

    #[test]
    fn a_name_is_one_plain_line() {
        for (text, error) in [
            ("", InvalidField::NameTooShort),
            (" \n ", InvalidField::NameTooShort),
            ("A", InvalidField::NameTooShort),
            ("Léa\nBcc: all@example.com", InvalidField::NameNotPlain),
            ("Léa\r\nMarchetti", InvalidField::NameNotPlain),
            ("Léa\u{2028}Marchetti", InvalidField::NameNotPlain),
            ("Léa\u{0}", InvalidField::NameNotPlain),
            ("\u{200b}\u{200b}", InvalidField::NameTooShort),
            ("\u{3164}\u{3164}", InvalidField::NameTooShort),
            ("\u{2800}\u{fe0f}\u{200d}J", InvalidField::NameTooShort),
        ] {
            assert_eq!(FullName::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(FullName::parse(&"a".repeat(101)), Err(InvalidField::NameTooLong));
    }

    #[test]
    fn what_comes_along_with_a_copied_name_is_left_out_and_what_belongs_to_it_stays() {
        for (text, name) in [
            ("Mo\u{200f}hamed", "Mohamed"),
            ("\u{202e}ittehcraM", "ittehcraM"),
            ("\u{2068}Jo Martin\u{2069}\u{feff}", "Jo Martin"),
            ("Ma\u{ad}rie\u{200b}-Ange", "Marie-Ange"),
            ("نرگس\u{200c}بانو", "نرگس\u{200c}بانو"),
            ("Zoé 👩\u{200d}🎨", "Zoé 👩\u{200d}🎨"),
        ] {
            assert_eq!(FullName::parse(text).map(|name| name.as_str().to_owned()), Ok(name.into()), "{text:?}");
        }
    }

    #[test]
    fn a_project_names_every_wrong_field() {
        let errors = ProjectBrief::parse("court", "", Some(Cents::ZERO)).expect_err("nothing is right");
        assert_eq!(
            errors,
            [
                ("description", InvalidField::DescriptionTooShort),
                ("body_zone", InvalidField::BodyZoneMissing),
                ("budget", InvalidField::BudgetNotPositive),
            ]
        );
        let errors = ProjectBrief::parse(&"a".repeat(2_001), &"a".repeat(81), Some(Cents::new(i64::MAX)))
            .expect_err("everything is too much");
        assert_eq!(
            errors,
            [
                ("description", InvalidField::DescriptionTooLong),
                ("body_zone", InvalidField::BodyZoneTooLong),
                ("budget", InvalidField::BudgetTooLarge),
            ]
        );
        let errors = ProjectBrief::parse(&"\u{200b}".repeat(12), "\u{200b}", None).expect_err("nothing can be seen");
        assert_eq!(
            errors,
            [("description", InvalidField::DescriptionTooShort), ("body_zone", InvalidField::BodyZoneMissing)]
        );
        let errors = ProjectBrief::parse("Une pivoine\u{1b}[31m", "bras\nBcc:", None).expect_err("nothing is plain");
        assert_eq!(
            errors,
            [("description", InvalidField::DescriptionNotPlain), ("body_zone", InvalidField::BodyZoneNotPlain),]
        );
    }

    #[test]
    fn a_project_keeps_its_paragraphs() {
        let brief =
            ProjectBrief::parse(" Une pivoine,\r\nen noir\tet gris. ", " avant-bras ", Some(Cents::new(30_000)))
                .expect("a good project");
        assert_eq!(brief.description(), "Une pivoine,\nen noir\tet gris.");
        assert_eq!(brief.body_zone(), "avant-bras");
        assert_eq!(brief.budget(), Some(Cents::new(30_000)));
    }

    #[test]
    fn no_personal_data_in_debug_output() {
        let name = FullName::parse("Léa Marchetti").expect("a good name");
        let email = EmailAddress::parse("lea@example.fr").expect("a good address");
        let phone = PhoneNumber::parse("0612345678", Country::of_zone("Europe/Paris")).expect("a good number");
        let brief = ProjectBrief::parse("Une pivoine noire", "dos", None).expect("a good project");
        let text = format!("{name:?} {email:#?} {phone:?} {brief:?} {:?}", Some(&name));
        assert_eq!(text, "[redacted] [redacted] [redacted] [redacted] Some([redacted])");
    }

    #[test]
    fn the_language_of_a_tag() {
        for (tag, locale) in [
            ("fr", Locale::Fr),
            ("fr-FR", Locale::Fr),
            ("en", Locale::En),
            ("en-GB", Locale::En),
            ("EN_us", Locale::En),
            ("en_US.UTF-8", Locale::En),
            ("de", Locale::Fr),
            ("enm", Locale::Fr),
            ("", Locale::Fr),
        ] {
            assert_eq!(Locale::from_tag(tag), locale, "{tag:?}");
            let json = serde_json::to_string(tag).expect("a text serialises");
            assert_eq!(serde_json::from_str::<Locale>(&json).expect("any tag has a language"), locale);
        }
        assert_eq!(serde_json::to_string(&Locale::En).expect("serialises"), "\"en\"");
        assert_eq!(Locale::Fr.euros(Cents::new(4_950)), "49,50\u{a0}€");
        assert_eq!(Locale::En.euros(Cents::new(4_950)), "€49.50");
    }

    #[test]
    fn every_error_has_its_own_code_and_a_sentence_in_both_languages() {
        let codes: HashSet<_> = InvalidField::ALL.iter().map(|error| error.code()).collect();
        assert_eq!(codes.len(), InvalidField::ALL.len());
        for error in InvalidField::ALL {
            let (fr, en) = (error.sentence(Locale::Fr), error.sentence(Locale::En));
            assert!(fr.ends_with('.') && en.ends_with('.') && fr != en, "{}", error.code());
            assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn whatever_is_typed_gives_a_safe_value_or_an_error(text in "\\PC{0,40}|[+0-9 ().-]{0,24}|[a-z@. \r\n]{0,30}") {
            if let Ok(name) = FullName::parse(&text) {
                prop_assert!((2..=100).contains(&name.as_str().chars().count()));
                prop_assert!(!name.as_str().contains(['\r', '\n', '\0']));
                prop_assert_eq!(FullName::parse(name.as_str()), Ok(name));
            }
            if let Ok(address) = EmailAddress::parse(&text) {
                prop_assert!(address.as_str().is_ascii() && address.as_str().len() <= 254);
                prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address));
            }
            let home = Country::of_zone("Europe/Paris");
            if let Ok(number) = PhoneNumber::parse(&text, home) {
                let digits = number.as_str().strip_prefix('+').expect("E.164 begins with a plus");
                prop_assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!(number.written().starts_with('+'));
                prop_assert_eq!(PhoneNumber::parse(number.as_str(), home), Ok(number));
            }
        }
    }
}
