//! A dataset on the local disk in the role of a provider.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lotwise_core::{Calendar, Date, Instant, RawBar, Symbol};

use super::new_york::close_of;
use super::{Distribution, DistributionKind, FetchedSeries, PriceProvider, ProviderError};
use crate::{AssetIdx, CorporateActions, Error, Field, LoadOptions, Panel};

/// Daily prices from a file or folder in the layout of a price table, with the folder's
/// `corporate_actions.parquet` or `.csv` where there is one.
#[derive(Debug, Clone)]
pub struct FolderProvider {
    path: PathBuf,
    name: String,
    calendar: Calendar,
}

impl FolderProvider {
    /// A provider that reads `path`; nothing is read yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: format!("folder {}", path.display()), path, calendar: Calendar::new_york() }
    }

    fn actions_file(&self) -> Option<PathBuf> {
        let folder = if self.path.is_dir() { self.path.as_path() } else { self.path.parent()? };
        ["corporate_actions.parquet", "corporate_actions.csv"]
            .into_iter()
            .map(|name| folder.join(name))
            .find(|file| file.is_file())
    }
}

impl PriceProvider for FolderProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn daily(&self, symbol: &Symbol, from: Date, to: Date) -> Result<FetchedSeries, ProviderError> {
        let unusable = |error: Error| ProviderError::LocalFile { detail: error.to_string() };
        let symbols = Some(BTreeSet::from([symbol.clone()]));
        let options = LoadOptions { symbols, from: Some(from), to: Some(to) };
        let loaded = Panel::load(&self.path, &options).map_err(unusable)?;
        let bars = loaded.panel.asset(symbol).map_or_else(Vec::new, |asset| bars_of(&loaded.panel, asset));
        let Some(last) = bars.last() else {
            let provider = self.name.clone();
            return Err(ProviderError::NoBars { provider, symbol: symbol.clone(), from, to });
        };
        let closed = close_of(&self.calendar, last.date);
        let quoted_at = closed.unwrap_or(Instant(i64::from(last.date.days()) * 86_400_000));
        let skipped = loaded.issues.kept().iter().filter(|issue| issue.kind.drops_row());
        let skipped = skipped.filter_map(|issue| Some((issue.date?, issue.message.clone()))).collect();
        let mut series = FetchedSeries {
            symbol: symbol.clone(),
            provider: self.name.clone(),
            bars,
            distributions: Vec::new(),
            splits: Vec::new(),
            quoted_at,
            skipped,
        };
        if let Some(file) = self.actions_file() {
            read_actions(&file, &mut series).map_err(unusable)?;
        }
        Ok(series)
    }
}

fn bars_of(panel: &Panel, asset: AssetIdx) -> Vec<RawBar> {
    let column = |field| panel.full_history(asset, field);
    let columns = Field::ALL.map(column);
    let present = panel.full_mask(asset).iter().enumerate().filter(|(_, present)| **present);
    present
        .map(|(at, _)| {
            let [open, high, low, close, adj_close, volume] = columns.map(|values| values[at]);
            RawBar { date: panel.sessions()[at], open, high, low, close, adj_close, volume }
        })
        .collect()
}

fn read_actions(file: &Path, series: &mut FetchedSeries) -> Result<(), Error> {
    let actions = CorporateActions::open(file)?;
    let symbol = &series.symbol;
    for dividend in actions.dividends(symbol) {
        let (ex_date, amount) = (dividend.ex_date, dividend.per_share);
        series.distributions.push(Distribution { ex_date, amount, kind: DistributionKind::Dividend });
    }
    series.splits.extend(actions.splits(symbol).iter().map(|split| (split.ex_date, split.ratio())));
    for spinoff in actions.spinoff_like(symbol) {
        series.splits.push((spinoff.ex_date, spinoff.ratio));
        let ex_date = spinoff.ex_date;
        let paid =
            spinoff.distribution.map(|amount| Distribution { ex_date, amount, kind: DistributionKind::Dividend });
        series.distributions.extend(paid);
    }
    series.distributions.sort_by_key(|distribution| distribution.ex_date);
    series.splits.sort_by_key(|&(date, _)| date);
    Ok(())
}
