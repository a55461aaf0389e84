//! One file of one client, for whoever needs no more.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Change, Desk, FileDone, Seen, Trouble, Wish, document};
use crate::backup;
use crate::disk;
use crate::format::{Document, Format};

/// One file of one client, in JSON.
#[derive(Debug)]
pub struct Site {
    pub(super) desk: Desk,
    pub(super) client: &'static str,
    pub(super) file: PathBuf,
}

/// What was found at a look.
#[derive(Debug)]
pub struct Look {
    seen: Seen,
    document: Document,
}

// === impl Look ===

impl Look {
    /// What the file holds.
    pub fn document(&self) -> &Document {
        &self.document
    }
}

// === impl Site ===

impl Site {
    /// The file of a client (a word that can name a folder), with what is ours about it in the folder `data`.
    pub fn new(client: &'static str, file: impl Into<PathBuf>, data: impl Into<PathBuf>) -> Self {
        Self { desk: Desk::new(data), client, file: file.into() }
    }

    /// The file, as it is named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where its copies lie, see [`change`](Self::change).
    pub fn backups(&self) -> PathBuf {
        let path = disk::resolved(&self.file).unwrap_or_else(|_| self.file.clone());
        backup::folder(&self.desk.data, self.client, &path)
    }

    /// Reads the file. One that is missing is like one with nothing in it.
    ///
    /// # Errors
    /// When it cannot be read, or holds what is not safe to change.
    pub fn look(&self) -> Result<Look, Trouble> {
        let seen = self.desk.look([(&*self.file, Format::Json)])?;
        let document = document(&self.file, Format::Json, seen.bytes(&self.file))?;
        Ok(Look { seen, document })
    }

    /// Whether the wishes can be met, without writing anything.
    ///
    /// # Errors
    /// As for [`change`](Self::change).
    pub fn check(&self, look: &Look, wishes: &[Wish]) -> Result<(), Trouble> {
        self.desk.preview(self.client, &look.seen, &[self.wished(wishes)]).map(drop)
    }

    /// Meets the wishes. A copy of the file lies in [`backups`](Self::backups) before it changes; nothing is written when
    /// everything is so already.
    ///
    /// # Errors
    /// When it is not what was seen any more, or cannot be written. It is then as somebody else left it.
    pub fn change(&self, look: Look, wishes: &[Wish], now: Timestamp) -> Result<FileDone, Trouble> {
        let done = self.desk.apply(self.client, &look.seen, &[self.wished(wishes)], now)?;
        // There is one for each change.
        done.files.into_iter().next().ok_or_else(|| Trouble::Changed { path: self.file.clone() })
    }

    fn wished(&self, wishes: &[Wish]) -> Change {
        Change { file: self.file.clone(), format: Format::Json, wishes: wishes.to_vec() }
    }
}
