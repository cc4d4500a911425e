//! Work split in a way that does not depend on the number of threads.

use rayon::prelude::*;

/// Element-wise work below this many numbers stays on one thread.
const WORTH_IT: usize = 1 << 15;

/// Runs `work` on matching pieces of `to`; `at` is where a piece starts.
pub(crate) fn pieces(to: &mut [f32], work: impl Fn(usize, &mut [f32]) + Sync) {
    if to.len() <= WORTH_IT {
        return work(0, to);
    }
    to.par_chunks_mut(WORTH_IT).enumerate().for_each(|(i, to)| work(i * WORTH_IT, to));
}

/// Runs `work` on groups of whole rows of `to`, `cost` being a measure of the work in a row; the first
/// argument is the first row of the group.
pub(crate) fn rows(to: &mut [f32], width: usize, cost: usize, work: impl Fn(usize, &mut [f32]) + Sync) {
    let rows = (WORTH_IT * 4 / cost.max(1)).clamp(1, to.len().max(1)).next_multiple_of(12);
    if to.len() <= rows * width {
        return work(0, to);
    }
    to.par_chunks_mut(rows * width).enumerate().for_each(|(i, to)| work(i * rows, to));
}
