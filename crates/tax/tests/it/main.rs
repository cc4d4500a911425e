//! The tax engine from outside.

mod differential;
mod dsl;
mod irs;
mod methods;
mod policies;
mod properties;
mod properties_events;
mod properties_year;
mod random;
mod reconcile;
mod reference;
mod reference_events;
mod reports;
mod years;
