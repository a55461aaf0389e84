//! The pool: accounts in memory, lent one attempt at a time.
//!
//! Everything the pool knows lies behind one lock that is never held across an await. What must outlive the process is
//! in the [`Vault`]; changes go there first and come into memory from there, in the order of the file. Health
//! (cooldowns) lives in memory only.
//!
//! **Invariant:** a lease never holds a renewed token that is not on disk.

mod change;
mod inner;
mod renew;
mod state;

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

pub use self::change::{ChooseError, Import, ImportError, ImportOutcome, Removed};

use self::inner::{Inner, blocking};
use self::renew::{Outcome, outcome};
use self::state::{Held, Loaded, State};
use crate::import::Imported;
use crate::status::AccountStatus;
use crate::vault::{Vault, VaultError};
use crate::{Account, AccountId, Clock, Cooldown, Credential, Lease, NoAccount, RecoverError, Refresh, RefreshReason};

/// The accounts of this process. Copies are handles on the same pool.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

/// A vault that could not be read is not tried again at once: each try may cost the user a dialog.
const RELOAD_AFTER: SignedDuration = SignedDuration::from_secs(5);

// === impl Pool ===

impl Pool {
    /// A pool over that vault. Nothing is read yet: see [`reload`](Self::reload).
    pub fn new(vault: Vault, refresh: Arc<dyn Refresh>, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            vault,
            refresh,
            clock,
            state: Mutex::default(),
            file: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
            changed: watch::channel(Vec::new().into()).0,
            tasks: TaskTracker::new(),
        }))
    }

    /// An account for one attempt, with a token that is good for the next minutes.
    ///
    /// A token near its end is renewed first, once for all who ask; dropping the future disturbs nobody else. When the
    /// renewal fails, the old token is lent while it counts. Accounts in `excluded` were tried for this request.
    pub async fn lease(&self, excluded: &[AccountId]) -> Result<Lease, NoAccount> {
        self.loaded().await?;
        // The renewal this call waited for. It is not waited for twice: tokens may live shorter than our margin.
        let mut waited: Option<(AccountId, Option<String>)> = None;
        loop {
            let (id, renewal) = {
                let mut state = self.0.state();
                let now = (self.0.clock)();
                let picked = state.pick(excluded, now)?;
                let Some(held) = state.held_mut(&picked.id) else { return Err(NoAccount::None) };
                match waited.as_ref().filter(|(id, _)| *id == picked.id) {
                    None if held.due(now) => (picked.id, self.0.renewal(held, RefreshReason::ProactiveExpiry)),
                    None | Some((_, None)) => return Ok(held.lease(picked.why)),
                    Some((_, Some(failure))) if held.credential.expired(now) => {
                        return Err(NoAccount::RefreshFailed { account: held.blocked(failure) });
                    }
                    Some((_, Some(failure))) => {
                        return Ok(held.lease(format!("{}; not renewed: {failure}", picked.why)));
                    }
                }
            };
            let failure = match outcome(renewal).await {
                Outcome::Failed(why) => Some(why),
                Outcome::TooEarly(at) => Some(format!("not allowed before {at}")),
                Outcome::Renewed | Outcome::Dead | Outcome::Removed => None,
            };
            waited = Some((id, failure));
        }
    }

    /// A new token after the upstream refused this one.
    ///
    /// When the account holds another token by now, that one is lent and nothing is renewed. Else there is one renewal
    /// for all who were refused; it reads the vault first, where another process may have left a newer token.
    pub async fn recover(&self, refused: &Lease) -> Result<Lease, RecoverError> {
        let id = &refused.account.id;
        let mut waited = None;
        loop {
            let renewal = {
                let mut state = self.0.state();
                let held = state.held_mut(id).ok_or(RecoverError::Removed)?;
                if let Some(why) = &held.sign_in {
                    return Err(RecoverError::NeedsSignIn { account: held.blocked(why) });
                }
                if held.generation != refused.generation {
                    return Ok(held.lease(format!("{}; token renewed", refused.why)));
                }
                match waited {
                    Some(Outcome::TooEarly(at)) => {
                        return Err(RecoverError::TooEarly { account: held.blocked("token refused"), at });
                    }
                    Some(Outcome::Failed(why)) => {
                        return Err(RecoverError::RefreshFailed { account: held.blocked(why) });
                    }
                    // A renewal for another reason that found nothing to do: this one has something to do.
                    None | Some(Outcome::Renewed | Outcome::Dead | Outcome::Removed) => {
                        self.0.renewal(held, RefreshReason::UnauthorizedRecovery)
                    }
                }
            };
            waited = Some(outcome(renewal).await);
        }
    }

    /// Do not use this account before `until`. A new cooldown never shortens one.
    pub fn cool_down(&self, id: &AccountId, until: Timestamp, why: Cooldown) {
        self.0.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.rest(until, why);
            }
        });
    }

    /// End the cooldown: by hand, or because there is evidence of quota.
    pub fn wake(&self, id: &AccountId) {
        self.0.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.cooldown = None;
            }
        });
    }

    /// The upstream said that only a new sign-in helps. Known at once here, soon to other processes.
    pub fn needs_sign_in(&self, id: &AccountId, why: &str) {
        let Some(generation) = self.0.look(|state| state.held(id).map(|held| held.generation)) else { return };
        self.0.mark(id, generation, why);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (inner, id, why) = (Arc::clone(&self.0), id.clone(), why.to_owned());
            self.0.tasks.spawn_on(async move { inner.store_mark(id, generation, why).await }, &runtime);
        }
    }

    /// All accounts, in the order they were added.
    pub fn list(&self) -> Vec<AccountStatus> {
        let now = (self.0.clock)();
        self.0.look(|state| state.list(now))
    }

    /// The list after every change. The end of a cooldown is no change: it is in the list beforehand.
    pub fn subscribe(&self) -> watch::Receiver<Arc<[AccountStatus]>> {
        self.0.changed.subscribe()
    }

    /// Read the vault again: what other processes changed is seen from then on.
    ///
    /// On an error memory stays as it was.
    pub async fn reload(&self) -> Result<(), VaultError> {
        self.0.reload().await
    }

    /// [`reload`](Self::reload), if the file is another one than the last time. Cheap enough to ask every second: a
    /// file that could not be read is reported once, and the keychain is not asked for it again.
    pub async fn reload_if_changed(&self) -> Result<bool, VaultError> {
        let inner = Arc::clone(&self.0);
        let stamp = blocking(move || Ok::<_, VaultError>(inner.vault.stamp())).await?;
        let known = self.0.look(|state| state.tried == Some(stamp));
        if !known {
            self.reload().await?;
        }
        Ok(!known)
    }

    /// Add an account, or give a known one a new credential. The first account becomes the active one.
    pub async fn import(&self, imported: Imported) -> Result<Import, ImportError> {
        let lock = self.0.lock_account(&imported.account.id).await;
        let lock = lock.map_err(|message| ImportError::Busy { message })?;
        self.0.write(Some(lock), move |contents| change::import(contents, imported)).await
    }

    /// Make another account the active one: by id, label or e-mail address.
    pub async fn switch(&self, who: &str) -> Result<Arc<Account>, ChooseError> {
        let (account, ephemeral) = self.choose(who).await?;
        let id = account.id.clone();
        if !ephemeral {
            let chosen = id.clone();
            self.0
                .write::<_, ChooseError>(None, move |contents| {
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

    /// Forget an account. Its tokens are handed out a last time, so that they can be revoked.
    pub async fn remove(&self, who: &str) -> Result<Removed, ChooseError> {
        let (account, ephemeral) = self.choose(who).await?;
        let id = account.id.clone();
        let unknown = || ChooseError::Unknown { who: who.to_owned(), known: Vec::new() };
        if ephemeral {
            let credential = self.0.change(|state| {
                let at = state.accounts.iter().position(|held| held.account.id == id)?;
                state.active_here.take_if(|active| *active == id);
                Some(state.accounts.remove(at).credential)
            });
            return Ok(Removed { account, credential: credential.ok_or_else(unknown)? });
        }
        // Not in the middle of a renewal: its answer would come back to an account that is no more.
        let lock = self.0.lock_account(&id).await.map_err(|message| ChooseError::Busy { message })?;
        let removed = self.0.write(Some(lock), move |contents| Ok::<_, VaultError>(change::remove(contents, &id)));
        let entry = removed.await?.ok_or_else(unknown)?;
        Ok(Removed { account: Arc::new(entry.account), credential: Arc::new(entry.credential) })
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

    /// Wait until no token is under way. Call it before the process ends, with a limit on your patience: on a full
    /// disk a renewed token waits for room.
    pub async fn settle(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
    }

    async fn choose(&self, who: &str) -> Result<(Arc<Account>, bool), ChooseError> {
        if let Err(error) = self.reload().await {
            // An ephemeral account needs no vault.
            let found = self.0.look(|state| found(state, who)).ok().filter(|(_, ephemeral)| *ephemeral);
            return found.ok_or(ChooseError::Vault(error));
        }
        self.0.look(|state| found(state, who))
    }

    /// Read the vault if that was not done yet.
    async fn loaded(&self) -> Result<(), NoAccount> {
        let ready = || self.0.look(|state| state.active_here.is_some() || matches!(state.vault, Loaded::Read));
        if ready() {
            return Ok(());
        }
        let _one_at_a_time = self.0.loading.lock().await;
        if ready() {
            return Ok(());
        }
        let now = (self.0.clock)();
        let failed_just_now = self.0.look(|state| match &state.vault {
            Loaded::Failed { at, message } if now.duration_since(*at) < RELOAD_AFTER => Some(message.clone()),
            _ => None,
        });
        if let Some(message) = failed_just_now {
            return Err(NoAccount::Vault { message });
        }
        self.reload().await.map_err(|error| NoAccount::Vault { message: error.to_string() })
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("vault", &self.0.vault).finish_non_exhaustive()
    }
}

fn found(state: &State, who: &str) -> Result<(Arc<Account>, bool), ChooseError> {
    let id = change::choose(state.accounts.iter().map(|held| &*held.account), who)?;
    let unknown = || ChooseError::Unknown { who: who.to_owned(), known: Vec::new() };
    state.held(&id).map(|held| (Arc::clone(&held.account), held.ephemeral)).ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
