//! The content of the ledger as lines of JSON: the same content is the same text, byte for byte.
//!
//! Numbers that the database gives (of imports, of rows), the time of an import and what can be derived
//! are left out: they say when and where something was written, not what the ledger says. Imports are
//! told apart by their rank.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::{Value, json};

use super::decode::{self, Attachments};
use super::encode::{digest, line};
use super::ledger::Ledger;
use super::read::sightings;
use crate::errors::CliError;

impl Ledger {
    /// The content, one line per fact: settings, imports with what belongs to them, then every row with the
    /// imports and file rows that say it, sorted.
    ///
    /// # Errors
    /// When the ledger cannot be read, or a row does not say what its digest stands for.
    pub fn dump(&self) -> Result<String, CliError> {
        let read = || {
            let connection = self.connection.unchecked_transaction()?;
            dump(&connection)
        };
        read().map_err(|error| self.told("reading the ledger", &error))
    }
}

/// The content of a database with our tables.
pub fn dump(connection: &Connection) -> rusqlite::Result<String> {
    let mut text = String::new();
    let mut put = |value: Value| {
        text.push_str(&value.to_string());
        text.push('\n');
    };
    for row in rows(connection, "SELECT key, value FROM setting ORDER BY key", [])? {
        put(json!({"setting": row[0], "value": row[1]}));
    }
    let mut look = connection.prepare("SELECT id FROM batch ORDER BY id")?;
    let ids: Vec<i64> = look.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for (rank, &id) in (1..).zip(&ids) {
        for row in rows(connection, "SELECT file, format, sha256, account_given, rows FROM batch WHERE id = ?1", [id])?
        {
            put(json!({"import": rank, "file": row[0], "format": row[1], "sha256": row[2], "account": row[3],
                "rows": row[4]}));
        }
        let sql = "SELECT kind, ordinal, row, column_name, value, reason FROM note WHERE batch = ?1 ORDER BY 1, 2";
        for row in rows(connection, sql, [id])? {
            put(json!({"import": rank, "note": row[0], "row": row[2], "column": row[3], "value": row[4],
                "reason": row[5]}));
        }
        let sql = "SELECT account.name, symbol, cusip, shares, price, as_of, row FROM position \
                   JOIN account ON account.id = position.account WHERE batch = ?1 ORDER BY ordinal";
        for row in rows(connection, sql, [id])? {
            put(json!({"import": rank, "position": row[0], "symbol": row[1], "cusip": row[2], "shares": row[3],
                "price": row[4], "as_of": row[5], "row": row[6]}));
        }
        let sql = "SELECT account.name, label, kind FROM account_statement \
                   JOIN account ON account.id = account_statement.account WHERE batch = ?1 ORDER BY 1";
        for row in rows(connection, sql, [id])? {
            put(json!({"import": rank, "account": row[0], "label": row[1], "kind": row[2]}));
        }
        let sql = "SELECT key, text, proposed, rows FROM question WHERE batch = ?1 ORDER BY ordinal";
        for row in rows(connection, sql, [id])? {
            put(json!({"import": rank, "question": row[0], "text": row[1], "proposed": row[2], "rows": row[3]}));
        }
        for row in rows(connection, "SELECT key, value FROM answer WHERE batch = ?1 ORDER BY key", [id])? {
            put(json!({"import": rank, "answer": row[0], "value": row[1]}));
        }
    }
    for row in rows(connection, "SELECT name FROM account ORDER BY name", [])? {
        put(json!({"account": row[0]}));
    }
    // One line per row and content, with every place that says it.
    let attachments = Attachments::read(connection)?;
    let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (rank, &id) in (1..).zip(&ids) {
        sightings(connection, id, |row| {
            let transaction = decode::transaction(row, &attachments, row.get(17)?)?;
            let line = line(&transaction);
            if row.get::<_, String>(18)? != digest(line.as_bytes()) {
                return Err(decode::wrong("content"));
            }
            lines.entry(line).or_default().push(format!("[{rank},{}]", transaction.row));
            Ok(())
        })?;
    }
    for (line, places) in lines {
        text.push_str(&format!("{{\"row\":{line},\"in\":[{}]}}\n", places.join(",")));
    }
    Ok(text)
}

/// Rows of texts, whole numbers and nothing.
fn rows(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut look = connection.prepare(sql)?;
    let columns = look.column_count();
    let rows = look.query_map(parameters, |row| {
        (0..columns)
            .map(|at| {
                Ok(match row.get(at)? {
                    rusqlite::types::Value::Null => Value::Null,
                    rusqlite::types::Value::Integer(number) => Value::from(number),
                    rusqlite::types::Value::Text(text) => Value::from(text),
                    rusqlite::types::Value::Real(_) | rusqlite::types::Value::Blob(_) => {
                        return Err(decode::wrong("type"));
                    }
                })
            })
            .collect()
    })?;
    rows.collect()
}
