//! What the upstream's prompt cache sees of a request, in a few hashes.
//!
//! The cache serves the longest beginning that a request shares with an earlier one of the same account and model
//! (OpenAI's guide "Prompt caching": exact prefix matches; tools must be identical, and a schema for the answer stands
//! before the system message). So a [`Fingerprint`] has a hash for each thing that stands before the history, and one for
//! each item of it, in order. [`compare`] says which of them differs first, [`Lines`] remembers what a conversation sent.
//!
//! Hashes are keyed, and the key does not outlive the process: they say nothing about texts, and are never written down.
//!
//! **Invariant:** this looks at bytes that are written already, and parses nothing.

mod compare;
mod lines;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use foldhash::quality::FixedState;

pub use compare::{Change, Continuation, compare};
pub use lines::Lines;

/// More items than that are not looked at. Histories of some thousand are rare, and each costs eight bytes.
const MOST_ITEMS: usize = 16 * 1024;

/// Items up to that size are read whole.
const WHOLE: usize = 4 * 1024;
/// Of longer ones only so much at the beginning, at the end, and in the middle, and how long they are. A history is
/// replayed or it is not: what changes inside a long output changes its length as well, but for the oddest cases. Reading
/// all of a history would cost twice as much (docs/performance.md).
const ENDS: usize = 1024;
const MIDDLE: usize = 256;

/// Where the pieces stand in a body. The lowerer knows; an empty range stands for what is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// The system prompt.
    pub instructions: Range<usize>,
    /// The tools.
    pub tools: Range<usize>,
    /// The schema of the answer.
    pub format: Range<usize>,
    /// The history.
    pub items: Vec<Piece>,
}

/// One item of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes, with the comma before it.
    pub range: Range<usize>,
    /// Whether the model made it: its words, its reasoning, its calls.
    pub by_model: bool,
}

/// What makes hashes of this process unlike those of any other.
#[derive(Clone)]
pub struct Key(FixedState);

/// What the prompt cache sees of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    head: Head,
    /// The lowest bit says whether the model made the item.
    items: Vec<u64>,
}

/// What must be the same for anything of the history to be found again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    account: u64,
    model: u64,
    system: u64,
    tools: u64,
    format: u64,
}

// === impl Key ===

impl Key {
    /// A key of these bits; they should be random.
    pub fn new(bits: u64) -> Self {
        Self(FixedState::with_seed(bits))
    }

    fn whole(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(bytes);
        hasher.finish()
    }

    fn item(&self, body: &[u8], piece: &Piece) -> u64 {
        // The first item has no comma before it, wherever it stood in an earlier request.
        let bytes = body.get(piece.range.clone()).unwrap_or_default();
        let bytes = bytes.strip_prefix(b",").unwrap_or(bytes);
        let hash = if bytes.len() <= WHOLE { self.whole(bytes) } else { self.long(bytes) };
        hash & !1 | u64::from(piece.by_model)
    }

    fn long(&self, bytes: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write_usize(bytes.len());
        let (first, rest) = bytes.split_at(ENDS);
        let (middle, last) = rest.split_at(rest.len() - ENDS);
        hasher.write(first);
        hasher.write(&middle[middle.len() / 2..][..MIDDLE]);
        hasher.write(last);
        hasher.finish()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(«redacted»)")
    }
}

// === impl Fingerprint ===

impl Fingerprint {
    /// Takes the fingerprint of a body for `model`. Who pays is not known yet: [`sent`](Self::sent) says it.
    pub fn of(body: &[u8], layout: &Layout, model: &str, key: &Key) -> Self {
        let part = |range: &Range<usize>| key.whole(body.get(range.clone()).unwrap_or_default());
        let head = Head {
            account: 0,
            model: key.whole(model.as_bytes()),
            system: part(&layout.instructions),
            tools: part(&layout.tools),
            format: part(&layout.format),
        };
        let items = layout.items.iter().take(MOST_ITEMS).map(|piece| key.item(body, piece)).collect();
        Self { head, items }
    }

    /// What was sent of it in the end: `account` pays, and the items of these indices, in ascending order, were cut out.
    pub fn sent(&self, account: &str, cut: impl IntoIterator<Item = usize>, key: &Key) -> Self {
        let mut cut = cut.into_iter().peekable();
        let kept = self.items.iter().enumerate().filter(|(index, _)| cut.next_if_eq(index).is_none());
        let items = kept.map(|(_, item)| *item).collect();
        Self { head: Head { account: key.whole(account.as_bytes()), ..self.head }, items }
    }

    /// How many items the history has.
    pub fn items(&self) -> usize {
        self.items.len()
    }
}

fn is_by_model(item: u64) -> bool {
    item & 1 == 1
}
