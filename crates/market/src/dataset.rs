//! A price table and the side tables that lie beside it.

mod describe;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::table::Table;
use crate::{CorporateActions, Error, LoadOptions, Loaded, Membership, Panel, Tickers, price_files};

pub use describe::{Description, SymbolCoverage, TableDescription};

/// A side table that is found by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SideTable {
    /// Names and sectors.
    Tickers,
    /// Members of the index through time.
    Membership,
    /// Splits, dividends, spin-offs.
    CorporateActions,
    /// Published ratios and market values.
    FundamentalsSnapshots,
    /// Annual statements.
    FundamentalsAnnual,
    /// Share counts as filed.
    SharesOutstanding,
    /// Facts from filings with the Securities and Exchange Commission.
    CompanyFacts,
    /// Shares sold short.
    ShortInterest,
    /// Quarterly earnings and what was expected.
    Earnings,
    /// Insiders' trades.
    InsiderTransactions,
    /// Implied volatility.
    ImpliedVolatility,
    /// Headlines.
    News,
    /// Themes of the day's news.
    NewsThemes,
    /// Macroeconomic series.
    Macro,
    /// Factor returns.
    Factors,
    /// The volatility index.
    VolatilityIndex,
    /// Closes of sector funds without bars.
    SectorFundCloses,
}

impl SideTable {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Tickers,
        Self::Membership,
        Self::CorporateActions,
        Self::FundamentalsSnapshots,
        Self::FundamentalsAnnual,
        Self::SharesOutstanding,
        Self::CompanyFacts,
        Self::ShortInterest,
        Self::Earnings,
        Self::InsiderTransactions,
        Self::ImpliedVolatility,
        Self::News,
        Self::NewsThemes,
        Self::Macro,
        Self::Factors,
        Self::VolatilityIndex,
        Self::SectorFundCloses,
    ];

    /// The name of its file without the ending; `…_2012_2016` and the like may follow it.
    #[must_use]
    pub const fn file_stem(self) -> &'static str {
        match self {
            Self::Tickers => "tickers",
            Self::Membership => "sp500_membership",
            Self::CorporateActions => "corporate_actions",
            Self::FundamentalsSnapshots => "fundamentals_snapshots",
            Self::FundamentalsAnnual => "fundamentals_annual",
            Self::SharesOutstanding => "shares_outstanding_pit",
            Self::CompanyFacts => "sec_company_facts",
            Self::ShortInterest => "short_interest",
            Self::Earnings => "earnings_surprises",
            Self::InsiderTransactions => "insider_transactions",
            Self::ImpliedVolatility => "implied_vol_daily",
            Self::News => "news_headlines",
            Self::NewsThemes => "gdelt_daily_themes",
            Self::Macro => "macro_fred",
            Self::Factors => "french_factors_daily",
            Self::VolatilityIndex => "vix_daily",
            Self::SectorFundCloses => "sector_etf_extra_close",
        }
    }

    /// The column by which its rows are dated.
    #[must_use]
    pub const fn date_column(self) -> Option<&'static str> {
        match self {
            Self::Tickers | Self::FundamentalsAnnual => None,
            Self::Membership => Some("start_date"),
            Self::FundamentalsSnapshots => Some("snapshot_date"),
            Self::SharesOutstanding => Some("filed_date"),
            Self::CompanyFacts => Some("filed"),
            Self::ShortInterest => Some("settlement_date"),
            Self::Earnings => Some("earnings_date"),
            Self::InsiderTransactions => Some("transaction_date"),
            Self::News => Some("published_at"),
            Self::CorporateActions
            | Self::ImpliedVolatility
            | Self::NewsThemes
            | Self::Macro
            | Self::Factors
            | Self::VolatilityIndex
            | Self::SectorFundCloses => Some("date"),
        }
    }
}

/// Where the price tables are and what lies beside them. Nothing is read until it is asked for.
#[derive(Debug, Clone)]
pub struct Dataset {
    path: PathBuf,
    folder: PathBuf,
    prices: Vec<PathBuf>,
    tables: BTreeMap<SideTable, PathBuf>,
}

impl Dataset {
    /// Looks at a price file, with the side tables in its folder, or at a folder.
    ///
    /// # Errors
    /// When the path cannot be read or the folder has no price table.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        std::fs::metadata(path).map_err(Error::io(path))?;
        let prices = price_files(path)?;
        let folder = if path.is_dir() {
            path.to_owned()
        } else {
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(Error::io(&folder))? {
            let file = entry.map_err(Error::io(&folder))?.path();
            if file.is_file() {
                names.push(file);
            }
        }
        names.sort();
        let tables = SideTable::ALL.iter().filter_map(|&side| Some((side, find(&names, side)?))).collect();
        Ok(Self { path: path.to_owned(), folder, prices, tables })
    }

    /// The path that was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder in which the side tables were looked for.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The price tables, in the order in which their bars count.
    #[must_use]
    pub fn price_files(&self) -> &[PathBuf] {
        &self.prices
    }

    /// Where a side table lies, `None` where there is none.
    #[must_use]
    pub fn table_path(&self, side: SideTable) -> Option<&Path> {
        self.tables.get(&side).map(PathBuf::as_path)
    }

    /// Opens a side table, `None` where there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn table(&self, side: SideTable) -> Result<Option<Table>, Error> {
        self.table_path(side).map(Table::open).transpose()
    }

    /// Loads the bars.
    ///
    /// # Errors
    /// As [`Panel::load`].
    pub fn load(&self, options: &LoadOptions) -> Result<Loaded, Error> {
        Panel::load(&self.path, options)
    }

    /// Corporate actions; nothing where there is no table.
    ///
    /// # Errors
    /// When the table is there and cannot be read.
    pub fn corporate_actions(&self) -> Result<CorporateActions, Error> {
        let path = self.table_path(SideTable::CorporateActions);
        path.map_or_else(|| Ok(CorporateActions::default()), CorporateActions::open)
    }

    /// Names and sectors, `None` where there is no table.
    ///
    /// # Errors
    /// When the table is there and cannot be read.
    pub fn tickers(&self) -> Result<Option<Tickers>, Error> {
        self.table_path(SideTable::Tickers).map(Tickers::open).transpose()
    }

    /// Members of the index through time, `None` where there is no table.
    ///
    /// # Errors
    /// When the table is there and cannot be read.
    pub fn membership(&self) -> Result<Option<Membership>, Error> {
        self.table_path(SideTable::Membership).map(Membership::open).transpose()
    }
}

/// The file with exactly the table's name, else the first whose name goes on after an underscore.
fn find(files: &[PathBuf], side: SideTable) -> Option<PathBuf> {
    let stem_of = |file: &Path| -> Option<String> {
        let extension = file.extension()?.to_str()?.to_ascii_lowercase();
        matches!(extension.as_str(), "parquet" | "csv").then_some(())?;
        Some(file.file_stem()?.to_str()?.to_ascii_lowercase())
    };
    let exact = |stem: &str| stem == side.file_stem();
    let longer = |stem: &str| stem.strip_prefix(side.file_stem()).is_some_and(|rest| rest.starts_with('_'));
    files
        .iter()
        .rev()
        .find(|file| stem_of(file).is_some_and(|stem| exact(&stem)))
        .or_else(|| files.iter().find(|file| stem_of(file).is_some_and(|stem| longer(&stem))))
        .cloned()
}
