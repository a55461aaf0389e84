//! What conversations have sent lately, to tell how a request goes on from the last one.
//!
//! **Invariant:** only keyed hashes are kept, in memory, and no more of them than fit into four MiB.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use codeferry_store::log::Prefix;
use codeferry_translate::fingerprint::{Fingerprint, Key, Layout, Lines};

/// So many conversations are remembered.
const MOST_CONVERSATIONS: usize = 256;
/// So many items of all of them together, each of eight bytes.
const MOST_ITEMS: usize = 512 * 1024;

/// The memory of all conversations.
#[derive(Debug)]
pub(crate) struct Prefixes {
    key: Key,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    conversations: HashMap<String, Conversation>,
    items: usize,
    /// Counts requests: whose last one is longest ago is forgotten first.
    now: u64,
}

#[derive(Debug, Default)]
struct Conversation {
    lines: Lines,
    requests: u32,
    used: u64,
}

// === impl Prefixes ===

impl Prefixes {
    /// Takes the fingerprint of a body that goes to `model`.
    pub(crate) fn fingerprint(&self, body: &[u8], layout: &Layout, model: &str) -> Fingerprint {
        Fingerprint::of(body, layout, model, &self.key)
    }

    /// Remembers what was sent and served: `account` paid, and these items were cut out. Says how it goes on from what
    /// was sent before.
    pub(crate) fn note(
        &self,
        conversation: &str,
        fingerprint: &Fingerprint,
        account: &str,
        cut: impl IntoIterator<Item = usize>,
    ) -> Prefix {
        let sent = fingerprint.sent(account, cut, &self.key);
        self.lock().note(conversation, sent)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Prefixes {
    fn default() -> Self {
        // A hasher of the standard library begins with random bits, which is all that is needed here.
        Self { key: Key::new(RandomState::new().build_hasher().finish()), known: Mutex::default() }
    }
}

// === impl Known ===

impl Known {
    fn note(&mut self, name: &str, sent: Fingerprint) -> Prefix {
        self.now += 1;
        let items = sent.items();
        let conversation = match self.conversations.get_mut(name) {
            Some(conversation) => conversation,
            None => self.conversations.entry(name.to_owned()).or_default(),
        };
        let before = conversation.lines.size();
        let continuation = conversation.lines.note(sent);
        let turn = conversation.requests;
        conversation.requests = turn.saturating_add(1);
        conversation.used = self.now;
        self.items = self.items + conversation.lines.size() - before;
        self.make_room();
        Prefix {
            broke: continuation.and_then(|it| it.change).map(|change| change.as_str().to_owned()),
            item: continuation.and_then(|it| it.item).map(int),
            items: int(items),
            turn,
        }
    }

    fn make_room(&mut self) {
        while self.conversations.len() > MOST_CONVERSATIONS || (self.items > MOST_ITEMS && self.conversations.len() > 1)
        {
            let oldest = self.conversations.iter().min_by_key(|(_, conversation)| conversation.used);
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
            if let Some(gone) = self.conversations.remove(&name) {
                self.items -= gone.lines.size();
            }
        }
    }
}

fn int(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use codeferry_translate::fingerprint::{Fingerprint, Layout, Piece};

    use super::{MOST_CONVERSATIONS, MOST_ITEMS, Prefixes};

    fn request(prefixes: &Prefixes, items: usize) -> Fingerprint {
        let body: Vec<u8> = (0..items).flat_map(|item| format!("{item:06}").into_bytes()).collect();
        let pieces = (0..items).map(|item| Piece { range: item * 6..item * 6 + 6, by_model: false });
        prefixes.fingerprint(&body, &Layout { items: pieces.collect(), ..Layout::default() }, "m")
    }

    #[test]
    fn a_conversation_is_known_until_others_need_its_place() {
        let prefixes = Prefixes::default();
        let one = request(&prefixes, 1);
        let turn = |name: &str| prefixes.note(name, &one, "a", []).turn;
        assert_eq!((turn("first"), turn("first")), (0, 1));
        for other in 0..MOST_CONVERSATIONS - 1 {
            assert_eq!(turn(&other.to_string()), 0);
        }
        assert_eq!(turn("first"), 2);
        assert_eq!(turn("one more"), 0);
        assert_eq!(turn("first"), 3, "it was used just now");
        assert_eq!(turn("0"), 0, "this one was not");
    }

    #[test]
    fn the_items_of_all_are_bounded() {
        let prefixes = Prefixes::default();
        let long = request(&prefixes, 10_000);
        for conversation in 0..MOST_CONVERSATIONS {
            prefixes.note(&conversation.to_string(), &long, "a", []);
            assert!(prefixes.lock().items <= MOST_ITEMS);
        }
        let known = prefixes.lock();
        assert!(known.conversations.len() < MOST_CONVERSATIONS);
        assert_eq!(known.items, known.conversations.values().map(|it| it.lines.size()).sum::<usize>());
    }

    #[test]
    fn another_account_is_named() {
        let prefixes = Prefixes::default();
        let two = request(&prefixes, 2);
        let broke = |account, cut: Option<usize>| prefixes.note("c", &two, account, cut).broke;
        assert_eq!(broke("a", None), None);
        assert_eq!(broke("b", Some(1)).as_deref(), Some("account"));
        assert_eq!(broke("b", Some(1)), None, "the same was cut out before");
        assert_eq!(broke("a", None), None, "the first one knows it still");
    }
}
