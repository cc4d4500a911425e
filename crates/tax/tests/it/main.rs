//! The tax engine from outside.

mod dsl;
mod irs;
mod years;
