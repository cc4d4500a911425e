//! What the database refuses, as errors for people. Messages never hold a value of a row.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::errors::{CliError, Exit, Place};

/// What the database refused while `doing` (a verb form, for instance `importing`).
pub fn database(path: &Path, doing: &str, error: &rusqlite::Error) -> CliError {
    let told = |code, exit, message: String| CliError::new(code, exit, message).at(place(path));
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => busy(path, doing),
        Some(ErrorCode::DiskFull) => {
            told("disk-full", Exit::Failed, format!("the disk is full; {doing} stopped and nothing was changed"))
                .help("free some space and try again, or put the ledger elsewhere with the setting data_dir")
        }
        Some(ErrorCode::ReadOnly) => read_only(path, doing),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            told("ledger-closed", Exit::Failed, "the ledger cannot be opened".to_owned())
                .help("check that the file and its folder are yours: ls -la shows that")
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(path),
        Some(ErrorCode::SystemIoFailure) => {
            told("disk-failed", Exit::Failed, format!("the disk failed; {doing} stopped and nothing was changed"))
                .help("check the space and the health of the disk, then lotwise doctor")
        }
        Some(code) => {
            let message = format!("the ledger refused ({code:?}); {doing} stopped and nothing was changed");
            told("ledger-refused", Exit::Failed, message).help("lotwise doctor checks the ledger")
        }
        // A value that does not read back as it was written, or a statement that does not fit the tables.
        None => damaged(path),
    }
}

/// Somebody else writes and did not finish in time.
pub fn busy(path: &Path, doing: &str) -> CliError {
    let message = format!("another lotwise uses the ledger and did not finish in time; {doing} did not start");
    CliError::new("ledger-busy", Exit::Failed, message)
        .at(place(path))
        .help("try again when it is done; the setting wait_seconds says how long to wait")
}

/// The ledger cannot be written.
pub fn read_only(path: &Path, doing: &str) -> CliError {
    let message = format!("the ledger can be read and not written; {doing} stopped and nothing was changed");
    CliError::new("ledger-read-only", Exit::Failed, message)
        .at(place(path))
        .help("check that the file and its folder are yours, or name another folder with the setting data_dir")
}

/// The file is damaged or is no ledger.
pub fn damaged(path: &Path) -> CliError {
    CliError::new("ledger-damaged", Exit::Failed, "the ledger is damaged, or the file is none")
        .at(place(path))
        .help("lotwise doctor says more; lotwise restore FILE puts a backup in its place")
}

/// What the file system refused.
pub fn system(path: &Path, doing: &str, error: &io::Error) -> CliError {
    let told = |code, message: String| CliError::new(code, Exit::Failed, message).at(place(path));
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            told("no-permission", format!("this may not be written or read; {doing} stopped and nothing was changed"))
                .help("check that the file and its folder are yours, or name another folder with the setting data_dir")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            told("disk-full", format!("the disk is full; {doing} stopped and nothing was changed"))
                .help("free some space and try again")
        }
        io::ErrorKind::NotFound => {
            told("no-such-file", "there is no such file or folder".to_owned()).help("check the name and the folder")
        }
        _ => told("disk-failed", format!("{doing} failed: {error}; nothing was changed")),
    }
}

/// The place of a file.
pub fn place(path: &Path) -> Place {
    Place::file(path.display().to_string())
}
