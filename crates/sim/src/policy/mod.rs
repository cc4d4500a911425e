//! From what can be seen to the weights wanted: `[cash, assets…]`.
//!
//! Seven classical rules stand here. The learned policy will implement the same trait.

mod active_set;
mod cap_weight;
mod config;
mod equal_weight;
mod exchange;
mod frame;
mod hierarchical;
mod hold;
mod inverse_volatility;
mod mean_variance;
mod min_variance;
mod momentum_tilt;
mod note;
mod quadratic;
mod registry;
mod risk_parity;

use lotwise_core::Objective;
use lotwise_market::{AsOf, AssetIdx};

use crate::Error;

pub use cap_weight::{CapWeight, MarketCaps};
pub use config::PolicyConfig;
pub use equal_weight::EqualWeight;
pub use hierarchical::{HierarchicalRiskParity, hierarchical_weights};
pub use hold::Hold;
pub use inverse_volatility::InverseVolatility;
pub use mean_variance::MeanVariance;
pub use min_variance::{MinVariance, min_variance_weights};
pub use momentum_tilt::{MomentumTilt, momentum};
pub use note::{LeftOutReason, Note};
pub use registry::{StatedDefault, by_name, default_for, names};
pub use risk_parity::{RiskParity, risk_parity_weights};

/// What a policy may look at when it decides: the market up to now, and the account.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The market up to the close of the decision session.
    pub market: AsOf<'a>,
    /// The assets that may be held, `N` of them, none twice.
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
    /// Takes weights that are finite, not negative and sum to one within 1e-6, and scales them by
    /// what is left of the difference.
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
            *weight = weight.max(0.0);
        }
        // Weights that already sum to one stay as they are, so that "hold" holds to the last bit.
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > 1e-12 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
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

/// What a policy answers: the weights, and what a person should know about how they came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Target weights, `[1 + N]`, cash first.
    pub weights: Weights,
    /// Assets that were left out and limits that were met, in the order of the panel's symbols.
    pub notes: Vec<Note>,
}

/// A rule that turns an observation into target weights. The learned policy implements it too.
///
/// The same observation gives the same bits, and the order of the universe does not matter.
pub trait Policy: Send + Sync {
    /// Short name for flags and JSON, for instance `risk-parity`.
    fn name(&self) -> &'static str;

    /// A few plain sentences: what the rule does and whether it is classical or learned.
    fn describe(&self) -> &'static str;

    /// Target weights, `[1 + N]`, cash first, with notes.
    ///
    /// An asset that the rule cannot judge is kept at its present weight and noted.
    ///
    /// # Errors
    /// When the observation does not fit together, a setting is out of range, or the solver does
    /// not converge.
    fn decide(&self, observation: &Observation<'_>) -> Result<Decision, Error>;
}
