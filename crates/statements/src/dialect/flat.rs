//! Files of one table or several: lines above the header, the header, rows, and what stands below them.

use std::borrow::Cow;

use super::header::Header;
use super::row::{Context, Fault, Outcome, Row, interpret, interpret_as, normal};
use super::sections::{Part, hold};
use super::{Ask, Class, Dialect, Footer, Kind, Role};
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
    match find_header(&[dialect], sniff.head) {
        // Columns that would make the file wrong may make it right for another dialect.
        Ok(found) if dialect.only_known_columns && !found.header.unknown.is_empty() => Confidence::Plausible,
        Ok(_) => Confidence::Sure,
        Err(_) => Confidence::No,
    }
}

/// Sure when the header of one of the tables is there.
pub(crate) fn recognise_parts(parts: &[Part], sniff: &Sniff<'_>) -> Confidence {
    match find_header(&dialects(parts), sniff.head) {
        Ok(_) => Confidence::Sure,
        Err(_) => Confidence::No,
    }
}

/// Reads a file that is one table.
///
/// # Errors
/// When the header is not there, a cell is never closed, or a limit is reached.
pub(crate) fn read(dialect: &'static Dialect, text: &Text<'_>, options: &ReadOptions<'_>) -> Result<Statement, Error> {
    read_parts(dialect.id, &[Part::Events(dialect)], text, options)
}

fn dialects(parts: &[Part]) -> Vec<&'static Dialect> {
    let of = |part: &Part| match *part {
        Part::Events(dialect) | Part::Holdings(dialect) => Some(dialect),
        Part::Facts | Part::Summary => None,
    };
    parts.iter().filter_map(of).collect()
}

/// A record and those that belong to it.
type Held<'a> = (u32, Vec<Cow<'a, str>>, Vec<(u32, Vec<Cow<'a, str>>)>);

/// Reads a file of one or several tables, each below its own header.
///
/// # Errors
/// When no header is there, a cell is never closed, or a limit is reached.
pub(crate) fn read_parts(
    format: &'static str,
    parts: &[Part],
    text: &Text<'_>,
    options: &ReadOptions<'_>,
) -> Result<Statement, Error> {
    let content = text.as_str();
    let tables = dialects(parts);
    let Found { header, line: first_line, delimiter, place } =
        find_header(&tables, content).map_err(|near| match near {
            NearHeader::Missing { line, columns } => {
                let column = columns.first().map_or_else(String::new, |name| (*name).to_owned());
                Error::MissingColumn { line, column }
            }
            NearHeader::Broken(error) => error,
        })?;
    options.check_columns(header.names.len())?;
    refuse_unknown_columns(tables[place], &header, first_line)?;
    let mut context = Context { decimal_comma_possible: delimiter == b';', ..Context::default() };
    let mut gathering = Gathering::with(format, options);
    let mut records = Records::new(content, delimiter);
    let mut current = (place, header);
    let mut above = Above::default();
    let mut held: Option<Held<'_>> = None;
    let mut count = 0;
    while records.advance()? {
        if records.line < first_line {
            above.note(&tables, &records.cells, &mut context);
            continue;
        }
        if records.line == first_line || records.is_blank() {
            continue;
        }
        let dialect = tables[current.0];
        if let Some((place, header)) = other_header(&tables, &current.1, &records.cells) {
            settle(&mut held, parts, &current, &context, &mut gathering)?;
            options.check_columns(header.names.len())?;
            refuse_unknown_columns(tables[place], &header, records.line)?;
            current = (place, header);
            continue;
        }
        match footer(dialect, &current.1, &records.cells) {
            Below::Row => {}
            Below::Footer => continue,
            Below::End => break,
        }
        if repeats_header(&current.1, &records.cells) {
            continue;
        }
        if let Some(text) = alone(&records.cells)
            && let Some(heading) = dialect.heading
        {
            settle(&mut held, parts, &current, &context, &mut gathering)?;
            if heading(text, &mut context) {
                continue;
            }
        }
        options.check_columns(records.cells.len())?;
        count += 1;
        options.check(count)?;
        if !dialect.continues {
            take(
                &parts[part_of(parts, current.0)],
                &current,
                &records.cells,
                records.line,
                &[],
                &context,
                &mut gathering,
            )?;
            continue;
        }
        let cells = std::mem::take(&mut records.cells);
        if !belongs_above(&current.1, &cells) {
            settle(&mut held, parts, &current, &context, &mut gathering)?;
            held = Some((records.line, cells, Vec::new()));
        } else if let Some((_, _, below)) = &mut held {
            gathering.ignore(records.line, "details", "they belong to the row above and are read with it")?;
            below.push((records.line, cells));
        } else {
            let fault = Fault::of_row("no row stands above that these details belong to");
            gathering.quarantine(fault.into_note(records.line))?;
        }
    }
    settle(&mut held, parts, &current, &context, &mut gathering)?;
    Ok(gathering.finish())
}

/// The part whose table has this place among the tables.
fn part_of(parts: &[Part], table: usize) -> usize {
    let tables = parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Events(_) | Part::Holdings(_)));
    tables.map(|(place, _)| place).nth(table).unwrap_or(0)
}

/// Whether a record has neither date nor action, so that it goes on with the record above.
fn belongs_above(header: &Header, cells: &[Cow<'_, str>]) -> bool {
    let empty = |role: Role| header.place(role).and_then(|place| cells.get(place)).is_none_or(|cell| cell.is_empty());
    empty(Role::Date) && empty(Role::Action)
}

/// Reads the record that waited for what belongs to it.
fn settle(
    held: &mut Option<Held<'_>>,
    parts: &[Part],
    current: &(usize, Header),
    context: &Context,
    gathering: &mut Gathering,
) -> Result<(), Error> {
    let Some((line, mut cells, below)) = held.take() else { return Ok(()) };
    // Both records are as wide as what they fill; the first below fills the cells that the row leaves empty.
    cells.resize(cells.len().max(current.1.width()), Cow::Borrowed(""));
    if let Some((_, first)) = below.first() {
        cells.resize(cells.len().max(first.len()), Cow::Borrowed(""));
        for (cell, more) in cells.iter_mut().zip(first) {
            if cell.is_empty() {
                cell.clone_from(more);
            }
        }
    }
    take(&parts[part_of(parts, current.0)], current, &cells, line, &below, context, gathering)
}

/// Reads one record as the part of the file that it stands in.
fn take(
    part: &Part,
    current: &(usize, Header),
    cells: &[Cow<'_, str>],
    line: u32,
    below: &[(u32, Vec<Cow<'_, str>>)],
    context: &Context,
    gathering: &mut Gathering,
) -> Result<(), Error> {
    match part {
        Part::Events(dialect) => {
            let row = Row { dialect, header: &current.1, cells, line, context, below };
            if let Some(label) = row.account_label() {
                gathering.label(row.account(), label);
            }
            book(&row, interpret(&row), gathering)
        }
        Part::Holdings(dialect) => hold(&Row { dialect, header: &current.1, cells, line, context, below }, gathering),
        Part::Facts | Part::Summary => Ok(()),
    }
}

/// The table whose header this record is, where it is one that says something new.
fn other_header(tables: &[&'static Dialect], current: &Header, cells: &[Cow<'_, str>]) -> Option<(usize, Header)> {
    // Names of a header hold no digits at their beginning, and every row holds a date or an amount that does; this
    // spares nearly every row the search.
    let begins = |first: char| first.is_ascii_digit() || matches!(first, '$' | '-' | '+' | '(');
    if cells.iter().any(|cell| cell.starts_with(begins)) || repeats_header(current, cells) {
        return None;
    }
    tables.iter().enumerate().find_map(|(place, dialect)| Some((place, Header::find(dialect, cells).ok()?)))
}

/// The text of a record with one filled cell, the first.
fn alone<'c>(cells: &'c [Cow<'_, str>]) -> Option<&'c str> {
    let (first, rest) = cells.split_first()?;
    (!first.is_empty() && rest.iter().all(|cell| cell.is_empty())).then_some(first.as_ref())
}

/// What the lines above the first header say.
#[derive(Default)]
struct Above {
    /// Column in which the next line tells the currency.
    currency_at: Option<usize>,
}

impl Above {
    fn note(&mut self, tables: &[&'static Dialect], cells: &[Cow<'_, str>], context: &mut Context) {
        for dialect in tables {
            context.account = context.account.take().or_else(|| account_above(dialect, cells));
        }
        if let (Some(heading), Some(text)) = (tables.iter().find_map(|dialect| dialect.heading), alone(cells)) {
            heading(text, context);
        }
        // `Currency` names what stands beside or below it.
        let code = |place: usize| {
            let text = cells.get(place)?;
            (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| text.as_ref().to_owned())
        };
        if let Some(below) = self.currency_at.take() {
            context.currency = context.currency.take().or_else(|| code(below));
        }
        if let Some(place) = cells.iter().position(|cell| cell.eq_ignore_ascii_case("currency")) {
            context.currency = context.currency.take().or_else(|| code(place + 1));
            self.currency_at = Some(place);
        }
    }
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
        Ok(Outcome::Taken(transaction, ask)) => {
            if let Some(Ask { key, text, proposed }) = ask {
                gathering.ask(key, text, proposed, row.line);
            }
            gathering.accept(*transaction)
        }
        Ok(Outcome::Lot { symbol, lot, what }) => {
            let reason = match gathering.add_lot(symbol.as_ref(), *lot) {
                true => "a tax lot of the trade above it, kept with that trade",
                false => "a tax lot, but no sale of its security stands above it",
            };
            gathering.ignore(row.line, &what, reason)
        }
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
    match Header::find(dialect, names) {
        Ok(header) => {
            let row = Row { dialect, header: &header, cells, line, context: &Context::default(), below: &[] };
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
    match find_header(&[dialect], head) {
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
    /// Which of the tables it is.
    place: usize,
}

enum NearHeader {
    Missing { line: u32, columns: Vec<&'static str> },
    Broken(Error),
}

fn find_header(tables: &[&Dialect], content: &str) -> Result<Found, NearHeader> {
    let delimiter = delimiter(content);
    let mut records = Records::new(content, delimiter);
    let mut nearest: Option<(u32, Vec<&'static str>)> = None;
    for _ in 0..HEADER_WITHIN {
        if !records.advance().map_err(NearHeader::Broken)? {
            break;
        }
        for (place, dialect) in tables.iter().enumerate() {
            match Header::find(dialect, &records.cells) {
                Ok(header) => return Ok(Found { header, line: records.line, delimiter, place }),
                Err(missing) => {
                    if nearest.as_ref().is_none_or(|(_, fewest)| missing.len() < fewest.len()) {
                        nearest = Some((records.line, missing));
                    }
                }
            }
        }
    }
    let (line, columns) = nearest.unwrap_or_default();
    Err(NearHeader::Missing { line, columns })
}

fn account_above(dialect: &Dialect, cells: &[Cow<'_, str>]) -> Option<String> {
    let (before, after) = dialect.account_between?;
    cells.iter().enumerate().find_map(|(place, cell)| {
        let cell = cell.split_whitespace().collect::<Vec<_>>().join(" ");
        // ASCII case folding keeps byte positions, so the name can be cut from the original.
        let lower = cell.to_ascii_lowercase();
        let start = lower.find(before)? + before.len();
        let rest = cell.get(start..)?;
        let end = if after.is_empty() { rest.len() } else { lower.get(start..)?.find(after).unwrap_or(rest.len()) };
        let name = rest.get(..end)?.trim();
        // The name may stand in the cell behind.
        let name = if name.is_empty() { cells.get(place + 1).map_or("", |next| next.trim()) } else { name };
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
            Footer::Undated(words) => {
                let date = header.place(Role::Date).and_then(|place| cells.get(place));
                // The words themselves may stand in the column of dates.
                (begins(words) && date.is_none_or(|date| date.is_empty() || date.as_ref() == first), false)
            }
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
