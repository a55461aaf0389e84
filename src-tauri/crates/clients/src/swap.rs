//! A file put in the place of another one, so that nothing of whoever writes there at the same time is lost.
//!
//! The new bytes are written beside it. Then the two change places at once, and what came out is compared with what was seen: if
//! somebody wrote in the last moment, it is his bytes that came out, and they are put back. Until everything is done the old file
//! lies beside the new one, so that whoever had it open and wrote into it is noticed, too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, Disk};
use crate::format::LARGEST;

/// So often two writers may take turns before we give up.
const TURNS: usize = 64;

/// One file of a change.
#[derive(Debug)]
pub(crate) struct Swap {
    /// Behind all links.
    pub(crate) real: PathBuf,
    /// Where the new bytes are written, and the old ones lie after.
    pub(crate) beside: PathBuf,
    pub(crate) from: Option<Vec<u8>>,
    pub(crate) to: Option<Vec<u8>>,
    /// The new bytes are, or may be, in the place of the old ones.
    pub(crate) is_put: bool,
    /// What others wrote and wrote over while we changed places with them. It is to be kept somewhere.
    pub(crate) superseded: Vec<Vec<u8>>,
}

/// Why a file was not replaced.
#[derive(Debug)]
pub(crate) enum NotSwapped {
    /// Somebody else wrote it meanwhile, and what he wrote is there.
    Changed,
    Io(io::Error),
}

/// Where the old and the new file lie beside the real one. Another data folder has another lock, so it has another `tag`.
pub(crate) fn beside(real: &Path, tag: &str) -> PathBuf {
    let name = real.file_name().unwrap_or_default().to_string_lossy();
    disk::folder_of(real).join(format!(".{name}.{tag}.codeferry"))
}

impl From<io::Error> for NotSwapped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

// === impl Swap ===

impl Swap {
    pub(crate) fn new(real: &Path, tag: &str, from: Option<Vec<u8>>, to: Option<Vec<u8>>) -> Self {
        Self { real: real.to_owned(), beside: beside(real, tag), from, to, is_put: false, superseded: Vec::new() }
    }

    /// Writes the new bytes beside the file. Nothing else is changed.
    pub(crate) fn stage(&self, disk: &dyn Disk) -> io::Result<()> {
        match &self.to {
            Some(bytes) => {
                disk.make_folder(disk::folder_of(&self.real))?;
                disk::write_new(disk, &self.beside, bytes, fs::metadata(&self.real).ok().as_ref())
            }
            None => disk.remove(&self.beside),
        }
    }

    /// The new bytes take the place of the old ones.
    pub(crate) fn put(&mut self, disk: &dyn Disk) -> Result<(), NotSwapped> {
        if disk.read(&self.real, limit(self.from.as_deref()))? != self.from {
            return Err(NotSwapped::Changed);
        }
        self.is_put = true;
        match (&self.from, &self.to) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => self.exchange(disk)?,
            (None, Some(_)) => match disk.rename_new(&self.beside, &self.real) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.is_put = false;
                    return Err(NotSwapped::Changed);
                }
                done => done?,
            },
            (Some(_), None) => disk.rename(&self.real, &self.beside)?,
        }
        if self.from.is_some() && !self.is_beside(disk, self.from.as_deref())? {
            self.give_way(disk)?;
            self.is_put = false;
            return Err(NotSwapped::Changed);
        }
        Ok(disk.sync_folder(disk::folder_of(&self.real))?)
    }

    /// Whether nobody wrote into the old file after it was taken away.
    pub(crate) fn was_quiet(&self, disk: &dyn Disk) -> io::Result<bool> {
        Ok(self.from.is_none() || self.is_beside(disk, self.from.as_deref())?)
    }

    /// Takes it back: the old file comes in place of the new one. What somebody has written since stays; then `false`.
    pub(crate) fn take_back(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        self.mend(disk)?;
        let same = disk.read(&self.real, limit(self.to.as_deref()))? == self.to;
        match (&self.from, &self.to) {
            _ if !same => return Ok(false),
            (None, None) => {}
            (Some(_), _) => self.give_way(disk)?,
            (None, Some(_)) => {
                disk.rename(&self.real, &self.beside)?;
                if !self.is_beside(disk, self.to.as_deref())? {
                    // Somebody wrote it just now.
                    self.put_new(disk)?;
                    return Ok(false);
                }
                disk.remove(&self.beside)?;
            }
        }
        disk.sync_folder(disk::folder_of(&self.real))?;
        Ok(true)
    }

    /// What lies beside the file goes.
    pub(crate) fn clear(&self, disk: &dyn Disk) -> io::Result<()> {
        disk.remove(&self.hold())?;
        disk.remove(&self.beside)
    }

    /// Where two files change places one after the other, somebody may have been stopped between: the old one is held by a second
    /// name then.
    pub(crate) fn mend(&self, disk: &dyn Disk) -> io::Result<()> {
        let hold = self.hold();
        match (fs::symlink_metadata(&hold).is_ok(), fs::symlink_metadata(&self.beside).is_ok()) {
            (true, true) => disk.remove(&hold),
            (true, false) => disk.rename(&hold, &self.beside),
            (false, _) => Ok(()),
        }
    }

    fn hold(&self) -> PathBuf {
        self.beside.with_extension("held")
    }

    /// What lies beside comes to its place again, and ours goes. Whoever writes meanwhile wins: what is newest stays.
    fn give_way(&mut self, disk: &dyn Disk) -> io::Result<()> {
        if self.to.is_none() {
            return self.put_new(disk);
        }
        let mut out = self.to.clone();
        for _ in 0..TURNS {
            let put = disk.read(&self.beside, LARGEST)?;
            self.exchange(disk)?;
            if self.is_beside(disk, out.as_deref())? {
                return disk.remove(&self.beside);
            }
            // It was written over ours in between, and is newer than what was just put back.
            self.superseded.extend(put.clone());
            out = put;
        }
        Err(io::Error::other("somebody else writes it all the time"))
    }

    fn put_new(&mut self, disk: &dyn Disk) -> io::Result<()> {
        match disk.rename_new(&self.beside, &self.real) {
            // There is a new one already.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.superseded.extend(disk.read(&self.beside, LARGEST)?);
                disk.remove(&self.beside)
            }
            done => done,
        }
    }

    fn exchange(&self, disk: &dyn Disk) -> io::Result<()> {
        if disk.exchange(&self.beside, &self.real)? {
            return Ok(());
        }
        // By a second name of the old file, or by a copy of it where a file has but one.
        let hold = self.hold();
        disk.remove(&hold)?;
        if disk.link(&self.real, &hold).is_err() {
            let old = disk.read(&self.real, LARGEST)?.unwrap_or_default();
            disk::write_new(disk, &hold, &old, fs::metadata(&self.real).ok().as_ref())?;
        }
        disk.rename(&self.beside, &self.real)?;
        disk.rename(&hold, &self.beside)
    }

    fn is_beside(&self, disk: &dyn Disk, bytes: Option<&[u8]>) -> io::Result<bool> {
        Ok(disk.read(&self.beside, limit(bytes))?.as_deref() == bytes)
    }
}

fn limit(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(0, <[u8]>::len)
}
