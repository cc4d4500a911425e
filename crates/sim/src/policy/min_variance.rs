//! The calmest portfolio that the past year allows.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, SolverStatus,
    SupportedConeT::{NonnegativeConeT, ZeroConeT},
};

use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::{Covariance, Error};

/// Minimises the variance of the portfolio under a shrunk covariance, without short positions and
/// with the invested part fully used. Sessions in which one asset lacks a return are left out for
/// all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinVariance {
    /// Window, shrinkage, cash and limits.
    pub config: PolicyConfig,
}

const NAME: &str = "min-variance";

impl Policy for MinVariance {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "Chooses the weights with the smallest variance over the past year, with a covariance shrunk towards \
         constant correlation. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let returns = frame.joint_returns();
        let fractions = match Covariance::shrunk(&returns, self.config.shrinkage) {
            Some(shrunk) if returns.n_assets() > 0 => min_variance_weights(&shrunk.covariance, frame.cap())?,
            _ => Vec::new(),
        };
        frame.finish(&fractions)
    }
}

/// The weights, `[assets]`, with the smallest variance, between 0 and `cap` and summing to one.
/// Where `cap` everywhere sums to less than one, every weight is equal.
///
/// # Errors
/// [`Error::Solver`] when the quadratic programme does not converge.
pub fn min_variance_weights(covariance: &Covariance, cap: f64) -> Result<Vec<f64>, Error> {
    let n_assets = covariance.n_assets();
    if cap * n_assets as f64 <= 1.0 {
        return Ok(vec![1.0 / n_assets as f64; n_assets]);
    }
    // The answer does not depend on the unit of variance; the solver's tolerances do.
    let scale = (0..n_assets).map(|asset| covariance.at(asset, asset)).sum::<f64>() / n_assets as f64;
    if scale <= 0.0 {
        return Err(Error::Solver { policy: NAME, status: "no asset moves".to_owned() });
    }
    let quadratic = upper_triangle(n_assets, |i, j| covariance.at(i, j) / scale);
    let capped = cap < 1.0;
    let mut triplets: (Vec<usize>, Vec<usize>, Vec<f64>) = Default::default();
    let mut put = |row: usize, column: usize, value: f64| {
        triplets.0.push(row);
        triplets.1.push(column);
        triplets.2.push(value);
    };
    for asset in 0..n_assets {
        put(0, asset, 1.0);
        put(1 + asset, asset, -1.0);
        if capped {
            put(1 + n_assets + asset, asset, 1.0);
        }
    }
    let n_bounds = if capped { 2 * n_assets } else { n_assets };
    let mut bounds = vec![0.0; 1 + n_bounds];
    bounds[0] = 1.0;
    bounds[1 + n_assets.min(n_bounds)..].fill(cap);
    let constraints = CscMatrix::new_from_triplets(1 + n_bounds, n_assets, triplets.0, triplets.1, triplets.2);
    let cones = [ZeroConeT(1), NonnegativeConeT(n_bounds)];
    let solution = solve(NAME, &quadratic, &vec![0.0; n_assets], &constraints, &bounds, &cones)?;
    Ok(without_dust(solution, cap))
}

/// An interior method ends a hair above zero and below the cap; such dust is no position. What it
/// weighed goes to the weights in between, so that the sum is one and the cap holds.
fn without_dust(solution: Vec<f64>, cap: f64) -> Vec<f64> {
    let mut weights = solution;
    for weight in &mut weights {
        if *weight < DUST {
            *weight = 0.0;
        } else if *weight > cap - DUST {
            *weight = cap;
        }
    }
    let between = |weight: f64| weight > 0.0 && weight < cap;
    let sum_between: f64 = weights.iter().copied().filter(|&weight| between(weight)).sum();
    let sum_fixed: f64 = weights.iter().copied().filter(|&weight| !between(weight)).sum();
    let factor = if sum_between > 0.0 { (1.0 - sum_fixed) / sum_between } else { 1.0 };
    weights.into_iter().map(|weight| if between(weight) { weight * factor } else { weight }).collect()
}

/// An interior method's distance from a bound that holds.
const DUST: f64 = 1e-7;

/// The upper triangle of a symmetric matrix, by columns.
pub(super) fn upper_triangle(size: usize, entry: impl Fn(usize, usize) -> f64) -> CscMatrix<f64> {
    let mut column_starts = vec![0];
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for column in 0..size {
        for row in 0..=column {
            rows.push(row);
            values.push(entry(row, column));
        }
        column_starts.push(rows.len());
    }
    CscMatrix::new(size, size, column_starts, rows, values)
}

/// Minimises `½ xᵀPx + qᵀx` so that `b − Ax` lies in the cones.
pub(super) fn solve(
    policy: &'static str,
    quadratic: &CscMatrix<f64>,
    linear: &[f64],
    constraints: &CscMatrix<f64>,
    bounds: &[f64],
    cones: &[clarabel::solver::SupportedConeT<f64>],
) -> Result<Vec<f64>, Error> {
    let settings = DefaultSettings {
        verbose: false,
        tol_gap_abs: 1e-11,
        tol_gap_rel: 1e-11,
        tol_feas: 1e-11,
        ..DefaultSettings::default()
    };
    let mut solver = DefaultSolver::new(quadratic, linear, constraints, bounds, cones, settings)
        .map_err(|error| Error::Solver { policy, status: error.to_string() })?;
    solver.solve();
    match solver.solution.status {
        // «Almost» keeps the solver's reduced tolerance of 5e-5, and so is judged by the caller.
        SolverStatus::Solved | SolverStatus::AlmostSolved => Ok(solver.solution.x),
        status => Err(Error::Solver { policy, status: format!("{status:?}") }),
    }
}
