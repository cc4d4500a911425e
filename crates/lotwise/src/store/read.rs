//! The ledger as statements again, so that every command goes the same way with it as with files.

use std::collections::{BTreeMap, BTreeSet};

use lotwise_core::AccountKind;
use lotwise_statements::{Answer, Position, Question, RowNote, Statement};
use rusqlite::Connection;

use super::decode::{self, Attachments, ENTRY_COLUMNS, maybe, required, wrong};
use super::ledger::Ledger;
use crate::errors::CliError;

/// What one import says.
pub struct StoredStatement {
    /// Number of the import.
    pub batch: i64,
    /// The file, without folders.
    pub file: String,
    /// Its rows. One that an earlier import also has stands there alone, so that it counts once.
    pub statement: Statement,
}

/// An import without its rows.
struct Batch {
    id: i64,
    file: String,
    format: String,
    rows: i64,
}

impl Ledger {
    /// What every import says, the earliest first.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn statements(&self) -> Result<Vec<StoredStatement>, CliError> {
        self.read_statements().map_err(|error| self.told("reading the ledger", &error))
    }

    fn read_statements(&self) -> rusqlite::Result<Vec<StoredStatement>> {
        // One transaction, so that an import that lands meanwhile is seen as a whole or not at all.
        let connection = self.connection.unchecked_transaction()?;
        let attachments = Attachments::read(&connection)?;
        let mut earlier: BTreeSet<(String, String)> = BTreeSet::new();
        let mut all = Vec::new();
        for batch in batches(&connection)? {
            let mut statement = Statement {
                format: lotwise_statements::formats()
                    .iter()
                    .find(|format| format.id == batch.format)
                    .map_or("ledger", |format| format.id),
                rows: usize::try_from(batch.rows).map_err(|_| wrong("rows"))?,
                transactions: Vec::new(),
                ignored: notes(&connection, batch.id, "ignored")?,
                quarantined: notes(&connection, batch.id, "quarantined")?,
                duplicates: notes(&connection, batch.id, "duplicate")?,
                positions: positions(&connection, batch.id)?,
                account_labels: BTreeMap::new(),
                account_kinds: BTreeMap::new(),
                questions: questions(&connection, batch.id)?,
                answered: answers(&connection, batch.id)?,
            };
            let mut own = BTreeSet::new();
            let mut known = Vec::new();
            sightings(&connection, batch.id, |row| {
                let transaction = decode::transaction(row, &attachments, row.get(17)?)?;
                let key = (transaction.account.clone(), transaction.id.clone());
                if earlier.contains(&key) {
                    known.push(transaction.row);
                } else {
                    own.insert(key);
                    statement.transactions.push(transaction);
                }
                Ok(())
            })?;
            earlier.extend(own);
            statement.duplicates.extend(known.into_iter().map(|row| RowNote {
                row,
                column: None,
                value: None,
                reason: "an earlier import has the same row".to_owned(),
            }));
            account_statements(&connection, batch.id, &mut statement)?;
            all.push(StoredStatement { batch: batch.id, file: batch.file, statement });
        }
        Ok(all)
    }
}

fn batches(connection: &Connection) -> rusqlite::Result<Vec<Batch>> {
    let mut look = connection.prepare("SELECT id, file, format, rows FROM batch ORDER BY id")?;
    let rows = look.query_map([], |row| {
        Ok(Batch { id: row.get(0)?, file: row.get(1)?, format: row.get(2)?, rows: row.get(3)? })
    })?;
    rows.collect()
}

/// Calls for each row of an import in the order of its file: the columns of [`ENTRY_COLUMNS`], then the
/// row of the file, then the digest of the content.
pub fn sightings(
    connection: &Connection,
    batch: i64,
    mut each: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {ENTRY_COLUMNS}, sighting.row, entry.content FROM sighting JOIN entry ON entry.id = sighting.entry \
         JOIN account ON account.id = entry.account WHERE batch = ?1 ORDER BY ordinal"
    );
    let mut look = connection.prepare(&sql)?;
    let mut rows = look.query([batch])?;
    while let Some(row) = rows.next()? {
        each(row)?;
    }
    Ok(())
}

fn notes(connection: &Connection, batch: i64, kind: &str) -> rusqlite::Result<Vec<RowNote>> {
    let mut look = connection
        .prepare("SELECT row, column_name, value, reason FROM note WHERE batch = ?1 AND kind = ?2 ORDER BY ordinal")?;
    let rows = look.query_map((batch, kind), |row| {
        Ok(RowNote { row: row.get(0)?, column: row.get(1)?, value: row.get(2)?, reason: row.get(3)? })
    })?;
    rows.collect()
}

fn positions(connection: &Connection, batch: i64) -> rusqlite::Result<Vec<Position>> {
    let mut look = connection.prepare(
        "SELECT account.name, symbol, cusip, shares, price, as_of, row FROM position \
         JOIN account ON account.id = position.account WHERE batch = ?1 ORDER BY ordinal",
    )?;
    let rows = look.query_map([batch], |row| {
        Ok(Position {
            account: row.get(0)?,
            symbol: maybe(row, 1, decode::symbol)?,
            cusip: row.get(2)?,
            shares: required(row, 3, decode::shares)?,
            price: maybe(row, 4, decode::price)?,
            as_of: maybe(row, 5, decode::date)?,
            row: row.get(6)?,
        })
    })?;
    rows.collect()
}

fn account_statements(connection: &Connection, batch: i64, statement: &mut Statement) -> rusqlite::Result<()> {
    let mut look = connection.prepare(
        "SELECT account.name, label, kind FROM account_statement \
         JOIN account ON account.id = account_statement.account WHERE batch = ?1 ORDER BY account.name",
    )?;
    let mut rows = look.query([batch])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if let Some(label) = row.get::<_, Option<String>>(1)? {
            statement.account_labels.insert(name.clone(), label);
        }
        if let Some(kind) = maybe(row, 2, AccountKind::from_name)? {
            statement.account_kinds.insert(name, kind);
        }
    }
    Ok(())
}

fn questions(connection: &Connection, batch: i64) -> rusqlite::Result<Vec<Question>> {
    let mut look =
        connection.prepare("SELECT key, text, proposed, rows FROM question WHERE batch = ?1 ORDER BY ordinal")?;
    let rows = look.query_map([batch], |row| {
        let numbers: String = row.get(3)?;
        let numbers = numbers.split(',').filter(|part| !part.is_empty());
        let rows = numbers.map(|part| part.parse().map_err(|_| wrong("rows"))).collect::<Result<_, _>>()?;
        Ok(Question { key: row.get(0)?, text: row.get(1)?, proposed: row.get(2)?, rows })
    })?;
    rows.collect()
}

fn answers(connection: &Connection, batch: i64) -> rusqlite::Result<BTreeMap<String, Answer>> {
    let mut look = connection.prepare("SELECT key, value FROM answer WHERE batch = ?1")?;
    let rows = look.query_map([batch], |row| {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        let answer = Answer::parse(&key, &value).map_err(|_| wrong("answer"))?;
        Ok((key, answer))
    })?;
    rows.collect()
}
