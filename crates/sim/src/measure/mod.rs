//! What a series of returns is worth, and how sure one can be of it (SPEC V-05 to V-07).
//!
//! Every statistic that is not defined for its input is `None`, never zero and never NaN. Returns
//! are simple returns per session, as fractions.

mod bootstrap;
mod decomposition;
mod moments;
mod overfitting;
mod performance;
mod sharpe;
mod superior;

pub use bootstrap::{Interval, StationaryBootstrap, bootstrap_interval};
pub use decomposition::{AlphaDecomposition, AlphaInputs, decompose_alpha};
pub use moments::{Moments, normal_cdf, normal_quantile};
pub use overfitting::{Overfitting, probability_of_overfitting};
pub use performance::{Performance, Relative, drawdowns, performance, relative};
pub use sharpe::{deflated_sharpe, expected_best_sharpe, probabilistic_sharpe};
pub use superior::{SuperiorAbility, superior_predictive_ability};
