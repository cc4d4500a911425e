//! Attention of one set over another, several heads at once, with padding, a bias and dropout.

use rayon::prelude::*;

use super::{Dropout, sum_over_groups};
use crate::Array;
use crate::kernel::{self, Mat, scratch};
use crate::random;
use crate::tape::{Node, Op, Tape, Var, Walk};

/// The place in the stream of a dropout's key that attention probabilities use.
const SITE: u64 = 1;

/// What attention goes over.
///
/// # Shapes
/// - `queries`: `[B, queries, heads * head_dim]`
/// - `keys`, `values`: `[B, keys, heads * head_dim]`
/// - `keep`: `[B, keys]`, 0 for padding, which then has no weight at all
/// - `bias`: `[heads, queries, keys]`, added to the scaled scores
pub struct AttentionInputs<'a> {
    /// Who asks.
    pub queries: Var,
    /// Who is asked.
    pub keys: Var,
    /// What they answer.
    pub values: Var,
    /// How many heads the last dimension holds.
    pub heads: usize,
    /// Which keys are there.
    pub keep: Option<&'a Array>,
    /// For instance of relative positions.
    pub bias: Option<Var>,
    /// Of the probabilities.
    pub dropout: Option<Dropout>,
}

/// The sizes of one sequence's attention.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub heads: usize,
    pub head_dim: usize,
    pub queries: usize,
    pub keys: usize,
    pub scale: f32,
}

/// One sequence's operands. Rows start `step` numbers after each other, heads lie side by side within.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    pub queries: &'a [f32],
    pub keys: &'a [f32],
    pub values: &'a [f32],
    pub step: usize,
    pub bias: Option<&'a [f32]>,
    pub keep: Option<&'a [f32]>,
    /// With the sequence's number.
    pub dropout: Option<(Dropout, usize)>,
}

impl Heads {
    fn matrix<'a>(&self, from: &'a [f32], rows: usize, head: usize, step: usize) -> Mat<'a> {
        Mat::strided(&from[head * self.head_dim..], rows, self.head_dim, step)
    }

    /// Rows of probabilities start on cache lines: so many numbers after each other.
    fn step(&self) -> usize {
        self.keys.next_multiple_of(scratch::LINE)
    }

    /// How many numbers the probabilities of all heads take.
    pub(super) fn size(&self) -> usize {
        self.heads * self.queries * self.step()
    }

    /// The probabilities of one head as they are used: without what dropout takes from them.
    fn dropped<'a>(&self, on: Sequence<'_>, head: usize, p: &'a [f32], aside: &'a mut [f32]) -> &'a [f32] {
        if on.dropout.is_none() {
            return p;
        }
        aside.copy_from_slice(p);
        self.drop(on, head, aside);
        aside
    }

    fn drop(&self, on: Sequence<'_>, head: usize, x: &mut [f32]) {
        if let Some((Dropout { rate, seed }, sequence)) = on.dropout {
            let key = random::key(seed, SITE, (sequence * self.heads + head) as u64);
            kernel::dropout(x, [self.keys, self.step()], key, rate);
        }
    }

    /// Writes the answers, `[queries, heads * head_dim]`, and the probabilities `softmax(scale Q Kᵀ + bias)` before
    /// dropout: those of all heads where there is [`Self::size`], or of one after the other in the same place.
    pub(super) fn forward(&self, on: Sequence<'_>, probabilities: &mut [f32], out: &mut [f32]) {
        let Self { heads, head_dim, queries, keys, scale } = *self;
        let (inner, step) = (heads * head_dim, self.step());
        let size = queries * step;
        let all = probabilities.len() == self.size();
        let mut aside = scratch::take(if on.dropout.is_some() { size } else { 0 });
        for head in 0..heads {
            let p = &mut probabilities[if all { head * size } else { 0 }..][..size];
            let k = self.matrix(on.keys, keys, head, on.step).transposed().widened(step);
            kernel::gemm(self.matrix(on.queries, queries, head, on.step), k, None, p, step, false);
            let bias = on.bias.map(|bias| &bias[head * queries * keys..][..queries * keys]);
            kernel::softmax(p, [keys, step], scale, bias, on.keep);
            let p = Mat::strided(self.dropped(on, head, p, &mut aside), queries, keys, step);
            let v = self.matrix(on.values, keys, head, on.step);
            kernel::gemm(p, v, None, &mut out[head * head_dim..], inner, false);
        }
    }

    /// From the probabilities of all heads and the gradient of the answers, writes those of queries, keys and values
    /// to `to` from the places `at` on, rows `step` apart, and adds that of the bias.
    #[expect(clippy::too_many_arguments, reason = "what came in, what comes back, and where it goes")]
    pub(super) fn backward(
        &self,
        on: Sequence<'_>,
        probabilities: &[f32],
        d_out: &[f32],
        to: &mut [f32],
        at: [usize; 3],
        step: usize,
        mut d_bias: Option<&mut [f32]>,
    ) {
        let Self { heads, head_dim, queries, keys, scale } = *self;
        let p_step = self.step();
        let size = queries * p_step;
        let mut ds = scratch::take(size);
        let mut aside = scratch::take(if on.dropout.is_some() { size } else { 0 });
        for head in 0..heads {
            let [to_q, to_k, to_v] = at.map(|at| at + head * head_dim);
            let p = &probabilities[head * size..][..size];
            let used = Mat::strided(self.dropped(on, head, p, &mut aside), queries, keys, p_step);
            let d_out = self.matrix(d_out, queries, head, heads * head_dim);
            kernel::gemm(used.transposed(), d_out, None, &mut to[to_v..], step, false);
            let v = self.matrix(on.values, keys, head, on.step).transposed().widened(p_step);
            kernel::gemm(d_out, v, None, &mut ds, p_step, false);
            self.drop(on, head, &mut ds);
            let d_bias = d_bias.as_mut().map(|d_bias| &mut d_bias[head * queries * keys..][..queries * keys]);
            kernel::softmax_backward(p, &mut ds, [keys, p_step], scale, d_bias);
            let ds = Mat::strided(&ds, queries, keys, p_step);
            let k = self.matrix(on.keys, keys, head, on.step);
            kernel::gemm(ds, k, None, &mut to[to_q..], step, false);
            let q = self.matrix(on.queries, queries, head, on.step);
            kernel::gemm(ds.transposed(), q, None, &mut to[to_k..], step, false);
        }
    }
}

pub(crate) struct AttentionNode {
    vars: [Var; 3],
    bias: Option<Var>,
    keep: Option<Array>,
    dropout: Option<Dropout>,
    heads: Heads,
}

impl Tape {
    /// Attention of queries over keys: `softmax(Q Kᵀ / sqrt(head_dim) + bias) V` for each head. A sequence
    /// without any key kept gets zeros.
    ///
    /// # Shapes
    /// - in: see [`AttentionInputs`]
    /// - output: as `queries`
    pub fn attention(&mut self, inputs: &AttentionInputs<'_>) -> Var {
        let AttentionInputs { queries: q, keys: k, values: v, heads, keep, bias, dropout } = *inputs;
        let [batch, queries, inner] = self.dims(q);
        let [_, keys, _] = self.dims(k);
        for var in [k, v] {
            assert_eq!(self.dims(var), [batch, keys, inner], "keys or values of attention");
        }
        assert!(heads > 0 && inner % heads == 0, "{inner} numbers in {heads} heads");
        assert!(keep.is_none_or(|keep| keep.shape() == [batch, keys].into()), "mask {keep:?} over {batch} x {keys}");
        assert!(bias.is_none_or(|bias| self.dims(bias) == [heads, queries, keys]), "bias of attention");
        let head_dim = inner / heads;
        let heads = Heads { heads, head_dim, queries, keys, scale: 1.0 / (head_dim as f32).sqrt() };
        let mut out = self.pool.take(batch * queries * inner);
        let node = AttentionNode { vars: [q, k, v], bias, keep: keep.cloned(), dropout, heads };
        if !out.is_empty() {
            let nodes = &self.nodes;
            out.par_chunks_mut(queries * inner).enumerate().for_each(|(i, out)| {
                heads.forward(node.sequence(nodes, i), &mut scratch::take(heads.size() / heads.heads), out);
            });
        }
        let tracked = self.tracks([Some(q), Some(k), Some(v), bias].into_iter().flatten());
        self.push(Array::new([batch, queries, inner], out), Op::Attention { node: Box::new(node) }, tracked)
    }
}

impl AttentionNode {
    fn sequence<'a>(&'a self, nodes: &'a [Node], i: usize) -> Sequence<'a> {
        let Heads { heads, head_dim, queries, keys, .. } = self.heads;
        let inner = heads * head_dim;
        let part = |var: Var, rows: usize| &nodes[var.0].value.data()[i * rows * inner..][..rows * inner];
        Sequence {
            queries: part(self.vars[0], queries),
            keys: part(self.vars[1], keys),
            values: part(self.vars[2], keys),
            step: inner,
            bias: self.bias.map(|bias| nodes[bias.0].value.data()),
            keep: self.keep.as_ref().map(|keep| &keep.data()[i * keys..][..keys]),
            dropout: self.dropout.map(|dropout| (dropout, i)),
        }
    }

    pub(crate) fn backward(&self, walk: &mut Walk<'_>, before: &[Node], dy: &[f32]) {
        let Heads { heads, head_dim, queries, keys, .. } = self.heads;
        let inner = heads * head_dim;
        let rows = queries + 2 * keys;
        let batch = dy.len() / (queries * inner).max(1);
        // The three gradients of a sequence behind each other.
        let mut all = walk.pool.take(batch * rows * inner);
        let d_bias = if self.bias.is_some_and(|bias| walk.wants(bias)) { heads * queries * keys } else { 0 };
        let at = [0, queries * inner, (queries + keys) * inner];
        let group = batch.div_ceil(super::Cut::GROUPS).max(1);
        sum_over_groups(walk, &[(self.bias, d_bias)], &mut all, group * rows * inner, |first, all, sums| {
            let mut p = scratch::take(self.heads.size());
            let mut answers = scratch::take(queries * inner);
            for (i, to) in all.chunks_exact_mut(rows * inner).enumerate() {
                let i = first * group + i;
                let sequence = self.sequence(before, i);
                self.heads.forward(sequence, &mut p, &mut answers);
                let dy = &dy[i * queries * inner..][..queries * inner];
                let d_bias = (d_bias > 0).then_some(&mut *sums[0]);
                self.heads.backward(sequence, &p, dy, to, at, inner, d_bias);
            }
        });
        for (var, (at, rows_of)) in self.vars.into_iter().zip(at.into_iter().zip([queries, keys, keys])) {
            if let Some(slot) = walk.slot(var, batch * rows_of * inner) {
                for (slot, from) in slot.chunks_exact_mut(rows_of * inner).zip(all.chunks_exact(rows * inner)) {
                    kernel::add(slot, &from[at..at + rows_of * inner]);
                }
            }
        }
        walk.pool.give(all);
    }
}
