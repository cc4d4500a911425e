//! The bars of one asset without its gaps, adjusted for splits and dividends.

use crate::panel::{AsOf, AssetIdx, Field};

/// The usable bars of one asset up to the end of a view, oldest first.
///
/// Prices are multiplied by `adj_close / close`, so returns and ranges are those of a holder who
/// reinvests (SPEC D-02). A bar with a price that is missing, zero or negative counts as a gap.
#[derive(Debug, Clone, Default)]
pub struct OwnBars {
    /// Position of each bar on the session axis of the panel, rising.
    pub sessions: Vec<u32>,
    /// First trade, adjusted.
    pub open: Vec<f64>,
    /// Highest trade, adjusted.
    pub high: Vec<f64>,
    /// Lowest trade, adjusted.
    pub low: Vec<f64>,
    /// Last trade, adjusted.
    pub close: Vec<f64>,
    /// Last trade in the source's split basis, for the value traded.
    pub unadjusted_close: Vec<f64>,
    /// Shares traded in the source's split basis; NaN where missing or negative.
    pub volume: Vec<f64>,
}

impl OwnBars {
    /// Gathers the bars of `asset` that the view can see.
    #[must_use]
    pub fn of(view: &AsOf<'_>, asset: AssetIdx) -> Self {
        Self::since(view, asset, 0)
    }

    /// Gathers the bars from session position `first` on.
    #[must_use]
    pub fn since(view: &AsOf<'_>, asset: AssetIdx, first: usize) -> Self {
        let mask = view.mask(asset);
        let column = |field| view.column(asset, field);
        let (open, high, low) = (column(Field::Open), column(Field::High), column(Field::Low));
        let (close, adj_close, volume) = (column(Field::Close), column(Field::AdjClose), column(Field::Volume));
        let room = mask.len().saturating_sub(first);
        let mut bars = Self {
            sessions: Vec::with_capacity(room),
            open: Vec::with_capacity(room),
            high: Vec::with_capacity(room),
            low: Vec::with_capacity(room),
            close: Vec::with_capacity(room),
            unadjusted_close: Vec::with_capacity(room),
            volume: Vec::with_capacity(room),
        };
        for at in first..mask.len() {
            let prices = [open[at], high[at], low[at], close[at], adj_close[at]];
            if !mask[at] || !prices.iter().all(|&price| price > 0.0 && price < f64::INFINITY) {
                continue;
            }
            let factor = adj_close[at] / close[at];
            bars.sessions.push(at as u32);
            bars.open.push(open[at] * factor);
            bars.high.push(high[at] * factor);
            bars.low.push(low[at] * factor);
            bars.close.push(adj_close[at]);
            bars.unadjusted_close.push(close[at]);
            bars.volume.push(if volume[at] >= 0.0 && volume[at] < f64::INFINITY { volume[at] } else { f64::NAN });
        }
        bars
    }

    /// Number of bars.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }
}
