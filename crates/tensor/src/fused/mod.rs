//! Whole blocks as single operations with hand-written gradients.
//!
//! A few sequences (or rows) at a time go through a block while what they leave stays in cache; only what
//! the way back cannot cheaply make again is kept. Gradients of weights are summed in groups whose number
//! depends on the sizes alone, and the groups are added in order: the same bits for any number of threads.

mod attention;
mod block;
mod mlp;

pub use attention::AttentionInputs;
pub(crate) use attention::AttentionNode;
pub(crate) use block::BlockNode;
pub use block::{Block, BlockConfig, BlockExtras, BlockStyle};
pub(crate) use mlp::MlpNode;
pub use mlp::{Mlp, MlpConfig};

use rayon::prelude::*;

use crate::kernel::{self, Gelu, Relu};
use crate::parallel;
use crate::tape::{Var, Walk};

/// The function between two linear layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x Φ(x)`, exact.
    Gelu,
    /// `max(x, 0)`.
    Relu,
}

impl Activation {
    fn apply(self, x: &mut [f32]) {
        match self {
            Self::Gelu => kernel::map::<Gelu>(x),
            Self::Relu => kernel::map::<Relu>(x),
        }
    }

    /// Writes the value over `x` and multiplies the gradient by the slope.
    fn apply_with_slope(self, x: &mut [f32], gradient: &mut [f32]) {
        match self {
            Self::Gelu => kernel::map_with_slope::<Gelu>(x, gradient),
            Self::Relu => kernel::map_with_slope::<Relu>(x, gradient),
        }
    }
}

/// Dropout within a block: which numbers fall out depends on the seed and the position alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// The share that falls out, in `0..1`.
    pub rate: f32,
    /// A new one for each step and each block.
    pub seed: u64,
}

/// How a batch is cut for the way back: chunks that go through together, and groups of chunks that sum
/// gradients in one place. Nothing here depends on the number of threads.
#[derive(Clone, Copy)]
struct Cut {
    chunk: usize,
    group: usize,
}

impl Cut {
    /// The most groups, and so the most threads that help.
    const GROUPS: usize = 16;
    /// About so many rows go through together.
    const ROWS: usize = 180;

    /// For so many items of so many rows each.
    fn new(items: usize, rows: usize) -> Self {
        let chunk = (Self::ROWS / rows.max(1)).clamp(1, items.max(1));
        let group = items.div_ceil(chunk).div_ceil(Self::GROUPS).max(1) * chunk;
        Self { chunk, group }
    }

    /// Items that go forward together: as above, but so that every thread has the same number of chunks.
    /// Forward, rows do not depend on each other, so no bit depends on this.
    fn forward(items: usize, rows: usize) -> usize {
        // A little more than that, where whole items then divide evenly: ten of 65 rows on two threads.
        let most = ((Self::ROWS + Self::ROWS / 16) / rows.max(1)).clamp(1, items.max(1));
        items.div_ceil(items.div_ceil(most).next_multiple_of(rayon::current_num_threads())).max(1)
    }
}

/// Sums gradients of weights over groups in parallel, then over the groups in order, and passes them on.
/// `work` gets a group's number, its part of `d` (`group_length` numbers, changed in place) and the places
/// of the gradients, one for each of `targets`.
fn sum_over_groups(
    walk: &mut Walk<'_>,
    targets: &[(Option<Var>, usize)],
    d: &mut [f32],
    group_length: usize,
    work: impl Fn(usize, &mut [f32], &mut [&mut [f32]]) + Sync,
) {
    let size: usize = targets.iter().map(|target| target.1).sum();
    let groups = d.len().div_ceil(group_length.max(1)).max(1);
    let mut sums = walk.pool.take(groups * size.max(1));
    if d.is_empty() {
        sums.fill(0.0);
    }
    d.par_chunks_mut(group_length.max(1)).zip(sums.par_chunks_mut(size.max(1))).enumerate().for_each(
        |(i, (d, mut sums))| {
            sums.fill(0.0);
            let mut places = Vec::with_capacity(targets.len());
            for &(_, length) in targets {
                let (place, rest) = std::mem::take(&mut sums).split_at_mut(length);
                places.push(place);
                sums = rest;
            }
            work(i, d, &mut places);
        },
    );
    let (first, rest) = sums.split_at_mut(size);
    parallel::pieces(first, |at, first| {
        for group in rest.chunks_exact(size.max(1)) {
            kernel::add(first, &group[at..at + first.len()]);
        }
    });
    let mut at = 0;
    for &(var, length) in targets {
        if let Some(slot) = var.and_then(|var| walk.slot(var, length)) {
            kernel::add(slot, &first[at..at + length]);
        }
        at += length;
    }
    walk.pool.give(sums);
}

/// A matrix turned round.
fn transposed(from: &[f32], rows: usize, columns: usize, mut to: Vec<f32>) -> Vec<f32> {
    assert!(from.len() == rows * columns && to.len() == from.len());
    for (i, row) in from.chunks_exact(columns).enumerate() {
        for (j, &x) in row.iter().enumerate() {
            to[j * rows + i] = x;
        }
    }
    to
}
