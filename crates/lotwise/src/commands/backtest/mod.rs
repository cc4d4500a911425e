//! `backtest`: strategies over history, with lots, taxes and costs.

mod config;
mod html;
mod page;
mod setup;

use std::path::Path;

use lotwise_core::{Clock, Money, Seed, Symbol};
use lotwise_market::AssetIdx;
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name};
use lotwise_sim::backtest::{
    Assessment, AssessmentOptions, BacktestMarket, Record, assess, hindsight_returns, in_parallel, run as run_backtest,
    run_windows,
};
use lotwise_sim::measure::{
    StationaryBootstrap, SuperiorAbility, deflated_sharpe, probability_of_overfitting, superior_predictive_ability,
};

use self::config::{FileConfig, PlannedRun};
use crate::args::{BacktestArgs, LabArgs};
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Report, Warning};
use crate::store::digest;
use crate::trials::{Trial, Trials};

pub use config::UniverseChoice;
pub use setup::{Setup, backtest_error, market_caps};

/// Blocks of the cross-validation for overfitting (SPEC V-06).
const BLOCKS: usize = 16;

/// A run that was made.
struct Outcome {
    planned: PlannedRun,
    record: Record,
    assessment: Assessment,
    /// With the trials of the ledger, this one included.
    deflated: Option<f64>,
}

/// Everything that is shown.
struct Shown<'a> {
    file: &'a FileConfig,
    outcomes: Vec<Outcome>,
    symbols: Vec<Symbol>,
    n_assets: usize,
    members: bool,
    configurations: usize,
    runs: usize,
    overfitting: Option<f64>,
    superior: Option<SuperiorAbility>,
    /// Returns of the best constant weights, known only in hindsight, over the sessions of the first run.
    hindsight: Option<Vec<f64>>,
    command: String,
}

/// Runs the strategies of a configuration.
///
/// # Errors
/// When the configuration or the prices cannot be used, or a strategy fails.
pub fn run(arguments: &BacktestArgs, context: &Context) -> Result<Report, Failure> {
    let file = FileConfig::read(&arguments.config)?;
    let at_file = |error: CliError| match &error.place {
        None => error.at(Place::file(arguments.config.display().to_string())),
        Some(_) => error,
    };
    let planned = file.runs().map_err(at_file)?;
    let mut strategies = file.strategy_config().map_err(at_file)?;
    let folder = arguments.config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let prices = folder.join(&file.prices);
    let caps = market_caps(&prices, planned.iter().map(|run| run.strategy.as_str()))?;
    strategies.caps = caps.as_ref().map(|tables| tables.caps.clone());
    for run in &planned {
        strategy_by_name(&run.strategy, &strategies)
            .map_err(|error| at_file(CliError::new("unknown-strategy", Exit::Usage, error.to_string())))?;
    }
    if let Some(out) = &arguments.report {
        may_write(out, arguments.yes)?;
    }
    let mut setup = Setup::open(&prices, Some(planned[0].config.to))?;
    let read = |list: &[String]| -> Result<Vec<Symbol>, CliError> {
        let symbol = |text: &String| {
            Symbol::parse(text).map_err(|error| at_file(CliError::new("bad-config", Exit::Usage, error.to_string())))
        };
        list.iter().map(symbol).collect()
    };
    let (assets, members) = setup.market(file.universe, &read(&file.symbols)?, &read(&file.exclude)?)?;
    setup.warn_of_unknown_caps(&assets, caps.as_ref());
    let market = setup.prepare(assets.clone(), members);
    if arguments.lab.dry_run {
        return Ok(page::dry_run(&planned, market.assets().len(), context));
    }
    let mut trials = Trials::of(arguments.lab.trials.as_deref(), &context.settings)?;
    let seed = Seed::new(file.statistics.seed);
    let bootstrap = StationaryBootstrap { n_resamples: file.statistics.resamples, ..StationaryBootstrap::default() };
    let make = |planned: &PlannedRun| one(planned, &setup, &market, &strategies, seed, bootstrap);
    let made = in_parallel(&planned, threads(&arguments.lab), make);
    let mut outcomes = Vec::new();
    for (planned, made) in planned.iter().zip(made) {
        let (record, assessment) = made?;
        let data = setup.data_digest(&planned.strategy, caps.as_ref());
        trials.add(Trial {
            time: timestamp(context.clock.now()),
            command: "backtest".to_owned(),
            strategy: planned.strategy.clone(),
            config: digest(format!("{planned:?} {strategies:?} {assets:?} {members} {data}").as_bytes()),
            data,
            from: record.start.to_string(),
            to: planned.config.to.to_string(),
            sharpe: assessment.sharpe_per_session,
        })?;
        outcomes.push(Outcome { planned: planned.clone(), record, assessment, deflated: None });
    }
    let tried = trials.tried();
    for outcome in &mut outcomes {
        let excess = excess(&outcome.assessment);
        let judged = outcome.assessment.sharpe_per_session.is_some();
        outcome.deflated = judged.then(|| deflated_sharpe(&excess, &tried.sharpes, tried.configurations)).flatten();
    }
    let returns: Vec<Vec<f64>> = outcomes.iter().map(|outcome| outcome.assessment.pre_tax.clone()).collect();
    let excesses: Vec<Vec<f64>> = outcomes.iter().map(|outcome| excess(&outcome.assessment)).collect();
    let matched = outcomes.first().map(|outcome| outcome.assessment.equal_weight.clone()).unwrap_or_default();
    let shown = Shown {
        symbols: setup.panel.symbols().to_vec(),
        n_assets: market.assets().len(),
        members,
        configurations: tried.configurations,
        runs: tried.runs,
        overfitting: probability_of_overfitting(&excesses, BLOCKS).map(|found| found.probability),
        superior: superior_predictive_ability(&returns, &matched, bootstrap, seed.child("superior", 0)),
        hindsight: outcomes.first().and_then(|outcome| {
            let last = outcome.record.sessions.last()?.date;
            hindsight_returns(&market, outcome.record.start, last)
        }),
        command: format!("lotwise backtest -c {}", arguments.config.display()),
        file: &file,
        outcomes,
    };
    if let Some(out) = &arguments.report {
        let first = &shown.outcomes[0];
        let own = setup.own_market(&first.planned.strategy, &strategies)?;
        let windows = run_windows(
            own.as_ref().unwrap_or(&market),
            &|| strategy_by_name(&first.planned.strategy, &strategies),
            &first.planned.config,
            &file.statistics.windows,
            lotwise_sim::backtest::WINDOW_STEP,
            threads(&arguments.lab),
        );
        let windows = windows.unwrap_or_else(|error| {
            let message = format!("the report has no windows: {error}");
            setup.warnings.push(Warning::new("no-windows", message));
            Vec::new()
        });
        let text = html::page(&shown, &windows, context);
        std::fs::write(out, text).map_err(|error| {
            CliError::new("unwritable", Exit::Failed, format!("the report cannot be written: {error}"))
                .at(Place::file(out.display().to_string()))
        })?;
        context.style.say(&format!("the report is in {}", out.display()));
    }
    let mut report = page::report(&shown, context);
    report.warnings.append(&mut setup.warnings.clone());
    if !members {
        let message = "the universe is one of today: it holds what survived, so the figures are too good (SPEC V-11)";
        report.warnings.push(Warning::new("survivorship", message));
    }
    Ok(report)
}

fn one(
    planned: &PlannedRun,
    setup: &Setup,
    market: &BacktestMarket<'_>,
    strategies: &StrategyConfig,
    seed: Seed,
    bootstrap: StationaryBootstrap,
) -> Result<(Record, Assessment), CliError> {
    let mut strategy = strategy_by_name(&planned.strategy, strategies)
        .map_err(|error| CliError::new("unknown-strategy", Exit::Usage, error.to_string()))?;
    let own = setup.own_market(&planned.strategy, strategies)?;
    let traded = own.as_ref().unwrap_or(market);
    let record = run_backtest(traded, strategy.as_mut(), &planned.config).map_err(|error| backtest_error(&error))?;
    let options = AssessmentOptions {
        cash_rate_annual: planned.config.cash_rate_annual,
        seed: seed.child("assess", 0),
        bootstrap,
        trials: (&[], 0),
    };
    let assessment = assess(market, &record, &options)
        .ok_or_else(|| CliError::new("no-sessions", Exit::DataMissing, "the run has no sessions"))?;
    Ok((record, assessment))
}

/// Returns over cash.
fn excess(assessment: &Assessment) -> Vec<f64> {
    assessment.pre_tax.iter().zip(&assessment.risk_free).map(|(ret, cash)| ret - cash).collect()
}

/// Threads asked for, or all cores.
#[must_use]
pub fn threads(lab: &LabArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    lab.threads.map_or_else(cores, usize::from)
}

fn may_write(out: &Path, yes: bool) -> Result<(), CliError> {
    if out.exists() && !yes {
        return Err(CliError::new("file-exists", Exit::Confirm, "the report is there already")
            .at(Place::file(out.display().to_string()))
            .help("choose another name, or replace it with --yes"));
    }
    Ok(())
}

/// The names of assets.
fn name(symbols: &[Symbol], asset: AssetIdx) -> &str {
    symbols.get(asset.0).map_or("?", Symbol::as_str)
}

/// A sum of money as a fraction of the start.
fn of_start(amount: Money, record: &Record) -> f64 {
    amount.to_f64() / record.initial_cash.to_f64() - 1.0
}
