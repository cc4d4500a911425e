//! The encoder of T5 1.0: pre-norm blocks with RMS norm, no biases, no scaling of scores, and one bias of
//! relative positions for all blocks.

use lotwise_tensor::fused::{Activation, Block, BlockConfig, BlockExtras, BlockStyle};
use lotwise_tensor::{Array, ParamId, Params, Random, Tape, Var};

/// The sizes of a [`Stack`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StackConfig {
    /// `d`, the width of the stream.
    pub dim: usize,
    /// How many heads.
    pub heads: usize,
    /// The width of a head.
    pub head_dim: usize,
    /// The width of the feed-forward layer.
    pub hidden: usize,
    /// How many blocks.
    pub layers: usize,
    /// How many groups of relative positions have a bias of their own, half of them for later ones.
    pub buckets: usize,
    /// From this distance on all positions share the last group.
    pub max_distance: usize,
    /// Of all norms.
    pub epsilon: f32,
    /// Of the feed-forward layer.
    pub activation: Activation,
}

/// The blocks, the bias of relative positions, and the norm at the end.
#[derive(Debug, Clone)]
pub struct Stack {
    config: StackConfig,
    blocks: Vec<Block>,
    bias: ParamId,
    gain: ParamId,
}

impl StackConfig {
    /// Adds the parameters under `name`: `block.I` (see [`Block`]), `bias` (`[buckets, heads]`) and `gain`.
    ///
    /// Weights are drawn as T5 draws them, smaller for queries, since scores are not scaled.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> Stack {
        let block = BlockConfig {
            dim: self.dim,
            heads: self.heads,
            head_dim: self.head_dim,
            hidden: self.hidden,
            style: BlockStyle::T5,
            activation: self.activation,
            epsilon: self.epsilon,
        };
        let blocks: Vec<Block> =
            (0..self.layers).map(|i| block.init(params, &format!("{name}.block.{i}"), random)).collect();
        let inner = self.heads * self.head_dim;
        for block in &blocks {
            let [_, _, qkv, ..] = block.params();
            let qkv = qkv.expect("Invariant: every style has this weight");
            let queries = 1.0 / (self.head_dim as f32).sqrt();
            for row in params.value_mut(qkv).data_mut().chunks_exact_mut(3 * inner) {
                row[..inner].iter_mut().for_each(|weight| *weight *= queries);
            }
        }
        let deviation = 1.0 / (self.dim as f32).sqrt();
        let bias = params.add_normal(format!("{name}.bias"), [self.buckets, self.heads], deviation, random);
        let gain = params.add(format!("{name}.gain"), Array::full([self.dim], 1.0));
        Stack { config: self, blocks, bias, gain }
    }

    /// The group of relative positions that a key so far behind (negative) or ahead belongs to: one group
    /// for each short distance, then ever wider ones.
    #[must_use]
    pub fn bucket(&self, ahead: isize) -> usize {
        let half = self.buckets / 2;
        let side = if ahead > 0 { half } else { 0 };
        let distance = ahead.unsigned_abs();
        let exact = half / 2;
        if distance < exact {
            return side + distance;
        }
        // In f32 step by step, as the reference does it: the ends of the groups depend on it.
        let log = (distance as f32 / exact as f32).ln();
        let all = (self.max_distance as f64 / exact as f64).ln() as f32;
        let wide = exact + (log / all * (half - exact) as f32) as usize;
        side + wide.min(half - 1)
    }

    /// Whether the groups make sense: four at least, an even number, and some room beyond the short
    /// distances.
    #[must_use]
    pub fn buckets_fit(&self) -> bool {
        self.buckets >= 4 && self.buckets.is_multiple_of(2) && self.max_distance > self.buckets / 4
    }
}

impl Stack {
    /// Its sizes.
    #[must_use]
    pub fn config(&self) -> &StackConfig {
        &self.config
    }

    /// The blocks, first to last.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The bias of relative positions, `[buckets, heads]`, and the gain of the last norm, `[d]`.
    #[must_use]
    pub fn params(&self) -> [ParamId; 2] {
        [self.bias, self.gain]
    }

    /// # Shapes
    /// - `x`: `[B, T, d]`
    /// - `keep`: `[B, T]`, 0 where nobody attends to
    /// - output: `[B, T, d]`
    pub fn forward(&self, tape: &mut Tape, x: Var, keep: &Array) -> Var {
        let [_, time, _] = tape.dims(x);
        let bias = self.positions(tape, time);
        self.run(tape, x, keep, bias)
    }

    /// The same without a way back to the bias, which then is laid out row by row.
    pub(super) fn infer(&self, tape: &mut Tape, x: Var, keep: &Array) -> Var {
        let [_, time, _] = tape.dims(x);
        let table = tape.param(self.bias);
        let bias = self.laid_out(tape.value(table), time);
        let bias = tape.constant(bias);
        self.run(tape, x, keep, bias)
    }

    fn run(&self, tape: &mut Tape, mut x: Var, keep: &Array, bias: Var) -> Var {
        let extras = BlockExtras { keep: Some(keep), bias: Some(bias), dropout: None };
        for block in &self.blocks {
            x = block.forward(tape, x, extras);
        }
        let gain = tape.param(self.gain);
        tape.rms_norm(x, gain, self.config.epsilon)
    }

    /// `[heads, T, T]` from the table, by operations with gradients.
    fn positions(&self, tape: &mut Tape, time: usize) -> Var {
        let rows: Vec<usize> =
            (0..time * time).map(|i| self.config.bucket((i % time).cast_signed() - (i / time).cast_signed())).collect();
        let table = tape.param(self.bias);
        let bias = tape.gather(table, &rows);
        let bias = tape.reshape(bias, [time, time, self.config.heads]);
        tape.permute(bias, &[2, 0, 1])
    }

    /// The same numbers: row `i` of a head is a stretch of the biases by distance.
    pub(crate) fn laid_out(&self, table: &Array, time: usize) -> Array {
        let heads = self.config.heads;
        let mut out = Array::zeros([heads, time, time]);
        if time == 0 {
            return out;
        }
        let rows: Vec<usize> =
            (1 - time.cast_signed()..time.cast_signed()).map(|ahead| self.config.bucket(ahead)).collect();
        for (head, out) in out.data_mut().chunks_exact_mut(time * time).enumerate() {
            let by_distance: Vec<f32> = rows.iter().map(|row| table.data()[row * heads + head]).collect();
            for (i, row) in out.chunks_exact_mut(time).enumerate() {
                row.copy_from_slice(&by_distance[time - 1 - i..][..time]);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> StackConfig {
        StackConfig {
            dim: 10,
            heads: 3,
            head_dim: 4,
            hidden: 7,
            layers: 2,
            buckets: 32,
            max_distance: 128,
            epsilon: 1e-6,
            activation: Activation::Relu,
        }
    }

    #[test]
    fn groups_widen_with_the_distance() {
        let config = config();
        let shown: Vec<usize> =
            [0, -1, -7, -8, -11, -12, -15, -16, -22, -23, -63, -64, -127, -128, -4000].map(|d| config.bucket(d)).into();
        assert_eq!(shown, [0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 13, 14, 15, 15, 15]);
        assert_eq!(config.bucket(1), 17);
        assert_eq!(config.bucket(300), 31);
    }

    #[test]
    fn both_ways_to_the_bias_agree() {
        let mut params = Params::new();
        let stack = config().init(&mut params, "encoder", &mut Random::new(1));
        let mut tape = Tape::new(&params);
        let x = tape.constant(Array::from_fn([2, 21, 10], |i| (i as f32).sin()));
        let keep = Array::from_fn([2, 21], |i| if i % 5 == 1 { 0.0 } else { 1.0 });
        let [one, other] = [stack.forward(&mut tape, x, &keep), stack.infer(&mut tape, x, &keep)];
        assert_eq!(tape.value(one), tape.value(other));
    }
}
