//! The keys of clients: `cf_` and 43 characters. Only their SHA-256 is stored, so the file gives nobody access.
//!
//! A key has 256 random bits; a fast hash is enough, there is nothing to guess.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};

use crate::durable::{self, Stamp};
use crate::random;

const PREFIX: &str = "cf_";
const VERSION: u32 = 1;
const NAME_LIMIT: usize = 64;
/// As many as 96 bits take in base64.
const SHORTEST_ADOPTED: usize = 16;

/// The client keys of a data folder. Copies are handles on the same file.
#[derive(Debug, Clone)]
pub struct ClientKeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    stamp: Stamp,
    keys: Arc<[Stored]>,
}

/// A key just made. It is shown once and cannot be had again.
#[derive(Clone)]
pub struct NewKey {
    pub name: String,
    pub key: String,
}

/// What is known of a key: enough to recognise it, not enough to use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    pub name: String,
    pub created_at: Timestamp,
    /// The last four characters.
    pub ends_with: String,
}

/// The keys cannot be read, or a change was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is damaged at line {line}, column {column}; it was left as it is. Mend it, or remove it and make new keys", .path.display())]
    Damaged { path: PathBuf, line: usize, column: usize },
    #[error("{} was written by a newer Codeferry (form {version}): update this one", .path.display())]
    Newer { path: PathBuf, version: u32 },
    #[error("cannot save {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("a key is called {0:?} already: choose another name, or revoke it first")]
    NameTaken(String),
    #[error(
        "{0:?} is no name for a key: use 1 to {NAME_LIMIT} letters, digits, spaces, dots, dashes or underscores, beginning with a letter or digit"
    )]
    BadName(String),
    #[error(
        "a key that is adopted has at least {SHORTEST_ADOPTED} characters, all of them visible ASCII: this one has not"
    )]
    Unfit,
    #[error("no key is called {name:?}; {}", there_are(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    keys: Vec<Stored>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stored {
    name: String,
    created_at: Timestamp,
    ends_with: String,
    /// In hex.
    sha256: String,
}

// === impl ClientKeys ===

impl ClientKeys {
    /// The keys in that file; none while there is no file. Creates nothing.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyError> {
        let path = path.into();
        let held = load(&path)?;
        Ok(Self(Arc::new(Inner { path, held: Mutex::new(held) })))
    }

    /// Make a key for a client of that name.
    pub fn create(&self, name: &str, now: Timestamp) -> Result<NewKey, KeyError> {
        if !is_name(name) {
            return Err(KeyError::BadName(name.to_owned()));
        }
        let key = format!("{PREFIX}{}", random::token().map_err(KeyError::Random)?);
        let stored = Stored {
            name: name.to_owned(),
            created_at: now,
            ends_with: key[key.len() - 4..].to_owned(),
            sha256: hash(&key),
        };
        self.change(|keys| {
            if keys.iter().any(|known| known.name == name) {
                return Err(KeyError::NameTaken(name.to_owned()));
            }
            keys.push(stored);
            Ok(())
        })?;
        Ok(NewKey { name: name.to_owned(), key })
    }

    /// Take in a key that another system gave out, so that its clients need no new one. `false`: it is here already, under
    /// that name.
    ///
    /// What is not random is guessed, so a short one is refused.
    pub fn adopt(&self, name: &str, key: &str, now: Timestamp) -> Result<bool, KeyError> {
        if !is_name(name) {
            return Err(KeyError::BadName(name.to_owned()));
        }
        if key.len() < SHORTEST_ADOPTED || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::Unfit);
        }
        let sha256 = hash(key);
        let ends_with = key[key.len() - 4..].to_owned();
        let stored = Stored { name: name.to_owned(), created_at: now, ends_with, sha256 };
        let mut new = true;
        self.change(|keys| {
            match keys.iter().find(|known| known.name == name || known.sha256 == stored.sha256) {
                Some(known) if known.sha256 == stored.sha256 && known.name == name => new = false,
                Some(known) => return Err(KeyError::NameTaken(known.name.clone())),
                None => keys.push(stored),
            }
            Ok(())
        })?;
        Ok(new)
    }

    /// Forget the key of that name; it is refused from now on, in all processes.
    pub fn revoke(&self, name: &str) -> Result<(), KeyError> {
        self.change(|keys| {
            let at = keys.iter().position(|known| known.name == name).ok_or_else(|| KeyError::Unknown {
                name: name.to_owned(),
                known: keys.iter().map(|known| known.name.clone()).collect(),
            })?;
            keys.remove(at);
            Ok(())
        })
    }

    /// Forget this key, if it still is the one of that name. `false`: it is not here any more.
    pub fn revoke_this(&self, name: &str, sha256: &str) -> Result<bool, KeyError> {
        let is = |stored: &Stored| stored.name == name && stored.sha256 == sha256;
        if !load(&self.0.path)?.keys.iter().any(is) {
            return Ok(false);
        }
        self.change(|keys| {
            keys.retain(|stored| !is(stored));
            Ok(())
        })?;
        Ok(true)
    }

    /// All keys, in the order they were made.
    pub fn list(&self) -> Result<Vec<KeyInfo>, KeyError> {
        let info = |stored: &Stored| KeyInfo {
            name: stored.name.clone(),
            created_at: stored.created_at,
            ends_with: stored.ends_with.clone(),
        };
        Ok(load(&self.0.path)?.keys.iter().map(info).collect())
    }

    /// The name of the client that holds this key.
    ///
    /// Looks at the file's date first, so that a key made or revoked by another process counts at once. When the file
    /// cannot be read, the keys known so far go on to count. Compares with every key, and each in constant time.
    pub fn verify(&self, key: &str) -> Option<String> {
        let keys = self.current();
        let presented = hash(key);
        let mut found = None;
        for stored in keys.iter() {
            let same: Choice = stored.sha256.as_bytes().ct_eq(presented.as_bytes());
            if same.into() {
                found = Some(stored.name.clone());
            }
        }
        found
    }

    /// What the file holds now.
    fn current(&self) -> Arc<[Stored]> {
        let mut held = self.held();
        let stamp = Stamp::of(&self.0.path);
        if held.stamp != stamp {
            match load(&self.0.path) {
                Ok(newer) => *held = newer,
                Err(error) => {
                    // Said once: the next look at the same file says nothing new.
                    held.stamp = stamp;
                    tracing::warn!(%error, "the client keys known so far go on to count");
                }
            }
        }
        Arc::clone(&held.keys)
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Stored>) -> Result<(), KeyError>) -> Result<(), KeyError> {
        let failed = |source| KeyError::Write { path: self.0.path.clone(), source };
        let mut held = self.held();
        let _lock = durable::lock(&self.0.path).map_err(failed)?;
        let mut keys = load(&self.0.path)?.keys.to_vec();
        change(&mut keys)?;
        let file = File { version: VERSION, keys };
        let mut json = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
        json.push(b'\n');
        let stamp = durable::replace(&self.0.path, &json).map_err(failed)?;
        *held = Held { stamp, keys: file.keys.into() };
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn load(path: &Path) -> Result<Held, KeyError> {
    let (bytes, stamp) = durable::read(path).map_err(|source| KeyError::Read { path: path.to_owned(), source })?;
    let Some(bytes) = bytes else { return Ok(Held { stamp, keys: Vec::new().into() }) };
    let damaged = |error: serde_json::Error| KeyError::Damaged {
        path: path.to_owned(),
        line: error.line(),
        column: error.column(),
    };
    let Versioned { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(KeyError::Newer { path: path.to_owned(), version });
    }
    let file: File = serde_json::from_slice(&bytes).map_err(damaged)?;
    Ok(Held { stamp, keys: file.keys.into() })
}

fn hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names appear in logs, tables and command lines.
fn is_name(name: &str) -> bool {
    name.chars().count() <= NAME_LIMIT
        && name.starts_with(char::is_alphanumeric)
        && !name.ends_with(' ')
        && name.chars().all(|c| c.is_alphanumeric() || " .-_".contains(c))
}

fn there_are(names: &[String]) -> String {
    match names {
        [] => "there are none yet: make one with `codeferry keys create NAME`".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    }
}

// === impl NewKey ===

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey").field("name", &self.name).field("key", &"«redacted»").finish()
    }
}

#[cfg(test)]
mod tests;
