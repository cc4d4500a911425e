//! The planted signals: each is a public number that anyone could compute from the bars and reports
//! up to the close, standardised across symbols.

use lotwise_core::Regime;

use super::SignalKind;

const YEAR: usize = 252;
const MONTH: usize = 21;
const WEEK: usize = 5;
/// Sessions for which a surprise goes on to matter.
const DRIFT_SESSIONS: usize = 60;
/// Standardised values beyond this are cut, so that no symbol's expected return runs away.
const LARGEST_SCORE: f64 = 3.0;

/// What a signal may look at for one symbol, all known at the close of `session`.
pub(super) struct Known<'a> {
    pub(super) session: usize,
    /// Log of the total return index after each session so far.
    pub(super) log_index: &'a [f64],
    /// Session and size of the last surprise.
    pub(super) surprise: Option<(usize, f64)>,
}

/// The raw value of one signal for one symbol; `None` where the history is too short.
pub(super) fn raw_value(kind: SignalKind, known: &Known<'_>) -> Option<f64> {
    let ago = |sessions: usize| known.session.checked_sub(sessions).map(|at| known.log_index[at]);
    match kind {
        SignalKind::Momentum12To1 => Some(ago(MONTH)? - ago(YEAR)?),
        SignalKind::ShortTermReversal => Some(ago(WEEK)? - ago(0)?),
        SignalKind::PostEarningsDrift => {
            let (at, surprise) = known.surprise?;
            (known.session - at < DRIFT_SESSIONS).then_some(surprise)
        }
        SignalKind::VolatilityRegimeDrift => {
            ago(MONTH)?;
            let last = &known.log_index[known.session - MONTH..=known.session];
            let mean = (last[MONTH] - last[0]) / MONTH as f64;
            let squares: f64 = last.windows(2).map(|pair| (pair[1] - pair[0] - mean).powi(2)).sum();
            // The log keeps one restless symbol from dominating the cross-section.
            Some((squares / MONTH as f64).max(1e-12).ln())
        }
    }
}

/// Turns raw values into scores with mean 0 and variance 1 across the symbols that have one; the
/// others score 0. `regime` is the one of the session.
pub(super) fn standardise(kind: SignalKind, regime: Regime, values: &[Option<f64>], scores: &mut [f64]) {
    scores.fill(0.0);
    let present: Vec<f64> = values.iter().flatten().copied().collect();
    if present.len() < 2 {
        return;
    }
    let count = present.len() as f64;
    let mean = present.iter().sum::<f64>() / count;
    let spread = (present.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    if spread <= f64::EPSILON {
        return;
    }
    let sign = match (kind, regime) {
        (SignalKind::VolatilityRegimeDrift, Regime::Bear | Regime::Volatile) => -1.0,
        _ => 1.0,
    };
    for (score, value) in scores.iter_mut().zip(values) {
        if let Some(value) = value {
            *score = (sign * (value - mean) / spread).clamp(-LARGEST_SCORE, LARGEST_SCORE);
        }
    }
}
