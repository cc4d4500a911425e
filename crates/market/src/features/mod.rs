//! What a bar says in sixteen numbers: the features of SPEC D-04, raw and normalised, and windows of them.

mod bars;
mod compute;
mod cube;
mod normalise;
mod pooled;
mod rolling;
mod window;

pub use cube::{AssetFeatures, FeatureCube, FeatureScale, features_at, panel_features, view_features};
pub use normalise::{CLIP, TRAILING};
pub use window::{FeatureWindow, WARM_UP, WINDOW};

pub(crate) use bars::OwnBars;
pub(crate) use compute::{SESSIONS_A_YEAR, sliding_volatility};
pub(crate) use rolling::{SortedWindow, moments};

/// How many features a bar has.
pub const FEATURES: usize = 16;

/// The features of one bar, in the order of [`FEATURE_NAMES`]; NaN where undefined.
pub type FeatureRow = [f32; FEATURES];

/// Names of the features, by index; part of the checkpoint format.
///
/// All are computed over the asset's own bars, gaps skipped, from prices adjusted for splits and
/// dividends. Logarithms are natural.
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "log_return_1",
    "log_return_5",
    "log_return_21",
    "close_over_sma_5",
    "close_over_sma_20",
    "close_over_sma_60",
    "rsi_14",
    "macd_12_26",
    "macd_histogram_9",
    "atr_14",
    "log_realised_vol_21",
    "volume_z_20",
    "log_dollar_volume_z_252",
    "range",
    "overnight_gap",
    "bollinger_b_20",
];

/// The bit of a feature in a mask of defined features.
#[must_use]
pub fn defined_mask(row: &FeatureRow) -> u16 {
    row.iter().enumerate().fold(0, |mask, (feature, value)| mask | (u16::from(!value.is_nan()) << feature))
}
