//! `bench env`: how many steps a second the training environment plays (compare with
//! `tools/bench_env.py`).

use std::sync::Arc;

use lotwise_core::{Clock, Seed};
use lotwise_sim::backtest::BacktestMarket;
use lotwise_sim::env::{Batch, EnvConfig, Environments, Tape};
use lotwise_tax::Method;
use serde_json::{Value, json};

use super::backtest::prices;
use crate::args::BenchEnvArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::{Cell, Column, Page, Report, Table};

/// Years of synthetic prices.
const YEARS: usize = 5;
/// Steps between two looks at the clock, which counts milliseconds.
const BLOCK: usize = 4;
/// Least time that a rate is taken over.
const BLOCK_MS: i64 = 100;
/// Steps that fill the accounts with lots before they are timed.
const WARM_STEPS: usize = 64;
/// Weights that are wished for in turn.
const WISHES: usize = 32;
/// Steps between two wishes of the calm job.
const MONTH: usize = 21;

/// What is timed.
#[derive(Clone, Copy)]
enum Job {
    /// Writing what policies see.
    Observe,
    /// Steps whose gaps are below the threshold.
    Idle,
    /// New weights each month, lots by a method.
    Calm(Method),
    /// New weights at every step, traded up to the cap.
    Restless(Method),
}

const JOBS: [(Job, &str); 5] = [
    (Job::Observe, "observe only"),
    (Job::Idle, "step without trades"),
    (Job::Calm(Method::MinTax), "new weights monthly"),
    (Job::Restless(Method::Fifo), "new weights daily, first-in first-out"),
    (Job::Restless(Method::MinTax), "new weights daily, least tax"),
];

/// Times every job at every size and number of threads.
///
/// # Errors
/// When a size is out of range or the environment cannot be played.
pub fn run(arguments: &BenchEnvArgs, context: &Context) -> Result<Report, Failure> {
    let mut results: Vec<Value> = Vec::new();
    let mut table = Table::new([
        Column::words("job", "Job"),
        Column::number("assets", "Assets"),
        Column::number("threads", "Threads"),
        Column::number("steps", "Steps/s"),
        Column::number("micros", "µs a step"),
        Column::number("trades", "Trades a step"),
    ]);
    let n = usize::from(arguments.environments);
    for &n_assets in &arguments.assets {
        if n_assets == 0 || n_assets > 2_000 {
            return Err(CliError::new("bad-assets", Exit::Usage, "numbers of assets are from 1 to 2000").into());
        }
        // Some symbols more than an episode holds, so that episodes differ.
        let (panel, actions) = prices(n_assets + n_assets / 4 + 2, YEARS)?;
        let tape = Arc::new(Tape::new(&BacktestMarket::new(&panel, panel.assets().collect(), &actions, None)));
        for &threads in &arguments.threads {
            if threads == 0 || threads > 1_024 {
                return Err(CliError::new("bad-threads", Exit::Usage, "numbers of threads are from 1 to 1024").into());
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = pool.map_err(|error| CliError::new("no-threads", Exit::Failed, error.to_string()))?;
            for (job, name) in JOBS {
                let timed = pool.install(|| measure(&tape, n_assets, n, job, arguments.least_ms, context))?;
                table.row([
                    Cell::words(name),
                    Cell::count(n_assets),
                    Cell::count(threads),
                    Cell::count(timed.per_second as usize),
                    Cell::words(format!("{:.2}", 1e6 / timed.per_second)),
                    Cell::words(format!("{:.2}", timed.trades)),
                ]);
                results.push(json!({
                    "name": format!("env {name}, {n_assets} assets"), "unit": "steps/s", "value": timed.per_second,
                    "spread": timed.spread, "threads": threads, "n": timed.n, "assets": n_assets, "job": name,
                    "environments": n, "trades_per_step": timed.trades,
                }));
            }
        }
    }
    let mut page = Page::new();
    page.heading(format!("{n} accounts side by side, with lots, wash sales and taxes"));
    page.table(table.clone());
    page.sentence(
        "Medians over blocks of a tenth of a second, what policies see included; costs 5 basis points, threshold 1 %, cap 25 %, flat \
         taxes, half of the episodes begin with random lots. Synthetic prices, seed 1.",
    );
    Ok(Report::new("bench", context.today(), json!({"results": results}), page).table(table))
}

/// What a job came to.
struct Timed {
    per_second: f64,
    spread: f64,
    n: usize,
    trades: f64,
}

fn measure(
    tape: &Arc<Tape>,
    n_assets: usize,
    n: usize,
    job: Job,
    least_ms: u32,
    context: &Context,
) -> Result<Timed, Failure> {
    let failed = |error: lotwise_sim::Error| CliError::new("bench-failed", Exit::Failed, error.to_string());
    let mut config = EnvConfig::stated(n_assets);
    match job {
        Job::Calm(method) | Job::Restless(method) => config.tax.method = method,
        // No gap of weights is larger than one.
        Job::Observe | Job::Idle => (config.execution.rebalance_threshold, config.initial_funding) = (1.0, false),
    }
    let mut environments = Environments::new(Arc::clone(tape), config, n, Seed::new(2)).map_err(failed)?;
    let mut batch: Batch = environments.batch();
    let wishes = wishes(n, n_assets + 1);
    let (mut rates, mut trades, mut played) = (Vec::new(), 0_u64, 0_usize);
    let mut timed_steps = 0;
    let mut total = 0;
    while total < i64::from(least_ms) || rates.len() < 3 {
        let start = context.clock.now();
        let (mut steps, mut elapsed) = (0, 0);
        while elapsed < BLOCK_MS {
            for _ in 0..BLOCK {
                match job {
                    Job::Observe => environments.observe(&mut batch),
                    Job::Idle | Job::Calm(_) | Job::Restless(_) => {
                        let wish = if matches!(job, Job::Calm(_)) { played / MONTH } else { played };
                        let wish = &wishes[wish % wishes.len()];
                        environments.step(wish, None, 0.0, &mut batch).map_err(failed)?;
                        environments.reset_ended(&batch).map_err(failed)?;
                    }
                }
                trades += batch.results.iter().flatten().map(|result| u64::from(result.info.n_trades)).sum::<u64>();
                played += 1;
                steps += n;
            }
            elapsed = context.clock.now().millis_since(start);
        }
        // The first blocks fill the accounts with lots.
        if played >= WARM_STEPS {
            rates.push(steps as f64 * 1e3 / elapsed as f64);
            timed_steps += steps;
            total += elapsed;
        }
    }
    rates.sort_by(f64::total_cmp);
    Ok(Timed {
        per_second: rates[rates.len() / 2],
        spread: rates[rates.len() - 1] - rates[0],
        n: timed_steps,
        trades: trades as f64 / (played * n) as f64,
    })
}

/// Random weights of all accounts, several steps of them, made before anything is timed.
fn wishes(n: usize, width: usize) -> Vec<Vec<f64>> {
    let mut random = 7_u64;
    let mut draw = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1e-3 + (random >> 40) as f64 / (1 << 24) as f64
    };
    let row = |draw: &mut dyn FnMut() -> f64| {
        let raw: Vec<f64> = (0..width).map(|_| draw()).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(move |weight| weight / sum).collect::<Vec<f64>>()
    };
    (0..WISHES).map(|_| (0..n).flat_map(|_| row(&mut draw)).collect()).collect()
}
