//! Tools from the npm registry.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::{Pin, folder, installed};
use crate::place::Place;
use crate::run;

/// Installs a package into its own folder and gives the executable it brings.
pub(crate) fn install(place: &Place, pin: Pin, executable: &str) -> Result<PathBuf> {
    let suffix = if cfg!(windows) { ".cmd" } else { "" };
    let executable = modules(place, pin)?.join(".bin").join(format!("{executable}{suffix}"));
    there(pin, executable)
}

/// Installs a library into its own folder and gives the file that is imported.
pub(crate) fn library(place: &Place, pin: Pin, entry: &str) -> Result<PathBuf> {
    let entry = modules(place, pin)?.join(pin.name).join(entry);
    there(pin, entry)
}

fn modules(place: &Place, pin: Pin) -> Result<PathBuf> {
    let prefix = folder(&place.cache, "npm", pin);
    installed(&prefix, &[pin], || {
        let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.args(["install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "--prefix"]);
        run::run(command.arg(&prefix).arg(format!("{}@{}", pin.name, pin.version)))
    })?;
    Ok(prefix.join("node_modules"))
}

fn there(pin: Pin, file: PathBuf) -> Result<PathBuf> {
    if !run::is_file(&file) {
        bail!("{} {} was installed but {} is missing", pin.name, pin.version, file.display());
    }
    Ok(file)
}
