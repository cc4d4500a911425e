//! Statements read from the outside, by feature.

mod answers;
mod column_maps;
mod corporate;
mod csv_brokers;
mod csv_exports;
mod csv_faults;
mod csv_hostile;
mod flex;
mod hostile;
mod json_brokers;
mod ledger_json;
mod ofx;
mod plaintext;
mod portfolio_programs;
mod qif;
mod told;
