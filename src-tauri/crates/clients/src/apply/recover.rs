//! What somebody was stopped in, taken back or completed by whoever comes next.
//!
//! The ledger says what was begun and which bytes it was to lead from and to; the files say how far it came. Where every file
//! holds its new bytes it is done. Where one does not, those that do go back.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Desk, Trouble};
use crate::backup;
use crate::disk;
use crate::format::LARGEST;
use crate::ledger::{Ledger, Next};
use crate::swap::{NotSwapped, Swap};

/// How far one file came.
struct Found {
    next: Next,
    /// For which client.
    client: String,
    /// What it holds.
    bytes: Option<Vec<u8>>,
    sum: String,
    /// What lies beside it.
    aside: Option<Vec<u8>>,
    swap: Swap,
}

// === impl Found ===

impl Found {
    fn is_old(&self) -> bool {
        self.sum == self.next.from
    }

    fn is_new(&self) -> bool {
        self.sum == self.next.to
    }

    /// What came out when the files changed places was somebody else's, and was not put back any more.
    fn interrupted_another(&self) -> bool {
        self.is_new() && self.aside.is_some() && disk::sum(self.aside.as_deref()) != self.next.from
    }
}

// === impl Desk ===

impl Desk {
    /// Whether somebody was stopped in the middle of a change. The next change takes it back; so does [`mend`](Self::mend).
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn is_unfinished(&self) -> Result<bool, Trouble> {
        let ledger = Ledger::load(&*self.disk, &self.data)?;
        Ok(ledger.files().any(|(_, entry)| entry.next.is_some()))
    }

    /// Takes back, or completes, what somebody was stopped in.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn mend(&self, now: Timestamp) -> Result<(), Trouble> {
        self.begin(now).map(drop)
    }

    pub(super) fn recover(&self, ledger: &mut Ledger, now: Timestamp) -> Result<(), Trouble> {
        let mut groups: Vec<Vec<PathBuf>> = Vec::new();
        for (path, entry) in ledger.files() {
            let Some(next) = &entry.next else { continue };
            let group = if next.with.is_empty() { vec![path.to_owned()] } else { next.with.clone() };
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        if groups.is_empty() {
            // Read from its copy, the ledger itself is to be whole again.
            return if ledger.from_copy { Ok(ledger.save(&*self.disk, &self.data)?) } else { Ok(()) };
        }
        for group in groups {
            self.recover_group(ledger, &group, now)?;
        }
        Ok(ledger.save(&*self.disk, &self.data)?)
    }

    fn recover_group(&self, ledger: &mut Ledger, group: &[PathBuf], now: Timestamp) -> Result<(), Trouble> {
        let mut all = Vec::new();
        for real in group {
            all.extend(self.found(ledger, real)?);
        }
        let back = all.iter().any(|found| found.is_old() || found.interrupted_another());
        for found in all.iter_mut().rev() {
            let real = found.swap.real.clone();
            let failed = |source| Trouble::Half { path: real.clone(), source };
            if back && found.is_new() {
                self.put_back(found).map_err(failed)?;
            } else if !found.is_old() && !found.is_new() {
                let known = found.aside.as_deref().map(|aside| disk::sum(Some(aside)));
                if known.is_some_and(|sum| sum != found.next.from && sum != found.next.to) {
                    found.swap.superseded.extend(found.aside.take());
                }
            }
            found.swap.clear(&*self.disk).map_err(failed)?;
            self.keep_superseded(&found.client, &real, &mut found.swap, now);
            let bytes = self.disk.read(&real, LARGEST).map_err(failed)?;
            let notes = ledger.notes(&real, bytes.as_deref());
            ledger.settle(&real, notes);
        }
        Ok(())
    }

    fn found(&self, ledger: &Ledger, real: &Path) -> Result<Option<Found>, Trouble> {
        let Some(entry) = ledger.entry(real) else { return Ok(None) };
        let Some(next) = entry.next.clone() else { return Ok(None) };
        let failed = |source| Trouble::Half { path: real.to_owned(), source };
        let client =
            next.notes.own.first().or(entry.notes.own.first()).map(|own| own.client.clone()).unwrap_or_default();
        let swap = Swap::new(real, &self.tag(), None, None);
        swap.mend(&*self.disk).map_err(failed)?;
        let bytes = self.disk.read(real, LARGEST).map_err(failed)?;
        let aside = self.disk.read(&swap.beside, LARGEST).map_err(failed)?;
        Ok(Some(Found { sum: disk::sum(bytes.as_deref()), next, client, bytes, aside, swap }))
    }

    /// The old bytes come in place of the new ones: those that lie beside, or those that were kept.
    fn put_back(&self, found: &mut Found) -> std::io::Result<()> {
        let disk = &*self.disk;
        found.swap.from = found.bytes.clone();
        if found.aside.is_some() {
            found.swap.to.clone_from(&found.aside);
        } else if found.next.from != disk::sum(None) {
            let folder = backup::folder(&self.data, &found.client, &found.swap.real);
            let kept = backup::by_sum(disk, &folder, &found.next.from);
            found.swap.to = Some(kept.ok_or_else(|| std::io::Error::other("the copy of what stood there is missing"))?);
            found.swap.stage(disk)?;
        }
        match found.swap.put(disk) {
            // Somebody writes it just now: it is as he leaves it.
            Ok(()) | Err(NotSwapped::Changed) => Ok(()),
            Err(NotSwapped::Io(error)) => Err(error),
        }
    }
}
