//! Pretraining of our own frozen branch on synthetic series alone: an encoder of the shape of Chronos-Bolt
//! learns to forecast quantiles of series that nobody has ever traded.
//!
//! The recipe is KernelSynth with mixtures (Ansari et al. 2024, appendix A and section 4.1): samples of
//! Gaussian processes whose kernels are random compositions of a few kinds, and convex combinations of
//! them. Half of the windows become walks whose volatility follows such a sample, since levels of prices
//! are what the branch will see. No price takes part.
//!
//! A run is a function of its configuration: step `i` draws its windows from the stream of its number, so
//! that a resumed run gives the bits of one that was never stopped.

mod batch;
mod config;
mod kernels;
mod measures;
mod run;

pub use batch::{Batch, Pool};
pub use config::KernelSynthConfig;
pub use kernels::Kernel;
pub use run::{Event, Measures, Outcome, Run};
