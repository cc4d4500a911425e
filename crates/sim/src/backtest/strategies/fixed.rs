//! Weights that are stated and not estimated.

use lotwise_core::Symbol;

use super::super::{AccountView, Strategy};
use crate::Error;
use crate::policy::{Decision, EqualWeight, Observation, Policy, PolicyConfig, Weights};

/// Equal weight at the first decision, and nothing after it.
#[derive(Debug, Clone)]
pub struct EqualWeightHold {
    first: EqualWeight,
    begun: bool,
}

impl EqualWeightHold {
    /// # Errors
    /// [`Error::Setting`] for settings out of range.
    pub fn new(config: PolicyConfig) -> Result<Self, Error> {
        config.check()?;
        Ok(Self { first: EqualWeight { config }, begun: false })
    }
}

impl Strategy for EqualWeightHold {
    fn name(&self) -> &str {
        "equal-weight-hold"
    }

    fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
        if self.begun || observation.universe.is_empty() {
            return untouched(observation);
        }
        self.begun = true;
        self.first.decide(observation)
    }
}

/// Stated fractions of named symbols, restored at every decision; what is not named gets nothing.
#[derive(Debug, Clone)]
pub struct FixedMix {
    name: &'static str,
    mix: Vec<(Symbol, f64)>,
}

impl FixedMix {
    /// # Errors
    /// [`Error::NotAvailable`] without symbols, [`Error::NotOnSimplex`] for fractions that are
    /// negative or sum to more than one.
    pub fn new(name: &'static str, mix: Vec<(Symbol, f64)>) -> Result<Self, Error> {
        if mix.is_empty() {
            return Err(Error::NotAvailable { name, reason: "it needs symbols and their fractions" });
        }
        let sum: f64 = mix.iter().map(|(_, part)| part).sum();
        if sum > 1.0 + 1e-9 || mix.iter().any(|(_, part)| !part.is_finite() || *part < 0.0) {
            return Err(Error::NotOnSimplex { sum });
        }
        Ok(Self { name, mix })
    }
}

impl Strategy for FixedMix {
    fn name(&self) -> &str {
        self.name
    }

    fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
        let mut weights = vec![0.0; observation.weights.len()];
        for (symbol, part) in &self.mix {
            // A symbol that does not trade yet leaves its part in cash.
            let asset = observation.market.asset(symbol);
            let at = asset.and_then(|asset| observation.universe.iter().position(|other| *other == asset));
            if let Some(at) = at {
                weights[1 + at] = *part;
            }
        }
        weights[0] = (1.0 - weights[1..].iter().sum::<f64>()).max(0.0);
        Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
    }
}

/// Everything as it is.
pub(super) fn untouched(observation: &Observation<'_>) -> Result<Decision, Error> {
    Ok(Decision { weights: Weights::new(observation.weights.to_vec())?, notes: Vec::new() })
}
