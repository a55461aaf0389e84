//! Where things are: the workspace, the cache folder and the target folder.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folders every task works with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The root of the workspace.
    pub(crate) root: PathBuf,
    /// What the tasks install, in folders of their own.
    pub(crate) cache: PathBuf,
    /// Cargo's target folder. Outside of the clone, so that a fresh clone does not start from nothing.
    pub(crate) target: PathBuf,
}

// === impl Place ===

impl Place {
    pub(crate) fn find() -> Result<Self> {
        // Cargo sets the variable when it runs us; the compiled-in value serves a binary started by hand.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).ancestors().nth(3).context("the xtask crate is not three folders deep")?;
        let cache = cache_folder(env::var_os("XDG_CACHE_HOME").map(Into::into), home())
            .context("no cache folder: neither XDG_CACHE_HOME nor a home folder is known")?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache.join("target"), |dir| root.join(dir));
        Ok(Self { root: root.to_owned(), cache, target })
    }

    /// An executable that cargo built with the profile whose folder is `profile`.
    pub(crate) fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

fn home() -> Option<PathBuf> {
    env::var_os("HOME").or_else(|| env::var_os("USERPROFILE")).filter(|home| !home.is_empty()).map(Into::into)
}

/// Relative values of `XDG_CACHE_HOME` are invalid by the XDG base directory specification and are ignored.
fn cache_folder(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    let base = xdg.filter(|dir| dir.is_absolute()).or_else(|| home.map(|home| home.join(".cache")))?;
    Some(base.join("codeferry"))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::cache_folder;

    #[test]
    fn the_cache_follows_xdg_and_falls_back_to_the_home_folder() {
        let folder = |xdg: Option<&str>, home: Option<&str>| cache_folder(xdg.map(Into::into), home.map(Into::into));
        assert_eq!(folder(Some("/x"), Some("/h")), Some(PathBuf::from("/x/codeferry")));
        assert_eq!(folder(Some("relative"), Some("/h")), Some(PathBuf::from("/h/.cache/codeferry")));
        assert_eq!(folder(None, Some("/h")), Some(PathBuf::from("/h/.cache/codeferry")));
        assert_eq!(folder(None, None), None);
    }
}
