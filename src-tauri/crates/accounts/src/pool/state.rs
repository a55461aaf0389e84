//! What the pool knows, all of it behind one lock.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use super::renew::Outcome;
use crate::pick::{self, Picked, View};
use crate::status::{AccountState, AccountStatus};
use crate::vault::{Contents, Stamp};
use crate::{Account, AccountId, Blocked, Cooldown, Credential, Lease, NoAccount};

#[derive(Default)]
pub(super) struct State {
    pub(super) accounts: Vec<Held>,
    /// The active account of the vault.
    pub(super) active: Option<AccountId>,
    /// An ephemeral account that serves instead, in this process only.
    pub(super) active_here: Option<AccountId>,
    pub(super) vault: Loaded,
    /// The file that was read last, or could not be read. Asking again helps only when it is another one.
    pub(super) tried: Option<Option<Stamp>>,
    /// Generations of ephemeral accounts.
    pub(super) ephemeral_generation: u64,
}

/// How far the vault was read.
#[derive(Default)]
pub(super) enum Loaded {
    #[default]
    Never,
    Failed {
        at: Timestamp,
        message: String,
    },
    Read,
}

/// One account in memory.
pub(super) struct Held {
    pub(super) account: Arc<Account>,
    pub(super) credential: Arc<Credential>,
    pub(super) generation: u64,
    pub(super) sign_in: Option<String>,
    pub(super) cooldown: Option<(Timestamp, Cooldown)>,
    pub(super) ephemeral: bool,
    /// The renewal under way; all who need the token wait for its outcome.
    pub(super) renewing: Option<watch::Receiver<Option<Outcome>>>,
    /// The auth host failed: not again before this, while the token still counts.
    pub(super) retry_at: Option<Timestamp>,
}

// === impl State ===

impl State {
    pub(super) fn held(&self, id: &AccountId) -> Option<&Held> {
        self.accounts.iter().find(|held| held.account.id == *id)
    }

    pub(super) fn held_mut(&mut self, id: &AccountId) -> Option<&mut Held> {
        self.accounts.iter_mut().find(|held| held.account.id == *id)
    }

    pub(super) fn active(&self) -> Option<&AccountId> {
        self.active_here.as_ref().or(self.active.as_ref())
    }

    pub(super) fn pick(&self, excluded: &[AccountId], now: Timestamp) -> Result<Picked, NoAccount> {
        let why: Vec<_> = self.accounts.iter().map(|held| held.blocked_sign_in(now)).collect();
        let views: Vec<_> = self
            .accounts
            .iter()
            .zip(&why)
            .map(|(held, why)| View {
                id: &held.account.id,
                name: held.account.name(),
                sign_in: why.as_deref(),
                cooldown: held.cooldown,
            })
            .collect();
        pick::pick(&views, self.active(), excluded, now)
    }

    /// Take over what the vault says now. Health stays: a cooldown belongs to the account, not to its token.
    pub(super) fn adopt(&mut self, contents: &Contents, stamp: Option<Stamp>) {
        self.vault = Loaded::Read;
        self.tried = Some(stamp);
        self.active.clone_from(&contents.active);
        self.accounts.retain(|held| held.ephemeral || contents.entry(&held.account.id).is_some());
        for entry in &contents.entries {
            let Some(held) = self.held_mut(&entry.account.id) else {
                self.accounts.push(Held {
                    sign_in: entry.sign_in.clone(),
                    ..Held::new(entry.account.clone(), entry.credential.clone(), entry.generation, false)
                });
                continue;
            };
            if *held.account != entry.account {
                held.account = Arc::new(entry.account.clone());
            }
            if held.generation == entry.generation {
                // What this process learned and has not stored yet is not forgotten.
                held.sign_in = entry.sign_in.clone().or(held.sign_in.take());
            } else {
                held.generation = entry.generation;
                held.credential = Arc::new(entry.credential.clone());
                held.sign_in.clone_from(&entry.sign_in);
                held.retry_at = None;
            }
        }
    }

    pub(super) fn list(&self, now: Timestamp) -> Vec<AccountStatus> {
        let status = |held: &Held| AccountStatus {
            id: held.account.id.clone(),
            kind: held.account.kind,
            email: held.account.email.clone(),
            label: held.account.label.clone(),
            plan: held.account.plan.clone(),
            active: self.active() == Some(&held.account.id),
            ephemeral: held.ephemeral,
            state: held.state(now),
            expires_at: held.credential.expires_at,
            last_refresh: held.credential.last_refresh,
        };
        self.accounts.iter().map(status).collect()
    }
}

// === impl Held ===

impl Held {
    pub(super) fn new(account: Account, credential: Credential, generation: u64, ephemeral: bool) -> Self {
        Self {
            account: Arc::new(account),
            credential: Arc::new(credential),
            generation,
            sign_in: None,
            cooldown: None,
            ephemeral,
            renewing: None,
            retry_at: None,
        }
    }

    pub(super) fn lease(&self, why: String) -> Lease {
        Lease {
            account: Arc::clone(&self.account),
            access_token: self.credential.access_token.clone(),
            generation: self.generation,
            why,
        }
    }

    /// Renew before the next use, unless the auth host just failed and the old token still counts.
    pub(super) fn due(&self, now: Timestamp) -> bool {
        let waits = self.retry_at.is_some_and(|at| now < at) && !self.credential.expired(now);
        !waits && self.credential.due(now)
    }

    pub(super) fn rest(&mut self, until: Timestamp, why: Cooldown) {
        if self.cooldown.is_none_or(|(known, _)| known < until) {
            self.cooldown = Some((until, why));
        }
    }

    pub(super) fn blocked(&self, why: impl Into<String>) -> Blocked {
        Blocked { id: self.account.id.clone(), name: self.account.name().to_owned(), why: why.into() }
    }

    /// Why only a new sign-in helps: it was found out, or the token ran out and nothing renews it.
    fn blocked_sign_in(&self, now: Timestamp) -> Option<String> {
        if let Some(why) = &self.sign_in {
            return Some(why.clone());
        }
        let end = self.credential.expires_at.filter(|_| self.credential.expired(now))?;
        let hopeless = self.credential.refresh_token.is_none();
        hopeless.then(|| format!("the access token ran out at {end} and there is no refresh token"))
    }

    fn state(&self, now: Timestamp) -> AccountState {
        if let Some(why) = self.blocked_sign_in(now) {
            return AccountState::NeedsSignIn { why };
        }
        match self.cooldown {
            Some((until, why)) if until > now => AccountState::CoolingDown { until, why },
            _ => AccountState::Ready,
        }
    }
}
