//! The stationary block bootstrap (Politis and Romano 1994): resampled series whose blocks begin at
//! random and have random lengths, so that dependence in time survives.

use lotwise_core::Seed;
use rand_chacha::rand_core::Rng;

/// A confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The statistic of the sample itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StationaryBootstrap {
    /// Mean length of a block, in sessions, at least one.
    pub mean_block: f64,
    /// Resampled series.
    pub n_resamples: usize,
}

impl Default for StationaryBootstrap {
    /// Blocks of ten sessions on average (SPEC V-06), 2,000 resamples.
    fn default() -> Self {
        Self { mean_block: 10.0, n_resamples: 2000 }
    }
}

impl StationaryBootstrap {
    /// Calls `each` with the positions of every resampled series of `n_sessions`. Resample `i` only
    /// depends on the seed and on `i`.
    pub fn resample(&self, n_sessions: usize, seed: Seed, mut each: impl FnMut(usize, &[usize])) {
        let stop = 1.0 / self.mean_block.max(1.0);
        let mut positions = vec![0; n_sessions];
        for resample in 0..self.n_resamples {
            let mut random = seed.stream("bootstrap", resample as u64);
            let mut position = 0;
            for (at, slot) in positions.iter_mut().enumerate() {
                position = if at == 0 || uniform(random.next_u64()) < stop {
                    below(random.next_u64(), n_sessions)
                } else {
                    (position + 1) % n_sessions
                };
                *slot = position;
            }
            each(resample, &positions);
        }
    }
}

/// The percentile interval of a statistic of the sessions `0..n_sessions`, whose positions it is given.
/// `None` where the statistic is not defined for the sample, or for more than one resample in a hundred.
#[must_use]
pub fn bootstrap_interval(
    bootstrap: StationaryBootstrap,
    n_sessions: usize,
    confidence: f64,
    seed: Seed,
    statistic: impl Fn(&[usize]) -> Option<f64>,
) -> Option<Interval> {
    let whole: Vec<usize> = (0..n_sessions).collect();
    let estimate = statistic(&whole).filter(|value| value.is_finite())?;
    let mut values = Vec::with_capacity(bootstrap.n_resamples);
    bootstrap.resample(n_sessions, seed, |_, positions| {
        values.extend(statistic(positions).filter(|value| value.is_finite()));
    });
    if values.is_empty() || values.len() * 100 < bootstrap.n_resamples * 99 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Some(Interval { estimate, low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) })
}

/// The quantile of sorted values, linear between neighbours.
pub(super) fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let place = probability.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (low, share) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    sorted[low] + share * (sorted[high] - sorted[low])
}

/// A number in `[0, 1)` from 53 random bits.
fn uniform(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// A number below `n` from 64 random bits; the bias is far below what any sample can show.
fn below(bits: u64, n: usize) -> usize {
    ((u128::from(bits) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resamples_are_reproducible_and_blocks_have_the_mean_length() {
        let bootstrap = StationaryBootstrap { mean_block: 10.0, n_resamples: 50 };
        let run = || {
            let mut all = Vec::new();
            bootstrap.resample(500, Seed::new(3), |_, positions| all.push(positions.to_vec()));
            all
        };
        let series = run();
        assert_eq!(series, run());
        let jumps: usize = series
            .iter()
            .map(|positions| positions.windows(2).filter(|pair| pair[1] != (pair[0] + 1) % 500).count())
            .sum();
        let mean = (50.0 * 500.0) / jumps as f64;
        assert!((8.5..12.0).contains(&mean), "{mean}");
        assert!(series.iter().flatten().all(|&position| position < 500));
    }

    #[test]
    fn the_interval_of_a_mean_of_independent_values_is_the_textbook_one() {
        let values: Vec<f64> = (0..400).map(|at| f64::from((at * 7919) % 400) / 400.0).collect();
        let mean =
            |positions: &[usize]| Some(positions.iter().map(|&at| values[at]).sum::<f64>() / positions.len() as f64);
        let bootstrap = StationaryBootstrap { mean_block: 1.0, n_resamples: 4000 };
        let interval = bootstrap_interval(bootstrap, 400, 0.95, Seed::new(1), mean).unwrap();
        let expected = 1.96 * (1.0_f64 / 12.0).sqrt() / 20.0;
        assert!(((interval.high - interval.low) / 2.0 / expected - 1.0).abs() < 0.08);
        assert!(interval.low < interval.estimate && interval.estimate < interval.high);
        assert_eq!(bootstrap_interval(bootstrap, 400, 0.95, Seed::new(1), |_| None), None);
    }
}
