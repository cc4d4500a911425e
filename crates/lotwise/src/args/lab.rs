//! Backtests, evaluations and what measures them.

use std::path::PathBuf;

use clap::Args;
use lotwise_core::{Date, Objective, Symbol};

use super::RateArgs;

/// Where trials are written down, and on how many threads is computed.
#[derive(Debug, Clone, Default, Args)]
pub struct LabArgs {
    /// Trial ledger; without it the one in the data folder
    #[arg(long, value_name = "FILE")]
    pub trials: Option<PathBuf>,
    /// Threads; without it as many as there are cores. The result is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// Show what would be run, and run and write nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `backtest`.
#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// What to run (TOML); docs/backtest.md lists every key
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Write a report with pictures into this file
    #[arg(long, value_name = "OUT.html")]
    pub report: Option<PathBuf>,
    /// Replace the report if it is there
    #[arg(long)]
    pub yes: bool,
    /// Trials and threads.
    #[command(flatten)]
    pub lab: LabArgs,
}

/// `evaluate`.
#[derive(Debug, Args)]
#[command(after_help = "Each window starts from cash. Costs are part of the figures. Each run is written into \
                        the trial ledger.")]
pub struct EvaluateArgs {
    /// Classical policy to judge
    #[arg(long, value_name = "POLICY")]
    pub policy: String,
    /// Prices: a Parquet or CSV file, or a folder of them
    #[arg(long, value_name = "PATH")]
    pub prices: PathBuf,
    /// First window starts on or after this date; without it after a year of prices
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// Last session
    #[arg(long, value_name = "DATE")]
    pub to: Option<Date>,
    /// Assets, separated by commas; without it the index members of each day, or all symbols where there
    /// is no table of members
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub symbols: Vec<Symbol>,
    /// What the account is for
    #[arg(long, value_name = "OBJECTIVE", default_value = "MAX_GAIN_1Y")]
    pub objective: Objective,
    /// Lengths of windows in sessions
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "14,30,60,90,252")]
    pub windows: Vec<usize>,
    /// Sessions from one window's start to the next
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    pub step: u16,
    /// Sessions between decisions
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..))]
    pub rebalance_sessions: u16,
    /// Cost of trading in basis points a side
    #[arg(long, value_name = "BPS", default_value = "5")]
    pub cost_bps: f64,
    /// Index fund for the benchmark and for single-index and 60/40
    #[arg(long, value_name = "SYMBOL", default_value = "SPY")]
    pub benchmark: Symbol,
    /// Seed of everything drawn by chance
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
    /// Tax rates.
    #[command(flatten)]
    pub rates: RateArgs,
    /// Trials and threads.
    #[command(flatten)]
    pub lab: LabArgs,
}

/// `bench backtest`.
#[derive(Debug, Args)]
pub struct BenchBacktestArgs {
    /// Numbers of assets
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "10,100,500")]
    pub assets: Vec<usize>,
    /// Years of prices
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(2..=30))]
    pub years: u16,
    /// Also write the prices as prices_N.parquet into this folder, for other programs
    #[arg(long, value_name = "FOLDER")]
    pub export: Option<PathBuf>,
    /// Leave out the runs that book lots and taxes
    #[arg(long)]
    pub without_taxes: bool,
    /// Time at least so long, in milliseconds
    #[arg(long, value_name = "MS", default_value = "1000")]
    pub least_ms: u32,
}

/// `bench env`.
#[derive(Debug, Args)]
pub struct BenchEnvArgs {
    /// Numbers of assets
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "10,100,500")]
    pub assets: Vec<usize>,
    /// Numbers of threads
    #[arg(long, value_delimiter = ',', value_name = "LIST", default_value = "1,2")]
    pub threads: Vec<usize>,
    /// Environments side by side
    #[arg(long, value_name = "N", default_value = "64", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub environments: u16,
    /// Time each job at least so long, in milliseconds
    #[arg(long, value_name = "MS", default_value = "1000")]
    pub least_ms: u32,
}

/// `bench null`.
#[derive(Debug, Args)]
pub struct NullArgs {
    /// Worlds
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub worlds: u16,
    /// Symbols of each
    #[arg(long, value_name = "N", default_value = "30", value_parser = clap::value_parser!(u16).range(2..=500))]
    pub symbols: u16,
    /// Sessions of each run
    #[arg(long, value_name = "N", default_value = "756", value_parser = clap::value_parser!(u16).range(60..=5000))]
    pub sessions: u16,
    /// Sessions between decisions
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    pub rebalance_sessions: u16,
    /// Seed of the worlds
    #[arg(long, value_name = "N", default_value = "0")]
    pub seed: u64,
}
