//! Opening the ledger: made once, brought up to date, and never open while it is being replaced.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::fault;
use super::folder::{DataFolder, Lock, is_read_only, owner_only};
use super::migrations::{self, Version};
use super::mode::Mode;
use crate::errors::{CliError, Exit};

/// An open ledger.
pub struct Ledger {
    pub(super) connection: Connection,
    path: PathBuf,
    /// Keeps others from replacing the file; `None` where nobody can.
    _lock: Option<File>,
}

impl Ledger {
    /// Opens the ledger that is there. `None` where there is none.
    ///
    /// # Errors
    /// When it is damaged, of another version, or busy.
    pub fn open(folder: &DataFolder) -> Result<Option<Self>, CliError> {
        let path = folder.ledger();
        match std::fs::metadata(&path) {
            Ok(_) => Self::open_at(folder, &path).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Ok(None),
            Err(error) => Err(fault::system(&path, "opening the ledger", &error)),
        }
    }

    /// Opens the ledger, and makes an empty one where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`], and when the folder cannot be written.
    pub fn open_or_create(folder: &DataFolder) -> Result<Self, CliError> {
        folder.create()?;
        let path = folder.ledger();
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        owner_only(&mut options);
        match options.open(&path) {
            Ok(_) => Self::open_at(folder, &path),
            Err(error) if is_read_only(&error) => Err(fault::read_only(&path, "opening the ledger")),
            Err(error) => Err(fault::system(&path, "making the ledger", &error)),
        }
    }

    fn open_at(folder: &DataFolder, path: &Path) -> Result<Self, CliError> {
        let doing = "opening the ledger";
        let told = |error: rusqlite::Error| fault::database(path, doing, &error);
        let Some(lock) = folder.lock(Lock::Shared, doing)? else {
            return Self::open_untouched(folder, path);
        };
        let (connection, version) = match connect(path, folder).and_then(versioned) {
            // The file may be written and its folder may not.
            Err(error) if matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly)) => {
                return Self::open_untouched(folder, path);
            }
            found => found.map_err(told)?,
        };
        if check_version(version, path)? == migrations::LATEST {
            return Ok(Self { connection, path: path.to_path_buf(), _lock: Some(lock) });
        }
        drop((connection, lock));
        let exclusive = folder.lock(Lock::Exclusive, doing)?;
        // Somebody may have done it while this process waited, so the version is looked up again.
        let (mut connection, version) = connect(path, folder).and_then(versioned).map_err(told)?;
        let from = check_version(version, path)?;
        connection.pragma_update(None, "journal_mode", "wal").map_err(told)?;
        migrations::migrate(&mut connection, from).map_err(told)?;
        drop(exclusive);
        let lock = folder.lock(Lock::Shared, doing)?;
        Ok(Self { connection, path: path.to_path_buf(), _lock: lock })
    }

    /// Opens a ledger in a folder that cannot be written. Nothing can change there, so the file is read
    /// as it is, unless a process that was killed left changes beside it.
    fn open_untouched(folder: &DataFolder, path: &Path) -> Result<Self, CliError> {
        let doing = "reading the ledger";
        let told = |error: rusqlite::Error| fault::database(path, doing, &error);
        let pending = std::fs::metadata(folder.companion("-wal")).is_ok_and(|found| found.len() > 0);
        let connection = connect_read_only(path, !pending).map_err(told)?;
        match migrations::version(&connection).map_err(told)? {
            Version::Ledger(migrations::LATEST) => Ok(Self { connection, path: path.to_path_buf(), _lock: None }),
            Version::Ledger(_) | Version::Empty => Err(fault::read_only(path, "bringing the ledger up to date")),
            other => Err(check_version(other, path).err().unwrap_or_else(|| fault::damaged(path))),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The mode chosen before, if one was.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn mode(&self) -> Result<Option<Mode>, CliError> {
        stored_mode(&self.connection).map_err(|error| self.told("reading the mode", &error))
    }

    /// Remembers the mode.
    ///
    /// # Errors
    /// When the ledger cannot be written.
    pub fn choose_mode(&mut self, mode: Mode) -> Result<(), CliError> {
        if self.mode()? == Some(mode) {
            return Ok(());
        }
        let sql = "INSERT INTO setting (key, value) VALUES ('mode', ?1) \
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let done = self.connection.execute(sql, [mode.name()]).map(drop);
        done.map_err(|error| self.told("remembering the mode", &error))
    }

    /// What the database refused, as an error for people.
    pub(super) fn told(&self, doing: &str, error: &rusqlite::Error) -> CliError {
        fault::database(&self.path, doing, error)
    }

    /// A ledger in memory, for tests.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        let mut connection = Connection::open_in_memory().expect("Invariant: memory can be opened");
        prepare(&connection).expect("Invariant: settings of a connection are right");
        migrations::migrate(&mut connection, 0).expect("Invariant: the steps are right");
        Self { connection, path: PathBuf::from("memory"), _lock: None }
    }
}

/// The mode that a ledger remembers, looked up in passing: `None` where there is no ledger, it is busy, or
/// it cannot be read. Commands that need the ledger say why.
#[must_use]
pub fn remembered_mode(folder: &DataFolder) -> Option<Mode> {
    let path = folder.ledger();
    if !path.is_file() {
        return None;
    }
    let lock = folder.impatient().lock(Lock::Shared, "looking").ok()?;
    let connection = match lock {
        Some(_) => Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE),
        None => connect_read_only(&path, true),
    };
    stored_mode(&connection.ok()?).ok().flatten()
}

fn stored_mode(connection: &Connection) -> rusqlite::Result<Option<Mode>> {
    let mut look = connection.prepare("SELECT value FROM setting WHERE key = 'mode'")?;
    let mut rows = look.query([])?;
    match rows.next()? {
        Some(row) => super::decode::required(row, 0, Mode::parse).map(Some),
        None => Ok(None),
    }
}

/// The step a ledger is at, or why it is not ours to open.
pub fn check_version(version: Version, path: &Path) -> Result<u32, CliError> {
    let told = |code, message: String| CliError::new(code, Exit::Failed, message).at(fault::place(path));
    match version {
        Version::Empty => Ok(0),
        Version::Ledger(number) => Ok(number),
        Version::Newer(number) => {
            let message =
                format!("the ledger is of a later lotwise (version {number}, this one knows {})", migrations::LATEST);
            Err(told("ledger-newer", message).help("install the later lotwise again"))
        }
        Version::OtherSteps => {
            Err(told("ledger-other", "the tables of the ledger were made by another program".into())
                .help("use the lotwise that made it, or lotwise restore FILE with a backup of this one"))
        }
        Version::Foreign => Err(told("ledger-foreign", "the file is no ledger of lotwise".into())
            .help("name another folder with the setting data_dir, or move the file away")),
    }
}

fn versioned(connection: Connection) -> rusqlite::Result<(Connection, Version)> {
    let version = migrations::version(&connection)?;
    Ok((connection, version))
}

fn connect(path: &Path, folder: &DataFolder) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(folder.wait)?;
    prepare(&connection)?;
    Ok(connection)
}

/// What holds for every connection: references are kept, what is committed survives a loss of power, and
/// what is deleted is overwritten.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "secure_delete", true)
}

/// Opens a file without touching it; `immutable` where nobody can change it meanwhile.
pub fn connect_read_only(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let query = if immutable { "?immutable=1" } else { "" };
    Connection::open_with_flags(format!("file:{}{query}", uri_path(path)), flags)
}

/// A path inside an URI: what has a meaning there is written as `%xx`.
fn uri_path(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations::{MIGRATIONS, migrate};

    #[test]
    fn a_ledger_of_an_earlier_step_is_brought_up_to_date() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(home.path());
        {
            let mut old = Connection::open(folder.ledger()).unwrap();
            migrate(&mut old, MIGRATIONS.len() as u32).unwrap();
            let first = &MIGRATIONS[0];
            old.execute_batch(first.sql).unwrap();
            let step = (first.number, first.name, first.checksum());
            old.execute("INSERT INTO migration VALUES (?1, ?2, ?3)", step).unwrap();
            old.execute_batch("PRAGMA user_version = 1; INSERT INTO account (name) VALUES ('kept')").unwrap();
        }
        let ledger = Ledger::open(&folder).unwrap().unwrap();
        assert_eq!(migrations::version(&ledger.connection).unwrap(), Version::Ledger(migrations::LATEST));
        assert_eq!(ledger.dump().unwrap(), "{\"account\":\"kept\"}\n");
    }

    #[test]
    fn what_is_no_ledger_of_this_program_is_left_alone() {
        let refused = |sql: &str| {
            let home = tempfile::tempdir().unwrap();
            let folder = DataFolder::at(home.path());
            drop(Ledger::open_or_create(&folder).unwrap());
            Connection::open(folder.ledger()).unwrap().execute_batch(sql).unwrap();
            let before = std::fs::read(folder.ledger()).unwrap();
            let code = Ledger::open(&folder).err().unwrap().code;
            assert_eq!(std::fs::read(folder.ledger()).unwrap(), before);
            code
        };
        assert_eq!(refused("PRAGMA user_version = 99"), "ledger-newer");
        assert_eq!(refused("UPDATE migration SET checksum = 'x' WHERE number = 1"), "ledger-other");
        assert_eq!(refused("DELETE FROM migration WHERE number = 2"), "ledger-other");
        assert_eq!(refused("PRAGMA application_id = 1"), "ledger-foreign");
    }

    #[test]
    fn text_in_the_place_of_the_ledger_is_named() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(home.path());
        std::fs::write(folder.ledger(), "no database, but long enough to look like one ".repeat(40)).unwrap();
        assert_eq!(Ledger::open(&folder).err().unwrap().code, "ledger-damaged");
    }

    #[test]
    fn a_ledger_in_use_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(home.path());
        let open = Ledger::open_or_create(&folder).unwrap();
        let backup = home.path().join("copy.db");
        crate::store::backup(&open, &backup).unwrap();
        let error = crate::store::restore(&folder, &backup, "now", false).unwrap_err();
        assert_eq!(error.code, "ledger-busy");
        drop(open);
        let restored = crate::store::restore(&folder, &backup, "now", false).unwrap();
        assert_eq!(restored.old, Some(home.path().join("ledger-before-restore-now.db")));
    }
}
