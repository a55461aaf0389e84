//! The files: `1763628000000-req_….json.zst`. The name tells when and of what, so that nothing is opened to tidy up.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::Settings;
use crate::durable;

/// What is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    /// All files together, in bytes.
    pub(super) total: u64,
    /// Of a body or of a stream, in bytes.
    pub(super) part: usize,
    pub(super) age_ms: i64,
}

/// A file of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) bytes: u64,
}

const ENDING: &str = ".json.zst";
/// What a process that was killed in the middle of writing leaves.
const HALF: &str = ".new";

// === impl Keep ===

impl Keep {
    pub(super) fn of(settings: &Settings) -> Self {
        let ms = i64::try_from(settings.capture_keep_hours.saturating_mul(3_600_000)).unwrap_or(i64::MAX);
        Self {
            total: settings.capture_mib.saturating_mul(1024 * 1024),
            part: usize::try_from(settings.capture_part_kib.saturating_mul(1024)).unwrap_or(usize::MAX),
            age_ms: ms,
        }
    }
}

/// All files of ours, the oldest first. None where there is no folder.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for file in found {
        let file = file?;
        let name = file.file_name();
        let Some((at, id)) = name.to_str().and_then(read_name) else { continue };
        // One that is gone meanwhile is gone.
        let Ok(metadata) = file.metadata() else { continue };
        entries.push(Entry { path: file.path(), id: id.to_owned(), at, bytes: metadata.len() });
    }
    entries.sort_by(|one, other| (one.at, &one.id).cmp(&(other.at, &other.id)));
    Ok(entries)
}

/// Removes what is too old, and the oldest until there is room for so many bytes more. When the next one goes.
pub(super) fn prune(folder: &Path, keep: &Keep, now: Timestamp, room: u64) -> io::Result<Option<i64>> {
    let entries = entries(folder)?;
    let mut total = entries.iter().map(|entry| entry.bytes).sum::<u64>().saturating_add(room);
    for entry in entries {
        let goes_at = entry.at.as_millisecond().saturating_add(keep.age_ms);
        if goes_at > now.as_millisecond() && total <= keep.total {
            return Ok(Some(goes_at));
        }
        remove(&entry.path)?;
        total = total.saturating_sub(entry.bytes);
    }
    Ok(None)
}

/// Removes what was not written to its end.
pub(super) fn sweep(folder: &Path) -> io::Result<()> {
    for file in fs::read_dir(folder)? {
        let file = file?;
        if file.file_name().to_str().is_some_and(|name| name.ends_with(HALF)) {
            remove(&file.path())?;
        }
    }
    Ok(())
}

/// Writes a file as a whole, for this user alone, in a folder for this user alone.
pub(super) fn write(folder: &Path, at: Timestamp, id: &str, bytes: &[u8]) -> io::Result<()> {
    if !is_id(id) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "an exchange without an id"));
    }
    durable::make_folder(folder)?;
    #[cfg(unix)]
    if durable::exposed(folder)?.is_some() {
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    }
    let path = folder.join(format!("{:013}-{id}{ENDING}", at.as_millisecond()));
    durable::replace(&path, bytes).map(drop)
}

/// Gone is gone.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What can be part of a file's name, anywhere.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn read_name(name: &str) -> Option<(Timestamp, &str)> {
    let (at, id) = name.strip_suffix(ENDING)?.split_once('-')?;
    let at = Timestamp::from_millisecond(at.parse().ok()?).ok()?;
    is_id(id).then_some((at, id))
}
