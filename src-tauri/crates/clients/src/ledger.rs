//! Which keys in other programs' files are ours, and what stood there before.
//!
//! One file, `clients.json` in the data folder, for its owner only: what stood before may be a secret. What we wrote
//! ourselves is kept as a hash.
//!
//! A change is noted before it is made (`next`) and settled after. Whoever was ended between the two is understood by the
//! bytes that are found: those of before, those of after, or neither, and then both notes count.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::apply::Retired;
use crate::disk::{self, Disk, NotReplaced};
use crate::format::{Step, Value};

const VERSION: u32 = 1;
const LARGEST: usize = 64 * 1024 * 1024;

/// The whole ledger.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ledger {
    version: u32,
    /// By path.
    files: BTreeMap<String, Entry>,
}

/// What is ours in one file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) notes: Notes,
    /// A change that was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Next>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// There was no such file before.
    #[serde(default)]
    pub(crate) created: bool,
    /// In the order they were made.
    #[serde(default)]
    pub(crate) own: Vec<Own>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Next {
    from: String,
    to: String,
    notes: Notes,
}

/// A place that we changed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Own {
    #[serde(flatten)]
    pub(crate) step: Step,
    pub(crate) wrote: Wrote,
    /// The name of the client key that we left there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// What we left there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wrote {
    /// A string, by its hash.
    Text(String),
    /// Another value, by the hash of one way of writing it.
    Value(String),
    /// Nothing.
    Gone,
    /// An object for what comes into it.
    Object,
}

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is something else than a ledger.
    #[error("{} is damaged at line {line}, column {column}; it was left as it is. Mend it, or remove it: what it would take back is lost then", .path.display())]
    Damaged { path: PathBuf, line: usize, column: usize },
    /// A later version wrote it.
    #[error("{} was written by a newer Codeferry (form {version}): update this one", .path.display())]
    Newer { path: PathBuf, version: u32 },
    /// It cannot be written.
    #[error("cannot save {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

// === impl Wrote ===

impl Wrote {
    /// What is left behind where this is put.
    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(disk::sum(Some(text.as_bytes()))),
            _ => Self::Value(disk::sum(Some(value.canonical().as_bytes()))),
        }
    }
}

// === impl Notes ===

impl Notes {
    /// The client keys that stand in the file through us.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Retired> {
        self.own.iter().filter_map(|own| match &own.wrote {
            Wrote::Text(sha256) => Some(Retired { name: own.key.clone()?, sha256: sha256.clone() }),
            _ => None,
        })
    }
}

// === impl Ledger ===

impl Ledger {
    pub(crate) fn load(disk: &dyn Disk, path: &Path) -> Result<Self, LedgerError> {
        let path = path.to_owned();
        let bytes = match disk.read(&path, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Self { version: VERSION, files: BTreeMap::new() }),
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        if let Ok(Versioned { version }) = serde_json::from_slice(&bytes)
            && version > VERSION
        {
            return Err(LedgerError::Newer { path, version });
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            LedgerError::Damaged { path, line, column }
        })
    }

    pub(crate) fn save(&self, disk: &dyn Disk, path: &Path) -> Result<(), LedgerError> {
        let failed = |source| LedgerError::Write { path: path.to_owned(), source };
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        disk::replace(disk, "new", path, Some(&bytes), None).map_err(|error| match error {
            NotReplaced::Io(error) => failed(error),
            NotReplaced::Changed => failed(io::Error::other("somebody else writes there")),
        })
    }

    /// What is ours in that file, which holds `bytes` now.
    pub(crate) fn notes(&self, file: &Path, bytes: Option<&[u8]>) -> Notes {
        let Some(entry) = self.files.get(&*file.to_string_lossy()) else { return Notes::default() };
        let Some(next) = &entry.next else { return entry.notes.clone() };
        let found = disk::sum(bytes);
        if found == next.to {
            next.notes.clone()
        } else if found == next.from {
            entry.notes.clone()
        } else {
            // Both; what does not fit what is found counts as somebody else's all the same.
            let mut notes = next.notes.clone();
            let known = |own: &Own| notes.own.iter().any(|other| other.step.pointer == own.step.pointer);
            let older: Vec<_> = entry.notes.own.iter().filter(|own| !known(own)).cloned().collect();
            notes.own.splice(0..0, older);
            notes.created |= entry.notes.created;
            notes
        }
    }

    /// Notes a change that is about to be made.
    pub(crate) fn begin(&mut self, file: &Path, now: Notes, from: Option<&[u8]>, to: Option<&[u8]>, notes: Notes) {
        let next = Some(Next { from: disk::sum(from), to: disk::sum(to), notes });
        self.files.insert(file.to_string_lossy().into_owned(), Entry { notes: now, next });
    }

    /// Notes how it is.
    pub(crate) fn settle(&mut self, file: &Path, notes: Notes) {
        let file = file.to_string_lossy().into_owned();
        if notes == Notes::default() {
            self.files.remove(&file);
        } else {
            self.files.insert(file, Entry { notes, next: None });
        }
    }
}
