//! The numbers that the classical rules need.

use crate::{Error, Shrinkage};

/// Settings of the classical rules. The [`Default`] is the stated one; every number can be changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PolicyConfig {
    /// Fraction of the account's value to keep in cash, 0 to 1. Stated: 0.05, the share that the
    /// specification leaves free of cash drag (SPEC E-12) and starts from (P2-03).
    pub cash_target: f64,
    /// Largest fraction of the account's value in one asset, above 0 and up to 1; `None` for no
    /// limit. Stated: none; the guardrails of S-05 stand after the policy.
    pub max_position: Option<f64>,
    /// Sessions over which volatility and covariance are measured. Stated: 252, a year.
    pub risk_window_sessions: usize,
    /// Daily returns within the window that an asset needs before its risk is measured, and joint
    /// returns that a covariance needs. Stated: 126, half a year.
    pub min_returns: usize,
    /// Sessions for which an asset may go without a bar and still be weighed. Stated: 5, a week.
    pub max_stale_sessions: usize,
    /// Target of the covariance shrinkage. Stated: constant correlation.
    pub shrinkage: Shrinkage,
    /// Sessions back to the start of the momentum span. Stated: 252, twelve months.
    pub momentum_lookback_sessions: usize,
    /// Latest sessions left out of the momentum span. Stated: 21, one month, in which returns tend
    /// to reverse.
    pub momentum_skip_sessions: usize,
    /// How far the strongest and the weakest asset are moved from equal weight, 0 to 1, as a
    /// fraction of it. Stated: 0.5.
    pub momentum_tilt: f64,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            cash_target: 0.05,
            max_position: None,
            risk_window_sessions: 252,
            min_returns: 126,
            max_stale_sessions: 5,
            shrinkage: Shrinkage::ConstantCorrelation,
            momentum_lookback_sessions: 252,
            momentum_skip_sessions: 21,
            momentum_tilt: 0.5,
        }
    }
}

impl PolicyConfig {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let cap = self.max_position.unwrap_or(1.0);
        let checks = [
            ("cash_target", self.cash_target, (0.0..=1.0).contains(&self.cash_target), "from 0 to 1"),
            ("max_position", cap, cap > 0.0 && cap <= 1.0, "above 0 and at most 1"),
            (
                "min_returns",
                self.min_returns as f64,
                (2..=self.risk_window_sessions).contains(&self.min_returns),
                "at least 2 and at most risk_window_sessions",
            ),
            (
                "momentum_skip_sessions",
                self.momentum_skip_sessions as f64,
                self.momentum_skip_sessions < self.momentum_lookback_sessions,
                "less than momentum_lookback_sessions",
            ),
            ("momentum_tilt", self.momentum_tilt, (0.0..=1.0).contains(&self.momentum_tilt), "from 0 to 1"),
        ];
        match checks.into_iter().find(|(_, _, fits, _)| !fits) {
            Some((setting, value, _, expected)) => Err(Error::Setting { setting, value, expected }),
            None => Ok(()),
        }
    }
}
