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
    let known = names_it(&run::output(Command::new(codeferry).args(["keys", "list"]))?);
    if known {
        if let Ok(key) = fs::read_to_string(&file) {
            return Ok(key.trim().to_owned());
        }
        run::output(Command::new(codeferry).args(["keys", "revoke", NAME]))?;
    }
    let key = run::output(Command::new(codeferry).args(["keys", "create", NAME]))?.trim().to_owned();
    keep(&file, &key).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(key)
}

/// One file for each data folder.
fn file(place: &Place, data_folder: Option<&str>) -> PathBuf {
    let name = data_folder.map_or_else(|| "default".to_owned(), |folder| folder.replace(['/', '\\', ':'], "_"));
    place.cache.join("start").join(format!("{name}.key"))
}

fn names_it(list: &str) -> bool {
    list.lines().any(|line| line.split_whitespace().any(|word| word == NAME))
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
    use super::names_it;

    #[test]
    fn the_key_is_found_by_its_whole_name() {
        assert!(names_it("laptop  2026-11-20\nstart   2026-11-20\n"));
        assert!(!names_it("starter 2026-11-20\n"));
        assert!(!names_it(""));
    }
}
