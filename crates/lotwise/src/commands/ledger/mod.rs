//! What keeps, lists, takes back, copies and checks: the commands on the ledger.

mod choice;
mod copies;
mod doctor;
mod imports;
mod landing;

pub use choice::{can_ask, choose_mode};
pub use copies::{backup, restore};
pub use doctor::doctor;
pub use imports::{list, undo};
pub use landing::{Fate, land};

use crate::context::Context;
use crate::errors::{CliError, Exit, Failure};
use crate::store::{DataFolder, Ledger};

/// The ledger that has to be there.
///
/// # Errors
/// When there is none, or it cannot be opened.
fn require(context: &Context) -> Result<(DataFolder, Ledger), Failure> {
    let folder = DataFolder::of(&context.settings)?;
    match Ledger::open(&folder)? {
        Some(ledger) => Ok((folder, ledger)),
        None => Err(CliError::new("no-ledger", Exit::DataMissing, "there is no ledger yet")
            .help("lotwise import FILE --mode ledger makes one")
            .into()),
    }
}

/// `1 import`, `3 imports`.
fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// A count of the database.
fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
