//! Installs a package on this machine, uses it as a person would, and removes it.
//!
//! What a person would do is what the tests of the desktop do: they start the program, read and click its tray, open and
//! close its window, and quit. Here they are given the installed program. They bring a display, a session bus and a home of
//! their own, so nothing of the machine but the package itself is touched.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say};

/// The name in the databases of dpkg and rpm.
const PACKAGE: &str = "codeferry";
/// Where the packages put what.
const PROGRAM: &str = "usr/bin/codeferry-desktop";
const HEADLESS: &str = "usr/bin/codeferry";
const INSTALLED_BY: &str = "usr/share/codeferry/installed-by";
const ENTRY: &str = "usr/share/applications/Codeferry.desktop";
/// What the window needs and the program does not link, so that nobody finds it by reading the program.
const ENGINE: &str = "libwebkit2gtk-4.1";
/// The tests that are given the installed programs, by the beginning of their names.
const TESTS: [&str; 4] = ["life::", "tray::", "onboarding::", "web_engine::"];
/// It makes the gateway break off by a signal that only builds for tests understand.
const FOR_TEST_BUILDS: &str = "life::a_broken_gateway_is_shown_and_comes_back";

pub(super) fn run(place: &Place, packages: &Path) -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("packages are verified on Debian; on this system install them by hand");
    }
    let root = run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    ensure!(root, "only root can install packages: run this again as root, best in a container");
    sums(packages)?;
    let mut verified = 0;
    for file in super::names(packages)? {
        let path = packages.join(&file);
        if file.ends_with(".deb") {
            say::step(&format!("verifying {file}"));
            deb(place, &path)?;
        } else if file.ends_with(".rpm") {
            say::step(&format!("verifying {file}"));
            rpm(place, &path)?;
        } else {
            continue;
        }
        verified += 1;
    }
    ensure!(verified > 0, "there is neither a deb nor an rpm in {}", packages.display());
    say::data("The packages install, run, and leave nothing behind.");
    Ok(())
}

/// As somebody who downloaded the files would.
fn sums(packages: &Path) -> Result<()> {
    run::output(Command::new("sha256sum").current_dir(packages).args(["--check", "--quiet", "SHA256SUMS"])).map(drop)
}

fn deb(place: &Place, package: &Path) -> Result<()> {
    let installed = || run::succeeds(Command::new("dpkg").args(["--status", PACKAGE]));
    ensure!(!installed(), "{PACKAGE} is installed here: remove it first, or verify in a container");
    asks_for_engine(&run::output(Command::new("dpkg-deb").arg("--field").arg(package).arg("Depends"))?)?;
    run::output(Command::new("dpkg").arg("--install").arg(package))?;
    let listed = run::output(Command::new("dpkg").args(["--listfiles", PACKAGE]));
    let used = listed.and_then(|listed| use_it(place, Path::new("/")).map(|()| listed));
    // Whatever came of it.
    run::output(Command::new("dpkg").args(["--remove", PACKAGE]))?;
    nothing_left(Path::new("/"), &used?)?;
    ensure!(!installed(), "dpkg still knows {PACKAGE}");
    Ok(())
}

/// Into a folder: Debian's own database of packages is dpkg's.
fn rpm(place: &Place, package: &Path) -> Result<()> {
    debian::ensure(&[debian::RPM])?;
    let root = place.target.join("bundle-input/rpm-root");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| format!("cannot clear {}", root.display()))?;
    }
    fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
    let rpm = || {
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(&root);
        rpm
    };
    asks_for_engine(&run::output(rpm().args(["--query", "--requires", "--package"]).arg(package))?)?;
    run::output(rpm().args(["--install", "--nodeps"]).arg(package))?;
    let listed = run::output(rpm().args(["--query", "--list", PACKAGE]))?;
    use_it(place, &root)?;
    run::output(rpm().args(["--erase", PACKAGE]))?;
    nothing_left(&root, &listed)
}

fn asks_for_engine(depends: &str) -> Result<()> {
    ensure!(depends.contains(ENGINE), "the package does not bring {ENGINE}, which the window needs: {depends}");
    Ok(())
}

fn use_it(place: &Place, root: &Path) -> Result<()> {
    let version = super::version(place)?;
    for program in [PROGRAM, HEADLESS] {
        let says = run::output(Command::new(root.join(program)).arg("--version"))?;
        ensure!(says.contains(&version), "{program} says that it is {}", says.trim());
    }
    let by = fs::read_to_string(root.join(INSTALLED_BY)).context("the package does not say who installed it")?;
    ensure!(by.contains("package"), "{INSTALLED_BY} says {by}");
    let entry = fs::read_to_string(root.join(ENTRY)).context("there is no entry for the menu")?;
    ensure!(entry.contains("\nExec=codeferry-desktop %u\n"), "the menu starts something else:\n{entry}");
    ensure!(entry.contains("x-scheme-handler/codeferry"), "links are not ours:\n{entry}");
    if run::on_path("desktop-file-validate") {
        run::output(Command::new("desktop-file-validate").arg(root.join(ENTRY)))?;
    }
    tests(place, root)
}

fn tests(place: &Place, root: &Path) -> Result<()> {
    debian::ensure(&[debian::SCREEN])?;
    let tests = || run::cargo(place, &["test", "--quiet", "-p", "codeferry-tests", "--test", "desktop", "--"]);
    // A name that nothing has any more would pass, too.
    let listed = run::output(tests().args(TESTS).arg("--list"))?;
    for name in TESTS {
        ensure!(listed.lines().any(|line| line.starts_with(name)), "no test is called {name}");
    }
    let mut command = tests();
    command.args(TESTS).args(["--skip", FOR_TEST_BUILDS]);
    command.env("CODEFERRY_DESKTOP_BIN", root.join(PROGRAM)).env("CODEFERRY_BIN", root.join(HEADLESS));
    run::run(&mut command)
}

/// Whether all files of the package are gone, and the folder that is its own.
fn nothing_left(root: &Path, listed: &str) -> Result<()> {
    let paths = listed.lines().map(|line| root.join(line.trim_start_matches('/')));
    let left: Vec<PathBuf> = paths.filter(|path| path.is_file() || path.ends_with("share/codeferry")).collect();
    let left: Vec<_> = left.into_iter().filter(|path| path.exists()).collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_stayed_is_named_and_a_shared_folder_is_not() {
        let root = tempfile::tempdir().unwrap();
        let listed = "/usr\n/usr/bin\n/usr/bin/codeferry\n/usr/share/codeferry\n/usr/share/codeferry/installed-by\n";
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        nothing_left(root.path(), listed).unwrap();
        fs::write(root.path().join("usr/bin/codeferry"), "").unwrap();
        fs::create_dir_all(root.path().join("usr/share/codeferry")).unwrap();
        let error = nothing_left(root.path(), listed).unwrap_err().to_string();
        assert!(error.contains("usr/bin/codeferry") && error.contains("share/codeferry"), "{error}");
    }
}
