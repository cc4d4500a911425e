//! The same risk from every asset.

use clarabel::algebra::CscMatrix;
use clarabel::solver::SupportedConeT::ExponentialConeT;

use super::frame::Frame;
use super::min_variance::{solve, upper_triangle};
use super::{Decision, Observation, Policy, PolicyConfig};
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

/// Weights, `[assets]`, summing to one, with equal risk contributions: none is further than one
/// part in 10⁹ from their mean.
///
/// Solved in units of each asset's own volatility, `y_i = σ_i x_i` with correlations R, as
/// `min ½ yᵀRy − Σ ln y_i`, whose optimum has `y_i (Ry)_i = 1` for every asset. The interior
/// method comes to about 1e-7; a few rounds of coordinate descent, each of which solves one
/// asset's condition exactly (T. Griveau-Billion, J.-C. Richard and T. Roncalli, "A Fast Algorithm
/// for Computing High-dimensional Risk Parity Portfolios", 2013), take the rest.
///
/// # Errors
/// [`Error::Solver`] when an asset does not move, the programme does not converge, or some assets
/// hedge each other without any rest, in which case no such weights exist.
pub fn risk_parity_weights(covariance: &Covariance) -> Result<Vec<f64>, Error> {
    let n_assets = covariance.n_assets();
    let failed = |status: String| Error::Solver { policy: NAME, status };
    let correlation = |i: usize, j: usize| if i == j { Some(1.0) } else { covariance.correlation(i, j) };
    let matrix: Option<Vec<Vec<f64>>> =
        (0..n_assets).map(|i| (0..n_assets).map(|j| correlation(i, j)).collect()).collect();
    let moves = (0..n_assets).all(|asset| covariance.at(asset, asset) > 0.0);
    let matrix = matrix.filter(|_| moves).ok_or_else(|| failed("an asset does not move".to_owned()))?;

    let mut exposures = barrier_solution(&matrix)?;
    let mut uneven = f64::INFINITY;
    for _ in 0..MAX_ROUNDS {
        if exposures.iter().any(|exposure| !exposure.is_finite()) {
            break;
        }
        uneven = (0..n_assets).map(|i| (exposures[i] * dot(&matrix[i], &exposures) - 1.0).abs()).fold(0.0, f64::max);
        if uneven <= TOLERANCE {
            break;
        }
        for i in 0..n_assets {
            let others = dot(&matrix[i], &exposures) - exposures[i];
            exposures[i] = 2.0 / (others + (others * others + 4.0).sqrt());
        }
    }
    if uneven > ACCEPTED {
        return Err(failed(format!("risk contributions differ by a factor of {uneven:.1e}")));
    }
    let raw: Vec<f64> = (0..n_assets).map(|i| exposures[i] / covariance.volatility_daily(i)).collect();
    let sum: f64 = raw.iter().sum();
    Ok(raw.iter().map(|weight| weight / sum).collect())
}

/// Rounds of coordinate descent before giving up.
const MAX_ROUNDS: usize = 500;
/// Relative difference between risk contributions at which the rounds stop.
const TOLERANCE: f64 = 1e-12;
/// Relative difference that is accepted when rounding keeps the rounds from [`TOLERANCE`].
const ACCEPTED: f64 = 1e-9;

/// The optimum of the log-barrier programme. Variables are `y` and `t`, with `(t_i, 1, y_i)` in
/// the exponential cone, that is `t_i ≤ ln y_i`.
fn barrier_solution(matrix: &[Vec<f64>]) -> Result<Vec<f64>, Error> {
    let n_assets = matrix.len();
    let quadratic = upper_triangle(2 * n_assets, |i, j| if j < n_assets { matrix[i][j] } else { 0.0 });
    let linear: Vec<f64> = (0..2 * n_assets).map(|at| if at < n_assets { 0.0 } else { -1.0 }).collect();
    let rows = (0..n_assets).map(|i| 3 * i + 2).chain((0..n_assets).map(|i| 3 * i)).collect();
    let columns = (0..2 * n_assets).collect();
    let constraints = CscMatrix::new_from_triplets(3 * n_assets, 2 * n_assets, rows, columns, vec![-1.0; 2 * n_assets]);
    let bounds: Vec<f64> = (0..3 * n_assets).map(|row| if row % 3 == 1 { 1.0 } else { 0.0 }).collect();
    let cones = vec![ExponentialConeT(); n_assets];
    let mut solution = solve(NAME, &quadratic, &linear, &constraints, &bounds, &cones)?;
    solution.truncate(n_assets);
    Ok(solution)
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}
