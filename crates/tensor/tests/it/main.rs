//! The engine from outside: gradients, agreement with PyTorch, blocks, optimisers, files.

mod fused;
mod gradients;
mod shapes;
mod tape;
mod torch;
mod weights;

use lotwise_tensor::{Array, Random, Shape};

/// Normal numbers of a seed.
fn normal(shape: impl Into<Shape>, seed: u64) -> Array {
    let mut random = Random::new(seed);
    Array::from_fn(shape, |_| random.normal())
}
