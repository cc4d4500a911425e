//! What `doctor` looks at. Nothing here changes anything.

use std::fs;

use rusqlite::Connection;

use super::copy::PARTIAL;
use super::derived;
use super::dump::dump;
use super::encode::digest;
use super::folder::{DataFolder, bits_of_others};
use super::ledger::Ledger;
use super::migrations::LATEST;
use crate::errors::CliError;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It holds.
    Good,
    /// There was nothing to look at.
    Skipped,
    /// Worth knowing; figures stand.
    Notice,
    /// It does not hold.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Stable name for programs.
    pub name: &'static str,
    /// How it came out.
    pub health: Health,
    /// What was found, in a sentence without a final period.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Check {
    fn new(name: &'static str, health: Health, message: impl Into<String>) -> Self {
        Self { name, health, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Looks at the data folder and the ledger in it.
#[must_use]
pub fn health(folder: &DataFolder) -> Vec<Check> {
    let mut checks = vec![folder_check(folder)];
    if !folder.ledger().exists() {
        checks.push(
            Check::new("ledger", Health::Skipped, "there is no ledger yet").help("lotwise import FILE makes one"),
        );
        return checks;
    }
    checks.extend(file_checks(folder));
    match Ledger::open(folder) {
        Ok(Some(ledger)) => {
            checks.push(Check::new("migrations", Health::Good, format!("all {LATEST} steps were taken, unchanged")));
            checks.extend(content_checks(&ledger));
        }
        Ok(None) => checks.push(Check::new("ledger", Health::Skipped, "there is no ledger yet")),
        Err(CliError { message, help, .. }) => {
            checks.push(Check { help, ..Check::new("ledger", Health::Failed, message) });
        }
    }
    checks
}

fn folder_check(folder: &DataFolder) -> Check {
    let name = "data-folder";
    let shown = folder.path().display();
    match bits_of_others(folder.path()) {
        Ok(0) => Check::new(name, Health::Good, format!("{shown} is yours alone")),
        Ok(_) => Check::new(name, Health::Failed, format!("{shown} can be read or entered by others"))
            .help(format!("chmod 700 {shown}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Check::new(name, Health::Skipped, format!("{shown} is not there yet"))
        }
        Err(error) => Check::new(name, Health::Failed, format!("{shown} cannot be looked at: {error}")),
    }
}

fn file_checks(folder: &DataFolder) -> Vec<Check> {
    let mut open = Vec::new();
    let mut partial = Vec::new();
    for entry in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(PARTIAL) {
            partial.push(name.clone());
        }
        let ours = name.starts_with("ledger") || name.starts_with(PARTIAL);
        if ours && bits_of_others(&entry.path()).is_ok_and(|bits| bits != 0) {
            open.push(name);
        }
    }
    open.sort();
    partial.sort();
    let files = if open.is_empty() {
        Check::new("file-permissions", Health::Good, "every file of the ledger is yours alone")
    } else {
        let list = open.join(" ");
        Check::new("file-permissions", Health::Failed, format!("others can read or write {list}"))
            .help(format!("cd {} && chmod 600 {list}", folder.path().display()))
    };
    let mut checks = vec![files];
    if !partial.is_empty() {
        let message = format!("a backup or restore that was interrupted left {}", partial.join(", "));
        checks.push(Check::new("unfinished-copies", Health::Notice, message).help("they can be deleted"));
    }
    checks
}

fn content_checks(ledger: &Ledger) -> Vec<Check> {
    let found = || -> rusqlite::Result<Vec<Check>> {
        let connection = ledger.connection.unchecked_transaction()?;
        let faults = faults(&connection)?;
        let mut checks = Vec::new();
        if let Some(first) = faults.first() {
            let message = match faults.len() {
                1 => first.clone(),
                count => format!("{first}, and {} more like it", count - 1),
            };
            let help = "lotwise restore FILE puts a backup in its place";
            checks.push(Check::new("integrity", Health::Failed, message).help(help));
            return Ok(checks);
        }
        checks.push(Check::new("integrity", Health::Good, "pages, indexes and references hold"));
        checks.push(match dump(&connection) {
            Ok(dump) => {
                let message = format!("every row matches its digest (dump {})", &digest(dump.as_bytes())[..16]);
                Check::new("content", Health::Good, message)
            }
            Err(_) => Check::new("content", Health::Failed, "a row does not say what it said when it was imported")
                .help("lotwise restore FILE puts a backup in its place"),
        });
        checks.push(symbols(&connection)?);
        checks.push(unread(&connection)?);
        checks.push(cache(&connection)?);
        Ok(checks)
    };
    found().unwrap_or_else(|error| {
        let CliError { message, help, .. } = ledger.told("looking", &error);
        vec![Check { help, ..Check::new("integrity", Health::Failed, message) }]
    })
}

fn symbols(connection: &Connection) -> rusqlite::Result<Check> {
    let sql = "SELECT count(*) FROM entry WHERE symbol IS NULL AND shares IS NOT NULL \
               AND id NOT IN (SELECT entry FROM option_terms)";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(if count == 0 {
        Check::new("symbols", Health::Good, "every row that moves shares has a symbol")
    } else {
        let message =
            format!("{} shares and {} no symbol, so {} in no lot", rows(count, "moves", "move"), has(count), is(count));
        Check::new("symbols", Health::Notice, message)
            .help("lotwise doctor --dump shows them: \"symbol\":null with shares")
    })
}

fn unread(connection: &Connection) -> rusqlite::Result<Check> {
    let sql = "SELECT count(*), count(DISTINCT batch) FROM note WHERE kind = 'quarantined'";
    let (count, files): (i64, i64) = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(if count == 0 {
        Check::new("unread-rows", Health::Good, "every row of every file was read")
    } else {
        let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
        let message = format!("{} of {files} could not be read", rows(count, "", "").trim());
        Check::new("unread-rows", Health::Notice, message)
            .help("correct the file, take its import back (lotwise import undo ID) and import it again")
    })
}

fn cache(connection: &Connection) -> rusqlite::Result<Check> {
    let name = "derived-lots";
    let current = derived::content_key(connection)?;
    Ok(match derived::stored_key(connection)? {
        None => Check::new(name, Health::Skipped, "no derived lots are kept"),
        Some(key) if key.split(':').next() == Some(current.as_str()) => {
            Check::new(name, Health::Good, "the derived lots belong to what the ledger says")
        }
        Some(_) => Check::new(name, Health::Notice, "the derived lots are old; they are not used")
            .help("the next import makes new ones"),
    })
}

fn rows(count: i64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 row {one}") } else { format!("{count} rows {many}") }
}

fn has(count: i64) -> &'static str {
    if count == 1 { "has" } else { "have" }
}

fn is(count: i64) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// What is wrong with the pages, indexes and references of a database; nothing when all is well.
pub fn faults(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut look = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut found = look.query([])?;
    let mut broken = 0;
    while let Some(row) = found.next()? {
        // What SQLite says may name a value; that it found something is enough.
        broken += usize::from(row.get::<_, String>(0)? != "ok");
    }
    if broken > 0 {
        faults.push(format!("the check of pages and indexes found {broken} faults"));
    }
    let mut look = connection.prepare("PRAGMA foreign_key_check")?;
    let mut found = look.query([])?;
    while let Some(row) = found.next()? {
        faults.push(format!("a row of the table {} refers to nothing", row.get::<_, String>(0)?));
    }
    let sql = "SELECT count(*) FROM batch WHERE rows <> (SELECT count(*) FROM sighting WHERE batch = batch.id) \
               + (SELECT count(*) FROM note WHERE batch = batch.id)";
    let uneven: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if uneven > 0 {
        faults.push(format!("{uneven} imports do not hold as many rows as their files"));
    }
    Ok(faults)
}
