//! Price tables become a [`Panel`], bad rows become [`DataIssue`]s beside it.
//!
//! Two passes: the first reads only date and ticker and fixes the axes, the second decodes one
//! numeric column after the other straight into its aligned place. Columns are decoded in
//! parallel and each has one writer, so the result does not depend on the number of threads.

mod issue;
mod rows;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lotwise_core::{BarFault, Calendar, Date, RawBar, Symbol};
use rayon::prelude::*;

pub use issue::{DataIssue, IssueKind, Issues};
use rows::{COLUMNS, NO_NAME, PriceRows};

use crate::table::NO_DAY;
use crate::{Error, Panel};

/// Which part of a price table to load.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Only these symbols; all when absent.
    pub symbols: Option<BTreeSet<Symbol>>,
    /// Only sessions on or after this date.
    pub from: Option<Date>,
    /// Only sessions on or before this date.
    pub to: Option<Date>,
}

/// A panel and the account of how it came about.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The good rows, aligned.
    pub panel: Panel,
    /// The bad rows, and remarks on the files.
    pub issues: Issues,
    /// The files read, in order; where two hold the same bar, the first one counts.
    pub files: Vec<PathBuf>,
    /// Rows of all files, whether selected or not.
    pub rows: u64,
}

/// A row that goes nowhere: not selected, or already reported.
const NOWHERE: u32 = u32::MAX;
/// Marks a row whose cell is taken by an earlier row; it is only compared with it.
const REPEATED: u32 = 1 << 31;
/// Two bars of one day that differ by less than this part of their value are the same bar.
const SAME_WITHIN: f64 = 1e-6;

impl Panel {
    /// Loads a price file, or every `prices*.parquet` and `prices*.csv` of a folder in order of
    /// name, in the layout `date, ticker, open, high, low, close, adj_close, volume`; other
    /// columns are ignored. Of two rows for one symbol and day the first is kept.
    ///
    /// # Errors
    /// When a file cannot be read, is damaged, lacks a column or has no rows at all, or the folder
    /// has no price table. Bad rows are not errors; see [`Loaded::issues`].
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Loaded, Error> {
        let files = price_files(path.as_ref())?;
        let mut issues = Issues::default();
        let tables = files.iter().map(|file| PriceRows::open(file, &mut issues)).collect::<Result<Vec<_>, _>>()?;
        let axes = Axes::find(&tables, options, &Calendar::new_york());
        if let Some(wanted) = &options.symbols {
            for symbol in wanted.iter().filter(|symbol| axes.symbols.binary_search(symbol).is_err()) {
                issues.add(IssueKind::SymbolNotFound, || DataIssue {
                    file: path.as_ref().to_owned(),
                    row: None,
                    symbol: Some(symbol.clone()),
                    date: None,
                    kind: IssueKind::SymbolNotFound,
                    message: format!("no bar of {symbol} between the dates asked for"),
                });
            }
        }
        let rows = tables.iter().map(|table| table.days.len() as u64).sum();
        let panel = fill(&tables, axes, path.as_ref(), &mut issues)?;
        Ok(Loaded { panel, issues, files, rows })
    }
}

/// The price tables at a path: the file itself, or a folder's `prices*` tables in order of name.
///
/// # Errors
/// When the folder cannot be listed or has none.
pub fn price_files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(Error::io(path))? {
        let file = entry.map_err(Error::io(path))?.path();
        let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if name.starts_with("prices") && (name.ends_with(".parquet") || name.ends_with(".csv")) && file.is_file() {
            files.push(file);
        }
    }
    if files.is_empty() {
        return Err(Error::NoPriceTable { folder: path.to_owned() });
    }
    files.sort();
    Ok(files)
}

/// What a row is about, before its numbers are known.
enum Place {
    /// A symbol (position among the panel's) and a day that are asked for.
    At(usize, i32),
    /// Outside of what was asked for.
    Unselected,
    /// The row cannot be placed.
    Bad(IssueKind),
}

/// The two axes of the panel, and how to find a place on them.
struct Axes {
    symbols: Vec<Symbol>,
    sessions: Vec<Date>,
    /// For each file and each of its ticker spellings: position on the axis.
    assets: Vec<Vec<Result<Option<u32>, ()>>>,
    /// For each day from [`Date::MIN`]: whether the exchange was open.
    open: Vec<bool>,
    /// For each day from [`Date::MIN`]: position on the axis.
    session_of_day: Vec<u32>,
    from: i32,
    to: i32,
}

impl Axes {
    fn find(tables: &[PriceRows], options: &LoadOptions, calendar: &Calendar) -> Self {
        let n_days = day_slot(Date::MAX.days()).unwrap_or(0) + 1;
        let mut axes = Self {
            symbols: Vec::new(),
            sessions: Vec::new(),
            assets: Vec::new(),
            open: vec![false; n_days],
            session_of_day: vec![NOWHERE; n_days],
            from: options.from.unwrap_or(Date::MIN).days(),
            to: options.to.unwrap_or(Date::MAX).days(),
        };
        for session in calendar.sessions() {
            if let Some(slot) = day_slot(session.days()) {
                axes.open[slot] = true;
            }
        }
        // Positions are provisional (order of appearance) until every symbol that has a bar is known.
        let mut provisional: BTreeMap<Symbol, u32> = BTreeMap::new();
        for table in tables {
            let spellings = table.names.iter().map(|name| match Symbol::parse(name) {
                Err(_) => Err(()),
                Ok(symbol) if options.symbols.as_ref().is_some_and(|wanted| !wanted.contains(&symbol)) => Ok(None),
                Ok(symbol) => {
                    let next = provisional.len() as u32;
                    Ok(Some(*provisional.entry(symbol).or_insert(next)))
                }
            });
            axes.assets.push(spellings.collect());
        }
        let mut has_bar = vec![false; provisional.len()];
        let mut day_seen = vec![false; n_days];
        for (table, file) in tables.iter().zip(0..) {
            axes.each_place(table, file, &mut |_, place| {
                if let Place::At(asset, day) = place {
                    has_bar[asset] = true;
                    day_seen[day_slot(day).unwrap_or(0)] = true;
                }
            });
        }
        let mut position = vec![None; provisional.len()];
        for (symbol, at) in provisional {
            if has_bar[at as usize] {
                position[at as usize] = Some(axes.symbols.len() as u32);
                axes.symbols.push(symbol);
            }
        }
        for spelling in axes.assets.iter_mut().flatten() {
            // A symbol without any bar still has its bad rows reported.
            *spelling = spelling.map(|at| at.map(|at| position[at as usize].unwrap_or(NOWHERE)));
        }
        for (slot, _) in day_seen.iter().enumerate().filter(|(_, seen)| **seen) {
            axes.session_of_day[slot] = axes.sessions.len() as u32;
            axes.sessions.extend(Date::from_days(Date::MIN.days() + slot as i32));
        }
        axes
    }

    /// Says for each row of a table what it is about.
    fn each_place(&self, table: &PriceRows, file: usize, visit: &mut dyn FnMut(usize, Place)) {
        let mut row = 0;
        for &(name, count) in &table.runs {
            let asset = if name == NO_NAME { Err(()) } else { self.assets[file][name as usize] };
            for &day in &table.days[row..row + count as usize] {
                let place = match asset {
                    Err(()) => Place::Bad(IssueKind::BadSymbol),
                    Ok(None) => Place::Unselected,
                    Ok(Some(_)) if day == NO_DAY => Place::Bad(IssueKind::BadDate),
                    Ok(Some(_)) if day < self.from || day > self.to => Place::Unselected,
                    Ok(Some(asset)) => match day_slot(day) {
                        Some(slot) if self.open[slot] => Place::At(asset as usize, day),
                        Some(_) => Place::Bad(IssueKind::NotASession),
                        None => Place::Bad(IssueKind::BadDate),
                    },
                };
                visit(row, place);
                row += 1;
            }
        }
    }

    fn cell(&self, asset: usize, day: i32) -> u32 {
        let session = day_slot(day).map_or(0, |slot| self.session_of_day[slot]);
        asset as u32 * self.sessions.len() as u32 + session
    }
}

fn day_slot(day: i32) -> Option<usize> {
    (Date::MIN.days()..=Date::MAX.days()).contains(&day).then(|| (day - Date::MIN.days()) as usize)
}

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
fn fill(tables: &[PriceRows], axes: Axes, path: &Path, issues: &mut Issues) -> Result<Panel, Error> {
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
    let filled: Vec<(Vec<f64>, BTreeSet<(usize, usize)>)> = (0..COLUMNS.len())
        .into_par_iter()
        .map(|column| fill_column(tables, &cells, column, n_cells))
        .collect::<Result<_, _>>()?;
    let mut conflicts = BTreeSet::new();
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
) -> Result<(Vec<f64>, BTreeSet<(usize, usize)>), Error> {
    let mut values = vec![f64::NAN; n_cells];
    let mut differing = BTreeSet::new();
    for (file, (table, cells)) in tables.iter().zip(cells).enumerate() {
        let wanted = |rows: std::ops::Range<usize>| cells[rows].iter().any(|&cell| cell != NOWHERE);
        table.each_batch(column, &wanted, &mut |start, batch| {
            for (row, (&value, &cell)) in (start..).zip(batch.iter().zip(&cells[start..])) {
                if cell < REPEATED {
                    values[cell as usize] = value;
                } else if cell != NOWHERE {
                    let first = values[(cell & !REPEATED) as usize];
                    let same = first == value || (first - value).abs() <= SAME_WITHIN * first.abs();
                    if !same && !(first.is_nan() && value.is_nan()) {
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
