//! What is wrong with single rows of a price table, beside the good rows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lotwise_core::{BarFault, Date, Symbol};

/// The ways in which a row, a symbol or a file falls short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueKind {
    /// The row has another number of cells than the header.
    BadRow,
    /// The ticker is missing or not a symbol.
    BadSymbol,
    /// The date is missing or not a date.
    BadDate,
    /// A cell holds something else than a number.
    BadNumber,
    /// A price or the volume is missing, NaN or infinite.
    NotFinite,
    /// A price is zero or negative.
    NotPositive,
    /// The volume is negative.
    NegativeVolume,
    /// Open or close lies outside low to high.
    RangeDisorder,
    /// A price or the volume is larger than anything traded.
    TooLarge,
    /// The exchange was closed on that date.
    NotASession,
    /// The symbol has the same bar on that date already.
    Duplicate,
    /// The symbol has another bar on that date already.
    Conflict,
    /// The rows of a symbol are not in order of date. They are used all the same.
    Unsorted,
    /// The table has no adjusted close; the close stands in, so dividends are not counted.
    AdjustedCloseMissing,
    /// A symbol that was asked for is in none of the files.
    SymbolNotFound,
}

impl IssueKind {
    /// The word for it in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRow => "bad_row",
            Self::BadSymbol => "bad_symbol",
            Self::BadDate => "bad_date",
            Self::BadNumber => "bad_number",
            Self::NotFinite => "not_finite",
            Self::NotPositive => "not_positive",
            Self::NegativeVolume => "negative_volume",
            Self::RangeDisorder => "range_disorder",
            Self::TooLarge => "too_large",
            Self::NotASession => "not_a_session",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::Unsorted => "unsorted",
            Self::AdjustedCloseMissing => "adjusted_close_missing",
            Self::SymbolNotFound => "symbol_not_found",
        }
    }

    /// Whether a row with this issue is left out of the panel.
    #[must_use]
    pub const fn drops_row(self) -> bool {
        !matches!(self, Self::Unsorted | Self::AdjustedCloseMissing | Self::SymbolNotFound)
    }
}

impl From<BarFault> for IssueKind {
    fn from(fault: BarFault) -> Self {
        match fault {
            BarFault::NotFinite => Self::NotFinite,
            BarFault::NotPositive => Self::NotPositive,
            BarFault::NegativeVolume => Self::NegativeVolume,
            BarFault::OutOfOrder => Self::RangeDisorder,
            BarFault::NotASession => Self::NotASession,
            BarFault::TooLarge => Self::TooLarge,
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataIssue {
    /// The file; the folder if it concerns all files.
    pub file: PathBuf,
    /// Line of a text file (the header is line 1) or row of a Parquet file (the first is row 1).
    pub row: Option<u64>,
    /// The symbol, where the row names one.
    pub symbol: Option<Symbol>,
    /// The date, where the row has one.
    pub date: Option<Date>,
    /// What is wrong.
    pub kind: IssueKind,
    /// What is wrong, with the values at fault.
    pub message: String,
}

/// All issues of a load: each kind is counted in full, and its first cases are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issues {
    kept: Vec<DataIssue>,
    counts: BTreeMap<IssueKind, u64>,
}

impl Issues {
    /// Cases kept of each kind; a wholly broken file has millions alike.
    pub const KEPT_PER_KIND: u64 = 1000;

    /// The cases kept, in the order of files and, within a kind, rows.
    #[must_use]
    pub fn kept(&self) -> &[DataIssue] {
        &self.kept
    }

    /// How many cases there are of each kind.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<IssueKind, u64> {
        &self.counts
    }

    /// Cases of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Rows that were left out.
    #[must_use]
    pub fn dropped_rows(&self) -> u64 {
        self.counts.iter().filter(|(kind, _)| kind.drops_row()).map(|(_, count)| count).sum()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// Counts a case and keeps it if there are few of its kind so far.
    pub(crate) fn add(&mut self, kind: IssueKind, issue: impl FnOnce() -> DataIssue) {
        let count = self.counts.entry(kind).or_insert(0);
        *count += 1;
        if *count <= Self::KEPT_PER_KIND {
            self.kept.push(issue());
        }
    }
}
