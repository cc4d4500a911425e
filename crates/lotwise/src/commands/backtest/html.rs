//! The report of a backtest: one page with its pictures, no script, nothing from elsewhere.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lotwise_chart::{
    Band, BarChart, BarSeries, Chart, HeatTable, Level, LineChart, STYLE, Series, Stacking, Step, Strip, Unit,
    Waterfall, Width,
};
use lotwise_core::Date;
use lotwise_sim::SESSIONS_PER_YEAR;
use lotwise_sim::backtest::{Assessment, WindowResult};
use lotwise_sim::measure::drawdowns;

use super::page::{facts, hindsight};
use super::{Outcome, Shown, of_start};
use crate::context::Context;
use crate::output::Figures;

const PAGE_STYLE: &str = include_str!("page.css");
/// Stands inside every picture, so that one that is cut out still says what it is.
const MARK: &str = "SIMULATED";
/// Sessions of the rolling alpha: half a year.
const ROLLING: usize = 126;
/// Points of a line at most; more cannot be told apart and make the tables behind long.
const MOST_POINTS: usize = 600;

/// The page. Pictures show the first run, the table shows all.
pub fn page(shown: &Shown<'_>, windows: &[WindowResult], context: &Context) -> String {
    let outcome = &shown.outcomes[0];
    let found = &outcome.assessment;
    let last = found.dates.last().copied().unwrap_or(outcome.record.start);
    let title = format!("Backtest of {}", outcome.planned.strategy);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{PAGE_STYLE}{STYLE}</style>\n\
         </head>\n<body>\n<header><span class=\"badge\">Simulated, not a record of real trades</span>\n<h1>{title}</h1>\n\
         <p class=\"lead\">{} to {}, {} assets, {} basis points a side, decisions every {} sessions.</p></header>\n",
        outcome.record.start.long(),
        last.long(),
        shown.n_assets,
        outcome.planned.config.costs.basis_points,
        outcome.planned.config.rebalance_sessions,
    );
    out.push_str(&cards(shown, outcome, context.figures()));
    let source = format!("Simulated to {}; costs and taxes as stated under «How it was made».", last.long());
    let figure =
        |title: &str, summary: &str, chart: &dyn Chart, width: Width| figure(title, summary, &source, chart, width);
    let (total, alpha) = (found.before.total, &found.alpha_after_tax);
    let benchmark = found.benchmark.total;
    let headline = format!(
        "{} before tax and {} after tax, against {} of equal weight",
        signed(total),
        signed(found.after.total),
        signed(benchmark)
    );
    out.push_str(&figure(
        &headline,
        "Growth of one dollar. The strip shows how far the value after tax stands below its last peak.",
        &equity(found),
        Width::Wide,
    ));
    if let Some(chart) = rolling_alpha(found) {
        out.push_str(&figure(
            &rolling_title(&chart),
            "Mean difference a year over the last half year from equal weight with as much cash; the band is two standard errors.",
            &chart,
            Width::Wide,
        ));
    }
    if let (Some(returns), Some(best)) = (&shown.hindsight, hindsight(shown)) {
        out.push_str(&figure(
            &format!("In hindsight, the best constant weights would have made {}", signed(best.total)),
            "Growth of one dollar without costs and taxes, in weights that nobody could know beforehand: a bound, not a strategy.",
            &out_of_reach(found, returns),
            Width::Wide,
        ));
    }
    out.push_str(&figure(
        &format!("{} of the {} over equal weight come from selection", signed(alpha.selection), signed(alpha.total)),
        "Parts of the difference from equal weight after costs and taxes; they add up to it.",
        &decomposition(found),
        Width::Wide,
    ));
    out.push_str(&figure(
        "Returns by month before tax, in percent",
        "Shades repeat the numbers.",
        &monthly(found),
        Width::Wide,
    ));
    out.push_str("<div class=\"grid\">\n");
    out.push_str(&figure(
        "Turnover by year",
        "Bought and sold together, as a share of the value.",
        &turnover(outcome),
        Width::Medium,
    ));
    if !outcome.record.years.is_empty() && !context.figures().masked() {
        out.push_str(&figure(
            "Tax by year",
            "Of gains, dividends and interest; below zero where losses save more.",
            &taxes(outcome),
            Width::Medium,
        ));
    }
    out.push_str(&figure(
        "Cash and the largest holding",
        "Shares of the value at each close.",
        &exposure(outcome),
        Width::Medium,
    ));
    out.push_str(&figure("Assets held", "At each close.", &held(outcome), Width::Medium));
    out.push_str("</div>\n");
    let mut lengths: Vec<usize> = windows.iter().map(|window| window.length).collect();
    lengths.dedup();
    if !lengths.is_empty() {
        out.push_str("<h2>Every window, not one</h2>\n<div class=\"grid\">\n");
        for length in lengths {
            let values: Vec<f64> = windows
                .iter()
                .filter(|window| window.length == length)
                .map(|window| window.ret - window.ret_ew_cash_matched)
                .collect();
            let ahead = values.iter().filter(|value| **value > 0.0).count();
            out.push_str(&figure(
                &format!("Ahead in {ahead} of {} windows of {length} sessions", values.len()),
                "How often each difference from cash-matched equal weight came about; every window starts from cash.",
                &BarChart::histogram("Difference from", &values, 12, Unit::Percent(1)),
                Width::Medium,
            ));
        }
        out.push_str("</div>\n");
    }
    out.push_str("<h2>All runs</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"All runs\">\n");
    out.push_str(&all_runs(shown));
    out.push_str("</div>\n<h2>How it was made</h2>\n<dl>\n");
    for (name, value) in facts(shown) {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&name), escape(&value));
    }
    let config = &outcome.planned.config;
    let costs = config
        .costs
        .impact
        .map_or_else(String::new, |impact| format!(", impact {} · σ · √(q/ADV)", impact.coefficient));
    let _ = writeln!(out, "<dt>Costs</dt><dd>{} basis points a side{costs}</dd>\n</dl>", config.costs.basis_points);
    let _ = writeln!(
        out,
        "<footer>Not investment or tax advice; estimates from the data and rates entered. Past and simulated results say \
         little about the future. Made on {} by Lotwise {}.</footer>\n</body>\n</html>",
        context.today().long(),
        env!("CARGO_PKG_VERSION")
    );
    out
}

fn cards(shown: &Shown<'_>, outcome: &Outcome, figures: Figures) -> String {
    let (record, found) = (&outcome.record, &outcome.assessment);
    let mut out = String::from("<section class=\"cards\">\n");
    let mut card = |name: &str, value: String, note: String| {
        let _ = writeln!(
            out,
            "<div class=\"card\"><span>{name}</span><b>{}</b><small>{}</small></div>",
            escape(&value),
            escape(&note)
        );
    };
    let annual = |value: Option<f64>| {
        value.map_or("too short to annualise".to_owned(), |value| format!("{} a year", signed(value)))
    };
    card("Before tax", signed(found.before.total), annual(found.before.annual));
    card(
        "After tax",
        signed(of_start(record.finals.after_tax, record)),
        format!("{} with accrued tax", figures.dollars(record.finals.after_tax)),
    );
    card(
        "Everything sold",
        signed(of_start(record.finals.liquidation, record)),
        figures.dollars(record.finals.liquidation),
    );
    card("Left to heirs", signed(of_start(record.finals.step_up, record)), "no tax on unrealised gains".to_owned());
    let ratio =
        |value: Option<f64>| value.map_or("not defined".to_owned(), |value| format!("{value:.2}").replace('-', "−"));
    card(
        "Sharpe ratio",
        ratio(found.before.sharpe),
        format!("deflated for {} trials: {}", shown.configurations, ratio(outcome.deflated)),
    );
    card("Largest fall", Unit::Percent(1).text(-found.before.max_drawdown), "from an earlier peak".to_owned());
    if let Some(alpha) = found.matched_alpha {
        card(
            "Cash-matched alpha",
            signed(alpha.estimate),
            format!("a year; 95 %: {} to {}", signed(alpha.low), signed(alpha.high)),
        );
    }
    card("Costs", figures.dollars(record.costs()), format!("and {} of tax", figures.dollars(record.tax())));
    out.push_str("</section>\n");
    out
}

/// A figure drawn for a page and for a phone.
fn figure(title: &str, summary: &str, source: &str, chart: &dyn Chart, width: Width) -> String {
    let (wide, narrow) = (chart.draw(width, Some(MARK)), chart.draw(Width::Narrow, Some(MARK)));
    format!(
        "<figure>\n<figcaption><strong>{}</strong> {}</figcaption>\n<div class=\"wide\">{wide}</div>\n<div class=\"narrow\">{narrow}</div>\n\
         <p class=\"source\">{}</p>\n{}</figure>\n",
        escape(title),
        escape(summary),
        escape(source),
        chart.table().html()
    )
}

/// Positions that are drawn: so many that the picture stays what it is, and always the last.
fn kept(n: usize) -> Vec<usize> {
    let step = n.div_ceil(MOST_POINTS).max(1);
    let mut kept: Vec<usize> = (0..n).step_by(step).collect();
    if n > 0 && kept.last() != Some(&(n - 1)) {
        kept.push(n - 1);
    }
    kept
}

fn growth(returns: &[f64]) -> Vec<f64> {
    let mut value = 1.0;
    returns
        .iter()
        .map(|ret| {
            value *= 1.0 + ret;
            value
        })
        .collect()
}

fn series(name: &str, values: &[f64], kept: &[usize]) -> Series {
    Series { name: name.to_owned(), values: kept.iter().map(|&at| Some(values[at])).collect(), band: None }
}

fn equity(found: &Assessment) -> LineChart {
    let kept = kept(found.dates.len());
    let falls = drawdowns(&found.after_tax);
    LineChart {
        dates: kept.iter().map(|&at| found.dates[at]).collect(),
        series: vec![
            series("before tax", &growth(&found.pre_tax), &kept),
            series("after tax", &growth(&found.after_tax), &kept),
            series("equal weight", &growth(&found.equal_weight), &kept),
            series("cash-matched", &growth(&found.matched), &kept),
        ],
        unit: Unit::Number(2),
        level: None,
        strip: Some(Strip {
            name: "below the last peak".to_owned(),
            values: kept.iter().map(|&at| Some(-falls[at])).collect(),
            unit: Unit::Percent(0),
        }),
    }
}

fn out_of_reach(found: &Assessment, hindsight: &[f64]) -> LineChart {
    let kept = kept(found.dates.len());
    LineChart {
        dates: kept.iter().map(|&at| found.dates[at]).collect(),
        series: vec![
            series("before tax", &growth(&found.pre_tax), &kept),
            series("equal weight", &growth(&found.equal_weight), &kept),
            series("in hindsight", &growth(hindsight), &kept),
        ],
        unit: Unit::Number(2),
        level: None,
        strip: None,
    }
}

fn rolling_alpha(found: &Assessment) -> Option<LineChart> {
    let difference: Vec<f64> = found.pre_tax.iter().zip(&found.matched).map(|(ret, other)| ret - other).collect();
    if difference.len() <= ROLLING {
        return None;
    }
    let at: Vec<usize> = kept(difference.len()).into_iter().filter(|&at| at + 1 >= ROLLING).collect();
    let (mut means, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    for &end in &at {
        let part = &difference[end + 1 - ROLLING..=end];
        let mean = part.iter().sum::<f64>() / ROLLING as f64;
        let variance = part.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (ROLLING - 1) as f64;
        let error = 2.0 * (variance / ROLLING as f64).sqrt();
        means.push(Some(mean * SESSIONS_PER_YEAR));
        low.push(Some((mean - error) * SESSIONS_PER_YEAR));
        high.push(Some((mean + error) * SESSIONS_PER_YEAR));
    }
    Some(LineChart {
        dates: at.iter().map(|&at| found.dates[at]).collect(),
        series: vec![Series { name: "alpha a year".to_owned(), values: means, band: Some(Band { low, high }) }],
        unit: Unit::Percent(0),
        level: Some(Level { name: "no difference".to_owned(), value: 0.0 }),
        strip: None,
    })
}

fn rolling_title(chart: &LineChart) -> String {
    let band = chart.series[0].band.as_ref();
    let clear = band.map_or(0, |band| {
        band.low
            .iter()
            .zip(&band.high)
            .filter(|(low, high)| low.is_some_and(|low| low > 0.0) || high.is_some_and(|high| high < 0.0))
            .count()
    });
    let share = clear as f64 / chart.dates.len().max(1) as f64;
    format!("The rolling alpha differs from zero in {} of the half years", Unit::Percent(0).text(share))
}

fn decomposition(found: &Assessment) -> Waterfall {
    let alpha = &found.alpha_after_tax;
    let step = |name: &str, value: f64| Step { name: name.to_owned(), value };
    Waterfall {
        steps: vec![
            step("Holding cash", alpha.cash_timing),
            step("Market exposure (beta)", alpha.beta),
            step("Allocation and selection", alpha.selection),
            step("Trading costs", alpha.cost),
            step("Taxes", alpha.tax),
        ],
        total: "Over equal weight".to_owned(),
        unit: Unit::Percent(2),
    }
}

fn monthly(found: &Assessment) -> HeatTable {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut years: BTreeMap<i32, Vec<Option<f64>>> = BTreeMap::new();
    for (date, ret) in found.dates.iter().zip(&found.pre_tax) {
        let cells = years.entry(date.year()).or_insert_with(|| vec![None; 13]);
        for at in [date.month() as usize - 1, 12] {
            cells[at] = Some((1.0 + cells[at].unwrap_or(0.0)) * (1.0 + ret) - 1.0);
        }
    }
    HeatTable {
        corner: "Year".to_owned(),
        columns: MONTHS.iter().copied().chain(["Year"]).map(str::to_owned).collect(),
        rows: years.into_iter().map(|(year, cells)| (year.to_string(), cells)).collect(),
        unit: Unit::Percent(1),
    }
}

fn by_year(name: &str, values: &BTreeMap<i32, f64>, unit: Unit) -> BarChart {
    BarChart {
        category: "Year".to_owned(),
        categories: values.keys().map(ToString::to_string).collect(),
        series: vec![BarSeries { name: name.to_owned(), values: values.values().map(|value| Some(*value)).collect() }],
        unit,
        stacking: Stacking::Beside,
    }
}

fn turnover(outcome: &Outcome) -> BarChart {
    let mut years: BTreeMap<i32, f64> = BTreeMap::new();
    for (session, turnover) in outcome.record.sessions.iter().zip(outcome.record.turnover()) {
        *years.entry(session.date.year()).or_default() += turnover;
    }
    by_year("Turnover", &years, Unit::Percent(0))
}

fn taxes(outcome: &Outcome) -> BarChart {
    let years = outcome.record.years.iter().map(|year| (year.year, year.tax.to_f64())).collect();
    by_year("Tax", &years, Unit::Dollars(0))
}

fn over_sessions(outcome: &Outcome, lines: &[(&str, Vec<f64>)], unit: Unit) -> LineChart {
    let dates: Vec<Date> = outcome.record.dates();
    let kept = kept(dates.len());
    LineChart {
        dates: kept.iter().map(|&at| dates[at]).collect(),
        series: lines.iter().map(|(name, values)| series(name, values, &kept)).collect(),
        unit,
        level: None,
        strip: None,
    }
}

fn exposure(outcome: &Outcome) -> LineChart {
    let sessions = &outcome.record.sessions;
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    let cash = sessions.iter().map(|one| share(one.cash.to_f64(), one.value.to_f64())).collect();
    let largest = sessions.iter().map(|one| share(one.largest.to_f64(), one.value.to_f64())).collect();
    over_sessions(outcome, &[("cash", cash), ("largest", largest)], Unit::Percent(1))
}

fn held(outcome: &Outcome) -> LineChart {
    let held = outcome.record.sessions.iter().map(|one| f64::from(one.n_held)).collect();
    over_sessions(outcome, &[("assets", held)], Unit::Number(0))
}

fn all_runs(shown: &Shown<'_>) -> String {
    let mut out = String::from(
        "<table>\n<thead><tr><th scope=\"col\">Strategy</th><th scope=\"col\">Cost bp</th><th scope=\"col\">Before tax</th>\
         <th scope=\"col\">After tax</th><th scope=\"col\">All sold</th><th scope=\"col\">Sharpe</th><th scope=\"col\">Deflated</th>\
         <th scope=\"col\">Largest fall</th><th scope=\"col\">Cash-matched a year</th><th scope=\"col\">95 % interval</th></tr></thead>\n<tbody>\n",
    );
    let ratio = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}").replace('-', "−"));
    for outcome in &shown.outcomes {
        let (record, found) = (&outcome.record, &outcome.assessment);
        let matched = found.matched_alpha;
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&outcome.planned.strategy),
            outcome.planned.config.costs.basis_points,
            signed(found.before.total),
            signed(of_start(record.finals.after_tax, record)),
            signed(of_start(record.finals.liquidation, record)),
            ratio(found.before.sharpe),
            ratio(outcome.deflated),
            Unit::Percent(1).text(-found.before.max_drawdown),
            matched.map_or("–".to_owned(), |found| signed(found.estimate)),
            matched.map_or("–".to_owned(), |found| format!("{} to {}", signed(found.low), signed(found.high))),
        );
    }
    if let Some(best) = hindsight(shown) {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">best constant weights, known only in hindsight</th><td>0</td><td>{}</td><td>–</td><td>–</td>\
             <td>{}</td><td>–</td><td>{}</td><td>–</td><td>–</td></tr>",
            signed(best.total),
            ratio(best.sharpe),
            Unit::Percent(1).text(-best.max_drawdown),
        );
    }
    out.push_str("</tbody></table>\n");
    out
}

fn signed(value: f64) -> String {
    Unit::Percent(1).signed(value)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
