//! How likely a Sharpe ratio is to be real (SPEC V-06).
//!
//! Sharpe ratios here are per session, not annualised: the length of the record is part of the
//! evidence. Source: Bailey and López de Prado, "The Sharpe ratio efficient frontier" (2012) and "The
//! deflated Sharpe ratio" (2014).

use super::moments::{Moments, normal_cdf, normal_quantile};

/// The Euler–Mascheroni constant.
const EULER: f64 = 0.577_215_664_901_532_9;

/// The probability that the true Sharpe ratio exceeds `threshold`, given excess returns of a record
/// whose skewness and kurtosis are taken into account. `None` without enough data.
#[must_use]
pub fn probabilistic_sharpe(excess_returns: &[f64], threshold: f64) -> Option<f64> {
    let moments = Moments::of(excess_returns)?;
    let ratio = moments.ratio();
    let spread = 1.0 - moments.skewness * ratio + (moments.kurtosis - 1.0) / 4.0 * ratio * ratio;
    if spread <= 0.0 {
        return None;
    }
    Some(normal_cdf((ratio - threshold) * (moments.n as f64 - 1.0).sqrt() / spread.sqrt()))
}

/// The Sharpe ratio that the best of `n_trials` configurations without any skill is expected to show,
/// when the trials' ratios vary by `std_dev`. Zero for a single trial; `None` for none.
#[must_use]
pub fn expected_best_sharpe(std_dev: f64, n_trials: usize) -> Option<f64> {
    let trials = n_trials as f64;
    match n_trials {
        0 => None,
        1 => Some(0.0),
        _ => {
            let first = normal_quantile(1.0 - 1.0 / trials)?;
            let second = normal_quantile(1.0 - 1.0 / (trials * std::f64::consts::E))?;
            Some(std_dev * ((1.0 - EULER) * first + EULER * second))
        }
    }
}

/// The probability that the chosen configuration has any skill, given that it was the best of
/// `n_trials`. `trial_ratios` are the Sharpe ratios per session of the trials at hand, which may be
/// fewer than were tried.
#[must_use]
pub fn deflated_sharpe(excess_returns: &[f64], trial_ratios: &[f64], n_trials: usize) -> Option<f64> {
    let n_trials = n_trials.max(trial_ratios.len());
    let std_dev = match n_trials {
        0 | 1 => 0.0,
        _ => Moments::of(trial_ratios)?.std_dev,
    };
    probabilistic_sharpe(excess_returns, expected_best_sharpe(std_dev, n_trials)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(mean: f64) -> Vec<f64> {
        (0..250).map(|day| mean + 0.01 * f64::from((day * 37 + 11) % 100) / 50.0 - 0.01).collect()
    }

    #[test]
    fn a_ratio_exceeds_itself_with_even_odds() {
        let returns = record(0.001);
        let ratio = Moments::of(&returns).unwrap().ratio();
        assert!((probabilistic_sharpe(&returns, ratio).unwrap() - 0.5).abs() < 1e-12);
        assert!(probabilistic_sharpe(&returns, 0.0).unwrap() > 0.9);
        assert_eq!(probabilistic_sharpe(&[0.01; 50], 0.0), None);
    }

    #[test]
    fn the_published_example_of_the_deflated_ratio_comes_out() {
        // The example of the 2014 paper: 100 trials whose annual ratios vary by 1/2, 250 sessions a year.
        let best = expected_best_sharpe((0.5_f64 / 250.0).sqrt(), 100).unwrap();
        assert!((best - 0.1132).abs() < 5e-5, "{best}");
        // Annual ratio 2.5 over 1,250 sessions, skewness -3, kurtosis 10: probability 0.9004.
        let ratio = 2.5 / 250.0_f64.sqrt();
        let spread = (1.0 + 3.0 * ratio + 9.0 / 4.0 * ratio * ratio).sqrt();
        let probability = normal_cdf((ratio - best) * 1249.0_f64.sqrt() / spread);
        assert!((probability - 0.9004).abs() < 5e-5, "{probability}");
    }

    #[test]
    fn more_trials_deflate_more() {
        let returns = record(0.001);
        let trials = [0.05, 0.0, -0.05, 0.1];
        let few = deflated_sharpe(&returns, &trials, 4).unwrap();
        let many = deflated_sharpe(&returns, &trials, 400).unwrap();
        assert!(many < few && few < probabilistic_sharpe(&returns, 0.0).unwrap());
        assert_eq!(deflated_sharpe(&returns, &[], 1), probabilistic_sharpe(&returns, 0.0));
    }
}
