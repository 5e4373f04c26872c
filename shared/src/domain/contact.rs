//! What a client tells about themselves, parsed once and trusted afterwards.
//! Personal data: `Debug` never prints it, so that no log can.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::money::Cents;

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
    /// A character that mail servers refuse, such as an accent or a bracket.
    EmailBadCharacter "email_bad_character"
        "Cette adresse contient un caractère que les messageries refusent (accent, parenthèse, virgule…)."
        "This address contains a character that mail servers refuse (accent, bracket, comma…).";
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
    /// Neither a national number nor one with its country code.
    PhoneWithoutCountry "phone_without_country"
        "Commencez par 0 pour un numéro français, ou par + et l’indicatif du pays."
        "Start with + and the country code, or with 0 for a French number.";
    /// Too few digits.
    PhoneTooShort "phone_too_short"
        "Il manque des chiffres à ce numéro."
        "This number is missing some digits.";
    /// Too many digits.
    PhoneTooLong "phone_too_long"
        "Ce numéro a trop de chiffres."
        "This number has too many digits.";
    /// A country code or a French number cannot begin like this.
    PhoneUnknown "phone_unknown"
        "Ce numéro n’existe pas\u{a0}: vérifiez les premiers chiffres."
        "This number does not exist: check its first digits.";

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
        let name = text.trim();
        if !is_one_line(name) {
            return Err(InvalidField::NameNotPlain);
        }
        match name.chars().count() {
            0..2 => Err(InvalidField::NameTooShort),
            2..=100 => Ok(Self(name.to_owned())),
            _ => Err(InvalidField::NameTooLong),
        }
    }
}

impl EmailAddress {
    /// Reads an e-mail address; its domain becomes lower case.
    ///
    /// Non-ASCII addresses are refused because Amazon SES cannot send to them, quoted local parts because
    /// nobody has one.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim();
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
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if !local.bytes().all(is_local) || !domain.bytes().all(is_domain) {
            return Err(InvalidField::EmailBadCharacter);
        }
        if text.len() > 254 || local.len() > 64 {
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
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The form under which two spellings of one mailbox are equal: all in lower case.
    #[must_use]
    pub fn normalised(&self) -> String {
        self.0.to_lowercase()
    }
}

/// National French prefixes that belong to overseas territories, and the country code they are reached by.
///
/// They share the ten-digit dialling plan of the mainland but not its +33: `0690 12 34 56` is
/// `+590 690 12 34 56`. Longest prefix first.
const OVERSEAS: &[(&str, &str)] = &[
    ("07090", "590"),
    ("07091", "596"),
    ("07092", "262"),
    ("070930", "594"),
    ("070931", "594"),
    ("070932", "594"),
    ("070933", "594"),
    ("070935", "262"),
    ("070936", "262"),
    ("070937", "262"),
    ("0590", "590"),
    ("0690", "590"),
    ("0691", "590"),
    ("0594", "594"),
    ("0694", "594"),
    ("0596", "596"),
    ("0696", "596"),
    ("0697", "596"),
    ("0262", "262"),
    ("02630", "262"),
    ("02631", "262"),
    ("0269", "262"),
    ("0639", "262"),
    ("0692", "262"),
    ("0693", "262"),
    ("0508", "508"),
    ("0708", "508"),
];

impl PhoneNumber {
    /// Reads a French number (mainland or overseas) or one with its country code.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidField> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidField::PhoneMissing);
        }
        let has_plus = text.starts_with('+');
        let mut digits = String::with_capacity(16);
        for character in text.chars().skip(usize::from(has_plus)) {
            match character {
                '0'..='9' => digits.push(character),
                '.' | '-' | '/' | '(' | ')' | '\u{2010}'..='\u{2013}' => {}
                space if space.is_whitespace() => {}
                _ => return Err(InvalidField::PhoneBadCharacter),
            }
        }
        let international = if has_plus { Some(digits.as_str()) } else { digits.strip_prefix("00") };
        match international {
            Some(number) => Self::international(number),
            None if digits.starts_with('0') => Self::national(&digits),
            None if digits.is_empty() => Err(InvalidField::PhoneBadCharacter),
            None => Err(InvalidField::PhoneWithoutCountry),
        }
    }

    fn national(digits: &str) -> Result<Self, InvalidField> {
        match digits.len() {
            0..10 => return Err(InvalidField::PhoneTooShort),
            10 => {}
            _ => return Err(InvalidField::PhoneTooLong),
        }
        let overseas = OVERSEAS.iter().find(|(prefix, _)| digits.starts_with(prefix));
        let country = overseas.map_or("33", |(_, country)| country);
        // Landlines of Saint-Pierre-et-Miquelon are the six digits behind the prefix.
        let number = digits.strip_prefix("0508").unwrap_or(&digits[1..]);
        Ok(Self(format!("+{country}{number}")))
    }

    fn international(digits: &str) -> Result<Self, InvalidField> {
        if digits.starts_with('0') {
            return Err(InvalidField::PhoneUnknown);
        }
        for (country, lengths) in
            [("33", 9..=9), ("590", 9..=9), ("594", 9..=9), ("596", 9..=9), ("262", 9..=9), ("508", 6..=9)]
        {
            if let Some(number) = digits.strip_prefix(country) {
                // People write the national 0 behind the country code: +33 (0)6 …
                let number = number.strip_prefix('0').unwrap_or(number);
                if number.starts_with('0') {
                    return Err(InvalidField::PhoneUnknown);
                }
                if number.len() < *lengths.start() {
                    return Err(InvalidField::PhoneTooShort);
                }
                if number.len() > *lengths.end() {
                    return Err(InvalidField::PhoneTooLong);
                }
                return Ok(Self(format!("+{country}{number}")));
            }
        }
        match digits.len() {
            0..7 => Err(InvalidField::PhoneTooShort),
            7..=15 => Ok(Self(format!("+{digits}"))),
            _ => Err(InvalidField::PhoneTooLong),
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
        let description = description.replace("\r\n", "\n");
        let description = description.trim();
        let body_zone = body_zone.trim();
        let mut errors = Vec::new();

        if !is_text(description) {
            errors.push(("description", InvalidField::DescriptionNotPlain));
        } else {
            match description.chars().count() {
                0..10 => errors.push(("description", InvalidField::DescriptionTooShort)),
                10..=2_000 => {}
                _ => errors.push(("description", InvalidField::DescriptionTooLong)),
            }
        }
        if !is_one_line(body_zone) {
            errors.push(("body_zone", InvalidField::BodyZoneNotPlain));
        } else {
            match body_zone.chars().count() {
                0 => errors.push(("body_zone", InvalidField::BodyZoneMissing)),
                1..=80 => {}
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

/// False for what breaks a line, a mail header or the reading order of the text around it.
fn is_plain(character: char) -> bool {
    let reorders = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(character, '\u{2028}' | '\u{2029}');
    let nonsense = matches!(character, '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    !(character.is_control() || reorders || breaks || nonsense)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn phone(text: &str) -> Result<String, InvalidField> {
        PhoneNumber::parse(text).map(|number| number.as_str().to_owned())
    }

    fn email(text: &str) -> Result<String, InvalidField> {
        EmailAddress::parse(text).map(|address| address.as_str().to_owned())
    }

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
            ("\u{202e}ittehcraM", InvalidField::NameNotPlain),
        ] {
            assert_eq!(FullName::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(FullName::parse(&"a".repeat(101)), Err(InvalidField::NameTooLong));
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
            ("léa@example.fr", InvalidField::EmailBadCharacter),
            ("lea@exämple.fr", InvalidField::EmailBadCharacter),
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
    fn phone_numbers_are_read_as_people_write_them() {
        for (text, number) in [
            ("06 12 34 56 78", "+33612345678"),
            ("0612345678", "+33612345678"),
            ("06.12.34.56.78", "+33612345678"),
            ("06-12-34-56-78", "+33612345678"),
            ("06\u{a0}12\u{202f}34 56 78", "+33612345678"),
            ("01 42 68 53 00", "+33142685300"),
            ("+33 6 12 34 56 78", "+33612345678"),
            ("+33 (0)6 12 34 56 78", "+33612345678"),
            ("0033 6 12 34 56 78", "+33612345678"),
            ("0033 (0) 6 12 34 56 78", "+33612345678"),
            ("+32 470 12 34 56", "+32470123456"),
            ("0041 79 123 45 67", "+41791234567"),
            ("+1 (212) 555-0123", "+12125550123"),
            ("+49 30 901820", "+4930901820"),
            ("+687 75 12 34", "+687751234"),
            ("+689 87 12 34 56", "+68987123456"),
        ] {
            assert_eq!(phone(text), Ok(number.into()), "{text:?}");
        }
    }

    #[test]
    fn overseas_french_numbers_get_their_own_country_code() {
        for (text, number) in [
            ("0690 12 34 56", "+590690123456"), // Guadeloupe
            ("0590 12 34 56", "+590590123456"),
            ("0694 12 34 56", "+594694123456"), // Guyane
            ("0696 12 34 56", "+596696123456"), // Martinique
            ("0596 12 34 56", "+596596123456"),
            ("0692 12 34 56", "+262692123456"), // La Réunion
            ("0262 12 34 56", "+262262123456"),
            ("0639 12 34 56", "+262639123456"), // Mayotte
            ("0709 30 12 34", "+594709301234"),
            ("0709 36 12 34", "+262709361234"),
            ("0508 41 12 34", "+508411234"), // Saint-Pierre-et-Miquelon
            ("0708 40 12 34", "+508708401234"),
            ("0695 12 34 56", "+33695123456"), // mainland, between two overseas ranges
            ("0698 12 34 56", "+33698123456"),
            ("0593 12 34 56", "+33593123456"),
            ("+590 690 12 34 56", "+590690123456"),
            ("+590 (0)690 12 34 56", "+590690123456"),
            ("00 596 696 12 34 56", "+596696123456"),
            ("+262 692 12 34 56", "+262692123456"),
            ("+508 41 12 34", "+508411234"),
        ] {
            assert_eq!(phone(text), Ok(number.into()), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_number_is_told_what_is_wrong_with_it() {
        for (text, error) in [
            ("", InvalidField::PhoneMissing),
            (" \t", InvalidField::PhoneMissing),
            ("--", InvalidField::PhoneBadCharacter),
            ("demain", InvalidField::PhoneBadCharacter),
            ("06 12 34 56 78 poste 3", InvalidField::PhoneBadCharacter),
            ("06+12345678", InvalidField::PhoneBadCharacter),
            ("٠٦١٢٣٤٥٦٧٨", InvalidField::PhoneBadCharacter),
            ("06 12 34 56 7", InvalidField::PhoneTooShort),
            ("06 12 34 56 78 9", InvalidField::PhoneTooLong),
            ("6 12 34 56 78", InvalidField::PhoneWithoutCountry),
            ("33612345678", InvalidField::PhoneWithoutCountry),
            ("+33 6 12 34 56", InvalidField::PhoneTooShort),
            ("+33 6 12 34 56 78 90", InvalidField::PhoneTooLong),
            ("+33 0 0 6 12 34 56 7", InvalidField::PhoneUnknown),
            ("+0 6 12 34 56 78", InvalidField::PhoneUnknown),
            ("+", InvalidField::PhoneTooShort),
            ("+12345", InvalidField::PhoneTooShort),
            ("+1234567890123456", InvalidField::PhoneTooLong),
            ("000612345678", InvalidField::PhoneUnknown),
        ] {
            assert_eq!(phone(text), Err(error), "{text:?}");
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
        let phone = PhoneNumber::parse("0612345678").expect("a good number");
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
            if let Ok(number) = PhoneNumber::parse(&text) {
                let digits = number.as_str().strip_prefix('+').expect("E.164 begins with a plus");
                prop_assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(PhoneNumber::parse(number.as_str()), Ok(number));
            }
        }
    }
}
