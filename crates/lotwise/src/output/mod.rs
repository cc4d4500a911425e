//! Everything that leaves the program: text for people, JSON and CSV for programs.

mod figures;
mod page;
mod report;
mod table;
mod tone;

pub use figures::{Figure, Figures, percent_text};
pub use page::Page;
pub use report::{Data, Report, Warning, write_failure, write_report};
pub use table::{Cell, Column, Table};
pub use tone::{Tone, paint};

use std::io::IsTerminal;

use crate::args::Global;

/// In which form the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// The main table as CSV.
    Csv,
}

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Talk {
    /// Errors only.
    Quiet,
    /// Warnings and progress.
    Normal,
    /// Also what was decided on the way.
    Verbose,
}

/// What the global flags and the terminal ask for.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Form of the result.
    pub form: Form,
    /// How much is said on stderr.
    pub talk: Talk,
    /// Colours on stdout.
    pub colour: bool,
    /// Colours on stderr.
    pub error_colour: bool,
    /// Columns of the terminal; `None` when stdout is no terminal.
    pub width: Option<usize>,
    /// How amounts are written.
    pub figures: Figures,
}

impl Style {
    /// From the flags, the variable `NO_COLOR` and what stdout and stderr are connected to.
    #[must_use]
    pub fn detect(global: &Global) -> Self {
        let plain = global.no_color
            || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let terminal = std::io::stdout().is_terminal();
        let width = terminal.then(|| terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)));
        Self {
            form: match (global.json, global.csv) {
                (true, _) => Form::Json,
                (false, true) => Form::Csv,
                (false, false) => Form::Text,
            },
            talk: match (global.quiet, global.verbose) {
                (true, _) => Talk::Quiet,
                (false, 0) => Talk::Normal,
                (false, _) => Talk::Verbose,
            },
            colour: terminal && !plain,
            error_colour: std::io::stderr().is_terminal() && !plain,
            width,
            figures: Figures::new(global.privacy),
        }
    }

    /// Says something on stderr unless asked to be quiet.
    pub fn say(&self, text: &str) {
        if self.talk >= Talk::Normal {
            eprintln!("{text}");
        }
    }

    /// Says something on stderr when asked to say more.
    pub fn detail(&self, text: &str) {
        if self.talk >= Talk::Verbose {
            eprintln!("{text}");
        }
    }
}
