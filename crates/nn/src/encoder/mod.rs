//! The encoder that knows no ticker: bars, closes and metadata of the assets of one day become one
//! vector each (SPEC section 3).
//!
//! | stage | what | out |
//! |---|---|---|
//! | 1 | [`MarketEncoder`]: a transformer over the bars of one asset | `h_ssl [B, N, d]` |
//! | 1.5 | [`TemporalProjection`] and [`GatedFusion`] let the frozen branch in, [`MetadataEncoder`] is added | `h̃ [B, N, d]` |
//! | 2 | [`CrossAssetAttention`]: the assets look at each other | `h_fused [B, N, d]` |

mod assets;
mod config;
mod fusion;
mod heads;
mod inputs;
mod market;
mod metadata;
mod statistics;

pub use assets::{CrossAssetAttention, CrossAssetAttentionConfig};
pub use config::EncoderConfig;
pub use fusion::{Gate, GatedFusion, GatedFusionConfig, TemporalProjection, TemporalProjectionConfig};
pub use heads::{TrainingHeads, TrainingHeadsConfig, market_state};
pub use inputs::EncoderInputs;
pub use market::{MarketEncoder, MarketEncoderConfig};
pub use metadata::{MetadataEncoder, MetadataEncoderConfig};
pub use statistics::{STATISTICS, scale_statistics};

use lotwise_tensor::fused::Dropout;
use lotwise_tensor::{Array, Params, Tape, Var};

use market::Windows;

/// Whether numbers fall out on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pass {
    /// Nothing falls out.
    Inference,
    /// Dropout at this rate, decided by the seed: a new one for every pass.
    Training {
        /// In `0..1`.
        dropout: f32,
        /// Of this pass.
        seed: u64,
    },
}

impl Pass {
    /// The dropout of one block.
    fn dropout(self, site: u64) -> Option<Dropout> {
        match self {
            Self::Inference => None,
            Self::Training { dropout, .. } if dropout <= 0.0 => None,
            Self::Training { dropout, seed } => {
                Some(Dropout { rate: dropout, seed: seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(site) })
            }
        }
    }
}

/// What an encoder makes of a batch, at each place where it can be looked at.
#[derive(Debug, Clone, Copy)]
pub struct EncoderOutput {
    /// `[B * N, T, d]`: a token for each bar, before pooling; training recovers hidden features from it.
    pub tokens: Var,
    /// `[B, N, d]`: after stage 1.
    pub market: Var,
    /// `[B, N, d]`: after stage 1.5.
    pub gated: Var,
    /// `[B, N, d]`: after stage 2, the representation. Zeros for padding.
    pub fused: Var,
}

/// The whole encoder (SPEC P1-02). It works for any number of assets.
#[derive(Debug, Clone)]
pub struct CrossAssetEncoder {
    config: EncoderConfig,
    market: MarketEncoder,
    temporal: Option<(TemporalProjection, GatedFusion)>,
    metadata: Option<MetadataEncoder>,
    assets: CrossAssetAttention,
}

impl CrossAssetEncoder {
    /// Its sizes.
    #[must_use]
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// Stage 1 alone: tokens `[B * N, T, d]` and `h_ssl` `[B, N, d]`, zeros for padding.
    pub fn forward_market(&self, tape: &mut Tape, inputs: &EncoderInputs, pass: Pass) -> (Var, Var) {
        let [batch, assets] = inputs.dims();
        let [time, features] = inputs.window_dims();
        let windows = batch * assets;
        let values = inputs.values.reshaped([windows, time, features]);
        let undefined = inputs.undefined.reshaped([windows, time, features]);
        let present = inputs.present.reshaped([windows, time]);
        let masked = inputs.masked.as_ref().map(|masked| masked.reshaped([windows, features]));
        let windows = Windows { values: &values, undefined: &undefined, masked: masked.as_ref(), present: &present };
        let out = self.market.forward(tape, &windows, pass);
        (out.tokens, tape.reshape(out.pooled, [batch, assets, self.config.dim]))
    }

    /// # Shapes
    /// See [`EncoderInputs`] and [`EncoderOutput`].
    pub fn forward(&self, tape: &mut Tape, inputs: &EncoderInputs, pass: Pass) -> EncoderOutput {
        inputs.check(&self.config);
        let [batch, assets] = inputs.dims();
        let (tokens, market) = self.forward_market(tape, inputs, pass);
        let mut gated = market;
        if let Some((projection, fusion)) = &self.temporal {
            let temporal = projection.forward(tape, &inputs.temporal, &inputs.statistics, &inputs.statistics_known);
            gated = fusion.forward(tape, gated, temporal);
        }
        if let Some(metadata) = &self.metadata {
            let metadata = metadata.forward(tape, &inputs.metadata, &inputs.available);
            gated = tape.add(gated, metadata);
        }
        let keep = tape.constant(inputs.keep.reshaped([batch, assets, 1]));
        gated = tape.mul(gated, keep);
        let fused = self.assets.forward(tape, gated, &inputs.keep, pass);
        EncoderOutput { tokens, market, gated, fused: tape.mul(fused, keep) }
    }

    /// The representation of a batch, `[B, N, d]`, with nothing kept for a way back.
    #[must_use]
    pub fn embed(&self, params: &Params, inputs: &EncoderInputs) -> Array {
        let mut tape = Tape::inference(params);
        let out = self.forward(&mut tape, inputs, Pass::Inference);
        tape.value(out.fused).clone()
    }
}
