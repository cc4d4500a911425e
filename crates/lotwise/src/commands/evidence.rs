//! `model evidence`: what an encoder is worth on validation, beside plain baselines.

use lotwise_nn::Checkpoint;
use lotwise_train::encoder::{EncoderData, Interval, Part, RunConfig, branch, evidence};
use serde_json::{Value, json};

use super::model::model_error;
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
    let place = || Place::file(arguments.file.display().to_string());
    let checkpoint = Checkpoint::read(&arguments.file).map_err(|error| model_error(&error, &arguments.file))?;
    let untrained = || CliError::new("untrained", Exit::Input, "the file does not say how it was trained").at(place());
    let record = checkpoint.manifest.training.as_ref().ok_or_else(untrained)?;
    let config: RunConfig = serde_json::from_value(record.config.clone()).map_err(|error| {
        CliError::new("unusable-weights", Exit::Input, format!("the run's configuration does not read: {error}"))
            .at(place())
    })?;
    let branch = branch(&config.temporal).map_err(|error| train_error(&error))?;
    if branch.fingerprint() != checkpoint.manifest.temporal {
        let message = format!("trained with the frozen branch {}", checkpoint.manifest.temporal);
        let help = format!("the one at hand is {}; bring the same weights", branch.fingerprint());
        return Err(CliError::new("other-branch", Exit::Input, message).at(place()).help(help).into());
    }
    let data = EncoderData::open(&arguments.data, &config).map_err(|error| train_error(&error))?;
    let found = evidence(&checkpoint, &data, &config, branch.as_ref());

    let mut page = Page::new();
    page.heading(format!("Validation, {}", data.range(Part::Validation).map(|date| date.to_string()).join(" to ")));
    let measured = |name: &str| found.measured.get(name).map_or("–".to_owned(), |value| format!("{value:.4}"));
    let percent = |value: f64| format!("{:+.1} %", 100.0 * value);
    let mut facts = vec![
        ("Loss without the differentiation term".to_owned(), measured("losses/without_contrast")),
        ("Mean cosine between assets".to_owned(), measured("cosine/fused")),
        ("Effective rank".to_owned(), measured("embedding/effective_rank")),
        ("Same sector".to_owned(), words(found.same_sector)),
        ("Other sector".to_owned(), words(found.cross_sector)),
        ("Difference".to_owned(), words(found.sector_difference)),
        ("Loss on tickers never seen".to_owned(), found.unseen_increase.map_or("–".to_owned(), percent)),
    ];
    facts.extend(found.twins.iter().map(|(names, cosine)| (format!("Twins {names}"), words(Some(*cosine)))));
    page.facts(facts);
    let mut blocks = Table::new([Column::words("block", "Block missing"), Column::number("increase", "Loss")]);
    for (name, increase) in &found.missing_block_increase {
        blocks.row([Cell::words(*name), Cell::with_raw(percent(*increase), increase.to_string())]);
    }
    page.heading("When a block of metadata is missing");
    page.table(blocks);
    let mut table = Table::new([
        Column::words("target", "Target"),
        Column::number("horizon", "Sessions"),
        Column::words("inputs", "From"),
        Column::number("r_squared", "R²"),
        Column::number("rank_correlation", "Rank correlation"),
    ]);
    for one in &found.forecasts {
        let r_squared = one
            .r_squared
            .map_or_else(|| Cell::words("–"), |value| Cell::with_raw(format!("{value:.4}"), value.to_string()));
        table.row([
            Cell::words(one.target),
            Cell::count(one.horizon),
            Cell::words(one.inputs),
            r_squared,
            Cell::words(words(one.rank_correlation)),
        ]);
    }
    page.heading("What a line foretells");
    page.table(table.clone());
    page.sentence("Intervals: 95 %, over days; covariances of days whose outcomes overlap are counted.");
    let mut warnings = Vec::new();
    if data.hash() != record.data_hash {
        let message = "the data are not those that the encoder was trained with, so seen tickers may be other ones";
        warnings.push(Warning::new("other-data", message));
    }
    let body = json!({
        "model": checkpoint.manifest.digest,
        "stage": record.stage,
        "data": data.hash(),
        "validation": data.range(Part::Validation).map(|date| date.to_string()),
        "evidence": serde_json::to_value(&found).unwrap_or(Value::Null),
    });
    Ok(Report::new("model.evidence", context.today(), body, page).table(table).warnings(warnings))
}

fn words(interval: Option<Interval>) -> String {
    interval.map_or("–".to_owned(), |found| format!("{:.3} ({:.3} to {:.3})", found.mean, found.low, found.high))
}
