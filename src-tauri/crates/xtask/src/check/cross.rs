//! The lints of the programs for other systems. Nothing is linked and nothing is run: it finds code behind `cfg` that does
//! not compile there, before a runner of that system does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::place::Place;
use crate::{run, say, shell};

/// With the GNU tools, because they exist on Linux. What is given to people is built with Microsoft's, on Windows.
pub(crate) fn windows(place: &Place) -> Result<()> {
    const TARGET: &str = "x86_64-pc-windows-gnu";
    let compiler = "x86_64-w64-mingw32-gcc";
    if !run::on_path(compiler) {
        bail!("{compiler} is not there (on Debian: apt-get install gcc-mingw-w64-x86-64 g++-mingw-w64-x86-64)");
    }
    has_target(TARGET)?;
    lint(clippy(place, TARGET))
}

/// On a Mac with its own compiler; elsewhere with one that writes empty files, which is enough as nothing is linked.
pub(crate) fn macos(place: &Place) -> Result<()> {
    const TARGET: &str = "aarch64-apple-darwin";
    has_target(TARGET)?;
    let mut command = clippy(place, TARGET);
    if !cfg!(target_os = "macos") {
        let pretend = Pretend::make(&place.target.join("pretend"))?;
        let variable = |tool: &str| format!("{tool}_{}", TARGET.replace('-', "_"));
        command.env(variable("CC"), &pretend.compiler).env(variable("CXX"), &pretend.compiler);
        command.env(variable("AR"), &pretend.archiver);
    }
    lint(command)
}

fn clippy(place: &Place, target: &str) -> Command {
    run::cargo(place, &["clippy", "--quiet", "--target", target, "-p", "codeferry-cli", "-p", shell::PACKAGE])
}

fn lint(mut command: Command) -> Result<()> {
    say::note("minutes, the first time");
    run::run(command.args(["--", "-D", "warnings"]))
}

fn has_target(target: &str) -> Result<()> {
    let installed = run::output(Command::new("rustup").args(["target", "list", "--installed"]));
    if installed.is_ok_and(|targets| targets.lines().any(|line| line == target)) {
        return Ok(());
    }
    bail!("the standard library for {target} is not there: run `rustup target add {target}` and try again");
}

/// A C compiler and an archiver that compile nothing.
struct Pretend {
    compiler: PathBuf,
    archiver: PathBuf,
}

// === impl Pretend ===

impl Pretend {
    const COMPILER: &str = r#"#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in
    -E) exit 0 ;;
    -o) : > "$2"; shift ;;
  esac
  shift
done
"#;
    const ARCHIVER: &str = r#"#!/bin/sh
for file in "$@"; do
  case "$file" in
    *.a) : > "$file"; exit 0 ;;
  esac
done
"#;

    fn make(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let made = Self { compiler: folder.join("cc"), archiver: folder.join("ar") };
        for (path, script) in [(&made.compiler, Self::COMPILER), (&made.archiver, Self::ARCHIVER)] {
            // Written once: build scripts watch the compiler.
            if fs::read_to_string(path).is_ok_and(|have| have == script) {
                continue;
            }
            fs::write(path, script).with_context(|| format!("cannot write {}", path.display()))?;
            executable(path)?;
        }
        Ok(made)
    }
}

#[cfg(unix)]
fn executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn executable(_path: &Path) -> Result<()> {
    bail!("this needs a system that runs shell scripts")
}
