//! The program as people and scripts meet it.

#![expect(clippy::unwrap_used, reason = "helpers of tests outside of test functions")]

mod advice;
mod backtest;
mod bad_input;
mod data;
mod help;
mod hub;
mod import;
mod kernelsynth;
mod ledger;
mod prices;
mod program;
mod settings;
mod store;
mod tax;
mod tax_report;
mod train;
mod verify;
