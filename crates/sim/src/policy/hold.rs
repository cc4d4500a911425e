//! Leave everything as it is.

use super::{Decision, Observation, Policy, PolicyConfig, Weights};
use crate::Error;
use crate::policy::frame::Frame;

/// Keeps the present weights, cash included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hold;

impl Policy for Hold {
    fn name(&self) -> &'static str {
        "hold"
    }

    fn describe(&self) -> &'static str {
        "Keeps every holding at its present weight and trades only where taxes or cash needs ask for it. \
         A classical rule, not a learned policy."
    }

    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error> {
        // The frame checks the observation; its settings do not matter to a rule that keeps all.
        Frame::new(observation, &PolicyConfig::default())?;
        Ok(Decision { weights: Weights::new(observation.weights.to_vec())?, notes: Vec::new() })
    }
}
