//! Names and sectors of symbols.

use std::collections::BTreeMap;
use std::path::Path;

use lotwise_core::Symbol;

use crate::Error;
use crate::metadata::Sector;
use crate::table::{Table, TextColumn};

/// What the list of tickers says of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticker {
    /// Name of the company or fund.
    pub name: Option<String>,
    /// Sector as last known, not as of a day.
    pub sector: Sector,
    /// Finer class within the sector.
    pub sub_industry: Option<String>,
}

/// The list of tickers; empty where no table is at hand.
#[derive(Debug, Clone, Default)]
pub struct Tickers {
    by_symbol: BTreeMap<Symbol, Ticker>,
}

impl Tickers {
    /// Reads a table with the column `ticker` and, where they are there, `name`, `gics_sector` and
    /// `gics_sub_industry`. Rows without a symbol are left out.
    ///
    /// # Errors
    /// When the file cannot be read or has no column `ticker`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let table = Table::open(path)?;
        let symbols = table.column_str("ticker")?;
        let optional = |column: &str| -> Result<TextColumn, Error> {
            if table.has(column) { table.column_str(column) } else { Ok(TextColumn::default()) }
        };
        let (names, sectors, industries) =
            (optional("name")?, optional("gics_sector")?, optional("gics_sub_industry")?);
        let mut by_symbol = BTreeMap::new();
        for (row, text) in symbols.iter().enumerate() {
            if let Some(symbol) = text.and_then(|text| Symbol::parse(text).ok()) {
                by_symbol.insert(
                    symbol,
                    Ticker {
                        name: names.get(row).map(str::to_owned),
                        sector: sectors.get(row).map_or(Sector::Unknown, Sector::from_name),
                        sub_industry: industries.get(row).map(str::to_owned),
                    },
                );
            }
        }
        Ok(Self { by_symbol })
    }

    /// What is known of a symbol.
    #[must_use]
    pub fn get(&self, symbol: &Symbol) -> Option<&Ticker> {
        self.by_symbol.get(symbol)
    }

    /// The sector of a symbol; [`Sector::Unknown`] where it is not listed.
    #[must_use]
    pub fn sector(&self, symbol: &Symbol) -> Sector {
        self.get(symbol).map_or(Sector::Unknown, |ticker| ticker.sector)
    }

    /// All entries, rising by symbol.
    pub fn iter(&self) -> impl Iterator<Item = (&Symbol, &Ticker)> {
        self.by_symbol.iter()
    }
}

impl FromIterator<(Symbol, Ticker)> for Tickers {
    fn from_iter<I: IntoIterator<Item = (Symbol, Ticker)>>(entries: I) -> Self {
        Self { by_symbol: entries.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_are_read_and_what_is_absent_is_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tickers.csv");
        std::fs::write(&path, "ticker,name,gics_sector\nAAA,\"Acme, Inc.\",Real Estate\nFND,Fund,ETF\nIDX,,INDEX\n")
            .unwrap();
        let tickers = Tickers::open(&path).unwrap();
        let sector = |text: &str| tickers.sector(&Symbol::parse(text).unwrap());
        assert_eq!([sector("AAA"), sector("FND"), sector("ZZZ")], [Sector::RealEstate, Sector::Fund, Sector::Unknown]);
        assert_eq!(tickers.get(&Symbol::parse("AAA").unwrap()).unwrap().name.as_deref(), Some("Acme, Inc."));
        std::fs::write(&path, "ticker\nAAA\n").unwrap();
        assert_eq!(Tickers::open(&path).unwrap().sector(&Symbol::parse("AAA").unwrap()), Sector::Unknown);
        std::fs::write(&path, "symbol\nAAA\n").unwrap();
        assert!(matches!(Tickers::open(&path), Err(Error::MissingColumn { .. })));
    }
}
