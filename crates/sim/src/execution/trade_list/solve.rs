//! The convex programme with signs open or fixed.

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver, SolverStatus,
    SupportedConeT::{NonnegativeConeT, ZeroConeT},
};
use lotwise_tax::Term;

use super::year::Plane;
use super::{LEAST_TRADE, ROUNDING, Stated, TradeProblem};
use crate::{Error, SESSIONS_PER_YEAR};

/// Added to every cost, a hundredth of a basis point: of two lists that are worth the same, the one
/// with fewer trades.
const LEAST_COST: f64 = 1e-6;

/// Which side an asset may be on.
pub(super) enum Sides<'a> {
    /// The convex hull of both.
    Either,
    /// Sold, or else bought, `[N]`.
    Fixed(&'a [bool]),
}

/// Parts of the account's value: of each lot, of each asset.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    pub sold: Vec<f64>,
    pub bought: Vec<f64>,
}

/// Rows of `A x + slack = b`.
#[derive(Default)]
struct Rows {
    at: Vec<usize>,
    column: Vec<usize>,
    value: Vec<f64>,
    right: Vec<f64>,
}

impl Rows {
    fn add(&mut self, entries: impl IntoIterator<Item = (usize, f64)>, right: f64) {
        for (column, value) in entries {
            self.at.push(self.right.len());
            self.column.push(column);
            self.value.push(value);
        }
        self.right.push(right);
    }
}

pub(super) fn solve(
    problem: &TradeProblem<'_>,
    stated: &Stated,
    sides: &Sides<'_>,
    planes: &[Plane],
) -> Result<Solution, Error> {
    let n = stated.n_assets;
    let sells = |asset: usize| matches!(sides, Sides::Either) || matches!(sides, Sides::Fixed(sold) if sold[asset]);
    let buys = |asset: usize| matches!(sides, Sides::Either) || matches!(sides, Sides::Fixed(sold) if !sold[asset]);
    // Columns: distance of each asset from its target, purchases, sales, the tax.
    let bought: Vec<usize> = (0..n).filter(|&asset| buys(asset) && stated.most_bought[asset] > 0.0).collect();
    let sold: Vec<usize> =
        (0..problem.lots.len()).filter(|&at| stated.open[at] && sells(problem.lots[at].asset)).collect();
    let (first_bought, first_sold) = (n, n + bought.len());
    let tax = first_sold + sold.len();
    let asset_of = |at: usize| problem.lots[sold[at]].asset;

    let mut rows = Rows::default();
    let mut balance: Vec<Vec<(usize, f64)>> = (0..n).map(|asset| vec![(asset, 1.0)]).collect();
    for (at, &asset) in bought.iter().enumerate() {
        balance[asset].push((first_bought + at, -1.0));
    }
    for at in 0..sold.len() {
        balance[asset_of(at)].push((first_sold + at, 1.0));
    }
    for (asset, entries) in balance.into_iter().enumerate() {
        rows.add(entries, stated.held[asset] - problem.target[1 + asset]);
    }
    let n_equal = rows.right.len();
    for (at, &asset) in bought.iter().enumerate() {
        rows.add([(first_bought + at, -1.0)], 0.0);
        rows.add([(first_bought + at, 1.0)], stated.most_bought[asset]);
    }
    for (at, &lot) in sold.iter().enumerate() {
        rows.add([(first_sold + at, -1.0)], 0.0);
        rows.add([(first_sold + at, 1.0)], stated.lots[lot].0);
    }
    let spent = (0..bought.len()).map(|at| (first_bought + at, 1.0 + problem.cost_rate));
    let raised = (0..sold.len()).map(|at| (first_sold + at, problem.cost_rate - 1.0));
    rows.add(spent.chain(raised), stated.room);
    for (asset, &least) in stated.least_sold.iter().enumerate().filter(|(_, least)| **least > 0.0) {
        let own = (0..sold.len()).filter(|&at| asset_of(at) == asset);
        // A hair less, so that selling everything is inside.
        rows.add(own.map(|at| (first_sold + at, -1.0)), -least * (1.0 - 1e-9));
    }
    for plane in planes {
        let of_lot = |at: usize| {
            let (value, gain) = stated.lots[sold[at]];
            let rate = if problem.lots[sold[at]].term == Term::Long { plane.long } else { plane.short };
            (first_sold + at, rate * gain / value)
        };
        let before = plane.short * stated.tax.net_short + plane.long * stated.tax.net_long + plane.fixed;
        rows.add((0..sold.len()).map(of_lot).chain([(tax, -1.0)]), -before);
    }
    if matches!(sides, Sides::Either) {
        for (at, &asset) in bought.iter().enumerate() {
            // Purchases beyond what the target lacks and as much again are not what signs turn on.
            let (held, wanted) = (stated.held[asset], problem.target[1 + asset]);
            let most = ((wanted - held).max(0.0) + wanted.max(held)).clamp(1e-6, stated.most_bought[asset].max(1e-6));
            for lot in (0..sold.len()).filter(|&lot| asset_of(lot) == asset) {
                let part = 1.0 / stated.lots[sold[lot]].0;
                rows.add([(first_bought + at, 1.0 / most), (first_sold + lot, part)], 1.0);
            }
        }
    }

    let (mut at, mut column, mut value) = (Vec::new(), Vec::new(), Vec::new());
    let weight = 2.0 * problem.risk_weight * SESSIONS_PER_YEAR;
    for j in 0..if weight > 0.0 { n } else { 0 } {
        for i in 0..=j {
            at.push(i);
            column.push(j);
            value.push(weight * problem.covariance.at(i, j));
        }
    }
    let quadratic = CscMatrix::new_from_triplets(tax + 1, tax + 1, at, column, value);
    let mut linear = vec![0.0; tax + 1];
    linear[first_bought..tax].fill(problem.cost_rate + LEAST_COST);
    linear[tax] = 1.0;
    let n_rows = rows.right.len();
    let constraints = CscMatrix::new_from_triplets(n_rows, tax + 1, rows.at, rows.column, rows.value);
    let cones = [ZeroConeT(n_equal), NonnegativeConeT(n_rows - n_equal)];
    let failed = |status: String| Error::Solver { policy: "tax-aware", status };
    let settings =
        DefaultSettings { verbose: false, tol_gap_abs: 1e-10, tol_gap_rel: 1e-10, ..DefaultSettings::default() };
    let mut solver = DefaultSolver::new(&quadratic, &linear, &constraints, &rows.right, &cones, settings)
        .map_err(|error| failed(error.to_string()))?;
    solver.solve();
    let found = &solver.solution;
    if !matches!(found.status, SolverStatus::Solved | SolverStatus::AlmostSolved) {
        return Err(failed(format!("{:?}", found.status)));
    }
    let mut solution = Solution { sold: vec![0.0; problem.lots.len()], bought: vec![0.0; n] };
    for (at, &lot) in sold.iter().enumerate() {
        let (whole, part) = (stated.lots[lot].0, found.x[first_sold + at]);
        solution.sold[lot] = match part / whole {
            part if part < ROUNDING => 0.0,
            part if part > 1.0 - ROUNDING => whole,
            _ if part < LEAST_TRADE && stated.least_sold[problem.lots[lot].asset] <= 0.0 => 0.0,
            _ => part,
        };
    }
    for (at, &asset) in bought.iter().enumerate() {
        let part = found.x[first_bought + at].min(stated.most_bought[asset]);
        solution.bought[asset] = if part < LEAST_TRADE { 0.0 } else { part };
    }
    // What rounding spent too much.
    let spent = solution.bought.iter().sum::<f64>() * (1.0 + problem.cost_rate);
    let most = stated.room + solution.sold.iter().sum::<f64>() * (1.0 - problem.cost_rate);
    if spent > most {
        solution.bought.iter_mut().for_each(|part| *part *= most.max(0.0) / spent);
    }
    Ok(solution)
}
