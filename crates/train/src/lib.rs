//! Training: what is drawn from the panel, in which order, and what a run leaves behind.
//!
//! Nothing here asks for the time or prints: a caller passes a place for events and a flag to stop by.

mod error;
pub mod kernelsynth;

pub use error::Error;
