//! Which mode an import uses, and asking before something goes.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::output::Form;
use crate::store::{DataFolder, Ledger, Mode};

/// How often an answer that is none is asked again.
const TRIES: usize = 3;

/// The mode of this import: flag, setting, what was chosen before, or what the person answers now.
///
/// # Errors
/// With 5 where nobody can be asked, and where the ledger would have to be emptied first.
pub fn choose_mode(
    flag: Option<Mode>,
    folder: &DataFolder,
    ledger: Option<&Ledger>,
    context: &Context,
) -> Result<Mode, Failure> {
    let stored = ledger.map(Ledger::mode).transpose()?.flatten();
    let mode = match flag.or(context.settings.mode).or(stored) {
        Some(mode) => mode,
        None => ask_mode(folder, context)?,
    };
    let held = match (mode, ledger) {
        (Mode::ProfileOnly, Some(ledger)) => ledger.batches()?.len(),
        _ => 0,
    };
    if held > 0 {
        let message = format!(
            "profile only keeps nothing of a file, and the ledger holds {}",
            super::counted(held as u64, "import")
        );
        return Err(CliError::new("ledger-not-empty", Exit::Usage, message)
            .help("take them back first (lotwise import list, lotwise import undo ID), or use --mode ledger")
            .into());
    }
    Ok(mode)
}

fn ask_mode(folder: &DataFolder, context: &Context) -> Result<Mode, Failure> {
    let undecided = || {
        CliError::new("mode-not-chosen", Exit::Confirm, "say first what an import shall keep")
            .help(
                "--mode profile-only keeps nothing of a file; --mode ledger keeps trades and lots on this computer; \
                 the setting mode answers it for good",
            )
            .into()
    };
    if !can_ask(context) {
        return Err(undecided());
    }
    let folder = folder.path().display();
    eprintln!(
        "What shall Lotwise keep? Nothing leaves this computer in either mode.\n\
         \n\
         \x20 1  Profile only  Nothing of your files: they are read, shown and forgotten.\n\
         \x20 2  Ledger        Your trades and lots too, in {folder},\n\
         \x20                  readable by you alone. Lots, harvest and tax forms need no files named then.\n"
    );
    for _ in 0..TRIES {
        match answer("Choose 1 or 2: ")?.as_str() {
            "1" => return Ok(Mode::ProfileOnly),
            "2" => return Ok(Mode::Ledger),
            "" => break,
            text => match Mode::parse(text) {
                Some(mode) => return Ok(mode),
                None => eprintln!("That is neither 1 nor 2."),
            },
        }
    }
    Err(undecided())
}

/// Asks whether to go on. What can be taken back goes on without a terminal; what cannot ends with 5.
///
/// # Errors
/// When the person says no, or cannot be asked.
pub fn confirm(question: &str, yes: bool, lasting: bool, context: &Context) -> Result<(), Failure> {
    if yes || (!can_ask(context) && !lasting) {
        return Ok(());
    }
    if !can_ask(context) {
        return Err(CliError::new(
            "not-confirmed",
            Exit::Confirm,
            format!("{question}? There is no terminal to ask on"),
        )
        .help("add --yes")
        .into());
    }
    let said = answer(&format!("{question}? [y/N] "))?;
    if matches!(said.to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CliError::new("not-confirmed", Exit::Confirm, "you said no; nothing was changed").into())
}

/// Whether a person sits at a terminal and reads text.
pub fn can_ask(context: &Context) -> bool {
    context.style.form == Form::Text && io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn answer(prompt: &str) -> Result<String, CliError> {
    let mut line = String::new();
    eprint!("{prompt}");
    let read = io::stderr().flush().and_then(|()| io::stdin().lock().read_line(&mut line));
    read.map_err(|error| CliError::new("no-answer", Exit::Failed, format!("the answer cannot be read: {error}")))?;
    Ok(line.trim().to_owned())
}
