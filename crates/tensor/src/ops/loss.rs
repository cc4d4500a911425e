//! Losses and likenesses, put together from other operations.

use crate::Array;
use crate::tape::{Tape, Var};

/// Smallest norm of a vector in a cosine.
const COSINE_EPSILON: f32 = 1e-8;

impl Tape {
    /// Cross-entropy of each row of logits against the class that came true; `None` marks a row without
    /// one, which adds nothing. Averaged over the rows that have one (0 where none has).
    ///
    /// # Shapes
    /// - `logits`: `[rows, classes]`, `targets`: `rows` numbers below `classes`
    /// - output: one number
    pub fn cross_entropy(&mut self, logits: Var, targets: &[Option<usize>]) -> Var {
        let [rows, classes] = self.dims(logits);
        assert_eq!(rows, targets.len(), "{} targets for {rows} rows of logits", targets.len());
        let known = targets.iter().flatten().count().max(1) as f32;
        let mut weights = Array::zeros([rows, classes]);
        for (row, target) in targets.iter().enumerate() {
            if let Some(class) = *target {
                assert!(class < classes, "class {class} of {classes}");
                weights.data_mut()[row * classes + class] = -1.0 / known;
            }
        }
        let weights = self.constant(weights);
        let log = self.log_softmax(logits, None);
        let terms = self.mul(weights, log);
        self.sum_all(terms)
    }

    /// Cross-entropy against whole distributions, averaged over rows; gradients reach both sides.
    ///
    /// # Shapes
    /// - `logits`, `targets`: `[rows, classes]`
    /// - output: one number
    pub fn cross_entropy_soft(&mut self, logits: Var, targets: Var) -> Var {
        let [rows, _] = self.dims(logits);
        let log = self.log_softmax(logits, None);
        let terms = self.mul(targets, log);
        let sum = self.sum_all(terms);
        self.scale(sum, -1.0 / rows as f32)
    }

    /// The cosine between vectors.
    ///
    /// # Shapes
    /// - `a`, `b`: `[.., d]`
    /// - output: `[..]`
    pub fn cosine_similarity(&mut self, a: Var, b: Var) -> Var {
        let axis = self.shape(a).len() - 1;
        let (a, b) = (self.unit(a), self.unit(b));
        let product = self.mul(a, b);
        self.sum(product, axis)
    }

    /// Vectors of length one in the same directions.
    ///
    /// # Shapes
    /// `[.., d]` in and out.
    pub fn unit(&mut self, x: Var) -> Var {
        let shape = self.shape(x);
        let axis = shape.len() - 1;
        let square = self.square(x);
        let sum = self.sum(square, axis);
        // The floor stands within the root, so that a vector of zeros has a finite gradient.
        let floored = self.affine(sum, 1.0, COSINE_EPSILON * COSINE_EPSILON);
        let norm = self.sqrt(floored);
        let norm = self.reshape(norm, shape.with(axis, 1));
        self.div(x, norm)
    }
}
