//! What a command hands back, and how it is printed in each form.

use std::io::{self, Write};

use lotwise_core::Date;
use serde_json::{Map, Value, json};

use super::{Form, Page, Style, Table, Tone, paint};
use crate::errors::{CliError, Exit, Failure, Place, place_json};
use crate::store::Mode;

/// Something that a person should know and that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable name for programs, `kebab-case`.
    pub code: &'static str,
    /// What to know, without a final period.
    pub message: String,
    /// Where.
    pub place: Place,
}

impl Warning {
    /// A warning about nothing in particular.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: Place::default() }
    }

    /// With a place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }
}

/// Writes JSON piece by piece.
pub type JsonWriter = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()>>;

/// The value of the key `data`.
pub enum Data {
    /// All at once.
    Value(Value),
    /// Written piece by piece, for results too large to hold twice.
    Stream(JsonWriter),
}

/// What a command hands back.
pub struct Report {
    /// Name of the schema without prefix and version, for instance `import`.
    pub schema: &'static str,
    /// The day that the result speaks of.
    pub as_of: Date,
    /// What a person should know.
    pub warnings: Vec<Warning>,
    /// For `--json`.
    pub data: Data,
    /// For people.
    pub page: Page,
    /// A document in place of the page: a file of another format.
    pub document: Option<Vec<u8>>,
    /// For `--csv`; `None` where the result is no table.
    pub table: Option<Table>,
    /// Parts of the input that could not be used.
    pub errors: Failure,
    /// What the program ends with.
    pub exit: Exit,
    /// The active mode; `None` until one is chosen.
    pub mode: Option<Mode>,
}

impl Report {
    /// A result without warnings, table and errors.
    #[must_use]
    pub fn new(schema: &'static str, as_of: Date, data: Value, page: Page) -> Self {
        Self {
            schema,
            as_of,
            warnings: Vec::new(),
            data: Data::Value(data),
            page,
            document: None,
            table: None,
            errors: Failure::default(),
            exit: Exit::Done,
            mode: None,
        }
    }

    /// With the table that `--csv` prints.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.table = Some(table);
        self
    }

    /// With warnings.
    #[must_use]
    pub fn warnings(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings;
        self
    }
}

/// Prints a result: data to `out`, talk to stderr. Returns the exit code.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_report(report: Report, style: &Style, out: &mut dyn Write) -> io::Result<Exit> {
    let errors = report.errors.grouped();
    let exit = if errors.0.is_empty() { report.exit } else { errors.exit() };
    match style.form {
        Form::Json => {
            let mut head = Map::new();
            head.insert("schema".to_owned(), json!(format!("lotwise.{}/1", report.schema)));
            head.insert("as_of".to_owned(), json!(report.as_of.to_string()));
            if let Some(mode) = report.mode {
                head.insert("mode".to_owned(), json!(mode.name()));
            }
            head.insert("warnings".to_owned(), warnings_json(&report.warnings));
            head.extend(errors.to_json(style.figures));
            // The head is an object and never empty, so `data` can follow its last member.
            let head = Value::Object(head).to_string();
            out.write_all(&head.as_bytes()[..head.len() - 1])?;
            out.write_all(b",\"data\":")?;
            match report.data {
                Data::Value(value) => serde_json::to_writer(&mut *out, &value)?,
                Data::Stream(write) => write(out)?,
            }
            out.write_all(b"}\n")?;
        }
        Form::Csv => {
            let Some(table) = report.table else {
                let error = CliError::new("no-table", Exit::Usage, "the result of this command is not one table")
                    .help("leave out --csv, or use --json");
                return write_failure(error.into(), style, out);
            };
            out.write_all(table.to_csv().as_bytes())?;
        }
        Form::Text => match &report.document {
            Some(document) => out.write_all(document)?,
            None => {
                let mut page = report.page;
                if let Some(mode) = report.mode {
                    page.gap();
                    page.toned(format!("Mode: {}.", mode.title()), Tone::Quiet);
                }
                out.write_all(page.to_text(style.width, style.colour).as_bytes())?;
            }
        },
    }
    // What is buffered stands before the talk about it.
    out.flush()?;
    if style.form != Form::Json {
        say_warnings(&report.warnings, style);
        if !errors.0.is_empty() {
            eprint!("{}", errors.to_text(style.figures, style.error_colour));
        }
    }
    Ok(exit)
}

/// Says each kind of warning, the first of many alike in full and the number of the others.
fn say_warnings(warnings: &[Warning], style: &Style) {
    const SHOWN_OF_A_KIND: usize = 2;
    let word = paint("warning:", Tone::Caution, style.error_colour);
    let mut told: Vec<&str> = Vec::new();
    for warning in warnings {
        if told.contains(&warning.code) {
            continue;
        }
        told.push(warning.code);
        let alike: Vec<&Warning> = warnings.iter().filter(|other| other.code == warning.code).collect();
        let shown = if alike.len() <= SHOWN_OF_A_KIND + 1 { alike.len() } else { SHOWN_OF_A_KIND };
        for one in &alike[..shown] {
            let place = one.place.to_string();
            let place = if place.is_empty() { place } else { format!(" ({place})") };
            style.say(&format!("{word} {}{place}", one.message));
        }
        if alike.len() > shown {
            style.say(&format!(
                "{word} {} more like this ({}); --json has them all",
                alike.len() - shown,
                warning.code
            ));
        }
    }
}

/// Prints what went wrong: JSON to `out`, text to stderr. Returns the exit code.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_failure(failure: Failure, style: &Style, out: &mut dyn Write) -> io::Result<Exit> {
    let failure = failure.grouped();
    if style.form == Form::Json {
        serde_json::to_writer(&mut *out, &Value::Object(failure.to_json(style.figures)))?;
        out.write_all(b"\n")?;
    } else {
        eprint!("{}", failure.to_text(style.figures, style.error_colour));
    }
    Ok(failure.exit())
}

fn warnings_json(warnings: &[Warning]) -> Value {
    warnings
        .iter()
        .map(|warning| json!({"code": warning.code, "message": warning.message, "where": place_json(&warning.place)}))
        .collect()
}
