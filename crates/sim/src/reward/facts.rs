//! What one step did, as far as its worth depends on it.

/// One step: decided at a close, traded, valued at the next close. Money in US dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepFacts<'a> {
    /// Simple return of the account's value over the step, after costs and, where the environment
    /// values after tax (SPEC E-11), after tax.
    pub net_ret: f64,
    /// Simple return of equal weights of the same names, rebalanced daily, without cost.
    pub equal_weight_ret: f64,
    /// Simple return of the market.
    pub market_ret: f64,
    /// Simple return of cash.
    pub risk_free_ret: f64,
    /// Fraction of value in cash after the trades: what the step's return was earned with.
    pub cash_ratio_traded: f64,
    /// Fraction of value in cash at the valuation that ends the step: what the next decision sees.
    pub cash_ratio_end: f64,
    /// Fractions of value of the assets after the trades, `[N]`, without cash.
    pub asset_weights: &'a [f64],
    /// Account value that the trades were measured against.
    pub value: f64,
    /// Value of what was sold.
    pub sold: f64,
    /// Value of what was bought.
    pub bought: f64,
    /// Month of the trade, 1 to 12.
    pub month: u8,
    /// What the trades meant for tax.
    pub tax: TaxFacts,
    /// κ of E-17, from 1 to 0 ([`super::symmetry_weight`]); 0 in evaluation.
    pub symmetry: f64,
    /// Whether the episode is over because the account failed; an episode that only ran out of time
    /// is not.
    pub terminated: bool,
}

/// The tax side of one step. Counts are of lots, money is US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TaxFacts {
    /// Short-term lots sold at a loss of which nothing is disallowed.
    pub short_losses_harvested: u32,
    /// Short-term lots sold at a gain.
    pub short_gains_sold: u32,
    /// Short-term lots sold at any price; read by the literal rule alone.
    pub short_lots_sold: u32,
    /// Short-term positions held at a loss; read by the literal rule alone.
    pub short_losses_held: u32,
    /// Tax that harvested losses save, less what replacing them costs (SPEC T-07).
    pub harvested_value: f64,
    /// Tax on gains that waiting for the long term, or another lot, would have saved.
    pub avoidable_tax: f64,
}

impl StepFacts<'_> {
    /// A step in which nothing moved and nothing was traded.
    #[must_use]
    pub fn idle(asset_weights: &[f64], value: f64) -> StepFacts<'_> {
        StepFacts {
            net_ret: 0.0,
            equal_weight_ret: 0.0,
            market_ret: 0.0,
            risk_free_ret: 0.0,
            cash_ratio_traded: 0.0,
            cash_ratio_end: 0.0,
            asset_weights,
            value,
            sold: 0.0,
            bought: 0.0,
            month: 1,
            tax: TaxFacts::default(),
            symmetry: 0.0,
            terminated: false,
        }
    }

    /// What was traded over the account's value, both sides (SPEC E-08); 0 for an empty account.
    #[must_use]
    pub fn turnover(&self) -> f64 {
        if self.value > 0.0 { (self.sold + self.bought) / self.value } else { 0.0 }
    }
}
