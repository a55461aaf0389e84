//! One Owner for each data folder.
//!
//! The Owner holds a lock of the operating system on `owner.lock` for its life, so a killed process leaves none behind.
//! Who it is stands in `owner.json` beside it; that file counts only while the lock is held.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Paths;
use crate::paths::replace;

/// The running Owner, as others find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerRecord {
    /// Its process id.
    pub pid: u32,
    /// Where it listens, as `http://address:port`. `None` while it starts.
    pub url: Option<String>,
    /// Since when.
    pub started_at: Timestamp,
    /// It serves the demo account, and has not opened the vault.
    pub demo: bool,
    /// It serves as long as a client does that was started with it.
    #[serde(default)]
    pub for_a_client: bool,
}

/// The right to a data folder. Dropping it gives it back.
#[derive(Debug)]
pub struct Owner {
    paths: Paths,
    record: OwnerRecord,
    /// Locked as long as it is open.
    _lock: File,
}

/// No Owner could be made.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// There is one.
    #[error("{}", taken(.home, .owner.as_ref()))]
    Taken {
        /// The data folder.
        home: std::path::PathBuf,
        /// Who has it, unless it has only just begun.
        owner: Option<OwnerRecord>,
    },
    /// The lock or the record cannot be written.
    #[error("cannot become the owner of {}: {source}", .home.display())]
    Io {
        /// The data folder.
        home: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A Guest who looks whether there is an Owner holds the lock for a moment, and a killed process for as long as the
/// system takes to clear it away. Neither is an Owner.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(30);

// === impl Owner ===

impl Owner {
    /// Takes the data folder, which must exist.
    ///
    /// # Errors
    /// [`OwnerError::Taken`] when another process has it.
    pub async fn take(paths: &Paths, demo: bool, for_a_client: bool, now: Timestamp) -> Result<Self, OwnerError> {
        let failed = |source| OwnerError::Io { home: paths.home().to_owned(), source };
        let lock = open_lock(paths).map_err(failed)?;
        for remaining in (0..TRIES).rev() {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if remaining > 0 => tokio::time::sleep(BETWEEN_TRIES).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(OwnerError::Taken { home: paths.home().to_owned(), owner: read(paths) });
                }
            }
        }
        let record = OwnerRecord { pid: std::process::id(), url: None, started_at: now, demo, for_a_client };
        let owner = Self { paths: paths.clone(), record, _lock: lock };
        owner.write()?;
        Ok(owner)
    }

    /// Says where the Owner listens, so that a Guest finds it.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn announce(&mut self, url: String) -> Result<(), OwnerError> {
        self.record.url = Some(url);
        self.write()
    }

    fn write(&self) -> Result<(), OwnerError> {
        let written = serde_json::to_vec(&self.record).map_err(io::Error::from);
        let written = written.and_then(|bytes| replace(&self.paths.owner_record(), &bytes));
        written.map_err(|source| OwnerError::Io { home: self.paths.home().to_owned(), source })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Before the lock goes with the last field. A record that stays behind says nothing without the lock.
        drop(fs::remove_file(self.paths.owner_record()));
    }
}

// === impl OwnerRecord ===

impl OwnerRecord {
    /// The Owner of that folder, if one is running. Creates nothing.
    ///
    /// # Errors
    /// When the lock cannot be looked at.
    pub fn find(paths: &Paths) -> io::Result<Option<Self>> {
        let lock = match OpenOptions::new().read(true).write(true).open(paths.owner_lock()) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::WouldBlock) => Ok(read(paths)),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn read(paths: &Paths) -> Option<OwnerRecord> {
    serde_json::from_slice(&fs::read(paths.owner_record()).ok()?).ok()
}

fn open_lock(paths: &Paths) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(paths.owner_lock())
}

fn taken(home: &std::path::Path, owner: Option<&OwnerRecord>) -> String {
    let home = home.display();
    match owner {
        Some(OwnerRecord { pid, url: Some(url), .. }) => {
            format!("codeferry already serves {home} at {url} (process {pid})")
        }
        Some(OwnerRecord { pid, url: None, .. }) => format!("codeferry is just starting on {home} (process {pid})"),
        None => format!("another process has the data folder {home}"),
    }
}

#[cfg(test)]
mod tests;
