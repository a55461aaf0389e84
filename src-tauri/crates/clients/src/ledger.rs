//! Which keys in other programs' files are ours, and what stood there before.
//!
//! One file, `clients.json` in the data folder, for its owner only: what stood before may be a secret. What we wrote
//! ourselves is kept as a hash. A copy, `clients.copy.json`, is written along with it, and read where the first is damaged.
//!
//! A change is noted before it is made (`next`) and settled after. Whoever was ended between the two is understood by the
//! bytes that are found: those of before, those of after, or neither, and then both notes count.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::apply::Retired;
use crate::disk::{self, Disk};
use crate::format::{Format, Step, Value};

const VERSION: u32 = 2;
const LARGEST: usize = 64 * 1024 * 1024;
const NAME: &str = "clients.json";
const COPY: &str = "clients.copy.json";

/// The whole ledger.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ledger {
    version: u32,
    /// By path, behind all links.
    files: BTreeMap<String, Entry>,
    /// The ledger itself could not be read, and this is its copy.
    #[serde(skip)]
    pub(crate) from_copy: bool,
}

/// What is ours in one file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) notes: Notes,
    /// A change that was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Next>,
}

#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notes {
    /// There was no such file before.
    #[serde(default)]
    pub(crate) created: bool,
    /// As it was named, where links lead to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) named: Option<PathBuf>,
    #[serde(default)]
    pub(crate) format: Format,
    /// In the order they were made.
    #[serde(default)]
    pub(crate) own: Vec<Own>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Next {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) notes: Notes,
    /// All the files that change together with it; none: it alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) with: Vec<PathBuf>,
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
    /// For which client.
    #[serde(default = "claude_code")]
    pub(crate) client: String,
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
    /// It is something else than a ledger, and so is its copy.
    #[error("{} is damaged at line {line}, column {column}, and there is no whole copy of it; nothing was changed. `codeferry setup --revert --all` takes back what can still be known, and begins a new one", .path.display())]
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

/// The first version knew one client.
fn claude_code() -> String {
    "claude-code".to_owned()
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

    /// Nothing is ours there.
    pub(crate) fn is_empty(&self) -> bool {
        !self.created && self.own.is_empty()
    }
}

// === impl Entry ===

impl Entry {
    /// What is ours in it while it holds `bytes`.
    pub(crate) fn now(&self, bytes: Option<&[u8]>) -> Notes {
        let Some(next) = &self.next else { return self.notes.clone() };
        let found = disk::sum(bytes);
        if found == next.to {
            next.notes.clone()
        } else if found == next.from {
            self.notes.clone()
        } else {
            // Both; what does not fit what is found counts as somebody else's all the same.
            let mut notes = next.notes.clone();
            let known = |own: &Own| notes.own.iter().any(|other| other.step.pointer == own.step.pointer);
            let older: Vec<_> = self.notes.own.iter().filter(|own| !known(own)).cloned().collect();
            notes.own.splice(0..0, older);
            notes.created |= self.notes.created;
            notes
        }
    }
}

// === impl Ledger ===

impl Ledger {
    pub(crate) fn load(disk: &dyn Disk, data: &Path) -> Result<Self, LedgerError> {
        match Self::read(disk, &data.join(NAME)) {
            Ok(Some(ledger)) => Ok(ledger),
            // Somebody who removed the one and not the other wanted it gone.
            Ok(None) => Ok(Self { version: VERSION, files: BTreeMap::new(), from_copy: false }),
            Err(damage @ LedgerError::Damaged { .. }) => match Self::read(disk, &data.join(COPY)) {
                Ok(Some(ledger)) => Ok(Self { from_copy: true, ..ledger }),
                _ => Err(damage),
            },
            Err(error) => Err(error),
        }
    }

    fn read(disk: &dyn Disk, path: &Path) -> Result<Option<Self>, LedgerError> {
        let path = path.to_owned();
        let bytes = match disk.read(&path, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(source) => return Err(LedgerError::Read { path, source }),
        };
        if let Ok(Versioned { version }) = serde_json::from_slice(&bytes)
            && version > VERSION
        {
            return Err(LedgerError::Newer { path, version });
        }
        let ledger: Self = serde_json::from_slice(&bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            LedgerError::Damaged { path, line, column }
        })?;
        Ok(Some(Self { version: VERSION, ..ledger }))
    }

    /// Writes it and its copy.
    pub(crate) fn save(&self, disk: &dyn Disk, data: &Path) -> Result<(), LedgerError> {
        [NAME, COPY].into_iter().try_for_each(|name| {
            let path = data.join(name);
            let failed = |source| LedgerError::Write { path: path.clone(), source };
            let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
            disk::replace(disk, &path, &bytes).map_err(failed)
        })
    }

    /// Puts a damaged ledger aside, so that a new one can be begun. Where it lies now.
    pub(crate) fn put_aside(disk: &dyn Disk, data: &Path, mark: &str) -> Result<Vec<PathBuf>, LedgerError> {
        let mut aside = Vec::new();
        for name in [NAME, COPY] {
            let (path, to) = (data.join(name), data.join(format!("{name}.damaged-{mark}")));
            match disk.rename(&path, &to) {
                Ok(()) => aside.push(to),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(LedgerError::Write { path, source }),
            }
        }
        Ok(aside)
    }

    /// What is known of a file.
    pub(crate) fn entry(&self, file: &Path) -> Option<&Entry> {
        self.files.get(&*file.to_string_lossy())
    }

    /// What is ours in that file, which holds `bytes` now.
    pub(crate) fn notes(&self, file: &Path, bytes: Option<&[u8]>) -> Notes {
        self.entry(file).map(|entry| entry.now(bytes)).unwrap_or_default()
    }

    /// All files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, &Entry)> {
        self.files.iter().map(|(path, entry)| (Path::new(path), entry))
    }

    /// Notes a change that is about to be made, together with those of other files.
    pub(crate) fn begin(&mut self, file: &Path, now: Notes, next: Next) {
        self.files.insert(file.to_string_lossy().into_owned(), Entry { notes: now, next: Some(next) });
    }

    /// Notes how it is.
    pub(crate) fn settle(&mut self, file: &Path, notes: Notes) {
        let file = file.to_string_lossy().into_owned();
        if notes.is_empty() {
            self.files.remove(&file);
        } else {
            self.files.insert(file, Entry { notes, next: None });
        }
    }
}
