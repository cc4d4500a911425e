//! Writing a table as Parquet, whole or not at all.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lotwise_core::Date;
use parquet::basic::{Compression, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use crate::Error;

/// Rows per group of a written file.
const GROUP: usize = 131_072;

/// The values of one column to be written.
#[derive(Debug, Clone, Copy)]
pub enum ColumnData<'a> {
    /// Numbers; NaN is written as missing.
    Float(&'a [f64]),
    /// Whole numbers.
    Integer(&'a [Option<i64>]),
    /// Text.
    Text(&'a [Option<&'a str>]),
    /// Civil dates.
    Date(&'a [Option<Date>]),
}

impl ColumnData<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Date(values) => values.len(),
        }
    }

    fn field(&self, name: &str) -> Result<Type, ParquetError> {
        let (physical, logical) = match self {
            Self::Float(_) => (PhysicalType::DOUBLE, None),
            Self::Integer(_) => (PhysicalType::INT64, None),
            Self::Text(_) => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Date(_) => (PhysicalType::INT32, Some(LogicalType::Date)),
        };
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical)
            .build()
    }
}

/// Writes a table with zstd compression. The file appears under its name only when it is complete.
///
/// # Errors
/// When the columns differ in length or the file cannot be written.
pub fn write_parquet(path: impl AsRef<Path>, columns: &[(&str, ColumnData<'_>)]) -> Result<(), Error> {
    let path = path.as_ref();
    let n_rows = columns.first().map_or(0, |(_, data)| data.len());
    if let Some((name, data)) = columns.iter().find(|(_, data)| data.len() != n_rows) {
        return Err(Error::UnequalColumns { column: (*name).to_owned(), expected: n_rows, found: data.len() });
    }
    write_file(path, |file| write_columns(BufWriter::new(file), columns, n_rows).map_err(std::io::Error::other))
}

/// Writes a file beside its final place and moves it there when `fill` has succeeded, so that a
/// reader never meets half of it.
///
/// # Errors
/// When the file cannot be written; nothing is left behind.
pub fn write_file(path: impl AsRef<Path>, fill: impl FnOnce(&File) -> std::io::Result<()>) -> Result<(), Error> {
    let path = path.as_ref();
    let part = part_name(path);
    let written = File::create(&part).and_then(|file| {
        fill(&file)?;
        file.sync_all()?;
        std::fs::rename(&part, path)
    });
    written.map_err(|error| {
        // The first failure is the one to report; a part that cannot be removed adds nothing.
        drop(std::fs::remove_file(&part));
        Error::io(path)(error)
    })
}

fn part_name(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(|| "table".into(), |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.part-{}", std::process::id()))
}

fn write_columns(
    sink: impl std::io::Write + Send,
    columns: &[(&str, ColumnData<'_>)],
    n_rows: usize,
) -> Result<(), ParquetError> {
    let fields = columns.iter().map(|(name, data)| data.field(name).map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?)).build();
    let mut writer = SerializedFileWriter::new(sink, schema, Arc::new(properties))?;
    let mut start = 0;
    while start < n_rows {
        let end = (start + GROUP).min(n_rows);
        let mut group = writer.next_row_group()?;
        for (_, data) in columns {
            let Some(mut column) = group.next_column()? else { break };
            match (data, column.untyped()) {
                (ColumnData::Float(values), ColumnWriter::DoubleColumnWriter(out)) => {
                    write_column(out, &values[start..end], |value| (!value.is_nan()).then_some(*value))?;
                }
                (ColumnData::Integer(values), ColumnWriter::Int64ColumnWriter(out)) => {
                    write_column(out, &values[start..end], |value| *value)?;
                }
                (ColumnData::Date(values), ColumnWriter::Int32ColumnWriter(out)) => {
                    write_column(out, &values[start..end], |value| value.map(Date::days))?;
                }
                (ColumnData::Text(values), ColumnWriter::ByteArrayColumnWriter(out)) => {
                    write_column(out, &values[start..end], |value| value.map(ByteArray::from))?;
                }
                _ => return Err(ParquetError::General("a column changed its type".into())),
            }
            column.close()?;
        }
        group.close()?;
        start = end;
    }
    writer.close()?;
    Ok(())
}

fn write_column<T: DataType, V>(
    out: &mut parquet::column::writer::ColumnWriterImpl<'_, T>,
    rows: &[V],
    value: impl Fn(&V) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let mut levels = Vec::with_capacity(rows.len());
    let mut present = Vec::with_capacity(rows.len());
    for row in rows {
        let value = value(row);
        levels.push(i16::from(value.is_some()));
        present.extend(value);
    }
    out.write_batch(&present, Some(&levels), None)?;
    Ok(())
}
