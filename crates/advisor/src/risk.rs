//! The chance that a price falls, under a stated volatility.

/// Days in a year of calendar days, as annualised volatility is scaled here (SPEC T-10).
pub(crate) const DAYS_PER_YEAR: f64 = 365.0;

/// Probability that a standard normal number is at most `z`.
///
/// Through the complementary error function, so that the lower tail keeps its relative accuracy.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / std::f64::consts::SQRT_2)
}

/// Probability that a price stands more than `fall` (0.0318 for 3.18 %) lower in `days` calendar
/// days, if its logarithm moves like a random walk with the given annual volatility and its
/// expected simple return, continuously compounded, is `drift_annual` (0 for none).
///
/// With no drift the price is as likely as not to end a little below today's, since its expected
/// value, not its median, stays where it is. A negative `fall` asks for the chance of ending below
/// a price above today's.
///
/// `None` when a number is not finite, the volatility is negative, or the fall is 100 % or more.
#[must_use]
pub fn probability_of_fall(fall: f64, days: u32, volatility_annual: f64, drift_annual: f64) -> Option<f64> {
    let finite = fall.is_finite() && volatility_annual.is_finite() && drift_annual.is_finite();
    if !finite || volatility_annual < 0.0 || fall >= 1.0 {
        return None;
    }
    let years = f64::from(days) / DAYS_PER_YEAR;
    let spread = volatility_annual * years.sqrt();
    let distance = (-fall).ln_1p() - (drift_annual - volatility_annual * volatility_annual / 2.0) * years;
    if spread > 0.0 {
        return Some(normal_cdf(distance / spread));
    }
    // Without spread the price is certain; it falls by more only if the limit lies above it.
    Some(if distance > 0.0 { 1.0 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_cdf_agrees_with_tables() {
        // scipy.stats.norm.cdf
        for (z, wanted) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-1.0, 0.158_655_253_931_457_05),
            (1.959_963_984_540_054, 0.975),
            (-8.0, 6.220_960_574_271_786e-16),
        ] {
            assert!((normal_cdf(z) / wanted - 1.0).abs() < 1e-13, "at {z}: {}", normal_cdf(z));
        }
    }

    #[test]
    fn chance_of_losing_the_saving_while_waiting_agrees_with_the_worked_example() {
        // Tax specification 7.1: a fall of 3.18 % in 26 days.
        for (volatility, wanted) in [(0.20, 0.28), (0.25, 0.33), (0.40, 0.40)] {
            let chance = probability_of_fall(0.0318, 26, volatility, 0.0).unwrap();
            assert!((chance - wanted).abs() < 0.005, "{chance} at {volatility}");
        }
    }

    #[test]
    fn chance_grows_with_volatility_and_shrinks_with_drift_and_with_the_fall() {
        let chance = |fall, volatility, drift| probability_of_fall(fall, 26, volatility, drift).unwrap();
        assert!(chance(0.05, 0.3, 0.0) < chance(0.05, 0.4, 0.0));
        assert!(chance(0.05, 0.3, 0.0) < chance(0.03, 0.3, 0.0));
        assert!(chance(0.05, 0.3, 0.2) < chance(0.05, 0.3, 0.0));
        assert!(chance(-0.05, 0.3, 0.0) > 0.5, "most paths end below a price above today's");
    }

    #[test]
    fn certain_and_impossible_questions() {
        assert_eq!(probability_of_fall(0.01, 26, 0.0, 0.0), Some(0.0));
        assert_eq!(probability_of_fall(0.01, 365, 0.0, -0.05), Some(1.0));
        assert_eq!(probability_of_fall(0.01, 0, 0.3, 0.0), Some(0.0));
        assert_eq!(probability_of_fall(1.0, 26, 0.3, 0.0), None);
        assert_eq!(probability_of_fall(0.01, 26, f64::NAN, 0.0), None);
        assert_eq!(probability_of_fall(0.01, 26, -0.3, 0.0), None);
    }
}
