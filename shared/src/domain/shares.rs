//! How many slots may be held unpaid, and at what price in patience.
//!
//! A hold costs a stranger nothing, so there is a share for
//! each mail, telephone number and network; but a network is no person, and nobody may be shut out for what a neighbour did.
//!
//! Beyond its share a network still gets holds: shorter ones, for a proof of work, and in the end one after the other. What
//! people pay for widens their network's share at this artist, what lapses narrows it, for a day.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A wide network (an IPv4 address, an IPv6 /48) is a carrier, a school, a town: so many times the share of a household.
pub const WIDE: i64 = 4;

/// A hold that somebody paid for makes good two that lapsed.
const GOOD: i64 = 2;

/// The most that is looked for as room: more unpaid holds than this nobody has seen.
const PLENTY: i64 = 1 << 32;

/// The part of the usual time for which a hold is kept that goes beyond its share, or is one of very many.
const SHORT: i32 = 3;

/// The hardest puzzle, see [`Terms::level`].
const HARDEST: u8 = 3;

/// How often a unique flash may be let go before it rests for whoever did, and for how long then: after the second time,
/// the third, and every further one.
const RESTS: [SignedDuration; 3] =
    [SignedDuration::from_mins(30), SignedDuration::from_hours(2), SignedDuration::from_hours(12)];

/// The shares of this deployment.
#[derive(Debug, Clone, Copy)]
pub struct Shares {
    /// Unpaid holds of one mail address or telephone number; and of one household without a proof.
    pub per_client: i64,
    /// From so many unpaid holds on an artist on, each further one wants a proof.
    pub soft: i64,
}

/// What a network has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// Its unpaid holds now, with any artist.
    pub live: i64,
    /// When they end, the first of them.
    pub ends: Vec<Timestamp>,
    /// Those of the last day, with this artist, that nobody paid.
    pub lapsed: i64,
    /// Those that somebody paid.
    pub kept: i64,
}

/// How often a unique flash was let go in the last day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct LetGo {
    /// Under the same mail or number, or from the same household.
    pub own: i64,
    /// From the same wide network.
    pub wide: i64,
    pub last: Option<Timestamp>,
}

/// The unpaid holds beside the one that is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Load {
    /// Of the same mail address.
    pub by_mail: i64,
    /// Of the same telephone number, once that is known.
    pub by_phone: i64,
    /// With the same artist.
    pub on_artist: i64,
    /// What the client's own network did: IPv6 /64. The same as `wide` for IPv4.
    pub near: Standing,
    /// What the network around it did: IPv6 /48, or the IPv4 address.
    pub wide: Standing,
    /// What became of the unique flash, as the database says it.
    #[serde(default)]
    pub flash: Option<Value>,
}

impl Load {
    fn let_go(&self) -> LetGo {
        self.flash.as_ref().and_then(|flash| LetGo::deserialize(flash).ok()).unwrap_or_default()
    }
}

/// On what terms a hold is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// How hard the proof is that it wants; 0 for none.
    pub level: u8,
    /// It is kept for a third of the usual time.
    pub short: bool,
}

impl Terms {
    /// For how long the slot is kept.
    pub fn hold(self, usual: SignedDuration) -> SignedDuration {
        if self.short { usual / SHORT } else { usual }
    }
}

/// Why no hold is given now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// This mail address or number holds as much as it may: pay, give back, or wait.
    Client,
    /// This network holds as much as it may until then, if none of its holds is paid before. None: not known.
    Network(Option<Timestamp>),
    /// This client has let this flash go again and again: it is for others until then.
    Flash(Timestamp),
}

/// How many there may be of each beside a new one, for the terms on which it is given to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Most {
    by_mail: i64,
    by_phone: i64,
    on_artist: i64,
    near: i64,
    wide: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    flash: Option<Value>,
}

impl Most {
    /// For whoever need not share.
    #[must_use]
    pub fn any() -> Self {
        Self { by_mail: PLENTY, by_phone: PLENTY, on_artist: PLENTY, near: PLENTY, wide: PLENTY, flash: None }
    }
}

impl Shares {
    /// On what terms another hold is given beside these.
    pub fn terms(self, load: &Load, is_household: bool, now: Timestamp) -> Result<Terms, Full> {
        self.terms_in(load, is_household, now, self.days(load))
    }

    /// As [`Self::terms`], on days that are known.
    fn terms_in(self, load: &Load, is_household: bool, now: Timestamp, days: [Day; 2]) -> Result<Terms, Full> {
        if load.by_mail.max(load.by_phone) >= self.per_client {
            return Err(Full::Client);
        }
        if let Some(until) = rests_until(load.let_go()).filter(|until| *until > now) {
            return Err(Full::Flash(until));
        }
        let [near_day, wide_day] = days;
        let crowd = if load.on_artist >= self.soft {
            Terms { level: grade(load.on_artist, self.soft.saturating_mul(3)), short: true }
        } else {
            Terms::default()
        };
        let wide = Share { usual: self.per_client.saturating_mul(WIDE), busy: self.per_client };
        let mut terms = crowd.and(wide.terms(&load.wide, wide_day)?);
        if is_household {
            let near = Share { usual: self.per_client, busy: (self.per_client - 1).max(1) };
            terms = terms.and(near.terms(&load.near, near_day)?);
        }
        Ok(terms)
    }

    /// What kind of day it is at this artist, for the client's household and for the network around it.
    fn days(self, load: &Load) -> [Day; 2] {
        [&load.near, &load.wide].map(|network| {
            if load.on_artist < self.soft {
                Day::Usual
            } else if load.on_artist - network.live < self.soft {
                Day::OfItsOwn
            } else {
                Day::Crowd
            }
        })
    }

    /// The counts up to which `granted` are still the terms, or better ones: what the statement that writes the hold looks
    /// at again.
    pub fn most(self, load: &Load, is_household: bool, granted: Terms, now: Timestamp) -> Most {
        let days = self.days(load);
        let holds = |load: &Load| {
            self.terms_in(load, is_household, now, days)
                .is_ok_and(|terms| terms.level <= granted.level && (granted.short || !terms.short))
        };
        let with = |change: fn(&mut Load, i64)| {
            most(|count| {
                let mut other = load.clone();
                change(&mut other, count);
                holds(&other)
            })
        };
        Most {
            by_mail: with(|load, count| load.by_mail = count),
            by_phone: with(|load, count| load.by_phone = count),
            on_artist: with(|load, count| load.on_artist = count),
            near: if is_household { with(|load, count| load.near.live = count) } else { PLENTY },
            wide: with(|load, count| load.wide.live = count),
            flash: load.flash.clone(),
        }
    }
}

impl Terms {
    /// The harder of both.
    fn and(self, other: Self) -> Self {
        Self { level: self.level.max(other.level), short: self.short || other.short }
    }
}

/// How many hold at an artist, as a network sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// No more than on other days.
    Usual,
    /// Very many, and they would not be without its own: people behind one address who come for the same artist.
    OfItsOwn,
    /// Very many of others.
    Crowd,
}

/// What a network may hold without more ado.
struct Share {
    usual: i64,
    /// In a crowd of others.
    busy: i64,
}

impl Share {
    fn terms(&self, standing: &Standing, day: Day) -> Result<Terms, Full> {
        let balance = standing.kept.saturating_mul(GOOD) - standing.lapsed;
        let (credit, debt) = (balance.max(0), (-balance).max(0));
        let room = if day == Day::Crowd { self.busy } else { self.usual }.saturating_add(credit);
        // Beyond its share on a usual day, each for a shorter time; with very many the others come first. One is always possible.
        let ceiling = |debt: i64| {
            let most = if day == Day::Usual { room.saturating_mul(2) - debt / 2 } else { room - debt };
            most.max(1)
        };
        if standing.live >= ceiling(debt) {
            // Each that ends is one less, and one more that lapsed.
            let until = (1..).zip(&standing.ends).find(|(ended, _)| standing.live - ended < ceiling(debt + ended));
            return Err(Full::Network(until.map(|(_, end)| *end)));
        }
        let weight = standing.live + debt;
        if weight < room { Ok(Terms::default()) } else { Ok(Terms { level: grade(weight, room), short: true }) }
    }
}

/// 1 for less than `step`, 2 for less than two of them, and 3.
fn grade(count: i64, step: i64) -> u8 {
    match count / step.max(1) {
        ..=0 => 1,
        1 => 2,
        _ => HARDEST,
    }
}

/// Until when a flash is for others. What a wide network let go counts as far as one person in it might have done it.
fn rests_until(let_go: LetGo) -> Option<Timestamp> {
    let times = let_go.own.max(let_go.wide / WIDE);
    let rest = usize::try_from(times - 2).ok().map(|more| RESTS[more.min(RESTS.len() - 1)])?;
    let_go.last?.checked_add(rest).ok()
}

/// The largest count for which `holds` is true, if it is true up to a point: -1 if for none.
fn most(holds: impl Fn(i64) -> bool) -> i64 {
    if holds(PLENTY) {
        return PLENTY;
    }
    let (mut good, mut bad) = (-1, PLENTY);
    while bad - good > 1 {
        let middle = i64::midpoint(good, bad);
        if holds(middle) { good = middle } else { bad = middle }
    }
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: Shares = Shares { per_client: 3, soft: 10 };

    fn now() -> Timestamp {
        "2027-02-01T08:00:00Z".parse().expect("an instant")
    }

    fn live(near: i64, wide: i64, on_artist: i64) -> Load {
        let standing = |live| Standing { live, ..Standing::default() };
        Load { near: standing(near), wide: standing(wide), on_artist, ..Load::default() }
    }

    fn terms(load: &Load, is_household: bool) -> Option<(u8, bool)> {
        SHARES.terms(load, is_household, now()).ok().map(|terms| (terms.level, terms.short))
    }

    #[test]
    fn on_a_quiet_day_nobody_is_asked_for_anything() {
        assert_eq!(terms(&live(2, 11, 9), true), Some((0, false)));
        assert_eq!(terms(&live(11, 11, 9), false), Some((0, false)), "twelve people of one IPv4 address");
    }

    #[test]
    fn the_more_is_held_the_harder_it_gets_and_the_last_resort_is_to_wait() {
        let household = [0, 2, 3, 5, 6].map(|held| terms(&live(held, held, 9), true));
        assert_eq!(household, [Some((0, false)), Some((0, false)), Some((2, true)), Some((2, true)), None]);
        let carrier = [11, 12, 23, 24].map(|held| terms(&live(held, held, 9), false));
        assert_eq!(carrier, [Some((0, false)), Some((2, true)), Some((2, true)), None]);
        // In a crowd everybody is asked, and a network holds less at once.
        let crowd = [10, 30, 60].map(|held| terms(&live(0, 0, held), true));
        assert_eq!(crowd, [Some((1, true)), Some((2, true)), Some((3, true))]);
        assert_eq!([1, 2].map(|held| terms(&live(held, held, 10 + held), true)), [Some((1, true)), None]);
        assert_eq!([2, 3].map(|held| terms(&live(held, held, 10 + held), false)), [Some((1, true)), None]);
    }

    #[test]
    fn people_behind_one_address_have_its_whole_share_while_nobody_else_comes() {
        // All that is held is held from there: each further one proves that it means it, and none is told to wait.
        let carrier = [9, 10, 11, 12].map(|held| terms(&live(held, held, held), false));
        assert_eq!(carrier, [Some((0, false)), Some((1, true)), Some((1, true)), None]);
        // Three of others are no crowd yet, ten are.
        assert_eq!([13, 21].map(|on_artist| terms(&live(11, 11, on_artist), false)), [Some((1, true)), None]);
    }

    #[test]
    fn who_lets_holds_lapse_has_less_room_and_who_pays_has_more_and_one_is_always_possible() {
        let after = |lapsed, kept, live| Load {
            wide: Standing { live, lapsed, kept, ends: Vec::new() },
            on_artist: 10,
            ..Load::default()
        };
        assert_eq!(terms(&after(1_000, 0, 0), false), Some((3, true)));
        assert_eq!(terms(&after(1_000, 0, 1), false), None);
        assert_eq!(terms(&after(0, 5, 12), false), Some((1, true)), "a carrier full of fans who pay");
        assert_eq!(terms(&after(4, 2, 2), false), Some((1, true)), "what was paid makes up for what was not");
    }

    #[test]
    fn who_has_to_wait_is_told_when_it_is_really_possible() {
        let at = |minutes: i64| now() + SignedDuration::from_mins(minutes);
        let mut load = live(0, 0, 10);
        load.on_artist = 13;
        load.wide = Standing { live: 3, lapsed: 1, kept: 0, ends: vec![at(4), at(7), at(9)] };
        let Err(Full::Network(Some(until))) = SHARES.terms(&load, false, now()) else { panic!("it is full") };
        // With the first gone two have lapsed and one may be; and so on: only when all are gone another is given.
        assert_eq!(until, at(9));
        load.on_artist = 10;
        load.wide = Standing { live: 0, lapsed: 4, ..Standing::default() };
        assert!(SHARES.terms(&load, false, until).is_ok());
    }

    #[test]
    fn what_is_looked_at_again_is_what_the_rule_says() {
        for on_artist in [0, 5, 9, 10, 29, 30] {
            for near in 0..7 {
                let load = live(near, near, on_artist);
                for is_household in [true, false] {
                    let Ok(granted) = SHARES.terms(&load, is_household, now()) else { continue };
                    let most = SHARES.most(&load, is_household, granted, now());
                    let days = SHARES.days(&load);
                    for count in 0..40 {
                        let same = |other: &Load| {
                            SHARES
                                .terms_in(other, is_household, now(), days)
                                .is_ok_and(|terms| terms.level <= granted.level && (granted.short || !terms.short))
                        };
                        assert_eq!(count <= most.wide, same(&Load { wide: live(0, count, 0).wide, ..load.clone() }));
                        assert_eq!(count <= most.on_artist, same(&Load { on_artist: count, ..load.clone() }));
                        assert_eq!(count <= most.by_mail, same(&Load { by_mail: count, ..load.clone() }));
                        if is_household {
                            assert_eq!(
                                count <= most.near,
                                same(&Load { near: live(count, 0, 0).near, ..load.clone() })
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_flash_rests_from_the_second_time_on_and_a_carrier_counts_a_quarter() {
        let rests = |own, wide| {
            rests_until(LetGo { own, wide, last: Some(now()) }).map(|until| until.duration_since(now()).as_mins())
        };
        assert_eq!(
            [0, 1, 2, 3, 4, 9].map(|own| rests(own, 0)),
            [None, None, Some(30), Some(120), Some(720), Some(720)]
        );
        assert_eq!([7, 8, 12].map(|wide| rests(0, wide)), [None, Some(30), Some(120)]);
    }
}
