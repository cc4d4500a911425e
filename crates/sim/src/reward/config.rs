//! The coefficients of the reward (SPEC Appendix E), all explicit.

use lotwise_core::Objective;

use crate::SESSIONS_PER_YEAR;

/// Which set of terms a step is paid by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewardFamily {
    /// Terms of like size that add up over time (SPEC E-17).
    Aligned,
    /// Equations (10) and (11) of the paper.
    Paper,
}

/// How the sum of squared weights is punished (SPEC E-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConcentrationRule {
    /// Its excess over equal weights of the active names.
    Excess,
    /// All of it, as printed.
    Literal,
}

/// When a portfolio counts as stale (SPEC E-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StaleRule {
    /// After more than ten steps in a row without a trade.
    Consecutive,
    /// In any step without a trade after the tenth of the episode, as printed.
    Literal,
}

/// Which lots the tax objectives count (SPEC E-16, I-20).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxEventRule {
    /// Short-term losses sold and not disallowed; short-term lots sold at a gain.
    Corrected,
    /// Short-term losses held; short-term lots sold at any price, as printed.
    Literal,
}

/// The Sharpe ratio that moves a little with every return (Moody and Saffell 2001).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SharpeConfig {
    /// Weight of the newest return in both moments, 0 to 1.
    pub decay: f64,
    /// What the increment is multiplied by; √252 makes it one of the annualised ratio.
    pub scale: f64,
    /// Volatility a day that the second moment starts from, before any return is known.
    pub prior_vol_daily: f64,
    /// Least volatility a day that a return is held against, so that a portfolio that stood still in
    /// cash is not paid a fortune for its first move.
    pub least_vol_daily: f64,
    /// Largest size of the derivative; no one step can say more.
    pub limit: f64,
}

/// The whole reward. Arrays go by [`Objective::ALL`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RewardConfig {
    /// Which terms.
    pub family: RewardFamily,
    /// λ_c.
    pub concentration_coef: f64,
    /// How concentration is measured.
    pub concentration_rule: ConcentrationRule,
    /// A name above this weight is active.
    pub active_weight: f64,
    /// λ_t, on turnover net of what was redeployed.
    pub turnover_coef: f64,
    /// γ_d of each objective, on cash above `free_cash_ratio`.
    pub cash_drag_coef: [f64; 6],
    /// Cash that costs nothing, a fraction of value.
    pub free_cash_ratio: f64,
    /// Price of a unit of cash in a rising market, for each objective.
    pub market_cash_coef: [f64; 6],
    /// γ_s.
    pub stale_coef: f64,
    /// Steps without a trade that are free.
    pub stale_after_steps: u32,
    /// How staleness is counted.
    pub stale_rule: StaleRule,
    /// δ_r, on the redeployed fraction; only `paper` pays it.
    pub redeploy_coef: f64,
    /// Which lots the tax objectives count; only `paper` counts lots.
    pub tax_event_rule: TaxEventRule,
    /// Worth of one harvested lot in October to December and in the other months.
    pub harvest_bonus: [f64; 2],
    /// Price of one short-term lot sold.
    pub short_sale_penalty: f64,
    /// Worth of a unit of harvested or avoidable tax over value; only `aligned` pays it.
    pub tax_value_coef: f64,
    /// Weight of a return over its benchmark, and of the return part of `MAX_GAIN_30D`.
    pub excess_ret_coef: f64,
    /// Limit of the return part of `MAX_GAIN_30D`.
    pub ret_limit: f64,
    /// Weights of the Sharpe part and the return part in `MAX_GAIN_30D`.
    pub month_mix: [f64; 2],
    /// Weight of the standard deviation of the weights in `ALPHA_VS_EW`.
    pub spread_coef: f64,
    /// Weight of the Sharpe part in `CAPITAL_PRESERVE`.
    pub preserve_sharpe_coef: f64,
    /// Weight of the drawdown in `CAPITAL_PRESERVE`.
    pub drawdown_coef: f64,
    /// Limit of the rolling Sharpe ratio.
    pub sharpe_limit: f64,
    /// The differential Sharpe ratio.
    pub sharpe: SharpeConfig,
    /// Discount of the shaping and of the return that rewards are normalised by.
    pub discount: f64,
}

impl RewardConfig {
    /// The default: E-17.
    #[must_use]
    pub fn aligned() -> Self {
        let mut cash_drag_coef = [0.3; 6];
        cash_drag_coef[Objective::CapitalPreserve as usize] = 0.0;
        cash_drag_coef[Objective::LtGainOnly as usize] = 0.1;
        // Cash is a legitimate asset for this objective, so a rising market does not make it a fault.
        let mut market_cash_coef = [0.2; 6];
        market_cash_coef[Objective::CapitalPreserve as usize] = 0.0;
        Self {
            family: RewardFamily::Aligned,
            cash_drag_coef,
            market_cash_coef,
            redeploy_coef: 0.0,
            ..Self::corrected()
        }
    }

    /// Equations (10) and (11) with the corrections that SPEC E-12..E-16 print in bold.
    #[must_use]
    pub fn corrected() -> Self {
        Self {
            family: RewardFamily::Paper,
            concentration_coef: 0.1,
            concentration_rule: ConcentrationRule::Excess,
            active_weight: 0.01,
            turnover_coef: 0.05,
            cash_drag_coef: [0.3; 6],
            free_cash_ratio: 0.05,
            market_cash_coef: [0.2; 6],
            stale_coef: 0.005,
            stale_after_steps: 10,
            stale_rule: StaleRule::Consecutive,
            redeploy_coef: 0.025,
            tax_event_rule: TaxEventRule::Corrected,
            harvest_bonus: [1.5, 0.5],
            short_sale_penalty: 0.15,
            tax_value_coef: 100.0,
            excess_ret_coef: 50.0,
            ret_limit: 2.0,
            month_mix: [0.3, 0.7],
            spread_coef: 5.0,
            preserve_sharpe_coef: 0.5,
            drawdown_coef: 3.0,
            sharpe_limit: 3.0,
            sharpe: SharpeConfig {
                decay: 1.0 / 30.0,
                scale: SESSIONS_PER_YEAR.sqrt(),
                prior_vol_daily: 0.01,
                least_vol_daily: 0.0025,
                limit: 10.0,
            },
            discount: 0.99,
        }
    }

    /// Equations (10) and (11) as printed.
    #[must_use]
    pub fn paper() -> Self {
        Self {
            concentration_rule: ConcentrationRule::Literal,
            stale_rule: StaleRule::Literal,
            tax_event_rule: TaxEventRule::Literal,
            ..Self::corrected()
        }
    }
}
