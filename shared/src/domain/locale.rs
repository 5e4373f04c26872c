//! The two languages of InkFlow.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::money::Cents;

/// The language a person reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "String")]
#[derive(schemars::JsonSchema)]
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
