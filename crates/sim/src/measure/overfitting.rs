//! The probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey,
//! Borwein, López de Prado and Zhu 2017; SPEC V-06).

/// What the cross-validation found.
#[derive(Debug, Clone, PartialEq)]
pub struct Overfitting {
    /// Share of splits in which the best configuration in sample is below the median out of sample.
    pub probability: f64,
    /// Splits looked at.
    pub n_splits: usize,
    /// Logit of the relative rank out of sample of each split's best, in the order of the splits.
    pub logits: Vec<f64>,
}

/// Sums of one block of one configuration.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    sum: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.square += other.square;
    }

    /// Mean over standard deviation; a series that does not move ranks by its sign.
    fn ratio(self) -> f64 {
        let mean = self.sum / self.count;
        let variance = (self.square / self.count - mean * mean).max(0.0) * self.count / (self.count - 1.0);
        // Below this the spread is that of rounding.
        if variance <= (self.square / self.count) * 1e-20 {
            return if mean > 0.0 {
                f64::INFINITY
            } else if mean < 0.0 {
                f64::NEG_INFINITY
            } else {
                0.0
            };
        }
        mean / variance.sqrt()
    }
}

/// Cross-validates the choice of the best of several configurations by Sharpe ratio. `returns[k]` are
/// the excess returns of configuration `k`, all over the same sessions, cut into `n_blocks` blocks of
/// equal length (an even number, at most 20; 16 in SPEC V-06); the oldest sessions that do not fill a
/// block are left out.
///
/// `None` for fewer than two configurations, an odd or too large number of blocks, series of different
/// length, or blocks of fewer than two sessions.
#[must_use]
pub fn probability_of_overfitting(returns: &[Vec<f64>], n_blocks: usize) -> Option<Overfitting> {
    let n_sessions = returns.first()?.len();
    let length = n_sessions.checked_div(n_blocks)?;
    let same = returns.iter().all(|series| series.len() == n_sessions && series.iter().all(|ret| ret.is_finite()));
    if returns.len() < 2 || !same || length < 2 || !n_blocks.is_multiple_of(2) || n_blocks > 20 {
        return None;
    }
    let skipped = n_sessions - length * n_blocks;
    let of_block = |block: &[f64]| {
        block.iter().fold(Sums::default(), |mut sums, &ret| {
            sums.add(Sums { count: 1.0, sum: ret, square: ret * ret });
            sums
        })
    };
    let blocks: Vec<Vec<Sums>> =
        returns.iter().map(|series| series[skipped..].chunks_exact(length).map(of_block).collect()).collect();
    let mut logits = Vec::new();
    for split in 0_u32..1 << n_blocks {
        if split.count_ones() as usize * 2 != n_blocks {
            continue;
        }
        let ratios = |inside: bool| -> Vec<f64> {
            let chosen = |block: usize| (split >> block & 1 == 1) == inside;
            let of = |sums: &Vec<Sums>| {
                let mut all = Sums::default();
                sums.iter().enumerate().filter(|(block, _)| chosen(*block)).for_each(|(_, sums)| all.add(*sums));
                all.ratio()
            };
            blocks.iter().map(of).collect()
        };
        let (inside, outside) = (ratios(true), ratios(false));
        // `max_by` keeps the last of equals; the first is the plainer choice.
        let best = (0..inside.len()).rev().max_by(|&a, &b| inside[a].total_cmp(&inside[b]))?;
        let below = outside.iter().filter(|&&ratio| ratio < outside[best]).count() as f64;
        let equal = outside.iter().filter(|&&ratio| ratio == outside[best]).count() as f64;
        let rank = (below + (equal + 1.0) / 2.0) / (outside.len() as f64 + 1.0);
        logits.push((rank / (1.0 - rank)).ln());
    }
    let overfitted = logits.iter().filter(|&&logit| logit < 0.0).count() as f64;
    Some(Overfitting { probability: overfitted / logits.len() as f64, n_splits: logits.len(), logits })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lotwise_core::Seed;
    use rand_chacha::rand_core::Rng;

    fn noise(configuration: u64, drift: f64) -> Vec<f64> {
        let mut random = Seed::new(5).stream("noise", configuration);
        (0..640).map(|_| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5 + drift).collect()
    }

    #[test]
    fn among_configurations_without_skill_the_choice_is_overfitted() {
        let returns: Vec<Vec<f64>> = (0..20).map(|at| noise(at, 0.0)).collect();
        let found = probability_of_overfitting(&returns, 16).unwrap();
        assert_eq!(found.n_splits, 12_870);
        assert!(found.probability > 0.3, "{}", found.probability);
    }

    #[test]
    fn a_configuration_with_skill_is_not_overfitted() {
        let mut returns: Vec<Vec<f64>> = (0..19).map(|at| noise(at, 0.0)).collect();
        returns.push(noise(19, 0.2));
        assert!(probability_of_overfitting(&returns, 16).unwrap().probability < 0.01);
    }

    #[test]
    fn what_cannot_be_cross_validated_is_none() {
        let two = vec![noise(0, 0.0), noise(1, 0.0)];
        assert_eq!(probability_of_overfitting(&two[..1], 16), None);
        assert_eq!(probability_of_overfitting(&two, 15), None);
        assert_eq!(probability_of_overfitting(&two, 0), None);
        assert_eq!(probability_of_overfitting(&[vec![0.1; 20], vec![0.2; 20]], 16), None);
        assert_eq!(probability_of_overfitting(&[two[0].clone(), vec![0.0; 3]], 16), None);
    }
}
