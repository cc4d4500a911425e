//! Stage 2: the assets of one day look at each other (SPEC P1-17).

use lotwise_tensor::fused::{Activation, Block, BlockConfig, BlockExtras, BlockStyle};
use lotwise_tensor::{Array, Params, Random, Tape, Var};

use super::Pass;
use crate::layers::{EPSILON, Norm};

/// Sizes of a [`CrossAssetAttention`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossAssetAttentionConfig {
    /// `d`.
    pub dim: usize,
    /// Heads of each layer.
    pub heads: usize,
    /// Width of the feed-forward layers.
    pub hidden: usize,
    /// How many layers.
    pub layers: usize,
}

/// Attention over a set: no positions, so permuting the assets permutes the outputs.
#[derive(Debug, Clone)]
pub struct CrossAssetAttention {
    blocks: Vec<Block>,
    norm: Norm,
}

/// Keeps the keys of dropout apart from those of stage 1.
const FIRST_SITE: u64 = 1 << 16;

impl CrossAssetAttentionConfig {
    /// Adds the parameters under `name`.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> CrossAssetAttention {
        let block = BlockConfig {
            dim: self.dim,
            heads: self.heads,
            head_dim: self.dim / self.heads,
            hidden: self.hidden,
            style: BlockStyle::Standard,
            activation: Activation::Gelu,
            epsilon: EPSILON,
        };
        CrossAssetAttention {
            blocks: (0..self.layers).map(|i| block.init(params, &format!("{name}.block.{i}"), random)).collect(),
            norm: Norm::init(params, &format!("{name}.norm"), self.dim),
        }
    }
}

impl CrossAssetAttention {
    /// # Shapes
    /// - `x`: `[B, N, d]`, `keep`: `[B, N]`, 0 for padding, to which nobody attends
    /// - output: `[B, N, d]`
    pub fn forward(&self, tape: &mut Tape, x: Var, keep: &Array, pass: Pass) -> Var {
        let mut x = x;
        for (i, block) in self.blocks.iter().enumerate() {
            let extras = BlockExtras { keep: Some(keep), bias: None, dropout: pass.dropout(FIRST_SITE + i as u64) };
            x = block.forward(tape, x, extras);
        }
        self.norm.forward(tape, x)
    }
}
