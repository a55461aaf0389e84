//! Named accounts: adding them, and finding them by label.

use std::sync::Arc;

use super::{Import, ImportOutcome, NoAccount, Pool};
use crate::named::{self, NamedAccount, NamedError};
use crate::vault::Entry;
use crate::{Account, Credential};

// === impl Pool ===

impl Pool {
    /// Add a named account. One of the same label, kind and place gets the key and keeps all else; any other account
    /// that answers to the label is in the way.
    pub async fn add_named(&self, new: NamedAccount) -> Result<Import, NamedError> {
        if !new.kind.is_named() {
            return Err(NamedError::NotNamed(new.kind));
        }
        let label = named::label(&new.label)?;
        let now = (self.0.clock)();
        let done = self
            .0
            .write::<_, NamedError>(Vec::new(), move |contents| {
                let credential = Credential::key(new.key.clone());
                let known = contents.entries.iter().position(|entry| entry.account.answers_to(&label));
                if let Some(entry) = known.and_then(|at| contents.entries.get_mut(at)) {
                    let same = entry.account.kind == new.kind && place(&entry.account) == new.place();
                    if !same {
                        return Err(NamedError::Taken { label });
                    }
                    let id = entry.account.id.clone();
                    let unchanged = entry.credential == credential
                        && entry.account.endpoint == new.endpoint
                        && entry.account.program == new.program;
                    if unchanged && entry.sign_in.is_none() {
                        return Ok(Import { id, outcome: ImportOutcome::Unchanged, active: false });
                    }
                    contents.last_generation += 1;
                    entry.generation = contents.last_generation;
                    entry.account.endpoint = new.endpoint;
                    entry.account.program = new.program;
                    entry.credential = credential;
                    entry.sign_in = None;
                    return Ok(Import { id, outcome: ImportOutcome::Updated, active: false });
                }
                contents.last_generation += 1;
                let id = new.id(contents.last_generation);
                let account = Account {
                    id: id.clone(),
                    kind: new.kind,
                    email: None,
                    label: Some(label),
                    plan: None,
                    chatgpt_account_id: None,
                    user_id: None,
                    added_at: now,
                    endpoint: new.endpoint,
                    program: new.program,
                };
                contents.entries.push(Entry::new(account, credential, contents.last_generation));
                Ok(Import { id, outcome: ImportOutcome::Added, active: false })
            })
            .await?;
        if done.outcome != ImportOutcome::Unchanged {
            self.0.change(|state| {
                if let Some(held) = state.held_mut(&done.id) {
                    held.signed_in(now);
                }
            });
        }
        Ok(done)
    }

    /// Read the vault, if that was not done yet: after that [`named`](Self::named) knows all there are.
    pub async fn ready(&self) -> Result<(), NoAccount> {
        self.loaded().await
    }

    /// The named account of that label.
    pub fn named(&self, label: &str) -> Option<Arc<Account>> {
        self.0.look(|state| {
            let found = state
                .accounts
                .iter()
                .find(|held| held.account.kind.is_named() && held.account.label.as_deref() == Some(label));
            found.map(|held| Arc::clone(&held.account))
        })
    }

    /// All named accounts, in the order they were added.
    pub fn all_named(&self) -> Vec<Arc<Account>> {
        self.0.look(|state| {
            let named = state.accounts.iter().filter(|held| held.account.kind.is_named());
            named.map(|held| Arc::clone(&held.account)).collect()
        })
    }
}

fn place(account: &Account) -> Option<&str> {
    account.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())
}
