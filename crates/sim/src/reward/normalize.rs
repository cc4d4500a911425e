//! Rewards of every objective on one scale (SPEC E-18).

use lotwise_core::Objective;

/// Count, mean and summed squared deviations of discounted returns.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReturnStatistics {
    /// Returns seen.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Sum of squared deviations from the mean.
    pub squares: f64,
}

/// Divides rewards by the running standard deviation of the discounted return of their objective.
/// The mean stays, since shifting it would change what a policy is paid for.
///
/// The statistics are the whole state: a checkpoint stores them and makes the normaliser again.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RewardNormalizer {
    /// By [`Objective::ALL`].
    pub statistics: [ReturnStatistics; 6],
}

impl ReturnStatistics {
    /// Takes in one return.
    pub fn add(&mut self, discounted_return: f64) {
        self.count += 1;
        let deviation = discounted_return - self.mean;
        self.mean += deviation / self.count as f64;
        self.squares += deviation * (discounted_return - self.mean);
    }

    /// Takes in what another has seen (Chan, Golub and LeVeque 1979). Merging in index order gives
    /// the same bytes at any thread count.
    pub fn merge(&mut self, other: &Self) {
        let (count, theirs) = (self.count as f64, other.count as f64);
        if other.count == 0 {
            return;
        }
        let deviation = other.mean - self.mean;
        self.mean += deviation * theirs / (count + theirs);
        self.squares += other.squares + deviation * deviation * count * theirs / (count + theirs);
        self.count += other.count;
    }

    /// Standard deviation; 1 before there are two returns that differ.
    #[must_use]
    pub fn std_dev(&self) -> f64 {
        let variance = if self.count > 1 { self.squares / self.count as f64 } else { 0.0 };
        if variance > 1e-16 { variance.sqrt() } else { 1.0 }
    }
}

impl RewardNormalizer {
    /// Takes in the discounted return of an environment after its step
    /// ([`super::RewardState::discounted_return`]).
    pub fn observe(&mut self, objective: Objective, discounted_return: f64) {
        self.statistics[objective as usize].add(discounted_return);
    }

    /// Takes in what another normaliser has seen.
    pub fn merge(&mut self, other: &Self) {
        for (own, theirs) in self.statistics.iter_mut().zip(&other.statistics) {
            own.merge(theirs);
        }
    }

    /// The reward on the objective's scale.
    #[must_use]
    pub fn normalize(&self, objective: Objective, reward: f64) -> f64 {
        reward / self.statistics[objective as usize].std_dev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_are_scaled_by_objective_and_never_shifted() {
        let mut normalizer = RewardNormalizer::default();
        assert_eq!(normalizer.normalize(Objective::MaxGain1y, 3.0), 3.0, "nothing is known yet");
        for ret in [1.0, 5.0, 3.0, 7.0] {
            normalizer.observe(Objective::MaxGain1y, ret);
            normalizer.observe(Objective::AlphaVsEw, 100.0 * ret);
        }
        // Mean 4, squares 9 + 1 + 1 + 9 over four.
        assert!((normalizer.normalize(Objective::MaxGain1y, 3.0) - 3.0 / 5.0_f64.sqrt()).abs() < 1e-15);
        assert!((normalizer.normalize(Objective::AlphaVsEw, 300.0) - 3.0 / 5.0_f64.sqrt()).abs() < 1e-13);
        assert_eq!(normalizer.normalize(Objective::LtGainOnly, 3.0), 3.0);
        assert_eq!(normalizer.normalize(Objective::MaxGain1y, 0.0), 0.0);
    }

    #[test]
    fn parts_merge_to_the_whole() {
        let returns: Vec<f64> = (0..97).map(|at| f64::from(at * 37 % 50) / 7.0 - 2.0).collect();
        let mut whole = RewardNormalizer::default();
        returns.iter().for_each(|&ret| whole.observe(Objective::MaxGain30d, ret));
        let mut merged = RewardNormalizer::default();
        for part in returns.chunks(20) {
            let mut one = RewardNormalizer::default();
            part.iter().for_each(|&ret| one.observe(Objective::MaxGain30d, ret));
            merged.merge(&one);
        }
        let (left, right) = (whole.statistics[5], merged.statistics[5]);
        assert_eq!(left.count, right.count);
        assert!((left.mean - right.mean).abs() < 1e-13 && (left.std_dev() - right.std_dev()).abs() < 1e-13);
    }

    #[test]
    fn returns_that_do_not_differ_leave_rewards_as_they_are() {
        let mut statistics = ReturnStatistics::default();
        for _ in 0..50 {
            statistics.add(0.1);
        }
        assert_eq!(statistics.std_dev(), 1.0);
    }
}
