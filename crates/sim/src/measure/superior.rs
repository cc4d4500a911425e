//! Hansen's test of superior predictive ability (2005): whether the best of several configurations
//! beats a benchmark by more than the best of as many would by luck (SPEC V-06).

use lotwise_core::Seed;

use super::bootstrap::StationaryBootstrap;

/// What the test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SuperiorAbility {
    /// The configuration with the largest studentised mean difference.
    pub best: usize,
    /// That difference, zero where no configuration beats the benchmark.
    pub statistic: f64,
    /// Probability of a statistic as large when no configuration is better than the benchmark;
    /// configurations that are clearly worse do not count against the others.
    pub p_value: f64,
}

/// Tests `returns[k]`, the returns of configuration `k`, against those of the benchmark over the same
/// sessions. `None` without configurations, for fewer than 20 sessions, series of different length,
/// or when no configuration ever differs from the benchmark.
#[must_use]
pub fn superior_predictive_ability(
    returns: &[Vec<f64>],
    benchmark: &[f64],
    bootstrap: StationaryBootstrap,
    seed: Seed,
) -> Option<SuperiorAbility> {
    let n_sessions = benchmark.len();
    if n_sessions < 20 || returns.iter().any(|series| series.len() != n_sessions) {
        return None;
    }
    let count = n_sessions as f64;
    let mut rivals = Vec::new();
    for (at, series) in returns.iter().enumerate() {
        let differences: Vec<f64> = series.iter().zip(benchmark).map(|(ret, other)| ret - other).collect();
        let mean = differences.iter().sum::<f64>() / count;
        let variance = long_run_variance(&differences, mean, bootstrap.mean_block);
        if variance.is_finite() && variance > 0.0 {
            rivals.push(Rival { at, differences, mean, std_dev: variance.sqrt() });
        }
    }
    let studentised = |rival: &Rival| count.sqrt() * rival.mean / rival.std_dev;
    let best = rivals.iter().rev().max_by(|a, b| studentised(a).total_cmp(&studentised(b)))?;
    let statistic = studentised(best).max(0.0);
    // A mean below this is taken for truly negative and left where it is (Hansen's consistent choice).
    let clearly_worse = (2.0 * count.ln().ln()).sqrt();
    let centres: Vec<f64> =
        rivals.iter().map(|rival| if studentised(rival) >= -clearly_worse { rival.mean } else { 0.0 }).collect();
    let mut as_large = 0_usize;
    bootstrap.resample(n_sessions, seed, |_, positions| {
        let largest = rivals.iter().zip(&centres).fold(0.0_f64, |largest, (rival, centre)| {
            let mean = positions.iter().map(|&at| rival.differences[at]).sum::<f64>() / count;
            largest.max(count.sqrt() * (mean - centre) / rival.std_dev)
        });
        as_large += usize::from(largest >= statistic);
    });
    Some(SuperiorAbility { best: best.at, statistic, p_value: as_large as f64 / bootstrap.n_resamples.max(1) as f64 })
}

/// A configuration's differences from the benchmark.
struct Rival {
    at: usize,
    differences: Vec<f64>,
    mean: f64,
    std_dev: f64,
}

/// Variance of the scaled mean under the stationary bootstrap (Politis and Romano 1994, lemma 1).
fn long_run_variance(values: &[f64], mean: f64, mean_block: f64) -> f64 {
    let count = values.len();
    let stay = 1.0 - 1.0 / mean_block.max(1.0);
    let covariance =
        |lag: usize| values[lag..].iter().zip(values).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / count as f64;
    let mut variance = covariance(0);
    for lag in 1..count {
        let share = lag as f64 / count as f64;
        let kernel = (1.0 - share) * stay.powi(lag as i32) + share * stay.powi((count - lag) as i32);
        if kernel < 1e-12 && lag < count / 2 {
            // The kernel is symmetric; what is left of it in the middle says nothing.
            continue;
        }
        variance += 2.0 * kernel * covariance(lag);
    }
    variance
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::Rng;

    fn noise(configuration: u64, drift: f64) -> Vec<f64> {
        let mut random = Seed::new(9).stream("noise", configuration);
        (0..300).map(|_| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5 + drift).collect()
    }

    const QUICK: StationaryBootstrap = StationaryBootstrap { mean_block: 5.0, n_resamples: 400 };

    #[test]
    fn luck_among_many_is_told_from_skill() {
        let benchmark = noise(100, 0.0);
        let lucky: Vec<Vec<f64>> = (0..30).map(|at| noise(at, 0.0)).collect();
        let found = superior_predictive_ability(&lucky, &benchmark, QUICK, Seed::new(1)).unwrap();
        assert!(found.p_value > 0.05, "{found:?}");
        let mut skilled = lucky;
        skilled[17] = noise(17, 0.15);
        let found = superior_predictive_ability(&skilled, &benchmark, QUICK, Seed::new(1)).unwrap();
        assert_eq!(found.best, 17);
        assert!(found.p_value < 0.01, "{found:?}");
    }

    #[test]
    fn a_hopeless_rival_does_not_hide_a_good_one() {
        let benchmark = noise(100, 0.0);
        let good = vec![noise(1, 0.08)];
        let alone = superior_predictive_ability(&good, &benchmark, QUICK, Seed::new(1)).unwrap().p_value;
        let crowd: Vec<Vec<f64>> = good.into_iter().chain((2..40).map(|at| noise(at, -0.4))).collect();
        let among = superior_predictive_ability(&crowd, &benchmark, QUICK, Seed::new(1)).unwrap().p_value;
        assert!((alone - among).abs() < 0.03, "{alone} {among}");
    }

    #[test]
    fn configurations_that_never_differ_cannot_be_tested() {
        let benchmark = noise(100, 0.0);
        assert_eq!(
            superior_predictive_ability(std::slice::from_ref(&benchmark), &benchmark, QUICK, Seed::new(1)),
            None
        );
        assert_eq!(superior_predictive_ability(&[], &benchmark, QUICK, Seed::new(1)), None);
        assert_eq!(superior_predictive_ability(&[vec![0.1; 3]], &benchmark, QUICK, Seed::new(1)), None);
    }
}
