//! What the networks promise.

mod checkpoint;
mod chronos;
mod encoder;
mod gradients;
mod onnx;
mod sample;
mod temporal;
