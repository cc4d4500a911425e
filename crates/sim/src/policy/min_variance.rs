//! The calmest portfolio that the past year allows.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver,
    SupportedConeT::{NonnegativeConeT, ZeroConeT},
};

use super::active_set::least_variance;
use super::exchange::near_least_variance;
use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::{Covariance, Error, capped_simplex};

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
/// Without a cap that binds, a guess at the assets that are held and exchanges of blocks of them find the weights
/// (J. Kim and H. Park 2011); otherwise an interior method comes close. From there an active-set method finds weights
/// of which no others have a variance smaller by more than a few parts in 10⁹, and exact zeros.
///
/// # Errors
/// [`Error::Solver`] when an asset does not move or the weights cannot be found.
pub fn min_variance_weights(covariance: &Covariance, cap: f64) -> Result<Vec<f64>, Error> {
    let n_assets = covariance.n_assets();
    if cap * n_assets as f64 <= 1.0 {
        return Ok(vec![1.0 / n_assets as f64; n_assets]);
    }
    if (0..n_assets).any(|asset| covariance.at(asset, asset) <= 0.0) {
        return Err(Error::Solver { policy: NAME, status: "an asset does not move".to_owned() });
    }
    let near = match near_least_variance(covariance).filter(|near| near.iter().all(|&weight| weight <= cap)) {
        Some(near) => near,
        // Where the interior method fails altogether, the other starts from equal weights.
        None => Some(interior_solution(covariance, cap)?)
            .filter(|near| near.iter().all(|weight| weight.is_finite()))
            .unwrap_or_else(|| vec![1.0; n_assets]),
    };
    least_variance(covariance, &capped_simplex(&near, 1.0, cap), cap).ok_or_else(|| Error::Solver {
        policy: NAME,
        status: "no weights were found that are certainly best".to_owned(),
    })
}

/// The quadratic programme `min ½ wᵀΣw` with `Σ w = 1` and `0 ≤ w ≤ cap`, to the solver's
/// tolerance, or as far as it came.
///
/// The variables are risks, weight times volatility over the calmest volatility: with weights
/// themselves, a money fund beside a wild share is a millionfold spread of variances, in which
/// the tolerances drown.
fn interior_solution(covariance: &Covariance, cap: f64) -> Result<Vec<f64>, Error> {
    let n_assets = covariance.n_assets();
    let volatilities: Vec<f64> = (0..n_assets).map(|asset| covariance.volatility_daily(asset)).collect();
    let calmest = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
    let weight_per_risk: Vec<f64> = volatilities.iter().map(|volatility| calmest / volatility).collect();

    let mut correlations = Triplets::default();
    for j in 0..n_assets {
        for i in 0..=j {
            correlations.put(i, j, covariance.at(i, j) / (volatilities[i] * volatilities[j]));
        }
    }
    let mut constraints = Triplets::default();
    for (asset, &weight) in weight_per_risk.iter().enumerate() {
        constraints.put(0, asset, weight);
        constraints.put(1 + asset, asset, -1.0);
        if cap < 1.0 {
            constraints.put(1 + n_assets + asset, asset, weight);
        }
    }
    let n_bounds = if cap < 1.0 { 2 * n_assets } else { n_assets };
    let mut bounds = vec![0.0; 1 + n_bounds];
    bounds[0] = 1.0;
    bounds[1 + n_assets..].fill(cap);

    let settings =
        DefaultSettings { verbose: false, tol_gap_abs: 1e-10, tol_gap_rel: 1e-10, ..DefaultSettings::default() };
    let mut solver = DefaultSolver::new(
        &correlations.matrix(n_assets, n_assets),
        &vec![0.0; n_assets],
        &constraints.matrix(1 + n_bounds, n_assets),
        &bounds,
        &[ZeroConeT(1), NonnegativeConeT(n_bounds)],
        settings,
    )
    .map_err(|error| Error::Solver { policy: NAME, status: error.to_string() })?;
    solver.solve();
    Ok(solver.solution.x.iter().zip(&weight_per_risk).map(|(risk, weight)| risk * weight).collect())
}

/// A sparse matrix in the making.
#[derive(Default)]
struct Triplets {
    rows: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
}

impl Triplets {
    fn put(&mut self, row: usize, column: usize, value: f64) {
        self.rows.push(row);
        self.columns.push(column);
        self.values.push(value);
    }

    fn matrix(self, n_rows: usize, n_columns: usize) -> CscMatrix<f64> {
        CscMatrix::new_from_triplets(n_rows, n_columns, self.rows, self.columns, self.values)
    }
}
