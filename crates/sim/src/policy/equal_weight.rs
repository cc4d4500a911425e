//! The same share for every asset.

use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::Error;

/// Gives every asset with a recent price the same weight.
///
/// Hard to beat out of sample, since it estimates nothing: V. DeMiguel, L. Garlappi and R. Uppal,
/// "Optimal Versus Naive Diversification", Review of Financial Studies 22(5), 2009.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EqualWeight {
    /// Cash and limits.
    pub config: PolicyConfig,
}

impl Policy for EqualWeight {
    fn name(&self) -> &'static str {
        "equal-weight"
    }

    fn describe(&self) -> &'static str {
        "Gives every asset the same weight. A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let frame = Frame::new(observation, &self.config)?;
        let n_assets = frame.assets().len();
        frame.finish(&vec![1.0 / n_assets as f64; n_assets])
    }
}
