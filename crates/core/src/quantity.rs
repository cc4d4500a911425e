//! The four exact quantities. Each counts billionths in an integer, and they mix only where a
//! multiplication means something. Sums that leave the range stop the program: a wrong sum of
//! money is worse than none, and input is bounded far below it ([`DecimalError::TooLarge`]).

use std::iter::Sum;
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use crate::fixed::{self, DecimalError, Rounding, UNIT, mul_div};

#[cold]
#[inline(never)]
fn wide_to_f64(count: i128) -> f64 {
    count as f64
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $least_decimals:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i128);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// From an integer number of billionths.
            #[must_use]
            pub const fn from_billionths(billionths: i128) -> Self {
                Self(billionths)
            }

            /// The integer number of billionths.
            #[must_use]
            pub const fn billionths(self) -> i128 {
                self.0
            }

            /// From whole units.
            #[must_use]
            pub const fn from_whole(units: i64) -> Self {
                Self(units as i128 * UNIT)
            }

            /// Reads exact decimal text (`-12.5`, `1e3`); more than nine places are an error.
            ///
            /// # Errors
            /// When the text is empty, not a decimal, too precise or too large.
            pub fn parse(text: &str) -> Result<Self, DecimalError> {
                fixed::parse(text, None).map(Self)
            }

            /// Reads decimal text, rounding half to even at the ninth place.
            ///
            /// # Errors
            /// When the text is empty, not a decimal or too large.
            pub fn parse_rounded(text: &str) -> Result<Self, DecimalError> {
                fixed::parse(text, Some(Rounding::HalfEven)).map(Self)
            }

            /// From a float at the boundary with market data, rounded to nine decimals.
            ///
            /// `None` when the value is not finite or beyond 10^15.
            #[must_use]
            pub fn from_f64(value: f64) -> Option<Self> {
                if !value.is_finite() {
                    return None;
                }
                // Shortest text that reads back to the same float: 0.1 becomes exactly 0.1.
                fixed::parse(&format!("{value:e}"), Some(Rounding::HalfEven)).ok().map(Self)
            }

            /// As a float, at the boundary with features and solvers.
            #[must_use]
            #[inline]
            #[expect(clippy::float_arithmetic, reason = "the one door from exact to float")]
            pub fn to_f64(self) -> f64 {
                // The same number, and an instruction instead of a call. The call stands apart, as otherwise it is
                // made whatever the number is.
                let count = i64::try_from(self.0).map_or_else(|_| wide_to_f64(self.0), |count| count as f64);
                count / UNIT as f64
            }

            /// The magnitude.
            #[must_use]
            pub const fn abs(self) -> Self {
                Self(self.0.abs())
            }

            /// True for exactly nothing.
            #[must_use]
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// True below zero.
            #[must_use]
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }

            /// True above zero.
            #[must_use]
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }

            /// Sum, or `None` beyond the range.
            #[must_use]
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }

            /// Rounded to `decimals` places (0 to 9).
            #[must_use]
            pub fn round(self, decimals: u32, rounding: Rounding) -> Self {
                let step = 10_i128.pow(fixed::DECIMALS.saturating_sub(decimals));
                let steps = fixed::div_round(self.0, step, rounding)
                    .expect("Invariant: the rounding step is not zero");
                Self(steps * step)
            }
        }

        impl Add for $name {
            type Output = Self;
            #[inline]
            fn add(self, other: Self) -> Self {
                Self(self.0.checked_add(other.0).expect(concat!("Invariant: ", stringify!($name), " stays in range")))
            }
        }

        impl Sub for $name {
            type Output = Self;
            #[inline]
            fn sub(self, other: Self) -> Self {
                Self(self.0.checked_sub(other.0).expect(concat!("Invariant: ", stringify!($name), " stays in range")))
            }
        }

        impl Neg for $name {
            type Output = Self;
            #[inline]
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }

        impl AddAssign for $name {
            #[inline]
            fn add_assign(&mut self, other: Self) {
                *self = *self + other;
            }
        }

        impl SubAssign for $name {
            #[inline]
            fn sub_assign(&mut self, other: Self) {
                *self = *self - other;
            }
        }

        impl Sum for $name {
            fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
                items.fold(Self::ZERO, Add::add)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(&fixed::format(self.0, $least_decimals))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(formatter, "{}({})", stringify!($name), fixed::format(self.0, 0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = DecimalError;
            fn from_str(text: &str) -> Result<Self, DecimalError> {
                Self::parse(text)
            }
        }
    };
}

quantity! {
    /// An amount of US dollars, in billionths of a dollar.
    ///
    /// Displayed as the shortest exact decimal with at least two places.
    Money, 2
}
quantity! {
    /// A price in US dollars per share, in billionths of a dollar.
    Price, 2
}
quantity! {
    /// A number of shares, in billionths of a share; negative for what leaves.
    Shares, 0
}
quantity! {
    /// A dimensionless ratio, in billionths: a tax rate (0.24), a weight, a split ratio.
    Rate, 0
}

impl Money {
    /// Cents for a report, half away from zero (tax rule 0.1).
    #[must_use]
    pub fn to_cents(self) -> Self {
        self.round(2, Rounding::HalfAwayFromZero)
    }

    /// The part of this amount that belongs to `part` of `whole` shares, rounded half to even at
    /// the billionth. Take the rest by subtraction so that the parts sum to the whole.
    ///
    /// `None` when `whole` is zero or the result is out of range.
    #[must_use]
    #[inline]
    pub fn portion(self, part: Shares, whole: Shares) -> Option<Self> {
        mul_div(self.0, part.0, whole.0, Rounding::HalfEven).map(Self)
    }

    /// This amount per share. `None` when `shares` is zero or the result is out of range.
    #[must_use]
    #[inline]
    pub fn per_share(self, shares: Shares) -> Option<Price> {
        mul_div(self.0, UNIT, shares.0, Rounding::HalfEven).map(Price)
    }

    /// Splits the amount over `shares`-proportional parts that sum to it exactly: each part is
    /// rounded towards minus infinity and the billionths left over go to the largest remainders,
    /// earlier parts first.
    ///
    /// `None` when a weight is negative, all are zero, or a product is out of range.
    #[must_use]
    pub fn split(self, weights: &[Shares]) -> Option<Vec<Self>> {
        if weights.iter().any(|weight| weight.is_negative()) {
            return None;
        }
        let total: Shares = weights.iter().copied().sum();
        if total.is_zero() {
            return None;
        }
        let mut parts = Vec::with_capacity(weights.len());
        let mut remainders = Vec::with_capacity(weights.len());
        let mut left = self.0;
        for (position, weight) in weights.iter().enumerate() {
            let product = self.0.checked_mul(weight.0)?;
            let part = product.div_euclid(total.0);
            remainders.push((product.rem_euclid(total.0), position));
            parts.push(Self(part));
            left -= part;
        }
        remainders.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, position) in remainders.into_iter().take(usize::try_from(left).ok()?) {
            parts[position].0 += 1;
        }
        Some(parts)
    }
}

impl Rate {
    /// One, or 100 %.
    pub const ONE: Self = Self(UNIT);

    /// `numerator / denominator`, rounded half to even. `None` when the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        mul_div(numerator, UNIT, denominator, Rounding::HalfEven).map(Self)
    }
}

impl Mul<Shares> for Price {
    type Output = Money;
    /// Rounds half to even at the billionth of a dollar.
    #[inline]
    fn mul(self, shares: Shares) -> Money {
        Money(
            mul_div(self.0, shares.0, UNIT, Rounding::HalfEven).expect("Invariant: price times shares stays in range"),
        )
    }
}

impl Mul<Rate> for Money {
    type Output = Self;
    /// Rounds half to even at the billionth of a dollar.
    #[inline]
    fn mul(self, rate: Rate) -> Self {
        Self(mul_div(self.0, rate.0, UNIT, Rounding::HalfEven).expect("Invariant: money times rate stays in range"))
    }
}

impl Mul<Rate> for Shares {
    type Output = Self;
    /// A split ratio applied to a holding; rounds half to even at the billionth of a share.
    fn mul(self, ratio: Rate) -> Self {
        Self(mul_div(self.0, ratio.0, UNIT, Rounding::HalfEven).expect("Invariant: shares times ratio stays in range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantities_multiply_where_it_means_something() {
        let price = Price::parse("135.0075").unwrap();
        assert_eq!(price * Shares::from_whole(300), Money::parse("40502.25").unwrap());
        assert_eq!(Money::from_whole(1000) * Rate::parse("0.238").unwrap(), Money::from_whole(238));
        assert_eq!(Money::from_whole(100).per_share(Shares::from_whole(3)), Price::parse("33.333333333").ok());
    }

    #[test]
    fn cents_round_half_away_from_zero() {
        assert_eq!(Money::parse("-0.005").unwrap().to_cents().to_string(), "-0.01");
        assert_eq!(Money::parse("2.675").unwrap().to_cents().to_string(), "2.68");
        assert_eq!(Money::from_whole(7).to_string(), "7.00");
    }

    #[test]
    fn floats_enter_as_the_decimal_they_print() {
        assert_eq!(Price::from_f64(190.38), Price::parse("190.38").ok());
        assert_eq!(Price::from_f64(f64::NAN), None);
        assert_eq!(Money::from_f64(1e300), None);
    }

    proptest! {
        #[test]
        fn split_parts_sum_to_the_whole(amount in -1_000_000_000_000_i128..1_000_000_000_000, weights in prop::collection::vec(0_i64..1_000_000, 1..20)) {
            let weights: Vec<Shares> = weights.into_iter().map(|weight| Shares::from_billionths(weight.into())).collect();
            let whole = Money::from_billionths(amount);
            match whole.split(&weights) {
                Some(parts) => prop_assert_eq!(parts.into_iter().sum::<Money>(), whole),
                None => prop_assert!(weights.iter().all(|weight| weight.is_zero())),
            }
        }
    }
}
