//! Exports of programs that keep portfolios: tables by built-in column maps, Ghostfolio's and Wealthfolio's JSON,
//! and the XML of Portfolio Performance.

mod activities;
mod client;
mod tables;
mod xml;

pub(crate) use activities::{GHOSTFOLIO_JSON, WEALTHFOLIO_JSON};
pub(crate) use client::PORTFOLIO_PERFORMANCE_XML;
pub(crate) use tables::{GHOSTFOLIO_CSV, PORTFOLIO_PERFORMANCE_CSV, WEALTHFOLIO_CSV};
