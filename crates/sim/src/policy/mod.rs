//! From what can be seen to the weights wanted: `[cash, assets…]`.

use lotwise_core::Objective;
use lotwise_market::{AsOf, AssetIdx};

use crate::Error;

/// What a policy may look at when it decides: the market up to now, and the account.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The market up to the close of the decision session.
    pub market: AsOf<'a>,
    /// The assets that may be held, `N` of them.
    pub universe: &'a [AssetIdx],
    /// Present weights, `[1 + N]`, cash first.
    pub weights: &'a [f64],
    /// What the account is for.
    pub objective: Objective,
}

/// Fractions of an account's value, `[1 + N]`, cash first, none negative, summing to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(Vec<f64>);

impl Weights {
    /// Takes weights that are finite, not negative and sum to one within 1e-6, and makes the sum
    /// exact.
    ///
    /// # Errors
    /// [`Error::NotOnSimplex`] otherwise.
    pub fn new(mut weights: Vec<f64>) -> Result<Self, Error> {
        let sum: f64 = weights.iter().sum();
        let fits = weights.iter().all(|weight| weight.is_finite() && *weight >= -1e-9) && (sum - 1.0).abs() <= 1e-6;
        if weights.is_empty() || !fits {
            return Err(Error::NotOnSimplex { sum });
        }
        for weight in &mut weights {
            *weight = weight.max(0.0) / sum;
        }
        Ok(Self(weights))
    }

    /// The fraction held in cash.
    #[must_use]
    pub fn cash(&self) -> f64 {
        self.0[0]
    }

    /// The fractions of the assets, `[N]`.
    #[must_use]
    pub fn assets(&self) -> &[f64] {
        &self.0[1..]
    }

    /// All fractions, `[1 + N]`.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }
}

/// A rule that turns an observation into target weights. The learned policy implements it too.
pub trait Policy {
    /// Short name for flags and JSON, for instance `risk-parity`.
    fn name(&self) -> &'static str;

    /// One plain sentence: what the rule does and whether it is classical or learned.
    fn describe(&self) -> &'static str;

    /// Target weights, `[1 + N]`, cash first.
    ///
    /// # Errors
    /// When the history is too short or the solver does not converge.
    fn weights(&self, observation: &Observation<'_>) -> Result<Weights, Error>;
}
