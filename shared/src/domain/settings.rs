//! What artists set about their own page, parsed once: every rule of a field in one place, with words in both languages.
//!
//! Nothing here reaches a booking that is made: bookings carry their own price, deposit, times and policy.

use super::contact::holds_link;
use super::locale::Locale;
use super::text::{is_one_line, is_text, seen, unstrayed};

// Who the artist is.
pub mod profile;

// Deposit, slots, and what a cancellation costs.
pub mod rules;

// When the artist works.
pub mod hours;

// What is for sale.
pub mod flash;

// The way into Cal.com.
pub mod calendar;

/// A field that cannot be accepted, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Where, as a JSON pointer without its `#`, e.g. `/hours/2`.
    pub pointer: String,
    /// What is wrong and what would be right, in French.
    pub fr: String,
    /// The same in English.
    pub en: String,
    /// Values that would be accepted.
    pub suggestions: Vec<String>,
}

impl Flaw {
    /// What to say to the artist.
    #[must_use]
    pub fn sentence(&self, locale: Locale) -> &str {
        locale.pick(&self.fr, &self.en)
    }
}

/// Everything that is wrong with a request, so that the artist hears of all at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Flaws(Vec<Flaw>);

impl Flaws {
    /// Notes that the field at `pointer` is wrong.
    pub fn add(&mut self, pointer: impl Into<String>, fr: impl Into<String>, en: impl Into<String>) {
        self.0.push(Flaw { pointer: pointer.into(), fr: fr.into(), en: en.into(), suggestions: Vec::new() });
    }

    /// Notes that the field at `pointer` is wrong, and what would be right.
    pub fn add_with(&mut self, pointer: &str, (fr, en): (&str, &str), suggestions: Vec<String>) {
        self.0.push(Flaw { pointer: pointer.to_owned(), fr: fr.to_owned(), en: en.to_owned(), suggestions });
    }

    /// True while nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong, in the order in which it was found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Flaw> {
        self.0
    }

    /// A whole number between two bounds.
    fn number(&mut self, pointer: &str, given: Option<i64>, from: i64, to: i64) -> Option<i64> {
        match given {
            Some(number) if (from..=to).contains(&number) => return Some(number),
            Some(_) => self.add(
                pointer,
                format!("Indiquez un nombre entre {from} et {to}."),
                format!("Enter a number between {from} and {to}."),
            ),
            None => self.missing(pointer),
        }
        None
    }

    /// One line of text; `least` characters at the least.
    fn line(&mut self, pointer: &str, given: Option<&str>, least: usize, most: usize) -> Option<String> {
        let text = unstrayed(given.unwrap_or_default());
        let text = text.trim();
        let (visible, length) = (seen(text), text.chars().count());
        if visible < least {
            if visible == 0 {
                self.missing(pointer);
            } else {
                self.add(pointer, format!("{least} caractères au moins."), format!("At least {least} characters."));
            }
        } else if length > most {
            self.too_long(pointer, most);
        } else if !is_one_line(text) {
            self.add(
                pointer,
                "Ce texte contient un retour à la ligne ou un caractère invisible.",
                "This text contains a line break or an invisible character.",
            );
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// One line of text that mails show to people who did not choose it: without anything to follow.
    fn name(&mut self, pointer: &str, given: Option<&str>, least: usize, most: usize) -> Option<String> {
        let line = self.line(pointer, given, least, most)?;
        if holds_link(&line) {
            self.add(
                pointer,
                "Pas de lien ni d’adresse ici\u{a0}: retirez-les, ou mettez une espace après le point.",
                "No link and no address here: remove it, or put a space after the full stop.",
            );
            return None;
        }
        Some(line)
    }

    /// Some lines of text, perhaps none.
    fn lines(&mut self, pointer: &str, given: Option<&str>, most: usize) -> Option<String> {
        let text = unstrayed(given.unwrap_or_default()).trim().replace("\r\n", "\n");
        if text.chars().count() > most {
            self.too_long(pointer, most);
        } else if !is_text(&text) {
            self.add(
                pointer,
                "Ce texte contient un caractère invisible.",
                "This text contains an invisible character.",
            );
        } else {
            return Some(text);
        }
        None
    }

    fn missing(&mut self, pointer: &str) {
        self.add(pointer, "Ce champ est obligatoire.", "This field is required.");
    }

    fn too_long(&mut self, pointer: &str, most: usize) {
        self.add(pointer, format!("{most} caractères au plus."), format!("At most {most} characters."));
    }
}

#[cfg(test)]
pub(crate) fn pointers(flaws: &Flaws) -> Vec<&str> {
    flaws.0.iter().map(|flaw| flaw.pointer.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_within_its_bounds_or_says_them() {
        let mut flaws = Flaws::default();
        assert_eq!(flaws.number("/a", Some(0), 0, 100), Some(0));
        assert_eq!(flaws.number("/a", Some(100), 0, 100), Some(100));
        assert_eq!(flaws.number("/a", Some(101), 0, 100), None);
        assert_eq!(flaws.number("/b", Some(i64::MIN), 0, 100), None);
        assert_eq!(flaws.number("/c", None, 0, 100), None);
        assert_eq!(pointers(&flaws), ["/a", "/b", "/c"]);
        assert_eq!(flaws.0[0].sentence(Locale::Fr), "Indiquez un nombre entre 0 et 100.");
        assert_eq!(flaws.0[2].sentence(Locale::En), "This field is required.");
    }

    #[test]
    fn text_is_trimmed_counted_in_characters_and_plain() {
        let mut flaws = Flaws::default();
        assert_eq!(flaws.line("/a", Some("  Léa "), 1, 3), Some("Léa".to_owned()));
        assert_eq!(flaws.lines("/b", Some("a\r\nb"), 3), Some("a\nb".to_owned()));
        assert_eq!(flaws.lines("/b", None, 3), Some(String::new()));
        assert_eq!(flaws.line("/a", Some("\u{202e}L\u{ad}éa\u{200f}"), 1, 3), Some("Léa".to_owned()));
        assert!(flaws.is_empty());
        for (text, least, most) in [("", 1, 9), ("a", 2, 9), ("abcd", 1, 3), ("a\nb", 1, 9), ("\u{200d}\u{3164}", 1, 9)]
        {
            assert_eq!(flaws.line("/x", Some(text), least, most), None, "{text:?}");
        }
        assert_eq!(flaws.lines("/x", Some("a\u{0}b"), 9), None);
        assert_eq!(flaws.into_vec().len(), 6);
    }
}
