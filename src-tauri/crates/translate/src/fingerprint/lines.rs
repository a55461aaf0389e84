//! What a conversation has sent lately.

use std::collections::VecDeque;

use super::compare::{against, common};
use super::{Change, Continuation, Fingerprint, Head};

/// So many lines are remembered for each conversation: the main one, what stands beside it, and those that were left.
const MOST_LINES: usize = 4;
/// So many ends of requests within a line.
const MOST_ENDS: usize = 64;

/// The requests of one conversation, as far as the next one may go on from them.
///
/// A client makes requests of other kinds under the name of a conversation (titles, web searches, suggestions), and goes
/// on with the main one afterwards. The upstream's cache knows all of them, so each is kept as a line of its own.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// The one used last is the last one.
    lines: VecDeque<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    head: Head,
    items: Vec<u64>,
    /// After how many items requests ended.
    ends: Vec<usize>,
}

// === impl Lines ===

impl Lines {
    /// Says how this request goes on from those before, and remembers it. `None`: it is the first.
    pub fn note(&mut self, new: Fingerprint) -> Option<Continuation> {
        let seen: Vec<_> = self.lines.iter().map(|line| line.then(&new)).collect();
        let by_common = |(_, continuation): &(usize, &Continuation)| continuation.common;
        // Of equals, the one used last.
        let going_on =
            seen.iter().enumerate().filter(|(_, continuation)| continuation.change.is_none()).max_by_key(by_common);
        let Some((index, continuation)) = going_on.or_else(|| seen.iter().enumerate().max_by_key(by_common)) else {
            self.push(new);
            return None;
        };
        let same_line = match continuation.change {
            None | Some(Change::Message | Change::Compacted | Change::Rewound) => self.lines.remove(index),
            _ => None,
        };
        match same_line {
            Some(line) => self.lines.push_back(line.with(new)),
            None => self.push(new),
        }
        Some(*continuation)
    }

    /// How many hashes it holds.
    pub fn size(&self) -> usize {
        self.lines.iter().map(|line| line.items.len()).sum()
    }

    fn push(&mut self, new: Fingerprint) {
        if self.lines.len() >= MOST_LINES {
            self.lines.pop_front();
        }
        let ends = vec![new.items.len()];
        self.lines.push_back(Line { head: new.head, items: new.items, ends });
    }
}

// === impl Line ===

impl Line {
    fn then(&self, new: &Fingerprint) -> Continuation {
        against(&self.head, &self.items, &self.ends, new)
    }

    /// The line with `new` at its end. What `new` does not have is forgotten.
    fn with(mut self, new: Fingerprint) -> Self {
        let common = common(&self.items, &new.items);
        self.ends.retain(|end| *end <= common && *end != new.items.len());
        if self.ends.len() >= MOST_ENDS {
            self.ends.remove(0);
        }
        self.ends.push(new.items.len());
        Self { items: new.items, ..self }
    }
}
