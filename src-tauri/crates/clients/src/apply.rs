//! The way to a client's files: look at them, say what is wished, see what that would change, and have it written.
//!
//! A [`Desk`] does it. Several files are changed together or not at all: what stood there and what is to stand there is noted in
//! the ledger first, and whoever is stopped in the middle is understood, and taken back, by the next who changes something.
//!
//! **Invariant:** what is written is what was looked at, with the wishes in it. Whoever wrote a file in between wins, and
//! we say so. The copy and the note of what stood there are on disk before a file changes. Looking writes nothing.

mod mask;
mod plan;
mod preview;
mod recover;
mod rescue;
mod site;
#[cfg(test)]
mod tests;
mod transact;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::plan::{Planned, plan};
pub use self::preview::Preview;
pub use self::rescue::{Rescued, Suspect};
pub use self::site::{Look, Site};
use self::transact::Part;
use crate::backup;
pub use crate::backup::Backup;
use crate::disk::{self, Disk, RealDisk, said};
use crate::format::{Bad, Document, Format, LARGEST, Pointer, Value};
pub use crate::ledger::LedgerError;
use crate::ledger::{Ledger, Notes};

/// Where other programs' files are changed from: our data folder, with the ledger and the copies.
pub struct Desk {
    disk: Box<dyn Disk>,
    data: PathBuf,
}

/// Files as they were when a change was thought of. It holds only for these.
#[derive(Clone, Default)]
pub struct Seen(BTreeMap<PathBuf, Option<Vec<u8>>>);

/// What is to be at one place.
#[derive(Clone, PartialEq, Eq)]
pub enum Wish {
    /// This value (`None`: nothing), as ours: what stands there now is remembered. `key` names the client key in it. Of a table
    /// each value is taken on its own: others may stand between them, and what was ours there and is missing now is given back.
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
#[derive(Debug, Default)]
pub struct Done {
    /// File by file, in the order of the changes.
    pub files: Vec<FileDone>,
}

/// What came of one file.
#[derive(Debug)]
pub struct FileDone {
    /// As it is named.
    pub file: PathBuf,
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

/// A place that the ledger calls ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// For which client.
    pub client: String,
    /// The file, as it was named.
    pub file: PathBuf,
    /// Behind all links.
    pub real: PathBuf,
    /// Its language.
    pub format: Format,
    /// Which place in it.
    pub pointer: Pointer,
    /// It still holds what we wrote. In a file that cannot be read, nothing does.
    pub intact: bool,
    /// The name of the client key in it.
    pub key: Option<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The file cannot be read.
    #[error("cannot read {}: {}; it was left as it is", .path.display(), said(.source))]
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
    #[error("cannot keep a copy in {}: {}; {} was left as it is", .folder.display(), said(.source), .path.display())]
    Backup { path: PathBuf, folder: PathBuf, source: io::Error },
    /// The file cannot be written.
    #[error("cannot write {}: {}; nothing was changed", .path.display(), said(.source))]
    Write { path: PathBuf, source: io::Error },
    /// It broke off, and could not be taken back either.
    #[error("cannot write {}: {}. Some of the files are changed already; the next `codeferry setup` puts that in order", .path.display(), said(.source))]
    Half { path: PathBuf, source: io::Error },
    /// There is no such copy.
    #[error("there is no copy called {id:?}")]
    NoBackup { id: String },
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("data", &self.data).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // They may hold secrets.
        f.debug_set().entries(self.0.keys()).finish()
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

impl From<Owned> for crate::client::Owned {
    fn from(owned: Owned) -> Self {
        Self { file: owned.file, pointer: owned.pointer, intact: owned.intact }
    }
}

// === impl Seen ===

impl Seen {
    /// The same with this file; `None`: there was none.
    #[must_use]
    pub fn with(mut self, file: impl Into<PathBuf>, bytes: Option<Vec<u8>>) -> Self {
        self.0.insert(file.into(), bytes);
        self
    }

    /// The bytes of a file that was there.
    pub fn bytes(&self, file: &Path) -> Option<&[u8]> {
        self.0.get(file)?.as_deref()
    }

    /// A word that is another one when any of the files is.
    pub fn fingerprint(&self) -> String {
        let sums: Vec<_> = self.0.iter().map(|(path, bytes)| (path.display(), disk::sum(bytes.as_deref()))).collect();
        disk::sum(Some(sums.iter().map(|(path, sum)| format!("{path}\0{sum}\0")).collect::<String>().as_bytes()))
    }
}

// === impl Done ===

impl Done {
    /// Anything was written.
    pub fn changed(&self) -> bool {
        self.files.iter().any(|file| file.changed)
    }

    /// Client keys that stand nowhere any more.
    pub fn retired(&self) -> impl Iterator<Item = &Retired> {
        self.files.iter().flat_map(|file| &file.retired)
    }
}

// === impl Desk ===

impl Desk {
    /// With what is ours in the folder `data`.
    pub fn new(data: impl Into<PathBuf>) -> Self {
        Self { disk: Box::new(RealDisk), data: data.into() }
    }

    /// Reads files as they are now. One that is missing is like one with nothing in it.
    ///
    /// # Errors
    /// When one cannot be read, or holds what is not safe to change.
    pub fn look<'f>(&self, files: impl IntoIterator<Item = (&'f Path, Format)>) -> Result<Seen, Trouble> {
        let mut seen = Seen::default();
        for (file, format) in files {
            let (_, bytes) = self.read(file)?;
            document(file, format, bytes.as_deref())?;
            seen = seen.with(file, bytes);
        }
        Ok(seen)
    }

    /// What the changes would do, without writing anything. `client` is a word that can name a folder.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn preview(&self, client: &str, seen: &Seen, changes: &[Change]) -> Result<Vec<Preview>, Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.data)?;
        let parts = self.parts(&ledger, client, seen, changes)?;
        parts.iter().filter(|part| part.old != part.new).try_for_each(Part::writable)?;
        Ok(parts.iter().map(Preview::of).collect())
    }

    /// Makes the changes: all of them or none. Copies of the files are kept before; nothing is written where everything is so
    /// already.
    ///
    /// # Errors
    /// When a file is not what was `seen` any more, or cannot be written. Every file is then as somebody else left it.
    pub fn apply(&self, client: &str, seen: &Seen, changes: &[Change], now: Timestamp) -> Result<Done, Trouble> {
        let (_lock, mut ledger) = self.begin(now)?;
        let parts = self.parts(&ledger, client, seen, changes)?;
        self.transact(&mut ledger, client, parts, now)
    }

    /// What taking everything of a client back would do.
    ///
    /// # Errors
    /// As for [`revert`](Self::revert).
    pub fn preview_revert(&self, client: &str) -> Result<Vec<Preview>, Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.data)?;
        let parts = self.parts(&ledger, client, &Seen::default(), &all_back(&ledger, client))?;
        Ok(parts.iter().map(Preview::of).collect())
    }

    /// Takes everything of a client back, in all its files, key by key: what is still as we wrote it becomes what it was before.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply).
    pub fn revert(&self, client: &str, now: Timestamp) -> Result<Done, Trouble> {
        let (_lock, mut ledger) = self.begin(now)?;
        let changes = all_back(&ledger, client);
        let parts = self.parts(&ledger, client, &Seen::default(), &changes)?;
        self.transact(&mut ledger, client, parts, now)
    }

    /// Lets go of what somebody else has changed since: it is theirs, and counts as such from now on.
    ///
    /// # Errors
    /// When the ledger cannot be read or written.
    pub fn keep_theirs(&self, client: &str, now: Timestamp) -> Result<(), Trouble> {
        let (_lock, mut ledger) = self.begin(now)?;
        let files: Vec<_> = ledger.files().map(|(path, _)| path.to_owned()).collect();
        for real in files {
            let bytes = self.disk.read(&real, LARGEST).ok().flatten();
            let mut notes = ledger.notes(&real, bytes.as_deref());
            let document = Document::read(notes.format, bytes.as_deref().unwrap_or_default());
            let Ok(document) = document else { continue };
            let theirs = |own: &crate::ledger::Own| {
                let container = own.wrote == crate::ledger::Wrote::Object && document.holds(&own.step.pointer);
                own.client == client && !container && !own.still_there(&document).unwrap_or(false)
            };
            notes.own.retain(|own| !theirs(own));
            ledger.settle(&real, notes);
        }
        Ok(ledger.save(&*self.disk, &self.data)?)
    }

    /// The clients that have something of ours in their files.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn clients(&self) -> Result<Vec<String>, Trouble> {
        let mut all: Vec<_> = self.owned(None)?.into_iter().map(|own| own.client).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    /// What is ours, in the files of one client or of all, and whether it still is as we wrote it. Reads only.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn owned(&self, client: Option<&str>) -> Result<Vec<Owned>, Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.data)?;
        let mut all = Vec::new();
        for (real, entry) in ledger.files() {
            let bytes = self.disk.read(real, LARGEST);
            let notes = entry.now(bytes.as_ref().ok().and_then(Option::as_deref));
            let document =
                bytes.ok().and_then(|bytes| Document::read(notes.format, bytes.as_deref().unwrap_or_default()).ok());
            for own in notes.own.iter().filter(|own| client.is_none_or(|client| own.client == client)) {
                let container = own.wrote == crate::ledger::Wrote::Object;
                let intact = document.as_ref().is_some_and(|document| match container {
                    true => document.holds(&own.step.pointer),
                    false => own.still_there(document).unwrap_or(false),
                });
                all.push(Owned {
                    client: own.client.clone(),
                    file: notes.named.clone().unwrap_or_else(|| real.to_owned()),
                    real: real.to_owned(),
                    format: notes.format,
                    pointer: own.step.pointer.clone(),
                    intact,
                    key: own.key.clone(),
                });
            }
        }
        Ok(all)
    }

    /// The copies of the files of one client or of all, the latest first.
    pub fn backups(&self, client: Option<&str>) -> Vec<Backup> {
        backup::all(&self.data, client)
    }

    /// What restoring a copy would change now.
    ///
    /// # Errors
    /// When there is no such copy, or one of the two cannot be read.
    pub fn preview_restore(&self, id: &str) -> Result<Preview, Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.data)?;
        Ok(Preview::of(&self.restored(&ledger, id)?.1))
    }

    /// Puts a copy in the place of the file, byte by byte, after keeping a copy of what stands there now.
    ///
    /// # Errors
    /// As for [`apply`](Self::apply), and when there is no such copy.
    pub fn restore(&self, id: &str, now: Timestamp) -> Result<Done, Trouble> {
        let (_lock, mut ledger) = self.begin(now)?;
        let (backup, part) = self.restored(&ledger, id)?;
        self.transact(&mut ledger, &backup.client, vec![part], now)
    }

    fn restored(&self, ledger: &Ledger, id: &str) -> Result<(Backup, Part), Trouble> {
        let no_backup = || Trouble::NoBackup { id: id.to_owned() };
        let (backup, path) = backup::find(&self.data, id).ok_or_else(no_backup)?;
        let read = self.disk.read(&path, LARGEST).map_err(|source| Trouble::Read { path, source })?;
        let new = read.ok_or_else(no_backup)?;
        let (real, old) = self.read(&backup.file)?;
        let before = ledger.notes(&real, old.as_deref());
        let document = Document::read(before.format, &new).ok();
        let mut notes = before.clone();
        // What the copy does not hold any more is not ours any more.
        let ours = |own: &crate::ledger::Own, document| own.still_there(document).unwrap_or(false);
        notes.own.retain(|own| document.as_ref().is_some_and(|document| ours(own, document)));
        let part = Part {
            file: backup.file.clone(),
            real,
            document: document.unwrap_or_else(|| Document::nothing(before.format)),
            old,
            new: Some(new),
            before,
            notes: Notes { created: false, ..notes },
            kept: Vec::new(),
        };
        Ok((backup, part))
    }

    /// Takes the lock, and takes back or completes what somebody was stopped in.
    fn begin(&self, now: Timestamp) -> Result<(fs::File, Ledger), Trouble> {
        let lock = self.lock()?;
        let mut ledger = Ledger::load(&*self.disk, &self.data)?;
        self.recover(&mut ledger, now)?;
        Ok((lock, ledger))
    }

    fn lock(&self) -> Result<fs::File, Trouble> {
        let write = |path: &Path, source| Trouble::Write { path: path.to_owned(), source };
        self.disk.make_folder(&self.data).map_err(|source| write(&self.data, source))?;
        let path = self.data.join("clients.lock");
        disk::lock(&*self.disk, &path).map_err(|source| write(&path, source))
    }

    /// The files as they are and as they would be.
    fn parts(&self, ledger: &Ledger, client: &str, seen: &Seen, changes: &[Change]) -> Result<Vec<Part>, Trouble> {
        let mut parts: Vec<Part> = Vec::new();
        for Change { file, format, wishes } in changes {
            let (real, bytes) = self.read(file)?;
            if seen.0.get(file).is_some_and(|seen| *seen != bytes) {
                return Err(Trouble::Changed { path: file.clone() });
            }
            let old = document(file, *format, bytes.as_deref())?;
            let before = ledger.notes(&real, bytes.as_deref());
            let planned = plan(old, before.clone(), client, wishes);
            let Planned { document, mut notes, kept, .. } =
                planned.map_err(|bad| Trouble::Bad { path: file.clone(), bad })?;
            let removed = notes.created && document.text().is_empty();
            notes.created = !removed && !notes.own.is_empty() && (notes.created || bytes.is_none());
            notes.format = *format;
            notes.named = (real != *file).then(|| file.clone());
            let new = Some(document.text().as_bytes()).filter(|text| !removed && (bytes.is_some() || !text.is_empty()));
            let new = new.map(<[u8]>::to_vec);
            parts.push(Part { file: file.clone(), real, document, old: bytes, new, before, notes, kept });
        }
        Ok(parts)
    }

    /// Where a file really is, and what it holds.
    fn read(&self, file: &Path) -> Result<(PathBuf, Option<Vec<u8>>), Trouble> {
        let read = disk::resolved(file).and_then(|real| Ok((self.disk.read(&real, LARGEST)?, real)));
        let (bytes, real) = read.map_err(|source| Trouble::Read { path: file.to_owned(), source })?;
        Ok((real, bytes))
    }

    /// Another data folder has another lock, so it writes aside under another name.
    fn tag(&self) -> String {
        let folder = self.data.canonicalize().unwrap_or_else(|_| self.data.clone());
        disk::sum(Some(folder.to_string_lossy().as_bytes()))[..8].to_owned()
    }
}

fn document(file: &Path, format: Format, bytes: Option<&[u8]>) -> Result<Document, Trouble> {
    let read = Document::read(format, bytes.unwrap_or_default());
    read.map_err(|bad| Trouble::Bad { path: file.to_owned(), bad })
}

/// Everything of a client, to be given back.
fn all_back(ledger: &Ledger, client: &str) -> Vec<Change> {
    let ours = |notes: &Notes| notes.own.iter().any(|own| own.client == client);
    let back = |(real, entry): (&Path, &crate::ledger::Entry)| {
        let notes = entry.next.as_ref().map_or(&entry.notes, |next| &next.notes);
        (ours(&entry.notes) || ours(notes)).then(|| Change {
            file: notes
                .named
                .clone()
                .filter(|named| disk::resolved(named).is_ok_and(|now| now == real))
                .unwrap_or_else(|| real.to_owned()),
            format: notes.format,
            wishes: vec![Wish::GiveBackAll],
        })
    };
    ledger.files().filter_map(back).collect()
}
