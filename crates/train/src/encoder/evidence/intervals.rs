//! Means over days, how sure they are, and correlations of ranks.

use serde::Serialize;

use super::super::diagnostics::mean;

/// Half the width of a 95 % interval in standard errors.
const WIDTH: f64 = 1.96;

/// A mean over days and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Days.
    pub days: usize,
}

/// The mean over days with a normal interval; `None` of fewer than two days. Days whose outcomes overlap are
/// no independent witnesses: covariances up to `lags` days apart enter the variance (Newey and West 1987).
pub(super) fn interval(days: &[f64], lags: usize) -> Option<Interval> {
    let count = days.len() as f64;
    let middle = mean(days.iter().copied()).filter(|_| days.len() > 1)?;
    let covariance = |lag: usize| {
        let pairs = days.iter().zip(days.iter().skip(lag));
        pairs.map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>() / (count - 1.0)
    };
    let weight = |lag: usize| 1.0 - lag as f64 / (lags as f64 + 1.0);
    let variance = covariance(0) + 2.0 * (1..=lags).map(|lag| weight(lag) * covariance(lag)).sum::<f64>();
    let half = WIDTH * (variance.max(0.0) / count).sqrt();
    Some(Interval { mean: middle, low: middle - half, high: middle + half, days: days.len() })
}

/// Spearman's correlation with equal values sharing their ranks; `None` of fewer than five, or where one
/// side does not vary.
pub(super) fn rank_correlation(one: &[f64], other: &[f64]) -> Option<f64> {
    const FEWEST: usize = 5;
    if one.len() < FEWEST {
        return None;
    }
    let (a, b) = (ranks(one), ranks(other));
    let middle = (one.len() as f64 - 1.0) / 2.0;
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let size = (dot(&a, &a) * dot(&b, &b)).sqrt();
    (size > 0.0).then(|| dot(&a, &b) / size)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|other| **other < value).count() as f64;
    let equal = |value: f64| values.iter().filter(|other| **other == value).count() as f64;
    values.iter().map(|&value| below(value) + (equal(value) - 1.0) / 2.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_and_intervals_by_hand() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        let up = [1.0, 2.0, 3.0, 4.0, 9.0];
        assert!((rank_correlation(&up, &[-5.0, 0.0, 0.1, 7.0, 8.0]).unwrap() - 1.0).abs() < 1e-12);
        // Places differ by 1, 1, 0, 1, 1: 1 - 6 · 4 / (5 · 24).
        assert!((rank_correlation(&up, &[2.0, 1.0, 3.0, 5.0, 4.0]).unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(rank_correlation(&up, &[1.0; 5]), None);
        let found = interval(&[1.0, 2.0, 3.0], 0).unwrap();
        assert!((found.mean - 2.0).abs() < 1e-12 && (found.high - 2.0 - 1.96 / 3.0_f64.sqrt()).abs() < 1e-12);
        // Covariances of neighbours cancel here: deviations -1, 0, 1.
        assert_eq!(interval(&[1.0, 2.0, 3.0], 1), Some(found));
        let together = interval(&[1.0, 1.0, 3.0, 3.0], 1).unwrap();
        assert!(together.high > interval(&[1.0, 1.0, 3.0, 3.0], 0).unwrap().high);
        assert_eq!(interval(&[1.0], 0), None);
    }
}
