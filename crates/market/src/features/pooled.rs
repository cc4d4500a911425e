//! What is usual across the whole cross-section: the prior for an asset with a short history.

use rayon::prelude::*;

use super::FEATURES;
use super::cube::{AssetFeatures, FeatureCube};
use super::normalise::{Spread, TRAILING};

/// Values that must be pooled before they say anything.
const ENOUGH: u32 = 20;
/// Features counted in one walk over the panel.
const SIDE_BY_SIDE: usize = 4;
/// Buckets of the histogram: the upper sixteen bits of a float, ordered.
const BUCKETS: usize = 1 << 16;
/// Buckets that share one coarse count.
const GROUP: usize = 1 << 8;

/// For each session and feature, median and quartile distance of all values of all assets in the
/// [`TRAILING`] sessions before it; `None` while fewer than 20 are there.
///
/// The values are counted, never summed, so the order of the assets cannot show. A count is kept
/// for every 1/128 of an octave and a quantile is placed within its bucket by rank; that error, far below a
/// hundredth of the spread of a usual feature, only ever reaches assets younger than a year.
#[must_use]
pub fn pooled_spreads(cube: &FeatureCube, features: &[usize]) -> Vec<[Option<Spread>; FEATURES]> {
    let mut pooled = vec![[None; FEATURES]; cube.n_sessions()];
    // A few features at a time: their histograms stay in the cache, and the groups run side by side.
    let parts: Vec<Vec<Vec<Option<Spread>>>> =
        features.par_chunks(SIDE_BY_SIDE).map(|group| group_spreads(cube, group)).collect();
    for (group, part) in features.chunks(SIDE_BY_SIDE).zip(parts) {
        for (&feature, spreads) in group.iter().zip(part) {
            for (row, spread) in pooled.iter_mut().zip(spreads) {
                row[feature] = spread;
            }
        }
    }
    pooled
}

fn group_spreads(cube: &FeatureCube, features: &[usize]) -> Vec<Vec<Option<Spread>>> {
    let mut histograms = vec![Histogram::new(); features.len()];
    let mut spreads = vec![Vec::with_capacity(cube.n_sessions()); features.len()];
    let mut walks: Vec<Walk<'_>> = cube.assets.iter().map(Walk::new).collect();
    for session in 0..cube.n_sessions() {
        for (histogram, spreads) in histograms.iter().zip(&mut spreads) {
            spreads.push(histogram.spread());
        }
        for walk in &mut walks {
            if walk.newest as usize == session {
                let row = &walk.asset.rows[walk.newest_row];
                for (histogram, &feature) in histograms.iter_mut().zip(features) {
                    histogram.change(row[feature], 1);
                }
                walk.newest_row += 1;
                walk.newest = walk.session(walk.newest_row);
            }
            // The window of the next session starts one session later.
            if walk.oldest as usize + TRAILING <= session {
                let row = &walk.asset.rows[walk.oldest_row];
                for (histogram, &feature) in histograms.iter_mut().zip(features) {
                    histogram.change(row[feature], u32::MAX);
                }
                walk.oldest_row += 1;
                walk.oldest = walk.session(walk.oldest_row);
            }
        }
    }
    spreads
}

/// Where the pooled window starts and ends among the rows of one asset.
struct Walk<'a> {
    asset: &'a AssetFeatures,
    newest_row: usize,
    oldest_row: usize,
    /// Sessions of the two rows; beyond all sessions when there is none left.
    newest: u32,
    oldest: u32,
}

impl<'a> Walk<'a> {
    fn new(asset: &'a AssetFeatures) -> Self {
        let mut walk = Self { asset, newest_row: 0, oldest_row: 0, newest: 0, oldest: 0 };
        (walk.newest, walk.oldest) = (walk.session(0), walk.session(0));
        walk
    }

    fn session(&self, row: usize) -> u32 {
        self.asset.sessions.get(row).copied().unwrap_or(u32::MAX)
    }
}

/// Counts of values by the leading bits of their order-preserving key.
#[derive(Clone)]
struct Histogram {
    fine: Vec<u32>,
    coarse: Vec<u32>,
    total: u32,
}

impl Histogram {
    fn new() -> Self {
        Self { fine: vec![0; BUCKETS], coarse: vec![0; BUCKETS / GROUP], total: 0 }
    }

    /// Counts a value once more (`step` 1) or once less (`u32::MAX`, which wraps to minus one).
    fn change(&mut self, value: f32, step: u32) {
        if !value.is_nan() {
            let bucket = bucket(value);
            self.fine[bucket] = self.fine[bucket].wrapping_add(step);
            self.coarse[bucket / GROUP] = self.coarse[bucket / GROUP].wrapping_add(step);
            self.total = self.total.wrapping_add(step);
        }
    }

    fn spread(&self) -> Option<Spread> {
        (self.total >= ENOUGH).then(|| {
            let (low, high) = (self.quantile(0.25), self.quantile(0.75));
            Spread { median: self.quantile(0.5), range: high - low }
        })
    }

    /// The value at the rank of the `fraction` quantile, as if a bucket's values were spread evenly.
    fn quantile(&self, fraction: f64) -> f64 {
        let rank = fraction * f64::from(self.total - 1);
        let mut before = 0.0;
        let mut group = 0;
        while group + 1 < self.coarse.len() && before + f64::from(self.coarse[group]) <= rank {
            before += f64::from(self.coarse[group]);
            group += 1;
        }
        let mut bucket = group * GROUP;
        while bucket + 1 < self.fine.len() && before + f64::from(self.fine[bucket]) <= rank {
            before += f64::from(self.fine[bucket]);
            bucket += 1;
        }
        let (low, high) = (edge(bucket), edge(bucket + 1));
        low + (high - low) * ((rank - before + 0.5) / f64::from(self.fine[bucket].max(1))).min(1.0)
    }
}

/// The upper half of a key that rises with the value.
fn bucket(value: f32) -> usize {
    let bits = value.to_bits();
    let key = if bits >> 31 == 0 { bits | 0x8000_0000 } else { !bits };
    (key >> 16) as usize
}

/// The lowest value of a bucket.
fn edge(bucket: usize) -> f64 {
    let key = (bucket as u32) << 16;
    let bits = if key >> 31 == 1 { key & 0x7fff_ffff } else { !key };
    f64::from(f32::from_bits(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_the_histogram_are_close_to_those_of_the_values() {
        let values: Vec<f32> = (0..5000).map(|at| ((at * 7919 % 5000) as f32 - 1500.0) / 1000.0).collect();
        let mut histogram = Histogram::new();
        for &value in &values {
            histogram.change(value, 1);
            histogram.change(9.0, 1);
            histogram.change(9.0, u32::MAX);
            histogram.change(f32::NAN, 1);
        }
        let mut sorted = values;
        sorted.sort_by(f32::total_cmp);
        for fraction in [0.0, 0.25, 0.3, 0.5, 0.75, 1.0] {
            let expected = f64::from(sorted[(fraction * 4999.0_f64).round() as usize]);
            let got = histogram.quantile(fraction);
            assert!((got - expected).abs() <= 0.002 + 0.004 * expected.abs(), "{fraction}: {got} for {expected}");
        }
    }

    #[test]
    fn buckets_rise_with_the_value() {
        let values = [-1e30_f32, -2.0, -1.0, -1e-20, -0.0, 0.0, 1e-20, 1.0, 2.0, 1e30];
        let buckets: Vec<usize> = values.iter().map(|&value| bucket(value)).collect();
        assert!(buckets.is_sorted(), "{buckets:?}");
        for value in values {
            let at = bucket(value);
            assert!(edge(at) <= f64::from(value) && f64::from(value) <= edge(at + 1), "{value}");
        }
    }
}
