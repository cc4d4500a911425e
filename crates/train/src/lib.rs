//! Training: what is drawn from the panel, in which order, and what a run leaves behind.
//!
//! Nothing here asks for the time or prints: a caller passes a place for events and a flag to stop by.

pub mod encoder;
mod error;
pub mod kernelsynth;
mod seeds;

pub use error::Error;
