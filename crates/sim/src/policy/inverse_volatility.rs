//! Less of what moves more.

use super::frame::Frame;
use super::{Decision, Observation, Policy, PolicyConfig};
use crate::Error;

/// Weighs every asset by one over its own volatility in the risk window. Gaps are skipped asset by
/// asset, since no two assets are compared day by day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseVolatility {
    /// Window, cash and limits.
    pub config: PolicyConfig,
}

impl Policy for InverseVolatility {
    fn name(&self) -> &'static str {
        "inverse-volatility"
    }

    fn describe(&self) -> &'static str {
        "Weighs every asset by one over its volatility in the past year, so that calm assets get more. \
         A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        let mut frame = Frame::new(observation, &self.config)?;
        let returns = frame.returns();
        let inverse: Vec<f64> = (0..returns.n_assets())
            .map(|asset| {
                1.0 / returns.volatility_annual(asset).expect("Invariant: the frame left out what stands still")
            })
            .collect();
        let sum: f64 = inverse.iter().sum();
        frame.finish(&inverse.iter().map(|value| value / sum).collect::<Vec<f64>>())
    }
}
