//! `bench`: measurements and outside checks that anyone can repeat.

mod backtest;
mod chronos;
mod encoder;
mod env;
mod null;
mod olps;

pub use backtest::run as backtest;
pub use chronos::run as chronos;
pub use encoder::run as encoder;
pub use env::run as env;
pub use null::run as null;
pub use olps::run as olps;
