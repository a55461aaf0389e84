//! Copies of a client's file as it was before each change, in our own data folder.
//!
//! The first one stays for good. Of the others the latest [`KEPT`] stay. They may hold secrets, and are their owner's alone.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::disk::{self, Disk, NotReplaced};

/// So many stay, beside the first.
pub(crate) const KEPT: usize = 20;
const FIRST: &str = "first";

/// Keeps a copy of these bytes in `folder`. What is there already is not kept twice in a row.
pub(crate) fn keep(disk: &dyn Disk, folder: &Path, bytes: &[u8], now: Timestamp) -> io::Result<()> {
    disk.make_folder(folder)?;
    let copies = copies(folder)?;
    let first = folder.join(FIRST);
    let name = match copies.last() {
        _ if !first.exists() => FIRST.to_owned(),
        Some(last) if last.ends_with(&short_sum(bytes)) => return Ok(()),
        _ => format!("{}-{}", now.strftime("%Y%m%dT%H%M%S%3fZ"), short_sum(bytes)),
    };
    disk::replace(disk, "new", &folder.join(name), Some(bytes), None).map_err(|error| match error {
        NotReplaced::Io(error) => error,
        NotReplaced::Changed => io::Error::other("somebody else writes there"),
    })?;
    let copies = self::copies(folder)?;
    for old in copies.iter().take(copies.len().saturating_sub(KEPT)) {
        // One too many is no reason to leave the change undone.
        let _ = disk.remove(&folder.join(old));
    }
    Ok(())
}

fn short_sum(bytes: &[u8]) -> String {
    disk::sum(Some(bytes))[..12].to_owned()
}

/// The names of the copies but the first, in the order they were made.
fn copies(folder: &Path) -> io::Result<Vec<String>> {
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
