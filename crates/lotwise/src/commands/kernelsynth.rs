//! `train kernelsynth`: pretraining of our own frozen branch on synthetic series.

use std::path::Path;

use lotwise_core::Clock;
use lotwise_train::Error;
use lotwise_train::kernelsynth::{Event, KernelSynthConfig, Measures, Outcome, Run};
use serde_json::{Value, json};

use super::train::{duration, train_error};
use crate::args::TrainKernelSynthArgs;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::input::read_config;
use crate::interrupt;
use crate::output::{Cell, Column, Page, Report, Table, Talk};

/// Where the settings are described.
const DOCS: &str = "docs/chronos.md";
/// Milliseconds between two lines of progress.
const TELL_EVERY: i64 = 10_000;

/// Trains.
///
/// # Errors
/// When a setting cannot be, or the folder cannot be written or gone on with.
pub fn kernelsynth(arguments: &TrainKernelSynthArgs, context: &Context) -> Result<Report, Failure> {
    let folder = arguments.resume.clone().or_else(|| arguments.out.clone()).unwrap_or_default();
    let mut run = if arguments.resume.is_some() {
        Run::resume(&folder).map_err(|error| failed(&error))?
    } else {
        let file = arguments.config.as_deref();
        let mut config: KernelSynthConfig = file.map(|file| read_config(file, DOCS)).transpose()?.unwrap_or_default();
        config.seed = arguments.seed.unwrap_or(config.seed);
        config.steps = arguments.steps.unwrap_or(config.steps);
        if arguments.dry_run {
            config.check().map_err(|error| failed(&error))?;
            return Ok(told(&config, &folder, "planned", 0, None, context));
        }
        Run::start(config, &folder).map_err(|error| failed(&error))?
    };
    if arguments.dry_run {
        return Ok(told(run.config(), &folder, "planned", run.done(), None, context));
    }
    let threads = usize::from(arguments.threads.unwrap_or(0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| CliError::new("no-threads", Exit::Failed, error.to_string()))?;
    interrupt::listen();
    let mut progress = Progress { context, since: None, told: i64::MIN };
    let outcome = pool
        .install(|| run.train(&interrupt::wanted, &mut |event| progress.tell(event)))
        .map_err(|error| failed(&error))?;
    let (state, measures) = match outcome {
        Outcome::Finished(measures) => ("finished", Some(measures)),
        Outcome::Stopped(_) => ("interrupted", None),
    };
    let mut report = told(run.config(), &folder, state, run.done(), measures, context);
    if state == "interrupted" {
        report.exit = Exit::Interrupted;
    }
    Ok(report)
}

fn failed(error: &Error) -> Failure {
    match error {
        Error::Config { .. } => {
            CliError::new("bad-config", Exit::Usage, error.to_string()).help(format!("{DOCS} lists every key")).into()
        }
        _ => train_error(error),
    }
}

/// Talks on stderr while a run goes on.
struct Progress<'a> {
    context: &'a Context,
    /// When the first step ended, and which it was.
    since: Option<(i64, u64)>,
    told: i64,
}

impl Progress<'_> {
    fn tell(&mut self, event: &Event) {
        let now = self.context.clock.now().0;
        let say = |text: &str| self.context.style.say(text);
        match event {
            Event::Drawing { series } => say(&format!("drawing {series} series")),
            Event::Step { step, steps, loss, .. } => {
                let (start, first) = *self.since.get_or_insert((now, *step));
                if self.context.style.talk < Talk::Normal
                    || now.saturating_sub(self.told) < TELL_EVERY
                    || *step == first
                {
                    return;
                }
                self.told = now;
                let each = (now - start) as f64 / (step - first) as f64;
                let rest = duration(each * (steps - step) as f64);
                say(&format!("step {step} of {steps}, loss {loss:.4}, {:.2} s a step, {rest} left", each / 1e3));
            }
            Event::Validation { step, measures } => {
                let Measures { loss, walk_loss, mean_cosine, effective_rank } = measures;
                say(&format!(
                    "after step {step}: validation loss {loss:.4} (a walk {walk_loss:.4}), cosine {mean_cosine:.3}, \
                     effective rank {effective_rank:.1}"
                ));
            }
        }
    }
}

fn told(
    config: &KernelSynthConfig,
    folder: &Path,
    state: &str,
    steps: u64,
    measures: Option<Measures>,
    context: &Context,
) -> Report {
    let mut page = Page::new();
    page.heading(match state {
        "planned" => "This would be trained; nothing was written".to_owned(),
        "interrupted" => format!("Interrupted; go on with --resume {}", folder.display()),
        _ => format!("Trained; the network is in {}", folder.display()),
    });
    page.facts([
        ("Data".to_owned(), "synthetic series alone".to_owned()),
        ("Steps".to_owned(), format!("{steps} of {}", config.steps)),
        ("Width".to_owned(), config.dim.to_string()),
        ("Seed".to_owned(), config.seed.to_string()),
    ]);
    let mut table = Table::new([Column::words("measure", "Measure"), Column::number("value", "Validation")]);
    for (name, value) in measures.iter().flat_map(|measures| {
        [
            ("loss", measures.loss),
            ("walk_loss", measures.walk_loss),
            ("mean_cosine", measures.mean_cosine),
            ("effective_rank", measures.effective_rank),
        ]
    }) {
        table.row([Cell::words(name), Cell::with_raw(format!("{value:.4}"), value.to_string())]);
    }
    page.table(table.clone());
    let body = json!({
        "state": state,
        "run": folder.display().to_string(),
        "steps": steps,
        "seed": config.seed,
        "config": serde_json::to_value(config).unwrap_or(Value::Null),
        "measured": measures.map(|measures| serde_json::to_value(measures).unwrap_or(Value::Null)),
    });
    Report::new("train.kernelsynth", context.today(), body, page).table(table)
}
