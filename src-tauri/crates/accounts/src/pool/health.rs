//! How accounts fare: rests, and what ends them.

use std::sync::Arc;

use jiff::Timestamp;

use super::held::Held;
use super::{ChooseError, Pool};
use crate::{Account, AccountId, Backoff, Cooldown, End, Hint, Lease};

/// So many broken connections in a row are no accident any more.
const BROKEN_FOR_GOOD: u32 = 3;

// === impl Pool ===

impl Pool {
    /// How an attempt ended, for the account's sake. A lease used for several tries may first have broken, then been served,
    /// then refused; each is taken in once and in this order. `false`: this changes nothing any more.
    ///
    /// A refusal makes the account rest: as long as the [`Hint`] says; for a usage limit without one, as long as the
    /// window that is used up; else 1, 2, 4 … seconds, half an hour at most. A workspace or a plan that does not fit rests
    /// until somebody wakes it. Refusals of requests that were under way together count as one.
    pub fn ended(&self, lease: &Lease, end: End) -> bool {
        if !lease.out().end(&end) {
            return false;
        }
        let now = (self.0.clock)();
        let (id, since) = (&lease.account.id, lease.out().since());
        self.0.change(|state| {
            let closed_until = state.quotas.get(id).and_then(|ledger| ledger.closed_until(now));
            let other = state.has_other_than(id, now);
            let Some(held) = state.held_mut(id) else { return };
            match end {
                End::Served => held.served(now, since),
                End::Broken => held.broke(now, since, other),
                End::Refused { why, hint } => held.refused(now, since, why, hint, closed_until),
            }
        });
        true
    }

    /// Do not use this account before `until`. A new cooldown never shortens one.
    pub fn cool_down(&self, id: &AccountId, until: Timestamp, why: Cooldown) {
        let now = (self.0.clock)();
        self.0.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.rest(now, Some(until), why);
            }
        });
    }

    /// Do not use this account before somebody wakes it, signs it in again, or there is evidence that it can serve.
    pub fn block(&self, id: &AccountId, why: Cooldown) {
        let now = (self.0.clock)();
        self.0.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.rest(now, None, why);
            }
        });
    }

    /// End whatever rest an account is at, by hand: by id, label or e-mail address. A sign-in that has ended stays ended.
    pub async fn wake(&self, who: &str) -> Result<Arc<Account>, ChooseError> {
        let (account, _) = self.choose(who).await?;
        self.0.change(|state| {
            if let Some(held) = state.held_mut(&account.id) {
                held.rest = None;
                held.backoff = Backoff::default();
                held.broken = None;
            }
        });
        Ok(account)
    }

    /// There is quota after all: a cooldown for the usage limit ends.
    pub fn evidence_of_quota(&self, id: &AccountId) {
        let now = (self.0.clock)();
        self.0.change(|state| {
            if let Some(held) = state.held_mut(id) {
                held.has_quota(now);
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
}

// === impl Held ===

impl Held {
    fn served(&mut self, now: Timestamp, since: Timestamp) {
        self.broken = None;
        if self.rests_for(now, &[Cooldown::Network]) {
            self.rest = None;
        }
        if self.rest.is_some_and(|rest| rest.since < since) {
            self.has_quota(now);
        }
        // An answer that began before the refusal says nothing about what came after it.
        if self.rest.is_none_or(|rest| !rest.lasts(now)) {
            self.backoff = Backoff::default();
        }
    }

    fn broke(&mut self, now: Timestamp, since: Timestamp, other: bool) {
        // One drop takes all connections with it. It is one drop.
        let times = match self.broken {
            Some((_, last)) if since <= last => return,
            Some((times, _)) => times.saturating_add(1),
            None => 1,
        };
        self.broken = Some((times, now));
        if times >= BROKEN_FOR_GOOD && other {
            let until = now.saturating_add(self.backoff.longer()).ok();
            self.rest(now, until, Cooldown::Network);
        }
    }

    fn refused(
        &mut self,
        now: Timestamp,
        since: Timestamp,
        why: Cooldown,
        hint: Hint,
        closed_until: Option<Timestamp>,
    ) {
        let closed_until = closed_until.filter(|_| why == Cooldown::UsageLimit);
        if let Some(until) = hint.moment(now).or(closed_until) {
            self.rest(now, Some(until), why);
        } else if matches!(why, Cooldown::WorkspaceDeactivated | Cooldown::PlanMismatch) {
            self.rest(now, None, why);
        } else if self.rest.is_none_or(|rest| rest.since < since || !rest.lasts(rest.since)) {
            let until = now.saturating_add(self.backoff.longer()).ok();
            self.rest(now, until, why);
        }
    }

    pub(super) fn has_quota(&mut self, now: Timestamp) {
        if self.rests_for(now, &[Cooldown::UsageLimit]) {
            self.rest = None;
            self.backoff = Backoff::default();
        }
    }

    /// Its owner signed in anew: what was wrong with the old sign-in is over. What the plan has used up is not.
    pub(super) fn signed_in(&mut self, now: Timestamp) {
        if !self.rests_for(now, &[Cooldown::UsageLimit, Cooldown::RateLimit]) {
            self.rest = None;
            self.backoff = Backoff::default();
        }
        self.broken = None;
    }
}
