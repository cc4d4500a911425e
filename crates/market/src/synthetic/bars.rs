//! From a session's return to its open, high, low, close and volume.

use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Open01, StandardNormal};

/// Part of a session's variance that falls between the last close and the open.
const OVERNIGHT_SHARE: f64 = 0.25;

/// One session of one symbol as it was traded, before later splits.
#[derive(Debug, Clone, Copy)]
pub(super) struct TradedBar {
    pub(super) open: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    pub(super) close: f64,
}

/// What happened in a session, as fractions of the last close.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionMove {
    /// Expected part of the return; it accrues between open and close, so that who trades at the open earns it.
    pub(super) expected: f64,
    /// Jump before the open.
    pub(super) jump: f64,
    /// The rest of the return.
    pub(super) shock: f64,
    /// Standard deviation of `shock`.
    pub(super) vol: f64,
}

/// A whole number of cents, at least one.
pub(super) fn to_cents(price: f64) -> f64 {
    ((price * 100.0).round() / 100.0).max(0.01)
}

/// Draws the session's path around its given return.
///
/// Splitting the shock as `share·shock + √(share(1−share))·vol·normal` makes the part before the
/// open and the part after it uncorrelated. High and low are the extremes of a Brownian bridge from
/// open to close.
pub(super) fn traded_bar(last_close: f64, moved: SessionMove, random: &mut ChaCha8Rng) -> TradedBar {
    let total = moved.expected + moved.jump + moved.shock;
    let close = to_cents(last_close * (1.0 + total.max(-0.95)));
    let normal: f64 = StandardNormal.sample(random);
    let spread = (OVERNIGHT_SHARE * (1.0 - OVERNIGHT_SHARE)).sqrt() * moved.vol;
    let overnight = moved.jump + OVERNIGHT_SHARE * moved.shock + spread * normal;
    let open = to_cents(last_close * (1.0 + overnight.max(-0.95)));
    let intraday_variance = (1.0 - OVERNIGHT_SHARE) * moved.vol * moved.vol;
    let (from, to) = (open.ln(), close.ln());
    let mut reach = || {
        let uniform: f64 = Open01.sample(random);
        ((to - from).powi(2) - 2.0 * intraday_variance * uniform.ln()).sqrt()
    };
    let high = to_cents(((from + to + reach()) / 2.0).exp()).max(open).max(close);
    let low = to_cents(((from + to - reach()) / 2.0).exp()).min(open).min(close);
    TradedBar { open, high, low, close }
}

/// Draws the volume: usual turnover, days in a row alike, more when the price moved more.
pub(super) fn volume(usual: f64, restlessness: &mut f64, moved: SessionMove, random: &mut ChaCha8Rng) -> f64 {
    let normal: f64 = StandardNormal.sample(random);
    *restlessness = 0.8 * *restlessness + 0.2 * normal;
    let size = if moved.vol > 0.0 { (moved.jump + moved.shock).abs() / moved.vol } else { 0.0 };
    (usual * (*restlessness + 0.35 * (size.min(6.0) - 0.75)).exp()).round().max(100.0)
}
