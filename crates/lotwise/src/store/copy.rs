//! Backup and restore. A copy is checked before it takes a place, and takes it in one step.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use tempfile::{Builder, NamedTempFile};

use super::dump::dump;
use super::encode::digest;
use super::fault;
use super::folder::{DataFolder, Lock, sync_folder};
use super::ledger::{Ledger, check_version, connect_read_only};
use super::migrations::{self, Version};
use crate::errors::{CliError, Exit};

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Imports.
    pub imports: u64,
    /// Rows, each counted once.
    pub rows: u64,
    /// Digest of the dump.
    pub digest: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the ledger holds now.
    pub now: Backup,
    /// Where the ledger that was there lies now; `None` where there was none.
    pub old: Option<PathBuf>,
}

/// Copies the ledger into one file beside `target`, verifies the copy and renames it.
///
/// # Errors
/// When the ledger cannot be read, the copy cannot be written, or it is not right; `target` is untouched then.
pub fn backup(ledger: &Ledger, target: &Path) -> Result<Backup, CliError> {
    let doing = "the backup";
    let beside = folder_of(target);
    let copy = temporary(&beside, doing)?;
    let told = |error: rusqlite::Error| fault::database(target, doing, &error);
    copy_pages(&ledger.connection, copy.path()).map_err(told)?;
    let found = inspect(copy.path(), true)?;
    copy.as_file().sync_all().map_err(|error| fault::system(target, doing, &error))?;
    copy.persist(target).map_err(|error| fault::system(target, doing, &error.error))?;
    sync_folder(&beside).map_err(|error| fault::system(&beside, doing, &error))?;
    Ok(found)
}

/// Checks a backup, and unless `dry` puts a copy of it in the place of the ledger. The old ledger stays
/// beside it under a name with `moment`.
///
/// # Errors
/// When the backup is not right or nothing can be written; the ledger is untouched then.
pub fn restore(folder: &DataFolder, source: &Path, moment: &str, dry: bool) -> Result<Restored, CliError> {
    let doing = "restoring";
    if dry {
        let now = inspect(source, false)?;
        return Ok(Restored { now, old: None });
    }
    // A look before anything is made, so that a wrong file leaves no trace.
    inspect(source, false)?;
    folder.create()?;
    let told = |error: &io::Error| fault::system(folder.path(), doing, error);
    let copy = temporary(folder.path(), doing)?;
    {
        let from = open_copy(source, false)?;
        copy_pages(&from, copy.path()).map_err(|error| fault::database(folder.path(), doing, &error))?;
    }
    bring_up_to_date(copy.path())?;
    let now = inspect(copy.path(), true)?;
    copy.as_file().sync_all().map_err(|error| told(&error))?;
    let lock = folder.lock(Lock::Exclusive, doing)?;
    let ledger = folder.ledger();
    let old = if ledger.exists() { Some(set_aside(folder, moment)?) } else { None };
    copy.persist(&ledger).map_err(|error| told(&error.error))?;
    sync_folder(folder.path()).map_err(|error| told(&error))?;
    drop(lock);
    Ok(Restored { now, old })
}

/// Brings everything of the ledger into its one file and gives that a second name. The first name stays, so
/// that there is a ledger at every moment.
fn set_aside(folder: &DataFolder, moment: &str) -> Result<PathBuf, CliError> {
    let doing = "restoring";
    let ledger = folder.ledger();
    let told = |error: &io::Error| fault::system(folder.path(), doing, error);
    // A damaged ledger may refuse this; it is still kept, with what lies beside it.
    let settled = settle(&ledger);
    let mut name = folder.path().join(format!("ledger-before-restore-{moment}.db"));
    let mut number = 1;
    while name.exists() {
        number += 1;
        name = folder.path().join(format!("ledger-before-restore-{moment}-{number}.db"));
    }
    for suffix in ["-wal", "-shm"] {
        let companion = folder.companion(suffix);
        if !companion.exists() {
            continue;
        }
        if settled.is_err() {
            let kept = PathBuf::from(format!("{}{suffix}", name.display()));
            fs::copy(&companion, kept).map_err(|error| told(&error))?;
        }
    }
    // Two names for one file where the disk can do that, else a copy.
    if fs::hard_link(&ledger, &name).is_err() {
        fs::copy(&ledger, &name).map_err(|error| told(&error))?;
        File::open(&name).and_then(|file| file.sync_all()).map_err(|error| told(&error))?;
    }
    sync_folder(folder.path()).map_err(|error| told(&error))?;
    for suffix in ["-wal", "-shm"] {
        match fs::remove_file(folder.companion(suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(&error)),
            _ => {}
        }
    }
    Ok(name)
}

/// Writes what is still in the log into the file.
fn settle(ledger: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    connection.close().map_err(|(_, error)| error)?;
    if busy == 0 { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// A file for its owner only that goes away unless it is given its name.
fn temporary(folder: &Path, doing: &str) -> Result<NamedTempFile, CliError> {
    let made = Builder::new().prefix(PARTIAL).suffix(".partial").tempfile_in(folder);
    made.map_err(|error| fault::system(folder, doing, &error))
}

/// How unfinished copies begin.
pub const PARTIAL: &str = ".lotwise-";

/// Copies a database as it is at one moment into a file, as one file without a log.
fn copy_pages(from: &Connection, to: &Path) -> rusqlite::Result<()> {
    let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    {
        let backup = rusqlite::backup::Backup::new(from, &mut target)?;
        // All pages in one step: between steps a writer would start it over.
        match backup.step(-1)? {
            rusqlite::backup::StepResult::Done => {}
            _ => return Err(busy()),
        }
    }
    target.pragma_update(None, "journal_mode", "delete")?;
    target.close().map_err(|(_, error)| error)
}

fn busy() -> rusqlite::Error {
    let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(code, None)
}

/// Takes a copy through the steps that its backup did not have yet.
fn bring_up_to_date(path: &Path) -> Result<(), CliError> {
    let told = |error: rusqlite::Error| fault::database(path, "restoring", &error);
    let mut connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(told)?;
    let from = check_version(migrations::version(&connection).map_err(told)?, path)?;
    migrations::migrate(&mut connection, from).map_err(told)?;
    connection.close().map_err(|(_, error)| told(error))
}

fn open_copy(path: &Path, ours: bool) -> Result<Connection, CliError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => {
            return Err(CliError::new("not-a-file", Exit::Input, "this is no ordinary file").at(fault::place(path)));
        }
        Err(error) => {
            let failed = fault::system(path, "restoring", &error);
            return Err(CliError { exit: Exit::Input, ..failed });
        }
    }
    // Our own copies have no log beside them; another file may be a ledger that was copied by hand.
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let pending = !ours && fs::metadata(log).is_ok_and(|found| found.len() > 0);
    if pending {
        let message = "the file has a log beside it (-wal), so it may not be whole";
        return Err(CliError::new("backup-unfinished", Exit::Input, message)
            .at(fault::place(path))
            .help("take a file that lotwise backup wrote"));
    }
    connect_read_only(path, true).map_err(|error| not_right(path, &error))
}

/// Checks a copy from end to end and says what it holds.
fn inspect(path: &Path, ours: bool) -> Result<Backup, CliError> {
    let connection = open_copy(path, ours)?;
    let told = |error: rusqlite::Error| not_right(path, &error);
    let version = migrations::version(&connection).map_err(told)?;
    if version == Version::Empty {
        return Err(check_version(Version::Foreign, path).err().unwrap_or_else(|| fault::damaged(path)));
    }
    check_version(version, path).map_err(|error| CliError {
        exit: Exit::Input,
        message: error.message.replace("the ledger is", "the backup is").replace("of the ledger", "of the backup"),
        ..error
    })?;
    let faults = super::health::faults(&connection).map_err(told)?;
    if let Some(first) = faults.first() {
        let message = format!("the backup is damaged: {first}");
        return Err(CliError::new("backup-damaged", Exit::Input, message)
            .at(fault::place(path))
            .help("take another backup; nothing was changed"));
    }
    let count = |sql: &str| -> rusqlite::Result<u64> {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    let found = Backup {
        imports: count("SELECT count(*) FROM batch").map_err(told)?,
        rows: count("SELECT count(*) FROM (SELECT DISTINCT account, transaction_id FROM entry)").map_err(told)?,
        digest: digest(dump(&connection).map_err(told)?.as_bytes()),
        bytes: fs::metadata(path).map_or(0, |found| found.len()),
    };
    Ok(found)
}

fn not_right(path: &Path, error: &rusqlite::Error) -> CliError {
    match fault::database(path, "reading the backup", error) {
        damaged if damaged.code == "ledger-damaged" => {
            CliError::new("backup-damaged", Exit::Input, "the file is damaged, or is no backup of a ledger")
                .at(fault::place(path))
                .help("take a file that lotwise backup wrote; nothing was changed")
        }
        other => other,
    }
}
