//! What people do: sign in, import, switch, label, pause, remove.

use std::path::PathBuf;
use std::sync::Arc;

use super::change::{self, Origin};
use super::held::Held;
use super::state::State;
use super::{ChooseError, Import, ImportError, LabelError, Pool, Removed, files};
use crate::import::Imported;
use crate::named;
use crate::vault::{Entry, VaultError};
use crate::{Account, AccountId, Credential, Kind};

// === impl Pool ===

impl Pool {
    /// Add an account from a file, or give a known one a new credential. The first account becomes the active one.
    ///
    /// An older sign-in than the one that is here is refused, and so is any refresh token that was spent here before.
    pub async fn import(&self, imported: Imported) -> Result<Import, ImportError> {
        self.take_in(imported, Origin::File).await
    }

    /// Take in a sign-in that was made just now. A known account keeps its id, label, priority and history.
    ///
    /// Without `plan_usage_granted` a plan account is kept, says so, and is not used.
    pub async fn add_signed_in(
        &self,
        account: Account,
        credential: Credential,
        plan_usage_granted: bool,
    ) -> Result<Import, ImportError> {
        let granted = plan_usage_granted || account.kind != Kind::Plan;
        let imported = Imported { plan_usage_granted: granted, ..Imported::new(account, credential) };
        self.take_in(imported, Origin::SignIn).await
    }

    /// Use the sign-in of another program without owning it: its access token is read from that `auth.json` whenever the
    /// file changes, and never renewed by us. An account with a sign-in of its own stays as it is.
    pub async fn add_read_only(&self, imported: Imported, path: PathBuf) -> Result<Import, ImportError> {
        self.take_in(files::without_refresh_token(imported), Origin::ReadOnly(path)).await
    }

    async fn take_in(&self, imported: Imported, origin: Origin) -> Result<Import, ImportError> {
        let lock = self.0.lock_account(&imported.account.id).await;
        let lock = lock.map_err(|message| ImportError::Busy { message })?;
        let done = self.0.write(vec![lock], move |contents| change::import(contents, imported, origin)).await?;
        if done.outcome != change::ImportOutcome::Unchanged {
            let now = (self.0.clock)();
            self.0.change(|state| {
                if let Some(held) = state.held_mut(&done.id) {
                    held.signed_in(now);
                }
            });
        }
        Ok(done)
    }

    /// Make another account the active one: by id, label or e-mail address.
    pub async fn switch(&self, who: &str) -> Result<Arc<Account>, ChooseError> {
        let (account, ephemeral) = self.choose(who).await?;
        if account.kind.is_named() {
            return Err(ChooseError::Named { name: account.name().to_owned() });
        }
        let id = account.id.clone();
        if !ephemeral {
            let chosen = id.clone();
            self.0
                .write::<_, ChooseError>(Vec::new(), move |contents| {
                    if contents.entry(&chosen).is_none() {
                        return Err(ChooseError::Unknown { who: chosen.to_string(), known: Vec::new() });
                    }
                    contents.active = Some(chosen);
                    Ok(())
                })
                .await?;
        }
        self.0.change(|state| state.active_here = ephemeral.then_some(id));
        Ok(account)
    }

    /// Who an account is.
    pub fn account(&self, id: &AccountId) -> Option<Arc<Account>> {
        self.0.look(|state| state.held(id).map(|held| Arc::clone(&held.account)))
    }

    /// Call an account something else, or nothing. No two accounts have the same label.
    pub async fn label(&self, who: &str, label: Option<String>) -> Result<Arc<Account>, LabelError> {
        let mut label = change::label(label)?;
        let (account, ephemeral) = self.choose(who).await?;
        if account.kind.is_named() {
            label = Some(named::label(label.as_deref().unwrap_or_default())?);
        }
        let id = account.id.clone();
        if ephemeral {
            self.0.change(|state| {
                if let Some(held) = state.held_mut(&id) {
                    held.account = Arc::new(Account { label, ..Account::clone(&held.account) });
                }
            });
        } else {
            let id = id.clone();
            let give = move |contents: &mut crate::vault::Contents| {
                let taken = |entry: &&Entry| {
                    entry.account.id != id && label.as_deref().is_some_and(|label| entry.account.answers_to(label))
                };
                if let Some(other) = contents.entries.iter().find(taken) {
                    return Err(LabelError::Taken { name: other.account.name().to_owned() });
                }
                let entry = contents.entry_mut(&id).ok_or_else(|| unknown(id.as_str()))?;
                entry.account.label = label;
                Ok(())
            };
            self.0.write(Vec::new(), give).await?;
        }
        Ok(self.0.look(|state| state.held(&id).map(|held| Arc::clone(&held.account))).unwrap_or(account))
    }

    /// Leave an account alone until it is resumed. Requests that run on it go on.
    pub async fn pause(&self, who: &str) -> Result<Arc<Account>, ChooseError> {
        self.adjust(who, |held| held.paused = true, |entry| entry.paused = true).await
    }

    /// Use a paused account again.
    pub async fn resume(&self, who: &str) -> Result<Arc<Account>, ChooseError> {
        self.adjust(who, |held| held.paused = false, |entry| entry.paused = false).await
    }

    /// Prefer an account to others, or others to it; they all begin at 0. Of no consequence in personal mode.
    pub async fn set_priority(&self, who: &str, priority: i32) -> Result<Arc<Account>, ChooseError> {
        self.adjust(who, move |held| held.priority = priority, move |entry| entry.priority = priority).await
    }

    async fn adjust(
        &self,
        who: &str,
        here: impl FnOnce(&mut Held),
        stored: impl FnOnce(&mut Entry) + Send + 'static,
    ) -> Result<Arc<Account>, ChooseError> {
        let (account, ephemeral) = self.choose(who).await?;
        if ephemeral {
            self.0.change(|state| state.held_mut(&account.id).map(here));
        } else {
            let id = account.id.clone();
            self.0
                .write(Vec::new(), move |contents| {
                    contents.entry_mut(&id).map(stored).ok_or_else(|| unknown(id.as_str()))
                })
                .await?;
        }
        Ok(account)
    }

    /// Forget an account. Its tokens are handed out a last time, so that they can be revoked.
    pub async fn remove(&self, who: &str) -> Result<Removed, ChooseError> {
        let (account, ephemeral) = self.choose(who).await?;
        let id = account.id.clone();
        if ephemeral {
            let credential = self.0.change(|state| forget_ephemeral(state, &id));
            return Ok(Removed { account, credential: credential.ok_or_else(|| unknown(who))?, read_only: false });
        }
        // Not in the middle of a renewal: its answer would come back to an account that is no more.
        let lock = self.0.lock_account(&id).await.map_err(|message| ChooseError::Busy { message })?;
        let removed = self.0.write(vec![lock], move |contents| Ok::<_, VaultError>(change::remove(contents, &id)));
        let removed = Removed::from(removed.await?.ok_or_else(|| unknown(who))?);
        self.forget_limits().await;
        Ok(removed)
    }

    /// Forget all accounts of the vault, or none if one of them is busy. Their tokens are handed out a last time.
    pub async fn clear(&self) -> Result<Vec<Removed>, ChooseError> {
        self.reload().await?;
        let ids: Vec<AccountId> = self.0.look(|state| {
            state.accounts.iter().filter(|held| !held.ephemeral).map(|held| held.account.id.clone()).collect()
        });
        let mut locks = Vec::with_capacity(ids.len());
        for id in &ids {
            locks.push(self.0.lock_account(id).await.map_err(|message| ChooseError::Busy { message })?);
        }
        let removed = self.0.write(locks, move |contents| {
            Ok::<_, VaultError>(ids.iter().filter_map(|id| change::remove(contents, id)).collect::<Vec<_>>())
        });
        let removed = removed.await?.into_iter().map(Removed::from).collect();
        self.forget_limits().await;
        Ok(removed)
    }

    /// What was seen of removed accounts goes with them.
    async fn forget_limits(&self) {
        if let Err(error) = self.flush().await {
            tracing::warn!(%error, "what was seen of a removed account's plan is still on disk");
        }
    }

    /// An account of this process only: never in the vault, and the active one here until another is switched to.
    pub fn add_ephemeral(&self, account: Account, credential: Credential) {
        self.0.change(|state| {
            state.ephemeral_generation += 1;
            state.active_here = Some(account.id.clone());
            state.accounts.retain(|held| held.account.id != account.id);
            let held = Held::new(account, credential, state.ephemeral_generation, true);
            state.accounts.push(held);
        });
    }

    /// The account a person means, and whether it is ephemeral.
    pub(super) async fn choose(&self, who: &str) -> Result<(Arc<Account>, bool), ChooseError> {
        if let Err(error) = self.reload().await {
            // An ephemeral account needs no vault.
            let found = self.0.look(|state| found(state, who)).ok().filter(|(_, ephemeral)| *ephemeral);
            return found.ok_or(ChooseError::Vault(error));
        }
        self.0.look(|state| found(state, who))
    }
}

fn forget_ephemeral(state: &mut State, id: &AccountId) -> Option<Arc<Credential>> {
    let at = state.accounts.iter().position(|held| held.account.id == *id)?;
    state.active_here.take_if(|active| active == id);
    state.quotas.remove(id);
    Some(state.accounts.remove(at).credential)
}

fn found(state: &State, who: &str) -> Result<(Arc<Account>, bool), ChooseError> {
    let id = change::choose(state.accounts.iter().map(|held| &*held.account), who)?;
    state.held(&id).map(|held| (Arc::clone(&held.account), held.ephemeral)).ok_or_else(|| unknown(who))
}

fn unknown(who: &str) -> ChooseError {
    ChooseError::Unknown { who: who.to_owned(), known: Vec::new() }
}

impl From<Entry> for Removed {
    fn from(entry: Entry) -> Self {
        let read_only = entry.read_only.is_some();
        Self { account: Arc::new(entry.account), credential: Arc::new(entry.credential), read_only }
    }
}
