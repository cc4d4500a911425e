//! Files that are one table: lines above the header, the header, rows, and what stands below them.

use std::borrow::Cow;

use super::header::Header;
use super::row::{Context, Fault, Outcome, Row, interpret, interpret_as, normal};
use super::{Class, Dialect, Footer, Kind};
use crate::formats::{Confidence, Sniff};
use crate::gather::{Gathering, LEFT_OUT, Meaning, clip};
use crate::read::ReadOptions;
use crate::records::{Records, delimiter};
use crate::text::Text;
use crate::{Error, Statement};

/// Records in which a header is looked for.
const HEADER_WITHIN: usize = 100;

/// Sure when the header is there.
pub(crate) fn recognise(dialect: &Dialect, sniff: &Sniff<'_>) -> Confidence {
    match find_header(dialect, sniff.head) {
        Ok(_) => Confidence::Sure,
        Err(_) => Confidence::No,
    }
}

/// Reads the whole file.
///
/// # Errors
/// When the header is not there, a cell is never closed, or a limit is reached.
pub(crate) fn read(dialect: &Dialect, text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    let content = text.as_str();
    let Found { header, line, delimiter, account, .. } = find_header(dialect, content).map_err(|near| match near {
        NearHeader::Missing { line, columns } => {
            Error::MissingColumn { line, column: columns.first().map_or_else(String::new, |name| (*name).to_owned()) }
        }
        NearHeader::Broken(error) => error,
    })?;
    options.check_columns(header.names.len())?;
    refuse_unknown_columns(dialect, &header, line)?;
    let context = Context { account, decimal_comma_possible: delimiter == b';', ..Context::default() };
    let mut gathering = Gathering::with(dialect.id, options);
    let mut records = Records::new(content, delimiter);
    let mut count = 0;
    while records.advance()? {
        if records.line <= line || records.is_blank() {
            continue;
        }
        match footer(dialect, &header, &records.cells) {
            Below::Row => {}
            Below::Footer => continue,
            Below::End => break,
        }
        if repeats_header(&header, &records.cells) {
            continue;
        }
        options.check_columns(records.cells.len())?;
        count += 1;
        options.check(count)?;
        let row = Row { dialect, header: &header, cells: &records.cells, line: records.line, context: &context };
        if let Some(label) = row.account_label() {
            gathering.label(row.account(), label);
        }
        book(&row, interpret(&row), &mut gathering)?;
    }
    Ok(gathering.finish())
}

/// Puts what one row became where it belongs; an unknown action means what a person answered, or is asked about.
pub(crate) fn book(row: &Row<'_>, outcome: Result<Outcome, Fault>, gathering: &mut Gathering) -> Result<(), Error> {
    let outcome = match outcome {
        Err(mut fault) if fault.unknown_action.is_some() => {
            let words = fault.unknown_action.take().unwrap_or_default();
            match gathering.meaning("action", &words, row.line) {
                Ok(Meaning::Do(action)) => interpret_as(row, Class { kind: Kind::of(action), detail: None }),
                Ok(Meaning::LeaveOut) => return gathering.ignore(row.line, &words, LEFT_OUT),
                Err(_) => Err(fault),
            }
        }
        outcome => outcome,
    };
    match outcome {
        Ok(Outcome::Taken(transaction)) => gathering.accept(*transaction),
        Ok(Outcome::Ignored { what, reason }) => gathering.ignore(row.line, &what, reason),
        Err(fault) => gathering.quarantine(fault.into_note(row.line)),
    }
}

/// Puts a record where it belongs that is no line of a table: each cell has the name of its column.
pub(crate) fn book_named(
    dialect: &Dialect,
    names: &[Cow<'_, str>],
    cells: &[Cow<'_, str>],
    line: u32,
    gathering: &mut Gathering,
) -> Result<(), Error> {
    match Header::find(dialect.columns, names) {
        Ok(header) => {
            let row = Row { dialect, header: &header, cells, line, context: &Context::default() };
            book(&row, interpret(&row), gathering)
        }
        Err(missing) => {
            let reason = format!("the field {:?} is missing", missing.first().copied().unwrap_or_default());
            gathering.quarantine(Fault::of_row(reason).into_note(line))
        }
    }
}

/// The required columns that keep a text from being this dialect, with the line that comes closest and how many
/// required columns it has.
pub(crate) fn first_missing_column(dialect: &Dialect, head: &str) -> Option<(u32, &'static str, usize)> {
    match find_header(dialect, head) {
        Err(NearHeader::Missing { line, columns }) => {
            let required = dialect.columns.iter().filter(|column| column.required).count();
            columns.first().map(|first| (line, *first, required - columns.len()))
        }
        _ => None,
    }
}

struct Found {
    header: Header,
    line: u32,
    delimiter: u8,
    account: Option<String>,
}

enum NearHeader {
    Missing { line: u32, columns: Vec<&'static str> },
    Broken(Error),
}

fn find_header(dialect: &Dialect, content: &str) -> Result<Found, NearHeader> {
    let delimiter = delimiter(content);
    let mut records = Records::new(content, delimiter);
    let mut account = None;
    let mut nearest: Option<(u32, Vec<&'static str>)> = None;
    for _ in 0..HEADER_WITHIN {
        if !records.advance().map_err(NearHeader::Broken)? {
            break;
        }
        match Header::find(dialect.columns, &records.cells) {
            Ok(header) => return Ok(Found { header, line: records.line, delimiter, account }),
            Err(missing) => {
                if nearest.as_ref().is_none_or(|(_, fewest)| missing.len() < fewest.len()) {
                    nearest = Some((records.line, missing));
                }
            }
        }
        account = account.or_else(|| account_above(dialect, &records.cells));
    }
    let (line, columns) = nearest.unwrap_or_default();
    Err(NearHeader::Missing { line, columns })
}

fn account_above(dialect: &Dialect, cells: &[Cow<'_, str>]) -> Option<String> {
    let (before, after) = dialect.account_between?;
    cells.iter().find_map(|cell| {
        let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        // ASCII case folding keeps byte positions, so the name can be cut from the original.
        let lower = cell.to_ascii_lowercase();
        let start = lower.find(before)? + before.len();
        let rest = cell.get(start..)?;
        let end = if after.is_empty() { rest.len() } else { lower.get(start..)?.find(after).unwrap_or(rest.len()) };
        let name = rest.get(..end)?.trim();
        (!name.is_empty()).then(|| clip(name, 60))
    })
}

fn refuse_unknown_columns(dialect: &Dialect, header: &Header, line: u32) -> Result<(), Error> {
    let Some(&place) = header.unknown.first().filter(|_| dialect.only_known_columns) else { return Ok(()) };
    let known: Vec<&str> = dialect.columns.iter().filter_map(|column| column.names.first().copied()).collect();
    Err(Error::Malformed {
        line,
        column: u32::try_from(place + 1).unwrap_or(u32::MAX),
        reason: format!("the column {:?} is not known; use {}", clip(&header.names[place], 40), known.join(", ")),
    })
}

enum Below {
    Row,
    Footer,
    End,
}

fn footer(dialect: &Dialect, header: &Header, cells: &[Cow<'_, str>]) -> Below {
    let first = cells.first().map_or("", |cell| cell.as_ref());
    let alone = cells.iter().skip(1).all(|cell| cell.is_empty());
    let begins = |words: &str| first.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
    for rule in dialect.footers {
        let (applies, ends) = match rule {
            Footer::Starts(words) => (begins(words), false),
            Footer::ToEnd(words) => (begins(words), true),
            Footer::BehindTheTable => {
                (cells.len() > header.width() && cells[..header.width()].iter().all(|cell| cell.is_empty()), false)
            }
            Footer::LongText(least) => (alone && first.len() >= *least, false),
        };
        if applies {
            return if ends { Below::End } else { Below::Footer };
        }
    }
    Below::Row
}

fn repeats_header(header: &Header, cells: &[Cow<'_, str>]) -> bool {
    cells.len() == header.names.len()
        && cells.iter().zip(&header.names).all(|(cell, name)| normal(cell) == normal(name))
}
