//! Lots that the engine derived, kept until the ledger says something else. Only a cache: it may be
//! dropped at any time, and is read only under the key of what it was derived from.

use std::collections::BTreeSet;

use lotwise_core::{Date, Money, Shares, Symbol};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::decode::{self, maybe, required};
use super::encode::hex;
use super::fault;
use super::ledger::Ledger;
use crate::errors::CliError;

/// An open lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedLot {
    /// The account.
    pub account: String,
    /// What is held.
    pub symbol: Symbol,
    /// Its id in the books.
    pub lot: String,
    /// Shares.
    pub shares: Shares,
    /// Basis of all of them, where it is known.
    pub basis: Option<Money>,
    /// Day of purchase, where it is known.
    pub acquired: Option<Date>,
    /// Day from which the holding period counts, where it is known.
    pub holding_from: Option<Date>,
    /// Whether a wash sale changed it.
    pub washed: bool,
}

/// How many lots there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DerivedSummary {
    /// At the end of this day.
    pub as_of: Date,
    /// Open lots.
    pub lots: u64,
    /// Symbols among them.
    pub symbols: u64,
}

impl Ledger {
    /// The key of lots derived now: a digest of every row of every import, of the program's version, and of
    /// what else they depend on (`circumstances`: the day first, then the rules, with `:` between).
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn derived_key(&self, circumstances: &str) -> Result<String, CliError> {
        let told = |error: rusqlite::Error| self.told("reading the ledger", &error);
        Ok(format!("{}:{circumstances}", content_key(&self.connection).map_err(told)?))
    }

    /// The cached lots, if they were derived under this key.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn derived(&self, key: &str) -> Result<Option<Vec<DerivedLot>>, CliError> {
        let told = |error: rusqlite::Error| self.told("reading the derived lots", &error);
        let stored = stored_key(&self.connection).map_err(told)?;
        if stored.as_deref() != Some(key) {
            return Ok(None);
        }
        read(&self.connection).map(Some).map_err(told)
    }

    /// What the cache says, if it belongs to what the ledger says now and its key names the day.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn derived_now(&self) -> Result<Option<DerivedSummary>, CliError> {
        let Some(key) = stored_key(&self.connection).map_err(|error| self.told("reading the derived lots", &error))?
        else {
            return Ok(None);
        };
        let Some(as_of) = key.split(':').nth(1).and_then(|day| Date::parse(day).ok()) else { return Ok(None) };
        let circumstances = key.split_once(':').map_or("", |(_, rest)| rest);
        if self.derived_key(circumstances)? != key {
            return Ok(None);
        }
        let lots = self.derived(&key)?.unwrap_or_default();
        let symbols: BTreeSet<&Symbol> = lots.iter().map(|lot| &lot.symbol).collect();
        Ok(Some(DerivedSummary { as_of, lots: lots.len() as u64, symbols: symbols.len() as u64 }))
    }

    /// Keeps lots under the key they were derived under, as the last thing done with the ledger.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn keep_derived(mut self, key: &str, lots: &[DerivedLot]) -> Result<(), CliError> {
        let path = self.path().to_path_buf();
        // A cache is not worth waiting for.
        let _ = self.connection.busy_timeout(std::time::Duration::ZERO);
        write(&mut self.connection, key, lots)
            .map_err(|error| fault::database(&path, "keeping the derived lots", &error))
    }
}

/// The key that the cache was written under, if there is one.
pub fn stored_key(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT key FROM derived", [], |row| row.get(0)).optional()
}

/// Digest of what every import says.
pub fn content_key(connection: &Connection) -> rusqlite::Result<String> {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    let mut look = connection.prepare(
        "SELECT batch.sha256 || ' ' || batch.format || ' ' || coalesce(batch.account_given, '') || ' ' || \
         coalesce(entry.content, '') FROM batch LEFT JOIN sighting ON sighting.batch = batch.id \
         LEFT JOIN entry ON entry.id = sighting.entry ORDER BY batch.id, sighting.ordinal",
    )?;
    let mut rows = look.query([])?;
    while let Some(row) = rows.next()? {
        hash.update(row.get_ref(0)?.as_bytes()?);
        hash.update(b"\n");
    }
    Ok(hex(&hash.finalize()))
}

fn read(connection: &Connection) -> rusqlite::Result<Vec<DerivedLot>> {
    let mut look = connection.prepare(
        "SELECT account, symbol, lot, shares, basis, acquired, holding_from, washed FROM derived_lot ORDER BY ordinal",
    )?;
    let rows = look.query_map([], |row| {
        Ok(DerivedLot {
            account: row.get(0)?,
            symbol: required(row, 1, decode::symbol)?,
            lot: row.get(2)?,
            shares: required(row, 3, decode::shares)?,
            basis: maybe(row, 4, decode::money)?,
            acquired: maybe(row, 5, decode::date)?,
            holding_from: maybe(row, 6, decode::date)?,
            washed: row.get(7)?,
        })
    })?;
    rows.collect()
}

fn write(connection: &mut Connection, key: &str, lots: &[DerivedLot]) -> rusqlite::Result<()> {
    if stored_key(connection)?.as_deref() == Some(key) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("DELETE FROM derived_lot; DELETE FROM derived;")?;
    transaction.execute("INSERT INTO derived (only, key) VALUES (1, ?1)", [key])?;
    let mut insert = transaction.prepare(
        "INSERT INTO derived_lot (account, symbol, lot, shares, basis, acquired, holding_from, washed) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for lot in lots {
        insert.execute(params![
            lot.account,
            lot.symbol.as_str(),
            lot.lot,
            lot.shares.to_string(),
            lot.basis.map(|basis| basis.to_string()),
            lot.acquired.map(|date| date.to_string()),
            lot.holding_from.map(|date| date.to_string()),
            lot.washed,
        ])?;
    }
    drop(insert);
    transaction.commit()
}
