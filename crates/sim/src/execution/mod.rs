//! From wanted weights to trades (SPEC E-05..E-10), for one account at one session.
//!
//! Plain arithmetic on slices: the caller brings the buffers, nothing is allocated, and no book is
//! known here. Money is US dollars at the prices that the trades will have.
//!
//! The order of things: weights are masked and renormalised (E-05), gaps above the threshold become
//! wanted trades as the actions say (E-06), forced exits go first and the rest is scaled to the
//! turnover cap (E-08), sales free cash, and one common factor fits the purchases into it (E-07).

#[cfg(test)]
mod cases;
mod config;
mod cost;
mod fill;
mod plan;
mod trade_list;

pub use config::{CapRule, ExecutionConfig, SellRule};
pub use cost::{CostConfig, Depth};
pub(crate) use fill::{Orders, Terms, Till, fill_orders, nearest, raise_cash, session_interest};
pub(crate) use plan::lane_sum;
pub use plan::{plan_trades, renormalize};
pub use trade_list::{TaxLot, TaxYear, TradeList, TradeProblem, trade_list};

/// What a policy says about one asset besides its weight (SPEC E-06); the order is part of the
/// checkpoint format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// Trade part of the gap in either direction.
    Hold = 0,
    /// Buy at full size, sell part of the gap.
    Buy = 1,
    /// Sell everything, whatever the gap.
    Sell = 2,
}

impl Action {
    /// All three, by index.
    pub const ALL: [Self; 3] = [Self::Hold, Self::Buy, Self::Sell];
}

/// Whether a step is the first purchase from cash (SPEC E-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Funding {
    /// The threshold and the cap do not apply.
    Initial,
    /// They do.
    Rebalance,
}

/// An account before its trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holdings<'a> {
    /// Cash.
    pub cash: f64,
    /// Market value of each asset held, `[N]`, none negative.
    pub values: &'a [f64],
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wish<'a> {
    /// Weights on the simplex, `[1 + N]`, cash first.
    pub weights: &'a [f64],
    /// Actions, `[N]`; `None` trades every gap above the threshold in full.
    pub actions: Option<&'a [Action]>,
    /// Assets that must be left, `[N]`: risk limits, the end of a listing. `None` for none. What the
    /// weights gave them goes to the others.
    pub forced_exits: Option<&'a [bool]>,
    /// Whether this is the first purchase from cash.
    pub funding: Funding,
}

/// What the market allows in the session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Venue<'a> {
    /// Assets that trade, `[N]`. One that does not keeps its value, and what the weights gave it goes
    /// to the others.
    pub tradable: &'a [bool],
    /// What the market can take; needed where trades have an impact. `None` is no impact.
    pub depth: Option<Depth<'a>>,
    /// Whether shares may be broken.
    pub units: ShareUnits<'a>,
}

/// Whether shares may be broken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ShareUnits<'a> {
    /// They may.
    Fractional,
    /// Trades are whole numbers of shares at these prices, `[N]`, rounded towards none; an exit sells
    /// everything, broken shares too. The rest stays in cash.
    Whole(&'a [f64]),
}

/// The caller's buffer, used again and again.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    /// Purchases by size; only [`CapRule::BlockBuys`] orders them.
    order: Vec<u32>,
}

impl Scratch {
    /// A buffer that never grows again for this many assets.
    #[must_use]
    pub fn new(n_assets: usize) -> Self {
        Self { order: Vec::with_capacity(n_assets) }
    }
}

/// What was done, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Execution {
    /// Account value before the trades.
    pub value: f64,
    /// Value of what was sold, before costs.
    pub sold: f64,
    /// Value of what was bought, before costs.
    pub bought: f64,
    /// The part of `sold` that was forced.
    pub forced: f64,
    /// Costs of both sides.
    pub cost: f64,
    /// Cash after the trades and their costs.
    pub cash: f64,
    /// Factor by which the cap shrank the trades; 1 where it did not bind.
    pub cap_factor: f64,
    /// Factor by which cash shrank the purchases; 1 where it did not bind.
    pub funding_factor: f64,
}

impl Execution {
    /// τ of E-08: both sides over value; 0 for an empty account.
    #[must_use]
    pub fn turnover(&self) -> f64 {
        if self.value > 0.0 { (self.sold + self.bought) / self.value } else { 0.0 }
    }
}
