//! Brokers' exports: recognition by content, dialects as data, and transactions out.
//!
//! Pure and in memory: nothing is stored, and no tax rule lives here. [`read`] is the door; the
//! formats stand in one table ([`formats`]), and what a row means is written in the dialects'
//! tables, not in code.

mod answers;
mod awards;
mod cell;
pub mod corporate;
mod dialect;
mod error;
mod facts;
mod flex;
mod formats;
mod gather;
mod identity;
mod json;
pub mod ledger_json;
mod lines;
mod map;
mod model;
mod ofx;
mod plaintext;
mod portfolio;
mod qif;
mod read;
mod records;
mod review;
mod sides;
mod stated;
mod text;
mod unread;

pub use answers::{Answer, AnswerError, Answers, group_of};
pub use awards::pair_awards;
pub use error::Error;
pub use formats::{FormatInfo, formats};
pub use map::{ColumnMap, MapError, propose_map};
pub use model::{Action, Position, Question, RowNote, StatedLot, Statement, Transaction};
pub use read::{Limits, ReadOptions, read};
pub use stated::{Stated, part_of_basis};
