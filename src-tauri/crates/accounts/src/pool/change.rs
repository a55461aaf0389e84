//! What people do to the vault: import, switch, remove. Pure changes of its contents.

use std::sync::Arc;

use jiff::Timestamp;

use crate::import::Imported;
use crate::vault::{Contents, Entry};
use crate::{Account, AccountId, Credential, VaultError};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub id: AccountId,
    pub outcome: ImportOutcome,
    /// The account is the one that serves. The first account becomes it by itself.
    pub active: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportOutcome {
    Added,
    /// The account was known; its credential was replaced.
    Updated,
    /// The very same credential was here already.
    Unchanged,
}

/// The credential was not taken over.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(
        "{name} holds a newer sign-in than this file (until {stored}, the file until {offered}); it was not replaced. \
         To use the file all the same, remove the account first",
        stored = date(*.stored), offered = date(*.offered)
    )]
    Older { id: AccountId, name: String, stored: Option<Timestamp>, offered: Option<Timestamp> },
    /// Another process is renewing the account, or its lock cannot be had.
    #[error("{message}")]
    Busy { message: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// No account was chosen.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    #[error("no account is called {who:?}; {}", there_are(.known))]
    Unknown { who: String, known: Vec<String> },
    #[error("several accounts are called {who:?}: use the id ({})", .ids.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", "))]
    Ambiguous { who: String, ids: Vec<AccountId> },
    #[error("{message}")]
    Busy { message: String },
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// An account that was removed, with what is needed to revoke its tokens.
#[derive(Debug, Clone)]
pub struct Removed {
    pub account: Arc<Account>,
    pub credential: Arc<Credential>,
}

pub(super) fn import(contents: &mut Contents, imported: Imported) -> Result<Import, ImportError> {
    let Imported { account, credential } = imported;
    let id = account.id.clone();
    let generation = contents.last_generation + 1;
    let outcome = match contents.entry_mut(&id) {
        None => {
            contents.entries.push(Entry { account, credential, generation, sign_in: None });
            ImportOutcome::Added
        }
        Some(entry) => {
            let same = entry.credential.access_token == credential.access_token
                && entry.credential.refresh_token == credential.refresh_token;
            let ended = entry.sign_in.is_some();
            if same && !ended {
                ImportOutcome::Unchanged
            } else if !ended && newer(&entry.credential, &credential) {
                return Err(ImportError::Older {
                    id,
                    name: entry.account.name().to_owned(),
                    stored: entry.credential.expires_at,
                    offered: credential.expires_at,
                });
            } else {
                entry.account.email = account.email.or(entry.account.email.take());
                entry.account.plan = account.plan.or(entry.account.plan.take());
                entry.credential = credential;
                entry.generation = generation;
                entry.sign_in = None;
                ImportOutcome::Updated
            }
        }
    };
    if outcome != ImportOutcome::Unchanged {
        contents.last_generation = generation;
    }
    if contents.active.is_none() && contents.entries.len() == 1 {
        contents.active = Some(id.clone());
    }
    Ok(Import { active: contents.active.as_ref() == Some(&id), id, outcome })
}

/// Whether the credential we hold was issued after the one offered.
///
/// The ends are compared first: both were set by the auth host's clock. The time of the last refresh was taken from
/// two machines.
fn newer(stored: &Credential, offered: &Credential) -> bool {
    match (stored.expires_at, offered.expires_at) {
        (Some(stored), Some(offered)) if stored != offered => return stored > offered,
        _ => {}
    }
    matches!((stored.last_refresh, offered.last_refresh), (Some(stored), Some(offered)) if stored > offered)
}

pub(super) fn remove(contents: &mut Contents, id: &AccountId) -> Option<Entry> {
    let at = contents.entries.iter().position(|entry| entry.account.id == *id)?;
    if contents.active.as_ref() == Some(id) {
        // No other account steps in: whose plan pays is the user's to say.
        contents.active = None;
    }
    Some(contents.entries.remove(at))
}

/// The one account a person means.
pub(super) fn choose<'a>(accounts: impl Iterator<Item = &'a Account>, who: &str) -> Result<AccountId, ChooseError> {
    let accounts: Vec<_> = accounts.collect();
    let meant: Vec<_> = accounts.iter().filter(|account| account.answers_to(who)).collect();
    match meant.as_slice() {
        [account] => Ok(account.id.clone()),
        [] => Err(ChooseError::Unknown {
            who: who.to_owned(),
            known: accounts.iter().map(|account| account.name().to_owned()).collect(),
        }),
        several => Err(ChooseError::Ambiguous {
            who: who.to_owned(),
            ids: several.iter().map(|account| account.id.clone()).collect(),
        }),
    }
}

fn there_are(names: &[String]) -> String {
    match names {
        [] => "no account is signed in yet".to_owned(),
        names => format!("there are: {}", names.join(", ")),
    }
}

fn date(moment: Option<Timestamp>) -> String {
    moment.map_or_else(|| "an unknown date".to_owned(), |moment| moment.to_string())
}
