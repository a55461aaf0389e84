//! Accounts that rest because their plan is used up: is there quota again?
//!
//! The provider names the moment of a reset, and resets come earlier at times: a credit was used, a plan was changed.
//! So the usage page is asked, every five minutes and only while such an account rests. Plan accounts have no such page.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, AccountState, AccountStatus, Cooldown, Kind, Pool, WindowsSeen};
use codeferry_upstream::{Failure, Upstream};
use tokio::time::Instant;

use crate::system_clock;

/// The usage page is asked no more often.
const APART: Duration = Duration::from_secs(5 * 60);

/// When each account was last asked about, or began to rest.
type Asked = BTreeMap<AccountId, Instant>;

/// Looks after resting accounts, for as long as it is polled.
pub(crate) async fn watch(pool: Pool, upstream: Arc<Upstream>) {
    let mut changes = pool.subscribe();
    let mut asked = Asked::new();
    loop {
        changes.borrow_and_update();
        let now = Instant::now();
        let due = due(&pool.list(), &mut asked, now);
        for id in due {
            asked.insert(id.clone(), now);
            if let Err(problem) = look(&pool, &upstream, &id).await {
                tracing::info!(account = %id, problem, "the usage of a resting account could not be read");
            }
        }
        let next = asked.values().min().map(|at| *at + APART);
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
    let is_due = |id: &AccountId| now >= *asked.entry(id.clone()).or_insert(now) + APART;
    resting.into_iter().filter(is_due).collect()
}

/// One look. Evidence of quota ends the rest; that is the pool's to see.
async fn look(pool: &Pool, upstream: &Upstream, id: &AccountId) -> Result<(), &'static str> {
    // With its name only in the error, which holds e-mail addresses, nothing of it is passed on.
    let lease = pool.lease_of(id).await.map_err(|_| "no token")?;
    let limits = upstream.usage((&lease).into()).await.map_err(|failure: Failure| failure.kind.name())?;
    pool.note_limits(id, &WindowsSeen::from(&limits), system_clock()());
    Ok(())
}

#[cfg(test)]
mod tests;
