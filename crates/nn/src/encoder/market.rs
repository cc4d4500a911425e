//! Stage 1: one asset's window of bars, alone (SPEC P1-03).

use lotwise_tensor::fused::{Activation, Block, BlockConfig, BlockExtras, BlockStyle};
use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Var};

use super::Pass;
use crate::layers::{EPSILON, Linear, Norm};

/// Sizes of a [`MarketEncoder`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketEncoderConfig {
    /// `D`, numbers that a bar has.
    pub features: usize,
    /// The longest window.
    pub window: usize,
    /// `d`.
    pub dim: usize,
    /// Heads of each layer.
    pub heads: usize,
    /// Width of the feed-forward layers.
    pub hidden: usize,
    /// How many layers.
    pub layers: usize,
}

/// Windows of bars, each on its own.
///
/// # Shapes
/// - `values`: `[W, T, D]`, 0 where there is nothing to read
/// - `undefined`: `[W, T, D]`, 1 where a bar lacks a feature
/// - `masked`: `[W, D]`, 1 where a feature is hidden over the whole window
/// - `present`: `[W, T]`, 0 for padding in front
pub(super) struct Windows<'a> {
    pub values: &'a Array,
    pub undefined: &'a Array,
    pub masked: Option<&'a Array>,
    pub present: &'a Array,
}

/// What stage 1 makes of a window.
pub(super) struct MarketOutput {
    /// `[W, T, d]`, one token for each bar.
    pub tokens: Var,
    /// `[W, d]`, pooled over the bars.
    pub pooled: Var,
}

/// A transformer over the bars of one window, shared by all assets.
#[derive(Debug, Clone)]
pub struct MarketEncoder {
    config: MarketEncoderConfig,
    input: Linear,
    /// Added where a feature is hidden from the network, so that «hidden» is not «zero» (eq. 2).
    mask_embedding: ParamId,
    /// Added where a bar lacks a feature, so that «unknown» is not «zero» (SPEC D-11).
    undefined_embedding: ParamId,
    position: ParamId,
    blocks: Vec<Block>,
    norm: Norm,
    pool: ParamId,
}

impl MarketEncoderConfig {
    /// Adds the parameters under `name`.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> MarketEncoder {
        let Self { features, window, dim, .. } = self;
        let block = BlockConfig {
            dim,
            heads: self.heads,
            head_dim: dim / self.heads,
            hidden: self.hidden,
            style: BlockStyle::Standard,
            activation: Activation::Gelu,
            epsilon: EPSILON,
        };
        let limit = 1.0 / (features as f32).sqrt();
        MarketEncoder {
            config: self,
            input: Linear::init(params, &format!("{name}.input"), [features, dim], random),
            mask_embedding: params.add_uniform(format!("{name}.mask_embedding"), [features, dim], limit, random),
            undefined_embedding: params.add_uniform(
                format!("{name}.undefined_embedding"),
                [features, dim],
                limit,
                random,
            ),
            position: params.add_normal(format!("{name}.position"), [window, dim], 0.02, random),
            blocks: (0..self.layers).map(|i| block.init(params, &format!("{name}.block.{i}"), random)).collect(),
            norm: Norm::init(params, &format!("{name}.norm"), dim),
            pool: params.add_uniform(format!("{name}.pool"), [dim, 1], 1.0 / (dim as f32).sqrt(), random),
        }
    }
}

impl MarketEncoder {
    /// The last bar always stands at the last position, so that a shorter window reads as a longer one
    /// whose front is padding.
    ///
    /// # Shapes
    /// See [`Windows`] and [`MarketOutput`].
    pub(super) fn forward(&self, tape: &mut Tape, windows: &Windows<'_>, pass: Pass) -> MarketOutput {
        let MarketEncoderConfig { features, window, dim, .. } = self.config;
        let shape = windows.values.shape();
        let [count, time] = [shape[0], shape[1]];
        assert!(shape[2] == features && time <= window, "windows of shape {shape:?} in an encoder of {window}");

        // Value, «hidden» and «unknown» stand side by side: one product does what three would.
        let joined = tape.constant(joined_inputs(windows));
        let weights = [self.input.weight, self.mask_embedding, self.undefined_embedding].map(|id| tape.param(id));
        let weight = tape.concat(&weights, 0);
        let bias = tape.param(self.input.bias);
        let x = tape.linear(joined, weight, Some(bias));
        let position = tape.param(self.position);
        let position = tape.slice(position, 0, window - time..window);
        let mut x = tape.add(x, position);

        for (i, block) in self.blocks.iter().enumerate() {
            let extras = BlockExtras { keep: Some(windows.present), bias: None, dropout: pass.dropout(i as u64) };
            x = block.forward(tape, x, extras);
        }
        let tokens = self.norm.forward(tape, x);

        let pool = tape.param(self.pool);
        let scores = tape.matmul(tokens, pool);
        let scores = tape.reshape(scores, [count, time]);
        let shares = tape.softmax(scores, Some(windows.present));
        let shares = tape.reshape(shares, [count, 1, time]);
        let pooled = tape.matmul(shares, tokens);
        MarketOutput { tokens, pooled: tape.reshape(pooled, [count, dim]) }
    }
}

/// `[W, T, 3 D]`: values, which of them are hidden, which of them are unknown. What is hidden tells neither
/// its value nor whether it was known, and padding tells nothing.
fn joined_inputs(windows: &Windows<'_>) -> Array {
    let shape = windows.values.shape();
    let [count, time, features] = [shape[0], shape[1], shape[2]];
    assert_eq!(windows.undefined.shape(), shape, "flags of undefined features");
    assert_eq!(*windows.present.shape(), [count, time], "which bars are there");
    if let Some(masked) = windows.masked {
        assert_eq!(*masked.shape(), [count, features], "which features are hidden");
    }
    let mut joined = vec![0.0; count * time * 3 * features];
    let rows = joined.chunks_exact_mut(3 * features).enumerate();
    for (row, to) in rows.filter(|(row, _)| windows.present.data()[*row] != 0.0) {
        let hidden = windows.masked.map(|masked| &masked.data()[row / time * features..][..features]);
        let values = &windows.values.data()[row * features..][..features];
        let undefined = &windows.undefined.data()[row * features..][..features];
        for feature in 0..features {
            if hidden.is_some_and(|hidden| hidden[feature] != 0.0) {
                to[features + feature] = 1.0;
            } else if undefined[feature] != 0.0 {
                to[2 * features + feature] = 1.0;
            } else {
                to[feature] = values[feature];
            }
        }
    }
    Array::new([count, time, 3 * features], joined)
}
