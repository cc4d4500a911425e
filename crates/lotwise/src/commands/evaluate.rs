//! `evaluate`: a policy on every window of a period, as a distribution (SPEC V-02).

use lotwise_core::{Clock, Money, Seed};
use lotwise_market::{Field, Panel};
use lotwise_sim::backtest::strategies::{StrategyConfig, strategy_by_name, strategy_names};
use lotwise_sim::backtest::{
    AssessmentOptions, BacktestConfig, Costs, DividendTax, Taxes, WindowResult, WindowSummary, assess,
    run as run_backtest, run_windows, summarise_windows,
};
use lotwise_sim::measure::StationaryBootstrap;
use serde_json::{Value, json};

use super::backtest::{Setup, UniverseChoice, backtest_error, market_caps, threads};
use crate::args::EvaluateArgs;
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, did_you_mean};
use crate::output::{Cell, Column, Figures, Page, Report, Table, Warning};
use crate::store::digest;
use crate::trials::{Trial, Trials};

/// Sessions of prices before the first window where no start is named.
const FIRST_YEAR: usize = 252;
/// Windows longer than any history make no sense.
const LONGEST_WINDOW: usize = 5000;

/// Evaluates.
///
/// # Errors
/// When the prices cannot be used, the policy is not known, or no window fits into the period.
pub fn run(arguments: &EvaluateArgs, context: &Context) -> Result<Report, Failure> {
    let caps = market_caps(&arguments.prices, std::iter::once(arguments.policy.as_str()))?;
    let strategies = StrategyConfig {
        index: arguments.benchmark.clone(),
        seed: Seed::new(arguments.seed).child("strategy", 0),
        caps: caps.as_ref().map(|tables| tables.caps.clone()),
        ..StrategyConfig::standard()
    };
    strategy_by_name(&arguments.policy, &strategies).map_err(|error| {
        let names = strategy_names();
        let help = did_you_mean(&arguments.policy, names.iter().copied(), names.len());
        CliError::new("unknown-policy", Exit::Usage, error.to_string()).help(help)
    })?;
    if arguments.windows.iter().any(|&length| length == 0 || length > LONGEST_WINDOW) {
        let message = format!("a window has 1 to {LONGEST_WINDOW} sessions");
        return Err(CliError::new("bad-window", Exit::Usage, message).into());
    }
    let mut setup = Setup::open(&arguments.prices, arguments.to)?;
    let (assets, members) = if arguments.symbols.is_empty() {
        match setup.market(UniverseChoice::Members, &[], &[]) {
            Ok(found) => found,
            Err(error) if error.code == "no-membership" => setup.market(UniverseChoice::All, &[], &[])?,
            Err(error) => return Err(error.into()),
        }
    } else {
        setup.market(UniverseChoice::Listed, &arguments.symbols, &[])?
    };
    setup.warn_of_unknown_caps(&assets, caps.as_ref());
    let config = config(arguments, &setup.panel, context)?;
    let market = setup.prepare(assets.clone(), members);
    let own = setup.own_market(&arguments.policy, &strategies)?;
    let make = || strategy_by_name(&arguments.policy, &strategies);
    let step = usize::from(arguments.step);
    if arguments.lab.dry_run {
        let mut page = Page::new();
        page.heading(format!(
            "{} would be judged over {} assets; nothing was run or written",
            arguments.policy,
            assets.len()
        ));
        return Ok(Report::new("evaluate", config.to, json!({"dry_run": true}), page));
    }
    let mut trials = Trials::of(arguments.lab.trials.as_deref(), &context.settings)?;
    let traded = own.as_ref().unwrap_or(&market);
    let windows = run_windows(traded, &make, &config, &arguments.windows, step, threads(&arguments.lab))
        .map_err(|error| backtest_error(&error))?;
    let sharpe = || -> Option<f64> {
        let record = run_backtest(traded, make().ok()?.as_mut(), &config).ok()?;
        let bootstrap = StationaryBootstrap { n_resamples: 1, ..StationaryBootstrap::default() };
        let options = AssessmentOptions { cash_rate_annual: 0.0, seed: Seed::new(0), bootstrap, trials: (&[], 0) };
        assess(&market, &record, &options)?.sharpe_per_session
    };
    let data_digest = setup.data_digest(&arguments.policy, caps.as_ref());
    trials.add(Trial {
        time: timestamp(context.clock.now()),
        command: "evaluate".to_owned(),
        strategy: arguments.policy.clone(),
        config: digest(
            format!("{config:?} {strategies:?} {assets:?} {members} {:?} {step} {data_digest}", arguments.windows)
                .as_bytes(),
        ),
        data: data_digest,
        from: config.from.to_string(),
        to: config.to.to_string(),
        sharpe: sharpe(),
    })?;
    let tried = trials.tried();
    let summary = summarise_windows(&windows, step, Seed::new(arguments.seed));
    let figures = context.figures();
    let objective = arguments.objective.name();
    let benchmark = |window: &WindowResult| benchmark_return(&setup.panel, arguments, window);
    let rows: Vec<Value> = windows
        .iter()
        .map(|window| window_json(window, objective, arguments.seed, benchmark(window), figures))
        .collect();
    let data = json!({
        "simulated": true,
        "policy": arguments.policy,
        "cost_bps": arguments.cost_bps,
        "taxes": config.taxes.describe(),
        "assets": assets.len(),
        "survivorship": !members,
        "trials": {"configurations": tried.configurations, "runs": tried.runs},
        "windows": rows,
        "summary": summary.iter().map(|one| summary_json(one, objective)).collect::<Vec<Value>>(),
    });
    let table = table(&summary, objective);
    let mut page = Page::new();
    page.heading(format!(
        "Simulated: {} on {} windows from {} to {}",
        arguments.policy,
        windows.len(),
        config.from,
        config.to
    ));
    page.table(table.clone());
    page.heading("Where the difference from equal weight comes from, both after taxes, mean of the windows");
    page.table(parts(&summary));
    page.sentence("Intervals: 95 %, stationary block bootstrap over windows, blocks as long as windows overlap.");
    page.facts([
        ("Costs".to_owned(), format!("{} basis points a side", arguments.cost_bps)),
        ("Taxes".to_owned(), config.taxes.describe()),
        (
            "Trials".to_owned(),
            format!("{} configurations in {} runs, all in the ledger", tried.configurations, tried.runs),
        ),
    ]);
    let mut warnings = setup.warnings.clone();
    if !members {
        let message = "the universe is one of today: it holds what survived, so the figures are too good (SPEC V-11)";
        warnings.push(Warning::new("survivorship", message));
    }
    Ok(Report::new("evaluate", config.to, data, page).table(table).warnings(warnings))
}

fn config(arguments: &EvaluateArgs, panel: &Panel, context: &Context) -> Result<BacktestConfig, Failure> {
    let settings = context.settings_with(&arguments.rates)?;
    let sessions = panel.sessions();
    let none = || CliError::new("no-sessions", Exit::DataMissing, "the prices have no sessions");
    let (first, last) = (*sessions.first().ok_or_else(none)?, *sessions.last().ok_or_else(none)?);
    let start = sessions.get(FIRST_YEAR).copied().unwrap_or(first);
    let config = BacktestConfig {
        rebalance_sessions: usize::from(arguments.rebalance_sessions),
        costs: Costs { basis_points: arguments.cost_bps, impact: None },
        taxes: Taxes::Flat {
            rates: settings.rates,
            loss_limit: Money::from_whole(3_000),
            dividends: DividendTax::Qualified,
        },
        objective: arguments.objective,
        ..BacktestConfig::standard(arguments.from.unwrap_or(start), arguments.to.map_or(last, |to| to.min(last)))
    };
    match config.fault() {
        Some(("to", _)) => {
            let message = format!("no session lies between the dates; the prices run from {first} to {last}");
            Err(CliError::new("no-sessions", Exit::DataMissing, message).into())
        }
        Some((setting, expected)) => {
            Err(CliError::new("bad-value", Exit::Usage, format!("{setting} must be {expected}")).into())
        }
        None => Ok(config),
    }
}

/// Total return of the index fund over a window.
fn benchmark_return(panel: &Panel, arguments: &EvaluateArgs, window: &WindowResult) -> Option<f64> {
    let closes = panel.full_history(panel.asset(&arguments.benchmark)?, Field::AdjClose);
    let at = |date| panel.session_on_or_before(date).map(|session| closes[session.0]);
    Some(at(window.end)? / at(window.start)? - 1.0).filter(|ret| ret.is_finite())
}

fn window_json(window: &WindowResult, objective: &str, seed: u64, benchmark: Option<f64>, figures: Figures) -> Value {
    json!({
        "length": window.length,
        "start": window.start.to_string(),
        "end": window.end.to_string(),
        "objective": objective,
        "seed": seed,
        "ret": window.ret,
        "ret_after_tax": window.ret_after_tax,
        "ret_ew": window.ret_ew,
        "ret_ew_cash_matched": window.ret_ew_cash_matched,
        "ret_ew_after_tax": window.ret_ew_after_tax,
        "ret_benchmark": benchmark,
        "turnover": window.turnover,
        "cash": window.cash,
        "costs": figures.cents(window.costs),
        "tax": figures.cents(window.tax),
    })
}

fn summary_json(one: &WindowSummary, objective: &str) -> Value {
    let [cash_timing, beta, selection, cost, tax] = one.parts;
    json!({
        "objective": objective,
        "length": one.length,
        "n": one.n,
        "mean_alpha": one.alpha.estimate,
        "ci_low": one.alpha.low,
        "ci_high": one.alpha.high,
        "mean_alpha_cash_matched": one.cash_matched.estimate,
        "cm_ci_low": one.cash_matched.low,
        "cm_ci_high": one.cash_matched.high,
        "mean_after_tax_alpha": one.after_tax.estimate,
        "at_ci_low": one.after_tax.low,
        "at_ci_high": one.after_tax.high,
        "hit_rate": one.hit_rate,
        "decomposition": {
            "cash_timing": cash_timing, "beta": beta, "selection": selection, "cost": cost, "tax": tax,
        },
    })
}

fn percent(value: f64) -> Cell {
    Cell::with_raw(format!("{:+.2} %", value * 100.0).replace('-', "−"), value.to_string())
}

fn table(summary: &[WindowSummary], objective: &str) -> Table {
    let mut table = Table::new([
        Column::words("objective", "Objective"),
        Column::number("length", "Sessions"),
        Column::number("n", "Windows"),
        Column::number("mean_alpha", "Over equal weight"),
        Column::number("ci_low", "Low"),
        Column::number("ci_high", "High"),
        Column::number("mean_alpha_cash_matched", "Cash-matched"),
        Column::number("cm_ci_low", "Low"),
        Column::number("cm_ci_high", "High"),
        Column::number("mean_after_tax_alpha", "After tax"),
        Column::number("at_ci_low", "Low"),
        Column::number("at_ci_high", "High"),
        Column::number("hit_rate", "Ahead"),
    ]);
    for one in summary {
        let intervals = [&one.alpha, &one.cash_matched, &one.after_tax];
        let cells = [Cell::words(objective), Cell::count(one.length), Cell::count(one.n)].into_iter();
        let intervals = intervals.into_iter().flat_map(|found| [found.estimate, found.low, found.high].map(percent));
        let hit = Cell::with_raw(format!("{:.0} %", one.hit_rate * 100.0), one.hit_rate.to_string());
        table.row(cells.chain(intervals).chain([hit]));
    }
    table
}

fn parts(summary: &[WindowSummary]) -> Table {
    let mut table = Table::new([
        Column::number("length", "Sessions"),
        Column::number("total", "Total"),
        Column::number("cash_timing", "Cash"),
        Column::number("beta", "Beta"),
        Column::number("selection", "Selection"),
        Column::number("cost", "Cost"),
        Column::number("tax", "Tax"),
    ]);
    for one in summary {
        let cells = [Cell::count(one.length), percent(one.after_tax.estimate)].into_iter();
        table.row(cells.chain(one.parts.map(percent)));
    }
    table
}
