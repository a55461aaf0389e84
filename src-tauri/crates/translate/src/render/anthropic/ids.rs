//! Tool ids that are unique in a conversation.
//!
//! A repeated id makes Claude Code lose the later call's result (claude-code.md §0.9), and upstreams do repeat them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// The ids that are taken. Only their hashes are kept: a history may have thousands.
#[derive(Debug, Clone, Default)]
pub struct Ids(HashSet<u64>);

// === impl Ids ===

impl Ids {
    /// Marks an id of the history as taken.
    pub fn take(&mut self, id: &str) {
        self.0.insert(hash(id));
    }

    /// The id itself if it is free, else with the first number behind it that makes it so. It is taken from then on.
    pub fn unique<'a>(&mut self, id: &'a str) -> Cow<'a, str> {
        if self.0.insert(hash(id)) {
            return Cow::Borrowed(id);
        }
        let mut number = 2_u64;
        loop {
            let other = format!("{id}_{number}");
            if self.0.insert(hash(&other)) {
                return Cow::Owned(other);
            }
            number += 1;
        }
    }
}

impl<S: AsRef<str>> FromIterator<S> for Ids {
    fn from_iter<I: IntoIterator<Item = S>>(ids: I) -> Self {
        Self(ids.into_iter().map(|id| hash(id.as_ref())).collect())
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn an_id_is_given_out_once() {
        let mut ids: Ids = ["a", "b", "b_2"].into_iter().collect();
        ids.take("c");
        assert_eq!(ids.unique("new"), "new");
        assert_eq!(ids.unique("new"), "new_2");
        assert_eq!(ids.unique("new"), "new_3");
        assert_eq!(ids.unique("b"), "b_3");
        assert_eq!(ids.unique("c"), "c_2");
    }
}
