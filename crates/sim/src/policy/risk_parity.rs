//! The same risk from every asset.

use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::cholesky::{Cholesky, dot};
use crate::{Covariance, Error};

/// Chooses weights so that every asset adds the same part to the variance of the portfolio.
///
/// S. Maillard, T. Roncalli and J. Teïletche, "The Properties of Equally Weighted Risk
/// Contribution Portfolios", Journal of Portfolio Management 36(4), 2010; convex form after
/// F. Spinu, "An Algorithm for Computing Risk Parity Weights", 2013. Sessions in which one asset
/// lacks a return are left out for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RiskParity {
    /// Window, shrinkage, cash and limits.
    pub config: PolicyConfig,
}

const NAME: &str = "risk-parity";

impl Policy for RiskParity {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "Chooses the weights with which every asset adds the same part to the portfolio's risk over the past \
         year. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let returns = frame.joint_returns();
        let fractions = match Covariance::shrunk(&returns, self.config.shrinkage) {
            Some(shrunk) if returns.n_assets() > 0 => risk_parity_weights(&shrunk.covariance)?,
            _ => Vec::new(),
        };
        frame.finish(&fractions)
    }
}

/// Weights, `[assets]`, summing to one, with equal risk contributions: none differs from their mean
/// by more than one part in 10⁹.
///
/// Solved in units of each asset's own volatility, `y_i = σ_i x_i` with correlations R, as
/// `min ½ yᵀRy − Σ ln y_i`, whose only optimum has `y_i (Ry)_i = 1` for every asset. The function
/// is self-concordant, so that Newton's method with the step `1 / (1 + decrement)` converges from
/// anywhere (S. Boyd and L. Vandenberghe, "Convex Optimization", section 9.6); in steps relative to
/// `y` its matrix is `diag(y) R diag(y) + I`, which is well conditioned even where R is singular.
///
/// # Errors
/// [`Error::Solver`] when an asset does not move, or when some assets hedge each other without any
/// rest, in which case no such weights exist.
pub fn risk_parity_weights(covariance: &Covariance) -> Result<Vec<f64>, Error> {
    let n_assets = covariance.n_assets();
    let failed = |status: String| Error::Solver { policy: NAME, status };
    if (0..n_assets).any(|asset| covariance.at(asset, asset) <= 0.0) {
        return Err(failed("an asset does not move".to_owned()));
    }
    let correlation = |i: usize, j: usize| if i == j { Some(1.0) } else { covariance.correlation(i, j) };
    let matrix: Vec<Vec<f64>> = (0..n_assets)
        .map(|i| (0..n_assets).map(|j| correlation(i, j).expect("Invariant: every asset moves")).collect())
        .collect();
    // One correlation for all pairs would make this the answer.
    let mut risks = vec![1.0 / (1.0 + mean_off_diagonal(&matrix).max(0.0) * n_assets as f64).sqrt(); n_assets];
    for _ in 0..MAX_STEPS {
        let excess: Vec<f64> = (0..n_assets).map(|i| risks[i] * dot(&matrix[i], &risks) - 1.0).collect();
        let uneven = excess.iter().map(|part| part.abs()).fold(0.0, f64::max);
        if uneven <= TOLERANCE {
            let raw: Vec<f64> = (0..n_assets).map(|i| risks[i] / covariance.volatility_daily(i)).collect();
            let sum: f64 = raw.iter().sum();
            return Ok(raw.iter().map(|weight| weight / sum).collect());
        }
        // Every pivot of this matrix is at least one; rounding may take it a little below.
        let curvature = |i: usize, j: usize| risks[i] * matrix[i][j] * risks[j] + if i == j { 1.0 } else { 0.0 };
        let step = Cholesky::new(n_assets, 0.5, curvature).solve(&excess);
        let decrement = dot(&step, &excess).max(0.0).sqrt();
        let length = if decrement < 0.25 { 1.0 } else { 1.0 / (1.0 + decrement) };
        for (risk, step) in risks.iter_mut().zip(&step) {
            *risk *= 1.0 - length * step;
        }
    }
    Err(failed("no weights carry equal risk; some assets may hedge each other without any rest".to_owned()))
}

/// Newton steps before giving up. Ten or twenty are usual.
const MAX_STEPS: usize = 200;
/// Relative difference of a risk contribution from its target at which the steps stop.
const TOLERANCE: f64 = 1e-10;

fn mean_off_diagonal(matrix: &[Vec<f64>]) -> f64 {
    let n_assets = matrix.len() as f64;
    let sum: f64 = matrix.iter().flatten().sum();
    if n_assets > 1.0 { (sum - n_assets) / (n_assets * (n_assets - 1.0)) } else { 0.0 }
}
