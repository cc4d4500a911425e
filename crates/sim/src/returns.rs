//! Daily returns of several assets side by side.

use lotwise_market::{AsOf, AssetIdx, Field};

/// Sessions by which a daily variance is annualised.
pub const SESSIONS_PER_YEAR: f64 = 252.0;

/// Simple daily total returns, `[sessions, assets]`, oldest session first.
///
/// A cell is NaN where the close of the session or of the one before is missing or not a positive
/// number. No method below returns NaN.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnMatrix {
    n_assets: usize,
    n_sessions: usize,
    values: Vec<f64>,
}

impl ReturnMatrix {
    /// The returns of the last `window_sessions` visible sessions, fewer where the panel is
    /// younger. Columns follow `assets`.
    #[must_use]
    pub fn daily(market: AsOf<'_>, assets: &[AssetIdx], window_sessions: usize) -> Self {
        let end = market.sessions().len();
        let start = end.saturating_sub(window_sessions).max(1);
        let n_sessions = end.saturating_sub(start);
        let columns: Vec<&[f64]> = assets.iter().map(|&asset| market.column(asset, Field::AdjClose)).collect();
        // Session by session: what is written lies side by side, and what is read of each column soon follows itself.
        let mut values = Vec::with_capacity(n_sessions * assets.len());
        for at in start..end {
            values.extend(columns.iter().map(|closes| simple_return(closes[at - 1], closes[at])));
        }
        Self { n_assets: assets.len(), n_sessions, values }
    }

    /// Takes returns by session. Rows must have equal length; anything not finite is missing.
    #[must_use]
    pub fn from_rows(rows: &[Vec<f64>]) -> Self {
        let n_assets = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|row| row.len() == n_assets), "Invariant: rows of returns have equal length");
        let values = rows.iter().flatten().map(|&ret| if ret.is_finite() { ret } else { f64::NAN }).collect();
        Self { n_assets, n_sessions: rows.len(), values }
    }

    /// Number of columns.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.n_assets
    }

    /// Number of rows.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.n_sessions
    }

    /// The returns of one session, `[assets]`, NaN where missing.
    #[must_use]
    pub fn session(&self, row: usize) -> &[f64] {
        &self.values[row * self.n_assets..(row + 1) * self.n_assets]
    }

    /// The returns that an asset has, oldest first, gaps skipped.
    #[must_use]
    pub fn observed(&self, asset: usize) -> Vec<f64> {
        (0..self.n_sessions).map(|row| self.session(row)[asset]).filter(|ret| ret.is_finite()).collect()
    }

    /// Number of returns that an asset has.
    #[must_use]
    pub fn n_observed(&self, asset: usize) -> usize {
        (0..self.n_sessions).filter(|&row| self.session(row)[asset].is_finite()).count()
    }

    /// Only the sessions in which every asset has a return.
    #[must_use]
    pub fn complete_cases(&self) -> Self {
        let rows: Vec<&[f64]> = (0..self.n_sessions)
            .map(|row| self.session(row))
            .filter(|returns| returns.iter().all(|ret| ret.is_finite()))
            .collect();
        Self { n_assets: self.n_assets, n_sessions: rows.len(), values: rows.concat() }
    }

    /// Only the given columns, in the given order.
    #[must_use]
    pub fn columns(&self, assets: &[usize]) -> Self {
        let values =
            (0..self.n_sessions).flat_map(|row| assets.iter().map(move |&asset| self.session(row)[asset])).collect();
        Self { n_assets: assets.len(), n_sessions: self.n_sessions, values }
    }

    /// Annualised standard deviation of the asset's own returns, around their mean, with one
    /// degree of freedom lost. `None` with fewer than two returns.
    #[must_use]
    pub fn volatility_annual(&self, asset: usize) -> Option<f64> {
        let returns = self.observed(asset);
        if returns.len() < 2 {
            return None;
        }
        let mean = mean(&returns);
        let squares: f64 = returns.iter().map(|ret| (ret - mean) * (ret - mean)).sum();
        Some((squares / (returns.len() - 1) as f64 * SESSIONS_PER_YEAR).sqrt())
    }

    /// Correlation of two assets over the sessions in which both have a return.
    ///
    /// `None` with fewer than `min_common_sessions` (at least two) such sessions, or when one of
    /// the assets does not move in them.
    #[must_use]
    pub fn correlation(&self, first: usize, second: usize, min_common_sessions: usize) -> Option<f64> {
        let (left, right): (Vec<f64>, Vec<f64>) = (0..self.n_sessions)
            .map(|row| (self.session(row)[first], self.session(row)[second]))
            .filter(|(a, b)| a.is_finite() && b.is_finite())
            .unzip();
        if left.len() < min_common_sessions.max(2) {
            return None;
        }
        let (left_mean, right_mean) = (mean(&left), mean(&right));
        let (mut left_square, mut right_square, mut product) = (0.0, 0.0, 0.0);
        for (a, b) in left.iter().zip(&right) {
            left_square += (a - left_mean) * (a - left_mean);
            right_square += (b - right_mean) * (b - right_mean);
            product += (a - left_mean) * (b - right_mean);
        }
        let scale = (left_square * right_square).sqrt();
        (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
    }
}

/// Whether a close can be used: finite and positive.
pub(crate) fn usable(close: f64) -> bool {
    close.is_finite() && close > 0.0
}

fn simple_return(before: f64, after: f64) -> f64 {
    let ret = after / before - 1.0;
    if usable(before) && usable(after) && ret.is_finite() { ret } else { f64::NAN }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    #[test]
    fn volatility_and_correlation_agree_with_numpy() {
        let returns = ReturnMatrix::from_rows(&[
            vec![0.01, 0.02],
            vec![-0.02, GAP],
            vec![0.03, 0.01],
            vec![0.00, -0.01],
            vec![0.01, 0.00],
        ]);
        // numpy: std([.01,-.02,.03,0,.01], ddof=1) * sqrt(252); corrcoef without the second row.
        assert!((returns.volatility_annual(0).unwrap() - 0.288_374_756_176_75).abs() < 1e-14);
        assert!((returns.correlation(0, 1, 4).unwrap() - 0.512_989_176_042_577_1).abs() < 1e-14);
        assert_eq!(returns.correlation(0, 1, 5), None);
        assert_eq!((returns.n_observed(0), returns.n_observed(1)), (5, 4));
        assert_eq!(returns.complete_cases().n_sessions(), 4);
    }

    #[test]
    fn what_cannot_be_known_is_none_and_never_nan() {
        let returns = ReturnMatrix::from_rows(&[vec![0.0, 0.01], vec![0.0, 0.02], vec![0.0, GAP]]);
        assert_eq!(returns.volatility_annual(0), Some(0.0));
        assert_eq!(returns.correlation(0, 1, 2), None, "an asset that stands still has no correlation");
        assert_eq!(ReturnMatrix::from_rows(&[vec![0.1]]).volatility_annual(0), None);
        assert_eq!(ReturnMatrix::from_rows(&[]).n_assets(), 0);
    }
}
