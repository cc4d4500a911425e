//! How long a walk-forward over twenty years of synthetic prices takes, job by job.
//!
//! `cargo bench -p lotwise-sim --bench walk_forward` prints a table; an argument picks cases by name, for instance
//! `-- min-variance-100-`. `--processor` counts the time that the thread had of the processor instead of the clock's,
//! which a busy machine calls for (Linux only). The jobs of `lotwise bench backtest`, without building it.

#![expect(clippy::disallowed_methods, reason = "a benchmark is where time is measured")]

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use lotwise_core::{Date, Seed};
use lotwise_market::synthetic::{MarketConfig, Universe, generate};
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name};
use lotwise_sim::backtest::{BacktestConfig, BacktestMarket, Taxes, panel_of, run};
use lotwise_tax::Method;

/// Sessions of a year, and years of prices.
const YEAR: usize = 252;
const YEARS: usize = 20;
/// Runs, of which the best counts.
const ROUNDS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<16}{:>8}{:>8}{:>12}{:>12}{:>16}", "job", "taxes", "assets", "seconds", "trades", "final");
    for n_assets in [10, 100, 500] {
        let jobs = [("equal-weight", 1, false), ("min-variance", 21, false), ("equal-weight", 1, true)];
        let jobs: Vec<_> = jobs.into_iter().filter(|job| wanted(&name(job.0, job.2, n_assets))).collect();
        if jobs.is_empty() {
            continue;
        }
        let start = Date::from_ymd(2000, 1, 3).expect("Invariant: a real date");
        let market = MarketConfig::null(Universe::Invented { n_symbols: n_assets }, start, YEAR * (YEARS + 1));
        let (panel, actions) = panel_of(&generate(&market, Seed::new(1))?);
        let market = BacktestMarket::new(&panel, panel.assets().collect(), &actions, None);
        let sessions = panel.sessions();
        for (strategy, every, taxed) in jobs {
            let mut config = BacktestConfig::standard(sessions[YEAR], sessions[sessions.len() - 1]);
            (config.rebalance_sessions, config.method) = (every, Method::Fifo);
            if !taxed {
                config.taxes = Taxes::None;
            }
            let mut best = (Duration::MAX, 0, 0.0);
            for _ in 0..ROUNDS {
                let start = now();
                let mut strategy = strategy_by_name(strategy, &StrategyConfig::standard())?;
                let record = run(&market, strategy.as_mut(), &config)?;
                let taken = now().saturating_sub(start);
                if taken < best.0 {
                    best = (taken, record.trades.len(), record.finals.value.to_f64());
                }
            }
            println!(
                "{strategy:<16}{:>8}{n_assets:>8}{:>12.4}{:>12}{:>16.2}",
                if taxed { "flat" } else { "none" },
                best.0.as_secs_f64(),
                best.1,
                best.2
            );
        }
    }
    Ok(())
}

fn name(strategy: &str, taxed: bool, n_assets: usize) -> String {
    format!("{strategy}-{}{n_assets}-", if taxed { "taxed-" } else { "" })
}

fn wanted(name: &str) -> bool {
    let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
    named.peek().is_none() || named.any(|part| name.contains(&part))
}

/// Time by the clock, or of the processor when that is asked for.
fn now() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    static BUSY: OnceLock<bool> = OnceLock::new();
    if !BUSY.get_or_init(|| std::env::args().any(|argument| argument == "--processor")) {
        return START.get_or_init(Instant::now).elapsed();
    }
    // The kernel brings the figure up to date when another thread might run.
    std::thread::yield_now();
    let figures = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = figures.split(' ').next().and_then(|one| one.parse().ok());
    Duration::from_nanos(nanoseconds.expect("Invariant: --processor is for Linux"))
}
