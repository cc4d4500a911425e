//! Memory that a tape keeps from one step to the next.

use std::collections::BTreeMap;

/// Vectors by length. Fresh pages cost more than the arithmetic of many operations, so what a step has
/// used is used again by the next.
#[derive(Default)]
pub(crate) struct Pool {
    free: BTreeMap<usize, Vec<Vec<f32>>>,
}

impl Pool {
    /// A vector of this length whose content is unspecified.
    pub(crate) fn take(&mut self, length: usize) -> Vec<f32> {
        let found = self.free.get_mut(&length).and_then(Vec::pop);
        let mut vector = found.unwrap_or_else(|| vec![0.0; length]);
        if cfg!(debug_assertions) {
            // Whoever reads before writing shall notice.
            vector.fill(f32::NAN);
        }
        vector
    }

    /// A vector of zeros.
    pub(crate) fn zeros(&mut self, length: usize) -> Vec<f32> {
        let mut vector = self.take(length);
        vector.fill(0.0);
        vector
    }

    /// Keeps a vector for later.
    pub(crate) fn give(&mut self, vector: Vec<f32>) {
        if !vector.is_empty() {
            self.free.entry(vector.len()).or_default().push(vector);
        }
    }
}
