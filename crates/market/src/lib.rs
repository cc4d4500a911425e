//! Prices and everything known about the companies behind them: sources, corporate actions,
//! the panel and its causal view, features, regimes and metadata.
//!
//! Nothing here knows an account.

mod actions;
pub mod check;
mod dataset;
mod error;
pub mod features;
mod load;
mod membership;
pub mod metadata;
mod panel;
pub mod provider;
mod regime;
pub mod synthetic;
pub mod table;
mod tickers;

pub use actions::{ActionRow, CorporateActions, Dividend, SpinoffLike, Split};
pub use dataset::{Dataset, Description, SideTable, SymbolCoverage, TableDescription};
pub use error::Error;
pub use load::{DataIssue, IssueKind, Issues, LoadOptions, Loaded, price_files};
pub use membership::{Membership, Spell};
pub use metadata::Sector;
pub use panel::{AsOf, AssetIdx, Field, Panel, SessionIdx};
pub use regime::{RegimeSeries, asset_regimes, class_weights, market_regimes, market_returns, regime_at};
pub use tickers::{Ticker, Tickers};
