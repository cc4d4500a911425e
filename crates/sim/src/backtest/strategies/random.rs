//! Weights by chance: what a result has to beat to mean anything (SPEC V-04).

use lotwise_core::Seed;
use rand_chacha::rand_core::Rng;

use super::super::{AccountView, Strategy};
use crate::Error;
use crate::policy::{Decision, Observation, Weights};

/// Weights drawn uniformly from all fully invested portfolios, once for each month, so that turnover
/// is that of a person and not of noise.
#[derive(Debug, Clone)]
pub struct RandomDirichlet {
    seed: Seed,
}

impl RandomDirichlet {
    /// Draws from this seed; an asset's draw depends on the month and the asset alone.
    #[must_use]
    pub fn new(seed: Seed) -> Self {
        Self { seed }
    }
}

impl Strategy for RandomDirichlet {
    fn name(&self) -> &str {
        "random-dirichlet"
    }

    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error> {
        let month = account.date.year() as u64 * 12 + u64::from(account.date.month());
        let of_month = self.seed.child("month", month);
        // Exponential draws over their sum are uniform on the simplex.
        let draw = |asset: u64| {
            let bits = of_month.stream("asset", asset).next_u64() >> 11;
            -((bits as f64 + 0.5) / (1_u64 << 53) as f64).ln()
        };
        let draws: Vec<f64> = observation.universe.iter().map(|asset| draw(asset.0 as u64)).collect();
        let sum: f64 = draws.iter().sum();
        let cash = if draws.is_empty() { 1.0 } else { 0.0 };
        let weights = std::iter::once(cash).chain(draws.iter().map(|draw| draw / sum)).collect();
        Ok(Decision { weights: Weights::new(weights)?, notes: Vec::new() })
    }
}
