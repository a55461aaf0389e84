//! Tools from PyPI, each set in a virtual environment of its own.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Pin, folder, installed};
use crate::place::Place;
use crate::run;

/// A virtual environment with packages in it.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    root: PathBuf,
}

// === impl Environment ===

impl Environment {
    /// Makes the environment, named for its first package.
    pub(crate) fn install(place: &Place, pin: Pin) -> Result<Self> {
        let made = Self { root: folder(&place.cache, "python", pin) };
        installed(&made.root, &[pin], || {
            run::run(Command::new(interpreter()).args(["-m", "venv"]).arg(&made.root))
                .context("cannot make a virtual environment (on Debian: apt-get install python3-venv)")?;
            let package = format!("{}=={}", pin.name, pin.version);
            let mut pip = Command::new(made.program("python"));
            run::run(pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package]))
        })?;
        Ok(made)
    }

    /// An executable of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let folder = if cfg!(windows) { "Scripts" } else { "bin" };
        self.root.join(folder).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// The Python that is on the machine.
pub(crate) fn interpreter() -> &'static Path {
    Path::new(if cfg!(windows) { "python" } else { "python3" })
}
