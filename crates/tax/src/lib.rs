//! US federal tax on an individual's investments: lots, booking, wash sales, and a year's tax.
//!
//! No floats, no files, no clock: dates and rates are arguments.

#![deny(clippy::float_arithmetic)]

mod model;

pub use model::{
    Account, AccountId, AccountKind, BasisSource, Booking, Event, EventKind, FlatRates, Ledger, LotId, LotSelection,
    LotsLeave, Method, OpenLot, Replacement, Rules, SaleId, SaleRow, Tacking, Term,
};
