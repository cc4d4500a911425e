//! All bar features of a whole panel: median seconds for the panel and for its first half of sessions.
//!
//! `LOTWISE_BENCH_DATA` names a price table (Parquet); without it there is nothing to measure and
//! the benchmark says so. With `LOTWISE_BENCH_DUMP`, the rows of the symbols listed there
//! (separated by commas) are written to standard output for comparison instead.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures time")]

use std::io::Write;
use std::time::Instant;

use lotwise_core::{RawBar, Symbol};
use lotwise_market::features::{FEATURE_NAMES, FeatureCube, panel_features, view_features};
use lotwise_market::table::Table;
use lotwise_market::{Panel, SessionIdx, asset_regimes};

const REPETITIONS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Ok(path) = std::env::var("LOTWISE_BENCH_DATA") else {
        println!("set LOTWISE_BENCH_DATA to a price table such as prices_daily.parquet");
        return Ok(());
    };
    let panel = load(&path)?;
    if let Ok(symbols) = std::env::var("LOTWISE_BENCH_DUMP") {
        return dump(&panel, &symbols);
    }
    let last = SessionIdx(panel.n_sessions() - 1);
    let cells = |end: SessionIdx| {
        panel.assets().map(|asset| panel.at(end).mask(asset).iter().filter(|&&on| on).count()).sum::<usize>()
    };
    // The session at which half of all bars have been.
    let rows = cells(last);
    let half = SessionIdx((0..=last.0).collect::<Vec<_>>().partition_point(|&at| cells(SessionIdx(at)) < rows / 2));
    let cube = panel_features(&panel);
    println!("rows {rows}");
    println!("half_rows {}", cells(half));
    println!("raw_seconds {:.6}", median(|| view_features(&panel.at(last)).n_assets()));
    println!("raw_half_seconds {:.6}", median(|| view_features(&panel.at(half)).n_assets()));
    println!("normalise_seconds {:.6}", median(|| cube.normalised().n_assets()));
    let whole = panel.at(last);
    println!(
        "regime_seconds {:.6}",
        median(|| panel.assets().map(|asset| asset_regimes(&whole, asset).labels.len()).sum())
    );
    Ok(())
}

/// Median wall-clock seconds of a few calls.
fn median(mut work: impl FnMut() -> usize) -> f64 {
    let mut seconds: Vec<f64> = (0..REPETITIONS)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[REPETITIONS / 2]
}

/// Raw and normalised rows and the regime of a few symbols, as CSV.
fn dump(panel: &Panel, symbols: &str) -> Result<(), Box<dyn std::error::Error>> {
    let raw = panel_features(panel);
    let normalised = raw.normalised();
    let view = panel.at(SessionIdx(panel.n_sessions() - 1));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let normal_names: Vec<String> = FEATURE_NAMES.iter().map(|name| format!("normal_{name}")).collect();
    writeln!(out, "ticker,date,regime,{},{}", FEATURE_NAMES.join(","), normal_names.join(","))?;
    for symbol in symbols.split(',') {
        let asset = panel.asset(&Symbol::parse(symbol)?).ok_or("a symbol to dump is not in the panel")?;
        let regimes = asset_regimes(&view, asset);
        for (at, &session) in raw.asset(asset).sessions().iter().enumerate() {
            let cells = |cube: &FeatureCube| {
                let row = cube.asset(asset).rows()[at];
                row.map(|value| if value.is_nan() { String::new() } else { value.to_string() }).join(",")
            };
            let date = panel.sessions()[session as usize];
            let regime = regimes.labels[at].map_or("", |regime| regime.name());
            writeln!(out, "{symbol},{date},{regime},{},{}", cells(&raw), cells(&normalised))?;
        }
    }
    Ok(())
}

/// Reads a price table without any checks: this is about features.
fn load(path: &str) -> Result<Panel, Box<dyn std::error::Error>> {
    let table = Table::open(path)?;
    let tickers = table.column_str("ticker")?;
    let dates = table.column_date("date")?;
    let mut columns = Vec::new();
    for name in ["open", "high", "low", "close", "adj_close", "volume"] {
        columns.push(table.column_f64(name)?);
    }
    let mut groups: Vec<(Symbol, Vec<RawBar>)> = Vec::new();
    for (row, date) in dates.into_iter().enumerate() {
        let (Some(ticker), Some(date)) = (tickers.get(row), date) else { continue };
        if groups.last().is_none_or(|(symbol, _)| symbol.as_str() != ticker) {
            groups.push((Symbol::parse(ticker)?, Vec::new()));
        }
        let [open, high, low, close, adj_close, volume] = std::array::from_fn(|at| columns[at][row]);
        if let Some((_, bars)) = groups.last_mut() {
            bars.push(RawBar { date, open, high, low, close, adj_close, volume });
        }
    }
    Ok(Panel::from_groups(&groups))
}
