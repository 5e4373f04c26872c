//! What tells two mails of one template and one booking apart: what each is about.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a mail is about, beside its booking. Stored as text: jobs and mails of before must be found under the same words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// A booking's state of this number: its version, or 1 for what is said once.
    Version(i32),
    /// What the artist had confirmed by hand is paid as well.
    Paid,
    /// The artist confirmed it by hand, as of this version.
    ByHand(i32),
    /// The artist had it sent once more, for the nth time.
    Again(usize),
    /// Cal.com keeps a booking of this version that was called off here.
    Kept(i32),
    /// It was moved in Cal.com to this time, which is taken here.
    MovedThere(Timestamp),
    /// Somebody called it off in Cal.com, where it has this uid.
    CalledOffThere(String),
    /// Stripe will not give this payment back.
    RefundImpossible(String),
    /// Something of Stripe's: a payment, a refund or a dispute, by its id.
    Stripe(String),
}

const BY_HAND: &str = "by_hand:";
const AGAIN: &str = "again:";
const KEPT: &str = "kept:";
const MOVED: &str = "moved:";
const CALLED_OFF: &str = "called_off:";
const REFUND: &str = "refund:";

impl Occasion {
    /// Of a mail that is sent once.
    pub const FIRST: Self = Self::Version(1);

    /// Whether it is about what Stripe knows under this id.
    #[must_use]
    pub fn is_of(&self, stripe_id: &str) -> bool {
        matches!(self, Self::Stripe(id) if id == stripe_id)
    }
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "{version}"),
            Self::Paid => f.write_str("paid"),
            Self::ByHand(version) => write!(f, "{BY_HAND}{version}"),
            Self::Again(number) => write!(f, "{AGAIN}{number}"),
            Self::Kept(version) => write!(f, "{KEPT}{version}"),
            Self::MovedThere(start) => write!(f, "{MOVED}{start}"),
            Self::CalledOffThere(uid) => write!(f, "{CALLED_OFF}{uid}"),
            Self::RefundImpossible(payment_intent) => write!(f, "{REFUND}{payment_intent}"),
            Self::Stripe(id) => f.write_str(id),
        }
    }
}

impl FromStr for Occasion {
    type Err = Infallible;

    /// Whatever is nothing else is an id of Stripe's.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let after = |prefix| text.strip_prefix(prefix);
        let read = if text == "paid" {
            Some(Self::Paid)
        } else if let Some(version) = after(BY_HAND) {
            version.parse().ok().map(Self::ByHand)
        } else if let Some(number) = after(AGAIN) {
            number.parse().ok().map(Self::Again)
        } else if let Some(version) = after(KEPT) {
            version.parse().ok().map(Self::Kept)
        } else if let Some(start) = after(MOVED) {
            start.parse().ok().map(Self::MovedThere)
        } else if let Some(uid) = after(CALLED_OFF) {
            Some(Self::CalledOffThere(uid.to_owned()))
        } else if let Some(payment_intent) = after(REFUND) {
            Some(Self::RefundImpossible(payment_intent.to_owned()))
        } else {
            text.parse().ok().map(Self::Version)
        };
        // Another spelling of a number is not the text that was stored.
        Ok(read.filter(|read| read.to_string() == text).unwrap_or_else(|| Self::Stripe(text.to_owned())))
    }
}

impl Serialize for Occasion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Occasion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or_else(|never: Infallible| match never {}))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_occasion_is_stored_under_the_words_of_ever() {
        let start: Timestamp = "2026-12-03T10:00:00Z".parse().unwrap();
        for (occasion, text) in [
            (Occasion::FIRST, "1"),
            (Occasion::Version(7), "7"),
            (Occasion::Paid, "paid"),
            (Occasion::ByHand(3), "by_hand:3"),
            (Occasion::Again(2), "again:2"),
            (Occasion::Kept(4), "kept:4"),
            (Occasion::MovedThere(start), "moved:2026-12-03T10:00:00Z"),
            (Occasion::CalledOffThere("bk_1".into()), "called_off:bk_1"),
            (Occasion::RefundImpossible("pi_1".into()), "refund:pi_1"),
            (Occasion::Stripe("re_1".into()), "re_1"),
        ] {
            assert_eq!(occasion.to_string(), text);
            assert_eq!(text.parse(), Ok(occasion), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_was_stored_is_written_as_it_was(text in "(by_hand:|again:|kept:|moved:|called_off:|refund:|pi_)?[0-9a-zA-Z_:+-]{0,12}") {
            let Ok(occasion) = text.parse::<Occasion>();
            prop_assert_eq!(occasion.to_string(), text);
        }
    }
}
