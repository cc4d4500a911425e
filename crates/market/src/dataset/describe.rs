//! What a dataset holds, for `data describe`.

use std::path::PathBuf;

use lotwise_core::{Calendar, Date, Symbol};

use super::{Dataset, SideTable};
use crate::{Error, Issues, LoadOptions, Panel, Sector};

/// What a dataset holds.
#[derive(Debug, Clone)]
pub struct Description {
    /// The price tables.
    pub files: Vec<PathBuf>,
    /// Rows of the price tables.
    pub rows: u64,
    /// Bars of the panel.
    pub bars: u64,
    /// Sessions with at least one bar.
    pub sessions: usize,
    /// First session.
    pub first: Option<Date>,
    /// Last session.
    pub last: Option<Date>,
    /// Bars over the sessions between each symbol's first and last bar, 0 to 1; `None` without bars.
    pub coverage: Option<f64>,
    /// Each symbol, rising.
    pub symbols: Vec<SymbolCoverage>,
    /// Rows that were left out, and remarks.
    pub issues: Issues,
    /// Each side table, there or not.
    pub tables: Vec<TableDescription>,
}

/// How far the bars of a symbol reach.
#[derive(Debug, Clone, PartialEq)]
pub struct SymbolCoverage {
    /// The symbol.
    pub symbol: Symbol,
    /// Its sector; [`Sector::Unknown`] where no table says.
    pub sector: Sector,
    /// First bar.
    pub first: Date,
    /// Last bar.
    pub last: Date,
    /// Number of bars.
    pub bars: usize,
    /// Sessions of the exchange between first and last without a bar.
    pub missing: usize,
}

/// One side table.
#[derive(Debug, Clone)]
pub struct TableDescription {
    /// Which one.
    pub side: SideTable,
    /// Where it lies, `None` when it is not there.
    pub path: Option<PathBuf>,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub columns: Vec<String>,
    /// Distinct symbols, where it has a column `ticker`.
    pub symbols: Option<usize>,
    /// Earliest date of its rows.
    pub first: Option<Date>,
    /// Latest date of its rows.
    pub last: Option<Date>,
    /// Why it cannot be read, though it is there.
    pub problem: Option<String>,
}

impl Dataset {
    /// Reads everything once and says what is there. A side table that cannot be read is described
    /// with its problem and is no error.
    ///
    /// # Errors
    /// When the price tables cannot be read.
    pub fn describe(&self) -> Result<Description, Error> {
        let loaded = self.load(&LoadOptions::default())?;
        let tickers = self.tickers().ok().flatten().unwrap_or_default();
        let symbols = coverage(&loaded.panel, |symbol| tickers.sector(symbol));
        let bars: usize = symbols.iter().map(|symbol| symbol.bars).sum();
        let missing: usize = symbols.iter().map(|symbol| symbol.missing).sum();
        Ok(Description {
            files: loaded.files,
            rows: loaded.rows,
            bars: bars as u64,
            sessions: loaded.panel.n_sessions(),
            first: loaded.panel.sessions().first().copied(),
            last: loaded.panel.sessions().last().copied(),
            coverage: (bars > 0).then(|| bars as f64 / (bars + missing) as f64),
            symbols,
            issues: loaded.issues,
            tables: SideTable::ALL.iter().map(|&side| self.describe_table(side)).collect(),
        })
    }

    fn describe_table(&self, side: SideTable) -> TableDescription {
        let mut description = TableDescription {
            side,
            path: self.table_path(side).map(Into::into),
            rows: 0,
            columns: Vec::new(),
            symbols: None,
            first: None,
            last: None,
            problem: None,
        };
        if let Err(error) = self.read_into(side, &mut description) {
            description.problem = Some(error.to_string());
        }
        description
    }

    fn read_into(&self, side: SideTable, description: &mut TableDescription) -> Result<(), Error> {
        let Some(table) = self.table(side)? else { return Ok(()) };
        description.rows = table.n_rows();
        description.columns = table.columns().iter().map(|info| info.name.clone()).collect();
        if table.has("ticker") {
            description.symbols = Some(table.column_str("ticker")?.distinct().len());
        }
        if let Some(column) = side.date_column().filter(|column| table.has(column)) {
            let dates = table.column_date(column)?;
            description.first = dates.iter().flatten().min().copied();
            description.last = dates.iter().flatten().max().copied();
        }
        Ok(())
    }
}

fn coverage(panel: &Panel, sector: impl Fn(&Symbol) -> Sector) -> Vec<SymbolCoverage> {
    let calendar = Calendar::new_york();
    let mut symbols = Vec::with_capacity(panel.n_assets());
    for asset in panel.assets() {
        let mask = panel.full_mask(asset);
        let (Some(start), Some(end)) =
            (mask.iter().position(|&present| present), mask.iter().rposition(|&present| present))
        else {
            continue;
        };
        let (first, last) = (panel.sessions()[start], panel.sessions()[end]);
        let bars = mask.iter().filter(|&&present| present).count();
        let symbol = panel.symbols()[asset.0].clone();
        symbols.push(SymbolCoverage {
            sector: sector(&symbol),
            symbol,
            first,
            last,
            bars,
            missing: calendar.between(first, last).len().saturating_sub(bars),
        });
    }
    symbols
}
