//! Loads a price table into an aligned panel and prints one JSON line per round.
//!
//! `LOTWISE_BENCH_DATA` names the table, `LOTWISE_BENCH_ROUNDS` the rounds (5 unless told). Without
//! a table there is nothing to measure and the program says so. `tools/bench_panel.py` runs this
//! in turn with polars and pandas.

use std::time::Instant;

use lotwise_market::{LoadOptions, Panel};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Ok(path) = std::env::var("LOTWISE_BENCH_DATA") else {
        println!("panel: set LOTWISE_BENCH_DATA to a price table to measure loading it");
        return Ok(());
    };
    let rounds: u32 = std::env::var("LOTWISE_BENCH_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    for _ in 0..rounds {
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
        let start = Instant::now();
        let loaded = Panel::load(&path, &LoadOptions::default())?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "{{\"seconds\": {seconds:.4}, \"rows\": {}, \"assets\": {}, \"sessions\": {}, \"issues\": {}, \"peak_rss_mb\": {:.1}}}",
            loaded.rows,
            loaded.panel.n_assets(),
            loaded.panel.n_sessions(),
            loaded.issues.total(),
            peak_rss_mb().unwrap_or(f64::NAN),
        );
    }
    Ok(())
}

/// Most memory this process has held, where the system tells.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kilobytes| kilobytes / 1024.0)
}
