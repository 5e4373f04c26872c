//! Telephone numbers: read as people write them where the artist is, kept as they are dialled from anywhere.

use super::country::Country;
use super::{InvalidField, PhoneNumber};
use crate::domain::text::{digit, visible};

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

/// More than any way to write a number has.
const MOST_DIGITS: usize = 40;

/// Where that plan is dialled.
const FRENCH: [&str; 9] = ["FR", "GP", "MF", "BL", "MQ", "GF", "RE", "YT", "PM"];

impl PhoneNumber {
    /// Reads a number of `home`, where the artist is, or one with its country code.
    pub fn parse(text: &str, home: Country) -> Result<Self, InvalidField> {
        Typed::read(text)?.understood(home)
    }

    /// What is wrong with a number wherever the artist is; none while that may depend on it.
    #[must_use]
    pub fn flaw_anywhere(text: &str) -> Option<InvalidField> {
        let typed = match Typed::read(text) {
            Ok(typed) => typed,
            Err(error) => return Some(error),
        };
        if typed.has_plus { international(&typed.digits, typed.bracketed_zero).err() } else { None }
    }

    /// The number in groups behind its country code, as somebody reads it aloud: `+33 6 12 34 56 78`.
    #[must_use]
    pub fn written(&self) -> String {
        let Some((main, number)) = self.parts() else { return self.0.clone() };
        format!("+{} {}", main.code, main.grouped(number))
    }

    /// Whose number it is; none where several countries share a code and none of them claims it.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        let (main, number) = self.parts()?;
        match &Country::called_by(main.code)[..] {
            [only] => Some(*only),
            several => several.iter().find(|country| country.owns(number)).copied(),
        }
        .filter(|country| country.region() != "001")
    }

    fn parts(&self) -> Option<(Country, &str)> {
        let digits = self.0.strip_prefix('+')?;
        let main = *Country::called_by(digits).first()?;
        Some((main, &digits[main.code.len()..]))
    }
}

/// The digits of what was typed, and what else matters in it.
struct Typed {
    has_plus: bool,
    digits: String,
    /// Where a 0 stands in brackets, which says "not from abroad".
    bracketed_zero: Option<usize>,
}

impl Typed {
    fn read(text: &str) -> Result<Self, InvalidField> {
        let text = visible(text);
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidField::PhoneMissing);
        }
        let mut typed = Self { has_plus: false, digits: String::with_capacity(16), bracketed_zero: None };
        // What the brackets that are open hold so far.
        let mut inside: Option<String> = None;
        for character in text.chars() {
            match character {
                '+' | '\u{ff0b}' if !typed.has_plus && typed.digits.is_empty() => typed.has_plus = true,
                '(' | '[' => inside = Some(String::new()),
                ')' | ']' => {
                    if inside.take().as_deref() == Some("0") {
                        typed.bracketed_zero = Some(typed.digits.len() - 1);
                    }
                }
                '.' | '-' | '/' | '\u{b7}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => {}
                space if space.is_whitespace() => {}
                other => {
                    let digit = digit(other).ok_or(InvalidField::PhoneBadCharacter)?;
                    typed.digits.push(digit);
                    if typed.digits.len() > MOST_DIGITS {
                        return Err(InvalidField::PhoneTooLong);
                    }
                    if let Some(inside) = &mut inside {
                        inside.push(digit);
                    }
                }
            }
        }
        if typed.digits.is_empty() && !typed.has_plus {
            return Err(InvalidField::PhoneBadCharacter);
        }
        Ok(typed)
    }

    fn understood(&self, home: Country) -> Result<PhoneNumber, InvalidField> {
        if self.has_plus {
            return international(&self.digits, self.bracketed_zero);
        }
        let from_abroad = home
            .without_prefix_abroad(&self.digits)
            .filter(|rest| !rest.starts_with('0'))
            .or_else(|| self.digits.strip_prefix("00"));
        if let Some(rest) = from_abroad {
            let before = self.digits.len() - rest.len();
            return international(rest, self.bracketed_zero.and_then(|place| place.checked_sub(before)));
        }
        let national = national(&self.digits, home);
        // Some leave the plus away. Their own country's code is believed where nothing else makes sense.
        if national.is_err() && self.digits.starts_with(home.code) {
            return international(&self.digits, self.bracketed_zero).or(national);
        }
        national
    }
}

/// Reads what follows the plus.
fn international(digits: &str, bracketed_zero: Option<usize>) -> Result<PhoneNumber, InvalidField> {
    let countries = Country::called_by(digits);
    let Some(main) = countries.first() else {
        return Err(if digits.is_empty() { InvalidField::PhoneTooShort } else { InvalidField::PhoneUnknown });
    };
    let behind = &digits[main.code.len()..];
    let unbracketed = bracketed_zero.and_then(|place| place.checked_sub(main.code.len())).map(|place| {
        let mut without = behind.to_owned();
        without.remove(place);
        without
    });
    unbracketed
        .iter()
        .map(String::as_str)
        .chain([behind])
        .find_map(|number| number_of(&countries, *main, number))
        .ok_or_else(|| complaint(&countries, unbracketed.as_deref().unwrap_or(behind), InvalidField::PhoneUnknown))
}

/// Reads a number as it is dialled at home.
fn national(digits: &str, home: Country) -> Result<PhoneNumber, InvalidField> {
    if digits.len() == 10 && FRENCH.contains(&home.region()) {
        if let Some((_, code)) = OVERSEAS.iter().find(|(prefix, _)| digits.starts_with(prefix)) {
            // Landlines of Saint-Pierre-et-Miquelon are the six digits behind the prefix.
            return international(&format!("{code}{}", digits.strip_prefix("0508").unwrap_or(&digits[1..])), None);
        }
        if let Some(number) = digits.strip_prefix('0') {
            return international(&format!("33{number}"), None).map_err(|_| InvalidField::PhoneNotHere);
        }
    }
    let mut countries = vec![home];
    countries.extend(Country::called_by(home.code).into_iter().filter(|other| *other != home));
    number_of(&countries, home, digits).ok_or_else(|| complaint(&[home], digits, InvalidField::PhoneNotHere))
}

/// The number that `digits` are in one of the countries, without the trunk prefix of `main` where they carry it.
fn number_of(countries: &[Country], main: Country, digits: &str) -> Option<PhoneNumber> {
    let exists = |number: &str| countries.iter().any(|country| country.has(number));
    let stripped = main.without_trunk(digits).filter(|rest| exists(rest) || !exists(digits));
    let number = stripped.as_deref().unwrap_or(digits);
    exists(number).then(|| PhoneNumber(format!("+{}{number}", main.code)))
}

/// What to say of a number that exists in none of the countries.
fn complaint(countries: &[Country], digits: &str, otherwise: InvalidField) -> InvalidField {
    let stripped = countries.first().and_then(|main| main.without_trunk(digits));
    let length = stripped.as_deref().unwrap_or(digits).len();
    let least = countries.iter().map(|country| country.lengths().0).min().unwrap_or_default();
    let most = countries.iter().map(|country| country.lengths().1).max().unwrap_or_default();
    if length < least {
        InvalidField::PhoneTooShort
    } else if length > most {
        InvalidField::PhoneTooLong
    } else {
        otherwise
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn phone(text: &str, zone: &str) -> Result<String, InvalidField> {
        PhoneNumber::parse(text, Country::of_zone(zone)).map(|number| number.as_str().to_owned())
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
            assert_eq!(phone(text, "Europe/Paris"), Ok(number.into()), "{text:?}");
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
            assert_eq!(phone(text, "Europe/Paris"), Ok(number.into()), "{text:?}");
        }
    }

    #[test]
    fn a_national_number_is_one_of_the_artists_country() {
        for (zone, text, number) in [
            ("Europe/Brussels", "0450 00 12 34", "+32450001234"),
            ("Europe/Brussels", "02 512 34 56", "+3225123456"),
            ("Europe/Zurich", "078 123 45 67", "+41781234567"),
            ("Europe/Amsterdam", "06 12345678", "+31612345678"),
            ("Europe/Rome", "02 1234 5678", "+390212345678"),
            ("Europe/Rome", "347 123 4567", "+393471234567"),
            ("Africa/Casablanca", "06 50 12 34 56", "+212650123456"),
            ("Africa/Algiers", "0551 23 45 67", "+213551234567"),
            ("Europe/Luxembourg", "621 123 456", "+352621123456"),
            ("Europe/London", "07400 123456", "+447400123456"),
            ("Europe/London", "00 33 6 12 34 56 78", "+33612345678"),
            ("America/New_York", "(212) 555-0123", "+12125550123"),
            ("America/New_York", "011 33 6 12 34 56 78", "+33612345678"),
            ("America/Montreal", "514 234 5678", "+15142345678"),
            ("Pacific/Noumea", "75.12.34", "+687751234"),
            ("Pacific/Tahiti", "87 12 34 56", "+68987123456"),
            ("Pacific/Wallis", "82 12 34", "+681821234"),
            ("America/Miquelon", "043 01 23", "+508430123"),
            ("America/Guadeloupe", "0690 12 34 56", "+590690123456"),
            ("America/Guadeloupe", "06 12 34 56 78", "+33612345678"),
            ("Indian/Mayotte", "0692 12 34 56", "+262692123456"),
            ("Europe/Paris", "6 12 34 56 78", "+33612345678"),
            ("Europe/Paris", "33612345678", "+33612345678"),
        ] {
            assert_eq!(phone(text, zone), Ok(number.into()), "{text:?} in {zone}");
        }
    }

    #[test]
    fn a_foreign_number_without_its_code_is_asked_for_it() {
        for (zone, text, error) in [
            ("Europe/Brussels", "06 12 34 56 78", InvalidField::PhoneNotHere),
            ("Europe/Paris", "02 512 34 56", InvalidField::PhoneTooShort),
            ("Europe/Paris", "75.12.34", InvalidField::PhoneTooShort),
            ("Europe/Paris", "07400 123456", InvalidField::PhoneTooLong),
            ("Europe/Paris", "030 901820", InvalidField::PhoneTooShort),
            ("Pacific/Noumea", "06 12 34 56 78", InvalidField::PhoneTooLong),
        ] {
            assert_eq!(phone(text, zone), Err(error), "{text:?} in {zone}");
        }
    }

    #[test]
    fn a_zero_in_brackets_is_for_those_who_call_from_the_same_country() {
        for (text, number) in [
            ("+41 (0)78 123 45 67", "+41781234567"),
            ("+32 (0)470 12 34 56", "+32470123456"),
            ("+44 (0)20 7946 0958", "+442079460958"),
            ("+212 (0)6 50 12 34 56", "+212650123456"),
            ("00 41 (0) 78 123 45 67", "+41781234567"),
            ("(+49) (0)30 901820", "+4930901820"),
            ("+377 06 12 34 56 78", "+377612345678"),
            ("+39 06 698 12345", "+390669812345"),
            ("+39 (0)6 698 12345", "+390669812345"),
            ("+378 (0)549 886377", "+3780549886377"),
            ("+34 (0)612 34 56 78", "+34612345678"),
        ] {
            assert_eq!(phone(text, "Europe/Paris"), Ok(number.into()), "{text:?}");
        }
    }

    #[test]
    fn what_is_pasted_with_a_number_or_written_in_other_digits_is_no_fault() {
        for text in [
            "\u{202a}+33 6 12 34 56 78\u{202c}",
            "\u{200e}06 12 34 56 78",
            "\u{2066}+33612345678\u{2069}",
            "06\u{ad}12\u{ad}34\u{ad}56\u{ad}78",
            "0612345678\u{feff}",
            "+33\u{fe0d}-6-12-34-56-78",
            "０６１２３４５６７８",
            "＋３３６１２３４５６７８",
            "٠٦١٢٣٤٥٦٧٨",
            "(+33) 6.12.34.56.78",
            "06\u{2011}12\u{2011}34\u{2011}56\u{2011}78",
        ] {
            assert_eq!(phone(text, "Europe/Paris"), Ok("+33612345678".into()), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_number_is_told_what_is_wrong_with_it() {
        for (text, error) in [
            ("", InvalidField::PhoneMissing),
            (" \t", InvalidField::PhoneMissing),
            ("\u{200b}\u{200e}", InvalidField::PhoneMissing),
            ("--", InvalidField::PhoneBadCharacter),
            ("demain", InvalidField::PhoneBadCharacter),
            ("06 12 34 56 78 poste 3", InvalidField::PhoneBadCharacter),
            ("06+12345678", InvalidField::PhoneBadCharacter),
            ("06 12 34 56 7", InvalidField::PhoneTooShort),
            ("06 12 34 56 78 9", InvalidField::PhoneTooLong),
            ("00 00 00 00 00", InvalidField::PhoneUnknown),
            ("+33 6 12 34 56", InvalidField::PhoneTooShort),
            ("+33 6 12 34 56 78 90", InvalidField::PhoneTooLong),
            ("+33 0 0 6 12 34 56 7", InvalidField::PhoneUnknown),
            ("+0 6 12 34 56 78", InvalidField::PhoneUnknown),
            ("+", InvalidField::PhoneTooShort),
            ("+12345", InvalidField::PhoneTooShort),
            ("+1555123", InvalidField::PhoneTooShort),
            ("+70810810880", InvalidField::PhoneUnknown),
            ("+210 1234567", InvalidField::PhoneUnknown),
            ("+999 12345678", InvalidField::PhoneUnknown),
            ("+1234567890123456", InvalidField::PhoneTooLong),
            ("000612345678", InvalidField::PhoneUnknown),
        ] {
            assert_eq!(phone(text, "Europe/Paris"), Err(error), "{text:?}");
        }
    }

    #[test]
    fn what_can_be_said_without_knowing_where_is_said() {
        assert_eq!(PhoneNumber::flaw_anywhere("demain"), Some(InvalidField::PhoneBadCharacter));
        assert_eq!(PhoneNumber::flaw_anywhere("+999 12345678"), Some(InvalidField::PhoneUnknown));
        for text in ["+41 78 123 45 67", "078 123 45 67", "75.12.34"] {
            assert_eq!(PhoneNumber::flaw_anywhere(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_is_read_back_in_groups_with_its_country() {
        for (number, written, country) in [
            ("+33612345678", "+33 6 12 34 56 78", Some("FR")),
            ("+32470123456", "+32 470 12 34 56", Some("BE")),
            ("+12125550123", "+1 212-555-0123", Some("US")),
            ("+15142345678", "+1 514-234-5678", Some("CA")),
            ("+262639012345", "+262 639 01 23 45", Some("YT")),
            ("+262692123456", "+262 692 12 34 56", Some("RE")),
            ("+77012345678", "+7 701 234 5678", Some("KZ")),
            ("+80012345678", "+800 1234 5678", None),
        ] {
            let number = PhoneNumber::from_stored(number.to_owned());
            assert_eq!((number.written().as_str(), number.country().map(Country::region)), (written, country));
        }
        // Stored before the rule was as strict.
        for (number, written) in [("+410781234567", "+41 0781234567"), ("+999123", "+999123"), ("06", "06"), ("", "")] {
            assert_eq!(PhoneNumber::from_stored(number.to_owned()).written(), written);
        }
    }

    /// `tests/data/phone_examples.tsv` is what libphonenumber says of its own example numbers: landline and mobile of
    /// each of its 245 countries and territories.
    #[test]
    fn every_countrys_numbers_are_read_as_the_library_reads_them() {
        let examples = include_str!("../../../tests/data/phone_examples.tsv");
        let mut trunks = HashSet::new();
        for line in examples.lines() {
            let cells: Vec<&str> = line.split('\t').collect();
            let [region, country, number, written, national] = cells[..] else { panic!("{line}") };
            let home = Country::of_region(region).expect("a country");
            let abroad = Country::of_zone("Europe/Paris");
            let code = home.code;
            let behind = number.strip_prefix(&format!("+{code}")).expect("its own code");
            let mut forms = vec![
                (number.to_owned(), abroad),
                (written.to_owned(), abroad),
                (written.replace(' ', "."), abroad),
                (written.replace(' ', "\u{a0}-\u{a0}"), abroad),
                (format!("00{}", &number[1..]), abroad),
                (format!("(+{code}) {behind}"), abroad),
                (national.to_owned(), home),
                (national.replace([' ', '-'], "."), home),
                (written.to_owned(), home),
            ];
            // Where the 0 belongs to the number, nobody puts it in brackets but in Italy, of which another test speaks.
            if national.starts_with('0') && !behind.starts_with('0') {
                trunks.insert(region);
                forms.push((format!("+{code} (0){behind}"), abroad));
            }
            for (text, home) in forms {
                let read = PhoneNumber::parse(&text, home);
                let Ok(read) = read else { panic!("{region}: {text} in {home:?}: {read:?}") };
                assert_eq!(read.as_str(), number, "{region}: {text} in {home:?}");
                assert_eq!(read.written(), written, "{region}: {text}");
                assert_eq!(read.country().map(Country::region), Some(country), "{region}: {text}");
            }
        }
        assert_eq!((examples.lines().count(), trunks.len()), (489, 104));
    }

    /// `tests/data/phone_impossible.txt` is made by chance; libphonenumber calls each of them impossible.
    #[test]
    fn no_impossible_number_is_taken() {
        for text in include_str!("../../../tests/data/phone_impossible.txt").lines() {
            let read = PhoneNumber::parse(text, Country::of_zone("Europe/Paris"));
            assert!(read.is_err(), "{text} became {:?}", read.map(|number| number.as_str().to_owned()));
        }
    }
}
