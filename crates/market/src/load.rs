//! Price tables become a [`Panel`], bad rows become [`DataIssue`]s beside it.
//!
//! Two passes: the first reads only date and ticker and fixes the axes, the second decodes one
//! numeric column after the other straight into its aligned place. Columns are decoded in
//! parallel and each has one writer, so the result does not depend on the number of threads.

mod axes;
mod fill;
mod issue;
mod rows;
mod write;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lotwise_core::{Calendar, Date, Symbol};

use axes::Axes;
pub use issue::{DataIssue, IssueKind, Issues};
use rows::PriceRows;

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
        let panel = fill::fill(&tables, axes, path.as_ref(), &mut issues)?;
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
