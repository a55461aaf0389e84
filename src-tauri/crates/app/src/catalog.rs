//! The model catalogues: fetched in the background, kept on disk for the next start.
//!
//! Nothing waits for any of this. Until a catalogue is there the one compiled in serves.

mod cache;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, AccountState, AccountStatus, Lease, Pool};
use codeferry_gateway::Gateway;
use codeferry_upstream::{Catalog, Fetched, Upstream};
use tokio::time::Instant;

pub(crate) use self::cache::Cache;

use crate::Paths;

/// How old a catalogue may grow. Asking again costs a request without an answer's body while nothing changed.
const FRESH: Duration = Duration::from_secs(6 * 60 * 60);
/// So long after an answer named a new catalogue it is asked for.
const NEWS: Duration = Duration::from_secs(30);
/// After a failure. The compiled-in catalogue is no worse a few minutes longer.
const RETRY: Duration = Duration::from_secs(5 * 60);

/// What any account may use, as it was last known on disk; else the catalogue compiled in. For a look from outside.
pub fn known_models(paths: &Paths) -> Arc<Catalog> {
    let shelf = codeferry_upstream::catalog::Shelf::default();
    for (id, catalog) in Cache::new(paths).load() {
        shelf.put(id, catalog);
    }
    shelf.all()
}

/// Keeps the catalogue of the account that serves fresh, for as long as it is polled.
pub(crate) async fn keep_fresh(pool: Pool, upstream: Arc<Upstream>, gateway: Arc<Gateway>, cache: Option<Cache>) {
    let mut keeper = Keeper { pool, upstream, cache, known: BTreeSet::new() };
    keeper.load().await;
    let mut changes = keeper.pool.subscribe();
    // The account asked for last, and when to ask again.
    let mut asked: Option<(AccountId, Instant)> = None;
    loop {
        changes.borrow_and_update();
        let due = asked.as_ref().is_none_or(|(id, at)| Instant::now() >= *at || !keeper.serves(id));
        if due {
            asked = keeper.fetch().await;
        }
        keeper.prune().await;
        // Without an account there is nothing to do before one is added.
        let wait = asked.as_ref().map_or(FRESH, |(_, at)| at.saturating_duration_since(Instant::now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = changes.changed() => if changed.is_err() { return },
            () = gateway.catalog_is_stale() => {
                // Not at once and not for each answer: an upstream may name a version it does not serve.
                let soon = Instant::now() + NEWS;
                asked = asked.map(|(id, at)| (id, at.min(soon)));
            }
        }
    }
}

struct Keeper {
    pool: Pool,
    upstream: Arc<Upstream>,
    /// `None` keeps nothing: the demo account lives in this process only.
    cache: Option<Cache>,
    /// Whose catalogues lie on the shelf.
    known: BTreeSet<AccountId>,
}

// === impl Keeper ===

impl Keeper {
    async fn load(&mut self) {
        let Some(cache) = self.cache.clone() else { return };
        let loaded = tokio::task::spawn_blocking(move || cache.load()).await.unwrap_or_default();
        for (id, catalog) in loaded {
            self.upstream.shelf().put(id.clone(), catalog);
            self.known.insert(id);
        }
    }

    fn serves(&self, id: &AccountId) -> bool {
        self.pool.list().iter().any(|account| account.active && account.id == *id)
    }

    /// Asks for the catalogue of the active account. In no rotation is that anybody's turn.
    async fn fetch(&mut self) -> Option<(AccountId, Instant)> {
        let Some(lease) = self.lease().await else {
            // Why, is not for the log: it names accounts as their owners do.
            tracing::debug!("no account to ask for models");
            return None;
        };
        let id = lease.account.id.clone();
        let wait = match self.upstream.models((&lease).into()).await {
            Ok(Fetched::Unchanged) => FRESH,
            Ok(Fetched::New(catalog)) => {
                self.keep(&lease, catalog).await;
                FRESH
            }
            Err(failure) => {
                tracing::info!(account = %id, error = %failure.message, "the model catalogue was not fetched");
                RETRY
            }
        };
        Some((id, Instant::now() + wait))
    }

    async fn lease(&self) -> Option<Lease> {
        self.pool.reload_if_changed().await.ok()?;
        let able =
            |account: &AccountStatus| account.active && !account.paused && matches!(account.state, AccountState::Ready);
        let active = self.pool.list().into_iter().find(able)?;
        self.pool.lease_of(&active.id).await.ok()
    }

    async fn keep(&mut self, lease: &Lease, catalog: Arc<Catalog>) {
        let id = lease.account.id.clone();
        tracing::debug!(account = %id, models = catalog.models().len(), "a new model catalogue");
        self.known.insert(id.clone());
        let Some(cache) = self.cache.clone() else { return };
        let saved = tokio::task::spawn_blocking(move || cache.save(&id, &catalog)).await;
        if let Ok(Err(error)) = saved {
            tracing::warn!(%error, "the model catalogue was not kept on disk");
        }
    }

    /// Forgets the catalogues of accounts that are gone, once the vault was read.
    async fn prune(&mut self) {
        let list = self.pool.list();
        if list.is_empty() {
            // Also what a pool says that has not read its vault yet.
            return;
        }
        let gone = |id: &&AccountId| !list.iter().any(|account: &AccountStatus| account.id == **id);
        let gone: Vec<AccountId> = self.known.iter().filter(gone).cloned().collect();
        for id in gone {
            self.upstream.shelf().forget(&id);
            self.known.remove(&id);
            if let Some(cache) = self.cache.clone() {
                drop(tokio::task::spawn_blocking(move || cache.forget(&id)).await);
            }
        }
    }
}

#[cfg(test)]
mod tests;
