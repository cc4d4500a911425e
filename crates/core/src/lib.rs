//! The ground floor of Lotwise: exact quantities, civil dates, trading sessions,
//! symbols, objectives and the seed tree.
//!
//! Nothing here reads a file, asks for the time or computes with floats.

#![deny(clippy::float_arithmetic)]

mod account;
mod bar;
mod calendar;
mod clock;
mod date;
mod fixed;
mod objective;
mod option;
mod quantity;
mod seed;
mod symbol;

pub use account::AccountKind;
pub use bar::{Bar, BarFault, RawBar};
pub use calendar::{Calendar, Close};
pub use clock::{Clock, FixedClock, Instant};
pub use date::{Date, DateError};
pub use fixed::{DecimalError, Rounding, mul_div};
pub use objective::{Expert, Objective, Regime, UnknownObjective};
pub use option::{OptionContract, OptionError, OptionRight};
pub use quantity::{Money, Price, Rate, Shares};
pub use seed::Seed;
pub use symbol::{Symbol, SymbolError};
