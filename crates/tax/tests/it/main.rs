//! The tax engine from outside.

mod batches;
mod corporate;
mod differential;
mod dsl;
mod indexed;
mod irs;
mod methods;
mod options;
mod policies;
mod properties;
mod properties_events;
mod properties_year;
mod random;
mod reconcile;
mod reference;
mod reference_events;
mod reports;
mod shorts;
mod transfers;
mod years;
