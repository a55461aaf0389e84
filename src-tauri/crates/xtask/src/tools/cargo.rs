//! Tools from crates.io.

use std::env;
use std::path::PathBuf;

use anyhow::Result;

use super::{Pin, folder, installed};
use crate::place::Place;
use crate::run;

/// Builds a cargo subcommand into its own folder and gives its executable.
///
/// Built without optimisation: it runs for seconds, and building it well would take minutes more.
pub(crate) fn install(place: &Place, pin: Pin, features: &[&str]) -> Result<PathBuf> {
    let root = folder(&place.cache, "cargo", pin);
    installed(&root, &[pin], || {
        let at = format!("{}@{}", pin.name, pin.version);
        let mut command = run::cargo(place, &["install", "--quiet", "--locked", "--no-default-features", "--root"]);
        command.arg(&root).args(features).arg(at);
        // A target folder of its own: cargo removes it when the program stands.
        command.env("CARGO_TARGET_DIR", root.join("build"));
        for (key, value) in
            [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "256"), ("DEBUG", "0"), ("STRIP", "symbols")]
        {
            command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
        }
        run::run(&mut command)?;
        Ok(std::fs::remove_dir_all(root.join("build"))?)
    })?;
    Ok(root.join("bin").join(format!("{}{}", pin.name, env::consts::EXE_SUFFIX)))
}
