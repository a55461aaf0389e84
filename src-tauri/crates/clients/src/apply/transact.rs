//! Several files changed together or not at all.
//!
//! The order is what makes it so: copies, the note of what is about to happen, the new bytes beside each file, the files one after
//! the other, a last look whether anybody wrote meanwhile, the note that it is done. Whoever breaks off before the last step is
//! taken back, by himself or by whoever comes next ([`recover`](super::recover)).

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{Desk, Done, FileDone, Retired, Trouble};
use crate::backup;
use crate::disk;
use crate::format::{Document, Pointer};
use crate::ledger::{Ledger, Next, Notes};
use crate::swap::{NotSwapped, Swap};

/// One file as it is and as it is to be.
pub(super) struct Part {
    /// As it is named.
    pub(super) file: PathBuf,
    /// Behind all links.
    pub(super) real: PathBuf,
    pub(super) document: Document,
    pub(super) old: Option<Vec<u8>>,
    pub(super) new: Option<Vec<u8>>,
    /// What was ours, and what will be.
    pub(super) before: Notes,
    pub(super) notes: Notes,
    pub(super) kept: Vec<Pointer>,
}

// === impl Part ===

impl Part {
    /// A rename does not ask whether the file may be written, so we do.
    pub(super) fn writable(&self) -> Result<(), Trouble> {
        match fs::metadata(&self.real) {
            Ok(metadata) if metadata.permissions().readonly() => Err(Trouble::ReadOnly { path: self.file.clone() }),
            _ => Ok(()),
        }
    }

    fn changes(&self) -> bool {
        self.old != self.new
    }

    fn failed(&self, source: std::io::Error) -> Trouble {
        Trouble::Write { path: self.file.clone(), source }
    }

    fn done(self) -> FileDone {
        let retired: Vec<Retired> =
            self.before.keys().filter(|key| !self.notes.keys().any(|other| other == *key)).collect();
        FileDone {
            changed: self.changes(),
            removed: self.old.is_some() && self.new.is_none(),
            exposed: exposed(&self.real),
            file: self.file,
            document: self.document,
            kept: self.kept,
            retired,
        }
    }
}

// === impl Desk ===

impl Desk {
    /// Makes these parts so.
    pub(super) fn transact(
        &self,
        ledger: &mut Ledger,
        client: &str,
        parts: Vec<Part>,
        now: Timestamp,
    ) -> Result<Done, Trouble> {
        let disk = &*self.disk;
        let changing: Vec<&Part> = parts.iter().filter(|part| part.changes()).collect();
        for part in &changing {
            part.writable()?;
            self.settled(part)?;
            let folder = backup::folder(&self.data, client, &part.real);
            backup::keep(disk, &folder, &part.file, part.old.as_deref(), now).map_err(|source| Trouble::Backup {
                path: part.file.clone(),
                folder,
                source,
            })?;
        }
        let tag = self.tag();
        let swap = |part: &&Part| Swap::new(&part.real, &tag, part.old.clone(), part.new.clone());
        let mut swaps: Vec<Swap> = changing.iter().map(swap).collect();
        if !changing.is_empty() {
            let prepared = self.prepare(ledger, &changing, &swaps);
            let begun = prepared.is_ok();
            if let Err((trouble, place)) = prepared.and_then(|()| self.put_all(&changing, &mut swaps)) {
                return Err(self.take_back(
                    ledger,
                    client,
                    (&changing, &mut swaps),
                    place.filter(|_| begun),
                    trouble,
                    now,
                ));
            }
        }
        let clear = swaps.iter().map(|swap| swap.clear(disk)).all(|cleared| cleared.is_ok());
        let settled = parts.iter().any(|part| part.changes() || part.before != part.notes);
        // What could not be cleared away stays noted as begun, and the next one clears it.
        if settled && clear {
            for part in &parts {
                ledger.settle(&part.real, part.notes.clone());
            }
            match ledger.save(disk, &self.data) {
                // Settled the next time: what was begun is noted, and the bytes tell that it was done.
                Err(_) if !changing.is_empty() => {}
                saved => saved?,
            }
        }
        Ok(Done { files: parts.into_iter().map(Part::done).collect() })
    }

    /// Whoever writes a file may empty it first: what is empty is looked at twice.
    fn settled(&self, part: &Part) -> Result<(), Trouble> {
        if part.old.as_deref() == Some(&[]) {
            self.disk.wait();
            let again =
                self.disk.read(&part.real, 0).map_err(|source| Trouble::Read { path: part.file.clone(), source })?;
            if again != part.old {
                return Err(Trouble::Changed { path: part.file.clone() });
            }
        }
        Ok(())
    }

    /// Everything that can be done before a file changes. With a trouble: which file was being changed, here none.
    fn prepare(&self, ledger: &mut Ledger, parts: &[&Part], swaps: &[Swap]) -> Result<(), (Trouble, Option<usize>)> {
        let with = if parts.len() > 1 { parts.iter().map(|part| part.real.clone()).collect() } else { Vec::new() };
        for part in parts {
            let (from, to) = (disk::sum(part.old.as_deref()), disk::sum(part.new.as_deref()));
            let next = Next { from, to, notes: part.notes.clone(), with: with.clone() };
            ledger.begin(&part.real, part.before.clone(), next);
        }
        // Before anything is laid beside a file: whoever comes next knows what to clear away.
        ledger.save(&*self.disk, &self.data).map_err(|error| (error.into(), None))?;
        let mut staged = parts.iter().zip(swaps);
        staged.try_for_each(|(part, swap)| swap.stage(&*self.disk).map_err(|source| (part.failed(source), None)))
    }

    /// Changes the files, and looks once more at all of them. With a trouble: up to which file it came.
    fn put_all(&self, parts: &[&Part], swaps: &mut [Swap]) -> Result<(), (Trouble, Option<usize>)> {
        let last = swaps.len() - 1;
        for (at, (part, swap)) in parts.iter().zip(swaps.iter_mut()).enumerate() {
            swap.put(&*self.disk).map_err(|error| match error {
                NotSwapped::Changed => (Trouble::Changed { path: part.file.clone() }, Some(at)),
                NotSwapped::Io(source) => (part.failed(source), Some(at)),
            })?;
        }
        for (part, swap) in parts.iter().zip(swaps) {
            match swap.was_quiet(&*self.disk) {
                Ok(true) => {}
                Ok(false) => return Err((Trouble::Changed { path: part.file.clone() }, Some(last))),
                Err(source) => return Err((part.failed(source), Some(last))),
            }
        }
        Ok(())
    }

    /// Takes back what was put, the last one first. `to`: up to which file; `None`: no file was touched. What to say.
    fn take_back(
        &self,
        ledger: &mut Ledger,
        client: &str,
        (parts, swaps): (&[&Part], &mut [Swap]),
        to: Option<usize>,
        trouble: Trouble,
        now: Timestamp,
    ) -> Trouble {
        let disk = &*self.disk;
        let (mut half, mut settled) = (None, Vec::new());
        for (at, (part, swap)) in parts.iter().zip(swaps.iter_mut()).enumerate().rev() {
            let put = to.is_some_and(|to| at < to) || (to == Some(at) && swap.is_put);
            let taken = if put { swap.take_back(disk) } else { Ok(true) };
            // Somebody wrote over what we had put there: perhaps with our values in it.
            let over = !matches!(taken, Ok(true)) || !swap.superseded.is_empty();
            if let Err(source) = taken.and_then(|_| swap.clear(disk)) {
                half.get_or_insert(Trouble::Half { path: part.file.clone(), source });
            }
            self.keep_superseded(client, &part.file, swap, now);
            let bytes = disk.read(&part.real, crate::format::LARGEST).ok().flatten();
            settled.push(if over { ledger.notes(&part.real, bytes.as_deref()) } else { part.before.clone() });
        }
        if let Some(half) = half {
            // What was begun stays noted, for whoever comes next.
            return if to.is_some() { half } else { trouble };
        }
        for (part, notes) in parts.iter().rev().zip(settled) {
            ledger.settle(&part.real, notes);
        }
        // If that fails, the bytes tell later that nothing came of it.
        let _ = ledger.save(disk, &self.data);
        trouble
    }

    /// What two others wrote over one another while we stood between them goes to the copies.
    pub(super) fn keep_superseded(&self, client: &str, file: &Path, swap: &mut Swap, now: Timestamp) {
        let folder = backup::folder(&self.data, client, &swap.real);
        for bytes in std::mem::take(&mut swap.superseded) {
            let _ = backup::keep(&*self.disk, &folder, file, Some(&bytes), now);
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
