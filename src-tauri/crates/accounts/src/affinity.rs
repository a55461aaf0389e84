//! Which conversation is with which account. In memory only, and bounded.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use crate::AccountId;

/// The accounts of the conversations last heard of.
///
/// An account that was removed is remembered too: that a conversation was with somebody else matters to what it carries.
/// Conversations are remembered by a hash under a random key: nothing of what a client calls them is kept.
#[derive(Debug, Default)]
pub(crate) struct Affinity {
    hasher: RandomState,
    kept: HashMap<u64, Kept>,
    /// Counts what was noted, so that the oldest can be told.
    noted: u64,
}

#[derive(Debug)]
struct Kept {
    account: AccountId,
    noted: u64,
}

/// More conversations than a person has open at a time, by far.
const MOST: usize = 4096;

// === impl Affinity ===

impl Affinity {
    pub(crate) fn of(&self, conversation: &str) -> Option<&AccountId> {
        self.kept.get(&self.hasher.hash_one(conversation)).map(|kept| &kept.account)
    }

    pub(crate) fn note(&mut self, conversation: &str, account: &AccountId) {
        self.noted += 1;
        let kept = Kept { account: account.clone(), noted: self.noted };
        self.kept.insert(self.hasher.hash_one(conversation), kept);
        if self.kept.len() > MOST {
            // A quarter at once: the search for the oldest is paid for once in a thousand conversations.
            let mut ages: Vec<u64> = self.kept.values().map(|kept| kept.noted).collect();
            ages.sort_unstable();
            let oldest = ages[MOST / 4];
            self.kept.retain(|_, kept| kept.noted > oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Affinity, MOST};
    use crate::{AccountId, Kind};

    fn id(name: &str) -> AccountId {
        AccountId::derive(Kind::Codex, None, Some(name))
    }

    #[test]
    fn a_conversation_is_with_whom_it_was_last() {
        let mut affinity = Affinity::default();
        assert_eq!(affinity.of("a"), None);
        affinity.note("a", &id("ada"));
        affinity.note("b", &id("bob"));
        affinity.note("a", &id("bob"));
        assert_eq!(affinity.of("a"), Some(&id("bob")));
        assert_eq!((affinity.of("b"), affinity.of("c")), (Some(&id("bob")), None));
    }

    #[test]
    fn the_conversations_last_heard_of_stay_and_no_more_than_fit() {
        let mut affinity = Affinity::default();
        for number in 0..3 * MOST {
            affinity.note(&number.to_string(), &id("ada"));
            affinity.note("busy", &id("bob"));
            assert!(affinity.kept.len() <= MOST);
        }
        assert_eq!(affinity.of("busy"), Some(&id("bob")), "it was heard of all the time");
        assert_eq!(affinity.of(&(3 * MOST - 1).to_string()), Some(&id("ada")));
        assert_eq!(affinity.of("0"), None);
    }
}
