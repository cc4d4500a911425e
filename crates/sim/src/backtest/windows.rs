//! Many short runs over one period, as a distribution and not one lucky window (SPEC V-02).

use lotwise_core::{Date, Money, Seed};

use super::benchmark::{cash_matched, equal_weight_returns};
use super::config::{BacktestConfig, Taxes};
use super::engine::{BacktestError, run};
use super::market::BacktestMarket;
use super::record::SessionRecord;
use super::{Stateless, Strategy};
use crate::Error;
use crate::measure::{
    AlphaDecomposition, AlphaInputs, Interval, StationaryBootstrap, bootstrap_interval, decompose_alpha,
};
use crate::policy::{EqualWeight, Policy, PolicyConfig};
use crate::returns::SESSIONS_PER_YEAR;

/// Lengths of SPEC V-02, in sessions.
pub const WINDOW_LENGTHS: [usize; 5] = [14, 30, 60, 90, 252];
/// Sessions from one window's start to the next (SPEC V-02).
pub const WINDOW_STEP: usize = 5;

/// Makes a strategy without memory.
pub type MakeStrategy<'a> = dyn Fn() -> Result<Box<dyn Strategy>, Error> + Sync + 'a;

/// One window. Returns are over the whole window.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowResult {
    /// Sessions in it.
    pub length: usize,
    /// The close of the decision before its first session.
    pub start: Date,
    /// Its last session.
    pub end: Date,
    /// After costs, before taxes.
    pub ret: f64,
    /// After costs and accrued taxes.
    pub ret_after_tax: f64,
    /// Equal weight, without costs and taxes.
    pub ret_ew: f64,
    /// Equal weight with as much cash as the run held.
    pub ret_ew_cash_matched: f64,
    /// Equal weight less what an account that holds it, with the run's settings, owes in taxes.
    pub ret_ew_after_tax: f64,
    /// Traded amounts over value, both sides, summed.
    pub turnover: f64,
    /// Mean share of cash at the beginning of sessions.
    pub cash: f64,
    /// Costs of trading.
    pub costs: Money,
    /// Taxes paid and accrued.
    pub tax: Money,
    /// Where the difference from equal weight comes from; its tax is the run's alone.
    pub alpha: AlphaDecomposition,
}

/// All windows of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowSummary {
    /// Sessions in each.
    pub length: usize,
    /// Windows.
    pub n: usize,
    /// Mean of `ret − ret_ew` with its 95 % interval.
    pub alpha: Interval,
    /// Mean of `ret − ret_ew_cash_matched`.
    pub cash_matched: Interval,
    /// Mean of `ret_after_tax − ret_ew_after_tax`: both sides are taxed.
    pub after_tax: Interval,
    /// Share of windows in which `ret` exceeds `ret_ew`.
    pub hit_rate: f64,
    /// Means of the parts of the after-tax difference, in the order cash timing, beta, selection,
    /// cost, tax: the run's tax less that of equal weight.
    pub parts: [f64; 5],
}

/// Runs a strategy from cash over every window of the given lengths between the dates of the
/// configuration. The result is the same for any number of threads.
///
/// # Errors
/// The first window, in order, that cannot be run.
pub fn run_windows(
    market: &BacktestMarket<'_>,
    make: &MakeStrategy<'_>,
    config: &BacktestConfig,
    lengths: &[usize],
    step: usize,
    threads: usize,
) -> Result<Vec<WindowResult>, BacktestError> {
    let sessions = market.panel().sessions();
    let first = sessions.partition_point(|&session| session < config.from);
    let end = sessions.partition_point(|&session| session <= config.to);
    let windows: Vec<(usize, usize)> = lengths
        .iter()
        .filter(|length| **length > 0)
        .flat_map(|&length| (first..end.saturating_sub(length)).step_by(step.max(1)).map(move |start| (start, length)))
        .collect();
    if windows.is_empty() {
        return Err(BacktestError::NoSessions { from: config.from, to: config.to });
    }
    let one = |&(start, length): &(usize, usize)| window(market, make, config, start, length);
    in_parallel(&windows, threads, one).into_iter().collect()
}

/// Maps items on several threads and keeps their order.
pub fn in_parallel<T: Sync, R: Send>(items: &[T], threads: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = threads.clamp(1, items.len().max(1));
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    let parts: Vec<Vec<(usize, R)>> = std::thread::scope(|scope| {
        let work = &work;
        // Every thread takes each so-manieth item: neighbours cost about the same.
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let own = (worker..items.len()).step_by(threads);
                    own.map(|at| (at, work(&items[at]))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("Invariant: a worker does not panic")).collect()
    });
    for (at, result) in parts.into_iter().flatten() {
        results[at] = Some(result);
    }
    results.into_iter().map(|result| result.expect("Invariant: every item was worked on")).collect()
}

fn window(
    market: &BacktestMarket<'_>,
    make: &MakeStrategy<'_>,
    config: &BacktestConfig,
    start: usize,
    length: usize,
) -> Result<WindowResult, BacktestError> {
    let sessions = market.panel().sessions();
    let (from, to) = (sessions[start], sessions[start + length]);
    let mut strategy =
        make().map_err(|error| BacktestError::Strategy { strategy: String::new(), date: from, error })?;
    let config = BacktestConfig { from, to, ..config.clone() };
    let record = run(market, strategy.as_mut(), &config)?;
    let equal_weight = equal_weight_returns(market, from, to);
    let cash = record.cash_shares();
    let risk_free = vec![config.cash_rate_annual / SESSIONS_PER_YEAR; length];
    let matched = cash_matched(&equal_weight, &cash, &risk_free);
    let (gross, pre_tax, after_tax) = (record.gross_returns(), record.pre_tax_returns(), record.after_tax_returns());
    let alpha = decompose_alpha(&AlphaInputs {
        gross: &gross,
        after_cost: &pre_tax,
        after_tax: &after_tax,
        cash: &cash,
        equal_weight: &equal_weight,
        risk_free: &risk_free,
    })
    .expect("Invariant: a window has sessions");
    let last = record.sessions.last().map_or(Money::ZERO, |last: &SessionRecord| last.liability);
    let paid: Money = record.sessions.iter().map(|session| session.tax_paid).sum();
    Ok(WindowResult {
        length,
        start: from,
        end: to,
        ret: compound(&pre_tax),
        ret_after_tax: compound(&after_tax),
        ret_ew: compound(&equal_weight),
        ret_ew_cash_matched: compound(&matched),
        ret_ew_after_tax: compound(&equal_weight) + equal_weight_tax(market, &config)?,
        turnover: record.turnover().iter().sum(),
        cash: cash.iter().sum::<f64>() / length as f64,
        costs: record.costs(),
        tax: paid + last,
        alpha,
    })
}

/// What taxes do to the return of an account that holds equal weight with the same settings, zero or negative unless
/// losses were worth something. Its costs and fills are its own affair: only the tax is taken from it.
fn equal_weight_tax(market: &BacktestMarket<'_>, config: &BacktestConfig) -> Result<f64, BacktestError> {
    if config.taxes == Taxes::None {
        return Ok(0.0);
    }
    let policy = PolicyConfig { cash_target: 0.0, ..PolicyConfig::default() };
    let equal_weight: Box<dyn Policy> = Box::new(EqualWeight { config: policy });
    let mut strategy = Stateless(equal_weight);
    let record = run(market, &mut strategy, config)?;
    Ok(compound(&record.after_tax_returns()) - compound(&record.pre_tax_returns()))
}

/// Summarises windows by length. Windows overlap, so that blocks of the bootstrap are at least as
/// long as the overlap.
#[must_use]
pub fn summarise_windows(windows: &[WindowResult], step: usize, seed: Seed) -> Vec<WindowSummary> {
    let mut lengths: Vec<usize> = windows.iter().map(|window| window.length).collect();
    lengths.sort_unstable();
    lengths.dedup();
    let of_length = |length: usize| {
        let own: Vec<&WindowResult> = windows.iter().filter(|window| window.length == length).collect();
        let count = own.len() as f64;
        let overlap = (length as f64 / step.max(1) as f64).ceil().max(1.0);
        let bootstrap = StationaryBootstrap { mean_block: overlap, ..StationaryBootstrap::default() };
        let interval = |name: u64, value: &dyn Fn(&WindowResult) -> f64| {
            let values: Vec<f64> = own.iter().map(|window| value(window)).collect();
            let mean = |positions: &[usize]| {
                Some(positions.iter().map(|&at| values[at]).sum::<f64>() / positions.len() as f64)
            };
            bootstrap_interval(bootstrap, values.len(), 0.95, seed.child("windows", name), mean)
        };
        let mean = |value: &dyn Fn(&WindowResult) -> f64| own.iter().map(|window| value(window)).sum::<f64>() / count;
        Some(WindowSummary {
            length,
            n: own.len(),
            alpha: interval(0, &|window| window.ret - window.ret_ew)?,
            cash_matched: interval(1, &|window| window.ret - window.ret_ew_cash_matched)?,
            after_tax: interval(2, &|window| window.ret_after_tax - window.ret_ew_after_tax)?,
            hit_rate: own.iter().filter(|window| window.ret > window.ret_ew).count() as f64 / count,
            parts: [
                mean(&|window| window.alpha.cash_timing),
                mean(&|window| window.alpha.beta),
                mean(&|window| window.alpha.selection),
                mean(&|window| window.alpha.cost),
                mean(&|window| window.alpha.tax - (window.ret_ew_after_tax - window.ret_ew)),
            ],
        })
    };
    lengths.into_iter().filter_map(of_length).collect()
}

fn compound(returns: &[f64]) -> f64 {
    returns.iter().map(|ret| 1.0 + ret).product::<f64>() - 1.0
}
