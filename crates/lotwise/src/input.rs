//! Brokers' exports from disk: sizes are looked at before anything is read, and every file that
//! cannot be used is named in one pass.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use lotwise_core::Clock;
use lotwise_statements::{Answers, ColumnMap, Error, Limits, ReadOptions, RowNote, Statement};
use serde::de::DeserializeOwned;

use crate::answers::{read_answers, read_map};
use crate::args::ReadingArgs;
use crate::context::Context;
use crate::errors::{CliError, Excerpt, Exit, Failure, Place, did_you_mean};
use crate::store::{DataFolder, Ledger, Mode};

/// A larger file holds no configuration.
const LARGEST_CONFIG: u64 = 1 << 20;

/// A file that was read.
pub struct History {
    /// The file, as the person named it.
    pub file: String,
    /// Its text, for excerpts; empty where it is not at hand.
    pub text: String,
    /// Digest of its bytes.
    pub sha256: String,
    /// What it holds.
    pub statement: Statement,
}

/// How to read the files.
#[derive(Debug, Clone, Default)]
pub struct HistoryOptions {
    /// Format to use instead of recognising it.
    pub format: Option<String>,
    /// Account to keep, or a name for the only one.
    pub account: Option<String>,
    /// What the person answered beforehand.
    pub answers: Answers,
    /// The person's description of the tables.
    pub map: Option<ColumnMap>,
}

impl HistoryOptions {
    /// With the answers and the column map that the person named.
    ///
    /// # Errors
    /// When one of their files cannot be read.
    pub fn with(self, reading: &ReadingArgs) -> Result<Self, Failure> {
        let answers = reading.answers.as_deref().map(read_answers).transpose();
        let map = reading.map.as_deref().map(read_map).transpose();
        match (answers, map) {
            (Ok(answers), Ok(map)) => Ok(Self { answers: answers.unwrap_or_default(), map, ..self }),
            (Err(mut first), Err(second)) => {
                first.0.extend(second.0);
                Err(first)
            }
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        }
    }
}

/// Reads every file. What could be read stands beside what could not.
pub fn read_histories(paths: &[PathBuf], options: &HistoryOptions, context: &Context) -> (Vec<History>, Failure) {
    let mut histories = Vec::new();
    let mut errors = Vec::new();
    for path in paths {
        match read_history(path, options, context) {
            Ok(history) => histories.push(history),
            Err(error) => errors.push(error),
        }
    }
    (histories, Failure(errors))
}

/// Reads every file, or says what is wrong with each that cannot be read.
///
/// # Errors
/// When any file cannot be read as a whole.
pub fn require_histories(
    paths: &[PathBuf],
    options: &HistoryOptions,
    context: &Context,
) -> Result<Vec<History>, Failure> {
    let (mut histories, failure) = read_histories(paths, options, context);
    pair_awards(&mut histories);
    if failure.0.is_empty() { Ok(histories) } else { Err(failure) }
}

/// Shares that vest stand in the list of awards and in the account where they arrive; together they are one event.
fn pair_awards(histories: &mut [History]) {
    let mut statements: Vec<&mut Statement> = histories.iter_mut().map(|history| &mut history.statement).collect();
    lotwise_statements::pair_awards(&mut statements);
}

/// What was imported, or `None` where there is no ledger, it is empty, or the mode keeps nothing.
///
/// # Errors
/// When the ledger cannot be read, or has no account of this name.
pub fn stored_histories(account: Option<&str>, context: &Context) -> Result<Option<Vec<History>>, Failure> {
    if context.settings.mode == Some(Mode::ProfileOnly) {
        return Ok(None);
    }
    let Ok(folder) = DataFolder::of(&context.settings) else { return Ok(None) };
    let Some(ledger) = Ledger::open(&folder)? else { return Ok(None) };
    let stored = ledger.statements()?;
    if stored.is_empty() {
        return Ok(None);
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for one in &stored {
        *times.entry(one.file.clone()).or_default() += 1;
    }
    let mut histories: Vec<History> = stored
        .into_iter()
        .map(|one| {
            // Two imports of one name are told apart where rows are cited.
            let twice = times.get(&one.file).is_some_and(|&count| count > 1);
            let file = if twice { format!("{} (import {})", one.file, one.batch) } else { one.file };
            History { file, text: String::new(), sha256: String::new(), statement: one.statement }
        })
        .collect();
    if let Some(wanted) = account {
        let mut names: Vec<&str> = histories.iter().flat_map(|history| account_names(&history.statement)).collect();
        names.sort_unstable();
        names.dedup();
        if !names.contains(&wanted) {
            let known: Vec<String> = names.iter().map(|name| context.figures().account(name)).collect();
            let help = did_you_mean(wanted, known.iter().map(String::as_str), 8);
            let message = format!("the ledger has {} accounts, and none is called {wanted:?}", known.len());
            return Err(CliError::new("unknown-account", Exit::Usage, message).help(help).into());
        }
        for history in &mut histories {
            keep_account(&mut history.statement, wanted);
        }
    }
    pair_awards(&mut histories);
    Ok(Some(histories))
}

/// What was imported.
///
/// # Errors
/// When nothing was, and as [`stored_histories`].
pub fn require_stored(account: Option<&str>, context: &Context) -> Result<Vec<History>, Failure> {
    stored_histories(account, context)?.ok_or_else(|| {
        CliError::new(
            "no-history",
            Exit::DataMissing,
            "there is no history to look at: no file was named, and the ledger has none",
        )
        .help("name files with --history, or keep them first with lotwise import FILE --mode ledger")
        .into()
    })
}

fn read_history(path: &Path, options: &HistoryOptions, context: &Context) -> Result<History, CliError> {
    let file = path.display().to_string();
    let limits = Limits::default();
    let bytes = read_bytes(path, limits.bytes as u64)?;
    let start = context.clock.now();
    let elapsed = || u64::try_from(context.clock.now().millis_since(start)).unwrap_or(0);
    let mut read = ReadOptions {
        format: options.format.clone(),
        account: None,
        limits,
        elapsed: Some(&elapsed),
        today: Some(context.today()),
        answers: options.answers.clone(),
        map: options.map.clone(),
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
    let fail = |error: Error| unreadable(&file, &text, &error);
    let mut statement = lotwise_statements::read(&bytes, &read).map_err(fail)?;
    if let Some(wanted) = &options.account {
        let names = account_names(&statement);
        if names.contains(&wanted.as_str()) {
            keep_account(&mut statement, wanted);
        } else if names.len() < 2 {
            // One account, or none named: the person names it. Ids depend on the name.
            read.account = Some(wanted.clone());
            statement = lotwise_statements::read(&bytes, &read).map_err(fail)?;
        } else {
            let figures = context.figures();
            let known: Vec<String> = names.iter().map(|name| figures.account(name)).collect();
            let help = did_you_mean(wanted, known.iter().map(String::as_str), 8);
            let message = format!("the file has {} accounts, and none is called {wanted:?}", names.len());
            return Err(CliError::new("unknown-account", Exit::Usage, message).at(Place::file(&file)).help(help));
        }
    }
    Ok(History { file, text, sha256: crate::store::digest(&bytes), statement })
}

/// The content of a file of at most `limit` bytes. The size is asked before a byte is read, so that
/// a file of any size costs nothing.
///
/// # Errors
/// When there is no such file, it is a folder, it may not be read, or it is larger.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, CliError> {
    let name = path.display().to_string();
    let fail = |code, message: String| CliError::new(code, Exit::Input, message).at(Place::file(&name));
    let system = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            fail("no-such-file", "there is no such file".to_owned()).help("check the name and the folder")
        }
        ErrorKind::PermissionDenied => {
            fail("no-permission", "the file may not be read".to_owned()).help("check who owns it: ls -l shows that")
        }
        _ => fail("unreadable", format!("the file cannot be read: {error}")),
    };
    let too_large = |size: String| {
        fail("too-large", format!("the file has {size}, more than the {} MB that are read", limit / (1024 * 1024)))
            .help("export a shorter period; a year of trades has well under 1 MB")
    };
    let found = std::fs::metadata(path).map_err(|error| system(&error))?;
    if found.is_dir() {
        return Err(fail("is-a-folder", "this is a folder, not a file".to_owned()).help("name the files in it"));
    }
    if !found.is_file() {
        return Err(fail("not-a-file", "this is no ordinary file".to_owned()).help("save the export as a file first"));
    }
    if found.len() > limit {
        return Err(too_large(format!("{} MB", found.len() / (1024 * 1024))));
    }
    // One byte more than allowed shows a file that grew since its size was asked.
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    let file = File::open(path).map_err(|error| system(&error))?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| system(&error))?;
    if bytes.len() as u64 > limit {
        return Err(too_large("grown while it was read".to_owned()));
    }
    Ok(bytes)
}

/// Why a file as a whole is no statement.
fn unreadable(file: &str, text: &str, error: &Error) -> CliError {
    let at = |line: u32, column: Option<u32>| Place { line: Some(line), column, ..Place::file(file) };
    let formats = "lotwise import formats lists what is read";
    match error {
        Error::Empty => CliError::new("empty-file", Exit::Input, error.to_string())
            .at(Place::file(file))
            .help("export it again: the download may have failed"),
        Error::Unrecognised { .. } => {
            let help = format!("{formats}; for another table, lotwise import --propose-map {file} writes a column map");
            CliError::new("unknown-format", Exit::Input, error.to_string()).at(Place::file(file)).help(help)
        }
        Error::NotText { .. } => CliError::new("not-text", Exit::Input, error.to_string())
            .at(Place::file(file))
            .help("choose CSV, OFX or XML when you export from the broker"),
        Error::WrongKind { .. } => CliError::new("wrong-kind", Exit::Input, error.to_string()).at(Place::file(file)),
        Error::NotYet { .. } => CliError::new("not-read-yet", Exit::Input, error.to_string()).at(Place::file(file)),
        Error::SeveralAccounts { .. } => {
            CliError::new("several-accounts", Exit::Input, error.to_string()).at(Place::file(file))
        }
        Error::Malformed { line, column, reason } => CliError::new("malformed", Exit::Input, reason.clone())
            .at(at(*line, Some(*column)))
            .help("export it again; a file edited by hand may have lost a quote or an end")
            .excerpt(excerpt_at(text, *line, *column)),
        Error::OverLimit { .. } => CliError::new("over-limit", Exit::Input, error.to_string())
            .at(Place::file(file))
            .help("export a shorter period and name several files"),
        Error::MissingColumn { line, column } => {
            CliError::new("missing-column", Exit::Input, format!("the column {column:?} is missing"))
                .at(at(*line, None))
                .help("export it again with all columns")
                .excerpt(Excerpt::find(text, *line, None))
        }
        Error::UnknownFormat { name, .. } => {
            let known = lotwise_statements::formats();
            let ids = known.iter().map(|format| format.id);
            CliError::new("unknown-format-name", Exit::Usage, format!("{name:?} is not a format"))
                .help(format!("{}; {formats}", did_you_mean(name, ids, 4)))
        }
    }
}

/// The character at a line and column.
fn excerpt_at(text: &str, line: u32, column: u32) -> Option<Excerpt> {
    let whole = Excerpt::find(text, line, None)?;
    let start = (column.saturating_sub(1) as usize).min(whole.line.chars().count());
    Some(Excerpt { start, length: 1, ..whole })
}

/// Longest beginning of a line that is shown with a row; a file of one line would else be repeated with every row.
const LONGEST_LINE: usize = 4096;

/// Rows that could not be read, as errors with their lines.
pub fn row_errors(file: &str, text: &str, notes: &[RowNote]) -> Vec<CliError> {
    // Looked up once: a search for every row would walk the file as often as it has such rows.
    let lines: Vec<&str> = if notes.is_empty() { Vec::new() } else { text.lines().collect() };
    let one = |note: &RowNote| {
        let line = usize::try_from(note.row).ok().and_then(|row| lines.get(row.checked_sub(1)?));
        let excerpt = line.map(|line| {
            let end = (0..=line.len().min(LONGEST_LINE)).rev().find(|&end| line.is_char_boundary(end)).unwrap_or(0);
            Excerpt::of_line(&line[..end], note.value.as_deref())
        });
        let column = excerpt.as_ref().filter(|_| note.value.is_some()).map(|excerpt| excerpt.start as u32 + 1);
        CliError::new("unreadable-row", Exit::Input, note.reason.clone())
            .at(Place { line: Some(note.row), column, field: note.column.clone(), ..Place::file(file) })
            .help("correct the line, or leave it out and enter it by hand")
            .excerpt(excerpt)
    };
    notes.iter().map(one).collect()
}

/// Names of the accounts that a statement speaks of, sorted.
#[must_use]
pub fn account_names(statement: &Statement) -> Vec<&str> {
    let moved = statement.transactions.iter().map(|each| each.account.as_str());
    let mut names: Vec<&str> = moved.chain(statement.positions.iter().map(|each| each.account.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Keeps one account; what belongs to the others is ignored by name.
fn keep_account(statement: &mut Statement, wanted: &str) {
    let (kept, others): (Vec<_>, Vec<_>) =
        std::mem::take(&mut statement.transactions).into_iter().partition(|each| each.account == wanted);
    statement.transactions = kept;
    statement.positions.retain(|position| position.account == wanted);
    statement.ignored.extend(others.into_iter().map(|each| RowNote {
        row: each.row,
        column: None,
        value: None,
        reason: format!("it belongs to another account ({})", each.account),
    }));
    statement.ignored.sort_by_key(|note| note.row);
}

/// A file without its folders.
#[must_use]
pub fn short_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

/// Reads a configuration (TOML).
///
/// # Errors
/// When it cannot be read, is no TOML, or has a key or value that is not known; `docs` lists them.
pub fn read_config<T: DeserializeOwned>(path: &Path, docs: &str) -> Result<T, CliError> {
    let name = path.display().to_string();
    let text = String::from_utf8(read_bytes(path, LARGEST_CONFIG)?)
        .map_err(|_| CliError::new("bad-config", Exit::Usage, "the file is no text").at(Place::file(&name)))?;
    toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..start).unwrap_or("");
        let line = before.matches('\n').count() as u32 + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
        CliError::new("bad-config", Exit::Usage, error.message().trim().replace('\n', " "))
            .at(Place { line: Some(line), column: Some(column), ..Place::file(&name) })
            .excerpt(Excerpt::find(&text, line, None))
            .help(format!("{docs} lists every key"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreadable_rows_show_their_line_and_of_a_long_one_its_beginning() {
        let text = format!("date,amount\n2024-01-02,12x\n{}\n", "é".repeat(LONGEST_LINE));
        let note = |row: u32, value: Option<&str>| RowNote {
            row,
            column: None,
            value: value.map(ToOwned::to_owned),
            reason: "is not a number".to_owned(),
        };
        let errors = row_errors("a.csv", &text, &[note(2, Some("12x")), note(3, None), note(9, None)]);
        let excerpt = |at: usize| errors[at].excerpt.as_deref().map(|excerpt| (excerpt.line.len(), excerpt.start));
        assert_eq!((excerpt(0), excerpt(1), excerpt(2)), (Some((14, 11)), Some((LONGEST_LINE, 0)), None));
        assert_eq!(errors[0].place.as_ref().and_then(|place| place.column), Some(12));
    }
}
