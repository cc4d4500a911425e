//! The representation of a day as somebody sees it who stands on that day: no labels, no parts of training.

use std::collections::BTreeMap;

use lotwise_core::Symbol;
use lotwise_market::features::{FEATURES, FeatureCube, WARM_UP, view_features};
use lotwise_market::metadata::{MetadataSource, MetadataView};
use lotwise_market::{AsOf, AssetIdx, Field};
use lotwise_nn::{Checkpoint, EncoderInputs, FrozenTemporal};
use lotwise_tensor::Array;

use super::batch::append_window;

/// Fewest bars of a window, as in training.
const LEAST_BARS: usize = 16;
/// Oldest last close that still speaks of today.
const OLDEST_CLOSE_DAYS: i32 = 7;

/// A day's companies as the encoder reads them.
pub struct Live<'a> {
    view: AsOf<'a>,
    source: &'a MetadataSource,
    cube: FeatureCube,
}

impl<'a> Live<'a> {
    /// Computes the features of what can be seen.
    #[must_use]
    pub fn new(view: AsOf<'a>, source: &'a MetadataSource) -> Self {
        let cube = view_features(&view).normalised();
        Self { view, source, cube }
    }

    /// Companies (no funds, no indices) with bars enough, the last of them of the last seven days.
    #[must_use]
    pub fn companies(&self) -> Vec<AssetIdx> {
        let usable = |asset: &AssetIdx| {
            self.source.sector(&self.view.symbols()[asset.0]).is_company()
                && self.cube.asset(*asset).bars_until(self.view.end()) >= WARM_UP + LEAST_BARS
                && self
                    .view
                    .last_close(*asset)
                    .is_some_and(|(date, _)| self.view.date().days_since(date) <= OLDEST_CLOSE_DAYS)
        };
        (0..self.view.symbols().len()).map(AssetIdx).filter(usable).collect()
    }

    /// The inputs of one day with these assets.
    #[must_use]
    pub fn inputs(&self, assets: &[AssetIdx], checkpoint: &Checkpoint, branch: &dyn FrozenTemporal) -> EncoderInputs {
        let config = checkpoint.encoder.config();
        let (n, time, fields) = (assets.len(), config.window, config.metadata_fields);
        let mut window = Default::default();
        let known = (fields > 0).then(|| MetadataView::new(&self.view, self.source));
        let (mut values, mut available) = (Vec::new(), Vec::new());
        for &asset in assets {
            let column = self.view.column(asset, Field::AdjClose);
            append_window(&self.cube, column, time, asset, self.view.end(), &mut window);
            if let Some(known) = &known {
                let metadata = known.of(asset);
                values.extend(metadata.values);
                available.extend(metadata.available.map(|there| f32::from(u8::from(there))));
            }
        }
        let mut inputs = EncoderInputs::empty(config, [1, n], time);
        inputs.values = Array::new([1, n, time, FEATURES], window.values);
        inputs.undefined = Array::new([1, n, time, FEATURES], window.undefined);
        inputs.present = Array::new([1, n, time], window.present);
        inputs.metadata = Array::new([1, n, fields], values);
        inputs.available = Array::new([1, n, fields], available);
        inputs.keep = Array::full([1, n], 1.0);
        inputs.set_closes(&Array::new([1, n, time], window.closes), branch);
        inputs
    }

    /// `h_fused` of these assets, which look at each other.
    #[must_use]
    pub fn representations(
        &self,
        assets: &[AssetIdx],
        checkpoint: &Checkpoint,
        branch: &dyn FrozenTemporal,
    ) -> BTreeMap<Symbol, Vec<f32>> {
        if assets.is_empty() {
            return BTreeMap::new();
        }
        let states = checkpoint.encoder.embed(&checkpoint.params, &self.inputs(assets, checkpoint, branch));
        let rows = states.data().chunks_exact(states.shape().width());
        assets.iter().zip(rows).map(|(asset, row)| (self.view.symbols()[asset.0].clone(), row.to_vec())).collect()
    }
}
