//! Many symbols on one time axis, with an explicit mask, and the view that cannot see ahead.

use std::ops::RangeInclusive;

use lotwise_core::{Date, Price, RawBar, Symbol};

/// Position of a symbol in a [`Panel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetIdx(pub usize);

/// Position of a session in a [`Panel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionIdx(pub usize);

/// One numeric column of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// First trade, in the source's split basis.
    Open,
    /// Highest trade, in the source's split basis.
    High,
    /// Lowest trade, in the source's split basis.
    Low,
    /// Last trade, in the source's split basis.
    Close,
    /// Close adjusted for splits and dividends.
    AdjClose,
    /// Shares traded, in the source's split basis.
    Volume,
}

impl Field {
    /// All columns in storage order.
    pub const ALL: [Self; 6] = [Self::Open, Self::High, Self::Low, Self::Close, Self::AdjClose, Self::Volume];
}

/// Daily bars of many symbols, aligned on the union of their sessions.
///
/// Storage is asset-major: the values of asset `a` in session `t` stand at `a * n_sessions + t`.
/// A cell without a bar is NaN in every column and unset in the mask.
#[derive(Debug, Clone, Default)]
pub struct Panel {
    symbols: Vec<Symbol>,
    sessions: Vec<Date>,
    columns: [Vec<f64>; 6],
    mask: Vec<bool>,
}

impl Panel {
    /// Aligns rows that are already sorted into one group per symbol.
    ///
    /// Symbols keep rising order whatever the order of the groups; sessions are the union of the
    /// dates. Of two rows with one date the later row wins.
    #[must_use]
    pub fn from_groups(groups: &[(Symbol, Vec<RawBar>)]) -> Self {
        let mut sessions: Vec<Date> = groups.iter().flat_map(|(_, rows)| rows.iter().map(|row| row.date)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        let mut order: Vec<usize> = (0..groups.len()).collect();
        order.sort_by(|&a, &b| groups[a].0.cmp(&groups[b].0));
        let mut panel = Self::empty(order.iter().map(|&at| groups[at].0.clone()).collect(), sessions);
        for (asset_idx, &at) in order.iter().enumerate() {
            for row in &groups[at].1 {
                if let Ok(session_idx) = panel.sessions.binary_search(&row.date) {
                    panel.set(AssetIdx(asset_idx), SessionIdx(session_idx), row);
                }
            }
        }
        panel
    }

    /// A panel without any bar. `symbols` and `sessions` must be sorted and free of duplicates.
    #[must_use]
    pub fn empty(symbols: Vec<Symbol>, sessions: Vec<Date>) -> Self {
        debug_assert!(symbols.is_sorted() && sessions.is_sorted(), "axes are sorted");
        let cells = symbols.len() * sessions.len();
        Self { columns: std::array::from_fn(|_| vec![f64::NAN; cells]), mask: vec![false; cells], symbols, sessions }
    }

    /// A panel from columns that are already aligned, asset-major, NaN wherever the mask is unset.
    pub(crate) fn from_parts(
        symbols: Vec<Symbol>,
        sessions: Vec<Date>,
        columns: [Vec<f64>; 6],
        mask: Vec<bool>,
    ) -> Self {
        debug_assert!(symbols.is_sorted() && sessions.is_sorted(), "axes are sorted");
        debug_assert!(columns.iter().all(|column| column.len() == mask.len()), "columns have one length");
        Self { symbols, sessions, columns, mask }
    }

    /// Stores one bar.
    pub fn set(&mut self, asset: AssetIdx, session: SessionIdx, bar: &RawBar) {
        let cell = asset.0 * self.sessions.len() + session.0;
        let values = [bar.open, bar.high, bar.low, bar.close, bar.adj_close, bar.volume];
        for (column, value) in self.columns.iter_mut().zip(values) {
            column[cell] = value;
        }
        self.mask[cell] = true;
    }

    /// The symbols, rising.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The sessions, rising.
    #[must_use]
    pub fn sessions(&self) -> &[Date] {
        &self.sessions
    }

    /// Number of symbols.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.symbols.len()
    }

    /// Number of sessions.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Where a symbol stands.
    #[must_use]
    pub fn asset(&self, symbol: &Symbol) -> Option<AssetIdx> {
        self.symbols.binary_search(symbol).ok().map(AssetIdx)
    }

    /// The last session on or before `date`.
    #[must_use]
    pub fn session_on_or_before(&self, date: Date) -> Option<SessionIdx> {
        self.sessions.partition_point(|&session| session <= date).checked_sub(1).map(SessionIdx)
    }

    /// The view at the close of the last session on or before `date`; `None` before the first.
    #[must_use]
    pub fn as_of(&self, date: Date) -> Option<AsOf<'_>> {
        self.session_on_or_before(date).map(|end| AsOf { panel: self, end })
    }

    /// The view at the close of session `end`.
    #[must_use]
    pub fn at(&self, end: SessionIdx) -> AsOf<'_> {
        assert!(end.0 < self.sessions.len(), "Invariant: a SessionIdx belongs to its panel");
        AsOf { panel: self, end }
    }

    /// Indices of all assets.
    pub fn assets(&self) -> impl Iterator<Item = AssetIdx> + use<> {
        (0..self.symbols.len()).map(AssetIdx)
    }

    /// The whole history of one column, for whole-panel computations that are causal by
    /// construction (each output row `t` reads rows up to `t`), for evaluation and for charts.
    /// Decisions take an [`AsOf`] instead.
    #[must_use]
    pub fn full_history(&self, asset: AssetIdx, field: Field) -> &[f64] {
        let start = asset.0 * self.sessions.len();
        &self.columns[field as usize][start..start + self.sessions.len()]
    }

    /// Which sessions of an asset have a bar, over the whole history; see [`Panel::full_history`].
    #[must_use]
    pub fn full_mask(&self, asset: AssetIdx) -> &[bool] {
        let start = asset.0 * self.sessions.len();
        &self.mask[start..start + self.sessions.len()]
    }
}

/// What was known at the close of session `end`: every accessor stops there, so nothing that is
/// computed from it can look ahead (SPEC D-03).
#[derive(Debug, Clone, Copy)]
pub struct AsOf<'a> {
    panel: &'a Panel,
    end: SessionIdx,
}

impl<'a> AsOf<'a> {
    /// The last visible session.
    #[must_use]
    pub fn end(&self) -> SessionIdx {
        self.end
    }

    /// The date of the last visible session.
    #[must_use]
    pub fn date(&self) -> Date {
        self.panel.sessions[self.end.0]
    }

    /// Visible sessions, rising.
    #[must_use]
    pub fn sessions(&self) -> &'a [Date] {
        &self.panel.sessions[..=self.end.0]
    }

    /// The symbols, rising.
    #[must_use]
    pub fn symbols(&self) -> &'a [Symbol] {
        &self.panel.symbols
    }

    /// Where a symbol stands.
    #[must_use]
    pub fn asset(&self, symbol: &Symbol) -> Option<AssetIdx> {
        self.panel.asset(symbol)
    }

    /// One column of an asset up to and including the last visible session; NaN without a bar.
    #[must_use]
    pub fn column(&self, asset: AssetIdx, field: Field) -> &'a [f64] {
        let start = asset.0 * self.panel.sessions.len();
        &self.panel.columns[field as usize][start..=start + self.end.0]
    }

    /// Which visible sessions of an asset have a bar.
    #[must_use]
    pub fn mask(&self, asset: AssetIdx) -> &'a [bool] {
        let start = asset.0 * self.panel.sessions.len();
        &self.panel.mask[start..=start + self.end.0]
    }

    /// The same knowledge at an earlier session.
    #[must_use]
    pub fn earlier(&self, end: SessionIdx) -> Self {
        Self { panel: self.panel, end: SessionIdx(end.0.min(self.end.0)) }
    }

    /// Session and close of the last visible bar, in the source's split basis.
    #[must_use]
    pub fn last_close(&self, asset: AssetIdx) -> Option<(Date, f64)> {
        let at = self.mask(asset).iter().rposition(|&present| present)?;
        Some((self.panel.sessions[at], self.column(asset, Field::Close)[at]))
    }

    /// The last visible close as an exact price, in the source's split basis.
    #[must_use]
    pub fn last_price(&self, asset: AssetIdx) -> Option<(Date, Price)> {
        let (date, close) = self.last_close(asset)?;
        Some((date, Price::from_f64(close)?))
    }

    /// Adjusted closes of the last bars of an asset, oldest first, at most `count`, gaps skipped.
    #[must_use]
    pub fn last_adj_closes(&self, asset: AssetIdx, count: usize) -> Vec<f64> {
        let column = self.column(asset, Field::AdjClose);
        let mut values: Vec<f64> = column.iter().rev().copied().filter(|value| value.is_finite()).take(count).collect();
        values.reverse();
        values
    }

    /// Simple total returns of an asset over the visible sessions in `range` (session positions),
    /// NaN where either end has no bar.
    #[must_use]
    pub fn returns(&self, asset: AssetIdx, range: RangeInclusive<usize>) -> Vec<f64> {
        let column = self.column(asset, Field::AdjClose);
        range
            .map(|at| if at == 0 || at >= column.len() { f64::NAN } else { column[at] / column[at - 1] - 1.0 })
            .collect()
    }
}
