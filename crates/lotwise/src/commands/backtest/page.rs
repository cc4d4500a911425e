//! A backtest as text, JSON and CSV.

use lotwise_core::Money;
use lotwise_sim::SESSIONS_PER_YEAR;
use lotwise_sim::backtest::{EventKind, YearRecord};
use lotwise_sim::measure::{AlphaDecomposition, Performance, performance};
use serde_json::{Value, json};

use super::config::PlannedRun;
use super::{Outcome, Shown, name, of_start};
use crate::context::Context;
use crate::output::{Cell, Column, Figures, Page, Report, Table, Tone};

/// What `--dry-run` shows.
pub fn dry_run(planned: &[PlannedRun], n_assets: usize, context: &Context) -> Report {
    let mut page = Page::new();
    page.heading(format!("{} runs over {n_assets} assets would be made; nothing was run or written", planned.len()));
    for run in planned {
        page.item(format!(
            "{}, every {} sessions, {} basis points, {} to {}",
            run.strategy, run.config.rebalance_sessions, run.config.costs.basis_points, run.config.from, run.config.to
        ));
    }
    Report::new("backtest", context.today(), json!({"dry_run": true, "runs": planned.len()}), page)
}

/// What is printed.
pub fn report(shown: &Shown<'_>, context: &Context) -> Report {
    let figures = context.figures();
    let first = &shown.outcomes[0];
    let last_day = first.record.sessions.last().map_or(first.record.start, |session| session.date);
    let mut page = Page::new();
    page.heading(format!("Simulated: {} to {last_day}, {} assets", first.record.start, shown.n_assets));
    let table = table(shown, figures);
    page.table(table.clone());
    page.heading("Where the difference from equal weight comes from, before taxes");
    page.table(parts(shown));
    page.sentence(
        "Equal weight is rebalanced daily without costs and taxes. Cash-matched: against equal weight with as much cash \
         as the run held, a year, with the 95 % interval of a stationary block bootstrap.",
    );
    page.gap();
    page.facts(facts(shown));
    let events: usize = shown.outcomes.iter().map(|outcome| outcome.record.events.len()).sum();
    if events > 0 {
        page.toned(format!("{events} notes on ended symbols and taxes are in --json."), Tone::Quiet);
    }
    Report::new("backtest", last_day, json_of(shown, figures), page).table(table)
}

/// How the figures came about.
pub fn facts(shown: &Shown<'_>) -> Vec<(String, String)> {
    let first = &shown.outcomes[0].planned.config;
    let percent =
        |value: Option<f64>| value.map_or("not defined".to_owned(), |value| format!("{:.1} %", value * 100.0));
    let mut facts = vec![
        ("Execution".to_owned(), "decided at the close, traded at the next open at the price of the day".to_owned()),
        ("Taxes".to_owned(), first.taxes.describe()),
        (
            "Universe".to_owned(),
            if shown.members { "members of the index on each day" } else { "fixed today: what survived" }.to_owned(),
        ),
        (
            "Trials".to_owned(),
            format!("{} configurations in {} runs, all in the ledger", shown.configurations, shown.runs),
        ),
    ];
    if shown.outcomes.len() > 1 {
        facts.push(("Overfitting".to_owned(), format!("probability {}", percent(shown.overfitting))));
        let superior = shown.superior.map_or("not defined".to_owned(), |found| {
            format!(
                "p = {:.3} that the best ({}) beats equal weight by luck",
                found.p_value,
                shown.outcomes[found.best].label()
            )
        });
        facts.push(("Superior ability".to_owned(), superior));
    }
    if let Some(found) = hindsight(shown) {
        facts.push((
            "Hindsight".to_owned(),
            format!(
                "the best constant weights of these assets would have made {:+.1} % without costs and taxes; nobody could know them",
                found.total * 100.0
            )
            .replace('-', "−"),
        ));
    }
    facts.push(("Seed".to_owned(), shown.file.statistics.seed.to_string()));
    facts.push(("Command".to_owned(), shown.command.clone()));
    facts
}

/// Figures of the best constant weights, known only in hindsight.
pub fn hindsight(shown: &Shown<'_>) -> Option<Performance> {
    let returns = shown.hindsight.as_ref()?;
    let risk_free = &shown.outcomes[0].assessment.risk_free;
    (returns.len() == risk_free.len()).then(|| performance(returns, risk_free))
}

impl Outcome {
    /// Strategy and cost.
    pub fn label(&self) -> String {
        format!("{} at {} bp", self.planned.strategy, self.planned.config.costs.basis_points)
    }
}

fn percent(value: f64) -> Cell {
    signed(value, 2)
}

fn signed(value: f64, decimals: usize) -> Cell {
    let text = format!("{:+.decimals$} %", value * 100.0).replace('-', "−");
    Cell::with_raw(text, value.to_string())
}

fn ratio(value: Option<f64>, decimals: usize) -> Cell {
    Cell::maybe(value, |value| Cell::with_raw(format!("{value:.decimals$}").replace('-', "−"), value.to_string()))
}

fn table(shown: &Shown<'_>, figures: Figures) -> Table {
    let mut table = Table::new([
        Column::words("strategy", "Strategy"),
        Column::number("cost_bps", "Cost bp"),
        Column::number("rebalance_sessions", "Every"),
        Column::number("pre_tax", "Before tax"),
        Column::number("after_tax", "After tax"),
        Column::number("liquidated", "All sold"),
        Column::number("vol_annual", "Volatility"),
        Column::number("sharpe", "Sharpe"),
        Column::number("deflated_sharpe", "Deflated"),
        Column::number("max_drawdown", "Drawdown"),
        Column::number("turnover_annual", "Turnover/y"),
        Column::number("costs", "Costs"),
        Column::number("tax", "Tax"),
    ]);
    for outcome in &shown.outcomes {
        let (record, found) = (&outcome.record, &outcome.assessment);
        table.row([
            Cell::words(&outcome.planned.strategy),
            Cell::words(outcome.planned.config.costs.basis_points.to_string()),
            Cell::count(outcome.planned.config.rebalance_sessions),
            percent(found.before.total),
            percent(of_start(record.finals.after_tax, record)),
            percent(of_start(record.finals.liquidation, record)),
            Cell::maybe(found.before.vol_annual, |value| {
                Cell::with_raw(format!("{:.2} %", value * 100.0), value.to_string())
            }),
            ratio(found.before.sharpe, 2),
            ratio(outcome.deflated, 2),
            Cell::with_raw(
                format!("{:.2} %", found.before.max_drawdown * 100.0),
                found.before.max_drawdown.to_string(),
            ),
            Cell::with_raw(
                format!("{:.0} %", found.turnover * SESSIONS_PER_YEAR * 100.0),
                (found.turnover * SESSIONS_PER_YEAR).to_string(),
            ),
            Cell::money(figures, record.costs().to_cents()),
            Cell::money(figures, record.tax().to_cents()),
        ]);
    }
    table
}

fn parts(shown: &Shown<'_>) -> Table {
    let mut table = Table::new([
        Column::words("strategy", "Strategy"),
        Column::number("cost_bps", "Cost bp"),
        Column::number("total", "Total"),
        Column::number("cash_timing", "Cash"),
        Column::number("beta", "Beta"),
        Column::number("selection", "Selection"),
        Column::number("cost", "Cost"),
        Column::number("cash_matched", "Cash-matched/y"),
        Column::words("interval", "95 % interval"),
    ]);
    for outcome in &shown.outcomes {
        let alpha = &outcome.assessment.alpha;
        let matched = outcome.assessment.matched_alpha;
        table.row([
            Cell::words(&outcome.planned.strategy),
            Cell::words(outcome.planned.config.costs.basis_points.to_string()),
            percent(alpha.total),
            percent(alpha.cash_timing),
            percent(alpha.beta),
            percent(alpha.selection),
            percent(alpha.cost),
            Cell::maybe(matched, |found| percent(found.estimate)),
            Cell::words(matched.map_or(String::new(), |found| {
                format!("{:+.2} % to {:+.2} %", found.low * 100.0, found.high * 100.0).replace('-', "−")
            })),
        ]);
    }
    table
}

fn json_of(shown: &Shown<'_>, figures: Figures) -> Value {
    let runs: Vec<Value> = shown.outcomes.iter().map(|outcome| run_json(outcome, shown, figures)).collect();
    json!({
        "simulated": true,
        "command": shown.command,
        "seed": shown.file.statistics.seed,
        "assets": shown.n_assets,
        "survivorship": !shown.members,
        "trials": {"configurations": shown.configurations, "runs": shown.runs},
        "overfitting_probability": shown.overfitting,
        "superior_ability": shown.superior.map(|found| json!({
            "best": shown.outcomes[found.best].label(), "statistic": found.statistic, "p_value": found.p_value,
        })),
        // A bound that was known afterwards and could not have been followed: never a strategy.
        "best_constant_weights_in_hindsight": hindsight(shown).map(|found| performance_json(&found)),
        "runs": runs,
    })
}

fn run_json(outcome: &Outcome, shown: &Shown<'_>, figures: Figures) -> Value {
    let (record, found, config) = (&outcome.record, &outcome.assessment, &outcome.planned.config);
    let money = |amount: Money| figures.cents(amount);
    let events: Vec<Value> = record
        .events
        .iter()
        .map(|event| {
            let (what, amount) = match event.kind {
                EventKind::Ended { paid } => ("ended", paid),
                EventKind::SoldForTax { raised } => ("sold_for_tax", raised),
                EventKind::TaxUnpaid { missing } => ("tax_unpaid", missing),
            };
            let symbol = event.asset.map(|asset| name(&shown.symbols, asset));
            json!({"date": event.date.to_string(), "what": what, "symbol": symbol, "amount": money(amount)})
        })
        .collect();
    let years: Vec<Value> = record.years.iter().map(|year| year_json(year, figures)).collect();
    json!({
        "strategy": outcome.planned.strategy,
        "cost_bps": config.costs.basis_points,
        "rebalance_sessions": config.rebalance_sessions,
        "from": record.start.to_string(),
        "to": record.sessions.last().map(|session| session.date.to_string()),
        "sessions": record.sessions.len(),
        "taxes": config.taxes.describe(),
        "values": {
            "initial": money(record.initial_cash),
            "final": money(record.finals.value),
            "after_tax": money(record.finals.after_tax),
            "liquidation": money(record.finals.liquidation),
            "step_up": money(record.finals.step_up),
        },
        "before_tax": performance_json(&found.before),
        "after_tax": performance_json(&found.after),
        "equal_weight": performance_json(&found.benchmark),
        "tracking_error": found.against.tracking_error,
        "information_ratio": found.against.information_ratio,
        "probabilistic_sharpe": found.probabilistic,
        "deflated_sharpe": outcome.deflated,
        "turnover_annual": found.turnover * SESSIONS_PER_YEAR,
        "cash": found.mean_cash,
        "costs": money(record.costs()),
        "tax": money(record.tax()),
        "permanently_disallowed": money(record.permanently_disallowed),
        "alpha": alpha_json(&found.alpha),
        "alpha_after_tax": alpha_json(&found.alpha_after_tax),
        "cash_matched_alpha_annual": found.matched_alpha.map(|interval| json!({
            "estimate": interval.estimate, "low": interval.low, "high": interval.high,
        })),
        "years": years,
        "trades": record.trades.len(),
        "events": events,
    })
}

fn year_json(year: &YearRecord, figures: Figures) -> Value {
    let money = |amount: Money| figures.cents(amount);
    json!({
        "year": year.year,
        "short_term": money(year.short),
        "long_term": money(year.long),
        "disallowed": money(year.disallowed),
        "dividends": money(year.dividends),
        "interest": money(year.interest),
        "tax": money(year.tax),
        "carried_short": money(year.carryover.short),
        "carried_long": money(year.carryover.long),
        "paid": year.paid,
    })
}

fn performance_json(found: &Performance) -> Value {
    json!({
        "total": found.total,
        "annual": found.annual,
        "vol_annual": found.vol_annual,
        "sharpe": found.sharpe,
        "sortino": found.sortino,
        "max_drawdown": found.max_drawdown,
        "calmar": found.calmar,
        "cvar_95": found.cvar_95,
        "hit_rate": found.hit_rate,
    })
}

/// The parts of an alpha.
pub fn alpha_json(alpha: &AlphaDecomposition) -> Value {
    json!({
        "total": alpha.total,
        "cash_timing": alpha.cash_timing,
        "beta": alpha.beta,
        "selection": alpha.selection,
        "cost": alpha.cost,
        "tax": alpha.tax,
        "cash_matched": alpha.cash_matched,
    })
}
