//! What the machines that try to break InkFlow do: a plan made from a seed, and how a plan that broke something is made
//! shorter. Pure but for `hostile`: nothing here runs anything, so that a plan can be kept in a file and run again.

use serde::{Deserialize, Serialize};

// The doors where strangers' bytes come in.
pub mod hostile;

/// Numbers that only look random: the same seed gives the same plan on every machine.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (`SplitMix64`).
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`.
    pub fn below(&mut self, sides: u8) -> u8 {
        u8::try_from(self.roll() % u64::from(sides.max(1))).unwrap_or_default()
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = usize::try_from(self.roll() % from.len() as u64).unwrap_or_default();
        from[index].clone()
    }
}

/// Something that asks a function of InkFlow. Numbers mean "the n-th of those there are, round and round".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// A client wants a slot, for a flash or a project.
    Book {
        client: u8,
        artist: u8,
        /// Which flash; one past the last is a project.
        piece: u8,
        slot: u8,
    },
    /// A client gives an unpaid slot back.
    GiveBack { booking: u8 },
    /// Stripe delivers one of its events, old or new, in whatever order.
    Deliver {
        /// Which event, the newest first.
        event: u8,
        /// Twice at the same time.
        twice: bool,
    },
    /// The schedule.
    Sweep,
    /// The queue hands messages over.
    Work {
        /// At most so many at once.
        messages: u8,
        /// They come again later, whatever became of them.
        doubled: bool,
    },
    /// Cal.com delivers one of its webhooks, old or new.
    Notify {
        /// Which delivery, the newest first.
        hook: u8,
    },
    /// The artist cancels in the dashboard.
    CancelByArtist { booking: u8 },
    /// The artist confirms by hand.
    ConfirmByArtist { booking: u8 },
    /// A client cancels, with what the policy gives back.
    CancelByClient { booking: u8 },
}

/// How the process that answers a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Death {
    /// It lives.
    None,
    /// It is killed where it waits for the n-th time.
    AtAwait(u8),
    /// The database does what the n-th flight asks, and the line drops before the answer.
    AnswerLost(u8),
}

/// What happens outside InkFlow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outside {
    /// Somebody pays on Stripe's page.
    Pay {
        /// Which session, the newest first.
        session: u8,
    },
    /// A card is refused.
    Decline { session: u8 },
    /// A payment is submitted whose bank answers later.
    PayLater { session: u8 },
    /// That bank answers.
    BankAnswers {
        session: u8,
        /// It says yes.
        yes: bool,
    },
    /// Somebody gives a payment back in Stripe's dashboard.
    RefundAtStripe { payment: u8 },
    /// A bank returns a refund.
    RefundFails { refund: u8 },
    /// Somebody gives a part of a payment back there.
    PartRefundAtStripe {
        payment: u8,
        /// Of the payment as it came.
        percent: u8,
    },
    /// From now on refunds wait: for the bank, or for the customer to say where the money should go.
    RefundsWait { for_customer: bool },
    /// From now on they are made at once.
    RefundsAreMade,
    /// A refund that waited is made, or called off.
    RefundEnds { refund: u8, made: bool },
    /// A cardholder contests a payment.
    Dispute { payment: u8 },
    /// A cardholder contests a part of a payment, or the bank only asks about it.
    DisputePart { payment: u8, percent: u8, inquiry: bool },
    /// A dispute becomes something else, where it can: which state, by its number.
    DisputeMoves { dispute: u8, to: u8 },
    /// The dispute is decided.
    DisputeDecided {
        dispute: u8,
        /// For us.
        won: bool,
    },
    /// Something else takes a slot in the artist's Cal.com.
    TakenElsewhere { slot: u8 },
    /// The artist moves a booking in Cal.com.
    MovedInCalendar {
        /// Which booking there.
        booking: u8,
        slot: u8,
    },
    /// The artist cancels a booking in Cal.com.
    CancelledInCalendar {
        /// Which booking there.
        booking: u8,
    },
    /// Time passes.
    Minutes(u16),
}

/// What is wrong with the services outside while a step lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// Nothing.
    Calm,
    /// Stripe closes every connection.
    StripeDown,
    /// Stripe does what it is asked and does not answer, so many times.
    StripeSilent(u8),
    /// Stripe does what it is asked and answers with a 500, so many times.
    StripeFails(u8),
    /// Cal.com answers 503.
    CalendarDown,
    /// Cal.com does what it is asked and does not answer, so many times.
    CalendarSilent(u8),
    /// Cal.com loses a race with itself.
    CalendarConflict,
    /// Cal.com is asked too often.
    CalendarLimited,
    /// Cal.com answers this many milliseconds late, or too late.
    CalendarSlow(u16),
    /// SQS takes nothing.
    QueueDown,
    /// SES takes nothing.
    MailDown,
    /// SES takes everything, and its answers are lost.
    MailMute,
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Functions are asked, all at the same time.
    Calls {
        weather: Weather,
        /// Who asks what, and how its process ends.
        calls: Vec<(Call, Death)>,
    },
    Outside(Outside),
}

/// What is done to InkFlow, in order.
pub type Plan = Vec<Step>;

pub const CLIENTS: u8 = 5;

/// The plan of a seed.
pub fn plan(seed: u64, steps: usize) -> Plan {
    let mut dice = Dice::new(seed);
    // Some worlds never hear of a webhook, some have no outages: each kind of trouble is also seen alone.
    let (deaths, storms, webhooks) = (dice.chance(70), dice.chance(70), !dice.chance(30));
    (0..steps).map(|_| step(&mut dice, deaths, storms, webhooks)).collect()
}

fn step(dice: &mut Dice, deaths: bool, storms: bool, webhooks: bool) -> Step {
    if dice.chance(38) {
        return Step::Outside(outside(dice));
    }
    let weather = if storms && dice.chance(30) { weather(dice) } else { Weather::Calm };
    let at_once = if dice.chance(30) { 2 + dice.below(3) } else { 1 };
    let calls = (0..at_once)
        .map(|_| {
            let death = if deaths && dice.chance(25) { death(dice) } else { Death::None };
            (call(dice, webhooks), death)
        })
        .collect();
    Step::Calls { weather, calls }
}

fn call(dice: &mut Dice, webhooks: bool) -> Call {
    match dice.below(100) {
        0..30 => {
            Call::Book { client: dice.below(CLIENTS), artist: dice.below(2), piece: dice.below(6), slot: dice.below(6) }
        }
        30..35 => Call::GiveBack { booking: dice.below(12) },
        35..55 if webhooks => Call::Deliver { event: dice.below(24), twice: dice.chance(20) },
        35..45 => Call::Sweep,
        45..72 => Call::Work { messages: 1 + dice.below(9), doubled: dice.chance(20) },
        72..80 => Call::Sweep,
        80..86 => Call::Notify { hook: dice.below(8) },
        86..90 => Call::CancelByArtist { booking: dice.below(12) },
        90..94 => Call::ConfirmByArtist { booking: dice.below(12) },
        _ => Call::CancelByClient { booking: dice.below(12) },
    }
}

fn death(dice: &mut Dice) -> Death {
    if dice.chance(60) { Death::AtAwait(1 + dice.below(16)) } else { Death::AnswerLost(dice.below(5)) }
}

fn weather(dice: &mut Dice) -> Weather {
    match dice.below(11) {
        0 => Weather::StripeDown,
        1 => Weather::StripeSilent(1 + dice.below(4)),
        2 => Weather::StripeFails(1 + dice.below(4)),
        3 => Weather::CalendarDown,
        4 => Weather::CalendarSilent(1 + dice.below(3)),
        5 => Weather::CalendarConflict,
        6 => Weather::CalendarLimited,
        7 => Weather::QueueDown,
        // Longer than we wait is rare: a plan should take a second, not ten.
        8 => Weather::CalendarSlow(dice.pick(&[100, 300, 300, 900, 900, 6500])),
        9 => Weather::MailMute,
        _ => Weather::MailDown,
    }
}

fn outside(dice: &mut Dice) -> Outside {
    match dice.below(100) {
        0..40 => Outside::Pay { session: dice.below(6) },
        40..44 => Outside::Decline { session: dice.below(6) },
        44..47 => Outside::PayLater { session: dice.below(6) },
        47..52 => Outside::BankAnswers { session: dice.below(8), yes: dice.chance(50) },
        52..55 => Outside::RefundAtStripe { payment: dice.below(8) },
        55..57 => Outside::RefundFails { refund: dice.below(6) },
        57..59 => Outside::Dispute { payment: dice.below(8) },
        59..61 => Outside::DisputeDecided { dispute: dice.below(4), won: dice.chance(50) },
        72..75 => Outside::PartRefundAtStripe { payment: dice.below(8), percent: dice.pick(&[1, 10, 50, 99]) },
        75..77 => Outside::RefundsWait { for_customer: dice.chance(50) },
        77..79 => Outside::RefundsAreMade,
        79..81 => Outside::RefundEnds { refund: dice.below(6), made: dice.chance(50) },
        81..84 => {
            Outside::DisputePart { payment: dice.below(8), percent: dice.pick(&[10, 40, 60]), inquiry: dice.chance(50) }
        }
        84..89 => Outside::DisputeMoves { dispute: dice.below(4), to: dice.below(10) },
        61..64 => Outside::TakenElsewhere { slot: dice.below(6) },
        64..68 => Outside::MovedInCalendar { booking: dice.below(8), slot: dice.below(6) },
        68..72 => Outside::CancelledInCalendar { booking: dice.below(8) },
        _ => Outside::Minutes(dice.pick(&[1, 1, 2, 5, 11, 20, 31, 36, 90])),
    }
}

/// Plans that may break the same thing and are shorter: first without a half, then without ever less, at last calmer.
pub fn shorter(plan: &Plan) -> Vec<Plan> {
    let mut candidates = Vec::new();
    let mut size = plan.len() / 2;
    while size >= 1 {
        for start in (0..plan.len()).step_by(size) {
            let mut candidate = plan.clone();
            candidate.drain(start..(start + size).min(plan.len()));
            candidates.push(candidate);
        }
        size /= 2;
    }
    for (index, step) in plan.iter().enumerate() {
        let Step::Calls { weather, calls } = step else { continue };
        let mut calmer = Vec::new();
        if *weather != Weather::Calm {
            calmer.push(Step::Calls { weather: Weather::Calm, calls: calls.clone() });
        }
        for (which, (call, death)) in calls.iter().enumerate() {
            if *death != Death::None {
                let mut calls = calls.clone();
                calls[which] = (call.clone(), Death::None);
                calmer.push(Step::Calls { weather: *weather, calls });
            }
            if calls.len() > 1 {
                let mut fewer = calls.clone();
                fewer.remove(which);
                calmer.push(Step::Calls { weather: *weather, calls: fewer });
            }
        }
        for step in calmer {
            let mut candidate = plan.clone();
            candidate[index] = step;
            candidates.push(candidate);
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan() {
        assert_eq!(plan(7, 40), plan(7, 40));
        assert_ne!(plan(7, 40), plan(8, 40));
        assert_eq!(plan(7, 40).len(), 40);
    }

    #[test]
    fn every_kind_of_trouble_comes_up() {
        let all = format!("{:?}", (0..300).map(|seed| plan(seed, 40)).collect::<Vec<_>>());
        for word in [
            "Book",
            "GiveBack",
            "Deliver",
            "Sweep",
            "Work",
            "Notify",
            "CancelByArtist",
            "ConfirmByArtist",
            "CancelByClient",
            "AtAwait",
            "AnswerLost",
            "Pay ",
            "Decline",
            "PayLater",
            "BankAnswers",
            "RefundAtStripe",
            "RefundFails",
            "Dispute ",
            "DisputeDecided",
            "TakenElsewhere",
            "MovedInCalendar",
            "CancelledInCalendar",
            "StripeDown",
            "StripeSilent",
            "StripeFails",
            "CalendarDown",
            "CalendarSilent",
            "CalendarConflict",
            "CalendarLimited",
            "CalendarSlow",
            "QueueDown",
            "MailDown",
            "MailMute",
        ] {
            assert!(all.contains(word), "{word}");
        }
    }

    #[test]
    fn shorter_plans_are_shorter_or_calmer() {
        let plan = plan(3, 12);
        for candidate in shorter(&plan) {
            let steps = |plan: &Plan| plan.len() + format!("{plan:?}").len();
            assert_ne!(candidate, plan);
            assert!(candidate.len() < plan.len() || steps(&candidate) <= steps(&plan) + 8);
        }
    }
}
