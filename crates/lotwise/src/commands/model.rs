//! `model`: what a file of weights is, and whether it is what it says.

use std::fmt::Write as _;
use std::path::Path;

use lotwise_nn::checkpoint::{Manifest, PROBE_TOLERANCE, read_manifest};
use lotwise_nn::{Checkpoint, Error, FrozenTemporal};
use lotwise_tensor::Weights;
use lotwise_train::encoder::{RunConfig, branch};
use serde_json::{Value, json};

use super::train::train_error;
use crate::args::ModelFile;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::hub;
use crate::output::{Cell, Column, Page, Report, Table};

/// What a file says about itself.
///
/// # Errors
/// When it cannot be read or is no checkpoint.
pub fn show(arguments: &ModelFile, context: &Context) -> Result<Report, Failure> {
    let (weights, manifest) = read(&arguments.file)?;
    let mut page = Page::new();
    page.heading(format!("{} with {} parameters", manifest.schema, manifest.parameters));
    page.facts(facts(&manifest));
    let table = metrics(&manifest);
    if !table.is_empty() {
        page.heading("On validation");
        page.table(table.clone());
    }
    let tensors: Vec<Value> =
        weights.tensors.iter().map(|(name, tensor)| json!({"name": name, "shape": tensor.shape().to_vec()})).collect();
    let body = json!({"manifest": value(&manifest), "tensors": tensors});
    Ok(Report::new("model.show", context.today(), body, page).table(table))
}

/// Whether the weights are those that were written and compute what they did.
///
/// # Errors
/// When the file cannot be read, or the check does not hold.
pub fn verify(arguments: &ModelFile, context: &Context) -> Result<Report, Failure> {
    let place = arguments.file.display().to_string();
    let checkpoint = Checkpoint::read(&arguments.file).map_err(|error| model_error(&error, &arguments.file))?;
    let distance = checkpoint.verify(&place).map_err(|error| model_error(&error, &arguments.file))?;
    let mut page = Page::new();
    page.heading("The weights are those that were trained");
    page.facts([
        ("Digest".to_owned(), checkpoint.manifest.digest.clone()),
        ("Answer to the probe".to_owned(), format!("differs by {distance:e} (at most {PROBE_TOLERANCE:e})")),
    ]);
    let body = json!({
        "file": place,
        "digest": checkpoint.manifest.digest,
        "probe_difference": distance,
        "probe_tolerance": PROBE_TOLERANCE,
        "pass": true,
    });
    Ok(Report::new("model.verify", context.today(), body, page))
}

/// The model card.
///
/// # Errors
/// When the file cannot be read or is no checkpoint.
pub fn card(arguments: &ModelFile, context: &Context) -> Result<Report, Failure> {
    let (_, manifest) = read(&arguments.file)?;
    let text = markdown(&manifest);
    let mut report = Report::new("model.card", context.today(), json!({"markdown": text}), Page::new());
    report.document = Some(text.into_bytes());
    Ok(report)
}

/// A trained encoder, the configuration of its run and its frozen branch, which keeps nothing on disk.
///
/// # Errors
/// When the file cannot be read or does not say how it was trained, or its branch is not at hand.
pub fn trained(path: &Path, context: &Context) -> Result<(Checkpoint, RunConfig, Box<dyn FrozenTemporal>), Failure> {
    let place = || Place::file(path.display().to_string());
    let checkpoint = Checkpoint::read(path).map_err(|error| model_error(&error, path))?;
    let untrained = || CliError::new("untrained", Exit::Input, "the file does not say how it was trained").at(place());
    let record = checkpoint.manifest.training.as_ref().ok_or_else(untrained)?;
    let config: RunConfig = serde_json::from_value(record.config.clone()).map_err(|error| {
        CliError::new("unusable-weights", Exit::Input, format!("the run's configuration does not read: {error}"))
            .at(place())
    })?;
    // Where its outputs were kept in training is nobody's business here.
    let config = config.without_places();
    let mut choice = config.temporal.clone();
    hub::resolve(&mut choice, true, context)?;
    let branch = branch(&choice).map_err(|error| train_error(&error))?;
    if branch.fingerprint() != checkpoint.manifest.temporal {
        let message = format!("trained with the frozen branch {}", checkpoint.manifest.temporal);
        let help = format!("the one at hand is {}; bring the same weights", branch.fingerprint());
        return Err(CliError::new("other-branch", Exit::Input, message).at(place()).help(help).into());
    }
    Ok((checkpoint, config, branch))
}

fn read(path: &Path) -> Result<(Weights, Manifest), Failure> {
    let told = |error: Error| model_error(&error, path);
    let weights = Weights::read(path).map_err(|error| told(error.into()))?;
    let manifest = read_manifest(&weights, &path.display().to_string()).map_err(told)?;
    Ok((weights, manifest))
}

/// Why a file of weights cannot be used, as the person is told.
pub fn model_error(error: &Error, path: &Path) -> Failure {
    let missing = |source: &std::io::Error| source.kind() == std::io::ErrorKind::NotFound;
    let (code, exit) = match error {
        Error::Weights(lotwise_tensor::Error::File { source, .. }) | Error::File { source, .. } if missing(source) => {
            ("no-such-file", Exit::DataMissing)
        }
        Error::Altered { .. } => ("altered-weights", Exit::CheckFailed),
        _ => ("unusable-weights", Exit::Input),
    };
    CliError::new(code, exit, error.to_string()).at(Place::file(path.display().to_string())).into()
}

fn value(manifest: &Manifest) -> Value {
    serde_json::to_value(manifest).unwrap_or(Value::Null)
}

fn facts(manifest: &Manifest) -> Vec<(String, String)> {
    let config = &manifest.config;
    let mut facts = vec![
        ("Width".to_owned(), format!("{} numbers an asset", config.dim)),
        (
            "Layers".to_owned(),
            format!("{} over {} bars, {} over assets", config.market_layers, config.window, config.asset_layers),
        ),
        ("Features".to_owned(), format!("{} a bar, {} fields of metadata", config.features, config.metadata_fields)),
        ("Frozen branch".to_owned(), manifest.temporal.clone()),
        ("Digest".to_owned(), manifest.digest.clone()),
    ];
    if let Some(training) = &manifest.training {
        facts.extend([
            ("Trained on".to_owned(), training.train_range.join(" to ")),
            ("Judged on".to_owned(), training.validation_range.join(" to ")),
            (
                "Companies".to_owned(),
                format!("{} in training, {} kept away", training.symbols, training.held_out.len()),
            ),
            ("Stage".to_owned(), format!("{}, epoch {}, step {}", training.stage, training.epoch, training.step)),
            ("Seed".to_owned(), training.seed.to_string()),
            ("Data".to_owned(), training.data_hash.clone()),
        ]);
        if !training.note.is_empty() {
            facts.push(("Note".to_owned(), training.note.clone()));
        }
    }
    facts
}

fn metrics(manifest: &Manifest) -> Table {
    let mut table = Table::new([Column::words("measure", "Measure"), Column::number("value", "Value")]);
    for (name, value) in manifest.training.iter().flat_map(|training| &training.metrics) {
        table.row([Cell::words(name), Cell::with_raw(format!("{value:.4}"), value.to_string())]);
    }
    table
}

/// The card in Markdown: what it is, what it was trained on, what was measured, where it fails.
fn markdown(manifest: &Manifest) -> String {
    let mut text = String::from("# Model card: the encoder that knows no ticker\n\n");
    text.push_str("| | |\n|---|---|\n");
    for (name, value) in facts(manifest) {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text.push_str(
        "\n## What it is for\n\nIt turns the bars, closes and metadata of the assets of one day into one vector each, \
         for the policy and the router. It gives no advice and no forecast by itself.\n\n## What it was trained on\n\n",
    );
    match &manifest.training {
        None => text.push_str("Nothing: its weights are those that a seed drew.\n"),
        Some(training) => {
            let _ = writeln!(
                text,
                "Daily bars and side tables of {} companies from {} to {}; {} companies, drawn by sector, were never \
                 seen, and stopping was decided on {} to {}. The data are for research only and are not part of this file.\n\nSeed {}, configuration {}, data {}.",
                training.symbols,
                training.train_range[0],
                training.train_range[1],
                training.held_out.len(),
                training.validation_range[0],
                training.validation_range[1],
                training.seed,
                training.config_hash,
                training.data_hash,
            );
            text.push_str("\n## What was measured on validation\n\n| measure | value |\n|---|---:|\n");
            for (name, value) in &training.metrics {
                let _ = writeln!(text, "| {name} | {value:.4} |");
            }
        }
    }
    text.push_str(
        "\n## Where it fails\n\n- Sectors are the latest known, not those of the day.\n- Prices of companies that went \
         bankrupt or were taken over are partly missing, so the past looks kinder than it was.\n- Analysts', option \
         chains' and institutions' fields were not available in training; they read as the learned typical value.\n\
         - Next-day returns are hardly predictable; see the probe's figure above before relying on one.\n",
    );
    text
}
