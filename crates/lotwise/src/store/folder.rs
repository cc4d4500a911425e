//! The data folder: for its owner only, and a lock that says who may replace the ledger.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault;
use crate::errors::{CliError, Exit};
use crate::settings::Settings;

/// How often a taken lock is tried again.
const PATIENCE: Duration = Duration::from_millis(25);

/// Where the ledger lies, and how long to wait for others that use it.
#[derive(Debug, Clone)]
pub struct DataFolder {
    path: PathBuf,
    /// How long to wait for another process.
    pub(super) wait: Duration,
}

/// How a process uses the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Reads and writes rows beside others.
    Shared,
    /// Makes the file, changes its tables, or replaces it.
    Exclusive,
}

impl DataFolder {
    /// The folder of the settings.
    ///
    /// # Errors
    /// When neither a setting nor a home folder tells where it is.
    pub fn of(settings: &Settings) -> Result<Self, CliError> {
        let path = settings.data_dir.clone().ok_or_else(|| {
            CliError::new("no-data-folder", Exit::Usage, "there is no home folder to keep the ledger in")
                .help("name one: LOTWISE_DATA_DIR=FOLDER, or the setting data_dir")
        })?;
        Ok(Self { path, wait: Duration::from_secs(u64::from(settings.wait_seconds)) })
    }

    /// The same folder for somebody who does not wait.
    #[must_use]
    pub fn impatient(&self) -> Self {
        Self { wait: Duration::ZERO, ..self.clone() }
    }

    /// A folder for tests.
    #[cfg(test)]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf(), wait: Duration::from_millis(200) }
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the ledger.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.path.join("ledger.db")
    }

    /// A companion of the ledger: `-wal` or `-shm`.
    #[must_use]
    pub fn companion(&self, suffix: &str) -> PathBuf {
        self.path.join(format!("ledger.db{suffix}"))
    }

    /// Makes the folder for its owner only, if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn create(&self) -> Result<(), CliError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.path).map_err(|error| fault::system(&self.path, "making the data folder", &error))
    }

    /// Takes the lock of the folder; it is given back when the file is dropped, or when the process ends
    /// in whatever way. `None` where the folder cannot be written: then nobody can replace the ledger.
    ///
    /// # Errors
    /// When another process holds it for longer than the wait.
    pub fn lock(&self, lock: Lock, doing: &str) -> Result<Option<File>, CliError> {
        let path = self.path.join("ledger.lock");
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        owner_only(&mut options);
        let file = match options.open(&path) {
            Ok(file) => file,
            Err(error) if lock == Lock::Shared && is_read_only(&error) => return Ok(None),
            Err(error) => return Err(fault::system(&path, doing, &error)),
        };
        let mut waited = Duration::ZERO;
        loop {
            let taken = match lock {
                Lock::Shared => file.try_lock_shared(),
                Lock::Exclusive => file.try_lock(),
            };
            match taken {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) if waited < self.wait => {
                    std::thread::sleep(PATIENCE);
                    waited += PATIENCE;
                }
                Err(TryLockError::WouldBlock) => return Err(fault::busy(&self.ledger(), doing)),
                // Some network disks know no locks. The database's own then have to do.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(Some(file)),
                Err(TryLockError::Error(error)) => return Err(fault::system(&path, doing, &error)),
            }
        }
    }
}

/// Whether the file system refuses to write here at all.
pub fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// New files are for their owner only.
#[cfg_attr(not(unix), expect(unused_variables, reason = "other systems have no such bits"))]
pub fn owner_only(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Makes what was written and renamed in a folder survive a loss of power.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    // Other systems cannot open a folder, and need not.
    if cfg!(unix) { File::open(path)?.sync_all() } else { Ok(()) }
}

/// The bits that others than the owner have on a file or folder; zero where there are no such bits.
pub fn bits_of_others(path: &Path) -> io::Result<u32> {
    let found = fs::metadata(path)?;
    #[cfg(unix)]
    return Ok(std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o077);
    #[cfg(not(unix))]
    return Ok(u32::from(found.len() == u64::MAX));
}
