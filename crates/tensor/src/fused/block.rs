//! The pre-norm transformer block over sequences of bars, or over a set of assets.

use rayon::prelude::*;

use super::attention::{Heads, Sequence};
use super::{Activation, Cut, Dropout, sum_over_groups, transposed};
use crate::kernel::{self, Mat, scratch};
use crate::random;
use crate::tape::{Node, Op, Tape, Var, Walk};
use crate::{Array, ParamId, Params, Random};

/// The places in the stream of a dropout's keys; attention probabilities use the first.
const AFTER_ATTENTION: u64 = 2;
const AFTER_ACTIVATION: u64 = 3;
const AFTER_FEED_FORWARD: u64 = 4;

/// Which of the two common forms a block has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockStyle {
    /// Layer norm, biases, scores divided by `sqrt(head_dim)`.
    Standard,
    /// RMS norm, no biases, scores as they are: the encoder of T5 1.0.
    T5,
}

/// The sizes of a [`Block`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BlockConfig {
    /// `d`, the width of the stream.
    pub dim: usize,
    /// How many heads.
    pub heads: usize,
    /// The width of a head; often `dim / heads`.
    pub head_dim: usize,
    /// The width of the feed-forward layer.
    pub hidden: usize,
    /// Norms and biases.
    pub style: BlockStyle,
    /// Of the feed-forward layer.
    pub activation: Activation,
    /// Of both norms.
    pub epsilon: f32,
}

/// `x + Attention(Norm(x))`, then `x + FeedForward(Norm(x))`, as one operation.
///
/// Over a set (assets of one day) it is the set attention: without a bias of positions, permuting the
/// rows permutes the outputs, and rows that `keep` leaves out change no bit of the others.
#[derive(Debug, Clone)]
pub struct Block {
    config: BlockConfig,
    /// In the order of [`NAMES`]; `None` where the style has none.
    params: [Option<ParamId>; 12],
}

/// The parameters of a block, under the block's name. Weights are `[inputs, outputs]`.
const NAMES: [&str; 12] = [
    "norm1.gain",
    "norm1.shift",
    "qkv.weight",
    "qkv.bias",
    "out.weight",
    "out.bias",
    "norm2.gain",
    "norm2.shift",
    "up.weight",
    "up.bias",
    "down.weight",
    "down.bias",
];

impl BlockConfig {
    /// The shape of each of [`NAMES`].
    fn shapes(&self) -> [[usize; 2]; 12] {
        let Self { dim, hidden, .. } = *self;
        let inner = self.heads * self.head_dim;
        let row = |n| [1, n];
        [
            row(dim),
            row(dim),
            [dim, 3 * inner],
            row(3 * inner),
            [inner, dim],
            row(dim),
            row(dim),
            row(dim),
            [dim, hidden],
            row(hidden),
            [hidden, dim],
            row(dim),
        ]
    }

    /// Adds the parameters under `name`: gains 1, biases 0, weights uniform within `1 / sqrt(inputs)`.
    ///
    /// # Panics
    /// Where a size is 0 or a name is taken.
    pub fn init(self, params: &mut Params, name: &str, random: &mut Random) -> Block {
        assert!(self.dim * self.heads * self.head_dim * self.hidden > 0, "a block needs sizes above 0: {self:?}");
        let mut ids = [None; 12];
        for ((id, part), [rows, columns]) in ids.iter_mut().zip(NAMES).zip(self.shapes()) {
            let name = format!("{name}.{part}");
            if part.ends_with("weight") {
                *id = Some(params.add_uniform(name, [rows, columns], 1.0 / (rows as f32).sqrt(), random));
            } else if part.ends_with("gain") {
                *id = Some(params.add(name, Array::full([columns], 1.0)));
            } else if self.style == BlockStyle::Standard {
                *id = Some(params.add(name, Array::zeros([columns])));
            }
        }
        Block { config: self, params: ids }
    }
}

/// What a block may be told beside its input.
///
/// # Shapes
/// - `keep`: `[B, T]`, 0 for padding, to which nobody attends
/// - `bias`: `[heads, T, T]`, added to the scores
#[derive(Default, Clone, Copy)]
pub struct BlockExtras<'a> {
    /// Which rows are there.
    pub keep: Option<&'a Array>,
    /// For instance of relative positions.
    pub bias: Option<Var>,
    /// Of probabilities, after attention, after the activation and after the feed-forward layer.
    pub dropout: Option<Dropout>,
}

pub(crate) struct BlockNode {
    config: BlockConfig,
    x: Var,
    vars: [Option<Var>; 12],
    bias: Option<Var>,
    keep: Option<Array>,
    dropout: Option<Dropout>,
    time: usize,
}

impl Block {
    /// Its sizes.
    #[must_use]
    pub fn config(&self) -> &BlockConfig {
        &self.config
    }

    /// The parameters by role: `norm1.gain`, `norm1.shift`, `qkv`, `out`, `norm2`, `up` and `down`, weight
    /// before bias; `None` where the style has none.
    #[must_use]
    pub fn params(&self) -> [Option<ParamId>; 12] {
        self.params
    }

    /// # Shapes
    /// - `x`: `[B, T, d]`, `extras`: see [`BlockExtras`]
    /// - output: `[B, T, d]`
    pub fn forward(&self, tape: &mut Tape, x: Var, extras: BlockExtras<'_>) -> Var {
        let config = self.config;
        let [batch, time, dim] = tape.dims(x);
        assert_eq!(dim, config.dim, "the width of a block's input");
        let keep = extras.keep;
        assert!(keep.is_none_or(|keep| keep.shape() == [batch, time].into()), "mask {keep:?} over {batch} x {time}");
        let fits = |bias: Var| tape.dims(bias) == [config.heads, time, time];
        assert!(extras.bias.is_none_or(fits), "bias of a block");
        let vars = self.params.map(|id| id.map(|id| tape.param(id)));
        let tracked = tape.tracks([Some(x), extras.bias].into_iter().chain(vars).flatten());
        let node = BlockNode { config, x, vars, bias: extras.bias, keep: keep.cloned(), dropout: extras.dropout, time };
        let mut out = tape.pool.take(batch * time * dim);
        if !out.is_empty() {
            let on = node.operands(&tape.nodes);
            let chunk = Cut::forward(batch, time);
            out.par_chunks_mut(chunk * time * dim).enumerate().for_each(|(i, out)| {
                node.forward_chunk(&on, i * chunk, out);
            });
        }
        tape.push(Array::new([batch, time, dim], out), Op::Block { node: Box::new(node) }, tracked)
    }
}

/// Where the first half of a block leaves what it computes.
struct Attended<'a> {
    normed: &'a mut [f32],
    qkv: &'a mut [f32],
    probabilities: &'a mut [f32],
    answers: &'a mut [f32],
}

/// The operands of a block as slices.
struct Operands<'a> {
    x: &'a [f32],
    params: [Option<&'a [f32]>; 12],
    bias: Option<&'a [f32]>,
}

impl Operands<'_> {
    fn param(&self, i: usize) -> &[f32] {
        self.params[i].expect("Invariant: every style has gains and weights")
    }

    /// Writes `x w + b`, or adds it, with parameter `i` and the bias behind it.
    fn linear(&self, x: &[f32], i: usize, [inputs, outputs]: [usize; 2], to: &mut [f32], add: bool) {
        let weight = Mat::new(self.param(i), inputs, outputs);
        kernel::gemm(Mat::new(x, x.len() / inputs, inputs), weight, self.params[i + 1], to, outputs, add);
    }
}

impl BlockNode {
    fn inner(&self) -> usize {
        self.config.heads * self.config.head_dim
    }

    fn operands<'a>(&self, nodes: &'a [Node]) -> Operands<'a> {
        let data = |var: Var| nodes[var.0].value.data();
        Operands { x: data(self.x), params: self.vars.map(|var| var.map(data)), bias: self.bias.map(data) }
    }

    fn heads(&self) -> Heads {
        let BlockConfig { heads, head_dim, .. } = self.config;
        let scale = match self.config.style {
            BlockStyle::Standard => 1.0 / (head_dim as f32).sqrt(),
            BlockStyle::T5 => 1.0,
        };
        Heads { heads, head_dim, queries: self.time, keys: self.time, scale }
    }

    fn norm(&self, on: &Operands<'_>, i: usize, x: &[f32], to: &mut [f32]) {
        let centred = self.config.style == BlockStyle::Standard;
        kernel::norm(centred, self.config.epsilon, x, on.param(i), on.params[i + 1], to);
    }

    /// Drops numbers of whole sequences, the first of which has the number `first`.
    fn drop(&self, site: u64, first: usize, x: &mut [f32], width: usize) {
        if let Some(Dropout { rate, seed }) = self.dropout {
            for (i, x) in x.chunks_exact_mut(self.time * width).enumerate() {
                kernel::dropout(x, [self.time * width; 2], random::key(seed, site, (first + i) as u64), rate);
            }
        }
    }

    /// The attention of sequence `i` of the batch, whose queries, keys and values are given.
    fn sequence<'a>(&'a self, on: &Operands<'a>, qkv: &'a [f32], i: usize) -> Sequence<'a> {
        let inner = self.inner();
        Sequence {
            queries: qkv,
            keys: &qkv[inner..],
            values: &qkv[2 * inner..],
            step: 3 * inner,
            bias: on.bias,
            keep: self.keep.as_ref().map(|keep| &keep.data()[i * self.time..][..self.time]),
            dropout: self.dropout.map(|dropout| (dropout, i)),
        }
    }

    /// `stream += x w + b` with parameter `i`, past a dropout if there is one.
    fn join(&self, on: &Operands<'_>, site: u64, first: usize, x: &[f32], i: usize, stream: &mut [f32]) {
        let shape = self.config.shapes()[i];
        if self.dropout.is_none() {
            return on.linear(x, i, shape, stream, true);
        }
        let mut branch = scratch::take(stream.len());
        on.linear(x, i, shape, &mut branch, false);
        self.drop(site, first, &mut branch, shape[1]);
        kernel::add(stream, &branch);
    }

    /// The first half of the block for some sequences, the first of which has the number `first`: from `x` in `stream` to
    /// `x + Attention(Norm(x))` there. `probabilities` is as long as those of one head or of all sequences.
    fn attend(&self, on: &Operands<'_>, first: usize, at: Attended<'_>, stream: &mut [f32]) {
        let inner = self.inner();
        let Attended { normed, qkv, probabilities, answers } = at;
        self.norm(on, 0, stream, normed);
        on.linear(normed, 2, [self.config.dim, 3 * inner], qkv, false);
        let heads = self.heads();
        let sequences = qkv.chunks_exact(self.time * 3 * inner).zip(answers.chunks_exact_mut(self.time * inner));
        let step = if probabilities.len() == heads.size() / heads.heads { 0 } else { heads.size() };
        for (i, (qkv, answers)) in sequences.enumerate() {
            let length = if step == 0 { probabilities.len() } else { step };
            heads.forward(self.sequence(on, qkv, first + i), &mut probabilities[i * step..][..length], answers);
        }
        self.join(on, AFTER_ATTENTION, first, answers, 4, stream);
    }

    /// Some sequences, the first of which has the number `first`.
    fn forward_chunk(&self, on: &Operands<'_>, first: usize, out: &mut [f32]) {
        let (BlockConfig { dim, hidden: wide, activation, .. }, inner) = (self.config, self.inner());
        let rows = out.len() / dim;
        let one_head = self.heads().size() / self.config.heads;
        let mut space = scratch::take(one_head + rows * (dim + (4 * inner).max(wide)));
        let [probabilities, normed, rest] =
            scratch::split(&mut space, [one_head, rows * dim, rows * (4 * inner).max(wide)]);
        out.copy_from_slice(&on.x[first * self.time * dim..][..rows * dim]);
        let [qkv, answers] = scratch::split(rest, [rows * 3 * inner, rows * inner]);
        self.attend(on, first, Attended { normed, qkv, probabilities, answers }, out);

        self.norm(on, 6, out, normed);
        let hidden = &mut rest[..rows * wide];
        on.linear(normed, 8, [dim, wide], hidden, false);
        activation.apply(hidden);
        self.drop(AFTER_ACTIVATION, first, hidden, wide);
        self.join(on, AFTER_FEED_FORWARD, first, hidden, 10, out);
    }

    /// Turns the gradient of the output into that of the input, in place, and sums those of the weights.
    pub(crate) fn backward(&self, walk: &mut Walk<'_>, before: &[Node], mut dy: Vec<f32>) {
        let on = self.operands(before);
        let shapes = self.config.shapes();
        let turned = [2, 4, 8, 10].map(|i| {
            let [rows, columns] = shapes[i];
            transposed(on.param(i), rows, columns, walk.pool.take(rows * columns))
        });
        let weights = self.vars.iter().flatten().any(|&var| walk.wants(var));
        let bias = self.bias.is_some_and(|bias| walk.wants(bias));
        let mut targets = [(None, 0); 13];
        for ((target, &var), [rows, columns]) in targets.iter_mut().zip(&self.vars).zip(shapes) {
            *target = (var, if weights && var.is_some() { rows * columns } else { 0 });
        }
        targets[12] = (self.bias, if bias { self.config.heads * self.time * self.time } else { 0 });
        let row = self.time * self.config.dim;
        let cut = Cut::new(dy.len() / row.max(1), self.time);
        sum_over_groups(walk, &targets, &mut dy, cut.group * row, |group, d, sums| {
            for (i, d) in d.chunks_mut(cut.chunk * row).enumerate() {
                self.backward_chunk(&on, &turned, group * cut.group + i * cut.chunk, d, sums, weights);
            }
        });
        turned.into_iter().for_each(|vector| walk.pool.give(vector));
        walk.give(self.x, dy);
    }

    fn backward_chunk(
        &self,
        on: &Operands<'_>,
        [qkv_t, out_t, up_t, down_t]: &[Vec<f32>; 4],
        first: usize,
        d: &mut [f32],
        sums: &mut [&mut [f32]],
        weights: bool,
    ) {
        let (BlockConfig { dim, hidden: wide, activation, epsilon, style, .. }, inner) = (self.config, self.inner());
        let rows = d.len() / dim;
        let x = &on.x[first * self.time * dim..][..rows * dim];
        let heads = self.heads();
        let apart = if self.dropout.is_some() { rows * dim } else { 0 };
        let sizes = [dim, 3 * inner, inner, dim, dim, wide, wide, inner, 3 * inner].map(|width| rows * width);
        let probabilities = rows / self.time * heads.size();
        let mut space = scratch::take(sizes.iter().sum::<usize>() + probabilities + apart);
        let (lent, rest) = space.split_at_mut(probabilities + apart);
        let [probabilities, dropped] = scratch::split(lent, [probabilities, apart]);
        let [normed, qkv, answers, middle, normed2, hidden, d_wide, d_answers, d_qkv] = scratch::split(rest, sizes);
        middle.copy_from_slice(x);
        self.attend(on, first, Attended { normed, qkv, probabilities, answers }, middle);
        self.norm(on, 6, middle, normed2);
        on.linear(normed2, 8, [dim, wide], hidden, false);

        // Adds to the gradients of weight `i` and the bias behind it.
        let linear = |sums: &mut [&mut [f32]], i: usize, x: &[f32], inputs: usize, d: &[f32], outputs: usize| {
            if weights {
                let (x, d_matrix) = (Mat::new(x, rows, inputs), Mat::new(d, rows, outputs));
                kernel::gemm(x.transposed(), d_matrix, None, sums[i], outputs, true);
                if on.params[i + 1].is_some() {
                    kernel::add_column_sums(d, sums[i + 1]);
                }
            }
        };
        let norm = |sums: &mut [&mut [f32]], i: usize, x: &[f32], dy: &[f32], dx: &mut [f32]| {
            let centred = style == BlockStyle::Standard;
            let mut aside = scratch::take(if weights { 0 } else { 2 * dim });
            let (d_gain, d_shift) = match &mut sums[i..] {
                [gain, shift, ..] if weights => (&mut **gain, &mut **shift),
                _ => aside.split_at_mut(dim),
            };
            kernel::norm_backward(centred, epsilon, x, on.param(i), dy, dx, d_gain, centred.then_some(d_shift));
        };
        let product = |d: &[f32], from: usize, turned: &[f32], to: usize, out: &mut [f32]| {
            kernel::gemm(Mat::new(d, rows, from), Mat::new(turned, from, to), None, out, to, false);
        };
        // The gradient as it passes one of the block's dropouts; copied only where there is one.
        fn through<'a>(node: &BlockNode, site: u64, first: usize, d: &'a [f32], aside: &'a mut [f32]) -> &'a [f32] {
            if node.dropout.is_none() {
                return d;
            }
            aside.copy_from_slice(d);
            node.drop(site, first, aside, node.config.dim);
            aside
        }

        let passed = through(self, AFTER_FEED_FORWARD, first, d, dropped);
        product(passed, dim, down_t, wide, d_wide);
        self.drop(AFTER_ACTIVATION, first, d_wide, wide);
        activation.apply_with_slope(hidden, d_wide);
        self.drop(AFTER_ACTIVATION, first, hidden, wide);
        linear(sums, 10, hidden, wide, passed, dim);
        linear(sums, 8, normed2, dim, d_wide, wide);
        product(d_wide, wide, up_t, dim, normed2);
        norm(sums, 6, middle, normed2, d);

        let passed = through(self, AFTER_ATTENTION, first, d, dropped);
        linear(sums, 4, answers, inner, passed, dim);
        product(passed, dim, out_t, inner, d_answers);
        for i in 0..rows / self.time {
            let range = i * self.time * 3 * inner..(i + 1) * self.time * 3 * inner;
            let d_bias = Some(&mut *sums[12]).filter(|d_bias| !d_bias.is_empty());
            let d_answers = &d_answers[i * self.time * inner..][..self.time * inner];
            let sequence = self.sequence(on, &qkv[range.clone()], first + i);
            let p = &probabilities[i * heads.size()..][..heads.size()];
            let at = [0, inner, 2 * inner];
            heads.backward(sequence, p, d_answers, &mut d_qkv[range], at, 3 * inner, d_bias);
        }
        linear(sums, 2, normed, dim, d_qkv, 3 * inner);
        product(d_qkv, 3 * inner, qkv_t, dim, normed);
        norm(sums, 0, x, normed, d);
    }
}
