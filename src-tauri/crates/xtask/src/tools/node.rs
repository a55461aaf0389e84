//! Tools from the npm registry.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::{Pin, folder, installed};
use crate::place::Place;
use crate::run;

/// Installs a package into its own folder and gives the executable it brings.
pub(crate) fn install(place: &Place, pin: Pin, executable: &str) -> Result<PathBuf> {
    let prefix = folder(&place.cache, "npm", pin);
    installed(&prefix, &[pin], || {
        let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"]);
        run::run(command.arg(&prefix).arg(format!("{}@{}", pin.name, pin.version)))
    })?;
    let suffix = if cfg!(windows) { ".cmd" } else { "" };
    let executable = prefix.join("node_modules").join(".bin").join(format!("{executable}{suffix}"));
    if !run::is_file(&executable) {
        bail!("{} {} was installed but {} is missing", pin.name, pin.version, executable.display());
    }
    Ok(executable)
}
