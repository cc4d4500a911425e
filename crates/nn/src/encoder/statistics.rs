//! Four numbers that tell how large the movements of a window are (SPEC P1-13).
//!
//! A frozen branch scales every window to its own mean, so that a utility and a young technology firm
//! look alike to it; these say what the scaling took away. Only ratios of prices are read: a level would
//! tell of later splits.

use lotwise_tensor::Array;

/// How many.
pub const STATISTICS: usize = 4;

/// What each statistic is of a usual large share: subtracted, so that 0 is ordinary.
const USUAL: [f64; STATISTICS] = [-4.5, -4.1, 0.0, -1.8];
/// Largest distance from the usual.
const CLIP: f64 = 5.0;
/// Returns that are needed to speak of a volatility.
const FEWEST_RETURNS: usize = 2;

/// The statistics of each window, and whether there are closes enough.
///
/// In order: logarithm of the mean absolute log return; logarithm of the deviation of log returns; mean
/// over deviation of log returns, times the root of their number; logarithm of `ln(highest / lowest)`.
///
/// # Shapes
/// - `closes`: `[windows, T]`, NaN where there is none
/// - output: `[windows, 4]`, 0 where unknown, and `[windows, 1]`, 1 where known
#[must_use]
pub fn scale_statistics(closes: &Array) -> (Array, Array) {
    let [windows, time] = [closes.shape()[0], closes.shape()[1]];
    let mut all = Vec::with_capacity(windows * STATISTICS);
    let mut known = Vec::with_capacity(windows);
    for window in closes.data().chunks_exact(time.max(1)).take(windows) {
        let found = of_window(window);
        known.push(f32::from(u8::from(found.is_some())));
        all.extend(found.unwrap_or([0.0; STATISTICS]));
    }
    all.resize(windows * STATISTICS, 0.0);
    known.resize(windows, 0.0);
    (Array::new([windows, STATISTICS], all), Array::new([windows, 1], known))
}

fn of_window(closes: &[f32]) -> Option<[f32; STATISTICS]> {
    let usable = closes.iter().filter(|close| **close > 0.0 && close.is_finite());
    let logs: Vec<f64> = usable.map(|&close| f64::from(close).ln()).collect();
    let returns: Vec<f64> = logs.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if returns.len() < FEWEST_RETURNS {
        return None;
    }
    let count = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / count;
    let size = returns.iter().map(|ret| ret.abs()).sum::<f64>() / count;
    let deviation = (returns.iter().map(|ret| (ret - mean) * (ret - mean)).sum::<f64>() / (count - 1.0)).sqrt();
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = logs.iter().copied().fold(f64::INFINITY, f64::min);
    // A price that does not move has no logarithm of its movement; the clip stands for «hardly any».
    let drift = if deviation > 1e-9 { mean / deviation * count.sqrt() } else { 0.0 };
    let raw = [size.ln(), deviation.ln(), drift, (highest - lowest).ln()];
    let mut found = [0.0; STATISTICS];
    for ((to, raw), usual) in found.iter_mut().zip(raw).zip(USUAL) {
        *to = (raw - usual).clamp(-CLIP, CLIP) as f32;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_of_a_window_by_hand() {
        // Log returns 0.02, −0.01, 0.02, with a gap.
        let logs = [0.0_f64, 0.02, 0.01, 0.03];
        let close = |log: f64| (50.0 * log.exp()) as f32;
        let window = vec![f32::NAN, close(logs[0]), close(logs[1]), f32::NAN, close(logs[2]), close(logs[3])];
        let (found, known) = scale_statistics(&Array::new([1, 6], window));
        let deviation = 3.0_f64.sqrt() / 100.0;
        let wanted =
            [(0.05_f64 / 3.0).ln() + 4.5, deviation.ln() + 4.1, 0.01 / deviation * 3.0_f64.sqrt(), 0.03_f64.ln() + 1.8];
        for (found, wanted) in found.data().iter().zip(wanted) {
            assert!((f64::from(*found) - wanted).abs() < 1e-3, "{found} and {wanted}");
        }
        assert_eq!(known.data(), [1.0]);
    }

    #[test]
    fn too_few_closes_are_unknown_and_a_flat_price_is_finite() {
        let nan = f32::NAN;
        let (found, known) = scale_statistics(&Array::new([2, 3], vec![nan, 5.0, 6.0, 7.0, 7.0, 7.0]));
        assert_eq!(known.data(), [0.0, 1.0]);
        assert_eq!(found.data(), [0.0, 0.0, 0.0, 0.0, -5.0, -5.0, 0.0, -5.0]);
    }
}
