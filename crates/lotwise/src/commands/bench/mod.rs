//! `bench`: measurements and outside checks that anyone can repeat.

mod olps;

pub use olps::run as olps;
