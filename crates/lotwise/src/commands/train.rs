//! `train encoder`: a run from its configuration to its weights.

use std::path::{Path, PathBuf};

use lotwise_core::Clock;
use lotwise_train::Error;
use lotwise_train::encoder::{
    EncoderData, Event, Hooks, Measured, Outcome, Part, RunConfig, RunFolder, branch, resume, train,
};
use serde_json::{Value, json};

use super::backtest::threads;
use crate::args::{LabArgs, TrainEncoderArgs};
use crate::clock::timestamp;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place, market_error};
use crate::input::read_config;
use crate::output::{Cell, Column, Page, Report, Table, Talk, Warning};
use crate::store::digest;
use crate::trials::{Trial, Trials};
use crate::{hub, interrupt};

/// Where the settings are described.
const DOCS: &str = "docs/encoder.md";
/// Milliseconds between two lines of progress within an epoch.
const TELL_EVERY: i64 = 10_000;

/// Trains.
///
/// # Errors
/// When the configuration or the data cannot be used, or the run's folder cannot be written.
pub fn encoder(arguments: &TrainEncoderArgs, context: &Context) -> Result<Report, Failure> {
    let folder = arguments.resume.clone().or_else(|| arguments.out.clone()).unwrap_or_default();
    let run = RunFolder::new(&folder);
    let mut config = match (&arguments.resume, &arguments.config) {
        (Some(_), _) => run.config().map_err(|error| train_error(&error))?,
        (None, Some(file)) => read_config(file, DOCS)?,
        (None, None) => RunConfig::default(),
    };
    config.seed = arguments.seed.unwrap_or(config.seed);
    hub::resolve(&mut config.temporal, !arguments.lab.dry_run, context)?;
    config.network.temporal_width = branch(&config.temporal).map_err(|error| train_error(&error))?.width();
    config.validate().map_err(|error| train_error(&error))?;
    if arguments.resume.is_none() && run.is_taken() {
        return Err(CliError::new("run-exists", Exit::Usage, "the folder holds a run already")
            .at(Place::file(folder.display().to_string()))
            .help(format!("go on with it by --resume {}, or name another folder", folder.display()))
            .into());
    }
    context.style.say("reading prices, computing features and labels");
    let data = EncoderData::open(&arguments.data, &config).map_err(|error| train_error(&error))?;
    if arguments.lab.dry_run {
        return Ok(told(arguments, &config, &data, &folder, None, context));
    }
    if arguments.resume.is_none() {
        write_down(&config, &data, &arguments.lab, context)?;
    }
    let pool = pool(&arguments.lab)?;
    interrupt::listen();
    let mut progress = Progress::new(context, "");
    let mut event = |event: &Event| progress.tell(event);
    let mut hooks = Hooks { event: &mut event, stop: &interrupt::wanted };
    let outcome = pool.install(|| match arguments.resume {
        Some(_) => resume(&folder, &data, config.temporal.folder.as_deref(), &mut hooks),
        None => train(&folder, &data, &config, &mut hooks),
    });
    let outcome = outcome.map_err(|error| train_error(&error))?;
    Ok(told(arguments, &config, &data, &folder, Some(&outcome), context))
}

/// The threads that are asked for.
pub(super) fn pool(lab: &LabArgs) -> Result<rayon::ThreadPool, CliError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads(lab)).build();
    pool.map_err(|error| CliError::new("no-threads", Exit::Failed, error.to_string()))
}

/// Counts a run in the trial ledger before it begins: whatever is tried is a choice, and its measures on
/// validation are looked at.
pub(super) fn write_down(
    config: &RunConfig,
    data: &EncoderData,
    lab: &LabArgs,
    context: &Context,
) -> Result<(), CliError> {
    let [from, to] = data.range(Part::Validation).map(|date| date.to_string());
    let settings = serde_json::to_string(&config.without_places()).expect("Invariant: settings are plain data");
    Trials::of(lab.trials.as_deref(), &context.settings)?.add(Trial {
        time: timestamp(context.clock.now()),
        command: "train encoder".to_owned(),
        strategy: format!("encoder, {}, {:?}", config.temporal.kind, config.loss.contrast).to_lowercase(),
        config: digest(settings.as_bytes()),
        data: data.hash().to_owned(),
        from,
        to,
        sharpe: None,
    })
}

/// Why a run cannot be, as the person is told.
pub fn train_error(error: &Error) -> Failure {
    let told = |code, exit| CliError::new(code, exit, error.to_string());
    match error {
        Error::Market(error) => return market_error(error),
        Error::Config { .. } => told("bad-config", Exit::Usage).help("docs/encoder.md lists every key"),
        Error::Data(_) => told("not-enough-data", Exit::DataMissing).help("lotwise data describe tells what is there"),
        Error::Network(_) | Error::Weights(_) => told("unusable-weights", Exit::Input),
        Error::File { path, .. } => told("unusable-file", Exit::Failed).at(Place::file(path.display().to_string())),
        Error::Resume { .. } => told("cannot-resume", Exit::Input).help("start a new run with --out"),
        Error::Diverged { .. } => told("diverged", Exit::Failed),
    }
    .into()
}

/// Talks on stderr while a run goes on.
pub(super) struct Progress<'a> {
    context: &'a Context,
    /// Put before every line; empty for a run by itself.
    before: String,
    /// When the first step ended, and how many came after it.
    since: Option<(i64, u64)>,
    told: i64,
}

impl<'a> Progress<'a> {
    pub(super) fn new(context: &'a Context, before: impl Into<String>) -> Self {
        Self { context, before: before.into(), since: None, told: i64::MIN }
    }

    fn say(&self, text: &str) {
        self.context.style.say(&format!("{}{text}", self.before));
    }

    pub(super) fn tell(&mut self, event: &Event) {
        let now = self.context.clock.now().0;
        match event {
            Event::Step { stage, epoch, step, left, loss } => {
                let (start, done) = self.since.get_or_insert((now, 0));
                let (start, steps) = (*start, *done);
                *done += 1;
                if self.context.style.talk < Talk::Normal || now.saturating_sub(self.told) < TELL_EVERY || steps == 0 {
                    return;
                }
                self.told = now;
                let each = (now - start) as f64 / steps as f64;
                let rest = duration(each * *left as f64);
                self.say(&format!(
                    "{stage}: epoch {} of at most {}, step {} of {}, loss {loss:.4}, {:.2} s a step, at most {rest} left",
                    epoch[0],
                    epoch[1],
                    step[0],
                    step[1],
                    each / 1e3
                ));
            }
            Event::Epoch { stage, epoch, measured, best } => {
                let number = |name: &str| measured.get(name).map_or("–".to_owned(), |value| format!("{value:.4}"));
                self.say(&format!(
                    "{stage}: epoch {epoch} ended, validation loss {}{}, cosine {}, effective rank {}",
                    number("losses/total"),
                    if *best { " (best)" } else { "" },
                    number("cosine/fused"),
                    number("embedding/effective_rank"),
                ));
                if measured.get("embedding/collapsed") == Some(&1.0) {
                    self.say("warning: the representation has collapsed: assets can hardly be told apart");
                }
            }
            Event::Stage { stage, epochs, best } => {
                self.say(&format!("{stage}: done after {epochs} epochs, best validation loss {best:.4}"));
            }
        }
    }
}

/// Milliseconds in words.
pub(super) fn duration(millis: f64) -> String {
    let minutes = (millis / 60_000.0).ceil() as u64;
    if minutes >= 60 { format!("{} h {} min", minutes / 60, minutes % 60) } else { format!("{minutes} min") }
}

fn told(
    arguments: &TrainEncoderArgs,
    config: &RunConfig,
    data: &EncoderData,
    folder: &Path,
    outcome: Option<&Outcome>,
    context: &Context,
) -> Report {
    let range = |part| data.range(part).map(|date| date.to_string()).join(" to ");
    let model: PathBuf = RunFolder::new(folder).model();
    let (state, steps, measured) = match outcome {
        None => ("planned", None, None),
        Some(Outcome::Interrupted { steps }) => ("interrupted", Some(*steps), None),
        Some(Outcome::Finished(finished)) => ("finished", Some(finished.steps), Some(&finished.measured)),
    };
    let mut page = Page::new();
    page.heading(match state {
        "planned" => "This would be trained; nothing was written".to_owned(),
        "interrupted" => format!("Interrupted; go on with --resume {}", folder.display()),
        _ => format!("Trained; the weights are in {}", model.display()),
    });
    page.facts([
        ("Training".to_owned(), range(Part::Train)),
        ("Validation".to_owned(), range(Part::Validation)),
        ("Companies".to_owned(), format!("{} seen, {} kept away", data.n_seen(), data.held_out().len())),
        ("Frozen branch".to_owned(), config.temporal.kind.clone()),
        ("Seed".to_owned(), config.seed.to_string()),
    ]);
    let mut table = Table::new([Column::words("measure", "Measure"), Column::number("value", "Validation")]);
    for (name, value) in measured.into_iter().flatten() {
        table.row([Cell::words(name), Cell::with_raw(format!("{value:.4}"), value.to_string())]);
    }
    page.table(table.clone());
    let body = json!({
        "state": state,
        "run": folder.display().to_string(),
        "model": (state == "finished").then(|| model.display().to_string()),
        "steps": steps,
        "seed": config.seed,
        "data": {
            "path": arguments.data.display().to_string(),
            "hash": data.hash(),
            "train": data.range(Part::Train).map(|date| date.to_string()),
            "validation": data.range(Part::Validation).map(|date| date.to_string()),
            "seen": data.n_seen(),
            "held_out": data.held_out().iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "config": serde_json::to_value(config).unwrap_or(Value::Null),
        "measured": measured.unwrap_or(&Measured::new()),
    });
    let mut warnings = Vec::new();
    if measured.and_then(|measured| measured.get("embedding/collapsed")) == Some(&1.0) {
        let message = "the representation has collapsed: assets can hardly be told apart";
        warnings.push(Warning::new("collapsed", message));
    }
    let mut report = Report::new("train.encoder", context.today(), body, page).table(table).warnings(warnings);
    if state == "interrupted" {
        report.exit = Exit::Interrupted;
    }
    report
}
