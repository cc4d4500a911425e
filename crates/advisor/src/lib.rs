//! Advice: the household's books from its statements, prices for its holdings, and suggestions
//! that say what they are worth after this person's taxes.
//!
//! Nothing here is stored.

pub mod advise;
mod answers;
pub mod books;
pub mod economics;
mod error;
pub mod guardrails;
pub mod harvest;
mod issue;
pub mod plan;
pub mod portfolio;
pub mod quotes;
pub mod replacement;
pub mod risk;
pub mod suggestion;
pub mod tax_profile;
pub mod what_if;

pub use answers::BookAnswers;
pub use error::Error;
pub use issue::{Issue, Severity};
