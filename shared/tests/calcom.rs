//! The life of a calendar entry, told to a stand-in of Cal.com that keeps a diary and can fail in every way.
//! However the job is run, lost, doubled or raced, one booking is one entry there.

use std::time::{Duration, Instant};

use dev::calcom::{Down, EventType, Hours, Options, StandIn, Switches, User};
use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::calcom::converge::{Clash, Converged, Note, Want, Wanted, converge};
use shared::calcom::{Attendee, Calcom, CalcomError};
use shared::config::Secret;
use shared::domain::ids::BookingId;
use shared::domain::locale::Locale;
use shared::net;
use uuid::Uuid;

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// The event type that asks for the artist's yes.
const WITH_A_YES: i64 = 6;

const HELD: Want<'_> = Want::Present { confirmed: false };
const PAID: Want<'_> = Want::Present { confirmed: true };
const GONE: Want<'_> = Want::Absent { reason: "hold_expired" };

struct Desk {
    stand_in: StandIn,
    calcom: Calcom,
    key: Secret,
}

impl Desk {
    async fn open() -> Self {
        let event_type = EventType { id: 5, lengths: vec![60, 120, 180], ..EventType::default() };
        let asking = EventType { id: 6, slug: "demande".into(), requires_confirmation: true, ..event_type.clone() };
        let single = EventType { id: 7, slug: "heure".into(), lengths: vec![60], ..event_type.clone() };
        let options = Options {
            users: vec![User {
                username: "noa-keller".into(),
                name: "Noa Keller".into(),
                email: "noa@example.com".into(),
                api_key: "cal_test_noa".into(),
                time_zone: "Europe/Paris".into(),
                hours: Hours::on(&WEEK, "00:00", "24:00"),
                event_types: vec![event_type, asking, single],
            }],
            ..Options::default()
        };
        let stand_in = StandIn::start(options).await.expect("a free port");
        let calcom = Calcom::new(net::client(&net::tls()), stand_in.url());
        Self { stand_in, calcom, key: Secret::new("cal_test_noa".into()) }
    }

    /// Noon, a few days from now.
    fn noon(&self, days: i64) -> Timestamp {
        let hour = SignedDuration::from_hours(1);
        let day = SignedDuration::from_hours(24 * days);
        let then = self.stand_in.now().checked_add(day).expect("in range");
        let start_of_hour =
            Timestamp::from_second(then.as_second() / hour.as_secs() * hour.as_secs()).expect("in range");
        start_of_hour.checked_add(hour).expect("in range")
    }

    fn appointment(&self, number: u128) -> Appointment<'_> {
        let start = self.noon(3);
        Appointment {
            desk: self,
            booking: BookingId::new(Uuid::from_u128(number)),
            start,
            event_type: 5,
            uid: None,
            agreed: None,
        }
    }

    fn switch(&self, change: impl FnOnce(&mut Switches)) {
        self.stand_in.switch(change);
    }

    fn live(&self) -> Vec<Value> {
        let mut all = self.stand_in.bookings();
        all.retain(|booking| booking["status"] == "accepted" || booking["status"] == "pending");
        all
    }

    fn writes(&self) -> usize {
        self.stand_in.requests().iter().filter(|request| request.method == "POST").count()
    }
}

/// A booking of ours, with what we noted of Cal.com.
#[derive(Clone)]
struct Appointment<'a> {
    desk: &'a Desk,
    booking: BookingId,
    start: Timestamp,
    event_type: i64,
    uid: Option<String>,
    /// Where both sides had it last.
    agreed: Option<Timestamp>,
}

impl Appointment<'_> {
    async fn attempt(&mut self, want: Want<'_>, attempt: u32) -> Converged {
        let wanted = Wanted {
            key: &self.desk.key,
            event_type_id: self.event_type,
            booking: self.booking,
            want,
            known_uid: self.uid.as_deref(),
            agreed_start: self.agreed,
            removed_by_us: false,
            is_gone: false,
            start: self.start,
            end: self.start.checked_add(SignedDuration::from_hours(2)).expect("in range"),
            attendee: Attendee {
                name: "Camille Durand",
                email: "camille+tattoo@example.com",
                phone: Some("+33612345678"),
                zone: "Europe/Paris",
                locale: Locale::Fr,
            },
            attempt,
        };
        let outcome = converge(&self.desk.calcom, &wanted).await;
        if let Converged::Synced { uid, .. } = &outcome {
            self.uid = Some(uid.clone());
            self.agreed = Some(self.start);
        }
        outcome
    }

    async fn sync(&mut self, want: Want<'_>) -> Converged {
        self.attempt(want, 1).await
    }

    /// Syncs and expects to be there, without a note.
    async fn stands(&mut self, want: Want<'_>) -> String {
        match self.sync(want).await {
            Converged::Synced { uid, note: None } => uid,
            other => panic!("{other:?}"),
        }
    }
}

fn is_retry(outcome: &Converged) -> bool {
    matches!(outcome, Converged::Retry { .. })
}

#[tokio::test]
async fn a_booking_comes_stands_and_goes_however_often_its_jobs_run() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    let uid = ours.stands(HELD).await;
    for want in [HELD, PAID, PAID] {
        assert_eq!(ours.stands(want).await, uid);
    }
    assert_eq!(desk.writes(), 1, "only the creation wrote");
    let there = desk.stand_in.booking(&uid).expect("it is there");
    assert_eq!(there["metadata"]["inkflow_booking_id"], ours.booking.to_string());
    assert_eq!(there["duration"], 120);
    assert_eq!(there["attendees"][0]["email"], "camille+tattoo@example.com");
    assert_eq!(there["attendees"][0]["language"], "fr");
    for _ in 0..2 {
        assert_eq!(ours.sync(GONE).await, Converged::Removed);
    }
    assert_eq!(desk.writes(), 2, "one creation, one cancellation");
    let there = desk.stand_in.booking(&uid).expect("it is remembered");
    assert_eq!(
        (&there["status"], &there["cancellationReason"]),
        (&"cancelled".into(), &"InkFlow: hold_expired".into())
    );
    // Late money brings it back.
    let revived = ours.stands(PAID).await;
    assert!(revived != uid && desk.live().len() == 1);
}

#[tokio::test]
async fn what_was_never_there_needs_no_cancelling() {
    let desk = Desk::open().await;
    assert_eq!(desk.appointment(1).sync(GONE).await, Converged::NothingToDo);
    assert_eq!(desk.writes(), 0);
}

#[tokio::test]
async fn a_lost_answer_never_makes_a_second_entry() {
    let losses: [fn(&mut Switches); 2] =
        [|switches| switches.api.lose_answer = 1, |switches| switches.api.fail_after_executing = 1];
    for lose in losses {
        let desk = Desk::open().await;
        let mut ours = desk.appointment(1);
        desk.switch(lose);
        // The same run looks again and finds it.
        let uid = ours.stands(PAID).await;
        assert_eq!(desk.stand_in.bookings().len(), 1);
        // A worker that died before it could note the uid.
        ours.uid = None;
        assert_eq!(ours.stands(PAID).await, uid);
        desk.switch(lose);
        assert_eq!(ours.sync(GONE).await, Converged::Removed);
        assert_eq!(desk.stand_in.bookings().len(), 1);
    }
}

#[tokio::test]
async fn two_workers_at_once_make_one_entry() {
    for event_type in [5, WITH_A_YES] {
        let desk = Desk::open().await;
        let mut one = Appointment { event_type, ..desk.appointment(1) };
        let (mut two, mut three) = (one.clone(), one.clone());
        let outcomes = tokio::join!(one.sync(PAID), two.sync(PAID), three.sync(PAID));
        let uids = [one.uid, two.uid, three.uid].into_iter().flatten().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(uids.len(), 1, "{outcomes:?}");
        assert_eq!(desk.live().len(), 1);
    }
}

#[tokio::test]
async fn a_time_that_somebody_else_has_is_a_conflict_in_either_envelope() {
    for bare in [false, true] {
        let desk = Desk::open().await;
        desk.switch(|switches| switches.bare_errors = bare);
        let mut ours = desk.appointment(1);
        let end = ours.start.checked_add(SignedDuration::from_hours(1)).expect("in range");
        let block = desk.stand_in.block("noa-keller", ours.start, end, "dentiste").expect("a user");
        assert_eq!(ours.sync(PAID).await, Converged::Conflict { why: Clash::Taken });
        desk.stand_in.unblock(block);
        ours.stands(PAID).await;
    }
}

#[tokio::test]
async fn a_lost_race_is_run_again() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    desk.switch(|switches| switches.conflict = 1);
    assert!(is_retry(&ours.sync(PAID).await));
    ours.stands(PAID).await;
}

#[tokio::test]
async fn a_new_booking_waits_until_the_old_hold_has_left_the_calendar() {
    let desk = Desk::open().await;
    let (mut old, mut new) = (desk.appointment(1), desk.appointment(2));
    old.stands(HELD).await;
    assert!(is_retry(&new.sync(PAID).await), "the old hold's own job is only late");
    assert_eq!(old.sync(GONE).await, Converged::Removed);
    new.stands(PAID).await;
    // If it never leaves, the artist hears of it.
    let mut third = desk.appointment(3);
    assert_eq!(third.attempt(PAID, 6).await, Converged::Conflict { why: Clash::Taken });
}

#[tokio::test]
async fn the_artists_yes_is_given_once_the_deposit_is_paid() {
    let desk = Desk::open().await;
    let mut ours = Appointment { event_type: WITH_A_YES, ..desk.appointment(1) };
    let uid = ours.stands(HELD).await;
    let status = || desk.stand_in.booking(&uid).expect("it is there")["status"].clone();
    assert_eq!(status(), "pending");
    desk.switch(|switches| switches.api.lose_answer = 1);
    assert!(is_retry(&ours.sync(PAID).await));
    assert_eq!(ours.stands(PAID).await, uid);
    assert_eq!(status(), "accepted");
    // Another booking of the same person and time is not taken for this one.
    let mut second = Appointment { event_type: WITH_A_YES, ..desk.appointment(2) };
    assert!(!matches!(second.sync(HELD).await, Converged::Synced { .. }));
}

#[tokio::test]
async fn what_the_artist_moves_stays_where_they_put_it() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    let first = ours.stands(PAID).await;
    let second = desk.stand_in.reschedule(&first, desk.noon(4)).expect("free");
    let third = desk.stand_in.reschedule(&second, desk.noon(5)).expect("free");
    let moved = Converged::MovedThere { uid: third.clone(), start: desk.noon(5) };
    assert_eq!(ours.sync(PAID).await, moved);
    // Also when no uid was ever noted.
    ours.uid = None;
    assert_eq!(ours.sync(PAID).await, moved);
    ours.uid = Some(first);
    assert_eq!(ours.sync(GONE).await, Converged::Removed);
    assert!(desk.live().is_empty());
}

#[tokio::test]
async fn what_we_move_moves_there_once_whatever_becomes_of_the_answer() {
    let losses: [fn(&mut Switches); 3] =
        [|_| {}, |switches| switches.api.lose_answer = 1, |switches| switches.api.fail_after_executing = 1];
    for lose in losses {
        let desk = Desk::open().await;
        let mut ours = desk.appointment(1);
        let first = ours.stands(PAID).await;
        ours.start = desk.noon(4);
        desk.switch(lose);
        // Cal.com moves with its event type's own length, and says so.
        let Converged::Synced { uid: second, note: Some(Note::OtherLength) } = ours.sync(PAID).await else {
            panic!("it is free")
        };
        assert_ne!(first, second);
        assert_eq!(desk.live().len(), 1);
        let start: Timestamp = desk.live()[0]["start"].as_str().expect("a start").parse().expect("an instant");
        assert_eq!(start, desk.noon(4));
        assert!(matches!(ours.sync(PAID).await, Converged::Synced { uid, .. } if uid == second), "and there it stays");
    }
}

#[tokio::test]
async fn what_we_move_to_a_time_that_is_taken_there_is_a_conflict() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    ours.stands(PAID).await;
    let end = desk.noon(4).checked_add(SignedDuration::from_hours(1)).expect("in range");
    desk.stand_in.block("noa-keller", desk.noon(4), end, "dentiste").expect("a user");
    ours.start = desk.noon(4);
    assert_eq!(ours.sync(PAID).await, Converged::Conflict { why: Clash::Taken });
    assert_eq!(desk.live().len(), 1, "it is where it was");
}

#[tokio::test]
async fn what_the_artist_calls_off_is_not_forced_on_them() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    let uid = ours.stands(PAID).await;
    desk.stand_in.cancel(&uid, "malade").expect("it is there");
    assert!(matches!(ours.sync(PAID).await, Converged::CalledOffThere(_)));
    assert_eq!(ours.sync(GONE).await, Converged::Removed);
    let mut asked = Appointment { event_type: WITH_A_YES, ..desk.appointment(2) };
    let uid = asked.stands(HELD).await;
    desk.stand_in.decline(&uid, "pas mon style").expect("it waits");
    assert!(matches!(asked.sync(PAID).await, Converged::CalledOffThere(_)));
    assert!(desk.live().is_empty());
}

#[tokio::test]
async fn while_calcom_is_down_nothing_is_decided() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    for down in [Down::Cut, Down::InternalError, Down::Unavailable] {
        desk.switch(|switches| switches.api.down = Some(down));
        assert!(is_retry(&ours.sync(PAID).await), "{down:?}");
        assert!(is_retry(&ours.sync(GONE).await), "{down:?}");
        let slots = desk.calcom.slots(&desk.key, 5, desk.noon(1), desk.noon(2), 120).await;
        assert!(matches!(slots, Err(CalcomError::Unavailable(_))), "{slots:?}");
    }
    desk.switch(|switches| {
        switches.api.down = None;
        switches.api.rate_limited = true;
    });
    let Converged::Retry { after, .. } = ours.sync(PAID).await else { panic!("not a retry") };
    assert!(after >= Duration::from_secs(1));
    desk.switch(|switches| switches.api.rate_limited = false);
    ours.stands(PAID).await;
}

#[tokio::test]
async fn a_slow_calcom_costs_a_bounded_time() {
    let desk = Desk::open().await;
    desk.switch(|switches| switches.api.slow_ms = 30_000);
    let start = Instant::now();
    let mut ours = desk.appointment(1);
    let slots = async {
        let slots = desk.calcom.slots(&desk.key, 5, desk.noon(1), desk.noon(2), 120).await;
        (slots, start.elapsed())
    };
    let (outcome, (slots, answered)) = tokio::join!(ours.sync(PAID), slots);
    assert!(is_retry(&outcome), "{outcome:?}");
    assert!(matches!(slots, Err(CalcomError::Unavailable(_))) && answered < Duration::from_secs(5), "{answered:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_wrong_key_or_event_type_or_time_is_told_and_not_tried_for_ever() {
    let mut desk = Desk::open().await;
    let rejected = |outcome: Converged| matches!(outcome, Converged::Rejected { .. });
    assert!(rejected(Appointment { event_type: 404, ..desk.appointment(1) }.sync(PAID).await));
    let past = desk.noon(-2);
    assert!(rejected(Appointment { start: past, ..desk.appointment(1) }.sync(PAID).await));
    desk.key = Secret::new("cal_test_wrong".into());
    assert!(rejected(desk.appointment(1).sync(PAID).await));
    assert!(desk.stand_in.bookings().is_empty());
}

#[tokio::test]
async fn an_event_type_of_one_length_is_booked_in_its_own() {
    let desk = Desk::open().await;
    let mut ours = Appointment { event_type: 7, ..desk.appointment(1) };
    for _ in 0..2 {
        let outcome = ours.sync(PAID).await;
        assert!(matches!(outcome, Converged::Synced { note: Some(Note::OtherLength), .. }), "{outcome:?}");
    }
    ours.uid = None;
    ours.sync(PAID).await;
    assert_eq!(desk.stand_in.bookings().len(), 1);
}

#[tokio::test]
async fn slots_are_what_is_free_in_the_range() {
    let desk = Desk::open().await;
    desk.switch(|switches| switches.slots_outside_range = true);
    let (from, until) = (desk.noon(3), desk.noon(4));
    let slots = async || desk.calcom.slots(&desk.key, 5, from, until, 120).await.expect("it answers");
    let free = slots().await;
    assert!(!free.is_empty() && free.is_sorted());
    assert!(free.iter().all(|slot| (from..until).contains(slot)), "{free:?}");
    let taken = free[2];
    Appointment { start: taken, ..desk.appointment(1) }.stands(PAID).await;
    assert!(!slots().await.contains(&taken));
    let wrong = desk.calcom.slots(&Secret::new("cal_test_noa".into()), 404, from, until, 120).await;
    assert_eq!(wrong, Err(CalcomError::NotFound));
}

#[tokio::test]
async fn a_booking_can_be_moved_from_here_and_gets_a_new_uid() {
    let desk = Desk::open().await;
    let mut ours = desk.appointment(1);
    let uid = ours.stands(PAID).await;
    let moved = desk.calcom.reschedule(&desk.key, &uid, desk.noon(6), "InkFlow: moved").await.expect("free");
    assert!(moved.uid != uid && moved.start == desk.noon(6) && moved.inkflow_id == Some(ours.booking));
    let old = desk.calcom.get(&desk.key, &uid).await.expect("it is remembered");
    assert_eq!(old.moved_to, Some(moved.uid));
}

/// A small generator: the same numbers on every machine, named by their seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test]
async fn whatever_happens_on_the_way_it_ends_as_wanted_and_never_twice() {
    for seed in 0..150 {
        let mut dice = Dice(seed);
        let desk = Desk::open().await;
        let event_type = [5, WITH_A_YES, 7][usize::try_from(dice.roll(3)).expect("small")];
        let mut ours = Appointment { event_type, ..desk.appointment(1) };
        let mut want = HELD;
        for _ in 0..12 {
            want = [HELD, PAID, GONE][usize::try_from(dice.roll(3)).expect("small")];
            let failure = dice.roll(6);
            desk.switch(|switches| {
                *switches = Switches::default();
                match failure {
                    0 => switches.api.lose_answer = 1,
                    1 => switches.api.fail_after_executing = 1,
                    2 => switches.api.down = Some(Down::Cut),
                    3 => switches.conflict = 1,
                    _ => {}
                }
            });
            let mut twin = ours.clone();
            if dice.roll(3) == 0 {
                // Two workers, and perhaps with an older idea of what is wanted.
                let other = [HELD, PAID, GONE][usize::try_from(dice.roll(3)).expect("small")];
                tokio::join!(ours.sync(want), twin.sync(other));
            } else {
                ours.sync(want).await;
            }
            if dice.roll(4) == 0 {
                // The worker died before it noted anything.
                ours.uid = None;
            }
            assert!(desk.live().len() <= 1, "seed {seed}: {:?}", desk.live());
        }
        desk.switch(|switches| *switches = Switches::default());
        ours.sync(want).await;
        let outcome = ours.sync(want).await;
        let live = desk.live();
        match want {
            Want::Absent { .. } => assert!(live.is_empty(), "seed {seed}: {outcome:?} {live:?}"),
            Want::Present { confirmed } => {
                assert_eq!(live.len(), 1, "seed {seed}: {outcome:?}");
                assert!(!confirmed || live[0]["status"] == "accepted", "seed {seed}: {outcome:?} {live:?}");
                assert_eq!(live[0]["uid"].as_str(), ours.uid.as_deref(), "seed {seed}");
            }
        }
    }
}
