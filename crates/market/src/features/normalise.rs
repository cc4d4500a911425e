//! Features on one scale for all assets, judged only by what came before (SPEC D-05).

use rayon::prelude::*;

use super::cube::{AssetFeatures, FeatureCube, FeatureScale};
use super::pooled::pooled_spreads;
use super::rolling::SortedWindow;
use super::{FEATURES, FeatureRow};

/// Bars that a value is compared with: those before it.
pub const TRAILING: usize = 252;

/// Largest size of a normalised value.
pub const CLIP: f32 = 5.0;

/// Quartile distance of a normal distribution in standard deviations: dividing by it turns the
/// quartile distance into a robust estimate of the deviation, so that a clip at 5 means five sigma.
const NORMAL_RANGE: f64 = 1.348_979_500_392_163_5;

/// Features whose scale is the same for every asset as they are: RSI and Bollinger's %b.
const SCALED: [usize; 2] = [6, 15];

/// Centre and width of a bunch of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// Distance between the quartiles.
    pub range: f64,
}

/// `(x − median) / (quartile distance / 1.349)` over the asset's own [`TRAILING`] bars before the
/// current one, clipped to ±[`CLIP`]; features 6 and 15 are only clipped.
///
/// Where only `n < TRAILING` of those bars have the feature, median and quartile distance are drawn
/// towards those of the whole cross-section in the sessions before, with weight `n / TRAILING` on
/// the asset's own. A value stays NaN where it was, and where there is nothing to compare it with
/// or no spread.
pub(super) fn normalise(cube: &FeatureCube) -> FeatureCube {
    let features: Vec<usize> = (0..FEATURES).filter(|feature| !SCALED.contains(feature)).collect();
    let pooled = pooled_spreads(cube, &features);
    let assets = cube.assets.par_iter().map(|asset| normalise_asset(asset, &features, &pooled)).collect();
    FeatureCube { n_sessions: cube.n_sessions, scale: FeatureScale::Normalised, assets }
}

fn normalise_asset(asset: &AssetFeatures, features: &[usize], pooled: &[[Option<Spread>; FEATURES]]) -> AssetFeatures {
    let mut rows: Vec<FeatureRow> = vec![[f32::NAN; FEATURES]; asset.rows.len()];
    for feature in SCALED {
        for (row, raw) in rows.iter_mut().zip(&asset.rows) {
            row[feature] = clip(f64::from(raw[feature]));
        }
    }
    let mut column = Vec::with_capacity(asset.rows.len());
    for &feature in features {
        let mut window = SortedWindow::with_capacity(TRAILING);
        column.clear();
        column.extend(asset.rows.iter().map(|row| row[feature]));
        for (at, &value) in column.iter().enumerate() {
            if !value.is_nan() {
                let prior = || pooled[asset.sessions[at] as usize][feature];
                if let Some(spread) = spread(&window, prior).filter(|spread| spread.range > 0.0) {
                    rows[at][feature] = clip((f64::from(value) - spread.median) / (spread.range / NORMAL_RANGE));
                }
            }
            let leaving = if at >= TRAILING { column[at - TRAILING] } else { f32::NAN };
            match (leaving.is_nan(), value.is_nan()) {
                (false, false) => window.replace(leaving, value),
                (false, true) => window.remove(leaving),
                (true, false) => window.insert(value),
                (true, true) => {}
            }
        }
    }
    AssetFeatures { sessions: asset.sessions.clone(), rows }
}

/// The asset's own spread, drawn towards the prior by as much as its history is short.
fn spread(window: &SortedWindow<f32>, prior: impl FnOnce() -> Option<Spread>) -> Option<Spread> {
    let own = window.quantile(0.5).zip(window.quantile(0.25)).zip(window.quantile(0.75));
    let own = own.map(|((median, low), high)| Spread { median, range: high - low });
    if window.len() >= TRAILING {
        return own;
    }
    let prior = prior()?;
    let Some(own) = own else { return Some(prior) };
    let weight = window.len() as f64 / TRAILING as f64;
    Some(Spread {
        median: prior.median + (own.median - prior.median) * weight,
        range: prior.range + (own.range - prior.range) * weight,
    })
}

fn clip(value: f64) -> f32 {
    (value as f32).clamp(-CLIP, CLIP)
}
