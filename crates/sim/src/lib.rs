//! The decision side of the simulator: observations and the policies that answer them.

mod error;
pub mod policy;

pub use error::Error;
