//! `bench null`: how often a strategy looks skilled where there is nothing to know (SPEC V-10).

use lotwise_core::Seed;
use lotwise_sim::backtest::{NullWorlds, null_worlds};
use serde_json::json;

use crate::args::NullArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Page, Report, Table};

/// Prices before each run.
const WARM_UP: usize = 280;
/// Rejections allowed in twenty worlds.
const ALLOWED: (usize, usize) = (3, 20);
/// What is judged: every strategy that takes any assets. The Newton step is slow and no better tested here.
const STRATEGIES: [&str; 13] = [
    "equal-weight",
    "equal-weight-hold",
    "inverse-volatility",
    "min-variance",
    "risk-parity",
    "hrp",
    "mean-variance",
    "momentum-tilt",
    "harvester",
    "random-dirichlet",
    "eg",
    "pamr",
    "olmar",
];

/// Counts. Ends with 7 when a strategy exceeds the share allowed.
///
/// # Errors
/// When a world cannot be made.
pub fn run(arguments: &NullArgs, context: &Context) -> Result<Report, Failure> {
    let worlds = NullWorlds {
        n_worlds: usize::from(arguments.worlds),
        n_symbols: usize::from(arguments.symbols),
        warm_up: WARM_UP,
        n_sessions: usize::from(arguments.sessions),
        rebalance_sessions: usize::from(arguments.rebalance_sessions),
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let found = null_worlds(&STRATEGIES, worlds, Seed::new(arguments.seed), threads)
        .map_err(|error| CliError::new("no-world", Exit::Usage, error.to_string()))?;
    let mut table = Table::new([
        Column::words("strategy", "Strategy"),
        Column::number("worlds", "Worlds"),
        Column::number("above", "Above zero"),
        Column::number("below", "Below zero"),
        Column::number("mean", "Mean alpha a year"),
    ]);
    let mut results = Vec::new();
    let mut exceeded = 0;
    for one in &found {
        let measured: Vec<f64> = one.alphas.iter().flatten().map(|alpha| alpha.estimate).collect();
        let mean = measured.iter().sum::<f64>() / measured.len().max(1) as f64;
        let holds = one.rejections() * ALLOWED.1 <= ALLOWED.0 * measured.len();
        exceeded += usize::from(!holds);
        table.row([
            Cell::words(&one.strategy),
            Cell::count(measured.len()),
            Cell::count(one.rejections()),
            Cell::count(one.losses()),
            Cell::with_raw(format!("{:+.2} %", mean * 100.0).replace('-', "−"), mean.to_string()),
        ]);
        results.push(json!({
            "name": format!("null {}", one.strategy), "unit": "worlds above zero", "value": one.rejections(),
            "spread": null, "threads": threads, "n": measured.len(), "below": one.losses(), "mean": mean, "pass": holds,
        }));
    }
    let mut page = Page::new();
    page.heading(match exceeded {
        0 => "No strategy looks skilled in more worlds than chance allows".to_owned(),
        _ => format!("{exceeded} strategies look skilled in more worlds than chance allows"),
    });
    page.table(table.clone());
    page.sentence(format!(
        "Cash-matched alpha after 5 basis points a side, 95 % two-sided; at most {} of {} worlds above zero.",
        ALLOWED.0, ALLOWED.1
    ));
    let mut report = Report::new("bench", context.today(), json!({"results": results}), page).table(table);
    report.exit = if exceeded == 0 { Exit::Done } else { Exit::CheckFailed };
    Ok(report)
}
