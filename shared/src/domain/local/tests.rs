use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

/// The zones that an artist may choose.
fn zones() -> Vec<String> {
    jiff::tz::db().available().map(|name| name.to_string()).filter(|name| name.contains('/') || name == "UTC").collect()
}

#[test]
fn a_time_is_written_as_the_studio_s_clock_shows_it() {
    for (name, instant, written) in [
        ("Europe/Paris", "2026-12-01T13:00:00Z", "2026-12-01T14:00:00+01:00"),
        ("Pacific/Noumea", "2026-08-31T23:30:00Z", "2026-09-01T10:30:00+11:00"),
        ("UTC", "2026-12-01T13:00:00Z", "2026-12-01T13:00:00+00:00"),
        // Rules of 2026 that older tables do not have.
        ("America/Vancouver", "2027-01-15T18:00:00Z", "2027-01-15T11:00:00-07:00"),
        ("America/Winnipeg", "2027-01-15T18:00:00Z", "2027-01-15T13:00:00-05:00"),
        ("Africa/Casablanca", "2026-12-31T23:30:00Z", "2026-12-31T23:30:00+00:00"),
    ] {
        let time = LocalTime::of(at(instant), &zone(name));
        assert_eq!(time.to_string(), written, "{name}");
        assert_eq!(serde_json::json!(time), written);
        assert_eq!(time.date().to_string(), written[..10]);
        assert_eq!(at(written), time.instant(), "it is the instant as well");
    }
}

#[test]
fn the_hour_that_comes_twice_is_told_apart() {
    let turns = |name: &str, first: &str, second: &str| {
        [first, second].map(|instant| Turn::of(at(instant), &zone(name)).map(|turn| turn.to_string()))
    };
    let [summer, winter] = ["summer", "winter"].map(|turn| Some(turn.to_owned()));
    assert_eq!(turns("Europe/Paris", "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"), [summer.clone(), winter.clone()]);
    assert_eq!(
        turns("Europe/Dublin", "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"),
        [summer.clone(), winter.clone()]
    );
    assert_eq!(
        turns("America/New_York", "2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z"),
        [summer.clone(), winter.clone()]
    );
    // Half an hour, in the southern autumn.
    assert_eq!(turns("Australia/Lord_Howe", "2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z"), [summer, winter]);
    // Samoa's Apia had its summer time for the last time in 2021; Kazakhstan came to one offset in 2024.
    let [five, six] = ["UTC+5", "UTC+6"].map(|turn| Some(turn.to_owned()));
    assert_eq!(turns("Asia/Almaty", "2024-02-29T17:30:00Z", "2024-02-29T18:30:00Z"), [six, five]);
    // Before, after, and when clocks are put forward.
    assert_eq!(turns("Europe/Paris", "2027-10-30T23:59:59Z", "2027-10-31T02:00:00Z"), [None, None]);
    assert_eq!(turns("Europe/Paris", "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z"), [None, None]);
    assert_eq!(Turn::of(at("2027-10-31T00:30:00Z"), &TimeZone::UTC), None);
}

#[test]
fn no_two_instants_of_any_night_are_told_alike() {
    // Every change of clocks of the next years, in steps of a quarter of an hour.
    for name in zones() {
        let zone = zone(&name);
        let changes = zone
            .following(at("2026-06-01T00:00:00Z"))
            .take_while(|change| change.timestamp() < at("2030-01-01T00:00:00Z"));
        for change in changes {
            let mut told = std::collections::BTreeSet::new();
            for quarter in -16..16 {
                let instant = change.timestamp() + jiff::SignedDuration::from_mins(15 * quarter);
                let turn = Turn::of(instant, &zone).map(|turn| turn.words(Locale::Fr));
                assert!(
                    told.insert((LocalTime::of(instant, &zone).wall(), turn)),
                    "{name}: {instant} is told as another instant"
                );
            }
        }
    }
}

#[test]
fn a_turn_is_said_in_words() {
    let offset = |seconds| Turn::Offset(Offset::from_seconds(seconds).expect("an offset"));
    for (turn, fr, en) in [
        (Turn::Summer, "heure d’été", "summer time"),
        (Turn::Winter, "heure d’hiver", "winter time"),
        (offset(7_200), "UTC+2", "UTC+2"),
        (offset(-12_600), "UTC−3:30", "UTC−3:30"),
        (offset(0), "UTC+0", "UTC+0"),
    ] {
        assert_eq!((turn.words(Locale::Fr).as_str(), turn.words(Locale::En).as_str()), (fr, en));
    }
}

#[test]
fn a_clock_is_called_by_its_place_in_french_and_in_english() {
    for (name, fr, en) in [
        ("Europe/Paris", "heure de Paris", "Paris time"),
        ("Europe/Brussels", "heure de Bruxelles", "Brussels time"),
        ("Europe/Amsterdam", "heure d’Amsterdam", "Amsterdam time"),
        ("Europe/Athens", "heure d’Athènes", "Athens time"),
        ("Europe/Kyiv", "heure de Kyiv", "Kyiv time"),
        ("Europe/Kiev", "heure de Kyiv", "Kyiv time"),
        ("Europe/Isle_of_Man", "heure de l’île de Man", "Isle of Man time"),
        ("Africa/Cairo", "heure du Caire", "Cairo time"),
        ("Africa/Ouagadougou", "heure de Ouagadougou", "Ouagadougou time"),
        ("America/New_York", "heure de New York", "New York time"),
        ("America/Argentina/Salta", "heure de Salta", "Salta time"),
        ("America/Martinique", "heure de la Martinique", "Martinique time"),
        ("America/Guadeloupe", "heure de la Guadeloupe", "Guadeloupe time"),
        ("America/Cayenne", "heure de Cayenne", "Cayenne time"),
        ("America/Montreal", "heure de Montréal", "Montreal time"),
        ("America/Havana", "heure de La Havane", "Havana time"),
        ("America/Port_of_Spain", "heure de Port-d’Espagne", "Port of Spain time"),
        ("America/St_Johns", "heure de Saint-Jean de Terre-Neuve", "St. John’s time"),
        ("Asia/Ho_Chi_Minh", "heure de Hô-Chi-Minh-Ville", "Ho Chi Minh City time"),
        ("Asia/Saigon", "heure de Hô-Chi-Minh-Ville", "Ho Chi Minh City time"),
        ("Asia/Hong_Kong", "heure de Hong Kong", "Hong Kong time"),
        ("Atlantic/Azores", "heure des Açores", "Azores time"),
        ("Indian/Reunion", "heure de La Réunion", "Réunion time"),
        ("Indian/Mayotte", "heure de Mayotte", "Mayotte time"),
        ("Pacific/Noumea", "heure de Nouméa", "Nouméa time"),
        ("Pacific/Wallis", "heure de Wallis-et-Futuna", "Wallis & Futuna time"),
        ("US/Eastern", "heure de New York", "New York time"),
        ("Etc/GMT+5", "UTC−5", "UTC−5"),
        ("UTC", "UTC", "UTC"),
    ] {
        let clock = StudioClock::of(&zone(name));
        assert_eq!((clock.timezone_fr.as_str(), clock.timezone_en.as_str()), (fr, en), "{name}");
    }
}

#[test]
fn every_zone_that_an_artist_may_choose_has_a_name_for_people() {
    assert!(places::PLACES.is_sorted_by(|(zone, ..), (next, ..)| zone < next), "they are searched by halves");
    for name in zones() {
        let StudioClock { timezone_fr: fr, timezone_en: en, .. } = StudioClock::of(&zone(&name));
        for label in [&fr, &en] {
            assert!(!label.contains(['_', '/', '[', '(']), "{name}: {label}");
        }
        let is_place = !(fr.starts_with("UTC") || fr == name);
        assert_eq!(is_place, !(name.starts_with("Etc/") || name == "UTC"), "{name}: {fr}");
        let elided = ["d’", "l’"].iter().any(|article| fr.contains(article));
        let before_a_vowel = fr
            .split(' ')
            .zip(fr.split(' ').skip(1))
            .any(|(word, next)| word == "de" && next.starts_with(['A', 'E', 'I', 'U', 'É', 'Î', 'Ü']) && !elided);
        assert!(!before_a_vowel, "{name}: {fr}");
    }
}
