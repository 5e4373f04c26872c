//! Slots against an oracle that walks minute by minute, and the cases that booking systems get wrong.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
};

use jiff::{ToSpan, civil::date, tz};
use proptest::prelude::*;

use super::*;

const EVERY_DAY: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn hours(weekday: Weekday, opens: u16, closes: u16) -> OpeningHours {
    OpeningHours::new(weekday, opens, closes).expect("sensible hours")
}

fn daily(spans: &[(u16, u16)]) -> Vec<OpeningHours> {
    EVERY_DAY
        .into_iter()
        .flat_map(|weekday| spans.iter().map(move |&(opens, closes)| hours(weekday, opens, closes)))
        .collect()
}

fn schedule(zone_name: &str, hours: Vec<OpeningHours>, step_minutes: u32) -> Schedule {
    Schedule {
        zone: zone(zone_name),
        hours,
        closed: Vec::new(),
        busy: Vec::new(),
        held: Vec::new(),
        buffer_minutes: 0,
        notice_minutes: 0,
        step_minutes,
        horizon_days: A_CENTURY,
        calendar: None,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn between(start: &str, end: &str) -> Interval {
    Interval { start: at(start), end: at(end) }
}

const LONG_AGO: Timestamp = Timestamp::UNIX_EPOCH;

/// Books that are open further than any date of these tests is from [`LONG_AGO`].
const A_CENTURY: u32 = 36_525;

fn starts_on(schedule: &Schedule, date: Date, duration: u32) -> Vec<String> {
    let days = schedule.slots(date, 1, duration, LONG_AGO);
    assert_eq!(days.len(), 1);
    days[0].slots.iter().map(|slot| slot.start.to_string()).collect()
}

/// What the artist's clock shows at each minute of a stretch of time.
struct Minutes {
    first: i64,
    shown: Vec<Shown>,
}

/// One minute on a clock.
#[derive(Clone, Copy)]
struct Shown {
    date: Date,
    weekday: Weekday,
    minute: u32,
}

impl Minutes {
    /// The clock over `days` local dates, with some hours before and the longest appointment of these tests after.
    fn around(zone: &TimeZone, from: Date, days: u8) -> Self {
        let midnight = in_utc(from).expect("a date of this century");
        let first = (midnight.as_second() - i64::from(zone.to_offset(midnight).seconds())) / 60 - 180;
        let shown = (first..first + i64::from(days) * 1_440 + 360 + 400)
            .map(|minute| {
                let shown = zone.to_datetime(instant(minute));
                assert_eq!(shown.second(), 0, "no offset of these years has seconds");
                Shown {
                    date: shown.date(),
                    weekday: shown.date().weekday(),
                    minute: u32::from(shown.hour().unsigned_abs()) * 60 + u32::from(shown.minute().unsigned_abs()),
                }
            })
            .collect();
        Self { first, shown }
    }
}

fn instant(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).expect("within range")
}

/// The same answer as [`Schedule::slots`], found by asking about every single minute.
fn oracle(
    schedule: &Schedule,
    clock: &Minutes,
    from: Date,
    days: u8,
    duration: u32,
    now: Timestamp,
) -> BTreeMap<Date, Vec<Timestamp>> {
    let rows = |shown: Shown| {
        schedule.hours.iter().filter(move |row| {
            row.weekday == shown.weekday && u32::from(row.opens) <= shown.minute && shown.minute < u32::from(row.closes)
        })
    };
    let touches = |intervals: &[Interval], minute: i64| {
        intervals.iter().any(|interval| interval.start < instant(minute + 1) && instant(minute) < interval.end)
    };
    let open: Vec<bool> = clock.shown.iter().map(|&shown| rows(shown).next().is_some()).collect();
    let unlimited = schedule.hours.is_empty() && schedule.calendar.is_some();
    let earliest = now.as_second() + i64::from(schedule.notice_minutes) * 60;
    let buffer = i64::from(schedule.buffer_minutes);
    let last = from.checked_add(i64::from(days).days()).expect("a date of this century");
    let today = schedule.zone.to_datetime(now).date();
    let open_until = today.checked_add(i64::from(schedule.horizon_days).days()).expect("a date of two centuries");

    let mut found = BTreeMap::new();
    for (index, &shown) in clock.shown.iter().enumerate() {
        if shown.date < from || shown.date >= last {
            continue;
        }
        let minute = clock.first + i64::try_from(index).expect("few minutes");
        let offered = match &schedule.calendar {
            Some(calendar) => calendar.contains(&instant(minute)),
            None => rows(shown).any(|row| (shown.minute - u32::from(row.opens)) % schedule.step_minutes == 0),
        };
        let end = minute + i64::from(duration);
        if offered
            && minute * 60 >= earliest
            && shown.date <= open_until
            && (unlimited || open[index..index + duration as usize].iter().all(|&open| open))
            && !(minute..end).any(|inside| touches(&schedule.closed, inside))
            && !(minute - buffer..end + buffer).any(|inside| touches(&schedule.busy, inside))
        {
            found.entry(shown.date).or_insert_with(Vec::new).push(instant(minute));
        }
    }
    found
}

/// Compares with the oracle and checks what must hold of any answer.
fn check(
    schedule: &Schedule,
    clock: &Minutes,
    from: Date,
    days: u8,
    duration: u32,
    now: Timestamp,
) -> Result<Vec<Slot>, TestCaseError> {
    let listed = schedule.slots(from, days, duration, now);
    prop_assert_eq!(listed.len(), usize::from(days), "every date has its entry");
    let mut wanted = oracle(schedule, clock, from, days, duration, now);
    let mut seen = HashSet::new();
    for day in &listed {
        let starts: Vec<_> = day.slots.iter().map(|slot| slot.start).collect();
        prop_assert_eq!(&starts, &wanted.remove(&day.date).unwrap_or_default(), "{} for {} min", day.date, duration);
        prop_assert!(starts.is_sorted());
        for slot in &day.slots {
            prop_assert!(slot.start >= now, "{} is in the past", slot.start);
            prop_assert!(seen.insert(slot.start), "{} is listed twice", slot.start);
            prop_assert_eq!(slot.end.duration_since(slot.start), minutes(duration), "real minutes");
        }
    }
    prop_assert!(wanted.is_empty(), "dates that nobody asked for: {:?}", wanted.keys());
    Ok(listed.into_iter().flat_map(|day| day.slots).collect())
}

/// Accepting is listing: every minute of the local dates, and what lies between minutes, gets the same answer.
fn check_that_exactly_the_listed_starts_are_accepted(
    schedule: &Schedule,
    clock: &Minutes,
    dates: Range<Date>,
    listed: &[Slot],
    duration: u32,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let listed: BTreeMap<_, _> = listed.iter().map(|slot| (slot.start, *slot)).collect();
    for (minute, shown) in (clock.first..).zip(&clock.shown) {
        let start = instant(minute);
        if dates.contains(&shown.date) && (shown.minute % 5 == 0 || listed.contains_key(&start)) {
            prop_assert_eq!(schedule.accepts(start, duration, now).ok(), listed.get(&start).copied(), "{}", start);
            let odd = start.checked_add(SignedDuration::from_millis(1)).expect("within range");
            prop_assert!(schedule.accepts(odd, duration, now).is_err(), "{} is between minutes", odd);
        }
    }
    Ok(())
}

/// The instant of a change of clocks, and the offsets in seconds before and after.
type Change = (Timestamp, i32, i32);

/// The number of zones in the tz database, and a zone for each way the clocks change in 2020 to 2040.
fn every_change_of_clocks() -> (usize, BTreeMap<Change, (String, TimeZone)>) {
    let from = at("2020-01-01T00:00:00Z");
    let until = at("2041-01-01T00:00:00Z");
    let mut changes = BTreeMap::new();
    let mut zones = 0;
    for name in tz::db().available() {
        let zone = zone(name.as_str());
        zones += 1;
        let mut before = zone.to_offset(from).seconds();
        // Zones that change their clocks at the same instant in the same way share the days around it.
        for transition in zone.following(from).take_while(|transition| transition.timestamp() < until) {
            let after = transition.offset().seconds();
            if after != before {
                changes
                    .entry((transition.timestamp(), before, after))
                    .or_insert_with(|| (name.to_string(), zone.clone()));
            }
            before = after;
        }
    }
    (zones, changes)
}

#[test]
fn every_change_of_clocks_in_every_zone_from_2020_to_2040() {
    let (zones, changes) = every_change_of_clocks();
    assert!(zones > 500, "only {zones} zones: the tz database is not the whole one");
    assert!(changes.len() > 400, "only {} changes of clocks", changes.len());

    // Around the clock; short of the night and into it; hours that begin and end within the usual gap.
    let weeks = [daily(&[(0, 1440)]), daily(&[(0, 150), (1290, 1440)]), daily(&[(75, 180), (180, 600)])];
    for (index, ((change, ..), (name, zone))) in changes.iter().enumerate() {
        let from = zone.to_datetime(*change).date().yesterday().expect("a date of this century");
        let clock = Minutes::around(zone, from, 3);
        for (week, hours) in weeks.iter().enumerate() {
            let step = [60, 30, 45][(index + week) % 3];
            let duration = [60, 90, 45, 240][(index + week) % 4];
            let now = if week == 0 { *change } else { LONG_AGO };
            let schedule = Schedule { zone: zone.clone(), ..schedule("UTC", hours.clone(), step) };
            let listed = check(&schedule, &clock, from, 3, duration, now)
                .unwrap_or_else(|error| panic!("{name}, {change}, every {step} min: {error}"));
            let near = |slot: &&Slot| slot.start.duration_since(*change).abs() <= SignedDuration::from_hours(2);
            for slot in listed.iter().filter(near) {
                assert_eq!(schedule.accepts(slot.start, duration, now), Ok(*slot), "{name}");
            }
        }
    }
}

#[test]
fn every_zone_offers_the_hours_of_its_own_wall_clock() {
    for name in tz::db().available() {
        let schedule = schedule(name.as_str(), daily(&[(540, 1080)]), 60);
        // Monday 15 January and Monday 15 July 2024: far from any change of clocks but those of Ramadan.
        for date in [date(2024, 1, 15), date(2024, 7, 15)] {
            let days = schedule.slots(date, 1, 60, LONG_AGO);
            let shown: Vec<_> = days[0].slots.iter().map(|slot| schedule.zone.to_datetime(slot.start)).collect();
            let wanted: Vec<_> = (9..18).map(|hour| date.at(hour, 0, 0, 0)).collect();
            assert_eq!(shown, wanted, "{name}");
        }
    }
}

#[test]
fn nine_to_six_in_paris_begins_at_seven_utc_in_july() {
    let schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    let starts = starts_on(&schedule, date(2026, 7, 15), 60);
    assert_eq!(starts.first().map(String::as_str), Some("2026-07-15T07:00:00Z"));
    assert_eq!(starts.last().map(String::as_str), Some("2026-07-15T15:00:00Z"));
    assert_eq!(starts.len(), 9);

    let winter = starts_on(&schedule, date(2026, 1, 15), 60);
    assert_eq!(winter.first().map(String::as_str), Some("2026-01-15T08:00:00Z"));
}

#[test]
fn overseas_slots_are_on_their_own_day() {
    for (name, first) in [
        ("America/Martinique", "2026-11-24T13:00:00Z"),
        ("America/Guadeloupe", "2026-11-24T13:00:00Z"),
        ("America/Cayenne", "2026-11-24T12:00:00Z"),
        ("Indian/Reunion", "2026-11-24T05:00:00Z"),
        ("Indian/Mayotte", "2026-11-24T06:00:00Z"),
        ("Pacific/Noumea", "2026-11-23T22:00:00Z"),
        ("Pacific/Tahiti", "2026-11-24T19:00:00Z"),
        ("America/Miquelon", "2026-11-24T12:00:00Z"),
    ] {
        // Tuesday only: a day early or late would give nothing.
        let schedule = schedule(name, vec![hours(Weekday::Tuesday, 540, 1080)], 60);
        let days = schedule.slots(date(2026, 11, 23), 3, 60, LONG_AGO);
        assert!(days[0].slots.is_empty() && days[2].slots.is_empty(), "{name}");
        assert_eq!(days[1].date, date(2026, 11, 24));
        assert_eq!(days[1].slots[0].start, at(first), "{name}");
        assert_eq!(days[1].slots.len(), 9, "{name}");
    }
}

#[test]
fn in_spring_the_missing_hour_gives_no_slot_and_no_short_one() {
    // Paris, 29 March 2026: 02:00 to 03:00 does not exist.
    let schedule = schedule("Europe/Paris", daily(&[(60, 300)]), 30);
    let starts = starts_on(&schedule, date(2026, 3, 29), 60);
    assert_eq!(
        starts,
        [
            "2026-03-29T00:00:00Z", // 01:00
            "2026-03-29T00:30:00Z", // 01:30, an hour that ends at 03:30 on the clock
            "2026-03-29T01:00:00Z", // 03:00
            "2026-03-29T01:30:00Z",
            "2026-03-29T02:00:00Z", // 04:00
        ]
    );
    // The instant that a naive "02:30" falls on is 03:30, which is a slot of its own, listed once.
    let day = &schedule.slots(date(2026, 3, 29), 1, 60, LONG_AGO)[0];
    assert_eq!(day.slots.iter().filter(|slot| slot.start == at("2026-03-29T01:30:00Z")).count(), 1);
}

#[test]
fn hours_that_lie_in_the_missing_hour_give_nothing() {
    let schedule = schedule("Europe/Paris", daily(&[(120, 180)]), 15);
    assert_eq!(starts_on(&schedule, date(2026, 3, 29), 15), [""; 0]);
    assert_eq!(starts_on(&schedule, date(2026, 3, 30), 60), ["2026-03-30T00:00:00Z"]);
}

#[test]
fn in_autumn_the_repeated_hour_is_two_hours() {
    // Paris, 25 October 2026: 02:00 to 03:00 comes twice.
    let schedule = schedule("Europe/Paris", daily(&[(60, 240)]), 60);
    assert_eq!(
        starts_on(&schedule, date(2026, 10, 25), 60),
        [
            "2026-10-24T23:00:00Z", // 01:00
            "2026-10-25T00:00:00Z", // 02:00 in summer time
            "2026-10-25T01:00:00Z", // 02:00 in winter time
            "2026-10-25T02:00:00Z", // 03:00
        ]
    );
    // Three hours on the clock, four to work in.
    assert_eq!(starts_on(&schedule, date(2026, 10, 25), 240), ["2026-10-24T23:00:00Z"]);
    assert_eq!(starts_on(&schedule, date(2026, 10, 26), 240), [""; 0]);
}

#[test]
fn a_booking_in_one_of_the_repeated_hours_leaves_the_other_free() {
    let mut schedule = schedule("Europe/Paris", daily(&[(60, 240)]), 60);
    schedule.busy.push(between("2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"));
    assert_eq!(
        starts_on(&schedule, date(2026, 10, 25), 60),
        ["2026-10-24T23:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z",]
    );
}

#[test]
fn open_until_midnight_ends_at_midnight() {
    let schedule = schedule("Europe/Paris", vec![hours(Weekday::Tuesday, 1260, 1440)], 60);
    assert_eq!(
        starts_on(&schedule, date(2026, 11, 24), 60),
        [
            "2026-11-24T20:00:00Z",
            "2026-11-24T21:00:00Z",
            "2026-11-24T22:00:00Z", // 23:00 to 24:00
        ]
    );
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 61).len(), 2);
}

#[test]
fn open_until_one_minute_to_midnight_comes_to_an_end() {
    let schedule = schedule("Europe/Paris", daily(&[(1380, 1439)]), 15);
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 59), ["2026-11-24T22:00:00Z"]);
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60), [""; 0]);
    let around_the_clock = self::schedule("Europe/Paris", daily(&[(0, 1439)]), 1);
    assert_eq!(starts_on(&around_the_clock, date(2026, 11, 24), 1).len(), 1_439);
}

#[test]
fn an_opening_may_go_on_past_midnight() {
    let night = vec![hours(Weekday::Friday, 1200, 1440), hours(Weekday::Saturday, 0, 120)];
    let schedule = schedule("Europe/Paris", night, 60);
    // Friday 27 November 2026, four hours: 20:00, 21:00 and 22:00 (until 02:00).
    assert_eq!(
        starts_on(&schedule, date(2026, 11, 27), 240),
        ["2026-11-27T19:00:00Z", "2026-11-27T20:00:00Z", "2026-11-27T21:00:00Z",]
    );
    assert_eq!(starts_on(&schedule, date(2026, 11, 28), 60), ["2026-11-27T23:00:00Z", "2026-11-28T00:00:00Z"]);
}

#[test]
fn rows_that_touch_are_one_opening_and_a_lunch_break_is_none() {
    let touching = schedule("Europe/Paris", daily(&[(540, 720), (720, 900)]), 90);
    assert_eq!(starts_on(&touching, date(2026, 11, 24), 180).len(), 3); // 9:00, 10:30, 12:00
    let lunch = schedule("Europe/Paris", daily(&[(540, 720), (780, 900)]), 60);
    assert_eq!(
        starts_on(&lunch, date(2026, 11, 24), 120),
        ["2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T12:00:00Z",]
    );
}

#[test]
fn the_grid_counts_from_the_opening() {
    let schedule = schedule("Europe/Paris", daily(&[(555, 720)]), 60); // from 9:15
    assert_eq!(
        starts_on(&schedule, date(2026, 11, 24), 30),
        ["2026-11-24T08:15:00Z", "2026-11-24T09:15:00Z", "2026-11-24T10:15:00Z",]
    );
}

#[test]
fn a_slot_may_start_when_another_booking_ends() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 780)]), 60);
    schedule.busy.push(between("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"));
    assert_eq!(
        starts_on(&schedule, date(2026, 11, 24), 60),
        ["2026-11-24T08:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z",]
    );
    schedule.busy.clear();
    schedule.closed.push(between("2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"));
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60).len(), 3);
}

#[test]
fn a_pause_is_kept_on_both_sides_of_a_booking_but_not_of_time_off() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 900)]), 30);
    schedule.buffer_minutes = 30;
    schedule.busy.push(between("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"));
    assert_eq!(
        starts_on(&schedule, date(2026, 11, 24), 60),
        [
            "2026-11-24T08:00:00Z",
            "2026-11-24T08:30:00Z", // ends half an hour before
            "2026-11-24T11:30:00Z", // starts half an hour after
            "2026-11-24T12:00:00Z",
            "2026-11-24T12:30:00Z",
            "2026-11-24T13:00:00Z",
        ]
    );
    schedule.closed = std::mem::take(&mut schedule.busy);
    let starts = starts_on(&schedule, date(2026, 11, 24), 60);
    assert!(starts.contains(&"2026-11-24T09:00:00Z".to_owned()) && starts.contains(&"2026-11-24T11:00:00Z".to_owned()));
}

#[test]
fn a_long_absence_empties_its_days() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    schedule.closed.push(between("2026-11-24T00:00:00+01:00", "2026-11-26T00:00:00+01:00"));
    let days = schedule.slots(date(2026, 11, 23), 4, 60, LONG_AGO);
    let counts: Vec<_> = days.iter().map(|day| day.slots.len()).collect();
    assert_eq!(counts, [9, 0, 0, 9]);
}

#[test]
fn an_interval_without_length_takes_nothing() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    schedule.busy.push(between("2026-11-24T08:30:00Z", "2026-11-24T08:30:00Z"));
    schedule.closed.push(between("2026-11-24T09:30:00Z", "2026-11-24T09:00:00Z"));
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60).len(), 9);
}

#[test]
fn notice_counts_from_now_to_the_minute() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    schedule.notice_minutes = 120;
    let first = |now: &str| schedule.slots(date(2026, 11, 24), 1, 60, at(now))[0].slots[0].start;
    assert_eq!(first("2026-11-24T07:00:00Z"), at("2026-11-24T09:00:00Z"), "exactly two hours");
    assert_eq!(first("2026-11-24T07:00:01Z"), at("2026-11-24T10:00:00Z"));
}

#[test]
fn nothing_is_offered_in_the_past() {
    let schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    let days = schedule.slots(date(2026, 11, 23), 2, 60, at("2026-11-24T10:30:00Z"));
    assert!(days[0].slots.is_empty());
    assert_eq!(days[1].slots[0].start, at("2026-11-24T11:00:00Z"));
}

/// "Books open for three days": today's date in the studio and the three that follow, however late it is elsewhere.
#[test]
fn nothing_is_offered_beyond_the_horizon_and_the_last_day_is_whole() {
    let mut schedule = schedule("Pacific/Auckland", daily(&[(0, 1440)]), 720);
    schedule.horizon_days = 3;
    // Tuesday the 24th there, still Monday in UTC.
    let now = at("2026-11-23T12:00:00Z");
    assert_eq!(last_date(&schedule.zone, 3, now), date(2026, 11, 27));
    let days = schedule.slots(date(2026, 11, 26), 4, 60, now);
    assert_eq!(days.iter().map(|day| day.slots.len()).collect::<Vec<_>>(), [2, 2, 0, 0]);
    let (last, next) = (at("2026-11-26T23:00:00Z"), at("2026-11-27T11:00:00Z"));
    assert!(schedule.accepts(last, 60, now).is_ok(), "noon of the last day");
    assert_eq!(schedule.accepts(next, 60, now), Err(SlotRefusal::TooFarAhead));
    assert_eq!(
        schedule.accepts(at("2031-01-07T00:07:00Z"), 60, now),
        Err(SlotRefusal::TooFarAhead),
        "off the grid too"
    );
    schedule.calendar = Some(vec![last, next]);
    assert_eq!(schedule.accepts(next, 60, now), Err(SlotRefusal::TooFarAhead), "whatever Cal.com offers");
    schedule.horizon_days = u32::MAX;
    assert!(schedule.accepts(next, 60, now).is_ok());
}

#[test]
fn a_refusal_says_why() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    schedule.notice_minutes = 60;
    schedule.busy.push(between("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z"));
    schedule.closed.push(between("2026-11-24T12:00:00Z", "2026-11-24T13:00:00Z"));
    let now = at("2026-11-24T07:30:00Z");
    for (start, answer) in [
        ("2026-11-24T08:00:00Z", Err(SlotRefusal::TooSoon)),
        ("2026-11-24T10:00:00Z", Err(SlotRefusal::Busy)),
        ("2026-11-24T12:00:00Z", Err(SlotRefusal::Closed)),
        ("2026-11-24T09:30:00Z", Err(SlotRefusal::NotOffered)), // off the grid
        ("2026-11-24T09:00:00.5Z", Err(SlotRefusal::NotOffered)),
        ("2026-11-24T17:00:00Z", Err(SlotRefusal::NotOffered)), // would end after closing
        ("2026-11-24T03:00:00Z", Err(SlotRefusal::NotOffered)), // night
        ("2026-11-24T09:00:00Z", Ok(())),
    ] {
        assert_eq!(schedule.accepts(at(start), 60, now).map(|_| ()), answer, "{start}");
    }
}

#[test]
fn calendar_starts_replace_the_grid_and_stay_within_opening_hours() {
    let mut schedule = schedule("Europe/Paris", daily(&[(540, 1080)]), 60);
    schedule.busy.push(between("2026-11-24T13:00:00Z", "2026-11-24T14:00:00Z"));
    schedule.calendar = Some(vec![
        at("2026-11-24T13:20:00Z"), // taken here
        at("2026-11-24T09:20:00Z"), // off our grid, and welcome
        at("2026-11-24T09:20:00Z"), // said twice
        at("2026-11-24T16:20:00Z"), // would end after closing
        at("2026-11-24T08:00:00Z"),
        at("2026-11-25T08:00:00Z"), // another day
    ]);
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60), ["2026-11-24T08:00:00Z", "2026-11-24T09:20:00Z"]);
    assert_eq!(schedule.accepts(at("2026-11-24T10:00:00Z"), 60, LONG_AGO), Err(SlotRefusal::NotOffered));
}

#[test]
fn a_calendar_stands_alone_where_there_are_no_opening_hours() {
    let mut schedule = schedule("Europe/Paris", Vec::new(), 60);
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60), [""; 0]);
    schedule.calendar = Some(vec![at("2026-11-24T03:10:00Z"), at("2026-11-23T23:00:00Z")]);
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60), ["2026-11-23T23:00:00Z", "2026-11-24T03:10:00Z"]);
    schedule.calendar = Some(Vec::new());
    assert_eq!(starts_on(&schedule, date(2026, 11, 24), 60), [""; 0]);
}

#[test]
fn impossible_questions_get_empty_answers() {
    let mut schedule = schedule("Europe/Paris", daily(&[(0, 1440)]), 60);
    let date = date(2026, 11, 24);
    assert!(schedule.slots(date, 0, 60, LONG_AGO).is_empty());
    assert_eq!(schedule.slots(date, 255, 60, LONG_AGO).len(), usize::from(MAX_DAYS));
    assert!(schedule.slots(date, 2, 0, LONG_AGO).iter().all(|day| day.slots.is_empty()));
    assert!(schedule.slots(date, 2, MAX_MINUTES + 1, LONG_AGO).iter().all(|day| day.slots.is_empty()));
    assert!(schedule.slots(date, 2, u32::MAX, LONG_AGO).iter().all(|day| day.slots.is_empty()));
    assert_eq!(starts_on(&schedule, date, MAX_MINUTES).len(), 24);
    schedule.step_minutes = 0;
    assert_eq!(starts_on(&schedule, date, 60).len(), 1_440);
    schedule.step_minutes = u32::MAX;
    assert_eq!(starts_on(&schedule, date, 60).len(), 1);
    schedule.notice_minutes = u32::MAX;
    schedule.buffer_minutes = u32::MAX;
    assert!(schedule.slots(date, 2, 60, Timestamp::MAX).iter().all(|day| day.slots.is_empty()));
}

#[test]
fn the_ends_of_the_calendar_are_harmless() {
    for name in ["Europe/Paris", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"] {
        let mut schedule = schedule(name, daily(&[(0, 1440)]), 60);
        schedule.busy.push(Interval { start: Timestamp::MIN, end: Timestamp::MAX });
        for date in [Date::MIN, Date::MAX, date(0, 1, 1), date(1900, 1, 1)] {
            assert!(!schedule.slots(date, 31, 60, Timestamp::MIN).is_empty());
            assert!(reach(date, 31).start < reach(date, 31).end);
        }
        for start in [Timestamp::MIN, Timestamp::MAX] {
            assert!(schedule.accepts(start, 60, Timestamp::MIN).is_err());
            assert!(schedule.accepts(start, 60, Timestamp::MAX).is_err());
        }
    }
}

#[test]
fn the_reach_includes_the_farthest_bookings_that_matter() {
    for name in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let day = date(2026, 11, 24);
        let free = Schedule { buffer_minutes: MAX_MINUTES, ..schedule(name, daily(&[(0, 1440)]), 60) };
        let slots = &free.slots(day, 1, MAX_MINUTES, LONG_AGO)[0].slots;
        let (first, last) = (slots[0], slots[23]);
        // Bookings of one minute that end, or begin, just within a day's pause.
        let before = Interval { start: first.start - 1440.minutes(), end: first.start - 1439.minutes() };
        let after = Interval { start: last.end + 1439.minutes(), end: last.end + 1440.minutes() };
        let reach = reach(day, 1);
        assert!(reach.start < before.end && after.start < reach.end, "{name}");
        let taken = Schedule { busy: vec![before, after], ..free };
        assert_eq!(taken.slots(day, 1, MAX_MINUTES, LONG_AGO)[0].slots, slots[1..23], "{name}");
    }
}

#[test]
fn hours_that_make_no_sense_cannot_be_written() {
    for (opens, closes) in [(540, 540), (1080, 540), (0, 1441), (1440, 1440), (u16::MAX, 0)] {
        assert_eq!(OpeningHours::new(Weekday::Monday, opens, closes), Err(InvalidHours), "{opens} to {closes}");
    }
}

#[test]
fn days_are_sent_as_the_studio_s_clock_shows_them() {
    let shown = |hours, day| {
        serde_json::to_value(schedule("Europe/Paris", hours, 60).shown(day, 1, 60, &STRICT, at("2026-11-20T00:00:00Z")))
    };
    assert_eq!(
        shown(daily(&[(600, 660)]), date(2026, 11, 24)).expect("days serialise"),
        serde_json::json!([
            {"date": "2026-11-24", "full": false, "frees_at": null, "slots": [{
                "start": "2026-11-24T10:00:00+01:00", "end": "2026-11-24T11:00:00+01:00",
                "refundable_until": "2026-11-23T10:00:00+01:00",
            }]},
        ])
    );
    // An hour that comes twice: 1 h to 3 h lasts three hours that night.
    assert_eq!(
        shown(daily(&[(60, 180)]), date(2027, 10, 31)).expect("days serialise")[0]["slots"],
        serde_json::json!([
            {"start": "2027-10-31T01:00:00+02:00", "end": "2027-10-31T02:00:00+02:00", "end_turn": "summer", "refundable_until": "2027-10-30T01:00:00+02:00"},
            {"start": "2027-10-31T02:00:00+02:00", "end": "2027-10-31T02:00:00+01:00", "start_turn": "summer", "end_turn": "winter", "refundable_until": "2027-10-30T02:00:00+02:00"},
            {"start": "2027-10-31T02:00:00+01:00", "end": "2027-10-31T03:00:00+01:00", "start_turn": "winter", "refundable_until": "2027-10-30T03:00:00+02:00"},
        ])
    );
}

const STRICT: CancellationPolicy = CancellationPolicy {
    full_refund_hours: 24,
    late_refund_percent: 0,
    free_moves: 0,
    nature: crate::domain::policy::DepositNature::Acompte,
};

/// A random schedule around a random date of 2020 to 2040.
#[derive(Clone, Debug)]
struct Question {
    schedule: Schedule,
    from: Date,
    days: u8,
    duration: u32,
    now: Timestamp,
}

fn questions() -> impl Strategy<Value = Question> {
    let names: Vec<String> = tz::db().available().map(|name| name.to_string()).collect();
    let changes: Vec<(String, Date)> = every_change_of_clocks()
        .1
        .into_iter()
        .map(|((change, ..), (name, zone))| (name, zone.to_datetime(change).date()))
        .collect();
    let anywhere = (prop::sample::select(names), 0_i64..7_670)
        .prop_map(|(name, day)| (name, date(2020, 1, 1).checked_add(day.days()).expect("before 2041")));
    let place_and_date = prop_oneof![anywhere, prop::sample::select(changes)];
    let row = (0..7_usize, 0..288_u16, 1..=288_u16)
        .prop_map(|(weekday, opens, length)| hours(EVERY_DAY[weekday], opens * 5, (opens * 5 + length * 5).min(1440)));
    let minutes_from_the_date = -2_000..8_000_i64;
    let spans = prop::collection::vec((minutes_from_the_date.clone(), 1..600_i64), 0..4);
    let times = (prop::sample::select(vec![5_u32, 15, 30, 45, 60, 90, 120]), 0..100_u32, 1..400_u32);
    let calendar = prop::option::weighted(0.3, prop::collection::vec(minutes_from_the_date.clone(), 0..40));
    (
        place_and_date,
        prop::collection::vec(row, 0..12),
        spans.clone(),
        spans,
        times,
        calendar,
        (prop::sample::select(vec![0_u32, 60, 1_440]), -3_000..6_000_i64, 1..4_u8, 0..8_u32),
    )
        .prop_map(
            |(
                (zone_name, date),
                hours,
                closed,
                busy,
                (step, buffer, duration),
                calendar,
                (notice, now, days, horizon),
            )| {
                let zone = zone(&zone_name);
                let midnight = in_utc(date).expect("a date of this century").as_second() / 60;
                let intervals = |spans: Vec<(i64, i64)>| {
                    spans
                        .into_iter()
                        .map(|(start, length)| Interval {
                            start: instant(midnight + start),
                            end: instant(midnight + start + length),
                        })
                        .collect()
                };
                let schedule = Schedule {
                    zone,
                    hours,
                    closed: intervals(closed),
                    busy: intervals(busy),
                    held: Vec::new(),
                    buffer_minutes: buffer,
                    notice_minutes: notice,
                    step_minutes: step,
                    horizon_days: horizon,
                    calendar: calendar
                        .map(|starts| starts.into_iter().map(|start| instant(midnight + start)).collect()),
                };
                let from = date.checked_sub(1.days()).expect("a date of this century");
                Question { schedule, from, days, duration, now: instant(midnight + now) }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_schedule_agrees_with_the_oracle(question in questions()) {
        let Question { schedule, from, days, duration, now } = question;
        let clock = Minutes::around(&schedule.zone, from, days);
        let listed = check(&schedule, &clock, from, days, duration, now)?;
        let dates = from..from.checked_add(i64::from(days).days()).expect("a date of this century");
        check_that_exactly_the_listed_starts_are_accepted(&schedule, &clock, dates, &listed, duration, now)?;
    }

    #[test]
    fn what_lies_out_of_reach_changes_nothing(question in questions()) {
        let Question { schedule, from, days, duration, now } = question;
        let reach = reach(from, days);
        let near = |interval: &Interval| interval.start < reach.end && reach.start < interval.end;
        let mut thinned = schedule.clone();
        thinned.busy.retain(near);
        thinned.closed.retain(near);
        if let Some(calendar) = &mut thinned.calendar {
            calendar.retain(|start| reach.start <= *start && *start < reach.end);
        }
        prop_assert_eq!(thinned.slots(from, days, duration, now), schedule.slots(from, days, duration, now));
    }
}

#[test]
fn a_day_that_only_holds_close_says_when_it_may_be_free_again() {
    let day = date(2026, 11, 24);
    let now = at("2026-11-24T06:00:00Z");
    let mut schedule = schedule("UTC", daily(&[(600, 840)]), 60);
    let shown = |schedule: &Schedule, date| schedule.shown(date, 1, 120, &STRICT, now).remove(0);
    let open = shown(&schedule, day);
    assert_eq!((open.slots.len(), open.full, open.frees_at), (3, false, None));
    assert_eq!(open.slots[0].refundable_until, None, "it is today");
    let tomorrow = shown(&schedule, date(2026, 11, 25));
    assert_eq!(tomorrow.slots[0].refundable_until.map(LocalTime::instant), Some(at("2026-11-24T10:00:00Z")));

    // Ten to noon is booked, noon to two is held: noon to two comes back first.
    let (booked, held) = (
        between("2026-11-24T10:00:00Z", "2026-11-24T12:00:00Z"),
        between("2026-11-24T12:00:00Z", "2026-11-24T14:00:00Z"),
    );
    let end = at("2026-11-24T06:20:00Z");
    schedule.busy = vec![booked, held];
    schedule.held = vec![(held, end)];
    let closed = shown(&schedule, day);
    assert_eq!((closed.slots.len(), closed.full, closed.frees_at.map(LocalTime::instant)), (0, true, Some(end)));
    // Booked for good, nothing comes back.
    schedule.held.clear();
    let closed = shown(&schedule, day);
    assert_eq!((closed.full, closed.frees_at), (true, None));
    // On a day off nothing is full.
    schedule.closed = vec![between("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")];
    let off = shown(&schedule, day);
    assert_eq!((off.full, off.frees_at), (false, None));
}
