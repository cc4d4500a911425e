//! Typed columns from a Parquet or CSV file.
//!
//! A [`Table`] knows the columns of a file and reads one at a time as floats, integers, dates or
//! text. What is missing comes back as NaN or `None`, never as zero (SPEC D-11).

mod csv_file;
mod footer;
mod pages;
mod parquet_file;
mod writer;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use lotwise_core::Date;

use crate::Error;
use csv_file::CsvFile;
pub(crate) use csv_file::{csv_error, header, is_missing, open_text};
pub(crate) use parquet_file::{NO_DAY, ParquetFile};
pub use writer::{ColumnData, write_file, write_parquet};

/// What a column holds, as far as the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Floating point numbers.
    Float,
    /// Whole numbers.
    Integer,
    /// UTF-8 text; every column of a CSV file.
    Text,
    /// Civil dates.
    Date,
    /// Points in time, counted from 1970.
    Timestamp(TimestampUnit),
    /// Anything else, which no accessor reads.
    Other,
}

/// What a timestamp column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampUnit {
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// Billionths of a second.
    Nanoseconds,
}

impl TimestampUnit {
    /// Units in a day.
    #[must_use]
    pub const fn per_day(self) -> i64 {
        match self {
            Self::Milliseconds => 86_400_000,
            Self::Microseconds => 86_400_000_000,
            Self::Nanoseconds => 86_400_000_000_000,
        }
    }
}

impl std::fmt::Display for ColumnType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Float => "decimal numbers",
            Self::Integer => "whole numbers",
            Self::Text => "text",
            Self::Date => "dates",
            Self::Timestamp(_) => "timestamps",
            Self::Other => "a type that is not read",
        })
    }
}

/// Name and type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// As the file spells it.
    pub name: String,
    /// As the file declares it.
    pub column_type: ColumnType,
}

/// A text column: each distinct text once, and which one stands in each row.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    distinct: Vec<String>,
    codes: Vec<Option<u32>>,
}

impl TextColumn {
    /// The text of a row, `None` where it is missing.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = (*self.codes.get(row)?)?;
        self.distinct.get(code as usize).map(String::as_str)
    }

    /// The texts in row order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<&str>> {
        (0..self.codes.len()).map(|row| self.get(row))
    }

    /// Every distinct text, in order of first appearance.
    #[must_use]
    pub fn distinct(&self) -> &[String] {
        &self.distinct
    }

    /// For each row the position of its text in [`TextColumn::distinct`].
    #[must_use]
    pub fn codes(&self) -> &[Option<u32>] {
        &self.codes
    }

    /// Rows whose text satisfies the condition, rising; it is asked once per distinct text.
    pub fn rows_where(&self, mut wanted: impl FnMut(&str) -> bool) -> Vec<usize> {
        let answers: Vec<bool> = self.distinct.iter().map(|text| wanted(text)).collect();
        let holds = |code: Option<u32>| code.and_then(|code| answers.get(code as usize)).copied().unwrap_or(false);
        self.codes.iter().enumerate().filter(|&(_, &code)| holds(code)).map(|(row, _)| row).collect()
    }
}

/// Numbers distinct texts in order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    distinct: Vec<String>,
    index: BTreeMap<String, u32>,
    last: u32,
}

impl Interner {
    /// The number of a text. Tables are sorted by ticker (the same text again) or by date (the
    /// texts of the previous date in the same order), so most rows need no search.
    pub(crate) fn code(&mut self, text: &str) -> u32 {
        for guess in [self.last, self.last + 1] {
            if self.distinct.get(guess as usize).is_some_and(|known| known == text) {
                self.last = guess;
                return guess;
            }
        }
        self.last = if let Some(&code) = self.index.get(text) {
            code
        } else {
            let code = self.distinct.len() as u32;
            self.distinct.push(text.to_owned());
            self.index.insert(text.to_owned(), code);
            code
        };
        self.last
    }

    /// Every distinct text; the number of a text is its position.
    pub(crate) fn into_distinct(self) -> Vec<String> {
        self.distinct
    }
}

/// Collects a [`TextColumn`].
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    interner: Interner,
    codes: Vec<Option<u32>>,
}

impl TextBuilder {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let code = text.map(|text| self.interner.code(text));
        self.codes.push(code);
    }

    pub(crate) fn finish(self) -> TextColumn {
        TextColumn { distinct: self.interner.into_distinct(), codes: self.codes }
    }
}

#[derive(Debug)]
enum Source {
    Parquet(ParquetFile),
    Csv(CsvFile),
}

/// An open table. Parquet columns are decoded when asked for; a CSV file is held in memory.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    columns: Vec<ColumnInfo>,
    n_rows: usize,
    source: Source,
}

impl Table {
    /// Opens a Parquet or CSV file, told apart by content.
    ///
    /// # Errors
    /// When the file cannot be read, is empty, damaged, not UTF-8, or too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let (columns, n_rows, source) = match sniff(path)? {
            FileKind::Parquet => {
                let file = ParquetFile::open(path)?;
                (file.columns().to_vec(), file.n_rows(), Source::Parquet(file))
            }
            FileKind::Text => {
                let file = CsvFile::open(path)?;
                (file.columns(), file.n_rows(), Source::Csv(file))
            }
        };
        Ok(Self { path: path.to_owned(), columns, n_rows, source })
    }

    /// Where the table was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The columns in file order.
    #[must_use]
    pub fn columns(&self) -> &[ColumnInfo] {
        &self.columns
    }

    /// Whether the column is there; upper case, lower case, blanks and underscores do not matter.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        find_column(&self.columns, column).is_some()
    }

    /// A column of numbers, NaN where missing.
    ///
    /// # Errors
    /// When the column is not there, does not hold numbers, or cannot be decoded.
    pub fn column_f64(&self, column: &str) -> Result<Vec<f64>, Error> {
        let at = self.locate(column)?;
        match &self.source {
            Source::Parquet(file) => {
                let mut values = Vec::with_capacity(self.n_rows);
                file.each_f64(at, &mut |batch| values.extend_from_slice(batch))?;
                Ok(values)
            }
            Source::Csv(file) => Ok(file
                .parse(at, "a number", |text| text.parse().ok())?
                .into_iter()
                .map(|v| v.unwrap_or(f64::NAN))
                .collect()),
        }
    }

    /// A column of whole numbers (also the raw count of a timestamp), `None` where missing.
    ///
    /// # Errors
    /// When the column is not there, does not hold whole numbers, or cannot be decoded.
    pub fn column_i64(&self, column: &str) -> Result<Vec<Option<i64>>, Error> {
        let at = self.locate(column)?;
        match &self.source {
            Source::Parquet(file) => file.column_i64(at),
            Source::Csv(file) => file.parse(at, "a whole number", |text| {
                text.parse().ok().or_else(|| text.strip_suffix(".0").and_then(|whole| whole.parse().ok()))
            }),
        }
    }

    /// A column of text, `None` where missing; in a CSV file an empty cell is missing.
    ///
    /// # Errors
    /// When the column is not there, does not hold text, or cannot be decoded.
    pub fn column_str(&self, column: &str) -> Result<TextColumn, Error> {
        let at = self.locate(column)?;
        match &self.source {
            Source::Parquet(file) => file.column_text(at),
            Source::Csv(file) => Ok(file.text(at)),
        }
    }

    /// A column of dates, `None` where missing: dates, timestamps (their day, no zone applied) or
    /// text that starts `YYYY-MM-DD`.
    ///
    /// # Errors
    /// When the column is not there, does not hold dates, or cannot be decoded.
    pub fn column_date(&self, column: &str) -> Result<Vec<Option<Date>>, Error> {
        let at = self.locate(column)?;
        match &self.source {
            Source::Csv(file) => file.parse(at, "a date (YYYY-MM-DD)", parse_date),
            Source::Parquet(file) if self.columns[at].column_type == ColumnType::Text => {
                let text = file.column_text(at)?;
                let mut dates = Vec::with_capacity(text.distinct.len());
                for value in &text.distinct {
                    dates.push(if is_missing(value) { None } else { Some(parse_date(value).ok_or(value)) });
                }
                let mut column_dates = Vec::with_capacity(self.n_rows);
                for (row, code) in text.codes.iter().enumerate() {
                    column_dates.push(match code.and_then(|code| dates[code as usize]) {
                        None => None,
                        Some(Ok(date)) => Some(date),
                        Some(Err(value)) => {
                            return Err(Error::BadCell {
                                file: self.path.clone(),
                                line: row as u64 + 1,
                                column: column.to_owned(),
                                value: value.chars().take(40).collect(),
                                expected: "a date (YYYY-MM-DD)",
                            });
                        }
                    });
                }
                Ok(column_dates)
            }
            Source::Parquet(file) => {
                let mut dates = Vec::with_capacity(self.n_rows);
                file.each_day(at, &mut |batch| dates.extend(batch.iter().map(|&day| Date::from_days(day))))?;
                Ok(dates)
            }
        }
    }

    fn locate(&self, column: &str) -> Result<usize, Error> {
        find_column(&self.columns, column).ok_or_else(|| Error::MissingColumn {
            file: self.path.clone(),
            column: column.to_owned(),
            found: self.columns.iter().map(|info| info.name.clone()).collect(),
        })
    }
}

/// Position of a column: an exact match first, else one that differs in case, blanks or underscores.
pub(crate) fn find_column(columns: &[ColumnInfo], wanted: &str) -> Option<usize> {
    let plain = |name: &str| name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    columns
        .iter()
        .position(|info| info.name == wanted)
        .or_else(|| columns.iter().position(|info| plain(&info.name) == plain(wanted)))
}

/// Reads `YYYY-MM-DD`, also when a time of day follows.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let day = text.get(..10)?;
    let rest = &text[10..];
    if !rest.is_empty() && !rest.starts_with([' ', 'T']) {
        return None;
    }
    Date::parse(day).ok()
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Parquet,
    Text,
}

/// Tells Parquet from text by the first bytes; the name only matters when they disagree.
pub(crate) fn sniff(path: &Path) -> Result<FileKind, Error> {
    let mut head = Vec::with_capacity(4);
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    file.take(4).read_to_end(&mut head).map_err(Error::io(path))?;
    if head.is_empty() {
        return Err(Error::Empty { file: path.to_owned() });
    }
    if head == b"PAR1" {
        return Ok(FileKind::Parquet);
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet")) {
        return Err(Error::NotParquet { file: path.to_owned() });
    }
    Ok(FileKind::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<Date> {
        Some(Date::parse(text).unwrap())
    }

    fn sample(folder: &Path) -> PathBuf {
        let path = folder.join("sample.parquet");
        write_parquet(
            &path,
            &[
                ("date", ColumnData::Date(&[date("2024-01-02"), None, date("2024-01-04")])),
                ("ticker", ColumnData::Text(&[Some("AAA"), Some("AAA"), None])),
                ("value", ColumnData::Float(&[1.5, f64::NAN, -2.0])),
                ("count", ColumnData::Integer(&[None, Some(7), Some(i64::MIN)])),
                ("filed", ColumnData::Text(&[Some("2024-02-03"), None, Some("2024-02-04 16:00:00")])),
            ],
        )
        .unwrap();
        path
    }

    #[test]
    fn what_is_written_is_read_back_with_its_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(sample(folder.path())).unwrap();
        assert_eq!(table.n_rows(), 3);
        assert_eq!(
            table.columns().iter().map(|info| info.name.as_str()).collect::<Vec<_>>()[1..3],
            ["ticker", "value"]
        );
        assert_eq!(table.column_date("date").unwrap(), [date("2024-01-02"), None, date("2024-01-04")]);
        assert_eq!(table.column_date("filed").unwrap(), [date("2024-02-03"), None, date("2024-02-04")]);
        let values = table.column_f64("value").unwrap();
        assert!(values[0] == 1.5 && values[1].is_nan() && values[2] == -2.0, "{values:?}");
        assert_eq!(table.column_i64("Count").unwrap(), [None, Some(7), Some(i64::MIN)]);
        let text = table.column_str("ticker").unwrap();
        assert_eq!(text.iter().collect::<Vec<_>>(), [Some("AAA"), Some("AAA"), None]);
        assert_eq!(text.rows_where(|ticker| ticker == "AAA"), [0, 1]);
        assert_eq!(text.distinct(), ["AAA"]);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["sample.parquet"], "nothing half-written stays behind");
    }

    #[test]
    fn a_missing_or_mistyped_column_is_named_with_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let table = Table::open(sample(folder.path())).unwrap();
        let error = table.column_f64("price").unwrap_err().to_string();
        assert!(error.ends_with("has no column \"price\"; it has date, ticker, value, count, filed"), "{error}");
        let error = table.column_f64("ticker").unwrap_err().to_string();
        assert!(error.ends_with("column \"ticker\" holds text, expected numbers"), "{error}");
        assert!(matches!(table.column_i64("value"), Err(Error::WrongType { expected: "whole numbers", .. })));
        assert!(matches!(table.column_str("date"), Err(Error::WrongType { expected: "text", .. })));
        assert!(matches!(table.column_date("ticker"), Err(Error::BadCell { line: 1, .. })));
        let unequal = write_parquet(
            folder.path().join("x.parquet"),
            &[("a", ColumnData::Float(&[1.0])), ("b", ColumnData::Float(&[]))],
        );
        assert!(matches!(unequal, Err(Error::UnequalColumns { expected: 1, found: 0, .. })));
    }

    #[test]
    fn csv_cells_are_typed_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("side.csv");
        std::fs::write(&path, "\u{feff}Date,Ticker,Adj Close,n\n2024-01-02,AAA,1.25,3\n,\"B,B\",,3.0\n").unwrap();
        let table = Table::open(&path).unwrap();
        assert!(table.has("adj_close") && !table.has("close"));
        assert_eq!(table.column_date("date").unwrap(), [date("2024-01-02"), None]);
        assert_eq!(table.column_i64("n").unwrap(), [Some(3), Some(3)]);
        assert_eq!(table.column_str("ticker").unwrap().get(1), Some("B,B"));
        let values = table.column_f64("adj_close").unwrap();
        assert!(values[0] == 1.25 && values[1].is_nan(), "{values:?}");
        let error = table.column_f64("ticker").unwrap_err().to_string();
        assert!(error.ends_with("side.csv, line 2, column \"Ticker\": \"AAA\" is not a number"), "{error}");
    }
}
