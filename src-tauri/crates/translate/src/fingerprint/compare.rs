//! How one request goes on from another.

use std::collections::HashSet;

use super::{Fingerprint, Head, is_by_model};

/// Why a request does not simply go on from an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Another account pays: its cache knows nothing of this.
    Account,
    /// Another model answers.
    Model,
    /// The system prompt is another one.
    System,
    /// The tools are other ones, fewer or more.
    Tools,
    /// The schema of the answer is another one.
    Format,
    /// An item of the history is another one, or gone, or new, and what followed it is still there.
    Message,
    /// A new, shorter history stands in place of the old one.
    Compacted,
    /// The end of the history was taken back.
    Rewound,
    /// Nothing in common: a request of its own, such as for a title, made under the name of the conversation.
    Beside,
}

/// How a request goes on from an earlier one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Continuation {
    /// What changed; `None`: nothing that was there before.
    pub change: Option<Change>,
    /// The first item that differs, where the change is one of the history.
    pub item: Option<usize>,
    /// How many items both begin with.
    pub common: usize,
}

// === impl Change ===

impl Change {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Account,
        Self::Model,
        Self::System,
        Self::Tools,
        Self::Format,
        Self::Message,
        Self::Compacted,
        Self::Rewound,
        Self::Beside,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Model => "model",
            Self::System => "system",
            Self::Tools => "tools",
            Self::Format => "format",
            Self::Message => "message",
            Self::Compacted => "compacted",
            Self::Rewound => "rewound",
            Self::Beside => "beside",
        }
    }
}

// === impl Head ===

impl Head {
    /// What differs first. Account and model come before all else: without them nothing is found again.
    fn change(&self, new: &Self) -> Option<Change> {
        let parts = [
            (self.account == new.account, Change::Account),
            (self.model == new.model, Change::Model),
            (self.system == new.system, Change::System),
            (self.tools == new.tools, Change::Tools),
            (self.format == new.format, Change::Format),
        ];
        parts.into_iter().find_map(|(same, change)| (!same).then_some(change))
    }
}

/// Says how `new` goes on from `old`.
pub fn compare(old: &Fingerprint, new: &Fingerprint) -> Continuation {
    against(&old.head, &old.items, &[old.items.len()], new)
}

/// The same for what several requests sent, of which each ended at one of `ends`.
pub(super) fn against(head: &Head, items: &[u64], ends: &[usize], new: &Fingerprint) -> Continuation {
    let common = common(items, &new.items);
    let history = history(items, ends, &new.items, common);
    let apart = common == 0 && (head.system, head.tools) != (new.head.system, new.head.tools);
    if apart || history == Some(Change::Beside) {
        return Continuation { change: Some(Change::Beside), item: None, common };
    }
    match head.change(&new.head) {
        Some(change) => Continuation { change: Some(change), item: None, common },
        None => Continuation { change: history, item: history.map(|_| common), common },
    }
}

pub(super) fn common(old: &[u64], new: &[u64]) -> usize {
    old.iter().zip(new).take_while(|(old, new)| old == new).count()
}

/// What became of the history, which is the same for the first `common` items.
fn history(old: &[u64], ends: &[usize], new: &[u64], common: usize) -> Option<Change> {
    let (lost, rest) = (&old[common..], &new[common..]);
    if lost.is_empty() {
        return None;
    }
    let known: HashSet<u64> = if rest.is_empty() { HashSet::new() } else { rest.iter().copied().collect() };
    let kept = lost.iter().filter(|item| known.contains(item)).count();
    let answered = |items: &[u64]| items.iter().any(|item| is_by_model(*item));
    if kept == 0 && ends.contains(&common) {
        // All of an earlier request is there. What came after it was a request beside the others, and is not gone on
        // from: a suggestion for the next prompt, or a summary.
        return None;
    }
    if kept * 2 >= lost.len() {
        // Most of what followed is still there.
        return Some(Change::Message);
    }
    let shorter = new.len() < old.len();
    match (answered(rest), common) {
        (false, 0) if !(shorter && answered(old)) => Some(Change::Beside),
        (false, 1..) if kept == 0 => Some(Change::Rewound),
        _ if shorter => Some(Change::Compacted),
        _ => Some(Change::Message),
    }
}
