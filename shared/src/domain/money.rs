//! Money in whole cents, and the deposit that a price calls for.
//! No floating point, and no arithmetic that wraps: an amount is exact or it is refused.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount of money in cents; negative where a ledger needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[derive(schemars::JsonSchema)]
pub struct Cents(i64);

/// Why a text is not an amount in euros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAmount {
    /// Something else than digits, one optional point and one optional leading minus.
    #[error("is not an amount in euros")]
    NotAnAmount,
    /// A fraction of a cent.
    #[error("has more than two decimals")]
    TooManyDecimals,
    /// More than the database's `numeric(10,2)` can hold.
    #[error("is too large")]
    TooLarge,
}

impl Cents {
    pub const ZERO: Self = Self(0);

    /// The largest amount that `numeric(10,2)` holds: 99 999 999.99 €.
    pub const MAX: Self = Self(9_999_999_999);

    /// The least that Stripe takes on a card in euros.
    pub const CARD_MINIMUM: Self = Self(50);

    #[must_use]
    pub const fn new(cents: i64) -> Self {
        Self(cents)
    }

    #[must_use]
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// Reads exact decimal euros, as Postgres writes a `numeric(10,2)`: `50.00`, `50`, `50.5`, `-3.20`.
    ///
    /// # Errors
    /// Refuses a plus sign, an exponent, a comma, spaces, a fraction of a cent, and what is beyond [`Cents::MAX`].
    pub fn from_euros(text: &str) -> Result<Self, InvalidAmount> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (euros, decimals) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(InvalidAmount::NotAnAmount),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if euros.is_empty() || !digits(euros) || !digits(decimals) {
            return Err(InvalidAmount::NotAnAmount);
        }
        if decimals.len() > 2 {
            return Err(InvalidAmount::TooManyDecimals);
        }
        let cents = euros
            .bytes()
            .chain(decimals.bytes())
            .chain(std::iter::repeat_n(b'0', 2 - decimals.len()))
            .try_fold(0_i64, |sum, digit| sum.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
            .filter(|cents| *cents <= Self::MAX.0)
            .ok_or(InvalidAmount::TooLarge)?;
        Ok(Self(if negative { -cents } else { cents }))
    }

    /// Writes exact decimal euros with two decimals: the inverse of [`Cents::from_euros`].
    #[must_use]
    pub fn to_euros(self) -> String {
        let (minus, euros, cents) = self.parts();
        format!("{minus}{euros}.{cents:02}")
    }

    /// The sum, unless it leaves the range of an `i64`.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it leaves the range of an `i64`.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum, or the end of the range of an `i64` that it would leave.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or the end of the range of an `i64` that it would leave.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum of all amounts, unless it leaves the range of an `i64`.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Self>) -> Option<Self> {
        amounts.into_iter().try_fold(Self::ZERO, Self::checked_add)
    }

    /// A share of the amount, rounded half up to the cent.
    #[must_use]
    pub fn percent(self, percent: u8) -> Self {
        let share = (i128::from(self.0) * i128::from(percent) + 50).div_euclid(100);
        Self(i64::try_from(share).unwrap_or(if self.0 < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The amount as a French reader expects it: `50 €`, `1 234,50 €`, with no-break spaces.
    #[must_use]
    pub fn euros_fr(self) -> String {
        let (minus, euros, cents) = self.parts();
        let euros = grouped(euros, '\u{202f}');
        if cents == 0 { format!("{minus}{euros}\u{a0}€") } else { format!("{minus}{euros},{cents:02}\u{a0}€") }
    }

    /// The amount as an English reader expects it: `€50`, `€1,234.50`.
    #[must_use]
    pub fn euros_en(self) -> String {
        let (minus, euros, cents) = self.parts();
        let euros = grouped(euros, ',');
        if cents == 0 { format!("{minus}€{euros}") } else { format!("{minus}€{euros}.{cents:02}") }
    }

    fn parts(self) -> (&'static str, u64, u64) {
        let cents = self.0.unsigned_abs();
        (if self.0 < 0 { "-" } else { "" }, cents / 100, cents % 100)
    }
}

/// The same amount the other way: what was received is given back. Never wraps.
impl std::ops::Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

fn grouped(number: u64, separator: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * separator.len_utf8());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// What the amounts are counted in. Only the euro, but never left unsaid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    #[default]
    Eur,
}

/// The currency is not one that InkFlow works in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a currency that InkFlow works in")]
pub struct UnknownCurrency;

impl Currency {
    /// The ISO code in lower case, as Stripe writes it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eur => "eur",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        if code.eq_ignore_ascii_case(Self::Eur.code()) { Ok(Self::Eur) } else { Err(UnknownCurrency) }
    }
}

/// How much of a price is paid ahead: a share of it, but at least a minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepositRule {
    /// Share of the price.
    pub percent: u8,
    /// The least that is asked, whatever the share gives.
    pub minimum: Cents,
}

impl DepositRule {
    /// The deposit for a price: never above the price, never below what a card can pay.
    ///
    /// A price under [`Cents::CARD_MINIMUM`] cannot be paid by card at all, and the database holds none;
    /// for such a price the deposit is the price.
    #[must_use]
    pub fn deposit(self, price: Cents) -> Cents {
        price.percent(self.percent).max(self.minimum).max(Cents::CARD_MINIMUM).min(price)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn euros(text: &str) -> Cents {
        Cents::from_euros(text).unwrap_or_else(|error| panic!("{text:?} {error}"))
    }

    #[test]
    fn euros_are_read_exactly() {
        for (text, cents) in [
            ("0", 0),
            ("0.00", 0),
            ("0.01", 1),
            ("0.1", 10),
            ("50", 5_000),
            ("50.5", 5_050),
            ("50.00", 5_000),
            ("0.29", 29), // 0.29 * 100.0 is 28.999… in floating point
            ("1.15", 115),
            ("-12.50", -1_250),
            ("-0.05", -5),
            ("99999999.99", 9_999_999_999),
            ("-99999999.99", -9_999_999_999),
        ] {
            assert_eq!(euros(text).cents(), cents, "{text}");
        }
    }

    #[test]
    fn what_is_not_exact_decimal_euros_is_refused() {
        use InvalidAmount::{NotAnAmount, TooLarge, TooManyDecimals};
        for (text, error) in [
            ("", NotAnAmount),
            ("-", NotAnAmount),
            (".", NotAnAmount),
            (".50", NotAnAmount),
            ("50.", NotAnAmount),
            ("+50", NotAnAmount),
            ("--50", NotAnAmount),
            ("5-0", NotAnAmount),
            ("50.-5", NotAnAmount),
            ("1e3", NotAnAmount),
            ("1E3", NotAnAmount),
            ("50,00", NotAnAmount),
            ("1 000", NotAnAmount),
            (" 50", NotAnAmount),
            ("50\n", NotAnAmount),
            ("NaN", NotAnAmount),
            ("Infinity", NotAnAmount),
            ("0x10", NotAnAmount),
            ("1.2.3", NotAnAmount),
            ("٥٠", NotAnAmount),
            ("50.001", TooManyDecimals),
            ("50.000", TooManyDecimals),
            ("100000000", TooLarge),
            ("100000000.00", TooLarge),
            ("99999999999999999999999999", TooLarge),
        ] {
            assert_eq!(Cents::from_euros(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn a_share_is_rounded_half_up_to_the_cent() {
        for (cents, percent, share) in [
            (15_000, 30, 4_500),
            (5, 50, 3),
            (1, 50, 1),
            (1, 49, 0),
            (333, 30, 100),
            (3_335, 30, 1_001), // 1000.5
            (-1, 50, 0),
            (i64::MAX, 255, i64::MAX),
            (i64::MIN, 255, i64::MIN),
        ] {
            assert_eq!(Cents::new(cents).percent(percent).cents(), share, "{percent} % of {cents}");
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        let most = Cents::new(i64::MAX);
        assert_eq!(most.checked_add(Cents::new(1)), None);
        assert_eq!(Cents::new(i64::MIN).checked_sub(Cents::new(1)), None);
        assert_eq!(Cents::checked_sum([most, most]), None);
        assert_eq!(Cents::checked_sum([euros("50"), euros("-20.50")]), Some(euros("29.50")));
        assert_eq!(Cents::checked_sum([]), Some(Cents::ZERO));
    }

    #[test]
    fn amounts_read_well_in_both_languages() {
        for (cents, fr, en) in [
            (5_000, "50\u{a0}€", "€50"),
            (4_950, "49,50\u{a0}€", "€49.50"),
            (5, "0,05\u{a0}€", "€0.05"),
            (0, "0\u{a0}€", "€0"),
            (100_000, "1\u{202f}000\u{a0}€", "€1,000"),
            (123_456_789, "1\u{202f}234\u{202f}567,89\u{a0}€", "€1,234,567.89"),
            (99_999, "999,99\u{a0}€", "€999.99"),
            (-123_400, "-1\u{202f}234\u{a0}€", "-€1,234"),
        ] {
            assert_eq!(Cents::new(cents).euros_fr(), fr);
            assert_eq!(Cents::new(cents).euros_en(), en);
        }
    }

    #[test]
    fn the_extremes_can_be_written() {
        assert_eq!(Cents::new(i64::MIN).to_euros(), "-92233720368547758.08");
        assert_eq!(Cents::new(i64::MAX).euros_en(), "€92,233,720,368,547,758.07");
    }

    #[test]
    fn json_carries_integers_and_refuses_fractions() {
        assert_eq!(serde_json::to_string(&Cents::new(4_950)).expect("serialises"), "4950");
        assert_eq!(serde_json::from_str::<Cents>("4950").expect("comes back"), Cents::new(4_950));
        for json in ["49.5", "\"4950\"", "1e2", "9223372036854775808"] {
            assert!(serde_json::from_str::<Cents>(json).is_err(), "{json} was accepted");
        }
    }

    #[test]
    fn only_the_euro_is_known() {
        assert_eq!("eur".parse(), Ok(Currency::Eur));
        assert_eq!("EUR".parse(), Ok(Currency::Eur));
        assert_eq!("usd".parse::<Currency>(), Err(UnknownCurrency));
        assert_eq!(Currency::Eur.to_string(), "eur");
        assert_eq!(serde_json::to_string(&Currency::Eur).expect("serialises"), "\"eur\"");
    }

    #[test]
    fn a_deposit_is_a_share_with_a_floor_and_a_ceiling() {
        let rule = DepositRule { percent: 30, minimum: euros("50") };
        assert_eq!(rule.deposit(euros("300")), euros("90"), "the share");
        assert_eq!(rule.deposit(euros("100")), euros("50"), "the minimum");
        assert_eq!(rule.deposit(euros("40")), euros("40"), "the price");

        let free = DepositRule { percent: 0, minimum: Cents::ZERO };
        assert_eq!(free.deposit(euros("100")), Cents::CARD_MINIMUM);
        let all = DepositRule { percent: 100, minimum: Cents::ZERO };
        assert_eq!(all.deposit(euros("100")), euros("100"));
        let more = DepositRule { percent: 255, minimum: Cents::ZERO };
        assert_eq!(more.deposit(euros("100")), euros("100"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn euros_and_cents_are_the_same_amount(cents in -9_999_999_999_i64..=9_999_999_999) {
            let text = Cents::new(cents).to_euros();
            prop_assert_eq!(Cents::from_euros(&text), Ok(Cents::new(cents)));
            prop_assert_eq!(text.rsplit_once('.').map(|(_, decimals)| decimals.len()), Some(2));
            // The same number read by an independent parser: the digits without the point.
            prop_assert_eq!(text.replace('.', "").parse::<i64>(), Ok(cents));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,24}|[-+0-9.e]{0,14}") {
            if let Ok(cents) = Cents::from_euros(&text) {
                prop_assert!(cents.cents().unsigned_abs() <= 9_999_999_999);
                prop_assert_eq!(Cents::from_euros(&cents.to_euros()), Ok(cents));
            }
        }

        #[test]
        fn a_deposit_never_exceeds_the_price_and_a_card_can_pay_it(
            price in 50_i64..=9_999_999_999, percent: u8, minimum in 0_i64..=9_999_999_999,
        ) {
            let deposit = DepositRule { percent, minimum: Cents::new(minimum) }.deposit(Cents::new(price));
            prop_assert!(deposit <= Cents::new(price));
            prop_assert!(deposit >= Cents::CARD_MINIMUM);
            prop_assert!(deposit.cents() >= minimum.min(price));
        }

        #[test]
        fn a_larger_share_or_amount_is_never_less(
            a in 0_i64..=9_999_999_999, b in 0_i64..=9_999_999_999, p: u8, q: u8,
        ) {
            let (low, high) = (p.min(q), p.max(q));
            prop_assert!(Cents::new(a).percent(low) <= Cents::new(a).percent(high));
            prop_assert!(Cents::new(a.min(b)).percent(p) <= Cents::new(a.max(b)).percent(p));
            prop_assert_eq!(Cents::new(a).percent(100), Cents::new(a));
            prop_assert_eq!(Cents::new(a).percent(0), Cents::ZERO);
        }
    }
}
