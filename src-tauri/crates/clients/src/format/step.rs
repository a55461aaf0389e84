//! What a change leaves behind, so that it can be taken back. It is kept on disk, so its form lasts.

use serde::{Deserialize, Serialize};

use super::Pointer;
use super::lines::Cut;

/// One change that was made, and what it needs to be taken back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Step {
    /// Where.
    pub(crate) pointer: Pointer,
    /// What stood there.
    pub(crate) before: Before,
}

/// What stood at a place before it was changed. Texts are kept as they stood, so they may be secrets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "snake_case")]
pub(crate) enum Before {
    /// A value of this text.
    Value {
        /// As it stood there.
        raw: String,
    },
    /// Nothing. `inner` is all there was in its object, where that had no members.
    Absent {
        /// White space and comments.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inner: Option<String>,
    },
    /// A member, which was taken out.
    Member(Removed),
    /// Nothing; what was put there has this before it and behind it.
    Put { lead: String, tail: String },
    /// Lines, which were taken out in this order.
    Lines { raw: String, cuts: Vec<Cut> },
    /// A member inside of a value that stands on a line with others; `old` and `new` are the whole of that value.
    Within { raw: String, old: String, new: String },
}

/// A member with what stood around it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    /// The text of the value.
    pub(super) raw: String,
    /// The member before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<String>,
    /// It was the last one, and took the comma before it along; this stood before that comma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) comma_after: Option<String>,
    /// From there to what was cut out.
    pub(super) gap: String,
    /// What was cut out.
    pub(super) cut: String,
}

impl std::fmt::Debug for Before {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value { .. } => "Value",
            Self::Absent { .. } => "Absent",
            Self::Member(_) | Self::Within { .. } => "Member",
            Self::Put { .. } => "Put",
            Self::Lines { .. } => "Lines",
        })
    }
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} was {:?}", self.pointer, self.before)
    }
}

// === impl Before ===

impl Before {
    /// The text of the value there was.
    pub(crate) fn raw(&self) -> Option<&str> {
        match self {
            Self::Value { raw }
            | Self::Member(Removed { raw, .. })
            | Self::Lines { raw, .. }
            | Self::Within { raw, .. } => Some(raw),
            Self::Absent { .. } | Self::Put { .. } => None,
        }
    }
}
