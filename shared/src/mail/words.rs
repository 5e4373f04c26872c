//! How dates, spans and names are written in each language. Pure text; no template and no markup.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::domain::local::{LocalTime, Turn};
use crate::domain::locale::Locale;
use crate::domain::text::unstrayed;

/// The text on one line: no line break, no control character, none that reverses the reading order.
pub(crate) fn one_line(text: &str) -> String {
    let plain = |character: char| if splits(character) { ' ' } else { character };
    // Not split_whitespace: no-break spaces are wanted where they are. What is not seen goes, and leaves no space.
    let words = unstrayed(text).chars().map(plain).collect::<String>();
    words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The text line by line, each as [`one_line`] gives it, without empty lines.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).map(one_line).filter(|line| !line.is_empty()).collect()
}

/// At most `most` characters, with an ellipsis where some are left out.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn splits(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// `mardi 1er décembre 2026 à 14 h 00`, `Tuesday 1 December 2026 at 14:00`, on the clock of `zone`; an hour that comes
/// twice that night with which of the two it is.
pub(crate) fn moment(instant: Timestamp, zone: &TimeZone, locale: Locale) -> String {
    let local = LocalTime::of(instant, zone).wall();
    let (day, year, hour, minute) = (local.day(), local.year(), local.hour(), local.minute());
    let weekday = weekday(local.weekday(), locale);
    let month = month(local.month(), locale);
    let moment = match locale {
        Locale::Fr => {
            let day = if day == 1 { "1er".to_owned() } else { day.to_string() };
            format!("{weekday} {day}\u{a0}{month} {year} à {hour}\u{a0}h\u{a0}{minute:02}")
        }
        Locale::En => format!("{weekday} {day}\u{a0}{month} {year} at {hour:02}:{minute:02}"),
    };
    match Turn::of(instant, zone) {
        Some(turn) => format!("{moment} {}", turn.words(locale)),
        None => moment,
    }
}

/// `14 h 00`, `14:00`, on the clock of `zone`.
pub(crate) fn clock(instant: Timestamp, zone: &TimeZone, locale: Locale) -> String {
    let local = instant.to_zoned(zone.clone());
    let (hour, minute) = (local.hour(), local.minute());
    locale.pick(format!("{hour}\u{a0}h\u{a0}{minute:02}"), format!("{hour:02}:{minute:02}"))
}

/// `45 min`, `2 h`, `2 h 30`, with no-break spaces.
pub(super) fn span(starts_at: Timestamp, ends_at: Timestamp, locale: Locale) -> String {
    let minutes = ends_at.duration_since(starts_at).as_mins().max(0);
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}\u{a0}min"),
        (hours, 0) => format!("{hours}\u{a0}h"),
        (hours, minutes) => locale
            .pick(format!("{hours}\u{a0}h\u{a0}{minutes:02}"), format!("{hours}\u{a0}h\u{a0}{minutes:02}\u{a0}min")),
    }
}

fn weekday(day: Weekday, locale: Locale) -> &'static str {
    match day {
        Weekday::Monday => locale.pick("lundi", "Monday"),
        Weekday::Tuesday => locale.pick("mardi", "Tuesday"),
        Weekday::Wednesday => locale.pick("mercredi", "Wednesday"),
        Weekday::Thursday => locale.pick("jeudi", "Thursday"),
        Weekday::Friday => locale.pick("vendredi", "Friday"),
        Weekday::Saturday => locale.pick("samedi", "Saturday"),
        Weekday::Sunday => locale.pick("dimanche", "Sunday"),
    }
}

fn month(month: i8, locale: Locale) -> &'static str {
    const FR: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    const EN: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let index = usize::try_from(month).unwrap_or(1).saturating_sub(1);
    locale.pick(FR, EN).get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    #[test]
    fn a_moment_is_on_the_clock_of_the_zone() {
        let instant = at("2026-12-01T13:00:00Z");
        let paris = zone("Europe/Paris");
        assert_eq!(moment(instant, &paris, Locale::Fr), "mardi 1er\u{a0}décembre 2026 à 14\u{a0}h\u{a0}00");
        assert_eq!(moment(instant, &paris, Locale::En), "Tuesday 1\u{a0}December 2026 at 14:00");
        // Half past two in the night when the clocks go back, the first and the second time.
        for (instant, fr, en) in [
            ("2026-10-25T00:30:00Z", "heure d’été", "summer time"),
            ("2026-10-25T01:30:00Z", "heure d’hiver", "winter time"),
        ] {
            let text = moment(at(instant), &paris, Locale::Fr);
            assert_eq!(text, format!("dimanche 25\u{a0}octobre 2026 à 2\u{a0}h\u{a0}30 {fr}"));
            let text = moment(at(instant), &paris, Locale::En);
            assert_eq!(text, format!("Sunday 25\u{a0}October 2026 at 02:30 {en}"));
        }
        let text = moment(at("2026-08-31T23:30:00Z"), &zone("Pacific/Noumea"), Locale::En);
        assert_eq!(text, "Tuesday 1\u{a0}September 2026 at 10:30");
    }

    #[test]
    fn a_span_is_short() {
        let start = at("2026-12-01T13:00:00Z");
        let until = |text: &str, locale| span(start, at(text), locale);
        assert_eq!(until("2026-12-01T13:45:00Z", Locale::Fr), "45\u{a0}min");
        assert_eq!(until("2026-12-01T15:00:00Z", Locale::En), "2\u{a0}h");
        assert_eq!(until("2026-12-01T15:05:00Z", Locale::Fr), "2\u{a0}h\u{a0}05");
        assert_eq!(until("2026-12-01T15:30:00Z", Locale::En), "2\u{a0}h\u{a0}30\u{a0}min");
    }

    #[test]
    fn one_line_is_one_line() {
        assert_eq!(one_line("Lé\u{200f}a\r\nBcc: x@y.z\u{2028}\u{202e}abc\0\t d"), "Léa Bcc: x@y.z abc d");
        assert_eq!(one_line("50\u{a0}€"), "50\u{a0}€");
        assert_eq!(lines(" a\r\n\r\nb\u{85}c "), ["a", "b", "c"]);
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("ab cdef", 4), "ab…");
    }
}
