//! What one step was worth (SPEC E-12..E-18), kept in its parts.
//!
//! Two families. `aligned` (E-17) is the default: parts of like size that add up over time to what
//! the objective wants. `paper` is equation (10) with the bases of equation (11); its disputed terms
//! have a corrected and a literal rule each ([`RewardConfig::corrected`], [`RewardConfig::paper`]).
//!
//! Everything is plain arithmetic on what a step did ([`StepFacts`]) and on a memory of fixed size
//! per environment ([`RewardState`]); nothing here allocates or knows a book.

mod config;
mod facts;
mod normalize;
mod parts;
mod state;
mod step;
#[cfg(test)]
mod toy;

pub use config::{ConcentrationRule, RewardConfig, RewardFamily, SharpeConfig, StaleRule, TaxEventRule};
pub use facts::{StepFacts, TaxFacts};
pub use normalize::{ReturnStatistics, RewardNormalizer};
pub use parts::Reward;
pub use state::{RewardState, SHARPE_WINDOW};
pub use step::{Concentration, net_turnover, redeployed_fraction, symmetry_weight};
