//! `demo`: the main job on the bundled sample, offline.

use lotwise_core::{Date, Money, Objective};
use lotwise_statements::Answers;
use lotwise_tax::Method;
use serde_json::json;

use crate::advice::{Json, PriceNeed, Session, SessionInput, harvest_table, upcoming_table, worth_facts};
use crate::args::{DemoArgs, Persona};
use crate::commands::recommend::advice;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::input::{HistoryOptions, require_histories};
use crate::output::{Page, Report, Tone};

/// The bundled sample: an invented market and four invented persons. `cargo xtask sample` makes it.
const SAMPLE: [(&str, &[u8]); 7] = [
    ("prices.parquet", include_bytes!("../../sample/prices.parquet")),
    ("tickers.csv", include_bytes!("../../sample/tickers.csv")),
    ("corporate_actions.csv", include_bytes!("../../sample/corporate_actions.csv")),
    ("trader.csv", include_bytes!("../../sample/trader.csv")),
    ("longterm.csv", include_bytes!("../../sample/longterm.csv")),
    ("loss.csv", include_bytes!("../../sample/loss.csv")),
    ("retiree.ofx", include_bytes!("../../sample/retiree.ofx")),
];
/// The day of the sample.
const AS_OF: &str = "2026-06-30";
/// Suggestions shown.
const SHOWN: usize = 3;

/// Shows what Lotwise does, on the sample.
///
/// # Errors
/// When the temporary folder cannot be written.
pub fn run(arguments: &DemoArgs, context: &Context) -> Result<Report, Failure> {
    let folder = unpack()?;
    let (file, objective) = match arguments.persona {
        Persona::Trader => ("trader.csv", Objective::MaxGain30d),
        Persona::Longterm => ("longterm.csv", Objective::LtGainOnly),
        Persona::Loss => ("loss.csv", Objective::IncomeHarvest),
        Persona::Retiree => ("retiree.ofx", Objective::CapitalPreserve),
    };
    let path = folder.path().join(file);
    let histories = require_histories(std::slice::from_ref(&path), &HistoryOptions::default(), context)?;
    let rows = histories.iter().map(|history| history.statement.rows).sum::<usize>();
    let format = histories.first().map_or("", |history| history.statement.format);
    let start = SessionInput {
        histories,
        lots: Vec::new(),
        answers: Answers::default(),
        prices: Some(folder.path().to_owned()),
        as_of: Date::parse(AS_OF).ok(),
        method: Method::Fifo,
    };
    let session = Session::start(&start, PriceNeed::Required, context.settings.clone(), context)?;
    let advice = advice(&session, &session.advice_options(objective))?;
    let figures = context.figures();
    let label = session.tax_label();

    let mut page = Page::new();
    page.toned("Sample data: invented companies, an invented person.", Tone::Caution);
    page.heading(format!(
        "{} on {}, read from {rows} rows ({format})",
        persona_title(arguments.persona),
        session.as_of.long()
    ));
    page.facts(worth_facts(&advice.worth, figures));

    let worthy: Vec<_> =
        advice.suggestions.iter().filter(|suggestion| suggestion.saving.is_some_and(Money::is_positive)).collect();
    page.heading("Worth most after tax");
    if worthy.is_empty() {
        page.sentence("Nothing is worth doing for its tax today.");
    }
    for (at, suggestion) in worthy.iter().take(SHOWN).enumerate() {
        page.sentence(format!("{}. {}.", at + 1, figures.sentence(&suggestion.sentence)));
        if let Some(reason) = suggestion.reasons.get(1) {
            page.sentence(format!("   Why: {} [{}]", figures.sentence(&reason.text), reason.source.name()));
        }
    }
    if !advice.upcoming.is_empty() {
        page.heading("Turning long-term next");
        page.table(upcoming_table(&advice.upcoming, 4, figures));
    }
    page.heading(format!("Harvesting losses is worth {}", figures.dollars(advice.harvest.total_worth)));
    if advice.harvest.candidates.is_empty() {
        page.sentence("No lot stands far enough below its basis.");
    } else {
        page.table(harvest_table(&advice.harvest.candidates, figures));
    }
    let plan = &advice.plan;
    page.heading("The plan");
    page.sentence(format!(
        "Objective {}, policy {}: {} {:.1} % turnover, this year's tax {}, {} if the oldest lots were sold.",
        plan.objective,
        plan.policy,
        plan.describe,
        plan.expected_turnover * 100.0,
        figures.dollar_change(plan.tax),
        figures.dollar_change(plan.tax_fifo)
    ));
    page.sentence(format!("Tax: {label}."));
    page.heading("Next, with your own export");
    page.sentence("  lotwise import --dry-run YOUR_EXPORT.csv");
    page.sentence("  lotwise recommend --history YOUR_EXPORT.csv --prices PRICES --short-rate 0.24 --long-rate 0.15");
    page.sentence("  lotwise demo --persona loss        (also: longterm, trader, retiree)");
    page.gap();
    page.sentence("Nothing was ordered or stored. Not investment or tax advice.");

    let mut data = Json { figures }.advice(&advice, &label);
    if let Some(object) = data.as_object_mut() {
        object.insert("sample".into(), json!(true));
        object.insert("persona".into(), json!(persona_name(arguments.persona)));
    }
    let report = Report::new("demo", session.as_of, data, page);
    Ok(session.report(report, &advice.issues, context))
}

/// Unpacks the sample into a folder that goes away with the run, so that it is read as a person's
/// own files are.
fn unpack() -> Result<tempfile::TempDir, Failure> {
    let failed = |error: std::io::Error| -> Failure {
        CliError::new("no-temporary-folder", Exit::Failed, format!("the sample cannot be unpacked: {error}"))
            .help("free some space, or name another temporary folder with TMPDIR")
            .into()
    };
    let folder = tempfile::tempdir().map_err(failed)?;
    for (name, content) in SAMPLE {
        std::fs::write(folder.path().join(name), content).map_err(failed)?;
    }
    Ok(folder)
}

fn persona_name(persona: Persona) -> &'static str {
    match persona {
        Persona::Trader => "trader",
        Persona::Longterm => "longterm",
        Persona::Loss => "loss",
        Persona::Retiree => "retiree",
    }
}

fn persona_title(persona: Persona) -> &'static str {
    match persona {
        Persona::Trader => "A trader's account",
        Persona::Longterm => "A long-term investor's account",
        Persona::Loss => "An account with losses",
        Persona::Retiree => "A retiree's account",
    }
}
