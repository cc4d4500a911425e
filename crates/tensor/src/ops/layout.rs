//! Operations that move numbers, and sums over an axis.

use crate::kernel;
use crate::random;
use crate::tape::{Node, Op, Tape, Var, Walk};
use crate::{Array, Shape};

/// The place in the stream of a dropout's key that plain tape operations use.
const SITE: u64 = 0;

/// The factors by which [`Tape::dropout`] multiplies: 0, or `1 / (1 - rate)`.
#[must_use]
pub fn dropout_mask(shape: impl Into<Shape>, rate: f32, seed: u64) -> Array {
    let mut mask = Array::full(shape, 1.0);
    let count = mask.data().len();
    kernel::dropout(mask.data_mut(), [count; 2], random::key(seed, SITE, 0), rate);
    mask
}

impl Tape {
    /// The sum over an axis, which disappears.
    ///
    /// # Shapes
    /// `[a, b, c]` with `axis` 1 gives `[a, c]`.
    pub fn sum(&mut self, x: Var, axis: usize) -> Var {
        let shape = self.shape(x);
        let [_, size, inner] = shape.around(axis);
        let output = shape.without(axis);
        let mut out = self.pool.zeros(output.count());
        if size * inner > 0 {
            let from = self.value(x).data().chunks_exact(size * inner);
            for (out, from) in out.chunks_exact_mut(inner).zip(from) {
                kernel::add_column_sums(from, out);
            }
        }
        let tracked = self.tracks([x]);
        self.push(Array::new(output, out), Op::Sum { x, axis }, tracked)
    }

    /// The mean over an axis, which disappears.
    pub fn mean(&mut self, x: Var, axis: usize) -> Var {
        let size = self.shape(x)[axis];
        let sum = self.sum(x, axis);
        self.scale(sum, 1.0 / size as f32)
    }

    /// The sum of everything, without dimensions.
    pub fn sum_all(&mut self, x: Var) -> Var {
        let flat = self.reshape(x, [self.shape(x).count()]);
        self.sum(flat, 0)
    }

    /// The mean of everything, without dimensions.
    pub fn mean_all(&mut self, x: Var) -> Var {
        let count = self.shape(x).count();
        let sum = self.sum_all(x);
        self.scale(sum, 1.0 / count as f32)
    }

    /// The same numbers under another shape.
    pub fn reshape(&mut self, x: Var, shape: impl Into<Shape>) -> Var {
        let value = self.value(x).reshaped(shape);
        let tracked = self.tracks([x]);
        self.push(value, Op::Reshape { x }, tracked)
    }

    /// The axes in another order: output axis `i` is input axis `order[i]`.
    pub fn permute(&mut self, x: Var, order: &[usize]) -> Var {
        let shape = self.shape(x);
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..shape.len()), "{order:?} is not an order of the axes of {shape:?}");
        let output = Shape::new(&order.iter().map(|&axis| shape[axis]).collect::<Vec<_>>());
        let mut out = self.pool.take(shape.count());
        permute(self.value(x).data(), shape, order, &mut out);
        let tracked = self.tracks([x]);
        self.push(Array::new(output, out), Op::Permute { x, order: order.to_vec() }, tracked)
    }

    /// The last two axes exchanged.
    pub fn transpose(&mut self, x: Var) -> Var {
        let rank = self.shape(x).len();
        assert!(rank >= 2, "only matrices are transposed, not {:?}", self.shape(x));
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        self.permute(x, &order)
    }

    /// Values behind each other along an axis; the other sizes must agree.
    pub fn concat(&mut self, parts: &[Var], axis: usize) -> Var {
        let first = self.shape(*parts.first().expect("Invariant: there is something to put together"));
        let sizes: Vec<usize> = parts.iter().map(|&part| self.shape(part)[axis]).collect();
        let output = first.with(axis, sizes.iter().sum());
        for &part in parts {
            let shape = self.shape(part);
            let fits = shape.len() == first.len() && shape.with(axis, first[axis]) == first;
            assert!(fits, "{shape:?} behind {first:?} along axis {axis}");
        }
        let [outer, _, inner] = first.around(axis);
        let mut out = self.pool.take(output.count());
        let mut at = 0;
        for i in 0..outer {
            for (&part, &size) in parts.iter().zip(&sizes) {
                let length = size * inner;
                out[at..at + length].copy_from_slice(&self.value(part).data()[i * length..][..length]);
                at += length;
            }
        }
        let tracked = self.tracks(parts.iter().copied());
        self.push(Array::new(output, out), Op::Concat { parts: parts.to_vec(), axis }, tracked)
    }

    /// A range of an axis.
    pub fn slice(&mut self, x: Var, axis: usize, range: std::ops::Range<usize>) -> Var {
        let shape = self.shape(x);
        let [outer, size, inner] = shape.around(axis);
        assert!(range.start <= range.end && range.end <= size, "{range:?} of axis {axis} of {shape:?}");
        let output = shape.with(axis, range.len());
        let mut out = self.pool.take(output.count());
        let (length, start) = (range.len() * inner, range.start);
        for i in 0..outer {
            let from = &self.value(x).data()[(i * size + start) * inner..][..length];
            out[i * length..][..length].copy_from_slice(from);
        }
        let tracked = self.tracks([x]);
        self.push(Array::new(output, out), Op::Slice { x, axis, start }, tracked)
    }

    /// Rows of a table: an embedding, or a choice of samples.
    ///
    /// # Shapes
    /// - `table`: `[n, ..]`, `rows`: any numbers below `n`, in any order, also repeated
    /// - output: `[rows.len(), ..]`
    pub fn gather(&mut self, table: Var, rows: &[usize]) -> Var {
        let shape = self.shape(table);
        let [_, n, inner] = shape.around(0);
        let output = shape.with(0, rows.len());
        let mut out = self.pool.take(output.count());
        for (i, &row) in rows.iter().enumerate() {
            assert!(row < n, "row {row} of a table of {n}");
            out[i * inner..][..inner].copy_from_slice(&self.value(table).data()[row * inner..][..inner]);
        }
        let tracked = self.tracks([table]);
        self.push(Array::new(output, out), Op::Gather { table, rows: rows.to_vec() }, tracked)
    }

    /// Inverted dropout: each number becomes 0 with probability `rate`, and the others grow so that the
    /// mean stays. Which ones is decided by the seed and the position alone: see [`dropout_mask`].
    ///
    /// # Panics
    /// Unless `rate` is within `0..1`.
    pub fn dropout(&mut self, x: Var, rate: f32, seed: u64) -> Var {
        assert!((0.0..1.0).contains(&rate), "dropout at a rate of {rate}");
        let (shape, key) = (self.shape(x), random::key(seed, SITE, 0));
        let mut out = self.pool.take(shape.count());
        out.copy_from_slice(self.value(x).data());
        let count = out.len();
        kernel::dropout(&mut out, [count; 2], key, rate);
        let tracked = self.tracks([x]);
        self.push(Array::new(shape, out), Op::Dropout { x, key, rate }, tracked)
    }
}

/// Writes `from` with its axes in another order.
fn permute(from: &[f32], shape: Shape, order: &[usize], out: &mut [f32]) {
    if out.is_empty() {
        return;
    }
    let own = shape.steps_within(shape);
    // Padded in front to five axes, of which the last two are the inner loops.
    let (mut sizes, mut steps) = ([1; Shape::MOST], [0; Shape::MOST]);
    let first = Shape::MOST - order.len();
    for (i, &axis) in order.iter().enumerate() {
        (sizes[first + i], steps[first + i]) = (shape[axis], own[axis]);
    }
    let mut rows = out.chunks_exact_mut(sizes[4]);
    for a in 0..sizes[0] {
        for b in 0..sizes[1] {
            for c in 0..sizes[2] {
                for (d, row) in (0..sizes[3]).zip(&mut rows) {
                    let start = a * steps[0] + b * steps[1] + c * steps[2] + d * steps[3];
                    for (e, to) in row.iter_mut().enumerate() {
                        *to = from[start + e * steps[4]];
                    }
                }
            }
        }
    }
}

pub(super) fn sum_backward(walk: &mut Walk<'_>, x: Var, shape: Shape, axis: usize, dy: &[f32]) {
    let [_, size, inner] = shape.around(axis);
    let mut dx = walk.pool.take(shape.count());
    if size * inner > 0 {
        for (dx, dy) in dx.chunks_exact_mut(size * inner).zip(dy.chunks_exact(inner)) {
            dx.chunks_exact_mut(inner).for_each(|dx| dx.copy_from_slice(dy));
        }
    }
    walk.give(x, dx);
}

pub(super) fn permute_backward(walk: &mut Walk<'_>, x: Var, output: Shape, order: &[usize], dy: &[f32]) {
    let mut back = vec![0; order.len()];
    order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
    let mut dx = walk.pool.take(dy.len());
    permute(dy, output, &back, &mut dx);
    walk.give(x, dx);
}

pub(super) fn concat_backward(
    walk: &mut Walk<'_>,
    before: &[Node],
    parts: &[Var],
    axis: usize,
    output: Shape,
    dy: &[f32],
) {
    let [outer, whole, inner] = output.around(axis);
    let mut start = 0;
    for &part in parts {
        let shape = before[part.0].value.shape();
        let length = shape[axis] * inner;
        if let Some(slot) = walk.slot(part, shape.count()) {
            for i in 0..outer {
                kernel::add(&mut slot[i * length..][..length], &dy[i * whole * inner + start..][..length]);
            }
        }
        start += length;
    }
}

pub(super) fn slice_backward(
    walk: &mut Walk<'_>,
    x: Var,
    shape: Shape,
    axis: usize,
    start: usize,
    output: Shape,
    dy: &[f32],
) {
    let [outer, size, inner] = shape.around(axis);
    let length = output[axis] * inner;
    if let Some(slot) = walk.slot(x, shape.count()) {
        for i in 0..outer {
            kernel::add(&mut slot[(i * size + start) * inner..][..length], &dy[i * length..][..length]);
        }
    }
}

pub(super) fn gather_backward(walk: &mut Walk<'_>, table: Var, value: &Array, rows: &[usize], dy: &[f32]) {
    let [_, _, inner] = value.shape().around(0);
    if let Some(slot) = walk.slot(table, value.data().len()) {
        for (i, &row) in rows.iter().enumerate() {
            kernel::add(&mut slot[row * inner..][..inner], &dy[i * inner..][..inner]);
        }
    }
}

pub(super) fn dropout_backward(walk: &mut Walk<'_>, x: Var, key: u64, rate: f32, mut dy: Vec<f32>) {
    let count = dy.len();
    kernel::dropout(&mut dy, [count; 2], key, rate);
    walk.give(x, dy);
}
