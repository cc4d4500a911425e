//! The sizes of the whole encoder, and its two presets (SPEC P1-04).

use lotwise_tensor::{Params, Random};
use serde::{Deserialize, Serialize};

use super::{
    CrossAssetAttentionConfig, CrossAssetEncoder, Gate, GatedFusionConfig, MarketEncoderConfig, MetadataEncoderConfig,
    STATISTICS, TemporalProjectionConfig, TrainingHeads, TrainingHeadsConfig,
};
use crate::Error;

/// Sizes and switches of a [`CrossAssetEncoder`]; part of a checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderConfig {
    /// `d`, the width of everything.
    pub dim: usize,
    /// Heads of each attention.
    pub heads: usize,
    /// Layers of stage 1, over bars.
    pub market_layers: usize,
    /// Layers of stage 2, over assets.
    pub asset_layers: usize,
    /// Width of the feed-forward layers.
    pub hidden: usize,
    /// The longest window, in bars.
    pub window: usize,
    /// `D`, numbers of a bar.
    pub features: usize,
    /// Fields of metadata; 0 leaves metadata out, which is an ablation.
    pub metadata_fields: usize,
    /// `k`, numbers of the frozen branch; 0 leaves the branch out.
    pub temporal_width: usize,
    /// How the branch enters.
    pub gate: Gate,
    /// Regimes that the heads tell apart.
    pub regimes: usize,
    /// Share that falls out in training.
    pub dropout: f32,
}

/// Width of the hidden layers of projection and metadata.
const INNER: u64 = 128;
/// Largest size of anything in a configuration that comes from a file.
const LARGEST: usize = 65_536;

impl EncoderConfig {
    /// What ships: 64 numbers an asset, 4 layers over bars and 2 over assets.
    #[must_use]
    pub fn base64(temporal_width: usize) -> Self {
        Self {
            dim: 64,
            heads: 4,
            market_layers: 4,
            asset_layers: 2,
            hidden: 256,
            window: 64,
            features: 16,
            metadata_fields: 50,
            temporal_width,
            gate: Gate::Learned,
            regimes: 4,
            dropout: 0.1,
        }
    }

    /// Twice as wide and deep: about two million parameters.
    #[must_use]
    pub fn wide128(temporal_width: usize) -> Self {
        Self { dim: 128, market_layers: 8, hidden: 512, ..Self::base64(temporal_width) }
    }

    /// Refuses sizes that cannot be.
    ///
    /// # Errors
    /// Names the first setting that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let refuse = |setting: &'static str, problem: String| Err(Error::Config { setting, problem });
        for (setting, size) in [
            ("dim", self.dim),
            ("heads", self.heads),
            ("hidden", self.hidden),
            ("window", self.window),
            ("features", self.features),
            ("regimes", self.regimes),
        ] {
            if !(1..=LARGEST).contains(&size) {
                return refuse(setting, format!("{size}; expected 1 to {LARGEST}"));
            }
        }
        for (setting, size) in [
            ("market_layers", self.market_layers),
            ("asset_layers", self.asset_layers),
            ("metadata_fields", self.metadata_fields),
            ("temporal_width", self.temporal_width),
        ] {
            if size > LARGEST {
                return refuse(setting, format!("{size}; expected at most {LARGEST}"));
            }
        }
        if !self.dim.is_multiple_of(self.heads) {
            return refuse("heads", format!("{}, which does not divide dim {}", self.heads, self.dim));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return refuse("dropout", format!("{}; expected at least 0 and less than 1", self.dropout));
        }
        Ok(())
    }

    /// How many numbers the encoder and its training heads learn, told from the sizes alone: a file can be held
    /// against it before anything of that size is made.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        let [dim, hidden, window, features, fields, branch, regimes, bars, assets] = [
            self.dim,
            self.hidden,
            self.window,
            self.features,
            self.metadata_fields,
            self.temporal_width,
            self.regimes,
            self.market_layers,
            self.asset_layers,
        ]
        .map(|size| size as u64);
        let linear = |inputs: u64, outputs: u64| inputs * outputs + outputs;
        let norm = 2 * dim;
        let block = 2 * norm + linear(dim, 3 * dim) + linear(dim, dim) + linear(dim, hidden) + linear(hidden, dim);
        let mlp = |inputs: u64| linear(inputs, INNER) + linear(INNER, dim) + norm;
        let mut sum = linear(features, dim) + 2 * features * dim + window * dim + bars * block + norm + dim;
        if branch > 0 && self.gate != Gate::Off {
            sum += mlp(branch + STATISTICS as u64);
            sum += if self.gate == Gate::Learned { linear(2 * dim, dim) } else { 0 };
        }
        sum += if fields > 0 { fields + mlp(fields) } else { 0 };
        sum += assets * block + norm;
        sum + linear(dim, 1) + linear(dim, features) + 2 * linear(dim, regimes)
    }

    /// Adds the parameters of the encoder. Each part draws from a stream of its own, so that leaving one
    /// out changes no other.
    ///
    /// # Errors
    /// As [`Self::validate`].
    pub fn init(&self, params: &mut Params, seed: u64) -> Result<CrossAssetEncoder, Error> {
        self.validate()?;
        let stream = |part: u64| Random::new(Random::new(seed.wrapping_add(part)).bits());
        let Self { dim, heads, hidden, .. } = *self;
        let market = MarketEncoderConfig {
            features: self.features,
            window: self.window,
            dim,
            heads,
            hidden,
            layers: self.market_layers,
        };
        let market = market.init(params, "market", &mut stream(1));
        let temporal = (self.temporal_width > 0 && self.gate != Gate::Off).then(|| {
            let projection = TemporalProjectionConfig { width: self.temporal_width, dim };
            let projection = projection.init(params, "temporal", &mut stream(2));
            (projection, GatedFusionConfig { dim, gate: self.gate }.init(params, "gate", &mut stream(3)))
        });
        let metadata = (self.metadata_fields > 0).then(|| {
            let config = MetadataEncoderConfig { fields: self.metadata_fields, dim };
            config.init(params, "metadata", &mut stream(4))
        });
        let assets = CrossAssetAttentionConfig { dim, heads, hidden, layers: self.asset_layers };
        let assets = assets.init(params, "assets", &mut stream(5));
        Ok(CrossAssetEncoder { config: self.clone(), market, temporal, metadata, assets })
    }

    /// Adds the parameters of the heads that training needs beside the encoder.
    pub fn init_heads(&self, params: &mut Params, seed: u64) -> TrainingHeads {
        let config = TrainingHeadsConfig { dim: self.dim, features: self.features, regimes: self.regimes };
        config.init(params, &mut Random::new(Random::new(seed.wrapping_add(6)).bits()))
    }
}
