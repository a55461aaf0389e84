//! The catalogues at hand, one per account, and all of them as one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use codeferry_accounts::AccountId;

use super::{Catalog, Model};

/// Readers take a snapshot without waiting; a writer replaces whole catalogues.
///
/// What one account may use is [`of`](Self::of). A request is routed before an account is chosen for it, and a client
/// asks which models there are without naming one: for those, [`all`](Self::all) is what any of them may use.
#[derive(Debug)]
pub struct Shelf {
    by_account: Mutex<BTreeMap<AccountId, Arc<Catalog>>>,
    all: ArcSwap<Catalog>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { by_account: Mutex::default(), all: ArcSwap::from_pointee(Catalog::builtin()) }
    }
}

impl Shelf {
    /// What any account may use; the catalogue compiled in while none is known.
    pub fn all(&self) -> Arc<Catalog> {
        self.all.load_full()
    }

    /// The catalogue of one account, once it was fetched.
    pub fn of(&self, account: &AccountId) -> Option<Arc<Catalog>> {
        self.lock().get(account).cloned()
    }

    /// Replaces an account's catalogue.
    pub fn put(&self, account: AccountId, catalog: Catalog) -> Arc<Catalog> {
        let catalog = Arc::new(catalog);
        let mut by_account = self.lock();
        by_account.insert(account, Arc::clone(&catalog));
        self.merge(&by_account);
        catalog
    }

    /// The account is gone.
    pub fn forget(&self, account: &AccountId) {
        let mut by_account = self.lock();
        if by_account.remove(account).is_some() {
            self.merge(&by_account);
        }
    }

    /// Called under the lock, so that an older merge never replaces a newer one.
    fn merge(&self, by_account: &BTreeMap<AccountId, Arc<Catalog>>) {
        let mut models: Vec<Model> = by_account.values().flat_map(|catalog| catalog.models().iter().cloned()).collect();
        // Of two entries of one name the one that is offered counts.
        models.sort_by_key(|model| !model.visible);
        self.all.store(Arc::new(Catalog::of(models, None).unwrap_or_else(Catalog::builtin)));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountId, Arc<Catalog>>> {
        // The map is whole at every moment: a panic elsewhere does not spoil it.
        self.by_account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
