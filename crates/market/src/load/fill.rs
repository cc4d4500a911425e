//! Second pass over price files: numbers into their places, then the check of every bar.

use std::collections::BTreeSet;
use std::path::Path;

use lotwise_core::{BarFault, Calendar, Date, RawBar, Symbol};
use rayon::prelude::*;

use super::axes::{Axes, Place};
use super::rows::{COLUMNS, PriceRows};
use super::{DataIssue, IssueKind, Issues};
use crate::table::NO_DAY;
use crate::{Error, Panel};

/// A row that goes nowhere: not selected, or already reported.
const NOWHERE: u32 = u32::MAX;
/// Marks a row whose cell is taken by an earlier row; it is only compared with it.
const REPEATED: u32 = 1 << 31;
/// Two bars of one day that differ by less than this part of their value are the same bar.
const SAME_WITHIN: f64 = 1e-6;

/// File and row.
type Rows = BTreeSet<(usize, usize)>;

/// Where each row of a table goes; marks the cells that are filled and reports rows that go nowhere.
fn place_rows(table: &PriceRows, file: usize, axes: &Axes, mask: &mut [bool], issues: &mut Issues) -> Vec<u32> {
    let mut cells = vec![NOWHERE; table.days.len()];
    let mut last_seen: Vec<i32> = vec![NO_DAY; axes.symbols.len()];
    axes.each_place(table, file, &mut |row, place| match place {
        Place::Unselected => {}
        Place::Bad(kind) => issues.add(kind, || row_issue(table, row, kind, axes, file)),
        Place::At(asset, day) => {
            let cell = axes.cell(asset, day);
            let taken = std::mem::replace(&mut mask[cell as usize], true);
            cells[row] = if taken { cell | REPEATED } else { cell };
            // One remark per symbol: after it the symbol counts as sorted to the end of time.
            if day < last_seen[asset] && last_seen[asset] != i32::MAX {
                issues.add(IssueKind::Unsorted, || row_issue(table, row, IssueKind::Unsorted, axes, file));
                last_seen[asset] = i32::MAX;
            } else if last_seen[asset] != i32::MAX {
                last_seen[asset] = day;
            }
        }
    });
    cells
}

fn row_issue(table: &PriceRows, row: usize, kind: IssueKind, axes: &Axes, file: usize) -> DataIssue {
    let mut end = 0;
    let name = table.runs.iter().find_map(|&(name, count)| {
        end += count as usize;
        (row < end).then_some(name)
    });
    let spelled = name.and_then(|name| table.names.get(name as usize));
    let symbol = name
        .and_then(|name| axes.assets[file].get(name as usize))
        .and_then(|asset| asset.ok().flatten())
        .and_then(|asset| axes.symbols.get(asset as usize).cloned())
        .or_else(|| spelled.and_then(|text| Symbol::parse(text).ok()));
    let date = Date::from_days(table.days[row]);
    let message = match kind {
        IssueKind::BadSymbol => match spelled {
            Some(text) => format!("{:?} is not a ticker symbol", text.chars().take(40).collect::<String>()),
            None => "the ticker is missing".into(),
        },
        IssueKind::BadDate => "the date is missing or outside 1900 to 2199".into(),
        IssueKind::NotASession => match date {
            Some(date) if !(Calendar::FIRST_YEAR..=Calendar::LAST_YEAR).contains(&date.year()) => {
                format!("the calendar covers {} to {}", Calendar::FIRST_YEAR, Calendar::LAST_YEAR)
            }
            _ => BarFault::NotASession.to_string(),
        },
        IssueKind::Duplicate => "the symbol has the same bar on this date already; the first is kept".into(),
        IssueKind::Conflict => "the symbol has another bar on this date already; the first is kept".into(),
        IssueKind::Unsorted => "from here on the dates of this symbol are not in order; its rows were sorted".into(),
        _ => kind.as_str().replace('_', " "),
    };
    DataIssue { file: table.path.clone(), row: Some(table.row_number(row)), symbol, date, kind, message }
}

/// Second pass: numbers into their cells, then the check of every bar.
pub(super) fn fill(tables: &[PriceRows], axes: Axes, path: &Path, issues: &mut Issues) -> Result<Panel, Error> {
    let n_sessions = axes.sessions.len();
    let n_cells = axes.symbols.len() * n_sessions;
    if n_cells >= REPEATED as usize {
        return Err(Error::TooLarge {
            file: path.to_owned(),
            what: format!("{} symbols times {n_sessions} sessions", axes.symbols.len()),
            limit: format!("{REPEATED} bars"),
        });
    }
    let mut mask = vec![false; n_cells];
    let cells: Vec<Vec<u32>> =
        tables.iter().zip(0..).map(|(table, file)| place_rows(table, file, &axes, &mut mask, issues)).collect();
    let filled: Vec<(Vec<f64>, Rows)> = (0..COLUMNS.len())
        .into_par_iter()
        .map(|column| fill_column(tables, &cells, column, n_cells))
        .collect::<Result<_, _>>()?;
    let mut conflicts = Rows::new();
    let mut columns = Vec::with_capacity(COLUMNS.len());
    for (column, differing) in filled {
        columns.push(column);
        conflicts.extend(differing);
    }
    let mut columns: [Vec<f64>; 6] = columns.try_into().expect("Invariant: there are six columns");
    for (file, rows) in cells.iter().enumerate() {
        for (row, _) in rows.iter().enumerate().filter(|&(_, &cell)| cell != NOWHERE && cell & REPEATED != 0) {
            let kind = if conflicts.contains(&(file, row)) { IssueKind::Conflict } else { IssueKind::Duplicate };
            issues.add(kind, || row_issue(&tables[file], row, kind, &axes, file));
        }
    }
    let faults = remove_faulty(&mut columns, &mut mask, n_sessions);
    report_faults(&faults, tables, &cells, &axes, issues);
    Ok(Panel::from_parts(axes.symbols, axes.sessions, columns, mask))
}

/// One numeric column of all tables, and the repeated rows whose value differs from the first.
fn fill_column(
    tables: &[PriceRows],
    cells: &[Vec<u32>],
    column: usize,
    n_cells: usize,
) -> Result<(Vec<f64>, Rows), Error> {
    let mut values = vec![f64::NAN; n_cells];
    let mut differing = Rows::new();
    for (file, (table, cells)) in tables.iter().zip(cells).enumerate() {
        let wanted = |rows: std::ops::Range<usize>| cells[rows].iter().any(|&cell| cell != NOWHERE);
        table.each_batch(column, &wanted, &mut |start, batch| {
            for (row, (&value, &cell)) in (start..).zip(batch.iter().zip(&cells[start..])) {
                if cell < REPEATED {
                    values[cell as usize] = value;
                } else if cell != NOWHERE {
                    let first = values[(cell & !REPEATED) as usize];
                    let close = (first - value).abs() <= SAME_WITHIN * first.abs();
                    if first != value && !close && !(first.is_nan() && value.is_nan()) {
                        differing.insert((file, row));
                    }
                }
            }
        })?;
    }
    Ok((values, differing))
}

/// Empties the cells of bars that break a promise; returns what was wrong, by rising cell.
fn remove_faulty(columns: &mut [Vec<f64>; 6], mask: &mut [bool], n_sessions: usize) -> Vec<(u32, BarFault, RawBar)> {
    let n_sessions = n_sessions.max(1);
    let [open, high, low, close, adj_close, volume] = columns;
    let found: Vec<Vec<(u32, BarFault, RawBar)>> = (
        open.par_chunks_mut(n_sessions),
        high.par_chunks_mut(n_sessions),
        low.par_chunks_mut(n_sessions),
        close.par_chunks_mut(n_sessions),
        adj_close.par_chunks_mut(n_sessions),
        volume.par_chunks_mut(n_sessions),
        mask.par_chunks_mut(n_sessions),
    )
        .into_par_iter()
        .enumerate()
        .map(|(asset, (open, high, low, close, adj_close, volume, mask))| {
            let mut faults = Vec::new();
            for at in 0..mask.len() {
                if !mask[at] {
                    continue;
                }
                let bar = RawBar {
                    date: Date::MIN,
                    open: open[at],
                    high: high[at],
                    low: low[at],
                    close: close[at],
                    adj_close: adj_close[at],
                    volume: volume[at],
                };
                if let Some(fault) = bar.fault() {
                    faults.push(((asset * n_sessions + at) as u32, fault, bar));
                    mask[at] = false;
                    for column in [&mut *open, &mut *high, &mut *low, &mut *close, &mut *adj_close, &mut *volume] {
                        column[at] = f64::NAN;
                    }
                }
            }
            faults
        })
        .collect();
    found.into_iter().flatten().collect()
}

fn report_faults(
    faults: &[(u32, BarFault, RawBar)],
    tables: &[PriceRows],
    cells: &[Vec<u32>],
    axes: &Axes,
    issues: &mut Issues,
) {
    if faults.is_empty() {
        return;
    }
    for (table, rows) in tables.iter().zip(cells) {
        for (row, &cell) in rows.iter().enumerate().filter(|&(_, &cell)| cell < REPEATED) {
            let Ok(found) = faults.binary_search_by_key(&cell, |fault| fault.0) else { continue };
            let (_, fault, bar) = faults[found];
            let at = cell as usize;
            issues.add(fault.into(), || DataIssue {
                file: table.path.clone(),
                row: Some(table.row_number(row)),
                symbol: axes.symbols.get(at / axes.sessions.len()).cloned(),
                date: axes.sessions.get(at % axes.sessions.len()).copied(),
                kind: fault.into(),
                message: format!(
                    "{fault}: open {}, high {}, low {}, close {}, adjusted {}, volume {}",
                    bar.open, bar.high, bar.low, bar.close, bar.adj_close, bar.volume
                ),
            });
        }
    }
}
