//! Accounts that rest because their plan is used up: is there quota again?
//!
//! The provider names the moment of a reset, and resets come earlier at times: a credit was used, a plan was changed.
//! So the usage page is asked, every five minutes and only while such an account rests. Plan accounts have no such page.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeferry_accounts::{AccountId, AccountState, AccountStatus, Cooldown, Kind, Pool};
use codeferry_gateway::Looks;
use codeferry_upstream::{Failure, Upstream};
use tokio::time::Instant;

use crate::system_clock;

/// When each account was last asked about, or began to rest.
type Asked = BTreeMap<AccountId, Instant>;

/// Looks after resting accounts, for as long as it is polled.
pub(crate) async fn watch(pool: Pool, upstream: Arc<Upstream>, looks: Arc<Looks>) {
    let mut changes = pool.subscribe();
    let mut asked = Asked::new();
    loop {
        changes.borrow_and_update();
        let now = Instant::now();
        let due = due(&pool.list(), &mut asked, now);
        for id in due {
            asked.insert(id.clone(), now);
            // Where a person looked meanwhile, that was the look.
            if !looks.claim(&id) {
                continue;
            }
            if let Err(problem) = look(&pool, &upstream, &looks, &id).await {
                tracing::info!(account = %id, problem, "the usage of a resting account could not be read");
            }
        }
        let next = asked.values().min().map(|at| *at + Looks::APART);
        tokio::select! {
            () = async { match next { Some(at) => tokio::time::sleep_until(at).await, None => std::future::pending().await } } => {}
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

/// Who is to be asked about. One that has just begun to rest has been told of its limit this very moment.
fn due(list: &[AccountStatus], asked: &mut Asked, now: Instant) -> Vec<AccountId> {
    let rests = |account: &&AccountStatus| {
        let limited = matches!(account.state, AccountState::CoolingDown { why: Cooldown::UsageLimit, .. });
        limited && account.kind == Kind::Codex
    };
    let resting: Vec<_> = list.iter().filter(rests).map(|account| account.id.clone()).collect();
    asked.retain(|id, _| resting.contains(id));
    let is_due = |id: &AccountId| now >= *asked.entry(id.clone()).or_insert(now) + Looks::APART;
    resting.into_iter().filter(is_due).collect()
}

/// One look.
async fn look(pool: &Pool, upstream: &Upstream, looks: &Looks, id: &AccountId) -> Result<(), &'static str> {
    // With its name only in the error, which holds e-mail addresses, nothing of it is passed on.
    let lease = pool.lease_of(id).await.map_err(|_| "no token")?;
    looks.look(pool, upstream, &lease, system_clock()()).await.map_err(|failure: Failure| failure.kind.name())
}

#[cfg(test)]
mod tests;
