//! The weights of least variance without a cap, by guessing which assets are held.

use super::active_set::RIDGE;
use crate::Covariance;
use crate::cholesky::{Cholesky, dot};

/// Rounds of the guess.
const SWEEPS: usize = 12;
/// Exchanges after which the answer is left to others.
const MOST_EXCHANGES: usize = 60;
/// Exchanges of whole blocks that may fail to bring the number of faults down.
const PATIENCE: usize = 3;
/// How far a condition may be missed, in units of the price of risk.
const TOLERANCE: f64 = 1e-10;

/// `min ½ wᵀΣw` with `Σ w = 1` and `w ≥ 0`, or nothing where the exchanges do not come to an end.
///
/// Scaled by what the last dollar of risk costs, the conditions are `Cy − p ≥ 0`, `y ≥ 0` and one of both zero for
/// each asset, with risks `y_i = σ_i w_i`, correlations `C` and `p_i = 1/σ_i`: a linear complementarity problem with
/// one solution. A few sweeps of coordinate descent guess the assets held, and block principal pivoting (J. Kim and
/// H. Park, "Fast Nonnegative Matrix Factorization: An Active-Set-Like Method and Comparisons", SIAM Journal on
/// Scientific Computing 33(6), 2011, section 4) exchanges all that break a condition at once, and single ones where
/// blocks do not help.
pub(super) fn near_least_variance(covariance: &Covariance) -> Option<Vec<f64>> {
    let n_assets = covariance.n_assets();
    let volatilities: Vec<f64> = (0..n_assets).map(|asset| covariance.volatility_daily(asset)).collect();
    // In units of the calmest, so that tolerances mean the same for every market.
    let calmest = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
    let prices: Vec<f64> = volatilities.iter().map(|volatility| calmest / volatility).collect();
    let per_volatility: Vec<f64> = volatilities.iter().map(|volatility| 1.0 / volatility).collect();
    let mut correlations = Vec::with_capacity(n_assets * n_assets);
    for (i, &own) in per_volatility.iter().enumerate() {
        correlations.extend(covariance.row(i).iter().zip(&per_volatility).map(|(entry, other)| entry * own * other));
        correlations[i * n_assets + i] = 1.0 + RIDGE;
    }
    let row = |asset: usize| &correlations[asset * n_assets..(asset + 1) * n_assets];
    let mut held = guess(n_assets, &prices, row);
    let (mut fewest, mut patience) = (n_assets + 1, PATIENCE);
    for _ in 0..MOST_EXCHANGES {
        let inside: Vec<usize> = (0..n_assets).filter(|&asset| held[asset]).collect();
        let factor = Cholesky::new(inside.len(), RIDGE, |i, j| row(inside[i])[inside[j]]);
        let wanted: Vec<f64> = inside.iter().map(|&asset| prices[asset]).collect();
        let mut risks = vec![0.0; n_assets];
        for (&asset, risk) in inside.iter().zip(factor.solve(&wanted)) {
            risks[asset] = risk;
        }
        let breaks = |asset: usize| match held[asset] {
            true => risks[asset] < -TOLERANCE,
            false => dot(row(asset), &risks) < prices[asset] - TOLERANCE,
        };
        let broken: Vec<usize> = (0..n_assets).filter(|&asset| breaks(asset)).collect();
        let Some(&last) = broken.last() else {
            let weights: Vec<f64> = risks.iter().zip(&prices).map(|(risk, price)| risk.max(0.0) * price).collect();
            let sum: f64 = weights.iter().sum();
            let found = sum > 0.0 && sum.is_finite();
            return found.then(|| weights.iter().map(|weight| weight / sum).collect());
        };
        if broken.len() < fewest {
            (fewest, patience) = (broken.len(), PATIENCE);
        } else if patience > 0 {
            patience -= 1;
        } else {
            // One at a time, always the last: slow, and certain to end.
            held[last] = !held[last];
            continue;
        }
        broken.iter().for_each(|&asset| held[asset] = !held[asset]);
    }
    None
}

/// The assets that coordinate descent from nothing holds after a few sweeps.
fn guess<'a>(n_assets: usize, prices: &[f64], row: impl Fn(usize) -> &'a [f64]) -> Vec<bool> {
    let mut risks = vec![0.0; n_assets];
    // What is missing of each price.
    let mut missing = prices.to_vec();
    for _ in 0..SWEEPS {
        for asset in 0..n_assets {
            let next = f64::max(risks[asset] + missing[asset], 0.0);
            let step = next - risks[asset];
            if step != 0.0 {
                risks[asset] = next;
                missing.iter_mut().zip(row(asset)).for_each(|(missing, correlation)| *missing -= correlation * step);
            }
        }
    }
    risks.iter().map(|risk| *risk > 0.0).collect()
}
