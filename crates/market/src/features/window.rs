//! The stretch of features that an encoder reads at one decision (SPEC D-06).

use super::cube::AssetFeatures;
use super::{FEATURES, defined_mask};
use crate::panel::SessionIdx;

/// Bars in a window unless a config says otherwise.
pub const WINDOW: usize = 64;

/// Bars that only feed the moving averages and never stand in a window.
pub const WARM_UP: usize = 20;

/// The last bars of one asset at one session, oldest first, left-padded where the asset is young.
///
/// A full window of `T` rows takes `T + WARM_UP` bars. Undefined features and padding hold a zero
/// as a placeholder, which only means something where `defined` or `present` says so.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureWindow {
    /// `[T × FEATURES]`, row-major.
    pub values: Vec<f32>,
    /// One bit for each feature of each row, the lowest for feature 0; zero in padding.
    pub defined: Vec<u16>,
    /// Which rows are bars; the padding stands on the left.
    pub present: Vec<bool>,
    /// Session of the last row; older than the session asked for when the asset did not trade.
    pub last: Option<SessionIdx>,
}

impl FeatureWindow {
    /// The last `length` rows at or before session `end`.
    #[must_use]
    pub(super) fn of(features: &AssetFeatures, end: SessionIdx, length: usize) -> Self {
        let stop = features.bars_until(end);
        let count = stop.saturating_sub(WARM_UP).min(length);
        let padding = length - count;
        let mut window = Self {
            values: vec![0.0; length * FEATURES],
            defined: vec![0; length],
            present: vec![false; length],
            last: stop.checked_sub(1).map(|at| SessionIdx(features.sessions[at] as usize)),
        };
        for (row, at) in features.rows[stop - count..stop].iter().zip(padding..) {
            window.present[at] = true;
            window.defined[at] = defined_mask(row);
            let cells = &mut window.values[at * FEATURES..(at + 1) * FEATURES];
            for (cell, &value) in cells.iter_mut().zip(row) {
                *cell = if value.is_nan() { 0.0 } else { value };
            }
        }
        window
    }

    /// Whether every row is a bar.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.present.first().copied().unwrap_or(true)
    }
}
