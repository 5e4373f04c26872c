//! What a client tells about themselves, parsed once and trusted afterwards.
//! Personal data: `Debug` never prints it, so that no log can.

use std::fmt;

// What a client wants drawn.
mod brief;

// Whose numbers are which.
mod country;

// E-mail addresses.
mod email;

// Addresses of sites, where a name or a title should be.
mod link;

// Names.
mod name;

// Telephone numbers.
mod phone;

// What can be wrong.
mod wrong;

pub use brief::ProjectBrief;
pub use country::Country;
pub use link::{holds_link, without_links};
pub use wrong::InvalidField;

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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::locale::Locale;
    use crate::domain::money::Cents;

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
    fn every_error_has_a_sentence_of_its_own_in_both_languages() {
        let sentences: HashSet<_> = InvalidField::ALL.iter().map(|error| error.sentence(Locale::Fr)).collect();
        assert_eq!(sentences.len(), InvalidField::ALL.len());
        for error in InvalidField::ALL {
            let (fr, en) = (error.sentence(Locale::Fr), error.sentence(Locale::En));
            assert!(fr.ends_with('.') && en.ends_with('.') && fr != en, "{fr}");
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
