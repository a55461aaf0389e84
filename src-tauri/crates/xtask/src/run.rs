//! Running other programs.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::place::Place;

/// A cargo command in the workspace, with our target folder.
pub(crate) fn cargo(place: &Place, args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&place.root).args(args);
    tidy_environment(&mut command);
    command.env("CARGO_TARGET_DIR", &place.target);
    command
}

/// Removes what `cargo run` set for this program only.
///
/// Build scripts watch some of these (ring watches the package's name and version): a cargo started from here would
/// take the tree for changed, and the next one started by hand again.
pub(crate) fn tidy_environment(command: &mut Command) {
    for (key, _) in env::vars_os() {
        if is_for_this_package_only(&key) {
            command.env_remove(&key);
        }
    }
}

fn is_for_this_package_only(key: &OsStr) -> bool {
    let key = key.to_string_lossy();
    key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_") || key.starts_with("CARGO_BIN_")
}

/// Runs to the end; anything but success is an error naming the command.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line_of(command);
    let status = command.status().with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs to the end and gives what was printed on standard output. Standard error is part of the error, if there is one.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line_of(command);
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed something that is not UTF-8"))
}

/// Whether the command runs and succeeds. Nothing is shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// Whether a program of this name stands in one of the folders of `PATH`.
pub(crate) fn on_path(name: &str) -> bool {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|dir| is_file(&dir.join(&name))))
}

pub(crate) fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}

/// The command as one would type it, for messages.
fn line_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
    command.get_args().fold(name.into_owned(), |line, arg| line + " " + &arg.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_belongs_to_this_package_is_removed() {
        for key in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_BIN_NAME"] {
            assert!(is_for_this_package_only(OsStr::new(key)), "{key} makes build scripts run again");
        }
        for key in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "PATH", "RUSTFLAGS"] {
            assert!(!is_for_this_package_only(OsStr::new(key)), "{key} is the user's own");
        }
    }

    #[test]
    fn a_failing_command_is_named_with_its_arguments() {
        let mut command = Command::new(env!("CARGO"));
        let error = run(command.arg("no-such-subcommand-here").stderr(Stdio::null())).unwrap_err().to_string();
        assert!(error.contains("cargo no-such-subcommand-here"), "{error}");
        assert!(error.contains("failed"), "{error}");
    }
}
