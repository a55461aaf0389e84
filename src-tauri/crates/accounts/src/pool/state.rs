//! What the pool knows, all of it behind one lock.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::held::Held;
use super::not_here;
use crate::affinity::Affinity;
use crate::pick::{self, Ask, Picked};
use crate::quota::Ledger;
use crate::status::AccountStatus;
use crate::vault::{Contents, Stamp};
use crate::{AccountId, Lease, NoAccount, Rotation, Want};

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
    pub(super) rotation: Rotation,
    /// For the clock in the reasons.
    pub(super) zone: TimeZone,
    pub(super) affinity: Affinity,
    /// Counts leases, and among them turns.
    lent: u64,
    /// What was seen of the plans.
    pub(super) quotas: BTreeMap<AccountId, Ledger>,
    /// Something of it is not on disk.
    pub(super) quotas_changed: bool,
    /// Accounts that were removed: what the disk has of them goes with the next writing.
    pub(super) forgotten: BTreeSet<AccountId>,
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

// === impl State ===

impl Default for State {
    fn default() -> Self {
        Self {
            accounts: Vec::new(),
            active: None,
            active_here: None,
            vault: Loaded::default(),
            tried: None,
            ephemeral_generation: 0,
            rotation: Rotation::default(),
            zone: TimeZone::UTC,
            affinity: Affinity::default(),
            lent: 0,
            quotas: BTreeMap::new(),
            quotas_changed: false,
            forgotten: BTreeSet::new(),
        }
    }
}

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

    pub(super) fn pick(&self, want: &Want<'_>, now: Timestamp) -> Result<Picked, NoAccount> {
        if let Some(id) = want.named {
            return self.pick_named(id, want, now);
        }
        let why: Vec<_> = self.accounts.iter().map(|held| held.blocked_sign_in(now)).collect();
        let views: Vec<_> = self
            .accounts
            .iter()
            .zip(&why)
            // An ephemeral account stands in for nobody: it serves when it is the active one.
            .filter(|(held, _)| !held.ephemeral || self.active() == Some(&held.account.id))
            // And whoever is to be asked for by name was not asked for.
            .filter(|(held, _)| !held.account.kind.is_named())
            .map(|(held, why)| held.view(why.as_deref()))
            .collect();
        pick::pick(&views, &self.ask(want, now))
    }

    /// That named account, if it can serve. Nobody stands in for it.
    fn pick_named(&self, id: &AccountId, want: &Want<'_>, now: Timestamp) -> Result<Picked, NoAccount> {
        let held = self.held(id).filter(|held| held.account.kind.is_named()).ok_or_else(|| not_here(id))?;
        let why = held.blocked_sign_in(now);
        pick::named(&held.view(why.as_deref()), &self.ask(want, now))
    }

    /// Whether some named account may be asked.
    pub(super) fn has_named(&self) -> bool {
        self.accounts.iter().any(|held| held.account.kind.is_named() && !held.paused)
    }

    fn ask<'a>(&'a self, want: &Want<'a>, now: Timestamp) -> Ask<'a> {
        Ask {
            // Nobody stands in for an ephemeral account.
            rotation: if self.active_here.is_some() { Rotation::Personal } else { self.rotation },
            active: self.active(),
            kept: want.conversation.and_then(|conversation| self.affinity.of(conversation)),
            excluded: want.excluded,
            now,
            zone: &self.zone,
        }
    }

    /// Whether another account could step in for this one.
    pub(super) fn has_other_than(&self, id: &AccountId, now: Timestamp) -> bool {
        let excluded = [id.clone()];
        let alone =
            self.rotation == Rotation::Personal || self.held(id).is_some_and(|held| held.account.kind.is_named());
        !alone && self.pick(&Want { excluded: &excluded, ..Want::default() }, now).is_ok()
    }

    /// Hand out what was picked, and remember it.
    pub(super) fn lend(&mut self, picked: Picked, conversation: Option<&str>, now: Timestamp) -> Option<Lease> {
        self.lent += 1;
        let lent = self.lent;
        if let Some(conversation) = conversation {
            self.affinity.note(conversation, &picked.id);
        }
        Some(self.held_mut(&picked.id)?.lend(picked, lent, now))
    }

    /// Take over what the vault says now. Health stays: a cooldown belongs to the account, not to its token.
    pub(super) fn adopt(&mut self, contents: &Contents, stamp: Option<Stamp>) {
        self.vault = Loaded::Read;
        self.tried = Some(stamp);
        self.active.clone_from(&contents.active);
        let gone = |held: &Held| !held.ephemeral && contents.entry(&held.account.id).is_none();
        for held in self.accounts.iter().filter(|held| gone(held)) {
            self.quotas.remove(&held.account.id);
            self.forgotten.insert(held.account.id.clone());
            self.quotas_changed = true;
        }
        self.accounts.retain(|held| !gone(held));
        for entry in &contents.entries {
            match self.held_mut(&entry.account.id) {
                Some(held) => held.adopt(entry),
                None => {
                    let mut held = Held::new(entry.account.clone(), entry.credential.clone(), entry.generation, false);
                    held.sign_in.clone_from(&entry.sign_in);
                    held.adopt(entry);
                    self.forgotten.remove(&entry.account.id);
                    self.accounts.push(held);
                }
            }
        }
    }

    /// Take in what was seen of the plans by others, or before.
    pub(super) fn recall(&mut self, quotas: BTreeMap<AccountId, Ledger>) {
        for (id, ledger) in quotas {
            if self.held(&id).is_some_and(|held| !held.ephemeral) {
                self.quotas.entry(id).or_default().merge(&ledger);
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
            named: held.account.kind.is_named(),
            url: held.account.endpoint.as_ref().map(|endpoint| endpoint.url.clone()),
            ephemeral: held.ephemeral,
            state: held.state(now),
            expires_at: held.credential.expires_at,
            last_refresh: held.credential.last_refresh,
            paused: held.paused,
            priority: held.priority,
            read_only: held.read_only.clone(),
            in_flight: held.in_flight(),
            quota: self.quotas.get(&held.account.id).and_then(|ledger| ledger.view(now)),
            warning: held.warning(),
        };
        self.accounts.iter().map(status).collect()
    }
}
