//! The pool: accounts in memory, lent one attempt at a time.
//!
//! Everything the pool knows lies behind one lock that is never held across an await. What must outlive the process is
//! in the [`Vault`]; changes go there first and come into memory from there, in the order of the file. Health (cooldowns)
//! and which conversation is with whom live in memory only; what was seen of the plans is written beside the vault.
//!
//! **Invariant:** a lease never holds a renewed token that is not on disk.

mod change;
mod files;
mod health;
mod held;
mod inner;
mod limits;
mod named;
mod people;
mod ready;
mod renew;
mod state;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::task::TaskTracker;

pub use self::change::{ChooseError, Import, ImportError, ImportOutcome, LabelError, Removed};
pub use self::limits::FlushError;
pub use self::ready::Readiness;

use self::held::Held;
use self::inner::{Inner, blocking};
use self::renew::{Outcome, outcome};
use self::state::{Loaded, State};
use crate::pick::Picked;
use crate::status::AccountStatus;
use crate::vault::{Vault, VaultError};
use crate::{
    AccountId, Blocked, Clock, Kind, Lease, NoAccount, RecoverError, Refresh, RefreshReason, Rotation, Secret, Want,
};

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
            noting: AtomicBool::new(false),
            hurry: Notify::new(),
            flushing: tokio::sync::Mutex::default(),
        }))
    }

    /// How requests are spread over several accounts, from now on.
    pub fn set_rotation(&self, rotation: Rotation) {
        self.0.change(|state| state.rotation = rotation);
    }

    pub fn rotation(&self) -> Rotation {
        self.0.look(|state| state.rotation)
    }

    /// Whose clock the reasons speak of. UTC if nobody says.
    pub fn set_time_zone(&self, zone: TimeZone) {
        self.0.change(|state| state.zone = zone);
    }

    /// [`lease_for`](Self::lease_for) a request that belongs to no conversation.
    pub async fn lease(&self, excluded: &[AccountId]) -> Result<Lease, NoAccount> {
        self.lease_for(Want { excluded, ..Want::default() }).await
    }

    /// An account for one attempt, with a token that is good for the next minutes.
    ///
    /// A token near its end is renewed first, once for all who ask; dropping the future disturbs nobody else. When the
    /// renewal fails, the old token is lent while it counts; after that another account is, where one may step in.
    pub async fn lease_for(&self, want: Want<'_>) -> Result<Lease, NoAccount> {
        self.loaded().await?;
        self.lend(want, State::pick).await
    }

    /// This very account, paused, resting or not: to look at its limits, for example. It is nobody's turn.
    pub async fn lease_of(&self, id: &AccountId) -> Result<Lease, NoAccount> {
        self.loaded().await?;
        let choose = |state: &State, want: &Want<'_>, now: Timestamp| {
            let held = state.held(id).filter(|_| !want.excluded.contains(id)).ok_or_else(|| not_here(id))?;
            match held.blocked_sign_in(now) {
                Some(why) => Err(NoAccount::NeedsSignIn { accounts: vec![held.blocked(why)] }),
                None => Ok(Picked::of(&held.view(None), "asked for", None).for_a_look()),
            }
        };
        self.lend(Want::default(), choose).await
    }

    /// This very account with the token it has, which is not renewed, however old it is: to see whether it works without
    /// spending anything.
    pub async fn lease_as_is(&self, id: &AccountId) -> Result<Lease, NoAccount> {
        self.loaded().await?;
        self.follow_files().await;
        let mut state = self.0.state();
        let held = state.held(id).ok_or_else(|| not_here(id))?;
        if held.provisional {
            let account = held.blocked("it has no token yet: the first request renews it");
            return Err(NoAccount::RefreshFailed { account });
        }
        let picked = Picked::of(&held.view(None), "asked for as it is", None).for_a_look();
        state.lend(picked, None, (self.0.clock)()).ok_or(NoAccount::None)
    }

    /// The client a plan sign-in was issued, and the id token that names its user: the account's next sign-in goes over
    /// them (codex-backend.md §12).
    pub fn issued_client(&self, id: &AccountId) -> Option<(String, Option<Secret>)> {
        self.0.look(|state| {
            let held = state.held(id).filter(|held| held.account.kind == Kind::Plan)?;
            Some((held.credential.client_id.clone()?, held.credential.id_token.clone()))
        })
    }

    async fn lend(
        &self,
        want: Want<'_>,
        choose: impl Fn(&State, &Want<'_>, Timestamp) -> Result<Picked, NoAccount>,
    ) -> Result<Lease, NoAccount> {
        self.follow_files().await;
        // The renewal this call waited for. It is not waited for twice: tokens may live shorter than our margin.
        let mut waited: Option<(AccountId, Option<String>)> = None;
        let mut excluded = want.excluded.to_vec();
        // Why an account that was picked has no token. Whoever comes next steps in for it, if anybody may.
        let mut without: Option<NoAccount> = None;
        loop {
            let (id, renewal) = {
                let mut state = self.0.state();
                let now = (self.0.clock)();
                let mut picked = match choose(&state, &Want { excluded: &excluded, ..want }, now) {
                    Ok(picked) => picked,
                    Err(none) => return Err(without.unwrap_or(none)),
                };
                let Some(held) = state.held_mut(&picked.id) else { return Err(NoAccount::None) };
                match waited.as_ref().filter(|(id, _)| *id == picked.id) {
                    None if held.due(now) => (picked.id, self.0.renewal(held, RefreshReason::ProactiveExpiry)),
                    Some((_, Some(failure))) if held.credential.expired(now) => {
                        without.get_or_insert(NoAccount::RefreshFailed { account: held.blocked(failure) });
                        excluded.push(picked.id);
                        continue;
                    }
                    lendable => {
                        if let Some((_, Some(failure))) = lendable {
                            picked.why += &format!("; not renewed: {failure}");
                            picked.why_logged += "; not renewed";
                        }
                        // Being asked for once by name binds no conversation.
                        let conversation = want.conversation.filter(|_| want.named.is_none());
                        return state.lend(picked, conversation, now).ok_or(NoAccount::None);
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
        self.follow_files().await;
        let mut waited = None;
        loop {
            let renewal = {
                let mut state = self.0.state();
                let held = state.held_mut(id).ok_or(RecoverError::Removed)?;
                if let Some(why) = &held.sign_in {
                    return Err(RecoverError::NeedsSignIn { account: held.blocked(why) });
                }
                if held.generation != refused.generation {
                    let token = held.credential.access_token.clone();
                    return Ok(refused.again(Arc::clone(&held.account), token, held.generation));
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

    /// All accounts, in the order they were added.
    pub fn list(&self) -> Vec<AccountStatus> {
        let now = (self.0.clock)();
        self.0.look(|state| state.list(now))
    }

    /// The list after every change. The end of a cooldown is no change: it is in the list beforehand. Nor are the counts
    /// of requests under way and the forecasts, which are as of the last change; [`list`](Self::list) has them as of now.
    pub fn subscribe(&self) -> watch::Receiver<Arc<[AccountStatus]>> {
        self.0.changed.subscribe()
    }

    /// Read the vault again: what other processes changed is seen from then on.
    ///
    /// On an error memory stays as it was.
    pub async fn reload(&self) -> Result<(), VaultError> {
        self.0.reload().await?;
        self.follow_files().await;
        Ok(())
    }

    /// [`reload`](Self::reload), if the file is another one than the last time. Cheap enough to ask every second: a
    /// file that could not be read is reported once, and the keychain is not asked for it again.
    pub async fn reload_if_changed(&self) -> Result<bool, VaultError> {
        let inner = Arc::clone(&self.0);
        let stamp = blocking(move || Ok::<_, VaultError>(inner.vault.stamp())).await?;
        let known = self.0.look(|state| state.tried == Some(stamp));
        if known {
            self.follow_files().await;
        } else {
            self.reload().await?;
        }
        Ok(!known)
    }

    /// Wait until no token is under way. Call it before the process ends, with a limit on your patience: on a full
    /// disk a renewed token waits for room.
    pub async fn settle(&self) {
        self.0.hurry.notify_one();
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
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

/// It was removed, or it had a passing id and was named meanwhile.
fn not_here(id: &AccountId) -> NoAccount {
    let why = "it is not here any more under this id".to_owned();
    NoAccount::RefreshFailed { account: Blocked { id: id.clone(), name: id.to_string(), why } }
}

#[cfg(test)]
mod tests;
