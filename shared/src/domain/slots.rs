//! Free slots: opening hours on the artist's wall clock, minus what is taken, as instants.
//!
//! One decision for showing and for booking: a slot that is listed is a slot that is accepted.

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::{Offset, TimeZone},
};
use serde::Serialize;

use super::local::{Appointment, LocalTime};
use super::policy::CancellationPolicy;

/// The most days that one question may span.
pub const MAX_DAYS: u8 = 31;

/// The longest appointment, and the longest pause between two: a day.
pub const MAX_MINUTES: u32 = MINUTES_IN_A_DAY as u32;

const MINUTES_IN_A_DAY: u16 = 24 * 60;

/// A span of time from `start` up to, but without, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

impl Interval {
    /// True when the two have an instant in common, or would have if there were less than `gap` between them.
    fn is_within(self, gap: SignedDuration, other: Self) -> bool {
        self.start < self.end
            && self.start.duration_since(other.end) < gap
            && other.start.duration_since(self.end) < gap
    }
}

/// Hours of one weekday during which the artist works, on the wall clock of their zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningHours {
    weekday: Weekday,
    opens: u16,
    closes: u16,
}

/// Opening hours that close before they open, or do not fit into their day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("opening hours must open before they close, within one day")]
pub struct InvalidHours;

impl OpeningHours {
    /// Hours from `opens` to `closes`, in minutes since local midnight; 1440 is "until 24:00".
    ///
    /// # Errors
    /// Refuses hours that do not open before they close, or close after 24:00.
    pub const fn new(weekday: Weekday, opens: u16, closes: u16) -> Result<Self, InvalidHours> {
        if opens < closes && closes <= MINUTES_IN_A_DAY {
            Ok(Self { weekday, opens, closes })
        } else {
            Err(InvalidHours)
        }
    }
}

/// All that decides which slots are free.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The artist's zone: opening hours and dates are its wall clock.
    pub zone: TimeZone,
    /// Weekly opening hours. Rows that touch, also across midnight, are one opening.
    pub hours: Vec<OpeningHours>,
    /// Time off.
    pub closed: Vec<Interval>,
    /// Live bookings and holds.
    pub busy: Vec<Interval>,
    /// Those of them that nobody has paid yet, each with its end: who does not pay gives the time back.
    pub held: Vec<(Interval, Timestamp)>,
    /// Minutes kept free between two appointments; none are kept around time off.
    pub buffer_minutes: u32,
    /// A slot must start at least so many minutes from now.
    pub notice_minutes: u32,
    /// Slots start every so many minutes, counted from the wall-clock start of the opening; 0 is read as 1.
    pub step_minutes: u32,
    /// A slot must start at the latest on the local date so many days after today's.
    pub horizon_days: u32,
    /// Free starts according to the artist's Cal.com, when they have one. They replace the grid, and with
    /// no opening hours at all they stand alone.
    pub calendar: Option<Vec<Timestamp>>,
}

/// A free appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    pub start: Timestamp,
    pub end: Timestamp,
}

/// The free slots that start on one local date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// The date, in the artist's zone.
    pub date: Date,
    /// Its slots in order of time; none when the day is full or closed.
    pub slots: Vec<Slot>,
}

/// A free slot as it is shown.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct SlotView {
    /// When it takes place.
    #[serde(flatten)]
    pub appointment: Appointment,
    /// Until when a client who cancels gets everything back; none once that is over.
    pub refundable_until: Option<LocalTime>,
}

/// The free slots of one date as they are shown.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct DayView {
    /// The date, in the artist's zone.
    pub date: Date,
    /// Its slots in order of time; none when the day is full or closed.
    pub slots: Vec<SlotView>,
    /// Slots are offered on this day, and all of them are taken.
    pub full: bool,
    /// When the first of them becomes free, if those who hold it do not pay.
    pub frees_at: Option<LocalTime>,
}

/// Why a start is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotRefusal {
    /// No slot starts then: outside opening hours, off the grid, or not free in the artist's calendar.
    #[error("no slot starts then")]
    NotOffered,
    /// In the past, or closer than the artist's minimum notice.
    #[error("the slot is too soon")]
    TooSoon,
    /// On a date that is not open for booking yet.
    #[error("the slot is too far ahead")]
    TooFarAhead,
    /// Taken by another booking, or too close to one.
    #[error("the slot is taken")]
    Busy,
    /// During time off.
    #[error("the artist is away")]
    Closed,
}

/// The instants that can matter to `days` local dates from `from`, in any zone.
///
/// Bookings, time off and calendar starts outside of it change nothing, so that a database need not send them.
#[must_use]
pub fn reach(from: Date, days: u8) -> Interval {
    // An offset from UTC of up to 26 hours and a pause of up to a day, hence three days before; after, an
    // appointment of up to a day comes on top.
    Interval {
        start: in_utc(shifted(from, -3)).unwrap_or(Timestamp::MIN),
        end: in_utc(shifted(from, i64::from(days.min(MAX_DAYS)) + 4)).unwrap_or(Timestamp::MAX),
    }
}

/// The last local date that can be booked at `now` with books that are open for so many days.
#[must_use]
pub fn last_date(zone: &TimeZone, horizon_days: u32, now: Timestamp) -> Date {
    zone.to_datetime(now).date().saturating_add(SignedDuration::from_hours(24 * i64::from(horizon_days)))
}

impl Schedule {
    /// Lists the free slots of `days` local dates from `from`, at most [`MAX_DAYS`], in order of time.
    ///
    /// Every date has its entry, also without slots.
    #[must_use]
    pub fn slots(&self, from: Date, days: u8, duration_minutes: u32, now: Timestamp) -> Vec<Day> {
        let dates = dates(from, days.min(MAX_DAYS));
        let mut listed: Vec<Day> = dates.iter().map(|&date| Day { date, slots: Vec::new() }).collect();
        for start in self.starts(&dates, duration_minutes) {
            let date = self.local_date(start);
            if let Ok(slot) = self.verdict(start, duration_minutes, now)
                && let Some(day) = listed.iter_mut().find(|day| day.date == date)
            {
                day.slots.push(slot);
            }
        }
        listed
    }

    /// As [`Schedule::slots`], with what a client wants to know beside each.
    #[must_use]
    pub fn shown(
        &self,
        from: Date,
        days: u8,
        duration_minutes: u32,
        policy: &CancellationPolicy,
        now: Timestamp,
    ) -> Vec<DayView> {
        let listed = self.slots(from, days, duration_minutes, now);
        let local = |at| LocalTime::of(at, &self.zone);
        let show = |slot: Slot| SlotView {
            appointment: Appointment::of(slot.start, slot.end, &self.zone),
            refundable_until: policy.refundable_until(slot.start, now).map(local),
        };
        listed
            .into_iter()
            .map(|Day { date, slots }| {
                let taken = if slots.is_empty() { self.taken(date, duration_minutes, now) } else { Vec::new() };
                DayView {
                    date,
                    slots: slots.into_iter().map(show).collect(),
                    full: !taken.is_empty(),
                    frees_at: taken.into_iter().flatten().min().map(local),
                }
            })
            .collect()
    }

    /// The starts of a date that would be free, were they not taken: for each when it becomes free by itself, if ever.
    fn taken(&self, date: Date, duration_minutes: u32, now: Timestamp) -> Vec<Option<Timestamp>> {
        let taken = |start: &Timestamp| self.verdict(*start, duration_minutes, now) == Err(SlotRefusal::Busy);
        let frees_at = |start: Timestamp| {
            let wanted = Interval { start, end: start.checked_add(minutes(duration_minutes)).ok()? };
            let in_the_way = self.busy.iter().filter(|busy| busy.is_within(minutes(self.buffer_minutes), wanted));
            let ends = in_the_way.map(|busy| self.held.iter().find(|(held, _)| held == busy).map(|(_, end)| *end));
            ends.collect::<Option<Vec<_>>>()?.into_iter().max()
        };
        self.starts(&[date], duration_minutes).into_iter().filter(taken).map(frees_at).collect()
    }

    /// Decides whether an appointment may start at `start`: exactly when [`Schedule::slots`] lists it.
    pub fn accepts(&self, start: Timestamp, duration_minutes: u32, now: Timestamp) -> Result<Slot, SlotRefusal> {
        if self.is_too_far(start, now) {
            return Err(SlotRefusal::TooFarAhead);
        }
        if !self.starts(&[self.local_date(start)], duration_minutes).contains(&start) {
            return Err(SlotRefusal::NotOffered);
        }
        self.verdict(start, duration_minutes, now)
    }

    /// Every start that opening hours and calendar offer on these consecutive local dates, taken or not.
    fn starts(&self, dates: &[Date], duration_minutes: u32) -> BTreeSet<Timestamp> {
        let (Some(&first), Some(&last)) = (dates.first(), dates.last()) else { return BTreeSet::new() };
        if duration_minutes == 0 || duration_minutes > MAX_MINUTES {
            return BTreeSet::new();
        }
        let length = minutes(duration_minutes);
        let clock = WallClock::new(&self.zone, first, last);
        let mut starts: BTreeSet<Timestamp> = match &self.calendar {
            Some(calendar) => {
                calendar.iter().copied().filter(|&start| (first..=last).contains(&self.local_date(start))).collect()
            }
            None => dates.iter().flat_map(|&date| self.grid(&clock, date)).collect(),
        };
        if !(self.hours.is_empty() && self.calendar.is_some()) {
            let open = self.openings(&clock, shifted(first, -1), shifted(last, 2));
            starts.retain(|&start| {
                let next = open.partition_point(|opening| opening.start <= start);
                let opening = next.checked_sub(1).and_then(|index| open.get(index));
                opening.is_some_and(|opening| opening.end.duration_since(start) >= length)
            });
        }
        starts
    }

    /// The grid of one local date. A wall-clock time that does not exist gives no start, one that exists
    /// twice gives two.
    fn grid<'a>(&'a self, clock: &'a WallClock, date: Date) -> impl Iterator<Item = Timestamp> + 'a {
        let step = usize::try_from(self.step_minutes.max(1)).unwrap_or(usize::MAX);
        self.hours
            .iter()
            .filter(move |hours| hours.weekday == date.weekday())
            .flat_map(move |hours| (hours.opens..hours.closes).step_by(step))
            .flat_map(move |minute| clock.instants(wall(date, minute)))
    }

    /// The stretches of time during which the artist is open, merged where they touch, in order of time.
    fn openings(&self, clock: &WallClock, first: Date, last: Date) -> Vec<Interval> {
        let mut pieces: Vec<Interval> = first
            .series(jiff::Span::new().days(1))
            .take_while(|date| *date <= last)
            .flat_map(|date| {
                self.hours.iter().filter(move |hours| hours.weekday == date.weekday()).map(move |h| (date, h))
            })
            .flat_map(|(date, hours)| clock.stretches(wall(date, hours.opens), wall(date, hours.closes)))
            .collect();
        pieces.sort_unstable_by_key(|piece| piece.start);
        let mut merged: Vec<Interval> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match merged.last_mut() {
                Some(opening) if piece.start <= opening.end => opening.end = opening.end.max(piece.end),
                _ => merged.push(piece),
            }
        }
        merged
    }

    /// Whether an offered start is free.
    fn verdict(&self, start: Timestamp, duration_minutes: u32, now: Timestamp) -> Result<Slot, SlotRefusal> {
        let end = start.checked_add(minutes(duration_minutes)).map_err(|_| SlotRefusal::NotOffered)?;
        let wanted = Interval { start, end };
        if start.duration_since(now) < minutes(self.notice_minutes) {
            return Err(SlotRefusal::TooSoon);
        }
        if self.is_too_far(start, now) {
            return Err(SlotRefusal::TooFarAhead);
        }
        if self.closed.iter().any(|closed| closed.is_within(SignedDuration::ZERO, wanted)) {
            return Err(SlotRefusal::Closed);
        }
        let buffer = minutes(self.buffer_minutes);
        if self.busy.iter().any(|busy| busy.is_within(buffer, wanted)) {
            return Err(SlotRefusal::Busy);
        }
        Ok(Slot { start, end })
    }

    fn is_too_far(&self, start: Timestamp, now: Timestamp) -> bool {
        self.local_date(start) > last_date(&self.zone, self.horizon_days, now)
    }

    fn local_date(&self, instant: Timestamp) -> Date {
        self.zone.to_datetime(instant).date()
    }
}

/// A zone's clock over a few days, cut into periods of constant offset from UTC.
struct WallClock {
    periods: Vec<(Interval, Offset)>,
}

impl WallClock {
    /// The clock around the dates `first` to `last`, wide enough for an appointment that begins or ends on another.
    fn new(zone: &TimeZone, first: Date, last: Date) -> Self {
        let begin = in_utc(shifted(first, -3)).unwrap_or(Timestamp::MIN);
        let end = in_utc(shifted(last, 5)).unwrap_or(Timestamp::MAX);
        let mut periods = Vec::with_capacity(2);
        let (mut start, mut offset) = (begin, zone.to_offset(begin));
        for transition in zone.following(begin).take_while(|transition| transition.timestamp() < end) {
            periods.push((Interval { start, end: transition.timestamp() }, offset));
            (start, offset) = (transition.timestamp(), transition.offset());
        }
        periods.push((Interval { start, end }, offset));
        Self { periods }
    }

    /// The instants at which the clock shows `time`: one, or none or two when the clocks change.
    fn instants(&self, time: DateTime) -> impl Iterator<Item = Timestamp> + '_ {
        self.periods.iter().filter_map(move |(period, offset)| {
            let instant = offset.to_timestamp(time).ok()?;
            (period.start <= instant && instant < period.end).then_some(instant)
        })
    }

    /// The stretches of time during which the clock shows `from` or later, but earlier than `until`.
    fn stretches(&self, from: DateTime, until: DateTime) -> impl Iterator<Item = Interval> + '_ {
        self.periods.iter().filter_map(move |(period, offset)| {
            let start = offset.to_timestamp(from).ok()?.max(period.start);
            let end = offset.to_timestamp(until).ok()?.min(period.end);
            (start < end).then_some(Interval { start, end })
        })
    }
}

fn minutes(count: u32) -> SignedDuration {
    SignedDuration::from_mins(i64::from(count))
}

/// So many minutes after midnight on the wall clock, where 1440 is the next midnight.
fn wall(date: Date, minute: u16) -> DateTime {
    date.to_datetime(Time::midnight()).saturating_add(minutes(u32::from(minute)))
}

fn shifted(date: Date, days: i64) -> Date {
    date.saturating_add(jiff::Span::new().days(days))
}

fn dates(from: Date, days: u8) -> Vec<Date> {
    from.series(jiff::Span::new().days(1)).take(usize::from(days)).collect()
}

fn in_utc(date: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()
}

#[cfg(test)]
mod tests;
