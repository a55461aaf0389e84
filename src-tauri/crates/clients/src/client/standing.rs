//! How a client stands: where it goes, what differs from what would be written, and what keeps it away. As the control plane tells
//! it, too.

use serde::Serialize;

/// Where a client goes by its own settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// There is neither the program nor a trace of it.
    NotInstalled,
    /// Nothing in its settings leads it anywhere.
    Clean,
    /// Here, and all is as it would be written now.
    Ours,
    /// To another address.
    Elsewhere {
        /// Which.
        url: String,
    },
    /// We set it up, and it is not so any more.
    Drifted {
        /// What differs.
        drifts: Vec<Drift>,
    },
    /// Nobody knows, or it would be turned away.
    Broken {
        /// Why, in a sentence without an end.
        why: String,
    },
}

/// A place that is not as it would be written now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The key, as people know it.
    pub key: String,
    /// What stands there, if it is no secret.
    pub now: Option<String>,
    /// What would be written, if it is no secret.
    pub wanted: Option<String>,
    /// Who moved.
    pub by: Moved,
}

/// Who moved, so that two values differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moved {
    /// The file: somebody else has written there.
    File,
    /// We: the models are others now, or the port is.
    #[serde(rename = "gateway")]
    Intent,
}

/// Something that keeps a client away, or may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// A word for it, for programs: `api_key_helper`, `managed_settings` …
    pub code: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What is so, in a sentence.
    pub what: String,
    /// Where: a file with its key, a variable, a process.
    pub place: String,
    /// What to do about it, in a sentence.
    pub cure: String,
}

/// How much a conflict matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// Good to know.
    Note,
    /// Something will be other than one expects.
    Warning,
    /// The client does not come here.
    Blocks,
}
