//! Read-only accounts: the token of another program, taken from its file whenever that changes.
//!
//! **Invariant:** the file is never written, and its refresh token is never kept: a refresh token with two owners logs
//! one of them out (codex-backend.md §1).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;

use super::Pool;
use super::inner::blocking;
use crate::import::{self, Imported};
use crate::{AccountId, Kind, VaultError};

/// What mends a read-only account.
pub(super) const RUN_CODEX: &str = "run `codex` once, it renews its own sign-in";

/// Which file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileStamp {
    modified: Option<SystemTime>,
    len: u64,
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The token we have may still count.
    Unreadable(String),
    /// Somebody else signed in there. Their plan is not ours to use.
    OtherAccount(String),
}

struct Followed {
    id: AccountId,
    path: PathBuf,
    known: Option<FileStamp>,
}

/// What the file says now.
enum News {
    Token(Box<Imported>),
    Problem(Problem),
}

/// No auth.json is larger.
const LARGEST: u64 = 1024 * 1024;

// === impl Pool ===

impl Pool {
    /// Look whether the files of read-only accounts changed. Costs nothing while there are none.
    pub(super) async fn follow_files(&self) {
        let followed: Vec<Followed> = self.0.look(|state| {
            let read_only = |held: &super::Held| {
                let (id, path) = (held.account.id.clone(), held.read_only.clone()?);
                Some(Followed { id, path, known: held.file })
            };
            state.accounts.iter().filter_map(read_only).collect()
        });
        if followed.is_empty() {
            return;
        }
        let now = (self.0.clock)();
        let look = move || {
            let news = followed.into_iter().filter_map(|followed| look(followed, now)).collect::<Vec<_>>();
            Ok::<_, VaultError>(news)
        };
        for (id, stamp, news) in blocking(look).await.unwrap_or_default() {
            let problem = match news {
                News::Problem(problem) => Some(problem),
                News::Token(imported) => match self.take_over(&id, *imported).await {
                    Ok(()) => None,
                    Err(error) => {
                        tracing::warn!(account = %id, %error, "the token of the file is not taken over yet");
                        continue;
                    }
                },
            };
            self.0.change(|state| {
                if let Some(held) = state.held_mut(&id) {
                    held.file = stamp;
                    held.file_problem = problem;
                }
            });
        }
    }

    async fn take_over(&self, id: &AccountId, imported: Imported) -> Result<(), VaultError> {
        let wanted = id.clone();
        self.0
            .write(Vec::new(), move |contents| {
                let next = contents.last_generation + 1;
                let Some(entry) = contents.entry_mut(&wanted).filter(|entry| entry.read_only.is_some()) else {
                    return Ok(());
                };
                if entry.credential.access_token != imported.credential.access_token {
                    entry.account.plan = imported.account.plan.or(entry.account.plan.take());
                    entry.credential = imported.credential;
                    entry.generation = next;
                    entry.sign_in = None;
                    contents.last_generation = next;
                }
                Ok(())
            })
            .await
    }
}

fn look(followed: Followed, now: Timestamp) -> Option<(AccountId, Option<FileStamp>, News)> {
    let Followed { id, path, known } = followed;
    let unreadable = |error: &dyn std::fmt::Display| {
        News::Problem(Problem::Unreadable(format!("{} cannot be read: {error}", path.display())))
    };
    let stamp = match stamp(&path) {
        Ok(stamp) if Some(stamp) == known => return None,
        Ok(stamp) => stamp,
        Err(error) => return Some((id, None, unreadable(&error))),
    };
    // The bytes hold a refresh token that is not ours; they are gone when this returns.
    let news = match fs::read(&path).map(zeroize::Zeroizing::new) {
        Err(error) => unreadable(&error),
        Ok(bytes) => match import::read(Kind::Codex, &bytes, now) {
            Err(error) => unreadable(&error),
            Ok(imported) if imported.account.id != id => {
                let who = imported.account.name();
                let why = format!(
                    "{} belongs to {who} now: sign in there with this account, or remove it here",
                    path.display()
                );
                News::Problem(Problem::OtherAccount(why))
            }
            Ok(imported) => News::Token(Box::new(without_refresh_token(imported))),
        },
    };
    Some((id, Some(stamp), news))
}

/// What of a sign-in is kept that another program goes on using.
pub(super) fn without_refresh_token(mut imported: Imported) -> Imported {
    imported.credential.refresh_token = None;
    imported
}

fn stamp(path: &Path) -> io::Result<FileStamp> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(io::Error::other("not an auth.json"));
    }
    Ok(FileStamp { modified: metadata.modified().ok(), len: metadata.len() })
}
