//! What an import would do: which rows are new, which are known, and what does not fit together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lotwise_core::{Date, Shares, Symbol};
use lotwise_statements::{Action, Position, Statement, Transaction};
use rusqlite::{Connection, OptionalExtension, params};

use super::encode::content;
use super::ledger::Ledger;
use super::{decode, fault};
use crate::errors::{CliError, Exit, Place};

/// A file that was read.
pub struct Incoming<'a> {
    /// Its name without folders.
    pub file: &'a str,
    /// Digest of its bytes.
    pub sha256: &'a str,
    /// The account the person named.
    pub account_given: Option<&'a str>,
    /// What it holds.
    pub statement: &'a Statement,
}

/// What an import does with one file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Landed {
    /// Number of the import; `None` before it is stored, and where nothing of the file is new.
    pub batch: Option<i64>,
    /// Rows that the ledger did not have.
    pub imported: usize,
    /// Rows that it had, from an earlier file or one named earlier in the same command.
    pub already_known: usize,
    /// Rows that it has with another content; the earlier one stays.
    pub changed: Vec<u32>,
    /// Where the same file was imported before, if this one adds nothing: then it is not stored.
    pub same_as: Option<Earlier>,
    /// New rows that look like known ones of another file: date, action, symbol, shares and amount agree.
    pub lookalikes: Vec<u32>,
    /// The file that most of those are known from.
    pub looks_like: Option<String>,
}

/// Where a file was imported before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// Under this number.
    Import(i64),
    /// Earlier in the same command.
    SameCommand,
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Per file, in the order given.
    pub files: Vec<Landed>,
    /// What the files state to be held, against what all rows add up to.
    pub reconciled: Vec<Reconciled>,
}

/// A holding that a file states, against what the rows add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciled {
    /// Which of the files states it.
    pub file: usize,
    /// Row of the file.
    pub row: u32,
    /// The account.
    pub account: String,
    /// What is held.
    pub symbol: Symbol,
    /// Day of the statement, where it is known.
    pub as_of: Option<Date>,
    /// Shares that the file states.
    pub stated: Shares,
    /// Shares that the rows up to that day add up to; `None` beyond what can be counted.
    pub from_rows: Option<Shares>,
}

impl Reconciled {
    /// Whether both agree.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.from_rows == Some(self.stated)
    }
}

/// Account and id of a row.
type Key<'a> = (&'a str, &'a str);

impl Ledger {
    /// What an import of these files would do.
    ///
    /// # Errors
    /// When the ledger cannot be read, or has one of the files under another account.
    pub fn plan(&self, files: &[Incoming<'_>]) -> Result<Plan, CliError> {
        plan(&self.connection, self.path(), files)
    }
}

impl Plan {
    /// What an import into an empty ledger would do.
    ///
    /// # Errors
    /// When memory cannot be had for it.
    pub fn without_ledger(files: &[Incoming<'_>]) -> Result<Self, CliError> {
        let path = Path::new("memory");
        let told = |error: rusqlite::Error| fault::database(path, "planning the import", &error);
        let mut connection = Connection::open_in_memory().map_err(told)?;
        super::migrations::migrate(&mut connection, 0).map_err(told)?;
        plan(&connection, path, files)
    }
}

/// What an import of these files into this database would do.
pub fn plan(connection: &Connection, path: &Path, files: &[Incoming<'_>]) -> Result<Plan, CliError> {
    let told = |error: rusqlite::Error| fault::database(path, "reading the ledger", &error);
    let mut seen: BTreeMap<Key<'_>, BTreeSet<String>> = BTreeMap::new();
    let mut hashes: BTreeSet<&str> = BTreeSet::new();
    let mut landed = Vec::new();
    for file in files {
        refuse_other_account(connection, path, file)?;
        let one = plan_file(connection, file, &mut seen).map_err(told)?;
        // The same file twice in one command is one file.
        let again = !hashes.insert(file.sha256) && one.imported == 0 && one.changed.is_empty();
        landed.push(Landed { same_as: one.same_as.or(again.then_some(Earlier::SameCommand)), ..one });
    }
    let reconciled = reconcile(connection, files).map_err(told)?;
    Ok(Plan { files: landed, reconciled })
}

fn plan_file<'a>(
    connection: &Connection,
    file: &Incoming<'a>,
    seen: &mut BTreeMap<Key<'a>, BTreeSet<String>>,
) -> rusqlite::Result<Landed> {
    let mut known = connection.prepare(
        "SELECT content FROM entry JOIN account ON account.id = entry.account \
         WHERE account.name = ?1 AND transaction_id = ?2",
    )?;
    let mut landed = Landed::default();
    let mut own: BTreeMap<Key<'a>, BTreeSet<String>> = BTreeMap::new();
    let mut new: Vec<&Transaction> = Vec::new();
    for transaction in &file.statement.transactions {
        let key = (transaction.account.as_str(), transaction.id.as_str());
        let content = content(transaction);
        let stored = known.query_map(key, |row| row.get::<_, String>(0))?;
        let mut contents: BTreeSet<String> = stored.collect::<rusqlite::Result<_>>()?;
        contents.extend(seen.get(&key).into_iter().flatten().cloned());
        if contents.is_empty() {
            landed.imported += 1;
            new.push(transaction);
        } else {
            landed.already_known += 1;
            if !contents.contains(&content) {
                landed.changed.push(transaction.row);
            }
        }
        own.entry(key).or_default().insert(content);
    }
    if landed.imported == 0 && landed.changed.is_empty() {
        landed.same_as = same_file(connection, file)?.map(Earlier::Import);
    }
    (landed.lookalikes, landed.looks_like) = lookalikes(connection, file.statement, &new, &own)?;
    for (key, contents) in own {
        seen.entry(key).or_default().extend(contents);
    }
    Ok(landed)
}

/// The import of the same bytes that says the same, if there is one: as many rows, positions and notes.
fn same_file(connection: &Connection, file: &Incoming<'_>) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM batch WHERE sha256 = ?1 AND format = ?2 AND rows = ?3 \
               AND (SELECT count(*) FROM sighting WHERE batch = batch.id) = ?4 \
               AND (SELECT count(*) FROM position WHERE batch = batch.id) = ?5 ORDER BY id LIMIT 1";
    let statement = file.statement;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let numbers = params![
        file.sha256,
        statement.format,
        count(statement.rows),
        count(statement.transactions.len()),
        count(statement.positions.len())
    ];
    connection.query_row(sql, numbers, |row| row.get(0)).optional()
}

/// Refuses a file whose rows the ledger has under another account: they would count twice.
fn refuse_other_account(connection: &Connection, path: &Path, file: &Incoming<'_>) -> Result<(), CliError> {
    let (Some(named), Some(first)) = (file.account_given, file.statement.transactions.first()) else { return Ok(()) };
    let sql = "SELECT batch.id FROM batch JOIN sighting ON sighting.batch = batch.id \
               JOIN entry ON entry.id = sighting.entry JOIN account ON account.id = entry.account \
               WHERE batch.sha256 = ?1 AND sighting.row = ?2 AND account.name <> ?3 LIMIT 1";
    let found = connection.query_row(sql, params![file.sha256, first.row, first.account], |row| row.get(0)).optional();
    let found: Option<i64> = found.map_err(|error| fault::database(path, "reading the ledger", &error))?;
    let Some(id) = found else { return Ok(()) };
    let message = format!("the rows of this file are in the ledger under another account than {named:?}");
    let help = format!("take that import back first (lotwise import undo {id}), or leave out --account");
    Err(CliError::new("known-under-other-account", Exit::Input, message).at(Place::file(file.file)).help(help))
}

/// New trades that agree in date, action, symbol, shares and amount with a known one that this file does
/// not have: of any account where the formats differ, of the same account where they do not.
fn lookalikes(
    connection: &Connection,
    statement: &Statement,
    new: &[&Transaction],
    own: &BTreeMap<Key<'_>, BTreeSet<String>>,
) -> rusqlite::Result<(Vec<u32>, Option<String>)> {
    let mut look = connection.prepare(
        "SELECT account.name, entry.transaction_id, batch.file FROM entry JOIN account ON account.id = entry.account \
         JOIN sighting ON sighting.entry = entry.id JOIN batch ON batch.id = sighting.batch \
         WHERE trade_date = ?1 AND action = ?2 AND symbol = ?3 AND shares = ?4 AND amount = ?5 \
         AND (batch.format <> ?6 OR account.name = ?7)",
    )?;
    let mut rows = Vec::new();
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for each in new {
        let (Some(symbol), Some(shares)) = (&each.symbol, each.shares) else { continue };
        let values = params![
            each.trade_date.to_string(),
            each.action.name(),
            symbol.as_str(),
            shares.to_string(),
            each.amount.to_string(),
            statement.format,
            each.account
        ];
        let found = look.query_map(values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let found: Vec<(String, String, String)> = found.collect::<rusqlite::Result<_>>()?;
        if let Some((.., file)) = found.into_iter().find(|(account, id, _)| !own.contains_key(&(account, id))) {
            rows.push(each.row);
            *files.entry(file).or_default() += 1;
        }
    }
    let most = files.into_iter().max_by_key(|&(_, count)| count).map(|(file, _)| file);
    Ok((rows, most))
}

/// Whether the shares of a row are shares of its symbol.
fn moves_shares(each: &Transaction) -> bool {
    each.option.is_none()
        && !each.detail.as_deref().is_some_and(|detail| detail.contains("option"))
        && !matches!(
            each.action,
            Action::OptionOpen
                | Action::OptionClose
                | Action::OptionExercise
                | Action::OptionAssign
                | Action::OptionExpire
        )
}

/// Compares the positions of the files with the rows of the ledger and of all files.
fn reconcile(connection: &Connection, files: &[Incoming<'_>]) -> rusqlite::Result<Vec<Reconciled>> {
    let positions: Vec<(usize, &Position, &Symbol)> = files
        .iter()
        .enumerate()
        .flat_map(|(at, file)| file.statement.positions.iter().map(move |position| (at, position)))
        .filter_map(|(at, position)| Some((at, position, position.symbol.as_ref()?)))
        .collect();
    if positions.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<(&str, &str)> =
        positions.iter().map(|(_, position, symbol)| (position.account.as_str(), symbol.as_str())).collect();
    // Every row once: the ledger's first, then those of the files in their order.
    let mut keys: BTreeSet<(String, String)> = BTreeSet::new();
    let mut moved: BTreeMap<(String, String), Vec<(Date, Shares)>> = BTreeMap::new();
    let mut take = |each: &Transaction, keys: &mut BTreeSet<(String, String)>| {
        let (Some(symbol), Some(shares)) = (&each.symbol, each.shares) else { return };
        if wanted.contains(&(each.account.as_str(), symbol.as_str()))
            && moves_shares(each)
            && keys.insert((each.account.clone(), each.id.clone()))
        {
            let place = (each.account.clone(), symbol.as_str().to_owned());
            moved.entry(place).or_default().push((each.trade_date, shares));
        }
    };
    let sql = format!(
        "SELECT {} FROM entry JOIN account ON account.id = entry.account \
         WHERE account.name = ?1 AND symbol = ?2 \
         ORDER BY (SELECT min(batch) FROM sighting WHERE sighting.entry = entry.id), entry.id",
        decode::ENTRY_COLUMNS
    );
    let nothing = decode::Attachments::default();
    let mut look = connection.prepare(&sql)?;
    for &(account, symbol) in &wanted {
        let mut rows = look.query((account, symbol))?;
        while let Some(row) = rows.next()? {
            take(&decode::transaction(row, &nothing, 0)?, &mut keys);
        }
    }
    for each in files.iter().flat_map(|file| &file.statement.transactions) {
        take(each, &mut keys);
    }
    Ok(positions
        .into_iter()
        .map(|(file, position, symbol)| {
            let place = (position.account.clone(), symbol.as_str().to_owned());
            let until = |date: Date| position.as_of.is_none_or(|as_of| date <= as_of);
            let rows = moved.get(&place).into_iter().flatten().filter(|(date, _)| until(*date));
            let from_rows = rows.map(|&(_, shares)| shares).try_fold(Shares::ZERO, Shares::checked_add);
            Reconciled {
                file,
                row: position.row,
                account: position.account.clone(),
                symbol: symbol.clone(),
                as_of: position.as_of,
                stated: position.shares,
                from_rows,
            }
        })
        .collect())
}
