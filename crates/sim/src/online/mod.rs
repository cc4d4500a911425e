//! Online portfolio selection: rules that learn from each session's price relatives alone.
//!
//! They are baselines with decades of published results, so they also check our arithmetic: on the
//! public data sets the final wealths printed by Li, Sahoo and Hoi (JMLR 2016) come out to the last
//! digit. No costs, no taxes, daily rebalancing to the rule's weights.

mod quadratic;
mod relatives;
mod rules;

pub use relatives::{PriceRelatives, RelativesError};
pub use rules::{
    BuyAndHold, ConstantRebalanced, ExponentiatedGradient, MovingAverageReversion, OnlineNewtonStep,
    PassiveAggressiveMeanReversion,
};

use crate::cholesky::dot;

/// A rule of online portfolio selection over a fixed set of assets.
pub trait OnlineRule {
    /// Weights for the coming session, `[assets]`, not negative, summing to one.
    fn weights(&self) -> &[f64];

    /// Learns what the session brought: closing over opening price of each asset, `[assets]`.
    fn learn(&mut self, relatives: &[f64]);
}

/// Wealth after each session of one unit that follows the rule.
pub fn wealth(rule: &mut dyn OnlineRule, relatives: &PriceRelatives) -> Vec<f64> {
    let mut wealth = 1.0;
    let after = |session: &[f64]| {
        wealth *= dot(rule.weights(), session);
        rule.learn(session);
        wealth
    };
    relatives.sessions().map(after).collect()
}

/// The weights with the highest final wealth if they were restored every session, known only in
/// hindsight (Cover 1991), by Newton's method on the simplex. `None` when it does not converge.
#[must_use]
pub fn best_constant_rebalanced(relatives: &PriceRelatives) -> Option<Vec<f64>> {
    /// Bound on what the logarithm of final wealth can still gain.
    const GAP: f64 = 1e-8;
    let n_assets = relatives.n_assets();
    let value = |weights: &[f64]| relatives.sessions().map(|session| dot(weights, session).ln()).sum::<f64>();
    let mut weights = vec![1.0 / n_assets as f64; n_assets];
    for _ in 0..200 {
        let mut gradient = vec![0.0; n_assets];
        let mut curvature = vec![0.0; n_assets * n_assets];
        for session in relatives.sessions() {
            let growth = dot(&weights, session);
            for (i, x) in session.iter().enumerate() {
                gradient[i] += x / growth;
                for (j, y) in session.iter().enumerate() {
                    curvature[i * n_assets + j] += x / growth * (y / growth);
                }
            }
        }
        // No portfolio gains more than the best asset's gradient beyond the present one's.
        let gap = gradient.iter().copied().fold(f64::MIN, f64::max) - dot(&gradient, &weights);
        if gap < GAP {
            return Some(weights);
        }
        let linear: Vec<f64> = gradient.iter().map(|part| 2.0 * part).collect();
        let target = quadratic::minimise_on_simplex(&curvature, &linear, &weights)?;
        let (now, mut length) = (value(&weights), 1.0);
        let step = |length: f64| -> Vec<f64> {
            weights.iter().zip(&target).map(|(from, to)| from + length * (to - from)).collect()
        };
        while length > 1e-6 && value(&step(length)) <= now {
            length *= 0.5;
        }
        if length <= 1e-6 {
            // No step helps any more: what is left of the gap has to be rounding.
            return (gap < 1e-6).then_some(weights);
        }
        weights = step(length);
    }
    None
}

/// The same for many assets, most of which get nothing: the programme is solved over the few that are in
/// it, and those that would gain most come in until none would gain 1e-6 of the logarithm of wealth.
/// `None` when it does not converge, or without sessions or assets.
#[must_use]
pub fn best_constant_rebalanced_of_many(relatives: &PriceRelatives) -> Option<Vec<f64>> {
    /// Assets that come in at a time.
    const COME_IN: usize = 8;
    const GAP: f64 = 1e-6;
    let n_assets = relatives.n_assets();
    if n_assets <= 3 * COME_IN {
        return best_constant_rebalanced(relatives);
    }
    let mut inside = vec![best_asset(relatives).0];
    for _ in 0..n_assets {
        let rows: Vec<Vec<f64>> =
            relatives.sessions().map(|session| inside.iter().map(|&asset| session[asset]).collect()).collect();
        let found = best_constant_rebalanced(&PriceRelatives::from_rows(&rows).ok()?)?;
        let mut gradient = vec![0.0; n_assets];
        for (own, session) in rows.iter().zip(relatives.sessions()) {
            let growth = dot(&found, own);
            gradient.iter_mut().zip(session).for_each(|(sum, relative)| *sum += relative / growth);
        }
        let common: f64 = inside.iter().zip(&found).map(|(&asset, weight)| gradient[asset] * weight).sum();
        let mut outside: Vec<usize> =
            (0..n_assets).filter(|asset| gradient[*asset] - common > GAP && !inside.contains(asset)).collect();
        if outside.is_empty() {
            let mut weights = vec![0.0; n_assets];
            inside.iter().zip(found).for_each(|(&asset, weight)| weights[asset] = weight);
            return Some(weights);
        }
        outside.sort_by(|&a, &b| gradient[b].total_cmp(&gradient[a]));
        let kept: Vec<usize> =
            inside.iter().zip(&found).filter(|(_, weight)| **weight > 0.0).map(|(at, _)| *at).collect();
        inside = kept;
        inside.extend(outside.into_iter().take(COME_IN));
    }
    None
}

/// The final wealth of the single best asset, and its position.
#[must_use]
pub fn best_asset(relatives: &PriceRelatives) -> (usize, f64) {
    let mut products = vec![1.0; relatives.n_assets()];
    for session in relatives.sessions() {
        products.iter_mut().zip(session).for_each(|(product, relative)| *product *= relative);
    }
    // `max_by` keeps the last of equals; the first is the plainer choice.
    products.iter().copied().enumerate().rev().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cover's example: an asset that does not move beside one that doubles and halves in turn.
    fn pumping() -> PriceRelatives {
        let rows: Vec<Vec<f64>> = (0..40).map(|day| vec![1.0, if day % 2 == 0 { 2.0 } else { 0.5 }]).collect();
        PriceRelatives::from_rows(&rows).unwrap()
    }

    #[test]
    fn rebalancing_pumps_a_market_that_goes_nowhere() {
        let market = pumping();
        let constant = wealth(&mut ConstantRebalanced::uniform(2), &market);
        assert!((constant[39] - 1.125_f64.powi(20)).abs() < 1e-9);
        let held = wealth(&mut BuyAndHold::uniform(2), &market);
        assert!((held[39] - 1.0).abs() < 1e-12 && (held[0] - 1.5).abs() < 1e-12);
        assert_eq!(best_asset(&market), (0, 1.0));
        let best = best_constant_rebalanced(&market).unwrap();
        assert!((best[0] - 0.5).abs() < 1e-6, "{best:?}");
    }

    #[test]
    fn in_hindsight_the_best_weights_sit_in_the_better_asset() {
        let rows: Vec<Vec<f64>> = (0..30).map(|day| vec![1.01 + 0.001 * f64::from(day % 3), 0.99, 1.0]).collect();
        let best = best_constant_rebalanced(&PriceRelatives::from_rows(&rows).unwrap()).unwrap();
        assert!((best[0] - 1.0).abs() < 1e-9, "{best:?}");
    }

    #[test]
    fn bringing_assets_in_finds_what_all_at_once_find() {
        let mut state = 7_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let rows: Vec<Vec<f64>> = (0..120).map(|_| (0..40).map(|_| 0.95 + 0.101 * draw()).collect()).collect();
        let market = PriceRelatives::from_rows(&rows).unwrap();
        let wealth_of = |weights: &[f64]| market.sessions().map(|session| dot(weights, session).ln()).sum::<f64>();
        let (all, few) =
            (best_constant_rebalanced(&market).unwrap(), best_constant_rebalanced_of_many(&market).unwrap());
        assert!((wealth_of(&all) - wealth_of(&few)).abs() < 1e-5);
        assert!(few.iter().filter(|weight| **weight > 0.0).count() < 40);
    }

    #[test]
    fn every_rule_stays_on_the_simplex() {
        let rows: Vec<Vec<f64>> = (0..200_u32)
            .map(|day| {
                (0..5).map(|asset| 0.9 + f64::from((day * 31 + asset * 17 + day * asset) % 21) / 100.0).collect()
            })
            .collect();
        let market = PriceRelatives::from_rows(&rows).unwrap();
        let mut rules: [Box<dyn OnlineRule>; 6] = [
            Box::new(BuyAndHold::uniform(5)),
            Box::new(ConstantRebalanced::uniform(5)),
            Box::new(ExponentiatedGradient::new(5, 0.05)),
            Box::new(OnlineNewtonStep::new(5, 1.0, 0.125)),
            Box::new(PassiveAggressiveMeanReversion::new(5, 0.5)),
            Box::new(MovingAverageReversion::new(5, 5, 10.0)),
        ];
        for rule in &mut rules {
            for session in market.sessions() {
                let sum: f64 = rule.weights().iter().sum();
                assert!((sum - 1.0).abs() < 1e-9 && rule.weights().iter().all(|weight| *weight >= 0.0));
                rule.learn(session);
            }
        }
    }
}
