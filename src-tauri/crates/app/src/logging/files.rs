//! The log on disk: one file for each day, in parts where a day is noisy, never more of it than was allowed.
//!
//! Days are those of UTC, as are the times in the lines. A file's name is `codeferry.2026-11-20.log`, that of its later
//! parts `codeferry.2026-11-20.2.log`.

use std::cmp::Reverse;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::paths::make_folder;

/// How much may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Today and the days before, so many in all.
    pub(crate) days: u64,
    /// All files together.
    pub(crate) bytes: u64,
}

/// A day is cut into parts that large, as a share of the whole: then the oldest part can go, and not the day.
const PARTS: u64 = 4;
/// And no larger than this: whoever looks for the last lines reads the newest part as a whole.
const LARGEST_PART: u64 = 16 * 1024 * 1024;

/// What a file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    day: Date,
    part: u32,
}

/// The files of one folder, and the one that is written.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    limits: Limits,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    name: Name,
    file: File,
    size: u64,
}

/// The log files in a folder, the oldest first. None where there is no such folder.
///
/// # Errors
/// When the folder cannot be read.
pub fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = names(folder)?;
    names.sort_unstable();
    Ok(names.into_iter().map(|name| folder.join(name.to_string())).collect())
}

fn names(folder: &Path) -> io::Result<Vec<Name>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let named = entries.filter_map(|entry| Name::read(entry.ok()?.file_name().to_str()?));
    Ok(named.collect())
}

// === impl Limits ===

impl Limits {
    /// How large one file may get.
    fn part(self) -> u64 {
        (self.bytes / PARTS).min(LARGEST_PART)
    }
}

// === impl Files ===

impl Files {
    pub(super) fn new(folder: PathBuf, limits: Limits) -> Self {
        Self { folder, limits, open: None }
    }

    /// Writes whole lines that were said at that time. After an error the file is opened anew.
    pub(super) fn write(&mut self, lines: &[u8], at: Timestamp) -> io::Result<()> {
        let written = self.file(lines.len(), at).and_then(|open| {
            open.file.write_all(lines)?;
            open.size += lines.len() as u64;
            Ok(())
        });
        if written.is_err() {
            self.open = None;
        }
        written
    }

    /// The file of that day with room for so much.
    fn file(&mut self, more: usize, at: Timestamp) -> io::Result<&mut Open> {
        let day = at.to_zoned(TimeZone::UTC).date();
        let room = self.limits.part();
        let fits = |open: &Open| open.name.day == day && open.size + more as u64 <= room;
        if !self.open.as_ref().is_some_and(fits) {
            // Closed first: what is to be removed must not be open, on Windows.
            self.open = None;
            make_folder(&self.folder)?;
            let mut part = names(&self.folder)?.iter().filter(|name| name.day == day).map(|name| name.part).max();
            if let Some(last) = part
                && fs::metadata(self.path(Name { day, part: last }))?.len() + more as u64 > room
            {
                part = Some(last + 1);
            }
            let name = Name { day, part: part.unwrap_or(1) };
            self.make_room(name)?;
            self.open = Some(Open::at(name, &self.path(name))?);
        }
        self.open.as_mut().ok_or_else(|| io::Error::other("no file is open"))
    }

    /// Removes what is too old or too much, that file excepted, which may grow to its share.
    fn make_room(&self, next: Name) -> io::Result<()> {
        let mut others = names(&self.folder)?;
        others.retain(|name| *name != next);
        others.sort_unstable_by_key(|name| Reverse(*name));
        let days = Span::new().days(i64::try_from(self.limits.days).unwrap_or(i64::MAX).min(100_000));
        let oldest = next.day.checked_sub(days).unwrap_or(Date::MIN);
        let mut total = self.limits.part();
        for name in others {
            let path = self.path(name);
            total += fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or_default();
            if name.day <= oldest || total > self.limits.bytes {
                match fs::remove_file(path) {
                    // Somebody has tidied up.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }

    fn path(&self, name: Name) -> PathBuf {
        self.folder.join(name.to_string())
    }
}

// === impl Open ===

impl Open {
    /// Goes on with a file, or begins it, readable by this user alone.
    fn at(name: Name, path: &Path) -> io::Result<Self> {
        let mut options = fs::OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let size = file.metadata()?.len();
        if size > 0 {
            // Whoever was killed or out of space in the middle of a line has left its beginning.
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self { name, file, size })
    }
}

// === impl Name ===

impl Name {
    fn read(file: &str) -> Option<Self> {
        let middle = file.strip_prefix("codeferry.")?.strip_suffix(".log")?;
        let (day, part) = match middle.split_once('.') {
            None => (middle, 1),
            Some((day, part)) => (day, part.parse().ok().filter(|part| *part > 1)?),
        };
        Some(Self { day: day.parse().ok()?, part })
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { day, part } = self;
        match part {
            1 => write!(f, "codeferry.{day}.log"),
            part => write!(f, "codeferry.{day}.{part}.log"),
        }
    }
}

#[cfg(test)]
mod tests;
