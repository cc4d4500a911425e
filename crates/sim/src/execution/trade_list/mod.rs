//! A list of trades over lots that weighs distance from target weights against costs and taxes
//! (SPEC X-11).
//!
//! Minimises, as a part of the account's value,
//! `κ (w − w*)ᵀ Σ (w − w*) + costs + tax of the year` over what is sold of each lot and bought of each
//! asset, with Σ of a year, under the cash there is, the largest weight and the wash-sale windows. Only
//! "an asset is either bought or sold" is not convex: a relaxation, the convex hull of both, fixes the
//! signs, and the programme is solved once more with them (N. Moehle, M. J. Kochenderfer, S. Boyd and
//! A. Ang, "Tax-Aware Portfolio Construction via Convex Optimization", Journal of Optimization Theory
//! and Applications 189, 2021). The year's tax nets short and long results and limits the deduction of
//! losses; where that is not convex, it is taken by its tangent at the sums of the solution before.
//! What is handed back is the best of the candidates by the exact tax, doing nothing included.

#[cfg(test)]
mod cases;
mod solve;
mod year;

use lotwise_tax::Term;

pub use year::TaxYear;

use self::solve::{Sides, Solution, solve};
use crate::{Covariance, Error};

/// Below this part of a lot a sale is the solver's rounding, and above one less this it is the lot.
const ROUNDING: f64 = 1e-6;
/// A purchase or the sale of part of a lot that moves less than this part of the account is left out: it
/// is near the solver's rounding, and a purchase closes the asset to harvests for 30 days.
const LEAST_TRADE: f64 = 2e-4;

/// Part of a holding with one basis and one term, at the price of the trade.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaxLot {
    /// Position of the asset, below `N`.
    pub asset: usize,
    /// Market value, US dollars.
    pub value: f64,
    /// Value less adjusted basis, US dollars; below zero for a loss.
    pub gain: f64,
    /// Term of a sale.
    pub term: Term,
}

/// What is to be solved. Money in US dollars.
#[derive(Debug, Clone, Copy)]
pub struct TradeProblem<'a> {
    /// Cash.
    pub cash: f64,
    /// Lots held; an account without taxes has one of any term and no gain for each holding.
    pub lots: &'a [TaxLot],
    /// Weights wanted, `[1 + N]` on the simplex, cash first. The cash is a floor for purchases.
    pub target: &'a [f64],
    /// Covariance a day of the `N` assets.
    pub covariance: &'a Covariance,
    /// κ: what a variance a year of one, as distance from the target, is worth of the account's value.
    pub risk_weight: f64,
    /// Assets that may be bought, `[N]`: none that was sold at a loss within 30 days, none that does
    /// not trade.
    pub may_buy: &'a [bool],
    /// Assets that may be sold, `[N]`.
    pub may_sell: &'a [bool],
    /// Assets whose lots may be sold at a loss after costs, `[N]`: none that was bought within 30 days.
    pub may_take_losses: &'a [bool],
    /// Largest weight of an asset; what is above it is sold as far as it may be.
    pub max_weight: f64,
    /// Costs of either side, a fraction; those of a sale lower its gain.
    pub cost_rate: f64,
    /// The tax year.
    pub tax: TaxYear,
}

/// What to trade. US dollars before costs.
#[derive(Debug, Clone, PartialEq)]
pub struct TradeList {
    /// Of each lot, in the order of the problem.
    pub sold: Vec<f64>,
    /// Of each asset, `[N]`; nothing of an asset of which something is sold.
    pub bought: Vec<f64>,
    /// Change of the year's tax; below zero where the sales save tax.
    pub tax: f64,
    /// Costs.
    pub cost: f64,
    /// What was minimised, a part of the account's value; that of doing nothing is the distance alone.
    pub objective: f64,
}

/// Solves a problem; the answer never costs more than doing nothing where that is allowed.
///
/// Slices must have the lengths that their documentation gives. An account without value trades nothing.
///
/// # Errors
/// [`Error::Setting`] for a risk weight, a cost or a rate out of range, [`Error::NotOnSimplex`] for a
/// target that is none, [`Error::Solver`] when the solver finds no answer.
pub fn trade_list(problem: &TradeProblem<'_>) -> Result<TradeList, Error> {
    check(problem)?;
    let stated = Stated::of(problem);
    let nothing = Solution { sold: vec![0.0; problem.lots.len()], bought: vec![0.0; stated.n_assets] };
    if stated.value <= 0.0 {
        return Ok(stated.list(problem, nothing));
    }
    let tax = stated.tax;
    let relaxed = solve(problem, &stated, &Sides::Either, &tax.planes(tax.net_short, tax.net_long))?;
    let patterns = stated.signs(problem, &relaxed);
    let (short, long) = stated.sums(problem, &relaxed);
    let mut candidates = Vec::new();
    if stated.least_sold.iter().all(|least| *least <= 0.0) {
        candidates.push((nothing, &patterns[0]));
    }
    for (at, pattern) in patterns.iter().enumerate() {
        if at == 0 || *pattern != patterns[0] {
            let sides = Sides::Fixed(pattern);
            candidates.push((solve(problem, &stated, &sides, &tax.planes(short, long))?, pattern));
        }
    }
    let worth = |solution: &Solution| stated.objective(problem, solution);
    let best = |candidates: &[(Solution, &Vec<bool>)]| {
        (0..candidates.len())
            .min_by(|&a, &b| worth(&candidates[a].0).total_cmp(&worth(&candidates[b].0)))
            .expect("Invariant: a pattern was solved")
    };
    let first = best(&candidates);
    // Sums that came out in another region of the tax than they were solved in are solved there.
    let (now_short, now_long) = stated.sums(problem, &candidates[first].0);
    let planes = tax.planes(now_short, now_long);
    if planes != tax.planes(short, long) {
        let pattern = candidates[first].1;
        candidates.push((solve(problem, &stated, &Sides::Fixed(pattern), &planes)?, pattern));
    }
    let chosen = best(&candidates);
    Ok(stated.list(problem, candidates.swap_remove(chosen).0))
}

/// A problem in parts of the account's value.
struct Stated {
    n_assets: usize,
    value: f64,
    /// Of each asset.
    held: Vec<f64>,
    /// Of each lot, and its gain after the cost of its sale.
    lots: Vec<(f64, f64)>,
    /// Whether the lot may be sold.
    open: Vec<bool>,
    /// Most that may be bought of each asset.
    most_bought: Vec<f64>,
    /// Least that has to be sold of each asset to come under the largest weight.
    least_sold: Vec<f64>,
    /// Cash that may be spent before anything is sold.
    room: f64,
    tax: TaxYear,
}

impl Stated {
    fn of(problem: &TradeProblem<'_>) -> Self {
        let n_assets = problem.target.len() - 1;
        let value = problem.cash + problem.lots.iter().map(|lot| lot.value).sum::<f64>();
        let scale = if value > 0.0 { 1.0 / value } else { 0.0 };
        let mut held = vec![0.0; n_assets];
        let mut sellable = vec![0.0; n_assets];
        let (mut lots, mut open) = (Vec::new(), Vec::new());
        for lot in problem.lots {
            let part = lot.value * scale;
            let gain = (lot.gain - lot.value * problem.cost_rate) * scale;
            let may = problem.may_sell[lot.asset] && (gain >= 0.0 || problem.may_take_losses[lot.asset]);
            held[lot.asset] += part;
            lots.push((part, gain));
            open.push(may && part > 0.0);
            sellable[lot.asset] += if may { part } else { 0.0 };
        }
        let most = |asset: usize| if problem.may_buy[asset] { problem.max_weight - held[asset] } else { 0.0 };
        Self {
            n_assets,
            value,
            most_bought: (0..n_assets).map(|asset| most(asset).max(0.0)).collect(),
            least_sold: (0..n_assets)
                .map(|asset| (held[asset] - problem.max_weight).max(0.0).min(sellable[asset]))
                .collect(),
            held,
            lots,
            open,
            room: (problem.cash * scale - problem.target[0]).max(0.0),
            tax: problem.tax.scaled(scale),
        }
    }

    /// Two ways to read signs from the relaxation: by net trade, and by whether most of what could be
    /// sold of an asset was. `true` is a sale.
    fn signs(&self, problem: &TradeProblem<'_>, relaxed: &Solution) -> [Vec<bool>; 2] {
        let (mut sold, mut open) = (vec![0.0; self.n_assets], vec![0.0; self.n_assets]);
        for (at, lot) in problem.lots.iter().enumerate() {
            sold[lot.asset] += relaxed.sold[at];
            let asks = self.open[at] && relaxed.sold[at] > ROUNDING * self.lots[at].0;
            open[lot.asset] += if asks { self.lots[at].0 } else { 0.0 };
        }
        let by = |sells: &dyn Fn(usize) -> bool| {
            (0..self.n_assets).map(|asset| self.least_sold[asset] > 0.0 || sells(asset)).collect()
        };
        [
            by(&|asset| sold[asset] > relaxed.bought[asset]),
            by(&|asset| sold[asset] > 0.5 * open[asset] && sold[asset] > ROUNDING),
        ]
    }

    /// Short and long sums of the year with the sales.
    fn sums(&self, problem: &TradeProblem<'_>, solution: &Solution) -> (f64, f64) {
        let (mut short, mut long) = (self.tax.net_short, self.tax.net_long);
        for (at, lot) in problem.lots.iter().enumerate() {
            let (value, gain) = self.lots[at];
            if value > 0.0 {
                *if lot.term == Term::Long { &mut long } else { &mut short } += gain * solution.sold[at] / value;
            }
        }
        (short, long)
    }

    fn tax_change(&self, problem: &TradeProblem<'_>, solution: &Solution) -> f64 {
        let (short, long) = self.sums(problem, solution);
        self.tax.tax(short, long) - self.tax.tax(self.tax.net_short, self.tax.net_long)
    }

    fn costs(&self, problem: &TradeProblem<'_>, solution: &Solution) -> f64 {
        (solution.sold.iter().sum::<f64>() + solution.bought.iter().sum::<f64>()) * problem.cost_rate
    }

    fn objective(&self, problem: &TradeProblem<'_>, solution: &Solution) -> f64 {
        let mut away = self.held.clone();
        for (asset, away) in away.iter_mut().enumerate() {
            *away += solution.bought[asset] - problem.target[1 + asset];
        }
        for (at, lot) in problem.lots.iter().enumerate() {
            away[lot.asset] -= solution.sold[at];
        }
        let variance: f64 = problem.covariance.risk_contributions(&away).iter().sum();
        problem.risk_weight * variance * crate::SESSIONS_PER_YEAR
            + self.costs(problem, solution)
            + self.tax_change(problem, solution)
    }

    fn list(&self, problem: &TradeProblem<'_>, solution: Solution) -> TradeList {
        let (tax, cost) = (self.tax_change(problem, &solution), self.costs(problem, &solution));
        let objective = self.objective(problem, &solution);
        let dollars = |parts: Vec<f64>| parts.into_iter().map(|part| part * self.value).collect::<Vec<_>>();
        // A lot that goes, goes to the last cent.
        let whole = |(sold, lot): (f64, &TaxLot)| if sold >= lot.value * (1.0 - ROUNDING) { lot.value } else { sold };
        TradeList {
            sold: dollars(solution.sold).into_iter().zip(problem.lots).map(whole).collect(),
            bought: dollars(solution.bought),
            tax: tax * self.value,
            cost: cost * self.value,
            objective,
        }
    }
}

fn check(problem: &TradeProblem<'_>) -> Result<(), Error> {
    let n_assets = problem.target.len().saturating_sub(1);
    assert!(
        problem.covariance.n_assets() == n_assets
            && [problem.may_buy, problem.may_sell, problem.may_take_losses].iter().all(|may| may.len() == n_assets)
            && problem.lots.iter().all(|lot| lot.asset < n_assets && lot.value >= 0.0 && lot.gain.is_finite()),
        "Invariant: one of everything for each asset"
    );
    let sum: f64 = problem.target.iter().sum();
    if (sum - 1.0).abs() > 1e-6 || problem.target.iter().any(|weight| !(*weight >= 0.0 && weight.is_finite())) {
        return Err(Error::NotOnSimplex { sum });
    }
    let (tax, rate) = (&problem.tax, |rate: f64| (0.0..=1.0).contains(&rate));
    let checks = [
        ("risk_weight", problem.risk_weight, (0.0..=1e6).contains(&problem.risk_weight), "from 0 to 1000000"),
        ("cost_rate", problem.cost_rate, (0.0..0.5).contains(&problem.cost_rate), "from 0 to below 0.5"),
        ("max_weight", problem.max_weight, problem.max_weight > 0.0 && problem.max_weight <= 1.0, "above 0, at most 1"),
        ("tax.short_rate", tax.short_rate, rate(tax.short_rate), "from 0 to 1"),
        (
            "tax.long_rate",
            tax.long_rate,
            tax.long_rate >= 0.0 && tax.long_rate <= tax.short_rate,
            "from 0 to short_rate",
        ),
        (
            "tax.carried_rate",
            tax.carried_rate,
            (0.0..=tax.long_rate).contains(&tax.carried_rate),
            "from 0 to long_rate",
        ),
        ("tax.loss_limit", tax.loss_limit, (0.0..=1e12).contains(&tax.loss_limit), "not negative"),
    ];
    match checks.into_iter().find(|(_, _, fits, _)| !fits) {
        Some((setting, value, _, expected)) => Err(Error::Setting { setting, value, expected }),
        None => Ok(()),
    }
}
