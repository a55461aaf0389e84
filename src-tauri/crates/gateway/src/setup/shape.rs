//! What is said about clients: to the dashboard as JSON, to the command line as it is.

use codeferry_clients::client::{Conflict, Kind, State};
use jiff::Timestamp;
use serde::Serialize;

use crate::doctor::Report;

/// A program that can come here.
#[derive(Debug, Clone, Serialize)]
pub struct Program {
    /// As it is typed: `claude-code`.
    pub client: &'static str,
    /// As its maker writes it.
    pub name: &'static str,
    /// It is there, or has left traces.
    pub installed: bool,
    /// Where it is.
    pub program: Option<String>,
    /// If that could be told without starting it.
    pub version: Option<String>,
    /// How it got here: `npm`, `homebrew` …
    pub how: Option<&'static str>,
    /// Where it can be set up by us. None: by hand only.
    pub targets: Vec<Place>,
    /// The lines to copy, for whoever sets it up by hand, with a word where the client key goes.
    pub manual: String,
    /// So many copies of its files are kept.
    pub backups: usize,
}

/// A place where a client can be set up.
#[derive(Debug, Clone, Serialize)]
pub struct Place {
    /// A word for it: `user`, `project`, `wsl:Ubuntu:ada`.
    pub target: String,
    /// What it is called for people.
    pub label: String,
    /// The files that may be changed. The first says where the client goes.
    pub files: Vec<String>,
    /// Only done when it is asked for by name.
    pub opt_in: bool,
    /// Why it cannot be set up now.
    pub obstacle: Option<String>,
    /// Where the client goes by these files.
    #[serde(flatten)]
    pub standing: State,
    /// Something in its files is ours, and can be taken back.
    pub held: bool,
    /// Somebody has said that the drift stays as it is.
    pub accepted: bool,
    /// What keeps the client away, or may.
    pub conflicts: Vec<Conflict>,
    /// Which settings are in force if it began now, resolved in its own order: one sentence for each file that decides. For
    /// `codeferry doctor`, which is run where the client is.
    #[serde(skip)]
    pub in_force: Vec<String>,
}

/// What would be done, before it is.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Which client.
    pub client: &'static str,
    /// Where.
    pub target: String,
    /// Names what was looked at. Sent back, it sees to it that what is done is what was shown.
    pub plan: String,
    /// There is something to do.
    pub changes: bool,
    /// The files, in the order they are written.
    pub files: Vec<File>,
}

/// What would become of a file.
#[derive(Debug, Clone, Serialize)]
pub struct File {
    /// Which.
    pub file: String,
    /// What would be done to it.
    pub will: Will,
    /// The unified diff, with secrets masked. Empty where nothing changes.
    pub diff: String,
    /// What is to be known before.
    pub warnings: Vec<String>,
}

/// What would be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Will {
    /// It is not there, and would be.
    Create,
    /// It would be changed.
    Change,
    /// It was ours alone, and would be gone.
    Remove,
    /// It is so already.
    Keep,
}

/// What was done.
#[derive(Debug, Clone, Serialize)]
pub struct Settled {
    /// Files were written; otherwise everything was so already.
    pub changed: bool,
    /// What was done, in a sentence.
    pub told: String,
    /// What is to be known about it, in sentences.
    pub notes: Vec<String>,
    /// So many of them, at the end, are only good to know.
    #[serde(skip)]
    pub asides: usize,
}

/// Whether a client would be served, looked at as the client does it.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Which client.
    pub client: &'static str,
    /// Where.
    pub target: String,
    /// The checklist.
    #[serde(flatten)]
    pub report: Report,
}

/// A copy of a file, as it was before we changed it.
#[derive(Debug, Clone, Serialize)]
pub struct Copy {
    /// What it is asked for by.
    pub id: String,
    /// Of which file.
    pub file: String,
    /// When it was made. `None`: nobody noted it.
    pub at: Option<Timestamp>,
    /// The first one ever, which stays for good.
    pub first: bool,
    /// How long it is.
    pub bytes: u64,
}

// === impl Program ===

impl Program {
    /// One of which nothing is known.
    pub(crate) fn unknown(kind: Kind) -> Self {
        Self {
            client: kind.name(),
            name: kind.label(),
            installed: false,
            program: None,
            version: None,
            how: None,
            targets: Vec::new(),
            manual: String::new(),
            backups: 0,
        }
    }
}
