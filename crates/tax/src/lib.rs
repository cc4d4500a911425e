//! US federal tax on an individual's investments: lots, booking, wash sales, and a year's tax.
//!
//! No floats, no files, no clock: dates and rates are arguments.

#![deny(clippy::float_arithmetic)]

mod book;
mod economics;
mod error;
mod holding;
mod model;
pub mod report;
mod year;

pub use book::{
    AccountIdx, Applied, At, Book, Fault, Holding, IndexedBook, LotIdx, LotPreview, Match, Pick, PurchasePreview,
    Realised, Received, RecentLoss, RecentPurchase, Row, SaleIdx, SalePreview, SymbolIdx, SymbolKind, Trade,
    TradeEvent, TradeSide, WINDOW_DAYS, WashedSale, book, settlement_date, whatif_sell,
};
pub use economics::{HarvestValue, LossRoom, WaitForLongTerm, harvest_value, wait_for_long_term};
pub use error::Error;
pub use holding::{first_long_term_date, first_long_term_day, is_long_term};
pub use model::{
    Account, AccountId, AccountKind, AssetClass, BasisRange, BasisSource, Booking, Boot, Delivery, Event, EventKind,
    ExchangeKind, FlatRates, Ledger, LossBasis, LotId, LotSelection, LotsLeave, Method, Note, NoteKind, OpenLot,
    OpenShort, Range, Replacement, RowKind, Rules, SaleId, SaleRow, Scope, Tacking, Term, Way,
};
pub use year::{
    Bracket, Carryover, Deduction, FilingStatus, FlatYearTax, Household, MarginalTax, Netting, Parameters,
    QualifiedDividendTest, ShareClass, StateRates, YEARS, YearNote, YearTax, carryover, flat_year_tax, marginal_tax,
    net_gains, qualified_dividend_test, year_tax,
};
