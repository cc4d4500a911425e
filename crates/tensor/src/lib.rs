//! A small `f32` engine: arrays, operations with gradients, fused blocks, optimisers and weight files.
//!
//! It knows nothing of finance. A [`Tape`] records what is computed from the values of [`Params`] and
//! walks back to [`Gradients`]; [`AdamW`] moves the parameters. Same inputs, same instruction set, same
//! bits: whatever the number of threads.
//!
//! Shapes are row-major, up to five dimensions. Sizes that do not fit are a fault of the caller and
//! panic with both shapes in the message; files and other foreign input give an [`Error`].

mod array;
mod error;
pub mod fused;
mod kernel;
mod ops;
mod optimiser;
mod parallel;
mod params;
mod pool;
mod random;
mod schedule;
mod shape;
mod tape;
mod weights;

pub use array::Array;
pub use error::Error;
pub use kernel::Instructions;
pub use ops::dropout_mask;
pub use optimiser::{AdamW, AdamWConfig, Ema};
pub use params::{Gradients, ParamId, ParamRule, Params};
pub use random::Random;
pub use schedule::Schedule;
pub use shape::Shape;
pub use tape::{OPERATIONS, Tape, Var};
pub use weights::{LoadReport, Weights};
