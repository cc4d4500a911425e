//! What can go wrong between a file of market data and its use.

use std::path::PathBuf;

/// Why market data cannot be read or written. A single bad row is not an error but a
/// data issue beside the good rows.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot read or write {}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file has no bytes.
    #[error("{} is empty", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The name says Parquet and the content does not.
    #[error("{} is named .parquet but does not start as a Parquet file", file.display())]
    NotParquet {
        /// The file.
        file: PathBuf,
    },
    /// A Parquet file that is cut short or damaged.
    #[error("{} is damaged or cut short: {detail}; copy or download it again", file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// What the decoder met.
        detail: String,
    },
    /// A text file that is not UTF-8.
    #[error("{} is {found}, not UTF-8 text; save it again as UTF-8 CSV", file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The encoding it seems to have.
        found: &'static str,
    },
    /// A text table whose rows do not hold together.
    #[error("{}, line {line}: {detail}", file.display())]
    Csv {
        /// The file.
        file: PathBuf,
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong there.
        detail: String,
    },
    /// A cell of a side table that does not hold what its column promises.
    #[error("{}, line {line}, column {column:?}: {value:?} is not {expected}", file.display())]
    BadCell {
        /// The file.
        file: PathBuf,
        /// Line of a text file or row of a Parquet file, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there, clipped.
        value: String,
        /// What should stand there.
        expected: &'static str,
    },
    /// A column that the reader needs is not there.
    #[error("{} has no column {column:?}; it has {}", file.display(), list(found))]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column that was looked for.
        column: String,
        /// The columns that are there.
        found: Vec<String>,
    },
    /// A column holds another type.
    #[error("{}: column {column:?} holds {found}, expected {expected}", file.display())]
    WrongType {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// What was asked for.
        expected: &'static str,
        /// What the file declares.
        found: String,
    },
    /// Header and nothing below it.
    #[error("{} has columns but no rows", file.display())]
    NoRows {
        /// The file.
        file: PathBuf,
    },
    /// More than this program is willing to hold.
    #[error("{} is too large: {what}; the limit is {limit}", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// What is too large, with its size.
        what: String,
        /// The limit.
        limit: String,
    },
    /// A folder without a price table.
    #[error("{} holds no price table (prices*.parquet or prices*.csv)", folder.display())]
    NoPriceTable {
        /// The folder.
        folder: PathBuf,
    },
    /// Columns of different lengths cannot make one table.
    #[error("column {column:?} has {found} rows, the first column has {expected}")]
    UnequalColumns {
        /// The column.
        column: String,
        /// Rows of the first column.
        expected: usize,
        /// Rows of this column.
        found: usize,
    },
}

impl Error {
    /// For `map_err` on operations on a path.
    pub(crate) fn io(file: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let file = file.into();
        move |source| Self::Io { file, source }
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    if text.is_empty() { "no columns".into() } else { text }
}
