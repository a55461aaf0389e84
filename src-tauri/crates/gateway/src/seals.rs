//! Whose a piece of sealed reasoning is, for those who hand it back as they got it.
//!
//! A seal opens for the account that made it and for no other (`codex-backend.md §2`, reasoning item). In other dialects it
//! travels in an envelope that names the account; a client of the Responses dialect keeps the item as it came, so it is
//! remembered here.
//!
//! **Invariant:** only keyed hashes are kept, in memory, and no more of them than [`MOST`]. What is forgotten is sent to
//! whoever serves, and left out if that refuses it.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many seals are remembered: those of some hundred long conversations, in less than two MiB.
const MOST: usize = 16 * 1024;

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Seals {
    hasher: RandomState,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    owners: HashMap<u64, Arc<str>>,
    order: VecDeque<u64>,
}

// === impl Seals ===

impl Seals {
    /// `account` made this seal.
    pub(crate) fn note(&self, seal: &str, account: &Arc<str>) {
        let hash = self.hasher.hash_one(seal);
        let mut known = self.lock();
        if known.owners.insert(hash, Arc::clone(account)).is_none() {
            known.order.push_back(hash);
        }
        if known.order.len() > MOST
            && let Some(oldest) = known.order.pop_front()
        {
            known.owners.remove(&oldest);
        }
    }

    /// Who made it, if that is remembered.
    pub(crate) fn owner(&self, seal: &str) -> Option<String> {
        self.lock().owners.get(&self.hasher.hash_one(seal)).map(|owner| owner.to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // The map and the queue are whole between two calls: a panic elsewhere does not spoil them.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Seals};

    #[test]
    fn seals_are_known_until_there_are_too_many() {
        let (seals, one, two) = (Seals::default(), "acc_1".into(), "acc_2".into());
        seals.note("first", &one);
        seals.note("first", &one);
        assert_eq!(seals.owner("first").as_deref(), Some("acc_1"));
        assert_eq!(seals.owner("other"), None);
        for number in 0..MOST {
            seals.note(&number.to_string(), &two);
        }
        assert_eq!(seals.owner("first"), None);
        assert_eq!(seals.owner("0").as_deref(), Some("acc_2"));
        assert_eq!(seals.lock().owners.len(), MOST);
    }
}
