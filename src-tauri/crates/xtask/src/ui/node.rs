//! Node.js, as it is on the machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::run;

/// What Vite needs: `engines` in `ui/package.json` says the same.
const LEAST: (u32, u32) = (20, 19);

/// Whether there is one that is new enough.
///
/// # Errors
/// A sentence that says what is missing.
pub(super) fn ensure() -> Result<()> {
    let (major, minor) = LEAST;
    let needed = format!("it takes Node.js {major}.{minor} or newer, with npm");
    let version = run::output(Command::new("node").arg("--version")).with_context(|| needed.clone())?;
    match parse(&version) {
        Some(version) if version >= LEAST => Ok(()),
        _ => bail!("{needed}; here is {}", version.trim()),
    }
}

/// `v20.19.4` as 20 and 19.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.trim().strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Runs npm in that folder.
pub(super) fn npm(folder: &Path, args: &[&str]) -> Result<()> {
    npm_with(folder, args, &[])
}

/// The same, with these paths in its environment.
pub(super) fn npm_with(folder: &Path, args: &[&str], paths: &[(&str, &Path)]) -> Result<()> {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(folder).args(args);
    // Nobody is told what is built here, and nobody is asked whether npm is new enough.
    command.env("npm_config_update_notifier", "false");
    run::run(command.envs(paths.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::{LEAST, parse};

    #[test]
    fn versions_are_read() {
        assert_eq!(parse("v20.19.4\n"), Some((20, 19)));
        assert!(parse("v22.1.0") >= Some(LEAST));
        assert!(parse("v20.9.0") < Some(LEAST));
        assert_eq!(parse("20.19.4"), None);
    }
}
