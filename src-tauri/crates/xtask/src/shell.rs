//! The desktop shell, as far as the tasks must know it: it links libraries that not every machine has.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Result, ensure};

use crate::place::Place;
use crate::tools::debian;
use crate::{run, say, ui};

/// Its package.
pub(crate) const PACKAGE: &str = "codeferry-desktop";

/// Whether the shell can be built here. Installs what is missing where that is allowed; says once what is left out.
pub(crate) fn buildable() -> bool {
    static BUILDABLE: OnceLock<bool> = OnceLock::new();
    *BUILDABLE.get_or_init(|| match debian::ensure(&[debian::DESKTOP]) {
        Ok(()) => true,
        Err(error) => {
            say::step(&format!("the desktop app is left out: {error:#}"));
            false
        }
    })
}

/// What stands for all packages on cargo's command line, as far as they can be built here.
pub(crate) fn everything() -> &'static [&'static str] {
    if buildable() { &["--workspace"] } else { &["--workspace", "--exclude", PACKAGE] }
}

/// Builds the app and the gateway for a desktop that nobody sees, and says to a command where they are.
pub(crate) fn under_test(place: &Place, profile: &str, command: &mut Command) -> Result<()> {
    debian::wish(&[debian::SCREEN]);
    let mut build = run::cargo(place, &["build", "--quiet", "-p", PACKAGE, "-p", "codeferry-cli"]);
    build.args(["--bin", PACKAGE, "--bin", "codeferry"]);
    if profile == "release" {
        build.arg("--release");
    }
    run::run(&mut build)?;
    command.env("CODEFERRY_DESKTOP_BIN", place.built(profile, PACKAGE));
    command.env("CODEFERRY_BIN", place.built(profile, "codeferry"));
    Ok(())
}

/// `cargo xtask shots`: the pictures of the documents, taken of the app as it is.
pub(crate) fn shots(place: &Place) -> Result<()> {
    ensure!(buildable(), "without the app there is nothing to take pictures of");
    debian::ensure(&[debian::SCREEN])?;
    ui::build(place)?;
    let folder: PathBuf = place.root.join("docs/img");
    let mut tests = run::cargo(place, &["test", "--quiet", "-p", "codeferry-tests", "--test", "desktop"]);
    tests.args(["--", "--nocapture", "--test-threads=1", "pictures::"]).env("CODEFERRY_SHOTS", &folder);
    say::step("building the desktop app");
    under_test(place, "debug", &mut tests)?;
    say::step("taking pictures");
    run::run(&mut tests)?;
    say::data(&folder.display().to_string());
    Ok(())
}
