//! The vault: credentials on disk, encrypted, shared by several processes.
//!
//! One file, `vault.bin`, sealed with one random key that lies in the keychain of the system ([`KeySource`]). It is
//! only ever replaced as a whole (write beside, fsync, rename, fsync of the folder), so a process killed at any moment
//! leaves the old file or the new one. Writers of all processes take turns behind the lock on `vault.lock`, and read
//! the file again before they change it.
//!
//! **Invariant:** reading creates nothing, neither file nor folder nor key. The key and the file are made upon the
//! first write, and a key is never made while a vault file exists: it could not open it, and would hide what is wrong.
//!
//! Everything here blocks. The pool calls it from threads made for that.

mod contents;
pub(crate) mod disk;
mod keychain;
mod keyfile;
mod sealed;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

pub(crate) use contents::{Contents, Entry};

use self::contents::ContentsError;
use self::disk::{Disk, RealDisk};
use self::sealed::Sealed;
use crate::AccountId;

pub(crate) use self::sealed::{Key, KeyId};

/// Where the vault's key lies. The caller chooses; nothing falls back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeySource {
    /// The keychain of the system: macOS Keychain, Windows Credential Manager, Secret Service.
    Keychain,
    /// The file `vault.key` beside the vault, 0600. For machines without a keychain, by explicit choice.
    File,
}

/// A place that keeps keys.
pub(crate) trait KeyStore: Send + Sync {
    /// A key for a vault that does not exist yet, kept safe before it is returned.
    fn create(&self) -> Result<(KeyId, Key), KeyError>;
    /// The key of that vault.
    fn read(&self, id: &KeyId) -> Result<Key, KeyError>;
}

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the key of the vault is not in the keychain (entry {service}/{user}); no new key was made. Start and unlock \
         the keychain of the user who made the vault, or set CODEFERRY_VAULT=file if it was made so. If the key is \
         lost, move {} away and sign in again",
        .vault.display()
    )]
    NotInKeychain { service: &'static str, user: String, vault: PathBuf },
    #[error(
        "the key file {} is not beside its vault; no new key was made. Put it back, or unset CODEFERRY_VAULT if the \
         vault was made with the keychain. If the key is lost, move {} away and sign in again",
        .path.display(), .vault.display()
    )]
    NoKeyFile { path: PathBuf, vault: PathBuf },
    #[error(
        "no keychain can be reached ({detail}). In a desktop session it should be running; on a machine without one \
         set CODEFERRY_VAULT=file to keep the key in a file"
    )]
    NoKeychain { detail: String },
    #[error("the keychain is locked or was not unlocked ({detail}): unlock it and try again")]
    Locked { detail: String },
    #[error(
        "the keychain has no collection to put a key into ({detail}): create one (with GNOME: a `login` keyring), or \
         set CODEFERRY_VAULT=file to keep the key in a file"
    )]
    NoCollection { detail: String },
    #[error("the keychain failed: {detail}")]
    Keychain { detail: String },
    #[error("the key in {place} is not one of ours")]
    Malformed { place: String },
    #[error("the key file {} belongs to another vault", .path.display())]
    OtherVault { path: PathBuf },
    #[error("other users may read the key file {} (mode {mode:o}): chmod 600 it", .path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the key file {}: {source}", .path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
}

/// The vault cannot be read or written. Whatever it says, the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the vault cannot be opened: {0}")]
    Key(#[from] KeyError),
    #[error("{} is not a vault, or it is cut off at its start: put a backup back, or move it away and sign in again", .path.display())]
    NotAVault { path: PathBuf },
    #[error("{} was written by a newer Codeferry (form {version}): update this one", .path.display())]
    Newer { path: PathBuf, version: u32 },
    #[error(
        "{} cannot be decrypted: the file was damaged or changed, or the key is another one. Put a backup back, or \
         move it away and sign in again",
        .path.display()
    )]
    Damaged { path: PathBuf },
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot save the vault in {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    /// The thread at work panicked, or the process is ending.
    #[error("the vault was left in the middle: {0}")]
    Interrupted(String),
}

/// Credentials on disk. Cheap to make: it touches nothing until it is asked to.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    keys: Box<dyn KeyStore>,
    disk: Box<dyn Disk>,
    /// The key, once it was had: asking the keychain may cost the user a dialog.
    key: Mutex<Option<(KeyId, Key)>>,
}

/// What a reading of the file gave.
#[derive(Default)]
struct Opened {
    contents: Contents,
    stamp: Option<Stamp>,
    /// What it was sealed with; `None`: there is no file.
    key: Option<(KeyId, Key)>,
}

/// Which file was read, as far as can be told without reading it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    len: u64,
    inode: u64,
}

// === impl Vault ===

impl Vault {
    /// The vault of that folder. Neither needs to exist.
    pub fn new(folder: impl Into<PathBuf>, source: KeySource) -> Self {
        let folder = folder.into();
        let keys: Box<dyn KeyStore> = match source {
            KeySource::Keychain => Box::new(keychain::Keychain::new(folder.join(FILE))),
            KeySource::File => Box::new(keyfile::KeyFile::new(folder.join(KEY_FILE), folder.join(FILE))),
        };
        Self::with(folder, keys, Box::new(RealDisk))
    }

    pub(crate) fn with(folder: PathBuf, keys: Box<dyn KeyStore>, disk: Box<dyn Disk>) -> Self {
        Self(Arc::new(Inner { folder, keys, disk, key: Mutex::new(None) }))
    }

    /// The encrypted file.
    pub fn path(&self) -> PathBuf {
        self.0.folder.join(FILE)
    }

    /// Where it lies. What is no secret may lie beside it.
    pub(crate) fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// What it holds; empty when there is no vault yet, and then no key is asked for.
    pub(crate) fn read(&self) -> Result<(Contents, Option<Stamp>), VaultError> {
        self.open().map(|opened| (opened.contents, opened.stamp))
    }

    fn open(&self) -> Result<Opened, VaultError> {
        let path = self.path();
        // Before the reading: a file replaced between the two calls looks changed next time, never unchanged.
        let stamp = self.stamp();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Opened::default()),
            Err(source) => return Err(VaultError::Read { path, source }),
        };
        let sealed = Sealed::parse(&bytes).map_err(|error| error.at(&path))?;
        let key_id = sealed.header().key_id;
        let key = self.key(key_id)?;
        let plain = sealed.open(&key).map_err(|error| error.at(&path))?;
        let contents = Contents::from_json(&plain).map_err(|error| match error {
            ContentsError::Newer { version } => VaultError::Newer { path: path.clone(), version },
            ContentsError::Malformed => VaultError::Damaged { path: path.clone() },
        })?;
        Ok(Opened { contents, stamp, key: Some((key_id, key)) })
    }

    /// Read, change, write, while no other process does.
    ///
    /// Nothing is written when `change` fails or changes nothing.
    pub(crate) fn update<T, E: From<VaultError>>(
        &self,
        change: impl FnOnce(&mut Contents) -> Result<T, E>,
    ) -> Result<(T, Contents, Option<Stamp>), E> {
        let failed = |source| VaultError::Write { path: self.0.folder.clone(), source };
        disk::make_folder(&self.0.folder).map_err(failed)?;
        let lock = disk::open_lock(&self.0.folder.join(LOCK_FILE)).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let Opened { contents: before, stamp, key } = self.open()?;
        let mut contents = before.clone();
        let out = change(&mut contents)?;
        if contents == before {
            return Ok((out, contents, stamp));
        }
        let (id, key) = match key {
            Some(key) => key,
            None => self.new_key().map_err(VaultError::Key)?,
        };
        let plain = contents.to_json().map_err(|error| failed(error.into()))?;
        let sealed = sealed::seal(id, &key, &plain).map_err(failed)?;
        disk::replace(self.0.disk.as_ref(), &self.path(), &sealed).map_err(failed)?;
        Ok((out, contents, self.stamp()))
    }

    /// The lock under which one account's token is renewed; `None` while another process holds it.
    ///
    /// It is free again when the file is dropped, or its process ends.
    pub(crate) fn try_lock_account(&self, id: &AccountId) -> io::Result<Option<File>> {
        let folder = self.0.folder.join(ACCOUNT_LOCKS);
        disk::make_folder(&folder)?;
        let lock = disk::open_lock(&folder.join(format!("{id}.lock")))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Tells whether the file is the one read before. `None`: there is no file.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let metadata = fs::metadata(self.path()).ok()?;
        Some(Stamp { modified: metadata.modified().ok(), len: metadata.len(), inode: disk::inode(&metadata) })
    }

    fn key(&self, wanted: KeyId) -> Result<Key, KeyError> {
        let mut cached = self.0.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((id, key)) = &*cached
            && *id == wanted
        {
            return Ok(key.clone());
        }
        let key = self.0.keys.read(&wanted)?;
        *cached = Some((wanted, key.clone()));
        Ok(key)
    }

    /// A key for the first write. Kept for the next try should the write fail, so that no second one is made.
    fn new_key(&self) -> Result<(KeyId, Key), KeyError> {
        let mut cached = self.0.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*cached {
            return Ok(known.clone());
        }
        let made = self.0.keys.create()?;
        *cached = Some(made.clone());
        Ok(made)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("folder", &self.0.folder).finish_non_exhaustive()
    }
}

const FILE: &str = "vault.bin";
const KEY_FILE: &str = "vault.key";
const LOCK_FILE: &str = "vault.lock";
/// One lock per account, held while its token is renewed.
const ACCOUNT_LOCKS: &str = "renewing";

// === impl sealed::OpenError ===

impl sealed::OpenError {
    fn at(self, path: &Path) -> VaultError {
        let path = path.to_owned();
        match self {
            Self::NotAVault => VaultError::NotAVault { path },
            Self::Newer { version } => VaultError::Newer { path, version: u32::from(version) },
            Self::Damaged => VaultError::Damaged { path },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
