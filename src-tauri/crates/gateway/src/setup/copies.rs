//! The copies of clients' files, from before each change: what there is, and bringing one back.

use codeferry_clients::apply::{Backup, Trouble};
use codeferry_clients::client::Kind;

use super::Setup;
use super::hands::{SetupError, notes};
use super::shape::{Copy, Settled};

// === impl Setup ===

impl Setup {
    /// The copies of its files, the newest first.
    pub fn copies(&self, kind: Kind) -> Vec<Copy> {
        self.desk().backups(Some(kind.name())).into_iter().map(Copy::from).collect()
    }

    /// A copy, and what bringing it back would change now, with secrets masked.
    ///
    /// # Errors
    /// When there is none of that name, or a file cannot be read.
    pub fn copy(&self, kind: Kind, id: &str) -> Result<(Copy, String), SetupError> {
        let copy = self.copies(kind).into_iter().find(|copy| copy.id == id);
        let copy = copy.ok_or_else(|| Trouble::NoBackup { id: id.to_owned() })?;
        Ok((copy, self.desk().preview_restore(id)?.diff))
    }

    /// Brings a copy back, after one of the file as it is now was made.
    ///
    /// # Errors
    /// When nothing was done, and why.
    pub fn restore(&self, kind: Kind, id: &str) -> Result<Settled, SetupError> {
        let (copy, _) = self.copy(kind, id)?;
        let done = self.desk().restore(id, (self.clock)())?;
        self.retire(done.retired());
        let told = match done.changed() {
            true => format!("{} is as it was in that copy", copy.file),
            false => format!("{} is so already; nothing was written", copy.file),
        };
        Ok(Settled { changed: done.changed(), told, notes: notes(&done), asides: 0 })
    }
}

// === impl Copy ===

impl From<Backup> for Copy {
    fn from(backup: Backup) -> Self {
        let Backup { id, file, at, first, bytes, .. } = backup;
        Self { id, file: file.display().to_string(), at, first, bytes }
    }
}
