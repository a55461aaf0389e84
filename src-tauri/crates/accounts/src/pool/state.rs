//! What the pool knows, all of it behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::files::{self, FileStamp};
use super::renew::Outcome;
use crate::affinity::Affinity;
use crate::lease::Out;
use crate::pick::{self, Ask, Picked, View};
use crate::quota::Ledger;
use crate::status::{AccountState, AccountStatus};
use crate::vault::{Contents, Entry, Stamp};
use crate::{Account, AccountId, Backoff, Blocked, Cooldown, Credential, Lease, NoAccount, Rest, Rotation, Want};

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

/// One account in memory.
pub(super) struct Held {
    pub(super) account: Arc<Account>,
    pub(super) credential: Arc<Credential>,
    pub(super) generation: u64,
    pub(super) sign_in: Option<String>,
    pub(super) paused: bool,
    pub(super) priority: i32,
    pub(super) read_only: Option<PathBuf>,
    pub(super) provisional: bool,
    pub(super) ephemeral: bool,
    /// The last rest, over or not.
    pub(super) rest: Option<Rest>,
    pub(super) backoff: Backoff,
    /// How often in a row the connection broke, and when the last time.
    pub(super) broken: Option<(u32, Timestamp)>,
    /// The renewal under way; all who need the token wait for its outcome.
    pub(super) renewing: Option<watch::Receiver<Option<Outcome>>>,
    /// The auth host failed: not again before this, while the token still counts.
    pub(super) retry_at: Option<Timestamp>,
    /// The file of a read-only account as it was last read, and what is wrong with it.
    pub(super) file: Option<FileStamp>,
    pub(super) file_problem: Option<files::Problem>,
    pub(super) warning: Option<String>,
    /// Leases that are out.
    out: Arc<AtomicUsize>,
    turn: u64,
    used: u64,
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
        let why: Vec<_> = self.accounts.iter().map(|held| held.blocked_sign_in(now)).collect();
        let views: Vec<_> = self
            .accounts
            .iter()
            .zip(&why)
            // An ephemeral account stands in for nobody: it serves when it is the active one.
            .filter(|(held, _)| !held.ephemeral || self.active() == Some(&held.account.id))
            .map(|(held, why)| held.view(why.as_deref()))
            .collect();
        let ask = Ask {
            // And nobody stands in for it.
            rotation: if self.active_here.is_some() { Rotation::Personal } else { self.rotation },
            active: self.active(),
            kept: want.conversation.and_then(|conversation| self.affinity.of(conversation)),
            excluded: want.excluded,
            now,
            zone: &self.zone,
        };
        pick::pick(&views, &ask)
    }

    /// Whether another account could step in for this one.
    pub(super) fn has_other_than(&self, id: &AccountId, now: Timestamp) -> bool {
        let excluded = [id.clone()];
        self.rotation != Rotation::Personal && self.pick(&Want { conversation: None, excluded: &excluded }, now).is_ok()
    }

    /// Hand out what was picked, and remember it.
    pub(super) fn lend(&mut self, picked: Picked, conversation: Option<&str>, now: Timestamp) -> Option<Lease> {
        self.lent += 1;
        let lent = self.lent;
        if let Some(conversation) = conversation {
            self.affinity.note(conversation, &picked.id);
        }
        let held = self.held_mut(&picked.id)?;
        held.used = lent;
        if picked.turn {
            held.turn = lent;
        }
        let (account, token) = (Arc::clone(&held.account), held.credential.access_token.clone());
        let out = Out::new(&held.out, now);
        Some(Lease::new(account, token, held.generation, (picked.why, picked.moved_from), out))
    }

    /// Take over what the vault says now. Health stays: a cooldown belongs to the account, not to its token.
    pub(super) fn adopt(&mut self, contents: &Contents, stamp: Option<Stamp>) {
        self.vault = Loaded::Read;
        self.tried = Some(stamp);
        self.active.clone_from(&contents.active);
        let gone = |held: &Held| !held.ephemeral && contents.entry(&held.account.id).is_none();
        for held in self.accounts.iter().filter(|held| gone(held)) {
            self.affinity.forget(&held.account.id);
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

// === impl Held ===

impl Held {
    pub(super) fn new(account: Account, credential: Credential, generation: u64, ephemeral: bool) -> Self {
        Self {
            account: Arc::new(account),
            credential: Arc::new(credential),
            generation,
            sign_in: None,
            paused: false,
            priority: 0,
            read_only: None,
            provisional: false,
            ephemeral,
            rest: None,
            backoff: Backoff::default(),
            broken: None,
            renewing: None,
            retry_at: None,
            file: None,
            file_problem: None,
            warning: None,
            out: Arc::default(),
            turn: 0,
            used: 0,
        }
    }

    fn adopt(&mut self, entry: &Entry) {
        if *self.account != entry.account {
            self.account = Arc::new(entry.account.clone());
        }
        (self.paused, self.priority, self.provisional) = (entry.paused, entry.priority, entry.provisional);
        if self.read_only != entry.read_only {
            self.read_only.clone_from(&entry.read_only);
            (self.file, self.file_problem) = (None, None);
        }
        if self.generation == entry.generation {
            // What this process learned and has not stored yet is not forgotten.
            self.sign_in = entry.sign_in.clone().or(self.sign_in.take());
        } else {
            self.generation = entry.generation;
            self.credential = Arc::new(entry.credential.clone());
            self.sign_in.clone_from(&entry.sign_in);
            self.retry_at = None;
        }
    }

    pub(super) fn view<'a>(&'a self, sign_in: Option<&'a str>) -> View<'a> {
        View {
            id: &self.account.id,
            name: self.account.name(),
            sign_in,
            paused: self.paused,
            rest: self.rest,
            priority: self.priority,
            in_flight: self.in_flight(),
            turn: self.turn,
            used: self.used,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.out.load(Ordering::Relaxed)
    }

    /// Renew before the next use, unless the auth host just failed and the old token still counts.
    pub(super) fn due(&self, now: Timestamp) -> bool {
        let waits = self.retry_at.is_some_and(|at| now < at) && !self.credential.expired(now);
        !waits && self.credential.due(now)
    }

    /// Rest from now on; a rest that lasts longer stays.
    pub(super) fn rest(&mut self, now: Timestamp, until: Option<Timestamp>, why: Cooldown) {
        self.rest = Some(Rest::merged(self.rest, Rest { since: now, until, why }));
    }

    pub(super) fn rests_for(&self, now: Timestamp, whys: &[Cooldown]) -> bool {
        self.rest.is_some_and(|rest| rest.lasts(now) && whys.contains(&rest.why))
    }

    pub(super) fn blocked(&self, why: impl Into<String>) -> Blocked {
        Blocked { id: self.account.id.clone(), name: self.account.name().to_owned(), why: why.into() }
    }

    /// Why only a new sign-in helps: it was found out, or the token ran out and nothing renews it.
    pub(super) fn blocked_sign_in(&self, now: Timestamp) -> Option<String> {
        if let Some(why) = &self.sign_in {
            return Some(why.clone());
        }
        if let Some(files::Problem::OtherAccount(why)) = &self.file_problem {
            return Some(why.clone());
        }
        let end = self.credential.expires_at.filter(|_| self.credential.expired(now))?;
        if let Some(path) = &self.read_only {
            return Some(format!("the token in {} ran out at {end}: {}", path.display(), files::RUN_CODEX));
        }
        let hopeless = self.credential.refresh_token.is_none();
        hopeless.then(|| format!("the access token ran out at {end} and there is no refresh token"))
    }

    fn warning(&self) -> Option<String> {
        if let Some(files::Problem::Unreadable(why)) = &self.file_problem {
            return Some(why.clone());
        }
        let unnamed = "it is not known yet whose sign-in this is: the first renewal tells";
        self.warning.clone().or_else(|| self.provisional.then(|| unnamed.to_owned()))
    }

    fn state(&self, now: Timestamp) -> AccountState {
        if let Some(why) = self.blocked_sign_in(now) {
            return AccountState::NeedsSignIn { why };
        }
        match self.rest.filter(|rest| rest.lasts(now)) {
            Some(Rest { until: Some(until), why, .. }) => AccountState::CoolingDown { until, why },
            Some(Rest { until: None, why, .. }) => AccountState::Blocked { why },
            None => AccountState::Ready,
        }
    }
}
