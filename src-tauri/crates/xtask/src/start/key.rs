//! The client key that `start` shows.
//!
//! The gateway keeps only a hash of each key, so the key of an earlier start is kept beside the other things of
//! `start`, readable by this user alone, as long as the gateway still knows it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::run;

/// The name under which the key appears in `codeferry keys list`.
const NAME: &str = "start";

/// The key of an earlier start, or a new one.
pub(crate) fn obtain(place: &Place, codeferry: &Path) -> Result<String> {
    let file = file(place, std::env::var("CODEFERRY_HOME").ok().as_deref());
    let kept = fs::read_to_string(&file).unwrap_or_default().trim().to_owned();
    match known(&run::output(Command::new(codeferry).args(["keys", "list"]))?, &kept) {
        Known::AsKept => return Ok(kept),
        Known::Otherwise => drop(run::output(Command::new(codeferry).args(["keys", "revoke", NAME]))?),
        Known::Not => {}
    }
    let key = run::output(Command::new(codeferry).args(["keys", "create", NAME]))?.trim().to_owned();
    keep(&file, &key).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key)
}

/// What the gateway knows of the key.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// It has the key that we have.
    AsKept,
    /// It has another one under this name, which nobody can show any more.
    Otherwise,
    Not,
}

/// A line of the list is name, time, and the last characters of the key behind an ellipsis.
fn known(list: &str, kept: &str) -> Known {
    let Some(line) = list.lines().find(|line| line.split_whitespace().next() == Some(NAME)) else {
        return Known::Not;
    };
    let ending = line.rsplit_once('…').map_or("", |(_, ending)| ending.trim());
    if !ending.is_empty() && kept.ends_with(ending) { Known::AsKept } else { Known::Otherwise }
}

/// One file for each data folder.
fn file(place: &Place, data_folder: Option<&str>) -> PathBuf {
    let name = data_folder.map_or_else(|| "default".to_owned(), |folder| folder.replace(['/', '\\', ':'], "_"));
    place.cache.join("start").join(format!("{name}.key"))
}

fn keep(file: &Path, key: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    if file.exists() {
        fs::remove_file(file)?;
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(key.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Known, known};

    #[test]
    fn a_kept_key_is_shown_only_while_the_gateway_has_that_very_key() {
        let list = "laptop  2026-11-20 10:00  …wxyz\nstart   2026-11-20 10:01  …abcd\n";
        assert_eq!(known(list, "key-abcd"), Known::AsKept);
        assert_eq!(known(list, "key-wxyz"), Known::Otherwise, "that is the laptop's");
        assert_eq!(known(list, ""), Known::Otherwise);
        assert_eq!(known("starter 2026-11-20 …abcd\n", "key-abcd"), Known::Not, "names are whole words");
        assert_eq!(known("", "key-abcd"), Known::Not);
    }
}
