//! Split ratios from what a holding did.

use lotwise_core::Rounding::HalfEven;
use lotwise_core::{Shares, mul_div};

/// New shares per old shares, reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Shares after.
    pub new: i128,
    /// Shares before.
    pub old: i128,
}

impl Ratio {
    /// No change.
    pub const ONE: Self = Self { new: 1, old: 1 };

    /// Reduced; `None` unless both parts are above zero.
    #[must_use]
    pub fn new(new: i128, old: i128) -> Option<Self> {
        if new <= 0 || old <= 0 {
            return None;
        }
        let divisor = gcd(new, old);
        Some(Self { new: new / divisor, old: old / divisor })
    }

    /// The simplest ratio (smallest parts) that turns `before` into `after` shares, the fraction of
    /// a share that was paid in cash instead left aside.
    #[must_use]
    pub fn explaining(before: Shares, after: Shares) -> Option<Self> {
        let exact = Self::new(after.billionths(), before.billionths())?;
        // Companies split 2-for-1, 3-for-2, 5-for-4, 21-for-20 or 1-for-n; 10-for-7 is a 3-for-2
        // whose half share was paid in cash.
        if exact.old <= 6 || exact.new == 1 || exact.new - exact.old == 1 {
            return Some(exact);
        }
        let whole = Shares::from_whole(1);
        (1..=50_i128)
            .flat_map(|old| (1..=200_i128).map(move |new| (new, old)))
            .filter_map(|(new, old)| Self::new(new, old).filter(|ratio| ratio.new == new && ratio.old == old))
            .filter(|ratio| {
                let rest = ratio.apply(before) - after;
                !rest.is_negative() && rest < whole
            })
            .min_by_key(|ratio| (ratio.new + ratio.old, ratio.old))
    }

    /// Shares after the split, rounded half to even at the billionth.
    #[must_use]
    pub fn apply(self, shares: Shares) -> Shares {
        Shares::from_billionths(mul_div(shares.billionths(), self.new, self.old, HalfEven).unwrap_or(0))
    }

    /// Shares before the split, rounded up at the billionth so that they suffice.
    #[must_use]
    pub fn undo(self, shares: Shares) -> Shares {
        let exact = mul_div(shares.billionths(), self.old, self.new, HalfEven).unwrap_or(0);
        let candidate = Shares::from_billionths(exact);
        if self.apply(candidate) < shares { candidate + Shares::from_billionths(1) } else { candidate }
    }

    /// This split after `earlier`. `None` beyond the range.
    #[must_use]
    pub fn after(self, earlier: Self) -> Option<Self> {
        Self::new(self.new.checked_mul(earlier.new)?, self.old.checked_mul(earlier.old)?)
    }

    /// New and old shares as counts of shares, for the tax engine.
    #[must_use]
    pub(crate) fn as_shares(self) -> (Shares, Shares) {
        const WHOLE: i128 = 1_000_000_000;
        // A ratio of billionths is as good as one of whole shares where those would not fit.
        let unit = if self.new.max(self.old) > i128::from(u32::MAX) { 1 } else { WHOLE };
        (Shares::from_billionths(self.new * unit), Shares::from_billionths(self.old * unit))
    }

    /// Reads `3-for-2`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (new, old) = text.split_once("-for-")?;
        Self::new(new.trim().parse().ok()?, old.trim().parse().ok()?)
    }

    /// As a float, for comparison with prices.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.new as f64 / self.old as f64
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-for-{}", self.new, self.old)
    }
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(text: &str) -> Shares {
        Shares::parse(text).unwrap()
    }

    #[test]
    fn the_simplest_ratio_explains_a_change_of_holding() {
        for (before, after, ratio) in [
            ("1", "10", "10-for-1"),
            ("100", "150", "3-for-2"),
            ("7", "10", "3-for-2"),
            ("50.25", "100.5", "2-for-1"),
            ("1000", "50", "1-for-20"),
        ] {
            assert_eq!(Ratio::explaining(shares(before), shares(after)).unwrap().to_string(), ratio);
        }
        assert_eq!(Ratio::explaining(shares("10.123457"), shares("15")).unwrap().to_string(), "3-for-2");
        assert_eq!(Ratio::explaining(shares("0"), shares("15")), None);
    }

    #[test]
    fn undoing_a_split_gives_enough_shares() {
        let ratio = Ratio::new(3, 1).unwrap();
        assert!(ratio.apply(ratio.undo(shares("10"))) >= shares("10"));
    }
}
