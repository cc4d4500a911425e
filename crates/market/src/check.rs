//! Looks through price tables for what a person should know before trusting them.
//!
//! Rows that break a promise outright come from loading. On top of these stand patterns that are
//! possible but suspicious; each rule asks for corroboration, so that a real crash or a quiet
//! month does not drown the list.

mod patterns;
mod splits;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lotwise_core::{Calendar, Date, Symbol};
use rayon::prelude::*;

use crate::table::Table;
use crate::{AssetIdx, CorporateActions, Dataset, Error, IssueKind, Issues, LoadOptions, Panel, price_files};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Unusual, but most cases are real.
    Remark,
    /// Figures that rest on these bars will be off.
    Warning,
    /// Wrong on its face; the row was left out.
    Error,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingKind {
    /// A row or table that loading found fault with.
    Row(IssueKind),
    /// Sessions without a bar between the first and the last bar of a symbol.
    Gap,
    /// A total return of more than 40 % in a session.
    Jump,
    /// Close and adjusted close move apart by more than 15 points in a session.
    AdjustmentJump,
    /// The same price for five sessions or more, without a range or without volume.
    Stale,
    /// Prices before a split were not divided by its ratio.
    UnadjustedSplit,
}

impl FindingKind {
    /// The word for it in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Row(kind) => kind.as_str(),
            Self::Gap => "gap",
            Self::Jump => "jump",
            Self::AdjustmentJump => "adjustment_jump",
            Self::Stale => "stale",
            Self::UnadjustedSplit => "unadjusted_split",
        }
    }

    /// How much it matters.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Row(IssueKind::Duplicate | IssueKind::Unsorted) | Self::Jump => Severity::Remark,
            Self::Row(IssueKind::AdjustedCloseMissing | IssueKind::SymbolNotFound)
            | Self::Gap
            | Self::AdjustmentJump
            | Self::Stale => Severity::Warning,
            Self::Row(_) | Self::UnadjustedSplit => Severity::Error,
        }
    }
}

/// One thing found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The symbol, where the row names one.
    pub symbol: Option<Symbol>,
    /// The session, or the first of several.
    pub date: Option<Date>,
    /// What it is.
    pub kind: FindingKind,
    /// What was met, with the figures.
    pub message: String,
    /// File and row, where one row is at fault.
    pub place: Option<(PathBuf, u64)>,
}

/// Everything found at a path.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// The price tables.
    pub files: Vec<PathBuf>,
    /// Their rows.
    pub rows: u64,
    /// Symbols with bars.
    pub symbols: usize,
    /// Findings by symbol (those without one first), date and kind.
    pub findings: Vec<Finding>,
    /// How many there are of each kind; of row faults only the first
    /// [`Issues::KEPT_PER_KIND`] are listed among the findings.
    pub counts: BTreeMap<FindingKind, u64>,
}

impl CheckReport {
    /// Findings of at least this severity.
    #[must_use]
    pub fn count_from(&self, severity: Severity) -> u64 {
        self.counts.iter().filter(|(kind, _)| kind.severity() >= severity).map(|(_, count)| count).sum()
    }

    /// Findings grouped by kind, the gravest first, and by symbol within.
    #[must_use]
    pub fn grouped(&self) -> Vec<FindingGroup<'_>> {
        let mut groups: BTreeMap<FindingKind, FindingGroup<'_>> = BTreeMap::new();
        for finding in &self.findings {
            groups
                .entry(finding.kind)
                .or_insert_with(|| FindingGroup { kind: finding.kind, by_symbol: BTreeMap::new() })
                .by_symbol
                .entry(finding.symbol.as_ref())
                .or_default()
                .push(finding);
        }
        let mut sorted: Vec<_> = groups.into_values().collect();
        sorted.sort_by_key(|group| std::cmp::Reverse(group.kind.severity()));
        sorted
    }
}

/// All findings of one kind.
#[derive(Debug, Clone)]
pub struct FindingGroup<'a> {
    /// The kind.
    pub kind: FindingKind,
    /// Findings of each symbol, rising by date; those without a symbol first.
    pub by_symbol: BTreeMap<Option<&'a Symbol>, Vec<&'a Finding>>,
}

/// Checks a price file or folder, with the corporate actions beside it where there are any.
///
/// # Errors
/// When a file cannot be read at all; see [`Panel::load`].
pub fn check(path: impl AsRef<Path>, calendar: &Calendar) -> Result<CheckReport, Error> {
    let dataset = Dataset::open(path)?;
    let actions = dataset.corporate_actions()?;
    let loaded = dataset.load(&LoadOptions::default())?;
    let mut findings = row_findings(&loaded.issues);
    findings.extend(panel_findings(&loaded.panel, &actions, calendar));
    let mut counts: BTreeMap<FindingKind, u64> =
        loaded.issues.counts().iter().map(|(&kind, &count)| (FindingKind::Row(kind), count)).collect();
    for finding in findings.iter().filter(|finding| !matches!(finding.kind, FindingKind::Row(_))) {
        *counts.entry(finding.kind).or_insert(0) += 1;
    }
    findings.sort_by(|a, b| (&a.symbol, a.date, a.kind).cmp(&(&b.symbol, b.date, b.kind)));
    Ok(CheckReport { files: loaded.files, rows: loaded.rows, symbols: loaded.panel.n_assets(), findings, counts })
}

/// The patterns of every symbol of a panel, by symbol and date.
#[must_use]
pub fn panel_findings(panel: &Panel, actions: &CorporateActions, calendar: &Calendar) -> Vec<Finding> {
    let per_asset: Vec<Vec<Finding>> = (0..panel.n_assets())
        .into_par_iter()
        .map(|asset| {
            let bars = Bars::collect(panel, AssetIdx(asset));
            let unadjusted = splits::unadjusted(&bars, actions);
            let mut findings = patterns::gaps(&bars, calendar);
            findings.extend(patterns::jumps(&bars, &unadjusted, actions));
            findings.extend(patterns::stale_runs(&bars));
            findings.extend(unadjusted);
            findings.sort_by_key(|finding| (finding.date, finding.kind));
            findings
        })
        .collect();
    per_asset.into_iter().flatten().collect()
}

fn row_findings(issues: &Issues) -> Vec<Finding> {
    issues
        .kept()
        .iter()
        .map(|issue| Finding {
            symbol: issue.symbol.clone(),
            date: issue.date,
            kind: FindingKind::Row(issue.kind),
            message: issue.message.clone(),
            place: issue.row.map(|row| (issue.file.clone(), row)),
        })
        .collect()
}

/// The bars of one symbol without the gaps.
struct Bars<'a> {
    symbol: &'a Symbol,
    dates: Vec<Date>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    adj_close: Vec<f64>,
    volume: Vec<f64>,
}

impl<'a> Bars<'a> {
    fn collect(panel: &'a Panel, asset: AssetIdx) -> Self {
        let mask = panel.full_mask(asset);
        let present = |field| {
            let column = panel.full_history(asset, field);
            column.iter().zip(mask).filter(|(_, present)| **present).map(|(&value, _)| value).collect()
        };
        Self {
            symbol: &panel.symbols()[asset.0],
            dates: panel.sessions().iter().zip(mask).filter(|(_, present)| **present).map(|(&date, _)| date).collect(),
            open: present(crate::Field::Open),
            high: present(crate::Field::High),
            low: present(crate::Field::Low),
            close: present(crate::Field::Close),
            adj_close: present(crate::Field::AdjClose),
            volume: present(crate::Field::Volume),
        }
    }

    fn len(&self) -> usize {
        self.dates.len()
    }

    fn finding(&self, at: usize, kind: FindingKind, message: String) -> Finding {
        Finding { symbol: Some(self.symbol.clone()), date: Some(self.dates[at]), kind, message, place: None }
    }
}

/// How the days of a table differ from the sessions of the exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CalendarDifference {
    /// Sessions without a row.
    pub missing: Vec<Date>,
    /// Days with a row on which the exchange was closed.
    pub extra: Vec<Date>,
}

/// Compares the days of a symbol (from [`days_of`]) with the sessions from `first` to `last`.
#[must_use]
pub fn sessions_against(calendar: &Calendar, days: &[Date], first: Date, last: Date) -> CalendarDifference {
    let days: std::collections::BTreeSet<Date> =
        days.iter().copied().filter(|&day| first <= day && day <= last).collect();
    let sessions = calendar.between(first, last);
    CalendarDifference {
        missing: sessions.iter().copied().filter(|session| !days.contains(session)).collect(),
        extra: days.into_iter().filter(|&day| !calendar.is_session(day)).collect(),
    }
}

/// Every day on which the price tables at a path have a row for a symbol, before any check, rising.
///
/// # Errors
/// When a table cannot be read.
pub fn days_of(path: impl AsRef<Path>, symbol: &Symbol) -> Result<Vec<Date>, Error> {
    let mut days = std::collections::BTreeSet::new();
    for file in price_files(path.as_ref())? {
        let table = Table::open(&file)?;
        let dates = table.column_date("date")?;
        let rows =
            table.column_str("ticker")?.rows_where(|text| Symbol::parse(text).is_ok_and(|found| found == *symbol));
        days.extend(rows.into_iter().filter_map(|row| dates[row]));
    }
    Ok(days.into_iter().collect())
}
