//! The sixteen bar features of one asset (SPEC D-04), each linear in the bars.

use super::bars::OwnBars;
use super::rolling::{sliding_means, sliding_moments};
use super::{FEATURES, FeatureRow};

/// Sessions in a year, for annualising.
pub const SESSIONS_A_YEAR: f64 = 252.0;

/// One row of features for each bar; NaN where a feature is not defined yet or cannot be.
///
/// Where a recursion has to start somewhere:
/// - both averages of the MACD start at the first close (weights `2 / (n + 1)`) and are shown from
///   the 26th bar on, the histogram from the 34th, when its own nine-bar average has nine values;
/// - Wilder's averages of RSI and ATR start as the plain mean of the first 14 changes and are
///   shown from the 15th bar on.
#[must_use]
pub fn feature_rows(bars: &OwnBars) -> Vec<FeatureRow> {
    // A column at a time, since a feature walks the bars in order; the rows are put together last.
    let mut columns: Columns = std::array::from_fn(|_| vec![f32::NAN; bars.len()]);
    let log_close: Vec<f64> = bars.close.iter().map(|close| close.ln()).collect();
    returns_and_gaps(&mut columns, bars, &log_close);
    moving_averages(&mut columns, bars);
    convergence(&mut columns, &bars.close);
    strength_and_range(&mut columns, bars);
    realised_volatility(&mut columns, &log_close);
    volumes(&mut columns, bars);
    (0..bars.len())
        .map(|at| {
            columns.each_ref().map(|column| {
                // Prices at the edge of what a float holds can still overflow; that is no value either.
                let value = column[at];
                if value.is_finite() { value } else { f32::NAN }
            })
        })
        .collect()
}

/// One value for each bar, feature by feature.
type Columns = [Vec<f32>; FEATURES];

/// Annualised volatility of the log returns of the last `width` bars, for each position that has
/// them: `visit(at, volatility)`. Sample deviation times √252.
pub fn sliding_volatility(log_close: &[f64], width: usize, mut visit: impl FnMut(usize, f64)) {
    let log_returns: Vec<f64> = log_close.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let scale = SESSIONS_A_YEAR / (width as f64 - 1.0);
    sliding_moments(&log_returns, width, |at, found| visit(at + 1, (found.squares * scale).sqrt()));
}

/// 0, 1, 2 log returns over 1, 5 and 21 bars; 13 range of the bar; 14 overnight gap.
fn returns_and_gaps(columns: &mut Columns, bars: &OwnBars, log_close: &[f64]) {
    for (feature, span) in [(0, 1), (1, 5), (2, 21)] {
        let later = columns[feature].iter_mut().zip(log_close).skip(span);
        for ((value, now), before) in later.zip(log_close) {
            *value = (now - before) as f32;
        }
    }
    for (at, value) in columns[13].iter_mut().enumerate() {
        *value = ((bars.high[at] - bars.low[at]) / bars.close[at]) as f32;
    }
    for ((value, open), before) in columns[14].iter_mut().zip(&bars.open).skip(1).zip(log_close) {
        *value = (open.ln() - before) as f32;
    }
}

/// 3, 4, 5 close over its mean of 5, 20 and 60 bars; 15 place between the Bollinger bands, which
/// stand two population deviations from the 20-bar mean.
fn moving_averages(columns: &mut Columns, bars: &OwnBars) {
    let close = &bars.close;
    for (feature, width) in [(3, 5), (5, 60)] {
        let column = &mut columns[feature];
        sliding_means(close, width, |at, mean| column[at] = (close[at] / mean - 1.0) as f32);
    }
    sliding_moments(close, 20, |at, found| {
        columns[4][at] = (close[at] / found.mean - 1.0) as f32;
        if found.squares > 0.0 {
            let deviation = (found.squares / 20.0).sqrt();
            columns[15][at] = ((close[at] - found.mean) / (4.0 * deviation)) as f32;
        }
    });
}

/// 7 MACD(12, 26) and 8 its histogram over a nine-bar signal, both as a share of the close.
fn convergence(columns: &mut Columns, close: &[f64]) {
    const SLOW: usize = 26;
    const SIGNAL: usize = 9;
    let Some(&first) = close.first() else { return };
    let (mut fast, mut slow, mut signal) = (first, first, 0.0);
    for (at, &price) in close.iter().enumerate() {
        fast += (price - fast) * (2.0 / 13.0);
        slow += (price - slow) * (2.0 / 27.0);
        let macd = fast - slow;
        if at + 1 < SLOW {
            continue;
        }
        signal = if at + 1 == SLOW { macd } else { signal + (macd - signal) * (2.0 / 10.0) };
        columns[7][at] = (macd / price) as f32;
        if at + 1 >= SLOW + SIGNAL - 1 {
            columns[8][at] = ((macd - signal) / price) as f32;
        }
    }
}

/// 6 Wilder's RSI(14), centred; 9 his ATR(14) as a share of the close.
fn strength_and_range(columns: &mut Columns, bars: &OwnBars) {
    const WIDTH: usize = 14;
    let (mut gain, mut loss, mut range) = (0.0, 0.0, 0.0);
    for (before, pair) in bars.close.windows(2).enumerate() {
        let (at, previous, close) = (before + 1, pair[0], pair[1]);
        let change = close - previous;
        let true_range = bars.high[at].max(previous) - bars.low[at].min(previous);
        // The first 14 are averaged evenly, the later ones enter with a fourteenth each.
        let weight = 1.0 / at.min(WIDTH) as f64;
        gain += (change.max(0.0) - gain) * weight;
        loss += ((-change).max(0.0) - loss) * weight;
        range += (true_range - range) * weight;
        if at < WIDTH {
            continue;
        }
        // (RSI − 50) / 50 with RSI = 100 · gain / (gain + loss); undefined without any movement.
        if gain + loss > 0.0 {
            columns[6][at] = ((gain - loss) / (gain + loss)) as f32;
        }
        columns[9][at] = (range / close) as f32;
    }
}

/// 10 logarithm of the annualised volatility of 21 bars.
fn realised_volatility(columns: &mut Columns, log_close: &[f64]) {
    sliding_volatility(log_close, 21, |at, volatility| {
        if volatility > 0.0 {
            columns[10][at] = volatility.ln() as f32;
        }
    });
}

/// 11 volume against its last 20 bars; 12 logarithm of the value traded against its last 252.
///
/// Both windows include the current bar and use the sample deviation. The value traded is close
/// times volume, both in the source's split basis, so that a split leaves it alone. A bar without a
/// volume (12: without a positive one) has no value and takes no place in the window.
fn volumes(columns: &mut Columns, bars: &OwnBars) {
    let shares = |at: usize| Some(bars.volume[at]).filter(|volume| !volume.is_nan());
    let value = |at: usize| {
        let dollars = bars.unadjusted_close[at] * bars.volume[at];
        (dollars > 0.0).then(|| dollars.ln())
    };
    z_scores(&mut columns[11], 20, shares);
    z_scores(&mut columns[12], 252, value);
}

/// `(x − mean) / deviation` of the values that there are, over their last `width`.
fn z_scores(column: &mut [f32], width: usize, value: impl Fn(usize) -> Option<f64>) {
    let mut positions = Vec::with_capacity(column.len());
    let mut values = Vec::with_capacity(column.len());
    for at in 0..column.len() {
        if let Some(value) = value(at) {
            positions.push(at);
            values.push(value);
        }
    }
    let degrees = width as f64 - 1.0;
    sliding_moments(&values, width, |at, found| {
        if found.squares > 0.0 {
            column[positions[at]] = ((values[at] - found.mean) / (found.squares / degrees).sqrt()) as f32;
        }
    });
}
