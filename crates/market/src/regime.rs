//! What kind of market it is, from trailing data only (SPEC D-07).

use lotwise_core::Regime;

use crate::features::{OwnBars, SESSIONS_A_YEAR, SortedWindow, sliding_volatility};
use crate::panel::{AsOf, AssetIdx, Field};

/// Bars whose volatility is judged.
const VOLATILITY_BARS: usize = 21;
/// Volatilities that it is compared with, and how many of them there must be.
const COMPARED: usize = 756;
const COMPARED_LEAST: usize = 252;
/// Above this quantile a market is volatile.
const VOLATILE_ABOVE: f64 = 0.8;
/// Bars of the return that tells bull from bear, and its threshold.
const TREND_BARS: usize = 63;
const TREND: f64 = 0.05;

/// The regime at the close of each bar of one asset, or of each session of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegimeSeries {
    /// Session positions on the panel's axis, rising.
    pub sessions: Vec<u32>,
    /// One label for each; `None` until 252 volatilities are known, which takes 273 bars.
    pub labels: Vec<Option<Regime>>,
}

impl RegimeSeries {
    /// The label at the last session at or before `session`; `None` where there is none yet.
    #[must_use]
    pub fn at(&self, session: usize) -> Option<Regime> {
        let stop = self.sessions.partition_point(|&at| at as usize <= session);
        *self.labels.get(stop.checked_sub(1)?)?
    }
}

/// The regimes of one asset, over its own bars and adjusted closes.
#[must_use]
pub fn asset_regimes(view: &AsOf<'_>, asset: AssetIdx) -> RegimeSeries {
    let bars = OwnBars::of(view, asset);
    let log_close: Vec<f64> = bars.close.iter().map(|close| close.ln()).collect();
    RegimeSeries { labels: labels(&log_close), sessions: bars.sessions }
}

/// The regime of one asset at the end of the view, which is its last bar there; `None` where the
/// history is too short.
#[must_use]
pub fn regime_at(view: &AsOf<'_>, asset: AssetIdx) -> Option<Regime> {
    *asset_regimes(view, asset).labels.last()?
}

/// The regimes of the market that holds equal weights of `members`, rebalanced every session.
#[must_use]
pub fn market_regimes(view: &AsOf<'_>, members: &[AssetIdx]) -> RegimeSeries {
    let mut series = RegimeSeries { sessions: Vec::new(), labels: Vec::new() };
    let mut log_level = Vec::new();
    let mut level = 0.0;
    for (session, ret) in market_returns(view, members, 0).into_iter().enumerate() {
        // A wiped-out market has no level to go on from.
        let log_ret = ret.ln_1p();
        if log_ret.is_finite() {
            level += log_ret;
            series.sessions.push(session as u32);
            log_level.push(level);
        }
    }
    series.labels = labels(&log_level);
    series
}

/// Simple return of each visible session from position `first` on, averaged over those of `members`
/// that have a bar in it and in the session before; NaN where none has.
#[must_use]
pub fn market_returns(view: &AsOf<'_>, members: &[AssetIdx], first: usize) -> Vec<f64> {
    let n_sessions = view.sessions().len();
    let first = first.min(n_sessions);
    let mut sums = vec![0.0; n_sessions - first];
    let mut counts = vec![0_u32; n_sessions - first];
    for &asset in members {
        let close = view.column(asset, Field::AdjClose);
        for at in first.max(1)..n_sessions {
            let ret = close[at] / close[at - 1] - 1.0;
            if close[at] > 0.0 && close[at - 1] > 0.0 && ret.is_finite() {
                sums[at - first] += ret;
                counts[at - first] += 1;
            }
        }
    }
    sums.iter().zip(counts).map(|(sum, count)| if count == 0 { f64::NAN } else { sum / f64::from(count) }).collect()
}

/// Weights of the four regimes for a loss, proportional to one over the root of their frequency and
/// scaled so that the labels given weigh one on average; `None` for a regime that does not occur.
#[must_use]
pub fn class_weights(labels: impl IntoIterator<Item = Regime>) -> [Option<f64>; 4] {
    let mut counts = [0_u64; 4];
    for label in labels {
        counts[label as usize] += 1;
    }
    let total = counts.iter().sum::<u64>() as f64;
    let raw = counts.map(|count| (count > 0).then(|| (total / count as f64).sqrt()));
    let mean = raw.iter().zip(counts).map(|(weight, count)| weight.unwrap_or(0.0) * count as f64).sum::<f64>() / total;
    raw.map(|weight| weight.map(|weight| weight / mean))
}

/// `volatile` where the 21-bar volatility exceeds the 80th percentile of its last 756 values, the
/// current one among them; else `bull` or `bear` by the 63-bar return; else `sideways`.
fn labels(log_close: &[f64]) -> Vec<Option<Regime>> {
    let mut labels = vec![None; log_close.len()];
    let mut volatilities: Vec<f64> = Vec::with_capacity(log_close.len());
    let mut window = SortedWindow::with_capacity(COMPARED);
    sliding_volatility(log_close, VOLATILITY_BARS, |at, volatility| {
        match volatilities.len().checked_sub(COMPARED) {
            Some(leaving) => window.replace(volatilities[leaving], volatility),
            None => window.insert(volatility),
        }
        volatilities.push(volatility);
        if window.len() < COMPARED_LEAST {
            return;
        }
        let Some(threshold) = window.quantile(VOLATILE_ABOVE) else { return };
        let ret = (log_close[at] - log_close[at - TREND_BARS]).exp() - 1.0;
        labels[at] = Some(if volatility > threshold {
            Regime::Volatile
        } else if ret > TREND {
            Regime::Bull
        } else if ret < -TREND {
            Regime::Bear
        } else {
            Regime::Sideways
        });
    });
    labels
}

/// Annualised sample volatility of log returns; `None` of fewer than two or without any movement.
pub(crate) fn volatility_annual(log_returns: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (count, found) = crate::features::moments(log_returns)?;
    let volatility = (found.squares / (count - 1.0) * SESSIONS_A_YEAR).sqrt();
    (count > 1.0 && volatility > 0.0).then_some(volatility)
}
