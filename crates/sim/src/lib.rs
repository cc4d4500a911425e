//! The decision side of the simulator: observations, the policies that answer them, and the
//! estimates that the policies share.

pub mod backtest;
mod cholesky;
mod covariance;
pub mod env;
mod error;
pub mod execution;
pub mod measure;
pub mod online;
pub mod policy;
mod returns;
pub mod reward;
mod simplex;
pub mod state;
pub mod twin;

pub use covariance::{Covariance, Shrinkage, Shrunk};
pub use error::Error;
pub use returns::{ReturnMatrix, SESSIONS_PER_YEAR};
pub use simplex::capped_simplex;
