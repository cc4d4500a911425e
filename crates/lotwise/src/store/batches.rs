//! The imports that the ledger holds, and taking one back.

use lotwise_core::Instant;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::fault;
use super::ledger::Ledger;
use crate::errors::CliError;

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Its number.
    pub id: i64,
    /// The file, without folders.
    pub file: String,
    /// How it was read.
    pub format: String,
    /// Digest of the file's bytes.
    pub sha256: String,
    /// When.
    pub imported_at: Instant,
    /// Records of the file.
    pub rows: i64,
    /// Rows that no earlier import has.
    pub imported: i64,
    /// Rows that an earlier import also has.
    pub already_known: i64,
    /// Rows that carry no event.
    pub ignored: i64,
    /// Rows that could not be read.
    pub quarantined: i64,
    /// Rows that repeat another row of the file.
    pub duplicates: i64,
    /// Accounts with a row in it, sorted.
    pub accounts: Vec<String>,
    /// First and last trade date.
    pub span: Option<(String, String)>,
}

/// What taking an import back does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// The import.
    pub batch: BatchRow,
    /// Rows that leave the ledger.
    pub removed: i64,
    /// Rows that stay, because another import has them.
    pub kept: i64,
}

impl Ledger {
    /// Every import, the earliest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn batches(&self) -> Result<Vec<BatchRow>, CliError> {
        let read = || {
            let connection = self.connection.unchecked_transaction()?;
            list(&connection)
        };
        read().map_err(|error| self.told("reading the ledger", &error))
    }

    /// What taking an import back would do. `None` where there is no such import.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn foresee_undo(&self, id: i64) -> Result<Option<Undone>, CliError> {
        let read = || {
            let connection = self.connection.unchecked_transaction()?;
            foresee(&connection, id)
        };
        read().map_err(|error| self.told("reading the ledger", &error))
    }

    /// Takes an import back in one transaction. `None` where there is no such import.
    ///
    /// # Errors
    /// When the ledger cannot be written; nothing is changed then.
    pub fn undo(&mut self, id: i64) -> Result<Option<Undone>, CliError> {
        let path = self.path().to_path_buf();
        undo(&mut self.connection, id).map_err(|error| fault::database(&path, "taking the import back", &error))
    }
}

fn undo(connection: &mut Connection, id: i64) -> rusqlite::Result<Option<Undone>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Some(undone) = foresee(&transaction, id)? else { return Ok(None) };
    transaction.execute("DELETE FROM batch WHERE id = ?1", [id])?;
    transaction.execute_batch(
        "DELETE FROM entry WHERE NOT EXISTS (SELECT 1 FROM sighting WHERE sighting.entry = entry.id);
         DELETE FROM account WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.account = account.id)
            AND NOT EXISTS (SELECT 1 FROM position WHERE position.account = account.id)
            AND NOT EXISTS (SELECT 1 FROM account_statement WHERE account_statement.account = account.id);
         DELETE FROM derived_lot;
         DELETE FROM derived;",
    )?;
    transaction.commit()?;
    Ok(Some(undone))
}

fn foresee(connection: &Connection, id: i64) -> rusqlite::Result<Option<Undone>> {
    let Some(batch) = list(connection)?.into_iter().find(|batch| batch.id == id) else { return Ok(None) };
    // A row is an account and an id; it stays while another import says something of it.
    let sql = "SELECT count(*) FROM (SELECT DISTINCT account, transaction_id FROM sighting \
               JOIN entry ON entry.id = sighting.entry WHERE batch = ?1 AND (account, transaction_id) IN \
               (SELECT account, transaction_id FROM sighting JOIN entry ON entry.id = sighting.entry \
                WHERE batch <> ?1))";
    let kept: i64 = connection.query_row(sql, [id], |row| row.get(0)).optional()?.unwrap_or(0);
    let removed = batch.imported + batch.already_known - kept;
    Ok(Some(Undone { batch, removed, kept }))
}

fn list(connection: &Connection) -> rusqlite::Result<Vec<BatchRow>> {
    let sql = "SELECT id, file, format, sha256, imported_at, rows, \
        (SELECT count(*) FROM sighting WHERE batch = batch.id), \
        (SELECT count(*) FROM note WHERE batch = batch.id AND kind = 'ignored'), \
        (SELECT count(*) FROM note WHERE batch = batch.id AND kind = 'quarantined'), \
        (SELECT count(*) FROM note WHERE batch = batch.id AND kind = 'duplicate'), \
        (SELECT count(*) FROM sighting JOIN entry ON entry.id = sighting.entry WHERE sighting.batch = batch.id \
         AND EXISTS (SELECT 1 FROM entry AS other JOIN sighting AS seen ON seen.entry = other.id \
            WHERE other.account = entry.account AND other.transaction_id = entry.transaction_id \
            AND seen.batch < batch.id)), \
        (SELECT min(trade_date) FROM sighting JOIN entry ON entry.id = sighting.entry WHERE batch = batch.id), \
        (SELECT max(trade_date) FROM sighting JOIN entry ON entry.id = sighting.entry WHERE batch = batch.id) \
        FROM batch ORDER BY id";
    let mut look = connection.prepare(sql)?;
    let mut accounts = connection.prepare(
        "SELECT DISTINCT account.name FROM sighting JOIN entry ON entry.id = sighting.entry \
         JOIN account ON account.id = entry.account WHERE batch = ?1 \
         UNION SELECT account.name FROM position JOIN account ON account.id = position.account WHERE batch = ?1 \
         ORDER BY 1",
    )?;
    let mut all = Vec::new();
    let mut rows = look.query([])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let names = accounts.query_map([id], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let (sighted, known): (i64, i64) = (row.get(6)?, row.get(10)?);
        let (first, last): (Option<String>, Option<String>) = (row.get(11)?, row.get(12)?);
        all.push(BatchRow {
            id,
            file: row.get(1)?,
            format: row.get(2)?,
            sha256: row.get(3)?,
            imported_at: Instant(row.get(4)?),
            rows: row.get(5)?,
            imported: sighted - known,
            already_known: known,
            ignored: row.get(7)?,
            quarantined: row.get(8)?,
            duplicates: row.get(9)?,
            accounts: names,
            span: first.zip(last),
        });
    }
    Ok(all)
}
