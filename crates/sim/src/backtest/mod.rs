//! One engine for backtests and evaluations.
//!
//! Timing (SPEC E-01): at the close of session `t` a [`Strategy`] sees the market as of `t` and
//! its own account; what it decides is executed at the open of `t + 1` at the price traded there,
//! with costs. Lots, wash sales and terms are booked by `lotwise-tax`, the same code as for live
//! accounts; an account without taxes books none. Money, shares and prices are exact; weights and
//! statistics are floats.

mod account;
mod benchmark;
mod config;
mod engine;
mod execute;
mod market;
mod null_test;
mod record;
pub mod strategies;
mod summary;
mod tax_years;
mod windows;

pub use account::{AccountView, LotView};
pub use benchmark::{cash_matched, equal_weight_returns, hindsight_returns};
pub use config::{BacktestConfig, Costs, DividendTax, Impact, Taxes};
pub use engine::{BacktestError, run};
pub use market::{BacktestMarket, Payout};
pub use null_test::{NullResult, NullWorlds, null_worlds, panel_of};
pub use record::{Event, EventKind, FinalValues, Record, SessionRecord, TradeRecord, YearRecord};
pub use summary::{Assessment, AssessmentOptions, assess};
pub use windows::{
    MakeStrategy, WINDOW_LENGTHS, WINDOW_STEP, WindowResult, WindowSummary, in_parallel, run_windows, summarise_windows,
};

use lotwise_core::Shares;
use lotwise_market::AssetIdx;

use crate::Error;
use crate::policy::{Decision, Observation, Policy};

/// Something that decides session by session and may remember what it saw.
///
/// Every [`Policy`] is one. A strategy that remembers is made anew for each run, so that the same
/// run gives the same bits.
pub trait Strategy {
    /// Short name for tables and JSON.
    fn name(&self) -> &str;

    /// Target weights for the next open.
    ///
    /// # Errors
    /// As [`Policy::decide`].
    fn decide(&mut self, observation: &Observation<'_>, account: &AccountView<'_>) -> Result<Decision, Error>;

    /// Whether it looks at lots; without it [`AccountView::lots`] is empty.
    fn needs_lots(&self) -> bool {
        false
    }

    /// Lots that the sales of the last decision take, at most one entry a lot. Of assets that are not
    /// named, lots leave by the account's method.
    fn lots_to_sell(&self) -> &[LotSale] {
        &[]
    }
}

/// Shares that a sale takes from one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotSale {
    /// The asset.
    pub asset: AssetIdx,
    /// Number of the lot in the book.
    pub lot: u32,
    /// Shares of it.
    pub shares: Shares,
}

/// A policy, which remembers nothing, as a strategy.
pub struct Stateless<P>(pub P);

impl Strategy for Stateless<Box<dyn Policy>> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn decide(&mut self, observation: &Observation<'_>, _: &AccountView<'_>) -> Result<Decision, Error> {
        self.0.decide(observation)
    }
}
