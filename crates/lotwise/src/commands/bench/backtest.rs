//! `bench backtest`: how long a walk-forward takes (compare with `tools/bench_backtest.py`).

use lotwise_core::{Clock, Date, Seed};
use lotwise_market::Panel;
use lotwise_market::synthetic::{MarketConfig, Universe, generate};
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name};
use lotwise_sim::backtest::{BacktestConfig, BacktestMarket, Taxes, panel_of, run as run_backtest};
use lotwise_tax::Method;
use serde_json::{Value, json};

use super::super::backtest::backtest_error;
use crate::args::BenchBacktestArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, market_error};
use crate::output::{Cell, Column, Page, Report, Table};

/// Sessions of a year of synthetic prices.
const YEAR: usize = 252;
/// A job: strategy, sessions between decisions, whether lots and taxes are booked, what it is called.
const JOBS: [(&str, usize, bool, &str); 4] = [
    ("equal-weight", 1, false, "equal weight daily, no taxes"),
    ("equal-weight", 1, true, "equal weight daily, lots and taxes"),
    ("min-variance", 21, false, "min variance monthly, no taxes"),
    ("min-variance", 21, true, "min variance monthly, lots and taxes"),
];

/// Times every job at every size.
///
/// # Errors
/// When prices cannot be made or written, or a run fails.
pub fn run(arguments: &BenchBacktestArgs, context: &Context) -> Result<Report, Failure> {
    let mut results: Vec<Value> = Vec::new();
    let mut table = Table::new([
        Column::words("job", "Job"),
        Column::number("assets", "Assets"),
        Column::number("seconds", "Seconds"),
        Column::number("trades", "Trades"),
        Column::number("final", "Final value"),
    ]);
    for &n_assets in &arguments.assets {
        if n_assets == 0 || n_assets > 2000 {
            return Err(CliError::new("bad-assets", Exit::Usage, "numbers of assets are from 1 to 2000").into());
        }
        let (panel, actions) = prices(n_assets, usize::from(arguments.years))?;
        if let Some(folder) = &arguments.export {
            std::fs::create_dir_all(folder).map_err(|error| {
                CliError::new("unwritable", Exit::Failed, format!("the folder cannot be made: {error}"))
            })?;
            let out = folder.join(format!("prices_{n_assets}.parquet"));
            panel.write_parquet(out).map_err(|error| market_error(&error))?;
        }
        let market = BacktestMarket::new(&panel, panel.assets().collect(), &actions, None);
        let sessions = panel.sessions();
        for (strategy, every, taxed, name) in JOBS.into_iter().filter(|job| !job.2 || !arguments.without_taxes) {
            let mut config = BacktestConfig::standard(sessions[YEAR], sessions[sessions.len() - 1]);
            config.rebalance_sessions = every;
            // Earliest first: what a broker does unasked, and no search among thousands of lots.
            config.method = Method::Fifo;
            if !taxed {
                config.taxes = Taxes::None;
            }
            let mut times = Vec::new();
            let begun = context.clock.now();
            let (mut trades, mut last) = (0, 0.0);
            loop {
                let start = context.clock.now();
                let mut strategy = strategy_by_name(strategy, &StrategyConfig::standard())
                    .map_err(|error| CliError::new("strategy-failed", Exit::Failed, error.to_string()))?;
                let record =
                    run_backtest(&market, strategy.as_mut(), &config).map_err(|error| backtest_error(&error))?;
                times.push(context.clock.now().millis_since(start) as f64 / 1000.0);
                (trades, last) = (record.trades.len().max(trades), record.finals.value.to_f64().max(last));
                let long_enough = context.clock.now().millis_since(begun) >= i64::from(arguments.least_ms);
                if (long_enough && times.len() >= 3) || context.clock.now().millis_since(begun) > 60_000 {
                    break;
                }
            }
            times.sort_by(f64::total_cmp);
            let (median, spread) = (times[times.len() / 2], times[times.len() - 1] - times[0]);
            table.row([
                Cell::words(name),
                Cell::count(n_assets),
                Cell::words(format!("{median:.3}")),
                Cell::count(trades),
                Cell::words(format!("{last:.0}")),
            ]);
            results.push(json!({
                "name": format!("backtest {name}, {n_assets} assets"), "unit": "s", "value": median, "spread": spread,
                "threads": 1, "n": times.len(), "assets": n_assets, "job": name, "trades": trades, "final": last,
            }));
        }
    }
    let mut page = Page::new();
    page.heading(format!("Walk-forward over {} years of synthetic prices", arguments.years));
    page.table(table.clone());
    Ok(Report::new("bench", context.today(), json!({"results": results}), page).table(table))
}

/// Synthetic prices without predictability, and their actions.
pub(super) fn prices(n_assets: usize, years: usize) -> Result<(Panel, lotwise_market::CorporateActions), Failure> {
    let start = Date::from_ymd(2000, 1, 3).expect("Invariant: a real date");
    let config = MarketConfig::null(Universe::Invented { n_symbols: n_assets }, start, YEAR * (years + 1));
    let made = generate(&config, Seed::new(1))
        .map_err(|error| Failure::from(CliError::new("no-prices", Exit::Usage, error.to_string())))?;
    Ok(panel_of(&made))
}
