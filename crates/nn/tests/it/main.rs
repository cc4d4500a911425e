//! What the networks promise.

mod checkpoint;
mod encoder;
mod gradients;
mod sample;
mod temporal;
