//! The way to a client's file: look at it, say what is wished, and have that written.
//!
//! **Invariant:** what is written is what was looked at, with the wishes in it. Whoever wrote the file in between wins, and
//! we say so. The copy and the note of what stood there are on disk before the file changes.

mod plan;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::plan::{Planned, plan};
use crate::backup;
use crate::disk::{self, Disk, NotReplaced, RealDisk};
use crate::format::{Bad, Document, Format, LARGEST, Pointer, Value};
use crate::ledger::Ledger;
pub use crate::ledger::LedgerError;

/// One file of one client.
pub struct Site {
    disk: Box<dyn Disk>,
    client: &'static str,
    file: PathBuf,
    /// Our data folder.
    data: PathBuf,
}

/// What was found at a look.
#[derive(Debug)]
pub struct Seen {
    /// Behind all links.
    real: PathBuf,
    bytes: Option<Vec<u8>>,
    document: Document,
}

/// What is to be at one place.
#[derive(Clone, PartialEq, Eq)]
pub enum Wish {
    /// This value (`None`: nothing), as ours: what stands there now is remembered. `key` names the client key in it.
    Take { pointer: Pointer, value: Option<Value>, key: Option<String> },
    /// What stood there before it became ours.
    GiveBack(Pointer),
    /// The same everywhere.
    GiveBackAll,
    /// This value, as the person's own: nothing is remembered.
    Leave { pointer: Pointer, value: Value },
}

/// What is wished of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which, as it is named.
    pub file: PathBuf,
    /// Its language.
    pub format: Format,
    /// In this order.
    pub wishes: Vec<Wish>,
}

/// What came of it.
#[derive(Debug)]
pub struct Done {
    /// The file as it is now.
    pub document: Document,
    /// It was written; otherwise everything was so already.
    pub changed: bool,
    /// It was ours alone and nothing was left in it, so it is gone.
    pub removed: bool,
    /// Places that were ours and that somebody else has changed since. They stay as they are.
    pub kept: Vec<Pointer>,
    /// Client keys that stand there no more.
    pub retired: Vec<Retired>,
    /// Others than the owner may read the file; this is its mode.
    pub exposed: Option<u32>,
}

/// A client key that was made for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retired {
    /// What it was called then. Somebody may have given that name to another key since.
    pub name: String,
    /// Its SHA-256 in hex, which is what tells it from others.
    pub sha256: String,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; it was left as it is", .path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It holds something that is not safe to change.
    #[error("{}: {bad}; it was left as it is", .path.display())]
    Bad { path: PathBuf, bad: Bad },
    /// Its owner does not want it changed.
    #[error("{} is read-only; it was left as it is", .path.display())]
    ReadOnly { path: PathBuf },
    /// Somebody else wrote it in between.
    #[error("{} was changed by another program meanwhile; it was left as that program wrote it. Try again", .path.display())]
    Changed { path: PathBuf },
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Without a copy nothing is changed.
    #[error("cannot keep a copy in {}: {source}; {} was left as it is", .folder.display(), .path.display())]
    Backup { path: PathBuf, folder: PathBuf, source: io::Error },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("client", &self.client).field("file", &self.file).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Take { pointer, value, .. } if value.is_none() => write!(f, "take {pointer} out"),
            Self::Take { pointer, .. } => write!(f, "take {pointer}"),
            Self::GiveBack(pointer) => write!(f, "give {pointer} back"),
            Self::GiveBackAll => f.write_str("give all back"),
            Self::Leave { pointer, .. } => write!(f, "leave {pointer}"),
        }
    }
}

// === impl Seen ===

impl Seen {
    /// What the file holds.
    pub fn document(&self) -> &Document {
        &self.document
    }
}

// === impl Site ===

impl Site {
    /// The file of a client (a word that can name a folder), with what is ours about it in the folder `data`.
    pub fn new(client: &'static str, file: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self { disk: Box::new(RealDisk), client, file: file.into(), data: data.into() }
    }

    /// The file, as it is named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where its copies lie, see [`change`](Self::change).
    pub fn backups(&self) -> PathBuf {
        let path = disk::resolved(&self.file).unwrap_or_else(|_| self.file.clone());
        self.data.join("backups").join(self.client).join(&disk::sum(Some(path.to_string_lossy().as_bytes()))[..12])
    }

    /// Reads the file. One that is missing is like one with nothing in it.
    ///
    /// # Errors
    /// When it cannot be read, or holds what is not safe to change.
    pub fn look(&self) -> Result<Seen, Trouble> {
        let path = || self.file.clone();
        let read = disk::resolved(&self.file).and_then(|real| Ok((self.disk.read(&real, LARGEST)?, real)));
        let (bytes, real) = read.map_err(|source| Trouble::Read { path: path(), source })?;
        let document = Document::read(Format::Json, bytes.as_deref().unwrap_or_default());
        Ok(Seen { real, bytes, document: document.map_err(|bad| Trouble::Bad { path: path(), bad })? })
    }

    /// Whether the wishes can be met, without writing anything.
    ///
    /// # Errors
    /// As for [`change`](Self::change).
    pub fn check(&self, seen: &Seen, wishes: &[Wish]) -> Result<(), Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.ledger())?;
        let notes = ledger.notes(&seen.real, seen.bytes.as_deref());
        plan(seen.document.clone(), notes, wishes).map_err(|bad| self.bad(bad))?;
        self.writable(seen)
    }

    /// Meets the wishes. A copy of the file lies in [`backups`](Self::backups) before it changes; nothing is written when
    /// everything is so already.
    ///
    /// # Errors
    /// When it is not what was `seen` any more, or cannot be written. It is then as somebody else left it.
    pub fn change(&self, seen: Seen, wishes: &[Wish], now: Timestamp) -> Result<Done, Trouble> {
        let Seen { real, bytes: old, document } = seen;
        let ledger_path = self.ledger();
        let write = |path: &Path, source| Trouble::Write { path: path.to_owned(), source };
        self.disk.make_folder(&self.data).map_err(|source| write(&self.data, source))?;
        let lock_path = self.data.join("clients.lock");
        let _lock = disk::lock(&lock_path).map_err(|source| write(&lock_path, source))?;
        if self.look()?.bytes != old {
            return Err(Trouble::Changed { path: self.file.clone() });
        }
        let mut ledger = Ledger::load(&*self.disk, &ledger_path)?;
        let before = ledger.notes(&real, old.as_deref());
        let planned = plan(document, before.clone(), wishes).map_err(|bad| self.bad(bad))?;
        let Planned { document, mut notes, kept } = planned;
        let removed = notes.created && document.text().is_empty();
        notes.created = !removed && !notes.own.is_empty() && (notes.created || old.is_none());
        let new = Some(document.text().as_bytes()).filter(|text| !removed && (old.is_some() || !text.is_empty()));
        let changed = old.as_deref() != new;
        if changed {
            self.writable(&Seen { real: real.clone(), bytes: old.clone(), document: document.clone() })?;
            if let Some(old) = &old {
                let folder = self.backups();
                backup::keep(&*self.disk, &folder, old, now).map_err(|source| Trouble::Backup {
                    path: self.file.clone(),
                    folder,
                    source,
                })?;
            }
            let folder = disk::folder_of(&real);
            self.disk.make_folder(folder).map_err(|source| write(folder, source))?;
            ledger.begin(&real, before.clone(), old.as_deref(), new, notes.clone());
            ledger.save(&*self.disk, &ledger_path)?;
            disk::replace(&*self.disk, &self.tag(), &real, new, Some(old.as_deref())).map_err(|error| match error {
                // What was begun stays noted; the bytes tell later that nothing came of it.
                NotReplaced::Changed => Trouble::Changed { path: self.file.clone() },
                NotReplaced::Io(source) => write(&self.file, source),
            })?;
        }
        let retired = before.keys().filter(|key| !notes.keys().any(|other| other == *key)).collect();
        if changed || before != notes {
            ledger.settle(&real, notes);
            match ledger.save(&*self.disk, &ledger_path) {
                // Settled the next time: what was begun is noted, and the bytes tell that it was done.
                Err(_) if changed => {}
                saved => saved?,
            }
        }
        Ok(Done { document, changed, removed, kept, retired, exposed: exposed(&real) })
    }

    fn ledger(&self) -> PathBuf {
        self.data.join("clients.json")
    }

    /// Another data folder has another lock, so it writes aside under another name.
    fn tag(&self) -> String {
        let folder = self.data.canonicalize().unwrap_or_else(|_| self.data.clone());
        disk::sum(Some(folder.to_string_lossy().as_bytes()))[..8].to_owned()
    }

    fn bad(&self, bad: Bad) -> Trouble {
        Trouble::Bad { path: self.file.clone(), bad }
    }

    /// A rename does not ask whether the file may be written, so we do.
    fn writable(&self, seen: &Seen) -> Result<(), Trouble> {
        match fs::metadata(&seen.real) {
            Ok(metadata) if metadata.permissions().readonly() => Err(Trouble::ReadOnly { path: self.file.clone() }),
            _ => Ok(()),
        }
    }
}

#[cfg(unix)]
fn exposed(path: &Path) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).ok()?.permissions()) & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// On Windows the profile folder is the owner's already.
#[cfg(not(unix))]
fn exposed(_: &Path) -> Option<u32> {
    None
}
