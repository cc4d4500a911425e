//! From near the weights of least variance to the weights themselves.

use crate::Covariance;
use crate::cholesky::{Cholesky, dot};

/// Own variance added to every asset, as a fraction: it makes the matrix of assets that repeat each
/// other definite, and moves the variance found by less than one part in 10⁹.
pub(super) const RIDGE: f64 = 1e-9;
/// How far a condition may be missed, as a fraction of the portfolio's variance.
const TOLERANCE: f64 = 1e-9;

/// `min ½ wᵀΣw` with `Σ w = 1` and `0 ≤ w ≤ cap`, by the primal active-set method (J. Nocedal and
/// S. Wright, "Numerical Optimization", section 16.5) from weights that keep the bounds and sum to
/// one.
///
/// In each round the assets at a bound stay there and the others take the weights that are best
/// without bounds, or go as far towards them as the first bound allows. Where they arrive, an asset
/// at a bound is let go if the variance falls by moving it inward. Where none is, the optimum is
/// certain. `None` when the rounds do not come to an end.
///
/// Works with risks `y_i = σ_i w_i` and correlations, so that a money fund beside a wild share does
/// not drown in rounding.
pub(super) fn least_variance(covariance: &Covariance, start: &[f64], cap: f64) -> Option<Vec<f64>> {
    let n_assets = start.len();
    let weight_per_risk: Vec<f64> = (0..n_assets).map(|i| 1.0 / covariance.volatility_daily(i)).collect();
    let correlation = |i: usize, j: usize| {
        if i == j { 1.0 + RIDGE } else { covariance.at(i, j) * weight_per_risk[i] * weight_per_risk[j] }
    };
    let mut weights = start.to_vec();
    let mut bound: Vec<Bound> = weights.iter().map(|&weight| Bound::near(weight, cap)).collect();
    for (weight, bound) in weights.iter_mut().zip(&bound) {
        *weight = bound.weight(cap).unwrap_or(*weight);
    }
    for _ in 0..10 * n_assets + 100 {
        let free: Vec<usize> = (0..n_assets).filter(|&i| bound[i] == Bound::Free).collect();
        let fixed: Vec<usize> = (0..n_assets).filter(|&i| bound[i] == Bound::Cap).collect();
        let target = best_free_weights(&free, &fixed, &weight_per_risk, cap, correlation);
        // How far the free weights may go, and which asset meets its bound first.
        let mut length = 1.0;
        let mut first: Option<(usize, Bound)> = None;
        for (&asset, &target) in free.iter().zip(&target) {
            let (limit, side) = if target < weights[asset] { (0.0, Bound::Zero) } else { (cap, Bound::Cap) };
            let crosses = (target - limit) * (weights[asset] - limit) <= 0.0 && target != limit;
            let share = if crosses { (limit - weights[asset]) / (target - weights[asset]) } else { 1.0 };
            if share < length {
                length = share;
                first = Some((asset, side));
            }
        }
        for (&asset, &target) in free.iter().zip(&target) {
            weights[asset] += length * (target - weights[asset]);
        }
        if let Some((asset, side)) = first {
            bound[asset] = side;
            weights[asset] = side.weight(cap).unwrap_or(weights[asset]);
            continue;
        }
        let risks: Vec<f64> = weights.iter().zip(&weight_per_risk).map(|(weight, per)| weight / per).collect();
        // Σ_j c_ij y_j / p_i, where c_ij = Σ_ij p_i p_j, so that the risks' own factors cancel but for the ridge.
        let marginal = |i: usize| dot(covariance.row(i), &weights) + RIDGE * risks[i] / weight_per_risk[i];
        let margins: Vec<f64> = (0..n_assets).map(marginal).collect();
        let variance = dot(&weights, &margins);
        let common = match free.first() {
            Some(_) => free.iter().map(|&i| margins[i]).sum::<f64>() / free.len() as f64,
            None => variance,
        };
        // By how much of a standard deviation's worth each asset at a bound wants to leave it.
        let pull = |i: usize| match bound[i] {
            Bound::Free => 0.0,
            Bound::Zero => (common - margins[i]) * weight_per_risk[i],
            Bound::Cap => (margins[i] - common) * weight_per_risk[i],
        };
        let strongest = (0..n_assets).max_by(|&i, &j| pull(i).total_cmp(&pull(j)))?;
        if pull(strongest) / weight_per_risk[strongest] <= TOLERANCE * variance {
            return Some(weights);
        }
        bound[strongest] = Bound::Free;
    }
    None
}

/// Where an asset's weight stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Zero,
    Free,
    Cap,
}

impl Bound {
    /// An interior method ends a hair from the bounds that hold.
    fn near(weight: f64, cap: f64) -> Self {
        const HAIR: f64 = 1e-7;
        if weight < HAIR {
            Self::Zero
        } else if weight > cap - HAIR {
            Self::Cap
        } else {
            Self::Free
        }
    }

    fn weight(self, cap: f64) -> Option<f64> {
        match self {
            Self::Zero => Some(0.0),
            Self::Free => None,
            Self::Cap => Some(cap),
        }
    }
}

/// The weights of the free assets with the least variance when those in `fixed` stand at the cap
/// and all sum to one, without bounds of their own.
fn best_free_weights(
    free: &[usize],
    fixed: &[usize],
    weight_per_risk: &[f64],
    cap: f64,
    correlation: impl Fn(usize, usize) -> f64,
) -> Vec<f64> {
    let factor = Cholesky::new(free.len(), RIDGE, |i, j| correlation(free[i], free[j]));
    let per_risk: Vec<f64> = free.iter().map(|&i| weight_per_risk[i]).collect();
    let drawn: Vec<f64> =
        free.iter().map(|&i| fixed.iter().map(|&j| correlation(i, j) * cap / weight_per_risk[j]).sum()).collect();
    let (along, back) = (factor.solve(&per_risk), factor.solve(&drawn));
    let left = 1.0 - cap * fixed.len() as f64;
    let scale = (left + dot(&per_risk, &back)) / dot(&per_risk, &along);
    (0..free.len()).map(|at| (scale * along[at] - back[at]) * per_risk[at]).collect()
}
