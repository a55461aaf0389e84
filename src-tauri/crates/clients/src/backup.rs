//! Copies of a client's file as it was before each change, in our own data folder.
//!
//! The first one stays for good. Of the others the latest [`KEPT`] stay. What is the same is kept once. They may hold secrets, and
//! are their owner's alone. Each folder says whose copies it holds, so that they can be used without the ledger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::disk::{self, Disk};

/// So many stay, beside the first.
pub(crate) const KEPT: usize = 20;
const FIRST: &str = "first";
/// There was no file before the first change.
const NOTHING: &str = "nothing-at-first";
/// Which file the copies are of.
const OF: &str = "of.txt";
const TIME: &str = "%Y%m%dT%H%M%S";

/// A copy of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// A word that [`Desk`](crate::apply::Desk) knows it by.
    pub id: String,
    /// Whose settings.
    pub client: String,
    /// Of which file.
    pub file: PathBuf,
    /// When it was made; `None` for the first one of an earlier version.
    pub at: Option<Timestamp>,
    /// As the file was before it was ever changed. It stays for good.
    pub first: bool,
    /// How many bytes.
    pub bytes: u64,
}

/// Where the copies of a file lie.
pub(crate) fn folder(data: &Path, client: &str, real: &Path) -> PathBuf {
    root(data).join(client).join(&disk::sum(Some(real.to_string_lossy().as_bytes()))[..12])
}

fn root(data: &Path) -> PathBuf {
    data.join("backups")
}

/// Keeps a copy of these bytes in `folder`, or notes that there were none.
pub(crate) fn keep(disk: &dyn Disk, folder: &Path, of: &Path, bytes: Option<&[u8]>, now: Timestamp) -> io::Result<()> {
    disk.make_folder(folder)?;
    let named = folder.join(OF);
    if !named.exists() {
        disk::replace(disk, &named, of.to_string_lossy().as_bytes())?;
    }
    let copies = names(folder)?;
    let untouched = copies.is_empty() && !folder.join(FIRST).exists() && !folder.join(NOTHING).exists();
    let Some(bytes) = bytes else {
        return if untouched { disk::replace(disk, &folder.join(NOTHING), b"") } else { Ok(()) };
    };
    let sum = short_sum(bytes);
    let name = if untouched { FIRST.to_owned() } else { format!("{}-{sum}", stamp(now)) };
    match copies.iter().find(|copy| copy.ends_with(&sum)) {
        // The same again: it is the latest now.
        Some(old) => disk.rename(&folder.join(old), &folder.join(&name))?,
        None => disk::replace(disk, &folder.join(&name), bytes)?,
    }
    let copies = names(folder)?;
    for old in copies.iter().take(copies.len().saturating_sub(KEPT)) {
        // One too many is no reason to leave the change undone.
        let _ = disk.remove(&folder.join(old));
    }
    Ok(())
}

/// All copies, the latest first, of one client or of all.
pub(crate) fn all(data: &Path, client: Option<&str>) -> Vec<Backup> {
    let mut all = Vec::new();
    for of in folders(&root(data)).into_iter().filter(|of| client.is_none_or(|client| of.ends_with(client))) {
        for folder in folders(&of) {
            let Ok(file) = fs::read_to_string(folder.join(OF)) else { continue };
            for name in names(&folder).unwrap_or_default().into_iter().chain([FIRST.to_owned()]) {
                let Ok(metadata) = fs::metadata(folder.join(&name)) else { continue };
                let word = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let made = || metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
                all.push(Backup {
                    id: format!("{}.{}.{name}", word(&of), word(&folder)),
                    client: word(&of),
                    file: PathBuf::from(&file),
                    at: time(&name).or_else(made),
                    first: name == FIRST,
                    bytes: metadata.len(),
                });
            }
        }
    }
    all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    all
}

/// The copy of that name.
pub(crate) fn find(data: &Path, id: &str) -> Option<(Backup, PathBuf)> {
    let backup = all(data, None).into_iter().find(|backup| backup.id == id)?;
    let mut parts = id.splitn(3, '.');
    let path = root(data).join(parts.next()?).join(parts.next()?).join(parts.next()?);
    Some((backup, path))
}

/// Bytes that were kept, by their hash.
pub(crate) fn by_sum(disk: &dyn Disk, folder: &Path, sum: &str) -> Option<Vec<u8>> {
    let names = names(folder).unwrap_or_default().into_iter().chain([FIRST.to_owned()]);
    names
        .filter_map(|name| disk.read(&folder.join(name), crate::format::LARGEST).ok().flatten())
        .find(|bytes| disk::sum(Some(bytes)) == sum)
}

/// The copies of a file, the latest first and the very first last. `Some(None)` at the end: there was no file at first.
pub(crate) fn contents(disk: &dyn Disk, folder: &Path) -> Vec<Option<Vec<u8>>> {
    let names = names(folder).unwrap_or_default().into_iter().rev().chain([FIRST.to_owned()]);
    let read = |name: String| disk.read(&folder.join(name), crate::format::LARGEST).ok().flatten().map(Some);
    names.filter_map(read).chain(folder.join(NOTHING).exists().then_some(None)).collect()
}

fn stamp(now: Timestamp) -> String {
    format!("{}{:03}Z", now.strftime(TIME), now.subsec_millisecond())
}

fn time(name: &str) -> Option<Timestamp> {
    let stamp = name.split_once("Z-")?.0;
    let (seconds, millis) = stamp.split_at_checked(15)?;
    let at = DateTime::strptime(TIME, seconds).ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    at.checked_add(std::time::Duration::from_millis(millis.parse().ok()?)).ok()
}

fn short_sum(bytes: &[u8]) -> String {
    disk::sum(Some(bytes))[..12].to_owned()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut all: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// The names of the copies but the first, in the order they were made.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
