//! One account in memory: its credential, what its owner decided about it, and how it fares.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use tokio::sync::watch;

use super::files::{self, FileStamp};
use super::renew::Outcome;
use crate::lease::Out;
use crate::pick::{Picked, View};
use crate::status::AccountState;
use crate::vault::Entry;
use crate::{Account, Backoff, Blocked, Cooldown, Credential, Lease, Rest};

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

    pub(super) fn adopt(&mut self, entry: &Entry) {
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

    /// Lend it. `lent` counts the leases of the pool.
    pub(super) fn lend(&mut self, picked: Picked, lent: u64, now: Timestamp) -> Lease {
        if picked.counts {
            self.used = lent;
        }
        if picked.turn {
            self.turn = lent;
        }
        let (account, token) = (Arc::clone(&self.account), self.credential.access_token.clone());
        // A look is no request under way: it must not send the next request elsewhere.
        let out = if picked.counts { Out::new(&self.out, now) } else { Out::new(&Arc::default(), now) };
        Lease::new(account, token, self.generation, picked, out)
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

    pub(super) fn warning(&self) -> Option<String> {
        if let Some(files::Problem::Unreadable(why)) = &self.file_problem {
            return Some(why.clone());
        }
        let unnamed = "it is not known yet whose sign-in this is: the first renewal tells";
        self.warning.clone().or_else(|| self.provisional.then(|| unnamed.to_owned()))
    }

    pub(super) fn state(&self, now: Timestamp) -> AccountState {
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
