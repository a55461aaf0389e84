//! What the reducer could not carry, or had to put right.

use std::fmt;

/// A note for the log. None of them stops an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Note {
    /// An item of a kind that no client of ours could understand. Its `type`.
    UnknownItem(String),
    /// A message that repeated the one before it, and was not shown twice.
    Repeated,
    /// The whole text of an item is not the one that came in pieces; what was sent stays.
    Contradiction,
    /// A piece for an item, or a part of it, that was whole already.
    Late,
    /// A tool call without the name of a tool.
    Nameless,
    /// The reason for which an answer is incomplete is not one we know.
    UnknownReason(String),
}

// === impl Note ===

impl Note {
    /// The name under which it is counted.
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownItem(_) => "unknown_item",
            Self::Repeated => "repeated_message",
            Self::Contradiction => "contradiction",
            Self::Late => "late_delta",
            Self::Nameless => "nameless_call",
            Self::UnknownReason(_) => "unknown_reason",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownItem(tag) => write!(f, "{}:{tag}", self.name()),
            Self::UnknownReason(reason) => write!(f, "{}:{reason}", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}
