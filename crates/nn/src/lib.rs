//! The networks, on the operations of `lotwise-tensor`: what turns windows of prices into representations.
//!
//! Nothing here knows a date, a ticker's name or money: a caller hands over windows of numbers. No
//! parameter has a size that depends on how many assets there are.

pub mod checkpoint;
pub mod chronos;
pub mod encoder;
mod error;
mod layers;
pub mod onnx;
pub mod temporal;

pub use checkpoint::{Checkpoint, Manifest};
pub use encoder::{CrossAssetEncoder, EncoderConfig, EncoderInputs, EncoderOutput, Pass};
pub use error::Error;
pub use temporal::FrozenTemporal;
