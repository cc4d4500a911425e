//! Columns of a Parquet file, decoded in batches.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as PhysicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::ColumnDescriptor;

use super::footer::{self, FooterFault};
use super::pages::HonestPages;
use super::{ColumnInfo, ColumnType, TextBuilder, TextColumn, TimestampUnit};
use crate::Error;

/// Rows decoded at once: large enough to amortise calls, small enough for a processor's cache.
const BATCH: usize = 16_384;

/// Most rows of one file; far beyond any table of daily bars.
const MAX_ROWS: i64 = 500_000_000;

/// Stands for a missing day in batches of days; no date is that early.
pub(crate) const NO_DAY: i32 = i32::MIN;

/// A Parquet file whose footer has been read.
#[derive(Debug, Clone)]
pub(crate) struct ParquetFile {
    path: PathBuf,
    metadata: Arc<ParquetMetaData>,
    columns: Vec<ColumnInfo>,
    /// Position of each column among the leaves of the schema.
    leaves: Vec<usize>,
    n_rows: usize,
}

impl ParquetFile {
    /// Reads the footer.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let mut file = File::open(path).map_err(Error::io(path))?;
        footer::check(&mut file).map_err(|fault| match fault {
            FooterFault::Io(fault) => Error::io(path)(fault),
            FooterFault::Damaged(what) => corrupt(path, &format!("the footer {what}")),
        })?;
        let bytes = file.metadata().map_err(Error::io(path))?.len();
        let metadata = guarded(path, || ParquetMetaDataReader::new().parse_and_finish(&file))?;
        let (mut columns, mut leaves) = (Vec::new(), Vec::new());
        for (leaf, descriptor) in metadata.file_metadata().schema_descr().columns().iter().enumerate() {
            // A nested leaf has a dotted path; it is listed nowhere, since nothing here reads it.
            if let [name] = descriptor.path().parts() {
                columns.push(ColumnInfo { name: name.clone(), column_type: column_type(descriptor) });
                leaves.push(leaf);
            }
        }
        let mut n_rows = 0_i64;
        for group in metadata.row_groups() {
            n_rows = n_rows.saturating_add(group.num_rows().max(0));
            let inside = |chunk: &ColumnChunkMetaData| {
                let start = chunk.dictionary_page_offset().unwrap_or_else(|| chunk.data_page_offset());
                let end = start.saturating_add(chunk.compressed_size());
                start >= 0 && chunk.compressed_size() >= 0 && end as u64 <= bytes
            };
            if !group.columns().iter().all(inside) {
                return Err(corrupt(path, "a column lies outside the file"));
            }
        }
        if n_rows > MAX_ROWS {
            return Err(Error::TooLarge {
                file: path.to_owned(),
                what: format!("{n_rows} rows"),
                limit: format!("{MAX_ROWS} rows"),
            });
        }
        let n_rows = n_rows as usize;
        Ok(Self { path: path.to_owned(), metadata: Arc::new(metadata), columns, leaves, n_rows })
    }

    /// The columns that are not nested.
    pub(crate) fn columns(&self) -> &[ColumnInfo] {
        &self.columns
    }

    /// Rows of all groups.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Number of row groups.
    pub(crate) fn n_groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// Rows of one group.
    pub(crate) fn group_rows(&self, group: usize) -> usize {
        usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or(0)
    }

    /// Where the file lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All groups' numbers in row order, NaN where missing.
    pub(crate) fn each_f64(&self, column: usize, sink: &mut dyn FnMut(&[f64])) -> Result<(), Error> {
        self.group_range().try_for_each(|group| self.group_f64(group, column, sink))
    }

    /// All groups' days since 1970 in row order, [`NO_DAY`] where missing.
    pub(crate) fn each_day(&self, column: usize, sink: &mut dyn FnMut(&[i32])) -> Result<(), Error> {
        self.group_range().try_for_each(|group| self.group_days(group, column, sink))
    }

    /// A whole column of integers.
    pub(crate) fn column_i64(&self, column: usize) -> Result<Vec<Option<i64>>, Error> {
        let mut values = Vec::with_capacity(self.n_rows);
        for group in self.group_range() {
            match self.reader(group, column)? {
                ColumnReader::Int32ColumnReader(reader) => {
                    self.batches(group, column, reader, None, |value| Some(i64::from(*value)), &mut |batch| {
                        values.extend_from_slice(batch);
                    })?;
                }
                ColumnReader::Int64ColumnReader(reader) => {
                    self.batches(group, column, reader, None, |value| Some(*value), &mut |batch| {
                        values.extend_from_slice(batch);
                    })?;
                }
                _ => return Err(self.wrong_type(column, "whole numbers")),
            }
        }
        Ok(values)
    }

    /// A whole column of text.
    pub(crate) fn column_text(&self, column: usize) -> Result<TextColumn, Error> {
        let mut builder = TextBuilder::default();
        for group in self.group_range() {
            self.group_text(group, column, &mut |text| builder.push(text))?;
        }
        Ok(builder.finish())
    }

    /// One group's numbers in row order, NaN where missing.
    pub(crate) fn group_f64(&self, group: usize, column: usize, sink: &mut dyn FnMut(&[f64])) -> Result<(), Error> {
        let nan = f64::NAN;
        match (self.columns[column].column_type, self.reader(group, column)?) {
            (ColumnType::Float, ColumnReader::DoubleColumnReader(reader)) => {
                self.batches(group, column, reader, nan, |value| *value, sink)
            }
            (ColumnType::Float, ColumnReader::FloatColumnReader(reader)) => {
                self.batches(group, column, reader, nan, |value| f64::from(*value), sink)
            }
            (ColumnType::Integer, ColumnReader::Int64ColumnReader(reader)) => {
                self.batches(group, column, reader, nan, |value| *value as f64, sink)
            }
            (ColumnType::Integer, ColumnReader::Int32ColumnReader(reader)) => {
                self.batches(group, column, reader, nan, |value| f64::from(*value), sink)
            }
            _ => Err(self.wrong_type(column, "numbers")),
        }
    }

    /// One group's days since 1970 in row order, [`NO_DAY`] where missing or beyond 32 bits.
    pub(crate) fn group_days(&self, group: usize, column: usize, sink: &mut dyn FnMut(&[i32])) -> Result<(), Error> {
        match (self.columns[column].column_type, self.reader(group, column)?) {
            (ColumnType::Date, ColumnReader::Int32ColumnReader(reader)) => {
                self.batches(group, column, reader, NO_DAY, |value| *value, sink)
            }
            (ColumnType::Timestamp(unit), ColumnReader::Int64ColumnReader(reader)) => {
                let day = |value: &i64| i32::try_from(value.div_euclid(unit.per_day())).unwrap_or(NO_DAY);
                self.batches(group, column, reader, NO_DAY, day, sink)
            }
            _ => Err(self.wrong_type(column, "dates")),
        }
    }

    /// One group's texts in row order, `None` where missing.
    pub(crate) fn group_text(
        &self,
        group: usize,
        column: usize,
        sink: &mut dyn FnMut(Option<&str>),
    ) -> Result<(), Error> {
        let ColumnReader::ByteArrayColumnReader(reader) = self.reader(group, column)? else {
            return Err(self.wrong_type(column, "text"));
        };
        if self.columns[column].column_type != ColumnType::Text {
            return Err(self.wrong_type(column, "text"));
        }
        let mut bad = false;
        self.decode(group, column, reader, |values, levels| {
            let mut last: (&[u8], Option<&str>) = (&[], Some(""));
            let mut present = values.iter();
            let rows = levels.map_or(values.len(), <[i16]>::len);
            for row in 0..rows {
                if levels.is_some_and(|levels| levels[row] == 0) {
                    sink(None);
                    continue;
                }
                let Some(value) = present.next() else { break };
                // Rows of one dictionary entry share its bytes, so most need no look at them.
                if !std::ptr::eq(value.data(), last.0) {
                    last = (value.data(), std::str::from_utf8(value.data()).ok());
                    bad |= last.1.is_none();
                }
                sink(last.1);
            }
        })?;
        if bad {
            return Err(Error::Encoding { file: self.path.clone(), found: "holding text in another encoding" });
        }
        Ok(())
    }

    /// That a column holds numbers, as far as the file says.
    pub(crate) fn check_numeric(&self, column: usize) -> Result<(), Error> {
        match self.columns[column].column_type {
            ColumnType::Float | ColumnType::Integer => Ok(()),
            _ => Err(self.wrong_type(column, "numbers")),
        }
    }

    fn group_range(&self) -> Range<usize> {
        0..self.n_groups()
    }

    /// A reader with a file handle of its own, since clones of a handle share one position.
    fn reader(&self, group: usize, column: usize) -> Result<ColumnReader, Error> {
        let file = File::open(&self.path).map_err(Error::io(&self.path))?;
        let leaf = self.leaves[column];
        guarded(&self.path, || {
            let rows = self.group_rows(group);
            let group = self.metadata.row_group(group);
            let pages = SerializedPageReader::new(Arc::new(file), group.column(leaf), rows, None)?;
            Ok(get_column_reader(group.column(leaf).column_descr_ptr(), Box::new(HonestPages(pages))))
        })
    }

    /// Hands over the rows of a column chunk in batches, `missing` standing for nulls.
    fn batches<T: DataType, V: Clone>(
        &self,
        group: usize,
        column: usize,
        reader: ColumnReaderImpl<T>,
        missing: V,
        convert: impl Fn(&T::T) -> V,
        sink: &mut dyn FnMut(&[V]),
    ) -> Result<(), Error> {
        let mut rows: Vec<V> = Vec::with_capacity(BATCH.min(self.group_rows(group)));
        self.decode(group, column, reader, |values, levels| {
            rows.clear();
            match levels {
                Some(levels) if levels.len() != values.len() => {
                    let mut present = values.iter();
                    rows.extend(levels.iter().map(|&level| match level {
                        0 => missing.clone(),
                        _ => present.next().map_or_else(|| missing.clone(), &convert),
                    }));
                }
                _ => rows.extend(values.iter().map(&convert)),
            }
            sink(&rows);
        })
    }

    /// Decodes a column chunk: the values that are there, and for a column with nulls one level a
    /// row, zero where the value is missing.
    fn decode<T: DataType>(
        &self,
        group: usize,
        column: usize,
        mut reader: ColumnReaderImpl<T>,
        mut sink: impl FnMut(&[T::T], Option<&[i16]>),
    ) -> Result<(), Error> {
        let chunk = self.metadata.row_group(group).column(self.leaves[column]);
        let optional = chunk.column_descr().max_def_level() > 0;
        let mut left = self.group_rows(group);
        let mut values: Vec<T::T> = Vec::with_capacity(BATCH.min(left));
        let mut levels: Vec<i16> = Vec::with_capacity(if optional { BATCH.min(left) } else { 0 });
        while left > 0 {
            values.clear();
            levels.clear();
            let wanted = BATCH.min(left);
            let (records, _, _) = guarded(&self.path, || {
                reader.read_records(wanted, optional.then_some(&mut levels), None, &mut values)
            })?;
            if records == 0 {
                return Err(corrupt(&self.path, "a column ends before the last row"));
            }
            sink(&values, optional.then_some(levels.as_slice()));
            left = left.saturating_sub(records);
        }
        Ok(())
    }

    fn wrong_type(&self, column: usize, expected: &'static str) -> Error {
        let info = &self.columns[column];
        Error::WrongType {
            file: self.path.clone(),
            column: info.name.clone(),
            expected,
            found: info.column_type.to_string(),
        }
    }
}

/// The one place where decoding of untrusted bytes happens. The `parquet` crate checks most of
/// what it reads but indexes and asserts in places, so damaged bytes can make it panic; a panic
/// there says nothing about this program's state, and becomes the same error as any damage.
fn guarded<T>(path: &Path, decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, Error> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(corrupt(path, &error.to_string())),
        Err(_) => Err(corrupt(path, "its bytes make no sense")),
    }
}

fn corrupt(path: &Path, detail: &str) -> Error {
    let detail = detail.trim_start_matches("Parquet error: ").trim_end_matches('.').to_owned();
    Error::Corrupt { file: path.to_owned(), detail }
}

fn column_type(descriptor: &ColumnDescriptor) -> ColumnType {
    if descriptor.max_rep_level() > 0 || descriptor.max_def_level() > 1 {
        return ColumnType::Other;
    }
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => TimestampUnit::Milliseconds,
        TimeUnit::MICROS => TimestampUnit::Microseconds,
        TimeUnit::NANOS => TimestampUnit::Nanoseconds,
    };
    match (descriptor.physical_type(), descriptor.logical_type_ref(), descriptor.converted_type()) {
        (PhysicalType::DOUBLE | PhysicalType::FLOAT, _, _) => ColumnType::Float,
        (PhysicalType::INT32, Some(LogicalType::Date), _) | (PhysicalType::INT32, None, ConvertedType::DATE) => {
            ColumnType::Date
        }
        (PhysicalType::INT64, Some(LogicalType::Timestamp(timestamp)), _) => {
            ColumnType::Timestamp(unit(&timestamp.unit))
        }
        (PhysicalType::INT64, None, ConvertedType::TIMESTAMP_MILLIS) => {
            ColumnType::Timestamp(TimestampUnit::Milliseconds)
        }
        (PhysicalType::INT64, None, ConvertedType::TIMESTAMP_MICROS) => {
            ColumnType::Timestamp(TimestampUnit::Microseconds)
        }
        // A decimal's integer is not its value, and a time of day is no number: neither is read.
        (PhysicalType::INT32 | PhysicalType::INT64, Some(LogicalType::Decimal(_) | LogicalType::Time(_)), _)
        | (_, None, ConvertedType::DECIMAL | ConvertedType::TIME_MILLIS | ConvertedType::TIME_MICROS) => {
            ColumnType::Other
        }
        (PhysicalType::INT32 | PhysicalType::INT64, _, _) => ColumnType::Integer,
        (PhysicalType::BYTE_ARRAY, Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
        | (PhysicalType::BYTE_ARRAY, None, ConvertedType::UTF8 | ConvertedType::NONE) => ColumnType::Text,
        _ => ColumnType::Other,
    }
}
