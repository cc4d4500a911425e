//! Settings of the execution.

use super::CostConfig;
use crate::Error;

/// How the turnover cap binds (SPEC E-08).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapRule {
    /// Forced exits in full, all other trades scaled by one factor.
    Proportional,
    /// As printed: sales in full; purchases from the largest down until the traded value has passed
    /// the cap, none after.
    BlockBuys,
}

/// Whether a `Sell` action is a forced exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SellRule {
    /// It is: the cap does not bind it.
    Forced,
    /// It is not: the cap scales it like any trade.
    Capped,
}

/// Settings of the execution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExecutionConfig {
    /// δ_reb: a gap of weights must be larger than this.
    pub rebalance_threshold: f64,
    /// η_hold: the part of the gap that a hesitant action trades, 0 to 1.
    pub hold_fraction: f64,
    /// τ_cap: most that may be traded over value in a step, both sides.
    pub turnover_cap: f64,
    /// How the cap binds.
    pub cap_rule: CapRule,
    /// What a `Sell` action is to the cap.
    pub sell_rule: SellRule,
    /// Largest weight that an asset may be given; 1 for no limit. What does not fit goes to the
    /// others, and to cash where they are full.
    pub max_weight: f64,
    /// What trading costs.
    pub cost: CostConfig,
}

impl ExecutionConfig {
    /// The default of the specification.
    #[must_use]
    pub fn stated() -> Self {
        Self {
            rebalance_threshold: 0.01,
            hold_fraction: 0.5,
            turnover_cap: 0.25,
            cap_rule: CapRule::Proportional,
            sell_rule: SellRule::Forced,
            max_weight: 1.0,
            cost: CostConfig { proportional_bps: 5.0, impact_coef: 0.0 },
        }
    }

    /// The printed rules: no costs, whole gaps, and a cap that stops purchases only.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            hold_fraction: 1.0,
            cap_rule: CapRule::BlockBuys,
            cost: CostConfig { proportional_bps: 0.0, impact_coef: 0.0 },
            ..Self::stated()
        }
    }

    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let checks = [
            (
                "rebalance_threshold",
                self.rebalance_threshold,
                not_negative(self.rebalance_threshold),
                "finite and not negative",
            ),
            ("hold_fraction", self.hold_fraction, (0.0..=1.0).contains(&self.hold_fraction), "from 0 to 1"),
            ("turnover_cap", self.turnover_cap, self.turnover_cap >= 0.0, "not negative; infinite for none"),
            ("max_weight", self.max_weight, self.max_weight > 0.0 && self.max_weight <= 1.0, "above 0 and at most 1"),
            (
                "cost.proportional_bps",
                self.cost.proportional_bps,
                (0.0..=1_000.0).contains(&self.cost.proportional_bps),
                "from 0 to 1000",
            ),
            ("cost.impact_coef", self.cost.impact_coef, not_negative(self.cost.impact_coef), "finite and not negative"),
        ];
        match checks.into_iter().find(|(_, _, fits, _)| !fits) {
            Some((setting, value, _, expected)) => Err(Error::Setting { setting, value, expected }),
            None => Ok(()),
        }
    }
}
