//! Exports of programs that keep portfolios: tables by built-in column maps, and Ghostfolio's and Wealthfolio's JSON.

mod activities;
mod tables;

pub(crate) use activities::{GHOSTFOLIO_JSON, WEALTHFOLIO_JSON};
pub(crate) use tables::{GHOSTFOLIO_CSV, PORTFOLIO_PERFORMANCE_CSV, WEALTHFOLIO_CSV};
