//! Shell completions and manual pages, made from the definitions of the command line.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::context::Context;
use crate::errors::{CliError, Exit, Failure, Place};

/// The completion script of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "lotwise", &mut script);
    script
}

/// The manual page of the program, or all pages into a folder.
///
/// # Errors
/// When a page cannot be written.
pub fn man(folder: Option<&Path>, context: &Context) -> Result<Vec<u8>, Failure> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).expect("Invariant: writing to memory does not fail");
        return Ok(page);
    };
    let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        CliError::new("cannot-write", Exit::Failed, format!("cannot write the manual pages: {error}"))
            .at(Place::file(folder.display().to_string()))
    })?;
    context.style.say(&format!("the manual pages are in {}", folder.display()));
    Ok(Vec::new())
}
