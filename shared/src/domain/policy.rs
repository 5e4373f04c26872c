//! What a cancelled booking gives back: one pure function of the policy, the canceller and the time.
//!
//! The policy is copied into each booking, so that a later change moves no promise already made.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::locale::Locale;
use super::money::Cents;
use super::time::before;

/// What the deposit is in French law (Code de la consommation, L214-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DepositNature {
    /// A first instalment: both sides are bound.
    #[default]
    Acompte,
    /// Earnest money: the client may withdraw by leaving it, the artist by returning it twofold.
    Arrhes,
}

impl DepositNature {
    /// The name as stored and as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acompte => "acompte",
            Self::Arrhes => "arrhes",
        }
    }

    /// The value of a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Acompte, Self::Arrhes].into_iter().find(|nature| nature.name() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Canceller {
    Client,
    Artist,
    /// InkFlow, for instance when money arrives for a slot that is gone.
    System,
}

/// An artist's rules for cancelling and moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancellationPolicy {
    /// Up to so many hours before the start, a client gets everything back.
    pub full_refund_hours: u32,
    /// The share a client gets back after that; more than 100 counts as 100.
    pub late_refund_percent: u8,
    /// How many times a client may move the appointment and keep the deposit.
    pub free_moves: u8,
    pub nature: DepositNature,
}

/// What becomes of the money of a cancelled booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// What goes back to the card.
    pub amount: Cents,
    pub kept: Cents,
    /// What the artist owes on top: the second half of "twofold" for arrhes.
    ///
    /// A card can be given back no more than it paid, so this is settled between artist and client.
    pub owed_beyond: Cents,
}

impl CancellationPolicy {
    /// What a cancellation at `now` gives back of what was `paid`.
    #[must_use]
    pub fn refund(&self, paid: Cents, canceller: Canceller, starts_at: Timestamp, now: Timestamp) -> Refund {
        let paid = paid.max(Cents::ZERO);
        let amount = match canceller {
            Canceller::Artist | Canceller::System => paid,
            Canceller::Client if self.is_early(starts_at, now) => paid,
            Canceller::Client => paid.percent(self.late_refund_percent.min(100)),
        };
        let twofold = canceller == Canceller::Artist && self.nature == DepositNature::Arrhes;
        Refund {
            amount,
            kept: paid.checked_sub(amount).unwrap_or_default(),
            owed_beyond: if twofold { paid } else { Cents::ZERO },
        }
    }

    /// True while a client who cancels gets everything back.
    #[must_use]
    pub fn is_early(&self, starts_at: Timestamp, now: Timestamp) -> bool {
        starts_at.duration_since(now) >= SignedDuration::from_hours(i64::from(self.full_refund_hours))
    }

    /// Until when a client who cancels gets everything back, of an appointment at `starts_at`; none once that is over.
    #[must_use]
    pub fn refundable_until(&self, starts_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let hours = if self.late_refund_percent >= 100 { 0 } else { self.full_refund_hours };
        let end = before(starts_at, SignedDuration::from_hours(i64::from(hours)));
        (now <= end).then_some(end)
    }

    /// The policy of one appointment: `until` is [`Self::refundable_until`] in words, as `samedi 28 novembre à 11 h 00`.
    #[must_use]
    pub fn of_appointment(&self, until: Option<&str>, locale: Locale) -> String {
        let percent = self.late_refund_percent.min(100);
        let arrhes = self.nature == DepositNature::Arrhes;
        match locale {
            Locale::Fr => {
                let late = match (percent, arrhes) {
                    (100, _) => String::new(),
                    (0, true) => "\u{202f}; ensuite, elles restent à l’artiste".to_owned(),
                    (0, false) => "\u{202f}; ensuite, il reste à l’artiste".to_owned(),
                    (percent, true) => format!("\u{202f}; ensuite, elles sont rendues à {percent}\u{a0}%"),
                    (percent, false) => format!("\u{202f}; ensuite, il est rendu à {percent}\u{a0}%"),
                };
                let (the, refundable) =
                    if arrhes { ("Les arrhes", "sont remboursables") } else { ("L’acompte", "est remboursable") };
                let soon =
                    format!("Ce rendez-vous est dans moins de {}", span(self.full_refund_hours, "heure", "jour"));
                match (until, percent, arrhes) {
                    (Some(until), ..) => format!("{the} {refundable} jusqu’au {until}{late}."),
                    (None, 0, true) => format!("{soon}\u{a0}: les arrhes ne sont plus remboursables."),
                    (None, 0, false) => format!("{soon}\u{a0}: l’acompte n’est plus remboursable."),
                    (None, percent, true) => format!("{soon}\u{a0}: les arrhes ne sont rendues qu’à {percent}\u{a0}%."),
                    (None, percent, false) => format!("{soon}\u{a0}: l’acompte n’est rendu qu’à {percent}\u{a0}%."),
                }
            }
            Locale::En => {
                let soon =
                    format!("This appointment is less than {} away", span(self.full_refund_hours, "hour", "day"));
                match (until, percent) {
                    (Some(until), 100) => format!("The deposit is refundable until {until}."),
                    (Some(until), 0) => {
                        format!("The deposit is refundable until {until}; after that, the artist keeps it.")
                    }
                    (Some(until), percent) => {
                        format!("The deposit is refundable until {until}; after that, {percent}% of it is returned.")
                    }
                    (None, 0) => format!("{soon}: the deposit is no longer refundable."),
                    (None, percent) => format!("{soon}: {percent}% of the deposit is refundable."),
                }
            }
        }
    }

    /// The policy in plain words, where no appointment is chosen yet. It promises what can be done today: moves are
    /// kept in the artist's rules, but no page lets a client make one.
    #[must_use]
    pub fn sentence(&self, locale: Locale) -> String {
        locale.pick(self.in_french(), self.in_english())
    }

    /// How a client cancels, which in a mail is by answering it, and what the client gets if the artist does.
    #[must_use]
    pub fn way(&self, in_the_mail: bool, locale: Locale) -> String {
        let how = match (locale, in_the_mail) {
            (Locale::Fr, true) => "Pour annuler, répondez à cet e-mail.",
            (Locale::Fr, false) => "Pour annuler, répondez à l’e-mail de confirmation.",
            (Locale::En, true) => "To cancel, reply to this mail.",
            (Locale::En, false) => "To cancel, reply to the confirmation mail.",
        };
        let artist = match (locale, self.nature) {
            (Locale::Fr, DepositNature::Acompte) => "Si l’artiste annule, tout vous est rendu.",
            (Locale::Fr, DepositNature::Arrhes) => "Si l’artiste annule, le double vous est dû.",
            (Locale::En, DepositNature::Acompte) => "If the artist cancels, everything is returned.",
            (Locale::En, DepositNature::Arrhes) => "If the artist cancels, you are owed twice the deposit.",
        };
        format!("{how} {artist}")
    }

    fn in_french(&self) -> String {
        let arrhes = self.nature == DepositNature::Arrhes;
        let percent = self.late_refund_percent.min(100);
        let mut text = String::from(if arrhes {
            "Les arrhes vous sont rendues en entier"
        } else {
            "L’acompte vous est rendu en entier"
        });
        text.push_str(" si vous annulez");
        if percent < 100 {
            text.push_str(&match self.full_refund_hours {
                0 => " avant l’heure du rendez-vous".to_owned(),
                hours => format!(" au moins {} avant le rendez-vous", span(hours, "heure", "jour")),
            });
            text.push_str("\u{202f}; ensuite, ");
            text.push_str(&match (percent, arrhes) {
                (0, true) => "elles restent à l’artiste".to_owned(),
                (0, false) => "il reste à l’artiste".to_owned(),
                (percent, true) => format!("elles vous sont rendues à {percent}\u{a0}%"),
                (percent, false) => format!("il vous est rendu à {percent}\u{a0}%"),
            });
        }
        text.push_str(". ");
        text.push_str(&self.way(false, Locale::Fr));
        text
    }

    fn in_english(&self) -> String {
        let percent = self.late_refund_percent.min(100);
        let mut text = String::from("The deposit is returned in full if you cancel");
        if percent < 100 {
            text.push_str(&match self.full_refund_hours {
                0 => " before the appointment starts".to_owned(),
                hours => format!(" at least {} before the appointment", span(hours, "hour", "day")),
            });
            text.push_str("; after that, ");
            text.push_str(&match percent {
                0 => "the artist keeps it".to_owned(),
                percent => format!("{percent}% of it is returned"),
            });
        }
        text.push_str(". ");
        text.push_str(&self.way(false, Locale::En));
        text
    }
}

/// Hours as people say them: "48 heures", but "7 jours" rather than "168 heures".
fn span(hours: u32, hour: &str, day: &str) -> String {
    let (number, unit) = if hours > 72 && hours.is_multiple_of(24) { (hours / 24, day) } else { (hours, hour) };
    format!("{number}\u{a0}{unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: CancellationPolicy = CancellationPolicy {
        full_refund_hours: 48,
        late_refund_percent: 50,
        free_moves: 1,
        nature: DepositNature::Acompte,
    };
    const PAID: Cents = Cents::new(5_001);

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an RFC 3339 instant")
    }

    fn given_back(policy: CancellationPolicy, canceller: Canceller, now: &str) -> (i64, i64, i64) {
        let refund = policy.refund(PAID, canceller, at("2026-11-24T09:00:00Z"), at(now));
        (refund.amount.cents(), refund.kept.cents(), refund.owed_beyond.cents())
    }

    #[test]
    fn a_client_who_cancels_in_time_gets_everything_back() {
        assert_eq!(given_back(POLICY, Canceller::Client, "2026-11-01T00:00:00Z"), (5_001, 0, 0));
        assert_eq!(given_back(POLICY, Canceller::Client, "2026-11-22T09:00:00Z"), (5_001, 0, 0), "exactly 48 hours");
    }

    #[test]
    fn a_client_who_cancels_late_gets_the_share() {
        assert_eq!(given_back(POLICY, Canceller::Client, "2026-11-22T09:00:01Z"), (2_501, 2_500, 0));
        let strict = CancellationPolicy { late_refund_percent: 0, ..POLICY };
        assert_eq!(given_back(strict, Canceller::Client, "2026-11-24T08:59:59Z"), (0, 5_001, 0));
        let absurd = CancellationPolicy { late_refund_percent: 200, ..POLICY };
        assert_eq!(given_back(absurd, Canceller::Client, "2026-11-24T08:59:59Z"), (5_001, 0, 0));
    }

    #[test]
    fn forty_eight_hours_are_hours_also_when_the_clocks_change() {
        // Paris, 25 October 2026: two wall-clock days are 49 hours here.
        let starts_at = at("2026-10-26T09:00:00+01:00[Europe/Paris]".split('[').next().expect("before the zone"));
        let early = POLICY.refund(PAID, Canceller::Client, starts_at, at("2026-10-24T10:00:00+02:00"));
        assert_eq!(early.kept, Cents::ZERO);
        let late = POLICY.refund(PAID, Canceller::Client, starts_at, at("2026-10-24T10:00:01+02:00"));
        assert_eq!(late.amount, Cents::new(2_501));
    }

    #[test]
    fn an_artist_or_the_system_gives_everything_back_at_any_time() {
        for now in ["2026-11-01T00:00:00Z", "2026-11-24T08:59:59Z", "2026-11-25T00:00:00Z"] {
            assert_eq!(given_back(POLICY, Canceller::Artist, now), (5_001, 0, 0));
            assert_eq!(given_back(POLICY, Canceller::System, now), (5_001, 0, 0));
        }
    }

    #[test]
    fn arrhes_are_owed_twofold_by_the_artist_only() {
        let arrhes = CancellationPolicy { nature: DepositNature::Arrhes, ..POLICY };
        let now = "2026-11-23T00:00:00Z";
        assert_eq!(given_back(arrhes, Canceller::Artist, now), (5_001, 0, 5_001));
        assert_eq!(given_back(arrhes, Canceller::System, now), (5_001, 0, 0));
        assert_eq!(given_back(arrhes, Canceller::Client, now), (2_501, 2_500, 0));
    }

    #[test]
    fn the_policy_is_said_in_plain_french() {
        assert_eq!(
            POLICY.sentence(Locale::Fr),
            "L’acompte vous est rendu en entier si vous annulez au moins 48\u{a0}heures avant le rendez-vous\u{202f}; \
             ensuite, il vous est rendu à 50\u{a0}%. Pour annuler, répondez à l’e-mail de confirmation. \
             Si l’artiste annule, tout vous est rendu."
        );
        let arrhes = CancellationPolicy {
            full_refund_hours: 168,
            late_refund_percent: 0,
            free_moves: 2,
            nature: DepositNature::Arrhes,
        };
        assert_eq!(
            arrhes.sentence(Locale::Fr),
            "Les arrhes vous sont rendues en entier si vous annulez au moins 7\u{a0}jours avant le rendez-vous\u{202f}; \
             ensuite, elles restent à l’artiste. Pour annuler, répondez à l’e-mail de confirmation. \
             Si l’artiste annule, le double vous est dû."
        );
        let generous = CancellationPolicy { late_refund_percent: 100, free_moves: 0, ..POLICY };
        assert_eq!(
            generous.sentence(Locale::Fr),
            "L’acompte vous est rendu en entier si vous annulez. Pour annuler, répondez à l’e-mail de confirmation. \
             Si l’artiste annule, tout vous est rendu."
        );
    }

    #[test]
    fn the_policy_is_said_in_plain_english() {
        assert_eq!(
            POLICY.sentence(Locale::En),
            "The deposit is returned in full if you cancel at least 48\u{a0}hours before the appointment; \
             after that, 50% of it is returned. To cancel, reply to the confirmation mail. \
             If the artist cancels, everything is returned."
        );
        let last_minute = CancellationPolicy {
            full_refund_hours: 0,
            late_refund_percent: 0,
            free_moves: 3,
            nature: DepositNature::Arrhes,
        };
        assert_eq!(
            last_minute.sentence(Locale::En),
            "The deposit is returned in full if you cancel before the appointment starts; after that, the artist \
             keeps it. To cancel, reply to the confirmation mail. If the artist cancels, you are owed twice the deposit."
        );
    }

    #[test]
    fn the_refund_rule_of_an_appointment_is_a_date_and_ends_when_the_refund_does() {
        let starts_at = at("2026-12-01T10:00:00Z");
        let end = Some(at("2026-11-29T10:00:00Z"));
        for now in ["2026-11-01T00:00:00Z", "2026-11-29T10:00:00Z"] {
            assert_eq!(POLICY.refundable_until(starts_at, at(now)), end);
            assert!(POLICY.is_early(starts_at, at(now)));
        }
        let late = at("2026-11-29T10:00:01Z");
        assert_eq!(POLICY.refundable_until(starts_at, late), None);
        assert!(!POLICY.is_early(starts_at, late));
        let always = CancellationPolicy { late_refund_percent: 100, ..POLICY };
        assert_eq!(
            always.refundable_until(starts_at, late),
            Some(starts_at),
            "as long as there is something to cancel"
        );
        let absurd = CancellationPolicy { full_refund_hours: u32::MAX, ..POLICY };
        assert_eq!(absurd.refundable_until(starts_at, late), None);
    }

    #[test]
    fn the_policy_of_an_appointment_says_its_own_date_or_that_it_is_too_late() {
        let strict = CancellationPolicy { full_refund_hours: 72, late_refund_percent: 0, ..POLICY };
        let arrhes = CancellationPolicy { nature: DepositNature::Arrhes, ..strict };
        let always = CancellationPolicy { late_refund_percent: 100, ..POLICY };
        let day = Some("samedi 28 novembre");
        for (policy, until, text) in [
            (
                strict,
                day,
                "L’acompte est remboursable jusqu’au samedi 28 novembre\u{202f}; ensuite, il reste à l’artiste.",
            ),
            (strict, None, "Ce rendez-vous est dans moins de 72\u{a0}heures\u{a0}: l’acompte n’est plus remboursable."),
            (
                POLICY,
                day,
                "L’acompte est remboursable jusqu’au samedi 28 novembre\u{202f}; ensuite, il est rendu à 50\u{a0}%.",
            ),
            (
                POLICY,
                None,
                "Ce rendez-vous est dans moins de 48\u{a0}heures\u{a0}: l’acompte n’est rendu qu’à 50\u{a0}%.",
            ),
            (
                arrhes,
                day,
                "Les arrhes sont remboursables jusqu’au samedi 28 novembre\u{202f}; ensuite, elles restent à l’artiste.",
            ),
            (
                arrhes,
                None,
                "Ce rendez-vous est dans moins de 72\u{a0}heures\u{a0}: les arrhes ne sont plus remboursables.",
            ),
            (always, day, "L’acompte est remboursable jusqu’au samedi 28 novembre."),
        ] {
            assert_eq!(policy.of_appointment(until, Locale::Fr), text);
        }
        let day = Some("Saturday 28 November");
        for (policy, until, text) in [
            (strict, day, "The deposit is refundable until Saturday 28 November; after that, the artist keeps it."),
            (strict, None, "This appointment is less than 72\u{a0}hours away: the deposit is no longer refundable."),
            (POLICY, day, "The deposit is refundable until Saturday 28 November; after that, 50% of it is returned."),
            (POLICY, None, "This appointment is less than 48\u{a0}hours away: 50% of the deposit is refundable."),
            (always, day, "The deposit is refundable until Saturday 28 November."),
        ] {
            assert_eq!(policy.of_appointment(until, Locale::En), text);
        }
    }

    #[test]
    fn hours_are_said_as_people_say_them() {
        for (hours, text) in [
            (1, "1\u{a0}heure"),
            (24, "24\u{a0}heures"),
            (72, "72\u{a0}heures"),
            (96, "4\u{a0}jours"),
            (100, "100\u{a0}heures"),
            (8_760, "365\u{a0}jours"),
        ] {
            assert_eq!(span(hours, "heure", "jour"), text);
        }
    }

    #[test]
    fn the_snapshot_is_stable_json() {
        let json = serde_json::to_value(POLICY).expect("a policy serialises");
        assert_eq!(
            json,
            serde_json::json!({
                "full_refund_hours": 48, "late_refund_percent": 50, "free_moves": 1, "nature": "acompte",
            })
        );
        assert_eq!(serde_json::from_value::<CancellationPolicy>(json).expect("and comes back"), POLICY);
    }

    #[test]
    fn natures_have_names() {
        assert_eq!(DepositNature::parse("arrhes"), Some(DepositNature::Arrhes));
        assert_eq!(DepositNature::parse(DepositNature::Acompte.name()), Some(DepositNature::Acompte));
        assert_eq!(DepositNature::parse("caution"), None);
    }

    fn policies() -> impl Strategy<Value = CancellationPolicy> {
        (any::<u32>(), any::<u8>(), any::<u8>(), any::<bool>()).prop_map(|(hours, percent, free_moves, arrhes)| {
            CancellationPolicy {
                full_refund_hours: hours % 1_000,
                late_refund_percent: percent,
                free_moves,
                nature: if arrhes { DepositNature::Arrhes } else { DepositNature::Acompte },
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn every_cent_is_either_given_back_or_kept(
            policy in policies(), paid in 0_i64..=9_999_999_999, who in 0..3_u8, start in 0_i64..4_000_000, now in 0_i64..4_000_000,
        ) {
            let who = [Canceller::Client, Canceller::Artist, Canceller::System][usize::from(who)];
            let instant = |second| Timestamp::from_second(second).expect("within range");
            let refund = policy.refund(Cents::new(paid), who, instant(start), instant(now));
            prop_assert_eq!(refund.amount.checked_add(refund.kept), Some(Cents::new(paid)));
            prop_assert!(refund.amount >= Cents::ZERO && refund.kept >= Cents::ZERO && refund.owed_beyond >= Cents::ZERO);
            // A later cancellation never gives more back.
            let later = policy.refund(Cents::new(paid), who, instant(start), instant(now + 3_600));
            prop_assert!(later.amount <= refund.amount);
        }

        #[test]
        fn no_policy_and_no_time_make_it_panic(hours: u32, percent: u8, paid: i64, start: i64, now: i64) {
            let policy = CancellationPolicy { full_refund_hours: hours, late_refund_percent: percent, ..POLICY };
            let within = |second: i64| {
                Timestamp::from_second(second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second()))
                    .expect("clamped into range")
            };
            let refund = policy.refund(Cents::new(paid), Canceller::Client, within(start), within(now));
            prop_assert!(refund.amount >= Cents::ZERO && refund.kept >= Cents::ZERO);
            prop_assert!(!policy.sentence(Locale::Fr).is_empty() && !policy.sentence(Locale::En).is_empty());
        }
    }
}
