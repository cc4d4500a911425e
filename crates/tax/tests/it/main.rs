//! The tax engine from outside.

mod dsl;
mod irs;
mod methods;
mod policies;
mod properties;
mod random;
mod reference;
mod years;
