//! Prices and everything known about the companies behind them: sources, corporate actions,
//! the panel and its causal view, features, regimes and metadata.
//!
//! Nothing here knows an account.

mod error;
mod panel;
pub mod synthetic;
pub mod table;

pub use error::Error;
pub use panel::{AsOf, AssetIdx, Field, Panel, SessionIdx};
