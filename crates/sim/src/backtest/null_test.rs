//! The false-positive test: in a market without predictability nothing may look like skill (SPEC V-10).

use lotwise_core::{Date, Seed};
use lotwise_market::synthetic::{MarketConfig, SyntheticError, SyntheticMarket, Universe, generate};
use lotwise_market::{ActionRow, CorporateActions, Panel};

use super::config::BacktestConfig;
use super::engine::run;
use super::market::{BacktestMarket, Payout};
use super::strategies::{StrategyConfig, strategy_by_name};
use super::summary::{AssessmentOptions, assess};
use super::windows::in_parallel;
use crate::measure::{Interval, StationaryBootstrap};

/// How large the worlds are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullWorlds {
    /// Worlds.
    pub n_worlds: usize,
    /// Symbols of each.
    pub n_symbols: usize,
    /// Sessions of prices before the run.
    pub warm_up: usize,
    /// Sessions of the run.
    pub n_sessions: usize,
    /// Sessions between decisions.
    pub rebalance_sessions: usize,
}

/// The cash-matched alpha a year after costs of one strategy in each world; `None` where it could
/// not be run or measured.
#[derive(Debug, Clone, PartialEq)]
pub struct NullResult {
    /// The strategy.
    pub strategy: String,
    /// One interval per world.
    pub alphas: Vec<Option<Interval>>,
}

impl NullResult {
    /// Worlds in which the alpha is significantly above zero.
    #[must_use]
    pub fn rejections(&self) -> usize {
        self.alphas.iter().flatten().filter(|alpha| alpha.low > 0.0).count()
    }

    /// Worlds in which it is significantly below zero, as costs make it.
    #[must_use]
    pub fn losses(&self) -> usize {
        self.alphas.iter().flatten().filter(|alpha| alpha.high < 0.0).count()
    }
}

/// Runs strategies in worlds without predictability.
///
/// # Errors
/// When such a world cannot be made.
pub fn null_worlds(
    names: &[&str],
    worlds: NullWorlds,
    seed: Seed,
    threads: usize,
) -> Result<Vec<NullResult>, SyntheticError> {
    let numbers: Vec<u64> = (0..worlds.n_worlds as u64).collect();
    let one = |number: &u64| world(names, worlds, seed.child("world", *number));
    let found: Result<Vec<Vec<Option<Interval>>>, SyntheticError> =
        in_parallel(&numbers, threads, one).into_iter().collect();
    let found = found?;
    let of = |(at, name): (usize, &&str)| NullResult {
        strategy: (*name).to_owned(),
        alphas: found.iter().map(|world| world[at]).collect(),
    };
    Ok(names.iter().enumerate().map(of).collect())
}

fn world(names: &[&str], worlds: NullWorlds, seed: Seed) -> Result<Vec<Option<Interval>>, SyntheticError> {
    let start = Date::from_ymd(2000, 1, 3).expect("Invariant: a real date");
    let universe = Universe::Invented { n_symbols: worlds.n_symbols };
    let made = generate(&MarketConfig::null(universe, start, worlds.warm_up + worlds.n_sessions + 1), seed)?;
    let (panel, actions) = panel_of(&made);
    let payouts = made.delistings.iter().map(Payout::from);
    let market = BacktestMarket::new(&panel, panel.assets().collect(), &actions, None).with_payouts(payouts);
    let sessions = panel.sessions();
    let config = BacktestConfig {
        rebalance_sessions: worlds.rebalance_sessions,
        ..BacktestConfig::standard(sessions[worlds.warm_up], sessions[sessions.len() - 1])
    };
    let strategies = StrategyConfig { seed: seed.child("strategy", 0), ..StrategyConfig::standard() };
    let options = AssessmentOptions {
        cash_rate_annual: 0.0,
        seed: seed.child("assess", 0),
        bootstrap: StationaryBootstrap { n_resamples: 1000, ..StationaryBootstrap::default() },
        trials: (&[], 0),
    };
    let alpha = |name: &&str| {
        let record = run(&market, strategy_by_name(name, &strategies).ok()?.as_mut(), &config).ok()?;
        assess(&market, &record, &options)?.matched_alpha
    };
    Ok(names.iter().map(alpha).collect())
}

/// A synthetic market as a panel with its table of actions.
#[must_use]
pub fn panel_of(market: &SyntheticMarket) -> (Panel, CorporateActions) {
    let rows = market.actions.iter().map(|action| ActionRow {
        ex_date: action.ex_date,
        symbol: action.symbol.clone(),
        dividend: action.dividend.to_f64(),
        split: action.split.to_f64(),
    });
    (Panel::from_groups(&market.bars), CorporateActions::from_rows(rows))
}
