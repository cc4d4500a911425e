//! What the networks promise.

mod checkpoint;
mod chronos;
mod encoder;
mod gradients;
mod sample;
mod temporal;
