//! `model evidence`: what an encoder is worth on validation, beside plain baselines.

mod document;

use std::path::Path;

use lotwise_nn::checkpoint::{Manifest, TrainingRecord};
use lotwise_train::encoder::{
    EncoderData, Evidence, Forecast, Interval, Measured, Part, RunConfig, Target, branches, evidence,
};
use serde_json::{Value, json};

use super::model::trained;
use super::study::{StudyTable, table_file};
use super::train::train_error;
use crate::args::EvidenceArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::output::{Cell, Column, Page, Report, Table, Warning};

/// Measures.
///
/// # Errors
/// When the weights or the data cannot be used, or do not belong together.
pub fn run(arguments: &EvidenceArgs, context: &Context) -> Result<Report, Failure> {
    let (checkpoint, config, branch) = trained(&arguments.file, context)?;
    let record = checkpoint.manifest.training.as_ref().expect("Invariant: a file that is read here has a record");
    let data = EncoderData::open(&arguments.data, &config).map_err(|error| train_error(&error))?;
    let found = evidence(&checkpoint, &data, &config, branch.as_ref());
    let control = match &arguments.control {
        None => None,
        Some(path) => Some(control(path, &data, &config, context)?),
    };
    let branches = if arguments.branches { branches(&data).map_err(|error| train_error(&error))? } else { Vec::new() };
    let study = match &arguments.study {
        None => None,
        Some(folder) => Some(read_study(folder)?),
    };
    let shown = Shown { manifest: &checkpoint.manifest, record, data: &data, found: &found, control, branches, study };
    let mut warnings = Vec::new();
    if data.hash() != record.data_hash {
        let message = "the data are not those that the encoder was trained with, so seen tickers may be other ones";
        warnings.push(Warning::new("other-data", message));
    }
    let (page, table) = page(&shown);
    let body = json!({
        "model": checkpoint.manifest.digest,
        "stage": record.stage,
        "data": data.hash(),
        "validation": data.range(Part::Validation).map(|date| date.to_string()),
        "evidence": value(&found),
        "control": shown.control.as_ref().map(|(digest, measured)| json!({"model": digest, "measured": measured})),
        "branches": value(&shown.branches),
    });
    let mut report = Report::new("model.evidence", context.today(), body, page).table(table).warnings(warnings);
    if arguments.markdown {
        report.document = Some(document::markdown(&shown).into_bytes());
    }
    Ok(report)
}

/// Everything that there is to tell.
struct Shown<'a> {
    manifest: &'a Manifest,
    record: &'a TrainingRecord,
    data: &'a EncoderData,
    found: &'a Evidence,
    /// Digest and measures of an encoder that is set beside it.
    control: Option<(String, Measured)>,
    /// What the frozen branches foretell by themselves; empty where nobody asked.
    branches: Vec<Forecast>,
    study: Option<StudyTable>,
}

/// Another encoder, measured on the same days; one that was kept away from other days or tickers is refused.
fn control(
    path: &Path,
    data: &EncoderData,
    beside: &RunConfig,
    context: &Context,
) -> Result<(String, Measured), Failure> {
    let (checkpoint, config, branch) = trained(path, context)?;
    let same = |config: &RunConfig| (config.data.clone(), config.network.window, config.sampling.least_bars);
    let record = checkpoint.manifest.training.as_ref();
    if same(&config) != same(beside) || record.is_none_or(|record| record.data_hash != data.hash()) {
        let message = "the control was trained on other data, dates, tickers or windows";
        return Err(CliError::new("other-data", Exit::Input, message)
            .at(Place::file(path.display().to_string()))
            .help("set beside it an encoder of the same [data], window and files")
            .into());
    }
    let found = evidence(&checkpoint, data, &config, branch.as_ref());
    Ok((checkpoint.manifest.digest, found.numbers()))
}

fn read_study(folder: &Path) -> Result<StudyTable, Failure> {
    let path = table_file(folder);
    let place = || Place::file(path.display().to_string());
    let text = std::fs::read_to_string(&path).map_err(|error| {
        CliError::new("no-study", Exit::DataMissing, format!("the study cannot be read: {error}")).at(place())
    })?;
    let read = serde_json::from_str(&text);
    Ok(read.map_err(|error| CliError::new("no-study", Exit::Input, format!("no study: {error}")).at(place()))?)
}

fn value(of: &impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap_or(Value::Null)
}

/// The page, and the table of forecasts.
fn page(shown: &Shown<'_>) -> (Page, Table) {
    let (found, data) = (shown.found, shown.data);
    let mut page = Page::new();
    page.heading(format!("Validation, {}", data.range(Part::Validation).map(|date| date.to_string()).join(" to ")));
    page.facts(facts(shown));
    let mut blocks = Table::new([Column::words("block", "Block missing"), Column::number("increase", "Loss")]);
    for (name, increase) in &found.missing_block_increase {
        blocks.row([Cell::words(*name), Cell::with_raw(percent(*increase), increase.to_string())]);
    }
    page.heading("When a block of metadata is missing");
    page.table(blocks);
    let columns = || {
        Table::new([
            Column::words("target", "Target"),
            Column::number("horizon", "Sessions"),
            Column::words("tickers", "Tickers"),
            Column::words("inputs", "From"),
            Column::number("r_squared", "R²"),
            Column::number("rank_correlation", "Rank correlation"),
            Column::number("gain", "Gain"),
            Column::number("hit_rate", "Right sign"),
        ])
    };
    let fill = |forecasts: &[Forecast]| {
        let mut table = columns();
        for one in forecasts {
            let r_squared = one
                .r_squared
                .map_or_else(|| Cell::words("–"), |value| Cell::with_raw(format!("{value:.4}"), value.to_string()));
            table.row([
                Cell::words(target(one.target)),
                Cell::count(one.horizon),
                Cell::words(one.tickers),
                Cell::words(one.inputs),
                r_squared,
                Cell::words(words(one.rank_correlation)),
                Cell::words(words(one.gain)),
                Cell::words(words(one.hit_rate)),
            ]);
        }
        table
    };
    let table = fill(&found.forecasts);
    page.heading("What a line foretells");
    page.table(table.clone());
    if !shown.branches.is_empty() {
        page.heading("What frozen branches foretell by themselves");
        page.table(fill(&shown.branches));
    }
    page.sentence("Gain: rank correlation less that of har, momentum or none, day by day.");
    page.sentence("Intervals: 95 %, over days; covariances of days whose outcomes overlap are counted.");
    (page, table)
}

/// What is one number or one interval, and its name.
fn facts(shown: &Shown<'_>) -> Vec<(String, String)> {
    let found = shown.found;
    let measured = |name: &str| found.measured.get(name).map_or("–".to_owned(), |value| format!("{value:.4}"));
    let mut facts = vec![
        ("Loss without the differentiation term".to_owned(), measured("losses/without_contrast")),
        ("Mean cosine between assets, last bar's token".to_owned(), measured("cosine/tokens")),
        ("after stage 1".to_owned(), measured("cosine/market")),
        ("after stage 1.5".to_owned(), measured("cosine/gated")),
        ("after stage 2".to_owned(), measured("cosine/fused")),
        ("Effective rank".to_owned(), measured("embedding/effective_rank")),
        ("Same sector".to_owned(), words(found.same_sector)),
        ("Other sector".to_owned(), words(found.cross_sector)),
        ("Difference".to_owned(), words(found.sector_difference)),
        ("Loss on tickers never seen".to_owned(), found.unseen_increase.map_or("–".to_owned(), percent)),
    ];
    facts.extend(found.twins.iter().map(|(names, cosine)| (format!("Twins {names}"), words(Some(*cosine)))));
    facts.extend([
        ("Regime of an asset, accuracy".to_owned(), measured("regime/accuracy")),
        ("guessing yesterday's".to_owned(), measured("regime/accuracy_as_before")),
        ("guessing the most frequent".to_owned(), measured("regime/accuracy_majority")),
    ]);
    if let Some((digest, control)) = &shown.control {
        let of = |name: &str| control.get(name).map_or("–".to_owned(), |value| format!("{value:.4}"));
        facts.extend([
            ("Control".to_owned(), digest.clone()),
            ("its loss without the differentiation term".to_owned(), of("losses/without_contrast")),
            ("its mean cosine after stage 2".to_owned(), of("cosine/fused")),
            ("its effective rank".to_owned(), of("embedding/effective_rank")),
        ]);
    }
    facts
}

fn target(target: Target) -> &'static str {
    match target {
        Target::Ret => "return",
        Target::LogVol => "log volatility",
    }
}

fn percent(value: f64) -> String {
    format!("{:+.1} %", 100.0 * value)
}

fn words(interval: Option<Interval>) -> String {
    interval.map_or("–".to_owned(), |found| format!("{:.3} ({:.3} to {:.3})", found.mean, found.low, found.high))
}
