//! Small quadratic programmes with bounds, for rules that weigh return against risk.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver,
    SupportedConeT::{NonnegativeConeT, ZeroConeT},
};

use crate::{Covariance, Error};

/// `min ½ aversion wᵀΣw − returnsᵀw` with `Σ w = 1` and `0 ≤ w ≤ cap`, to the solver's tolerance,
/// cut at zero and scaled to sum to one.
pub(super) fn best_trade_off(
    name: &'static str,
    covariance: &Covariance,
    returns: &[f64],
    aversion: f64,
    cap: f64,
) -> Result<Vec<f64>, Error> {
    let n_assets = returns.len();
    if cap * n_assets as f64 <= 1.0 {
        return Ok(vec![1.0 / n_assets as f64; n_assets]);
    }
    // In units of the mean variance, so that the tolerances mean the same for every market.
    let scale = (0..n_assets).map(|i| covariance.at(i, i)).sum::<f64>() / n_assets as f64;
    if scale <= 0.0 {
        return Err(Error::Solver { policy: name, status: "no asset moves".to_owned() });
    }
    let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..n_assets {
        for i in 0..=j {
            rows.push(i);
            columns.push(j);
            values.push(aversion * covariance.at(i, j) / scale);
        }
    }
    let quadratic = CscMatrix::new_from_triplets(n_assets, n_assets, rows, columns, values);
    let linear: Vec<f64> = returns.iter().map(|ret| -ret / scale).collect();
    let bounded = cap < 1.0;
    let n_bounds = if bounded { 2 * n_assets } else { n_assets };
    let (mut rows, mut columns, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for asset in 0..n_assets {
        rows.extend([0, 1 + asset]);
        columns.extend([asset, asset]);
        values.extend([1.0, -1.0]);
        if bounded {
            rows.push(1 + n_assets + asset);
            columns.push(asset);
            values.push(1.0);
        }
    }
    let constraints = CscMatrix::new_from_triplets(1 + n_bounds, n_assets, rows, columns, values);
    let mut bounds = vec![0.0; 1 + n_bounds];
    bounds[0] = 1.0;
    bounds[1 + n_assets..].fill(cap);
    let settings = DefaultSettings { verbose: false, ..DefaultSettings::default() };
    let cones = [ZeroConeT(1), NonnegativeConeT(n_bounds)];
    let mut solver = DefaultSolver::new(&quadratic, &linear, &constraints, &bounds, &cones, settings)
        .map_err(|error| Error::Solver { policy: name, status: error.to_string() })?;
    solver.solve();
    let cut: Vec<f64> = solver.solution.x.iter().map(|weight| weight.clamp(0.0, cap)).collect();
    let sum: f64 = cut.iter().sum();
    if !(sum.is_finite() && (sum - 1.0).abs() < 1e-3) {
        return Err(Error::Solver { policy: name, status: format!("{:?}", solver.solution.status) });
    }
    Ok(cut.iter().map(|weight| weight / sum).collect())
}
