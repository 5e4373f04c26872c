//! The deposit, the shape of the slots, and what a cancellation costs.

use super::Flaws;
use crate::domain::money::Cents;
use crate::domain::policy::{CancellationPolicy, DepositNature};

/// What a deposit or a price may be at the most: 100 000 euros are a typing mistake.
pub(super) const MOST: i64 = 10_000_000;

/// The rules as they come in.
#[derive(Debug, Clone, Copy, Default)]
pub struct RulesDraft {
    /// The share of a flash's price that is paid ahead.
    pub deposit_percent: Option<i64>,
    pub deposit_minimum_cents: Option<i64>,
    pub project_deposit_cents: Option<i64>,
    /// How long a project's first appointment takes.
    pub project_duration_minutes: Option<i64>,
    /// How long before it an appointment can still be booked.
    pub minimum_notice_minutes: Option<i64>,
    /// The rest between two appointments.
    pub buffer_minutes: Option<i64>,
    /// How far apart two starts are.
    pub slot_step_minutes: Option<i64>,
    /// How many days ahead can be booked.
    pub horizon_days: Option<i64>,
}

/// Rules that can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The share of a flash's price that is paid ahead.
    pub deposit_percent: i16,
    pub deposit_minimum: Cents,
    pub project_deposit: Cents,
    /// How long a project's first appointment takes.
    pub project_duration_minutes: i32,
    /// How long before it an appointment can still be booked.
    pub minimum_notice_minutes: i32,
    /// The rest between two appointments.
    pub buffer_minutes: i32,
    /// How far apart two starts are.
    pub slot_step_minutes: i32,
    /// How many days ahead can be booked.
    pub horizon_days: i32,
}

impl Rules {
    pub fn parse(draft: &RulesDraft) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let percent = flaws.number("/deposit_percent", draft.deposit_percent, 0, 100);
        let minimum = amount(&mut flaws, "/deposit_minimum_cents", draft.deposit_minimum_cents);
        let project = amount(&mut flaws, "/project_deposit_cents", draft.project_deposit_cents);
        let duration = flaws.number("/project_duration_minutes", draft.project_duration_minutes, 15, 1_440);
        let notice = flaws.number("/minimum_notice_minutes", draft.minimum_notice_minutes, 0, 525_600);
        let buffer = flaws.number("/buffer_minutes", draft.buffer_minutes, 0, 1_440);
        let step = flaws.number("/slot_step_minutes", draft.slot_step_minutes, 5, 1_440);
        let horizon = flaws.number("/horizon_days", draft.horizon_days, 7, 730);
        match (percent, minimum, project, duration, notice, buffer, step, horizon) {
            (
                Some(percent),
                Some(deposit_minimum),
                Some(project_deposit),
                Some(duration),
                Some(notice),
                Some(buffer),
                Some(step),
                Some(horizon),
            ) => Ok(Self {
                deposit_percent: small(percent),
                deposit_minimum,
                project_deposit,
                project_duration_minutes: whole(duration),
                minimum_notice_minutes: whole(notice),
                buffer_minutes: whole(buffer),
                slot_step_minutes: whole(step),
                horizon_days: whole(horizon),
            }),
            _ => Err(flaws),
        }
    }
}

/// An amount that a card can pay.
pub(super) fn amount(flaws: &mut Flaws, pointer: &str, given: Option<i64>) -> Option<Cents> {
    match given {
        None => flaws.missing(pointer),
        Some(cents) if cents < Cents::CARD_MINIMUM.cents() => flaws.add(
            pointer,
            "0,50\u{a0}€ au moins\u{a0}: en dessous, aucune carte ne paie.",
            "At least €0.50: no card pays less.",
        ),
        Some(cents) if cents > MOST => flaws.add(pointer, "Ce montant est trop élevé.", "This amount is too large."),
        Some(cents) => return Some(Cents::new(cents)),
    }
    None
}

fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

pub(super) fn whole(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A policy as it comes in.
#[derive(Debug, Clone, Copy, Default)]
pub struct PolicyDraft<'a> {
    /// Up to so many hours before, everything comes back.
    pub full_refund_hours: Option<i64>,
    /// The share that comes back later than that.
    pub late_refund_percent: Option<i64>,
    /// How often the appointment may be moved.
    pub free_moves: Option<i64>,
    /// `acompte` or `arrhes`.
    pub nature: Option<&'a str>,
}

pub fn policy(draft: &PolicyDraft<'_>) -> Result<CancellationPolicy, Flaws> {
    let mut flaws = Flaws::default();
    let hours = flaws.number("/full_refund_hours", draft.full_refund_hours, 0, 8_760);
    let percent = flaws.number("/late_refund_percent", draft.late_refund_percent, 0, 100);
    let moves = flaws.number("/free_moves", draft.free_moves, 0, 20);
    let nature = draft.nature.and_then(DepositNature::parse);
    if nature.is_none() {
        flaws.add(
            "/nature",
            "Choisissez «\u{a0}acompte\u{a0}» ou «\u{a0}arrhes\u{a0}».",
            "Choose “acompte” or “arrhes”.",
        );
    }
    match (hours, percent, moves, nature) {
        (Some(hours), Some(percent), Some(moves), Some(nature)) => Ok(CancellationPolicy {
            full_refund_hours: u32::try_from(hours).unwrap_or(u32::MAX),
            late_refund_percent: u8::try_from(percent).unwrap_or(u8::MAX),
            free_moves: u8::try_from(moves).unwrap_or(u8::MAX),
            nature,
        }),
        _ => Err(flaws),
    }
}

/// A policy to begin from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// A name for programs.
    pub id: &'static str,
    pub name_fr: &'static str,
    pub name_en: &'static str,
    pub policy: CancellationPolicy,
}

/// The policies that most studios choose between, the most generous first.
pub const TEMPLATES: [Template; 3] = [
    Template { id: "flexible", name_fr: "Souple", name_en: "Flexible", policy: acompte(24, 50, 2) },
    Template { id: "balanced", name_fr: "Équilibrée", name_en: "Balanced", policy: acompte(72, 0, 1) },
    Template { id: "strict", name_fr: "Stricte", name_en: "Strict", policy: acompte(168, 0, 0) },
];

const fn acompte(full_refund_hours: u32, late_refund_percent: u8, free_moves: u8) -> CancellationPolicy {
    CancellationPolicy { full_refund_hours, late_refund_percent, free_moves, nature: DepositNature::Acompte }
}

#[cfg(test)]
mod tests {
    use super::super::pointers;
    use super::*;
    use crate::domain::locale::Locale;

    fn draft() -> RulesDraft {
        RulesDraft {
            deposit_percent: Some(30),
            deposit_minimum_cents: Some(5_000),
            project_deposit_cents: Some(8_000),
            project_duration_minutes: Some(120),
            minimum_notice_minutes: Some(1_440),
            buffer_minutes: Some(30),
            slot_step_minutes: Some(30),
            horizon_days: Some(180),
        }
    }

    #[test]
    fn rules_are_read_to_the_bounds_of_the_schema() {
        assert_eq!(Rules::parse(&draft()).expect("fine").deposit_minimum, Cents::new(5_000));
        let least = RulesDraft {
            deposit_percent: Some(0),
            deposit_minimum_cents: Some(50),
            project_deposit_cents: Some(50),
            project_duration_minutes: Some(15),
            minimum_notice_minutes: Some(0),
            buffer_minutes: Some(0),
            slot_step_minutes: Some(5),
            horizon_days: Some(7),
        };
        assert!(Rules::parse(&least).is_ok());
    }

    #[test]
    fn every_field_out_of_bounds_is_named() {
        let flaws = Rules::parse(&RulesDraft::default()).expect_err("nothing is given");
        assert_eq!(flaws.into_vec().len(), 8);
        for (change, pointer) in [
            (RulesDraft { deposit_percent: Some(101), ..draft() }, "/deposit_percent"),
            (RulesDraft { deposit_minimum_cents: Some(49), ..draft() }, "/deposit_minimum_cents"),
            (RulesDraft { project_deposit_cents: Some(i64::MAX), ..draft() }, "/project_deposit_cents"),
            (RulesDraft { project_duration_minutes: Some(14), ..draft() }, "/project_duration_minutes"),
            (RulesDraft { minimum_notice_minutes: Some(-1), ..draft() }, "/minimum_notice_minutes"),
            (RulesDraft { buffer_minutes: Some(1_441), ..draft() }, "/buffer_minutes"),
            (RulesDraft { slot_step_minutes: Some(0), ..draft() }, "/slot_step_minutes"),
            (RulesDraft { horizon_days: Some(6), ..draft() }, "/horizon_days"),
            (RulesDraft { horizon_days: Some(731), ..draft() }, "/horizon_days"),
        ] {
            assert_eq!(pointers(&Rules::parse(&change).expect_err(pointer)), [pointer]);
        }
    }

    #[test]
    fn a_policy_is_read_or_every_field_named() {
        let read = policy(&PolicyDraft {
            full_refund_hours: Some(48),
            late_refund_percent: Some(50),
            free_moves: Some(1),
            nature: Some("arrhes"),
        });
        assert_eq!(read.expect("fine").nature, DepositNature::Arrhes);
        let flaws = policy(&PolicyDraft {
            full_refund_hours: Some(8_761),
            late_refund_percent: Some(-1),
            free_moves: Some(21),
            nature: Some("caution"),
        });
        assert_eq!(
            pointers(&flaws.expect_err("all wrong")),
            ["/full_refund_hours", "/late_refund_percent", "/free_moves", "/nature"]
        );
    }

    #[test]
    fn every_template_is_a_policy_that_can_be_stored_and_told() {
        for template in TEMPLATES {
            let CancellationPolicy { full_refund_hours, late_refund_percent, free_moves, nature } = template.policy;
            let again = policy(&PolicyDraft {
                full_refund_hours: Some(full_refund_hours.into()),
                late_refund_percent: Some(late_refund_percent.into()),
                free_moves: Some(free_moves.into()),
                nature: Some(nature.name()),
            });
            assert_eq!(again, Ok(template.policy), "{}", template.id);
            assert!(template.policy.sentence(Locale::Fr).starts_with("L’acompte"));
        }
    }
}
