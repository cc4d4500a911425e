//! The tax engine from outside.

mod dsl;
mod irs;
mod methods;
mod policies;
mod properties;
mod random;
mod reconcile;
mod reference;
mod reports;
mod years;
