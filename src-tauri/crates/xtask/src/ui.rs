//! The dashboard: `ui`, its packages and its build, each made again only when what it is made of has changed.
//!
//! Packages lie in the cache, in a folder named after the lock file, and `ui/node_modules` leads there: a fresh clone has them
//! at once. `ui/dist` holds the sum of the sources it was built from.

mod node;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use crate::place::Place;
use crate::tools::debian;
use crate::{say, sums};

/// What decides which packages there are.
const LOCKED: [&str; 2] = ["package.json", "package-lock.json"];
/// What the build reads. What it writes itself ends in `.gen.ts`.
const SOURCES: [&str; 10] = [
    "index.html",
    "messages",
    "package-lock.json",
    "package.json",
    "public",
    "scripts",
    "shell.html",
    "src",
    "svelte.config.js",
    "vite.config.ts",
];
/// In `node_modules`: which lock file it was installed from. In `dist`: which sources it was built from.
const STAMP: &str = ".made-from";

/// Builds the dashboard if that is due. Where it cannot be built, says so and goes on: the gateway does without.
pub(crate) fn build_if_possible(place: &Place) {
    debian::wish(&[debian::NODE]);
    if let Err(error) = build(place) {
        say::note(&format!("the dashboard is left out or stays as it is: {error:#}"));
    }
}

/// Builds the dashboard if that is due.
///
/// # Errors
/// When Node.js is not there, or a package cannot be had, or the build fails.
pub(crate) fn build(place: &Place) -> Result<()> {
    let (folder, dist) = (folder(place), folder(place).join("dist"));
    let sum = sum_of(&folder, &SOURCES)?;
    if is_made_from(&dist, &sum) && dist.join("index.html").is_file() {
        return Ok(());
    }
    install(place)?;
    say::step("building the dashboard");
    node::npm(&folder, &["run", "--silent", "build"])?;
    fs::write(dist.join(STAMP), sum).with_context(|| format!("cannot write into {}", dist.display()))
}

/// Types, lints, the import rule and the sentences.
pub(crate) fn check(place: &Place) -> Result<()> {
    install(place)?;
    node::npm(&folder(place), &["run", "--silent", "check"])
}

/// The tests of what has no page.
pub(crate) fn test(place: &Place) -> Result<()> {
    install(place)?;
    node::npm(&folder(place), &["run", "--silent", "test"])
}

/// The tests of its pages, in a browser, served by that gateway. Where there is no browser they say so and pass.
pub(crate) fn test_pages(place: &Place, gateway: &Path) -> Result<()> {
    install(place)?;
    node::npm_with(&folder(place), &["run", "--silent", "e2e"], &[("CODEFERRY_BIN", gateway)])
}

/// What a minute of a busy gateway costs each page, in a browser.
pub(crate) fn soak(place: &Place, gateway: &Path) -> Result<()> {
    install(place)?;
    node::npm_with(&folder(place), &["run", "--silent", "soak"], &[("CODEFERRY_BIN", gateway)])
}

/// The packages, as the lock file says.
fn install(place: &Place) -> Result<()> {
    node::ensure()?;
    let (folder, modules) = (folder(place), folder(place).join("node_modules"));
    let sum = sum_of(&folder, &LOCKED)?;
    if is_made_from(&modules, &sum) {
        return Ok(());
    }
    let real = modules.symlink_metadata().is_ok_and(|there| !there.is_symlink());
    if real || !cfg!(unix) {
        // Somebody works here with npm, or links are not for everybody on this system.
        say::step("installing the packages of the dashboard");
        node::npm(&folder, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
        return fs::write(modules.join(STAMP), sum).with_context(|| format!("cannot write into {}", modules.display()));
    }
    let shared = in_cache(place, &folder, &sum)?;
    lead(&modules, &shared)
}

/// The packages in the cache, installed if they are not there yet.
fn in_cache(place: &Place, folder: &Path, sum: &str) -> Result<PathBuf> {
    let home = place.cache.join("ui").join(sum.get(..16).unwrap_or(sum));
    let modules = home.join("node_modules");
    if is_made_from(&modules, sum) {
        return Ok(modules);
    }
    say::step(&format!("installing the packages of the dashboard into {}", home.display()));
    if home.exists() {
        fs::remove_dir_all(&home).with_context(|| format!("cannot clear {}", home.display()))?;
    }
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    for name in LOCKED {
        fs::copy(folder.join(name), home.join(name)).with_context(|| format!("cannot copy {name}"))?;
    }
    node::npm(&home, &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
    fs::write(modules.join(STAMP), sum).with_context(|| format!("cannot write into {}", modules.display()))?;
    Ok(modules)
}

#[cfg(unix)]
fn lead(link: &Path, to: &Path) -> Result<()> {
    if link.symlink_metadata().is_ok() {
        fs::remove_file(link).with_context(|| format!("cannot remove {}", link.display()))?;
    }
    std::os::unix::fs::symlink(to, link).with_context(|| format!("cannot make {}", link.display()))
}

#[cfg(not(unix))]
fn lead(link: &Path, _to: &Path) -> Result<()> {
    bail!("{} is not made on this system", link.display())
}

fn folder(place: &Place) -> PathBuf {
    place.root.join("ui")
}

fn is_made_from(made: &Path, sum: &str) -> bool {
    fs::read_to_string(made.join(STAMP)).is_ok_and(|found| found == sum)
}

/// One sum over all these files and folders, by name and content.
fn sum_of(folder: &Path, names: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for name in names {
        collect(folder, name, &mut files)?;
    }
    files.sort();
    if files.is_empty() {
        bail!("nothing is in {}", folder.display());
    }
    let lines = sums::of(folder, &files)?;
    Ok(Sha256::digest(lines.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files below, by paths with `/`.
fn collect(folder: &Path, name: &str, files: &mut Vec<String>) -> Result<()> {
    let path = folder.join(name);
    if !path.is_dir() {
        if !name.ends_with(".gen.ts") {
            files.push(name.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))? {
        let entry = entry?.file_name();
        collect(folder, &format!("{name}/{}", entry.to_string_lossy()), files)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn the_sum_follows_names_and_contents_but_not_what_is_written_by_the_build() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        write(folder, "src/main.ts", "1");
        write(folder, "src/deep/a.svelte", "2");
        let sum = || sum_of(folder, &["src"]).unwrap();
        let before = sum();
        write(folder, "src/i18n/messages.gen.ts", "3");
        assert_eq!(sum(), before, "what the build writes does not make it due");
        write(folder, "src/main.ts", "4");
        let changed = sum();
        assert_ne!(changed, before);
        fs::rename(folder.join("src/main.ts"), folder.join("src/other.ts")).unwrap();
        assert_ne!(sum(), changed);
        assert!(sum_of(folder, &["missing"]).is_err());
    }

    #[test]
    fn what_was_made_from_something_else_is_made_again() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(!is_made_from(scratch.path(), "1"), "nobody says what it was made from");
        write(scratch.path(), STAMP, "1");
        assert!(is_made_from(scratch.path(), "1"));
        assert!(!is_made_from(scratch.path(), "2"));
    }

    /// The folder of this very clone: a renamed file would otherwise silently be left out of the sum.
    #[test]
    fn every_source_that_is_named_exists() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui");
        for name in SOURCES.iter().chain(&LOCKED) {
            assert!(folder.join(name).exists(), "{name}");
        }
    }
}
