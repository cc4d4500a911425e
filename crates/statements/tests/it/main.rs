//! Statements read from the outside, by feature.

mod flex;
mod hostile;
mod ledger_json;
mod ofx;
mod told;
