//! What a run was worth, and how sure one can be of it (SPEC V-05 to V-07).

use lotwise_core::{Date, Seed};

use super::benchmark::{cash_matched, equal_weight_returns};
use super::market::BacktestMarket;
use super::record::Record;
use crate::measure::{
    AlphaDecomposition, AlphaInputs, Interval, Performance, Relative, StationaryBootstrap, bootstrap_interval,
    decompose_alpha, deflated_sharpe, performance, probabilistic_sharpe, relative,
};
use crate::returns::SESSIONS_PER_YEAR;

/// How to assess.
#[derive(Debug, Clone, Copy)]
pub struct AssessmentOptions<'a> {
    /// Return of cash a year, as in the run.
    pub cash_rate_annual: f64,
    /// Seed of the bootstrap.
    pub seed: Seed,
    /// The bootstrap.
    pub bootstrap: StationaryBootstrap,
    /// Sharpe ratios per session of all earlier trials on this data, and how many there were.
    pub trials: (&'a [f64], usize),
}

/// A run measured. Ratios are `None` for fewer than 60 sessions.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// Sessions of the series below.
    pub dates: Vec<Date>,
    /// Returns of cash.
    pub risk_free: Vec<f64>,
    /// Returns after costs, before taxes.
    pub pre_tax: Vec<f64>,
    /// Returns after costs and taxes.
    pub after_tax: Vec<f64>,
    /// Returns of equal weight without costs and taxes.
    pub equal_weight: Vec<f64>,
    /// Returns of equal weight with as much cash as the run held.
    pub matched: Vec<f64>,
    /// Share of cash at the beginning of each session.
    pub cash: Vec<f64>,
    /// Figures after costs, before taxes.
    pub before: Performance,
    /// Figures after costs and taxes.
    pub after: Performance,
    /// Figures of equal weight.
    pub benchmark: Performance,
    /// Before taxes, against equal weight.
    pub against: Relative,
    /// Where the difference from equal weight comes from, before taxes: taxes fall on one side only.
    pub alpha: AlphaDecomposition,
    /// The same with the taxes taken off.
    pub alpha_after_tax: AlphaDecomposition,
    /// Mean difference a year from the cash-matched benchmark before taxes, with its 95 % interval.
    pub matched_alpha: Option<Interval>,
    /// Sharpe ratio per session before taxes.
    pub sharpe_per_session: Option<f64>,
    /// Probability that the true Sharpe ratio is above zero.
    pub probabilistic: Option<f64>,
    /// The same, given the number of trials.
    pub deflated: Option<f64>,
    /// Mean turnover a session, two-sided.
    pub turnover: f64,
    /// Mean share of cash.
    pub mean_cash: f64,
}

/// Measures a run against equal weight over the same assets.
#[must_use]
pub fn assess(market: &BacktestMarket<'_>, record: &Record, options: &AssessmentOptions<'_>) -> Option<Assessment> {
    let end = record.sessions.last()?.date;
    let dates = record.dates();
    let equal_weight = equal_weight_returns(market, record.start, end);
    let risk_free = vec![options.cash_rate_annual / SESSIONS_PER_YEAR; dates.len()];
    let (gross, pre_tax, after_tax) = (record.gross_returns(), record.pre_tax_returns(), record.after_tax_returns());
    let cash = record.cash_shares();
    let matched = cash_matched(&equal_weight, &cash, &risk_free);
    let decompose = |after_tax: &[f64]| {
        decompose_alpha(&AlphaInputs {
            gross: &gross,
            after_cost: &pre_tax,
            after_tax,
            cash: &cash,
            equal_weight: &equal_weight,
            risk_free: &risk_free,
        })
    };
    let (alpha, alpha_after_tax) = (decompose(&pre_tax)?, decompose(&after_tax)?);
    let before = performance(&pre_tax, &risk_free);
    let excess: Vec<f64> = pre_tax.iter().zip(&risk_free).map(|(ret, cash)| ret - cash).collect();
    let judged = before.sharpe.is_some();
    let difference: Vec<f64> = pre_tax.iter().zip(&matched).map(|(ret, other)| ret - other).collect();
    let matched_alpha = bootstrap_interval(options.bootstrap, difference.len(), 0.95, options.seed, |positions| {
        let sum: f64 = positions.iter().map(|&at| difference[at]).sum();
        Some(sum / positions.len() as f64 * SESSIONS_PER_YEAR)
    });
    let turnover = record.turnover();
    let count = dates.len() as f64;
    Some(Assessment {
        before,
        after: performance(&after_tax, &risk_free),
        benchmark: performance(&equal_weight, &risk_free),
        against: relative(&pre_tax, &equal_weight),
        alpha,
        alpha_after_tax,
        matched_alpha,
        sharpe_per_session: before.sharpe.map(|sharpe| sharpe / SESSIONS_PER_YEAR.sqrt()),
        probabilistic: if judged { probabilistic_sharpe(&excess, 0.0) } else { None },
        deflated: if judged { deflated_sharpe(&excess, options.trials.0, options.trials.1) } else { None },
        turnover: turnover.iter().sum::<f64>() / count,
        mean_cash: cash.iter().sum::<f64>() / count,
        dates,
        risk_free,
        pre_tax,
        after_tax,
        equal_weight,
        matched,
        cash,
    })
}
