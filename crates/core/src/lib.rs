//! The ground floor of Lotwise: exact quantities, civil dates, trading sessions,
//! symbols, objectives and the seed tree.
//!
//! Nothing here reads a file, asks for the time or computes with floats.

#![deny(clippy::float_arithmetic)]

mod bar;
mod calendar;
mod clock;
mod date;
mod fixed;
mod objective;
mod quantity;
mod seed;
mod symbol;

pub use bar::{Bar, BarFault, RawBar};
pub use calendar::{Calendar, Close};
pub use clock::{Clock, FixedClock, Instant};
pub use date::{Date, DateError};
pub use fixed::{DecimalError, Rounding, mul_div};
pub use objective::{Expert, Objective, Regime, UnknownObjective};
pub use quantity::{Money, Price, Rate, Shares};
pub use seed::Seed;
pub use symbol::{Symbol, SymbolError};
