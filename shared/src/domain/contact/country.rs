//! The countries of the world's telephone numbers: which digits are a number there, and how it is written.
//!
//! A row of the table is used where it lies: no map is built at a start, and a look at all of them takes microseconds.

use std::fmt;

use regex_lite::Regex;

use crate::domain::locale::Locale;

/// What `tools/dev/numbering/generate` made of the metadata of Google's libphonenumber, whose patterns are kept as they are.
const TABLE: &str = include_str!("numbering.tsv");

/// A country, or a network that belongs to none, with its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country {
    region: &'static str,
    french: &'static str,
    english: &'static str,
    zones: &'static str,
    pub(super) code: &'static str,
    abroad: &'static str,
    trunk: &'static str,
    transform: &'static str,
    numbers: &'static str,
    lengths: (usize, usize),
    own: &'static str,
    formats: &'static str,
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.region)
    }
}

impl Country {
    /// The country in which a time zone's clock hangs; France where a zone names no place.
    #[must_use]
    pub fn of_zone(zone: &str) -> Self {
        let there = |country: &Self| country.zones.split(' ').any(|name| name == zone);
        all().find(there).or_else(|| Self::of_region("FR")).unwrap_or(Self::NOWHERE)
    }

    /// The country of an ISO 3166 code.
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        all().find(|country| country.region == region)
    }

    /// The countries that share the calling code with which `digits` begin, the main one first.
    pub(super) fn called_by(digits: &str) -> Vec<Self> {
        let Some(first) = all().find(|country| digits.starts_with(country.code)) else { return Vec::new() };
        all().filter(|country| country.code == first.code).collect()
    }

    /// Its ISO 3166 code.
    #[must_use]
    pub const fn region(self) -> &'static str {
        self.region
    }

    /// Its name; empty for a network that belongs to none.
    #[must_use]
    pub const fn name(self, locale: Locale) -> &'static str {
        match locale {
            Locale::Fr => self.french,
            Locale::En => self.english,
        }
    }

    /// The shortest and the longest of its numbers, without calling code and trunk prefix.
    pub(super) const fn lengths(self) -> (usize, usize) {
        self.lengths
    }

    /// True if `digits`, without calling code and trunk prefix, are a number there.
    pub(super) fn has(self, digits: &str) -> bool {
        is(self.numbers, digits)
    }

    /// True if a number of a calling code that several share is this country's.
    pub(super) fn owns(self, digits: &str) -> bool {
        match self.own.strip_prefix('^') {
            Some(beginning) => begins(beginning, digits).is_some(),
            None => is(self.own, digits),
        }
    }

    /// What follows the prefix with which one calls another country from here.
    pub(super) fn without_prefix_abroad(self, digits: &str) -> Option<&str> {
        (!self.abroad.is_empty()).then(|| begins(self.abroad, digits)).flatten().map(|end| &digits[end..])
    }

    /// A national number without its trunk prefix, such as the 0 of `06 12 34 56 78`.
    pub(super) fn without_trunk(self, digits: &str) -> Option<String> {
        if self.trunk.is_empty() {
            return None;
        }
        let trunk = Regex::new(&format!("^(?:{})", self.trunk)).ok()?;
        let found = trunk.captures(digits)?;
        let end = found.get(0)?.end();
        // In some countries the prefix says more, and the number is put together anew from its parts.
        let transformed = found.len() > 1 && found.get(found.len() - 1).is_some() && !self.transform.is_empty();
        if transformed {
            Some(trunk.replace(digits, self.transform).into_owned())
        } else {
            Some(digits[end..].to_owned())
        }
    }

    /// A number in the groups in which it is read, for somebody abroad.
    pub(super) fn grouped(self, digits: &str) -> String {
        let parts: Vec<&str> = self.formats.split('\t').collect();
        let formats = parts.chunks_exact(3);
        for format in formats {
            let &[beginning, groups, shape] = format else { continue };
            if begins(beginning, digits).is_some()
                && let Ok(groups) = Regex::new(&format!("^(?:{groups})$"))
                && groups.is_match(digits)
            {
                return groups.replace(digits, shape).into_owned();
            }
        }
        digits.to_owned()
    }

    /// Knows no number at all.
    const NOWHERE: Self = Self {
        region: "",
        french: "",
        english: "",
        zones: "",
        code: "",
        abroad: "",
        trunk: "",
        transform: "",
        numbers: "",
        lengths: (0, 0),
        own: "",
        formats: "",
    };

    fn of_row(row: &'static str) -> Option<Self> {
        let mut cells = row.splitn(13, '\t');
        let mut cell = || cells.next();
        let (region, french, english, zones) = (cell()?, cell()?, cell()?, cell()?);
        let (code, abroad, plain_trunk, trunk, transform) = (cell()?, cell()?, cell()?, cell()?, cell()?);
        let (numbers, lengths, own) = (cell()?, cell()?, cell()?);
        let (least, most) = lengths.split_once('-')?;
        Some(Self {
            region,
            french,
            english,
            zones,
            code,
            abroad,
            trunk: if trunk.is_empty() { plain_trunk } else { trunk },
            transform,
            numbers,
            lengths: (least.parse().ok()?, most.parse().ok()?),
            own,
            formats: cell().unwrap_or_default(),
        })
    }
}

fn all() -> impl Iterator<Item = Country> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(Country::of_row)
}

/// True if the whole of `digits` is what the pattern says; never for an empty one.
fn is(pattern: &str, digits: &str) -> bool {
    !pattern.is_empty() && Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|whole| whole.is_match(digits))
}

/// Where the beginning of `digits` that the pattern describes ends.
fn begins(pattern: &str, digits: &str) -> Option<usize> {
    let beginning = Regex::new(&format!("^(?:{pattern})")).ok()?;
    beginning.find(digits).map(|found| found.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_and_every_pattern_is_one() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!((rows, all().count()), (254, 254));
        for country in all() {
            let parts: Vec<&str> = country.formats.split('\t').collect();
            assert!(country.formats.is_empty() || parts.len().is_multiple_of(3), "{country:?}");
            let of_formats = parts.chunks_exact(3).flat_map(|format| &format[..2]);
            for pattern in [country.abroad, country.trunk, country.numbers, country.own.trim_start_matches('^')]
                .iter()
                .chain(of_formats)
            {
                assert!(Regex::new(&format!("^(?:{pattern})$")).is_ok(), "{country:?}: {pattern}");
            }
            let named = !country.french.is_empty() && !country.english.is_empty();
            assert_eq!(named, country.region != "001", "{country:?}");
        }
    }

    #[test]
    fn a_zone_is_in_a_country() {
        for (zone, region) in [
            ("Europe/Paris", "FR"),
            ("Europe/Brussels", "BE"),
            ("Europe/Zurich", "CH"),
            ("Europe/Amsterdam", "NL"),
            ("Europe/Monaco", "MC"),
            ("Africa/Casablanca", "MA"),
            ("Europe/Kiev", "UA"),
            ("Asia/Calcutta", "IN"),
            ("US/Eastern", "US"),
            ("America/Montreal", "CA"),
            ("America/Miquelon", "PM"),
            ("Indian/Reunion", "RE"),
            ("Pacific/Noumea", "NC"),
            ("UTC", "FR"),
            ("Etc/GMT+5", "FR"),
        ] {
            assert_eq!(Country::of_zone(zone).region(), region, "{zone}");
        }
        assert_eq!(Country::of_zone("Europe/Brussels").name(Locale::Fr), "Belgique");
    }

    #[test]
    fn every_zone_that_an_artist_may_choose_has_its_country() {
        // No country's clock, or nobody lives there who has a number of the place.
        let placeless = [
            "Etc/",
            "Antarctica/",
            "Atlantic/South_Georgia",
            "Indian/Kerguelen",
            "Pacific/Midway",
            "Pacific/Pitcairn",
            "Pacific/Wake",
        ];
        let lost: Vec<String> = jiff::tz::db()
            .available()
            .map(|zone| zone.to_string())
            .filter(|zone| zone.contains('/') && !placeless.iter().any(|prefix| zone.starts_with(prefix)))
            .filter(|zone| !all().any(|country| country.zones.split(' ').any(|name| name == zone)))
            .collect();
        assert_eq!(lost, Vec::<String>::new());
    }
}
