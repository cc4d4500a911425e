//! Softmax and norms over the last dimension.

use crate::kernel;
use crate::parallel;
use crate::tape::{Node, Op, Tape, Var, Walk};
use crate::{Array, Shape};

/// Rows in which the gradients of a norm's gain are summed before the sums are added up.
const GROUP: usize = 256;

impl Tape {
    /// Softmax over the last dimension.
    ///
    /// # Shapes
    /// - `x`: `[.., n]`
    /// - `keep`: `[n]` or as `x`: entries where it is 0 become exactly 0, and a row without any entry
    ///   kept becomes 0 altogether
    /// - output: as `x`
    pub fn softmax(&mut self, x: Var, keep: Option<&Array>) -> Var {
        let shape = self.shape(x);
        check_keep(shape, keep);
        let width = shape.width();
        let mut out = self.pool.take(shape.count());
        let from = self.value(x).data();
        parallel::rows(&mut out, width, width * 8, |first, out| {
            out.copy_from_slice(&from[first * width..][..out.len()]);
            let keep = keep.map(|keep| {
                let keep = keep.data();
                if keep.len() == width { keep } else { &keep[first * width..][..out.len()] }
            });
            kernel::softmax(out, [width; 2], 1.0, None, keep);
        });
        let tracked = self.tracks([x]);
        self.push(Array::new(shape, out), Op::Softmax { x }, tracked)
    }

    /// The logarithm of [`Self::softmax`]; entries that are not kept become minus infinity and take no
    /// gradient, so pick kept ones from it.
    ///
    /// # Shapes
    /// As [`Self::softmax`].
    pub fn log_softmax(&mut self, x: Var, keep: Option<&Array>) -> Var {
        let shape = self.shape(x);
        check_keep(shape, keep);
        let width = shape.width();
        let mut out = self.pool.take(shape.count());
        let from = self.value(x).data();
        parallel::rows(&mut out, width, width * 8, |first, out| {
            for (i, (y, x)) in out.chunks_exact_mut(width).zip(from[first * width..].chunks_exact(width)).enumerate() {
                y.copy_from_slice(x);
                if let Some(keep) = keep {
                    let keep = keep.data();
                    let keep = if keep.len() == width { keep } else { &keep[(first + i) * width..][..width] };
                    y.iter_mut().zip(keep).filter(|&(_, &keep)| keep == 0.0).for_each(|(y, _)| *y = f32::NEG_INFINITY);
                }
                let top = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = y.iter().map(|&y| if y == f32::NEG_INFINITY { 0.0 } else { (y - top).exp() }).sum();
                let level = top + sum.ln();
                y.iter_mut().filter(|y| **y != f32::NEG_INFINITY).for_each(|y| *y -= level);
            }
        });
        let tracked = self.tracks([x]);
        self.push(Array::new(shape, out), Op::LogSoftmax { x }, tracked)
    }

    /// Layer norm over the last dimension (biased variance plus `epsilon`).
    ///
    /// # Shapes
    /// - `x`: `[.., d]`, `gain`, `shift`: `[d]`
    /// - output: as `x`
    pub fn layer_norm(&mut self, x: Var, gain: Var, shift: Var, epsilon: f32) -> Var {
        self.norm(x, gain, Some(shift), epsilon)
    }

    /// RMS norm over the last dimension: `gain x / sqrt(mean(x²) + epsilon)`.
    ///
    /// # Shapes
    /// - `x`: `[.., d]`, `gain`: `[d]`
    /// - output: as `x`
    pub fn rms_norm(&mut self, x: Var, gain: Var, epsilon: f32) -> Var {
        self.norm(x, gain, None, epsilon)
    }

    /// Centred where there is a shift.
    fn norm(&mut self, x: Var, gain: Var, shift: Option<Var>, epsilon: f32) -> Var {
        let shape = self.shape(x);
        let width = shape.width();
        for var in [Some(gain), shift].into_iter().flatten() {
            assert_eq!(self.shape(var), Shape::new(&[width]), "gain or shift of a norm over {shape:?}");
        }
        let mut out = self.pool.take(shape.count());
        let (from, gain_data) = (self.value(x).data(), self.value(gain).data());
        let shift_data = shift.map(|shift| self.value(shift).data());
        parallel::rows(&mut out, width, width * 4, |first, out| {
            let from = &from[first * width..][..out.len()];
            kernel::norm(shift_data.is_some(), epsilon, from, gain_data, shift_data, out);
        });
        let tracked = self.tracks([Some(x), Some(gain), shift].into_iter().flatten());
        self.push(Array::new(shape, out), Op::Norm { x, gain, shift, epsilon }, tracked)
    }
}

fn check_keep(shape: Shape, keep: Option<&Array>) {
    assert!(!shape.is_empty(), "softmax needs a dimension");
    let fits = |keep: &Array| keep.shape() == shape || keep.shape() == Shape::new(&[shape.width()]);
    assert!(keep.is_none_or(fits), "mask {keep:?} over {shape:?}");
}

pub(super) fn softmax_backward(walk: &mut Walk<'_>, x: Var, y: &Array, dy: &[f32]) {
    let mut dx = walk.pool.take(dy.len());
    let width = y.shape().width();
    parallel::rows(&mut dx, width, width * 4, |first, dx| {
        let range = first * width..first * width + dx.len();
        dx.copy_from_slice(&dy[range.clone()]);
        kernel::softmax_backward(&y.data()[range], dx, [width; 2], 1.0, None);
    });
    walk.give(x, dx);
}

pub(super) fn log_softmax_backward(walk: &mut Walk<'_>, x: Var, y: &Array, dy: &[f32]) {
    let mut dx = walk.pool.take(dy.len());
    let width = y.shape().width();
    parallel::rows(&mut dx, width, width * 8, |first, dx| {
        for (i, dx) in dx.chunks_exact_mut(width).enumerate() {
            let range = (first + i) * width..(first + i + 1) * width;
            let (y, dy) = (&y.data()[range.clone()], &dy[range]);
            // What stands at entries that were not kept has no say.
            let kept = |(y, dy): (&f32, &f32)| if *y == f32::NEG_INFINITY { 0.0 } else { *dy };
            let sum: f32 = y.iter().zip(dy).map(kept).sum();
            for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
                *dx = kept((y, dy)) - y.exp() * sum;
            }
        }
    });
    walk.give(x, dx);
}

pub(super) fn norm_backward(
    walk: &mut Walk<'_>,
    before: &[Node],
    [x, gain]: [Var; 2],
    shift: Option<Var>,
    epsilon: f32,
    dy: &[f32],
) {
    use rayon::prelude::*;
    let (from, gain_data) = (before[x.0].value.data(), before[gain.0].value.data());
    let width = gain_data.len();
    let mut dx = walk.pool.zeros(dy.len());
    let groups = dy.len().div_ceil(GROUP * width).max(1);
    // Each group of rows sums for itself; the sums are added in the order of the groups.
    let mut sums = walk.pool.zeros(groups * 2 * width);
    dx.par_chunks_mut(GROUP * width).zip(sums.par_chunks_mut(2 * width)).enumerate().for_each(|(i, (dx, sums))| {
        let range = i * GROUP * width..i * GROUP * width + dx.len();
        let (d_gain, d_shift) = sums.split_at_mut(width);
        let d_shift = shift.is_some().then_some(d_shift);
        kernel::norm_backward(
            shift.is_some(),
            epsilon,
            &from[range.clone()],
            gain_data,
            &dy[range],
            dx,
            d_gain,
            d_shift,
        );
    });
    for sums in sums.chunks_exact(2 * width) {
        for (var, sums) in [Some(gain), shift].into_iter().zip(sums.chunks_exact(width)) {
            if let Some(slot) = var.and_then(|var| walk.slot(var, width)) {
                kernel::add(slot, sums);
            }
        }
    }
    walk.pool.give(sums);
    walk.give(x, dx);
}
