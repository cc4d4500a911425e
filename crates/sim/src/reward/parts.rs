//! A reward in its parts.

/// What one step was worth; each part carries its sign and its coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reward {
    /// Rolling Sharpe ratio (`paper`), as far as the objective wants it.
    pub rolling_sharpe: f64,
    /// Differential Sharpe ratio (`aligned`), as far as the objective wants it.
    pub differential_sharpe: f64,
    /// Return, or return over the benchmark.
    pub excess_ret: f64,
    /// Spread of the weights, which breaks the symmetry of an untrained policy.
    pub spread: f64,
    /// Drawdown (`paper`) or its increase (`aligned`).
    pub drawdown: f64,
    /// Harvested losses or avoidable short-term sales.
    pub tax: f64,
    /// Concentration.
    pub concentration: f64,
    /// Turnover net of what was redeployed.
    pub turnover: f64,
    /// Cash above what is free (`paper`).
    pub cash_drag: f64,
    /// Cash in a rising market.
    pub market_cash: f64,
    /// Too long without a trade.
    pub stale: f64,
    /// Bonus for money that went from sales to purchases (`paper`).
    pub redeploy: f64,
    /// Change of the potential of cash (`aligned`).
    pub shaping: f64,
}

impl Reward {
    /// Names of the parts, in the order of [`Self::parts`].
    pub const NAMES: [&'static str; 13] = [
        "rolling_sharpe",
        "differential_sharpe",
        "excess_ret",
        "spread",
        "drawdown",
        "tax",
        "concentration",
        "turnover",
        "cash_drag",
        "market_cash",
        "stale",
        "redeploy",
        "shaping",
    ];

    /// The parts in the order of [`Self::NAMES`].
    #[must_use]
    pub fn parts(&self) -> [f64; 13] {
        [
            self.rolling_sharpe,
            self.differential_sharpe,
            self.excess_ret,
            self.spread,
            self.drawdown,
            self.tax,
            self.concentration,
            self.turnover,
            self.cash_drag,
            self.market_cash,
            self.stale,
            self.redeploy,
            self.shaping,
        ]
    }

    /// What the objective itself pays: S_o of equation (10).
    #[must_use]
    pub fn objective(&self) -> f64 {
        self.parts()[..6].iter().sum()
    }

    /// The sum of all parts.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.parts().iter().sum()
    }
}
