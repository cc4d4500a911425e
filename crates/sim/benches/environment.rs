//! How many steps a second the training environment plays, job by job.
//!
//! `cargo bench -p lotwise-sim --bench environment` prints a table; an argument picks cases by name, for instance
//! `-- monthly-10-`. `--processor` counts the time that the thread had of the processor instead of the clock's,
//! which a busy machine calls for (Linux only; with one thread). The same jobs as `lotwise bench env`, without
//! building it, with a checksum over all results: the same before and after a change that is to change nothing.

#![expect(clippy::disallowed_methods, reason = "a benchmark is where time is measured")]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lotwise_core::{Date, Seed};
use lotwise_market::synthetic::{MarketConfig, Universe, generate};
use lotwise_sim::backtest::{BacktestMarket, panel_of};
use lotwise_sim::env::{Batch, EnvConfig, Environments, Tape};
use lotwise_tax::Method;

/// Accounts side by side.
const COPIES: usize = 64;
/// Sessions of synthetic prices.
const SESSIONS: usize = 252 * 6;
/// Steps that fill the accounts with lots before they are timed, and steps of a round.
const WARM_STEPS: usize = 126;
/// Rounds, of which the best counts.
const ROUNDS: usize = 5;
/// Weights that are wished for in turn.
const WISHES: usize = 32;

/// What is timed: steps between two wishes, none for no trades; and which lots leave.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    every: Option<usize>,
    method: Method,
    /// Steps of a round and of all accounts, times assets.
    work: usize,
}

const JOBS: [Job; 5] = [
    Job { name: "idle", every: None, method: Method::MinTax, work: 3_000_000 },
    Job { name: "monthly", every: Some(21), method: Method::MinTax, work: 1_500_000 },
    Job { name: "monthly-fifo", every: Some(21), method: Method::Fifo, work: 1_500_000 },
    Job { name: "daily-fifo", every: Some(1), method: Method::Fifo, work: 100_000 },
    Job { name: "daily", every: Some(1), method: Method::MinTax, work: 100_000 },
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{:<16}{:>8}{:>12}{:>10}{:>10}{:>14}", "job", "assets", "steps/s", "µs", "trades", "checksum");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    for n_assets in [10, 100, 500] {
        let mut tape = None;
        for job in JOBS.into_iter().filter(|job| wanted(&format!("{}-{n_assets}-", job.name))) {
            let tape = tape.get_or_insert_with(|| Arc::new(tape_of(n_assets)));
            pool.install(|| measure(tape, n_assets, job))?;
        }
    }
    Ok(())
}

fn tape_of(n_assets: usize) -> Tape {
    let start = Date::from_ymd(2000, 1, 3).expect("Invariant: a real date");
    // Some symbols more than an episode holds, so that episodes differ.
    let universe = Universe::Invented { n_symbols: n_assets + n_assets / 4 + 2 };
    let config = MarketConfig::null(universe, start, SESSIONS);
    let made = generate(&config, Seed::new(1)).expect("Invariant: sizes are in range");
    let (panel, actions) = panel_of(&made);
    Tape::new(&BacktestMarket::new(&panel, panel.assets().collect(), &actions, None))
}

fn measure(tape: &Arc<Tape>, n_assets: usize, job: Job) -> Result<(), lotwise_sim::Error> {
    let mut config = EnvConfig::stated(n_assets);
    config.tax.method = job.method;
    if job.every.is_none() {
        // No gap of weights is larger than one.
        (config.execution.rebalance_threshold, config.initial_funding) = (1.0, false);
    }
    let mut environments = Environments::new(Arc::clone(tape), config, COPIES, Seed::new(2))?;
    let mut batch: Batch = environments.batch();
    let wishes = wishes(n_assets + 1);
    let steps = (job.work / n_assets / COPIES).max(42);
    let (mut played, mut trades, mut checksum) = (0, 0, 0_u64);
    let mut best = Duration::MAX;
    for round in 0..=ROUNDS {
        let n = if round == 0 { WARM_STEPS } else { steps };
        let start = now();
        for _ in 0..n {
            let wish = &wishes[played / job.every.unwrap_or(1) % WISHES];
            environments.step(wish, None, 0.0, &mut batch)?;
            environments.reset_ended(&batch)?;
            trades += batch.results.iter().flatten().map(|result| u64::from(result.info.n_trades)).sum::<u64>();
            played += 1;
            checksum = sum_up(checksum, &batch);
        }
        if round > 0 {
            best = best.min(now().saturating_sub(start));
        }
    }
    let per_second = (steps * COPIES) as f64 / best.as_secs_f64();
    println!(
        "{:<16}{n_assets:>8}{per_second:>12.0}{:>10.3}{:>10.2}{:>20x}",
        job.name,
        1e6 / per_second,
        trades as f64 / (played * COPIES) as f64,
        checksum,
    );
    Ok(())
}

/// A few numbers of every account go into the sum; all of them would take longer than a step.
fn sum_up(before: u64, batch: &Batch) -> u64 {
    let seen = batch.tickers.chunks(batch.tickers.len() / COPIES);
    let rows = batch.results.iter().flatten().zip(seen).zip(batch.global.chunks(16));
    rows.fold(before, |sum, ((result, tickers), global)| {
        let value = result.info.value.to_bits() ^ result.reward.total().to_bits().rotate_left(17);
        let seen = tickers.iter().take(36).fold(0_u64, |sum, number| sum.rotate_left(5) ^ u64::from(number.to_bits()));
        let global = global.iter().fold(0_u64, |sum, number| sum.rotate_left(7) ^ u64::from(number.to_bits()));
        (sum.rotate_left(9) ^ value ^ seen ^ global.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    })
}

/// Random weights of all accounts, several steps of them, made before anything is timed.
fn wishes(width: usize) -> Vec<Vec<f64>> {
    let mut random = 7_u64;
    let mut draw = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1e-3 + (random >> 40) as f64 / (1 << 24) as f64
    };
    let mut row = || {
        let raw: Vec<f64> = (0..width).map(|_| draw()).collect();
        let sum: f64 = raw.iter().sum();
        raw.into_iter().map(move |weight| weight / sum).collect::<Vec<f64>>()
    };
    (0..WISHES).map(|_| (0..COPIES).flat_map(|_| row()).collect()).collect()
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
