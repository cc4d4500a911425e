//! Prints every measure of a table of returns, for `tools/check_statistics.py` to compare.
//!
//! The CSV has a header; its first column is the benchmark, its second the return of cash, and the
//! others are configurations, the first of which is the portfolio measured.

use std::error::Error;

use lotwise_core::Seed;
use lotwise_sim::measure::{
    Moments, StationaryBootstrap, bootstrap_interval, deflated_sharpe, expected_best_sharpe, performance,
    probabilistic_sharpe, probability_of_overfitting, relative, superior_predictive_ability,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: statistics FILE.csv")?;
    let text = std::fs::read_to_string(path)?;
    let rows = text.lines().skip(1).map(|line| line.split(',').map(str::parse).collect::<Result<Vec<f64>, _>>());
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    let column = |at: usize| -> Vec<f64> { rows.iter().map(|row| row[at]).collect() };
    let n_columns = rows.first().map_or(0, Vec::len);
    let (benchmark, cash) = (column(0), column(1));
    let configurations: Vec<Vec<f64>> = (2..n_columns).map(column).collect();
    let returns = &configurations[0];
    let excess: Vec<f64> = returns.iter().zip(&cash).map(|(ret, cash)| ret - cash).collect();
    let show = |name: &str, value: Option<f64>| println!("{name} {}", value.unwrap_or(f64::NAN));

    let own = performance(returns, &cash);
    show("total", Some(own.total));
    show("annual", own.annual);
    show("vol_annual", own.vol_annual);
    show("sharpe", own.sharpe);
    show("sortino", own.sortino);
    show("max_drawdown", Some(own.max_drawdown));
    show("calmar", own.calmar);
    show("cvar_95", own.cvar_95);
    let against = relative(returns, &benchmark);
    show("tracking_error", against.tracking_error);
    show("information_ratio", against.information_ratio);
    show("beta", against.beta);
    let moments = Moments::of(&excess);
    show("skewness", moments.map(|moments| moments.skewness));
    show("kurtosis", moments.map(|moments| moments.kurtosis));
    show("psr", probabilistic_sharpe(&excess, 0.0));
    let ratios: Vec<f64> = configurations.iter().filter_map(|each| Some(Moments::of(each)?.ratio())).collect();
    show("expected_best", Moments::of(&ratios).and_then(|all| expected_best_sharpe(all.std_dev, ratios.len())));
    show("dsr", deflated_sharpe(&excess, &ratios, ratios.len()));
    show("pbo", probability_of_overfitting(&configurations, 16).map(|found| found.probability));
    let bootstrap = StationaryBootstrap { n_resamples: 10_000, ..StationaryBootstrap::default() };
    let mean =
        |positions: &[usize]| Some(positions.iter().map(|&at| returns[at]).sum::<f64>() / positions.len() as f64);
    let interval = bootstrap_interval(bootstrap, returns.len(), 0.95, Seed::new(1), mean);
    show("mean_low", interval.map(|interval| interval.low));
    show("mean_high", interval.map(|interval| interval.high));
    let best = superior_predictive_ability(&configurations, &benchmark, bootstrap, Seed::new(2));
    show("spa_p", best.map(|found| found.p_value));
    Ok(())
}
