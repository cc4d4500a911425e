//! The tables, as numbered steps. A step is never edited once it was released: each ledger remembers
//! the digest of every step it went through.

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::encode::hex;

/// One step.
pub struct Migration {
    /// From 1 without gaps.
    pub number: u32,
    /// What it is about.
    pub name: &'static str,
    /// Its statements.
    pub sql: &'static str,
}

/// Tells our files from others: "LotW".
pub const APPLICATION_ID: i64 = 0x4C6F_7457;

/// All steps in order.
pub const MIGRATIONS: [Migration; 2] = [
    Migration { number: 1, name: "ledger", sql: include_str!("schema/0001_ledger.sql") },
    Migration { number: 2, name: "derived_lots", sql: include_str!("schema/0002_derived_lots.sql") },
];

/// The number of the last step.
pub const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

impl Migration {
    /// Digest of the statements.
    pub fn checksum(&self) -> String {
        hex(&Sha256::digest(self.sql.as_bytes()))
    }
}

/// What a file is, as far as its tables tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Nothing is in it yet.
    Empty,
    /// A ledger after this step.
    Ledger(u32),
    /// A ledger of a later program, after this step.
    Newer(u32),
    /// A ledger whose steps are not ours.
    OtherSteps,
    /// A database of something else.
    Foreign,
}

/// Which version a database has.
///
/// # Errors
/// When it cannot be read.
pub fn version(connection: &Connection) -> rusqlite::Result<Version> {
    let number: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let id: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    match (number, tables, id) {
        (0, 0, _) => return Ok(Version::Empty),
        (1.., 1.., APPLICATION_ID) => {}
        _ => return Ok(Version::Foreign),
    }
    if number > LATEST {
        return Ok(Version::Newer(number));
    }
    let mut steps = connection.prepare("SELECT number, name, checksum FROM migration ORDER BY number")?;
    let steps = steps.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let applied: Vec<(u32, String, String)> = steps.collect::<rusqlite::Result<_>>()?;
    let ours = MIGRATIONS.iter().take_while(|step| step.number <= number);
    let ours: Vec<_> = ours.map(|step| (step.number, step.name.to_owned(), step.checksum())).collect();
    Ok(if applied == ours { Version::Ledger(number) } else { Version::OtherSteps })
}

/// Takes a database through every step after `from`, each in one transaction.
///
/// # Errors
/// When a step is refused; the database is then as the step before left it.
pub fn migrate(connection: &mut Connection, from: u32) -> rusqlite::Result<()> {
    for step in MIGRATIONS.iter().filter(|step| step.number > from) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step.sql)?;
        transaction.execute(
            "INSERT INTO migration (number, name, checksum) VALUES (?1, ?2, ?3)",
            (step.number, step.name, step.checksum()),
        )?;
        transaction.pragma_update(None, "user_version", step.number)?;
        transaction.commit()?;
    }
    Ok(())
}
