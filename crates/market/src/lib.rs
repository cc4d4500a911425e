//! Prices and everything known about the companies behind them: sources, corporate actions,
//! the panel and its causal view, features, regimes and metadata.
//!
//! Nothing here knows an account.

mod actions;
mod error;
mod load;
mod membership;
mod panel;
pub mod provider;
pub mod synthetic;
pub mod table;

pub use actions::{ActionRow, CorporateActions, Dividend, SpinoffLike, Split};
pub use error::Error;
pub use load::{DataIssue, IssueKind, Issues, LoadOptions, Loaded, price_files};
pub use membership::{Membership, Spell};
pub use panel::{AsOf, AssetIdx, Field, Panel, SessionIdx};
