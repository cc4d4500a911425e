//! Columns of a CSV file held in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::{ColumnInfo, ColumnType, TextBuilder, TextColumn};
use crate::Error;

/// Largest side table in text form; price tables are streamed and have a limit of their own.
const MAX_BYTES: u64 = 512 << 20;

/// A CSV file, parsed into rows of text.
#[derive(Debug)]
pub(crate) struct CsvFile {
    path: PathBuf,
    header: Vec<String>,
    columns: Vec<TextColumn>,
    lines: Vec<u64>,
}

impl CsvFile {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut reader = open_text(path, MAX_BYTES, false)?;
        let header = header(path, &mut reader)?;
        let mut builders: Vec<TextBuilder> = header.iter().map(|_| TextBuilder::default()).collect();
        let mut lines = Vec::new();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| csv_error(path, &error))? {
            lines.push(record.position().map_or(0, csv::Position::line));
            for (builder, cell) in builders.iter_mut().zip(&record) {
                let cell = cell.trim();
                builder.push((!cell.is_empty()).then_some(cell));
            }
        }
        let columns = builders.into_iter().map(TextBuilder::finish).collect();
        Ok(Self { path: path.to_owned(), header, columns, lines })
    }

    pub(crate) fn columns(&self) -> Vec<ColumnInfo> {
        self.header.iter().map(|name| ColumnInfo { name: name.clone(), column_type: ColumnType::Text }).collect()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn text(&self, column: usize) -> TextColumn {
        self.columns[column].clone()
    }

    /// Parses every cell, `None` where it is missing; the first cell that does not parse is an error.
    pub(crate) fn parse<T>(
        &self,
        column: usize,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<Option<T>>, Error> {
        let mut values = Vec::with_capacity(self.lines.len());
        for (cell, &line) in self.columns[column].iter().zip(&self.lines) {
            values.push(match cell {
                None => None,
                Some(text) if is_missing(text) => None,
                Some(text) => Some(parse(text).ok_or_else(|| Error::BadCell {
                    file: self.path.clone(),
                    line,
                    column: self.header[column].clone(),
                    value: text.chars().take(40).collect(),
                    expected,
                })?),
            });
        }
        Ok(values)
    }
}

/// Whether a cell is one of the usual spellings of «no value».
pub(crate) fn is_missing(text: &str) -> bool {
    matches!(text.trim(), "" | "NaN" | "nan" | "NA" | "N/A" | "n/a" | "null" | "NULL" | "None" | "-")
}

/// Opens a text table behind a look at its first bytes: size, encoding, byte order mark. A `ragged`
/// table may have records of other lengths than its header; otherwise they are errors.
pub(crate) fn open_text(path: &Path, max_bytes: u64, ragged: bool) -> Result<csv::Reader<BufReader<File>>, Error> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let metadata = file.metadata().map_err(Error::io(path))?;
    if metadata.len() > max_bytes {
        return Err(Error::TooLarge {
            file: path.to_owned(),
            what: format!("{} MB of text", metadata.len() >> 20),
            limit: format!("{} MB (convert it to Parquet, or split it)", max_bytes >> 20),
        });
    }
    let mut head = Vec::new();
    (&mut file).take(4096).read_to_end(&mut head).map_err(Error::io(path))?;
    let encoding = |found| Error::Encoding { file: path.to_owned(), found };
    if head.is_empty() || head == [0xEF, 0xBB, 0xBF] {
        return Err(Error::Empty { file: path.to_owned() });
    }
    if head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]) {
        return Err(encoding("UTF-16 text"));
    }
    if let Some(at) = head.iter().position(|&byte| byte == 0) {
        // ASCII in UTF-16 has a zero in every second byte from the start.
        return Err(encoding(if at < 2 { "UTF-16 text" } else { "a binary file" }));
    }
    let skip = if head.starts_with(&[0xEF, 0xBB, 0xBF]) { 3 } else { 0 };
    file.seek(SeekFrom::Start(skip)).map_err(Error::io(path))?;
    let mut reader = BufReader::with_capacity(1 << 18, file);
    reader.fill_buf().map_err(Error::io(path))?;
    Ok(csv::ReaderBuilder::new().flexible(ragged).from_reader(reader))
}

/// The column names.
pub(crate) fn header(path: &Path, reader: &mut csv::Reader<BufReader<File>>) -> Result<Vec<String>, Error> {
    let header = reader.headers().map_err(|error| csv_error(path, &error))?;
    if header.iter().all(|name| name.trim().is_empty()) {
        return Err(Error::Csv { file: path.to_owned(), line: 1, detail: "the first line names no columns".into() });
    }
    Ok(header.iter().map(|name| name.trim().to_owned()).collect())
}

/// Names the line and what is wrong with it.
pub(crate) fn csv_error(path: &Path, error: &csv::Error) -> Error {
    let line = error.position().map_or(0, csv::Position::line);
    let file = path.to_owned();
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => Error::Encoding { file, found: "text in another encoding (Latin-1?)" },
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            Error::Csv { file, line, detail: format!("{len} cells where the header has {expected_len}") }
        }
        csv::ErrorKind::Io(source) => {
            Error::Io { file, source: std::io::Error::new(source.kind(), source.to_string()) }
        }
        _ => Error::Csv { file, line, detail: error.to_string() },
    }
}
