//! The ledger: one SQLite file in the user's data folder that keeps what was imported.
//!
//! What a file says is kept once per content and seen from every file that says it, so the ledger
//! is a function of the imports it holds: taking one back leaves exactly what the others say.
//! Every change is one transaction of the database. Nothing here knows a tax rule.

mod batches;
mod copy;
mod decode;
mod derived;
mod dump;
mod encode;
mod fault;
mod folder;
mod health;
mod import;
mod ledger;
mod migrations;
mod mode;
mod plan;
mod read;

pub use batches::{BatchRow, Undone};
pub use copy::{Backup, backup, restore};
pub use derived::DerivedLot;
pub use encode::digest;
pub use folder::DataFolder;
pub use health::{Check, Health, health};
pub use ledger::{Ledger, remembered_mode};
pub use mode::Mode;
pub use plan::{Earlier, Incoming, Landed, Plan};
