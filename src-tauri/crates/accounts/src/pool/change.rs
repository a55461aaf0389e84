//! What people do to the vault: import, sign in, label, remove. Pure changes of its contents.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::import::{Imported, fingerprint, identify};
use crate::named::UnfitLabel;
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

/// The label was not given.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    #[error(transparent)]
    Choose(#[from] ChooseError),
    #[error("a label has at most {LONGEST_LABEL} characters, none of them a control character")]
    Unfit,
    /// The account is asked for by its label.
    #[error(transparent)]
    Named(#[from] UnfitLabel),
    /// One could not tell them apart.
    #[error("{name} is called that already")]
    Taken { name: String },
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
    /// It cannot be the active one.
    #[error(
        "{name} serves only who asks for it by name, so it is never the active account: ask for the model {name}/MODEL, \
         or point a route or an alias at it (codeferry settings set route.opus {name}/MODEL)"
    )]
    Named { name: String },
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
    /// The tokens are another program's: they are not ours to revoke.
    pub read_only: bool,
}

// === impl ImportOutcome ===

impl ImportOutcome {
    /// The account was here before.
    pub fn was_known(self) -> bool {
        matches!(self, Self::Updated | Self::Unchanged)
    }
}

/// Where a credential comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file, perhaps an old one.
    File,
    /// The file of another program that goes on using it.
    ReadOnly(PathBuf),
    /// A person signed in just now: there is nothing newer.
    SignIn,
}

/// Longer ones do not fit into a line.
const LONGEST_LABEL: usize = 64;
/// The sign-in is sound and of no use (codex-backend.md §12).
const NOT_GRANTED: &str =
    "the sign-in does not allow using the ChatGPT plan: sign in again and leave plan usage switched on";

pub(super) fn import(contents: &mut Contents, imported: Imported, origin: Origin) -> Result<Import, ImportError> {
    let Imported { account, credential, plan_usage_granted, provisional } = imported;
    let id = account.id.clone();
    if let Some(known) = known_token(contents, &id, &credential, &origin)? {
        return Ok(known);
    }
    let generation = contents.last_generation + 1;
    let sign_in = (!plan_usage_granted).then(|| NOT_GRANTED.to_owned());
    let read_only = match &origin {
        Origin::ReadOnly(path) => Some(path.clone()),
        Origin::File | Origin::SignIn => None,
    };
    let outcome = match contents.entry_mut(&id) {
        None => {
            let entry = Entry::new(account, credential, generation);
            contents.entries.push(Entry { sign_in, read_only, provisional, ..entry });
            ImportOutcome::Added
        }
        Some(entry) => {
            let same = entry.credential.access_token == credential.access_token
                && entry.credential.refresh_token == credential.refresh_token
                && entry.read_only == read_only;
            let ended = entry.sign_in.is_some();
            // An account with a sign-in of its own needs no other program's.
            let own = read_only.is_some() && entry.read_only.is_none() && entry.credential.refresh_token.is_some();
            // What another program renewed for itself is not compared with what we hold.
            let from_file = origin == Origin::File && entry.read_only.is_none();
            if !ended && (same || own) {
                ImportOutcome::Unchanged
            } else if !ended && from_file && newer(&entry.credential, &credential) {
                return Err(ImportError::Older {
                    id,
                    name: entry.account.name().to_owned(),
                    stored: entry.credential.expires_at,
                    offered: credential.expires_at,
                });
            } else {
                entry.account.email = account.email.or(entry.account.email.take());
                entry.account.plan = account.plan.or(entry.account.plan.take());
                entry.account.label = entry.account.label.take().or(account.label);
                entry.credential = credential;
                entry.generation = generation;
                entry.sign_in = sign_in;
                entry.read_only = read_only;
                ImportOutcome::Updated
            }
        }
    };
    if outcome != ImportOutcome::Unchanged {
        contents.last_generation = generation;
    }
    // Named accounts do not count: they are never the active one.
    let first = contents.entries.iter().filter(|entry| !entry.account.kind.is_named()).count() == 1;
    if contents.active.is_none() && first {
        contents.active = Some(id.clone());
    }
    Ok(Import { active: contents.active.as_ref() == Some(&id), id, outcome })
}

/// What is to be said at once about a refresh token that was here before, under whatever name.
///
/// One that was spent here is refused, even if the file says nothing of its age: spending it again would end the sign-in
/// that came of it.
fn known_token(
    contents: &Contents,
    id: &AccountId,
    credential: &Credential,
    origin: &Origin,
) -> Result<Option<Import>, ImportError> {
    let Some(offered) = credential.refresh_token.as_ref().filter(|_| *origin == Origin::File) else { return Ok(None) };
    let print = fingerprint(offered);
    if let Some(entry) = contents.entries.iter().find(|entry| entry.spent.contains(&print)) {
        return Err(ImportError::Older {
            id: entry.account.id.clone(),
            name: entry.account.name().to_owned(),
            stored: entry.credential.expires_at,
            offered: credential.expires_at,
        });
    }
    let same = |entry: &&Entry| entry.account.id != *id && entry.credential.refresh_token.as_ref() == Some(offered);
    Ok(contents.entries.iter().find(same).map(|entry| Import {
        id: entry.account.id.clone(),
        outcome: ImportOutcome::Unchanged,
        active: contents.active.as_ref() == Some(&entry.account.id),
    }))
}

/// Put the renewed credential in the place of the one it came from. `false`: the account is gone.
pub(super) fn renew(contents: &mut Contents, id: &AccountId, generation: u64, new: &Credential) -> bool {
    let next = contents.last_generation + 1;
    let Some(entry) = contents.entry_mut(id) else { return false };
    // A write that failed at its last step may be there already: it is written once more, for the sake of that step.
    if entry.generation != generation && entry.credential != *new {
        return true;
    }
    if let Some(spent) = entry.credential.refresh_token.as_ref().filter(|old| Some(*old) != new.refresh_token.as_ref())
    {
        let print = fingerprint(spent);
        entry.note_spent(print);
    }
    entry.credential = new.clone();
    entry.generation = next;
    entry.sign_in = None;
    // Plans change, and so do addresses. What the new tokens do not say stays.
    if let Some(who) = identify(new, entry.account.chatgpt_account_id.clone()) {
        if entry.provisional {
            let named = who.account(entry.account.kind, entry.account.added_at);
            name(contents, id, named);
        } else {
            entry.account.email = who.email.or(entry.account.email.take());
            entry.account.plan = who.plan.or(entry.account.plan.take());
        }
    }
    contents.last_generation = next;
    true
}

/// The first renewal of a provisional account said whose it is: it takes its right name, or its sign-in goes to the
/// account of that name that is here already.
fn name(contents: &mut Contents, id: &AccountId, account: Account) {
    let Some(at) = contents.entries.iter().position(|entry| entry.account.id == *id) else { return };
    let mut provisional = contents.entries.remove(at);
    let named = account.id.clone();
    if let Some(known) = contents.entry_mut(&named) {
        known.account.email = account.email.or(known.account.email.take());
        known.account.plan = account.plan.or(known.account.plan.take());
        known.account.label = known.account.label.take().or(provisional.account.label);
        known.credential = provisional.credential;
        known.generation = provisional.generation;
        known.sign_in = None;
        known.read_only = None;
        for spent in provisional.spent {
            known.note_spent(spent);
        }
    } else {
        let (label, email) = (provisional.account.label.take(), provisional.account.email.take());
        provisional.account = Account { label, email: account.email.clone().or(email), ..account };
        provisional.provisional = false;
        contents.entries.insert(at, provisional);
    }
    if contents.active.as_ref() == Some(id) {
        contents.active = Some(named);
    }
}

/// A label as it may be given; blank is none.
pub(super) fn label(text: Option<String>) -> Result<Option<String>, LabelError> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { return Ok(None) };
    if text.chars().count() > LONGEST_LABEL || text.chars().any(char::is_control) {
        return Err(LabelError::Unfit);
    }
    Ok(Some(text))
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
