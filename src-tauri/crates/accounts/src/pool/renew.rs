//! Renewing a token: once at a time per account, over all tasks and all processes, and never half.
//!
//! A renewal is a task of its own. Who waits for it may leave; the task goes on, because the answer of the auth host
//! holds the only token that is valid from then on. Its steps:
//!
//! 1. take the account's lock file, so that no other process renews;
//! 2. read the vault again: another process may have renewed just now, and then its token is ours too;
//! 3. spend the refresh token;
//! 4. store the answer durably; only then is it used. While it cannot be stored (the disk is full), the lock is kept
//!    and storing is tried again: another process would spend the old refresh token a second time.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use super::change;
use super::held::Held;
use super::inner::Inner;
use super::state::State;
use crate::vault::VaultError;
use crate::{AccountId, Cooldown, Credential, RefreshFailure, RefreshReason};

/// How a renewal ended, for all who waited for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The account holds a token worth trying: renewed by us or by another process.
    Renewed,
    /// Only a new sign-in helps; the account is marked.
    Dead,
    /// The account was removed meanwhile.
    Removed,
    /// The auth host allows it from then on only.
    TooEarly(Timestamp),
    /// It did not work this time.
    Failed(String),
}

/// After a failure, while the old token still counts.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How long another process may take over its renewal.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);
const LOCK_POLL: Duration = Duration::from_millis(25);
const SAVE_PAUSE: Duration = Duration::from_secs(1);
const SAVE_PAUSE_MAX: Duration = Duration::from_secs(30);

/// Wait until the renewal has an outcome.
pub(super) async fn outcome(mut renewal: watch::Receiver<Option<Outcome>>) -> Outcome {
    let ended = renewal.wait_for(Option::is_some).await;
    let outcome = ended.ok().and_then(|outcome| outcome.clone());
    // The task panicked, or the runtime is going down.
    outcome.unwrap_or_else(|| Outcome::Failed("the renewal ended without an answer".to_owned()))
}

// === impl Inner ===

impl Inner {
    /// The renewal of that account: the one under way, or a new one.
    pub(super) fn renewal(
        self: &Arc<Self>,
        held: &mut Held,
        reason: RefreshReason,
    ) -> watch::Receiver<Option<Outcome>> {
        // A receiver whose sender is gone belongs to a task that died.
        if let Some(running) = held.renewing.as_ref().filter(|running| running.has_changed().is_ok()) {
            return running.clone();
        }
        let (sender, receiver) = watch::channel(None);
        held.renewing = Some(receiver.clone());
        let (inner, id, seen) = (Arc::clone(self), held.account.id.clone(), held.generation);
        self.tasks.spawn(async move {
            let outcome = inner.renew(&id, seen, reason, &sender).await;
            inner.change(|state| {
                if let Some(held) = state.held_mut(&id) {
                    held.renewing = None;
                }
            });
            sender.send_replace(Some(outcome));
        });
        receiver
    }

    async fn renew(
        self: &Arc<Self>,
        id: &AccountId,
        seen: u64,
        reason: RefreshReason,
        waiting: &watch::Sender<Option<Outcome>>,
    ) -> Outcome {
        let ephemeral = self.look(|state| state.held(id).is_some_and(|held| held.ephemeral));
        let _lock = if ephemeral {
            None
        } else {
            let lock = match self.lock_account(id).await {
                Ok(lock) => lock,
                Err(why) => return self.failed(id, why),
            };
            if let Err(error) = self.reload().await {
                return self.failed(id, error.to_string());
            }
            Some(lock)
        };

        let now = (self.clock)();
        let (account, credential, generation) = match self.look(|state| {
            let held = state.held(id).ok_or(Outcome::Removed)?;
            if held.sign_in.is_some() {
                return Err(Outcome::Dead);
            }
            let needed = reason == RefreshReason::UnauthorizedRecovery || held.credential.due(now);
            if held.generation != seen || !needed {
                return Err(Outcome::Renewed);
            }
            Ok((Arc::clone(&held.account), Arc::clone(&held.credential), held.generation))
        }) {
            Ok(found) => found,
            Err(outcome) => return outcome,
        };
        if credential.refresh_token.is_none() {
            let file = self.look(|state| state.held(id).and_then(|held| held.read_only.clone()));
            let why = match file {
                Some(path) => format!("the token in {} was refused: {}", path.display(), super::files::RUN_CODEX),
                None => "the access token was refused and there is no refresh token".to_owned(),
            };
            return self.dead(id, generation, why).await;
        }
        if let Some(earliest) = credential.earliest_refresh_at.filter(|&earliest| earliest > now) {
            self.change(|state| {
                if let Some(held) = state.held_mut(id) {
                    held.rest(now, Some(earliest), Cooldown::RefreshTooEarly);
                }
            });
            return Outcome::TooEarly(earliest);
        }

        match self.refresh.refresh(account.kind, &credential, reason).await {
            Ok(renewed) => {
                let credential = credential.renewed(renewed, (self.clock)());
                tracing::info!(account = %id, ?reason, expires_at = ?credential.expires_at, "token renewed");
                if ephemeral {
                    self.keep_in_memory(id, generation, credential);
                    return Outcome::Renewed;
                }
                self.keep(id, generation, Arc::new(credential), waiting).await
            }
            Err(RefreshFailure::Dead { code, message }) => {
                tracing::warn!(account = %id, code, "the sign-in has ended");
                self.dead(id, generation, format!("{message} ({code})")).await
            }
            Err(RefreshFailure::Transient { message }) => {
                tracing::warn!(account = %id, message, "the token could not be renewed this time");
                self.failed(id, message)
            }
        }
    }

    /// The lock of the account over all processes. Taken by everybody who replaces or removes its credential.
    pub(super) async fn lock_account(&self, id: &AccountId) -> Result<File, String> {
        let started = Instant::now();
        loop {
            match self.vault.try_lock_account(id) {
                Ok(Some(lock)) => return Ok(lock),
                Ok(None) if started.elapsed() < LOCK_PATIENCE => tokio::time::sleep(LOCK_POLL).await,
                Ok(None) => return Err("another process is renewing this account and does not finish".to_owned()),
                Err(error) => return Err(format!("the account cannot be locked: {error}")),
            }
        }
    }

    /// Store the new credential, however long it takes. From here on it is the only one.
    async fn keep(
        self: &Arc<Self>,
        id: &AccountId,
        generation: u64,
        credential: Arc<Credential>,
        waiting: &watch::Sender<Option<Outcome>>,
    ) -> Outcome {
        let mut pause = SAVE_PAUSE;
        loop {
            let (wanted, new) = (id.clone(), Arc::clone(&credential));
            let stored = self.write(Vec::new(), move |contents| {
                Ok::<_, VaultError>(change::renew(contents, &wanted, generation, &new))
            });
            let error = match stored.await {
                Ok(kept) => {
                    self.warn(id, None);
                    return if kept { Outcome::Renewed } else { Outcome::Removed };
                }
                Err(error) => error,
            };
            tracing::error!(account = %id, %error, "the renewed token is not stored yet; trying again");
            // Who waits is told now. The task stays the one under way, so nobody spends the old token meanwhile.
            let why = format!("the renewed token could not be stored: {error}");
            self.warn(id, Some(format!("{why}; it is tried again until it works. Do not stop Codeferry before")));
            waiting.send_replace(Some(Outcome::Failed(why)));
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(SAVE_PAUSE_MAX);
        }
    }

    /// What its owner should know of the account though it serves.
    fn warn(&self, id: &AccountId, warning: Option<String>) {
        self.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.warning = warning;
            }
        });
    }

    fn keep_in_memory(&self, id: &AccountId, generation: u64, credential: Credential) {
        self.change(|state| {
            state.ephemeral_generation += 1;
            let next = state.ephemeral_generation;
            if let Some(held) = state.held_mut(id).filter(|held| held.generation == generation) {
                held.credential = Arc::new(credential);
                held.generation = next;
            }
        });
    }

    fn failed(&self, id: &AccountId, why: String) -> Outcome {
        let retry_at = (self.clock)().saturating_add(RETRY_AFTER).ok();
        self.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.retry_at = retry_at;
            }
        });
        Outcome::Failed(why)
    }

    async fn dead(self: &Arc<Self>, id: &AccountId, generation: u64, why: String) -> Outcome {
        self.mark(id, generation, &why);
        self.store_mark(id.clone(), generation, why).await;
        Outcome::Dead
    }

    /// Mark in memory that this token is of no use any more.
    pub(super) fn mark(&self, id: &AccountId, generation: u64, why: &str) {
        self.change(|state: &mut State| {
            if let Some(held) = state.held_mut(id).filter(|held| held.generation == generation) {
                held.sign_in = Some(why.to_owned());
            }
        });
    }

    /// Store the mark, so that other processes and the next start know. Losing it costs one refused request.
    pub(super) async fn store_mark(self: &Arc<Self>, id: AccountId, generation: u64, why: String) {
        let ephemeral = self.look(|state| state.held(&id).is_none_or(|held| held.ephemeral));
        if ephemeral {
            return;
        }
        let wanted = id.clone();
        let stored = self.write::<_, VaultError>(Vec::new(), move |contents| {
            if let Some(entry) = contents.entry_mut(&wanted).filter(|entry| entry.generation == generation) {
                entry.sign_in = Some(why);
            }
            Ok(())
        });
        if let Err(error) = stored.await {
            tracing::warn!(account = %id, %error, "that the sign-in has ended is not stored");
        }
    }
}
