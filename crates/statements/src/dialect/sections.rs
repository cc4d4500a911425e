//! Files made of sections, each record beginning with the section's name and the record's kind
//! (`Trades,Header,…`, `Trades,Data,…`, `Trades,Total,…`).

use std::borrow::Cow;

use super::Dialect;
use super::Role;
use super::flat::book;
use super::header::Header;
use super::row::{Context, Fault, Row, interpret};
use crate::cell::{self, DateStyle};
use crate::gather::{Gathering, clip};
use crate::read::ReadOptions;
use crate::records::Records;
use crate::text::Text;
use crate::{Error, Position, Statement};

/// What one section holds.
pub(crate) enum Part {
    /// Events.
    Events(&'static Dialect),
    /// Holdings.
    Holdings(&'static Dialect),
    /// Names and values that concern the whole file.
    Facts,
    /// Summaries of what other sections say; no rows of ours.
    Summary,
}

/// A section's name and what it holds.
pub(crate) type Section = (&'static str, Part);

/// Reads the whole file.
///
/// # Errors
/// When a cell is never closed or a limit is reached.
pub(crate) fn read(
    format: &'static str,
    sections: &'static [Section],
    text: &Text<'_>,
    options: &ReadOptions<'_>,
) -> Result<Statement, Error> {
    let mut gathering = Gathering::with(format, options);
    let mut records = Records::new(text.as_str(), b',');
    let mut context = Context::default();
    let mut header: Option<(String, Result<Header, &'static str>)> = None;
    let mut count = 0;
    while records.advance()? {
        if records.is_blank() {
            continue;
        }
        options.check_columns(records.cells.len())?;
        count += 1;
        options.check(count)?;
        let line = records.line;
        let (name, kind) = (cell_at(&records.cells, 0), cell_at(&records.cells, 1));
        let part = sections.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, part)| part);
        let rest = records.cells.get(2..).unwrap_or_default();
        let is_data = kind.eq_ignore_ascii_case("data");
        let is_header = kind.eq_ignore_ascii_case("header");
        if !is_data && !is_header {
            let known = ["subtotal", "total", "notes", "metainfo"].iter().any(|known| kind.eq_ignore_ascii_case(known));
            if !known {
                let fault = Fault::of_row("not a record of a section (expected Header, Data, SubTotal or Total)");
                gathering.quarantine(fault.into_note(line))?;
            }
            continue;
        }
        let Some(part) = part else {
            if is_data {
                let name = clip(name, 60);
                let text = format!("What does the section {name:?} hold? Its rows were not imported.");
                gathering.ask(&format!("unknown-section:{name}"), &text, "leave them out", line);
                gathering.quarantine(Fault::of_row(format!("unknown section {name:?}")).into_note(line))?;
            }
            continue;
        };
        let dialect = match part {
            Part::Summary => continue,
            Part::Facts => {
                if is_data {
                    note_fact(rest, &mut context);
                }
                continue;
            }
            Part::Events(dialect) | Part::Holdings(dialect) => dialect,
        };
        if is_header {
            context.orders_seen = false;
            let found = Header::find(dialect, rest).map_err(|missing| missing.first().copied().unwrap_or(""));
            header = Some((name.to_owned(), found));
            continue;
        }
        // Some sections mark their sums as data.
        if rest.iter().take(3).any(|cell| is_total(cell)) {
            continue;
        }
        let found = match &header {
            Some((of, Ok(found))) if of.eq_ignore_ascii_case(name) => found,
            Some((of, Err(column))) if of.eq_ignore_ascii_case(name) => {
                let fault = Fault::of_row(format!("the column {column:?} is missing in the section's header"));
                gathering.quarantine(fault.into_note(line))?;
                continue;
            }
            _ => {
                gathering.quarantine(Fault::of_row("no header of this section stands above").into_note(line))?;
                continue;
            }
        };
        let row = Row { dialect, header: found, cells: rest, line, context: &context, below: &[] };
        if matches!(part, Part::Holdings(_)) {
            hold(&row, &mut gathering)?;
            continue;
        }
        let is_order = row.text(Role::Kind).eq_ignore_ascii_case("order");
        book(&row, interpret(&row), &mut gathering)?;
        context.orders_seen |= is_order;
    }
    Ok(gathering.finish())
}

/// Whether a record of this section and kind stands among the first lines.
pub(crate) fn has_record(head: &str, section: &str, kind: &str) -> bool {
    head.lines().take(400).any(|line| {
        let mut cells = line.split(',').map(|cell| cell.trim().trim_matches('"').trim());
        let mut next_is = |wanted: &str| cells.next().is_some_and(|cell| cell.eq_ignore_ascii_case(wanted));
        next_is(section) && next_is(kind)
    })
}

fn cell_at<'c>(cells: &'c [Cow<'_, str>], place: usize) -> &'c str {
    cells.get(place).map_or("", |cell| cell.as_ref())
}

fn is_total(cell: &str) -> bool {
    let starts = |words: &str| cell.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
    cell.eq_ignore_ascii_case("total")
        || starts("total in ")
        || cell.eq_ignore_ascii_case("subtotal")
        || starts("total ")
}

fn note_fact(cells: &[Cow<'_, str>], context: &mut Context) {
    let (name, value) = (cell_at(cells, 0), cell_at(cells, 1));
    if value.is_empty() {
        return;
    }
    match name.to_ascii_lowercase().as_str() {
        "account" | "account number" => context.account = Some(clip(value, 60)),
        "base currency" if value.len() == 3 && value.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            context.currency = Some(value.to_ascii_uppercase());
        }
        "period" => {
            let last = value.rsplit(" - ").next().unwrap_or(value);
            context.as_of = cell::date(last.trim(), &[DateStyle::MonthName, DateStyle::Iso]);
        }
        _ => {}
    }
}

/// A holding that cannot be read is quarantined; one that can is no row (CLI.md counts events).
pub(crate) fn hold(row: &Row<'_>, gathering: &mut Gathering) -> Result<(), Error> {
    // Lots repeat the summary above them.
    if row.text(Role::Kind).eq_ignore_ascii_case("lot") {
        return Ok(());
    }
    let position = || {
        let (symbol, cusip) = row.security()?;
        let shares = row.shares()?.unwrap_or(lotwise_core::Shares::ZERO);
        let price = row.price()?;
        Ok(Position { account: row.account(), symbol, cusip, shares, price, as_of: row.context.as_of, row: row.line })
    };
    match position() {
        Ok(position) => {
            gathering.hold(position);
            Ok(())
        }
        Err(fault) => {
            let fault: Fault = fault;
            gathering.quarantine(fault.into_note(row.line))
        }
    }
}
