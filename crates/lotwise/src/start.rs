//! From the command line to the exit code: nothing that happens in between reaches the person as
//! a panic, and a closed pipe or Ctrl-C ends the program quietly.

use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::error::{ContextKind, ErrorKind as Wrong};
use clap::{ColorChoice, CommandFactory, FromArgMatches};

use crate::args::{Cli, Global};
use crate::clock::SystemClock;
use crate::commands;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::interrupt;
use crate::output::{Style, write_failure, write_report};
use crate::settings::{self, Surroundings};

/// Runs the program.
pub fn run() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" ({}:{})", place.file(), place.line()));
        eprintln!("error: lotwise met a fault of its own and stopped{place}");
        eprintln!("  = nothing was stored; please report this line with the command that led to it");
    }));
    // A second handler cannot be registered, and there is no first one: a failure leaves the
    // default behaviour, which also ends the program.
    let _ = ctrlc::set_handler(|| {
        if interrupt::asked_politely() {
            return;
        }
        eprintln!("interrupted");
        std::process::exit(Exit::Interrupted as i32);
    });
    let main = || {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        let mut out = io::BufWriter::new(io::stdout().lock());
        answer(&arguments, &Surroundings::of_process(), &mut out)
    };
    let exit = catch_unwind(AssertUnwindSafe(main)).unwrap_or(Ok(Exit::Failed));
    ExitCode::from(match exit {
        Ok(exit) => exit as u8,
        // Whoever read our output has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::Done as u8,
        Err(error) => {
            eprintln!("error: cannot write the result: {error}");
            Exit::Failed as u8
        }
    })
}

/// Does what the words say, the name of the program first, and writes the result to `out`. Errors that a person reads
/// go to the standard error; in JSON they stand in `out` too.
///
/// # Errors
/// When the result cannot be written.
pub fn answer(arguments: &[OsString], surroundings: &Surroundings, out: &mut dyn Write) -> io::Result<Exit> {
    // A wrong command line is told in the form asked for, so these are looked for before it is parsed.
    let asked = |flag: &str| arguments.iter().skip(1).take_while(|word| *word != "--").any(|word| word == flag);
    let global = Global {
        json: asked("--json"),
        csv: false,
        quiet: false,
        verbose: 0,
        privacy: asked("--privacy"),
        no_color: asked("--no-color"),
    };
    let early = Style::detect(&global);
    let mut command = Cli::command();
    if global.no_color {
        command = command.color(ColorChoice::Never);
    }
    let parsed = command.try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return wrong_usage(&error, &early, out),
    };
    let style = Style::detect(&cli.global);
    let exit = match settings::load(surroundings) {
        Ok(settings) => {
            let clock = SystemClock { today: settings.today };
            let context = Context { style, settings, clock };
            match commands::run(cli.command, &context) {
                Ok(commands::Outcome::Report(mut report)) => {
                    report.mode = report.mode.or_else(|| context.mode());
                    write_report(*report, &context.style, out)?
                }
                Ok(commands::Outcome::As(mut report, form)) => {
                    report.mode = report.mode.or_else(|| context.mode());
                    write_report(*report, &Style { form, ..context.style }, out)?
                }
                Ok(commands::Outcome::Text(text)) => {
                    out.write_all(&text)?;
                    Exit::Done
                }
                Err(failure) => write_failure(failure, &context.style, out)?,
            }
        }
        Err(failure) => write_failure(failure, &style, out)?,
    };
    out.flush()?;
    Ok(exit)
}

/// Help and version go to stdout; a wrong command line is an error in the form asked for.
fn wrong_usage(error: &clap::Error, style: &Style, out: &mut dyn Write) -> io::Result<Exit> {
    if matches!(error.kind(), Wrong::DisplayHelp | Wrong::DisplayVersion) {
        error.print()?;
        return Ok(Exit::Done);
    }
    if style.form != crate::output::Form::Json {
        error.print()?;
        return Ok(Exit::Usage);
    }
    let text = error.render().to_string();
    let message =
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.').to_owned();
    let mut failure = CliError::new("usage", Exit::Usage, message);
    let suggestions = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggested = suggestions.into_iter().find_map(|kind| error.get(kind)).map(ToString::to_string);
    failure.help = Some(match suggested {
        Some(word) => format!("did you mean {word}?"),
        None => "see lotwise --help".to_owned(),
    });
    let exit = write_failure(Failure::from(failure), style, out)?;
    out.flush()?;
    Ok(exit)
}
