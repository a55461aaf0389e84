//! SHA-256 sums of files, written as `sha256sum` does and so read by it: `HEX  PATH` with paths relative to a folder.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// The lines for these files, in the order given. Paths use `/` on every system.
pub(crate) fn of(folder: &Path, files: &[String]) -> Result<String> {
    let mut lines = String::new();
    for file in files {
        let path = folder.join(file);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for byte in Sha256::digest(&bytes) {
            write!(lines, "{byte:02x}")?;
        }
        writeln!(lines, "  {file}")?;
    }
    Ok(lines)
}

/// The files whose sums in `recorded` are not those of the files in `folder`, and those which only one side has.
pub(crate) fn differing(recorded: &str, found: &str) -> Vec<String> {
    let one = recorded.lines().filter(|line| !found.lines().any(|other| other == *line));
    let other = found.lines().filter(|line| !recorded.lines().any(|one| one == *line));
    let mut names: Vec<_> =
        one.chain(other).map(|line| line.split_once("  ").map_or(line, |(_, name)| name).to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_what_sha256sum_prints() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "abc").unwrap();
        // The first example of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n";
        assert_eq!(of(folder.path(), &["a".to_owned()]).unwrap(), expected);
    }

    #[test]
    fn what_changed_came_or_went_is_named_once() {
        assert_eq!(differing("1  a\n2  b\n3  c\n", "1  a\n9  b\n4  d\n"), ["b", "c", "d"]);
        assert_eq!(differing("1  a\n", "1  a\n"), Vec::<String>::new());
    }
}
