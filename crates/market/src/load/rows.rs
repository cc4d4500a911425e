//! First pass over a price file: which symbol and day each row is about.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use lotwise_core::Date;
use rayon::prelude::*;

use super::{DataIssue, IssueKind, Issues};
use crate::Error;
use crate::table::{
    self, ColumnInfo, ColumnType, FileKind, Interner, NO_DAY, ParquetFile, csv_error, find_column, is_missing, sniff,
};

/// The numeric columns of a price table in the order of [`crate::Field`].
pub(super) const COLUMNS: [&str; 6] = ["open", "high", "low", "close", "adj_close", "volume"];
const CLOSE: usize = 3;
const ADJ_CLOSE: usize = 4;

/// Largest text table: its numbers alone fill half of that in memory.
const MAX_TEXT_BYTES: u64 = 2 << 30;

/// Stands for a row without a ticker.
pub(super) const NO_NAME: u32 = u32::MAX;

/// Symbol and day of every row of one file, and where its numbers are.
pub(super) struct PriceRows {
    pub(super) path: PathBuf,
    /// Distinct tickers as the file spells them.
    pub(super) names: Vec<String>,
    /// Consecutive rows of one ticker: position in `names` (or [`NO_NAME`]) and number of rows.
    pub(super) runs: Vec<(u32, u32)>,
    /// Days since 1970, [`NO_DAY`] where missing.
    pub(super) days: Vec<i32>,
    numbers: Numbers,
    pub(super) has_adj_close: bool,
}

enum Numbers {
    /// Columns of the file, to be decoded in a second pass.
    Parquet { file: ParquetFile, columns: [usize; 6] },
    /// Columns in memory, and the line of each row.
    Text { columns: [Vec<f64>; 6], lines: Vec<u32> },
}

impl PriceRows {
    pub(super) fn open(path: &Path, issues: &mut Issues) -> Result<Self, Error> {
        let rows = match sniff(path)? {
            FileKind::Parquet => Self::from_parquet(ParquetFile::open(path)?)?,
            FileKind::Text => Self::from_text(path, issues)?,
        };
        if !rows.has_adj_close {
            issues.add(IssueKind::AdjustedCloseMissing, || DataIssue {
                file: path.to_owned(),
                row: None,
                symbol: None,
                date: None,
                kind: IssueKind::AdjustedCloseMissing,
                message: "the table has no column adj_close; close stands in, so returns leave out dividends".into(),
            });
        }
        Ok(rows)
    }

    /// Line or row number as people count it.
    pub(super) fn row_number(&self, row: usize) -> u64 {
        match &self.numbers {
            Numbers::Parquet { .. } => row as u64 + 1,
            Numbers::Text { lines, .. } => lines.get(row).map_or(0, |&line| u64::from(line)),
        }
    }

    /// Hands over one numeric column: position of the first row of a batch, and the batch.
    /// Batches of rows for which `wanted` says no may be left out.
    pub(super) fn each_batch(
        &self,
        column: usize,
        wanted: &dyn Fn(std::ops::Range<usize>) -> bool,
        sink: &mut dyn FnMut(usize, &[f64]),
    ) -> Result<(), Error> {
        match &self.numbers {
            Numbers::Text { columns, .. } => sink(0, &columns[column]),
            Numbers::Parquet { file, columns } => {
                let mut row = 0;
                for group in 0..file.n_groups() {
                    let end = row + file.group_rows(group);
                    if wanted(row..end) {
                        file.group_f64(group, columns[column], &mut |batch| {
                            sink(row, batch);
                            row += batch.len();
                        })?;
                    }
                    row = end;
                }
            }
        }
        Ok(())
    }

    fn from_parquet(file: ParquetFile) -> Result<Self, Error> {
        let path = file.path().to_owned();
        let (date, ticker, columns, has_adj_close) = layout(&path, file.columns())?;
        columns.iter().try_for_each(|&column| file.check_numeric(column))?;
        if file.n_rows() == 0 {
            return Err(Error::NoRows { file: path });
        }
        let groups: Vec<Group> = (0..file.n_groups())
            .into_par_iter()
            .map(|group| Group::read(&file, group, date, ticker))
            .collect::<Result<_, _>>()?;
        let mut interner = Interner::default();
        let mut days = Vec::with_capacity(file.n_rows());
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for group in groups {
            let codes: Vec<u32> = group.names.iter().map(|name| interner.code(name)).collect();
            days.extend_from_slice(&group.days);
            for (name, count) in group.runs {
                extend_run(&mut runs, codes.get(name as usize).copied().unwrap_or(NO_NAME), count);
            }
        }
        let numbers = Numbers::Parquet { file, columns };
        Ok(Self { path, names: interner.into_distinct(), runs, days, numbers, has_adj_close })
    }

    fn from_text(path: &Path, issues: &mut Issues) -> Result<Self, Error> {
        let mut reader = table::open_text(path, MAX_TEXT_BYTES, true)?;
        let header: Vec<ColumnInfo> = table::header(path, &mut reader)?
            .into_iter()
            .map(|name| ColumnInfo { name, column_type: ColumnType::Text })
            .collect();
        let (date, ticker, positions, has_adj_close) = layout(path, &header)?;
        let mut text = TextRows { path, date, ticker, positions, width: header.len(), ..TextRows::new(path) };
        text.read(reader, issues)?;
        if text.rows_met == 0 {
            return Err(Error::NoRows { file: path.to_owned() });
        }
        let TextRows { interner, runs, days, columns, lines, .. } = text;
        let numbers = Numbers::Text { columns, lines };
        Ok(Self { path: path.to_owned(), names: interner.into_distinct(), runs, days, numbers, has_adj_close })
    }
}

/// Positions of date, ticker and the numeric columns. A table without `adj_close` reads `close`
/// in its place.
fn layout(path: &Path, columns: &[ColumnInfo]) -> Result<(usize, usize, [usize; 6], bool), Error> {
    let locate = |name: &str| {
        find_column(columns, name).ok_or_else(|| Error::MissingColumn {
            file: path.to_owned(),
            column: name.to_owned(),
            found: columns.iter().map(|info| info.name.clone()).collect(),
        })
    };
    let (date, ticker) = (locate("date")?, locate("ticker").or_else(|error| locate("symbol").map_err(|_| error))?);
    let has_adj_close = find_column(columns, COLUMNS[ADJ_CLOSE]).is_some();
    let mut positions = [0; 6];
    for (field, position) in positions.iter_mut().enumerate() {
        let stands_in = field == ADJ_CLOSE && !has_adj_close;
        *position = locate(if stands_in { COLUMNS[CLOSE] } else { COLUMNS[field] })?;
    }
    Ok((date, ticker, positions, has_adj_close))
}

fn extend_run(runs: &mut Vec<(u32, u32)>, name: u32, count: u32) {
    match runs.last_mut() {
        Some((last, length)) if *last == name && length.checked_add(count).is_some() => *length += count,
        _ => runs.push((name, count)),
    }
}

/// Symbol and day of the rows of one Parquet row group.
struct Group {
    names: Vec<String>,
    runs: Vec<(u32, u32)>,
    days: Vec<i32>,
}

impl Group {
    fn read(file: &ParquetFile, group: usize, date: usize, ticker: usize) -> Result<Self, Error> {
        let rows = file.group_rows(group);
        let mut days = Vec::with_capacity(rows);
        if file.columns()[date].column_type == ColumnType::Text {
            // Dates as text repeat for every ticker; remembering the last one saves most parsing.
            let (mut last, mut day) = (String::new(), NO_DAY);
            file.group_text(group, date, &mut |text| {
                let text = text.unwrap_or("");
                if text != last {
                    text.clone_into(&mut last);
                    day = table::parse_date(text).map_or(NO_DAY, Date::days);
                }
                days.push(day);
            })?;
        } else {
            file.group_days(group, date, &mut |batch| days.extend_from_slice(batch))?;
        }
        let mut interner = Interner::default();
        let mut runs = Vec::new();
        file.group_text(group, ticker, &mut |text| {
            extend_run(&mut runs, text.map_or(NO_NAME, |text| interner.code(text)), 1);
        })?;
        Ok(Self { names: interner.into_distinct(), runs, days })
    }
}

/// Rows of a text table as they are read.
struct TextRows<'a> {
    path: &'a Path,
    date: usize,
    ticker: usize,
    positions: [usize; 6],
    width: usize,
    interner: Interner,
    runs: Vec<(u32, u32)>,
    days: Vec<i32>,
    columns: [Vec<f64>; 6],
    lines: Vec<u32>,
    rows_met: u64,
}

impl<'a> TextRows<'a> {
    fn new(path: &'a Path) -> Self {
        Self {
            path,
            date: 0,
            ticker: 0,
            positions: [0; 6],
            width: 0,
            interner: Interner::default(),
            runs: Vec::new(),
            days: Vec::new(),
            columns: Default::default(),
            lines: Vec::new(),
            rows_met: 0,
        }
    }

    fn read(&mut self, mut reader: csv::Reader<BufReader<File>>, issues: &mut Issues) -> Result<(), Error> {
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(|error| csv_error(self.path, &error))? {
            self.rows_met += 1;
            let line = record.position().map_or(0, csv::Position::line);
            if let Err((kind, message)) = self.take(&record, line) {
                let ticker = record.get(self.ticker).and_then(|cell| std::str::from_utf8(cell).ok());
                let date = record.get(self.date).and_then(|cell| std::str::from_utf8(cell).ok());
                issues.add(kind, || DataIssue {
                    file: self.path.to_owned(),
                    row: Some(line),
                    symbol: ticker.and_then(|text| text.parse().ok()),
                    date: date.and_then(|text| table::parse_date(text.trim())),
                    kind,
                    message,
                });
            }
        }
        Ok(())
    }

    /// Keeps a record, or says what is wrong with it. An empty number is kept as NaN, so that text
    /// and Parquet tables report a missing value alike.
    fn take(&mut self, record: &ByteRecord, line: u64) -> Result<(), (IssueKind, String)> {
        if record.len() != self.width {
            return Err((IssueKind::BadRow, format!("{} cells where the header has {}", record.len(), self.width)));
        }
        let cell = |at: usize| record.get(at).map_or(Ok(""), std::str::from_utf8).map(str::trim);
        let shown = |at: usize| {
            String::from_utf8_lossy(record.get(at).unwrap_or_default()).chars().take(40).collect::<String>()
        };
        let day = cell(self.date).ok().and_then(table::parse_date).map(Date::days).ok_or_else(|| {
            (IssueKind::BadDate, format!("{:?} is not a date (expected YYYY-MM-DD)", shown(self.date)))
        })?;
        let mut values = [0.0; 6];
        for (value, &at) in values.iter_mut().zip(&self.positions) {
            *value = match cell(at) {
                Ok(text) if is_missing(text) => f64::NAN,
                Ok(text) => {
                    text.parse().map_err(|_| (IssueKind::BadNumber, format!("{:?} is not a number", shown(at))))?
                }
                Err(_) => return Err((IssueKind::BadNumber, format!("{:?} is not a number", shown(at)))),
            };
        }
        let name = match cell(self.ticker) {
            Ok("") => NO_NAME,
            Ok(text) => self.interner.code(text),
            Err(_) => return Err((IssueKind::BadSymbol, format!("{:?} is not a symbol", shown(self.ticker)))),
        };
        extend_run(&mut self.runs, name, 1);
        self.days.push(day);
        self.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
        Ok(())
    }
}
