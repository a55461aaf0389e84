//! The control token: whoever holds it may change accounts, keys and settings through the control API.
//!
//! One line in a file of its own, 0600. It is made when it is first asked for. Processes of the same user read it from
//! there; nobody else can.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use subtle::ConstantTimeEq as _;

use crate::durable::{self, Stamp};
use crate::random;

/// The control token of a data folder.
#[derive(Clone)]
pub struct ControlToken(Arc<Inner>);

struct Inner {
    path: PathBuf,
    held: Mutex<(Stamp, String)>,
}

/// There is no token to be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("cannot read the control token in {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot save the control token in {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("other users may read the control token in {} (mode {mode:o}): remove the file, a new one is made", .path.display())]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{} holds no control token: remove the file, a new one is made", .path.display())]
    Malformed { path: PathBuf },
    #[error("the system gave no random numbers: {0}")]
    Random(getrandom::Error),
}

// === impl ControlToken ===

impl ControlToken {
    /// The token in that file. The file is made if there is none.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, TokenError> {
        let path = path.into();
        let held = match load(&path)? {
            Some(held) => held,
            None => create(&path)?,
        };
        Ok(Self(Arc::new(Inner { path, held: Mutex::new(held) })))
    }

    /// The bare token. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> String {
        self.current()
    }

    /// Whether this is the token, in constant time. When the file was replaced, the new one counts.
    pub fn verify(&self, presented: &str) -> bool {
        self.current().as_bytes().ct_eq(presented.as_bytes()).into()
    }

    fn current(&self) -> String {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&self.0.path);
        if held.0 != stamp {
            // Removed or unreadable: the known one goes on to count until a new one is made.
            held.0 = stamp;
            match load(&self.0.path) {
                Ok(Some(newer)) => *held = newer,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the control token known so far goes on to count"),
            }
        }
        held.1.clone()
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlToken").field("path", &self.0.path).finish_non_exhaustive()
    }
}

fn load(path: &Path) -> Result<Option<(Stamp, String)>, TokenError> {
    let failed = |source| TokenError::Read { path: path.to_owned(), source };
    let stamp = Stamp::of(path);
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if let Some(mode) = durable::exposed(path).map_err(failed)? {
        return Err(TokenError::Exposed { path: path.to_owned(), mode });
    }
    let token = text.trim();
    if token.len() < 43 || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(TokenError::Malformed { path: path.to_owned() });
    }
    Ok(Some((stamp, token.to_owned())))
}

fn create(path: &Path) -> Result<(Stamp, String), TokenError> {
    let failed = |source| TokenError::Write { path: path.to_owned(), source };
    let _lock = durable::lock(path).map_err(failed)?;
    // Another process may have made it while we waited.
    if let Some(held) = load(path)? {
        return Ok(held);
    }
    let token = random::token().map_err(TokenError::Random)?;
    let stamp = durable::replace(path, format!("{token}\n").as_bytes()).map_err(failed)?;
    Ok((stamp, token))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{ControlToken, TokenError};

    #[test]
    fn it_is_made_once_and_shared() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("data").join("control.token");
        let tokens: Vec<_> = std::thread::scope(|scope| {
            let open = || ControlToken::open_or_create(&path).expect("a token").expose();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(tokens[0].len(), 43);
        assert!(tokens.iter().all(|token| *token == tokens[0]), "all processes have the same");
        assert!(ControlToken::open_or_create(&path).expect("a token").verify(&tokens[0]));
        assert!(!ControlToken::open_or_create(&path).expect("a token").verify("guess"));
    }

    #[test]
    fn a_new_one_counts_at_once() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("control.token");
        let running = ControlToken::open_or_create(&path).expect("a token");
        let old = running.expose();
        fs::remove_file(&path).expect("it was there");
        assert!(running.verify(&old), "until there is a new one");
        let new = ControlToken::open_or_create(&path).expect("a token").expose();
        assert_ne!(old, new);
        assert!(running.verify(&new) && !running.verify(&old));
    }

    #[cfg(unix)]
    #[test]
    fn one_that_others_may_read_is_no_token() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("control.token");
        ControlToken::open_or_create(&path).expect("a token");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
        assert!(matches!(ControlToken::open_or_create(&path), Err(TokenError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn an_empty_file_is_no_token() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("control.token");
        ControlToken::open_or_create(&path).expect("a token");
        fs::write(&path, "\n").expect("written");
        assert!(matches!(ControlToken::open_or_create(&path), Err(TokenError::Malformed { .. })));
    }

    #[test]
    fn debug_does_not_show_it() {
        let home = tempfile::tempdir().expect("a folder");
        let token = ControlToken::open_or_create(home.path().join("control.token")).expect("a token");
        assert!(!format!("{token:?}").contains(&token.expose()));
    }
}
