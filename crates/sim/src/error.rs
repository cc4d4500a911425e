//! What can go wrong between an observation and its weights.

use lotwise_core::Symbol;

/// Errors of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The weights do not form a portfolio.
    #[error("weights must be finite, not negative and sum to 1, but sum to {sum}")]
    NotOnSimplex {
        /// What they sum to.
        sum: f64,
    },
    /// An asset has too few bars for the rule.
    #[error("{symbol} has {bars} bars, the rule needs {needed}")]
    TooLittleHistory {
        /// The asset.
        symbol: Symbol,
        /// Bars that it has.
        bars: usize,
        /// Bars that the rule needs.
        needed: usize,
    },
    /// The convex solver gave no usable answer.
    #[error("the solver stopped with status {status}")]
    Solver {
        /// The solver's own word.
        status: String,
    },
    /// The name is none of the policies.
    #[error("{name:?} is not a policy; use one of {known}")]
    UnknownPolicy {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}
