//! What an encoder reads, and how it is made from windows and closes.

use lotwise_tensor::Array;

use super::{EncoderConfig, STATISTICS, scale_statistics};
use crate::FrozenTemporal;

/// A batch of days, each with its assets (SPEC P1-02).
///
/// # Shapes
/// `B` days, `N` assets a day, `T` bars, `D` features, `k` numbers of the frozen branch. Flags are 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderInputs {
    /// `[B, N, T, D]`: normalised features, oldest bar first, 0 where there is nothing to read.
    pub values: Array,
    /// `[B, N, T, D]`: 1 where a bar lacks a feature.
    pub undefined: Array,
    /// `[B, N, T]`: 0 for padding in front of young assets.
    pub present: Array,
    /// `[B, N, D]`: 1 where training hides a feature over the whole window.
    pub masked: Option<Array>,
    /// `[B, N, k]`: pooled outputs of the frozen branch.
    pub temporal: Array,
    /// `[B, N, 4]`: see [`scale_statistics`].
    pub statistics: Array,
    /// `[B, N, 1]`: 1 where the statistics are known.
    pub statistics_known: Array,
    /// `[B, N, fields]`.
    pub metadata: Array,
    /// `[B, N, fields]`: 1 where the field is known.
    pub available: Array,
    /// `[B, N]`: 0 for padding, where a day has fewer assets than the batch is wide.
    pub keep: Array,
}

impl EncoderInputs {
    /// Everything 0: no asset is there yet.
    #[must_use]
    pub fn empty(config: &EncoderConfig, [batch, assets]: [usize; 2], time: usize) -> Self {
        let zeros = |last: usize| Array::zeros([batch, assets, last]);
        Self {
            values: Array::zeros([batch, assets, time, config.features]),
            undefined: Array::zeros([batch, assets, time, config.features]),
            present: zeros(time),
            masked: None,
            temporal: zeros(config.temporal_width),
            statistics: zeros(STATISTICS),
            statistics_known: zeros(1),
            metadata: zeros(config.metadata_fields),
            available: zeros(config.metadata_fields),
            keep: Array::zeros([batch, assets]),
        }
    }

    /// Fills in what comes from closes: the frozen branch and the statistics of scale.
    ///
    /// # Shapes
    /// - `closes`: `[B, N, T]`, NaN where there is none
    pub fn set_closes(&mut self, closes: &Array, branch: &dyn FrozenTemporal) {
        let [batch, assets] = self.dims();
        let shape = closes.shape();
        assert_eq!(shape[..2], [batch, assets], "closes of shape {shape:?}");
        let windows = closes.reshaped([batch * assets, shape[2]]);
        self.temporal = branch.embed(&windows).reshaped([batch, assets, branch.width()]);
        let (statistics, known) = scale_statistics(&windows);
        self.statistics = statistics.reshaped([batch, assets, STATISTICS]);
        self.statistics_known = known.reshaped([batch, assets, 1]);
    }

    /// `[B, N]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        [self.keep.shape()[0], self.keep.shape()[1]]
    }

    /// `[T, D]`.
    #[must_use]
    pub fn window_dims(&self) -> [usize; 2] {
        [self.values.shape()[2], self.values.shape()[3]]
    }

    /// # Panics
    /// Where sizes do not agree with each other or with the network: a fault of the caller.
    pub(super) fn check(&self, config: &EncoderConfig) {
        let ([batch, assets], [time, features]) = (self.dims(), self.window_dims());
        assert_eq!(features, config.features, "features of a bar");
        let check = |what: &str, array: &Array, wanted: &[usize]| {
            assert_eq!(*array.shape(), *wanted, "shape of {what}");
        };
        check("values", &self.values, &[batch, assets, time, features]);
        check("undefined", &self.undefined, &[batch, assets, time, features]);
        check("present", &self.present, &[batch, assets, time]);
        check("metadata", &self.metadata, &[batch, assets, config.metadata_fields]);
        check("available", &self.available, &[batch, assets, config.metadata_fields]);
        check("temporal", &self.temporal, &[batch, assets, config.temporal_width]);
        check("statistics", &self.statistics, &[batch, assets, STATISTICS]);
        check("statistics_known", &self.statistics_known, &[batch, assets, 1]);
        if let Some(masked) = &self.masked {
            check("masked", masked, &[batch, assets, features]);
        }
    }
}
