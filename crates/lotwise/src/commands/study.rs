//! `train study`: encoders that differ in named ways, trained with several seeds and compared.

use std::path::{Path, PathBuf};

use lotwise_train::encoder::study::{
    Order, OverSeeds, StudyConfig, StudyRun, Variant, difference, done, folder, measured, over_seeds, rises, run_one,
    with_seed, write,
};
use lotwise_train::encoder::{DataConfig, EncoderData, Event, Hooks, RunConfig, RunFolder};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::train::{Progress, pool, train_error, write_down};
use crate::args::TrainStudyArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};
use crate::input::read_config;
use crate::output::{Cell, Column, Page, Report, Table};
use crate::{hub, interrupt};

/// Where the settings are described.
const DOCS: &str = "docs/encoder.md";

/// What a table of variants tells: name of the measure, heading, digits after the point.
pub const MEASURES: [(&str, &str, usize); 9] = [
    ("losses/without_contrast", "Loss without the term", 3),
    ("cosine/fused", "Mean cosine", 3),
    ("embedding/effective_rank", "Effective rank", 1),
    ("evidence/sector_difference", "Same less other sector", 3),
    ("regime/accuracy", "Regime accuracy", 3),
    ("forecast/log_vol_5/encoder/seen/r_squared", "R², volatility of 5 sessions", 3),
    ("forecast/log_vol_5/har_and_encoder/seen/r_squared", "the same with HAR", 3),
    ("forecast/ret_5/encoder/seen/rank_correlation", "Rank correlation, return of 5", 3),
    ("evidence/unseen_increase", "Loss on unseen tickers", 3),
];

/// What a study leaves for documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyTable {
    /// Seeds of every variant.
    pub seeds: Vec<u64>,
    /// Name and description; the first is the reference.
    pub variants: Vec<(String, String)>,
    /// Claims.
    pub orders: Vec<Order>,
    /// Runs that are done.
    pub runs: Vec<StudyRun>,
    /// Digest of the data.
    pub data: String,
    /// First and last session of validation.
    pub validation: [String; 2],
}

/// Where a study leaves its table.
#[must_use]
pub fn table_file(out: &Path) -> PathBuf {
    out.join("study.json")
}

/// Trains what is not done, and compares what is.
///
/// # Errors
/// When the study or the data cannot be used, or its folder cannot be written.
pub fn run(arguments: &TrainStudyArgs, context: &Context) -> Result<Report, Failure> {
    let told = |error| train_error(&error);
    let study: StudyConfig = read_config(&arguments.config, DOCS)?;
    let mut variants = study.resolve().map_err(|error| train_error(&error))?;
    for variant in &mut variants {
        hub::resolve(&mut variant.config.temporal, !arguments.lab.dry_run, context)?;
    }
    if let Some(other) = arguments.only.iter().find(|name| variants.iter().all(|variant| variant.name != **name)) {
        let names = variants.iter().map(|variant| variant.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(CliError::new("no-such-variant", Exit::Usage, format!("the study has no variant {other:?}"))
            .at(Place::file(arguments.config.display().to_string()))
            .help(format!("it has {names}"))
            .into());
    }
    // Seed by seed, so that a study that is interrupted has compared all variants as often.
    let wanted = |variant: &&Variant| arguments.only.is_empty() || arguments.only.contains(&variant.name);
    let mut planned = Vec::new();
    for &seed in &study.seeds {
        for variant in variants.iter().filter(wanted) {
            planned.push((variant, with_seed(variant, seed).map_err(told)?));
        }
    }
    let ended = if arguments.lab.dry_run { Ok(true) } else { train_all(arguments, &planned, context) };
    let done = done(&arguments.out, &variants, &study.seeds).map_err(told)?;
    if !done.runs.is_empty() && !arguments.lab.dry_run {
        let table = StudyTable {
            seeds: study.seeds.clone(),
            variants: variants.iter().map(|variant| (variant.name.clone(), variant.what.clone())).collect(),
            orders: study.orders.clone(),
            runs: done.runs.clone(),
            data: done.data,
            validation: done.validation,
        };
        let text = serde_json::to_string_pretty(&table).expect("Invariant: a table is plain data");
        write(&table_file(&arguments.out), &text).map_err(told)?;
    }
    // What is done is in the table also where one of the runs cannot be.
    let interrupted = !ended?;
    let runs = done.runs;
    let mut report = report(arguments, &study, &variants, &runs, context);
    if interrupted {
        report.exit = Exit::Interrupted;
    }
    Ok(report)
}

/// Trains what is not done; false where somebody asked to stop.
fn train_all(
    arguments: &TrainStudyArgs,
    planned: &[(&Variant, RunConfig)],
    context: &Context,
) -> Result<bool, Failure> {
    let told = |error| train_error(&error);
    let mut kept: Option<((DataConfig, [usize; 3]), EncoderData)> = None;
    let pool = pool(&arguments.lab)?;
    interrupt::listen();
    let count = planned.len();
    for (at, (variant, config)) in planned.iter().enumerate() {
        let place = folder(&arguments.out, &variant.name, config.seed);
        if measured(&place, config).map_err(told)?.is_some() {
            continue;
        }
        let key = data_key(config);
        if kept.as_ref().is_none_or(|(had, _)| *had != key) {
            context.style.say("reading prices, computing features and labels");
            kept = Some((key, EncoderData::open(&arguments.data, config).map_err(told)?));
        }
        let (_, data) = kept.as_ref().expect("Invariant: data were just read");
        if !RunFolder::new(&place).is_taken() {
            write_down(config, data, &arguments.lab, context)?;
        }
        let before = format!("run {} of {count}, {}, seed {}: ", at + 1, variant.name, config.seed);
        let mut progress = Progress::new(context, before);
        let mut event = |event: &Event| progress.tell(event);
        let mut hooks = Hooks { event: &mut event, stop: &interrupt::wanted };
        if pool.install(|| run_one(&place, data, config, &mut hooks)).map_err(told)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Settings that decide what is read.
fn data_key(config: &RunConfig) -> (DataConfig, [usize; 3]) {
    let sampling = &config.sampling;
    (config.data.clone(), [config.network.window, sampling.least_bars, sampling.train_dates])
}

fn report(
    arguments: &TrainStudyArgs,
    study: &StudyConfig,
    variants: &[Variant],
    runs: &[StudyRun],
    context: &Context,
) -> Report {
    let mut page = Page::new();
    let total = variants.len() * study.seeds.len();
    page.heading(match (arguments.lab.dry_run, runs.len() == total) {
        (true, _) => {
            format!("{total} runs: {} variants, {} seeds; nothing was written", variants.len(), study.seeds.len())
        }
        (false, true) => format!("{total} runs are done; they lie in {}", arguments.out.display()),
        (false, false) => format!("{} of {total} runs are done; the same command goes on", runs.len()),
    });
    let mut columns =
        vec![Column::words("variant", "Variant"), Column::words("what", "What"), Column::number("seeds", "Seeds")];
    columns.extend(MEASURES.map(|(name, heading, _)| Column::number(name, heading)));
    let mut table = Table::new(columns);
    for variant in variants {
        let seeds = runs.iter().filter(|run| run.variant == variant.name).count();
        let mut row = vec![Cell::words(&variant.name), Cell::words(&variant.what), Cell::count(seeds)];
        row.extend(
            MEASURES.map(|(measure, _, digits)| Cell::words(words(over_seeds(runs, &variant.name, measure), digits))),
        );
        table.row(row);
    }
    page.table(table.clone());
    page.sentence("Means over seeds, ± half of a 95 % interval (Student). All on validation.");
    for order in &study.orders {
        page.sentence(order_words(order, runs));
    }
    let reference = &variants[0].name;
    let rows = variants.iter().map(|variant| {
        let of = |measure: &str| {
            json!({
                "over_seeds": over_seeds(runs, &variant.name, measure),
                "difference": difference(runs, &variant.name, reference, measure),
            })
        };
        let measures: serde_json::Map<_, _> =
            MEASURES.iter().map(|(measure, _, _)| ((*measure).to_owned(), of(measure))).collect();
        json!({"variant": variant.name, "what": variant.what, "measures": measures})
    });
    let body = json!({
        "out": arguments.out.display().to_string(),
        "runs": total,
        "done": runs.len(),
        "reference": reference,
        "variants": rows.collect::<Vec<_>>(),
    });
    Report::new("train.study", context.today(), body, page).table(table)
}

/// A mean and its interval.
#[must_use]
pub fn words(found: Option<OverSeeds>, digits: usize) -> String {
    match found {
        None => "–".to_owned(),
        Some(OverSeeds { mean, half: Some(half), .. }) => format!("{mean:.digits$} ± {half:.digits$}"),
        Some(OverSeeds { mean, half: None, .. }) => format!("{mean:.digits$}"),
    }
}

/// Whether a claim holds, pair by pair.
#[must_use]
pub fn order_words(order: &Order, runs: &[StudyRun]) -> String {
    let pairs = order.rising.windows(2).map(|pair| {
        let [holds, of] = rises(runs, [&pair[0], &pair[1]], &order.measure);
        format!("{} < {} in {holds} of {of} seeds", pair[0], pair[1])
    });
    format!("{} ({}): {}.", order.name, order.measure, pairs.collect::<Vec<_>>().join("; "))
}
