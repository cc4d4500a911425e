//! Brokers' exports: recognition by content, dialects as data, and transactions out.
//!
//! Pure and in memory: nothing is stored, and no tax rule lives here.

mod model;

pub use model::{Action, Position, Question, RowNote, Statement, Transaction};
