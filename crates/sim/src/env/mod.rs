//! The environment in which policies learn: accounts with tax lots on a market that is only played
//! forward (SPEC section 4).
//!
//! A [`Tape`] holds the market once. Many [`Episode`]s play on it, each with an account whose trades
//! are booked by [`lotwise_tax::IndexedBook`], the book of live accounts. [`Environments`] steps many
//! of them in parallel; the result does not depend on the number of threads, since no episode knows
//! another and each draws from its own stream.

mod account;
mod config;
mod episode;
mod lots;
mod positions;
mod start;
mod step;
mod tape;
mod vector;

pub use account::{Account, Booked, YearIncome};
pub use config::{EnvConfig, Nav, StartConfig, TaxConfig, Timing};
pub use episode::{End, Episode, Info, StepResult};
pub use lots::PositionView;
pub use tape::Tape;
pub use vector::{Batch, Environments};
