//! Brokers' exports: recognition by content, dialects as data, and transactions out.
//!
//! Pure and in memory: nothing is stored, and no tax rule lives here.

mod error;
mod model;

pub use error::Error;
pub use model::{Action, Position, Question, RowNote, Statement, Transaction};
