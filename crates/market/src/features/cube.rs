//! The features of a whole panel.

use rayon::prelude::*;

use super::bars::OwnBars;
use super::compute::feature_rows;
use super::normalise::normalise;
use super::{FeatureRow, FeatureWindow};
use crate::panel::{AsOf, AssetIdx, Panel, SessionIdx};

/// Whether rows hold the features as computed or as the encoder reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureScale {
    /// As SPEC D-04 defines them.
    Raw,
    /// As SPEC D-05 normalises them.
    Normalised,
}

/// The features of one asset: a row for each of its own bars.
#[derive(Debug, Clone)]
pub struct AssetFeatures {
    pub(super) sessions: Vec<u32>,
    pub(super) rows: Vec<FeatureRow>,
}

impl AssetFeatures {
    /// Session positions of the bars, rising; one for each row.
    #[must_use]
    pub fn sessions(&self) -> &[u32] {
        &self.sessions
    }

    /// The rows, oldest first; NaN where a feature is undefined.
    #[must_use]
    pub fn rows(&self) -> &[FeatureRow] {
        &self.rows
    }

    /// How many bars stand at or before `session`.
    #[must_use]
    pub fn bars_until(&self, session: SessionIdx) -> usize {
        self.sessions.partition_point(|&at| at as usize <= session.0)
    }
}

/// The features of every asset of a panel.
///
/// Row `t` reads bars up to the close of session `t` and no later one (SPEC D-03), so a cube of the
/// whole panel may be cut anywhere.
#[derive(Debug, Clone)]
pub struct FeatureCube {
    pub(super) n_sessions: usize,
    pub(super) scale: FeatureScale,
    pub(super) assets: Vec<AssetFeatures>,
}

impl FeatureCube {
    /// Number of assets, in the panel's order.
    #[must_use]
    pub fn n_assets(&self) -> usize {
        self.assets.len()
    }

    /// Number of sessions on the panel's axis.
    #[must_use]
    pub fn n_sessions(&self) -> usize {
        self.n_sessions
    }

    /// Raw or normalised.
    #[must_use]
    pub fn scale(&self) -> FeatureScale {
        self.scale
    }

    /// The features of one asset.
    #[must_use]
    pub fn asset(&self, asset: AssetIdx) -> &AssetFeatures {
        &self.assets[asset.0]
    }

    /// The row of an asset in a session; `None` without a bar.
    #[must_use]
    pub fn row(&self, asset: AssetIdx, session: SessionIdx) -> Option<&FeatureRow> {
        let features = self.assets.get(asset.0)?;
        let at = features.sessions.binary_search(&u32::try_from(session.0).ok()?).ok()?;
        Some(&features.rows[at])
    }

    /// One feature of an asset in a session; `None` without a bar or where it is undefined.
    #[must_use]
    pub fn value(&self, asset: AssetIdx, session: SessionIdx, feature: usize) -> Option<f32> {
        self.row(asset, session)?.get(feature).copied().filter(|value| !value.is_nan())
    }

    /// The same rows as the encoder reads them (SPEC D-05); a cube that is normalised already comes
    /// back as it is.
    #[must_use]
    pub fn normalised(&self) -> Self {
        match self.scale {
            FeatureScale::Raw => normalise(self),
            FeatureScale::Normalised => self.clone(),
        }
    }

    /// The last `length` rows of an asset at session `end` (SPEC D-06).
    #[must_use]
    pub fn window(&self, asset: AssetIdx, end: SessionIdx, length: usize) -> FeatureWindow {
        FeatureWindow::of(self.asset(asset), end, length)
    }
}

/// All features of the whole panel, raw. Assets are computed in parallel; the result does not depend
/// on the number of threads.
#[must_use]
pub fn panel_features(panel: &Panel) -> FeatureCube {
    match panel.n_sessions().checked_sub(1) {
        Some(last) => view_features(&panel.at(SessionIdx(last))),
        None => FeatureCube {
            n_sessions: 0,
            scale: FeatureScale::Raw,
            assets: vec![AssetFeatures { sessions: Vec::new(), rows: Vec::new() }; panel.n_assets()],
        },
    }
}

/// All features that a view can see, raw: the rows of [`panel_features`] up to its last session.
#[must_use]
pub fn view_features(view: &AsOf<'_>) -> FeatureCube {
    let assets = (0..view.symbols().len())
        .into_par_iter()
        .map(|asset_idx| {
            let bars = OwnBars::of(view, AssetIdx(asset_idx));
            let rows = feature_rows(&bars);
            AssetFeatures { sessions: bars.sessions, rows }
        })
        .collect();
    FeatureCube { n_sessions: view.sessions().len(), scale: FeatureScale::Raw, assets }
}

/// The raw features of one asset at the end of the view, bit for bit those of [`panel_features`];
/// `None` when the last visible session has no bar of it.
///
/// The averages of RSI, ATR and MACD remember the whole history, so it is walked from the start.
#[must_use]
pub fn features_at(view: &AsOf<'_>, asset: AssetIdx) -> Option<FeatureRow> {
    let bars = OwnBars::of(view, asset);
    if bars.sessions.last().map(|&at| at as usize) != Some(view.end().0) {
        return None;
    }
    feature_rows(&bars).pop()
}
