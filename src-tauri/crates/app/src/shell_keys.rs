//! The client keys of programs that are started from a shell (`codeferry run`, `codeferry env`).
//!
//! A key can be read only once, so a shell that asks for one each time it starts would need a new one each time. These are
//! kept in a file of their own, for the user alone, like the control token; there is one for each client.
//!
//! **Invariant:** a key is given only while it opens. One that was revoked is replaced by a new one, never brought back.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

use codeferry_store::{ClientKeys, KeyError};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Paths;
use crate::paths::replace;

const VERSION: u32 = 1;
/// Nobody has so many keys of one name.
const NAMES: u32 = 100;

/// No key could be had.
#[derive(Debug, thiserror::Error)]
pub enum ShellKeyError {
    /// The client keys cannot be read or written.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The keys of shells cannot be read or written.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A key, and whether it is a new one.
#[derive(Clone, PartialEq, Eq)]
pub struct ShellKey {
    /// The key.
    pub key: String,
    /// It was made just now: a gateway that runs does not know it yet.
    pub new: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    /// By what they were asked for.
    keys: BTreeMap<String, String>,
}

/// The key for this client when it is started from a shell: the one of last time while it opens, else a new one.
///
/// # Errors
/// When it cannot be kept; then it does not open either.
pub fn shell_key(paths: &Paths, client: &str, now: Timestamp) -> Result<ShellKey, ShellKeyError> {
    let path = paths.shell_keys();
    let failed = |source| ShellKeyError::Io { path: path.clone(), source };
    paths.make().map_err(failed)?;
    // Two shells that start at the same time get the same key.
    let _lock = lock(paths).map_err(failed)?;
    let keys = ClientKeys::open(paths.keys())?;
    let mut kept = read(paths).map_err(failed)?;
    if let Some(key) = kept.keys.get(client).filter(|key| keys.verify(key).is_some()) {
        return Ok(ShellKey { key: key.clone(), new: false });
    }
    let made = create(&keys, client, now)?;
    kept.version = VERSION;
    kept.keys.insert(client.to_owned(), made.key.clone());
    let written = serde_json::to_vec_pretty(&kept).map_err(io::Error::from).and_then(|bytes| replace(&path, &bytes));
    if let Err(source) = written {
        // It stands nowhere, so it is nobody's.
        keys.revoke(&made.name)?;
        return Err(failed(source));
    }
    Ok(ShellKey { key: made.key, new: true })
}

/// A name that is taken is somebody's, so the next one is tried.
fn create(keys: &ClientKeys, client: &str, now: Timestamp) -> Result<codeferry_store::NewKey, KeyError> {
    let mut at = 1;
    loop {
        let name = if at == 1 { format!("{client}-shell") } else { format!("{client}-shell-{at}") };
        match keys.create(&name, now) {
            Err(KeyError::NameTaken(_)) if at < NAMES => at += 1,
            made => return made,
        }
    }
}

/// A file that is no file of ours, or of a later form, counts as none: it is only a way to the same key again.
fn read(paths: &Paths) -> io::Result<Kept> {
    match std::fs::read(paths.shell_keys()) {
        Ok(bytes) => {
            let kept: Kept = serde_json::from_slice(&bytes).unwrap_or_default();
            Ok(if kept.version == VERSION { kept } else { Kept::default() })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::default()),
        Err(error) => Err(error),
    }
}

fn lock(paths: &Paths) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let lock = options.open(paths.shell_keys().with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

impl std::fmt::Debug for ShellKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShellKey").field("new", &self.new).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use codeferry_store::ClientKeys;
    use jiff::Timestamp;

    use super::shell_key;
    use crate::Paths;

    #[test]
    fn the_same_key_comes_until_it_is_revoked() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path());
        let ask = |client: &str| shell_key(&paths, client, Timestamp::UNIX_EPOCH).unwrap();
        let first = ask("claude-code");
        assert!(first.new);
        let again = ask("claude-code");
        assert_eq!((again.new, &again.key), (false, &first.key));
        assert_ne!(ask("codex").key, first.key, "each client has its own");

        let keys = ClientKeys::open(paths.keys()).unwrap();
        assert_eq!(keys.verify(&first.key).as_deref(), Some("claude-code-shell"));
        keys.revoke("claude-code-shell").unwrap();
        let new = ask("claude-code");
        assert!(new.new && new.key != first.key);
        assert_eq!(keys.verify(&first.key), None, "what was revoked stays so");
        assert!(!format!("{new:?}").contains(&new.key));
    }

    #[test]
    fn a_name_or_a_file_that_is_somebody_elses_is_no_hindrance() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::at(home.path());
        let keys = ClientKeys::open(paths.keys()).unwrap();
        keys.create("codex-shell", Timestamp::UNIX_EPOCH).unwrap();
        std::fs::write(paths.shell_keys(), "{").unwrap();
        let key = shell_key(&paths, "codex", Timestamp::UNIX_EPOCH).unwrap().key;
        assert_eq!(keys.verify(&key).as_deref(), Some("codex-shell-2"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(paths.shell_keys()).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600);
        }
    }
}
